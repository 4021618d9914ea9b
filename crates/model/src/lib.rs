//! The words and the rules of change enablement.
//!
//! Nouns as types, and functions from a change's file, a command and the time to an outcome or a refusal. This room does
//! no I/O, reads no clock, makes no ids and knows no engine: everything it needs is handed in.

pub mod absence;
pub mod access_review;
pub mod act;
pub mod affected;
pub mod apart;
mod approvals;
pub mod authority;
pub mod board;
pub mod calendar;
pub mod change;
pub mod clocks;
pub mod committers;
pub mod configuration;
pub mod content;
pub mod coverage;
pub mod custom_field;
pub mod deceiving;
pub mod directory;
pub mod due;
pub mod facts;
pub mod file;
pub mod gate;
pub mod glass;
pub mod held;
pub mod identity;
pub mod ids;
pub mod input;
pub mod lifecycle;
pub mod mapping;
pub mod matrix;
pub mod obligation;
pub mod outside;
pub mod outside_look;
pub mod reading;
pub mod ready;
pub mod records;
pub mod refusal;
pub mod requirement;
pub mod risk;
mod routing;
pub mod running;
pub mod settle;
pub mod shelf;
pub mod signal;
pub mod sla;
pub mod telling;
mod template;
pub mod texts;
pub mod training;
pub mod verbs;
pub mod watching;
pub mod webhook;
pub mod words;
pub mod workload;

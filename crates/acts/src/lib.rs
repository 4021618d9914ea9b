//! The acts of the business: one verb, one file. Each loads the records, has the policies evaluate them, decides in
//! `model`, and saves state, event and effects in one transaction. REST, pages, webhooks, timers and the command line
//! call these functions and contain no copies of them.

pub mod approval;
pub mod audit;
pub mod cab;
pub mod case;
pub mod change;
pub mod compliance;
pub mod core;
pub mod directory;
pub mod effects;
pub mod emergency;
pub mod executor;
pub mod gate;
pub mod guard;
pub mod identity;
pub mod incident;
pub mod integration;
pub mod notify;
pub mod policy;
pub mod report;
pub mod risk;
pub mod schedule;

pub use crate::core::context::Context;
pub use crate::core::error::{Error, Result};
pub use crate::core::services::{Clock, Tools};
pub use executor::{Doing, Executor};

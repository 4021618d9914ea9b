//! Elements that pages are built from: forms, tables, lists, frames, icons and texts.

pub(crate) mod avatar;
pub(crate) mod chart;
pub(crate) mod dependency_picture;
pub(crate) mod figures;
pub(crate) mod filters;
pub(crate) mod form;
pub(crate) mod frame;
pub(crate) mod glossary;
pub(crate) mod icons;
pub(crate) mod list;
pub(crate) mod natural_time;
pub(crate) mod part;
pub(crate) mod parts;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod rich;
pub(crate) mod sample;
pub(crate) mod table;
pub mod text;
pub(crate) mod words;

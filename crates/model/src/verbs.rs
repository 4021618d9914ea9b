//! The verbs of the business on a change: each takes the case and the request's body, and leaves the case as it becomes.
//!
//! The order is the same everywhere: allowed? (403) → readable? (422) → legal now? (409) → done.

pub mod after;
pub mod around;
pub mod decide;
pub mod glass;
pub mod leaver;
pub mod permit;
pub mod plan;
pub mod tasks;
pub mod work;
pub mod write;

use serde_json::{Map, Value};

/// A request's body.
pub type Body = Map<String, Value>;

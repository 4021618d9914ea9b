//! The verbs of the business on a change: each takes the case and the request's body, and leaves the case as it becomes.
//!
//! The order is the same everywhere: allowed? (403) → readable? (422) → legal now? (409) → done.

use serde_json::{Map, Value};

/// A request's body.
pub type Body = Map<String, Value>;

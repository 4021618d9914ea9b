//! The record of a gate that was opened again after a finding about the log.

use serde::{Deserialize, Serialize};

use crate::core::statement::Stated;

/// One reopening, requested by one person and agreed by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReopening {
    /// The id of the event without reasons that closed the gate.
    pub event: String,
    /// The requester, with the explanation.
    pub asked: Stated,
    /// The person who agreed, and the reason; absent while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Stated>,
}

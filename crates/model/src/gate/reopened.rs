//! How the gate of a change was opened again after a finding about the log.

use serde::{Deserialize, Serialize};

use crate::core::statement::Stated;

/// One opening, asked for by one person and agreed by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReopening {
    /// The id of the event that lacked its reasons, for which the gate was closed.
    pub event: String,
    /// Who asked, with the explanation.
    pub asked: Stated,
    /// Who agreed, and why; absent while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Stated>,
}

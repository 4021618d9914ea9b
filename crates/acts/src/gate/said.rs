//! The reply to an outside system's question.

use model::change::record::Change;
use model::core::unmet::Unmet;
use model::gate::provenance::CheckReply;

/// The present reply, and the next time at which the clock alone changes it.
pub(crate) struct TaskReply {
    pub(crate) answer: CheckReply,
    pub(crate) text: String,
    /// All unmet conditions, if the gate was queried.
    pub(crate) reasons: Vec<Unmet>,
    pub(crate) change: Option<Change>,
    pub(crate) next: Option<jiff::Timestamp>,
    pub(crate) is_over: bool,
}

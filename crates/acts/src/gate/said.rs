//! What an outside system is told that asks us.

use model::change::record::Change;
use model::core::unmet::Unmet;
use model::gate::provenance::Word;

/// What we say now, and until when by the clock alone.
pub(crate) struct Said {
    pub(crate) answer: Word,
    pub(crate) text: String,
    /// All that is missing, where the gate was asked.
    pub(crate) reasons: Vec<Unmet>,
    pub(crate) change: Option<Change>,
    pub(crate) next: Option<jiff::Timestamp>,
    pub(crate) is_over: bool,
}

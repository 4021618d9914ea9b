//! The facts that the policies received about a change when somebody decided. A decision names them by digest, so that a later
//! policy set can be tested against the facts of that time, whatever the directory has become since.

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::core::ids::{ChangeId, RecordId};
use crate::policy::facts::{ChangeFacts, TargetFacts};

/// The facts behind one or several decisions on a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "decision_facts")]
pub struct DecisionFacts {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; it is written once.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The digest by which decisions name them: [`crate::change::related_records::Approval::facts_digest`].
    #[card(column)]
    pub digest: String,
    /// The facts about the change.
    #[card(object)]
    pub told: ChangeFacts,
    /// The facts about its targets.
    #[card(object)]
    pub targets: Vec<TargetFacts>,
}

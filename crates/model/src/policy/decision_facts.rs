//! What the policies were told of a change when somebody decided. A decision names it by digest, so that a later set of
//! policies can be tried on what was known then, whatever the estate has become since.

use serde::{Deserialize, Serialize};

use crate::core::ids::{ChangeId, RecordId};
use crate::policy::facts::{ChangeFacts, TargetFacts};

/// The facts behind one or several decisions on a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionFacts {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; it is written once.
    pub version: i64,
    /// The change.
    pub change: ChangeId,
    /// The digest by which decisions name them: [`crate::change::related_records::Approval::facts_digest`].
    pub digest: String,
    /// What was told of the change.
    pub told: ChangeFacts,
    /// What was told of its targets.
    pub targets: Vec<TargetFacts>,
}

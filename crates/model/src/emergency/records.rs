//! The records of break-glass.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::{ChangeId, PersonId, RecordId};
use crate::core::statement::Stated;
use crate::identity::factor::Factor;

/// A break-glass start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    /// Why.
    pub reason: String,
    /// The end of its time box.
    pub until: Timestamp,
    /// The incident behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The opener.
    pub by: PersonId,
    /// The person who issued the opener's credentials, if that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// The fresh factor of the opener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Factor>,
    /// When.
    pub at: Timestamp,
    /// The digest *what* of the content at the opening, which a second person signs.
    pub what_digest: String,
    /// Whether a second person must sign before it opens anything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_cosignature: bool,
    /// The second person's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigned: Option<Cosignature>,
    /// Whether the time box has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// The independent validation afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated: Option<Stated>,
    /// The budget that the opening counts against, and the deadline of its validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// The requirements that were unmet when the work began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bypassed: Vec<Bypassed>,
}

/// One requirement that break-glass bypassed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bypassed {
    /// The code by which it was unmet: `approval_missing`, `evidence_missing`, `freeze`, `window_not_open` …
    pub code: String,
    /// The policy that requires it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The missing requirement, in a sentence.
    pub text: String,
    /// For an approval: the number given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<i64>,
    /// For an approval: the number needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<i64>,
}

impl BreakGlass {
    /// The number of bypassed approvals.
    pub fn bypassed_approvals(&self) -> i64 {
        let lacking = |row: &Bypassed| Some((row.needed? - row.given?).max(0));
        self.bypassed.iter().filter_map(lacking).sum()
    }
}

impl BreakGlass {
    /// Whether the break-glass is signed as needed. Only then does it open the gate and replace approvals.
    pub fn is_lawful(&self) -> bool {
        !self.needs_cosignature || self.cosigned.is_some()
    }
}

/// A co-signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosignature {
    /// The co-signer.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The fresh factor of the co-signer, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Factor>,
}

/// One opening of the glass, as the budget counts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "glass_use")]
pub struct BreakGlassUse {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The team whose budget it is, or the service that has none; empty where nobody said either.
    #[card(column, text)]
    pub team: String,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The change's key.
    pub change_key: String,
    /// The opener.
    pub by: PersonId,
    /// When.
    #[card(column)]
    pub at: Timestamp,
    /// Its number in the quarter, from 1.
    pub number: i64,
    /// The team's budget.
    pub budget: i64,
    /// Whether it exceeded the budget.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_budget: bool,
    /// The requirements bypassed at the opening.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub bypassed: Vec<Bypassed>,
}

/// The budget that an opening counts against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The team of the budget, or the service without a team; empty if the change names neither.
    pub team: String,
    /// Its number in the quarter, from 1.
    pub number: i64,
    /// The team's budget.
    pub budget: i64,
    /// The deadline of its validation.
    pub validate_by: Timestamp,
}

impl Counted {
    /// Whether it exceeds the budget.
    pub fn is_over(&self) -> bool {
        self.number > self.budget
    }
}

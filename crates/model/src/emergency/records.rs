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
    /// Who opened it.
    pub by: PersonId,
    /// Who handed out the way in by which it was opened, where that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// Which fresh factor they showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Factor>,
    /// When.
    pub at: Timestamp,
    /// The digest *what* of the content that it was broken for, which a second person signs.
    pub what_digest: String,
    /// Whether a second person must sign before it opens anything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_cosignature: bool,
    /// The second person's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigned: Option<Cosignature>,
    /// Whether the time box has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// The independent validation afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated: Option<Stated>,
    /// What it counts for in its team's budget, and by when it must be validated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// What stood between the change and its start when the work began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bypassed: Vec<Bypassed>,
}

/// One thing that a broken glass stood in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bypassed {
    /// The code by which it was unmet: `approval_missing`, `evidence_missing`, `freeze`, `window_not_open` …
    pub code: String,
    /// The policy that asks for it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What was missing, in a sentence.
    pub text: String,
    /// Of an approval: how many had said yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<i64>,
    /// Of an approval: how many are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<i64>,
}

impl BreakGlass {
    /// How many approvals it stood in for.
    pub fn bypassed_approvals(&self) -> i64 {
        let lacking = |row: &Bypassed| Some((row.needed? - row.given?).max(0));
        self.bypassed.iter().filter_map(lacking).sum()
    }
}

impl BreakGlass {
    /// Whether it opens the gate and stands in for approvals: signed as needed.
    pub fn is_lawful(&self) -> bool {
        !self.needs_cosignature || self.cosigned.is_some()
    }
}

/// A co-signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosignature {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Which fresh factor they showed, if any.
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
    /// Who opened it.
    pub by: PersonId,
    /// When.
    #[card(column)]
    pub at: Timestamp,
    /// Which one of the quarter it was, from 1.
    pub number: i64,
    /// How many the team had.
    pub budget: i64,
    /// Whether it was one too many.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_budget: bool,
    /// What it stood in for when it was opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub bypassed: Vec<Bypassed>,
}

/// What an opening counts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The team whose budget it is, or the service that has none; empty where nobody said either.
    pub team: String,
    /// Which one of the quarter it is, from 1.
    pub number: i64,
    /// How many the team has.
    pub budget: i64,
    /// Until when it must be validated.
    pub validate_by: Timestamp,
}

impl Counted {
    /// Whether it is one too many.
    pub fn is_over(&self) -> bool {
        self.number > self.budget
    }
}

//! The course of an incident beside its beginning and its end: what it is, who commands it, and what its commander let through.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::{ChangeRelation, IncidentKind};
use crate::core::ids::{ChangeId, PersonId};

/// The gravest severity alone is major, unless the tenant says otherwise.
pub const USUAL_BOUND: i64 = 1;
/// The most keys that an incident has in other systems.
pub const MOST_KEYS: usize = 20;

/// What an incident keeps of its way. Everything is absent in a record from before it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IncidentCourse {
    /// What it is about.
    #[serde(default, skip_serializing_if = "IncidentKind::is_usual")]
    pub kind: IncidentKind,
    /// Since when its effect is contained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigated_at: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<PersonId>,
    /// Who leads the work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commander: Option<PersonId>,
    /// Who opened it by hand; absent where a source did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<PersonId>,
    /// The key of the incident that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// Its further keys in other systems, such as `jira:OPS-7`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub external_keys: BTreeSet<String>,
    /// The severity that its source named last, where that differs from its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_severity: Option<i64>,
    /// When a source that tells the state of its record said that it is over there; absent while it is open there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_over_at: Option<Timestamp>,
    /// When its source said last that it is open again: an end that it told before that comes late and ends nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_open_at: Option<Timestamp>,
    /// When its source says that parts of it began, where times alone order what the source says: by them a late end finds its occurrence.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub source_starts: BTreeSet<Timestamp>,
    /// Since when it is a major incident; absent where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_since: Option<Timestamp>,
    /// Since when its severity would make it one, but not by the person who acted: a commander had just ended the freeze of another
    /// one that they declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld_at: Option<Timestamp>,
    /// Who made it one by hand; absent where a source did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_by: Option<PersonId>,
    /// Whether its commander halts the work under way as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halted: bool,
    /// That its commander ended the freeze before the incident ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_down: Option<StoodDown>,
    /// Whether it is related to a change: flagged by the rule that looks for candidates, then judged by people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_related: Option<ChangeRelation>,
    /// What its commanders let through, in order. None is ever taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Signature>,
}

/// The end of a freeze by its commander.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoodDown {
    /// Why.
    pub reason: String,
    /// The commander.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// What the ranking said of a candidate when a person judged it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedRank {
    /// Its points.
    pub points: i64,
    /// Its points less those of the best other candidate.
    pub lead: i64,
    /// Whether it was on a service of the incident itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_near: bool,
    /// The minutes from the end of its work to the incident; 0 while it was under way.
    pub delay_minutes: i64,
}

/// A commander's signature: it lets one change through the freeze of a major incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The change.
    pub change: ChangeId,
    /// The change's key.
    pub change_key: String,
    /// The digest *what* of the change as it was signed; another content is not let through.
    pub what_digest: String,
    /// Why.
    pub reason: String,
    /// Until when the change may start.
    pub until: Timestamp,
    /// Whether the change fixes the incident, by its link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixes: bool,
    /// The commander.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The factor that was shown: its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<String>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
    /// What another person found afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<SignatureReview>,
}

/// The review of a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureReview {
    /// Whether the change could not have waited.
    pub justified: bool,
    /// Why.
    pub reason: String,
    /// The reviewer.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

#[expect(
    clippy::derivable_impls,
    reason = "the table of words marks no word as the usual one"
)]
impl Default for IncidentKind {
    fn default() -> Self {
        Self::Service
    }
}

impl IncidentKind {
    /// Whether an incident has it without a word.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::Service
    }
}

impl Signature {
    /// Whether it lets its change start at this instant.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.withdrawn_at.is_none() && now < self.until
    }
}

//! The course of an incident between its beginning and its end: its kind, its commander, and the changes that the commander
//! allowed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::{ChangeRelation, IncidentKind};
use crate::core::ids::{ChangeId, PersonId};

/// Only the gravest severity is major, unless the tenant sets another bound.
pub const USUAL_BOUND: i64 = 1;
/// The most keys that an incident has in other systems.
pub const MOST_KEYS: usize = 20;

/// The course of an incident. Every field is absent in an older record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IncidentCourse {
    /// The incident's kind.
    #[serde(default, skip_serializing_if = "IncidentKind::is_usual")]
    pub kind: IncidentKind,
    /// Since when its effect is contained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigated_at: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The person who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<PersonId>,
    /// The person who leads the work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commander: Option<PersonId>,
    /// The person who opened it manually; absent if a source opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<PersonId>,
    /// The key of the incident that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// Its further keys in other systems, such as `jira:OPS-7`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub external_keys: BTreeSet<String>,
    /// The last severity from its source, where that differs from its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_severity: Option<i64>,
    /// The time at which its source reported the end, for a source that reports the state of its record; absent while it is
    /// open there.
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
    /// The time since which its severity would make it major. The person who acted could not make it major, because a commander
    /// had just ended the freeze of another incident that they declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld_at: Option<Timestamp>,
    /// The person who declared it major manually; absent if a source did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_by: Option<PersonId>,
    /// Whether its commander halts the work under way as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halted: bool,
    /// The end of the freeze by its commander before the incident ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_down: Option<StoodDown>,
    /// Whether it is related to a change: flagged by the rule that looks for candidates, then judged by people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_related: Option<ChangeRelation>,
    /// The changes that its commanders let through, in order. None is ever removed.
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

/// The candidate's rank when a person judged it.
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

/// A commander's signature: it allows one change during the freeze of a major incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The change.
    pub change: ChangeId,
    /// The change's key.
    pub change_key: String,
    /// The digest *what* of the change at the signature; other content is not allowed.
    pub what_digest: String,
    /// Why.
    pub reason: String,
    /// The latest start of the change.
    pub until: Timestamp,
    /// Whether the change fixes the incident, by its link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixes: bool,
    /// The commander.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The kind of the fresh factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<String>,
    /// The time of its withdrawal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
    /// The review by another person afterwards.
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
    /// Whether an incident has this value by default.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::Service
    }
}

impl Signature {
    /// Whether it allows its change to start at this instant.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.withdrawn_at.is_none() && now < self.until
    }
}

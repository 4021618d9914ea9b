//! The course of an incident between its beginning and its end: its kind, its commander, and the changes that the commander
//! allowed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::{ChangeRelation, IncidentKind};
use crate::core::ids::{ChangeId, PersonId};
use crate::incident::source_report::SourceReport;

/// Only the gravest severity is major, unless the tenant sets another bound.
pub const USUAL_BOUND: i64 = 1;
/// The most reports of its source that are stored for one incident, the latest ones.
const MOST_REPORTS: usize = 50;
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
    /// Whether a person gave it another title than its source; later titles of the source are not taken then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_own_title: bool,
    /// The last severity from its source, where that differs from its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_severity: Option<i64>,
    /// The last end that its source reported, in a record from before [`Self::source_reports`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_over_at: Option<Timestamp>,
    /// The last reopening that its source reported, in a record from before [`Self::source_reports`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_open_at: Option<Timestamp>,
    /// The states of its record at its source, by the source's times; only of sources that report states.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub source_reports: BTreeSet<SourceReport>,
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

impl IncidentCourse {
    /// The reports of its source. A record from before reports were stored has at most the time of the last end and of the last
    /// reopening.
    #[must_use]
    pub fn reports(&self) -> BTreeSet<SourceReport> {
        if !self.source_reports.is_empty() {
            return self.source_reports.clone();
        }
        let old = |at: Timestamp, is_over: bool| SourceReport {
            at,
            number: None,
            is_over,
            ended_at: None,
            severity: None,
        };
        let over = self.source_over_at.map(|at| old(at, true));
        let open = self.source_open_at.map(|at| old(at, false));
        over.into_iter().chain(open).collect()
    }

    /// Stores a report. Of more than 50 the latest stay.
    pub fn store_report(&mut self, report: SourceReport) {
        let mut reports = self.reports();
        reports.insert(report);
        while reports.len() > MOST_REPORTS {
            reports.pop_first();
        }
        self.source_reports = reports;
        self.source_over_at = None;
        self.source_open_at = None;
    }

    /// The severity in the last report of an open record.
    #[must_use]
    pub fn reported_severity(&self) -> Option<i64> {
        let open = self.source_reports.iter().rev().find(|it| !it.is_over);
        open.and_then(|it| it.severity)
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::incident::source_report::present;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn report(minute: i64, is_over: bool) -> SourceReport {
        SourceReport {
            at: at(minute),
            number: None,
            is_over,
            ended_at: None,
            severity: Some(2),
        }
    }

    #[test]
    fn a_record_from_before_reports_keeps_what_it_knew_and_the_latest_reports_stay() {
        let mut course = IncidentCourse {
            source_over_at: Some(at(10)),
            ..IncidentCourse::default()
        };
        course.store_report(report(20, false));
        assert_eq!((course.source_reports.len(), course.source_over_at), (2, None));
        assert_eq!(present(&course.source_reports), Some(&report(20, false)));
        for minute in 100..200 {
            course.store_report(report(minute, false));
        }
        assert_eq!(course.source_reports.len(), MOST_REPORTS);
        assert_eq!(course.source_reports.last(), Some(&report(199, false)));
        assert_eq!(course.reported_severity(), Some(2));
    }
}

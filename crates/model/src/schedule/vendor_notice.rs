//! Notices of vendors about their own maintenance. A notice counts as maintenance in plans and is acknowledged by the owners of
//! its services; it is no change of ours, so nothing in it is approved.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_WINDOW};
use crate::core::card::{Card, Event, Field, Kind, Page};
pub use crate::core::enums::{NoticeImpact, NoticeState};
use crate::core::ids::{RecordId, ServiceKey};
use crate::core::parse::{LINE, Reading};
use crate::directory::records::Incident;
use crate::verbs;

/// The longest text, in characters.
pub const TEXT: usize = 4_000;
/// The longest maintenance: plans are compared with nothing that lasts longer.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 31);
/// The most notices of a tenant that are not over.
pub const MOST: i64 = 500;
/// The time after its announced end for which a notice waits for the vendor's report of the actual end.
pub const GRACE: SignedDuration = SignedDuration::from_hours(1);
/// Begins the part of the item that asks the owner of a change to bring it in line with a notice.
pub const IN_LINE: &str = "notice/";
/// The most incidents that a review names.
pub const MOST_INCIDENTS: usize = 50;

/// A vendor's notice of its own maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct VendorNotice {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The vendor's key with its reference: a notice that is repeated is the same one.
    #[card(column, most = 700)]
    pub natural_key: String,
    /// The vendor's key.
    pub vendor: String,
    /// The vendor's own reference.
    pub reference: String,
    /// The work, in one line.
    #[card(text)]
    pub title: String,
    /// The text of the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub text: Option<String>,
    /// The services that it concerns.
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// Its announced start.
    pub starts_at: Timestamp,
    /// Its announced end.
    #[card(column)]
    pub ends_at: Timestamp,
    /// The announced effect on the services.
    #[card(words)]
    pub impact: NoticeImpact,
    /// Where it stands.
    #[card(words, column)]
    pub state: NoticeState,
    /// The time at which the vendor started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_start: Option<Timestamp>,
    /// The time at which the vendor finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_end: Option<Timestamp>,
    /// When the vendor said so last: what was said before changes nothing.
    pub told_at: Timestamp,
    /// The key of the change that takes it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

/// A vendor's notice of its own maintenance. The same vendor and reference again is the same notice.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct VendorNoticeInput {
    /// The work, in one line.
    #[card(text, example = "Storage maintenance")]
    pub title: String,
    /// The vendor's key.
    #[card(example = "cartwell")]
    pub vendor: String,
    /// The vendor's own reference.
    #[card(example = "CW-2291")]
    pub reference: String,
    /// The text of the vendor.
    #[card(most = TEXT, text, example = "Disks of row 4 are replaced.")]
    pub text: Option<String>,
    /// The services that it concerns.
    #[card(refers = "service", option = "service", example = "label-print", needed)]
    pub services: BTreeSet<ServiceKey>,
    /// Its announced start.
    #[card(label = "From", option = "from", example = "2026-12-02T20:00:00Z")]
    pub starts_at: Timestamp,
    /// Its announced end.
    #[card(label = "To", option = "to", example = "2026-12-02T23:00:00Z")]
    pub ends_at: Timestamp,
    /// The announced effect on the services.
    #[card(words, example = "degraded")]
    pub impact: NoticeImpact,
    /// The state; announced by default.
    #[card(words, optional, usual = "announced", example = "announced")]
    pub state: NoticeState,
    /// The time at which the vendor started.
    #[card(option = "began")]
    pub actual_start: Option<Timestamp>,
    /// The time at which the vendor finished.
    #[card(option = "ended")]
    pub actual_end: Option<Timestamp>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "vendor-notice",
    patch: "VendorNoticePatch",
    columns: &[
        "id",
        "vendor",
        "reference",
        "title",
        "services",
        "starts_at",
        "ends_at",
        "impact",
        "state",
        "change",
    ],
    shown: &[
        Field::shown(
            "unacknowledged",
            Kind::Texts(LINE),
            "The services whose owners have not acknowledged it.",
        ),
        Field::shown(
            "review",
            Kind::Object,
            "Once it is over: minutes by which it began and ended late, and incidents of its services meanwhile.",
        ),
        Field::shown(
            "is_past_end",
            Kind::Boolean,
            "Whether its announced end is over and nobody has recorded how it ended.",
        ),
    ],
    verbs: verbs! {
        List "list_vendor_notices" at "/vendor-notices" may READ => "List notices of vendors, the newest first";
        Set "set_vendor_notice" at "/vendor-notices" may SET_WINDOW => "Record a vendor’s notice, or renew the one with the same reference";
        Show "show_vendor_notice" at "/vendor-notices/{id}" may READ => "Show a vendor’s notice";
        Edit "edit_vendor_notice" at "/vendor-notices/{id}" may SET_WINDOW => "Change a vendor’s notice";
    },
    events: &[
        Event::new("vendor_notice.announced", "calendar", "recorded a vendor’s maintenance"),
        Event::new("vendor_notice.edited", "edit", "changed a vendor’s maintenance"),
        Event::new(
            "vendor_notice.started",
            "play",
            "recorded that a vendor’s maintenance began",
        ),
        Event::new(
            "vendor_notice.completed",
            "check",
            "recorded the end of a vendor’s maintenance",
        ),
        Event::new(
            "vendor_notice.cancelled",
            "x",
            "recorded the cancellation of a vendor’s maintenance",
        ),
        Event::new(
            "vendor_notice.told",
            "bell",
            "notified people of a vendor’s maintenance",
        ),
        Event::new(
            "vendor_notice.taken_up",
            "link",
            "created a change for a vendor’s maintenance",
        ),
    ],
    page: Some(Page {
        path: "/vendor-notices",
        byline: "Maintenance announced by vendors. It appears in conflicts and in the calendar; the vendor decides \
            on it, so it needs no approval here.",
        empty: "No vendor maintenance is announced.",
        labels: ["Record a notice", "Change it", "Take it back"],
    }),
    ..Card::of::<VendorNotice, VendorNoticeInput>("vendor_notice", "Vendor notices")
};

/// The announced beside the actual disruption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeReview {
    /// When the vendor began; absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// The time at which the vendor finished.
    pub ended_at: Timestamp,
    /// Whole minutes between the announced start and the start: negative where it was early.
    pub start_minutes: i64,
    /// Whole minutes between the announced end and the end: negative where it was early.
    pub end_minutes: i64,
    /// Incidents of its services that began meanwhile, by key.
    pub incidents: Vec<String>,
    /// Whether it stayed in its announced times without an incident.
    pub is_as_announced: bool,
}

/// The natural key of a notice.
#[must_use]
pub fn natural_key(vendor: &str, reference: &str) -> String {
    format!("{vendor}/{reference}")
}

impl VendorNotice {
    /// Whether another notice has a different plan, so that an acknowledgement of this one does not cover it.
    #[must_use]
    pub fn has_other_plan(&self, other: &Self) -> bool {
        (self.starts_at, self.ends_at, self.impact, &self.title)
            != (other.starts_at, other.ends_at, other.impact, &other.title)
    }

    /// Whether its announced end is over without a recorded actual end. It counts neither as maintenance nor as history then.
    #[must_use]
    pub fn is_past_end(&self, now: Timestamp) -> bool {
        self.state.is_live() && self.ends_at <= now
    }

    /// The announced beside the actual disruption; `None` while it is not over. All incidents known now count, also those
    /// recorded later.
    pub fn review<'i>(&self, incidents: impl Iterator<Item = &'i Incident>) -> Option<NoticeReview> {
        if self.state != NoticeState::Completed {
            return None;
        }
        let ended_at = self.actual_end?;
        let from = self.actual_start.unwrap_or(self.starts_at);
        let meets = |it: &&Incident| {
            (from..=ended_at.max(from)).contains(&it.started_at) && !it.services.is_disjoint(&self.services)
        };
        let mut keys: Vec<String> = incidents.filter(meets).map(|it| it.key.clone()).collect();
        keys.sort();
        keys.truncate(MOST_INCIDENTS);
        let minutes = |planned: Timestamp, actual: Timestamp| actual.duration_since(planned).as_mins();
        let review = NoticeReview {
            started_at: self.actual_start,
            ended_at,
            start_minutes: self.actual_start.map_or(0, |at| minutes(self.starts_at, at)),
            end_minutes: minutes(self.ends_at, ended_at),
            is_as_announced: from >= self.starts_at
                && (self.starts_at..=self.ends_at).contains(&ended_at)
                && keys.is_empty(),
            incidents: keys,
        };
        Some(review)
    }
}

/// The rules of a notice's times and services. Unedited values are not checked.
pub fn check(reading: &mut Reading<'_>, input: &VendorNoticeInput, now: Timestamp) {
    let is_wrong = |reading: &Reading<'_>, field: &str| reading.errors.iter().any(|error| error.field == field);
    if reading.says("services") && input.services.is_empty() && !is_wrong(reading, "services") {
        let text = "`services` is empty: list each service that the maintenance affects.";
        reading.wrong("services", "missing", text);
    }
    if (reading.says("starts_at") || reading.says("ends_at"))
        && !is_wrong(reading, "starts_at")
        && !is_wrong(reading, "ends_at")
    {
        if input.ends_at <= input.starts_at {
            reading.wrong("ends_at", "out_of_order", "`ends_at` must lie after `starts_at`.");
        } else if input.ends_at.duration_since(input.starts_at) > LONGEST {
            let text = "The maintenance lasts longer than 31 days. Record it in parts.";
            reading.wrong("ends_at", "too_long", text);
        }
    }
    for (field, at) in [("actual_start", input.actual_start), ("actual_end", input.actual_end)] {
        if reading.says(field) && at.is_some_and(|at| at > now + SignedDuration::from_mins(5)) {
            let text = format!("`{field}` lies in the future; enter the time at which it happened.");
            reading.wrong(field, "in_the_future", text);
        }
    }
    if let (Some(from), Some(to)) = (input.actual_start, input.actual_end)
        && to < from
    {
        let text = "`actual_end` must not lie before `actual_start`.";
        reading.wrong("actual_end", "out_of_order", text);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn notice(state: &str, actual: (&str, &str)) -> VendorNotice {
        serde_json::from_value(json!({
            "id": "n", "version": 1, "natural_key": "cartwell/CW-1", "vendor": "cartwell", "reference": "CW-1",
            "title": "Disks", "services": ["backup"], "starts_at": "2026-12-02T20:00:00Z",
            "ends_at": "2026-12-02T22:00:00Z", "impact": "degraded", "state": state, "actual_start": actual.0,
            "actual_end": actual.1, "told_at": "2026-12-01T00:00:00Z",
        }))
        .unwrap()
    }

    fn incident(key: &str, service: &str, at: &str) -> Incident {
        serde_json::from_value(json!({
            "id": key, "version": 1, "key": key, "title": "x", "severity": 3, "services": [service], "started_at": at,
        }))
        .unwrap()
    }

    #[test]
    fn a_review_holds_the_announced_times_against_the_actual_ones() {
        let on_time = notice("completed", ("2026-12-02T20:05:00Z", "2026-12-02T21:50:00Z"));
        let review = on_time.review(std::iter::empty()).unwrap();
        assert_eq!((review.start_minutes, review.end_minutes), (5, -10));
        assert!(review.is_as_announced);
        let late = notice("completed", ("2026-12-02T20:00:00Z", "2026-12-02T22:40:00Z"));
        let review = late.review(std::iter::empty()).unwrap();
        assert_eq!((review.end_minutes, review.is_as_announced), (40, false));
        let early = notice("completed", ("2026-12-02T19:30:00Z", "2026-12-02T21:00:00Z"));
        assert!(!early.review(std::iter::empty()).unwrap().is_as_announced);
        // A vendor that says no begin and is done before the announced one did not keep to its times.
        let before = VendorNotice {
            actual_start: None,
            ..notice("completed", ("2026-12-02T19:00:00Z", "2026-12-02T19:30:00Z"))
        };
        assert!(!before.review(std::iter::empty()).unwrap().is_as_announced);
    }

    #[test]
    fn incidents_of_its_services_count_from_its_start_to_its_end() {
        let it = notice("completed", ("2026-12-02T20:00:00Z", "2026-12-02T21:00:00Z"));
        let incidents = [
            incident("INC-3", "backup", "2026-12-02T21:00:00Z"),
            incident("INC-1", "backup", "2026-12-02T20:00:00Z"),
            incident("INC-2", "web", "2026-12-02T20:30:00Z"),
            incident("INC-4", "backup", "2026-12-02T21:00:01Z"),
            incident("INC-5", "backup", "2026-12-02T19:59:59Z"),
        ];
        let review = it.review(incidents.iter()).unwrap();
        assert_eq!(review.incidents, ["INC-1", "INC-3"]);
        assert!(!review.is_as_announced);
    }

    #[test]
    fn what_is_not_over_has_no_review() {
        for state in ["announced", "under_way", "cancelled"] {
            let it = notice(state, ("2026-12-02T20:00:00Z", "2026-12-02T21:00:00Z"));
            assert_eq!(it.review(std::iter::empty()), None, "{state}");
        }
    }

    #[test]
    fn what_is_announced_or_goes_on_is_past_its_end_from_that_instant_on() {
        let it = notice("announced", ("2026-12-02T20:00:00Z", "2026-12-02T21:00:00Z"));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(!it.is_past_end(at("2026-12-02T21:59:59Z")));
        assert!(it.is_past_end(at("2026-12-02T22:00:00Z")));
        for state in ["completed", "cancelled"] {
            let it = notice(state, ("2026-12-02T20:00:00Z", "2026-12-02T21:00:00Z"));
            assert!(!it.is_past_end(at("2026-12-03T00:00:00Z")), "{state}");
        }
    }

    #[test]
    fn another_time_or_impact_is_another_plan_and_another_state_is_not() {
        let it = notice("announced", ("2026-12-02T20:00:00Z", "2026-12-02T21:00:00Z"));
        let started = VendorNotice {
            state: NoticeState::UnderWay,
            ..it.clone()
        };
        assert!(!it.has_other_plan(&started));
        let worse = VendorNotice {
            impact: NoticeImpact::Outage,
            ..it.clone()
        };
        assert!(it.has_other_plan(&worse));
    }
}

//! A person's notification preferences: each matter at once, or collected in one letter a day; never during their quiet hours.
//!
//! Only the mail waits: every message is listed under Messages immediately. Requests for a decision, escalations, current
//! failures and security matters never wait: see [`MAY_WAIT`].
//!
//! Times of day are read in the person's own zone. A time that daylight saving skips counts from the hour after; a repeated
//! time counts once, the first time.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::schedule::calendar::minute_of_day;

/// The topics whose mail may wait for the digest or for the end of the quiet hours, in order. A topic outside this list is sent
/// at once, so that a topic missing here by mistake is never late.
pub const MAY_WAIT: &[&str] = &[
    "answered",
    "answered_late",
    "comment",
    "extension_decided",
    "freeze_period",
    "hold_ended",
    "mentioned",
    "milestone",
    "no_longer_asked",
    "rejected",
    "returned",
    "review_due",
    "task",
    "window_missed",
    "work_report",
];

/// The languages of letters and pages, by their tags; the first is the default language.
pub const LANGUAGES: [&str; 2] = ["en", "de"];

/// The formats of times: 24 hours, or 12 with am and pm; the first is the default.
pub const CLOCKS: [&str; 2] = ["24", "12"];

/// The spacing of rows and sections on pages; the first is the default.
pub const DENSITIES: [&str; 2] = ["comfortable", "compact"];

/// The most quiet times in a row for which a letter waits.
const MOST_NIGHTS: usize = 3;

/// Whether the mail about a topic may wait.
pub fn may_wait(topic: &str) -> bool {
    MAY_WAIT.binary_search(&topic).is_ok()
}

/// A person's preferences; without any, each matter is sent at once and at any hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationPreferences {
    /// When the one letter of the day is sent, `08:00`; absent for letters at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_at: Option<String>,
    /// The hours without letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// The language of pages and letters, as in [`LANGUAGES`]; absent for the browser's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether the planned times of one's changes come by mail as invitations for a calendar program (RFC 6047).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_invitations: bool,
    /// The clock of pages and letters, as in [`CLOCKS`]; absent for 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// The spacing of rows on pages, as in [`DENSITIES`]; absent for comfortable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density: Option<String>,
}

/// Hours of each day in which letters that may wait are not sent; from late to early they pass midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Their start, `22:00`.
    pub from: String,
    /// Their end, `07:00`, exclusive.
    pub until: String,
}

impl NotificationPreferences {
    /// Whether times are written by 12 hours with am and pm.
    pub fn is_by_twelve(&self) -> bool {
        self.clock.as_deref() == Some("12")
    }

    /// Whether pages have compact rows.
    pub fn is_compact(&self) -> bool {
        self.density.as_deref() == Some("compact")
    }

    /// Whether it wishes for nothing.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The time at which a message is mailed: never before it was written.
    pub fn due(&self, topic: &str, written_at: Timestamp, zone: &TimeZone) -> Timestamp {
        if !may_wait(topic) {
            return written_at;
        }
        let minute = self.digest_at.as_deref().and_then(minute_of_day);
        let mut at = minute
            .and_then(|minute| next(zone, minute, written_at))
            .unwrap_or(written_at);
        let Some(quiet) = &self.quiet else { return at };
        // Where an hour is skipped, the quiet hours of two days may meet.
        for _ in 0..MOST_NIGHTS {
            let Some(end) = quiet.end_after(at, zone) else { break };
            at = end;
        }
        at
    }
}

impl Quiet {
    /// The end of the quiet hours that lie over an instant, if some do.
    pub fn end_after(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let (from, until) = (minute_of_day(&self.from)?, minute_of_day(&self.until)?);
        let today = at.to_zoned(zone.clone()).date();
        let begins = [today.yesterday().ok()?, today];
        begins.into_iter().find_map(|day| {
            let ends_on = if until > from { day } else { day.tomorrow().ok()? };
            let (start, end) = (instant(zone, day, from)?, instant(zone, ends_on, until)?);
            (start <= at && at < end).then_some(end)
        })
    }
}

/// The first instant after another at which the day's clock shows a minute.
fn next(zone: &TimeZone, minute: i64, after: Timestamp) -> Option<Timestamp> {
    let mut day = after.to_zoned(zone.clone()).date();
    for _ in 0..3 {
        let at = instant(zone, day, minute)?;
        if at > after {
            return Some(at);
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// A minute of a day as an instant; `24:00` is the next day's first.
fn instant(zone: &TimeZone, day: Date, minute: i64) -> Option<Timestamp> {
    let day = if minute >= 1_440 { day.tomorrow().ok()? } else { day };
    let (hour, minute) = (minute % 1_440 / 60, minute % 60);
    let time = day.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
    zone.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::schedule::calendar::zone;
    use proptest::prelude::*;

    fn telling(digest: Option<&str>, quiet: Option<(&str, &str)>) -> NotificationPreferences {
        NotificationPreferences {
            digest_at: digest.map(str::to_owned),
            quiet: quiet.map(|(from, until)| Quiet {
                from: from.to_owned(),
                until: until.to_owned(),
            }),
            ..NotificationPreferences::default()
        }
    }

    fn oslo() -> TimeZone {
        zone("Europe/Oslo").unwrap()
    }

    fn due(it: &NotificationPreferences, topic: &str, at: &str) -> String {
        it.due(topic, at.parse().unwrap(), &oslo()).to_string()
    }

    #[test]
    fn the_list_is_sorted_and_holds_nothing_that_is_asked_of_anybody() {
        assert!(MAY_WAIT.is_sorted());
        for topic in [
            "asked_to_approve",
            "reminder",
            "escalated",
            "unacknowledged",
            "break_glass",
            "unauthorized",
            "unauthorized_deployment",
            "confirm_retrospective",
            "access_review",
            "configuration_changed",
            "latest_rollback",
            "a topic that nobody has thought of yet",
        ] {
            let all_day = telling(Some("08:00"), Some(("00:00", "23:59")));
            let at = "2026-11-20T01:00:00Z";
            assert_eq!(due(&all_day, topic, at), at, "{topic}");
        }
    }

    #[test]
    fn quiet_hours_end_in_the_morning_of_their_reader() {
        let it = telling(None, Some(("22:00", "07:00")));
        // Oslo is an hour ahead of UTC in November.
        for (written, sent) in [
            ("2026-11-20T20:59:59Z", "2026-11-20T20:59:59Z"),
            ("2026-11-20T21:00:00Z", "2026-11-21T06:00:00Z"),
            ("2026-11-21T05:59:59Z", "2026-11-21T06:00:00Z"),
            ("2026-11-21T06:00:00Z", "2026-11-21T06:00:00Z"),
        ] {
            assert_eq!(due(&it, "comment", written), sent, "{written}");
        }
    }

    #[test]
    fn quiet_hours_of_both_nights_in_which_the_clock_is_moved_end_at_the_hour_that_people_read() {
        let it = telling(None, Some(("22:00", "07:00")));
        assert_eq!(due(&it, "comment", "2026-03-28T22:00:00Z"), "2026-03-29T05:00:00Z");
        assert_eq!(due(&it, "comment", "2026-10-24T22:00:00Z"), "2026-10-25T06:00:00Z");
    }

    #[test]
    fn a_digest_comes_once_a_day_even_when_its_hour_is_skipped_or_repeated() {
        let it = telling(Some("02:30"), None);
        // 2026-03-29 has no 02:30; the letter comes at 03:30 of summer time.
        assert_eq!(due(&it, "comment", "2026-03-28T12:00:00Z"), "2026-03-29T01:30:00Z");
        assert_eq!(due(&it, "comment", "2026-03-29T01:30:00Z"), "2026-03-30T00:30:00Z");
        // 2026-10-25 has it twice; the letter comes at the first.
        assert_eq!(due(&it, "comment", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(due(&it, "comment", "2026-10-25T00:45:00Z"), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn a_digest_inside_of_quiet_hours_waits_for_their_end() {
        let it = telling(Some("06:00"), Some(("22:00", "07:00")));
        assert_eq!(due(&it, "comment", "2026-11-20T12:00:00Z"), "2026-11-21T06:00:00Z");
    }

    proptest! {
        #[test]
        fn no_letter_is_early_nor_inside_of_quiet_hours_nor_days_late(
            seconds in 1_700_000_000_i64..1_900_000_000,
            digest in proptest::option::of(0_i64..1_440),
            quiet in proptest::option::of((0_i64..1_440, 0_i64..1_440)),
            name in proptest::sample::select(vec!["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        ) {
            let text = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
            let it = NotificationPreferences {
                digest_at: digest.map(text),
                quiet: quiet.filter(|(from, until)| from != until).map(|(from, until)| Quiet {
                    from: text(from),
                    until: text(until),
                }),
                ..NotificationPreferences::default()
            };
            let (at, zone) = (Timestamp::from_second(seconds).unwrap(), zone(name).unwrap());
            let due = it.due("comment", at, &zone);
            prop_assert!(due >= at);
            prop_assert!(due.as_second() - at.as_second() <= 76 * 3_600);
            let quiet = it.quiet.as_ref().and_then(|quiet| quiet.end_after(due, &zone));
            prop_assert_eq!(quiet, None, "{:?} is quiet", due);
        }
    }
}

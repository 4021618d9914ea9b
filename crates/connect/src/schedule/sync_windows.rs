//! Freezes as sync windows of Argo CD, in the form of `spec.syncWindows` of an `AppProject`: a window of the kind `deny` begins by a
//! cron schedule and lasts for a duration. Cron has no year, so only times that begin within 300 days are listed, and the list
//! is read again before that.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// How far ahead windows are listed.
pub const REACH: SignedDuration = SignedDuration::from_hours(24 * 300);

/// A time in which applications are not synchronised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// The names of the applications, with `*` as a pattern.
    pub applications: Vec<String>,
}

/// The window of a time; `None` for one that is over, or begins beyond the reach.
#[must_use]
pub fn window(denied: &Denied, now: Timestamp) -> Option<Value> {
    if denied.ends_at <= now || denied.starts_at.duration_since(now) > REACH || denied.applications.is_empty() {
        return None;
    }
    // A window that began longer ago than a year would start again by its schedule.
    let begins = denied.starts_at.max(now.checked_sub(REACH).unwrap_or(denied.starts_at));
    let seconds = denied.ends_at.as_second() - whole_minute(begins);
    let minutes = seconds.div_euclid(60) + i64::from(seconds.rem_euclid(60) > 0);
    Some(json!({
        "kind": "deny",
        "schedule": cron(begins),
        "duration": format!("{}m", minutes.max(1)),
        "applications": denied.applications,
        "manualSync": false,
        "timeZone": "UTC",
    }))
}

fn whole_minute(at: Timestamp) -> i64 {
    at.as_second() - at.as_second().rem_euclid(60)
}

/// Minute, hour, day and month of an instant in UTC, whatever its day of the week.
fn cron(at: Timestamp) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    format!("{} {} {} {} *", at.minute(), at.hour(), at.day(), at.month())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn denied(from: &str, to: &str) -> Denied {
        Denied {
            starts_at: from.parse().unwrap(),
            ends_at: to.parse().unwrap(),
            applications: vec!["label-print".to_owned()],
        }
    }

    #[test]
    fn a_freeze_is_a_window_that_begins_by_cron_and_covers_all_of_it() {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let window = |from: &str, to: &str| window(&denied(from, to), now);
        let one = window("2026-12-24T18:30:20Z", "2026-12-27T06:00:01Z").unwrap();
        assert_eq!(one["schedule"], "30 18 24 12 *");
        assert_eq!(one["duration"], "3571m", "from 18:30:00 to 06:01:00");
        assert_eq!((&one["kind"], &one["timeZone"]), (&json!("deny"), &json!("UTC")));
        assert!(
            window("2026-11-20T00:00:00Z", "2026-11-28T12:00:00Z").is_none(),
            "it is over"
        );
        assert!(
            window("2027-11-20T00:00:00Z", "2027-11-21T00:00:00Z").is_none(),
            "it would hold this week"
        );
        let long = window("2020-01-01T00:00:00Z", "2027-01-01T00:00:00Z").unwrap();
        assert_eq!(long["schedule"], "0 12 1 2 *", "300 days ago");
    }
}

//! Times at which a change may be done: inside of the maintenance windows of its places where there are any, in no freeze.
//! Other changes at those times are the caller's check.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::core::ids::{ChangeId, EnvironmentKey, ServiceKey};
use crate::core::parse::later;
use crate::directory::records::MaintenanceWindow;
use crate::directory::snapshot::Directory;
use crate::schedule::repeat::Occurrence;

/// The days ahead in which times are searched.
pub const AHEAD_DAYS: i32 = 21;
/// The grid to which a start is rounded up, in seconds.
const GRID: i64 = 15 * 60;
/// The number of starts that are tried in a window, and after the hour of a day, an hour apart.
const TRIES: i32 = 12;

/// The work: its places and duration.
#[derive(Debug, Clone)]
pub struct Work<'a> {
    /// Service and environment of each target.
    pub places: &'a [(ServiceKey, EnvironmentKey)],
    /// The change, which may have an exception from a freeze; `None` for one that is not saved yet.
    pub change: Option<&'a ChangeId>,
    /// The earliest start that is allowed.
    pub earliest: Timestamp,
    /// Its duration.
    pub length: SignedDuration,
}

/// Starts that fit, in their order. Where no window covers all places, they are those of each day at `hour` and after.
#[must_use]
pub fn starts(directory: &Directory, work: &Work<'_>, zone: &TimeZone, hour: Time) -> Vec<Timestamp> {
    let until = later(work.earliest, SignedDuration::from_hours(24 * i64::from(AHEAD_DAYS)));
    let fits = |window: &&MaintenanceWindow| !window.ended && covers_all(window, work);
    let spans = directory.windows.iter().filter(fits).flat_map(MaintenanceWindow::spans);
    let windows: Vec<Occurrence> = spans.filter(|span| span.overlaps(work.earliest, until)).collect();
    let mut starts = match windows.is_empty() {
        true => on_days(work, zone, hour),
        false => windows.into_iter().flat_map(|window| in_window(window, work)).collect(),
    };
    starts.retain(|start| *start < until && !is_frozen(directory, work, *start));
    starts.sort_unstable();
    starts.dedup();
    starts
}

pub(crate) fn covers_all(window: &MaintenanceWindow, work: &Work<'_>) -> bool {
    work.places.iter().all(|(service, environment)| {
        (window.services.is_empty() || window.services.contains(service))
            && (window.environments.is_empty() || window.environments.contains(environment))
    })
}

fn in_window(window: Occurrence, work: &Work<'_>) -> Vec<Timestamp> {
    let first = rounded(window.starts_at.max(work.earliest));
    let tries = (0..TRIES).map(|hours| later(first, SignedDuration::from_hours(i64::from(hours))));
    tries
        .take_while(|start| later(*start, work.length) <= window.ends_at)
        .collect()
}

fn on_days(work: &Work<'_>, zone: &TimeZone, hour: Time) -> Vec<Timestamp> {
    let today = work.earliest.to_zoned(zone.clone()).date();
    let mut starts = Vec::new();
    for day in 0..=AHEAD_DAYS {
        let Ok(date) = today.checked_add(day.days()) else { break };
        let Ok(first) = date.to_datetime(hour).to_zoned(zone.clone()) else {
            continue;
        };
        let tries = (0..TRIES / 4).map(|hours| later(first.timestamp(), SignedDuration::from_hours(i64::from(hours))));
        starts.extend(tries.filter(|start| *start >= work.earliest));
    }
    starts
}

pub(crate) fn is_frozen(directory: &Directory, work: &Work<'_>, start: Timestamp) -> bool {
    directory.freezes.iter().any(|freeze| {
        freeze.stops_stored(work.change, (start, later(start, work.length)))
            && work
                .places
                .iter()
                .any(|(service, environment)| directory.is_frozen_by(freeze, service, environment))
    })
}

/// The next quarter of an hour.
pub(crate) fn rounded(at: Timestamp) -> Timestamp {
    let over = at.as_second().rem_euclid(GRID);
    let is_whole = over == 0 && at.subsec_nanosecond() == 0;
    if is_whole {
        return at;
    }
    Timestamp::from_second(at.as_second() - over + GRID).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;
    use crate::schedule::freeze;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn directory(windows: &[(&str, &str, &str)], freezes: &[(&str, &str, &str)]) -> Directory {
        let row = |(place, (from, to, service)): (usize, &(&str, &str, &str))| {
            json!({
                "id": format!("r{place}"), "version": 1, "title": "T", "starts_at": from, "ends_at": to,
                "services": [service],
            })
        };
        let read = |rows: &[(&str, &str, &str)]| rows.iter().enumerate().map(row).collect::<Vec<_>>();
        let windows: Vec<MaintenanceWindow> = serde_json::from_value(read(windows).into()).unwrap();
        let freezes: Vec<freeze::Freeze> = serde_json::from_value(read(freezes).into()).unwrap();
        Directory {
            windows: windows.into(),
            freezes: freezes.into(),
            ..Directory::default()
        }
    }

    fn found(directory: &Directory, earliest: &str, minutes: i64) -> Vec<String> {
        let work = Work {
            places: &[("api".into(), "production".into())],
            change: None,
            earliest: at(earliest),
            length: SignedDuration::from_mins(minutes),
        };
        let starts = starts(
            directory,
            &work,
            &TimeZone::get("Europe/Oslo").unwrap(),
            Time::constant(21, 0, 0, 0),
        );
        starts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn windows_come_first_and_work_ends_within_them() {
        let windows = [
            ("2026-11-22T20:00:00Z", "2026-11-22T22:00:00Z", "api"),
            ("2026-11-21T20:00:00Z", "2026-11-21T21:00:00Z", "api"),
            ("2026-11-21T10:00:00Z", "2026-11-21T23:00:00Z", "other"),
        ];
        let directory = directory(&windows, &[]);
        assert_eq!(
            found(&directory, "2026-11-21T12:00:00Z", 60),
            ["2026-11-21T20:00:00Z", "2026-11-22T20:00:00Z", "2026-11-22T21:00:00Z"]
        );
        assert_eq!(found(&directory, "2026-11-21T20:07:00Z", 45)[0], "2026-11-21T20:15:00Z");
        assert!(
            found(&directory, "2026-11-21T12:00:00Z", 121).is_empty(),
            "no window is long enough"
        );
    }

    #[test]
    fn without_a_window_each_day_has_its_hour_in_the_readers_zone() {
        let starts = found(&directory(&[], &[]), "2026-10-24T12:00:00Z", 30);
        assert_eq!(starts[0], "2026-10-24T19:00:00Z");
        assert!(
            starts.contains(&"2026-10-25T20:00:00Z".to_owned()),
            "winter time: {starts:?}"
        );
        assert!(starts.iter().all(|start| start.as_str() >= "2026-10-24T12"));
    }

    #[test]
    fn what_a_freeze_touches_is_left_out() {
        let freezes = [("2026-11-21T20:30:00Z", "2026-11-23T00:00:00Z", "api")];
        let starts = found(&directory(&[], &freezes), "2026-11-21T12:00:00Z", 30);
        assert_eq!(starts[0], "2026-11-21T20:00:00Z", "it ends as the freeze begins");
        assert_eq!(starts[1], "2026-11-23T20:00:00Z", "{starts:?}");
        let elsewhere = [("2026-11-21T12:00:00Z", "2026-12-23T00:00:00Z", "other")];
        assert!(!found(&directory(&[], &elsewhere), "2026-11-21T12:00:00Z", 30).is_empty());
    }
}

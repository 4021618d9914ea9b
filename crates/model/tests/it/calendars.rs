//! Business time against a slow oracle that looks at every minute, and at the two nights on which clocks are moved.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::core::enums::Day;
use model::schedule::calendar::{Calendar, Clock, Holiday, Hours, Span, minute_of_day, zone};
use proptest::prelude::*;

pub fn weekdays(zone: &str, from: &str, to: &str) -> Calendar {
    let days = [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday];
    calendar(zone, days.iter().map(|day| (*day, from, to)).collect())
}

fn calendar(zone: &str, hours: Vec<(Day, &str, &str)>) -> Calendar {
    Calendar {
        id: "cal".into(),
        version: 1,
        key: "default".into(),
        name: "Usual".into(),
        zone: zone.into(),
        hours: hours
            .into_iter()
            .map(|(day, from, to)| Hours {
                day,
                from: from.into(),
                to: to.into(),
            })
            .collect(),
        holidays: Vec::new(),
        fiscal: None,
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The latest minute of the day that the local clock has shown by now: where it was set back, that is more than it shows.
fn shown(zone: &TimeZone, time: Timestamp) -> i64 {
    let minute = |time: Timestamp| {
        let local = time.to_zoned(zone.clone());
        (local.date(), i64::from(local.hour()) * 60 + i64::from(local.minute()))
    };
    let (today, now) = minute(time);
    let change = zone.preceding(time + SignedDuration::from_nanos(1)).next();
    let before = change.map(|change| minute(change.timestamp() - SignedDuration::from_mins(1)));
    before
        .filter(|(date, _)| *date == today)
        .map_or(now, |(_, before)| before.max(now))
}

/// Whether a minute is worked, from the local clock alone: hours begin and end when it shows their time first.
fn is_worked(calendar: &Calendar, time: Timestamp) -> bool {
    let zone = zone(&calendar.zone).unwrap();
    let minute = shown(&zone, time);
    let local = time.to_zoned(zone);
    let day = Day::ALL[usize::try_from(local.weekday().to_monday_zero_offset()).unwrap()];
    let is_holiday = calendar
        .holidays
        .iter()
        .any(|known| known.date == local.date().to_string());
    !is_holiday
        && calendar.hours.iter().any(|hours| {
            hours.day == day
                && minute_of_day(&hours.from).unwrap() <= minute
                && minute < minute_of_day(&hours.to).unwrap()
        })
}

fn slowly(calendar: &Calendar, start: Timestamp, minutes: i64) -> Timestamp {
    let (mut time, mut left) = (start, minutes);
    while left > 0 {
        left -= i64::from(is_worked(calendar, time));
        time += SignedDuration::from_mins(1);
    }
    time
}

#[test]
fn a_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn() {
    let nights = calendar("Europe/Oslo", vec![(Day::Sunday, "00:00", "06:00")]);
    let clock = Clock::new(Some(&nights), None);
    let day = |text: &str| {
        clock
            .worked(at(text), at(text) + SignedDuration::from_hours(48))
            .as_hours()
    };
    assert_eq!(day("2027-03-27T12:00:00Z"), 5, "02:00 to 03:00 is skipped");
    assert_eq!(day("2026-10-24T12:00:00Z"), 7, "02:00 to 03:00 comes twice");
    assert_eq!(day("2026-11-07T12:00:00Z"), 6);
    let after = clock.after(at("2027-03-27T12:00:00Z"), Span::WorkMinutes(300));
    assert_eq!(after, at("2027-03-28T04:00:00Z"), "06:00 summer time");
}

#[test]
fn hours_that_begin_in_the_skipped_hour_begin_at_its_end() {
    let early = calendar("Europe/Oslo", vec![(Day::Sunday, "02:30", "05:00")]);
    let clock = Clock::new(Some(&early), None);
    let opening = clock.after(at("2027-03-27T12:00:00Z"), Span::WorkMinutes(1));
    assert_eq!(opening, at("2027-03-28T01:01:00Z"), "03:00 summer time and a minute");
}

#[test]
fn hours_that_begin_or_end_just_when_an_hour_is_skipped_are_those_of_that_day() {
    let early = calendar("Europe/Oslo", vec![(Day::Sunday, "02:00", "05:00")]);
    let clock = Clock::new(Some(&early), None);
    assert!(
        !clock.is_working(at("2027-03-28T00:30:00Z")),
        "half past one in the night"
    );
    let after = clock.after(at("2027-03-27T23:30:00Z"), Span::WorkMinutes(1));
    assert_eq!(after, at("2027-03-28T01:01:00Z"), "03:00 summer time and a minute");
    // In Santiago the hour after midnight is the one that is skipped, so that a day's end falls into it.
    let always: Vec<(Day, &str, &str)> = Day::ALL.iter().map(|day| (*day, "00:00", "24:00")).collect();
    let all_week = calendar("America/Santiago", always);
    let clock = Clock::new(Some(&all_week), None);
    let (friday, monday) = (at("2027-09-03T12:00:00Z"), at("2027-09-06T12:00:00Z"));
    assert_eq!(clock.worked(friday, monday).as_hours(), 72);
    assert!(clock.is_working(at("2027-09-04T18:00:00Z")), "Saturday afternoon");
    assert_eq!(clock.after(friday, Span::WorkMinutes(72 * 60)), monday);
    assert_eq!(
        clock.after(friday, Span::WorkDays(3)),
        monday - SignedDuration::from_hours(1)
    );
}

#[test]
fn hours_that_begin_or_end_in_the_repeated_hour_do_so_the_first_time() {
    let night = (at("2026-10-24T12:00:00Z"), at("2026-10-25T12:00:00Z"));
    let worked = |from: &str, to: &str| {
        let early = calendar("Europe/Oslo", vec![(Day::Sunday, from, to)]);
        Clock::new(Some(&early), None).worked(night.0, night.1).as_mins()
    };
    assert_eq!(
        worked("02:30", "03:30"),
        120,
        "half past two comes twice, and the shift began at the first"
    );
    assert_eq!(worked("01:30", "02:30"), 60);
}

#[test]
fn weekends_holidays_and_working_days() {
    let mut usual = weekdays("Europe/Oslo", "08:00", "16:00");
    usual.holidays = vec![Holiday {
        date: "2026-12-25".into(),
        title: "Christmas".into(),
    }];
    let clock = Clock::new(Some(&usual), None);
    // Thursday 15:00 in Oslo; Friday is a holiday.
    let thursday = at("2026-12-24T14:00:00Z");
    assert_eq!(
        clock.after(thursday, Span::WorkMinutes(120)),
        at("2026-12-28T08:00:00Z")
    );
    assert_eq!(clock.after(thursday, Span::WorkDays(1)), at("2026-12-28T14:00:00Z"));
    // A request on a Saturday counts from Monday at eight.
    assert_eq!(
        clock.after(at("2026-12-26T10:00:00Z"), Span::WorkDays(2)),
        at("2026-12-30T07:00:00Z")
    );
    assert_eq!(clock.after(thursday, Span::Minutes(120)), at("2026-12-24T16:00:00Z"));
    assert!(!clock.is_working(at("2026-12-25T10:00:00Z")));
    assert!(clock.is_working(thursday));
}

#[test]
fn working_days_keep_the_time_of_day_over_both_changes_of_clocks() {
    let usual = weekdays("Europe/Oslo", "08:00", "16:00");
    let clock = Clock::new(Some(&usual), None);
    // Friday 14:00 local time, both times; the next working day is Monday at 14:00 local time.
    assert_eq!(
        clock.after(at("2026-10-23T12:00:00Z"), Span::WorkDays(1)),
        at("2026-10-26T13:00:00Z")
    );
    assert_eq!(
        clock.after(at("2027-03-26T13:00:00Z"), Span::WorkDays(1)),
        at("2027-03-29T12:00:00Z")
    );
}

#[test]
fn hours_that_are_said_twice_are_worked_once() {
    let twice = calendar(
        "Asia/Kathmandu",
        vec![
            (Day::Monday, "10:00", "14:00"),
            (Day::Monday, "08:00", "12:00"),
            (Day::Monday, "08:00", "12:00"),
        ],
    );
    let clock = Clock::new(Some(&twice), None);
    let (sunday, tuesday) = (at("2026-11-22T00:00:00Z"), at("2026-11-24T00:00:00Z"));
    assert_eq!(clock.worked(sunday, tuesday).as_hours(), 6);
    let after = clock.after(sunday, Span::WorkMinutes(5 * 60));
    assert_eq!(
        after,
        at("2026-11-23T07:15:00Z"),
        "13:00, five hours and three quarters ahead"
    );
}

#[test]
fn a_calendar_without_working_hours_is_no_calendar() {
    assert!(
        calendar("UTC", Vec::new())
            .trouble()
            .unwrap()
            .contains("without working hours")
    );
    let turned = calendar("UTC", vec![(Day::Monday, "17:00", "08:00")]);
    assert!(turned.trouble().unwrap().contains("no span of a day"));
    assert!(
        weekdays("Europe/Atlantis", "08:00", "16:00")
            .trouble()
            .unwrap()
            .contains("not an IANA time zone")
    );
    assert_eq!(weekdays("UTC", "00:00", "24:00").trouble(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn working_time_is_what_a_watch_says(
        place in prop::sample::select(vec!["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu",
            "America/Santiago", "Asia/Beirut", "UTC"]),
        day in 0_i64..400,
        minute in 0_i64..1_440,
        minutes in 1_i64..1_500,
        from in 0_i64..20,
        length in 1_i64..5,
        holiday in 0_i64..10,
        past in prop::sample::select(vec![0, 30]),
    ) {
        let start = at("2026-09-01T00:00:00Z") + SignedDuration::from_mins(day * 1_440 + minute);
        let (from, to) = (format!("{from:02}:{past:02}"), format!("{:02}:{past:02}", (from + length).min(23)));
        let mut usual = calendar(place, Day::ALL.iter().filter(|day| **day != Day::Wednesday)
            .map(|day| (*day, from.as_str(), to.as_str())).collect());
        let off = start + SignedDuration::from_hours(24 * holiday);
        usual.holidays = vec![Holiday { date: off.to_zoned(zone(place).unwrap()).date().to_string(), title: "Off".into() }];
        let clock = Clock::new(Some(&usual), None);
        let found = clock.after(start, Span::WorkMinutes(minutes));
        prop_assert_eq!(found, slowly(&usual, start, minutes));
        prop_assert_eq!(clock.worked(start, found).as_mins(), minutes);
    }
}

//! Rules that repeat: the times that follow from them, compared with python-dateutil and with dates written out manually.

use jiff::{SignedDuration, Timestamp};
use model::core::enums::{Day, FiscalMonths};
use model::core::shared_map::Shelf;
use model::schedule::calendar::{Calendar, Holiday};
use model::schedule::fiscal::{Fiscal, MonthDay};
use model::schedule::repeat::{Occurrence, Override, Repeat, covers_less};
use serde_json::Value;

use crate::calendars::weekdays;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn calendars(list: Vec<Calendar>) -> Shelf<String, Calendar> {
    let mut found = Shelf::default();
    for calendar in list {
        found.insert(calendar.key.clone(), calendar);
    }
    found
}

/// Norway with the holidays around two month ends.
fn norway() -> Calendar {
    let holiday = |date: &str| Holiday {
        date: date.into(),
        title: "Holiday".into(),
    };
    Calendar {
        key: "norway".into(),
        holidays: [
            "2026-12-24",
            "2026-12-25",
            "2026-12-26",
            "2026-12-31",
            "2027-01-01",
            "2027-03-25",
            "2027-03-26",
            "2027-03-29",
        ]
        .map(holiday)
        .to_vec(),
        ..weekdays("Europe/Oslo", "08:00", "16:00")
    }
}

fn rule(rrule: &str, zone: &str) -> Repeat {
    Repeat {
        rrule: Some(rrule.into()),
        time_zone: Some(zone.into()),
        ..Repeat::default()
    }
}

/// The times of a rule, as they are worked out at its first time.
fn times(repeat: &Repeat, once: (&str, &str), known: Vec<Calendar>) -> Result<Vec<Occurrence>, String> {
    let once = Occurrence {
        starts_at: at(once.0),
        ends_at: at(once.1),
    };
    let mut repeat = repeat.clone();
    let done = repeat.expand(once, &calendars(known), once.starts_at);
    done.map(|()| repeat.occurrences)
        .map_err(|it| format!("{} {}: {}", it.field, it.code, it.text))
}

fn starts(found: &[Occurrence]) -> Vec<String> {
    found.iter().map(|it| it.starts_at.to_string()).collect()
}

fn spans(found: &[Occurrence]) -> Vec<String> {
    found
        .iter()
        .map(|it| format!("{} {}", it.starts_at, it.ends_at))
        .collect()
}

/// The offset of this zone during Ramadan is announced each year, so that releases of the zone database differ about it.
const ANNOUNCED: &str = "Africa/Casablanca";

/// Of 1,000 random rules in 20 zones, with python-dateutil 2.9.0 as the judge: `dateutil_rules.py` wrote the file.
#[test]
fn random_rules_have_the_times_of_python_dateutil() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("dateutil_rules.json")).unwrap();
    assert_eq!(rows.len(), 1_000);
    let judged: Vec<Value> = rows.into_iter().filter(|row| row["zone"] != ANNOUNCED).collect();
    assert!(judged.len() > 900, "{}", judged.len());
    for row in judged {
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        let first = at(&text("first"));
        let end = (first + SignedDuration::from_mins(5)).to_string();
        let found = times(&rule(&text("rule"), &text("zone")), (&text("first"), &end), Vec::new());
        let wanted: Vec<String> = serde_json::from_value(row["starts"].clone()).unwrap();
        // The judge stopped after 399 days of the wall clock; the file holds the first of its times and how many there were.
        let last = at(&text("last"));
        let found: Vec<Occurrence> = found.unwrap_or_else(|error| panic!("{row}: {error}"));
        let found: Vec<Occurrence> = found.into_iter().filter(|it| it.starts_at <= last).collect();
        assert_eq!(
            i64::try_from(found.len()).unwrap(),
            row["count"].as_i64().unwrap(),
            "{row}"
        );
        assert_eq!(starts(&found)[..wanted.len()], wanted, "{row}");
        assert_eq!(found.last().unwrap().starts_at, last, "{row}");
    }
}

#[test]
fn month_end_runs_from_the_third_last_working_day_to_the_first_of_the_next_month() {
    let closing = Repeat {
        ends_rrule: Some("FREQ=MONTHLY;BYSETPOS=1".into()),
        working_days_of: Some("norway".into()),
        ..rule("FREQ=MONTHLY;BYSETPOS=-3", "Europe/Oslo")
    };
    let found = times(
        &closing,
        ("2026-12-28T17:00:00Z", "2026-12-28T18:00:00Z"),
        vec![norway()],
    )
    .unwrap();
    // 31 December and New Year are no working days here, nor are those of Easter; summer time begins on 28 March.
    assert_eq!(
        spans(&found)[..4],
        [
            "2026-12-28T17:00:00Z 2027-01-04T18:00:00Z",
            "2027-01-27T17:00:00Z 2027-02-01T18:00:00Z",
            "2027-02-24T17:00:00Z 2027-03-01T18:00:00Z",
            "2027-03-24T17:00:00Z 2027-04-01T17:00:00Z",
        ]
    );
}

#[test]
fn the_last_three_working_days_are_three_times_and_end_by_the_clock_on_the_wall() {
    let last = Repeat {
        working_days_of: Some("norway".into()),
        ..rule("FREQ=MONTHLY;BYSETPOS=-3,-2,-1", "Europe/Oslo")
    };
    let found = times(&last, ("2026-12-01T21:00:00Z", "2026-12-02T05:00:00Z"), vec![norway()]).unwrap();
    assert_eq!(
        spans(&found)[..3],
        [
            "2026-12-28T21:00:00Z 2026-12-29T05:00:00Z",
            "2026-12-29T21:00:00Z 2026-12-30T05:00:00Z",
            "2026-12-30T21:00:00Z 2026-12-31T05:00:00Z",
        ]
    );
    let march: Vec<String> = spans(&found)
        .into_iter()
        .filter(|it| it.starts_with("2027-03"))
        .collect();
    assert_eq!(march[2], "2027-03-31T20:00:00Z 2027-04-01T04:00:00Z", "in summer time");
}

#[test]
fn a_skipped_local_time_is_read_by_the_offset_before_it_and_a_repeated_one_is_the_first() {
    let daily = rule("FREQ=DAILY", "Europe/Oslo");
    // Summer time begins on 28 March 2027 at 02:00: there is no 02:30.
    let spring = times(&daily, ("2027-03-27T01:30:00Z", "2027-03-27T03:00:00Z"), Vec::new()).unwrap();
    assert_eq!(
        spans(&spring)[..3],
        [
            "2027-03-27T01:30:00Z 2027-03-27T03:00:00Z",
            "2027-03-28T01:30:00Z 2027-03-28T02:00:00Z",
            "2027-03-29T00:30:00Z 2027-03-29T02:00:00Z",
        ]
    );
    // From 02:30 to 03:00 nothing is left of that night.
    let short = times(&daily, ("2027-03-27T01:30:00Z", "2027-03-27T02:00:00Z"), Vec::new()).unwrap();
    assert_eq!(starts(&short)[..2], ["2027-03-27T01:30:00Z", "2027-03-29T00:30:00Z"]);
}

#[test]
fn a_time_across_the_change_of_the_clocks_keeps_its_hours_on_the_wall() {
    let daily = rule("FREQ=DAILY", "Europe/Oslo");
    let autumn = times(&daily, ("2027-10-29T20:00:00Z", "2027-10-30T04:00:00Z"), Vec::new()).unwrap();
    // From 22:00 to 06:00: nine hours in the night in which winter time begins.
    assert_eq!(spans(&autumn)[1], "2027-10-30T20:00:00Z 2027-10-31T05:00:00Z");
    let twice = times(&daily, ("2027-10-30T00:30:00Z", "2027-10-30T03:00:00Z"), Vec::new()).unwrap();
    assert_eq!(
        spans(&twice)[1],
        "2027-10-31T00:30:00Z 2027-10-31T04:00:00Z",
        "02:30 comes twice; the first counts"
    );
}

#[test]
fn dates_are_left_out_and_single_times_moved() {
    let weekly = Repeat {
        exdates: ["2026-12-11".parse().unwrap()].into(),
        overrides: vec![Override {
            date: "2026-12-18".parse().unwrap(),
            starts_at: at("2026-12-17T10:00:00Z"),
            ends_at: at("2026-12-17T12:00:00Z"),
        }],
        ..rule("FREQ=WEEKLY;BYDAY=FR", "UTC")
    };
    let found = times(&weekly, ("2026-12-04T18:00:00Z", "2026-12-04T22:00:00Z"), Vec::new()).unwrap();
    assert_eq!(
        spans(&found)[..3],
        [
            "2026-12-04T18:00:00Z 2026-12-04T22:00:00Z",
            "2026-12-17T10:00:00Z 2026-12-17T12:00:00Z",
            "2026-12-25T18:00:00Z 2026-12-25T22:00:00Z",
        ]
    );
    let wrong = Repeat {
        overrides: vec![Override {
            date: "2026-12-16".parse().unwrap(),
            ..weekly.overrides[0].clone()
        }],
        ..weekly
    };
    let refused = times(&wrong, ("2026-12-04T18:00:00Z", "2026-12-04T22:00:00Z"), Vec::new()).unwrap_err();
    assert!(refused.contains("no_such_time"), "{refused}");
}

fn fiscal(months: FiscalMonths) -> Fiscal {
    Fiscal {
        first_month: 2,
        first_day: 1,
        months,
        week_starts: Day::Sunday,
    }
}

/// The retail calendar 4-5-4 of the National Retail Federation: its years begin on 1 February 2026, 31 January 2027 and
/// 30 January 2028; that of 2023 had 53 weeks and ended on 3 February 2024.
#[test]
fn the_months_of_a_retail_year_are_those_that_were_published() {
    let retail = fiscal(FiscalMonths::W454);
    let of = |date: &str| {
        let found = MonthDay::fiscal(date.parse().unwrap(), &retail).unwrap();
        (found.year, found.month, found.day, found.length)
    };
    for (date, wanted) in [
        ("2026-02-01", (2026, 1, 1, 28)),
        ("2026-02-28", (2026, 1, 28, 28)),
        ("2026-03-01", (2026, 2, 1, 35)),
        ("2026-04-04", (2026, 2, 35, 35)),
        ("2026-04-05", (2026, 3, 1, 28)),
        ("2026-05-03", (2026, 4, 1, 28)),
        ("2026-11-01", (2026, 10, 1, 28)),
        ("2027-01-02", (2026, 11, 35, 35)),
        ("2027-01-30", (2026, 12, 28, 28)),
        ("2027-01-31", (2027, 1, 1, 28)),
        ("2024-02-03", (2023, 12, 35, 35)),
        ("2024-02-04", (2024, 1, 1, 28)),
    ] {
        assert_eq!(of(date), wanted, "{date}");
    }
}

#[test]
fn civil_fiscal_years_begin_in_their_month() {
    let july = Fiscal {
        first_month: 7,
        first_day: 6,
        months: FiscalMonths::Civil,
        week_starts: Day::Monday,
    };
    let of = |date: &str| {
        let found = MonthDay::fiscal(date.parse().unwrap(), &july).unwrap();
        (found.year, found.month, found.day, found.length)
    };
    assert_eq!(of("2026-07-06"), (2026, 1, 1, 31));
    assert_eq!(of("2026-07-05"), (2025, 12, 30, 30));
    assert_eq!(of("2027-02-06"), (2026, 8, 1, 28));
    assert_eq!(of("2027-03-05"), (2026, 8, 28, 28));
}

#[test]
fn quarters_of_a_fiscal_year_end_with_its_months() {
    let shop = Calendar {
        key: "shop".into(),
        fiscal: Some(fiscal(FiscalMonths::W454)),
        ..weekdays("America/New_York", "09:00", "17:00")
    };
    let quarter = Repeat {
        fiscal_of: Some("shop".into()),
        ..rule("FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=-1", "America/New_York")
    };
    let found = times(&quarter, ("2026-02-02T17:00:00Z", "2026-02-02T23:00:00Z"), vec![shop]).unwrap();
    assert_eq!(
        starts(&found)[..4],
        [
            "2026-05-02T16:00:00Z",
            "2026-08-01T16:00:00Z",
            "2026-10-31T16:00:00Z",
            "2027-01-30T17:00:00Z"
        ]
    );
}

#[test]
fn rules_that_make_no_sense_are_refused_in_words() {
    let once = ("2026-12-04T18:00:00Z", "2026-12-04T22:00:00Z");
    let whole_day = ("2026-12-04T00:00:00Z", "2026-12-05T00:00:00Z");
    for (text, once, code) in [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", once, "never_matches"),
        ("FREQ=DAILY;UNTIL=20261101", once, "never_matches"),
        ("FREQ=DAILY", whole_day, "always_matches"),
        ("FREQ=HOURLY", once, "not_a_rule"),
        ("FREQ=DAILY;BYHOUR=3", once, "not_a_rule"),
        ("BYDAY=FR", once, "not_a_rule"),
        ("FREQ=WEEKLY;BYDAY=FX", once, "not_a_rule"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20270101", once, "not_a_rule"),
        ("FREQ=WEEKLY;INTERVAL=0", once, "not_a_rule"),
        ("FREQ=WEEKLY;UNTIL=soon", once, "not_a_rule"),
        ("every friday", once, "not_a_rule"),
    ] {
        let refused = times(&rule(text, "UTC"), once, Vec::new());
        let told = refused.unwrap_err();
        assert!(told.contains(code), "{text}: {told}");
    }
    let zone = times(&rule("FREQ=DAILY", "Mars/Olympus"), once, Vec::new()).unwrap_err();
    assert!(zone.contains("time_zone unknown"), "{zone}");
    let unknown = Repeat {
        working_days_of: Some("moon".into()),
        ..rule("FREQ=DAILY", "UTC")
    };
    let told = times(&unknown, once, Vec::new()).unwrap_err();
    assert!(told.contains("There is no calendar `moon`."), "{told}");
}

#[test]
fn a_rule_that_ends_far_ahead_is_no_way_to_hold_all_the_time() {
    let checked = |rrule: &str, (from, to): (&str, &str), now: &str| {
        let once = Occurrence {
            starts_at: at(from),
            ends_at: at(to),
        };
        rule(rrule, "UTC")
            .check_pause(once, &Shelf::default(), at(now))
            .map_err(|it| it.code)
    };
    let (day, now) = (("2026-12-04T00:00:00Z", "2026-12-05T01:00:00Z"), "2026-12-01T00:00:00Z");
    let later = ("2029-12-04T00:00:00Z", "2029-12-05T01:00:00Z");
    for always in ["FREQ=DAILY;UNTIL=29991231", "FREQ=DAILY;COUNT=2000", "FREQ=DAILY"] {
        assert_eq!(checked(always, day, now), Err("always_matches"), "{always}");
        assert_eq!(checked(always, later, now), Err("always_matches"), "{always} later");
    }
    assert_eq!(checked("FREQ=DAILY;COUNT=300", day, now), Ok(()), "it ends");
    let evening = ("2026-12-04T18:00:00Z", "2026-12-04T22:00:00Z");
    assert_eq!(checked("FREQ=DAILY;UNTIL=29991231", evening, now), Ok(()), "it pauses");
}

#[test]
fn a_rare_rule_keeps_its_next_time_and_a_long_list_goes_on() {
    let rare = rule("FREQ=YEARLY;INTERVAL=3", "UTC");
    let once = Occurrence {
        starts_at: at("2026-12-04T18:00:00Z"),
        ends_at: at("2026-12-04T22:00:00Z"),
    };
    let mut repeat = rare.clone();
    repeat
        .expand(once, &Shelf::default(), at("2027-06-01T00:00:00Z"))
        .unwrap();
    assert_eq!(starts(&repeat.occurrences), ["2029-12-04T18:00:00Z"]);
    let now = at("2026-12-01T00:00:00Z");
    let mut daily = rule("FREQ=DAILY", "UTC");
    daily.expand(once, &Shelf::default(), now).unwrap();
    assert!(daily.occurrences.len() >= 400, "{}", daily.occurrences.len());
    assert!(!daily.runs_out(now));
    assert!(daily.runs_out(now + SignedDuration::from_hours(24 * 32)));
}

#[test]
fn a_list_of_times_covers_less_where_any_instant_is_left_out() {
    let one = |from: &str, to: &str| Occurrence {
        starts_at: at(&format!("2026-12-{from}:00:00Z")),
        ends_at: at(&format!("2026-12-{to}:00:00Z")),
    };
    let before = [one("01T10", "01T12"), one("02T10", "02T12")];
    let from = at("2026-12-01T11:00:00Z");
    assert!(!covers_less(&before, &before, from));
    assert!(
        !covers_less(&before, &[one("01T11", "01T12"), one("02T09", "02T13")], from),
        "what is past is not asked"
    );
    assert!(!covers_less(
        &before,
        &[one("01T11", "01T12"), one("02T10", "02T11"), one("02T11", "02T12")],
        from
    ));
    assert!(covers_less(&before, &before[..1], from));
    assert!(covers_less(
        &before,
        &[one("01T11", "01T12"), one("02T10", "02T11")],
        from
    ));
}

//! Holidays out of an iCalendar file (RFC 5545): whole days, single or yearly. Folding and quoting are the library's.

mod events;
mod yearly;

use std::collections::BTreeMap;

use icalendar::parser::{Component, Property, read_calendar, unfold};
use jiff::ToSpan;
use jiff::civil::Date;
use model::core::parse;
use model::schedule::calendar::Holiday;

pub use self::events::events;
use self::yearly::Yearly;
use crate::directory::table::Problem;

/// The most bytes of a calendar file.
const MOST_BYTES: usize = 1 << 20;
/// How many years a yearly day is listed past today, or past its first one where that is later.
const YEARS: i16 = 10;
/// The most days that one event lasts.
const MOST_DAYS: i64 = 60;

/// The days of all events. An event with a time of day is no holiday and is left out; their number is returned too. A yearly
/// day is listed from the year before today's, however long ago it began, because past days move no clock.
///
/// # Errors
/// [`Problem`] for a text that is no calendar, an event without a date, or a rule of repetition that is not yearly.
pub fn holidays(text: &str, today: Date) -> Result<(Vec<Holiday>, usize), Problem> {
    if text.len() > MOST_BYTES {
        return Err(Problem::new(1, format!("the file is longer than {MOST_BYTES} bytes")));
    }
    let text = text.trim_start_matches('\u{feff}');
    check_frame(text)?;
    let unfolded = unfold(text);
    let calendar = read_calendar(&unfolded)
        .map_err(|error| Problem::new(1, format!("it is no iCalendar file: {}", first_line(&error))))?;
    let is_event = |part: &&Component<'_>| part.name.as_str().eq_ignore_ascii_case("VEVENT");
    let events: Vec<&Component<'_>> = calendar.components.iter().filter(is_event).collect();
    // Lines are counted in the file as it was sent, where long ones are folded.
    let lines = begins(text).chain(std::iter::repeat(1));
    let placed: Vec<(&Component<'_>, usize)> = events.into_iter().zip(lines).collect();
    let moved = moved(&placed)?;
    let mut found = Vec::new();
    let mut left_out = 0;
    for (event, line) in placed {
        match days(event, line, (today, &moved))? {
            Some(days) => found.extend(days),
            None => left_out += 1,
        }
    }
    Ok((found, left_out))
}

/// Refuses a file that is not one calendar from its first line to its last, with the line of the error: the library's messages
/// about these are for programmers.
fn check_frame(text: &str) -> Result<(), Problem> {
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut is_over = false;
    for (place, line) in text.lines().enumerate() {
        let (number, line) = (place + 1, line.trim_end());
        let upper = line.to_ascii_uppercase();
        if line.is_empty() || line.starts_with([' ', '\t']) && !open.is_empty() {
            continue;
        }
        if is_over && upper == "BEGIN:VCALENDAR" {
            let text = "the file holds a second calendar; send each calendar in a file of its own";
            return Err(Problem::new(number, text));
        }
        if is_over {
            return Err(Problem::new(number, "the file goes on after END:VCALENDAR"));
        }
        if open.is_empty() && upper.trim_start() != "BEGIN:VCALENDAR" {
            return Err(Problem::new(number, "an iCalendar file begins with BEGIN:VCALENDAR"));
        }
        if let Some(part) = upper.trim_start().strip_prefix("BEGIN:") {
            open.push((number, part.to_owned()));
        } else if let Some(part) = upper.strip_prefix("END:") {
            match open.pop() {
                Some((_, begun)) if begun == part => is_over = open.is_empty(),
                Some((begun_at, begun)) => {
                    let text = format!("`{line}` ends nothing: BEGIN:{begun} of line {begun_at} is open here");
                    return Err(Problem::new(number, text));
                }
                None => return Err(Problem::new(number, format!("`{line}` ends nothing"))),
            }
        }
    }
    let Some((begun_at, begun)) = open.pop() else {
        return match is_over {
            true => Ok(()),
            false => Err(Problem::new(1, "an iCalendar file begins with BEGIN:VCALENDAR")),
        };
    };
    let text = format!("the file is cut short: END:{begun} is missing");
    Err(Problem::new(begun_at, text))
}

/// By the id of a repeating event: its days that another event replaces or cancels (RECURRENCE-ID).
type Moved<'a> = BTreeMap<&'a str, Vec<Date>>;

fn moved<'a>(events: &[(&'a Component<'_>, usize)]) -> Result<Moved<'a>, Problem> {
    let mut found = Moved::new();
    for (event, line) in events {
        let Some(instead_of) = named(event, "RECURRENCE-ID").next() else {
            continue;
        };
        if instead_of
            .params
            .iter()
            .any(|param| param.key.as_str().eq_ignore_ascii_case("RANGE"))
        {
            let text = "the event stands for all later ones too (RANGE); write it as an event of its own, and end the first by UNTIL";
            return Err(Problem::new(*line, text));
        }
        let text = instead_of.val.as_str();
        let day = date(text.split('T').next().unwrap_or_default(), *line)?;
        found
            .entry(property(event, "UID").unwrap_or_default())
            .or_default()
            .push(day);
    }
    Ok(found)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The lines on which events begin.
fn begins(text: &str) -> impl Iterator<Item = usize> {
    let lines = text.lines().enumerate();
    let begin = lines.filter(|(_, line)| line.trim_end().eq_ignore_ascii_case("BEGIN:VEVENT"));
    begin.map(|(place, _)| place + 1)
}

/// The properties of a name; case does not matter in names (RFC 5545 section 2).
fn named<'a>(event: &'a Component<'_>, name: &str) -> impl Iterator<Item = &'a Property<'a>> {
    let is_it = move |property: &&Property<'_>| property.name.as_str().eq_ignore_ascii_case(name);
    event.properties.iter().filter(is_it)
}

fn property<'a>(event: &'a Component<'_>, name: &str) -> Option<&'a str> {
    named(event, name).next().map(|property| property.val.as_str())
}

fn days(
    event: &Component<'_>,
    line: usize,
    (today, moved): (Date, &Moved<'_>),
) -> Result<Option<Vec<Holiday>>, Problem> {
    let Some(start) = property(event, "DTSTART") else {
        return Err(Problem::new(
            line,
            "the event has no DTSTART, such as DTSTART;VALUE=DATE:20261225",
        ));
    };
    let is_cancelled = property(event, "STATUS").is_some_and(|word| word.trim().eq_ignore_ascii_case("CANCELLED"));
    let is_whole = !start.contains('T') || is_from_midnight_to_midnight(event);
    if !is_whole || is_cancelled {
        return Ok(None);
    }
    let first = date(without_midnight(start), line)?;
    let length = length(event, first, line)?;
    let title = property(event, "SUMMARY").map_or_else(|| "Holiday".to_owned(), |text| text.replace("\\,", ","));
    let title: String = parse::one_line(&title).chars().take(parse::LINE).collect();
    let left_out = dates(event, "EXDATE", line)?;
    let mut starts = starts(event, (first, today), line)?;
    starts.extend(dates(event, "RDATE", line)?);
    // The replacement of one day of a repeating event has the same id, and stays.
    let others = property(event, "UID").filter(|_| property(event, "RECURRENCE-ID").is_none());
    let others = others.and_then(|id| moved.get(id)).map_or(&[][..], Vec::as_slice);
    starts.retain(|start| !left_out.contains(start) && !others.contains(start));
    let mut found = Vec::new();
    for start in starts {
        for day in 0..length {
            found.push(Holiday {
                date: start.saturating_add(day.days()).to_string(),
                title: title.clone(),
            });
        }
    }
    Ok(Some(found))
}

/// Whether an event with times covers whole days all the same, as Outlook writes them.
fn is_from_midnight_to_midnight(event: &Component<'_>) -> bool {
    let is_midnight = |name| property(event, name).is_some_and(|text| text.ends_with(MIDNIGHT));
    is_midnight("DTSTART") && is_midnight("DTEND")
}

/// Midnight of a calendar's own zone; one of UTC ends with `Z` and is another time elsewhere.
const MIDNIGHT: &str = "T000000";

fn without_midnight(text: &str) -> &str {
    text.strip_suffix(MIDNIGHT).unwrap_or(text)
}

/// How many days an event lasts: until DTEND, for DURATION, or one. Many programs write the first day as the end of one day.
fn length(event: &Component<'_>, first: Date, line: usize) -> Result<i64, Problem> {
    let days = match (property(event, "DTEND"), property(event, "DURATION")) {
        (Some(end), _) => {
            let end = date(without_midnight(end), line)?;
            if end == first {
                return Ok(1);
            }
            if end < first {
                let text =
                    format!("the event ends ({end}) before it begins ({first}); DTEND names the day after the last");
                return Err(Problem::new(line, text));
            }
            i64::from((end - first).get_days())
        }
        (None, Some(text)) => whole_days(text).ok_or_else(|| {
            Problem::new(
                line,
                format!("`{text}` is no number of whole days, such as DURATION:P2D"),
            )
        })?,
        (None, None) => 1,
    };
    if days > MOST_DAYS {
        let text = format!("the event lasts {days} days; at most {MOST_DAYS} are taken for holidays");
        return Err(Problem::new(line, text));
    }
    Ok(days)
}

/// `P3D` or `P2W` in days.
fn whole_days(text: &str) -> Option<i64> {
    let count = text.trim().strip_prefix('P')?;
    let (count, times) = match (count.strip_suffix('D'), count.strip_suffix('W')) {
        (Some(days), _) => (days, 1),
        (_, Some(weeks)) => (weeks, 7),
        _ => return None,
    };
    let count: i64 = count.parse().ok()?;
    (1..=1_000).contains(&count).then_some(count * times)
}

/// The dates that all properties of a name list.
fn dates(event: &Component<'_>, name: &str, line: usize) -> Result<Vec<Date>, Problem> {
    let texts = named(event, name).flat_map(|property| property.val.as_str().split(','));
    texts.map(|text| date(text.trim(), line)).collect()
}

/// The days on which an event begins: once, or by its rule.
fn starts(event: &Component<'_>, (first, today): (Date, Date), line: usize) -> Result<Vec<Date>, Problem> {
    let Some(text) = property(event, "RRULE") else {
        return Ok(vec![first]);
    };
    if named(event, "RRULE").nth(1).is_some() {
        let text = "the event has two rules of repetition (RRULE); write it as two events";
        return Err(Problem::new(line, text));
    }
    let rule = Yearly::read(text).ok_or_else(|| {
        let text = format!(
            "`{text}` repeats otherwise than from year to year; list its days one by one, or say it like \
             RRULE:FREQ=YEARLY or RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"
        );
        Problem::new(line, text)
    })?;
    let from = first.year().max(today.year() - 1);
    let last = first.year().max(today.year()) + YEARS;
    Ok(rule.starts(first, (from, last)))
}

fn date(text: &str, line: usize) -> Result<Date, Problem> {
    day(text).ok_or_else(|| Problem::new(line, format!("`{text}` is no date, such as 20261225")))
}

fn day(text: &str) -> Option<Date> {
    let is_digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = text.get(..8).filter(|_| is_digits)?;
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i16>().ok());
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]
    use super::*;

    fn file(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{events}END:VCALENDAR\r\n")
    }

    fn today() -> Date {
        Date::constant(2026, 11, 20)
    }

    /// The days that one yearly event brings.
    fn repeated(start: &str, rule: &str) -> Vec<String> {
        let text = file(&format!(
            "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{start}\r\nRRULE:{rule}\r\nEND:VEVENT\r\n"
        ));
        let (days, _) = holidays(&text, today()).unwrap();
        days.into_iter().map(|day| day.date).collect()
    }

    #[test]
    fn a_yearly_day_that_began_long_ago_is_carried_on_from_last_year() {
        let days = repeated("20100517", "FREQ=YEARLY");
        let wanted: Vec<String> = (2025..=2036).map(|year| format!("{year}-05-17")).collect();
        assert_eq!(days, wanted);
        let ahead = repeated("20300517", "FREQ=YEARLY;INTERVAL=1");
        assert_eq!((ahead.len(), ahead[0].as_str()), (11, "2030-05-17"));
        assert_eq!(ahead[10], "2040-05-17");
    }

    #[test]
    fn a_yearly_day_ends_where_its_rule_says() {
        assert_eq!(
            repeated("20100517", "FREQ=YEARLY;UNTIL=20270517"),
            ["2025-05-17", "2026-05-17", "2027-05-17"]
        );
        assert_eq!(
            repeated("20100517", "FREQ=YEARLY;UNTIL=20270516T235959Z"),
            ["2025-05-17", "2026-05-17"]
        );
        // The first of 17 was in 2010, so the last is in 2026; of 29 February only the years count that have one.
        assert_eq!(
            repeated("20100517", "FREQ=YEARLY;COUNT=17"),
            ["2025-05-17", "2026-05-17"]
        );
        assert_eq!(repeated("20200229", "FREQ=YEARLY;COUNT=3"), ["2028-02-29"]);
        assert!(repeated("20100517", "FREQ=YEARLY;COUNT=5").is_empty(), "it is over");
        for rule in [
            "FREQ=YEARLY;COUNT=0",
            "FREQ=YEARLY;UNTIL=soon",
            "FREQ=YEARLY;BYMONTH=13",
            "FREQ=YEARLY;BYDAY=20MO",
            "FREQ=YEARLY;BYDAY=1MO",
            "FREQ=YEARLY;BYMONTH=5;BYDAY=0MO",
            "FREQ=YEARLY;BYMONTHDAY=0",
            "FREQ=YEARLY;BYWEEKNO=20",
            "FREQ=YEARLY;INTERVAL=0",
            "INTERVAL=1",
        ] {
            let text = format!("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20100517\r\nRRULE:{rule}\r\nEND:VEVENT\r\n");
            let problem = holidays(&file(&text), today()).unwrap_err();
            assert!(problem.text.contains(rule), "{problem}");
        }
    }

    #[test]
    fn a_yearly_day_may_be_told_by_month_and_day_of_the_week() {
        let first = |rule: &str, start: &str| repeated(start, rule)[..3].to_vec();
        // Thanksgiving, Memorial Day, the first Monday of September, the day before Christmas in Apple's form.
        assert_eq!(
            first("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "20241128"),
            ["2025-11-27", "2026-11-26", "2027-11-25"]
        );
        assert_eq!(
            first("FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5;WKST=SU", "20240527"),
            ["2025-05-26", "2026-05-25", "2027-05-31"]
        );
        assert_eq!(
            first(
                "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=22,23,24,25,26,27,28;BYDAY=TH",
                "20241128"
            ),
            ["2025-11-27", "2026-11-26", "2027-11-25"]
        );
        assert_eq!(
            first("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=17", "20100517"),
            ["2025-05-17", "2026-05-17", "2027-05-17"]
        );
        assert_eq!(
            first("FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=12,2", "20240229"),
            ["2025-02-28", "2025-12-31", "2026-02-28"]
        );
        assert_eq!(
            first("FREQ=YEARLY;INTERVAL=4", "20120706"),
            ["2028-07-06", "2032-07-06", "2036-07-06"]
        );
        assert_eq!(
            repeated("20241128", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3"),
            ["2025-11-27", "2026-11-26"]
        );
    }

    #[test]
    fn one_day_of_a_series_may_be_moved_or_called_off() {
        let text = file(
            "BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID;VALUE=DATE:20270517\r\nDTSTART;VALUE=DATE:20270518\r\nSUMMARY:Moved\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nuid:a\r\ndtstart;value=date:20250517\r\nrrule:freq=yearly;until=20290517\r\nSummary:Day\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:20280517T000000Z\r\nDTSTART;VALUE=DATE:20280517\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n",
        );
        let (days, left_out) = holidays(&text, today()).unwrap();
        let mut dates: Vec<(&str, &str)> = days.iter().map(|day| (day.date.as_str(), day.title.as_str())).collect();
        dates.sort_unstable();
        let told = [
            ("2025-05-17", "Day"),
            ("2026-05-17", "Day"),
            ("2027-05-18", "Moved"),
            ("2029-05-17", "Day"),
        ];
        assert_eq!((dates.as_slice(), left_out), (&told[..], 1));
        let from_then_on = text.replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;");
        assert!(holidays(&from_then_on, today()).unwrap_err().text.contains("RANGE"));
    }

    #[test]
    fn a_line_is_that_of_the_file_as_it_was_sent() {
        let text = file(
            "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nSUMMARY:A long\r\n  one\r\n  folded\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\n",
        );
        let problem = holidays(&text, today()).unwrap_err();
        assert_eq!(text.lines().nth(problem.line - 1), Some("BEGIN:VEVENT"));
        assert_eq!(problem.line, 10);
    }

    #[test]
    fn whole_days_are_holidays() {
        let text = file(
            "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christ\r\n mas\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20270517\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Constitution\\,\tday\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nUID:3\r\nDTSTART:20261201T090000Z\r\nSUMMARY:Meeting\r\nEND:VEVENT\r\n",
        );
        let (days, left_out) = holidays(&text, today()).unwrap();
        assert_eq!(left_out, 1);
        let dates: Vec<&str> = days.iter().map(|day| day.date.as_str()).collect();
        assert_eq!(dates[..4], ["2026-12-24", "2026-12-25", "2026-12-26", "2027-05-17"]);
        assert_eq!(dates.last().unwrap(), &"2037-05-17");
        assert_eq!(days[0].title, "Christmas");
        assert_eq!(days[3].title, "Constitution, day");
    }

    #[test]
    fn events_last_and_repeat_as_the_standard_says() {
        let text = file(
            "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nDURATION:P3D\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260601\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20280229\r\n\
             RDATE;VALUE=DATE:20270301\r\nEND:VEVENT\r\n",
        );
        let (days, left_out) = holidays(&format!("\u{feff}{text}"), today()).unwrap();
        assert_eq!(left_out, 1, "what was called off is no holiday");
        let dates: Vec<&str> = days.iter().map(|day| day.date.as_str()).collect();
        assert_eq!(
            dates,
            [
                "2026-12-24",
                "2026-12-25",
                "2026-12-26",
                "2032-02-29",
                "2036-02-29",
                "2027-03-01"
            ]
        );
        let hours = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261227\r\nDURATION:PT8H\r\nEND:VEVENT\r\n");
        assert!(holidays(&hours, today()).unwrap_err().text.contains("PT8H"));
        let long = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:20261231\r\nEND:VEVENT\r\n");
        assert!(holidays(&long, today()).unwrap_err().text.contains("at most 60"));
    }

    #[test]
    fn a_day_that_ends_where_it_begins_and_one_from_midnight_to_midnight_are_days() {
        let same = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270501\r\nDTEND;VALUE=DATE:20270501\r\nEND:VEVENT\r\n");
        let outlook = file(
            "BEGIN:VEVENT\r\nDTSTART;TZID=W. Europe Standard Time:20271224T000000\r\nDTEND;TZID=W. Europe Standard \
             Time:20271225T000000\r\nEND:VEVENT\r\n",
        );
        for (text, wanted) in [(same, "2027-05-01"), (outlook, "2027-12-24")] {
            let (days, left_out) = holidays(&text, today()).unwrap();
            assert_eq!((days.len(), days[0].date.as_str(), left_out), (1, wanted, 0));
        }
        let meeting = file("BEGIN:VEVENT\r\nDTSTART:20271224T000000Z\r\nDTEND:20271224T010000Z\r\nEND:VEVENT\r\n");
        assert_eq!(holidays(&meeting, today()).unwrap().1, 1, "an hour is no day");
    }

    #[test]
    fn what_cannot_be_a_holiday_is_refused_with_its_line() {
        let turned = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261227\r\nDTEND;VALUE=DATE:20261224\r\nEND:VEVENT\r\n");
        let problem = holidays(&turned, today()).unwrap_err();
        assert_eq!(problem.line, 4);
        assert!(problem.text.contains("before it begins"), "{problem}");
        let weekly = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261227\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n");
        assert!(holidays(&weekly, today()).unwrap_err().text.contains("FREQ=WEEKLY"));
        let bare = file("BEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\n");
        assert!(holidays(&bare, today()).unwrap_err().text.contains("DTSTART"));
        assert!(holidays("hello", today()).is_err());
        let signed = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:+2021225\r\nEND:VEVENT\r\n");
        assert!(holidays(&signed, today()).unwrap_err().text.contains("+2021225"));
        let twice = file(
            "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261227\r\nRRULE:FREQ=YEARLY\r\nRRULE:FREQ=YEARLY;BYMONTH=5\r\nEND:VEVENT\r\n",
        );
        let problem = holidays(&twice, today()).unwrap_err();
        assert_eq!(problem.line, 4);
        assert!(problem.text.contains("two rules"), "{problem}");
    }

    #[test]
    fn a_file_that_is_not_one_whole_calendar_is_refused_in_plain_words() {
        let one = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261227\r\nEND:VEVENT\r\n");
        assert!(
            holidays(&format!("{one}\r\n\r\n"), today()).is_ok(),
            "blank lines say nothing"
        );
        let problem = holidays(&format!("{one}{one}"), today()).unwrap_err();
        assert_eq!(problem.line, 8);
        assert!(problem.text.contains("second calendar"), "{problem}");
        let cut = one.replace("END:VCALENDAR\r\n", "");
        let problem = holidays(&cut, today()).unwrap_err();
        assert_eq!(
            (problem.line, problem.text.as_str()),
            (1, "the file is cut short: END:VCALENDAR is missing")
        );
        let cut = one.split("END:VEVENT").next().unwrap();
        let problem = holidays(cut, today()).unwrap_err();
        assert_eq!(
            (problem.line, problem.text.as_str()),
            (4, "the file is cut short: END:VEVENT is missing")
        );
        let crossed = one.replace("END:VEVENT", "END:VTODO");
        let problem = holidays(&crossed, today()).unwrap_err();
        assert!(
            problem.line == 6 && problem.text.contains("BEGIN:VEVENT of line 4"),
            "{problem}"
        );
        assert!(holidays("", today()).is_err());
    }
}

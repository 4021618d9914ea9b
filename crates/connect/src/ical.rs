//! Holidays out of an iCalendar file (RFC 5545): whole days, single or yearly. Folding and quoting are the library's.

use icalendar::parser::{Component, read_calendar, unfold};
use jiff::ToSpan;
use jiff::civil::Date;
use model::calendar::Holiday;

use crate::table::Problem;

/// The most bytes of a calendar file.
const MOST_BYTES: usize = 1 << 20;
/// How many years a yearly day is carried on.
const YEARS: i16 = 10;
/// The most days that one event lasts.
const MOST_DAYS: usize = 60;

/// The days of all events. An event with a time of day is no holiday and is left out; how many is told beside them.
///
/// # Errors
/// [`Problem`] for a text that is no calendar, an event without a date, or a rule of repetition that is not yearly.
pub fn holidays(text: &str) -> Result<(Vec<Holiday>, usize), Problem> {
    if text.len() > MOST_BYTES {
        return Err(Problem::new(1, format!("the file is longer than {MOST_BYTES} bytes")));
    }
    let unfolded = unfold(text);
    let calendar = read_calendar(&unfolded)
        .map_err(|error| Problem::new(1, format!("it is no iCalendar file: {}", first_line(&error))))?;
    let is_calendar = text.trim_start().to_ascii_uppercase().starts_with("BEGIN:VCALENDAR");
    if !is_calendar {
        return Err(Problem::new(1, "an iCalendar file begins with BEGIN:VCALENDAR"));
    }
    let mut found = Vec::new();
    let mut left_out = 0;
    let mut line = 1;
    for event in calendar.components.iter().filter(|part| part.name == "VEVENT") {
        line = begins(&unfolded, line);
        match days(event, line)? {
            Some(days) => found.extend(days),
            None => left_out += 1,
        }
        line += 1;
    }
    Ok((found, left_out))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The line of the next event at or after a line, in the unfolded text.
fn begins(text: &str, after: usize) -> usize {
    text.lines()
        .enumerate()
        .skip(after.saturating_sub(1))
        .find(|(_, line)| line.trim_end().eq_ignore_ascii_case("BEGIN:VEVENT"))
        .map_or(after, |(place, _)| place + 1)
}

fn property<'a>(event: &'a Component<'_>, name: &str) -> Option<&'a str> {
    let found = event
        .properties
        .iter()
        .find(|property| property.name.as_str() == name)?;
    Some(found.val.as_str())
}

fn days(event: &Component<'_>, line: usize) -> Result<Option<Vec<Holiday>>, Problem> {
    let Some(start) = property(event, "DTSTART") else {
        return Err(Problem::new(
            line,
            "the event has no DTSTART, such as DTSTART;VALUE=DATE:20261225",
        ));
    };
    if start.contains('T') {
        return Ok(None);
    }
    let first = date(start, line)?;
    let end = property(event, "DTEND").map(|text| date(text, line)).transpose()?;
    let end = end.unwrap_or(first.saturating_add(1.day()));
    if end <= first {
        let text = format!("the event ends ({end}) before it begins ({first}); DTEND names the day after the last");
        return Err(Problem::new(line, text));
    }
    let title = property(event, "SUMMARY").map_or_else(|| "Holiday".to_owned(), |text| text.replace("\\,", ","));
    let years = match property(event, "RRULE") {
        None => 0,
        Some(rule) if is_plain_yearly(rule) => YEARS,
        Some(rule) => {
            let text = format!(
                "`{rule}` repeats otherwise than once a year; list its days one by one, such as RRULE:FREQ=YEARLY"
            );
            return Err(Problem::new(line, text));
        }
    };
    let mut found = Vec::new();
    for year in 0..=years {
        let (mut day, last) = (first.saturating_add(year.years()), end.saturating_add(year.years()));
        for _ in 0..MOST_DAYS {
            if day >= last {
                break;
            }
            found.push(Holiday {
                date: day.to_string(),
                title: title.chars().take(model::reading::LINE).collect(),
            });
            day = day.saturating_add(1.day());
        }
    }
    Ok(Some(found))
}

fn is_plain_yearly(rule: &str) -> bool {
    let mut parts = rule.split(';').map(|part| part.trim().to_ascii_uppercase());
    parts.all(|part| part == "FREQ=YEARLY" || part == "INTERVAL=1")
}

fn date(text: &str, line: usize) -> Result<Date, Problem> {
    let digits = text.get(..8).filter(|_| text.len() == 8);
    let found = digits.and_then(|digits| {
        let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i16>().ok());
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    });
    found.ok_or_else(|| Problem::new(line, format!("`{text}` is no date, such as 20261225")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]
    use super::*;

    fn file(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{events}END:VCALENDAR\r\n")
    }

    #[test]
    fn whole_days_are_holidays() {
        let text = file(
            "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christ\r\n mas\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20270517\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Constitution\\, day\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nUID:3\r\nDTSTART:20261201T090000Z\r\nSUMMARY:Meeting\r\nEND:VEVENT\r\n",
        );
        let (days, left_out) = holidays(&text).unwrap();
        assert_eq!(left_out, 1);
        let dates: Vec<&str> = days.iter().map(|day| day.date.as_str()).collect();
        assert_eq!(dates[..4], ["2026-12-24", "2026-12-25", "2026-12-26", "2027-05-17"]);
        assert_eq!(dates.last().unwrap(), &"2037-05-17");
        assert_eq!(days[0].title, "Christmas");
        assert_eq!(days[3].title, "Constitution, day");
    }

    #[test]
    fn what_cannot_be_a_holiday_is_refused_with_its_line() {
        let turned = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261227\r\nDTEND;VALUE=DATE:20261224\r\nEND:VEVENT\r\n");
        let problem = holidays(&turned).unwrap_err();
        assert_eq!(problem.line, 4);
        assert!(problem.text.contains("before it begins"), "{problem}");
        let weekly = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261227\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n");
        assert!(holidays(&weekly).unwrap_err().text.contains("FREQ=WEEKLY"));
        let bare = file("BEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\n");
        assert!(holidays(&bare).unwrap_err().text.contains("DTSTART"));
        assert!(holidays("hello").is_err());
    }
}

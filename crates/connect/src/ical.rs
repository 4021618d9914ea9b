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
const MOST_DAYS: i64 = 60;

/// The days of all events. An event with a time of day is no holiday and is left out; how many is told beside them.
///
/// # Errors
/// [`Problem`] for a text that is no calendar, an event without a date, or a rule of repetition that is not yearly.
pub fn holidays(text: &str) -> Result<(Vec<Holiday>, usize), Problem> {
    if text.len() > MOST_BYTES {
        return Err(Problem::new(1, format!("the file is longer than {MOST_BYTES} bytes")));
    }
    let text = text.trim_start_matches('\u{feff}');
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
    let is_cancelled = property(event, "STATUS").is_some_and(|word| word.trim().eq_ignore_ascii_case("CANCELLED"));
    if start.contains('T') || is_cancelled {
        return Ok(None);
    }
    let first = date(start, line)?;
    let length = length(event, first, line)?;
    let title = property(event, "SUMMARY").map_or_else(|| "Holiday".to_owned(), |text| text.replace("\\,", ","));
    let title: String = title.chars().take(model::reading::LINE).collect();
    let left_out = dates(event, "EXDATE", line)?;
    let mut starts = yearly(event, first, line)?;
    starts.extend(dates(event, "RDATE", line)?);
    starts.retain(|start| !left_out.contains(start));
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

/// How many days an event lasts: until DTEND, for DURATION, or one.
fn length(event: &Component<'_>, first: Date, line: usize) -> Result<i64, Problem> {
    let days = match (property(event, "DTEND"), property(event, "DURATION")) {
        (Some(end), _) => {
            let end = date(end, line)?;
            if end <= first {
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
    let named = event
        .properties
        .iter()
        .filter(|property| property.name.as_str() == name);
    let texts = named.flat_map(|property| property.val.as_str().split(','));
    texts.map(|text| date(text.trim(), line)).collect()
}

/// The days on which an event begins: once, or each year that has the day.
fn yearly(event: &Component<'_>, first: Date, line: usize) -> Result<Vec<Date>, Problem> {
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
    let in_year = |year: i16| Date::new(first.year().checked_add(year)?, first.month(), first.day()).ok();
    Ok((0..=years).filter_map(in_year).collect())
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
    fn events_last_and_repeat_as_the_standard_says() {
        let text = file(
            "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nDURATION:P3D\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260601\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20280229\r\n\
             RDATE;VALUE=DATE:20270301\r\nEND:VEVENT\r\n",
        );
        let (days, left_out) = holidays(&format!("\u{feff}{text}")).unwrap();
        assert_eq!(left_out, 1, "what was called off is no holiday");
        let dates: Vec<&str> = days.iter().map(|day| day.date.as_str()).collect();
        assert_eq!(
            dates,
            [
                "2026-12-24",
                "2026-12-25",
                "2026-12-26",
                "2024-02-29",
                "2032-02-29",
                "2027-03-01"
            ]
        );
        let hours = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261227\r\nDURATION:PT8H\r\nEND:VEVENT\r\n");
        assert!(holidays(&hours).unwrap_err().text.contains("PT8H"));
        let long = file("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:20261231\r\nEND:VEVENT\r\n");
        assert!(holidays(&long).unwrap_err().text.contains("at most 60"));
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

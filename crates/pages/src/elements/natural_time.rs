//! Times as people write them: `tomorrow 22:00 for 2 h`, `mon 9:00 to 11:30`, `in 30 min for 1 h`, `2026-12-01 20:00`; in English
//! and German, in the reader's zone.

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::elements::reader::Reader;

/// The most characters of a time in natural language.
const MOST: usize = 80;
/// The longest duration that is read, in minutes: 90 days.
const LONGEST: i64 = 90 * 24 * 60;
const HELP: &str = "Write it such as: tomorrow 22:00 for 2 h, or Mon 9:00 to 11:30.";

const DAYS: [(&str, Weekday); 7] = [
    ("mon mo monday montag", Weekday::Monday),
    ("tue di tuesday dienstag", Weekday::Tuesday),
    ("wed mi wednesday mittwoch", Weekday::Wednesday),
    ("thu do thursday donnerstag", Weekday::Thursday),
    ("fri fr friday freitag", Weekday::Friday),
    ("sat sa saturday samstag sonnabend", Weekday::Saturday),
    ("sun so sunday sonntag", Weekday::Sunday),
];
const MONTHS: [&str; 12] = [
    "jan january januar",
    "feb february februar",
    "mar march märz mär",
    "apr april",
    "may mai",
    "jun june juni",
    "jul july juli",
    "aug august",
    "sep september",
    "oct october okt oktober",
    "nov november",
    "dec december dez dezember",
];
const UNITS: [(&str, i64); 3] = [
    ("m min mins minute minutes minuten", 1),
    ("h hour hours std stunde stunden", 60),
    ("d day days tag tage tagen", 24 * 60),
];
/// Fillers without a meaning of their own.
const FILLERS: [&str; 8] = ["at", "on", "from", "um", "am", "von", "ab", "uhr"];

fn matches_token(known: &str, word: &str) -> bool {
    known.split(' ').any(|it| it == word)
}

/// Reads a start and, where it is given, an end, as people write them: `tomorrow 22:00 for 2 h`, `Mon 9:00 to 11:30`; in
/// English or German, in the reader's zone.
///
/// # Errors
/// A sentence for the person who typed it: the part that cannot be read, and an example of a readable one.
pub fn parse_times(reader: &Reader, text: &str) -> Result<(Timestamp, Option<Timestamp>), String> {
    let now = reader.now();
    if text.chars().count() > MOST {
        return Err(format!("A time in words has at most {MOST} characters. {HELP}"));
    }
    let words = tokens_of(text);
    let cut = words
        .iter()
        .position(|word| ["for", "für", "to", "until", "till", "bis", "-", "–"].contains(&word.as_str()));
    let (begin, rest) = match cut {
        Some(place) => (&words[..place], &words[place..]),
        None => (&words[..], &words[..0]),
    };
    let start = moment(reader, now, begin)?;
    let end = match rest {
        [] => None,
        [word, length @ ..] if word == "for" || word == "für" => {
            Some(start + SignedDuration::from_mins(minutes(length).ok_or_else(|| unread(length))?))
        }
        [_, end @ ..] => Some(until(reader, now, start, end)?),
    };
    Ok((start, end))
}

/// Lower-case tokens; numbers and the letters behind them are apart, and fillers are left out.
fn tokens_of(text: &str) -> Vec<String> {
    let mut spaced = String::new();
    let mut before = ' ';
    for letter in text.to_lowercase().replace(',', " ").chars() {
        if before.is_ascii_digit() && letter.is_alphabetic() {
            spaced.push(' ');
        }
        spaced.push(letter);
        before = letter;
    }
    let mut words: Vec<String> = Vec::new();
    for word in spaced.split_whitespace() {
        // Behind a number `am` is the half of the day; elsewhere it is a German filler.
        let is_half = word == "am"
            && words
                .last()
                .is_some_and(|last| last.ends_with(|c: char| c.is_ascii_digit()));
        if is_half || !FILLERS.contains(&word) {
            words.push(word.to_owned());
        }
    }
    words
}

fn unread(words: &[String]) -> String {
    match words.is_empty() {
        true => format!("A part of the time is missing. {HELP}"),
        false => format!("“{}” is not a time. {HELP}", words.join(" ")),
    }
}

/// A duration in minutes: `2 h`, `1 h 30 min`.
fn minutes(words: &[String]) -> Option<i64> {
    let mut total = 0_i64;
    for pair in words.chunks(2) {
        let [number, unit] = pair else { return None };
        let factor = UNITS.iter().find(|(known, _)| matches_token(known, unit))?.1;
        let number: i64 = number.parse().ok().filter(|number| (0..=LONGEST).contains(number))?;
        total += number * factor;
    }
    (1..=LONGEST).contains(&total).then_some(total)
}

fn moment(reader: &Reader, now: Timestamp, words: &[String]) -> Result<Timestamp, String> {
    let wrong = || unread(words);
    match words {
        [word] if word == "now" || word == "jetzt" => return Ok(now),
        [word, length @ ..] if word == "in" => {
            return Ok(now + SignedDuration::from_mins(minutes(length).ok_or_else(wrong)?));
        }
        _ => {}
    }
    let today = reader.local(now).date();
    let (day, used) = day_of(today, words).unwrap_or((Named::Today, 0));
    let rest = &words[used..];
    let clock = clock_of(rest).ok_or_else(wrong)?;
    let chosen = match day {
        Named::Date(date) => date,
        Named::Today => today,
        // The next day of this name, today included while its time is to come.
        Named::Weekday(weekday) => {
            let ahead = i64::from(today.weekday().until(weekday));
            let date = today.checked_add(ahead.days()).map_err(|_| wrong())?;
            let is_over = ahead == 0 && at(reader, date, clock)? <= now;
            if is_over {
                date.checked_add(7.days()).map_err(|_| wrong())?
            } else {
                date
            }
        }
    };
    at(reader, chosen, clock)
}

/// An end: a clock alone is the next time behind the start at which it is so late.
fn until(reader: &Reader, now: Timestamp, start: Timestamp, words: &[String]) -> Result<Timestamp, String> {
    let Some(clock) = clock_of(words).filter(|_| !words.is_empty()) else {
        return moment(reader, now, words);
    };
    let day = reader.local(start).date();
    let end = at(reader, day, clock)?;
    if end > start {
        return Ok(end);
    }
    let next = day.checked_add(1.days()).map_err(|_| unread(words))?;
    at(reader, next, clock)
}

fn at(reader: &Reader, day: Date, clock: Time) -> Result<Timestamp, String> {
    let field = day.to_datetime(clock).strftime("%Y-%m-%dT%H:%M").to_string();
    reader.read_field(&field).ok_or_else(|| reader.why_unread(&field))
}

/// A day as it was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Today,
    Date(Date),
    Weekday(Weekday),
}

/// The day at the beginning, and the number of tokens that name it.
fn day_of(today: Date, words: &[String]) -> Option<(Named, usize)> {
    let first = words.first()?.as_str();
    let ahead = |days: i64| today.checked_add(days.days()).ok().map(Named::Date);
    match first {
        "today" | "heute" => return Some((Named::Today, 1)),
        "tomorrow" | "morgen" => return Some((ahead(1)?, 1)),
        "übermorgen" => return Some((ahead(2)?, 1)),
        _ => {}
    }
    if let Some((_, weekday)) = DAYS
        .iter()
        .find(|(known, _)| matches_token(known, first.trim_end_matches('.')))
    {
        return Some((Named::Weekday(*weekday), 1));
    }
    if let Ok(date) = first.parse::<Date>() {
        return Some((Named::Date(date), 1));
    }
    let number: i8 = first.trim_end_matches('.').parse().ok()?;
    let month = words.get(1)?.trim_end_matches('.');
    let month = MONTHS.iter().position(|known| matches_token(known, month))?;
    let month = i8::try_from(month + 1).ok()?;
    let year = words
        .get(2)
        .and_then(|word| word.parse::<i16>().ok())
        .filter(|year| *year >= 2000);
    let used = if year.is_some() { 3 } else { 2 };
    let this = Date::new(year.unwrap_or(today.year()), month, number).ok()?;
    // Without a year the next day of this name.
    let is_past = year.is_none() && this < today;
    let chosen = if is_past {
        Date::new(today.year() + 1, month, number).ok()?
    } else {
        this
    };
    Some((Named::Date(chosen), used))
}

/// A time of the day: `22:00`, `22`, `9 am`. Nothing is no time.
fn clock_of(words: &[String]) -> Option<Time> {
    let (first, half) = match words {
        [first] => (first, None),
        [first, half] if half == "am" || half == "pm" => (first, Some(half.as_str())),
        [first, unit] if unit == "h" => (first, None),
        _ => return None,
    };
    let (hour, minute) = first.split_once([':', '.']).unwrap_or((first, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("pm") => hour % 12 + 12,
        Some(_) => hour % 12,
        None => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    /// A Saturday, noon in Oslo.
    const NOW: &str = "2026-11-28T11:00:00Z";

    fn told(text: &str) -> String {
        let now: Timestamp = NOW.parse().unwrap();
        match parse_times(&Reader::named("Europe/Oslo", now), text) {
            Ok((start, None)) => start.to_string(),
            Ok((start, Some(end))) => format!("{start} {end}"),
            Err(text) => text,
        }
    }

    #[test]
    fn days_clocks_and_lengths_are_read_in_the_readers_zone() {
        for (text, wanted) in [
            ("tomorrow 22:00 for 2 h", "2026-11-29T21:00:00Z 2026-11-29T23:00:00Z"),
            (
                "morgen um 22 Uhr für 2 Stunden",
                "2026-11-29T21:00:00Z 2026-11-29T23:00:00Z",
            ),
            ("Mon 9:00 to 11:30", "2026-11-30T08:00:00Z 2026-11-30T10:30:00Z"),
            ("today 23:00 - 01:00", "2026-11-28T22:00:00Z 2026-11-29T00:00:00Z"),
            ("in 30 min for 1h 30min", "2026-11-28T11:30:00Z 2026-11-28T13:00:00Z"),
            ("2026-12-01 20:00", "2026-12-01T19:00:00Z"),
            ("12 am to 1 am", "2026-11-27T23:00:00Z 2026-11-28T00:00:00Z"),
            ("3 Dec 7 pm for 45 min", "2026-12-03T18:00:00Z 2026-12-03T18:45:00Z"),
            (
                "1 jan 08:00 until 2 jan 09:00",
                "2027-01-01T07:00:00Z 2027-01-02T08:00:00Z",
            ),
        ] {
            assert_eq!(told(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_weekday_is_the_next_one_and_today_only_while_its_time_is_to_come() {
        assert_eq!(told("sat 13:00"), "2026-11-28T12:00:00Z");
        assert_eq!(told("sat 11:00"), "2026-12-05T10:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for text in [
            "",
            "soon",
            "tomorrow",
            "tomorrow 25:00",
            "mon 9:00 for a while",
            "mon 9:00 for 0 min",
            "in 9999 d",
        ] {
            assert!(told(text).contains("Write it such as"), "{text}: {}", told(text));
        }
        assert!(told(&"x".repeat(MOST + 1)).contains("at most 80"));
    }

    #[test]
    fn an_hour_that_the_clocks_leave_out_is_refused() {
        assert!(told("2027-03-28 02:30").contains("clocks go forward"));
    }
}

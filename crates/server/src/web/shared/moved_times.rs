//! Moved occurrences of a freeze or a window, in the form's format: one a line, by the reader's clock.

use jiff::Timestamp;
use jiff::civil::Date;
use model::core::refusal::FieldError;
use pages::Reader;
use serde_json::{Value, json};

/// The name of the field.
pub(crate) const MOVED: &str = "overrides";

/// One moved time as its line: `2026-12-25 2026-12-28 18:00 2026-12-28 22:00`; nothing for an invalid one.
pub(crate) fn moved_line(row: &Value, reader: &Reader) -> Option<String> {
    let time = |name: &str| {
        let at: Timestamp = row.get(name)?.as_str()?.parse().ok()?;
        Some(reader.field(at).replace('T', " "))
    };
    let date = row.get("date")?.as_str()?;
    Some(format!("{date} {} {}", time("starts_at")?, time("ends_at")?))
}

/// Reads the lines. An untouched line keeps its exact value from `held`.
pub(crate) fn read_moved(text: &str, held: &[Value], reader: &Reader, errors: &mut Vec<FieldError>) -> Value {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let rows = lines.filter_map(|line| {
        let stands = held.iter().find(|row| moved_line(row, reader).as_deref() == Some(line));
        let row = stands.cloned().or_else(|| read_line(line, reader));
        if row.is_none() {
            let why = "Write a moved time as its date by the rule, its start and its end, such as \
                       2026-12-25 2026-12-28 18:00 2026-12-28 22:00.";
            errors.push(FieldError::new(MOVED, "not_a_time", why));
        }
        row
    });
    rows.collect()
}

fn read_line(line: &str, reader: &Reader) -> Option<Value> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (date, from, to) = match words.as_slice() {
        [date, from, to] => (*date, (*from).to_owned(), (*to).to_owned()),
        [date, day, time, last_day, last_time] => (*date, format!("{day}T{time}"), format!("{last_day}T{last_time}")),
        _ => return None,
    };
    let date: Date = date.parse().ok()?;
    let (from, to) = (reader.read_field(&from)?, reader.read_field(&to)?);
    Some(json!({"date": date.to_string(), "starts_at": from.to_string(), "ends_at": to.to_string()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_times_are_read_line_by_line_and_untouched_ones_stay_to_the_second() {
        let reader = Reader::named("Europe/Oslo", Timestamp::UNIX_EPOCH);
        let held =
            [json!({"date": "2026-12-18", "starts_at": "2026-12-19T17:00:09Z", "ends_at": "2026-12-19T21:00:00Z"})];
        let text = "2026-12-18 2026-12-19 18:00 2026-12-19 22:00\n\n2026-12-25 2026-12-28T18:00 2026-12-28T22:00\n";
        let mut errors = Vec::new();
        let read = read_moved(text, &held, &reader, &mut errors);
        let wanted =
            json!({"date": "2026-12-25", "starts_at": "2026-12-28T17:00:00Z", "ends_at": "2026-12-28T21:00:00Z"});
        assert_eq!((read, errors.len()), (json!([held[0], wanted]), 0));
        assert_eq!(
            moved_line(&wanted, &reader).as_deref(),
            Some("2026-12-25 2026-12-28 18:00 2026-12-28 22:00")
        );
        for wrong in [
            "2026-12-25",
            "Friday 2026-12-28 18:00 2026-12-28 22:00",
            "2026-12-25 x y",
        ] {
            let mut errors = Vec::new();
            read_moved(wrong, &[], &reader, &mut errors);
            assert_eq!(errors.len(), 1, "{wrong}");
        }
    }
}

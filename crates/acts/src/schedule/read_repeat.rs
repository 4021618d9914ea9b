//! Reads how a freeze or a window repeats, and expands it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use model::core::enums::Recurrence;
use model::core::parse::{LINE, Reading};
use model::directory::snapshot::Directory;
use model::schedule::calendar::USUAL;
use model::schedule::repeat::{Occurrence, Override, Repeat};
use model::schedule::rule::{frequency_of, spelled};

/// The most dates that are left out or moved.
const MOST_DATES: usize = 400;

/// Reads a repetition and expands it from the first time on. Wrong fields are noted in the reading.
pub(crate) fn read_repeat(
    reading: &mut Reading<'_>,
    (directory, now): (&Directory, Timestamp),
    once: Occurrence,
) -> Repeat {
    let is_cleared = reading.says("rrule");
    let rrule = read_rule(reading);
    let mut repeat = Repeat {
        rrule,
        time_zone: reading.text("time_zone", LINE),
        ends_rrule: reading.text("ends_rrule", LINE),
        working_days_of: reading.text("working_days_of", LINE),
        fiscal_of: reading.text("fiscal_of", LINE),
        exdates: read_dates(reading),
        overrides: read_overrides(reading),
        ..Repeat::default()
    };
    if !repeat.is_set() {
        let is_told = Repeat {
            time_zone: None,
            ..repeat
        } != Repeat::default();
        if is_told && !is_cleared {
            let text = "These fields need a recurrence rule such as `FREQ=WEEKLY;BYDAY=FR`.";
            reading.wrong("rrule", "missing", text);
        }
        return Repeat::default();
    }
    repeat.ends_rrule = repeat.ends_rrule.map(|text| spelled(&text).unwrap_or(text));
    repeat.time_zone = Some(
        repeat
            .time_zone
            .clone()
            .unwrap_or_else(|| usual_zone(&repeat, directory)),
    );
    if reading.errors.is_empty()
        && let Err(trouble) = repeat.expand(once, &directory.calendars, now)
    {
        reading.wrong(trouble.field, trouble.code, trouble.text);
    }
    repeat
}

/// The rule as written, or the one behind a keyword.
fn read_rule(reading: &mut Reading<'_>) -> Option<String> {
    let told = reading.text("rrule", LINE);
    let word = reading.word::<Recurrence>("recurrence");
    let Some(told) = told else { return word.map(rule_of) };
    let frequency = match word {
        Some(Recurrence::Quarterly) => Some(Recurrence::Monthly.as_str()),
        other => other.map(Recurrence::as_str),
    };
    if let (Some(frequency), Some(known)) = (frequency, frequency_of(&told))
        && frequency != known
    {
        let text = format!("`recurrence` is {frequency}, but the rule is {known}; omit one of them.");
        reading.wrong("recurrence", "contradicts", text);
    }
    match spelled(&told) {
        Ok(rule) => Some(rule),
        Err(text) => {
            reading.wrong("rrule", "not_a_rule", text);
            Some(told)
        }
    }
}

fn rule_of(word: Recurrence) -> String {
    let rule = match word {
        Recurrence::Daily => "FREQ=DAILY",
        Recurrence::Weekly => "FREQ=WEEKLY",
        Recurrence::Monthly => "FREQ=MONTHLY",
        Recurrence::Quarterly => "FREQ=MONTHLY;INTERVAL=3",
        Recurrence::Yearly => "FREQ=YEARLY",
    };
    rule.to_owned()
}

/// The zone of the calendar that the rule reads, else of the tenant's usual one.
fn usual_zone(repeat: &Repeat, directory: &Directory) -> String {
    let named = [
        repeat.working_days_of.as_deref(),
        repeat.fiscal_of.as_deref(),
        Some(USUAL),
    ];
    let mut known = named
        .into_iter()
        .flatten()
        .filter_map(|key| directory.calendars.get(key));
    known
        .next()
        .map_or_else(|| "UTC".to_owned(), |calendar| calendar.zone.clone())
}

fn read_date(reading: &mut Reading<'_>, field: &str, text: &str) -> Option<Date> {
    let date = text.parse::<Date>();
    if date.is_err() {
        reading.wrong(
            field,
            "not_a_date",
            format!("`{text}` is not a date such as 2026-12-25."),
        );
    }
    date.ok()
}

fn read_dates(reading: &mut Reading<'_>) -> BTreeSet<Date> {
    let told = reading.texts("exdates", LINE).unwrap_or_default();
    if told.len() > MOST_DATES {
        let text = format!("At most {MOST_DATES} dates can be left out; use a rule with another end instead.");
        reading.wrong("exdates", "too_many", text);
        return BTreeSet::new();
    }
    let mut dates = BTreeSet::new();
    for (place, text) in told.iter().enumerate() {
        dates.extend(read_date(reading, &format!("exdates[{place}]"), text));
    }
    dates
}

fn read_overrides(reading: &mut Reading<'_>) -> Vec<Override> {
    let read = |inner: &mut Reading<'_>| {
        let told = inner.needed("date", LINE);
        let date = match told.is_empty() {
            true => None,
            false => read_date(inner, "date", &told),
        };
        let (starts_at, ends_at) = (inner.needed_time("starts_at"), inner.needed_time("ends_at"));
        if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at)
            && ends_at <= starts_at
        {
            inner.wrong("ends_at", "out_of_order", "`ends_at` must lie after `starts_at`.");
        }
        Some(Override {
            date: date?,
            starts_at: starts_at?,
            ends_at: ends_at?,
        })
    };
    let rows = reading.objects("overrides", read).unwrap_or_default();
    if rows.len() > MOST_DATES {
        reading.wrong(
            "overrides",
            "too_many",
            format!("At most {MOST_DATES} times can be moved."),
        );
    }
    let mut rows: Vec<Override> = rows.into_iter().flatten().collect();
    rows.sort_by_key(|row| row.date);
    if rows.windows(2).any(|pair| pair[0].date == pair[1].date) {
        reading.wrong("overrides", "twice", "One time is moved at most once.");
    }
    rows
}

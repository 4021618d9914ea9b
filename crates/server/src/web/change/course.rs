//! The planned course beside the actual one, and the watching of a change after its work.

use jiff::Timestamp;
use model::change::record::Change;
use model::change::related_records::Entry as ActionEntry;
use model::change::work::steps::Run;
use model::core::enums::EntryKind;
use model::incident::watch::{watch_minutes, watch_span};
use pages::{Cell, Column, Entry, Fold, Rich, Section, SectionBody, Table, Tone, minutes};

use crate::web::shared::view::View;

/// The planned times and steps beside the actual ones; nothing before the work began.
pub(crate) fn section(view: &View<'_, '_, '_>, change: &Change, entries: &[ActionEntry]) -> Option<Section> {
    let began = change.actual_start?;
    let mut rows = vec![
        moments(view, "Start", change.planned_start, Some(began)),
        moments(view, "End", change.planned_end, change.actual_end),
    ];
    let planned = change
        .planned_start
        .zip(change.planned_end)
        .map(|(from, to)| between(from, to));
    let took = change.actual_end.map(|end| between(began, end));
    rows.push(lengths(Cell::Name("Duration".to_owned()), planned, took));
    rows.extend(steps(change, entries, began));
    let table = Table {
        caption: "Planned and actual work, side by side".to_owned(),
        columns: vec![
            Column::new("What", Fold::Never),
            Column::new("Planned", Fold::Never),
            Column::new("Actual", Fold::Never),
            Column::new("Difference", Fold::Never),
        ],
        rows,
        ..Table::default()
    };
    Some(Section::new("course", "Planned and actual", SectionBody::Table(table)))
}

/// Whole minutes from one moment to another.
fn between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()) / 60
}

fn moments(view: &View<'_, '_, '_>, word: &str, planned: Option<Timestamp>, actual: Option<Timestamp>) -> Vec<Cell> {
    let told = |at: Option<Timestamp>| at.map_or_else(|| Cell::text(""), |at| Cell::Text(view.moment(at)));
    let apart = planned.zip(actual).map(|(planned, actual)| between(planned, actual));
    vec![
        Cell::Name(word.to_owned()),
        told(planned),
        told(actual),
        Cell::Text(apart.map(difference).unwrap_or_default()),
    ]
}

fn lengths(name: Cell, planned: Option<i64>, actual: Option<i64>) -> Vec<Cell> {
    let told = |count: Option<i64>| Cell::Short(count.map(|it| minutes(it.unsigned_abs())).unwrap_or_default());
    let apart = planned.zip(actual).map(|(planned, actual)| actual - planned);
    vec![
        name,
        told(planned),
        told(actual),
        Cell::Text(apart.map(difference).unwrap_or_default()),
    ]
}

/// The difference between the actual and the plan; delays are highlighted.
fn difference(count: i64) -> Rich {
    let length = minutes(count.unsigned_abs());
    match count {
        0 => Rich::from("as planned"),
        1.. => Rich::new().late(format!("{length} later")),
        _ => Rich::from(format!("{length} earlier")),
    }
}

/// Each completed step of the plan with its duration: from its recorded begin, else from the end of the step recorded before it.
fn steps(change: &Change, entries: &[ActionEntry], began: Timestamp) -> Vec<Vec<Cell>> {
    let mut done: Vec<(i64, Timestamp)> = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Step)
        .filter_map(|entry| Some((entry.step?, entry.occurred_at)))
        .collect();
    done.sort_by_key(|(_, at)| *at);
    let run = Run::of(change, EntryKind::Step, entries);
    let mut since = began;
    let mut rows = Vec::new();
    for (number, at) in done {
        let place = usize::try_from(number - 1).ok();
        let Some(step) = place.and_then(|place| change.content.plan.get(place)) else {
            continue;
        };
        let name = Cell::title(format!("{number}. {}", step.title), "");
        let from = run.begin_of(number).map_or(since, |begin| begin.occurred_at);
        rows.push(lengths(name, step.minutes, Some(between(from, at).max(0))));
        since = at;
    }
    rows
}

/// The times of the watch, as the first entry of its section; nothing before the work began.
pub(crate) fn watch(view: &View<'_, '_, '_>, change: &Change) -> Option<Entry> {
    let (from, until) = watch_span(change, &view.directory)?;
    let length = minutes(watch_minutes(change, &view.directory).unsigned_abs());
    let (tone, text) = match until {
        None => (Tone::Wait, format!("It is watched until {length} after its work")),
        Some(end) if end > view.now() => (Tone::Wait, format!("It is watched until {}", view.reader.moment(end))),
        Some(end) => (Tone::Ok, format!("It was watched until {}", view.reader.moment(end))),
    };
    let entry = Entry::new(tone, text).icon("eye");
    Some(entry.why(format!("Since {}.", view.reader.moment(from))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_late_is_told_from_what_ran_early() {
        assert_eq!(difference(75).plain(), "1 h 15 min later");
        assert_eq!(difference(-9).plain(), "9 min earlier");
        assert_eq!(difference(0).plain(), "as planned");
    }

    #[test]
    fn whole_minutes_are_counted() {
        let at = |second: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(second);
        assert_eq!(between(at(0), at(119)), 1);
        assert_eq!(between(at(600), at(0)), -10);
    }
}

//! Times that fit, offered beside the start of a form: inside of windows, in no freeze, beside no other change on the same
//! places or on what they need, and not before the rules on lead time allow.

use std::collections::{BTreeMap, BTreeSet};

use acts::find_changes::{ChangeFilter, Order, SortKey, find_ordered};
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use model::directory::Directory;
use model::file::ChangeFile;
use model::ids::{EnvironmentKey, ServiceKey};
use model::requirement::earliest_start;
use model::slots::{AHEAD_DAYS, Work, starts};
use model::words::State as Stage;
use pages::{ChangeFields, Fits};

use super::after_template;
use super::collide::{Planned, around};
use super::edit::{Back, read};
use super::form::Form;
use super::view::View;

/// The name that a button sends: a time of those that were offered, or the wish to look for some.
pub(super) const FIT: &str = "fit";
/// How many times are offered, each on a day of its own.
const OFFERED: usize = 3;
/// The most other changes that are looked at; times behind the last of them are not offered.
const MOST: i64 = 500;
/// How long before a time changes may have begun that are still under way, in days.
const BEFORE: i64 = 7;
/// How long a change takes of which nothing is said, in minutes.
const USUAL_MINUTES: i64 = 60;
/// When a change may begin of which nothing is said: few work then.
const USUAL_HOUR: Time = Time::constant(21, 0, 0, 0);

/// A form in which the time that was taken stands as start and end.
pub(super) fn taken(form: Form) -> Form {
    let Some((start, end)) = form.first(FIT).split_once('/') else {
        return form;
    };
    let (start, end) = (start.to_owned(), end.to_owned());
    form.with("planned_start", &start).with("planned_end", &end)
}

/// What is offered for a change that is not written yet.
pub(super) fn of_new(
    view: &mut View<'_, '_, '_>,
    fields: &ChangeFields,
    back: Option<&Back>,
) -> acts::Result<Option<Fits>> {
    let values = values(fields, back);
    if places(&values).is_empty() {
        return Ok(Some(Fits::default()));
    }
    let form = Form::new(values.clone().into_iter().collect());
    let mut body = read(&form, &view.reader).body;
    body.remove("planned_start");
    body.remove("planned_end");
    if let Some(back) = back {
        after_template::follow(&back.form, &mut body);
    }
    let earliest = acts::find_earliest::find_earliest(view.room, &body)?;
    offered(view, &values, earliest, None)
}

/// What is offered for a change as it stands, with what was typed.
pub(super) fn of_change(
    view: &mut View<'_, '_, '_>,
    fields: &ChangeFields,
    back: Option<&Back>,
    file: &ChangeFile,
) -> acts::Result<Option<Fits>> {
    if !file.change.state.is_before_start() {
        return Ok(None);
    }
    let earliest = earliest_start(file, &view.directory, view.now()).map(|(at, _)| at);
    offered(view, &values(fields, back), earliest, Some(file))
}

/// What stands in the form: as it was sent, or as it begins.
fn values(fields: &ChangeFields, back: Option<&Back>) -> BTreeMap<String, String> {
    match back {
        Some(back) => back
            .form
            .pairs()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        None => fields.values.clone(),
    }
}

/// Service and environment of each target that has both.
fn places(values: &BTreeMap<String, String>) -> Vec<(ServiceKey, EnvironmentKey)> {
    let service = |name: &str| {
        let row = name.strip_prefix("targets.")?.strip_suffix(".service")?;
        Some(row.to_owned())
    };
    let place = |(name, value): (&String, &String)| {
        let row = service(name)?;
        let environment = values.get(&format!("targets.{row}.environment"))?;
        let is_said = !value.trim().is_empty() && !environment.trim().is_empty();
        is_said.then(|| (value.trim().into(), environment.trim().into()))
    };
    values.iter().filter_map(place).collect()
}

/// How long it takes and at which hour it begins, as far as the form says so.
fn wished(view: &View<'_, '_, '_>, values: &BTreeMap<String, String>) -> (SignedDuration, Time) {
    let time = |name: &str| values.get(name).and_then(|text| view.reader.read_field(text));
    let (start, end) = (time("planned_start"), time("planned_end"));
    let hour = start.map_or(USUAL_HOUR, |at| view.reader.local(at).time());
    let between = start.zip(end).map(|(start, end)| end.duration_since(start));
    if let Some(length) = between.filter(SignedDuration::is_positive) {
        return (length, hour);
    }
    let is_step = |name: &&String| name.starts_with("plan.") && name.ends_with(".minutes");
    let steps = values.iter().filter(|(name, _)| is_step(name));
    let minutes: i64 = steps
        .filter_map(|(_, value)| value.trim().parse::<i64>().ok())
        .filter(|minutes| (1..=100_000).contains(minutes))
        .sum();
    let minutes = if minutes > 0 { minutes } else { USUAL_MINUTES };
    (SignedDuration::from_mins(minutes), hour)
}

fn offered(
    view: &mut View<'_, '_, '_>,
    values: &BTreeMap<String, String>,
    earliest: Option<Timestamp>,
    file: Option<&ChangeFile>,
) -> acts::Result<Option<Fits>> {
    let places = places(values);
    if places.is_empty() {
        return Ok(Some(Fits::default()));
    }
    let (length, hour) = wished(view, values);
    let work = Work {
        places: &places,
        change: file.map(|file| &file.change.id),
        earliest: earliest.unwrap_or(view.now()).max(view.now()),
        length,
    };
    let zone = view.reader.local(view.now()).time_zone().clone();
    let mut starts = starts(&view.directory, &work, &zone, hour);
    let until = work.earliest + SignedDuration::from_hours(24 * i64::from(AHEAD_DAYS));
    let filter = ChangeFilter {
        states: Stage::ALL
            .iter()
            .filter(|state| state.is_open() && **state != Stage::Reviewing)
            .map(|state| state.as_str().to_owned())
            .collect(),
        planned_from: Some(work.earliest - SignedDuration::from_hours(24 * BEFORE)),
        planned_to: Some(until + length),
        ..ChangeFilter::default()
    };
    let order = Order {
        key: SortKey::PlannedStart,
        is_down: false,
    };
    let (others, next) = find_ordered(view.room, &filter, order, MOST, None)?;
    if next.is_some() {
        let last = others.rows.last().and_then(|(row, _)| row.planned_start);
        starts.retain(|start| last.is_some_and(|last| *start + length <= last));
    }
    let own = file.map_or("", |file| file.change.key.as_str());
    let others: Vec<Planned<'_>> = others
        .rows
        .iter()
        .filter_map(|(row, targets)| Planned::of(row, targets))
        .filter(|other| other.key != own)
        .collect();
    let taken = taken_by(&view.directory, &places, &others);
    let is_free = |start: &Timestamp| {
        let end = *start + length;
        !taken.iter().any(|(from, to)| *from < end && *start < *to)
    };
    let mut days = BTreeSet::new();
    let free = starts.into_iter().filter(is_free);
    let first_of_day = free.filter(|start| days.insert(view.reader.local(*start).date()));
    let times = first_of_day.take(OFFERED).map(|start| {
        let value = format!("{}/{}", view.reader.field(start), view.reader.field(start + length));
        (value, view.reader.moment(start))
    });
    Ok(Some(Fits {
        times: times.collect(),
        is_looked: true,
    }))
}

/// The times of those other changes that touch the same places, or in the same environment what these need or are needed by.
fn taken_by(
    directory: &Directory,
    places: &[(ServiceKey, EnvironmentKey)],
    others: &[Planned<'_>],
) -> Vec<(Timestamp, Timestamp)> {
    let reached: Vec<(BTreeSet<ServiceKey>, &str)> = places
        .iter()
        .map(|(service, environment)| (around(directory, service), environment.as_str()))
        .collect();
    let touches = |other: &&Planned<'_>| {
        other.places.iter().any(|(service, environment)| {
            let service = ServiceKey::from(*service);
            reached
                .iter()
                .any(|(around, own)| own == environment && around.contains(&service))
        })
    };
    others
        .iter()
        .filter(touches)
        .map(|other| (other.start, other.end))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Form {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Form::new(pairs.iter().map(pair).collect())
    }

    #[test]
    fn a_time_that_was_taken_stands_in_the_form_and_everything_else_stays() {
        let sent = form(&[
            ("title", "T"),
            ("planned_start", "2026-11-23T20:00"),
            ("fit", "2026-11-22T21:00/2026-11-22T21:30"),
        ]);
        let taken = taken(sent);
        assert_eq!(taken.all("planned_start"), ["2026-11-22T21:00"]);
        assert_eq!(taken.all("planned_end"), ["2026-11-22T21:30"]);
        assert_eq!(taken.first("title"), "T");
        let looked = super::taken(form(&[("planned_start", "x"), ("fit", "look")]));
        assert_eq!(looked.all("planned_start"), ["x"]);
    }

    #[test]
    fn what_is_taken_is_what_would_collide() {
        let row = |from: &str, to: &str| serde_json::json!({"id": format!("{from}-{to}"), "version": 1, "from": from, "to": to});
        let rows = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f"), ("x", "a")];
        let rows: Vec<serde_json::Value> = rows.map(|(from, to)| row(from, to)).into();
        let rows: Vec<model::directory::Dependency> = serde_json::from_value(rows.into()).unwrap();
        let directory = Directory {
            dependencies: rows.into(),
            ..Directory::default()
        };
        let planned = |service: &'static str, environment: &'static str| Planned {
            key: service,
            start: Timestamp::UNIX_EPOCH,
            end: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1),
            places: vec![(service, environment)],
        };
        let mine = planned("a", "production");
        for service in ["a", "b", "c", "d", "e", "f", "x", "y"] {
            for environment in ["production", "staging"] {
                let other = planned(service, environment);
                let collides = super::super::collide::between(&directory, &mine, &other).is_some();
                let taken = taken_by(&directory, &[("a".into(), "production".into())], &[other]);
                assert_eq!(!taken.is_empty(), collides, "{service} in {environment}");
            }
        }
    }

    #[test]
    fn places_are_those_that_have_a_service_and_an_environment() {
        let pairs = [
            ("targets.0.service", "api"),
            ("targets.0.environment", "production"),
            ("targets.1.service", "web"),
            ("targets.1.environment", ""),
            ("targets.2.environment", "staging"),
        ];
        let values = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(places(&values), [("api".into(), "production".into())]);
    }
}

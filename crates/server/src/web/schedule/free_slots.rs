//! Free times, offered beside the start of a form: inside windows, outside freezes, without another change on the same places
//! or on their dependencies, and not before the lead time allows. For a typed time the form shows the obstacles, and the
//! nearest free times.

use std::collections::{BTreeMap, BTreeSet};

use acts::schedule::change_conflicts::{all_near, find_of};
use acts::schedule::find_earliest;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::ChangeFile;
use model::change::requirement::earliest_start;
use model::core::ids::{EnvironmentKey, PersonId, ServiceKey};
use model::directory::snapshot::{Directory, Freeze, MaintenanceWindow};
use model::schedule::conflicts::{Planned, taken as taken_times};
use model::schedule::offer::Judging;
use model::schedule::slots::{AHEAD_DAYS, Work, starts};
use pages::{ChangeFields, Fits};

use crate::web::change::after_template;
use crate::web::change::edit_fields::{Back, read};
use crate::web::shared::form::{FIT, Form};
use crate::web::shared::view::View;

/// How many times are offered, each on a day of its own where there are days enough.
const OFFERED: usize = 3;
/// The most collisions listed beside a time.
const COLLISIONS: usize = 3;
/// The longest work, and the furthest time, that is held against freezes and other changes; nobody plans beyond.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);
/// The default duration of a change, in minutes.
const USUAL_MINUTES: i64 = 60;
/// The default start of a change: few people work then.
const USUAL_HOUR: Time = Time::constant(21, 0, 0, 0);

/// A form with the chosen free time as start and end.
pub(crate) fn taken(form: Form) -> Form {
    let Some((start, end)) = form.first(FIT).split_once('/') else {
        return form;
    };
    let (start, end) = (start.to_owned(), end.to_owned());
    form.with("planned_start", &start).with("planned_end", &end)
}

/// The times offered for a change that is not written yet.
pub(crate) fn of_new(
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
    let earliest = find_earliest::find_earliest(view.cx, &body)?;
    offered(view, &values, earliest, None)
}

/// The times offered for an existing change, with the typed values.
pub(crate) fn of_change(
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

/// How far ahead times are looked for.
fn ahead() -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(AHEAD_DAYS))
}

/// The values of the form: as sent, or its initial ones.
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

/// The duration and the hour of the start, as far as the form has them.
fn wished(view: &View<'_, '_, '_>, values: &BTreeMap<String, String>) -> (SignedDuration, Time) {
    let time = |name: &str| values.get(name).and_then(|text| view.reader.read_field(text));
    let (start, end) = (time("planned_start"), time("planned_end"));
    let hour = start.map_or(USUAL_HOUR, |at| view.reader.local(at).time());
    let between = start.zip(end).map(|(start, end)| end.duration_since(start));
    if let Some(length) = between.filter(|length| length.is_positive() && *length <= LONGEST) {
        return (length, hour);
    }
    let is_step = |name: &&String| name.starts_with("plan.") && name.ends_with(".minutes");
    let steps = values.iter().filter(|(name, _)| is_step(name));
    let minutes: i64 = steps
        .filter_map(|(_, value)| value.trim().parse::<i64>().ok())
        .filter(|minutes| (1..=100_000).contains(minutes))
        .sum();
    let minutes = if minutes > 0 { minutes } else { USUAL_MINUTES };
    (SignedDuration::from_mins(minutes).min(LONGEST), hour)
}

/// The search for free times: a change's work, with the default hour of its start where no window applies.
struct Wish<'a> {
    work: Work<'a>,
    /// The key of the change itself, which cannot collide with itself; empty before it is written.
    own: &'a str,
    /// The implementers, as far as they are known.
    people: &'a BTreeSet<PersonId>,
    /// The affected config items, each with the environment.
    items: &'a BTreeSet<(String, EnvironmentKey)>,
    hour: Time,
    /// Whether windows apply to the change near the searched time: then the change has to be inside one of them.
    is_bound: bool,
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
    let wish = Wish {
        work: Work {
            places: &places,
            change: file.map(|file| &file.change.id),
            earliest: earliest.unwrap_or(view.now()).max(view.now()),
            length,
        },
        own: file.map_or("", |file| file.change.key.as_str()),
        people: &people(&view.directory, values, file),
        items: &items(values),
        hour,
        is_bound: false,
    };
    let free = free(view, &wish)?;
    let best = ranked(view, &wish, &free)?;
    let day = |start: &Timestamp| view.reader.local(*start).date();
    let mut fits = Fits {
        times: start_buttons(view, spread(&best, day), length),
        is_looked: true,
        ..Fits::default()
    };
    let typed = values
        .get("planned_start")
        .and_then(|text| view.reader.read_field(text));
    let is_near = |start: &Timestamp| {
        let now = view.now();
        *start < now + LONGEST && now - LONGEST < *start && now < *start + length
    };
    let Some(start) = typed.filter(is_near) else {
        return Ok(Some(fits));
    };
    fits.against = against(view, &wish, start)?;
    if fits.against.is_empty() {
        return Ok(Some(fits));
    }
    let (before, after) = nearest(view, &wish, start)?;
    fits.against.push(nearest_text(view, before, after));
    fits.near = start_buttons(view, before.into_iter().chain(after).collect(), length);
    fits.times.retain(|time| !fits.near.contains(time));
    Ok(Some(fits))
}

/// Starts in the format of the form's buttons, and as text.
fn start_buttons(view: &View<'_, '_, '_>, starts: Vec<Timestamp>, length: SignedDuration) -> Vec<(String, String)> {
    let one = |start: Timestamp| {
        let value = format!("{}/{}", view.reader.field(start), view.reader.field(start + length));
        (value, view.reader.moment(start))
    };
    starts.into_iter().map(one).collect()
}

/// The first start of each day in the order that is given; where too few days have any, others of the same days as well.
fn spread<D: Ord>(free: &[Timestamp], day: impl Fn(&Timestamp) -> D) -> Vec<Timestamp> {
    let mut days = BTreeSet::new();
    let (first, later): (Vec<Timestamp>, Vec<Timestamp>) =
        free.iter().copied().partition(|start| days.insert(day(start)));
    let mut found: Vec<Timestamp> = first.into_iter().chain(later).take(OFFERED).collect();
    found.sort_unstable();
    found
}

/// Implementers and tester from the form; a field that the form does not have keeps its present value. An unknown login is
/// refused when the form is sent.
fn people(directory: &Directory, values: &BTreeMap<String, String>, file: Option<&ChangeFile>) -> BTreeSet<PersonId> {
    let logins = |name: &str| {
        let text = values.get(name)?;
        let known = entries(text).filter_map(|login| directory.by_login(login));
        Some(known.map(|person| person.id.clone()).collect::<Vec<_>>())
    };
    let content = file.map(|file| &file.change.content);
    let implementers = logins("implementers").or_else(|| content.map(|it| it.implementers.clone()));
    let tester = logins("tester").or_else(|| content.map(|it| it.tester.iter().cloned().collect()));
    implementers.into_iter().chain(tester).flatten().collect()
}

/// Config items of each target that has an environment.
fn items(values: &BTreeMap<String, String>) -> BTreeSet<(String, EnvironmentKey)> {
    let mut found = BTreeSet::new();
    for (name, text) in values {
        let row = name
            .strip_prefix("targets.")
            .and_then(|it| it.strip_suffix(".config_items"));
        let place = row.and_then(|row| values.get(&format!("targets.{row}.environment")));
        let place = place.map_or("", |place| place.trim());
        if !place.is_empty() {
            found.extend(entries(text).map(|item| (item.to_owned(), EnvironmentKey::from(place))));
        }
    }
    found
}

/// The entries of a list as a form's field holds it.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty())
}

/// Windows that apply to all these places and lie within a time.
fn windows<'d>(
    directory: &'d Directory,
    places: &[(ServiceKey, EnvironmentKey)],
    (from, until): (Timestamp, Timestamp),
) -> impl Iterator<Item = &'d MaintenanceWindow> {
    let speaks_of_all = |window: &MaintenanceWindow| {
        places.iter().all(|(service, environment)| {
            (window.services.is_empty() || window.services.contains(service))
                && (window.environments.is_empty() || window.environments.contains(environment))
        })
    };
    let is_within = move |window: &MaintenanceWindow| window.spans().any(|time| time.overlaps(from, until));
    let all = directory.windows.iter().filter(|window| !window.ended);
    all.filter(move |window| is_within(window) && speaks_of_all(window))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Every start that windows and freezes leave, day by day: a window of several days has some on each of them.
fn possible(directory: &Directory, wish: &Wish<'_>, zone: &TimeZone) -> BTreeSet<Timestamp> {
    let until = wish.work.earliest + ahead();
    let has_window = |from| windows(directory, wish.work.places, (from, until)).next().is_some();
    if wish.is_bound && !has_window(wish.work.earliest) {
        return BTreeSet::new();
    }
    let first = starts(directory, &wish.work, zone, wish.hour);
    let mut found: BTreeSet<Timestamp> = first.into_iter().collect();
    for day in 1..AHEAD_DAYS {
        let earliest = wish.work.earliest + SignedDuration::from_hours(24 * i64::from(day));
        // Without a window ahead any time would fit, which is not true of places with windows.
        if !has_window(earliest) {
            break;
        }
        let work = Work {
            earliest,
            ..wish.work.clone()
        };
        found.extend(starts(directory, &work, zone, wish.hour));
    }
    found.retain(|start| *start < until);
    found
}

/// The searched time as a plan.
fn mine(wish: &Wish<'_>, start: Timestamp) -> Planned {
    Planned {
        id: wish.work.change.cloned().unwrap_or_default(),
        key: wish.own.to_owned(),
        starts_at: start,
        ends_at: start + wish.work.length,
        places: wish.work.places.to_vec(),
        items: wish.items.clone(),
        people: wish.people.clone(),
        maintenance: None,
        is_undo: false,
    }
}

/// Starts without a conflicting change or maintenance, in their order.
fn free(view: &mut View<'_, '_, '_>, wish: &Wish<'_>) -> acts::Result<Vec<Timestamp>> {
    let zone = view.reader.local(view.now()).time_zone().clone();
    let length = wish.work.length;
    let starts = possible(&view.directory, wish, &zone);
    let (first, last) = (wish.work.earliest, wish.work.earliest + ahead() + length);
    let others = all_near(view.cx, first, last)?;
    let taken = taken_by(&view.directory, &mine(wish, first), &others);
    let is_free = |start: &Timestamp| {
        let end = *start + length;
        !taken.iter().any(|(from, to)| *from < end && *start < *to)
    };
    Ok(starts.into_iter().filter(is_free).collect())
}

/// The same, the best ones first by the terms of planning.
fn ranked(view: &mut View<'_, '_, '_>, wish: &Wish<'_>, free: &[Timestamp]) -> acts::Result<Vec<Timestamp>> {
    let first = wish.work.earliest;
    let others = all_near(view.cx, first, first + ahead() + wish.work.length)?;
    let zone = view.reader.local(view.now()).time_zone().clone();
    let judging = Judging {
        directory: &view.directory,
        terms: &view.directory.planning(),
        mine: &mine(wish, first),
        earliest: first,
        others: &others,
        zone: &zone,
    };
    let slots = judging.ranked(free.iter().copied());
    Ok(slots.into_iter().map(|slot| slot.starts_at).collect())
}

/// Freezes over a time of the wished work that do not except it.
fn freezes<'d>(directory: &'d Directory, wish: &Wish<'_>, start: Timestamp) -> impl Iterator<Item = &'d Freeze> {
    let work = &wish.work;
    let covers = |freeze: &&Freeze| {
        freeze.stops_stored(work.change, (start, start + work.length))
            && work
                .places
                .iter()
                .any(|(service, place)| directory.is_frozen_by(freeze, service, place))
    };
    directory.freezes.iter().filter(covers).collect::<Vec<_>>().into_iter()
}

/// The obstacles to a start, a sentence each. They refuse nothing here: they show beforehand the requirements of scheduling,
/// and the conflicts in the calendar.
fn against(view: &mut View<'_, '_, '_>, wish: &Wish<'_>, start: Timestamp) -> acts::Result<Vec<String>> {
    let (directory, end) = (view.directory.clone(), start + wish.work.length);
    let freeze = |freeze: &Freeze| {
        let time = freeze.over(start, end).next().unwrap_or_else(|| freeze.once());
        let span = view.reader.span(time.starts_at, time.ends_at);
        format!("The freeze “{}” lies over it, from {span}.", freeze.title)
    };
    let mut found: Vec<String> = freezes(&directory, wish, start).map(freeze).collect();
    if !found.is_empty() {
        found.push(
            "During a freeze the change is not scheduled unless a change manager grants an exception.".to_owned(),
        );
    }
    let mut windows = windows(&directory, wish.work.places, (start - ahead(), start + ahead())).peekable();
    let has_some = windows.peek().is_some();
    if has_some
        && !windows.any(|window| {
            window
                .spans()
                .any(|time| time.starts_at <= start && end <= time.ends_at)
        })
    {
        found.push("The slot lies outside the maintenance windows of its targets.".to_owned());
    }
    for conflict in find_of(view.cx, &mine(wish, start))?.into_iter().take(COLLISIONS) {
        let with = &conflict.with;
        let told = conflict.met.iter().map(|met| match conflict.change {
            Some(_) if conflict.is_undo => format!("The planned undo of {with} is due then: {}.", met.sentence()),
            Some(_) => format!("{with} is planned then too: {}.", met.sentence()),
            None => format!("“{with}” lies over it: {}.", met.sentence()),
        });
        found.extend(told);
    }
    Ok(found)
}

/// The last free start before a time and the first after it; a time in a freeze counts from the freeze's end.
fn nearest(
    view: &mut View<'_, '_, '_>,
    wish: &Wish<'_>,
    start: Timestamp,
) -> acts::Result<(Option<Timestamp>, Option<Timestamp>)> {
    let over = (start, start + wish.work.length);
    let ends = freezes(&view.directory, wish, start)
        .flat_map(|freeze| freeze.over(over.0, over.1).map(|time| time.ends_at))
        .max();
    let near = (start - ahead(), start + ahead());
    let is_bound = windows(&view.directory, wish.work.places, near).next().is_some();
    let mut from = |earliest: Timestamp| {
        let work = Work {
            earliest: earliest.max(wish.work.earliest),
            ..wish.work.clone()
        };
        free(
            view,
            &Wish {
                work,
                is_bound,
                ..*wish
            },
        )
    };
    let around = from(start - ahead())?;
    let before = around.iter().rfind(|free| **free < start).copied();
    let after = from(ends.unwrap_or(start).max(start))?;
    Ok((before, after.into_iter().find(|free| *free > start)))
}

fn nearest_text(view: &View<'_, '_, '_>, before: Option<Timestamp>, after: Option<Timestamp>) -> String {
    let said = |at: Timestamp| view.reader.moment(at);
    match (before.map(said), after.map(said)) {
        (Some(before), Some(after)) => {
            format!("The latest free time before it is {before}, the next one after it {after}.")
        }
        (Some(before), None) => format!("The latest free time before it is {before}."),
        (None, Some(after)) => format!("The next free time after it is {after}."),
        (None, None) => "No time near it is free.".to_owned(),
    }
}

/// The times that conflict with a plan, because other plans use them, wherever the plan is put.
fn taken_by(directory: &Directory, mine: &Planned, others: &[Planned]) -> Vec<(Timestamp, Timestamp)> {
    taken_times(directory, &directory.planning(), mine, others)
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
    fn three_times_are_offered_of_as_many_days_or_else_of_fewer() {
        let starts = |days: &[i64]| -> Vec<Timestamp> {
            let hours = days.iter().map(|hours| SignedDuration::from_hours(*hours));
            hours.map(|hours| Timestamp::UNIX_EPOCH + hours).collect()
        };
        let day = |start: &Timestamp| start.as_second() / 86_400;
        let found = |hours: &[i64]| spread(&starts(hours), day);
        assert_eq!(found(&[20, 21, 44, 45, 68, 92]), starts(&[20, 44, 68]));
        assert_eq!(
            found(&[20, 21, 22, 44]),
            starts(&[20, 21, 44]),
            "two days have three times"
        );
        assert_eq!(found(&[20, 21]), starts(&[20, 21]), "and no more than there are");
    }

    #[test]
    fn a_window_of_several_days_has_times_on_each_and_none_behind_it() {
        let window = serde_json::json!({"id": "w", "version": 1, "title": "W", "services": ["api"],
            "starts_at": "1970-01-02T00:00:00Z", "ends_at": "1970-01-05T00:00:00Z"});
        let windows: Vec<MaintenanceWindow> = serde_json::from_value(vec![window].into()).unwrap();
        let directory = Directory {
            windows: windows.into(),
            ..Directory::default()
        };
        let places = [("api".into(), "production".into())];
        let wish = Wish {
            work: Work {
                places: &places,
                change: None,
                earliest: Timestamp::UNIX_EPOCH,
                length: SignedDuration::from_hours(1),
            },
            own: "",
            people: &BTreeSet::new(),
            items: &BTreeSet::new(),
            hour: USUAL_HOUR,
            is_bound: false,
        };
        let found = possible(&directory, &wish, &TimeZone::UTC);
        let days: BTreeSet<i64> = found.iter().map(|start| start.as_second() / 86_400).collect();
        assert_eq!(days, [1, 2, 3].into());
        let elsewhere = [("web".into(), "production".into())];
        let work = Work {
            places: &elsewhere,
            ..wish.work.clone()
        };
        let days = possible(&directory, &Wish { work, ..wish }, &TimeZone::UTC).len();
        assert!(days > 20, "no window speaks of it, and each day has its hour: {days}");
        let work = Work {
            earliest: "1970-01-06T00:00:00Z".parse().unwrap(),
            ..wish.work.clone()
        };
        let is_bound = true;
        let behind = Wish { work, is_bound, ..wish };
        assert!(
            possible(&directory, &behind, &TimeZone::UTC).is_empty(),
            "its windows are over"
        );
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

    #[test]
    fn config_items_stand_with_the_environment_of_their_target() {
        let pairs = [
            ("targets.0.environment", "production"),
            ("targets.0.config_items", "edge-dns, edge-zone-file"),
            ("targets.1.environment", ""),
            ("targets.1.config_items", "host-1"),
        ];
        let values = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let item = |key: &str| (key.to_owned(), EnvironmentKey::from("production"));
        assert_eq!(items(&values), [item("edge-dns"), item("edge-zone-file")].into());
    }
}

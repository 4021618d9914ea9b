//! Finds the conflicts of a change at its planned time, or at a hypothetical one. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::core::act::actions::READ;
use model::core::body::Body;
use model::core::enums::State;
use model::core::ids::{ChangeId, EnvironmentKey, PersonId, ServiceKey};
use model::core::parse::{LINE, Reading, later};
use model::core::refusal::Refusal;
use model::schedule::conflicts::{Found, LONGEST, Planned, find, find_first};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most other changes compared with one.
const MOST: i64 = 10_000;
/// The most targets and people of a plan that is tried.
const MOST_NAMED: usize = 100;
/// Of how many spans the plans near them are kept for the rest of an act that only reads.
const MOST_SPANS: usize = 16;
/// How many changes are read at once.
const AT_ONCE: usize = 500;
/// So long before its undo a change may start: the undo lies at most 92 days after the start.
const BEFORE_UNDO: SignedDuration = SignedDuration::from_hours(24 * 93);
/// The duration of a change without a plan.
const USUAL: SignedDuration = SignedDuration::from_hours(1);

/// A target of a plan that is tried: service, environment, config items.
type TriedTarget = (String, String, Vec<String>);

/// A hypothetical plan.
pub struct Tried {
    /// The plan.
    pub planned: Planned,
    /// Whether its times were given or known.
    pub has_times: bool,
}

/// The changes that may be under way within a span, and maintenance of imported calendars.
///
/// # Errors
/// The store's.
pub fn planned_near(cx: &mut Context<'_, '_>, from: Timestamp, to: Timestamp) -> Result<Vec<Planned>> {
    let directory = cx.directory()?;
    let gap = directory.planning().gap();
    let (from, to) = (later(from, -gap), later(to, gap));
    let open = |is_begun: bool| {
        let states = State::ALL.iter().filter(move |state| {
            state.is_open() && **state != State::Reviewing && (**state >= State::Implementing) == is_begun
        });
        states.map(|state| state.as_str())
    };
    let waiting = Filter::new()
        .one_of("state", open(false))
        .more("planned_start", later(from, -LONGEST))
        .less("planned_start", to)
        .more("planned_end", from)
        .order_by("planned_start")
        .limit(MOST);
    // Work under way may last longer than planned, so its planned end is not reliable.
    let begun = Filter::new()
        .one_of("state", open(true))
        .less("planned_start", to)
        .order_by("planned_start")
        .limit(MOST);
    let mut found = Vec::new();
    for filter in [waiting, begun] {
        let outlines = cx.outlines(&filter)?;
        let planned = outlines.iter().filter_map(|it| it.planned.as_ref());
        found.extend(planned.filter(|it| it.starts_at < to && from < it.ends_at).cloned());
    }
    found.extend(directory.maintenance(from, to));
    Ok(found)
}

/// The same, read once for each span of an act that only reads. An act that writes may move plans, so it reads them again.
fn planned_near_once(cx: &mut Context<'_, '_>, from: Timestamp, to: Timestamp) -> Result<Arc<Vec<Planned>>> {
    if let Some(known) = cx.near.get(&(from, to)) {
        return Ok(Arc::clone(known));
    }
    let found = Arc::new(planned_near(cx, from, to)?);
    if !cx.writes && cx.near.len() < MOST_SPANS {
        cx.near.insert((from, to), Arc::clone(&found));
    }
    Ok(found)
}

/// The planned undos of changes that may overlap a span. They are warnings from both sides; the kept records of conflicts are
/// about windows.
///
/// # Errors
/// The store's.
pub fn undos_near(cx: &mut Context<'_, '_>, from: Timestamp, to: Timestamp) -> Result<Vec<Planned>> {
    let gap = cx.directory()?.planning().gap();
    let (from, to) = (later(from, -gap), later(to, gap));
    let open = State::ALL.iter().filter(|state| state.is_open());
    let filter = Filter::new()
        .equals("planned_undo", "declared")
        .one_of("state", open.map(|state| state.as_str()))
        .more("planned_start", later(from, -BEFORE_UNDO))
        .less("planned_start", to)
        .order_by("planned_start")
        .limit(MOST);
    let outlines = cx.outlines(&filter)?;
    let undos = outlines.iter().filter_map(|it| it.undo.as_ref());
    Ok(undos
        .filter(|it| it.starts_at < to && from < it.ends_at)
        .cloned()
        .collect())
}

/// Windows, maintenance and planned undos near a span: everything that people see a plan compared with.
///
/// # Errors
/// The store's.
pub fn all_near(cx: &mut Context<'_, '_>, from: Timestamp, to: Timestamp) -> Result<Vec<Planned>> {
    let mut found = planned_near(cx, from, to)?;
    found.extend(undos_near(cx, from, to)?);
    Ok(found)
}

/// The plans of changes by their ids; those that are over or not planned are left out.
///
/// # Errors
/// The store's.
pub fn plans_of(cx: &mut Context<'_, '_>, ids: &[&str]) -> Result<BTreeMap<String, Planned>> {
    let mut found = BTreeMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let filter = Filter::new().one_of("id", ids.iter().copied()).order_by("id");
        let outlines = cx.outlines(&filter)?;
        let planned = outlines.iter().filter_map(|it| it.planned.as_ref());
        found.extend(planned.map(|it| (it.id.0.clone(), it.clone())));
    }
    Ok(found)
}

/// The changes with these ids, in the order of ids within each batch.
///
/// # Errors
/// The store's.
pub fn changes_of(cx: &mut Context<'_, '_>, ids: &[&str]) -> Result<Vec<Change>> {
    let mut found = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let filter = Filter::new().one_of("id", ids.iter().copied()).order_by("id");
        found.extend(record::bodies::<Change>(cx.tx, &filter)?);
    }
    Ok(found)
}

/// The conflicts of a plan, with the windows of all others: those that are kept as records.
///
/// # Errors
/// The store's.
pub(crate) fn find_all(cx: &mut Context<'_, '_>, mine: &Planned) -> Result<Vec<Found>> {
    let others = planned_near_once(cx, mine.starts_at, mine.ends_at)?;
    let directory = cx.directory()?;
    let own = directory.taken_up_by(&mine.key);
    if own.is_empty() {
        return Ok(find(&directory, &directory.planning(), mine, &others));
    }
    let others: Vec<Planned> = others.iter().filter(|it| !own.contains(it)).cloned().collect();
    Ok(find(&directory, &directory.planning(), mine, &others))
}

/// The conflicts of a plan that the acting person may see, with windows and planned undos of other changes.
///
/// # Errors
/// The store's.
pub fn find_of(cx: &mut Context<'_, '_>, mine: &Planned) -> Result<Vec<Found>> {
    find_first_of(cx, mine, usize::MAX)
}

/// The first of these conflicts, at most `most`.
///
/// # Errors
/// The store's.
pub(crate) fn find_first_of(cx: &mut Context<'_, '_>, mine: &Planned, most: usize) -> Result<Vec<Found>> {
    let planned = planned_near_once(cx, mine.starts_at, mine.ends_at)?;
    let undone = undos_near(cx, mine.starts_at, mine.ends_at)?;
    first_among(cx, mine, planned.iter().chain(&undone), most)
}

/// One conflict with a window and one with a planned undo, where there are any: which kinds a plan has.
///
/// # Errors
/// The store's.
pub(crate) fn find_one_of_each(cx: &mut Context<'_, '_>, mine: &Planned) -> Result<Vec<Found>> {
    let planned = planned_near_once(cx, mine.starts_at, mine.ends_at)?;
    let undone = undos_near(cx, mine.starts_at, mine.ends_at)?;
    let mut found = first_among(cx, mine, planned.iter(), 1)?;
    found.extend(first_among(cx, mine, undone.iter(), 1)?);
    Ok(found)
}

/// The first conflicts with these plans that the acting person may see.
fn first_among<'p>(
    cx: &mut Context<'_, '_>,
    mine: &Planned,
    others: impl Iterator<Item = &'p Planned>,
    most: usize,
) -> Result<Vec<Found>> {
    let directory = cx.directory()?;
    let own = directory.taken_up_by(&mine.key);
    let others = others.filter(|it| !own.contains(it));
    // A scoped person may not see the first ones.
    let looked_for = if cx.scope()?.is_some() { usize::MAX } else { most };
    let mut shown = Vec::new();
    for found in find_first((&directory, &directory.planning()), mine, others, looked_for) {
        let is_seen = match &found.change {
            Some(change) => cx.sees(change.as_str())?,
            None => true,
        };
        if is_seen && shown.len() < most {
            shown.push(found);
        }
    }
    Ok(shown)
}

/// The conflicts of a change as it is planned (`GET /changes/{key}/conflicts`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_change_conflicts(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<Found>> {
    cx.allow(READ)?;
    let change = cx.change(key)?;
    match Planned::of(&change) {
        Some(mine) => find_of(cx, &mine),
        None => Ok(Vec::new()),
    }
}

/// The conflicts of a plan that nobody set yet (`POST /conflict-previews`).
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn preview_conflicts(cx: &mut Context<'_, '_>, body: &Body) -> Result<Vec<Found>> {
    cx.allow(READ)?;
    let mut reading = Reading::new(body, "");
    let tried = read_plan(cx, &mut reading)?;
    if !tried.has_times {
        reading.wrong(
            "planned_start",
            "missing",
            "`planned_start` and `planned_end` are needed.",
        );
    }
    reading.finish()?;
    find_of(cx, &tried.planned)
}

/// Reads a plan: a change by its key, and the hypothetical differences.
///
/// # Errors
/// 404, 422, or the store's.
pub(crate) fn read_plan(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>) -> Result<Tried> {
    let now = cx.now;
    let change = match reading.text("change", LINE) {
        Some(key) => Some(cx.change(&key)?),
        None => None,
    };
    let mut planned = started(change.as_ref(), now);
    if let Some(targets) = reading.objects("targets", read_target) {
        check_targets(cx, reading, &targets)?;
        planned.places = targets
            .iter()
            .map(|(service, place, _)| (ServiceKey::from(service.as_str()), EnvironmentKey::from(place.as_str())))
            .collect();
        let items = targets.iter().flat_map(|(_, place, items)| {
            let place = EnvironmentKey::from(place.as_str());
            items.iter().map(move |item| (item.clone(), place.clone()))
        });
        planned.items = items.collect();
    }
    if planned.places.is_empty() && !reading.says("targets") {
        reading.wrong(
            "targets",
            "missing",
            "`targets` names service and environment, or `change` a change.",
        );
    }
    if let Some(people) = read_people(cx, reading)? {
        planned.people = people;
    }
    let (start, end) = (reading.time("planned_start"), reading.time("planned_end"));
    let has_times = change
        .as_ref()
        .is_some_and(|it| it.planned_start.is_some() && it.planned_end.is_some())
        || (start.is_some() && end.is_some());
    let length = planned.ends_at.duration_since(planned.starts_at);
    planned.starts_at = start.unwrap_or(planned.starts_at);
    planned.ends_at = end.unwrap_or_else(|| later(planned.starts_at, length));
    let length = planned.ends_at.duration_since(planned.starts_at);
    if !length.is_positive() || length > LONGEST {
        let text = "`planned_end` must be after `planned_start`, and at most 31 days after it.";
        reading.wrong("planned_end", "out_of_order", text);
    }
    Ok(Tried { planned, has_times })
}

/// A plan to begin with: that of a change, or none.
fn started(change: Option<&Change>, now: Timestamp) -> Planned {
    let times = change.and_then(|it| it.planned_start.zip(it.window_end()));
    let (starts_at, ends_at) = times.unwrap_or((now, later(now, USUAL)));
    let known = change.and_then(Planned::of).or_else(|| {
        // One without times has targets and people all the same.
        let timed = Change {
            planned_start: Some(starts_at),
            planned_end: Some(ends_at),
            ..change?.clone()
        };
        Planned::of(&timed)
    });
    known.unwrap_or_else(|| Planned {
        id: change.map_or_else(ChangeId::default, |it| it.id.clone()),
        key: change.map_or_else(String::new, |it| it.key.clone()),
        starts_at,
        ends_at,
        places: Vec::new(),
        items: BTreeSet::new(),
        people: BTreeSet::new(),
        maintenance: None,
        is_undo: false,
    })
}

fn read_target(reading: &mut Reading<'_>) -> TriedTarget {
    (
        reading.needed("service", LINE),
        reading.needed("environment", LINE),
        reading.texts("config_items", LINE).unwrap_or_default(),
    )
}

fn check_targets(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>, targets: &[TriedTarget]) -> Result<()> {
    let directory = cx.visible()?;
    if targets.len() > MOST_NAMED {
        reading.wrong(
            "targets",
            "too_many",
            format!("At most {MOST_NAMED} targets can be checked."),
        );
    }
    for (place, (service, environment, _)) in targets.iter().enumerate() {
        if !service.is_empty() && !directory.services.contains_key(&ServiceKey::from(service.as_str())) {
            let at = format!("targets[{place}].service");
            reading.wrong(&at, "unknown", format!("There is no service `{service}`."));
        }
        if !environment.is_empty()
            && !directory
                .environments
                .contains_key(&EnvironmentKey::from(environment.as_str()))
        {
            let at = format!("targets[{place}].environment");
            reading.wrong(&at, "unknown", format!("There is no environment `{environment}`."));
        }
    }
    Ok(())
}

/// Implementers and tester by their logins; `None` where the request names neither.
fn read_people(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>) -> Result<Option<BTreeSet<PersonId>>> {
    let directory = cx.directory()?;
    let implementers = reading.texts("implementers", LINE);
    let tester = reading.text("tester", LINE);
    if implementers.is_none() && tester.is_none() {
        return Ok(None);
    }
    let mut people = BTreeSet::new();
    for login in implementers.into_iter().flatten().chain(tester).take(MOST_NAMED) {
        match directory.by_login(&login) {
            Some(person) => {
                people.insert(person.id.clone());
            }
            None => reading.wrong(
                "implementers",
                "unknown",
                format!("There is nobody with the login `{login}`."),
            ),
        }
    }
    Ok(Some(people))
}

/// The change of a conflict, as messages and pages name it.
///
/// # Errors
/// 404, or the store's.
pub(crate) fn change_of(cx: &mut Context<'_, '_>, id: &str) -> Result<Change> {
    let found = cx.load_change(id)?;
    Ok(found.ok_or_else(|| Refusal::not_found(format!("change {id}")))?)
}

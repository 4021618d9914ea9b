//! Another time for a change: the collisions of a time are shown before a request for it.

use axum::extract::{Query, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::{self, ChangeFile};
use model::change::record::Change;
use model::change::requirement::earliest_start;
use model::core::act::{Act, actions};
use model::core::parse;
use model::directory::snapshot::Freeze;
use model::schedule::conflicts::Planned;
use model::schedule::offer::Slot;
use pages::elements::text;
use pages::{ActForm, ActTone, Entry, Field, Notice, Place, RecordPage, Rich, Section, SectionBody, Tone};

use acts::change::find_acts::find_acts;
use acts::schedule::change_conflicts::find_of;
use acts::schedule::offer_slots::offered;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::change::open_acts;
use crate::web::schedule::conflict_list::named;
use crate::web::shared::fields::{present_times, time_field};
use crate::web::shared::form::STANDS;
use crate::web::shared::response::see;
use crate::web::shared::view::{View, Visitor, show};

/// How far ahead links lead, in days.
const AHEAD: i64 = 366;
/// The most conflicts that are named.
const MOST: usize = 50;
/// How many free times are offered.
const OFFERED: usize = 8;
/// The most reasons of a time that are named: the strongest for and against it.
const REASONS: usize = 7;
/// How long a change takes when it has no times yet, in hours.
const USUAL_HOURS: i64 = 1;

/// The change and the times that are tried, as `datetime-local` values.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct RescheduleQuery {
    change: Option<String>,
    planned_start: Option<String>,
    planned_end: Option<String>,
}

/// Shows the consequences of a time.
pub(crate) async fn propose(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<RescheduleQuery>,
) -> Response {
    let Some(key) = asked.change.clone().filter(|key| !key.is_empty()) else {
        return see(&format!("{}/calendar", visitor.base()));
    };
    show(&state, &visitor, Place::Calendar, move |view| page(view, &key, &asked)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str, asked: &RescheduleQuery) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let file = view.cx.file(key)?;
    let open = find_acts(view.cx, &file)?;
    let change = &file.change;
    let read = |text: &Option<String>| text.as_deref().and_then(|text| view.reader.read_field(text));
    let start = read(&asked.planned_start)
        .or(change.planned_start)
        .unwrap_or(view.now());
    let usual = parse::later(start, SignedDuration::from_hours(USUAL_HOURS));
    let end = read(&asked.planned_end).or(change.planned_end).unwrap_or(usual);
    let (start, end) = (start, end.max(start));
    let mut found: Vec<Entry> = too_soon(view, &file, start).into_iter().collect();
    found.extend(against(view, key, start, end)?);
    let is_free = found.is_empty();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Calendar".to_owned(), view.url("/calendar")),
            (change.key.clone(), view.change_url(&change.key)),
        ],
        title: format!("Another time for {}", change.key),
        byline: Rich::new().said(change.content.title.as_str()),
        ..RecordPage::default()
    };
    let span = text::capital(&view.reader.span(start, end));
    page.notices.push(match is_free {
        true => Notice::new(Tone::Ok, "No conflict with a freeze or another change.").title(span),
        false => Notice::new(Tone::Stop, "The conflicts are listed below.").title(span),
    });
    if !is_free {
        page.sections.push(Section::new(
            "against",
            "Conflicts with this time",
            SectionBody::Entries(found),
        ));
    }
    page.sections.extend(offers(view, &file, start, end)?);
    page.sections.push(try_section(view, key, start, end));
    if open.has(Act::Schedule) {
        page.acts.push(set_form(view, &file, start, end));
    }
    Ok(page.render())
}

/// A rule on lead time that leaves no start so soon.
fn too_soon(view: &View<'_, '_, '_>, file: &ChangeFile, start: Timestamp) -> Option<Entry> {
    let (earliest, row) =
        earliest_start(file, &view.directory, view.now()).filter(|(earliest, _)| start < *earliest)?;
    let reason = row.obligation.reason.trim_end_matches('.');
    let why = format!("{reason}. It can start at {earliest} at the earliest.");
    let text = "Its lead time is too short";
    Some(
        Entry::new(Tone::Stop, text)
            .code(row.obligation.id.as_str())
            .why(view.sentence(&why)),
    )
}

/// Freezes, missing windows and other changes at a time.
fn against(view: &mut View<'_, '_, '_>, key: &str, start: Timestamp, end: Timestamp) -> acts::Result<Vec<Entry>> {
    let targets = {
        let file = view.cx.file(key)?;
        store_rows(&file)
    };
    let places: Vec<(&str, &str)> = targets
        .iter()
        .map(|(service, place)| (service.as_str(), place.as_str()))
        .collect();
    let mut entries = Vec::new();
    for freeze in view
        .directory
        .freezes
        .iter()
        .filter(|freeze| !freeze.ended && freeze.overlaps(start, end))
    {
        let covers = places.iter().any(|(service, place)| {
            view.directory
                .is_frozen_by(freeze, &(*service).into(), &(*place).into())
        });
        if covers {
            let text = Rich::new()
                .said_link(freeze.title.as_str(), view.url("/freezes"))
                .text(" forbids it");
            entries.push(Entry::new(Tone::Freeze, text).why(over_span(view, freeze, (start, end))));
        }
    }
    let change = view.cx.file(key)?.change;
    let timed = Change {
        planned_start: Some(start),
        planned_end: Some(end),
        extended_until: None,
        ..change
    };
    let Some(mine) = Planned::of(&timed) else {
        return Ok(entries);
    };
    for conflict in find_of(view.cx, &mine)?.into_iter().take(MOST) {
        let text = named(view, Rich::new(), &conflict);
        let span = view.reader.span(conflict.from, conflict.to);
        let why = conflict.met.iter().fold(Rich::new(), |why, met| {
            let why = if why.is_empty() { why } else { why.line() };
            why.text(format!("{span}: {}", met.sentence()))
        });
        entries.push(Entry::new(Tone::Stop, text).why(why));
    }
    Ok(entries)
}

fn store_rows(file: &change_file::ChangeFile) -> Vec<(String, String)> {
    let targets = file.change.content.targets.iter();
    targets
        .map(|target| (target.service.0.clone(), target.environment.0.clone()))
        .collect()
}

/// The best free times, each with its reasons, as links to their consequences.
fn offers(
    view: &mut View<'_, '_, '_>,
    file: &ChangeFile,
    start: Timestamp,
    end: Timestamp,
) -> acts::Result<Option<Section>> {
    let timed = Change {
        planned_start: Some(start),
        planned_end: Some(end),
        extended_until: None,
        ..file.change.clone()
    };
    let Some(mine) = Planned::of(&timed).filter(|_| file.change.state.is_before_start()) else {
        return Ok(None);
    };
    let led = earliest_start(file, &view.directory, view.now()).map(|(at, _)| at);
    let earliest = led.map_or(view.now(), |led| led.max(view.now()));
    let zone = view.reader.local(view.now()).time_zone().iana_name().map(str::to_owned);
    let slots = offered(view.cx, &mine, earliest, zone.as_deref(), OFFERED)?;
    let entry = |slot: &Slot| {
        let address = view.url(&format!(
            "/calendar/propose?change={}&planned_start={}&planned_end={}",
            escaped(&file.change.key),
            view.reader.field(slot.starts_at),
            view.reader.field(slot.ends_at)
        ));
        let words = text::capital(&view.reader.span(slot.starts_at, slot.ends_at));
        let entry = Entry::new(Tone::Plain, Rich::new().link(words, address)).aside(format!("{} of 100", slot.score));
        let why = slot.reasons.iter().take(REASONS).fold(Rich::new(), |why, reason| {
            let why = if why.is_empty() { why } else { why.line() };
            why.text(reason.text.as_str())
        });
        entry.why(why)
    };
    let entries: Vec<Entry> = slots.iter().map(entry).collect();
    Ok(Some(
        Section::new("offers", "The best free times", SectionBody::Entries(entries))
            .unsaid("No time in the next three weeks is free."),
    ))
}

/// Links to times nearby, so that nobody has to type one: none into the past, and a limited number.
fn try_section(view: &View<'_, '_, '_>, key: &str, start: Timestamp, end: Timestamp) -> Section {
    let hours = [
        ("An hour earlier", -1),
        ("An hour later", 1),
        ("A day earlier", -24),
        ("A day later", 24),
        ("A week later", 168),
    ];
    let (now, latest) = (view.now(), view.now() + SignedDuration::from_hours(24 * AHEAD));
    let entry = |(words, hours): (&str, i64)| {
        let by = SignedDuration::from_hours(hours);
        let (start, end) = (start + by, end + by);
        if (hours < 0 && end <= now) || (hours > 0 && start > latest) {
            return None;
        }
        let address = view.url(&format!(
            "/calendar/propose?change={}&planned_start={}&planned_end={}",
            escaped(key),
            view.reader.field(start),
            view.reader.field(end)
        ));
        Some(Entry::new(Tone::Plain, Rich::new().link(words, address)).why(view.reader.span(start, end)))
    };
    Section::new(
        "try",
        "Try another",
        SectionBody::Entries(hours.into_iter().filter_map(entry).collect()),
    )
    .acts(vec![try_form(view, key, start, end)])
}

/// The form for any other time: its response lists the time's collisions.
fn try_form(view: &View<'_, '_, '_>, key: &str, start: Timestamp, end: Timestamp) -> ActForm {
    ActForm::new("own", "A time of your own", view.url("/calendar/propose"))
        .question()
        .field(Field::hidden("change", key))
        .field(time_field(view, "planned_start", "Start").value(view.reader.field(start)))
        .field(time_field(view, "planned_end", "End").value(view.reader.field(end)))
        .submit("Check for conflicts")
}

fn set_form(view: &View<'_, '_, '_>, file: &ChangeFile, start: Timestamp, end: Timestamp) -> ActForm {
    let earliest = open_acts::earliest(view, file);
    let field = |name: &str, label: &str, at: Timestamp| -> Field {
        time_field(view, name, label).value(view.reader.field(at)).required()
    };
    let mut first = field("planned_start", "Start", start);
    if !earliest.is_empty() {
        first = first.hint(format!(
            "In {}. It can start at {earliest} at the earliest.",
            view.reader.zone_name()
        ));
    }
    ActForm::new(
        "schedule",
        "Set these times",
        format!("{}/schedule", view.change_url(&file.change.key)),
    )
    .tone(ActTone::Go)
    .field(Field::hidden(
        STANDS,
        present_times([("planned_start", Some(start)), ("planned_end", Some(end))]),
    ))
    .field(first)
    .field(field("planned_end", "End", end))
}

/// The time of a freeze that lies over a span, for the reader.
fn over_span(view: &View<'_, '_, '_>, freeze: &Freeze, (start, end): (Timestamp, Timestamp)) -> String {
    let time = freeze.over(start, end).next().unwrap_or_else(|| freeze.once());
    view.reader.span(time.starts_at, time.ends_at)
}

//! The calendar: day, week, month and a timeline by service, with windows, freezes and collisions.

mod table;
mod undos;

use std::collections::{BTreeMap, BTreeSet};

use acts::change::find_warnings::warnings_by_key;
use acts::report::find_changes::{ChangeFilter, ChangeRow as Listed, TargetRow, find_changes, shown_outcome};
use acts::report::find_undos::find_undos;
use acts::schedule::change_conflicts::plans_of;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use model::approval::warning::Warning;
use model::core::act::actions;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::schedule::conflicts::{Found, Planned, between, pairs};
use model::schedule::ways::Ways;
use pages::{
    ActForm, Band, Bar, Block, Calendar, CalendarStatus, Chip, Day, Drawing, Field, Lane, Movable, Notice, Place, Rich,
    Tone,
};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::fields::{environment_filter, service_filter};
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words;

/// The most changes that a calendar shows.
const MOST: i64 = 200;
/// How long before a span a change may have begun to be seen in it, in days.
const BEFORE: i64 = 7;
/// The most collisions listed above the calendar.
const TOLD: usize = 3;
/// The most changes that a day of a month shows.
const MOST_IN_MONTH: usize = 8;
/// The row of services that no team runs.
const NO_TEAM: &str = "No team";
/// The most colliding changes that a change of the table names.
const NAMED: usize = 5;

/// The query of the address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct CalendarQuery {
    view: Option<String>,
    from: Option<String>,
    service: Option<String>,
    environment: Option<String>,
}

/// How the calendar is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Day,
    Week,
    Month,
    Lanes,
    Teams,
}

impl Shape {
    const ALL: [(Shape, &'static str, &'static str); 5] = [
        (Shape::Day, "day", "Day"),
        (Shape::Week, "week", "Week"),
        (Shape::Month, "month", "Month"),
        (Shape::Lanes, "service", "By service"),
        (Shape::Teams, "team", "By team"),
    ];

    fn of(word: Option<&str>) -> Self {
        let found = Self::ALL.iter().find(|(_, name, _)| Some(*name) == word);
        found.map_or(Shape::Week, |(shape, _, _)| *shape)
    }

    fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(shape, _, _)| *shape == self)
            .map_or("week", |(_, word, _)| word)
    }
}

/// A change that is shown, with its times in the reader's zone.
struct Shown {
    listed: Listed,
    targets: Vec<TargetRow>,
    start: Zoned,
    end: Zoned,
}

/// The changes that a change collides with.
#[derive(Default)]
struct Others {
    /// The first, in the order of time.
    named: Vec<String>,
    /// How many more.
    more: usize,
}

/// Two plans that collide: a change, the other plan, and the reason.
struct Collision {
    one: Planned,
    other: Planned,
    found: Found,
}

/// A window or freeze that is shown.
struct Span {
    title: String,
    start: Zoned,
    end: Zoned,
    is_freeze: bool,
    services: BTreeSet<String>,
}

/// All data of one page.
struct Board {
    shape: Shape,
    asked: CalendarQuery,
    first: Date,
    days: usize,
    today: Date,
    changes: Vec<Shown>,
    /// Whether more is planned in this time than was looked at.
    is_cut: bool,
    spans: Vec<Span>,
    /// The first collisions, up to the limit.
    told: Vec<Collision>,
    /// How many there are.
    collisions: usize,
    /// The colliding changes of each change.
    colliding: BTreeMap<String, Others>,
    /// The other warnings before a decision, for each change.
    warned: BTreeMap<String, Vec<Warning>>,
}

/// The calendar.
pub(crate) async fn calendar(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<CalendarQuery>,
) -> Response {
    show(&state, &visitor, Place::Calendar, move |view| page(view, &asked)).await
}

fn page(view: &mut View<'_, '_, '_>, asked: &CalendarQuery) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    view.follow(None);
    let board = gather(view, asked)?;
    let drawing = match board.shape {
        Shape::Day | Shape::Week => Drawing::Days(days(view, &board)),
        Shape::Month => Drawing::Month(days(view, &board)),
        Shape::Lanes | Shape::Teams => lanes(view, &board),
    };
    let step = match board.shape {
        Shape::Day => 1,
        Shape::Lanes | Shape::Teams => 4,
        Shape::Week => 7,
        Shape::Month => 28,
    };
    let acts = vec![
        ActForm::link("As a list", view.url("/windows")).tone(pages::ActTone::Quiet),
        ActForm::link("Conflicts", view.url("/conflicts")).tone(pages::ActTone::Quiet),
        ActForm::link("Status", view.url("/status")).tone(pages::ActTone::Quiet),
        ActForm::link("Subscribe", view.url("/calendar/feed")).tone(pages::ActTone::Quiet),
    ];
    let page = Calendar {
        frame: view.frame.clone(),
        title: title(&board),
        lede: lede(view, &board),
        acts,
        views: Shape::ALL
            .iter()
            .map(|(shape, _, words)| {
                (
                    (*words).to_owned(),
                    address(view, &board.asked, *shape, board.anchor()),
                    *shape == board.shape,
                )
            })
            .collect(),
        earlier: address(
            view,
            &board.asked,
            board.shape,
            board.anchor().saturating_sub(step.days()),
        ),
        today: address(view, &board.asked, board.shape, board.today),
        later: address(
            view,
            &board.asked,
            board.shape,
            board.anchor().saturating_add(step.days()),
        ),
        chips: chips(view, &board),
        filters: filters(view, &board),
        filter_url: view.url("/calendar"),
        notices: notices(view, &board),
        table: table::table(view, &board),
        drawing,
    };
    Ok(page.render())
}

impl Board {
    /// The day that the address names.
    fn anchor(&self) -> Date {
        match self.shape {
            Shape::Week => self.first.saturating_add(2.days()),
            Shape::Month => self.first.saturating_add(10.days()),
            Shape::Day | Shape::Lanes | Shape::Teams => self.first,
        }
    }
}

fn gather(view: &mut View<'_, '_, '_>, asked: &CalendarQuery) -> acts::Result<Board> {
    let shape = Shape::of(asked.view.as_deref());
    let today = view.reader.local(view.now()).date();
    let anchor = asked
        .from
        .as_deref()
        .and_then(|text| text.parse::<Date>().ok())
        .unwrap_or(today);
    // Two days of the past stay visible, because last night's work is discussed in the morning.
    let (first, days) = match shape {
        Shape::Day => (anchor, 1),
        Shape::Week => (anchor.saturating_sub(2.days()), 7),
        Shape::Lanes | Shape::Teams => (anchor, 4),
        Shape::Month => {
            let first = anchor.first_of_month();
            let back = i64::from(first.weekday().to_monday_zero_offset());
            (first.saturating_sub(back.days()), 42)
        }
    };
    let from = start_of(view, first);
    let to = start_of(view, first.saturating_add(i64::try_from(days).unwrap_or(1).days()));
    let (changes, is_cut) = changes(view, asked, from, to)?;
    let ids: Vec<&str> = changes.iter().map(|one| one.listed.id.as_str()).collect();
    let mut planned: Vec<Planned> = plans_of(view.cx, &ids)?.into_values().collect();
    planned.extend(view.directory.maintenance(from, to));
    let undone = find_undos(view.cx, of_places(asked), (from, to))?;
    planned.extend(undone.iter().filter_map(Planned::undo_of));
    let terms = view.directory.planning();
    let mut ways = Ways::of(&view.directory, terms.steps());
    let pairs = pairs(&mut ways, &terms, &planned);
    let told = pairs.iter().take(TOLD).filter_map(|(one, other)| {
        let (one, other) = (planned[*one].clone(), planned[*other].clone());
        let found = between(&mut ways, (&view.directory, &terms), &one, &other)?;
        Some(Collision { one, other, found })
    });
    let (told, collisions, colliding) = (told.collect(), pairs.len(), table::others(&planned, &pairs));
    let warned = warnings_by_key(view.cx, &ids)?;
    let mut spans = spans(view, asked, from, to);
    spans.extend(undos::undos(view, &undone));
    Ok(Board {
        shape,
        asked: asked.clone(),
        first,
        days,
        today,
        spans,
        told,
        collisions,
        colliding,
        warned,
        changes,
        is_cut,
    })
}

/// The instant at which a day begins for the reader.
fn start_of(view: &View<'_, '_, '_>, date: Date) -> Timestamp {
    let zone = view.reader.local(view.now()).time_zone().clone();
    date.to_zoned(zone).map_or(view.now(), |zoned| zoned.timestamp())
}

/// Planned changes, in the order of time, and whether there are more than were read.
fn changes(
    view: &mut View<'_, '_, '_>,
    asked: &CalendarQuery,
    from: Timestamp,
    to: Timestamp,
) -> acts::Result<(Vec<Shown>, bool)> {
    let filter = ChangeFilter {
        planned_from: from.checked_sub(SignedDuration::from_hours(24 * BEFORE)).ok(),
        planned_to: Some(to),
        ..of_places(asked)
    };
    let mut shown = Vec::new();
    let found = find_changes(view.cx, &filter, MOST, None)?;
    let is_cut = found.next.is_some();
    for (listed, targets) in found.rows {
        let (Some(start), Some(end)) = (listed.planned_start, listed.planned_end) else {
            continue;
        };
        if end <= from || matches!(listed.state.as_str(), "cancelled" | "rejected") {
            continue;
        }
        let (start, end) = (view.reader.local(start), view.reader.local(end));
        shown.push(Shown {
            listed,
            targets,
            start,
            end,
        });
    }
    shown.sort_by_key(|one| one.start.timestamp());
    Ok((shown, is_cut))
}

/// The changes at the selected places.
fn of_places(asked: &CalendarQuery) -> ChangeFilter {
    let said = |text: &Option<String>| text.clone().filter(|it| !it.is_empty());
    ChangeFilter {
        service: said(&asked.service),
        environment: said(&asked.environment),
        ..ChangeFilter::default()
    }
}

fn spans(view: &View<'_, '_, '_>, asked: &CalendarQuery, from: Timestamp, to: Timestamp) -> Vec<Span> {
    let service = asked
        .service
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(ServiceKey::from);
    let place = asked
        .environment
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(EnvironmentKey::from);
    // A span without services or environments is about all of them.
    let touches = |services: &BTreeSet<ServiceKey>, places: &BTreeSet<EnvironmentKey>| {
        service
            .as_ref()
            .is_none_or(|key| services.is_empty() || services.contains(key))
            && place
                .as_ref()
                .is_none_or(|key| places.is_empty() || places.contains(key))
    };
    let names = |services: &BTreeSet<ServiceKey>| services.iter().map(|key| key.0.clone()).collect();
    let mut spans = Vec::new();
    for window in view.directory.windows.iter().filter(|window| !window.ended) {
        if !touches(&window.services, &window.environments) {
            continue;
        }
        spans.extend(window.spans().filter(|time| time.overlaps(from, to)).map(|time| Span {
            title: window.title.clone(),
            start: view.reader.local(time.starts_at),
            end: view.reader.local(time.ends_at),
            is_freeze: false,
            services: names(&window.services),
        }));
    }
    for event in view.directory.maintenance(from, to) {
        let scope = event.maintenance.unwrap_or_default();
        if touches(&scope.services, &scope.environments) {
            spans.push(Span {
                title: format!("Maintenance: {}", event.key),
                start: view.reader.local(event.starts_at),
                end: view.reader.local(event.ends_at),
                is_freeze: false,
                services: names(&scope.services),
            });
        }
    }
    for freeze in view.directory.freezes.iter().filter(|freeze| !freeze.ended) {
        if !view.directory.is_about(freeze, service.as_ref(), place.as_ref()) {
            continue;
        }
        spans.extend(freeze.over(from, to).map(|time| Span {
            title: freeze.title.clone(),
            start: view.reader.local(time.starts_at),
            end: view.reader.local(time.ends_at),
            is_freeze: true,
            services: names(&view.directory.frozen_services(freeze)),
        }));
    }
    spans
}

fn title(board: &Board) -> String {
    let last = board
        .first
        .saturating_add(i64::try_from(board.days).unwrap_or(1).saturating_sub(1).days());
    match board.shape {
        Shape::Day => board.first.strftime("%A %-d %B %Y").to_string(),
        Shape::Month => board.anchor().strftime("%B %Y").to_string(),
        Shape::Week | Shape::Lanes | Shape::Teams => {
            let start = match board.first.month() == last.month() {
                true => board.first.strftime("%-d").to_string(),
                false => board.first.strftime("%-d %B").to_string(),
            };
            let by = match board.shape {
                Shape::Lanes => ", by service",
                Shape::Teams => ", by team",
                _ => "",
            };
            format!("{start} to {}{by}", last.strftime("%-d %B %Y"))
        }
    }
}

fn lede(view: &View<'_, '_, '_>, board: &Board) -> String {
    let zone = view.reader.zone_name();
    match board.shape {
        Shape::Day | Shape::Week => format!(
            "Your time, {zone}. Evening and night are drawn larger than the day, because most changes happen then."
        ),
        Shape::Month | Shape::Lanes | Shape::Teams => format!("Your time, {zone}."),
    }
}

fn address(view: &View<'_, '_, '_>, asked: &CalendarQuery, shape: Shape, from: Date) -> String {
    let mut url = view.url(&format!("/calendar?view={}&from={from}", shape.word()));
    for (name, value) in asked.filters() {
        url.push_str(&format!("&{name}={}", escaped(value)));
    }
    url
}

impl CalendarQuery {
    fn filters(&self) -> Vec<(&'static str, &str)> {
        let rows = [("service", &self.service), ("environment", &self.environment)];
        let set = rows
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)));
        set.filter(|(_, value)| !value.is_empty()).collect()
    }
}

fn chips(view: &View<'_, '_, '_>, board: &Board) -> Vec<Chip> {
    let chip = |(name, value): (&'static str, &str)| {
        let mut without = board.asked.clone();
        match name {
            "service" => without.service = None,
            _ => without.environment = None,
        }
        Chip {
            label: words::capital(name),
            value: value.to_owned(),
            remove_url: address(view, &without, board.shape, board.anchor()),
            is_said: true,
        }
    };
    board.asked.filters().into_iter().map(chip).collect()
}

fn filters(view: &View<'_, '_, '_>, board: &Board) -> Vec<Field> {
    vec![
        Field::hidden("view", board.shape.word()),
        Field::hidden("from", board.anchor().to_string()),
        service_filter(view, board.asked.service.as_deref().unwrap_or_default()),
        environment_filter(view, board.asked.environment.as_deref().unwrap_or_default()),
    ]
}

fn status_of(listed: &Listed, now: Timestamp) -> CalendarStatus {
    match listed.state.as_str() {
        "closed" | "reviewing" => CalendarStatus::Done,
        "draft" | "assessing" | "authorizing" => CalendarStatus::Tentative,
        _ if stays_away(listed, now).is_some() => CalendarStatus::Tentative,
        _ => CalendarStatus::Decided,
    }
}

/// The reason why an approved change does not start: it is on hold, or its window passed without a start.
pub(crate) fn stays_away(listed: &Listed, now: Timestamp) -> Option<&'static str> {
    let is_awaited = matches!(listed.state.as_str(), "approved" | "scheduled");
    match listed.planned_end {
        _ if listed.on_hold => Some("on hold"),
        Some(end) if is_awaited && end <= now => Some("window missed"),
        _ => None,
    }
}

/// The state of a change, as the most specific label.
fn state_text(listed: &Listed, targets: &[TargetRow], now: Timestamp) -> String {
    let outcome = shown_outcome(&listed.state, targets).map(|it| words::plain(it.as_str()));
    let state = || outcome.unwrap_or_else(|| listed.state.clone());
    stays_away(listed, now).map_or_else(state, str::to_owned)
}

/// The hours of a day in a span: the first, and how many. `None` when the span is not on that day.
fn hours_on(day: Date, start: &Zoned, end: &Zoned) -> Option<(u8, u8)> {
    if start.date() > day || end.date() < day || (end.date() == day && end.time() == Time::midnight()) {
        return None;
    }
    let first = if start.date() == day { start.hour() } else { 0 };
    let behind = match end.date() == day {
        true => end.hour() + i8::from(end.minute() > 0),
        false => 24,
    };
    let first = u8::try_from(first).ok()?;
    let count = u8::try_from(behind).ok()?.saturating_sub(first).max(1);
    Some((first, count))
}

fn days(view: &View<'_, '_, '_>, board: &Board) -> Vec<Day> {
    let month = board.anchor().month();
    (0..board.days)
        .map(|number| {
            let date = board
                .first
                .saturating_add(i64::try_from(number).unwrap_or_default().days());
            let is_today = date == board.today;
            let now = view.reader.local(view.now());
            let hour = u8::try_from(now.hour()).unwrap_or_default();
            let suffix = if is_today && board.shape != Shape::Month {
                " · today"
            } else {
                ""
            };
            let number = match (board.shape, date.day()) {
                (Shape::Month, 1) => date.strftime("%-d %b").to_string(),
                (_, day) => format!("{day}{suffix}"),
            };
            let (blocks, more) = blocks(view, board, date);
            Day {
                name: date.strftime("%a").to_string(),
                number,
                href: address(view, &board.asked, Shape::Day, date),
                is_today,
                is_outside: board.shape == Shape::Month && date.month() != month,
                now: is_today.then(|| (hour, format!("Now, {}", view.reader.time(view.now())))),
                bands: bands(view, board, date),
                blocks,
                more,
            }
        })
        .collect()
}

fn bands(view: &View<'_, '_, '_>, board: &Board, date: Date) -> Vec<Band> {
    let band = |span: &Span| {
        let (hour, hours) = hours_on(date, &span.start, &span.end)?;
        let clock = |zoned: &Zoned| view.reader.time(zoned.timestamp());
        let begins = (span.start.date() == date).then(|| format!("from {}", clock(&span.start)));
        let ends = (span.end.date() == date).then(|| format!("to {}", clock(&span.end)));
        let told: Vec<String> = begins.into_iter().chain(ends).collect();
        Some(Band {
            title: span.title.clone(),
            hours_told: told.join(" "),
            href: String::new(),
            is_freeze: span.is_freeze,
            hour,
            hours,
        })
    };
    board.spans.iter().filter_map(band).collect()
}

/// The blocks drawn on a day, and the number of those without room.
fn blocks(view: &View<'_, '_, '_>, board: &Board, date: Date) -> (Vec<Block>, usize) {
    let mut blocks: Vec<Block> = Vec::new();
    for one in &board.changes {
        let Some((hour, hours)) = hours_on(date, &one.start, &one.end) else {
            continue;
        };
        let time = match one.start.date() == date {
            true => view.reader.time(one.start.timestamp()),
            false => "continued".to_owned(),
        };
        blocks.push(Block {
            href: view.change_url(&one.listed.key),
            title: one.listed.title.clone(),
            time,
            state: state_text(&one.listed, &one.targets, view.now()),
            hour,
            hours,
            standing: status_of(&one.listed, view.now()),
            clashes: board.colliding.contains_key(&one.listed.key),
            column: (1, 1),
            movable: movable(view, one),
        });
    }
    blocks.sort_by_key(|block| block.hour);
    if board.shape == Shape::Month {
        let more = blocks.len().saturating_sub(MOST_IN_MONTH);
        blocks.truncate(MOST_IN_MONTH);
        return (blocks, more);
    }
    let more = Block::spread(&mut blocks);
    (blocks, more)
}

/// The row of a service on a timeline: itself, or the team that runs it.
fn row_of(view: &View<'_, '_, '_>, shape: Shape, service: &str) -> String {
    if shape != Shape::Teams {
        return service.to_owned();
    }
    let known = view.directory.services.get(&ServiceKey::from(service));
    known
        .and_then(|it| it.team.clone())
        .unwrap_or_else(|| NO_TEAM.to_owned())
}

/// The form that moves a change whose times may still be set.
fn movable(view: &View<'_, '_, '_>, one: &Shown) -> Option<Movable> {
    let movable = ["draft", "assessing", "authorizing", "approved", "scheduled"];
    movable.contains(&one.listed.state.as_str()).then(|| Movable {
        href: view.url(&format!("/calendar/propose?change={}", one.listed.key)),
        from: view.reader.field(one.start.timestamp()),
        to: view.reader.field(one.end.timestamp()),
    })
}

/// A change on a timeline; `at` places an instant on it.
fn bar(view: &View<'_, '_, '_>, board: &Board, one: &Shown, at: &dyn Fn(&Zoned) -> u32) -> Bar {
    Bar {
        from: at(&one.start),
        length: (at(&one.end) - at(&one.start)).max(6),
        title: one.listed.title.clone(),
        key: one.listed.key.clone(),
        href: view.change_url(&one.listed.key),
        standing: status_of(&one.listed, view.now()),
        word: stays_away(&one.listed, view.now()).unwrap_or_default(),
        clashes: board.colliding.contains_key(&one.listed.key),
        row: 0,
        movable: movable(view, one),
    }
}

fn lanes(view: &View<'_, '_, '_>, board: &Board) -> Drawing {
    let from = start_of(view, board.first).as_second();
    let to = start_of(
        view,
        board
            .first
            .saturating_add(i64::try_from(board.days).unwrap_or(1).days()),
    )
    .as_second();
    let whole = (to - from).max(1);
    let at = |when: &Zoned| {
        let seconds = (when.timestamp().as_second() - from).clamp(0, whole);
        u32::try_from(seconds * 1_000 / whole).unwrap_or_default()
    };
    let mut rows: BTreeMap<String, Vec<Bar>> = BTreeMap::new();
    for one in &board.changes {
        let keys = one
            .targets
            .iter()
            .map(|target| row_of(view, board.shape, &target.service));
        for row in keys.collect::<BTreeSet<String>>() {
            rows.entry(row).or_default().push(bar(view, board, one, &at));
        }
    }
    let bands = |row: &str| {
        let mut of_row = |service: &String| row_of(view, board.shape, service) == row;
        let covers = |span: &&Span| span.services.is_empty() || span.services.iter().any(&mut of_row);
        let spans = board.spans.iter().filter(covers);
        spans
            .map(|span| (at(&span.start), at(&span.end) - at(&span.start), span.is_freeze))
            .collect()
    };
    let lanes = rows.into_iter().map(|(row, bars)| {
        let service = view.directory.services.get(&ServiceKey::from(row.as_str()));
        let (href, team) = match board.shape {
            Shape::Teams => (String::new(), String::new()),
            _ => (
                view.url(&format!("/services/{row}")),
                service.and_then(|known| known.team.clone()).unwrap_or_default(),
            ),
        };
        let mut lane = Lane {
            bands: bands(&row),
            service: row,
            href,
            team,
            bars,
        };
        lane.settle();
        lane
    });
    let days = (0..board.days).map(|number| {
        let date = board
            .first
            .saturating_add(i64::try_from(number).unwrap_or_default().days());
        let seconds = start_of(view, date).as_second() - from;
        let today = if date == board.today { " · today" } else { "" };
        let place = u32::try_from(seconds * 1_000 / whole).unwrap_or_default();
        (place, format!("{}{today}", date.strftime("%a %-d")))
    });
    Drawing::Lanes(days.collect(), lanes.collect())
}

fn notices(view: &View<'_, '_, '_>, board: &Board) -> Vec<Notice> {
    let notice = |it: &Collision| {
        let span = view.reader.span(it.found.from, it.found.to);
        let title = words::capital(&format!("{} and {} collide {span}", it.one.name(), it.other.name()));
        let mut text = Rich::from(words::capital(&format!("{}. ", it.found.sentence()))).text("Another time for ");
        let changes = [&it.one, &it.other]
            .into_iter()
            .filter(|plan| plan.maintenance.is_none());
        for (place, plan) in changes.enumerate() {
            let propose = view.url(&format!("/calendar/propose?change={}", plan.key));
            text = if place == 0 { text } else { text.text(" or ") };
            text = text.link(plan.key.as_str(), propose);
        }
        Notice::new(Tone::Stop, text.text(".")).title(title)
    };
    let mut notices: Vec<Notice> = board.told.iter().map(notice).collect();
    if board.is_cut {
        let text = format!("More changes are planned in this time; only the newest {MOST} are shown. ");
        let more = Rich::from(text).text("Filter by service or environment to see the others.");
        notices.insert(0, Notice::new(Tone::Wait, more).title("Not every change is shown"));
    }
    let rest = board.collisions.saturating_sub(board.told.len());
    if rest > 0 {
        notices.push(Notice::new(
            Tone::Stop,
            format!(
                "{} more collide; the table below marks them.",
                pages::count(rest as u64)
            ),
        ));
    }
    notices
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::table::{others, with};
    use super::*;
    use model::directory::snapshot;

    fn zoned(text: &str) -> Zoned {
        format!("{text}[Europe/Oslo]").parse().unwrap()
    }

    #[test]
    fn a_change_that_collides_with_hundreds_names_a_few() {
        let keys: Vec<String> = (0..300).map(|number| format!("CHG-{number}")).collect();
        let (starts_at, ends_at) = (
            Timestamp::UNIX_EPOCH,
            Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1),
        );
        let crowd = keys.iter().map(|key| Planned {
            id: key.as_str().into(),
            key: key.clone(),
            starts_at,
            ends_at,
            places: vec![("pay".into(), "production".into())],
            items: BTreeSet::new(),
            people: BTreeSet::new(),
            maintenance: None,
            is_undo: false,
        });
        let crowd: Vec<Planned> = crowd.collect();
        let directory = snapshot::Directory::default();
        let told = |crowd: &[Planned]| {
            let pairs = pairs(&mut Ways::of(&directory, 4), &directory.planning(), crowd);
            (pairs.len(), others(crowd, &pairs).get("CHG-0").map(with))
        };
        assert_eq!(told(&crowd[..1]), (0, None));
        assert_eq!(told(&crowd[..3]), (3, Some("with CHG-1, CHG-2".to_owned())));
        let many = "with CHG-1, CHG-10, CHG-100, CHG-101, CHG-102 and 294 more";
        assert_eq!(told(&crowd), (44_850, Some(many.to_owned())));
    }

    #[test]
    fn a_span_over_midnight_stands_on_both_days() {
        let (start, end) = (zoned("2026-11-21T22:30+01:00"), zoned("2026-11-22T01:10+01:00"));
        let day = |day: i8| jiff::civil::date(2026, 11, day);
        assert_eq!(hours_on(day(20), &start, &end), None);
        assert_eq!(hours_on(day(21), &start, &end), Some((22, 2)));
        assert_eq!(hours_on(day(22), &start, &end), Some((0, 2)));
        assert_eq!(hours_on(day(23), &start, &end), None);
        let until_midnight = zoned("2026-11-22T00:00+01:00");
        assert_eq!(hours_on(day(22), &start, &until_midnight), None);
    }
}

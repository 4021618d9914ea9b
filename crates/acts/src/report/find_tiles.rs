//! Finds the tiles of a dashboard for the acting person, and the changes behind a row of a tile. Counts and rows come from one
//! filter, so that they agree; every reader sees only rows that they may read.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::core::act::actions::READ;
use model::core::enums::{Kind, Level, Outcome, State};
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use model::notify::action_item::ActionItem;
use model::report::change_outcome::{ChangeOutcome, TargetOutcome};
use model::report::dashboard::{
    AGES, AHEAD_DAYS, BACK_DAYS, DASHBOARDS, MOST_ROWS, Source, TILES, Tile, WEEKS, of_role, tile_of,
};
use model::report::evaluate::Window;
use model::report::saved_dashboard::{Dashboard, filters_of};
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::notify::list_items::{self, ItemQuery, Whose};
use crate::report::find_changes::{
    ChangeFilter, ChangeRow, FoundChanges, Order, SortKey, count_changes, count_written, find_changes, find_ordered,
};
use crate::report::find_figures::{FoundFigure, Ordered, Rows, figure_of, kind_of};
use crate::report::find_waits::find_waits;
use crate::report::log_mark::{LogMark, find_mark, is_fresh};
use crate::report::metric_query::{MetricQuery, is_change_manager, read_query};
use crate::report::recent_rows::{find_of_kind, find_recent};

/// The most changes that one row counts; more are shown as at least so many.
pub const MOST_COUNTED: i64 = 10_000;
/// The most changes for which the waiting people are computed, the oldest first: these wait longest.
pub const MOST_WAITING: i64 = 300;
/// For how many seconds a reader gets the same tiles, until the next act.
const STAND_FOR: i64 = 10;
/// In the order in which they were written.
const OLDEST_FIRST: Order = Order {
    key: SortKey::Number,
    is_down: false,
};
/// The most changes behind a row that are listed.
pub const MOST_LISTED: i64 = 200;

/// The filters of a dashboard: pairs of [`model::report::saved_dashboard::FILTERS`] and a value.
pub type Narrow = Vec<(&'static str, String)>;

/// A dashboard: that of a role, or a saved one.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its key in addresses.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Whether a person wrote the title.
    pub is_said: bool,
    /// Its tiles.
    pub tiles: Vec<&'static Tile>,
    /// Its own filters; those of the address go before them.
    pub narrow: Narrow,
}

/// A row of a tile.
#[derive(Debug, Clone, Default)]
pub struct TileRow {
    /// Its id within the tile.
    pub id: String,
    /// The label, in the terms of the rules.
    pub label: String,
    /// Whether a person wrote the label.
    pub is_said: bool,
    /// How many; of a bottleneck, minutes.
    pub count: i64,
    /// Whether these are all; if not, there are at least this many.
    pub is_whole: bool,
    /// The filters of the list of changes that it counts; empty where it counts something else.
    pub list: Vec<(&'static str, String)>,
    /// The page of its records, below the tenant's address, where it counts no list of changes.
    pub path: String,
    /// The keys of its changes, where no list has them.
    pub changes: Vec<String>,
    /// From when until when, of a freeze.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// A tile with its count.
#[derive(Debug, Clone)]
pub struct FoundTile {
    /// The tile.
    pub tile: &'static Tile,
    /// Its rows.
    pub rows: Vec<TileRow>,
    /// Of a metric, the figure.
    pub figure: Option<FoundFigure>,
    /// Whether it has more rows than shown, or counts only a part.
    pub is_cut: bool,
    /// From when on it counts, where its window holds more changes than a dashboard reads.
    pub since: Option<Timestamp>,
}

impl FoundTile {
    fn empty(tile: &'static Tile) -> Self {
        Self {
            tile,
            rows: Vec::new(),
            figure: None,
            is_cut: false,
            since: None,
        }
    }
}

/// The dashboard with this key: a role's, or a saved one that the acting person reads.
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_dashboard(cx: &mut Context<'_, '_>, key: &str) -> Result<Wanted> {
    cx.allow(READ)?;
    if let Some(role) = of_role(key) {
        return Ok(Wanted {
            key: role.key.to_owned(),
            title: role.title.to_owned(),
            is_said: false,
            tiles: role.tiles.iter().filter_map(|id| tile_of(id)).collect(),
            narrow: Narrow::new(),
        });
    }
    let known = DASHBOARDS.iter().map(|it| it.key).collect::<Vec<_>>().join(", ");
    let saved = Dashboard::found(cx, key)?.filter(|it| it.active);
    let text = || format!("dashboard {key} (those of roles are {known})");
    let saved = saved.ok_or_else(|| Refusal::not_found(text()))?;
    Ok(Wanted {
        key: saved.id.0.clone(),
        title: saved.title,
        is_said: true,
        tiles: saved.tiles.iter().filter_map(|id| tile_of(id)).collect(),
        narrow: filters_of(saved.query.as_deref().unwrap_or_default()).unwrap_or_default(),
    })
}

/// Reads the filters of an address over those of a dashboard; `get` returns the value of a filter.
///
/// # Errors
/// 422 with each value that nothing has.
pub fn read_narrow<'q>(directory: &Directory, own: &Narrow, get: impl Fn(&str) -> Option<&'q str>) -> Result<Narrow> {
    let mut wrong = Vec::new();
    let mut found = Narrow::new();
    for name in model::report::saved_dashboard::FILTERS {
        let asked = get(name).map(str::trim).filter(|value| !value.is_empty());
        let kept = own
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str());
        let Some(value) = asked.or(kept) else { continue };
        if let Some(why) = why_not(directory, name, value) {
            wrong.push(FieldError::new(name, "unknown", why));
        }
        found.push((name, value.to_owned()));
    }
    match wrong.is_empty() {
        true => Ok(found),
        false => Err(Refusal::Invalid(wrong).into()),
    }
}

/// Why nothing has this value of a filter.
pub(super) fn why_not(directory: &Directory, name: &str, value: &str) -> Option<String> {
    match name {
        "service" => {
            let is_known = directory.services.contains_key(&ServiceKey::from(value));
            (!is_known).then(|| unknown_name::service(directory, value))
        }
        "environment" => {
            let is_known = directory.environments.contains_key(&EnvironmentKey::from(value));
            (!is_known).then(|| unknown_name::environment(directory, value))
        }
        "kind" => value.parse::<Kind>().err().map(|why| format!("`kind`: {why}.")),
        "risk" => value.parse::<Level>().err().map(|why| format!("`risk`: {why}.")),
        _ => None,
    }
}

/// Tiles as they were found, with the acts that were seen.
#[derive(Debug)]
struct Kept {
    mark: LogMark,
    at: Timestamp,
    tiles: Vec<FoundTile>,
}

/// Finds the tiles of a dashboard, their figures from rows that are loaded once. If a tile's window has more than
/// [`MOST_READ`](crate::report::recent_rows::MOST_READ) changes, the tile counts the newest part and shows its start. Until
/// the next act, and for some seconds at most, a reader gets the same tiles again.
///
/// # Errors
/// 403, or the store's.
pub fn find_tiles(cx: &mut Context<'_, '_>, tiles: &[&'static Tile], narrow: &Narrow) -> Result<Vec<FoundTile>> {
    cx.allow(READ)?;
    // What a reader with a scope sees also depends on what lies outside of it.
    let mark = match cx.scope()? {
        Some(_) => None,
        None => find_mark(cx)?,
    };
    let Some(mark) = mark else {
        return count_tiles(cx, tiles, narrow);
    };
    let (memo, key) = (cx.services.dashboards(), key_of(cx, tiles, narrow)?);
    if let Some(kept) = memo.get::<Kept>(&key)
        && kept.mark == mark
        && is_fresh(kept.at, cx.now, STAND_FOR)
    {
        return Ok(kept.tiles.clone());
    }
    let found = count_tiles(cx, tiles, narrow)?;
    let kept = Kept {
        mark,
        at: cx.now,
        tiles: found.clone(),
    };
    memo.keep(&key, Arc::new(kept));
    Ok(found)
}

/// Names the tiles, their filters, and by what a reader sees other figures than another one.
fn key_of(cx: &mut Context<'_, '_>, tiles: &[&'static Tile], narrow: &Narrow) -> Result<String> {
    let ids: Vec<&str> = tiles.iter().map(|tile| tile.id).collect();
    let sight = (&cx.actor.person, cx.actor.is_system, &cx.actor.lent);
    let sight = format!("{sight:?}");
    let sees_all = is_change_manager(cx)?;
    Ok(format!("{} {ids:?} {narrow:?} {sees_all} {sight}", cx.tenant()))
}

fn count_tiles(cx: &mut Context<'_, '_>, tiles: &[&'static Tile], narrow: &Narrow) -> Result<Vec<FoundTile>> {
    let queries = queries(tiles, narrow, cx.now)?;
    let (rows, since) = load(cx, tiles, &queries)?;
    // A volume by week needs its whole window with what was only written, and the rows of its kind are few.
    let volume = queries.values().find(|query| kind_of(query.definition).is_some());
    let volume = match volume.and_then(|query| Some((query.window, kind_of(query.definition)?))) {
        Some((window, kind)) => Some(find_of_kind(cx, window, kind)?),
        None => None,
    };
    let metrics = Metrics {
        queries,
        rows: Ordered::of(&rows),
        volume: volume.as_ref().map(Ordered::of),
        since,
    };
    tiles.iter().map(|tile| find_tile(cx, tile, narrow, &metrics)).collect()
}

type Queries = BTreeMap<&'static str, MetricQuery>;

/// The queries of the metrics of a dashboard, by tile.
fn queries(tiles: &[&'static Tile], narrow: &Narrow, now: Timestamp) -> Result<Queries> {
    let mut queries = Queries::new();
    for tile in tiles {
        let (id, by) = match tile.source {
            Source::Metric(id) => (id, None),
            Source::Bottleneck => ("time_to_approve", Some("rule")),
            _ => continue,
        };
        let query = read_query(id, now, |name| match name {
            "by" => by,
            _ => narrow
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.as_str()),
        })?;
        queries.insert(tile.id, query);
    }
    Ok(queries)
}

/// The rows of all metrics of a dashboard, and of its failures; and from when on they suffice, where these are not all.
fn load(cx: &mut Context<'_, '_>, tiles: &[&'static Tile], queries: &Queries) -> Result<(Rows, Option<Timestamp>)> {
    let has_failures = tiles.iter().any(|tile| tile.source == Source::Failures);
    let of_failures = has_failures.then(|| since_back(cx.now));
    let windows = queries.values().map(|query| query.window).chain(of_failures);
    let wide = windows.reduce(|one, other| Window {
        from: one.from.min(other.from),
        to: one.to.max(other.to),
    });
    match wide {
        Some(window) => find_recent(cx, window),
        None => Ok((Rows::default(), None)),
    }
}

/// The window in which failures are examined.
fn since_back(now: Timestamp) -> Window {
    Window {
        from: hours_from(now, -24 * BACK_DAYS),
        to: hours_from(now, 1),
    }
}

/// The queries of the metrics of a dashboard, and the rows of all of them, loaded once.
struct Metrics<'r> {
    queries: Queries,
    rows: Ordered<'r>,
    /// The rows of a volume by week.
    volume: Option<Ordered<'r>>,
    /// From when on `rows` suffice, where they are not all.
    since: Option<Timestamp>,
}

impl<'r> Metrics<'r> {
    /// The rows of a metric, and from when on they suffice.
    fn rows_of(&self, query: &MetricQuery) -> (&Ordered<'r>, Option<Timestamp>) {
        match (kind_of(query.definition), &self.volume) {
            (Some(_), Some(rows)) => (rows, None),
            _ => (&self.rows, self.since),
        }
    }

    fn figure(&self, cx: &mut Context<'_, '_>, tile: &Tile) -> Result<Option<FoundFigure>> {
        let Some(query) = self.queries.get(tile.id) else {
            return Ok(None);
        };
        let (rows, since) = self.rows_of(query);
        let counted = MetricQuery {
            window: query.window.from_on(since),
            ..query.clone()
        };
        figure_of(cx, &counted, rows).map(Some)
    }

    /// From when on a tile counts, where that is a part of its window.
    fn since(&self, tile: &Tile, now: Timestamp) -> Option<Timestamp> {
        let (from, since) = match (tile.source, self.queries.get(tile.id)) {
            (Source::Failures, _) => (since_back(now).from, self.since),
            (_, Some(query)) => (query.window.from, self.rows_of(query).1),
            _ => return None,
        };
        since.filter(|since| from < *since)
    }
}

fn find_tile(
    cx: &mut Context<'_, '_>,
    tile: &'static Tile,
    narrow: &Narrow,
    metrics: &Metrics<'_>,
) -> Result<FoundTile> {
    let mut found = FoundTile {
        since: metrics.since(tile, cx.now),
        ..FoundTile::empty(tile)
    };
    match tile.source {
        Source::Waiting => (found.rows, found.is_cut) = waiting(cx, narrow)?,
        Source::Freezes => found.rows = freezes(cx, narrow)?,
        Source::Incidents => found.rows = incidents(cx, narrow)?,
        Source::Items => found.rows = items(cx)?,
        Source::Trend => found.rows = trend(cx)?,
        Source::Failures => found.rows = failures(cx, narrow, (metrics.rows.rows(), found.since))?,
        Source::Metric(_) => found.figure = metrics.figure(cx, tile)?,
        Source::Bottleneck => {
            found.figure = metrics.figure(cx, tile)?;
            found.rows = found.figure.as_ref().map(slowest).unwrap_or_default();
        }
        _ => {
            for row in listed(cx, tile.source, narrow)? {
                found.rows.push(counted(cx, row)?);
            }
        }
    }
    let is_by_time = tile.source == Source::Trend;
    if found.rows.len() > MOST_ROWS && !is_by_time {
        found.rows.truncate(MOST_ROWS);
        found.is_cut = true;
    }
    Ok(found)
}

/// The rows that count lists of changes, with their filters and without counts.
fn listed(cx: &mut Context<'_, '_>, source: Source, narrow: &Narrow) -> Result<Vec<TileRow>> {
    let now = cx.now;
    let row = |id: &str, label: &str, own: Vec<(&'static str, String)>| {
        let is_named = |name: &str| own.iter().any(|(known, _)| *known == name);
        let mut list: Vec<(&'static str, String)> =
            narrow.iter().filter(|(name, _)| !is_named(name)).cloned().collect();
        list.extend(own.iter().cloned());
        TileRow {
            id: id.to_owned(),
            label: label.to_owned(),
            list,
            ..TileRow::default()
        }
    };
    let open = || State::ALL.iter().filter(|state| state.is_open());
    let rows = match source {
        Source::States => open()
            .map(|state| {
                row(
                    state.as_str(),
                    state.as_str(),
                    vec![("state", state.as_str().to_owned())],
                )
            })
            .collect(),
        Source::Own => {
            let me = cx.directory()?.login(&cx.actor.person);
            open()
                .map(|state| {
                    let own = vec![("state", state.as_str().to_owned()), ("requester", me.clone())];
                    row(state.as_str(), state.as_str(), own)
                })
                .collect()
        }
        Source::Ages => AGES
            .iter()
            .map(|(id, words, from, to)| {
                let mut own = vec![("state", "open".to_owned())];
                own.extend(to.map(|hours| ("created_from", hours_from(now, -hours).to_string())));
                let end = (*from > 0).then(|| hours_from(now, -from).to_string());
                own.extend(end.map(|end| ("created_to", end)));
                row(id, words, own)
            })
            .collect(),
        Source::Risk => ahead(narrow, &row, now),
        _ => Vec::new(),
    };
    Ok(rows)
}

/// The changes whose work ended recently without success, by outcome; and those with a successful outcome that still failed by
/// the one definition of success, as figures count it: an incident is confirmed as caused by them, the last validation
/// contradicts them, or they were rolled back.
fn failures(
    cx: &mut Context<'_, '_>,
    narrow: &Narrow,
    (found, since): (&Rows, Option<Timestamp>),
) -> Result<Vec<TileRow>> {
    let query = read_query("success_share", cx.now, |name| {
        let asked = narrow.iter().find(|(known, _)| *known == name);
        asked.map(|(_, value)| value.as_str())
    })?;
    let mut filter = query.filter;
    let scope = cx.scope()?;
    filter.within = scope.as_ref().map(|scope| scope.services().iter().cloned().collect());
    let (from, to) = match &scope {
        Some(scope) => scope.span(),
        None => (None, None),
    };
    let is_seen =
        |row: &ChangeOutcome| from.is_none_or(|from| row.created_at >= from) && to.is_none_or(|to| row.created_at < to);
    let window = since_back(cx.now).from_on(since);
    let has_ended = |at: Option<Timestamp>| at.is_some_and(|at| window.has(at));
    let fits = |row: &ChangeOutcome, target: Option<&TargetOutcome>| filter.fits(row, target, &found.facts);
    let fits_whole = |row: &ChangeOutcome| {
        let any_target = row.targets.iter().any(|it| fits(row, Some(it)));
        has_ended(row.ended_at) && (any_target || (row.targets.is_empty() && fits(row, None)))
    };
    let tile_row = |id: &str, label: &str, is_it: &dyn Fn(&ChangeOutcome) -> bool| {
        let rows = found.changes.iter().filter(|row| is_seen(row) && is_it(row));
        let changes: Vec<String> = rows.map(|row| row.key.clone()).collect();
        TileRow {
            id: id.to_owned(),
            label: label.to_owned(),
            count: i64::try_from(changes.len()).unwrap_or(i64::MAX),
            is_whole: true,
            changes,
            ..TileRow::default()
        }
    };
    let of_outcome = |outcome: Outcome| {
        let is_it = |row: &ChangeOutcome| {
            let mut targets = row.targets.iter().filter(|it| it.outcome == Some(outcome));
            (row.outcome == Some(outcome) && fits_whole(row))
                || targets.any(|it| has_ended(it.ended_at) && fits(row, Some(it)))
        };
        tile_row(outcome.as_str(), outcome.as_str(), &is_it)
    };
    let mut rows: Vec<TileRow> = [
        Outcome::Failed,
        Outcome::RolledBack,
        Outcome::RollbackFailed,
        Outcome::PartiallyImplemented,
    ]
    .map(of_outcome)
    .into();
    let is_refuted = |row: &ChangeOutcome| {
        row.succeeded == Some(false) && row.outcome.is_some_and(Outcome::is_success) && fits_whole(row)
    };
    let refuted = tile_row("refuted", "succeeded at first", &is_refuted);
    rows.extend(Some(refuted).filter(|row| row.count > 0));
    Ok(rows)
}

type RowOf<'r> = dyn Fn(&str, &str, Vec<(&'static str, String)>) -> TileRow + 'r;

/// The changes ahead by risk; of one risk where the dashboard is narrowed to it.
fn ahead(narrow: &Narrow, row: &RowOf<'_>, now: Timestamp) -> Vec<TileRow> {
    let only = narrow
        .iter()
        .find(|(name, _)| *name == "risk")
        .map(|(_, value)| value.as_str());
    let levels = Level::ALL
        .iter()
        .rev()
        .filter(|level| only.is_none_or(|it| it == level.as_str()));
    levels
        .map(|level| {
            let own = vec![
                ("risk", level.as_str().to_owned()),
                ("state", "open".to_owned()),
                ("planned_from", now.to_string()),
                ("planned_to", hours_from(now, 24 * AHEAD_DAYS).to_string()),
            ];
            row(level.as_str(), level.as_str(), own)
        })
        .collect()
}

fn hours_from(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(now)
}

fn counted(cx: &mut Context<'_, '_>, row: TileRow) -> Result<TileRow> {
    let filter = filter_of(&*cx.directory()?, &row.list);
    let count = count_changes(cx, &filter, MOST_COUNTED, None)?;
    Ok(TileRow {
        count: count.found,
        is_whole: count.is_whole,
        ..row
    })
}

/// The filter of a list of changes, by the pairs of its address.
fn filter_of(directory: &Directory, list: &[(&'static str, String)]) -> ChangeFilter {
    let mut filter = ChangeFilter::default();
    for (name, value) in list {
        let text = Some(value.clone());
        match *name {
            "state" if value == "open" => {
                let open = State::ALL.iter().filter(|state| state.is_open());
                filter.states = open.map(|state| state.as_str().to_owned()).collect();
            }
            "state" => filter.states = value.split(',').map(str::to_owned).collect(),
            "outcome" => filter.outcomes = value.split(',').map(str::to_owned).collect(),
            "kind" => filter.kind = text,
            "risk" => filter.risk = text,
            "team" => filter.team = text,
            "service" => filter.service = text,
            "environment" => filter.environment = text,
            // A login that nobody has finds nothing.
            "requester" => filter.requester = directory.by_login(value).map(|person| person.id.0.clone()).or(text),
            "created_from" => filter.created_from = value.parse().ok(),
            "created_to" => filter.created_to = value.parse().ok(),
            "planned_from" => filter.planned_from = value.parse().ok(),
            "planned_to" => filter.planned_to = value.parse().ok(),
            _ => {}
        }
    }
    filter
}

/// The changes that are assessed or authorized.
fn undecided(directory: &Directory, narrow: &Narrow) -> ChangeFilter {
    let states = [State::Assessing, State::Authorizing];
    ChangeFilter {
        states: states.map(|state| state.as_str().to_owned()).to_vec(),
        ..filter_of(directory, narrow)
    }
}

/// The people for whom undecided changes wait, the most first; and whether there were more changes than are read.
fn waiting(cx: &mut Context<'_, '_>, narrow: &Narrow) -> Result<(Vec<TileRow>, bool)> {
    let filter = undecided(&*cx.directory()?, narrow);
    let (found, next) = find_ordered(cx, &filter, OLDEST_FIRST, MOST_WAITING, None)?;
    let is_cut = next.is_some();
    let people = find_waits(cx, &found)?;
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (row, _) in &found.rows {
        for who in people.get(&row.id).into_iter().flatten() {
            keys.entry(who.clone()).or_default().push(row.key.clone());
        }
    }
    let mut rows: Vec<TileRow> = keys
        .into_iter()
        .map(|(who, changes)| TileRow {
            id: who.clone(),
            label: who,
            is_said: true,
            count: i64::try_from(changes.len()).unwrap_or(i64::MAX),
            is_whole: !is_cut,
            changes,
            ..TileRow::default()
        })
        .collect();
    rows.sort_by(|one, other| (other.count, &one.id).cmp(&(one.count, &other.id)));
    Ok((rows, is_cut))
}

fn freezes(cx: &mut Context<'_, '_>, narrow: &Narrow) -> Result<Vec<TileRow>> {
    let directory = cx.visible()?;
    let (now, until) = (cx.now, hours_from(cx.now, 24 * AHEAD_DAYS));
    let asked = |name: &str| {
        narrow
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    };
    let service = asked("service").map(ServiceKey::from);
    let environment = asked("environment").map(EnvironmentKey::from);
    let mut rows = Vec::new();
    for freeze in directory.freezes.iter().filter(|freeze| !freeze.ended) {
        let is_there = directory.is_about(freeze, service.as_ref(), environment.as_ref());
        let Some(span) = freeze.over(now, until).next().filter(|_| is_there) else {
            continue;
        };
        rows.push(TileRow {
            id: freeze.id.0.clone(),
            label: freeze.title.clone(),
            is_said: true,
            count: 1,
            is_whole: true,
            path: format!("/freezes/{}", freeze.id),
            span: Some((span.starts_at, span.ends_at)),
            ..TileRow::default()
        });
    }
    rows.sort_by(|one, other| (one.span, &one.id).cmp(&(other.span, &other.id)));
    Ok(rows)
}

fn incidents(cx: &mut Context<'_, '_>, narrow: &Narrow) -> Result<Vec<TileRow>> {
    let directory = cx.visible()?;
    let service = narrow
        .iter()
        .find(|(name, _)| *name == "service")
        .map(|(_, value)| ServiceKey::from(value.as_str()));
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for (_, incident) in directory.incidents.iter() {
        let is_there = service.as_ref().is_none_or(|key| incident.services.contains(key));
        if incident.resolved_at.is_none() && is_there {
            *counts.entry(incident.severity).or_default() += 1;
        }
    }
    let of = service.map_or_else(String::new, |key| format!("&service={}", key.as_str()));
    let row = |(severity, count): (i64, i64)| TileRow {
        id: severity.to_string(),
        label: format!("severity {severity}"),
        count,
        is_whole: true,
        path: format!("/incidents?state=unresolved&q=severity:{severity}{of}"),
        ..TileRow::default()
    };
    Ok(counts.into_iter().map(row).collect())
}

fn items(cx: &mut Context<'_, '_>) -> Result<Vec<TileRow>> {
    let kinds = [
        ("mine", "mine", Whose::Mine, false),
        ("of my groups", "team", Whose::Team, false),
        ("without an owner", "unowned", Whose::Unowned, false),
        ("overdue", "overdue", Whose::All, true),
    ];
    let mut rows = Vec::new();
    for (label, list, whose, overdue) in kinds {
        let query = ItemQuery {
            whose,
            open: true,
            overdue,
            ..ItemQuery::default()
        };
        let filter = list_items::filter(cx, &query)?;
        rows.push(TileRow {
            id: label.replace(' ', "_"),
            label: label.to_owned(),
            count: record::count::<ActionItem>(cx.tx, &filter)?,
            is_whole: true,
            path: format!("/inbox?whose={list}"),
            ..TileRow::default()
        });
    }
    Ok(rows)
}

/// The changes written in each week, the oldest first.
fn trend(cx: &mut Context<'_, '_>) -> Result<Vec<TileRow>> {
    let times: Vec<Timestamp> = (0..=WEEKS)
        .rev()
        .map(|week| hours_from(cx.now, -7 * 24 * week))
        .collect();
    let counts = count_written(cx, &times)?;
    let spans = times.iter().zip(times.iter().skip(1)).zip(counts);
    let row = |((from, to), count): ((&Timestamp, &Timestamp), i64)| TileRow {
        id: from.to_string(),
        label: "week".to_owned(),
        count,
        is_whole: true,
        list: vec![("created_from", from.to_string()), ("created_to", to.to_string())],
        span: Some((*from, *to)),
        ..TileRow::default()
    };
    Ok(spans.map(row).collect())
}

/// The groups of a figure by the sum of their times, the longest first.
fn slowest(figure: &FoundFigure) -> Vec<TileRow> {
    let timed = figure.groups.iter().filter_map(|(name, it)| Some((name, it.total?)));
    let mut rows: Vec<TileRow> = timed
        .map(|(name, total)| TileRow {
            id: name.clone(),
            label: name.clone(),
            is_said: true,
            count: total,
            is_whole: true,
            path: "/metrics/time_to_approve?by=rule".to_owned(),
            ..TileRow::default()
        })
        .collect();
    rows.sort_by(|one, other| (other.count, &one.id).cmp(&(one.count, &other.id)));
    rows
}

/// The changes behind a row of a tile, the newest first, at most [`MOST_LISTED`].
///
/// # Errors
/// 403; 404 for an unknown tile or row; 409 for a row that counts no changes, with the page of its records; the store's.
pub fn find_changes_of_row(
    cx: &mut Context<'_, '_>,
    (tile, row): (&str, &str),
    narrow: &Narrow,
) -> Result<Vec<ChangeRow>> {
    cx.allow(READ)?;
    let known = || TILES.iter().map(|it| it.id).collect::<Vec<_>>().join(", ");
    let tile = tile_of(tile).ok_or_else(|| Refusal::not_found(format!("tile {tile} (the tiles are {})", known())))?;
    let found = find_tiles(cx, &[tile], narrow)?.pop();
    let rows = found.map(|it| it.rows).unwrap_or_default();
    if let (Source::Metric(id), true) = (tile.source, rows.is_empty()) {
        return Err(elsewhere(&format!("/metrics/{id}")).into());
    }
    let found = rows.into_iter().find(|it| it.id == row);
    let found = found.ok_or_else(|| Refusal::not_found(format!("row {row} of the tile {}", tile.id)))?;
    if !found.changes.is_empty() || tile.source == Source::Failures {
        return named(cx, tile.source, &found.changes, narrow);
    }
    if found.list.is_empty() {
        return Err(elsewhere(&found.path).into());
    }
    let filter = filter_of(&*cx.directory()?, &found.list);
    Ok(rows_of(find_changes(cx, &filter, MOST_LISTED, None)?))
}

fn elsewhere(path: &str) -> Refusal {
    let text = "This row counts no list of changes.".to_owned();
    Refusal::not_now("no_changes", text, format!("What it counts is at {path}."), Vec::new())
}

fn rows_of(found: FoundChanges) -> Vec<ChangeRow> {
    found.rows.into_iter().map(|(row, _)| row).collect()
}

/// The changes with these keys: of failures, the newest of them; else those that are undecided still.
fn named(cx: &mut Context<'_, '_>, source: Source, keys: &[String], narrow: &Narrow) -> Result<Vec<ChangeRow>> {
    let mut rows = Vec::new();
    if source == Source::Failures {
        let number = |key: &String| key.rsplit('-').next()?.parse::<i64>().ok();
        let mut numbers: Vec<i64> = keys.iter().filter_map(number).collect();
        numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
        for number in numbers.into_iter().take(MOST_LISTED as usize) {
            // The first one below the next number is the change itself, where the reader sees it.
            rows.extend(rows_of(find_changes(
                cx,
                &ChangeFilter::default(),
                1,
                Some(number + 1),
            )?));
        }
    } else {
        let filter = undecided(&*cx.directory()?, narrow);
        rows = rows_of(find_ordered(cx, &filter, OLDEST_FIRST, MOST_WAITING, None)?.0);
    }
    rows.retain(|row| keys.contains(&row.key));
    rows.sort_by_key(|row| std::cmp::Reverse(row.number));
    rows.dedup_by_key(|row| row.number);
    Ok(rows)
}

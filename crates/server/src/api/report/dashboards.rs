//! Dashboards: the catalogue, the counts of tiles, the changes behind a row; OpenMetrics; rework of templates; lookalikes. The
//! routes of saved dashboards and subscriptions come from their cards.

use std::collections::BTreeSet;

use acts::Context;
use acts::change::find_lookalikes::find_lookalikes;
use acts::change::propose_variant::propose_variant;
use acts::report::find_changes::ChangeRow;
use acts::report::find_rework::find_template_report;
use acts::report::find_tiles::{
    FoundTile, Narrow, TileRow, Wanted, find_changes_of_row, find_dashboard, find_tiles, read_narrow,
};
use axum::Router;
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use connect::report::openmetrics::{Gauge, text};
use model::change::template::proposal::{Edit, FieldEdit};
use model::compliance::control_report::ReportFormat;
use model::core::act::actions;
use model::core::ids::ServiceKey;
use model::core::refusal::Refusal;
use model::directory::{scope, unknown_name};
use model::report::dashboard::{DASHBOARDS, Source, TILES, Tile, tile_of};
use model::report::step_rework::StepRework;
use model::report::template_rework::QuestionGroup;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::api::report::metrics::{figure_value, unit};
use crate::api::shared::records::{keyed, new_one};
use crate::compliance::download;
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::handler::get;
use crate::http::percent::escaped;
use crate::http::route::{Ask, Places, Reply, Route, query_of};
use crate::http::scoped::check_door;
use crate::http::state::AppState;
use crate::web::report::dashboard_pdf::dashboard_file;

/// The routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_dashboard_tiles", |cx, ask| {
        cx.allow(actions::READ)?;
        keyed(ask, TILES.iter().map(|tile| (tile.id.to_owned(), catalogued(tile))))
    }),
    Route::reads("list_role_dashboards", |cx, ask| {
        cx.allow(actions::READ)?;
        let value =
            |it: &model::report::dashboard::RoleDashboard| json!({"key": it.key, "title": it.title, "tiles": it.tiles});
        keyed(ask, DASHBOARDS.iter().map(|it| (it.key.to_owned(), value(it))))
    }),
    Route::reads("show_dashboard_figures", |cx, ask| {
        let (wanted, narrow) = read_query(cx, ask)?;
        let tiles = find_tiles(cx, &wanted.tiles, &narrow)?;
        let tenant = cx.tenant();
        let tiles: Vec<Value> = tiles.iter().map(|tile| tile_value(&tenant, tile)).collect();
        Ok(Reply::ok(
            json!({"id": wanted.key, "title": wanted.title, "at": cx.now.to_string(), "tiles": tiles}),
        ))
    }),
    Route::reads("list_dashboard_rows", |cx, ask| {
        let (_, narrow) = read_query(cx, ask)?;
        let (tile, row) = (needed(ask, "tile")?, needed(ask, "row")?);
        let found = find_changes_of_row(cx, (tile, row), &narrow)?;
        in_order(ask, &found)
    }),
    Route::reads("show_template_rework", rework),
    Route::writes("propose_template_variant", |cx, ask| {
        let made = propose_variant(cx, ask.place(0), &ask.body)?;
        new_one(cx, &made)
    }),
    Route::reads("list_change_lookalikes", lookalikes),
];

/// The routes without JSON: the text of OpenMetrics, and dashboards as PDF files.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route(&format!("{BASE}/openmetrics"), get(openmetrics))
        .route(&format!("{BASE}{FILE}"), get(file))
}

/// A dashboard as a file.
const FILE: &str = "/dashboards/{id}/file";

async fn file(
    State(state): State<AppState>,
    caller: Caller,
    mut places: Places,
    uri: Uri,
) -> Result<Response, Failure> {
    let (id, query) = (places.take(0), query_of(&uri)?);
    let allowed = caller.clone();
    let act = move |cx: &mut Context<'_, '_>| {
        allowed.check_scope(Scope::Read)?;
        check_door(cx, "GET", FILE)?;
        dashboard_file(cx, &id, &query)
    };
    let (name, bytes) = state.act(Lane::Worker, &caller, Mode::Read, act).await?;
    attempts::note_scope_use(&state, &caller, Scope::Read);
    Ok(download(&name, ReportFormat::Pdf, bytes))
}

fn needed<'a>(ask: &'a Ask, name: &str) -> acts::Result<&'a str> {
    let missing = || Refusal::field(name, "missing", format!("`{name}` is missing."));
    Ok(ask.query(name).ok_or_else(missing)?)
}

fn read_query(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<(Wanted, Narrow)> {
    let wanted = find_dashboard(cx, ask.place(0))?;
    let directory = cx.visible()?;
    let narrow = read_narrow(&directory, &wanted.narrow, |name| ask.query(name))?;
    Ok((wanted, narrow))
}

fn catalogued(tile: &Tile) -> Value {
    let mut value = json!({"id": tile.id, "title": tile.title, "words": tile.words});
    if let Source::Metric(id) = tile.source {
        value["metric"] = json!(id);
    }
    value
}

/// The path of the page with the records that a row counts, below the tenant's address; empty for none.
pub(crate) fn path_of(row: &TileRow) -> String {
    if !row.list.is_empty() {
        let pairs: Vec<String> = row
            .list
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        return format!("/changes?{}", pairs.join("&"));
    }
    row.path.clone()
}

fn tile_value(tenant: &str, found: &FoundTile) -> Value {
    let rows: Vec<Value> = found.rows.iter().map(|row| row_value(tenant, row)).collect();
    let mut value = json!({"id": found.tile.id, "title": found.tile.title, "is_cut": found.is_cut, "rows": rows});
    if let Some(since) = found.since {
        value["counted_from"] = json!(since.to_string());
    }
    if let Some(figure) = &found.figure {
        let it = figure.definition;
        value["metric"] = json!({"id": it.id, "version": it.version, "digest": it.digest, "title": it.title});
        value["figure"] = Value::Object(figure_value(&figure.whole));
    }
    value
}

fn row_value(tenant: &str, row: &TileRow) -> Value {
    let mut value = json!({"id": row.id, "label": row.label, "count": row.count, "is_whole": row.is_whole});
    let path = path_of(row);
    if !path.is_empty() {
        value["page"] = json!(format!("/t/{tenant}{path}"));
    }
    if let Some((from, to)) = row.span {
        value["starts_at"] = json!(from.to_string());
        value["ends_at"] = json!(to.to_string());
    }
    value
}

/// The changes in the order in which they were found.
fn in_order(ask: &Ask, found: &[ChangeRow]) -> acts::Result<Reply> {
    let rows = found.iter().enumerate();
    keyed(ask, rows.map(|(place, row)| (format!("{place:06}"), change_value(row))))
}

fn change_value(row: &ChangeRow) -> Value {
    json!({
        "key": row.key, "title": row.title, "state": row.state, "kind": row.kind, "risk": row.risk,
        "created_at": row.created_at.to_string(),
    })
}

fn rework(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = find_template_report(cx, ask.place(0))?;
    let fields = found.fields.iter();
    let fields =
        fields.map(|(field, reworked, answered)| json!({"field": field, "reworked": reworked, "answered": answered}));
    let missing = found
        .missing
        .iter()
        .map(|(part, answers)| json!({"part": part, "answers": answers}));
    let steps = found.steps.iter().map(step);
    let mut value = json!({
        "template": ask.place(0), "uses": found.uses, "reworked": found.reworked, "returned": found.returned,
        "fields": fields.collect::<Vec<_>>(), "missing": missing.collect::<Vec<_>>(), "is_whole": found.is_whole,
        "steps": steps.collect::<Vec<_>>(),
        "questions": found.questions.iter().map(questions).collect::<Vec<_>>(),
        "proposal": found.proposal.iter().map(proposed).collect::<Vec<_>>(),
    });
    if let Some(it) = found.share {
        value["share_ppm"] = json!(it.value);
        value["low_ppm"] = json!(it.low);
        value["high_ppm"] = json!(it.high);
    }
    Ok(Reply::ok(value))
}

/// The figures of a reworked step.
fn step(it: &StepRework) -> Value {
    json!({
        "number": it.number, "title": it.title, "uses": it.uses, "reworked": it.reworked, "skipped": it.skipped,
        "issues": it.issues, "deviations": it.deviations,
    })
}

/// A group of gate requests with equal fields.
fn questions(it: &QuestionGroup) -> Value {
    let examples = it.examples.iter();
    let examples = examples.map(|(change, question)| json!({"change": change, "question": question}));
    json!({"fields": it.fields, "count": it.count, "examples": examples.collect::<Vec<_>>()})
}

/// A line of the proposed diff.
fn proposed(it: &FieldEdit) -> Value {
    let mut value = json!({
        "field": it.field, "edit": it.edit.as_str(), "why": it.why.as_str(), "count": it.count,
    });
    if let Some(before) = &it.before {
        value["before"] = before.clone();
    }
    if let Edit::Lock(after) = &it.edit {
        value["after"] = after.clone();
    }
    value
}

fn lookalikes(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let title = needed(ask, "title")?.to_owned();
    let services: BTreeSet<String> = ask.queries("service").into_iter().collect();
    let directory = cx.visible()?;
    for key in &services {
        if !directory.services.contains_key(&ServiceKey::from(key.as_str())) {
            return Err(Refusal::field("service", "unknown", unknown_name::service(&directory, key)).into());
        }
    }
    let found = find_lookalikes(cx, &title, &services, None)?;
    in_order(ask, &found)
}

/// The tiles behind the main figures.
const EXPORTED: &[&str] = &[
    "states",
    "ages",
    "risk",
    "failures",
    "freezes",
    "incidents",
    "success",
    "failure_rate",
    "frequency",
    "lead_time",
    "approval_time",
    "recovery",
    "rework",
];

async fn openmetrics(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    let scope_of = caller.clone();
    let act = move |cx: &mut Context<'_, '_>| {
        scope_of.check_scope(Scope::Read)?;
        cx.allow(actions::READ)?;
        if cx.scope()?.is_some() {
            return Err(scope::refusal().into());
        }
        let tiles: Vec<&'static Tile> = EXPORTED.iter().filter_map(|id| tile_of(id)).collect();
        let found = find_tiles(cx, &tiles, &Narrow::new())?;
        Ok(text(&found.iter().map(gauge).chain([cut(&found)]).collect::<Vec<_>>()))
    };
    let body = state.act(Lane::Pages, &caller, Mode::Read, act).await?;
    attempts::note_scope_use(&state, &caller, Scope::Read);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, body).into_response())
}

/// The tiles of which a part of the window is counted, with the time from which on, in seconds since 1970.
fn cut(found: &[FoundTile]) -> Gauge {
    let sample = |it: &FoundTile| {
        let since = it.since?;
        Some((vec![("tile", it.tile.id.to_owned())], since.as_second().to_string()))
    };
    Gauge {
        name: "assent_counted_from_seconds".to_owned(),
        help: "From when on a figure counts whose window holds more changes than a dashboard reads.".to_owned(),
        samples: found.iter().filter_map(sample).collect(),
    }
}

/// A tile as a gauge: a sample for each row, or the value of its figure. Freezes have one sample, because their titles are
/// people's texts.
fn gauge(found: &FoundTile) -> Gauge {
    let help = found.tile.words.to_owned();
    if let Some(figure) = &found.figure {
        let it = figure.definition;
        let samples = figure
            .whole
            .estimate
            .map(|estimate| (Vec::new(), estimate.value.to_string()));
        return Gauge {
            name: format!("assent_{}_{}", it.id, unit(it.formula)),
            help,
            samples: samples.into_iter().collect(),
        };
    }
    if found.tile.source == Source::Freezes {
        return Gauge {
            name: "assent_freezes".to_owned(),
            help,
            samples: vec![(Vec::new(), found.rows.len().to_string())],
        };
    }
    let sample = |row: &TileRow| (vec![("row", row.id.clone())], row.count.to_string());
    Gauge {
        name: format!("assent_{}", found.tile.id),
        help,
        samples: found.rows.iter().map(sample).collect(),
    }
}

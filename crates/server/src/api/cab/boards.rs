//! Boards: the steps of an agenda, forecasts beside outcomes, the board pack. Agendas, their items, forecasts and series have the
//! routes of their cards.

use acts::Context;
use acts::cab::board_forecasts::board_scores;
use acts::cab::board_pack::find_pack;
use acts::cab::boards::find_boards;
use acts::cab::{agenda, agenda_items, sign_minutes};
use acts::core::noun::PlainNoun;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use model::cab::agenda::Agenda;
use model::compliance::control_report::ReportFormat;
use model::core::ids::GroupKey;
use serde_json::{Value, json};
use store::{Lane, Mode};
use wire::views;

use crate::api::shared::records::{keyed, new_one};
use crate::compliance::download;
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::handler::get;
use crate::http::route::{Ask, Places, Reply, Route};
use crate::http::scoped::check_door;
use crate::http::state::AppState;
use crate::web::cab::pack_pdf::{agenda_file, month_file};

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::writes("freeze_agenda", |cx, ask| {
        let frozen = agenda::freeze_agenda(cx, ask.place(0))?;
        shown(cx, frozen)
    }),
    Route::writes("sign_minutes", |cx, ask| {
        let signed = sign_minutes::sign_minutes(cx, ask.place(0))?;
        shown(cx, signed)
    }),
    Route::writes("object_to_vote", |cx, ask| {
        let moved = agenda_items::object_to_vote(cx, ask.place(0), &ask.body)?;
        new_one(cx, &moved)
    }),
    Route::writes("take_turn", |cx, ask| {
        let begun = agenda_items::take_turn(cx, ask.place(0), &ask.body)?;
        new_one(cx, &begun)
    }),
    Route::reads("list_boards", boards),
    Route::reads("list_forecast_scores", scores),
    Route::reads("show_board_pack", |cx, ask| {
        let pack = find_pack(cx, ask.place(0))?;
        let mut value = pack.value();
        value["digest"] = json!(pack.digest());
        Ok(Reply::ok(value))
    }),
];

/// Packs as PDF files.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route(&format!("{BASE}{MONTH}"), get(month_pdf))
        .route(&format!("{BASE}{AGENDA}"), get(agenda_pdf))
}

/// The board pack of a month as a file.
const MONTH: &str = "/board-packs/{month}/file";
/// The pack of a meeting as a file.
const AGENDA: &str = "/agendas/{id}/file";

async fn month_pdf(State(state): State<AppState>, caller: Caller, mut places: Places) -> Result<Response, Failure> {
    let month = places.take(0);
    let act = move |cx: &mut Context<'_, '_>| month_file(cx, &month);
    file(&state, &caller, MONTH, act).await
}

async fn agenda_pdf(State(state): State<AppState>, caller: Caller, mut places: Places) -> Result<Response, Failure> {
    let id = places.take(0);
    let act = move |cx: &mut Context<'_, '_>| agenda_file(cx, &id);
    file(&state, &caller, AGENDA, act).await
}

async fn file(
    state: &AppState,
    caller: &Caller,
    door: &'static str,
    make: impl Fn(&mut Context<'_, '_>) -> acts::Result<(String, Vec<u8>)> + Send + 'static,
) -> Result<Response, Failure> {
    let allowed = caller.clone();
    let act = move |cx: &mut Context<'_, '_>| {
        allowed.check_scope(Scope::Read)?;
        check_door(cx, "GET", door)?;
        make(cx)
    };
    let (name, bytes) = state.act(Lane::Worker, caller, Mode::Read, act).await?;
    attempts::note_scope_use(state, caller, Scope::Read);
    Ok(download(&name, ReportFormat::Pdf, bytes))
}

fn shown(cx: &mut Context<'_, '_>, agenda: Agenda) -> acts::Result<Reply> {
    let version = agenda.version;
    let mut values = [views::noun(&agenda, &*cx.directory()?)];
    Agenda::complete(cx, &[agenda], &mut values)?;
    let [value] = values;
    Ok(Reply::created(value).tagged(version))
}

fn boards(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = find_boards(cx)?;
    let (directory, now) = (cx.directory()?, cx.now);
    let row = |key: &GroupKey| {
        let name = directory
            .groups
            .get(key)
            .map(|group| group.name.clone())
            .unwrap_or_default();
        let mut value = json!({"key": key, "name": name, "members": directory.members(key).len()});
        let meetings = directory
            .meetings
            .iter()
            .filter(|it| &it.group == key && it.starts_at > now);
        if let Some(next) = meetings.filter(|it| it.ended_at.is_none()).map(|it| it.starts_at).min() {
            value["next_at"] = json!(next);
        }
        (key.0.clone(), value)
    };
    let rows: Vec<(String, Value)> = found.iter().map(row).collect();
    keyed(ask, rows.into_iter())
}

fn scores(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = board_scores(cx, &GroupKey::from(ask.place(0)))?;
    let directory = cx.directory()?;
    let rows = found.iter().map(|it| {
        let login = directory.login(&it.person);
        let mut value = json!({
            "person": login, "given": it.given, "compared": it.compared, "succeeded": it.succeeded,
        });
        for (name, mean) in [("expected", it.expected), ("brier", it.brier)] {
            if let Some(mean) = mean {
                value[name] = json!(mean);
            }
        }
        (login, value)
    });
    let rows: Vec<(String, Value)> = rows.collect();
    keyed(ask, rows.into_iter())
}

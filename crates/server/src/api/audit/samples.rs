//! Working papers of audit samples.

use acts::Context;
use acts::audit::{audit_paper, draw_sample};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use store::{Lane, Mode};
use wire::views;

use crate::api::shared::records::keyed;
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::handler::get;
use crate::http::route::{Ask, Places, Reply, Route};
use crate::http::state::AppState;

/// The address of a working paper with its proofs.
const EXPORT: &str = "/audit-samples/{id}/export";

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_audit_items", items).scope(Scope::Audit),
    Route::writes("review_audit_conclusion", |cx, ask| {
        let reviewed = draw_sample::review_conclusion(cx, ask.place(0))?;
        Ok(Reply::created(views::shown(&reviewed, &*cx.directory()?)))
    })
    .scope(Scope::Audit),
    Route::writes("sign_audit_sample", |cx, ask| {
        let signed = audit_paper::sign_sample(cx, ask.place(0))?;
        Ok(Reply::created(views::shown(&signed, &*cx.directory()?)))
    })
    .scope(Scope::Audit),
];

/// The export, which is no JSON.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(&format!("{BASE}{EXPORT}"), get(export))
}

fn items(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (_, items) = audit_paper::items(cx, ask.place(0))?;
    let directory = cx.directory()?;
    let view = |it: &audit_paper::Item| (it.change.clone(), audit_paper::item_view(it, &directory));
    keyed(ask, items.iter().map(view))
}

async fn export(State(state): State<AppState>, caller: Caller, mut places: Places) -> Result<Response, Failure> {
    let id = places.take(0);
    let act = move |cx: &mut Context<'_, '_>| {
        let bytes = audit_paper::export_paper(cx, &id)?;
        Ok((bytes, attempts::look_at_route(cx, ("GET", EXPORT), None)?))
    };
    let (bytes, look) = state.act(Lane::Worker, &caller, Mode::Read, act).await?;
    attempts::note_looked(&state, &caller, look).await?;
    attempts::note_scope_use(&state, &caller, Scope::Audit);
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"working-paper.zip\"",
        ),
    ];
    Ok((StatusCode::OK, headers, bytes).into_response())
}

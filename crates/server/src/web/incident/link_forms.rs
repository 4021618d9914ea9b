//! The forms that link an incident, a problem or a finding of drift to another record, and take a link back.

use acts::core::noun;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::body::Body;
use model::incident::record_link::RecordLink;
use pages::Place;
use serde_json::json;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::incident::{drift, incidents, problems};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::view::{View, Visitor};

/// Links an incident to another record.
pub(crate) async fn link_incident(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let page = format!("/incidents/{}", escaped(&key));
    let sent = sent(form, format!("{page}/links"), page, Place::Incidents);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| add(cx, &whose, body);
    send(&state, &visitor, sent, run, move |view, back| {
        incidents::incident_page(view, &key, back)
    })
    .await
}

/// Links a problem to another record.
pub(crate) async fn link_problem(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let page = format!("/problems/{}", escaped(&key));
    let sent = sent(form, format!("{page}/links"), page, Place::Incidents);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| add(cx, &whose, body);
    send(&state, &visitor, sent, run, move |view, back| {
        problems::problem_page(view, &key, back)
    })
    .await
}

/// Links a finding of drift to another record.
pub(crate) async fn link_drift(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let page = format!("/drift/{}", escaped(&id));
    let sent = sent(form, format!("{page}/links"), page, Place::Incidents);
    let whose = id.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| add(cx, &whose, body);
    send(&state, &visitor, sent, run, move |view, back| {
        drift::finding_page(view, &id, back)
    })
    .await
}

/// Takes a link of a finding of drift back.
pub(crate) async fn unlink_drift(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, finding, id)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let page = format!("/drift/{}", escaped(&finding));
    let sent = sent(
        form,
        format!("{page}/links/{}/end", escaped(&id)),
        page,
        Place::Incidents,
    );
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| noun::end::<RecordLink>(cx, &id).map(drop);
    send(
        &state,
        &visitor,
        sent,
        run,
        move |view: &mut View<'_, '_, '_>, back: Option<&Back>| drift::finding_page(view, &finding, back),
    )
    .await
}

fn add(cx: &mut acts::Context<'_, '_>, from: &str, body: &Body) -> acts::Result<()> {
    let mut body = body.clone();
    body.insert("from".to_owned(), json!(from));
    noun::add::<RecordLink>(cx, &body).map(drop)
}

/// Takes a link of an incident back.
pub(crate) async fn unlink_incident(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, id)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let page = format!("/incidents/{}", escaped(&key));
    let sent = sent(
        form,
        format!("{page}/links/{}/end", escaped(&id)),
        page,
        Place::Incidents,
    );
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| noun::end::<RecordLink>(cx, &id).map(drop);
    send(
        &state,
        &visitor,
        sent,
        run,
        move |view: &mut View<'_, '_, '_>, back: Option<&Back>| incidents::incident_page(view, &key, back),
    )
    .await
}

/// Takes a link of a problem back.
pub(crate) async fn unlink_problem(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, id)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let page = format!("/problems/{}", escaped(&key));
    let sent = sent(
        form,
        format!("{page}/links/{}/end", escaped(&id)),
        page,
        Place::Incidents,
    );
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| noun::end::<RecordLink>(cx, &id).map(drop);
    send(
        &state,
        &visitor,
        sent,
        run,
        move |view: &mut View<'_, '_, '_>, back: Option<&Back>| problems::problem_page(view, &key, back),
    )
    .await
}

//! The forms of a meeting: coming and going, its agenda, its items, forecasts, action items and minutes.

use acts::Context;
use acts::cab::{agenda, agenda_items, meetings, sign_minutes};
use acts::core::noun;
use axum::extract::{Path, State};
use axum::response::Response;
use model::cab::agenda_item::AgendaItem;
use model::cab::board_forecast::BoardForecast;
use model::core::body::Body;
use model::core::refusal::Refusal;
use model::notify::action_item::ActionItem;
use pages::Place;
use serde_json::{Value, json};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::cab::meeting_page::page;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{send, sent};
use crate::web::shared::view::Visitor;

/// Performs the act of a meeting's form, and returns to the meeting.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let here = format!("/meetings/{}", escaped(&id));
    let sent = sent(form, format!("{here}/{}", escaped(&act)), here, Place::Home);
    let meeting = id.clone();
    let run = move |cx: &mut Context<'_, '_>, body: &Body| run(cx, (&meeting, &act), body);
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}

fn run(cx: &mut Context<'_, '_>, (id, act): (&str, &str), body: &Body) -> acts::Result<()> {
    let said = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (at, item) = (said("at"), said("item"));
    let mut rest = Body::new();
    for name in ["change", "reason", "title", "owner", "due_at"] {
        if let Some(value) = body.get(name) {
            rest.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["minutes", "percent"] {
        if let Some(value) = body.get(name) {
            rest.insert(name.to_owned(), whole(value));
        }
    }
    match act {
        "attendance" => meetings::attend_meeting(cx, &at, &rest).map(drop),
        "departure" => meetings::leave_meeting(cx, &at).map(drop),
        "conflict" => meetings::declare_conflict(cx, &at, &rest).map(drop),
        "end" => meetings::end_meeting(cx, id).map(drop),
        "freeze" => agenda::freeze_agenda(cx, id).map(drop),
        "signature" => sign_minutes::sign_minutes(cx, id).map(drop),
        "turn" => agenda_items::take_turn(cx, &item, &rest).map(drop),
        "objection" => agenda_items::object_to_vote(cx, &item, &rest).map(drop),
        "forecast" => {
            rest.insert("agenda".to_owned(), json!(id));
            noun::add::<BoardForecast>(cx, &rest).map(drop)
        }
        "addition" => {
            rest.insert("agenda".to_owned(), json!(id));
            noun::add::<AgendaItem>(cx, &rest).map(drop)
        }
        "action" => {
            rest.insert("about_kind".to_owned(), json!("meeting"));
            rest.insert("about".to_owned(), json!(id));
            noun::add::<ActionItem>(cx, &rest).map(drop)
        }
        _ => Err(Refusal::not_found("act").into()),
    }
}

/// A number as forms send it; any other text is passed to the act, which reports the error.
fn whole(value: &Value) -> Value {
    let number = value.as_str().and_then(|text| text.trim().parse::<i64>().ok());
    number.map_or_else(|| value.clone(), Value::from)
}

//! The page of a hold order: the records on hold, and the form that lifts the hold.

use acts::Context;
use acts::compliance::lift_hold::lift_hold_order;
use acts::core::noun;
use axum::extract::{Path, State};
use axum::response::Response;
use model::compliance::hold_order::HoldOrder;
use model::core::act::actions;
use model::core::body::Body;
use pages::{ActForm, Fact, Field, Place, RecordPage, Rich};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send, sent};
use crate::web::shared::view::{View, Visitor, show};

/// The page.
pub(crate) async fn show_order(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::AuditLog, move |view| page(view, &id, None)).await
}

/// Lifts the hold, or requests the lifting from another person.
pub(crate) async fn lift(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let here = format!("/hold-orders/{}", escaped(&id));
    let sent: Sent = sent(form, format!("{here}/lifting"), format!("{here}/page"), Place::AuditLog);
    let order = id.clone();
    let run = move |cx: &mut Context<'_, '_>, body: &Body| lift_hold_order(cx, &order, body).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    let order = noun::show::<HoldOrder>(view.cx, id)?;
    let asked = order.lift_asked().filter(|word| word.waits(view.now()));
    let state = match (order.active, asked) {
        (false, _) => "It was lifted.",
        (true, Some(_)) => "Lifting it is waiting for another person who may set policies.",
        (true, None) => "Nothing that matches it can be erased.",
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Hold orders".to_owned(), view.url("/hold-orders"))],
        title: "Legal hold".to_owned(),
        byline: Rich::from(state),
        facts: facts(view, &order),
        ..RecordPage::default()
    };
    if order.active && view.may(actions::SET_POLICY) {
        let url = view.url(&format!("/hold-orders/{}/lifting", escaped(id)));
        page.acts.push(
            ActForm::new("lift", "Lift it", url)
                .field(Field::textarea("reason", "Why").required())
                .submit("Lift it"),
        );
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, order: &HoldOrder) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Why", Rich::new().said(order.reason.as_str())),
        Fact::new("Placed by", view.person(&order.by)),
        Fact::new("Placed", Rich::from(view.reader.moment(order.at))),
    ];
    let services: Vec<&str> = order.services.iter().map(|it| it.as_str()).collect();
    let people: Vec<String> = order.people.iter().map(|it| view.name(it)).collect();
    let changes: Vec<&str> = order.changes.iter().map(String::as_str).collect();
    for (label, text) in [
        ("Changes", changes.join(", ")),
        ("Services", services.join(", ")),
        ("People", people.join(", ")),
    ] {
        if !text.is_empty() {
            facts.push(Fact::new(label, Rich::new().said(text)));
        }
    }
    for (label, at) in [("From", order.from), ("To", order.to), ("Until", order.until)] {
        if let Some(at) = at {
            facts.push(Fact::new(label, Rich::from(view.reader.moment(at))));
        }
    }
    let words = [
        ("Asked to lift it", &order.lift_asked_by, &order.lift_asked_reason),
        ("Lifted by", &order.lifted_by, &order.lift_reason),
    ];
    for (label, by, reason) in words {
        if let Some(by) = by {
            facts.push(Fact::new(label, view.person(by)));
            facts.push(Fact::new(
                "Why",
                Rich::new().said(reason.as_deref().unwrap_or_default()),
            ));
        }
    }
    facts
}

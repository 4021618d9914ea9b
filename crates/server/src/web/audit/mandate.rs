//! The page of a mandate of an auditor, with the form by which another person confirms it.

use acts::Context;
use acts::core::noun;
use acts::directory::set_audit_mandate::confirm_audit_mandate;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::directory::audit_mandate::AuditMandate;
use pages::{ActForm, Fact, Place, RecordPage, Rich};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send, sent};
use crate::web::shared::view::{View, Visitor, show};

/// The page.
pub(crate) async fn show_mandate(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::AuditLog, move |view| page(view, &id, None)).await
}

/// Confirms it.
pub(crate) async fn confirm(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let here = format!("/audit-mandates/{}", escaped(&id));
    let sent: Sent = sent(
        form,
        format!("{here}/confirmation"),
        format!("{here}/page"),
        Place::AuditLog,
    );
    let mandate = id.clone();
    let run = move |cx: &mut Context<'_, '_>, _: &Body| confirm_audit_mandate(cx, &mandate).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    let mandate = noun::show::<AuditMandate>(view.cx, id)?;
    let state = match (mandate.active, mandate.binds()) {
        (false, _) => "It was withdrawn.",
        (true, false) => "It is waiting for another person who may set policies.",
        (true, true) if mandate.is_in_force(view.cx.now) => "It is in force.",
        (true, true) => "It is not in force now.",
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Audit mandates".to_owned(), view.url("/audit-mandates"))],
        title: format!("Mandate of {}", view.name(&mandate.person)),
        byline: Rich::from(state),
        facts: facts(view, &mandate),
        ..RecordPage::default()
    };
    if mandate.active && !mandate.binds() && view.may(actions::SET_POLICY) {
        let url = view.url(&format!("/audit-mandates/{}/confirmation", escaped(id)));
        page.acts
            .push(ActForm::new("confirm", "Confirm the mandate", url).submit("Confirm the mandate"));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, mandate: &AuditMandate) -> Vec<Fact> {
    let services: Vec<&str> = mandate.services.iter().map(|key| key.as_str()).collect();
    let services = match services.is_empty() {
        true => Rich::from("all"),
        false => Rich::new().said(services.join(", ")),
    };
    let mut facts = vec![
        Fact::new("Purpose", Rich::new().said(mandate.reason.as_str())),
        Fact::new("Services", services),
        Fact::new("From", view.reader.moment(mandate.starts_at)),
        Fact::new("Until", view.reader.moment(mandate.ends_at)),
        Fact::new("Proposed by", view.person(&mandate.by)),
    ];
    if let Some(from) = mandate.span_from {
        facts.push(Fact::new("Changes from", view.reader.moment(from)));
    }
    if let Some(to) = mandate.span_to {
        facts.push(Fact::new("Changes until", view.reader.moment(to)));
    }
    if let Some(by) = &mandate.confirmed_by {
        facts.push(Fact::new("Confirmed by", view.person(by)));
    }
    facts
}

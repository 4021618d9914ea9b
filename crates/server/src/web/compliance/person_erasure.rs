//! The page of an erasure of a person's data, with the form by which another person carries it out.

use acts::Context;
use acts::compliance::erase_person::confirm_person_erasure;
use acts::core::noun;
use axum::extract::{Path, State};
use axum::response::Response;
use model::compliance::person_erasure::PersonErasure;
use model::core::act::actions;
use model::core::body::Body;
use pages::{ActForm, Fact, Place, RecordPage, Rich};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send, sent};
use crate::web::shared::view::{View, Visitor, show};

/// The page.
pub(crate) async fn show_erasure(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::AuditLog, move |view| page(view, &id, None)).await
}

/// Does it.
pub(crate) async fn confirm(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let here = format!("/person-erasures/{}", escaped(&id));
    let sent: Sent = sent(
        form,
        format!("{here}/confirmation"),
        format!("{here}/page"),
        Place::AuditLog,
    );
    let erasure = id.clone();
    let run = move |cx: &mut Context<'_, '_>, _: &Body| confirm_person_erasure(cx, &erasure).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    let erasure = noun::show::<PersonErasure>(view.cx, id)?;
    let state = match (erasure.active, erasure.done_at) {
        (true, _) => "It is waiting for another person who may set policies.",
        (false, Some(_)) => "It was done; the proofs in the log remain.",
        (false, None) => "It was withdrawn.",
    };
    let mut facts = vec![
        Fact::new("Why", Rich::new().said(erasure.reason.as_str())),
        Fact::new("Asked by", view.person(&erasure.by)),
        Fact::new("Asked", Rich::from(view.reader.moment(erasure.at))),
    ];
    if let (Some(by), Some(at)) = (&erasure.done_by, erasure.done_at) {
        facts.push(Fact::new("Done by", view.person(by)));
        facts.push(Fact::new("Done", Rich::from(view.reader.moment(at))));
    }
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Person erasures".to_owned(), view.url("/person-erasures"))],
        title: format!("Erasure of the data of {}", view.name(&erasure.person)),
        byline: Rich::from(state),
        facts,
        ..RecordPage::default()
    };
    if erasure.active && view.may(actions::SET_POLICY) {
        let url = view.url(&format!("/person-erasures/{}/confirmation", escaped(id)));
        page.acts
            .push(ActForm::new("confirm", "Erase for good", url).submit("Erase for good"));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

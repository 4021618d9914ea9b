//! The draft of a new change's form: saved by the script while the author types, or by a button without the script, and
//! restored when the form is opened again.

use acts::Context;
use acts::change::keep_draft::{self, FormDraft};
use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use pages::{ChangeForm, Field, KeptDraft, Rich};
use serde_json::json;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::change::edit_fields::Back;
use crate::web::change::new_form::show_new;
use crate::web::shared::form::{AFTER, DRAFT, DRAFT_VERSION, FIT, Form, MARK, STANDS};
use crate::web::shared::problem::bare_problem;
use crate::web::shared::response::see;
use crate::web::shared::view::{View, Visitor, problem, write};

/// The form's fields that belong to one submission.
const ONCE: &[&str] = &["act", "add", FIT, MARK, STANDS, DRAFT, DRAFT_VERSION];

/// The name of a form in drafts, from its address: its template or else its service.
pub(crate) fn form_of(after: &str, service: Option<&str>) -> String {
    match (after, service) {
        ("", None) => String::new(),
        ("", Some(service)) => format!("service={}", escaped(service)),
        (after, _) => format!("{AFTER}={}", escaped(after)),
    }
}

/// The draft of a form as if the form had come back with it.
pub(crate) fn restored(draft: &FormDraft) -> Back {
    Back {
        form: Form::new(keep_draft::values_of(draft)),
        failure: None,
    }
}

/// Lets the form keep a draft: `restored` is the draft that the form begins with, `seen` the last version that it saw.
pub(crate) fn keeps(
    view: &mut View<'_, '_, '_>,
    page: &mut ChangeForm,
    form: &str,
    (restored, seen): (Option<&FormDraft>, i64),
) -> acts::Result<()> {
    let drafts = keep_draft::find_drafts(view.cx)?;
    let when = |draft: &FormDraft| view.ago(draft.saved_at);
    let others = drafts.iter().filter(|draft| draft.form != form);
    page.hidden.push(Field::hidden(DRAFT, form));
    page.hidden.push(Field::hidden(DRAFT_VERSION, seen.to_string()));
    page.kept = Some(KeptDraft {
        save_url: view.url("/changes/new/draft"),
        discard_url: view.url("/changes/new/draft/removal"),
        form: form.to_owned(),
        restored: restored.map(|draft| {
            Rich::from("Your draft is restored; it was saved ")
                .append(when(draft))
                .text(". Only you can see it.")
        }),
        others: others
            .map(|draft| link(view, draft).text(", kept ").append(when(draft)))
            .collect(),
    });
    Ok(())
}

/// A draft by its title, leading to its form.
fn link(view: &View<'_, '_, '_>, draft: &FormDraft) -> Rich {
    let url = view.url(&path(&draft.form));
    let answers = Form::new(keep_draft::values_of(draft));
    match answers.first("title").trim() {
        "" => Rich::new().link("A change without a title", url),
        title => Rich::new().said_link(title, url),
    }
}

fn path(form: &str) -> String {
    match form.is_empty() || !keep_draft::is_form(form) {
        true => "/changes/new".to_owned(),
        false => format!("/changes/new?{form}"),
    }
}

fn keep(cx: &mut Context<'_, '_>, form: &Form) -> acts::Result<i64> {
    let answers = form.pairs().filter(|(name, _)| !ONCE.contains(name));
    let answers: Vec<(String, String)> = answers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    // A missing version was never issued, so the draft counts as stale.
    let seen = form.first(DRAFT_VERSION).parse().unwrap_or(-1);
    keep_draft::keep_draft(cx, form.first(DRAFT), seen, &answers)
}

/// Saves the typed values (`{"version": …}`); the form sends the version along with its next save.
pub(crate) async fn save(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    match write(&state, &visitor, move |cx| keep(cx, &form)).await {
        Ok(version) => ([(CACHE_CONTROL, "no-store")], Json(json!({"version": version}))).into_response(),
        Err(failure) => bare_problem(&failure),
    }
}

/// The same by the button of the form, which is shown again.
pub(crate) async fn put_aside(state: &AppState, visitor: &Visitor, form: Form) -> Response {
    let url = format!("{}{}", visitor.base(), path(form.first(DRAFT)));
    let sent = form.clone();
    match write(state, visitor, move |cx| keep(cx, &sent)).await {
        Ok(_) => see(&url),
        Err(failure) if matches!(failure.status(), 409 | 422) => {
            let failure = Some(failure);
            show_new(state, visitor, Back { form, failure }).await
        }
        Err(failure) => problem(state, visitor, &failure, &url).await,
    }
}

/// Throws the draft of a form away; the form begins anew.
pub(crate) async fn discard(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let url = format!("{}{}", visitor.base(), path(form.first(DRAFT)));
    match write(&state, &visitor, move |cx| {
        keep_draft::discard_draft(cx, form.first(DRAFT))
    })
    .await
    {
        Ok(()) => see(&url),
        Err(failure) => problem(&state, &visitor, &failure, &url).await,
    }
}

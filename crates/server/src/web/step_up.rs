//! The fresh factor on a page: the second one of who has one, else the password again.

use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use pages::{ActForm, Field, Input, StepUp};
use store::{Lane, Mode};

use super::ASSETS;
use super::form::Form;
use super::session::Next;
use super::view::{Visitor, bare_problem, escaped, html, safe_next, see};
use crate::failure::Failure;
use crate::listen::Source;
use crate::providers::ways_in;
use crate::sign_in::{self, Origin, Shown};
use crate::state::AppState;

async fn page(state: &AppState, visitor: &Visitor, next: &str, error: Option<String>) -> Result<StepUp, Failure> {
    let is_enrolled = sign_in::has_second_factor(state, &visitor.caller).await?;
    let find = |room: &mut acts::Room<'_, '_>| {
        let person = room.actor.person.clone();
        Ok(room.directory()?.name(&person))
    };
    let person = state.act(Lane::Pages, &visitor.caller, Mode::Read, find).await?;
    let home = format!("{}/", visitor.base());
    let next = safe_next(next, &home);
    let passkey_url = if crate::passkeys::has_passkey(state, &visitor.caller).await? {
        format!("{}/passkey/step-up?next={}", visitor.base(), escaped(next))
    } else {
        String::new()
    };
    let mut fields = vec![Field::hidden("next", next)];
    if is_enrolled {
        fields.push(code_field(error.clone()));
    }
    Ok(StepUp {
        person,
        purpose: "For an act of weight".to_owned(),
        why: "A rule wants a fresh proof that it is you. It holds for 5 minutes.".to_owned(),
        action_url: format!("{}/step-up", visitor.base()),
        assets: ASSETS.to_owned(),
        back_url: next.to_owned(),
        asks_password: !is_enrolled,
        other_ways: if is_enrolled {
            Vec::new()
        } else {
            ways(state, visitor, next).await
        },
        error: error.filter(|_| !is_enrolled),
        fields,
        passkey_url,
    })
}

/// Providers at which people may show anew who they are.
async fn ways(state: &AppState, visitor: &Visitor, next: &str) -> Vec<ActForm> {
    let found = ways_in(state, &visitor.caller.tenant).await.into_iter();
    found
        .map(|(key, name)| {
            let url = format!("{}/step-up/{key}?next={}", visitor.base(), escaped(next));
            ActForm::new(&key, format!("Sign in anew with {name}"), url)
        })
        .collect()
}

fn code_field(error: Option<String>) -> Field {
    let field = Field {
        autocomplete: Some("one-time-code"),
        error,
        ..Field::new("code", "Code of your authenticator", Input::Text)
    };
    field
        .hint("Six digits. A recovery code works here too, once.")
        .required()
}

/// Asks for a fresh factor.
pub(super) async fn form(State(state): State<AppState>, visitor: Visitor, Query(asked): Query<Next>) -> Response {
    match page(&state, &visitor, asked.next.as_deref().unwrap_or(""), None).await {
        Ok(page) => html(200, page.render()),
        Err(failure) => bare_problem(&failure),
    }
}

/// What the form shows: a code of digits is an authenticator's, any other one for recovery.
fn shown(form: &Form) -> Shown {
    let code = form.first("code").trim();
    if code.is_empty() {
        return Shown::Password(form.first("password").to_owned());
    }
    let is_plain = code.chars().all(|it| it.is_ascii_digit() || it.is_whitespace());
    if is_plain {
        Shown::Code(code.to_owned())
    } else {
        Shown::Recovery(code.to_owned())
    }
}

/// Takes a fresh factor and goes back to the act.
pub(super) async fn go(
    State(state): State<AppState>,
    visitor: Visitor,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let home = format!("{}/", visitor.base());
    let next = safe_next(form.first("next"), &home);
    let origin = Origin::of(&source, &headers);
    let Err(failure) = sign_in::step_up(&state, &visitor.caller, &origin, shown(&form)).await else {
        return see(next);
    };
    match page(&state, &visitor, next, Some(failure.problem.detail.clone())).await {
        Ok(page) => html(failure.status(), page.render()),
        Err(failure) => bare_problem(&failure),
    }
}

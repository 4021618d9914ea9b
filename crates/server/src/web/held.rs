//! A form whose sender's session had ended, or whose fresh factor had: it is not done and not lost. The door carries it along, and gives it back
//! to be sent by hand once they are in.

use axum::extract::{FromRequest, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
use pages::{Field, Kept, Notice, Tone};

use super::ASSETS;
use super::form::Form;
use super::view::{base, html, safe_next};
use crate::caller::{Caller, check_site};
use crate::state::AppState;

/// Before the name of a field that is carried through the door.
const HELD: &str = "held:";
/// The field that names where a held form was going.
const GOING: &str = "held";
/// What is never carried along.
const SECRETS: &[&str] = &["password", "present", "repeat", "code"];

/// Lets a request through; a form without a session is held at the door.
pub(super) async fn hold(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let Some(tenant) = tenant_of(&path).filter(|_| is_form(&request)) else {
        return next.run(request).await;
    };
    let is_unknown = match Caller::of(&state, request.method(), request.headers()).await {
        Ok(caller) => caller.tenant != tenant,
        Err(failure) => failure.status() == 401,
    };
    // What another site sent is not carried along; it meets the usual refusal.
    if !is_unknown || check_site(&state, request.headers()).is_err() {
        return next.run(request).await;
    }
    let tenant = tenant.to_owned();
    match Form::from_request(request, &state).await {
        Ok(form) => html(401, door(&state, &tenant, &path, &form).await.render()),
        Err(refused) => refused,
    }
}

fn is_form(request: &Request) -> bool {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    request.method() == Method::POST && kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// The doors' own forms, which come from people without a session or are of no use in another one.
const DOORS: [&str; 5] = ["sign-in", "sign-out", "step-up", "passkey", "passkey/step-up"];

/// The tenant of an address whose forms are held: all but those of the door itself.
fn tenant_of(path: &str) -> Option<&str> {
    let (tenant, rest) = path.strip_prefix("/t/")?.split_once('/')?;
    (!DOORS.contains(&rest)).then_some(tenant)
}

async fn door(state: &AppState, tenant: &str, path: &str, form: &Form) -> pages::SignIn {
    let mut page = super::session::door(state, tenant, "").await;
    let note = "Your session is over. Sign in, and what you typed comes back.";
    page.notices.push(Notice::new(Tone::Wait, note));
    page.fields.extend(fields(path, form));
    page
}

/// What a door carries along of a form that was on its way to a path.
pub(super) fn fields(path: &str, form: &Form) -> Vec<Field> {
    let answers = form.pairs().filter(|(name, _)| !SECRETS.contains(name));
    let held = answers.map(|(name, value)| Field::hidden(format!("{HELD}{name}"), value));
    std::iter::once(Field::hidden(GOING, path)).chain(held).collect()
}

/// The fields that a form at the door carries along, to be put back when the password was wrong.
pub(super) fn carried(form: &Form) -> Vec<Field> {
    let is_held = |name: &str| name == GOING || name.starts_with(HELD);
    form.pairs()
        .filter(|(name, _)| is_held(name))
        .map(|(name, value)| Field::hidden(name, value))
        .collect()
}

/// The form that was held, for somebody who came through the door; `None` when there was none.
pub(super) fn given_back(tenant: &str, form: &Form) -> Option<Response> {
    let home = format!("{}/", base(tenant));
    let going = safe_next(form.first(GOING), "");
    if tenant_of(going) != Some(tenant) {
        return None;
    }
    let fields = form
        .pairs()
        .filter_map(|(name, value)| Some((name.strip_prefix(HELD)?.to_owned(), value.to_owned())));
    let page = Kept {
        assets: ASSETS.to_owned(),
        action_url: going.to_owned(),
        back_url: home,
        fields: fields.collect(),
    };
    Some(html(200, page.render()))
}

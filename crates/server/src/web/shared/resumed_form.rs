//! A form whose sender's session or fresh factor had ended: the form is neither performed nor lost. The sign-in page carries
//! its fields along, and shows them for sending again after the sign-in.

use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pages::{Field, Kept, Notice, Tone};

use crate::change::keep_evidence::{FIELDS, take_text};
use crate::http::authenticate::{caller_of, check_site};
use crate::http::body::Pace;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::response::{ASSETS, base, html, safe_next};
use crate::web::shared::sign_in_page;

/// The prefix of a field that the sign-in page carries along.
const HELD: &str = "held:";
/// The field that names where a held form was going.
const GOING: &str = "held";
/// Fields that are never carried along.
const SECRETS: &[&str] = &["password", "present", "repeat", "code", "client_secret"];
/// The most bytes beside a file in its form.
const BESIDE_THE_FILE: usize = 1 << 20;

/// Passes a request on; the sign-in page holds a form without a session.
pub(crate) async fn hold(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let Some(tenant) = tenant_of(&path).filter(|_| is_form(&request)) else {
        return next.run(request).await;
    };
    let is_unknown = match caller_of(&state, request.method(), request.headers()).await {
        Ok(caller) => caller.tenant != tenant,
        Err(failure) => failure.status() == 401,
    };
    // A form of another site is not carried along; it gets the usual refusal.
    if !is_unknown || check_site(&state, request.headers()).is_err() {
        return next.run(request).await;
    }
    let tenant = tenant.to_owned();
    let form = match sends_file(&path) {
        true => fields_beside_file(&state, request).await,
        false => Form::from_request(request, &state).await,
    };
    match form {
        Ok(form) => html(401, door(&state, &tenant, &path, &form).await.render()),
        Err(refused) => refused,
    }
}

/// Whether the form at an address sends a file.
fn sends_file(path: &str) -> bool {
    path.ends_with("/evidence")
}

/// The fields beside a file. The file is skipped and kept nowhere, as its sender is not known. If the rest does not come or
/// cannot be read, the fields before it are kept.
async fn fields_beside_file(state: &AppState, mut request: Request) -> Result<Form, Response> {
    let most = usize::try_from(state.evidence_limit()).unwrap_or(usize::MAX);
    DefaultBodyLimit::max(most.saturating_add(BESIDE_THE_FILE)).apply(&mut request);
    let sent = Multipart::from_request(request, state).await;
    let mut sent = sent.map_err(IntoResponse::into_response)?;
    let (mut pairs, mut pace) = (Vec::new(), Pace::new());
    while let Ok(Ok(Some(mut field))) = pace.patiently(sent.next_field()).await {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() {
            while let Ok(Ok(Some(chunk))) = pace.patiently(field.chunk()).await {
                pace.took(chunk.len());
            }
            continue;
        }
        match take_text(field, &mut pace).await {
            Ok(text) if pairs.len() < FIELDS => pairs.push((name, text)),
            _ => break,
        }
    }
    Ok(Form::new(pairs))
}

fn is_form(request: &Request) -> bool {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let wanted = match sends_file(request.uri().path()) {
        true => "multipart/form-data",
        false => "application/x-www-form-urlencoded",
    };
    request.method() == Method::POST && kind.is_some_and(|kind| kind.starts_with(wanted))
}

/// The sign-in pages' own forms, which come from people without a session or have no use in another session.
const DOORS: [&str; 6] = [
    "sign-in",
    "sign-out",
    "step-up",
    "passkey",
    "passkey/step-up",
    "welcome",
];

/// The tenant of an address whose forms are held: all except the sign-in pages' own.
fn tenant_of(path: &str) -> Option<&str> {
    let (tenant, rest) = path.strip_prefix("/t/")?.split_once('/')?;
    (!DOORS.contains(&rest)).then_some(tenant)
}

async fn door(state: &AppState, tenant: &str, path: &str, form: &Form) -> pages::SignIn {
    let mut page = sign_in_page::door(state, tenant, "").await;
    let note = "Your session has ended. Sign in, and what you typed is restored.";
    page.notices.push(Notice::new(Tone::Wait, note));
    page.fields.extend(fields(path, form));
    page
}

/// The fields of a form for a path that the sign-in page carries along.
pub(crate) fn fields(path: &str, form: &Form) -> Vec<Field> {
    let answers = form.pairs().filter(|(name, _)| !SECRETS.contains(name));
    let held = answers.map(|(name, value)| Field::hidden(format!("{HELD}{name}"), value));
    std::iter::once(Field::hidden(GOING, path)).chain(held).collect()
}

/// The fields that a sign-in form carries along, to be shown again after a wrong password.
pub(crate) fn carried(form: &Form) -> Vec<Field> {
    let is_held = |name: &str| name == GOING || name.starts_with(HELD);
    form.pairs()
        .filter(|(name, _)| is_held(name))
        .map(|(name, value)| Field::hidden(name, value))
        .collect()
}

/// The held form, for a person who has signed in; `None` when there was none.
pub(crate) fn given_back(tenant: &str, form: &Form) -> Option<Response> {
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
        asks_file: sends_file(going),
    };
    Some(html(200, page.render()))
}

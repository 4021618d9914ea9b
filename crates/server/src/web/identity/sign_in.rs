//! Signing in, signing out, and repeating the password before a sensitive action.

use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use pages::{Field, Notice, SignIn, Tone};

use crate::http::authenticate::{caller_of, check_site};
use crate::http::caller::Credential;
use crate::http::failure::Failure;
use crate::http::source::Source;
use crate::http::state::AppState;
use crate::identity::sign_in::{self, NewSession, Origin};
use crate::web::identity::browser_settings;
use crate::web::shared::form::Form;
use crate::web::shared::problem::{bare_problem, failed_html};
use crate::web::shared::response::{ASSETS, base, html, safe_next, see};
use crate::web::shared::resumed_form;
use crate::web::shared::sign_in_page::{door, zone_field};
use crate::web::shared::view::Visitor;

/// Where the reader was going, and the time zone of their browser.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Next {
    pub next: Option<String>,
    /// The time zone of the browser, which the script of the sign-in page adds to the link to a provider.
    pub zone: Option<String>,
    out: Option<String>,
}

/// `/`: home for a signed-in reader, else the sign-in page.
pub(crate) async fn front(State(state): State<AppState>, headers: HeaderMap) -> Response {
    match caller_of(&state, &axum::http::Method::GET, &headers).await {
        Ok(caller) if matches!(caller.credential, Credential::Session { .. }) => {
            see(&format!("{}/", base(&caller.tenant)))
        }
        _ => see("/sign-in"),
    }
}

/// The sign-in page without a tenant in its address.
pub(crate) async fn front_form() -> Response {
    html(200, front_page(None, &Form::default()).render())
}

fn front_page(error: Option<&str>, form: &Form) -> SignIn {
    let mut page = SignIn::new("", "/sign-in", ASSETS);
    let tenant = Field::text("tenant", "Organisation")
        .hint("Its short name, as in the address of its pages.")
        .required();
    page.fields.insert(0, tenant.value(form.first("tenant")));
    page.fields.push(zone_field());
    refuse(&mut page, error, form);
    page
}

fn refuse(page: &mut SignIn, error: Option<&str>, form: &Form) {
    for field in &mut page.fields {
        if field.name == "login" {
            field.value = form.first("login").to_owned();
        }
        if field.name == "password" {
            field.error = error.map(str::to_owned);
        }
    }
}

/// Signs in by organisation, login and password.
pub(crate) async fn front_go(
    State(state): State<AppState>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let tenant = form.first("tenant").trim().to_lowercase();
    match enter(&state, &source, &headers, &tenant, &form).await {
        Ok(session) => with_session(see(&format!("{}/", base(&tenant))), &session),
        Err(failure) if failure.status() == 403 => bare_problem(&failure),
        Err(failure) => failed_html(&failure, front_page(Some(&failure.problem.detail), &form).render()),
    }
}

async fn enter(
    state: &AppState,
    source: &Source,
    headers: &HeaderMap,
    tenant: &str,
    form: &Form,
) -> Result<NewSession, Failure> {
    // Another site must not sign a visitor in as another person.
    check_site(state, headers)?;
    let origin = Origin::of(source, headers);
    let session = sign_in::sign_in(state, &origin, tenant, form.first("login"), form.first("password")).await?;
    browser_settings::take(state, headers, &session, form.first("zone")).await;
    Ok(session)
}

/// A response with the cookies of a session that has just begun.
fn with_session(response: Response, session: &NewSession) -> Response {
    let response = with_cookie(response, &session.cookie);
    match &session.device {
        Some(device) => with_cookie(response, device),
        None => response,
    }
}

pub(crate) fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// The sign-in page of a tenant.
pub(crate) async fn form(
    State(state): State<AppState>,
    Path(tenant): Path<String>,
    Query(asked): Query<Next>,
    headers: HeaderMap,
) -> Response {
    let next = asked.next.unwrap_or_default();
    let mut page = door(&state, &tenant, safe_next(&next, "")).await;
    // A forged link cannot claim that a signed-in reader is signed out.
    let is_in = caller_of(&state, &axum::http::Method::GET, &headers).await.is_ok();
    if asked.out.is_some() && !is_in {
        page.notices
            .push(Notice::new(Tone::Ok, "You are signed out on this device."));
    }
    html(200, page.render())
}

/// Signs in to a tenant.
pub(crate) async fn go(
    State(state): State<AppState>,
    Path(tenant): Path<String>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let home = format!("{}/", base(&tenant));
    match enter(&state, &source, &headers, &tenant, &form).await {
        Ok(session) => {
            let back = resumed_form::given_back(&tenant, &form);
            with_session(
                back.unwrap_or_else(|| see(safe_next(form.first("next"), &home))),
                &session,
            )
        }
        Err(failure) if failure.status() == 403 => bare_problem(&failure),
        Err(failure) => {
            let mut page = door(&state, &tenant, safe_next(form.first("next"), "")).await;
            page.fields.extend(resumed_form::carried(&form));
            refuse(&mut page, Some(&failure.problem.detail), &form);
            failed_html(&failure, page.render())
        }
    }
}

/// Signs out on this device.
pub(crate) async fn out(State(state): State<AppState>, visitor: Visitor) -> Response {
    match sign_in::end_session(&state, &visitor.caller).await {
        Ok(cookie) => with_cookie(see(&format!("{}/sign-in?out=1", visitor.base())), &cookie),
        Err(failure) => failure.into_response(),
    }
}

//! The link for a person's first sign-in: it contains a long random password, which works until the person chooses their own
//! here.

use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use pages::{Field, Input, Notice, SignIn, Tone};
use store::{Lane, Mode};

use acts::directory::set_person;
use acts::notify::set_telling::{self, BrowserSettings};

use crate::http::authenticate::{caller_of, check_site};
use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::source::Source;
use crate::http::state::AppState;
use crate::identity::sign_in::{self, NewSession, Origin};
use crate::web::identity::browser_settings::with_session;
use crate::web::identity::sign_in::with_cookie;
use crate::web::shared::form::Form;
use crate::web::shared::languages;
use crate::web::shared::problem::{bare_problem, failed_html};
use crate::web::shared::response::{base, html, see};
use crate::web::shared::sign_in_page::{door, zone_field};

/// The content of the link.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct Link {
    login: Option<String>,
    key: Option<String>,
}

/// The address of somebody's link.
pub(crate) fn address(public_url: &str, tenant: &str, login: &str, key: &str) -> String {
    let path = format!("{}/welcome", base(tenant));
    format!("{public_url}{path}?login={}&key={}", escaped(login), escaped(key))
}

/// A key for a link: 32 random bytes.
///
/// # Errors
/// The entropy's.
pub(crate) fn new_key(state: &AppState) -> Result<String, Failure> {
    let mut bytes = [0_u8; 32];
    let tools = state.executor().tools();
    tools.entropy.fill(&mut bytes).map_err(|error| Failure::fault(&error))?;
    Ok(proof::crypto::base64url(&bytes))
}

/// Shows the form for a password. The link itself changes nothing, so that a program that follows links does not use it up.
pub(crate) async fn form(
    State(state): State<AppState>,
    Path(tenant): Path<String>,
    Query(link): Query<Link>,
) -> Response {
    let (login, key) = (link.login.unwrap_or_default(), link.key.unwrap_or_default());
    html(200, page(&state, &tenant, (&login, &key), None).await.render())
}

async fn page(state: &AppState, tenant: &str, (login, key): (&str, &str), error: Option<String>) -> SignIn {
    let mut page = door(state, tenant, "").await;
    page.action_url = format!("{}/welcome", base(tenant));
    page.other_ways.clear();
    page.passkey_url.clear();
    let mut password = Field {
        autocomplete: Some("new-password"),
        ..Field::new("password", "Your new password", Input::Password).required()
    };
    password.hint = Some("At least 10 characters.".to_owned());
    password.error = error;
    page.fields = vec![
        Field::text("login", "Login").value(login).required(),
        Field::hidden("key", key),
        zone_field(),
        password,
    ];
    let text = "Choose a password of your own. This link stops working with it.";
    page.notices.push(Notice::new(Tone::Plain, text).title("Welcome"));
    page
}

/// Signs in by the link, keeps the new password, and signs in with it.
pub(crate) async fn go(
    State(state): State<AppState>,
    Path(tenant): Path<String>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    match enter(&state, &source, &headers, (&tenant, &form)).await {
        Ok(session) => {
            let response = with_cookie(see(&format!("{}/", base(&tenant))), &session.cookie);
            match &session.device {
                Some(device) => with_cookie(response, device),
                None => response,
            }
        }
        Err(failure) if failure.status() == 403 => bare_problem(&failure),
        Err(failure) => {
            let error = match failure.status() {
                401 => "This link was already used, or is incomplete. Ask the person who gave it to you for a new one."
                    .to_owned(),
                422 => failure
                    .problem
                    .errors
                    .first()
                    .map_or_else(|| failure.problem.detail.clone(), |error| error.text.clone()),
                _ => failure.problem.detail.clone(),
            };
            let link = (form.first("login"), form.first("key"));
            let page = page(&state, &tenant, link, Some(error)).await;
            failed_html(&failure, page.render())
        }
    }
}

async fn enter(
    state: &AppState,
    source: &Source,
    headers: &HeaderMap,
    (tenant, form): (&str, &Form),
) -> Result<NewSession, Failure> {
    check_site(state, headers)?;
    let (login, secret) = (form.first("login"), form.first("password"));
    // An unacceptable password is refused before the link is checked, so that the person can try again with the same link.
    let phc = sign_in::hash_password(state, secret).await?;
    let origin = Origin::of(source, headers);
    let first = sign_in::sign_in(state, &origin, tenant, login, form.first("key")).await?;
    let caller = caller_of(state, &Method::GET, &with_session(&first)?).await?;
    let (language, is_by_twelve) = languages::of_browser(headers);
    let browser = BrowserSettings {
        language,
        is_by_twelve,
        zone: form.first("zone").to_owned(),
    };
    let keep = move |cx: &mut acts::Context<'_, '_>| {
        set_person::change_password(cx, &phc)?;
        set_telling::take_from_browser(cx, &browser)
    };
    state.act(Lane::Pages, &caller, Mode::Write, keep).await?;
    // A new password ends every session, the one of the link as well.
    sign_in::sign_in(state, &origin, tenant, login, secret).await
}

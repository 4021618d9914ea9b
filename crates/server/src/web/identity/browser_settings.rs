//! The language, the clock and the time zone of a person's browser: taken at a sign-in until their preferences are set, so that
//! the first page and the first letter are in them.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue, Method};
use pages::language::ENGLISH;
use store::{Lane, Mode};

use acts::notify::set_telling::{self, BrowserSettings};

use crate::http::authenticate::caller_of;
use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::identity::sign_in::NewSession;
use crate::web::shared::languages;

/// The names of the zone of people without a chosen one.
const USUAL_ZONES: [&str; 2] = ["UTC", "Etc/UTC"];

/// Takes the settings for the person of a session that has just begun. Without them the sign-in goes on: they are a convenience.
pub(crate) async fn take(state: &AppState, headers: &HeaderMap, session: &NewSession, zone: &str) {
    let (language, is_by_twelve) = languages::of_browser(headers);
    // Letters are in English and times in UTC unless a person chose otherwise, so neither is written down.
    let language = if language == ENGLISH { "" } else { language };
    let zone = if USUAL_ZONES.contains(&zone) { "" } else { zone };
    if language.is_empty() && !is_by_twelve && zone.is_empty() {
        return;
    }
    let browser = BrowserSettings {
        language,
        is_by_twelve,
        zone: zone.to_owned(),
    };
    if let Err(failure) = keep(state, session, browser).await {
        tracing::info!(
            code = failure.problem.code.as_str(),
            "the settings of a browser were not taken at a sign-in"
        );
    }
}

async fn keep(state: &AppState, session: &NewSession, browser: BrowserSettings) -> Result<(), Failure> {
    let caller = caller_of(state, &Method::GET, &with_session(session)?).await?;
    let seen = browser.clone();
    // Almost everybody's preferences are set already; their sign-ins do not wait for the writer.
    let look = move |cx: &mut acts::Context<'_, '_>| set_telling::would_take_from_browser(cx, &seen);
    if !state.act(Lane::Pages, &caller, Mode::Read, look).await? {
        return Ok(());
    }
    let keep = move |cx: &mut acts::Context<'_, '_>| set_telling::take_from_browser(cx, &browser);
    state.act(Lane::Pages, &caller, Mode::Write, keep).await
}

/// The head of a request in a session that has just begun.
///
/// # Errors
/// A cookie that no header can contain.
pub(crate) fn with_session(session: &NewSession) -> Result<HeaderMap, Failure> {
    let pair = session.cookie.split(';').next().unwrap_or_default();
    let value = HeaderValue::from_str(pair).map_err(|error| Failure::fault(&error))?;
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, value);
    Ok(headers)
}

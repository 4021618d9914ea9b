//! The redirects to identity providers and back.

use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::http::authenticate::check_site;
use crate::http::failure::Failure;
use crate::http::source::Source;
use crate::http::state::AppState;
use crate::identity::providers::{Leaving, Purpose, Returned, arrive, forgotten, leave};
use crate::identity::sign_in::Origin;
use crate::web::identity::browser_settings;
use crate::web::identity::sign_in::Next;
use crate::web::shared::problem::failed_html;
use crate::web::shared::response::{base, safe_next, see};
use crate::web::shared::sign_in_page::door_with;

fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

async fn sent(state: &AppState, tenant: &str, leaving: Result<Leaving, Failure>) -> Response {
    match leaving {
        Ok(leaving) => with_cookies(Redirect::to(&leaving.url).into_response(), &[leaving.cookie]),
        Err(failure) => failed_html(&failure, door_with(state, tenant, &failure).await.render()),
    }
}

/// Sends somebody to a provider to sign in.
pub(crate) async fn out(
    State(state): State<AppState>,
    Path((tenant, key)): Path<(String, String)>,
    Query(asked): Query<Next>,
    headers: HeaderMap,
) -> Response {
    let next = asked.next.unwrap_or_default();
    // A link of another site does not choose a zone for whoever follows it.
    let zone = asked.zone.filter(|_| check_site(&state, &headers).is_ok());
    let on_the_way = (safe_next(&next, ""), zone.unwrap_or_default());
    let leaving = leave(&state, &tenant, &key, Purpose::SignIn, on_the_way).await;
    sent(&state, &tenant, leaving).await
}

/// Redirects a person to a provider for a new authentication.
pub(crate) async fn step_up(
    State(state): State<AppState>,
    Path((tenant, key)): Path<(String, String)>,
    Query(asked): Query<Next>,
) -> Response {
    let next = asked.next.unwrap_or_default();
    let leaving = leave(
        &state,
        &tenant,
        &key,
        Purpose::StepUp,
        (safe_next(&next, ""), String::new()),
    )
    .await;
    sent(&state, &tenant, leaving).await
}

/// Takes somebody back from a provider.
pub(crate) async fn back(
    State(state): State<AppState>,
    Path((tenant, key)): Path<(String, String)>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Response {
    let origin = Origin::of(&source, &headers);
    match arrive(&state, &tenant, &key, &headers, (&origin, returned)).await {
        Ok(arrived) => {
            if let Some(session) = &arrived.begun {
                browser_settings::take(&state, &headers, session, &arrived.zone).await;
            }
            let home = format!("{}/", base(&tenant));
            with_cookies(see(safe_next(&arrived.next, &home)), &arrived.cookies)
        }
        Err(failure) => {
            let page = door_with(&state, &tenant, &failure).await;
            with_cookies(failed_html(&failure, page.render()), &[forgotten(&state, &tenant)])
        }
    }
}

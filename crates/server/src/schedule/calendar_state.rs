//! `GetCalendarState` of AWS Systems Manager for the same freezes, behind the address of a calendar feed: the secret in the address is
//! the credential, and the client's signature is not read.

use acts::schedule::frozen_times::{Place, find_closed};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use connect::schedule::calendar_state::{MEDIA_TYPE, Name, Wrong, read, state_response, wrong};
use serde_json::Value;
use store::{Lane, Mode};

use crate::http::authenticate::caller_of_feed;
use crate::http::state::AppState;

/// The longest body, in bytes.
const BODY: usize = 64 * 1024;

/// Answers a question.
pub(crate) async fn show(
    State(state): State<AppState>,
    Path((tenant, secret)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let denied = || {
        let text = "No calendar feed has this address.".to_owned();
        describe(400, &wrong(&("AccessDeniedException", text)))
    };
    let caller = match caller_of_feed(&state, &secret).await {
        Ok(caller) if caller.tenant == tenant => caller,
        Err(failure) if failure.status() != 401 => return failure.into_response(),
        _ => return denied(),
    };
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let asked = match body.len() > BODY {
        true => Err(("ValidationException", "The body is too long.".to_owned())),
        false => read(target, &body),
    };
    let question = match asked {
        Ok(question) => question,
        Err(why) => return describe(400, &wrong(&why)),
    };
    let places: Vec<Place> = question.calendars.into_iter().map(place).collect();
    let at = question.at;
    let found = state
        .act(Lane::Pages, &caller, Mode::Read, move |cx| {
            let at = at.unwrap_or(cx.now);
            Ok(find_closed(cx, &places)?
                .map(|closed| state_response(&closed, at))
                .map_err(absent))
        })
        .await;
    match found {
        Ok(Ok(value)) => describe(200, &value),
        Ok(Err(why)) => describe(400, &wrong(&why)),
        Err(failure) if matches!(failure.status(), 401 | 403) => denied(),
        Err(failure) => failure.into_response(),
    }
}

fn place(name: Name) -> Place {
    Place {
        service: name.service,
        environment: name.environment,
    }
}

fn absent(text: String) -> Wrong {
    ("InvalidDocument", text)
}

fn describe(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, value.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

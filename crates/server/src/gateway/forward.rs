//! Forward authentication as nginx (`auth_request`), Caddy (`forward_auth`), HAProxy, Apache and Envoy (ext_authz over
//! HTTP) do it: any request, answered with 200 or 403. The gateway's settings name service and environment in the path;
//! what is deployed stands in headers.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::question::{Asked, Decide, Decided, door_of, header, permit_of, read_place};

/// `/gateway/http/{service}/{environment}`.
pub(super) async fn answer<D: Decide>(
    State(decider): State<D>,
    Path((service, environment)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let about = read_place(&service, &environment, |name| header(&headers, name));
    let asked = Asked {
        door: door_of(header(&headers, "assent-gateway"), "http"),
        about,
        permit: permit_of(header(&headers, "assent-permit")),
        headers,
    };
    match decider.decide(asked).await {
        Ok(decided) => told(&decided),
        Err(failure) => failure.into_response(),
    }
}

/// The same below it: Envoy sends the path of the request that it holds behind the prefix. It is not looked at.
pub(super) async fn answer_below<D: Decide>(
    state: State<D>,
    Path((service, environment, _)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    answer(state, Path((service, environment)), headers).await
}

fn told(decided: &Decided) -> Response {
    let status = if decided.is_go() {
        StatusCode::OK
    } else {
        StatusCode::FORBIDDEN
    };
    let mut response = (status, axum::Json(decided.body())).into_response();
    for (name, value) in decided.headers() {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

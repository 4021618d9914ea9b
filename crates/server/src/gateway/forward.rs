//! Forward authentication as nginx (`auth_request`), Caddy (`forward_auth`), HAProxy, Apache and Envoy (ext_authz over
//! HTTP) do it: any request, answered with 200 or 403. The gateway's settings name service and environment in the path;
//! what is deployed stands in headers.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::question::{Asked, Decide, Decided, check_once, door_of, header, permit_of, read_place};

/// `/gateway/http/{service}/{environment}`.
pub(super) async fn answer<D: Decide>(
    State(decider): State<D>,
    Path((service, environment)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let asked = asked(&service, &environment, headers);
    match decider.decide(asked).await {
        Ok(decided) => told(&decided),
        Err(failure) => failure.into_response(),
    }
}

fn asked(service: &str, environment: &str, headers: HeaderMap) -> Asked {
    let about = check_once(headers.iter().map(|(name, _)| name.as_str()))
        .and_then(|()| read_place(service, environment, |name| header(&headers, name)));
    Asked {
        door: door_of(header(&headers, "assent-gateway"), "http"),
        about,
        permit: permit_of(header(&headers, "assent-permit")),
        headers,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_header_of_a_name_is_not_passed_over() {
        let mut headers = HeaderMap::new();
        let mut send = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
            let asked = asked("shop", "production", headers.clone());
            asked.about.map(|place| place.artifact).map_err(|unclear| unclear.code)
        };
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        assert_eq!(send("assent-artifact", digest("a")), Ok(Some(digest("a"))));
        assert_eq!(send("accept", "text/html".to_owned()), Ok(Some(digest("a"))));
        assert_eq!(send("accept", "text/plain".to_owned()), Ok(Some(digest("a"))));
        assert_eq!(send("assent-artifact", digest("b")), Err("malformed"));
    }
}

//! Forward authentication for nginx (`auth_request`), Caddy (`forward_auth`), HAProxy, Apache and Envoy (ext_authz over HTTP):
//! any request gets 200 or 403. The gateway's settings name service and environment in the path; headers name the deployment.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::heads::Heads;
use super::question::{Decide, Decided, GatewayQuestion, Place, door_of, permit_of, read_place};

/// The header by which Envoy takes headers of the client away (`ext_authz` over HTTP).
const TAKEN_AWAY: &str = "x-envoy-auth-headers-to-remove";

/// `/gateway/http/{service}/{environment}`.
pub(super) async fn answer<D: Decide>(
    State(decider): State<D>,
    Path((service, environment)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let (asked, sent) = read_question(&service, &environment, headers);
    let judged = asked.about.as_ref().map(Place::judged).unwrap_or_default();
    match decider.decide(asked).await {
        Ok(decided) => describe(&decided, judged, &sent),
        Err(failure) => failure.into_response(),
    }
}

/// The question, with the names of ours that the request sent.
fn read_question(service: &str, environment: &str, headers: HeaderMap) -> (GatewayQuestion, Heads) {
    let read = Heads::read(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let heads = read.clone().unwrap_or_default();
    let asked = GatewayQuestion {
        door: door_of(heads.value("assent-gateway").map(str::to_owned), "http"),
        about: read.and_then(|heads| read_place(service, environment, &heads)),
        permit: permit_of(heads.value("assent-permit")),
        headers,
    };
    (asked, heads)
}

/// The same below the prefix: Envoy appends the path of the checked request, which is ignored.
pub(super) async fn answer_below<D: Decide>(
    state: State<D>,
    Path((service, environment, _)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    answer(state, Path((service, environment)), headers).await
}

fn describe(decided: &Decided, judged: Vec<(&'static str, String)>, sent: &Heads) -> Response {
    let status = if decided.is_go() {
        StatusCode::OK
    } else {
        StatusCode::FORBIDDEN
    };
    let mut response = (status, axum::Json(decided.body())).into_response();
    let mut headers = decided.headers();
    headers.extend(judged);
    let is_kept = |name: &str| headers.iter().any(|(kept, _)| *kept == name);
    let removed: Vec<&str> = sent.names().filter(|name| !is_kept(name)).collect();
    if !removed.is_empty() {
        headers.push((TAKEN_AWAY, removed.join(",")));
    }
    for (name, value) in headers {
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
            let (asked, _) = read_question("shop", "production", headers.clone());
            asked.about.map(|place| place.artifact).map_err(|unclear| unclear.code)
        };
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        assert_eq!(send("assent-artifact", digest("a")), Ok(Some(digest("a"))));
        assert_eq!(send("accept", "text/html".to_owned()), Ok(Some(digest("a"))));
        assert_eq!(send("accept", "text/plain".to_owned()), Ok(Some(digest("a"))));
        assert_eq!(send("assent-artifact", digest("b")), Err("malformed"));
    }
}

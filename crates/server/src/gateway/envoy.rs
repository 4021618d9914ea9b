//! Envoy's external authorization over gRPC, `envoy.service.auth.v3.Authorization/Check`.
//!
//! The messages are a part of Envoy's published ones, with their field numbers; other fields are skipped, as usual in Protocol
//! Buffers. The framing is gRPC over HTTP/2 for one unary call. Service and environment are in `context_extensions`, which only
//! Envoy's own settings fill.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header as name};
use axum::response::Response;
use hyper::body::Frame;
use prost::Message;

use super::heads::Heads;
use super::question::{Decide, Decided, GatewayQuestion, Place, door_of, permit_of, read_place};
use super::unclear::Unclear;
use crate::http::body::read_all;
use crate::http::failure::Failure;

/// The path of the call.
pub(super) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";
/// The largest request, in bytes: heads of requests, and bodies that Envoy is configured to send along.
const LIMIT: u64 = 1024 * 1024;
/// The media type of gRPC.
const GRPC: &str = "application/grpc";
/// Codes of `google.rpc.Code`.
const OK: i32 = 0;
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

#[derive(Clone, PartialEq, Message)]
struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    attributes: Option<Attributes>,
}

#[derive(Clone, PartialEq, Message)]
struct Attributes {
    #[prost(message, optional, tag = "4")]
    request: Option<AttributeRequest>,
    #[prost(map = "string, string", tag = "10")]
    context_extensions: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct AttributeRequest {
    #[prost(message, optional, tag = "2")]
    http: Option<HttpRequest>,
}

#[derive(Clone, PartialEq, Message)]
struct HttpRequest {
    #[prost(map = "string, string", tag = "3")]
    headers: HashMap<String, String>,
    #[prost(message, optional, tag = "13")]
    header_map: Option<AllHeaders>,
}

/// The message that Envoy sends in place of `headers` when it is configured to encode them raw.
#[derive(Clone, PartialEq, Message)]
struct AllHeaders {
    #[prost(message, repeated, tag = "1")]
    headers: Vec<OneHeader>,
}

#[derive(Clone, PartialEq, Message)]
struct OneHeader {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(bytes = "vec", tag = "3")]
    raw_value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct HeaderOption {
    #[prost(message, optional, tag = "1")]
    header: Option<OneHeader>,
    /// 2 is `OVERWRITE_IF_EXISTS_OR_ADD`: a client's headers of our names do not reach the service.
    #[prost(int32, tag = "3")]
    append_action: i32,
}

#[derive(Clone, PartialEq, Message)]
struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<RpcStatus>,
    #[prost(message, optional, tag = "2")]
    denied: Option<Denied>,
    #[prost(message, optional, tag = "3")]
    allowed: Option<Allowed>,
}

#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[derive(Clone, PartialEq, Message)]
struct Denied {
    #[prost(message, optional, tag = "1")]
    status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    headers: Vec<HeaderOption>,
    #[prost(string, tag = "3")]
    body: String,
}

#[derive(Clone, PartialEq, Message)]
struct HttpStatus {
    #[prost(int32, tag = "1")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Allowed {
    #[prost(message, repeated, tag = "2")]
    headers: Vec<HeaderOption>,
    /// Headers of the client that do not reach the service.
    #[prost(string, repeated, tag = "5")]
    headers_to_remove: Vec<String>,
}

impl HttpRequest {
    /// All headers with their bytes, including repeated ones.
    fn all(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let raw = self.header_map.iter().flat_map(|map| &map.headers);
        let plain = self.headers.iter().map(|(key, value)| (key.as_str(), value.as_bytes()));
        plain.chain(raw.map(|it| (it.key.as_str(), it.bytes())))
    }
}

impl OneHeader {
    /// The value, from whichever of its two fields is set.
    fn bytes(&self) -> &[u8] {
        if self.value.is_empty() {
            &self.raw_value
        } else {
            self.value.as_bytes()
        }
    }
}

/// `Check`.
pub(super) async fn answer<D: Decide>(State(decider): State<D>, headers: HeaderMap, body: Body) -> Response {
    match check(&decider, headers, body).await {
        Ok(answer) => message(&answer),
        Err((code, text)) => trouble(code, &text),
    }
}

async fn check<D: Decide>(decider: &D, headers: HeaderMap, body: Body) -> Result<CheckResponse, (i32, String)> {
    let kind = headers
        .get(name::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if kind != GRPC && !kind.starts_with("application/grpc+proto") {
        return Err((INVALID_ARGUMENT, format!("Send `{GRPC}`.")));
    }
    let bytes = read_all(body, LIMIT).await.map_err(in_grpc)?;
    let request = CheckRequest::decode(unframed(&bytes)?)
        .map_err(|error| (INVALID_ARGUMENT, format!("The message cannot be read: {error}.")))?;
    let (asked, sent) = read_question(request, headers);
    let judged = asked.about.as_ref().map(Place::judged).unwrap_or_default();
    let decided = decider.decide(asked).await.map_err(in_grpc)?;
    Ok(describe(&decided, judged, &sent))
}

/// The one message of a unary call: a flag, its length, its bytes.
fn unframed(bytes: &[u8]) -> Result<&[u8], (i32, String)> {
    let Some((head, rest)) = bytes.split_first_chunk::<5>() else {
        return Err((INVALID_ARGUMENT, "The call holds no message.".to_owned()));
    };
    let [flag, length @ ..] = *head;
    if flag != 0 {
        return Err((UNIMPLEMENTED, "Compressed messages are not read.".to_owned()));
    }
    if usize::try_from(u32::from_be_bytes(length)) != Ok(rest.len()) {
        return Err((INVALID_ARGUMENT, "The message is not as long as it says.".to_owned()));
    }
    Ok(rest)
}

/// The question, with the names of ours that the request sent.
fn read_question(request: CheckRequest, headers: HeaderMap) -> (GatewayQuestion, Heads) {
    let attributes = request.attributes.unwrap_or_default();
    let http = attributes.request.and_then(|request| request.http).unwrap_or_default();
    let extension = |name: &str| attributes.context_extensions.get(name).cloned();
    // Envoy's own call has one credential; the checked request inside it names the deployment.
    let own = Heads::read(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let read = own.and_then(|_| Heads::read(http.all()));
    let heads = read.clone().unwrap_or_default();
    let about = match (extension("service"), extension("environment")) {
        (Some(service), Some(environment)) => read.and_then(|heads| read_place(&service, &environment, &heads)),
        _ => Err(Unclear {
            code: "malformed",
            subject: String::new(),
            text: "Envoy's settings name no `service` and `environment` in `context_extensions`.".to_owned(),
            satisfy: "Set both under `check_settings` of the route.",
        }),
    };
    let asked = GatewayQuestion {
        door: door_of(extension("gateway"), "envoy"),
        about,
        permit: permit_of(heads.value("assent-permit")),
        headers,
    };
    (asked, heads)
}

fn describe(decided: &Decided, judged: Vec<(&'static str, String)>, sent: &Heads) -> CheckResponse {
    let mut all = decided.headers();
    all.extend(judged);
    let is_kept = |name: &str| all.iter().any(|(kept, _)| *kept == name);
    let removed: Vec<String> = sent.names().filter(|name| !is_kept(name)).map(str::to_owned).collect();
    let headers: Vec<HeaderOption> = all
        .into_iter()
        .map(|(key, value)| HeaderOption {
            header: Some(OneHeader {
                key: key.to_owned(),
                value,
                raw_value: Vec::new(),
            }),
            append_action: 2,
        })
        .collect();
    if decided.is_go() {
        return CheckResponse {
            status: Some(RpcStatus::default()),
            denied: None,
            allowed: Some(Allowed {
                headers,
                headers_to_remove: removed,
            }),
        };
    }
    let first = decided.reasons.first().map(|reason| reason.text.clone());
    CheckResponse {
        status: Some(RpcStatus {
            code: PERMISSION_DENIED,
            message: first.unwrap_or_default(),
        }),
        denied: Some(Denied {
            status: Some(HttpStatus { code: 403 }),
            headers,
            body: decided.body().to_string(),
        }),
        allowed: None,
    }
}

/// The failure as a gRPC status; Envoy then returns 403 unless it is configured to fail open.
fn in_grpc(failure: Failure) -> (i32, String) {
    let code = match failure.status() {
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        413 => RESOURCE_EXHAUSTED,
        503 => UNAVAILABLE,
        400..=499 => INVALID_ARGUMENT,
        _ => INTERNAL,
    };
    (code, failure.problem.detail.clone())
}

fn message(answer: &CheckResponse) -> Response {
    let bytes = answer.encode_to_vec();
    let mut framed = vec![0];
    framed.extend(u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
    framed.extend(bytes);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(OK));
    let frames = VecDeque::from([Frame::data(Bytes::from(framed)), Frame::trailers(trailers)]);
    respond(Body::new(Frames(frames)), &[])
}

fn trouble(code: i32, text: &str) -> Response {
    // `grpc-message` is percent-encoded where it is not plain (the gRPC specification of HTTP/2).
    let plain: String = text
        .chars()
        .map(|c| if (' '..='~').contains(&c) && c != '%' { c } else { '?' })
        .collect();
    respond(
        Body::empty(),
        &[("grpc-status", code.to_string()), ("grpc-message", plain)],
    )
}

fn respond(body: Body, headers: &[(&'static str, String)]) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    let head = response.headers_mut();
    head.insert(name::CONTENT_TYPE, HeaderValue::from_static(GRPC));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            head.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A body of frames that are there already.
struct Frames(VecDeque<Frame<Bytes>>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_frame_is_as_long_as_it_says_and_not_compressed() {
        assert_eq!(unframed(&[0, 0, 0, 0, 2, 7, 8]).unwrap(), &[7, 8]);
        assert_eq!(unframed(&[0, 0, 0]).unwrap_err().0, INVALID_ARGUMENT);
        assert_eq!(unframed(&[0, 0, 0, 0, 3, 7, 8]).unwrap_err().0, INVALID_ARGUMENT);
        assert_eq!(unframed(&[1, 0, 0, 0, 0]).unwrap_err().0, UNIMPLEMENTED);
    }

    #[test]
    fn headers_of_clients_never_name_the_place() {
        let http = HttpRequest {
            headers: HashMap::from([("Assent-Artifact".to_owned(), format!("sha256:{}", "0".repeat(64)))]),
            header_map: None,
        };
        let ask = |extensions: &[(&str, &str)]| {
            let attributes = Attributes {
                request: Some(AttributeRequest {
                    http: Some(http.clone()),
                }),
                context_extensions: extensions
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                    .collect(),
            };
            read_question(
                CheckRequest {
                    attributes: Some(attributes),
                },
                HeaderMap::new(),
            )
            .0
            .about
        };
        let place = ask(&[("service", "shop"), ("environment", "production")]).unwrap();
        assert_eq!(
            (place.service.as_str(), place.environment.as_str()),
            ("shop", "production")
        );
        assert_eq!(ask(&[("service", "shop")]).unwrap_err().code, "malformed");
    }

    /// The service behind the gateway gets the judged values, and nothing that the client wrote.
    #[test]
    fn a_go_replaces_what_the_client_sent() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let sent = [
            ("assent-artifact", digest.as_str()),
            ("assent-permit", "x.y.z"),
            ("assent-note", "hi"),
        ];
        let sent = Heads::read(sent.iter().map(|(name, value)| (*name, value.as_bytes()))).unwrap();
        let place = read_place("shop", "production", &sent).unwrap();
        let decided = Decided {
            decision: model::core::enums::GateDecision::Go,
            change: Some("CHG-1".to_owned()),
            ..Decided::stop("x", "", "", super::super::question::Basis::Gate)
        };
        let allowed = describe(&decided, place.judged(), &sent).allowed.unwrap();
        let set = |name: &str| {
            let found = allowed
                .headers
                .iter()
                .find(|it| it.header.as_ref().is_some_and(|it| it.key == name))?;
            (found.append_action == 2).then(|| found.header.as_ref().unwrap().value.as_str())
        };
        assert_eq!(
            (set("assent-artifact"), set("assent-change")),
            (Some(digest.as_str()), Some("CHG-1"))
        );
        assert_eq!(allowed.headers_to_remove, ["assent-note", "assent-permit"]);
    }

    /// Envoy sends headers as a map, or as a list where it is configured to send them raw.
    #[test]
    fn a_header_that_stands_twice_is_refused_in_either_form() {
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        let row = |key: &str, value: String| OneHeader {
            key: key.to_owned(),
            value,
            raw_value: Vec::new(),
        };
        let code = |plain: &[(&str, String)], raw: Vec<OneHeader>| {
            let plain = plain.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
            let http = HttpRequest {
                headers: plain.collect(),
                header_map: Some(AllHeaders { headers: raw }),
            };
            let place = [("service", "shop"), ("environment", "production")];
            let attributes = Attributes {
                request: Some(AttributeRequest { http: Some(http) }),
                context_extensions: HashMap::from(place.map(|(key, value)| (key.to_owned(), value.to_owned()))),
            };
            let request = CheckRequest {
                attributes: Some(attributes),
            };
            read_question(request, HeaderMap::new())
                .0
                .about
                .map_err(|unclear| unclear.code)
        };
        let (first, second) = (digest("a"), digest("b"));
        let one = code(&[], vec![row("assent-artifact", first.clone())]).unwrap();
        assert_eq!(one.artifact.as_ref(), Some(&first));
        let rows = vec![
            row("assent-artifact", first.clone()),
            row("Assent-Artifact", second.clone()),
        ];
        assert_eq!(code(&[], rows).unwrap_err(), "malformed");
        let plain = [("assent-artifact", first.clone()), ("Assent-Artifact", second.clone())];
        assert_eq!(code(&plain, Vec::new()).unwrap_err(), "malformed");
        assert_eq!(
            code(&plain[..1], vec![row("assent-artifact", second)]).unwrap_err(),
            "malformed"
        );
    }
}

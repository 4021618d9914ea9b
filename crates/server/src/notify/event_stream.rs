//! Responses that stay open and send events (server-sent events): one place makes them, so that all carry the same headers.

use std::convert::Infallible;

use axum::http::HeaderValue;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// nginx collects a response until its buffer is full, so events would come minutes late; this header of nginx switches that
/// off for one response (<https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering>).
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// The response that sends the channel's content until the channel is closed.
pub(crate) fn event_stream(receive: mpsc::Receiver<Result<Event, Infallible>>) -> Response {
    let mut response = Sse::new(ReceiverStream::new(receive))
        .keep_alive(KeepAlive::default())
        .into_response();
    let (name, value) = UNBUFFERED;
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]
    use super::*;

    #[tokio::test]
    async fn a_stream_of_events_tells_proxies_not_to_collect_it() {
        let (_send, receive) = mpsc::channel(1);
        let response = event_stream(receive);
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
    }

    #[test]
    fn no_other_file_makes_a_stream_of_events() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut left, mut makers) = (vec![folder], Vec::new());
        while let Some(path) = left.pop() {
            if path.is_dir() {
                left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains("Sse::new(")) {
                makers.push(path.file_name().unwrap().to_owned());
            }
        }
        assert_eq!(makers, ["event_stream.rs"]);
    }
}

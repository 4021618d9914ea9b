//! The thread that brings spans to the operator's collector. A trace is no evidence: a parcel that is not taken is lost, and nothing
//! waits for it.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use connect::integration::traces::document;
use connect::socket::call::{Call, Caller};

use crate::background::sequencer::pause;
use crate::http::state::AppState;

/// How long spans are gathered.
const BETWEEN: Duration = Duration::from_secs(2);

/// Starts the thread, where the settings name a collector. When the notifier dismisses the thread, it sends the remaining spans
/// and ends.
pub(crate) fn start(
    state: &AppState,
    server: &str,
    url: Option<&str>,
    caller: &Caller,
) -> std::io::Result<Option<JoinHandle<()>>> {
    let Some(url) = url else { return Ok(None) };
    state.keep_traces();
    let bell = state.bells().until_dismissed();
    let mut sender = Sender {
        state: state.clone(),
        caller: caller.clone(),
        server: server.to_owned(),
        url: url.to_owned(),
        is_away: false,
    };
    let thread = Builder::new().name("traces".to_owned()).spawn(move || {
        while pause(&bell, BETWEEN) {
            sender.send_all();
        }
        sender.send_all();
    });
    thread.map(Some)
}

struct Sender {
    state: AppState,
    caller: Caller,
    server: String,
    url: String,
    /// Whether the last batch was not accepted, which is logged once.
    is_away: bool,
}

impl Sender {
    /// Sends batches until none is left or one is not accepted.
    fn send_all(&mut self) {
        loop {
            let taken = self.state.traces().map(connect::integration::traces::Traces::take);
            let (spans, dropped) = taken.unwrap_or_default();
            // During an outage the one line about it is enough.
            if dropped > 0 && !self.is_away {
                tracing::warn!(dropped, "spans were dropped, because too many waited for the collector");
            }
            if spans.is_empty() {
                return;
            }
            let body = document(env!("CARGO_PKG_VERSION"), &self.server, &spans);
            let call = Call {
                method: "POST",
                url: self.url.clone(),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: body.to_string().into_bytes(),
            };
            let why = match self.caller.call(&call) {
                Ok(answer) if answer.is_taken() => None,
                Ok(answer) => Some(format!("it answered {}", answer.status)),
                Err(why) => Some(why),
            };
            if let Some(why) = why.as_ref().filter(|_| !self.is_away) {
                tracing::warn!(
                    why,
                    "the collector of traces does not take spans; they are lost until it does"
                );
            }
            self.is_away = why.is_some();
            if self.is_away {
                return;
            }
        }
    }
}

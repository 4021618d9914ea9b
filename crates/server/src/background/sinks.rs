//! The threads that feed sinks of the log, separate from all other work. A slow, unreachable or faulty sink delays no gate and
//! no webhook, and other sinks by one thread's turn at most. No transaction is open while entries are sent.

use std::path::{Path, PathBuf};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use acts::integration::feed_sinks::{self, Outcome, Round};
use connect::integration::sinks::{self, Parcel, Source};
use connect::socket::call::{Call, Caller};
use connect::socket::stream::Streams;
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::integration::sink::{self, KEEP_FILES, ROTATE_MIB, Transport};
use store::integration::sink::{Due, Lag};
use store::{Lane, Mode};

use crate::background::queue_worker::go_round;
use crate::background::sequencer::{log_fault, times};
use crate::background::sink_file;
use crate::http::clock::tick;
use crate::http::state::AppState;

/// How long a sink is kept by its holder: longer than a delivery.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// How long a delivery over a stream may take in all.
const DELIVERY: Duration = Duration::from_secs(30);
/// How many sinks a thread looks after in a round.
const SINKS: i64 = 8;
/// How many deliveries of one sink are sent before the next sink has its turn.
const TURNS: usize = 10;
/// How many threads feed sinks: a thread that waits for a silent receiver delays no other sink.
pub(crate) const FEEDERS: usize = 2;

/// The transports that deliver entries.
#[derive(Clone)]
pub(crate) struct Ways {
    /// Calls over HTTP.
    pub caller: Caller,
    /// Bytes over TCP and TLS.
    pub streams: Streams,
    /// The folder of files, with a folder for each tenant.
    pub folder: PathBuf,
}

/// Starts the feeders. They end when the notifier dismisses them.
pub(crate) fn start(state: &AppState, server: &str, ways: &Ways) -> std::io::Result<Vec<JoinHandle<()>>> {
    (0..FEEDERS)
        .map(|number| {
            let bell = state.bells().wake_thread();
            let feeder = Feeder {
                state: state.clone(),
                ways: ways.clone(),
                holder: format!("{server}-feeder-{number}"),
                notes: number == 0,
            };
            Builder::new()
                .name(format!("feeder-{number}"))
                .spawn(move || go_round(&bell, || feeder.round()))
        })
        .collect()
}

struct Feeder {
    state: AppState,
    ways: Ways,
    holder: String,
    /// Whether this thread keeps the figures.
    notes: bool,
}

impl Feeder {
    fn now(&self) -> Timestamp {
        self.state.executor().tools().clock.now()
    }

    /// Feeds the due sinks; returns whether the store was available.
    fn round(&self) -> bool {
        if self.state.bells().is_stopping() {
            return true;
        }
        let (now, notes) = (self.now(), self.notes);
        let look = move |tx: &mut store::CrossTx<'_>| {
            let lag = if notes {
                Some(store::integration::sink::lag(tx)?)
            } else {
                None
            };
            Ok((store::integration::sink::due(tx, now, SINKS)?, lag))
        };
        let executor = self.state.executor();
        let found = executor.wait_across(Lane::Worker, "which sinks are due", Mode::Read, look);
        let Some((due, lag)) = log_fault(found, "looking for due sinks") else {
            return false;
        };
        if let Some(Lag {
            failing,
            entries,
            active,
        }) = lag
        {
            self.state.metrics().note_sinks(active, failing, entries);
        }
        for one in due {
            for _ in 0..TURNS {
                if self.state.bells().is_stopping() || !self.feed(&one) {
                    break;
                }
            }
        }
        true
    }

    /// Delivers a sink's next entries; returns whether more may follow at once.
    fn feed(&self, one: &Due) -> bool {
        let (id, holder, until) = (one.id.clone(), self.holder.clone(), self.now() + LEASE);
        let gathered = self.act(&one.tenant, move |cx| feed_sinks::gather(cx, &id, &holder, until));
        let round = match gathered {
            Ok(Some(round)) => round,
            Ok(None) => return false,
            Err(error) => {
                self.leave_alone(one, &error);
                return false;
            }
        };
        let outcome = match round.entries.is_empty() {
            true => Ok(()),
            false => self.deliver(&one.tenant, &round),
        };
        let is_done = outcome.is_ok();
        let holder = self.holder.clone();
        let more = round.position > round.before.position;
        let noted = self.act(&one.tenant, move |cx| feed_sinks::settle(cx, &round, &holder, &outcome));
        log_fault(noted, "noting what a sink took").is_some() && is_done && more
    }

    fn deliver(&self, tenant: &str, round: &Round) -> Outcome {
        let sink = &round.sink;
        let Some(transport) = sink.transport() else {
            return Err(("the address names no transport".to_owned(), None));
        };
        let parcel = sinks::render(sink.format, transport, &self.source(tenant), &round.entries);
        match transport {
            Transport::Http => self.call(round, parcel),
            Transport::File => self.write(tenant, round, &parcel).map_err(|why| (why, None)),
            Transport::Tcp | Transport::Tls => {
                let began = tick();
                let left = || DELIVERY.saturating_sub(since(began));
                let place = sink::host_port(&sink.url).ok_or_else(|| ("the address is none".to_owned(), None))?;
                let is_tls = transport == Transport::Tls;
                let sent = self.ways.streams.send(place, is_tls, &parcel.bytes, &left);
                sent.map_err(|why| (why, None))
            }
        }
    }

    fn call(&self, round: &Round, parcel: Parcel) -> Outcome {
        let sink = &round.sink;
        let mut headers = vec![("content-type".to_owned(), parcel.media_type.to_owned())];
        if let Some(credential) = &round.credential {
            headers.push((
                "authorization".to_owned(),
                sinks::authorization(sink.format, credential),
            ));
        }
        let call = Call {
            method: "POST",
            url: sink.url.clone(),
            headers,
            body: parcel.bytes,
        };
        let answer = self.ways.caller.call(&call).map_err(|why| (why, None))?;
        if !answer.is_taken() {
            let text = format!("the receiver answered {}", answer.status);
            return Err((text, answer.retry_after_seconds));
        }
        match sinks::refused(sink.format, &answer.body) {
            Some(why) => Err((why, None)),
            None => Ok(()),
        }
    }

    fn write(&self, tenant: &str, round: &Round, parcel: &Parcel) -> Result<(), String> {
        let sink = &round.sink;
        let name = sink::file_name(&sink.url).ok_or("the file has no plain name")?;
        let mebibytes = u64::try_from(sink.rotate_mib.unwrap_or(ROTATE_MIB)).unwrap_or(1);
        let keep = usize::try_from(sink.keep_files.unwrap_or(KEEP_FILES)).unwrap_or(1);
        let folder: &Path = &self.ways.folder.join(tenant);
        sink_file::append(folder, name, &parcel.bytes, (mebibytes << 20, keep)).map_err(|error| error.to_string())
    }

    fn source(&self, tenant: &str) -> Source {
        let url = self.state.public_url();
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        Source {
            host: host.split(['/', ':']).next().unwrap_or_default().to_owned(),
            tenant: tenant.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Skips a sink for a while when its entries could not be gathered: otherwise it would be taken first each time.
    fn leave_alone(&self, one: &Due, error: &acts::Error) {
        let (tenant, sink) = (&one.tenant, &one.id);
        if let Some(times) = times(&format!("{tenant} {sink} {error}")) {
            tracing::error!(%error, tenant, sink, times, "a sink's entries could not be gathered");
        }
        if matches!(error, acts::Error::Store(fault) if fault.is_passing()) {
            return;
        }
        let (id, holder, until) = (one.id.clone(), self.holder.clone(), self.now() + LEASE);
        let rested = self.act(tenant, move |cx| feed_sinks::leave_alone(cx, &id, &holder, until));
        log_fault(rested, "leaving a sink alone");
    }

    fn act<T: Send + 'static>(
        &self,
        tenant: &str,
        act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> acts::Result<T> {
        self.state
            .executor()
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act)
    }
}

fn since(began: Instant) -> Duration {
    tick().saturating_duration_since(began)
}

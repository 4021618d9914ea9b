//! Starts and stops a server.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use acts::Executor;
use connect::socket::call::Caller;
use connect::socket::egress::Egress;
use connect::socket::http::Http;
use connect::socket::stream::Streams;
use store::identity::identities;
use store::{Lane, Mode};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::background::sinks::{self, Ways};
use crate::background::{
    adjustments, archiver, copier, figure_watch, forecasts, grounds, mailer, monitors, outbound_calls, outside_proofs,
    projector, recurrences, replays, reports, sequencer, settler, traces, violations, worker,
};
use crate::demo::filling;
use crate::http::certificate::{Certificate, follow};
use crate::http::change_notifier::Bells;
use crate::http::clock::{self, tick};
use crate::http::settings::Settings;
use crate::http::source::{Insiders, Proxies};
use crate::http::state::AppState;
use crate::logs;
use crate::start::listen::{Front, acceptor, take};
use crate::start::master_key;
use crate::start::open_store::{check_policies, forget_leftovers, make_folder, open};
use crate::start::router::Doors;
use crate::start::running_copy;
use crate::start::serve_error::ServeError;

/// Work on the executor before the server accepts requests: filling the demo.
pub type Prepare = Box<dyn FnOnce(&Executor, &str) -> Result<(), ServeError> + Send>;

/// A server that runs. Dropping it stops it.
pub struct Running {
    runtime: Option<Runtime>,
    state: AppState,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    taking: Option<tokio::task::JoinHandle<()>>,
    threads: Vec<JoinHandle<()>>,
    /// Threads that may wait for other people's servers, or for a disk, longer than a stop does.
    callers: Vec<JoinHandle<()>>,
    patience: Duration,
    /// Held for as long as the server runs; the system lets it go even after a crash.
    lock: Option<File>,
}

impl Running {
    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The state that the server's endpoints share.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Stops: new connections are refused, open ones end, written events get their place in the log, the store closes. Requests
    /// and calls under way share `stop_seconds`; the rest is cut and left to its lease.
    pub fn stop(&mut self) {
        let began = tick();
        // Nobody listens any more when it was stopped before.
        let _ = self.stop.send(true);
        self.state.bells().stop_readers();
        let Some(runtime) = self.runtime.take() else { return };
        if let Some(taking) = self.taking.take() {
            let _ = runtime.block_on(taking);
        }
        self.state.bells().dismiss_threads();
        self.wait_for_callers((began + self.patience).max(tick() + MOMENT));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread behind the doors had panicked");
            }
        }
        self.state.executor().tools().store.close();
        runtime.shutdown_timeout(Duration::from_secs(1));
        drop(self.lock.take());
    }

    /// Waits until then for the threads that make outgoing calls: the other server may take minutes to respond.
    fn wait_for_callers(&mut self, until: Instant) {
        while self.callers.iter().any(|thread| !thread.is_finished()) {
            if tick() >= until {
                let open = self.callers.iter().filter(|thread| !thread.is_finished());
                let threads: Vec<&str> = open.filter_map(|it| it.thread().name()).collect();
                tracing::warn!(threads = threads.join(", "), "some calls to other servers were cut");
                break;
            }
            std::thread::park_timeout(LOOK);
        }
        for thread in self.callers.drain(..).filter(JoinHandle::is_finished) {
            if thread.join().is_err() {
                tracing::error!("a thread that calls other servers, or replays, had panicked");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The objects that the settings name, already read: certificate, networks, keys.
struct Means {
    proxies: Arc<Proxies>,
    insiders: Insiders,
    certificate: Option<Arc<Certificate>>,
    tls: Option<TlsAcceptor>,
    caller: Caller,
}

impl Means {
    /// Reads everything that the settings name, before anything is opened: an invalid setting must leave the database
    /// unchanged, as an older server may have to continue with it.
    fn read(settings: &Settings) -> Result<Self, ServeError> {
        let proxies = Proxies::parse(&settings.trusted_proxies);
        let proxies = proxies.map_err(|why| ServeError::Refused(format!("`trusted_proxy`: {why}")))?;
        let insiders = Insiders::parse(&settings.metrics_from, settings.metrics_token.as_deref());
        let insiders = insiders.map_err(|why| ServeError::Refused(format!("`metrics_from`: {why}")))?;
        let certificate = settings.tls.as_ref().map(Certificate::read).transpose();
        let certificate = certificate.map_err(ServeError::Refused)?.map(Arc::new);
        let tls = certificate.clone().map(acceptor).transpose();
        let tls = tls.map_err(ServeError::Refused)?;
        let caller = caller(settings)?;
        // A demo that broke off is removed before it is filled anew, its key included.
        if !filling::is_half_filled(&settings.data_dir) {
            master_key::named(settings)?;
        }
        check_policies(settings)?;
        Ok(Self {
            proxies: Arc::new(proxies),
            insiders,
            certificate,
            tls,
            caller,
        })
    }
}

/// Whether a server could start with these settings, as far as the settings themselves show: the files that they name are read.
/// Nothing is started or written, and no database is looked at.
///
/// # Errors
/// [`ServeError`] with a sentence for the operator, which is that of [`start`].
pub fn check(settings: &Settings) -> Result<(), ServeError> {
    Means::read(settings).map(drop)
}

/// Starts a server and returns when it is ready. `prepare` runs before the server accepts requests.
///
/// # Errors
/// [`ServeError`] with a sentence for the operator.
pub fn start(settings: &Settings, prepare: Option<Prepare>) -> Result<Running, ServeError> {
    let Means {
        proxies,
        insiders,
        certificate,
        tls,
        caller,
    } = Means::read(settings)?;
    let lock = lock(settings)?;
    clear_half_filled(&settings.data_dir, prepare.is_some())?;
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_name("door")
        .max_blocking_threads(16)
        .build()?;
    let listen = |error| ServeError::Listen(settings.listen, error);
    let listener = runtime.block_on(TcpListener::bind(settings.listen)).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public_url = settings
        .public_url
        .clone()
        .unwrap_or_else(|| format!("{scheme}://{address}"));

    let (doors, shown) = watch::channel(Doors::closed());
    let (stop, stopped) = watch::channel(false);
    let patience = Duration::from_secs(settings.stop_seconds);
    let taking = runtime.spawn(take(
        listener,
        Front {
            doors: shown,
            proxies,
            tls,
        },
        stopped,
        patience,
    ));
    let state = open_house(settings, &public_url, prepare)?;
    state.let_in(insiders);
    let (threads, callers) = start_threads(settings, &state, &caller)?;
    drop(doors.send_replace(Doors::open(state.clone())));
    if let Some(certificate) = certificate {
        let state = state.clone();
        runtime.spawn(follow(certificate, move |end| state.metrics().note_certificate(end)));
    }
    Ok(Running {
        runtime: Some(runtime),
        state,
        address,
        stop,
        taking: Some(taking),
        threads,
        callers,
        patience,
        lock,
    })
}

/// One server at a time over an embedded database: a second one would commit beside the first one's writer.
fn lock(settings: &Settings) -> Result<Option<File>, ServeError> {
    if settings.database_url.is_some() {
        return Ok(None);
    }
    let folder = make_folder(&settings.data_dir)?;
    let path = folder.join("server.lock");
    let file = File::create(&path).map_err(|error| ServeError::Folder(path.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(ServeError::Refused(format!(
            "Another server already serves {}. Stop it, or name another folder with --data",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(ServeError::Folder(path, error)),
    }
}

/// An interrupted demo is filled anew: none of its data was ever served.
fn clear_half_filled(folder: &Path, is_demo: bool) -> Result<(), ServeError> {
    if !filling::is_half_filled(folder) {
        return Ok(());
    }
    if !is_demo {
        return Err(ServeError::Refused(format!(
            "A demo was interrupted while it was filled into {}. Start it again with --demo, or name another folder with --data",
            folder.display()
        )));
    }
    tracing::warn!("the demo was interrupted while it was filled, and is filled anew");
    filling::clear(folder).map_err(|error| ServeError::Folder(folder.to_owned(), error))
}

/// Data of an earlier binary has no rows yet by which people are found at sign-in and by provisioning.
fn index_identities(executor: &Executor) -> Result<(), ServeError> {
    let store = &executor.tools().store;
    let find = |tx: &mut store::CrossTx<'_>| store::servers::tenants(tx);
    for tenant in store.wait_across(Lane::Worker, "which tenants there are", Mode::Read, find)? {
        store.wait(Lane::Worker, &tenant, Mode::Write, identities::index_all)?;
    }
    Ok(())
}

fn open_house(settings: &Settings, public_url: &str, prepare: Option<Prepare>) -> Result<AppState, ServeError> {
    let bells = Bells::default();
    #[cfg(all(feature = "test-clock", debug_assertions))]
    let clock = clock::HeldClock::default();
    #[cfg(not(all(feature = "test-clock", debug_assertions)))]
    let clock = clock::SystemClock;
    #[cfg(all(feature = "test-clock", debug_assertions))]
    {
        let folder = make_folder(&settings.data_dir)?;
        clock.listen(&folder, &bells)?;
    }
    let opened = open(settings, public_url, Arc::new(clock))?;
    forget_leftovers(&opened.uploads);
    // Over an older copy nothing is written until two people have approved it.
    if !running_copy::freeze_older(settings, &opened.executor)? {
        if let Some(prepare) = prepare {
            prepare(&opened.executor, public_url)?;
        }
        index_identities(&opened.executor)?;
    }
    let state = AppState::new(
        opened.executor,
        bells,
        opened.uploads,
        settings.evidence_limit_bytes,
        Http::new(caller(settings)?),
    );
    if let Some(cluster) = &settings.cluster {
        state.bind(cluster.clone());
    }
    Ok(state)
}

/// A thread that makes no outgoing call ends within this time.
const MOMENT: Duration = Duration::from_secs(1);
/// How often the threads are checked for their end.
const LOOK: Duration = Duration::from_millis(10);
/// How many threads make outgoing calls: a thread that waits for a slow receiver delays no other.
const COURIERS: usize = 4;

/// The client for outgoing calls, within the networks that the operator allows.
fn caller(settings: &Settings) -> Result<Caller, ServeError> {
    let (egress, authority) = egress(settings)?;
    Caller::new(egress, authority.as_deref()).map_err(|why| ServeError::Refused(format!("`outgoing_ca`: {why}")))
}

/// The transports that deliver log entries to sinks.
fn ways(settings: &Settings, caller: &Caller) -> Result<Ways, ServeError> {
    let (egress, authority) = egress(settings)?;
    let streams = Streams::new(egress, authority.as_deref());
    Ok(Ways {
        caller: caller.clone(),
        streams: streams.map_err(|why| ServeError::Refused(format!("`outgoing_ca`: {why}")))?,
        folder: settings.data_dir.join("sinks"),
    })
}

/// Where calls may go, and the operator's own authorities in PEM.
fn egress(settings: &Settings) -> Result<(Egress, Option<Vec<u8>>), ServeError> {
    let egress = Egress::parse(&settings.outgoing_allow)
        .map_err(|why| ServeError::Refused(format!("`outgoing_allow`: {why}")))?;
    let authority = settings.outgoing_ca.as_ref();
    let authority = authority.map(|path| std::fs::read(path).map_err(|error| ServeError::Folder(path.clone(), error)));
    Ok((egress, authority.transpose()?))
}

/// Where files for Prometheus are put, if anywhere.
fn monitoring(settings: &Settings) -> Option<monitors::Place> {
    settings.monitoring_dir.as_ref().map(|folder| monitors::Place {
        folder: folder.clone(),
        reload: settings.monitoring_reload.clone(),
    })
}

type Threads = Vec<JoinHandle<()>>;

/// Starts the threads that only use the store, and those that make outgoing calls.
fn start_threads(settings: &Settings, state: &AppState, caller: &Caller) -> Result<(Threads, Threads), ServeError> {
    if state.executor().tools().store.frozen().is_some() {
        return Ok((Vec::new(), Vec::new()));
    }
    let server = state.executor().new_id(state.executor().tools().recorder.now())?;
    let traced = traces::start(state, &server, settings.traces_to.as_deref(), caller)?;
    let mut threads = worker::start(state, &server, settings.workers)?;
    let mut callers = vec![mailer::start(state, &server, settings.smtp.as_ref())?];
    callers.extend(traced);
    callers.extend(outbound_calls::start(state, &server, caller, COURIERS)?);
    callers.extend(sinks::start(state, &server, &ways(settings, caller)?)?);
    threads.push(sequencer::start(state, &server)?);
    threads.push(projector::start(state)?);
    threads.push(settler::start(state)?);
    threads.push(archiver::start(state)?);
    // Reading a large file whole takes long and is no call, but as one it holds up no stop.
    callers.extend(replays::start(settings, state)?);
    callers.push(grounds::start(state)?);
    callers.push(forecasts::start(state)?);
    callers.push(reports::start(state)?);
    callers.extend(outside_proofs::start(state, caller)?);
    callers.push(adjustments::start(state)?);
    callers.push(recurrences::start(state)?);
    callers.push(violations::start(state)?);
    callers.push(figure_watch::start(state)?);
    callers.push(monitors::start(state, monitoring(settings), caller)?);
    callers.extend(copier::start(settings, state)?);
    Ok((threads, callers))
}

/// Runs a server until SIGTERM or SIGINT.
///
/// # Errors
/// [`ServeError`] with a sentence for the operator.
pub fn serve(settings: &Settings, prepare: Option<Prepare>) -> Result<(), ServeError> {
    logs::begin();
    let mut running = start(settings, prepare)?;
    greet(&running, settings)?;
    if let Some(runtime) = &running.runtime {
        runtime.block_on(wait_for_stop())?;
    }
    tracing::info!("stopping");
    running.stop();
    Ok(())
}

/// Prints the address, and on first use how to make the first administrator.
fn greet(running: &Running, settings: &Settings) -> Result<(), ServeError> {
    let look = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?.is_empty());
    let is_empty = running
        .state
        .executor()
        .wait_across(Lane::Worker, "is it the first use", Mode::Read, look)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "Assent listens on {}", running.state.public_url())?;
    if is_empty {
        writeln!(
            out,
            "There is nobody here yet. Make the first administrator on this machine:"
        )?;
        writeln!(out, "  {}", first_administrator(settings, running.state.public_url()))?;
    }
    out.flush()?;
    Ok(())
}

/// The command that creates the first administrator in this server's own data, under the server's public address.
fn first_administrator(settings: &Settings, public_url: &str) -> String {
    let place = match &settings.database_url {
        // A password has no business in a terminal.
        Some(url) if url.contains('@') => "--database \"$ASSENT_DATABASE\"".to_owned(),
        Some(url) => format!("--database {}", quoted(url)),
        None => format!("--data {}", quoted(&settings.data_dir.to_string_lossy())),
    };
    let usual = Settings::new("").listen;
    let address = match settings.public_url.is_none() && public_url == format!("http://{usual}") {
        true => String::new(),
        false => format!(" --public-url {}", quoted(public_url)),
    };
    format!("assent person create {place}{address} --admin --tenant TENANT --login LOGIN")
}

/// A text quoted for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@%+,=[]".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

pub(crate) async fn wait_for_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_administrator_is_made_in_the_servers_own_data() {
        let command = |settings: &Settings, url: &str| first_administrator(settings, url);
        let usual = Settings::new("./assent-data");
        let end = "--admin --tenant TENANT --login LOGIN";
        assert_eq!(
            command(&usual, "http://127.0.0.1:8080"),
            format!("assent person create --data ./assent-data {end}")
        );
        let elsewhere = Settings {
            listen: ([127, 0, 0, 1], 18_612).into(),
            ..Settings::new("my data")
        };
        assert_eq!(
            command(&elsewhere, "http://127.0.0.1:18612"),
            format!("assent person create --data 'my data' --public-url http://127.0.0.1:18612 {end}")
        );
        let shared = Settings {
            database_url: Some("postgres://assent:secret@db/assent".to_owned()),
            ..Settings::new("x")
        };
        let said = command(&shared, "http://127.0.0.1:8080");
        assert_eq!(
            said,
            format!("assent person create --database \"$ASSENT_DATABASE\" {end}")
        );
    }
}

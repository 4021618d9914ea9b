//! The listener of the companion beside a gateway: other endpoints than the server's, with the same limits and the same TLS.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::gateway::{self, Decide};
use crate::http::certificate::{Certificate, follow};
use crate::http::settings::Tls;
use crate::http::source::Proxies;
use crate::start::listen::{Front, acceptor, take};
use crate::start::router::Doors;
use crate::start::serve::wait_for_stop;
use crate::start::serve_error::ServeError;

/// How long a stop waits for requests under way.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many gate requests are made at once; more wait.
const ASKING: usize = 128;

/// Listens and serves requests until SIGTERM or SIGINT. `decider` decides for every dialect; `/healthz` shows the report of
/// `health`.
///
/// # Errors
/// [`ServeError`] with a sentence for the operator.
pub fn stand<D: Decide>(
    listen: SocketAddr,
    tls: Option<&Tls>,
    decider: D,
    health: fn(&D) -> Value,
) -> Result<(), ServeError> {
    let stands = move |State(decider): State<D>| async move { axum::Json(health(&decider)) };
    let doors = gateway::routes::<D>()
        .route("/healthz", get(stands))
        .with_state(decider);
    crate::logs::begin();
    let certificate = tls.map(Certificate::read).transpose();
    let certificate = certificate.map_err(ServeError::Refused)?.map(Arc::new);
    let tls = certificate.clone().map(acceptor).transpose();
    let tls = tls.map_err(ServeError::Refused)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_name("companion")
        .max_blocking_threads(ASKING)
        .build()?;
    let wrong = |error| ServeError::Listen(listen, error);
    let listener = runtime.block_on(TcpListener::bind(listen)).map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    let (_doors, shown) = watch::channel(Doors::only(doors));
    let (stop, stopped) = watch::channel(false);
    let front = Front {
        doors: shown,
        proxies: Arc::new(Proxies::default()),
        tls,
    };
    if let Some(certificate) = certificate {
        runtime.spawn(follow(certificate, |_| {}));
    }
    let taking = runtime.spawn(take(listener, front, stopped, PATIENCE));
    let mut out = std::io::stdout().lock();
    writeln!(out, "The companion listens on {scheme}://{address}")?;
    out.flush()?;
    drop(out);
    runtime.block_on(wait_for_stop())?;
    // Without a listener left, the accept loop has ended by itself.
    let _ = stop.send(true);
    let _ = runtime.block_on(taking);
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

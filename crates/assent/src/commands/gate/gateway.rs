//! `assent gateway`: the companion beside a gateway.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use server::Tls;
use server::gateway::Bindings;
use server::start::companion_listener;

use crate::clock;
use crate::common::Common;
use crate::companion::{Companion, Setup};
use crate::failure::{Failure, Result, read_text};

/// Stands beside a gateway and answers it in its own dialect: nginx, Caddy, HAProxy, Apache, Envoy, Kubernetes.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: assent gateway --server https://assent.example --token-file /etc/assent/token \\\n           \
    --tenant halden --listen 127.0.0.1:9191 --state /var/lib/assent-gateway"
)]
pub struct Gateway {
    /// The tenant whose permits are verified.
    #[arg(long)]
    pub tenant: String,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9191")]
    pub listen: SocketAddr,
    /// Where keys, the revocation list and what runs are kept for an outage.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// How long the server may take to answer, in milliseconds; afterwards it counts as away.
    #[arg(long, value_name = "MS", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(50..=2_500))]
    pub patience: u64,
    /// How often keys, list and what runs are fetched.
    #[arg(long, value_name = "SPAN", default_value = "15s", value_parser = clock::seconds)]
    pub refresh: i64,
    /// How old the knowledge of what runs may be while the server is away.
    #[arg(long, value_name = "SPAN", default_value = "1d", value_parser = clock::seconds)]
    pub running_age: i64,
    /// The oldest revocation list that is taken while the server is away, however old a permit lets it be.
    #[arg(long, value_name = "SPAN", value_parser = clock::seconds)]
    pub max_list_age: Option<i64>,
    /// The file that binds a cluster's workloads to services, a `[[workload]]` each; Kubernetes alone needs it.
    #[arg(long, value_name = "FILE")]
    pub workloads: Option<PathBuf>,
    /// The certificate (PEM) to listen with; Kubernetes insists on one.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// Reads a cluster's configuration of its workloads.
pub(crate) fn read_bindings(path: &Path) -> Result<Bindings> {
    let text = read_text(&path.to_string_lossy())?;
    let wrong = |why: String| Failure::could_not(format!("`{}` cannot be used: {why}.", path.display()));
    let read: Bindings = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
    read.checked().map_err(wrong)
}

/// Runs until a signal stops it.
///
/// # Errors
/// When the settings cannot be used or the address cannot be listened on.
pub fn run(gateway: &Gateway, common: &Common) -> Result<u8> {
    let setup = Setup {
        tenant: gateway.tenant.clone(),
        state: gateway.state.clone(),
        patience_ms: gateway.patience,
        refresh_seconds: gateway.refresh.max(1),
        running_age_seconds: gateway.running_age,
        max_list_age_seconds: gateway.max_list_age.map(i64::unsigned_abs),
        bindings: gateway.workloads.as_deref().map(read_bindings).transpose()?,
    };
    let companion = Companion::new(common, setup)?;
    companion.keep_fresh()?;
    let tls = match (&gateway.tls_cert, &gateway.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        _ => None,
    };
    companion_listener::stand(gateway.listen, tls.as_ref(), companion, Companion::health)
        .map_err(|error| Failure::could_not(format!("{error}.")))?;
    Ok(0)
}

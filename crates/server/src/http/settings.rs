//! All settings that the operator gives before the start.

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::civil::Time;

use crate::gateway::Bindings;
use crate::start::bucket::{BucketSettings, CopyPlace};

/// How a server is to be run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// How people and verifiers reach it, without a slash at the end; by default `http(s)://` and the bound address.
    pub public_url: Option<String>,
    /// Certificate and key for TLS; without them the server uses plain HTTP.
    pub tls: Option<Tls>,
    /// Addresses of proxies whose `X-Forwarded-For` is trusted, as `10.0.0.0/8` or a plain address.
    pub trusted_proxies: Vec<String>,
    /// Networks whose direct connections read `/metrics` and the reasons of `/readyz`.
    pub metrics_from: Vec<String>,
    /// The token with which everybody else reads these; without one nobody else does.
    pub metrics_token: Option<String>,
    /// The folder for the embedded database, evidence files and the master key.
    pub data_dir: PathBuf,
    /// Whether the data folder's record of seen log sizes belongs to this database. It does not for a command on a database
    /// without a named folder: the default folder may be another server's.
    pub remembers_logs: bool,
    /// Where a running copy of the embedded database is kept; without it none is.
    pub copy_to: Option<CopyPlace>,
    /// The S3-compatible bucket in which segments of the archive are written; without it beside the embedded database, and on
    /// PostgreSQL into rows.
    pub archive_bucket: Option<BucketSettings>,
    /// `postgres://…`; without it the embedded database in the data folder.
    pub database_url: Option<String>,
    /// The master key, 32 bytes in base64 (`ASSENT_MASTER_KEY`); needed with PostgreSQL, refused beside a key file.
    pub master_key: Option<String>,
    /// The mail server; without one messages are kept and shown on the pages only.
    pub smtp: Option<Smtp>,
    /// The largest file of evidence, in bytes.
    pub evidence_limit_bytes: u64,
    /// Policy packs besides the base: `sox`, `hipaa`, `dual-control`.
    pub packs: Vec<String>,
    /// Parameters of those packs, as TOML.
    pub policy_parameters: String,
    /// Networks inside of the server's own that outgoing calls (to identity providers, receivers of webhooks, GitHub and
    /// GitLab) may reach, as `10.1.0.0/16`.
    pub outgoing_allow: Vec<String>,
    /// Certificates (PEM) of an own authority, trusted by outgoing calls instead of the public ones.
    pub outgoing_ca: Option<PathBuf>,
    /// The folder in which Prometheus finds targets and rules while changes are watched; none are written without it.
    pub monitoring_dir: Option<PathBuf>,
    /// The address that has Prometheus read its rules again, such as `http://127.0.0.1:9090/-/reload`.
    pub monitoring_reload: Option<String>,
    /// The address that takes traces of OpenTelemetry, such as `https://collector.example/v1/traces`; none are kept without it.
    pub traces_to: Option<String>,
    /// The workloads from the configuration of a cluster that calls this server directly, without a companion.
    pub cluster: Option<Bindings>,
    /// How many worker threads serve timers and deliveries.
    pub workers: usize,
    /// The time of day, in UTC, at which every log is replayed; never where it is absent.
    pub replay_at: Option<Time>,
    /// For how many seconds a stop waits for requests and outgoing calls under way.
    pub stop_seconds: u64,
}

impl Settings {
    /// The usual settings over a data folder: `127.0.0.1:8080`, the embedded database.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            tls: None,
            trusted_proxies: Vec::new(),
            metrics_from: ["127.0.0.0/8", "::1"].map(str::to_owned).to_vec(),
            metrics_token: None,
            data_dir: data_dir.into(),
            remembers_logs: true,
            copy_to: None,
            archive_bucket: None,
            database_url: None,
            master_key: None,
            smtp: None,
            evidence_limit_bytes: 100 * 1024 * 1024,
            packs: Vec::new(),
            policy_parameters: String::new(),
            outgoing_allow: Vec::new(),
            outgoing_ca: None,
            monitoring_dir: None,
            monitoring_reload: None,
            traces_to: None,
            cluster: None,
            workers: 2,
            replay_at: None,
            stop_seconds: 10,
        }
    }
}

/// Where certificate and key lie, as PEM files.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate and those above it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The mail server and the sender of our mail.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// How to reach it.
    pub server: connect::socket::SmtpConfig,
    /// The address that letters come from.
    pub from: String,
}

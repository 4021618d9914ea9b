//! The engine for teams that need more than one machine.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postgres::config::{Host, SslMode, TargetSessionAttrs};
use postgres::error::{DbError, SqlState};
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres_rustls::MakeRustlsConnect;

use self::numbers::Numbers;
use crate::driver::Bound;
use crate::error::{Error, Result};
use crate::value::{Row, Value};

/// How long one attempt to connect may last.
const CONNECT: Duration = Duration::from_secs(3);
/// After how long without a sign of life the other side counts as gone.
const SILENCE: Duration = Duration::from_secs(5);
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 400;
/// Where distributions keep the certificates they trust.
const SYSTEM_ROOTS: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

mod numbers;
mod statistics;

pub(crate) use self::statistics::Analysis;

/// How to reach the server.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// A libpq URL or key-value text.
    pub(crate) url: String,
    /// PEM file of the authorities that TLS trusts; without it the distribution's.
    pub(crate) root_certificates: Option<std::path::PathBuf>,
    /// Milliseconds after which the server gives a statement up.
    pub(crate) statement_timeout_ms: u32,
}

/// A connection to the server.
pub(crate) struct PostgresConnection {
    client: Client,
    statements: HashMap<String, postgres::Statement>,
    /// The server has sent its goodbye; the socket may take a moment longer to close.
    farewell: bool,
    /// The server stopped waiting for its standby: commits at that time may be lost with this node.
    called_off: Arc<AtomicBool>,
    numbers: Box<Numbers>,
}

/// The function in which PostgreSQL waits for a synchronous standby. A warning from this function means that the wait was
/// ended, and that the commit, which is reported as done, is on this node alone (`syncrep.c`). Its name is the same in every
/// language.
const STANDBY_WAIT: &str = "SyncRepWaitForLSN";

/// A server that hangs in the middle of a transaction holds its locks no longer than this, in milliseconds: the other servers
/// wait for them. No act computes that long between two statements.
const IDLE_MS: u32 = 20_000;

/// Rows are read by indexes alone. A serializable transaction that scans a small table, or a bitmap of pages, conflicts with every
/// writer of that table or of those pages; through an index it conflicts only with those near the rows that it read
/// (<https://www.postgresql.org/docs/15/transaction-iso.html#XACT-SERIALIZABLE>). A scan that is needed all the same counts as
/// so dear that it would be compiled first.
const BY_INDEXES: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off";

impl PostgresConnection {
    /// Connects to the writable node, the first in the order of the URL's hosts; `role` is the session's role from then on,
    /// when given.
    pub(crate) fn open(address: &Address, role: Option<&str>) -> Result<Self> {
        let mut config = config(address)?;
        config
            .connect_timeout(CONNECT)
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(SILENCE)
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(3)
            // A standby would return slightly old data, and a gate would decide by them.
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        let called_off = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&called_off);
        config.notice_callback(move |notice| note(&notice, &noted));
        if config.get_application_name().is_none() {
            config.application_name("assent");
        }
        let client = connect(&config, address)?;
        let mut connection = Self {
            client,
            statements: HashMap::new(),
            farewell: false,
            called_off,
            numbers: Box::new(Numbers::new(address, role)),
        };
        connection.batch(&format!(
            "SET statement_timeout = {0}; SET lock_timeout = {0}; \
             SET idle_in_transaction_session_timeout = {IDLE_MS}; SET client_min_messages = warning; {BY_INDEXES}",
            address.statement_timeout_ms
        ))?;
        if let Some(role) = role {
            connection.batch(&format!("SET ROLE {}", quoted(role)))?;
        }
        Ok(connection)
    }

    /// Begins a transaction by this text; `is_again` for another attempt at the same act.
    pub(crate) fn begin(&mut self, text: &str, is_again: bool) -> Result<()> {
        self.numbers.begin(is_again);
        self.batch(text)
    }

    /// A number of a counter that no other transaction gets; `None` where the act raises the counter itself.
    pub(crate) fn number(&mut self, tenant: &str, name: &str) -> Option<i64> {
        self.numbers.take(&mut self.client, tenant, name)
    }

    /// The numbers of the transaction are not used again.
    pub(crate) fn leave_numbers_out(&mut self) {
        self.numbers.keep();
    }

    /// Whether the server has gone away.
    pub(crate) fn is_lost(&self) -> bool {
        self.farewell || self.client.is_closed()
    }

    /// Commits. `Unknown` where the server reports a commit for which it no longer waited for its standby.
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.called_off.store(false, Ordering::Release);
        let done = self.batch("COMMIT");
        if done != Err(Error::Retry) {
            // Numbers are given back only if the commit is surely none.
            self.numbers.keep();
        }
        done?;
        // The notice comes before the response, on the same thread.
        if self.called_off.load(Ordering::Acquire) {
            return Err(Error::Unknown);
        }
        Ok(())
    }

    pub(crate) fn query(&mut self, bound: &Bound<'_>) -> Result<Vec<Row>> {
        let statement = self.prepared(&bound.statement.numbered)?;
        let rows = {
            let parameters: Vec<Parameter<'_>> = bound.values.iter().map(|it| Parameter(it)).collect();
            let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|it| it as &(dyn ToSql + Sync)).collect();
            self.client.query(&statement, &parameters)
        };
        let rows = rows.map_err(|it| self.named(&it))?;
        let names: Arc<[String]> = statement.columns().iter().map(|it| it.name().to_owned()).collect();
        rows.iter()
            .map(|row| {
                (0..names.len())
                    .map(|at| from_postgres(row, at))
                    .collect::<Result<Vec<_>>>()
                    .map(|values| Row::new(Arc::clone(&names), values))
            })
            .collect()
    }

    pub(crate) fn execute(&mut self, bound: &Bound<'_>) -> Result<u64> {
        let statement = self.prepared(&bound.statement.numbered)?;
        let parameters: Vec<Parameter<'_>> = bound.values.iter().map(|it| Parameter(it)).collect();
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|it| it as &(dyn ToSql + Sync)).collect();
        let done = self.client.execute(&statement, &parameters);
        done.map_err(|it| self.named(&it))
    }

    pub(crate) fn batch(&mut self, text: &str) -> Result<()> {
        let done = self.client.batch_execute(text);
        done.map_err(|it| self.named(&it))
    }

    fn prepared(&mut self, text: &str) -> Result<postgres::Statement> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        tracing::trace!(target: super::STATEMENTS_LOG, text, "a statement is prepared");
        let prepared = self.client.prepare(text);
        let statement = prepared.map_err(|it| self.named(&it))?;
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Names an engine's fault. A plan that a migration made stale counts as a lost race, once it is forgotten.
    fn named(&mut self, error: &postgres::Error) -> Error {
        if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) {
            self.statements.clear();
            return Error::Retry;
        }
        // 57P01 to 57P03: ended by an administrator, by a crash, or not ready to serve.
        let ended = error.code().is_some_and(|it| it.code().starts_with("57P0"));
        if ended || error.is_closed() || is_io(error) || self.client.is_closed() {
            self.farewell = true;
            return Error::Unavailable("the connection broke".to_owned());
        }
        postgres_error(error)
    }
}

/// How many hosts a URL names, and whether all of them are this machine.
pub(crate) fn hosts(address: &Address) -> Result<(usize, bool)> {
    let config = config(address)?;
    let (names, addresses) = (config.get_hosts(), config.get_hostaddrs());
    if !addresses.is_empty() {
        return Ok((addresses.len(), addresses.iter().all(std::net::IpAddr::is_loopback)));
    }
    Ok((names.len(), names.iter().all(is_local)))
}

fn config(address: &Address) -> Result<postgres::Config> {
    let read = address.url.parse();
    read.map_err(|_| Error::Refused("the database's URL cannot be read".to_owned()))
}

/// Logs the server's notices, and records a wait for a standby that was ended.
fn note(notice: &DbError, called_off: &AtomicBool) {
    if notice.routine() == Some(STANDBY_WAIT) {
        called_off.store(true, Ordering::Release);
        tracing::warn!("PostgreSQL stopped waiting for its standby; the result of a commit is unknown");
        return;
    }
    tracing::debug!(code = notice.code().code(), "PostgreSQL gave notice");
}

fn connect(config: &postgres::Config, address: &Address) -> Result<Client> {
    let local = config.get_hosts().iter().all(is_local);
    let connected = match config.get_ssl_mode() {
        SslMode::Disable => config.connect(NoTls),
        SslMode::Prefer if local => config.connect(NoTls),
        _ => config.connect(tls(address.root_certificates.as_deref())?),
    };
    connected.map_err(|it| match it.as_db_error() {
        Some(refused) if is_refusal(refused) => {
            Error::Refused(format!("PostgreSQL refuses the connection ({})", refused.code().code()))
        }
        Some(refused) => Error::Unavailable(format!("PostgreSQL: {}", refused.code().code())),
        None => Error::Unavailable(format!("PostgreSQL cannot be reached: {}", causes(&it))),
    })
}

/// A failed connection's causes in one line: addresses and certificates, nothing secret.
fn causes(error: &postgres::Error) -> String {
    let mut line = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let text = inner.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = inner.source();
    }
    line
}

/// A wrong password, role or database does not heal by trying again.
fn is_refusal(error: &DbError) -> bool {
    let code = error.code().code();
    code.starts_with("28") || code.starts_with("3D")
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => matches!(name.as_str(), "127.0.0.1" | "::1" | "localhost"),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn tls(roots: Option<&Path>) -> Result<MakeRustlsConnect> {
    let refused = |text: String| Error::Refused(text);
    let mut trusted = rustls::RootCertStore::empty();
    let file = roots
        .or_else(|| SYSTEM_ROOTS.iter().map(Path::new).find(|it| it.exists()))
        .ok_or_else(|| refused("no certificates to trust for TLS to PostgreSQL".to_owned()))?;
    let certificates = CertificateDer::pem_file_iter(file)
        .map_err(|it| refused(format!("{} cannot be read: {it}", file.display())))?;
    let (added, _) = trusted.add_parsable_certificates(certificates.flatten());
    if added == 0 {
        return Err(refused(format!("{} holds no certificate", file.display())));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|it| refused(format!("TLS: {it}")))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// An identifier as SQL text.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[derive(Debug)]
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self.0, kind) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Text(it), &Type::TEXT | &Type::VARCHAR | &Type::NAME | &Type::UNKNOWN) => it.to_sql(kind, out),
            (Value::Int(it), &Type::INT8) => it.to_sql(kind, out),
            (Value::Int(it), &Type::INT4) => i32::try_from(*it)?.to_sql(kind, out),
            (Value::Bool(it), &Type::BOOL) => it.to_sql(kind, out),
            (Value::Real(it), &Type::FLOAT8) => it.to_sql(kind, out),
            (Value::Bytes(it), &Type::BYTEA) => it.to_sql(kind, out),
            _ => Err(format!("a binding does not fit the type {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn from_postgres(row: &postgres::Row, at: usize) -> Result<Value> {
    let column = &row.columns()[at];
    let value = match *column.type_() {
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => {
            row.try_get::<_, Option<String>>(at).map(Value::from)
        }
        Type::INT8 => row.try_get::<_, Option<i64>>(at).map(Value::from),
        Type::INT4 => row.try_get::<_, Option<i32>>(at).map(Value::from),
        Type::BOOL => row.try_get::<_, Option<bool>>(at).map(Value::from),
        Type::FLOAT8 => row.try_get::<_, Option<f64>>(at).map(Value::from),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at).map(Value::from),
        Type::VOID => Ok(Value::Null),
        ref other => {
            return Err(Error::Other(format!(
                "column `{}` has the type {other}, which is none of ours",
                column.name()
            )));
        }
    };
    value.map_err(|_| Error::Corrupt(format!("column `{}` cannot be read", column.name())))
}

/// Names an engine's fault without repeating any value: PostgreSQL's detail lines hold some, its messages may.
fn postgres_error(error: &postgres::Error) -> Error {
    let Some(fault) = error.as_db_error() else {
        if error.is_closed() || is_io(error) {
            return Error::Unavailable("the connection broke".to_owned());
        }
        return Error::Other(format!("PostgreSQL: {error}"));
    };
    let state = fault.code();
    if *state == SqlState::UNIQUE_VIOLATION {
        return Error::Conflict {
            table: fault.table().unwrap_or_default().to_owned(),
        };
    }
    if *state == SqlState::T_R_SERIALIZATION_FAILURE || *state == SqlState::T_R_DEADLOCK_DETECTED {
        return Error::Retry;
    }
    let code = state.code();
    match &code[..2] {
        // The server is going down, is read-only after a failover, or gave a statement up.
        "08" | "57" | "55" => Error::Unavailable(format!("PostgreSQL: {code}")),
        "53" if *state == SqlState::DISK_FULL => Error::Full,
        "53" => Error::Unavailable(format!("PostgreSQL: {code}")),
        "XX" => Error::Corrupt(format!("PostgreSQL: {code}")),
        "58" => Error::Unavailable(format!("PostgreSQL: {code}")),
        // Of a mistake in a statement the message is worth reading and holds no value.
        "42" => Error::Other(format!("PostgreSQL: {code} {}", fault.message())),
        _ => Error::Other(format!("PostgreSQL: {code}")),
    }
}

fn is_io(error: &postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<std::io::Error>() {
            return true;
        }
        source = inner.source();
    }
    false
}

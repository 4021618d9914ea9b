//! `assent serve`: reads the settings and starts the server.

use std::path::PathBuf;

use clap::Args;
use server::{Settings, Smtp, Tls};

use crate::bridge;
use crate::failure::{Failure, Result, read_text};
use crate::settings::{Merged, Sources, merge};

/// Starts the server.
#[derive(Debug, Args)]
#[command(
    after_help = "Flags win over ASSENT_* variables, these over ./assent.toml; `assent config explain` shows what came from where.\n\
    Example: assent serve --demo --data /tmp/demo\n         \
    assent serve --listen 0.0.0.0:443 --public-url https://assent.example --tls-cert cert.pem --tls-key key.pem"
)]
pub struct Serve {
    /// The settings.
    #[command(flatten)]
    pub flags: Flags,
}

/// Settings as flags.
#[derive(Debug, Args, Default)]
pub struct Flags {
    /// The file of settings; ./assent.toml when it is there.
    #[arg(long, value_name = "FILE", env = "ASSENT_CONFIG")]
    pub config: Option<PathBuf>,
    /// The address and port to listen on [usual: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// How people and verifiers reach the server.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// The certificate and those above it, a PEM file.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<String>,
    /// Its private key, a PEM file.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<String>,
    /// A proxy whose X-Forwarded-For is believed, such as 10.0.0.0/8; may be given several times.
    #[arg(long, value_name = "CIDR")]
    pub trusted_proxy: Vec<String>,
    /// An address or network inside that outgoing calls may go to, such as 10.1.0.0/16; may be given several times.
    #[arg(long, value_name = "CIDR")]
    pub outgoing_allow: Vec<String>,
    /// The folder for the embedded database, evidence and the master key [usual: ./assent-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A PostgreSQL database instead of the embedded one; with a password in it, prefer ASSENT_DATABASE_FILE.
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// When all records are compared with the logs each day, a time in UTC, or never [usual: 02:30].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub replay_at: Option<String>,
    /// Fill an empty data folder with a believable organisation, and open it again later.
    #[arg(long)]
    pub demo: bool,
    /// What is logged, such as info or server=debug [usual: info].
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// How it is written: json or text [usual: text at a terminal, json elsewhere].
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

impl Flags {
    fn given(&self) -> Vec<(&'static str, Vec<String>)> {
        let texts = [
            ("listen", &self.listen),
            ("public_url", &self.public_url),
            ("tls_cert", &self.tls_cert),
            ("tls_key", &self.tls_key),
            ("data", &self.data),
            ("database", &self.database),
            ("replay_at", &self.replay_at),
            ("log", &self.log),
            ("log_format", &self.log_format),
        ];
        let mut given: Vec<(&'static str, Vec<String>)> = texts
            .into_iter()
            .filter_map(|(name, value)| Some((name, vec![value.clone()?])))
            .collect();
        if !self.trusted_proxy.is_empty() {
            given.push(("trusted_proxy", self.trusted_proxy.clone()));
        }
        if !self.outgoing_allow.is_empty() {
            given.push(("outgoing_allow", self.outgoing_allow.clone()));
        }
        if self.demo {
            given.push(("demo", vec!["true".to_owned()]));
        }
        given
    }
}

/// Merges flags, variables and the file.
///
/// # Errors
/// All that is wrong, one sentence a line.
pub fn merged(flags: &Flags) -> Result<Merged> {
    let file = match &flags.config {
        Some(path) => Some((path.display().to_string(), read_text(&path.to_string_lossy())?)),
        None if std::path::Path::new("assent.toml").is_file() => {
            Some(("assent.toml".to_owned(), read_text("assent.toml")?))
        }
        None => None,
    };
    let sources = Sources {
        flags: flags.given(),
        variable: &|name| std::env::var(name).ok(),
        read: &|path| std::fs::read_to_string(path).map_err(|error| format!("`{path}` cannot be read: {error}")),
        file,
    };
    merge(&sources)
        .map_err(|wrong| Failure::could_not(format!("the settings cannot be used:\n  {}", wrong.join("\n  "))))
}

/// Reads what was merged into what the server takes.
///
/// # Errors
/// The first value that cannot be used, with its origin.
pub fn read(merged: &Merged) -> Result<Settings> {
    let wrong = |name: &str, why: &str| {
        let origin = merged
            .found(name)
            .map(|found| found.origin.to_string())
            .unwrap_or_default();
        Failure::could_not(format!("`{name}` ({origin}) cannot be used: {why}."))
    };
    let mut settings = Settings::new(merged.text("data").unwrap_or("./assent-data"));
    let listen = merged.text("listen").unwrap_or_default();
    settings.listen = listen
        .parse()
        .map_err(|_| wrong("listen", "write an address and a port, such as 127.0.0.1:8080"))?;
    let url = merged.text("public_url").map(public_url).transpose();
    settings.public_url = url.map_err(|why| wrong("public_url", why))?;
    settings.tls = match (merged.text("tls_cert"), merged.text("tls_key")) {
        (Some(certificate), Some(key)) => Some(Tls {
            certificate: certificate.into(),
            key: key.into(),
        }),
        (None, None) => None,
        (Some(_), None) => return Err(wrong("tls_cert", "`tls_key` is missing beside it")),
        (None, Some(_)) => return Err(wrong("tls_key", "`tls_cert` is missing beside it")),
    };
    settings.trusted_proxies = merged.list("trusted_proxy");
    settings.database_url = merged.text("database").map(str::to_owned);
    if settings
        .database_url
        .as_deref()
        .is_some_and(|url| !url.starts_with("postgres://") && !url.starts_with("postgresql://"))
    {
        return Err(wrong("database", "it begins with postgres://"));
    }
    settings.master_key = merged.text("master_key").map(str::to_owned);
    settings.evidence_limit_bytes = merged.number("evidence_limit_bytes");
    settings.packs = merged.list("packs");
    if let Some(name) = settings.packs.iter().find(|name| policy::pack(name).is_none()) {
        return Err(wrong("packs", &format!("there is no pack `{name}`")));
    }
    if let Some(file) = merged.text("policy_parameters") {
        settings.policy_parameters = read_text(file)?;
    }
    settings.workers = usize::try_from(merged.number("workers"))
        .unwrap_or(usize::MAX)
        .clamp(1, 64);
    settings.replay_at =
        replay_at(merged.text("replay_at")).ok_or_else(|| wrong("replay_at", "write 02:30, or never"))?;
    settings.stop_seconds = merged.number("stop_seconds");
    settings.smtp = smtp(merged, &wrong)?;
    settings.outgoing_allow = merged.list("outgoing_allow");
    settings.outgoing_ca = merged.text("outgoing_ca").map(PathBuf::from);
    check_log(merged, &wrong)?;
    Ok(settings)
}

/// How people reach the server, without a slash at the end: every address that is sent out is put together from it.
///
/// # Errors
/// What it has to be.
pub(super) fn public_url(text: &str) -> std::result::Result<String, &'static str> {
    let url = text.trim_end_matches('/');
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return Err("it begins with https:// or http:// and names a host");
    };
    let is_odd = |c: char| c.is_whitespace() || matches!(c, '?' | '#' | '@');
    if rest.starts_with('/') || rest.contains(is_odd) {
        return Err("it names a host and has neither spaces nor `?`, `#` or `@`, such as https://assent.example");
    }
    Ok(url.to_owned())
}

/// The time of day that a text says, none for `never`; nothing when it says neither.
fn replay_at(text: Option<&str>) -> Option<Option<jiff::civil::Time>> {
    match text {
        Some("never") => Some(None),
        Some(text) => jiff::civil::Time::strptime("%H:%M", text).ok().map(Some),
        None => Some(None),
    }
}

fn check_log(merged: &Merged, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<()> {
    if let Err(error) = server::logs::filter(log_words(merged)) {
        return Err(wrong("log", &error.to_string()));
    }
    match merged.text("log_format") {
        None | Some("json" | "text") => Ok(()),
        Some(_) => Err(wrong("log_format", "write json or text")),
    }
}

fn smtp(merged: &Merged, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<Option<Smtp>> {
    let Some(url) = merged.text("smtp") else {
        return Ok(None);
    };
    let from = merged
        .text("smtp_from")
        .ok_or_else(|| wrong("smtp", "`smtp_from` is missing beside it"))?;
    let parsed = MailAddress::parse(url).map_err(|why| wrong("smtp", &why))?;
    Ok(Some(bridge::smtp(&parsed, merged.text("smtp_password"), from)))
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Implicit,
    /// TLS after STARTTLS, insisted on.
    StartTls,
    /// None.
    Plain,
}

/// A mail server, as settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The account's login.
    pub login: Option<String>,
    /// How the connection is protected.
    pub protection: Protection,
}

impl MailAddress {
    /// Reads `smtps://HOST`, `smtp://LOGIN@HOST:PORT`, `smtp+plain://HOST`.
    ///
    /// # Errors
    /// What can be written.
    pub fn parse(url: &str) -> std::result::Result<Self, String> {
        let help = || "write smtps://HOST, smtp://LOGIN@HOST:PORT or smtp+plain://HOST".to_owned();
        let (scheme, rest) = url.split_once("://").ok_or_else(help)?;
        let (protection, usual) = match scheme {
            "smtps" => (Protection::Implicit, 465),
            "smtp" => (Protection::StartTls, 587),
            "smtp+plain" => (Protection::Plain, 25),
            _ => return Err(help()),
        };
        let rest = rest.trim_end_matches('/');
        let (login, place) = rest
            .rsplit_once('@')
            .map_or((None, rest), |(login, place)| (Some(login.to_owned()), place));
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| help())?),
            None => (place, usual),
        };
        if host.is_empty() || host.contains(['/', ' ']) {
            return Err(help());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            login,
            protection,
        })
    }
}

/// Starts the server and stays until it ends.
///
/// # Errors
/// Settings that cannot be used, or why the server could not start.
pub fn run(serve: &Serve) -> Result<u8> {
    let merged = merged(&serve.flags)?;
    let settings = read(&merged)?;
    start_log(&merged)?;
    for sentence in unread_variables() {
        tracing::warn!("{sentence}");
    }
    bridge::serve(&settings, merged.switch("demo"))?;
    Ok(0)
}

/// What stands in the environment as if it were a setting.
pub(super) fn unread_variables() -> Vec<String> {
    let names: Vec<String> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    crate::settings::unread(names.iter().map(String::as_str))
}

fn log_words(merged: &Merged) -> &str {
    merged.text("log").unwrap_or("info")
}

fn start_log(merged: &Merged) -> Result<()> {
    let filter = server::logs::filter(log_words(merged))
        .map_err(|error| Failure::could_not(format!("`log` cannot be used: {error}.")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A log that cannot be written, on a full disk perhaps, must not end the thread that writes it.
        .log_internal_errors(false)
        .with_ansi(has_colours())
        .with_writer(std::io::stderr);
    let begun = if is_json(merged) {
        builder.with_ansi(false).json().flatten_event(true).try_init()
    } else {
        builder.try_init()
    };
    begun.map_err(|error| Failure::could_not(format!("The log cannot be written: {error}.")))?;
    if is_json(merged) {
        // The usual hook writes lines that are no objects, which whoever reads the others would lose.
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    }
    Ok(())
}

/// Where nobody looks on, a program reads the lines.
fn is_json(merged: &Merged) -> bool {
    use std::io::IsTerminal as _;
    let said = merged.text("log_format");
    said.map_or_else(|| !std::io::stderr().is_terminal(), |word| word == "json")
}

/// Colours are for people at a terminal who did not ask for none (<https://no-color.org>); a file gets plain lines.
fn has_colours() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_mail_server_is_named_by_an_address() {
        let full = MailAddress::parse("smtp://bob@x.example@mail.example:2525/").unwrap();
        assert_eq!(
            (full.host.as_str(), full.port, full.login.as_deref()),
            ("mail.example", 2525, Some("bob@x.example"))
        );
        assert_eq!(full.protection, Protection::StartTls);
        assert_eq!(MailAddress::parse("smtps://mail.example").unwrap().port, 465);
        assert_eq!(
            MailAddress::parse("smtp+plain://127.0.0.1").unwrap().protection,
            Protection::Plain
        );
        for wrong in [
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://mail.example:port",
            "smtp://@",
        ] {
            assert!(MailAddress::parse(wrong).is_err(), "{wrong}");
        }
    }

    fn settings(lines: &str) -> Result<Settings> {
        let sources = Sources {
            flags: Vec::new(),
            variable: &|_| None,
            read: &|_| Err(String::new()),
            file: Some(("assent.toml".to_owned(), lines.to_owned())),
        };
        read(&merge(&sources).unwrap())
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused_with_their_origin() {
        let fine = settings("public_url = \"https://assent.example/\"\npacks = [\"sox\"]").unwrap();
        assert_eq!(fine.public_url.as_deref(), Some("https://assent.example"));
        assert_eq!(fine.packs, ["sox"]);
        assert_eq!(fine.replay_at, Some(jiff::civil::time(2, 30, 0, 0)));
        assert_eq!(settings("replay_at = \"never\"").unwrap().replay_at, None);
        for (lines, part) in [
            ("listen = \"8080\"", "`listen` (assent.toml:1)"),
            ("tls_cert = \"a\"", "`tls_key` is missing"),
            ("database = \"mysql://x\"", "begins with postgres://"),
            ("packs = [\"soks\"]", "there is no pack `soks`"),
            ("smtp = \"smtps://mail.example\"", "`smtp_from` is missing"),
            ("public_url = \"ftp://assent.example\"", "begins with https://"),
            ("public_url = \"https:///x\"", "names a host"),
            ("log = \"==\"", "`log` (assent.toml:1) cannot be used"),
            ("replay_at = \"25:00\"", "`replay_at` (assent.toml:1) cannot be used"),
            (
                "log_format = \"xml\"",
                "`log_format` (assent.toml:1) cannot be used: write json or text",
            ),
        ] {
            match settings(lines) {
                Err(Failure::CouldNot(text)) => assert!(text.contains(part), "{text}"),
                other => panic!("{lines}: {other:?}"),
            }
        }
    }
}

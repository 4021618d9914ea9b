//! The server's settings as flags, and their merge with variables and the file.

use std::path::PathBuf;

use clap::Args;
use server::{BucketPlace, BucketSettings, CopyPlace, Settings, Smtp, Tls};

use crate::bridge;
use crate::commands::gate::gateway::read_bindings;
use crate::failure::{Failure, Result, read_text};
use crate::mail_address::MailAddress;
use crate::settings::{Merged, Sources, merge, unread};

/// The shortest token for the figures, in bytes.
const METRICS_TOKEN: usize = 20;

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
    /// Keep a running copy of the embedded database in this folder or bucket (https://HOST/BUCKET), at most seconds behind.
    #[arg(long, value_name = "PLACE")]
    pub copy_to: Option<String>,
    /// The S3-compatible bucket in which the archive is kept; its key's secret comes from ASSENT_BUCKET_SECRET_KEY_FILE.
    #[arg(long, value_name = "URL")]
    pub archive_bucket: Option<String>,
    /// The bucket's region [usual: us-east-1].
    #[arg(long, value_name = "NAME")]
    pub bucket_region: Option<String>,
    /// The id of the access key for the bucket.
    #[arg(long, value_name = "ID")]
    pub bucket_access_key: Option<String>,
    /// A PostgreSQL database instead of the embedded one; with a password in it, prefer ASSENT_DATABASE_FILE.
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// When all records are compared with the logs each day, a time in UTC, or never [usual: 02:30].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub replay_at: Option<String>,
    /// The folder in which Prometheus finds targets and rules while changes are watched.
    #[arg(long, value_name = "DIR")]
    pub monitoring_dir: Option<String>,
    /// The address that has Prometheus read its rules again.
    #[arg(long, value_name = "URL")]
    pub monitoring_reload: Option<String>,
    /// The address that takes traces of OpenTelemetry, such as https://collector.example/v1/traces.
    #[arg(long, value_name = "URL")]
    pub traces_to: Option<String>,
    /// Fill an empty data folder with a believable organisation, and open it again later.
    #[arg(long)]
    pub demo: bool,
    /// How many days of history the demo gets [usual: 365].
    #[arg(long, value_name = "DAYS")]
    pub demo_days: Option<String>,
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
            ("copy_to", &self.copy_to),
            ("archive_bucket", &self.archive_bucket),
            ("bucket_region", &self.bucket_region),
            ("bucket_access_key", &self.bucket_access_key),
            ("database", &self.database),
            ("replay_at", &self.replay_at),
            ("monitoring_dir", &self.monitoring_dir),
            ("monitoring_reload", &self.monitoring_reload),
            ("traces_to", &self.traces_to),
            ("demo_days", &self.demo_days),
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

/// Turns the merged values into the server's settings.
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
    inner_routes(merged, &mut settings, &wrong)?;
    settings.database_url = merged.text("database").map(str::to_owned);
    if settings
        .database_url
        .as_deref()
        .is_some_and(|url| !url.starts_with("postgres://") && !url.starts_with("postgresql://"))
    {
        return Err(wrong("database", "it begins with postgres://"));
    }
    places(merged, &mut settings, &wrong)?;
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
    watching(merged, &mut settings, &wrong)?;
    let workloads = merged.text("workloads").map(std::path::Path::new);
    settings.cluster = workloads.map(read_bindings).transpose()?;
    check_log(merged, &wrong)?;
    Ok(settings)
}

/// The readers of the figures and of the reasons of readiness. An empty list leaves the token alone.
fn inner_routes(merged: &Merged, settings: &mut Settings, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<()> {
    if merged.found("metrics_from").is_some() {
        settings.metrics_from = merged.list("metrics_from");
    }
    let token = merged.text("metrics_token");
    if token.is_some_and(|token| token.len() < METRICS_TOKEN) {
        return Err(wrong("metrics_token", "it has 20 characters or more"));
    }
    settings.metrics_token = token.map(str::to_owned);
    Ok(())
}

/// Monitoring: Prometheus, and a collector of traces.
fn watching(merged: &Merged, settings: &mut Settings, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<()> {
    let address = |name: &str| match merged.text(name) {
        Some(url) if !(url.starts_with("http://") || url.starts_with("https://")) => {
            Err(wrong(name, "it begins with http:// or https://"))
        }
        url => Ok(url.map(str::to_owned)),
    };
    settings.monitoring_dir = merged.text("monitoring_dir").map(PathBuf::from);
    settings.monitoring_reload = address("monitoring_reload")?;
    settings.traces_to = address("traces_to")?;
    if settings.monitoring_reload.is_some() && settings.monitoring_dir.is_none() {
        return Err(wrong("monitoring_reload", "`monitoring_dir` is missing beside it"));
    }
    Ok(())
}

/// Where copies and the archive lie outside of the data folder.
fn places(merged: &Merged, settings: &mut Settings, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<()> {
    let copy_to = merged.text("copy_to");
    settings.copy_to = copy_to
        .map(|text| copy_place(merged, "copy_to", text, wrong))
        .transpose()?;
    let bucket_text = merged.text("archive_bucket");
    settings.archive_bucket = bucket_text
        .map(|text| bucket(merged, "archive_bucket", text, wrong))
        .transpose()?;
    Ok(())
}

/// The bucket that a setting names, with the access key.
fn bucket(merged: &Merged, name: &str, text: &str, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<BucketSettings> {
    let place = BucketPlace::parse(text).map_err(|why| wrong(name, &why))?;
    let needed = |key: &str| {
        let found = merged.text(key).map(str::to_owned);
        found.ok_or_else(|| wrong(name, &format!("`{key}` is missing beside it")))
    };
    Ok(BucketSettings {
        place,
        region: merged.text("bucket_region").unwrap_or_default().to_owned(),
        access_key: needed("bucket_access_key")?,
        secret_key: needed("bucket_secret_key")?,
    })
}

/// A folder, or a bucket by its address.
fn copy_place(merged: &Merged, name: &str, text: &str, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<CopyPlace> {
    if text.contains("://") {
        return bucket(merged, name, text, wrong).map(CopyPlace::Bucket);
    }
    Ok(CopyPlace::Folder(PathBuf::from(text)))
}

/// The place of a running copy that a command names, with the access key of the settings, and the authority that outgoing calls
/// trust.
///
/// # Errors
/// When the settings cannot be used, or a bucket's access key is missing.
pub(crate) fn named_copy(text: &str) -> Result<(CopyPlace, Option<PathBuf>)> {
    let merged = merged(&Flags::default())?;
    let wrong = |_: &str, why: &str| Failure::could_not(format!("`{text}` cannot be used: {why}."));
    let place = copy_place(&merged, "copy_to", text, &wrong)?;
    Ok((place, merged.text("outgoing_ca").map(PathBuf::from)))
}

/// How people reach the server, without a slash at the end: every address that is sent out is put together from it.
///
/// # Errors
/// The required form.
pub(crate) fn public_url(text: &str) -> std::result::Result<String, &'static str> {
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

/// The time of day in a text, none for `never`; nothing when it is neither.
fn replay_at(text: Option<&str>) -> Option<Option<jiff::civil::Time>> {
    match text {
        Some("never") => Some(None),
        Some(text) => jiff::civil::Time::strptime("%H:%M", text).ok().map(Some),
        None => Some(None),
    }
}

fn check_log(merged: &Merged, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<()> {
    if let Err(error) = server::logs::filter(log_format_name(merged)) {
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

/// Variables of the environment that look like settings.
pub(crate) fn unread_variables() -> Vec<String> {
    let names: Vec<String> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    unread(names.iter().map(String::as_str))
}

pub(crate) fn log_format_name(merged: &Merged) -> &str {
    merged.text("log").unwrap_or("info")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

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
        assert_eq!(fine.metrics_from, ["127.0.0.0/8", "::1"]);
        let closed = settings("metrics_from = []\nmetrics_token = \"0123456789abcdef0123\"").unwrap();
        assert!(closed.metrics_from.is_empty() && closed.metrics_token.is_some());
        assert!(settings("metrics_token = \"short\"").is_err());
        for (lines, part) in [
            ("listen = \"8080\"", "`listen` (assent.toml:1)"),
            ("tls_cert = \"a\"", "`tls_key` is missing"),
            ("database = \"mysql://x\"", "begins with postgres://"),
            ("packs = [\"soks\"]", "there is no pack `soks`"),
            ("archive_bucket = \"s3://x\"", "HOST/BUCKET"),
            (
                "archive_bucket = \"https://s3.example/x\"",
                "`bucket_access_key` is missing",
            ),
            ("smtp = \"smtps://mail.example\"", "`smtp_from` is missing"),
            ("public_url = \"ftp://assent.example\"", "begins with https://"),
            ("public_url = \"https:///x\"", "names a host"),
            ("log = \"==\"", "`log` (assent.toml:1) cannot be used"),
            (
                "monitoring_reload = \"http://p/-/reload\"",
                "`monitoring_dir` is missing",
            ),
            ("traces_to = \"collector:4318\"", "begins with http://"),
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

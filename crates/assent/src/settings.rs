//! The server's settings: flags win over `ASSENT_*` variables, these over `assent.toml`, this over the defaults. Each value
//! remembers where it came from, so that a surprise can be explained.

use std::collections::BTreeMap;
use std::fmt;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name in the file; the variable is `ASSENT_` and the name in capitals, the flag has `-` for `_`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The usual value, as in a variable.
    pub usual: Option<&'static str>,
    /// The purpose.
    pub about: &'static str,
}

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Text that is never shown; `ASSENT_…_FILE` names a file that holds it.
    Secret,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// Several texts; separated by commas in a variable.
    List,
}

const fn key(name: &'static str, kind: Kind, usual: Option<&'static str>, about: &'static str) -> Key {
    Key {
        name,
        kind,
        usual,
        about,
    }
}

/// Every setting there is.
pub const KEYS: &[Key] = &[
    key(
        "listen",
        Kind::Text,
        Some("127.0.0.1:8080"),
        "the address and port to listen on",
    ),
    key(
        "public_url",
        Kind::Text,
        None,
        "how people and verifiers reach the server",
    ),
    key(
        "tls_cert",
        Kind::Text,
        None,
        "the certificate and those above it, a PEM file",
    ),
    key("tls_key", Kind::Text, None, "the certificate's private key, a PEM file"),
    key(
        "trusted_proxy",
        Kind::List,
        None,
        "proxies whose X-Forwarded-For is believed",
    ),
    key(
        "metrics_from",
        Kind::List,
        None,
        "networks whose direct connections read /metrics and the reasons of /readyz; unless said 127.0.0.0/8 and ::1",
    ),
    key(
        "metrics_token",
        Kind::Secret,
        None,
        "the bearer token for /metrics and the reasons of /readyz from anywhere, also through a proxy",
    ),
    key(
        "data",
        Kind::Text,
        Some("./assent-data"),
        "the folder for the embedded database, evidence and the master key",
    ),
    key(
        "database",
        Kind::Secret,
        None,
        "postgres://…; without it the embedded database",
    ),
    key(
        "master_key",
        Kind::Secret,
        None,
        "32 bytes in base64; needed with PostgreSQL",
    ),
    key(
        "smtp",
        Kind::Text,
        None,
        "the mail server: smtps://HOST, smtp://HOST (STARTTLS) or smtp+plain://HOST, with LOGIN@ and :PORT if needed",
    ),
    key("smtp_password", Kind::Secret, None, "the password at the mail server"),
    key("smtp_from", Kind::Text, None, "the address that letters come from"),
    key(
        "outgoing_allow",
        Kind::List,
        None,
        "networks inside of the server's own that outgoing calls may reach, such as 10.1.0.0/16",
    ),
    key(
        "outgoing_ca",
        Kind::Text,
        None,
        "certificates (PEM) of an own authority that such calls trust instead of the public ones",
    ),
    key(
        "monitoring_dir",
        Kind::Text,
        None,
        "the folder in which Prometheus finds targets and rules while changes are watched",
    ),
    key(
        "monitoring_reload",
        Kind::Text,
        None,
        "the address that has Prometheus read its rules again, such as http://127.0.0.1:9090/-/reload",
    ),
    key(
        "traces_to",
        Kind::Text,
        None,
        "the address that takes traces of OpenTelemetry (OTLP in JSON), such as https://collector.example/v1/traces",
    ),
    key(
        "workloads",
        Kind::Text,
        None,
        "a TOML file that binds the workloads of a Kubernetes cluster that asks this server itself to their services",
    ),
    key(
        "evidence_limit_bytes",
        Kind::Number,
        Some("104857600"),
        "the largest evidence file",
    ),
    key(
        "packs",
        Kind::List,
        None,
        "policy packs besides the base: cab, checklists, dual-control, hipaa, pci, small-team, sox",
    ),
    key(
        "policy_parameters",
        Kind::Text,
        None,
        "a TOML file with values for the packs' parameters",
    ),
    key("workers", Kind::Number, Some("2"), "threads for timers and deliveries"),
    key(
        "copy_to",
        Kind::Text,
        None,
        "where a running copy of the embedded database is kept: a folder on another host's disk, or https://HOST/BUCKET",
    ),
    key(
        "archive_bucket",
        Kind::Text,
        None,
        "the S3-compatible bucket for the archive: https://HOST/BUCKET, with /PREFIX if several servers share it",
    ),
    key(
        "bucket_region",
        Kind::Text,
        Some("us-east-1"),
        "the bucket's region; most services other than AWS take any",
    ),
    key(
        "bucket_access_key",
        Kind::Text,
        None,
        "the id of the access key for the bucket",
    ),
    key("bucket_secret_key", Kind::Secret, None, "the secret of that access key"),
    key(
        "replay_at",
        Kind::Text,
        Some("02:30"),
        "when all records are compared with the logs, a time of day in UTC, or never",
    ),
    key(
        "stop_seconds",
        Kind::Number,
        Some("10"),
        "how long a stop waits for requests and outgoing calls under way",
    ),
    key(
        "demo",
        Kind::Switch,
        Some("false"),
        "fill an empty data folder with a believable organisation",
    ),
    key(
        "demo_days",
        Kind::Number,
        Some("365"),
        "how many days of history the demo gets, 92 to 730",
    ),
    key(
        "log",
        Kind::Text,
        Some("info"),
        "what is logged, such as info or server=debug",
    ),
    key(
        "log_format",
        Kind::Text,
        None,
        "json, a line an object, or text; unless said text at a terminal and json elsewhere",
    ),
];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// What is usual.
    Usual,
    /// The file, at this line.
    File(String, usize),
    /// The variable of this name.
    Variable(String),
    /// The flag of this name.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usual => f.write_str("usual"),
            Self::File(name, line) => write!(f, "{name}:{line}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The value; of a list, its items.
    pub items: Vec<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// All values that are set, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged(BTreeMap<&'static str, Found>);

/// The sources of values.
pub struct Sources<'a> {
    /// Flags that were given: the setting's name and its values.
    pub flags: Vec<(&'static str, Vec<String>)>,
    /// Looks a variable up.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file that a variable names.
    pub read: &'a dyn Fn(&str) -> Result<String, String>,
    /// The file's name and text, if there is one.
    pub file: Option<(String, String)>,
}

/// Merges the sources.
///
/// # Errors
/// One sentence for each thing that is wrong: an unknown key with the nearest name, a value of the wrong kind.
pub fn merge(sources: &Sources<'_>) -> Result<Merged, Vec<String>> {
    let mut merged = Merged::default();
    let mut wrong = Vec::new();
    for key in KEYS {
        if let Some(usual) = key.usual {
            merged.0.insert(
                key.name,
                Found {
                    items: vec![usual.to_owned()],
                    origin: Origin::Usual,
                },
            );
        }
    }
    if let Some((name, text)) = &sources.file {
        merge_file(name, text, &mut merged, &mut wrong);
    }
    for key in KEYS {
        match from_variable(key, sources) {
            Ok(Some(found)) => put(&mut merged, key, found, &mut wrong),
            Ok(None) => {}
            Err(text) => wrong.push(text),
        }
    }
    for (name, items) in &sources.flags {
        if let Some(key) = KEYS.iter().find(|key| key.name == *name) {
            let origin = Origin::Flag(name.replace('_', "-"));
            put(
                &mut merged,
                key,
                Found {
                    items: items.clone(),
                    origin,
                },
                &mut wrong,
            );
        }
    }
    if wrong.is_empty() { Ok(merged) } else { Err(wrong) }
}

fn merge_file(name: &str, text: &str, merged: &mut Merged, wrong: &mut Vec<String>) {
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return wrong.push(format!("{name}: {}", error.to_string().trim_end())),
    };
    let mut rows: Vec<(usize, &String, &toml::Value)> = table
        .iter()
        .map(|(field, value)| (line_of(text, field), field, value))
        .collect();
    rows.sort_by_key(|row| row.0);
    for (line, field, value) in rows {
        let Some(key) = KEYS.iter().find(|key| key.name == field) else {
            let near = policy::nearest(field, KEYS.iter().map(|key| key.name));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            wrong.push(format!("{name}:{line}: there is no setting `{field}`{hint}"));
            continue;
        };
        match items_of(key, value) {
            Some(items) => put(
                merged,
                key,
                Found {
                    items,
                    origin: Origin::File(name.to_owned(), line),
                },
                wrong,
            ),
            None => wrong.push(format!("{name}:{line}: `{field}` must be {}", values_text(key.kind))),
        }
    }
}

/// The line on which a field is set, from 1.
fn line_of(text: &str, field: &str) -> usize {
    let sets = |line: &str| {
        let line = line.trim_start();
        let rest = line
            .strip_prefix(field)
            .or_else(|| line.strip_prefix(&format!("\"{field}\"")));
        rest.is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
    };
    text.lines().position(sets).map_or(1, |place| place + 1)
}

fn items_of(key: &Key, value: &toml::Value) -> Option<Vec<String>> {
    match (key.kind, value) {
        (Kind::Text | Kind::Secret, toml::Value::String(text)) => Some(vec![text.clone()]),
        (Kind::Number, toml::Value::Integer(number)) => Some(vec![number.to_string()]),
        (Kind::Switch, toml::Value::Boolean(switch)) => Some(vec![switch.to_string()]),
        (Kind::List, toml::Value::String(text)) => Some(vec![text.clone()]),
        (Kind::List, toml::Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn values_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Secret => "text",
        Kind::Number => "a whole number that is not negative",
        Kind::Switch => "true or false",
        Kind::List => "a list of texts",
    }
}

/// Variables that the command line reads beside the settings.
const OTHERS: &[&str] = &["SERVER", "TOKEN", "TOKEN_FILE", "CA_CERT", "CONFIG"];

/// Variables that orchestrators set beside a service that is called `assent`, and those of this project's tests.
const FOREIGN: &[&str] = &["SERVICE_", "PORT_", "TEST_"];

/// A sentence for each variable that looks like a setting and is none: a misspelt one would be ignored in silence.
pub fn unread<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let settings = || KEYS.iter().map(|key| key.name.to_uppercase());
    let of_files = KEYS.iter().filter(|key| key.kind == Kind::Secret);
    let mut known: Vec<String> = of_files
        .map(|key| format!("{}_FILE", key.name.to_uppercase()))
        .collect();
    known.extend(settings().chain(OTHERS.iter().map(|name| (*name).to_owned())));
    let mut found: Vec<String> = names
        .filter_map(|name| name.strip_prefix("ASSENT_"))
        .filter(|name| !known.iter().any(|known| known == name))
        .filter(|name| !FOREIGN.iter().any(|foreign| name.starts_with(foreign)))
        .map(|name| {
            let near = policy::nearest(name, known.iter().map(String::as_str));
            let hint = near
                .map(|near| format!("; did you mean `ASSENT_{near}`?"))
                .unwrap_or_default();
            format!("The variable `ASSENT_{name}` is no setting and is not read{hint}")
        })
        .collect();
    found.sort();
    found
}

fn from_variable(key: &Key, sources: &Sources<'_>) -> Result<Option<Found>, String> {
    let name = format!("ASSENT_{}", key.name.to_uppercase());
    if let Some(value) = (sources.variable)(&name) {
        let items = match key.kind {
            Kind::List => value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect(),
            _ => vec![value],
        };
        return Ok(Some(Found {
            items,
            origin: Origin::Variable(name),
        }));
    }
    if key.kind != Kind::Secret {
        return Ok(None);
    }
    let name = format!("{name}_FILE");
    let Some(path) = (sources.variable)(&name) else {
        return Ok(None);
    };
    let text = (sources.read)(&path).map_err(|why| format!("{name}: {why}"))?;
    Ok(Some(Found {
        items: vec![text.trim_end_matches(['\r', '\n']).to_owned()],
        origin: Origin::Variable(name),
    }))
}

fn put(merged: &mut Merged, key: &Key, found: Found, wrong: &mut Vec<String>) {
    let one = found.items.first().map_or("", String::as_str);
    let is_fine = match key.kind {
        Kind::Number => one.parse::<u64>().is_ok(),
        Kind::Switch => one.parse::<bool>().is_ok(),
        _ => true,
    };
    if is_fine {
        merged.0.insert(key.name, found);
    } else {
        wrong.push(format!(
            "{}: `{}` must be {}",
            found.origin,
            key.name,
            values_text(key.kind)
        ));
    }
}

impl Merged {
    /// A value and its origin.
    #[must_use]
    pub fn found(&self, name: &str) -> Option<&Found> {
        self.0.get(name)
    }

    /// A text that is set and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)?
            .items
            .first()
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A list; empty when it is not set.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        self.0.get(name).map(|found| found.items.clone()).unwrap_or_default()
    }

    /// A whole number; merging has checked that it is one.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// A switch.
    #[must_use]
    pub fn switch(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// Name, value as it may be shown, and origin of every setting.
    #[must_use]
    pub fn rows(&self) -> Vec<[String; 3]> {
        let row = |key: &Key| {
            let Some(found) = self.0.get(key.name) else {
                return [key.name.to_owned(), String::new(), "not set".to_owned()];
            };
            let value = if key.kind == Kind::Secret {
                "(set, not shown)".to_owned()
            } else {
                found.items.join(", ")
            };
            [key.name.to_owned(), value, found.origin.to_string()]
        };
        KEYS.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn merged(flags: &[(&'static str, &str)], variables: &[(&str, &str)], file: &str) -> Result<Merged, Vec<String>> {
        let variables: BTreeMap<String, String> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        merge(&Sources {
            flags: flags
                .iter()
                .map(|(name, value)| (*name, vec![(*value).to_owned()]))
                .collect(),
            variable: &|name| variables.get(name).cloned(),
            read: &|path| {
                if path == "/secret" {
                    Ok("hidden\n".to_owned())
                } else {
                    Err(format!("`{path}` is not there"))
                }
            },
            file: (!file.is_empty()).then(|| ("assent.toml".to_owned(), file.to_owned())),
        })
    }

    fn origin(merged: &Merged, name: &str) -> String {
        merged.found(name).unwrap().origin.to_string()
    }

    #[test]
    fn flags_win_over_variables_these_over_the_file_and_this_over_the_usual() {
        let file = "# ours\nlisten = \"1.1.1.1:1\"\ndata = \"/file\"\nworkers = 7\n";
        let variables = [("ASSENT_LISTEN", "2.2.2.2:2"), ("ASSENT_DATA", "/variable")];
        let merged = merged(&[("listen", "3.3.3.3:3")], &variables, file).unwrap();
        assert_eq!(
            (merged.text("listen"), origin(&merged, "listen").as_str()),
            (Some("3.3.3.3:3"), "flag --listen")
        );
        assert_eq!(
            (merged.text("data"), origin(&merged, "data").as_str()),
            (Some("/variable"), "variable ASSENT_DATA")
        );
        assert_eq!(
            (merged.number("workers"), origin(&merged, "workers").as_str()),
            (7, "assent.toml:4")
        );
        assert_eq!(
            (merged.number("stop_seconds"), origin(&merged, "stop_seconds").as_str()),
            (10, "usual")
        );
        assert_eq!(merged.text("public_url"), None);
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_nearest_name() {
        let wrong = merged(
            &[],
            &[],
            "listen = \"1.1.1.1:1\"\n\ntrusted_proxies = [\"10.0.0.1\"]\nsandwich = 1\n",
        )
        .unwrap_err();
        assert_eq!(
            wrong,
            [
                "assent.toml:3: there is no setting `trusted_proxies`; did you mean `trusted_proxy`?",
                "assent.toml:4: there is no setting `sandwich`",
            ]
        );
    }

    #[test]
    fn a_misspelt_variable_is_told_with_the_nearest_name() {
        let names = [
            "ASSENT_LISTN",
            "ASSENT_LISTEN",
            "ASSENT_MASTER_KEY_FILE",
            "ASSENT_TOKEN_FILE",
            "ASSENT_SERVICE_HOST",
            "ASSENT_PORT_8080_TCP",
            "PATH",
        ];
        assert_eq!(
            unread(names.into_iter()),
            ["The variable `ASSENT_LISTN` is no setting and is not read; did you mean `ASSENT_LISTEN`?"]
        );
    }

    #[test]
    fn values_of_the_wrong_kind_are_all_told_at_once() {
        let wrong = merged(
            &[],
            &[("ASSENT_WORKERS", "many"), ("ASSENT_DEMO", "yes")],
            "listen = 8080\npacks = [1]\n",
        )
        .unwrap_err();
        assert_eq!(wrong.len(), 4, "{wrong:?}");
        assert!(
            wrong[0].contains("assent.toml:1: `listen` must be text"),
            "{}",
            wrong[0]
        );
        assert!(
            wrong
                .contains(&"variable ASSENT_WORKERS: `workers` must be a whole number that is not negative".to_owned())
        );
        assert!(merged(&[], &[], "listen = ").is_err());
        assert!(merged(&[("workers", "-1")], &[], "").is_err());
    }

    #[test]
    fn the_help_names_every_pack() {
        let names: Vec<&str> = policy::packs().iter().map(|pack| pack.name).collect();
        let key = KEYS.iter().find(|key| key.name == "packs").unwrap();
        assert!(key.about.ends_with(&names.join(", ")), "{}", key.about);
    }

    #[test]
    fn lists_come_as_arrays_or_with_commas() {
        assert_eq!(
            merged(&[], &[], "packs = [\"sox\", \"hipaa\"]").unwrap().list("packs"),
            ["sox", "hipaa"]
        );
        let both = merged(&[], &[("ASSENT_PACKS", "sox, dual-control,")], "packs = [\"hipaa\"]").unwrap();
        assert_eq!(both.list("packs"), ["sox", "dual-control"]);
    }

    #[test]
    fn secrets_come_from_files_and_are_never_shown() {
        let merged = merged(&[], &[("ASSENT_MASTER_KEY_FILE", "/secret")], "").unwrap();
        assert_eq!(merged.text("master_key"), Some("hidden"));
        assert_eq!(origin(&merged, "master_key"), "variable ASSENT_MASTER_KEY_FILE");
        assert!(merged.rows().iter().all(|row| !row[1].contains("hidden")));
        assert!(super::tests::merged(&[], &[("ASSENT_MASTER_KEY_FILE", "/gone")], "").is_err());
        // Only secrets have a variable that names a file.
        assert_eq!(
            super::tests::merged(&[], &[("ASSENT_LISTEN_FILE", "/secret")], "")
                .unwrap()
                .text("listen"),
            Some("127.0.0.1:8080")
        );
    }
}

//! The demo: a believable organisation, made by the real acts under a clock of its own.
//!
//! `occurred_at` lies in the past, `recorded_at` is the true time, and one `demo.filled` event comes first.

mod estate;
pub(crate) mod filling;
mod history;
mod house;
mod matrix;
mod organisation;
mod plans;
mod year;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use acts::{Clock, Context, Error, Executor};
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::core::body::Body;
use model::core::ids::PersonId;
use serde_json::Value;
use store::{Lane, Mode};

use crate::identity::password;

/// The first tenant of the demo.
pub const TENANT: &str = "halden";
/// The second, small tenant.
pub const OTHER: &str = "cartwell";
/// How many days of history the demo has at least: its last months consist of individual changes. A demo of so few days has
/// changes alone; the rules of its own, the board, the vendor and the like belong to a longer one.
pub const FEWEST_DAYS: i64 = 92;
/// The most days: quarters, seasons and forecasts show within two years.
pub const MOST_DAYS: i64 = 730;
/// The default number of days.
pub const USUAL_DAYS: i64 = 365;
/// The name of the credentials' file in the data folder.
pub const CREDENTIALS: &str = "demo-credentials.json";

/// Why the demo could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The folder or database holds something else.
    #[error("{0}")]
    Refused(String),
    /// An act failed.
    #[error("the demo could not be filled: {0}")]
    Act(#[from] Error),
    /// A file could not be written.
    #[error("the demo's folder could not be used: {0}")]
    File(#[from] std::io::Error),
    /// A password could not be hashed.
    #[error("the demo's passwords could not be made: {0}")]
    Password(#[from] password::PasswordError),
}

type Result<T> = std::result::Result<T, DemoError>;

/// A clock that stays where it is set.
struct HistoryClock(Mutex<Timestamp>);

impl Clock for HistoryClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An executor in the past: acts occur at its time, and are recorded now.
struct Past {
    executor: Executor,
    clock: Arc<HistoryClock>,
    tenant: &'static str,
}

impl Past {
    fn new(executor: &Executor, tenant: &'static str, at: Timestamp) -> Self {
        let clock = Arc::new(HistoryClock(Mutex::new(at)));
        Self {
            executor: executor.with_clock(clock.clone()),
            clock,
            tenant,
        }
    }

    fn go_to(&self, at: Timestamp) {
        *self.clock.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn pass(&self, minutes: i64) {
        let now = self.clock.now();
        self.go_to(now + SignedDuration::from_mins(minutes));
    }

    fn act<T, A>(&self, actor: Actor, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        Ok(self.executor.wait(Lane::Worker, self.tenant, actor, Mode::Write, act)?)
    }

    fn system<T, A>(&self, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        self.act(Actor::system(), act)
    }

    fn by<T, A>(&self, person: &PersonId, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        self.act(self.actor(person, false), act)
    }

    /// The same with the person's token instead of a session.
    fn by_token<T, A>(&self, person: &PersonId, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        self.act(self.actor(person, true), act)
    }

    fn actor(&self, person: &PersonId, by_token: bool) -> Actor {
        let now = self.clock.now();
        Actor {
            person: person.clone(),
            by_token,
            // The act's own time is cut to the microsecond, so this time is a second earlier to be safe.
            stepped_up_at: Some(now - SignedDuration::from_secs(1)),
            factor: None,
            is_system: false,
            method: if by_token { "token" } else { "password" }.to_owned(),
            lent: None,
            via: None,
        }
    }
}

/// A JSON object as a request's body.
fn body(value: Value) -> Body {
    match value {
        Value::Object(map) => map,
        _ => Body::new(),
    }
}

/// The files that this server itself keeps in a data folder.
const OURS: &[&str] = &[
    "assent.db",
    "assent.db-shm",
    "assent.db-wal",
    "clock.sock",
    "demo-credentials.json",
    "demo-credentials.json.new",
    filling::MARK,
    "evidence",
    "lost+found",
    "master.key",
    "seen-clock",
    "seen-clock.new",
    "seen-logs.json",
    "seen-logs.new",
    "server.lock",
    "uploads",
];
/// The endings of files that people keep beside a server's data: its log, its settings, its certificate.
const BESIDE: &[&str] = &["crt", "env", "err", "key", "log", "out", "pem", "pid", "toml"];
/// The most foreign names in a message.
const NAMED: usize = 5;

/// Refuses a folder with foreign files, before anything is written into the folder: after a mistyped `--data` a demo would
/// appear among other files. A folder in which a server keeps its data already, such as the demo of an earlier start, is
/// checked once the data is open.
///
/// # Errors
/// [`DemoError::Refused`] with the foreign names; a folder that cannot be read.
pub fn check_folder(data_dir: &Path) -> Result<()> {
    let is_known = |name: &str| data_dir.join(name).exists();
    if !is_known("") || is_known("assent.db") || is_known(CREDENTIALS) {
        return Ok(());
    }
    let mut foreign = Vec::new();
    for entry in std::fs::read_dir(data_dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        let is_beside = name.starts_with('.') || ending.is_some_and(|ending| BESIDE.contains(&ending));
        if !OURS.contains(&name.as_str()) && !is_beside {
            foreign.push(format!("`{name}`"));
        }
    }
    if foreign.is_empty() {
        return Ok(());
    }
    foreign.sort();
    let more = foreign.len().saturating_sub(NAMED);
    foreign.truncate(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Err(DemoError::Refused(format!(
        "{} holds other data: {}{more}. Nothing was written. Start the demo over an empty folder: --data with a new folder, such \
         as --data {}",
        data_dir.display(),
        foreign.join(", "),
        data_dir.join("assent-demo").display()
    )))
}

/// Fills an empty store with `days` of history, or opens the demo that exists. Refuses a store with other data. An interrupted
/// filling begins anew at the next start; in a database outside the folder, an operator empties the database first.
///
/// # Errors
/// [`DemoError`].
pub fn fill(
    executor: &Executor,
    tenants: &[String],
    (now, days): (Timestamp, i64),
    server_url: &str,
    data_dir: &Path,
) -> Result<()> {
    if !(FEWEST_DAYS..=MOST_DAYS).contains(&days) {
        return Err(DemoError::Refused(format!(
            "A demo has {FEWEST_DAYS} to {MOST_DAYS} days of history, and {days} are asked for: say another number with --demo-days"
        )));
    }
    let file = data_dir.join(CREDENTIALS);
    let known: Vec<&String> = tenants
        .iter()
        .filter(|tenant| *tenant != store::SYSTEM_TENANT)
        .collect();
    if !known.is_empty() {
        let is_ours = known
            .iter()
            .all(|tenant| tenant.as_str() == TENANT || tenant.as_str() == OTHER);
        return match (is_ours, file.exists()) {
            // The mark remains if the power was cut after the last write.
            (true, true) => Ok(filling::end(data_dir)?),
            (true, false) => Err(DemoError::Refused(format!(
                "The database holds a demo, and {} is not there: either it was interrupted while it was filled, or it was filled \
                 from another folder. Name that folder with --data, or empty the database and start again",
                file.display()
            ))),
            (false, _) => Err(DemoError::Refused(
                "This data folder or database holds other data. Start the demo over an empty one: --data with a new folder"
                    .to_owned(),
            )),
        };
    }
    let is_in_folder = executor.tools().evidence_folder.is_some();
    if is_in_folder {
        filling::begin(data_dir)?;
    }
    let begin = now - SignedDuration::from_hours(24 * FEWEST_DAYS);
    let first = now - SignedDuration::from_hours(24 * days);
    let halden = estate::fill_first(executor, first, now)?;
    let cartwell = estate::fill_second(executor, first)?;
    let has_year = year::fill(executor, &halden, first, begin)?;
    history::fill(executor, &halden, begin)?;
    if has_year {
        organisation::fill(executor, &halden, now)?;
    }
    history::fill_today(executor, &halden, now)?;
    if has_year {
        organisation::fill_agenda(executor, &halden, now)?;
    }
    write_credentials(&file, server_url, &halden, &cartwell)?;
    if is_in_folder {
        filling::end(data_dir)?;
    }
    Ok(())
}

fn write_credentials(file: &Path, server_url: &str, first: &estate::Staff, second: &estate::Staff) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let people: Vec<Value> = first.credentials.iter().chain(&second.credentials).cloned().collect();
    let text =
        serde_json::to_string_pretty(&serde_json::json!({"server": server_url, "people": people})).unwrap_or_default();
    let fresh = file.with_extension("json.new");
    let mut out = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.sync_all()?;
    std::fs::rename(&fresh, file)?;
    filling::sync_folder(file.parent().unwrap_or(Path::new(".")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    /// The message about a folder with these files.
    fn word_on(names: &[&str]) -> String {
        let folder = std::env::temp_dir().join(format!("assent-demo-{}-{}", std::process::id(), names.join("-")));
        std::fs::create_dir_all(&folder).unwrap();
        for name in names {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        let word = check_folder(&folder).map_or_else(|error| error.to_string(), |()| "fits".to_owned());
        std::fs::remove_dir_all(&folder).unwrap();
        word
    }

    #[test]
    fn a_demo_goes_into_an_empty_folder_or_its_own() {
        assert_eq!(word_on(&[]), "fits");
        assert!(check_folder(Path::new("/nowhere/at/all")).is_ok(), "it is made then");
        // The files that an interrupted start, a shell, a disk and a supervisor leave.
        assert_eq!(
            word_on(&[
                "master.key",
                "server.lock",
                ".tmp4711",
                "lost+found",
                "server.log",
                "assent.toml"
            ]),
            "fits"
        );
        // The owner of that data shows once the store is open.
        assert_eq!(word_on(&["assent.db", "notes.txt"]), "fits");
        assert_eq!(word_on(&["demo-credentials.json", "notes.txt"]), "fits");
    }

    #[test]
    fn a_folder_with_other_files_is_refused_with_their_names() {
        let told = word_on(&["thesis.odt", "budget.ods"]);
        assert!(
            told.contains("holds other data: `budget.ods`, `thesis.odt`. Nothing was written."),
            "{told}"
        );
        assert!(told.contains("--data with a new folder, such as --data /"), "{told}");
        let told = word_on(&["a", "b", "c", "d", "e", "f", "g"]);
        assert!(told.contains("`e` and 2 more."), "{told}");
    }
}

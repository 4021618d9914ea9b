//! The demo: a believable organisation, made by the real acts under a clock of its own.
//!
//! `occurred_at` lies in the past, `recorded_at` is the true time, and one `demo.filled` event comes first.

mod estate;
mod history;
mod matrix;
mod plans;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use acts::desk::{Clock, Desk};
use acts::{Error, Room};
use jiff::{SignedDuration, Timestamp};
use model::file::Actor;
use model::ids::PersonId;
use model::verbs::Body;
use serde_json::Value;
use store::{Lane, Mode};

/// The first tenant of the demo.
pub const TENANT: &str = "halden";
/// The second, small one.
pub const OTHER: &str = "cartwell";
/// Where the credentials stand, inside the data folder.
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
    #[error("the demo's credentials could not be written: {0}")]
    File(#[from] std::io::Error),
    /// A password could not be hashed.
    #[error("the demo's passwords could not be made: {0}")]
    Password(#[from] crate::password::PasswordError),
}

type Result<T> = std::result::Result<T, DemoError>;

/// A clock that stands where it is put.
struct HistoryClock(Mutex<Timestamp>);

impl Clock for HistoryClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A desk in the past: acts occur when it says, and are recorded now.
struct Past {
    desk: Desk,
    clock: Arc<HistoryClock>,
    tenant: &'static str,
}

impl Past {
    fn new(desk: &Desk, tenant: &'static str, at: Timestamp) -> Self {
        let clock = Arc::new(HistoryClock(Mutex::new(at)));
        Self {
            desk: desk.with_clock(clock.clone()),
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
        A: Fn(&mut Room<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        Ok(self.desk.wait(Lane::Worker, self.tenant, actor, Mode::Write, act)?)
    }

    fn system<T, A>(&self, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Room<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        self.act(Actor::system(), act)
    }

    fn by<T, A>(&self, person: &PersonId, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Room<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        let now = self.clock.now();
        let actor = Actor {
            person: person.clone(),
            by_token: false,
            stepped_up_at: Some(now),
            factor: None,
            is_system: false,
            method: "password".to_owned(),
            lent: None,
        };
        self.act(actor, act)
    }
}

/// A JSON object as a request's body.
fn body(value: Value) -> Body {
    match value {
        Value::Object(map) => map,
        _ => Body::new(),
    }
}

/// Fills an empty store, or opens the demo that stands there. Refuses a store with other data.
///
/// # Errors
/// [`DemoError`].
pub fn fill(desk: &Desk, tenants: &[String], now: Timestamp, server_url: &str, data_dir: &Path) -> Result<()> {
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
            (true, true) => Ok(()),
            (true, false) => Err(DemoError::Refused(
                "This demo was interrupted while it was filled. Remove the data folder and start again".to_owned(),
            )),
            (false, _) => Err(DemoError::Refused(
                "This data folder or database holds other data. Start the demo over an empty one: --data with a new folder"
                    .to_owned(),
            )),
        };
    }
    let begin = now - SignedDuration::from_hours(24 * 92);
    let halden = estate::fill_first(desk, begin)?;
    let cartwell = estate::fill_second(desk, begin)?;
    history::fill(desk, &halden, begin, now)?;
    write_credentials(&file, server_url, &halden, &cartwell)?;
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
    Ok(())
}

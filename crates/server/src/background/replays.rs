//! The thread that replays every log once a day. Writes into the database past the server are found by the next morning, and
//! each log shows the time and the outcome of its last comparison.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::audit::note_replay::note_replay;
use acts::audit::replay_log::{Progress, ReplayReport, replay_log};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use store::{CrossTx, Lane, Mode, SYSTEM_TENANT};

use crate::background::sequencer::{log_fault, pause};
use crate::http::settings::Settings;
use crate::http::state::AppState;
use crate::start::open_store;

/// How often it looks whether the hour has come.
const LOOK: Duration = Duration::from_secs(1);
/// When a comparison that could not be made is tried again.
const RETRY: SignedDuration = SignedDuration::from_mins(10);
/// How many differences of a log or of the storage the server's log names.
const NAMED: usize = 20;

/// Starts the thread, where the operator wants it. The thread ends when the notifier dismisses it.
pub(crate) fn start(settings: &Settings, state: &AppState) -> std::io::Result<Option<JoinHandle<()>>> {
    let Some(at) = settings.replay_at else { return Ok(None) };
    let bell = state.bells().until_dismissed();
    let mut replays = Replays {
        next: next_after(state.executor().tools().recorder.now(), at),
        state: state.clone(),
        settings: settings.clone(),
        at,
    };
    let thread = Builder::new().name("replays".to_owned()).spawn(move || {
        while pause(&bell, LOOK) {
            replays.look();
        }
    })?;
    Ok(Some(thread))
}

/// The first moment after another at which a UTC clock shows this time of day.
fn next_after(after: Timestamp, at: Time) -> Timestamp {
    const DAY: SignedDuration = SignedDuration::from_hours(24);
    let today = after.to_zoned(TimeZone::UTC).date().to_datetime(at);
    match today.to_zoned(TimeZone::UTC).map(|it| it.timestamp()) {
        Ok(today) if today > after => today,
        Ok(today) => today.saturating_add(DAY).unwrap_or(today),
        Err(_) => after.saturating_add(DAY).unwrap_or(after),
    }
}

struct Replays {
    state: AppState,
    settings: Settings,
    at: Time,
    next: Timestamp,
}

impl Replays {
    fn look(&mut self) {
        let now = self.state.executor().tools().recorder.now();
        // A clock that was set back keeps nothing waiting for longer than a day.
        self.next = self.next.min(next_after(now, self.at));
        if now < self.next {
            return;
        }
        self.next = match self.replay_all() {
            Some((differences, is_whole)) => {
                self.state.metrics().note_replay(differences, is_whole.then_some(now));
                next_after(now, self.at)
            }
            None => now + RETRY,
        };
    }

    /// Compares everything. Returns the number of differences, and whether the storage was compared too, which needs rights
    /// that a database role may lack. Nothing when a log was not read to its end.
    fn replay_all(&self) -> Option<(usize, bool)> {
        let of_storage = self.look_at_storage();
        let mut differences = of_storage.unwrap_or_default();
        for tenant in self.tenants()? {
            differences += self.replay(&tenant)?;
        }
        Some((differences, of_storage.is_some()))
    }

    /// The storage itself: the SQLite file, the schema, rows of no tenant. None of it is any tenant's.
    fn look_at_storage(&self) -> Option<usize> {
        let found = open_store::find_damage(&self.settings);
        let mut damage = found
            .inspect_err(|error| tracing::error!(%error, "the storage could not be compared"))
            .ok()?;
        let look = |tx: &mut CrossTx<'_>| Ok(store::damage::strays(tx)?);
        let executor = self.state.executor();
        let strays = executor.wait_across(Lane::Pages, "which rows belong to no tenant", Mode::Read, look);
        damage.extend(log_fault(strays, "looking for rows of no tenant")?);
        for found in damage.iter().take(NAMED) {
            tracing::error!(
                table = found.table,
                id = found.id,
                what = found.what,
                "the storage is damaged"
            );
        }
        Some(damage.len())
    }

    fn tenants(&self) -> Option<Vec<String>> {
        let look = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let executor = self.state.executor();
        let found = executor.wait_across(Lane::Worker, "which logs are to be replayed", Mode::Read, look);
        let mut tenants = log_fault(found, "looking for logs to replay")?;
        if !tenants.iter().any(|it| it == SYSTEM_TENANT) {
            tenants.push(SYSTEM_TENANT.to_owned());
        }
        Some(tenants)
    }

    /// Replays one log and records the result in it. A storage that cannot be read to its end counts as a difference.
    fn replay(&self, tenant: &str) -> Option<usize> {
        let bells = self.state.bells().clone();
        let progress: Progress = Arc::new(move |_, _| !bells.is_stopping());
        let report = match replay_log(self.state.executor(), tenant, &progress) {
            Ok(report) => report,
            Err(acts::Error::Store(store::Error::Corrupt(why))) => {
                tracing::error!(
                    tenant,
                    why,
                    "the replay of a log ended where the storage cannot be read"
                );
                return Some(1);
            }
            Err(_) if self.state.bells().is_stopping() => return None,
            Err(error) => return log_fault(Err(error), "replaying a log"),
        };
        let differences = report.findings.len();
        // The finding's content may be anybody's text, which has no place in the server's log.
        for found in report.findings.iter().take(NAMED) {
            tracing::error!(tenant, place = found.place(), "a stored row is not what the log says");
        }
        tracing::info!(
            tenant,
            differences,
            events = report.events,
            records = report.records,
            "a log was replayed"
        );
        self.note(tenant, report);
        Some(differences)
    }

    /// The figures and the server's log show the differences even if the event cannot be written.
    fn note(&self, tenant: &str, report: ReplayReport) {
        let act = move |cx: &mut acts::Context<'_, '_>| note_replay(cx, &report);
        let noted = self
            .state
            .executor()
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act);
        if log_fault(noted, "noting the replay of a log").is_some() {
            self.state.bells().ring(tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn it_is_due_once_a_day() {
        let at = Time::constant(2, 30, 0, 0);
        for (after, next) in [
            ("2026-11-26T02:29:59Z", "2026-11-26T02:30:00Z"),
            ("2026-11-26T02:30:00Z", "2026-11-27T02:30:00Z"),
            ("2026-12-31T23:00:00Z", "2027-01-01T02:30:00Z"),
        ] {
            assert_eq!(next_after(after.parse().unwrap(), at).to_string(), next, "{after}");
        }
    }
}

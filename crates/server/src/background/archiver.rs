//! The thread that moves changes into the archive as the tenants' retention requires, and notes how much the archive holds.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::compliance::archive_changes::archive_round;
use jiff::{SignedDuration, Timestamp};
use store::compliance::archive;
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{REST, log_fault, pause};
use crate::http::state::AppState;

/// How often it looks at the clock.
const LOOK: Duration = Duration::from_secs(1);
/// How often the tenants are gone through when there is nothing left to move; at once where a round moved something.
const ROUND: SignedDuration = SignedDuration::from_mins(10);

/// Starts the archiver. It ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let mut archiver = Archiver {
        state: state.clone(),
        went_at: None,
    };
    Builder::new().name("archiver".to_owned()).spawn(move || {
        let mut longest = Duration::ZERO;
        while pause(&bell, longest) {
            longest = if archiver.look() { LOOK } else { REST };
        }
    })
}

struct Archiver {
    state: AppState,
    /// When a round last found nothing to move.
    went_at: Option<Timestamp>,
}

impl Archiver {
    /// Goes through the tenants when it is time; returns whether the store was available.
    fn look(&mut self) -> bool {
        let now = self.state.executor().tools().recorder.now();
        if self.went_at.is_some_and(|at| now.duration_since(at).abs() < ROUND) {
            return true;
        }
        let find = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let executor = self.state.executor();
        let tenants = executor.wait_across(Lane::Worker, "whose changes are archived", Mode::Read, find);
        let Some(tenants) = log_fault(tenants, "looking whose changes are archived") else {
            return false;
        };
        let mut moved = 0;
        for tenant in &tenants {
            if self.state.bells().is_stopping() {
                return true;
            }
            // A failing archive of one tenant delays no other tenant, and is tried again in the next round.
            moved += log_fault(archive_round(executor, tenant), "moving changes into the archive").unwrap_or(0);
        }
        self.went_at = (moved == 0).then_some(now);
        self.note()
    }

    /// Notes how much the archive holds.
    fn note(&self) -> bool {
        let sums = |tx: &mut CrossTx<'_>| Ok(archive::sums(tx)?);
        let executor = self.state.executor();
        let sums = executor.wait_across(Lane::Worker, "how much is archived", Mode::Read, sums);
        let Some(sums) = log_fault(sums, "looking how much is archived") else {
            return false;
        };
        self.state.metrics().note_archive(&sums);
        true
    }
}

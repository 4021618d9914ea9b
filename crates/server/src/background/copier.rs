//! The thread that keeps the running copy of the embedded database.

use std::collections::BTreeMap;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use store::copying::{Copied, Copier};

use crate::background::sequencer::{REST, log_fault, pause};
use crate::http::settings::Settings;
use crate::http::state::AppState;
use crate::start::bucket::CopyPlace;
use crate::start::running_copy::{epoch, freeze, marks};
use crate::start::serve_error::ServeError;

/// How often new data is copied: the loss of the host loses at most the data since the last round.
const ROUND: Duration = Duration::from_millis(500);
/// The same for a bucket, where each round costs two calls or more.
const BUCKET_ROUND: Duration = Duration::from_millis(1_500);

/// Starts the thread where a copy is kept. It ends when the notifier dismisses it, after a last round.
pub(crate) fn start(settings: &Settings, state: &AppState) -> Result<Option<JoinHandle<()>>, ServeError> {
    let now = state.executor().tools().recorder.now();
    let (Some(place), Some(epoch)) = (&settings.copy_to, epoch(settings, now)?) else {
        return Ok(None);
    };
    let rest = match place {
        CopyPlace::Folder(_) => ROUND,
        CopyPlace::Bucket(_) => BUCKET_ROUND,
    };
    let place = place.open(settings.outgoing_ca.as_deref())?;
    let mut copier = state.executor().tools().store.copier(&place, epoch)?;
    let (state, bell) = (state.clone(), state.bells().until_dismissed());
    let thread = Builder::new().name("copier".to_owned()).spawn(move || {
        let mut longest = Duration::ZERO;
        while pause(&bell, longest) {
            match round(&mut copier, &state) {
                Some(Copied::Whole) => longest = rest,
                Some(Copied::Fenced(_)) => return,
                None => longest = REST,
            }
        }
        round(&mut copier, &state);
    })?;
    Ok(Some(thread))
}

fn round(copier: &mut Copier, state: &AppState) -> Option<Copied> {
    let tools = state.executor().tools();
    let now = tools.recorder.now();
    // The logs' sizes are read before the copy is made, so the copy contains at least the sizes that it records.
    let tenants = tools.seen_logs.tenants();
    let seen = tenants.into_iter().filter_map(|tenant| {
        let log = tools.seen_logs.seen(&tenant)?;
        Some((tenant, log))
    });
    let logs: BTreeMap<_, _> = seen.collect();
    let copied = copier.step(marks(&logs), &|| tools.recorder.now());
    let copied = log_fault(copied.map_err(acts::Error::from), "keeping the running copy")?;
    match &copied {
        Copied::Whole => state.metrics().note_copied(now),
        Copied::Fenced(fence) => {
            let why = format!("the host {} took over at {}; use that one", fence.host, fence.at);
            tracing::error!(why, "the data is read-only");
            freeze(state.executor(), &why);
        }
    }
    Some(copied)
}

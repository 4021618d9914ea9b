//! Makes changes record an incident that began in their watch window, whatever their kind, also after their closing.

use jiff::Timestamp;
use model::change::record::Change;
use model::change::settle;
use model::core::enums::State;
use model::directory::snapshot::Incident;
use model::incident::watch;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most closed changes that are examined, the newest first.
const MOST_CLOSED: i64 = 5_000;

/// Makes every change record the incident if it began in the change's watch window.
///
/// # Errors
/// The store's.
pub(crate) fn note(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<()> {
    if incident.services.is_empty() {
        return Ok(());
    }
    let directory = cx.directory()?;
    let under_way = Filter::new()
        .one_of("state", [State::Implementing, State::Reviewing].map(State::as_str))
        .order_by("number");
    let mut found = record::bodies::<Change>(cx.tx, &under_way)?;
    // A closed change was saved after its work ended, so an older one is no longer watched.
    let since = incident.started_at.checked_sub(watch::longest(&directory));
    let closed = Filter::new()
        .also_one_of("state", [State::Closed.as_str()])
        .at_least("updated_at", since.unwrap_or(Timestamp::MIN))
        .descending_by("updated_at")
        .limit(MOST_CLOSED);
    found.extend(record::bodies::<Change>(cx.tx, &closed)?);
    let is_new = |change: &Change| {
        let mut noted = change.watch_incidents.iter();
        watch::is_in_watch(change, &directory, incident) && !noted.any(|row| row.incident == incident.key)
    };
    for change in found.into_iter().filter(is_new) {
        cx.as_system(|cx| {
            cx.on_change(change.id.as_str(), |case| {
                watch::collect(case);
                // A wave that an incident stops is stopped at once, and not with the next report.
                if case.change().state.is_open() {
                    settle::settle(case);
                }
                Ok(())
            })
        })?;
    }
    Ok(())
}

//! The changes that are at work or in their watch window at an instant.

use jiff::Timestamp;
use model::change::record::Change;
use model::core::enums::State;
use model::directory::snapshot::Directory;
use model::incident::watch;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most closed changes that are examined, the newest first.
const MOST_CLOSED: i64 = 10_000;

/// The changes with an instant in their work or watch.
///
/// # Errors
/// The store's.
pub(crate) fn watched_at(cx: &mut Context<'_, '_>, at: Timestamp) -> Result<Vec<Change>> {
    let directory = cx.directory()?;
    let under_way = Filter::new()
        .one_of("state", [State::Implementing, State::Reviewing].map(State::as_str))
        .order_by("number");
    let mut found = record::bodies::<Change>(cx.tx, &under_way)?;
    // A closed change was saved after its work ended, so an older one is no longer watched.
    let since = at.checked_sub(watch::longest(&directory)).unwrap_or(Timestamp::MIN);
    let closed = Filter::new()
        .also_one_of("state", [State::Closed.as_str()])
        .at_least("updated_at", since)
        .descending_by("updated_at")
        .limit(MOST_CLOSED);
    found.extend(record::bodies::<Change>(cx.tx, &closed)?);
    found.retain(|change| is_watched(change, &directory, at));
    Ok(found)
}

/// Whether an instant falls into the work or the watch of a change.
pub(crate) fn is_watched(change: &Change, directory: &Directory, at: Timestamp) -> bool {
    let Some((from, until)) = watch::watch_span(change, directory) else {
        return false;
    };
    // Many senders report whole seconds only.
    from.as_second() <= at.as_second() && until.is_none_or(|until| at <= until)
}

//! Polls outside systems for deployments that no delivery reported, every few minutes since their connection was made. The
//! results are applied like deliveries.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::change::ready_spans;
use model::change::related_records::Deployment;
use model::directory::snapshot::Connection;
use model::integration::signal::Signal;
use store::integration::call;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::{connections, secrets};
use crate::integration::take_delivery;
use crate::integration::told_deployment::outcome_of;

/// The kind of these calls. Their subject is the connection and, in microseconds, since when it is there.
const LOOK: &str = "deployments_read";
/// How often the outside system is polled.
const EVERY: SignedDuration = SignedDuration::from_mins(4);
/// The newest deployments of a connection, of which is known whether they have ended.
const REMEMBERED: i64 = 1_000;

/// Whether a call is of this kind.
#[must_use]
pub fn is_call(kind: &str) -> bool {
    kind == LOOK
}

fn is_polled(connection: &Connection) -> bool {
    connection.active && matches!(connection.kind.as_str(), "github" | "gitlab") && connection.api.is_some()
}

/// Queues the first poll of a new connection.
///
/// # Errors
/// The store's.
pub(crate) fn begin(cx: &mut Context<'_, '_>, connection: &Connection) -> Result<()> {
    if !is_polled(connection) {
        return Ok(());
    }
    let subject = format!("{}/{}", connection.id, cx.now.as_microsecond());
    queue_next_poll(cx, &subject, &[])
}

/// Whether this connection should be polled and has no call in the queue.
///
/// # Errors
/// The store's.
pub(crate) fn is_lacking(cx: &mut Context<'_, '_>, connection: &Connection) -> Result<bool> {
    Ok(is_polled(connection) && !call::waits(cx.tx, LOOK, connection.id.as_str())?)
}

/// Queues the next poll: of the remaining repositories at once, of all in a few minutes.
///
/// # Errors
/// The store's.
pub fn queue_next_poll(cx: &mut Context<'_, '_>, subject: &str, left: &[String]) -> Result<()> {
    let id = cx.new_id()?;
    let at = if left.is_empty() { cx.now + EVERY } else { cx.now };
    Ok(call::insert_rest(cx.tx, &id, (LOOK, subject), &left.join("\n"), at)?)
}

/// The data for the call.
pub struct Errand {
    /// The connection to poll; of its map, only the remaining part.
    pub connection: Connection,
    /// The credential.
    pub credential: String,
    /// Older deployments do not belong here, or are too old to be judged.
    pub since: Timestamp,
    /// The natural keys of ended deployments.
    pub ended: BTreeSet<String>,
}

/// Loads the data for the call; `None` when there is nothing to poll any more. `left` names the repositories that an earlier
/// round has left, one a line; empty means all.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn errand(cx: &mut Context<'_, '_>, subject: &str, left: &str) -> Result<Option<Errand>> {
    let (id, began) = subject.split_once('/').unwrap_or((subject, ""));
    let mut connection = connections::connection(cx, id)?;
    if !is_polled(&connection) {
        return Ok(None);
    }
    if !left.is_empty() {
        connection
            .map
            .retain(|row| left.lines().any(|name| name == row.repository));
    }
    let name = secrets::credential_name(id);
    let bytes = secrets::open(cx, &name)?.unwrap_or_default();
    let began = began
        .parse()
        .ok()
        .and_then(|micros| Timestamp::from_microsecond(micros).ok());
    let since = began.unwrap_or(cx.now).max(cx.now - ready_spans::LATE);
    let filter = Filter::new()
        .equals("connection", id)
        .descending_by("id")
        .limit(REMEMBERED);
    let rows = record::find::<Deployment>(cx.tx, &filter)?;
    let has_ended = |it: &Deployment| it.status.as_deref().and_then(outcome_of).is_some();
    let ended = rows
        .into_iter()
        .map(|stored| stored.record)
        .filter(has_ended)
        .map(|it| it.natural_key);
    Ok(Some(Errand {
        connection,
        credential: String::from_utf8_lossy(&bytes).into_owned(),
        since,
        ended: ended.collect(),
    }))
}

/// Applies the results.
///
/// # Errors
/// The store's.
pub fn take(cx: &mut Context<'_, '_>, subject: &str, signals: &[Signal]) -> Result<()> {
    let (id, _) = subject.split_once('/').unwrap_or((subject, ""));
    for signal in signals {
        take_delivery::take_signal(cx, id, signal)?;
    }
    Ok(())
}

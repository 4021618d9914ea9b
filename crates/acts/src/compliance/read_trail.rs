//! Reads the log for reports: leaves are fetched here while another thread parses and folds those before, and the trail of a
//! long log is kept, so that the next look at the same report reads only what was added.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use jiff::Timestamp;
use model::compliance::change_trail::{ChangeTrail, Leaf};
use model::compliance::control_report::LogPosition;
use model::core::refusal::Refusal;
use proof::crypto;
use proof::note::{Checkpoint, Note};
use store::audit::event::{self, Event};
use store::audit::log;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::services::KeptTrail;

/// How many events are read at once: two bundles of the log.
const BATCH: i64 = 512;
/// So many bytes of events are handed to the thread that folds them at once, and so many such batches may wait for it.
const BATCH_BYTES: usize = 1 << 20;
const AHEAD: usize = 4;
/// How long a person waits for their turn.
const PATIENCE: Duration = Duration::from_secs(15);
/// The seconds of a day.
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// What a leaf has whose deltas are kept beside it.
const BESIDE: &str = "\"records_digest\":\"";

/// The reading of a leaf from its bytes.
type Read = fn(&[u8]) -> serde_json::Result<Leaf>;

/// Looks at the trail of the log up to a position, with all that a report on a span from `since` on needs; from the beginning
/// if that is `None`.
///
/// # Errors
/// [`Error::NotYet`] while another act reads a long log, and in an act that writes; the store's, or a fault of the log.
pub(crate) fn with_trail<T>(
    cx: &mut Context<'_, '_>,
    position: &LogPosition,
    since: Option<Timestamp>,
    look: impl FnOnce(&ChangeTrail) -> T,
) -> Result<T> {
    // The trail from an earlier time has all that a later one has. Reports up to now begin at another moment each time.
    let since = since.map(day_of);
    let services = cx.services;
    if !services.trails().is_long(position.size) {
        let mut trail = since.map_or_else(ChangeTrail::default, ChangeTrail::since);
        read_on(cx, &mut trail, 0, position)?;
        return Ok(look(&trail));
    }
    let not_yet = || Error::NotYet("another report is reading the log; ask again in half a minute".to_owned());
    // The one thread that writes must not read a long log.
    if cx.writes {
        return Err(not_yet());
    }
    let patience = if cx.actor.is_system { Duration::ZERO } else { PATIENCE };
    let mut turn = services.trails().begin(patience).ok_or_else(not_yet)?;
    let tenant = cx.tenant();
    let known = turn.take(&tenant, since, position.size);
    let known = match known {
        Some(kept) if is_of_this_log(cx, &kept.position)? => Some(kept),
        _ => None,
    };
    let (mut trail, from, since) = match known {
        Some(kept) => (kept.trail, kept.position.size, kept.since),
        None => (since.map_or_else(ChangeTrail::default, ChangeTrail::since), 0, since),
    };
    read_on(cx, &mut trail, from, position)?;
    let found = look(&trail);
    let position = position.clone();
    turn.keep(KeptTrail {
        tenant,
        since,
        position,
        at: cx.now,
        trail,
    });
    Ok(found)
}

/// The beginning of a moment's day, in UTC.
fn day_of(at: Timestamp) -> Timestamp {
    let days = at.as_second().div_euclid(DAY_SECONDS);
    Timestamp::from_second(days * DAY_SECONDS).unwrap_or(at)
}

/// The present end of the log, or the checkpoint of the requested size.
pub(crate) fn position(cx: &mut Context<'_, '_>, size: Option<i64>) -> Result<LogPosition> {
    let Some(size) = size else {
        return Ok(match log::state(cx.tx)? {
            Some(state) => LogPosition {
                size: u64::try_from(state.size).unwrap_or_default(),
                root: state.root,
            },
            None => LogPosition {
                size: 0,
                root: String::new(),
            },
        });
    };
    let next = log::checkpoints(cx.tx, size.saturating_sub(1), 1)?.into_iter().next();
    match next {
        Some(found) if found.size == size => {
            let checkpoint = Checkpoint::parse(&Note::parse(&found.note)?.text)?;
            Ok(LogPosition {
                size: checkpoint.size,
                root: crypto::hash_text(&checkpoint.root),
            })
        }
        found => {
            let near = found.map_or_else(String::new, |it| format!(" The next one has the size {}.", it.size));
            let text = format!("The log has no checkpoint of the size {size}.{near}");
            Err(Refusal::field("size", "no_checkpoint", text).into())
        }
    }
}

/// Whether the log still had this root at this size: after a restore it may be another log.
fn is_of_this_log(cx: &mut Context<'_, '_>, kept: &LogPosition) -> Result<bool> {
    let size = i64::try_from(kept.size).ok();
    match position(cx, size) {
        Ok(found) => Ok(found == *kept),
        Err(Error::Refused(_) | Error::Proof(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

fn read_on(cx: &mut Context<'_, '_>, trail: &mut ChangeTrail, from: u64, to: &LogPosition) -> Result<()> {
    read_span(cx, (from, to.size), Leaf::read_slim, |index, leaf| {
        trail.take(index, leaf)
    })
}

/// Reads the leaves of the log up to a position, in the order of their indexes.
///
/// # Errors
/// The store's, or a fault of the log.
pub(crate) fn read_leaves(
    cx: &mut Context<'_, '_>,
    position: &LogPosition,
    read: Read,
    take: impl FnMut(u64, Leaf) + Send,
) -> Result<()> {
    read_span(cx, (0, position.size), read, take)
}

fn read_span(
    cx: &mut Context<'_, '_>,
    (from, to): (u64, u64),
    read: Read,
    take: impl FnMut(u64, Leaf) + Send,
) -> Result<()> {
    let whole = |index: u64| i64::try_from(index).unwrap_or(i64::MAX);
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(AHEAD);
        let folding = scope.spawn(move || fold(&receive, read, take));
        let fetched = fetch(cx, (whole(from), whole(to)), &send);
        drop(send);
        let folded = folding.join();
        folded.map_err(|_| Error::Fault("the reading of the log ended in a panic".to_owned()))??;
        fetched
    })
}

/// A leaf's bytes and index, and its deltas where they are kept beside it.
struct Fetched {
    index: u64,
    id: String,
    bytes: Vec<u8>,
    beside: Vec<(String, Vec<u8>)>,
}

impl Fetched {
    fn len(&self) -> usize {
        let beside = self.beside.iter().map(|(_, payload)| payload.len());
        self.bytes.len() + beside.sum::<usize>()
    }
}

/// Fetches events; stops early when nobody takes them any more.
fn fetch(cx: &mut Context<'_, '_>, (mut from, to): (i64, i64), send: &SyncSender<Vec<Fetched>>) -> Result<()> {
    while from < to {
        let events = event::page(cx.tx, from, BATCH.min(to - from))?;
        if events.is_empty() {
            return Err(Error::Fault(format!("the log has no event {from}")));
        }
        from += i64::try_from(events.len()).unwrap_or(BATCH);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for event in events {
            let one = fetched(cx, event)?;
            bytes += one.len();
            batch.push(one);
            if bytes >= BATCH_BYTES {
                bytes = 0;
                if send.send(std::mem::take(&mut batch)).is_err() {
                    return Ok(());
                }
            }
        }
        if send.send(batch).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The deltas that are kept beside a leaf, each with its digest.
fn beside(cx: &mut Context<'_, '_>, event: &Event) -> Result<Vec<(String, Vec<u8>)>> {
    match std::str::from_utf8(&event.bytes).is_ok_and(|text| text.contains(BESIDE)) {
        true => Ok(event::payloads(cx.tx, &event.id)?),
        false => Ok(Vec::new()),
    }
}

fn fetched(cx: &mut Context<'_, '_>, event: Event) -> Result<Fetched> {
    Ok(Fetched {
        index: event.seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or_default(),
        beside: beside(cx, &event)?,
        id: event.id,
        bytes: event.bytes,
    })
}

fn fold(batches: &Receiver<Vec<Fetched>>, read: Read, mut take: impl FnMut(u64, Leaf)) -> Result<()> {
    for one in batches.iter().flatten() {
        take(one.index, parse(&one.id, &one.bytes, &one.beside, read)?);
    }
    Ok(())
}

/// The leaf of an event, with the deltas that are kept beside it.
pub(crate) fn leaf(cx: &mut Context<'_, '_>, event: &Event, read: Read) -> Result<Leaf> {
    let beside = beside(cx, event)?;
    parse(&event.id, &event.bytes, &beside, read)
}

fn parse(id: &str, bytes: &[u8], beside: &[(String, Vec<u8>)], read: Read) -> Result<Leaf> {
    let unreadable = |error: serde_json::Error| Error::Fault(format!("event {id} cannot be read: {error}"));
    let mut leaf = read(bytes).map_err(unreadable)?;
    let Some(digest) = leaf.records_digest() else {
        return Ok(leaf);
    };
    let payload = beside.iter().find(|(found, _)| found == digest);
    let (_, payload) = payload.ok_or_else(|| Error::Fault(format!("the deltas beside event {id} are gone")))?;
    leaf.put_records(payload).map_err(unreadable)?;
    Ok(leaf)
}

//! Places events in the tenant's log: one step of the sequencer.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use model::file::Actor;
use proof::event::payload_path;
use proof::note::Checkpoint;
use proof::tile::{self, Appended, TileName};
use serde::Deserialize;
use store::event::{self, Event, RecordRef};
use store::log::{self, Advance, LogState};
use store::{Lane, Mode};

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::log_tiles::{StoredTiles, cosigning_time, signed, trusted, width_at};
use crate::room::Room;

/// How many events a step looks at first.
const BATCH: i64 = 1_000;

/// How many it looks at when none of the first can be placed yet.
const WIDEST_BATCH: i64 = 64_000;

/// For how long a server keeps the pen after a step. When it ends, another takes over after so long.
const LEASE: Duration = Duration::from_secs(5);

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequenced {
    /// The log's size before: the index of the first event that was placed.
    pub from: u64,
    /// The log's size now. Events `from..to` were placed; all of them are final.
    pub to: u64,
    /// Whether this server took the pen. When not, nothing waited, or another one places the events.
    pub has_pen: bool,
}

/// Places waiting events, at most a batch. All of it is one transaction, so that a crash leaves all or nothing. `holder`
/// names the calling server; while another one holds the pen nothing happens.
///
/// # Errors
/// A fault when what is stored is not what was signed: then nothing is signed over it. Else the store's.
pub fn sequence_events(desk: &Desk, tenant: &str, holder: &str) -> Result<Sequenced> {
    let waiting = desk.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, |room| {
        let size = log::state(room.tx)?.map_or(0, |state| state.size);
        let is_idle = event::unsequenced(room.tx, 1)?.is_empty();
        Ok((is_idle, size))
    });
    if let (true, size) = waiting? {
        let size = u64::try_from(size).unwrap_or_default();
        return Ok(Sequenced {
            from: size,
            to: size,
            has_pen: false,
        });
    }
    let holder = holder.to_owned();
    desk.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, move |room| {
        step(room, &holder)
    })
}

/// Lays the pen down: a server that ends in good order leaves nobody waiting until its lease has run out.
///
/// # Errors
/// The store's.
pub fn lay_down_pen(desk: &Desk, tenant: &str, holder: &str) -> Result<()> {
    let holder = holder.to_owned();
    desk.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, move |room| {
        Ok(log::lay_down(room.tx, &holder)?)
    })
}

fn step(room: &mut Room<'_, '_>, holder: &str) -> Result<Sequenced> {
    let until = room.recorded_at + LEASE;
    let Some(state) = log::take(room.tx, room.recorded_at, until, holder)? else {
        let state = crate::log_tiles::log_state(room)?;
        let size = u64::try_from(state.size).unwrap_or_default();
        return Ok(Sequenced {
            from: size,
            to: size,
            has_pen: false,
        });
    };
    let from = u64::try_from(state.size).unwrap_or_default();
    let events = next_events(room)?;
    if events.is_empty() {
        return Ok(Sequenced {
            from,
            to: from,
            has_pen: true,
        });
    }
    let to = place(room, state, &events)?;
    Ok(Sequenced {
        from,
        to,
        has_pen: true,
    })
}

/// The next events in the order of the log. A batch of which none can be placed yet, since their predecessors lie beyond
/// it, is widened.
fn next_events(room: &mut Room<'_, '_>) -> Result<Vec<Event>> {
    let mut limit = BATCH;
    loop {
        let found = event::unsequenced(room.tx, limit)?;
        let is_all = i64::try_from(found.len()).is_ok_and(|count| count < limit);
        let blocked = if is_all {
            BTreeSet::new()
        } else {
            blocked(room, &found)?
        };
        let ordered = in_order(found, &blocked);
        if is_all || !ordered.is_empty() || limit >= WIDEST_BATCH {
            return Ok(ordered);
        }
        limit *= 8;
    }
}

/// Events of a batch that must wait for one outside of it.
fn blocked(room: &mut Room<'_, '_>, found: &[(Event, Vec<RecordRef>)]) -> Result<BTreeSet<String>> {
    let inside: BTreeSet<&str> = found.iter().map(|(event, _)| event.id.as_str()).collect();
    let made: BTreeSet<(&str, &str, i64)> = found
        .iter()
        .flat_map(|(_, records)| records.iter().map(|it| (it.table.as_str(), it.id.as_str(), it.version)))
        .collect();
    let mut blocked = BTreeSet::new();
    for (event, records) in found {
        for record in records {
            // Where the version before stands in the batch, the order within it sees to this one. A gap may lie anywhere, not
            // only before the first version of the batch: ids follow the clocks of several servers.
            let before = record.version - 1;
            if before == 0 || made.contains(&(record.table.as_str(), record.id.as_str(), before)) {
                continue;
            }
            let earlier = event::earlier_unsequenced(room.tx, record)?;
            if earlier.iter().any(|id| !inside.contains(id.as_str())) {
                blocked.insert(event.id.clone());
            }
        }
    }
    Ok(blocked)
}

/// Orders events so that a record's version n stands before n + 1, and by id where that leaves a choice. Blocked ones and
/// all that follow from them are left out.
pub(crate) fn in_order(found: Vec<(Event, Vec<RecordRef>)>, blocked: &BTreeSet<String>) -> Vec<Event> {
    let maker: HashMap<RecordRef, usize> = found
        .iter()
        .enumerate()
        .flat_map(|(at, (_, records))| records.iter().map(move |record| (record.clone(), at)))
        .collect();
    let mut waits = vec![0_usize; found.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); found.len()];
    for (record, &at) in &maker {
        // The last earlier version that still waits; versions in between have their place already or were lost.
        let before = RecordRef {
            version: record.version - 1,
            ..record.clone()
        };
        if let Some(&earlier) = maker.get(&before).filter(|earlier| **earlier != at) {
            waits[at] += 1;
            followers[earlier].push(at);
        }
    }
    let is_free = |at: &usize| waits[*at] == 0 && !blocked.contains(&found[*at].0.id);
    let mut ready: BTreeSet<(String, usize)> = (0..found.len())
        .filter(is_free)
        .map(|at| (found[at].0.id.clone(), at))
        .collect();
    let mut order = Vec::with_capacity(found.len());
    while let Some((_, at)) = ready.pop_first() {
        order.push(at);
        for &next in &followers[at] {
            waits[next] -= 1;
            if waits[next] == 0 && !blocked.contains(&found[next].0.id) {
                ready.insert((found[next].0.id.clone(), next));
            }
        }
    }
    let mut events: Vec<Option<Event>> = found.into_iter().map(|(event, _)| Some(event)).collect();
    order.into_iter().filter_map(|at| events[at].take()).collect()
}

/// Appends the events to the tree, signs the new size, and moves the log on.
fn place(room: &mut Room<'_, '_>, state: LogState, events: &[Event]) -> Result<u64> {
    let old = trusted(room, &state)?;
    let from = old.checkpoint.size;
    let leaves: Vec<&[u8]> = events.iter().map(|event| event.bytes.as_slice()).collect();
    let (epoch, size) = (state.epoch, state.size);
    let appended = {
        let source = StoredTiles::new(room.tx, state);
        let appended = tile::append(&source, from, &old.checkpoint.root, &leaves);
        source.settle(appended)?
    };
    save_tiles(room, from, &appended)?;
    save_payloads(room, events)?;
    for (seq, event) in (size..).zip(events) {
        if !event::sequence(room.tx, &event.id, seq)? {
            return Err(store::Error::Retry.into());
        }
    }
    let checkpoint = Checkpoint {
        origin: old.checkpoint.origin.clone(),
        size: appended.size,
        root: appended.root,
    };
    let seconds = cosigning_time(room, &old);
    let note = signed(room, &checkpoint, seconds)?;
    let to = i64::try_from(appended.size).map_err(|_| Error::Fault("the log is too long".to_owned()))?;
    let root = proof::crypto::hash_text(&appended.root);
    if !log::advance(
        room.tx,
        epoch,
        size,
        &Advance {
            size: to,
            root: &root,
            checkpoint: &note,
        },
    )? {
        return Err(store::Error::Retry.into());
    }
    log::save_checkpoint(
        room.tx,
        &log::Checkpoint {
            size: to,
            note,
            at: room.recorded_at,
        },
    )?;
    Ok(appended.size)
}

/// Writes the new tiles. A partial tile goes once a wider one of its place is there, from which it can be cut.
fn save_tiles(room: &mut Room<'_, '_>, from: u64, appended: &Appended) -> Result<()> {
    for tile in &appended.tiles {
        log::save_tile(room.tx, &tile.path, &tile.bytes)?;
        let Some(name) = TileName::parse(&tile.path) else {
            continue;
        };
        let before = TileName {
            width: width_at(from, name),
            ..name
        };
        if before.width > 0 && before.width < name.width {
            log::delete_tile(room.tx, &before.path())?;
        }
    }
    Ok(())
}

/// Only this much of a leaf is read to learn whether its deltas stand beside it.
#[derive(Deserialize)]
struct Beside {
    records_digest: Option<String>,
}

/// Puts the deltas that stand beside leaves among the files of the log, where their digests are their names.
fn save_payloads(room: &mut Room<'_, '_>, events: &[Event]) -> Result<()> {
    for event in events {
        let beside: Beside = serde_json::from_slice(&event.bytes)?;
        let Some(digest) = beside.records_digest else { continue };
        let found = event::payloads(room.tx, &event.id)?
            .into_iter()
            .find(|(name, _)| *name == digest);
        let path = payload_path(&digest);
        let (Some((_, bytes)), Some(path)) = (found, path) else {
            return Err(Error::Fault(format!("what stands beside event {} is gone", event.id)));
        };
        log::save_tile(room.tx, &path, &bytes)?;
    }
    Ok(())
}

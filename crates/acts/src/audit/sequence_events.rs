//! Places events in the tenant's log: one step of the sequencer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use model::change::change_file::Actor;
use proof::event::payload_path;
use proof::note::Checkpoint;
use proof::tile::{self, Appended, TileName};
use serde::Deserialize;
use store::audit::act_order::{self, UsedVersion};
use store::audit::bundle;
use store::audit::event::{self, Event, RecordRef, Waiting};
use store::audit::log::{self, Advance, LogState};
use store::{Lane, Mode};

use crate::audit::check_log;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::log_high_water::SeenLog;
use crate::core::log_tiles::{self, StoredTiles, cosigning_time, signed, trusted, width_at};
use crate::core::transactions::Transactions;
use crate::core::{read_set, row_mac};

/// How many events a step reads at first.
const BATCH: i64 = 1_000;

/// How many events a step reads if none of the first can be placed yet.
const WIDEST_BATCH: i64 = 64_000;

/// How long a server keeps the sequencing lease after a step. If the server ends, another takes over after this time.
const LEASE: Duration = Duration::from_secs(5);

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequenced {
    /// The log's size before: the index of the first event that was placed.
    pub from: u64,
    /// The log's size now. Events `from..to` were placed; all of them are final.
    pub to: u64,
    /// Whether this server has the sequencing lease. If not, nothing waited, or another server places the events.
    pub has_pen: bool,
}

/// Places waiting events, at most a batch. All of it is one transaction, so that a crash leaves all or nothing.
/// `holder` names the calling server; while another server has the lease nothing happens.
///
/// # Errors
/// A fault when the stored log does not match the signed one: then nothing is signed over it. Otherwise the store's.
pub fn sequence_events(executor: &impl Transactions, tenant: &str, holder: &str) -> Result<Sequenced> {
    let waiting = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, |cx| {
        let size = log::state(cx.tx)?.map_or(0, |state| state.size);
        let is_idle = event::unsequenced(cx.tx, 1)?.is_empty();
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
    let (placed, seen) = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, move |cx| {
        step(cx, &holder)
    })?;
    if let Some(seen) = seen {
        executor.tools().seen_logs.note(tenant, seen);
    }
    Ok(placed)
}

/// Checks whether the tenant's events could be placed: the log is not shorter than before, and a server wrote the next
/// waiting events.
///
/// # Errors
/// A fault with the reason why nothing is placed; the store's.
pub fn check_placing(cx: &mut Context<'_, '_>) -> Result<()> {
    let state = log_tiles::log_state(cx)?;
    check_log::check(cx, &state)?;
    let waiting = event::unsequenced(cx.tx, BATCH)?;
    waiting.iter().try_for_each(|it| row_mac::check_event(cx, it))
}

/// Releases the lease: after an orderly shutdown nobody waits for the lease to expire.
///
/// # Errors
/// The store's.
pub fn lay_down_pen(executor: &impl Transactions, tenant: &str, holder: &str) -> Result<()> {
    let holder = holder.to_owned();
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, move |cx| {
        Ok(log::lay_down(cx.tx, &holder)?)
    })
}

/// The result of a step, and the log's new size if it grew.
fn step(cx: &mut Context<'_, '_>, holder: &str) -> Result<(Sequenced, Option<SeenLog>)> {
    let until = cx.recorded_at + LEASE;
    let Some(state) = log::take(cx.tx, cx.recorded_at, until, holder)? else {
        let state = log_tiles::log_state(cx)?;
        let size = u64::try_from(state.size).unwrap_or_default();
        let placed = Sequenced {
            from: size,
            to: size,
            has_pen: false,
        };
        return Ok((placed, None));
    };
    check_log::check(cx, &state)?;
    let from = u64::try_from(state.size).unwrap_or_default();
    let events = next_events(cx)?;
    if events.is_empty() {
        let placed = Sequenced {
            from,
            to: from,
            has_pen: true,
        };
        return Ok((placed, None));
    }
    let seen = place(cx, state, &events)?;
    let placed = Sequenced {
        from,
        to: seen.size,
        has_pen: true,
    };
    Ok((placed, Some(seen)))
}

/// The next events in the order of the log. If none of a batch can be placed yet, because their predecessors are beyond
/// it, the batch is widened. Each event must be written by a server; otherwise nothing is placed.
fn next_events(cx: &mut Context<'_, '_>) -> Result<Vec<Event>> {
    let mut limit = BATCH;
    loop {
        let found = event::unsequenced(cx.tx, limit)?;
        if let Some(first) = found.first() {
            // All events before the first waiting one have their places.
            act_order::forget_before(cx.tx, &first.event.id)?;
        }
        let is_all = i64::try_from(found.len()).is_ok_and(|count| count < limit);
        let order = if is_all {
            order_of(&found, &BTreeSet::new())
        } else {
            order_within(cx, &found, limit)?
        };
        if is_all || !order.is_empty() || limit >= WIDEST_BATCH {
            for at in &order {
                row_mac::check_event(cx, &found[*at])?;
            }
            let mut events: Vec<Option<Event>> = found.into_iter().map(|it| Some(it.event)).collect();
            return Ok(order.into_iter().filter_map(|at| events[at].take()).collect());
        }
        limit *= 8;
    }
}

/// The order of a batch when more events wait beyond it.
fn order_within(cx: &mut Context<'_, '_>, found: &[Waiting], limit: i64) -> Result<Vec<usize>> {
    let mut blocked = followers_from_beyond(cx, found)?;
    if limit < WIDEST_BATCH {
        blocked.append(&mut cut_acts(cx, found)?);
        return Ok(order_of(found, &blocked));
    }
    // An act too long for the widest batch is placed in parts, because otherwise the log would halt. The log would also
    // halt if all acts wait for acts beyond the batch, which takes clocks far apart and a sequencer that was away: then
    // the order within the batch is used.
    let order = order_of(found, &blocked);
    if order.is_empty() {
        return Ok(order_of(found, &BTreeSet::new()));
    }
    Ok(order)
}

/// Acts that the end of a batch may cut. Events of one act have ids of one moment of one server, so the remaining
/// events of a cut act are among the next ones.
fn cut_acts(cx: &mut Context<'_, '_>, found: &[Waiting]) -> Result<BTreeSet<String>> {
    let Some(last) = found.last() else {
        return Ok(BTreeSet::new());
    };
    Ok(event::acts_unsequenced(cx.tx, &last.event.id, BATCH)?)
}

/// Acts of a batch that must wait for an event outside of it.
fn followers_from_beyond(cx: &mut Context<'_, '_>, found: &[Waiting]) -> Result<BTreeSet<String>> {
    let Some(last) = found.last().map(|it| it.event.id.as_str()) else {
        return Ok(BTreeSet::new());
    };
    let made: BTreeSet<&RecordRef> = found.iter().flat_map(|it| &it.made).collect();
    let made_beyond = records_with_more(cx, found.iter().flat_map(|it| &it.read), |cx, record| {
        is_made_beyond(cx, &version(record, 1), last)
    })?;
    let read_beyond = records_with_more(cx, found.iter().flat_map(|it| &it.made), |cx, record| {
        is_read_beyond(cx, record, last)
    })?;
    let mut blocked = BTreeSet::new();
    for waiting in found {
        let mut is_blocked = false;
        for record in &waiting.made {
            // If the previous version is in the batch, the order within the batch covers this one. A gap may be
            // anywhere, not only before the first version of the batch: ids follow the clocks of several servers.
            let has_gap = record.version > 1 && !made.contains(&version(record, -1));
            is_blocked |= has_gap && is_made_beyond(cx, record, last)?;
            is_blocked |= read_beyond.contains(&name(record)) && is_read_beyond(cx, record, last)?;
        }
        for record in &waiting.read {
            is_blocked |= made_beyond.contains(&name(record)) && is_made_beyond(cx, &version(record, 1), last)?;
        }
        if is_blocked {
            blocked.insert(waiting.event.act.clone());
        }
    }
    Ok(blocked)
}

/// The records with an event beyond the batch. Only the latest version in the batch is checked: an event that does not
/// precede it precedes no earlier version either.
fn records_with_more<'f>(
    cx: &mut Context<'_, '_>,
    records: impl Iterator<Item = &'f RecordRef>,
    lies_beyond: impl Fn(&mut Context<'_, '_>, &RecordRef) -> Result<bool>,
) -> Result<BTreeSet<(&'f str, &'f str)>> {
    let mut latest: BTreeMap<(&str, &str), &RecordRef> = BTreeMap::new();
    for record in records {
        let known = latest.entry(name(record)).or_insert(record);
        if known.version < record.version {
            *known = record;
        }
    }
    let mut more = BTreeSet::new();
    for (name, record) in latest {
        if lies_beyond(cx, record)? {
            more.insert(name);
        }
    }
    Ok(more)
}

/// A record without its version.
fn name(record: &RecordRef) -> (&str, &str) {
    (&record.table, &record.id)
}

/// The version that is `after` versions later.
fn version(record: &RecordRef, after: i64) -> RecordRef {
    RecordRef {
        version: record.version + after,
        ..record.clone()
    }
}

/// Whether an event beyond the batch made an earlier version.
fn is_made_beyond(cx: &mut Context<'_, '_>, record: &RecordRef, last: &str) -> Result<bool> {
    if record.table != act_order::ESTATE {
        let earlier = event::earlier_unsequenced(cx.tx, record)?;
        return Ok(earlier.iter().any(|id| id.as_str() > last));
    }
    let made = UsedVersion {
        record: record.clone(),
        made: true,
    };
    Ok(act_order::is_beyond(cx.tx, last, &made)?)
}

/// Whether an act beyond the batch read an earlier version, and therefore acted before this version was made.
fn is_read_beyond(cx: &mut Context<'_, '_>, record: &RecordRef, last: &str) -> Result<bool> {
    if record.version == 1 || !read_set::is_heeded(&record.table) {
        return Ok(false);
    }
    let read = UsedVersion {
        record: record.clone(),
        made: false,
    };
    Ok(act_order::is_beyond(cx.tx, last, &read)?)
}

/// The events of one act, which the sequencer places as a whole.
#[derive(Default)]
struct WholeAct {
    /// Its events by their places in the batch, in the order of ids.
    events: Vec<usize>,
    /// How many other acts must be placed before it.
    waits: usize,
    /// The acts that wait for it.
    followers: Vec<usize>,
}

/// The order in which the batch's events are placed in the log. An act that made a record's version n comes before the
/// acts that read n, and these come before the act that made n + 1. Each act is placed as a whole; between independent
/// acts the id decides. Blocked acts and all that follow from them are left out.
///
/// Only the first event of an act names records, but later acts depend on all of its events: a permit is revoked after
/// it was issued, even if the servers' clocks differ.
fn order_of(found: &[Waiting], blocked: &BTreeSet<String>) -> Vec<usize> {
    let mut acts = whole_acts(found);
    let is_blocked = |act: &WholeAct| blocked.contains(&found[act.events[0]].event.act);
    // Acts are sorted by their first events' ids, so their places are in that order as well.
    let mut ready: BTreeSet<usize> = (0..acts.len())
        .filter(|&at| acts[at].waits == 0 && !is_blocked(&acts[at]))
        .collect();
    let mut order = Vec::with_capacity(found.len());
    while let Some(at) = ready.pop_first() {
        order.append(&mut acts[at].events);
        for next in std::mem::take(&mut acts[at].followers) {
            acts[next].waits -= 1;
            if acts[next].waits == 0 && !is_blocked(&acts[next]) {
                ready.insert(next);
            }
        }
    }
    order
}

/// The acts of a batch that made or read versions of one record, by these versions.
#[derive(Default)]
struct Line {
    makers: BTreeMap<i64, usize>,
    readers: Vec<(i64, usize)>,
}

/// The acts of a batch in the order of their first events, each with those that wait for it.
fn whole_acts(found: &[Waiting]) -> Vec<WholeAct> {
    let mut acts: Vec<WholeAct> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut lines: HashMap<(&str, &str), Line> = HashMap::new();
    for (at, waiting) in found.iter().enumerate() {
        let act = *known.entry(&waiting.event.act).or_insert(acts.len());
        if act == acts.len() {
            acts.push(WholeAct::default());
        }
        acts[act].events.push(at);
        for record in &waiting.made {
            let line = lines.entry(name(record)).or_default();
            line.makers.insert(record.version, act);
        }
        for record in &waiting.read {
            let line = lines.entry(name(record)).or_default();
            line.readers.push((record.version, act));
        }
    }
    for (earlier, later) in lines.values().flat_map(Line::pairs) {
        if earlier != later {
            acts[later].waits += 1;
            acts[earlier].followers.push(later);
        }
    }
    acts
}

impl Line {
    /// The pairs of acts in order. A version whose maker has its place already delays nothing.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let makers: Vec<usize> = self.makers.values().copied().collect();
        let mut pairs: Vec<(usize, usize)> = makers.windows(2).map(|pair| (pair[0], pair[1])).collect();
        for (version, reader) in &self.readers {
            let maker = self.makers.range(..=version).next_back();
            pairs.extend(maker.map(|(_, maker)| (*maker, *reader)));
            let next = self.makers.range(version + 1..).next();
            pairs.extend(next.map(|(_, next)| (*reader, *next)));
        }
        pairs
    }
}

/// Appends the events to the tree, signs the new size, and advances the log.
fn place(cx: &mut Context<'_, '_>, state: LogState, events: &[Event]) -> Result<SeenLog> {
    let old = trusted(cx, &state)?;
    let from = old.checkpoint.size;
    let leaves: Vec<&[u8]> = events.iter().map(|event| event.bytes.as_slice()).collect();
    let (epoch, size) = (state.epoch, state.size);
    let appended = {
        let source = StoredTiles::new(cx.tx, state);
        let appended = tile::append(&source, from, &old.checkpoint.root, &leaves);
        source.settle(appended)?
    };
    save_tiles(cx, from, &appended)?;
    save_payloads(cx, events)?;
    for (seq, event) in (size..).zip(events) {
        if !event::sequence(cx.tx, &event.id, seq)? {
            return Err(store::Error::Retry.into());
        }
    }
    save_bundles(cx, &appended)?;
    let checkpoint = Checkpoint {
        origin: old.checkpoint.origin.clone(),
        size: appended.size,
        root: appended.root,
    };
    let seconds = cosigning_time(cx, &old);
    let note = signed(cx, &checkpoint, seconds)?;
    let to = i64::try_from(appended.size).map_err(|_| Error::Fault("the log is too long".to_owned()))?;
    let root = proof::crypto::hash_text(&appended.root);
    if !log::advance(
        cx.tx,
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
        cx.tx,
        &log::Checkpoint {
            size: to,
            note,
            at: cx.recorded_at,
        },
        Some(size),
    )?;
    Ok(SeenLog {
        size: appended.size,
        root: appended.root,
    })
}

/// Writes the new hash tiles. A partial tile is deleted once a wider one of its place exists, from which it can be cut.
fn save_tiles(cx: &mut Context<'_, '_>, from: u64, appended: &Appended) -> Result<()> {
    for tile in &appended.tiles {
        let Some(name) = TileName::parse(&tile.path).filter(|name| name.level.is_some()) else {
            continue;
        };
        log::save_tile(cx.tx, &tile.path, &tile.bytes)?;
        let before = TileName {
            width: width_at(from, name),
            ..name
        };
        if before.width > 0 && before.width < name.width {
            log::delete_tile(cx.tx, &before.path())?;
        }
    }
    Ok(())
}

/// Writes the bundles that are now full; their events' rows contain no bytes afterwards. Bundles that are not full are
/// put together from rows.
fn save_bundles(cx: &mut Context<'_, '_>, appended: &Appended) -> Result<()> {
    for tile in &appended.tiles {
        let name = TileName::parse(&tile.path).filter(|name| name.level.is_none() && name.width == tile::WIDTH);
        if let Some(number) = name.and_then(|name| i64::try_from(name.index).ok()) {
            bundle::save(cx.tx, number, tile.bytes.clone())?;
        }
    }
    Ok(())
}

/// The part of a leaf that shows whether its deltas are stored beside it.
#[derive(Deserialize)]
struct Beside {
    records_digest: Option<String>,
}

/// Stores the deltas beside leaves among the files of the log, where their digests are their names.
fn save_payloads(cx: &mut Context<'_, '_>, events: &[Event]) -> Result<()> {
    for event in events {
        let beside: Beside = serde_json::from_slice(&event.bytes)?;
        let Some(digest) = beside.records_digest else { continue };
        let found = event::payloads(cx.tx, &event.id)?
            .into_iter()
            .find(|(name, _)| *name == digest);
        let path = payload_path(&digest);
        let (Some((_, bytes)), Some(path)) = (found, path) else {
            return Err(Error::Fault(format!("what stands beside event {} is gone", event.id)));
        };
        log::save_tile(cx.tx, &path, &bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

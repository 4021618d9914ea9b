//! Moves changes that ended long ago into the archive, a few at a time, by the retention (`archive_days`). Nothing is
//! lost: reads find archived changes as before, and a write brings the change back first.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use serde_json::json;
use store::change::changes;
use store::compliance::archive::{self, ArchiveState, Gathered, HeldChange};
use store::{Lane, Mode};

use crate::compliance::retention_in_force::{carried_out, in_force, since};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::transactions::Transactions;
use crate::core::write::{Written, draft};

/// How many changes one segment takes.
const CHANGES: usize = 16;
/// How many segments one round of a tenant writes: further ones wait for the next round.
const SEGMENTS: usize = 30;
/// A segment must be referenced within this time from its reading; otherwise it is dropped.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);
/// How long a file that no segment names is kept: a backup that began before may still copy it.
pub const GARBAGE_STAYS: SignedDuration = SignedDuration::from_hours(1);
/// How many files one round removes, and how many objects of the bucket: each object needs a call.
const FILES: i64 = 500;
const OBJECTS: i64 = 100;
/// The largest count of waiting changes.
pub const COUNTED: i64 = 10_000;

/// The contents of the archive, and the changes that wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveReport {
    /// After how many days an ended change moves; absent for never.
    pub after_days: Option<i64>,
    /// The contents of the archive.
    pub state: ArchiveState,
    /// How many changes are due, counted up to [`COUNTED`].
    pub waiting: i64,
}

/// How a tenant's archive is.
///
/// # Errors
/// The store's.
pub fn report(cx: &mut Context<'_, '_>) -> Result<ArchiveReport> {
    let after_days = carried_out(cx)?.archive_days;
    let state = archive::state(cx.tx)?;
    let waiting = match since(cx.now, after_days) {
        Some(before) => archive::waiting(cx.tx, before, COUNTED)?,
        None => 0,
    };
    Ok(ArchiveReport {
        after_days,
        state,
        waiting,
    })
}

/// A change's key, and its segment.
///
/// # Errors
/// 404, or the store's.
pub fn segment_of(cx: &mut Context<'_, '_>, key: &str) -> Result<(String, Option<HeldChange>)> {
    let change = cx.change(key)?;
    Ok((change.key.clone(), archive::held(cx.tx, change.id.as_str())?))
}

/// One round for a tenant: moves due changes, at most 480, and removes files that no segment names any more. Returns
/// how many changes moved.
///
/// # Errors
/// The store's, and those of the folder.
pub fn archive_round(executor: &impl Transactions, tenant: &str) -> Result<usize> {
    let mut moved = 0;
    empty_bucket(executor, tenant)?;
    let due = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, due)?;
    for ids in due.chunks(CHANGES) {
        moved += archive_some(executor, tenant, ids.to_vec())?;
    }
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, tidy_up)?;
    Ok(moved)
}

/// The ids of the changes of one round, the oldest first.
fn due(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let days = carried_out(cx)?.archive_days;
    let Some(before) = since(cx.now, days) else {
        return Ok(Vec::new());
    };
    let most = i64::try_from(CHANGES * SEGMENTS).unwrap_or(i64::MAX);
    Ok(archive::due(cx.tx, before, most)?)
}

/// Moves some changes into one segment, in steps; the server may be killed between the steps.
///
/// # Errors
/// The store's, and those of the folder.
pub fn archive_some(executor: &impl Transactions, tenant: &str, ids: Vec<String>) -> Result<usize> {
    let gather = move |cx: &mut Context<'_, '_>| Ok(archive::gather(cx.tx, &ids, cx.now)?.map(|it| (it, cx.now)));
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, gather)?;
    let Some((gathered, at)) = found else { return Ok(0) };
    let gathered = Arc::new(gathered);
    let announced = Arc::clone(&gathered);
    let announce = move |cx: &mut Context<'_, '_>| Ok(archive::announce(cx.tx, &announced, cx.now)?);
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, announce)?;
    gathered.write()?;
    let moving = move |cx: &mut Context<'_, '_>| move_in(cx, &gathered, at);
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, moving)
}

/// References the segment, with the event that names it and its changes.
fn move_in(cx: &mut Context<'_, '_>, gathered: &Gathered, at: Timestamp) -> Result<usize> {
    let is_late = cx.now.duration_since(at) > LONGEST;
    if is_late || in_force(cx)?.archive_days.is_none() || !archive::move_in(cx.tx, gathered, cx.now)? {
        return Ok(0);
    }
    let mut keys = Vec::new();
    for id in gathered.changes() {
        keys.extend(changes::key_of_id(cx.tx, id)?);
    }
    let count = keys.len();
    let segment = format!("sha256:{}", gathered.id());
    let data = json!({"segment": segment, "bytes": gathered.size(), "changes": keys});
    let subject = ("tenant_info", cx.tenant());
    let event = draft("changes.archived", subject, cx.now, data);
    cx.emit(vec![event], Written::default())?;
    Ok(count)
}

/// Removes objects of the bucket that no segment names any more. An unreachable bucket keeps them for a later round.
fn empty_bucket(executor: &impl Transactions, tenant: &str) -> Result<()> {
    let find = |cx: &mut Context<'_, '_>| {
        let before = cx.now - GARBAGE_STAYS;
        Ok(archive::bucket_garbage(cx.tx, before, OBJECTS)?.map(|garbage| (garbage, before)))
    };
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, find)?;
    let Some((garbage, before)) = found else { return Ok(()) };
    garbage.remove()?;
    let forget = move |cx: &mut Context<'_, '_>| Ok(archive::forget_garbage(cx.tx, &garbage, before)?);
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, forget)?;
    Ok(())
}

/// Removes files that no segment names any more.
fn tidy_up(cx: &mut Context<'_, '_>) -> Result<u64> {
    archive::notice_garbage(cx.tx, cx.now)?;
    Ok(archive::collect_garbage(cx.tx, cx.now - GARBAGE_STAYS, FILES)?)
}

/// The faults of a tenant's archive, as text: segments that are gone or were altered, at most twenty of them. At most
/// [`OPENED`] segments are opened: their ids are hashes, so the first ones are a sample; a replay opens all.
///
/// # Errors
/// The store's.
pub fn trouble(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let (mut found, mut after, mut opened) = (Vec::new(), String::new(), 0);
    cx.tx.read_archive_in_place();
    while found.len() < TOLD && opened < OPENED {
        let page = archive::segments(cx.tx, &after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = last.clone();
        opened += page.len();
        for (id, changes) in page {
            match changes {
                Ok(changes) => {
                    let strayed = strayed(cx, &id, &changes)?;
                    found.extend(strayed.iter().map(|change| {
                        format!("the archive segment `{id}` holds the change `{change}`, which is said to be elsewhere")
                    }));
                }
                Err(why) => found.push(why.to_string()),
            }
        }
    }
    found.truncate(TOLD);
    Ok(found)
}

/// How many segments are read at once, and the most findings in the list.
const PAGE: i64 = 20;
const TOLD: usize = 20;
/// How many segments are opened to find faults.
pub const OPENED: usize = 1_000;

/// The changes that a segment lists as moved elsewhere.
///
/// # Errors
/// The store's.
pub(crate) fn strayed(cx: &mut Context<'_, '_>, segment: &str, changes: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for change in changes {
        if archive::segment_of(cx.tx, change)?.as_deref() != Some(segment) {
            found.push(change.clone());
        }
    }
    Ok(found)
}

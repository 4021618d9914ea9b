//! Compares a tenant's log with its last state seen by this server, and remembers the present state.

use model::change::change_file::Actor;
use proof::crypto::hash_text;
use proof::tile::TileReader;
use store::audit::log::{self, LogState};
use store::{Lane, Mode};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::log_high_water::SeenLog;
use crate::core::log_tiles::StoredTiles;
use crate::core::services::Services;
use crate::core::transactions::Transactions;

/// Refuses a log that is shorter than before, or that differs at the last seen size: such a log is never signed.
///
/// # Errors
/// A fault with the last known size; the store's.
pub(crate) fn check(cx: &mut Context<'_, '_>, state: &LogState) -> Result<()> {
    match set_back(cx, state)? {
        None => Ok(()),
        Some(why) => Err(Error::Fault(format!(
            "{why}. Nothing is placed in it; docs/operations/README.md says how to go on"
        ))),
    }
}

/// Why a log differs from the last seen one, if it does.
fn set_back(cx: &mut Context<'_, '_>, state: &LogState) -> Result<Option<String>> {
    let tenant = cx.tenant();
    let Some(seen) = cx.services.tools().seen_logs.seen(&tenant) else {
        return Ok(None);
    };
    let size = u64::try_from(state.size).unwrap_or_default();
    let what = if size < seen.size {
        format!(
            "had {} entries when this server saw it last and has {size} now",
            seen.size
        )
    } else if root_at(cx, state, seen.size)? != hash_text(&seen.root) {
        format!("is another one than this server saw when it had {} entries", seen.size)
    } else {
        return Ok(None);
    };
    Ok(Some(format!(
        "the log of the tenant {tenant} {what}: the database was set back, or the log was cut or written anew"
    )))
}

/// Checks whether a tenant's log is the one that was seen before: if it is not, no entry is placed in it and the gate
/// is closed. Returns why it is not.
///
/// # Errors
/// The store's.
pub fn look_at_log(executor: &impl Transactions, services: &Services, tenant: &str) -> Result<Option<String>> {
    let look = |cx: &mut Context<'_, '_>| match log::state(cx.tx)? {
        Some(state) => set_back(cx, &state),
        None => Ok(None),
    };
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look)?;
    services.closed().note_log(tenant, found.clone());
    Ok(found)
}

/// The size and root of a tenant's log, without a comparison with the seen ones; `None` without a log.
///
/// # Errors
/// A fault if the root is malformed; the store's.
pub fn present(executor: &impl Transactions, tenant: &str) -> Result<Option<SeenLog>> {
    let look = |cx: &mut Context<'_, '_>| log::state(cx.tx)?.as_ref().map(seen_log).transpose();
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look)
}

fn seen_log(state: &LogState) -> Result<SeenLog> {
    let root = proof::crypto::hash_of_text(&state.root)
        .ok_or_else(|| Error::Fault("the root of a log's state is none".to_owned()))?;
    let size = u64::try_from(state.size).unwrap_or_default();
    Ok(SeenLog { size, root })
}

fn root_at(cx: &mut Context<'_, '_>, state: &LogState, size: u64) -> Result<String> {
    let source = StoredTiles::new(cx.tx, state.clone());
    if size == source.size() {
        return Ok(state.root.clone());
    }
    let root = TileReader::new(&source, size).root();
    Ok(hash_text(&source.settle(root)?))
}

/// The size and root of the tenant's log after the comparison with the remembered ones; `None` without a log.
fn checked(cx: &mut Context<'_, '_>) -> Result<Option<SeenLog>> {
    let Some(state) = log::state(cx.tx)? else {
        return Ok(None);
    };
    check(cx, &state)?;
    seen_log(&state).map(Some)
}

/// Remembers the state of a tenant's log, even if another server places its events.
///
/// # Errors
/// A fault if the log does not match the remembered one; the store's.
pub fn note_log(executor: &impl Transactions, tenant: &str) -> Result<()> {
    let log = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, checked);
    if let Some(log) = log? {
        executor.tools().seen_logs.note(tenant, log);
    }
    Ok(())
}

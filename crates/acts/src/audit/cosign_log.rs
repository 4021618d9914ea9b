//! Attests the freshness of a log again, also while nothing happens.

use model::change::change_file::Actor;
use proof::note::Note;
use store::audit::log::{self, Advance};
use store::{Lane, Mode};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_tiles::{COSIGNING_SKEW, cosigning_time, log_state, trusted};
use crate::core::signing_keys;
use crate::core::transactions::Transactions;

/// A cosignature of this age, in seconds, is renewed: early enough that the served one is never older than a minute if
/// the server checks every ten seconds.
pub const RENEWED_AFTER_SECONDS: u64 = 45;

/// Cosigns the tenant's checkpoint with the present time when the last cosignature is older than
/// [`RENEWED_AFTER_SECONDS`]. Returns whether it did. Other cosigners' signatures on it stay.
///
/// # Errors
/// A fault when the stored checkpoint is not trusted or there is no log, else the store's.
pub fn cosign_log(executor: &impl Transactions, tenant: &str) -> Result<bool> {
    if !executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, is_due)? {
        return Ok(false);
    }
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, cosign)
}

/// When the server last attested that the tenant's served checkpoint is fresh, in seconds since 1970; `None` if it
/// never did.
///
/// # Errors
/// A fault when the stored checkpoint is not trusted or there is no log, else the store's.
pub fn attested_at(cx: &mut Context<'_, '_>) -> Result<Option<u64>> {
    let state = log_state(cx)?;
    let opened = trusted(cx, &state)?;
    let own = signing_keys::cosigner_origin(cx)?;
    let times = opened.cosigned.iter().filter(|(name, _)| *name == own);
    Ok(times.map(|(_, time)| *time).max())
}

fn is_due(cx: &mut Context<'_, '_>) -> Result<bool> {
    let last = attested_at(cx)?;
    let now = u64::try_from(cx.recorded_at.as_second()).unwrap_or_default();
    let is_old = |last: u64| last.saturating_add(RENEWED_AFTER_SECONDS) <= now;
    let is_ahead = |last: u64| last > now.saturating_add(COSIGNING_SKEW);
    Ok(last.is_none_or(|last| is_old(last) || is_ahead(last)))
}

fn cosign(cx: &mut Context<'_, '_>) -> Result<bool> {
    if !is_due(cx)? {
        return Ok(false);
    }
    let state = log_state(cx)?;
    let opened = trusted(cx, &state)?;
    let seconds = cosigning_time(cx, &opened);
    let cosigner = signing_keys::note_signer(cx, signing_keys::COSIGNER)?;
    let mut note = Note::parse(&state.checkpoint)?;
    let fresh = cosigner.cosign(&note.text, seconds);
    note.signatures.retain(|known| known.name != fresh.name);
    note.signatures.push(fresh);
    let checkpoint = note.to_text();
    // The table of checkpoints keeps the first cosignature of each size: the first one proves more, and bundles stay
    // the same.
    let to = Advance {
        size: state.size,
        root: &state.root,
        checkpoint: &checkpoint,
    };
    if !log::advance(cx.tx, state.epoch, state.size, &to)? {
        return Err(store::Error::Retry.into());
    }
    Ok(true)
}

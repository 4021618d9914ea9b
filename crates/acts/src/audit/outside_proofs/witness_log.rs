//! Witnesses external logs (C2SP tlog-witness): accepts a checkpoint that only grew and cosigns it.

use model::audit::watched_log::WatchedLog;
use proof::note::witness::AddCheckpoint;
use proof::note::{Checkpoint, Note, VerifierKey, VerifierKeys};
use proof::{crypto, merkle};
use store::audit::watched_checkpoint::{self, WatchedCheckpoint};

use crate::audit::outside_proofs::set_watched_log::origin;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::in_use;
use crate::core::signing_keys;

/// A witness's response to a submitted checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witnessed {
    /// 200: the cosignature, as a line of a note.
    Cosigned(String),
    /// 400: the request cannot be read, or its old size is beyond its checkpoint.
    Malformed(String),
    /// 404: no log of this origin is watched.
    UnknownLog,
    /// 403: no trusted key signed the checkpoint.
    NotSigned,
    /// 409: the last checkpoint that was cosigned has this size, or the same size and another root.
    Conflict(u64),
    /// 422: the proof does not show that the log only grew.
    NotConsistent,
}

/// Processes a request of `add-checkpoint`. The new checkpoint is saved in the transaction that signs it, on condition
/// that the one before is still the last: of two concurrent requests, one gets a conflict.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn witness_log(cx: &mut Context<'_, '_>, request: &[u8]) -> Result<Witnessed> {
    let asked = match AddCheckpoint::parse(request) {
        Ok(asked) => asked,
        Err(why) => return Ok(Witnessed::Malformed(why.to_string())),
    };
    let (note, checkpoint) = (&asked.note, &asked.checkpoint);
    let watched = in_use::<WatchedLog>(cx)?;
    let of_origin = |it: &&WatchedLog| origin(it).as_deref() == Some(checkpoint.origin.as_str());
    let Some(log) = watched.iter().find(of_origin) else {
        return Ok(Witnessed::UnknownLog);
    };
    let keys = VerifierKeys(vec![VerifierKey::parse(&log.key)?]);
    if note.verify(&keys).is_err() {
        return Ok(Witnessed::NotSigned);
    }
    if asked.old_size > checkpoint.size {
        return Ok(Witnessed::Malformed("the old size is beyond the checkpoint".to_owned()));
    }
    let seen = watched_checkpoint::find(cx.tx, &checkpoint.origin)?;
    if let Some(refused) = refusal(&asked, seen.as_ref()) {
        return Ok(refused);
    }
    cosign(cx, note, checkpoint, asked.old_size)
}

/// Why a checkpoint does not follow the last one; `None` if it does.
fn refusal(asked: &AddCheckpoint, seen: Option<&WatchedCheckpoint>) -> Option<Witnessed> {
    let checkpoint = &asked.checkpoint;
    let last = seen.map_or(0, |it| u64::try_from(it.size).unwrap_or_default());
    if asked.old_size != last {
        return Some(Witnessed::Conflict(last));
    }
    let old_root = match seen {
        Some(seen) => crypto::hash_of_text(&seen.root),
        None => Some(merkle::empty_root()),
    };
    // The last seen checkpoint is unreadable: nothing is signed over it.
    let Some(old_root) = old_root else {
        return Some(Witnessed::Conflict(last));
    };
    if last == checkpoint.size {
        // A fork of the same size: nothing of it is signed, whatever the proof contains.
        return (old_root != checkpoint.root).then_some(Witnessed::Conflict(last));
    }
    let is_grown = match last {
        // Every log extends the empty log; a proof of that has no hashes.
        0 => asked.proof.is_empty(),
        _ => merkle::verify_consistency(last, checkpoint.size, &asked.proof, &old_root, &checkpoint.root),
    };
    (!is_grown).then_some(Witnessed::NotConsistent)
}

fn cosign(cx: &mut Context<'_, '_>, note: &Note, checkpoint: &Checkpoint, old: u64) -> Result<Witnessed> {
    let (Ok(size), Ok(old)) = (i64::try_from(checkpoint.size), i64::try_from(old)) else {
        return Ok(Witnessed::Malformed("the size is beyond what a log has".to_owned()));
    };
    let next = WatchedCheckpoint {
        origin: checkpoint.origin.clone(),
        size,
        root: crypto::hash_text(&checkpoint.root),
        time: cx.recorded_at.as_second(),
    };
    if !watched_checkpoint::advance(cx.tx, old, &next)? {
        // The transaction runs again and finds the faster request's result.
        return Err(store::Error::Retry.into());
    }
    let seconds = u64::try_from(next.time).unwrap_or_default();
    let signature = signing_keys::note_signer(cx, signing_keys::COSIGNER)?.cosign(&note.text, seconds);
    Ok(Witnessed::Cosigned(signature.to_line()))
}

//! The log to read: its files, and the proof of one event.

use std::borrow::Cow;

use proof::note::Note;
use proof::tile::{TileReader, TileSource};
use serde::Serialize;
use store::audit::event::{self, Event};

use crate::audit::outside_proofs::stamp_log::stamps_file;
use crate::audit::take_cosignature::witnessed_checkpoint;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::log_tiles::{StoredTiles, log_state};
use model::core::refusal::Refusal;

/// The proof that an event is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventProof {
    /// Its index.
    pub index: u64,
    /// The leaf's bytes in base64.
    pub leaf: String,
    /// The signed checkpoint that the proof leads to.
    pub checkpoint: String,
    /// The hashes in hex, the leaf's end first.
    pub inclusion: Vec<String>,
}

/// A file of the log by its path under the log's prefix: `checkpoint`, `tile/…` or `records/{hex}`. `None` when the log
/// has no such file.
///
/// # Errors
/// A fault when the tenant has no log, or the store's.
pub fn tile(cx: &mut Context<'_, '_>, path: &str) -> Result<Option<Vec<u8>>> {
    if path == "checkpoint" {
        return Ok(Some(witnessed_checkpoint(cx)?.into_bytes()));
    }
    if path == "time-stamps" {
        return stamps_file(cx);
    }
    let state = log_state(cx)?;
    let source = StoredTiles::new(cx.tx, state);
    let found = source.get(path).map(|found| found.map(Cow::into_owned));
    source.settle(found)
}

/// The newest signed checkpoint, with the lines of witnesses.
///
/// # Errors
/// A fault when the tenant has no log, or the store's.
pub fn checkpoint(cx: &mut Context<'_, '_>) -> Result<String> {
    witnessed_checkpoint(cx)
}

/// Proves an event against the newest checkpoint. `which` is the event's id or its index.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Error::NotYet`] while it waits for its place; a fault, or the store's.
pub fn prove_event(cx: &mut Context<'_, '_>, which: &str) -> Result<EventProof> {
    let event = find(cx, which)?.ok_or_else(|| Error::from(Refusal::not_found(format!("event {which}"))))?;
    let Some(seq) = event.seq else {
        return Err(Error::NotYet(format!("event {which} waits for its place in the log")));
    };
    let index = u64::try_from(seq).unwrap_or_default();
    let state = log_state(cx)?;
    let checkpoint = witnessed_checkpoint(cx)?;
    let size = proof::note::Checkpoint::parse(&Note::parse(&checkpoint)?.text)?.size;
    let source = StoredTiles::new(cx.tx, state);
    let reader = TileReader::new(&source, size);
    let proved = reader
        .leaf(index)
        .and_then(|leaf| Ok((leaf, reader.inclusion_proof(index)?)));
    let (leaf, hashes) = source.settle(proved)?;
    Ok(EventProof {
        index,
        leaf: proof::crypto::base64_standard(&leaf),
        checkpoint,
        inclusion: hashes.iter().map(hex::encode).collect(),
    })
}

/// The event with this id, or at this index of the log.
pub(crate) fn find(cx: &mut Context<'_, '_>, which: &str) -> Result<Option<Event>> {
    let Ok(index) = which.parse::<i64>() else {
        return Ok(event::load(cx.tx, which)?);
    };
    let page = event::page(cx.tx, index, 1)?;
    Ok(page.into_iter().find(|event| event.seq == Some(index)))
}

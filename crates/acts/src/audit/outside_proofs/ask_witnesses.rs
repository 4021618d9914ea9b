//! Submits checkpoints of this log to witnesses that accept them (C2SP tlog-witness, `add-checkpoint`).

use model::audit::witness::Witness;
use proof::note::witness::AddCheckpoint;
use proof::note::{Checkpoint, Note, VerifierKey};
use proof::tile::TileReader;
use store::audit::cosignature;

use crate::audit::cosign_log::RENEWED_AFTER_SECONDS;
use crate::audit::take_cosignature::take_note;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_tiles::{StoredTiles, log_state};
use crate::core::noun::in_use;

/// A request to a witness.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The id of the witness.
    pub witness: String,
    /// The name in its key.
    pub name: String,
    /// The address of `add-checkpoint`.
    pub url: String,
    /// The request.
    pub request: AddCheckpoint,
}

/// The witnesses whose cosignature is due: the log has grown since the last one, or that is old.
///
/// # Errors
/// A fault of the log, or the store's.
pub fn find_due_witnesses(cx: &mut Context<'_, '_>) -> Result<Vec<Submission>> {
    let asked: Vec<Witness> = in_use::<Witness>(cx)?
        .into_iter()
        .filter(|it| it.url.is_some())
        .collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let size = log_state(cx)?.size;
    let kept = cosignature::list(cx.tx)?;
    let now = cx.recorded_at.as_second();
    let renewed = i64::try_from(RENEWED_AFTER_SECONDS).unwrap_or(i64::MAX);
    let mut due = Vec::new();
    for witness in asked {
        let last = kept.iter().find(|it| it.witness == witness.id.as_str());
        if last.is_some_and(|it| it.size == size && now.saturating_sub(it.time) < renewed) {
            continue;
        }
        let old = last.map_or(0, |it| u64::try_from(it.size).unwrap_or_default());
        due.extend(submission(cx, &witness, old)?);
    }
    Ok(due)
}

/// The request to a witness whose last seen size of the log is `old`; `None` if the log is smaller, or no request is
/// possible.
///
/// # Errors
/// A fault of the log, or the store's.
pub fn resubmit(cx: &mut Context<'_, '_>, witness: &str, old: u64) -> Result<Option<Submission>> {
    let found = in_use::<Witness>(cx)?.into_iter().find(|it| it.id.as_str() == witness);
    match found {
        Some(witness) => submission(cx, &witness, old),
        None => Ok(None),
    }
}

fn submission(cx: &mut Context<'_, '_>, witness: &Witness, old: u64) -> Result<Option<Submission>> {
    let state = log_state(cx)?;
    let note = Note::parse(&state.checkpoint)?;
    let checkpoint = Checkpoint::parse(&note.text)?;
    let Some(url) = witness.url.as_ref().filter(|_| old <= checkpoint.size) else {
        return Ok(None);
    };
    let proof = match old {
        0 => Vec::new(),
        old if old == checkpoint.size => Vec::new(),
        old => {
            let source = StoredTiles::new(cx.tx, state);
            let proof = TileReader::new(&source, checkpoint.size).consistency_proof(old);
            source.settle(proof)?
        }
    };
    Ok(Some(Submission {
        witness: witness.id.0.clone(),
        name: VerifierKey::parse(&witness.key)?.name().to_owned(),
        url: format!("{url}/add-checkpoint"),
        request: AddCheckpoint {
            old_size: old,
            proof,
            note,
            checkpoint,
        },
    }))
}

/// Adds the cosignatures in a witness's response, under the same rules as submitted ones.
///
/// # Errors
/// 409 or 422 for lines that do not fit, or the store's.
pub fn add_cosignatures(
    cx: &mut Context<'_, '_>,
    asked: &Submission,
    lines: &[proof::note::NoteSignature],
) -> Result<usize> {
    let mut note = Note {
        text: asked.request.note.text.clone(),
        signatures: Vec::new(),
    };
    note.signatures.extend(lines.iter().cloned());
    let (_, taken) = take_note(cx, &note.to_text())?;
    Ok(taken.len())
}

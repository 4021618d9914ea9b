//! Cosignatures of witnesses (C2SP tlog-cosignature): stored after verification, and served with the checkpoint.

use model::audit::witness::Witness;
use model::core::act;
use model::core::body::Body;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use proof::note::{
    Checkpoint, MAX_NOTE_BYTES, Note, NoteSignature, Untrusted, VerifiedSignature, VerifierKey, VerifierKeys,
};
use store::audit::cosignature::{self, Cosignature};
use store::audit::log;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::log_tiles::log_state;
use crate::core::noun::in_use;

/// How far a witness's clock may be ahead, in seconds.
const SKEW_SECONDS: i64 = 60;

/// Adds witnesses' cosignatures to a checkpoint of this log (`POST /log/cosignatures {checkpoint}`): the request is the
/// whole note, with the lines of all signers. Returns the log's size in the note and the witnesses whose line was
/// added; the line of a witness that signed a newer checkpoint already is skipped.
///
/// # Errors
/// 403; 422 for a malformed note, a line that does not verify, or no line of a known witness; 409 for a checkpoint that
/// this log never signed; the store's.
pub fn take_cosignature(cx: &mut Context<'_, '_>, body: &Body) -> Result<(i64, Vec<VerifiedSignature>)> {
    cx.allow(act::actions::AUDIT)?;
    let mut reading = Reading::new(body, "");
    let text = reading.needed("checkpoint", MAX_NOTE_BYTES);
    reading.finish()?;
    take_note(cx, &text)
}

/// The same for a note, without a check of rights.
///
/// # Errors
/// As [`take_cosignature`], but for 403.
pub(crate) fn take_note(cx: &mut Context<'_, '_>, text: &str) -> Result<(i64, Vec<VerifiedSignature>)> {
    let wrong = |code, text: String| Error::from(Refusal::field("checkpoint", code, text));
    let read = Note::parse(text).and_then(|note| Ok((Checkpoint::parse(&note.text)?, note)));
    let (checkpoint, note) =
        read.map_err(|why| wrong("malformed", format!("This is not a signed checkpoint: {why}.")))?;
    let size = i64::try_from(checkpoint.size).unwrap_or(i64::MAX);
    if signed_by_us(cx, size)?.as_ref() != Some(&note.text) {
        let text = "This log has not signed this checkpoint.";
        let satisfy = "Fetch `checkpoint` again and cosign the current one.";
        return Err(Refusal::not_now("not_our_checkpoint", text, satisfy, Vec::new()).into());
    }
    let (ids, keys) = trusted(cx)?;
    let verified = note.verify(&keys).map_err(|why| match why {
        Untrusted::WrongSignature(name) => wrong(
            "wrong_signature",
            format!("The signature line of `{name}` does not verify."),
        ),
        _ => wrong(
            "no_known_witness",
            "No known witness cosigned this checkpoint.".to_owned(),
        ),
    })?;
    let latest = cx.recorded_at.as_second() + SKEW_SECONDS;
    let time_of = |one: &VerifiedSignature| one.time.and_then(|time| i64::try_from(time).ok()).unwrap_or(i64::MAX);
    if let Some(ahead) = verified.iter().find(|one| time_of(one) > latest) {
        let text = format!("The signature line of `{}` is dated in the future.", ahead.key.name());
        return Err(wrong("in_the_future", text));
    }
    let mut taken = Vec::new();
    for one in verified {
        let at = keys.0.iter().position(|key| *key == one.key);
        let id = at
            .and_then(|at| ids.get(at))
            .ok_or_else(|| Error::Fault("a verified key is unknown".to_owned()))?;
        let kept = Cosignature {
            witness: id.clone(),
            size,
            time: time_of(&one),
            line: line_of(&note, &one),
        };
        if cosignature::save(cx.tx, &kept)? {
            taken.push(one);
        }
    }
    Ok((size, taken))
}

/// The newest checkpoint in its served form: with the lines of witnesses who cosigned this very one. A line that no
/// longer verifies would invalidate the note for readers who trust its witness, so it is left out.
///
/// # Errors
/// A fault when the tenant has no log, or the store's.
pub fn witnessed_checkpoint(cx: &mut Context<'_, '_>) -> Result<String> {
    let state = log_state(cx)?;
    with_lines(cx, state.size, state.checkpoint)
}

/// A checkpoint of this size with its witnesses' lines.
fn with_lines(cx: &mut Context<'_, '_>, size: i64, checkpoint: String) -> Result<String> {
    let mut told = checkpoint;
    let kept = cosignature::list(cx.tx)?;
    if kept.is_empty() {
        return Ok(told);
    }
    let (ids, keys) = trusted(cx)?;
    for one in kept.iter().filter(|one| one.size == size) {
        let at = ids.iter().position(|id| *id == one.witness);
        let Some(key) = at.and_then(|at| keys.0.get(at)).cloned() else {
            continue;
        };
        let with_it = format!("{told}{}", one.line);
        if Note::parse(&with_it).is_ok_and(|note| note.verify(&VerifierKeys(vec![key])).is_ok()) {
            told = with_it;
        }
    }
    Ok(told)
}

/// The last checkpoint that each witness cosigned: the witness's id, and the cosigned checkpoint in its served form.
///
/// # Errors
/// The store's.
pub fn last_cosigned(cx: &mut Context<'_, '_>) -> Result<Vec<(Cosignature, String)>> {
    let mut found = Vec::new();
    for one in cosignature::list(cx.tx)? {
        if let Some(kept) = kept_note(cx, one.size)? {
            let note = with_lines(cx, one.size, kept)?;
            found.push((one, note));
        }
    }
    Ok(found)
}

/// The note of exactly this size that the log signed.
fn kept_note(cx: &mut Context<'_, '_>, size: i64) -> Result<Option<String>> {
    let kept = log::checkpoint_covering(cx.tx, size - 1)?;
    Ok(kept.filter(|kept| kept.size == size).map(|kept| kept.note))
}

fn signed_by_us(cx: &mut Context<'_, '_>, size: i64) -> Result<Option<String>> {
    let kept = kept_note(cx, size)?;
    Ok(kept.and_then(|note| Note::parse(&note).ok()).map(|note| note.text))
}

/// The ids of the witnesses and, in the same order, their keys.
fn trusted(cx: &mut Context<'_, '_>) -> Result<(Vec<String>, VerifierKeys)> {
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for witness in in_use::<Witness>(cx)? {
        ids.push(witness.id.0);
        keys.push(VerifierKey::parse(&witness.key)?);
    }
    Ok((ids, VerifierKeys(keys)))
}

/// The line of a verified signature in the note. A witness may have signed at two times, with a line for each.
fn line_of(note: &Note, one: &VerifiedSignature) -> String {
    let key = VerifierKeys(vec![one.key.clone()]);
    let alone = |line: &NoteSignature| Note {
        text: note.text.clone(),
        signatures: vec![line.clone()],
    };
    let is_it = |line: &&NoteSignature| {
        let verified = alone(line).verify(&key).unwrap_or_default();
        verified.iter().any(|found| found.time == one.time)
    };
    let alone = Note {
        text: String::new(),
        signatures: note.signatures.iter().find(is_it).cloned().into_iter().collect(),
    };
    alone.to_text().trim_start_matches('\n').to_owned()
}

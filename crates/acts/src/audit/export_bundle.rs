//! Packs all proofs about one change into one file (`GET …/changes/{key}/bundle`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use model::change::record::Change;
use model::change::related_records::{Evidence, GateCheck};
use proof::bundle::{self, Attachment, BundleParts, EventPart, Measure, Missing, RecordPart};
use proof::commitment::SALT_BYTES;
use proof::crypto::Hash;
use proof::event::Subject;
use proof::note::Note;
use proof::tile::TileReader;
use store::audit::{event, log, salts};
use store::change::blob;
use store::record::{self, Filter, Record};

use crate::audit::grounds_around;
use crate::audit::outside_proofs::stamp_log::stamps_after;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::grounds;
use crate::core::log_tiles::{StoredTiles, log_state};
use crate::core::show_timeline::{Name, events_of, opened, records_of};
use crate::core::signing_keys;

/// The most bytes of evidence files in one bundle; further files are listed as missing.
const EVIDENCE_LIMIT: u64 = 256 << 20;

/// How much of a file in the folder is in memory at once, in bytes.
const PIECE: usize = 64 * 1024;

/// A bundle, with references to the stored files of evidence.
#[derive(Debug)]
pub struct Export {
    /// The parts of the bundle, in order.
    pub pieces: Vec<Piece>,
    /// The length of the whole in bytes.
    pub bytes: u64,
}

/// A part of a bundle's bytes.
#[derive(Debug)]
pub enum Piece {
    /// These.
    Bytes(Vec<u8>),
    /// The bytes of a stored file.
    File(KeptFile),
}

/// A file of evidence in the folder or in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// The id of a piece of evidence that names it.
    pub evidence: String,
    /// Its digest, `sha256:…`.
    pub digest: String,
    /// Its length in bytes.
    pub size: u64,
}

/// The bundle of a change, whole and in memory: the result of [`export_bundle`], for immediate use.
///
/// # Errors
/// As [`export_bundle`].
pub fn pack_bundle(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    for piece in export_bundle(cx, key)?.pieces {
        match piece {
            Piece::Bytes(bytes) => whole.extend(bytes),
            Piece::File(file) => {
                each_piece(cx, &file.digest, |piece| whole.extend_from_slice(piece))?;
            }
        }
    }
    Ok(whole)
}

/// The bundle of a change. The same change gives the same bytes until the log's key is rotated: proofs lead to the
/// first checkpoint that covers its last event, whose time is the bundle's. Evidence files are read here, piece by
/// piece, so call this on a thread that may block; the sender reads the files again.
///
/// # Errors [`model::core::refusal::Refusal::NotFound`]; [`Error::NotYet`] while an event of the change waits for its
/// place in the log; a fault when the stored rows are inconsistent; the store's.
pub fn export_bundle(cx: &mut Context<'_, '_>, key: &str) -> Result<Export> {
    let change = cx.change(key)?;
    let mut names = records_of(cx, &change)?;
    let left_out = add_gate_checks(cx, &change, &mut names)?;
    let mut events = events_of(cx, &change, &names)?;
    // It marks the place from which on an event without grounds is not Assent's.
    events.extend(grounds::find_began(cx)?);
    events.sort_by(|a, b| a.place().cmp(&b.place()));
    if events.iter().any(|event| event.seq.is_none()) {
        return Err(Error::NotYet(format!(
            "events of {} wait for their place in the log",
            change.key
        )));
    }
    let last = events.iter().filter_map(|event| event.seq).max().unwrap_or_default();
    let around = grounds_around::find_around(cx, &events, last)?;
    let known: BTreeSet<String> = events.iter().map(|event| event.id.clone()).collect();
    events.extend(around.events.into_iter().filter(|event| !known.contains(&event.id)));
    events.sort_by(|a, b| a.place().cmp(&b.place()));
    let checkpoint = log::checkpoint_covering(cx.tx, last)?;
    let checkpoint = checkpoint.ok_or_else(|| Error::NotYet(format!("no checkpoint covers {} yet", change.key)))?;
    let size = u64::try_from(checkpoint.size).unwrap_or_default();
    let records = record_parts(cx, &names)?;
    let Files { found, mut missing } = evidence_files(cx, &names)?;
    missing.extend(left_out);
    missing.extend(around.missing);
    let parts = BundleParts {
        tenant: cx.tenant(),
        key: change.key.clone(),
        subject: Subject {
            table: Change::TABLE.to_owned(),
            id: change.id.0.clone(),
        },
        state: change.state.to_string(),
        is_open: change.state.is_open(),
        created_at: checkpoint.at.to_string(),
        missing,
        salts: salts_of(cx, &records)?,
        records,
        events: event_parts(cx, &events, &checkpoint.note)?,
        checkpoint: checkpoint.note,
        keys: signing_keys::verifier_keys(cx)?,
        whole: around.whole,
        stamps: stamps_after(cx, size)?,
        evidence: found.iter().map(|(attachment, _)| *attachment).collect(),
    };
    let signer = signing_keys::note_signer(cx, signing_keys::LOG)?;
    Ok(exported(bundle::build(&parts, &signer)?, found))
}

/// Lists the place of each file that the bundle attaches.
fn exported(bundle: bundle::Bundle, found: Vec<(Attachment, Piece)>) -> Export {
    let mut places: HashMap<_, _> = found.into_iter().map(|(it, place)| (it.sha256, place)).collect();
    let place = |piece| match piece {
        bundle::Piece::Bytes(bytes) => Piece::Bytes(bytes),
        bundle::Piece::Evidence(digest) => places.remove(&digest).unwrap_or(Piece::Bytes(Vec::new())),
    };
    Export {
        pieces: bundle.pieces.into_iter().map(place).collect(),
        bytes: bundle.bytes,
    }
}

/// The most recorded gate checks in one bundle; further ones are listed as missing.
const MOST_CHECKS: usize = 500;

/// Adds the recorded gate checks about this change, the first of them when there are too many.
fn add_gate_checks(cx: &mut Context<'_, '_>, change: &Change, names: &mut Vec<Name>) -> Result<Option<Missing>> {
    let filter = Filter::new().equals("change_key", change.key.as_str()).order_by("id");
    let found = record::find::<GateCheck>(cx.tx, &filter.limit(1 + MOST_CHECKS as i64))?;
    let is_cut = found.len() > MOST_CHECKS;
    let ids = found.into_iter().take(MOST_CHECKS).map(|stored| stored.record.id.0);
    names.extend(ids.map(|id| (GateCheck::TABLE, id)));
    names.sort();
    Ok(is_cut.then(|| Missing {
        what: "questions to the gate".to_owned(),
        why: format!("more than {MOST_CHECKS} questions were asked about the change; the first are here"),
    }))
}

fn record_parts(cx: &mut Context<'_, '_>, names: &[Name]) -> Result<Vec<RecordPart>> {
    let mut parts = Vec::new();
    for (table, id) in names {
        let Some(row) = record::raw(cx.tx, table, id)? else {
            continue;
        };
        parts.push(RecordPart {
            table: (*table).to_owned(),
            id: row.id,
            version: u64::try_from(row.version).unwrap_or_default(),
            body: serde_json::from_str(&row.body)?,
            sealed: serde_json::from_str(&row.sealed)?,
        });
    }
    Ok(parts)
}

fn salts_of(cx: &mut Context<'_, '_>, records: &[RecordPart]) -> Result<BTreeMap<String, [u8; SALT_BYTES]>> {
    let mut found = BTreeMap::new();
    for record in records {
        let mut texts = salts::of_record(cx.tx, &record.table, &record.id)?;
        for commitment in bundle::commitments(&record.sealed) {
            let Some(text) = texts.remove(&commitment) else {
                continue;
            };
            let salt = text
                .salt
                .try_into()
                .map_err(|_| Error::Fault("a stored salt has not 16 bytes".to_owned()))?;
            found.insert(commitment, salt);
        }
    }
    Ok(found)
}

fn event_parts(cx: &mut Context<'_, '_>, events: &[event::Event], checkpoint: &str) -> Result<Vec<EventPart>> {
    let size = proof::note::Checkpoint::parse(&Note::parse(checkpoint)?.text)?.size;
    let mut parts = Vec::new();
    for event in events {
        parts.push(EventPart {
            index: event.seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or_default(),
            leaf: event.bytes.clone(),
            records_payload: opened(cx, event)?.1,
            proof: Vec::new(),
        });
    }
    let state = log_state(cx)?;
    let source = StoredTiles::new(cx.tx, state);
    let reader = TileReader::new(&source, size);
    let indexes = parts.iter().map(|part| reader.inclusion_proof(part.index));
    let proofs = indexes.collect::<proof::Result<Vec<Vec<Hash>>>>();
    for (part, proof) in parts.iter_mut().zip(source.settle(proofs)?) {
        part.proof = proof;
    }
    Ok(parts)
}

/// The evidence files of a change, each once, and the missing ones.
struct Files {
    found: Vec<(Attachment, Piece)>,
    missing: Vec<Missing>,
}

fn evidence_files(cx: &mut Context<'_, '_>, names: &[Name]) -> Result<Files> {
    let (mut found, mut missing) = (BTreeMap::new(), BTreeMap::new());
    let mut total = 0;
    for (_, id) in names.iter().filter(|(table, _)| *table == Evidence::TABLE) {
        let Some(stored) = record::load::<Evidence>(cx.tx, id)? else {
            continue;
        };
        let evidence = stored.record;
        let digest = evidence.file_digest.clone();
        if found.contains_key(&digest) {
            continue;
        }
        if evidence.file_erased_at.is_some() {
            missing.insert(digest, "the file was erased");
            continue;
        }
        total += u64::try_from(evidence.size).unwrap_or_default();
        let file = if total > EVIDENCE_LIMIT {
            Err("the bundle would be too large")
        } else {
            evidence_file(cx, &evidence)?
        };
        match file {
            Ok(file) => {
                // The file was erased with another piece of evidence, and is kept with this one.
                missing.remove(&digest);
                found.insert(digest, file);
            }
            Err(why) => drop(missing.insert(digest, why)),
        }
    }
    let missing = missing.into_iter().map(|(digest, why)| Missing {
        what: format!("evidence:{digest}"),
        why: why.to_owned(),
    });
    Ok(Files {
        missing: missing.collect(),
        found: found.into_values().collect(),
    })
}

/// A stored evidence file, or why it cannot be part of the bundle.
fn evidence_file(
    cx: &mut Context<'_, '_>,
    evidence: &Evidence,
) -> Result<std::result::Result<(Attachment, Piece), &'static str>> {
    let digest = &evidence.file_digest;
    if !proof::crypto::is_digest_text(digest) {
        return Ok(Err("its digest is not one of SHA-256"));
    }
    // A note is its own file: its digest is over its text. The database has no chunk of an empty file.
    let text = evidence.text.as_deref().unwrap_or_default().as_bytes();
    for own in [text, &[]] {
        if proof::crypto::digest_text(own) == *digest {
            return Ok(Ok((Attachment::of(own), Piece::Bytes(own.to_vec()))));
        }
    }
    let mut measure = Measure::default();
    if !each_piece(cx, digest, |piece| measure.update(piece))? {
        return Ok(Err("the file is not in the store"));
    }
    let found = measure.finish();
    if proof::crypto::hash_text(&found.sha256) != *digest {
        return Ok(Err("the stored file has another digest"));
    }
    let place = Piece::File(KeptFile {
        evidence: evidence.id.to_string(),
        digest: digest.clone(),
        size: found.bytes,
    });
    Ok(Ok((found, place)))
}

/// Reads a stored file piece by piece; `false` when it does not exist.
fn each_piece(cx: &mut Context<'_, '_>, digest: &str, mut take: impl FnMut(&[u8])) -> Result<bool> {
    let hex = digest.trim_start_matches("sha256:");
    if let Some(folder) = cx.services.tools().evidence_folder.clone() {
        return from_folder(&folder.join(hex), take);
    }
    if blob::size(cx.tx, hex)?.is_none() {
        return Ok(false);
    }
    for part in 0.. {
        let Some(chunk) = blob::chunk(cx.tx, hex, part)? else {
            break;
        };
        take(&chunk);
    }
    Ok(true)
}

fn from_folder(path: &Path, mut take: impl FnMut(&[u8])) -> Result<bool> {
    let unreadable = |error: std::io::Error| Error::Fault(format!("an evidence file cannot be read: {error}"));
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unreadable(error)),
    };
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece).map_err(unreadable)? {
            0 => return Ok(true),
            length => take(piece.get(..length).unwrap_or_default()),
        }
    }
}

//! Packs all that proves one change into one file (`GET …/changes/{key}/bundle`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::change::Change;
use model::records::{Evidence, GateCheck};
use proof::bundle::{self, BundleParts, EventPart, Missing, RecordPart};
use proof::commitment::SALT_BYTES;
use proof::crypto::Hash;
use proof::event::Subject;
use proof::note::Note;
use proof::tile::TileReader;
use store::record::{self, Filter, Record};
use store::{blob, event, salts};

use crate::error::{Error, Result};
use crate::keys;
use crate::log_tiles::{StoredTiles, log_state};
use crate::room::Room;
use crate::show_timeline::{Name, events_of, opened, records_of};

/// How many bytes of evidence files go into one bundle; what is beyond is named as missing.
const EVIDENCE_LIMIT: u64 = 256 << 20;

/// The bundle of a change. The same change gives the same bytes until the log's key turns: proofs lead to the first checkpoint that covers its last
/// event, whose time is the bundle's. Evidence files are read here, so call it where a thread may wait.
///
/// # Errors
/// [`model::refusal::Refusal::NotFound`]; [`Error::NotYet`] while an event of the change waits for its place in the log;
/// a fault when what is stored does not fit together; the store's.
pub fn export_bundle(room: &mut Room<'_, '_>, key: &str) -> Result<Vec<u8>> {
    let change = room.change(key)?;
    let mut names = records_of(room, &change)?;
    let left_out = add_gate_checks(room, &change, &mut names)?;
    let events = events_of(room, &change, &names)?;
    if events.iter().any(|event| event.seq.is_none()) {
        return Err(Error::NotYet(format!(
            "events of {} wait for their place in the log",
            change.key
        )));
    }
    let last = events.iter().filter_map(|event| event.seq).max().unwrap_or_default();
    let checkpoint = store::log::checkpoint_covering(room.tx, last)?;
    let checkpoint = checkpoint.ok_or_else(|| Error::NotYet(format!("no checkpoint covers {} yet", change.key)))?;
    let records = record_parts(room, &names)?;
    let (evidence, mut missing) = evidence_files(room, &names)?;
    missing.extend(left_out);
    let parts = BundleParts {
        tenant: room.tenant(),
        key: change.key.clone(),
        subject: Subject {
            table: Change::TABLE.to_owned(),
            id: change.id.0.clone(),
        },
        state: change.state.to_string(),
        is_open: change.state.is_open(),
        created_at: checkpoint.at.to_string(),
        missing,
        salts: salts_of(room, &records)?,
        records,
        events: event_parts(room, &events, &checkpoint.note)?,
        checkpoint: checkpoint.note,
        keys: keys::verifier_keys(room)?,
        evidence,
    };
    let signer = keys::note_signer(room, keys::LOG)?;
    Ok(bundle::build(&parts, &signer)?)
}

/// How many recorded questions to the gate go into one bundle; those beyond are named as missing.
const MOST_CHECKS: usize = 500;

/// Adds the recorded questions to the gate that were answered about this change, the first of them when there are too many.
fn add_gate_checks(room: &mut Room<'_, '_>, change: &Change, names: &mut Vec<Name>) -> Result<Option<Missing>> {
    let filter = Filter::new().equals("change_key", change.key.as_str()).order_by("id");
    let found = record::find::<GateCheck>(room.tx, &filter.limit(1 + MOST_CHECKS as i64))?;
    let is_cut = found.len() > MOST_CHECKS;
    let ids = found.into_iter().take(MOST_CHECKS).map(|stored| stored.record.id.0);
    names.extend(ids.map(|id| (GateCheck::TABLE, id)));
    names.sort();
    Ok(is_cut.then(|| Missing {
        what: "questions to the gate".to_owned(),
        why: format!("more than {MOST_CHECKS} questions were asked about the change; the first are here"),
    }))
}

fn record_parts(room: &mut Room<'_, '_>, names: &[Name]) -> Result<Vec<RecordPart>> {
    let mut parts = Vec::new();
    for (table, id) in names {
        let Some(row) = record::raw(room.tx, table, id)? else {
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

fn salts_of(room: &mut Room<'_, '_>, records: &[RecordPart]) -> Result<BTreeMap<String, [u8; SALT_BYTES]>> {
    let mut found = BTreeMap::new();
    for record in records {
        let mut texts = salts::of_record(room.tx, &record.table, &record.id)?;
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

fn event_parts(room: &mut Room<'_, '_>, events: &[event::Event], checkpoint: &str) -> Result<Vec<EventPart>> {
    let size = proof::note::Checkpoint::parse(&Note::parse(checkpoint)?.text)?.size;
    let mut parts = Vec::new();
    for event in events {
        parts.push(EventPart {
            index: event.seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or_default(),
            leaf: event.bytes.clone(),
            records_payload: opened(room, event)?.1,
            proof: Vec::new(),
        });
    }
    let state = log_state(room)?;
    let source = StoredTiles::new(room.tx, state);
    let reader = TileReader::new(&source, size);
    let indexes = parts.iter().map(|part| reader.inclusion_proof(part.index));
    let proofs = indexes.collect::<proof::Result<Vec<Vec<Hash>>>>();
    for (part, proof) in parts.iter_mut().zip(source.settle(proofs)?) {
        part.proof = proof;
    }
    Ok(parts)
}

/// The evidence files of the change, each once, and those that are not there.
fn evidence_files(room: &mut Room<'_, '_>, names: &[Name]) -> Result<(Vec<Vec<u8>>, Vec<Missing>)> {
    let (mut files, mut missing) = (BTreeMap::new(), BTreeMap::new());
    let mut total = 0;
    for (_, id) in names.iter().filter(|(table, _)| *table == Evidence::TABLE) {
        let Some(stored) = record::load::<Evidence>(room.tx, id)? else {
            continue;
        };
        let evidence = stored.record;
        let digest = evidence.file_digest.clone();
        if files.contains_key(&digest) {
            continue;
        }
        if evidence.file_erased_at.is_some() {
            missing.insert(digest, "the file was erased");
            continue;
        }
        total += u64::try_from(evidence.size).unwrap_or_default();
        let found = if total > EVIDENCE_LIMIT {
            Err("the bundle would be too large")
        } else {
            evidence_file(room, &evidence)?
        };
        match found {
            Ok(bytes) => drop(files.insert(digest, bytes)),
            Err(why) => drop(missing.insert(digest, why)),
        }
    }
    let missing = missing
        .into_iter()
        .map(|(digest, why)| Missing {
            what: format!("evidence:{digest}"),
            why: why.to_owned(),
        })
        .collect();
    Ok((files.into_values().collect(), missing))
}

/// The bytes of an evidence file, or why they cannot go into the bundle.
fn evidence_file(room: &mut Room<'_, '_>, evidence: &Evidence) -> Result<std::result::Result<Vec<u8>, &'static str>> {
    let Some(hex) = evidence
        .file_digest
        .strip_prefix("sha256:")
        .filter(|_| proof::crypto::is_digest_text(&evidence.file_digest))
    else {
        return Ok(Err("its digest is not one of SHA-256"));
    };
    // A note is its own file: its digest is over its text.
    let text = evidence.text.as_deref().unwrap_or_default().as_bytes();
    if proof::crypto::digest_text(text) == evidence.file_digest {
        return Ok(Ok(text.to_vec()));
    }
    let found = match room.desk.tools().evidence_folder.clone() {
        Some(folder) => from_folder(folder.join(hex))?,
        None => from_store(room, hex)?,
    };
    Ok(match found {
        None => Err("the file is not in the store"),
        Some(bytes) if proof::crypto::digest_text(&bytes) == evidence.file_digest => Ok(bytes),
        Some(_) => Err("the stored file has another digest"),
    })
}

fn from_folder(path: PathBuf) -> Result<Option<Vec<u8>>> {
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Fault(format!("an evidence file cannot be read: {error}"))),
    }
}

fn from_store(room: &mut Room<'_, '_>, hex: &str) -> Result<Option<Vec<u8>>> {
    if blob::size(room.tx, hex)?.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    for part in 0.. {
        let Some(chunk) = blob::chunk(room.tx, hex, part)? else {
            break;
        };
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

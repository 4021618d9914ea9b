//! The closure bundle: everything about one change in one file, to be checked years later without the server.
//! `docs/log-format.md` describes the layout, and so does the bundle's own `README.txt`.

use crate::archive::{Checksum, Outline};
use crate::commitment::{self, SALT_BYTES};
use crate::crypto::{self, Hash, Sha256};
use crate::event::{self, Event, Subject};
use crate::note::{self, Note, NoteSigner, VerifierKeys};
use crate::time_stamp::KeptStamp;
use crate::{Error, Result, archive, canonical};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::bundle_check::{BundleReport, verify, verify_with};

/// The version of the bundle format that is written and read.
pub const VERSION: u64 = 1;

/// First line of the note that signs `bundle.json`; no log is called so.
pub const STATEMENT: &str = "assent-bundle/v1";

/// How to check a bundle manually.
const README: &str = include_str!("bundle_readme.txt");

/// Something that belongs to the change and is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The missing part: `record:{table}/{id}` for a record with an incomplete history, `evidence:{digest}` for a file,
    /// anything else in plain text.
    pub what: String,
    /// The reason, in plain text.
    pub why: String,
}

/// One record in its current version, plain and sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordPart {
    /// The table, in the singular.
    pub table: String,
    /// The record's id.
    pub id: String,
    /// The record's version.
    pub version: u64,
    /// The record with its texts; an erased one is `{"erased": true}`.
    pub body: Value,
    /// The record with commitments in place of texts.
    pub sealed: Value,
}

/// One event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPart {
    /// Its index in the tenant's log.
    pub index: u64,
    /// The leaf's bytes as in the log.
    pub leaf: Vec<u8>,
    /// The deltas beside the leaf, when the leaf names a `records_digest`.
    pub records_payload: Option<Vec<u8>>,
    /// The inclusion proof for the checkpoint's size.
    pub proof: Vec<Hash>,
}

/// The parts of a bundle. Every event that touched a record of `records` belongs into `events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleParts {
    /// The tenant.
    pub tenant: String,
    /// The change's key, for people.
    pub key: String,
    /// The record that the bundle is about; `records` contains it.
    pub subject: Subject,
    /// The change's state.
    pub state: String,
    /// Whether the change is still open, so that more will come.
    pub is_open: bool,
    /// When the bundle was made, RFC 3339 in UTC.
    pub created_at: String,
    /// The parts known to be missing.
    pub missing: Vec<Missing>,
    /// The change and its records; written in the order of table and id.
    pub records: Vec<RecordPart>,
    /// Commitment to salt, for each text that is not erased.
    pub salts: BTreeMap<String, [u8; SALT_BYTES]>,
    /// The events; written in the order of their indexes.
    pub events: Vec<EventPart>,
    /// The signed checkpoint that the proofs lead to, as served.
    pub checkpoint: String,
    /// The log's verifier keys.
    pub keys: VerifierKeys,
    /// The tables for which `events` has the whole history of each record that grounds name, so that verification judges them;
    /// for freezes, the history of all. Empty where there is none.
    pub whole: Vec<String>,
    /// Time stamps over checkpoints at or after this one, each with a consistency proof.
    pub stamps: Vec<KeptStamp>,
    /// Evidence files; each is named by its digest, and written in the order of digests, once.
    pub evidence: Vec<Attachment>,
}

/// The facts about a file of evidence that a bundle needs before the file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    /// Its digest, which is its name.
    pub sha256: Hash,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its checksum as archives use it.
    pub crc32: u32,
}

impl Attachment {
    /// For a file in memory.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let mut measure = Measure::default();
        measure.update(content);
        measure.finish()
    }
}

/// Measures a file of evidence that comes in pieces.
#[derive(Debug, Default)]
pub struct Measure {
    hash: Sha256,
    checksum: Checksum,
    bytes: u64,
}

impl Measure {
    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.checksum.update(piece);
        self.bytes += piece.len() as u64;
    }

    /// Ends the file.
    #[must_use]
    pub fn finish(self) -> Attachment {
        Attachment {
            sha256: self.hash.finish(),
            bytes: self.bytes,
            crc32: self.checksum.finish(),
        }
    }
}

/// A bundle whose evidence is stored elsewhere, so that it need not be in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Its parts, one after the other.
    pub pieces: Vec<Piece>,
    /// The length of the whole in bytes.
    pub bytes: u64,
}

/// A part of a bundle's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes in the bundle.
    Bytes(Vec<u8>),
    /// The file of evidence with this digest.
    Evidence(Hash),
}

/// One line of the list of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    pub name: String,
    pub sha256: String,
    pub bytes: u64,
}

/// `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub v: u64,
    pub tenant: String,
    pub key: String,
    pub subject: Subject,
    pub state: String,
    pub is_open: bool,
    pub created_at: String,
    pub files: Vec<FileEntry>,
    pub missing: Vec<Missing>,
}

/// `record.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Records {
    pub records: Vec<RecordPart>,
}

/// One proof of `proofs.json`, hashes in hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProofEntry {
    pub index: u64,
    pub hashes: Vec<String>,
}

/// `proofs.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proofs {
    pub size: u64,
    pub root: String,
    pub proofs: Vec<ProofEntry>,
}

/// The file that names the tables of which histories are whole; a bundle of an older version has none.
pub(crate) const WHOLE: &str = "whole.json";

/// `whole.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whole {
    pub tables: Vec<String>,
}

/// The file of time stamps; a bundle has none before its log was stamped.
pub(crate) const STAMPS: &str = "time_stamps.json";

/// `time_stamps.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stamps {
    pub stamps: Vec<KeptStamp>,
}

/// Builds the bundle. The same parts and signer give the same bytes everywhere: nothing in it is
/// random, and Ed25519 signatures are deterministic. `signer` is the log's own key; it signs the
/// digest of `bundle.json`, which lists the digest of every other file.
///
/// # Errors
/// [`Error::TooLarge`] past the archive's limits; [`Error::Malformed`] or [`Error::Canonical`] for
/// parts that do not fit together.
pub fn build(parts: &BundleParts, signer: &NoteSigner) -> Result<Bundle> {
    let checkpoint = note::Checkpoint::parse(&Note::parse(&parts.checkpoint)?.text)?;
    let mut files = vec![("README.txt".to_owned(), README.as_bytes().to_vec())];
    files.extend(described(parts, &checkpoint)?);
    files.extend(attached(parts)?);
    let evidence: BTreeMap<Hash, Attachment> = parts.evidence.iter().map(|it| (it.sha256, *it)).collect();
    let manifest = to_json(&manifest(parts, &files, evidence.values()))?;
    let text = statement(&checkpoint.origin, &manifest);
    let signatures = vec![signer.sign(&text)];
    let signature = Note { text, signatures }.to_text();
    files.insert(1, ("bundle.json".to_owned(), manifest));
    files.insert(2, ("bundle.sig".to_owned(), signature.into_bytes()));
    packed(files, evidence.values())
}

/// Puts an archive around the files, and around the evidence that is not here.
fn packed<'a>(files: Vec<(String, Vec<u8>)>, evidence: impl Iterator<Item = &'a Attachment> + Clone) -> Result<Bundle> {
    let outline = |(name, content): &(String, Vec<u8>)| Outline {
        name: name.clone(),
        bytes: content.len() as u64,
        crc32: Attachment::of(content).crc32,
    };
    let attached = evidence.clone().map(|it| Outline {
        name: evidence_name(&it.sha256),
        bytes: it.bytes,
        crc32: it.crc32,
    });
    let outlines: Vec<Outline> = files.iter().map(outline).chain(attached).collect();
    let frame = archive::frame(&outlines)?;
    let (mut pieces, mut bytes) = (Vec::new(), Vec::new());
    let mut headers = frame.headers.into_iter();
    for ((_, content), header) in files.into_iter().zip(headers.by_ref()) {
        bytes.extend(header);
        bytes.extend(content);
    }
    for (header, it) in headers.zip(evidence) {
        bytes.extend(header);
        pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
        pieces.push(Piece::Evidence(it.sha256));
    }
    bytes.extend(frame.end);
    pieces.push(Piece::Bytes(bytes));
    Ok(Bundle {
        pieces,
        bytes: frame.bytes,
    })
}

/// The text that signs `bundle.json`: three lines, of which the first prevents confusion with a checkpoint.
pub(crate) fn statement(origin: &str, manifest: &[u8]) -> String {
    format!("{STATEMENT}\n{origin}\n{}\n", crypto::digest_text(manifest))
}

fn manifest<'a>(
    parts: &BundleParts,
    files: &[(String, Vec<u8>)],
    evidence: impl Iterator<Item = &'a Attachment>,
) -> Manifest {
    let entry = |(name, bytes): &(String, Vec<u8>)| FileEntry {
        name: name.clone(),
        sha256: hex::encode(crypto::sha256(bytes)),
        bytes: bytes.len() as u64,
    };
    let attached = evidence.map(|it| FileEntry {
        name: evidence_name(&it.sha256),
        sha256: hex::encode(it.sha256),
        bytes: it.bytes,
    });
    Manifest {
        v: VERSION,
        tenant: parts.tenant.clone(),
        key: parts.key.clone(),
        subject: parts.subject.clone(),
        state: parts.state.clone(),
        is_open: parts.is_open,
        created_at: parts.created_at.clone(),
        files: files.iter().map(entry).chain(attached).collect(),
        missing: parts.missing.clone(),
    }
}

/// The files that describe: records, salts, proofs, checkpoint, keys.
fn described(parts: &BundleParts, checkpoint: &note::Checkpoint) -> Result<Vec<(String, Vec<u8>)>> {
    let mut records = parts.records.clone();
    records.sort_by(|a, b| (&a.table, &a.id).cmp(&(&b.table, &b.id)));
    let salts: BTreeMap<&String, String> = parts
        .salts
        .iter()
        .map(|(commitment, salt)| (commitment, crypto::base64url(salt)))
        .collect();
    let proof = |event: &&EventPart| ProofEntry {
        index: event.index,
        hashes: event.proof.iter().map(hex::encode).collect(),
    };
    let proofs = Proofs {
        size: checkpoint.size,
        root: hex::encode(checkpoint.root),
        proofs: sorted_events(parts).iter().map(proof).collect(),
    };
    let mut files = vec![
        ("record.json".to_owned(), to_json(&Records { records })?),
        ("salts.json".to_owned(), to_json(&json!({ "salts": salts }))?),
        ("proofs.json".to_owned(), to_json(&proofs)?),
    ];
    if !parts.whole.is_empty() {
        let mut tables = parts.whole.clone();
        tables.sort();
        files.push((WHOLE.to_owned(), to_json(&Whole { tables })?));
    }
    if !parts.stamps.is_empty() {
        let stamps = parts.stamps.clone();
        files.push((STAMPS.to_owned(), to_json(&Stamps { stamps })?));
    }
    files.push(("checkpoint".to_owned(), parts.checkpoint.clone().into_bytes()));
    files.push(("key".to_owned(), parts.keys.to_text().into_bytes()));
    Ok(files)
}

/// The files that are attached unchanged: leaves, and deltas beside leaves.
fn attached(parts: &BundleParts) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut payloads = BTreeMap::new();
    for event in sorted_events(parts) {
        let parsed = Event::from_bytes(&event.leaf)?;
        if let Some(payload) = &event.records_payload {
            let digest = crypto::digest_text(payload);
            parsed.with_payload(payload)?;
            let path = event::payload_path(&digest);
            payloads.insert(path.unwrap_or_default(), payload.clone());
        }
        files.push((event_name(event.index), event.leaf.clone()));
    }
    files.extend(payloads);
    Ok(files)
}

pub(crate) fn event_name(index: u64) -> String {
    format!("events/{index}.json")
}

fn evidence_name(digest: &Hash) -> String {
    format!("evidence/{}", hex::encode(digest))
}

fn sorted_events(parts: &BundleParts) -> Vec<&EventPart> {
    let mut events: Vec<&EventPart> = parts.events.iter().collect();
    events.sort_by_key(|event| event.index);
    events
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let value = serde_json::to_value(value).map_err(|error| Error::malformed("bundle", error.to_string()))?;
    canonical::to_bytes(&value)
}

/// All commitments in a sealed value, so that a builder knows which salts to look up.
#[must_use]
pub fn commitments(sealed: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_commitments(sealed, &mut found);
    found
}

fn collect_commitments(value: &Value, found: &mut BTreeSet<String>) {
    if let Some(commitment) = commitment::commitment_of(value) {
        found.insert(commitment.to_owned());
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_commitments(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect_commitments(member, found)),
        _ => {}
    }
}

//! The stored files of evidence, in the folder or in the database's chunks: each is hashed as a stream and compared
//! with the digest and the size in the log's events. Files that were lawfully erased are skipped.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use model::change::change_file::Actor;
use model::change::related_records::Evidence;
use proof::crypto::{Sha256, digest_text, hash_text};
use serde_json::Value;
use store::change::blob;
use store::record::{self, RawRecord, Record as _};
use store::{Lane, Mode};

use super::{Finding, Progress, Replay, ReplayReport, note_finding, report_progress};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::transactions::Transactions;

/// How much of a file in the folder is in memory at once, in bytes.
const PIECE: usize = 64 * 1024;
/// How many chunks are read together, only their lengths.
const PAGE: i64 = 500;

/// A piece of evidence whose file must exist, by the log.
#[derive(Debug, Clone)]
pub(super) struct KeptFile {
    /// The evidence's id.
    evidence: String,
    /// The change's id.
    change: String,
    /// The version of the evidence that was replayed.
    version: i64,
    /// The file's size in bytes.
    size: u64,
    /// Whether the evidence contains the file's content itself: then no separate file needs to exist.
    is_held: bool,
}

impl Replay<'_> {
    /// Notes the file of a piece of evidence, as rebuilt from its events: an edit of the row changes no event.
    pub(super) fn note_file(&mut self, table: &str, row: &RawRecord, rebuilt: &Value) {
        if table != Evidence::TABLE || rebuilt.get("file_erased_at").is_some() {
            return;
        }
        let text = |name: &str| rebuilt.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let digest = text("file_digest");
        // A note is its own file: its digest is over its text. An empty file has no bytes to lose.
        let body = serde_json::from_str::<Value>(&row.body).unwrap_or_default();
        let note = body.get("text").and_then(Value::as_str).unwrap_or_default();
        let is_held = [note, ""].iter().any(|held| digest_text(held.as_bytes()) == digest);
        let kept = KeptFile {
            evidence: row.id.clone(),
            change: text("change"),
            version: row.version,
            size: rebuilt.get("size").and_then(Value::as_u64).unwrap_or_default(),
            is_held,
        };
        self.files.entry(digest).or_default().push(kept);
    }
}

/// Hashes each file once and reports every piece of evidence with another file than the stored one.
pub(super) fn check_files(
    executor: &impl Transactions,
    tenant: &str,
    (progress, files): (&Progress, BTreeMap<String, Vec<KeptFile>>),
    report: &mut ReplayReport,
) -> Result<()> {
    for (digest, kept) in files {
        report.files += 1;
        report_progress(progress, "file", report.files)?;
        if wrong_with(executor, tenant, &digest, &kept)?.is_none() {
            continue;
        }
        // The file may have been erased and swept since the rows were read; the remaining rows are checked once more.
        let kept = still_kept(executor, tenant, kept)?;
        let (named, keys): (Vec<KeptFile>, Vec<String>) = kept.into_iter().unzip();
        let Some(wrong) = wrong_with(executor, tenant, &digest, &named)? else {
            continue;
        };
        for (evidence, key) in named.iter().zip(keys) {
            let finding = Finding {
                table: Evidence::TABLE.to_owned(),
                id: evidence.evidence.clone(),
                field: Some("file".to_owned()),
                what: format!("The file {digest} of {key} {wrong}."),
            };
            note_finding(&mut report.findings, finding);
        }
    }
    Ok(())
}

/// The files that were not erased since the replay of their events, with the keys of their changes.
fn still_kept(executor: &impl Transactions, tenant: &str, kept: Vec<KeptFile>) -> Result<Vec<(KeptFile, String)>> {
    let look = move |cx: &mut Context<'_, '_>| {
        let mut found = Vec::new();
        for file in &kept {
            // A row that is gone or unreadable was reported with the rows, and erases no file.
            let now = record::load::<Evidence>(cx.tx, &file.evidence).ok().flatten();
            let is_erased =
                now.is_some_and(|it| it.record.version > file.version && it.record.file_erased_at.is_some());
            if !is_erased {
                let change = cx.change(&file.change);
                let key = change.map_or_else(|_| format!("change {}", file.change), |it| it.key.clone());
                found.push((file.clone(), key));
            }
        }
        Ok(found)
    };
    executor.wait(Lane::Pages, tenant, Actor::system(), Mode::Read, look)
}

/// The fault of a file; `None` if it is the stored file, or if no file must exist.
fn wrong_with(executor: &impl Transactions, tenant: &str, digest: &str, kept: &[KeptFile]) -> Result<Option<String>> {
    let Some(first) = kept.first() else { return Ok(None) };
    let size = first.size;
    let Some(hex) = digest
        .strip_prefix("sha256:")
        .filter(|_| proof::crypto::is_digest_text(digest))
    else {
        return Ok(Some("has no digest of SHA-256".to_owned()));
    };
    let found = match &executor.tools().evidence_folder {
        Some(folder) => in_folder(folder, hex, size),
        None => {
            let hex = hex.to_owned();
            let look = move |cx: &mut Context<'_, '_>| in_chunks(cx, &hex, size);
            match executor.wait(Lane::Pages, tenant, Actor::system(), Mode::Read, look) {
                Err(Error::Store(store::Error::Corrupt(why))) => Found::Else(format!("cannot be read: {why}")),
                found => found?,
            }
        }
    };
    Ok(match found {
        Found::Hash(found) if found == digest => None,
        Found::Hash(found) => Some(format!("has another content: its digest is {found}")),
        Found::Nothing if kept.iter().all(|it| it.is_held) => None,
        Found::Nothing => Some("is gone".to_owned()),
        Found::Length(length) if length < size => Some(format!("is cut: {length} of {size} bytes are there")),
        Found::Length(length) => Some(format!("has {length} bytes, {} more than were kept", length - size)),
        Found::Else(what) => Some(what),
    })
}

/// The content under a digest.
enum Found {
    Nothing,
    /// It has another length, in bytes.
    Length(u64),
    /// The content has the right length and this digest (`sha256:…`).
    Hash(String),
    Else(String),
}

fn in_folder(folder: &Path, hex: &str, size: u64) -> Found {
    match hash_of(&folder.join(hex), size) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Else(format!("cannot be read: {error}")),
    }
}

fn hash_of(path: &Path, size: u64) -> std::io::Result<Found> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length != size {
        return Ok(Found::Length(length));
    }
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(Found::Hash(hash_text(&hash.finish()))),
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

fn in_chunks(cx: &mut Context<'_, '_>, hex: &str, size: u64) -> Result<Found> {
    let declared = blob::size(cx.tx, hex)?;
    let (mut from, mut next, mut length) = (i64::MIN, 0, 0_u64);
    // Lengths come first: the read ends at the file's length.
    loop {
        let page = blob::parts(cx.tx, hex, from, PAGE)?;
        for part in &page {
            if part.number < 0 {
                return Ok(Found::Else(format!("has a chunk {} before the first", part.number)));
            }
            if part.number != next {
                return Ok(Found::Else(format!("has no chunk {next}")));
            }
            next += 1;
            length += u64::try_from(part.length).unwrap_or_default();
        }
        if page.is_empty() {
            break;
        }
        from = next;
    }
    match declared {
        None if next == 0 => return Ok(Found::Nothing),
        None => return Ok(Found::Else("was never declared whole, or its row is gone".to_owned())),
        Some(declared) if u64::try_from(declared) != Ok(size) => {
            return Ok(Found::Else(format!(
                "is declared with {declared} bytes instead of {size}"
            )));
        }
        Some(_) if length != size => return Ok(Found::Length(length)),
        Some(_) => {}
    }
    let mut hash = Sha256::new();
    for part in 0..next {
        hash.update(&blob::chunk(cx.tx, hex, part)?.unwrap_or_default());
    }
    Ok(Found::Hash(hash_text(&hash.finish())))
}

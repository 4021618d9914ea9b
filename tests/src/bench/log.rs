//! Verifying a whole log, beside bare hashing of the same bytes.

use anyhow::{Result, ensure};
use proof::crypto::SigningKey;
use proof::event::{Event, Subject};
use proof::log_check::{LogCheck, verify_log};
use proof::note::{Checkpoint, KeyKind, NoteSigner, VerifierKeys};
use proof::report::Outcome;
use proof::tile::{self, MemoryTiles};
use proof::{diff, merkle};
use serde_json::{Map, json};

use super::load::seconds_since;
use super::report::Line;

const ORIGIN: &str = "bench.example/t/acme/log";
/// Events that are appended at once; a multiple of 65,536 leaves no partial tiles of the two lowest levels.
const AT_ONCE: u64 = 65_536;
/// Each record gets so many versions.
const VERSIONS: u64 = 10;

/// Makes a log of so many events in memory, verifies it, and hashes its entry bundles.
pub fn measure(events: u64) -> Result<Line> {
    let signer = NoteSigner::new(ORIGIN, SigningKey::from_seed([7; 32])?)?;
    let keys = VerifierKeys(vec![signer.verifier(KeyKind::Ed25519)]);
    let log = make_log(events, &signer)?;
    let began = assent::clock::now();
    let report = verify_log(&log, &keys, &LogCheck::default());
    let verified = seconds_since(began);
    ensure!(
        report.outcome == Outcome::Good && report.checked == events,
        "the log is not good: {:?}",
        report.report
    );
    let began = assent::clock::now();
    let mut bytes = 0;
    let mut last = 0;
    for bundle in log.0.iter().filter(|(path, _)| path.starts_with("tile/entries/")) {
        bytes += bundle.1.len();
        last ^= proof::crypto::sha256(bundle.1)[0];
    }
    let hashed = seconds_since(began);
    let megabytes = bytes as f64 / 1e6;
    // The sum is looked at, so that the hashing cannot be left out by the compiler.
    let what = format!("Verifying a log of {events} events ({megabytes:.0} MB, {last:02x})");
    Ok(Line::rates(what, megabytes / verified, megabytes / hashed, "MB/s", 0.5))
}

fn make_log(events: u64, signer: &NoteSigner) -> Result<MemoryTiles> {
    let mut log = MemoryTiles::default();
    let (mut size, mut root) = (0, merkle::empty_root());
    while size < events {
        let leaves: Vec<Vec<u8>> = (size..events.min(size + AT_ONCE)).map(leaf).collect::<Result<_>>()?;
        let done = tile::append(&log, size, &root, &leaves)?;
        log.write(&done.tiles);
        (size, root) = (done.size, done.root);
    }
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root,
    };
    let note = checkpoint.sign(signer).to_text();
    log.0.insert("checkpoint".to_owned(), note.into_bytes());
    Ok(log)
}

/// An event such as an edit writes.
fn leaf(index: u64) -> Result<Vec<u8>> {
    let (record, version) = (
        format!("01997c5e-7a00-7000-8000-{:012x}", index / VERSIONS),
        index % VERSIONS + 1,
    );
    let commitment = |text: &str| json!({"c": proof::crypto::base64url(&proof::crypto::sha256(text.as_bytes()))});
    let sealed = json!({
        "id": record, "title": commitment(&format!("title {index}")), "description": commitment(&format!("text {index}")),
        "state": "assessing", "number": index, "version": version,
    });
    let event = Event {
        v: 1,
        id: format!("01997c5f-7a00-7000-8000-{index:012x}"),
        tenant: "acme".to_owned(),
        kind: "change.edited".to_owned(),
        actor: "01997c5d-7a00-7000-8000-000000000001".to_owned(),
        occurred_at: "2026-11-20T07:12:52.123456Z".to_owned(),
        recorded_at: "2026-11-20T07:12:52.123456Z".to_owned(),
        subject: Subject {
            table: "change".to_owned(),
            id: record.clone(),
        },
        data: Map::new(),
        records: vec![diff::between("change", &record, version, None, &sealed)?],
        records_digest: None,
        act: format!("01997c60-7a00-7000-8000-{index:012x}"),
    };
    Ok(event.to_bytes()?.leaf)
}

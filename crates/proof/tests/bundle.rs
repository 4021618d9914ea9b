//! Closure bundles: the same bytes each time, good when whole, and bad when anything was changed,
//! even by somebody who repairs every digest that the archive itself holds.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Tenant, keys, packed, signer, story};
use proof::bundle::{self, Attachment, BundleParts, Missing};
use proof::event::Event;
use proof::report::Outcome;
use proof::tile::TileReader;
use proof::{archive, commitment, crypto};
use serde_json::{Value, json};

fn parts() -> BundleParts {
    let (tenant, indexes, evidence) = story(3);
    tenant.parts(&indexes, &evidence)
}

/// A file that no record names.
const UNNAMED: &[u8] = b"not asked for";

fn build(parts: &BundleParts) -> Vec<u8> {
    let (.., mut evidence) = story(0);
    evidence.push(UNNAMED.to_vec());
    packed(parts, &evidence)
}

fn files(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let files = archive::read(bytes).unwrap();
    files
        .iter()
        .map(|(name, content)| ((*name).to_owned(), content.to_vec()))
        .collect()
}

fn archive_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let files: Vec<archive::File<'_>> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    archive::write(&files).unwrap()
}

#[test]
fn a_whole_bundle_is_good_and_has_the_same_bytes_each_time() {
    let mut parts = parts();
    let bytes = build(&parts);
    let report = bundle::verify(&bytes, Some(&keys(1)));
    assert_eq!(report.outcome, Outcome::Good, "{:?}", report.report);
    assert_eq!((report.events_proven, report.records_checked), (4, 3));
    assert_eq!(
        (report.key.as_deref(), report.state.as_deref()),
        (Some("CHG-1042"), Some("closed"))
    );
    assert_eq!((report.is_open, report.log_size), (Some(false), Some(16)));
    assert!(report.report.has("missing"), "what is missing must be told");
    parts.records.reverse();
    parts.events.reverse();
    assert_eq!(build(&parts), bytes);
    // Written down once: a change of this value means that old bundles are built differently.
    let digest = crypto::digest_text(&bytes);
    assert_eq!(
        digest,
        "sha256:eb6ce35817111e13dca4e0c8b65d52c57e08cf820fc2d82830aaefd26ea21611"
    );
}

#[test]
fn the_files_stand_in_their_order() {
    let names: Vec<String> = files(&build(&parts())).into_iter().map(|(name, _)| name).collect();
    let fixed = [
        "README.txt",
        "bundle.json",
        "bundle.sig",
        "record.json",
        "salts.json",
        "proofs.json",
        "checkpoint",
        "key",
    ];
    assert_eq!(names[..8], fixed);
    assert_eq!(
        names[8..12],
        ["events/0.json", "events/4.json", "events/8.json", "events/12.json"]
    );
    assert!(names[12].starts_with("evidence/"));
    assert_eq!(names.len(), 13);
}

#[test]
fn without_a_trusted_key_a_good_bundle_says_whom_it_trusted() {
    let report = bundle::verify(&build(&parts()), None);
    assert_eq!(report.outcome, Outcome::Good);
    assert!(report.report.has("own_key_trusted"));
    let report = bundle::verify(&build(&parts()), Some(&keys(2)));
    assert_eq!(report.outcome, Outcome::Bad);
    assert!(report.report.has("checkpoint_untrusted"));
}

#[test]
fn an_open_change_says_so() {
    let mut parts = parts();
    (parts.is_open, parts.state) = (true, "closed".into());
    assert_eq!(bundle::verify(&build(&parts), None).is_open, Some(true));
}

#[test]
fn a_flip_of_any_byte_is_found() {
    let bytes = build(&parts());
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1 << (index % 8);
        assert_ne!(bundle::verify(&changed, None).outcome, Outcome::Good, "byte {index}");
    }
    for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert_eq!(bundle::verify(&bytes[..length], None).outcome, Outcome::Bad);
    }
}

#[test]
fn a_flip_inside_a_file_is_found_even_when_the_archive_fits_again() {
    let whole = files(&build(&parts()));
    for place in 0..whole.len() {
        let length = whole[place].1.len();
        for index in (0..length).step_by(length / 40 + 1) {
            let mut changed = whole.clone();
            changed[place].1[index] ^= 1 << (index % 7);
            let report = bundle::verify(&archive_of(&changed), None);
            assert_ne!(report.outcome, Outcome::Good, "{} byte {index}", whole[place].0);
        }
    }
}

#[test]
fn a_file_that_is_missing_added_or_moved_is_found() {
    let whole = files(&build(&parts()));
    for place in 0..whole.len() {
        let mut fewer = whole.clone();
        fewer.remove(place);
        assert_eq!(
            bundle::verify(&archive_of(&fewer), None).outcome,
            Outcome::Bad,
            "{}",
            whole[place].0
        );
    }
    let mut more = whole.clone();
    more.push(("events/99.json".into(), b"{}".to_vec()));
    assert!(bundle::verify(&archive_of(&more), None).report.has("files_differ"));
    let mut moved = whole;
    moved.swap(3, 4);
    assert!(bundle::verify(&archive_of(&moved), None).report.has("files_differ"));
}

/// Builds with the true key from parts that were tampered with, as the holder of the key could.
fn tampered(change: impl FnOnce(&mut BundleParts)) -> bundle::BundleReport {
    let mut parts = parts();
    change(&mut parts);
    bundle::verify(&build(&parts), Some(&keys(1)))
}

fn record<'a>(parts: &'a mut BundleParts, table: &str) -> &'a mut bundle::RecordPart {
    parts.records.iter_mut().find(|record| record.table == table).unwrap()
}

/// Puts the events of the parts into a log of their own, the third one so.
fn retold(parts: &mut BundleParts, event: &Event) {
    parts.events[2].leaf = event.to_bytes().unwrap().leaf;
    let mut tenant = Tenant::new();
    tenant.leaves = parts.events.iter().map(|event| (event.leaf.clone(), None)).collect();
    let store = tenant.log(1);
    let reader = TileReader::new(&store, tenant.leaves.len() as u64);
    for (index, event) in (0..).zip(&mut parts.events) {
        event.index = index;
        event.proof = reader.inclusion_proof(index).unwrap();
    }
    parts.checkpoint = String::from_utf8(store.0["checkpoint"].clone()).unwrap();
}

#[test]
fn an_event_without_grounds_is_good_only_where_the_bundle_shows_that_the_log_had_none_yet() {
    let without = |parts: &mut BundleParts, began: Option<usize>| {
        let mut event = Event::from_bytes(&parts.events[2].leaf).unwrap();
        event.data.clear();
        if let Some(at) = began {
            let mut began = event.clone();
            began.kind = proof::grounds::BEGAN.into();
            began.records.clear();
            let mut part = parts.events[2].clone();
            part.leaf = began.to_bytes().unwrap().leaf;
            parts.events.insert(at, part);
        }
        let at = 2 + usize::from(began.is_some_and(|at| at <= 2));
        parts.events[at].leaf = event.to_bytes().unwrap().leaf;
        let third = Event::from_bytes(&parts.events[2].leaf).unwrap();
        retold(parts, &third);
    };
    for (began, outcome, code) in [
        (None, Outcome::CannotTell, "grounds_missing"),
        (Some(4), Outcome::Good, "grounds_not_yet"),
        (Some(0), Outcome::Bad, "grounds_missing"),
    ] {
        let report = tampered(|parts| without(parts, began));
        assert_eq!(report.outcome, outcome, "{began:?}: {:?}", report.report);
        assert!(report.report.has(code), "{began:?}");
    }
}

#[test]
fn lies_under_the_true_key_are_found_and_named() {
    type Lie = fn(&mut BundleParts);
    let lies: [(&str, Lie); 18] = [
        ("grounds_missing", |parts| {
            let without = parts
                .records
                .iter()
                .position(|record| record.table == "evidence")
                .unwrap();
            parts.records.remove(without);
            parts.events.remove(1);
        }),
        ("grounds_missing", |parts| {
            let mut event = Event::from_bytes(&parts.events[2].leaf).unwrap();
            event.data["grounds"]["rules"][0]["count"] = json!(3);
            retold(parts, &event);
        }),
        ("text_differs", |parts| {
            record(parts, "approval").body["text"] = json!("Never agreed")
        }),
        ("text_differs", |parts| record(parts, "change").body["risk"] = json!(1)),
        ("text_differs", |parts| {
            record(parts, "change").body["title"] = commitment::erased_text()
        }),
        ("text_differs", |parts| drop(parts.salts.pop_first())),
        ("text_differs", |parts| {
            parts.salts.values_mut().for_each(|salt| salt[0] ^= 1)
        }),
        ("record_differs", |parts| {
            record(parts, "change").body["risk"] = json!(1);
            record(parts, "change").sealed["risk"] = json!(1);
        }),
        ("record_differs", |parts| record(parts, "change").version = 2),
        ("history_broken", |parts| drop(parts.events.remove(0))),
        ("history_broken", |parts| drop(parts.events.remove(2))),
        ("record_differs", |parts| drop(parts.events.pop())),
        ("history_broken", |parts| {
            let invented = bundle::RecordPart {
                id: "a-2".into(),
                ..record(parts, "approval").clone()
            };
            parts.records.push(invented);
        }),
        ("record_twice", |parts| {
            let again = record(parts, "approval").clone();
            parts.records.push(again);
        }),
        ("not_in_log", |parts| parts.events[1].proof[0][0] ^= 1),
        ("not_in_log", |parts| {
            let mut event = Event::from_bytes(&parts.events[1].leaf).unwrap();
            event.actor = "somebody-else".into();
            parts.events[1].leaf = event.to_bytes().unwrap().leaf;
        }),
        ("subject_differs", |parts| parts.state = "approved".into()),
        ("subject_missing", |parts| parts.subject.id = "c-2".into()),
    ];
    for (number, (code, lie)) in lies.into_iter().enumerate() {
        let report = tampered(lie);
        assert_eq!(report.outcome, Outcome::Bad, "lie {number}");
        assert!(report.report.has(code), "lie {number}: {:?}", report.report);
    }
    let report = tampered(|parts| parts.tenant = "other".into());
    assert!(report.report.has("wrong_tenant"));
    let report = tampered(|parts| parts.evidence.push(Attachment::of(UNNAMED)));
    assert_eq!(
        (report.outcome, report.report.has("evidence_unnamed")),
        (Outcome::Good, true)
    );
}

#[test]
fn an_admitted_gap_cannot_be_told_rather_than_bad() {
    let report = tampered(|parts| {
        parts.events.remove(1);
        parts.missing.push(Missing {
            what: "record:evidence/e-1".into(),
            why: "its history lies elsewhere".into(),
        });
    });
    assert_eq!(report.outcome, Outcome::CannotTell, "{:?}", report.report);
    assert!(report.report.has("history_incomplete"));
}

#[test]
fn an_erased_text_leaves_the_bundle_good() {
    let report = tampered(|parts| {
        let change = record(parts, "change");
        let gone = commitment::commitment_of(&change.sealed["notes"][0])
            .unwrap()
            .to_owned();
        change.body["notes"][0] = commitment::erased_text();
        parts.salts.remove(&gone).unwrap();
    });
    assert_eq!(report.outcome, Outcome::Good, "{:?}", report.report);
}

#[test]
fn long_deltas_travel_beside_their_event() {
    let (mut tenant, mut indexes, evidence) = story(0);
    indexes.push(tenant.leaves.len() as u64);
    let log = vec!["step"; 2_000];
    tenant.act("log.written", &[("entry", "n-1", json!({"id": "n-1", "notes": log}))]);
    let parts = tenant.parts(&indexes, &evidence);
    assert!(parts.events[4].records_payload.is_some());
    let bytes = build(&parts);
    assert_eq!(bundle::verify(&bytes, None).outcome, Outcome::Good);
    let mut without = parts;
    without.events[4].records_payload = None;
    let report = bundle::verify(&build(&without), None);
    assert!(report.report.has("payload_missing"));
}

#[test]
fn a_bundle_of_a_later_version_cannot_be_told() {
    let mut files = files(&build(&parts()));
    let mut manifest: Value = serde_json::from_slice(&files[1].1).unwrap();
    manifest["v"] = json!(2);
    files[1].1 = proof::canonical::to_bytes(&manifest).unwrap();
    let text = format!(
        "assent-bundle/v1\n{}\n{}\n",
        common::ORIGIN,
        crypto::digest_text(&files[1].1)
    );
    let signatures = vec![signer(1).sign(&text)];
    files[2].1 = proof::note::Note { text, signatures }.to_text().into_bytes();
    let report = bundle::verify(&archive_of(&files), None);
    assert_eq!(report.outcome, Outcome::CannotTell);
    assert!(report.report.has("unknown_version"));
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    let mut broken = parts();
    broken.checkpoint = "no note".into();
    assert!(bundle::build(&broken, &signer(1)).is_err());
    let mut broken = parts();
    broken.events[0].leaf = b"{}".to_vec();
    assert!(bundle::build(&broken, &signer(1)).is_err());
    let mut broken = parts();
    broken.events[0].records_payload = Some(b"[]".to_vec());
    assert!(bundle::build(&broken, &signer(1)).is_err());
    let mut broken = parts();
    broken.records[0].body["risk"] = json!(1.5);
    assert!(bundle::build(&broken, &signer(1)).is_err());
}

//! A small log, whole and then damaged in every way that a database administrator could try.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::crypto::SigningKey;
use crate::diff;
use crate::event::{Event, Subject};
use crate::note::{KeyKind, NoteSigner};
use crate::tile::MemoryTiles;
use serde_json::{Map, json};
use std::borrow::Cow;

const ORIGIN: &str = "assent.example/t/acme/log";

fn signer() -> NoteSigner {
    NoteSigner::new(ORIGIN, SigningKey::from_seed([1; 32]).unwrap()).unwrap()
}

fn keys() -> VerifierKeys {
    VerifierKeys(vec![signer().verifier(KeyKind::Ed25519)])
}

fn event(index: u64, record: u64, version: u64, text_bytes: usize) -> Event {
    let sealed = json!({"n": version, "x": "x".repeat(text_bytes)});
    Event {
        v: 1,
        id: format!("e-{index}"),
        tenant: "acme".into(),
        kind: "change.edited".into(),
        actor: "system".into(),
        occurred_at: "2026-11-20T07:12:52Z".into(),
        recorded_at: "2026-11-20T07:12:52Z".into(),
        subject: Subject {
            table: "change".into(),
            id: format!("c-{record}"),
        },
        data: Map::new(),
        records: vec![diff::between("change", &format!("c-{record}"), version, None, &sealed).unwrap()],
        records_digest: None,
        act: format!("a-{index}"),
    }
}

/// Leaf `index` of a log of ten records that take turns.
fn leaf(index: u64) -> Vec<u8> {
    event(index, index % 10, index / 10 + 1, 0).to_bytes().unwrap().leaf
}

fn log(leaves: &[Vec<u8>]) -> MemoryTiles {
    let mut store = MemoryTiles::default();
    extend(&mut store, 0, leaves);
    store
}

fn extend(store: &mut MemoryTiles, size: u64, leaves: &[Vec<u8>]) {
    let root = TileReader::new(store, size).root().unwrap();
    let done = tile::append(store, size, &root, leaves).unwrap();
    store.write(&done.tiles);
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: done.size,
        root: done.root,
    };
    store
        .0
        .insert("checkpoint".into(), checkpoint.sign(&signer()).to_text().into_bytes());
}

fn verify(store: &MemoryTiles) -> LogReport {
    verify_log(
        store,
        &keys(),
        &LogCheck {
            origin: Some(ORIGIN),
            ..LogCheck::default()
        },
    )
}

fn checkpoint(size: u64) -> Checkpoint {
    let leaves: Vec<Vec<u8>> = (0..size).map(leaf).collect();
    let root = TileReader::new(&log(&leaves), size).root().unwrap();
    Checkpoint {
        origin: ORIGIN.into(),
        size,
        root,
    }
}

/// Writes a bundle again with one entry changed.
fn change_entry(store: &mut MemoryTiles, path: &str, place: usize, entry: &[u8]) {
    let bytes = store.0.get_mut(path).unwrap();
    let mut entries: Vec<Vec<u8>> = tile::read_entries(bytes).unwrap().iter().map(|e| e.to_vec()).collect();
    entries[place] = entry.to_vec();
    *bytes = tile::write_entries(&entries).unwrap();
}

fn whole() -> MemoryTiles {
    log(&(0..700).map(leaf).collect::<Vec<_>>())
}

#[test]
fn a_whole_log_is_good() {
    let seen = std::cell::Cell::new(0);
    let progress = |done| seen.set(done);
    let older = checkpoint(300);
    let check = LogCheck {
        origin: Some(ORIGIN),
        older: Some(&older),
        progress: Some(&progress),
    };
    let report = verify_log(&whole(), &keys(), &check);
    assert_eq!(report.outcome, Outcome::Good, "{:?}", report.report);
    assert_eq!(
        (report.checked, report.size, report.first_bad, seen.get()),
        (700, Some(700), None, 700)
    );
    assert!(report.report.has("not_cosigned"));
    let mut empty = MemoryTiles::default();
    extend(&mut empty, 0, &[]);
    assert_eq!(verify(&empty).outcome, Outcome::Good);
}

#[test]
fn a_changed_entry_is_named() {
    for index in [0_u64, 255, 256, 511, 512, 699] {
        let mut store = whole();
        let bundle = index / 256;
        let path = tile::entries_path(bundle, (700 - bundle * 256).min(256));
        let forged = String::from_utf8(leaf(index))
            .unwrap()
            .replace("change.edited", "change.closed");
        change_entry(&mut store, &path, (index % 256) as usize, forged.as_bytes());
        let report = verify(&store);
        assert_eq!((report.outcome, report.first_bad), (Outcome::Bad, Some(index)));

        // The tile is made to fit, so only the range under it can be named.
        let tile_path = tile::tile_path(0, bundle, (700 - bundle * 256).min(256));
        let at = (index % 256) as usize * 32;
        store.0.get_mut(&tile_path).unwrap()[at..at + 32].copy_from_slice(&crate::merkle::leaf_hash(forged.as_bytes()));
        let report = verify(&store);
        assert_eq!(report.outcome, Outcome::Bad);
        let named = if bundle == 2 { 0 } else { bundle * 256 };
        assert_eq!(report.first_bad, Some(named), "entry {index}");
    }
}

#[test]
fn every_changed_byte_of_any_resource_is_found() {
    let store = log(&(0..520).map(leaf).collect::<Vec<_>>());
    let mut seed = 1_u64;
    for path in store.0.keys() {
        for _ in 0..60 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut changed = store.clone();
            let bytes = changed.0.get_mut(path).unwrap();
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] ^= 1 << (seed % 8);
            assert_eq!(verify(&changed).outcome, Outcome::Bad, "{path} byte {at}");
        }
        let mut removed = store.clone();
        removed.0.remove(path);
        let expected = if path == "checkpoint" {
            Outcome::CannotTell
        } else {
            Outcome::Bad
        };
        assert_eq!(verify(&removed).outcome, expected, "{path} removed");
    }
}

#[test]
fn a_cut_or_rewritten_log_signed_with_the_true_key_is_found_by_an_older_checkpoint() {
    let older = checkpoint(300);
    let check = LogCheck {
        origin: Some(ORIGIN),
        older: Some(&older),
        progress: None,
    };
    let cut = log(&(0..299).map(leaf).collect::<Vec<_>>());
    assert_eq!(verify(&cut).outcome, Outcome::Good, "nobody else could tell");
    let report = verify_log(&cut, &keys(), &check);
    assert_eq!((report.outcome, report.first_bad), (Outcome::Bad, Some(299)));
    let mut leaves: Vec<Vec<u8>> = (0..400).map(leaf).collect();
    leaves[17] = String::from_utf8(leaf(17))
        .unwrap()
        .replace("edited", "closed")
        .into_bytes();
    let report = verify_log(&log(&leaves), &keys(), &check);
    assert!(report.report.has("inconsistent"));
    let other = Checkpoint {
        origin: "other".into(),
        ..older.clone()
    };
    let check = LogCheck {
        older: Some(&other),
        ..check
    };
    assert!(verify_log(&whole(), &keys(), &check).report.has("other_log"));
}

#[test]
fn an_older_checkpoint_of_any_size_is_compared() {
    let store = whole();
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 699, 700] {
        let mut older = checkpoint(size);
        let check = |older: &Checkpoint| {
            verify_log(
                &store,
                &keys(),
                &LogCheck {
                    older: Some(older),
                    ..LogCheck::default()
                },
            )
        };
        assert_eq!(check(&older).outcome, Outcome::Good, "{size}");
        older.root[0] ^= 1;
        let report = check(&older);
        let count = report
            .report
            .findings
            .iter()
            .filter(|finding| finding.code == "inconsistent")
            .count();
        assert_eq!((report.outcome, count), (Outcome::Bad, 1), "{size}");
    }
}

#[test]
fn versions_out_of_order_are_named() {
    type Change = fn(&mut Vec<Vec<u8>>);
    let cases: [Change; 4] = [
        |leaves| leaves.swap(15, 25),
        |leaves| drop(leaves.remove(15)),
        |leaves| leaves.insert(15, leaf(5)),
        |leaves| leaves[5] = event(5, 5, 2, 0).to_bytes().unwrap().leaf,
    ];
    for (change, first) in cases.iter().zip([15, 24, 15, 5]) {
        let mut leaves: Vec<Vec<u8>> = (0..40).map(leaf).collect();
        change(&mut leaves);
        let report = verify(&log(&leaves));
        assert!(report.report.has("version_order"));
        assert_eq!((report.outcome, report.first_bad), (Outcome::Bad, Some(first)));
    }
}

#[test]
fn entries_that_are_no_events_are_named() {
    let wrong = [
        b"".to_vec(),
        b"{}".to_vec(),
        b"\xff".to_vec(),
        [b" ".as_slice(), &leaf(7)].concat(),
        String::from_utf8(leaf(7)).unwrap().replace("acme", "evil").into_bytes(),
    ];
    for entry in wrong {
        let mut leaves: Vec<Vec<u8>> = (0..10).map(leaf).collect();
        leaves[7] = entry;
        let report = verify(&log(&leaves));
        assert_eq!((report.outcome, report.first_bad), (Outcome::Bad, Some(7)));
    }
    let newer = String::from_utf8(leaf(0))
        .unwrap()
        .replace("\"v\":1", "\"v\":2")
        .into_bytes();
    assert_eq!(verify(&log(&[newer])).outcome, Outcome::CannotTell);
}

#[test]
fn deltas_beside_a_leaf_are_followed() {
    let long = event(0, 0, 1, 70_000).to_bytes().unwrap();
    let payload = long.records_payload.unwrap();
    let path = event::payload_path(&crypto::digest_text(&payload)).unwrap();
    let mut store = log(&[long.leaf, event(1, 0, 2, 0).to_bytes().unwrap().leaf]);
    assert!(verify(&store).report.has("payload_missing"));
    store.0.insert(path.clone(), payload);
    assert_eq!(verify(&store).outcome, Outcome::Good);
    store.0.get_mut(&path).unwrap()[9] ^= 1;
    assert!(verify(&store).report.has("payload_changed"));
}

#[test]
fn a_source_that_fails_is_no_proof_of_anything() {
    struct Failing(MemoryTiles, &'static str);
    impl TileSource for Failing {
        fn get(&self, path: &str) -> crate::Result<Option<Cow<'_, [u8]>>> {
            if path.starts_with(self.1) {
                return Err(Error::Source {
                    path: path.into(),
                    why: "the disk is on fire".into(),
                });
            }
            self.0.get(path)
        }
    }
    for prefix in ["checkpoint", "tile/entries/001", "tile/0/001", "tile/1/"] {
        let report = verify_log(&Failing(whole(), prefix), &keys(), &LogCheck::default());
        assert_eq!(report.outcome, Outcome::CannotTell, "{prefix}: {:?}", report.report);
    }
}

#[test]
fn another_key_or_origin_is_refused() {
    let check = LogCheck {
        origin: Some("other.example"),
        ..LogCheck::default()
    };
    assert_eq!(verify_log(&whole(), &keys(), &check).outcome, Outcome::Bad);
    let other = NoteSigner::new(ORIGIN, SigningKey::from_seed([2; 32]).unwrap()).unwrap();
    let other = VerifierKeys(vec![other.verifier(KeyKind::Ed25519)]);
    assert_eq!(verify_log(&whole(), &other, &LogCheck::default()).outcome, Outcome::Bad);
}

#[test]
fn a_log_is_held_to_its_age_and_a_cosignature_from_the_future_attests_nothing() {
    let report = |times: &[u64]| LogReport {
        outcome: Outcome::Good,
        origin: None,
        size: None,
        checked: 0,
        cosigned: times.iter().map(|time| ("w".to_owned(), *time)).collect(),
        first_bad: None,
        report: Report::default(),
    };
    for (times, outcome, code) in [
        (&[1_000][..], Outcome::Good, ""),
        (&[1_060], Outcome::Good, ""),
        (&[500, 970], Outcome::Good, ""),
        (&[], Outcome::Good, ""),
        (&[899], Outcome::CannotTell, "checkpoint_old"),
        (&[990, 1_061], Outcome::CannotTell, "cosigned_in_future"),
        (&[5_000, 100], Outcome::CannotTell, "checkpoint_old"),
    ] {
        let mut report = report(times);
        report.hold_to_age(1_000, 100);
        assert_eq!(report.outcome, outcome, "{times:?}");
        assert!(code.is_empty() || report.report.has(code), "{times:?}");
    }
}

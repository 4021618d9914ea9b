//! Hostile bytes: no parser panics, and an accepted input is written back as the same bytes, so that nothing has two spellings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use proof::event::Event;
use proof::jwks::Jwks;
use proof::note::{Checkpoint, KeyKind, Note, VerifierKey};
use proof::tile::{self, TileName};
use proof::{archive, bundle, canonical, merkle, permit};
use proptest::prelude::*;

/// A well-formed specimen of each text format, to be mutated.
fn specimens() -> Vec<Vec<u8>> {
    let (tenant, indexes, evidence) = common::story(1);
    let bundle = common::packed(&tenant.parts(&indexes, &evidence), &evidence);
    let note = tenant.log(1).0["checkpoint"].clone();
    let body = Note::parse(std::str::from_utf8(&note).unwrap()).unwrap().text;
    let key = common::signer(1).verifier(KeyKind::Ed25519).to_text();
    let entries = tile::write_entries(&[b"one", b"two"]).unwrap();
    let jwks = Jwks {
        tenant: "acme".into(),
        keys: Vec::new(),
    }
    .to_json()
    .to_string();
    let path = b"tile/entries/x001/234.p/5".to_vec();
    vec![
        bundle,
        note,
        body.into(),
        key.into(),
        entries,
        jwks.into(),
        path,
        tenant.leaves[0].0.clone(),
    ]
}

/// Gives the bytes to every parser; whatever is accepted must be written back unchanged.
fn feed(bytes: &[u8]) {
    if let Ok(files) = archive::read(bytes) {
        assert_eq!(archive::write(&files).unwrap(), bytes);
    }
    if let Ok(event) = Event::from_bytes(bytes) {
        let again = serde_json::to_value(&event).unwrap();
        assert_eq!(canonical::to_bytes(&again).unwrap(), bytes);
    }
    if let Ok(value) = canonical::from_bytes(bytes) {
        assert_eq!(canonical::to_bytes(&value).unwrap(), bytes);
    }
    if let Ok(entries) = tile::read_entries(bytes) {
        assert_eq!(tile::write_entries(&entries).unwrap(), bytes);
    }
    let _ = tile::read_tile(bytes);
    let _ = Jwks::parse(bytes);
    let text = String::from_utf8_lossy(bytes);
    if let Ok(note) = Note::parse(&text) {
        assert_eq!(note.to_text(), text);
    }
    if let Ok(key) = VerifierKey::parse(&text) {
        assert_eq!(key.to_text(), text);
    }
    if let Ok(checkpoint) = Checkpoint::parse(&text) {
        assert!(text.starts_with(&checkpoint.to_text()));
    }
    if let Some(name) = TileName::parse(&text) {
        assert_eq!(name.path(), text);
    }
    let keys = Jwks {
        tenant: "acme".into(),
        keys: Vec::new(),
    };
    let expected = permit::Expected {
        service: "s",
        environment: "e",
        artifact: Some("a"),
        commit: None,
        content_digest: None,
        now: 0,
        purpose: None,
        max_list_age_seconds: None,
    };
    assert!(permit::verify(&text, &keys, None, &expected).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        feed(&bytes);
        prop_assert_ne!(bundle::verify(&bytes, None).outcome, proof::report::Outcome::Good);
    }

    #[test]
    fn numbers_at_their_limits_are_verified_without_a_panic(
        index in any::<u64>(), size in any::<u64>(), shift in 0..64_u32, length in 0..70_usize,
    ) {
        let (size, hash) = (size >> shift, [0; 32]);
        let proof = vec![hash; length];
        prop_assert!(!merkle::verify_inclusion(&hash, index, size, &proof, &hash));
        let is_same = index == size && proof.is_empty();
        prop_assert_eq!(merkle::verify_consistency(index, size, &proof, &hash, &hash), is_same);
    }
}

#[test]
fn mutated_specimens_are_read_without_a_panic() {
    let mut seed = 7_u64;
    let mut draw = |limit: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % limit
    };
    for specimen in specimens() {
        feed(&specimen);
        for _ in 0..300 {
            let mut mutated = specimen.clone();
            for _ in 0..=draw(3) {
                let at = draw(mutated.len());
                if mutated.len() < 2 {
                    break;
                }
                match draw(4) {
                    0 => mutated[at] ^= 1 << draw(8),
                    1 => drop(mutated.remove(at)),
                    2 => mutated.insert(at, draw(256).to_le_bytes()[0]),
                    _ => mutated.truncate(at.max(1)),
                }
            }
            feed(&mutated);
        }
    }
}

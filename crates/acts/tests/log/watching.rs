//! This tenant as a witness of logs of others: the notes that it cosigns and its other responses (C2SP tlog-witness).

use acts::audit::outside_proofs::witness_log::{Witnessed, witness_log};
use acts::core::noun;
use model::audit::watched_log::WatchedLog;
use proof::crypto::{Hash, SigningKey};
use proof::merkle::{leaf_hash, node_hash};
use proof::note::witness::{AddCheckpoint, read_cosignatures};
use proof::note::{Checkpoint, KeyKind, Note, NoteSigner, VerifierKeys};
use serde_json::json;

use crate::world::{TENANT, World, body};

const ORIGIN: &str = "log.example/acme";

fn signer(seed: u8) -> NoteSigner {
    NoteSigner::new(ORIGIN, SigningKey::from_seed([seed; 32]).unwrap()).unwrap()
}

fn submit(world: &World, signer: &NoteSigner, old: u64, proof: &[Hash], (size, root): (u64, Hash)) -> Witnessed {
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root,
    };
    let asked = AddCheckpoint {
        old_size: old,
        proof: proof.to_vec(),
        note: checkpoint.sign(signer),
        checkpoint,
    };
    let request = asked.to_text().into_bytes();
    world.system(move |cx| witness_log(cx, &request))
}

/// The line is a cosignature of this tenant's cosigner over the checkpoint.
fn must_verify(world: &World, answer: &Witnessed, (size, root): (u64, Hash)) {
    let Witnessed::Cosigned(line) = answer else {
        panic!("not cosigned: {answer:?}");
    };
    let text = Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root,
    };
    let note = Note {
        text: text.to_text(),
        signatures: read_cosignatures(line.as_bytes()).unwrap(),
    };
    let cosigner = world.keys(TENANT).0[1].clone();
    assert_eq!(cosigner.kind(), KeyKind::Cosigner);
    let verified = note.verify(&VerifierKeys(vec![cosigner])).unwrap();
    let now = u64::try_from(world.executor.tools().recorder.now().as_second()).unwrap();
    assert_eq!(verified[0].time, Some(now));
}

#[test]
fn a_log_that_only_grows_is_cosigned_and_nothing_else_is() {
    let world = World::new();
    world.sequence();
    let log = signer(1);
    let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
    let (first, second, fork) = ((1, a), (2, node_hash(&a, &b)), (2, node_hash(&b, &a)));
    assert_eq!(submit(&world, &log, 0, &[], first), Witnessed::UnknownLog);
    let key = log.verifier(KeyKind::Ed25519).to_text();
    let add = body(json!({"key": key}));
    let added = world.system(move |cx| noun::add::<WatchedLog>(cx, &add));

    must_verify(&world, &submit(&world, &log, 0, &[], first), first);
    assert_eq!(
        submit(&world, &log, 0, &[], first),
        Witnessed::Conflict(1),
        "1 was seen"
    );
    assert_eq!(submit(&world, &signer(2), 1, &[b], second), Witnessed::NotSigned);
    assert_eq!(submit(&world, &log, 1, &[a], second), Witnessed::NotConsistent);
    assert_eq!(submit(&world, &log, 1, &[], second), Witnessed::NotConsistent);
    assert_eq!(
        submit(&world, &log, 1, &[], (1, b)),
        Witnessed::Conflict(1),
        "a fork of the same size"
    );
    assert!(matches!(submit(&world, &log, 3, &[], second), Witnessed::Malformed(_)));
    // A known checkpoint is cosigned anew, which attests that it is fresh.
    must_verify(&world, &submit(&world, &log, 1, &[], first), first);
    must_verify(&world, &submit(&world, &log, 1, &[b], second), second);
    assert_eq!(submit(&world, &log, 1, &[a], fork), Witnessed::Conflict(2));
    assert_eq!(submit(&world, &log, 2, &[], fork), Witnessed::Conflict(2));

    // A log that is watched anew goes on from its last seen state.
    let (id, again) = (added.id.0.clone(), body(json!({"key": key})));
    world.system(move |cx| noun::end::<WatchedLog>(cx, &id).map(drop));
    assert_eq!(submit(&world, &log, 2, &[], second), Witnessed::UnknownLog);
    world.system(move |cx| noun::add::<WatchedLog>(cx, &again).map(drop));
    assert_eq!(submit(&world, &log, 0, &[], first), Witnessed::Conflict(2));
    world.sequence();
    world.assert_replays();
}

#[test]
fn what_is_no_request_is_malformed_and_the_own_log_is_not_watched() {
    let world = World::new();
    world.sequence();
    for bad in [&b""[..], b"old 0\n\n", b"\xff", b"old 0\n\nx\n1\nAAAA\n"] {
        let answer = world.system(move |cx| witness_log(cx, bad));
        assert!(matches!(answer, Witnessed::Malformed(_)), "{answer:?}");
    }
    let keys = world.keys(TENANT);
    for (wrong, code) in [(&keys.0[0], "own_log"), (&keys.0[1], "not_a_log")] {
        let add = body(json!({"key": wrong.to_text()}));
        let refused = world
            .look(move |cx| noun::add::<WatchedLog>(cx, &add).map(drop))
            .unwrap_err();
        let said = format!("{refused:?}");
        assert!(said.contains(code), "{said}");
    }
}

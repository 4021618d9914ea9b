//! Witnesses whose lines are served, and permits that are used up: the decisions of acts on them.

use acts::audit::take_cosignature::{last_cosigned, take_cosignature};
use acts::audit::{cosign_log, prove_event};
use acts::change::edit_change;
use acts::core::gate_question::Question;
use acts::core::noun;
use acts::gate::{answer, consume_permit};
use acts::{Error, Result};
use model::audit::witness::Witness;
use model::change::change_file;
use model::core::enums;
use proof::crypto::SigningKey;
use proof::note::{KeyKind, Note, NoteSigner};
use serde_json::{Value, json};
use store::audit::log;

use crate::world::{ARTIFACT, World, body};

const NAME: &str = "witness.example/w1";

fn code<T: std::fmt::Debug>(answer: Result<T>) -> String {
    match answer {
        Err(Error::Refused(refusal)) => refusal.code().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

/// Submits a checkpoint; returns the number of accepted lines.
fn hand_in(world: &World, note: &str) -> Result<usize> {
    let request = body(json!({"checkpoint": note}));
    let system = change_file::Actor::system();
    let (_, taken) = world.executor.wait(
        store::Lane::Acts,
        crate::world::TENANT,
        system,
        store::Mode::Write,
        move |cx| take_cosignature(cx, &request),
    )?;
    Ok(taken.len())
}

fn with_line(note: &str, signer: &NoteSigner, time: u64) -> String {
    let mut note = Note::parse(note).unwrap();
    note.signatures.push(signer.cosign(&note.text, time));
    note.to_text()
}

#[test]
fn a_witness_is_served_with_the_checkpoint_that_it_signed_and_with_no_other() {
    let world = World::new();
    world.sequence();
    let signer = NoteSigner::new(NAME, SigningKey::from_seed([7; 32]).unwrap()).unwrap();
    let key = signer.verifier(KeyKind::Cosigner).to_text();
    let of_log = signer.verifier(KeyKind::Ed25519).to_text();
    let add = |key: &str| {
        let request = body(json!({"key": key}));
        let system = change_file::Actor::system();
        let lane = store::Lane::Acts;
        world
            .executor
            .wait(lane, crate::world::TENANT, system, store::Mode::Write, move |cx| {
                noun::add::<Witness>(cx, &request)
            })
    };
    let own = world.keys(crate::world::TENANT).0[1].to_text();
    for wrong in ["", "no key", of_log.as_str(), own.as_str()] {
        assert_eq!(code(add(wrong)), "invalid", "{wrong}");
    }
    let added = add(&key).unwrap();
    assert_eq!(code(add(&key)), "invalid", "the same name once more");
    world.sequence();
    let served = || world.look(prove_event::checkpoint).unwrap();
    let now = u64::try_from(world.executor.tools().clock.now().as_second()).unwrap();
    let first = served();
    assert_eq!(hand_in(&world, &with_line(&first, &signer, now)).unwrap(), 1);
    let signed = served();
    assert_eq!(signed, with_line(&first, &signer, now));
    // The log grows: the new checkpoint is not the one that was signed, and the signed one stays readable.
    world.noise(1);
    world.sequence();
    assert!(!served().contains(NAME));
    let last = world.look(last_cosigned).unwrap();
    assert_eq!((last.len(), &last[0].1), (1, &signed));
    // An older one is taken no more after a newer one, and nothing that this log did not sign.
    assert_eq!(hand_in(&world, &with_line(&served(), &signer, now)).unwrap(), 1);
    assert_eq!(hand_in(&world, &signed).unwrap(), 0);
    let foreign = first.replacen("halden", "haldem", 1);
    assert_eq!(
        code(hand_in(&world, &with_line(&foreign, &signer, now))),
        "not_our_checkpoint"
    );
    assert_eq!(
        code(hand_in(&world, &with_line(&served(), &signer, now + 61))),
        "invalid"
    );
    assert_eq!(code(hand_in(&world, &first)), "invalid", "nobody cosigned it");
    // A line that was changed behind the server's back would spoil the note, and is not served.
    assert!(served().contains(NAME));
    assert!(
        world
            .tampered("UPDATE cosignature SET line = replace(line, substr(line, -12, 4), 'AAAA')")
            .is_empty()
    );
    assert!(!served().contains(NAME));
    let id = added.id.0.clone();
    world.system(move |cx| noun::end::<Witness>(cx, &id).map(|_| ()));
    assert!(world.look(last_cosigned).unwrap().is_empty());
    world.sequence();
    world.assert_replays();
}

fn jti_of(permit: &str) -> String {
    let payload = permit.split('.').nth(1).and_then(proof::crypto::from_base64url);
    let claims: Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

#[test]
fn a_permit_is_used_up_once_and_for_what_it_is_for() {
    let world = World::new();
    // It goes to two places, and the gate is open for both.
    let target = |environment: &str| json!({"service": "pay", "environment": environment, "artifact": ARTIFACT});
    let key = world.draft("Once");
    let (k, both) = (
        key.clone(),
        body(json!({"targets": [target("production"), target("staging")]})),
    );
    world.by("rita", move |cx| edit_change::edit_change(cx, &k, &both).map(|_| ()));
    let key = world.approved(key);
    world.evidence(&key, "note", b"works");
    world.pass_seconds(150 * 60);
    let question = |artifact: &str| Question {
        service: "pay".into(),
        environment: "production".into(),
        artifact: Some(artifact.to_owned()),
        commit: None,
        change: None,
        purpose: None,
        member: None,
    };
    let asked = question(ARTIFACT);
    let checked = world.by("pipe", move |cx| answer::check(cx, &asked, None));
    let jti = jti_of(&checked.permit.unwrap());
    let consume_for = |question: Question| {
        let jti = jti.clone();
        let (lane, actor) = (store::Lane::Gate, world.actor("pipe"));
        world
            .executor
            .wait(lane, crate::world::TENANT, actor, store::Mode::Write, move |cx| {
                consume_permit::consume_permit(cx, &jti, &question)
            })
    };
    let consume = |artifact: &str| consume_for(question(artifact));
    let elsewhere = Question {
        environment: "staging".into(),
        ..question(ARTIFACT)
    };
    let (asked, there) = (elsewhere.clone(), elsewhere);
    let open = world.look(move |cx| answer::ask(cx, &asked)).unwrap();
    assert_eq!(open.decision, enums::GateDecision::Go);
    assert_eq!(
        code(consume_for(there)),
        "not_go",
        "the gate is open there, and the permit is for here"
    );
    assert_eq!(code(consume("git:bbbbe5e")), "not_go");
    let used = consume(ARTIFACT).unwrap();
    assert_eq!(
        (used.used_at, used.used_by.as_ref()),
        (
            Some(world.executor.tools().clock.now()),
            Some(&world.actor("pipe").person)
        )
    );
    assert_eq!(code(consume(ARTIFACT)), "permit_used");
    world.pass_seconds(16 * 60);
    let asked = question(ARTIFACT);
    let answer = world.look(move |cx| answer::ask(cx, &asked)).unwrap();
    assert_eq!(answer.decision, enums::GateDecision::Go, "the gate itself stays open");
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_quiet_log_is_as_fresh_as_it_was_attested_last() {
    let world = World::new();
    world.draft("One");
    world.sequence();
    world.pass_seconds(600);
    assert!(cosign_log::cosign_log(&world.executor, crate::world::TENANT).unwrap());
    let now = world.executor.tools().recorder.now();
    let found = world.look(|cx| {
        let signed = log::last_checkpoint(cx.tx)?.unwrap().at;
        Ok((signed, cosign_log::attested_at(cx)?))
    });
    let (signed, attested) = found.unwrap();
    assert!(now.duration_since(signed).as_secs() >= 600, "it is the same checkpoint");
    assert_eq!(attested, u64::try_from(now.as_second()).ok());
}

//! Signing keys that rotate: earlier signatures stay good, those of a stolen key do not, and the logs record it.

use std::sync::atomic::{AtomicBool, Ordering};

use acts::audit::note_log_sizes::note_log_sizes;
use acts::audit::turn_key::{revoke_key, rotate_key};
use acts::audit::{export_bundle, prove_event, publish_log, replay_log, sign_revocations};
use acts::change::edit_change;
use acts::core::gate_question;
use acts::core::signing_keys::{self, COSIGNER, LOG, PERMIT, jwks};
use acts::directory::{set_person, set_service};
use acts::effects::run_timer;
use acts::gate::{answer, consume_permit, shown_permit};
use acts::{Context, Error, Executor};
use model::audit::key_rotation::KeyRotation;
use model::change::change_file::Actor;
use model::change::related_records;
use model::core::enums::KeyRotationKind;
use model::identity::factor::Factor;
use proof::bundle;
use proof::jwks::Jwks;
use proof::permit::{Expected, verify};
use proof::report::Outcome;
use proof::revocation::RevocationList;
use serde_json::{Value, json};
use store::audit::event;
use store::queue::timer;
use store::{Lane, Mode, SYSTEM_TENANT};

use crate::world::{ARTIFACT, TENANT, World, body};

/// A world with an administrator.
fn world() -> World {
    governed(World::new())
}

fn governed(world: World) -> World {
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]}))).map(|_| ()));
    world
}

fn why() -> model::core::body::Body {
    body(json!({"reason": "Seen on a laptop"}))
}

/// The administrator a moment after they showed a factor.
fn fresh(world: &World) -> Actor {
    Actor {
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor("adam")
    }
}

fn done<T: Send + 'static>(
    (executor, actor): (&Executor, Actor),
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> acts::Result<T> {
    executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act)
}

fn rotate(world: &World, purpose: &'static str) -> KeyRotation {
    done((&world.executor, fresh(world)), move |cx| {
        rotate_key(cx, purpose, &why())
    })
    .unwrap()
}

fn revoke(world: &World, kid: &str) -> acts::Result<KeyRotation> {
    let kid = kid.to_owned();
    done((&world.executor, fresh(world)), move |cx| revoke_key(cx, &kid, &why()))
}

/// The worker revokes what a revoked key signed; answers the turn, and how often it came.
fn worked_off(world: &World, kid: &str) -> (KeyRotation, usize) {
    for round in 1.. {
        let subject = kid.to_owned();
        let turn = world.system(move |cx| {
            let set = timer::of_subject(cx.tx, "signing_key", &subject)?;
            assert_eq!(set.len(), 1, "the worker is called");
            timer::cancel(cx.tx, "signing_key", &subject, &set[0].kind)?;
            run_timer::run_timer(cx, "signing_key", &subject)?;
            let turns = signing_keys::turns(cx)?;
            let found = turns
                .into_iter()
                .find(|it| it.kid == subject && it.kind == KeyRotationKind::Revoked);
            Ok(found.unwrap())
        });
        if turn.revoking_after.is_none() {
            return (turn, round);
        }
    }
    unreachable!("it comes to an end")
}

fn code<T: std::fmt::Debug>(answer: acts::Result<T>) -> String {
    match answer {
        Err(Error::Refused(refusal)) => refusal.code().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

fn text<T: std::fmt::Debug>(answer: acts::Result<T>) -> String {
    match answer {
        Err(Error::Refused(refusal)) => refusal.text(),
        other => panic!("not refused: {other:?}"),
    }
}

fn question() -> gate_question::Question {
    question_about("pay", ARTIFACT)
}

fn question_about(service: &str, artifact: &str) -> gate_question::Question {
    gate_question::Question {
        service: service.into(),
        environment: "production".into(),
        artifact: Some(artifact.into()),
        commit: None,
        change: None,
        purpose: None,
        member: None,
    }
}

/// A permit for the approved change, requested at one of the servers.
fn minted(world: &World, executor: &Executor) -> String {
    minted_for((world, executor), question())
}

fn minted_for((world, executor): (&World, &Executor), question: gate_question::Question) -> String {
    let checked = done((executor, world.actor("pipe")), move |cx| {
        answer::check(cx, &question, None)
    })
    .unwrap();
    checked.permit.unwrap_or_else(|| panic!("{:?}", checked.check.reasons))
}

fn part(token: &str, at: usize) -> Value {
    let bytes = token
        .split('.')
        .nth(at)
        .and_then(proof::crypto::from_base64url)
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn kid_of(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

fn jti_of(token: &str) -> String {
    part(token, 1)["jti"].as_str().unwrap().to_owned()
}

/// A gateway's fetch now: the list first, then the keys.
fn published(executor: &Executor) -> (Jwks, Result<RevocationList, String>) {
    let list = done((executor, Actor::system()), sign_revocations::sign_revocations).unwrap();
    let keys = executor
        .wait(Lane::Pages, TENANT, Actor::system(), Mode::Read, jwks)
        .unwrap();
    let list = RevocationList::open(&list, &keys).map_err(|why| format!("{why:?}"));
    (keys, list)
}

/// Whether a permit passes with the data that is fetched now; the code when not.
fn verdict(world: &World, token: &str) -> Result<(), String> {
    let (keys, list) = published(&world.executor);
    let expected = Expected {
        service: "pay",
        environment: "production",
        artifact: Some(ARTIFACT),
        commit: None,
        content_digest: None,
        now: world.executor.tools().clock.now().as_second(),
        purpose: None,
        max_list_age_seconds: None,
    };
    let verified = verify(token, &keys, Some(&list.unwrap()), &expected);
    verified.map(|_| ()).map_err(|refused| refused.code.to_owned())
}

/// In the window of an approved change with its evidence.
fn opened() -> World {
    let world = world();
    open(&world);
    world
}

fn open(world: &World) {
    let key = world.scheduled("Turn");
    world.evidence(&key, "note", b"works");
    world.pass_seconds(150 * 60);
}

#[test]
fn permits_from_before_a_rotation_stay_good_till_their_end_and_the_old_key_goes_then() {
    let world = opened();
    let old = minted(&world, &world.executor);
    let turn = rotate(&world, PERMIT);
    assert_eq!((turn.kind, &turn.kid), (KeyRotationKind::Rotated, &kid_of(&old)));
    let new = minted(&world, &world.executor);
    assert_eq!(Some(kid_of(&new)), turn.next);
    assert_eq!((verdict(&world, &old), verdict(&world, &new)), (Ok(()), Ok(())));
    assert_eq!(published(&world.executor).0.keys.len(), 2);
    world.pass_seconds(86_400 + 59);
    assert_eq!(published(&world.executor).0.keys.len(), 2);
    world.pass_seconds(1);
    let left: Vec<String> = published(&world.executor).0.keys.iter().map(|key| key.kid()).collect();
    assert_eq!(left, turn.next.into_iter().collect::<Vec<_>>());
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_revoked_key_takes_all_that_it_signed_with_it_and_nothing_else() {
    let world = opened();
    let stolen = minted(&world, &world.executor);
    rotate(&world, PERMIT);
    let good = minted(&world, &world.executor);
    let turn = revoke(&world, &kid_of(&stolen)).unwrap();
    assert_eq!((turn.kind, turn.next.as_ref()), (KeyRotationKind::Revoked, None));
    let (keys, list) = published(&world.executor);
    assert!(keys.find(&kid_of(&stolen)).is_none());
    assert!(list.unwrap().revoked.is_empty(), "the worker was not here yet");
    assert_eq!(verdict(&world, &stolen), Err("unknown_key".to_owned()));
    assert_eq!(worked_off(&world, &kid_of(&stolen)).0.revoked_permits, 1);
    assert_eq!(published(&world.executor).1.unwrap().revoked, [jti_of(&stolen)]);
    assert_eq!(verdict(&world, &good), Ok(()));
    // The key that signs now is revoked as well: another takes its place in the same act.
    let turn = revoke(&world, &kid_of(&good)).unwrap();
    assert_eq!(worked_off(&world, &kid_of(&good)).0.revoked_permits, 1);
    let next = minted(&world, &world.executor);
    assert_eq!(turn.next, Some(kid_of(&next)));
    assert_eq!(verdict(&world, &next), Ok(()));
    assert_eq!(code(revoke(&world, &kid_of(&good))), "already_revoked");
    world.sequence();
    world.assert_replays();
}

/// Approved changes with `SERVICES` targets each, in their window. Checks of one target share a permit, so that as many permits
/// at once need as many targets. The result of one query about each target.
fn open_targets(world: &World, changes: usize) -> Vec<gate_question::Question> {
    const SERVICES: usize = 10;
    let services: Vec<String> = (0..SERVICES).map(|number| format!("turn-{number}")).collect();
    for service in &services {
        let service = body(json!({"key": service, "criticality": "low"}));
        world.system(move |cx| set_service::set_service(cx, &service));
    }
    let mut questions = Vec::new();
    for number in 0..changes {
        let artifact = proof::crypto::digest_text(&number.to_be_bytes());
        let key = world.draft_of(&format!("Turn {number}"), &artifact);
        let target = |service: &String| json!({"service": service, "environment": "production", "artifact": artifact});
        let targets = body(json!({"targets": services.iter().map(target).collect::<Vec<_>>()}));
        let k = key.clone();
        world.by("rita", move |cx| edit_change::edit_change(cx, &k, &targets));
        world.note_about(&world.approved(key), &artifact);
        questions.extend(services.iter().map(|service| question_about(service, &artifact)));
    }
    world.pass_seconds(150 * 60);
    questions
}

#[test]
fn nothing_that_a_revoked_key_signed_passes_although_its_permits_are_revoked_a_piece_at_a_time() {
    const STOLEN: usize = 150;
    let world = world();
    let questions = open_targets(&world, 15);
    assert_eq!(questions.len(), STOLEN);
    // Every fifth second some; the first piece ends amid those of one second.
    let mint = |number: usize| {
        if number.is_multiple_of(40) {
            world.pass_seconds(5);
        }
        minted_for((&world, &world.executor), questions[number].clone())
    };
    let stolen: Vec<String> = (0..STOLEN).map(mint).collect();
    rotate(&world, PERMIT);
    let good: Vec<String> = (0..STOLEN).map(mint).collect();
    let kid = kid_of(&stolen[0]);
    revoke(&world, &kid).unwrap();
    // The worker was not here yet.
    let shown = |tokens: &[String], number: usize| {
        let (jti, question) = (jti_of(&tokens[number]), questions[number].clone());
        let answer = done((&world.executor, world.actor("pipe")), move |cx| {
            let answer = answer::ask(cx, &question)?;
            shown_permit::check_shown(cx, &question, Some(&jti), answer)
        });
        answer.unwrap().reasons.first().map(|it| it.code.clone())
    };
    let consumed = |tokens: &[String], number: usize| {
        let (jti, question) = (jti_of(&tokens[number]), questions[number].clone());
        done((&world.executor, world.actor("pipe")), move |cx| {
            consume_permit::consume_permit(cx, &jti, &question)
        })
    };
    for number in [0, STOLEN - 1] {
        assert_eq!(shown(&stolen, number).as_deref(), Some("permit_revoked"));
        assert_eq!(code(consumed(&stolen, number)), "permit_revoked");
    }
    assert_eq!(shown(&good, 0), None);
    let (turn, rounds) = worked_off(&world, &kid);
    assert_eq!((turn.revoked_permits, rounds), (150, 2));
    let mut listed = published(&world.executor).1.unwrap().revoked;
    let mut wanted: Vec<String> = stolen.iter().map(|token| jti_of(token)).collect();
    listed.sort();
    wanted.sort();
    assert_eq!(listed, wanted);
    assert!(consumed(&good, STOLEN - 1).is_ok());
    // A worker that comes twice does nothing more.
    let again = kid.clone();
    world.system(move |cx| run_timer::run_timer(cx, "signing_key", &again));
    assert_eq!(world.look(signing_keys::turns).unwrap().last(), Some(&turn));
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_permit_is_signed_again_by_the_key_that_it_names() {
    let world = opened();
    let old = minted(&world, &world.executor);
    rotate(&world, PERMIT);
    let jti = jti_of(&old);
    let again = world.system(move |cx| {
        let permit = store::record::load::<related_records::Permit>(cx.tx, &jti)?
            .unwrap()
            .record;
        answer::sign(cx, &permit)
    });
    assert_eq!(again, old, "one record is one token, whichever key signs new ones");
    revoke(&world, &kid_of(&old)).unwrap();
    assert_eq!(worked_off(&world, &kid_of(&old)).0.revoked_permits, 1);
}

#[test]
fn keys_turn_by_an_administrators_fresh_factor_and_by_nothing_else() {
    let world = world();
    let stale = world.actor("adam");
    let by_token = Actor {
        by_token: true,
        ..fresh(&world)
    };
    let other = Actor {
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor("mona")
    };
    for (actor, wanted) in [
        (stale, "step_up_required"),
        (by_token, "step_up_required"),
        (other, "not_allowed"),
    ] {
        let tried = done((&world.executor, actor), |cx| rotate_key(cx, PERMIT, &why()));
        assert_eq!(code(tried), wanted);
    }
    let tried = |purpose: &'static str, words: Value| {
        let words = body(words);
        code(done((&world.executor, fresh(&world)), move |cx| {
            rotate_key(cx, purpose, &words)
        }))
    };
    assert_eq!(tried(PERMIT, json!({})), "invalid");
    assert_eq!(tried("door", json!({"reason": "x"})), "not_found");
    assert_eq!(code(revoke(&world, "no-such-key")), "not_found");
    let of_log = rotate(&world, LOG).kid;
    assert_eq!(code(revoke(&world, &of_log)), "not_revocable");
    assert_eq!(world.look(signing_keys::turns).unwrap().len(), 1);
}

#[test]
fn a_log_goes_on_under_a_new_key_and_what_the_old_one_signed_still_verifies() {
    let world = world();
    let key = world.closed("Before");
    world.sequence();
    let k = key.clone();
    let bundle_before = world.look(move |cx| export_bundle::pack_bundle(cx, &k)).unwrap();
    let (keys_before, before) = (world.keys(TENANT), world.checkpoint());
    let turned = [rotate(&world, LOG), rotate(&world, COSIGNER)];
    let served = world.keys(TENANT);
    assert_eq!(served.0.len(), 4);
    assert_eq!(served.0[0].name(), keys_before.0[0].name(), "a log keeps its name");
    assert!(
        served.0[0] != keys_before.0[0] && served.0[1] == keys_before.0[0],
        "the log's new one stands first"
    );
    assert_eq!(
        world.verify(Some(&before)).outcome,
        Outcome::Good,
        "before anything more is signed"
    );
    world.sequence();
    assert_eq!(world.verify(Some(&before)).outcome, Outcome::Good);
    let note = world.look(prove_event::checkpoint).unwrap();
    assert!(
        proof::note::open_checkpoint(&note, &keys_before, None).is_err(),
        "the new keys signed it"
    );
    assert!(proof::note::open_checkpoint(&note, &served, None).is_ok());
    assert_eq!(bundle::verify(&bundle_before, Some(&served)).outcome, Outcome::Good);
    let bundle_after = world.look(move |cx| export_bundle::pack_bundle(cx, &key)).unwrap();
    assert_eq!(bundle::verify(&bundle_after, Some(&served)).outcome, Outcome::Good);
    let by_old_file = bundle::verify(&bundle_after, Some(&keys_before)).outcome;
    assert_ne!(by_old_file, Outcome::Good, "the present key signs what is packed now");
    assert!(turned.iter().all(|turn| turn.served_until.is_none()));
    world.assert_replays();
}

#[test]
fn the_systems_log_tells_of_every_turn_and_nothing_of_the_words() {
    let world = world();
    world.sequence();
    note_log_sizes(&world.executor).unwrap();
    let turn = rotate(&world, PERMIT);
    let stolen = revoke(&world, &turn.kid).unwrap();
    assert_eq!(
        note_log_sizes(&world.executor).unwrap(),
        3,
        "two turns, and which keys there are now"
    );
    assert_eq!(note_log_sizes(&world.executor).unwrap(), 0);
    let events = world
        .executor
        .wait(Lane::Pages, SYSTEM_TENANT, Actor::system(), Mode::Read, |cx| {
            Ok(event::unsequenced(cx.tx, 100)?)
        })
        .unwrap();
    let told: Vec<Value> = events
        .iter()
        .filter(|it| it.event.kind.starts_with("key."))
        .map(|it| serde_json::from_slice(&it.event.bytes).unwrap())
        .collect();
    assert_eq!(told.len(), 2);
    for (event, turn) in told.iter().zip([&turn, &stolen]) {
        assert_eq!(event["subject"]["id"], TENANT);
        assert_eq!(event["data"]["kid"], turn.kid.as_str());
        assert_eq!(event["data"]["by"], turn.by.as_str());
        assert!(event["data"]["reason"]["c"].is_string(), "{event}");
        assert!(!event.to_string().contains("laptop"), "{event}");
    }
    assert_eq!(
        (&told[0]["kind"], &told[1]["kind"]),
        (&json!("key.rotated"), &json!("key.revoked"))
    );
}

#[test]
fn a_key_that_was_brought_back_past_the_server_is_found() {
    let world = world();
    let turn = rotate(&world, PERMIT);
    revoke(&world, &turn.kid).unwrap();
    world.sequence();
    world.assert_replays();
    let kid = turn.kid;
    let found = world.tampered(&format!("UPDATE signing_key SET state = 'active' WHERE kid = '{kid}'"));
    let is_brought_back =
        |it: &replay_log::Finding| it.table == "signing_key" && it.id == kid && it.field.as_deref() == Some("state");
    assert!(found.iter().any(is_brought_back), "{found:?}");
    let found = world.tampered(&format!("DELETE FROM signing_key WHERE kid = '{kid}'"));
    assert!(found.iter().any(|it| it.id == kid), "{found:?}");
}

#[test]
fn two_servers_mint_while_keys_turn_and_no_good_permit_is_refused() {
    minted_while_turning(&opened());
}

#[test]
fn two_servers_on_postgresql_mint_while_keys_turn_and_no_good_permit_is_refused() {
    let Some((world, _database)) = World::on_postgres() else {
        return;
    };
    let world = governed(world);
    open(&world);
    minted_while_turning(&world);
    world.executor.tools().store.close();
}

/// One server rotates the key again and again; another one, which got no notice, mints, and its permits pass with the keys that
/// either of them publishes at that moment.
fn minted_while_turning(world: &World) {
    const TURNS: usize = 12;
    let (other, is_over) = (world.other_desk(0), AtomicBool::new(false));
    let passed = std::thread::scope(|scope| {
        let minting = scope.spawn(|| {
            let mut given: Vec<String> = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                given.push(minted(world, &other));
                assert_eq!(verdict(world, given.last().unwrap()), Ok(()));
            }
            given
        });
        for _ in 0..TURNS {
            rotate(world, PERMIT);
        }
        is_over.store(true, Ordering::Relaxed);
        minting.join().unwrap()
    });
    for token in &passed {
        assert_eq!(verdict(world, token), Ok(()), "also when all turns are over");
    }
    assert_eq!(published(&other).0.keys.len(), TURNS + 1);
    world.sequence();
    world.assert_replays();
    assert!(!passed.is_empty());
}

/// Where the tenant requires a second factor for changes of keys, its own keys are no exception.
#[test]
fn keys_turn_with_the_factor_that_the_policies_ask_of_keys() {
    let with = |world: &World, factor: Factor| Actor {
        factor: Some(factor),
        ..fresh(world)
    };
    let turn = |world: &World, factor: Factor| {
        let actor = with(world, factor);
        done((&world.executor, actor), |cx| rotate_key(cx, PERMIT, &why()))
    };
    let publish = |world: &World, factor: Factor| {
        let actor = with(world, factor);
        done((&world.executor, actor), |cx| publish_log::publish_log(cx, &why()))
    };
    let (password, code_of_a_device) = (Factor::new("password", false), Factor::new("totp", true));
    let plain = world();
    turn(&plain, password.clone()).unwrap();
    let guarded = governed(World::with_pack("dual-control"));
    let refused = "This needs a second factor";
    assert!(text(turn(&guarded, password.clone())).starts_with(refused));
    assert!(text(publish(&guarded, password.clone())).starts_with(refused));
    let kid = turn(&guarded, code_of_a_device.clone()).unwrap().kid;
    let revoking = with(&guarded, password);
    let stolen = kid.clone();
    let answer = done((&guarded.executor, revoking), move |cx| revoke_key(cx, &stolen, &why()));
    assert!(text(answer).starts_with(refused));
    let revoking = with(&guarded, code_of_a_device.clone());
    done((&guarded.executor, revoking), move |cx| revoke_key(cx, &kid, &why())).unwrap();
    assert!(publish(&guarded, code_of_a_device).unwrap().log_is_public);
}

//! Texts that are erased, by people and by the clock: the text is nowhere any more, and all proofs are still valid.

use std::collections::BTreeSet;

use acts::audit::export_bundle::pack_bundle;
use acts::change::{create_change, edit_change, link_change};
use acts::compliance::erase_texts::{ask_erasure, confirm_erasure, withdraw_erasure};
use acts::compliance::set_legal_hold::{end_legal_hold, place_legal_hold};
use acts::compliance::set_retention::{changes_due, erase_due, forget_due, propose_retention};
use acts::core::gate_question::Question;
use acts::core::noun;
use acts::directory::{deactivate_person, set_person};
use acts::gate::answer;
use acts::policy::activate_configuration;
use acts::{Context, Error, Result};
use model::change::record::Change;
use model::compliance::erasure;
use model::core::refusal::Refusal;
use model::integration::outside_run::OutsideRun;
use proof::report::Outcome;
use serde_json::{Value, json};
use store::idempotency::{self, RequestKey, SavedAnswer};
use store::integration::inbox::{self, NewDelivery};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

const DAY: i64 = 24 * 3600;

fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, String> {
    let actor = world.actor(login);
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.map_err(|error| match error {
        Error::Refused(Refusal::Invalid(errors)) => errors[0].code.clone(),
        Error::Refused(refusal) => refusal.code().to_owned(),
        other => panic!("no refusal: {other:?}"),
    })
}

/// A world with two administrators and an auditor.
fn world() -> World {
    let world = World::new();
    for (login, role) in [("ada", "admin"), ("bea", "admin"), ("aud", "auditor")] {
        let person = body(json!({"login": login, "roles": [role]}));
        world.system(move |cx| set_person::create_person(cx, &person));
    }
    world
}

fn ask(world: &World, who: &'static str, key: &str, wanted: Value) -> std::result::Result<Change, String> {
    let key = key.to_owned();
    attempt(world, who, move |cx| ask_erasure(cx, &key, &body(wanted.clone())))
}

fn confirm(world: &World, who: &'static str, key: &str) -> std::result::Result<Change, String> {
    let key = key.to_owned();
    attempt(world, who, move |cx| confirm_erasure(cx, &key))
}

fn comment(world: &World, key: &str, text: &'static str) -> String {
    let key = key.to_owned();
    let id = world.by("olga", move |cx| {
        acts::change::verbs::comment_change(cx, &key, &body(json!({"text": text})))
    });
    id.0
}

/// A raw delivery that was worked off.
fn deliver(world: &World) {
    world.system(|cx| {
        let delivery = NewDelivery {
            id: "d1",
            connection: "c1",
            delivery_id: "1",
            body_digest: "sha256:1",
            event: "push",
            received_at: cx.now,
            body: b"a raw gnu",
            subject: "",
            mac: b"a code",
        };
        inbox::receive(cx.tx, &delivery)?;
        Ok(inbox::take(cx.tx, "d1", "me", cx.now)? && inbox::finish(cx.tx, "d1", "me", "nothing")?)
    });
}

/// The worker's periodic run; returns the number of changes due.
fn look_at_retention(world: &World) -> usize {
    let due = world.system(changes_due);
    for id in due.clone() {
        world.system(move |cx| erase_due(cx, &id));
    }
    while world.system(forget_due) {}
    due.len()
}

/// The tables of the database in which a text occurs.
pub(crate) fn tables_with(world: &World, word: &str) -> BTreeSet<String> {
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut names = connection.prepare(names).unwrap();
    let tables: Vec<String> = names
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(std::result::Result::unwrap)
        .collect();
    let holds = |table: &String| {
        let mut rows = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let count = rows.column_count();
        let mut found = rows.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            for place in 0..count {
                let value = row.get_ref(place).unwrap();
                let bytes = match value {
                    rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => bytes,
                    _ => continue,
                };
                if String::from_utf8_lossy(bytes)
                    .to_lowercase()
                    .contains(&word.to_lowercase())
                {
                    return true;
                }
            }
        }
        false
    };
    tables.into_iter().filter(holds).collect()
}

/// The log verifies, the rows equal its sum, and a stranger finds no fault in the bundle.
fn assert_proven(world: &World, key: &str) {
    world.sequence();
    let log = world.verify(None).report;
    assert_eq!(log.outcome(), Outcome::Good, "{log:?}");
    world.assert_replays();
    let key = key.to_owned();
    let bytes = world.look(move |cx| pack_bundle(cx, &key)).unwrap();
    let report = proof::bundle::verify(&bytes, Some(&world.keys(TENANT)));
    assert_eq!(report.outcome, Outcome::Good, "{report:?}");
}

#[test]
fn all_texts_of_an_ended_change_go_by_two_people_and_every_proof_stays() {
    let world = world();
    let key = world.closed("Zebra migration");
    comment(&world, &key, "The zebra patient was told.");
    let other = world.draft("Move the okapi");
    assert!(tables_with(&world, "zebra").contains("message"), "letters quote it");
    let wanted = json!({"kind": "texts", "reason": "Request of 12 November"});
    assert_eq!(ask(&world, "rita", &key, wanted.clone()).unwrap_err(), "not_allowed");
    assert_eq!(ask(&world, "ada", &other, wanted.clone()).unwrap_err(), "not_in_state");
    let asked = ask(&world, "ada", &key, wanted.clone()).unwrap();
    assert!(asked.erasure.as_ref().is_some_and(erasure::Erasure::is_asked));
    assert_eq!(asked.content.title, "Zebra migration");
    assert_eq!(ask(&world, "bea", &key, wanted.clone()).unwrap_err(), "erasure_asked");
    assert_eq!(confirm(&world, "ada", &key).unwrap_err(), "second_person_needed");
    let before = asked.digests.clone();
    let done = confirm(&world, "bea", &key).unwrap();
    assert_eq!(done.content.title, "[erased]");
    assert_eq!(done.digests, before, "what was decided about stays named");
    assert_eq!(tables_with(&world, "zebra"), BTreeSet::new());
    assert!(tables_with(&world, "okapi").contains("change"));
    assert_eq!(ask(&world, "ada", &key, wanted).unwrap_err(), "already_erased");
    assert_proven(&world, &key);
    // A later text stays, and changes no decision.
    comment(&world, &key, "Nobody asked again.");
    let k = key.clone();
    let later = world.look(move |cx| cx.change(&k)).unwrap();
    assert_eq!((later.content.title.as_str(), &later.digests), ("[erased]", &before));
    let k = key.clone();
    let file = world.look(move |cx| cx.file(&k)).unwrap();
    assert!(file.standing().count() >= 3, "no approval was voided");
    assert!(file.evidence.iter().all(|evidence| evidence.kept_file().is_empty()));
    assert_proven(&world, &key);
}

#[test]
fn what_was_edited_out_and_one_comment_go_while_the_change_is_open() {
    let world = world();
    let key = world.draft("Rotate the password hunter2");
    let k = key.clone();
    world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &k));
    let (k, request) = (key.clone(), body(json!({"dependencies_reviewed": true})));
    world.by("rita", move |cx| acts::change::verbs::assess_change(cx, &k, &request));
    assert!(tables_with(&world, "hunter2").contains("message"));
    let k = key.clone();
    world.by("rita", move |cx| {
        edit_change::edit_change(cx, &k, &body(json!({"title": "Rotate the password"})))
    });
    let id = comment(&world, &key, "Call Miriam Quist, she is ill.");
    comment(&world, &key, "Seen.");
    assert!(tables_with(&world, "hunter2").contains("text_salt"));
    let former = json!({"kind": "former_texts", "reason": "A password stood in the title"});
    ask(&world, "ada", &key, former.clone()).unwrap();
    let k = key.clone();
    attempt(&world, "bea", move |cx| withdraw_erasure(cx, &k)).unwrap();
    assert_eq!(confirm(&world, "bea", &key).unwrap_err(), "nothing_asked");
    ask(&world, "ada", &key, former).unwrap();
    let done = confirm(&world, "bea", &key).unwrap();
    assert_eq!(done.content.title, "Rotate the password");
    assert_eq!(tables_with(&world, "hunter2"), BTreeSet::new(), "letters quoted it");
    let one = |comment: &str| json!({"kind": "comment", "comment": comment, "reason": "Names a patient"});
    assert_eq!(ask(&world, "ada", &key, one("nowhere")).unwrap_err(), "unknown");
    ask(&world, "ada", &key, one(&id)).unwrap();
    confirm(&world, "bea", &key).unwrap();
    assert_eq!(tables_with(&world, "quist"), BTreeSet::new());
    assert!(tables_with(&world, "seen.").contains("comment"));
    assert_proven(&world, &key);
    // The change goes on as any other.
    for login in ["olga", "sam", "mona"] {
        let k = key.clone();
        world.by(login, move |cx| {
            let digest = cx.change(&k)?.digests.content;
            let request = body(json!({"decision": "approve", "content_digest": digest}));
            acts::approval::verbs::approve_change(cx, &k, &request)
        });
    }
    assert_proven(&world, &key);
}

#[test]
fn a_response_kept_for_a_repeated_request_loses_erased_texts_and_stays() {
    let world = world();
    let key = world.draft("Rotate the password hunter2");
    let kept = |named: &str| {
        let answer =
            json!({"body": {"key": named, "state": "draft", "title": "Rotate the password hunter2"}, "etag": 1});
        SavedAnswer {
            body_digest: "sha256:1".to_owned(),
            status: 201,
            answer: answer.to_string(),
        }
    };
    let request = |key: &'static str| RequestKey {
        credential: "token",
        method: "POST",
        path: "/api/v1/changes",
        key,
    };
    let (own, other) = (kept(&key), kept("CHG-none"));
    world.system(move |cx| {
        idempotency::save(cx.tx, &request("own"), &own, cx.now)?;
        Ok(idempotency::save(cx.tx, &request("other"), &other, cx.now)?)
    });
    let k = key.clone();
    world.by("rita", move |cx| {
        edit_change::edit_change(cx, &k, &body(json!({"title": "Rotate the password"})))
    });
    ask(
        &world,
        "ada",
        &key,
        json!({"kind": "former_texts", "reason": "A password stood in the title"}),
    )
    .unwrap();
    confirm(&world, "bea", &key).unwrap();
    let answer = |of: &'static str| {
        let found = world.look(move |cx| Ok(idempotency::load(cx.tx, &request(of))?.unwrap()));
        let found = found.unwrap();
        assert_eq!(found.status, 201);
        serde_json::from_str::<Value>(&found.answer).unwrap()
    };
    let body = json!({"key": key, "state": "draft", "title": erasure::ERASED});
    assert_eq!(answer("own"), json!({"body": body, "etag": 1}));
    assert_eq!(
        answer("other")["body"]["title"],
        "Rotate the password hunter2",
        "another record's text stays"
    );
}

/// The statement that takes one text with its salt out of the row of its event.
fn without(world: &World, text: &str) -> String {
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    let sql = "SELECT event_id, salt, body FROM text_salt WHERE body LIKE ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (event, mut salts, pairs): (String, Vec<u8>, String) =
        connection.query_row(sql, [format!("%\"{text}\"%")], read).unwrap();
    let mut pairs: Vec<(String, String)> = serde_json::from_str(&pairs).unwrap();
    let at = pairs.iter().position(|(_, kept)| kept == text).unwrap();
    pairs.remove(at);
    salts.drain(16 * at..16 * (at + 1));
    if pairs.is_empty() {
        return format!("DELETE FROM text_salt WHERE event_id = '{event}'");
    }
    let body = serde_json::to_string(&pairs).unwrap().replace('\'', "''");
    let salts: String = salts.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("UPDATE text_salt SET body = '{body}', salt = x'{salts}' WHERE event_id = '{event}'")
}

#[test]
fn a_text_that_somebody_took_away_past_the_server_is_found() {
    let world = world();
    let key = world.draft("A first title");
    let k = key.clone();
    world.by("rita", move |cx| {
        edit_change::edit_change(cx, &k, &body(json!({"title": "A second title"})))
    });
    let id = comment(&world, &key, "I warned you.");
    ask(
        &world,
        "ada",
        &key,
        json!({"kind": "comment", "comment": id, "reason": "Names a patient"}),
    )
    .unwrap();
    confirm(&world, "bea", &key).unwrap();
    let id = comment(&world, &key, "I warned you twice.");
    world.sequence();
    world.assert_replays();
    let findings = world.tampered(&without(&world, "A first title"));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].what, "A text that it had is gone, and no event erased it.");
    // The same with the record made to look as if it had been erased.
    let hidden = format!(
        "{};
         UPDATE comment SET body = json_set(body, '$.text', json('{{\"erased\":true}}')) WHERE id = '{id}'",
        without(&world, "I warned you twice.")
    );
    let findings = world.tampered(&hidden);
    let found = |table: &str| {
        findings
            .iter()
            .any(|it| it.table == table && it.what.contains("no event erased it"))
    };
    assert!(found("change") && found("comment"), "{findings:?}");
}

#[test]
fn a_legal_hold_keeps_everything_from_people_and_from_the_clock() {
    let world = world();
    let (free, held, open) = (
        world.closed("Free gnu"),
        world.draft("Held gnu"),
        world.draft("Open gnu"),
    );
    let key = held.clone();
    world.by("rita", move |cx| {
        acts::change::verbs::cancel_change(cx, &key, &body(json!({"reason": "Not needed"})))
    });
    assert_eq!(look_at_retention(&world), 0, "nothing goes where nobody said so");
    let wanted = body(json!({"changes_days": 90, "deliveries_days": 90, "reason": "Our rules"}));
    let short = body(json!({"changes_days": 7, "reason": "Quick"}));
    assert_eq!(
        attempt(&world, "ada", move |cx| propose_retention(cx, &short)).unwrap_err(),
        "out_of_range"
    );
    let made = attempt(&world, "ada", move |cx| propose_retention(cx, &wanted)).unwrap();
    let activate = |who| {
        let id = made.id.0.clone();
        attempt(&world, who, move |cx| {
            activate_configuration::activate_configuration(cx, &id, &body(json!({})))
        })
    };
    assert_eq!(activate("ada").unwrap_err(), "second_person_needed");
    activate("bea").unwrap();
    let place = |who, reason: &'static str| {
        let key = held.clone();
        attempt(&world, who, move |cx| {
            place_legal_hold(cx, &key, &body(json!({"reason": reason})))
        })
    };
    assert_eq!(place("rita", "Mine").unwrap_err(), "not_allowed");
    place("aud", "Case 4711").unwrap();
    assert_eq!(place("aud", "Again").unwrap_err(), "under_legal_hold");
    let wanted = json!({"kind": "former_texts", "reason": "Quietly"});
    assert_eq!(ask(&world, "ada", &held, wanted).unwrap_err(), "under_legal_hold");
    deliver(&world);
    world.pass_seconds(89 * DAY);
    look_at_retention(&world);
    assert!(tables_with(&world, "free gnu").contains("change"), "a day too early");
    world.pass_seconds(2 * DAY);
    assert_eq!((look_at_retention(&world), look_at_retention(&world)), (1, 0));
    assert_eq!(tables_with(&world, "free gnu"), BTreeSet::new());
    assert_eq!(tables_with(&world, "raw gnu"), BTreeSet::new());
    assert!(tables_with(&world, "held gnu").contains("change"));
    assert!(tables_with(&world, "open gnu").contains("change"));
    for key in [&held, &free] {
        assert_proven(&world, key);
    }
    assert!(world.look(move |cx| Ok(cx.change(&open)?.state.is_open())).unwrap());
    let end = |who| {
        let (key, reason) = (held.clone(), body(json!({"reason": "Case closed"})));
        attempt(&world, who, move |cx| end_legal_hold(cx, &key, &reason))
    };
    assert!(end("ada").unwrap().standing_hold().is_some(), "two people lift it");
    assert_eq!(end("ada").unwrap_err(), "second_person_needed");
    assert!(end("bea").unwrap().standing_hold().is_none());
    world.pass_seconds(91 * DAY);
    look_at_retention(&world);
    assert_eq!(tables_with(&world, "held gnu"), BTreeSet::new());
    assert_proven(&world, &held);
}

/// Two people erase.
fn erased(world: &World, key: &str, wanted: Value) -> Change {
    ask(world, "ada", key, wanted).unwrap();
    confirm(world, "bea", key).unwrap()
}

fn cancel(world: &World, key: &str) {
    let key = key.to_owned();
    world.by("rita", move |cx| {
        acts::change::verbs::cancel_change(cx, &key, &body(json!({"reason": "Not needed"})))
    });
}

#[test]
fn what_a_gate_check_and_a_run_of_another_system_name_goes_with_the_change() {
    let world = world();
    let key = world.draft("Move the okapi");
    let run = json!({"kind": "deployment", "external_ref": "quoll/pay | 7", "change_key": key, "state": "quoll waits"});
    world.system(move |cx| noun::add::<OutsideRun>(cx, &body(run.clone())));
    let question = Question {
        service: "pay".to_owned(),
        environment: "production".to_owned(),
        artifact: Some(ARTIFACT.to_owned()),
        commit: None,
        change: Some(key.clone()),
        purpose: None,
        member: Some("Quoll's till".to_owned()),
    };
    world.by("pipe", move |cx| answer::check(cx, &question, None));
    assert!(
        tables_with(&world, "quoll").is_superset(&BTreeSet::from(["gate_check", "outside_run"].map(str::to_owned)))
    );
    cancel(&world, &key);
    erased(
        &world,
        &key,
        json!({"kind": "texts", "reason": "Request of 12 November"}),
    );
    assert_eq!(tables_with(&world, "quoll"), BTreeSet::new());
    assert_proven(&world, &key);
}

#[test]
fn a_change_of_a_pipeline_and_one_of_a_thousand_texts_go_as_any_other() {
    let world = world();
    let step = |number: usize| json!({"title": format!("Yak step {number}"), "check": format!("Yak check {number}"), "owner": format!("Yak {number}")});
    let steps: Vec<Value> = (0..340).map(step).collect();
    let request = json!({
        "title": "Yak", "description": "Told by a pipeline.", "labels": ["pipeline"], "category": "facility", "plan": steps,
        "targets": [{"service": "pay", "environment": "production"}],
    });
    let key = world.by("rita", move |cx| {
        create_change::create_change(cx, &body(request.clone()), &["title", "description", "labels"])
    });
    let k = key.clone();
    world.by("rita", move |cx| {
        edit_change::edit_change(cx, &k, &body(json!({"title": "Yak again"})))
    });
    erased(&world, &key, json!({"kind": "former_texts", "reason": "Typed wrongly"}));
    assert_proven(&world, &key);
    cancel(&world, &key);
    let done = erased(&world, &key, json!({"kind": "texts", "reason": "Yak again"}));
    assert_eq!(
        done.erasure.unwrap().reason.unwrap(),
        "Yak again",
        "why it was done is said anew"
    );
    assert_eq!(tables_with(&world, "yak check"), BTreeSet::new());
    assert_proven(&world, &key);
}

#[test]
fn what_was_decided_stays_whatever_comes_after_an_erasure_and_later_texts_go_in_their_turn() {
    let world = world();
    let (key, other) = (world.draft("Ibex"), world.draft("Other"));
    cancel(&world, &key);
    let before = erased(
        &world,
        &key,
        json!({"kind": "texts", "reason": "Request of 12 November"}),
    );
    world.pass_seconds(60);
    let id = comment(&world, &key, "The ibex came back.");
    ask(
        &world,
        "ada",
        &key,
        json!({"kind": "comment", "comment": id, "reason": "Names it"}),
    )
    .unwrap();
    let k = key.clone();
    attempt(&world, "bea", move |cx| withdraw_erasure(cx, &k)).unwrap();
    let (k, to) = (key.clone(), body(json!({"kind": "follows_up", "to": other})));
    world.by("rita", move |cx| link_change::link_change(cx, &k, &to));
    let k = key.clone();
    let now = world.look(move |cx| cx.change(&k)).unwrap();
    assert_eq!((now.digests, now.risk), (before.digests, before.risk));
    let wanted = body(json!({"changes_days": 90, "reason": "Our rules"}));
    let made = attempt(&world, "ada", move |cx| propose_retention(cx, &wanted)).unwrap();
    attempt(&world, "bea", move |cx| {
        activate_configuration::activate_configuration(cx, made.id.as_str(), &body(json!({})))
    })
    .unwrap();
    world.pass_seconds(91 * DAY);
    assert_eq!((look_at_retention(&world), look_at_retention(&world)), (1, 0));
    assert_eq!(tables_with(&world, "ibex"), BTreeSet::new());
    assert_proven(&world, &key);
}

#[test]
fn nobody_erases_alone_by_being_rid_of_the_others_first() {
    let world = world();
    let key = world.draft("Gaur");
    cancel(&world, &key);
    for login in ["bea", "mona"] {
        let why = body(json!({"reason": "Left"}));
        attempt(&world, "ada", move |cx| {
            deactivate_person::deactivate_person(cx, login, &why)
        })
        .unwrap();
    }
    let asked = ask(&world, "ada", &key, json!({"kind": "texts", "reason": "Quietly"})).unwrap();
    assert_eq!(asked.content.title, "Gaur");
    assert_eq!(confirm(&world, "ada", &key).unwrap_err(), "second_person_needed");
}

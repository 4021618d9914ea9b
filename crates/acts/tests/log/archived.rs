//! Changes that moved to the archive: all requests for them work as before, holds and erasures reach them, and a replay finds
//! any tampering with a segment.

use acts::audit::export_bundle::pack_bundle;
use acts::compliance::archive_changes::{archive_round, archive_some, report, segment_of, trouble};
use acts::compliance::erase_texts::{ask_erasure, confirm_erasure};
use acts::compliance::set_legal_hold::{end_legal_hold, place_legal_hold};
use acts::compliance::set_retention::propose_retention;
use acts::directory::set_person;
use acts::policy::activate_configuration;
use model::change::related_records::Comment;
use proof::report::Outcome;
use serde_json::{Value, json};
use store::audit::event;
use store::change::changes::id_of_key;
use store::record::{self, Filter};
use store::search;

use crate::world::{TENANT, World, body};

const DAY: i64 = 24 * 3600;

/// A world with two administrators and an auditor, in which ended changes move after 90 days.
fn world() -> World {
    let world = World::new();
    for (login, role) in [("ada", "admin"), ("bea", "admin"), ("aud", "auditor")] {
        let person = body(json!({"login": login, "roles": [role]}));
        world.system(move |cx| set_person::create_person(cx, &person));
    }
    let wanted = body(json!({"archive_days": 90, "reason": "Our rules"}));
    let made = world.by("ada", move |cx| propose_retention(cx, &wanted));
    let id = made.id.0;
    world.by("bea", move |cx| {
        activate_configuration::activate_configuration(cx, &id, &body(json!({})))
    });
    world
}

fn cancelled(world: &World, title: &str) -> String {
    let key = world.draft(title);
    let k = key.clone();
    world.by("rita", move |cx| {
        acts::change::verbs::cancel_change(cx, &k, &body(json!({"reason": "Not needed"})))
    });
    key
}

fn round(world: &World) -> usize {
    archive_round(&world.executor, TENANT).unwrap()
}

fn is_archived(world: &World, key: &str) -> bool {
    let key = key.to_owned();
    world.look(move |cx| segment_of(cx, &key)).unwrap().1.is_some()
}

/// All that belongs to a change, in one text.
fn file(world: &World, key: &str) -> String {
    let key = key.to_owned();
    world.look(move |cx| Ok(format!("{:?}", cx.file(&key)?))).unwrap()
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

/// The files of the archive.
fn files(world: &World) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let folders = std::fs::read_dir(world.folder.path().join("archive"))
        .into_iter()
        .flatten();
    for folder in folders.map(Result::unwrap) {
        let inside = std::fs::read_dir(folder.path()).unwrap();
        found.extend(inside.map(|file| file.unwrap().path()));
    }
    found
}

fn count_events(world: &World, kind: &'static str) -> usize {
    let kinds = world.look(move |cx| {
        let events = event::of_subject(cx.tx, "tenant_info", TENANT)?;
        Ok(events.into_iter().filter(|event| event.kind == kind).count())
    });
    kinds.unwrap()
}

#[test]
fn an_archived_change_answers_as_before_and_takes_what_comes_later() {
    let world = world();
    let key = world.closed("Zebra migration");
    let other = cancelled(&world, "Move the okapi");
    let open = world.draft("Feed the gnu");
    assert_eq!(round(&world), 0, "it is not time yet");
    world.pass_seconds(91 * DAY);
    let before = [&key, &other].map(|key| file(&world, key));
    assert_eq!(world.look(report).unwrap().waiting, 2);
    assert_eq!((round(&world), round(&world)), (2, 0));
    assert!(is_archived(&world, &key) && is_archived(&world, &other) && !is_archived(&world, &open));
    assert_eq!([&key, &other].map(|key| file(&world, key)), before);
    assert_eq!(files(&world).len(), 1);
    let told = world.look(report).unwrap();
    assert_eq!((told.state.changes, told.state.segments, told.waiting), (2, 1, 0));
    assert!(told.state.size * 3 < told.state.plain, "{told:?}");
    assert_eq!(count_events(&world, "changes.archived"), 1);
    for key in [&key, &other] {
        assert_proven(&world, key);
    }
    let k = key.clone();
    let found = world.look(move |cx| {
        let found = search::find(cx.tx, "change", "zebra", 9)?;
        Ok((found, id_of_key(cx.tx, &k)?.unwrap()))
    });
    let (found, id) = found.unwrap();
    assert_eq!(found, [id]);
    // Something is added later: it is there, wherever the change is, and what came back moves again in its time.
    let k = key.clone();
    world.by("olga", move |cx| {
        acts::change::verbs::comment_change(cx, &k, &body(json!({"text": "It was seen again."})))
    });
    assert_proven(&world, &key);
    world.pass_seconds(91 * DAY);
    round(&world);
    assert!(is_archived(&world, &key) && is_archived(&world, &other));
    let k = key.clone();
    let said = world.look(move |cx| {
        let id = id_of_key(cx.tx, &k)?.unwrap();
        let of_change = Filter::new().equals("change_id", id.as_str()).order_by("id");
        Ok(record::bodies::<Comment>(cx.tx, &of_change)?)
    });
    let said = said.unwrap();
    assert_eq!(said.last().map(|it| it.text.as_str()), Some("It was seen again."));
    for key in [&key, &other] {
        assert_proven(&world, key);
    }
}

#[test]
fn holds_and_erasures_reach_into_the_archive() {
    let world = world();
    let key = world.closed("Zebra migration");
    let other = cancelled(&world, "Move the okapi");
    world.pass_seconds(91 * DAY);
    assert_eq!(round(&world), 2);
    let k = key.clone();
    world.by("aud", move |cx| {
        place_legal_hold(cx, &k, &body(json!({"reason": "Case 4711"})))
    });
    world.pass_seconds(91 * DAY);
    round(&world);
    assert!(is_archived(&world, &key), "a hold keeps everything, wherever it is");
    let wanted = body(json!({"kind": "texts", "reason": "Request of 12 November"}));
    let (k, w) = (key.clone(), wanted.clone());
    let refused = world.executor.wait(
        store::Lane::Acts,
        TENANT,
        world.actor("ada"),
        store::Mode::Write,
        move |cx| ask_erasure(cx, &k, &w),
    );
    assert!(
        matches!(&refused, Err(acts::Error::Refused(refusal)) if refusal.code() == "under_legal_hold"),
        "{refused:?}"
    );
    assert!(is_archived(&world, &key), "what was refused moved nothing");
    for who in ["ada", "bea"] {
        let k = key.clone();
        world.by(who, move |cx| {
            end_legal_hold(cx, &k, &body(json!({"reason": "The case is over"})))
        });
    }
    world.pass_seconds(91 * DAY);
    round(&world);
    assert!(is_archived(&world, &key) && is_archived(&world, &other));
    let before = files(&world);
    let neighbour = file(&world, &other);
    let (k, w) = (key.clone(), wanted.clone());
    world.by("ada", move |cx| ask_erasure(cx, &k, &w));
    let k = key.clone();
    let done = world.by("bea", move |cx| confirm_erasure(cx, &k));
    assert_eq!(done.content.title, "[erased]");
    assert!(!is_archived(&world, &key));
    assert!(is_archived(&world, &other));
    assert_eq!(file(&world, &other), neighbour);
    // The files in which it was go within an hour and a round.
    round(&world);
    world.pass_seconds(2 * 3600);
    round(&world);
    assert!(!before.is_empty() && files(&world).iter().all(|it| !before.contains(it)));
    for key in [&key, &other] {
        assert_proven(&world, key);
    }
    world.pass_seconds(91 * DAY);
    round(&world);
    assert!(is_archived(&world, &key), "what is left of it moved again");
    assert!(!file(&world, &key).contains("ebra"));
    assert_proven(&world, &key);
}

#[test]
fn a_replay_names_segments_that_are_not_as_they_were_written() {
    let world = world();
    let key = world.closed("Zebra migration");
    world.pass_seconds(91 * DAY);
    assert_eq!(round(&world), 1);
    world.sequence();
    world.assert_replays();
    assert_eq!(world.look(trouble).unwrap(), Vec::<String>::new());
    let path = files(&world).remove(0);
    let bytes = std::fs::read(&path).unwrap();
    let mut altered = bytes.clone();
    let at = altered.len() / 2;
    altered[at] ^= 1;
    std::fs::write(&path, &altered).unwrap();
    let named = |world: &World| {
        let findings = world.replay().findings;
        findings.iter().any(|it| it.table == "archive_segment")
    };
    assert!(named(&world), "a bit of the file");
    assert_eq!(world.look(trouble).unwrap().len(), 1);
    std::fs::remove_file(&path).unwrap();
    assert!(named(&world), "the file");
    std::fs::write(&path, &bytes).unwrap();
    world.assert_replays();
    let findings = world.tampered("UPDATE archived_change SET segment = 'x' WHERE tenant = 'halden'");
    assert!(findings.iter().any(|it| it.table == "archived_change"), "{findings:?}");
    assert!(findings.iter().any(|it| it.table == "change"), "{findings:?}");
    assert!(world.look(move |cx| cx.file(&key).map(drop)).is_err());
}

#[test]
fn nothing_moves_while_the_archive_is_off() {
    let world = World::new();
    let key = world.closed("Zebra migration");
    world.pass_seconds(4_000 * DAY);
    assert_eq!(round(&world), 0);
    let k = key.clone();
    let id = world.look(move |cx| Ok(id_of_key(cx.tx, &k)?.unwrap())).unwrap();
    assert_eq!(archive_some(&world.executor, TENANT, vec![id]).unwrap(), 0);
    assert!(!is_archived(&world, &key));
    let told: Value = json!({"after": world.look(report).unwrap().after_days});
    assert_eq!(told, json!({"after": null}));
}

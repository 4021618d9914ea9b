//! Rows inserted, used and removed, and rows removed, used and put back: no row shows it afterwards, and the log does, because
//! each event that lets something through names its grounds. The rows carry good codes here, as those of a former state do.

use acts::audit::export_bundle::pack_bundle;
use acts::audit::read_grounds::{GroundsReader, known_lacks, note_lack, revoke_ungrounded};
use acts::audit::replay_log::Finding;
use acts::directory::set_service;
use acts::gate::answer;
use acts::identity::set_token;
use acts::schedule::set_freeze;
use acts::{Clock, Context, Executor};
use model::change::change_file::{Actor, WayIn};
use model::change::related_records::Approval;
use model::change::settle;
use model::directory::snapshot::Token;
use proof::bundle::verify;
use proof::report::Outcome;
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

const TITLE: &str = "Give every shipment a customs reference";

pub(crate) fn question() -> acts::core::gate_question::Question {
    acts::core::gate_question::Question {
        service: "pay".into(),
        environment: "production".into(),
        artifact: Some(ARTIFACT.into()),
        commit: None,
        change: None,
        purpose: None,
        member: None,
    }
}

fn approve(world: &World, key: &str, login: &'static str) {
    let key = key.to_owned();
    world.by(login, move |cx| {
        let digest = cx.change(&key)?.digests.content;
        let request = body(json!({"decision": "approve", "content_digest": digest}));
        acts::approval::verbs::approve_change(cx, &key, &request)
    });
}

/// A change that waits for its approvals.
fn waiting() -> (World, String) {
    let world = World::new();
    let key = world.draft(TITLE);
    let k = key.clone();
    world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &k));
    let k = key.clone();
    let request = body(json!({"dependencies_reviewed": true}));
    world.by("rita", move |cx| acts::change::verbs::assess_change(cx, &k, &request));
    world.evidence(&key, "note", b"works");
    (world, key)
}

fn approvals(world: &World) -> Vec<Approval> {
    let find = |cx: &mut Context<'_, '_>| {
        let found = record::find::<Approval>(cx.tx, &Filter::new().order_by("id"))?;
        Ok(found.into_iter().map(|it| it.record).collect())
    };
    world.look(find).unwrap()
}

fn ask(world: &World) -> bool {
    let start: jiff::Timestamp = "2026-11-20T10:30:00Z".parse().unwrap();
    if world.clock.now() < start {
        world.pass_seconds(150 * 60);
    }
    let asked = question();
    let checked = world.by("pipe", move |cx| answer::check(cx, &asked, None));
    if checked.permit.is_none() {
        println!("{:?}", checked.check.reasons);
    }
    checked.permit.is_some()
}

fn of_grounds(findings: &[Finding]) -> Vec<&str> {
    let of_it = findings.iter().filter(|it| it.field.as_deref() == Some("grounds"));
    of_it.map(|it| it.what.as_str()).collect()
}

pub(crate) fn sql(world: &World, sql: &str) {
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// A permit that rested on one approval and on two rows that were inserted, used and removed.
pub(crate) fn with_rows_that_are_gone() -> (World, String) {
    // A twin of the world, made of the same randomness and times, shows how the rows would look.
    let (twin, key) = waiting();
    let (world, same) = waiting();
    assert_eq!(key, same);
    for (world, logins) in [(&twin, &["olga", "sam", "mona"][..]), (&world, &["olga"])] {
        logins.iter().for_each(|login| approve(world, &key, login));
    }
    let known = approvals(&world);
    let is_known = |row: &Approval| known.iter().any(|it| it.id == row.id);
    let rows: Vec<Approval> = approvals(&twin).into_iter().filter(|row| !is_known(row)).collect();
    assert_eq!((known.len(), rows.len()), (1, 2));
    let k = key.clone();
    world.system(move |cx| {
        for row in &rows {
            record::insert(cx.tx, row, "{}")?;
        }
        // The act of a timer, or any act on the change.
        cx.on_change(&k, |case| {
            settle::settle(case);
            Ok(())
        })
    });
    assert!(ask(&world), "the rows were not counted");
    sql(&world, "DELETE FROM approval WHERE sealed = '{}'");
    world.sequence();
    (world, key)
}

#[test]
fn approvals_that_were_inserted_used_and_removed_are_named_by_replay_and_by_the_bundle() {
    let (world, key) = with_rows_that_are_gone();
    let findings = world.replay().findings;
    let told = of_grounds(&findings);
    for kind in ["change.approved", "permit.issued", "gate.checked"] {
        let is_it = |what: &&&str| what.contains(kind) && what.contains("lacks its reasons");
        assert!(told.iter().any(|what| is_it(&what)), "{kind}: {findings:#?}");
    }
    assert!(
        told.iter().any(|what| what.contains("no such version there")),
        "{told:#?}"
    );
    let k = key.clone();
    let bundle = world.look(move |cx| pack_bundle(cx, &k)).unwrap();
    let report = verify(&bundle, Some(&world.keys(TENANT)));
    assert_eq!(report.outcome, Outcome::Bad, "{:#?}", report.report);
    assert!(report.report.has("grounds_missing"));
    // The same change with its three approvals is good.
    let honest = World::new();
    let key = honest.scheduled(TITLE);
    honest.evidence(&key, "note", b"works");
    assert!(ask(&honest));
    honest.sequence();
    honest.assert_replays();
    let bundle = honest.look(move |cx| pack_bundle(cx, &key)).unwrap();
    let report = verify(&bundle, Some(&honest.keys(TENANT)));
    assert_eq!(report.outcome, Outcome::Good, "{:#?}", report.report);
}

fn read(reader: &mut GroundsReader, executor: &Executor) -> usize {
    reader.read_on(executor, TENANT, || true).unwrap().len()
}

#[test]
fn a_server_that_reads_on_closes_the_gate_for_what_lacks_its_reasons() {
    let (world, key) = with_rows_that_are_gone();
    let mut reader = GroundsReader::default();
    let lacks = reader.read_on(&world.executor, TENANT, || true).unwrap();
    assert!(!lacks.is_empty());
    assert_eq!(read(&mut reader, &world.executor), 0, "each is told once");
    let id = world.look(move |cx| Ok(cx.change(&key)?.id)).unwrap();
    let lack = lacks
        .into_iter()
        .find(|it| it.change.as_deref() == Some(id.as_str()))
        .unwrap();
    let asked = question();
    let before = world.look(move |cx| answer::ask(cx, &asked)).unwrap();
    assert_eq!(before.decision.to_string(), "go");
    world
        .executor
        .services()
        .closed()
        .close_change(TENANT, id.as_str(), &lack.what);
    let asked = question();
    let after = world.look(move |cx| answer::ask(cx, &asked)).unwrap();
    assert_eq!(
        (after.decision.to_string().as_str(), after.reasons[0].code.as_str()),
        ("stop", "ungrounded")
    );
    assert!(!ask(&world), "no permit is given");
    let about = lack.clone();
    assert!(world.system(move |cx| note_lack(cx, &about)));
    assert!(!world.system(move |cx| note_lack(cx, &lack)), "it is told once");
    let known = world.look(known_lacks).unwrap();
    assert_eq!(known.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    world.system(move |cx| revoke_ungrounded(cx, id.as_str()));
}

#[test]
fn a_freeze_that_was_removed_and_put_back_is_named() {
    let world = World::new();
    let key = world.scheduled(TITLE);
    world.evidence(&key, "note", b"works");
    let freeze = json!({"title": "Quarter", "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-21T09:00:00Z"});
    world.by("mona", move |cx| {
        set_freeze::set_freeze(cx, &body(freeze.clone())).map(drop)
    });
    world.sequence();
    sql(
        &world,
        "CREATE TABLE kept AS SELECT * FROM freeze; CREATE TABLE rows AS SELECT * FROM gate_view; DELETE FROM freeze;",
    );
    // A server that has just started holds no freeze in memory.
    let desk = world.other_desk(150);
    let actor = world.actor("pipe");
    let asked = question();
    let id = world.look(|cx| {
        Ok(record::find::<model::change::record::Change>(cx.tx, &Filter::new())?
            .remove(0)
            .record
            .id)
    });
    let id = id.unwrap();
    let settled = desk.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, move |cx| {
        cx.on_change(id.as_str(), |case| {
            case.file.change.told.insert("looked at again".to_owned());
            settle::settle(case);
            Ok(())
        })
    });
    settled.unwrap();
    let checked = desk.wait(Lane::Acts, TENANT, actor, Mode::Write, move |cx| {
        answer::check(cx, &asked, None)
    });
    let checked = checked.unwrap();
    assert!(
        checked.permit.is_some(),
        "the freeze held all the same: {:?}",
        checked.check.reasons
    );
    sql(
        &world,
        "INSERT INTO freeze SELECT * FROM kept; DROP TABLE kept; DROP TABLE rows;",
    );
    world.sequence();
    let findings = world.replay().findings;
    let told = of_grounds(&findings);
    assert!(
        told.iter().any(|what| what.contains("did not see `freeze/")),
        "{findings:#?}"
    );
    // A holder of the bundle alone finds it as well: the history of freezes is in it.
    let bundle = world.look(move |cx| pack_bundle(cx, &key)).unwrap();
    let report = verify(&bundle, Some(&world.keys(TENANT)));
    assert_eq!(report.outcome, Outcome::Bad, "{:#?}", report.report);
    let text = format!("{:?}", report.report);
    assert!(text.contains("did not see `freeze/"), "{text}");
    assert!(!report.report.has("others_not_judged"));
}

#[test]
fn a_token_that_was_put_back_after_its_revocation_and_used_is_named() {
    let (world, key) = waiting();
    let wanted = body(json!({"name": "ci", "person": "olga"}));
    world.system(move |cx| set_token::create_token(cx, &wanted).map(drop));
    let id: String = world
        .look(|cx| Ok(record::find::<Token>(cx.tx, &Filter::new())?.remove(0).record.id.0))
        .unwrap();
    sql(&world, "CREATE TABLE kept AS SELECT * FROM token");
    let revoked = id.clone();
    world.system(move |cx| set_token::revoke_token(cx, &revoked).map(drop));
    world.sequence();
    sql(
        &world,
        "CREATE TABLE gone AS SELECT * FROM token; DELETE FROM token; INSERT INTO token SELECT * FROM kept;",
    );
    let actor = Actor {
        via: Some(WayIn {
            token: Some(id.clone()),
            ..WayIn::default()
        }),
        ..world.actor("olga")
    };
    let approve = move |cx: &mut Context<'_, '_>| {
        let digest = cx.change(&key)?.digests.content;
        let request = body(json!({"decision": "approve", "content_digest": digest}));
        acts::approval::verbs::approve_change(cx, &key, &request)
    };
    let approved = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, approve);
    approved.unwrap();
    sql(
        &world,
        "DELETE FROM token; INSERT INTO token SELECT * FROM gone; DROP TABLE kept; DROP TABLE gone;",
    );
    world.sequence();
    let findings = world.replay().findings;
    let named = format!("`token/{id}@1`, which had been replaced");
    assert!(
        of_grounds(&findings).iter().any(|what| what.contains(&named)),
        "{findings:#?}"
    );
}

#[test]
fn the_facts_of_a_service_that_were_put_back_while_a_change_was_approved_are_named() {
    let (world, key) = waiting();
    sql(&world, "CREATE TABLE kept AS SELECT * FROM service");
    // Any version will do: which facts it holds is not judged.
    let renamed = body(json!({"key": "pay", "name": "Payments"}));
    world.system(move |cx| set_service::set_service(cx, &renamed).map(drop));
    world.sequence();
    sql(
        &world,
        "CREATE TABLE gone AS SELECT * FROM service; DELETE FROM service; INSERT INTO service SELECT * FROM kept;",
    );
    // A server that has just started has no service in memory.
    let desk = world.other_desk(0);
    for login in ["olga", "sam", "mona"] {
        let key = key.clone();
        let approve = move |cx: &mut Context<'_, '_>| {
            let digest = cx.change(&key)?.digests.content;
            let request = body(json!({"decision": "approve", "content_digest": digest}));
            acts::approval::verbs::approve_change(cx, &key, &request)
        };
        let actor = world.actor(login);
        desk.wait(Lane::Acts, TENANT, actor, Mode::Write, approve).unwrap();
    }
    sql(
        &world,
        "DELETE FROM service; INSERT INTO service SELECT * FROM gone; DROP TABLE kept; DROP TABLE gone;",
    );
    world.sequence();
    let findings = world.replay().findings;
    let is_named = |what: &&str| what.contains("`service/") && what.contains("had been replaced");
    assert!(of_grounds(&findings).iter().any(is_named), "{findings:#?}");
    // The bundle holds the history of the service.
    let bundle = world.look(move |cx| pack_bundle(cx, &key)).unwrap();
    let report = verify(&bundle, Some(&world.keys(TENANT)));
    assert_eq!(report.outcome, Outcome::Bad, "{:#?}", report.report);
}

#[test]
fn a_dependency_that_was_removed_while_a_change_was_approved_is_named() {
    let (world, key) = waiting();
    let web = body(json!({"key": "web", "name": "Web"}));
    // In this direction, so that the change reaches no more than at its assessment.
    let arrow = body(json!({"from": "pay", "to": "web"}));
    world.system(move |cx| {
        set_service::set_service(cx, &web)?;
        set_service::set_dependency(cx, &arrow).map(drop)
    });
    world.sequence();
    sql(
        &world,
        "CREATE TABLE kept AS SELECT * FROM dependency; DELETE FROM dependency;",
    );
    // A server that has just started has no dependency in memory.
    let desk = world.other_desk(0);
    for login in ["olga", "sam", "mona"] {
        let key = key.clone();
        let approve = move |cx: &mut Context<'_, '_>| {
            let digest = cx.change(&key)?.digests.content;
            let request = body(json!({"decision": "approve", "content_digest": digest}));
            acts::approval::verbs::approve_change(cx, &key, &request)
        };
        let actor = world.actor(login);
        desk.wait(Lane::Acts, TENANT, actor, Mode::Write, approve).unwrap();
    }
    sql(&world, "INSERT INTO dependency SELECT * FROM kept; DROP TABLE kept;");
    world.sequence();
    let findings = world.replay().findings;
    let is_named = |what: &&str| what.contains("did not see `dependency/");
    assert!(of_grounds(&findings).iter().any(is_named), "{findings:#?}");
}

#[test]
fn what_was_written_before_grounds_were_kept_is_accepted_and_no_later_event_without_any() {
    let world = World::new();
    world.scheduled(TITLE);
    world.system(|cx| {
        let event = acts::core::write::draft("permit.issued", ("change", "c-1".to_owned()), cx.now, json!({}));
        cx.emit(vec![event], acts::core::write::Written::default())
    });
    world.sequence();
    let findings = world.replay().findings;
    assert_eq!(of_grounds(&findings).len(), 1, "{findings:#?}");
    assert!(of_grounds(&findings)[0].contains("does not say what it rested on"));
}

//! Deployments beside the approved ones: real deployments with a permit each, of which some are deleted, forged and backdated
//! in the database past the server. `ASSENT_TEST_PERMITS` sets the number of deployments to production: all 16,419 of the public
//! history with `cargo xtask soak reconciling`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use acts::compliance::reconcile_runs::{Wanted, reconcile_runs};
use acts::core::gate_question;
use acts::directory::set_service;
use acts::gate::answer;
use jiff::{SignedDuration, Timestamp};
use model::change::related_records::{Deployment, Permit};
use model::compliance::reconciliation::{Lack, Reconciliation};
use serde_json::json;

use crate::world::{ARTIFACT, FILE, World, body};

/// How many deployments to production are replayed unless the variable sets another number.
const REPLAYED: usize = 600;
/// One permit in so many is tampered with in each way, and the most.
const TAMPERED_IN: usize = 30;
const MOST_TAMPERED: usize = 200;

fn replayed() -> usize {
    std::env::var("ASSENT_TEST_PERMITS").map_or(REPLAYED, |text| text.parse().unwrap())
}

/// A tag that came to an environment of a service.
#[derive(Clone)]
struct Tag {
    at: Timestamp,
    service: String,
    environment: String,
    tag: String,
}

/// Public deployments, where the shared data is; else as many that a rule makes, every seventh of them never staged.
fn tags() -> Vec<Tag> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data"));
    let folder = std::env::var_os("ASSENT_TEST_SHARED_DATA").map_or(beside, PathBuf::from);
    let file = folder.join("govuk_deployments_2022_2024.csv.gz");
    let unpacked = file
        .exists()
        .then(|| Command::new("gzip").arg("-dc").arg(&file).output().unwrap());
    let Some(unpacked) = unpacked.filter(|done| done.status.success()) else {
        return made_up();
    };
    let text = String::from_utf8(unpacked.stdout).unwrap();
    let mut found = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        found.push(Tag {
            at: cells[0].parse().unwrap(),
            service: cells[1].to_owned(),
            environment: cells[2].to_owned(),
            tag: cells[3].to_owned(),
        });
        let arrived = found.iter().filter(|it: &&Tag| it.environment == "production");
        if found.len() % 500 == 0 && arrived.count() > replayed() {
            break;
        }
    }
    found.sort_by_key(|it| it.at);
    let last = found
        .iter()
        .enumerate()
        .filter(|(_, it)| it.environment == "production")
        .nth(replayed() - 1);
    let last = last.unwrap().0;
    found.truncate(last + 1);
    found
}

fn made_up() -> Vec<Tag> {
    let begin: Timestamp = "2022-04-12T08:00:00Z".parse().unwrap();
    let mut found = Vec::new();
    for number in 0..replayed() {
        let at = begin + SignedDuration::from_mins(10 * i64::try_from(number).unwrap());
        let tag = |environment: &str, at| Tag {
            at,
            service: format!("service-{}", number % 9),
            environment: environment.to_owned(),
            tag: format!("{number:040x}"),
        };
        if number % 7 != 0 {
            found.push(tag("staging", at - SignedDuration::from_mins(5)));
        }
        found.push(tag("production", at));
    }
    found.sort_by_key(|it| it.at);
    found
}

/// Brings the tags into a world, each to production with a permit of its own; returns the ids of these permits. Times are moved
/// so that the first is now.
fn replay(world: &World, tags: &[Tag]) -> Vec<String> {
    let now = *world.clock.0.lock().unwrap();
    let moved = now.duration_since(tags[0].at);
    let services: BTreeSet<String> = tags.iter().map(|it| it.service.clone()).collect();
    world.system(move |cx| {
        for key in &services {
            set_service::set_service(cx, &body(json!({"key": key, "criticality": "low"})))?;
        }
        Ok(())
    });
    let mut permits = Vec::new();
    for (number, tag) in tags.iter().enumerate() {
        let at = tag.at + moved;
        *world.clock.0.lock().unwrap() = at;
        let change = format!("c-{number}");
        let key = format!("CHG-{}", 50_000 + number);
        let deployment = json!({
            "id": format!("run-{number:05}"), "version": 0, "connection": "ci", "natural_key": number.to_string(),
            "service": tag.service, "environment": tag.environment, "commit": tag.tag, "at": at, "change": change,
            "change_key": key, "words": [{"at": at, "status": "success"}], "status": "success", "status_at": at,
        });
        let id = format!("permit-{number:05}");
        let permit = json!({
            "id": id, "version": 0, "change": change, "change_key": key, "target": "1", "service": tag.service,
            "environment": tag.environment, "commit": tag.tag, "purpose": "deploy", "content_digest": "sha256:0",
            "policy_digest": "sha256:0", "epoch": 0, "max_list_age_seconds": 60, "issued_at": at, "not_before": at,
            "expires_at": at + SignedDuration::from_hours(1), "by": "system", "state": "issued", "kid": "k",
        });
        let is_production = tag.environment == "production";
        world.system(move |cx| {
            if is_production {
                let permit: Permit = serde_json::from_value(permit.clone())?;
                cx.put_estate("permit.issued", permit, json!({}))?;
            }
            let deployment: Deployment = serde_json::from_value(deployment.clone())?;
            cx.put_estate("deployment.told", deployment, json!({})).map(drop)
        });
        if is_production {
            permits.push(id);
        }
    }
    world.pass_seconds(60);
    // There are more events than one step of the sequencer places.
    while world.sequence().has_pen {}
    permits
}

fn reconciled(world: &World, wanted: Wanted) -> Reconciliation {
    world.look(move |cx| reconcile_runs(cx, &wanted)).unwrap()
}

fn whole(world: &World) -> Reconciliation {
    let from = Some("2020-01-01T00:00:00Z".parse().unwrap());
    reconciled(
        world,
        Wanted {
            from,
            ..Wanted::default()
        },
    )
}

fn write_past_the_server(world: &World, sql: &str) {
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    connection.execute_batch(sql).unwrap();
}

fn named(ids: &[String]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    quoted.join(", ")
}

#[test]
fn deleted_forged_and_backdated_permits_are_each_named_with_their_kind() {
    let world = World::new();
    let tags = tags();
    let permits = replay(&world, &tags);
    assert_eq!(permits.len(), replayed());
    let tampered = (permits.len() / TAMPERED_IN).min(MOST_TAMPERED);
    let before = whole(&world);
    assert_eq!(before.permits.count, 0, "{:?}", before.permits.rows.first());
    let (deleted, rest) = permits.split_at(tampered);
    let (copied, rest) = rest.split_at(tampered);
    let backdated = &rest[..tampered];
    let earlier = "2021-01-01T00:00:00Z";
    write_past_the_server(
        &world,
        &format!(
            "CREATE TEMP TABLE copied AS SELECT * FROM permit WHERE id IN ({copied});
             UPDATE copied SET id = 'forged-' || id, body = json_set(body, '$.id', 'forged-' || id);
             UPDATE copied SET body = json_set(body, '$.issued_at', '1999-01-01T00:00:00Z') WHERE id LIKE '%0';
             UPDATE copied SET body = json_set(body, '$.issued_at', '2099-01-01T00:00:00Z') WHERE id LIKE '%1';
             INSERT INTO permit SELECT * FROM copied;
             DELETE FROM permit WHERE id IN ({deleted});
             UPDATE permit SET body = json_set(body, '$.issued_at', '{earlier}', '$.not_before', '{earlier}')
                WHERE id IN ({backdated});",
            copied = named(copied),
            deleted = named(deleted),
            backdated = named(backdated),
        ),
    );
    let found = whole(&world).permits;
    assert_eq!(found.count, 3 * tampered as u64);
    let mut by_kind: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for it in found.rows {
        by_kind.entry(it.kind.as_str()).or_default().insert(it.permit);
    }
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<String>>();
    let forged = copied.iter().map(|id| format!("forged-{id}")).collect();
    let wanted = BTreeMap::from([
        ("deleted", set(deleted)),
        ("forged", forged),
        ("backdated", set(backdated)),
    ]);
    assert_eq!(by_kind, wanted);
}

#[test]
fn tags_that_were_never_in_another_environment_are_listed() {
    let world = World::new();
    let tags = tags();
    replay(&world, &tags);
    // Counted here by a plain walk over the file.
    let mut never = 0;
    for tag in tags.iter().filter(|it| it.environment == "production") {
        let is_before = |it: &&Tag| it.environment != "production" && it.at <= tag.at;
        let mut before = tags.iter().filter(is_before);
        never += u64::from(!before.any(|it| it.service == tag.service && it.tag == tag.tag));
    }
    let found = whole(&world);
    assert!(never > 0, "the slice has none");
    assert_eq!(found.not_staged.count, never);
    let runs: u64 = found
        .services
        .iter()
        .filter(|it| it.environment == "production")
        .map(|it| it.deployments)
        .sum();
    assert_eq!(runs, replayed() as u64);
    // No change of the log approves these: each is a finding, also the staged ones.
    assert_eq!(found.not_approved.count, tags.len() as u64);
    assert!(found.not_approved.rows.iter().all(|it| it.lack == Lack::NoChange));
}

#[test]
fn an_approved_change_is_seen_once_a_system_reports_it_and_silence_ends_then() {
    let world = World::new();
    let key = world.scheduled("Widen the column");
    world.evidence(&key, "note", b"works");
    world.evidence(&key, "file", FILE);
    world.sequence();
    // The end of a span is not included.
    world.pass_seconds(1);
    let found = whole(&world);
    assert_eq!(
        found
            .not_seen
            .rows
            .iter()
            .map(|it| it.change.clone())
            .collect::<Vec<_>>(),
        std::slice::from_ref(&key)
    );
    assert_eq!(
        found
            .silent
            .rows
            .iter()
            .map(|it| (it.service.as_str(), it.since))
            .collect::<Vec<_>>(),
        [("pay", None)]
    );
    let ask = |artifact: &str| {
        let question = gate_question::Question {
            service: "pay".into(),
            environment: "production".into(),
            artifact: Some(artifact.into()),
            commit: None,
            change: None,
            purpose: None,
            member: None,
        };
        world.by("pipe", move |cx| answer::check(cx, &question, None));
    };
    // A question that is refused shows nothing.
    ask(&format!("sha256:{}", "0".repeat(64)));
    world.sequence();
    world.pass_seconds(1);
    let found = whole(&world);
    assert_eq!((found.not_seen.count, found.silent.count), (1, 1), "{found:?}");
    world.pass_seconds(150 * 60);
    ask(ARTIFACT);
    world.sequence();
    world.pass_seconds(1);
    let found = whole(&world);
    assert_eq!((found.not_seen.count, found.silent.count), (0, 0), "{found:?}");
    let figures = found.services.iter().find(|it| it.service == "pay").unwrap();
    assert_eq!((figures.gate_asked, figures.gate_refused), (2, 1));
    let olga = found.people.rows.iter().find(|it| it.person == "olga").unwrap();
    assert_eq!((olga.approved, olga.roles.clone()), (1, vec!["owner"]));
    let rita = found.people.rows.iter().find(|it| it.person == "rita").unwrap();
    assert_eq!(
        (rita.approved, rita.administered),
        (0, 0),
        "who could and did not is listed too"
    );
    assert!(found.administration.keys().any(|kind| kind.starts_with("service.")));
}

#[test]
fn only_auditors_reconcile_and_an_empty_span_or_a_foreign_service_is_refused() {
    let world = World::new();
    let by = |login: &'static str, wanted: Wanted| {
        let actor = world.actor(login);
        let act = move |cx: &mut acts::Context<'_, '_>| reconcile_runs(cx, &wanted).map(drop);
        world
            .executor
            .wait(store::Lane::Pages, crate::world::TENANT, actor, store::Mode::Read, act)
    };
    assert!(by("rita", Wanted::default()).is_err());
    let at: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let wanted = |from, to, service: Option<&str>| Wanted {
        from: Some(from),
        to: Some(to),
        service: service.map(str::to_owned),
        ..Wanted::default()
    };
    for wrong in [
        wanted(at, at, None),
        wanted(at, at - SignedDuration::from_hours(1), None),
        wanted(at, at + SignedDuration::from_hours(1), Some("nowhere")),
    ] {
        assert!(world.look(move |cx| reconcile_runs(cx, &wrong)).is_err());
    }
    // Before the first event nothing ran, and nothing is made up.
    let long_ago = "2001-01-01T00:00:00Z".parse().unwrap();
    let empty = reconciled(
        &world,
        wanted(long_ago, at - SignedDuration::from_hours(24 * 365), None),
    );
    assert_eq!(
        (
            empty.not_approved.count,
            empty.not_seen.count,
            empty.administration.len()
        ),
        (0, 0, 0)
    );
}

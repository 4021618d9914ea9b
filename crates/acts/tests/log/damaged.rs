//! Rows that cannot be read are named and hold up nothing; credentials, timers and counters that somebody wrote past the server
//! are found, though they are no records.

use acts::audit::replay_log::Finding;
use acts::directory::{deactivate_person, set_person};
use acts::effects::{find_lost_timers, run_timer};
use acts::identity::{set_second_factor, set_workload};
use jiff::SignedDuration;
use model::change::change_file::Actor;
use serde_json::json;
use store::queue::timer;
use store::{Lane, Lease, Mode};

use crate::world::{TENANT, World, body};

fn named<'f>(findings: &'f [Finding], table: &str) -> Vec<&'f Finding> {
    findings.iter().filter(|it| it.table == table).collect()
}

/// One change that is closed and one that waits for its window.
fn world() -> World {
    let world = World::new();
    world.system(|cx| run_timer::run_timer(cx, "tenant_timer", TENANT));
    world.closed("Give every shipment a customs reference");
    world.sequence();
    world.scheduled("Move booking to 4.2");
    world.sequence();
    world.assert_replays();
    world
}

fn one_text(world: &World, sql: &str) -> String {
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_row_that_cannot_be_read_is_named_and_all_others_are_compared() {
    let world = world();
    let id = one_text(&world, "SELECT min(id) FROM approval");
    let findings = world.tampered(
        "UPDATE approval SET body = x'ff' WHERE id = (SELECT min(id) FROM approval);
         UPDATE \"change\" SET title = 'x' WHERE key = 'CHG-1002'",
    );
    let approvals = named(&findings, "approval");
    assert_eq!((approvals.len(), &approvals[0].id), (1, &id), "{findings:#?}");
    assert!(approvals[0].what.contains("column `body` holds bytes"), "{findings:#?}");
    let title = named(&findings, "change")
        .iter()
        .any(|it| it.field.as_deref() == Some("title"));
    assert!(title, "what comes after it is compared as well: {findings:#?}");
}

#[test]
fn a_tile_and_an_event_that_cannot_be_read_are_named_with_their_place() {
    let world = world();
    let findings = world.tampered("UPDATE log_tile SET bytes = 'x' WHERE tenant = 'halden' AND path LIKE 'tile/0/%'");
    assert!(
        named(&findings, "log_tile")[0].id.starts_with("tile/0/"),
        "{findings:#?}"
    );
    let world = self::world();
    let findings = world.tampered(
        "UPDATE event SET kind = x'ff' WHERE tenant = 'halden' AND seq = 9;
         UPDATE event SET kind = 'x' WHERE tenant = 'halden' AND seq = 11",
    );
    let events = named(&findings, "event");
    assert!(
        events
            .iter()
            .any(|it| it.id == "9" && it.what.contains("cannot be read")),
        "{findings:#?}"
    );
    assert!(
        events.iter().any(|it| it.field.as_deref() == Some("kind")),
        "{findings:#?}"
    );
    let missed = findings.iter().any(|it| it.what == "No event tells of this row.");
    assert!(
        !missed,
        "the leaf told of it, so that no record misses it: {findings:#?}"
    );
}

#[test]
fn a_changes_timer_that_was_put_off_is_found_and_set_again() {
    for put_off in [
        "UPDATE timer SET run_at = run_at + 30 * 86400000000",
        "UPDATE timer SET state = 'parked'",
    ] {
        let world = world();
        let wanted = one_text(&world, "SELECT id FROM \"change\" WHERE key = 'CHG-1002'");
        let lost = |world: &World| {
            let late = world.look(|cx| find_lost_timers::find_late_timers(cx, "")).unwrap();
            late.subjects.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
        };
        assert!(lost(&world).is_empty(), "{put_off}");
        let findings = world.tampered(put_off);
        let subject = format!("change/{wanted}");
        let is_named = |findings: &[Finding]| named(findings, "timer").iter().any(|it| it.id == subject);
        assert!(is_named(&findings), "{put_off}: {findings:#?}");
        assert_eq!(lost(&world), std::slice::from_ref(&wanted), "{put_off}");
        let change = wanted.clone();
        world.system(move |cx| run_timer::run_timer(cx, "change", &change));
        assert!(lost(&world).is_empty(), "{put_off}");
        assert!(!is_named(&world.replay().findings), "{put_off}: it was set again");
    }
}

#[test]
fn a_timer_that_was_put_off_is_named_whatever_it_is_for_and_gets_no_code_by_failing() {
    let world = world();
    let fail_all = |hours: i64| {
        world.system(move |cx| {
            let now = cx.now + SignedDuration::from_hours(3 * 365 * 24);
            let by = Lease {
                now,
                until: now + SignedDuration::from_secs(30),
                holder: "w",
                most: 1_000,
            };
            let taken = timer::lease(cx.tx, &by)?;
            for it in &taken {
                let later = cx.now + SignedDuration::from_hours(hours);
                assert!(timer::fail(cx.tx, &it.id, "w", later, "It does not work.")?);
            }
            Ok(taken.len())
        })
    };
    assert!(fail_all(1) >= 2);
    world.assert_replays();
    let findings = world.tampered("UPDATE timer SET run_at = run_at + 1");
    let put_off = named(&findings, "timer").len();
    assert!(put_off >= 2 && put_off == findings.len(), "{findings:#?}");
    fail_all(2);
    assert_eq!(named(&world.replay().findings, "timer").len(), put_off);
}

#[test]
fn counters_are_held_against_the_records() {
    for (sql, name) in [
        (
            "UPDATE counter SET value = value + 5 WHERE tenant = 'halden' AND name = 'change'",
            "change",
        ),
        (
            "INSERT INTO counter (tenant, name, value) VALUES ('halden', 'incident', 5)",
            "incident",
        ),
    ] {
        let findings = world().tampered(sql);
        assert_eq!(
            (findings.len(), findings[0].table.as_str(), findings[0].id.as_str()),
            (1, "counter", name)
        );
    }
}

#[test]
fn a_password_that_is_gone_or_was_set_by_another_is_missed() {
    let with_password = || {
        let world = world();
        world.system(|cx| set_person::set_password(cx, "rita", "phc"));
        world.assert_replays();
        world
    };
    let findings = with_password().tampered("DELETE FROM password");
    assert_eq!(
        (findings.len(), findings[0].table.as_str()),
        (1, "password"),
        "{findings:#?}"
    );
    let findings = with_password().tampered("UPDATE password SET set_by = 'p-1'");
    assert_eq!(findings[0].field.as_deref(), Some("set_by"), "{findings:#?}");
    // Removed by the server itself, with an entry in the log.
    let world = with_password();
    let left = body(json!({"compromised": true}));
    world.system(move |cx| deactivate_person::deactivate_person(cx, "rita", &left).map(drop));
    world.assert_replays();
}

/// Signs in as somebody who has just shown a factor.
fn fresh(world: &World, login: &'static str) -> Actor {
    Actor {
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor(login)
    }
}

/// Rita has an authenticator, with recovery codes, of which she used one.
fn with_factor() -> World {
    let world = world();
    let act = |cx: &mut acts::Context<'_, '_>| {
        let made = set_second_factor::begin_totp(cx, &body(json!({})))?;
        let secret = totp_rs::Secret::try_from_base32(&made.secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        let code = totp.generate(u64::try_from(cx.now.as_second()).unwrap()).to_string();
        let codes = set_second_factor::confirm_totp(cx, &made.id, &code)?;
        set_second_factor::use_recovery_code(cx, &codes[0]).map(drop)
    };
    let actor = fresh(&world, "rita");
    world
        .executor
        .wait(Lane::Acts, TENANT, actor, Mode::Write, act)
        .unwrap();
    world.assert_replays();
    world
}

#[test]
fn second_factors_that_nobody_added_or_that_are_gone_are_found() {
    let copy = "INSERT INTO second_factor (tenant, id, person, kind, name, secret, is_confirmed, last_step, created_at, counts_from)
        SELECT tenant, 'forged', person, kind, name, x'00', 1, 0, created_at, counts_from FROM second_factor WHERE kind = ";
    for (sql, what) in [
        (format!("{copy}'totp' LIMIT 1"), "No event tells of this second factor."),
        (
            format!("{copy}'recovery' LIMIT 1"),
            "No event tells of this recovery code",
        ),
        (
            "DELETE FROM second_factor WHERE kind = 'totp'".to_owned(),
            "but it is gone",
        ),
        (
            "UPDATE second_factor SET counts_from = 0 WHERE kind = 'totp'".to_owned(),
            "counts from another time",
        ),
        (
            "UPDATE second_factor SET person = 'p-1' WHERE kind = 'totp'".to_owned(),
            "No event tells of this second factor.",
        ),
    ] {
        let findings = with_factor().tampered(&sql);
        let found = named(&findings, "second_factor");
        assert!(found.iter().any(|it| it.what.contains(what)), "{sql}: {findings:#?}");
    }
    // Taken away by the server itself.
    let world = with_factor();
    world.system(|cx| set_second_factor::reset_factors(cx, "rita"));
    world.assert_replays();
    let world = with_factor();
    let left = body(json!({"compromised": true}));
    world.system(move |cx| deactivate_person::deactivate_person(cx, "rita", &left).map(drop));
    world.assert_replays();
}

#[test]
fn a_way_in_for_jobs_that_no_job_was_given_is_found() {
    let world = world();
    let wanted = body(
        json!({"issuer": "https://ci.example", "meant_for": "assent", "person": "pipe",
        "claims": {"repository": "acme/*"}}),
    );
    let told = crate::world::shown(json!({"repository": "acme/booking"}), "one");
    world.system(move |cx| {
        set_workload::set_workload(cx, "jobs", &wanted)?;
        set_workload::enter(cx, "jobs", &told).map(drop)
    });
    world.assert_replays();
    let findings = world.tampered(
        "INSERT INTO workload_token (tenant, digest, workload, expires_at)
         SELECT tenant, 'forged', workload, expires_at FROM workload_token",
    );
    assert_eq!(
        (findings.len(), findings[0].id.as_str()),
        (1, "forged"),
        "{findings:#?}"
    );
}

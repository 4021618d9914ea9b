//! Replay agrees with a store that only the server wrote, and names all other edits in it.

use std::sync::Arc;

use acts::audit::note_replay::{last_replay, note_replay};
use acts::audit::replay_log::{Finding, Progress, ReplayReport, replay_log};
use acts::audit::{note_log_sizes, sequence_events};
use acts::core::log_high_water::{SeenLog, SeenLogs};
use acts::core::{signing_keys, write};
use acts::directory::set_person;
use acts::integration::set_connection;
use acts::schedule::set_freeze;
use model::change::change_file::Actor;
use model::change::related_records;
use model::core::enums;
use serde_json::json;
use store::audit::event;
use store::gate::revocation;
use store::{Lane, Mode};

use crate::world::{TENANT, World};

/// One change that is closed, one that waits for its window; all events but the last in the log.
fn world() -> World {
    let world = World::new();
    world.closed("Give every shipment a customs reference");
    world.draft("Another");
    world.sequence();
    world.draft("A third");
    world
}

fn has(findings: &[Finding], table: &str, field: Option<&str>) -> bool {
    findings
        .iter()
        .any(|finding| finding.table == table && finding.field.as_deref() == field)
}

/// Tampers with a world of its own, and expects a finding in this table and field.
fn expect(sql: &str, table: &str, field: Option<&str>) -> Vec<Finding> {
    let findings = world().tampered(sql);
    assert!(has(&findings, table, field), "{sql}\n{findings:#?}");
    findings
}

#[test]
fn an_honest_store_replays_without_a_finding() {
    let world = world();
    let report = world.replay();
    assert_eq!(report.findings, []);
    assert!(report.records > 20 && report.events > 20, "{report:?}");
    world.sequence();
    world.noise(600);
    world.sequence();
    world.pass_seconds(30 * 86_400);
    assert_eq!(world.replay().findings, []);
}

#[test]
fn an_edited_title_is_found_in_the_body() {
    let sql = "UPDATE \"change\" SET body = replace(body, 'customs', 'custom') WHERE key = 'CHG-1001'";
    let findings = expect(sql, "change", Some("/title"));
    assert!(
        has(&findings, "change", Some("title")),
        "the column no longer fits the body: {findings:#?}"
    );
}

#[test]
fn an_edited_title_in_body_column_and_text_is_found() {
    let sql =
        "UPDATE \"change\" SET body = replace(body, 'customs', 'custom'), title = replace(title, 'customs', 'custom')
                   WHERE key = 'CHG-1001';
               UPDATE text_salt SET body = replace(body, 'customs', 'custom') WHERE body LIKE '%customs%';";
    let findings = expect(sql, "change", Some("/title"));
    assert!(has(&findings, "text_salt", None), "{findings:#?}");
}

#[test]
fn an_edited_column_is_found() {
    let findings = expect(
        "UPDATE \"change\" SET state = 'approved' WHERE key = 'CHG-1002'",
        "change",
        Some("state"),
    );
    assert_eq!(findings.len(), 1, "{findings:#?}");
}

#[test]
fn an_edited_plain_value_is_found_even_when_the_sealed_form_was_edited_too() {
    let edit = "SET body = replace(body, '\"state\":\"draft\"', '\"state\":\"closed\"')";
    let sealed = ", sealed = replace(sealed, '\"state\":\"draft\"', '\"state\":\"closed\"'), state = 'closed'";
    let sql = format!("UPDATE \"change\" {edit}{sealed} WHERE key = 'CHG-1002'");
    expect(&sql, "change", Some("/state"));
}

#[test]
fn a_deleted_approval_is_found() {
    let sql = "DELETE FROM approval WHERE id = (SELECT min(id) FROM approval)";
    let findings = expect(sql, "approval", None);
    assert!(
        findings.iter().any(|finding| finding.what.contains("its row is gone")),
        "{findings:#?}"
    );
}

#[test]
fn a_row_without_a_history_is_found() {
    let sql = "UPDATE approval SET id = 'forged' WHERE id = (SELECT min(id) FROM approval)";
    let findings = expect(sql, "approval", None);
    assert!(
        findings
            .iter()
            .any(|finding| finding.id == "forged" && finding.what == "No event tells of this row.")
    );
}

#[test]
fn a_deleted_event_is_found() {
    let sql = "DELETE FROM event WHERE tenant = 'halden' AND seq = 12";
    let findings = expect(sql, "event", Some("seq"));
    assert!(
        findings.iter().any(|finding| finding.what.contains("at index 12")),
        "{findings:#?}"
    );
}

#[test]
fn swapped_events_are_found() {
    let sql = "UPDATE event SET seq = -1 WHERE tenant = 'halden' AND seq = 4;
               UPDATE event SET seq = 4 WHERE tenant = 'halden' AND seq = 9;
               UPDATE event SET seq = 9 WHERE tenant = 'halden' AND seq = -1;";
    let findings = expect(sql, "event", Some("seq"));
    for index in ["index 4,", "index 9,"] {
        assert!(
            findings.iter().any(|finding| finding.what.contains(index)),
            "{index} {findings:#?}"
        );
    }
}

#[test]
fn an_event_with_other_bytes_or_columns_is_found() {
    let bytes =
        "UPDATE event SET bytes = CAST(replace(CAST(bytes AS TEXT), 'change.created', 'change.creates') AS BLOB)
                 WHERE tenant = 'halden' AND kind = 'change.created' AND seq IS NOT NULL";
    expect(bytes, "event", Some("bytes"));
    expect(
        "UPDATE event SET kind = 'change.closed' WHERE tenant = 'halden' AND seq = 3",
        "event",
        Some("kind"),
    );
}

#[test]
fn a_flipped_byte_in_a_tile_is_found() {
    let flip = "SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE tenant = 'halden'";
    expect(&format!("UPDATE log_tile {flip} AND path LIKE 'tile/0/%'"), "log", None);
}

/// A world whose first bundle is full, so that the rows of its events hold no bytes.
fn bundled() -> World {
    let world = world();
    world.noise(300);
    world.sequence();
    world
}

#[test]
fn a_bundle_or_a_row_of_one_that_was_changed_is_found() {
    let tampered = |sql: &str| {
        let world = bundled();
        assert_eq!(world.replay().findings, []);
        world.tampered(sql)
    };
    let flip = "UPDATE log_bundle SET bytes = CAST(substr(bytes, 1, 99) || x'00ff' || substr(bytes, 102) AS BLOB)";
    let findings = tampered(&format!("{flip} WHERE tenant = 'halden'"));
    assert!(has(&findings, "log_bundle", Some("bytes")), "{findings:#?}");
    assert!(has(&findings, "log", None), "{findings:#?}");
    let findings = tampered("DELETE FROM log_bundle WHERE tenant = 'halden'");
    assert!(has(&findings, "log", None), "{findings:#?}");
    let row = "UPDATE event SET bytes = x'7b7d' WHERE tenant = 'halden' AND seq = 12";
    assert!(has(&tampered(row), "event", Some("bytes")));
    let kind = "UPDATE event SET kind = 'change.closed' WHERE tenant = 'halden' AND seq = 3";
    assert!(has(&tampered(kind), "event", Some("kind")));
    let gone = "DELETE FROM event WHERE tenant = 'halden' AND seq = 12";
    let findings = tampered(gone);
    let told = |it: &Finding| it.what.contains("at index 12, but its row is gone") && !it.what.contains("unknown");
    assert!(findings.iter().any(told), "the bundle knows it still: {findings:#?}");
    let swap = "UPDATE event SET seq = -1 WHERE tenant = 'halden' AND seq = 4;
                UPDATE event SET seq = 4 WHERE tenant = 'halden' AND seq = 9;
                UPDATE event SET seq = 9 WHERE tenant = 'halden' AND seq = -1;";
    let findings = tampered(swap);
    for index in ["index 4,", "index 9,"] {
        assert!(
            findings.iter().any(|it| it.what.contains(index)),
            "{index} {findings:#?}"
        );
    }
}

#[test]
fn a_row_at_the_place_of_another_event_shows_nothing_of_it() {
    let world = bundled();
    let one = || world.look(|cx| Ok(event::page(cx.tx, 12, 1)?)).unwrap().remove(0);
    assert!(!one().bytes.is_empty());
    world.tampered(
        "UPDATE event SET seq = -1 WHERE tenant = 'halden' AND seq = 12;
         UPDATE event SET seq = 12 WHERE tenant = 'halden' AND seq = 13;",
    );
    let read = world.look(|cx| Ok(event::page(cx.tx, 12, 1)));
    let damaged = matches!(&read, Ok(Err(store::Error::Corrupt(why))) if why.contains("index 12"));
    assert!(damaged, "{read:?}");
}

#[test]
fn a_cut_tail_is_found() {
    let world = world();
    note_log_sizes::note_log_sizes(&world.executor).unwrap();
    let size = world.checkpoint().size;
    world.sequence();
    note_log_sizes::note_log_sizes(&world.executor).unwrap();
    // The log goes back to an earlier checkpoint that it did sign, and the events after it lose their place.
    let sql = format!(
        "DELETE FROM checkpoint WHERE tenant = 'halden' AND size > {size};
         UPDATE log_state SET size = {size}, checkpoint = (SELECT note FROM checkpoint WHERE tenant = 'halden' AND size = {size})
             WHERE tenant = 'halden';"
    );
    let findings = world.tampered(&sql);
    assert!(
        has(&findings, "event", Some("seq")),
        "rows beyond the end: {findings:#?}"
    );
    assert!(has(&findings, "log_state", Some("root")), "{findings:#?}");
}

#[test]
fn a_cut_that_leaves_no_trace_in_the_tenant_is_found_in_the_system_log() {
    let world = World::new();
    world.noise(3);
    world.sequence();
    let (size, root) = (
        world.checkpoint().size,
        proof::crypto::hash_text(&world.checkpoint().root),
    );
    world.noise(3);
    world.sequence();
    note_log_sizes::note_log_sizes(&world.executor).unwrap();
    let sql = format!(
        "DELETE FROM event WHERE tenant = 'halden' AND seq >= {size};
         DELETE FROM checkpoint WHERE tenant = 'halden' AND size > {size};
         UPDATE projection SET position = {size} WHERE tenant = 'halden';
         UPDATE log_state SET size = {size}, root = '{root}',
             checkpoint = (SELECT note FROM checkpoint WHERE tenant = 'halden' AND size = {size}) WHERE tenant = 'halden';"
    );
    world.tampered(&sql);
    let tiles = world.log(TENANT);
    let widest = proof::tile::TileReader::new(&tiles, size + 3);
    let hashes = widest.tile(0, 0).unwrap().concat();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sql = format!(
        "DELETE FROM log_tile WHERE tenant = 'halden';
         INSERT INTO log_tile VALUES ('halden', '{}', x'{}');",
        proof::tile::tile_path(0, 0, size),
        hex(&hashes[..32 * size as usize]),
    );
    let findings = world.tampered(&sql);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(
        findings[0].table == "log" && findings[0].what.contains("entries"),
        "{findings:#?}"
    );
}

#[test]
fn derived_rows_are_compared() {
    let closed = "UPDATE change_target SET environment = 'staging' WHERE change_id IN (SELECT id FROM \"change\" WHERE key = 'CHG-1002')";
    expect(closed, "change_target", None);
    let gate = "UPDATE gate_view SET body = json_set(body, '$.unmet', json('[]')) WHERE change_id IN
                (SELECT id FROM \"change\" WHERE key = 'CHG-1002')";
    expect(gate, "gate_view", None);
    expect("DELETE FROM gate_view", "gate_view", None);
    expect(
        "DELETE FROM event_record WHERE table_name = 'change' AND version = 2",
        "event_record",
        None,
    );
}

#[test]
fn a_row_of_the_gate_without_a_servers_code_is_found_also_where_it_names_no_change() {
    let copied = "INSERT INTO gate_view
            (tenant, change_id, target_id, purpose, service, environment, artifact, commit_sha, body, code)
        SELECT tenant, 'none', target_id, purpose, service, environment, artifact, commit_sha, body, code
        FROM gate_view LIMIT 1";
    for sql in [
        "UPDATE gate_view SET code = NULL",
        "UPDATE gate_view SET code = zeroblob(33)",
        copied,
    ] {
        let findings = expect(sql, "gate_view", Some("code"));
        assert!(
            findings.iter().all(|it| it.table == "gate_view"),
            "{sql}: {findings:#?}"
        );
    }
}

#[test]
fn an_older_checkpoint_that_was_edited_or_removed_is_found() {
    let grown = || {
        let world = World::new();
        for _ in 0..3 {
            world.noise(1);
            world.sequence();
        }
        world.assert_replays();
        world
    };
    let place = |offset: usize| {
        format!(
            "tenant = 'halden' AND size =
                (SELECT size FROM checkpoint WHERE tenant = 'halden' ORDER BY size DESC LIMIT 1 OFFSET {offset})"
        )
    };
    for sql in [
        format!("DELETE FROM checkpoint WHERE {}", place(1)),
        format!("DELETE FROM checkpoint WHERE {}", place(2)),
        "DELETE FROM checkpoint WHERE tenant = 'halden' AND size = 0".to_owned(),
        format!("UPDATE checkpoint SET at = at + 1 WHERE {}", place(1)),
    ] {
        let findings = grown().tampered(&sql);
        assert_eq!(findings.len(), 1, "{sql}: {findings:#?}");
        assert!(has(&findings, "checkpoint", Some("code")), "{sql}: {findings:#?}");
    }
    // One that was the newest when it was removed, so that the log has grown since.
    let world = grown();
    world.tampered(&format!("DELETE FROM checkpoint WHERE {}", place(0)));
    world.noise(1);
    world.sequence();
    let findings = world.replay().findings;
    assert!(has(&findings, "checkpoint", Some("code")), "{findings:#?}");
}

#[test]
fn a_version_that_no_event_made_is_found_before_it_stops_the_next_one() {
    let sql = "INSERT INTO event_record SELECT tenant, 'none', table_name, record_id, 99 FROM event_record
               WHERE tenant = 'halden' LIMIT 1";
    let findings = expect(sql, "event_record", None);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].id, "none");
}

#[test]
fn a_revocation_that_was_taken_off_the_list_is_found() {
    let world = World::new();
    let key = world.scheduled("One");
    world.system(move |cx| {
        let change = cx.change(&key)?;
        let permit = related_records::Permit {
            id: "p-1".into(),
            version: 0,
            change: change.id.clone(),
            change_key: key.clone(),
            target: change.content.targets[0].id.clone(),
            service: "pay".into(),
            environment: "production".into(),
            artifact: None,
            commit: None,
            purpose: enums::Purpose::Deploy,
            member: None,
            content_digest: "sha256:00".into(),
            policy_digest: "sha256:00".into(),
            epoch: 0,
            max_list_age_seconds: 900,
            break_glass: false,
            issued_at: cx.now,
            not_before: cx.now,
            expires_at: cx.now + jiff::SignedDuration::from_mins(15),
            by: "system".into(),
            state: enums::PermitState::Revoked,
            revoked_reason: None,
            revoked_at: Some(cx.now),
            kid: "k-1".into(),
            used_at: None,
            used_by: None,
        };
        let epoch = revocation::raise(cx.tx)?;
        let entry = revocation::Revoked {
            jti: "p-1".into(),
            epoch,
            at: cx.now,
            expires_at: permit.expires_at,
        };
        revocation::revoke(cx.tx, &entry)?;
        cx.put_estate("permit.revoked", permit, serde_json::json!({}))
    });
    world.sequence();
    assert_eq!(world.replay().findings, []);
    let findings = world.tampered("DELETE FROM revoked");
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].table, "revoked");
}

#[test]
fn a_halt_that_was_moved_to_where_nothing_is_is_found() {
    let world = World::new();
    world.system(|cx| {
        let halt = json!({"title": "Stop", "reason": "Fire.", "starts_at": "2026-11-20T07:00:00Z",
            "ends_at": "2026-11-20T23:00:00Z", "services": ["pay"], "halt": true});
        set_freeze::set_freeze(cx, halt.as_object().unwrap()).map(drop)
    });
    world.assert_replays();
    let found = world.tampered("UPDATE not_before SET environment = 'moon' WHERE environment = 'production'");
    let told: Vec<(&str, &str)> = found.iter().map(|it| (it.table.as_str(), it.id.as_str())).collect();
    assert!(told.contains(&("not_before", "pay/moon")), "{found:?}");
    assert_eq!(told.len(), 2, "and the pair that is gone: {found:?}");
}

#[test]
fn a_key_that_is_no_key_any_more_is_named_and_holds_up_nothing() {
    let world = World::new();
    world.assert_replays();
    let found = world.tampered(
        "UPDATE signing_key SET public = substr(public, 1, length(public) - 3) || 'Aa2' WHERE purpose = 'cosigner'",
    );
    assert!(!found.is_empty());
    assert!(found.iter().any(|it| it.what.contains("verifier key")), "{found:?}");
}

#[test]
fn keys_that_are_gone_or_that_nothing_opens_are_named() {
    let world = World::new();
    world.assert_replays();
    let told = |sql: &str| {
        let found = world.tampered(sql);
        let of_keys = found.into_iter().filter(|it| it.table == "signing_key");
        of_keys.map(|it| (it.field, it.what)).collect::<Vec<_>>()
    };
    let closed = |purpose: &str| {
        told(&format!(
            "UPDATE signing_key SET wrapped = zeroblob(length(wrapped)) WHERE purpose = '{purpose}'"
        ))
    };
    let what = "The master key cannot decrypt its private key.".to_owned();
    for (place, purpose) in signing_keys::PURPOSES.into_iter().enumerate() {
        let found = closed(purpose);
        assert_eq!(
            found,
            vec![(Some("wrapped".to_owned()), what.clone()); place + 1],
            "{purpose}"
        );
    }
    for purpose in signing_keys::PURPOSES {
        let gone = told(&format!("DELETE FROM signing_key WHERE purpose = '{purpose}'"));
        let what = format!("There are 0 active keys for {purpose}, not one.");
        assert!(gone.contains(&(None, what)), "{gone:?}");
    }
}

#[test]
fn secrets_that_are_gone_or_exchanged_and_the_day_of_a_password_are_looked_at() {
    let world = World::new();
    let made: Vec<String> = ["ci", "cd"]
        .into_iter()
        .map(|name| {
            let body = json!({"kind": "github", "name": name, "map": []});
            world.system(move |cx| {
                let made = set_connection::create_connection(cx, body.as_object().unwrap())?;
                Ok(made.0.id.0)
            })
        })
        .collect();
    let olga = world.actor("olga").person;
    world.system(|cx| {
        let ada = json!({"login": "ada", "roles": ["admin"]});
        set_person::create_person(cx, ada.as_object().unwrap()).map(drop)
    });
    world.by("ada", |cx| set_person::set_password(cx, "olga", "$argon2id$one"));
    world.assert_replays();
    let found = world.tampered(&format!(
        "UPDATE secret SET wrapped = (SELECT wrapped FROM secret WHERE id = '{}') WHERE id = '{}'",
        made[1], made[0]
    ));
    let told: Vec<(&str, &str)> = found.iter().map(|it| (it.table.as_str(), it.what.as_str())).collect();
    assert_eq!(
        told,
        [(
            "secret",
            "The secret of the connection ci is not opened by the master key."
        )]
    );
    let found = world.tampered(&format!("DELETE FROM secret WHERE id = '{}'", made[0]));
    assert_eq!(found[0].what, "The secret of the connection ci is gone.", "{found:?}");
    let found = world.tampered(&format!(
        "UPDATE password SET set_at = set_at - 900000000000 WHERE person = '{olga}'"
    ));
    let of_password = found.iter().find(|it| it.table == "password").unwrap();
    assert_eq!(of_password.field.as_deref(), Some("set_at"), "{found:?}");
}

#[test]
fn the_time_of_a_password_is_compared_also_where_nobody_else_set_it() {
    for (edit, field) in [
        ("set_at = set_at - 900000000000", "set_at"),
        ("set_at = NULL", "code"),
        ("code = NULL", "code"),
    ] {
        let world = World::new();
        world.system(|cx| set_person::set_password(cx, "sam", "$argon2id$one"));
        world.assert_replays();
        let found = world.tampered(&format!("UPDATE password SET {edit}"));
        assert_eq!(found.len(), 1, "{edit}: {found:?}");
        assert!(has(&found, "password", Some(field)), "{edit}: {found:?}");
    }
}

#[test]
fn a_password_that_was_exchanged_past_the_server_is_found() {
    let world = World::new();
    world.system(|cx| set_person::set_password(cx, "sam", "$argon2id$one"));
    world.system(|cx| set_person::set_password(cx, "sam", "$argon2id$two"));
    world.assert_replays();
    let sam = world.actor("sam").person;
    // Putting the earlier password back is found, too.
    for other in ["$argon2id$mine", "$argon2id$one"] {
        let found = world.tampered(&format!("UPDATE password SET phc = '{other}' WHERE person = '{sam}'"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].table.as_str(), found[0].id.as_str()),
            ("password", sam.as_str())
        );
    }
    let olga = world.actor("olga").person;
    let found = world.tampered(&format!("UPDATE password SET person = '{olga}'"));
    assert_eq!(found[0].what, "No event set this password.", "{found:?}");
    // A person whose password is gone cannot come in, and got no notice.
    let found = world.tampered("DELETE FROM password");
    assert_eq!((found.len(), found[0].id.as_str()), (1, sam.as_str()), "{found:?}");
}

/// The memory of a server whose log grows just before it is queried for the log's size.
struct Growing(acts::Executor);

impl SeenLogs for Growing {
    fn seen(&self, tenant: &str) -> Option<SeenLog> {
        let event = |cx: &mut acts::Context<'_, '_>| {
            let event = write::draft(
                "tenant.looked_at",
                ("tenant_info", TENANT.to_owned()),
                cx.now,
                json!({}),
            );
            cx.emit(vec![event], write::Written::default())
        };
        let told = self.0.wait(Lane::Acts, tenant, Actor::system(), Mode::Write, event);
        told.unwrap();
        sequence_events::sequence_events(&self.0, tenant, "server-1").unwrap();
        self.0.tools().seen_logs.seen(tenant)
    }

    fn tenants(&self) -> Vec<String> {
        self.0.tools().seen_logs.tenants()
    }

    fn note(&self, tenant: &str, log: SeenLog) {
        self.0.tools().seen_logs.note(tenant, log);
    }
}

fn assert_a_growing_log_replays(world: &World) {
    world.draft("Give every shipment a customs reference");
    world.sequence();
    let executor = world.desk_that_saw(Arc::new(Growing(world.executor.clone())));
    let progress: Progress = Arc::new(|_, _| true);
    let report = replay_log(&executor, TENANT, &progress).unwrap();
    assert_eq!(report.findings, []);
}

#[test]
fn a_log_that_grows_while_it_is_compared_is_not_taken_for_cut() {
    assert_a_growing_log_replays(&World::new());
}

#[test]
fn a_log_that_grows_while_it_is_compared_is_not_taken_for_cut_on_postgres() {
    if let Some((world, _database)) = World::on_postgres() {
        assert_a_growing_log_replays(&world);
    }
}

/// Notes the result of a replay, as the server with this executor does.
fn note(executor: &acts::Executor, report: &ReplayReport) -> bool {
    let report = report.clone();
    let act = move |cx: &mut acts::Context<'_, '_>| note_replay(cx, &report);
    executor
        .wait(Lane::Worker, TENANT, Actor::system(), Mode::Write, act)
        .unwrap()
}

/// The finding of several servers in one night is in the log once; a different finding, and one of the next night, again.
fn assert_noted_once(world: &World) {
    let report = world.replay();
    let desks = [world.other_desk(0), world.other_desk(0), world.other_desk(1)];
    let noted = std::thread::scope(|scope| {
        let notes = desks.each_ref().map(|executor| scope.spawn(|| note(executor, &report)));
        notes.map(|it| it.join().unwrap()).into_iter().filter(|it| *it).count()
    });
    assert_eq!(noted, 1, "three servers at once, before the note has a place");
    world.sequence();
    assert!(!note(&desks[0], &report), "and after it has one");

    let mut differing = report.clone();
    differing.findings.push(Finding {
        table: "change".to_owned(),
        id: "1".to_owned(),
        field: Some("/title".to_owned()),
        what: "differs".to_owned(),
    });
    world.pass_seconds(60);
    let later = world.other_desk(0);
    assert!(note(&later, &differing), "another outcome in the same night");
    assert!(!note(&later, &differing), "once");
    assert_eq!(world.look(last_replay).unwrap().unwrap().1, 1);
    world.pass_seconds(13 * 3_600);
    assert!(note(&world.other_desk(0), &differing), "the next night");
    world.sequence();
    for outcome in [&report, &differing, &report, &differing, &report, &differing, &report] {
        let desks = [world.other_desk(0), world.other_desk(0)];
        assert_eq!(
            desks.each_ref().map(|executor| note(executor, outcome)),
            [true, false],
            "of one moment"
        );
        world.sequence();
    }
}

#[test]
fn what_several_servers_find_in_one_night_is_noted_once() {
    assert_noted_once(&World::new());
}

#[test]
fn what_several_servers_find_in_one_night_is_noted_once_on_postgres() {
    let Some((world, _database)) = World::on_postgres() else {
        return;
    };
    assert_noted_once(&world);
}

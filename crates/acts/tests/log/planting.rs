//! Records planted with write access to the database and without the master key: events that wait for their place, sessions.

use acts::audit::check_log;
use acts::audit::read_grounds::GroundsReader;
use acts::audit::replay_log::Finding;
use acts::audit::sequence_events::sequence_events;
use acts::core::row_mac;
use acts::core::services::Way;
use acts::guard::session_end;
use jiff::SignedDuration;
use model::identity::factor::Factor;
use store::identity::session::{self, Session};
use store::integration::inbox::{self, NewDelivery};

use crate::world::{TENANT, World};

/// Why nothing was placed.
fn refused(world: &World) -> String {
    let before = world.checkpoint().size;
    let why = sequence_events(&world.executor, TENANT, "server-1")
        .unwrap_err()
        .to_string();
    assert_eq!(world.checkpoint().size, before, "something was placed");
    why
}

fn of_macs<'f>(findings: &'f [Finding], table: &str) -> Vec<&'f str> {
    let of_it = findings
        .iter()
        .filter(|it| it.table == table && it.field.as_deref() == Some("mac"));
    of_it.map(|it| it.id.as_str()).collect()
}

/// A world in which one event waits.
fn world() -> World {
    let world = World::new();
    world.draft("Give every shipment a customs reference");
    world.sequence();
    world.noise(1);
    world
}

fn waiting(world: &World) -> String {
    let sql = "SELECT id FROM event WHERE tenant = 'halden' AND seq IS NULL";
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn an_event_that_no_server_wrote_is_never_signed() {
    let named =
        "INSERT INTO event SELECT tenant, '9' || id, seq, '9' || act, 'person.role_given', subject_table, subject_id,
        occurred_at, recorded_at, CAST(replace(CAST(bytes AS TEXT), '\"id\":\"', '\"id\":\"9') AS BLOB), ";
    let from = ", trace FROM event WHERE tenant = 'halden' AND seq IS NULL";
    for mac in ["NULL", "x''", "mac", "zeroblob(32)"] {
        let world = world();
        let forged = format!("9{}", waiting(&world));
        let findings = world.tampered(&format!("{named}{mac}{from}"));
        assert_eq!(of_macs(&findings, "event"), [forged.as_str()], "{mac}: {findings:#?}");
        let why = refused(&world);
        assert!(
            why.contains(&forged) && why.contains("person.role_given"),
            "{mac}: {why}"
        );
        // Once it is away, the log goes on.
        let findings = world.tampered(&format!("DELETE FROM event WHERE id = '{forged}'"));
        assert!(findings.is_empty(), "{findings:#?}");
        assert_eq!(world.sequence().to, world.checkpoint().size);
        world.assert_replays();
    }
}

#[test]
fn an_event_that_was_edited_while_it_waited_is_never_signed() {
    for edit in [
        "bytes = CAST(replace(CAST(bytes AS TEXT), 'tenant.looked_at', 'tenant.looked_on') AS BLOB), kind = 'tenant.looked_on'",
        "mac = NULL",
    ] {
        let world = world();
        let edited = waiting(&world);
        let findings = world.tampered(&format!(
            "UPDATE event SET {edit} WHERE tenant = 'halden' AND seq IS NULL"
        ));
        assert_eq!(of_macs(&findings, "event"), [edited.as_str()], "{edit}: {findings:#?}");
        assert!(refused(&world).contains(&edited), "{edit}");
    }
}

#[test]
fn an_event_that_has_its_place_carries_no_code_that_another_could_take() {
    let world = world();
    world.sequence();
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    let sql = "SELECT count(*) FROM event WHERE seq IS NOT NULL AND mac IS NOT NULL";
    let left: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    // Taken out of the log, an old event cannot be placed once more.
    world.tampered("UPDATE event SET seq = NULL WHERE tenant = 'halden' AND seq = 3");
    assert!(refused(&world).contains("without the code"));
}

#[test]
fn a_session_that_no_server_began_or_stepped_up_is_none() {
    let begun = || {
        let world = World::new();
        world.system(|cx| {
            let session = Session {
                token_digest: "d1".to_owned(),
                person: "olga".to_owned(),
                created_at: cx.now,
                last_seen_at: cx.now,
                expires_at: cx.now + SignedDuration::from_hours(12),
                stepped_up_at: None,
                id: "s1".to_owned(),
                method: "password".to_owned(),
                factor: None,
                is_second_factor: false,
                source: "192.0.2.1".to_owned(),
                agent: "curl".to_owned(),
                handed_by: None,
                subject: None,
                mac: Vec::new(),
            };
            row_mac::begin_session(cx, session)
        });
        world
    };
    let is_own = |world: &World, digest: &'static str| {
        let look = world.look(move |cx| {
            let session = session::load(cx.tx, digest)?.unwrap();
            let master = &cx.services.tools().master;
            Ok(row_mac::is_own_session(master, TENANT, &session))
        });
        look.unwrap()
    };
    let step_up = |world: &World| world.system(|cx| row_mac::note_factor(cx, "d1", &Factor::new("totp", true)));
    let world = begun();
    assert!(is_own(&world, "d1") && step_up(&world) && is_own(&world, "d1"));
    assert!(world.replay().findings.is_empty());
    let copied = "INSERT INTO session SELECT tenant, 'd2', person, created_at, last_seen_at, expires_at, stepped_up_at, 's2', \
                  method, source, agent, factor, handed_by, subject, is_second_factor, mac FROM session";
    let columns = "tenant, token_digest, person, created_at, last_seen_at, expires_at, stepped_up_at, id, method, source, agent, \
                   factor, handed_by, subject, is_second_factor, mac";
    let copied = copied.replace("INTO session ", &format!("INTO session ({columns}) "));
    let findings = world.tampered(&copied);
    assert_eq!(of_macs(&findings, "session"), ["s2"], "{findings:#?}");
    assert!(!is_own(&world, "d2") && is_own(&world, "d1"));
    for edit in [
        "person = 'hanne'",
        "expires_at = expires_at + 86400000000",
        "stepped_up_at = created_at",
        "factor = 'passkey'",
        "is_second_factor = 1",
        "method = 'passkey'",
        "handed_by = 'hanne'",
        "subject = 'https://id.example 7'",
        "mac = NULL",
    ] {
        let world = begun();
        let findings = world.tampered(&format!("UPDATE session SET {edit}"));
        assert_eq!(of_macs(&findings, "session"), ["s1"], "{edit}: {findings:#?}");
        assert!(!is_own(&world, "d1"), "{edit}");
        assert!(!step_up(&world), "{edit}: a factor made it good");
        assert!(!is_own(&world, "d1"), "{edit}");
    }
}

#[test]
fn a_session_that_was_put_back_after_its_end_is_named() {
    let world = World::new();
    let at = world.look(|cx| Ok(cx.now)).unwrap();
    let row = Session {
        token_digest: "d7".to_owned(),
        person: "olga".to_owned(),
        created_at: at,
        last_seen_at: at,
        expires_at: at + SignedDuration::from_hours(12),
        stepped_up_at: None,
        id: "s7".to_owned(),
        method: "password".to_owned(),
        factor: None,
        is_second_factor: false,
        source: "192.0.2.1".to_owned(),
        agent: "curl".to_owned(),
        handed_by: None,
        subject: None,
        mac: Vec::new(),
    };
    let begun = row.clone();
    world.system(move |cx| row_mac::begin_session(cx, begun.clone()));
    world.system(|cx| {
        let ended = session::delete(cx.tx, "d7")?;
        session_end::note_ended(cx, &ended)
    });
    world.sequence();
    world.assert_replays();
    // The same row with the same code: a copy kept by a person with write access to the database.
    world.system(move |cx| row_mac::begin_session(cx, row.clone()));
    let findings = world.replay().findings;
    let named = findings
        .iter()
        .any(|it| it.table == "session" && it.id == "s7" && it.what.contains("put back"));
    assert!(named, "{findings:#?}");
    // A server that has read the log refuses it when it is used.
    let is_over = |name| world.executor.services().ended().is_over(TENANT, Way::Session(name));
    assert!(!is_over("s7"), "no reader has come so far");
    let mut reader = GroundsReader::default();
    reader.read_on(&world.executor, TENANT, || true).unwrap();
    assert!(is_over("s7") && !is_over("s8"));
}

#[test]
fn a_waiting_delivery_that_was_edited_is_named() {
    for edit in [
        "subject = ''",
        "received_at = received_at - 1000000",
        "event = 'push'",
        "connection = 'c2'",
        "delivery_id = '2'",
        "body_digest = 'sha256:00'",
        "mac = NULL",
    ] {
        let world = World::new();
        world.system(|cx| {
            let digest = proof::crypto::digest_text(b"{}");
            let came = row_mac::Came {
                id: "d1",
                connection: "c1",
                delivery_id: "1",
                event: "deployment",
                body_digest: &digest,
                subject: "web/7",
                received_at: cx.now,
            };
            let mac = came.mac(cx);
            let delivery = NewDelivery {
                id: came.id,
                connection: came.connection,
                delivery_id: came.delivery_id,
                body_digest: came.body_digest,
                event: came.event,
                received_at: came.received_at,
                body: b"{}",
                subject: came.subject,
                mac: &mac,
            };
            Ok(inbox::receive(cx.tx, &delivery)?)
        });
        world.assert_replays();
        let findings = world.tampered(&format!("UPDATE inbox SET {edit}"));
        assert_eq!(of_macs(&findings, "inbox"), ["d1"], "{edit}: {findings:#?}");
    }
}

/// Sets a log of one tile back to an earlier state with fewer entries, by the checkpoint of then, and removes all later ones.
fn cut_back(world: &World, size: u64) {
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    let number = i64::try_from(size).unwrap();
    let sql = "SELECT note FROM checkpoint WHERE tenant = 'halden' AND size = ?1";
    let note: String = connection.query_row(sql, [number], |row| row.get(0)).unwrap();
    let text = proof::note::Note::parse(&note).unwrap().text;
    let root = proof::crypto::hash_text(&proof::note::Checkpoint::parse(&text).unwrap().root);
    let sql = "SELECT bytes FROM log_tile WHERE tenant = 'halden' AND path LIKE 'tile/0/000.p/%'";
    let mut hashes: Vec<u8> = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    hashes.truncate(32 * usize::try_from(size).unwrap());
    connection
        .execute_batch("DELETE FROM log_tile WHERE tenant = 'halden'")
        .unwrap();
    let path = format!("tile/0/000.p/{size}");
    let sql = "INSERT INTO log_tile (tenant, path, bytes) VALUES ('halden', ?1, ?2)";
    connection.execute(sql, rusqlite::params![path, hashes]).unwrap();
    world.tampered(&format!(
        "UPDATE log_state SET size = {size}, root = '{root}', lease_until = 0, checkpoint = '{note}' WHERE tenant = 'halden';
         DELETE FROM checkpoint WHERE tenant = 'halden' AND size > {size};
         DELETE FROM event WHERE tenant = 'halden' AND seq >= {size}"
    ));
}

#[test]
fn a_log_that_was_cut_back_to_an_old_checkpoint_is_never_signed_again() {
    let world = World::new();
    world.noise(3);
    let old = world.sequence().to;
    world.noise(2);
    let seen = world.sequence().to;
    cut_back(&world, old);
    let told = format!("The log had {seen} entries and has {old} now.");
    let findings = world.replay().findings;
    assert!(findings.iter().any(|it| it.what == told), "{findings:#?}");
    world.noise(1);
    let told = format!("had {seen} entries when this server saw it last and has {old} now");
    assert!(refused(&world).contains(&told));
    let noted = check_log::note_log(&world.executor, TENANT).unwrap_err();
    assert!(noted.to_string().contains(&told), "{noted}");
    // Nor where it has grown as long again, by a holder of the keys whose server forgets its seen logs.
    let forgetful = world.other_desk(0);
    world.noise(4);
    assert!(sequence_events(&forgetful, TENANT, "server-2").unwrap().to > seen);
    let noted = check_log::note_log(&world.executor, TENANT).unwrap_err();
    let told = format!("is another one than this server saw when it had {seen} entries");
    assert!(noted.to_string().contains(&told), "{noted}");
}

#[test]
fn a_log_that_only_grew_is_remembered_at_every_size() {
    let world = World::new();
    let other = world.other_desk(0);
    // Sizes on both sides of a full tile.
    for count in [1, 3, 250, 1, 1, 1, 300] {
        world.noise(count);
        let placed = sequence_events(&other, TENANT, "server-2").unwrap();
        check_log::note_log(&world.executor, TENANT).unwrap();
        let seen = world.executor.tools().seen_logs.seen(TENANT).unwrap();
        assert_eq!((seen.size, seen.root), (placed.to, world.checkpoint().root));
    }
    world.pass_seconds(10);
    world.noise(1);
    world.sequence();
}

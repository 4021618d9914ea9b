//! The sequencer, the cosigner, the list of revocations and the system's log.

use acts::audit::cosign_log::cosign_log;
use acts::audit::note_log_sizes::note_log_sizes;
use acts::audit::sequence_events::sequence_events;
use acts::audit::sign_revocations;
use acts::change::edit_change;
use acts::core::{signing_keys, write};
use model::change::change_file::{self, Actor};
use model::core::ids;
use model::directory::snapshot;
use proof::log_check::{LogCheck, verify_log};
use proof::report::Outcome;
use proof::revocation::RevocationList;
use proof::tile::{TileName, TileSource};
use serde_json::json;
use store::audit::event;
use store::gate::revocation;
use store::{Lane, Mode, SYSTEM_TENANT};

use crate::world::{TENANT, World, body};

#[test]
fn what_acts_wrote_is_a_log_that_a_stranger_verifies() {
    let world = World::new();
    let empty = world.checkpoint();
    assert_eq!(empty.size, 0);
    world.draft("One");
    world.scheduled("Two");
    let done = world.sequence();
    assert!(done.has_pen && done.from == 0 && done.to > 10, "{done:?}");
    let report = world.verify(Some(&empty));
    assert_eq!(report.outcome, Outcome::Good, "{report:?}");
    assert_eq!(report.checked, done.to);
    assert_eq!(
        report.cosigned,
        [("assent.example/t/halden/log/cosigner".to_owned(), 1_795_161_600)]
    );
    let idle = world.sequence();
    assert_eq!((idle.from, idle.to), (done.to, done.to));
}

#[test]
fn each_path_that_was_served_keeps_its_content_while_the_log_grows() {
    let world = World::new();
    let mut served: Vec<(String, Vec<u8>)> = Vec::new();
    let mut checkpoints = Vec::new();
    for count in [1, 3, 120, 90, 200, 1, 400] {
        world.noise(count);
        let size = world.sequence().to;
        for level in [None, Some(0), Some(1)] {
            let hashes = if level == Some(1) { size / 256 } else { size };
            for index in 0..hashes.div_ceil(256) {
                let width = (hashes - index * 256).min(256);
                let path = TileName { level, index, width }.path();
                served.push((
                    path.clone(),
                    world.log(TENANT).get(&path).unwrap().unwrap().into_owned(),
                ));
            }
        }
        for (path, bytes) in &served {
            assert_eq!(
                world.log(TENANT).get(path).unwrap().as_deref(),
                Some(bytes.as_slice()),
                "{path} at size {size}"
            );
        }
        let report = world.verify(checkpoints.last());
        assert_eq!(report.outcome, Outcome::Good, "{report:?}");
        checkpoints.push(world.checkpoint());
    }
    for older in &checkpoints {
        assert_eq!(world.verify(Some(older)).outcome, Outcome::Good, "since {}", older.size);
    }
    assert_eq!(world.log(TENANT).get("tile/0/009").unwrap(), None);
}

#[test]
fn a_later_version_waits_for_the_earlier_one_whatever_the_clocks_say() {
    let world = World::new();
    let key = world.draft("One");
    // The other server's clock is an hour late, so its events have smaller ids than those before them.
    let late = world.other_desk(-60);
    for title in ["Two", "Three", "Four"] {
        let key = key.clone();
        let act = move |cx: &mut acts::Context<'_, '_>| {
            cx.actor.person = cx.directory()?.by_login("rita").unwrap().id.clone();
            edit_change::edit_change(cx, &key, &body(json!({"title": title})))
        };
        late.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act)
            .unwrap();
    }
    world.sequence();
    let report = world.verify(None);
    assert_eq!(report.outcome, Outcome::Good, "{report:?}");
    assert_eq!(world.replay().findings, []);
}

#[test]
fn an_event_waits_for_one_that_lies_beyond_the_batch() {
    let world = World::new();
    world.sequence();
    let key = world.draft("One");
    let late = world.other_desk(-60);
    let edit = move |cx: &mut acts::Context<'_, '_>| {
        cx.actor.person = cx.directory()?.by_login("rita").unwrap().id.clone();
        edit_change::edit_change(cx, &key, &body(json!({"title": "Two"})))
    };
    late.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, edit)
        .unwrap();
    // So many events with smaller ids precede the draft that a batch does not reach it.
    for _ in 0..15 {
        let noise = |cx: &mut acts::Context<'_, '_>| cx.emit(news(cx, 100), write::Written::default());
        late.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, noise)
            .unwrap();
    }
    let before = world.checkpoint().size;
    let first = world.sequence();
    // One event waits, and the last hundred are cut by the batch.
    assert_eq!(first.to - first.from, 900);
    while world.sequence().has_pen {}
    assert!(world.checkpoint().size >= before + 1_502);
    assert_eq!(world.verify(None).outcome, Outcome::Good);
}

/// Events that no record hangs on.
fn news(cx: &acts::Context<'_, '_>, count: usize) -> Vec<change_file::EventDraft> {
    let subject = ("tenant_info", TENANT.to_owned());
    let event = |_| write::draft("tenant.looked_at", subject.clone(), cx.now, json!({}));
    (0..count).map(event).collect()
}

/// Writes a group, and with it so many events that carry nothing of it.
fn write_group(cx: &mut acts::Context<'_, '_>, group: snapshot::Group, more: usize) -> acts::Result<()> {
    let mut written = write::Written::default();
    let saved = cx.put(&mut written, group)?;
    let kind = if saved.version == 1 {
        "group.set"
    } else {
        "group.renamed"
    };
    let mut drafts = vec![write::draft(kind, ("group", saved.id.0.clone()), cx.now, json!({}))];
    drafts.append(&mut news(cx, more));
    cx.emit(drafts, written)
}

/// The kinds of the log's events from an index on, equal neighbours as one.
fn kinds(world: &World, from: u64) -> Vec<String> {
    let from = i64::try_from(from).unwrap();
    let page = world.look(move |cx| Ok(event::page(cx.tx, from, 5_000)?)).unwrap();
    let mut kinds: Vec<String> = page.into_iter().map(|event| event.kind).collect();
    kinds.dedup();
    kinds
}

/// A group that the system makes with more events after its own, and another server, whose clock is an hour late, renames.
fn group_and_its_rename(world: &World, more: usize) {
    world.system(move |cx| {
        let group = snapshot::Group {
            id: ids::RecordId("0193aaaa-0000-7000-8000-000000000001".to_owned()),
            version: 0,
            key: "all".into(),
            name: "All".to_owned(),
            members: Default::default(),
            kind: snapshot::GroupKind::Group,
            calendar: None,
            external_id: None,
            removed: false,
        };
        write_group(cx, group, more)
    });
    let rename = |cx: &mut acts::Context<'_, '_>| {
        let only = store::record::Filter::new().equals("key", "all");
        let found = store::record::find_one::<snapshot::Group>(cx.tx, &only)?;
        let mut group = found.unwrap().record;
        group.name = "Everybody".to_owned();
        write_group(cx, group, 0)
    };
    let late = world.other_desk(-60);
    late.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, rename)
        .unwrap();
}

#[test]
fn what_follows_from_an_act_follows_all_that_it_wrote() {
    let world = World::new();
    let from = world.sequence().to;
    group_and_its_rename(&world, 3);
    world.sequence();
    assert_eq!(kinds(&world, from), ["group.set", "tenant.looked_at", "group.renamed"]);
    assert_eq!(world.verify(None).outcome, Outcome::Good);
}

#[test]
fn an_act_that_a_batch_cuts_waits_until_it_is_placed_whole() {
    let world = World::new();
    let from = world.sequence().to;
    world.noise(998);
    group_and_its_rename(&world, 3);
    // A batch holds the rename, the noise and the group's own event; the three after it lie beyond.
    let first = world.sequence();
    assert_eq!(first.to - first.from, 998);
    let second = world.sequence();
    assert_eq!(second.to - second.from, 5);
    let kinds = kinds(&world, from);
    assert_eq!(
        kinds,
        ["tenant.looked_at", "group.set", "tenant.looked_at", "group.renamed"]
    );
    assert_eq!(world.verify(None).outcome, Outcome::Good);
}

#[test]
fn deltas_too_long_for_a_leaf_stand_beside_it() {
    let world = World::new();
    world.system(|cx| {
        let members = (0..2_500)
            .map(|at| format!("0193aaaa-0000-7000-8000-{at:012}").as_str().into())
            .collect();
        let id = ids::RecordId(cx.new_id()?);
        let group = snapshot::Group {
            id,
            version: 0,
            key: "all".into(),
            name: "All".to_owned(),
            members,
            kind: snapshot::GroupKind::Group,
            calendar: None,
            external_id: None,
            removed: false,
        };
        cx.put_estate("group.set", group, json!({}))
    });
    world.sequence();
    let report = world.verify(None);
    assert_eq!(report.outcome, Outcome::Good, "{report:?}");
    assert_eq!(world.replay().findings, []);
    let count = "UPDATE log_tile SET bytes = x'5b5d' WHERE tenant = 'halden' AND path LIKE 'records/%'";
    let findings = world.tampered(count);
    assert!(findings.iter().any(|finding| finding.table == "log"), "{findings:#?}");
    let findings = world.tampered("UPDATE event_payload SET bytes = x'5b5d' WHERE tenant = 'halden'");
    assert!(
        findings.iter().any(|finding| finding.table == "event_payload"),
        "{findings:#?}"
    );
}

#[test]
fn two_servers_never_place_an_event_twice_nor_fork_the_log() {
    let world = World::new();
    let other = world.other_desk(0);
    let mut checkpoints = vec![world.checkpoint()];
    for round in 0..12 {
        world.noise(40);
        let (first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| sequence_events(&world.executor, TENANT, "server-1"));
            let second = scope.spawn(|| sequence_events(&other, TENANT, "server-2"));
            (first.join().unwrap(), second.join().unwrap())
        });
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(!(first.has_pen && second.has_pen), "two pens in round {round}");
        let placed = (first.to - first.from) + (second.to - second.from);
        let grown = world.checkpoint();
        assert_eq!(placed, grown.size - checkpoints[round].size, "round {round}");
        assert!(placed > 0);
        checkpoints.push(grown);
    }
    for older in &checkpoints {
        assert_eq!(world.verify(Some(older)).outcome, Outcome::Good, "since {}", older.size);
    }
    assert_eq!(world.replay().findings, []);
}

#[test]
fn the_pen_passes_when_its_holder_is_silent() {
    let world = World::new();
    world.sequence();
    world.noise(1);
    let other = sequence_events(&world.executor, TENANT, "server-2").unwrap();
    assert!(!other.has_pen && other.from == other.to);
    world.pass_seconds(6);
    let other = sequence_events(&world.executor, TENANT, "server-2").unwrap();
    assert!(other.has_pen && other.to == other.from + 1);
    world.noise(1);
    assert!(!sequence_events(&world.executor, TENANT, "server-1").unwrap().has_pen);
}

#[test]
fn nothing_is_signed_over_a_log_that_was_changed() {
    let world = World::new();
    world.sequence();
    world.noise(1);
    world.tampered(
        "UPDATE log_tile SET bytes = zeroblob(length(bytes)) WHERE tenant = 'halden' AND path LIKE 'tile/0/%'",
    );
    assert!(matches!(
        sequence_events(&world.executor, TENANT, "server-1"),
        Err(acts::Error::Proof(_))
    ));
    world.tampered("UPDATE log_state SET checkpoint = replace(checkpoint, 'halden', 'haldem') WHERE tenant = 'halden'");
    assert!(matches!(
        sequence_events(&world.executor, TENANT, "server-1"),
        Err(acts::Error::Fault(_))
    ));
    assert!(matches!(
        cosign_log(&world.executor, TENANT),
        Err(acts::Error::Fault(_))
    ));
}

#[test]
fn an_idle_log_is_attested_again_within_the_minute() {
    let world = World::new();
    world.sequence();
    let before = world.checkpoint();
    let cosigned = |world: &World| world.verify(None).cosigned[0].1;
    let first = cosigned(&world);
    world.pass_seconds(44);
    assert!(!cosign_log(&world.executor, TENANT).unwrap());
    world.pass_seconds(1);
    assert!(cosign_log(&world.executor, TENANT).unwrap());
    assert!(!cosign_log(&world.executor, TENANT).unwrap());
    assert_eq!(cosigned(&world), first + 45);
    assert_eq!(world.checkpoint(), before);
    world.noise(1);
    world.sequence();
    assert_eq!(world.verify(Some(&before)).outcome, Outcome::Good);
}

#[test]
fn the_list_of_revocations_is_signed_when_it_is_due() {
    let world = World::new();
    let sign = sign_revocations::sign_revocations;
    assert!(matches!(world.look(sign), Err(acts::Error::NotYet(_))));
    let first = world.system(sign);
    assert_eq!(world.look(sign).unwrap(), first);
    world.pass_seconds(44);
    assert_eq!(world.system(sign), first);
    world.system(|cx| {
        let epoch = revocation::raise(cx.tx)?;
        let expires_at = cx.now + jiff::SignedDuration::from_mins(5);
        let entry = revocation::Revoked {
            jti: "p-1".into(),
            epoch,
            at: cx.now,
            expires_at,
        };
        revocation::revoke(cx.tx, &entry)?;
        let iat = "2026-11-20T08:00:00.25Z".parse().unwrap();
        let halt = revocation::NotBefore {
            service: "pay".into(),
            environment: "production".into(),
            iat,
            epoch,
        };
        Ok(revocation::set_not_before(cx.tx, &halt)?)
    });
    let second = world.system(sign);
    assert_ne!(second, first);
    let keys = world.look(signing_keys::jwks).unwrap();
    let list = RevocationList::open(&second, &keys).unwrap();
    assert_eq!(
        (list.epoch, list.revoked.as_slice()),
        (1, ["p-1".to_owned()].as_slice())
    );
    assert_eq!(list.next_update - list.issued_at, 60);
    // Permits count whole seconds, so one of the halt's own second is void.
    assert_eq!(list.not_before[0].iat, 1_795_161_601);
    world.pass_seconds(45);
    let third = RevocationList::open(&world.system(sign), &keys).unwrap();
    assert_eq!((third.epoch, third.issued_at), (1, list.issued_at + 45));
}

#[test]
fn the_system_log_notes_sizes_and_keys() {
    let world = World::new();
    world.sequence();
    assert_eq!(note_log_sizes(&world.executor).unwrap(), 2);
    assert_eq!(note_log_sizes(&world.executor).unwrap(), 0);
    world.noise(1);
    world.sequence();
    assert_eq!(note_log_sizes(&world.executor).unwrap(), 0, "at most once a minute");
    world.pass_seconds(60);
    assert_eq!(note_log_sizes(&world.executor).unwrap(), 1);
    assert_eq!(
        sequence_events(&world.executor, SYSTEM_TENANT, "server-1").unwrap().to,
        3
    );
    let check = LogCheck {
        origin: Some("assent.example/t/system/log"),
        older: None,
        progress: None,
    };
    let report = verify_log(&world.log(SYSTEM_TENANT), &world.keys(SYSTEM_TENANT), &check);
    assert_eq!(report.outcome, Outcome::Good, "{report:?}");
    assert_eq!(world.replay().findings, []);
    let system = world.replay_of(SYSTEM_TENANT);
    assert_eq!((system.findings.as_slice(), system.events), ([].as_slice(), 3));
}

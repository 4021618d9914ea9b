//! Waves on a real store: the members are looked up by name, deliveries halt them, and the log records all of it.

use acts::change::edit_change::edit_change;
use acts::change::find_waves::{Wanted, dry_run, find_members, find_waves};
use acts::change::set_members::{MemberRow, MemberSet, set_members, set_wave_plan};
use acts::change::tell_members::{pause_waves, resume_waves, retry_members};
use acts::core::gate_question::Question;
use acts::core::noun;
use acts::gate::answer::{self, Checked};
use acts::incident::set_incident::open_incident;
use acts::integration::{set_connection, take_delivery};
use model::change::related_records::Message;
use model::change::waves::member_list::{MemberBucket, MemberList};
use model::core::enums::{GateDecision, GoDecision, MemberState, State};
use model::integration::signal::{MemberReport, ReportedMember, Signal};
use model::schedule::joint_maintenance::JointMaintenance;
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

fn row(member: &str, region: &str, canary: bool) -> MemberRow {
    MemberRow {
        place: format!("csv line of {member}"),
        member: member.to_owned(),
        region: region.to_owned(),
        canary,
        ..MemberRow::default()
    }
}

fn plan(world: &World, key: &str) {
    let (key, request) = (
        key.to_owned(),
        body(json!({"waves": [{"wave": "canary", "canary": true}, {"wave": "rest"}], "halt_failures": 3})),
    );
    world.by("rita", move |cx| set_wave_plan(cx, &key, &request));
}

fn set(world: &World, key: &str, set: MemberSet) {
    let key = key.to_owned();
    world.by("rita", move |cx| set_members(cx, &key, set.clone()));
}

/// A draft over `c` in the first wave and so many members in the second.
fn draft(world: &World, members: usize) -> String {
    let key = world.draft("Firmware 5.4.2");
    plan(world, &key);
    let rows = std::iter::once(row("c", "Norway", true));
    let rows = rows.chain((0..members).map(|number| row(&format!("m{number}"), "Sweden", false)));
    let rows = MemberSet {
        rows: rows.collect(),
        ..MemberSet::default()
    };
    set(world, &key, rows);
    key
}

/// Approves a draft whose build was seen to work in staging, and waits until its window is open.
fn open(world: &World, key: &str) {
    world.approved(key.to_owned());
    world.evidence(key, "note", b"works");
    world.pass_seconds(150 * 60);
}

fn ask(world: &World, member: Option<&str>) -> Checked {
    let question = Question {
        service: "pay".into(),
        environment: "production".into(),
        artifact: Some(ARTIFACT.into()),
        commit: None,
        change: None,
        purpose: None,
        member: member.map(str::to_owned),
    };
    world.by("pipe", move |cx| answer::check(cx, &question, None))
}

fn code(checked: &Checked) -> &str {
    checked.check.reasons.first().map_or("go", |row| row.code.as_str())
}

fn connection(world: &World) -> String {
    world.system(|cx| {
        let wanted = json!({"kind": "waves", "name": "Fleet", "map": [
            {"repository": "fleet", "service": "pay", "environments": {"live": "production"}}]});
        Ok(set_connection::create_connection(cx, &body(wanted))?.0.id.0)
    })
}

fn deliver(world: &World, connection: &str, key: &str, words: &[(&str, MemberState)]) -> String {
    let word = |(member, state): &(&str, MemberState)| ReportedMember {
        service: None,
        environment: None,
        member: (*member).to_owned(),
        state: *state,
        text: Some("as the device says".to_owned()),
    };
    let signal = Signal::Members(MemberReport {
        id: "run".to_owned(),
        change: key.to_owned(),
        members: words.iter().map(word).collect(),
    });
    let connection = connection.to_owned();
    world.system(move |cx| take_delivery::take_signals(cx, &connection, std::slice::from_ref(&signal)))
}

#[test]
fn deliveries_tell_outcomes_and_the_third_failure_halts_the_second_wave() {
    let world = World::new();
    let key = draft(&world, 6);
    open(&world, &key);
    assert_eq!(code(&ask(&world, None)), "member_missing");
    assert_eq!(code(&ask(&world, Some("nobody"))), "member_unknown");
    assert_eq!(code(&ask(&world, Some("m0"))), "wave_waits");
    let first = ask(&world, Some("c"));
    assert_eq!(first.check.decision, GateDecision::Go, "{:?}", first.check.reasons);
    let connection = connection(&world);
    let said = deliver(&world, &connection, &key, &[("c", MemberState::Succeeded)]);
    assert!(said.contains("1 members moved"), "{said}");
    let go = ask(&world, Some("m0"));
    assert_eq!(code(&go), "go");
    assert_ne!(
        go.check.permit, first.check.permit,
        "each member has a permit of its own"
    );
    for name in ["m0", "m1"] {
        deliver(&world, &connection, &key, &[(name, MemberState::Failed)]);
    }
    assert_eq!(code(&ask(&world, Some("m2"))), "go");
    let said = deliver(
        &world,
        &connection,
        &key,
        &[("m1", MemberState::Failed), ("m3", MemberState::Failed)],
    );
    assert!(said.contains("1 members moved, 1 stood so already"), "{said}");
    let halted = ask(&world, Some("m4"));
    assert_eq!(code(&halted), "waves_halted");
    assert!(
        !halted.check.reasons[0].waiting_on.is_empty(),
        "the refusal says who resumes them"
    );
    let whose = key.clone();
    world.by("ivo", move |cx| {
        resume_waves(cx, &whose, &body(json!({"reason": "Seen."})))
    });
    assert_eq!(code(&ask(&world, Some("m4"))), "go");
    assert_eq!(code(&ask(&world, Some("m3"))), "member_failed");
    let whose = key.clone();
    let count = world.by("ivo", move |cx| {
        retry_members(cx, &whose, &body(json!({"members": ["m3"]})))
    });
    assert_eq!((count, code(&ask(&world, Some("m3")))), (1, "go"));
    let whose = key.clone();
    let wanted = Wanted {
        state: Some(MemberState::Failed),
        ..Wanted::default()
    };
    let (failed, all) = world.look(move |cx| find_members(cx, &whose, &wanted)).unwrap();
    let names: Vec<&str> = failed.iter().map(|it| it.member.name.as_str()).collect();
    assert_eq!((names, all), (vec!["m0", "m1"], 2));
    world.assert_replays();
}

#[test]
fn a_delivery_tells_of_mapped_services_and_known_members_alone() {
    let world = World::new();
    let key = draft(&world, 2);
    let connection = connection(&world);
    let said = deliver(&world, &connection, &key, &[("c", MemberState::Succeeded)]);
    assert!(said.starts_with("complaint"), "it is not under way: {said}");
    open(&world, &key);
    ask(&world, Some("c"));
    let words = [("c", MemberState::Succeeded), ("x", MemberState::Failed)];
    let said = deliver(&world, &connection, &key, &words);
    assert!(
        said.contains("1 members moved") && said.contains("1 are no members: x"),
        "{said}"
    );
    let elsewhere = world.system(|cx| {
        let wanted = json!({"kind": "waves", "name": "Other", "map": [
            {"repository": "fleet", "service": "pay", "environments": {}}]});
        Ok(set_connection::create_connection(cx, &body(wanted))?.0.id.0)
    });
    let said = deliver(&world, &elsewhere, &key, &[("m0", MemberState::Succeeded)]);
    assert!(said.starts_with("noted"), "{said}");
}

#[test]
fn paused_waves_let_nobody_through_and_revoke_what_was_given() {
    let world = World::new();
    let key = draft(&world, 2);
    open(&world, &key);
    let given = ask(&world, Some("c")).check.permit.unwrap();
    let whose = key.clone();
    world.by("ivo", move |cx| {
        pause_waves(cx, &whose, &body(json!({"reason": "The depot is closed."})))
    });
    assert_eq!(code(&ask(&world, Some("c"))), "waves_paused");
    let alive = world.system(move |cx| Ok(answer::check_alive(cx, given.as_str()).is_ok()));
    assert!(!alive, "a permit of before the pause is void");
    world.assert_replays();
}

#[test]
fn members_come_by_file_and_by_query_and_wrong_rows_are_named_at_once() {
    let world = World::new();
    let key = world.draft("Firmware 5.4.2");
    let whose = key.clone();
    let set_rows = move |rows: Vec<MemberRow>| {
        let whose = whose.clone();
        let wanted = MemberSet {
            rows,
            ..MemberSet::default()
        };
        (whose, wanted)
    };
    let attempt = |rows: Vec<MemberRow>| {
        let (whose, wanted) = set_rows(rows);
        let actor = world.actor("rita");
        let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, move |cx| {
            set_members(cx, &whose, wanted.clone())
        });
        done.map_err(|error| error.to_string())
    };
    let without = attempt(vec![row("a", "", false)]).unwrap_err();
    assert!(without.contains("wave plan"), "{without}");
    plan(&world, &key);
    let elsewhere = MemberRow {
        service: "nowhere".to_owned(),
        ..row("b", "", false)
    };
    assert!(
        attempt(vec![
            row("a", "", false),
            row("a", "", false),
            elsewhere,
            row("x|y", "", false)
        ])
        .is_err()
    );
    assert!(attempt(Vec::new()).is_err());
    world.system(|cx| {
        let item = json!({"key": "truck-1", "name": "Truck 1", "service": "pay", "kind": "truck"});
        acts::directory::set_service::set_config_item(cx, &body(item)).map(drop)
    });
    let by_query = MemberSet {
        config_items_of: Some("pay".to_owned()),
        config_item_kind: Some("truck".to_owned()),
        ..MemberSet::default()
    };
    set(&world, &key, by_query);
    let whose = key.clone();
    let waves = world.look(move |cx| find_waves(cx, &whose)).unwrap();
    assert_eq!(waves.run.unwrap().waves[1].count, 1);
    let whose = key.clone();
    let found = world.look(move |cx| dry_run(cx, &whose)).unwrap();
    assert!(
        found.missing.iter().any(|row| !row.unmet.code.is_empty()),
        "a draft lacks its approvals"
    );
    assert_eq!(found.waves.iter().map(|wave| wave.count).sum::<usize>(), 1);
}

#[test]
fn config_items_become_members_of_every_target_of_their_service() {
    let world = World::new();
    let key = world.draft("Firmware 5.4.2");
    let target = |environment: &str| json!({"service": "pay", "environment": environment, "artifact": ARTIFACT});
    let (k, targets) = (
        key.clone(),
        body(json!({"targets": [target("staging"), target("production")]})),
    );
    world.by("rita", move |cx| edit_change(cx, &k, &targets));
    plan(&world, &key);
    world.system(|cx| {
        let item = json!({"key": "truck-1", "name": "Truck 1", "service": "pay", "kind": "truck"});
        acts::directory::set_service::set_config_item(cx, &body(item)).map(drop)
    });
    let by_query = MemberSet {
        config_items_of: Some("pay".to_owned()),
        ..MemberSet::default()
    };
    set(&world, &key, by_query);
    let waves = world.look(move |cx| find_waves(cx, &key)).unwrap();
    assert_eq!(waves.run.unwrap().waves[1].count, 2, "one of each environment");
}

#[test]
fn an_open_incident_halts_the_waves_before_the_first_member_gets_a_permit() {
    let world = World::new();
    let key = draft(&world, 1);
    open(&world, &key);
    world.system(|cx| {
        let incident = json!({"title": "Cards are slow", "severity": 3, "services": ["pay"]});
        open_incident(cx, &body(incident)).map(drop)
    });
    let first = ask(&world, Some("c"));
    assert_eq!((code(&first), first.permit.is_none()), ("waves_halted", true));
    let k = key.clone();
    let reason = body(json!({"reason": "It is another matter."}));
    world.by("ivo", move |cx| resume_waves(cx, &k, &reason));
    assert_eq!(code(&ask(&world, Some("c"))), "go");
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_dry_run_names_other_changes_with_the_same_members() {
    let world = World::new();
    let (one, other) = (draft(&world, 3), draft(&world, 1));
    let found = world.look(move |cx| dry_run(cx, &one)).unwrap();
    assert_eq!(found.shared.len(), 1);
    let shared = &found.shared[0];
    assert_eq!((shared.key.as_str(), shared.count), (other.as_str(), 2));
    assert_eq!(shared.members, ["c", "m0"]);
}

#[test]
fn ten_thousand_members_are_set_in_one_act_and_a_question_reads_one_bucket() {
    let world = World::new();
    let key = draft(&world, 9_999);
    let id = key.clone();
    let list = world.look(move |cx| {
        let change = cx.change(&id)?;
        let digest = change.content.targets[0]
            .members
            .clone()
            .map(|it| it.digest)
            .unwrap_or_default();
        Ok(record::load::<MemberList>(cx.tx, &digest)?.map(|it| it.record))
    });
    let list = list.unwrap().unwrap();
    assert_eq!(list.count, 10_000);
    let buckets = world.look(|cx| Ok(record::bodies::<MemberBucket>(cx.tx, &Filter::new().order_by("id"))?));
    let largest = buckets.unwrap().iter().map(|it| it.members.len()).max().unwrap();
    assert!(largest < 300, "{largest}");
    open(&world, &key);
    assert_eq!(code(&ask(&world, Some("c"))), "go");
    assert_eq!(code(&ask(&world, Some("m9998"))), "wave_waits");
    let state = world.look(move |cx| Ok(cx.change(&key)?.state)).unwrap();
    assert_eq!(state, State::Implementing);
}

#[test]
fn a_common_go_that_is_taken_back_is_told_to_those_who_wait() {
    let world = World::new();
    let (one, other) = (
        world.scheduled("Switches of row 4"),
        world.scheduled("Storage of row 4"),
    );
    let joint = body(
        json!({"title": "Row 4", "changes": [one, other], "starts_at": "2026-11-20T09:30:00Z",
        "ends_at": "2026-11-20T13:00:00Z"}),
    );
    let id = world
        .by("mona", move |cx| noun::add::<JointMaintenance>(cx, &joint))
        .id
        .0;
    let go = body(json!({"decision": "go", "reason": "All teams are ready."}));
    let decided = world.by("mona", move |cx| noun::edit::<JointMaintenance>(cx, &id, &go));
    assert_eq!(decided.decision, Some(GoDecision::Go));
    let told = || {
        let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
        let own = all.unwrap().into_iter().filter(|it| it.topic == "go_taken_back");
        own.map(|it| (it.person, it.text)).collect::<Vec<_>>()
    };
    assert!(told().is_empty());
    let reason = body(json!({"reason": "The switches are not there."}));
    world.by("rita", move |cx| acts::change::verbs::cancel_change(cx, &one, &reason));
    let letters = told();
    let people: Vec<_> = letters.iter().map(|(person, _)| person.clone()).collect();
    for login in ["rita", "ivo"] {
        assert!(
            people.contains(&world.actor(login).person),
            "{login} is not in {people:?}"
        );
    }
    let news = format!("The common go of the maintenance “Row 4” was withdrawn; {other} is waiting.");
    assert!(letters.iter().all(|(_, text)| text.contains(&news)), "{letters:?}");
    world.assert_replays();
}

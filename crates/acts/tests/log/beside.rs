//! A change of another system is compared with the rules here by the people who approved it there, and approves nothing.

use std::collections::BTreeSet;

use acts::Context;
use acts::change::verbs::comment_change;
use acts::core::gate_question::Question;
use acts::core::noun;
use acts::directory::deactivate_person::deactivate_person;
use acts::directory::set_person;
use acts::gate::answer;
use acts::integration::beside::copy_comments::{self, Sent, Todo};
use acts::integration::beside::mirror_changes::{self, Copied};
use acts::integration::beside::read_foreign::{fail, note_gone, note_whole, open_rows, take_page};
use acts::integration::beside::set_foreign_system::keep_credential;
use acts::schedule::set_freeze::set_freeze;
use jiff::Timestamp;
use model::approval::absence::Delegation;
use model::change::change_file::{Actor, Lent};
use model::change::related_records::Comment;
use model::core::enums::{CheckState, ForeignDifference, ForeignPhase, GateDecision, Kind, Level};
use model::gate::answer::Answer;
use model::integration::foreign_change::{ForeignChange, ReceivedChange};
use model::integration::foreign_comment::ReceivedComment;
use model::integration::foreign_mirror::ForeignMirror;
use model::integration::foreign_system::ForeignSystem;
use model::integration::service_lead::ServiceLead;
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

const URL: &str = "https://sn.example";

fn added(world: &World) -> String {
    let system = json!({"name": "SN", "kind": "servicenow", "url": URL, "environment": "production"});
    let made = world.system(move |cx| noun::add::<ForeignSystem>(cx, &body(system.clone())));
    made.id.to_string()
}

fn told(key: &str, edited: Timestamp, (phase, approvers): (ForeignPhase, &[&str])) -> ReceivedChange {
    ReceivedChange {
        natural_key: key.to_lowercase(),
        key: key.to_owned(),
        title: "Widen the column".to_owned(),
        kind: Kind::Normal,
        impact: Level::Low,
        state: "Implement".to_owned(),
        phase,
        service: Some("pay".to_owned()),
        by: Some("rita".to_owned()),
        approvers: approvers.iter().map(|it| (*it).to_owned()).collect(),
        planned: (
            Some(edited),
            edited.checked_add(jiff::SignedDuration::from_hours(2)).ok(),
        ),
        actual: (None, None),
        outcome: None,
        has_plan: true,
        has_way_back: true,
        opened_at: edited.checked_sub(jiff::SignedDuration::from_hours(24 * 20)).ok(),
        edited_at: edited,
        ours: None,
    }
}

fn system_of(world: &World, id: &str) -> ForeignSystem {
    let id = id.to_owned();
    let found = world.look(move |cx| Ok(record::load::<ForeignSystem>(cx.tx, &id)?));
    found.unwrap().unwrap().record
}

/// A digest of how the system is read now.
fn terms(world: &World, id: &str) -> String {
    system_of(world, id).terms_digest()
}

fn take(world: &World, id: &str, rows: Vec<ReceivedChange>) {
    let (id, terms) = (id.to_owned(), terms(world, id));
    let is_taken = world.system(move |cx| take_page(cx, (&id, &terms), &rows, None));
    assert!(is_taken);
}

/// The system reports that `CHG1`, which olga approved, has come to a phase.
fn take_first(world: &World, id: &str, edited: Timestamp, phase: ForeignPhase) {
    take(world, id, vec![told("CHG1", edited, (phase, &["olga"]))]);
}

fn kept(world: &World, key: &str) -> ForeignChange {
    let key = key.to_lowercase();
    let all = world.look(|cx| Ok(record::bodies::<ForeignChange>(cx.tx, &Filter::new().order_by("id"))?));
    all.unwrap().into_iter().find(|it| it.natural_key == key).unwrap()
}

#[test]
fn the_people_who_approved_there_are_compared_and_approve_nothing() {
    let world = World::new();
    let id = added(&world);
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    let started = ForeignPhase::Started;
    let rows = vec![
        told("CHG1", now, (started, &[])),
        told("CHG2", now, (started, &["olga", "sam", "mona"])),
        // The requester approves it there: nobody here may do that.
        told("CHG3", now, (started, &["rita"])),
        told("CHG4", now, (ForeignPhase::Stopped, &[])),
        told("CHG5", now, (ForeignPhase::Waiting, &["olga", "sam", "mona"])),
    ];
    take(&world, &id, rows.clone());
    let (nobody, all, own) = (kept(&world, "CHG1"), kept(&world, "CHG2"), kept(&world, "CHG3"));
    assert_eq!(nobody.difference, ForeignDifference::WouldStop);
    assert!(
        all.unmet_rules.len() < nobody.unmet_rules.len(),
        "{:?}",
        all.unmet_rules
    );
    assert_eq!(
        own.unmet_rules, nobody.unmet_rules,
        "an own approval counts for nothing"
    );
    assert!(
        nobody.why.len() >= nobody.unmet_rules.len(),
        "each rule has a sentence: {:?}",
        nobody.why
    );
    assert_eq!(kept(&world, "CHG4").difference, ForeignDifference::Same);
    assert_eq!(kept(&world, "CHG5").difference, ForeignDifference::Undecided);
    // The same page again writes nothing.
    let version = kept(&world, "CHG2").version;
    take(&world, &id, rows);
    assert_eq!(kept(&world, "CHG2").version, version);
    let approvals = world.look(|cx| {
        let filter = Filter::new().order_by("id");
        Ok(record::bodies::<model::change::related_records::Approval>(cx.tx, &filter)?.len())
    });
    assert_eq!(approvals.unwrap(), 0, "no approval there is one here");
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_page_that_was_read_in_another_way_is_not_kept() {
    let world = World::new();
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    for edit in [
        json!({"url": "https://other.example"}),
        json!({"state_map": "Draft = approved"}),
    ] {
        let id = added(&world);
        let before = terms(&world, &id);
        let moved = id.clone();
        world.system(move |cx| noun::edit::<ForeignSystem>(cx, &moved, &body(edit.clone())));
        let rows = vec![told("CHG1", now, (ForeignPhase::Started, &[]))];
        let is_taken = world.system(move |cx| take_page(cx, (&id, &before), &rows, None));
        assert!(!is_taken);
    }
}

#[test]
fn a_change_there_that_is_marked_as_a_copy_later_is_read_on() {
    let world = World::new();
    let system = json!({"name": "SN", "kind": "servicenow", "url": URL, "environment": "production",
        "service_map": "Pay = pay", "mirrors": true});
    let id = world
        .system(move |cx| noun::add::<ForeignSystem>(cx, &body(system.clone())))
        .id;
    let id = id.to_string();
    let ours = world.scheduled("Ours");
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    take(
        &world,
        &id,
        vec![told("CHG1", now, (ForeignPhase::Approved, &["olga"]))],
    );
    world.pass_seconds(60);
    let later = world.look(|cx| Ok(cx.now)).unwrap();
    let marked = |key: &str| ReceivedChange {
        ours: Some(ours.clone()),
        ..told(key, later, (ForeignPhase::Stopped, &[]))
    };
    take(&world, &id, vec![marked("CHG1"), marked("CHG2")]);
    assert_eq!(kept(&world, "CHG1").phase, ForeignPhase::Stopped);
    let all = world.look(|cx| Ok(record::bodies::<ForeignChange>(cx.tx, &Filter::new().order_by("id"))?));
    assert_eq!(all.unwrap().len(), 1, "a row that was never read as theirs is the copy");
    world.sequence();
    world.assert_replays();
}

/// A system that takes copies; returns its id.
fn mirroring(world: &World) -> String {
    let system = json!({"name": "SN", "kind": "servicenow", "url": URL, "environment": "production",
        "service_map": "Pay = pay", "mirrors": true});
    let made = world.system(move |cx| noun::add::<ForeignSystem>(cx, &body(system.clone())));
    made.id.to_string()
}

/// The copy of a change was written there as `CHG1`, now.
fn write_copy(world: &World, id: &str, key: &str) {
    let subject = format!("{id}/{key}");
    world.system(move |cx| {
        let copied = Copied {
            natural_key: "chg1".to_owned(),
            foreign_key: "CHG1".to_owned(),
            edited_at: cx.now,
            problem: None,
        };
        mirror_changes::note(cx, &subject, &Ok(copied))
    });
}

#[test]
fn a_copy_without_its_mark_is_known_by_its_id_through_each_connection_to_its_system() {
    let world = World::new();
    let id = mirroring(&world);
    let key = world.scheduled("Ours");
    write_copy(&world, &id, &key);
    let reader = added(&world);
    world.pass_seconds(60);
    let later = world.look(|cx| Ok(cx.now)).unwrap();
    let row = |key: &str| told(key, later, (ForeignPhase::Approved, &["olga"]));
    take(&world, &id, vec![row("CHG1")]);
    take(&world, &reader, vec![row("CHG1"), row("CHG2")]);
    let all = world.look(|cx| Ok(record::bodies::<ForeignChange>(cx.tx, &Filter::new().order_by("id"))?));
    let keys: Vec<String> = all.unwrap().into_iter().map(|it| it.foreign_key).collect();
    assert_eq!(keys, ["CHG2"]);
    let copies = world.look(|cx| Ok(record::bodies::<ForeignMirror>(cx.tx, &Filter::new().order_by("id"))?));
    assert!(copies.unwrap()[0].differs, "people are told of it");
    world.sequence();
    world.assert_replays();
}

fn copy_comments_of(world: &World, subject: &str, there: &[ReceivedComment]) -> Todo {
    let (subject, there) = (subject.to_owned(), there.to_vec());
    world.system(move |cx| copy_comments::take(cx, &subject, &there))
}

#[test]
fn comments_are_copied_both_ways_once_and_never_back() {
    let world = World::new();
    let id = mirroring(&world);
    let key = world.scheduled("Ours");
    write_copy(&world, &id, &key);
    let (subject, on) = (format!("{id}/{key}"), key.clone());
    world.by("rita", move |cx| {
        comment_change(cx, &on, &body(json!({"text": "Is it large enough?"})))
    });
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    let there = |id: &str, text: &str| ReceivedComment {
        there: id.to_owned(),
        author: "Ada".to_owned(),
        text: text.to_owned(),
        edited_at: now,
    };
    let theirs = there("j1", "It is.");
    let todo = copy_comments_of(&world, &subject, std::slice::from_ref(&theirs));
    assert_eq!((todo.write.len(), todo.waits), (1, false), "theirs does not go back");
    let other = copy_comments_of(&world, &subject, std::slice::from_ref(&theirs));
    assert!(other.waits && other.write.is_empty(), "a server is writing it");
    let (whose, sent) = (
        subject.clone(),
        Sent {
            written: vec![todo.write[0].0.clone()],
            ..Sent::default()
        },
    );
    world.system(move |cx| copy_comments::note(cx, &whose, &sent));
    let all = [theirs, there("j2", &todo.write[0].1)];
    let again = copy_comments_of(&world, &subject, &all);
    assert!(again.write.is_empty() && !again.waits);
    let texts = world.look(|cx| Ok(record::bodies::<Comment>(cx.tx, &Filter::new().order_by("id"))?));
    let texts: Vec<String> = texts.unwrap().into_iter().map(|it| it.text).collect();
    assert_eq!(texts, ["Is it large enough?", "Ada (SN):\n\nIt is."]);
    world.sequence();
    world.assert_replays();
}

/// The code by which something is refused; empty where it is done.
fn refused<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    refused_to(world, world.actor(login), act)
}

fn refused_to<T: Send + 'static>(
    world: &World,
    actor: Actor,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    match world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act) {
        Ok(_) => String::new(),
        Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

fn question(change: Option<&str>) -> Question {
    Question {
        service: "pay".to_owned(),
        environment: "production".to_owned(),
        artifact: Some(ARTIFACT.to_owned()),
        commit: None,
        change: change.map(str::to_owned),
        purpose: None,
        member: None,
    }
}

fn asked(world: &World, change: Option<&str>) -> Answer {
    let question = question(change);
    world.look(move |cx| answer::ask(cx, &question)).unwrap()
}

fn confirm(id: &str) -> impl Fn(&mut Context<'_, '_>) -> acts::Result<ServiceLead> + Send + 'static {
    let id = id.to_owned();
    move |cx| noun::edit::<ServiceLead>(cx, &id, &body(json!({"approved": true})))
}

/// Adam, an administrator, proposes that the system leads `pay`; returns the id.
fn proposed(world: &World, system: &str) -> String {
    let wanted = json!({"service": "pay", "system": system, "reason": "Its board still meets there."});
    let lead = world.by("adam", move |cx| noun::add::<ServiceLead>(cx, &body(wanted.clone())));
    lead.id.to_string()
}

/// A row that was read before with another mapping opens nothing, and the same row once it is read anew does.
fn is_believed_once_read_anew(world: &World, id: &str, now: Timestamp) {
    assert_eq!(asked(world, None).decision, GateDecision::Stop);
    take(world, id, vec![told("CHG1", now, (ForeignPhase::Approved, &["olga"]))]);
    let found = asked(world, None);
    assert_eq!(
        found.decision,
        GateDecision::Stop,
        "it was never read to its end since it leads"
    );
    let whose = id.to_owned();
    world.system(move |cx| note_whole(cx, &whose));
    let found = asked(world, None);
    assert_eq!(found.decision, GateDecision::Go, "{found:?}");
    assert_eq!(found.led_by.and_then(|led| led.change).as_deref(), Some("CHG1"));
}

/// The id of a check that goes by the system that leads; it is shown again while that lets it go.
fn checked_go(world: &World) -> String {
    let asking = question(None);
    let checked = world.by("pipe", move |cx| answer::check(cx, &asking, None));
    assert!(
        checked.check.is_led_go() && checked.permit.is_none(),
        "{:?}",
        checked.check
    );
    let id = checked.check.id.to_string();
    let again = id.clone();
    world.by("pipe", move |cx| answer::collect(cx, &again));
    id
}

/// One person alone neither keeps a withdrawal there from being read, nor has unread data believed again.
fn must_read_on(world: &World, id: &str) {
    let edit = |fields: serde_json::Value| {
        let id = id.to_owned();
        move |cx: &mut Context<'_, '_>| noun::edit::<ForeignSystem>(cx, &id, &body(fields.clone()))
    };
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    assert_eq!(
        refused(world, "adam", edit(json!({"every_minutes": 1_440}))),
        "leads_services"
    );
    assert_eq!(
        refused(world, "adam", edit(json!({"read_since": now}))),
        "leads_services"
    );
    let ahead = now.checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    assert_eq!(refused(world, "adam", edit(json!({"read_since": ahead}))), "invalid");
    let whose = id.to_owned();
    world.system(move |cx| fail(cx, (&whose, URL), "It answered 401."));
    world.by("adam", edit(json!({"name": "Another name"})));
    assert_eq!(
        asked(world, None).decision,
        GateDecision::Stop,
        "nothing was read since"
    );
    take(world, id, Vec::new());
    assert_eq!(asked(world, None).decision, GateDecision::Go);
}

#[test]
fn two_people_hand_the_lead_of_a_service_over_and_its_gate_goes_by_the_changes_there() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]}))));
    let id = added(&world);
    let ours = world.scheduled("Ours");
    world.pass_seconds(150 * 60);
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    take_first(&world, &id, now, ForeignPhase::Approved);
    assert_eq!(
        asked(&world, None).led_by,
        None,
        "what is approved there opens nothing here"
    );
    assert_eq!(asked(&world, Some("CHG1")).decision, GateDecision::Stop);
    let lead = proposed(&world, &id);
    assert_eq!(asked(&world, None).led_by, None, "one person alone hands nothing over");
    assert_eq!(refused(&world, "adam", confirm(&lead)), "own_proposal");
    assert_eq!(refused(&world, "rita", confirm(&lead)), "not_allowed");
    // Between the proposal and the confirmation the system is read in another way.
    let system = id.clone();
    let words = |text: &'static str| {
        let system = system.clone();
        move |cx: &mut Context<'_, '_>| noun::edit::<ForeignSystem>(cx, &system, &body(json!({"state_map": text})))
    };
    world.by("adam", words("Draft = approved"));
    assert_eq!(refused(&world, "mona", confirm(&lead)), "not_as_proposed");
    let stale = lead.clone();
    world.by("adam", move |cx| noun::end::<ServiceLead>(cx, &stale));
    let lead = proposed(&world, &id);
    world.by("mona", confirm(&lead));

    is_believed_once_read_anew(&world, &id, now);
    let shadow = asked(&world, Some(&ours));
    assert_eq!(shadow.decision, GateDecision::Stop, "a change here is a shadow");
    let checked = checked_go(&world);
    must_read_on(&world, &id);
    // How it is read stays while it leads.
    assert_eq!(refused(&world, "adam", words("Draft = started")), "leads_services");
    let system = id.clone();
    assert_eq!(
        refused(&world, "adam", move |cx| noun::end::<ForeignSystem>(cx, &system)),
        "leads_services"
    );

    world.pass_seconds(60);
    let later = world.look(|cx| Ok(cx.now)).unwrap();
    take_first(&world, &id, later, ForeignPhase::Ended);
    assert_eq!(asked(&world, None).decision, GateDecision::Stop, "it is over there");
    assert_eq!(
        refused(&world, "pipe", move |cx| answer::collect(cx, &checked)),
        "not_go",
        "an old go is none"
    );
    // A copy that lags behind opens nothing again.
    take_first(&world, &id, now, ForeignPhase::Approved);
    assert_eq!(asked(&world, None).decision, GateDecision::Stop);

    world.by("mona", move |cx| noun::end::<ServiceLead>(cx, &lead));
    assert_eq!(asked(&world, None).led_by, None, "one person takes the lead back");
    world.sequence();
    world.assert_replays();
}

/// The system leads `pay` by the approval of two people; returns the system's id.
fn leading(world: &World) -> String {
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]}))));
    let id = added(world);
    let lead = proposed(world, &id);
    world.by("mona", confirm(&lead));
    id
}

/// `CHG1` is approved there and read to the end; returns when.
fn approve_there(world: &World, id: &str) -> Timestamp {
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    take_first(world, id, now, ForeignPhase::Approved);
    let whose = id.to_owned();
    world.system(move |cx| note_whole(cx, &whose));
    now
}

#[test]
fn the_credential_of_a_system_that_leads_stays() {
    let world = World::new();
    let id = leading(&world);
    let keep = |id: &str| {
        let id = id.to_owned();
        move |cx: &mut Context<'_, '_>| keep_credential(cx, &id, &body(json!({"login": "less", "secret": "hush"})))
    };
    assert_eq!(refused(&world, "adam", keep(&id)), "leads_services");
    assert!(!system_of(&world, &id).has_credential);
    let other = added(&world);
    assert_eq!(refused(&world, "adam", keep(&other)), "", "it leads nothing");
}

/// Another account there may see fewer changes: confirming includes the credential.
#[test]
fn a_credential_or_interval_that_is_changed_between_the_proposal_and_the_confirmation_ends_the_proposal() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]}))));
    let id = added(&world);
    let lead = proposed(&world, &id);
    // Read a day late it would report nothing that is taken back there.
    let seldom = id.clone();
    world.by("adam", move |cx| {
        noun::edit::<ForeignSystem>(cx, &seldom, &body(json!({"every_minutes": 1_440})))
    });
    assert_eq!(refused(&world, "mona", confirm(&lead)), "not_as_proposed");
    world.by("adam", move |cx| noun::end::<ServiceLead>(cx, &lead));
    let lead = proposed(&world, &id);
    let other = id.clone();
    world.by("adam", move |cx| {
        keep_credential(cx, &other, &body(json!({"login": "less", "secret": "hush"})))
    });
    assert_eq!(refused(&world, "mona", confirm(&lead)), "not_as_proposed");
    world.by("adam", move |cx| noun::end::<ServiceLead>(cx, &lead));
    let lead = proposed(&world, &id);
    world.by("mona", confirm(&lead));
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_row_that_is_gone_is_believed_no_more_until_it_is_there_again() {
    let world = World::new();
    let id = leading(&world);
    let now = approve_there(&world, &id);
    assert_eq!(asked(&world, None).decision, GateDecision::Go);
    let checked = checked_go(&world);
    let rows = |world: &World| {
        let whose = id.clone();
        world.look(move |cx| open_rows(cx, &whose)).unwrap()
    };
    assert_eq!(rows(&world), ["chg1"]);
    let gone = |terms: String| {
        let whose = id.clone();
        world.system(move |cx| note_gone(cx, (&whose, &terms), &["chg1".to_owned()]));
    };
    gone("sha256:other".to_owned());
    assert_eq!(
        asked(&world, None).decision,
        GateDecision::Go,
        "it was asked in another way"
    );
    gone(terms(&world, &id));
    assert_eq!(asked(&world, None).decision, GateDecision::Stop);
    let again = checked.clone();
    assert_eq!(refused(&world, "pipe", move |cx| answer::collect(cx, &again)), "not_go");
    let version = kept(&world, "CHG1").version;
    gone(terms(&world, &id));
    assert_eq!(kept(&world, "CHG1").version, version, "the same again writes nothing");
    // It is fetched again, and once it is there it is as before.
    assert_eq!(rows(&world), ["chg1"]);
    take_first(&world, &id, now, ForeignPhase::Approved);
    assert_eq!(asked(&world, None).decision, GateDecision::Go);
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_new_freeze_stops_a_waiting_check_of_a_service_that_is_led_elsewhere() {
    let world = World::new();
    let id = leading(&world);
    let until = world
        .look(|cx| Ok(cx.now + jiff::SignedDuration::from_hours(1)))
        .unwrap();
    let asking = question(None);
    let waits = world
        .by("pipe", move |cx| answer::check(cx, &asking, Some(until)))
        .check
        .id;
    let state = |world: &World| {
        let check = waits.to_string();
        world.look(move |cx| Ok(answer::load_check(cx, &check)?.state)).unwrap()
    };
    approve_there(&world, &id);
    assert_eq!(state(&world), CheckState::Collectable);
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    let soon = now + jiff::SignedDuration::from_mins(30);
    let later = json!({"title": "Later", "reason": "Peak", "starts_at": soon, "ends_at": until});
    world.by("mona", move |cx| set_freeze(cx, &body(later.clone())).map(drop));
    assert_eq!(asked(&world, None).next_transition_at, Some(soon));
    assert_eq!(state(&world), CheckState::Collectable, "it has not begun");
    let freeze = json!({"title": "Peak", "reason": "Peak", "starts_at": now, "ends_at": until});
    world.by("mona", move |cx| set_freeze(cx, &body(freeze.clone())).map(drop));
    assert_eq!(state(&world), CheckState::Waiting);
    world.sequence();
    world.assert_replays();
}

#[test]
fn whoever_speaks_for_the_second_person_is_not_one_with_the_first() {
    let world = World::new();
    world.system(|cx| {
        let mut tenant = cx.directory()?.tenant.clone().unwrap();
        tenant.ownership_by_two = false;
        cx.put_estate("tenant.edited", tenant, json!({}))?;
        set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]})))
    });
    let id = added(&world);
    let lead = proposed(&world, &id);
    let (adam, olga) = (world.actor("adam").person, world.actor("olga").person);
    let lent = Delegation {
        id: "d-1".into(),
        version: 0,
        delegator: adam,
        delegate: olga.clone(),
        parts: BTreeSet::new(),
        services: BTreeSet::new(),
        starts_at: Timestamp::UNIX_EPOCH,
        ends_at: "2027-01-01T00:00:00Z".parse().unwrap(),
        deputy: false,
        reason: None,
        corrected_at: None,
    };
    world.system(move |cx| cx.put_estate("delegation.set", lent.clone(), json!({})).map(drop));
    let by_hand = Actor {
        by_token: true,
        lent: Some(Lent {
            maker: olga,
            roles: None,
            services: None,
        }),
        ..world.actor("mona")
    };
    assert_eq!(refused_to(&world, by_hand, confirm(&lead)), "own_proposal");
    assert_eq!(refused(&world, "mona", confirm(&lead)), "");
}

#[test]
fn a_lead_ends_with_the_compromised_account_of_one_of_the_two() {
    for login in ["adam", "mona"] {
        let world = World::new();
        leading(&world);
        assert!(asked(&world, None).led_by.is_some());
        let said = json!({"compromised": true, "reason": "Phished."});
        world.system(move |cx| deactivate_person(cx, login, &body(said.clone())).map(drop));
        assert_eq!(asked(&world, None).led_by, None, "{login}");
        world.sequence();
        world.assert_replays();
    }
}

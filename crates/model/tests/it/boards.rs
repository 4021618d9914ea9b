//! Boards: a decision counts at a meeting, a quorum without conflicts of interest, people on call.

use std::collections::BTreeSet;

use model::approval::obligation::{ApprovalRule, Asked, Due, Duty};
use model::cab::agenda_item::{AgendaItem, ItemOutcome, outcome_of};
use model::cab::meeting::{Attendance, DeclaredConflict, Meeting, OnCall};
use model::change::{timers, waiting_on};
use model::core::enums::{Covers, State};
use model::core::{ids, refusal};
use model::directory::snapshot::{self, Group};
use serde_json::json;

use crate::people::rule;
use crate::world::{World, at, code, facts};

fn board(quorum: u32, count: u32) -> ApprovalRule {
    let mut asks = rule(Asked::Group("cab".into()), Covers::Both);
    (asks.quorum, asks.count) = (Some(quorum), count);
    asks
}

/// A change that needs a board of four, and its meeting.
fn world(asks: ApprovalRule) -> World {
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]);
    let members = ["vera", "tom", "cora", "max"]
        .iter()
        .map(|login| (*login).into())
        .collect();
    world.estate(|estate| {
        let group = Group {
            id: "g9".into(),
            version: 4,
            key: "cab".into(),
            name: "CAB".into(),
            members,
            kind: Default::default(),
            calendar: None,
            external_id: None,
            removed: false,
        };
        estate.groups.insert(group.key.clone(), group);
    });
    let mut world = world.until_authorizing();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world
}

fn open_meeting(world: &mut World, attendees: &[&str]) {
    let meeting = Meeting {
        id: "m1".into(),
        version: 1,
        group: "cab".into(),
        title: "Tuesday".into(),
        starts_at: at("10:00"),
        ended_at: None,
        by: "mia".into(),
        at: at("10:00"),
        attendees: Vec::new(),
        conflicts: Vec::new(),
        listed: None,
    };
    world.estate(|estate| estate.meetings.push(meeting));
    attendees.iter().for_each(|who| attend(world, who));
}

/// Changes the meeting, and judges the change with it as the context of an act does.
fn at_meeting(world: &mut World, mend: impl FnOnce(&mut Meeting)) {
    world.estate(|estate| mend(&mut estate.meetings[0]));
    world.file.meetings = world.directory.meetings_about(&world.file);
    world.settle();
}

fn attend(world: &mut World, who: &str) {
    let row = Attendance {
        person: who.into(),
        at: at("10:00"),
        left_at: None,
    };
    at_meeting(world, |meeting| meeting.attendees.push(row));
}

fn declare(world: &mut World, who: &str) {
    let change = world.change().id.clone();
    let row = DeclaredConflict {
        person: who.into(),
        change,
        change_key: "CHG-1".into(),
        reason: "My brother sells it.".into(),
        at: at("10:00"),
    };
    at_meeting(world, |meeting| meeting.conflicts.push(row));
}

fn vote(world: &mut World, who: &str) -> Result<ids::RecordId, refusal::Refusal> {
    world.decide(who, json!({"decision": "approve", "meeting": "m1"}))
}

fn unmet(world: &World, wanted: &str) -> Option<model::core::unmet::Unmet> {
    let ahead = waiting_on::ahead(&world.file, &world.directory, world.now);
    ahead.into_iter().map(|row| row.unmet).find(|row| row.code == wanted)
}

#[test]
fn a_board_decides_at_a_meeting_and_the_decision_names_it_all() {
    let mut world = world(board(3, 2));
    assert_eq!(unmet(&world, "meeting_missing").unwrap().waiting_on, ["max", "mia"]);
    assert_eq!(code(world.decide("vera", json!({"decision": "approve"}))), "invalid");
    assert_eq!(code(vote(&mut world, "vera")), "invalid", "no such meeting");
    open_meeting(&mut world, &["vera", "tom"]);
    assert_eq!(code(vote(&mut world, "max")), "not_attending");
    assert_eq!(code(vote(&mut world, "sue")), "not_asked");
    let row = unmet(&world, "quorum_missing").unwrap();
    assert_eq!(row.waiting_on, ["cora", "max"]);
    assert!(
        row.text
            .starts_with("2 of 3 required members attend the meeting “Tuesday”"),
        "{}",
        row.text
    );
    vote(&mut world, "vera").unwrap();
    vote(&mut world, "tom").unwrap();
    assert_eq!(world.state(), State::Authorizing, "two votes, but no quorum");
    attend(&mut world, "cora");
    assert_eq!(
        world.state(),
        State::Scheduled,
        "coming is enough, the votes were there"
    );
    let decided = &world.change().board_decisions;
    assert_eq!(decided.len(), 1);
    assert_eq!(decided[0].quorum, 3);
    assert_eq!(decided[0].present, ["vera".into(), "tom".into(), "cora".into()]);
    assert_eq!(decided[0].approved_by, ["tom".into(), "vera".into()]);
    assert_eq!(world.events.iter().filter(|it| it.kind == "board.decided").count(), 1);
    world.settle();
    assert_eq!(world.change().board_decisions.len(), 1, "told once");
}

fn leave(world: &mut World, who: &str) {
    at_meeting(world, |meeting| {
        let row = meeting.attendees.iter_mut().find(|row| row.person == who.into());
        row.unwrap().left_at = Some(at("10:20"));
    });
}

#[test]
fn whoever_leaves_makes_no_quorum_and_what_was_decided_with_them_stands() {
    let mut world = world(board(3, 2));
    open_meeting(&mut world, &["vera", "tom"]);
    vote(&mut world, "vera").unwrap();
    leave(&mut world, "vera");
    vote(&mut world, "tom").unwrap();
    attend(&mut world, "cora");
    assert_eq!(
        world.state(),
        State::Authorizing,
        "both votes stand, but two of three are there"
    );
    assert_eq!(code(vote(&mut world, "vera")), "not_attending");
    attend(&mut world, "max");
    assert_eq!(world.state(), State::Scheduled);
    leave(&mut world, "max");
    assert_eq!(world.state(), State::Scheduled, "it was decided with him");
    declare(&mut world, "tom");
    assert_eq!(
        world.state(),
        State::Authorizing,
        "a conflict of interest counts as ever"
    );
}

#[test]
fn whoever_has_a_conflict_of_interest_neither_counts_nor_votes() {
    let mut world = world(board(2, 2));
    open_meeting(&mut world, &["vera", "tom", "cora"]);
    vote(&mut world, "vera").unwrap();
    vote(&mut world, "tom").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    declare(&mut world, "tom");
    assert_eq!(
        world.state(),
        State::Authorizing,
        "the vote given before counts no more"
    );
    let text = match vote(&mut world, "tom") {
        Err(refusal) => format!("{refusal:?}"),
        Ok(_) => panic!("a vote in spite of the conflict"),
    };
    assert!(
        text.contains("not_asked") && text.contains("conflict of interest"),
        "{text}"
    );
    vote(&mut world, "cora").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    let last = world.change().board_decisions.last().unwrap();
    assert_eq!(last.conflicted, ["tom".into()]);
    assert_eq!(last.present, ["vera".into(), "cora".into()]);
}

#[test]
fn votes_of_two_meetings_are_not_added_up_and_one_that_is_over_takes_none() {
    let mut world = world(board(2, 2));
    open_meeting(&mut world, &["vera", "tom"]);
    vote(&mut world, "vera").unwrap();
    at_meeting(&mut world, |meeting| meeting.ended_at = Some(at("10:30")));
    assert_eq!(code(vote(&mut world, "tom")), "meeting_not_open");
    world.estate(|estate| {
        let mut next = estate.meetings[0].clone();
        (next.id, next.ended_at) = ("m2".into(), None);
        estate.meetings.push(next);
    });
    let next = json!({"decision": "approve", "meeting": "m2"});
    world.decide("tom", next.clone()).unwrap();
    assert_eq!(world.state(), State::Authorizing);
    world.decide("vera", next).unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn a_meeting_that_nobody_ends_is_over_after_a_day() {
    let mut world = world(board(2, 2));
    // Opened for a time that lay long ago, it has not been over from the start.
    open_meeting(&mut world, &["vera", "tom"]);
    at_meeting(&mut world, |meeting| {
        meeting.starts_at = "1970-01-01T00:00:00Z".parse().unwrap()
    });
    vote(&mut world, "vera").unwrap();
    world.now += jiff::SignedDuration::from_hours(24);
    assert_eq!(code(vote(&mut world, "tom")), "meeting_not_open");
    assert_eq!(world.state(), State::Authorizing);
}

#[test]
fn whose_account_is_compromised_is_not_there_any_more() {
    let mut world = world(board(3, 2));
    open_meeting(&mut world, &["vera", "tom", "cora"]);
    vote(&mut world, "vera").unwrap();
    vote(&mut world, "tom").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    world.estate(|estate| {
        let cora = estate.people.get_mut(&"cora".into()).unwrap();
        cora.active = false;
        cora.deactivation = Some(snapshot::Deactivation {
            by: "ada".into(),
            at: at("10:00"),
            compromised: true,
            reason: None,
            suspended: Vec::new(),
        });
    });
    at_meeting(&mut world, |_| {});
    assert_eq!(world.state(), State::Authorizing, "two of three were there");
    let row = unmet(&world, "quorum_missing").unwrap();
    assert_eq!(row.waiting_on, ["max"]);
    // A plain leaver stays counted: decisions made with them stay valid.
    world.estate(|estate| {
        let cora = estate.people.get_mut(&"cora".into()).unwrap();
        cora.deactivation = None;
    });
    at_meeting(&mut world, |_| {});
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn who_is_of_the_board_no_longer_makes_no_quorum_and_what_was_decided_with_them_stands() {
    let mut world = world(board(3, 2));
    open_meeting(&mut world, &["vera", "tom", "cora"]);
    let cab = |world: &mut World, mend: &dyn Fn(&mut Group)| {
        world.estate(|estate| mend(estate.groups.get_mut(&"cab".into()).unwrap()));
        at_meeting(world, |_| {});
    };
    cab(&mut world, &|group| assert!(group.members.remove(&"cora".into())));
    vote(&mut world, "vera").unwrap();
    vote(&mut world, "tom").unwrap();
    assert_eq!(world.state(), State::Authorizing, "two of three are of the board");
    assert_eq!(unmet(&world, "quorum_missing").unwrap().waiting_on, ["max"]);
    cab(&mut world, &|group| assert!(group.members.insert("cora".into())));
    assert_eq!(world.state(), State::Scheduled);
    cab(&mut world, &|group| assert!(group.members.remove(&"cora".into())));
    assert_eq!(world.state(), State::Scheduled, "it was decided with her");
}

#[test]
fn those_on_call_are_asked_first_and_everybody_when_nobody_is() {
    let mut asks = board(2, 2);
    asks.on_call = true;
    let mut world = world(asks);
    let asked = |world: &World| {
        let rows = world
            .change()
            .requests
            .iter()
            .filter(|row| row.why.contains("group cab"));
        rows.map(|row| row.person.0.clone()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&world), ["cora", "max", "tom", "vera"], "nobody is on call");
    world.estate(|estate| {
        for (number, who) in ["tom", "vera"].iter().enumerate() {
            estate.on_call.push(OnCall {
                id: format!("d{number}").as_str().into(),
                version: 1,
                group: "cab".into(),
                person: (*who).into(),
                starts_at: at("10:00"),
                ends_at: at("12:00"),
                corrected_at: None,
                imported: false,
            });
        }
    });
    world.settle();
    assert_eq!(asked(&world), ["tom", "vera"]);
    let row = world
        .change()
        .requests
        .iter()
        .find(|row| row.person == "tom".into())
        .unwrap();
    assert_eq!(row.grounds[0].on_call.as_ref().unwrap().id, "d0");
    assert_eq!(
        world.look(timers::next_due).map(|at| at <= crate::world::at("12:00")),
        Some(true)
    );
    open_meeting(&mut world, &["tom", "vera", "cora"]);
    assert_eq!(code(vote(&mut world, "cora")), "not_asked");
    vote(&mut world, "tom").unwrap();
    vote(&mut world, "vera").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

/// No meeting helps where too few of the board may decide.
#[test]
fn a_board_that_is_too_small_for_its_quorum_cannot_meet_its_rule() {
    let mut world = world(board(4, 2));
    assert_eq!(unmet(&world, "cannot_be_met"), None);
    world.estate(|estate| {
        let group = estate.groups.get_mut(&"cab".into()).unwrap();
        assert!(group.members.remove(&"max".into()));
    });
    world.settle();
    let is_told = |world: &World| {
        let row = unmet(world, "cannot_be_met").unwrap();
        assert!(
            row.text
                .contains("requires 4 members of the group cab at a meeting, and only 3 of them"),
            "{row:?}"
        );
        assert_eq!(row.satisfy, "Add another member to the group cab.");
        assert_eq!(row.waiting_on, ["ada"]);
    };
    is_told(&world);
    open_meeting(&mut world, &["vera", "tom", "cora"]);
    for who in ["vera", "tom", "cora"] {
        vote(&mut world, who).unwrap();
    }
    is_told(&world);
    assert_eq!(unmet(&world, "quorum_missing"), None);
    world.estate(|estate| {
        let group = estate.groups.get_mut(&"cab".into()).unwrap();
        assert!(group.members.insert("max".into()));
    });
    attend(&mut world, "max");
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn who_came_and_went_one_after_the_other_makes_no_decision() {
    let mut world = world(board(2, 2));
    open_meeting(&mut world, &["vera"]);
    vote(&mut world, "vera").unwrap();
    at_meeting(&mut world, |meeting| {
        for row in &mut meeting.attendees {
            row.left_at = Some(at("10:05"));
        }
    });
    world.wait_until(at("10:10"));
    at_meeting(&mut world, |meeting| {
        let rows = ["tom", "cora"].map(|who| Attendance {
            person: who.into(),
            at: at("10:10"),
            left_at: None,
        });
        meeting.attendees.extend(rows);
    });
    vote(&mut world, "tom").unwrap();
    assert_eq!(
        world.state(),
        State::Authorizing,
        "vera was never there with the quorum"
    );
    vote(&mut world, "cora").unwrap();
    assert!(world.state() > State::Authorizing, "{:?}", world.unmet());
}

#[test]
fn minutes_name_no_decision_that_lost_its_quorum_and_no_vote_of_a_conflicted_member() {
    let mut world = world(board(3, 2));
    open_meeting(&mut world, &["vera", "tom", "cora"]);
    vote(&mut world, "vera").unwrap();
    vote(&mut world, "tom").unwrap();
    world.settle();
    let item = AgendaItem::of(&world.file, at("09:00"));
    let came: BTreeSet<ids::PersonId> = ["vera", "tom", "cora"].into_iter().map(Into::into).collect();
    let meetings: Vec<ids::RecordId> = vec!["m1".into()];
    let outcome = |world: &World| outcome_of(&world.file, &item, (&meetings, &came), world.now);
    assert_eq!(outcome(&world), (ItemOutcome::Approved, 2, 0));
    declare(&mut world, "cora");
    assert_eq!(outcome(&world), (ItemOutcome::Deferred, 2, 0), "two of three are there");
    declare(&mut world, "tom");
    assert_eq!(outcome(&world), (ItemOutcome::Deferred, 1, 0));
}

//! The authors of a change's commits: kept apart where a rule keeps its people from the author, and named where nobody here is
//! known by that account.

use std::collections::BTreeSet;

use model::approval::obligation::{ApprovalRule, Asked, Due, Duty, Party};
use model::change::requirement;
use model::core::enums::{Covers, GateDecision, State};
use model::core::ids;
use model::gate::committers::{Committer, Committers, Pushed, resolve};

use crate::people::{directory, rule};
use crate::world::{World, at, code, facts};

fn committer(login: &str) -> Committer {
    Committer {
        login: Some(login.to_owned()),
        email: None,
        name: None,
    }
}

fn made_by(world: &mut World, people: &[&str], unknown: &[&str]) {
    world.file.committers = Committers {
        people: people.iter().map(|login| (*login).into()).collect(),
        unknown: unknown.iter().map(|login| committer(login)).collect(),
        ..Committers::default()
    };
    world.settle();
}

fn apart() -> ApprovalRule {
    let mut asks = rule(Asked::Group("security".into()), Covers::What);
    asks.distinct_from = vec![Party::Author];
    asks
}

fn approved_by_all(extra: Vec<(Due, Duty)>) -> World {
    World::with(facts(), extra).until_scheduled()
}

#[test]
fn an_account_comes_before_an_address_and_case_does_not_count() {
    let mut estate = directory();
    estate.people.get_mut(&"sam".into()).unwrap().accounts = vec!["GitHub:Sam-B".into(), "mail:sam@home".into()];
    estate.people.get_mut(&"sue".into()).unwrap().email = Some("Sue@Halden.example".into());
    let told = |login: Option<&str>, email: Option<&str>| Committer {
        login: login.map(str::to_owned),
        email: email.map(str::to_owned),
        name: None,
    };
    for (one, who) in [
        (told(Some("github:sam-b"), Some("sue@halden.example")), Some("sam")),
        (told(Some("github:other"), Some("sue@halden.example")), Some("sue")),
        (told(None, Some("sam@home")), Some("sam")),
        (told(Some("gitlab:sam-b"), None), None),
        (told(None, None), None),
    ] {
        let found = resolve(
            &estate,
            Pushed {
                told: BTreeSet::from([one.clone()]),
                ..Pushed::default()
            },
        );
        let people: Vec<&str> = found.people.iter().map(ids::PersonId::as_str).collect();
        assert_eq!(people, who.into_iter().collect::<Vec<_>>(), "{one:?}");
        assert_eq!(found.unknown.is_empty(), who.is_some(), "{one:?}");
    }
}

#[test]
fn who_made_a_commit_does_not_count_where_the_author_does_not() {
    let mut world = approved_by_all(vec![(Due::Start, Duty::Approval(apart()))]);
    made_by(&mut world, &["sam"], &[]);
    assert_eq!(
        world.state(),
        State::Authorizing,
        "the word of sam counts for security alone"
    );
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    world.approve("sue").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    // A rule that does not keep its people apart from the author requires the authors of the commits as well.
    let mut plain = approved_by_all(Vec::new());
    made_by(&mut plain, &["sam", "olga"], &["github:mona"]);
    assert_eq!(plain.state(), State::Scheduled);
}

#[test]
fn a_committer_who_is_nobody_here_blocks_by_name() {
    let mut dual = apart();
    (dual.distinct_from, dual.dual_control) = (Vec::new(), true);
    let peer = Duty::PeerReview {
        count: 1,
        from: Some("security".into()),
    };
    for (due, duty) in [
        (Due::Start, Duty::Approval(apart())),
        (Due::Start, Duty::Approval(dual)),
        (Due::Approval, peer),
    ] {
        let is_peer = matches!(duty, Duty::PeerReview { .. });
        let mut world = World::with(facts(), vec![(due, duty)]).until_authorizing();
        world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
        if is_peer {
            world.peer_review("sue", "agree").unwrap();
        }
        for who in ["olga", "sam", "mia"] {
            world.approve(who).unwrap();
        }
        assert_eq!(world.state(), State::Scheduled, "{:?}", world.unmet());
        made_by(&mut world, &[], &["github:mona"]);
        assert_eq!(world.state(), State::Authorizing);
        assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
        let rows = requirement::before_approved(&world.file, &world.directory, world.now);
        let row = rows.iter().find(|row| row.code == "committer_unknown").unwrap();
        assert!(row.text.contains("github:mona"), "{}", row.text);
        assert!(
            row.satisfy.contains("person account LOGIN --add github:mona"),
            "{}",
            row.satisfy
        );
        assert_eq!(row.waiting_on, ["ada"]);
        made_by(&mut world, &["tom"], &[]);
        assert_eq!(world.state(), State::Scheduled, "tom is nobody whom a rule counts");
    }
}

#[test]
fn a_peer_who_made_a_commit_is_no_peer() {
    let peer = Duty::PeerReview {
        count: 1,
        from: Some("security".into()),
    };
    let mut world = World::with(facts(), vec![(Due::Approval, peer)]).until_authorizing();
    made_by(&mut world, &["sue"], &[]);
    assert_eq!(code(world.peer_review("sue", "agree")), "not_allowed");
    made_by(&mut world, &[], &[]);
    world.peer_review("sue", "agree").unwrap();
    assert!(!world.unmet().contains(&"peer_review_missing".to_owned()));
    made_by(&mut world, &["sue"], &[]);
    assert!(world.unmet().contains(&"peer_review_missing".to_owned()));
}

#[test]
fn a_push_that_was_not_told_whole_blocks_as_well() {
    let mut world = approved_by_all(vec![(Due::Start, Duty::Approval(apart()))]);
    world.file.committers.not_told.insert("abcdef0".to_owned());
    world.settle();
    assert_eq!(world.state(), State::Authorizing);
    assert!(world.unmet().contains(&"committers_not_told".to_owned()));
}

#[test]
fn a_way_back_that_is_too_long_to_be_gone_blocks_by_a_finding_of_its_own() {
    let mut world = approved_by_all(vec![(Due::Start, Duty::Approval(apart()))]);
    world.file.committers.too_far.insert("abcdef0".to_owned());
    world.settle();
    assert_eq!(world.state(), State::Authorizing);
    assert!(world.unmet().contains(&"committers_too_far".to_owned()));
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    world.file.committers.too_far.clear();
    world.settle();
    assert_eq!(world.state(), State::Scheduled, "an earlier commit ran there meanwhile");
}

#[test]
fn who_speaks_for_another_co_signs_nothing() {
    let mut dual = apart();
    (dual.distinct_from, dual.dual_control) = (Vec::new(), true);
    let mut estate = directory();
    estate.delegations.push(crate::clocks::lent("sam", "vera", false));
    let extra = vec![(Due::Start, Duty::Approval(dual))];
    let mut world = World::create("rita", facts(), extra, estate).unwrap();
    world.break_glass("ida", 60).unwrap();
    assert_eq!(code(world.cosign("vera")), "not_asked", "vera is not of security");
    world.cosign("sam").unwrap();
}

#[test]
fn whoever_allowed_work_by_word_of_mouth_may_decide_and_did_not_do_it() {
    let told = |who: &str, implementers: serde_json::Value| {
        let facts = crate::world::facts_but(serde_json::json!({
            "implementers": implementers,
            "retrospective": {
                "actual_start": "2026-11-20T08:00:00Z", "actual_end": "2026-11-20T09:00:00Z", "reason": "Night.",
                "verbal_approver": who,
            },
        }));
        World::create("rita", facts, Vec::new(), directory()).map(drop)
    };
    let wrong = [("retrospective.verbal_approver".to_owned(), "not_allowed".to_owned())];
    for (who, implementers) in [
        ("pip", serde_json::json!(["ida"])),
        ("ida", serde_json::json!(["ida"])),
        ("rita", serde_json::json!(["ida"])),
    ] {
        assert_eq!(crate::world::fields(told(who, implementers)), wrong, "{who}");
    }
    told("olga", serde_json::json!(["ida"])).unwrap();
}

#[test]
fn nobody_co_signs_a_broken_glass_while_a_committer_is_unknown() {
    let mut dual = apart();
    (dual.distinct_from, dual.dual_control) = (Vec::new(), true);
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(dual))]);
    made_by(&mut world, &["sam"], &["github:mona"]);
    world.break_glass("ida", 60).unwrap();
    assert_eq!(code(world.cosign("sam")), "not_asked", "sam made a commit");
    assert_eq!(code(world.cosign("sue")), "committer_unknown");
    made_by(&mut world, &["sam"], &[]);
    world.cosign("sue").unwrap();
    assert_eq!(world.state(), State::Implementing);
    assert!(world.now < at("11:00"));
}

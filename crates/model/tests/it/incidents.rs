//! Success, caused incidents and the watch window: the effect of an incident on an outcome and on the closing.

use model::change::around::{self, LinkEnd};
use model::change::record::{Change, Target, TargetRecord};
use model::change::related_records::Deployment;
use model::change::{after, read_content, success, timers};
use model::core::enums::{Criticality, Level, Outcome, State};
use model::core::ids::{RecordId, ServiceKey};
use model::directory::snapshot::Incident;
use model::gate::coverage;
use model::incident::{watch, watch_table};
use model::schedule::freeze;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::people::directory;
use crate::world::{World, at, body, code, facts_but, fields, missing};

/// An incident of a service.
fn incident(key: &str, service: &str, began: &str, resolved: Option<&str>) -> Incident {
    Incident {
        id: RecordId(key.to_lowercase()),
        version: 1,
        key: key.to_owned(),
        title: "The shop is slow".to_owned(),
        severity: 1,
        services: [service.into()].into(),
        started_at: at(began),
        resolved_at: resolved.map(at),
        end_recorded_at: None,
        external_ref: Some(format!("pagerduty:{key}")),
        connection: None,
        cause_verdicts: Vec::new(),
        course: Default::default(),
    }
}

fn put(world: &mut World, row: Incident) {
    world.estate(|estate| {
        estate.incidents.insert(row.key.clone(), row);
    });
    world
        .act("system", |case| {
            watch::collect(case);
            Ok(())
        })
        .unwrap();
}

fn link(world: &mut World, who: &str, kind: &str, to: &str) -> Result<RecordId, model::core::refusal::Refusal> {
    let none = |_: &str| None::<LinkEnd>;
    world.act(who, |case| {
        around::link(case, &body(json!({"kind": kind, "to": to})), &none)
    })
}

fn review(world: &mut World, who: &str, more: Value) -> Result<(), model::core::refusal::Refusal> {
    let mut words = body(json!({
        "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "As planned.",
    }));
    if success::succeeded(&world.file.change) == Some(false) {
        words.insert("cause".to_owned(), json!("missing_test"));
    }
    words.extend(body(more));
    let causes: Vec<_> = model::risk::cause::shipped().collect();
    world.act(who, |case| after::review(case, &words, &causes))
}

#[test]
fn the_review_of_a_failure_names_a_cause_of_the_taxonomy() {
    let mut world = World::new().until_implementing();
    world
        .complete("ida", json!({"outcome": "rolled_back", "reason": "Grey labels."}))
        .unwrap();
    world.validate("tom", "works").unwrap();
    let causes: Vec<_> = model::risk::cause::shipped().collect();
    let say = |world: &mut World, more: Value| {
        let mut words = body(json!({
            "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Taken back.",
        }));
        words.extend(body(more));
        world.act("olga", |case| after::review(case, &words, &causes))
    };
    let wrong = |refused| fields::<()>(refused);
    let row = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
    // Calling the objectives met is no way around it: it was taken back.
    assert_eq!(wrong(say(&mut world, json!({}))), row("cause", "missing"));
    assert_eq!(
        wrong(say(&mut world, json!({"cause": "missing_tests"}))),
        row("cause", "unknown")
    );
    assert_eq!(
        wrong(say(&mut world, json!({"cause": "unknown"}))),
        row("cause_text", "missing")
    );
    say(
        &mut world,
        json!({"cause": "missing_test", "cause_text": "No test prints in grey."}),
    )
    .unwrap();
    let review = world.change().causal_review().unwrap();
    assert_eq!(review.cause.as_deref(), Some("missing_test"));
}

#[test]
fn a_caused_incident_revises_the_outcome_however_late_it_is_found() {
    let mut world = World::new().until_closed();
    assert_eq!(success::succeeded(world.change()), Some(true));
    world.wait(60 * 24 * 90);
    for key in ["INC-7", "INC-8", "INC-9"] {
        put(&mut world, incident(key, "shop", "11:20", Some("11:40")));
        link(&mut world, "mia", "caused", key).unwrap();
    }
    let change = world.change();
    assert_eq!(change.state, State::Closed);
    assert_eq!(change.outcome, Some(Outcome::SucceededWithIssues));
    assert_eq!(change.target_records[0].earlier[0].outcome, Outcome::Succeeded);
    assert_eq!(
        (success::succeeded(change), change.caused_incidents.len()),
        (Some(false), 3)
    );
    let addenda: Vec<_> = change.reviews.iter().filter(|it| it.addendum).collect();
    assert_eq!(addenda.len(), 3);
    assert!(addenda[0].summary.contains("from succeeded to succeeded with issues"));
    assert!(
        addenda
            .iter()
            .all(|it| it.is_unanswered() && it.by.as_str() == "system"),
        "nobody answered it yet"
    );
}

#[test]
fn the_same_incident_counts_once_under_each_of_its_names() {
    let mut world = World::new().until_closed();
    put(&mut world, incident("INC-7", "shop", "11:20", None));
    link(&mut world, "mia", "caused", "inc-7").unwrap();
    for again in ["INC-7", "pagerduty:INC-7"] {
        let found = fields(link(&mut world, "olga", "caused", again));
        assert_eq!(found, [("to".into(), "not_unique".into())], "{again}");
    }
    assert_eq!(world.change().caused_incidents.len(), 1);
}

#[test]
fn what_a_delivery_supposes_is_no_confirmation_until_a_person_says_so() {
    let mut world = World::new().until_reviewing();
    put(&mut world, incident("INC-7", "shop", "11:12", None));
    link(&mut world, "system", "caused", "INC-7").unwrap();
    assert_eq!(success::succeeded(world.change()), Some(true));
    link(&mut world, "mia", "caused", "INC-7").unwrap();
    assert_eq!(success::succeeded(world.change()), Some(false));
}

#[test]
fn only_its_author_or_an_uninvolved_change_manager_takes_a_cause_back() {
    let mut world = World::new().until_closed();
    put(&mut world, incident("INC-7", "shop", "11:20", None));
    let id = link(&mut world, "olga", "caused", "INC-7").unwrap();
    let taken = world.act("rita", |case| around::unlink(case, &id));
    assert_eq!(code(taken), "not_yours");
    world.act("mia", |case| around::unlink(case, &id)).unwrap();
    assert!(world.change().caused_incidents.is_empty());
    assert_eq!(
        world.change().outcome,
        Some(Outcome::Succeeded),
        "it has the outcome again that the cause had revised"
    );
    assert_eq!(success::succeeded(world.change()), Some(true));
    let earlier = &world.change().target_records[0].earlier;
    assert_eq!(
        earlier[1].outcome,
        Outcome::SucceededWithIssues,
        "what stood stays beside it"
    );
}

#[test]
fn who_has_a_part_in_a_change_neither_reserves_its_cause_nor_takes_it_back_after_the_work() {
    let mut world = World::new().until_implementing();
    put(&mut world, incident("INC-7", "shop", "11:20", None));
    let own = link(&mut world, "rita", "caused", "INC-7").unwrap();
    let mut early = world.clone();
    early.act("rita", |case| around::unlink(case, &own)).unwrap();
    assert!(
        early.change().caused_incidents.is_empty(),
        "the outcome rested on nothing yet"
    );
    world
        .complete("ida", json!({"outcome": "succeeded_with_issues"}))
        .unwrap();
    let taken = world.act("rita", |case| around::unlink(case, &own));
    assert_eq!(code(taken), "not_yours");
    // The verdict of a person without a part is kept beside it, once.
    let other = link(&mut world, "cora", "caused", "INC-7").unwrap();
    let again = fields(link(&mut world, "mia", "caused", "INC-7"));
    assert_eq!(again, [("to".into(), "not_unique".into())]);
    world.act("mia", |case| around::unlink(case, &own)).unwrap();
    assert_eq!(world.change().caused_incidents.len(), 1, "the other word stands");
    world.validate("tom", "works").unwrap();
    review(&mut world, "olga", json!({"incidents": ["INC-7"]})).unwrap();
    world.close("olga").unwrap();
    world.letters.clear();
    world.act("cora", |case| around::unlink(case, &other)).unwrap();
    let change = world.change();
    assert!(change.caused_incidents.is_empty());
    let last = change.reviews.last().unwrap();
    assert!(last.addendum && last.is_unanswered() && last.summary.contains("was withdrawn"));
    let told = |who: &str| {
        let mut letters = world.letters.iter();
        letters.any(|letter| letter.topic == "cause_withdrawn" && letter.to.as_str() == who)
    };
    assert!(told("mia") && told(change.content.owner.as_str()));
}

#[test]
fn a_cause_that_cannot_be_one_is_refused() {
    let mut world = World::new();
    put(&mut world, incident("INC-7", "shop", "11:12", None));
    assert_eq!(code(link(&mut world, "mia", "caused", "INC-7")), "not_begun");
    let mut world = World::new().until_implementing();
    put(&mut world, incident("INC-8", "shop", "11:05", None));
    assert_eq!(code(link(&mut world, "mia", "caused", "INC-8")), "began_later");
    assert!(world.change().caused_incidents.is_empty());
}

#[test]
fn success_cannot_be_stated_against_a_caused_incident() {
    let mut world = World::new().until_implementing();
    put(&mut world, incident("INC-7", "shop", "11:12", None));
    link(&mut world, "mia", "caused", "INC-7").unwrap();
    let said = world.complete("ida", json!({"outcome": "succeeded"}));
    assert_eq!(code(said), "incident_caused");
    world
        .complete("ida", json!({"outcome": "succeeded_with_issues"}))
        .unwrap();
    assert_eq!(success::succeeded(world.change()), Some(false));
}

#[test]
fn an_open_or_caused_incident_holds_the_closing_until_a_review_names_it() {
    let mut world = World::new().until_reviewing();
    world.validate("tom", "works").unwrap();
    review(&mut world, "olga", json!({})).unwrap();
    put(&mut world, incident("INC-7", "shop", "11:20", None));
    assert_eq!(missing(world.close("olga")), ["incident_not_addressed"]);
    // A verdict on other work, or on another incident, does not address it.
    review(&mut world, "olga", json!({"summary": "Nothing was seen."})).unwrap();
    assert_eq!(missing(world.close("olga")), ["incident_not_addressed"]);
    let unknown = fields(review(&mut world, "olga", json!({"incidents": ["INC-99999"]})));
    assert_eq!(unknown, [("incidents".into(), "unknown".into())]);
    review(&mut world, "olga", json!({"summary": "INC-7 has another cause."})).unwrap();
    link(&mut world, "mia", "caused", "jira:OPS-7").unwrap();
    // The outcome was revised, so that a review from before it proves nothing of it either.
    assert_eq!(
        missing(world.close("olga")),
        ["review_missing", "incident_not_addressed"]
    );
    review(&mut world, "olga", json!({"incidents": ["jira:OPS-7"]})).unwrap();
    world.close("olga").unwrap();
}

#[test]
fn an_incident_that_is_moved_elsewhere_stays_with_the_change_that_it_began_under() {
    let mut world = World::new().until_reviewing();
    world.validate("tom", "works").unwrap();
    review(&mut world, "olga", json!({})).unwrap();
    put(&mut world, incident("INC-7", "shop", "11:20", None));
    put(&mut world, incident("INC-7", "something-else", "11:20", None));
    assert_eq!(missing(world.close("olga")), ["incident_not_addressed"]);
    put(&mut world, incident("INC-7", "shop", "11:20", Some("11:50")));
    world.close("olga").unwrap();
}

#[test]
fn a_standard_change_with_an_incident_in_its_watch_does_not_close_by_itself() {
    for resolved in [None, Some("11:25")] {
        let mut world = World::standard_in(State::Reviewing).unwrap();
        put(&mut world, incident("INC-7", "shop", "11:15", resolved));
        world.wait_until(at("14:00"));
        world
            .act("system", |case| {
                timers::run(case);
                Ok(())
            })
            .unwrap();
        assert_eq!(world.state(), State::Reviewing, "{resolved:?}");
        assert!(missing(world.close("olga")).contains(&"incident_not_addressed".to_owned()));
        review(&mut world, "olga", json!({"incidents": ["INC-7"]})).unwrap();
        world
            .act("system", |case| {
                timers::run(case);
                Ok(())
            })
            .unwrap();
        assert_eq!(world.state(), State::Closed, "{resolved:?}");
    }
}

#[test]
fn the_watch_window_follows_criticality_and_risk() {
    let mut world = World::new().until_reviewing();
    let end = world.change().actual_end.unwrap();
    let minutes = |world: &World| watch::watch_minutes(world.change(), &world.directory);
    world.estate(|estate| {
        let key = ServiceKey::from("shop");
        let mut shop = estate.services.get(&key).unwrap().clone();
        shop.criticality = Criticality::Critical;
        estate.services.insert(key, shop);
    });
    let table = watch_table::WatchTable::default();
    let change = &mut world.file.change;
    change.risk.level = Level::High;
    assert_eq!(minutes(&world), table.critical.high);
    let until = end + jiff::SignedDuration::from_mins(table.critical.high);
    let (last, late) = (until, until + jiff::SignedDuration::from_secs(1));
    for (began, is_in) in [(last, true), (late, false)] {
        let row = Incident {
            started_at: began,
            ..incident("INC-7", "shop", "11:20", None)
        };
        assert_eq!(watch::is_in_watch(world.change(), &world.directory, &row), is_in);
    }
}

#[test]
fn references_of_a_change_are_checked() {
    let read = |words: Value| {
        let said = facts_but(words);
        read_content::read(&said, &directory(), &"rita".into(), None)
    };
    for wrong in ["banana", "INC-99999", "inc 1"] {
        assert_eq!(
            fields(read(json!({"incident": wrong})).map(drop)),
            [("incident".into(), "unknown".into())],
            "{wrong}"
        );
    }
    assert!(read(json!({"incident": "jira:OPS-7"})).is_ok());
    let plan = |owner: &str| json!({"plan": [{"title": "Go", "owner": owner}]});
    for right in ["ida", "Ida", "@ida", "vendor:acme", "the night shift"] {
        assert!(read(plan(right)).is_ok(), "{right}");
    }
    assert_eq!(
        fields(read(plan("nobody")).map(drop)),
        [("plan[0].owner".into(), "unknown".into())]
    );
}

#[test]
fn a_link_names_something_that_is_there_or_an_outside_reference() {
    let mut world = World::new();
    put(&mut world, incident("INC-7", "shop", "11:20", None));
    for wrong in ["INC-99999", "banana", "CHG-99999"] {
        let found = fields(link(&mut world, "rita", "fixes", wrong));
        assert_eq!(found, [("to".into(), "unknown".into())], "{wrong}");
    }
    for (named, kept) in [("inc-7", "INC-7"), ("jira:OPS-7", "jira:OPS-7")] {
        link(&mut world, "rita", "fixes", named).unwrap();
        assert_eq!(world.file.links.last().unwrap().to, kept);
    }
    link(&mut world, "rita", "in_release", "2026.11").unwrap();
}

fn reported() -> (World, Deployment) {
    let world = World::retrospective();
    let deployment = Deployment {
        id: "d1".into(),
        version: 1,
        connection: "con".into(),
        natural_key: "7".into(),
        service: "shop".into(),
        environment: "production".into(),
        commit: "abcdef0".into(),
        artifact: None,
        change: None,
        change_key: None,
        seen_statuses: Vec::new(),
        words: Vec::new(),
        same_as: None,
        status: Some("success".into()),
        status_at: None,
        mapped: None,
        mapping_facts: None,
        unauthorized: true,
        is_early: false,
        at: at("07:30"),
    };
    (world, deployment)
}

#[test]
fn work_that_was_reported_afterwards_explains_its_deployment_once_it_is_confirmed() {
    let (mut world, deployment) = reported();
    let explains = |world: &World, it: &Deployment| coverage::explained_by(world.change(), it).is_some();
    assert!(!explains(&world, &deployment), "nobody has confirmed it");
    let mut denied = world.clone();
    let answer = |world: &mut World, confirmed: bool| {
        let words = body(json!({ "confirmed": confirmed }));
        world
            .act("olga", |case| after::confirm_retrospective(case, &words))
            .unwrap();
    };
    answer(&mut denied, false);
    assert!(!explains(&denied, &deployment));
    answer(&mut world, true);
    assert!(explains(&world, &deployment));
    let others = [
        Deployment {
            commit: "abcdef1".into(),
            ..deployment.clone()
        },
        Deployment {
            artifact: Some("git:bbe5e5e".into()),
            ..deployment.clone()
        },
        Deployment {
            environment: "staging".into(),
            ..deployment.clone()
        },
        Deployment {
            service: "mail".into(),
            ..deployment.clone()
        },
        Deployment {
            at: at("08:16"),
            ..deployment.clone()
        },
        Deployment {
            at: at("06:44"),
            ..deployment
        },
    ];
    for other in &others {
        assert!(!explains(&world, other), "{other:?}");
    }
}

#[test]
fn terms_of_a_freeze_that_go_on_unchanged_loosen_nothing() {
    let mut world = World::new();
    world.freeze("10:00", "12:00", true);
    let terms = world.directory.freezes[0].terms();
    assert!(!freeze::loosens(&terms, &terms, jiff::Timestamp::UNIX_EPOCH));
}

/// A change whose targets ended so, with `caused` confirmed incidents.
fn ended(outcomes: &[Outcome], earlier: &[Outcome], caused: usize, went_back: bool) -> Change {
    let mut change = World::new().until_closed().file.change;
    let one: Target = change.content.targets[0].clone();
    change.content.targets = (1..=outcomes.len())
        .map(|number| Target {
            id: number.to_string().as_str().into(),
            ..one.clone()
        })
        .collect();
    let record: TargetRecord = change.target_records[0].clone();
    change.target_records = outcomes
        .iter()
        .zip(&change.content.targets)
        .map(|(outcome, target)| TargetRecord {
            target: target.id.clone(),
            outcome: Some(*outcome),
            ..record.clone()
        })
        .collect();
    for outcome in earlier {
        change.target_records[0]
            .earlier
            .push(model::change::record::EarlierOutcome {
                outcome: *outcome,
                reason: "It was another".to_owned(),
                by: "ida".into(),
                at: at("12:00"),
                validations: 0,
                reviews: 0,
            });
    }
    change.outcome = model::change::work::whole_outcome(outcomes);
    change.way_back_taken = went_back;
    for number in 0..caused {
        change.caused_incidents.push(model::change::record::CausedIncident {
            incident: format!("INC-{number}"),
            by: "mia".into(),
            at: at("12:00"),
        });
    }
    change
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn success_is_what_the_rule_says_and_nothing_else(
        outcomes in prop::collection::vec(prop::sample::select(Outcome::ALL.to_vec()), 1..4),
        earlier in prop::collection::vec(prop::sample::select(Outcome::ALL.to_vec()), 0..3),
        caused in 0_usize..3,
        went_back in any::<bool>(),
    ) {
        let change = ended(&outcomes, &earlier, caused, went_back);
        let word = |outcome: &Outcome| outcome.as_str();
        let all_well = outcomes.iter().all(|it| ["succeeded", "succeeded_with_issues"].contains(&word(it)));
        let back = outcomes.iter().chain(&earlier).any(|it| ["rolled_back", "rollback_failed"].contains(&word(it)));
        let wanted = match outcomes.iter().all(|it| word(it) == "not_implemented") {
            true => None,
            false => Some(all_well && !back && !went_back && caused == 0),
        };
        prop_assert_eq!(success::succeeded(&change), wanted);
        let targets: Vec<Option<bool>> = change.target_records.iter().map(|it| success::target_succeeded(&change, it)).collect();
        let is_any_undone = outcomes.iter().any(|it| word(it) == "not_implemented");
        if wanted == Some(true) {
            prop_assert!(targets.iter().all(|it| *it == Some(true)), "a success is one of each target");
        } else if wanted == Some(false) && !is_any_undone {
            prop_assert!(targets.contains(&Some(false)), "a failure is one of some target");
        }
    }

    #[test]
    fn no_time_that_is_typed_shortens_the_watch_of_work_that_was_seen(
        start in prop::option::of(-1_200_i64..=0),
        length in prop::option::of(0_i64..=1_200),
        again in any::<bool>(),
    ) {
        let mut world = World::new().until_implementing();
        world.wait_until(at("11:50"));
        let typed = |minutes: i64| (at("11:50") + jiff::SignedDuration::from_mins(minutes)).to_string();
        let mut words = body(json!({"outcome": "succeeded"}));
        if let Some(start) = start {
            words.insert("actual_start".to_owned(), json!(typed(start)));
            if let Some(length) = length {
                words.insert("actual_end".to_owned(), json!(typed((start + length).min(0))));
            }
        }
        // A correction moves the watch no more than a first report.
        if again {
            world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
            words.insert("reason".to_owned(), json!("The times were wrong"));
        }
        world.complete("ida", Value::Object(words)).unwrap();
        let minutes = jiff::SignedDuration::from_mins(watch::watch_minutes(world.change(), &world.directory));
        for began in [at("11:10"), at("11:30"), at("11:50"), at("11:50") + minutes] {
            let row = Incident {
                started_at: began,
                ..incident("INC-7", "shop", "11:20", None)
            };
            prop_assert!(watch::is_in_watch(world.change(), &world.directory, &row), "{}", began);
        }
        put(&mut world, incident("INC-7", "shop", "11:10", None));
        prop_assert!(missing(world.close("olga")).contains(&"incident_not_addressed".to_owned()));
        prop_assert!(link(&mut world, "mia", "caused", "INC-7").is_ok(), "it may have caused it");
    }
}

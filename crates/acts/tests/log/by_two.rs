//! Records that move decisions and go live by two people: rows of the ownership matrix, and the times to acknowledge and to
//! decide.

use acts::approval::set_sla_table::{self, propose_sla_table};
use acts::cab::training::set_training;
use acts::change::verbs;
use acts::directory::import_directory::{Line, Options, import_directory};
use acts::directory::set_person;
use acts::directory::set_service::{self, end_ownership, set_ownership};
use acts::policy::activate_configuration::activate_configuration;
use acts::policy::configurations;
use acts::policy::propose_ownership::{import_and_propose, propose_ownership};
use acts::{Context, Error, Result};
use model::change::change_file::Actor;
use model::core::enums::Noun;
use model::core::refusal::Refusal;
use model::directory::snapshot::Ownership;
use model::policy::configuration::Configuration;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

pub(crate) fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Refusal> {
    attempt_as(world, world.actor(login), act)
}

pub(crate) fn attempt_as<T: Send + 'static>(
    world: &World,
    actor: Actor,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Refusal> {
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.map_err(|error| match error {
        Error::Refused(refusal) => refusal,
        other => panic!("no refusal: {other:?}"),
    })
}

pub(crate) fn code<T: std::fmt::Debug>(done: std::result::Result<T, Refusal>) -> String {
    match done.unwrap_err() {
        Refusal::Invalid(errors) => errors[0].code.clone(),
        other => other.code().to_owned(),
    }
}

/// The world with an administrator, who is alone.
pub(crate) fn alone() -> World {
    let world = World::new();
    hire(&world, "ada");
    world
}

pub(crate) fn hire(world: &World, login: &'static str) {
    world.system(move |cx| set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]}))));
}

pub(crate) fn set(world: &World, who: &'static str, row: Value) -> std::result::Result<Ownership, Refusal> {
    attempt(world, who, move |cx| set_ownership(cx, &body(row.clone())))
}

pub(crate) fn propose(world: &World, who: &'static str, wanted: Value) -> std::result::Result<Configuration, Refusal> {
    attempt(world, who, move |cx| propose_ownership(cx, &body(wanted.clone())))
}

/// The proposal of `who` that mona puts in force.
pub(crate) fn by_two(world: &World, who: &'static str, wanted: Value) -> Configuration {
    let proposal = propose(world, who, wanted).unwrap();
    activate(world, "mona", proposal.id.as_str()).unwrap()
}

pub(crate) fn activate(world: &World, who: &'static str, id: &str) -> std::result::Result<Configuration, Refusal> {
    let id = id.to_owned();
    attempt(world, who, move |cx| activate_configuration(cx, &id, &body(json!({}))))
}

fn owners(world: &World, role: &'static str) -> Vec<String> {
    let found = world.look(move |cx| {
        let (directory, now) = (cx.directory()?, cx.now);
        let rows = directory
            .ownerships
            .iter()
            .filter(|row| row.role.as_str() == role && row.person.is_some() && row.ends_at.is_none_or(|end| now < end));
        Ok(rows
            .filter_map(|row| Some(directory.login(row.person.as_ref()?)))
            .collect::<Vec<_>>())
    });
    found.unwrap()
}

#[test]
fn one_administrator_sets_rows_and_of_two_neither_does_alone() {
    let world = alone();
    let lead = json!({"service": "pay", "role": "technical_lead", "person": "rita"});
    let first = set(&world, "ada", lead).unwrap();
    hire(&world, "adam");
    let other = json!({"service": "pay", "role": "technical_lead", "person": "sam"});
    assert_eq!(code(set(&world, "ada", other.clone())), "two_people_needed");
    let id = first.id.0.clone();
    let ended = attempt(&world, "ada", move |cx| end_ownership(cx, &id));
    assert_eq!(code(ended), "two_people_needed");
    // The implementer moves no decision.
    set(
        &world,
        "ada",
        json!({"service": "pay", "role": "implementer", "person": "ivo"}),
    )
    .unwrap();

    let wanted = json!({"rows": [other], "end": [first.id], "reason": "Sam knows it."});
    let proposal = propose(&world, "ada", wanted).unwrap();
    assert_eq!(owners(&world, "technical_lead"), ["rita"], "nothing has moved yet");
    assert_eq!(
        code(activate(&world, "ada", proposal.id.as_str())),
        "second_person_needed"
    );
    activate(&world, "mona", proposal.id.as_str()).unwrap();
    assert_eq!(owners(&world, "technical_lead"), ["sam"]);
    assert_eq!(code(activate(&world, "adam", proposal.id.as_str())), "not_in_state");
    world.sequence();
    world.assert_replays();
}

/// Rules read whether a service is under a regime, and production: of two administrators neither takes them away alone.
#[test]
fn of_two_administrators_neither_takes_a_thing_from_under_a_rule_alone() {
    let world = alone();
    let set = |who: &'static str, service: Value| {
        attempt(&world, who, move |cx| {
            set_service::set_service(cx, &body(service.clone()))
        })
    };
    let ledger =
        json!({"key": "ledger", "criticality": "high", "regimes": ["sox", "pci_dss"], "data_class": "confidential"});
    set("ada", ledger).unwrap();
    hire(&world, "adam");
    for looser in [
        json!({"key": "ledger", "regimes": ["sox"]}),
        json!({"key": "ledger", "regimes": null}),
        json!({"key": "ledger", "criticality": "medium"}),
        json!({"key": "ledger", "data_class": "internal"}),
        json!({"key": "ledger", "data_class": null}),
    ] {
        assert_eq!(code(set("ada", looser.clone())), "two_people_needed", "{looser}");
    }
    let place = |production: bool| {
        attempt(&world, "ada", move |cx| {
            let wanted = json!({"key": "production", "is_production": production});
            set_service::set_environment(cx, &body(wanted))
        })
    };
    place(true).unwrap();
    assert_eq!(code(place(false)), "two_people_needed");
    let by_file = attempt(&world, "ada", |cx| {
        let lines = [Line {
            number: 2,
            is_row: false,
            noun: Noun::Services,
            fields: body(json!({"key": "ledger", "criticality": "low"})),
        }];
        import_directory(cx, &lines, Options::default())
    });
    assert_eq!(code(by_file), "two_people_needed");
    // A stricter requirement needs no second person.
    set(
        "ada",
        json!({"key": "ledger", "criticality": "critical", "data_class": "restricted"}),
    )
    .unwrap();

    let wanted = json!({"services": [{"key": "ledger", "regimes": ["sox"], "team": null}],
        "environments": [{"key": "production", "is_production": false}], "reason": "No cards there any more."});
    let proposal = propose(&world, "ada", wanted).unwrap();
    let state = || {
        let found = world.look(|cx| {
            let directory = cx.directory()?;
            let regimes = directory.services.get(&"ledger".into()).unwrap().regimes.len();
            Ok((
                regimes,
                directory.environments.get(&"production".into()).unwrap().is_production,
            ))
        });
        found.unwrap()
    };
    assert_eq!(state(), (2, true), "nothing has moved yet");
    activate(&world, "mona", proposal.id.as_str()).unwrap();
    assert_eq!(state(), (1, false));
    world.sequence();
    world.assert_replays();
}

#[test]
fn nobody_gets_a_voice_by_a_proposal_of_their_own_or_by_putting_it_in_force() {
    let world = alone();
    hire(&world, "adam");
    let row = |who: &str| json!({"rows": [{"service": "pay", "role": "owner", "person": who}], "reason": "Why not."});
    assert_eq!(code(propose(&world, "ada", row("ada"))), "own_request");
    let proposal = propose(&world, "ada", row("adam")).unwrap();
    assert_eq!(code(activate(&world, "adam", proposal.id.as_str())), "own_request");
    assert_eq!(owners(&world, "owner"), ["olga"]);
    activate(&world, "mona", proposal.id.as_str()).unwrap();
    assert_eq!(owners(&world, "owner"), ["olga", "adam"]);
}

#[test]
fn a_row_that_can_go_live_no_more_leaves_all_as_it_was() {
    let world = alone();
    hire(&world, "adam");
    let rows = json!([
        {"service": "pay", "role": "owner", "person": "sam"}, {"service": "pay", "role": "owner", "person": "rita"},
    ]);
    let proposal = propose(&world, "ada", json!({"rows": rows, "reason": "Both."})).unwrap();
    world.system(|cx| set_person::edit_person(cx, "rita", &body(json!({"roles": ["auditor"]}))));
    assert!(
        activate(&world, "mona", proposal.id.as_str()).is_err(),
        "an auditor decides for no owner"
    );
    assert_eq!(owners(&world, "owner"), ["olga"]);
    assert_eq!(code(propose(&world, "ada", json!({"reason": "Nothing."}))), "missing");
    let unknown = json!({"rows": [{"service": "nope", "role": "owner", "person": "sam"}], "reason": "No."});
    assert!(propose(&world, "ada", unknown).is_err());
}

pub(crate) fn lines(rows: &[(Noun, Value)]) -> Vec<Line> {
    let line = |(place, (noun, fields)): (usize, &(Noun, Value))| Line {
        number: place + 1,
        is_row: false,
        noun: *noun,
        fields: body(fields.clone()),
    };
    rows.iter().enumerate().map(line).collect()
}

#[test]
fn an_import_writes_what_moves_no_decision_and_proposes_the_rest() {
    let world = alone();
    hire(&world, "adam");
    let rows = lines(&[
        (Noun::Services, json!({"key": "ledger", "criticality": "high"})),
        (
            Noun::Ownerships,
            json!({"service": "ledger", "role": "owner", "person": "sam"}),
        ),
    ]);
    let direct = rows.clone();
    let refused = attempt(&world, "ada", move |cx| {
        import_directory(cx, &direct, Options::default()).map(|report| report.added)
    });
    assert_eq!(code(refused), "two_people_needed");
    let keep = lines(&[(Noun::Ownerships, json!({"role": "owner", "person": "olga"}))]);
    let ending = attempt(&world, "ada", move |cx| {
        let none = lines(&[(
            Noun::Ownerships,
            json!({"service": "pay", "role": "implementer", "person": "ivo"}),
        )]);
        let options = Options {
            end_missing: true,
            ..Options::default()
        };
        import_directory(cx, &none, options).map(|report| report.added)
    });
    assert_eq!(code(ending), "two_people_needed", "rows that no line names end");
    let again = attempt(&world, "ada", move |cx| {
        import_directory(cx, &keep, Options::default()).map(|report| report.unchanged)
    });
    assert_eq!(again.unwrap(), 1, "a row that stands already is no change");

    let (added, proposal) = attempt(&world, "ada", move |cx| {
        let done = import_and_propose(cx, &rows, Options::default(), "A new service.".to_owned())?;
        Ok((done.0.added, done.1.unwrap().id.0))
    })
    .unwrap();
    assert_eq!(
        (added, owners(&world, "owner").len()),
        (2, 1),
        "the service is there, its owner is not"
    );
    activate(&world, "adam", &proposal).unwrap();
    assert_eq!(owners(&world, "owner"), ["olga", "sam"]);
    world.sequence();
    world.assert_replays();
}

#[test]
fn nobody_turns_it_off_alone() {
    let world = alone();
    hire(&world, "adam");
    let off = propose(&world, "ada", json!({"by_two": false, "reason": "We are few."})).unwrap();
    assert_eq!(code(activate(&world, "ada", off.id.as_str())), "second_person_needed");
    let row = json!({"service": "pay", "role": "technical_lead", "person": "sam"});
    assert_eq!(code(set(&world, "ada", row.clone())), "two_people_needed");
    activate(&world, "adam", off.id.as_str()).unwrap();
    set(&world, "ada", row).unwrap();
    world.sequence();
    world.assert_replays();
}

/// How many minutes the first clock of a change gives to decide.
fn minutes_to_decide(world: &World, key: &str) -> i64 {
    let key = key.to_owned();
    let found = world.look(move |cx| {
        let change = cx.change(&key)?;
        let clock = &change.clocks[0];
        Ok(clock.decide_by.duration_since(clock.asked_at).as_mins())
    });
    found.unwrap()
}

fn asked(world: &World, title: &str) -> String {
    let key = world.draft(title);
    let k = key.clone();
    world.by("rita", move |cx| {
        verbs::submit_change(cx, &k)?;
        verbs::assess_change(cx, &k, &body(json!({"dependencies_reviewed": true})))
    });
    key
}

#[test]
fn other_times_to_decide_hold_for_whom_is_asked_from_then_on() {
    let world = alone();
    let before = asked(&world, "Asked before");
    let long = minutes_to_decide(&world, &before);
    for wrong in [
        json!({"low": {"decide": "soon"}}),
        json!({"low": {"acknowledge": "9bd"}}),
        json!({"low": {"decide": "91bd"}}),
        json!({"lowest": {"decide": "1h"}}),
    ] {
        let wrong = json!({"table": wrong, "reason": "A slip."});
        let refused = attempt(&world, "ada", move |cx| propose_sla_table(cx, &body(wrong.clone())));
        assert!(matches!(refused, Err(Refusal::Invalid(_))), "{refused:?}");
    }
    // A value that cannot be read is neither longer nor shorter than anything.
    for wrong in [json!({"decide": "0h"}), json!({"acknowledge": "0h"})] {
        let wrong = json!({"table": {"low": wrong}, "reason": "A slip."});
        let refused = attempt(&world, "ada", move |cx| propose_sla_table(cx, &body(wrong.clone())));
        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("{refused:?}")
        };
        let codes: Vec<&str> = errors.iter().map(|error| error.code.as_ref()).collect();
        assert_eq!(codes, ["not_a_span"]);
    }
    let table = json!({"table": {"low": {"acknowledge": "15m", "decide": "30m"}}, "reason": "We are quick."});
    let proposal = attempt(&world, "ada", move |cx| propose_sla_table(cx, &body(table.clone()))).unwrap();
    assert_eq!(
        code(activate(&world, "ada", proposal.id.as_str())),
        "second_person_needed"
    );
    let active = activate(&world, "mona", proposal.id.as_str()).unwrap();
    assert!(active.before.is_some_and(|before| before != active.digest));
    assert_eq!(minutes_to_decide(&world, &asked(&world, "Asked after")), 30);
    assert_eq!(
        minutes_to_decide(&world, &before),
        long,
        "a clock that runs keeps its time"
    );
    let rows = world.look(|cx| Ok(configurations::sla_view(&set_sla_table::in_force(cx)?)));
    let rows = rows.unwrap();
    assert_eq!(rows["low"], json!({"acknowledge": "15m", "decide": "30m"}));
    assert_eq!(
        rows["high"],
        json!({"acknowledge": "4bh", "decide": "2bd"}),
        "what is not named stays"
    );
    world.sequence();
    world.assert_replays();
}

/// An administrator who makes somebody trained since last year would make what they did since then look right.
#[test]
fn a_training_of_earlier_needs_evidence_and_two_people_and_counts_from_its_record() {
    let world = alone();
    hire(&world, "adam");
    let earlier = json!({"person": "rita", "training": "pci_dss", "starts_at": "2026-01-20T08:00:00Z",
        "ends_at": "2027-01-20T08:00:00Z"});
    let with = |field: &str, value: &str| {
        let mut words = earlier.clone();
        words[field] = json!(value);
        words
    };
    let train = |words: Value| {
        attempt(&world, "ada", move |cx| {
            set_training(cx, &body(words.clone())).map(drop)
        })
    };
    assert_eq!(code(train(earlier.clone())), "missing", "nothing shows it");
    let claimed = with("recorded_at", "2026-01-20T08:00:00Z");
    assert_eq!(
        code(train(claimed)),
        "unknown_field",
        "nobody says when it was recorded"
    );
    let shown = with("evidence_note", "Certificate 17 of the academy");
    assert_eq!(code(train(shown.clone())), "two_people_needed");
    let bare = json!({"trainings": [earlier], "reason": "She passed."});
    assert_eq!(
        code(propose(&world, "ada", bare)),
        "missing",
        "nor does it pass as a proposal"
    );
    by_two(&world, "ada", json!({"trainings": [shown], "reason": "She passed."}));
    let found = world.look(|cx| Ok((cx.directory()?.trainings.iter().next().cloned(), cx.now)));
    let (kept, now) = found.unwrap();
    let kept = kept.unwrap();
    let recorded = kept.recorded_at.unwrap();
    assert_eq!(kept.starts_at, "2026-01-20T08:00:00Z".parse().unwrap());
    assert!(kept.is_on(now) && !kept.is_on(recorded - jiff::SignedDuration::from_secs(1)));
    world.sequence();
    world.assert_replays();
}

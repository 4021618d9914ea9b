//! Policies and the risk table: proposed, tried, put in force by two or by an approved change, recovered.

use acts::change::{create_change, set_template, verbs};
use acts::directory::{deactivate_person, set_person, set_service};
use acts::policy::activate_configuration::{activate_configuration, recover_policies, withdraw_configuration};
use acts::policy::propose_configuration::{propose_policies, propose_risk_table};
use acts::policy::{find_unapprovable, try_policies};
use acts::report::find_records;
use acts::{Context, Error, Result};
use model::change::change_file;
use model::core::enums::{ConfigurationState, Level, State};
use model::core::refusal::Refusal;
use model::policy::configuration::Configuration;
use model::policy::decision_facts;
use serde_json::{Value, json};
use store::audit::event;
use store::{Lane, Mode};

use crate::world::{World, body};

/// A pack of one policy: work on buildings needs a passed compatibility test.
pub fn strict() -> Value {
    json!({
        "reason": "Interfaces broke twice in May",
        "files": [{"path": "house/house.cedar", "content": "@id(\"house.require.compatibility\")\n\
            @reason(\"Interfaces broke twice.\")\n@require(\"evidence\")\n@aspect(\"compatibility\")\n@due(\"approval\")\n\
            permit (principal, action == Action::\"require\", resource)\n\
            when { resource.category == Category::\"facility\" };\n"}],
        "cases": [{"path": "house/cases/house.cases", "content": CASES}],
    })
}

pub const CASES: &str = "given a service\n  people rita roles requester, olga roles owner, ivo roles implementer\n  \
    service pay, criticality low, owners olga\n  environment production, production yes\n  \
    change kind normal, category facility, risk low, touches none, requester rita, implementers ivo\n\n\
    case everything is tested for compatibility\n  requires\n    \
    house.require.compatibility evidence, aspect compatibility, due approval\n    base.require.validation\n    \
    base.require.review\n    base.require.owner\n    base.require.security\n    base.require.change_manager\n    \
    base.require.evidence\n";

/// The expectations of [`CASES`] for the strict rule.
pub const ASKED: &str = "house.require.compatibility evidence, aspect compatibility, due approval";

fn with_base(mut proposal: Value) -> Value {
    let files = |files: Vec<policy::SourceFile>| -> Vec<Value> {
        files
            .iter()
            .map(|it| json!({"path": it.name, "content": it.text}))
            .collect()
    };
    let base = policy::base();
    for (field, own) in [("files", files(base.files)), ("cases", files(base.cases))] {
        proposal[field].as_array_mut().unwrap().extend(own);
    }
    proposal
}

pub fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let actor = world.actor(login);
    world
        .executor
        .wait(Lane::Acts, crate::world::TENANT, actor, Mode::Write, act)
}

pub fn refusal<T: std::fmt::Debug>(answer: Result<T>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

pub fn world() -> World {
    let world = World::new();
    world.system(|cx| {
        for login in ["ada", "adam"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
    world
}

pub fn proposed(world: &World, proposal: Value) -> Configuration {
    world.by("ada", move |cx| propose_policies(cx, &body(proposal.clone())))
}

pub fn digest_in_force(world: &World) -> String {
    world.look(|cx| Ok(cx.policies()?.digest().to_owned())).unwrap()
}

#[test]
fn a_second_person_puts_policies_in_force_and_open_changes_are_judged_again() {
    let world = world();
    let key = world.scheduled("Move booking to 4.2");
    let before = digest_in_force(&world);
    let proposal = proposed(&world, strict());
    assert_eq!(digest_in_force(&world), before, "a proposal moves nothing");
    let id = proposal.id.0.clone();
    let own = refusal(attempt(&world, "ada", {
        let id = id.clone();
        move |cx| activate_configuration(cx, &id, &body(json!({})))
    }));
    assert_eq!(own.code(), "second_person_needed");
    let Refusal::NotNow { unmet, .. } = own else {
        panic!("{own:?}")
    };
    assert_eq!(unmet[0].waiting_on, ["adam", "mona"]);
    let active = world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    assert_eq!(
        (active.state, active.before.as_deref()),
        (ConfigurationState::Active, Some(before.as_str()))
    );
    assert_eq!(digest_in_force(&world), active.digest);
    let k = key.clone();
    let state = world.look(move |cx| Ok(cx.change(&k)?.state)).unwrap();
    assert_eq!(state, State::Authorizing, "the approvals no longer suffice");
    world.sequence();
    let kinds = world.look(|cx| {
        let found = event::page(cx.tx, 0, 1_000)?;
        Ok(found.into_iter().map(|event| event.kind).collect::<Vec<_>>())
    });
    assert!(kinds.unwrap().iter().any(|kind| kind == "policies.activated"));
    world.assert_replays();
}

#[test]
fn what_a_compromised_account_proposed_is_withdrawn_and_stays_so_whoever_comes_back() {
    let world = world();
    world.system(|cx| {
        let mut tenant = cx.directory()?.tenant.clone().unwrap();
        tenant.ownership_by_two = false;
        cx.put_estate("tenant.edited", tenant, json!({})).map(drop)
    });
    world.by("ada", |cx| {
        set_person::create_person(cx, &body(json!({"login": "puppet", "roles": ["admin"]}))).map(drop)
    });
    let before = digest_in_force(&world);
    let own = proposed(&world, strict()).id.0;
    let puppets = world.by("puppet", |cx| propose_policies(cx, &body(strict()))).id.0;
    world.system(|cx| deactivate_person::deactivate_person(cx, "ada", &body(json!({"compromised": true}))).map(drop));
    world.by("adam", |cx| {
        set_person::edit_person(cx, "ada", &body(json!({"active": true}))).map(drop)
    });
    for id in [own, puppets] {
        let refused = attempt(&world, "adam", move |cx| {
            activate_configuration(cx, &id, &body(json!({})))
        });
        assert_eq!(refusal(refused).code(), "not_in_state");
    }
    assert_eq!(digest_in_force(&world), before);
    world.sequence();
    world.assert_replays();
}

#[test]
fn an_approved_change_that_names_the_digest_stands_in_for_a_second_person() {
    let world = world();
    let proposal = proposed(&world, with_base(strict()));
    let (id, digest) = (proposal.id.0.clone(), proposal.digest.clone());
    let other = world.scheduled("Move booking to 4.2");
    let wrong = refusal(attempt(&world, "ada", {
        let (id, other) = (id.clone(), other.clone());
        move |cx| activate_configuration(cx, &id, &body(json!({"change": other})))
    }));
    assert_eq!(wrong.code(), "change_names_another");
    let draft = world.draft_of("Put the stricter policies in force", &digest);
    let early = refusal(attempt(&world, "ada", {
        let (id, draft) = (id.clone(), draft.clone());
        move |cx| activate_configuration(cx, &id, &body(json!({"change": draft})))
    }));
    assert_eq!(early.code(), "change_not_approved");
    let key = world.approved(draft);
    let active = world.by("ada", move |cx| {
        activate_configuration(cx, &id, &body(json!({"change": key})))
    });
    assert_eq!(active.state, ConfigurationState::Active);
    assert!(active.change_key.is_some());
}

#[test]
fn an_approved_change_stands_in_once_and_only_while_its_time_is_not_over() {
    let world = world();
    let first = proposed(&world, with_base(strict()));
    let key = world.approved(world.draft_of("Put the stricter policies in force", &first.digest));
    let activate = |id: &str, key: &str| {
        let (id, words) = (id.to_owned(), body(json!({"change": key})));
        attempt(&world, "ada", move |cx| activate_configuration(cx, &id, &words))
    };
    let active = activate(first.id.as_str(), &key).unwrap();
    assert_eq!(active.state, ConfigurationState::Active);
    // Another person takes it back, and has a reason; the same change does not bring it in again.
    let base = json!({"reason": "It was too strict", "files": [], "cases": []});
    let back = proposed(&world, with_base(base));
    let id = back.id.0.clone();
    world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    let in_force = digest_in_force(&world);
    let again = proposed(&world, with_base(strict()));
    assert_eq!(again.digest, first.digest);
    let used = refusal(activate(again.id.as_str(), &key));
    assert_eq!(used.code(), "change_used");
    assert!(used.to_string().contains(&key), "{used}");
    assert_eq!(digest_in_force(&world), in_force);
    let late = world.approved(world.draft_of("Once more", &first.digest));
    world.pass_seconds(7 * 24 * 3_600);
    let over = refusal(activate(again.id.as_str(), &late));
    assert_eq!(over.code(), "change_window_over");
    assert_eq!(digest_in_force(&world), in_force);
}

/// A standard change that names an artifact, scheduled by its template: it needed no approval.
fn standard_of(world: &World, digest: String) -> String {
    let template = body(json!({
        "key": "restart", "title": "Restart", "services": ["pay"],
        "locked": {"category": "application", "complexity": "low", "description": "d", "justification": "j",
            "plan": [{"title": "One"}], "rollback_plan": [{"title": "Back", "minutes": 2}]},
    }));
    world.by("rita", move |cx| set_template::propose_template(cx, &template));
    for login in ["olga", "mona"] {
        world.by(login, |cx| {
            set_template::approve_template(cx, "restart", &body(json!({})))
        });
    }
    let request = body(json!({
        "kind": "standard", "template": "restart", "services": ["pay"], "environment": "production", "artifact": digest,
        "planned_start": "2026-11-20T07:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
    }));
    let key = world.by("rita", move |cx| create_change::create_change(cx, &request, &[]));
    let k = key.clone();
    world.by("rita", move |cx| verbs::submit_change(cx, &k));
    let k = key.clone();
    let state = world.look(move |cx| Ok(cx.change(&k)?.state)).unwrap();
    assert_eq!(state, State::Scheduled);
    key
}

#[test]
fn a_change_that_nobody_else_approved_stands_in_for_nobody() {
    let world = world();
    let proposal = proposed(&world, with_base(strict()));
    let before = digest_in_force(&world);
    let key = standard_of(&world, proposal.digest.clone());
    let id = proposal.id.0.clone();
    let alone = refusal(attempt(&world, "ada", move |cx| {
        activate_configuration(cx, &id, &body(json!({"change": key})))
    }));
    assert_eq!(alone.code(), "change_not_approved");
    assert_eq!(digest_in_force(&world), before);
    // Where the proposer approved it beside others, others did see it.
    let table = json!({
        "none": {"low": "low", "medium": "low", "high": "medium"}, "low": {"low": "low", "medium": "medium", "high": "high"},
        "medium": {"low": "medium", "medium": "high", "high": "high"}, "high": {"low": "high", "medium": "high", "high": "high"},
    });
    let own = world.by("mona", move |cx| {
        propose_risk_table(cx, &body(json!({"table": table, "reason": "Hard work is risky"})))
    });
    let key = world.approved(world.draft_of("Another risk table", &own.digest));
    let active = world.by("mona", move |cx| {
        activate_configuration(cx, own.id.as_str(), &body(json!({"change": key})))
    });
    assert_eq!(
        active.state,
        ConfigurationState::Active,
        "Olga and Sam approved it beside Mona"
    );
}

#[test]
fn a_set_that_fails_changes_nothing_and_says_where() {
    let world = world();
    let before = digest_in_force(&world);
    let mut wrong = strict();
    wrong["files"][0]["content"] = json!(
        "@id(\"house.x\")\n@reason(\"x\")\n@require(\"evidense\")\npermit (principal, action == Action::\"require\", resource);"
    );
    let refused = refusal(attempt(&world, "ada", move |cx| {
        propose_policies(cx, &body(wrong.clone()))
    }));
    let Refusal::Invalid(errors) = refused else {
        panic!("{refused:?}")
    };
    assert!(errors[0].field.starts_with("house/house.cedar:"), "{errors:?}");
    let mut failing = strict();
    failing["cases"][0]["content"] = json!(CASES.replace("aspect compatibility", "aspect security"));
    let refused = refusal(attempt(&world, "ada", move |cx| {
        propose_policies(cx, &body(failing.clone()))
    }));
    let Refusal::Invalid(errors) = refused else {
        panic!("{refused:?}")
    };
    assert!(errors[0].field.starts_with("house/cases/house.cases:"), "{errors:?}");
    assert_eq!(digest_in_force(&world), before);
    let nobody = refusal(attempt(&world, "rita", |cx| propose_policies(cx, &body(strict()))));
    assert_eq!(nobody.code(), "not_allowed");
}

/// Sets that nobody should put in force: the text of a policy behind its id and reason, its line, and the finding.
const WRONG: &[(&str, u32, &[&str])] = &[
    (
        "permit (principal, action == Action::\"read\", resource)\nwhen { resource.rsik_number > 1 };",
        4,
        &["rsik_number", "for example `when {"],
    ),
    (
        "@require(\"approval\")\n@form(\"owner\")\npermit (principal, action == Action::\"require\", resource);",
        4,
        &["`@form`", "did you mean `@from`?", "for example `@require("],
    ),
    (
        "@require(\"approval\")\n@from(\"owner\")\n@covers(\"what\")\n@count(\"none\")\n\
         permit (principal, action == Action::\"require\", resource);",
        6,
        &["`@count`", "for example `@require("],
    ),
    (
        "permit (principal, action == Action::\"raed\", resource);",
        3,
        &["raed", "did you mean", "for example `"],
    ),
];

#[test]
fn wrong_policies_are_refused_with_line_reason_and_example_and_the_set_in_force_stays() {
    let world = world();
    let before = digest_in_force(&world);
    for (text, line, parts) in WRONG {
        let mut wrong = strict();
        wrong["files"][0]["content"] = json!(format!("@id(\"house.x\")\n@reason(\"x\")\n{text}"));
        let refused = refusal(attempt(&world, "ada", move |cx| {
            propose_policies(cx, &body(wrong.clone()))
        }));
        let Refusal::Invalid(errors) = refused else {
            panic!("{refused:?}")
        };
        let place = format!("house/house.cedar:{line}");
        let told = errors
            .iter()
            .find(|it| it.field == place)
            .unwrap_or_else(|| panic!("{text}: {errors:#?}"));
        for part in *parts {
            assert!(told.text.contains(part), "{part} is missing in {told:?}");
        }
        assert_eq!(digest_in_force(&world), before);
    }
    // A rule that nobody can satisfy compiles, and is reported by the story of a change that ends there.
    let mut hopeless = strict();
    let text = "@id(\"house.hopeless\")\n@reason(\"x\")\nforbid (principal, action == Action::\"approve_change\", resource)\n\
        when { resource.touches.contains(Touch::\"network\") };";
    hopeless["files"][0]["content"] = json!(text);
    let case = "given a service\n  people olga roles owner\n  service pay, criticality low, owners olga\n  \
        environment production, production yes\n  change kind normal, risk low, touches network, requester olga\n\n\
        case nobody approves\n  olga approve_change no house.hopeless\n";
    hopeless["cases"][0]["content"] = json!(case);
    let refused = refusal(attempt(&world, "ada", move |cx| {
        propose_policies(cx, &body(hopeless.clone()))
    }));
    let Refusal::Invalid(errors) = refused else {
        panic!("{refused:?}")
    };
    assert!(errors.iter().any(|it| it.code == "nobody_can"), "{errors:#?}");
    assert_eq!(digest_in_force(&world), before);
}

/// A rule's requirement that nobody here can meet, and the finding.
const NOBODY_CAN: [(&str, &str); 8] = [
    (
        "@from(\"group:keepers\")\n@count(\"3\")",
        "it asks 3 of the group keepers, and there are 2 people. (ask fewer, such as `@count(\"2\")`, or first add people)",
    ),
    (
        "@from(\"owner\")\n@function(\"juggler\")",
        "it asks 1 of the owners of any one service with the job function juggler, and there is nobody.",
    ),
    (
        "@from(\"owner\")\n@count(\"2\")",
        "it asks 2 of the owners of any one service, and there is one person. (ask fewer, such as `@count(\"1\")`",
    ),
    (
        "@from(\"technical_lead\")",
        "it asks 1 of the technical leads of any one service, and there is nobody. (name others, such as \
         `@from(\"change_manager\")`, or first say who it is: a row of the matrix with the role `technical_lead`)",
    ),
    (
        "@from(\"data\")",
        "it asks 1 of the data owners of any one service, and there is nobody.",
    ),
    (
        "@from(\"security\")\n@count(\"2\")",
        "it asks 2 of those who answer for the security of any one service, and there is one person.",
    ),
    (
        "@from(\"group:keepers\")\n@training(\"juggling\")",
        "it asks 1 of the group keepers with a valid training juggling, and there is nobody.",
    ),
    (
        "@from(\"group:keepers,group:watchers\")\n@count(\"2\")\n@distinct_groups",
        "it asks 2 of the groups keepers and watchers, each of another one, and there is one person.",
    ),
];

#[test]
fn a_rule_that_nobody_here_can_meet_is_refused_by_its_line_with_the_reason_and_an_example() {
    let world = world();
    let before = digest_in_force(&world);
    world.system(|cx| {
        set_person::set_group(
            cx,
            "keepers",
            &body(json!({"name": "Keepers", "members": ["olga", "sam"]})),
        )?;
        set_person::set_group(cx, "watchers", &body(json!({"name": "Watchers", "members": []}))).map(drop)
    });
    for (asks, told) in NOBODY_CAN {
        let mut wanted = strict();
        wanted["files"][0]["content"] = json!(format!(
            "// Ours.\n@id(\"house.require.more\")\n@reason(\"x\")\n@require(\"approval\")\n{asks}\n@covers(\"what\")\n\
             permit (principal, action == Action::\"require\", resource)\n\
             when {{ resource.category == Category::\"facility\" }};\n"
        ));
        wanted["cases"][0]["content"] = json!(CASES.replace(ASKED, "house.require.more"));
        let mut tried = wanted.clone();
        let refused = refusal(attempt(&world, "ada", move |cx| {
            propose_policies(cx, &body(wanted.clone()))
        }));
        let Refusal::Invalid(errors) = refused else {
            panic!("{refused:?}")
        };
        tried.as_object_mut().unwrap().remove("reason");
        let trial = attempt(&world, "ada", move |cx| {
            try_policies::try_policies(cx, &body(tried.clone()))
        });
        let found = trial.unwrap().unmeetable;
        assert_eq!((found.len(), found[0].place.as_str()), (1, "house/house.cedar:2"));
        assert!(found[0].text.contains(told), "{found:?}");
        assert_eq!(
            (errors[0].field.as_str(), errors[0].code.as_str()),
            ("house/house.cedar:2", "nobody_can"),
            "{errors:#?}"
        );
        assert_eq!((errors.len(), &errors[0].text), (1, &found[0].text));
    }
    assert_eq!(digest_in_force(&world), before);
}

#[test]
fn a_set_whose_people_left_before_it_went_in_force_stays_out() {
    let world = world();
    let keepers = |members: Value| {
        world.system(move |cx| {
            set_person::set_group(cx, "keepers", &body(json!({"name": "Keepers", "members": members}))).map(drop)
        });
    };
    keepers(json!(["olga"]));
    let mut wanted = strict();
    let text = wanted["files"][0]["content"].as_str().unwrap().to_owned();
    let rule = "@require(\"approval\")\n@from(\"group:keepers\")\n@covers(\"what\")\n";
    let text = text.replace(
        "@require(\"evidence\")\n@aspect(\"compatibility\")\n@due(\"approval\")\n",
        rule,
    );
    wanted["files"][0]["content"] = json!(text);
    wanted["cases"][0]["content"] = json!(CASES.replace(ASKED, "house.require.compatibility"));
    let made = proposed(&world, wanted);
    keepers(json!([]));
    let id = made.id.0.clone();
    let refused = refusal(attempt(&world, "adam", move |cx| {
        acts::policy::activate_configuration::activate_configuration(cx, &id, &body(json!({})))
    }));
    let Refusal::Invalid(errors) = refused else {
        panic!("{refused:?}")
    };
    assert!(errors.iter().any(|it| it.code == "nobody_can"), "{errors:#?}");
}

#[test]
fn a_trial_says_what_would_differ_and_writes_nothing() {
    let world = world();
    let key = world.scheduled("Move booking to 4.2");
    let mut asked = strict();
    asked.as_object_mut().unwrap().remove("reason");
    let trial = world.by("ada", move |cx| try_policies::try_policies(cx, &body(asked.clone())));
    assert_eq!((trial.tried, trial.differing.len()), (1, 1));
    let row = &trial.differing[0];
    assert_eq!(
        (row.key.as_str(), row.added.len(), row.removed.len()),
        (key.as_str(), 1, 0)
    );
    assert_eq!(row.added[0].policy, "house.require.compatibility");
    assert_ne!(trial.before, trial.after);
}

#[test]
fn a_trial_judges_past_decisions_on_what_was_known_when_they_were_taken() {
    let world = world();
    let key = world.scheduled("Move booking to 4.2");
    world.system(|cx| set_service::set_service(cx, &body(json!({"key": "pay", "criticality": "critical"}))).map(drop));
    let of_low = "@id(\"house.require.compatibility\")\n@reason(\"Interfaces broke twice.\")\n@require(\"evidence\")\n\
        @aspect(\"compatibility\")\n@due(\"approval\")\npermit (principal, action == Action::\"require\", resource)\n\
        when { context.target.service.criticality == Criticality::\"low\" };\n\n\
        @id(\"house.act.untrained\")\n@reason(\"Who approves has learned how.\")\n\
        forbid (principal, action == Action::\"approve_change\", resource)\n\
        when { context has target && context.target.service.criticality == Criticality::\"low\" &&\n\
          !principal.trainings.contains(\"approving\") };\n";
    let mut asked = strict();
    asked.as_object_mut().unwrap().remove("reason");
    asked["files"][0]["content"] = json!(of_low);
    asked["cases"][0]["content"] = json!(format!(
        "{CASES}\ncase who has not learned it does not approve\n  \
        olga approve_change as asked no house.act.untrained\n"
    ));
    let trial = world.by("ada", move |cx| try_policies::try_policies(cx, &body(asked.clone())));
    assert_eq!(
        (trial.tried, trial.differing.len()),
        (1, 0),
        "the service is critical now"
    );
    assert_eq!((trial.decisions_tried, trial.decisions_without_facts), (3, 0));
    let told: Vec<(&str, &str)> = trial
        .decisions_differing
        .iter()
        .map(|row| (row.key.as_str(), row.person.as_str()))
        .collect();
    assert_eq!(
        told,
        [(key.as_str(), "mona"), (key.as_str(), "sam"), (key.as_str(), "olga")],
        "the newest first"
    );
    for row in &trial.decisions_differing {
        assert_eq!((row.added.len(), row.removed.len(), row.refused.len()), (1, 0, 1));
        assert_eq!(row.refused[0].id, "house.act.untrained");
        assert_eq!(row.refused[0].reason, "Who approves has learned how.");
    }
    world.assert_replays();
}

#[test]
fn the_facts_of_a_decision_are_those_that_its_digest_names() {
    let world = world();
    let key = world.scheduled("Move booking to 4.2");
    let kept = world.by("ada", move |cx| {
        let file = cx.file(&key)?;
        let filter = store::record::Filter::new()
            .equals("change_id", file.change.id.as_str())
            .order_by("id");
        let kept = store::record::find::<decision_facts::DecisionFacts>(cx.tx, &filter)?;
        let policies = cx.policies()?;
        let named: std::collections::BTreeSet<String> =
            file.approvals.iter().map(|it| it.facts_digest.clone()).collect();
        let kept = kept.into_iter().map(|stored| stored.record);
        let judged = kept.map(|facts| (policies.require(&facts.told, &facts.targets).facts_digest, facts.digest));
        Ok((judged.collect::<Vec<_>>(), named))
    });
    let (judged, named) = kept;
    assert!(judged.iter().all(|(judged, digest)| judged == digest), "{judged:?}");
    let digests: std::collections::BTreeSet<String> = judged.into_iter().map(|(_, digest)| digest).collect();
    assert!(named.is_subset(&digests), "{named:?} of {digests:?}");
    assert!(!named.is_empty());
}

#[test]
fn a_proposal_made_over_an_older_table_says_that_it_takes_back_what_came_since() {
    let world = world();
    let table = |most: &str| {
        json!({
            "none": {"low": "low", "medium": "low", "high": "medium"},
            "low": {"low": "low", "medium": "medium", "high": "high"},
            "medium": {"low": "medium", "medium": "high", "high": "high"}, "high": {"low": most, "medium": "high", "high": "high"},
        })
    };
    let propose = |most: &str| {
        let wanted = body(json!({"table": table(most), "reason": "Hard work is risky"}));
        world.by("ada", move |cx| propose_risk_table(cx, &wanted))
    };
    let (first, second) = (propose("medium"), propose("high"));
    assert!(first.before.is_some());
    assert_eq!(
        first.before, second.before,
        "both over the table that came with the program"
    );
    let letters = || {
        let told = world.by("mona", |cx| find_records::find_messages(cx, 20));
        told.into_iter()
            .filter(|it| it.text.contains("It was proposed over"))
            .count()
    };
    for (proposal, told) in [(&first, 0), (&second, 1)] {
        let id = proposal.id.0.clone();
        world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
        assert_eq!(letters(), told);
    }
    world.assert_replays();
}

#[test]
fn the_host_brings_the_set_before_back() {
    let world = world();
    let shipped = digest_in_force(&world);
    let first = proposed(&world, strict());
    let id = first.id.0.clone();
    world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    let mut stricter = strict();
    stricter["files"][0]["content"] = json!(
        stricter["files"][0]["content"]
            .as_str()
            .unwrap()
            .replace("twice", "thrice")
    );
    let second = proposed(&world, stricter);
    let id = second.id.0.clone();
    world.by("mona", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    assert_eq!(digest_in_force(&world), second.digest);
    let once = world.system(recover_policies);
    assert_eq!(
        (once.after.as_str(), digest_in_force(&world)),
        (first.digest.as_str(), first.digest.clone())
    );
    let twice = world.system(recover_policies);
    assert_eq!(
        (twice.after.as_str(), digest_in_force(&world)),
        (shipped.as_str(), shipped.clone())
    );
    let answer = world.executor.wait(
        Lane::Acts,
        crate::world::TENANT,
        change_file::Actor::system(),
        Mode::Write,
        recover_policies,
    );
    assert_eq!(refusal(answer).code(), "nothing_to_recover");
    let told = world.by("mona", |cx| find_records::find_messages(cx, 20));
    assert!(
        told.iter().any(|message| message.subject.contains("recovered")),
        "{told:?}"
    );
    world.sequence();
    world.assert_replays();
}

#[test]
fn another_server_on_the_same_store_follows() {
    let world = world();
    let proposal = proposed(&world, strict());
    let id = proposal.id.0.clone();
    let active = world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    let other = world.other_desk(0);
    let digest = other.wait(
        Lane::Pages,
        crate::world::TENANT,
        change_file::Actor::system(),
        Mode::Read,
        |cx| Ok(cx.policies()?.digest().to_owned()),
    );
    assert_eq!(digest.unwrap(), active.digest);
}

#[test]
fn a_withdrawn_proposal_never_comes_into_force() {
    let world = world();
    let proposal = proposed(&world, strict());
    let id = proposal.id.0.clone();
    world.by("ada", move |cx| withdraw_configuration(cx, &id));
    let id = proposal.id.0;
    let answer = attempt(&world, "adam", move |cx| {
        activate_configuration(cx, &id, &body(json!({})))
    });
    assert_eq!(refusal(answer).code(), "not_in_state");
}

#[test]
fn a_new_risk_table_moves_the_risk_of_open_changes() {
    let world = world();
    let key = world.draft("Move booking to 4.2");
    let row = |low: &str, medium: &str, high: &str| json!({"low": low, "medium": medium, "high": high});
    let upside_down = json!({"table": {
        "none": row("low", "low", "medium"), "low": row("high", "medium", "high"),
        "medium": row("high", "high", "high"), "high": row("high", "high", "high"),
    }, "reason": "Caution"});
    let refused = refusal(attempt(&world, "ada", move |cx| {
        propose_risk_table(cx, &body(upside_down.clone()))
    }));
    assert_eq!(refused.code(), "invalid");
    let table = json!({"table": {
        "none": row("high", "high", "high"), "low": row("high", "high", "high"),
        "medium": row("high", "high", "high"), "high": row("high", "high", "high"),
    }, "reason": "Caution"});
    let proposal = world.by("ada", move |cx| propose_risk_table(cx, &body(table.clone())));
    let k = key.clone();
    assert_eq!(world.look(move |cx| Ok(cx.change(&k)?.risk.level)).unwrap(), Level::Low);
    let id = proposal.id.0.clone();
    world.by("mona", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    assert_eq!(
        world.look(move |cx| Ok(cx.change(&key)?.risk.level)).unwrap(),
        Level::High
    );
}

/// The possible approvers are passed to rules on a change's targets, category and risk as well.
#[test]
fn a_rule_on_what_is_touched_is_among_the_targets_that_nobody_can_approve() {
    for (name, when, touches, risk) in [
        (
            "touch",
            "resource.touches.contains(Touch::\"schema\")",
            "touches schema",
            "risk low",
        ),
        (
            "category",
            "resource.category == Category::\"facility\"",
            "touches none",
            "risk low",
        ),
        ("medium", "resource.risk_number == 2", "touches none", "risk medium"),
    ] {
        let world = world();
        let keepers = |members: Value| {
            world.system(move |cx| {
                let group = body(json!({"name": "Keepers", "members": members}));
                set_person::set_group(cx, "keepers", &group).map(drop)
            });
        };
        keepers(json!(["olga"]));
        let mut wanted = strict();
        wanted["files"][0]["content"] = json!(format!(
            "@id(\"house.require.keepers\")\n@reason(\"x\")\n@require(\"approval\")\n@from(\"group:keepers\")\n\
             @covers(\"what\")\npermit (principal, action == Action::\"require\", resource)\nwhen {{ {when} }};\n"
        ));
        let cases = CASES
            .replace(ASKED, "house.require.keepers")
            .replace("touches none", touches);
        wanted["cases"][0]["content"] = json!(cases.replace("risk low", risk));
        let made = proposed(&world, wanted);
        let id = made.id.0.clone();
        world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
        let unapprovable = || {
            let report = world.look(|cx| find_unapprovable::find_unapprovable(cx, "", 50));
            let rules = report.unwrap().unapprovable.into_iter().map(|it| it.rule);
            rules.filter(|rule| rule == "house.require.keepers").count()
        };
        assert_eq!(unapprovable(), 0, "{name}");
        keepers(json!([]));
        assert!(unapprovable() > 0, "{name}");
    }
}

/// A board that cannot come together decides nothing, however many of it one vote would take.
#[test]
fn a_board_too_small_for_its_quorum_is_found() {
    let world = world();
    let board = |members: Value| {
        world.system(move |cx| {
            let group = body(json!({"name": "Keepers", "members": members}));
            set_person::set_group(cx, "keepers", &group).map(drop)
        });
    };
    board(json!(["olga", "mona", "adam"]));
    let mut wanted = strict();
    wanted["files"][0]["content"] = json!(
        "@id(\"house.require.keepers\")\n@reason(\"x\")\n@require(\"approval\")\n@from(\"group:keepers\")\n\
         @quorum(\"2\")\n@covers(\"what\")\npermit (principal, action == Action::\"require\", resource)\n\
         when { resource.risk_number == 1 };\n"
    );
    wanted["cases"][0]["content"] = json!(CASES.replace(ASKED, "house.require.keepers"));
    let made = proposed(&world, wanted);
    let id = made.id.0.clone();
    world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    let found = || {
        let report = world.look(|cx| find_unapprovable::find_unapprovable(cx, "", 50));
        let report = report.unwrap();
        let of_board = |rows: Vec<find_unapprovable::Finding>| {
            let mut rows = rows.into_iter().filter(|it| it.rule == "house.require.keepers");
            rows.next().map(|it| it.needed)
        };
        (of_board(report.unapprovable), of_board(report.alone))
    };
    assert_eq!(found(), (None, None));
    board(json!(["olga", "mona"]));
    assert_eq!(found(), (None, Some(2)));
    board(json!(["olga"]));
    assert_eq!(found(), (Some(2), None));
}

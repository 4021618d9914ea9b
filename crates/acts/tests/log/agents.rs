//! Agents: they draft and decide nothing, their sponsor counts as the author of their texts, and they end with the sponsor.

use acts::approval::verbs::approve_change;
use acts::change::create_change::create_change;
use acts::change::verbs;
use acts::core::gate_question::Question;
use acts::core::noun;
use acts::directory::{deactivate_person, set_person};
use acts::gate::{answer, consume_permit};
use acts::{Context, Error, Result};
use model::change::change_file::Actor;
use model::core::enums::State;
use model::core::refusal::Refusal;
use model::identity::agent::Agent;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

/// Does an act as the holder of a token, which is how agents come.
fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, String> {
    let actor = Actor {
        by_token: true,
        method: "token".to_owned(),
        ..world.actor(login)
    };
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.map_err(|error| match error {
        Error::Refused(Refusal::Invalid(errors)) => errors[0].code.clone(),
        Error::Refused(refusal) => refusal.code().to_owned(),
        other => panic!("no refusal: {other:?}"),
    })
}

fn add(world: &World, wanted: Value) -> std::result::Result<Agent, String> {
    let mut whole = json!({
        "person": "agent-one", "sponsor": "olga", "charter": "Prepares releases of pay.", "services": ["pay"],
        "environments": ["production"], "changes_per_day": 2, "highest_risk": "high", "ends_at": "2026-12-20T00:00:00Z",
    });
    whole.as_object_mut().unwrap().extend(body(wanted));
    attempt(world, "ada", move |cx| noun::add::<Agent>(cx, &body(whole.clone())))
}

/// A world with an administrator and two accounts that may become those of agents.
fn world() -> World {
    let world = World::new();
    for (login, roles) in [
        ("ada", json!(["admin"])),
        ("agent-one", json!(["requester", "implementer"])),
        ("agent-two", json!(["requester", "implementer"])),
    ] {
        let person = body(json!({"login": login, "roles": roles}));
        world.system(move |cx| set_person::create_person(cx, &person));
    }
    world
}

fn request(more: Value) -> Value {
    let mut request = json!({
        "title": "Widen the column", "description": "Adds a column.", "justification": "Customs asks for it.",
        "category": "facility", "complexity": "low", "owner": "olga",
        "targets": [{"service": "pay", "environment": "production", "artifact": ARTIFACT}],
        "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
        "plan": [{"title": "Deploy", "minutes": 10}],
        "rollback_plan": [{"title": "Deploy the old one", "minutes": 5}], "implementers": ["ivo"], "tester": "sam",
    });
    request.as_object_mut().unwrap().extend(body(more));
    request
}

fn draft(world: &World, login: &'static str, more: Value) -> std::result::Result<String, String> {
    let request = body(request(more));
    attempt(world, login, move |cx| create_change(cx, &request, &[]))
}

fn approve(world: &World, login: &'static str, key: &str) -> std::result::Result<(), String> {
    let key = key.to_owned();
    attempt(world, login, move |cx| {
        let digest = cx.change(&key)?.digests.content;
        let yes = body(json!({"decision": "approve", "content_digest": digest, "comment": "Fine by me"}));
        approve_change(cx, &key, &yes).map(drop)
    })
}

#[test]
fn an_agent_drafts_inside_of_its_limits_and_is_named_in_its_events() {
    let world = world();
    let agent = add(&world, json!({})).unwrap();
    assert!(agent.charter_digest.starts_with("sha256:"));
    let key = draft(&world, "agent-one", json!({})).unwrap();
    for (more, code) in [
        (json!({"owner": "agent-one"}), "agent_decides_nothing"),
        (json!({"tester": "agent-one"}), "agent_decides_nothing"),
    ] {
        assert_eq!(draft(&world, "agent-one", more.clone()).unwrap_err(), code, "{more}");
    }
    draft(&world, "agent-one", json!({})).unwrap();
    assert_eq!(draft(&world, "agent-one", json!({})).unwrap_err(), "agents_day_is_full");
    world.pass_seconds(24 * 3600);
    let later = json!({"planned_start": "2026-11-25T10:00:00Z", "planned_end": "2026-11-25T12:00:00Z"});
    draft(&world, "agent-one", later).unwrap();
    let name = attempt(&world, "olga", move |cx| {
        let directory = cx.directory()?;
        let change = cx.change(&key)?;
        Ok(directory.name(&change.requester))
    });
    assert!(name.unwrap().ends_with("(agent)"), "everybody reads what it is");
    world.sequence();
    world.assert_replays();
    let made = world.tampered("UPDATE \"agent\" SET active = NOT active");
    assert!(!made.is_empty(), "replay finds an agent that was ended past the server");
}

#[test]
fn nobody_gives_an_agent_a_right_a_seat_or_a_part_that_decides() {
    let world = world();
    add(&world, json!({})).unwrap();
    let roles = |roles: Value| {
        let wanted = body(json!({"roles": roles}));
        attempt(&world, "ada", move |cx| {
            set_person::edit_person(cx, "agent-one", &wanted).map(drop)
        })
    };
    assert_eq!(
        roles(json!(["requester", "security"])).unwrap_err(),
        "agent_decides_nothing"
    );
    roles(json!(["requester"])).unwrap();
    let seat = body(json!({"members": ["sam", "agent-one"]}));
    let seated = attempt(&world, "ada", move |cx| {
        set_person::set_group(cx, "night", &seat).map(drop)
    });
    assert_eq!(seated.unwrap_err(), "agent_decides_nothing");
    for more in [json!({"owner": "agent-one"}), json!({"tester": "agent-one"})] {
        let drafted = draft(&world, "rita", more.clone());
        assert_eq!(drafted.unwrap_err(), "agent_decides_nothing", "{more}");
    }
}

#[test]
fn an_agent_decides_nothing_whatever_rights_its_account_gets() {
    let world = world();
    add(&world, json!({"person": "agent-one"})).unwrap();
    let more = body(json!({"roles": ["requester", "implementer", "change_manager", "security", "owner"]}));
    world.system(move |cx| set_person::edit_person(cx, "agent-one", &more));
    let key = world.draft("By a person");
    let k = key.clone();
    world.by("rita", move |cx| verbs::submit_change(cx, &k));
    let refusal = approve(&world, "agent-one", &key).unwrap_err();
    assert!(
        ["agent_decides_nothing", "not_asked", "not_allowed"].contains(&refusal.as_str()),
        "{refusal}"
    );
    let refused = |act: fn(&mut Context<'_, '_>, &str) -> Result<()>| {
        let key = key.clone();
        attempt(&world, "agent-one", move |cx| act(cx, &key)).unwrap_err()
    };
    let assess: fn(&mut Context<'_, '_>, &str) -> Result<()> =
        |cx, key| verbs::assess_change(cx, key, &body(json!({"dependencies_reviewed": true}))).map(drop);
    assert_eq!(refused(assess), "agent_decides_nothing");
    let freeze = attempt(&world, "agent-one", |cx| {
        cx.allow(model::core::act::actions::SET_FREEZE)
    });
    assert_eq!(freeze.unwrap_err(), "agent_decides_nothing");
    let token = attempt(&world, "agent-one", |cx| cx.allow(model::core::act::actions::SET_TOKEN));
    assert_eq!(token.unwrap_err(), "agent_decides_nothing");
}

#[test]
fn a_sponsor_is_an_author_of_what_their_agents_write_and_two_agents_are_one() {
    let world = world();
    add(&world, json!({})).unwrap();
    add(&world, json!({"person": "agent-two"})).unwrap();
    let key = draft(&world, "agent-one", json!({})).unwrap();
    let (barred, free) = world
        .look({
            let key = key.clone();
            move |cx| {
                let file = cx.file(&key)?;
                let directory = cx.directory()?;
                let id = |login: &str| directory.by_login(login).unwrap().id.clone();
                let barred = ["olga", "agent-one", "agent-two"].map(|login| file.wrote_by_hand(&id(login)));
                assert!(file.wrote(&id("olga")), "a sponsor wrote what the agent wrote");
                Ok((barred, ["sam", "mona"].map(|login| file.wrote_by_hand(&id(login)))))
            }
        })
        .unwrap();
    assert_eq!(barred, [true, true, true]);
    assert_eq!(free, [false, false]);
    let k = key.clone();
    attempt(&world, "agent-one", move |cx| verbs::submit_change(cx, &k)).unwrap();
    let assessed = key.clone();
    world.by("mona", move |cx| {
        verbs::assess_change(cx, &assessed, &body(json!({"dependencies_reviewed": true}))).map(drop)
    });
    assert!(
        approve(&world, "olga", &key).is_err(),
        "the owner is the sponsor, so their yes is an author's"
    );
}

#[test]
fn an_agent_ends_with_its_sponsor_and_its_account_stays_bound() {
    let world = world();
    let agent = add(&world, json!({"sponsor": "sam"})).unwrap();
    world.system(|cx| deactivate_person::deactivate_person(cx, "sam", &body(json!({}))));
    assert_eq!(draft(&world, "agent-one", json!({})).unwrap_err(), "agent_is_over");
    let id = agent.id.0.clone();
    let kept = world.look(move |cx| noun::show::<Agent>(cx, &id)).unwrap();
    assert!(!kept.active);
    assert_eq!(
        add(&world, json!({})).unwrap_err(),
        "not_unique",
        "an account is one agent's, for good"
    );
    world.sequence();
    world.assert_replays();
}

#[test]
fn an_agent_goes_as_far_as_its_risk_and_its_time() {
    let world = world();
    add(&world, json!({"highest_risk": "none"})).unwrap();
    let key = draft(
        &world,
        "agent-one",
        json!({"impact": {"data": "high", "availability": "high", "compliance": "high"}}),
    )
    .unwrap();
    let submitted = attempt(&world, "agent-one", move |cx| verbs::submit_change(cx, &key));
    assert_eq!(submitted.unwrap_err(), "above_agents_risk");
    world.pass_seconds(31 * 24 * 3600);
    assert_eq!(draft(&world, "agent-one", json!({})).unwrap_err(), "agent_is_over");
}

/// The question about the world's artifact.
fn question() -> Question {
    Question {
        service: "pay".into(),
        environment: "production".into(),
        artifact: Some(ARTIFACT.into()),
        commit: None,
        change: None,
        purpose: None,
        member: None,
    }
}

/// Collects the permit for the world's artifact; returns its id.
fn collect(cx: &mut Context<'_, '_>) -> Result<String> {
    let checked = answer::check(cx, &question(), None)?;
    Ok(checked.check.permit.unwrap().0)
}

#[test]
fn an_agent_works_within_a_permit_that_it_collected_itself() {
    let world = world();
    add(&world, json!({"sponsor": "ivo"})).unwrap();
    let wanted = body(request(json!({"implementers": ["agent-one"], "tester": "olga"})));
    let key = world.approved(world.by("rita", move |cx| create_change(cx, &wanted, &[])));
    world.evidence(&key, "note", b"works");
    world.pass_seconds(150 * 60);
    let complete = |cx: &mut Context<'_, '_>, key: &str| {
        verbs::complete_change(cx, key, &body(json!({"outcome": "succeeded", "target": "1"})))
    };
    let k = key.clone();
    let refused = attempt(&world, "agent-one", move |cx| verbs::start_change(cx, &k));
    assert_eq!(refused.unwrap_err(), "agent_needs_permit");
    let pipelines = world.by("pipe", collect);
    let k = key.clone();
    let refused = attempt(&world, "agent-one", move |cx| complete(cx, &k));
    assert_eq!(
        refused.unwrap_err(),
        "agent_needs_permit",
        "another's permit is none of its own"
    );
    let own = attempt(&world, "agent-one", collect).unwrap();
    assert_ne!(own, pipelines);
    let k = key.clone();
    attempt(&world, "agent-one", move |cx| complete(cx, &k)).unwrap();
    let state = world.look(move |cx| Ok(cx.change(&key)?.state)).unwrap();
    assert_eq!(state, State::Reviewing);
}

/// Uses the permit up for the world's artifact; returns the code of the refusal where there is one.
fn use_up(world: &World, login: &'static str, permit: &str) -> std::result::Result<(), String> {
    let jti = permit.to_owned();
    attempt(world, login, move |cx| {
        consume_permit::consume_permit(cx, &jti, &question()).map(drop)
    })
}

#[test]
fn what_was_approved_for_agents_is_done_once() {
    let world = world();
    add(&world, json!({"sponsor": "ivo"})).unwrap();
    add(&world, json!({"sponsor": "ivo", "person": "agent-two"})).unwrap();
    let wanted = body(request(
        json!({"implementers": ["agent-one", "agent-two"], "tester": "olga"}),
    ));
    let key = world.approved(world.by("rita", move |cx| create_change(cx, &wanted, &[])));
    world.evidence(&key, "note", b"works");
    world.pass_seconds(150 * 60);
    let first = attempt(&world, "agent-one", collect).unwrap();
    let other = attempt(&world, "agent-two", collect).unwrap();
    assert_ne!(first, other, "each has a permit of its own");
    use_up(&world, "agent-one", &first).unwrap();
    let (k, id) = (key.clone(), other.clone());
    let is_revoked = world.look(move |cx| {
        let file = cx.file(&k)?;
        Ok(file
            .permits
            .iter()
            .any(|row| row.id.as_str() == id && row.revoked_at.is_some()))
    });
    assert!(is_revoked.unwrap(), "the other agent's permit opens nothing offline");
    assert_eq!(
        use_up(&world, "agent-one", &first).unwrap_err(),
        "permit_used",
        "a replay"
    );
    assert_eq!(
        use_up(&world, "agent-two", &other).unwrap_err(),
        "permit_used",
        "one of two acts"
    );
    for login in ["agent-one", "agent-two"] {
        let checked = attempt(&world, login, |cx| answer::check(cx, &question(), None)).unwrap();
        assert!(checked.permit.is_none() && checked.check.permit.is_none(), "{login}");
        let codes: Vec<&str> = checked.check.reasons.iter().map(|row| row.code.as_str()).collect();
        assert_eq!(codes, ["permit_used"], "{login}");
    }
    // A plain question gives no permit, and what it says is read as a yes all the same.
    for (login, code) in [
        ("agent-one", Some("permit_used")),
        ("agent-two", Some("permit_used")),
        ("pipe", None),
    ] {
        let answer = attempt(&world, login, |cx| {
            let answer = answer::ask(cx, &question())?;
            answer::check_unspent(cx, &question(), answer)
        });
        let codes: Vec<String> = answer.unwrap().reasons.into_iter().map(|row| row.code).collect();
        assert_eq!(codes.first().map(String::as_str), code, "{login}");
    }
    let pipelines = world.by("pipe", collect);
    assert_ne!(
        pipelines, first,
        "a pipeline deploys again, by a permit that is not used up"
    );
    attempt(&world, "agent-one", move |cx| {
        verbs::complete_change(cx, &key, &body(json!({"outcome": "succeeded", "target": "1"})))
    })
    .unwrap();
    world.sequence();
    world.assert_replays();
}

#[test]
fn what_would_make_a_person_an_agent_or_an_agent_a_person_is_refused() {
    let world = world();
    for (wanted, code) in [
        (json!({"person": "rita"}), "not_an_agents_login"),
        (json!({"person": "agent-none"}), "unknown"),
        (json!({"sponsor": "nobody"}), "unknown"),
        (json!({"sponsor": "agent-one"}), "not_a_sponsor"),
        (json!({"services": []}), "missing"),
        (json!({"services": ["nowhere"]}), "unknown"),
        (json!({"environments": ["nowhere"]}), "unknown"),
        (json!({"changes_per_day": 0}), "out_of_range"),
        (json!({"ends_at": "2026-11-01T00:00:00Z"}), "in_the_past"),
        (json!({"ends_at": "2028-11-01T00:00:00Z"}), "too_long"),
    ] {
        assert_eq!(add(&world, wanted.clone()).unwrap_err(), code, "{wanted}");
    }
    let more = body(json!({"roles": ["requester", "security"]}));
    world.system(move |cx| set_person::edit_person(cx, "agent-two", &more));
    assert_eq!(add(&world, json!({"person": "agent-two"})).unwrap_err(), "other_rights");
    add(&world, json!({})).unwrap();
    let as_sponsor = json!({"person": "agent-two", "sponsor": "agent-one"});
    assert_eq!(
        add(&world, as_sponsor).unwrap_err(),
        "other_rights",
        "all errors are told, this one first"
    );
}

/// The record of an agent, for the tests that change every column.
pub(crate) fn furnish(cx: &mut Context<'_, '_>) -> Result<()> {
    let agent: Agent = serde_json::from_value(json!({
        "id": "agent", "version": 0, "person": "nobody", "sponsor": "nobody-else", "charter": "Drafts.",
        "charter_digest": "sha256:aa", "services": ["web"], "environments": ["lab"], "changes_per_day": 1,
        "highest_risk": "low", "ends_at": cx.now, "active": true, "by": "system", "at": cx.now,
    }))?;
    cx.put_estate("agent.added", agent, json!({})).map(drop)
}

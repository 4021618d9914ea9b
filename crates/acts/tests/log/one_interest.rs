//! One interest across all rules: a rejection follows its build in every spelling, and nobody overrules one for a change of
//! their own, in any order of acts, nor by an account that they made.

use acts::approval::set_absence::set_absence;
use acts::approval::set_delegation::set_delegation;
use acts::approval::verbs::overrule_rejection;
use acts::cab::on_call::set_on_call;
use acts::change::{create_change, verbs};
use acts::directory::deactivate_person::deactivate_person;
use acts::directory::set_person;
use acts::directory::set_service::set_ownership;
use acts::schedule::loosen_freeze::{confirm_loosening, end_freeze};
use acts::schedule::set_freeze::{except_from_freeze, set_freeze};
use model::core::body::Body;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

const COMMIT: &str = "1f2e3d4c5b6a79880011223344556677889900aa";

fn draft(world: &World, who: &'static str, build: serde_json::Value) -> String {
    let mut target = json!({"service": "pay", "environment": "production"});
    for (field, value) in build.as_object().unwrap() {
        target[field] = value.clone();
    }
    let words = json!({
        "title": "Out", "description": "d", "justification": "j", "complexity": "low", "targets": [target],
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
        "plan": [{"title": "Out", "minutes": 5}], "rollback_plan": [{"title": "Back", "minutes": 5}],
    });
    let key = world.by(who, move |cx| {
        create_change::create_change(cx, &body(words.clone()), &[])
    });
    let k = key.clone();
    world.by(who, move |cx| {
        verbs::submit_change(cx, &k)?;
        verbs::assess_change(cx, &k, &body(json!({"dependencies_reviewed": true})))
    });
    key
}

fn reject(world: &World, key: &str) {
    let k = key.to_owned();
    world.by("sam", move |cx| {
        let digest = cx.change(&k)?.digests.content;
        let words = json!({"decision": "reject", "comment": "Not this one.", "content_digest": digest});
        acts::approval::verbs::approve_change(cx, &k, &body(words)).map(drop)
    });
}

fn is_stopped(world: &World, key: &str) -> bool {
    let k = key.to_owned();
    let rows = world.look(move |cx| cx.ahead(&k)).unwrap();
    rows.iter().any(|row| row.unmet.code == "rejected_elsewhere")
}

fn overrule(world: &World, who: &'static str, key: &str) -> String {
    let k = key.to_owned();
    let act = move |cx: &mut acts::Context<'_, '_>| overrule_rejection(cx, &k, &body(json!({"reason": "It is fine."})));
    let done = world
        .executor
        .wait(Lane::Acts, TENANT, world.actor(who), Mode::Write, act);
    done.err().map(|error| format!("{error:?}")).unwrap_or_default()
}

#[test]
fn a_rejection_follows_its_build_in_every_spelling() {
    let world = World::new();
    let digest = format!("sha256:{}", "ab".repeat(32));
    let rejected = draft(&world, "rita", json!({"artifact": digest, "commit": COMMIT}));
    reject(&world, &rejected);
    let spelt = [
        json!({"artifact": digest.clone()}),
        json!({"commit": COMMIT}),
        json!({"artifact": format!("sha256:{}", "cd".repeat(32)), "commit": COMMIT}),
    ];
    for build in spelt {
        let key = draft(&world, "rita", build.clone());
        assert!(is_stopped(&world, &key), "{build}");
    }
    let other = draft(
        &world,
        "rita",
        json!({"artifact": format!("sha256:{}", "ef".repeat(32))}),
    );
    assert!(!is_stopped(&world, &other));
}

#[test]
fn nobody_overrules_a_rejection_for_a_change_of_their_own() {
    let world = World::new();
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "max", "roles": ["change_manager"]}))).map(drop)
    });
    let digest = format!("sha256:{}", "ab".repeat(32));
    let rejected = draft(&world, "rita", json!({"artifact": digest.clone()}));
    reject(&world, &rejected);
    let own = draft(&world, "mona", json!({"artifact": digest.clone()}));
    assert!(is_stopped(&world, &own));
    assert!(
        overrule(&world, "mona", &rejected).contains("own_request"),
        "it stops her own"
    );
    assert_eq!(overrule(&world, "max", &rejected), "");
    assert!(!is_stopped(&world, &own), "Max has no part in it");
    // The other way round: the approval first, the change afterwards.
    let later = draft(&world, "max", json!({"artifact": digest}));
    assert!(is_stopped(&world, &later), "Max overruled it himself");
}

fn confirm_end(world: &World, who: &'static str, freeze: &str) -> String {
    let id = freeze.to_owned();
    let act = move |cx: &mut acts::Context<'_, '_>| confirm_loosening(cx, &id).map(drop);
    let done = world
        .executor
        .wait(Lane::Acts, TENANT, world.actor(who), Mode::Write, act);
    done.err().map(|error| format!("{error:?}")).unwrap_or_default()
}

/// Mona sets a freeze, and ada proposes its end.
fn freeze_to_end(world: &World) -> String {
    let span = json!({"title": "Year end", "reason": "Nothing moves.", "services": ["pay"],
        "starts_at": "2026-12-20T00:00:00Z", "ends_at": "2026-12-24T00:00:00Z"});
    let freeze = world.by("mona", move |cx| Ok(set_freeze(cx, &body(span.clone()))?.id.0));
    let id = freeze.clone();
    world.by("ada", move |cx| {
        end_freeze(cx, &id, &body(json!({"reason": "It is in the way."}))).map(drop)
    });
    freeze
}

#[test]
fn an_account_that_somebody_made_within_the_day_is_no_second_person_beside_them() {
    let world = World::new();
    world.system(|cx| {
        let ada = json!({"login": "ada", "roles": ["admin", "change_manager"]});
        set_person::create_person(cx, &body(ada)).map(drop)
    });
    world.by("ada", |cx| {
        set_person::create_person(cx, &body(json!({"login": "puppet", "roles": ["change_manager"]}))).map(drop)
    });
    let digest = format!("sha256:{}", "ab".repeat(32));
    let rejected = draft(&world, "rita", json!({"artifact": digest.clone()}));
    reject(&world, &rejected);
    draft(&world, "ada", json!({"artifact": digest}));
    assert!(
        overrule(&world, "puppet", &rejected).contains("own_request"),
        "it stops a change of whoever made the account"
    );
    assert_eq!(overrule(&world, "mona", &rejected), "");

    let (first, second) = (freeze_to_end(&world), freeze_to_end(&world));
    assert!(confirm_end(&world, "puppet", &first).contains("own_request"));
    assert_eq!(confirm_end(&world, "mona", &first), "");
    world.pass_seconds(25 * 60 * 60);
    assert_eq!(
        confirm_end(&world, "puppet", &second),
        "",
        "a day later it is an account of its own"
    );
    world.sequence();
    world.assert_replays();
}

#[test]
fn what_a_compromised_account_let_pass_a_freeze_or_asked_to_loosen_falls_with_it() {
    let world = World::new();
    world.system(|cx| {
        let ada = json!({"login": "ada", "roles": ["admin", "change_manager"]});
        set_person::create_person(cx, &body(ada)).map(drop)
    });
    let key = draft(
        &world,
        "rita",
        json!({"artifact": format!("sha256:{}", "ab".repeat(32))}),
    );
    let freeze = freeze_to_end(&world);
    let id = freeze.clone();
    world.by("ada", move |cx| {
        let exception = json!({"change": key, "reason": "It mends what we froze for."});
        except_from_freeze(cx, &id, &body(exception)).map(drop)
    });
    world.system(|cx| deactivate_person(cx, "ada", &body(json!({"compromised": true}))).map(drop));
    let id = freeze.clone();
    let kept = world.look(move |cx| {
        let directory = cx.directory()?;
        Ok(directory.freezes.iter().find(|it| it.id.as_str() == id).cloned())
    });
    let kept = kept.unwrap().unwrap();
    assert!(kept.exceptions.is_empty() && kept.loosening.is_none(), "{kept:?}");
    assert_eq!(kept.course.past_exceptions.len(), 1);
    assert!(confirm_end(&world, "mona", &freeze).contains("nothing_proposed"));
    world.sequence();
    world.assert_replays();
}

/// Both managers count as one while one is the other's deputy: the proposer alone confirms nothing by it.
#[test]
fn whoever_lends_their_voice_to_the_only_other_person_does_not_confirm_alone() {
    let world = World::new();
    world.system(|cx| {
        let ada = json!({"login": "ada", "roles": ["admin", "change_manager"]});
        set_person::create_person(cx, &body(ada)).map(drop)
    });
    let freeze = freeze_to_end(&world);
    world.by("ada", |cx| {
        let lent = json!({"delegate": "mona", "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-21T09:00:00Z"});
        set_delegation(cx, &body(lent)).map(drop)
    });
    world.pass_seconds(2 * 60 * 60);
    assert!(confirm_end(&world, "ada", &freeze).contains("own_request"));
    assert_eq!(confirm_end(&world, "mona", &freeze), "", "nobody else could");
}

type Door = fn(&mut acts::Context<'_, '_>, &Body) -> acts::Result<()>;

/// A start in the past is refused on every route. As a correction it is taken, and gives nothing for the time before it.
#[test]
fn nothing_that_gives_authority_begins_before_it_is_recorded() {
    let world = World::new();
    world.system(|cx| {
        let ada = json!({"login": "ada", "roles": ["admin", "change_manager"]});
        set_person::create_person(cx, &body(ada)).map(drop)
    });
    let doors: [(&str, Value, Door); 4] = [
        ("starts_at", json!({"delegate": "mona"}), |cx, it| {
            set_delegation(cx, it).map(drop)
        }),
        ("since", json!({"role": "technical_lead", "person": "sam"}), |cx, it| {
            set_ownership(cx, it).map(drop)
        }),
        ("starts_at", json!({"group": "security", "person": "sam"}), |cx, it| {
            set_on_call(cx, it).map(drop)
        }),
        ("starts_at", json!({}), |cx, it| set_absence(cx, it).map(drop)),
    ];
    for (field, mut words, door) in doors {
        let attempt = |words: Value| {
            let act = move |cx: &mut acts::Context<'_, '_>| door(cx, &body(words.clone()));
            let done = world
                .executor
                .wait(Lane::Acts, TENANT, world.actor("ada"), Mode::Write, act);
            done.err().map(|error| format!("{error:?}")).unwrap_or_default()
        };
        words[field] = json!("2026-11-01T00:00:00Z");
        words["ends_at"] = json!("2026-12-01T00:00:00Z");
        let refused = attempt(words.clone());
        assert!(refused.contains("in_the_past"), "{words}: {refused}");
        words["correction"] = json!(true);
        assert_eq!(attempt(words.clone()), "", "{words}");
    }
    let found = world.look(|cx| {
        let (directory, now) = (cx.directory()?, cx.now);
        let before: jiff::Timestamp = "2026-11-10T00:00:00Z".parse().unwrap();
        let lent = directory.delegations.iter().map(|it| (it.is_on(before), it.is_on(now)));
        let held = directory.ownerships.iter().filter(|it| it.corrected_at.is_some());
        let held = held.map(|it| (it.is_in_force(before), it.is_in_force(now)));
        let on_call = directory.on_call.iter().map(|it| (it.is_on(before), it.is_on(now)));
        let away = directory.absences.iter().map(|it| (it.is_on(before), it.is_on(now)));
        Ok(lent.chain(held).chain(on_call).chain(away).collect::<Vec<_>>())
    });
    assert_eq!(found.unwrap(), [(false, true); 4]);
}

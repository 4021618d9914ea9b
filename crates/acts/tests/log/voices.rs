//! An approval through a credential that one administrator made alone, a token for an approver or a password that they set,
//! decides nothing where approval rights need two people.

use std::collections::BTreeSet;

use acts::Context;
use acts::approval::set_sla_table::propose_sla_table;
use acts::cab::meetings;
use acts::change::set_template::{approve_template, propose_template};
use acts::directory::set_person;
use acts::emergency::break_glass;
use acts::guard::impersonation;
use acts::identity::set_token;
use acts::policy::activate_configuration::activate_configuration;
use acts::policy::propose_configuration::{propose_policies, propose_risk_table};
use acts::policy::propose_ownership::propose_ownership;
use acts::policy::set_mapping::propose_mapping;
use model::change::change_file::{Actor, Lent};
use model::core::act::Act;
use model::core::body::Body;
use model::core::refusal::Refusal;
use model::policy::configuration::Configuration;
use model::policy::permission::check_lent;
use serde_json::json;
use store::{Lane, Mode};

use crate::by_two::{alone, attempt_as, code, hire};
use crate::world::{TENANT, World, body};

/// For how long an account is new, and a password its setter's as well, in seconds.
const DAY: i64 = 24 * 60 * 60;

/// A world with two administrators beside its people, whose accounts are two days old.
fn world() -> World {
    let world = World::new();
    hire(&world, "nils");
    hire(&world, "kari");
    world.pass_seconds(2 * DAY);
    world
}

/// A person by a credential that another person made: `token`, `password` or a provider.
fn lent(world: &World, login: &'static str, maker: &'static str, method: &str) -> Actor {
    Actor {
        by_token: method == "token",
        method: method.to_owned(),
        stepped_up_at: Some(world.executor.tools().clock.now()),
        factor: None,
        lent: Some(Lent {
            maker: world.actor(maker).person,
            roles: None,
            services: None,
        }),
        ..world.actor(login)
    }
}

/// The code by which an act is refused; `done` when it is not.
fn told<T: Send + 'static>(
    world: &World,
    actor: Actor,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    attempt_as(world, actor, act)
        .err()
        .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
}

/// A change that waits for its approvers.
fn waiting(world: &World) -> String {
    let key = world.draft_at(
        "Ship",
        crate::world::ARTIFACT,
        ["2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z"],
    );
    let k = key.clone();
    world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &k));
    let k = key.clone();
    let request = body(json!({"dependencies_reviewed": true}));
    world.by("rita", move |cx| acts::change::verbs::assess_change(cx, &k, &request));
    key
}

fn says(world: &World, actor: Actor, key: &str, decision: &'static str) -> String {
    let key = key.to_owned();
    told(world, actor, move |cx| {
        let digest = cx.change(&key)?.digests.content;
        let request = body(json!({"decision": decision, "content_digest": digest, "comment": "Fine by me"}));
        acts::approval::verbs::approve_change(cx, &key, &request)
    })
}

#[test]
fn a_voice_that_one_administrator_lends_alone_decides_nothing() {
    let world = world();
    let key = waiting(&world);
    for (login, method) in [
        ("olga", "token"),
        ("olga", "password"),
        ("sam", "password+totp"),
        ("mona", "token"),
    ] {
        let refused = says(&world, lent(&world, login, "nils", method), &key, "approve");
        assert_eq!(refused, "lent_voice", "{login} by {method}");
    }
    // Nobody's change is refused that way either.
    assert_eq!(
        says(&world, lent(&world, "olga", "nils", "token"), &key, "reject"),
        "lent_voice"
    );
    let glass = body(json!({"reason": "Down.", "confirm": key.clone()}));
    let k = key.clone();
    let broken = told(&world, lent(&world, "mona", "nils", "token"), move |cx| {
        break_glass::break_glass(cx, &k, &glass)
    });
    assert_eq!(broken, "lent_voice");
    // A credential of their own, or a provider that two people put in force, is theirs.
    assert_eq!(
        says(&world, lent(&world, "olga", "olga", "token"), &key, "approve"),
        "done"
    );
    assert_eq!(
        says(&world, lent(&world, "sam", "nils", "provider:corp"), &key, "approve"),
        "done"
    );
    assert_eq!(says(&world, world.actor("mona"), &key, "approve"), "done");
    world.assert_replays();
}

/// Everything by which somebody judges a change, and nothing of the work.
#[test]
fn every_act_that_judges_is_closed_to_a_lent_voice() {
    let world = world();
    let key = waiting(&world);
    let (file, directory, now) = world
        .look(move |cx| Ok((cx.file(&key)?, cx.directory()?, cx.now)))
        .unwrap();
    let closed = [
        "accept_evidence",
        "approve_change",
        "break_glass",
        "confirm_retrospective",
        "cosign_break_glass",
        "decide_extension",
        "meet_condition",
        "overrule_rejection",
        "peer_review_change",
        "review_change",
        "state_finding",
        "validate_break_glass",
        "validate_change",
    ];
    for method in ["token", "password", "password+totp"] {
        let actor = lent(&world, "olga", "nils", method);
        let refuses = |act: &&Act| check_lent(&file, &directory, &actor, now, **act).is_err();
        let refused: BTreeSet<&str> = Act::ALL.iter().filter(refuses).map(|act| act.as_str()).collect();
        assert_eq!(refused, BTreeSet::from(closed), "{method}");
    }
    let own = world.actor("olga");
    let refuses = |act: &Act| check_lent(&file, &directory, &own, now, *act).is_err();
    assert!(!Act::ALL.iter().any(refuses));
}

/// Anybody may get an observer's role, by one person: it must open nothing.
#[test]
fn a_role_that_looks_on_opens_nothing_to_a_lent_voice() {
    let world = world();
    let key = waiting(&world);
    let roles = body(json!({"roles": ["change_manager", "auditor", "pipeline"]}));
    world.system(move |cx| set_person::edit_person(cx, "mona", &roles).map(drop));
    for method in ["token", "password"] {
        assert_ne!(
            says(&world, lent(&world, "mona", "nils", method), &key, "approve"),
            "done"
        );
        let attended = told(&world, lent(&world, "mona", "nils", method), |cx| {
            meetings::attend_meeting(cx, "none", &Body::new())
        });
        assert_eq!(attended, "lent_voice");
    }
    let attended = told(&world, world.actor("mona"), |cx| {
        meetings::attend_meeting(cx, "none", &Body::new())
    });
    assert_eq!(attended, "not_found");
}

/// The maker of an account's credential cannot use that account as a second approver.
#[test]
fn what_a_borrowed_account_makes_for_its_lender_is_not_the_lenders_own() {
    let world = world();
    let by_kari = lent(&world, "kari", "nils", "token");
    let wanted = body(json!({"name": "x", "person": "nils"}));
    let made = world
        .executor
        .wait(Lane::Acts, TENANT, by_kari, Mode::Write, move |cx| {
            set_token::create_token(cx, &wanted)
        });
    assert_eq!(made.unwrap().0.owner, world.actor("kari").person);
    // Nor does an account that may set nobody's password set its lender's.
    let set = told(&world, lent(&world, "rita", "nils", "password"), |cx| {
        set_person::set_password(cx, "nils", "phc")
    });
    assert_eq!(set, "not_allowed");
}

/// A password that a person chooses on their first day begins no new day of the credential's maker.
#[test]
fn a_password_of_ones_own_choice_begins_no_day_anew() {
    let world = World::new();
    hire(&world, "nils");
    let handed = || {
        let olga = world.actor("olga").person;
        let found = world.look(move |cx| impersonation::credential_setter(cx, &olga, "password"));
        found.unwrap()
    };
    world.by("nils", |cx| set_person::set_password(cx, "olga", "phc"));
    let nils = world.actor("nils").person;
    assert_eq!(handed(), Some(nils.clone()));
    world.pass_seconds(DAY * 3 / 4);
    let changed = told(&world, lent(&world, "olga", "nils", "password"), |cx| {
        set_person::change_password(cx, "phc")
    });
    assert_eq!((changed.as_str(), handed()), ("done", Some(nils)));
    world.pass_seconds(DAY / 4 + 60);
    assert_eq!(handed(), None);
}

#[test]
fn a_borrowed_voice_works_on_where_it_decides_nothing() {
    let world = world();
    let key = waiting(&world);
    let by_rita = lent(&world, "rita", "nils", "token");
    let note = body(json!({"text": "Nearly there."}));
    let k = key.clone();
    let said = told(&world, by_rita, move |cx| {
        acts::change::verbs::comment_change(cx, &k, &note)
    });
    assert_eq!(said, "done");
}

#[test]
fn the_first_password_of_a_new_account_is_its_own_unless_its_setter_has_a_stake() {
    let world = World::new();
    hire(&world, "nils");
    hire(&world, "kari");
    let key = waiting(&world);
    assert_eq!(
        says(&world, lent(&world, "olga", "nils", "password"), &key, "approve"),
        "done"
    );
    assert_eq!(
        says(&world, lent(&world, "sam", "nils", "token"), &key, "approve"),
        "lent_voice"
    );
    // Rita requested the change: a person with a password from her cannot approve it.
    assert_eq!(
        says(&world, lent(&world, "sam", "rita", "password"), &key, "approve"),
        "lent_voice"
    );
    assert_eq!(
        says(&world, lent(&world, "sam", "nils", "password"), &key, "approve"),
        "done"
    );
}

#[test]
fn with_one_administrator_nobody_is_there_to_look() {
    let world = World::new();
    hire(&world, "nils");
    world.pass_seconds(2 * DAY);
    let key = waiting(&world);
    assert_eq!(
        says(&world, lent(&world, "olga", "nils", "password"), &key, "approve"),
        "done"
    );
    assert_eq!(
        says(&world, lent(&world, "sam", "nils", "token"), &key, "approve"),
        "done"
    );
}

fn propose(world: &World) {
    let words = body(json!({"key": "restart", "services": ["pay"], "locked": {"category": "application"}}));
    world.by("rita", move |cx| propose_template(cx, &words).map(drop));
}

#[test]
fn a_borrowed_voice_approves_no_template() {
    let world = world();
    propose(&world);
    let approve = |actor: Actor| told(&world, actor, |cx| approve_template(cx, "restart", &Body::new()));
    assert_eq!(approve(lent(&world, "mona", "nils", "token")), "lent_voice");
    assert_eq!(approve(lent(&world, "olga", "kari", "password")), "lent_voice");
    assert_eq!(approve(world.actor("mona")), "done");
    assert_eq!(approve(world.actor("olga")), "done");
    world.assert_replays();
}

/// A proposer of rules who makes the second account's credential would put them in force alone.
#[test]
fn a_table_is_not_put_in_force_by_a_token_that_its_proposer_made() {
    refuses_its_proposers_token(&world());
    // Not on anybody's first day either.
    let world = World::new();
    hire(&world, "nils");
    hire(&world, "kari");
    refuses_its_proposers_token(&world);
}

/// Where nothing else is decided by two, a token of the proposer's is no second person all the same; by a password of the first
/// day the table goes in force, or nobody could begin, and the record names the credential's maker.
#[test]
fn an_administrator_who_is_alone_is_no_second_person_by_a_token_and_shows_in_a_password() {
    let world = alone();
    let words = caution();
    let proposal = world.by("ada", move |cx| propose_risk_table(cx, &words));
    let activate = |method: &str| {
        let id = proposal.id.clone();
        attempt_as(&world, lent(&world, "mona", "ada", method), move |cx| {
            activate_configuration(cx, id.as_str(), &Body::new())
        })
    };
    assert_eq!(code(activate("token")), "second_person_needed");
    let active = activate("password").unwrap();
    assert_eq!(active.activated_by, Some(world.actor("mona").person));
    assert_eq!(active.activation_handed_by, Some(world.actor("ada").person));
    world.sequence();
    world.assert_replays();
}

fn caution() -> Body {
    body(json!({"reason": "Caution", "table": {
        "none": {"low": "low", "medium": "low", "high": "medium"},
        "low": {"low": "low", "medium": "medium", "high": "high"},
        "medium": {"low": "medium", "medium": "high", "high": "high"},
        "high": {"low": "high", "medium": "high", "high": "high"},
    }}))
}

fn refuses_its_proposers_token(world: &World) {
    let words = caution();
    let proposal = world.by("nils", move |cx| propose_risk_table(cx, &words));
    let activate = |actor: Actor| {
        let id = proposal.id.clone();
        told(world, actor, move |cx| {
            activate_configuration(cx, id.as_str(), &Body::new())
        })
    };
    for method in ["token", "password"] {
        assert_eq!(activate(lent(world, "kari", "nils", method)), "second_person_needed");
    }
    let id = proposal.id.clone();
    let refusal = attempt_as(world, lent(world, "kari", "nils", "token"), move |cx| {
        activate_configuration(cx, id.as_str(), &Body::new())
    });
    let Err(Refusal::NotNow { unmet, .. }) = refusal else {
        panic!("{refusal:?}");
    };
    let waiting = &unmet[0].waiting_on;
    assert!(waiting.contains(&"mona".to_owned()), "{waiting:?}");
    assert!(!waiting.contains(&"kari".to_owned()), "{waiting:?}");
    assert_eq!(activate(world.actor("kari")), "done");
}

/// The same of every kind of configuration: an account that its proposer made today is no second person while somebody else could be.
#[test]
fn no_configuration_is_put_in_force_by_an_account_that_its_proposer_made() {
    let world = alone();
    world.system(|cx| {
        let mut tenant = cx.directory()?.tenant.clone().unwrap();
        tenant.ownership_by_two = false;
        cx.put_estate("tenant.edited", tenant, json!({})).map(drop)
    });
    world.by("ada", |cx| {
        set_person::create_person(cx, &body(json!({"login": "puppet", "roles": ["admin"]}))).map(drop)
    });
    let propose: [fn(&mut Context<'_, '_>) -> acts::Result<Configuration>; 5] = [
        |cx| propose_risk_table(cx, &caution()),
        |cx| {
            propose_sla_table(
                cx,
                &body(json!({"reason": "Slower", "table": {"emergency": {"acknowledge": "30m", "decide": "2h"}}})),
            )
        },
        |cx| propose_policies(cx, &body(json!({"reason": "Back to the base set"}))),
        |cx| propose_mapping(cx, &body(json!({"reason": "None", "rules": []}))),
        |cx| {
            propose_ownership(
                cx,
                &body(json!({"reason": "Less", "services": [{"key": "pay", "name": "Pay"}]})),
            )
        },
    ];
    for (place, propose) in propose.into_iter().enumerate() {
        let proposal = world.by("ada", propose);
        for method in ["password", "provider:corp"] {
            let actor = match method {
                "password" => lent(&world, "puppet", "ada", method),
                _ => world.actor("puppet"),
            };
            let id = proposal.id.clone();
            let done = attempt_as(&world, actor, move |cx| {
                activate_configuration(cx, id.as_str(), &Body::new())
            });
            assert_eq!(code(done), "second_person_needed", "{place} {method}");
        }
        let id = proposal.id.clone();
        attempt_as(&world, world.actor("mona"), move |cx| {
            activate_configuration(cx, id.as_str(), &Body::new())
        })
        .unwrap();
    }
}

/// The other way round: the account that somebody made today proposes, and they are the second person.
#[test]
fn nobody_puts_in_force_what_an_account_that_they_made_today_proposed() {
    let world = alone();
    world.by("ada", |cx| {
        set_person::create_person(cx, &body(json!({"login": "puppet", "roles": ["admin"]}))).map(drop)
    });
    let proposal = world.by("puppet", |cx| propose_risk_table(cx, &caution()));
    let activate = |who: &'static str| {
        let id = proposal.id.clone();
        attempt_as(&world, world.actor(who), move |cx| {
            activate_configuration(cx, id.as_str(), &Body::new())
        })
    };
    assert_eq!(code(activate("ada")), "second_person_needed");
    activate("mona").unwrap();
}

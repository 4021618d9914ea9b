//! No person is named whom the policies in force would refuse, also under each pack and once a person has left; and where
//! nobody is named, the row states that and the remedy.

use std::sync::Arc;

use acts::approval;
use acts::cab::meetings;
use acts::change::{create_change, set_template, verbs};
use acts::directory::{deactivate_person, set_person, suspend_given};
use acts::schedule::set_freeze;
use model::change::change_file::{Actor, Lent};
use model::change::waiting_on::Ahead;
use model::core::act::Act;
use model::core::refusal::Refusal;
use serde_json::json;
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// The act that satisfies a row, by the product's documents.
fn act_of(code: &str) -> Option<Act> {
    Some(match code {
        "field_missing" | "plan_missing" | "rollback_plan_missing" => Act::Edit,
        "not_submitted" => Act::Submit,
        "not_assessed" => Act::Assess,
        "not_planned" | "window_over" | "lead_time" => Act::Schedule,
        "approval_missing" => Act::Approve,
        "peer_review_missing" => Act::PeerReview,
        "evidence_missing" => Act::AddEvidence,
        "outcome_missing" => Act::Complete,
        "validation_missing" => Act::Validate,
        "review_missing" => Act::Review,
        "task_missing" => Act::AddTask,
        "checklist_open" => Act::TickChecklist,
        _ => return None,
    })
}

fn rows(world: &World, key: &str) -> Vec<Ahead> {
    let k = key.to_owned();
    world.look(move |cx| cx.ahead(&k)).unwrap()
}

/// The faults in the rows of a change: people named in vain, and rows that name nobody without a note.
fn faults(world: &World, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows(world, key) {
        let unmet = &row.unmet;
        if unmet.satisfy.is_empty() || (unmet.waiting_on.is_empty() && !unmet.cannot_be_met) {
            found.push(format!("{} names nobody", unmet.code));
        }
        let Some(act) = act_of(&unmet.code) else { continue };
        for login in &unmet.waiting_on {
            let login: &'static str = Box::leak(login.clone().into_boxed_str());
            let k = key.to_owned();
            let tried = move |cx: &mut acts::Context<'_, '_>| cx.try_on_change(&k, |case| case.allow(act));
            let actor = world.actor(login);
            if let Err(error) = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Read, tried) {
                found.push(format!("{} waits for {login}: {error:?}", unmet.code));
            }
        }
    }
    found
}

fn named(world: &World, key: &str) -> Vec<&'static str> {
    let logins = rows(world, key).into_iter().flat_map(|row| row.unmet.waiting_on);
    let mut found: Vec<&'static str> = logins.map(|login| &*Box::leak(login.into_boxed_str())).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn assessed(world: &World) -> String {
    let key = world.draft("Move booking");
    let k = key.clone();
    world.by("rita", move |cx| {
        verbs::submit_change(cx, &k)?;
        verbs::assess_change(cx, &k, &body(json!({"dependencies_reviewed": true})))
    });
    key
}

fn staffed(world: World) -> World {
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "ada", "roles": ["admin"]})))?;
        set_person::create_person(
            cx,
            &body(json!({"login": "vic", "roles": ["owner"], "services": ["pay"]})),
        )
        .map(drop)
    });
    world
}

#[test]
fn rows_name_people_whom_the_policies_let_and_somebody_or_what_helps_under_every_pack() {
    let packs = ["cab", "dual-control", "hipaa", "pci", "small-team", "sox"];
    let worlds = packs.iter().map(|pack| (*pack, staffed(World::with_pack(pack))));
    for (pack, world) in std::iter::once(("base", staffed(World::new()))).chain(worlds) {
        let drafted = world.draft("Not handed over");
        let key = assessed(&world);
        for change in [&drafted, &key] {
            assert_eq!(faults(&world, change), [""; 0], "{pack}");
        }
    }
}

#[test]
fn the_same_holds_once_each_of_the_named_has_left() {
    let usual = staffed(World::new());
    let key = assessed(&usual);
    for login in named(&usual, &key) {
        let world = staffed(World::new());
        let (drafted, key) = (world.draft("Not handed over"), assessed(&world));
        world.system(move |cx| {
            deactivate_person::deactivate_person(cx, login, &body(json!({"reason": "Left."}))).map(drop)
        });
        for change in [&drafted, &key] {
            assert_eq!(faults(&world, change), [""; 0], "without {login}");
            assert!(!named(&world, change).contains(&login), "{login} has left");
        }
    }
}

type Done = Box<dyn Fn(&mut acts::Context<'_, '_>) -> acts::Result<()> + Send + Sync>;

/// A refused act: the world, the person, and the act.
struct Refused {
    world: World,
    actor: Actor,
    act: Arc<Done>,
}

fn refused(world: World, actor: Actor, act: Done) -> Refused {
    Refused {
        world,
        actor,
        act: Arc::new(act),
    }
}

/// A world with a second change manager, two administrators and a board, all older than a day.
fn lead() -> World {
    let world = World::new();
    world.system(|cx| {
        for (login, role) in [("max", "change_manager"), ("nils", "admin"), ("kari", "admin")] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": [role]})))?;
        }
        set_person::set_group(cx, "cab", &body(json!({"members": ["olga", "sam"]}))).map(drop)
    });
    world.pass_seconds(2 * 24 * 60 * 60);
    world
}

/// A change manager excepts a change of their own from a freeze.
fn own_exception() -> Refused {
    let world = lead();
    let key = world.by("mona", |cx| {
        let request = json!({"title": "Own", "targets": [{"service": "pay", "environment": "production"}]});
        create_change::create_change(cx, &body(request), &[])
    });
    let freeze = world.by("max", |cx| {
        let span = json!({"title": "Quarter", "starts_at": "2026-12-20T09:00:00Z", "ends_at": "2026-12-21T09:00:00Z"});
        set_freeze::set_freeze(cx, &body(span))
    });
    let actor = world.actor("mona");
    let act: Done = Box::new(move |cx| {
        let request = body(json!({"change": key, "reason": "It is needed."}));
        set_freeze::except_from_freeze(cx, freeze.id.as_str(), &request).map(drop)
    });
    refused(world, actor, act)
}

/// A change manager approves a template of their own.
fn own_template() -> Refused {
    let world = lead();
    world.by("mona", |cx| {
        let template = json!({
            "key": "restart", "title": "Restart", "services": ["pay"],
            "locked": {"category": "application", "complexity": "low", "description": "d", "justification": "j",
                "plan": [{"title": "One"}], "rollback_plan": [{"title": "Back", "minutes": 2}]},
        });
        set_template::propose_template(cx, &body(template))
    });
    let actor = world.actor("mona");
    let act: Done = Box::new(|cx| set_template::approve_template(cx, "restart", &body(json!({}))).map(drop));
    refused(world, actor, act)
}

/// Somebody attends the meeting of a board that they are not of.
fn foreign_board() -> Refused {
    let world = lead();
    let meeting = world.system(|cx| meetings::open_meeting(cx, &body(json!({"group": "cab", "title": "Tuesday"}))));
    let actor = world.actor("rita");
    let act: Done = Box::new(move |cx| meetings::attend_meeting(cx, meeting.id.as_str(), &body(json!({}))).map(drop));
    refused(world, actor, act)
}

/// Somebody decides by a token that one administrator alone lent.
fn lent_voice() -> Refused {
    let world = lead();
    let key = world.draft_at(
        "Ship",
        crate::world::ARTIFACT,
        ["2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z"],
    );
    let k = key.clone();
    world.by("rita", move |cx| {
        verbs::submit_change(cx, &k)?;
        verbs::assess_change(cx, &k, &body(json!({"dependencies_reviewed": true})))
    });
    let lent = Lent {
        maker: world.actor("nils").person,
        roles: None,
        services: None,
    };
    let actor = Actor {
        by_token: true,
        method: "token".to_owned(),
        lent: Some(lent),
        ..world.actor("olga")
    };
    let act: Done = Box::new(move |cx| {
        let digest = cx.change(&key)?.digests.content;
        let request = body(json!({"decision": "approve", "content_digest": digest}));
        approval::verbs::approve_change(cx, &key, &request).map(drop)
    });
    refused(world, actor, act)
}

/// An administrator confirms the grants of a compromised account.
fn own_suspension() -> Refused {
    let world = World::new();
    world.system(|cx| {
        let mut tenant = cx.directory()?.tenant.clone().unwrap();
        tenant.ownership_by_two = false;
        cx.put_estate("tenant.edited", tenant, json!({}))?;
        for login in ["ada", "eve", "nora"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
    world.by("eve", |cx| {
        set_person::edit_person(cx, "ada", &body(json!({"roles": ["admin", "implementer"]}))).map(drop)
    });
    world.by("nora", |cx| {
        let words = body(json!({"compromised": true, "reason": "Phished."}));
        deactivate_person::deactivate_person(cx, "eve", &words).map(drop)
    });
    let number = world
        .look(|cx| {
            let directory = cx.directory()?;
            let rows = &directory
                .by_login("eve")
                .unwrap()
                .deactivation
                .as_ref()
                .unwrap()
                .suspended;
            let ada = &directory.by_login("ada").unwrap().id;
            Ok(rows.iter().find(|row| row.person.as_ref() == Some(ada)).unwrap().number)
        })
        .unwrap();
    let actor = world.actor("ada");
    let act: Done = Box::new(move |cx| {
        let words = body(json!({"confirmed": true}));
        suspend_given::decide_suspended(cx, "eve", &number.to_string(), &words).map(drop)
    });
    refused(world, actor, act)
}

fn attempt(case: &Refused, actor: Actor) -> acts::Result<()> {
    let act = Arc::clone(&case.act);
    case.world
        .executor
        .wait(Lane::Acts, TENANT, actor, Mode::Write, move |cx| (act)(cx))
}

#[test]
fn a_refusal_by_a_rule_of_the_house_names_people_whose_act_succeeds() {
    type Story = fn() -> Refused;
    let cases: [(&str, Story); 5] = [
        ("own_request", own_suspension),
        ("own_request", own_exception),
        ("own_request", own_template),
        ("not_of_the_board", foreign_board),
        ("lent_voice", lent_voice),
    ];
    for (code, make) in cases {
        let case = make();
        let error = attempt(&case, case.actor.clone()).unwrap_err();
        let acts::Error::Refused(Refusal::NotAllowed {
            code: told, waiting_on, ..
        }) = error
        else {
            panic!("{code}: {error:?}")
        };
        assert_eq!(told, code);
        assert!(!waiting_on.is_empty(), "{code} names nobody");
        for login in waiting_on {
            // Each is tried in a world of their own, as the first success ends what there is to do.
            let case = make();
            let name: &'static str = Box::leak(login.into_boxed_str());
            let done = attempt(&case, case.world.actor(name));
            assert!(done.is_ok(), "{code} names {name}: {done:?}");
        }
    }
}

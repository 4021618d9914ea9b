//! Nobody is named whom the policies in force would refuse, also under each pack and once somebody has left; and where nobody is
//! named, the row says so and what helps.

use acts::change::verbs;
use acts::directory::{deactivate_person, set_person};
use model::change::waiting_on::Ahead;
use model::core::act::Act;
use serde_json::json;
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// The act that satisfies a row, as the product's documents say.
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

/// What is wrong with the rows of a change: people named in vain, and rows that name nobody and do not say so.
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

//! The right to write a change is checked for the new content, not only for the old.

use acts::cab::training;
use acts::change::{create_change, edit_change, set_template};
use acts::directory::set_service;
use acts::incident::set_incident;
use acts::{Context, Error, Result};
use model::core::refusal::Refusal;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// Rita is not trained for the service `cards`, which is under PCI DSS; olga is.
fn world() -> World {
    let world = World::with_pack("pci");
    world.system(|cx| {
        set_service::set_service(
            cx,
            &body(json!({"key": "cards", "criticality": "low", "regimes": ["pci_dss"]})),
        )?;
        let training = json!({
            "person": "olga", "training": "pci_dss", "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2036-01-01T00:00:00Z",
        });
        training::set_training(cx, &body(training)).map(drop)
    });
    world
}

fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    world
        .executor
        .wait(Lane::Acts, TENANT, world.actor(login), Mode::Write, act)
}

fn edited(world: &World, login: &'static str, key: &str, patch: Value) -> Option<String> {
    let key = key.to_owned();
    let answer = attempt(world, login, move |cx| {
        edit_change::edit_change(cx, &key, &body(patch.clone()))
    });
    refused(answer)
}

/// The policy that refused it.
fn refused<T: std::fmt::Debug>(answer: Result<T>) -> Option<String> {
    match answer {
        Ok(_) => None,
        Err(Error::Refused(Refusal::NotAllowed { policies, .. })) => Some(policies[0].id.clone()),
        other => panic!("{other:?}"),
    }
}

const UNTRAINED: &str = "pci.act.create_untrained";

#[test]
fn whoever_may_not_write_a_change_does_not_edit_another_into_it() {
    let world = world();
    let key = world.draft("Move booking to 4.2");
    let to_cards = json!({"services": ["cards"], "environment": "production"});
    assert_eq!(
        edited(&world, "rita", &key, to_cards.clone()).as_deref(),
        Some(UNTRAINED)
    );
    let beside = json!({"services": ["pay", "cards"], "environment": "production"});
    assert_eq!(edited(&world, "rita", &key, beside).as_deref(), Some(UNTRAINED));
    let k = key.clone();
    let change = world.look(move |cx| cx.change(&k)).unwrap();
    assert_eq!(change.content.targets[0].service.as_str(), "pay");
    assert_eq!(change.version, 1, "nothing was written");
    assert_eq!(edited(&world, "rita", &key, json!({"title": "Move it to 4.3"})), None);
    world.assert_replays();
}

#[test]
fn an_emergency_that_waits_for_no_training_does_not_become_a_normal_change_without_it() {
    let world = world();
    let incident = world.system(|cx| {
        let incident = json!({"title": "Cards are down", "severity": 1, "services": ["cards"]});
        set_incident::open_incident(cx, &body(incident))
    });
    let request = json!({
        "title": "Bring cards back", "description": "Rolls it back.", "justification": "It is down.", "category": "facility",
        "kind": "emergency", "incident": incident.key, "services": ["cards"], "environment": "production",
        "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
    });
    let key = world.by("rita", move |cx| {
        create_change::create_change(cx, &body(request.clone()), &[])
    });
    let normal = json!({"kind": "normal"});
    assert_eq!(edited(&world, "rita", &key, normal).as_deref(), Some(UNTRAINED));
    assert_eq!(
        edited(&world, "rita", &key, json!({"title": "Bring the cards back"})),
        None
    );
    world.assert_replays();
}

#[test]
fn a_standard_change_that_turns_normal_as_it_is_made_is_not_made_without_training() {
    let world = world();
    let template = json!({
        "key": "restart", "title": "Restart", "services": ["cards"],
        "locked": {"category": "application", "complexity": "low", "description": "d", "justification": "j",
            "plan": [{"title": "One"}], "rollback_plan": [{"title": "Back", "minutes": 2}]},
    });
    world.by("rita", move |cx| {
        set_template::propose_template(cx, &body(template.clone()))
    });
    for login in ["olga", "mona"] {
        world.by(login, |cx| {
            set_template::approve_template(cx, "restart", &body(json!({})))
        });
    }
    let made = |description: &str| {
        let request = body(json!({
            "kind": "standard", "template": "restart", "services": ["cards"], "environment": "production",
            "description": description,
            "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
        }));
        refused(attempt(&world, "rita", move |cx| {
            create_change::create_change(cx, &request, &[])
        }))
    };
    assert_eq!(made("d"), None, "a standard change needs no training");
    assert_eq!(made("Something else").as_deref(), Some(UNTRAINED));
    world.assert_replays();
}

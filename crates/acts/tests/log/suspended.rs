//! Every right has a source: with a compromised account go its grants, until another person confirms them.

use acts::cab::training;
use acts::change::verbs;
use acts::directory::{deactivate_person, set_person, set_service, suspend_given};
use acts::integration::set_webhook;
use acts::notify::action_items;
use model::core::enums::{AboutKind, ActionKind, ActionState, Role};
use model::directory::snapshot::Person;
use model::directory::suspension::GivenKind;
use model::notify::action_item::About;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn person(world: &World, login: &'static str) -> Person {
    world
        .look(move |cx| Ok(cx.directory()?.by_login(login).cloned().unwrap()))
        .unwrap()
}

fn decide(world: &World, login: &'static str, number: i64, confirmed: bool) -> String {
    let words: Value = json!({"confirmed": confirmed});
    let act = move |cx: &mut acts::Context<'_, '_>| {
        suspend_given::decide_suspended(cx, "eve", &number.to_string(), &body(words.clone())).map(drop)
    };
    let done = world
        .executor
        .wait(Lane::Acts, TENANT, world.actor(login), Mode::Write, act);
    done.err().map(|error| format!("{error:?}")).unwrap_or_default()
}

/// Eve, an administrator, gives a role, a membership, a row, a training, a webhook and makes an account; Ada gives the same
/// role to another.
fn given() -> World {
    let world = World::new();
    world.system(|cx| {
        let mut tenant = cx.directory()?.tenant.clone().unwrap();
        tenant.ownership_by_two = false;
        cx.put_estate("tenant.edited", tenant, json!({}))?;
        for login in ["ada", "eve", "nora"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        for login in ["bo", "cy"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["requester"]})))?;
        }
        set_person::set_group(cx, "walkers", &body(json!({"members": ["olga"]}))).map(drop)
    });
    world.by("eve", |cx| {
        set_person::edit_person(cx, "bo", &body(json!({"roles": ["requester", "implementer"]})))?;
        set_person::create_person(cx, &body(json!({"login": "puppet", "roles": ["security"]})))?;
        set_person::set_group(cx, "walkers", &body(json!({"members": ["olga", "bo"]})))?;
        set_service::set_ownership(cx, &body(json!({"role": "technical_lead", "person": "sam"})))?;
        let trained = json!({"person": "sam", "training": "pci_dss", "starts_at": "2026-11-20T08:00:00Z",
            "ends_at": "2026-12-20T08:00:00Z"});
        training::set_training(cx, &body(trained))?;
        let hook = json!({"name": "Out", "url": "https://elsewhere.example/hook", "kinds": ["change.created"]});
        set_webhook::create_webhook(cx, &body(hook)).map(drop)
    });
    world.by("ada", |cx| {
        set_person::edit_person(cx, "cy", &body(json!({"roles": ["requester", "implementer"]}))).map(drop)
    });
    world.by("ada", |cx| {
        deactivate_person::deactivate_person(cx, "eve", &body(json!({"compromised": true, "reason": "Phished."})))
            .map(drop)
    });
    world
}

#[test]
fn what_a_compromised_account_gave_is_suspended_until_another_confirms_it() {
    let world = given();
    let list = person(&world, "eve").deactivation.unwrap().suspended;
    let kinds: Vec<GivenKind> = list.iter().map(|row| row.kind).collect();
    for kind in [
        GivenKind::Person,
        GivenKind::Role,
        GivenKind::Group,
        GivenKind::Ownership,
        GivenKind::Webhook,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
    assert!(!person(&world, "puppet").active);
    assert!(!person(&world, "bo").roles.contains(&Role::Implementer));
    assert!(
        person(&world, "bo").roles.contains(&Role::Requester),
        "the system gave it"
    );
    assert!(person(&world, "cy").roles.contains(&Role::Implementer), "Ada gave it");
    let members = world.look(|cx| Ok(cx.directory()?.groups.get(&"walkers".into()).unwrap().members.len()));
    assert_eq!(members.unwrap(), 1);
    let role = list.iter().find(|row| row.kind == GivenKind::Role).unwrap().number;
    assert!(
        decide(&world, "bo", role, true).contains("NotAllowed"),
        "whoever got it confirms nothing"
    );
    assert_eq!(decide(&world, "ada", role, true), "");
    assert!(person(&world, "bo").roles.contains(&Role::Implementer), "by Ada's word");
    assert!(decide(&world, "ada", role, false).contains("decided_already"));
    let account = list.iter().find(|row| row.kind == GivenKind::Person).unwrap().number;
    assert_eq!(decide(&world, "nora", account, false), "");
    assert!(!person(&world, "puppet").active, "let go");
    world.assert_replays();
}

#[test]
fn a_training_that_it_recorded_counts_again_once_another_confirms_it() {
    let world = given();
    let is_trained = || {
        let found = world.look(|cx| {
            let now = cx.now;
            let directory = cx.directory()?;
            Ok(directory
                .trainings
                .iter()
                .any(|row| row.training == "pci_dss" && row.is_on(now)))
        });
        found.unwrap()
    };
    assert!(!is_trained(), "Eve alone recorded it");
    let list = person(&world, "eve").deactivation.unwrap().suspended;
    let row = list.iter().find(|row| row.kind == GivenKind::Training).unwrap();
    assert_eq!(row.person, Some(person(&world, "sam").id));
    assert_eq!(decide(&world, "ada", row.number, true), "");
    assert!(is_trained(), "Ada confirmed it");
    world.assert_replays();
}

/// The list is an action item of the person who deactivated the account, until everything in it is decided.
#[test]
fn the_list_is_an_action_item_until_everything_in_it_is_decided() {
    let world = given();
    let account = person(&world, "eve");
    let item = || {
        let about = About::new(AboutKind::Other, account.id.as_str());
        let found = world.look(move |cx| action_items::find(cx, ActionKind::Other, &about, "suspended"));
        found.unwrap().unwrap()
    };
    assert_eq!(item().owner, Some(person(&world, "ada").id));
    for row in &account.deactivation.as_ref().unwrap().suspended {
        assert_eq!(item().state, ActionState::Open);
        assert_eq!(decide(&world, "nora", row.number, false), "");
    }
    assert_eq!(item().state, ActionState::Done);
    world.assert_replays();
}

#[test]
fn a_right_that_another_person_gave_again_has_another_source() {
    let world = given();
    let list = person(&world, "eve").deactivation.unwrap().suspended;
    let role = list.iter().find(|row| row.kind == GivenKind::Role).unwrap().number;
    decide(&world, "ada", role, true);
    world.by("nora", |cx| {
        deactivate_person::deactivate_person(cx, "ada", &body(json!({"compromised": true, "reason": "Phished too."})))
            .map(drop)
    });
    let list = person(&world, "ada").deactivation.unwrap().suspended;
    let of = |login: &'static str| {
        let id = person(&world, login).id;
        let mine = |row: &&model::directory::suspension::Suspended| row.person.as_ref() == Some(&id);
        list.iter()
            .filter(mine)
            .filter(|row| row.kind == GivenKind::Role)
            .count()
    };
    assert_eq!((of("bo"), of("cy")), (1, 1), "Ada's word was behind both");
    assert!(!person(&world, "bo").roles.contains(&Role::Implementer));
}

/// Decisions of the accounts that it made, and of those that these made in turn, count as its own; those of accounts that
/// another made stay valid.
#[test]
fn decisions_of_accounts_that_it_made_fall_with_it() {
    let world = World::new();
    world.system(|cx| {
        let mut tenant = cx.directory()?.tenant.clone().unwrap();
        tenant.ownership_by_two = false;
        cx.put_estate("tenant.edited", tenant, json!({}))?;
        for login in ["ada", "eve"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
    world.by("eve", |cx| {
        set_person::create_person(cx, &body(json!({"login": "puppet", "roles": ["admin"]}))).map(drop)
    });
    world.by("puppet", |cx| {
        set_person::create_person(cx, &body(json!({"login": "string", "roles": ["security"]}))).map(drop)
    });
    let key = world.draft("Keys");
    let k = key.clone();
    world.by("rita", move |cx| verbs::submit_change(cx, &k));
    let k = key.clone();
    let reviewed = body(json!({"dependencies_reviewed": true}));
    world.by("rita", move |cx| verbs::assess_change(cx, &k, &reviewed));
    for login in ["string", "olga"] {
        let k = key.clone();
        world.by(login, move |cx| {
            let digest = cx.change(&k)?.digests.content;
            let words = body(json!({"decision": "approve", "content_digest": digest, "comment": "Fine."}));
            acts::approval::verbs::approve_change(cx, &k, &words)
        });
    }
    let standing = |world: &World| {
        let key = key.clone();
        let found = world.look(move |cx| {
            let file = cx.file(&key)?;
            let directory = cx.directory()?;
            Ok(file
                .standing()
                .map(|it| directory.login(&it.person))
                .collect::<Vec<_>>())
        });
        found.unwrap()
    };
    assert_eq!(standing(&world), ["string", "olga"]);
    // One of them was deactivated meanwhile, so that nobody would look at it.
    world.by("puppet", |cx| {
        deactivate_person::deactivate_person(cx, "string", &body(json!({"reason": "Done."}))).map(drop)
    });
    assert_eq!(standing(&world).len(), 2, "a lawful decision stands");
    world.by("ada", |cx| {
        deactivate_person::deactivate_person(cx, "eve", &body(json!({"compromised": true, "reason": "Phished."})))
            .map(drop)
    });
    assert_eq!(standing(&world), ["olga"]);
    assert!(!person(&world, "puppet").active);
    world.sequence();
    world.assert_replays();
}

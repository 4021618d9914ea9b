//! Whose hand a way in is: kept over each hop, and held to what its person is held to.

use acts::Room;
use model::file::{Actor, Lent};
use model::words::Noun;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// Somebody by a token that somebody else made for them.
fn lent(world: &World, login: &'static str, maker: &'static str) -> Actor {
    Actor {
        by_token: true,
        method: "token".to_owned(),
        lent: Some(Lent {
            maker: world.actor(maker).person,
            roles: None,
        }),
        ..world.actor(login)
    }
}

/// A world with two administrators, of whom one asks for changes as well.
fn world() -> World {
    let world = World::new();
    world.system(|room| {
        let nils = json!({"login": "nils", "roles": ["admin", "requester"], "email": "nils@halden.example"});
        acts::set_person::create_person(room, &body(nils))?;
        acts::set_person::create_person(room, &body(json!({"login": "kari", "roles": ["admin"]})))
    });
    world
}

/// What an act by somebody is refused with; empty when it is done.
fn refused<T: Send + 'static>(
    world: &World,
    actor: &Actor,
    act: impl Fn(&mut Room<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    let done = world.desk.wait(Lane::Acts, TENANT, actor.clone(), Mode::Write, act);
    done.map_or_else(|error| format!("{error:?}"), |_| String::new())
}

#[test]
fn what_a_borrowed_token_makes_is_its_makers_too() {
    let world = world();
    let (nils, by_kari) = (world.actor("nils").person, lent(&world, "kari", "nils"));
    let token = body(json!({"name": "x", "person": "olga"}));
    let made = world
        .desk
        .wait(Lane::Acts, TENANT, by_kari.clone(), Mode::Write, move |room| {
            acts::set_token::create_token(room, &token)
        });
    assert_eq!(made.unwrap().0.owner, nils);
    let workload = body(
        json!({"issuer": "https://ci.example", "meant_for": "assent", "person": "olga",
        "claims": {"repository": "acme/*"}}),
    );
    let set = world.desk.wait(Lane::Acts, TENANT, by_kari, Mode::Write, move |room| {
        acts::set_workload::set_workload(room, "jobs", &workload)
    });
    assert_eq!(set.unwrap().owner, nils);
}

#[test]
fn nobody_gives_themselves_anything_by_a_borrowed_account() {
    let world = world();
    let by_kari = lent(&world, "kari", "nils");
    let person = |words: Value| {
        let words = body(words);
        refused(&world, &by_kari, move |room| {
            acts::set_person::edit_person(room, "nils", &words)
        })
    };
    for words in [
        json!({"roles": ["admin", "owner"]}),
        json!({"functions": ["dba"]}),
        json!({"email": "other@halden.example"}),
    ] {
        let told = person(words.clone());
        assert!(told.contains("own_request"), "{words}: {told}");
    }
    assert_eq!(person(json!({"name": "Nils B"})), "");
    let told = refused(&world, &by_kari, |room| {
        acts::set_person::set_group(room, "security", &body(json!({"members": ["sam", "nils"]})))
    });
    assert!(told.contains("own_request"), "{told}");
    let told = refused(&world, &by_kari, |room| {
        acts::set_training::set_training(
            room,
            &body(json!({"person": "nils", "training": "pci_dss",
            "starts_at": "2026-11-20T08:00:00Z", "ends_at": "2026-12-20T08:00:00Z"})),
        )
    });
    assert!(told.contains("own_request"), "{told}");
    let told = refused(&world, &by_kari, |room| {
        acts::set_person::set_password(room, "nils", "phc")
    });
    assert!(told.contains("step_up_required"), "{told}");
    let told = refused(&world, &by_kari, |room| {
        let line = acts::import_directory::Line {
            number: 1,
            noun: Noun::People,
            fields: body(json!({"login": "nils", "roles": ["owner"]})),
        };
        acts::import_directory::import_directory(room, &[line], Default::default())
    });
    assert!(told.contains("own_request"), "{told}");
    let pass_on = body(json!({"delegate": "nils", "starts_at": "2026-11-20T08:00:00Z",
        "ends_at": "2026-12-20T08:00:00Z"}));
    let words = pass_on.clone();
    let told = refused(&world, &lent(&world, "olga", "nils"), move |room| {
        acts::set_delegation::set_delegation(room, &words)
    });
    assert!(told.contains("own_request"), "{told}");
    let told = refused(&world, &world.actor("olga"), move |room| {
        acts::set_delegation::set_delegation(room, &pass_on)
    });
    assert_eq!(told, "", "what is her own she passes on herself");
    // With an account and a token of her own, the other one does it.
    let told = refused(&world, &world.actor("kari"), |room| {
        acts::set_person::edit_person(room, "nils", &body(json!({"functions": ["dba"]})))
    });
    assert_eq!(told, "");
}

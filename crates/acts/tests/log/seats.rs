//! Group memberships and the roles beside them: no route takes one and leaves the other, and no approver is without the right.

use acts::directory::{provision, review_access, set_person, set_service};
use model::change::change_file::Actor;
use model::core::act;
use model::core::enums::{OwnershipRole, Role};
use model::core::ids::PersonId;
use model::directory::access_review::AccessReview;
use model::directory::ownership_matrix::Place;
use model::identity::provider::{ProvisionedGroup, ProvisionedPerson};
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::asked::{asked, group_id, waiting};
use crate::world::{TENANT, World, body};

const MANAGER: &str = "base.require.change_manager";
const SECURITY: &str = "base.require.security";

fn roles(world: &World, login: &'static str) -> Vec<Role> {
    let found = world.look(move |cx| Ok(cx.directory()?.by_login(login).unwrap().roles.clone()));
    found.unwrap().into_iter().collect()
}

/// The directory sends the members of a group.
fn tell(world: &World, key: &'static str, name: &str, members: &[&'static str]) {
    let told = ProvisionedGroup {
        name: name.to_owned(),
        external_id: None,
        members: members.iter().map(|login| world.actor(login).person.0).collect(),
    };
    let id = group_id(world, key);
    world.system(move |cx| provision::replace_group(cx, &id, &told).map(drop));
}

/// The directory's entry of a person: no role comes with that.
fn hire(world: &World, login: &'static str) {
    let told = ProvisionedPerson {
        login: login.to_owned(),
        name: login.to_owned(),
        active: Some(true),
        ..ProvisionedPerson::default()
    };
    world.system(move |cx| provision::create_person(cx, &told).map(drop));
}

#[test]
fn whom_the_directory_takes_out_of_a_group_that_decides_is_asked_no_more() {
    let world = World::new();
    let key = waiting(&world);
    tell(&world, "change-managers", "Change managers", &[]);
    assert_eq!(roles(&world, "mona"), []);
    assert!(asked(&world, &key, MANAGER).is_empty());
    tell(&world, "security", "Security", &[]);
    assert!(asked(&world, &key, SECURITY).is_empty());
    world.assert_replays();
}

#[test]
fn whom_the_directory_seats_among_those_who_decide_is_asked_and_may_answer() {
    let world = World::new();
    let key = waiting(&world);
    hire(&world, "zed");
    tell(&world, "change-managers", "Change managers", &["mona", "zed", "pipe"]);
    assert_eq!(roles(&world, "zed"), [Role::ChangeManager]);
    assert_eq!(roles(&world, "pipe"), [Role::Pipeline], "a program decides nothing");
    assert_eq!(asked(&world, &key, MANAGER), ["mona", "zed"]);
    world.by("zed", |cx| cx.allow(act::actions::READ));
    tell(&world, "change-managers", "Change managers", &["zed"]);
    assert_eq!(asked(&world, &key, MANAGER), ["zed"]);
    // A removed person leaves everything, and comes back with nothing.
    let id = world.actor("zed").person.0;
    world.system(move |cx| provision::remove_person(cx, &id));
    assert!(asked(&world, &key, MANAGER).is_empty());
    world.assert_replays();
}

#[test]
fn who_has_no_role_is_of_no_group_that_a_rule_asks() {
    let world = World::new();
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "otto", "roles": ["requester"]})))?;
        let otto = cx.directory()?.by_login("otto").cloned().unwrap();
        let members = body(json!({"members": ["otto"]}));
        let group = set_person::set_group(cx, "owners", &members)?;
        let row = body(json!({"service": "pay", "role": "owner", "group": "owners"}));
        set_service::set_ownership(cx, &row)?;
        set_person::edit_person(cx, &otto.login, &body(json!({"roles": []})))?;
        assert_eq!(group.members, [otto.id].into());
        Ok(())
    });
    let key = waiting(&world);
    let owner = "base.require.owner";
    assert_eq!(asked(&world, &key, owner), ["olga"], "the next line answers");
    let why = world.look(|cx| {
        let directory = cx.directory()?;
        let place = Place {
            service: &"pay".into(),
            environment: &"production".into(),
            items: &[],
        };
        let lines = directory.lines(&place, OwnershipRole::Owner, cx.now);
        Ok(lines[0].idle.iter().map(|(_, why)| why.clone()).collect::<Vec<_>>())
    });
    assert_eq!(why.unwrap(), ["the group owners has no active member with a role"]);
    // A role activates the membership at once.
    let patch = body(json!({"roles": ["requester"]}));
    world.system(move |cx| set_person::edit_person(cx, "otto", &patch).map(drop));
    assert_eq!(asked(&world, &key, owner), ["otto"]);
    world.assert_replays();
}

#[test]
fn nobody_without_a_role_takes_an_owners_place() {
    let world = World::new();
    hire(&world, "zed");
    let row = body(json!({"service": "pay", "role": "owner", "person": "zed"}));
    let actor = Actor::system();
    let act = move |cx: &mut acts::Context<'_, '_>| set_service::set_ownership(cx, &row).map(drop);
    let refused = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    let refused = format!("{:?}", refused.err());
    assert!(
        refused.contains("may_not_hold") && refused.contains("Give them a role first"),
        "{refused}"
    );
    // Nor does a person who lost their last role after they got the part.
    world.system(|cx| {
        let patch = body(json!({"roles": ["requester"]}));
        set_person::edit_person(cx, "zed", &patch)?;
        set_service::set_ownership(cx, &body(json!({"service": "pay", "role": "owner", "person": "zed"})))?;
        set_person::edit_person(cx, "zed", &body(json!({"roles": []}))).map(drop)
    });
    let key = waiting(&world);
    assert_eq!(asked(&world, &key, "base.require.owner"), ["olga"]);
    world.assert_replays();
}

#[test]
fn a_seat_that_a_review_of_access_refuses_takes_the_role_with_it() {
    let world = World::new();
    let key = waiting(&world);
    world.system(|cx| {
        for login in ["kari", "kurt"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
    world.by("kari", |cx| review_access::begin_review(cx, &body(json!({}))).map(drop));
    let mona: PersonId = world.actor("mona").person;
    let parts = world.look(|cx| Ok(record::bodies::<AccessReview>(cx.tx, &Filter::new().order_by("id"))?));
    let seat = |part: &AccessReview| {
        let of_mona = part.rights.iter().find(|it| it.kind == "group" && it.person == mona);
        of_mona.map(|right| (part.id.0.clone(), part.manager.clone(), right.row))
    };
    let (part, manager, row) = parts.unwrap().iter().find_map(seat).unwrap();
    let actor = Actor {
        person: manager,
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor("kari")
    };
    let refusal = body(json!({"refused": [row], "reason": "Moved on."}));
    let sign = move |cx: &mut acts::Context<'_, '_>| review_access::sign_review(cx, &part, &refusal).map(drop);
    world
        .executor
        .wait(Lane::Acts, TENANT, actor, Mode::Write, sign)
        .unwrap();
    assert_eq!(roles(&world, "mona"), []);
    assert!(asked(&world, &key, MANAGER).is_empty());
    world.assert_replays();
}

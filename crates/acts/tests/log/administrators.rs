//! The last administrator's right stays, against each of these: a manager who signs a review of access, an identity provider
//! whose token names no group any more, the provisioning directory.

use acts::Context;
use acts::directory::{provision, review_access, set_person};
use acts::identity::provision_at_sign_in::meet_person;
use jiff::SignedDuration;
use model::change::change_file::Actor;
use model::change::related_records::Message;
use model::core::enums::Role;
use model::core::ids::RecordId;
use model::directory::access_review::AccessReview;
use model::directory::snapshot;
use model::identity::provider::{Claimed, IdentityProvider, ProvisionedPerson};
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn with_adam() -> World {
    let world = World::new();
    make(&world, "adam");
    world
}

fn make(world: &World, login: &'static str) {
    world.system(move |cx| set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]}))).map(drop));
}

fn is_administrator(world: &World, login: &'static str) -> bool {
    let look = move |cx: &mut Context<'_, '_>| Ok(cx.directory()?.by_login(login).cloned());
    let person = world.look(look).unwrap().unwrap();
    person.active && person.roles.contains(&Role::Admin)
}

/// The manager's signature under every part that needs it, with everything refused that a person has as administrator.
fn refuse_administrators(world: &World, manager: &'static str) -> std::result::Result<(), String> {
    let person = world.actor(manager).person;
    let mine = Filter::new().equals("is_open", true).order_by("id");
    let parts = world.look(move |cx| Ok(record::find::<AccessReview>(cx.tx, &mine)?));
    for part in parts.unwrap().into_iter().map(|it| it.record) {
        if part.manager != person {
            continue;
        }
        let rows: Vec<i64> = part
            .rights
            .iter()
            .filter(|it| it.kind == "role" && it.what == "admin")
            .map(|it| it.row)
            .collect();
        let signature = body(json!({"refused": rows, "reason": "Nobody needs it."}));
        let actor = Actor {
            stepped_up_at: Some(world.executor.tools().clock.now()),
            ..world.actor(manager)
        };
        let sign =
            move |cx: &mut Context<'_, '_>| review_access::sign_review(cx, part.id.as_str(), &signature).map(drop);
        let signed = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, sign);
        signed.map_err(|error| format!("{error:?}"))?;
    }
    Ok(())
}

#[test]
fn a_review_of_access_leaves_the_last_administrator_and_takes_the_last_but_one() {
    let world = with_adam();
    // Where two people are needed, none takes the right of the last but one: `two_people` covers it.
    crate::by_two::by_two(&world, "adam", json!({"by_two": false, "reason": "We are few."}));
    make(&world, "berta");
    world.by("adam", |cx| review_access::begin_review(cx, &body(json!({}))).map(drop));
    // Adam looks at Berta's rights; at his somebody else does, for nobody looks at their own.
    refuse_administrators(&world, "adam").unwrap();
    assert!(!is_administrator(&world, "berta"));
    let signed = ["mona", "berta"].map(|manager| refuse_administrators(&world, manager).err());
    let told: Vec<String> = signed.into_iter().flatten().collect();
    assert!(
        matches!(&told[..], [told] if told.contains("last_administrator")),
        "{told:?}"
    );
    assert!(is_administrator(&world, "adam"));
    // A refused act is not half done: the part waits for another signature.
    let open = world.look(|cx| {
        Ok(record::count::<AccessReview>(
            cx.tx,
            &Filter::new().equals("is_open", true),
        )?)
    });
    assert_eq!(open.unwrap(), 1);
    world.assert_replays();
}

#[test]
fn one_signature_never_takes_all_administrators_at_once() {
    let world = with_adam();
    // Where two people are needed, none takes the right of the last but one: `two_people` covers it.
    crate::by_two::by_two(&world, "adam", json!({"by_two": false, "reason": "We are few."}));
    make(&world, "berta");
    // Mona is the manager of both, by the directory.
    let mona = world.actor("mona").person;
    world.system(move |cx| {
        for login in ["adam", "berta"] {
            let person = cx.directory()?.by_login(login).cloned().unwrap();
            let told = json!({"manager": {"value": mona}}).to_string();
            let attributes = vec![(
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".to_owned(),
                told,
            )];
            cx.put_estate("person.edited", snapshot::Person { attributes, ..person }, json!({}))?;
        }
        Ok(())
    });
    world.by("adam", |cx| review_access::begin_review(cx, &body(json!({}))).map(drop));
    let told = refuse_administrators(&world, "mona").expect_err("both rights were taken");
    assert!(told.contains("last_administrator"), "{told}");
    assert!(is_administrator(&world, "adam") && is_administrator(&world, "berta"));
    world.assert_replays();
}

fn provider() -> IdentityProvider {
    IdentityProvider {
        id: RecordId::from("provider-1"),
        version: 0,
        key: "corp".to_owned(),
        name: "Halden ID".to_owned(),
        issuer: "https://id.example".to_owned(),
        client_id: "assent".to_owned(),
        has_secret: false,
        scopes: Vec::new(),
        login_claim: "preferred_username".to_owned(),
        groups_claim: Some("groups".to_owned()),
        groups: [("boards".to_owned(), "security".into())].into(),
        roles: [("admins".to_owned(), Role::Admin), ("owners".to_owned(), Role::Owner)].into(),
        rights_last_days: 90,
        creates_people: true,
        trusts_mail: true,
        active: true,
        set_by: None,
        set_at: None,
    }
}

/// Somebody signs in, and the provider's token names these groups.
fn sign_in(world: &World, login: &'static str, groups: &[&str]) {
    let claimed = Claimed {
        subject: format!("https://id.example {login}"),
        login: Some(login.to_owned()),
        name: None,
        mail: Some(format!("{login}@halden.example")),
        mail_is_verified: true,
        groups: Some(groups.iter().map(|it| (*it).to_owned()).collect()),
    };
    world.system(move |cx| meet_person(cx, &provider(), &claimed).map(drop));
}

#[test]
fn a_provider_that_names_no_group_any_more_leaves_the_last_administrator() {
    let world = World::new();
    sign_in(&world, "anna", &["admins", "owners", "boards"]);
    sign_in(&world, "bert", &["admins"]);
    sign_in(&world, "anna", &[]);
    assert!(!is_administrator(&world, "anna"));
    sign_in(&world, "bert", &["owners"]);
    assert!(is_administrator(&world, "bert"), "the last one stays");
    let look = |cx: &mut Context<'_, '_>| Ok(cx.directory()?.by_login("bert").cloned().unwrap().roles);
    assert!(
        world.look(look).unwrap().contains(&Role::Owner),
        "all else that the provider says holds"
    );
    // Once another has the right, the provider's claim about it counts again.
    sign_in(&world, "anna", &["admins"]);
    sign_in(&world, "bert", &["owners"]);
    assert!(!is_administrator(&world, "bert") && is_administrator(&world, "anna"));
    world.assert_replays();
}

fn told(login: &str, active: bool) -> ProvisionedPerson {
    ProvisionedPerson {
        login: login.to_owned(),
        name: "Adam of the directory".to_owned(),
        active: Some(active),
        // A directory with rights gets no rights back: they are given here.
        attributes: vec![("roles".to_owned(), json!([{"value": "requester"}]).to_string())],
        ..ProvisionedPerson::default()
    }
}

#[test]
fn the_provisioning_directory_edits_nobodys_right_and_an_end_of_the_last_one_is_told() {
    let world = with_adam();
    let id = world.actor("adam").person.0;
    let replace = |active: bool| {
        let id = id.clone();
        world.system(move |cx| provision::replace_person(cx, &id, &told("adam", active)).map(drop));
    };
    replace(true);
    assert!(is_administrator(&world, "adam"));
    let messages = || {
        let found = world.look(|cx| Ok(record::find::<Message>(cx.tx, &Filter::new().order_by("id"))?));
        let found = found
            .unwrap()
            .into_iter()
            .filter(|it| it.record.topic == "no_administrator");
        found.count()
    };
    assert_eq!(messages(), 0);
    // A leaver must not stay in, so this end counts; Mona, who runs the process, hears of it once.
    replace(false);
    replace(false);
    assert_eq!(messages(), 1);
    // A returning person has their earlier rights.
    *world.clock.0.lock().unwrap() += SignedDuration::from_hours(1);
    replace(true);
    assert!(is_administrator(&world, "adam"));
    let gone = id.clone();
    world.system(move |cx| provision::remove_person(cx, &gone));
    assert_eq!(messages(), 2);
    world.assert_replays();
}

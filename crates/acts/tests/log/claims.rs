//! The rights from an identity provider, beside those given here: no outside party gives back a right that was refused here,
//! and a claim's right ends where no sign-in confirms it.

use acts::core::providers;
use acts::directory::{import_directory, provision, review_access, set_person};
use acts::identity::{provision_at_sign_in, set_identity_provider};
use model::change::change_file::Actor;
use model::change::related_records::Message;
use model::core::enums::{self, Role};
use model::directory::access_review::AccessReview;
use model::directory::records;
use model::directory::snapshot::Person;
use model::identity::provider::{Claimed, ProvisionedGroup};
use serde_json::{Value, json};
use store::queue::timer;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::asked::{asked, group_id, waiting};
use crate::reviewing::{go_to, work};
use crate::world::{TENANT, World, body};

const MANAGER: &str = "base.require.change_manager";

fn provider() -> Value {
    json!({
        "name": "Halden ID", "issuer": "https://id.example", "client_id": "assent", "groups_claim": "groups",
        "groups": {"sec": "security"}, "roles": {"cm": "change_manager", "own": "owner"}, "creates_people": true,
    })
}

fn with_provider() -> World {
    let world = World::new();
    set_provider(&world, provider());
    world.system(|cx| {
        for login in ["adam", "berta"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
    world
}

fn set_provider(world: &World, told: Value) {
    world.system(move |cx| set_identity_provider::set_identity_provider(cx, "corp", &body(told.clone())).map(drop));
}

fn sign_in(world: &World, login: &'static str, groups: &[&str]) {
    let claimed = Claimed {
        subject: format!("https://id.example {login}"),
        login: Some(login.to_owned()),
        name: None,
        mail: None,
        mail_is_verified: false,
        groups: Some(groups.iter().map(|it| (*it).to_owned()).collect()),
    };
    world.system(move |cx| {
        let provider = providers::provider(cx, "corp")?;
        provision_at_sign_in::meet_person(cx, &provider, &claimed).map(drop)
    });
}

fn person(world: &World, login: &'static str) -> Person {
    let found = world.look(move |cx| Ok(cx.directory()?.by_login(login).cloned()));
    found.unwrap().unwrap()
}

fn sits(world: &World, login: &'static str) -> bool {
    let id = person(world, login).id;
    let found = world.look(move |cx| Ok(cx.directory()?.groups.get(&"security".into()).cloned()));
    found.unwrap().unwrap().members.contains(&id)
}

fn edit(world: &World, login: &'static str, patch: Value) {
    world.system(move |cx| set_person::edit_person(cx, login, &body(patch.clone())).map(drop));
}

/// A review in which this right's reviewer refuses it.
fn refuse(world: &World, login: &'static str, (kind, what): (&'static str, &'static str)) {
    let open = |cx: &mut acts::Context<'_, '_>| {
        let filter = Filter::new().equals("is_open", true).order_by("id");
        Ok(record::bodies::<AccessReview>(cx.tx, &filter)?)
    };
    if world.look(open).unwrap().is_empty() {
        world.by("adam", |cx| review_access::begin_review(cx, &body(json!({}))).map(drop));
    }
    let id = person(world, login).id;
    let found = world.look(open).unwrap().into_iter().find_map(|part| {
        let mut rights = part.rights.iter();
        let right = rights.find(|it| it.person == id && it.kind == kind && it.what == what)?;
        Some((part.id.0.clone(), part.manager.clone(), right.row))
    });
    let (part, manager, row) = found.unwrap();
    let actor = Actor {
        person: manager,
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor("adam")
    };
    let refusal = body(json!({"refused": [row], "reason": "Moved on."}));
    let sign = move |cx: &mut acts::Context<'_, '_>| review_access::sign_review(cx, &part, &refusal).map(drop);
    world
        .executor
        .wait(Lane::Acts, TENANT, actor, Mode::Write, sign)
        .unwrap();
}

#[test]
fn what_a_review_refuses_no_sign_in_gives_back_until_somebody_here_gives_it() {
    let world = with_provider();
    let key = waiting(&world);
    sign_in(&world, "anna", &["cm", "own"]);
    assert_eq!(asked(&world, &key, MANAGER), ["anna", "mona"]);
    refuse(&world, "anna", ("role", "change_manager"));
    sign_in(&world, "anna", &["cm", "own"]);
    let anna = person(&world, "anna");
    assert_eq!(anna.roles, [Role::Owner].into(), "what is not refused stays");
    assert_eq!(asked(&world, &key, MANAGER), ["mona"]);
    let refused = anna
        .refused_rights
        .iter()
        .map(|it| it.what.as_str())
        .collect::<Vec<_>>();
    assert_eq!(
        refused,
        ["change_manager", "change-managers"],
        "the seat beside the role as well"
    );
    assert!(anna.refused_rights.iter().all(|it| it.review.is_some()));
    // A grant here lifts the refusal, and the provider's claim counts again.
    edit(&world, "anna", json!({"roles": ["owner", "change_manager"]}));
    assert_eq!(person(&world, "anna").refused_rights, []);
    sign_in(&world, "anna", &["own"]);
    sign_in(&world, "anna", &["cm", "own"]);
    assert_eq!(asked(&world, &key, MANAGER), ["anna", "mona"]);
    world.assert_replays();
}

#[test]
fn a_seat_that_is_refused_comes_back_neither_by_a_claim_nor_by_the_directory() {
    let world = with_provider();
    sign_in(&world, "anna", &["sec"]);
    assert!(sits(&world, "anna"));
    refuse(&world, "anna", ("group", "security"));
    sign_in(&world, "anna", &["sec"]);
    assert!(!sits(&world, "anna"));
    // The directory sends the whole group again; all others get their membership.
    let told = ProvisionedGroup {
        name: "Security".to_owned(),
        external_id: None,
        members: ["sam", "anna", "ivo"].map(|login| world.actor(login).person.0).into(),
    };
    let id = group_id(&world, "security");
    world.system(move |cx| provision::replace_group(cx, &id, &told).map(drop));
    assert!(!sits(&world, "anna") && sits(&world, "ivo"));
    assert!(person(&world, "anna").roles.is_empty());
    // An administrator makes her a member: then the claims of the others count again.
    let seated = |members: Value| {
        world.by("adam", move |cx| {
            set_person::set_group(cx, "security", &body(json!({"members": members}))).map(drop)
        });
    };
    crate::by_two::by_two(&world, "adam", json!({"by_two": false, "reason": "We are few."}));
    seated(json!(["sam", "anna", "ivo"]));
    assert!(sits(&world, "anna"));
    assert!(!person(&world, "anna").is_refused(records::Given::Group, "security"));
    sign_in(&world, "anna", &[]);
    sign_in(&world, "anna", &["sec"]);
    assert!(sits(&world, "anna"));
    world.assert_replays();
}

#[test]
fn what_an_administrator_takes_away_stays_away_where_a_provider_would_give_it_back() {
    let world = with_provider();
    sign_in(&world, "anna", &["own", "sec"]);
    edit(&world, "anna", json!({"roles": []}));
    world.system(|cx| set_person::set_group(cx, "security", &body(json!({"members": ["sam"]}))).map(drop));
    sign_in(&world, "anna", &["own", "sec"]);
    let anna = person(&world, "anna");
    assert!(anna.roles.is_empty() && !sits(&world, "anna"), "{anna:?}");
    // By a file it is the same, both ways; and a right without a provider needs no note.
    let line = |fields: Value| import_directory::Line {
        number: 2,
        is_row: false,
        noun: enums::Noun::People,
        fields: body(fields),
    };
    let lines = [
        line(json!({"login": "anna", "roles": ["owner"]})),
        line(json!({"login": "ivo", "roles": []})),
    ];
    world.system(move |cx| import_directory::import_directory(cx, &lines, Default::default()).map(drop));
    assert!(!person(&world, "anna").is_refused(records::Given::Role, "owner"));
    assert_eq!(person(&world, "ivo").refused_rights, []);
    sign_in(&world, "anna", &["own"]);
    assert_eq!(person(&world, "anna").roles, [Role::Owner].into());
    world.assert_replays();
}

/// A role from a claim is in no group, and an act without it makes nobody a member.
#[test]
fn an_edit_of_a_name_seats_nobody_whose_role_a_provider_gave() {
    let world = with_provider();
    sign_in(&world, "anna", &["cm"]);
    assert_eq!(person(&world, "anna").roles, [Role::ChangeManager].into());
    let managers = || {
        let found = world.look(|cx| Ok(cx.directory()?.groups.get(&"change-managers".into()).cloned()));
        let id = person(&world, "anna").id;
        found.unwrap().is_some_and(|group| group.members.contains(&id))
    };
    edit(&world, "anna", json!({"name": "Anna Berg"}));
    world.system(|cx| {
        let line = import_directory::Line {
            number: 1,
            is_row: false,
            noun: enums::Noun::People,
            fields: body(json!({"login": "anna", "name": "Anna B."})),
        };
        import_directory::import_directory(cx, &[line], Default::default()).map(drop)
    });
    assert!(!managers());
    edit(&world, "anna", json!({"active": false}));
    edit(&world, "anna", json!({"active": true}));
    assert!(managers(), "who comes back with the role is seated as before");
    world.assert_replays();
}

fn letters(world: &World, login: &'static str) -> Vec<String> {
    let id = person(world, login).id;
    let found = world.look(move |cx| {
        let all = record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?;
        Ok(all
            .into_iter()
            .filter(|it| it.person == id && it.topic == "rights_end")
            .collect::<Vec<_>>())
    });
    found.unwrap().into_iter().map(|it| it.subject).collect()
}

#[test]
fn what_a_claim_gives_ends_where_no_sign_in_confirms_it_and_comes_back_with_the_next() {
    let world = with_provider();
    let key = waiting(&world);
    sign_in(&world, "anna", &["cm", "sec"]);
    sign_in(&world, "bert", &["cm"]);
    go_to(&world, "2026-12-20T08:00:00Z");
    sign_in(&world, "bert", &["cm"]);
    go_to(&world, "2027-02-11T07:59:59Z");
    work(&world);
    assert_eq!(letters(&world, "anna"), Vec::<String>::new());
    go_to(&world, "2027-02-11T08:00:01Z");
    work(&world);
    work(&world);
    assert_eq!(letters(&world, "anna"), ["Your rights end soon"]);
    assert_eq!(asked(&world, &key, MANAGER), ["anna", "bert", "mona"]);
    go_to(&world, "2027-02-18T08:00:01Z");
    work(&world);
    work(&world);
    assert_eq!(
        letters(&world, "anna"),
        ["Your rights end soon", "Your rights have ended"]
    );
    let anna = person(&world, "anna");
    assert!(anna.roles.is_empty() && !sits(&world, "anna"), "{anna:?}");
    // A person who signed in since then is an approver as before.
    assert_eq!(asked(&world, &key, MANAGER), ["bert", "mona"]);
    sign_in(&world, "anna", &["cm", "sec"]);
    assert_eq!(asked(&world, &key, MANAGER), ["anna", "bert", "mona"]);
    assert!(sits(&world, "anna"));
    world.assert_replays();
}

#[test]
fn what_a_claim_gave_ends_after_the_time_of_its_provider_though_the_timer_was_lost() {
    let world = with_provider();
    set_provider(&world, {
        let mut told = provider();
        told["rights_last_days"] = json!(10);
        told
    });
    sign_in(&world, "anna", &["cm"]);
    world.system(|cx| {
        let provider = providers::provider(cx, "corp")?;
        timer::cancel(cx.tx, "identity_provider", provider.id.as_str(), "unconfirmed")?;
        Ok(())
    });
    work(&world);
    go_to(&world, "2026-11-29T08:00:00Z");
    work(&world);
    assert_eq!(person(&world, "anna").roles, [Role::ChangeManager].into());
    go_to(&world, "2026-11-30T08:00:01Z");
    work(&world);
    assert!(person(&world, "anna").roles.is_empty());
    // A later grant by an administrator is no claim of the provider's.
    edit(&world, "anna", json!({"roles": ["owner"]}));
    go_to(&world, "2027-11-30T08:00:01Z");
    work(&world);
    assert_eq!(person(&world, "anna").roles, [Role::Owner].into());
    world.assert_replays();
}

#[test]
fn a_right_that_the_provider_maps_ends_too_where_a_person_gave_it_by_hand() {
    let world = with_provider();
    sign_in(&world, "anna", &[]);
    edit(&world, "anna", json!({"roles": ["change_manager"]}));
    work(&world);
    assert_eq!(person(&world, "anna").roles, [Role::ChangeManager].into());
    go_to(&world, "2027-02-19T08:00:01Z");
    work(&world);
    work(&world);
    assert!(person(&world, "anna").roles.is_empty());
    world.assert_replays();
}

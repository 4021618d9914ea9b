//! One mail address is one person, however it is known: the main one, an alias, a second one from a directory. A person deleted
//! by a directory has none any more.

use acts::Context;
use acts::core::providers;
use acts::directory::import_directory::{Options, import_directory};
use acts::directory::{provision, set_person};
use acts::identity::{provision_at_sign_in, set_identity_provider};
use model::change::change_file::Actor;
use model::core::enums::Noun;
use model::core::ids::PersonId;
use model::directory::snapshot::Person;
use model::gate::committers;
use model::identity::provider::{Claimed, ProvisionedPerson};
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

const ALIAS: &str = "rita@home.example";
const SECOND: &str = "rita@second.example";
const MAIN: &str = "rita@halden.example";

/// Rita with an address of each kind, and a provider that makes people.
fn world() -> World {
    let world = World::new();
    world.system(|cx| {
        let provider =
            json!({"name": "Corp", "issuer": "https://id.example", "client_id": "assent", "creates_people": true});
        set_identity_provider::set_identity_provider(cx, "corp", &body(provider))?;
        let rita = cx.directory()?.by_login("rita").unwrap().id.clone();
        provision::replace_person(cx, rita.as_str(), &told("rita", MAIN, &[MAIN, SECOND]))?;
        let alias = json!({"accounts": [format!("mail:{ALIAS}")]});
        set_person::edit_person(cx, "rita", &body(alias)).map(drop)
    });
    world
}

/// A directory's entry of a person: where mail goes, and all of their addresses.
fn told(login: &str, mail: &str, all: &[&str]) -> ProvisionedPerson {
    let all: Vec<_> = all.iter().map(|mail| json!({"value": mail})).collect();
    ProvisionedPerson {
        login: login.to_owned(),
        name: login.to_owned(),
        email: Some(mail.to_owned()),
        active: Some(true),
        attributes: vec![("emails".to_owned(), json!(all).to_string())],
        ..ProvisionedPerson::default()
    }
}

fn act<T: Send + 'static>(
    world: &World,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> Result<T, String> {
    let done = world
        .executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act);
    done.map_err(|error| format!("{error:?}"))
}

fn sign_in(world: &World, login: &str, mail: &str, is_verified: bool) -> Result<String, String> {
    let claimed = Claimed {
        subject: format!("https://id.example {login}"),
        login: Some(login.to_owned()),
        name: None,
        mail: Some(mail.to_owned()),
        mail_is_verified: is_verified,
        groups: None,
    };
    act(world, move |cx| {
        let provider = providers::provider(cx, "corp")?;
        let person = provision_at_sign_in::meet_person(cx, &provider, &claimed)?;
        Ok(cx.directory()?.login(&person))
    })
}

fn person(world: &World, login: &'static str) -> Option<Person> {
    let found = world.look(move |cx| Ok(cx.directory()?.by_login(login).cloned()));
    found.unwrap()
}

#[test]
fn an_address_of_somebody_in_another_way_makes_no_second_person() {
    let world = world();
    for other in [ALIAS, SECOND] {
        let refused = sign_in(&world, "eve", other, true).unwrap_err();
        assert!(
            refused.contains("other_account") && refused.contains("of rita"),
            "{refused}"
        );
    }
    for unverified in [ALIAS, SECOND, MAIN] {
        let refused = sign_in(&world, "eve", unverified, false).unwrap_err();
        assert!(refused.contains("address_not_verified"), "{refused}");
        assert!(
            !refused.contains("of rita"),
            "nobody has shown that it is theirs: {refused}"
        );
    }
    assert!(person(&world, "eve").is_none());
    assert_eq!(sign_in(&world, "eve", MAIN, true).unwrap(), "rita");
    assert_eq!(sign_in(&world, "nora", "nora@halden.example", false).unwrap(), "nora");
    world.assert_replays();
}

#[test]
fn nobody_is_given_an_address_that_is_anothers_second_one() {
    let world = world();
    let made = act(&world, |cx| {
        provision::create_person(cx, &told("eve", "Rita@second.example", &[]))
    });
    assert!(made.unwrap_err().contains("not_unique"));
    let made = act(&world, |cx| {
        set_person::create_person(cx, &body(json!({"login": "eve", "email": SECOND})))
    });
    assert!(made.unwrap_err().contains("not_unique"));
    // Several may share a second one: where a shared box is reported, nobody signs in by it.
    act(&world, |cx| {
        provision::create_person(cx, &told("eve", "eve@halden.example", &["eve@halden.example", SECOND]))
    })
    .unwrap();
    let rita = person(&world, "rita").unwrap();
    act(&world, move |cx| {
        provision::replace_person(cx, rita.id.as_str(), &told("rita", MAIN, &[MAIN, SECOND]))
    })
    .unwrap();
    world.assert_replays();
}

#[test]
fn an_address_of_a_deleted_user_is_free_for_the_next_and_brings_nothing_along() {
    let world = world();
    let rita = person(&world, "rita").unwrap();
    let id = rita.id.clone();
    act(&world, move |cx| provision::remove_person(cx, id.as_str())).unwrap();
    let refused = sign_in(&world, "eve", MAIN, true).unwrap_err();
    assert!(
        refused.contains("account_ended"),
        "a provider puts nobody back whom the directory deleted: {refused}"
    );
    let next = act(&world, |cx| {
        provision::create_person(cx, &told("rita.berg", MAIN, &[MAIN, ALIAS]))
    })
    .unwrap();
    assert!(next.id != rita.id && next.roles.is_empty() && next.accounts.is_empty());
    act(&world, |cx| {
        let accounts = json!({"accounts": [format!("mail:{ALIAS}")]});
        set_person::edit_person(cx, "rita.berg", &body(accounts))
    })
    .unwrap();
    assert_eq!(sign_in(&world, "anybody", MAIN, true).unwrap(), "rita.berg");
    let made = |mail: &str| committers::Committer {
        login: None,
        email: Some(mail.to_owned()),
        name: None,
    };
    let pushed = committers::Pushed {
        told: [made(MAIN), made(ALIAS)].into(),
        ..committers::Pushed::default()
    };
    let found = world.look(move |cx| Ok(committers::resolve(&*cx.directory()?, pushed.clone())));
    assert_eq!(
        found.unwrap().people,
        [next.id.clone()].into(),
        "its commits are the new one's"
    );
    // A returning person does not take it with them.
    let back = act(&world, |cx| provision::create_person(cx, &told("rita", MAIN, &[])));
    assert!(back.unwrap_err().contains("not_unique"));
    let back = act(&world, |cx| {
        provision::create_person(cx, &told("rita", "rita@new.example", &[]))
    })
    .unwrap();
    assert_eq!((back.id, back.accounts.len()), (rita.id, 0));
    world.assert_replays();
}

#[test]
fn nobody_is_renamed_to_the_login_of_a_deleted_user_or_to_one_that_deceives() {
    let world = world();
    let [rita, sam] = ["rita", "sam"].map(|login| person(&world, login).unwrap().id);
    act(&world, move |cx| provision::remove_person(cx, rita.as_str())).unwrap();
    let rename = |login: &'static str| {
        let sam = sam.clone();
        act(&world, move |cx| {
            provision::replace_person(cx, sam.as_str(), &told(login, "sam@halden.example", &[]))
        })
    };
    let refused = rename("rita").unwrap_err();
    assert!(
        refused.contains("not_unique") && refused.contains("the log speaks of them"),
        "{refused}"
    );
    for deceiving in ["s\u{200b}am", "s\u{0430}m", "..", "sam\u{202e}", "sam berg", "system"] {
        let refused = rename(deceiving).unwrap_err();
        assert!(refused.contains("not_a_login"), "{deceiving:?}: {refused}");
    }
    assert_eq!(rename("sam.berg").unwrap().login, "sam.berg");
    world.assert_replays();
}

#[test]
fn nobody_new_has_the_login_of_assent_itself_and_whoever_has_it_keeps_it() {
    let world = crate::by_two::alone();
    let import = |fields: Value| {
        let line = crate::by_two::lines(&[(Noun::People, fields)]);
        crate::by_two::attempt(&world, "ada", move |cx| {
            import_directory(cx, &line, Options::default()).map(drop)
        })
    };
    let refused = import(json!({"login": "System", "name": "Sy"}));
    assert_eq!(crate::by_two::code(refused), "not_a_login");
    // An earlier version made one.
    let id = person(&world, "ada").unwrap().id;
    world.system(move |cx| {
        let found = cx.directory()?.people.get(&id).cloned().unwrap();
        let earlier = Person {
            id: PersonId(cx.new_id()?),
            version: 0,
            login: "system".to_owned(),
            name: "Sy".to_owned(),
            roles: std::collections::BTreeSet::new(),
            ..found
        };
        cx.put_estate("person.created", earlier, json!({}))
    });
    import(json!({"login": "system", "name": "Sybil"})).unwrap();
    let edited = world.system(|cx| set_person::edit_person(cx, "system", &body(json!({"email": "sy@halden.example"}))));
    assert_eq!(edited.name, "Sybil");
    world.assert_replays();
}

//! The person who moves another's mail address, by which they sign in at a provider.

use acts::directory::import_directory::{Options, import_directory};
use acts::directory::{provision, set_person};
use acts::guard::impersonation;
use acts::identity::set_identity_provider;
use model::change::related_records::Message;
use model::core::enums::Noun;
use model::core::ids::PersonId;
use model::identity::provider::ProvisionedPerson;
use serde_json::json;
use store::queue::job;
use store::record::{self, Filter};

use crate::by_two::{alone, attempt, by_two, code, lines};
use crate::two_people::{edit, two};
use crate::world::{World, body};

/// The holder of an approver's address signs in as them at a provider.
#[test]
fn nobody_moves_somebodys_address_alone() {
    let world = two();
    let moved = json!({"email": "attacker@halden.example", "accounts": ["github:olga", "mail:olga@halden.example"]});
    for login in ["olga", "ada", "adam"] {
        assert_eq!(
            edit(&world, "ada", login, moved.clone()),
            "two_people_needed",
            "{login}"
        );
    }
    let line = lines(&[(
        Noun::People,
        json!({"login": "olga", "email": "attacker@halden.example"}),
    )]);
    let brought = attempt(&world, "ada", move |cx| import_directory(cx, &line, Options::default()));
    assert_eq!(code(brought), "two_people_needed");
    // One person sets the first address of a person without approvals, and other letters of the same one.
    assert_eq!(
        edit(&world, "ada", "rita", json!({"email": "rita@halden.example"})),
        "done"
    );
    assert_eq!(
        edit(&world, "ada", "rita", json!({"email": "Rita@Halden.example"})),
        "done"
    );
    let wanted = json!({"people": [{"login": "olga", "email": "olga@halden.example"}], "reason": "She has one now."});
    by_two(&world, "ada", wanted);
    world.sequence();
    world.assert_replays();
}

#[test]
fn whose_address_is_changed_is_told_where_mail_went_before() {
    let world = alone();
    let words = |mail: &str| json!({"email": mail, "accounts": ["mail:olga@halden.example"]});
    assert_eq!(
        edit(&world, "ada", "olga", json!({"email": "olga@halden.example"})),
        "done"
    );
    assert_eq!(edit(&world, "ada", "olga", words("attacker@halden.example")), "done");
    assert_eq!(
        edit(&world, "ada", "olga", words("attacker@halden.example")),
        "done",
        "again"
    );
    let jobs = world.look(|cx| Ok(job::list(cx.tx, "waiting", 100)?));
    let addresses: Vec<String> = jobs
        .unwrap()
        .into_iter()
        .filter(|job| job.kind == "mail")
        .map(|job| job.payload)
        .collect();
    assert_eq!(addresses, ["", "olga@halden.example"]);
    let olga = world.actor("olga").person;
    let told = world.look(move |cx| {
        let all = record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?;
        Ok(all.into_iter().filter(|it| it.person == olga).collect::<Vec<_>>())
    });
    let told = told.unwrap();
    assert_eq!(told.len(), 2);
    assert!(
        told[1].text.contains("ada changed your mail address"),
        "{}",
        told[1].text
    );
    world.sequence();
    world.assert_replays();
}

/// The recorded maker of a person's sign-in by the provider `corp`, which the host set.
fn handed(world: &World, login: &'static str) -> Option<PersonId> {
    let person = world.actor(login).person;
    let found = world.look(move |cx| impersonation::credential_setter(cx, &person, "provider:corp"));
    found.unwrap()
}

fn with_provider(world: &World) {
    world.system(|cx| {
        let told = json!({"name": "Halden ID", "issuer": "https://id.example", "client_id": "assent"});
        set_identity_provider::set_identity_provider(cx, "corp", &body(told)).map(drop)
    });
    // Its first day is over, on which its maker is responsible for all sign-ins by it.
    world.pass_seconds(2 * 24 * 60 * 60);
}

#[test]
fn whoever_moved_an_address_alone_answers_for_a_day_for_who_comes_by_it() {
    let world = alone();
    with_provider(&world);
    let words = |mail: &str| json!({"email": mail, "accounts": ["mail:olga@halden.example"]});
    edit(&world, "ada", "olga", words("olga@halden.example"));
    world.pass_seconds(2 * 24 * 60 * 60);
    assert_eq!(handed(&world, "olga"), None);
    assert_eq!(edit(&world, "ada", "olga", words("attacker@halden.example")), "done");
    assert_eq!(handed(&world, "olga"), Some(world.actor("ada").person));
    // An edit of something else begins no new day, and ends none.
    world.pass_seconds(23 * 60 * 60);
    assert_eq!(edit(&world, "ada", "olga", json!({"name": "Olga Owner"})), "done");
    assert_eq!(handed(&world, "olga"), Some(world.actor("ada").person));
    world.pass_seconds(2 * 60 * 60);
    assert_eq!(handed(&world, "olga"), None);
    world.sequence();
    world.assert_replays();
}

#[test]
fn an_address_that_two_people_moved_is_nobodys_hand() {
    let world = two();
    with_provider(&world);
    let wanted = json!({"people": [{"login": "olga", "email": "olga@halden.example"}], "reason": "She has one now."});
    by_two(&world, "ada", wanted);
    assert_eq!(handed(&world, "olga"), None);
}

/// Two people are not required where a directory provisions: the owner of its token moves addresses alone, and it shows.
#[test]
fn an_address_that_a_directory_moves_is_told_and_is_its_owners_hand() {
    let world = two();
    with_provider(&world);
    world.system(|cx| set_person::edit_person(cx, "olga", &body(json!({"email": "olga@halden.example"}))).map(drop));
    let id = world.actor("olga").person.0;
    let moved = attempt(&world, "ada", move |cx| {
        let told = ProvisionedPerson {
            login: "olga".to_owned(),
            name: "Olga".to_owned(),
            email: Some("attacker@halden.example".to_owned()),
            ..ProvisionedPerson::default()
        };
        provision::replace_person(cx, &id, &told)
    });
    moved.unwrap();
    assert_eq!(handed(&world, "olga"), Some(world.actor("ada").person));
    let jobs = world.look(|cx| Ok(job::list(cx.tx, "waiting", 100)?));
    let mut mailed = jobs.unwrap().into_iter().filter(|job| job.kind == "mail");
    assert!(mailed.any(|job| job.payload == "olga@halden.example"));
    world.sequence();
    world.assert_replays();
}

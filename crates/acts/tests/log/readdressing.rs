//! Whose hand moves somebody's mail address, by which they sign in at a provider.

use acts::import_directory::{Options, import_directory};
use model::records::Message;
use model::words::Noun;
use serde_json::json;
use store::record::{self, Filter};

use crate::by_two::{alone, attempt, by_two, code, lines};
use crate::two_people::{edit, two};

/// Whoever has an approver's address signs in as them at a provider.
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
    let brought = attempt(&world, "ada", move |room| {
        import_directory(room, &line, Options::default())
    });
    assert_eq!(code(brought), "two_people_needed");
    // One person says the first address of whom nothing is asked, and other letters of the same one.
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
    let jobs = world.look(|room| Ok(store::job::list(room.tx, "waiting", 100)?));
    let addresses: Vec<String> = jobs
        .unwrap()
        .into_iter()
        .filter(|job| job.kind == "mail")
        .map(|job| job.payload)
        .collect();
    assert_eq!(addresses, ["", "olga@halden.example"]);
    let olga = world.actor("olga").person;
    let told = world.look(move |room| {
        let all = record::bodies::<Message>(room.tx, &Filter::new().order_by("id"))?;
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

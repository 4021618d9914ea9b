//! The identities of people, members of groups, second factors, ceremonies.

use serde_json::json;
use store::identity::second_factor::SecondFactor;
use store::identity::{identities, second_factor};
use store::record;

use crate::world::{ACME, OTHER, at, check};

fn person(id: &str, mail: &str, subjects: &[&str]) -> model::directory::snapshot::Person {
    serde_json::from_value(json!({
        "id": id, "version": 1, "login": id, "name": id, "email": mail, "roles": [], "zone": "UTC", "active": true,
        "subjects": subjects, "external_id": format!("x-{id}"),
    }))
    .unwrap()
}

#[test]
fn people_are_found_by_what_they_are_known_by() {
    check(|world| {
        let first = person("p1", "Ada@Acme.example", &["https://id.example 7"]);
        world.act(move |tx| record::insert(tx, &first, "{}"));
        let find = |kind: &'static str, value: &'static str| world.read(move |tx| identities::find(tx, kind, value));
        assert_eq!(find(identities::MAIL, "ada@acme.example"), ["p1"]);
        assert_eq!(find(identities::SUBJECT, "https://id.example 7"), ["p1"]);
        assert_eq!(find(identities::EXTERNAL, "x-p1"), ["p1"]);
        let mut moved = person("p1", "ada@other.example", &[]);
        moved.version = 2;
        world.act(move |tx| record::update(tx, &moved, "{}", 1));
        assert!(find(identities::MAIL, "ada@acme.example").is_empty());
        assert!(find(identities::SUBJECT, "https://id.example 7").is_empty());
        assert_eq!(find(identities::MAIL, "ada@other.example"), ["p1"]);
        assert_eq!(world.read(|tx| identities::people(tx, 0, 10)).len(), 1);
        assert_eq!(world.read(|tx| identities::people(tx, 1, 10)).len(), 0);
        let mut gone = person("p1", "ada@other.example", &[]);
        (gone.version, gone.removed) = (3, true);
        world.act(move |tx| record::update(tx, &gone, "{}", 2));
        assert_eq!(world.read(|tx| identities::people(tx, 0, 10)).len(), 0);
        assert_eq!(world.read(identities::count_people), 0);
        assert_eq!(world.act(identities::index_all), 1);
        assert_eq!(world.act(identities::index_all), 0);
    });
}

/// A tenant where people of an issuer sign in, and a person in it with a subject there.
fn settle(tx: &mut store::Tx<'_>, name: &str, subject: &str) -> store::Result<()> {
    let risk_table = model::risk::assessment::RiskTable::default();
    let tenant = json!({"id": tx.tenant(), "version": 1, "name": name, "risk_table": risk_table});
    let tenant: model::directory::snapshot::Tenant = serde_json::from_value(tenant).unwrap();
    record::insert(tx, &tenant, "{}")?;
    record::insert(tx, &door(1, "https://id.example", true), "{}")?;
    record::insert(tx, &person("p1", "ada@acme.example", &[subject]), "{}")
}

fn door(version: i64, issuer: &str, active: bool) -> model::identity::provider::IdentityProvider {
    serde_json::from_value(json!({
        "id": "i1", "version": version, "key": "corp", "name": "Corp", "issuer": issuer, "client_id": "assent",
        "scopes": [], "login_claim": "preferred_username", "active": active,
    }))
    .unwrap()
}

#[test]
fn a_proven_subject_is_known_where_its_issuer_still_lets_in_who_may_act() {
    check(|world| {
        let subject = "https://id.example 7";
        let known = |subject: &'static str| {
            let found = world.across(move |tx| identities::tenants_of(tx, subject));
            found.into_iter().collect::<Vec<_>>()
        };
        let pair = |key: &str, name: &str| (key.to_owned(), name.to_owned());
        world.act(move |tx| settle(tx, "Acme", subject));
        assert_eq!(known(subject), [pair(ACME, "Acme")]);
        let other = |act: fn(&mut store::Tx<'_>) -> store::Result<()>| world.try_act(OTHER, act).unwrap();
        other(|tx| settle(tx, "Beta Ferries", "https://id.example 7"));
        assert_eq!(known(subject), [pair(ACME, "Acme"), pair(OTHER, "Beta Ferries")]);
        // Neither a tenant's own data on its people nor another issuer's claim finds anybody.
        for no in [
            "ada@acme.example",
            "x-p1",
            "7",
            "https://id.example",
            "https://id.example 70",
            "https://other.example 7",
        ] {
            assert!(known(no).is_empty(), "{no}");
        }
        let own = world.try_act(OTHER, |tx| {
            identities::find(tx, identities::SUBJECT, "https://id.example 7")
        });
        assert_eq!(
            own.map(|found| found.len()),
            Ok(1),
            "a tenant's own question finds its own person alone"
        );
        // A tenant that no longer lets this issuer's people in is not named to the issuer's present owner.
        for (version, issuer, active) in [(2, "https://id.example", false), (3, "https://other.example", true)] {
            let door = door(version, issuer, active);
            let saved = world.try_act(OTHER, move |tx| record::update(tx, &door, "{}", version - 1));
            assert_eq!(saved, Ok(()));
            assert_eq!(known(subject), [pair(ACME, "Acme")], "{issuer} {active}");
        }
        other(|tx| record::update(tx, &door(4, "https://id.example", true), "{}", 3));
        assert_eq!(known(subject).len(), 2);
        other(|tx| {
            let mut ended = person("p1", "ada@acme.example", &["https://id.example 7"]);
            (ended.version, ended.active) = (2, false);
            record::update(tx, &ended, "{}", 1)
        });
        assert_eq!(
            known(subject),
            [pair(ACME, "Acme")],
            "who may no longer act there is not known there"
        );
    });
}

#[test]
fn members_follow_their_group() {
    check(|world| {
        let group = |version: i64, members: &[&str]| -> model::directory::snapshot::Group {
            serde_json::from_value(json!({
                "id": "g1", "version": version, "key": "ops", "name": "Ops", "members": members,
            }))
            .unwrap()
        };
        let (first, second) = (group(1, &["p1", "p2"]), group(2, &["p2", "p3"]));
        world.act(move |tx| record::insert(tx, &first, "{}"));
        assert_eq!(world.read(|tx| identities::groups_of(tx, "p1")), ["g1"]);
        let named = world.read(|tx| identities::named_groups_of(tx, "p1"));
        assert_eq!(named, [("g1".to_owned(), "Ops".to_owned())]);
        world.act(move |tx| record::update(tx, &second, "{}", 1));
        assert!(world.read(|tx| identities::groups_of(tx, "p1")).is_empty());
        assert_eq!(world.read(|tx| identities::groups_of(tx, "p3")), ["g1"]);
        assert_eq!(world.read(|tx| identities::groups(tx, 0, 10)), [("g1".to_owned(), 2)]);
        let named = |name: &'static str| world.read(move |tx| identities::find_group(tx, name)).unwrap();
        assert_eq!((named("OPS"), named("op")), (vec!["g1".to_owned()], Vec::new()));
        let mut gone = group(3, &[]);
        gone.removed = true;
        world.act(move |tx| record::update(tx, &gone, "{}", 2));
        assert!(world.read(|tx| identities::groups(tx, 0, 10)).is_empty());
        assert_eq!(world.read(identities::count_groups), 0);
        assert!(world.read(|tx| identities::groups_of(tx, "p3")).is_empty());
        assert_eq!(
            named("ops"),
            Vec::<String>::new(),
            "what was removed is not found by its name"
        );
    });
}

#[test]
fn a_person_is_found_by_every_address_they_are_told_with() {
    check(|world| {
        let mut told = person("p1", "Ada@Acme.example", &[]);
        let mails = json!([{"value": "ada@acme.example", "type": "work"}, {"value": "Ada@Home.example"}]);
        told.attributes = vec![
            ("emails".to_owned(), mails.to_string()),
            ("title".to_owned(), "\"Dr\"".to_owned()),
        ];
        world.act(move |tx| record::insert(tx, &told, "{}"));
        let find = |address: &'static str| world.read(move |tx| identities::find_address(tx, address)).unwrap();
        assert_eq!(find("ada@home.EXAMPLE"), ["p1"]);
        assert_eq!(find("ADA@acme.example"), ["p1"]);
        assert_eq!(find("dr"), Vec::<String>::new());
        let one = world.read(|tx| identities::find(tx, identities::MAIL, "ada@home.example"));
        assert_eq!(one, Vec::<String>::new(), "mail goes to one address only");
        // A value that everybody has finds nobody in particular.
        world.act(|tx| {
            for number in 0..1_000 {
                let mut other = person(&format!("q{number}"), &format!("q{number}@acme.example"), &[]);
                let shared = json!([{"value": "ada@home.example"}]);
                other.attributes = vec![("emails".to_owned(), shared.to_string())];
                record::insert(tx, &other, "{}")?;
            }
            Ok(())
        });
        assert_eq!(world.read(|tx| identities::find_address(tx, "ada@home.example")), None);
    });
}

fn factor(id: &str, kind: &str) -> SecondFactor {
    SecondFactor {
        id: id.to_owned(),
        person: "p1".to_owned(),
        kind: kind.to_owned(),
        name: "Phone".to_owned(),
        secret: vec![1, 2],
        is_confirmed: false,
        last_step: 0,
        created_at: at(1),
        last_used_at: None,
        counts_from: None,
    }
}

#[test]
fn a_codes_time_step_is_taken_once() {
    check(|world| {
        world.act(|tx| second_factor::insert(tx, &factor("f1", "totp")));
        world.act(|tx| second_factor::insert(tx, &factor("f2", "recovery")));
        assert!(world.act(|tx| second_factor::use_step(tx, "f1", 7, at(2))));
        assert!(!world.act(|tx| second_factor::use_step(tx, "f1", 7, at(3))));
        assert!(!world.act(|tx| second_factor::use_step(tx, "f1", 6, at(3))));
        let found = world.read(|tx| second_factor::of_person(tx, "p1"));
        assert!(found[0].is_confirmed && found[0].last_step == 7);
        assert_eq!(found[0].counts_from, None);
        assert!(world.act(|tx| second_factor::save_counts_from(tx, "f1", at(9))));
        assert!(!world.act(|tx| second_factor::save_counts_from(tx, "f9", at(9))));
        let found = world.read(|tx| second_factor::of_person(tx, "p1"));
        assert_eq!((found[0].counts_from, found[1].counts_from), (Some(at(9)), None));
        assert!(world.act(|tx| second_factor::save_secret(tx, "f1", &[9], at(4))));
        assert!(!world.act(|tx| second_factor::delete(tx, "p2", "f1")));
        assert_eq!(world.act(|tx| second_factor::delete_of_person(tx, "p1", "recovery")), 1);
        assert!(world.act(|tx| second_factor::delete(tx, "p1", "f1")));
        assert_eq!(world.act(|tx| second_factor::delete_of_person(tx, "p1", "")), 0);
    });
}

#[test]
fn a_ceremony_is_finished_once_in_time_and_by_its_own_person() {
    check(|world| {
        world.act(|tx| second_factor::begin(tx, "c1", "p1", "passkey", "{}", at(10)));
        world.act(|tx| second_factor::begin(tx, "c2", "p1", "passkey", "{}", at(10)));
        assert_eq!(
            world.act(|tx| second_factor::take(tx, "c1", "p2", "passkey", at(1))),
            None
        );
        assert_eq!(
            world.act(|tx| second_factor::take(tx, "c1", "p1", "other", at(1))),
            None
        );
        assert_eq!(
            world.act(|tx| second_factor::take(tx, "c1", "p1", "passkey", at(10))),
            None
        );
        let taken = world.act(|tx| second_factor::take(tx, "c1", "p1", "passkey", at(9)));
        assert_eq!(taken.as_deref(), Some("{}"));
        assert_eq!(
            world.act(|tx| second_factor::take(tx, "c1", "p1", "passkey", at(9))),
            None
        );
        assert_eq!(world.across(|tx| second_factor::prune(tx, at(10), 9)), 1);
        for number in 0..5 {
            world.act(move |tx| second_factor::begin(tx, &format!("d{number}"), "", "door", "{}", at(20 + number)));
        }
        world.act(|tx| second_factor::begin(tx, "own", "p1", "door", "{}", at(20)));
        assert_eq!(world.act(|tx| second_factor::end_oldest(tx, "other", 2)), 0);
        assert_eq!(world.act(|tx| second_factor::end_oldest(tx, "door", 2)), 3);
        assert_eq!(world.act(|tx| second_factor::take(tx, "d2", "", "door", at(1))), None);
        assert!(
            world
                .act(|tx| second_factor::take(tx, "d3", "", "door", at(1)))
                .is_some()
        );
        assert_eq!(world.act(|tx| second_factor::end_open(tx, "p1", "other")), 0);
        assert_eq!(world.act(|tx| second_factor::end_open(tx, "p1", "door")), 1);
    });
}

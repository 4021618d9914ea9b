//! The writes of an event, before and after: of every event of a tenant with something in most tables, and the sum is the
//! present state.

use std::collections::{BTreeMap, BTreeSet};

use acts::audit::show_event::{EventView, show_event};
use acts::core::providers;
use acts::directory::{provision, set_person, set_service};
use acts::identity::{provision_at_sign_in, set_identity_provider, set_token};
use acts::notify::set_telling;
use model::change::change_file::Actor;
use model::identity::provider::{Claimed, ProvisionedGroup, ProvisionedPerson};
use serde_json::{Map, Value, json};
use store::audit::{event, log};
use store::{Lane, Mode, record};

use crate::world::{TENANT, World, body};

fn hire(world: &World) {
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "aino", "roles": ["auditor"]})))?;
        set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]}))).map(drop)
    });
}

fn shown(world: &World, named: String) -> EventView {
    world.by("aino", move |cx| show_event(cx, &named))
}

/// The events' writes of each record, by table and id: its version and its fields.
type WrittenRecords = BTreeMap<(String, String), (u64, Map<String, Value>)>;

/// Asserts that the shown values equal each record, and returns the fields that are withheld.
fn withheld_where_all_else_stands(world: &World, known: WrittenRecords) -> BTreeSet<String> {
    let mut withheld = BTreeSet::new();
    for ((table, id), (_, mut fields)) in known {
        let (asked, whose) = (table.clone(), id.clone());
        let stored = world.look(move |cx| Ok(record::raw(cx.tx, &asked, &whose)?));
        let mut stands: Map<String, Value> = serde_json::from_str(&stored.unwrap().unwrap().body).unwrap();
        fields.retain(|name, value| {
            let is_shown = !value.to_string().contains("(withheld)");
            if !is_shown {
                assert!(stands.remove(name).is_some(), "{table} {id}: {name}");
                withheld.insert(format!("{table}.{name}"));
            }
            is_shown
        });
        assert_eq!(stands, fields, "{table} {id}");
    }
    withheld
}

#[test]
fn what_every_event_wrote_adds_up_to_what_stands() {
    let world = crate::mutating::world();
    hire(&world);
    tell_of_people(&world);
    world.sequence();
    let size = world.look(|cx| Ok(log::state(cx.tx)?.unwrap().size)).unwrap();
    let mut known = WrittenRecords::new();
    let (mut edits, mut told_by_others) = (0, 0);
    for index in 0..size {
        let event = shown(&world, index.to_string());
        assert_eq!(event.index, Some(index));
        if let Some(teller) = &event.told_by {
            let told = shown(&world, teller.id.clone());
            assert!(told.told_by.is_none() && !told.records.is_empty() && told.index < event.index);
            assert_eq!(json!(told.records), json!(event.records));
            told_by_others += 1;
            continue;
        }
        for written in event.records {
            let place = (written.table, written.id);
            let (version, fields) = known.entry(place.clone()).or_default();
            *version += 1;
            assert_eq!(*version, written.version, "{place:?}");
            for change in written.changes {
                edits += usize::from(change.before.is_some());
                assert_eq!(change.before.as_ref(), fields.get(&change.field), "{place:?}");
                let is_withheld = change.after.as_ref().or(change.before.as_ref()) == Some(&json!("(withheld)"));
                assert!(
                    is_withheld || change.before != change.after,
                    "{place:?}: {}",
                    change.field
                );
                match change.after {
                    Some(after) => drop(fields.insert(change.field, after)),
                    None => drop(fields.remove(&change.field)),
                }
            }
        }
    }
    assert!(known.len() > 60 && edits > 60, "{} records, {edits} edits", known.len());
    assert!(told_by_others > 10, "{told_by_others} are told by others");
    let withheld = withheld_where_all_else_stands(&world, known);
    let withheld: Vec<&str> = withheld.iter().map(String::as_str).collect();
    assert_eq!(
        withheld,
        [
            "change.digest_salt",
            "message.subject",
            "message.text",
            "people_group.external_id",
            "person.attributes",
            "person.external_id",
            "person.subjects",
            "person.telling",
            "sink.url",
            "token.digest",
            "webhook.url"
        ]
    );
}

/// The data of a directory and an identity provider on people, a wish, and the digest of a secret; returns that digest.
fn tell_of_people(world: &World) -> String {
    let told = |phone: &str| ProvisionedPerson {
        login: "petra".to_owned(),
        name: "Petra".to_owned(),
        external_id: Some(format!("hr-{phone}")),
        attributes: vec![("phoneNumbers".to_owned(), json!([{"value": phone}]).to_string())],
        ..ProvisionedPerson::default()
    };
    let (before, after) = (told("+47-111"), told("+47-222"));
    world.system(move |cx| {
        let petra = provision::create_person(cx, &before)?;
        provision::replace_person(cx, petra.id.as_str(), &after)?;
        let group = ProvisionedGroup {
            name: "Eyes of HR".to_owned(),
            external_id: Some("hr-group-7".to_owned()),
            members: BTreeSet::from([petra.id.0.clone()]),
        };
        provision::create_group(cx, &group)?;
        let idp = json!({"name": "Id", "issuer": "https://login.example", "client_id": "a", "creates_people": true});
        set_identity_provider::set_identity_provider(cx, "login", &body(idp))?;
        let provider = providers::provider(cx, "login")?;
        let claimed = Claimed {
            subject: "https://login.example sub-4711".to_owned(),
            login: Some("quinn".to_owned()),
            name: Some("Quinn".to_owned()),
            mail: None,
            mail_is_verified: false,
            groups: None,
        };
        provision_at_sign_in::meet_person(cx, &provider, &claimed)?;
        let wish = json!({"how": "digest", "digest_at": "05:55", "quiet_from": "22:22", "quiet_until": "04:44"});
        set_telling::set_telling(cx, "petra", &body(wish))?;
        let token = json!({"name": "ci", "person": "pipe", "scopes": ["gate"]});
        Ok(set_token::create_token(cx, &body(token))?.0.digest)
    })
}

#[test]
fn what_is_told_of_people_for_scim_alone_their_wishes_and_digests_of_secrets_are_withheld() {
    let world = World::new();
    hire(&world);
    let digest = tell_of_people(&world);
    world.sequence();
    let size = world.look(|cx| Ok(log::state(cx.tx)?.unwrap().size)).unwrap();
    let mut withheld = BTreeSet::new();
    for index in 0..size {
        let event = shown(&world, index.to_string());
        let text = json!(event.records).to_string();
        for word in [
            "phoneNumbers",
            "+47-",
            "hr-",
            "sub-4711",
            "05:55",
            "22:22",
            "04:44",
            &digest,
        ] {
            assert!(!text.contains(word), "{} tells {word}: {text}", event.kind);
        }
        for record in event.records {
            let whole = |value: &Option<Value>| value.as_ref().is_none_or(|it| it == "(withheld)");
            let fields = record.changes.into_iter();
            let hidden = fields.filter(|it| whole(&it.before) && whole(&it.after));
            withheld.extend(hidden.map(|it| format!("{}.{}: {}", record.table, it.field, it.before.is_some())));
        }
    }
    let said: Vec<&str> = withheld.iter().map(String::as_str).collect();
    assert_eq!(
        said,
        [
            "people_group.external_id: false",
            "person.attributes: false",
            "person.attributes: true",
            "person.external_id: false",
            "person.external_id: true",
            "person.subjects: false",
            "person.telling: false",
            "token.digest: false",
        ],
        "that something was written, and that something stood there before, is said"
    );
}

#[test]
fn an_edit_of_the_configuration_says_what_stood_before() {
    let world = World::new();
    hire(&world);
    for (login, criticality) in [("adam", "high"), ("adam", "critical")] {
        world.by(login, move |cx| {
            set_service::set_service(cx, &body(json!({"key": "pay", "criticality": criticality}))).map(drop)
        });
    }
    let last = world.look(|cx| {
        let pay = cx.directory()?.services.get(&"pay".into()).unwrap().id.0.clone();
        Ok(event::of_subject(cx.tx, "service", &pay)?.pop().unwrap().id)
    });
    let event = shown(&world, last.unwrap());
    assert_eq!(
        (event.actor.as_str(), event.subject.table.as_str()),
        ("adam", "service")
    );
    let changes = &event.records[0].changes;
    let told = changes.iter().find(|it| it.field == "criticality").unwrap();
    assert_eq!(
        (&told.before, &told.after),
        (&Some(json!("high")), &Some(json!("critical")))
    );
    let refused = |login: &'static str, named: &'static str| {
        let look = move |cx: &mut acts::Context<'_, '_>| show_event(cx, named).map(drop);
        let actor = Actor {
            is_system: false,
            ..world.actor(login)
        };
        let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Read, look);
        format!("{:?}", done.unwrap_err())
    };
    assert!(refused("rita", "0").contains("not_allowed"));
    for nothing in ["999999", "-1", "no-such-event"] {
        assert!(refused("aino", nothing).contains("NotFound"), "{nothing}");
    }
}

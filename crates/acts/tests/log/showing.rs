//! What an event wrote, before and after: of every event of a tenant with something in most tables, and it adds up to what stands.

use std::collections::{BTreeMap, BTreeSet};

use acts::show_event::{EventView, show_event};
use model::file::Actor;
use serde_json::{Map, Value, json};
use store::{Lane, Mode, record};

use crate::world::{TENANT, World, body};

fn hire(world: &World) {
    world.system(|room| {
        acts::set_person::create_person(room, &body(json!({"login": "aino", "roles": ["auditor"]})))?;
        acts::set_person::create_person(room, &body(json!({"login": "adam", "roles": ["admin"]}))).map(drop)
    });
}

fn shown(world: &World, named: String) -> EventView {
    world.by("aino", move |room| show_event(room, &named))
}

#[test]
fn what_every_event_wrote_adds_up_to_what_stands() {
    let world = crate::mutating::world();
    hire(&world);
    world.sequence();
    let size = world
        .look(|room| Ok(store::log::state(room.tx)?.unwrap().size))
        .unwrap();
    let mut known: BTreeMap<(String, String), (u64, Map<String, Value>)> = BTreeMap::new();
    let (mut edits, mut told_by_others, mut withheld) = (0, 0, BTreeSet::new());
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
                assert_ne!(change.before, change.after, "{place:?}: {}", change.field);
                match change.after {
                    Some(after) => drop(fields.insert(change.field, after)),
                    None => drop(fields.remove(&change.field)),
                }
            }
        }
    }
    assert!(known.len() > 60 && edits > 60, "{} records, {edits} edits", known.len());
    assert!(told_by_others > 10, "{told_by_others} are told by others");
    for ((table, id), (_, mut fields)) in known {
        let (asked, whose) = (table.clone(), id.clone());
        let stored = world.look(move |room| Ok(record::raw(room.tx, &asked, &whose)?));
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
    let withheld: Vec<&str> = withheld.iter().map(String::as_str).collect();
    assert_eq!(
        withheld,
        ["change.digest_salt", "message.subject", "message.text", "webhook.url"]
    );
}

#[test]
fn an_edit_of_the_configuration_says_what_stood_before() {
    let world = World::new();
    hire(&world);
    for (login, criticality) in [("adam", "high"), ("adam", "critical")] {
        world.by(login, move |room| {
            acts::set_service::set_service(room, &body(json!({"key": "pay", "criticality": criticality}))).map(drop)
        });
    }
    let last = world.look(|room| {
        let pay = room.directory()?.services.get(&"pay".into()).unwrap().id.0.clone();
        Ok(store::event::of_subject(room.tx, "service", &pay)?.pop().unwrap().id)
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
        let look = move |room: &mut acts::Room<'_, '_>| show_event(room, named).map(drop);
        let actor = Actor {
            is_system: false,
            ..world.actor(login)
        };
        let done = world.desk.wait(Lane::Acts, TENANT, actor, Mode::Read, look);
        format!("{:?}", done.unwrap_err())
    };
    assert!(refused("rita", "0").contains("not_allowed"));
    for nothing in ["999999", "-1", "no-such-event"] {
        assert!(refused("aino", nothing).contains("NotFound"), "{nothing}");
    }
}

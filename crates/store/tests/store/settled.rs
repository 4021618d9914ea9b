//! The open changes to be judged again: the row of a tenant, and the changes judged since.

use model::change::record::Change;
use model::change::related_records::Permit;
use serde_json::json;
use store::change::unsettled::{self, Unsettled};
use store::record;

use crate::world::{OTHER, World, at, change_json, check};

fn insert(world: &World, number: i64, state: &'static str) {
    let mut body = change_json(&format!("c{number}"), number);
    body["state"] = json!(state);
    let change: Change = serde_json::from_value(body).unwrap();
    world.act(move |tx| record::insert(tx, &change, "{}"));
}

fn tenants(world: &World) -> Vec<String> {
    world
        .store
        .wait_across(store::Lane::Worker, "a test", store::Mode::Read, |tx| {
            unsettled::tenants(tx)
        })
        .unwrap()
}

#[test]
fn a_tenant_is_unsettled_from_an_act_until_all_is_judged() {
    check(|world| {
        assert_eq!(world.read(unsettled::state), None);
        assert!(tenants(world).is_empty());
        world.act(|tx| unsettled::raise(tx, 7, at(0)));
        let begun = Unsettled {
            generation: 7,
            since: at(0),
            urgent: 0,
            pass: 0,
            mark: 0,
            left_out: 0,
        };
        assert_eq!(world.read(unsettled::state), Some(begun));
        let on = Unsettled {
            urgent: 7,
            pass: 7,
            mark: 40,
            left_out: 1,
            ..begun
        };
        world.act(move |tx| unsettled::save(tx, &on));
        // Another act undoes nothing of the first, and an earlier value lowers nothing.
        world.act(|tx| unsettled::raise(tx, 9, at(5)));
        world.act(|tx| unsettled::raise(tx, 8, at(6)));
        assert_eq!(world.read(unsettled::state), Some(Unsettled { generation: 9, ..on }));
        assert_eq!(tenants(world), ["acme"]);
        assert_eq!(world.try_act(OTHER, unsettled::state).unwrap(), None);
        world.act(|tx| unsettled::note_judged(tx, "c1", 9));
        world.act(unsettled::end);
        assert_eq!(world.read(unsettled::state), None);
        assert_eq!(world.read(|tx| unsettled::judged_at(tx, "c1")), None);
    });
}

#[test]
fn the_settler_finds_what_is_open_in_its_order() {
    check(|world| {
        for (number, state) in [
            (1, "draft"),
            (2, "scheduled"),
            (3, "closed"),
            (4, "implementing"),
            (5, "approved"),
        ] {
            insert(world, number, state);
        }
        let ids = |found: Vec<(String, i64)>| found.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        let after = |mark: i64, limit: i64| ids(world.read(move |tx| unsettled::unjudged_after(tx, mark, 7, limit)));
        assert_eq!(after(0, 9), ["c1", "c2", "c4", "c5"]);
        assert_eq!(after(2, 1), ["c4"]);
        assert!(world.read(|tx| unsettled::has_more_open_than(tx, 3)));
        assert!(!world.read(|tx| unsettled::has_more_open_than(tx, 4)));
        assert_eq!(world.read(|tx| unsettled::begun(tx, 7, 9)), ["c2", "c4"]);
        world.act(|tx| unsettled::note_judged(tx, "c2", 6));
        assert_eq!(world.read(|tx| unsettled::begun(tx, 7, 9)), ["c2", "c4"]);
        world.act(|tx| unsettled::note_judged(tx, "c2", 7));
        assert_eq!(world.read(|tx| unsettled::judged_at(tx, "c2")), Some(7));
        assert_eq!(world.read(|tx| unsettled::begun(tx, 7, 9)), ["c4"]);
        assert_eq!(after(0, 9), ["c1", "c4", "c5"]);
        assert!(world.read(|tx| unsettled::with_living_permits(tx, at(0))).is_empty());
    });
}

fn permit(id: &str, change: &str, ends: i64, state: &str) -> Permit {
    serde_json::from_value(json!({
        "id": id, "version": 1, "change": change, "change_key": "CHG-1", "target": "1", "purpose": "deploy",
        "service": "web", "environment": "production", "artifact": "git:a", "content_digest": "", "policy_digest": "",
        "kid": "k", "epoch": 0, "max_list_age_seconds": 60, "break_glass": false, "state": state, "by": "p1",
        "issued_at": at(0).to_string(), "not_before": at(0).to_string(), "expires_at": at(ends).to_string(),
    }))
    .unwrap()
}

#[test]
fn open_changes_with_a_permit_that_lives_are_found() {
    check(|world| {
        for (number, state) in [(1, "implementing"), (2, "scheduled"), (3, "closed"), (4, "scheduled")] {
            insert(world, number, state);
        }
        for permit in [
            permit("1", "c2", 90, "issued"),
            permit("2", "c2", 80, "issued"),
            permit("3", "c1", 10, "issued"),
            permit("4", "c3", 90, "issued"),
            permit("5", "c4", 90, "revoked"),
        ] {
            world.act(move |tx| record::insert(tx, &permit, "{}"));
        }
        assert_eq!(world.read(|tx| unsettled::with_living_permits(tx, at(50))), ["c2"]);
        assert_eq!(world.read(|tx| unsettled::with_living_permits(tx, at(5))), ["c1", "c2"]);
    });
}

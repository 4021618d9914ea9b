//! A leaver gets no further requests, is nobody's deputy, and has no deputy.

use acts::approval::set_delegation;
use acts::change::verbs;
use acts::directory::{deactivate_person, set_person, set_service};
use model::approval::absence::Delegation;
use model::core::ids::PersonId;
use serde_json::json;
use store::record::{self, Filter};

use crate::world::{World, body};

/// The logins of a change's approvers.
fn asked(world: &World, key: &str) -> Vec<String> {
    let key = key.to_owned();
    let found = world.look(move |cx| {
        let directory = cx.directory()?;
        let requests = cx.change(&key)?.requests;
        Ok(requests
            .iter()
            .map(|it| directory.login(&it.person))
            .collect::<Vec<_>>())
    });
    found.unwrap()
}

#[test]
fn a_leavers_open_requests_and_delegations_both_ways_end_in_the_act_that_deactivates_them() {
    let world = World::new();
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "uma", "roles": ["owner"]})))?;
        set_service::set_ownership(cx, &body(json!({"role": "owner", "person": "uma"})))?;
        for (delegator, delegate) in [("olga", "uma"), ("uma", "olga")] {
            let wanted = json!({"delegator": delegator, "delegate": delegate, "reason": "Away.",
                "starts_at": "2026-11-20T07:00:00Z", "ends_at": "2026-12-28T07:00:00Z"});
            // Each lends to the other for another time, so that no ring comes of it.
            let mut wanted = body(wanted);
            if delegator == "uma" {
                wanted.insert("starts_at".to_owned(), json!("2026-12-28T08:00:00Z"));
                wanted.insert("ends_at".to_owned(), json!("2026-12-30T08:00:00Z"));
            }
            set_delegation::set_delegation(cx, &wanted)?;
        }
        Ok(())
    });
    let key = world.draft("Move booking to 4.2");
    let k = key.clone();
    world.by("rita", move |cx| {
        verbs::submit_change(cx, &k)?;
        verbs::assess_change(cx, &k, &body(json!({"dependencies_reviewed": true})))
    });
    let before = asked(&world, &key);
    assert!(
        before.contains(&"olga".to_owned()) && before.contains(&"uma".to_owned()),
        "{before:?}"
    );

    let olga: PersonId = world.actor("olga").person;
    world.system(|cx| deactivate_person::deactivate_person(cx, "olga", &body(json!({"reason": "Left."}))).map(drop));
    let after = asked(&world, &key);
    assert!(
        !after.contains(&"olga".to_owned()) && after.contains(&"uma".to_owned()),
        "{after:?}"
    );
    let (now, rows) = world
        .look(|cx| {
            let rows = record::find::<Delegation>(cx.tx, &Filter::new().order_by("id"))?;
            Ok((cx.now, rows.into_iter().map(|it| it.record).collect::<Vec<_>>()))
        })
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter()
            .all(|row| row.ends_at <= now && (row.delegator == olga || row.delegate == olga)),
        "{rows:#?}"
    );
    world.assert_replays();
}

//! A token that carries fewer roles than its person has moves nothing that any of their roles would decide.

use acts::Context;
use acts::approval::{set_absence, set_delegation};
use acts::cab::meetings;
use acts::directory::set_person;
use acts::identity::set_token;
use model::change::change_file::{Actor, Lent};
use model::core::enums::Role;
use serde_json::json;
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// The refusal of olga's token; empty when its act is done.
fn refused<T: Send + 'static>(
    world: &World,
    roles: &[Role],
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    let olga = world.actor("olga");
    let lent = Lent {
        maker: olga.person.clone(),
        roles: Some(roles.iter().copied().collect()),
        services: None,
    };
    let actor = Actor {
        by_token: true,
        method: "token".to_owned(),
        lent: Some(lent),
        ..olga
    };
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.map_or_else(|error| format!("{error:?}"), |_| String::new())
}

#[test]
fn a_narrowed_token_lends_no_voice_and_counts_none() {
    let world = World::new();
    let meeting = world.system(|cx| {
        set_person::edit_person(cx, "olga", &body(json!({"roles": ["owner", "requester"]})))?;
        set_person::set_group(cx, "cab", &body(json!({"members": ["olga", "sam"]})))?;
        meetings::open_meeting(cx, &body(json!({"group": "cab", "title": "Tuesday"})))
    });
    let away = json!({"starts_at": "2026-11-20T08:00:00Z", "ends_at": "2026-12-20T08:00:00Z"});
    let all = |roles: &[Role]| {
        let (absence, id) = (body(away.clone()), meeting.id.0.clone());
        let mut delegation = absence.clone();
        delegation.insert("delegate".to_owned(), json!("sam"));
        [
            refused(&world, roles, move |cx| set_delegation::set_delegation(cx, &delegation)),
            refused(&world, roles, move |cx| set_absence::set_absence(cx, &absence)),
            refused(&world, roles, move |cx| {
                meetings::attend_meeting(cx, &id, &body(json!({})))
            }),
        ]
    };
    for narrow in [&[Role::Requester][..], &[Role::Owner]] {
        for told in all(narrow) {
            assert!(told.contains("narrowed_token"), "{narrow:?}: {told}");
        }
    }
    assert_eq!(all(&[Role::Requester, Role::Owner]), ["", "", ""], "the whole of them");
    world.assert_replays();
}

#[test]
fn a_narrowed_token_takes_back_no_voice_either() {
    let world = World::new();
    let span = body(
        json!({"delegator": "olga", "delegate": "sam", "starts_at": "2026-11-20T08:00:00Z",
        "ends_at": "2026-12-20T08:00:00Z"}),
    );
    let lent = world.system(move |cx| set_delegation::set_delegation(cx, &span));
    let end = |roles: &[Role]| {
        let id = lent.id.0.clone();
        refused(&world, roles, move |cx| set_delegation::end_delegation(cx, &id))
    };
    assert!(end(&[Role::Requester]).contains("narrowed_token"));
    assert_eq!(end(&[Role::Owner]), "");
}

/// A token's narrowing is not lost over one hop.
#[test]
fn a_narrowed_token_makes_no_wider_one_of_its_person() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin", "requester"]}))));
    let adam = world.actor("adam");
    let lent = Lent {
        maker: adam.person.clone(),
        roles: Some([Role::Admin].into()),
        services: None,
    };
    let actor = Actor {
        by_token: true,
        method: "token".to_owned(),
        lent: Some(lent),
        ..adam
    };
    let made = |words: serde_json::Value| {
        let act = move |cx: &mut Context<'_, '_>| set_token::create_token(cx, &body(words.clone()));
        let done = world.executor.wait(Lane::Acts, TENANT, actor.clone(), Mode::Write, act);
        done.map_or_else(|error| format!("{error:?}"), |_| String::new())
    };
    for wider in [
        json!({"name": "wide"}),
        json!({"name": "wide", "person": "adam"}),
        json!({"name": "wide", "roles": ["admin", "requester"]}),
    ] {
        let told = made(wider.clone());
        assert!(told.contains("narrowed_token"), "{wider}: {told}");
    }
    assert_eq!(made(json!({"name": "as narrow", "roles": ["admin"]})), "");
    assert_eq!(
        made(json!({"name": "of another", "person": "olga"})),
        "",
        "that is an administrator's part"
    );
}

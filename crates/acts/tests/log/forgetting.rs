//! A person whose data was erased: their name is nowhere in their account any more, and their acts are proven as before.

use acts::compliance::erase_person::confirm_person_erasure;
use acts::compliance::lift_hold::lift_hold_order;
use acts::core::noun;
use acts::directory::{deactivate_person, set_person};
use acts::{Context, Error, Result};
use model::change::related_records::Comment;
use model::compliance::hold_order::HoldOrder;
use model::compliance::person_erasure::{NAME, PersonErasure};
use model::compliance::retention_rule::RetentionRule;
use model::core::refusal::Refusal;
use proof::report::Outcome;
use serde_json::json;
use store::{Lane, Mode};

use crate::erasing::tables_with;
use crate::mutating::write_one;
use crate::world::{TENANT, World, body};

fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, String> {
    let actor = world.actor(login);
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.map_err(|error| match error {
        Error::Refused(Refusal::Invalid(errors)) => errors[0].code.clone(),
        Error::Refused(refusal) => refusal.code().to_owned(),
        other => panic!("no refusal: {other:?}"),
    })
}

/// A world with two administrators, and an auditor who placed a hold and then left.
fn world() -> (World, HoldOrder) {
    let world = World::new();
    for (login, role) in [("ada", "admin"), ("bea", "admin")] {
        let person = body(json!({"login": login, "roles": [role]}));
        world.system(move |cx| set_person::create_person(cx, &person));
    }
    let person = body(json!({
        "login": "mquagga", "name": "Miriam Quagga", "email": "miriam@quagga.example", "roles": ["auditor"],
    }));
    world.system(move |cx| set_person::create_person(cx, &person));
    let placed = body(json!({"reason": "Case 4711", "services": ["pay"]}));
    let order = world.by("mquagga", move |cx| noun::add::<HoldOrder>(cx, &placed));
    world.sequence();
    (world, order)
}

fn leave(world: &World) {
    world.by("ada", |cx| {
        deactivate_person::deactivate_person(cx, "mquagga", &body(json!({"reason": "Miriam Quagga left"})))
    });
}

fn ask(world: &World) -> std::result::Result<PersonErasure, String> {
    let wanted = body(json!({"person": "mquagga", "reason": "Ticket 812"}));
    attempt(world, "ada", move |cx| noun::add::<PersonErasure>(cx, &wanted))
}

fn confirm(world: &World, who: &'static str, erasure: &PersonErasure) -> std::result::Result<PersonErasure, String> {
    let id = erasure.id.0.clone();
    attempt(world, who, move |cx| confirm_person_erasure(cx, &id))
}

#[test]
fn a_leaver_is_erased_by_two_people_and_what_they_signed_stays_proven() {
    let (world, order) = world();
    assert_eq!(ask(&world).unwrap_err(), "not_in_state");
    leave(&world);
    let before = world.checkpoint();
    let asked = ask(&world).unwrap();
    assert_eq!(ask(&world).unwrap_err(), "erasure_asked");
    assert_eq!(confirm(&world, "ada", &asked).unwrap_err(), "second_person_needed");
    assert!(tables_with(&world, "quagga").contains("person"));
    let done = confirm(&world, "bea", &asked).unwrap();
    assert!(done.done_at.is_some() && !done.active);
    assert_eq!(confirm(&world, "bea", &asked).unwrap_err(), "not_open");
    let left = tables_with(&world, "quagga");
    for table in ["person", "person_identity", "text_salt", "event"] {
        assert!(!left.contains(table), "{table} of {left:?}");
    }
    let found = world
        .look(move |cx| Ok(cx.directory()?.people.get(&order.by).cloned()))
        .unwrap()
        .unwrap();
    assert_eq!(found.name, NAME);
    assert!(found.login.starts_with("erased-") && !found.active && found.email.is_none());
    world.sequence();
    world.assert_replays();
    let log = world.verify(Some(&before)).report;
    assert_eq!(log.outcome(), Outcome::Good, "{log:?}");
}

#[test]
fn a_hold_and_a_rule_keep_a_leavers_data() {
    let (world, _) = world();
    leave(&world);
    let asked = ask(&world).unwrap();
    let rule = |on: bool| {
        let wanted = body(json!({"regime": "sox", "record_kind": "change", "active": on}));
        attempt(&world, "ada", move |cx| noun::add::<RetentionRule>(cx, &wanted)).unwrap();
    };
    rule(true);
    assert_eq!(confirm(&world, "bea", &asked).unwrap_err(), "kept_by_rule");
    rule(false);
    let held = body(json!({"reason": "Case 4712", "people": ["mquagga"]}));
    let order = attempt(&world, "bea", move |cx| noun::add::<HoldOrder>(cx, &held)).unwrap();
    assert_eq!(confirm(&world, "bea", &asked).unwrap_err(), "under_legal_hold");
    let id = order.id.0.clone();
    for who in ["ada", "bea"] {
        let (id, reason) = (id.clone(), body(json!({"reason": "Over"})));
        attempt(&world, who, move |cx| lift_hold_order(cx, &id, &reason)).unwrap();
    }
    confirm(&world, "bea", &asked).unwrap();
}

#[test]
fn who_had_a_part_in_a_held_change_keeps_their_name_until_the_hold_is_lifted() {
    let (world, order) = world();
    let key = world.draft("Widen the column");
    let by = order.by.0.clone();
    world.system(move |cx| {
        let said = json!({
            "id": "said", "version": 0, "change": cx.change(&key)?.id, "text": "Seen.", "by": by,
            "at": "2026-11-20T08:00:00Z",
        });
        write_one::<Comment>(cx, "comment.added", said)
    });
    leave(&world);
    assert_eq!(ask(&world).unwrap_err(), "under_legal_hold");
    for who in ["ada", "bea"] {
        let (id, reason) = (order.id.0.clone(), body(json!({"reason": "Over"})));
        attempt(&world, who, move |cx| lift_hold_order(cx, &id, &reason)).unwrap();
    }
    let asked = ask(&world).unwrap();
    confirm(&world, "bea", &asked).unwrap();
}

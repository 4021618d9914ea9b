//! The people who check the conditions of approvals.

use model::change::{around, requirement};
use serde_json::json;

use crate::world::{World, body, code, fields};

#[test]
fn who_asked_for_a_change_checks_no_condition_of_it() {
    let mut world = World::new().until_authorizing();
    let words = |checker: &str| {
        json!({"decision": "approve_with_conditions", "conditions": [
            {"text": "Tell support", "due": "start", "checker": checker},
        ]})
    };
    let refused = fields(world.decide("sam", words("rita")));
    assert_eq!(
        refused,
        [("conditions[0].checker".to_owned(), "not_allowed".to_owned())]
    );
    world.decide("sam", words("tom")).unwrap();
    // Nor one of an earlier version that named them: its author checks it.
    let condition = world.file.conditions[0].id.clone();
    world.file.conditions[0].checker = "rita".into();
    let meet = |world: &mut World, who: &str| {
        world.act(who, |case| around::meet_condition(case, &condition, &body(json!({}))))
    };
    assert_eq!(code(meet(&mut world, "rita")), "not_the_checker");
    meet(&mut world, "sam").unwrap();
}

#[test]
fn the_condition_of_a_checker_who_left_is_checked_by_who_set_it_and_then_by_a_change_manager() {
    let mut world = World::new().until_authorizing();
    let words = json!({"decision": "approve_with_conditions", "conditions": [
        {"text": "Tell support", "due": "start", "checker": "tom"},
    ]});
    world.decide("sam", words).unwrap();
    let condition = world.file.conditions[0].id.clone();
    let meet = |world: &mut World, who: &str| {
        world.act(who, |case| {
            around::meet_condition(case, &condition, &body(json!({"text": "Seen"})))
        })
    };
    let waits = |world: &World| {
        let rows = world.look(|case| requirement::before_start(&case.file, &case.directory, case.now));
        let row = rows.into_iter().find(|row| row.code == "condition_open").unwrap();
        (row.satisfy, row.waiting_on)
    };
    assert_eq!(
        waits(&world),
        (
            "Its checker must confirm that it is met.".to_owned(),
            vec!["tom".to_owned()]
        )
    );
    assert_eq!(code(meet(&mut world, "sam")), "not_the_checker");
    world.estate(|estate| estate.people.get_mut(&"tom".into()).unwrap().active = false);
    let (satisfy, waiting_on) = waits(&world);
    assert!(satisfy.contains("is no longer active here"), "{satisfy}");
    assert_eq!(waiting_on, ["sam"]);
    assert_eq!(code(meet(&mut world, "mia")), "not_the_checker");
    world.estate(|estate| estate.people.get_mut(&"sam".into()).unwrap().active = false);
    assert_eq!(
        waits(&world).1,
        ["max", "mia"],
        "the change managers, for nobody else is left"
    );
    meet(&mut world, "mia").unwrap();
    assert_eq!(world.file.conditions[0].met.as_ref().unwrap().by.as_str(), "mia");
    assert_eq!(code(meet(&mut world, "mia")), "condition_met", "what was said stands");
}

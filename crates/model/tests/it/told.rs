//! Work reported afterwards: the people who may be named as its approver, and those who judge whether it works.

use model::core::refusal;
use serde_json::json;

use crate::people::directory;
use crate::walks_after::{answer, told_afterwards};
use crate::world::{World, code, facts_but, fields};

#[test]
fn who_allowed_work_by_word_of_mouth_is_somebody_whom_a_rule_asks_or_a_change_manager() {
    let refused = told_afterwards("rita", "tom").err().unwrap();
    let refusal::Refusal::Invalid(errors) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(errors[0].field, "retrospective.verbal_approver");
    assert!(errors[0].text.contains("For example: olga"), "{errors:?}");
    told_afterwards("rita", "mia").unwrap();
}

#[test]
fn who_tells_of_work_does_not_validate_it_whoever_is_said_to_have_done_it() {
    let mut world = told_afterwards("rita", "olga").unwrap();
    assert_eq!(world.change().implemented_by, ["ida".into()]);
    answer(&mut world, "olga", true).unwrap();
    let refused = world.validate("rita", "works").unwrap_err();
    let refusal::Refusal::NotAllowed { code, waiting_on, .. } = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (*code, waiting_on.is_empty()),
        ("not_independent", false),
        "{refused:?}"
    );
    assert!(!waiting_on.contains(&"rita".to_owned()), "{refused:?}");
    world.validate("tom", "works").unwrap();
}

#[test]
fn an_emergency_told_afterwards_names_its_incident_and_is_not_validated_by_who_allowed_it() {
    let told = |incident: serde_json::Value| {
        let words = json!({"kind": "emergency", "incident": incident, "retrospective": {
            "actual_start": "2026-11-20T07:00:00Z", "actual_end": "2026-11-20T08:00:00Z",
            "reason": "The shop was down", "verbal_approver": "olga",
        }});
        World::create("rita", facts_but(words), Vec::new(), directory())
    };
    assert_eq!(
        fields(told(json!(null))),
        [("incident".to_owned(), "missing".to_owned())]
    );
    let mut world = told(json!("INC-7")).unwrap();
    assert_eq!(
        code(world.validate("olga", "works")),
        "not_independent",
        "not yet confirmed"
    );
    answer(&mut world, "olga", true).unwrap();
    assert_eq!(code(world.validate("olga", "works")), "not_independent");
    world.validate("tom", "works").unwrap();
}

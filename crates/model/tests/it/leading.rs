//! The advice of a refusal for the wrong state: the act that leads on from this very change, its blocker, and for whom.

use model::approval::decide;
use model::change::change_file;
use model::core::enums::TemplateState;
use model::core::refusal::Refusal;
use model::core::unmet::Unmet;
use serde_json::json;

use crate::world::{World, at, facts_but};

/// The one row of a refusal for the wrong state.
fn advice(answer: Result<(), Refusal>) -> Unmet {
    let Err(Refusal::NotNow { code, mut unmet, .. }) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!((code, unmet.len()), ("not_in_state", 1), "{unmet:?}");
    assert_eq!(unmet[0].code, "not_in_state");
    unmet.remove(0)
}

#[test]
fn a_start_in_a_freeze_names_the_freeze_and_who_excepts() {
    let mut world = World::new().until_scheduled();
    world.freeze("11:00", "12:00", false);
    let row = advice(world.start("ida"));
    assert!(row.satisfy.contains("The freeze “Year end” lies over it"), "{row:?}");
    assert!(row.satisfy.contains("POST /freezes/{id}/exceptions"), "{row:?}");
    assert!(!row.satisfy.starts_with("First schedule it"), "{row:?}");
    assert_eq!(row.waiting_on, ["rita", "max", "mia"]);
}

#[test]
fn a_start_names_the_template_that_no_longer_holds() {
    let mut world = World::standard();
    world.submit("rita").unwrap();
    world.estate(|estate| estate.templates.get_mut("patch").unwrap().state = TemplateState::Suspended);
    world.settle();
    let row = advice(world.start("ida"));
    assert!(row.satisfy.contains("The template patch is suspended."), "{row:?}");
    assert!(!row.satisfy.contains("approvals"), "nobody is asked for one: {row:?}");
    assert_eq!(row.waiting_on, ["rita"]);
}

#[test]
fn a_start_names_the_approvals_that_are_missing_and_all_who_are_asked() {
    let mut world = World::new().until_authorizing();
    world.approve("olga").unwrap();
    let row = advice(world.start("ida"));
    assert!(
        row.satisfy.starts_with("First get its approvals (POST …/approvals)."),
        "{row:?}"
    );
    assert_eq!(row.waiting_on, ["sam", "max", "mia"]);
}

#[test]
fn a_refusal_for_the_state_names_what_each_other_step_waits_for() {
    let say = |answer: Result<(), Refusal>| {
        let row = advice(answer);
        (row.satisfy, row.waiting_on.join(" "))
    };
    let draft = World::with(facts_but(json!({"description": null})), Vec::new());
    let (satisfy, who) = say(draft.clone().start("ida"));
    assert_eq!(
        satisfy,
        "First submit it (POST …/submission). The change still needs a description. Fill in `description`."
    );
    assert_eq!(who, "rita");
    let mut held = World::new();
    held.hold("mia", json!({"reason": "Wait"})).unwrap();
    let (satisfy, who) = say(held.start("ida"));
    assert!(
        satisfy.starts_with("First resume it (POST …/resume). It is on hold since"),
        "{satisfy}"
    );
    assert_eq!(who, "mia");
    let mut early = World::new().until_scheduled();
    let (satisfy, who) = say(early.complete("ida", json!({"outcome": "succeeded"})));
    assert!(
        satisfy.starts_with("First start it (POST …/implementation). The window opens at"),
        "{satisfy}"
    );
    assert_eq!(who, "rita", "who could plan another time");
    let mut missed = World::new().until_scheduled();
    missed.wait_until(at("13:01"));
    let (satisfy, who) = say(missed.start("ida"));
    assert!(
        satisfy.starts_with("First plan other times (PUT …/schedule). Its planned end"),
        "{satisfy}"
    );
    assert_eq!(who, "rita");
    let mut working = World::new().until_implementing();
    let (satisfy, who) = say(working.close("olga"));
    assert!(
        satisfy.starts_with("First complete every target (POST …/completion)."),
        "{satisfy}"
    );
    assert_eq!(who, "ida");
    let mut back = World::new().until_authorizing();
    let (satisfy, who) = say(back.submit("rita"));
    assert_eq!(satisfy, "First return it with a question (POST …/return).");
    assert_eq!(who, "max mia olga sam", "whoever is asked may return it too");
    let mut assessing = World::new();
    assessing.submit("rita").unwrap();
    let (satisfy, who) = say(assessing.submit("rita"));
    assert_eq!(satisfy, "First return it with a question (POST …/return).");
    assert_eq!(
        who, "max mia",
        "nobody is asked yet, and the requester may not return it"
    );
    let over =
        |case: &mut change_file::Case<'_>| decide::overrule(case, &crate::world::body(json!({"reason": "It must go"})));
    let (satisfy, _) = say(assessing.act("mia", over));
    assert_eq!(satisfy, "Only a rejected change needs this.");
    let mut closed = World::new().until_closed();
    let (satisfy, who) = say(closed.start("ida"));
    assert_eq!(
        satisfy,
        "No action leads from closed to a state in which this is possible."
    );
    assert_eq!(who, "");
}

#[test]
fn a_start_under_a_glass_that_waits_names_who_could_sign() {
    let words = facts_but(json!({
        "impact": {"availability": "high", "data": "high", "compliance": "high"}, "complexity": "high",
    }));
    let mut world = World::with(words, Vec::new()).until_authorizing();
    world.break_glass("cora", 60).unwrap();
    let row = advice(world.start("ida"));
    assert!(
        row.satisfy
            .starts_with("First get its co-signature (POST …/break-glass/co-signature)."),
        "{row:?}"
    );
    assert_eq!(row.waiting_on, ["sam", "sue"]);
}

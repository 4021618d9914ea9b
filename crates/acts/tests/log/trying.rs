//! A set of policies tried on what was done and on what was refused, over what was known then.

use acts::audit::note_attempt::{Attempt, note_attempt};
use acts::change::verbs;
use acts::directory::set_person;
use acts::policy::try_policies::{Trial, try_policies};
use model::core::act::Act;
use serde_json::json;

use crate::world::{World, body};

/// A person who starts or collects a permit has a training; security cancels as well; a start needs a security test.
const POLICIES: &str = "@id(\"house.act.untrained\")\n@reason(\"Who brings it out has learned how.\")\n\
    forbid (principal, action in [Action::\"start_change\", Action::\"issue_permit\"], resource)\n\
    when { resource.category == Category::\"facility\" && !principal.trainings.contains(\"bringing_out\") };\n\n\
    @id(\"house.act.security_cancels\")\n@reason(\"Security may put a change on its way.\")\n\
    permit (principal, action == Action::\"cancel_change\", resource)\n\
    when { resource.category == Category::\"facility\" && principal.roles.contains(Role::\"security\") };\n\n\
    @id(\"house.require.tested\")\n@reason(\"It was tested.\")\n@require(\"evidence\")\n@aspect(\"security\")\n\
    permit (principal, action == Action::\"require\", resource) when { resource.category == Category::\"facility\" };\n";

const CASES: &str = "given a change\n  people rita roles requester, olga roles owner, ivo roles implementer, sam roles security\n  \
    service pay, criticality low, owners olga\n  environment production, production yes\n  \
    change kind normal, category facility, risk low, touches none, requester rita, implementers ivo\n\n\
    case who brings it out has learned how\n  ivo start_change as implementer no house.act.untrained\n  \
    sam cancel_change yes house.act.security_cancels\n  requires\n    \
    house.require.tested evidence, aspect security, due start\n    base.require.validation\n    base.require.review\n    \
    base.require.owner\n    base.require.security\n    base.require.change_manager\n    base.require.evidence\n";

fn world() -> World {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "ada", "roles": ["admin"]}))).map(drop));
    world
}

/// The requirements before the start are met, the window opens, and the work begins.
fn start(world: &World, key: &str) {
    world.evidence(key, "note", b"works");
    world.pass_seconds(150 * 60);
    let key = key.to_owned();
    world.by("ivo", move |cx| verbs::start_change(cx, &key));
}

fn trial(world: &World) -> Trial {
    let set = json!({
        "files": [{"path": "house/house.cedar", "content": POLICIES}],
        "cases": [{"path": "house/cases/house.cases", "content": CASES}],
    });
    world.by("ada", move |cx| try_policies(cx, &body(set.clone())))
}

/// The differences, by act and person, with the numbers of refusals, permissions, and added requirements.
fn told(trial: &Trial) -> Vec<(&str, &str, usize, usize, usize)> {
    trial
        .acts_differing
        .iter()
        .map(|row| {
            let counts = (row.refused.len(), row.allowed.len(), row.added.len());
            (row.act.as_str(), row.person.as_str(), counts.0, counts.1, counts.2)
        })
        .collect()
}

#[test]
fn a_start_that_the_set_would_refuse_is_told_with_the_policy() {
    let world = world();
    let key = world.scheduled("Move booking to 4.2");
    let before = trial(&world);
    assert_eq!(told(&before), [], "nothing was started yet");
    assert!(before.acts_tried > 2, "it was made, submitted and assessed: {before:?}");
    start(&world, &key);
    let after = trial(&world);
    assert_eq!(after.acts_tried, before.acts_tried + 1);
    assert_eq!(after.acts_without_facts, 0);
    assert_eq!(told(&after), [("start_change", "ivo", 1, 0, 1)]);
    let row = &after.acts_differing[0];
    assert_eq!((row.key.as_str(), row.was_refused), (key.as_str(), false));
    assert_eq!(row.refused[0].id, "house.act.untrained");
    assert_eq!(row.refused[0].reason, "Who brings it out has learned how.");
    assert_eq!(row.added[0].policy, "house.require.tested");
    world.assert_replays();
}

#[test]
fn an_attempt_that_was_refused_and_would_be_allowed_is_told() {
    let world = world();
    let key = world.draft("Move booking to 4.2");
    for (person, act) in [("sam", Act::Cancel), ("pipe", Act::Cancel), ("sam", Act::Comment)] {
        let attempt = Attempt {
            what: "POST /changes/{key}/cancellation".to_owned(),
            change: Some(key.clone()),
            code: "not_allowed".to_owned(),
            policies: Vec::new(),
            act: Some(act),
            times: 1,
        };
        world.by(person, move |cx| note_attempt(cx, &attempt));
    }
    let found = trial(&world);
    assert_eq!(told(&found), [("cancel_change", "sam", 0, 1, 0)], "{found:#?}");
    let row = &found.acts_differing[0];
    assert!(row.was_refused);
    assert_eq!(row.allowed[0].id, "house.act.security_cancels");
    world.assert_replays();
}

#[test]
fn what_was_done_before_facts_were_kept_is_counted_and_not_judged() {
    let world = world();
    let key = world.scheduled("Move booking to 4.2");
    start(&world, &key);
    let all = trial(&world);
    world.system(|cx| {
        cx.tx.execute("DELETE FROM act_facts WHERE tenant = $tenant", &[])?;
        Ok(())
    });
    let none = trial(&world);
    assert_eq!((none.acts_tried, none.acts_without_facts), (0, all.acts_tried));
    assert_eq!(told(&none), []);
}

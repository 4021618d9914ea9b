//! A rule on communication: the announcement that a plan sends, the acknowledgements of the inbox and the confirmation of each
//! team open the start, and the log shows each.

use acts::change::verbs::{say_ready, start_change};
use acts::core::noun;
use acts::notify::act_on_items::acknowledge;
use acts::notify::action_items;
use model::core::enums::{AboutKind, ActionKind};
use model::notify::action_item::About;
use model::notify::business_unit::BusinessUnit;
use model::notify::communication_plan::CommunicationPlan;
use serde_json::json;
use store::{Lane, Mode};

use crate::reviewing::work;
use crate::world::{TENANT, World, body};

const POLICY: &str = "@id(\"house.require.told\")\n@reason(\"Facilities are told before.\")\n@require(\"communication\")\n\
    @announced_before(\"30m\")\n@acknowledged\n@ready_from(\"owner\")\n\
    permit (principal, action == Action::\"require\", resource)\n\
    when { resource.category == Category::\"facility\" };\n";

/// Why the start is refused; empty where it began.
fn start(world: &World, key: &str) -> String {
    let key = key.to_owned();
    let begun = world
        .executor
        .wait(Lane::Acts, TENANT, world.actor("ivo"), Mode::Write, move |cx| {
            start_change(cx, &key)
        });
    begun.map_or_else(|error| format!("{error:?}"), |()| String::new())
}

fn acknowledged_by(world: &World, login: &'static str, key: &str) {
    let (about, person) = (About::new(AboutKind::Change, key), world.actor(login).person);
    let open = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    let his = open
        .iter()
        .find(|it| it.kind == ActionKind::Acknowledge && it.owner.as_ref() == Some(&person));
    let item = his.unwrap().key.clone();
    world.by(login, move |cx| acknowledge(cx, &item, &body(json!({}))));
}

#[test]
fn a_change_starts_once_it_was_announced_acknowledged_and_its_team_is_ready() {
    let world = World::with_policy(POLICY);
    let unit =
        json!({"key": "dispatch", "name": "Dispatch", "services": ["pay"], "contacts": ["sam"], "language": "en"});
    world.system(move |cx| noun::add::<BusinessUnit>(cx, &body(unit.clone())));
    let plan = json!({"key": "all", "name": "All", "audiences": ["owners", "business_units"], "stages": ["announced"],
        "acknowledge": true, "subject_en": "{stage}: {title}", "text_en": "From {start}."});
    world.system(move |cx| noun::add::<CommunicationPlan>(cx, &body(plan.clone())));
    let key = world.scheduled("Move the racks");
    world.evidence(&key, "note", b"works");
    let refused = start(&world, &key);
    assert!(
        refused.contains("not_announced") && refused.contains("team_not_ready"),
        "{refused}"
    );
    work(&world);
    let refused = start(&world, &key);
    assert!(!refused.contains("not_announced"), "{refused}");
    for wanted in ["Not acknowledged by", "olga", "sam"] {
        assert!(refused.contains(wanted), "{wanted} is not in {refused}");
    }
    acknowledged_by(&world, "sam", &key);
    acknowledged_by(&world, "olga", &key);
    let refused = start(&world, &key);
    assert!(
        !refused.contains("not_acknowledged") && refused.contains("team_not_ready"),
        "{refused}"
    );
    let k = key.clone();
    world.by("olga", move |cx| say_ready(cx, &k, &body(json!({}))));
    world.pass_seconds(150 * 60);
    assert_eq!(start(&world, &key), "");
    world.assert_replays();
}

//! Custom fields of a tenant: their values, the approvals that they add, and the rest when they go out of use.

use model::change::custom_field::{CustomValue, Held};
use model::change::{custom_values, read_content};
use model::core::enums::{Category, FieldKind, Kind};
use model::core::refusal::Refusal;
use serde_json::{Value, json};

use crate::people::{dawn, field};
use crate::world::{World, missing};

fn world() -> World {
    let mut world = World::new();
    world.estate(|estate| {
        for holds in FieldKind::ALL {
            let mut made = field(&format!("a_{holds}"), *holds);
            if *holds == FieldKind::Choice {
                made.choices = vec!["gold".into(), "silver".into()];
            }
            estate.custom_fields.insert(made.key.clone(), made);
        }
    });
    world
}

fn told(world: &World) -> Value {
    let shown = custom_values::shown(&world.change().content.custom_fields, &world.directory);
    Value::Object(shown)
}

fn wrong(refused: Result<(), Refusal>) -> Vec<(String, String)> {
    match refused {
        Err(Refusal::Invalid(errors)) => errors.into_iter().map(|error| (error.field, error.code)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_kind_takes_what_it_holds_and_tells_it_again() {
    let mut world = world();
    let said = json!({
        "a_text": "Hello", "a_choice": "gold", "a_number": "42", "a_date": "2026-12-01", "a_person": "ida",
        "a_service": "pay", "a_link": "https://example.org/a?b=c",
    });
    world.edit("rita", json!({"custom_fields": said})).unwrap();
    let mut expected = said;
    expected["a_number"] = json!(42);
    assert_eq!(told(&world), expected);
    let before = world.change().digests.what.clone();
    world
        .edit("rita", json!({"custom_fields": {"a_text": null, "a_number": 7}}))
        .unwrap();
    assert_eq!(told(&world)["a_text"], Value::Null);
    assert_eq!(told(&world)["a_number"], 7);
    assert_eq!(
        told(&world)["a_choice"],
        "gold",
        "a patch leaves alone what it does not name"
    );
    assert_ne!(world.change().digests.what, before);
}

/// The custom fields that a template of standard changes locks are in each of them; an edit makes it a normal change.
#[test]
fn a_template_locks_fields_of_ones_own() {
    let mut world = world();
    let value = CustomValue {
        key: "a_text".into(),
        name: None,
        held: Held::Text("4711".into()),
    };
    let gone = CustomValue {
        key: "a_date".into(),
        name: None,
        held: Held::Date("2026-12-01".into()),
    };
    world.estate(|estate| {
        let mut template = crate::people::template();
        template.services = Default::default();
        template.custom_fields = vec![value.clone(), gone];
        estate.templates.insert(template.key.clone(), template);
        estate.custom_fields.get_mut("a_date").unwrap().is_over = true;
    });
    let mut request = json!({"template": "patch", "custom_fields": {"a_number": 7}});
    let filled = request.as_object_mut().unwrap();
    read_content::fill_from_template(filled, &world.directory);
    assert_eq!(filled["custom_fields"], json!({"a_number": 7, "a_text": "4711"}));
    assert_eq!(filled["kind"], "standard");
    let mut said = json!({"template": "patch", "custom_fields": {"a_text": "other"}});
    read_content::fill_from_template(said.as_object_mut().unwrap(), &world.directory);
    assert_eq!(
        said["custom_fields"],
        json!({"a_text": "other"}),
        "what a request says is not overwritten"
    );
}

#[test]
fn what_a_field_does_not_take_is_told_beside_it() {
    let mut world = world();
    let said = json!({
        "a_text": "x".repeat(1_001), "a_choice": "bronze", "a_number": "4.5", "a_date": "tomorrow", "a_person": "nobody",
        "a_service": "nothing", "a_link": "javascript:alert(1)", "a_tekst": "x",
    });
    let found = wrong(world.edit("rita", json!({"custom_fields": said})));
    let expected = [
        ("a_text", "too_long"),
        ("a_choice", "unknown_word"),
        ("a_number", "out_of_range"),
        ("a_date", "not_a_date"),
        ("a_person", "unknown"),
        ("a_service", "unknown"),
        ("a_link", "not_a_link"),
        ("a_tekst", "unknown_field"),
    ];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(key, code)| (format!("custom_fields.{key}"), (*code).to_owned()))
        .collect();
    assert_eq!(found, expected);
    let found = wrong(world.edit("rita", json!({"custom_fields": "x"})));
    assert_eq!(found, [("custom_fields".to_owned(), "not_an_object".to_owned())]);
}

#[test]
fn what_stands_stays_when_its_field_goes_out_of_use_and_nothing_new_is_said_in_it() {
    let mut world = world();
    world
        .edit("rita", json!({"custom_fields": {"a_choice": "gold", "a_text": "x"}}))
        .unwrap();
    world.estate(|estate| {
        estate.custom_fields.get_mut("a_choice").unwrap().choices = vec!["silver".into(), "tin".into()];
        estate.custom_fields.get_mut("a_text").unwrap().is_over = true;
    });
    world.edit("rita", json!({"title": "Another"})).unwrap();
    assert_eq!(told(&world), json!({"a_choice": "gold", "a_text": "x"}));
    let found = wrong(world.edit("rita", json!({"custom_fields": {"a_text": "y"}})));
    assert_eq!(found[0].1, "unknown_field");
}

#[test]
fn a_field_is_asked_of_its_kinds_and_of_changes_written_since() {
    let mut world = world();
    world.estate(|estate| {
        let mut tier = field("tier", FieldKind::Text);
        tier.needed_since = Some(dawn());
        tier.kinds.insert(Kind::Normal);
        estate.custom_fields.insert("tier".into(), tier);
        let mut ship = field("ship", FieldKind::Text);
        ship.kinds.insert(Kind::Emergency);
        ship.needed_since = Some(dawn());
        estate.custom_fields.insert("ship".into(), ship);
        let mut late = field("late", FieldKind::Text);
        late.needed_since = Some(dawn() + jiff::SignedDuration::from_secs(1));
        estate.custom_fields.insert("late".into(), late);
    });
    let mut refused = world.clone();
    assert_eq!(
        missing(refused.submit("rita")),
        ["field_missing"],
        "the field of normal changes alone"
    );
    let found = wrong(world.edit("rita", json!({"custom_fields": {"ship": "x"}})));
    assert_eq!(found[0].1, "not_allowed");
    world.edit("rita", json!({"custom_fields": {"tier": "gold"}})).unwrap();
    world.submit("rita").unwrap();
    let found = wrong(world.edit("rita", json!({"custom_fields": {"tier": null}})));
    assert_eq!(found, [("custom_fields.tier".to_owned(), "needed".to_owned())]);
}

#[test]
fn a_field_of_other_categories_holds_no_submission() {
    let mut world = world();
    world.estate(|estate| {
        let mut schema = field("schema", FieldKind::Text);
        schema.needed_since = Some(dawn());
        schema.categories.insert(Category::Facility);
        estate.custom_fields.insert("schema".into(), schema);
    });
    assert_ne!(world.change().content.category, Category::Facility);
    let mut other = world.clone();
    other.submit("rita").unwrap();
    world.estate(|estate| {
        let schema = estate.custom_fields.get_mut("schema").unwrap();
        schema.categories.clear();
    });
    assert_eq!(missing(world.submit("rita")), ["field_missing"]);
}

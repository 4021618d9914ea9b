#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;
use std::collections::BTreeSet;

#[test]
fn no_route_and_no_name_stands_twice() {
    let mut places = BTreeSet::new();
    let mut names = BTreeSet::new();
    for route in routes() {
        assert!(
            places.insert((route.method, &route.path)),
            "{} {}",
            route.method,
            route.path
        );
        assert!(names.insert(route.operation), "{}", route.operation);
        assert!(TAGS.iter().any(|(tag, _)| *tag == route.tag), "{}", route.tag);
    }
    assert!(places.len() > 100, "{} routes", places.len());
}

#[test]
fn every_act_of_the_lifecycle_has_its_route() {
    let names: BTreeSet<&str> = routes().iter().map(|route| route.operation).collect();
    for act in model::act::Act::ALL {
        // Labels are edited like any other field.
        let name = if act.as_str() == "label_change" {
            "edit_change"
        } else {
            act.as_str()
        };
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document("https://assent.example");
    let mut stack = vec![&document];
    let mut seen = 0;
    while let Some(value) = stack.pop() {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            let pointer = target.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{target}");
            seen += 1;
        }
        match value {
            Value::Object(members) => stack.extend(members.values()),
            Value::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn no_shape_stands_twice_or_unused() {
    let all: Vec<&str> = every_shape().map(|shape| shape.name).collect();
    let names: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(names.len(), all.len());
    let text = document("https://assent.example").to_string();
    for name in names {
        assert!(
            text.contains(&format!("#/components/schemas/{name}\"")),
            "{name} is used nowhere"
        );
    }
}

#[test]
fn a_path_is_filled_in_order() {
    let route = routes()
        .iter()
        .find(|route| route.operation == "withdraw_approval")
        .unwrap();
    assert_eq!(route.path_params(), ["key", "id"]);
    assert_eq!(route.fill(&["CHG-1", "a"]), "/api/v1/changes/CHG-1/approvals/a");
    let tile = routes().iter().find(|route| route.operation == "tile").unwrap();
    assert_eq!(tile.path_params(), ["tenant", "level", "rest"]);
    assert_eq!(tile.fill(&["acme", "0", "x001/067"]), "/t/acme/log/tile/0/x001/067");
    assert_eq!(tile.document_path(), "/t/{tenant}/log/tile/{level}/{rest}");
}

#[test]
fn edits_need_if_match_and_say_what_a_stale_one_answers() {
    let document = document("https://assent.example");
    let edit = &document["paths"]["/api/v1/changes/{key}"]["patch"];
    let names: Vec<&str> = edit["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["$ref"].as_str())
        .collect();
    assert_eq!(names, ["#/components/parameters/if_match"]);
    for status in ["200", "412", "428", "409"] {
        assert!(edit["responses"].get(status).is_some(), "{status}");
    }
    let list = &document["paths"]["/api/v1/changes"]["get"];
    assert!(list["parameters"].as_array().unwrap().len() >= 15);
}

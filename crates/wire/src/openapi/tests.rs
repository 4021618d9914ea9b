#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;
use model::change::content;
use model::core::act;
use model::core::enums::Outcome;
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
fn the_lists_that_are_files_are_those_that_are_served() {
    let document = document("https://assent.example");
    let path = &document["paths"]["/api/v1/exports/{noun}/file"]["get"];
    let parameters = path["parameters"].as_array().unwrap();
    let noun = parameters.iter().find(|it| it["name"] == "noun").unwrap();
    let said: Vec<&str> = noun["schema"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it.as_str())
        .collect();
    let served: Vec<&str> = lists().map(|(noun, _)| noun).collect();
    assert_eq!(said, served);
    assert!(
        served.contains(&"changes") && served.contains(&"services"),
        "{served:?}"
    );
}

#[test]
fn every_act_of_the_lifecycle_has_its_route() {
    let names: BTreeSet<&str> = routes().iter().map(|route| route.operation).collect();
    for act in act::Act::ALL {
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
    let make = &document["paths"]["/api/v1/groups/{key}"]["put"];
    let named = make["parameters"].as_array().unwrap().iter();
    let named: Vec<&str> = named.filter_map(|it| it["$ref"].as_str()).collect();
    assert_eq!(
        named,
        ["#/components/parameters/if_match_of_known"],
        "nothing was read of what is made"
    );
    let list = &document["paths"]["/api/v1/changes"]["get"];
    assert!(list["parameters"].as_array().unwrap().len() >= 15);
}

/// The fields that a schema names, with those of the schemas it is made of.
fn named<'d>(document: &'d Value, schema: &str) -> BTreeSet<&'d str> {
    let mut found = BTreeSet::new();
    let mut stack = vec![&document["components"]["schemas"][schema]];
    while let Some(schema) = stack.pop() {
        if let Some(target) = schema["$ref"].as_str() {
            stack.extend(document.pointer(target.trim_start_matches('#')));
        }
        found.extend(
            schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str()),
        );
        stack.extend(schema["allOf"].as_array().into_iter().flatten());
    }
    found
}

/// The fields of a record, none of them absent.
fn fields_of(record: &impl serde::Serialize) -> Vec<String> {
    let value = serde_json::to_value(record).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_field_that_a_change_may_answer_is_described() {
    use model::change::record::{EarlierOutcome, Hold, Target, TargetRecord};
    use model::core::ids::PersonId;
    let document = document("https://assent.example");
    let change = named(&document, "Change");
    let covered = content::WHAT.iter().chain(content::WHEN);
    for field in covered.chain(crate::views::RECORD) {
        assert!(change.contains(field), "{field} of a change");
    }
    let at = jiff::Timestamp::UNIX_EPOCH;
    let text = || Some("x".to_owned());
    let target = Target {
        id: "1".into(),
        service: "pay".into(),
        environment: "lab".into(),
        config_items: vec!["x".to_owned()],
        artifact: text(),
        commit: text(),
        rollback_to: text(),
        members: serde_json::from_value(json!({"digest": "x", "count": 1})).unwrap(),
    };
    let earlier = EarlierOutcome {
        outcome: Outcome::Succeeded,
        reason: "x".to_owned(),
        by: PersonId::from("p"),
        at,
        validations: 0,
        reviews: 0,
    };
    let record = TargetRecord {
        target: "1".into(),
        outcome: Some(Outcome::Succeeded),
        earlier: vec![earlier],
        actual_start: Some(at),
        actual_end: Some(at),
        actual_downtime_minutes: Some(1),
        is_observed: true,
        ran_before: Some(vec!["x".to_owned()]),
        rollback_unproven: true,
    };
    let described = named(&document, "Target");
    let mut told = fields_of(&record);
    // The target's id is its own there.
    told.retain(|field| field != "target");
    for field in fields_of(&target).into_iter().chain(told) {
        assert!(described.contains(field.as_str()), "{field} of a target");
    }
    let hold = Hold {
        reason: "x".to_owned(),
        until: Some(at),
        by: PersonId::from("p"),
        at,
    };
    for field in fields_of(&hold) {
        assert!(named(&document, "Hold").contains(field.as_str()), "{field} of a hold");
    }
    assert_eq!(
        document["components"]["schemas"]["Change"]["allOf"][1]["properties"]["hold"]["$ref"],
        "#/components/schemas/Hold"
    );
}

#[test]
fn fields_with_few_values_say_which() {
    let document = document("https://assent.example");
    let schemas = &document["components"]["schemas"];
    // Right after an act an event has no place in the log yet.
    assert_eq!(
        schemas["Event"]["properties"]["index"]["type"],
        json!(["integer", "null"])
    );
    // Tokens of feeds are in the list of tokens, too.
    let scopes = schemas["Token"].to_string();
    assert!(
        scopes.contains("\"calendar\"") && scopes.contains("\"status\""),
        "{scopes}"
    );
    let levels = &schemas["RiskOverride"]["properties"]["level"]["enum"];
    assert_eq!(*levels, json!(["low", "medium", "high"]), "no risk is none");
}

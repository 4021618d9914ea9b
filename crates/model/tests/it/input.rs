//! The content of a request: every limit, every kind of slip, and the laws of the merge patch.

use model::change::read_content::{self, Input, merge};
use model::change::record;
use model::core::parse::{LINE, LIST, TEXT, nearest, one_line};
use model::core::refusal::{FieldError, Refusal};
use model::core::{confusables, enums};
use model::directory::snapshot;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::people::directory;
use crate::world::{World, body, facts, facts_but, fields};

fn read(words: Map<String, Value>) -> Result<Input, Vec<FieldError>> {
    match read_content::read(&words, &directory(), &"rita".into(), None) {
        Ok(input) => Ok(input),
        Err(Refusal::Invalid(errors)) => Err(errors),
        Err(other) => panic!("{other}"),
    }
}

fn errors(words: Value) -> Vec<(String, String)> {
    let read = read(facts_but(words)).expect_err("it should not be taken");
    read.into_iter().map(|error| (error.field, error.code)).collect()
}

#[test]
fn an_unknown_field_is_named_with_its_nearest() {
    let found = read(facts_but(
        json!({"titel": "x", "zzzzzzzz": 1, "disruption": {"kind": "none", "minuts": 3}}),
    ))
    .unwrap_err();
    let texts: Vec<_> = found
        .iter()
        .map(|error| (error.field.as_str(), error.text.as_str()))
        .collect();
    assert_eq!(
        texts,
        [
            (
                "disruption.minuts",
                "`disruption.minuts` is not a field here; did you mean `minutes`?"
            ),
            ("titel", "`titel` is not a field here; did you mean `title`?"),
            ("zzzzzzzz", "`zzzzzzzz` is not a field here."),
        ]
    );
    assert_eq!(
        nearest("planed_start", &["planned_start", "planned_end"]),
        Some("planned_start")
    );
    assert_eq!(nearest("x", &[]), None);
}

#[test]
fn every_limit_is_held_and_met() {
    let long = |length: usize| "ä".repeat(length);
    assert!(read(facts_but(json!({"title": long(LINE), "description": long(TEXT)}))).is_ok());
    assert_eq!(
        errors(json!({"title": long(LINE + 1)})),
        [("title".into(), "too_long".into())]
    );
    assert_eq!(
        errors(json!({"description": long(TEXT + 1)})),
        [("description".into(), "too_long".into())]
    );
    let labels = |count: usize| json!({"labels": vec!["x"; count]});
    assert!(read(facts_but(labels(LIST))).is_ok());
    assert_eq!(errors(labels(LIST + 1)), [("labels".into(), "too_many".into())]);
    assert!(read(facts_but(json!({"rollback_minutes": 100_000}))).is_ok());
    for wrong in [json!(100_001), json!(-1), json!(1.5), json!("7")] {
        assert_eq!(
            errors(json!({"rollback_minutes": wrong})),
            [("rollback_minutes".into(), "out_of_range".into())]
        );
    }
    let target =
        |artifact: String| json!({"targets": [{"service": "shop", "environment": "production", "artifact": artifact}]});
    let place = format!("registry.example/{}@sha256:", "a".repeat(255 - 25 - 64));
    let reference = |length: usize| format!("{place}{}", "a".repeat(length));
    assert_eq!(reference(64).len(), 255);
    assert!(read(facts_but(target(reference(64)))).is_ok());
    assert_eq!(
        errors(target(reference(65))),
        [("targets[0].artifact".into(), "too_long".into())]
    );
}

#[test]
fn every_wrong_kind_of_value_is_told_at_once() {
    let mut found = errors(json!({
        "title": 7, "expedited": "yes", "labels": "x", "impact": [], "plan": [{"minutes": 3}, 4], "category": "cooking",
        "planned_start": "tomorrow", "complexity": "none", "touches": ["schema", "moon"], "owner": "nobody", "tester": 1,
        "implementers": ["ida", "nobody"],
    }));
    found.sort();
    let wanted = [
        ("category", "unknown_word"),
        ("complexity", "unknown_word"),
        ("expedited", "not_boolean"),
        ("impact", "not_an_object"),
        ("implementers[1]", "unknown"),
        ("labels", "not_a_list"),
        ("owner", "unknown"),
        ("plan[0].title", "missing"),
        ("plan[1]", "not_an_object"),
        ("planned_start", "not_a_time"),
        ("tester", "not_text"),
        ("title", "not_text"),
        ("touches[1]", "unknown_word"),
    ];
    assert_eq!(found, wanted.map(|(field, code)| (field.to_owned(), code.to_owned())));
}

#[test]
fn targets_are_checked_against_the_estate() {
    let target =
        |service: &str, artifact: &str| json!({"service": service, "environment": "production", "artifact": artifact});
    let found = errors(json!({"targets": [
        target("shop", "git:aae5e5e"), target("shop", "git:aae5e5e"), target("nowhere", "git:aae5e5e"),
        target("shop", "no digest"),
        {"service": "shop", "environment": "moon", "commit": "xyz"},
    ]}));
    assert_eq!(
        found,
        [
            ("targets[3].artifact", "not_a_digest"),
            ("targets[4].commit", "not_a_commit"),
            ("targets[1]", "not_unique"),
            ("targets[2].service", "unknown"),
            ("targets[4].environment", "unknown"),
        ]
        .map(|(field, code)| (field.to_owned(), code.to_owned()))
    );
}

#[test]
fn an_item_of_another_service_is_refused_by_name_unless_the_change_holds_it_already() {
    let mut estate = directory();
    let item = snapshot::ConfigItem {
        id: "pay-db".into(),
        version: 1,
        key: "pay-db".into(),
        name: "pay-db".into(),
        service: "pay".into(),
        kind: None,
        holds: Default::default(),
        addresses: Default::default(),
    };
    estate.config_items.insert("pay-db".into(), item);
    let mut words = facts();
    let target = |service: &str, items: serde_json::Value| json!({"service": service, "environment": "production", "config_items": items});
    words.insert(
        "targets".into(),
        json!([
            target("pay", json!(["pay-db"])),
            target("shop", json!(["vm-1", "pay-db"]))
        ]),
    );
    let asked = |keep: Option<&record::Content>| read_content::read(&words, &estate, &"rita".into(), keep);
    let Err(Refusal::Invalid(found)) = asked(None) else {
        panic!("it was taken");
    };
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].field.as_str(), found[0].code.as_str()),
        ("targets[1].config_items[1]", "not_of_service")
    );
    assert_eq!(
        found[0].text,
        "The config item `pay-db` belongs to the service `pay`, not to `shop`; name `pay` as a target of its own."
    );
    let before = read_content::read(&words, &directory(), &"rita".into(), None)
        .unwrap()
        .content;
    assert!(
        asked(Some(&before)).is_ok(),
        "other things of an older change can be edited"
    );
}

#[test]
fn the_short_form_says_equal_targets() {
    let mut words = facts();
    words.remove("targets");
    let short = body(json!({
        "services": ["shop", "pay"], "environment": "production", "artifact": "git:aae5e5e", "config_items": ["vm-1"],
    }));
    words.extend(short);
    let input = read(words.clone()).unwrap();
    let ids: Vec<_> = input
        .content
        .targets
        .iter()
        .map(|target| (target.id.as_str(), target.service.as_str()))
        .collect();
    assert_eq!(ids, [("1", "shop"), ("2", "pay")]);
    assert_eq!(input.content.targets[1].config_items, ["vm-1"]);
    words.insert("targets".into(), facts()["targets"].clone());
    assert!(read(words.clone()).is_err(), "not both");
    words.remove("targets");
    words.remove("services");
    assert_eq!(read(words.clone()).unwrap_err()[0].field, "services");
    words.remove("artifact");
    words.remove("environment");
    assert_eq!(
        read(words).unwrap_err()[0].field,
        "services",
        "config items alone name no target"
    );
    assert_eq!(
        errors(json!({"config_items": ["vm-1"]})),
        [("services".into(), "not_allowed".into())]
    );
}

#[test]
fn what_belongs_together_comes_together() {
    let missing = |field: &str| vec![(field.to_owned(), "missing".to_owned())];
    assert_eq!(errors(json!({"expedited": true})), missing("expedited_reason"));
    assert_eq!(errors(json!({"kind": "standard"})), missing("template"));
    assert_eq!(
        errors(json!({"template": "patch"})),
        [("template".into(), "not_allowed".into())]
    );
    assert_eq!(
        errors(json!({"kind": "standard", "template": "none"})),
        [("template".into(), "unknown".into())]
    );
    let backwards = json!({"planned_end": "2026-11-20T11:00:00Z"});
    assert_eq!(errors(backwards), [("planned_end".into(), "out_of_order".into())]);
    let told = json!({"retrospective": {"actual_start": "2026-11-20T08:00:00Z", "actual_end": "2026-11-20T07:00:00Z", "reason": "x", "verbal_approver": "olga"}});
    assert_eq!(
        errors(told),
        [("retrospective.actual_end".into(), "out_of_order".into())]
    );
}

#[test]
fn control_characters_are_refused_and_all_else_is_kept() {
    for bad in ['\0', '\u{7}', '\u{1b}', '\u{7f}', '\u{85}'] {
        let text = format!("a{bad}b");
        assert_eq!(
            errors(json!({"title": text})),
            [("title".into(), "control_character".into())],
            "{bad:?}"
        );
        assert_eq!(
            errors(json!({"labels": [text]})),
            [("labels[0]".into(), "control_character".into())],
            "{bad:?}"
        );
    }
    for broken in ["a\nb", "a\r\nb", "a\tb", "a\u{2028}b", "a\u{2029}b"] {
        let one = errors(json!({"title": broken, "labels": [broken], "plan": [{"title": broken}]}));
        let fields: Vec<_> = one.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["title", "labels[0]", "plan[0].title"], "{broken:?}");
        assert!(one.iter().all(|(_, code)| code == "control_character"), "{one:?}");
        let input = read(facts_but(json!({"description": broken}))).unwrap();
        assert_eq!(input.content.description.as_deref(), Some(broken), "of several lines");
        assert_eq!(one_line(&format!("{broken} \u{7} ")), "a b");
    }
    for good in ["Ærlig 🚀 変更", "e\u{301}", "עברית", "  spaces stay  ", "𝔘𝔫𝔦"] {
        let input = read(facts_but(json!({"title": good, "description": good}))).unwrap();
        assert_eq!(
            (input.content.title.as_str(), input.content.description.as_deref()),
            (good, Some(good))
        );
    }
    let blank = read(facts_but(json!({"description": " \n "}))).unwrap();
    assert_eq!(blank.content.description, None, "blank counts as absent");
}

#[test]
fn times_are_kept_to_the_microsecond_in_utc() {
    let words = facts_but(json!({"planned_start": "2026-11-20T12:00:00.123456789+01:00"}));
    assert_eq!(
        read(words).unwrap().planned_start.unwrap().to_string(),
        "2026-11-20T11:00:00.123456Z"
    );
    for far in [
        "1969-12-31T23:59:59Z",
        "9999-12-31T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+012026-11-20T00:00:00Z",
    ] {
        let read = read(facts_but(json!({"planned_start": far}))).unwrap_err();
        let found = (read[0].code.as_str(), read[0].text.as_str());
        assert_eq!(
            found,
            (
                "out_of_range",
                "`planned_start` must lie between 1970-01-01T00:00:00Z and 9999-12-30T22:00:00Z."
            ),
            "{far}"
        );
    }
    for wrong in ["2026-11-20", "2026-11-20T11:00:00", "2026-02-30T11:00:00Z", "202611-20"] {
        assert_eq!(
            errors(json!({"planned_start": wrong})),
            [("planned_start".into(), "not_a_time".into())],
            "{wrong}"
        );
    }
}

#[test]
fn the_assessment_is_read_alike() {
    let wrong = body(json!({
        "impact": {"data": "huge"}, "excluded": [{"item": "Load"}], "risk_override": {"level": "none", "reason": "x"},
        "security": 4, "riskoverride": 1,
    }));
    let Err(Refusal::Invalid(found)) = read_content::read_assessment(&wrong) else {
        panic!("it should not be taken")
    };
    let fields: Vec<_> = found.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "impact.data",
            "security",
            "excluded[0].reason",
            "risk_override.level",
            "riskoverride"
        ]
    );
}

/// Nobody's risk is raised by a level that nobody named.
#[test]
fn an_override_of_the_risk_names_its_level() {
    for level in [json!({}), json!({"level": null}), json!({"level": ""})] {
        let mut told = level.clone();
        told["reason"] = json!("A new vendor");
        let Err(Refusal::Invalid(found)) = read_content::read_assessment(&body(json!({"risk_override": told}))) else {
            panic!("{level} should not be taken")
        };
        let told: Vec<_> = found.iter().map(|it| (it.field.as_str(), it.code.as_str())).collect();
        assert_eq!(told, [("risk_override.level", "missing")], "{level}");
    }
}

/// A small JSON value, with nulls in it as patches have them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0i64..5).prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            proptest::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map("[a-d]", value(), 0..4).prop_map(|map| map.into_iter().collect())
}

/// RFC 7396, section 2, as the standard writes it down.
fn merge_patch(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = if let Value::Object(map) = target {
        map
    } else {
        Map::new()
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let old = target.remove(name).unwrap_or(Value::Null);
            target.insert(name.clone(), merge_patch(old, value));
        }
    }
    Value::Object(target)
}

proptest! {
    #[test]
    fn a_merge_is_the_standards(base in object(), patch in object()) {
        let mut merged = base.clone();
        merge(&mut merged, &patch);
        let wanted = merge_patch(Value::Object(base), &Value::Object(patch.clone()));
        prop_assert_eq!(&Value::Object(merged.clone()), &wanted);
        let mut again = merged.clone();
        merge(&mut again, &patch);
        prop_assert_eq!(again, merged, "a patch applied twice does the same as once");
    }

    #[test]
    fn no_request_makes_it_stumble(words in object(), field in "[a-z_]{1,12}", word in any::<String>()) {
        let mut words = words;
        words.insert(field, Value::String(word));
        let _ = read_content::read(&words, &directory(), &"rita".into(), None);
        let _ = read_content::read_assessment(&words);
    }

    #[test]
    fn any_title_of_which_something_is_seen_is_kept_as_it_is(title in r"[\PC&&[^\u{2028}\u{2029}]]{1,60}") {
        let is_seen = |c: char| !c.is_whitespace() && !confusables::is_hidden(c, None);
        let kept = if title.chars().any(is_seen) { title.clone() } else { String::new() };
        prop_assert_eq!(read(facts_but(json!({"title": title}))).unwrap().content.title, kept);
    }
}

#[test]
fn an_answer_can_be_sent_back_as_a_request() {
    let world = crate::world::World::new().until_scheduled();
    let shown = read_content::present(world.change(), &world.directory);
    let kept = ["security", "dependencies_reviewed", "excluded", "risk_override"];
    let words: Map<String, Value> = shown
        .into_iter()
        .filter(|(field, _)| !kept.contains(&field.as_str()))
        .collect();
    let again = read(words).unwrap();
    assert_eq!(again.content, world.change().content);
    assert_eq!(again.planned_end, world.change().planned_end);
}

#[test]
fn a_patch_names_what_it_cannot_change_also_to_clear_it() {
    let mut world = World::new();
    for (patch, field) in [
        (json!({"no_such": null}), "no_such"),
        (json!({"key": null}), "key"),
        (json!({"outcome": null}), "outcome"),
        (json!({"risk_override": null}), "risk_override"),
        (json!({"impact": {"zz": null}}), "impact.zz"),
        (
            json!({"disruption": {"kind": "none", "minuts": null}}),
            "disruption.minuts",
        ),
        (json!({"custom_fields": {"zz": null}}), "custom_fields.zz"),
        (json!({"title": "x", "description": null, "titel": null}), "titel"),
    ] {
        let answer = world.edit("rita", patch.clone());
        assert_eq!(
            fields(answer),
            [(field.to_owned(), "unknown_field".to_owned())],
            "{patch}"
        );
    }
    world
        .edit("rita", json!({"custom_fields": {"cost_centre": "12"}}))
        .unwrap();
    assert_eq!(world.change().content.custom_fields.len(), 1);
    let cleared = json!({
        "description": null, "tester": null, "impact": {"data": null}, "custom_fields": {"cost_centre": null},
        "plan": null, "services": null, "environment": null,
    });
    world.edit("rita", cleared).unwrap();
    let content = &world.change().content;
    assert_eq!((&content.description, &content.tester), (&None, &None));
    assert!(content.plan.is_empty() && content.custom_fields.is_empty() && content.targets.len() == 1);
    assert!(world.change().origins.contains_key("impact.data"), "derived again");
}

#[test]
fn what_a_templates_approvers_never_saw_makes_a_change_a_normal_one() {
    use crate::world::{World, standard_facts};
    use model::change::template::bounds::TemplateBounds;
    let created = |more: Value| {
        let mut words = standard_facts();
        read_content::merge(&mut words, &body(more));
        World::with(words, Vec::new())
    };
    for (more, fields) in [
        (json!({"touches": ["crypto_keys"]}), &["touches", "complexity"][..]),
        (json!({"impact": {"compliance": "high"}}), &["impact", "risk"]),
        (
            json!({"disruption": {"kind": "outage", "minutes": 600}}),
            &["disruption"],
        ),
    ] {
        let (world, field) = (created(more.clone()), fields[0]);
        assert_eq!(world.change().turned_normal, fields, "{more}");
        assert_eq!(world.change().content.kind, enums::Kind::Normal);
        let mut later = created(json!({}));
        later.submit("rita").unwrap();
        assert_eq!(later.state(), enums::State::Scheduled);
        later.edit("rita", more.clone()).unwrap();
        assert_eq!(later.change().turned_normal, fields, "{more}");
        assert!(later.state() < enums::State::Approved, "{more}");
        // The approver of the template saw that it may, and how far.
        let mut free = created(json!({}));
        free.estate(|estate| {
            for template in estate.templates.values_mut() {
                template.bounds = TemplateBounds::widest();
            }
        });
        free.edit("rita", more.clone()).unwrap();
        assert_eq!(free.change().turned_normal, [""; 0], "{more}");
        // Filling it in by each change does not limit it.
        let mut named = created(json!({}));
        named.estate(|estate| {
            for template in estate.templates.values_mut() {
                template.free.insert(field.to_owned());
            }
        });
        named.edit("rita", more.clone()).unwrap();
        assert!(named.change().turned_normal.iter().any(|it| it == field), "{more}");
    }
    assert_eq!(
        created(json!({"disruption": {"kind": "none"}})).change().turned_normal,
        [""; 0]
    );
}

#[test]
fn words_are_no_artifact_and_so_never_stand_in_clear_in_the_log() {
    for text in [
        "ola:nordmann",
        "Ola Nordmann",
        "ola.nordmann:aa",
        "note:",
        "nordmanns:aa",
        "nordmann:ada",
        "nordmann:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "olaf:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "git:a b",
        "git:",
    ] {
        for field in ["artifact", "rollback_to"] {
            let target = json!({"service": "shop", "environment": "production", field: text});
            let found = errors(json!({"targets": [target]}));
            assert_eq!(
                found,
                [(format!("targets[0].{field}"), "not_a_digest".to_owned())],
                "{text}"
            );
        }
    }
}

#[test]
fn a_digest_of_a_usual_algorithm_is_whole_and_hexadecimal() {
    let input =
        |artifact: &str| json!({"targets": [{"service": "shop", "environment": "production", "artifact": artifact}]});
    let whole = [
        ("sha256", 64),
        ("SHA256", 64),
        ("sha384", 96),
        ("sha512", 128),
        ("sha1", 40),
        ("blake3", 64),
    ];
    for (name, length) in whole {
        let digest = |digits: usize| format!("{name}:{}", "a".repeat(digits));
        assert!(read(facts_but(input(&digest(length)))).is_ok(), "{name}");
        for wrong in [0, 12, length - 1, length + 1] {
            let found = errors(input(&digest(wrong)));
            assert_eq!(
                found,
                [("targets[0].artifact".into(), "not_a_digest".into())],
                "{name} {wrong}"
            );
        }
        let no_hex = format!("{name}:{}", "g".repeat(length));
        assert_eq!(errors(input(&no_hex)).len(), 1, "{no_hex}");
    }
    // `git` names a commit, whole or short.
    let commit = "a".repeat(64);
    for short in [&commit[..7], &commit[..40], commit.as_str()] {
        assert!(read(facts_but(input(&format!("git:{short}")))).is_ok(), "{short}");
    }
    // Any other name before the digits is nobody's algorithm.
    let (long, short) = (format!("git:{commit}a"), format!("git:{}", &commit[..6]));
    for wrong in [
        "md5:0123456789abcdef0123456789abcdef",
        "registry.example/shop@git:6b1d",
        "git:a",
        short.as_str(),
        long.as_str(),
    ] {
        assert_eq!(errors(input(wrong)).len(), 1, "{wrong}");
    }
}

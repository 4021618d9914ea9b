//! A change in a terminal, for its approver: all that an approval covers, and the change's state.

use model::change::read_content::new_change::NewChange;
use model::core::card::Field;
use serde_json::Value;

use crate::output::{Output, Tone, array, text_of};

/// A name and its value; nothing is shown where the value is empty.
type Row = (&'static str, String);

/// Shows the card: all that the digest covers is on it, because an approval covers the shown content.
pub(super) fn card(output: &Output, change: &Value) {
    let title = format!("{}  {}", text_of(change, "key"), text_of(change, "title"));
    output.line(&output.tone(Tone::Strong, &title));
    let rows = [rule_rows(change), content(change), people(change), texts(change)].concat();
    output.pairs(&rows);
    lists(change).iter().for_each(|line| output.line(line));
}

/// The rules that apply to it, and its state.
fn rule_rows(change: &Value) -> Vec<Row> {
    let field = |name: &str| text_of(change, name);
    let hold = if is_true(change, "on_hold") { ", on hold" } else { "" };
    let (start, end) = (field("planned_start"), field("planned_end"));
    let planned = if start.is_empty() {
        String::new()
    } else {
        format!("{start} to {end}")
    };
    vec![
        ("state", format!("{}{hold}", field("state"))),
        ("kind", field("kind")),
        ("expedited", yes(change, "expedited")),
        ("why it is late", field(NewChange::EXPEDITED_REASON.name)),
        ("template", field("template")),
        ("made normal by", turned(change)),
        ("break-glass", glass_line(change)),
        ("bypassed", bypassed_lines(change)),
        ("incident", field("incident")),
        ("threat", field("threat")),
        ("planned", planned),
        ("outcome", field("outcome")),
    ]
}

/// The impact.
fn content(change: &Value) -> Vec<Row> {
    let field = |name: &str| text_of(change, name);
    let of = |name: &str, told: fn(&Value) -> String| change.get(name).map(told).unwrap_or_default();
    let impact = |it: &Value| {
        format!(
            "data {}, availability {}, compliance {}",
            text_of(it, "data"),
            text_of(it, "availability"),
            text_of(it, "compliance")
        )
    };
    let minutes = text_of(change, NewChange::ROLLBACK_MINUTES.name);
    vec![
        ("category", field("category")),
        ("touches", field("touches")),
        ("risk", of("risk", |it| level_and(it, "reasons"))),
        ("stated risk", of("risk_override", |it| level_and(it, "reason"))),
        ("impact", of("impact", impact)),
        ("complexity", field("complexity")),
        ("disruption", of("disruption", disruption)),
        ("dependencies", looked_at(change)),
        (
            "way back takes",
            if minutes.is_empty() {
                minutes
            } else {
                format!("{minutes} minutes")
            },
        ),
        ("no way back", field(NewChange::NO_ROLLBACK_REASON.name)),
        (
            "planned undo",
            of("planned_undo", |it| {
                format!("{}: {}", text_of(it, "at"), text_of(it, "text"))
            }),
        ),
    ]
}

fn people(change: &Value) -> Vec<Row> {
    let field = |name: &str| text_of(change, name);
    vec![
        ("requester", field("requester")),
        ("owner", field("owner")),
        ("team", field("team")),
        ("implementers", field("implementers")),
        ("tester", field("tester")),
        ("business contact", field("business_contact")),
    ]
}

fn texts(change: &Value) -> Vec<Row> {
    let field = |name: &str| text_of(change, name);
    let of = |it: Field| (it.name, field(it.name));
    vec![
        of(NewChange::DESCRIPTION),
        of(NewChange::JUSTIFICATION),
        of(NewChange::OBJECTIVES),
        of(NewChange::VERIFICATION),
        ("security", field("security")),
        ("digest", field("content_digest")),
    ]
}

fn yes(value: &Value, name: &str) -> String {
    if is_true(value, name) { "yes" } else { "" }.to_owned()
}

fn looked_at(change: &Value) -> String {
    match is_true(change, "dependencies_reviewed") {
        true => "looked at in the assessment".to_owned(),
        false => String::new(),
    }
}

fn level_and(risk: &Value, reason: &str) -> String {
    format!("{}: {}", text_of(risk, "level"), text_of(risk, reason))
}

/// The effect on users: `outage, 10 minutes, for the customers`.
fn disruption(plan: &Value) -> String {
    let mut told = text_of(plan, "kind");
    for (name, before, behind) in [("minutes", "", " minutes"), ("audience", "for ", "")] {
        let value = text_of(plan, name);
        if !value.is_empty() {
            told.push_str(&format!(", {before}{value}{behind}"));
        }
    }
    told
}

/// The lists: custom fields, omitted parts, targets, and both plans.
fn lists(change: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let own = change.get("custom_fields").and_then(Value::as_object);
    for key in own.into_iter().flat_map(serde_json::Map::keys) {
        lines.push(line("  own field", key, &text_of(&change["custom_fields"], key)));
    }
    for row in array(change, "security_answers") {
        let answer = if is_true(row, "yes") { "yes" } else { "no" };
        lines.push(line(
            "  security",
            &text_of(row, "question"),
            &format!("{answer} {}", text_of(row, "text")),
        ));
    }
    for row in array(change, "excluded") {
        lines.push(line("  left out", &text_of(row, "item"), &text_of(row, "reason")));
    }
    for row in array(change, "targets") {
        lines.extend(target(row));
    }
    lines.extend(waves(&change["wave_plan"]));
    for (name, title) in [("plan", "plan"), ("rollback_plan", "way back")] {
        for (place, row) in array(change, name).iter().enumerate() {
            lines.extend(step(&format!("  {title}"), place + 1, row));
        }
    }
    lines
}

/// `  what name: text`; a further line of the text is indented below it.
fn line(what: &str, name: &str, text: &str) -> String {
    format!("{what} {name}: {text}").replace('\n', "\n    ")
}

/// The member list of a target: how many, and the digest that approvals cover.
fn members(list: &Value) -> String {
    match list.is_object() {
        true => format!("{} {}", text_of(list, "count"), text_of(list, "digest")),
        false => String::new(),
    }
}

/// The waves of the members, and the conditions that halt them.
fn waves(plan: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, wave) in array(plan, "waves").iter().enumerate() {
        let mut said = Vec::new();
        if is_true(wave, "canary") {
            said.push("canaries".to_owned());
        }
        for (name, before) in [("regions", "of "), ("size", "at most "), ("percent", "percent: ")] {
            let value = text_of(wave, name);
            if !value.is_empty() {
                said.push(format!("{before}{value}"));
            }
        }
        let name = format!("{} {}", place + 1, text_of(wave, "wave"));
        lines.push(line("  wave", &name, &said.join(", ")));
    }
    if lines.is_empty() {
        return lines;
    }
    for (name, title) in [
        ("most_at_once", "members at once"),
        ("halt_failures", "failures that halt a wave"),
        ("halt_on_incident", "halted by an incident"),
        ("halt_on_watch", "halted by a watch result"),
        ("watch_minutes", "minutes watched after a wave"),
    ] {
        let value = text_of(plan, name);
        if !value.is_empty() {
            lines.push(line("  waves", title, &value));
        }
    }
    lines
}

fn target(target: &Value) -> Vec<String> {
    let field = |name: &str| text_of(target, name);
    let (artifact, commit) = (field("artifact"), field("commit"));
    let (what, also) = match artifact.is_empty() {
        true => (commit, String::new()),
        false => (artifact, commit),
    };
    let head = format!(
        "  target {}: {} in {} {what} {}",
        field("id"),
        field("service"),
        field("environment"),
        field("outcome")
    );
    let more = [
        ("commit", also),
        ("way back to", field("rollback_to")),
        ("config items", field("config_items")),
        ("config items not in the estate", field("unknown_config_items")),
        ("members", members(&target["members"])),
    ];
    let more = more.into_iter().filter(|(_, value)| !value.is_empty());
    let more = more.map(|(name, value)| format!("    {name} {value}"));
    std::iter::once(head.trim_end().to_owned()).chain(more).collect()
}

fn step(what: &str, place: usize, step: &Value) -> Vec<String> {
    let field = |name: &str| text_of(step, name);
    let named = |before: &str, value: String, behind: &str| match value.is_empty() {
        true => None,
        false => Some(format!("{before}{value}{behind}")),
    };
    let who = [
        named("by ", field("owner"), ""),
        named("team ", field("team"), ""),
        named("", field("minutes"), " minutes"),
    ];
    let who = who.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let mut lines = vec![line(what, &place.to_string(), &field("title"))];
    lines.extend(named("    ", who, ""));
    lines.extend(named("    check: ", field("check").replace('\n', "\n      "), ""));
    lines
}

/// The state of a change's break-glass; empty when nobody used it.
fn glass_line(change: &Value) -> String {
    let glass = &change["break_glass"];
    if !glass.is_object() {
        return String::new();
    }
    let by = format!("broken by {}, until {}", text_of(glass, "by"), text_of(glass, "until"));
    let is_signed = !is_true(glass, "needs_cosignature") || glass.get("cosigned").is_some();
    let stands = match (is_signed, is_true(glass, "ended"), glass.get("validated").is_some()) {
        (false, false, _) => "opens nothing before a second person signs",
        (false, true, _) => "nobody signed it too, so it opened nothing",
        (true, _, true) => "validated",
        (true, true, false) => "ended, not validated",
        (true, false, false) => "open",
    };
    format!("{by}: {stands}")
}

/// The checks that break-glass bypassed, a line each.
fn bypassed_lines(change: &Value) -> String {
    let rows = change["break_glass"]["bypassed"].as_array().into_iter().flatten();
    let told = |row: &Value| match row["rule"].as_str() {
        Some(rule) => format!("{} (rule {rule})", text_of(row, "text")),
        None => text_of(row, "text"),
    };
    rows.map(told).collect::<Vec<_>>().join("\n  ")
}

/// Why it follows its template no more; empty when it does.
pub(super) fn turned(change: &Value) -> String {
    let fields = text_of(change, "turned_normal");
    match fields.is_empty() {
        true => fields,
        false => format!("it goes beyond its template, {fields}"),
    }
}

pub(super) fn is_true(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    /// A value for every field that the digests cover, each with a mark that no other has.
    fn whole() -> Value {
        json!({
            "kind": "k-kind", "template": "k-template", "expedited": true, "expedited_reason": "k-late", "title": "k-title",
            "description": "k-description", "justification": "k-justification", "objectives": "k-objectives",
            "verification": "k-verification", "category": "k-category", "touches": ["k-touch"],
            "targets": [{"id": "1", "service": "k-service", "environment": "k-environment", "artifact": "k-artifact",
                "commit": "k-commit", "rollback_to": "k-back", "config_items": ["k-item"],
                "members": {"digest": "k-members", "count": 4715}}],
            "wave_plan": {"waves": [{"wave": "k-wave", "canary": true, "regions": ["k-region"], "size": 4716, "percent": 97}],
                "most_at_once": 4717, "halt_failures": 4718, "halt_on_incident": true, "halt_on_watch": false,
                "watch_minutes": 4719},
            "impact": {"data": "k-data", "availability": "k-availability", "compliance": "k-compliance"},
            "complexity": "k-complexity", "disruption": {"kind": "k-outage", "minutes": 4711, "audience": "k-audience"},
            "security": "k-security", "security_answers": [{"question": "k-question", "yes": true, "text": "k-answer"}],
            "planned_undo": {"text": "k-undone-then", "at": "k-undo-at"}, "dependencies_reviewed": true,
            "excluded": [{"item": "k-excluded", "reason": "k-why"}], "risk_override": {"level": "k-level", "reason": "k-stated"},
            "plan": [{"title": "k-step", "owner": "k-doer", "team": "k-crew", "minutes": 4712, "check": "k-check"}],
            "rollback_plan": [{"title": "k-undo", "owner": "k-undoer", "team": "k-undoers", "minutes": 4713, "check": "k-undone"}],
            "no_rollback_reason": "k-none", "rollback_minutes": 4714, "owner": "k-owner", "team": "k-team",
            "implementers": ["k-implementer"], "tester": "k-tester", "business_contact": "k-contact", "incident": "k-incident",
            "threat": "k-threat", "custom_fields": {"k-field": "k-value"},
            "planned_start": "k-start", "planned_end": "k-end",
        })
    }

    fn shown(change: &Value) -> String {
        let rows = [rule_rows(change), content(change), people(change), texts(change)].concat();
        let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
        let mut lines: Vec<String> = rows.map(|(name, value)| format!("{name}  {value}")).collect();
        lines.extend(lists(change));
        lines.join("\n")
    }

    /// Every text and number of a value.
    fn leaves(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
            Value::Object(map) => map.values().for_each(|item| leaves(item, found)),
            Value::String(text) => found.push(text.clone()),
            Value::Number(number) => found.push(number.to_string()),
            _ => {}
        }
    }

    #[test]
    fn all_that_an_approval_covers_is_on_the_card() {
        let change = whole();
        for field in model::change::content::WHAT.iter().chain(model::change::content::WHEN) {
            assert!(
                change.get(*field).is_some(),
                "{field} is covered, and is not tried here"
            );
        }
        let card = shown(&change);
        let mut marks = Vec::new();
        leaves(&change, &mut marks);
        // The title is in the head of the card.
        for mark in marks.iter().filter(|mark| *mark != "k-title" && *mark != "1") {
            assert!(card.contains(mark.as_str()), "{mark} is not shown:\n{card}");
        }
        for said in ["expedited  yes", "dependencies  looked at"] {
            assert!(card.contains(said), "{card}");
        }
    }

    #[test]
    fn a_text_of_several_lines_cannot_pass_for_a_line_of_the_card() {
        let change = json!({"plan": [{"title": "Stop", "check": "It is\n  target 2: shop in lab"}],
            "custom_fields": {"note": "a\n  plan 2: b"}, "excluded": [{"item": "x", "reason": "y\n  plan 3: z"}]});
        let card = shown(&change);
        let steps = card
            .lines()
            .filter(|line| line.starts_with("  plan") || line.starts_with("  target"));
        assert_eq!(steps.count(), 1, "{card}");
    }
}

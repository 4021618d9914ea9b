//! The draft of a review after a failure: the initial values of its form, and the facts about each target.

use model::change::record::{Change, PostImplementationReview};
use model::core::enums::Kind;
use model::emergency::cause::cause_by_rule;
use pages::{ActForm, Entry, Field, Input, Rich, Tone, short_digest};
use serde_json::Value;

use crate::web::shared::words::plain;

/// Fills a review's form with its draft, as a start for the reviewer. Yes-or-no judgements are left to the reviewer.
pub(crate) fn start_from(form: &mut ActForm, draft: &Value) {
    for field in &mut form.fields {
        match &draft[field.name.as_str()] {
            Value::String(text) => field.value.clone_from(text),
            Value::Array(rows) if field.name == "incidents" => {
                let keys: Vec<&str> = rows.iter().filter_map(Value::as_str).collect();
                field.value = keys.join(", ");
            }
            _ => {}
        }
    }
    form.note = Some("Drafted from times, incidents, permits and messages. Correct it where needed.".to_owned());
}

/// The causes that a review may state, with their labels.
const CAUSES: [(&str, &str); 6] = [
    ("", "Not stated"),
    ("incident", "Incident"),
    ("threat", "Threat"),
    ("bad_planning", "Bad planning"),
    ("capacity", "Capacity"),
    ("freeze_avoidance", "Freeze avoidance"),
];

/// Adds the question for an emergency's cause to its review form, beside the finding of the rule.
pub(crate) fn add_cause_question(form: &mut ActForm, change: &Change) {
    let is_asked = form.action_url.ends_with("/review") && change.content.kind == Kind::Emergency;
    if !is_asked || form.fields.iter().any(|field| field.name == "emergency_cause") {
        return;
    }
    let by_rule = plain(cause_by_rule(change).as_str());
    let field = Field::select("emergency_cause", "Cause of the emergency", &CAUSES)
        .hint(format!("By rule: {by_rule}. Confirm it or name another one."));
    form.fields.push(field);
}

/// Adds a question to the review form of work that could not wait: whether its author looked at what it reaches, if nobody had.
pub(crate) fn add_look_question(form: &mut ActForm, change: &Change) {
    let could_not_wait = change.content.kind == Kind::Emergency || change.lawful_break_glass().is_some();
    let is_asked = form.action_url.ends_with("/review") && could_not_wait && !change.content.dependencies_reviewed;
    if is_asked && !form.fields.iter().any(|field| field.name == "dependencies_reviewed") {
        let label = "I have looked at what depends on the targets";
        form.fields
            .push(Field::new("dependencies_reviewed", label, Input::Checkbox));
    }
}

/// The review's statement on the cause of an emergency, beside the finding of the rule.
pub(crate) fn cause_text(change: &Change, review: &PostImplementationReview) -> Option<String> {
    let cause = review.emergency_cause?;
    let by_rule = cause_by_rule(change);
    let (stated, found) = (plain(cause.as_str()), plain(by_rule.as_str()));
    Some(match cause == by_rule {
        true => format!("Confirmed cause of the emergency: {stated}."),
        false => format!("Cause of the emergency: {stated}; by rule it was {found}."),
    })
}

/// A draft's facts about each target: the planned build, the build before, and the outcome.
pub(crate) fn what_differs(draft: &Value) -> Entry {
    let told = |row: &Value, name: &str| row[name].as_str().map(short_digest).unwrap_or_default();
    let mut entry = Entry::new(Tone::Wait, "A draft of the review is ready");
    for row in draft["facts"]["differs"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default().replace('_', " ");
        let after = Some(told(row, "after")).filter(|it| !it.is_empty());
        let after = after.unwrap_or_else(|| told(row, "commit"));
        let mut line = format!("{} in {}: {after}", text("service"), text("environment"));
        let before = told(row, "before");
        if !before.is_empty() {
            line.push_str(&format!(" in place of {before}"));
        }
        entry = entry.aside(format!("{line}, {}", text("outcome")));
    }
    for row in draft["facts"]["deviations"].as_array().into_iter().flatten() {
        entry = entry.aside(Rich::new().said(row["text"].as_str().unwrap_or_default()));
    }
    for row in draft["facts"]["verdicts"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        entry = entry.aside(Rich::new().said(format!("{}: {}", text("judged"), text("result"))));
    }
    for row in draft["facts"]["objectives"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let value = row["value"].as_str().unwrap_or("no value");
        let line = format!(
            "{} at {}: {value}, {}",
            text("objective"),
            text("place"),
            text("result")
        );
        entry = entry.aside(Rich::new().said(line));
    }
    for row in draft["facts"]["alerts"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        entry = entry.aside(format!("{}: {}", text("key"), text("title")));
    }
    entry
}

//! Events of the log as moments of a timeline.

use acts::audit::find_timeline::ShownEvent;
use model::change::related_records::Entry as ActionEntry;
use model::core::ids;
use pages::{Moment, Place, Rich, count};
use serde_json::Value;

use crate::web::audit::phrases;
use crate::web::shared::view::View;
use crate::web::shared::words::{self, capital, plain};

/// The most characters of a recorded note in a timeline.
const NOTED: usize = 120;

/// The states whose name alone is an event, with their icons.
pub(crate) const STATES: &[(&str, &str)] = &[
    ("draft", "s-draft"),
    ("assessing", "s-assessing"),
    ("authorizing", "s-authorizing"),
    ("approved", "s-approved"),
    ("scheduled", "s-scheduled"),
    ("implementing", "s-implementing"),
    ("reviewing", "s-reviewing"),
    ("closed", "s-closed"),
    ("rejected", "s-rejected"),
    ("cancelled", "s-cancelled"),
];

/// Labels of decisions, with their icons.
const DECISIONS: &[(&str, &str, &str)] = &[
    ("approve", "go", "approved it"),
    ("approve_with_conditions", "go", "approved it with conditions"),
    ("return", "back", "returned it with a question"),
    ("reject", "s-rejected", "rejected it"),
    ("abstain", "more", "abstained"),
];

/// An event as a moment of a timeline; its proof is a link for a reader who may see the log.
pub(crate) fn moment(view: &View<'_, '_, '_>, told: &ShownEvent) -> Moment {
    moment_of(view, told, None)
}

/// The same, with the subject of the event where its page knows that: a step of the work, the name of a record.
pub(crate) fn moment_of(view: &View<'_, '_, '_>, told: &ShownEvent, about: Option<Rich>) -> Moment {
    let (icon, words) = phrase(told);
    let mut text = view.person(&told.actor).text(format!(" {words}"));
    if let Some(detail) = detail(view, told) {
        text = text.text(format!(": {detail}"));
    }
    if let Some(about) = about {
        text = text.text(": ").append(about);
    }
    Moment {
        icon,
        text,
        meta: Rich::new()
            .append(view.moment(told.at))
            .text(" · ")
            .code(told.kind.as_str()),
        index: told.index.map(index),
        proof_url: told
            .index
            .filter(|_| view.frame.places.contains(&Place::AuditLog))
            .map(|number| view.url(&format!("/audit/events/{number}")))
            .unwrap_or_default(),
    }
}

/// The id of the entry of the log of actions that an event refers to.
pub(crate) fn entry_of(told: &ShownEvent) -> Option<&str> {
    let id = told.data.get("entry").and_then(Value::as_str);
    id.filter(|_| told.kind == "entry.recorded")
}

/// A recorded note, in its author's text.
pub(crate) fn noted(view: &View<'_, '_, '_>, entry: &ActionEntry) -> Rich {
    let words = words::beginning_of_prose(&entry.text, NOTED);
    match entry.by == view.me {
        true => Rich::new().own(words),
        false => Rich::new().said(words),
    }
}

/// Icon and description of an event; an event without a description is shown by its kind.
fn phrase(told: &ShownEvent) -> (&'static str, String) {
    let reached = told
        .kind
        .strip_prefix("change.")
        .and_then(|word| STATES.iter().find(|(state, _)| *state == word));
    if let Some((state, icon)) = reached {
        return (icon, format!("moved it to {}", capital(state)));
    }
    let decision = told.data.get("decision").and_then(Value::as_str).unwrap_or_default();
    if let Some((_, icon, words)) = DECISIONS
        .iter()
        .find(|(word, _, _)| told.kind == "approval.given" && *word == decision)
    {
        return (icon, (*words).to_owned());
    }
    if told.kind == "entry.recorded" {
        return entry_text(told);
    }
    match phrases::find(&told.kind) {
        Some((icon, words)) => (icon, words.to_owned()),
        None => ("leaf", plain(&told.kind.replace('.', ": "))),
    }
}

/// A recorded action of the work: the event has the kind and the step, and the entry has the text.
fn entry_text(told: &ShownEvent) -> (&'static str, String) {
    let step = told.data.get("step").and_then(Value::as_i64);
    let kind = told.data.get("kind").and_then(Value::as_str).unwrap_or_default();
    let takes_back = told.data.contains_key("withdraws");
    let is_skipped = told.data.contains_key("skipped");
    if let Some(undone) = told.data.get("undoes").and_then(Value::as_i64) {
        return match told.data.get("undone_kind").and_then(Value::as_str) {
            Some("rollback") => ("back", format!("reverted step {undone} of the rollback")),
            Some("begin") => ("back", format!("reverted the start of step {undone}")),
            _ => ("back", format!("reverted step {undone}")),
        };
    }
    match (kind, step) {
        ("step", Some(step)) if is_skipped => ("flag", format!("skipped step {step}")),
        ("rollback", Some(step)) if is_skipped => ("flag", format!("skipped step {step} of the rollback")),
        _ if takes_back => ("runbook", "went on with the plan instead of rolling back".to_owned()),
        ("begin", Some(step)) => ("runbook", format!("began step {step}")),
        ("step", Some(step)) => ("check", format!("did step {step}")),
        ("step", None) => ("check", "did a step".to_owned()),
        ("deviation", Some(step)) => ("flag", format!("recorded a deviation at step {step}")),
        ("deviation", None) => ("flag", "recorded a deviation".to_owned()),
        ("issue", _) => ("incident", "recorded an issue".to_owned()),
        ("rollback", Some(step)) => ("back", format!("did step {step} of the rollback")),
        ("rollback", None) => ("back", "began to roll back".to_owned()),
        _ => ("edit", "recorded an action".to_owned()),
    }
}

/// The detail from an event's data: a decision, an outcome, a rule.
fn detail(view: &View<'_, '_, '_>, told: &ShownEvent) -> Option<String> {
    if phrases::needs_no_data(&told.kind) || STATES.iter().any(|(state, _)| told.kind == format!("change.{state}")) {
        return None;
    }
    let text = |name: &str| told.data.get(name).and_then(Value::as_str);
    let name = || Some(view.name(&ids::PersonId::from(text("person")?)));
    match told.kind.as_str() {
        "approval.requested" | "approval.unacknowledged" => {
            return Some(format!("{} (rule {})", name()?, text("rule")?));
        }
        "approval.voided" | "approval.expired" => return name(),
        "attempt.refused" => return Some(format!("{} ({})", text("what")?, text("code")?)),
        "sign_in.refused" | "token.refused" => return text("code").map(plain),
        "gate.checked" => {
            let place = format!("{}, {}", text("service")?, text("environment")?);
            return Some(format!("{} for {place}", text("decision")?));
        }
        "log.replayed" => return Some(differences(told.data.get("differences").and_then(Value::as_u64)?)),
        // Their descriptions contain the detail already.
        "approval.given" | "change.submitted" | "entry.recorded" => return None,
        _ => {}
    }
    let word = [
        "decision", "outcome", "result", "verdict", "kind", "aspect", "to", "state",
    ]
    .iter()
    .find_map(|name| text(name))
    .filter(|word| *word != "normal")?;
    Some(plain(word))
}

/// How many differences comparing the records with the log came to.
pub(crate) fn differences(found: u64) -> String {
    match found {
        0 => "no differences".to_owned(),
        1 => "one difference".to_owned(),
        _ => format!("{} differences", count(found)),
    }
}

/// A log index as it is written: `48,107`.
pub(crate) fn index(number: i64) -> String {
    count(number.unsigned_abs())
}

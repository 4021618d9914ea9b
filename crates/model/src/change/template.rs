//! Whether the template behind a standard change still holds, and whether the change stays inside of what its approvers saw.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::change::change_file::{Case, ChangeFile};
use crate::change::record::Change;
use crate::change::{custom_field, custom_values, eligible, read_content};
use crate::core::enums::{Kind, TemplateState};
use crate::core::ids::PersonId;
use crate::core::refusal::{FieldError, Refusal};
use crate::core::unmet::{Unmet, unmet};
use crate::directory::records::{StandardTemplate, TemplateFailure};
use crate::directory::snapshot::{Directory, logins};
use crate::risk::cause_move::current;
use crate::risk::effective::unaccepted;

pub mod bounds;
pub mod feedback;
pub mod proposal;
pub mod trial;

impl StandardTemplate {
    /// The version that waits for its approvals: the next one, or this one where there was none before.
    pub fn proposed(&self) -> Option<&Self> {
        let waits = |it: &&Self| it.state == TemplateState::Proposed;
        self.next.as_deref().filter(waits).or(Some(self).filter(waits))
    }

    /// The template after a change ended, was revised or failed late; `None` where that is nothing new for it. Changes of
    /// another version do not count for this one. At its number of failures it is suspended. `succeeded` is the result of
    /// [`crate::change::success::succeeded`] for the change.
    pub fn after(&self, change: &Change, succeeded: Option<bool>, now: Timestamp) -> Option<Self> {
        let pinned = change.content.template.as_ref()?;
        if pinned.key != self.key || pinned.template_version != self.template_version {
            return None;
        }
        let is_known = self.failures.iter().any(|failure| failure.change == change.id);
        if is_known == (succeeded == Some(false)) {
            return None;
        }
        let mut next = self.clone();
        if is_known {
            // A revised outcome takes its failure back. A suspended template stays so until people propose it anew.
            next.failures.retain(|failure| failure.change != change.id);
            return Some(next);
        }
        next.failures.push(TemplateFailure {
            change: change.id.clone(),
            change_key: change.key.clone(),
            at: now,
        });
        let count = i64::try_from(next.failures.len()).unwrap_or(i64::MAX);
        if count >= self.suspend_after && self.state == TemplateState::Approved {
            let keys: Vec<&str> = next
                .failures
                .iter()
                .map(|failure| failure.change_key.as_str())
                .collect();
            next.ended_reason = Some(format!("{count} of its changes failed: {}.", keys.join(", ")));
            next.state = TemplateState::Suspended;
        }
        Some(next)
    }
}

/// When the template behind a standard change stops unless it is reviewed.
pub(crate) fn template_review(file: &ChangeFile, directory: &Directory) -> Option<Timestamp> {
    let content = &file.change.content;
    let pinned = content.template.as_ref().filter(|_| content.kind == Kind::Standard)?;
    directory.templates.get(&pinned.key).map(|template| template.review_by)
}

/// Whether the proposer of a template is also behind an approval of it: for a change of high risk or a sensitive one that is no
/// second check.
fn is_of_one_person(file: &ChangeFile, template: &StandardTemplate) -> bool {
    let proposers = [Some(&template.proposer), template.handed_by.as_ref()];
    let is_theirs = |person: &PersonId| {
        let mut proposers = proposers.into_iter().flatten();
        proposers.any(|proposer| file.hands.are_one(proposer, person))
    };
    let mut words = template.approvals.iter();
    file.hands.is_grave && words.any(|word| is_theirs(&word.person) || is_theirs(word.speaker()))
}

/// The obstacle in the template of a standard change that has not begun.
pub fn template_trouble(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let content = &file.change.content;
    if content.kind != Kind::Standard {
        return None;
    }
    let trouble = |text: String| {
        Some(unmet(
            "template_not_valid",
            text,
            "Use the current template version, or make the change a normal change.",
            logins(directory, &eligible::writers(&file.change, directory)),
        ))
    };
    let Some(pinned) = &content.template else {
        return trouble("The change has no template.".to_owned());
    };
    let Some(template) = directory.templates.get(&pinned.key) else {
        return trouble(format!("There is no template {}.", pinned.key));
    };
    if is_of_one_person(file, template) {
        let text = "The same person proposed and approved the template {}, and the change is of high risk or \
            sensitive.";
        return trouble(text.replace("{}", &template.key));
    }
    if template.state != TemplateState::Approved {
        return trouble(format!("The template {} is {}.", template.key, template.state));
    }
    if template.template_version != pinned.template_version || template.digest != pinned.digest {
        return trouble(format!(
            "The template {} has a newer version, {}.",
            template.key, template.template_version
        ));
    }
    if template.review_by <= now {
        return trouble(format!("The template {} is past its review date.", template.key));
    }
    let permitted = content.targets.iter().all(|target| {
        (template.services.is_empty() || template.services.contains(&target.service))
            && (template.environments.is_empty() || template.environments.contains(&target.environment))
    });
    if !permitted {
        return trouble(format!("The template {} does not permit these targets.", template.key));
    }
    let further = outside(file, directory);
    if further.is_empty() {
        return None;
    }
    let (fields, key) = (further.join(", "), &template.key);
    trouble(format!(
        "The change goes beyond what the approvers of the template {key} saw: {fields}."
    ))
}

/// The parts of a standard change beyond the approved template: locked fields with other values, and exceeded bounds. Empty for
/// other kinds, and for a template that is not there.
pub fn outside(file: &ChangeFile, directory: &Directory) -> Vec<String> {
    let change = &file.change;
    let content = &change.content;
    let Some(pinned) = content.template.as_ref().filter(|_| content.kind == Kind::Standard) else {
        return Vec::new();
    };
    let Some(template) = directory.templates.get(&pinned.key) else {
        return Vec::new();
    };
    let present = read_content::present(change, directory);
    let usual = template
        .locked
        .iter()
        .filter(|(field, value)| *field != "kind" && !same_value(present.get(*field), value))
        .map(|(field, _)| field.clone());
    let own = custom_values::locked(template, directory)
        .filter(|value| !content.custom_fields.contains(value))
        .map(|value| format!("{}.{}", custom_field::FIELD, value.key));
    let is_open = |field: &str| template.locked.contains_key(field) || template.free.contains(field);
    let no_way_back = content.no_rollback_reason.is_some() && !is_open("no_rollback_reason");
    let no_way_back = no_way_back.then(|| "no_rollback_reason".to_owned());
    // A planned undo counts as no rollback, so the template must leave the field open, or others decide.
    let undo = content.planned_undo.is_some() && !is_open("planned_undo");
    let undo = undo.then(|| "planned_undo".to_owned());
    let mut fields: Vec<String> = usual.chain(own).chain(no_way_back).chain(undo).collect();
    for field in template.bounds.exceeded(&counted(file, directory)) {
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    }
    fields
}

/// A change with the facts that count in place of the stated ones: the approvers of the template saw the services' facts of
/// that time, and a change exceeds the template where services have higher facts now, or where reviewed failures raised its
/// forecast.
fn counted(file: &ChangeFile, directory: &Directory) -> Change {
    let found = unaccepted(&file.change, directory);
    let mut counted = file.change.clone();
    let moves = current(&file.change, &file.cause_moves);
    if let (Some(forecast), Some(last)) = (&mut counted.forecast, moves.last()) {
        forecast.probability_ppm = Some(last.to_ppm);
    }
    counted.content.impact = found.impact;
    counted.content.complexity = found.complexity;
    counted.content.touches = found.touches;
    counted.risk = found.risk;
    counted
}

/// Whether a present value equals the template's; an object may have more members (derived axes of impact).
fn same_value(present: Option<&Value>, locked: &Value) -> bool {
    match (present, locked) {
        (Some(Value::Object(have)), Value::Object(want)) => {
            want.iter().all(|(key, value)| same_value(have.get(key), value))
        }
        (Some(have), want) => have == want,
        (None, want) => want.is_null() || want == &Value::Bool(false) || want == &json!([]),
    }
}

/// Refuses to make a change standard that goes beyond its template.
///
/// # Errors
/// 422 with each field.
pub(crate) fn check_inside(case: &Case<'_>) -> Result<(), Refusal> {
    let change = case.change();
    if change.content.kind == Kind::Standard {
        // As a whole: its targets, and whether the template is in force, as at a submission.
        return match template_trouble(&case.file, &case.directory, case.now) {
            Some(trouble) => Err(Refusal::field("template", "outside_template", trouble.text)),
            None => Ok(()),
        };
    }
    let error = |field: &String| {
        let text =
            format!("`{field}` goes beyond what the template's approvers saw, so it cannot become a standard change.");
        FieldError::new(field.clone(), "outside_template", text)
    };
    Err(Refusal::Invalid(change.turned_normal.iter().map(error).collect()))
}

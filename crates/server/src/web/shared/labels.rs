//! The rules' sentences in the terms of the pages: the rules name a change's fields and routes as the API does, and readers of
//! a page know the labels of the controls.

use model::change::read_content::new_change::NewChange;
use model::core::card::Field;
use model::core::refusal::FieldError;

use crate::http::failure::Failure;

/// The fields of a change that sentences name. Names that may also be ordinary text, such as `owner`, are not among them.
const FIELDS: [Field; 18] = [
    NewChange::TITLE,
    NewChange::DESCRIPTION,
    NewChange::JUSTIFICATION,
    NewChange::TARGETS,
    NewChange::SERVICES,
    NewChange::COMPLEXITY,
    NewChange::PLANNED_START,
    NewChange::PLANNED_END,
    NewChange::PLAN,
    NewChange::ROLLBACK_PLAN,
    NewChange::ROLLBACK_MINUTES,
    NewChange::PLANNED_UNDO,
    NewChange::NO_ROLLBACK_REASON,
    NewChange::EXPEDITED_REASON,
    NewChange::INCIDENT,
    NewChange::THREAT,
    NewChange::IMPLEMENTERS,
    NewChange::BUSINESS_CONTACT,
];

/// The labels of fields within a row of targets or of a plan: `targets[0].artifact`.
const OF_ROWS: [(&str, &str); 11] = [
    ("service", "Service"),
    ("environment", "Environment"),
    ("artifact", "Artifact"),
    ("commit", "Commit"),
    ("rollback_to", "Roll back to"),
    ("config_items", "Config items"),
    ("title", "What"),
    ("owner", "Who"),
    ("minutes", "Minutes"),
    ("check", "Check"),
    ("watch", "Ends"),
];

pub(crate) fn label_of(field: &str) -> Option<&'static str> {
    match field.rsplit_once("].") {
        Some((_, word)) => OF_ROWS.iter().find(|(name, _)| *name == word).map(|(_, label)| *label),
        None => FIELDS.iter().find(|it| it.name == field).map(|it| it.label),
    }
}

/// The fields that a submission lacks, as the rules name them: in backticks.
pub(crate) fn missing_fields(failure: &Failure) -> Vec<FieldError> {
    let rows = failure.problem.unmet.iter().filter(|row| row.code == "field_missing");
    rows.filter_map(|row| {
        let name = row.satisfy.split('`').nth(1)?;
        Some(FieldError::new(name, "missing", "This is required before submission."))
    })
    .collect()
}

/// A sentence of the rules with labels in place of fields, and without the routes that only programs use.
pub(crate) fn in_labels(text: &str) -> String {
    // An address parameter keeps its own name: nobody filled in a form.
    if text.starts_with("`sort`") {
        return text.to_owned();
    }
    let text = without_routes(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let told = parts
        .iter()
        .enumerate()
        .map(|(place, part)| match (place % 2, label_of(part)) {
            (1, Some(label)) => format!("“{label}”"),
            (1, None) => format!("`{part}`"),
            _ => (*part).to_owned(),
        });
    told.collect()
}

/// An error in a field that the form does not have, without the API's name: `plan[1].owner` is “Who”, and a field without a
/// label is shown by its own name.
pub(crate) fn plain_error(text: &str, field: &str) -> String {
    let last = field.rsplit('.').next().unwrap_or(field);
    let last = last.split('[').next().unwrap_or(last);
    let of_row = || OF_ROWS.iter().find(|(name, _)| *name == last && field.contains('.'));
    let label = label_of(field).or_else(|| of_row().map(|(_, label)| *label));
    let words = label.map_or_else(|| last.replace('_', " "), str::to_owned);
    text.replace(&format!("`{field}`"), &format!("“{words}”"))
}

/// Phrases that only apply to programs, and their replacements on pages.
const OTHERWISE: [(&str, &str); 4] = [
    (" with PATCH,", ","),
    ("Request one with POST …/extension.", "Ask for more time."),
    (
        "with a change that has `retrospective`.",
        "with a change that is reported afterwards.",
    ),
    (
        "Another outcome needs a `reason` and",
        "Another outcome needs a reason and",
    ),
];

/// Removes routes from a sentence: “First assess it (POST …/assessment).” becomes “First assess it.”
fn without_routes(text: &str) -> String {
    let told = OTHERWISE.iter();
    let mut told = told.fold(text.to_owned(), |told, (theirs, ours)| told.replace(theirs, ours));
    for verb in [" (POST …/", " (PUT …/", " (`DELETE /"] {
        while let Some(from) = told.find(verb)
            && let Some(length) = told[from..].find(')')
        {
            told.replace_range(from..=from + length, "");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_by_the_words_above_them_and_routes_are_left_out() {
        for (theirs, ours) in [
            ("Fill in `planned_start`.", "Fill in “Start”."),
            ("Fill in `incident` or `threat`.", "Fill in “Incident” or “Threat”."),
            (
                "`targets[0].artifact` must be a digest such as sha256:6b1d… without spaces.",
                "“Artifact” must be a digest such as sha256:6b1d… without spaces.",
            ),
            ("First assess it (POST …/assessment).", "First assess it."),
            (
                "First revise it with PATCH, which makes it a draft again.",
                "First revise it, which makes it a draft again.",
            ),
            ("Counts for the rule `base.owner`.", "Counts for the rule `base.owner`."),
            ("An odd ` stays.", "An odd ` stays."),
            (
                "`sort`: `x` is none of `planned_start`.",
                "`sort`: `x` is none of `planned_start`.",
            ),
        ] {
            assert_eq!(in_labels(theirs), ours);
        }
    }
}

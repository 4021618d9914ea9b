//! The rules' sentences in the words of the pages: the rules name a change's fields and routes as the API does, and whoever
//! reads a page knows the words above the controls.

/// The fields of a change that sentences name, each with its label on the form. Words that may also be somebody's own, such
/// as `owner`, are not among them.
const LABELS: [(&str, &str); 17] = [
    ("title", "Title"),
    ("description", "Description"),
    ("justification", "Why now"),
    ("targets", "Where"),
    ("services", "Where"),
    ("complexity", "Complexity"),
    ("planned_start", "Start"),
    ("planned_end", "End"),
    ("plan", "Plan"),
    ("rollback_plan", "Rollback plan"),
    ("rollback_minutes", "Minutes in all"),
    ("no_rollback_reason", "Why there is no way back"),
    ("expedited_reason", "Why it is late"),
    ("incident", "Incident"),
    ("threat", "Threat"),
    ("implementers", "Implementers"),
    ("business_contact", "Business contact"),
];

/// The same within a row of targets or of a plan: `targets[0].artifact`.
const OF_ROWS: [(&str, &str); 10] = [
    ("service", "Service"),
    ("environment", "Environment"),
    ("artifact", "Artifact"),
    ("commit", "Commit"),
    ("rollback_to", "Way back to"),
    ("config_items", "Config items"),
    ("title", "What"),
    ("owner", "Who"),
    ("minutes", "Minutes"),
    ("check", "Check"),
];

pub(super) fn label_of(field: &str) -> Option<&'static str> {
    let (list, word) = match field.rsplit_once("].") {
        Some((_, word)) => (&OF_ROWS[..], word),
        None => (&LABELS[..], field),
    };
    list.iter().find(|(name, _)| *name == word).map(|(_, label)| *label)
}

/// A sentence of the rules with labels in place of fields, and without the routes that only a program asks.
pub(super) fn in_labels(text: &str) -> String {
    // What an address may say is said in its own words: nobody filled in a form.
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

/// “First assess it (POST …/assessment).” is “First assess it.”
fn without_routes(text: &str) -> String {
    let mut told = text
        .replace(" with PATCH,", ",")
        .replace("Ask with POST …/extension.", "Ask for more time.");
    for verb in [" (POST …/", " (PUT …/"] {
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

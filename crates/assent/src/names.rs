//! The server's sentences with the names of the command line: the server names fields and routes as the API does, and a
//! terminal user has options and commands.

use std::borrow::Cow;

use model::change::read_content::new_change::NewChange;
use model::core::card::{Described, Field};

/// Parts of sentences that read otherwise with an option in place of a field.
const PHRASES: [(&str, &str); 6] = [
    (
        "Add at least one step to `plan`.",
        "Add at least one `--step` with `assent change edit`.",
    ),
    (
        "Add `rollback_plan`, or explain in `no_rollback_reason` why there is none.",
        "Add a `--rollback-step` with `assent change edit`, or say in `--no-rollback-reason` why there is none.",
    ),
    (
        "Import them with `propose` and a `reason`.",
        "Import them with `--propose REASON`.",
    ),
    ("Request one with POST …/extension.", "Ask with `assent change extend`."),
    (
        "Send `Authorization: Bearer` with a token, or sign in. This credential is absent, unknown or over.",
        "The credential is absent, unknown or over.",
    ),
    ("with PATCH", "with `assent change edit`"),
];

/// The routes that sentences name, each with its command.
const ROUTES: [(&str, &str); 8] = [
    ("POST …/submission", "submit"),
    ("POST …/assessment", "assess"),
    ("POST …/approvals", "approve"),
    ("POST …/return", "return"),
    ("PUT …/schedule", "schedule"),
    ("POST …/implementation", "start"),
    ("POST …/completion", "complete"),
    ("POST …/closure", "close"),
];

/// Names of the API whose option is that of no field.
const OTHERS: [(&str, &str); 4] = [
    ("targets", "--service` and `--environment"),
    ("planned_undo.at", "--undo-at"),
    ("planned_undo.text", "--undo"),
    ("change=", "--change"),
];

/// Fields of a change without an option of their own, and those whose name is also plain prose.
const KEPT: [Field; 12] = [
    NewChange::TOUCHES,
    NewChange::DISRUPTION,
    NewChange::IMPACT,
    NewChange::PLANNED_UNDO,
    NewChange::OWNER,
    NewChange::TEAM,
    NewChange::TESTER,
    NewChange::KIND,
    NewChange::EXPEDITED,
    NewChange::LABELS,
    NewChange::CUSTOM_FIELDS,
    NewChange::RETROSPECTIVE,
];

/// The option of a field, also for one within a list: `targets[0].artifact` is `--artifact`.
#[must_use]
pub fn option_of(field: &str) -> Option<Cow<'static, str>> {
    let is_row = field.contains("].");
    let name = if is_row {
        field.rsplit('.').next().unwrap_or(field)
    } else {
        field
    };
    // Of a row of a plan the title alone is an option's value.
    let name = match (field.split('[').next(), name) {
        (Some(list @ ("plan" | "rollback_plan")), "title") if is_row => list,
        (Some("targets"), "service") if is_row => "services",
        _ => name,
    };
    if let Some(&(_, option)) = OTHERS.iter().find(|(known, _)| *known == name) {
        return Some(Cow::Borrowed(option));
    }
    let found = NewChange::FIELDS.iter().find(|it| it.name == name)?;
    let is_kept = KEPT.iter().any(|it| it.name == name);
    (!is_kept).then(|| Cow::Owned(format!("--{}", found.option)))
}

/// A sentence of the server with options and commands where it names fields and routes.
#[must_use]
pub fn in_options(text: &str) -> String {
    let mut told = Cow::Borrowed(text);
    for (theirs, ours) in PHRASES {
        if told.contains(theirs) {
            told = Cow::Owned(told.replace(theirs, ours));
        }
    }
    for (route, command) in ROUTES {
        if told.contains(route) {
            told = Cow::Owned(told.replace(route, &format!("`assent change {command}`")));
        }
    }
    // The list shows the values as the server reads them: an option takes them unchanged.
    if told.contains(" is none of") || told.contains(" is not one of") {
        return told.into_owned();
    }
    let parts = told.split('`').enumerate();
    let named: Vec<Cow<'_, str>> = parts
        .map(|(place, part)| match place % 2 {
            1 => option_of(part).unwrap_or(Cow::Borrowed(part)),
            _ => Cow::Borrowed(part),
        })
        .collect();
    let told = named.join("`");
    match told.strip_suffix('.') {
        // Handing a change over has no such option.
        Some(rest) if rest.starts_with("Fill in `--") => format!("{rest} with `assent change edit`."),
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_routes_are_named_as_options_and_commands() {
        for (theirs, ours) in [
            (
                "Fill in `planned_start`.",
                "Fill in `--from` with `assent change edit`.",
            ),
            (
                "Fill in `targets`.",
                "Fill in `--service` and `--environment` with `assent change edit`.",
            ),
            (
                "Fill in `incident` or `threat`.",
                "Fill in `--incident` or `--threat` with `assent change edit`.",
            ),
            (
                "First assess it (POST …/assessment).",
                "First assess it (`assent change assess`).",
            ),
            (
                "Add at least one step to `plan`.",
                "Add at least one `--step` with `assent change edit`.",
            ),
            ("Ask again with `change=`.", "Ask again with `--change`."),
            (
                "Two people give it. Import them with `propose` and a `reason`.",
                "Two people give it. Import them with `--propose REASON`.",
            ),
            (
                "`targets[0].artifact` must be a digest.",
                "`--artifact` must be a digest.",
            ),
            (
                "`sort`: `frob` is none of `number`, `planned_start`.",
                "`sort`: `frob` is none of `number`, `planned_start`.",
            ),
            ("There is no service `pay-apj`.", "There is no service `pay-apj`."),
        ] {
            assert_eq!(in_options(theirs), ours);
        }
        assert_eq!(option_of("plan[2].title").as_deref(), Some("--step"));
        assert_eq!(option_of("no_rollback_reason").as_deref(), Some("--no-rollback-reason"));
        assert_eq!(option_of("owner"), None);
        assert_eq!(option_of("plan[2].minutes"), None);
    }
}

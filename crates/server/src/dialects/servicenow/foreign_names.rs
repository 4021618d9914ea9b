//! Translates the API's field names in a refusal into the names that the client wrote.

use super::fields::OWN;
use super::table::Table;
use crate::dialects::api::Refused;

/// Our names of fields with those there.
type Names = &'static [(&'static str, &'static str)];

const OF_CHANGES: Names = &[
    ("title", "short_description"),
    ("kind", "type"),
    ("planned_start", "start_date"),
    ("planned_end", "end_date"),
    ("actual_start", "work_start"),
    ("actual_end", "work_end"),
    ("plan", "implementation_plan"),
    ("rollback_plan", "backout_plan"),
    ("verification", "test_plan"),
    ("services", "cmdb_ci"),
    ("config_items", "cmdb_ci"),
    ("implementers", "assigned_to"),
    ("team", "assignment_group"),
    ("outcome", "close_code"),
    ("text", "comments"),
];
const OF_TASKS: Names = &[
    ("title", "short_description"),
    ("kind", "change_task_type"),
    ("assignee", "assigned_to"),
    ("planned_start", "planned_start_date"),
    ("planned_end", "planned_end_date"),
    ("actual_start", "work_start"),
    ("actual_end", "work_end"),
    ("text", "close_notes"),
];
const OF_INCIDENTS: Names = &[
    ("title", "short_description"),
    ("services", "cmdb_ci"),
    ("external_ref", "correlation_id"),
    ("started_at", "opened_at"),
    ("mitigated_at", "state"),
];
const OF_APPROVALS: Names = &[("decision", "state"), ("comment", "comments")];

/// Fields that have the same name there.
const SAME: &[&str] = &[
    "category",
    "close_notes",
    "comments",
    "description",
    "duration_in_seconds",
    "file_name",
    "justification",
    "on_hold_reason",
    "planned_start_time",
    "resolved_at",
    "severity",
    "state",
];

/// Fields of a change that only Assent has, and that sentences name without an error about them.
const OWN_FIELDS: &[&str] = &[
    "assessment",
    "complexity",
    "content_digest",
    "dependencies_reviewed",
    "disruption",
    "environment",
    "excluded",
    "impact",
    "incident",
    "no_rollback_reason",
    "review",
    "rollback_minutes",
    "targets",
    "template",
    "tester",
    "threat",
    "touches",
    "validation",
];

fn names(table: Table) -> Names {
    match table {
        Table::ChangeTask => OF_TASKS,
        Table::Incident => OF_INCIDENTS,
        Table::Approver => OF_APPROVALS,
        _ => OF_CHANGES,
    }
}

/// The table that a path is about.
pub(super) fn table_of(path: &str) -> Table {
    let has = |part: &str| path.split('/').any(|it| it == part);
    if has("change_task") || has("task") {
        Table::ChangeTask
    } else if has("incident") {
        Table::Incident
    } else if has("sysapproval_approver") || has("approvals") {
        Table::Approver
    } else {
        Table::Change
    }
}

/// A refusal with the client's field names. A refusal that the dialect wrote itself has those names already.
pub(super) fn renamed(mut why: Refused, table: Table) -> Refused {
    if !why.has_api_names {
        return why;
    }
    for (ours, theirs) in names(table) {
        why = why.renamed(ours, theirs);
    }
    for ours in OWN_FIELDS {
        why = why.renamed(ours, &format!("{OWN}{ours}"));
    }
    let rest: Vec<String> = why
        .fields
        .iter()
        .filter(|name| !is_theirs(name, table))
        .cloned()
        .collect();
    for ours in rest {
        let theirs = format!("{OWN}{ours}");
        why = why.renamed(&ours, &theirs);
    }
    why
}

/// Whether a field is named as there already.
fn is_theirs(name: &str, table: Table) -> bool {
    let first = name.split(['.', '[']).next().unwrap_or_default();
    first.starts_with(OWN) || SAME.contains(&first) || names(table).iter().any(|(_, theirs)| *theirs == first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialects::servicenow::fields::nothing_left;

    fn said(field: &str, text: &str, table: Table) -> String {
        let problem = json!({"code": "invalid", "detail": "It cannot be taken.",
            "errors": [{"field": field, "text": text}]});
        renamed(Refused::by_problem(422, &problem, None), table).text
    }

    #[test]
    fn a_refusal_names_the_fields_of_the_table_that_was_written() {
        let cases = [
            (
                "title",
                "`title` is too long.",
                Table::Change,
                "short_description: `short_description` is too long.",
            ),
            (
                "planned_start",
                "It lies behind.",
                Table::Change,
                "start_date: It lies behind.",
            ),
            (
                "planned_start",
                "It lies behind.",
                Table::ChangeTask,
                "planned_start_date: It lies behind.",
            ),
            (
                "external_ref",
                "Too long.",
                Table::Incident,
                "correlation_id: Too long.",
            ),
            ("comment", "Too long.", Table::Approver, "comments: Too long."),
            ("description", "Too long.", Table::Change, "description: Too long."),
            (
                "targets[0].artifact",
                "No digest.",
                Table::Change,
                "u_assent_targets[0].artifact: No digest.",
            ),
            (
                "surprise",
                "No such field.",
                Table::Change,
                "u_assent_surprise: No such field.",
            ),
            ("u_assent_impact", "Twice.", Table::Change, "u_assent_impact: Twice."),
        ];
        for (field, text, table, wanted) in cases {
            assert_eq!(
                said(field, text, table),
                format!("It cannot be taken. {wanted}"),
                "{field}"
            );
        }
    }

    #[test]
    fn what_satisfies_a_condition_is_named_as_there() {
        let problem = json!({"code": "not_now", "detail": "Not yet.",
            "unmet": [{"text": "The change has no plan.", "satisfy": "Add at least one step to `plan`, or `complexity`."}]});
        let why = renamed(Refused::by_problem(409, &problem, None), Table::Change);
        assert_eq!(
            why.text,
            "Not yet. The change has no plan. Add at least one step to `implementation_plan`, or \
             `u_assent_complexity`."
        );
    }

    #[test]
    fn what_the_client_wrote_is_named_as_it_was_written() {
        let fields = serde_json::Map::from_iter([("impact".to_owned(), json!("2"))]);
        let refused = nothing_left(&fields, Table::Change).expect_err("it is not taken");
        let text = renamed(refused, Table::Change).text;
        assert!(text.starts_with("`impact` cannot be written"), "{text}");
    }

    #[test]
    fn a_path_tells_its_table() {
        assert_eq!(table_of("/api/now/table/change_request/1"), Table::Change);
        assert_eq!(table_of("/api/sn_chg_rest/change/1/task/2"), Table::ChangeTask);
        assert_eq!(table_of("/api/now/v2/table/incident"), Table::Incident);
        assert_eq!(table_of("/api/sn_chg_rest/change/1/approvals"), Table::Approver);
    }
}

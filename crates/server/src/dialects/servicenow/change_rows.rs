//! Changes, their tasks and their approvals as rows.

use std::collections::BTreeSet;

use model::change::read_content::new_change::NewChange;
use model::core::enums::{State, TaskState};
use serde_json::Value;

use super::rows::{Field, Row};
use super::states::{self, CHANGES, TASKS};
use super::sys_id::{Part, of_key, of_part};
use super::table::Table;
use crate::dialects::api::{items_of, text_of};

/// It has the same name in both systems.
const JUSTIFICATION: &str = NewChange::JUSTIFICATION.name;

/// The numbers of levels of risk there.
const RISKS: &[(&str, &str, &str)] = &[("low", "4", "Low"), ("medium", "3", "Moderate"), ("high", "2", "High")];

/// The state of a change in a response.
pub(super) fn state_of(change: &Value) -> State {
    text_of(&change["state"]).parse().unwrap_or(State::Draft)
}

/// A change as a row.
pub(super) fn change(it: &Value) -> Row {
    let state = state_of(it);
    let (number, label) = states::shown(CHANGES, state);
    let key = text_of(&it["key"]);
    let first = |list: &Value, field: &str| items_of(list).first().map_or(Value::Null, |it| it[field].clone());
    let implementer = items_of(&it["implementers"]).first().map_or("", text_of);
    let level = text_of(&it["risk"]["level"]);
    let risk = RISKS
        .iter()
        .find(|row| row.0 == level)
        .map_or(("", ""), |row| (row.1, row.2));
    let (code, code_label) = states::close_code(text_of(&it["outcome"]));
    let ended = match state {
        State::Cancelled => text_of(&it["cancelled"]["reason"]),
        _ => items_of(&it["reviews"])
            .last()
            .map_or("", |review| text_of(&review["summary"])),
    };
    Row(vec![
        Field::text("sys_id", of_key(key)),
        Field::text("number", key),
        Field::text("sys_class_name", "change_request"),
        Field::text("short_description", text_of(&it["title"])),
        Field::text("description", text_of(&it["description"])),
        Field::text(JUSTIFICATION, text_of(&it[JUSTIFICATION])),
        Field::text("type", text_of(&it["kind"])),
        Field::text("category", text_of(&it["category"])),
        Field::choice("state", number, label),
        Field::text("approval", approval(it, state)),
        Field::choice("risk", risk.0, risk.1),
        Field::flag("active", state.is_open()),
        Field::flag("on_hold", it["on_hold"] == true),
        Field::text("on_hold_reason", text_of(&it["hold"]["reason"])),
        Field::refers("cmdb_ci", Table::CmdbCi, text_of(&first(&it["targets"], "service"))),
        Field::refers("requested_by", Table::SysUser, text_of(&it["requester"])),
        Field::refers("opened_by", Table::SysUser, text_of(&it["requester"])),
        Field::refers("assigned_to", Table::SysUser, implementer),
        Field::refers("assignment_group", Table::SysUserGroup, text_of(&it["team"])),
        Field::time("start_date", &it["planned_start"]),
        Field::time("end_date", &it["planned_end"]),
        Field::time("work_start", &it["actual_start"]),
        Field::time("work_end", &it["actual_end"]),
        Field::text("implementation_plan", plan(&it["plan"])),
        Field::text("backout_plan", plan(&it["rollback_plan"])),
        Field::text("test_plan", text_of(&it["verification"])),
        Field::choice("close_code", code, code_label),
        Field::text("close_notes", ended),
        Field::time("opened_at", &it["created_at"]),
        Field::time("sys_created_on", &it["created_at"]),
        Field::time("sys_updated_on", &it["updated_at"]),
        Field::time("closed_at", &it["closed_at"]),
        Field::refers("closed_by", Table::SysUser, text_of(&it["closed_by"])),
        Field::text("sys_mod_count", it["version"].to_string()),
        Field::text("u_assent_state", state.as_str()),
        Field::text("u_assent_content_digest", text_of(&it["content_digest"])),
    ])
}

/// The approval state of a change. Work that began without approvals is never shown as approved.
fn approval(it: &Value, state: State) -> &'static str {
    let is_around = it["break_glass"].is_object() || it["retrospective"].is_object() || it["unauthorized"] == true;
    match state {
        State::Rejected => "rejected",
        State::Authorizing => "requested",
        State::Approved | State::Scheduled | State::Implementing | State::Reviewing | State::Closed if !is_around => {
            "approved"
        }
        _ => "not requested",
    }
}

/// The steps of a plan, each on a line.
fn plan(steps: &Value) -> String {
    let titles: Vec<&str> = items_of(steps).iter().map(|step| text_of(&step["title"])).collect();
    titles.join("\n")
}

/// The id of a task.
pub(super) fn task_id(change: &str, task: &Value) -> String {
    of_part(Part::Task, change, text_of(&task["id"]))
}

/// A task of a change as a row; `place` counts from 1.
pub(super) fn task(change: &str, it: &Value, place: usize) -> Row {
    let state: TaskState = text_of(&it["state"]).parse().unwrap_or(TaskState::Open);
    let (number, label) = states::shown(TASKS, state);
    Row(vec![
        Field::text("sys_id", task_id(change, it)),
        Field::text("number", format!("{change}-T{place}")),
        Field::text("sys_class_name", "change_task"),
        Field::text("short_description", text_of(&it["title"])),
        Field::refers("change_request", Table::Change, change),
        Field::refers("parent", Table::Change, change),
        Field::text("change_task_type", text_of(&it["kind"])),
        Field::choice("state", number, label),
        Field::flag("active", state == TaskState::Open),
        Field::refers("assigned_to", Table::SysUser, text_of(&it["assignee"])),
        Field::refers("closed_by", Table::SysUser, text_of(&it["done_by"])),
        Field::time("planned_start_date", &it["planned_start"]),
        Field::time("planned_end_date", &it["planned_end"]),
        Field::time("work_start", &it["actual_start"]),
        Field::time("work_end", &it["actual_end"]),
        Field::text("close_notes", text_of(&it["text"])),
        Field::text("order", place.to_string()),
    ])
}

/// The approvals of a change as rows: each decision, and each requested approver without a decision.
///
/// The id of a request contains the digest of the content to be approved. So a decision by an id from before an edit finds
/// nothing, and nobody approves unread content.
pub(super) fn approvals(change: &Value, decisions: &[Value]) -> Vec<Row> {
    let (key, digest) = (text_of(&change["key"]), text_of(&change["content_digest"]));
    let mut rows: Vec<Row> = decisions.iter().map(|it| decision(key, it)).collect();
    let decided: BTreeSet<&str> = decisions
        .iter()
        .filter(|it| text_of(&it["state"]) == "standing")
        .map(|it| text_of(&it["person"]))
        .collect();
    let mut asked = BTreeSet::new();
    for request in items_of(&change["requests"]) {
        let person = text_of(&request["person"]);
        if decided.contains(person) || !asked.insert(person) {
            continue;
        }
        let id = of_part(Part::Approval, key, &format!("{person}\n{digest}"));
        let why = text_of(&request["why"]);
        rows.push(approver(
            key,
            &id,
            person,
            ("requested", "Requested"),
            "",
            why,
            digest,
            &request["asked_at"],
        ));
    }
    rows
}

fn decision(key: &str, it: &Value) -> Row {
    let state = match (text_of(&it["state"]), text_of(&it["decision"])) {
        ("standing", "approve" | "approve_with_conditions") => ("approved", "Approved"),
        ("standing", "reject" | "return") => ("rejected", "Rejected"),
        ("standing", _) => ("not_required", "No Longer Required"),
        _ => ("cancelled", "Cancelled"),
    };
    let id = of_part(Part::Approval, key, text_of(&it["id"]));
    let (person, comment) = (text_of(&it["person"]), text_of(&it["comment"]));
    approver(
        key,
        &id,
        person,
        state,
        comment,
        "",
        text_of(&it["content_digest"]),
        &it["at"],
    )
}

#[expect(clippy::too_many_arguments, reason = "the fields of one row")]
fn approver(
    key: &str,
    id: &str,
    person: &str,
    state: (&'static str, &'static str),
    comment: &str,
    why: &str,
    digest: &str,
    at: &Value,
) -> Row {
    Row(vec![
        Field::text("sys_id", id),
        Field::refers("sysapproval", Table::Change, key),
        Field::refers("document_id", Table::Change, key),
        Field::text("source_table", "change_request"),
        Field::refers("approver", Table::SysUser, person),
        Field::choice("state", state.0, state.1),
        Field::text("comments", comment),
        Field::time("sys_created_on", at),
        Field::text("u_assent_why", why),
        Field::text("u_assent_content_digest", digest),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_shows_its_number_state_and_references() {
        let row = change(
            &json!({"key": "CHG-7", "state": "approved", "title": "Move it", "kind": "normal", "requester": "ada",
            "on_hold": false, "version": 4, "targets": [{"service": "web", "environment": "production"}],
            "plan": [{"title": "One"}, {"title": "Two"}], "risk": {"level": "medium"}, "content_digest": "sha256:1"}),
        );
        let shown = |name: &str| {
            row.get(name)
                .map(|field| (field.value.clone(), field.display.clone()))
                .unwrap_or_default()
        };
        assert_eq!(shown("state"), ("-3".to_owned(), "Authorize".to_owned()));
        assert_eq!(shown("u_assent_state").0, "approved");
        assert_eq!(shown("approval").0, "approved");
        assert_eq!(shown("cmdb_ci"), (of_key("web"), "web".to_owned()));
        assert_eq!(shown("implementation_plan").0, "One\nTwo");
        assert_eq!(shown("risk").1, "Moderate");
        assert_eq!(shown("active").0, "true");
    }

    #[test]
    fn work_without_approvals_does_not_read_as_approved() {
        for (field, value) in [("break_glass", json!({"reason": "r"})), ("unauthorized", json!(true))] {
            let mut it = json!({"key": "CHG-7", "state": "implementing"});
            assert_eq!(change(&it).value("approval"), "approved");
            it[field] = value;
            assert_eq!(change(&it).value("approval"), "not requested");
        }
    }

    #[test]
    fn a_request_has_another_id_after_an_edit_and_none_after_a_decision() {
        let asked = json!([{"person": "ada", "why": "owner"}, {"person": "ada", "why": "twice"}, {"person": "bob", "why": "security"}]);
        let change = |digest: &str| json!({"key": "CHG-7", "content_digest": digest, "requests": asked});
        let before = approvals(&change("sha256:1"), &[]);
        let after = approvals(&change("sha256:2"), &[]);
        assert_eq!(before.len(), 2);
        assert_ne!(before[0].value("sys_id"), after[0].value("sys_id"));
        let decided = json!({"id": "a1", "person": "ada", "decision": "approve", "state": "standing"});
        let rows = approvals(&change("sha256:2"), std::slice::from_ref(&decided));
        let states: Vec<&str> = rows.iter().map(|row| row.value("state")).collect();
        assert_eq!(states, ["approved", "requested"]);
        // A voided decision makes its author a requested approver again.
        let mut voided = decided;
        voided["state"] = json!("voided");
        let rows = approvals(&change("sha256:2"), &[voided]);
        let states: Vec<&str> = rows.iter().map(|row| row.value("state")).collect();
        assert_eq!(states, ["cancelled", "requested", "requested"]);
    }
}

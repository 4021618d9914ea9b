//! Records that a client creates or edits, by their tables.

use serde_json::{Map, Value, json};

use super::change_acts;
use super::change_rows;
use super::fields::{key, nothing_left, object, take, time};
use super::rows::Row;
use super::states::{self, INCIDENTS, TASKS};
use super::sys_id::{self, Named, Part};
use super::table::Table;
use super::tables::{change_key, find_one, of_change, segment, tasks};
use crate::dialects::DialectRequest;
use crate::dialects::api::{Refused, text_of};

/// The types of tasks there and the kinds here.
const TASK_TYPES: &[(&str, &str)] = &[
    ("planning", "prepare"),
    ("testing", "test"),
    ("implementation", "implement"),
    ("review", "verify"),
];

/// Makes a record.
pub(super) async fn create(asked: &DialectRequest, table: Table) -> Result<Row, Refused> {
    let fields = object(asked)?;
    match table {
        Table::Change => Ok(change_rows::change(&change_acts::create(asked, fields).await?)),
        Table::ChangeTask => create_task(asked, fields, None).await,
        Table::Incident => create_incident(asked, fields).await,
        _ => Err(read_only(table)),
    }
}

/// Changes a record.
pub(super) async fn update(asked: &DialectRequest, table: Table, id: &str) -> Result<Row, Refused> {
    let fields = object(asked)?;
    match (table, sys_id::read(id)) {
        (Table::Change, Some(Named::Key(key))) => {
            Ok(change_rows::change(&change_acts::update(asked, &key, fields).await?))
        }
        (Table::ChangeTask, Some(Named::Part(Part::Task, key))) => update_task(asked, &key, id, fields).await,
        (Table::Incident, Some(Named::Key(key))) => update_incident(asked, &key, id, fields).await,
        (Table::Approver, Some(Named::Part(Part::Approval, key))) => decide_by_id(asked, &key, id, fields).await,
        (Table::Change | Table::ChangeTask | Table::Incident | Table::Approver, _) => Err(absent(table)),
        _ => Err(read_only(table)),
    }
}

/// There is no such record.
pub(super) fn absent(table: Table) -> Refused {
    Refused::new(404, "not_found", format!("No record of {} has this id.", table.name()))
}

fn read_only(table: Table) -> Refused {
    let text = format!("{} is only read here. Write it in Assent.", table.name());
    Refused::new(405, "read_only", text)
}

/// Makes a task of a change, which a field or the path names.
pub(super) async fn create_task(
    asked: &DialectRequest,
    mut fields: Map<String, Value>,
    change: Option<&str>,
) -> Result<Row, Refused> {
    let named = [take(&mut fields, "change_request"), take(&mut fields, "parent")];
    let named = named.into_iter().flatten().next().or(change.map(str::to_owned));
    let named = named.ok_or_else(|| Refused::field("`change_request` names the change that the task belongs to."))?;
    let change = change_key(asked, &named).await?;
    let mut body = Map::new();
    if let Some(title) = take(&mut fields, "short_description") {
        body.insert("title".to_owned(), json!(title));
    }
    let kind = take(&mut fields, "change_task_type").unwrap_or_else(|| "implementation".to_owned());
    let ours = TASK_TYPES.iter().find(|row| row.0 == kind || row.1 == kind);
    let wrong = || {
        let known: Vec<&str> = TASK_TYPES.iter().map(|row| row.0).collect();
        Refused::field(format!("`change_task_type` is one of: {}.", known.join(", ")))
    };
    body.insert("kind".to_owned(), json!(ours.ok_or_else(wrong)?.1));
    if let Some(text) = take(&mut fields, "assigned_to") {
        body.insert("assignee".to_owned(), json!(key(asked, Table::SysUser, &text).await?));
    }
    for (theirs, ours) in [
        ("planned_start_date", "planned_start"),
        ("planned_end_date", "planned_end"),
    ] {
        if let Some(text) = take(&mut fields, theirs) {
            body.insert(ours.to_owned(), time(theirs, &text)?);
        }
    }
    nothing_left(&fields, Table::ChangeTask)?;
    let path = format!("/changes/{}/tasks", segment(&change));
    let made = asked.api.post(&path, &Value::Object(body)).await?;
    let id = change_rows::task_id(&change, &made);
    find_one(asked, Table::ChangeTask, &id)
        .await?
        .ok_or_else(|| absent(Table::ChangeTask))
}

async fn update_task(
    asked: &DialectRequest,
    change: &str,
    id: &str,
    mut fields: Map<String, Value>,
) -> Result<Row, Refused> {
    let found = tasks(asked, change).await?;
    let task = found.into_iter().find(|(row, _)| row.value("sys_id") == id);
    let (_, task) = task.ok_or_else(|| absent(Table::ChangeTask))?;
    let mut body = Map::new();
    if let Some(state) = take(&mut fields, "state") {
        let number = states::number(TASKS, &state);
        let ours = number.and_then(|number| states::ours(TASKS, number).first().copied());
        let wrong = || Refused::field("`state` of a task is 1 (Open), 3 (Closed) or 4 (Canceled).");
        body.insert("state".to_owned(), json!(ours.ok_or_else(wrong)?));
    }
    if let Some(text) = take(&mut fields, "close_notes") {
        body.insert("text".to_owned(), json!(text));
    }
    if let Some(text) = take(&mut fields, "assigned_to") {
        body.insert("assignee".to_owned(), json!(key(asked, Table::SysUser, &text).await?));
    }
    for (theirs, ours) in [("work_start", "actual_start"), ("work_end", "actual_end")] {
        if let Some(text) = take(&mut fields, theirs) {
            body.insert(ours.to_owned(), time(theirs, &text)?);
        }
    }
    nothing_left(&fields, Table::ChangeTask)?;
    let path = format!("/changes/{}/tasks/{}", segment(change), segment(text_of(&task["id"])));
    asked
        .api
        .edit("PATCH", &path, &Value::Object(body), &task["version"])
        .await?;
    find_one(asked, Table::ChangeTask, id)
        .await?
        .ok_or_else(|| absent(Table::ChangeTask))
}

/// The fields of an incident that both a new and a known one take.
async fn incident_fields(
    asked: &DialectRequest,
    fields: &mut Map<String, Value>,
) -> Result<Map<String, Value>, Refused> {
    let mut body = Map::new();
    if let Some(title) = take(fields, "short_description") {
        body.insert("title".to_owned(), json!(title));
    }
    if let Some(text) = take(fields, "severity") {
        let wrong = |_| Refused::field("`severity` is a number from 1 to 4.");
        body.insert("severity".to_owned(), json!(text.parse::<i64>().map_err(wrong)?));
    }
    if let Some(text) = take(fields, "cmdb_ci") {
        body.insert("services".to_owned(), json!([key(asked, Table::CmdbCi, &text).await?]));
    }
    if let Some(text) = take(fields, "correlation_id") {
        body.insert("external_ref".to_owned(), json!(text));
    }
    for (theirs, ours) in [("opened_at", "started_at"), ("resolved_at", "resolved_at")] {
        if let Some(text) = take(fields, theirs) {
            body.insert(ours.to_owned(), time(theirs, &text)?);
        }
    }
    Ok(body)
}

async fn create_incident(asked: &DialectRequest, mut fields: Map<String, Value>) -> Result<Row, Refused> {
    let body = incident_fields(asked, &mut fields).await?;
    nothing_left(&fields, Table::Incident)?;
    let made = asked.api.post("/incidents", &Value::Object(body)).await?;
    let id = sys_id::of_key(text_of(&made["key"]));
    find_one(asked, Table::Incident, &id)
        .await?
        .ok_or_else(|| absent(Table::Incident))
}

async fn update_incident(
    asked: &DialectRequest,
    key: &str,
    id: &str,
    mut fields: Map<String, Value>,
) -> Result<Row, Refused> {
    let path = format!("/incidents/{}", segment(key));
    let known = asked.api.find(&path).await?.ok_or_else(|| absent(Table::Incident))?;
    let mut body = incident_fields(asked, &mut fields).await?;
    let state = take(&mut fields, "state");
    nothing_left(&fields, Table::Incident)?;
    if let Some(state) = state {
        let here = text_of(&known["state"])
            .parse()
            .ok()
            .map(|it| states::shown(INCIDENTS, it).0);
        match states::number(INCIDENTS, &state) {
            to if to.is_some() && to == here => {}
            Some("2") => {
                body.insert("mitigated_at".to_owned(), json!(asked.now));
            }
            Some("6") => {
                body.entry("resolved_at").or_insert_with(|| json!(asked.now));
            }
            _ => {
                let text = format!(
                    "{key} does not go to state `{state}` by this field: 2 (In Progress) says that its effect is \
                                    contained, 6 (Resolved) that it is over. Close it in Assent, with its review."
                );
                return Err(Refused::new(409, "not_in_state", text));
            }
        }
    }
    if !body.is_empty() {
        asked
            .api
            .edit("PATCH", &path, &Value::Object(body), &known["version"])
            .await?;
    }
    find_one(asked, Table::Incident, id)
        .await?
        .ok_or_else(|| absent(Table::Incident))
}

/// Decides by the id of a request, which contains the digest of the content that was read.
async fn decide_by_id(
    asked: &DialectRequest,
    change: &str,
    id: &str,
    fields: Map<String, Value>,
) -> Result<Row, Refused> {
    let rows = of_change(asked, change).await?;
    let Some(row) = rows.into_iter().find(|row| row.value("sys_id") == id) else {
        let text = format!(
            "This approval of {change} is not there: its change was edited or the request withdrawn since it was \
                            read. Read the approvals again, and decide about what they are about now."
        );
        return Err(Refused::new(409, "digest_not_current", text));
    };
    let approver = row.get("approver").map_or("", |field| field.display.as_str());
    let me = asked.api.get("/me").await?;
    if text_of(&me["login"]) != approver {
        let text = format!(
            "This approval is asked of `{approver}`, and the token is one of `{}`.",
            text_of(&me["login"])
        );
        return Err(Refused::new(403, "not_asked", text));
    }
    if row.value("state") != "requested" {
        let text = format!("This approval is `{}` already.", row.value("state"));
        return Err(Refused::new(409, "decided", text));
    }
    decide(asked, change, row.value("u_assent_content_digest"), fields).await
}

/// Decides about the content with this digest; returns the decision.
pub(super) async fn decide(
    asked: &DialectRequest,
    change: &str,
    digest: &str,
    mut fields: Map<String, Value>,
) -> Result<Row, Refused> {
    let decision = match take(&mut fields, "state").as_deref() {
        Some("approved") => "approve",
        Some("rejected") => "reject",
        _ => {
            return Err(Refused::field(
                "`state` of an approval is written as `approved` or `rejected`.",
            ));
        }
    };
    let comment = take(&mut fields, "comments");
    nothing_left(&fields, Table::Approver)?;
    let mut body = json!({"decision": decision, "content_digest": digest});
    if let Some(comment) = comment {
        body["comment"] = json!(comment);
    }
    let path = format!("/changes/{}/approvals", segment(change));
    let made = asked.api.post(&path, &body).await?;
    let id = sys_id::of_part(Part::Approval, change, text_of(&made["id"]));
    find_one(asked, Table::Approver, &id)
        .await?
        .ok_or_else(|| absent(Table::Approver))
}

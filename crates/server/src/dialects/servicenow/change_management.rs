//! The Change Management API: changes with each field as value and display value, their next states, tasks, conflicts and approvals.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::change_acts::{self, next_states};
use super::change_rows::{self, state_of};
use super::fields::{OWN, object, take};
use super::foreign_names;
use super::rows::{Row, Shape, Show};
use super::table::Table;
use super::tables::{change_key, find, find_one, of_change, segment, tasks};
use super::{nothing, query, schedule, write, wrong_method};
use crate::dialects::api::{Refused, items_of, text_of};
use crate::dialects::{DialectRequest, DialectResponse};

/// The kinds of changes in paths.
const KINDS: &[&str] = &["normal", "standard", "emergency"];
/// The number of changes shown by default, and the most.
const MOST_SHOWN: usize = 500;

/// Serves a request; `parts` is the path behind the name of the API.
pub(super) async fn answer(asked: &DialectRequest, parts: &[&str]) -> Result<DialectResponse, Refused> {
    match parts {
        ["change"] => changes(asked, None).await,
        ["change", kind] if KINDS.contains(kind) => changes(asked, Some(*kind)).await,
        ["change", "standard", "template"] if asked.method == Method::GET => templates(asked).await,
        ["change", "standard", "template", id] => template(asked, id).await,
        ["change", "standard", template] if asked.method == Method::POST => {
            create(asked, Some("standard"), Some(*template)).await
        }
        ["change", kind, id] if KINDS.contains(kind) => change(asked, Some(*kind), id).await,
        ["change", "ci", id, "schedule"] => schedule::of_item(asked, id).await,
        ["change", "worker", id] | ["change", id, "schedule"] => schedule::of_change(asked, id).await,
        ["change", id] => change(asked, None, id).await,
        ["change", id, "nextstate" | "nextstates"] => next(asked, id).await,
        ["change", id, "task"] => change_tasks(asked, id).await,
        ["change", id, "task", task] => change_task(asked, id, task).await,
        ["change", id, "conflict"] => conflicts(asked, id).await,
        ["change", id, "approvals"] => approvals(asked, id).await,
        _ => Err(nothing()),
    }
}

/// Each field as value and display value, as this API shows records.
fn shown(row: &Row) -> Value {
    let shape = Shape {
        show: Show::Both,
        fields: Vec::new(),
        links: None,
        walked: HashMap::new(),
    };
    row.shown(&shape)
}

fn result(status: u16, value: Value) -> DialectResponse {
    DialectResponse::new(status, json!({"result": value}))
}

async fn changes(asked: &DialectRequest, kind: Option<&str>) -> Result<DialectResponse, Refused> {
    match asked.method {
        Method::POST => return create(asked, kind, None).await,
        Method::GET => {}
        _ => return Err(wrong_method()),
    }
    let limit = super::count(asked, "sysparm_limit", MOST_SHOWN)?.min(MOST_SHOWN);
    let offset = super::count(asked, "sysparm_offset", 0)?;
    let mut rows = find(asked, Table::Change, &query(asked)?).await?;
    rows.retain(|row| kind.is_none_or(|kind| row.value("type") == kind));
    let page: Vec<Value> = rows.iter().skip(offset).take(limit).map(shown).collect();
    let mut answered = result(200, json!(page));
    answered.headers.push(("x-total-count", rows.len().to_string()));
    Ok(answered)
}

/// Makes a change of the kind that the path names; the path of a standard change names its template, by its key or its id.
async fn create(
    asked: &DialectRequest,
    kind: Option<&str>,
    template: Option<&str>,
) -> Result<DialectResponse, Refused> {
    let mut fields = match &asked.body {
        Value::Null => Map::new(),
        _ => object(asked)?,
    };
    if let Some(kind) = kind {
        fields.insert("type".to_owned(), json!(kind));
    }
    if let Some(template) = template {
        let key = match super::sys_id::read(template) {
            Some(super::sys_id::Named::Key(key)) => key,
            _ => template.to_owned(),
        };
        fields.insert(format!("{OWN}template"), json!(key));
    }
    let made = change_acts::create(asked, fields).await?;
    Ok(result(200, shown(&change_rows::change(&made))))
}

async fn change(asked: &DialectRequest, kind: Option<&str>, id: &str) -> Result<DialectResponse, Refused> {
    let key = change_key(asked, id).await?;
    let path = format!("/changes/{}", segment(&key));
    let view = asked.api.get(&path).await?;
    if kind.is_some_and(|kind| text_of(&view["kind"]) != kind) {
        return Err(write::absent(Table::Change));
    }
    let view = match asked.method {
        Method::GET => view,
        Method::PATCH => change_acts::update(asked, &key, object(asked)?).await?,
        Method::DELETE => {
            let text = "Nothing is deleted here: cancel the change by its state 4.";
            return Err(Refused::new(405, "not_deleted", text));
        }
        _ => return Err(wrong_method()),
    };
    Ok(result(200, shown(&change_rows::change(&view))))
}

fn only(asked: &DialectRequest, method: &Method) -> Result<(), Refused> {
    if asked.method == method {
        Ok(())
    } else {
        Err(wrong_method())
    }
}

async fn next(asked: &DialectRequest, id: &str) -> Result<DialectResponse, Refused> {
    only(asked, &Method::GET)?;
    let key = change_key(asked, id).await?;
    let path = format!("/changes/{}", segment(&key));
    let view = asked.api.get(&path).await?;
    let unmet = asked.api.get(&format!("{path}/requirements")).await?;
    Ok(result(200, next_shown(&view, items_of(&unmet["items"]))))
}

/// The templates for standard changes.
async fn templates(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let rows = find(asked, Table::TemplateVersion, &query(asked)?).await?;
    let limit = super::count(asked, "sysparm_limit", MOST_SHOWN)?.min(MOST_SHOWN);
    let offset = super::count(asked, "sysparm_offset", 0)?;
    let page: Vec<Value> = rows.iter().skip(offset).take(limit).map(shown).collect();
    let mut answered = result(200, json!(page));
    answered.headers.push(("x-total-count", rows.len().to_string()));
    Ok(answered)
}

async fn template(asked: &DialectRequest, id: &str) -> Result<DialectResponse, Refused> {
    only(asked, &Method::GET)?;
    let found = find_one(asked, Table::TemplateVersion, id).await?;
    let row = found.ok_or_else(|| write::absent(Table::TemplateVersion))?;
    Ok(result(200, shown(&row)))
}

/// The steps of the API whose unmet conditions block the way to a state there.
fn steps_to(number: &str) -> &'static [&'static str] {
    match number {
        "-4" => &["submission"],
        "-3" => &["assessment"],
        "-2" => &["approval", "scheduling"],
        "-1" => &["implementation"],
        "3" => &["closure"],
        // Cancelling, returning and completing a change need only a text.
        _ => &[],
    }
}

/// The unmet conditions on the way to a state, in the protocol's format.
fn conditions(number: &str, unmet: &[Value]) -> Vec<Value> {
    let steps = steps_to(number);
    let here = unmet.iter().filter(|it| steps.contains(&text_of(&it["step"])));
    here.map(|it| {
        let name = format!("{} {}", text_of(&it["text"]), text_of(&it["satisfy"]));
        let name = foreign_names::renamed(Refused::field(name).with_api_names(), Table::Change).text;
        json!({"passed": false, "condition": {"name": name, "description": text_of(&it["code"])}})
    })
    .collect()
}

/// The states ahead, each with the unmet conditions on the way to it.
fn next_shown(view: &Value, unmet: &[Value]) -> Value {
    let states = next_states(state_of(view));
    let here = states.first().map_or("", |(number, _)| *number);
    let transitions: Vec<Value> = states
        .iter()
        .skip(1)
        .map(|(number, label)| {
            let conditions = conditions(number, unmet);
            json!({"from_state": here, "to_state": number, "display_value": label, "automatic_transition": false,
                "transition_available": conditions.is_empty(), "conditions": conditions})
        })
        .collect();
    let labels: Map<String, Value> = states
        .iter()
        .map(|(number, label)| ((*number).to_owned(), json!(label)))
        .collect();
    let numbers: Vec<&str> = states.iter().map(|(number, _)| *number).collect();
    json!({"available_states": numbers, "state_label": labels, "state_transitions": [transitions]})
}

async fn change_tasks(asked: &DialectRequest, id: &str) -> Result<DialectResponse, Refused> {
    let key = change_key(asked, id).await?;
    match asked.method {
        Method::GET => {
            let rows = tasks(asked, &key).await?;
            let rows: Vec<Value> = rows.iter().map(|(row, _)| shown(row)).collect();
            Ok(result(200, json!(rows)))
        }
        Method::POST => {
            let row = write::create_task(asked, object(asked)?, Some(&key)).await?;
            Ok(result(200, shown(&row)))
        }
        _ => Err(wrong_method()),
    }
}

async fn change_task(asked: &DialectRequest, id: &str, task: &str) -> Result<DialectResponse, Refused> {
    let key = change_key(asked, id).await?;
    let found = find_one(asked, Table::ChangeTask, task).await?;
    let is_of_change = |row: &Row| row.get("change_request").is_some_and(|field| field.display == key);
    let row = found
        .filter(is_of_change)
        .ok_or_else(|| write::absent(Table::ChangeTask))?;
    match asked.method {
        Method::GET => Ok(result(200, shown(&row))),
        Method::PATCH => Ok(result(
            200,
            shown(&write::update(asked, Table::ChangeTask, task).await?),
        )),
        _ => Err(wrong_method()),
    }
}

/// The conflicts of a change. They are computed from its present plan, so a client that requests a new search gets the same.
async fn conflicts(asked: &DialectRequest, id: &str) -> Result<DialectResponse, Refused> {
    if !matches!(asked.method, Method::GET | Method::POST) {
        return Err(wrong_method());
    }
    let key = change_key(asked, id).await?;
    let found = asked.api.get(&format!("/changes/{}/conflicts", segment(&key))).await?;
    Ok(result(200, conflicts_shown(&key, items_of(&found["conflicts"]))))
}

fn conflicts_shown(key: &str, found: &[Value]) -> Value {
    let rows: Vec<Value> = found
        .iter()
        .map(|it| {
            let why: Vec<&str> = items_of(&it["why"]).iter().map(text_of).collect();
            let row = Row(vec![
                super::rows::Field::refers("change", Table::Change, key),
                super::rows::Field::text("conflicting_change", text_of(&it["with"])),
                super::rows::Field::time("start_date", &it["from"]),
                super::rows::Field::time("end_date", &it["to"]),
                super::rows::Field::text(
                    "type",
                    text_of(&items_of(&it["met"]).first().unwrap_or(&Value::Null)["kind"]),
                ),
                super::rows::Field::text("description", why.join(" ")),
            ]);
            shown(&row)
        })
        .collect();
    let state = if rows.is_empty() { "No Conflict" } else { "Conflict" };
    json!({"conflict_status": state, "conflicts": rows})
}

/// Shows the approvals of a change, or decides for the bearer of the token. A decision needs the digest of the content that was
/// read, because a change's id does not identify its content.
async fn approvals(asked: &DialectRequest, id: &str) -> Result<DialectResponse, Refused> {
    if asked.method == Method::GET {
        let key = change_key(asked, id).await?;
        let rows: Vec<Value> = of_change(asked, &key).await?.iter().map(shown).collect();
        return Ok(result(200, json!(rows)));
    }
    only(asked, &Method::PATCH)?;
    let key = change_key(asked, id).await?;
    let mut fields = object(asked)?;
    let Some(digest) = take(&mut fields, &format!("{OWN}content_digest")) else {
        let text = "Send `u_assent_content_digest` of the change as you read it: an approval is for the content that was read. Or \
                    decide by the record of sysapproval_approver, whose id holds it.";
        return Err(Refused::field(text));
    };
    let row = write::decide(asked, &key, &digest, fields).await?;
    let state = row
        .get("state")
        .map(|field| json!({"value": field.value, "display_value": field.display}));
    Ok(result(200, json!({"approval": state, "sys_id": row.value("sys_id")})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_states_name_what_is_unmet() {
        let view = json!({"key": "CHG-1", "state": "draft"});
        let unmet = [
            json!({"code": "field_missing", "step": "submission", "text": "The change still needs a title.", "satisfy": "Fill in `title`."}),
            json!({"code": "plan_missing", "step": "assessment", "text": "The change has no plan.", "satisfy": "Add a step to `plan`."}),
        ];
        let shown = next_shown(&view, &unmet);
        assert_eq!(shown["available_states"], json!(["-5", "-4", "4"]));
        assert_eq!(shown["state_label"]["-4"], "Assess");
        let first = &shown["state_transitions"][0][0];
        assert_eq!(first["to_state"], "-4");
        assert_eq!(
            first["conditions"][0]["condition"]["name"],
            "The change still needs a title. Fill in `short_description`."
        );
        assert_eq!(
            first["conditions"].as_array().map(Vec::len),
            Some(1),
            "of this step alone"
        );
        assert_eq!(first["transition_available"], false);
        let cancelling = &shown["state_transitions"][0][1];
        assert_eq!(
            (
                &cancelling["to_state"],
                &cancelling["transition_available"],
                &cancelling["conditions"]
            ),
            (&json!("4"), &json!(true), &json!([]))
        );
    }

    #[test]
    fn a_conflict_names_the_other_change_and_why() {
        let found = [
            json!({"with": "CHG-2", "from": "2026-11-28T10:00:00Z", "to": "2026-11-28T11:00:00Z",
            "met": [{"kind": "same_service"}], "why": ["Both work on web."]}),
        ];
        let shown = conflicts_shown("CHG-1", &found);
        assert_eq!(shown["conflict_status"], "Conflict");
        assert_eq!(shown["conflicts"][0]["conflicting_change"]["value"], "CHG-2");
        assert_eq!(shown["conflicts"][0]["description"]["value"], "Both work on web.");
        assert_eq!(conflicts_shown("CHG-1", &[])["conflict_status"], "No Conflict");
    }
}

//! Change control: a stage of a run gets its change, waits for the gate, and writes into its change.

use model::core::enums::{OutsideRunKind, State};
use model::integration::outside_run::key_of;
use serde_json::{Map, Value, json};

use super::super::fields::{OWN, content, flag, nothing_left, object, place, plain, take};
use super::super::states::{self, CHANGES};
use super::super::sys_id::of_key;
use super::super::table::Table;
use super::super::tables::segment;
use super::super::{change_acts, tables};
use super::{Run, needed};
use crate::dialects::api::{Refused, text_of};
use crate::dialects::gating::{self, GatingState, state_of};
use crate::dialects::{DialectRequest, DialectResponse, runs};

/// The title of a change whose pipeline named none.
const TITLE: &str = "Deployment by a pipeline";
/// Settings in the details of a change that have no effect here.
const SETTINGS: &[&str] = &["setCloseCode", "autoCloseChange"];

/// Creates the change of a stage, or returns the one that it has.
pub(super) async fn begin(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let mut body = object(asked)?;
    if body.remove("deploymentGateDetails").is_some() {
        let text = "Deployment gates are not answered here: with one, the step does not wait for the change. Leave \
                    `deployment-gate` out, so that it does.";
        return Err(Refused::field(text));
    }
    let repository = needed(&mut body, "repository")?;
    let workflow = needed(&mut body, "workflow")?;
    let run = Run::new(
        Some(format!("{repository}/{workflow}")),
        take(&mut body, "buildNumber"),
        take(&mut body, "attemptNumber"),
    )?;
    let stage = needed(&mut body, "stageName")?;
    let name = run.name(&stage);
    if let Some(known) = runs::find(asked, OutsideRunKind::Deployment, &name).await? {
        return Ok(begun(text_of(&known["change_key"])));
    }
    let commit = take(&mut body, "sha");
    let attributes = attributes(body.remove("changeRequestDetails"))?;
    let plan = plan(asked, attributes, &run, commit.as_deref()).await?;
    let once = key_of(OutsideRunKind::Deployment, &name);
    let made = asked.api.post_once("/changes", &plan.content, &once).await?;
    let change = text_of(&made["key"]).to_owned();
    let said = json!({"change_key": change, "service": plan.service, "environment": plan.environment, "artifact": plan.artifact,
        "commit": commit, "state": "pending"});
    runs::report_run(asked, OutsideRunKind::Deployment, &name, &said).await?;
    submit(asked, &change, plan.is_reviewed).await?;
    Ok(begun(&change))
}

fn begun(change: &str) -> DialectResponse {
    let result = json!({"status": "Success", "changeControl": true, "changeRequestNumber": change, "changeRequestSysId": of_key(change)});
    DialectResponse::new(201, json!({"result": result}))
}

/// The attributes of the requested change.
fn attributes(details: Option<Value>) -> Result<Map<String, Value>, Refused> {
    let wrong = || Refused::field("`changeRequestDetails` is an object with `attributes`.");
    let mut details = match details {
        Some(Value::Object(details)) => details,
        None | Some(Value::Null) => Map::new(),
        _ => return Err(wrong()),
    };
    for name in SETTINGS {
        details.remove(*name);
    }
    match details.remove("attributes") {
        Some(Value::Object(attributes)) if details.is_empty() => Ok(attributes),
        None => Ok(details),
        Some(Value::Object(_)) => {
            let names: Vec<&str> = details.keys().map(String::as_str).collect();
            let text = format!("`{}` is not read beside `attributes`.", names.join("`, `"));
            Err(Refused::field(text))
        }
        Some(_) => Err(wrong()),
    }
}

/// A change that is to be made.
struct Plan {
    content: Value,
    service: String,
    environment: String,
    artifact: Option<String>,
    is_reviewed: bool,
}

async fn plan(
    asked: &DialectRequest,
    mut attributes: Map<String, Value>,
    run: &Run,
    commit: Option<&str>,
) -> Result<Plan, Refused> {
    let service = [
        take(&mut attributes, "cmdb_ci"),
        take(&mut attributes, "business_service"),
    ];
    let service = service.into_iter().flatten().next().ok_or_else(|| {
        Refused::field("`cmdb_ci` is missing in `attributes`: it names the service that is deployed.")
    })?;
    let (service, item) = place(asked, &service).await?;
    let environment = take(&mut attributes, &format!("{OWN}environment")).ok_or_else(|| {
        Refused::field("`u_assent_environment` is missing in `attributes`: it names where the service is deployed to.")
    })?;
    let reviewed = attributes.remove(&format!("{OWN}dependencies_reviewed"));
    let is_reviewed = match reviewed {
        Some(value) => flag("u_assent_dependencies_reviewed", &plain(&value))?,
        None => false,
    };
    let built = runs::find(asked, OutsideRunKind::Build, &run.name(&service)).await?;
    let artifact = built.and_then(|built| built["artifact"].as_str().map(str::to_owned));
    let mut content = content(asked, &mut attributes).await?;
    nothing_left(&attributes, Table::Change)?;
    content.entry("title").or_insert_with(|| json!(TITLE));
    if !content.contains_key("implementers")
        && let Some(implementers) = gating::implementers(asked).await?
    {
        content.insert("implementers".to_owned(), implementers);
    }
    let mut target = json!({"service": service, "environment": environment});
    for (field, name) in [("commit", commit), ("artifact", artifact.as_deref())] {
        if let Some(name) = name {
            target[field] = json!(name);
        }
    }
    if let Some(item) = item {
        target["config_items"] = json!([item]);
    }
    content.insert("targets".to_owned(), json!([target]));
    Ok(Plan {
        content: Value::Object(content),
        service,
        environment,
        artifact,
        is_reviewed,
    })
}

/// Submits a new change, and assesses it where its pipeline reports that its dependencies were reviewed. A change that lacks
/// something stays a draft. Its status lists what is missing, so its author can complete it while the pipeline waits.
async fn submit(asked: &DialectRequest, change: &str, is_reviewed: bool) -> Result<(), Refused> {
    let path = format!("/changes/{}", segment(change));
    let submitted = asked.api.post(&format!("{path}/submission"), &json!({})).await;
    match submitted {
        Ok(view) if is_reviewed && state_of(&view) == State::Assessing => {
            let body = json!({"dependencies_reviewed": true});
            stays(asked.api.post(&format!("{path}/assessment"), &body).await)
        }
        other => stays(other),
    }
}

/// Ignores a refusal for unmet conditions, which can be met later; passes on every other refusal.
fn stays(done: Result<Value, Refused>) -> Result<(), Refused> {
    match done {
        Err(why) if !matches!(why.status, 400 | 409) => Err(why),
        _ => Ok(()),
    }
}

/// The run of a stage that the query names, with its change.
async fn found(asked: &DialectRequest) -> Result<Value, Refused> {
    let said = |name: &str| asked.query(name).map(str::to_owned);
    let run = Run::new(said("pipelineName"), said("buildNumber"), said("attemptNumber"))?;
    let stage = said("stageName").ok_or_else(|| Refused::field("`stageName` is missing."))?;
    let known = runs::find(asked, OutsideRunKind::Deployment, &run.name(&stage)).await?;
    let known = known.filter(|known| known["change_key"].is_string());
    known.ok_or_else(|| {
        let text = format!("No change was asked for by the stage `{stage}` of this run. Ask for change control first.");
        Refused::new(404, "not_found", text)
    })
}

/// The status of a stage's change: 200 lets the pipeline go on, 201 makes it wait or stop. The details are texts, so that the
/// step shows them when they change.
pub(super) async fn status(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let told = gating::query_gate(asked, &found(asked).await?).await?;
    let change = text_of(&told.change["key"]);
    let (number, result, word) = match told.standing {
        GatingState::Allowed => (200, "success", "approved"),
        GatingState::Awaiting => (201, "pending", "pending_decision"),
        GatingState::Rejected => (201, "rejected", "rejected"),
        GatingState::Cancelled => (201, "canceled", "canceled_by_user"),
    };
    let details = json!({
        "number": change,
        "sys_id": of_key(change),
        "status": word,
        "state": states::shown(CHANGES, state_of(&told.change)).1,
        "details": told.text(),
    });
    Ok(DialectResponse::new(
        number,
        json!({"result": {"status": result, "details": details}}),
    ))
}

/// The number of the change of a stage.
pub(super) async fn info(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let run = found(asked).await?;
    let change = text_of(&run["change_key"]);
    let view = asked.api.get(&format!("/changes/{}", segment(change))).await?;
    let state = states::shown(CHANGES, state_of(&view)).1;
    let result = json!({"status": "Success", "number": change, "sys_id": of_key(change), "state": state});
    Ok(DialectResponse::new(200, json!({"result": result})))
}

/// Writes into a change as its record in `change_request` is written: fields first, the step to a state last.
pub(super) async fn update(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let number = asked.query("changeRequestNumber");
    let number = number.ok_or_else(|| Refused::field("`changeRequestNumber` is missing."))?;
    let change = tables::change_key(asked, number).await?;
    let view = change_acts::update(asked, &change, object(asked)?).await?;
    let state = states::shown(CHANGES, state_of(&view)).1;
    let message = format!("{change} is written, and is {state}.");
    Ok(DialectResponse::new(
        200,
        json!({"result": {"status": "Success", "message": message, "number": change}}),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn the_attributes_of_a_change_are_read_and_settings_of_the_step_are_left_out() {
        let read = attributes(Some(
            json!({"setCloseCode": "true", "autoCloseChange": true, "attributes": {"short_description": "s"}}),
        ));
        assert_eq!(Value::Object(read.unwrap()), json!({"short_description": "s"}));
        let flat = attributes(Some(json!({"setCloseCode": true, "short_description": "s"})));
        assert_eq!(Value::Object(flat.unwrap()), json!({"short_description": "s"}));
        assert!(attributes(None).unwrap().is_empty());
        for wrong in [
            json!("x"),
            json!({"attributes": 1}),
            json!({"attributes": {}, "approval": "approved"}),
        ] {
            assert!(attributes(Some(wrong.clone())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_unmet_leaves_a_draft_and_what_is_not_allowed_is_refused() {
        assert!(stays(Err(Refused::new(409, "unmet", "x"))).is_ok());
        assert!(stays(Err(Refused::new(403, "not_allowed", "x"))).is_err());
    }
}

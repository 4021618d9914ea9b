//! Deployments: reported in bulk, accepted or rejected one by one, and gated by their changes.

use model::core::enums::{OutsideRunKind, State};
use model::integration::outside_run::key_of;
use serde_json::{Value, json};

use super::nothing;
use super::tells::{Build, associated, build_of, changes, entries, number, plain, text};
use crate::dialects::api::{Refused, items_of, text_of};
use crate::dialects::gating::{self, GatingState, GatingStatus, state_of};
use crate::dialects::{DialectRequest, DialectResponse, runs};
use crate::http::percent::segment;

/// The command of a deployment that has to be gated.
const GATING: &str = "initiate_deployment_gating";
/// The states that a client may report.
const STATES: &[&str] = &[
    "unknown",
    PENDING,
    "in_progress",
    "cancelled",
    "failed",
    "rolled_back",
    "successful",
];
/// The state of a deployment that waits.
const PENDING: &str = "pending";
/// The outcome of the work, by the state that a client reports.
const OUTCOMES: &[(&str, &str)] = &[
    ("successful", "succeeded"),
    ("failed", "failed"),
    ("rolled_back", "rolled_back"),
];

/// The key of a deployment.
struct Key {
    pipeline: String,
    environment: String,
    number: i64,
}

impl Key {
    /// The key that a path names.
    fn new(pipeline: &str, environment: &str, sequence: &str) -> Result<Self, Refused> {
        Ok(Self {
            pipeline: pipeline.to_owned(),
            environment: environment.to_owned(),
            number: number(&json!(sequence), "deploymentSequenceNumber")?,
        })
    }

    fn read(entry: &Value) -> Result<Self, Refused> {
        Ok(Self {
            pipeline: text(&entry["pipeline"]["id"], "pipeline.id")?,
            environment: text(&entry["environment"]["id"], "environment.id")?,
            number: number(&entry["deploymentSequenceNumber"], "deploymentSequenceNumber")?,
        })
    }

    fn name(&self) -> String {
        runs::named(&[&self.pipeline, &self.environment, &self.number.to_string()])
    }

    fn shown(&self) -> Value {
        json!({"pipelineId": self.pipeline, "environmentId": self.environment, "deploymentSequenceNumber": self.number})
    }
}

/// Takes deployments.
pub(super) async fn bulk(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let (mut accepted, mut rejected, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries(asked, "deployments")? {
        match take(asked, entry).await {
            Ok((key, others)) => {
                accepted.push(key.shown());
                unknown.extend(others);
            }
            // An error that a retry may solve is no rejection of this deployment.
            Err(why) if why.status == 429 || why.status >= 500 => return Err(why),
            Err(why) => {
                let key = Key::read(entry).map_or(Value::Null, |key| key.shown());
                rejected.push(json!({"key": key, "errors": [{"message": why.text, "errorTraceId": why.code}]}));
            }
        }
    }
    let body = json!({"acceptedDeployments": accepted, "rejectedDeployments": rejected, "unknownIssueKeys": unknown});
    Ok(DialectResponse::new(202, body))
}

/// Records one deployment. Returns its key and the issues that are no changes here.
async fn take(asked: &DialectRequest, entry: &Value) -> Result<(Key, Vec<String>), Refused> {
    let key = Key::read(entry)?;
    let sequence = number(&entry["updateSequenceNumber"], "updateSequenceNumber")?;
    let state = text(&entry["state"], "state")?.to_lowercase();
    if !STATES.contains(&state.as_str()) {
        let text = format!("There is no state `{state}`. There are: {}.", STATES.join(", "));
        return Err(Refused::field(text));
    }
    let name = key.name();
    let known = runs::find(asked, OutsideRunKind::Deployment, &name).await?;
    // An update that comes twice or late was taken before, or is overtaken.
    let last = known.as_ref().and_then(|run| run["sequence"].as_i64());
    if last.is_some_and(|last| last >= sequence) {
        return Ok((key, Vec::new()));
    }
    let (run, unknown) = match known {
        Some(run) => (run, Vec::new()),
        None => {
            let (run, unknown) = first(asked, entry, &key).await?;
            // A step that is refused leaves the deployment known, with its change.
            if state != PENDING {
                runs::report_run(asked, OutsideRunKind::Deployment, &name, &run).await?;
            }
            (run, unknown)
        }
    };
    if run["change_key"].is_string() && run["state"] != json!(state) {
        follow(asked, &run, &state).await?;
    }
    let said = json!({"change_key": run["change_key"], "service": run["service"], "environment": run["environment"],
        "artifact": run["artifact"], "commit": run["commit"], "state": state, "sequence": sequence});
    runs::report_run(asked, OutsideRunKind::Deployment, &name, &said).await?;
    Ok((key, unknown))
}

/// The first report of a deployment: its service, environment and build, and its change.
async fn first(asked: &DialectRequest, entry: &Value, key: &Key) -> Result<(Value, Vec<String>), Refused> {
    let service = service(asked, entry).await?;
    let environment = environment(asked, entry).await?;
    let build = build_of(entry);
    let (named, unknown) = changes(asked, entry).await?;
    let is_gated = items_of(&entry["commands"])
        .iter()
        .any(|it| text_of(&it["command"]) == GATING);
    if is_gated && !build.is_named() {
        let text = "A gated deployment says what is deployed: a digest as `label`, or a commit among its associations.";
        return Err(Refused::field(text));
    }
    let change = match matching(&named, &service, &environment, &build) {
        Some(key) => Some(key),
        None if is_gated => Some(make(asked, entry, key, (service.as_str(), environment.as_str(), &build)).await?),
        None => None,
    };
    let run = json!({"change_key": change, "service": service, "environment": environment, "artifact": build.artifact,
        "commit": build.commit});
    Ok((run, unknown))
}

/// The first of the named changes that is about the deployment's service, environment and build.
fn matching(changes: &[Value], service: &str, environment: &str, build: &Build) -> Option<String> {
    let fits = |own: &Value, said: Option<&String>| said.is_none_or(|said| text_of(own) == said);
    let is_target = |target: &Value| {
        text_of(&target["service"]) == service
            && text_of(&target["environment"]) == environment
            && fits(&target["artifact"], build.artifact.as_ref())
            && fits(&target["commit"], build.commit.as_ref())
    };
    let mut found = changes
        .iter()
        .filter(|change| build.is_named() && items_of(&change["targets"]).iter().any(is_target));
    found.next().map(|change| text_of(&change["key"]).to_owned())
}

async fn service(asked: &DialectRequest, entry: &Value) -> Result<String, Refused> {
    let named: Vec<&str> = associated(entry, &["serviceIdOrKeys"])
        .into_iter()
        .map(text_of)
        .collect();
    for key in &named {
        if asked.api.find(&format!("/services/{}", segment(key))).await?.is_some() {
            return Ok((*key).to_owned());
        }
    }
    let text = match named.is_empty() {
        true => {
            "The deployment names no service: add the key of a service as an association of the type `serviceIdOrKeys`."
                .to_owned()
        }
        false => format!(
            "No service is called `{}`. Associate the key of a service of Assent.",
            named.join("` or `")
        ),
    };
    Err(Refused::field(text))
}

/// The environment by its id, else by its name.
async fn environment(asked: &DialectRequest, entry: &Value) -> Result<String, Refused> {
    let said = &entry["environment"];
    for name in [plain(&said["id"]), text_of(&said["displayName"]).to_lowercase()] {
        let path = format!("/environments/{}", segment(&name));
        if !name.is_empty() && asked.api.find(&path).await?.is_some() {
            return Ok(name);
        }
    }
    let text = format!(
        "No environment is called `{}`. Give `environment.id` or `environment.displayName` the key of an environment of Assent.",
        plain(&said["id"])
    );
    Err(Refused::field(text))
}

/// Makes the change of a gated deployment and submits it. Missing items may be added later; the gating status lists them.
async fn make(
    asked: &DialectRequest,
    entry: &Value,
    key: &Key,
    about: (&str, &str, &Build),
) -> Result<String, Refused> {
    let (service, environment, build) = about;
    let mut target = json!({"service": service, "environment": environment});
    for (field, name) in [("artifact", &build.artifact), ("commit", &build.commit)] {
        if let Some(name) = name {
            target[field] = json!(name);
        }
    }
    let mut content = json!({"title": text(&entry["displayName"], "displayName")?, "targets": [target]});
    if let Some(description) = entry["description"].as_str().filter(|text| !text.trim().is_empty()) {
        content["description"] = json!(description);
    }
    if let Some(implementers) = gating::implementers(asked).await? {
        content["implementers"] = implementers;
    }
    let once = key_of(OutsideRunKind::Deployment, &key.name());
    let made = asked.api.post_once("/changes", &content, &once).await?;
    let change = text_of(&made["key"]).to_owned();
    let path = format!("/changes/{}/submission", segment(&change));
    match asked.api.post(&path, &json!({})).await {
        Err(why) if !matches!(why.status, 400 | 409) => Err(why),
        _ => Ok(change),
    }
}

/// Takes the step that a reported state stands for. A report never opens the gate: a deployment that began or ended without the
/// gate's go is rejected, with the reasons.
async fn follow(asked: &DialectRequest, run: &Value, state: &str) -> Result<(), Refused> {
    let is_begun = state == "in_progress";
    let outcome = OUTCOMES.iter().find(|row| row.0 == state).map(|row| row.1);
    if !is_begun && outcome.is_none() {
        return Ok(());
    }
    let key = text_of(&run["change_key"]);
    let path = format!("/changes/{}", segment(key));
    let change = asked.api.get(&path).await?;
    let is_at_work = state_of(&change) == State::Implementing;
    if is_begun || !is_at_work {
        let told = gating::query_gate(asked, run).await?;
        if told.standing != GatingState::Allowed {
            let text = format!("{key} does not let this deployment be `{state}`. {}", told.text());
            return Err(Refused::new(409, "not_allowed_yet", text.trim()));
        }
    }
    let Some(outcome) = outcome else { return Ok(()) };
    if items_of(&change["targets"]).len() != 1 {
        let text = format!("{key} has several targets, so one deployment does not end it. Say its outcome in Assent.");
        return Err(Refused::new(409, "several_targets", text));
    }
    let body = json!({"outcome": outcome});
    asked.api.post(&format!("{path}/completion"), &body).await.map(drop)
}

/// Shows one deployment; `parts` is the path behind the segment for pipelines.
pub(super) async fn read(asked: &DialectRequest, parts: &[&str]) -> Result<DialectResponse, Refused> {
    let [
        pipeline,
        "environments",
        environment,
        "deployments",
        sequence,
        rest @ ..,
    ] = parts
    else {
        return Err(nothing());
    };
    let key = Key::new(pipeline, environment, sequence)?;
    match rest {
        [] => show(asked, &key).await,
        ["gating-status"] => gating(asked, &key).await,
        _ => Err(nothing()),
    }
}

async fn found(asked: &DialectRequest, key: &Key) -> Result<Value, Refused> {
    let known = runs::find(asked, OutsideRunKind::Deployment, &key.name()).await?;
    known.ok_or_else(|| Refused::new(404, "not_found", "Nobody told of this deployment."))
}

/// Shows the last reported state of a deployment.
async fn show(asked: &DialectRequest, key: &Key) -> Result<DialectResponse, Refused> {
    let run = found(asked, key).await?;
    let keys: Vec<&str> = run["change_key"].as_str().into_iter().collect();
    let body = json!({
        "deploymentSequenceNumber": key.number,
        "updateSequenceNumber": run["sequence"],
        "displayName": text_of(&run["external_ref"]),
        "url": asked.base,
        "description": "",
        "issueKeys": keys,
        "associations": [{"associationType": "issueKeys", "values": keys}, {"associationType": "serviceIdOrKeys", "values": [run["service"]]}],
        "lastUpdated": run["at"],
        "state": run["state"],
        "pipeline": {"id": key.pipeline, "displayName": key.pipeline, "url": asked.base},
        "environment": {"id": key.environment, "displayName": run["environment"], "type": "unmapped"},
    });
    Ok(DialectResponse::new(200, body))
}

/// Whether a deployment may go, by its gate.
async fn gating(asked: &DialectRequest, key: &Key) -> Result<DialectResponse, Refused> {
    let run = found(asked, key).await?;
    let mut body = key.shown();
    body["updatedTimestamp"] = json!(asked.now);
    if !run["change_key"].is_string() {
        body["gatingStatus"] = json!("invalid");
        body["details"] = json!([]);
        return Ok(DialectResponse::new(200, body));
    }
    let told = gating::query_gate(asked, &run).await?;
    let me = asked.api.get("/me").await?;
    let link = format!(
        "{}/t/{}/changes/{}",
        asked.base,
        text_of(&me["tenant"]),
        text_of(&told.change["key"])
    );
    body["gatingStatus"] = json!(status_name(told.standing));
    body["details"] = json!([detail(&told, &link)]);
    Ok(DialectResponse::new(200, body))
}

fn status_name(standing: GatingState) -> &'static str {
    match standing {
        GatingState::Awaiting => "awaiting",
        GatingState::Allowed => "allowed",
        GatingState::Rejected | GatingState::Cancelled => "prevented",
    }
}

/// The change as the gating issue of the protocol, with the reasons beside the protocol's own fields.
fn detail(told: &GatingStatus, link: &str) -> Value {
    json!({"type": "issue", "issueKey": told.change["key"], "issueLink": link, "reasons": told.reasons})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(commit: &str) -> Build {
        Build {
            artifact: None,
            commit: Some(commit.to_owned()),
        }
    }

    #[test]
    fn a_change_matches_by_service_environment_and_build() {
        let changes = [
            json!({"key": "CHG-1", "targets": [{"service": "shop", "environment": "production", "commit": "1f2e3d4"}]}),
        ];
        let matches = |service: &str, commit: &str| matching(&changes, service, "production", &build(commit));
        assert_eq!(matches("shop", "1f2e3d4").as_deref(), Some("CHG-1"));
        // A change of another service, or of another build, does not gate this deployment.
        assert_eq!(matches("bank", "1f2e3d4"), None);
        assert_eq!(matches("shop", "abcdef0"), None);
        assert_eq!(matching(&changes, "shop", "production", &Build::default()), None);
    }

    #[test]
    fn every_standing_has_a_word() {
        let words = [
            GatingState::Awaiting,
            GatingState::Allowed,
            GatingState::Rejected,
            GatingState::Cancelled,
        ]
        .map(status_name);
        assert_eq!(words, ["awaiting", "allowed", "prevented", "prevented"]);
    }

    #[test]
    fn every_state_that_ends_work_is_a_state_there() {
        assert!(OUTCOMES.iter().all(|(state, _)| STATES.contains(state)));
    }
}

//! Builds: an ended build becomes evidence of the changes that it names, if they are about the built commit.

use model::core::enums::OutsideRunKind;
use model::gate::build::are_one;
use model::integration::outside_run::key_of;
use serde_json::{Value, json};

use super::tells::{changes, entries, is_commit, number, text};
use crate::dialects::api::{Refused, items_of, text_of};
use crate::dialects::{DialectRequest, DialectResponse, runs};
use crate::http::percent::segment;

/// The states that a client may report, and the evidence that each becomes.
const STATES: &[(&str, Option<&str>)] = &[
    ("unknown", None),
    ("pending", None),
    ("in_progress", None),
    ("cancelled", None),
    ("failed", Some("failed")),
    ("successful", Some("passed")),
];

/// The key of a build.
struct Key {
    pipeline: String,
    number: i64,
}

impl Key {
    fn read(entry: &Value) -> Result<Self, Refused> {
        Ok(Self {
            pipeline: text(&entry["pipelineId"], "pipelineId")?,
            number: number(&entry["buildNumber"], "buildNumber")?,
        })
    }

    fn name(&self) -> String {
        runs::named(&[&self.pipeline, &self.number.to_string()])
    }

    fn shown(&self) -> Value {
        json!({"pipelineId": self.pipeline, "buildNumber": self.number})
    }
}

/// Takes builds.
pub(super) async fn bulk(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let (mut accepted, mut rejected, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries(asked, "builds")? {
        match take(asked, entry).await {
            Ok((key, others)) => {
                accepted.push(key.shown());
                unknown.extend(others);
            }
            Err(why) if why.status == 429 || why.status >= 500 => return Err(why),
            Err(why) => {
                let key = Key::read(entry).map_or(Value::Null, |key| key.shown());
                rejected.push(json!({"key": key, "errors": [{"message": why.text, "errorTraceId": why.code}]}));
            }
        }
    }
    let body = json!({"acceptedBuilds": accepted, "rejectedBuilds": rejected, "unknownIssueKeys": unknown});
    Ok(DialectResponse::new(202, body))
}

async fn take(asked: &DialectRequest, entry: &Value) -> Result<(Key, Vec<String>), Refused> {
    let key = Key::read(entry)?;
    let sequence = number(&entry["updateSequenceNumber"], "updateSequenceNumber")?;
    let state = text(&entry["state"], "state")?.to_lowercase();
    let row = STATES.iter().find(|row| row.0 == state);
    let result = row
        .ok_or_else(|| Refused::field(format!("There is no state `{state}` of a build.")))?
        .1;
    let known = runs::find(asked, OutsideRunKind::Build, &key.name()).await?;
    let last = known.as_ref().and_then(|run| run["sequence"].as_i64());
    if last.is_some_and(|last| last >= sequence) {
        return Ok((key, Vec::new()));
    }
    let commit = commit_of(entry);
    let (named, unknown) = changes(asked, entry).await?;
    if let Some(result) = result {
        for change in &named {
            check(change, commit.as_deref())?;
        }
        for change in &named {
            let about = text_of(&change["key"]);
            let path = format!("/changes/{}/evidence", segment(about));
            let body = evidence(entry, result, commit.as_deref());
            // The update's number identifies the evidence, so repeated updates add nothing.
            let once = format!("{}-{sequence}-{about}", key_of(OutsideRunKind::Build, &key.name()));
            asked.api.post_once(&path, &body, &once).await?;
        }
    }
    let said = json!({"commit": commit, "state": state, "sequence": sequence});
    runs::report_run(asked, OutsideRunKind::Build, &key.name(), &said).await?;
    Ok((key, unknown))
}

/// The commit that was built.
fn commit_of(entry: &Value) -> Option<String> {
    let references = items_of(&entry["references"]).iter();
    let mut commits = references.map(|it| text_of(&it["commit"]["id"]));
    commits.find(|it| is_commit(it)).map(str::to_owned)
}

/// Refuses a build as evidence of a change that is not about its commit.
fn check(change: &Value, commit: Option<&str>) -> Result<(), Refused> {
    let key = text_of(&change["key"]);
    let Some(commit) = commit else {
        let text = format!("The build is no evidence of {key}: it says no commit in `references`.");
        return Err(Refused::field(text));
    };
    let is_of = |target: &Value| are_one(text_of(&target["commit"]), commit);
    if items_of(&change["targets"]).iter().any(is_of) {
        return Ok(());
    }
    let text = format!("The build is no evidence of {key}: no target of it has the commit {commit}.");
    Err(Refused::new(409, "another_build", text))
}

fn evidence(entry: &Value, result: &str, commit: Option<&str>) -> Value {
    let name = text_of(&entry["displayName"]);
    let tests = &entry["testInfo"];
    let count = |field: &str| tests[field].as_i64();
    let said = match (count("numberPassed"), count("totalNumber")) {
        (Some(passed), Some(total)) => format!("{passed} of {total} tests passed."),
        _ => format!("The build {result}."),
    };
    let url = text_of(&entry["url"]);
    json!({"kind": "note", "aspect": "functional", "result": result, "name": if name.is_empty() { "Build" } else { name },
        "artifact": commit, "text": format!("{said} {url}").trim()})
}

/// Shows the last reported state of a build.
pub(super) async fn show(asked: &DialectRequest, pipeline: &str, sequence: &str) -> Result<DialectResponse, Refused> {
    let key = Key {
        pipeline: pipeline.to_owned(),
        number: number(&json!(sequence), "buildNumber")?,
    };
    let run = runs::find(asked, OutsideRunKind::Build, &key.name()).await?;
    let run = run.ok_or_else(|| Refused::new(404, "not_found", "Nobody told of this build."))?;
    let mut body = key.shown();
    for (field, value) in [
        ("updateSequenceNumber", run["sequence"].clone()),
        ("displayName", run["external_ref"].clone()),
        ("state", run["state"].clone()),
        ("lastUpdated", run["at"].clone()),
        ("url", json!(asked.base)),
        ("issueKeys", json!([])),
    ] {
        body[field] = value;
    }
    Ok(DialectResponse::new(200, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_evidence_of_changes_of_its_commit_alone() {
        let commit = "1f2e3d4c5b6a79880011223344556677889900aa";
        let change = json!({"key": "CHG-1", "targets": [{"commit": commit}]});
        assert!(check(&change, Some(&commit[..8])).is_ok());
        assert!(check(&change, Some("abcdef01")).is_err());
        assert!(check(&change, None).is_err());
        assert!(check(&json!({"key": "CHG-2", "targets": [{"artifact": "x"}]}), Some(commit)).is_err());
    }

    #[test]
    fn the_tests_of_a_build_are_told() {
        let entry = json!({"displayName": "shop #7", "url": "https://ci.example/7", "testInfo": {"totalNumber": 412, "numberPassed": 411, "numberFailed": 1}});
        let told = evidence(&entry, "failed", Some("1f2e3d4"));
        assert_eq!(told["text"], "411 of 412 tests passed. https://ci.example/7");
        assert_eq!(told["result"], "failed");
    }
}

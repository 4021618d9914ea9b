//! Artifacts and packages that runs of pipelines register: a run's builds become the builds of its change.

use model::core::enums::OutsideRunKind;
use model::gate::build::is_plain_digest;
use serde_json::{Map, Value, json};

use super::super::fields::{OWN, object, take};
use super::super::tables::segment;
use super::{Run, needed};
use crate::dialects::api::{Refused, text_of};
use crate::dialects::{DialectRequest, DialectResponse, runs};

/// The most artifacts of one request.
const MOST: usize = 50;
/// The separators in an artifact's name: after its group, after its repository.
const JOINTS: [char; 2] = [':', '/'];

/// An artifact that a request names.
#[derive(Debug, PartialEq, Eq)]
struct Artifact {
    name: String,
    version: String,
    /// The digest, if it is the version or is given.
    digest: Option<String>,
    /// The service, if it is given.
    service: Option<String>,
}

impl Artifact {
    fn read(value: &Value) -> Result<Self, Refused> {
        let Value::Object(fields) = value else {
            return Err(Refused::field(
                "Each of `artifacts` is an object with `name` and `version`.",
            ));
        };
        let mut fields = fields.clone();
        let (name, version) = (needed(&mut fields, "name")?, needed(&mut fields, "version")?);
        let said = take(&mut fields, &format!("{OWN}digest"));
        if said.as_deref().is_some_and(|said| !is_plain_digest(said)) {
            return Err(Refused::field(
                "`u_assent_digest` is a digest such as `sha256:` and 64 hexadecimal digits.",
            ));
        }
        let digest = said.or_else(|| is_plain_digest(&version).then(|| version.clone()));
        Ok(Self {
            name,
            version,
            digest,
            service: take(&mut fields, &format!("{OWN}service")),
        })
    }

    fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// The candidates for the artifact's service, the likeliest first.
    fn services(&self) -> Vec<&str> {
        match &self.service {
            Some(service) => vec![service.as_str()],
            None => {
                let last = self.name.rsplit(JOINTS).next().unwrap_or_default();
                vec![self.name.as_str(), last]
            }
        }
    }
}

fn read_all(body: &mut Map<String, Value>) -> Result<Vec<Artifact>, Refused> {
    let wrong = || Refused::field(format!("`artifacts` is a list of 1 to {MOST} artifacts."));
    match body.remove("artifacts") {
        Some(Value::Array(all)) if (1..=MOST).contains(&all.len()) => all.iter().map(Artifact::read).collect(),
        _ => Err(wrong()),
    }
}

/// The run that registers.
fn run(body: &mut Map<String, Value>) -> Result<Run, Refused> {
    Run::new(take(body, "pipelineName"), take(body, "taskExecutionNumber"), None)
}

/// The service that an artifact is of.
async fn service(asked: &DialectRequest, artifact: &Artifact) -> Result<String, Refused> {
    for key in artifact.services() {
        let path = format!("/services/{}", segment(key));
        if !key.is_empty() && asked.api.find(&path).await?.is_some() {
            return Ok(key.to_owned());
        }
    }
    let text = format!(
        "No service is called `{}`. Name the artifact as its service is, or say the service in `u_assent_service` of the artifact.",
        artifact.services().join("` or `")
    );
    Err(Refused::field(text))
}

/// Registers artifacts. An artifact that was registered for a service stays there, by its name and by its digest.
pub(super) async fn artifacts(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let mut body = object(asked)?;
    let run = run(&mut body)?;
    let mut names = Vec::new();
    for artifact in read_all(&mut body)? {
        let service = service(asked, &artifact).await?;
        let said = json!({"service": service, "artifact": artifact.digest});
        for name in artifact.digest.iter().cloned().chain([artifact.title()]) {
            runs::report_run(asked, OutsideRunKind::Artifact, &name, &said).await?;
        }
        runs::report_run(asked, OutsideRunKind::Build, &run.name(&service), &said).await?;
        names.push(artifact.title());
    }
    Ok(registered(&names))
}

/// Registers a package of artifacts that were registered before.
pub(super) async fn package(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let mut body = object(asked)?;
    let run = run(&mut body)?;
    let name = needed(&mut body, "name")?;
    let mut known = Vec::new();
    for artifact in read_all(&mut body)? {
        let found = runs::find(asked, OutsideRunKind::Artifact, &artifact.title()).await?;
        let absent = || Refused::field(format!("The artifact {} is not registered.", artifact.title()));
        known.push(found.ok_or_else(absent)?);
    }
    let package = runs::named(&[&name, &run.name("")]);
    runs::report_run(asked, OutsideRunKind::Package, &package, &json!({})).await?;
    for artifact in &known {
        let said = json!({"service": artifact["service"], "artifact": artifact["artifact"]});
        let name = run.name(text_of(&artifact["service"]));
        runs::report_run(asked, OutsideRunKind::Build, &name, &said).await?;
    }
    Ok(registered(&[name]))
}

fn registered(names: &[String]) -> DialectResponse {
    DialectResponse::new(
        201,
        json!({"result": {"status": "Success", "details": {"registered": names}}}),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn an_artifact_is_of_the_service_that_it_is_called_or_that_is_said() {
        let read = |value: Value| Artifact::read(&value).unwrap();
        let called =
            read(json!({"name": "com.halden:label-print", "version": "1.7.0", "repositoryName": "halden/labels"}));
        assert_eq!(called.services(), ["com.halden:label-print", "label-print"]);
        assert_eq!(called.digest, None);
        let said = read(json!({"name": "labels", "version": "1", "u_assent_service": "label-print"}));
        assert_eq!(said.services(), ["label-print"]);
    }

    #[test]
    fn a_digest_is_the_version_or_is_said_and_nothing_else_counts_as_one() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for value in [
            json!({"name": "n", "version": digest}),
            json!({"name": "n", "version": "1", "u_assent_digest": digest}),
        ] {
            assert_eq!(Artifact::read(&value).unwrap().digest.as_deref(), Some(digest.as_str()));
        }
        assert!(Artifact::read(&json!({"name": "n", "version": "1", "u_assent_digest": "latest"})).is_err());
        assert!(Artifact::read(&json!({"name": "n"})).is_err());
    }
}

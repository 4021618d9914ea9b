//! Pipeline steps of ServiceNow DevOps: change control, and the registration of artifacts and packages.
//!
//! Sources: the published steps for GitHub Actions of ServiceNow (`servicenow-devops-change`, `-get-change`, `-update-change`,
//! `-register-artifact`, `-register-package`), which name the addresses, the bodies and the fields that they read in responses.

mod control;
mod registration;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::fields::take;
use super::{versionless, wrong_method};
use crate::dialects::api::Refused;
use crate::dialects::{DialectRequest, DialectResponse};

/// The separator between the number of a run and that of its attempt, where a client sends both in one text.
const ATTEMPTS: &str = "/attempts/";

/// Answers a request.
pub(in crate::dialects) async fn answer(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let path = asked.path.trim_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let parts = match parts.as_slice() {
        ["api", "sn_devops", rest @ ..] => versionless(rest),
        _ => &[],
    };
    match (&asked.method, parts) {
        (&Method::POST, ["devops", "orchestration", "changeControl"]) => control::begin(asked).await,
        (&Method::GET, ["devops", "orchestration", "changeStatus"]) => control::status(asked).await,
        (&Method::GET, ["devops", "orchestration", "changeInfo"]) => control::info(asked).await,
        (&Method::PUT, ["devops", "orchestration", "changeInfo"]) => control::update(asked).await,
        (&Method::POST, ["devops", "artifact", "registration"]) => registration::artifacts(asked).await,
        (&Method::POST, ["devops", "package", "registration"]) => registration::package(asked).await,
        (
            _,
            [
                "devops",
                "orchestration",
                "changeControl" | "changeStatus" | "changeInfo",
            ],
        )
        | (_, ["devops", "artifact" | "package", "registration"]) => Err(wrong_method()),
        _ => {
            let text = "This address is not answered here. There are change control, change status, change info, and the \
                        registration of artifacts and packages.";
            Err(Refused::new(404, "not_found", text))
        }
    }
}

/// A refusal in the format of these clients. They show a reason only with 400, so every refusal of a request's content has that
/// status. A wrong credential and a rate limit keep their own status, which the clients know.
pub(in crate::dialects) fn refusal(why: &Refused) -> DialectResponse {
    let status = match why.status {
        401 | 405 | 429 => why.status,
        status if status >= 500 => status,
        _ => 400,
    };
    let body = json!({
        "result": {
            "status": "Error",
            "errorMessage": why.text,
            "details": {"status": "error", "errors": [{"message": why.text, "code": why.code}]},
        },
        "error": {"message": why.text, "detail": why.code},
        "status": "failure",
    });
    DialectResponse::new(status, body)
}

/// A run of a pipeline.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    /// The repository and the workflow.
    pipeline: String,
    number: String,
    attempt: String,
}

impl Run {
    /// The run that these texts name; a number may hold its attempt.
    ///
    /// # Errors
    /// The missing field.
    fn new(pipeline: Option<String>, number: Option<String>, attempt: Option<String>) -> Result<Self, Refused> {
        let missing = |what: &str| Refused::field(format!("`{what}` is missing: it names the run of the pipeline."));
        let pipeline = pipeline.ok_or_else(|| missing("pipelineName"))?;
        let number = number.ok_or_else(|| missing("buildNumber"))?;
        let (number, within) = match number.split_once(ATTEMPTS) {
            Some((number, attempt)) => (number.to_owned(), Some(attempt.to_owned())),
            None => (number, None),
        };
        // A step without an attempt writes `undefined` or `null`.
        let said = attempt.filter(|text| text != "undefined" && text != "null");
        Ok(Self {
            pipeline,
            number,
            attempt: within.or(said).unwrap_or_else(|| "1".to_owned()),
        })
    }

    /// The name of a unique part of the run: a stage, a service.
    fn name(&self, of: &str) -> String {
        crate::dialects::runs::named(&[&self.pipeline, &self.number, &self.attempt, of])
    }
}

/// A field of a request that must be there.
fn needed(fields: &mut Map<String, Value>, name: &str) -> Result<String, Refused> {
    take(fields, name).ok_or_else(|| Refused::field(format!("`{name}` is missing.")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn run(number: &str, attempt: Option<&str>) -> Run {
        Run::new(
            Some("halden/shop/Deliver".to_owned()),
            Some(number.to_owned()),
            attempt.map(str::to_owned),
        )
        .unwrap()
    }

    #[test]
    fn a_run_is_one_however_its_attempt_is_said() {
        assert_eq!(run("4711", Some("2")), run("4711/attempts/2", None));
        assert_eq!(run("4711/attempts/2", Some("undefined")), run("4711", Some("2")));
        assert_eq!(
            run("4711", None).name("Deploy"),
            "halden/shop/Deliver | 4711 | 1 | Deploy"
        );
        assert!(Run::new(None, Some("1".to_owned()), None).is_err());
    }

    #[test]
    fn a_refusal_has_its_reason_where_each_of_the_clients_looks() {
        let why = Refused::new(409, "not_in_state", "CHG-1 is New.");
        let answered = refusal(&why);
        assert_eq!(answered.status, 400);
        assert_eq!(answered.body["result"]["errorMessage"], "CHG-1 is New.");
        assert_eq!(
            answered.body["result"]["details"]["errors"][0]["message"],
            "CHG-1 is New."
        );
        assert_eq!(answered.body["error"]["message"], "CHG-1 is New.");
        for status in [401, 429, 503] {
            assert_eq!(refusal(&Refused::new(status, "x", "y")).status, status);
        }
    }
}

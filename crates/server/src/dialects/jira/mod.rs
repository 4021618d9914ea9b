//! Clients of Jira Cloud that report deployments and builds, and query whether a deployment may go.
//!
//! Sources: “Deployments” and “Builds” of the reference of Jira Software Cloud; “Integrate Jira Software Cloud with on-premises
//! tools” for the credentials; and the requests of published clients: jira.js, GitLab and the plugin for Jenkins.

mod builds;
mod deployments;
pub(super) mod oauth;
mod tells;

use axum::http::Method;
use serde_json::{Value, json};

use super::api::Refused;
use super::{DialectRequest, DialectResponse};
use crate::http::percent::decoded;

/// Answers a request.
pub(super) async fn answer(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let unreadable = || Refused::field("The address holds something that is no text.");
    let parts: Option<Vec<String>> = asked.path.trim_matches('/').split('/').map(decoded).collect();
    let parts = parts.ok_or_else(unreadable)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    // With credentials, clients use addresses below that of a cloud; as an app, below that of the site.
    let (kind, rest) = match parts.as_slice() {
        ["rest", kind, "0.1", rest @ ..] => (*kind, rest),
        ["jira", kind, "0.1", "cloud", _, rest @ ..] => (*kind, rest),
        _ => return Err(nothing()),
    };
    match (kind, &asked.method, rest) {
        ("deployments", &Method::POST, ["bulk"]) => deployments::bulk(asked).await,
        ("deployments", &Method::GET, ["pipelines", rest @ ..]) => deployments::read(asked, rest).await,
        ("builds", &Method::POST, ["bulk"]) => builds::bulk(asked).await,
        ("builds", &Method::GET, ["pipelines", pipeline, "builds", number]) => {
            builds::show(asked, pipeline, number).await
        }
        (_, &Method::DELETE, _) => {
            let text = "Nothing is deleted here: what was told stays in the log.";
            Err(Refused::new(405, "not_deleted", text))
        }
        ("deployments" | "builds", _, ["bulk"]) => {
            let text = "This address does not take this method here.";
            Err(Refused::new(405, "method_not_allowed", text))
        }
        _ => Err(nothing()),
    }
}

/// A refusal in the form of Jira, with our reason.
pub(super) fn refusal(why: &Refused) -> Value {
    json!({"errorMessages": [format!("{} ({})", why.text, why.code)], "errors": {}})
}

fn nothing() -> Refused {
    let text = "This address is not answered here. There are deployments with their gating status, and builds.";
    Refused::new(404, "not_found", text)
}

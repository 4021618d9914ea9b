//! The gate's decision on a deployment, with the reasons, for a pipeline. It repeats no text of the client.

use model::core::enums::State;
use serde_json::{Map, Value, json};

use super::DialectRequest;
use super::api::{Refused, items_of, text_of};
use crate::http::percent::{escaped, segment};

/// The most reasons in a response.
const MOST_REASONS: usize = 20;

/// The state of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GatingState {
    /// The gate stops it for now.
    Awaiting,
    /// The gate lets it go.
    Allowed,
    /// Its change was rejected.
    Rejected,
    /// Its change was cancelled.
    Cancelled,
}

/// The gating status of a deployment.
pub(super) struct GatingStatus {
    pub standing: GatingState,
    /// The change as the API shows it.
    pub change: Value,
    /// The missing conditions, each with `code`, `text` and `satisfy`.
    pub reasons: Vec<Value>,
}

impl GatingStatus {
    /// The reasons in one text.
    pub(super) fn text(&self) -> String {
        let texts = self.reasons.iter().map(|it| {
            let text = format!("{} {}", text_of(&it["text"]), text_of(&it["satisfy"]));
            text.trim().to_owned()
        });
        texts.collect::<Vec<_>>().join(" ")
    }
}

/// The implementer of a change that a client makes: the client's own account, if it may implement or deliver.
pub(super) async fn implementers(asked: &DialectRequest) -> Result<Option<Value>, Refused> {
    let me = asked.api.get("/me").await?;
    let is_one = |role: &Value| matches!(text_of(role), "pipeline" | "implementer");
    let works = items_of(&me["roles"]).iter().any(is_one);
    Ok(works.then(|| json!([me["login"]])))
}

/// The state of a change in a response.
pub(super) fn state_of(change: &Value) -> State {
    text_of(&change["state"]).parse().unwrap_or(State::Draft)
}

/// Queries the gate for a run that has a change.
///
/// The first go is requested as a recorded check, which starts the work as every check of a pipeline does; later queries only
/// read.
pub(super) async fn query_gate(asked: &DialectRequest, run: &Value) -> Result<GatingStatus, Refused> {
    let key = text_of(&run["change_key"]);
    let change = asked.api.get(&format!("/changes/{}", segment(key))).await?;
    let state = state_of(&change);
    let ended = match state {
        State::Rejected => Some(GatingState::Rejected),
        State::Cancelled => Some(GatingState::Cancelled),
        _ => None,
    };
    if let Some(standing) = ended {
        let reasons = vec![ending(&change, standing)];
        return Ok(GatingStatus {
            standing,
            change,
            reasons,
        });
    }
    let question = question(run);
    let mut answer = asked.api.get(&format!("/gate?{}", query(&question))).await?;
    if is_go(&answer) && matches!(state, State::Approved | State::Scheduled) {
        answer = asked.api.post("/gate-checks", &Value::Object(question)).await?;
    }
    if is_go(&answer) {
        return Ok(GatingStatus {
            standing: GatingState::Allowed,
            change,
            reasons: Vec::new(),
        });
    }
    let mut reasons = items_of(&answer["reasons"]).to_vec();
    // Before submission the gate reports only that the change is not approved; the list of missing items helps its author.
    if matches!(state, State::Draft | State::Assessing) {
        let unmet = asked
            .api
            .get(&format!("/changes/{}/requirements", segment(key)))
            .await?;
        reasons.extend_from_slice(items_of(&unmet["items"]));
    }
    reasons.truncate(MOST_REASONS);
    let reasons = reasons.iter().map(plain).collect();
    Ok(GatingStatus {
        standing: GatingState::Awaiting,
        change,
        reasons,
    })
}

fn is_go(answer: &Value) -> bool {
    text_of(&answer["decision"]) == "go"
}

/// The gate request for a run: about the run's own build and change only.
fn question(run: &Value) -> Map<String, Value> {
    let mut question = Map::new();
    for (ours, field) in [
        ("artifact", "artifact"),
        ("change", "change_key"),
        ("commit", "commit"),
        ("environment", "environment"),
        ("service", "service"),
    ] {
        if let Some(text) = run[field].as_str() {
            question.insert(ours.to_owned(), json!(text));
        }
    }
    question
}

fn query(question: &Map<String, Value>) -> String {
    let pairs = question
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(text_of(value))));
    pairs.collect::<Vec<_>>().join("&")
}

fn plain(reason: &Value) -> Value {
    json!({"code": reason["code"], "text": reason["text"], "satisfy": reason["satisfy"]})
}

fn ending(change: &Value, standing: GatingState) -> Value {
    let key = text_of(&change["key"]);
    let (code, text) = match standing {
        GatingState::Cancelled => {
            let why = text_of(&change["cancelled"]["reason"]);
            ("cancelled", format!("{key} was cancelled. {why}"))
        }
        _ => ("rejected", format!("{key} was rejected.")),
    };
    json!({"code": code, "text": text.trim(), "satisfy": "Make another change for the deployment."})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_is_asked_about_the_build_that_the_run_named() {
        let run = json!({"change_key": "CHG-1", "service": "shop", "environment": "production", "commit": "1f2e3d4"});
        let asked = question(&run);
        assert_eq!(
            query(&asked),
            "change=CHG-1&commit=1f2e3d4&environment=production&service=shop"
        );
    }

    #[test]
    fn an_ending_says_why() {
        let change = json!({"key": "CHG-1", "cancelled": {"reason": "Not needed."}});
        let reason = ending(&change, GatingState::Cancelled);
        assert_eq!(reason["text"], "CHG-1 was cancelled. Not needed.");
        assert_eq!(ending(&change, GatingState::Rejected)["text"], "CHG-1 was rejected.");
    }
}

//! Training of people.

use serde_json::json;

use crate::client::Client;
use crate::clock;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// Records a person's training.
pub(crate) fn train(
    client: &Client,
    (login, training): (&str, &str),
    (from, until, evidence): (&str, &str, Option<&str>),
    output: &Output,
) -> Result<u8> {
    let now = clock::now();
    let mut body = json!({
        "person": login, "training": training, "starts_at": clock::moment(from, now)?.to_string(),
        "ends_at": clock::moment(until, now)?.to_string(),
    });
    if let Some(evidence) = evidence {
        body["evidence_note"] = json!(evidence);
    }
    let made = client.post("/trainings", &body)?.body;
    output.data(&made, |output| {
        output.line(&format!("{login} is trained until {}", text_of(&made, "ends_at")));
    });
    Ok(0)
}

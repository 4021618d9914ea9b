//! `assent risk adopt` and `assent risk decline`: the decision about a quarterly adjustment.

use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::failure::Result;
use crate::output::{Output, text_of};

/// Adopts an adjustment, or declines it.
pub(super) fn decide(client: &Client, quarter: &str, body: &Value, output: &Output) -> Result<u8> {
    let path = format!("/risk-adjustments/{}/decisions", encode(quarter));
    let decided = client.post(&path, body)?.body;
    output.data(&decided, |output| {
        output.pairs(&[
            ("quarter", text_of(&decided, "quarter")),
            ("state", text_of(&decided, "state")),
            ("configuration", text_of(&decided, "configuration")),
            ("policies", text_of(&decided, "policies")),
        ]);
    });
    Ok(0)
}

/// The body of an adoption.
pub(super) fn adoption(reason: &str, configuration: Option<&str>) -> Value {
    let mut body = json!({"adopted": true, "reason": reason});
    if let Some(id) = configuration {
        body["configuration"] = json!(id);
    }
    body
}

//! Training of people.

use serde_json::json;

use crate::client::Client;
use crate::clock;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// Records what a person has learned.
pub(crate) fn train(
    client: &Client,
    (login, training): (&str, &str),
    (from, until): (&str, &str),
    output: &Output,
) -> Result<u8> {
    let now = clock::now();
    let body = json!({
        "person": login, "training": training, "starts_at": clock::moment(from, now)?.to_string(),
        "ends_at": clock::moment(until, now)?.to_string(),
    });
    let made = client.post("/trainings", &body)?.body;
    output.data(&made, |output| {
        output.line(&format!("{login} is trained until {}", text_of(&made, "ends_at")));
    });
    Ok(0)
}

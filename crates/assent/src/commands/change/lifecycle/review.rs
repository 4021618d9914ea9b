//! `assent change review`: the post-implementation review, by itself or over its draft.

use serde_json::{Value, json};

use super::acts::{Act, fields, text};
use super::path;
use crate::client::Client;
use crate::clock;
use crate::failure::Result;

/// What the command line says of a review.
pub(super) fn review(act: &Act) -> Value {
    let Act::Review {
        summary,
        objectives_missed,
        assessment_inadequate,
        steps_inadequate,
        improvement,
        improvements_owner,
        improvements_due,
        incident,
        ..
    } = act
    else {
        return Value::Null;
    };
    // The server says what is wrong with a time that is none.
    let moment = |said: &String| match clock::moment(said, clock::now()) {
        Ok(at) => json!(at.to_string()),
        Err(_) => json!(said),
    };
    fields(&[
        ("objectives_met", Some(json!(!objectives_missed))),
        ("assessment_adequate", Some(json!(!assessment_inadequate))),
        ("steps_adequate", Some(json!(!steps_inadequate))),
        ("summary", text(summary)),
        ("improvements", (!improvement.is_empty()).then(|| json!(improvement))),
        ("improvements_owner", text(improvements_owner)),
        ("improvements_due_at", improvements_due.as_ref().map(moment)),
        ("incidents", (!incident.is_empty()).then(|| json!(incident))),
    ])
}

/// The drafted review with what the command line says in its place.
pub(super) fn over_draft(client: &Client, key: &str, act: &Act) -> Result<Value> {
    let draft = client.get(&path(key, "/review-draft"))?.body;
    let said = review(act);
    let judged = |name: &str| json!(said[name] == true && draft[name] == true);
    let words = |name: &str| {
        if said[name].is_null() {
            &draft[name]
        } else {
            &said[name]
        }
    };
    let mut body = json!({
        "objectives_met": judged("objectives_met"), "assessment_adequate": judged("assessment_adequate"),
        "steps_adequate": judged("steps_adequate"), "summary": words("summary"), "improvements": words("improvements"),
        "incidents": words("incidents"),
    });
    for name in ["improvements_owner", "improvements_due_at"] {
        if !said[name].is_null() {
            body[name] = said[name].clone();
        }
    }
    Ok(body)
}

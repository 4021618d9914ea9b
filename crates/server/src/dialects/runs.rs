//! Runs of other systems, by the names that their clients give them.

use model::core::enums::OutsideRunKind;
use model::integration::outside_run::key_of;
use serde_json::{Value, json};

use super::DialectRequest;
use super::api::Refused;

/// The run with this name; `None` where it was never reported.
pub(super) async fn find(asked: &DialectRequest, kind: OutsideRunKind, name: &str) -> Result<Option<Value>, Refused> {
    asked.api.find(&format!("/outside-runs/{}", key_of(kind, name))).await
}

/// Reports a run; null fields are left out. A run whose fields are all known stays as it is.
pub(super) async fn report_run(
    asked: &DialectRequest,
    kind: OutsideRunKind,
    name: &str,
    said: &Value,
) -> Result<Value, Refused> {
    let said: Vec<(&String, &Value)> = match said {
        Value::Object(fields) => fields.iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Vec::new(),
    };
    let known = find(asked, kind, name).await?;
    if let Some(known) = known
        && said.iter().all(|(field, value)| known[field.as_str()] == **value)
    {
        return Ok(known);
    }
    let mut body = json!({"kind": kind, "external_ref": name});
    for (field, value) in said {
        body[field.as_str()] = value.clone();
    }
    asked.api.post("/outside-runs", &body).await
}

/// The name of an object of another system, from its parts.
pub(super) fn named(parts: &[&str]) -> String {
    parts.join(" | ")
}

//! Grafana's alerting webhook, version 1 of its payload: Alertmanager's with further fields. A group is one incident.

use model::integration::signal::{SetAside, Signal};
use serde_json::Value;

use crate::integration::alertmanager;
use crate::integration::received::parse;

/// Reads a delivery.
///
/// # Errors
/// [`SetAside`] where it is another version, or none of its alerts can be read.
pub fn read(body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    let mut it: Value = parse(body)?;
    let version = it.get("version").and_then(Value::as_str).unwrap_or("1").to_owned();
    if version != "1" {
        return Err(SetAside::because(format_args!(
            "version {version} of the payload is unknown"
        )));
    }
    let Some(map) = it.as_object_mut() else {
        return Err(SetAside::because("the body is no object"));
    };
    map.insert("version".to_owned(), "4".into());
    // Grafana names the end of an alert that fires as the year 1.
    for alert in map
        .get_mut("alerts")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let is_open = alert
            .get("endsAt")
            .and_then(Value::as_str)
            .is_some_and(|end| end.starts_with("0001-"));
        if let (true, Some(alert)) = (is_open, alert.as_object_mut()) {
            alert.remove("endsAt");
        }
    }
    let body = it.to_string();
    alertmanager::read(body.as_bytes())
}

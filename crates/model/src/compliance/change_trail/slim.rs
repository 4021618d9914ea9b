//! Drops the parts of a change's members that no report reads, as soon as they are read: a report holds every change of its span at
//! once.

use serde_json::{Map, Value};

/// The kept part of a member that is an object, or a list of objects.
const PARTS: [(&str, &[&str]); 6] = [
    ("break_glass", &["by", "at", "until", "counted"]),
    ("risk", &["level"]),
    (
        "targets",
        &["service", "environment", "artifact", "commit", "rollback_to"],
    ),
    ("target_records", &["outcome", "earlier"]),
    ("validations", &["by", "at", "result"]),
    ("reviews", &["by", "at"]),
];
/// Members of which only their presence counts.
const PRESENCE: [&str; 2] = ["retrospective", "finding"];

/// Slims the members that an event set.
pub(super) fn slim(set: &mut Map<String, Value>) {
    for (name, parts) in PARTS {
        match set.get_mut(name) {
            Some(Value::Array(items)) => items.iter_mut().for_each(|item| keep(item, parts)),
            Some(one) => keep(one, parts),
            None => {}
        }
    }
    for name in PRESENCE {
        if let Some(value) = set.get_mut(name).filter(|value| !value.is_null()) {
            *value = Value::Bool(true);
        }
    }
}

/// Keeps these parts of an object, in a map of their size.
fn keep(value: &mut Value, parts: &[&str]) {
    if let Value::Object(map) = value {
        let whole = std::mem::take(map).into_iter();
        *map = whole.filter(|(name, _)| parts.contains(&name.as_str())).collect();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_reports_read_stays_and_the_rest_goes() {
        let Value::Object(mut set) = json!({
            "state": "reviewing",
            "risk": {"level": "high", "reasons": ["many"], "score": 9},
            "targets": [{"id": "1", "service": "a", "environment": "b", "artifact": "c", "config_items": ["d"]}],
            "reviews": [{"by": "p", "at": "2026-11-20T08:00:00Z", "summary": {"c": "x"}}],
            "retrospective": {"reason": {"c": "x"}},
            "finding": null,
        }) else {
            return;
        };
        slim(&mut set);
        let wanted = json!({
            "state": "reviewing",
            "risk": {"level": "high"},
            "targets": [{"service": "a", "environment": "b", "artifact": "c"}],
            "reviews": [{"by": "p", "at": "2026-11-20T08:00:00Z"}],
            "retrospective": true,
            "finding": null,
        });
        assert_eq!(Value::Object(set), wanted);
    }
}

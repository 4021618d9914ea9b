//! Plans of Terraform and OpenTofu as `terraform show -json` writes them (“JSON Output Format”, format versions 0 and 1).
//!
//! Read are `resource_changes` (the changes of an apply: reality against the configuration) and `resource_drift` (the changes
//! since the last apply: reality against the state). The natural key of a difference is the address of the resource and the
//! path of the attribute; a list is compared as a whole. Values marked as sensitive have no fingerprint.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::incident::drift::{Difference, DriftReport, EXISTENCE, OBJECT};
use model::integration::signal::{self, SetAside, Signal};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::incident::form::{fingerprint, parse, report};

#[derive(Deserialize)]
struct Plan {
    format_version: Option<String>,
    timestamp: Option<String>,
    #[serde(default)]
    errored: bool,
    complete: Option<bool>,
    #[serde(default)]
    resource_changes: Vec<Resource>,
    #[serde(default)]
    resource_drift: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    address: String,
    mode: Option<String>,
    deposed: Option<String>,
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    actions: Vec<String>,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
    #[serde(default)]
    after_unknown: Value,
    #[serde(default)]
    before_sensitive: Value,
    #[serde(default)]
    after_sensitive: Value,
}

/// Reads a plan.
///
/// # Errors
/// [`SetAside`] where it is no plan, or has an unknown format.
pub(super) fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let plan: Plan = parse(body)?;
    let Some(version) = &plan.format_version else {
        return Err(SetAside::because(
            "it is no plan: `format_version` is missing. Send what `terraform show -json PLANFILE` writes",
        ));
    };
    if !version.starts_with("0.") && !version.starts_with("1.") {
        return Err(SetAside::because(format_args!(
            "plans of format version {version} are not known here"
        )));
    }
    let taken_at = plan
        .timestamp
        .as_deref()
        .and_then(|text| text.parse().ok())
        .unwrap_or(received_at);
    let mut differences: Vec<Difference> = Vec::new();
    let mut clean = Vec::new();
    for resource in managed(&plan.resource_changes) {
        let found = of_resource(resource, false);
        if found.is_empty() {
            clean.push(address(resource));
        }
        differences.extend(found);
    }
    let known: BTreeSet<(String, String)> = differences
        .iter()
        .map(|it| (it.address.clone(), it.attribute.clone()))
        .collect();
    let drifted: Vec<Difference> = managed(&plan.resource_drift)
        .flat_map(|it| of_resource(it, true))
        .collect();
    let moved: BTreeSet<&str> = drifted.iter().map(|it| it.address.as_str()).collect();
    clean.retain(|address| !moved.contains(address.as_str()));
    differences.extend(
        drifted
            .iter()
            .filter(|it| !known.contains(&(it.address.clone(), it.attribute.clone())))
            .cloned(),
    );
    let found = DriftReport {
        scope: String::new(),
        taken_at,
        // Plans before format 1.2 do not state whether they are partial; their resources without a difference are named all the
        // same.
        is_complete: plan.complete == Some(true) && !plan.errored,
        is_log: false,
        clean: if plan.errored { Vec::new() } else { clean },
        count: 0,
        differences,
    };
    Ok(vec![report(found, body, received_at)?])
}

/// Without data sources, which are read and not made.
fn managed(resources: &[Resource]) -> impl Iterator<Item = &Resource> {
    resources.iter().filter(|it| it.mode.as_deref() != Some("data"))
}

fn address(resource: &Resource) -> String {
    match &resource.deposed {
        Some(deposed) => format!("{} (deposed {deposed})", resource.address),
        None => resource.address.clone(),
    }
}

fn of_resource(resource: &Resource, is_drift: bool) -> Vec<Difference> {
    let change = &resource.change;
    let actions: Vec<&str> = change.actions.iter().map(String::as_str).collect();
    let one = |attribute: &str, found: Option<String>| Difference {
        address: address(resource),
        attribute: attribute.to_owned(),
        found,
        digest: None,
        at: None,
        doer: None,
    };
    match actions[..] {
        [] | ["no-op" | "read" | "forget"] => Vec::new(),
        ["create"] => vec![one(EXISTENCE, Some("absent".to_owned()))],
        // A plan deletes an existing resource; a drift reports that it is gone.
        ["delete"] if is_drift => vec![one(EXISTENCE, Some("absent".to_owned()))],
        ["delete"] => vec![one(EXISTENCE, Some("present".to_owned()))],
        _ => {
            let mut walk = Walk {
                is_drift,
                found: Vec::new(),
            };
            let masks = [&change.after_unknown, &change.before_sensitive, &change.after_sensitive];
            walk.compare(String::new(), &change.before, &change.after, masks);
            if walk.found.is_empty() {
                return vec![one(OBJECT, Some(fingerprint(&json!(actions))))];
            }
            let rows = walk.found.into_iter();
            rows.map(|(path, found, digest)| Difference {
                digest,
                ..one(&path, found)
            })
            .collect()
        }
    }
}

/// Walks two values side by side.
struct Walk {
    is_drift: bool,
    found: Vec<(String, Option<String>, Option<String>)>,
}

impl Walk {
    fn compare(&mut self, path: String, before: &Value, after: &Value, masks: [&Value; 3]) {
        let [unknown, ..] = masks;
        if before == after || *unknown == Value::Bool(true) {
            return;
        }
        if let (Value::Object(left), Value::Object(right)) = (before, after) {
            let more = right.keys().filter(|key| !left.contains_key(*key));
            for key in left.keys().chain(more) {
                let inner = masks.map(|mask| if mask.is_boolean() { mask } else { &mask[key.as_str()] });
                let inner_path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                self.compare(inner_path, &before[key.as_str()], &after[key.as_str()], inner);
            }
            return;
        }
        let value = if self.is_drift { after } else { before };
        let is_secret = has_true(masks[1]) || has_true(masks[2]);
        let digest = value.as_str().and_then(signal::digest);
        let path = if path.is_empty() { OBJECT.to_owned() } else { path };
        self.found.push((
            path,
            (!is_secret).then(|| fingerprint(value)),
            digest.filter(|_| !is_secret),
        ));
    }
}

/// Whether a mask marks anything.
fn has_true(mask: &Value) -> bool {
    match mask {
        Value::Bool(is_marked) => *is_marked,
        Value::Array(rows) => rows.iter().any(has_true),
        Value::Object(map) => map.values().any(has_true),
        _ => false,
    }
}

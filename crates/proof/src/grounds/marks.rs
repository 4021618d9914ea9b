//! The facts in a log's records on which the sets of grounds depend.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{CHANGE, DEPENDENCY, FREEZE, INCIDENT};
use crate::diff::RecordDelta;

/// The content of a record on which the sets depend.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// `approve`, `reject` …
    pub(super) decision: String,
    pub(super) state: String,
    pub(super) person: String,
    pub(super) is_on_hold: bool,
    pub(super) closed: Vec<String>,
    pub(super) services: BTreeSet<String>,
    /// For a change: each build of its targets with its place. Versions share them.
    pub(super) builds: Arc<BTreeSet<String>>,
    pub(super) ends_at: String,
    /// A withdrawn freeze, a resolved incident, a removed link, a removed dependency.
    pub(super) is_over: bool,
}

impl Marks {
    pub(super) fn apply(&mut self, table: &str, delta: &RecordDelta) {
        let gone = |name: &str| delta.unset.iter().any(|it| it == name);
        let text = |name: &str, kept: &mut String| {
            if let Some(value) = delta.set.get(name) {
                value.as_str().unwrap_or_default().clone_into(kept);
            }
        };
        match table {
            "approval" => {
                text("decision", &mut self.decision);
                text("state", &mut self.state);
                text("person", &mut self.person);
            }
            CHANGE => self.apply_change(delta),
            FREEZE | DEPENDENCY => {
                text("ends_at", &mut self.ends_at);
                self.is_over = delta.set.get("ended").map_or(self.is_over && !gone("ended"), is_true);
            }
            INCIDENT => {
                if let Some(services) = delta.set.get("services") {
                    self.services = texts(services);
                }
                let is_resolved = delta.set.contains_key("resolved_at");
                self.is_over = is_resolved || (self.is_over && !gone("resolved_at"));
            }
            "link" => self.is_over |= delta.set.contains_key("removed_at"),
            _ => {}
        }
    }

    fn apply_change(&mut self, delta: &RecordDelta) {
        let gone = |name: &str| delta.unset.iter().any(|it| it == name);
        self.is_on_hold = delta.set.contains_key("hold") || (self.is_on_hold && !gone("hold"));
        if let Some(state) = delta.set.get("state").and_then(Value::as_str) {
            state.clone_into(&mut self.state);
        }
        if gone("closed_targets") {
            self.closed.clear();
        }
        if let Some(rows) = delta.set.get("closed_targets").and_then(Value::as_array) {
            let open = rows.iter().filter(|row| row.get("lifted").is_none());
            self.closed = open
                .filter_map(|row| Some(row.get("permit")?.as_str()?.to_owned()))
                .collect();
        }
        if let Some(targets) = delta.set.get("targets").and_then(Value::as_array) {
            let service = |target: &Value| Some(target.get("service")?.as_str()?.to_owned());
            self.services = targets.iter().filter_map(service).collect();
            self.builds = Arc::new(targets.iter().flat_map(builds_of).collect());
        }
    }
}

/// A build in its place, as texts of changes are compared.
#[must_use]
pub fn build_in_place(service: &str, environment: &str, build: &str) -> String {
    format!("{service}\0{environment}\0{build}")
}

/// The builds of a target, each with its place.
fn builds_of(target: &Value) -> Vec<String> {
    let text = |name: &str| target.get(name).and_then(Value::as_str);
    let (Some(service), Some(environment)) = (text("service"), text("environment")) else {
        return Vec::new();
    };
    let builds = [text("artifact"), text("commit")].into_iter().flatten();
    builds
        .map(|build| build_in_place(service, environment, build))
        .collect()
}

fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true)
}

pub(super) fn texts(value: &Value) -> BTreeSet<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}

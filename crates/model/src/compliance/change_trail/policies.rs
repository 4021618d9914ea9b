//! Which policies were in force when, as a log states it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::compliance::change_trail::Delta;

/// The sets of policies of a log, and when each came into force.
#[derive(Debug, Default)]
pub(super) struct PolicySets {
    /// The policies of each set that was proposed, by their ids.
    sets: BTreeMap<String, BTreeSet<String>>,
    /// The set in force since a moment, in the order of the log; absent for the one that comes with the program.
    in_force: Vec<(Timestamp, Option<String>)>,
}

impl PolicySets {
    /// Takes a difference of a configuration or of the tenant.
    pub(super) fn take(&mut self, delta: &Delta, at: Timestamp) {
        if delta.table == "configuration" {
            if let Some(files) = delta.set.get("files").and_then(Value::as_array) {
                self.sets.insert(delta.id.clone(), policy_ids(files));
            }
            return;
        }
        let set = match delta.set.get("policies") {
            Some(set) => set["id"].as_str().map(str::to_owned),
            None if delta.unset.iter().any(|name| name == "policies") => None,
            None => return,
        };
        self.in_force.retain(|(other, _)| *other != at);
        self.in_force.push((at, set));
    }

    /// Those in force at the begin of a span `[from, to)`, and from each change within it on.
    pub(super) fn over(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Option<&BTreeSet<String>>)> {
        let ids = |set: &Option<String>| set.as_ref().and_then(|set| self.sets.get(set));
        let before = self.in_force.iter().rfind(|(at, _)| *at <= from);
        let within = self.in_force.iter().filter(|(at, _)| *at > from && *at < to);
        let first = (from, before.and_then(|(_, set)| ids(set)));
        std::iter::once(first)
            .chain(within.map(|(at, set)| (*at, ids(set))))
            .collect()
    }
}

/// The ids of the policies in some files, from their own annotations.
fn policy_ids(files: &[Value]) -> BTreeSet<String> {
    let texts = files.iter().filter_map(|file| file["content"].as_str());
    let lines = texts.flat_map(str::lines).map(str::trim_start);
    let ids = lines.filter_map(|line| line.strip_prefix("@id(\"")?.split('"').next());
    ids.map(str::to_owned).collect()
}

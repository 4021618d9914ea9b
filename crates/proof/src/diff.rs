//! The difference between two versions of a sealed record, as an event carries it.
//!
//! The difference is taken at the top level only: a member that changed anywhere inside is carried whole. That makes replaying
//! a record a loop of assignments that anybody can follow on paper.

use crate::canonical::Members;
use crate::{Error, Result, canonical};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The effect of one act on one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordDelta {
    /// The table that the record lives in, in the singular (`change`).
    pub table: String,
    /// The record's id within the tenant and the table.
    pub id: String,
    /// The record's version after the act; versions count 1, 2, 3 … without a gap.
    pub version: u64,
    /// Members that were added or changed, with their new sealed value.
    pub set: Map<String, Value>,
    /// Names of members that were removed, ascending.
    pub unset: Vec<String>,
    /// `sha256:<hex>` of the canonical sealed record after the act.
    pub digest: String,
}

impl RecordDelta {
    /// Writes its members in the order of RFC 8785.
    pub(crate) fn write(&self, members: &mut Members<'_>) -> Result<()> {
        members.text("digest", &self.digest)?;
        members.text("id", &self.id)?;
        members.map("set", &self.set)?;
        members.text("table", &self.table)?;
        members.texts("unset", &self.unset)?;
        members.number("version", self.version)
    }
}

/// The difference from `previous` (absent for a new record) to `next`, both sealed objects.
///
/// # Errors
/// [`Error::Malformed`] when either is no object, [`Error::Canonical`] when `next` lies outside the
/// canonical subset.
pub fn between(table: &str, id: &str, version: u64, previous: Option<&Value>, next: &Value) -> Result<RecordDelta> {
    let empty = Map::new();
    let before = previous.map_or(Ok(&empty), members)?;
    let after = members(next)?;
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let mut unset: Vec<String> = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .cloned()
        .collect();
    unset.sort_unstable();
    Ok(RecordDelta {
        table: table.to_owned(),
        id: id.to_owned(),
        version,
        set: changed.map(|(name, value)| (name.clone(), value.clone())).collect(),
        unset,
        digest: canonical::digest(next)?,
    })
}

/// The record after the act, from the record before it (absent for version 1).
///
/// # Errors
/// [`Error::Malformed`] when the result has not the digest that the delta names, a removed member
/// was not there, or `previous` is no object.
pub fn apply(delta: &RecordDelta, previous: Option<&Value>) -> Result<Value> {
    let mut record = match previous {
        Some(previous) => members(previous)?.clone(),
        None => Map::new(),
    };
    for name in &delta.unset {
        if record.remove(name).is_none() {
            return Err(wrong(delta, &format!("it removes `{name}`, which is not there")));
        }
    }
    for (name, value) in &delta.set {
        record.insert(name.clone(), value.clone());
    }
    let record = Value::Object(record);
    if canonical::digest(&record)? != delta.digest {
        return Err(wrong(delta, "the record does not get the digest that is named"));
    }
    Ok(record)
}

fn members(value: &Value) -> Result<&Map<String, Value>> {
    let object = value.as_object();
    object.ok_or_else(|| Error::malformed("record", "a sealed record is an object"))
}

fn wrong(delta: &RecordDelta, why: &str) -> Error {
    let RecordDelta { table, id, version, .. } = delta;
    Error::malformed("record delta", format!("{table} {id} version {version}: {why}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_delta_carries_only_what_changed() {
        let before = json!({"a": 1, "b": [1, 2], "z": true, "y": true});
        let after = json!({"a": 1, "b": [1, 3], "c": "new"});
        let delta = between("change", "c-1", 2, Some(&before), &after).unwrap();
        assert_eq!(Value::Object(delta.set.clone()), json!({"b": [1, 3], "c": "new"}));
        assert_eq!(delta.unset, ["y", "z"]);
        assert_eq!(apply(&delta, Some(&before)).unwrap(), after);
    }

    #[test]
    fn a_delta_on_another_record_is_found() {
        let before = json!({"a": 1});
        let after = json!({"a": 2});
        let delta = between("change", "c-1", 2, Some(&before), &after).unwrap();
        assert!(apply(&delta, Some(&json!({"a": 1, "x": 1}))).is_err());
        assert!(apply(&delta, Some(&json!([]))).is_err());
        let mut forged = delta.clone();
        forged.set.insert("a".into(), json!(3));
        assert!(apply(&forged, Some(&before)).is_err());
        forged = delta;
        forged.unset.push("missing".into());
        assert!(apply(&forged, Some(&before)).is_err());
        assert!(between("change", "c-1", 1, None, &json!("no object")).is_err());
    }

    fn record() -> impl Strategy<Value = Value> {
        prop::collection::btree_map("[a-d]", 0..4_i64, 0..4).prop_map(|members| serde_json::to_value(members).unwrap())
    }

    proptest! {
        #[test]
        fn applying_what_was_taken_gives_the_next_version(before in record(), after in record()) {
            let delta = between("t", "i", 2, Some(&before), &after).unwrap();
            prop_assert_eq!(apply(&delta, Some(&before)).unwrap(), after.clone());
            let first = between("t", "i", 1, None, &after).unwrap();
            prop_assert_eq!(apply(&first, None).unwrap(), after);
        }
    }
}

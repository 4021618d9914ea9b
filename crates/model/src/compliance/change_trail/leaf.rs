//! Events as reports read them. Most of an event are members of records that no control report looks at: they are skipped while
//! it is read, because making values of them takes most of the time of a report.

use std::fmt;

use jiff::Timestamp;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{DECIDED, DEPLOYED, MEMBERS};

/// The other members that a [`super::ChangeTrail`] reads: of events about violations, and of approvals, agents, people, policies,
/// gate checks and permits.
const OTHERS: [&str; 13] = [
    "about",
    "asked_at",
    "change",
    "files",
    "issued_at",
    "made_by",
    "policies",
    "purpose",
    "reason",
    "revoked_at",
    "rule",
    "sponsor",
    "what",
];

/// An event as reports read it: a leaf of the log, of which unknown members are ignored.
#[derive(Debug)]
pub struct Leaf {
    pub(crate) kind: String,
    pub(crate) occurred_at: Timestamp,
    recorded_at: Option<Timestamp>,
    pub(crate) actor: String,
    pub(crate) data: Map<String, Value>,
    pub(super) subject: Subject,
    pub(crate) records: Vec<Delta>,
    records_digest: Option<String>,
    /// Whether only what a [`super::ChangeTrail`] reads of data and records is kept.
    is_slim: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Subject {
    pub(super) table: String,
    pub(super) id: String,
}

/// The difference that an act made to one record.
#[derive(Debug, Deserialize)]
pub(crate) struct Delta {
    pub(crate) table: String,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) set: Map<String, Value>,
    #[serde(default)]
    pub(crate) unset: Vec<String>,
}

/// The members of an event, with its data and records as they are wanted.
#[derive(Deserialize)]
struct Members<D, R> {
    kind: String,
    occurred_at: Timestamp,
    #[serde(default)]
    recorded_at: Option<Timestamp>,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    data: D,
    subject: Subject,
    #[serde(default = "Vec::new")]
    records: Vec<R>,
    #[serde(default)]
    records_digest: Option<String>,
}

impl<D, R> Members<D, R> {
    fn leaf(self, data: impl FnOnce(D) -> Map<String, Value>, record: impl FnMut(R) -> Delta, is_slim: bool) -> Leaf {
        Leaf {
            kind: self.kind,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            actor: self.actor,
            data: data(self.data),
            subject: self.subject,
            records: self.records.into_iter().map(record).collect(),
            records_digest: self.records_digest,
            is_slim,
        }
    }
}

/// The members of an object that a [`super::ChangeTrail`] reads.
#[derive(Default)]
struct SlimMap(Map<String, Value>);

#[derive(Deserialize)]
struct SlimDelta {
    table: String,
    id: String,
    #[serde(default)]
    set: SlimMap,
    #[serde(default)]
    unset: Vec<String>,
}

impl From<SlimDelta> for Delta {
    fn from(it: SlimDelta) -> Self {
        Self {
            table: it.table,
            id: it.id,
            set: it.set.0,
            unset: it.unset,
        }
    }
}

impl Leaf {
    /// Reads a leaf from its bytes, with all members of its records.
    ///
    /// # Errors
    /// Bytes that are no event.
    pub fn read(bytes: &[u8]) -> serde_json::Result<Self> {
        let members: Members<Map<String, Value>, Delta> = serde_json::from_slice(bytes)?;
        Ok(members.leaf(|data| data, |record| record, false))
    }

    /// Reads a leaf from its bytes for a [`super::ChangeTrail`] alone: the members that it does not look at are left out.
    ///
    /// # Errors
    /// Bytes that are no event.
    pub fn read_slim(bytes: &[u8]) -> serde_json::Result<Self> {
        let members: Members<SlimMap, SlimDelta> = serde_json::from_slice(bytes)?;
        Ok(members.leaf(|data| data.0, Delta::from, true))
    }

    /// When it was recorded. An outside event may have occurred long before.
    #[must_use]
    pub fn written_at(&self) -> Timestamp {
        self.recorded_at.unwrap_or(self.occurred_at)
    }

    /// The digest of the deltas, where they are kept beside the leaf.
    #[must_use]
    pub fn records_digest(&self) -> Option<&str> {
        self.records_digest.as_deref()
    }

    /// Takes the deltas that were kept beside the leaf.
    ///
    /// # Errors
    /// Bytes that are no list of deltas.
    pub fn put_records(&mut self, payload: &[u8]) -> serde_json::Result<()> {
        self.records = if self.is_slim {
            let records: Vec<SlimDelta> = serde_json::from_slice(payload)?;
            records.into_iter().map(Delta::from).collect()
        } else {
            serde_json::from_slice(payload)?
        };
        Ok(())
    }
}

fn is_read(name: &str) -> bool {
    MEMBERS.contains(&name) || DECIDED.contains(&name) || DEPLOYED.contains(&name) || OTHERS.contains(&name)
}

impl<'de> Deserialize<'de> for SlimMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Slim).map(Self)
    }
}

/// Makes values of the members that are read, and skips the others.
struct Slim;

impl<'de> Visitor<'de> for Slim {
    type Value = Map<String, Value>;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if is_read(&name) {
                kept.insert(name, members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_slim_leaf_has_the_members_that_are_read_and_a_whole_one_has_all() {
        let records = json!([{"table": "change", "id": "c1", "version": 1, "set": {
            "state": "draft", "title": {"c": "x"}, "plan": [{"title": {"c": "y"}}], "risk": {"level": "low"},
        }, "unset": ["finding"]}]);
        let leaf = json!({
            "kind": "change.created", "occurred_at": "2026-11-20T08:00:00Z", "actor": "p1", "act": "a", "tenant": "t",
            "data": {"about": "CHG-1", "note": "n"}, "subject": {"table": "change", "id": "c1"}, "records": records,
        });
        let bytes = leaf.to_string();
        let whole = Leaf::read(bytes.as_bytes()).unwrap();
        let mut slim = Leaf::read_slim(bytes.as_bytes()).unwrap();
        assert_eq!(Value::Object(whole.records[0].set.clone()), records[0]["set"]);
        let wanted = json!({"state": "draft", "risk": {"level": "low"}});
        assert_eq!(Value::Object(slim.records[0].set.clone()), wanted);
        assert_eq!((whole.data.len(), slim.data.len()), (2, 1));
        assert_eq!((slim.kind.as_str(), slim.subject.id.as_str()), ("change.created", "c1"));
        assert_eq!(slim.records[0].unset, ["finding"]);
        slim.put_records(records.to_string().as_bytes()).unwrap();
        assert_eq!(
            Value::Object(slim.records[0].set.clone()),
            wanted,
            "beside the leaf as well"
        );
    }
}

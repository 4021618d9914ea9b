//! A record of a log with the members that reports read, as one text: a tree of values takes about ten times the memory, and a
//! report holds every change of its span at once.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::merge;

/// The kept members of a record: the text of a JSON object.
#[derive(Debug, Clone)]
pub(crate) struct Kept(Box<str>);

impl Default for Kept {
    fn default() -> Self {
        Self(Box::from("{}"))
    }
}

impl Kept {
    /// Applies what an event set and unset; of the members only the wanted ones stay.
    pub(crate) fn merge(&mut self, set: Map<String, Value>, unset: &[String], wanted: &[&str]) {
        let is_news = !unset.is_empty() || set.keys().any(|name| wanted.contains(&name.as_str()));
        if is_news {
            let mut members = self.members();
            merge(&mut members, set, unset, wanted);
            self.0 = Value::Object(members).to_string().into_boxed_str();
        }
    }

    /// The members.
    pub(crate) fn members(&self) -> Map<String, Value> {
        self.read().unwrap_or_default()
    }

    /// The record, as its reader wants it.
    ///
    /// # Errors
    /// Members that are none of such a record.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wanted_members_are_set_and_unset_and_others_never_kept() {
        let apply = |kept: &mut Kept, set: Value, unset: &[&str]| {
            let Value::Object(set) = set else { return };
            let unset: Vec<String> = unset.iter().map(|name| (*name).to_owned()).collect();
            kept.merge(set, &unset, &["state", "note"]);
        };
        let mut kept = Kept::default();
        apply(&mut kept, json!({"title": {"c": "x"}}), &[]);
        assert!(kept.members().is_empty());
        apply(
            &mut kept,
            json!({"state": "draft", "note": "one \"line\"", "title": "y"}),
            &[],
        );
        apply(&mut kept, json!({"state": "closed"}), &["gone"]);
        assert_eq!(
            Value::Object(kept.members()),
            json!({"state": "closed", "note": "one \"line\""})
        );
        apply(&mut kept, json!({}), &["note"]);
        assert_eq!(Value::Object(kept.members()), json!({"state": "closed"}));
    }
}

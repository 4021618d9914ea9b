//! Erased texts in a record, and the retention of a change's data after its end.
//!
//! In a record's stored JSON an erased text is `{"erased": true}` ([`proof::commitment`]); a record in memory holds [`ERASED`]
//! there. A person may write that same text: only places that were erased before are erased again when the record is written.

use jiff::Timestamp;
use proof::commitment::{erased_text, is_erased};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::compliance::hold_lifting::LiftRequest;
use crate::core::enums::ErasureKind;
use crate::core::ids::{PersonId, RecordId};
use crate::core::statement::Stated;

/// The replacement for an erased text in a record in memory.
pub const ERASED: &str = "[erased]";

/// Puts [`ERASED`] in the place of each erased text; returns these places as JSON Pointers (RFC 6901), in document order.
pub fn name_erased(value: &mut Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(value, &mut String::new(), &mut found);
    found
}

fn walk(value: &mut Value, path: &mut String, found: &mut Vec<String>) {
    let length = path.len();
    match value {
        it if is_erased(it) => {
            found.push(path.clone());
            *it = ERASED.into();
        }
        Value::Object(members) => {
            for (name, member) in members {
                path.push('/');
                path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                walk(member, path, found);
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter_mut().enumerate() {
                path.push('/');
                path.push_str(&place.to_string());
                walk(item, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// The JSON of a record whose texts at these places were erased: a place that still holds [`ERASED`] is erased in it. A place
/// with another text by now holds a new text.
pub fn with_erased(mut body: Value, erased: &[String]) -> Value {
    for path in erased {
        if let Some(place) = body.pointer_mut(path)
            && place == ERASED
        {
            *place = erased_text();
        }
    }
    body
}

/// A hold that keeps everything about a change until it is lifted, whatever the retention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHold {
    /// The reason: the case, the authority that requested it.
    pub reason: String,
    /// The person who placed it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The open request to lift it, where another person has to agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lift_asked: Option<LiftRequest>,
    /// The person who lifted it, and the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Stated>,
}

/// An erasure of texts: requested by one person and done by another, or done by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Which texts.
    pub kind: ErasureKind,
    /// The comment, where one is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<RecordId>,
    /// Why; the clock's has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The person who requested it; absent where the clock did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<PersonId>,
    /// The person who issued the requester's credential, where that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// When it was requested, or done by the clock.
    pub asked_at: Timestamp,
    /// The time of the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    /// The person who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<PersonId>,
}

impl Erasure {
    /// Whether it waits for a second person.
    pub fn is_asked(&self) -> bool {
        self.done_at.is_none()
    }
}

/// How long a tenant keeps data that need not be kept for ever. The log, the records and every proof stay in any case; only
/// texts, files and raw bodies go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Retention {
    /// For how many days after its end the texts and evidence files of a change are kept; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_days: Option<i64>,
    /// For how many days the raw body of a delivery that was worked off is kept; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveries_days: Option<i64>,
    /// After how many days since it was last saved an ended change moves to the archive, where all of it is kept in a fraction of
    /// the room; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_days: Option<i64>,
}

impl Retention {
    /// The fewest days: a quarter, so that no review, audit sample or incident finds its ground gone.
    pub const FEWEST: i64 = 90;
    /// The most days, a hundred years.
    pub const MOST: i64 = 36_525;

    /// Whether everything is kept for ever.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn erased_places_are_named_and_come_back() {
        let stored = json!({"a/b": [{"erased": true}, "x"], "t~": {"erased": true}, "n": 1});
        let mut read = stored.clone();
        let places = name_erased(&mut read);
        assert_eq!(places, ["/a~1b/0", "/t~0"]);
        assert_eq!(read, json!({"a/b": ["[erased]", "x"], "t~": "[erased]", "n": 1}));
        assert_eq!(with_erased(read, &places), stored);
    }

    #[test]
    fn a_word_is_no_erasure_and_a_new_text_stays() {
        let written = json!({"title": "[erased]", "text": "new"});
        assert_eq!(with_erased(written.clone(), &["/text".to_owned()]), written);
        let none = with_erased(written.clone(), &["/gone/0".to_owned()]);
        assert_eq!(none, written);
    }
}

//! Small marks that a change keeps: edits, spans of readiness, and its planned undo.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// The last edit of a field. The name is a value and no key: a value under the name of a free text would be sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldEdit {
    /// The field.
    pub field: String,
    /// When it was edited.
    pub at: Timestamp,
}

/// A span in which a change was ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadySpan {
    /// Since when.
    pub from: Timestamp,
    /// Until when; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The start of its window.
    pub opens_at: Timestamp,
    /// The end of its window.
    pub closes_at: Timestamp,
    /// The digest *what* that was decided on.
    pub what: String,
}

/// The inverse of a change, declared before its work: read-only until 04:00.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedUndo {
    /// The description of the undo.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// How a planned undo ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoRecord {
    /// Whether it was done; otherwise it was called off.
    pub done: bool,
    /// When it was done or called off.
    pub occurred_at: Timestamp,
    /// Whether that was after its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// The result, or why it was called off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The person who recorded it.
    pub by: PersonId,
    /// When it was recorded.
    pub at: Timestamp,
}

/// An incident that a person confirmed as caused by a change: one row for each incident, however often it was linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CausedIncident {
    /// Its key here, or its outside reference.
    pub incident: String,
    /// The person who confirmed it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// An incident that began while a change was watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedIncident {
    /// Its key.
    pub incident: String,
    /// When the change took note of it.
    pub at: Timestamp,
}

/// When the server itself saw the work begin and end: by a person's act, a permit that was collected, or a connected system.
/// Later reports of people about the times move neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenWork {
    /// The earliest begin that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// The latest end that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl SeenWork {
    /// The earlier of the observed begin and the reported one.
    #[must_use]
    pub fn earliest(&self, told: Option<Timestamp>) -> Option<Timestamp> {
        self.began_at.into_iter().chain(told).min()
    }

    /// The later of the observed end and the reported one.
    #[must_use]
    pub fn latest(&self, told: Option<Timestamp>) -> Option<Timestamp> {
        self.ended_at.max(told)
    }

    /// Takes note of a begin.
    pub fn note_begin(&mut self, at: Timestamp) {
        self.began_at = self.earliest(Some(at));
    }

    /// Takes note of an end.
    pub(crate) fn note_end(&mut self, at: Timestamp) {
        self.ended_at = self.latest(Some(at));
    }

    /// Whether nothing was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

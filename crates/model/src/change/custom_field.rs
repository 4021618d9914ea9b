//! Fields that a tenant adds to its changes: what they hold, of which kinds of change they are asked, and what a change
//! says in them.
//!
//! A change keeps its values as a list, for what somebody typed is sealed by the member's name; requests and answers show
//! them as an object by the field's key. The digest *what* covers them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::{FieldKind, Kind};
use crate::core::ids::{PersonId, RecordId, ServiceKey};

/// The member under which requests and answers tell the values.
pub const FIELD: &str = "custom_fields";
/// The most fields in use that a tenant has.
pub const MOST_FIELDS: usize = 20;
/// The most answers that a kind of change may demand beside the usual ones.
pub const MOST_ASKED: usize = 3;
/// The most choices of a field.
pub const MOST_CHOICES: usize = 50;

/// A field that a tenant added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// By what requests name it: `cost_centre`.
    pub key: String,
    /// The words above it.
    pub name: String,
    /// One sentence that helps to fill it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it holds; never changes, for changes hold values of it.
    pub holds: FieldKind,
    /// For a choice: what there is to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The kinds of change that have it; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<Kind>,
    /// Since when changes cannot be submitted without it; changes that were written before are not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_since: Option<Timestamp>,
    /// Whether it is out of use: values that stand stay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
}

impl CustomField {
    /// Whether changes of this kind have it.
    pub fn is_of(&self, kind: Kind) -> bool {
        !self.is_over && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    /// Whether a new change of this kind cannot be submitted without it.
    pub fn is_needed_of(&self, kind: Kind) -> bool {
        self.is_of(kind) && self.needed_since.is_some()
    }

    /// Its name as a field of a request: `custom_fields.cost_centre`.
    pub fn path(&self) -> String {
        format!("{FIELD}.{}", self.key)
    }
}

/// What a field of a change holds, by what kind it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Words.
    Text(String),
    /// One of the field's choices.
    Choice(String),
    /// A whole number.
    Number(i64),
    /// A day, `2026-12-01`.
    Date(String),
    /// Somebody.
    Person(PersonId),
    /// A service.
    Service(ServiceKey),
    /// A web address.
    Url(String),
}

/// A value of a change.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub struct CustomValue {
    /// The field's key.
    pub key: String,
    /// The words above it when it was written: whoever decides decides on these, also once the field is called otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it holds.
    pub held: Held,
}

/// Two values are equal that say the same in one field, whatever it was called.
impl PartialEq for CustomValue {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.held == other.held
    }
}

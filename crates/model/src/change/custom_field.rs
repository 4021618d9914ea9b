//! Fields that a tenant adds to its changes: their types, the kinds of change that have them, and the values in a change.
//!
//! A change keeps its values as a list, because typed text is sealed by the member's name; requests and responses show them as
//! an object by the field's key. The digest *what* covers them.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_SERVICE};
use crate::core::card::{self, Card, Event};
use crate::core::enums::{Category, FieldKind, Kind};
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::core::parse::LINE;
use crate::verbs;

/// The member of requests and responses that holds the values.
pub const FIELD: &str = "custom_fields";
/// The most fields in use that a tenant has.
pub const MOST_FIELDS: usize = 20;
/// The most fields that a kind of change may require beside the usual ones.
pub const MOST_ASKED: usize = 3;
/// The most choices of a field.
pub const MOST_CHOICES: usize = 50;
/// The most services for which a field has a default.
pub const MOST_DEFAULTS: usize = 200;
/// How many fields of the tenant's own the form of a kind of change should show. More are no error, but each administrator who
/// sets one is warned.
pub const BUDGET: usize = 8;

/// The longest key, in characters.
const KEY: usize = 40;
/// The longest name and the longest choice, in characters.
const NAME: usize = 60;
/// The longest default with its service, in characters.
const DEFAULT: usize = 200;

/// A field of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct CustomField {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// By what `custom_fields` of a change names it.
    #[card(most = KEY, column)]
    pub key: String,
    /// The words above it.
    #[card(most = NAME, text)]
    pub name: String,
    /// One sentence that helps to fill it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub description: Option<String>,
    /// What it holds; never changes.
    #[card(words)]
    pub holds: FieldKind,
    /// For a choice: 2 to 50 to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(most = NAME, text)]
    pub choices: Vec<String>,
    /// The kinds of change that have it; all unless said.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub kinds: BTreeSet<Kind>,
    /// The categories of change that require it on submission, if it is required; all by default.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub categories: BTreeSet<Category>,
    /// Since when changes cannot be submitted without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_since: Option<Timestamp>,
    /// What a change on a service says in it unless it says something else: `label-print=gold`, one for each service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(most = DEFAULT, text)]
    pub defaults: Vec<String>,
    /// Whether policies may read it; of a choice, a number, a day or a service.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_fact: bool,
    /// Whether it is out of use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
}

/// A field of changes. At most 20 are in use, and at most 3 are needed of one kind of change.
#[derive(Debug, Default, Deserialize, Described)]
#[serde(default)]
pub struct CustomFieldInput {
    /// By what `custom_fields` of a change names it.
    #[card(most = KEY, positional, example = "cost_centre")]
    pub key: String,
    /// The words above it.
    #[card(most = NAME, example = "Cost centre")]
    pub name: String,
    /// One sentence that helps to fill it in.
    pub description: Option<String>,
    /// What it holds; never changes.
    #[card(words, needed, example = "text", usual = "text")]
    pub holds: Option<FieldKind>,
    /// For a choice: 2 to 50 to choose from.
    #[card(most = NAME, option = "choice")]
    pub choices: Vec<String>,
    /// The kinds of change that have it; all unless said.
    #[card(words, option = "kind")]
    pub kinds: BTreeSet<Kind>,
    /// The categories of change that require it on submission, if it is required; all by default.
    #[card(words, option = "category")]
    pub categories: BTreeSet<Category>,
    /// Whether changes that are written from now on cannot be submitted without it.
    #[card(option = "needed")]
    pub is_needed: bool,
    /// What a change on a service says in it unless it says something else: `label-print=gold`, one for each service.
    #[card(most = DEFAULT, option = "default")]
    pub defaults: Vec<String>,
    /// Whether policies may read it; of a choice, a number, a day or a service.
    #[card(option = "fact")]
    pub is_fact: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "directory",
    command: "field",
    derived: &[("active", |field| (field["is_over"] != true).into())],
    columns: &[
        "key",
        "name",
        "holds",
        "choices",
        "kinds",
        "needed_since",
        "is_fact",
        "is_over",
    ],
    shown: &[card::Field::shown(
        "warnings",
        card::Kind::Texts(LINE),
        "Forms of changes that show more than the budget of 8 fields, by kind of change.",
    )],
    verbs: verbs! {
        List "list_custom_fields" at "/custom-fields" may READ => "List the fields that the tenant added to its changes";
        Set "set_custom_field" at "/custom-fields" may SET_SERVICE => "Add a field to changes, or change one";
        Show "show_custom_field" at "/custom-fields/{key}" may READ => "Show a field";
        End "end_custom_field" at "/custom-fields/{key}" may SET_SERVICE => "Retire a field; its values in changes are kept";
    },
    events: &[
        Event::new("custom_field.set", "edit", "set a field of changes"),
        Event::new("custom_field.ended", "x", "retired a field of changes"),
    ],
    ..Card::of::<CustomField, CustomFieldInput>("custom_field", "Custom fields")
};

impl CustomField {
    /// Whether changes of this kind have it.
    pub fn is_of(&self, kind: Kind) -> bool {
        !self.is_over && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    /// Whether a new change of this kind cannot be submitted without it.
    pub fn is_needed_of(&self, kind: Kind) -> bool {
        self.is_of(kind) && self.needed_since.is_some()
    }

    /// Whether a change of this category needs the field for its submission.
    pub fn is_asked_in(&self, category: Category) -> bool {
        self.categories.is_empty() || self.categories.contains(&category)
    }

    /// The default for a service where a change has no value: the value as it was typed.
    pub fn default_of(&self, service: &ServiceKey) -> Option<&str> {
        let mut pairs = self.defaults.iter().filter_map(|line| default_pair(line));
        pairs.find(|(key, _)| *key == service.as_str()).map(|(_, value)| value)
    }

    /// Whether policies can read fields of this type: not free text and not people, which the records of decisions would keep
    /// in clear.
    pub fn may_be_fact(holds: FieldKind) -> bool {
        matches!(
            holds,
            FieldKind::Choice | FieldKind::Number | FieldKind::Date | FieldKind::Service
        )
    }

    /// Its name as a field of a request: `custom_fields.cost_centre`.
    pub fn path(&self) -> String {
        format!("{FIELD}.{}", self.key)
    }
}

/// The service and the value of a default: `label-print=gold`.
pub fn default_pair(line: &str) -> Option<(&str, &str)> {
    let (service, value) = line.split_once('=')?;
    let (service, value) = (service.trim(), value.trim());
    (!service.is_empty() && !value.is_empty()).then_some((service, value))
}

/// The kinds of change whose form shows more custom fields than [`BUDGET`], each with the number of fields.
pub fn over_budget<'f>(fields: impl Iterator<Item = &'f CustomField> + Clone) -> Vec<(Kind, usize)> {
    let shown = |kind: Kind| fields.clone().filter(|field| field.is_of(kind)).count();
    let counts = Kind::ALL.iter().map(|kind| (*kind, shown(*kind)));
    counts.filter(|(_, shown)| *shown > BUDGET).collect()
}

/// The value of a field, by its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Text.
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
    /// The label at the time of writing: an approver decides on this label, also after the field is renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value.
    pub held: Held,
}

/// Two values of one field are equal if they hold the same, whatever the label was.
impl PartialEq for CustomValue {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.held == other.held
    }
}

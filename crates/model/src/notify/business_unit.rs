//! Business units: parts of the organisation that use services, with the contacts who receive notices of disruptions.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_FREEZE};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::LetterLanguage;
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::verbs;

/// The most business units of a tenant.
pub const MOST: usize = 500;
/// The most contacts, and the most mail addresses, of one unit.
pub const MOST_CONTACTS: usize = 200;
/// The longest key, in characters.
pub const KEY: usize = 64;

/// A part of the organisation that uses services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct BusinessUnit {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key, such as dispatch-oslo.
    #[card(column)]
    pub key: String,
    /// The name.
    #[card(text)]
    pub name: String,
    /// The services that the unit uses.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// The people who are notified: logins.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(text)]
    pub contacts: BTreeSet<PersonId>,
    /// Additional mail addresses to notify.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(text)]
    pub mail_addresses: BTreeSet<String>,
    /// The language of mails to the unit; a contact's own preference takes precedence.
    #[card(words)]
    pub language: LetterLanguage,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A part of the organisation that uses services.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct BusinessUnitInput {
    /// The key, such as dispatch-oslo.
    #[card(positional, example = "dispatch-oslo")]
    pub key: String,
    /// The name.
    #[card(text, example = "Dispatch Oslo")]
    pub name: String,
    /// The services that the unit uses.
    #[card(refers = "service", option = "service", example = "booking-api")]
    pub services: BTreeSet<ServiceKey>,
    /// The people who are notified: logins.
    #[card(option = "contact", example = "adam")]
    pub contacts: BTreeSet<String>,
    /// Additional mail addresses to notify.
    #[card(text, option = "mail", example = "dispatch@example.org")]
    pub mail_addresses: BTreeSet<String>,
    /// The language of mails to the unit; a contact's own preference takes precedence.
    #[card(words, optional, usual = "en", example = "en")]
    pub language: LetterLanguage,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    patch: "BusinessUnitPatch",
    columns: &["id", "key", "name", "services", "contacts"],
    verbs: verbs! {
        List "list_business_units" at "/business-units" may READ => "List business units";
        Add "add_business_unit" at "/business-units" may SET_FREEZE => "Add a business unit";
        Show "show_business_unit" at "/business-units/{id}" may READ => "Show a business unit";
        Edit "edit_business_unit" at "/business-units/{id}" may SET_FREEZE => "Change a business unit";
        End "end_business_unit" at "/business-units/{id}" may SET_FREEZE => "Remove a business unit";
    },
    events: &[
        Event::new("business_unit.added", "person", "added a business unit"),
        Event::new("business_unit.edited", "edit", "changed a business unit"),
        Event::new("business_unit.ended", "x", "removed a business unit"),
    ],
    page: Some(Page {
        path: "/business-units",
        byline: "Parts of the organisation, with the services that they use and the contacts who are notified of \
            changes to these services.",
        empty: "There is no business unit.",
        labels: ["Add a business unit", "Change it", "Remove it"],
    }),
    command: "business-unit",
    ..Card::of::<BusinessUnit, BusinessUnitInput>("business_unit", "Business units")
};

/// Whether a text is a key: at most 64 letters, digits, `-`, `_` and `.`.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.len() <= KEY && text.bytes().all(is_letter)
}

/// The rules of a unit's fields that need no other record.
pub fn check(reading: &mut Reading<'_>, input: &BusinessUnitInput) {
    if reading.says("key") && !is_key(&input.key) {
        let text = "`key` has at most 64 letters, digits, `-`, `_` and `.`.";
        reading.wrong("key", "not_a_key", text);
    }
    let counts = [
        ("contacts", input.contacts.len()),
        ("mail_addresses", input.mail_addresses.len()),
    ];
    for (field, count) in counts {
        if count > MOST_CONTACTS {
            let text = format!("`{field}` has at most {MOST_CONTACTS} entries; name a mailing list instead.");
            reading.wrong(field, "too_many", text);
        }
    }
}

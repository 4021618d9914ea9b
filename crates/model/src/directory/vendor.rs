//! Vendors: organisations that operate services, with their people, contract and contacts. Their people work by the same gates and
//! forms as everybody; a vendor adds no right and widens no scope.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_SERVICE};
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::verbs;

/// The most vendors of a tenant.
pub const MOST: usize = 200;
/// The most people, and the most contacts, of a vendor.
pub const MOST_PEOPLE: usize = 200;

/// An organisation that operates services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Vendor {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Its key, such as cartwell; it cannot be changed.
    #[card(column)]
    pub key: String,
    /// What it is called.
    #[card(text)]
    pub name: String,
    /// The reference of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The end of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_ends_at: Option<Timestamp>,
    /// The services that it operates.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// Mail addresses of its service desk.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(text)]
    pub contacts: BTreeSet<String>,
    /// The people of the vendor: logins. Each person's scope is unchanged.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<PersonId>,
    /// The id of the connection whose deliveries are its notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<RecordId>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// An organisation that operates services.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct VendorInput {
    /// Its key, such as cartwell; it cannot be changed.
    #[card(positional, example = "cartwell")]
    pub key: String,
    /// What it is called.
    #[card(text, example = "Cartwell Hosting")]
    pub name: String,
    /// The reference of the contract.
    #[card(example = "C-2024-17")]
    pub contract: Option<String>,
    /// The end of the contract.
    #[card(option = "contract-end", example = "2027-12-31T23:00:00Z")]
    pub contract_ends_at: Option<Timestamp>,
    /// The services that it operates.
    #[card(refers = "service", option = "service", example = "label-print")]
    pub services: BTreeSet<ServiceKey>,
    /// Mail addresses of its service desk.
    #[card(text, option = "contact", example = "noc@cartwell.example")]
    pub contacts: BTreeSet<String>,
    /// The people of the vendor: logins. Each person's scope is unchanged.
    #[card(option = "member", example = "cartwell-hosting")]
    pub members: BTreeSet<String>,
    /// The id of the connection whose deliveries are its notices.
    #[card(example = "01981f0a-0000-7000-8000-000000000001")]
    pub connection: Option<RecordId>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    patch: "VendorPatch",
    columns: &["key", "name", "contract", "contract_ends_at", "services", "members"],
    verbs: verbs! {
        List "list_vendors" at "/vendors" may READ => "List vendors";
        Add "add_vendor" at "/vendors" may SET_SERVICE => "Add a vendor";
        Show "show_vendor" at "/vendors/{key}" may READ => "Show a vendor";
        Edit "edit_vendor" at "/vendors/{key}" may SET_SERVICE => "Change a vendor";
        End "end_vendor" at "/vendors/{key}" may SET_SERVICE => "Retire a vendor";
    },
    events: &[
        Event::new("vendor.added", "people", "added a vendor"),
        Event::new("vendor.edited", "edit", "changed a vendor"),
        Event::new("vendor.ended", "x", "retired a vendor"),
        Event::new(
            "vendor.address_mailed",
            "out",
            "mailed the address for notices to the contacts of a vendor",
        ),
        Event::new("vendor.answered", "out", "replied to a mail of a vendor"),
    ],
    page: Some(Page {
        path: "/vendors",
        byline: "Organisations that operate services. Their people use the same gates and forms as everyone else, \
            within their scope.",
        empty: "No vendor is recorded.",
        labels: ["Add a vendor", "Change it", "Retire it"],
    }),
    ..Card::of::<Vendor, VendorInput>("vendor", "Vendors")
};

impl Vendor {
    /// Its name with its key, for sentences.
    #[must_use]
    pub fn called(&self) -> String {
        format!("{} ({})", self.name, self.key)
    }
}

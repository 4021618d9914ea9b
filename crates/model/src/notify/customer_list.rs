//! Customer lists: mail addresses outside the organisation that receive notices of disruptions of their services, until they
//! opt out.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::SET_FREEZE;
use crate::core::card::{Card, Event, Page};
use crate::core::enums::LetterLanguage;
use crate::core::ids::{RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::notify::business_unit::is_key;
use crate::verbs;

/// The most customers' lists of a tenant.
pub const MOST: usize = 100;
/// The most mail addresses of one list.
pub const MOST_ADDRESSES: usize = 1_000;

/// Mail addresses of customers with the services that they use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct CustomerList {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key, such as parcel-customers.
    #[card(column)]
    pub key: String,
    /// The name. It is not shown to customers.
    #[card(text)]
    pub name: String,
    /// The services that these customers use. Mails mention only these services.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// The mail addresses that are notified.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(text)]
    pub mail_addresses: BTreeSet<String>,
    /// The mail addresses of this list that opted out. They receive no notifications, and only their owners can opt in
    /// again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(text)]
    pub opted_out_addresses: BTreeSet<String>,
    /// The language of mails to the list.
    #[card(words)]
    pub language: LetterLanguage,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// Mail addresses of customers with the services that they use.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct CustomerListInput {
    /// The key, such as parcel-customers.
    #[card(positional, example = "parcel-customers")]
    pub key: String,
    /// The name. It is not shown to customers.
    #[card(text, example = "Customers of parcels")]
    pub name: String,
    /// The services that these customers use. Mails mention only these services.
    #[card(refers = "service", option = "service", example = "booking-api")]
    pub services: BTreeSet<ServiceKey>,
    /// The mail addresses that are notified.
    #[card(text, option = "mail", example = "ops@customer.example")]
    pub mail_addresses: BTreeSet<String>,
    /// The language of mails to the list.
    #[card(words, optional, usual = "en", example = "en")]
    pub language: LetterLanguage,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    patch: "CustomerListPatch",
    columns: &["id", "key", "name", "services"],
    verbs: verbs! {
        List "list_customer_lists" at "/customer-lists" may "set_freeze | audit" => "List customers' lists";
        Add "add_customer_list" at "/customer-lists" may SET_FREEZE => "Add a customers' list";
        Show "show_customer_list" at "/customer-lists/{id}" may "set_freeze | audit" => "Show a customers' list";
        Edit "edit_customer_list" at "/customer-lists/{id}" may SET_FREEZE => "Change a customers' list";
        End "end_customer_list" at "/customer-lists/{id}" may SET_FREEZE => "Remove a customers' list";
    },
    events: &[
        Event::new("customer_list.added", "person", "added a customer list"),
        Event::new("customer_list.edited", "edit", "changed a customer list"),
        Event::new("customer_list.ended", "x", "removed a customer list"),
        Event::new(
            "customer_list.left",
            "x",
            "removed a mail address from a customer list at its owner’s request",
        ),
        Event::new(
            "customer_list.returned",
            "person",
            "restored a mail address of a customer list at its owner’s request",
        ),
    ],
    page: Some(Page {
        path: "/customer-lists",
        byline: "Mail addresses outside the organisation that are notified of disruptions of the services that they \
            use.",
        empty: "There is no customer list.",
        labels: ["Add a customer list", "Change it", "Remove it"],
    }),
    command: "customer-list",
    ..Card::of::<CustomerList, CustomerListInput>("customer_list", "Customer lists")
};

/// The rules of a list's fields that need no other record.
pub fn check(reading: &mut Reading<'_>, input: &CustomerListInput) {
    if reading.says("key") && !is_key(&input.key) {
        let text = "`key` has at most 64 letters, digits, `-`, `_` and `.`.";
        reading.wrong("key", "not_a_key", text);
    }
    if input.services.is_empty() {
        let text = "`services` needs at least one service that these customers use.";
        reading.wrong("services", "missing", text);
    }
    if input.mail_addresses.len() > MOST_ADDRESSES {
        let text = format!("A customers' list has at most {MOST_ADDRESSES} mail addresses; make a second one.");
        reading.wrong("mail_addresses", "too_many", text);
    }
}

impl CustomerList {
    /// Whether a mail address is told by the list.
    #[must_use]
    pub fn is_on(&self, address: &str) -> bool {
        self.mail_addresses.iter().any(|it| is_same(it, address))
    }

    /// Whether a mail address opted out of the list.
    #[must_use]
    pub fn has_left(&self, address: &str) -> bool {
        self.opted_out_addresses.iter().any(|it| is_same(it, address))
    }

    /// Takes a mail address off the list; whether it was on the list.
    pub fn opt_out(&mut self, address: &str) -> bool {
        moved(&mut self.mail_addresses, &mut self.opted_out_addresses, address)
    }

    /// Puts a mail address back that opted out; whether it had.
    pub fn opt_in(&mut self, address: &str) -> bool {
        moved(&mut self.opted_out_addresses, &mut self.mail_addresses, address)
    }
}

/// The mail addresses that opted out of some lists, in small letters. Their owners' wish holds for every mail address in Assent
/// that belongs to no person's account: on other lists and in business units.
#[must_use]
pub fn opted_out(lists: &[CustomerList]) -> BTreeSet<String> {
    let gone = lists.iter().flat_map(|list| &list.opted_out_addresses);
    gone.map(|address| address.to_lowercase()).collect()
}

/// Whether two mail addresses are one: capitals make no difference.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn moved(from: &mut BTreeSet<String>, to: &mut BTreeSet<String>, address: &str) -> bool {
    let found: Vec<String> = from.iter().filter(|it| is_same(it, address)).cloned().collect();
    for it in &found {
        from.remove(it);
    }
    let is_found = !found.is_empty();
    to.extend(found);
    is_found
}

//! Legal holds over many records: by change, service, person and span. A hold of one change is on the change itself
//! ([`crate::compliance::erasure::LegalHold`]).

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::record::Change;
use crate::compliance::hold_lifting::LiftRequest;
use crate::core::act::actions::AUDIT;
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::directory::snapshot::Directory;
use crate::verbs;

/// The most hold orders of a tenant in force.
pub const MOST: usize = 200;
/// The most changes, services or people of a hold order.
pub const MOST_NAMED: usize = 200;
/// The longest reason, in characters.
pub const REASON: usize = 2_000;

/// What keeps records from any erasure until it is lifted or over. A change is held that matches everything that the order names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct HoldOrder {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The reason: the case and the requesting authority.
    #[card(most = REASON, text)]
    pub reason: String,
    /// The keys of the changes; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub changes: BTreeSet<String>,
    /// The services, of which a change has one; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// Changes in which one of these people had a part: logins; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<PersonId>,
    /// The start of the period in which a change was under way, or a delivery arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The end of the span, not included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The end of its validity; by default it applies until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The person who placed it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether it is in force.
    #[card(column)]
    pub active: bool,
    /// Who asked to lift it, where another person has to agree: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub lift_asked_by: Option<PersonId>,
    /// Who handed out the way in by which that was asked, where that was another person: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub lift_handed_by: Option<PersonId>,
    /// When that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lift_asked_at: Option<Timestamp>,
    /// Why they asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = REASON, text)]
    pub lift_asked_reason: Option<String>,
    /// Who lifted it: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub lifted_by: Option<PersonId>,
    /// When it was lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<Timestamp>,
    /// Why it was lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = REASON, text)]
    pub lift_reason: Option<String>,
}

/// What keeps records from any erasure until it is lifted or over. A change is held that matches everything that the order names.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct HoldOrderInput {
    /// The reason: the case and the requesting authority.
    #[card(most = REASON, text, example = "Case 4711 of the district court")]
    pub reason: String,
    /// The keys of the changes; none means all.
    #[card(option = "change")]
    pub changes: BTreeSet<String>,
    /// The services, of which a change has one; none means all.
    #[card(refers = "service", option = "service", example = "booking-api")]
    pub services: BTreeSet<ServiceKey>,
    /// Changes in which one of these people had a part: logins; none means all.
    #[card(option = "person")]
    pub people: BTreeSet<String>,
    /// The start of the period in which a change was under way, or a delivery arrived.
    #[card(label = "From", example = "2026-01-01T00:00:00Z")]
    pub from: Option<Timestamp>,
    /// The end of the span, not included.
    #[card(label = "To", example = "2026-07-01T00:00:00Z")]
    pub to: Option<Timestamp>,
    /// The end of its validity; by default it applies until it is lifted.
    #[card(label = "Until", example = "2031-01-01T00:00:00Z")]
    pub until: Option<Timestamp>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "hold-order",
    columns: &["id", "changes", "services", "people", "from", "to", "until", "by"],
    verbs: verbs! {
        List "list_hold_orders" at "/hold-orders" may AUDIT => "List the legal holds on several records", token Audit;
        Add "place_hold_order" at "/hold-orders" may AUDIT => "Place a legal hold by change, service, person or period", token Audit, called "place";
        Show "show_hold_order" at "/hold-orders/{id}" may AUDIT => "Show a hold order, also one that was lifted", token Audit;
    },
    events: &[
        Event::new("hold_order.placed", "lock", "placed a legal hold"),
        Event::new("hold_order.lift_asked", "help", "requested the lifting of a legal hold"),
        Event::new("hold_order.lifted", "x", "lifted a legal hold"),
    ],
    page: Some(Page {
        path: "/hold-orders",
        byline: "Legal holds by change, service, person and period. Matching records are not erased, neither by \
            people nor by retention.",
        empty: "No hold order is in force.",
        labels: ["Place a legal hold", "Change it", "Lift it"],
    }),
    ..Card::of::<HoldOrder, HoldOrderInput>("hold_order", "Hold orders")
};

impl HoldOrder {
    /// Whether it holds now: neither lifted nor over.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        self.active && self.until.is_none_or(|until| now < until)
    }

    /// The request to lift it that waits for another person.
    #[must_use]
    pub fn lift_asked(&self) -> Option<LiftRequest> {
        Some(LiftRequest {
            by: self.lift_asked_by.clone()?,
            handed_by: self.lift_handed_by.clone(),
            at: self.lift_asked_at?,
            reason: self.lift_asked_reason.clone()?,
        })
    }

    /// The order with a request to lift it that waits for another person.
    #[must_use]
    pub fn with_lift_asked(self, word: LiftRequest) -> Self {
        Self {
            lift_asked_by: Some(word.by),
            lift_handed_by: word.handed_by,
            lift_asked_at: Some(word.at),
            lift_asked_reason: Some(word.reason),
            ..self
        }
    }

    /// The order once a request has lifted it.
    #[must_use]
    pub fn lifted(self, word: LiftRequest) -> Self {
        Self {
            active: false,
            lifted_by: Some(word.by),
            lifted_at: Some(word.at),
            lift_reason: Some(word.reason),
            ..self
        }
    }

    /// Whether a change matches everything that it names; `people` are all who had a part in the change. The span of a change
    /// begins with its creation and ends with its last save.
    #[must_use]
    pub fn holds(&self, change: &Change, people: &BTreeSet<PersonId>) -> bool {
        let targets = &change.content.targets;
        (self.changes.is_empty() || self.changes.contains(&change.key))
            && (self.services.is_empty() || targets.iter().any(|it| self.services.contains(&it.service)))
            && (self.people.is_empty() || !self.people.is_disjoint(people))
            && self.to.is_none_or(|to| change.created_at < to)
            && self.from.is_none_or(|from| change.updated_at >= from)
    }
}

/// Checks the names in a hold order; returns the people.
pub fn check(reading: &mut Reading<'_>, input: &HoldOrderInput, directory: &Directory) -> BTreeSet<PersonId> {
    let names_none = input.changes.is_empty() && input.services.is_empty() && input.people.is_empty();
    if names_none && input.from.is_none() && input.to.is_none() {
        let text = "Enter what is held: `changes`, `services`, `people`, or a period by `from` or `to`.";
        reading.wrong("changes", "missing", text);
    }
    if input.from.zip(input.to).is_some_and(|(from, to)| from >= to) {
        let text = "`to` must be later than `from`: the period is empty.";
        reading.wrong("to", "out_of_order", text);
    }
    for (field, count) in [
        ("changes", input.changes.len()),
        ("services", input.services.len()),
        ("people", input.people.len()),
    ] {
        if count > MOST_NAMED {
            reading.wrong(
                field,
                "too_many",
                format!("A hold order can have at most {MOST_NAMED} entries in `{field}`."),
            );
        }
    }
    let mut people = BTreeSet::new();
    for login in &input.people {
        match directory.by_login(login) {
            Some(person) => {
                people.insert(person.id.clone());
            }
            None => reading.wrong("people", "unknown", format!("No person has the login `{login}`.")),
        }
    }
    people
}

/// The spans before a moment in which no order holds deliveries. A delivery names no service or person, so every order holds
/// the deliveries of its span, except an order that names changes: the data of these is in the changes.
#[must_use]
pub fn free_spans(orders: &[HoldOrder], before: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let held = orders.iter().filter(|order| order.changes.is_empty());
    let mut held: Vec<(Timestamp, Timestamp)> = held
        .map(|order| {
            (
                order.from.unwrap_or(Timestamp::UNIX_EPOCH),
                order.to.unwrap_or(Timestamp::MAX),
            )
        })
        .collect();
    held.sort_unstable();
    let mut found = Vec::new();
    let mut free_from = Timestamp::UNIX_EPOCH;
    for (from, to) in held {
        if free_from < from.min(before) {
            found.push((free_from, from.min(before)));
        }
        free_from = free_from.max(to);
    }
    if free_from < before {
        found.push((free_from, before));
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    fn order(from: Option<i64>, to: Option<i64>) -> HoldOrder {
        HoldOrder {
            id: RecordId::from("h"),
            version: 1,
            reason: "Case".to_owned(),
            changes: BTreeSet::new(),
            services: BTreeSet::new(),
            people: BTreeSet::new(),
            from: from.map(at),
            to: to.map(at),
            until: None,
            by: PersonId::from("p"),
            at: at(1),
            active: true,
            lift_asked_by: None,
            lift_handed_by: None,
            lift_asked_at: None,
            lift_asked_reason: None,
            lifted_by: None,
            lifted_at: None,
            lift_reason: None,
        }
    }

    #[test]
    fn overlapping_orders_hold_their_union() {
        let orders = [order(Some(10), Some(20)), order(Some(15), Some(30))];
        assert_eq!(free_spans(&orders, at(40)), [(at(0), at(10)), (at(30), at(40))]);
        assert_eq!(free_spans(&orders, at(18)), [(at(0), at(10))]);
        // Once one of them is gone, what the other holds stays held.
        assert_eq!(free_spans(&orders[1..], at(40)), [(at(0), at(15)), (at(30), at(40))]);
    }

    #[test]
    fn an_order_without_a_span_holds_every_delivery_and_one_of_changes_none() {
        assert!(free_spans(&[order(None, None)], at(40)).is_empty());
        let of_changes = HoldOrder {
            changes: ["CHG-1".to_owned()].into(),
            ..order(None, None)
        };
        assert_eq!(free_spans(&[of_changes], at(40)), [(at(0), at(40))]);
        assert_eq!(free_spans(&[], at(40)), [(at(0), at(40))]);
    }

    #[test]
    fn an_order_ends_when_it_is_over_or_lifted() {
        let until = HoldOrder {
            until: Some(at(20)),
            ..order(None, None)
        };
        assert!(until.stands(at(19)) && !until.stands(at(20)));
        let lifted = HoldOrder {
            active: false,
            ..order(None, None)
        };
        assert!(!lifted.stands(at(1)));
    }
}

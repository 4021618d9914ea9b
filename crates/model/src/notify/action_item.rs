//! Action items: tasks of people about a record, with an owner, a due time and an outcome. Rules open most of them and settle
//! them once their condition is met; people open the rest.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
pub use crate::core::enums::{AboutKind, ActionKind, ActionState, Closing, Severity};
use crate::core::ids::{GroupKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::schedule::calendar::Span;
use crate::verbs;

/// The longest text, in characters.
pub const TEXT: usize = 4_000;
/// The most links of an item.
pub const MOST_LINKS: usize = 20;
/// The most services of an item.
pub const MOST_SERVICES: usize = 100;
/// The most open items that one person may have opened.
pub const MOST_OPENED: i64 = 200;
/// The usual time for an item without a due time.
pub const USUAL_TIME: Span = Span::WorkDays(5);

/// Something that a person or a group has to do about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ActionItem {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Its key, such as ACT-101.
    #[card(column)]
    pub key: String,
    /// What makes it one: its kind, the record and the part of it. Opening it twice is one item.
    #[card(column, most = 700)]
    pub natural_key: String,
    /// What is asked for.
    #[card(words, column)]
    pub kind: ActionKind,
    /// The kind of record that it is about.
    #[card(words, column)]
    pub about_kind: AboutKind,
    /// The key of that record; empty where it is about none.
    #[card(column)]
    pub about: String,
    /// The services that it concerns.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// What is to be done, in one line.
    #[card(text)]
    pub title: String,
    /// The same with what helps to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub text: Option<String>,
    /// How much it matters, where a rule states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(words)]
    pub severity: Option<Severity>,
    /// Who has to do it: a login. Absent where a group owns it, and where it is the change managers'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub owner: Option<PersonId>,
    /// The group that has to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column = "people_group", refers = "group")]
    pub group: Option<GroupKey>,
    /// The group whose on-duty members are also notified from its due time on; all members if none is on duty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(refers = "group")]
    pub escalate_to: Option<GroupKey>,
    /// Where it stands.
    #[card(words, column)]
    pub state: ActionState,
    /// How it is settled.
    #[card(words)]
    pub closing: Closing,
    /// Who opened it, or in whose act a rule did: a login.
    #[card(column)]
    pub opened_by: PersonId,
    /// When it was opened first.
    #[card(column)]
    pub opened_at: Timestamp,
    /// When its time began: when it was opened last.
    pub asked_at: Timestamp,
    /// Until when it is to be done.
    #[card(column)]
    pub due_at: Timestamp,
    /// Who acknowledged it: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// Who settled it, or in whose act its condition was met: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub settled_at: Option<Timestamp>,
    /// Why it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
    /// Addresses or keys that help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// The people whom it is about, who do not dismiss it: logins.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub involved: BTreeSet<PersonId>,
    /// How many steps of its escalation are done: 1 reminder, 2 due, 3 those above, then again and again.
    #[card(most = 100_000)]
    pub steps: i64,
}

/// An action item that a person opens.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ActionItemInput {
    /// What is to be done, in one line.
    #[card(text, example = "Renew the certificate of the label printer")]
    pub title: String,
    /// The same with what helps to do it.
    #[card(most = TEXT, text, example = "It ends on 30 November.")]
    pub text: Option<String>,
    /// The kind of record that it is about.
    #[card(words, option = "about-kind", optional, usual = "other", example = "service")]
    pub about_kind: AboutKind,
    /// The key of that record.
    #[card(example = "label-print")]
    pub about: Option<String>,
    /// The services that it concerns.
    #[card(refers = "service", option = "service", example = "label-print")]
    pub services: BTreeSet<ServiceKey>,
    /// Who has to do it: a login. Without an owner and a group it is yours.
    #[card(example = "adam")]
    pub owner: Option<String>,
    /// Or the group that has to do it.
    #[card(refers = "group")]
    pub group: Option<GroupKey>,
    /// The group whose on-duty members are also notified from its due time on; all members if none is on duty.
    #[card(refers = "group", example = "platform")]
    pub escalate_to: Option<GroupKey>,
    /// Until when it is to be done; within five working days unless set.
    #[card(label = "Until", option = "due", example = "2026-11-30T16:00:00Z")]
    pub due_at: Option<Timestamp>,
    /// Addresses or keys that help.
    #[card(option = "link", example = "CHG-1042")]
    pub links: Vec<String>,
}

/// The card. The list has filters, and so a row of its own.
pub const CARD: Card = Card {
    tag: "action items",
    command: "action-item",
    columns: &["key", "kind", "title", "owner", "group", "state", "due_at"],
    verbs: verbs! {
        Add "open_action_item" at "/action-items" may READ => "Open an action item", called "open";
        Show "show_action_item" at "/action-items/{key}" may READ => "Show an action item";
    },
    events: &[
        Event::new("action_item.opened", "inbox", "opened an action item"),
        Event::new("action_item.reopened", "inbox", "reopened an action item"),
        Event::new("action_item.acknowledged", "eye", "acknowledged an action item"),
        Event::new("action_item.assigned", "edit", "reassigned an action item"),
        Event::new("action_item.postponed", "clock", "moved the due time of an action item"),
        Event::new("action_item.escalated", "clock", "escalated an action item"),
        Event::new("action_item.done", "check", "settled an action item"),
        Event::new("action_item.dismissed", "x", "dismissed an action item"),
    ],
    ..Card::of::<ActionItem, ActionItemInput>("action_item", "Action items")
};

/// The record that an item is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its kind.
    pub kind: AboutKind,
    /// Its key or id.
    pub key: String,
}

impl About {
    /// A record by its key.
    pub fn new(kind: AboutKind, key: impl Into<String>) -> Self {
        Self { kind, key: key.into() }
    }
}

/// The owner of an item. If none of these people is active, the item goes to the owners of the services, then to the change
/// managers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A person.
    Person(PersonId),
    /// A group.
    Group(GroupKey),
    /// An owner of the services that the item concerns.
    ServiceOwner,
    /// The change managers; where there are none, administrators.
    ChangeManagers,
}

/// The due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// An instant.
    At(Timestamp),
    /// A time by the calendar of the owner.
    Within(Span),
}

/// An item that a rule opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// The kind of action.
    pub kind: ActionKind,
    /// The record that it is about.
    pub about: About,
    /// Distinguishes items of one kind about one record; empty where there is only one.
    pub part: String,
    /// The task, in one line.
    pub title: String,
    /// A text that helps with the task.
    pub text: Option<String>,
    /// The services that it concerns.
    pub services: BTreeSet<ServiceKey>,
    /// Its severity.
    pub severity: Option<Severity>,
    /// The owner.
    pub owner: Owner,
    /// The group whose people on call are notified as well from its due time on.
    pub escalate_to: Option<GroupKey>,
    /// The due time.
    pub due: Due,
    /// The way in which it is settled.
    pub closing: Closing,
    /// The people whom it is about; they may not dismiss it.
    pub involved: BTreeSet<PersonId>,
    /// Addresses or keys that help.
    pub links: Vec<String>,
    /// Whether its owner gets a letter when it is opened.
    pub tells: bool,
}

impl NewItem {
    /// An item for the change managers, due within [`USUAL_TIME`], that its condition settles.
    pub fn new(kind: ActionKind, about: About, title: impl Into<String>) -> Self {
        Self {
            kind,
            about,
            part: String::new(),
            title: title.into(),
            text: None,
            services: BTreeSet::new(),
            severity: None,
            owner: Owner::ChangeManagers,
            escalate_to: None,
            due: Due::Within(USUAL_TIME),
            closing: Closing::Condition,
            involved: BTreeSet::new(),
            links: Vec::new(),
            tells: true,
        }
    }

    /// Its natural key.
    pub fn natural_key(&self) -> String {
        natural_key(self.kind, &self.about, &self.part)
    }
}

/// The natural key of an item: `validate_break_glass/change/CHG-1042/`.
pub fn natural_key(kind: ActionKind, about: &About, part: &str) -> String {
    format!("{kind}/{}/{}/{part}", about.kind, about.key)
}

impl ActionItem {
    /// The person from whom a communication plan requests an acknowledgement of the announcement of a change; `None` for any
    /// other item.
    pub fn announced_to(&self) -> Option<PersonId> {
        let is_announcement = self.kind == ActionKind::Acknowledge && self.about_kind == AboutKind::Change;
        let part = self.natural_key.rsplit_once("/communication/");
        part.filter(|_| is_announcement)
            .map(|(_, person)| PersonId::from(person))
    }

    /// Whether the owner is fixed: the item's record, or the announcement, names the person.
    pub fn has_fixed_owner(&self) -> bool {
        self.kind.has_fixed_owner() || self.announced_to().is_some()
    }

    /// Whether its time is over and something is still to be done.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.state.is_open() && self.due_at <= now
    }

    /// The same item, open once more from a moment on.
    #[must_use]
    pub fn reopened(self, due_at: Timestamp, now: Timestamp) -> Self {
        Self {
            state: ActionState::Open,
            asked_at: now,
            due_at,
            acknowledged_by: None,
            acknowledged_at: None,
            settled_by: None,
            settled_at: None,
            reason: None,
            steps: 0,
            ..self
        }
    }
}

/// The rules on what a person opens: a due time ahead, one owner, and limits on lists.
pub fn check_input(reading: &mut Reading<'_>, input: &ActionItemInput, now: Timestamp) {
    if input.due_at.is_some_and(|due| due <= now) {
        reading.wrong("due_at", "in_the_past", "`due_at` must be in the future.");
    }
    if input.owner.is_some() && input.group.is_some() {
        let text = "Name either `owner` or `group`.";
        reading.wrong("group", "two_owners", text);
    }
    if input.about_kind != AboutKind::Other && input.about.is_none() {
        let text = format!(
            "`about` is missing: the key of the {}.",
            input.about_kind.as_str().replace('_', " ")
        );
        reading.wrong("about", "missing", text);
    }
    if input.links.len() > MOST_LINKS {
        reading.wrong(
            "links",
            "too_many",
            format!("`links` holds at most {MOST_LINKS} entries."),
        );
    }
    for (place, link) in input.links.iter().enumerate().filter(|(_, link)| !is_link(link)) {
        let text = format!("`{link}` is neither an address (https://…) nor a key such as CHG-1042.");
        reading.wrong(&format!("links[{place}]"), "not_a_link", text);
    }
    if input.services.len() > MOST_SERVICES {
        let text = format!("`services` holds at most {MOST_SERVICES} entries.");
        reading.wrong("services", "too_many", text);
    }
}

/// Whether a text is an address or the key of a record. Links are logged unsealed, so they hold no free text.
fn is_link(text: &str) -> bool {
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    let is_key = text.split_once('-').is_some_and(|(letters, digits)| {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number && !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_uppercase())
    });
    (is_address && !text.contains(char::is_whitespace)) || is_key
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::{Value, json};

    use super::*;
    use crate::core::card::read;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn codes(body: Value) -> Vec<(String, String)> {
        let mut reading = Reading::new(body.as_object().unwrap(), "");
        let input = read::<ActionItemInput>(&mut reading);
        check_input(&mut reading, &input, at("2026-11-20T08:00:00Z"));
        let errors = reading.errors.iter();
        errors.map(|error| (error.field.clone(), error.code.clone())).collect()
    }

    #[test]
    fn a_person_names_one_owner_a_time_ahead_and_the_record_of_a_kind() {
        assert!(codes(json!({"title": "Renew it"})).is_empty());
        let wrong = json!({
            "title": "Renew it", "due_at": "2026-11-20T08:00:00Z", "owner": "adam", "group": "security", "about_kind": "service",
            "links": ["https://wiki.example/cert", "CHG-1042", "ask Adam"],
        });
        let found = codes(wrong);
        for (field, code) in [
            ("due_at", "in_the_past"),
            ("group", "two_owners"),
            ("about", "missing"),
            ("links[2]", "not_a_link"),
        ] {
            assert!(
                found.contains(&(field.to_owned(), code.to_owned())),
                "{field} is not in {found:?}"
            );
        }
    }

    #[test]
    fn items_are_told_apart_by_kind_record_and_part() {
        let about = About::new(AboutKind::Change, "CHG-1");
        let one = natural_key(ActionKind::ResolveViolation, &about, "overrun");
        assert_eq!(one, "resolve_violation/change/CHG-1/overrun");
        assert_ne!(one, natural_key(ActionKind::ResolveViolation, &about, "in_freeze"));
    }
}

//! Items of an agenda: a change that needs the board, how it is decided, its time box, and its outcome.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::approval::authority::{approval_rules, is_open};
use crate::approval::separation_of_duties::board_of;
use crate::change::change_file::ChangeFile;
use crate::change::related_records::Approval;
use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::enums::{ApprovalState, Decision, Level, State};
pub use crate::core::enums::{ItemListing, ItemOutcome, ListingGround};
use crate::core::ids::{ChangeId, GroupKey, PersonId, RecordId};
use crate::core::parse::TEXT;
use crate::verbs;

/// The longest time box with all that was added to it, in minutes.
pub const LONGEST_MINUTES: i64 = 120;
/// The most minutes that are added at once.
pub const MOST_ADDED: i64 = 30;

/// An item of an agenda.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct AgendaItem {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The agenda: its id, which is that of the meeting.
    #[card(column)]
    pub agenda: RecordId,
    /// The change: its id.
    pub change: RecordId,
    /// The change's key.
    #[card(column)]
    pub change_key: String,
    /// Its content when it was listed.
    pub content_digest: String,
    /// Its risk then.
    #[card(words)]
    pub risk: Level,
    /// Since when it waits for the board.
    pub waiting_since: Timestamp,
    /// Its place on the agenda, from 1.
    #[card(column, most = 1_000)]
    pub place: i64,
    /// How it is decided.
    #[card(words)]
    pub listing: ItemListing,
    /// Why so.
    #[card(words)]
    pub ground: ListingGround,
    /// Its time box at the meeting, in minutes.
    #[card(most = 120)]
    pub box_minutes: i64,
    /// What the chair added to it, in minutes.
    #[card(most = 120)]
    pub added_minutes: i64,
    /// When it came before the board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// When the board went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The members who objected to a decision by vote: logins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objected_by: Vec<PersonId>,
    /// Why the last of them did, or why the chair added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
    /// What the board decided; set when the minutes are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(words)]
    pub outcome: Option<ItemOutcome>,
    /// How many voted for it.
    #[card(most = 1_000)]
    pub yes: i64,
    /// How many voted against it.
    #[card(most = 1_000)]
    pub no: i64,
}

/// A change that the chair adds to a frozen agenda, to be decided at the meeting.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct AgendaItemInput {
    /// The agenda: its id.
    #[card(positional, example = "01kb2m6w8e0000000000000000")]
    pub agenda: String,
    /// The change's key.
    #[card(example = "CHG-1042")]
    pub change: String,
    /// Why it cannot wait for the next meeting.
    #[card(most = TEXT, text, example = "The certificate ends on Friday.")]
    pub reason: String,
}

/// The card. Objections and turns have routes of their own.
pub const CARD: Card = Card {
    tag: "boards",
    command: "agenda-item",
    columns: &[
        "id",
        "agenda",
        "place",
        "change_key",
        "risk",
        "listing",
        "ground",
        "outcome",
    ],
    verbs: verbs! {
        List "list_agenda_items" at "/agenda-items" may READ => "List agenda items";
        Add "add_agenda_item" at "/agenda-items" may READ => "Add a change to a frozen agenda, as its chair";
        Show "show_agenda_item" at "/agenda-items/{id}" may READ => "Show an item of an agenda";
    },
    events: &[
        Event::new("agenda_item.listed", "list", "listed a change on an agenda"),
        Event::new("agenda_item.added", "plus", "added a change to a frozen agenda"),
        Event::new("agenda_item.moved", "meeting", "moved an item to the meeting"),
        Event::new("agenda_item.begun", "clock", "brought an item before the board"),
        Event::new("agenda_item.extended", "clock", "extended the time of an item"),
        Event::new("agenda_item.ended", "check", "ended an item at the meeting"),
        Event::new(
            "agenda_item.minuted",
            "edit",
            "recorded the board's decision on an item",
        ),
    ],
    ..Card::of::<AgendaItem, AgendaItemInput>("agenda_item", "Agenda items")
};

impl AgendaItem {
    /// An item for a change in its present form, not yet on an agenda.
    #[must_use]
    pub fn of(file: &ChangeFile, waiting_since: Timestamp) -> Self {
        let change = &file.change;
        let (listing, ground) = listing(change.risk.level);
        Self {
            id: RecordId(String::new()),
            version: 0,
            agenda: RecordId(String::new()),
            change: RecordId(change.id.0.clone()),
            change_key: change.key.clone(),
            content_digest: change.digests.content.clone(),
            risk: change.risk.level,
            waiting_since,
            place: 0,
            listing,
            ground,
            box_minutes: time_box(change.risk.level),
            added_minutes: 0,
            begun_at: None,
            ended_at: None,
            objected_by: Vec::new(),
            reason: None,
            outcome: None,
            yes: 0,
            no: 0,
        }
    }

    /// The id of its change.
    #[must_use]
    pub fn change_id(&self) -> ChangeId {
        ChangeId(self.change.0.clone())
    }

    /// When its time box ends; `None` before it came before the board.
    #[must_use]
    pub fn box_ends_at(&self) -> Option<Timestamp> {
        let box_ = SignedDuration::from_mins(self.box_minutes + self.added_minutes);
        self.begun_at?.checked_add(box_).ok()
    }

    /// How long the board discussed it, in whole minutes.
    #[must_use]
    pub fn spent_minutes(&self) -> Option<i64> {
        Some(self.ended_at?.duration_since(self.begun_at?).as_mins())
    }

    /// How many minutes may still be added to its time box.
    #[must_use]
    pub fn room(&self) -> i64 {
        (LONGEST_MINUTES - self.box_minutes - self.added_minutes).max(0)
    }
}

/// The minutes that a risk gets at the meeting.
#[must_use]
pub fn time_box(risk: Level) -> i64 {
    match risk {
        Level::None | Level::Low => 3,
        Level::Medium => 5,
        Level::High => 8,
    }
}

/// How a risk is decided: a high one at the meeting, any other by votes before it.
#[must_use]
pub fn listing(risk: Level) -> (ItemListing, ListingGround) {
    match risk {
        Level::High => (ItemListing::Live, ListingGround::HighRisk),
        _ => (ItemListing::Vote, ListingGround::ByRisk),
    }
}

/// Since when a change waits for a board: the change has an open rule with a quorum for the board's group. `None` without such
/// a rule.
#[must_use]
pub fn waits_for(file: &ChangeFile, group: &GroupKey, now: Timestamp) -> Option<Timestamp> {
    let change = &file.change;
    // Nobody may vote on a change before its assessment.
    if change.state < State::Authorizing || !change.state.is_before_start() {
        return None;
    }
    let rules: Vec<&str> = approval_rules(file)
        .filter(|(row, rule)| board_of(rule) == Some(group) && is_open(file, row, rule, now))
        .map(|(row, _)| row.obligation.id.as_str())
        .collect();
    if rules.is_empty() {
        return None;
    }
    let requests = change.requests.iter().filter(|it| rules.contains(&it.rule.as_str()));
    let asked_at = requests.map(|it| it.asked_at).min();
    Some(asked_at.or(change.submitted_at).unwrap_or(change.created_at))
}

/// Puts items in the order of an agenda: the highest risk first, then what waits longest, and numbers them.
pub fn put_in_order(items: &mut [AgendaItem]) {
    items.sort_by(|one, other| {
        let key = |it: &AgendaItem| (Reverse(it.risk), it.waiting_since, it.change_key.clone());
        key(one).cmp(&key(other))
    });
    for (item, place) in items.iter_mut().zip(1..) {
        item.place = place;
    }
}

/// The digest of an agenda: SHA-256 over the canonical JSON (RFC 8785) of its items in their order.
#[must_use]
pub fn digest_of(items: &[AgendaItem]) -> String {
    let row = |it: &AgendaItem| {
        json!({
            "place": it.place, "change": it.change, "content_digest": it.content_digest, "risk": it.risk,
            "listing": it.listing, "box_minutes": it.box_minutes,
        })
    };
    let rows: Vec<Value> = items.iter().map(row).collect();
    proof::canonical::digest(&Value::from(rows)).expect("texts and whole numbers have canonical bytes")
}

/// A board's decision about an item at these meetings, with the votes for and against of the members who came. Votes of members
/// with a declared conflict of interest do not count, and a decision without a quorum does not count either.
#[must_use]
pub fn outcome_of(
    file: &ChangeFile,
    item: &AgendaItem,
    (meetings, came): (&[RecordId], &BTreeSet<PersonId>),
    now: Timestamp,
) -> (ItemOutcome, i64, i64) {
    let change = &file.change;
    let has_conflict = |person: &PersonId| {
        let mut own = file.meetings.iter().filter(|it| meetings.contains(&it.id));
        own.any(|meeting| meeting.has_conflict(person, &change.id))
    };
    // A returned change names its meeting without the author being there, so only people who came are counted.
    let is_vote = |it: &&Approval| {
        let is_here = it.meeting.as_ref().is_some_and(|id| meetings.contains(id));
        is_here && came.contains(&it.person) && it.state != ApprovalState::Withdrawn && !has_conflict(&it.person)
    };
    let mut votes: Vec<(&PersonId, Decision)> = Vec::new();
    for approval in file.approvals.iter().filter(is_vote) {
        votes.retain(|(person, _)| *person != &approval.person);
        votes.push((&approval.person, approval.decision));
    }
    let count = |wanted: &[Decision]| votes.iter().filter(|(_, decision)| wanted.contains(decision)).count();
    // Decisions about another content have lapsed by now, and those about this content are in force.
    let is_met = |rule_id: &str| {
        change.digests.content != item.content_digest
            || !change.state.is_before_start()
            || !approval_rules(file)
                .filter(|(row, _)| row.obligation.id == rule_id)
                .any(|(row, rule)| is_open(file, row, rule, now))
    };
    let is_decided = change.board_decisions.iter().any(|it| {
        meetings.contains(&it.meeting)
            && it.content_digest == item.content_digest
            && !it.approved_by.iter().any(has_conflict)
            && is_met(&it.rule)
    });
    let with_conditions = count(&[Decision::ApproveWithConditions]) > 0;
    let outcome = match (change.state, is_decided, with_conditions) {
        (State::Rejected, ..) if count(&[Decision::Reject]) > 0 => ItemOutcome::Rejected,
        (_, true, true) => ItemOutcome::ApprovedWithConditions,
        (_, true, false) => ItemOutcome::Approved,
        _ if count(&[Decision::Return]) > 0 => ItemOutcome::Returned,
        _ => ItemOutcome::Deferred,
    };
    let yes = count(&[Decision::Approve, Decision::ApproveWithConditions]);
    let no = count(&[Decision::Reject, Decision::Return]);
    let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    (outcome, whole(yes), whole(no))
}

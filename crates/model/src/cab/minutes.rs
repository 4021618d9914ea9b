//! Minutes of a meeting: generated from the agenda, the meetings and the votes, and signed by the chair under their digest.
//! They name records by their keys and people by their ids, and hold no free text.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cab::agenda::Agenda;
use crate::cab::agenda_item::AgendaItem;
use crate::cab::meeting::Meeting;
use crate::core::enums::{ItemListing, ItemOutcome, Level};
use crate::core::ids::{PersonId, RecordId};

/// One item in the minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinutedItem {
    /// The change's key.
    pub change_key: String,
    /// The content that was decided on.
    pub content_digest: String,
    /// Its risk when it was listed.
    pub risk: Level,
    /// How it was decided.
    pub listing: ItemListing,
    /// The outcome.
    pub outcome: ItemOutcome,
    /// The votes for it.
    pub yes: i64,
    /// The votes against it.
    pub no: i64,
    /// How long the board discussed it, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent_minutes: Option<i64>,
}

/// A declared conflict of interest, without its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinutedConflict {
    /// The declarer.
    pub person: PersonId,
    /// The change's key.
    pub change_key: String,
}

/// The minutes of a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minutes {
    /// The meeting.
    pub meeting: RecordId,
    /// The board.
    pub group: String,
    /// When it began.
    pub starts_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The chair.
    pub chair: PersonId,
    /// The digest of the agenda.
    pub agenda_digest: String,
    /// The people who came to the meeting.
    pub present: BTreeSet<PersonId>,
    /// The people who voted before it and did not come.
    pub by_vote: BTreeSet<PersonId>,
    /// The members who took no part.
    pub absent: BTreeSet<PersonId>,
    /// Declared conflicts of interest.
    pub conflicts: Vec<MinutedConflict>,
    /// The items in their order.
    pub items: Vec<MinutedItem>,
    /// The keys of the action items that were opened about the meeting.
    pub action_items: Vec<String>,
}

impl Minutes {
    /// The minutes of an agenda whose items have their outcomes. `votes` is the meeting at which votes were given before.
    #[must_use]
    pub fn of(
        agenda: &Agenda,
        (meeting, votes): (&Meeting, Option<&Meeting>),
        items: &[AgendaItem],
        (members, action_items): (&[PersonId], Vec<String>),
        now: Timestamp,
    ) -> Self {
        let came = |meeting: &Meeting| {
            meeting
                .attendees
                .iter()
                .map(|row| row.person.clone())
                .collect::<BTreeSet<_>>()
        };
        let present = came(meeting);
        let mut by_vote = votes.map(came).unwrap_or_default();
        by_vote.retain(|person| !present.contains(person));
        let absent = members
            .iter()
            .filter(|it| !present.contains(*it) && !by_vote.contains(*it));
        let conflicts = votes.into_iter().chain([meeting]).flat_map(|it| &it.conflicts);
        Self {
            meeting: agenda.id.clone(),
            group: agenda.group.0.clone(),
            starts_at: meeting.starts_at,
            ended_at: meeting.ended_at.unwrap_or(now),
            chair: agenda.chair.clone(),
            agenda_digest: agenda.digest.clone().unwrap_or_default(),
            absent: absent.cloned().collect(),
            conflicts: conflicts
                .map(|row| MinutedConflict {
                    person: row.person.clone(),
                    change_key: row.change_key.clone(),
                })
                .collect(),
            items: items.iter().map(minuted).collect(),
            present,
            by_vote,
            action_items,
        }
    }

    /// The minutes as canonical JSON (RFC 8785), and their SHA-256.
    #[must_use]
    pub fn sealed(&self) -> (String, String) {
        let value = json!(self);
        let text = proof::canonical::to_text(&value).expect("texts, whole numbers and lists have canonical bytes");
        let digest = proof::canonical::digest(&value).expect("texts, whole numbers and lists have canonical bytes");
        (text, digest)
    }
}

fn minuted(item: &AgendaItem) -> MinutedItem {
    MinutedItem {
        change_key: item.change_key.clone(),
        content_digest: item.content_digest.clone(),
        risk: item.risk,
        listing: item.listing,
        outcome: item.outcome.unwrap_or(ItemOutcome::Deferred),
        yes: item.yes,
        no: item.no,
        spent_minutes: item.spent_minutes(),
    }
}

/// The minutes of an agenda; `None` where none are signed.
#[must_use]
pub fn minutes_of(agenda: &Agenda) -> Option<Minutes> {
    serde_json::from_str(agenda.minutes.as_deref()?).ok()
}

/// Whether the minutes of an agenda are those that were signed: their digest, computed anew, is the signed one.
#[must_use]
pub fn verifies(agenda: &Agenda) -> bool {
    let read: Option<Value> = agenda
        .minutes
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    let computed = read.and_then(|value| proof::canonical::digest(&value).ok());
    computed.is_some() && computed == agenda.minutes_digest
}

//! The records of boards: meetings with attendance and conflicts of interest, on-call shifts, decisions.

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::approval::absence::begins;
use crate::core::card::Derived;
use crate::core::ids::{ChangeId, GroupKey, PersonId, RecordId};

/// The longest meeting, in hours: a meeting without an end is over then, so that old attendance does not make a quorum for
/// ever.
pub const LONGEST_HOURS: i64 = 24;

/// A meeting is active until it is ended.
const ACTIVE: &[Derived] = &[("active", |it| it["ended_at"].is_null().into())];

/// A sitting of a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "meeting", derived = ACTIVE)]
pub struct Meeting {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The group that meets: `cab`, `ecab`.
    #[card(column = "people_group")]
    pub group: GroupKey,
    /// What it is called.
    #[card(text)]
    pub title: String,
    /// From when it sits.
    #[card(column)]
    pub starts_at: Timestamp,
    /// When it was ended; nobody votes afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The person who called it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The attendees in the order of arrival; each records their own attendance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub attendees: Vec<Attendance>,
    /// The declared conflicts of interest, each with its change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub conflicts: Vec<DeclaredConflict>,
    /// The changes that are voted on at it, once its agenda is frozen; absent where every change of its board may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub listed: Option<Vec<ListedChange>>,
}

/// A change on the frozen agenda of a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedChange {
    /// The change.
    pub change: ChangeId,
    /// Its content when it was listed: there is no vote on a later edit.
    pub content_digest: String,
}

/// A member of the board who is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendance {
    /// The attendee.
    pub person: PersonId,
    /// Since when.
    pub at: Timestamp,
    /// When they left. From then on they count only for the quorum of decisions made while they were present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
}

/// A conflict of interest: its declarer takes no part in the decision on that change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredConflict {
    /// The declarer.
    pub person: PersonId,
    /// About which change.
    pub change: ChangeId,
    /// The change's key.
    pub change_key: String,
    /// Which interest.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A time in which a member of a board is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "on_call")]
pub struct OnCall {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The board.
    #[card(column = "people_group")]
    pub group: GroupKey,
    /// Who is on call.
    #[card(column)]
    pub person: PersonId,
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end, exclusive; taking it back sets this to that moment.
    #[card(column)]
    pub ends_at: Timestamp,
    /// When it was recorded, where it was set to begin before that: it counts from then on, and for nothing decided before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
    /// Whether a calendar of others brought it: the next import of its group replaces it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
}

/// A board's decision about a change: the meeting with its quorum, the members present and those with a conflict of interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardDecision {
    /// The policy that requires the board.
    pub rule: String,
    /// The board.
    pub group: GroupKey,
    /// The meeting.
    pub meeting: RecordId,
    /// How many of the group had to be there.
    pub quorum: i64,
    /// The members who were present and counted.
    pub present: Vec<PersonId>,
    /// The members who had declared a conflict of interest about this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicted: Vec<PersonId>,
    /// The members whose approval made the decision.
    pub approved_by: Vec<PersonId>,
    /// The content that was decided on.
    pub content_digest: String,
    /// When.
    pub at: Timestamp,
}

impl Meeting {
    /// Whether members can vote at it now.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.starts_at <= now && !self.is_over(now)
    }

    /// Whether the meeting is closed to attendance and votes: it was ended, or was left open for a day.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let began_at = self.starts_at.max(self.at);
        self.ended_at.is_some() || now.duration_since(began_at) >= SignedDuration::from_hours(LONGEST_HOURS)
    }

    /// Whether a person is there.
    pub fn has(&self, person: &PersonId) -> bool {
        self.there().any(|row| &row.person == person)
    }

    /// The people present.
    pub fn there(&self) -> impl Iterator<Item = &Attendance> {
        self.attendees.iter().filter(|row| row.left_at.is_none())
    }

    /// Whether its agenda lists a change with this content.
    pub fn lists(&self, change: &ChangeId, content_digest: &str) -> bool {
        let is_it = |row: &ListedChange| &row.change == change && row.content_digest == content_digest;
        self.listed.as_ref().is_none_or(|rows| rows.iter().any(is_it))
    }

    /// Removes a change from the meeting's list, if there is a list, and adds its replacement.
    pub fn list_anew(&mut self, change: &ChangeId, next: Option<ListedChange>) {
        let Some(rows) = &mut self.listed else { return };
        rows.retain(|row| &row.change != change);
        rows.extend(next);
    }

    /// Whether a person declared a conflict of interest about a change.
    pub fn has_conflict(&self, person: &PersonId, change: &ChangeId) -> bool {
        self.conflicts
            .iter()
            .any(|row| &row.person == person && &row.change == change)
    }
}

impl OnCall {
    /// Whether it holds at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        begins(self.starts_at, self.corrected_at) <= now && now < self.ends_at
    }
}

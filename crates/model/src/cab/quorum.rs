//! The meetings of a board, who is there, and whether they are enough.

use jiff::Timestamp;

use crate::approval::obligation::ApprovalRule;
use crate::approval::separation_of_duties::{board_of, is_barred};
use crate::cab::meeting::{Attendance, BoardDecision, Meeting};
use crate::change::change_file::ChangeFile;
use crate::change::related_records::Approval;
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::directory::basis::{Holder, Seen};
use crate::directory::records::Person;
use crate::directory::snapshot::Directory;

impl Meeting {
    /// Whether it has anything to do with a change.
    fn is_about(&self, file: &ChangeFile) -> bool {
        self.conflicts.iter().any(|row| row.change == file.change.id)
            || file.approvals.iter().any(|row| row.meeting.as_ref() == Some(&self.id))
    }
}

impl Directory {
    /// Keys of the groups that a person belongs to.
    pub fn groups_of(&self, person: &PersonId) -> Vec<GroupKey> {
        self.groups
            .values()
            .filter(|group| group.members.contains(person))
            .map(|group| group.key.clone())
            .collect()
    }

    /// A meeting by its id.
    pub fn meeting(&self, id: &RecordId) -> Option<&Meeting> {
        self.meetings.iter().find(|row| &row.id == id)
    }

    /// The meetings of a board at which members can vote now.
    pub fn meetings_on<'a>(&'a self, group: &'a GroupKey, now: Timestamp) -> impl Iterator<Item = &'a Meeting> + 'a {
        self.meetings
            .iter()
            .filter(move |row| &row.group == group && row.is_on(now))
    }

    /// The meetings that have to do with a change: where it was voted on, or a conflict of interest was declared.
    pub fn meetings_about(&self, file: &ChangeFile) -> Vec<Meeting> {
        let about = self.meetings.iter().filter(|row| row.is_about(file));
        about.map(|row| self.trusted(row)).collect()
    }

    /// A meeting without attendees whose accounts are compromised: their attendance no longer counts, like their decisions. A
    /// person who has left the group or has no role left counts as having left the meeting, and adds nothing to the quorum of
    /// open decisions.
    pub(crate) fn trusted(&self, meeting: &Meeting) -> Meeting {
        let mut meeting = meeting.clone();
        let is_compromised = |person: &PersonId| self.people.get(person).is_some_and(Person::is_compromised);
        meeting.attendees.retain(|row| !is_compromised(&row.person));
        let members = self.members(&meeting.group);
        let gone = |row: &&mut Attendance| row.left_at.is_none() && !members.contains(&row.person);
        for row in meeting.attendees.iter_mut().filter(gone) {
            row.left_at = Some(row.at);
        }
        meeting
    }

    /// The next instant after `now` at which somebody's time on call begins or ends.
    pub fn next_on_call_edge(&self, now: Timestamp) -> Option<Timestamp> {
        let edges = self.on_call.iter().flat_map(|row| [row.starts_at, row.ends_at]);
        edges.filter(|at| *at > now).min()
    }
}

/// Keeps the board members who are on call and not away; with nobody on call all members, so that an empty roster never leaves
/// an emergency without approvers.
pub(crate) fn keep_on_call(
    directory: &Directory,
    group: &GroupKey,
    holders: Vec<Holder>,
    now: Timestamp,
) -> Vec<Holder> {
    let shift = |holder: &Holder| {
        directory
            .on_call
            .iter()
            .find(|row| &row.group == group && row.person == holder.person && row.is_on(now))
            .filter(|_| !directory.is_absent(&holder.person, now))
    };
    let found: Vec<Holder> = holders
        .iter()
        .filter_map(|holder| {
            let row = shift(holder)?;
            let mut holder = holder.clone();
            holder.why = format!(
                "on call until {}: {}",
                row.ends_at.strftime("%Y-%m-%d %H:%MZ"),
                holder.why
            );
            holder.basis.on_call = Some(Seen {
                id: row.id.0.clone(),
                version: row.version,
            });
            Some(holder)
        })
        .collect();
    if found.is_empty() { holders } else { found }
}

/// The meeting whose votes count for a rule: of those with a quorum the one with most approvals, else the one with most
/// approvals.
pub(crate) fn meeting_that_counts<'a>(
    file: &'a ChangeFile,
    rule: &ApprovalRule,
    yes_at: impl Fn(&RecordId) -> usize,
) -> Option<&'a Meeting> {
    let group = board_of(rule)?;
    file.meetings
        .iter()
        .filter(|row| &row.group == group && yes_at(&row.id) > 0)
        .max_by_key(|row| (has_quorum(file, rule, row), yes_at(&row.id), row.id.clone()))
}

/// The people at a meeting who may vote on this change: without its author and everybody else whom the rule bars.
pub(crate) fn present(file: &ChangeFile, rule: &ApprovalRule, meeting: &Meeting) -> Vec<PersonId> {
    let counts = |row: &&Attendance| row.left_at.is_none() || was_counted(file, meeting, &row.person);
    let attendees = meeting.attendees.iter().filter(counts).map(|row| &row.person);
    attendees
        .filter(|person| !is_barred(file, rule, person) && !meeting.has_conflict(person, &file.change.id))
        .cloned()
        .collect()
}

/// Whether a person who left was present when the board decided about this change by decisions in force: their leaving does not
/// undo that decision.
fn was_counted(file: &ChangeFile, meeting: &Meeting, person: &PersonId) -> bool {
    let stands = |decision: &BoardDecision| {
        file.standing().any(|word| {
            word.meeting.as_ref() == Some(&meeting.id)
                && word.at <= decision.at
                && decision.approved_by.contains(&word.person)
        })
    };
    let mut decisions = file.change.board_decisions.iter().filter(|it| it.meeting == meeting.id);
    decisions.any(|decision| decision.present.contains(person) && stands(decision))
}

/// Whether a vote was given by a person who was at the meeting together with its quorum, at the vote or later: votes of people
/// who were never present together do not make a decision. A made decision stays in force.
pub(crate) fn was_in_quorum(file: &ChangeFile, rule: &ApprovalRule, meeting: &Meeting, word: &Approval) -> bool {
    let Some(quorum) = rule.quorum else { return true };
    let mut decisions = file.change.board_decisions.iter().filter(|it| it.meeting == meeting.id);
    if decisions.any(|it| word.at <= it.at && it.approved_by.contains(&word.person)) {
        return true;
    }
    let Some(own) = meeting.attendees.iter().find(|row| row.person == word.person) else {
        return false;
    };
    let has_a_say =
        |person: &PersonId| !is_barred(file, rule, person) && !meeting.has_conflict(person, &file.change.id);
    let is_there = |row: &Attendance, at: Timestamp| row.at <= at && row.left_at.is_none_or(|left| at < left);
    let together = |at: Timestamp| {
        let rows = meeting
            .attendees
            .iter()
            .filter(|row| is_there(row, at) && has_a_say(&row.person));
        is_there(own, at) && rows.count() >= quorum as usize
    };
    let later = meeting.attendees.iter().map(|row| row.at).filter(|at| *at > word.at);
    is_there(own, word.at) && std::iter::once(word.at).chain(later).any(together)
}

/// Whether enough of a board are at a meeting to decide about this change.
pub(crate) fn has_quorum(file: &ChangeFile, rule: &ApprovalRule, meeting: &Meeting) -> bool {
    rule.quorum
        .is_none_or(|quorum| present(file, rule, meeting).len() >= quorum as usize)
}

//! Boards: groups that decide at a meeting (CAB, ECAB). Who is there, who declared a conflict of interest, and who is on
//! call for an emergency.
//!
//! A rule with `@quorum` counts only words that were given at one meeting of its group, and only once enough of the group
//! are there. Whoever declared a conflict of interest about the change neither counts for the quorum nor votes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::approvals::approval_rules;
use crate::authority::{is_barred, said_yes, targets_of};
use crate::directory::{Directory, Person};
use crate::file::{Case, ChangeFile};
use crate::ids::{ChangeId, GroupKey, PersonId, RecordId, TargetId};
use crate::matrix::{Holder, Seen};
use crate::obligation::{ApprovalRule, Asked};
use crate::records::Unmet;
use crate::refusal::Refusal;
use crate::requirement::logins;
use crate::words::Role;

/// The longest sitting, in hours: a meeting that nobody ends is over then, so that who came once makes no quorum for ever.
pub const LONGEST_HOURS: i64 = 24;

/// A sitting of a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The group that meets: `cab`, `ecab`.
    pub group: GroupKey,
    /// What it is called.
    pub title: String,
    /// From when it sits.
    pub starts_at: Timestamp,
    /// When it was ended; nobody votes afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who called it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Who is there, each by their own word, in the order of coming.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendance>,
    /// Who declared a conflict of interest, and about which change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<DeclaredConflict>,
}

/// A member of the board who is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendance {
    /// Who.
    pub person: PersonId,
    /// Since when.
    pub at: Timestamp,
    /// When they left. They count for no quorum from then on, but for that of what was decided while they were there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
}

/// A conflict of interest: its declarer has no say in that change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredConflict {
    /// Who.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCall {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The board.
    pub group: GroupKey,
    /// Who is on call.
    pub person: PersonId,
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end, exclusive; taking it back sets this to that moment.
    pub ends_at: Timestamp,
}

/// What a board decided about a change: the meeting with its quorum, who was there, who had a conflict of interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardDecision {
    /// The policy that asked the board.
    pub rule: String,
    /// The board.
    pub group: GroupKey,
    /// The meeting.
    pub meeting: RecordId,
    /// How many of the group had to be there.
    pub quorum: i64,
    /// Who was there and counted.
    pub present: Vec<PersonId>,
    /// Who had declared a conflict of interest about this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicted: Vec<PersonId>,
    /// Whose yes made the decision.
    pub approved_by: Vec<PersonId>,
    /// The content that was decided on.
    pub content_digest: String,
    /// When.
    pub at: Timestamp,
}

impl Meeting {
    /// Whether words can be given at it now.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.starts_at <= now && !self.is_over(now)
    }

    /// Whether nobody comes to it or votes at it any more: it was ended, or nobody ended it for a day.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let began_at = self.starts_at.max(self.at);
        self.ended_at.is_some() || now.duration_since(began_at) >= SignedDuration::from_hours(LONGEST_HOURS)
    }

    /// Whether a person is there.
    pub fn has(&self, person: &PersonId) -> bool {
        self.there().any(|row| &row.person == person)
    }

    /// Who is there.
    pub fn there(&self) -> impl Iterator<Item = &Attendance> {
        self.attendees.iter().filter(|row| row.left_at.is_none())
    }

    /// Whether a person declared a conflict of interest about a change.
    pub fn has_conflict(&self, person: &PersonId, change: &ChangeId) -> bool {
        self.conflicts
            .iter()
            .any(|row| &row.person == person && &row.change == change)
    }

    /// Whether it has anything to do with a change.
    fn is_about(&self, file: &ChangeFile) -> bool {
        self.conflicts.iter().any(|row| row.change == file.change.id)
            || file.approvals.iter().any(|row| row.meeting.as_ref() == Some(&self.id))
    }
}

impl OnCall {
    /// Whether it holds at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
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

    /// The meetings of a board at which words can be given now.
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

    /// A meeting without those whose accounts are compromised: like their other words, that they are there counts no more.
    /// Whoever is of its group no longer, or has no role left, has left it, so that they make no quorum of what is still open.
    fn trusted(&self, meeting: &Meeting) -> Meeting {
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

/// Keeps, of a board's members, those who are on call and not away; all of them when nobody is, so that an empty roster
/// never leaves an emergency with nobody.
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

/// The group that a rule of a board asks.
fn board_of(rule: &ApprovalRule) -> Option<&GroupKey> {
    match (&rule.from, rule.quorum) {
        (Asked::Group(key), Some(_)) => Some(key),
        _ => None,
    }
}

/// Whether a rule's board knows of this person's conflict of interest about the change.
pub(crate) fn has_conflict(file: &ChangeFile, rule: &ApprovalRule, person: &PersonId) -> bool {
    board_of(rule).is_some_and(|group| {
        file.meetings
            .iter()
            .any(|row| &row.group == group && row.has_conflict(person, &file.change.id))
    })
}

/// The meeting whose words count for a rule: of those with a quorum the one with most yes, else the one with most.
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

/// Who is at a meeting and may have a say in this change: neither its author nor anybody else whom the rule bars.
pub(crate) fn present(file: &ChangeFile, rule: &ApprovalRule, meeting: &Meeting) -> Vec<PersonId> {
    let counts = |row: &&Attendance| row.left_at.is_none() || was_counted(file, meeting, &row.person);
    let attendees = meeting.attendees.iter().filter(counts).map(|row| &row.person);
    attendees
        .filter(|person| !is_barred(file, rule, person) && !meeting.has_conflict(person, &file.change.id))
        .cloned()
        .collect()
}

/// Whether whoever left was there when the board decided about this change, by words that stand: what was decided with them is
/// not undone by their going.
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

/// Whether enough of a board are at a meeting to decide about this change.
pub(crate) fn has_quorum(file: &ChangeFile, rule: &ApprovalRule, meeting: &Meeting) -> bool {
    rule.quorum
        .is_none_or(|quorum| present(file, rule, meeting).len() >= quorum as usize)
}

/// How many of a rule's board could be counted at a meeting about this change; `None` where the rule wants no meeting.
pub fn could_attend(file: &ChangeFile, directory: &Directory, rule: &ApprovalRule) -> Option<usize> {
    let mut members = directory.members(board_of(rule)?);
    members.retain(|person| !is_barred(file, rule, person));
    Some(members.len())
}

/// Where a board is too small for its quorum, whatever meeting is called.
pub(crate) fn too_small_board(
    (file, directory): (&ChangeFile, &Directory),
    (rule_id, rule): (&str, &ApprovalRule),
) -> Option<Unmet> {
    let (group, quorum) = (board_of(rule)?, rule.quorum?);
    let could = could_attend(file, directory, rule)?;
    let text = format!(
        "Rule `{rule_id}` wants {quorum} of the group {group} at a meeting, and {could} of it may have a say in this change."
    );
    (could < quorum as usize).then(|| {
        crate::file::unmet(
            "cannot_be_met",
            text,
            format!("Give the group {group} another member."),
            logins(directory, &directory.with_role(Role::Admin)),
        )
    })
}

/// What a board's rule lacks when it has its votes, or has none yet: a meeting, or people at it.
pub(crate) fn quorum_unmet(
    (file, directory): (&ChangeFile, &Directory),
    (rule_id, rule): (&str, &ApprovalRule),
    target: &TargetId,
    now: Timestamp,
    what: bool,
) -> Option<Unmet> {
    let group = board_of(rule)?;
    let voted = said_yes(file, (rule_id, rule), target, now, what).meeting;
    if voted.is_some_and(|meeting| has_quorum(file, rule, meeting)) {
        return None;
    }
    if let Some(found) = too_small_board((file, directory), (rule_id, rule)) {
        return Some(found);
    }
    let meeting = voted.or_else(|| directory.meetings_on(group, now).last());
    let Some(meeting) = meeting else {
        let people = crate::clocks::last_people(directory);
        return Some(crate::file::unmet(
            "meeting_missing",
            format!("The group {group} decides at a meeting, and none is open."),
            format!("A change manager opens a meeting of {group} (rule `{rule_id}`)."),
            logins(directory, &people),
        ));
    };
    if has_quorum(file, rule, meeting) {
        return None;
    }
    if meeting.is_over(now) {
        let people = crate::clocks::last_people(directory);
        return Some(crate::file::unmet(
            "quorum_missing",
            format!("Too few were at the meeting “{}”, and it is over.", meeting.title),
            format!("A change manager opens another of {group}, and its members vote there (rule `{rule_id}`)."),
            logins(directory, &people),
        ));
    }
    let waits = |person: &PersonId| {
        !meeting.has(person)
            && !meeting.has_conflict(person, &file.change.id)
            && !is_barred(file, rule, person)
            && !directory.is_absent(person, now)
    };
    let people: Vec<PersonId> = directory.members(group).into_iter().filter(waits).collect();
    Some(crate::file::unmet(
        "quorum_missing",
        format!(
            "{} of {} are at the meeting “{}” without a conflict of interest.",
            present(file, rule, meeting).len(),
            rule.quorum.unwrap_or_default(),
            meeting.title
        ),
        format!(
            "More of {group} attend it (POST /meetings/{}/attendance; rule `{rule_id}`).",
            meeting.id
        ),
        logins(directory, &people),
    ))
}

/// Reads at which meeting a word is given, and refuses where its author cannot vote.
///
/// # Errors
/// 422 for an unknown meeting; 403 for another's board; 409 when it has not begun, is over, or they are not there.
pub(crate) fn check_meeting(case: &Case<'_>, id: &RecordId) -> Result<Meeting, Refusal> {
    let person = case.person();
    let Some(meeting) = case.directory.meeting(id) else {
        return Err(Refusal::field(
            "meeting",
            "unknown",
            format!("There is no meeting `{id}`."),
        ));
    };
    if !case.directory.members(&meeting.group).contains(&person) {
        let text = format!(
            "{} is not of the group {}, whose meeting this is.",
            case.name(&person),
            meeting.group
        );
        return Err(Refusal::not_allowed("not_of_the_board", text));
    }
    let login = vec![case.directory.login(&person)];
    if !meeting.is_on(case.now) {
        let text = if meeting.ended_at.is_none() && meeting.is_over(case.now) {
            format!("The meeting “{}” began more than a day ago and is over.", meeting.title)
        } else {
            format!("The meeting “{}” is not open for votes now.", meeting.title)
        };
        let managers = logins(&case.directory, &case.directory.with_role(Role::ChangeManager));
        return Err(Refusal::not_now(
            "meeting_not_open",
            text,
            "Vote at a meeting that is open.",
            managers,
        ));
    }
    if !meeting.has(&person) {
        let text = format!("{} is not at the meeting “{}”.", case.name(&person), meeting.title);
        let help = format!("Attend it first (POST /meetings/{id}/attendance).");
        return Err(Refusal::not_now("not_attending", text, help, login));
    }
    Ok(case.directory.trusted(meeting))
}

/// Writes down what boards have decided, once for each meeting and content.
pub(crate) fn note_decisions(case: &mut Case<'_>) {
    let found: Vec<BoardDecision> = approval_rules(&case.file)
        .filter_map(|(row, rule)| decided(case, row, rule))
        .collect();
    for decision in found {
        let data = json!({
            "rule": decision.rule, "meeting": decision.meeting, "quorum": decision.quorum,
            "present": decision.present, "conflicted": decision.conflicted, "approved_by": decision.approved_by,
            "content_digest": decision.content_digest,
        });
        case.file.change.board_decisions.push(decision);
        case.tell("board.decided", data);
    }
}

fn decided(case: &Case<'_>, row: &crate::obligation::TargetObligation, rule: &ApprovalRule) -> Option<BoardDecision> {
    let (file, change) = (&case.file, case.change());
    let group = board_of(rule)?;
    if !change.state.is_open() || crate::approvals::is_open(file, row, rule, case.now) {
        return None;
    }
    let mut approved_by: BTreeSet<PersonId> = BTreeSet::new();
    let mut meeting = None;
    for target in targets_of(file, row) {
        let yes = said_yes(
            file,
            (&row.obligation.id, rule),
            &target.id,
            case.now,
            rule.covers.what(),
        );
        approved_by.extend(yes.people.iter().map(|person| (*person).clone()));
        meeting = meeting.or(yes.meeting);
    }
    let meeting = meeting?;
    let is_known = change.board_decisions.iter().any(|known| {
        known.rule == row.obligation.id
            && known.meeting == meeting.id
            && known.content_digest == change.digests.content
            && known.approved_by.iter().collect::<BTreeSet<_>>() == approved_by.iter().collect()
    });
    if is_known {
        return None;
    }
    let conflicted = meeting.conflicts.iter().filter(|row| row.change == change.id);
    Some(BoardDecision {
        rule: row.obligation.id.clone(),
        group: group.clone(),
        meeting: meeting.id.clone(),
        quorum: i64::from(rule.quorum.unwrap_or_default()),
        present: present(file, rule, meeting),
        conflicted: conflicted.map(|row| row.person.clone()).collect(),
        approved_by: approved_by.into_iter().collect(),
        content_digest: change.digests.content.clone(),
        at: case.now,
    })
}

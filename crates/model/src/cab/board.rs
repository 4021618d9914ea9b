//! Boards: groups that decide at a meeting (CAB, ECAB). Handles attendance, declared conflicts of interest, and on-call members
//! for an emergency.
//!
//! A rule with `@quorum` counts only votes that were given at one meeting of its group, and only once enough members are
//! present. A member with a declared conflict of interest about the change neither counts for the quorum nor votes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::approval::authority::{self, approval_rules, approving_rights, targets_of};
use crate::approval::obligation::{self, ApprovalRule};
use crate::approval::separation_of_duties::{board_of, is_barred};
use crate::cab::meeting::{BoardDecision, Meeting};
use crate::cab::quorum::{has_quorum, present};
use crate::change::change_file::{Case, ChangeFile};
use crate::core::enums::Role;
use crate::core::ids::{PersonId, RecordId, TargetId};
use crate::core::refusal::Refusal;
use crate::core::unmet::{self, Unmet};
use crate::directory::snapshot::{self, Directory, logins};

impl Meeting {}

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
        "Rule `{rule_id}` requires {quorum} members of the group {group} at a meeting, and only {could} of them may \
         decide on this change."
    );
    (could < quorum as usize).then(|| {
        unmet::unmet(
            "cannot_be_met",
            text,
            format!("Add another member to the group {group}."),
            logins(directory, &directory.with_role(Role::Admin)),
        )
    })
}

/// The missing part of a board's rule that has its votes, or has none yet: a meeting, or members at it.
pub(crate) fn quorum_unmet(
    (file, directory): (&ChangeFile, &Directory),
    (rule_id, rule): (&str, &ApprovalRule),
    target: &TargetId,
    now: Timestamp,
    what: bool,
) -> Option<Unmet> {
    let group = board_of(rule)?;
    let voted = approving_rights(file, (rule_id, rule), target, now, what).meeting;
    if voted.is_some_and(|meeting| has_quorum(file, rule, meeting)) {
        return None;
    }
    if let Some(found) = too_small_board((file, directory), (rule_id, rule)) {
        return Some(found);
    }
    // A person who has left the board counts at none of its meetings.
    let digest = &file.change.digests.content;
    let open = directory
        .meetings_on(group, now)
        .filter(|it| it.lists(&file.change.id, digest))
        .last()
        .map(|it| directory.trusted(it));
    let Some(meeting) = voted.or(open.as_ref()) else {
        let people = snapshot::last_people(directory);
        return Some(unmet::unmet(
            "meeting_missing",
            format!("The group {group} decides at a meeting, and no meeting is open."),
            format!("A change manager must open a meeting of {group} (rule `{rule_id}`)."),
            logins(directory, &people),
        ));
    };
    if has_quorum(file, rule, meeting) {
        return None;
    }
    if meeting.is_over(now) {
        let people = snapshot::last_people(directory);
        return Some(unmet::unmet(
            "quorum_missing",
            format!("The meeting “{}” ended without a quorum.", meeting.title),
            format!(
                "A change manager must open another meeting of {group}, where its members vote (rule \
                `{rule_id}`)."
            ),
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
    Some(unmet::unmet(
        "quorum_missing",
        format!(
            "{} of {} required members attend the meeting “{}” without a conflict of interest.",
            present(file, rule, meeting).len(),
            rule.quorum.unwrap_or_default(),
            meeting.title
        ),
        format!(
            "More members of {group} must attend (POST /meetings/{}/attendance; rule `{rule_id}`).",
            meeting.id
        ),
        logins(directory, &people),
    ))
}

/// Reads the meeting at which a vote is given; refuses a person who cannot vote there.
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
            "{} is not a member of the group {}, which holds this meeting.",
            case.name(&person),
            meeting.group
        );
        let members = logins(&case.directory, &case.directory.members(&meeting.group));
        return Err(Refusal::not_allowed("not_of_the_board", text).with_others(members));
    }
    let login = vec![case.directory.login(&person)];
    if !meeting.is_on(case.now) {
        let text = if meeting.ended_at.is_none() && meeting.is_over(case.now) {
            format!(
                "The meeting “{}” began more than a day ago and has ended.",
                meeting.title
            )
        } else {
            format!("The meeting “{}” is not open for votes now.", meeting.title)
        };
        let managers = logins(&case.directory, &case.directory.with_role(Role::ChangeManager));
        return Err(Refusal::not_now(
            "meeting_not_open",
            text,
            "Vote at an open meeting.",
            managers,
        ));
    }
    if !meeting.has(&person) {
        let text = format!(
            "{} does not attend the meeting “{}”.",
            case.name(&person),
            meeting.title
        );
        let help = format!("Attend the meeting first (POST /meetings/{id}/attendance).");
        return Err(Refusal::not_now("not_attending", text, help, login));
    }
    check_listed(case, meeting)?;
    Ok(case.directory.trusted(meeting))
}

/// Refuses a vote on a change that is not on the meeting's frozen agenda, or has changed since.
fn check_listed(case: &Case<'_>, meeting: &Meeting) -> Result<(), Refusal> {
    let change = case.change();
    if meeting.lists(&change.id, &change.digests.content) {
        return Ok(());
    }
    let is_known = meeting.listed.iter().flatten().any(|row| row.change == change.id);
    let text = match is_known {
        true => format!(
            "{} was edited after the agenda of “{}” was frozen.",
            change.key, meeting.title
        ),
        false => format!("{} is not on the frozen agenda of “{}”.", change.key, meeting.title),
    };
    let managers = logins(&case.directory, &case.directory.with_role(Role::ChangeManager));
    let help = "The chair can add the change to the agenda of the meeting (POST /agenda-items).";
    Err(Refusal::not_now("not_on_agenda", text, help, managers))
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
        case.emit("board.decided", data);
    }
}

fn decided(case: &Case<'_>, row: &obligation::TargetObligation, rule: &ApprovalRule) -> Option<BoardDecision> {
    let (file, change) = (&case.file, case.change());
    let group = board_of(rule)?;
    if !change.state.is_open() || authority::is_open(file, row, rule, case.now) {
        return None;
    }
    let mut approved_by: BTreeSet<PersonId> = BTreeSet::new();
    let mut meeting = None;
    for target in targets_of(file, row) {
        let yes = approving_rights(
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

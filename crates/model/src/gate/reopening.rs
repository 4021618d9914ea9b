//! Reopens a gate that a finding about the log closed. Two people explain the finding: a change manager, and somebody of
//! security or audit. Nothing else opens the gate.

use serde_json::json;

use crate::approval::one_hand;
use crate::approval::separation_of_duties::of_interest;
use crate::change::change_file::Case;
use crate::change::record::Change;
use crate::change::settle::{recompute, settle};
use crate::core::body::Body;
use crate::core::enums::Role;
use crate::core::ids::PersonId;
use crate::core::parse::{Reading, TEXT};
use crate::core::refusal::Refusal;
use crate::core::statement::Stated;
use crate::directory::snapshot::{Directory, logins};
use crate::gate::reopened::GateReopening;

/// The event that opens it.
pub const REOPENED: &str = "change.gate_reopened";
/// The roles for the log; the other person is a change manager.
const WATCHERS: [Role; 2] = [Role::Auditor, Role::Security];

impl Change {
    /// Whether the gate was opened again after the finding about an event.
    pub fn is_gate_reopened(&self, event: &str) -> bool {
        let mut rows = self.gate_reopenings.iter();
        rows.any(|row| row.event == event && row.agreed.is_some())
    }
}

fn is_watcher(directory: &Directory, person: &PersonId) -> bool {
    WATCHERS.iter().any(|role| directory.has_role(person, *role))
}

fn is_manager(directory: &Directory, person: &PersonId) -> bool {
    directory.has_role(person, Role::ChangeManager)
}

/// Whether two people hold the two roles between them.
fn are_both(directory: &Directory, one: &PersonId, other: &PersonId) -> bool {
    let fits = |one, other| is_manager(directory, one) && is_watcher(directory, other);
    fits(one, other) || fits(other, one)
}

/// The people who may reopen the gate of a change together with `with`, or as the first person.
fn eligible(case: &Case<'_>, with: Option<&PersonId>) -> Vec<PersonId> {
    let directory = &case.directory;
    let mut people = directory.with_role(Role::ChangeManager);
    people.extend(WATCHERS.iter().flat_map(|role| directory.with_role(*role)));
    people.sort();
    people.dedup();
    people.retain(|person| {
        let is_free = directory.is_active(person) && !has_part(case, person);
        let fits = with.is_none_or(|one| !are_one(case, one, person) && are_both(directory, one, person));
        is_free && fits
    });
    people
}

fn has_part(case: &Case<'_>, person: &PersonId) -> bool {
    let mut parts = of_interest(case.change()).chain(&case.change().implemented_by);
    case.file.wrote_by_hand(person) || parts.any(|part| are_one(case, part, person))
}

/// Whether two accounts count as one, on whatever kind of change: a finding about the log is no small matter.
fn are_one(case: &Case<'_>, one: &PersonId, other: &PersonId) -> bool {
    case.file.hands.are_one(one, other) || one_hand::are_one(&case.directory, (one, other), case.now)
}

/// Requests the reopening, or agrees to another person's request. `event` is the log event that lacked its reasons.
///
/// # Errors
/// 403 for everybody but change managers, auditors and security without a part in the change, and for credentials that another
/// person issued; 422; 409 for the requester, and for a person who does not complete the two roles.
pub fn reopen(case: &mut Case<'_>, body: &Body, event: &str) -> Result<(), Refusal> {
    let person = case.person();
    check_person(case, &person)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("text", TEXT);
    reading.finish()?;
    let stated = Stated {
        by: person.clone(),
        at: case.now,
        reason,
    };
    let mut rows = case.change().gate_reopenings.iter();
    let Some(place) = rows.position(|row| row.event == event && row.agreed.is_none()) else {
        case.file.change.gate_reopenings.push(GateReopening {
            event: event.to_owned(),
            asked: stated,
            agreed: None,
        });
        case.emit("change.gate_reopening_asked", json!({"event": event, "by": person}));
        return Ok(());
    };
    let asker = case.change().gate_reopenings[place].asked.by.clone();
    if are_one(case, &asker, &person) || !are_both(&case.directory, &asker, &person) {
        let text = format!(
            "{} requested it. Reopening the gate takes a change manager and a member of security or audit, two \
             different people.",
            case.directory.name(&asker)
        );
        let others = logins(&case.directory, &eligible(case, Some(&asker)));
        let help = "A second person with the missing role agrees (POST …/gate-reopenings).";
        return Err(Refusal::not_now("second_person", text, help, others));
    }
    case.file.change.gate_reopenings[place].agreed = Some(stated);
    // Entries that no longer count are judged before the gate opens.
    recompute(case);
    settle(case);
    case.emit(REOPENED, json!({"event": event, "by": [asker, person]}));
    Ok(())
}

fn check_person(case: &Case<'_>, person: &PersonId) -> Result<(), Refusal> {
    let directory = &case.directory;
    // Two independent people are needed: neither may use credentials that the other, or the change's author, issued.
    if let Some(maker) = case.actor.hand() {
        let text = format!(
            "{} issued the credential that you used. Reopening the gate takes people in sessions of their own.",
            directory.name(maker)
        );
        return Err(Refusal::not_allowed("lent_voice", text).with_others(logins(directory, &eligible(case, None))));
    }
    let has_role = is_manager(directory, person) || is_watcher(directory, person);
    if has_role && !has_part(case, person) {
        return Ok(());
    }
    let (code, text) = if has_role {
        (
            "own_request",
            "The requester, owner, authors and implementers of a change cannot reopen its gate.",
        )
    } else {
        (
            "not_allowed",
            "Reopening the gate takes a change manager and a member of security or audit.",
        )
    };
    Err(Refusal::not_allowed(code, text).with_others(logins(directory, &eligible(case, None))))
}

//! Permits: made for one target and purpose, revoked by people or by what happens to the change.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::approval::obligation::Duty;
use crate::change::change_file::{Case, ChangeFile};
use crate::change::next_step::{check_hold, check_state};
use crate::change::read_content::tidy_digest;
use crate::change::record::Target;
use crate::change::related_records::Permit;
use crate::change::requirement::{before_approved, before_scheduled, before_start};
use crate::change::settle::{revoke_permits, settle};
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{PermitState, Purpose, State};
use crate::core::ids::{RecordId, TargetId};
use crate::core::parse::{LINE, Reading, TEXT, later};
use crate::core::refusal::{self, Refusal};
use crate::core::statement::Stated;
use crate::core::unmet::Unmet;
use crate::directory::snapshot::logins;
use crate::gate::answer;
use crate::gate::closed_target::ClosedTarget;
use crate::gate::closing::{CLOSED, active_revocations, closed_unmet, lifters, may_lift};
use crate::gate::names::{Names, permitted};
use crate::schedule::freeze::Freeze;
use crate::schedule::frozen_target::{freeze_unmet, halts_over, over_target};

/// A permit lives this long unless a policy grants more.
const MINUTES: i64 = 15;
/// The longest life a policy may grant.
const LONGEST_MINUTES: i64 = 24 * 60;
/// A verifier's list may be this old unless a policy grants more.
const LIST_AGE: i64 = 900;
/// The oldest list a policy may allow.
const LONGEST_LIST_AGE: i64 = 86_400;

/// The signing context of a permit: the revocation list's epoch and the signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The revocation list's epoch.
    pub epoch: i64,
    /// The key's id.
    pub kid: String,
}

struct Terms {
    minutes: i64,
    ahead: bool,
    list_age: i64,
}

/// Whether a permit may be issued before the window of a target: a policy grants it, and the window is in the future.
pub fn is_granted_ahead(file: &ChangeFile, target: &TargetId, now: Timestamp) -> bool {
    let lies_ahead = file.change.planned_start.is_some_and(|start| start > now);
    lies_ahead && file.change.state == State::Scheduled && terms(file, target).ahead
}

/// The terms that the policies grant for a target: the most generous rule, within the fixed limits.
fn terms(file: &ChangeFile, target: &TargetId) -> Terms {
    let mut terms = Terms {
        minutes: MINUTES,
        ahead: false,
        list_age: LIST_AGE,
    };
    for row in file
        .requirements
        .obligations
        .iter()
        .filter(|row| row.targets.contains(target))
    {
        let Duty::Permit {
            minutes,
            ahead,
            max_list_age_seconds,
        } = &row.obligation.duty
        else {
            continue;
        };
        terms.minutes = terms.minutes.max(minutes.unwrap_or(MINUTES)).min(LONGEST_MINUTES);
        terms.ahead |= ahead;
        terms.list_age = terms
            .list_age
            .max(max_list_age_seconds.unwrap_or(LIST_AGE))
            .min(LONGEST_LIST_AGE);
    }
    terms
}

/// The permit for a target whose gate is open: a live permit that has all names of the question, else a new one. So many checks
/// of one target share one permit, and one revocation reaches them all.
pub fn give(
    case: &mut Case<'_>,
    (target, purpose, member): (&Target, Purpose, Option<&str>),
    asked: Names<'_>,
    signing: &Signing,
) -> Permit {
    // An agent works within a permit of its own.
    let is_agent = case.directory.agent(&case.actor.person).is_some();
    let is_shared = |row: &&Permit| {
        row.target == target.id
            && (!is_agent || row.by == case.actor.person)
            && row.member.as_deref() == member
            && row.purpose == purpose
            && row.is_usable(case.now)
            && row.content_digest == case.change().digests.content
            && row.break_glass == case.change().lawful_break_glass().is_some()
            && Names::new(row.artifact.as_deref(), row.commit.as_deref()).name_all_of(asked)
            && row.kid == signing.kid
    };
    let alive = case.file.permits.iter().filter(is_shared);
    if let Some(permit) = alive.max_by_key(|row| row.expires_at) {
        return permit.clone();
    }
    issue(case, (target, purpose, member), asked, signing)
}

/// The time at which an agent's permit for a target was used. Work approved for agents is done once, so a repeated call needs a
/// change of its own. `None` for people and pipelines, who get another permit, and after an edit that was approved again.
pub fn spent_for_agents(
    case: &Case<'_>,
    (target, purpose, member): (&TargetId, Purpose, Option<&str>),
) -> Option<Timestamp> {
    case.directory.agent(&case.actor.person)?;
    used_at(&case.file, (target, purpose, member))
}

/// When a permit for a target was used up, of the content that is approved now.
#[must_use]
pub fn used_at(file: &ChangeFile, (target, purpose, member): (&TargetId, Purpose, Option<&str>)) -> Option<Timestamp> {
    let is_same = |row: &&Permit| {
        row.target == *target
            && row.purpose == purpose
            && row.member.as_deref() == member
            && row.content_digest == file.change.digests.content
    };
    file.permits.iter().filter(is_same).find_map(|row| row.used_at)
}

/// Issues a permit for a target whose gate is open.
fn issue(
    case: &mut Case<'_>,
    (target, purpose, member): (&Target, Purpose, Option<&str>),
    asked: Names<'_>,
    signing: &Signing,
) -> Permit {
    let terms = terms(&case.file, &target.id);
    let now = case.now;
    let end = later(now, SignedDuration::from_mins(terms.minutes));
    let expires_at = latest(case, purpose).map_or(end, |limit| end.min(limit));
    let what = What {
        target,
        purpose,
        asked,
        member,
    };
    make(case, &what, signing, (now, expires_at), terms.list_age)
}

/// The subject of a permit: a target, its purpose and the names of the question.
struct What<'a> {
    target: &'a Target,
    purpose: Purpose,
    asked: Names<'a>,
    member: Option<&'a str>,
}

/// A permit never outlives the window, nor the time box of break-glass; a rollback permit has no such end.
fn latest(case: &Case<'_>, purpose: Purpose) -> Option<Timestamp> {
    if purpose == Purpose::Rollback {
        return None;
    }
    let change = case.change();
    match change.lawful_break_glass() {
        Some(glass) => Some(glass.until),
        None => change.window_end().into_iter().chain(end_of_exceptions(case)).min(),
    }
}

/// The first end of an exception by which the change may start in spite of a freeze. A permit for its start ends then.
fn end_of_exceptions(case: &Case<'_>) -> Option<Timestamp> {
    let (change, directory, now) = (case.change(), &case.directory, case.now);
    if change.state == State::Implementing {
        return None;
    }
    let lies_over = |freeze: &&Freeze| {
        let mut targets = change.open_targets();
        freeze.is_on(now) && targets.any(|it| directory.is_frozen_by(freeze, &it.service, &it.environment))
    };
    let freezes = directory.freezes.iter().filter(lies_over);
    freezes
        .filter_map(|freeze| freeze.stops_from(change, freeze.next_time(now)))
        .filter(|until| *until > now)
        .min()
}

fn make(
    case: &mut Case<'_>,
    what: &What<'_>,
    signing: &Signing,
    (not_before, expires_at): (Timestamp, Timestamp),
    max_list_age_seconds: i64,
) -> Permit {
    let What {
        target,
        purpose,
        asked,
        member,
    } = *what;
    let (id, by, issued_at) = (case.new_id(), case.person(), case.now);
    let change = case.change();
    let (artifact, commit) = permitted(Names::of_target(target, purpose), asked);
    let permit = Permit {
        id: id.clone(),
        version: 0,
        change: change.id.clone(),
        change_key: change.key.clone(),
        target: target.id.clone(),
        service: target.service.clone(),
        environment: target.environment.clone(),
        artifact,
        commit,
        member: member.map(str::to_owned),
        purpose,
        content_digest: change.digests.content.clone(),
        policy_digest: case.file.requirements.policy_digest.clone(),
        epoch: signing.epoch,
        max_list_age_seconds,
        break_glass: change.lawful_break_glass().is_some(),
        issued_at,
        not_before,
        expires_at,
        by,
        state: PermitState::Issued,
        revoked_reason: None,
        revoked_at: None,
        kid: signing.kid.clone(),
        used_at: None,
        used_by: None,
    };
    case.emit(
        "permit.issued",
        json!({
            "jti": id, "target": target.id, "service": target.service, "environment": target.environment, "purpose": purpose,
            "expires_at": expires_at.to_string(),
        }),
    );
    case.file.permits.push(permit.clone());
    permit
}

/// Issues a permit ahead of the window, if a policy grants it. It starts no work.
///
/// # Errors
/// 403, 422 for an unknown target, 409 if no policy grants it or something due before start is missing.
pub fn issue_ahead(case: &mut Case<'_>, body: &Body, signing: &Signing) -> Result<Permit, Refusal> {
    case.allow(Act::IssuePermit)?;
    let mut reading = Reading::new(body, "");
    let service = reading.needed("service", LINE);
    let environment = reading.needed("environment", LINE);
    let artifact = reading.text("artifact", 255).map(tidy_digest);
    let commit = reading.text("commit", 64).map(|commit| commit.to_lowercase());
    if artifact.is_none() && commit.is_none() {
        reading.wrong("artifact", "missing", "Name the `artifact` or the `commit`.");
    }
    let asked = Names::new(artifact.as_deref(), commit.as_deref());
    let found = case.change().content.targets.iter().find(|target| {
        target.service.as_str() == service
            && target.environment.as_str() == environment
            && Names::of_target(target, Purpose::Deploy).name_all_of(asked)
    });
    let target = found.cloned();
    if target.is_none() && reading.errors.is_empty() {
        reading.wrong("service", "unknown", "The change has no such target.");
    }
    reading.finish()?;
    check_state(case, Act::IssuePermit)?;
    check_hold(case)?;
    let Some(target) = target else {
        return Err(Refusal::not_found("such target"));
    };
    if target.members.is_some() {
        let text = "The target is rolled out to its members in waves, and each member needs a go of its own.";
        let help = "Ask the gate for each member inside the window.";
        return Err(Refusal::not_now("in_waves", text, help, Vec::new()));
    }
    check_unspent(case, &target.id)?;
    let terms = terms(&case.file, &target.id);
    if !terms.ahead {
        let text = "No policy grants permits ahead of the window for this target.";
        return Err(Refusal::not_now(
            "not_ahead",
            text,
            "Ask the gate inside the window.",
            Vec::new(),
        ));
    }
    refusal::refuse_unmet(
        "permit_refused",
        "No permit can be issued ahead of the window.",
        against_ahead(case, &target),
    )?;
    // Work under break-glass begins at once, and its time box may end before the planned start.
    let planned = case.change().planned_start;
    let planned = planned.filter(|_| case.change().lawful_break_glass().is_none());
    let start = planned.map_or(case.now, |start| start.max(case.now));
    let end = later(start, SignedDuration::from_mins(terms.minutes));
    let expires_at = latest(case, Purpose::Deploy).map_or(end, |limit| end.min(limit));
    let what = What {
        target: &target,
        purpose: Purpose::Deploy,
        asked: Names::default(),
        member: None,
    };
    Ok(make(case, &what, signing, (start, expires_at), terms.list_age))
}

/// Refuses an agent a permit ahead for a target that was used.
fn check_unspent(case: &Case<'_>, target: &TargetId) -> Result<(), Refusal> {
    match spent_for_agents(case, (target, Purpose::Deploy, None)) {
        Some(at) => Err(Refusal::not_now("permit_used", spent_text(at), SPENT_HELP, Vec::new())),
        None => Ok(()),
    }
}

/// The unmet conditions of a permit: before the start, everything due by then except the clock; afterwards, the gate's own
/// conditions.
fn against_ahead(case: &Case<'_>, target: &Target) -> Vec<Unmet> {
    let (file, directory, now) = (&case.file, &case.directory, case.now);
    if case.change().state == State::Scheduled {
        let mut rows = before_approved(file, directory, now);
        rows.extend(before_scheduled(file, directory, now));
        rows.extend(
            before_start(file, directory, now)
                .into_iter()
                .filter(|row| row.code != CLOSED),
        );
        rows.extend(closed_unmet(&file.change, target, Purpose::Deploy, directory));
        rows.extend(
            freezes_ahead(case, target)
                .filter(|row| !rows.contains(row))
                .collect::<Vec<_>>(),
        );
        return rows;
    }
    let rows = answer::rows(file, directory, now);
    let own: Vec<_> = rows
        .into_iter()
        .filter(|row| row.target == target.id && row.purpose == Purpose::Deploy)
        .collect();
    answer::decide(&own, None, now).reasons
}

/// Freezes over the rest of the window that are about the target, while the change stays scheduled for others, and the halts over it
/// now.
fn freezes_ahead<'a>(case: &'a Case<'_>, target: &'a Target) -> impl Iterator<Item = Unmet> {
    let (change, directory) = (case.change(), &*case.directory);
    let at_once = (case.now, later(case.now, SignedDuration::from_secs(1)));
    let halts = halts_over((change, target), directory, case.now);
    let halts = halts.map(move |freeze| freeze_unmet(freeze, (change, directory), at_once));
    let window = change.planned_start.zip(change.planned_end).into_iter();
    let ahead = window.flat_map(move |(start, end)| {
        let rest = (start.max(case.now), end);
        let freezes = over_target((change, target), directory, rest);
        freezes
            .map(|freeze| freeze_unmet(freeze, (change, directory), rest))
            .collect::<Vec<_>>()
    });
    halts.chain(ahead)
}

/// The next step for an agent whose use is over.
pub const SPENT_HELP: &str = "Create another change for another use and get it approved.";

/// The refusal of a second use by an agent.
#[must_use]
pub fn spent_text(at: Timestamp) -> String {
    format!("A permit for this target was used at {at}, and an agent may use each target once.")
}

/// Uses up a permit at the online gate: the first request gets it, and the permit is then on the revocation list. The right to
/// use a permit is the right to collect it. The caller has already checked the subject and the gate.
///
/// # Errors
/// 403; 404; 409 when it is used, revoked, run out or not good yet.
pub fn consume(case: &mut Case<'_>, permit: &RecordId) -> Result<(), Refusal> {
    let (now, by) = (case.now, case.person());
    case.allow(Act::IssuePermit)?;
    let refused = |code, text: String, satisfy| Err(Refusal::not_now(code, text, satisfy, Vec::new()));
    let Some(found) = case.file.permits.iter().find(|row| &row.id == permit) else {
        return Err(Refusal::not_found("such permit"));
    };
    // Two agents may have a permit each, but only one of them acts.
    let place = (&found.target, found.purpose, found.member.as_deref());
    if let Some(at) = spent_for_agents(case, place) {
        return refused("permit_used", spent_text(at), SPENT_HELP);
    }
    let Some(found) = case.file.permits.iter_mut().find(|row| &row.id == permit) else {
        return Err(Refusal::not_found("such permit"));
    };
    let again = "Ask the gate for another permit.";
    if let Some(at) = found.used_at {
        return refused("permit_used", format!("This permit was used at {at}."), again);
    }
    if found.state == PermitState::Revoked {
        return refused("permit_revoked", "This permit was revoked.".to_owned(), again);
    }
    if found.expires_at <= now {
        return refused("not_alive", "This permit is no longer valid.".to_owned(), again);
    }
    if found.not_before > now {
        let text = format!("This permit is valid from {} on.", found.not_before);
        return refused("not_yet_valid", text, "Use the permit from that time on.");
    }
    found.used_at = Some(now);
    found.used_by = Some(by);
    // The rollback was done, whatever outcome is recorded later.
    let is_way_back = found.purpose == Purpose::Rollback;
    case.file.change.way_back_taken |= is_way_back;
    // A verifier without a network knows of the use by the list alone.
    case.revoked.push(permit.clone());
    case.emit("permit.consumed", json!({"jti": permit}));
    if case.directory.agent(&case.actor.person).is_some() {
        revoke_of_other_agents(case, permit);
    }
    Ok(())
}

/// Revokes the permits of other agents for the same use, so that these open nothing at an offline verifier.
fn revoke_of_other_agents(case: &mut Case<'_>, used: &RecordId) {
    let Some(used) = case.file.permits.iter().find(|row| &row.id == used).cloned() else {
        return;
    };
    let directory = Arc::clone(&case.directory);
    revoke_permits(case, "another agent used the target", |row| {
        row.id != used.id
            && (&row.target, row.purpose, &row.member) == (&used.target, used.purpose, &used.member)
            && directory.agent(&row.by).is_some()
    });
}

/// Revokes a permit, with all others for its target and purpose, and closes the target until somebody lifts it. A permit that
/// is already revoked can be revoked once more while its target is open. Otherwise the person who was stopped first, by a
/// revocation that they may lift, could prevent another stop.
///
/// # Errors
/// 403, 404, 422, 409 when there is nothing that it would stop.
pub fn revoke(case: &mut Case<'_>, permit: &RecordId, body: &Body) -> Result<(), Refusal> {
    let Some(found) = case.file.permits.iter().find(|row| &row.id == permit).cloned() else {
        return Err(Refusal::not_found("such permit"));
    };
    let is_over = match found.state {
        PermitState::Revoked => !is_stopped_anew(case, &found),
        PermitState::Issued => found.expires_at <= case.now,
    };
    case.allow(Act::RevokePermit)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_state(case, Act::RevokePermit)?;
    if is_over {
        let text = "This permit is no longer valid.";
        return Err(Refusal::not_now(
            "not_alive",
            text,
            "No revocation is needed.",
            Vec::new(),
        ));
    }
    // Another permit for the same target and purpose would still open the gate that this person closed.
    let is_like = |row: &Permit| row.target == found.target && row.purpose == found.purpose;
    revoke_permits(case, &reason, is_like);
    close(case, &found, reason);
    settle(case);
    Ok(())
}

/// Whether another revocation of a dead permit has an effect: its target is still open, and this person does not keep it closed
/// already.
fn is_stopped_anew(case: &Case<'_>, permit: &Permit) -> bool {
    let (change, person) = (case.change(), case.person());
    let mut targets = change.content.targets.iter();
    let target = targets.find(|target| target.id == permit.target);
    let record = change.target_record(&permit.target);
    let is_done = permit.purpose == Purpose::Deploy && record.is_some_and(|record| !record.is_open());
    let is_mine =
        |target: &Target| active_revocations(change, target, permit.purpose).any(|closed| closed.by == person);
    change.state.is_open() && !is_done && target.is_some_and(|target| !is_mine(target))
}

/// Closes the target of a permit that a person revokes, until somebody lifts it.
fn close(case: &mut Case<'_>, permit: &Permit, reason: String) {
    let stated = Stated {
        by: case.person(),
        at: case.now,
        reason,
    };
    let mut targets = case.change().content.targets.iter();
    let Some(target) = targets.find(|target| target.id == permit.target).cloned() else {
        return;
    };
    let closed = ClosedTarget::new(permit, &target, stated);
    case.file.change.closed_targets.push(closed);
    let data = json!({"target": target.id, "jti": permit.id, "purpose": permit.purpose});
    case.emit("target.closed_by_revocation", data);
}

/// Lifts the revocation of a permit: the target opens again, by another permit.
///
/// # Errors
/// 403 for who has no such right, or has a part in the change and did not revoke it; 404; 422; 409 where nothing is closed.
pub fn lift(case: &mut Case<'_>, permit: &RecordId, body: &Body) -> Result<(), Refusal> {
    if !case.file.permits.iter().any(|row| &row.id == permit) {
        return Err(Refusal::not_found("such permit"));
    }
    case.allow(Act::RevokePermit)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let change = case.change();
    let is_it = |row: &&ClosedTarget| &row.permit == permit && row.lifted.is_none();
    let rows: Vec<&ClosedTarget> = change.closed_targets.iter().filter(is_it).collect();
    let Some(first) = rows.first().copied() else {
        let text = "The revocation of this permit does not keep a gate closed.";
        return Err(Refusal::not_now("not_closed", text, "Ask the gate.", Vec::new()));
    };
    // Of several revocations, a person lifts their own first.
    let own = rows.iter().copied().filter(|row| row.by == case.actor.person);
    let mut liftable = own
        .chain(rows.iter().copied())
        .filter(|row| may_lift(change, row, &case.actor, &case.directory));
    let Some(closed) = liftable.next().cloned() else {
        let people = logins(&case.directory, &lifters(change, first, &case.directory));
        let text = "A person with a part in the change cannot lift a revocation by another person.";
        return Err(Refusal::not_allowed("own_request", text).with_others(people));
    };
    let target = closed.target.clone();
    let stated = Stated {
        by: case.person(),
        at: case.now,
        reason,
    };
    for row in case.file.change.closed_targets.iter_mut().filter(|row| **row == closed) {
        row.lifted = Some(stated.clone());
    }
    case.emit("target.opened_again", json!({"target": target, "jti": permit}));
    settle(case);
    Ok(())
}

//! After every act and timer the change moves as far as its conditions allow.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::approval::obligation::Duty;
use crate::approval::{one_hand, routing};
use crate::cab::board;
use crate::change::change_file::{Case, ChangeFile};
use crate::change::content::digests;
use crate::change::record::{self, Change};
use crate::change::related_records::{Approval, ChecklistItem, CountedFor, Coverage, Permit};
use crate::change::requirement::{before_approved, before_scheduled, before_start};
use crate::change::waves::run;
use crate::change::{ready_spans, template};
use crate::core::enums::{ApprovalState, ItemKind, Kind, Level, Origin, PermitState, Purpose, State};
use crate::core::ids::{PersonId, RecordId, TargetId};
use crate::directory::snapshot::Directory;
use crate::gate::rollback_binding;
use crate::incident::watch;
use crate::risk::complexity;
use crate::risk::effective::effective;
use crate::risk::forecast::pinned;
use crate::risk::past_level;
use crate::risk::reach;
use crate::schedule::freeze::{Freeze, FreezeException};
use crate::schedule::frozen_target::over_target;

/// Recomputes what follows from the content: risk, forecast, digests, obligations, requests, checklist.
pub fn recompute(case: &mut Case<'_>) {
    // Decisions were about the texts before their erasure, so the digests of those texts stay.
    if case.change().has_lost_texts() {
        return case.rejudge();
    }
    case.file.change.digests = digests(&case.file.change);
    case.file.hands = one_hand::behind(&case.file, &case.directory, case.now);
    case.file.change.new_services = complexity::new_services(&case.file, &case.directory);
    case.file.change.changed_files = complexity::changed_files(&case.file);
    compute_risk(case);
    case.file.change.forecast = pinned::kept(&case.file.change, &case.directory, case.now);
    case.rejudge();
    add_checklist(case);
}

/// The file with a forecast for the present content: the bounds of a template are judged by it, and not by the forecast from
/// before an edit.
pub(crate) fn foretold(case: &Case<'_>) -> ChangeFile {
    let mut file = case.file.clone();
    let new_services = complexity::new_services(&file, &case.directory);
    let change = &mut file.change;
    if !change.has_lost_texts() {
        change.digests = digests(change);
        change.new_services = new_services;
        change.forecast = pinned::kept(change, &case.directory, case.now);
    }
    file
}

/// The level that counts, with its reasons.
pub(crate) fn compute_risk(case: &mut Case<'_>) {
    let risk = effective(&case.file, &case.directory, case.now).risk;
    let before = case.file.change.risk.level;
    if risk.level != before && !case.file.change.key.is_empty() {
        let data = json!({"from": before, "to": risk.level});
        if case.file.change.version > 0 {
            case.emit("change.risk_changed", data);
        }
    }
    let now = case.now;
    let change = &mut case.file.change;
    // A draft's level before its facts were stated is no earlier level.
    if risk.level < before && change.submitted_at.is_some() {
        past_level::note(&mut change.past_levels, before, now);
    }
    change.risk = risk;
}

fn add_checklist(case: &mut Case<'_>) {
    if case.file.change.state >= State::Reviewing {
        return;
    }
    let rows = case.file.requirements.obligations.iter();
    let wanted: Vec<(String, String, Option<ItemKind>)> = rows
        .flat_map(|row| {
            let rule = || row.obligation.id.clone();
            match &row.obligation.duty {
                Duty::Checklist { items } => items.iter().map(|item| (rule(), item.clone(), None)).collect(),
                Duty::Item { title, check, .. } => vec![(rule(), title.clone(), Some(check.kind()))],
                _ => Vec::new(),
            }
        })
        .collect();
    for (rule, title, kind) in wanted {
        let known = case
            .file
            .checklist
            .iter_mut()
            .find(|item| item.rule == rule && item.title == title);
        if let Some(known) = known {
            known.kind = kind;
            continue;
        }
        let (id, change) = (case.new_id(), case.change_id());
        case.file.checklist.push(ChecklistItem {
            id,
            version: 0,
            change,
            rule,
            title,
            done: None,
            kind,
            agreed: Vec::new(),
            agreed_what: None,
        });
    }
}

/// Moves the change as far as its conditions allow, forwards or back.
pub fn settle(case: &mut Case<'_>) {
    if risk_moved(case) {
        recompute(case);
    }
    keep_inside(case);
    renew_assessment(case);
    for _ in 0..State::ALL.len() * 2 {
        if !step(case) {
            break;
        }
    }
    rollback_binding::judge(case);
    board::note_decisions(case);
    routing::route(case);
    flag_freezes(case);
    halt(case);
    if run::advance(case) {
        revoke_stopped(case);
    }
    end_permits_ahead(case);
    ready_spans::note(case);
    if matches!(case.change().state, State::Implementing | State::Reviewing) {
        watch::collect(case);
    }
}

/// Whether the risk has changed since it was computed last: an approver accepted a lower value, a decision ended, the estate
/// moved, or pushes reported more of the content.
fn risk_moved(case: &Case<'_>) -> bool {
    let change = case.change();
    let is_judged = change.state.is_open() && !change.has_lost_texts();
    let has_grown = complexity::changed_files(&case.file) != change.changed_files;
    is_judged && (has_grown || effective(&case.file, &case.directory, case.now).risk != change.risk)
}

/// Whether the assessment of a change is due again once it reaches more. A standard change keeps inside its template, and an
/// emergency waits for no such look.
fn is_watched(change: &Change) -> bool {
    let is_ahead = matches!(change.state, State::Authorizing | State::Approved | State::Scheduled);
    is_ahead && change.content.kind == Kind::Normal && !change.has_lost_texts()
}

/// Requests a new assessment where the change affects more than the last one covered, and notifies the owner. A former
/// emergency may have been assessed without this check.
fn renew_assessment(case: &mut Case<'_>) {
    let change = case.change();
    let Some(kept) = change.reach.clone().filter(|_| is_watched(change)) else {
        return;
    };
    let found = reach::Reached::of(&case.directory, &change.content.targets);
    let Some(growth) = reach::growth(&kept, &found) else {
        if !change.content.dependencies_reviewed && !found.things().is_empty() {
            move_to(case, State::Assessing);
        }
        return;
    };
    let now = case.now;
    case.file.change.reach = Some(reach::KeptReach {
        grown_at: Some(now),
        ..kept
    });
    let digest = reach::digest(&found.things());
    case.emit(
        "change.reach_grown",
        json!({"count": growth.count, "reach_digest": digest}),
    );
    move_to(case, State::Assessing);
    let change = case.change();
    let (owner, key) = (change.content.owner.clone(), change.key.clone());
    let news = format!("{key} affects {} than when it was assessed.", reach::more(growth.count));
    let next = "Review what is new, and assess the change again.";
    case.write_to(&owner, "reach_grown", &now.to_string(), news, next);
}

fn step(case: &mut Case<'_>) -> bool {
    let now = case.now;
    let change = case.change();
    if let Some(end) = change.planned_end
        && change.state == State::Scheduled
        && end <= now
    {
        miss_window(case);
        return true;
    }
    let held = change.is_on_hold();
    let file = &case.file;
    let what_is_open = || !before_approved(file, &case.directory, now).is_empty();
    let when_is_open = || !before_scheduled(file, &case.directory, now).is_empty();
    let next = match change.state {
        State::Authorizing if !held && !what_is_open() => State::Approved,
        State::Approved if what_is_open() => State::Authorizing,
        State::Approved if !held && !when_is_open() => State::Scheduled,
        State::Scheduled if what_is_open() => State::Authorizing,
        State::Scheduled if when_is_open() => State::Approved,
        _ => return false,
    };
    move_to(case, next);
    true
}

/// Moves to another state and records the event.
pub fn move_to(case: &mut Case<'_>, next: State) {
    let before = case.change().state;
    if before == next {
        return;
    }
    case.file.change.state = next;
    let kind = match next {
        State::Draft => "change.drafted",
        State::Assessing => "change.submitted",
        State::Authorizing => "change.authorizing",
        State::Approved => "change.approved",
        State::Scheduled => "change.scheduled",
        State::Implementing => "change.implementing",
        State::Reviewing => "change.reviewing",
        State::Closed => "change.closed",
        State::Rejected => "change.rejected",
        State::Cancelled => "change.cancelled",
    };
    case.emit(kind, json!({"from": before, "to": next}));
    if before == State::Scheduled && next < State::Scheduled {
        revoke_permits(case, "the change is no longer scheduled", |_| true);
    }
}

/// The window passed without a start: decisions on *when* are void, and people are notified.
fn miss_window(case: &mut Case<'_>) {
    case.file.change.window_missed = true;
    void_when(case, "its window passed without a start");
    case.emit("change.window_missed", json!({}));
    move_to(case, State::Approved);
    let change = case.change();
    let mut people = vec![change.content.owner.clone(), change.requester.clone()];
    people.extend(change.content.implementers.iter().cloned());
    let mark = change.planned_end.map(|end| end.to_string()).unwrap_or_default();
    let news = format!("{} was not started before its window ended.", change.key);
    for person in people {
        case.write_to(
            &person,
            "window_missed",
            &mark,
            news.clone(),
            "Plan new times; the approvers of the times are asked again.",
        );
    }
}

/// A standard change beyond its template becomes a normal one, at most assessing.
pub(crate) fn turn_normal(case: &mut Case<'_>, fields: Vec<String>) {
    if fields.is_empty() {
        return;
    }
    let change = &mut case.file.change;
    change.content.kind = Kind::Normal;
    change.content.template = None;
    change.turned_normal.clone_from(&fields);
    case.emit("change.turned_normal", json!({"fields": fields}));
    if case.change().state > State::Assessing && case.change().state.is_before_start() {
        move_to(case, State::Assessing);
    }
}

/// Turns a standard change normal when facts outside of it took it beyond its template: a service that became critical, a risk
/// table. The content is the same as before, so the owner is notified.
fn keep_inside(case: &mut Case<'_>) {
    let change = case.change();
    if change.content.kind != Kind::Standard || !change.state.is_before_start() || change.has_lost_texts() {
        return;
    }
    let fields = template::outside(&case.file, &case.directory);
    if fields.is_empty() {
        return;
    }
    let told = fields.join(", ");
    turn_normal(case, fields);
    void_what(case, "it became a normal change");
    recompute(case);
    let change = case.change();
    let (owner, mark) = (change.content.owner.clone(), change.version.to_string());
    let news = format!(
        "{} goes beyond what the approvers of its template saw ({told}), so it has become a normal change.",
        change.key
    );
    case.write_to(
        &owner,
        "turned_normal",
        &mark,
        news,
        "Assess the change; its approvals are requested afterwards.",
    );
}

/// Voids every decision in force whole, lets the conditions behind it lapse, and voids the peer reviews.
pub fn void_all(case: &mut Case<'_>, reason: &str) {
    void_parts(case, reason, Some(&|_| true), |_| true);
}

/// Voids what covers *what*, peer reviews too; the *when* part stays.
pub fn void_what(case: &mut Case<'_>, reason: &str) {
    void_parts(case, reason, Some(&|_| true), |_| false);
}

/// Voids the *what* part of decisions that were counted for one of these targets, after an edit of their member lists alone. A
/// decision that was counted for nothing covers all targets.
pub fn void_members(case: &mut Case<'_>, reason: &str, targets: &BTreeSet<TargetId>) {
    let is_hit = |approval: &Approval| {
        let mut rows = approval.counted_for.iter().filter(|row| row.what);
        let is_about = |row: &CountedFor| row.targets.is_empty() || row.targets.iter().any(|it| targets.contains(it));
        approval.counted_for.iter().all(|row| !row.what) || rows.any(is_about)
    };
    void_parts(case, reason, Some(&is_hit), |_| false);
}

/// Voids the decisions that an edit of the content touches: all that cover *what*, and *when* where a decision was counted for
/// a target that is another place now and may have other approvers.
pub fn void_content(case: &mut Case<'_>, reason: &str, moved: &BTreeSet<TargetId>) {
    let is_moved = |approval: &Approval| {
        let mut rows = approval.counted_for.iter().filter(|row| row.when);
        rows.any(|row| row.targets.iter().any(|target| moved.contains(target)))
    };
    void_parts(case, reason, Some(&|_| true), is_moved);
}

/// Voids what covers *when*; the *what* part stays.
pub fn void_when(case: &mut Case<'_>, reason: &str) {
    void_parts(case, reason, None, |_| true);
}

fn void_parts(
    case: &mut Case<'_>,
    reason: &str,
    covers: Option<&dyn Fn(&Approval) -> bool>,
    when: impl Fn(&Approval) -> bool,
) {
    let what = covers.is_some();
    for review in case
        .file
        .peer_reviews
        .iter_mut()
        .filter(|row| what && row.state == ApprovalState::Standing)
    {
        review.state = ApprovalState::Voided;
    }
    // Ticks of a typed item belong to another content.
    for item in case
        .file
        .checklist
        .iter_mut()
        .filter(|item| what && item.kind.is_some())
    {
        item.done = None;
    }
    let mut touched: Vec<(PersonId, RecordId, bool, bool)> = Vec::new();
    for approval in case
        .file
        .approvals
        .iter_mut()
        .filter(|approval| approval.state == ApprovalState::Standing)
    {
        let hits_what = covers.is_some_and(|covers| covers(approval)) && approval.what == Coverage::Standing;
        let when = when(approval);
        let hits_when = when && approval.when == Coverage::Standing;
        if !hits_what && !hits_when {
            continue;
        }
        if hits_what {
            approval.what = Coverage::Voided;
        }
        if hits_when {
            approval.when = Coverage::Voided;
        }
        approval.settle_state();
        approval.ended = Some(reason.to_owned());
        touched.push((
            approval.person.clone(),
            approval.id.clone(),
            approval.state == ApprovalState::Voided,
            when,
        ));
    }
    for (person, id, whole, when) in touched {
        if whole {
            lapse_conditions(case, &id);
        }
        case.emit(
            "approval.voided",
            json!({"approval": id, "person": person, "what": what, "when": when}),
        );
        let news = format!("Your decision on {} no longer counts: {reason}.", case.change().key);
        case.write_to(
            &person,
            "approval_voided",
            id.as_str(),
            news,
            "Review what changed and decide again.",
        );
    }
}

/// Conditions of a decision that is no longer in force need not be met.
pub fn lapse_conditions(case: &mut Case<'_>, approval: &RecordId) {
    for condition in case
        .file
        .conditions
        .iter_mut()
        .filter(|c| &c.approval == approval && c.met.is_none())
    {
        condition.lapsed = true;
    }
}

/// Revokes permits that still live and that `which` names.
pub fn revoke_permits(case: &mut Case<'_>, reason: &str, which: impl Fn(&Permit) -> bool) {
    let now = case.now;
    let mut revoked = Vec::new();
    for permit in &mut case.file.permits {
        if permit.state == PermitState::Issued && permit.expires_at > now && which(permit) {
            permit.state = PermitState::Revoked;
            permit.revoked_reason = Some(reason.to_owned());
            permit.revoked_at = Some(now);
            revoked.push(permit.id.clone());
        }
    }
    for id in revoked {
        case.emit("permit.revoked", json!({"jti": id}));
        case.revoked.push(id);
    }
}

/// Whether permits of a purpose die: helper for readers of [`revoke_permits`].
pub fn is_forward(permit: &Permit) -> bool {
    permit.purpose == Purpose::Deploy
}

/// Revokes the permits of members, once their waves are stopped.
pub(crate) fn revoke_stopped(case: &mut Case<'_>) {
    let change = case.change().clone();
    revoke_permits(case, "the waves were stopped", |permit| {
        is_forward(permit) && run::is_in_waves(&change, &permit.target)
    });
}

/// Flags a change under way that continues in a freeze.
fn flag_freezes(case: &mut Case<'_>) {
    let change = case.change();
    let on = change.state == State::Implementing
        && case.directory.freezes.iter().any(|freeze| {
            freeze.is_on(case.now)
                && freeze.stops_work_at(change, case.now)
                && change.open_targets().any(|target| {
                    case.directory
                        .is_frozen_by(freeze, &target.service, &target.environment)
                })
        });
    if on && !case.file.change.in_freeze {
        case.emit("change.in_freeze", json!({}));
    }
    case.file.change.in_freeze = on;
}

/// A halting freeze stops work under way and its permits: a freeze that halts at once voids them when it is set
/// ([`void_at_halt`]), and a freeze set ahead voids them here at its begin.
fn halt(case: &mut Case<'_>) {
    let change = case.change();
    if change.state != State::Implementing {
        return;
    }
    let halts = |target: &record::Target| {
        case.directory.freezes.iter().any(|freeze| {
            freeze.halt
                && freeze.is_on(case.now)
                && !goes_on(change, freeze, case.now)
                && case
                    .directory
                    .is_frozen_by(freeze, &target.service, &target.environment)
        })
    };
    let targets = change.content.targets.iter().filter(|target| halts(target));
    let halted: Vec<TargetId> = targets.map(|target| target.id.clone()).collect();
    if !halted.is_empty() {
        revoke_permits(case, "a halting freeze began", |permit| {
            is_forward(permit) && halted.contains(&permit.target)
        });
    }
}

/// Whether work goes on in spite of a halting freeze: by an exception or by break-glass. Break-glass does not override the halt
/// of a major incident.
fn goes_on(change: &Change, freeze: &Freeze, now: Timestamp) -> bool {
    let is_above = change.lawful_break_glass().is_some() && !freeze.halts_all();
    is_above || !freeze.stops_work_at(change, now)
}

/// Whether a freeze that halts from now on reaches a permit: one for the same place that is not for a rollback.
pub fn is_reached(permit: &Permit, freeze: &Freeze, directory: &Directory) -> bool {
    is_forward(permit) && directory.is_frozen_by(freeze, &permit.service, &permit.environment)
}

/// Ends every permit of a change when a halt begins. A change with an exception or under break-glass keeps its open gate and
/// needs a new permit: its people are notified, because they cannot guess that.
pub fn void_at_halt(case: &mut Case<'_>, freeze: &Freeze) {
    let (now, directory) = (case.now, case.directory.clone());
    let is_out = |permit: &&Permit| permit.is_alive(now) && is_reached(permit, freeze, &directory);
    let mut people: BTreeSet<PersonId> = case
        .file
        .permits
        .iter()
        .filter(is_out)
        .map(|it| it.by.clone())
        .collect();
    revoke_permits(case, "a halting freeze began", |permit| {
        is_reached(permit, freeze, &directory)
    });
    let change = case.change();
    if people.is_empty() || !goes_on(change, freeze, now) {
        return;
    }
    people.insert(change.content.owner.clone());
    let news = format!(
        "The freeze “{}” halts all work and voids earlier permits. {} has an exception and may continue with a new \
         permit.",
        freeze.title, change.key
    );
    let mark = format!("{}/{now}", freeze.id);
    for person in people {
        case.write_to(
            &person,
            "permit_voided",
            &mark,
            news.clone(),
            "Ask the gate for another permit.",
        );
    }
}

/// A permit ahead of the window was given because nothing due before the start was missing; a later gap ends the permit,
/// because no further check follows before its use. So does a freeze that came over its own target, while the change stays
/// scheduled for the others.
fn end_permits_ahead(case: &mut Case<'_>) {
    let now = case.now;
    let lives = |permit: &Permit| permit.is_alive(now) && is_forward(permit);
    if case.change().state != State::Scheduled || !case.file.permits.iter().any(lives) {
        return;
    }
    if !before_start(&case.file, &case.directory, now).is_empty() {
        revoke_permits(case, "a requirement due before the start is not met", is_forward);
    }
    let change = case.change();
    let Some((start, end)) = change.planned_start.zip(change.planned_end) else {
        return;
    };
    let span = (start.max(now), end);
    let is_frozen = |target: &&record::Target| over_target((change, *target), &case.directory, span).next().is_some();
    let frozen: Vec<TargetId> = change
        .open_targets()
        .filter(is_frozen)
        .map(|it| it.id.clone())
        .collect();
    revoke_permits(case, "a freeze now applies to its target", |permit| {
        is_forward(permit) && frozen.contains(&permit.target)
    });
}

/// The default window of an emergency: from now, for four hours.
pub fn emergency_window(change: &mut Change, now: Timestamp) {
    if change.content.kind != Kind::Emergency {
        return;
    }
    if change.planned_start.is_none() {
        change.planned_start = Some(now);
        change.origins.insert("planned_start".to_owned(), Origin::Derived);
    }
    if change.planned_end.is_none() {
        let hours = SignedDuration::from_hours(4);
        // A start at the end of all times has no possible end; the check of the times then reports a missing end.
        let end = change.planned_start.and_then(|start| start.checked_add(hours).ok());
        if end.is_some() {
            change.planned_end = end;
            change.origins.insert("planned_end".to_owned(), Origin::Derived);
        }
    }
}

/// The level that a draft starts with before it is judged.
pub fn unjudged() -> record::Risk {
    record::Risk {
        level: Level::Low,
        score: 0,
        reasons: Vec::new(),
        lowered: Vec::new(),
    }
}

/// The exceptions that an edit of *what* ends: they were for the former content and do not come back with it.
pub fn lapsed<'d>(
    directory: &'d Directory,
    change: &'d Change,
    now: Timestamp,
) -> impl Iterator<Item = (&'d Freeze, &'d FreezeException)> {
    let freezes = directory.freezes.iter().filter(move |freeze| !freeze.is_over(now));
    let rows = freezes.flat_map(|freeze| freeze.exceptions.iter().map(move |exception| (freeze, exception)));
    rows.filter(|(_, exception)| exception.change == change.id && !exception.counts_for(change))
}

/// Notifies the person who excepted the change from a freeze, and its owner, that the exception has ended.
pub(crate) fn notify_lapsed(case: &mut Case<'_>) {
    let directory = case.directory.clone();
    let change = case.change().clone();
    for (freeze, exception) in lapsed(&directory, &change, case.now) {
        let news = format!(
            "{} was edited, so its exception from the freeze “{}” no longer applies.",
            change.key, freeze.title
        );
        let then = "Read the edited change. If it still cannot wait, a change manager can grant a new exception.";
        let mut people = vec![exception.by.clone(), change.content.owner.clone()];
        people.dedup();
        let mark = format!("{}/{}", freeze.id, exception.at);
        for person in people {
            case.write_to(&person, "exception_lapsed", &mark, news.clone(), then);
        }
    }
}

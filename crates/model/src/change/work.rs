//! The work itself: start, entries, extension, completion.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::change::change_file::Case;
use crate::change::next_step::{check_hold, check_state};
use crate::change::ready_spans;
use crate::change::record::{Change, EarlierOutcome, Extension, ExtensionDecision, TargetRecord};
use crate::change::related_records::Entry;
use crate::change::requirement::{against_start, freezes_over};
use crate::change::settle::{is_forward, move_to, revoke_permits, settle};
use crate::change::waves::run;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{self, EntryKind, Outcome, State};
use crate::core::ids::{GroupKey, PersonId, TargetId};
use crate::core::parse::{LINE, Reading, TEXT, later};
use crate::core::refusal::{Refusal, refuse_unmet};
use crate::core::unmet::Unmet;
use crate::directory::snapshot::logins;
use crate::gate::rollback_binding;
use crate::schedule::frozen_target::freeze_unmet;

mod entry;
pub mod steps;

pub use entry::{MOST_ENTRIES, record, repeated};

/// How far behind the planned end an extension may reach: seven days; longer work is planned anew.
pub const LONGEST_EXTENSION: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Begins the work by a person's act.
///
/// # Errors
/// 403; 409 with all obstacles.
pub fn start(case: &mut Case<'_>) -> Result<(), Refusal> {
    case.allow(Act::Start)?;
    check_state(case, Act::Start)?;
    check_hold(case)?;
    let unmet = against_start(&case.file, &case.directory, case.now);
    refuse_unmet("start_refused", "The change cannot start now.", unmet)?;
    let at = case.now;
    begin(case, at);
    settle(case);
    Ok(())
}

/// Marks the work as begun: the common end of a manual start, a collected permit and a deployment's signal.
pub fn begin(case: &mut Case<'_>, at: Timestamp) {
    let by = case.person();
    remember_implementer(case, &by);
    begin_without_implementer(case, at);
}

/// Marks the work as begun by an act that is no work: a co-signature.
pub(crate) fn begin_without_implementer(case: &mut Case<'_>, at: Timestamp) {
    let change = &mut case.file.change;
    change.actual_start.get_or_insert(at);
    change.seen_work.note_begin(at);
    change.window_missed = false;
    move_to(case, State::Implementing);
    rollback_binding::note_start(case);
}

pub(crate) fn remember_implementer(case: &mut Case<'_>, by: &PersonId) {
    if !case.actor.is_system && !case.file.change.implemented_by.contains(by) {
        case.file.change.implemented_by.push(by.clone());
    }
}

/// How long before its change was created work may have begun: who fights a fire writes it down later the same day.
const MOST_BEFORE_CREATION: SignedDuration = SignedDuration::from_hours(24);

/// Work that was done long before its change is recorded with `retrospective`, where the verbal approver confirms it. Usually
/// the date was mistyped and would stay in the record for ever.
fn not_long_before_creation(case: &Case<'_>, reading: &mut Reading<'_>, field: &str, time: Option<Timestamp>) {
    let change = case.change();
    if change.retrospective.is_none() && time.is_some_and(|time| time < change.created_at - MOST_BEFORE_CREATION) {
        let text = format!(
            "`{field}` lies more than a day before the change was created, at {}. Correct the date, or record \
             earlier work with a change that has `retrospective`.",
            change.created_at
        );
        reading.wrong(field, "out_of_order", text);
    }
}

fn target_field(case: &Case<'_>, reading: &mut Reading<'_>) -> Option<TargetId> {
    let Some(named) = reading.text("target", LINE) else {
        // A variable that a script forgot to fill must not mean all targets at once.
        if reading.says_text("target") {
            let text = "`target` is empty. Name a target, or leave the field out to mean all that are still open.";
            reading.wrong("target", "missing", text);
        }
        return None;
    };
    let id = TargetId(named);
    if case.change().content.targets.iter().any(|target| target.id == id) {
        return Some(id);
    }
    reading.wrong("target", "unknown", format!("The change has no target `{id}`."));
    None
}

/// Requests more time.
///
/// # Errors
/// 403, 422, 409; never over a freeze.
pub fn ask_extension(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::AskExtension)?;
    let mut reading = Reading::new(body, "");
    let until = reading.needed_time("until");
    let reason = reading.needed("reason", TEXT);
    let end = case.change().window_end();
    if until.is_some_and(|until| until <= case.now || end.is_some_and(|end| until <= end)) {
        reading.wrong(
            "until",
            "out_of_order",
            "`until` must lie ahead, after the present end.",
        );
    }
    let planned = case.change().planned_end.unwrap_or(case.now);
    if until.is_some_and(|until| until > later(planned, LONGEST_EXTENSION)) {
        let text = "`until` may lie 7 days after the planned end at most; longer work is a change of its own.";
        reading.wrong("until", "out_of_range", text);
    }
    reading.finish()?;
    check_state(case, Act::AskExtension)?;
    let until = until.unwrap_or(case.now);
    check_no_freeze(case, until)?;
    let (by, at) = (case.person(), case.now);
    case.file.change.extension = Some(Extension {
        until,
        reason,
        by: by.clone(),
        at,
        decision: None,
    });
    case.emit("extension.asked", json!({"until": until.to_string(), "by": by}));
    let news = format!(
        "{} requests an extension of {} until {until}.",
        case.name(&by),
        case.change().key
    );
    for person in case.people_in_charge() {
        case.write_to(
            &person,
            "extension_asked",
            &at.to_string(),
            news.clone(),
            "Grant or deny the extension; if undecided, the change counts as overrun after 15 minutes.",
        );
    }
    settle(case);
    Ok(())
}

fn check_no_freeze(case: &Case<'_>, until: Timestamp) -> Result<(), Refusal> {
    let from = case.change().window_end().unwrap_or(case.now);
    let rows: Vec<Unmet> = freezes_over(case.change(), &case.directory, from, until)
        .map(|freeze| Unmet {
            // The work is under way, so its times are not planned anew.
            satisfy: "Request a shorter extension, or ask a change manager for an exception.".to_owned(),
            ..freeze_unmet(freeze, (case.change(), &case.directory), (from, until))
        })
        .collect();
    refuse_unmet("freeze", "A freeze applies during the requested extension.", rows)
}

/// Grants or denies more time.
///
/// # Errors
/// 403 for the requester of the extension; 422; 409 without a request or after a freeze began.
pub fn decide_extension(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::DecideExtension)?;
    let person = case.person();
    if case
        .change()
        .extension
        .as_ref()
        .is_some_and(|extension| extension.decision.is_none() && extension.by == person)
    {
        let mut others = case.people_in_charge();
        others.retain(|other| *other != person && case.directory.is_active(other));
        return Err(
            Refusal::not_allowed("own_request", "The person who requested an extension cannot grant it.")
                .with_others(logins(&case.directory, &others)),
        );
    }
    let mut reading = Reading::new(body, "");
    let grant = reading.needed_boolean("grant");
    let reason = reading.text("reason", TEXT);
    reading.finish()?;
    check_state(case, Act::DecideExtension)?;
    let extension = pending_extension(case)?;
    if grant {
        check_grantable(case, &extension)?;
    }
    let decision = ExtensionDecision {
        grant,
        reason,
        by: person,
        at: case.now,
    };
    let change = &mut case.file.change;
    change.extension = Some(Extension {
        decision: Some(decision),
        ..extension.clone()
    });
    if grant {
        change.extended_until = Some(extension.until);
    }
    // Any decision ends the overrun that the open request caused; past the end it stays one.
    change.overrun &= change.window_end().is_some_and(|end| end <= case.now);
    case.emit(
        if grant { "extension.granted" } else { "extension.denied" },
        json!({"until": extension.until.to_string()}),
    );
    let news = format!(
        "The extension of {} was {}.",
        case.change().key,
        if grant { "granted" } else { "denied" }
    );
    case.write_to(
        &extension.by,
        "extension_decided",
        &extension.at.to_string(),
        news,
        "Continue, or roll back.",
    );
    settle(case);
    Ok(())
}

fn pending_extension(case: &Case<'_>) -> Result<Extension, Refusal> {
    let asked = case.change().extension.as_ref();
    let open = asked.filter(|extension| extension.decision.is_none());
    open.cloned().ok_or_else(|| {
        Refusal::not_now(
            "nothing_asked",
            "No extension is requested.",
            "Request one with POST …/extension.",
            Vec::new(),
        )
    })
}

fn check_grantable(case: &Case<'_>, extension: &Extension) -> Result<(), Refusal> {
    if extension.until <= case.now {
        let text = format!(
            "The requested extension, until {}, has already passed.",
            extension.until
        );
        let satisfy = "Deny it; the implementers can request a later time.";
        return Err(Refusal::not_now("too_late", text, satisfy, Vec::new()));
    }
    check_no_freeze(case, extension.until)
}

struct Ending {
    outcome: Outcome,
    /// Whether a connected system or a pipeline's token reports it.
    is_observed: bool,
    /// Whether a deployment's signal reports it, with the time at which it ended.
    is_signal: bool,
    target: Option<TargetId>,
    actual_start: Option<Timestamp>,
    actual_end: Option<Timestamp>,
    downtime: Option<i64>,
    reason: Option<String>,
}

fn read_ending(case: &Case<'_>, body: &Body) -> Result<Ending, Refusal> {
    let mut reading = Reading::new(body, "");
    let ending = Ending {
        outcome: reading.needed_word("outcome", Outcome::Failed),
        // A pipeline reports its own work with its own token; a typed report is a person's statement.
        is_observed: case.actor.speaks_as_pipeline(&case.directory),
        is_signal: false,
        target: target_field(case, &mut reading),
        actual_start: reading.time("actual_start"),
        actual_end: reading.time("actual_end"),
        downtime: reading.integer("actual_downtime_minutes", 0..=1_000_000),
        reason: reading.text("reason", TEXT),
    };
    let from = ending.actual_start.or(case.change().actual_start);
    if let (Some(start), Some(end)) = (from, ending.actual_end)
        && end < start
    {
        reading.wrong("actual_end", "out_of_order", "The end lies before the start.");
    }
    let ahead = [("actual_start", ending.actual_start), ("actual_end", ending.actual_end)];
    for (field, _) in ahead
        .into_iter()
        .filter(|(_, time)| time.is_some_and(|time| time > case.now))
    {
        reading.wrong(field, "in_the_future", format!("`{field}` cannot lie ahead."));
    }
    for (field, time) in ahead {
        not_long_before_creation(case, &mut reading, field, time);
    }
    if reading.errors.is_empty() && begins_after_its_end(case, &ending) {
        let text = "The start would lie after the end; correct `actual_end` as well.";
        reading.wrong("actual_start", "out_of_order", text);
    }
    reading.finish()?;
    Ok(ending)
}

/// A start is recorded as reported, so that nobody has to invent a time. A start that nothing allowed gets its own event in the
/// log, and those in charge are notified: it is a mistyped time, or a matter to look at.
fn note_early_start(case: &mut Case<'_>, target: &TargetId, start: Timestamp) {
    let (key, earliest) = (case.change().key.clone(), ready_spans::earliest_start(case, target));
    let known = match earliest {
        Some(at) => format!("the earliest possible start is {at}."),
        None => "it was not allowed to start then.".to_owned(),
    };
    let news = format!("{key} is reported to have begun at {start}: {known}");
    case.emit(
        "change.began_early",
        json!({"target": target, "told": start, "earliest": earliest}),
    );
    for person in case.people_in_charge() {
        let mark = format!("early/{start}");
        case.write_to(
            &person,
            "work_report",
            &mark,
            news.clone(),
            "Ask the implementer, or correct the time.",
        );
    }
}

/// A target whose work, by a person's report, began before it could lawfully begin.
fn begun_too_early(case: &Case<'_>, ending: &Ending) -> Option<(TargetId, Timestamp)> {
    let start = ending.actual_start?;
    let mut targets = ended_targets(case, ending).into_iter();
    let early = targets.find(|target| !ready_spans::may_have_begun(case, target, start))?;
    Some((early, start))
}

/// Whether a newly reported start lies after an earlier recorded end that stays.
fn begins_after_its_end(case: &Case<'_>, ending: &Ending) -> bool {
    let (Some(start), None) = (ending.actual_start, ending.actual_end) else {
        return false;
    };
    let targets = ended_targets(case, ending);
    let mut records = case.change().target_records.iter();
    records.any(|record| targets.contains(&record.target) && record.actual_end.is_some_and(|end| end < start))
}

/// Records the outcome of one target, or of all that are still open.
///
/// # Errors
/// 403; 422; 409 in the wrong state, for a pipeline's report on targets without a gate request of its own, for a repeated
/// outcome without a reason, against a `does_not` validation, or for a success while a watch goes on.
pub fn complete(case: &mut Case<'_>, body: &Body, earlier: &[Entry]) -> Result<(), Refusal> {
    case.allow(Act::Complete)?;
    let ending = read_ending(case, body)?;
    check_state(case, Act::Complete)?;
    let targets = ended_targets(case, &ending);
    check_collected(case, &ending, &targets)?;
    check_revision(case, &ending, &targets)?;
    check_watches(case, &ending, (targets.as_slice(), earlier))?;
    let by = case.person();
    remember_implementer(case, &by);
    if let Some((target, start)) = begun_too_early(case, &ending) {
        note_early_start(case, &target, start);
    }
    finish(case, &ending, &targets);
    Ok(())
}

/// The reason that an outcome has which a signal replaced.
pub const BY_SIGNAL: &str = "a later signal";

/// Ends targets by a deployment's signal.
///
/// For a target with members a signal is about one of them: their outcomes are reported by name.
pub fn complete_by_signal(case: &mut Case<'_>, target: &TargetId, outcome: Outcome, at: Timestamp) {
    if run::has_open_members(case.change(), target) {
        return;
    }
    let ending = Ending {
        outcome,
        is_observed: true,
        is_signal: true,
        target: Some(target.clone()),
        actual_start: None,
        actual_end: Some(at),
        downtime: None,
        reason: Some(BY_SIGNAL.to_owned()),
    };
    finish(case, &ending, std::slice::from_ref(target));
}

/// A connected system reports the outcome that a target has already: from now on it is more than a person's statement.
pub fn observe(case: &mut Case<'_>, target: &TargetId, outcome: Outcome) {
    let records = case.file.change.target_records.iter_mut();
    let same = records.filter(|record| &record.target == target && record.outcome == Some(outcome));
    for record in same {
        record.is_observed = true;
    }
}

fn ended_targets(case: &Case<'_>, ending: &Ending) -> Vec<TargetId> {
    match &ending.target {
        Some(target) => vec![target.clone()],
        None if case.change().state == State::Reviewing => case
            .change()
            .content
            .targets
            .iter()
            .map(|target| target.id.clone())
            .collect(),
        None => case.change().open_targets().map(|target| target.id.clone()).collect(),
    }
}

/// Refuses a pipeline that names no target the end of those for which it collected no permit: it knows nothing of their work,
/// and its report would count as observed. An agent is refused such targets by name too.
fn check_collected(case: &Case<'_>, ending: &Ending, targets: &[TargetId]) -> Result<(), Refusal> {
    targets.iter().try_for_each(|target| case.check_agents_target(target))?;
    let all = &case.change().content.targets;
    if ending.target.is_some() || all.len() == 1 || !ending.is_observed {
        return Ok(());
    }
    let others: Vec<String> = all
        .iter()
        .filter(|target| targets.contains(&target.id) && !case.has_collected(&target.id))
        .map(|target| format!("{} ({} in {})", target.id, target.service, target.environment))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let targets = others.join(", ");
    let text = format!("You have not collected a permit for {targets}.");
    let satisfy = "Enter in `target` the target whose outcome you report; the gate's response contains its id.";
    Err(Refusal::not_now("not_collected", text, satisfy, Vec::new()))
}

fn check_revision(case: &Case<'_>, ending: &Ending, targets: &[TargetId]) -> Result<(), Refusal> {
    let change = case.change();
    let again = targets
        .iter()
        .any(|target| change.target_record(target).is_some_and(|record| !record.is_open()));
    // The outcome of work that is recorded afterwards was assumed until somebody states it.
    let is_first_word = change.retrospective.is_some() && change.target_records.iter().all(|r| r.earlier.is_empty());
    if again && ending.reason.is_none() && !is_first_word {
        let text = "This target already has an outcome. Another outcome needs a `reason` and is recorded beside the \
            first.";
        return Err(Refusal::not_now(
            "target_done",
            text,
            "Give a reason, or leave the outcome unchanged.",
            Vec::new(),
        ));
    }
    let broken = change
        .validations
        .last()
        .is_some_and(|v| v.result == enums::ValidationResult::DoesNot);
    if broken && ending.outcome == Outcome::Succeeded {
        let text = "The last validation reports that the change does not work, so its outcome cannot be a success.";
        return Err(Refusal::not_now(
            "does_not_work",
            text,
            "Validate the change again, or record another outcome.",
            Vec::new(),
        ));
    }
    if let Some(refusal) = run::against_success(change, targets).filter(|_| ending.outcome == Outcome::Succeeded) {
        return Err(refusal);
    }
    if change.counted_outcome(ending.outcome) != ending.outcome {
        let text = "An incident is confirmed as caused by this change, so its outcome cannot be `succeeded`.";
        return Err(Refusal::not_now(
            "incident_caused",
            text,
            "Record `succeeded_with_issues` or another outcome.",
            Vec::new(),
        ));
    }
    Ok(())
}

/// A success recorded by a person does not end a watch before its minutes; a failure does, and so does a system's report.
fn check_watches(case: &Case<'_>, ending: &Ending, (targets, earlier): (&[TargetId], &[Entry])) -> Result<(), Refusal> {
    let change = case.change();
    let goes_on = change.open_targets().any(|target| !targets.contains(&target.id));
    if goes_on || ending.is_observed || !ending.outcome.is_success() || change.retrospective.is_some() {
        return Ok(());
    }
    let Some((number, until)) = steps::Run::of(change, EntryKind::Step, earlier).open_watch(case.now) else {
        return Ok(());
    };
    let text = match until {
        Some(until) => format!("Step {number} is a watch step that lasts until {until}."),
        None => format!("Step {number} is a watch step that was neither done nor skipped."),
    };
    let next = "Continue watching until then, or skip the step with a reason (`skipped`).";
    Err(Refusal::not_now("watch_goes_on", text, next, Vec::new()))
}

fn finish(case: &mut Case<'_>, ending: &Ending, targets: &[TargetId]) {
    let (now, by) = (case.now, case.person());
    // A signal knows nothing of incidents, so its report is adjusted rather than refused.
    let outcome = case.change().counted_outcome(ending.outcome);
    let change = &mut case.file.change;
    note_end(change, ending, targets, now);
    let began = change.actual_start;
    let validations = i64::try_from(change.validations.len()).unwrap_or(i64::MAX);
    let reviews = i64::try_from(change.reviews.len()).unwrap_or(i64::MAX);
    for record in change
        .target_records
        .iter_mut()
        .filter(|record| targets.contains(&record.target))
    {
        if let Some(former) = record.outcome {
            let reason = ending.reason.clone().unwrap_or_default();
            record.earlier.push(EarlierOutcome {
                outcome: former,
                reason,
                by: by.clone(),
                at: now,
                validations,
                reviews,
            });
        }
        record.outcome = Some(outcome);
        record.is_observed = ending.is_observed;
        record.actual_start = ending.actual_start.or(record.actual_start).or(began);
        record.actual_end = Some(ending.actual_end.or(record.actual_end).unwrap_or(now));
        record.actual_downtime_minutes = ending.downtime.or(record.actual_downtime_minutes);
    }
    for target in targets {
        case.emit("target.completed", json!({"target": target, "outcome": outcome}));
        revoke_permits(case, "the target has an outcome", |permit| {
            permit.target == *target && (is_forward(permit) || ending.outcome == Outcome::NotImplemented)
        });
    }
    notify_failure(case, outcome, targets);
    if has_all_ended(case) {
        conclude(case);
    } else {
        sum_up(case);
    }
    settle(case);
}

/// Keeps the end that the server sees: a signal has its own time, and a person's report on an open target ends it now. Another
/// outcome of what has ended is no end.
fn note_end(change: &mut Change, ending: &Ending, targets: &[TargetId], now: Timestamp) {
    let mut records = change.target_records.iter();
    let is_end = records.any(|record| record.is_open() && targets.contains(&record.target));
    let at = ending.actual_end.filter(|_| ending.is_signal);
    if is_end || at.is_some() {
        change.seen_work.note_end(at.unwrap_or(now));
    }
}

/// Whether every target has ended once. A rollback that fails afterwards opens its target, and leads no change back.
fn has_all_ended(case: &Case<'_>) -> bool {
    case.change().target_records.iter().all(TargetRecord::has_ended)
}

/// Ends the work where the end of its last open target is reported after the rollback that failed since.
pub fn conclude_late(case: &mut Case<'_>) {
    if case.change().state == State::Implementing && has_all_ended(case) {
        conclude(case);
    }
}

/// The outcome of the whole where every target has one, also while one of them stays open.
fn sum_up(case: &mut Case<'_>) {
    let change = &mut case.file.change;
    let outcomes: Vec<Outcome> = change
        .target_records
        .iter()
        .filter_map(|record| record.outcome)
        .collect();
    if outcomes.len() == change.target_records.len() {
        change.outcome = whole_outcome(&outcomes);
    }
}

/// Owner and change managers are notified at once of a failure, whoever reported it.
fn notify_failure(case: &mut Case<'_>, outcome: Outcome, targets: &[TargetId]) {
    let what = match outcome {
        Outcome::Failed => "failed",
        Outcome::RolledBack => "was rolled back",
        Outcome::RollbackFailed => "could not be rolled back",
        _ => return,
    };
    let wrong = case
        .change()
        .content
        .targets
        .iter()
        .filter(|it| targets.contains(&it.id));
    let places: Vec<String> = wrong
        .map(|it| format!("{} in {}", it.service, it.environment))
        .collect();
    let news = format!("{} {what}: {}.", case.change().key, places.join(", "));
    let ids: Vec<&str> = targets.iter().map(TargetId::as_str).collect();
    let mark = format!("{}/{outcome}", ids.join("+"));
    if outcome == Outcome::RollbackFailed {
        return notify_failed_rollback(case, &mark, &news);
    }
    for person in case.people_in_charge() {
        case.write_to(
            &person,
            "went_wrong",
            &mark,
            news.clone(),
            "Check that the previous state is restored. The draft of the review contains what is known.",
        );
    }
}

/// A failed rollback cannot wait for the morning: those in charge, the people on call and those on duty of the services' teams
/// are notified at once, and the review is due.
fn notify_failed_rollback(case: &mut Case<'_>, mark: &str, news: &str) {
    let (in_charge, directory) = (case.people_in_charge(), case.directory.clone());
    let rows = directory.on_call.iter().filter(|row| row.is_on(case.now));
    let mut on_call: Vec<PersonId> = rows.map(|row| row.person.clone()).collect();
    let targets = case.change().content.targets.iter();
    let teams = targets.filter_map(|target| directory.services.get(&target.service)?.team.as_deref());
    let teams: BTreeSet<GroupKey> = teams.map(GroupKey::from).collect();
    for person in teams.iter().flat_map(|team| directory.on_duty(team, case.now)) {
        if !on_call.contains(&person) {
            on_call.push(person);
        }
    }
    // Each attempt is news of its own.
    let mark = format!("{mark}/{}", case.now);
    let next = "The target remains open: roll it back again or repair it, then record the outcome.";
    for person in in_charge
        .iter()
        .chain(on_call.iter().filter(|it| !in_charge.contains(it)))
    {
        case.write_to(person, "went_wrong", &mark, news.to_owned(), next);
    }
    let review = "Its post-implementation review is due: after a failed rollback, no change closes without one.";
    for person in &in_charge {
        case.write_to(person, "review_due", &mark, news.to_owned(), review);
    }
}

fn conclude(case: &mut Case<'_>) {
    let now = case.now;
    let change = &mut case.file.change;
    let outcomes: Vec<Outcome> = change
        .target_records
        .iter()
        .filter_map(|record| record.outcome)
        .collect();
    change.outcome = whole_outcome(&outcomes);
    // Targets may be reported one by one: the whole began with the first of them, and ended with the last.
    let starts = change.target_records.iter().filter_map(|record| record.actual_start);
    change.actual_start = starts.min().or(change.actual_start);
    change.actual_end = change
        .target_records
        .iter()
        .filter_map(|record| record.actual_end)
        .max()
        .or(Some(now));
    change.overrun = false;
    let data = json!({"outcome": change.outcome});
    case.emit("change.completed", data);
    move_to(case, State::Reviewing);
}

/// The outcome of the whole from its targets: none while a target has none.
pub fn outcome_of_targets(change: &Change) -> Option<Outcome> {
    let targets = change.content.targets.iter();
    let outcomes: Option<Vec<Outcome>> = targets.map(|it| change.target_record(&it.id)?.outcome).collect();
    whole_outcome(&outcomes?)
}

/// The outcome of the whole: all equal → that; any success → partially implemented; else the worst.
pub fn whole_outcome(outcomes: &[Outcome]) -> Option<Outcome> {
    let first = *outcomes.first()?;
    if outcomes.iter().all(|outcome| *outcome == first) {
        return Some(first);
    }
    if outcomes
        .iter()
        .any(|outcome| outcome.is_success() || *outcome == Outcome::PartiallyImplemented)
    {
        return Some(Outcome::PartiallyImplemented);
    }
    let worst_first = [
        Outcome::RollbackFailed,
        Outcome::Failed,
        Outcome::RolledBack,
        Outcome::NotImplemented,
    ];
    worst_first.into_iter().find(|outcome| outcomes.contains(outcome))
}

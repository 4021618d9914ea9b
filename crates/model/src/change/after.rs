//! After the work: validation, post-implementation review, closure, and the confirmation of work that was recorded afterwards.

use jiff::Timestamp;
use serde_json::json;

use crate::approval::decide;
use crate::change::change_file::Case;
use crate::change::closure::before_closure;
use crate::change::eligible::{self, Dependence, dependence, has_stake};
use crate::change::next_step::check_state;
use crate::change::read_content;
use crate::change::record::{Change, Confirmation, PostImplementationReview, Validation};
use crate::change::settle::{move_to, revoke_permits, settle};
use crate::change::success;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{EmergencyCause, Kind, State, ValidationResult};
use crate::core::ids::PersonId;
use crate::core::parse::{LINE, Reading, TEXT, nearest};
use crate::core::refusal::{PolicyReason, Refusal, refuse_unmet};
use crate::core::statement::Stated;
use crate::directory::snapshot::{Directory, logins};
use crate::emergency::break_glass;
use crate::emergency::cause::cause_by_rule;
use crate::emergency::owed::validated_it;
use crate::incident::reference;
use crate::risk::cause::{Cause, NOT_FOUND};

/// Records whether the change works. Never by an implementer; for an emergency never by an approver either.
///
/// # Errors
/// 403, 422, 409.
pub fn validate(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Validate)?;
    check_independent(case)?;
    let mut reading = Reading::new(body, "");
    let result = reading.needed_word("result", ValidationResult::DoesNot);
    let text = reading.text("text", TEXT);
    reading.finish()?;
    check_state(case, Act::Validate)?;
    let (by, at) = (case.person(), case.now);
    case.file.change.validations.push(Validation {
        result,
        text,
        by: by.clone(),
        at,
    });
    case.emit("change.validated", json!({"result": result, "by": by}));
    if result == ValidationResult::DoesNot {
        let news = format!("{} reports that {} does not work.", case.name(&by), case.change().key);
        for person in case.people_in_charge() {
            case.write_to(
                &person,
                "does_not_work",
                &at.to_string(),
                news.clone(),
                "Roll back, or record the actual outcome.",
            );
        }
        forbid_success(case);
    }
    settle(case);
    Ok(())
}

/// `does_not` forbids `succeeded`: the outcome becomes one with issues until a person states another. The validation that found
/// this is about the present state, so it does not belong to the former outcome.
fn forbid_success(case: &mut Case<'_>) {
    let validations = case.change().validations.len().saturating_sub(1);
    success::forbid_success(case, "a validation reports that it does not work", validations);
}

fn check_independent(case: &Case<'_>) -> Result<(), Refusal> {
    let Some(found) = dependence((&case.file, &case.directory, case.now), &case.person()) else {
        return Ok(());
    };
    let rule = match &found {
        Dependence::OfRule(rule) => Some(*rule),
        _ => None,
    };
    let text = match found {
        Dependence::OfRule(rule) => format!(
            "{} has a role in this change that rule `{}` separates from its validation.",
            case.name(&case.person()),
            rule.id
        ),
        Dependence::Implemented => "An implementer of a change cannot validate it.".to_owned(),
        Dependence::Conflict => "A person with a declared conflict of interest cannot validate the change.".to_owned(),
        Dependence::Approved => "An approver of an emergency change cannot validate it.".to_owned(),
        Dependence::UnderGlass => {
            "A person who started or co-signed this break-glass or reviewed the work cannot validate it; another \
             person must."
                .to_owned()
        }
        Dependence::Told => {
            "The person who reported the work afterwards cannot validate it, because only their report names its \
             implementers."
                .to_owned()
        }
    };
    let by = rule.map(|rule| PolicyReason {
        id: rule.id.clone(),
        reason: rule.reason.clone(),
    });
    let testers = eligible::testers(&case.file, &case.directory, case.now);
    let others = logins(&case.directory, &testers);
    Err(Refusal::not_allowed("not_independent", text)
        .by_rule(by)
        .with_others(others))
}

/// Writes the post-implementation review; after closing it is an addendum. A review of a failed change names a root cause of
/// the taxonomy in `causes`, so that readers and reports can group it.
///
/// # Errors
/// 403 for the only implementer; 422; 409.
pub fn review(case: &mut Case<'_>, body: &Body, causes: &[Cause]) -> Result<(), Refusal> {
    case.allow(Act::Review)?;
    check_not_only_implementer(case)?;
    check_not_validator(case)?;
    let mut reading = Reading::new(body, "");
    let objectives_met = reading.needed_boolean("objectives_met");
    let assessment_adequate = reading.needed_boolean("assessment_adequate");
    let steps_adequate = reading.needed_boolean("steps_adequate");
    let summary = reading.needed("summary", TEXT);
    let is_missed = reading.says("objectives_met") && !objectives_met;
    let has_failed = is_missed || success::succeeded(case.change()) == Some(false);
    let (cause, cause_text) = read_cause(&mut reading, causes, has_failed);
    let improvements = reading.texts("improvements", LINE * 5).unwrap_or_default();
    let improvements_owner = read_content::person(&mut reading, "improvements_owner", &case.directory);
    let improvements_due_at = reading.time("improvements_due_at");
    check_improvements(case, &mut reading, (improvements_owner.as_ref(), improvements_due_at));
    let mut incidents = read_incidents(case, &mut reading);
    let emergency_cause = read_emergency_cause(case, &mut reading);
    let dependencies_reviewed = reading.boolean("dependencies_reviewed").unwrap_or_default();
    reading.finish()?;
    check_state(case, Act::Review)?;
    incidents.extend(mentioned(case.change(), &case.directory, &summary));
    incidents.sort();
    incidents.dedup();
    let (by, at) = (case.person(), case.now);
    let addendum = case.change().state == State::Closed;
    case.file.change.reviews.push(PostImplementationReview {
        objectives_met: Some(objectives_met),
        assessment_adequate: Some(assessment_adequate),
        steps_adequate: Some(steps_adequate),
        summary,
        cause: cause.clone(),
        cause_text,
        improvements,
        improvements_owner,
        improvements_due_at,
        incidents: incidents.clone(),
        emergency_cause,
        dependencies_reviewed,
        addendum,
        by,
        at,
    });
    let mut told =
        json!({"addendum": addendum, "objectives_met": objectives_met, "incidents": incidents, "cause": cause});
    if let Some(cause) = emergency_cause {
        told["emergency_cause"] = json!(cause);
        told["cause_by_rule"] = json!(cause_by_rule(case.change()));
    }
    case.emit("change.reviewed", told);
    settle(case);
    Ok(())
}

/// The cause of an emergency that a review confirms or changes. The requester and the person who broke the glass cannot confirm
/// the cause of their own emergency, by any of their accounts or by a credential that they issued to a reviewer.
fn read_emergency_cause(case: &Case<'_>, reading: &mut Reading<'_>) -> Option<EmergencyCause> {
    let cause: EmergencyCause = reading.word("emergency_cause")?;
    let change = case.change();
    if change.content.kind != Kind::Emergency {
        let text = "`emergency_cause` applies only to emergency changes.";
        reading.wrong("emergency_cause", "no_emergency", text);
    } else if cause == EmergencyCause::Unknown {
        let text = "`emergency_cause` must be a known cause; leave it out if the cause is not known.";
        reading.wrong("emergency_cause", "not_allowed", text);
    }
    let reviewer = case.person();
    let voices = [&reviewer, case.actor.speaker()];
    let is_theirs = |person: &PersonId| {
        let mut voices = voices.into_iter();
        voices.any(|voice| voice == person || case.file.hands.are_one(person, voice))
    };
    let glass = change.break_glass.as_ref().map(|glass| &glass.by);
    if is_theirs(&change.requester) || glass.is_some_and(is_theirs) {
        let text = "The requester of an emergency change cannot confirm its cause; another reviewer must.";
        reading.wrong("emergency_cause", "own_emergency", text);
    }
    Some(cause)
}

/// The root cause that a review names, with its description. A failed change needs a cause; [`NOT_FOUND`] needs a description,
/// because alone it teaches nothing.
fn read_cause(reading: &mut Reading<'_>, causes: &[Cause], has_failed: bool) -> (Option<String>, Option<String>) {
    let key = reading.text("cause", LINE);
    let words = reading.text("cause_text", TEXT);
    let known = || {
        let open = causes.iter().filter(|it| it.active && !it.is_retired);
        open.map(|it| it.key.as_str()).collect::<Vec<_>>()
    };
    match &key {
        Some(key) if !known().contains(&key.as_str()) => {
            let hint = nearest(key, &known()).map(|near| format!(" Did you mean `{near}`?"));
            let text = format!(
                "The taxonomy has no cause `{key}` that a review can use.{}",
                hint.unwrap_or_default()
            );
            reading.wrong("cause", "unknown", text);
        }
        Some(key) if key == NOT_FOUND && words.is_none() => {
            let text = "`cause_text` is required if the cause was not found: describe what was investigated.";
            reading.wrong("cause_text", "missing", text);
        }
        None if has_failed => {
            let text = "`cause` is missing: the change failed or missed its objectives, so its review must name the \
                root cause (GET /causes).";
            reading.wrong("cause", "missing", text);
        }
        None if words.is_some() => {
            reading.wrong(
                "cause",
                "missing",
                "`cause_text` needs `cause`: name the cause that it describes.",
            );
        }
        _ => {}
    }
    (key, words)
}

/// Notes an owner of improvements who is not active, and a time that has passed.
fn check_improvements(
    case: &Case<'_>,
    reading: &mut Reading<'_>,
    (owner, due_at): (Option<&PersonId>, Option<Timestamp>),
) {
    if owner.is_some_and(|owner| !case.directory.is_active(owner)) {
        let text = "`improvements_owner` is no longer active; name an active person.";
        reading.wrong("improvements_owner", "not_active", text);
    }
    if due_at.is_some_and(|at| at <= case.now) {
        reading.wrong(
            "improvements_due_at",
            "in_the_past",
            "`improvements_due_at` must lie ahead.",
        );
    }
}

/// The incidents that a review addresses by naming them in `incidents`.
fn read_incidents(case: &Case<'_>, reading: &mut Reading<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for named in reading.texts("incidents", LINE).unwrap_or_default() {
        match reference::incident(&case.directory, &named) {
            Ok(it) => found.push(it.into_text()),
            Err(text) => reading.wrong("incidents", "unknown", text),
        }
    }
    found
}

/// The incidents that a summary names by their keys, or by the outside references under which the change caused them.
fn mentioned(change: &Change, directory: &Directory, summary: &str) -> Vec<String> {
    let words = summary.split(|c: char| !c.is_alphanumeric() && c != '-');
    let keys = words.map(str::to_uppercase);
    let mut found: Vec<String> = keys.filter(|key| directory.incidents.contains_key(key)).collect();
    let caused = change.caused_incidents.iter().map(|row| &row.incident);
    found.extend(caused.filter(|named| summary.contains(named.as_str())).cloned());
    found
}

/// Whether a person alone did the work of a change, and so neither reviews nor closes it.
#[must_use]
pub fn is_only_implementer(change: &Change, person: &PersonId) -> bool {
    change.implemented_by == [person.clone()]
}

fn check_not_only_implementer(case: &Case<'_>) -> Result<(), Refusal> {
    if is_only_implementer(case.change(), &case.person()) {
        let text = "The only implementer cannot review or close their own work.";
        return Err(Refusal::not_allowed("only_implementer", text).with_others(reviewers(case)));
    }
    Ok(())
}

/// Break-glass work is validated by another person than the one who reviews and closes it, in either order.
fn check_not_validator(case: &Case<'_>) -> Result<(), Refusal> {
    let change = case.change();
    if change.state == State::Closed
        || !validated_it(change, case.actor.speaker()) && !validated_it(change, &case.person())
    {
        return Ok(());
    }
    let text = "The validator of work under break-glass cannot review or close the change.";
    Err(Refusal::not_allowed("validated_it", text).with_others(reviewers(case)))
}

/// The logins of the other people, who review the change and close it.
fn reviewers(case: &Case<'_>) -> Vec<String> {
    let opener = case.change().lawful_break_glass().map(|glass| &glass.by);
    let mut others = eligible::reviewers(&case.file, &case.directory, case.now);
    others.retain(|person| *person != case.actor.person && Some(person) != opener);
    logins(&case.directory, &others)
}

/// Closes.
///
/// # Errors
/// 403; 409 with everything that is still due.
pub fn close(case: &mut Case<'_>) -> Result<(), Refusal> {
    case.allow(Act::Close)?;
    check_not_only_implementer(case)?;
    check_not_validator(case)?;
    let by = case.person();
    if let Some(glass) = case.change().lawful_break_glass() {
        if glass.by == by {
            let text = "The person who started under break-glass cannot close the change.";
            return Err(Refusal::not_allowed("own_request", text).with_others(reviewers(case)));
        }
        if !case.actor.is_system && break_glass::is_credential_of_opener(case) {
            return Err(decide::same_person_refusal(case));
        }
    }
    check_state(case, Act::Close)?;
    refuse_unmet(
        "closure_refused",
        "The change cannot be closed yet.",
        before_closure(&case.file, &case.directory, case.now),
    )?;
    close_now(case);
    case.file.change.closed_by = (by.as_str() != "system").then_some(by);
    Ok(())
}

/// Marks the change as closed; permits that are left die.
pub fn close_now(case: &mut Case<'_>) {
    case.file.change.closed_at = Some(case.now);
    revoke_permits(case, "the change was closed", |_| true);
    move_to(case, State::Closed);
}

/// The named approver confirms or denies work that was recorded afterwards.
///
/// # Errors
/// 403 for anyone else; 422; 409.
pub fn confirm_retrospective(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    let person = case.person();
    let named = case
        .change()
        .retrospective
        .as_ref()
        .map(|retro| retro.verbal_approver.clone());
    if named.as_ref() != Some(&person) {
        let text = "Only the named verbal approver can confirm or deny this.";
        let named: Vec<PersonId> = named.into_iter().collect();
        return Err(Refusal::not_allowed("not_the_named_approver", text).with_others(logins(&case.directory, &named)));
    }
    case.allow(Act::ConfirmRetrospective)?;
    if case.actor.speaker() == &case.change().requester {
        let text = "The requester set up this approver's sign-in, so the approval would be their own.";
        return Err(Refusal::not_allowed("one_hand", text));
    }
    let mut reading = Reading::new(body, "");
    let confirmed = reading.needed_boolean("confirmed");
    let text = reading.text("text", TEXT);
    reading.finish()?;
    check_state(case, Act::ConfirmRetrospective)?;
    let now = case.now;
    let Some(retro) = &mut case.file.change.retrospective else {
        return Ok(());
    };
    if retro.confirmation.is_some() {
        return Err(Refusal::not_now(
            "answered",
            "This confirmation has already been given or denied.",
            "The first answer remains valid.",
            Vec::new(),
        ));
    }
    retro.confirmation = Some(Confirmation {
        confirmed,
        text,
        at: now,
    });
    case.emit(
        "change.retrospective_answered",
        json!({"confirmed": confirmed, "by": person}),
    );
    if !confirmed {
        mark_unauthorized(case, "denied");
    }
    settle(case);
    Ok(())
}

/// Marks work as unauthorized and notifies those in charge.
pub fn mark_unauthorized(case: &mut Case<'_>, why: &str) {
    if case.change().unauthorized {
        return;
    }
    case.file.change.unauthorized = true;
    case.emit("change.unauthorized", json!({"why": why}));
    let news = format!("{} counts as unauthorized.", case.change().key);
    for person in case.people_in_charge() {
        case.write_to(
            &person,
            "unauthorized",
            why,
            news.clone(),
            "A change manager must record a finding before the change can close.",
        );
    }
}

/// Nobody finds on their own unauthorized work.
fn check_no_stake(case: &Case<'_>) -> Result<(), Refusal> {
    if has_stake(case.change(), &case.person()) {
        let text = "Only a change manager who neither requested nor implemented the work can record the finding on \
             unauthorized work.";
        let finders = eligible::finders(case.change(), &case.directory);
        return Err(Refusal::not_allowed("own_request", text).with_others(logins(&case.directory, &finders)));
    }
    Ok(())
}

/// The change manager's finding on unauthorized work.
///
/// # Errors
/// 403 also for the requester and the implementers, 422, 409 when the work is not unauthorized.
pub fn state_finding(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::StateFinding)?;
    check_no_stake(case)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("text", TEXT);
    reading.finish()?;
    check_state(case, Act::StateFinding)?;
    if !case.change().unauthorized {
        return Err(Refusal::not_now(
            "not_unauthorized",
            "This work is not unauthorized.",
            "No finding is needed.",
            Vec::new(),
        ));
    }
    let (by, at) = (case.person(), case.now);
    case.file.change.finding = Some(Stated { by, at, reason });
    case.emit("change.finding_stated", json!({}));
    settle(case);
    Ok(())
}

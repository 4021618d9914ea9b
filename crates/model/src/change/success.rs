//! The one definition of success, and the effect of a confirmed incident on an outcome. Pages, the API, templates and figures
//! use it, so that all of them count in the same way.

use jiff::SignedDuration;
use serde_json::json;

use crate::change::change_file::{Actor, Case};
use crate::change::record::{
    CausedIncident, Change, EarlierOutcome, PostImplementationReview, TargetRecord, Validation,
};
use crate::change::work::whole_outcome;
use crate::core::enums::{Outcome, State, ValidationResult};
use crate::core::parse::later;
use crate::core::refusal::Refusal;

/// Why an outcome was revised, where an incident did it.
const CAUSED: &str = "an incident is confirmed as caused by the change";
/// Why it was given back.
const WITHDRAWN: &str = "the statement that the change caused an incident was withdrawn";
/// The begin of an incident is given in whole minutes, so work that began within the minute may have caused it.
const BLUR: SignedDuration = SignedDuration::from_secs(60);

/// Whether a change succeeded: every target succeeded, nothing was rolled back, the last validation did not fail, and no
/// incident is confirmed as caused by it, however late. `None` before its work has ended, and where nothing was implemented.
#[must_use]
pub fn succeeded(change: &Change) -> Option<bool> {
    let ends = change.target_records.iter();
    judge(
        change.outcome?,
        ends.map(|record| (record.outcome, record.was_rolled_back())),
        &Since {
            last_validation: change.validations.last().map(|last| last.result),
            way_back_taken: change.way_back_taken,
            has_caused_incident: !change.caused_incidents.is_empty(),
        },
    )
}

/// The conditions of success besides the outcomes of a change and of its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Since {
    /// The result of the last validation.
    pub last_validation: Option<ValidationResult>,
    /// Whether the log of actions has a rollback.
    pub way_back_taken: bool,
    /// Whether an incident is confirmed as caused by it.
    pub has_caused_incident: bool,
}

/// The definition of [`succeeded`] over facts, so that records and the log are judged alike. Each target has its outcome, and
/// whether it was rolled back now or before.
pub(crate) fn judge(
    whole: Outcome,
    targets: impl Iterator<Item = (Option<Outcome>, bool)>,
    since: &Since,
) -> Option<bool> {
    let targets: Vec<(Option<Outcome>, bool)> = targets.collect();
    // A failed rollback leaves its target open, and already means no success.
    let is_under_way = targets.iter().any(|(outcome, _)| outcome.is_none());
    if whole == Outcome::NotImplemented || is_under_way {
        return None;
    }
    let well = |(outcome, was_rolled_back): &(Option<Outcome>, bool)| {
        outcome.is_some_and(Outcome::is_success) && !was_rolled_back
    };
    let works = since.last_validation != Some(ValidationResult::DoesNot);
    Some(targets.iter().all(well) && works && !since.way_back_taken && !since.has_caused_incident)
}

/// Whether a target of a change succeeded: as [`succeeded`], but without the outcomes of the other targets. A rollback in the
/// log of actions without a target that was rolled back counts for all targets. `None` as for the whole.
#[must_use]
pub fn target_succeeded(change: &Change, record: &TargetRecord) -> Option<bool> {
    let outcome = record.outcome?;
    if outcome == Outcome::NotImplemented {
        return None;
    }
    let works = change
        .validations
        .last()
        .is_none_or(|last| last.result == ValidationResult::Works);
    let is_placed = change.target_records.iter().any(TargetRecord::was_rolled_back);
    let was_undone = record.was_rolled_back() || (change.way_back_taken && !is_placed);
    Some(outcome.is_success() && works && !was_undone && change.caused_incidents.is_empty())
}

/// Whether a part of it was rolled back, also where a later outcome differs.
#[must_use]
pub fn was_rolled_back(change: &Change) -> bool {
    change.way_back_taken || change.target_records.iter().any(TargetRecord::was_rolled_back)
}

/// Replaces `succeeded` of every target by `succeeded_with_issues`, and keeps the former outcome with the reason.
/// `validations` is how many validations the former outcome had.
pub(crate) fn forbid_success(case: &mut Case<'_>, reason: &str, validations: usize) {
    let (by, at) = (case.person(), case.now);
    let validations = i64::try_from(validations).unwrap_or(i64::MAX);
    let change = &mut case.file.change;
    let reviews = i64::try_from(change.reviews.len()).unwrap_or(i64::MAX);
    for record in change
        .target_records
        .iter_mut()
        .filter(|record| record.outcome == Some(Outcome::Succeeded))
    {
        record.earlier.push(EarlierOutcome {
            outcome: Outcome::Succeeded,
            reason: reason.to_owned(),
            by: by.clone(),
            at,
            validations,
            reviews,
        });
        record.outcome = Some(Outcome::SucceededWithIssues);
    }
    if change.outcome.is_some() {
        let outcomes: Vec<Outcome> = change
            .target_records
            .iter()
            .filter_map(|record| record.outcome)
            .collect();
        change.outcome = whole_outcome(&outcomes);
    }
}

/// Confirms that the change caused an incident: the outcome is revised, and after the closing an addendum review records it.
/// The same incident counts once.
///
/// # Errors
/// 409 `not_begun` where nothing of the change ran, and `began_later` where the incident was there before its work.
pub(crate) fn confirm_caused(case: &mut Case<'_>, incident: &str) -> Result<(), Refusal> {
    check_possible(case, incident)?;
    if case
        .change()
        .caused_incidents
        .iter()
        .any(|row| row.incident == incident)
    {
        return Ok(());
    }
    let (by, at) = (case.person(), case.now);
    let before = case.change().outcome;
    case.file.change.caused_incidents.push(CausedIncident {
        incident: incident.to_owned(),
        by: by.clone(),
        at,
    });
    let validations = case.change().validations.len();
    forbid_success(case, CAUSED, validations);
    let after = case.change().outcome;
    case.emit(
        "change.incident_caused",
        json!({"incident": incident, "by": by, "before": before, "after": after}),
    );
    let confirmed = format!("{incident} is confirmed as caused by this change after its closing.");
    add_addendum(case, incident, confirmed, (before, after));
    let key = case.change().key.clone();
    let news = format!("{} confirms that {key} caused {incident}.", case.name(&by));
    let next = match case.change().state {
        State::Closed => "Read the addendum, and add improvements to the review.",
        _ => "The change can close once a review names the incident.",
    };
    for person in case.people_in_charge() {
        case.write_to(&person, "incident_caused", incident, news.clone(), next);
    }
    Ok(())
}

/// Refuses a cause that cannot be one: nothing of the change ran, or its work began after the incident did. An incident that is
/// kept in another system alone has no times to compare.
fn check_possible(case: &Case<'_>, incident: &str) -> Result<(), Refusal> {
    let change = case.change();
    let key = &change.key;
    let starts = change.target_records.iter().filter_map(|record| record.actual_start);
    let told = change.actual_start.into_iter().chain(starts).min();
    // A later report cannot move the begin: the server's own observation counts as well.
    let Some(began) = change.seen_work.earliest(told) else {
        let text = format!(
            "{key} is {} and no work on it has begun, so it cannot have caused an incident.",
            change.state
        );
        let satisfy = "Name the change whose work preceded the incident; record work without a change \
            retrospectively.";
        return Err(Refusal::not_now("not_begun", text, satisfy, Vec::new()));
    };
    let Some(found) = case.directory.incidents.get(incident) else {
        return Ok(());
    };
    if began <= later(found.started_at, BLUR) {
        return Ok(());
    }
    let text = format!(
        "Work on {key} began at {began}, after {incident} had begun at {}, so the change cannot have caused the \
         incident.",
        found.started_at
    );
    let satisfy = format!(
        "Name the change whose work preceded the incident. If the incident began later than recorded, correct \
         `started_at` first (PATCH /incidents/{incident})."
    );
    Err(Refusal::not_now("began_later", text, satisfy, Vec::new()))
}

/// A closed change is not opened again: the revised outcome enters the record by an addendum. It is the system's, and its questions
/// are open until a person adds to the review.
fn add_addendum(
    case: &mut Case<'_>,
    incident: &str,
    told: String,
    (before, after): (Option<Outcome>, Option<Outcome>),
) {
    if case.change().state != State::Closed {
        return;
    }
    let word = |outcome: Option<Outcome>| outcome.map_or("none", Outcome::as_str).replace('_', " ");
    let summary = if before == after {
        told
    } else {
        format!(
            "{told} The outcome was revised from {} to {}.",
            word(before),
            word(after)
        )
    };
    let (by, at) = (Actor::system().person, case.now);
    case.file.change.reviews.push(PostImplementationReview {
        objectives_met: None,
        assessment_adequate: None,
        steps_adequate: None,
        summary,
        cause: None,
        cause_text: None,
        improvements: Vec::new(),
        improvements_owner: None,
        improvements_due_at: None,
        incidents: vec![incident.to_owned()],
        emergency_cause: None,
        dependencies_reviewed: false,
        addendum: true,
        by,
        at,
    });
    case.emit("change.reviewed", json!({"addendum": true, "unanswered": true}));
}

/// Withdraws a confirmation and notifies those in charge; after the closing by an addendum, too.
pub(crate) fn withdraw_caused(case: &mut Case<'_>, incident: &str) {
    let mut caused = case.change().caused_incidents.iter();
    if !caused.any(|row| row.incident == incident) {
        return;
    }
    let before = case.change().outcome;
    give_back(case, incident);
    let after = case.change().outcome;
    let withdrawn = format!("The statement that this change caused {incident} was withdrawn after closing.");
    add_addendum(case, incident, withdrawn, (before, after));
    let by = case.person();
    let news = format!(
        "{} withdrew the statement that {} caused {incident}.",
        case.name(&by),
        case.change().key
    );
    let mark = format!("{incident}/{}", case.now);
    let next = "Check whether the change caused the incident and, if so, link it as `caused`.";
    for person in case.people_in_charge() {
        case.write_to(&person, "cause_withdrawn", &mark, news.clone(), next);
    }
}

/// With the last confirmation gone each target gets its former outcome back, unless somebody stated another since or the last
/// validation failed. The outcome in between stays in the history.
fn give_back(case: &mut Case<'_>, incident: &str) {
    let (by, at) = (case.person(), case.now);
    let change = &mut case.file.change;
    change.caused_incidents.retain(|row| row.incident != incident);
    let is_against = |last: &Validation| last.result == ValidationResult::DoesNot;
    if !change.caused_incidents.is_empty() || change.validations.last().is_some_and(is_against) {
        return;
    }
    for record in &mut change.target_records {
        let Some(former) = record.earlier.last() else { continue };
        let is_revised = former.reason == CAUSED && former.outcome == Outcome::Succeeded;
        if !is_revised || record.outcome != Some(Outcome::SucceededWithIssues) {
            continue;
        }
        // Validations and reviews from before the revision count for the outcome that comes back.
        let (validations, reviews) = (former.validations, former.reviews);
        record.earlier.push(EarlierOutcome {
            outcome: Outcome::SucceededWithIssues,
            reason: WITHDRAWN.to_owned(),
            by: by.clone(),
            at,
            validations,
            reviews,
        });
        record.outcome = Some(Outcome::Succeeded);
    }
    if change.outcome.is_some() {
        let outcomes: Vec<Outcome> = change
            .target_records
            .iter()
            .filter_map(|record| record.outcome)
            .collect();
        change.outcome = whole_outcome(&outcomes);
    }
}

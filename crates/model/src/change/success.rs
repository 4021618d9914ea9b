//! The one definition of success, and what a confirmed incident does to an outcome. Pages, the API, templates and figures ask
//! here, so that none of them counts in its own way.

use serde_json::json;

use crate::change::change_file::Case;
use crate::change::record::{CausedIncident, Change, EarlierOutcome, PostImplementationReview, TargetRecord};
use crate::change::work::whole_outcome;
use crate::core::enums::{Outcome, State, ValidationResult};

/// Whether a change succeeded: every target succeeded, nothing was rolled back, the last validation does not say otherwise,
/// and no incident is confirmed as caused by it, however late. `None` before its work has ended, and where nothing was
/// implemented.
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

/// What success depends on besides the outcomes of a change and of its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Since {
    /// What the last validation came to.
    pub last_validation: Option<ValidationResult>,
    /// Whether the log of actions tells of a way back.
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
    // A failed rollback leaves its target open, and says already that it was no success.
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

/// Whether a target of a change succeeded: as [`succeeded`], but what another target of it came to is left out. Where the log
/// of actions tells of a way back without a target that was rolled back, it counts for all. `None` as for the whole.
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

/// Whether something of it was rolled back, also where a later outcome says otherwise.
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

/// Confirms that the change caused an incident: the outcome is revised, and after the closing an addendum review says so.
/// The same incident counts once.
pub(crate) fn confirm_caused(case: &mut Case<'_>, incident: &str) {
    if case
        .change()
        .caused_incidents
        .iter()
        .any(|row| row.incident == incident)
    {
        return;
    }
    let (by, at) = (case.person(), case.now);
    let before = case.change().outcome;
    case.file.change.caused_incidents.push(CausedIncident {
        incident: incident.to_owned(),
        by: by.clone(),
        at,
    });
    let validations = case.change().validations.len();
    forbid_success(case, "an incident is confirmed as caused by the change", validations);
    let after = case.change().outcome;
    case.tell(
        "change.incident_caused",
        json!({"incident": incident, "by": by, "before": before, "after": after}),
    );
    if case.change().state == State::Closed {
        add_addendum(case, incident, (before, after));
    }
    let key = case.change().key.clone();
    let news = format!("{} confirms that {key} caused {incident}.", case.name(&by));
    let next = match case.change().state {
        State::Closed => "Read the addendum, and add what should be done better.",
        _ => "The change closes once a review names the incident.",
    };
    for person in case.people_in_charge() {
        case.write_to(&person, "incident_caused", incident, news.clone(), next);
    }
}

/// A closed change is not opened again: the revised outcome enters the record by an addendum.
fn add_addendum(case: &mut Case<'_>, incident: &str, (before, after): (Option<Outcome>, Option<Outcome>)) {
    let word = |outcome: Option<Outcome>| outcome.map_or("none", Outcome::as_str).replace('_', " ");
    let summary = if before == after {
        format!("{incident} is confirmed as caused by this change after its closing.")
    } else {
        format!(
            "{incident} is confirmed as caused by this change after its closing. The outcome was revised from {} to {}.",
            word(before),
            word(after)
        )
    };
    let (by, at) = (case.person(), case.now);
    case.file.change.reviews.push(PostImplementationReview {
        objectives_met: false,
        assessment_adequate: false,
        steps_adequate: false,
        summary,
        improvements: Vec::new(),
        improvements_owner: None,
        improvements_due_at: None,
        incidents: vec![incident.to_owned()],
        addendum: true,
        by,
        at,
    });
    case.tell("change.reviewed", json!({"addendum": true, "objectives_met": false}));
}

/// Takes a confirmation back. The revised outcome stays beside the former one until a person states another.
pub(crate) fn withdraw_caused(case: &mut Case<'_>, incident: &str) {
    case.file.change.caused_incidents.retain(|row| row.incident != incident);
}

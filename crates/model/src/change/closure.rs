//! The unmet conditions of closing a change: outcome, validation, review, and an independent decision on bypassed rules.

use jiff::Timestamp;

use crate::approval::authority::was_read;
use crate::approval::obligation::{Due, Duty, TargetObligation};
use crate::change::change_file::ChangeFile;
use crate::change::duties::duty_unmet;
use crate::change::duties::undo::undo_unmet;
use crate::change::eligible;
use crate::change::lifecycle::is_legal;
use crate::change::record::{Change, TargetRecord};
use crate::change::requirement::{condition_unmet, due_by, outcomes_missing, stopped, task_unmet, unseen};
use crate::change::success::succeeded;
use crate::core::act::Act;
use crate::core::enums::{Kind, Level, Outcome, Role, TaskState, ValidationResult};
use crate::core::ids::PersonId;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::emergency::bypassed::evidence_owed;
use crate::incident::watch;

/// Everything due before closing.
pub fn before_closure(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let change = &file.change;
    let mut rows: Vec<Unmet> = stopped(file, directory).into_iter().collect();
    rows.extend(outcomes_missing(file, directory, now));
    rows.extend(undo_unmet(file, directory, now));
    if let Some(row) = validation_unmet(file, directory, now) {
        rows.extend(with_what_mends(row, directory, &Mend::validation(change, directory)));
    }
    if review_is_needed(file) && !is_reviewed(change) {
        let people = eligible::reviewers(file, directory, now);
        let text = match change.reviews.is_empty() {
            true => "The post-implementation review is missing.",
            false => "The last review is older than the present outcome.",
        };
        let row = unmet(
            "review_missing",
            text,
            "Write the review: objectives, assessment, steps, summary.",
            logins(directory, &people),
        );
        rows.extend(with_what_mends(row, directory, &Mend::review(directory)));
    }
    if let Some(row) = unseen_unmet(file, directory, now) {
        rows.extend(with_what_mends(row, directory, &Mend::review(directory)));
    }
    // A standard change closes by itself, so nobody would look at an incident that is over.
    let is_standard = change.content.kind == Kind::Standard;
    for row in watch::incidents_unmet(file, directory, now, is_standard) {
        rows.extend(with_what_mends(row, directory, &Mend::review(directory)));
    }
    for row in due_by(file, Due::Close) {
        let other = !matches!(
            row.obligation.duty,
            Duty::Validation { .. } | Duty::Review {} | Duty::Approval(_)
        );
        if other {
            rows.extend(duty_unmet(file, directory, row, change.updated_at));
        }
    }
    rows.extend(unread(file, directory));
    rows.extend(evidence_owed(file, directory, now));
    for condition in file.conditions.iter().filter(|c| c.met.is_none() && !c.lapsed) {
        rows.push(condition_unmet(condition, file, directory));
    }
    for task in file
        .tasks
        .iter()
        .filter(|task| task.mandatory && task.state == TaskState::Open)
    {
        rows.push(task_unmet(task, file, directory, now));
    }
    rows.extend(bypass_unmet(file, directory, now));
    rows
}

/// The affected things of urgent work that no assessment covered: a reviewer looks at them.
fn unseen_unmet(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let change = &file.change;
    let could_not_wait = change.content.kind == Kind::Emergency || change.lawful_break_glass().is_some();
    if !could_not_wait || change.reviews.iter().any(|review| review.dependencies_reviewed) {
        return None;
    }
    Some(unmet(
        "reach_not_reviewed",
        unseen(change, directory)?,
        "Check what the change affects (GET …/affected), and confirm it in the review with `dependencies_reviewed`.",
        logins(directory, &eligible::reviewers(file, directory, now)),
    ))
}

/// The peer review of a change whose risk became high after its start, so that none was required before.
fn unread(file: &ChangeFile, directory: &Directory) -> Vec<Unmet> {
    let change = &file.change;
    let asked = |row: &TargetObligation| match &row.obligation.duty {
        Duty::PeerReview { count, from } => Some((*count, from.clone())),
        _ => None,
    };
    let is_owed_anyway = due_by(file, Due::Close).any(|row| asked(row).is_some());
    if change.state.is_before_start() || change.risk.level != Level::High || is_owed_anyway {
        return Vec::new();
    }
    let lacks = |row: &&TargetObligation| {
        asked(row).is_some_and(|(count, from)| !was_read(file, directory, (count, from.as_ref())))
    };
    let open = due_by(file, Due::Approval).filter(lacks);
    open.flat_map(|row| duty_unmet(file, directory, row, change.updated_at))
        .collect()
}

/// Emergency, retrospective and break-glass work cannot close without an independent decision.
fn bypass_unmet(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let change = &file.change;
    let mut rows = Vec::new();
    if change
        .lawful_break_glass()
        .is_some_and(|glass| glass.validated.is_none())
    {
        let row = unmet(
            "break_glass_validation_missing",
            "The break-glass has not been validated.",
            "Another person than the one who opened the break-glass must validate it.",
            logins(directory, &eligible::glass_validators(file, directory, now)),
        );
        rows.extend(with_what_mends(row, directory, &Mend::manager(directory)));
    }
    if let Some(retro) = change
        .retrospective
        .as_ref()
        .filter(|retro| retro.confirmation.is_none() && !change.unauthorized)
    {
        rows.push(unmet(
            "confirmation_missing",
            "The named approver has not confirmed this work.",
            "The named approver must confirm or deny it.",
            logins(directory, &eligible::confirmers(change, retro, directory)),
        ));
    }
    if change.unauthorized && change.finding.is_none() {
        let row = unmet(
            "finding_missing",
            "This work was not authorized.",
            "A change manager who neither requested nor implemented the work must record a finding.",
            logins(directory, &eligible::finders(change, directory)),
        );
        rows.extend(with_what_mends(row, directory, &Mend::manager(directory)));
    }
    rows
}

/// Whether the present outcome has a review: one from before the last revision does not count.
fn is_reviewed(change: &Change) -> bool {
    let revised = change.target_records.iter().flat_map(|record| &record.earlier);
    let stood = revised.map(|earlier| earlier.reviews).max().unwrap_or(-1);
    let count = i64::try_from(change.reviews.len()).unwrap_or(i64::MAX);
    count > stood.max(0)
}

/// Whether a review is needed before closing: always, but for a standard change that went cleanly.
pub fn review_is_needed(file: &ChangeFile) -> bool {
    let asked = file
        .requirements
        .obligations
        .iter()
        .any(|row| matches!(row.obligation.duty, Duty::Review {}));
    asked || !is_clean_standard(&file.change)
}

/// Whether a standard change went well, or still may: it then needs no validation or review of its own.
fn is_clean_standard(change: &Change) -> bool {
    let has_failed = change.outcome.is_some() && succeeded(change) == Some(false);
    let went_well = !has_failed && change.outcome.is_none_or(|outcome| outcome == Outcome::Succeeded);
    let was_taken_back_in_vain = change.target_records.iter().any(TargetRecord::has_failed_rollback);
    // Nobody looked at work before it when it is recorded afterwards, whatever its template.
    let was_ahead = change.retrospective.is_none();
    change.content.kind == Kind::Standard
        && went_well
        && was_ahead
        && !was_taken_back_in_vain
        && change.break_glass.is_none()
}

fn validation_unmet(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let change = &file.change;
    let ended_badly = matches!(
        change.outcome,
        Some(Outcome::RolledBack | Outcome::RollbackFailed | Outcome::Failed | Outcome::NotImplemented)
    );
    let last = change.validations.last();
    let good = match last {
        Some(_) if ended_badly => is_of_present(change),
        Some(validation) => validation.result == ValidationResult::Works,
        None => is_clean_standard(change),
    };
    if good {
        return None;
    }
    Some(unmet(
        "validation_missing",
        match last {
            Some(_) if ended_badly => "The last validation is older than the present outcome.",
            Some(_) => "The last validation reports that the change does not work.",
            None => "The change has not been validated.",
        },
        if ended_badly {
            "A person who did not implement the change must report whether it works now."
        } else {
            "A person who did not implement the change must confirm that it works."
        },
        logins(directory, &eligible::testers(file, directory, now)),
    ))
}

/// The remedy for a row that waits for nobody, and the people who can apply it.
struct Mend {
    how: &'static str,
    people: Vec<PersonId>,
}

impl Mend {
    fn manager(directory: &Directory) -> Self {
        Self {
            how: "Give the role `change_manager` to a person who took no part in the change.",
            people: directory.with_role(Role::Admin),
        }
    }

    fn review(directory: &Directory) -> Self {
        Self {
            how: "Add another owner of the service, or another person with the role `change_manager`.",
            people: directory.with_role(Role::Admin),
        }
    }

    /// A tester is named while the change may still be edited.
    fn validation(change: &Change, directory: &Directory) -> Self {
        let admins = directory.with_role(Role::Admin);
        if !is_legal(Act::Edit, change.state) {
            return Self {
                how: "Add an owner of the service who took no part in the work.",
                people: admins,
            };
        }
        let mut people = eligible::writers(change, directory);
        people.extend(
            admins
                .into_iter()
                .filter(|it| !eligible::writers(change, directory).contains(it)),
        );
        Self {
            how: "Name a `tester` who has no other part in the change, or add another owner of the service.",
            people,
        }
    }
}

/// A row, and where it waits for nobody a second row with the remedy and the people who can apply it: otherwise nobody would
/// notice that the first row cannot be met.
fn with_what_mends(row: Unmet, directory: &Directory, mend: &Mend) -> impl Iterator<Item = Unmet> + use<> {
    let text = match row.code.as_str() {
        "review_missing" | "incident_not_addressed" | "reach_not_reviewed" => {
            "No independent reviewer is left: everyone who may review the change took part in the work."
        }
        "finding_missing" => {
            "No independent change manager is left: everyone who may record the finding took part \
            in the work."
        }
        "break_glass_validation_missing" => {
            "No independent validator of the break-glass is left: everyone who may validate it took part in the work."
        }
        _ => "No independent validator is left: everyone who may validate the change took part in the work.",
    };
    let second = row
        .waiting_on
        .is_empty()
        .then(|| unmet("cannot_be_met", text, mend.how, logins(directory, &mend.people)));
    [Some(row), second].into_iter().flatten()
}

/// Whether the last validation came after the last revision of an outcome: an earlier one does not cover the present state. Two
/// acts may bear the same time, so they are counted.
fn is_of_present(change: &Change) -> bool {
    let stood = change
        .target_records
        .iter()
        .flat_map(|record| &record.earlier)
        .map(|earlier| earlier.validations)
        .max();
    let count = i64::try_from(change.validations.len()).unwrap_or(i64::MAX);
    stood.is_none_or(|stood| stood < count)
}

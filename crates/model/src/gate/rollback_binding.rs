//! Binds the rollbacks of a change to the versions that ran when its work began, or to evidence.

use jiff::Timestamp;

use crate::change::change_file::{Case, ChangeFile};
use crate::change::duties::evidence;
use crate::change::eligible;
use crate::change::record::{Target, TargetRecord};
use crate::core::enums::State;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::gate::build::are_one;
use crate::gate::rollback::Closed;
use crate::gate::running::Running;

/// The reason why a rollback is closed, as text for the gate.
pub(crate) fn unmet_of(
    closed: Closed,
    (file, directory, now): (&ChangeFile, &Directory, Timestamp),
    target: &Target,
) -> Vec<Unmet> {
    let change = &file.change;
    let in_charge = logins(directory, &eligible::planners(change, directory));
    let back = target.rollback_to.as_deref().unwrap_or_default();
    match closed {
        Closed::Unnamed | Closed::Told => Vec::new(),
        Closed::NothingDeployed => vec![unmet(
            "nothing_deployed",
            format!(
                "Target {} of {} was not implemented, so there is nothing to roll back.",
                target.id, change.key
            ),
            "If something was deployed after all, record the actual outcome with a reason.",
            in_charge,
        )],
        Closed::Unproven => vec![unmet(
            "rollback_unproven",
            format!(
                "{back} is not the build that ran as {} in {} when {} began, and has no passed functional evidence.",
                target.service, target.environment, change.key
            ),
            "Add passed functional evidence for it (POST …/evidence with it as `artifact`).",
            logins(directory, &eligible::witnesses(file, directory, now)),
        )],
    }
}

/// Stores the running versions at the places of the targets when work begins; later records bind nothing.
pub(crate) fn note_start(case: &mut Case<'_>) {
    let ran: Vec<Vec<String>> = case
        .change()
        .target_records
        .iter()
        .map(|record| ran_at(&case.file, record))
        .collect();
    for (record, ran) in case.file.change.target_records.iter_mut().zip(ran) {
        record.ran_before.get_or_insert(ran);
    }
    judge(case);
}

fn ran_at(file: &ChangeFile, record: &TargetRecord) -> Vec<String> {
    let target = file.change.content.targets.iter().find(|it| it.id == record.target);
    let Some(target) = target else { return Vec::new() };
    let is_here =
        |row: &&Running| row.is_on() && row.service == target.service && row.environment == target.environment;
    let mut ran: Vec<String> = file
        .present
        .rows
        .iter()
        .filter(is_here)
        .map(|row| row.artifact.clone())
        .collect();
    ran.sort_unstable();
    ran.dedup();
    ran
}

/// Judges the rollbacks of a begun change again: evidence may have arrived, or failed, since.
pub(crate) fn judge(case: &mut Case<'_>) {
    if !matches!(case.change().state, State::Implementing | State::Reviewing) {
        return;
    }
    let file = &case.file;
    let judged: Vec<bool> = file
        .change
        .target_records
        .iter()
        .map(|record| is_unproven(file, record))
        .collect();
    for (record, is_unproven) in case.file.change.target_records.iter_mut().zip(judged) {
        record.rollback_unproven = is_unproven;
    }
}

/// Without a record of the running version, only the approved target itself names the version to return to.
fn is_unproven(file: &ChangeFile, record: &TargetRecord) -> bool {
    let target = file.change.content.targets.iter().find(|it| it.id == record.target);
    let back = target.and_then(|it| it.rollback_to.as_deref());
    let (Some(back), Some(ran)) = (back, &record.ran_before) else {
        return false;
    };
    let is_known = ran.is_empty() || ran.iter().any(|it| are_one(it, back));
    !is_known && !evidence::has_passed(file, back)
}

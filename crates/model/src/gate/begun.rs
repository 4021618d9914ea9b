//! Whether the work on one target of a change has begun. The first target that starts begins its change. The start of each
//! other target is still judged in full: by the rules, risk, freezes and revocations of that time.

use jiff::Timestamp;

use crate::change::change_file::ChangeFile;
use crate::change::eligible;
use crate::change::lifecycle::is_legal;
use crate::change::named::{act_of, named};
use crate::change::record::Change;
use crate::change::related_records::Permit;
use crate::change::requirement::{before_approved, before_scheduled, before_start};
use crate::change::waves::kept_run::WaveRun;
use crate::core::enums::{PermitState, Purpose, State};
use crate::core::ids::TargetId;
use crate::core::unmet::Unmet;
use crate::directory::snapshot::{Directory, logins};

/// Whether the work on a target has begun: a start was reported, or a permit was issued since the change began. The only target
/// of a change begins with the change.
pub fn has_begun(change: &Change, permits: &[Permit], target: &TargetId) -> bool {
    let Some(began) = change.actual_start else { return false };
    let record = change.target_record(target);
    let is_start = |permit: &Permit| {
        let is_of_it = &permit.target == target && permit.purpose == Purpose::Deploy;
        let is_good = permit.state != PermitState::Revoked && permit.issued_at >= began;
        is_of_it && (permit.used_at.is_some() || is_good)
    };
    change.content.targets.len() == 1
        || has_begun_members(change, target)
        || record.is_some_and(|it| it.actual_start.is_some() || it.has_ended())
        || permits.iter().any(is_start)
}

/// Whether the work on members of a target has begun. With so many members, not all permits are loaded.
fn has_begun_members(change: &Change, target: &TargetId) -> bool {
    let run = change.wave_run.as_ref();
    let is_of_it = |run: &&WaveRun| run.lists.iter().any(|list| &list.target == target);
    run.filter(is_of_it)
        .is_some_and(|run| run.waves.iter().any(|wave| wave.started_at.is_some()))
}

/// Whether a change under way has a target that has not started. Break-glass opens all targets at once.
pub(crate) fn has_starts_ahead(file: &ChangeFile) -> bool {
    let change = &file.change;
    change.state == State::Implementing
        && change.lawful_break_glass().is_none()
        && change
            .open_targets()
            .any(|target| !has_begun(change, &file.permits, &target.id))
}

/// The unmet conditions of another target's start while the change is under way, other than clock, hold, freeze and
/// revocations.
pub(crate) fn before_next_start(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let mut rows = before_approved(file, directory, now);
    let scheduled = before_scheduled(file, directory, now).into_iter();
    rows.extend(scheduled.filter(|row| row.code != "freeze" && row.code != "window_over"));
    rows.extend(before_start(file, directory, now));
    let rows = rows.into_iter().map(|row| as_under_way(row, file, directory, now));
    named(rows.collect(), file, directory, now)
}

/// A condition that nobody can satisfy while the change is under way names the action that helps.
fn as_under_way(row: Unmet, file: &ChangeFile, directory: &Directory, now: Timestamp) -> Unmet {
    let is_decision = matches!(
        row.code.as_str(),
        "approval_missing" | "quorum_missing" | "meeting_missing" | "cannot_be_met"
    );
    let is_over = act_of(&row.code).is_some_and(|act| !is_legal(act, State::Implementing));
    if !is_decision && !is_over {
        return row;
    }
    Unmet {
        satisfy: "This cannot be decided while the change is being implemented. Record the outcome `not_implemented` \
            for this target (POST …/completion) and continue with a new change."
            .to_owned(),
        waiting_on: logins(directory, &eligible::implementers(file, directory, now)),
        ..row
    }
}

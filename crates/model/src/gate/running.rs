//! What is recorded as running: one row per place and artifact, moved by the outcomes of targets. Kubernetes admission
//! accepts what stands here, so that a restart or a scale-out waits for nobody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::record::{Change, Target};
use crate::core::enums::{Outcome, State};
use crate::core::ids::{ChangeId, EnvironmentKey, RecordId, ServiceKey, TargetId};

/// An artifact that an outcome brought into a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The service.
    pub service: ServiceKey,
    /// The environment.
    pub environment: EnvironmentKey,
    /// Config items of the target that brought it; another of these items does not replace it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_items: Vec<String>,
    /// The artifact.
    pub artifact: String,
    /// The change that brought it.
    pub change: ChangeId,
    /// Its key.
    pub change_key: String,
    /// Its target.
    pub target: TargetId,
    /// Since when.
    pub since: Timestamp,
    /// When it was replaced or taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The change that replaced it or took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<ChangeId>,
    /// And its target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_target: Option<TargetId>,
}

impl Running {
    /// Whether it runs still.
    pub fn is_on(&self) -> bool {
        self.until.is_none()
    }

    fn go_on(&mut self) {
        (self.until, self.ended_by, self.ended_target) = (None, None, None);
    }
}

/// What became of a target, as far as it says what runs. Work that no lawful decision preceded counts only once its change
/// is closed: else telling of it afterwards would be a way past the approvals.
pub fn told_outcome(change: &Change, target: &Target) -> Option<Outcome> {
    let doubtful = change.retrospective.is_some() || change.unauthorized;
    if doubtful && change.state != State::Closed {
        return None;
    }
    change.target_record(&target.id)?.outcome
}

/// Moves the rows of a place by a target's outcome. `rows` are all rows of the target's service and environment that run,
/// or that this change ended; what is answered are those that differ and the new ones. `new_id` names a new row.
pub fn turn(
    change: &Change,
    target: &Target,
    outcome: Outcome,
    rows: &[Running],
    now: Timestamp,
    mut new_id: impl FnMut() -> RecordId,
) -> Vec<Running> {
    let mut next = rows.to_vec();
    let bring = |next: &mut Vec<Running>, artifact: &str, id: RecordId| {
        if let Some(known) = next.iter_mut().find(|row| row.artifact == artifact) {
            known.go_on();
            return;
        }
        next.push(Running {
            id,
            version: 0,
            service: target.service.clone(),
            environment: target.environment.clone(),
            config_items: target.config_items.clone(),
            artifact: artifact.to_owned(),
            change: change.id.clone(),
            change_key: change.key.clone(),
            target: target.id.clone(),
            since: now,
            until: None,
            ended_by: None,
            ended_target: None,
        });
    };
    let end = |row: &mut Running| {
        row.until = Some(now);
        row.ended_by = Some(change.id.clone());
        row.ended_target = Some(target.id.clone());
    };
    match outcome {
        Outcome::Succeeded | Outcome::SucceededWithIssues => {
            let Some(artifact) = &target.artifact else {
                return Vec::new();
            };
            let replaced = replaced(change, target, &next);
            next.iter_mut()
                .filter(|row| row.is_on() && replaced.contains(&row.id))
                .for_each(end);
            bring(&mut next, artifact, new_id());
        }
        Outcome::PartiallyImplemented => {
            if let Some(artifact) = &target.artifact {
                bring(&mut next, artifact, new_id());
            }
        }
        Outcome::RolledBack | Outcome::Failed | Outcome::NotImplemented => {
            next.iter_mut()
                .filter(|row| {
                    row.ended_by.as_ref() == Some(&change.id) && row.ended_target.as_ref() == Some(&target.id)
                })
                .for_each(Running::go_on);
            next.iter_mut()
                .filter(|row| row.is_on() && row.change == change.id && row.target == target.id)
                .for_each(end);
            if let Some(before) = target.rollback_to.as_deref().filter(|_| outcome == Outcome::RolledBack) {
                bring(&mut next, before, new_id());
            }
        }
    }
    next.retain(|row| !rows.contains(row));
    next
}

/// Which rows a successful target replaces: the one that it names as its way back; without that, those of the same config
/// items. What the same change brought by another target stays.
fn replaced(change: &Change, target: &Target, rows: &[Running]) -> Vec<RecordId> {
    let others = rows
        .iter()
        .filter(|row| row.is_on() && row.change != change.id && Some(&row.artifact) != target.artifact.as_ref());
    let (named, rest): (Vec<&Running>, Vec<&Running>) =
        others.partition(|row| Some(&row.artifact) == target.rollback_to.as_ref());
    let same_items = |row: &Running| {
        if row.config_items.is_empty() || target.config_items.is_empty() {
            return true;
        }
        row.config_items.iter().any(|item| target.config_items.contains(item))
    };
    let chosen = if named.is_empty() {
        rest.into_iter().filter(|row| same_items(row)).collect()
    } else {
        named
    };
    chosen.into_iter().map(|row| row.id.clone()).collect()
}

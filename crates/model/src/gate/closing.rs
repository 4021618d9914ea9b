//! Targets that a person closed by revoking a permit: the gate stays shut for them until somebody lifts the revocation. A
//! permit that the lifecycle revokes (a hold, an outcome, another window) closes nothing, because the gate judges these by
//! itself.

use jiff::Timestamp;

use crate::change::change_file::Actor;
use crate::change::record::{Change, Target};
use crate::change::related_records::Permit;
use crate::core::enums::{Purpose, Role};
use crate::core::ids::{PersonId, TargetId};
use crate::core::statement::Stated;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::gate::build::agree;
use crate::gate::closed_target::ClosedTarget;

/// The code of the condition.
pub const CLOSED: &str = "target_closed";

impl ClosedTarget {
    /// A target that closes with this permit.
    pub(crate) fn new(permit: &Permit, target: &Target, stated: Stated) -> Self {
        let back = permit.purpose == Purpose::Rollback;
        Self {
            permit: permit.id.clone(),
            target: target.id.clone(),
            service: target.service.clone(),
            environment: target.environment.clone(),
            artifact: if back {
                target.rollback_to.clone()
            } else {
                target.artifact.clone()
            },
            commit: target.commit.clone().filter(|_| !back),
            purpose: permit.purpose,
            reason: stated.reason,
            by: stated.by,
            at: stated.at,
            lifted: None,
        }
    }

    /// Whether it is about this target and purpose: by the target's id, or by artifact and place. A removed and re-created
    /// target is therefore still closed.
    fn is_about(&self, target: &Target, purpose: Purpose) -> bool {
        let back = purpose == Purpose::Rollback;
        let artifact = if back { &target.rollback_to } else { &target.artifact };
        let is_same = self.service == target.service
            && self.environment == target.environment
            && agree(self.artifact.as_deref(), artifact.as_deref())
            && (back || agree(self.commit.as_deref(), target.commit.as_deref()));
        self.purpose == purpose && (self.target == target.id || is_same)
    }

    /// Whether it was in force at an instant.
    fn held_at(&self, at: Timestamp) -> bool {
        self.at <= at && self.lifted.as_ref().is_none_or(|lifted| at < lifted.at)
    }
}

/// The revocations that keep a target shut now for a purpose.
pub fn active_revocations<'a>(
    change: &'a Change,
    target: &'a Target,
    purpose: Purpose,
) -> impl Iterator<Item = &'a ClosedTarget> {
    let rows = change.closed_targets.iter().filter(|row| row.lifted.is_none());
    rows.filter(move |row| row.is_about(target, purpose))
}

/// Whether a target was shut for a purpose at an instant.
pub fn was_closed(change: &Change, target: &TargetId, purpose: Purpose, at: Timestamp) -> bool {
    let targets = change.content.targets.iter();
    let mut named = targets.filter(|it| &it.id == target);
    named.any(|target| {
        let mut rows = change.closed_targets.iter();
        rows.any(|row| row.is_about(target, purpose) && row.held_at(at))
    })
}

/// Whether somebody may reopen the target: the person who closed it, or a person of equal role without a part in the change.
/// Otherwise the person who waits for the deployment could lift the stop of another. Revocations by several people are
/// independent, and lifting one lifts no other.
pub fn may_lift(change: &Change, closed: &ClosedTarget, actor: &Actor, directory: &Directory) -> bool {
    let stakes = std::iter::once(&actor.person).chain(actor.hand());
    let is_own = closed.by == actor.person && actor.hand().is_none();
    let is_free = stakes.into_iter().all(|person| !has_part(change, person));
    is_own || is_free && is_equal(directory, &closed.by, &actor.person)
}

/// Whether a person may undo another's stop. Security and change managers may undo anybody's; an incident commander may undo
/// another commander's.
fn is_equal(directory: &Directory, setter: &PersonId, person: &PersonId) -> bool {
    let is_over_all = LIFTING.iter().any(|role| directory.has_role(person, *role));
    let is_commander = |person: &PersonId| directory.has_role(person, Role::Commander);
    let is_of_lifting = LIFTING.iter().any(|role| directory.has_role(setter, *role));
    is_over_all || (!is_of_lifting && is_commander(setter) && is_commander(person))
}

/// Roles that may lift any revocation that keeps a target closed.
const LIFTING: [Role; 2] = [Role::ChangeManager, Role::Security];

fn has_part(change: &Change, person: &PersonId) -> bool {
    let content = &change.content;
    let named = [&change.requester, &content.owner].into_iter();
    let mut people = named
        .chain(&change.authors)
        .chain(&content.implementers)
        .chain(&change.implemented_by);
    people.any(|known| known == person)
}

/// The people who may reopen a target: the person who closed it, and change managers and security without a part in the change.
pub fn lifters(change: &Change, closed: &ClosedTarget, directory: &Directory) -> Vec<PersonId> {
    let is_owner = change.content.owner == closed.by && directory.is_active(&closed.by);
    let has_right = |role: &Role| directory.has_role(&closed.by, *role);
    let is_setter_able = is_owner || has_right(&Role::Commander) || LIFTING.iter().any(has_right);
    let mut people: Vec<PersonId> = Some(closed.by.clone()).filter(|_| is_setter_able).into_iter().collect();
    for person in LIFTING.into_iter().flat_map(|role| directory.with_role(role)) {
        if !people.contains(&person) && !has_part(change, &person) {
            people.push(person);
        }
    }
    people
}

/// Closed targets as unmet conditions.
pub fn closed_unmet(change: &Change, target: &Target, purpose: Purpose, directory: &Directory) -> Vec<Unmet> {
    let row = |closed: &ClosedTarget| {
        let who = directory.name(&closed.by);
        let way = if purpose == Purpose::Rollback {
            "the rollback of target"
        } else {
            "target"
        };
        let (target, service, environment) = (&target.id, &target.service, &target.environment);
        unmet(
            CLOSED,
            format!(
                "{who} revoked the permit of {way} {target} ({service} in {environment}) at {}: {}",
                closed.at, closed.reason
            ),
            "The revocation is lifted (POST /permits/{jti}/revocation/lifting) by its author, by security or by a \
             change manager, none of whom may have a part in the change.",
            logins(directory, &lifters(change, closed, directory)),
        )
    };
    active_revocations(change, target, purpose).map(row).collect()
}

/// The unmet conditions of a manual start: closed targets, if no open target remains.
pub fn all_closed(change: &Change, directory: &Directory) -> Vec<Unmet> {
    let of = |target: &Target| closed_unmet(change, target, Purpose::Deploy, directory);
    let rows: Vec<Vec<Unmet>> = change.open_targets().map(of).collect();
    if rows.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    rows.into_iter().flatten().collect()
}

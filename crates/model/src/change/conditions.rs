//! The people who check the conditions of approvals, also after a checker has left.

use crate::change::change_file::ChangeFile;
use crate::change::related_records::Condition;
use crate::core::enums::Role;
use crate::core::ids::PersonId;
use crate::directory::snapshot::Directory;

/// Whether a person would check a condition on their own request or work.
pub fn is_own(file: &ChangeFile, person: &PersonId) -> bool {
    person == &file.change.requester || file.wrote(person)
}

/// The people who may confirm a condition: its checker; without an active checker who wrote no part of the change, the setter;
/// and once the setter has left as well, the change managers who neither requested nor wrote the change. Otherwise a change
/// under way, which cannot be approved again, would never close.
pub fn checkers(file: &ChangeFile, directory: &Directory, condition: &Condition) -> Vec<PersonId> {
    let setter = file.approvals.iter().find(|row| row.id == condition.approval);
    let named = [Some(&condition.checker), setter.map(|row| &row.person)];
    let may = |person: &&PersonId| directory.is_active(person) && !is_own(file, person);
    if let Some(person) = named.into_iter().flatten().find(may) {
        return vec![person.clone()];
    }
    let mut managers = directory.with_role(Role::ChangeManager);
    managers.retain(|person| !is_own(file, person));
    managers
}

//! Who checks the conditions of approvals, also once a checker has left.

use crate::change::change_file::ChangeFile;
use crate::change::related_records::Condition;
use crate::core::enums::Role;
use crate::core::ids::PersonId;
use crate::directory::snapshot::Directory;

/// Who may say that a condition is met: its checker; once they may no longer act here, who set it; and once that one has
/// left as well, the change managers who neither asked for the change nor wrote it. Otherwise a change under way, whose
/// approval nobody can give anew, would never close.
pub fn checkers(file: &ChangeFile, directory: &Directory, condition: &Condition) -> Vec<PersonId> {
    let setter = file.approvals.iter().find(|row| row.id == condition.approval);
    let named = [Some(&condition.checker), setter.map(|row| &row.person)];
    if let Some(person) = named.into_iter().flatten().find(|person| directory.is_active(person)) {
        return vec![person.clone()];
    }
    let mut managers = directory.with_role(Role::ChangeManager);
    managers.retain(|person| person != &file.change.requester && !file.wrote(person));
    managers
}

//! Boards: the groups that decide at meetings.

use std::collections::BTreeSet;

use model::approval::obligation::{Asked, Duty};
use model::core::act::actions;
use model::core::ids::GroupKey;

use crate::core::context::Context;
use crate::core::error::Result;

/// The groups that a rule in force requires to decide at a meeting, and those that have met, in order.
///
/// # Errors
/// 403, or the store's.
pub fn find_boards(cx: &mut Context<'_, '_>) -> Result<Vec<GroupKey>> {
    cx.allow(actions::READ)?;
    let policies = cx.policies()?;
    let asked = policies.obligations().filter_map(|it| match &it.duty {
        Duty::Approval(rule) if rule.quorum.is_some() => match &rule.from {
            Asked::Group(key) => Some(key.clone()),
            _ => None,
        },
        _ => None,
    });
    let mut found: BTreeSet<GroupKey> = asked.collect();
    let directory = cx.directory()?;
    found.extend(directory.meetings.iter().map(|meeting| meeting.group.clone()));
    found.retain(|key| directory.groups.get(key).is_some_and(|group| !group.removed));
    Ok(found.into_iter().collect())
}

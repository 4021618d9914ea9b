//! The compensating control of a team that is too small for every separation of duties: somebody outside of it looks at its
//! changes, every week, and says what they saw.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::file::{ChangeFile, unmet};
use crate::ids::{GroupKey, PersonId, RecordId};
use crate::obligation::{Duty, TargetObligation};
use crate::records::Unmet;
use crate::requirement::{logins, sentence};

/// A look from outside at what a team did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideLook {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The group of those who look from outside.
    pub group: GroupKey,
    /// Who looked.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// What they saw.
    pub text: String,
    /// The changes that were looked at: all on which work began or ended since the look before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

impl Directory {
    /// The last look of a group.
    pub fn last_look(&self, group: &GroupKey) -> Option<&OutsideLook> {
        self.outside_looks
            .iter()
            .filter(|look| &look.group == group)
            .max_by_key(|look| look.at)
    }
}

/// Until when the last look of a group is fresh enough.
pub(crate) fn fresh_until(directory: &Directory, group: &GroupKey, minutes: i64) -> Option<Timestamp> {
    directory
        .last_look(group)
        .map(|look| look.at + SignedDuration::from_mins(minutes))
}

/// What is lacking when nobody outside has looked for too long.
pub(crate) fn look_unmet(
    directory: &Directory,
    row: &TargetObligation,
    (group, minutes): (&GroupKey, i64),
    now: Timestamp,
) -> Option<Unmet> {
    let fresh = fresh_until(directory, group, minutes);
    if fresh.is_some_and(|until| now < until) {
        return None;
    }
    let since = directory
        .last_look(group)
        .map_or_else(|| "never".to_owned(), |look| look.at.to_string());
    Some(unmet(
        "outside_look_missing",
        format!("{} Last time: {since}.", sentence(&row.obligation.reason)),
        format!(
            "One of the group {group} looks at the team's changes (POST /outside-looks; rule `{}`).",
            row.obligation.id
        ),
        logins(directory, &directory.members(group)),
    ))
}

/// When the looks end on which a change rests.
pub(crate) fn ends<'a>(file: &'a ChangeFile, directory: &'a Directory) -> impl Iterator<Item = Timestamp> + 'a {
    let rows = file.requirements.obligations.iter();
    rows.filter_map(|row| match &row.obligation.duty {
        Duty::OutsideLook { from, within_minutes } => fresh_until(directory, from, *within_minutes),
        _ => None,
    })
}

//! Rules that require a watch of the first wave before the rest follows.

use crate::approval::obligation::Duty;
use crate::change::change_file::ChangeFile;
use crate::change::eligible;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};

/// Whether a rule on a change requires a watch of its first part before the rest follows.
#[must_use]
pub fn is_watch_required(file: &ChangeFile) -> bool {
    let mut rows = file.requirements.obligations.iter();
    rows.any(|row| matches!(row.obligation.duty, Duty::Task { watched: true, .. }))
}

/// The gap in a plan of waves under a rule that requires a watch. A rule may come after the plan, with another risk or other
/// policies; once the work began the plan stays as it is.
pub(crate) fn watch_unmet(file: &ChangeFile, directory: &Directory) -> Option<Unmet> {
    let change = &file.change;
    let plan = change.content.wave_plan.as_ref()?;
    let is_lacking = change.state.is_before_start() && plan.is_unwatched() && is_watch_required(file);
    is_lacking.then(|| {
        unmet(
            "waves_not_watched",
            "A rule requires that the first wave is watched before the others follow, and the plan leaves no time \
             for it.",
            "Enter the minutes between waves in the plan of waves.",
            logins(directory, &eligible::writers(change, directory)),
        )
    })
}

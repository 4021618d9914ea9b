//! Finds the change that a deployment belongs to.

use model::core::enums::{Outcome, State};
use model::core::ids::TargetId;
use store::change::changes;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::integration::early_rollback;
use crate::integration::named_target::{Meant, Named};
use crate::integration::told_deployment::{Here, has_begun};

/// Which of several changes a deployment is of, the better the greater: whether it is lawful, goes forward and is open; how
/// far it is; the older one first.
pub(crate) type Rank = (bool, bool, bool, State, i64);

/// The open change of this service, environment and commit (or artifact) that is furthest along. A rollback artifact of a
/// target matches its change from the change's start until the change is closed, even when the start is reported later; with a
/// permit valid at that time, also when the deployment is reported after the closing.
pub(crate) fn find_change(cx: &mut Context<'_, '_>, here: &Here<'_>) -> Result<Option<(Rank, String)>> {
    let told = here.told;
    let (service, place) = (here.mapping.service.as_str(), here.environment.as_str());
    let named = Named::of(cx, told.artifact, told.commit())?;
    let mut rows = changes::targets_for(cx.tx, service, place, told.artifact, None)?;
    for commit in named.commits() {
        rows.extend(changes::targets_for(cx.tx, service, place, None, Some(commit))?);
    }
    let mut found: Option<(Rank, String)> = None;
    for row in rows {
        let change = cx.change(&row.change_id)?;
        let (artifact, commit) = (row.artifact.as_deref(), row.commit.as_deref());
        let Some(meant) = named.means(artifact, commit, row.rollback_to.as_deref()) else {
            continue;
        };
        let (is_forward, is_open) = (meant.is_forward(), change.state.is_open());
        let fits = if meant == Meant::Back {
            has_begun(&change, &TargetId::from(row.target_id.as_str()), told.at.min(cx.now))
                || early_rollback::is_permitted(cx, &change, &row.target_id, told.at)?
                || is_open && early_rollback::may_be_early(cx, &change, &row.target_id, told.at)?
        } else {
            is_open && (row.state == "open" || row.state == Outcome::RollbackFailed.as_str())
        };
        if !fits {
            continue;
        }
        // As at the gate, a forward match that is not allowed does not hide a rollback.
        let is_lawful = !is_forward
            || change.state == State::Implementing
            || early_rollback::may_be_early(cx, &change, &row.target_id, told.at)?;
        let rank = (is_lawful, is_forward, is_open, change.state, -change.number);
        if found.as_ref().is_none_or(|(best, _)| rank > *best) {
            found = Some((rank, change.key));
        }
    }
    Ok(found)
}

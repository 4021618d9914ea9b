//! Judges again the changes that hang on another one: those that depend on it, and those that its rejection stops. What the
//! gate says of them is written with them, so it has to be written anew when the other one moves.

use std::collections::BTreeSet;

use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::change::related_records::Link;
use model::core::enums::LinkKind;
use store::change::changes;
use store::record::{self, Filter};

use crate::case::load_file::stops_others;
use crate::case::settle_open::settle_one;
use crate::core::context::{Context, Saved};
use crate::core::error::Result;

/// Judges, in this transaction, every open change that hangs on this one, and this one itself where it hangs on others now.
///
/// # Errors
/// The store's.
pub(crate) fn settle_others(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let file = &saved.after;
    let Some(before) = &saved.before else {
        // Nothing hangs on a new change, and it was read with all that it hangs on.
        return Ok(());
    };
    let mut concerned = BTreeSet::new();
    let has_turned = before.change.has_succeeded() != file.change.has_succeeded();
    if before.change.state != file.change.state || has_turned {
        concerned.extend(dependents(cx, file)?);
    }
    if stops_others(&before.change) != stops_others(&file.change) {
        for change in [&before.change, &file.change] {
            concerned.extend(of_the_same_artifact(cx, change)?);
        }
    }
    if hangs_on_others_now(before, file) {
        concerned.insert(file.change.id.0.clone());
    }
    for id in concerned {
        let found = record::load::<Change>(cx.tx, &id)?;
        if found.is_some_and(|stored| stored.record.state.is_open()) {
            settle_one(cx, &id)?;
        }
    }
    Ok(())
}

/// Whether an edit or a link brought something that was not looked up when the file was read.
fn hangs_on_others_now(before: &ChangeFile, file: &ChangeFile) -> bool {
    before.change.content.targets != file.change.content.targets || before.depends_on != file.depends_on
}

fn dependents(cx: &mut Context<'_, '_>, file: &ChangeFile) -> Result<Vec<String>> {
    let filter = Filter::new()
        .equals("to_change", file.change.id.as_str())
        .order_by("id");
    let links = record::find::<Link>(cx.tx, &filter)?.into_iter();
    Ok(links
        .map(|stored| stored.record)
        .filter(|link| link.kind == LinkKind::DependsOn && link.removed_at.is_none())
        .map(|link| link.change.0)
        .collect())
}

fn of_the_same_artifact(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for target in &change.content.targets {
        let Some(artifact) = target.artifact.as_deref() else {
            continue;
        };
        let (service, environment) = (target.service.as_str(), target.environment.as_str());
        let rows = changes::targets_for(cx.tx, service, environment, Some(artifact), None)?;
        let same = rows
            .into_iter()
            .filter(|row| row.artifact.as_deref() == Some(artifact) && row.change_id != change.id.0);
        found.extend(same.map(|row| row.change_id));
    }
    Ok(found)
}

//! Evaluates the changes again that are related to another one: changes that depend on it, changes that its rejection
//! stops, and changes whose security report is compared with the build that it brought. Their gate rows contain the
//! result, so they are rewritten when the other change moves.

use std::collections::BTreeSet;

use model::change::change_file::ChangeFile;
use model::change::record::{Change, Target};
use model::change::related_records::{Evidence, Link};
use model::change::success::succeeded;
use model::core::enums::{Aspect, LinkKind};
use model::gate::running::{is_observed, running_outcome};
use store::change::changes;
use store::record::{self, Filter};

use crate::case::load_file::stops_others;
use crate::case::settle_one::settle_one;
use crate::core::context::{Context, Saved};
use crate::core::error::Result;

/// Evaluates, in this transaction, every open change that depends on this one, and this one itself if it now depends on
/// others.
///
/// # Errors
/// The store's.
pub(crate) fn settle_others(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let file = &saved.after;
    let Some(before) = &saved.before else {
        // No other change depends on a new one, and it was read with all that it depends on.
        return Ok(());
    };
    let mut concerned = BTreeSet::new();
    let has_turned = succeeded(&before.change) != succeeded(&file.change);
    if before.change.state != file.change.state || has_turned {
        concerned.extend(dependents(cx, file)?);
    }
    if stops_others(&before.change) != stops_others(&file.change) {
        for change in [&before.change, &file.change] {
            concerned.extend(cx.of_the_same_build(change)?);
        }
    }
    concerned.extend(compared_with(cx, before, file)?);
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

/// Whether an edit or a link added a dependency that was not looked up when the file was read.
fn hangs_on_others_now(before: &ChangeFile, file: &ChangeFile) -> bool {
    before.change.content.targets != file.change.content.targets || before.depends_on != file.depends_on
}

/// The open changes whose security report is compared with the running builds that this change moved.
fn compared_with(cx: &mut Context<'_, '_>, before: &ChangeFile, file: &ChangeFile) -> Result<BTreeSet<String>> {
    let change = &file.change;
    let has_moved = |target: &&Target| {
        let told = |it: &Change| (running_outcome(it, target), is_observed(it, target));
        told(&before.change) != told(change)
    };
    let moved = change.content.targets.iter().filter(has_moved);
    let services: BTreeSet<&str> = moved.map(|target| target.service.as_str()).collect();
    let mut found = BTreeSet::new();
    for service in services {
        for id in changes::open_in(cx.tx, service)? {
            if id != change.id.0 && has_compared_report(cx, &id)? {
                found.insert(id);
            }
        }
    }
    Ok(found)
}

fn has_compared_report(cx: &mut Context<'_, '_>, change: &str) -> Result<bool> {
    let filter = Filter::new()
        .equals("change_id", change)
        .equals("aspect", Aspect::Security.as_str())
        .order_by("id");
    let rows = record::find::<Evidence>(cx.tx, &filter)?;
    Ok(rows.iter().any(|stored| !stored.record.findings.is_empty()))
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

//! Finds whom changes wait for, for the dashboards: each change is judged again only after an act that may have moved its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use model::change::waiting_on::awaited;
use store::change::changes;
use store::report::projection;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_changes::{FoundChanges, find_waiting, open_files};
use crate::report::log_mark::{LogMark, find_mark, is_fresh};

/// For how many seconds an answer stands that no act has moved.
const STANDS_FOR: i64 = 60;
/// The most changes of a tenant of which it is known.
const MOST_KNOWN: usize = 1_000;
/// With more records touched since, all changes are judged again.
const MOST_TOUCHED: i64 = 300;
/// The records of a change of which other changes in other places learn nothing. What an event writes beside these may be a fact
/// of any change: a build that runs, a push, a policy.
const OWN: &[&str] = &[
    "approval",
    "change",
    "checklist_item",
    "comment",
    "condition",
    "entry",
    "evidence",
    "gate_check",
    "link",
    "message",
    "peer_review",
    "permit",
    // Somebody signed in: a write of the person moves the number of the directory.
    "person",
    "task",
];

/// Whom the changes of a tenant wait for, under a mark of the log.
#[derive(Debug)]
struct WaitCache {
    mark: LogMark,
    changes: BTreeMap<String, Waits>,
}

/// Whom a change waits for.
#[derive(Debug, Clone)]
struct Waits {
    at: Timestamp,
    people: Vec<String>,
    /// The change itself, and those that it is linked to.
    near: BTreeSet<String>,
    services: BTreeSet<String>,
}

/// The people for whom open changes wait now, by the changes' ids: what [`find_waiting`] finds.
///
/// # Errors
/// 403, or the store's.
pub(crate) fn find_waits(cx: &mut Context<'_, '_>, found: &FoundChanges) -> Result<BTreeMap<String, Vec<String>>> {
    // A reader with a scope sees other names.
    let mark = match cx.scope()? {
        Some(_) => None,
        None => find_mark(cx)?,
    };
    let Some(mark) = mark else {
        return find_waiting(cx, found);
    };
    let (memo, tenant) = (cx.services.waits(), cx.tenant());
    let known = match memo.get::<WaitCache>(&tenant) {
        Some(known) => still_true(cx, &known, &mark)?,
        None => BTreeMap::new(),
    };
    let mut people = BTreeMap::new();
    let mut missing = FoundChanges::default();
    for (row, targets) in &found.rows {
        match known.get(&row.id) {
            Some(waits) => {
                people.insert(row.id.clone(), waits.people.clone());
            }
            None => missing.rows.push((row.clone(), targets.clone())),
        }
    }
    let fresh = judged(cx, &missing)?;
    people.extend(fresh.iter().map(|(id, waits)| (id.clone(), waits.people.clone())));
    people.retain(|_, people| !people.is_empty());
    let mut changes = fresh;
    let room = MOST_KNOWN.saturating_sub(changes.len());
    changes.extend(known.into_iter().take(room));
    memo.keep(&tenant, Arc::new(WaitCache { mark, changes }));
    Ok(people)
}

/// Judges changes.
fn judged(cx: &mut Context<'_, '_>, found: &FoundChanges) -> Result<BTreeMap<String, Waits>> {
    let (directory, now) = (cx.directory()?, cx.now);
    let files = open_files(cx, found)?;
    let one = |file: model::change::change_file::ChangeFile| {
        let people = awaited(&file, &directory, now);
        let id = file.change.id.0;
        let linked = file.links.into_iter().filter_map(|link| link.to_change);
        let targets = file.change.content.targets.into_iter();
        let waits = Waits {
            at: now,
            people,
            near: linked.map(|change| change.0).chain([id.clone()]).collect(),
            services: targets.map(|target| target.service.0).collect(),
        };
        (id, waits)
    };
    Ok(files.into_iter().map(one).collect())
}

/// What is known and no act since can have moved.
fn still_true(cx: &mut Context<'_, '_>, known: &WaitCache, mark: &LogMark) -> Result<BTreeMap<String, Waits>> {
    let now = cx.now;
    let mut kept = known.changes.clone();
    kept.retain(|_, waits| is_fresh(waits.at, now, STANDS_FOR));
    if known.mark == *mark {
        return Ok(kept);
    }
    let touched = projection::touched_since(cx.tx, known.mark.size, MOST_TOUCHED)?;
    let is_of_changes = touched.iter().all(|(table, _)| OWN.contains(&table.as_str()));
    let is_few = i64::try_from(touched.len()).is_ok_and(|count| count < MOST_TOUCHED);
    // A mark of an older moment than the known one is of a reader that began earlier.
    let is_later = mark.size >= known.mark.size;
    if !is_of_changes || !is_few || !is_later || mark.generation != known.mark.generation {
        return Ok(BTreeMap::new());
    }
    let changed = touched.iter().filter(|(table, _)| table == "change");
    let changed: Vec<&str> = changed.map(|(_, id)| id.as_str()).collect();
    let targets = changes::targets_of_all(cx.tx, &changed)?;
    let places: BTreeSet<&str> = targets
        .values()
        .flatten()
        .map(|target| target.service.as_str())
        .collect();
    kept.retain(|_, waits| {
        let is_near = changed.iter().any(|id| waits.near.contains(*id));
        let shares_a_place = waits.services.iter().any(|service| places.contains(service.as_str()));
        !is_near && !shares_a_place
    });
    Ok(kept)
}

//! Finds changes by a filter, newest first or in another order, a page at a time; and counts them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::change::change_file::ChangeFile;
use model::change::custom_field::CustomValue;
use model::change::record::Change;
use model::change::related_records::{ChangeTask, Condition};
use model::change::waiting_on::awaited;
use model::change::work::whole_outcome;
use model::core::act::actions::READ;
use model::core::enums::{Outcome, RelationEnd, State};
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot::Incident;
use serde::Deserialize;
use serde::de::IgnoredAny;
use store::change::change_count;
pub use store::change::change_count::Count;
pub use store::change::change_order::{Order, SortKey, Spot};
use store::change::changes;
pub use store::change::changes::{ChangeFilter, ChangeRow, Tally, TargetRow};

use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::incident::link_records::find_links;

/// A page of changes.
#[derive(Debug, Clone, Default)]
pub struct FoundChanges {
    /// The changes, each with its targets.
    pub rows: Vec<(ChangeRow, Vec<TargetRow>)>,
    /// The number after which the next page begins; `None` on the last page.
    pub next: Option<i64>,
}

/// A filter that finds nothing outside of the acting person's scope.
///
/// # Errors
/// The store's.
pub fn inside<'f>(cx: &mut Context<'_, '_>, filter: &'f ChangeFilter) -> Result<Cow<'f, ChangeFilter>> {
    let Some(scope) = cx.scope()? else {
        return Ok(Cow::Borrowed(filter));
    };
    let services = scope.services().iter().map(|key| key.0.clone()).collect();
    let (from, to) = scope.span();
    Ok(Cow::Owned(ChangeFilter {
        within: Some(services),
        created_from: filter.created_from.max(from),
        created_to: earlier(filter.created_to, to),
        ..filter.clone()
    }))
}

/// The earlier of two ends; one that is absent does not end.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Finds at most `limit` changes below the number `after`.
///
/// # Errors
/// 403, or the store's.
pub fn find_changes(
    cx: &mut Context<'_, '_>,
    filter: &ChangeFilter,
    limit: i64,
    after: Option<i64>,
) -> Result<FoundChanges> {
    cx.allow(READ)?;
    let filter = inside(cx, filter)?;
    let mut rows = changes::list_changes(cx.tx, &filter, limit + 1, after)?;
    let is_more = rows.len() as i64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().map(|row| row.number).filter(|_| is_more);
    Ok(FoundChanges {
        rows: with_targets(cx, rows)?,
        next,
    })
}

/// How many changes that name an incident are found.
const NAMING: i64 = 20;

/// Finds the changes that name an incident, by its key here or by its key elsewhere, the newest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_naming(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<Vec<ChangeRow>> {
    let mut found: Vec<ChangeRow> = Vec::new();
    for text in std::iter::once(&incident.key).chain(&incident.external_ref) {
        let filter = ChangeFilter {
            q: Some(text.clone()),
            ..ChangeFilter::default()
        };
        let rows = find_changes(cx, &filter, NAMING, None)?.rows;
        found.extend(rows.into_iter().map(|(row, _)| row));
    }
    for seen in find_links(cx, &incident.key)? {
        if seen.other.kind == RelationEnd::Change && found.iter().all(|row| row.key != seen.other.key) {
            let filter = ChangeFilter {
                q: Some(seen.other.key.clone()),
                ..ChangeFilter::default()
            };
            let rows = find_changes(cx, &filter, NAMING, None)?.rows;
            found.extend(
                rows.into_iter()
                    .map(|(row, _)| row)
                    .filter(|row| row.key == seen.other.key),
            );
        }
    }
    found.sort_by_key(|row| std::cmp::Reverse(row.number));
    found.dedup_by_key(|row| row.number);
    Ok(found)
}

fn with_targets(cx: &mut Context<'_, '_>, rows: Vec<ChangeRow>) -> Result<Vec<(ChangeRow, Vec<TargetRow>)>> {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut targets = changes::targets_of_all(cx.tx, &ids)?;
    let with_targets = rows.into_iter().map(|row| {
        let own = targets.remove(&row.id).unwrap_or_default();
        (row, own)
    });
    Ok(with_targets.collect())
}

/// The outcome of the whole, once each target has one.
#[must_use]
pub fn outcome_of(targets: &[TargetRow]) -> Option<Outcome> {
    let outcomes: Option<Vec<Outcome>> = targets.iter().map(|target| target.state.parse().ok()).collect();
    whole_outcome(&outcomes?)
}

/// The outcome of a closed change that did not plainly succeed. The outcome is shown in place of the state, so that no failure
/// looks like a success.
#[must_use]
pub fn shown_outcome(state: &str, targets: &[TargetRow]) -> Option<Outcome> {
    let outcome = outcome_of(targets).filter(|_| state == State::Closed.as_str());
    outcome.filter(|it| *it != Outcome::Succeeded)
}

/// The same of a change in a list, by its row alone.
#[must_use]
pub fn outcome_of_row(row: &ChangeRow) -> Option<Outcome> {
    unsuccessful_outcome(&row.state, row.outcome.as_deref())
}

fn unsuccessful_outcome(state: &str, outcome: Option<&str>) -> Option<Outcome> {
    let outcome = outcome.filter(|_| state == State::Closed.as_str())?;
    outcome.parse::<Outcome>().ok().filter(|it| *it != Outcome::Succeeded)
}

/// The same of several changes, by their keys. A person who is scoped to services gets no outcome for a key.
///
/// # Errors
/// 403, or the store's.
pub fn outcomes_of_keys(cx: &mut Context<'_, '_>, keys: &[&str]) -> Result<BTreeMap<String, Outcome>> {
    cx.allow(READ)?;
    if keys.is_empty() || cx.scope()?.is_some() {
        return Ok(BTreeMap::new());
    }
    let found = changes::outcomes_of_keys(cx.tx, keys)?.into_iter();
    let told =
        found.filter_map(|(key, (state, outcome))| Some((key, unsuccessful_outcome(&state, outcome.as_deref())?)));
    Ok(told.collect())
}

/// Finds at most `limit` changes in an order, after a given position; and the position after which more follow.
///
/// # Errors
/// 403, or the store's.
pub fn find_ordered(
    cx: &mut Context<'_, '_>,
    filter: &ChangeFilter,
    order: Order,
    limit: i64,
    after: Option<&Spot>,
) -> Result<(FoundChanges, Option<Spot>)> {
    cx.allow(READ)?;
    let filter = inside(cx, filter)?;
    let mut rows = changes::list_ordered(cx.tx, &filter, order, limit + 1, after)?;
    let is_more = rows.len() as i64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().map(|row| Spot::of(order, row)).filter(|_| is_more);
    let rows = with_targets(cx, rows)?;
    Ok((FoundChanges { rows, next: None }, next))
}

/// Counts changes up to a cost limit; with a position of an order, also those at or before it.
///
/// # Errors
/// 403, or the store's.
pub fn count_changes(
    cx: &mut Context<'_, '_>,
    filter: &ChangeFilter,
    most: i64,
    upto: Option<(Order, &Spot)>,
) -> Result<Count> {
    cx.allow(READ)?;
    let filter = inside(cx, filter)?;
    if upto.is_some() {
        return Ok(change_count::count_changes(cx.tx, &filter, most, upto)?);
    }
    let key = format!("count {most} {filter:?}");
    let counted = cx.since_commit(&key, |cx| Ok(change_count::count_changes(cx.tx, &filter, most, None)?))?;
    Ok(*counted)
}

/// The order that an address names (`sort`), the newest first where it names none; and the place in it (`after`).
///
/// # Errors
/// 422 for an unknown order, or for a position that does not belong to this order.
pub fn read_order(sort: Option<&str>, after: Option<&str>) -> std::result::Result<(Order, Option<Spot>), Refusal> {
    let order = match sort {
        None => Order::default(),
        Some(word) => Order::parse(word).ok_or_else(|| {
            let words = SortKey::ALL.map(|key| format!("`{}`", key.as_str())).join(", ");
            let text = format!("`sort`: `{word}` is not one of {words}; `-` before one of them reverses the order.");
            Refusal::field("sort", "unknown_word", text)
        })?,
    };
    let wrong = || Refusal::field("after", "unknown", "`after` is the `next` of the page before.");
    let after = after.map(|text| Spot::parse(order, text).ok_or_else(wrong));
    Ok((order, after.transpose()?))
}

/// How many changes were written between each two neighbours of `times`, which grow: one number less than times.
///
/// # Errors
/// 403, or the store's.
pub fn count_written(cx: &mut Context<'_, '_>, times: &[Timestamp]) -> Result<Vec<i64>> {
    cx.allow(READ)?;
    if cx.scope()?.is_some() {
        return Ok(times.windows(2).map(|_| 0).collect());
    }
    let counts = times
        .windows(2)
        .map(|span| changes::count_written(cx.tx, span[0], span[1]));
    Ok(counts.collect::<store::Result<_>>()?)
}

/// Counts the changes that were written between each two neighbours of `times`, which grow: one tally less than times.
///
/// # Errors
/// 403, or the store's.
pub fn tally_changes(cx: &mut Context<'_, '_>, times: &[Timestamp]) -> Result<Vec<Tally>> {
    cx.allow(READ)?;
    if cx.scope()?.is_some() {
        return Ok(times.windows(2).map(|_| Tally::default()).collect());
    }
    let tally = |cx: &mut Context<'_, '_>| {
        let spans = times.windows(2);
        let tallies = spans.map(|span| changes::tally(cx.tx, span[0], span[1]));
        Ok(tallies.collect::<store::Result<Vec<Tally>>>()?)
    };
    let tallies = cx.since_commit(&format!("tally {times:?}"), tally)?;
    Ok(tallies.to_vec())
}

/// The people for whom open changes wait now, by the changes' ids: logins, or `group:KEY`. A change that waits for nobody is
/// left out.
///
/// # Errors
/// 403, or the store's.
pub fn find_waiting(cx: &mut Context<'_, '_>, found: &FoundChanges) -> Result<BTreeMap<String, Vec<String>>> {
    let (directory, now) = (cx.directory()?, cx.now);
    let files = open_files(cx, found)?.into_iter();
    let waiting = files.map(|file| {
        let people = awaited(&file, &directory, now);
        (file.change.id.0, people)
    });
    Ok(waiting.filter(|(_, people)| !people.is_empty()).collect())
}

/// The keys of those changes, of these keys, whose rollout in waves has begun. The other bodies are not parsed.
///
/// # Errors
/// 403, or the store's.
pub fn find_in_waves(cx: &mut Context<'_, '_>, keys: &[&str]) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Run {
        key: String,
        wave_run: Option<IgnoredAny>,
    }
    cx.allow(READ)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let filter = Filter::new().one_of("key", keys.iter().copied()).order_by("number");
    let found = record::parts_naming::<Change, Run>(cx.tx, &filter, "\"wave_run\"")?;
    Ok(found
        .into_iter()
        .filter(|run| run.wave_run.is_some())
        .map(|run| run.key)
        .collect())
}

/// The implementers that changes name, by the changes' ids; a change that names nobody is left out.
///
/// # Errors
/// 403, or the store's.
pub fn find_implementers(cx: &mut Context<'_, '_>, ids: &[&str]) -> Result<BTreeMap<String, Vec<PersonId>>> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
        #[serde(default)]
        implementers: Vec<PersonId>,
    }
    cx.allow(READ)?;
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let filter = Filter::new().one_of("id", ids.iter().copied()).order_by("id");
    let found = record::parts::<Change, Named>(cx.tx, &filter)?.into_iter();
    let named = found.filter(|it| !it.implementers.is_empty());
    Ok(named.map(|it| (it.id, it.implementers)).collect())
}

/// Those of some changes, by their ids, that have a condition or a task.
///
/// # Errors
/// 403, or the store's.
pub fn find_with_work(cx: &mut Context<'_, '_>, ids: &[&str]) -> Result<BTreeSet<String>> {
    cx.allow(READ)?;
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let filter = Filter::new().one_of("change_id", ids.iter().copied()).order_by("id");
    let conditions = record::bodies::<Condition>(cx.tx, &filter)?.into_iter();
    let tasks = record::bodies::<ChangeTask>(cx.tx, &filter)?.into_iter();
    Ok(conditions
        .map(|it| it.change.0)
        .chain(tasks.map(|it| it.change.0))
        .collect())
}

/// The whole files of the open ones among changes.
///
/// # Errors
/// 403, or the store's.
pub(crate) fn open_files(cx: &mut Context<'_, '_>, found: &FoundChanges) -> Result<Vec<ChangeFile>> {
    cx.allow(READ)?;
    let is_open = |row: &ChangeRow| State::ALL.iter().any(|it| it.as_str() == row.state && it.is_open());
    let rows = found.rows.iter().map(|(row, _)| row).filter(|row| is_open(row));
    let ids: Vec<&str> = rows.map(|row| row.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let changes = Filter::new().one_of("id", ids).order_by("id");
    let changes = record::bodies::<Change>(cx.tx, &changes)?;
    cx.files(changes)
}

/// The values of changes in the tenant's own fields, by the changes' ids; changes without values are left out.
///
/// # Errors
/// 403, or the store's.
pub fn find_custom_values(
    cx: &mut Context<'_, '_>,
    found: &FoundChanges,
) -> Result<BTreeMap<String, Vec<CustomValue>>> {
    cx.allow(READ)?;
    let ids: Vec<&str> = found.rows.iter().map(|(row, _)| row.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let filter = Filter::new().one_of("id", ids).order_by("id");
    let changes = record::bodies::<Change>(cx.tx, &filter)?.into_iter();
    Ok(changes
        .map(|change| (change.id.0, change.content.custom_fields))
        .filter(|(_, values)| !values.is_empty())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(state: &str) -> TargetRow {
        TargetRow {
            change_id: "c".to_owned(),
            target_id: "t".to_owned(),
            service: "wms".to_owned(),
            environment: "production".to_owned(),
            artifact: None,
            commit: None,
            rollback_to: None,
            state: state.to_owned(),
        }
    }

    #[test]
    fn a_closed_change_that_did_not_plainly_succeed_is_told_by_its_outcome() {
        let told = |state: &str, targets: &[&str]| {
            let targets: Vec<TargetRow> = targets.iter().map(|it| target(it)).collect();
            shown_outcome(state, &targets)
        };
        assert_eq!(told("closed", &["failed"]), Some(Outcome::Failed));
        assert_eq!(
            told("closed", &["succeeded", "failed"]),
            Some(Outcome::PartiallyImplemented)
        );
        assert_eq!(
            told("closed", &["succeeded_with_issues"]),
            Some(Outcome::SucceededWithIssues)
        );
        assert_eq!(told("closed", &["succeeded", "succeeded"]), None);
        assert_eq!(told("closed", &["failed", "open"]), None, "one has no outcome yet");
        assert_eq!(told("reviewing", &["failed"]), None);
        assert_eq!(told("closed", &[]), None);
    }
}

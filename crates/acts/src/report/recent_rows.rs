//! The rows that the figures of pages are computed from, decoded once: they stay in memory and follow the projection by the
//! changes that it computed again. They are the same for every reader; rights are applied where figures are computed.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::core::act::actions;
use model::core::enums::Kind;
use model::core::ids::ServiceKey;
use model::report::change_outcome::ChangeOutcome;
use model::report::evaluate::{LOOK_BACK_DAYS, Window};
use model::report::population::Facts;
use store::audit::log;
use store::report::change_outcome::{self, OutcomeRow};
use store::report::projection;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_figures::{MOST_CHANGES, Rows, kept};
use crate::report::former_teams::{facts_about, without_team};
use crate::report::project_outcomes::NAME;

/// The most changes from which the figures of a page are computed, so that it is fast however many there are. The page of a
/// metric counts its whole window, up to [`MOST_CHANGES`].
pub const MOST_READ: usize = 5_000;
/// The days before now that are loaded at least: the windows of the definitions, and what they look back at.
const USUAL_DAYS: i64 = 84 + LOOK_BACK_DAYS;
/// The most events whose changes are loaded one by one; behind more, all rows are loaded again.
const MOST_EVENTS: i64 = 500;

/// Which rows these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those that moved at a time or later. Where more than [`MOST_READ`] did, changes that were only written are left out, and
    /// `cut` is when the newest row moved that does not fit.
    Moved {
        from: Timestamp,
        is_of_work: bool,
        cut: Option<Timestamp>,
    },
    /// All of one kind that were written in a window.
    OfKind(Kind, Window),
}

impl Which {
    fn takes(&self, row: &OutcomeRow, read: &ChangeOutcome) -> bool {
        match *self {
            Self::Moved { from, is_of_work, cut } => {
                let has_moved = row.moved_at > row.created_at || row.ended_at.is_some();
                row.moved_at >= from && cut.is_none_or(|cut| row.moved_at > cut) && (has_moved || !is_of_work)
            }
            Self::OfKind(kind, window) => read.kind == kind && window.has(row.created_at),
        }
    }

    /// The number of rows above which they are loaded again. Rows before a cut are not known, so those behind it may grow.
    fn most(&self) -> usize {
        match self {
            Self::Moved { cut: None, .. } => MOST_READ,
            Self::Moved { .. } => MOST_READ + MOST_READ / 10,
            Self::OfKind(..) => MOST_CHANGES,
        }
    }
}

/// Rows as the projection was at a position, with the facts of one state of the directory.
#[derive(Debug, Clone)]
struct Recent {
    which: Which,
    position: i64,
    generation: i64,
    changes: Arc<Vec<ChangeOutcome>>,
    /// The services whose former teams the facts have.
    services: BTreeSet<ServiceKey>,
    facts: Arc<Facts>,
}

/// The rows of a page's figures of work and decisions in a window up to now; where there are more than [`MOST_READ`], the newest,
/// and from when on figures of them count. What counts changes by their writing is found by [`find_of_kind`].
///
/// # Errors
/// 403; the store's.
pub(crate) fn find_recent(cx: &mut Context<'_, '_>, window: Window) -> Result<(Rows, Option<Timestamp>)> {
    cx.allow(actions::READ)?;
    let wide = window.wide();
    let usual = SignedDuration::from_hours(24 * USUAL_DAYS);
    let from = day_of(wide.from.min(cx.now.checked_sub(usual).unwrap_or(wide.from)));
    let fits = |known: &Which| matches!(known, Which::Moved { from: known, .. } if *known <= from);
    let load = |cx: &mut Context<'_, '_>| load_moved(cx, from);
    let (rows, which) = find(cx, "moved", fits, load)?;
    let cut = match which {
        Which::Moved { cut, .. } => cut.filter(|cut| wide.from <= *cut),
        Which::OfKind(..) => None,
    };
    Ok((rows, kept(cx.now, window, cut).1))
}

/// The rows of the changes of one kind that were written in a window, at most [`MOST_CHANGES`]: enough to count these alone.
///
/// # Errors
/// 403; the store's.
pub(crate) fn find_of_kind(cx: &mut Context<'_, '_>, window: Window, kind: Kind) -> Result<Rows> {
    cx.allow(actions::READ)?;
    let wanted = Which::OfKind(kind, window);
    let load = |cx: &mut Context<'_, '_>| {
        let limit = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX);
        let stored = change_outcome::list_of_kind(cx.tx, kind.as_str(), (window.from, window.to), limit)?;
        Ok((wanted, stored))
    };
    Ok(find(cx, kind.as_str(), |known| *known == wanted, load)?.0)
}

/// The first moment of a day: rows that were loaded for one moment serve all of its day.
fn day_of(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(24 * 3_600)).unwrap_or(at)
}

/// Loads the newest rows that moved since a time.
fn load_moved(cx: &mut Context<'_, '_>, from: Timestamp) -> Result<(Which, Vec<OutcomeRow>)> {
    let (end, limit) = (Timestamp::MAX, i64::try_from(MOST_READ).unwrap_or(i64::MAX));
    let is_of_work = change_outcome::cut(cx.tx, from, end, limit)?.is_some();
    if !is_of_work {
        let which = Which::Moved {
            from,
            is_of_work,
            cut: None,
        };
        return Ok((which, change_outcome::list(cx.tx, from, end, limit)?));
    }
    let cut = change_outcome::cut_moved(cx.tx, from, end, limit)?;
    let which = Which::Moved { from, is_of_work, cut };
    // Rows that moved in the same microsecond as the first one that does not fit are left out with it.
    let after = cut.and_then(|cut| cut.checked_add(SignedDuration::from_micros(1)).ok());
    let stored = change_outcome::list_moved(cx.tx, after.unwrap_or(from), end, limit)?;
    Ok((which, stored))
}

/// The rows under a name as this transaction sees them: those in memory, followed to the present position, or loaded.
fn find<'a, 'c>(
    cx: &mut Context<'a, 'c>,
    name: &str,
    fits: impl Fn(&Which) -> bool,
    load: impl FnOnce(&mut Context<'a, 'c>) -> Result<(Which, Vec<OutcomeRow>)>,
) -> Result<(Rows, Which)> {
    let (position, generation) = (projection::position(cx.tx, NAME)?, cx.generation()?);
    let (memo, key) = (cx.services.rows(), format!("{} {name}", cx.tenant()));
    let known = memo.get::<Recent>(&key).filter(|known| fits(&known.which));
    let is_same = |it: &Recent| it.position == position && it.generation == generation;
    let recent = match known {
        Some(known) if is_same(&known) => known,
        known => {
            let followed = match &known {
                Some(known) => follow(cx, known, position)?,
                None => None,
            };
            let (which, changes) = match (&known, followed) {
                (Some(known), Some(changes)) => (known.which, changes),
                _ => {
                    let (which, stored) = load(cx)?;
                    (which, Arc::new(decoded(&stored)?))
                }
            };
            let made = Arc::new(with_facts(
                cx,
                (which, position, generation),
                changes,
                known.as_deref(),
            )?);
            // A writing act may see rows that are never committed.
            if !cx.writes {
                memo.keep(&key, Arc::clone(&made));
            }
            made
        }
    };
    let rows = Rows {
        changes: Arc::clone(&recent.changes),
        facts: Arc::clone(&recent.facts),
        position,
        log_size: log::state(cx.tx)?.map_or(0, |state| state.size),
    };
    Ok((rows, recent.which))
}

fn decoded(stored: &[OutcomeRow]) -> Result<Vec<ChangeOutcome>> {
    let read = stored.iter().map(|row| serde_json::from_str(&row.body));
    Ok(read.collect::<std::result::Result<_, _>>()?)
}

/// Known rows at the present position: those that the projection computed again in between are loaded. `None` where that are too
/// many, or the projection began anew.
fn follow(cx: &mut Context<'_, '_>, known: &Recent, position: i64) -> Result<Option<Arc<Vec<ChangeOutcome>>>> {
    if position == known.position {
        return Ok(Some(Arc::clone(&known.changes)));
    }
    if position < known.position || position - known.position > MOST_EVENTS {
        return Ok(None);
    }
    let ids: BTreeSet<String> = projection::changes_between(cx.tx, known.position, position)?
        .into_iter()
        .collect();
    let others = known.changes.iter().filter(|row| !ids.contains(&row.change));
    let mut changes: Vec<ChangeOutcome> = others.cloned().collect();
    for id in &ids {
        let Some(row) = change_outcome::find(cx.tx, id)? else {
            continue;
        };
        let read: ChangeOutcome = serde_json::from_str(&row.body)?;
        if known.which.takes(&row, &read) {
            changes.push(read);
        }
    }
    Ok((changes.len() <= known.which.most()).then(|| Arc::new(changes)))
}

/// The rows with the facts about them: those that are known, where the directory is the same and no further service is named.
fn with_facts(
    cx: &mut Context<'_, '_>,
    (which, position, generation): (Which, i64, i64),
    changes: Arc<Vec<ChangeOutcome>>,
    known: Option<&Recent>,
) -> Result<Recent> {
    let services = without_team(&changes);
    let known = known.filter(|it| it.generation == generation && services.is_subset(&it.services));
    let (services, facts) = match known {
        Some(known) => (known.services.clone(), Arc::clone(&known.facts)),
        None => {
            let facts = facts_about(cx, &services)?;
            (services, Arc::new(facts))
        }
    };
    Ok(Recent {
        which,
        position,
        generation,
        changes,
        services,
        facts,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn row(created: i64, moved: i64) -> (OutcomeRow, ChangeOutcome) {
        let read = json!({
            "change": "c1", "version": 1, "number": 1, "key": "CHG-1", "kind": "emergency", "category": "facility",
            "risk": "low", "state": "closed", "created_at": at(created).to_string(), "targets": [],
        });
        let stored = OutcomeRow {
            change_id: "c1".to_owned(),
            version: 1,
            number: 1,
            created_at: at(created),
            moved_at: at(moved),
            ended_at: None,
            body: read.to_string(),
        };
        (stored, serde_json::from_value(read).unwrap())
    }

    #[test]
    fn rows_that_are_followed_are_those_that_would_be_loaded() {
        let takes = |which: Which, created: i64, moved: i64| {
            let (stored, read) = row(created, moved);
            which.takes(&stored, &read)
        };
        let all = Which::Moved {
            from: at(100),
            is_of_work: false,
            cut: None,
        };
        assert!(takes(all, 100, 100) && !takes(all, 99, 99));
        let worked = Which::Moved {
            from: at(100),
            is_of_work: true,
            cut: Some(at(200)),
        };
        assert!(takes(worked, 50, 201), "work ended behind the cut");
        assert!(!takes(worked, 50, 200), "the row at the cut is left out");
        assert!(!takes(worked, 300, 300), "it was only written");
        let window = Window {
            from: at(100),
            to: at(200),
        };
        let of_kind = |kind| Which::OfKind(kind, window);
        assert!(takes(of_kind(Kind::Emergency), 100, 900) && !takes(of_kind(Kind::Emergency), 200, 200));
        assert!(!takes(of_kind(Kind::Normal), 100, 100));
    }
}

//! Finds the changes behind the success figure, by the definition `success_share`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::change::record::Change;
use model::core::enums::{Kind, Level, Outcome};
use model::report::definition;
use model::report::evaluate::{Counted, Question, Window, evaluate};
use model::report::figure::{Figure, figure};
use model::report::population::RowFilter;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::report::find_figures::{Rows, load_rows};
use crate::report::recent_rows::find_recent;

/// How many titles are looked up at once.
const AT_ONCE: usize = 50;

/// A change that is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// How it is governed.
    pub kind: Kind,
    /// Its risk.
    pub risk: Level,
    /// How many minutes its work took.
    pub work_minutes: Option<i64>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whether it succeeded.
    pub has_succeeded: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its work ended.
    pub ended_at: Timestamp,
}

/// The changes whose work ended in a window, the newest first: those that the success figure counts.
///
/// # Errors
/// 403, or the store's.
pub fn find_ended(cx: &mut Context<'_, '_>, window: Window) -> Result<Vec<Ended>> {
    let rows = load_rows(cx, window)?;
    ended_in(cx, window, &rows)
}

/// The same for a page: of more than [`MOST_READ`](crate::report::recent_rows::MOST_READ) changes those of the newest part of the
/// window, and from when on that is.
///
/// # Errors
/// 403, or the store's.
pub fn find_newest_ended(cx: &mut Context<'_, '_>, window: Window) -> Result<(Vec<Ended>, Option<Timestamp>)> {
    let (rows, since) = find_recent(cx, window)?;
    let ended = ended_in(cx, window.from_on(since), &rows)?;
    Ok((ended, since.filter(|since| window.from < *since)))
}

fn ended_in(cx: &mut Context<'_, '_>, window: Window, rows: &Rows) -> Result<Vec<Ended>> {
    let filter = filter(cx)?;
    let counted = counted("success_share", window, &filter, rows)?;
    let kept = counted.iter().filter(|it| it.exclusion.is_none());
    let one = |it: &Counted<'_>| Ended {
        id: it.row.change.clone(),
        key: it.row.key.clone(),
        kind: it.row.kind,
        risk: it.row.risk,
        work_minutes: it.row.started_at.map(|from| it.at.duration_since(from).as_mins()),
        outcome: it.row.outcome,
        has_succeeded: it.is_hit,
        created_at: it.row.created_at,
        ended_at: it.at,
    };
    let mut found: Vec<Ended> = kept.map(one).collect();
    found.reverse();
    Ok(found)
}

/// The figures of some metrics in each of some windows, over all rows that the acting person sees; rows are loaded once. Of
/// more than [`MOST_READ`](crate::report::recent_rows::MOST_READ) changes the newest part of a window is counted, and windows
/// before it have no figure; the second result is the time from which everything is counted.
///
/// # Errors
/// 403, or the store's.
pub fn find_courses(
    cx: &mut Context<'_, '_>,
    metrics: &[&str],
    windows: &[Window],
) -> Result<(Vec<Vec<Figure>>, Option<Timestamp>)> {
    let ends = (
        windows.iter().map(|it| it.from).min(),
        windows.iter().map(|it| it.to).max(),
    );
    let (Some(from), Some(to)) = ends else {
        return Ok((Vec::new(), None));
    };
    let (rows, since) = find_recent(cx, Window { from, to })?;
    let since = since.filter(|since| from < *since);
    let filter = filter(cx)?;
    let one = |metric: &str, window: &Window| -> Result<Figure> {
        let window = window.from_on(since);
        let counted = counted(metric, window, &filter, &rows)?;
        let all: Vec<&Counted<'_>> = counted.iter().collect();
        Ok(figure(known(metric)?, &all, window))
    };
    let is_counted = |window: &&Window| since.is_none_or(|since| since < window.to);
    let course = |metric: &&str| -> Result<Vec<Figure>> {
        let counted = windows.iter().filter(is_counted);
        counted.map(|window| one(metric, window)).collect()
    };
    let courses: Vec<Vec<Figure>> = metrics.iter().map(course).collect::<Result<_>>()?;
    Ok((courses, since))
}

fn known(metric: &str) -> Result<&'static definition::Definition> {
    definition::find(metric).ok_or_else(|| Error::Fault(format!("the metric `{metric}` is not compiled in")))
}

fn counted<'r>(metric: &str, window: Window, filter: &RowFilter, rows: &'r Rows) -> Result<Vec<Counted<'r>>> {
    let question = Question {
        definition: known(metric)?,
        window,
        filter,
        by: None,
    };
    Ok(evaluate(&question, &rows.changes, &rows.facts))
}

fn filter(cx: &mut Context<'_, '_>) -> Result<RowFilter> {
    let within = cx.scope()?.map(|scope| scope.services().iter().cloned().collect());
    Ok(RowFilter {
        within,
        ..RowFilter::default()
    })
}

/// The titles of changes, by id.
///
/// # Errors
/// The store's.
pub fn find_titles(cx: &mut Context<'_, '_>, ids: &[String]) -> Result<BTreeMap<String, String>> {
    let mut titles = BTreeMap::new();
    for some in ids.chunks(AT_ONCE) {
        let filter = Filter::new()
            .one_of("id", some.iter().map(String::as_str))
            .order_by("id");
        for change in record::bodies::<Change>(cx.tx, &filter)? {
            titles.insert(change.id.0, change.content.title);
        }
    }
    Ok(titles)
}

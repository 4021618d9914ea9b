//! Exports the events of changes as an event log for process mining. Only auditors and change managers may see who decides
//! when: other readers get pseudonyms, except for their own name.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::core::act::actions;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::report::change_outcome::ChangeOutcome;
use model::report::evaluate::Window;
use model::report::event_log::{Case, CaseEvent};
use model::report::population::RowFilter;
use model::report::process_map::{ProcessMap, process_map};
use proof::event::Event;
use store::audit::event;
use store::report::change_outcome;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::former_teams::facts_of;
use crate::report::metric_query::{check_places, is_change_manager};

/// The most cases of an export.
pub const MOST_CASES: usize = 2_000;

/// The changes that were created in a window and fit a filter, each with its events, in the order of their numbers.
///
/// # Errors
/// 403; 422 for more than [`MOST_CASES`] and for a place that is not known; the store's.
pub fn export_event_log(cx: &mut Context<'_, '_>, window: Window, filter: &RowFilter) -> Result<Vec<Case>> {
    let rows = fitting(cx, window, filter)?;
    if rows.len() > MOST_CASES {
        let text = format!(
            "This window has {} changes, and an event log can have at most {MOST_CASES}. Set `from` and `to` closer together, \
             or name a service.",
            rows.len()
        );
        return Err(Refusal::field("from", "too_many", text).into());
    }
    cases_of(cx, &rows)
}

/// The map of the paths that changes took, and how many changes lie in the window. Of more than [`MOST_CASES`] the newest are
/// looked at.
///
/// # Errors
/// 403; 422 for a place that is not known; the store's.
pub fn find_process_map(cx: &mut Context<'_, '_>, window: Window, filter: &RowFilter) -> Result<(ProcessMap, u64)> {
    let rows = fitting(cx, window, filter)?;
    let newest = &rows[rows.len().saturating_sub(MOST_CASES)..];
    let cases = cases_of(cx, newest)?;
    Ok((process_map(&cases), rows.len() as u64))
}

fn cases_of(cx: &mut Context<'_, '_>, rows: &[ChangeOutcome]) -> Result<Vec<Case>> {
    let mut names = Names::of(cx)?;
    rows.iter().map(|row| case_of(cx, row, &mut names)).collect()
}

/// The rows that were created in a window and fit a filter, in the order of their numbers.
fn fitting(cx: &mut Context<'_, '_>, window: Window, filter: &RowFilter) -> Result<Vec<ChangeOutcome>> {
    cx.allow(actions::READ)?;
    check_places(&*cx.visible()?, filter)?;
    let mut filter = filter.clone();
    filter.within = cx.scope()?.map(|scope| scope.services().iter().cloned().collect());
    let most = i64::try_from(crate::report::find_figures::MOST_CHANGES).unwrap_or(i64::MAX);
    let stored = change_outcome::list(cx.tx, window.from, window.to, most)?;
    let read = stored.iter().map(|row| serde_json::from_str(&row.body));
    let rows: Vec<ChangeOutcome> = read.collect::<std::result::Result<_, _>>()?;
    let facts = facts_of(cx, &rows)?;
    let fits = |row: &ChangeOutcome| {
        let any_target = row.targets.iter().any(|it| filter.fits(row, Some(it), &facts));
        any_target || (row.targets.is_empty() && filter.fits(row, None, &facts))
    };
    let mut rows: Vec<ChangeOutcome> = rows
        .into_iter()
        .filter(|row| window.has(row.created_at) && fits(row))
        .collect();
    rows.sort_by_key(|row| row.number);
    Ok(rows)
}

/// The names of people in one export.
struct Names {
    directory: Arc<Directory>,
    /// Whether the reader sees everybody's login.
    sees_all: bool,
    reader: PersonId,
    /// The numbers of the pseudonyms, which hold for one export alone.
    numbers: BTreeMap<PersonId, usize>,
}

impl Names {
    fn of(cx: &mut Context<'_, '_>) -> Result<Self> {
        let directory = cx.directory()?;
        let is_manager = is_change_manager(cx)?;
        Ok(Self {
            sees_all: is_manager || cx.allow(actions::AUDIT).is_ok(),
            reader: cx.actor.person.clone(),
            numbers: BTreeMap::new(),
            directory,
        })
    }

    /// The name of an actor in an export.
    fn name(&mut self, actor: &str) -> String {
        if matches!(actor, "" | "system") {
            return "system".to_owned();
        }
        let person = PersonId::from(actor);
        if self.sees_all || person == self.reader {
            return self.directory.login(&person);
        }
        let next = self.numbers.len() + 1;
        format!("person-{}", self.numbers.entry(person).or_insert(next))
    }
}

fn case_of(cx: &mut Context<'_, '_>, row: &ChangeOutcome, names: &mut Names) -> Result<Case> {
    let mut events = Vec::new();
    for stored in event::of_subject(cx.tx, "change", &row.change)? {
        let actor = Event::from_bytes(&stored.bytes).map(|it| it.actor).unwrap_or_default();
        events.push(CaseEvent {
            activity: stored.kind,
            resource: names.name(&actor),
            at: stored.occurred_at,
        });
    }
    // Ids of several servers follow their clocks; the times are what process mining orders by.
    events.sort_by_key(|it| it.at);
    let mut services: Vec<String> = row.targets.iter().map(|it| it.service.0.clone()).collect();
    services.sort_unstable();
    services.dedup();
    Ok(Case {
        key: row.key.clone(),
        kind: row.kind.as_str().to_owned(),
        risk: row.risk.as_str().to_owned(),
        services,
        events,
    })
}

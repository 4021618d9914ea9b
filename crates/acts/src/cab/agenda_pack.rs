//! The pack of a meeting: its agenda with each change, the risk and the conflicts, and the month under review.

use jiff::Timestamp;
use model::cab::agenda::{Agenda, AgendaState};
use model::cab::agenda_item::AgendaItem;
use model::change::record::Change;
use model::core::refusal::Refusal;
use model::schedule::conflicts::{Found, Planned};

use crate::cab::agenda::{find_items, items_of, later_items, load_agenda};
use crate::cab::board_pack::{BoardPack, find_pack};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::schedule::change_conflicts::find_of;

/// A change on an agenda.
#[derive(Debug, Clone)]
pub struct PackItem {
    /// The item.
    pub item: AgendaItem,
    /// The change; `None` if it is erased, archived or outside of the reader's scope.
    pub change: Option<PackChange>,
}

/// A change as a board reads it.
#[derive(Debug, Clone)]
pub struct PackChange {
    /// Its title.
    pub title: String,
    /// The name of its owner.
    pub owner: String,
    /// Service and environment of each target.
    pub targets: Vec<String>,
    /// Its planned times.
    pub planned: Option<(Timestamp, Timestamp)>,
    /// The reasons for its risk.
    pub risk_reasons: Vec<String>,
    /// The conflicts of its present plan.
    pub conflicts: Vec<Found>,
}

/// The pack of a meeting.
#[derive(Debug, Clone)]
pub struct AgendaPack {
    /// The agenda.
    pub agenda: Agenda,
    /// The title of the meeting.
    pub title: String,
    /// The name of its board.
    pub board: String,
    /// The name of its chair.
    pub chair: String,
    /// Its items; before the freeze the changes that need the board now.
    pub items: Vec<PackItem>,
    /// The items that came after the freeze.
    pub later: Vec<PackItem>,
    /// The month that the meeting reviews.
    pub month: Option<BoardPack>,
}

/// Finds the pack of a meeting (`GET /agendas/{id}/file`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_agenda_pack(cx: &mut Context<'_, '_>, id: &str) -> Result<AgendaPack> {
    let (agenda, meeting) = load_agenda(cx, id)?;
    let listed = match agenda.state {
        AgendaState::Open => find_items(cx, &agenda.group, &[])?,
        _ => items_of(cx, &agenda.id)?,
    };
    let later = later_items(cx, &agenda)?;
    let month = match &agenda.month {
        Some(month) => match find_pack(cx, month) {
            Ok(pack) => Some(pack),
            // An agenda does not fail when there are too many rows for the figures.
            Err(Error::Refused(_)) => None,
            Err(fault) => return Err(fault),
        },
        None => None,
    };
    Ok(AgendaPack {
        title: meeting.title,
        board: cx.directory()?.group_name(&agenda.group),
        chair: cx.directory()?.name(&agenda.chair),
        items: with_changes(cx, listed)?,
        later: with_changes(cx, later)?,
        month,
        agenda,
    })
}

fn with_changes(cx: &mut Context<'_, '_>, items: Vec<AgendaItem>) -> Result<Vec<PackItem>> {
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let change = match cx.change(&item.change_key) {
            Ok(change) => Some(read(cx, &change)?),
            Err(Error::Refused(Refusal::NotFound { .. })) => None,
            Err(error) => return Err(error),
        };
        found.push(PackItem { item, change });
    }
    Ok(found)
}

fn read(cx: &mut Context<'_, '_>, change: &Change) -> Result<PackChange> {
    let conflicts = match Planned::of(change) {
        Some(planned) => find_of(cx, &planned)?,
        None => Vec::new(),
    };
    let targets = change.content.targets.iter();
    Ok(PackChange {
        title: change.content.title.clone(),
        owner: cx.directory()?.name(&change.content.owner),
        targets: targets
            .map(|it| format!("{} in {}", it.service, it.environment))
            .collect(),
        planned: change.planned_start.zip(change.planned_end),
        risk_reasons: change.risk.reasons.clone(),
        conflicts,
    })
}

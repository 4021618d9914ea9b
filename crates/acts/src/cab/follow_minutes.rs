//! The work for a meeting beside voting: its chair signs the minutes, and a chair who is no longer a member of the
//! board is replaced. Both are action items, so that a meeting without minutes escalates.

use jiff::SignedDuration;
use model::cab::agenda::{Agenda, AgendaState};
use model::core::enums::{AboutKind, ActionKind};
use model::notify::action_item::{About, Due, NewItem, Owner};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::notify::action_items::{open, settle_by_rule};

/// How many hours after its beginning the minutes of a meeting must be signed.
const SIGNED_HOURS: i64 = 24;

/// The items are about the board and not about the meeting: items about the meeting itself were decided at it, and its
/// minutes list them.
fn about(agenda: &Agenda) -> About {
    About::new(AboutKind::Board, agenda.group.as_str())
}

/// Requests the minutes of a frozen agenda, and another chair if its own is no longer a member of the board.
///
/// # Errors
/// The store's.
pub(crate) fn follow_chair(cx: &mut Context<'_, '_>, agenda: &Agenda) -> Result<()> {
    let directory = cx.directory()?;
    let board = directory.group_name(&agenda.group);
    let part = format!("chair/{}", agenda.id);
    if directory.members(&agenda.group).contains(&agenda.chair) {
        settle_by_rule(cx, ActionKind::Other, &about(agenda), &part, "The meeting has a chair.")?;
    } else {
        let title = format!("Name another chair for {board}, which meets at {}", agenda.starts_at);
        let item = NewItem {
            part,
            due: Due::At(agenda.starts_at),
            ..NewItem::new(ActionKind::Other, about(agenda), title)
        };
        open(cx, item)?;
    }
    if agenda.state != AgendaState::Frozen {
        return Ok(());
    }
    let title = format!("Sign the minutes of {board}, which meets at {}", agenda.starts_at);
    let item = NewItem {
        part: format!("minutes/{}", agenda.id),
        owner: Owner::Person(agenda.chair.clone()),
        due: Due::At(agenda.starts_at + SignedDuration::from_hours(SIGNED_HOURS)),
        // All members are notified when the agenda is frozen.
        tells: false,
        ..NewItem::new(ActionKind::Other, about(agenda), title)
    };
    open(cx, item).map(drop)
}

/// Gives the minutes to another chair.
///
/// # Errors
/// The store's.
pub(crate) fn change_chair(cx: &mut Context<'_, '_>, agenda: &Agenda) -> Result<()> {
    settle_all(cx, agenda, "Another person chairs the meeting.")?;
    follow_chair(cx, agenda)
}

/// Settles these items once the minutes are signed or the meeting is called off.
///
/// # Errors
/// The store's.
pub(crate) fn settle_all(cx: &mut Context<'_, '_>, agenda: &Agenda, reason: &str) -> Result<()> {
    for part in ["chair", "minutes"] {
        let part = format!("{part}/{}", agenda.id);
        settle_by_rule(cx, ActionKind::Other, &about(agenda), &part, reason)?;
    }
    Ok(())
}

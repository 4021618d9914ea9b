//! The timer of an action item: it does the latest step of the escalation that is due, and sets the next one.

use jiff::SignedDuration;
use model::notify::action_item::ActionItem;
use model::notify::item_clock::{ABOVE, DUE, due_step, notified};
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};
use crate::notify::action_items::{TABLE, TOPIC, facts, fall, set_timer, without_point, write_to};

/// The topic of letters about items that are due.
const LATE: &str = "action_item_due";
/// The shortest time between two steps: a calendar that has no day left ahead would else wake the item at once again.
const PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Does the due step for an item and sets its timer again.
///
/// # Errors
/// The store's.
pub(crate) fn escalate(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(stored) = record::load::<ActionItem>(cx.tx, id)? else {
        return Ok(());
    };
    let mut item = stored.record;
    if item.state.is_open() {
        item = fall(cx, item)?;
    }
    let directory = cx.directory()?;
    if let Some(step) = due_step(&directory, &item, cx.now) {
        item = do_step(cx, item, step)?;
    }
    let least = cx.now.saturating_add(PAUSE).unwrap_or(cx.now);
    set_timer(cx, &item, least)
}

fn do_step(cx: &mut Context<'_, '_>, item: ActionItem, step: i64) -> Result<ActionItem> {
    let mut written = Written::default();
    let item = cx.put(&mut written, ActionItem { steps: step, ..item })?;
    let directory = cx.directory()?;
    let words = escalation_text(&item, step);
    for reader in notified(&directory, &item, step, cx.now) {
        let what = format!("step/{}/{step}", item.asked_at);
        write_to(cx, &mut written, (&item, &reader), &words, &what)?;
    }
    let event = draft(
        "action_item.escalated",
        (TABLE, item.id.0.clone()),
        cx.now,
        facts(&item),
    );
    cx.emit(vec![event], written)?;
    Ok(item)
}

fn escalation_text(item: &ActionItem, step: i64) -> (&'static str, String, String) {
    let (key, due, title) = (&item.key, item.due_at, without_point(&item.title));
    match step {
        ..DUE => {
            let text = format!("{key} is due {due}: {title}.");
            (TOPIC, format!("{key} is due soon"), text)
        }
        DUE => {
            let text = format!("{key} was due {due}, and nobody has settled it: {title}.");
            (LATE, format!("{key} is overdue"), text)
        }
        ABOVE.. => {
            let text = format!("{key} has been overdue since {due}: {title}.");
            (LATE, format!("{key} is still overdue"), text)
        }
    }
}

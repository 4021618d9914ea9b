//! Writes into the log of actions (`POST …/implementation/entries`).

use model::change::related_records::Entry;
use model::change::work;
use model::core::body::Body;
use model::core::ids::RecordId;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// Writes into the log of actions (`POST …/implementation/entries`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn record_entry(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    let looks_back = ["withdraws", "step", "tap"]
        .into_iter()
        .any(|field| body.contains_key(field));
    let earlier = match looks_back {
        true => earlier(cx, key)?,
        false => Vec::new(),
    };
    // A device that lost the response to a tap sends the tap again; it remains one entry.
    if let Some(known) = work::repeated(&cx.actor.person, body, &earlier)? {
        return Ok(known);
    }
    cx.on_change(key, |case| work::record(case, body, &earlier))
}

/// The entries in a change's log of actions.
pub(crate) fn earlier(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<Entry>> {
    let change = cx.change(key)?;
    let all = Filter::new()
        .equals("change_id", change.id.as_str())
        .order_by("id")
        .limit(work::MOST_ENTRIES);
    Ok(record::bodies::<Entry>(cx.tx, &all)?)
}

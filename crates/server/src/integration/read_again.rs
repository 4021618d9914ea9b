//! Reads a kept delivery of an outside system once more.

use acts::Context;
use acts::core::{connections, row_mac};
use acts::integration::take_delivery;
use connect::integration::door;
use model::core::act;
use model::core::refusal::Refusal;
use model::integration::signal::Signal;
use store::integration::inbox;

/// Reads a delivery once more; returns its signals and the result.
pub(crate) fn read_again(cx: &mut Context<'_, '_>, id: &str) -> acts::Result<(Vec<Signal>, String)> {
    let row = delivery(cx, id)?;
    if row.body.is_empty() {
        let text = "The raw body of this delivery was erased by the retention.";
        return Err(Refusal::not_now("forgotten", text, "Have its sender send it again.", Vec::new()).into());
    }
    let kind = connections::connection(cx, &row.connection)?.kind;
    let read = door::read_whole(&kind, &row.event, &row.body, row.received_at);
    let signals = read.map_err(|aside| {
        let text = format!("The delivery cannot be read: {}.", aside.reason);
        Refusal::not_now(
            "unreadable",
            text,
            "Have its sender mended, or set its reader right.",
            Vec::new(),
        )
    })?;
    let now = cx.now;
    let holder = format!("replay-{}", cx.act);
    // The person who requests the reading is responsible for the delivery, also where no server received it.
    let mac = row_mac::Came::from(&row).mac(cx);
    inbox::again(cx.tx, &row.id, now, &mac)?;
    if !inbox::take(cx.tx, &row.id, &holder, now)? {
        let text = "A worker reads this delivery just now.";
        return Err(Refusal::not_now("busy", text, "Ask again in a moment.", Vec::new()).into());
    }
    let result = cx.as_system(|cx| take_delivery::take_delivery(cx, &row.id, &holder, &row.connection, &signals))?;
    Ok((signals, result))
}

pub(crate) fn delivery(cx: &mut Context<'_, '_>, id: &str) -> acts::Result<inbox::Delivery> {
    cx.allow(act::actions::SET_CONNECTION)?;
    Ok(inbox::load(cx.tx, id)?.ok_or_else(|| Refusal::not_found("delivery"))?)
}

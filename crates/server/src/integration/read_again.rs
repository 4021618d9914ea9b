//! Reads a kept delivery of an outside system once more.

use acts::Room;
use acts::core::connections;
use acts::core::row_mac;
use acts::integration::take_delivery;
use connect::integration::door;
use model::core::act;
use model::core::refusal::Refusal;
use model::integration::signal::Signal;
use store::integration::inbox;

/// Reads a delivery once more; what it says, and what it came to.
pub(crate) fn read_again(room: &mut Room<'_, '_>, id: &str) -> acts::Result<(Vec<Signal>, String)> {
    let row = delivery(room, id)?;
    if row.body.is_empty() {
        let text = "The raw body of this delivery is gone: the retention keeps none for so long.";
        return Err(Refusal::not_now("forgotten", text, "Have its sender send it again.", Vec::new()).into());
    }
    let kind = connections::connection(room, &row.connection)?.kind;
    let read = door::read(&kind, &row.event, &row.body, row.received_at);
    let signals = read.map_err(|aside| {
        let text = format!("The delivery cannot be read: {}.", aside.reason);
        Refusal::not_now(
            "unreadable",
            text,
            "Have its sender mended, or set its reader right.",
            Vec::new(),
        )
    })?;
    let now = room.now;
    let holder = format!("replay-{}", room.act);
    // Who has it read once more answers for it, also where no server took it in.
    let mac = row_mac::Came::from(&row).mac(room);
    inbox::again(room.tx, &row.id, now, &mac)?;
    if !inbox::take(room.tx, &row.id, &holder, now)? {
        let text = "A worker reads this delivery just now.";
        return Err(Refusal::not_now("busy", text, "Ask again in a moment.", Vec::new()).into());
    }
    let result =
        room.as_system(|room| take_delivery::take_delivery(room, &row.id, &holder, &row.connection, &signals))?;
    Ok((signals, result))
}

pub(crate) fn delivery(room: &mut Room<'_, '_>, id: &str) -> acts::Result<inbox::Delivery> {
    room.allow(act::actions::SET_CONNECTION)?;
    Ok(inbox::load(room.tx, id)?.ok_or_else(|| Refusal::not_found("delivery"))?)
}

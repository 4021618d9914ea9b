//! Reads a kept delivery of an outside system once more.

use acts::Room;
use model::core::refusal::Refusal;
use model::integration::signal::Signal;

/// Reads a delivery once more; what it says, and what it came to.
pub(crate) fn read_again(room: &mut Room<'_, '_>, id: &str) -> acts::Result<(Vec<Signal>, String)> {
    let row = delivery(room, id)?;
    if row.body.is_empty() {
        let text = "The raw body of this delivery is gone: the retention keeps none for so long.";
        return Err(Refusal::not_now("forgotten", text, "Have its sender send it again.", Vec::new()).into());
    }
    let kind = acts::core::connections::connection(room, &row.connection)?.kind;
    let read = connect::integration::door::read(&kind, &row.event, &row.body, row.received_at);
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
    let mac = acts::core::row_mac::Came::from(&row).mac(room);
    store::integration::inbox::again(room.tx, &row.id, now, &mac)?;
    if !store::integration::inbox::take(room.tx, &row.id, &holder, now)? {
        let text = "A worker reads this delivery just now.";
        return Err(Refusal::not_now("busy", text, "Ask again in a moment.", Vec::new()).into());
    }
    let result = room.as_system(|room| {
        acts::integration::take_delivery::take_delivery(room, &row.id, &holder, &row.connection, &signals)
    })?;
    Ok((signals, result))
}

pub(crate) fn delivery(room: &mut Room<'_, '_>, id: &str) -> acts::Result<store::integration::inbox::Delivery> {
    room.allow(model::core::act::actions::SET_CONNECTION)?;
    Ok(store::integration::inbox::load(room.tx, id)?.ok_or_else(|| Refusal::not_found("delivery"))?)
}

//! Records the delivery of a message: mailed, kept because no mail server is set up, or failed for good.

use model::change::related_records::Message;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};

/// Marks a message as `mailed`, `kept` or `failed`. A message that is gone is no error.
///
/// # Errors
/// The store's.
pub fn mark_message(cx: &mut Context<'_, '_>, id: &str, delivery: &str) -> Result<()> {
    let Some(stored) = record::load::<Message>(cx.tx, id)? else {
        return Ok(());
    };
    if stored.record.delivery == delivery {
        return Ok(());
    }
    let mut written = Written::default();
    let message = Message {
        delivery: delivery.to_owned(),
        ..stored.record
    };
    cx.put(&mut written, message)?;
    let event = draft(
        "message.delivery",
        ("message", id.to_owned()),
        cx.now,
        serde_json::json!({"delivery": delivery}),
    );
    cx.emit(vec![event], written)
}

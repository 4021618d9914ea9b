//! Links a change to another or to an incident (`POST …/links`).

use model::ids::RecordId;
use model::verbs::Body;
use model::verbs::around::{LinkEnd, link};
use serde_json::Value;

use crate::error::Result;
use crate::room::Room;

/// Links; answers the link's id.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn link_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    let wanted = body
        .get("to")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_uppercase();
    let id = store::changes::id_of_key(room.tx, &wanted)?;
    let end = id.map(|id| LinkEnd {
        id: id.as_str().into(),
        key: wanted.clone(),
    });
    room.on_change(key, |case| link(case, body, &|_| end.clone()))
}

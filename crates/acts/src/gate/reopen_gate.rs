//! Reopens the gate of a change that a finding about the log closed (`POST …/gate-reopenings`), by two people.

use model::core::act::actions;
use model::core::body::Body;
use model::core::refusal::Refusal;
use model::gate::reopening;

use crate::audit::read_grounds::noted_lack;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::impersonation::{check_voice, check_whole};

/// Requests the reopening or agrees to it. The gate opens once the event is in the log and its own grounds were
/// verified.
///
/// # Errors
/// 403, 404, 422, 409 if no finding closed the gate, or the store's.
pub fn reopen_gate(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.allow(actions::READ)?;
    check_voice(cx)?;
    check_whole(cx)?;
    let change = cx.change(key)?;
    let Some(event) = noted_lack(cx, &change)? else {
        let text = "The gate for this change was not closed by a finding about the log.";
        let help = "`GET …/requirements` lists what the change is waiting for.";
        return Err(Refusal::not_now("gate_not_closed", text, help, Vec::new()).into());
    };
    cx.on_change(key, |case| reopening::reopen(case, body, &event))
}

//! Judges waiting checks and questions of outside systems again about which something outside of the changes here has moved.

use model::change::related_records::GateCheck;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::answer::{judge_check, waiting_checks};
use crate::integration::external_checks;

/// Judges the waiting checks of a service again, and the questions of outside systems about it: another system has told something of
/// it, or leads it from now on.
///
/// # Errors
/// The store's.
pub(crate) fn rejudge_service(cx: &mut Context<'_, '_>, service: &str) -> Result<()> {
    for stored in record::find::<GateCheck>(cx.tx, &waiting_checks().equals("service", service))? {
        judge_check(cx, stored.record)?;
    }
    external_checks::answer_service(cx, service)
}

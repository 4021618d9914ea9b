//! Evaluates waiting checks and questions of outside systems again after a change outside of Assent.

use model::change::related_records::GateCheck;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::answer::{judge_check, waiting_checks};
use crate::integration::external_checks;

/// Evaluates the waiting checks of a service again, and the pending questions of outside systems about it: another
/// system reported something new about the service, or now leads it.
///
/// # Errors
/// The store's.
pub(crate) fn rejudge_service(cx: &mut Context<'_, '_>, service: &str) -> Result<()> {
    for stored in record::find::<GateCheck>(cx.tx, &waiting_checks().equals("service", service))? {
        judge_check(cx, stored.record)?;
    }
    external_checks::answer_service(cx, service)
}

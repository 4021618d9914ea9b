//! Does what the clock made due for a change, a waiting check, messages that wait for their reader, a tenant's review of access
//! or a part of one, what a provider gave. It takes nothing but the subject, and may run twice.

use store::record;

use crate::error::{Error, Result};
use crate::room::Room;

/// Reloads the subject and asks the model what is due now.
///
/// # Errors
/// The store's. A subject that is gone is no error: its timer is simply over.
pub fn run_timer(room: &mut Room<'_, '_>, table: &str, subject: &str) -> Result<()> {
    let answer = match table {
        "change" => room.on_change(subject, |case| {
            model::due::run(case);
            Ok(())
        }),
        "gate_check" => match record::load(room.tx, subject)? {
            Some(stored) => crate::gate::judge_check(room, stored.record),
            None => Ok(()),
        },
        "person" => crate::tell_held::tell_held(room, subject),
        crate::review_by_clock::TABLE => crate::review_by_clock::begin(room),
        crate::review_by_clock::LOST => crate::review_by_clock::set_again(room),
        crate::revoke_signed::TABLE => crate::revoke_signed::revoke_signed(room, subject),
        crate::doubt_workload::TABLE => crate::doubt_workload::run(room, subject),
        crate::end_unconfirmed::TABLE => crate::end_unconfirmed::run(room, subject),
        crate::remind_of_review::TABLE => crate::remind_of_review::remind(room, subject),
        "outside_check" => crate::answer_outside::judge_again(room, subject),
        _ => Ok(()),
    };
    match answer {
        Err(Error::Refused(model::refusal::Refusal::NotFound { .. })) => Ok(()),
        other => other,
    }
}

//! Does what the clock made due for a change, a waiting check, messages that wait for their reader, a tenant's review of access
//! or a part of one, what a provider gave. It takes nothing but the subject, and may run twice.

use model::due;
use model::refusal::Refusal;
use store::record;

use crate::error::{Error, Result};
use crate::room::Room;
use crate::{
    answer_outside, doubt_workload, end_unconfirmed, gate, remind_of_review, review_by_clock, revoke_signed, tell_held,
};

/// Reloads the subject and asks the model what is due now.
///
/// # Errors
/// The store's. A subject that is gone is no error: its timer is simply over.
pub fn run_timer(room: &mut Room<'_, '_>, table: &str, subject: &str) -> Result<()> {
    let answer = match table {
        "change" => room.on_change(subject, |case| {
            due::run(case);
            Ok(())
        }),
        "gate_check" => match record::load(room.tx, subject)? {
            Some(stored) => gate::judge_check(room, stored.record),
            None => Ok(()),
        },
        "person" => tell_held::tell_held(room, subject),
        review_by_clock::TABLE => review_by_clock::begin(room),
        review_by_clock::LOST => review_by_clock::set_again(room),
        revoke_signed::TABLE => revoke_signed::revoke_signed(room, subject),
        doubt_workload::TABLE => doubt_workload::run(room, subject),
        end_unconfirmed::TABLE => end_unconfirmed::run(room, subject),
        remind_of_review::TABLE => remind_of_review::remind(room, subject),
        "outside_check" => answer_outside::judge_again(room, subject),
        _ => Ok(()),
    };
    match answer {
        Err(Error::Refused(Refusal::NotFound { .. })) => Ok(()),
        other => other,
    }
}

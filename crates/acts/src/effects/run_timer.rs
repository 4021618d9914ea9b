//! Runs due timers: of a change, a waiting check, messages that wait for their reader, a tenant's access review or a
//! part of one, rights from a provider. The only input is the subject, and a timer may run twice.

use model::change::timers;
use model::core::refusal::Refusal;
use store::record;

use crate::audit::revoke_signed;
use crate::cab::{agenda, meeting_series};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::directory::{review_by_clock, review_items};
use crate::gate::answer;
use crate::identity::{audit_workload_trust, expire_federated_rights};
use crate::incident::alert_drift;
use crate::integration::external_checks;
use crate::notify::{action_items, communicate, escalate_items, send_deferred};
use crate::report::send_dashboard;
use crate::schedule::notice_course::past_end;
use crate::schedule::{expand_spans, find_hits, keep_conflicts, tell_hits};

/// Reloads the subject and gets the due steps from the model.
///
/// # Errors
/// The store's. A subject that is gone is no error: its timer is simply over.
pub fn run_timer(cx: &mut Context<'_, '_>, table: &str, subject: &str) -> Result<()> {
    let answer = match table {
        "change" => cx.on_change(subject, |case| {
            timers::run(case);
            Ok(())
        }),
        "gate_check" => match record::load(cx.tx, subject)? {
            Some(stored) => answer::judge_check(cx, stored.record),
            None => Ok(()),
        },
        "person" => send_deferred::send_held(cx, subject),
        review_by_clock::TABLE => review_by_clock::begin(cx),
        review_by_clock::LOST => review_by_clock::set_again(cx),
        revoke_signed::TABLE => revoke_signed::revoke_signed(cx, subject),
        audit_workload_trust::TABLE => audit_workload_trust::run(cx, subject),
        expire_federated_rights::TABLE => expire_federated_rights::run(cx, subject),
        review_items::TABLE => review_items::follow_by_id(cx, subject),
        communicate::TABLE => communicate::communicate(cx, subject),
        send_dashboard::TABLE => send_dashboard::send_dashboard(cx, subject),
        action_items::TABLE => {
            alert_drift::look_again(cx, subject)?;
            escalate_items::escalate(cx, subject)
        }
        expand_spans::FREEZES => expand_spans::expand_freeze(cx, subject),
        find_hits::TELLING => tell_hits::notify_owners(cx, subject),
        expand_spans::WINDOWS => expand_spans::expand_window(cx, subject),
        keep_conflicts::PAIR => keep_conflicts::follow_pair(cx, subject),
        keep_conflicts::LATE => keep_conflicts::escalate(cx, subject),
        past_end::TABLE => past_end::open_end_question(cx, subject),
        agenda::TABLE => agenda::follow(cx, subject),
        meeting_series::TABLE => meeting_series::plan_next(cx, subject),
        "outside_check" => external_checks::judge_again(cx, subject),
        _ => Ok(()),
    };
    match answer {
        Err(Error::Refused(Refusal::NotFound { .. })) => Ok(()),
        other => other,
    }
}

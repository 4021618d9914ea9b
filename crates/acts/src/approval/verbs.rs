//! Decisions of approvers: made, withdrawn, overruled.

use model::approval::decide;
use model::approval::one_hand;
use model::approval::separation_of_duties::of_interest;
use model::change::around;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::ids::{PersonId, RecordId};
use model::core::refusal::Refusal;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::field_changes;
use crate::guard::self_grant;

/// An approver confirms that they have seen the request (`POST …/acknowledgements`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn acknowledge_change(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    cx.on_change(key, decide::acknowledge)
}

/// Decides: approve, approve with conditions, return, reject, abstain (`POST …/approvals`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn approve_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    let answer = cx.on_change(key, |case| decide::approve(case, body));
    field_changes::explained(cx, key, body, answer)
}

/// Lifts the effect of a rejection on other changes with the same artifact (`POST …/overruling`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn overrule_rejection(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    let change = cx.change(key)?;
    let directory = cx.directory()?;
    for id in cx.of_the_same_build(&change)? {
        // Any account of the same person counts, and so do the requests and edits of their agent.
        let own = cx.load_change(&id)?.filter(|other| {
            let mut parts = of_interest(other);
            parts.any(|part| self_grant::is_one(cx, &directory, part))
        });
        if let Some(own) = own {
            let text = format!(
                "This rejection blocks your own change {}: another change manager must overrule it.",
                own.key
            );
            let mut others = directory.with_role(Role::ChangeManager);
            let is_out = |other: &PersonId| {
                let mut parts = of_interest(&own);
                parts.any(|part| one_hand::are_one(&directory, (other, part), cx.now))
            };
            others.retain(|other| !is_out(other));
            return Err(Refusal::not_allowed("own_request", text)
                .with_others(others.iter().map(|other| directory.login(other)).collect())
                .into());
        }
    }
    cx.on_change(key, |case| decide::overrule(case, body))
}

/// A peer reviews plan and code (`POST …/peer-reviews`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn peer_review_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    let answer = cx.on_change(key, |case| around::peer_review(case, body));
    field_changes::explained(cx, key, body, answer)
}

/// Sends a change back to draft with a question (`POST …/return`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn return_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| decide::return_change(case, body))
}

/// Withdraws one's own decision (`DELETE …/approvals/{id}`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn withdraw_approval(cx: &mut Context<'_, '_>, key: &str, approval: &RecordId) -> Result<()> {
    cx.on_change(key, |case| decide::withdraw(case, approval))
}

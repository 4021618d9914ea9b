//! Decisions of approvers: made, withdrawn, overruled.

use model::approval::decide;
use model::approval::separation_of_duties::is_of_interest;
use model::change::around;
use model::change::record::Change;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::ids::RecordId;
use model::core::refusal::Refusal;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::field_changes;

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
    let person = cx.actor.person.clone();
    // A request or text of an agent counts as its sponsor's own.
    let agents = cx.directory()?.agents.clone();
    let is_own = |other: &Change| {
        let mut theirs = agents.iter().filter(|agent| agent.sponsor == person);
        is_of_interest(other, &person) || theirs.any(|agent| is_of_interest(other, &agent.person))
    };
    for id in cx.of_the_same_build(&change)? {
        let own = cx.load_change(&id)?.filter(is_own);
        if let Some(own) = own {
            let text = format!(
                "This rejection stops {}, which is your own: another change manager overrules it.",
                own.key
            );
            let directory = cx.directory()?;
            let mut others = directory.with_role(Role::ChangeManager);
            others.retain(|other| !is_of_interest(&own, other));
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

/// Takes one's own decision back (`DELETE …/approvals/{id}`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn withdraw_approval(cx: &mut Context<'_, '_>, key: &str, approval: &RecordId) -> Result<()> {
    cx.on_change(key, |case| decide::withdraw(case, approval))
}

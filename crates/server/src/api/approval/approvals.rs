//! Decisions about a change: approvals, conditions, peer reviews, and what goes with them.

use acts::Context;
use model::change::related_records::{Approval, Condition, PeerReview};

use crate::api::shared::change_replies::{act, created, id, items, list, moved, nothing_said, plain_act, show};
use crate::http::route::{Ask, Reply, Route};

/// Decisions and what leads to them.
pub(crate) const ROUTES: &[Route] = &[
    plain_act!(
        "/changes/{key}/acknowledgements",
        "Says that one has seen the request.",
        acts::approval::verbs::acknowledge_change
    ),
    act!(
        "/changes/{key}/return",
        "Sends a change back with a question.",
        acts::approval::verbs::return_change
    ),
    act!(
        "/changes/{key}/overruling",
        "Lets others go on in spite of a rejection.",
        acts::approval::verbs::overrule_rejection
    ),
    items!(
        "/changes/{key}/approvals",
        "Lists decisions, also ended ones.",
        Approval
    ),
    Route::post(
        "/changes/{key}/approvals",
        "Decides: approve, return, reject, abstain.",
        approve,
    ),
    Route::delete(
        "/changes/{key}/approvals/{id}",
        "Takes one's own decision back.",
        |cx, ask| {
            acts::approval::verbs::withdraw_approval(cx, ask.place(0), &id(ask))?;
            show(cx, ask.place(0))
        },
    ),
    items!("/changes/{key}/conditions", "Lists conditions of approvals.", Condition),
    Route::post(
        "/changes/{key}/conditions/{id}/met",
        "Says that a condition is met.",
        |cx, ask| {
            acts::change::verbs::meet_condition(cx, ask.place(0), &id(ask), &ask.body)?;
            created::<Condition>(cx, ask, &id(ask))
        },
    ),
    items!("/changes/{key}/peer-reviews", "Lists peer reviews.", PeerReview),
    Route::post(
        "/changes/{key}/peer-reviews",
        "Says what a peer thinks of plan and code.",
        |cx, ask| {
            let id = acts::approval::verbs::peer_review_change(cx, ask.place(0), &ask.body)?;
            created::<PeerReview>(cx, ask, &id)
        },
    ),
];

fn approve(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let id = acts::approval::verbs::approve_change(cx, ask.place(0), &ask.body)?;
    created::<Approval>(cx, ask, &id)
}

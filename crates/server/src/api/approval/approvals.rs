//! Decisions about a change: approvals, conditions, peer reviews, and what goes with them.

use acts::Context;
use model::change::related_records::{Approval, Condition, PeerReview};

use crate::api::shared::change_replies::{act, created, id, items, list, moved, plain_act, show, without_parameters};
use crate::http::route::{Ask, Reply, Route};

/// Decisions and what leads to them.
pub(crate) const ROUTES: &[Route] = &[
    plain_act!("acknowledge_change", acts::approval::verbs::acknowledge_change),
    act!("return_change", acts::approval::verbs::return_change),
    act!("overrule_rejection", acts::approval::verbs::overrule_rejection),
    items!("list_approvals", Approval),
    Route::writes("approve_change", approve),
    Route::writes("withdraw_approval", |cx, ask| {
        acts::approval::verbs::withdraw_approval(cx, ask.place(0), &id(ask))?;
        show(cx, ask.place(0))
    }),
    items!("list_conditions", Condition),
    Route::writes("meet_condition", |cx, ask| {
        acts::change::verbs::meet_condition(cx, ask.place(0), &id(ask), &ask.body)?;
        created::<Condition>(cx, ask, &id(ask))
    }),
    items!("list_peer_reviews", PeerReview),
    Route::writes("peer_review_change", |cx, ask| {
        let id = acts::approval::verbs::peer_review_change(cx, ask.place(0), &ask.body)?;
        created::<PeerReview>(cx, ask, &id)
    }),
];

fn approve(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let id = acts::approval::verbs::approve_change(cx, ask.place(0), &ask.body)?;
    created::<Approval>(cx, ask, &id)
}

//! Lifts legal holds: with a reason, and if the tenant requires two people, by two people who set policies.

use model::compliance::hold_lifting::{LiftRequest, Step, step};
use model::compliance::hold_order::{HoldOrder, REASON};
use model::core::act::actions;
use model::core::body::Body;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::two_people::is_by_two;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};
use crate::guard::other_setters::others_who_set;
use crate::guard::self_grant::is_behind;
use crate::incident::keep::keep;

/// Lifts a hold order (`POST /hold-orders/{id}/lifting {reason}`), or requests a second person's agreement.
///
/// # Errors
/// 403, 404; 409 `not_open` or `second_person_needed`; 422; the store's.
pub fn lift_hold_order(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<HoldOrder> {
    cx.allow(actions::SET_POLICY)?;
    let found = HoldOrder::found(cx, id)?.ok_or_else(|| Refusal::not_found("hold order"))?;
    let word = lift_request(cx, body)?;
    if !found.active {
        let text = "The hold order was lifted already.";
        return Err(Refusal::not_now("not_open", text, "Nothing is left to lift.", Vec::new()).into());
    }
    if decide(cx, found.lift_asked(), &word)? == Step::Ask {
        return keep(cx, "hold_order.lift_asked", found.with_lift_asked(word), json!({}));
    }
    let mut data = json!({"placed_by": found.by, "placed_at": found.at});
    let first = found.lift_asked().filter(|it| it.by != word.by && it.waits(word.at));
    if let Some(first) = first {
        data["asked_by"] = json!(first.by);
    }
    let mut written = Written::default();
    let lifted = cx.put(&mut written, found.lifted(word))?;
    notify_placer(cx, &mut written, &lifted)?;
    let subject = ("hold_order", lifted.id.0.clone());
    cx.emit(vec![draft("hold_order.lifted", subject, cx.now, data)], written)?;
    Ok(lifted)
}

/// The acting person's agreement, with their reason.
///
/// # Errors
/// 422.
pub(crate) fn lift_request(cx: &mut Context<'_, '_>, body: &Body) -> Result<LiftRequest> {
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", REASON);
    reading.finish()?;
    Ok(LiftRequest {
        by: cx.actor.person.clone(),
        handed_by: cx.actor.hand().cloned(),
        at: cx.now,
        reason,
    })
}

/// Whether an agreement lifts a hold or waits for another person. The first agreement counts while its author sets
/// policies.
///
/// # Errors
/// 409 `second_person_needed`, or the store's.
pub(crate) fn decide(cx: &mut Context<'_, '_>, first: Option<LiftRequest>, word: &LiftRequest) -> Result<Step> {
    let directory = cx.directory()?;
    let by_two = is_by_two(&directory, cx.now);
    let others = others_who_set(cx, &word.by)?;
    let counts = |first: &LiftRequest| first.by == word.by || others.contains(&directory.login(&first.by));
    let first = first.filter(counts);
    // If one of the two accounts was made for the other within the day, it is no second person either.
    let are_one = |first: &LiftRequest| is_behind(cx, &directory, (&first.by, first.handed_by.as_ref()));
    let is_theirs = first.as_ref().is_some_and(are_one);
    match step(first.as_ref(), word, by_two) {
        Step::Lift if by_two && is_theirs => Err(needs_another(others)),
        Step::NeedsAnother => Err(needs_another(others)),
        found => Ok(found),
    }
}

fn needs_another(others: Vec<String>) -> Error {
    let text = "Lifting a legal hold takes two people here: the person who requested it cannot confirm it.";
    let satisfy = "Another person who may set policies must confirm lifting it.";
    Refusal::not_now("second_person_needed", text, satisfy, others).into()
}

/// The person who placed an order is notified when somebody else lifts it, with the name.
fn notify_placer(cx: &mut Context<'_, '_>, written: &mut Written, order: &HoldOrder) -> Result<()> {
    let directory = cx.directory()?;
    let me = cx.actor.person.clone();
    let is_here = directory.people.get(&order.by).is_some_and(|it| it.active);
    if order.by == me || !is_here {
        return Ok(());
    }
    let subject = "A legal hold that you placed was lifted";
    let text = format!("{} lifted the hold order {}.\n", directory.login(&me), order.id);
    let dedup = format!("hold_order_lifted/{}", order.id);
    save_message(
        cx,
        written,
        &order.by,
        None,
        ("hold_order_lifted", subject, &text, &dedup),
    )
}

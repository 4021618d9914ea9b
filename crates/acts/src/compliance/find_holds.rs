//! Which hold orders stand, and which of them hold a change.

use std::collections::BTreeSet;

use model::change::record::Change;
use model::change::related_records::Approval;
use model::compliance::hold_order::HoldOrder;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::in_use;

/// How many orders a refusal names.
const NAMED: usize = 3;

/// The orders that stand now, a bounded number.
///
/// # Errors
/// The store's.
pub fn standing(cx: &mut Context<'_, '_>) -> Result<Vec<HoldOrder>> {
    let mut orders = in_use::<HoldOrder>(cx)?;
    orders.retain(|order| order.stands(cx.now));
    Ok(orders)
}

/// The ids of those of some orders that hold a change.
///
/// # Errors
/// The store's.
pub fn holding(cx: &mut Context<'_, '_>, orders: &[HoldOrder], change: &Change) -> Result<Vec<String>> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let names_people = orders.iter().any(|order| !order.people.is_empty());
    let people = if names_people {
        people_of(cx, change)?
    } else {
        BTreeSet::new()
    };
    let held = orders.iter().filter(|order| order.holds(change, &people));
    Ok(held.map(|order| order.id.0.clone()).collect())
}

/// Everybody who had a part in a change: who asked for it, wrote it, decided about it, worked on it, validated, reviewed or closed it.
fn people_of(cx: &mut Context<'_, '_>, change: &Change) -> Result<BTreeSet<PersonId>> {
    let decided = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let decided = record::bodies::<Approval>(cx.tx, &decided)?;
    let mut people: BTreeSet<PersonId> = decided.into_iter().map(|it| it.person).collect();
    people.insert(change.requester.clone());
    people.extend(change.authors.iter().cloned());
    people.extend(change.implemented_by.iter().cloned());
    people.extend(change.validations.iter().map(|it| it.by.clone()));
    people.extend(change.reviews.iter().map(|it| it.by.clone()));
    people.extend(change.closed_by.iter().cloned());
    Ok(people)
}

/// Refuses an erasure of something of a change that an order holds.
///
/// # Errors
/// 409 `under_legal_hold`, or the store's.
pub(crate) fn check_free(cx: &mut Context<'_, '_>, change: &Change) -> Result<()> {
    let orders = standing(cx)?;
    let held = holding(cx, &orders, change)?;
    if held.is_empty() {
        return Ok(());
    }
    let named: Vec<&str> = held.iter().take(NAMED).map(String::as_str).collect();
    let text = format!(
        "{} is under a legal hold: nothing of it is erased. Hold orders that match it: {}.",
        change.key,
        named.join(", ")
    );
    let satisfy = "Lift each of them first (`POST /hold-orders/{id}/lifting`), if those who asked for it agree.";
    Err(Refusal::not_now("under_legal_hold", text, satisfy, Vec::new()).into())
}

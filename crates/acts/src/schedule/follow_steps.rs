//! The next step of a freeze with the business, as an action item of the responsible person: the system announces nothing for
//! them. A forgotten step escalates at the latest at the planned start, and its item is settled once the freeze's times are
//! past.

use jiff::SignedDuration;
use model::core::enums::{AboutKind, ActionKind, FreezeStage};
use model::notify::action_item::{About, Due, NewItem, Owner};
use model::schedule::freeze::Freeze;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::notify::action_items::{open, settle_by_rule};
use crate::schedule::find_hits;

/// The business owner agrees or declines.
const AGREE: &str = "agree";
/// The proposer announces it.
const ANNOUNCE: &str = "announce";
/// The proposer changes or ends a declined freeze.
const CHANGE: &str = "change";

/// Opens the item of the next step, and settles those of steps that were taken.
///
/// # Errors
/// The store's.
pub(crate) fn follow_steps(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    let about = About::new(AboutKind::Freeze, freeze.id.as_str());
    let is_over = freeze.is_over(cx.now);
    let next = next(freeze).filter(|_| !is_over);
    let reason = match is_over {
        true => "This freeze has ended.",
        false => "The freeze is a step further.",
    };
    for part in [AGREE, ANNOUNCE, CHANGE] {
        if next != Some(part) {
            settle_by_rule(cx, ActionKind::Other, &about, part, reason)?;
        }
    }
    let Some(part) = next else { return Ok(()) };
    let proposer = freeze.set_by.clone().map_or(Owner::ChangeManagers, Owner::Person);
    let (owner, title) = match (part, &freeze.course.business_owner) {
        (AGREE, Some(person)) => (
            Owner::Person(person.clone()),
            format!("Agree to the freeze “{}”, or decline it", freeze.title),
        ),
        (ANNOUNCE, _) => (proposer, format!("Announce the freeze “{}”", freeze.title)),
        _ => (
            proposer,
            format!(
                "Change or end the freeze “{}”: its business owner declined it",
                freeze.title
            ),
        ),
    };
    // A freeze that is proposed shortly before its start still leaves some time for the step.
    let soonest = cx.now + SignedDuration::from_mins(15);
    let item = NewItem {
        part: part.to_owned(),
        services: freeze.services.clone(),
        owner,
        due: Due::At(freeze.next_time(cx.now).starts_at.max(soonest)),
        // The business owner gets a letter of their own.
        tells: part != AGREE,
        ..NewItem::new(ActionKind::Other, about, title)
    };
    open(cx, item)?;
    // Nobody takes a step of a freeze that is over, so it is examined again then.
    let end = freeze.times().next_back().map_or(freeze.ends_at, |last| last.ends_at);
    find_hits::set_timer(cx, freeze.id.as_str(), end)
}

/// The next step of a freeze that stops nothing yet.
fn next(freeze: &Freeze) -> Option<&'static str> {
    if freeze.ended || freeze.course.counts() {
        return None;
    }
    match freeze.course.last()? {
        FreezeStage::Proposed => Some(AGREE),
        FreezeStage::Agreed => Some(ANNOUNCE),
        FreezeStage::Declined => Some(CHANGE),
        FreezeStage::Announced | FreezeStage::InForce | FreezeStage::Ended => None,
    }
}

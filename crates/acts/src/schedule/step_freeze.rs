//! The signed steps of a freeze with the business: its business owner agrees or declines, then a change manager announces it.
//! From the announcement on the freeze counts.

use model::core::act;
use model::core::body::Body;
use model::core::enums::{FreezeAnswer, FreezeStage, Role};
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use model::schedule::freeze::Freeze;
use model::schedule::freeze_steps::FreezeStep;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::self_grant;
use crate::schedule::find_hits;
use crate::schedule::follow_steps::follow_steps;
use crate::schedule::loosen_freeze;
use crate::schedule::push_freezes;
use crate::schedule::set_freeze::{check_not_over, load_own, take_effect};
use crate::schedule::sign_step::signed;

/// Signs the business owner's decision (`POST /freezes/{id}/agreement {decision?, reason}`).
///
/// # Errors
/// 403 for everybody else; 404; 409 for a freeze that needs no agreement, is announced or is over; 422; or the store's.
pub fn answer_freeze(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Freeze> {
    cx.allow(act::actions::READ)?;
    let mut freeze = load_own(cx, id)?;
    check_business_owner(cx, &freeze)?;
    let mut reading = Reading::new(body, "");
    let answer = reading.word("decision").unwrap_or(FreezeAnswer::Agree);
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_not_over(&freeze, cx.now)?;
    if let Some(proposal) = freeze.widening(cx.now).cloned() {
        return loosen_freeze::sign_widening(cx, freeze, &proposal, (answer, reason));
    }
    if freeze.course.counts() {
        let text = format!("The freeze “{}” is announced already.", freeze.title);
        let satisfy = "Ask a change manager to end or change it.";
        return Err(Refusal::not_now("announced_already", text, satisfy, Vec::new()).into());
    }
    let (step, kind) = match answer {
        FreezeAnswer::Agree => (FreezeStage::Agreed, "freeze.agreed"),
        FreezeAnswer::Decline => (FreezeStage::Declined, "freeze.declined"),
    };
    freeze.course.steps.push(signed(cx, step, reason));
    let freeze = cx.put_estate(kind, freeze, json!({}))?;
    follow_steps(cx, &freeze)?;
    Ok(freeze)
}

/// The business owner decides in person: not the proposer, nor a person with a sign-in that the proposer set up.
fn check_business_owner(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    let Some(owner) = &freeze.course.business_owner else {
        let text = format!(
            "The freeze “{}” has no business owner, so it needs no agreement.",
            freeze.title
        );
        return Err(Refusal::not_now("no_business_owner", text, "No action is needed.", Vec::new()).into());
    };
    // The business agrees through a person, never through a machine account.
    if cx.directory()?.has_role(&cx.actor.person, Role::Pipeline) {
        let text = "The account of a pipeline cannot agree for the business.";
        return Err(Refusal::not_allowed("not_business_owner", text.to_owned()).into());
    }
    let (directory, proposer) = (cx.directory()?, freeze.set_by.as_ref());
    let is_proposer = proposer.is_some_and(|proposer| self_grant::is_one(cx, &directory, proposer));
    if &cx.actor.person == owner && !is_proposer {
        return Ok(());
    }
    let login = cx.directory()?.login(owner);
    let text = format!("Only the business owner of this freeze can answer: {login}, in person.");
    Err(Refusal::not_allowed("not_business_owner", text)
        .with_others(vec![login])
        .into())
}

/// Announces a freeze (`POST /freezes/{id}/announcement {reason}`): it counts from now on, and the owners of the changes that it
/// hits are notified with their next free times.
///
/// # Errors
/// 403, 404; 409 before its business owner agreed, for one that is announced or is over; 422; or the store's.
pub fn announce_freeze(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Freeze> {
    cx.allow(act::actions::SET_FREEZE)?;
    let mut freeze = load_own(cx, id)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_not_over(&freeze, cx.now)?;
    check_agreed(cx, &freeze)?;
    let preview = find_hits::preview(cx, &freeze)?;
    let stopped = find_hits::stopped(cx, &freeze)?;
    let data = json!({"hits": preview.hit_count, "stopped": stopped.len(), "let_through": preview.thaw_changes});
    freeze.course.steps.push(FreezeStep {
        hits: stopped,
        ..signed(cx, FreezeStage::Announced, reason)
    });
    let freeze = cx.put_estate("freeze.announced", freeze, data)?;
    follow_steps(cx, &freeze)?;
    take_effect(cx, &freeze)?;
    push_freezes::queue_calls(cx, &freeze)?;
    find_hits::queue_notices(cx, &freeze)?;
    Ok(freeze)
}

fn check_agreed(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    if freeze.course.announcement().is_some() {
        let text = format!("The freeze “{}” is announced already.", freeze.title);
        return Err(Refusal::not_now("announced_already", text, "No action is needed.", Vec::new()).into());
    }
    let Some(owner) = &freeze.course.business_owner else {
        return Ok(());
    };
    if freeze.course.last() == Some(FreezeStage::Agreed) {
        return Ok(());
    }
    let login = cx.directory()?.login(owner);
    let text = format!(
        "The freeze “{}” can only be announced after its business owner has agreed.",
        freeze.title
    );
    let satisfy = "The business owner must agree first: POST /freezes/{id}/agreement.";
    Err(Refusal::not_now("not_agreed", text, satisfy, vec![login]).into())
}

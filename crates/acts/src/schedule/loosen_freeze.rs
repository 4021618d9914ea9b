//! Ends a freeze, or lets it cover less: proposed with a reason, in force once it is confirmed. Until then the freeze stays
//! unchanged. A loosening stays in the freeze's history, and the people with changes in it are notified.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::approval::one_hand::is_one_holder;
use model::change::record::Change;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{FreezeAnswer, FreezeStage, State};
use model::core::ids::PersonId;
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use model::schedule::freeze::{Freeze, Loosened, Loosening, loosens};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::eligible_people::whom_rules_let_here_but;
use crate::core::error::Result;
use crate::guard::self_grant::is_behind;
use crate::schedule::find_hits;
use crate::schedule::follow_steps::follow_steps;
use crate::schedule::push_freezes;
use crate::schedule::set_freeze::{check_not_over, load_own, settle_touched, state_thaw, take_effect};
use crate::schedule::sign_step::signed;

/// Proposes to end a freeze (`DELETE /freezes/{id} {reason}`); a past freeze stays unchanged. Within an hour its setter may
/// withdraw the freeze at once, as a mistake.
///
/// # Errors
/// 403, 404, 422 without a reason, or the store's.
pub fn end_freeze(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Freeze> {
    cx.allow(act::actions::SET_FREEZE)?;
    let freeze = load_own(cx, id)?;
    if freeze.is_over(cx.now) {
        return Ok(freeze);
    }
    let mut reading = Reading::new(body, "");
    if !freeze.course.counts() {
        let reason = reading.needed("reason", TEXT);
        reading.finish()?;
        return withdraw(cx, freeze, reason);
    }
    if freeze.is_slip_of(&cx.actor.person, cx.now) {
        let reason = reading.text("reason", TEXT);
        reading.finish()?;
        let reason = reason.unwrap_or_else(|| "Taken back by its setter within an hour.".to_owned());
        let slip = loosening(cx, reason, None);
        return take_loosening(cx, &freeze, &slip);
    }
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    propose(cx, freeze, reason, None)
}

/// Takes back a freeze that stops nothing yet: that lets nothing through, so nobody confirms it.
fn withdraw(cx: &mut Context<'_, '_>, mut freeze: Freeze, reason: String) -> Result<Freeze> {
    freeze.ended = true;
    freeze.course.steps.push(signed(cx, FreezeStage::Ended, reason));
    let freeze = cx.put_estate("freeze.ended", freeze, json!({}))?;
    follow_steps(cx, &freeze)?;
    Ok(freeze)
}

fn loosening(cx: &Context<'_, '_>, reason: String, wanted: Option<&Freeze>) -> Loosening {
    Loosening {
        reason,
        by: cx.actor.person.clone(),
        handed_by: cx.actor.hand().cloned(),
        at: cx.now,
        terms: wanted.map(Freeze::terms),
    }
}

/// Stores a proposal beside an unchanged freeze; a later one replaces it.
pub(crate) fn propose(
    cx: &mut Context<'_, '_>,
    freeze: Freeze,
    reason: String,
    wanted: Option<&Freeze>,
) -> Result<Freeze> {
    let loosening = loosening(cx, reason, wanted);
    let data = json!({"ends": wanted.is_none(), "ends_at": wanted.map(|it| it.ends_at)});
    let freeze = Freeze {
        loosening: Some(loosening),
        ..freeze
    };
    cx.put_estate("freeze.loosening_proposed", freeze, data)
}

/// Confirms the proposal to end or shorten a freeze (`POST /freezes/{id}/confirmation`): by another person who may set freezes,
/// or by the proposer where there is no other.
///
/// # Errors
/// 403 for the proposer while another person could confirm; 404; 409 without a proposal or for a freeze that is over; or the
/// store's.
pub fn confirm_loosening(cx: &mut Context<'_, '_>, id: &str) -> Result<Freeze> {
    cx.allow(act::actions::SET_FREEZE)?;
    let before = load_own(cx, id)?;
    check_not_over(&before, cx.now)?;
    let Some(loosening) = before.loosening.clone() else {
        let text = format!("There is no proposal to end or shorten the freeze “{}”.", before.title);
        let satisfy = "Propose it: DELETE /freezes/{id} or PATCH /freezes/{id}, with a reason.";
        return Err(Refusal::not_now("nothing_proposed", text, satisfy, Vec::new()).into());
    };
    if before.widening(cx.now).is_some() {
        let owner = before.course.business_owner.iter();
        let directory = cx.directory()?;
        let logins = owner.map(|person| directory.login(person)).collect();
        let text = "The business owner must agree before this freeze covers more: POST /freezes/{id}/agreement.";
        return Err(Refusal::not_allowed("not_business_owner", text.to_owned())
            .with_others(logins)
            .into());
    }
    check_another(cx, &loosening)?;
    take_loosening(cx, &before, &loosening)
}

/// Signs the business owner's decision about a freeze that is to cover more than they agreed to. If declined, the freeze stays
/// unchanged.
pub(crate) fn sign_widening(
    cx: &mut Context<'_, '_>,
    mut before: Freeze,
    proposal: &Loosening,
    (answer, reason): (FreezeAnswer, String),
) -> Result<Freeze> {
    if answer == FreezeAnswer::Decline {
        before.loosening = None;
        before.course.steps.push(signed(cx, FreezeStage::Declined, reason));
        return cx.put_estate("freeze.declined", before, json!({}));
    }
    let directory = cx.directory()?;
    if is_behind(cx, &directory, (&proposal.by, proposal.handed_by.as_ref())) {
        let text = "Another change manager must make the proposal for the business owner.";
        return Err(Refusal::not_allowed("own_request", text.to_owned()).into());
    }
    before.course.steps.push(signed(cx, FreezeStage::Agreed, reason));
    take_loosening(cx, &before, proposal)
}

/// Puts a loosening in force.
fn take_loosening(cx: &mut Context<'_, '_>, before: &Freeze, loosening: &Loosening) -> Result<Freeze> {
    let is_loosened = match &loosening.terms {
        Some(terms) => loosens(&before.terms(), terms, cx.now),
        None => true,
    };
    let mut after = loosened(before, loosening, (&cx.actor.person, cx.now));
    if !is_loosened {
        after.loosened.pop();
    }
    if after.course.thaw_risk != before.course.thaw_risk {
        state_thaw(cx, &mut after)?;
    }
    after
        .course
        .keep_thaw(before.course.thaw_risk, cx.actor.person.clone(), cx.now);
    let data = json!({
        "proposed_by": loosening.by, "before": {"ends_at": before.ends_at, "starts_at": before.starts_at},
        "after": {"ends_at": after.ends_at, "starts_at": after.starts_at},
    });
    let kind = match (after.ended, is_loosened) {
        (true, _) => "freeze.ended",
        (false, true) => "freeze.shortened",
        (false, false) => "freeze.edited",
    };
    let after = cx.put_estate(kind, after, data)?;
    settle_touched(cx, before)?;
    if after.ended {
        push_freezes::queue_calls(cx, &after)?;
    } else {
        take_effect(cx, &after)?;
        push_freezes::queue_moved(cx, before, &after)?;
        find_hits::queue_notices(cx, &after)?;
    }
    if is_loosened {
        notify_people(cx, before, &after, &loosening.reason)?;
    }
    Ok(after)
}

/// The freeze as the confirmed proposal makes it, with the step in its history.
fn loosened(before: &Freeze, loosening: &Loosening, (by, at): (&PersonId, Timestamp)) -> Freeze {
    let mut after = before.clone();
    after.loosening = None;
    match &loosening.terms {
        Some(terms) => after.set_terms(terms.clone()),
        None => after.ended = true,
    }
    after.loosened.push(Loosened {
        reason: loosening.reason.clone(),
        by: loosening.by.clone(),
        at: loosening.at,
        confirmed_by: by.clone(),
        confirmed_at: at,
        before: before.terms(),
        after: loosening.terms.clone(),
    });
    after
}

/// The second confirmation is another person's while there is one: neither the proposer's nor that of an account which counts as
/// theirs. A person who issues credentials for all other accounts still counts as having others beside them.
fn check_another(cx: &mut Context<'_, '_>, loosening: &Loosening) -> Result<()> {
    let (directory, policies, now) = (cx.directory()?, cx.policies()?, cx.now);
    if !is_behind(cx, &directory, (&loosening.by, loosening.handed_by.as_ref())) {
        return Ok(());
    }
    let is_theirs = |person: &PersonId| {
        let mut proposers = [Some(&loosening.by), loosening.handed_by.as_ref()]
            .into_iter()
            .flatten();
        proposers.any(|by| is_one_holder(&directory, (person, by), now))
    };
    let asking = (&cx.actor.person, &is_theirs as &dyn Fn(&PersonId) -> bool);
    let others = whom_rules_let_here_but(act::actions::SET_FREEZE, &policies, (&directory, now), asking);
    if others.is_empty() {
        return Ok(());
    }
    let text = "Another person must confirm that a freeze is ended or shortened.";
    Err(Refusal::not_allowed("own_request", text).with_others(others).into())
}

/// Notifies the people with changes in the freeze: with planned times in it, or with work under way.
fn notify_people(cx: &mut Context<'_, '_>, before: &Freeze, after: &Freeze, reason: &str) -> Result<()> {
    let open = State::ALL
        .iter()
        .filter(|state| state.is_open())
        .map(|state| state.as_str());
    let filter = Filter::new().one_of("state", open).order_by("number");
    let changes = record::bodies::<Change>(cx.tx, &filter)?;
    let directory = cx.directory()?;
    let is_in = |change: &Change| {
        let mut targets = change.content.targets.iter();
        let is_covered = targets.any(|target| directory.is_frozen_by(before, &target.service, &target.environment));
        let is_planned = match (change.planned_start, change.window_end()) {
            (Some(start), Some(end)) => before.overlaps(start, end),
            _ => false,
        };
        is_covered && (is_planned || change.state == State::Implementing)
    };
    let next = after.next_time(cx.now);
    let what = match after.ended {
        true => "was ended".to_owned(),
        false => format!(
            "was shortened; it lasts from {} to {} now",
            next.starts_at, next.ends_at
        ),
    };
    let mark = format!("{}/{}", before.id, cx.now);
    for change in changes.into_iter().filter(is_in) {
        let people: BTreeSet<PersonId> = [&change.requester, &change.content.owner]
            .into_iter()
            .chain(&change.content.implementers)
            .cloned()
            .collect();
        cx.on_change(change.id.as_str(), |case| {
            let news = format!("The freeze “{}” over {} {what}: {reason}", before.title, change.key);
            for person in people {
                let then = "Check whether the planned times still fit.";
                case.write_to(&person, "freeze_loosened", &mark, news.clone(), then);
            }
            Ok(())
        })?;
    }
    Ok(())
}

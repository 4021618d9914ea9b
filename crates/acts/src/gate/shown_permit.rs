//! Compares a permit that is presented to the online gate with its record: the permit must be valid, so that a
//! revocation counts at once.

use model::change::related_records::{GateCheck, Permit};
use model::core::enums::{GateDecision, PermitState};
use model::core::ids::TargetId;
use model::core::unmet::{Unmet, unmet};
use model::gate::answer::Answer;
use model::gate::names::Names;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::gate_question::Question;
use crate::core::signing_keys;

/// Changes go to stop when the permit with this id was revoked, is unknown, or is for another target. An expired permit
/// does not matter: the gate itself decided go.
///
/// # Errors
/// The store's.
pub fn check_shown(cx: &mut Context<'_, '_>, question: &Question, jti: Option<&str>, answer: Answer) -> Result<Answer> {
    let Some(jti) = jti.filter(|_| answer.decision == GateDecision::Go) else {
        return Ok(answer);
    };
    let found = record::load::<Permit>(cx.tx, jti)?.map(|stored| stored.record);
    let is_stolen = match &found {
        Some(permit) => signing_keys::is_signed_by_revoked(cx, permit)?,
        None => false,
    };
    let Some(reason) = against(found.as_ref(), is_stolen, question) else {
        return Ok(answer);
    };
    Ok(Answer {
        decision: GateDecision::Stop,
        reasons: vec![reason],
        ..answer
    })
}

/// The target that the permit of a check is for.
///
/// # Errors
/// The store's.
pub fn target_of(cx: &mut Context<'_, '_>, check: &GateCheck) -> Result<Option<TargetId>> {
    let Some(permit) = &check.permit else {
        return Ok(None);
    };
    let found = record::load::<Permit>(cx.tx, permit.as_str())?;
    Ok(found.map(|stored| stored.record.target))
}

fn against(permit: Option<&Permit>, is_stolen: bool, question: &Question) -> Option<Unmet> {
    let help = "Collect another permit, or ask without one.";
    let stop = |code: &str, text: &str| Some(unmet(code, text, help, Vec::new()));
    let Some(permit) = permit else {
        return stop("permit_unknown", "The permit that was shown is none of this tenant's.");
    };
    if is_stolen || permit.state == PermitState::Revoked {
        return stop("permit_revoked", "The permit that was shown was revoked.");
    }
    if permit.used_at.is_some() {
        return stop("permit_used", "The permit that was shown is used up.");
    }
    // The same check as a verifier without a network: the permit names all that the question names, and a permit to
    // deploy is none to roll back.
    let named = Names::new(permit.artifact.as_deref(), permit.commit.as_deref());
    let is_elsewhere = permit.service.as_str() != question.service
        || permit.environment.as_str() != question.environment
        || question.purpose.is_some_and(|purpose| purpose != permit.purpose)
        || permit.member.is_some() && permit.member != question.member
        || !named.name_all_of(question.names());
    if is_elsewhere {
        return stop("permit_for_another", "The permit that was shown is for something else.");
    }
    None
}

//! Consumes a permit at the online gate (`POST /permits/{jti}/consumption`): single use for pipelines that want it.

use model::change::related_records::Permit;
use model::core::act;
use model::core::enums::GateDecision;
use model::core::refusal::Refusal;
use model::gate::permit;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::gate_question::Question;
use crate::core::signing_keys;
use crate::gate::answer::ask;
use crate::gate::shown_permit::check_shown;

/// Consumes a permit for a deployment that is about to begin. The gate evaluates the question as usual, and the permit
/// must match it. The first request to get this far has the permit. A second request finds it used, unless it repeats
/// the first with the same key.
///
/// # Errors
/// 403; 404; 409 `not_go` with the gate's reasons, `permit_for_another`, `permit_used`, `permit_revoked`, `not_alive`, `not_yet_valid`; the store's.
pub fn consume_permit(cx: &mut Context<'_, '_>, jti: &str, question: &Question) -> Result<Permit> {
    cx.allow(act::actions::ASK_GATE)?;
    let permit = load(cx, jti)?;
    if signing_keys::is_signed_by_revoked(cx, &permit)? {
        let text = "The key that signed this permit was revoked.";
        let again = "Ask the gate for another permit.";
        return Err(Refusal::not_now("permit_revoked", text, again, Vec::new()).into());
    }
    // Errors of the permit itself are reported before the gate's reasons.
    cx.try_on_change(&permit.change_key, |case| permit::consume(case, &permit.id))?;
    let question = Question {
        change: Some(permit.change_key.clone()),
        purpose: Some(permit.purpose),
        ..question.clone()
    };
    let answer = ask(cx, &question)?;
    let answer = check_shown(cx, &question, Some(jti), answer)?;
    let is_of_another = answer.target != Some((permit.change.clone(), permit.target.clone()));
    if is_of_another && answer.decision == GateDecision::Go {
        let text = "The gate says go for another target than the permit's.";
        let help = "Name what the permit is for.";
        return Err(Refusal::not_now("permit_for_another", text, help, Vec::new()).into());
    }
    if answer.decision == GateDecision::Stop {
        return Err(Refusal::NotNow {
            code: "not_go",
            text: "The gate says stop.".to_owned(),
            unmet: answer.reasons,
        }
        .into());
    }
    cx.on_change(&permit.change_key, |case| permit::consume(case, &permit.id))?;
    load(cx, jti)
}

fn load(cx: &mut Context<'_, '_>, jti: &str) -> Result<Permit> {
    let found = record::load::<Permit>(cx.tx, jti)?;
    found
        .map(|stored| stored.record)
        .ok_or_else(|| Refusal::not_found("permit").into())
}

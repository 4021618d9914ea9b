//! Lists the recorded running builds, and decides admission from them.

use model::core::enums::{GateDecision, Purpose};
use model::gate::answer::Answer;
use model::gate::running::Running;
use store::record::Filter;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::gate_question::Question;
use crate::core::note_outcomes::found;
use crate::gate::answer;

/// The most rows of one list.
pub const MOST: i64 = 10_000;

/// The recorded running builds, by service and environment if named; at most [`MOST`] rows.
///
/// # Errors
/// The store's.
pub fn list(cx: &mut Context<'_, '_>, service: Option<&str>, environment: Option<&str>) -> Result<Vec<Running>> {
    let mut filter = Filter::new().equals("active", true).order_by("id").limit(MOST);
    if let Some(service) = service {
        filter = filter.equals("service", service);
    }
    if let Some(environment) = environment {
        filter = filter.equals("environment", environment);
    }
    found(cx, &filter)
}

/// The gate's decision for admission: a recorded running build is *go* as well, so that a restart needs no approval.
/// Returns whether that was the reason for go.
///
/// # Errors
/// The store's.
pub fn admit(cx: &mut Context<'_, '_>, question: &Question) -> Result<(Answer, bool)> {
    let answer = answer::ask(cx, question)?;
    let Some(artifact) = question.artifact.as_deref() else {
        return Ok((answer, false));
    };
    if answer.decision == GateDecision::Go {
        return Ok((answer, false));
    }
    let filter = Filter::new()
        .equals("service", question.service.as_str())
        .equals("environment", question.environment.as_str())
        .equals("active", true)
        .equals("artifact", artifact)
        .order_by("id")
        .limit(1);
    let Some(running) = found(cx, &filter)?.pop() else {
        return Ok((answer, false));
    };
    let go = Answer {
        decision: GateDecision::Go,
        change: Some(running.change_key),
        target: Some((running.change, running.target)),
        purpose: Purpose::Deploy,
        reasons: Vec::new(),
        information: Vec::new(),
        next_transition_at: None,
        led_by: None,
    };
    Ok((go, true))
}

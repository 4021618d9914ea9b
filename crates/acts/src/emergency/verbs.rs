//! The steps that follow break-glass and retrospective work.

use model::change::after;
use model::core::body::Body;
use model::emergency::break_glass;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::field_changes;

/// The named approver confirms or denies retrospective work (`POST …/retrospective/confirmation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn confirm_retrospective(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| after::confirm_retrospective(case, body))
}

/// The second person's signature (`POST …/break-glass/co-signature`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn cosign_break_glass(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    let answer = cx.on_change(key, |case| break_glass::cosign(case, body));
    field_changes::explained(cx, key, body, answer)
}

/// The change manager's finding on unauthorized work (`POST …/finding`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn state_finding(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| after::state_finding(case, body))
}

/// Another person validates a use of break-glass (`POST …/break-glass/validation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn validate_break_glass(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| break_glass::validate(case, body))
}

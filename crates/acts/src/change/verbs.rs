//! The verbs of a change that the model performs alone: each loads the change, runs the verb, and saves the result.

use model::change::around::{communication, planned_undo};
use model::change::{after, around, tasks, work, write};
use model::core::body::Body;
use model::core::ids::RecordId;
use model::risk::cause::Cause;
use model::schedule::plan;

use crate::change::open_improvements::open_improvements;
use crate::change::record_entry::earlier;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::integration::beside::copy_comments;

/// An approver accepts failed evidence (`POST …/evidence/{id}/acceptance`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn accept_evidence(cx: &mut Context<'_, '_>, key: &str, evidence: &RecordId, body: &Body) -> Result<()> {
    cx.on_change(key, |case| around::accept_evidence(case, evidence, body))
}

/// Gives work to somebody (`POST …/tasks`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn add_task(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    cx.on_change(key, |case| tasks::add(case, body))
}

/// Requests more time (`POST …/extension`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn ask_extension(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| work::ask_extension(case, body))
}

/// States risk and impact, and requests approvals (`POST …/assessment`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn assess_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| write::assess(case, body))
}

/// Withdraws a change before its start (`POST …/cancellation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn cancel_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| plan::cancel(case, body))
}

/// Closes a change (`POST …/closure`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn close_change(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    cx.on_change(key, after::close)
}

/// Records that one's team is ready for the planned start, or withdraws that (`POST …/readiness`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn say_ready(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| communication::say_ready(case, body))
}

/// Records that the planned undo is done, or calls it off (`POST …/undo`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn undo_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| planned_undo::record(case, body))
}

/// Comments (`POST …/comments`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn comment_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    let id = cx.on_change(key, |case| around::comment(case, body))?;
    let key = cx.change(key)?.key;
    copy_comments::follow(cx, &key)?;
    Ok(id)
}

/// Records how targets ended (`POST …/completion`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn complete_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    let has_watch = cx.change(key)?.content.plan.iter().any(|step| step.watch);
    let earlier = if has_watch { earlier(cx, key)? } else { Vec::new() };
    cx.on_change(key, |case| work::complete(case, body, &earlier))
}

/// Grants or denies more time (`POST …/extension/decision`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn decide_extension(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| work::decide_extension(case, body))
}

/// Pauses a change (`POST …/hold`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn hold_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| plan::hold(case, body))
}

/// The checker records that a condition is met (`POST …/conditions/{id}/met`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn meet_condition(cx: &mut Context<'_, '_>, key: &str, condition: &RecordId, body: &Body) -> Result<()> {
    cx.on_change(key, |case| around::meet_condition(case, condition, body))
}

/// Resumes a change after a pause (`POST …/resume`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn resume_change(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    cx.on_change(key, plan::resume)
}

/// Writes the post-implementation review (`POST …/review`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn review_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    let causes = Cause::listed(cx)?;
    cx.on_change(key, |case| after::review(case, body, &causes))?;
    open_improvements(cx, key)
}

/// Sets both planned times (`PUT …/schedule`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn schedule_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| plan::schedule(case, body))
}

/// Starts the work at a person's request (`POST …/implementation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn start_change(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    cx.on_change(key, work::start)
}

/// Submits a change for assessment (`POST …/submission`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn submit_change(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    cx.on_change(key, write::submit)
}

/// Agrees that a change may proceed without an item of its checklist (`POST …/checklist/{id}/waiver`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn waive_item(cx: &mut Context<'_, '_>, key: &str, item: &RecordId, body: &Body) -> Result<()> {
    cx.on_change(key, |case| around::checklist::waive(case, item, body))
}

/// Ticks a checklist item (`POST …/checklist/{id}/tick`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn tick_checklist(cx: &mut Context<'_, '_>, key: &str, item: &RecordId, body: &Body) -> Result<()> {
    cx.on_change(key, |case| around::tick(case, item, body))
}

/// Moves a task on (`PATCH …/tasks/{id}`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn update_task(cx: &mut Context<'_, '_>, key: &str, task: &RecordId, body: &Body) -> Result<()> {
    cx.on_change(key, |case| tasks::update(case, task, body))
}

/// Records whether the change works (`POST …/validation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn validate_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    cx.on_change(key, |case| after::validate(case, body))
}

/// Watches a change, or stops watching (`PUT` and `DELETE …/watchers`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn watch_change(cx: &mut Context<'_, '_>, key: &str, on: bool) -> Result<()> {
    cx.on_change(key, |case| around::watch(case, on))
}

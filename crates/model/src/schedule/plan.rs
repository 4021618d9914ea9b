//! Times and pauses: schedule, hold, resume, cancel.

use serde_json::{Value, json};

use crate::approval::clocks;
use crate::change::change_file::Case;
use crate::change::next_step::{check_hold, check_state};
use crate::change::record::Hold;
use crate::change::settle::{move_to, revoke_permits, settle};
use crate::change::write::{self, take_times};
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::State;
use crate::core::parse::{Reading, TEXT};
use crate::core::refusal::Refusal;
use crate::core::statement::Stated;

/// Sets both planned times. Voids *when* only; the start may lie in the past, the end must lie ahead. A person who confirms
/// unchanged times becomes their planner, so that the earlier planner may decide about them.
///
/// # Errors
/// 403, 422 for times out of order, 409 in the wrong state or on hold.
pub fn schedule(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Schedule)?;
    let mut reading = Reading::new(body, "");
    let start = reading.needed_time("planned_start");
    let end = reading.needed_time("planned_end");
    if let (Some(start), Some(end)) = (start, end) {
        if end <= start {
            reading.wrong(
                "planned_end",
                "out_of_order",
                "`planned_end` must lie after `planned_start`.",
            );
        } else if end <= case.now {
            reading.wrong(
                "planned_end",
                "in_the_past",
                format!("`planned_end`, {end}, must lie ahead."),
            );
        }
    }
    reading.finish()?;
    check_state(case, Act::Schedule)?;
    check_hold(case)?;
    let mut patch = Body::new();
    for (name, time) in [("planned_start", start), ("planned_end", end)] {
        patch.insert(
            name.to_owned(),
            time.map_or(Value::Null, |time| Value::String(time.to_string())),
        );
    }
    let input = write::patched(case, &patch)?;
    write::apply(case, input)?;
    take_times(case);
    settle(case);
    Ok(())
}

/// Pauses: clocks stop, permits die and do not come back.
///
/// # Errors
/// 403, 422, 409.
pub fn hold(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Hold)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    let until = reading.time("until");
    if until.is_some_and(|until| until <= case.now) {
        reading.wrong("until", "in_the_past", "`until` must lie ahead.");
    }
    reading.finish()?;
    check_state(case, Act::Hold)?;
    let (by, at) = (case.person(), case.now);
    if let Some(earlier) = case.file.change.hold.take() {
        clocks::pause_over(case, earlier.at);
    }
    case.file.change.hold = Some(Hold {
        reason,
        until,
        by: by.clone(),
        at,
    });
    case.emit("change.held", json!({"by": by}));
    revoke_permits(case, "the change was put on hold", |_| true);
    settle(case);
    Ok(())
}

/// Resumes the change. Deadlines of requested decisions move by the time of the pause.
///
/// # Errors
/// 403, 409 when it is not on hold.
pub fn resume(case: &mut Case<'_>) -> Result<(), Refusal> {
    case.allow(Act::Resume)?;
    check_state(case, Act::Resume)?;
    let Some(hold) = case.file.change.hold.take() else {
        return Err(Refusal::not_now(
            "not_on_hold",
            "The change is not on hold.",
            "No resume is needed.",
            Vec::new(),
        ));
    };
    clocks::pause_over(case, hold.at);
    case.emit("change.resumed", json!({"by": case.person()}));
    settle(case);
    Ok(())
}

/// Cancels the change before its start.
///
/// # Errors
/// 403, 422, 409.
pub fn cancel(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Cancel)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_state(case, Act::Cancel)?;
    let stated = Stated {
        by: case.person(),
        at: case.now,
        reason,
    };
    case.file.change.cancelled = Some(stated);
    case.file.change.hold = None;
    move_to(case, State::Cancelled);
    revoke_permits(case, "the change was cancelled", |_| true);
    settle(case);
    Ok(())
}

//! Whether the gate was reachable at the time of a use and decided stop: then the use of the card was not needed.

use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::change::related_records::GateCheck;
use model::core::enums::{GateDecision, Purpose};
use model::core::ids::TargetId;
use model::gate::closing::was_closed;
use model::gate::led::CHANGE_AMBIGUOUS;
use proof::emergency::Line;
use store::audit::event;
use store::gate::gate_view;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::gate_question::Question;
use crate::gate::answer;

/// A server that wrote events this close before and after a use was reachable.
const AROUND: SignedDuration = SignedDuration::from_secs(60);
/// How long a recorded check shows the gate's earlier decision, and how late a report may be for the gate's present
/// decision to count.
const SAID_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// How many checks of a place are read.
const LOOKED_AT: i64 = 50;

/// Whether the gate was reachable at the time of a line and decided stop; `is_frozen` if the place was under a freeze.
///
/// # Errors
/// The store's.
pub(crate) fn decided_stop(cx: &mut Context<'_, '_>, line: &Line, is_frozen: bool) -> Result<bool> {
    let at = Timestamp::from_second(line.at).unwrap_or(Timestamp::UNIX_EPOCH);
    if !was_reachable(cx, at)? {
        return Ok(false);
    }
    Ok(is_frozen || was_checked(cx, line, at)? || was_shut(cx, line, at)? || still_decides_stop(cx, line, at)?)
}

/// Whether the server wrote events shortly before and after. This very report counts as one.
fn was_reachable(cx: &mut Context<'_, '_>, at: Timestamp) -> Result<bool> {
    let (before, after) = (earlier(at, AROUND), later(at, AROUND));
    // A line has its time in seconds; the server's own events within that second are on either side.
    let end = later(at, SignedDuration::from_secs(1));
    if !event::has_between(cx.tx, before, end)? {
        return Ok(false);
    }
    Ok((at..=after).contains(&cx.now) || event::has_between(cx.tx, at, after)?)
}

/// Whether the last recorded check of the same build in this place ended with stop.
fn was_checked(cx: &mut Context<'_, '_>, line: &Line, at: Timestamp) -> Result<bool> {
    let since = earlier(at, SAID_WITHIN);
    let filter = Filter::new()
        .equals("service", line.service.as_str())
        .equals("environment", line.environment.as_str())
        .less("id", event::first_id(later(at, SignedDuration::from_secs(1))))
        .descending_by("id")
        .limit(LOOKED_AT);
    let checks = record::bodies::<GateCheck>(cx.tx, &filter)?;
    let is_same = |check: &&GateCheck| {
        let names = (&check.artifact, &check.commit);
        check.purpose == Purpose::Deploy && check.asked_at >= since && names == (&line.artifact, &line.commit)
    };
    // A check that became go afterwards was stop until then.
    let is_no = |check: GateCheck| check.decision == GateDecision::Stop || check.checked_at > later(at, AROUND);
    Ok(checks.iter().find(is_same).cloned().is_some_and(is_no))
}

/// Whether a person had blocked the target at that time, even if the block was lifted since.
fn was_shut(cx: &mut Context<'_, '_>, line: &Line, at: Timestamp) -> Result<bool> {
    let (artifact, commit) = (line.artifact.as_deref(), line.commit.as_deref());
    for row in gate_view::find(cx.tx, &line.service, &line.environment, artifact, commit)? {
        let found = record::load::<Change>(cx.tx, &row.change_id)?;
        let target = TargetId::from(row.target_id.as_str());
        if found.is_some_and(|it| was_closed(&it.record, &target, Purpose::Deploy, at)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the gate still decides stop, for a build that a change names, or for a service that another system leads:
/// such a service gets go by its changes and names no build. Much later the present decision shows nothing about the
/// time of the use.
fn still_decides_stop(cx: &mut Context<'_, '_>, line: &Line, at: Timestamp) -> Result<bool> {
    if later(at, SAID_WITHIN) < cx.now {
        return Ok(false);
    }
    let question = Question {
        service: line.service.clone(),
        environment: line.environment.clone(),
        artifact: line.artifact.clone(),
        commit: line.commit.clone(),
        change: None,
        purpose: Some(Purpose::Deploy),
        member: None,
    };
    let answer = cx.as_system(|cx| answer::ask(cx, &question))?;
    // If several builds may go there, a line that names none was not refused.
    let is_led = answer.led_by.is_some() && answer.reasons.iter().all(|it| it.code != CHANGE_AMBIGUOUS);
    Ok(answer.decision == GateDecision::Stop && (answer.change.is_some() || is_led))
}

fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn earlier(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}

//! Keeps what is recorded as running in step with the outcomes of targets, and answers admission from it.

use model::file::ChangeFile;
use model::gate::Answer;
use model::ids::{ChangeId, RecordId};
use model::running::{Running, told_outcome, turn};
use model::words::{GateDecision, Purpose};
use store::record::{self, Filter};

use crate::error::Result;
use crate::gate::Question;
use crate::room::Room;
use crate::save::Written;

/// The most rows of one list.
pub const MOST: i64 = 10_000;

/// Moves what runs by each target whose outcome is another than before.
///
/// # Errors
/// The store's.
pub fn note_outcomes(
    room: &mut Room<'_, '_>,
    written: &mut Written,
    before: Option<&ChangeFile>,
    file: &ChangeFile,
) -> Result<()> {
    let change = &file.change;
    for target in &change.content.targets {
        let Some(outcome) = told_outcome(change, target) else {
            continue;
        };
        let earlier = before.and_then(|before| told_outcome(&before.change, target));
        if earlier == Some(outcome) {
            continue;
        }
        let mut rows = in_place(room, target.service.as_str(), target.environment.as_str())?;
        rows.extend(
            ended_by(room, &change.id)?
                .into_iter()
                .filter(|row| row.service == target.service && row.environment == target.environment),
        );
        let id = RecordId(room.new_id()?);
        for row in turn(change, target, outcome, &rows, room.now, || id.clone()) {
            room.put(written, row)?;
        }
    }
    Ok(())
}

fn in_place(room: &mut Room<'_, '_>, service: &str, environment: &str) -> Result<Vec<Running>> {
    let filter = Filter::new()
        .equals("service", service)
        .equals("environment", environment)
        .equals("active", true)
        .order_by("id");
    found(room, &filter)
}

fn ended_by(room: &mut Room<'_, '_>, change: &ChangeId) -> Result<Vec<Running>> {
    found(room, &Filter::new().equals("ended_by", change.as_str()).order_by("id"))
}

fn found(room: &mut Room<'_, '_>, filter: &Filter) -> Result<Vec<Running>> {
    let rows = record::find::<Running>(room.tx, filter)?;
    Ok(rows.into_iter().map(|stored| stored.record).collect())
}

/// What is recorded as running, by service and environment where they are named; at most [`MOST`] rows.
///
/// # Errors
/// The store's.
pub fn list(room: &mut Room<'_, '_>, service: Option<&str>, environment: Option<&str>) -> Result<Vec<Running>> {
    let mut filter = Filter::new().equals("active", true).order_by("id").limit(MOST);
    if let Some(service) = service {
        filter = filter.equals("service", service);
    }
    if let Some(environment) = environment {
        filter = filter.equals("environment", environment);
    }
    found(room, &filter)
}

/// The gate's answer for admission: go also for what is recorded as running there, so that a restart waits for nobody.
/// Answers whether it was go for that reason.
///
/// # Errors
/// The store's.
pub fn admit(room: &mut Room<'_, '_>, question: &Question) -> Result<(Answer, bool)> {
    let answer = crate::gate::ask(room, question)?;
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
    let Some(running) = found(room, &filter)?.pop() else {
        return Ok((answer, false));
    };
    let go = Answer {
        decision: GateDecision::Go,
        change: Some(running.change_key),
        target: Some((running.change, running.target)),
        purpose: Purpose::Deploy,
        reasons: Vec::new(),
        next_transition_at: None,
    };
    Ok((go, true))
}

//! Coordinated maintenance: set, decided, and followed as its changes end.

use std::collections::BTreeSet;

use model::core::enums::{GoDecision, State};
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::{Refusal, refuse_unmet};
use model::core::unmet::unmet;
use model::schedule::joint_maintenance::{JointMaintenance, JointMaintenanceInput, MOST, check_plan};
use model::schedule::joint_rules::why_outside;
use serde_json::json;

use crate::case::settle_one::settle_one;
use crate::core::context::{Context, Saved};
use crate::core::error::{Error, Result};
use crate::core::noun::{self, PlainNoun};

impl PlainNoun for JointMaintenance {
    type Input = JointMaintenanceInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, mut input: JointMaintenanceInput, mut reading: Reading<'_>) -> Result<Self> {
        tidy(&mut input);
        check_plan(&mut reading, &input, cx.now);
        if input.decision.is_some() {
            let text = "The common decision is made once the maintenance is set.";
            reading.wrong("decision", "not_allowed", text);
        }
        check_changes(cx, &mut reading, &input, None)?;
        reading.finish()?;
        if noun::in_use::<Self>(cx)?.len() >= MOST {
            let text = format!("{MOST} coordinated maintenances are in use.");
            return Err(Refusal::not_now("too_many", text, "End one that is over.", Vec::new()).into());
        }
        let row = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            title: input.title,
            changes: input.changes,
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            decision: None,
            reason: None,
            over: Vec::new(),
            active: true,
            by: cx.actor.person.clone(),
        };
        let data = json!({"changes": row.changes});
        let row = cx.put_estate("joint_maintenance.added", row, data)?;
        settle_all(cx, &row.changes)?;
        Ok(row)
    }

    fn edit(
        self,
        cx: &mut Context<'_, '_>,
        mut input: JointMaintenanceInput,
        mut reading: Reading<'_>,
    ) -> Result<Self> {
        tidy(&mut input);
        let decides = reading.says("decision");
        let is_moved =
            input.changes != self.changes || input.starts_at != self.starts_at || input.ends_at != self.ends_at;
        if is_moved {
            check_plan(&mut reading, &input, cx.now);
            check_changes(cx, &mut reading, &input, Some(&self))?;
            if decides {
                let text = "Changes and window are moved first; the decision on them is made after that.";
                reading.wrong("decision", "not_allowed", text);
            }
        }
        reading.finish()?;
        let decision = match is_moved {
            // It was made on another plan.
            true => None,
            false => input.decision,
        };
        if decides && decision == Some(GoDecision::Go) {
            check_ready(cx, &self)?;
        }
        let concerned: BTreeSet<String> = self.changes.iter().chain(&input.changes).cloned().collect();
        let kept: Vec<String> = self
            .over
            .iter()
            .filter(|key| input.changes.contains(key))
            .cloned()
            .collect();
        let edited = Self {
            title: input.title,
            changes: input.changes,
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            decision,
            reason: input.reason.filter(|_| decision.is_some()),
            over: kept,
            by: cx.actor.person.clone(),
            ..self
        };
        let kind = match decides {
            true => "joint_maintenance.decided",
            false => "joint_maintenance.edited",
        };
        let data = json!({"decision": edited.decision, "changes": edited.changes});
        let edited = cx.put_estate(kind, edited, data)?;
        settle_all(cx, &concerned.into_iter().collect::<Vec<_>>())?;
        Ok(edited)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        let ended = cx.put_estate("joint_maintenance.ended", ended, json!({}))?;
        settle_all(cx, &ended.changes)?;
        Ok(ended)
    }
}

fn tidy(input: &mut JointMaintenanceInput) {
    for key in &mut input.changes {
        *key = key.to_uppercase();
    }
}

/// Each change is there, ahead of its start, planned inside of the window, and coordinated nowhere else.
fn check_changes(
    cx: &mut Context<'_, '_>,
    reading: &mut Reading<'_>,
    input: &JointMaintenanceInput,
    old: Option<&JointMaintenance>,
) -> Result<()> {
    if !reading.errors.is_empty() {
        return Ok(());
    }
    let others: Vec<JointMaintenance> = noun::in_use::<JointMaintenance>(cx)?
        .into_iter()
        .filter(|row| old.is_none_or(|old| old.id != row.id))
        .collect();
    for (place, key) in input.changes.iter().enumerate() {
        let field = format!("changes[{place}]");
        let change = match cx.change(key) {
            Ok(change) => change,
            Err(Error::Refused(_)) => {
                reading.wrong(&field, "unknown", format!("There is no change {key}."));
                continue;
            }
            Err(error) => return Err(error),
        };
        let is_known = old.is_some_and(|old| old.changes.contains(key));
        if !is_known && !change.state.is_before_start() {
            reading.wrong(
                &field,
                "too_late",
                format!("{key} is {}: its work is not ahead.", change.state),
            );
        }
        if others.iter().any(|row| row.changes.contains(key)) {
            let text = format!("{key} belongs to another coordinated maintenance.");
            reading.wrong(&field, "not_unique", text);
        }
        let outside = why_outside(&change, input.starts_at, input.ends_at);
        if let Some(text) = outside.filter(|_| change.state.is_before_start()) {
            reading.wrong(&field, "outside_window", text);
        }
    }
    Ok(())
}

/// A common go needs every change to be scheduled, or further.
fn check_ready(cx: &mut Context<'_, '_>, row: &JointMaintenance) -> Result<()> {
    let mut rows = Vec::new();
    let directory = cx.directory()?;
    for key in row.changes.iter().filter(|key| !row.over.contains(key)) {
        let change = cx.change(key)?;
        if matches!(
            change.state,
            State::Scheduled | State::Implementing | State::Reviewing | State::Closed
        ) {
            continue;
        }
        rows.push(unmet(
            "not_scheduled",
            format!("{key} is {}.", change.state),
            format!("{key} is approved and scheduled first, or leaves the maintenance."),
            vec![directory.login(&change.content.owner)],
        ));
    }
    Ok(refuse_unmet("go_refused", "Not every change is ready.", rows)?)
}

fn settle_all(cx: &mut Context<'_, '_>, keys: &[String]) -> Result<()> {
    for key in keys {
        let change = cx.change(key)?;
        if change.state.is_open() {
            settle_one(cx, change.id.as_str())?;
        }
    }
    Ok(())
}

/// Follows a change that has ended: the next one of its coordinated maintenance may begin.
///
/// # Errors
/// The store's.
pub(crate) fn follow_joint(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let change = &saved.after.change;
    let has_ended = |state: State| matches!(state, State::Reviewing | State::Closed | State::Cancelled);
    let is_new = saved
        .before
        .as_ref()
        .is_some_and(|before| !has_ended(before.change.state));
    if !is_new || !has_ended(change.state) {
        return Ok(());
    }
    let directory = cx.directory()?;
    let mut rows = directory.joint_maintenances.iter();
    let is_of = |row: &&JointMaintenance| row.changes.contains(&change.key) && !row.over.contains(&change.key);
    let Some(row) = rows.find(is_of).cloned() else {
        return Ok(());
    };
    let next = cx.put_estate(
        "joint_maintenance.moved_on",
        row.after(change),
        json!({"change_key": change.key}),
    )?;
    let ahead: Vec<String> = next
        .changes
        .iter()
        .filter(|key| !next.over.contains(key))
        .cloned()
        .collect();
    settle_all(cx, &ahead)
}

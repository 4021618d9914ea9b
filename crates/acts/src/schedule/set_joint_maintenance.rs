//! Coordinated maintenance: set, decided, and followed as its changes end.

use std::collections::BTreeSet;

use model::change::record::Change;
use model::core::enums::{GoDecision, State};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::{Refusal, refuse_unmet};
use model::core::unmet::unmet;
use model::schedule::joint_maintenance::{JointMaintenance, JointMaintenanceInput, MOST, check_plan};
use model::schedule::joint_rules::{out_of_order, why_outside};
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
            out_of_order: Vec::new(),
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
        let had_go = self.decision == Some(GoDecision::Go);
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
            out_of_order: if is_moved {
                Vec::new()
            } else {
                self.out_of_order.clone()
            },
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
        notify_taken_back(cx, had_go, &edited)?;
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
    let mut found = Vec::new();
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
        found.push(change);
    }
    for wrong in out_of_order(&found) {
        let place = input.changes.iter().position(|key| *key == wrong.key);
        let text = format!(
            "{} is planned before {}, which comes first in the order.",
            wrong.key, wrong.before
        );
        reading.wrong(&format!("changes[{}]", place.unwrap_or_default()), "out_of_order", text);
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
    for key in &row.out_of_order {
        rows.push(unmet(
            "joint_times",
            format!("{key} is planned before a change that comes first in the order."),
            format!("Plan {key} after it, or change the order."),
            vec![directory.login(&cx.change(key)?.content.owner)],
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

/// The keys of changes whose times do not follow their order, whether or not the reader sees them.
fn misplaced(cx: &mut Context<'_, '_>, keys: &[String]) -> Result<Vec<String>> {
    cx.as_system(|cx| {
        let mut changes = Vec::with_capacity(keys.len());
        for key in keys {
            match cx.change(key) {
                Ok(change) => changes.push(change),
                // An archived change is over.
                Err(Error::Refused(Refusal::NotFound { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(out_of_order(&changes).into_iter().map(|wrong| wrong.key).collect())
    })
}

/// Compares the times of coordinated changes with their order once one of them is moved. A common approval was given for other
/// times, so an approval that no longer fits is withdrawn.
fn follow_move(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let times = |change: &Change| (change.planned_start, change.planned_end);
    let change = &saved.after.change;
    let is_moved = saved
        .before
        .as_ref()
        .is_some_and(|before| times(&before.change) != times(change));
    let directory = cx.directory()?;
    let mut rows = directory.joint_maintenances.iter();
    let Some(row) = rows.find(|row| row.changes.contains(&change.key)).filter(|_| is_moved) else {
        return Ok(());
    };
    let wrong = misplaced(cx, &row.changes)?;
    if wrong == row.out_of_order {
        return Ok(());
    }
    let next = JointMaintenance {
        decision: row.decision.filter(|_| wrong.is_empty()),
        out_of_order: wrong,
        ..row.clone()
    };
    let data = json!({"change_key": change.key, "out_of_order": next.out_of_order});
    let next = cx.put_estate("joint_maintenance.order_checked", next, data)?;
    cx.as_system(|cx| settle_all(cx, &next.changes))?;
    notify_taken_back(cx, row.decision == Some(GoDecision::Go), &next)
}

/// Writes to the owners and implementers of changes ahead that their common go was taken back: they would wait for nothing.
fn notify_taken_back(cx: &mut Context<'_, '_>, had_go: bool, row: &JointMaintenance) -> Result<()> {
    if !had_go || row.decision == Some(GoDecision::Go) {
        return Ok(());
    }
    let mark = format!("{}/{}", row.id, cx.now);
    cx.as_system(|cx| {
        for key in row.changes.iter().filter(|key| !row.over.contains(key)) {
            let change = cx.change(key)?;
            if !change.state.is_before_start() {
                continue;
            }
            let content = &change.content;
            let people: BTreeSet<PersonId> = std::iter::once(&content.owner)
                .chain(&content.implementers)
                .cloned()
                .collect();
            let news = format!(
                "The common go of the maintenance “{}” was withdrawn; {key} is waiting.",
                row.title
            );
            cx.on_change(change.id.as_str(), |case| {
                for person in &people {
                    let next = "Find out what happened, and decide together whether to continue.";
                    case.write_to(person, "go_taken_back", &mark, news.clone(), next);
                }
                Ok(())
            })?;
        }
        Ok(())
    })
}

/// Follows a change of a coordinated maintenance: once it has ended, the next one may begin; once it is moved, its times are compared
/// with the order.
///
/// # Errors
/// The store's.
pub(crate) fn follow_joint(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    follow_move(cx, saved)?;
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
    let moved_on = JointMaintenance {
        out_of_order: misplaced(cx, &row.changes)?,
        ..row.after(change)
    };
    let data = json!({"change_key": change.key});
    let next = cx.put_estate("joint_maintenance.moved_on", moved_on, data)?;
    let ahead: Vec<String> = next
        .changes
        .iter()
        .filter(|key| !next.over.contains(key))
        .cloned()
        .collect();
    settle_all(cx, &ahead)?;
    notify_taken_back(cx, row.decision == Some(GoDecision::Go), &next)
}

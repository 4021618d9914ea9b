//! Drafts a post-implementation review from the records: planned and actual times, deviations, the timeline,
//! differences, alerts and canary verdicts of the watch, permits that were used, notified people. The draft is computed
//! anew each time, so it includes late records.

use jiff::Timestamp;
use model::change::record::Change;
use model::change::related_records::{Entry, Link, Message, Permit};
use model::change::success;
use model::core::enums::{EntryKind, LinkKind};
use model::directory::snapshot::Incident;
use model::incident::objective_measure::{self, ObjectiveMeasure};
use model::incident::{watch, watch_verdict};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::show_timeline;
use crate::incident::judge_candidates::is_open_candidate;
use crate::incident::measure_objectives::{counting_for, measures_on};
use crate::incident::raise_monitors::raised_for;
use crate::incident::take_verdict::verdicts_on;

/// The most lines of the timeline.
const LINES: usize = 200;
/// The most open incidents whose candidates are read, the first after the start of the work first.
const MOST_OPEN: usize = 50;

/// The draft, in the form of the review's request, with the facts beside it.
///
/// # Errors
/// 404, or the store's.
pub fn draft_review(cx: &mut Context<'_, '_>, key: &str) -> Result<Value> {
    let change = cx.change(key)?;
    let file = cx.file(key)?;
    let alerts = alerts(cx, &change)?;
    let timeline: Vec<Value> = show_timeline::show_timeline(cx, key)?
        .iter()
        .rev()
        .take(LINES)
        .rev()
        .map(|told| json!({"at": told.event.occurred_at, "kind": told.event.kind, "index": told.index}))
        .collect();
    let differs: Vec<Value> = change
        .content
        .targets
        .iter()
        .map(|target| differs(&change, target))
        .collect();
    let permits: Vec<Value> = file.permits.iter().map(shown).collect();
    let told = notified_people(cx, &change)?;
    let went_well = success::succeeded(&change) == Some(true);
    // While an incident that may come from the change is open, or a canary did not pass, it is unknown whether the
    // objectives are met.
    let verdicts = verdicts_on(cx, &change.key)?;
    let measures = measures_on(cx, &change.key)?;
    let is_quiet = alerts.iter().all(|it| it.resolved_at.is_some())
        && watch_verdict::are_passed(&verdicts)
        && objective_measure::are_met(&measures, &counting_for(cx, &change)?);
    let suspected = suspected(cx, &change)?;
    let deviations = deviations(cx, &change)?;
    let mut summary = summary(&change, &alerts, &file.permits, told.len());
    summary.extend(deviations.iter().map(deviation_line));
    for it in measures.iter().filter(|it| it.missed_count > 0) {
        let (key, place) = (&it.objective_key, &it.place);
        let (missed, measured) = (it.missed_count, it.measured_count);
        summary.push_str(&format!(
            "\nThe objective {key} at {place} was missed {missed} of {measured} times."
        ));
    }
    if let Some(incident) = &suspected {
        summary.push_str(&format!("\n{incident} is open, and the change may have led to it."));
    }
    Ok(json!({
        "objectives_met": went_well && is_quiet && suspected.is_none(),
        "assessment_adequate": went_well && alerts.is_empty(), "steps_adequate": went_well,
        "summary": summary, "improvements": [],
        "incidents": alerts.iter().map(|it| &it.key).collect::<Vec<_>>(),
        "facts": {
            "planned": planned(&change),
            "deviations": deviations.iter().map(|it| json!({
                "at": it.occurred_at, "kind": it.kind, "step": it.step, "text": it.text,
            })).collect::<Vec<_>>(),
            "verdicts": verdicts.iter().map(|it| json!({
                "at": it.at, "judged": it.judged, "result": it.result, "text": it.text,
            })).collect::<Vec<_>>(),
            "objectives": measures.iter().map(measured).collect::<Vec<_>>(),
            "monitors": raised_for(cx, &change.key)?.iter().map(|it| json!({
                "monitor": it.monitor_key, "places": it.places, "raised_at": it.at, "lowered_at": it.lowered_at,
            })).collect::<Vec<_>>(),
            "timeline": timeline, "differs": differs, "permits": permits, "told": told,
            "alerts": alerts.iter().map(|it| json!({
                "key": it.key, "title": it.title, "severity": it.severity, "started_at": it.started_at,
                "resolved_at": it.resolved_at,
            })).collect::<Vec<_>>(),
        },
    }))
}

/// A line of the summary on an issue or a deviation.
fn deviation_line(it: &Entry) -> String {
    let what = match it.kind {
        EntryKind::Issue => "Went wrong",
        _ => "Otherwise than planned",
    };
    format!("\n{what}: {}", it.text)
}

/// An objective with its last value, and how often it was missed.
fn measured(it: &ObjectiveMeasure) -> Value {
    json!({
        "objective": it.objective_key, "place": it.place, "value": it.value, "bound": it.bound, "result": it.result,
        "text": it.text, "measured_count": it.measured_count, "missed_count": it.missed_count, "at": it.at,
    })
}

fn differs(change: &Change, target: &model::change::record::Target) -> Value {
    let record = change.target_record(&target.id);
    json!({
        "target": target.id, "service": target.service, "environment": target.environment,
        "before": target.rollback_to, "after": target.artifact, "commit": target.commit,
        "outcome": record.and_then(|it| it.outcome),
        "earlier": record.map(|it| it.earlier.iter().map(|one| one.outcome).collect::<Vec<_>>()),
    })
}

/// Planned and actual times, and the difference in minutes.
fn planned(change: &Change) -> Value {
    let later = |planned: Option<Timestamp>, actual: Option<Timestamp>| {
        Some(actual?.duration_since(planned?).as_mins()).filter(|minutes| *minutes != 0)
    };
    json!({
        "planned_start": change.planned_start, "planned_end": change.planned_end,
        "actual_start": change.actual_start, "actual_end": change.actual_end,
        "start_minutes_later": later(change.planned_start, change.actual_start),
        "end_minutes_later": later(change.planned_end, change.actual_end),
    })
}

/// The entries of the log of actions that deviate from the plan or record a failure.
fn deviations(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Entry>> {
    let filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let mut found = record::bodies::<Entry>(cx.tx, &filter)?;
    found.retain(|it| matches!(it.kind, EntryKind::Deviation | EntryKind::Issue));
    found.truncate(LINES);
    Ok(found)
}

fn shown(permit: &Permit) -> Value {
    json!({
        "jti": permit.id, "purpose": permit.purpose, "issued_at": permit.issued_at, "state": permit.state,
        "artifact": permit.artifact, "commit": permit.commit,
    })
}

/// Incidents that the change is recorded to have caused, and those that began while it was watched.
fn alerts(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Incident>> {
    let directory = cx.directory()?;
    let filter = Filter::new()
        .equals("from_change", change.id.as_str())
        .equals("kind", LinkKind::Caused.as_str())
        .order_by("id");
    let linked: Vec<String> = record::find::<Link>(cx.tx, &filter)?
        .into_iter()
        .filter(|stored| stored.record.removed_at.is_none())
        .map(|stored| stored.record.to)
        .collect();
    let mut found: Vec<Incident> = watch::in_watch(change, &directory).into_iter().cloned().collect();
    let others = directory.incidents.values().filter(|it| linked.contains(&it.key));
    for incident in others {
        if !found.iter().any(|known| known.key == incident.key) {
            found.push(incident.clone());
        }
    }
    found.sort_by_key(|it| (it.started_at, it.key.clone()));
    Ok(found)
}

/// An open incident of any service that may come from the change: the change is a candidate that nobody cleared.
fn suspected(cx: &mut Context<'_, '_>, change: &Change) -> Result<Option<String>> {
    let Some(began) = change.actual_start else {
        return Ok(None);
    };
    let directory = cx.directory()?;
    let mut open: Vec<&Incident> = directory.incidents.values().collect();
    open.retain(|it| it.resolved_at.is_none() && it.started_at >= began);
    open.sort_by_key(|it| it.started_at);
    for incident in open.into_iter().take(MOST_OPEN) {
        if is_open_candidate(cx, incident, &change.key)? {
            return Ok(Some(incident.key.clone()));
        }
    }
    Ok(None)
}

/// Logins of the people who were notified of the change, with the subjects.
fn notified_people(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Value>> {
    let directory = cx.directory()?;
    let filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let rows = record::find::<Message>(cx.tx, &filter)?;
    Ok(rows
        .iter()
        .map(|stored| json!({"person": directory.login(&stored.record.person), "topic": stored.record.topic, "at": stored.record.at}))
        .collect())
}

fn summary(change: &Change, alerts: &[Incident], permits: &[Permit], told: usize) -> String {
    let outcome = change
        .outcome
        .map_or("not ended".to_owned(), |it| it.as_str().replace('_', " "));
    let mut lines = vec![format!("{} {}: {outcome}.", change.key, change.content.title)];
    if let (Some(start), Some(end)) = (change.actual_start, change.actual_end) {
        lines.push(format!("Work ran from {start} to {end}."));
        if let (Some(from), Some(until)) = (change.planned_start, change.planned_end) {
            lines.push(format!("It was planned from {from} to {until}."));
        }
    }
    for it in alerts {
        lines.push(format!("{} began at {}: {}.", it.key, it.started_at, it.title));
    }
    let given = match permits.len() {
        1 => "1 permit was given".to_owned(),
        count => format!("{count} permits were given"),
    };
    lines.push(format!("{given}; {told} messages told people."));
    lines.join("\n")
}

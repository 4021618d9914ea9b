//! Drafts a post-implementation review from what is known: the timeline, what differs, alerts in the watch window, permits
//! that were used, who was told. It is worked out anew each time, so that late words are in it.

use model::change::record::Change;
use model::change::related_records::{Link, Message, Permit};
use model::change::success;
use model::core::enums::LinkKind;
use model::directory::snapshot::Incident;
use model::incident::watch;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::show_timeline;

/// The most lines of the timeline.
const LINES: usize = 200;

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
    let told = told(cx, &change)?;
    let went_well = success::succeeded(&change) == Some(true);
    let summary = summary(&change, &alerts, &file.permits, told.len());
    Ok(json!({
        "objectives_met": went_well, "assessment_adequate": went_well && alerts.is_empty(), "steps_adequate": went_well,
        "summary": summary, "improvements": [],
        "incidents": alerts.iter().map(|it| &it.key).collect::<Vec<_>>(),
        "facts": {
            "timeline": timeline, "differs": differs, "permits": permits, "told": told,
            "alerts": alerts.iter().map(|it| json!({
                "key": it.key, "title": it.title, "severity": it.severity, "started_at": it.started_at,
                "resolved_at": it.resolved_at,
            })).collect::<Vec<_>>(),
        },
    }))
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

fn shown(permit: &Permit) -> Value {
    json!({
        "jti": permit.id, "purpose": permit.purpose, "issued_at": permit.issued_at, "state": permit.state,
        "artifact": permit.artifact, "commit": permit.commit,
    })
}

/// Incidents that the change is said to have caused, and those that began while it was watched.
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

/// Logins of those who were told of the change, with what about.
fn told(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Value>> {
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
    }
    for it in alerts {
        lines.push(format!("{} began at {}: {}.", it.key, it.started_at, it.title));
    }
    lines.push(format!(
        "{} permits were given; {told} messages told people.",
        permits.len()
    ));
    lines.join("\n")
}

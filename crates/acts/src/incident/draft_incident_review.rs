//! Drafts the review of an incident from the records: its course, the involved changes with their deciders, their permits,
//! linked records, and the results of the review. The draft is computed again each time.

use jiff::Timestamp;
use model::change::change_file::ChangeFile;
use model::core::act::actions;
use model::core::enums::{RelationEnd, RelationKind};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Incident};
use model::incident::entry::IncidentEntry;
use model::incident::incident_review::IncidentReview;
use model::incident::review_answer::ReviewAnswer;
use model::incident::review_text::{Action, Drafted, Involved, MOST_LINES};
use model::risk::cause::Cause;
use model::risk::forecast::words::percent;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::incident::link_records::{Seen, find_links};
use crate::incident::review_actions::actions_of;
use crate::incident::review_actions::find_review;
use crate::incident::write_review::{involved, missing_of, review_answers};
use crate::risk::move_forecasts::moves_by;

/// The draft, with a person's text where there is one.
///
/// # Errors
/// 403, 404, or the store's.
pub fn draft_incident_review(cx: &mut Context<'_, '_>, key: &str) -> Result<Drafted> {
    cx.allow(actions::READ)?;
    let directory = cx.directory()?;
    let Some(incident) = directory.incidents.get(&key.to_uppercase()) else {
        return Err(Refusal::not_found(format!("incident {key}")).into());
    };
    let review = find_review(cx, &incident.key)?;
    let answers = review_answers(cx, &incident.key)?;
    let links = find_links(cx, &incident.key)?;
    let changes = changes(cx, &directory, incident, (&links, &answers))?;
    let moves = moves_by(cx, &incident.key)?;
    let mut drafted = Drafted {
        key: incident.key.clone(),
        title: incident.title.clone(),
        severity: incident.severity,
        services: incident.services.iter().map(|key| key.0.clone()).collect(),
        began: incident.started_at,
        ended: incident.resolved_at,
        summary: String::new(),
        is_written: false,
        completed_at: review.as_ref().and_then(|it| it.completed_at),
        cause: cause(cx, review.as_ref())?,
        contributing: review.as_ref().map(|it| it.contributing.clone()).unwrap_or_default(),
        course: course(cx, incident, &changes)?,
        changes,
        links: others(links),
        actions: shown_actions(cx, &directory, &incident.key)?,
        moves: moves.iter().map(|row| (row.change_key.clone(), row.told())).collect(),
        missing: missing_of(cx, incident, review.as_ref())?
            .into_iter()
            .map(|row| row.text)
            .collect(),
    };
    match review.and_then(|review| review.summary) {
        Some(summary) => (drafted.summary, drafted.is_written) = (summary, true),
        None => drafted.summary = drafted.summary_of_facts(),
    }
    Ok(drafted)
}

fn cause(cx: &mut Context<'_, '_>, review: Option<&IncidentReview>) -> Result<Option<(String, String)>> {
    let Some(key) = review.and_then(|it| it.cause.clone()) else {
        return Ok(None);
    };
    let name = Cause::found(cx, &key)?.map_or_else(|| key.clone(), |cause| cause.name);
    Ok(Some((key, name)))
}

/// The changes that were involved, in the order of their work.
fn changes(
    cx: &mut Context<'_, '_>,
    directory: &Directory,
    incident: &Incident,
    (links, answers): (&[Seen], &[ReviewAnswer]),
) -> Result<Vec<Involved>> {
    let mut found = Vec::new();
    for key in involved(cx, incident)? {
        let file = cx.file(&key)?;
        let answer = answers.iter().find(|it| it.change_key == key);
        found.push(one(&file, directory, role(&key, links), answer));
    }
    found.sort_by(|one, other| (one.began, &one.key).cmp(&(other.began, &other.key)));
    Ok(found)
}

fn role(key: &str, links: &[Seen]) -> &'static str {
    let kinds: Vec<RelationKind> = links
        .iter()
        .filter(|it| it.other.key == key)
        .map(|it| it.reads.kind)
        .collect();
    match kinds.contains(&RelationKind::Caused) || !kinds.contains(&RelationKind::FixedBy) {
        true => "caused it",
        false => "fixed it",
    }
}

fn one(file: &ChangeFile, directory: &Directory, role: &'static str, answer: Option<&ReviewAnswer>) -> Involved {
    let change = &file.change;
    let mut decided_by: Vec<String> = file.standing().map(|it| directory.login(&it.person)).collect();
    decided_by.sort();
    decided_by.dedup();
    let ppm = change.forecast.as_ref().and_then(|it| it.probability_ppm);
    Involved {
        key: change.key.clone(),
        title: change.content.title.clone(),
        role,
        risk: change.risk.level.to_string(),
        forecast: ppm.map(percent),
        steps: change.content.plan.len(),
        decided_by,
        permits: file.permits.len(),
        began: change.actual_start,
        ended: change.actual_end,
        answer: answer.map(|it| (it.rating, it.steps_adequate, it.text.clone())),
    }
}

/// Records that are linked and are no change that was involved.
fn others(links: Vec<Seen>) -> Vec<(&'static str, String)> {
    let is_involved = |seen: &Seen| {
        seen.other.kind == RelationEnd::Change
            && matches!(seen.reads.kind, RelationKind::Caused | RelationKind::FixedBy)
    };
    let rest = links.into_iter().filter(|seen| !is_involved(seen));
    rest.map(|seen| (seen.reads.words(), seen.other.key)).collect()
}

fn shown_actions(cx: &mut Context<'_, '_>, directory: &Directory, key: &str) -> Result<Vec<Action>> {
    let items = actions_of(cx, key)?;
    let shown = items.into_iter().map(|item| Action {
        owner: item
            .owner
            .map_or_else(|| "change managers".to_owned(), |it| directory.login(&it)),
        key: item.key,
        title: item.title,
        due_at: item.due_at,
        state: item.state.to_string(),
    });
    Ok(shown.collect())
}

/// The course of events: the incident's timeline, and the work of the changes that were involved.
fn course(cx: &mut Context<'_, '_>, incident: &Incident, changes: &[Involved]) -> Result<Vec<(Timestamp, String)>> {
    let mut lines = vec![(incident.started_at, format!("{} began.", incident.key))];
    lines.extend(incident.resolved_at.map(|at| (at, format!("{} ended.", incident.key))));
    for change in changes {
        lines.extend(change.began.map(|at| (at, format!("Work on {} began.", change.key))));
        lines.extend(change.ended.map(|at| (at, format!("Work on {} ended.", change.key))));
    }
    let entries = Filter::new().equals("about", incident.key.as_str()).descending_by("at");
    let entries = record::bodies::<IncidentEntry>(cx.tx, &entries.limit(MOST_LINES as i64))?;
    lines.extend(entries.into_iter().map(|entry| (entry.at, entry.text)));
    lines.sort();
    lines.dedup();
    lines.truncate(MOST_LINES);
    Ok(lines)
}

//! Lessons of an incident: links of a record, the draft and the text of a review, its actions, and decisions about problems.

use acts::Context;
use acts::incident::draft_incident_review::draft_incident_review;
use acts::incident::link_records::{Seen, show_history, show_links};
use acts::incident::problems::{decide_problem, fix_problem, judge_problem, search_problems};
use acts::incident::review_actions::{actions_of, add_review_action};
use model::core::act::actions;
use model::core::parse::Reading;
use model::directory::snapshot::Directory;
use model::incident::problem::ProblemRecord;
use model::incident::review_text::{Drafted, Involved};
use serde_json::{Value, json};
use store::record::Record;
use wire::views;

use crate::http::route::{Ask, Reply, Route};

/// Links, reviews and problems.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_links_of", links),
    Route::reads("show_link_history", history),
    Route::reads("draft_incident_review", draft),
    Route::reads("list_review_actions", review_actions),
    Route::writes("add_review_action", add_action),
    Route::writes("search_problems", search),
    Route::writes("decide_problem", decide),
    Route::writes("fix_problem", fix),
    Route::writes("judge_problem", judge),
];

fn links(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (end, found) = show_links(cx, ask.place(0))?;
    let directory = cx.directory()?;
    let items: Vec<Value> = found.iter().map(|seen| link_view(seen, &directory)).collect();
    Ok(Reply::ok(json!({"key": end.key, "kind": end.kind, "items": items})))
}

fn link_view(seen: &Seen, directory: &Directory) -> Value {
    json!({
        "reads": seen.reads.words(),
        "leads_away": seen.reads.leads_away,
        "other": {"key": seen.other.key, "kind": seen.other.kind},
        "link": views::shown(&seen.link, directory),
    })
}

fn history(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = show_history(cx, ask.place(0))?;
    let directory = cx.directory()?;
    let item = |row: &acts::incident::link_records::Edited| {
        json!({
            "event": row.event, "index": row.index, "kind": row.kind, "by": directory.login(&row.by), "at": row.at,
            "confidence_ppm_before": row.confidence_ppm_before,
        })
    };
    ask.whole(found.iter().map(item).collect())
}

fn draft(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let drafted = draft_incident_review(cx, ask.place(0))?;
    Ok(Reply::ok(drafted_view(&drafted)))
}

fn drafted_view(drafted: &Drafted) -> Value {
    json!({
        "incident_key": drafted.key,
        "title": drafted.title,
        "severity": drafted.severity,
        "services": drafted.services,
        "began_at": drafted.began,
        "ended_at": drafted.ended,
        "summary": drafted.summary,
        "is_written": drafted.is_written,
        "completed_at": drafted.completed_at,
        "cause": drafted.cause.as_ref().map(|(key, _)| key),
        "contributing": drafted.contributing,
        "changes": drafted.changes.iter().map(involved_view).collect::<Vec<_>>(),
        "links": drafted.links.iter().map(|(reads, key)| json!({"reads": reads, "key": key})).collect::<Vec<_>>(),
        "course": drafted.course.iter().map(|(at, text)| json!({"at": at, "text": text})).collect::<Vec<_>>(),
        "moves": drafted.moves.iter().map(|(key, text)| json!({"change": key, "text": text})).collect::<Vec<_>>(),
        "missing": drafted.missing,
        "markdown": drafted.markdown(),
    })
}

fn involved_view(change: &Involved) -> Value {
    let mut view = json!({
        "key": change.key,
        "title": change.title,
        "role": change.role,
        "risk": change.risk,
        "forecast_percent": change.forecast,
        "steps": change.steps,
        "decided_by": change.decided_by,
        "permits": change.permits,
        "began_at": change.began,
        "ended_at": change.ended,
        "rating": change.answer.as_ref().map(|it| it.0),
    });
    if let Some((_, is_adequate, _)) = &change.answer {
        view["steps_adequate"] = json!(is_adequate);
    }
    view
}

fn review_actions(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let found = actions_of(cx, &ask.place(0).to_uppercase())?;
    let directory = cx.directory()?;
    ask.whole(found.iter().map(|item| views::shown(item, &directory)).collect())
}

fn add_action(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let item = add_review_action(cx, ask.place(0), &ask.body)?;
    let directory = cx.directory()?;
    Ok(Reply {
        status: 201,
        ..Reply::ok(views::shown(&item, &directory)).tagged(item.version)
    })
}

fn search(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let written = search_problems(cx)?;
    Reading::new(&ask.body, "").finish()?;
    let directory = cx.directory()?;
    let items: Vec<Value> = written.iter().map(|it| views::shown(it, &directory)).collect();
    Ok(Reply {
        status: 201,
        ..Reply::ok(json!({"items": items}))
    })
}

fn decide(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let problem = decide_problem(cx, ask.place(0), &ask.body)?;
    shown(cx, &problem)
}

fn fix(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let problem = fix_problem(cx, ask.place(0), &ask.body)?;
    shown(cx, &problem)
}

fn judge(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let problem = judge_problem(cx, ask.place(0), &ask.body)?;
    shown(cx, &problem)
}

fn shown(cx: &mut Context<'_, '_>, problem: &ProblemRecord) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    let reply = Reply::ok(views::shown(problem, &directory)).tagged(Record::version(problem));
    Ok(Reply { status: 201, ..reply })
}

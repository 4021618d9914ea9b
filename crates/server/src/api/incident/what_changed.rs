//! Changes before a given time: as a ranking, and as annotations for a dashboard.

use acts::Context;
use acts::incident::find_what_changed::{Changed, ChangesFound, Question, find_what_changed};
use acts::incident::judge_candidates::{Candidates, find_candidates, judge_candidate};
use jiff::{SignedDuration, Timestamp};
use model::core::act::actions;
use model::core::enums::NodeKind;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Incident};
use model::incident::what_changed::{HOURS, MOST_HOURS};
use serde_json::{Value, json};

use crate::http::route::{Ask, Reply, Route};

/// The ranking and the annotations.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_what_changed", what_changed),
    Route::reads("show_change_annotations", annotations),
    Route::reads("show_candidates", candidates),
    Route::writes("judge_candidate", judge),
];

fn what_changed(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let before = ask.query_time("before")?.unwrap_or(cx.now);
    let hours = match ask.query("hours") {
        None => HOURS,
        Some(text) => hours(text)?,
    };
    let answer = find_what_changed(cx, &question(ask, before, hours))?;
    Ok(Reply::ok(view(&answer)))
}

fn question(ask: &Ask, before: Timestamp, hours: i64) -> Question {
    Question {
        service: ask.query("service").map(str::to_owned),
        item: ask.query("item").map(str::to_owned),
        before,
        hours,
    }
}

/// The candidates of an incident, each with its latest assessment.
fn candidates(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let (directory, key) = (cx.visible()?, ask.place(0));
    let found = directory.incidents.get(&key.to_uppercase());
    let incident = found.ok_or_else(|| Refusal::not_found(format!("incident {key}")))?;
    let hours = ask.query("hours").map(hours).transpose()?;
    let found = find_candidates(cx, incident, hours)?;
    Ok(Reply::ok(candidates_view(&found, incident, &directory)))
}

fn candidates_view(found: &Candidates, incident: &Incident, directory: &Directory) -> Value {
    let rows = found.items.iter().enumerate().map(|(place, row)| {
        let mut value = item(row);
        value["probability_ppm"] = json!(found.probability(place));
        let said = row.change.as_deref().and_then(|key| incident.cause_verdict(key));
        value["verdict"] = json!(said.map(|said| json!({
            "confirmed": said.confirmed, "reason": said.reason, "by": directory.login(&said.by), "at": said.at,
        })));
        value
    });
    let windows = found
        .windows
        .iter()
        .filter(|it| directory.services.contains_key(&it.service));
    let windows = windows.map(|it| json!({"service": it.service, "hours": it.hours, "origin": it.origin}));
    json!({
        "hours": found.hours,
        "windows": windows.collect::<Vec<Value>>(),
        "sure": found.sure,
        "change_related": incident.course.change_related,
        "model": found.model,
        "verdicts": found.verdicts,
        "gap": found.gap,
        "items": rows.collect::<Vec<Value>>(),
    })
}

fn judge(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let incident = judge_candidate(cx, ask.place(0), &ask.body)?;
    let directory = cx.directory()?;
    let found = find_candidates(cx, &incident, None)?;
    Ok(Reply::created(candidates_view(&found, &incident, &directory)).tagged(incident.version))
}

fn hours(text: &str) -> acts::Result<i64> {
    let number = text.parse().ok().filter(|hours| (1..=MOST_HOURS).contains(hours));
    number.ok_or_else(|| {
        let text = format!("`hours` is a whole number from 1 to {MOST_HOURS}.");
        Refusal::field("hours", "out_of_range", text).into()
    })
}

fn view(answer: &ChangesFound) -> Value {
    let kind = match answer.kind {
        NodeKind::Service => "service",
        NodeKind::ConfigItem => "config_item",
    };
    let items: Vec<Value> = answer.items.iter().map(item).collect();
    json!({
        "of": {"kind": kind, "key": answer.key},
        "from": answer.from,
        "before": answer.before,
        "things": answer.things,
        "more": answer.more,
        "items": items,
    })
}

fn item(row: &Changed) -> Value {
    let it = &row.happening;
    json!({
        "change": row.change,
        "deployment": row.deployment,
        "drift": row.drift,
        "vendor_notice": row.notice,
        "title": row.title,
        "service": row.service,
        "distance": it.distance,
        "kind": it.kind,
        "risk": it.risk,
        "state": row.state,
        "outcome": row.outcome,
        "began_at": it.began,
        "ended_at": it.ended,
        "failed": it.failed,
        "score": row.ranked.score,
        "reasons": row.ranked.reasons,
    })
}

/// Times of a dashboard are milliseconds since 1970, or RFC 3339.
fn dashboard_time(ask: &Ask, name: &str) -> acts::Result<Option<Timestamp>> {
    match ask.query(name).map(str::parse::<i64>) {
        Some(Ok(milliseconds)) => {
            let read = Timestamp::from_millisecond(milliseconds);
            let wrong = |_| Refusal::field(name, "out_of_range", format!("`{name}` lies outside of all times."));
            Ok(Some(read.map_err(wrong)?))
        }
        _ => ask.query_time(name),
    }
}

fn annotations(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let to = dashboard_time(ask, "to")?.unwrap_or(cx.now);
    let day = SignedDuration::from_hours(HOURS);
    let from = dashboard_time(ask, "from")?.unwrap_or_else(|| to.checked_sub(day).unwrap_or(Timestamp::MIN));
    if to < from {
        return Err(Refusal::field("to", "out_of_order", "`to` must not lie before `from`.").into());
    }
    // A dashboard over a longer time shows the end of it.
    let minutes = to.duration_since(from).as_mins();
    let hours = (minutes + 59).div_euclid(60).clamp(1, MOST_HOURS);
    let answer = find_what_changed(cx, &question(ask, to, hours))?;
    let base = format!("{}/t/{}", cx.services.tools().public_url, cx.tenant());
    let items: Vec<Value> = answer.items.iter().map(|row| annotation(&base, row)).collect();
    Ok(Reply::ok(json!({"items": items})))
}

fn annotation(base: &str, row: &Changed) -> Value {
    let it = &row.happening;
    let mut tags = vec![row.service.clone()];
    tags.extend(it.kind.map(|kind| kind.to_string()));
    tags.extend(it.risk.map(|risk| format!("risk:{risk}")));
    if it.failed {
        tags.push("failed".to_owned());
    }
    let title = match &row.change {
        Some(key) => format!("{key}: {}", row.title),
        None => row.title.clone(),
    };
    let link = row.change.as_ref().map(|key| format!("{base}/changes/{key}"));
    json!({
        "time": it.began.as_millisecond(),
        "timeEnd": it.ended.map(|end| end.as_millisecond()),
        "title": title,
        "text": row.ranked.reasons.join("; "),
        "tags": tags,
        "url": link,
    })
}

//! What the gates were asked and answered.

use acts::find_records::find_gate_checks;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::act::actions;
use model::records::GateCheck;
use model::words::{CheckState, GateDecision};
use pages::{Entry, Fact, GateCheckRow, GateChecks, GatePage, Paging, Place, Rich, Tone, short_digest};
use serde_json::json;

use super::view::{View, Visitor, show};
use super::words::plain;
use crate::state::AppState;

/// How many checks a page shows.
const PAGE: i64 = 50;

/// Where the list goes on.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
}

/// The list, newest first.
pub(super) async fn list(State(state): State<AppState>, visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    let show_list = move |view: &mut View<'_, '_, '_>| list_page(view, asked.before.as_deref());
    show(&state, &visitor, Place::GateChecks, show_list).await
}

fn list_page(view: &mut View<'_, '_, '_>, before: Option<&str>) -> acts::Result<String> {
    let mut checks = find_gate_checks(view.room, before, PAGE + 1)?;
    let is_more = checks.len() as i64 > PAGE;
    checks.truncate(PAGE as usize);
    let last = checks.last().filter(|_| is_more);
    let older = last.map(|check| view.url(&format!("/gate-checks?before={}", check.id)));
    let newer = before.map(|_| view.url("/gate-checks"));
    let rows: Vec<GateCheckRow> = checks.iter().map(|check| row(view, check)).collect();
    let shown = format!("{} shown", rows.len());
    let page = GateChecks {
        frame: view.frame.clone(),
        count: shown.clone(),
        paging: Paging {
            newer,
            older,
            count: shown,
        },
        rows,
        ..GateChecks::default()
    };
    Ok(page.render())
}

fn build(check: &GateCheck) -> String {
    check
        .artifact
        .as_deref()
        .or(check.commit.as_deref())
        .map(short_digest)
        .unwrap_or_default()
}

fn row(view: &View<'_, '_, '_>, check: &GateCheck) -> GateCheckRow {
    GateCheckRow {
        id: check.id.0.clone(),
        href: view.url(&format!("/gate-checks/{}", check.id)),
        target: format!("{}, {}", check.service, check.environment),
        artifact: build(check),
        is_go: check.decision == GateDecision::Go,
        is_waiting: matches!(check.state, CheckState::Waiting | CheckState::Collectable),
        change: check
            .change
            .as_deref()
            .map_or_else(Rich::new, |key| Rich::new().link(key, view.change_url(key))),
        why: check
            .reasons
            .first()
            .map(|reason| view.plain(&reason.text))
            .unwrap_or_default(),
        asked: view.reader.moment(check.asked_at),
    }
}

/// One check.
pub(super) async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::GateChecks, move |view| {
        view.room.allow(actions::READ)?;
        let check = acts::gate::load_check(view.room, &id)?;
        Ok(page(view, &check).render())
    })
    .await
}

fn page(view: &View<'_, '_, '_>, check: &GateCheck) -> GatePage {
    let is_go = check.decision == GateDecision::Go;
    let what = format!(
        "{} may {}go to {}",
        check.service,
        if is_go { "" } else { "not " },
        check.environment
    );
    let answer = match &check.change {
        Some(key) => Rich::new()
            .text(format!("{what}: "))
            .link(key.as_str(), view.change_url(key)),
        None => Rich::new().text(format!("{what}: no change answers for it")),
    };
    let open = check.reasons.iter().map(|reason| {
        let entry = Entry::new(Tone::Wait, view.sentence(&reason.text))
            .code(reason.code.as_str())
            .why(view.sentence(&reason.satisfy));
        if reason.waiting_on.is_empty() {
            entry
        } else {
            entry.aside(view.all_waits_on(&reason.waiting_on))
        }
    });
    GatePage {
        frame: view.frame.clone(),
        id: check.id.0.clone(),
        is_go,
        answer,
        decided: format!("decided {}", view.reader.moment(check.checked_at)),
        open: open.collect(),
        met: Vec::new(),
        command: String::new(),
        json: answer_json(check),
        facts: facts(view, check),
    }
}

fn answer_json(check: &GateCheck) -> String {
    let answer = json!({
        "id": check.id, "decision": check.decision, "change": check.change, "checked_at": check.checked_at.to_string(),
        "reasons": check.reasons, "next_transition_at": check.next_transition_at.map(|at| at.to_string()),
    });
    serde_json::to_string_pretty(&answer).unwrap_or_default()
}

fn facts(view: &View<'_, '_, '_>, check: &GateCheck) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new(
            "Service",
            Rich::new().link(
                check.service.as_str(),
                view.url(&format!("/services/{}", check.service)),
            ),
        ),
        Fact::new("Environment", Rich::new().said(check.environment.as_str())),
        Fact::new("Build", Rich::new().code(build(check))),
        Fact::new("Asked by", view.name(&check.by)),
        Fact::new("Asked", view.reader.moment(check.asked_at)),
        Fact::new("Purpose", plain(check.purpose.as_str())),
        Fact::new("State", plain(check.state.as_str())),
    ];
    if let Some(until) = check.wait_until {
        facts.push(Fact::new("Waits until", view.reader.moment(until)));
    }
    if let Some(next) = check.next_transition_at {
        facts.push(Fact::new("May turn", view.reader.moment(next)));
    }
    facts
}

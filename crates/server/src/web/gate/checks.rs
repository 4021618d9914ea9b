//! The requests to the gates and their decisions.

use acts::change::find_warnings::warnings_of;
use acts::report::find_records::{CheckQuery, find_gate_checks};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use model::approval::warning::Warning;
use model::change::change_file::ChangeFile;
use model::change::related_records::GateCheck;
use model::core::act::actions;
use model::core::enums::{CheckState, EvidenceResult, GateDecision, Purpose};
use model::core::unmet::Unmet;
use model::gate::answer::rows as gate_rows;
use model::gate::earliest_go::{EarliestGo, earliest_go};
use pages::{Chip, Empty, Entry, Fact, GateCheckRow, GateChecks, GatePage, Paging, Place, Rich, Tone, short_digest};
use serde_json::json;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::decision_card::{missing, short_reason, way_on};
use crate::web::approval::warnings;
use crate::web::shared::fields::{service_filter, state_filter};
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::names as names_of;

/// How long the command waits where no turn of the clock is known, in hours.
const DAY_HOURS: i64 = 24;
/// The longest that a check may wait, in hours.
const LONGEST_WAIT_HOURS: i64 = 7 * 24;
/// How many checks a page shows.
const PAGE: i64 = 50;

/// The filters of the list, and its position.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct ChecksQuery {
    before: Option<String>,
    service: Option<String>,
    state: Option<String>,
}

/// The states of the list's filter.
const STATES: [(&str, &str); 4] = [
    ("waiting", "Waiting for a go"),
    ("collectable", "Go; permit not collected yet"),
    ("settled", "Answered"),
    ("over", "Timed out without a go"),
];

impl ChecksQuery {
    fn service(&self) -> &str {
        self.service.as_deref().unwrap_or_default().trim()
    }

    fn state(&self) -> &str {
        self.state.as_deref().unwrap_or_default().trim()
    }

    /// The address of the list with these filters, without one of them.
    fn address(&self, view: &View<'_, '_, '_>, without: &str, before: Option<&str>) -> String {
        let before = before.unwrap_or_default();
        let pairs = [("service", self.service()), ("state", self.state()), ("before", before)];
        let pairs = pairs
            .into_iter()
            .filter(|(name, value)| *name != without && !value.is_empty());
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        match pairs.is_empty() {
            true => view.url("/gate-checks"),
            false => view.url(&format!("/gate-checks?{}", pairs.join("&"))),
        }
    }

    fn chips(&self, view: &View<'_, '_, '_>) -> Vec<Chip> {
        let state = STATES.iter().find(|(word, _)| *word == self.state());
        let state = state.map_or(self.state(), |(_, label)| label);
        let on = [("service", "Service", self.service()), ("state", "State", state)];
        let chip = |(name, label, value): (&str, &str, &str)| Chip {
            label: label.to_owned(),
            value: value.to_owned(),
            remove_url: self.address(view, name, None),
            is_said: name == "service",
        };
        on.into_iter()
            .filter(|(_, _, value)| !value.is_empty())
            .map(chip)
            .collect()
    }
}

/// The list, newest first.
pub(crate) async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<ChecksQuery>,
) -> Response {
    let show_list = move |view: &mut View<'_, '_, '_>| list_page(view, &asked);
    show(&state, &visitor, Place::GateChecks, show_list).await
}

fn list_page(view: &mut View<'_, '_, '_>, asked: &ChecksQuery) -> acts::Result<String> {
    let before = asked.before.as_deref();
    let query = CheckQuery {
        before: asked.before.clone(),
        service: Some(asked.service().to_owned()).filter(|key| !key.is_empty()),
        state: CheckState::ALL
            .iter()
            .copied()
            .find(|state| state.as_str() == asked.state()),
    };
    let mut checks = find_gate_checks(view.cx, &query, PAGE + 1)?;
    let is_more = checks.len() as i64 > PAGE;
    checks.truncate(PAGE as usize);
    let last = checks.last().filter(|_| is_more);
    let older = last.map(|check| asked.address(view, "", Some(check.id.as_str())));
    let newer = before.map(|_| asked.address(view, "before", None));
    let rows: Vec<GateCheckRow> = checks.iter().map(|check| row(view, check)).collect();
    let shown = format!("{} shown", rows.len());
    let chips = asked.chips(view);
    let none = Empty::new("No gate check matches these filters", "Remove a filter.");
    let page = GateChecks {
        frame: view.frame.clone(),
        filters: vec![
            service_filter(view, asked.service()),
            state_filter(&STATES, asked.state()),
        ],
        filter_url: view.url("/gate-checks"),
        unfound: (!chips.is_empty()).then_some(none),
        chips,
        count: shown.clone(),
        paging: Paging {
            newer,
            older,
            count: shown,
            ..Paging::default()
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
        .or(check.asked_artifact.as_deref())
        .or(check.commit.as_deref())
        .map(short_digest)
        .unwrap_or_default()
}

fn row(view: &View<'_, '_, '_>, check: &GateCheck) -> GateCheckRow {
    let (service, environment) = check.place();
    GateCheckRow {
        id: check.id.0.clone(),
        href: view.url(&format!("/gate-checks/{}", check.id)),
        target: format!("{service}, {environment}"),
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
pub(crate) async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::GateChecks, move |view| {
        view.cx.allow(actions::READ)?;
        let check = acts::gate::answer::load_check(view.cx, &id)?;
        let file = match &check.change {
            Some(key) => Some(view.cx.file(key)?),
            None => None,
        };
        let found = match &file {
            Some(file) if check.purpose == Purpose::Deploy => warnings_of(view.cx, file)?,
            _ => Vec::new(),
        };
        Ok(page(view, &check, file.as_ref(), &found).render())
    })
    .await
}

fn page(view: &View<'_, '_, '_>, check: &GateCheck, file: Option<&ChangeFile>, found: &[Warning]) -> GatePage {
    let is_go = check.decision == GateDecision::Go;
    let mut told: Vec<(String, &str)> = Vec::new();
    let mut rows: Vec<(String, &Unmet)> = Vec::new();
    for row in &check.reasons {
        let text = short_reason(row);
        // A rule on the change and its times is unmet twice, and waits for one decision of the same people.
        let same = (text.clone(), row.satisfy.as_str());
        if !told.contains(&same) {
            told.push(same);
            rows.push((text, row));
        }
    }
    let count = rows.len();
    let open = rows.into_iter().map(|(_, reason)| {
        let entry = Entry::new(Tone::Wait, missing(view, reason))
            .code(reason.code.as_str())
            .why(way_on(view, reason));
        if reason.waiting_on.is_empty() || reason.code == "approval_missing" {
            entry
        } else {
            entry.aside(view.all_waits_on(&reason.waiting_on))
        }
    });
    GatePage {
        frame: view.frame.clone(),
        id: check.id.0.clone(),
        is_go,
        answer: answer(view, check, count),
        decided: format!("decided {}", view.reader.moment(check.checked_at)),
        open: open.collect(),
        warned: warnings::entries(view, found),
        met: file.map(|file| met(view, check, file)).unwrap_or_default(),
        // The command contains the request, so only names from a known change become part of a text for copying.
        command: match file {
            Some(_) if !is_go => command(view, check),
            _ => String::new(),
        },
        json: answer_json(check),
        facts: facts(view, check, file),
    }
}

/// The decision in a sentence.
fn answer(view: &View<'_, '_, '_>, check: &GateCheck, open: usize) -> Rich {
    let may = match check.decision {
        GateDecision::Go => " may go to ",
        GateDecision::Stop => " may not go to ",
    };
    let (service, environment) = check.place();
    let what = Rich::new().said(service).text(may).said(environment);
    if let Some(led) = &check.led_by {
        let leads = what.text(format!(": {} manages it", led.kind.label()));
        return match &led.change {
            Some(key) => leads.text(", by ").said(key.as_str()),
            None => leads,
        };
    }
    let Some(key) = &check.change else {
        return what.text(": no change covers it");
    };
    let link = |rich: Rich| rich.link(key.as_str(), view.change_url(key));
    match (check.decision, open) {
        (GateDecision::Go, _) | (GateDecision::Stop, 0) => link(what.text(": ")),
        (GateDecision::Stop, 1) => link(what.text(": one condition of ")).text(" is open"),
        (GateDecision::Stop, many) => link(what.text(format!(": {many} conditions of "))).text(" are open"),
    }
}

/// The conditions that were met when the check was judged, as far as the change still records them.
fn met(view: &View<'_, '_, '_>, check: &GateCheck, file: &ChangeFile) -> Vec<Entry> {
    let key = file.change.key.as_str();
    let names = Entry::new(Tone::Ok, "The change names this service, environment and build")
        .aside(Rich::new().link(key, view.change_url(key)));
    let mut entries = vec![names];
    if check.purpose == Purpose::Rollback {
        entries.push(Entry::new(
            Tone::Ok,
            "It is a rollback, which neither a freeze nor a window stops",
        ));
        return entries;
    }
    if file.change.lawful_break_glass().is_some() {
        entries.push(Entry::new(
            Tone::Wait,
            "Break-glass was used, which replaces approvals, windows and freezes",
        ));
        return entries;
    }
    let is_open = |code: &str| check.reasons.iter().any(|reason| reason.code.starts_with(code));
    let before = |at: Timestamp| at <= check.checked_at;
    let yes = file.standing().filter(|one| one.is_yes() && before(one.at));
    let yes: Vec<String> = yes.map(|one| view.name(&one.person)).collect();
    if !yes.is_empty() && !is_open("approval") && !is_open("cannot_be_met") {
        entries.push(Entry::new(Tone::Ok, "All required approvals are given").aside(names_of(&yes)));
    }
    let passed = file.evidence.iter().filter(|one| {
        let is_of_it = one.artifact.is_none() || one.artifact == check.artifact;
        one.result == EvidenceResult::Passed && is_of_it && before(one.at)
    });
    entries.extend(passed.map(|one| {
        let entry = Entry::new(Tone::Ok, Rich::new().said(one.name.as_str()).text(" passed"));
        match &one.environment {
            Some(place) => entry.aside(Rich::new().said(place.as_str())),
            None => entry,
        }
    }));
    if !is_open("freeze") {
        entries.push(Entry::new(Tone::Ok, "No freeze stopped it"));
    }
    if check.decision == GateDecision::Go {
        entries.push(Entry::new(Tone::Ok, "The window was open"));
    }
    entries
}

/// The command that waits for the decision to turn.
fn command(view: &View<'_, '_, '_>, check: &GateCheck) -> String {
    let artifact = check.artifact.as_ref().or(check.asked_artifact.as_ref());
    let artifact = artifact.map(|it| format!(" --artifact {it}"));
    let commit = check.commit.as_ref().map(|it| format!(" --commit {it}"));
    let change = check.change.as_ref().map(|it| format!(" --change {it}"));
    let turns = check.next_transition_at.filter(|at| *at > view.now());
    let hours = turns.map_or(DAY_HOURS, |at| at.duration_since(view.now()).as_hours() + 1);
    let (service, environment) = check.place();
    format!(
        "assent gate check --service {service} --environment {environment} \\\n {} \\\n {} --wait {}h",
        artifact.or(commit).unwrap_or_default(),
        change.unwrap_or_default(),
        hours.clamp(1, LONGEST_WAIT_HOURS)
    )
}

fn answer_json(check: &GateCheck) -> String {
    let answer = json!({
        "id": check.id, "decision": check.decision, "change": check.change, "checked_at": check.checked_at.to_string(),
        "reasons": check.reasons, "next_transition_at": check.next_transition_at.map(|at| at.to_string()), "led_by": check.led_by,
    });
    serde_json::to_string_pretty(&answer).unwrap_or_default()
}

/// The purpose of the check, for people.
fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Deploy => "To deploy",
        Purpose::Rollback => "To roll back",
    }
}

/// The state of the check, for people.
fn state_label(state: CheckState) -> &'static str {
    match state {
        CheckState::Settled => "Answered",
        CheckState::Waiting => "Waiting for a go",
        CheckState::Collectable => "Go; permit not collected yet",
        CheckState::Over => "Timed out without a go",
    }
}

fn facts(view: &View<'_, '_, '_>, check: &GateCheck, file: Option<&ChangeFile>) -> Vec<Fact> {
    let (service, environment) = check.place();
    let mut facts = vec![
        Fact::new(
            "Service",
            Rich::new().said_link(service, view.url(&format!("/services/{service}"))),
        ),
        Fact::new("Environment", Rich::new().said(environment)),
        Fact::new("Build", Rich::new().code(build(check))),
        Fact::new("Asked by", view.person(&check.by)),
        Fact::new("Asked", view.reader.moment(check.asked_at)),
        Fact::new("Purpose", purpose(check.purpose)),
        Fact::new("State", state_label(check.state)),
    ];
    if let Some(until) = check.wait_until {
        facts.push(Fact::new("Waits until", view.reader.moment(until)));
    }
    let is_stop = check.decision == GateDecision::Stop && check.purpose == Purpose::Deploy;
    match file.filter(|_| is_stop).and_then(|file| earliest(view, check, file)) {
        Some(told) => facts.push(Fact::new("Earliest go", told)),
        None => {
            let next = check.next_transition_at;
            facts.extend(next.map(|next| Fact::new("May change", view.reader.moment(next))));
        }
    }
    if let (GateDecision::Stop, Some(key)) = (check.decision, &check.change) {
        let glass = Rich::new()
            .link("Break glass", format!("{}#act", view.change_url(key)))
            .text(", with a reason and a fresh factor");
        facts.push(Fact::new("In an emergency", glass));
    }
    facts
}

/// The earliest time at which the gate may let the change go, in its present state; nothing where the change no longer names
/// this build.
fn earliest(view: &View<'_, '_, '_>, check: &GateCheck, file: &ChangeFile) -> Option<Rich> {
    let (artifact, commit) = (check.artifact.as_deref(), check.commit.as_deref());
    let mut rows = gate_rows(file, &view.directory, view.now()).into_iter().filter(|row| {
        let is_place = row.service.as_str() == check.service && row.environment.as_str() == check.environment;
        let is_build = artifact.is_some() && row.artifact.as_deref() == artifact
            || commit.is_some() && row.commit.as_deref() == commit;
        is_place && is_build && row.purpose == Purpose::Deploy
    });
    let row = rows.next()?;
    Some(match earliest_go(&row, view.now()) {
        EarliestGo::Now => Rich::from("Now: the open conditions have been met since."),
        EarliestGo::At(at) => view.moment(at),
        EarliestGo::NotBefore(at) => {
            Rich::from("Unknown: it depends on decisions of people, not before ").append(view.moment(at))
        }
        EarliestGo::Unknown => Rich::from("Unknown: it depends on decisions of people."),
        EarliestGo::OtherTimes => Rich::from("Not within its planned times; the change needs new times first."),
    })
}

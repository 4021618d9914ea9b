//! The log for people, what outside systems delivered, and how an event is told in words.

use std::collections::BTreeMap;

use acts::find_log::{LOOKED_AT, LogPage, find_log, search_log};
use acts::find_timeline::{LogView, Told};
use acts::note_replay::last_replay;
use axum::extract::{Query, State};
use axum::response::Response;
use model::directory::{Connection, Environment, Group, Service, Token};
use model::ids::PersonId;
use model::records::Entry as ActionEntry;
use model::refusal::Refusal;
use pages::{AuditLog, Deliveries, DeliveryRow, Fact, Moment, Notice, Paging, Place, Rich, Tone, count};
use serde_json::Value;
use store::record::{self, Filter};

use super::changes::is_key;
use super::log_filter::Wanted;
use super::phrases;
use super::sections::index;
use super::view::{View, Visitor, problem, show};
use super::words::{capital, plain};
use crate::failure::Failure;
use crate::state::AppState;

/// How many entries one page of the log shows.
const PAGE: i64 = 50;
/// How many letters of what was noted in the work stand in a timeline.
const NOTED: usize = 120;
/// How many deliveries are shown.
const DELIVERIES: i64 = 200;

/// The tenant's log.
pub(super) async fn log(State(state): State<AppState>, visitor: Visitor, Query(wanted): Query<Wanted>) -> Response {
    let before = match wanted.before.as_deref().map(str::parse).transpose() {
        Ok(before) => before,
        Err(_) => {
            let text = "`before` is a place in the log: a whole number.";
            let back = format!("{}/audit", visitor.base());
            return problem(&state, &visitor, &Failure::new(400, "not_readable", text), &back).await;
        }
    };
    let public_url = state.public_url().to_owned();
    show(&state, &visitor, Place::AuditLog, move |view| {
        log_page(view, &wanted, before, &public_url)
    })
    .await
}

/// What a page of the log shows, and its neighbours.
struct Shown {
    entries: Vec<Told>,
    paging: Paging,
    /// What it says when nothing is shown.
    unsaid: String,
    notices: Vec<Notice>,
}

fn log_page(
    view: &mut View<'_, '_, '_>,
    wanted: &Wanted,
    before: Option<i64>,
    public_url: &str,
) -> acts::Result<String> {
    let is_narrowed = !wanted.is_empty();
    let log = find_log(view.room, before, if is_narrowed { 0 } else { PAGE })?;
    let size = count(log.size.unsigned_abs());
    let lede = match log.sealed_at {
        Some(at) => format!("{size} entries, sealed {}.", view.reader.distance(at)),
        None => format!("{size} entries."),
    };
    let tenant = view.room.tenant();
    let shown = match is_narrowed {
        true => narrowed(view, wanted, before)?,
        false => all(view, &log, before),
    };
    let mut notices = shown.notices;
    if log.waiting > 0 {
        notices.push(Notice::new(
            Tone::Wait,
            format!(
                "{} events are written and wait for their place in the log.",
                log.waiting
            ),
        ));
    }
    let mut facts = vec![
        Fact::new("Size", size),
        Fact::new("Root", Rich::new().code(log.root)),
        Fact::new(
            "Keys",
            Rich::new().link("Verifier keys", format!("/t/{tenant}/log/key")),
        ),
    ];
    let (fact, notice) = compared(view)?;
    facts.extend(fact);
    notices.extend(notice);
    let page = AuditLog {
        frame: view.frame.clone(),
        lede,
        checkpoint: log.checkpoint,
        notices,
        chips: wanted.chips(view),
        filters: wanted.fields(view),
        filter_url: view.url("/audit"),
        unsaid: shown.unsaid,
        entries: entries(view, &shown.entries)?,
        paging: shown.paging,
        checks: vec![
            (
                "Every entry, its place and the signatures, without trusting this server:".to_owned(),
                verify_command(public_url, &tenant),
            ),
            (
                "That the database holds what the log says, on the host:".to_owned(),
                "assent audit replay".to_owned(),
            ),
        ],
        facts,
    };
    Ok(page.render())
}

/// When all records were compared with the log last, and a word on differences if there were any.
fn compared(view: &mut View<'_, '_, '_>) -> acts::Result<(Option<Fact>, Option<Notice>)> {
    let Some((at, found)) = last_replay(view.room)? else {
        return Ok((None, None));
    };
    let fact = Fact::new("Records compared", view.moment(at).text(", ").text(differences(found)));
    let text = Rich::new().text("Stored records are not what the log says. On the host, ");
    let text = text.code("assent audit replay").text(" names them.");
    let notice = (found > 0).then(|| Notice::new(Tone::Stop, text));
    Ok((Some(fact), notice))
}

/// The command that checks a tenant's log with the verifier keys that somebody keeps.
pub(super) fn verify_command(public_url: &str, tenant: &str) -> String {
    format!("assent audit verify --log {public_url}/t/{tenant}/log --key {tenant}.pub")
}

/// Every entry, page by page.
fn all(view: &View<'_, '_, '_>, log: &LogView, before: Option<i64>) -> Shown {
    let first = log.entries.last().and_then(|told| told.index).unwrap_or(0);
    let end = before.unwrap_or(log.size).clamp(0, log.size);
    let newer = (end < log.size).then(|| view.url(&format!("/audit?before={}", (end + PAGE).min(log.size))));
    let older = (first > 0).then(|| view.url(&format!("/audit?before={first}")));
    Shown {
        paging: Paging {
            newer,
            older,
            count: format!("{} of {}", log.entries.len(), count(log.size.unsigned_abs())),
            ..Paging::default()
        },
        entries: log.entries.clone(),
        unsaid: "The first act of anybody is the first entry.".to_owned(),
        notices: Vec::new(),
    }
}

/// The entries that fit the filters; what a filter says wrongly is told, and then nothing is shown.
fn narrowed(view: &mut View<'_, '_, '_>, wanted: &Wanted, before: Option<i64>) -> acts::Result<Shown> {
    let found = match wanted.filter(view) {
        Ok(filter) => match search_log(view.room, &filter, before, PAGE) {
            Err(acts::Error::Refused(refusal @ Refusal::Invalid(_))) => Err(refusal.text()),
            Err(other) => return Err(other),
            Ok(page) => Ok(page),
        },
        Err(text) => Err(text),
    };
    let (page, wrong) = match found {
        Ok(page) => (page, None),
        Err(text) => (LogPage::default(), Some(Notice::new(Tone::Stop, text).answer())),
    };
    let older = page.next.map(|next| wanted.address(view, "", Some(next)));
    let unsaid = match (&wrong, page.is_cut) {
        (Some(_), _) => "Nothing is shown until the filter can be read.".to_owned(),
        (None, true) => format!(
            "None of the {} entries that were looked at fits. Older ones may: go on to the next page, or say from when to when.",
            count(LOOKED_AT.unsigned_abs())
        ),
        (None, false) => "No entry fits.".to_owned(),
    };
    Ok(Shown {
        paging: Paging {
            newer: before.map(|_| wanted.address(view, "", None)),
            older,
            count: format!("{} shown", page.entries.len()),
            is_sorted: true,
        },
        entries: page.entries,
        unsaid,
        notices: wrong.into_iter().collect(),
    })
}

/// The entries of the log, each with the change that it is about.
fn entries(view: &mut View<'_, '_, '_>, log: &[Told]) -> acts::Result<Vec<Moment>> {
    let mut keys: BTreeMap<&str, String> = BTreeMap::new();
    let mut moments = Vec::new();
    for told in log {
        let about = subject(view, told)?;
        let mut moment = moment_of(view, told, about);
        let named = told.data.get("change").and_then(Value::as_str).unwrap_or_default();
        let key = match told.table.as_str() {
            "change" => keys
                .entry(&told.subject)
                .or_insert_with(|| view.room.change(&told.subject).map(|it| it.key).unwrap_or_default())
                .clone(),
            _ => named.to_owned(),
        };
        if is_key(&key) {
            let about = Rich::new().link(key.as_str(), view.change_url(&key)).text(" · ");
            moment.meta = about.append(moment.meta);
        }
        moments.push(moment);
    }
    Ok(moments)
}

/// An event as a moment of a timeline; its proof is a link for whoever may read the log.
pub(super) fn moment(view: &View<'_, '_, '_>, told: &Told) -> Moment {
    moment_of(view, told, None)
}

/// The same, with what the event is about where its page knows that: a step of the work, the name of a record.
pub(super) fn moment_of(view: &View<'_, '_, '_>, told: &Told, about: Option<Rich>) -> Moment {
    let (icon, words) = phrase(told);
    let mut text = Rich::new().name(view.name(&told.actor)).text(format!(" {words}"));
    if let Some(detail) = detail(view, told) {
        text = text.text(format!(": {detail}"));
    }
    if let Some(about) = about {
        text = text.text(": ").append(about);
    }
    Moment {
        icon,
        text,
        meta: Rich::new()
            .append(view.moment(told.at))
            .text(" · ")
            .code(told.kind.as_str()),
        index: told.index.map(index),
        proof_url: told
            .index
            .filter(|_| view.frame.places.contains(&Place::AuditLog))
            .map(|number| view.url(&format!("/audit/events/{number}")))
            .unwrap_or_default(),
    }
}

/// The id of the entry of the log of actions that an event tells of.
pub(super) fn entry_of(told: &Told) -> Option<&str> {
    let id = told.data.get("entry").and_then(Value::as_str);
    id.filter(|_| told.kind == "entry.recorded")
}

/// What was noted, in the words of who noted it.
pub(super) fn noted(entry: &ActionEntry) -> Rich {
    Rich::new().said(super::words::beginning_of_prose(&entry.text, NOTED))
}

/// How the record is called that an event is about: its own page may be far from the log.
fn subject(view: &mut View<'_, '_, '_>, told: &Told) -> acts::Result<Option<Rich>> {
    if let Some(id) = entry_of(told) {
        let found = record::load::<ActionEntry>(view.room.tx, id)?;
        return Ok(found.map(|stored| noted(&stored.record)));
    }
    let id = told.subject.as_str();
    let name = match told.table.as_str() {
        "service" => record::load::<Service>(view.room.tx, id)?.map(|it| it.record.key.0),
        "environment" => record::load::<Environment>(view.room.tx, id)?.map(|it| it.record.key.0),
        "group" => record::load::<Group>(view.room.tx, id)?.map(|it| it.record.key.0),
        "token" => record::load::<Token>(view.room.tx, id)?.map(|it| it.record.name),
        "person" if told.actor.0 != told.subject => Some(view.name(&PersonId::from(id))),
        _ => None,
    };
    Ok(name.map(|name| Rich::new().said(name)))
}

/// Icon and words of an event; an event without words of its own is told by its kind.
fn phrase(told: &Told) -> (&'static str, String) {
    let reached = told
        .kind
        .strip_prefix("change.")
        .and_then(|word| STATES.iter().find(|(state, _)| *state == word));
    if let Some((state, icon)) = reached {
        return (icon, format!("brought it to {}", capital(state)));
    }
    let decision = told.data.get("decision").and_then(Value::as_str).unwrap_or_default();
    if let Some((_, icon, words)) = DECISIONS
        .iter()
        .find(|(word, _, _)| told.kind == "approval.given" && *word == decision)
    {
        return (icon, (*words).to_owned());
    }
    if told.kind == "entry.recorded" {
        return noted_words(told);
    }
    match phrases::find(&told.kind) {
        Some((icon, words)) => (icon, words.to_owned()),
        None => ("leaf", plain(&told.kind.replace('.', ": "))),
    }
}

/// What was done in the work: the kind and the step stand in the event, the words beside them in the entry.
fn noted_words(told: &Told) -> (&'static str, String) {
    let step = told.data.get("step").and_then(Value::as_i64);
    let kind = told.data.get("kind").and_then(Value::as_str).unwrap_or_default();
    let takes_back = told.data.contains_key("withdraws");
    match (kind, step) {
        _ if takes_back => ("runbook", "went on with the plan instead of rolling back".to_owned()),
        ("step", Some(step)) => ("check", format!("did step {step}")),
        ("step", None) => ("check", "did a step".to_owned()),
        ("deviation", Some(step)) => ("flag", format!("noted that something differs at step {step}")),
        ("deviation", None) => ("flag", "noted that something differs".to_owned()),
        ("issue", _) => ("incident", "noted that something is wrong".to_owned()),
        ("rollback", Some(step)) => ("back", format!("did step {step} of the way back")),
        ("rollback", None) => ("back", "began to roll back".to_owned()),
        _ => ("edit", "noted an action".to_owned()),
    }
}

/// What an event's data adds: a decision, an outcome, a rule.
fn detail(view: &View<'_, '_, '_>, told: &Told) -> Option<String> {
    if phrases::says_all(&told.kind) || STATES.iter().any(|(state, _)| told.kind == format!("change.{state}")) {
        return None;
    }
    let text = |name: &str| told.data.get(name).and_then(Value::as_str);
    let name = || Some(view.name(&model::ids::PersonId::from(text("person")?)));
    match told.kind.as_str() {
        "approval.requested" | "approval.unacknowledged" => {
            return Some(format!("{} (rule {})", name()?, text("rule")?));
        }
        "approval.voided" | "approval.expired" => return name(),
        "attempt.refused" => return Some(format!("{} ({})", text("what")?, text("code")?)),
        "sign_in.refused" | "token.refused" => return text("code").map(plain),
        "gate.checked" => {
            let place = format!("{}, {}", text("service")?, text("environment")?);
            return Some(format!("{} for {place}", text("decision")?));
        }
        "log.replayed" => return Some(differences(told.data.get("differences").and_then(Value::as_u64)?)),
        // Their words say it already.
        "approval.given" | "change.submitted" | "entry.recorded" => return None,
        _ => {}
    }
    let word = [
        "decision", "outcome", "result", "verdict", "kind", "aspect", "to", "state",
    ]
    .iter()
    .find_map(|name| text(name))
    .filter(|word| *word != "normal")?;
    Some(plain(word))
}

/// How many differences comparing the records with the log came to.
fn differences(found: u64) -> String {
    match found {
        0 => "no differences".to_owned(),
        1 => "one difference".to_owned(),
        _ => format!("{} differences", count(found)),
    }
}

/// The states whose name alone is an event, with their icons.
pub(super) const STATES: &[(&str, &str)] = &[
    ("draft", "s-draft"),
    ("assessing", "s-assessing"),
    ("authorizing", "s-authorizing"),
    ("approved", "s-approved"),
    ("scheduled", "s-scheduled"),
    ("implementing", "s-implementing"),
    ("reviewing", "s-reviewing"),
    ("closed", "s-closed"),
    ("rejected", "s-rejected"),
    ("cancelled", "s-cancelled"),
];

/// Decisions in words, with their icons.
const DECISIONS: &[(&str, &str, &str)] = &[
    ("approve", "go", "approved it"),
    ("approve_with_conditions", "go", "approved it with conditions"),
    ("return", "back", "returned it with a question"),
    ("reject", "s-rejected", "rejected it"),
    ("abstain", "more", "abstained"),
];

/// What outside systems delivered.
pub(super) async fn deliveries(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Deliveries, |view| {
        let found = acts::find_records::find_deliveries(view.room, DELIVERIES)?;
        let names = record::find::<Connection>(view.room.tx, &Filter::new().order_by("id"))?;
        let names: BTreeMap<String, String> = names
            .into_iter()
            .map(|stored| (stored.record.id.0, stored.record.name))
            .collect();
        let rows = found.into_iter().map(|delivery| {
            let (tone, word) = match delivery.state.as_str() {
                "done" => (Tone::Ok, "Done"),
                "parked" => (Tone::Stop, "Set aside"),
                _ => (Tone::Wait, "Waiting"),
            };
            DeliveryRow {
                id: delivery.id,
                href: String::new(),
                event: capital(&delivery.event),
                connection: names.get(&delivery.connection).cloned().unwrap_or(delivery.connection),
                state: word.to_owned(),
                tone,
                effect: Rich::from(delivery.result.or(delivery.reason).unwrap_or_default()),
                received: view.reader.moment(delivery.received_at),
                acts: Vec::new(),
            }
        });
        let rows: Vec<DeliveryRow> = rows.collect();
        let page = Deliveries {
            frame: view.frame.clone(),
            count: format!("{} shown", rows.len()),
            rows,
            ..Deliveries::default()
        };
        Ok(page.render())
    })
    .await
}

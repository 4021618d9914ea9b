//! The log for people, the deliveries of outside systems, and the descriptions of events.

use std::collections::BTreeMap;

use acts::audit::find_log::{LOOKED_AT, LogPage, find_log, search_log};
use acts::audit::find_timeline::{LogView, ShownEvent};
use acts::audit::note_replay::last_replay;
use axum::extract::{Query, State};
use axum::response::Response;
use model::change::related_records::Entry as ActionEntry;
use model::core::act::actions;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Environment, Group, Service, Token};
use pages::{AuditLog, Fact, Moment, Notice, Paging, Place, Rich, Tone, count};
use serde_json::Value;
use store::record;

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::web::audit::log_filter::Wanted;
use crate::web::change::change_query::is_key;
use crate::web::shared::timeline::{differences, entry_of, moment_of, noted};
use crate::web::shared::view::{View, Visitor, problem, show};

/// How many entries one page of the log shows.
const PAGE: i64 = 50;

/// The tenant's log.
pub(crate) async fn log(State(state): State<AppState>, visitor: Visitor, Query(wanted): Query<Wanted>) -> Response {
    let before = match wanted.before.as_deref().map(str::parse).transpose() {
        Ok(before) => before,
        Err(_) => {
            let text = "`before` must be a log index: a whole number.";
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

/// The content of a page of the log, and its neighbours.
struct Shown {
    entries: Vec<ShownEvent>,
    paging: Paging,
    /// The text of an empty page.
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
    let log = find_log(view.cx, before, if is_narrowed { 0 } else { PAGE })?;
    let size = count(log.size.unsigned_abs());
    let lede = match log.sealed_at {
        Some(at) => format!("{size} entries, sealed {}.", view.reader.distance(at)),
        None => format!("{size} entries."),
    };
    let tenant = view.cx.tenant();
    let shown = match is_narrowed {
        true => narrowed(view, wanted, before)?,
        false => all(view, &log, before),
    };
    let mut notices = shown.notices;
    if log.waiting > 0 {
        let text = match log.waiting {
            1 => "One event is written and waiting to be sequenced in the log.".to_owned(),
            many => format!("{many} events are written and waiting to be sequenced in the log."),
        };
        notices.push(Notice::new(Tone::Wait, text));
    }
    let mut facts = vec![
        Fact::new("Size", size),
        Fact::new("Root", Rich::new().code(log.root)),
        Fact::new(
            "Keys",
            Rich::new().link("Verifier keys", format!("/t/{tenant}/log/key")),
        ),
    ];
    if view.may(actions::AUDIT) {
        let reports = Rich::new().link("Control reports", view.url("/audit/reports"));
        facts.push(Fact::new("Reports", reports));
        let samples = Rich::new().link("Audit samples", view.url("/audit-samples"));
        facts.push(Fact::new("Samples", samples));
    }
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
                "That the database matches the log, on the host:".to_owned(),
                "assent audit replay".to_owned(),
            ),
        ],
        facts,
    };
    Ok(page.render())
}

/// The time of the last comparison of all records with the log, and a note on differences if there were any.
fn compared(view: &mut View<'_, '_, '_>) -> acts::Result<(Option<Fact>, Option<Notice>)> {
    let Some((at, found)) = last_replay(view.cx)? else {
        return Ok((None, None));
    };
    let fact = Fact::new("Records compared", view.moment(at).text(", ").text(differences(found)));
    let text = Rich::new().text("Stored records differ from the log. On the host, ");
    let text = text.code("assent audit replay").text(" names them.");
    let notice = (found > 0).then(|| Notice::new(Tone::Stop, text));
    Ok((Some(fact), notice))
}

/// The command that checks a tenant's log with the verifier keys that somebody keeps.
pub(crate) fn verify_command(public_url: &str, tenant: &str) -> String {
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
        unsaid: "The first act creates the first entry.".to_owned(),
        notices: Vec::new(),
    }
}

/// The entries that match the filters; an invalid filter is reported, and then nothing is shown.
fn narrowed(view: &mut View<'_, '_, '_>, wanted: &Wanted, before: Option<i64>) -> acts::Result<Shown> {
    let found = match wanted.filter(view) {
        Ok(filter) => match search_log(view.cx, &filter, before, PAGE) {
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
        (Some(_), _) => "Correct the filter to see entries.".to_owned(),
        (None, true) => format!(
            "None of the {} entries checked match. Older ones may: go to the next page, or set a time range.",
            count(LOOKED_AT.unsigned_abs())
        ),
        (None, false) => "No matching entries.".to_owned(),
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
pub(super) fn entries(view: &mut View<'_, '_, '_>, log: &[ShownEvent]) -> acts::Result<Vec<Moment>> {
    let mut keys: BTreeMap<&str, String> = BTreeMap::new();
    let mut moments = Vec::new();
    for told in log {
        let about = subject(view, told)?;
        let mut moment = moment_of(view, told, about);
        let named = told.data.get("change").and_then(Value::as_str).unwrap_or_default();
        let key = match told.table.as_str() {
            "change" => keys
                .entry(&told.subject)
                .or_insert_with(|| view.cx.change(&told.subject).map(|it| it.key).unwrap_or_default())
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

/// How the record is called that an event is about: its own page may be far from the log.
fn subject(view: &mut View<'_, '_, '_>, told: &ShownEvent) -> acts::Result<Option<Rich>> {
    if let Some(id) = entry_of(told) {
        let found = record::load::<ActionEntry>(view.cx.tx, id)?;
        return Ok(found.map(|stored| noted(view, &stored.record)));
    }
    let id = told.subject.as_str();
    let name = match told.table.as_str() {
        "service" => record::load::<Service>(view.cx.tx, id)?.map(|it| it.record.key.0),
        "environment" => record::load::<Environment>(view.cx.tx, id)?.map(|it| it.record.key.0),
        "group" => record::load::<Group>(view.cx.tx, id)?.map(|it| it.record.key.0),
        "token" => record::load::<Token>(view.cx.tx, id)?.map(|it| it.record.name),
        "person" if told.actor.0 != told.subject => Some(view.name(&PersonId::from(id))),
        _ => None,
    };
    Ok(name.map(|name| Rich::new().said(name)))
}

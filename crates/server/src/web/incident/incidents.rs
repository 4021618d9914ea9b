//! Incidents.

use std::collections::BTreeSet;

use acts::incident::judge_candidates::{self, find_candidates};
use acts::incident::set_incident;
use acts::report::find_changes::{find_naming, outcome_of_row};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body;
use model::core::enums::{CauseGap, ChangeRelation};
use model::core::refusal::Refusal;
use model::directory::snapshot::Incident;
use pages::{
    ActForm, ActTone, Entry, Fact, Field, IncidentRow, Incidents, Place, RecordPage, Rich, Section, SectionBody, Tone,
};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::incident::{commander, links, what_changed};
use crate::web::shared::fields::{pick_field, picks_field, present_times, service_filter, state_filter, time_field};
use crate::web::shared::form::{Form, STANDS};
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::{idempotent_form, words};

/// The labels of an incident's severity, the worst first.
const SEVERITIES: [(&str, &str); 4] = [
    ("1", "1, critical"),
    ("2", "2, major"),
    ("3", "3, minor"),
    ("4", "4, cosmetic"),
];

/// The states of the list's filter. A major incident is one of them here, because readers look for it first.
const STATES: [(&str, &str); 6] = [
    ("major", "Major"),
    ("unresolved", "Not resolved"),
    ("open", "Open"),
    ("mitigated", "Mitigated"),
    ("resolved", "Resolved"),
    ("closed", "Closed"),
];

/// The list of incidents.
pub(crate) async fn incidents(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| {
        incidents_page(view, &words, None)
    })
    .await
}

fn incidents_page(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let directory = view.directory.clone();
    let is_wanted = |it: &&Incident| {
        let is_in = match words.state() {
            "major" => it.is_major(),
            "unresolved" => it.resolved_at.is_none(),
            _ => words.is_in(it.state().as_str()),
        };
        let is_of = words.service().is_empty() || !it.services.is_empty() && words.is_of(&it.services);
        let severity = format!("severity:{}", it.severity);
        is_in && is_of && words.fit(&[it.key.as_str(), it.title.as_str(), severity.as_str()])
    };
    let mut found: Vec<&Incident> = directory.incidents.values().filter(is_wanted).collect();
    found.sort_by_key(|incident| (incident.resolved_at.is_some(), std::cmp::Reverse(incident.started_at)));
    let (found, told) = words.cut(found);
    let rows = found.into_iter().map(|incident| incident_row(view, incident)).collect();
    let mut page = Incidents {
        frame: view.frame.clone(),
        rows,
        ..Incidents::default()
    };
    let filters = vec![
        service_filter(view, words.service()),
        state_filter(&STATES, words.state()),
    ];
    words.put(&mut page, view.url("/incidents"), &told, (filters, &STATES));
    page.acts
        .push(ActForm::link("Problems", view.url("/problems")).tone(ActTone::Quiet));
    if view.may(actions::SET_INCIDENT) {
        page.acts.push(incident_form(view));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

pub(super) fn severity(number: i64) -> String {
    let text = number.to_string();
    SEVERITIES
        .iter()
        .find(|(word, _)| *word == text)
        .map_or(text.clone(), |(_, label)| (*label).to_owned())
}

/// The affected services, each with its page.
fn services_linked(view: &View<'_, '_, '_>, incident: &Incident) -> Rich {
    let mut rich = Rich::new();
    for (place, key) in incident.services.iter().enumerate() {
        if place > 0 {
            rich = rich.line();
        }
        rich = rich.said_link(key.0.as_str(), view.url(&format!("/services/{}", escaped(&key.0))));
    }
    rich
}

fn services_of(incident: &Incident) -> String {
    incident
        .services
        .iter()
        .map(|key| key.0.clone())
        .collect::<Vec<_>>()
        .join(", ")
}

fn incident_row(view: &View<'_, '_, '_>, incident: &Incident) -> IncidentRow {
    IncidentRow {
        key: incident.key.clone(),
        href: view.url(&format!("/incidents/{}", incident.key)),
        title: incident.title.clone(),
        severity: severity(incident.severity),
        is_open: incident.resolved_at.is_none(),
        is_major: incident.is_major(),
        services: services_of(incident),
        started: view.reader.moment(incident.started_at),
        related: related(view, incident),
        acts: Vec::new(),
    }
}

/// Whether it is related to a change, with the changes that people confirmed.
fn related(view: &View<'_, '_, '_>, incident: &Incident) -> Rich {
    let mut rich = match incident.course.change_related {
        None => return Rich::new(),
        Some(ChangeRelation::Suspected) => return Rich::from("suspected"),
        Some(ChangeRelation::Cleared) => return Rich::from("cleared"),
        Some(ChangeRelation::Confirmed) => Rich::from("confirmed"),
    };
    let keys: BTreeSet<&str> = incident.confirmed_causes().collect();
    for key in keys {
        rich = rich.text(" ").link(key, view.change_url(key));
    }
    rich
}

fn incident_form(view: &View<'_, '_, '_>) -> ActForm {
    ActForm::new("incident", "Report an incident", view.url("/incidents"))
        .field(idempotent_form::field(view))
        .field(Field::text("title", "What is broken").required())
        .field(Field::select("severity", "Severity", &SEVERITIES).value("3").half())
        .field(time_field(view, "started_at", "Since"))
        .field(picks_field(view, "services", "services", "Services").hint("Keys, separated by commas."))
        .field(Field::text("external_ref", "Its key in your incident tool"))
        .submit("Report it")
}

/// Reports an incident.
pub(crate) async fn open_incident(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = sent(form, "/incidents".to_owned(), "/incidents".to_owned(), Place::Incidents);
    send(
        &state,
        &visitor,
        sent,
        |cx, body| set_incident::open_incident(cx, body).map(drop),
        |view, back| incidents_page(view, &ListQuery::default(), back),
    )
    .await
}

/// One incident.
pub(crate) async fn incident(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| {
        incident_page(view, &key, None)
    })
    .await
}

pub(super) fn incident_page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let directory = view.directory.clone();
    let Some(incident) = directory.incidents.get(&key.to_uppercase()) else {
        return Err(Refusal::not_found(format!("incident {key}")).into());
    };
    let mut facts = vec![
        Fact::new("Severity", severity(incident.severity)),
        Fact::new("Began", view.reader.moment(incident.started_at)),
        Fact::new("Services", services_linked(view, incident)),
    ];
    facts.extend(changed_before(view, incident));
    let is_flagged = incident.course.change_related.is_some();
    facts.extend(is_flagged.then(|| Fact::new("Change-related", related(view, incident))));
    facts.extend(
        incident
            .resolved_at
            .map(|at| Fact::new("Resolved", view.reader.moment(at))),
    );
    facts.extend(
        incident
            .external_ref
            .as_deref()
            .map(|text| Fact::new("Elsewhere", Rich::new().said(text))),
    );
    facts.extend(commander::facts(view, incident));
    let mut sections = vec![candidates(view, incident)?];
    sections.extend(commander::sections(view, incident)?);
    sections.push(named_by(view, incident)?);
    sections.push(links::section(
        view,
        &incident.key,
        &format!("/incidents/{}", incident.key),
    )?);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        notices: commander::notice(view, incident).into_iter().collect(),
        crumb: vec![("Incidents".to_owned(), view.url("/incidents"))],
        key: incident.key.clone(),
        title: incident.title.clone(),
        marks: vec![commander::state_mark(incident)],
        facts,
        sections,
        is_facts_first: true,
        ..RecordPage::default()
    };
    if incident.resolved_at.is_none() && view.may(actions::SET_INCIDENT) {
        page.acts.push(resolve_form(view, incident));
    }
    page.acts.extend(commander::forms(view, incident));
    if view.may(actions::SET_INCIDENT) {
        page.acts.push(judge_form(view, incident));
    }
    page.acts.extend(links_of(view, incident));
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

/// The form that ends an incident; it steps back while a commander is wanted first.
fn resolve_form(view: &View<'_, '_, '_>, incident: &Incident) -> ActForm {
    let resolved_at = time_field(view, "resolved_at", "When it was resolved");
    let resolved_at = resolved_at.value(view.reader.field(view.now())).required();
    ActForm::new("resolve", "Resolve", view.url(&format!("/incidents/{}", incident.key)))
        .tone(match commander::wants_one(view, incident) {
            true => ActTone::Plain,
            false => ActTone::Go,
        })
        .field(resolved_at)
        .field(Field::hidden(
            STANDS,
            present_times([("resolved_at", Some(view.now()))]),
        ))
        .submit("Mark as resolved")
}

/// The review of an incident, and for auditors its forensic timeline.
fn links_of(view: &View<'_, '_, '_>, incident: &Incident) -> Vec<ActForm> {
    let link = |label: &'static str, url: String| ActForm::link(label, url).tone(ActTone::Quiet);
    let mut links = vec![link("Review", view.url(&format!("/incidents/{}/review", incident.key)))];
    if view.may(actions::AUDIT) {
        let timeline = view.url(&format!("/audit/timeline?incident={}", incident.key));
        links.push(link("Forensic timeline", timeline));
    }
    links
}

/// The possible causes of the incident, each with the points of the ranking and a person's assessment.
fn candidates(view: &mut View<'_, '_, '_>, incident: &Incident) -> acts::Result<Section> {
    let found = find_candidates(view.cx, incident, None)?;
    let entries = found.items.iter().enumerate().map(|(place, row)| {
        let text = match &row.change {
            Some(key) => Rich::new()
                .link(key.as_str(), view.change_url(key))
                .text(" ")
                .said(row.title.as_str()),
            None => match &row.drift {
                Some(id) => Rich::new().said_link(row.title.as_str(), view.url(&format!("/drift/{}", escaped(id)))),
                None => Rich::new().said(row.title.as_str()),
            },
        };
        let said = row.change.as_deref().and_then(|key| incident.cause_verdict(key));
        let (tone, mark) = match said {
            Some(said) if said.confirmed => (Tone::Stop, "confirmed".to_owned()),
            Some(_) => (Tone::Plain, "cleared".to_owned()),
            None => (Tone::Wait, format!("{} points", row.ranked.score)),
        };
        let mut why = Rich::from(format!("{mark}; {}", row.ranked.reasons.join("; ")));
        if let Some(ppm) = found.probability(place) {
            let percent = (ppm + 5_000) / 10_000;
            why = why.line().text(format!(
                "{percent} % of earlier candidates like it had led to the incident."
            ));
        }
        Entry::new(tone, text).icon("list").why(why)
    });
    let note = match (found.items.is_empty(), found.sure) {
        (true, _) => "",
        (false, true) => "The first is the likeliest. This is not a verdict.",
        (false, false) => "Not sure: none is far enough ahead of the others.",
    };
    let note = Rich::from(note).line().text(match (found.items.is_empty(), found.gap) {
        (true, _) => "",
        (false, None) => "The probabilities are based on earlier confirmed and cleared candidates.",
        (false, Some(CauseGap::TooFew)) => "No probability: people judged too few candidates so far.",
        (false, Some(CauseGap::OneSided)) => "No probability: people confirmed, or cleared, too few candidates so far.",
        (false, Some(CauseGap::NotBetter)) => {
            "No probability: the points predict no better than the share of confirmed candidates."
        }
    });
    let note = if found.items.is_empty() { Rich::new() } else { note };
    Ok(Section::new(
        "candidates",
        "Changes that may have led to it",
        SectionBody::Entries(entries.collect()),
    )
    .note(note)
    .unsaid(format!(
        "No change is known on its services, or on what they need, up to {} h before it began.",
        found.hours
    )))
}

fn judge_form(view: &View<'_, '_, '_>, incident: &Incident) -> ActForm {
    let url = view.url(&format!("/incidents/{}/candidates", incident.key));
    ActForm::new("candidate", "Confirm or clear a candidate", url)
        .field(idempotent_form::field(view))
        .field(
            pick_field(view, "changes", "change", "The change’s key")
                .required()
                .half(),
        )
        .field(
            Field::select(
                "confirmed",
                "Verdict",
                &[("true", "It led to the incident"), ("false", "It is cleared")],
            )
            .half(),
        )
        .field(Field::textarea("reason", "Why").required())
        .note("A confirmed change is linked as the cause, and its outcome is revised.")
        .submit("Record it")
}

/// Confirms or clears a candidate.
pub(crate) async fn judge_candidate(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let page = format!("/incidents/{}", escaped(&key));
    let sent = sent(form, format!("{page}/candidates"), page, Place::Incidents);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &body::Body| {
        judge_candidates::judge_candidate(cx, &whose, body).map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| {
        incident_page(view, &key, back)
    })
    .await
}

/// The form that lists changes before the incident began.
fn changed_before(view: &View<'_, '_, '_>, incident: &Incident) -> Option<Fact> {
    let mut rich = Rich::new();
    for (place, key) in incident.services.iter().enumerate() {
        if place > 0 {
            rich = rich.line();
        }
        rich = rich.said_link(key.0.as_str(), what_changed::address(view, &key.0, incident.started_at));
    }
    (!incident.services.is_empty()).then(|| Fact::new("What changed before", rich))
}

/// The changes that name an incident.
fn named_by(view: &mut View<'_, '_, '_>, incident: &Incident) -> acts::Result<Section> {
    let found = find_naming(view.cx, incident)?;
    let entries = found.iter().map(|listed| {
        let state = match outcome_of_row(listed) {
            Some(outcome) => outcome.as_str(),
            None => listed.state.as_str(),
        };
        Entry::new(
            Tone::Plain,
            Rich::new()
                .link(listed.key.as_str(), view.change_url(&listed.key))
                .text(" ")
                .said(listed.title.as_str()),
        )
        .icon("list")
        .why(words::plain(state))
    });
    Ok(Section::new(
        "changes",
        "Changes that name it",
        SectionBody::Entries(entries.collect()),
    )
    .unsaid("None yet. A change that fixes it, or that led to it, names it under Links."))
}

/// Resolves an incident.
pub(crate) async fn edit_incident(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let page = format!("/incidents/{}", escaped(&key));
    let sent = sent(form, page.clone(), page, Place::Incidents);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &body::Body| {
        set_incident::edit_incident(cx, &whose, body).map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| {
        incident_page(view, &key, back)
    })
    .await
}

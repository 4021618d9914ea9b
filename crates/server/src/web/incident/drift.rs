//! Findings of drift with the decision form, and the test page for the mapping of an address.

use acts::core::noun;
use acts::incident::set_drift::{decisions_about, try_rules};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{DriftOutcome, DriftState};
use model::incident::drift::finding::DriftFinding;
use pages::{ActForm, ActTone, Entry, Fact, Field, Place, RecordPage, Rich, Section, SectionBody, Tone};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::incident::links;
use crate::web::shared::fields::{pick_field, service_filter, state_filter};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{View, Visitor, show};

/// The states of the list's filter: closed findings are in no list.
const STATES: [(&str, &str); 2] = [("open", "Open"), ("decided", "Decided")];
/// The possible outcomes of drift.
const OUTCOMES: [(&str, &str); 3] = [
    ("accept_as_emergency", "Accept it under an emergency change"),
    ("report_afterwards", "Report it afterwards by a retrospective change"),
    ("revert", "Revert it"),
];

/// The findings that are not closed.
pub(crate) async fn show_findings(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| {
        findings_page_of(view, &words, None)
    })
    .await
}

fn findings_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    findings_page_of(view, &ListQuery::default(), back)
}

fn findings_page_of(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    let mut findings = noun::list::<DriftFinding>(view.cx)?;
    findings.retain(|it| {
        let service = it.service.as_ref().map_or("", |key| key.as_str());
        let is_of = words.service().is_empty() || words.service() == service;
        is_of && words.is_in(it.state.as_str()) && words.fit(&[it.address.as_str(), it.attribute.as_str()])
    });
    let (findings, told) = words.cut(findings);
    let mut byline = Rich::from("Differences from the recorded state without a change that explains them. ")
        .link("Expected drift", view.url("/drift-baselines"));
    if view.may(actions::SET_CONNECTION) {
        byline = byline
            .text(" · ")
            .link("Drift rules", view.url("/drift-rules"))
            .text(" · ")
            .link("Try the rules", view.url("/drift-test"));
    }
    byline = byline.line().text(match (findings.is_empty(), words.narrows()) {
        (true, false) => "No source has reported drift.",
        (true, true) => "No entries match the filter",
        (false, _) => told.count.as_str(),
    });
    let url = view.url("/drift");
    let filters = vec![
        service_filter(view, words.service()),
        state_filter(&STATES, words.state()),
    ];
    let mut acts = vec![words.question(url.clone(), filters)];
    acts.extend(words.page_acts(&url, &told));
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Incidents".to_owned(), view.url("/incidents"))],
        title: "Drift".to_owned(),
        byline,
        sections: findings.iter().map(|it| section(view, it)).collect(),
        acts,
        ..RecordPage::default()
    };
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, below);
    }
    Ok(page.render())
}

/// One finding.
pub(crate) async fn show_finding(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| {
        finding_page(view, &id, None)
    })
    .await
}

/// A finding with every decision about it and its links.
pub(super) fn finding_page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    let finding = noun::show::<DriftFinding>(view.cx, id)?;
    let mut own = section(view, &finding);
    if !finding.is_open() {
        own.acts.clear();
    }
    let links = links::section(view, id, &format!("/drift/{}", escaped(id)))?;
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Drift".to_owned(), view.url("/drift"))],
        title: finding.address.clone(),
        is_said: true,
        sections: vec![own, decisions(view, &finding)?, links],
        ..RecordPage::default()
    };
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, below);
    }
    Ok(page.render())
}

/// The decisions about a finding, also those from before it opened again.
fn decisions(view: &mut View<'_, '_, '_>, finding: &DriftFinding) -> acts::Result<Section> {
    let found = decisions_about(view.cx, finding)?;
    let entries = found.iter().map(|it| {
        let text = match it.outcome {
            DriftOutcome::AcceptAsEmergency => Rich::from("Accepted under an emergency change"),
            DriftOutcome::ReportAfterwards => Rich::from("Reported afterwards"),
            DriftOutcome::Revert => Rich::from("To be reverted"),
        };
        let text = match &it.change {
            Some(key) => text.text(" ").link(key.as_str(), view.change_url(key)),
            None => text,
        };
        let why = view.person(&it.by).text(", ").append(view.moment(it.at)).text(": ");
        Entry::new(Tone::Plain, text)
            .icon("edit")
            .why(why.said(it.reason.as_str()))
    });
    let section = Section::new("decisions", "Decisions", SectionBody::Entries(entries.collect()));
    Ok(section.unsaid("Not decided yet."))
}

fn section(view: &View<'_, '_, '_>, finding: &DriftFinding) -> Section {
    let id = finding.id.as_str();
    let mut facts = vec![
        Fact::new("Attribute", Rich::new().said(finding.attribute.as_str())),
        Fact::new("State", state_text(finding)),
        Fact::new("First seen", view.reader.moment(finding.first_seen)),
        Fact::new("Last seen", view.reader.moment(finding.last_seen)),
        Fact::new("Times seen", finding.count.to_string()),
    ];
    match &finding.service {
        Some(service) => {
            let url = view.url(&format!("/services/{}", escaped(&service.0)));
            facts.push(Fact::new("Service", Rich::new().said_link(service.0.as_str(), url)));
        }
        None => facts.push(Fact::new("Service", "No rule maps it to a service.")),
    }
    let said = [
        ("Environment", finding.environment.as_ref().map(|it| it.0.as_str())),
        ("Config item", finding.config_item.as_deref()),
        ("Made by", finding.doer.as_deref()),
        ("Why", finding.reason.as_deref()),
    ];
    for (label, text) in said {
        facts.extend(text.map(|text| Fact::new(label, Rich::new().said(text))));
    }
    if let Some(key) = &finding.change {
        facts.push(Fact::new(
            "Change",
            Rich::new().link(key.as_str(), view.change_url(key)),
        ));
    }
    let url = view.url(&format!("/drift/{}", escaped(id)));
    let form = ActForm::new(format!("decide-{id}"), "Decide what to do", url)
        .field(Field::select("outcome", "What is done", &OUTCOMES).value("revert"))
        .field(
            pick_field(view, "changes", "change", "The change’s key")
                .hint("Of the emergency or retrospective change; none for a revert.")
                .half(),
        )
        .field(Field::textarea("reason", "Why").required())
        .submit("Record it");
    let page = ActForm::link("Open the page", view.url(&format!("/drift/{}", escaped(id)))).tone(ActTone::Link);
    Section::new(
        format!("finding-{id}"),
        finding.address.as_str(),
        SectionBody::Facts(facts),
    )
    .said()
    .acts(vec![form, page])
}

fn state_text(finding: &DriftFinding) -> &'static str {
    match (finding.state, finding.outcome) {
        (DriftState::Decided, Some(DriftOutcome::AcceptAsEmergency)) => "Accepted under an emergency change",
        (DriftState::Decided, Some(DriftOutcome::ReportAfterwards)) => "Reported afterwards",
        (DriftState::Decided, _) => "To be reverted",
        (DriftState::Closed, _) => "Closed",
        (DriftState::Open, _) => "Not decided yet",
    }
}

/// Decides about a finding.
pub(crate) async fn decide(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let sent = sent(
        form,
        format!("/drift/{}", escaped(&id)),
        "/drift".to_owned(),
        Place::Incidents,
    );
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| noun::edit::<DriftFinding>(cx, &id, body).map(drop);
    send(&state, &visitor, sent, run, findings_page).await
}

/// The query of the test page's address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct DriftTestQuery {
    connection: Option<String>,
    address: Option<String>,
}

/// The test page: it shows which rule maps an address.
pub(crate) async fn show_test(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<DriftTestQuery>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| test_page(view, &asked)).await
}

fn test_page(view: &mut View<'_, '_, '_>, asked: &DriftTestQuery) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let said = |text: &Option<String>| text.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let (connection, address) = (said(&asked.connection), said(&asked.address));
    let mut form = ActForm::new("try", "Try the rules", view.url("/drift-test"))
        .field(
            Field::text("connection", "Connection")
                .hint("Its id.")
                .value(connection.clone())
                .half(),
        )
        .field(
            Field::text("address", "Address")
                .hint("As the connection reports it.")
                .value(address.clone()),
        )
        .submit("Show the rule");
    form.is_question = true;
    form.is_open = true;
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Drift".to_owned(), view.url("/drift"))],
        title: "Try the rules".to_owned(),
        byline: Rich::from("Which rule maps an address of a drift report to a service, and what is expected there."),
        acts: vec![form],
        ..RecordPage::default()
    };
    if !connection.is_empty() && !address.is_empty() {
        page.sections.push(matched(view, &connection, &address)?);
    }
    Ok(page.render())
}

fn matched(view: &mut View<'_, '_, '_>, connection: &str, address: &str) -> acts::Result<Section> {
    let (rule, baselines) = match try_rules(view.cx, connection, address) {
        Ok(found) => found,
        Err(acts::Error::Refused(_)) => {
            let none = Section::new("matched", "What fits", SectionBody::Entries(Vec::new()));
            return Ok(none.unsaid("No connection has this id."));
        }
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    if let Some(rule) = rule {
        let text = Rich::new().said(rule.pattern.as_str());
        let place = format!("{} · {}", rule.service, rule.environment);
        entries.push(Entry::new(Tone::Ok, text).icon("link").why(Rich::new().said(place)));
    }
    for baseline in baselines {
        let text = Rich::from("Expected drift").text(" ").said(baseline.attribute.as_str());
        entries.push(
            Entry::new(Tone::Wait, text)
                .icon("eye")
                .why(Rich::new().said(baseline.pattern.as_str())),
        );
    }
    let section = Section::new("matched", "What fits", SectionBody::Entries(entries));
    Ok(section.unsaid("No rule matches: a finding there has no service and goes to the change managers."))
}

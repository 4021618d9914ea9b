//! “What changed?”: a query in the address, and its ranking.

use acts::incident::find_what_changed::{Changed, ChangesFound, Question, find_what_changed};
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use model::core::act::actions;
use model::incident::what_changed::{HOURS, MOST_HOURS};
use pages::{
    ActForm, Cell, Column, Fact, Field, Fold, Input, Place, RecordPage, Rich, Section, SectionBody, Table, count,
};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::decision_card::outcome_mark;
use crate::web::shared::fields::{pick_field, time_field};
use crate::web::shared::view::{View, Visitor, show};

/// The query of the address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct WhatChangedQuery {
    service: Option<String>,
    item: Option<String>,
    before: Option<String>,
    hours: Option<String>,
}

/// The address of the question about a service before a time.
pub(crate) fn address(view: &View<'_, '_, '_>, service: &str, before: Timestamp) -> String {
    view.url(&format!("/what-changed?service={}&before={before}", escaped(service)))
}

/// The page.
pub(crate) async fn show_what_changed(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<WhatChangedQuery>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| page(view, &asked)).await
}

fn non_blank(text: &Option<String>) -> Option<String> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn page(view: &mut View<'_, '_, '_>, asked: &WhatChangedQuery) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let typed = non_blank(&asked.before);
    let read = typed
        .as_deref()
        .and_then(|text| text.parse().ok().or_else(|| view.reader.read_field(text)));
    let before = read.unwrap_or(view.now());
    let hours = non_blank(&asked.hours)
        .and_then(|text| text.parse().ok())
        .unwrap_or(HOURS)
        .clamp(1, MOST_HOURS);
    let question = Question {
        service: non_blank(&asked.service),
        item: non_blank(&asked.item),
        before,
        hours,
    };
    let is_asked = question.service.is_some() || question.item.is_some();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Incidents".to_owned(), view.url("/incidents"))],
        title: "What changed?".to_owned(),
        byline: Rich::from(
            "The changes of a service and of its dependencies before a time. The order is not a judgement of the cause.",
        ),
        acts: vec![form(view, &question, is_asked)],
        is_facts_first: true,
        ..RecordPage::default()
    };
    if is_asked {
        let answer = find_what_changed(view.cx, &question)?;
        page.facts = facts(view, &answer);
        page.sections = vec![
            Section::new("changed", "The nearest first", SectionBody::Table(table(view, &answer)))
                .unsaid("Nothing is known to have changed in that time."),
        ];
    }
    Ok(page.render())
}

fn form(view: &View<'_, '_, '_>, question: &Question, is_asked: bool) -> ActForm {
    let mut form = ActForm::new("ask", "Ask", view.url("/what-changed"))
        .field(
            pick_field(view, "services", "service", "Service")
                .value(question.service.clone().unwrap_or_default())
                .half(),
        )
        .field(
            pick_field(view, "items", "item", "Or a config item")
                .hint("Its key, its name or one of its addresses.")
                .value(question.item.clone().unwrap_or_default())
                .half(),
        )
        .field(time_field(view, "before", "Before").value(view.reader.field(question.before)))
        .field(
            Field::new("hours", "Hours back", Input::Number)
                .value(question.hours.to_string())
                .half(),
        )
        .submit("Show what changed");
    form.is_question = true;
    form.is_open = !is_asked;
    form
}

fn facts(view: &View<'_, '_, '_>, answer: &ChangesFound) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("About", Rich::new().said(answer.key.as_str())),
        Fact::new("From", view.reader.moment(answer.from)),
        Fact::new("Before", view.reader.moment(answer.before)),
        Fact::new("Services and items looked at", count(answer.things as u64)),
    ];
    if answer.more {
        facts.push(Fact::new(
            "Not everything",
            "Not everything is shown; choose fewer hours.",
        ));
    }
    facts
}

fn table(view: &View<'_, '_, '_>, answer: &ChangesFound) -> Table {
    Table {
        caption: "What changed".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Service", Fold::Under),
            Column::new("Outcome", Fold::Under),
            Column::new("Began", Fold::Under).named(),
            Column::new("Ended", Fold::Under).named(),
            Column::new("Why here", Fold::Under).named(),
            Column::new("Points", Fold::Under).number(),
        ],
        rows: answer.items.iter().map(|row| cells(view, row)).collect(),
        ..Table::default()
    }
}

fn cells(view: &View<'_, '_, '_>, row: &Changed) -> Vec<Cell> {
    let it = &row.happening;
    let (title, href) = match (&row.change, &row.drift) {
        (Some(key), _) => (format!("{key} {}", row.title), view.change_url(key)),
        (None, Some(id)) => (row.title.clone(), view.url(&format!("/drift/{}", escaped(id)))),
        (None, None) if row.notice.is_some() => (row.title.clone(), view.url("/vendor-notices")),
        (None, None) => (row.title.clone(), view.url("/deliveries")),
    };
    vec![
        Cell::title(title, href),
        Cell::said(row.service.as_str()),
        row.outcome
            .map_or_else(|| Cell::Short(String::new()), |it| Cell::Mark(outcome_mark(it))),
        Cell::Short(view.reader.moment(it.began)),
        Cell::Short(it.ended.map(|at| view.reader.moment(at)).unwrap_or_default()),
        Cell::text(row.ranked.reasons.join("; ")),
        Cell::Short(row.ranked.score.to_string()),
    ]
}

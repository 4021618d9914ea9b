//! The rework of changes from a template: fields, returns, and what operations missed.

use acts::report::find_rework::{TemplateReport, find_template_report};
use axum::extract::{Path, State};
use axum::response::Response;
use pages::{ActForm, ActTone, Cell, Column, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, count};

use crate::http::state::AppState;
use crate::web::report::metric_words::share;
use crate::web::shared::labels;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{capital, plain};

/// The page.
pub(crate) async fn show_rework(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Templates, move |view| page(view, &key)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str) -> acts::Result<String> {
    let found = find_template_report(view.cx, key)?;
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Templates".to_owned(), view.url("/templates"))],
        key: key.to_owned(),
        title: "Rework".to_owned(),
        byline: Rich::from("Changes from this template in the last 365 days, the newest 500 at most."),
        sections: vec![fields(&found), missing(&found)],
        facts: facts(&found),
        acts: vec![
            ActForm::link("Trials of templates", view.url("/template-trials")).tone(ActTone::Quiet),
            ActForm::link("What was missing in templates", view.url("/template-feedback")).tone(ActTone::Quiet),
        ],
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn facts(found: &TemplateReport) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Submitted changes", Rich::from(count(found.uses))),
        Fact::new("Reworked", Rich::from(count(found.reworked))),
        Fact::new("Returned with a question", Rich::from(count(found.returned))),
    ];
    if let Some(it) = found.share {
        let text = format!("{}, likely {} to {}", share(it.value), share(it.low), share(it.high));
        facts.push(Fact::new("Share", Rich::from(text)));
    }
    facts
}

fn fields(found: &TemplateReport) -> Section {
    let label = |field: &str| labels::label_of(field).map_or_else(|| capital(&plain(field)), str::to_owned);
    let rows = found.fields.iter().map(|(field, reworked, answered)| {
        vec![
            Cell::Name(label(field)),
            Cell::Short(count(*reworked)),
            Cell::Short(count(*answered)),
        ]
    });
    let table = Table {
        caption: "Rework by field".to_owned(),
        columns: vec![
            Column::new("Field", Fold::Never),
            Column::new("Edited after submission", Fold::Never).number(),
            Column::new("Answered a return", Fold::Under).number(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Section::new("fields", "Rework by field", SectionBody::Table(table)).unsaid("Nothing was edited after submission.")
}

fn missing(found: &TemplateReport) -> Section {
    let rows = found
        .missing
        .iter()
        .map(|(part, answers)| vec![Cell::Name(capital(part)), Cell::Short(count(*answers))]);
    let table = Table {
        caption: "What operations missed".to_owned(),
        columns: vec![
            Column::new("Part of the template", Fold::Never),
            Column::new("Answers", Fold::Never).number(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Section::new("missing", "What operations missed", SectionBody::Table(table)).unsaid("Nobody has answered yet.")
}

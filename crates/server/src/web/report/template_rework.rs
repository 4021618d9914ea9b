//! The rework of changes from a template: fields, steps, returns, and gaps found in operations.

use acts::change::propose_variant::propose_variant;
use acts::report::find_rework::{TemplateReport, find_template_report};
use axum::extract::{Path, State};
use axum::response::Response;
use model::change::template::proposal::{Edit, Why};
use model::core::act::actions;
use model::core::body::Body;
use pages::{
    ActForm, ActTone, Cell, Column, Fact, Field, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, count,
};
use serde_json::Value;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::report::metric_words::share;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::labels;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{capital, plain};

/// The page.
pub(crate) async fn show_rework(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Templates, move |view| page(view, &key, None)).await
}

/// Proposes a variant with the diff that the uses suggest.
pub(crate) async fn propose(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = format!("/templates/{}/variant", escaped(&key));
    let sent = sent(form, path, "/templates".to_owned(), Place::Templates);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| propose_variant(cx, &whose, body).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &key, back)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    let found = find_template_report(view.cx, key)?;
    let mut acts = vec![
        ActForm::link("Trials of templates", view.url("/template-trials")).tone(ActTone::Quiet),
        ActForm::link("Feedback on templates", view.url("/template-feedback")).tone(ActTone::Quiet),
    ];
    if !found.proposal.is_empty() && view.may(actions::PROPOSE_TEMPLATE) {
        let url = view.url(&format!("/templates/{}/variant", escaped(key)));
        let form = ActForm::new("variant", "Propose a variant with this diff", url)
            .note("Two people approve it; then half of the uses can follow it on trial.")
            .field(Field::text("key", "Key of the variant").required())
            .field(Field::text("title", "Title"));
        acts.insert(0, form);
    }
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Templates".to_owned(), view.url("/templates"))],
        key: key.to_owned(),
        title: "Rework".to_owned(),
        byline: Rich::from("Changes from this template in the last 365 days, the newest 500 at most."),
        sections: vec![
            fields(&found),
            steps(&found),
            questions(view, &found),
            missing(&found),
            proposal(&found),
        ],
        facts: facts(&found),
        acts,
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
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

/// The steps of the plan that went otherwise than planned.
fn steps(found: &TemplateReport) -> Section {
    let rows = found.steps.iter().map(|it| {
        vec![
            Cell::Short(it.number.to_string()),
            Cell::said(it.title.as_str()),
            Cell::Short(count(it.reworked)),
            Cell::Short(count(it.uses)),
            Cell::Short(count(it.skipped)),
            Cell::Short(count(it.issues)),
            Cell::Short(count(it.deviations)),
        ]
    });
    let table = Table {
        caption: "Rework by step".to_owned(),
        columns: vec![
            Column::new("Step", Fold::Never).number(),
            Column::new("What is done", Fold::Never),
            Column::new("Reworked", Fold::Never).number(),
            Column::new("Changes with the step", Fold::Under).number(),
            Column::new("Skipped it", Fold::Under).number(),
            Column::new("With an issue", Fold::Under).number(),
            Column::new("With a deviation", Fold::Under).number(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Section::new("steps", "Rework by step", SectionBody::Table(table))
        .lede("In how many changes from the present version a step was skipped, or an issue or a deviation was noted of it.")
        .unsaid("No step was skipped, and none had an issue or a deviation.")
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
    Section::new("missing", "What operations missed", SectionBody::Table(table)).unsaid("There are no answers yet.")
}

/// The questions of returned changes, by the fields that answered them.
fn questions(view: &View<'_, '_, '_>, found: &TemplateReport) -> Section {
    let label = |field: &String| labels::label_of(field).map_or_else(|| capital(&plain(field)), str::to_owned);
    let rows = found.questions.iter().map(|it| {
        let mut names = Rich::new();
        for (place, field) in it.fields.iter().enumerate() {
            if place > 0 {
                names = names.text(" ");
            }
            names = names.text(label(field));
        }
        if it.fields.is_empty() {
            names = names.text("No edit answered");
        }
        let mut examples = Rich::new();
        for (change, question) in &it.examples {
            examples = examples
                .said_link(change.as_str(), view.change_url(change))
                .text(" ")
                .said(question.as_str())
                .line();
        }
        vec![Cell::Text(names), Cell::Short(count(it.count)), Cell::Text(examples)]
    });
    let table = Table {
        caption: "Questions by the fields that answered".to_owned(),
        columns: vec![
            Column::new("Answered by", Fold::Never),
            Column::new("Questions", Fold::Never).number(),
            Column::new("For example", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Section::new("questions", "Returned questions", SectionBody::Table(table))
        .unsaid("No change was returned with a question.")
}

/// The diff that the uses suggest.
fn proposal(found: &TemplateReport) -> Section {
    let rows = found.proposal.iter().map(|it| {
        let label = labels::label_of(&it.field).map_or_else(|| capital(&plain(&it.field)), str::to_owned);
        let value = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let after = match &it.edit {
            Edit::Lock(after) => Some(after),
            Edit::Free | Edit::Drop => None,
        };
        vec![
            Cell::Name(label),
            Cell::text(match it.edit {
                Edit::Lock(_) => "Lock it to one value",
                Edit::Free => "Let each change fill it in",
                Edit::Drop => "No longer ask for it",
            }),
            Cell::said(value(it.before.as_ref())),
            Cell::said(value(after)),
            Cell::text(match it.why {
                Why::Same => "nearly all uses have the same value",
                Why::Unfilled => "nearly all uses leave it empty",
                Why::Reworked => "many uses edited it after submission",
                Why::Missed => "operations missed something in it",
                Why::Deviated => "in many uses a step went otherwise than planned",
            }),
            Cell::Short(count(it.count)),
        ]
    });
    let table = Table {
        caption: "Proposed diff".to_owned(),
        columns: vec![
            Column::new("Field", Fold::Never),
            Column::new("Edit", Fold::Never),
            Column::new("Before", Fold::Under).named(),
            Column::new("After", Fold::Under).named(),
            Column::new("Why", Fold::Under),
            Column::new("Uses or answers", Fold::Under).number(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Section::new("proposal", "Proposed diff", SectionBody::Table(table))
        .unsaid("Nothing is proposed; a proposal needs 20 supporting changes from the present version.")
}

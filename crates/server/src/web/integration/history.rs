//! Imported past changes of another system, and the import form.

use acts::core::noun;
use axum::extract::State;
use axum::response::Response;
use model::core::act::actions::SET_CONNECTION;
use model::core::body::Body;
use model::core::refusal::{FieldError, Refusal};
use model::integration::imported_change::ImportedChange;
use pages::{
    ActForm, Cell, Choice, Column, Field, Fold, Input, Place, RecordPage, Rich, Section, SectionBody, Table, Tone,
};

use crate::api::integration::history::import_text;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send, sent};
use crate::web::shared::view::{View, Visitor, show};

/// How many are shown, the newest first.
const SHOWN: usize = 100;

/// The list.
pub(crate) async fn show_list(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Connections, |view| page(view, None)).await
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    let changes = noun::list::<ImportedChange>(view.cx)?;
    let row = |it: &ImportedChange| {
        vec![
            Cell::Title {
                text: it.title.clone(),
                href: String::new(),
                key: it.foreign_key.clone(),
                marks: vec![Tone::Plain.mark("Imported")],
                sub: Rich::new().said(it.source.as_str()),
            },
            Cell::said(format!("{} · {}", it.service, it.environment)),
            Cell::said(it.outcome.as_str()),
            Cell::Short(view.reader.moment(it.ended_at)),
            Cell::Short(view.reader.moment(it.imported_at)),
        ]
    };
    let table = Table {
        caption: "Imported changes".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Service", Fold::Under),
            Column::new("Outcome", Fold::Under).named(),
            Column::new("Ended", Fold::Under).named(),
            Column::new("Imported", Fold::Under).named(),
        ],
        rows: changes.iter().take(SHOWN).map(row).collect(),
        ..Table::default()
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("External systems".to_owned(), view.url("/foreign-systems"))],
        title: "Imported changes".to_owned(),
        byline: Rich::from(
            "The past of another system, as reported later. It proves nothing, opens no gate, and stands in no figure.",
        ),
        sections: vec![
            Section::new("imported", "The newest ones", SectionBody::Table(table)).unsaid("Nothing is imported."),
        ],
        ..RecordPage::default()
    };
    if view.may(SET_CONNECTION) {
        page.acts.push(form(view));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn form(view: &View<'_, '_, '_>) -> ActForm {
    let formats = vec![Choice::new("csv", "CSV"), Choice::new("json", "JSON")];
    ActForm::new("import", "Import history", view.url("/history"))
        .field(crate::web::shared::idempotent_form::field(view))
        .field(
            Field::text("source", "System")
                .hint("The system that they come from, such as servicenow.")
                .required()
                .half(),
        )
        .field(Field::new("format", "Form", Input::Select(formats)).half())
        .field(
            Field::textarea("text", "Rows")
                .hint("Columns: key, title, kind, service, environment, outcome, requested_by, approved_by, planned_start, planned_end, started_at, ended_at.")
                .required(),
        )
        .field(Field::new("dry_run", "Only try", Input::Checkbox))
        .note("At most 2,000 rows. One wrong line refuses the whole.")
        .submit("Import them")
}

/// Imports, or does a dry run. A dry run with findings returns the same response as the import.
pub(crate) async fn import(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/history".to_owned();
    let sent = Sent {
        boxes: &["dry_run"],
        ..sent(form, path.clone(), path, Place::Connections)
    };
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| {
        let imported = import_text(cx, body)?;
        let wrong = |it: model::integration::imported_change::Problem| FieldError {
            field: "text".to_owned(),
            text: format!("Line {}: {}", it.line, it.error.text),
            ..it.error
        };
        match imported.problems.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Invalid(imported.problems.into_iter().map(wrong).collect()).into()),
        }
    };
    send(&state, &visitor, sent, run, page).await
}

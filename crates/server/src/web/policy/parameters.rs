//! The parameters of the policies in force, with the values and bounds, and the form that proposes another value.

use model::core::act::actions;
use model::core::body::Body;
use pages::{ActForm, Cell, Choice, Column, Field, Fold, Input, Rich, Section, SectionBody, Table};
use policy::Parameter;
use serde_json::{Value, json};

use crate::web::shared::idempotent_form;
use crate::web::shared::view::View;

/// The section of the page of policies.
pub(crate) fn section(view: &View<'_, '_, '_>) -> Section {
    let found = view.policies.parameters();
    let table = Table {
        caption: "Parameters of the policies".to_owned(),
        columns: vec![
            Column::new("Parameter", Fold::Never),
            Column::new("Value", Fold::Never),
            Column::new("Without a value of your own", Fold::Under).named(),
            Column::new("Bounds", Fold::Under).named(),
            Column::new("Purpose", Fold::Under).named(),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    };
    let section = Section::new("parameters", "Parameters", SectionBody::Table(table))
        .note("values that rules take, within the bounds of their pack")
        .unsaid("The policies in force have none.");
    match view.may(actions::SET_POLICY) && !found.is_empty() {
        true => section.acts(vec![form(view, found)]),
        false => section,
    }
}

fn row(it: &Parameter) -> Vec<Cell> {
    let bounds = match (&it.floor, &it.ceiling) {
        (None, None) => "–".to_owned(),
        (Some(floor), None) => format!("at least {floor}"),
        (None, Some(ceiling)) => format!("at most {ceiling}"),
        (Some(floor), Some(ceiling)) => format!("{floor} to {ceiling}"),
    };
    vec![
        Cell::Text(Rich::new().code(it.name.as_str())),
        Cell::said(it.value.as_str()),
        Cell::said(it.default.as_str()),
        Cell::text(bounds),
        Cell::text(it.about.clone()),
    ]
}

fn form(view: &View<'_, '_, '_>, found: &[Parameter]) -> ActForm {
    let choices = found.iter().map(|it| Choice::said(it.name.as_str(), it.name.as_str()));
    ActForm::new("set-parameter", "Propose another value", view.url("/policy-parameters"))
        .field(idempotent_form::field(view))
        .field(
            Field::new("parameter", "Parameter", Input::Select(choices.collect()))
                .required()
                .half(),
        )
        .field(
            Field::text("value", "Value")
                .hint("As in the table: 2%, medium, 24h, 3.")
                .required()
                .half(),
        )
        .field(Field::textarea("reason", "Why").required())
        .note("The set in force is proposed with this value. Another person, or an approved change, puts it in force.")
        .submit("Propose it")
}

/// Converts the form into the API's format.
pub(super) fn gather(body: &Body) -> Body {
    let mut body = body.clone();
    let (name, value) = (body.remove("parameter"), body.remove("value"));
    if let Some(Value::String(name)) = name {
        body.insert("values".to_owned(), json!({name: value}));
    }
    body
}

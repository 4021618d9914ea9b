//! The fields that a tenant added to its changes, as controls of the form and as facts of a page.

use model::change::custom_field::{CustomField, CustomValue, Held};
use model::change::record::Change;
use model::core::enums::{FieldKind, Kind};
use model::directory::snapshot::Directory;
use pages::{Choice, Fact, Field, Input, Rich};

use crate::web::shared::fields::key_field;
use crate::web::shared::view::View;
use crate::web::shared::words::and;

/// The names of the fields without which a new change of a kind cannot be submitted.
pub(crate) fn needed(directory: &Directory, kind: Kind) -> Vec<String> {
    let fields = directory.custom_fields.values();
    fields
        .filter(|field| field.is_needed_of(kind))
        .map(CustomField::path)
        .collect()
}

/// The controls: of every field in use, and of retired fields in which the change has a value.
pub(crate) fn own_fields(view: &View<'_, '_, '_>, change: Option<&Change>) -> Vec<Field> {
    let is_said = |field: &CustomField| {
        let mut values = change.iter().flat_map(|change| &change.content.custom_fields);
        values.any(|value| value.key == field.key)
    };
    let fields = view.directory.custom_fields.values();
    fields
        .filter(|field| !field.is_over || is_said(field))
        .map(|field| control(view, field, change))
        .collect()
}

fn control(view: &View<'_, '_, '_>, field: &CustomField, change: Option<&Change>) -> Field {
    let menu = |values: &mut dyn Iterator<Item = String>| {
        let none = std::iter::once(Choice::new("", "Not stated"));
        Input::Select(
            none.chain(values.map(|value| Choice::said(value.as_str(), value.as_str())))
                .collect(),
        )
    };
    let input = match field.holds {
        FieldKind::Text | FieldKind::Person => Input::Text,
        FieldKind::Choice => menu(&mut field.choices.iter().cloned().chain(dropped_choice(field, change))),
        FieldKind::Number => Input::Number,
        FieldKind::Date => Input::Date,
        FieldKind::Service => {
            let keys = view.directory.services.keys().map(|key| key.0.clone());
            key_field(view, ("services", "Not stated"), ("", ""), keys).input
        }
        FieldKind::Link => Input::Url,
    };
    let kinds: Vec<String> = field.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let mut hints = Vec::new();
    if !kinds.is_empty() {
        hints.push(format!("Only for {} changes.", and(&kinds)));
    }
    if field.needed_since.is_some() && !field.categories.is_empty() {
        let about: Vec<String> = field
            .categories
            .iter()
            .map(|category| category.as_str().to_owned())
            .collect();
        hints.push(format!("Required in these categories: {}.", about.join(", ")));
    }
    if field.holds == FieldKind::Person {
        hints.push("A login.".to_owned());
    }
    if field.is_over {
        hints.push("Out of use; an existing value may stay.".to_owned());
    }
    let mut control = Field::new(field.path(), field.name.as_str(), input);
    control.is_said = true;
    control.explained.clone_from(&field.description);
    match hints.is_empty() {
        true => control,
        false => control.hint(hints.join(" ")),
    }
}

/// The change's choice that can no longer be selected.
fn dropped_choice(field: &CustomField, change: Option<&Change>) -> Option<String> {
    let values = &change?.content.custom_fields;
    match &values.iter().find(|value| value.key == field.key)?.held {
        Held::Choice(choice) if !field.choices.contains(choice) => Some(choice.clone()),
        _ => None,
    }
}

/// A value as plain text.
pub(crate) fn plain(view: &View<'_, '_, '_>, value: &CustomValue) -> String {
    match &value.held {
        Held::Text(text) | Held::Choice(text) | Held::Date(text) | Held::Url(text) => text.clone(),
        Held::Number(number) => number.to_string(),
        Held::Person(person) => view.name(person),
        Held::Service(service) => service.0.clone(),
    }
}

/// Values with their names, in one line.
pub(crate) fn values_text(view: &View<'_, '_, '_>, values: &[CustomValue]) -> String {
    let one = |value: &CustomValue| format!("{}: {}", name_then(&view.directory, value), plain(view, value));
    values.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The label of a field; its key when the field no longer exists.
pub(crate) fn name<'d>(directory: &'d Directory, key: &'d str) -> &'d str {
    directory
        .custom_fields
        .get(key)
        .map_or(key, |field| field.name.as_str())
}

/// The label of a value at the time of writing: people decided on that label.
fn name_then<'d>(directory: &'d Directory, value: &'d CustomValue) -> &'d str {
    let now = || name(directory, &value.key);
    value.name.as_deref().unwrap_or_else(now)
}

/// The change's values in them.
pub(crate) fn facts(view: &View<'_, '_, '_>, change: &Change) -> Vec<Fact> {
    let values = change.content.custom_fields.iter();
    let fact = |value: &CustomValue| {
        let label = name_then(&view.directory, value);
        match &value.held {
            Held::Person(person) => Fact::people(label, vec![view.named(person)]),
            Held::Service(service) => {
                let url = view.url(&format!("/services/{service}"));
                Fact::new(label, Rich::new().said_link(service.as_str(), url))
            }
            Held::Url(url) => Fact::new(label, Rich::new().link(url.as_str(), url.as_str())),
            Held::Date(text) => match text.parse() {
                Ok(date) => Fact::new(label, view.reader.date(date)),
                Err(_) => Fact::new(label, Rich::new().said(text.as_str())),
            },
            _ => Fact::new(label, Rich::new().said(plain(view, value))),
        }
    };
    values.map(fact).map(Fact::said).collect()
}

//! A standard change from its template: the form has fields for the open parts, and shows the fixed ones.

use model::core::body::Body;
use model::core::enums::{Kind, TemplateState};
use model::directory::snapshot::{Directory, StandardTemplate};
use pages::{ChangeFields, ChangeForm, DerivedFact, Entry, NINE, Notice, Rich, Tone};
use serde_json::Value;

use crate::web::change::custom_fields::needed;
use crate::web::change::templates::{locked, page_of};
use crate::web::shared::form::{AFTER, Form, OWN};
use crate::web::shared::view::View;

/// The template of a key, if changes may follow it.
pub(crate) fn approved<'d>(directory: &'d Directory, key: &str) -> Option<&'d StandardTemplate> {
    let template = directory.templates.get(key)?;
    (template.state == TemplateState::Approved).then_some(template)
}

/// Marks a form's input as a standard change of the template that it names; without one the input stays as it is.
pub(crate) fn follow(form: &Form, body: &mut Body) {
    let key = form.first(AFTER);
    if key.is_empty() {
        return;
    }
    body.insert("kind".to_owned(), Value::from(Kind::Standard.as_str()));
    body.insert("template".to_owned(), Value::from(key));
}

/// Removes the template's values from the fields, and shows them where they apply.
pub(crate) fn fill(view: &View<'_, '_, '_>, template: &StandardTemplate, fields: &mut ChangeFields) {
    fields.retrospective = false;
    fields.locked = template.locked.keys().cloned().collect();
    fields.locked.extend(["kind", "template"].map(str::to_owned));
    let own = template.custom_fields.iter();
    fields.locked.extend(own.map(|value| format!("{OWN}{}", value.key)));
    if !template.services.is_empty() {
        fields.services = template.services.iter().map(|key| key.0.clone()).collect();
    }
    if !template.environments.is_empty() {
        fields.environments = template.environments.iter().map(|key| key.0.clone()).collect();
    }
    fields.set("title", template.title.as_str());
    if let [only] = fields.services.as_slice() {
        let only = only.clone();
        fields.set("targets.0.service", only);
    }
    if let [only] = fields.environments.as_slice() {
        let only = only.clone();
        fields.set("targets.0.environment", only);
    }
    fields.asked = open(view, fields);
}

/// The usual questions that neither the template nor the service answers, and the tenant's own fields that standard changes
/// need.
fn open(view: &View<'_, '_, '_>, fields: &ChangeFields) -> Vec<String> {
    let is_open = |name: &&str| {
        let first = name.split('.').next().unwrap_or(name);
        let is_known = match *name {
            "impact.availability" => true,
            _ => fields.values.get(*name).is_some_and(|value| !value.is_empty()),
        };
        !is_known && !fields.locked.contains(first)
    };
    let usual = NINE.into_iter().filter(is_open).map(str::to_owned);
    let own = needed(&view.directory, Kind::Standard).into_iter();
    usual.chain(own.filter(|name| !fields.locked.contains(name))).collect()
}

/// Shows on the form which template it follows, and the template's fixed values.
pub(crate) fn tell(view: &View<'_, '_, '_>, template: &StandardTemplate, page: &mut ChangeForm, asked: usize) {
    page.title = match asked {
        0 => "The template fills in every field".to_owned(),
        1 => "One field to fill in; the template provides the others".to_owned(),
        many => format!(
            "{} fields to fill in; the template provides the others",
            pages::count_word(many as u64)
        ),
    };
    page.lede =
        "A standard change is pre-authorised with its template. While the change matches the template, no further approval is \
         required."
            .to_owned();
    page.go = ("Submit as a standard change".to_owned(), "submit".to_owned());
    page.back_url = page_of(view, template);
    page.hidden.push(pages::Field::hidden(AFTER, template.key.as_str()));
    let text = Rich::from("This change follows the template ")
        .said_link(template.title.as_str(), page_of(view, template))
        .text(", whose content is shown below. A later edit makes it a normal change, which needs approval.");
    page.notices.push(Notice::new(Tone::Plain, text));
    page.next.drain(..page.next.len().saturating_sub(1));
    let approved = Entry::new(Tone::Plain, "Pre-authorised by its template")
        .icon("s-approved")
        .why("As long as the change matches the template.");
    page.next.insert(0, approved);
    page.derived = locked(view, template)
        .into_iter()
        .map(|fact| DerivedFact {
            label: fact.label,
            value: joined(fact.values),
            origin: "set by the template".to_owned(),
        })
        .collect();
}

/// Several values one after another.
fn joined(values: Vec<Rich>) -> Rich {
    values.into_iter().fold(Rich::new(), |all, value| match all.is_empty() {
        true => value,
        false => all.text("; ").append(value),
    })
}

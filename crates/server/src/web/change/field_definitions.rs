//! A tenant's own fields of changes, with the number of questions that each kind of change has already.

use acts::change::set_custom_field::budget_sentence;
use acts::core::noun;
use acts::report::find_field_use::{FieldUse, find_field_use};
use axum::extract::{Path, State};
use axum::response::Response;
use model::change::custom_field::{CustomField, MOST_ASKED, MOST_FIELDS, over_budget};
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{Category, FieldKind, Kind};
use model::report::field_use::{Useless, Verdict};
use pages::{
    ActForm, ActTone, Cell, Column, Fact, Field, Fold, NINE, Notice, Place, RecordPage, Rich, Section, SectionBody,
    Table, Tone, count,
};
use serde_json::Value;

use super::super::shared::form::{Form, lines};
use super::super::shared::form_page::{Back, send, sent};
use super::super::shared::view::{View, Visitor, show};
use super::super::shared::words::{and, capital};
use crate::http::percent::escaped;
use crate::http::state::AppState;

/// The page.
pub(crate) async fn show_fields(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Fields, |view| page(view, None)).await
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let may_set = view.may(actions::SET_SERVICE);
    let directory = view.directory.clone();
    let fields: Vec<&CustomField> = directory.custom_fields.values().collect();
    let mut sections = vec![budget(&fields)];
    if fields.is_empty() {
        let none = Section::new("own", "Fields of your own", SectionBody::Entries(Vec::new()));
        sections.push(none.unsaid(
            "None yet. Add a field for information that no other field holds. A form may require three of them at most.",
        ));
    }
    sections.extend(fields.iter().map(|field| section(view, field, may_set)));
    if may_set {
        sections.push(use_of_fields(view)?);
    }
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Fields of changes".to_owned(),
        byline: Rich::from(
            "Additional fields of your changes. An approval covers them like everything else on the decision card.",
        ),
        sections,
        ..RecordPage::default()
    };
    if may_set {
        page.acts.push(form("field", "Add a field", view, None));
    }
    let over = over_budget(directory.custom_fields.values());
    if may_set && let Some((kind, shown)) = over.first() {
        let notice =
            Notice::new(Tone::Wait, budget_sentence(*kind, *shown)).title("A form has more fields than people read");
        page.frame.notices.push(notice);
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

/// The number of questions of each kind of change, and how many more it can bear.
fn budget(fields: &[&CustomField]) -> Section {
    let row = |kind: &Kind| {
        let needed = fields.iter().filter(|field| field.is_needed_of(*kind)).count();
        let free = fields.iter().filter(|field| field.is_of(*kind)).count() - needed;
        let may = match free {
            0 => String::new(),
            1 => ", and 1 that may stay empty".to_owned(),
            many => format!(", and {many} that may stay empty"),
        };
        let text = format!(
            "{} usual answers and {needed} of {MOST_ASKED} of your own{may}",
            NINE.len()
        );
        Fact::new(capital(kind.as_str()), text)
    };
    let in_use = fields.iter().filter(|field| !field.is_over).count();
    let mut rows: Vec<Fact> = Kind::ALL.iter().map(row).collect();
    let warned = over_budget(fields.iter().copied()).into_iter();
    rows.extend(warned.map(|(kind, shown)| Fact::new("Over the budget", budget_sentence(kind, shown))));
    Section::new("budget", "Fields per change form", SectionBody::Facts(rows))
        .note(format!("{in_use} of {MOST_FIELDS} fields in use"))
}

/// How the fields that people type are used, with a proposal for each that is useless.
fn use_of_fields(view: &mut View<'_, '_, '_>) -> acts::Result<Section> {
    let row = |it: &FieldUse| {
        let (tone, verdict) = match it.verdict {
            Verdict::Used if it.is_read => (Tone::Ok, "Read by a rule"),
            Verdict::Used => (Tone::Ok, "Used"),
            Verdict::NotEnough => (Tone::Plain, "Not enough data"),
            Verdict::Drop(Useless::Blank) => (Tone::Wait, "Drop it: nearly always empty"),
            Verdict::Drop(Useless::Filler) => (Tone::Wait, "Drop it: filler text"),
            Verdict::Drop(Useless::Constant) => (Tone::Wait, "Make it a default: nearly always the same"),
        };
        vec![
            Cell::Text(Rich::new().code(it.field.as_str())),
            Cell::Short(count(it.counted.asked)),
            Cell::Short(count(it.counted.filled)),
            Cell::Short(count(it.counted.filler)),
            Cell::Mark(tone.mark(verdict)),
        ]
    };
    let table = Table {
        caption: "Use of fields".to_owned(),
        columns: vec![
            Column::new("Field", Fold::Never),
            Column::new("Asked", Fold::Never).number(),
            Column::new("Filled", Fold::Never).number(),
            Column::new("Filler text", Fold::Never).number(),
            Column::new("Proposal", Fold::Never),
        ],
        rows: find_field_use(view.cx)?.iter().map(row).collect(),
        ..Table::default()
    };
    Ok(Section::new("use", "Use of fields", SectionBody::Table(table))
        .note("over the newest 2,000 changes, and 500 records of each other form"))
}

fn kind_text(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "Text",
        FieldKind::Choice => "Choice",
        FieldKind::Number => "Whole number",
        FieldKind::Date => "Day",
        FieldKind::Person => "Person",
        FieldKind::Service => "Service",
        FieldKind::Link => "Link",
    }
}

fn section(view: &View<'_, '_, '_>, field: &CustomField, may_set: bool) -> Section {
    let kinds: Vec<String> = field.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let on = match kinds.is_empty() {
        true => "every change".to_owned(),
        false => format!("{} changes", and(&kinds)),
    };
    let mut facts = vec![
        Fact::new("Key", Rich::new().code(field.key.as_str())),
        Fact::new("Holds", kind_text(field.holds)),
    ];
    if !field.choices.is_empty() {
        facts.push(Fact::new("Choices", Rich::new().said(field.choices.join(", "))));
    }
    facts.push(Fact::new("On", on));
    if let Some(since) = field.needed_since {
        let text = format!("before submission, of changes written since {}", view.reader.day(since));
        facts.push(Fact::new("Needed", text));
        let about: Vec<String> = field
            .categories
            .iter()
            .map(|category| capital(category.as_str()))
            .collect();
        if !about.is_empty() {
            facts.push(Fact::new("Required in these categories", about.join(", ")));
        }
    }
    if field.is_fact {
        facts.push(Fact::new("Policies", "may read it"));
    }
    if !field.defaults.is_empty() {
        facts.push(Fact::new("By default", Rich::new().said(field.defaults.join(", "))));
    }
    if let Some(hint) = &field.description {
        facts.push(Fact::new("Help", Rich::new().said(hint.as_str())));
    }
    let note = if field.is_over { "out of use" } else { "" };
    let section = Section::new(
        format!("field-{}", field.key),
        field.name.as_str(),
        SectionBody::Facts(facts),
    )
    .said()
    .note(note);
    if !may_set {
        return section;
    }
    let label = if field.is_over { "Use it again" } else { "Change it" };
    let mut acts = vec![form(&format!("change-{}", field.key), label, view, Some(field)).tone(ActTone::Link)];
    if !field.is_over {
        let url = view.url(&format!("/fields/{}/end", escaped(&field.key)));
        acts.push(
            ActForm::new(format!("end-{}", field.key), "Retire it", url)
                .tone(ActTone::Link)
                .note("No form shows the field any more. Existing values and approvals stay valid.")
                .submit("Retire it"),
        );
    }
    section.acts(acts)
}

fn form(id: &str, label: &str, view: &View<'_, '_, '_>, known: Option<&CustomField>) -> ActForm {
    let holds: Vec<(&str, &str)> = FieldKind::ALL
        .iter()
        .map(|kind| (kind.as_str(), kind_text(*kind)))
        .collect();
    let kinds: Vec<(String, String)> = Kind::ALL
        .iter()
        .map(|kind| (kind.as_str().to_owned(), capital(kind.as_str())))
        .collect();
    let kinds: Vec<(&str, &str)> = kinds
        .iter()
        .map(|(value, label)| (value.as_str(), label.as_str()))
        .collect();
    let mut on = Field::many("kinds", "On which changes", &kinds).hint("None ticked means all of them.");
    let mut form = ActForm::new(id, label, view.url("/fields"));
    form = match known {
        Some(field) => {
            on.chosen = field.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
            form.field(Field::hidden("key", field.key.as_str()))
                .field(Field::hidden("holds", field.holds.as_str()))
        }
        None => form
            .field(
                Field::text("key", "Key")
                    .hint("The name in requests and files, such as cost_centre.")
                    .required()
                    .half(),
            )
            .field(Field::select("holds", "Holds", &holds).required().half()),
    };
    form = form.field(
        Field::text("name", "Name")
            .hint("The label above the field.")
            .value(known.map(|field| field.name.clone()).unwrap_or_default())
            .required(),
    );
    form = form.field(
        Field::text("description", "Help")
            .hint("One sentence that helps to fill it in.")
            .value(known.and_then(|field| field.description.clone()).unwrap_or_default()),
    );
    if known.is_none_or(|field| field.holds == FieldKind::Choice) {
        form = form.field(
            Field::textarea("choices", "Choices")
                .hint("One per line, for a choice.")
                .value(known.map(|field| field.choices.join("\n")).unwrap_or_default()),
        );
    }
    let is_needed = known.is_some_and(|field| field.needed_since.is_some());
    let needed = Field::new(
        "is_needed",
        "Changes written from now on cannot be submitted without it",
        pages::Input::Checkbox,
    )
    .value(if is_needed { "true" } else { "" });
    form = form.field(on).field(needed).field(categories(known)).field(
        Field::textarea("defaults", "Defaults of services")
            .hint("One per line, the service first: label-print=gold.")
            .value(known.map(|field| field.defaults.join("\n")).unwrap_or_default()),
    );
    if known.is_none_or(|field| CustomField::may_be_fact(field.holds)) {
        let is_fact = known.is_some_and(|field| field.is_fact);
        let fact = Field::new("is_fact", "Policies may read it", pages::Input::Checkbox)
            .hint("For a choice, a number, a day or a service. Its value is then recorded with each decision.")
            .value(if is_fact { "true" } else { "" });
        form = form.field(fact);
    }
    form.submit("Keep this field")
}

/// The categories in which a field is required.
fn categories(known: Option<&CustomField>) -> Field {
    let words = |category: &Category| (category.as_str().to_owned(), capital(category.as_str()));
    let all: Vec<(String, String)> = Category::ALL.iter().map(words).collect();
    let all: Vec<(&str, &str)> = all
        .iter()
        .map(|(value, label)| (value.as_str(), label.as_str()))
        .collect();
    let mut field =
        Field::many("categories", "Required in these categories", &all).hint("None ticked means all of them.");
    if let Some(known) = known {
        field.chosen = known
            .categories
            .iter()
            .map(|category| category.as_str().to_owned())
            .collect();
    }
    field
}

/// Converts the lines and ticks of the form into the API's format.
fn gather(body: &Body) -> Body {
    let mut body = body.clone();
    for name in ["choices", "defaults"] {
        if let Some(Value::String(text)) = body.remove(name) {
            body.insert(name.to_owned(), lines(&text).collect());
        }
    }
    body
}

/// Adds a field, or changes one.
pub(crate) async fn set(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/fields".to_owned();
    let sent = sent(form, path.clone(), path, Place::Fields);
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| noun::add::<CustomField>(cx, &gather(body)).map(drop);
    send(&state, &visitor, sent, run, page).await
}

/// Takes a field out of use.
pub(crate) async fn end(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = format!("/fields/{}/end", escaped(&key));
    let sent = sent(form, path, "/fields".to_owned(), Place::Fields);
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| noun::end::<CustomField>(cx, &key).map(drop);
    send(&state, &visitor, sent, run, page).await
}

//! Writing and editing a change with a form that needs no script: rows are added by a button that sends the form.

use std::collections::BTreeMap;

use acts::Room;
use axum::extract::{Path, State};
use axum::response::Response;
use model::act::{Act as Verb, actions};
use model::change::Change;
use model::refusal::{FieldError, Refusal};
use model::verbs::Body;
use model::words::TemplateState;
use pages::{ChangeFields, ChangeForm, Entry, Field, Notice, Place, Reader, Rich, Rows, Tone};
use serde_json::Value;

use super::form::{Decoded, Form, with_labels};
use super::view::{View, Visitor, escaped, notice_of, problem, reader_of, see, show, show_as, write};
use crate::failure::Failure;
use crate::state::AppState;

/// The fields that the form holds, by their name in the API. What is not here an edit leaves alone.
const HELD: &[&str] = &[
    "title",
    "description",
    "justification",
    "verification",
    "category",
    "touches",
    "targets",
    "planned_start",
    "planned_end",
    "disruption",
    "impact",
    "complexity",
    "plan",
    "rollback_plan",
    "rollback_minutes",
    "no_rollback_reason",
    "owner",
    "team",
    "implementers",
    "tester",
    "business_contact",
    "kind",
    "template",
    "incident",
    "threat",
    "expedited",
    "expedited_reason",
    "objectives",
    "labels",
];

/// How the form came back.
#[derive(Clone)]
struct Back {
    form: Form,
    failure: Option<Failure>,
}

/// The empty form.
pub(super) async fn new_form(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Changes, |view| {
        view.room.allow(Verb::Create.as_str())?;
        new_page(view, None)
    })
    .await
}

fn new_page(view: &View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    let mut fields = empty_fields(view);
    let mut page = ChangeForm {
        frame: view.frame.clone(),
        title: "Write a change".to_owned(),
        lede: "Say what, where, when and why; the rest is derived and shown before anybody decides.".to_owned(),
        crumb: "New".to_owned(),
        action_url: view.url("/changes"),
        go: ("Submit for assessment".to_owned(), "submit".to_owned()),
        keep: ("Keep as draft".to_owned(), "keep".to_owned()),
        back_url: view.url("/changes"),
        next: vec![
            Entry::new(Tone::Plain, "It is assessed")
                .icon("s-assessing")
                .why("Risk and impact are stated, and computed."),
            Entry::new(Tone::Plain, "The right people are asked")
                .icon("s-authorizing")
                .why("By the rules, at once."),
            Entry::new(Tone::Plain, "The gate opens at its start")
                .icon("s-scheduled")
                .why("For exactly what was approved."),
        ],
        ..ChangeForm::default()
    };
    fill_back(view, &mut page, &mut fields, back);
    Ok(page.render())
}

fn empty_fields(view: &View<'_, '_, '_>) -> ChangeFields {
    let directory = &view.directory;
    let approved = directory
        .templates
        .values()
        .filter(|template| template.state == TemplateState::Approved);
    ChangeFields {
        zone: view.reader.zone_name().to_owned(),
        services: directory.services.keys().map(|key| key.0.clone()).collect(),
        environments: directory.environments.keys().map(|key| key.0.clone()).collect(),
        templates: approved
            .map(|template| (template.key.clone(), template.title.clone()))
            .collect(),
        ..ChangeFields::default()
    }
}

/// Puts what was sent, its errors and the wanted rows into the page.
fn fill_back(view: &View<'_, '_, '_>, page: &mut ChangeForm, fields: &mut ChangeFields, back: Option<&Back>) {
    let Some(back) = back else {
        page.sections = fields.sections();
        return;
    };
    fields.values.clear();
    for (name, value) in back.form.pairs() {
        fields.set(name, value);
    }
    fields.touches = back.form.all("touches");
    let decoded = read(&back.form, &view.reader);
    let mut errors: Vec<FieldError> = decoded.errors.clone();
    errors.extend(
        back.failure
            .iter()
            .flat_map(|failure| failure.problem.errors.iter().cloned()),
    );
    errors.extend(back.failure.iter().flat_map(missing_fields));
    let by_field = decoded.by_field(&errors);
    let labels = labels(fields);
    let known: Vec<&String> = labels.iter().map(|(name, _)| name).collect();
    for (name, text) in &by_field {
        let text = with_labels(text, &labels);
        match shown_as(name, &known) {
            Some(field) => fields.fail(&field, text),
            None => page.errors.push(Rich::from(text)),
        }
    }
    add_rows(fields, back.form.first("add"));
    page.sections = fields.sections();
    if back.form.first("act") == "submit" {
        page.refused = match fields.errors.len() + page.errors.len() {
            0 => String::new(),
            1 => "Not submitted yet: one answer needs a second look".to_owned(),
            many => format!("Not submitted yet: {many} answers need a second look"),
        };
    }
    // Wrong fields are told beside them and above the form already.
    let is_plain = back.failure.as_ref().filter(|_| errors.is_empty());
    page.notices.extend(is_plain.map(|failure| notice_of(view, failure)));
}

/// The fields that a submission lacks, as the rules name them: in backticks.
fn missing_fields(failure: &Failure) -> Vec<FieldError> {
    let rows = failure.problem.unmet.iter().filter(|row| row.code == "field_missing");
    rows.filter_map(|row| {
        let name = row.satisfy.split('`').nth(1)?;
        Some(FieldError::new(
            name,
            "missing",
            "This is needed before it can be submitted.",
        ))
    })
    .collect()
}

/// Names and labels of every field that the form shows.
fn labels(fields: &ChangeFields) -> Vec<(String, String)> {
    let sections = fields.sections();
    let all = sections.iter().flat_map(|section| {
        let rows = section.rows.iter().flat_map(|group| group.rows.iter().flatten());
        section
            .fields
            .iter()
            .chain(rows)
            .map(|field: &Field| (field.name.clone(), field.label.clone()))
    });
    all.collect()
}

/// The field beside which an error is shown: its own, the first of its row, or the one that stands for it.
fn shown_as(name: &str, known: &[&String]) -> Option<String> {
    let name = if name == "expedited_reason" { "expedited" } else { name };
    let first_of_row = known.iter().find(|field| field.starts_with(&format!("{name}.")));
    let own = known.iter().find(|field| field.as_str() == name);
    own.or(first_of_row).map(|field| (*field).clone())
}

/// More rows than are filled in, in the group whose button was pressed.
fn add_rows(fields: &mut ChangeFields, add: &str) {
    let count = |rows: Rows| {
        let prefix = format!("{}.", rows.name());
        let places = fields
            .values
            .keys()
            .filter_map(|name| name.strip_prefix(&prefix)?.split('.').next()?.parse::<usize>().ok());
        places.max().map_or(0, |last| last.saturating_add(1)).min(200)
    };
    let (targets, plan, back) = (count(Rows::Targets), count(Rows::Plan), count(Rows::RollbackPlan));
    let more = |rows: Rows, present: usize, by: usize| if add == rows.name() { present + by } else { present };
    fields.target_rows = more(Rows::Targets, targets, 2);
    fields.plan_rows = more(Rows::Plan, plan, 3);
    fields.rollback_rows = more(Rows::RollbackPlan, back, 2);
}

/// Reads the form; why it is late stands for the flag as well.
fn read(form: &Form, reader: &Reader) -> Decoded {
    let mut decoded = form.decode(reader, &[]);
    if let Some(reason) = decoded.body.remove("expedited") {
        decoded.body.insert("expedited".to_owned(), Value::Bool(true));
        decoded.body.insert("expedited_reason".to_owned(), reason);
    }
    decoded
}

fn refuse_unread(decoded: &Decoded) -> acts::Result<()> {
    match decoded.errors.as_slice() {
        [] => Ok(()),
        errors => Err(Refusal::Invalid(errors.to_vec()).into()),
    }
}

/// Writes a change; with “submit” it is handed over in the same act.
pub(super) async fn create(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    if !form.first("add").is_empty() {
        return show_new(&state, &visitor, Back { form, failure: None }).await;
    }
    let sent = form.clone();
    let done = write(&state, &visitor, move |room| create_from(room, &sent)).await;
    match done {
        Ok(key) => see(&format!("{}/changes/{key}?done=created", visitor.base())),
        Err(failure) if matches!(failure.status(), 409 | 422) => {
            show_new(
                &state,
                &visitor,
                Back {
                    form,
                    failure: Some(failure),
                },
            )
            .await
        }
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}/changes", visitor.base())).await,
    }
}

fn create_from(room: &mut Room<'_, '_>, form: &Form) -> acts::Result<String> {
    let directory = room.directory()?;
    let decoded = read(form, &reader_of(room, &directory));
    refuse_unread(&decoded)?;
    let key = acts::create_change::create_change(room, &decoded.body, &[])?;
    if form.first("act") == "submit" {
        acts::submit_change::submit_change(room, &key)?;
    }
    Ok(key)
}

async fn show_new(state: &AppState, visitor: &Visitor, back: Back) -> Response {
    let status = back.failure.as_ref().map_or(200, Failure::status);
    show_as(state, visitor, Place::Changes, status, move |view| {
        new_page(view, Some(&back))
    })
    .await
}

/// The form over a change as it stands.
pub(super) async fn edit_form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Changes, move |view| {
        edit_page(view, &key, None)
    })
    .await
}

fn edit_page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    view.room.allow(actions::READ)?;
    let file = view.room.file(key)?;
    let change = &file.change;
    let mut fields = empty_fields(view);
    let mut touches = Vec::new();
    for (name, value) in flat(&model::input::patch_base(change, &view.directory), &view.reader) {
        if name == "touches" {
            touches.push(value);
        } else {
            fields.set(&name, value);
        }
    }
    fields.touches = touches;
    let mut page = ChangeForm {
        frame: view.frame.clone(),
        title: format!("Edit {}", change.key),
        lede: change.content.title.clone(),
        crumb: change.key.clone(),
        action_url: format!("{}/edit", view.change_url(&change.key)),
        hidden: vec![Field::hidden("revision", revision(change, back))],
        go: ("Keep these edits".to_owned(), "keep".to_owned()),
        back_url: view.change_url(&change.key),
        ..ChangeForm::default()
    };
    let yes: Vec<String> = file
        .standing()
        .filter(|approval| approval.is_yes())
        .map(|approval| view.name(&approval.person))
        .collect();
    if !yes.is_empty() {
        let names = super::words::and(&yes);
        let text = format!(
            "{names} approved what stands here. An edit of what they approved voids their word, and they are told."
        );
        page.notices
            .push(Notice::new(Tone::Wait, text).title("An edit voids approvals"));
    }
    fill_back(view, &mut page, &mut fields, back);
    Ok(page.render())
}

/// The revision that the reader saw; a form that came back keeps the one that it was made from.
fn revision(change: &Change, back: Option<&Back>) -> String {
    let sent = back
        .map(|back| back.form.first("revision").to_owned())
        .filter(|text| !text.is_empty());
    sent.unwrap_or_else(|| change.revision.to_string())
}

/// A JSON object as the values of a form's fields.
fn flat(body: &Body, reader: &Reader) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in body {
        flatten(name, value, reader, &mut found);
    }
    let reason = body.get("expedited_reason").and_then(Value::as_str);
    found.retain(|(name, _)| name != "expedited" && name != "expedited_reason");
    found.extend(reason.map(|reason| ("expedited".to_owned(), reason.to_owned())));
    found
}

fn flatten(name: &str, value: &Value, reader: &Reader, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(inner, value)| flatten(&format!("{name}.{inner}"), value, reader, found)),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items
                .iter()
                .enumerate()
                .for_each(|(place, item)| flatten(&format!("{name}.{place}"), item, reader, found));
        }
        Value::Array(items) if name == "touches" => {
            found.extend(
                items
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|text| (name.to_owned(), text.to_owned())),
            );
        }
        Value::Array(items) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            found.push((name.to_owned(), texts.join(", ")));
        }
        Value::String(text) if name.starts_with("planned_") => {
            let at = text.parse().map(|at| reader.field(at)).unwrap_or_else(|_| text.clone());
            found.push((name.to_owned(), at));
        }
        Value::String(text) => found.push((name.to_owned(), text.clone())),
        Value::Null => {}
        other => found.push((name.to_owned(), other.to_string())),
    }
}

/// What differs from the change as it stands: the merge patch that the API would be sent.
fn patch(base: &Body, sent: &Body, reader: &Reader) -> Body {
    let mut patch = Body::new();
    for name in HELD {
        let (old, new) = (base.get(*name), sent.get(*name));
        if is_same(old, new, reader) {
            continue;
        }
        let value = match (old, new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => Value::Object(cleared(old, new)),
            (old, Some(new)) => kept_beside(old, new.clone()),
            (_, None) => Value::Null,
        };
        patch.insert((*name).to_owned(), value);
    }
    patch
}

/// Whether a field's value is the same for whoever sees it in the form, which tells times to the minute.
fn is_same(old: Option<&Value>, new: Option<&Value>, reader: &Reader) -> bool {
    let shown = |value: Option<&Value>| {
        let mut found = Vec::new();
        if let Some(value) = value {
            // The name makes times be told as the form tells them; other texts stay as they are.
            flatten("planned_", value, reader, &mut found);
        }
        // The form shows neither: a target's id follows its place, and a step's team stays with its step.
        found.retain(|(name, _)| !name.ends_with(".id") && !name.ends_with(".team"));
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, text) in found {
            all.entry(name).or_default().push(text);
        }
        all
    };
    let is_default = |value: Option<&Value>| match value {
        None => true,
        Some(Value::String(text)) => text == "normal" || text == "other",
        Some(Value::Object(map)) => map.len() == 1 && map.get("kind").and_then(Value::as_str) == Some("none"),
        _ => false,
    };
    shown(old) == shown(new) || (is_default(old) && is_default(new))
}

/// An object's new values, with what is gone set to null.
fn cleared(old: &Body, new: &Body) -> Body {
    let mut patch = new.clone();
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    patch
}

/// Rows keep what the form does not show, such as a step's team, while they stay where they were.
fn kept_beside(old: Option<&Value>, new: Value) -> Value {
    let (Some(Value::Array(old)), Value::Array(mut rows)) = (old, new.clone()) else {
        return new;
    };
    for (old, row) in old.iter().zip(&mut rows) {
        let (Some(old), Some(row)) = (old.as_object(), row.as_object_mut()) else {
            continue;
        };
        if old.get("title").is_some()
            && old.get("title") == row.get("title")
            && let Some(team) = old.get("team")
        {
            row.entry("team").or_insert_with(|| team.clone());
        }
    }
    Value::Array(rows)
}

/// Edits a change.
pub(super) async fn edit(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    if !form.first("add").is_empty() {
        return show_edit(&state, &visitor, key, Back { form, failure: None }).await;
    }
    let (sent, whose) = (form.clone(), key.clone());
    let done = write(&state, &visitor, move |room| edit_from(room, &whose, &sent)).await;
    let page = format!("{}/changes/{}", visitor.base(), escaped(&key));
    match done {
        Ok(()) => see(&format!("{page}?done=edited")),
        Err(failure) if matches!(failure.status(), 409 | 412 | 422) => {
            show_edit(
                &state,
                &visitor,
                key,
                Back {
                    form,
                    failure: Some(failure),
                },
            )
            .await
        }
        Err(failure) => problem(&state, &visitor, &failure, &page).await,
    }
}

fn edit_from(room: &mut Room<'_, '_>, key: &str, form: &Form) -> acts::Result<()> {
    let change = room.change(key)?;
    if form.first("revision") != change.revision.to_string() {
        let text = "Somebody changed it since you opened this form. Compare with its page, and edit it from there.";
        return Err(Refusal::Stale { text: text.to_owned() }.into());
    }
    let directory = room.directory()?;
    let reader = reader_of(room, &directory);
    let decoded = read(form, &reader);
    refuse_unread(&decoded)?;
    let base = model::input::patch_base(&change, &directory);
    let patch = patch(&base, &decoded.body, &reader);
    if patch.is_empty() {
        return Ok(());
    }
    acts::edit_change::edit_change(room, key, &patch)
}

async fn show_edit(state: &AppState, visitor: &Visitor, key: String, back: Back) -> Response {
    let status = back.failure.as_ref().map_or(200, Failure::status);
    show_as(state, visitor, Place::Changes, status, move |view| {
        edit_page(view, &key, Some(&back))
    })
    .await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn body(value: Value) -> Body {
        value.as_object().unwrap().clone()
    }

    fn reader() -> Reader {
        Reader::named("Europe/Oslo", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_form_that_was_not_touched_changes_nothing() {
        let base = body(json!({
            "title": "A", "kind": "normal", "category": "other", "touches": ["network", "schema"],
            "targets": [{"id": "1", "service": "api", "environment": "production", "config_items": ["a", "b"]}],
            "impact": {"data": "low"}, "planned_start": "2026-11-21T21:00:00Z", "rollback_minutes": 9,
            "plan": [{"title": "Go", "team": "Ops", "minutes": 3}], "expedited": true, "expedited_reason": "late",
        }));
        let form = Form::new(flat(&base, &reader()));
        let sent = read(&form, &reader());
        assert!(sent.errors.is_empty());
        let patch = patch(&base, &sent.body, &reader());
        assert!(patch.is_empty(), "{patch:?}");
    }

    #[test]
    fn what_was_emptied_is_cleared_and_teams_stay() {
        let base = body(
            json!({"description": "x", "impact": {"data": "low", "compliance": "high"}, "plan": [{"title": "Go", "team": "Ops"}]}),
        );
        let sent = body(json!({"impact": {"data": "high"}, "plan": [{"title": "Go", "minutes": 4}]}));
        let patch = patch(&base, &sent, &reader());
        assert_eq!(patch["description"], Value::Null);
        assert_eq!(patch["impact"], json!({"data": "high", "compliance": null}));
        assert_eq!(patch["plan"], json!([{"title": "Go", "minutes": 4, "team": "Ops"}]));
    }
}

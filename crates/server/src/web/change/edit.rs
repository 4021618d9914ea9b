//! Writing and editing a change with a form that needs no script: rows are added by a button that sends the form.

use acts::Context;
use acts::change::find_similar::{self, Filled};
use acts::change::find_warnings::warnings_of;
use acts::change::{edit_change, verbs};
use axum::extract::{Path, State};
use axum::response::Response;
use model::change::change_file::ChangeFile;
use model::change::custom_field::CustomField;
use model::change::read_content::new_change::NewChange;
use model::change::record::Change;
use model::change::write::check_editable;
use model::change::{custom_values, read_content};
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{Origin, State as Stage, TemplateState};
use model::core::refusal::{FieldError, Refusal};
use pages::{ChangeFields, ChangeForm, DerivedFact, Field, IN_A_MENU, NINE, Notice, Place, Reader, Rich, Rows, Tone};

use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::warnings;
use crate::web::change::custom_fields::own_fields;
use crate::web::change::edit_fields::{self, Back, flat, labels, patch, read, requests_more};
use crate::web::change::{edit_conflict, open_acts};
use crate::web::schedule::free_slots;
use crate::web::shared::flash::Flash;
use crate::web::shared::form::{Form, OWN, PICK, with_labels};
use crate::web::shared::labels::{missing_fields, plain_error};
use crate::web::shared::view::{
    View, Visitor, notice_of, problem, reader_of, redirect_with_flash, show, show_as, write,
};
use crate::web::shared::words;

/// The code of the response when another person's edit came first.
const STALE: &str = "stale";

/// The main fields of a form: as it was sent, or the usual ones. A request for more rows shows the whole form.
pub(crate) fn main_fields(back: Option<&Back>, usual: &[String]) -> Vec<String> {
    let Some(back) = back else {
        return usual.to_vec();
    };
    if !back.form.first("add").is_empty() {
        return Vec::new();
    }
    let is_known = |name: &&str| NINE.contains(name) || name.starts_with(OWN);
    let sent: Vec<String> = back
        .form
        .first("asked")
        .split(',')
        .filter(is_known)
        .map(str::to_owned)
        .collect();
    if sent.is_empty() { usual.to_vec() } else { sent }
}

pub(crate) fn main_title(asked: &[String]) -> String {
    match asked.len() {
        0 => "Write a change".to_owned(),
        1 => "One answer is missing for the assessment".to_owned(),
        many => format!(
            "{} answers are missing for the assessment",
            pages::count_word(many as u64)
        ),
    }
}

pub(crate) fn main_field_inputs(asked: &[String]) -> Vec<Field> {
    match asked.is_empty() {
        true => Vec::new(),
        false => vec![Field::hidden("asked", asked.join(","))],
    }
}

/// The fields of the form without values.
pub(crate) fn empty_fields(view: &View<'_, '_, '_>) -> ChangeFields {
    let directory = &view.directory;
    let approved = directory
        .templates
        .values()
        .filter(|template| template.state == TemplateState::Approved);
    ChangeFields {
        zone: view.reader.zone_name().to_owned(),
        // One more than a menu holds shows that the field needs a search.
        services: directory
            .services
            .keys()
            .take(IN_A_MENU + 1)
            .map(|key| key.0.clone())
            .collect(),
        environments: directory.environments.keys().map(|key| key.0.clone()).collect(),
        templates: approved
            .take(IN_A_MENU + 1)
            .map(|template| (template.key.clone(), template.title.clone()))
            .collect(),
        picks_url: view.url("/picks"),
        own: own_fields(view, None),
        ..ChangeFields::default()
    }
}

/// Puts the sent values, their errors and the requested rows into the page.
pub(crate) fn fill_back(
    view: &View<'_, '_, '_>,
    page: &mut ChangeForm,
    fields: &mut ChangeFields,
    back: Option<&Back>,
) {
    let Some(back) = back else {
        page.sections = fields.sections();
        return;
    };
    fields.values.clear();
    fields.touches.clear();
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
    let mut by_field = decoded.by_field(&errors, &view.reader);
    by_field.retain(|name, _| !name.starts_with(PICK));
    let labels = labels(fields);
    let known: Vec<&String> = labels.iter().map(|(name, _)| name).collect();
    for (name, text) in &by_field {
        let text = with_labels(text, &labels);
        match shown_as(name, &known) {
            Some(field) => fields.fail(&field, text),
            None => page.errors.push(view.sentence(&plain_error(&text, name))),
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
    // Wrong fields are reported beside them and above the form already.
    let is_plain = back
        .failure
        .as_ref()
        .filter(|it| errors.is_empty() && it.problem.code != STALE);
    page.notices.extend(is_plain.map(|failure| notice_of(view, failure)));
}

/// The field beside which an error is shown: its own, the first of its row, or its substitute.
fn shown_as(name: &str, known: &[&String]) -> Option<String> {
    let name = edit_conflict::field_of(name);
    let first_of_row = known.iter().find(|field| field.starts_with(&format!("{name}.")));
    let own = known.iter().find(|field| field.as_str() == name);
    own.or(first_of_row).map(|field| (*field).clone())
}

/// More empty rows, in the group whose button was pressed.
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

/// The form over the present change.
pub(crate) async fn edit_form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Changes, move |view| {
        view.cx.try_on_change(&key, check_editable)?;
        edit_page(view, &key, None)
    })
    .await
}

fn edit_page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let file = view.cx.file(key)?;
    let change = &file.change;
    let base = read_content::patch_base(change, &view.directory);
    let merged = back
        .filter(|back| is_contested(back))
        .map(|back| (back, edit_conflict::merge(&base, &back.form, &view.reader)));
    let (back, both) = match merged {
        Some((back, merged)) => {
            let failure = back.failure.clone();
            let form = merged.form;
            (Some(Back { form, failure }), Some((merged.both, merged.is_edited)))
        }
        None => (back.cloned(), None),
    };
    let back = back.as_ref();
    let mut fields = empty_fields(view);
    fields.own = own_fields(view, Some(change));
    fields.earliest_start = open_acts::earliest(view, &file);
    for (name, value) in flat(&base, &view.reader) {
        if name == "touches" {
            fields.touches.push(value);
        } else {
            fields.set(&name, value);
        }
    }
    fields.asked = main_fields(back, &missing(view, change, &fields));
    fields.fits = free_slots::of_change(view, &fields, back, &file)?;
    let mut page = edit_form_page(view, change, &fields.asked);
    page.derived = derived(change, &fields);
    let revision = if both.is_some() {
        change.revision.to_string()
    } else {
        revision(change, back)
    };
    let was = match back
        .map(|back| back.form.first("was"))
        .filter(|was| !was.is_empty() && both.is_none())
    {
        Some(was) => was.to_owned(),
        None => serde_json::to_string(&held(&base))?,
    };
    page.hidden
        .extend([Field::hidden("revision", revision), Field::hidden("was", was)]);
    page.notices.extend(voids(view, &file));
    let found = warnings_of(view.cx, &file)?;
    page.notices.extend(warnings::notice(view, &found));
    fill_back(view, &mut page, &mut fields, back);
    if let (Some(back), Some((both, is_edited))) = (back, &both) {
        page.hidden.push(Field::hidden("both", both.join(",")));
        edit_conflict::show(view, &mut page, change, back, (both, *is_edited))?;
    }
    Ok(page.render())
}

/// Whether another person's edit came between, now or before this form's last response.
fn is_contested(back: &Back) -> bool {
    let is_stale = back
        .failure
        .as_ref()
        .is_some_and(|failure| failure.problem.code == STALE);
    is_stale || !back.form.first("both").is_empty()
}

fn edit_form_page(view: &View<'_, '_, '_>, change: &Change, asked: &[String]) -> ChangeForm {
    let keep = ("Keep these edits".to_owned(), "keep".to_owned());
    let is_draft = change.state == Stage::Draft && change.returned.is_none();
    let (go, keep) = match is_draft {
        true => (("Submit for assessment".to_owned(), "submit".to_owned()), keep),
        false => (keep, (String::new(), String::new())),
    };
    ChangeForm {
        frame: view.frame.clone(),
        title: match asked.is_empty() {
            true => format!("Edit {}", change.key),
            false => main_title(asked),
        },
        lede: change.content.title.clone(),
        crumb: change.key.clone(),
        action_url: format!("{}/edit", view.change_url(&change.key)),
        hidden: main_field_inputs(asked),
        go,
        keep,
        back_url: view.change_url(&change.key),
        ..ChangeForm::default()
    }
}

/// The fields that a draft lacks before submission, in the order of the form; nothing after the submission.
fn missing(view: &View<'_, '_, '_>, change: &Change, fields: &ChangeFields) -> Vec<String> {
    if change.state != Stage::Draft || change.returned.is_some() {
        return Vec::new();
    }
    let is_empty = |name: &&&str| fields.values.get(**name).is_none_or(|value| value.is_empty());
    // Availability is derived from the service if the author gives none.
    let names = NINE
        .iter()
        .filter(|name| **name != "impact.availability")
        .filter(is_empty);
    let own = custom_values::missing(change, &view.directory).map(CustomField::path);
    names.map(|name| (*name).to_owned()).chain(own).collect()
}

/// Derived values with their origin.
fn derived(change: &Change, fields: &ChangeFields) -> Vec<DerivedFact> {
    let labels = labels(fields);
    let one = |(name, origin): (&String, &Origin)| {
        let words = match origin {
            Origin::Pipeline => "reported by the pipeline",
            Origin::Derived if find_similar::TAKEN_OVER.contains(&name.as_str()) => "from an earlier change",
            Origin::Derived => "derived from the service",
            Origin::Person => return None,
        };
        let own = |field: &String| field == name || field.starts_with(&format!("{name}."));
        let label = labels
            .iter()
            .find(|(field, _)| own(field))
            .map(|(_, label)| label.clone());
        let values = fields.values.iter().filter(|(field, _)| own(field));
        let values: Vec<&str> = values
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
            .collect();
        let told = match name.strip_prefix("impact.") {
            Some(axis) => Some(impact_of(change, axis)),
            None => (name == "targets").then(|| places(change)),
        };
        let value = told.unwrap_or_else(|| words::beginning(&values.join(", "), 120));
        Some(DerivedFact {
            label: label.unwrap_or_else(|| words::capital(name)),
            value: Rich::from(value),
            origin: words.to_owned(),
        })
    };
    change
        .origins
        .iter()
        .filter_map(one)
        .filter(|fact| !fact.value.is_empty())
        .collect()
}

fn places(change: &Change) -> String {
    let targets = change.content.targets.iter().take(5);
    let told = targets.map(|target| match target.artifact.as_deref().or(target.commit.as_deref()) {
        Some(build) => format!(
            "{}, {}: {}",
            target.service,
            target.environment,
            pages::short_digest(build)
        ),
        None => format!("{}, {}", target.service, target.environment),
    });
    told.collect::<Vec<_>>().join("; ")
}

fn impact_of(change: &Change, axis: &str) -> String {
    let impact = &change.content.impact;
    let level = match axis {
        "data" => impact.data,
        "availability" => impact.availability,
        _ => impact.compliance,
    };
    words::capital(level.as_str())
}

fn voids(view: &View<'_, '_, '_>, file: &ChangeFile) -> Option<Notice> {
    let yes: Vec<String> = file
        .standing()
        .filter(|approval| approval.is_yes())
        .map(|approval| view.name(&approval.person))
        .collect();
    if yes.is_empty() {
        return None;
    }
    let text = words::names(&yes)
        .text(" approved this content. An edit of approved content voids their decision, and they are notified.");
    Some(Notice::new(Tone::Wait, text).title("An edit voids approvals"))
}

/// The change's values in the form.
fn held(base: &Body) -> Body {
    let known = |name: &str| base.get(name).map(|value| (name.to_owned(), value.clone()));
    edit_fields::held().filter_map(known).collect()
}

/// The revision that the reader saw; a returned form keeps its original revision.
fn revision(change: &Change, back: Option<&Back>) -> String {
    let sent = back
        .map(|back| back.form.first("revision").to_owned())
        .filter(|text| !text.is_empty());
    sent.unwrap_or_else(|| change.revision.to_string())
}

/// Edits a change.
pub(crate) async fn edit(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    if requests_more(&form) {
        let form = free_slots::taken(form);
        return show_edit(&state, &visitor, key, Back { form, failure: None }).await;
    }
    let (sent, whose) = (form.clone(), key.clone());
    let is_submitted = form.first("act") == "submit";
    let done = write(&state, &visitor, move |cx| {
        let similar = edit_from(cx, &whose, &sent)?;
        Ok((similar, comes_twice(cx, &sent)?))
    })
    .await;
    let page = format!("{}/changes/{}", visitor.base(), escaped(&key));
    match done {
        Ok((similar, twice)) => {
            let done = if is_submitted { "handed_over" } else { "edited" };
            let told = Flash::written(done, similar, twice);
            redirect_with_flash(&state, &visitor, &page, &told)
        }
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

/// Applies a form's edits; with “submit” the change is submitted in the same act. Returns the change whose plan was taken over.
fn edit_from(cx: &mut Context<'_, '_>, key: &str, form: &Form) -> acts::Result<Option<String>> {
    let change = cx.change(key)?;
    if form.first("revision") != change.revision.to_string() {
        // A cancelled or closed change is refused with that reason: its author need not compare edits that cannot be kept.
        cx.try_on_change(key, check_editable)?;
        let text = "The change was edited after you opened this form. Compare with its page, and edit it from there.";
        return Err(Refusal::Stale { text: text.to_owned() }.into());
    }
    let directory = cx.directory()?;
    let reader = reader_of(cx, &directory);
    let decoded = read(form, &reader);
    decoded.tell_all(edit_read(cx, &change, form, (decoded.body.clone(), &reader)))
}

fn edit_read(
    cx: &mut Context<'_, '_>,
    change: &Change,
    form: &Form,
    (mut body, reader): (Body, &Reader),
) -> acts::Result<Option<String>> {
    let theirs = edit_conflict::picked_theirs(form).map_err(Refusal::Invalid)?;
    let is_submitted = form.first("act") == "submit";
    let filled = match is_submitted {
        true => find_similar::fill_from_similar(cx, &mut body)?,
        false => Filled::default(),
    };
    let directory = cx.directory()?;
    let base = read_content::patch_base(change, &directory);
    let mut patch = patch(&base, &body, reader);
    patch.retain(|name, _| {
        let is_reason_of_theirs = name == NewChange::EXPEDITED_REASON.name && theirs.iter().any(|it| it == "expedited");
        !theirs.contains(name) && !is_reason_of_theirs
    });
    if !patch.is_empty() {
        edit_change::edit_change_filled(cx, &change.key, &patch, &filled.fields)?;
    }
    if is_submitted {
        verbs::submit_change(cx, &change.key)?;
    }
    Ok(filled.from)
}

async fn show_edit(state: &AppState, visitor: &Visitor, key: String, back: Back) -> Response {
    let status = back.failure.as_ref().map_or(200, Failure::status);
    show_as(state, visitor, Place::Changes, status, move |view| {
        edit_page(view, &key, Some(&back))
    })
    .await
}

/// The times of a form that occur twice on the sender's clock.
pub(crate) fn comes_twice(cx: &mut Context<'_, '_>, form: &Form) -> acts::Result<Vec<String>> {
    let directory = cx.directory()?;
    Ok(form.decode(&reader_of(cx, &directory), &[]).twice)
}

//! The empty form of a change: from nothing, or after a template.

use std::collections::BTreeSet;

use acts::change::find_lookalikes::find_lookalikes;
use acts::change::keep_draft::{discard_draft, find_drafts};
use acts::change::{create_change, find_similar, verbs};
use axum::extract::{Query, State};
use axum::response::Response;
use model::change::custom_values;
use model::core::act::Act as Verb;
use model::core::enums::Kind;
use model::core::ids::ServiceKey;
use pages::{ChangeFields, ChangeForm, Entry, NINE, Place, Tone};

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::web::change::after_template;
use crate::web::change::custom_fields::needed;
use crate::web::change::edit::{comes_twice, empty_fields, fill_back, main_field_inputs, main_fields, main_title};
use crate::web::change::edit_fields::{Back, read, requests_more};
use crate::web::change::form_draft;
use crate::web::schedule::free_slots;
use crate::web::shared::flash::Flash;
use crate::web::shared::form::{AFTER, DRAFT, DRAFT_VERSION, Form};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, problem, reader_of, redirect_with_flash, show, show_as, write};
use acts::Context;
use acts::change::find_similar::Filled;
use model::core::body::Body;
use serde_json::Value;

/// The start of a new change in the address: the template that it follows, or the service that it is about.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Begin {
    after: Option<String>,
    service: Option<String>,
}

/// The empty form.
pub(crate) async fn new_form(State(state): State<AppState>, visitor: Visitor, Query(begin): Query<Begin>) -> Response {
    show(&state, &visitor, Place::Changes, move |view| {
        view.cx.allow(Verb::Create.as_str())?;
        let after = begin.after.as_deref().unwrap_or_default();
        let service = begin.service.as_deref().filter(|key| is_service(view, key));
        let form = form_draft::form_of(after, service);
        let draft = find_drafts(view.cx)?.into_iter().find(|draft| draft.form == form);
        let back = draft.as_ref().map(form_draft::restored);
        let mut page = new_page(view, (after, service), back.as_ref())?;
        let seen = draft.as_ref().map_or(0, |draft| draft.version);
        form_draft::keeps(view, &mut page, &form, (draft.as_ref(), seen))?;
        Ok(page.render())
    })
    .await
}

/// A service that there is not is left to the reader to name.
fn is_service(view: &View<'_, '_, '_>, key: &str) -> bool {
    view.directory.services.contains_key(&ServiceKey::from(key))
}

/// The page, empty or as it came back.
fn new_page(
    view: &mut View<'_, '_, '_>,
    (after, service): (&str, Option<&str>),
    back: Option<&Back>,
) -> acts::Result<ChangeForm> {
    let directory = view.directory.clone();
    let mut fields = empty_fields(view);
    fields.retrospective = true;
    if let Some(key) = service {
        fields.set("targets.0.service", key);
        let services = BTreeSet::from([ServiceKey::from(key)]);
        for field in directory.custom_fields.values() {
            let value = custom_values::default_for(field, &services, &directory);
            if let Some(text) = value.as_ref().and_then(Value::as_str) {
                fields.set(&field.path(), text);
            }
        }
    }
    let Some(template) = after_template::approved(&directory, after) else {
        let usual = NINE.iter().map(|name| (*name).to_owned());
        let usual: Vec<String> = usual.chain(needed(&view.directory, Kind::Normal)).collect();
        fields.asked = main_fields(back, &usual);
        fields.fits = free_slots::of_new(view, &fields, back)?;
        return Ok(new_page_of(view, fields, back));
    };
    after_template::fill(view, template, &mut fields);
    fields.asked = main_fields(back, &fields.asked);
    fields.fits = free_slots::of_new(view, &fields, back)?;
    let count = fields.asked.len();
    let mut page = new_page_of(view, fields, back);
    after_template::tell(view, template, &mut page, count);
    Ok(page)
}

/// The page of a change that is not written yet, with these fields.
pub(crate) fn new_page_of(view: &View<'_, '_, '_>, mut fields: ChangeFields, back: Option<&Back>) -> ChangeForm {
    let mut page = ChangeForm {
        frame: view.frame.clone(),
        title: main_title(&fields.asked),
        lede: "Owner, impact and people come from the service, the plan from the last similar change that succeeded. Your own \
            entries take precedence."
            .to_owned(),
        crumb: "New".to_owned(),
        action_url: view.url("/changes"),
        hidden: idempotent_form::marked(view, main_field_inputs(&fields.asked)),
        go: ("Submit for assessment".to_owned(), "submit".to_owned()),
        keep: ("Keep as draft".to_owned(), "keep".to_owned()),
        back_url: view.url("/changes"),
        next: vec![
            Entry::new(Tone::Plain, "It is assessed")
                .icon("s-assessing")
                .why("Risk and impact are stated, and computed."),
            Entry::new(Tone::Plain, "The approvers are notified")
                .icon("s-authorizing")
                .why("As the rules require, immediately."),
            Entry::new(Tone::Plain, "The gate opens at its start")
                .icon("s-scheduled")
                .why("For exactly what was approved."),
        ],
        ..ChangeForm::default()
    };
    fill_back(view, &mut page, &mut fields, back);
    page
}

/// Creates a change; with “submit” it is submitted in the same act.
pub(crate) async fn create(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    if requests_more(&form) {
        let form = free_slots::taken(form);
        return show_new(&state, &visitor, Back { form, failure: None }).await;
    }
    if form.first("act") == "aside" {
        return form_draft::put_aside(&state, &visitor, form).await;
    }
    let sent = form.clone();
    let is_submitted = form.first("act") == "submit";
    let once = idempotent_form::once(&visitor, "/changes", &form);
    let done = write(&state, &visitor, move |cx| {
        let done = idempotent_form::run(&once, cx, |cx| create_from(cx, &sent))?;
        let alike = lookalikes(cx, &done.answer.0)?;
        if !done.is_again && sent.pairs().any(|(name, _)| name == DRAFT) {
            discard_draft(cx, sent.first(DRAFT))?;
        }
        Ok((done, comes_twice(cx, &sent)?, alike))
    })
    .await;
    match done {
        Ok((done, twice, alike)) => {
            let ((key, similar), is_again) = (done.answer, done.is_again);
            let is_done_already = !form.first("retrospective.actual_start").is_empty();
            let done = match (is_submitted, form.first(AFTER)) {
                _ if is_done_already => "told_afterwards",
                (false, _) => "created",
                (true, "") => "handed_over",
                (true, _) => "by_template",
            };
            let told = Flash::written(done, similar, twice).alike(alike).unless_again(is_again);
            redirect_with_flash(&state, &visitor, &format!("{}/changes/{key}", visitor.base()), &told)
        }
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

/// The keys of changes that are similar to the new one.
fn lookalikes(cx: &mut Context<'_, '_>, key: &str) -> acts::Result<Vec<String>> {
    let change = cx.change(key)?;
    let services = change
        .content
        .targets
        .iter()
        .map(|target| target.service.0.clone())
        .collect();
    let found = find_lookalikes(cx, &change.content.title, &services, Some(key))?;
    Ok(found.into_iter().map(|row| row.key).collect())
}

/// Creates a change from a form. Returns its key, and the change whose plan was taken over.
fn create_from(cx: &mut Context<'_, '_>, form: &Form) -> acts::Result<(String, Option<String>)> {
    let directory = cx.directory()?;
    let mut decoded = read(form, &reader_of(cx, &directory));
    after_template::follow(form, &mut decoded.body);
    decoded.tell_all(create_read(cx, form, decoded.body.clone()))
}

fn create_read(cx: &mut Context<'_, '_>, form: &Form, mut body: Body) -> acts::Result<(String, Option<String>)> {
    let is_submitted = form.first("act") == "submit";
    let filled = match is_submitted {
        true => find_similar::fill_from_similar(cx, &mut body)?,
        false => Filled::default(),
    };
    let key = create_change::create_change_filled(cx, &body, &filled.fields)?;
    // Completed work waits for its confirmation and its review, not for an assessment.
    if is_submitted && !body.contains_key("retrospective") {
        verbs::submit_change(cx, &key)?;
    }
    Ok((key, filled.from))
}

/// The form as it came back.
pub(crate) async fn show_new(state: &AppState, visitor: &Visitor, back: Back) -> Response {
    let status = back.failure.as_ref().map_or(200, Failure::status);
    show_as(state, visitor, Place::Changes, status, move |view| {
        let mut page = new_page(view, (back.form.first(AFTER), None), Some(&back))?;
        // A form that began elsewhere, such as a copy, keeps no draft.
        if back.form.pairs().any(|(name, _)| name == DRAFT) {
            let seen = back.form.first(DRAFT_VERSION).parse().unwrap_or_default();
            form_draft::keeps(view, &mut page, back.form.first(DRAFT), (None, seen))?;
        }
        Ok(page.render())
    })
    .await
}

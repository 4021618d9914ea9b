//! The reader's absences and delegations: set by the reader, without a script.

use axum::extract::{Path, State};
use axum::response::Response;
use model::approval::absence::{Absence, Delegation};
use model::core::act::actions;
use model::core::body::Body;
use pages::{ActForm, ActTone, Entry, Field, Input, Place, RecordPage, Rich, Section, SectionBody, Tone};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::fields::{pick_field, picks_field, time_field};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{and, plain};

/// The page.
pub(crate) async fn show_away(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Account, |view| page(view, None)).await
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let now = view.now();
    let directory = view.directory.clone();
    let absences = directory.absences.iter();
    let mut absences: Vec<&Absence> = absences
        .filter(|row| row.person == view.me && row.ends_at > now)
        .collect();
    absences.sort_by_key(|row| row.starts_at);
    let delegations = directory.delegations.iter().filter(|row| row.ends_at > now);
    let mut delegations: Vec<&Delegation> = delegations
        .filter(|row| row.delegator == view.me || row.delegate == view.me)
        .collect();
    delegations.sort_by_key(|row| row.starts_at);
    let absences: Vec<Entry> = absences.into_iter().map(|row| absence(view, row)).collect();
    let delegations: Vec<Entry> = delegations.into_iter().map(|row| delegation(view, row)).collect();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Your account".to_owned(), view.url("/account"))],
        title: "When you are away".to_owned(),
        byline: Rich::from("An absence delays no decision: reminders stop, and the delegate is asked instead."),
        acts: vec![absence_form(view), delegation_form(view)],
        sections: vec![
            Section::new("absences", "Times away", SectionBody::Entries(absences)).unsaid(
                "No absence is planned. During an absence you get no reminders, and your deputies are asked as well.",
            ),
            Section::new("delegations", "Delegations", SectionBody::Entries(delegations))
                .unsaid("You have no delegate, and you are nobody’s delegate."),
        ],
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn with_reason(entry: Entry, reason: Option<&str>) -> Entry {
    match reason {
        Some(reason) => entry.quote(reason),
        None => entry,
    }
}

fn absence(view: &View<'_, '_, '_>, row: &Absence) -> Entry {
    let (tone, words, end) = match row.is_on(view.now()) {
        true => (Tone::Wait, "You are away", "I am back"),
        false => (Tone::Plain, "You will be away", "Take it back"),
    };
    let end = ActForm::new(
        format!("end-{}", row.id),
        end,
        view.url(&format!("/away/absences/{}/end", escaped(row.id.as_str()))),
    );
    let entry = Entry::new(tone, Rich::new().strong(words))
        .icon("clock")
        .why(view.reader.span(row.starts_at, row.ends_at));
    with_reason(entry, row.reason.as_deref()).act(format!("absence-{}", row.id), end.tone(ActTone::Link))
}

fn delegation(view: &View<'_, '_, '_>, row: &Delegation) -> Entry {
    let text = match row.delegator == view.me {
        true => view.person(&row.delegate).text(" is your delegate"),
        false => Rich::new()
            .text("You are the delegate of ")
            .append(view.person(&row.delegator)),
    };
    let parts: Vec<String> = row.parts.iter().map(|part| plain(part)).collect();
    let services: Vec<String> = row.services.iter().map(|key| key.0.clone()).collect();
    let parts = if parts.is_empty() {
        "in every part".to_owned()
    } else {
        format!("as {}", and(&parts))
    };
    let services = if services.is_empty() {
        "for every service".to_owned()
    } else {
        format!("for {}", and(&services))
    };
    let only = if row.deputy { ", only during an absence" } else { "" };
    let end = ActForm::new(
        format!("stop-{}", row.id),
        "End it",
        view.url(&format!("/away/delegations/{}/end", escaped(row.id.as_str()))),
    );
    let entry = Entry::new(Tone::Plain, text).icon("person").why(format!(
        "{parts}, {services}{only}: {}",
        view.reader.span(row.starts_at, row.ends_at)
    ));
    with_reason(entry, row.reason.as_deref()).act(format!("delegation-{}", row.id), end.tone(ActTone::Link))
}

fn absence_form(view: &View<'_, '_, '_>) -> ActForm {
    ActForm::new("absence", "Enter an absence", view.url("/away/absences"))
        .field(idempotent_form::field(view))
        .field(time_field(view, "starts_at", "From"))
        .field(time_field(view, "ends_at", "To"))
        .field(Field::time_in_words("starts_at", "ends_at"))
        .field(Field::text("reason", "Why").hint("Optional. Others can read the reason."))
        .submit("Keep this time")
}

fn delegation_form(view: &View<'_, '_, '_>) -> ActForm {
    ActForm::new("delegation", "Appoint a delegate", view.url("/away/delegations"))
        .field(idempotent_form::field(view))
        .field(
            pick_field(view, "people", "delegate", "Who")
                .hint("A login. A delegate gets no right that they may not hold.")
                .required(),
        )
        .field(time_field(view, "starts_at", "From"))
        .field(time_field(view, "ends_at", "To"))
        .field(Field::time_in_words("starts_at", "ends_at"))
        .field(
            picks_field(view, "services", "services", "Only for these services")
                .hint("Keys, separated by commas; empty means all."),
        )
        .field(Field::new("deputy", "Only while I am away", Input::Checkbox))
        .field(Field::text("reason", "Why"))
        .submit("Appoint this delegate")
}

fn sent(form: Form, path: String, done: &'static str) -> Sent {
    Sent {
        form,
        boxes: &[],
        path,
        then: "/away".to_owned(),
        place: Place::Account,
        done,
    }
}

/// Records that the reader is away.
pub(crate) async fn set_absence(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let run =
        |cx: &mut acts::Context<'_, '_>, body: &Body| acts::approval::set_absence::set_absence(cx, body).map(drop);
    send(
        &state,
        &visitor,
        sent(form, "/away/absences".to_owned(), "absence_set"),
        run,
        page,
    )
    .await
}

/// Ends the reader's absence.
pub(crate) async fn end_absence(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = format!("/away/absences/{}/end", escaped(&id));
    let run =
        move |cx: &mut acts::Context<'_, '_>, _: &Body| acts::approval::set_absence::end_absence(cx, &id).map(drop);
    send(&state, &visitor, sent(form, path, "absence_ended"), run, page).await
}

/// Delegates the reader's decisions to another person.
pub(crate) async fn set_delegation(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| {
        acts::approval::set_delegation::set_delegation(cx, body).map(drop)
    };
    send(
        &state,
        &visitor,
        sent(form, "/away/delegations".to_owned(), "delegation_set"),
        run,
        page,
    )
    .await
}

/// Ends it.
pub(crate) async fn end_delegation(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = format!("/away/delegations/{}/end", escaped(&id));
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| {
        acts::approval::set_delegation::end_delegation(cx, &id).map(drop)
    };
    send(&state, &visitor, sent(form, path, "delegation_ended"), run, page).await
}

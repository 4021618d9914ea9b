//! The calendar as a list, maintenance windows, and freezes.

use std::collections::BTreeSet;

use acts::directory::set_service;
use acts::report::find_changes::{ChangeFilter, find_changes, outcome_of};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::SignedDuration;
use model::core::act::actions;
use model::core::body;
use model::core::enums::FreezeStage;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::snapshot::Freeze;
use model::schedule::repeat::Occurrence;
use pages::{ActForm, ActTone, Field, FreezeRow, Freezes, Input, Place, Rich, WindowRow, Windows};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::decision_card::closed_mark;
use crate::web::schedule::freeze_parts;
use crate::web::shared::fields::{pick_field, picks_field, service_filter, state_filter, time_field};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send};
use crate::web::shared::idempotent_form;
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{and, names};

/// How far back and ahead the calendar looks, in days.
const LOOK: (i64, i64) = (1, 60);
/// The most changes that the calendar shows.
const MOST: i64 = 300;
/// The field with the changes that the form of a freeze listed.
const SEEN: &str = "seen";

/// Services and environments as text.
pub(crate) fn scope<'s>(
    services: impl ExactSizeIterator<Item = &'s ServiceKey>,
    environments: impl ExactSizeIterator<Item = &'s EnvironmentKey>,
) -> Rich {
    let services: Vec<String> = services.map(|key| key.0.clone()).collect();
    let places: Vec<String> = environments.map(|key| key.0.clone()).collect();
    let services = if services.is_empty() {
        Rich::from("all services")
    } else {
        names(&services)
    };
    match places.is_empty() {
        true => services.text(", everywhere"),
        false => services.text(", ").append(names(&places)),
    }
}

pub(crate) fn scope_fields(view: &View<'_, '_, '_>) -> [Field; 2] {
    [
        picks_field(view, "services", "services", "Services")
            .hint("Keys, separated by commas; empty means all.")
            .half(),
        picks_field(view, "environments", "environments", "Environments")
            .hint("Separated by commas; empty means all.")
            .half(),
    ]
}

/// The calendar.
pub(crate) async fn calendar(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Calendar, move |view| {
        calendar_page(view, &words, None)
    })
    .await
}

/// Rows of the calendar, each with the instant it is sorted by.
type Timed = Vec<(jiff::Timestamp, WindowRow)>;

fn calendar_page(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    let now = view.now();
    let from = now - SignedDuration::from_hours(24 * LOOK.0);
    let to = now + SignedDuration::from_hours(24 * LOOK.1);
    let may_set = view.may(actions::SET_WINDOW);
    let mut rows = window_rows(view, (from, to), words, may_set);
    rows.extend(freeze_rows(view, (from, to), words));
    if words.state().is_empty() {
        rows.extend(change_rows(view, from, to, words)?);
    }
    rows.retain(|(_, row)| words.fit(&[row.title.as_str(), row.key.as_str()]));
    rows.sort_by_key(|(start, _)| *start);
    let (rows, told) = words.cut(rows);
    let mut page = Windows {
        frame: view.frame.clone(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        ..Windows::default()
    };
    let filters = vec![
        service_filter(view, words.service()),
        state_filter(&STATES, words.state()),
    ];
    words.put(&mut page, view.url("/windows"), &told, (filters, &STATES));
    if may_set {
        page.acts.push(window_form(view));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn window_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    calendar_page(view, &ListQuery::default(), back)
}

/// The states of the filters of windows and freezes.
const STATES: [(&str, &str); 3] = [("on", "Active now"), ("ahead", "Ahead"), ("over", "Over")];

/// The state of an occurrence.
fn state_label(time: Occurrence, now: jiff::Timestamp) -> &'static str {
    match (now < time.starts_at, now < time.ends_at) {
        (true, _) => "ahead",
        (false, true) => "on",
        (false, false) => "over",
    }
}

fn window_rows(
    view: &View<'_, '_, '_>,
    (from, to): (jiff::Timestamp, jiff::Timestamp),
    words: &ListQuery,
    may_set: bool,
) -> Timed {
    let windows = view.directory.windows.iter();
    windows
        .filter(|window| !window.ended && words.is_of(&window.services))
        .flat_map(|window| window.spans().map(move |time| (window, time)))
        .filter(|(_, time)| time.overlaps(from, to) && words.is_in(state_label(*time, view.now())))
        .map(|(window, time)| {
            let id = window.id.as_str();
            let end = ActForm::new("end", "Take it back", view.url(&format!("/windows/{id}/end"))).tone(ActTone::Link);
            let change = ActForm::link("Change it", view.url(&format!("/windows/{id}?change=1"))).tone(ActTone::Link);
            let row = WindowRow {
                id: row_id(id, window.repeat.is_set(), time),
                href: view.url(&format!("/windows/{id}")),
                title: window.title.clone(),
                sort: "Window".to_owned(),
                span: view.reader.span(time.starts_at, time.ends_at),
                scope: scope(window.services.iter(), window.environments.iter()),
                acts: if may_set { vec![change, end] } else { Vec::new() },
                ..WindowRow::default()
            };
            (time.starts_at, row)
        })
        .collect()
}

fn freeze_rows(view: &View<'_, '_, '_>, (from, to): (jiff::Timestamp, jiff::Timestamp), words: &ListQuery) -> Timed {
    let freezes = view.directory.freezes.iter();
    freezes
        .filter(|freeze| !freeze.ended && words.is_of(&freeze.services))
        .flat_map(|freeze| freeze.over(from, to).map(move |time| (freeze, time)))
        .filter(|(_, time)| words.is_in(state_label(*time, view.now())))
        .map(|(freeze, time)| {
            let row = WindowRow {
                id: row_id(freeze.id.as_str(), freeze.repeat.is_set(), time),
                href: view.url(&format!("/freezes/{}", freeze.id)),
                title: freeze.title.clone(),
                sort: "Freeze".to_owned(),
                span: view.reader.span(time.starts_at, time.ends_at),
                scope: scope(freeze.services.iter(), freeze.environments.iter()),
                ..WindowRow::default()
            };
            (time.starts_at, row)
        })
        .collect()
}

/// The id of a row, unique on the page: one that repeats has a row for each time.
fn row_id(id: &str, repeats: bool, time: Occurrence) -> String {
    match repeats {
        true => format!("{id}-{}", time.starts_at.as_second()),
        false => id.to_owned(),
    }
}

fn change_rows(
    view: &mut View<'_, '_, '_>,
    from: jiff::Timestamp,
    to: jiff::Timestamp,
    words: &ListQuery,
) -> acts::Result<Timed> {
    let filter = ChangeFilter {
        service: Some(words.service().to_owned()).filter(|key| !key.is_empty()),
        planned_from: Some(from),
        planned_to: Some(to),
        ..ChangeFilter::default()
    };
    let mut rows = Timed::new();
    for (listed, targets) in find_changes(view.cx, &filter, MOST, None)?.rows {
        let (Some(start), Some(end)) = (listed.planned_start, listed.planned_end) else {
            continue;
        };
        if matches!(listed.state.as_str(), "cancelled" | "rejected") {
            continue;
        }
        let places: Vec<String> = targets
            .iter()
            .map(|target| format!("{}, {}", target.service, target.environment))
            .collect();
        let clash = clash(view, &targets, start, end);
        let outcome = outcome_of(&targets).filter(|_| listed.state == "closed");
        let row = WindowRow {
            id: listed.id.clone(),
            href: view.change_url(&listed.key),
            title: listed.title.clone(),
            key: listed.key.clone(),
            state: if listed.on_hold {
                Some(pages::State::OnHold)
            } else {
                pages::State::from_word(&listed.state)
            },
            outcome: outcome.map(closed_mark),
            span: view.reader.span(start, end),
            scope: Rich::new().said(places.join("; ")),
            clash,
            ..WindowRow::default()
        };
        rows.push((start, row));
    }
    Ok(rows)
}

/// A freeze that lies over a change's planned time.
fn clash(
    view: &View<'_, '_, '_>,
    targets: &[acts::report::find_changes::TargetRow],
    start: jiff::Timestamp,
    end: jiff::Timestamp,
) -> Rich {
    let covers = |freeze: &&Freeze| {
        freeze.overlaps(start, end)
            && targets.iter().any(|target| {
                view.directory.is_frozen_by(
                    freeze,
                    &ServiceKey::from(target.service.as_str()),
                    &EnvironmentKey::from(target.environment.as_str()),
                )
            })
    };
    match view.directory.freezes.iter().find(covers) {
        Some(freeze) => Rich::new()
            .late("In the freeze ")
            .said_link(freeze.title.as_str(), view.url(&format!("/freezes/{}", freeze.id))),
        None => Rich::new(),
    }
}

fn window_form(view: &View<'_, '_, '_>) -> ActForm {
    let [services, environments] = scope_fields(view);
    let form = ActForm::new("window", "Add a maintenance window", view.url("/windows"))
        .field(idempotent_form::field(view))
        .field(Field::text("title", "Name").required())
        .field(time_field(view, "starts_at", "From"))
        .field(time_field(view, "ends_at", "To"))
        .field(Field::time_in_words("starts_at", "ends_at"))
        .field(services)
        .field(environments);
    let form = freeze_parts::repeat_fields(view, true)
        .into_iter()
        .fold(form, ActForm::field);
    form.submit("Add this window")
}

/// A form of a freeze or a window; `done` is the confirmation shown afterwards.
pub(crate) fn sent(form: Form, path: String, then: &str, place: Place, done: &'static str) -> Sent {
    Sent {
        form,
        boxes: &[],
        path,
        then: then.to_owned(),
        place,
        done,
    }
}

/// Adds a maintenance window.
pub(crate) async fn set_window(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = sent(form, "/windows".to_owned(), "/windows", Place::Calendar, "window_added");
    send(
        &state,
        &visitor,
        sent,
        |cx, body| set_service::set_window(cx, body).map(drop),
        window_page,
    )
    .await
}

/// Takes a maintenance window back.
pub(crate) async fn end_window(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let sent = sent(
        form,
        format!("/windows/{}/end", escaped(&id)),
        "/windows",
        Place::Calendar,
        "window_ended",
    );
    send(
        &state,
        &visitor,
        sent,
        move |cx, _| set_service::end_window(cx, &id).map(drop),
        window_page,
    )
    .await
}

/// Freezes.
pub(crate) async fn freezes(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Freezes, move |view| {
        freeze_page_of(view, &words, None)
    })
    .await
}

fn freeze_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    freeze_page_of(view, &ListQuery::default(), back)
}

/// The state of a freeze, as the filter names it.
fn freeze_state(freeze: &Freeze, now: jiff::Timestamp) -> &'static str {
    match (freeze.is_over(now), freeze.is_on(now)) {
        (true, _) => "over",
        (false, true) => "on",
        (false, false) => "ahead",
    }
}

fn freeze_page_of(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let may_set = view.may(actions::SET_FREEZE);
    let (directory, now) = (view.directory.clone(), view.now());
    let is_wanted = |it: &&Freeze| {
        words.is_of(&it.services) && words.is_in(freeze_state(it, now)) && words.fit(&[it.title.as_str()])
    };
    let mut found: Vec<&Freeze> = directory.freezes.iter().filter(is_wanted).collect();
    found.sort_by_key(|freeze| (freeze.is_over(now), freeze.next_time(now)));
    let (found, told) = words.cut(found);
    let rows = found
        .into_iter()
        .map(|freeze| freeze_row(view, freeze, may_set && freeze.course.major_incident.is_none()))
        .collect();
    let mut page = Freezes {
        frame: view.frame.clone(),
        rows,
        ..Freezes::default()
    };
    let filters = vec![
        service_filter(view, words.service()),
        state_filter(&STATES, words.state()),
    ];
    words.put(&mut page, view.url("/freezes"), &told, (filters, &STATES));
    if may_set {
        page.acts.push(freeze_form(view));
        page.acts
            .push(ActForm::link("Announcements", view.url("/announcements")));
    }
    page.acts.extend([
        ActForm::link("Vendors", view.url("/vendors")),
        ActForm::link("Vendor notices", view.url("/vendor-notices")),
        ActForm::link("Coordinated maintenances", view.url("/joint-maintenances")),
    ]);
    if let Some(back) = back {
        let acts = page
            .acts
            .iter_mut()
            .chain(page.rows.iter_mut().flat_map(|row| row.acts.iter_mut()));
        back.put(view, &mut page.frame, acts);
        let mut forms = page.acts.iter_mut().filter(|act| act.action_url == back.url);
        if let (Some(listed), Some(form)) = (back.unmet("preview"), forms.next()) {
            form.fields.push(Field::hidden(SEEN, freeze_parts::mark_of(listed)));
        }
    }
    Ok(page.render())
}

/// Whether a freeze holds now, lies ahead or is over.
pub(crate) fn state_of(view: &View<'_, '_, '_>, freeze: &Freeze) -> String {
    let now = view.now();
    match (freeze.is_over(now), freeze.is_on(now)) {
        (true, _) => "over".to_owned(),
        (false, true) => "active now".to_owned(),
        (false, false) => match freeze.stage(now) {
            FreezeStage::Proposed => "waits for agreement".to_owned(),
            FreezeStage::Declined => "declined".to_owned(),
            FreezeStage::Agreed => "waits for its announcement".to_owned(),
            _ => view.reader.distance(freeze.next_time(now).starts_at),
        },
    }
}

fn freeze_row(view: &View<'_, '_, '_>, freeze: &Freeze, may_set: bool) -> FreezeRow {
    let (now, id) = (view.now(), freeze.id.as_str());
    let (is_over, time) = (freeze.is_over(now), freeze.next_time(now));
    let state = state_of(view, freeze);
    // A change with an exception from several times is named once.
    let excepted: BTreeSet<String> = freeze.exceptions.iter().map(|row| row.change_key.clone()).collect();
    let excepted: Vec<String> = excepted.into_iter().collect();
    let exceptions = match excepted.as_slice() {
        [] => String::new(),
        keys => and(keys),
    };
    let mut acts = Vec::new();
    if may_set && !is_over {
        acts.push(ActForm::link("Change it", view.url(&format!("/freezes/{id}?change=1"))).tone(ActTone::Link));
        acts.extend(
            loosening_acts(view, freeze)
                .into_iter()
                .map(|act| act.tone(ActTone::Link)),
        );
        acts.push(except_act(view, freeze));
        acts.extend(excepted.iter().map(|key| {
            let url = view.url(&format!("/freezes/{id}/exceptions/{}/end", escaped(key)));
            ActForm::new(format!("stop-{key}"), format!("Withdraw the exception of {key}"), url).tone(ActTone::Link)
        }));
    }
    FreezeRow {
        id: id.to_owned(),
        href: view.url(&format!("/freezes/{id}")),
        title: freeze.title.clone(),
        state,
        span: view.reader.span(time.starts_at, time.ends_at),
        scope: scope(freeze.services.iter(), freeze.environments.iter()),
        halts: freeze.halt,
        reason: freeze.reason.clone().unwrap_or_default(),
        exceptions,
        acts,
    }
}

/// Lets a change pass a freeze: of one that repeats, one of its times.
fn except_act(view: &View<'_, '_, '_>, freeze: &Freeze) -> ActForm {
    let url = view.url(&format!("/freezes/{}/exceptions", freeze.id));
    let act = ActForm::new("except", "Add an exception", url)
        .tone(ActTone::Link)
        .field(pick_field(view, "changes", "change", "The change’s key").required())
        .field(Field::textarea("reason", "Reason for the exception").required())
        .submit("Grant the exception");
    if !freeze.repeat.is_set() {
        return act;
    }
    act.field(time_field(view, "time", "The time it is for")).note(
        "The freeze repeats, and an exception covers one of its times. Name a moment within that time; the default is the \
         first time that overlaps the planned window of the change.",
    )
}

/// How far a freeze reaches, as forms offer it.
pub(super) const REACHES: [(&str, &str); 2] = [("none", "are free"), ("dependants", "are frozen too")];
/// Ending a freeze is proposed with a reason; a proposal is confirmed.
pub(crate) fn loosening_acts(view: &View<'_, '_, '_>, freeze: &Freeze) -> Vec<ActForm> {
    let id = freeze.id.as_str();
    let end = ActForm::new("end", "End it now", view.url(&format!("/freezes/{id}/end")))
        .tone(ActTone::Stop)
        .field(Field::textarea("reason", "Why it may end").required())
        .note("The freeze stays in force until another person confirms this.")
        .submit("Propose to end it");
    // The business owner decides on a coverage beyond their earlier agreement.
    let proposal = freeze.loosening.as_ref();
    let proposal = proposal.filter(|_| freeze.widening(view.now()).is_none());
    let confirm = proposal.map(|loosening| {
        let what = if loosening.terms.is_some() {
            "Confirm the shorter freeze"
        } else {
            "Confirm its end"
        };
        ActForm::new("confirm", what, view.url(&format!("/freezes/{id}/confirmation"))).tone(ActTone::Stop)
    });
    std::iter::once(end).chain(confirm).collect()
}

/// Confirms that a freeze is ended or shortened.
pub(crate) async fn confirm_loosening(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let sent = sent(
        form,
        format!("/freezes/{}/confirmation", escaped(&id)),
        "/freezes",
        Place::Freezes,
        "freeze_loosened",
    );
    send(
        &state,
        &visitor,
        sent,
        move |cx, _| acts::schedule::loosen_freeze::confirm_loosening(cx, &id).map(drop),
        freeze_page,
    )
    .await
}

fn freeze_form(view: &View<'_, '_, '_>) -> ActForm {
    let [services, environments] = scope_fields(view);
    let form = ActForm::new("freeze", "Set a freeze", view.url("/freezes"))
        .field(idempotent_form::field(view))
        .field(Field::text("title", "Name").required())
        .field(time_field(view, "starts_at", "From"))
        .field(time_field(view, "ends_at", "To"))
        .field(Field::time_in_words("starts_at", "ends_at"))
        .field(services)
        .field(environments.value("production"));
    let form = freeze_parts::repeat_fields(view, true)
        .into_iter()
        .fold(form, ActForm::field);
    form.field(freeze_parts::thaw_field())
        .field(pick_field(view, "people", "business_owner", "Business owner").hint(
            "A login. The freeze then waits for their agreement and its announcement; if empty, it is set immediately.",
        ))
        .field(Field::textarea("reason", "Reason and agreement"))
        .field(Field::new(
            "halt",
            "Work that is going on must stop too",
            Input::Checkbox,
        ))
        .field(Field::select("reach", "Services that need these", &REACHES))
        .field(Field::new(
            "preview",
            "Only show the affected changes, and set nothing",
            Input::Checkbox,
        ))
        .submit("Set this freeze")
}

/// Sets a freeze; where it hits changes, the page lists them first.
pub(crate) async fn set_freeze(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = sent(form, "/freezes".to_owned(), "/freezes", Place::Freezes, "freeze_set");
    send(
        &state,
        &visitor,
        sent,
        |cx, body| {
            let mut body = body.clone();
            let only_shows = body.remove("preview").and_then(|it| it.as_bool()) == Some(true);
            let seen = body.remove(SEEN);
            let seen = seen.as_ref().and_then(|it| it.as_str()).unwrap_or_default();
            freeze_parts::preview(cx, &body, (!only_shows).then_some(seen))?;
            acts::schedule::set_freeze::set_freeze(cx, &body).map(drop)
        },
        freeze_page,
    )
    .await
}

/// Proposes to end a freeze.
pub(crate) async fn end_freeze(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let sent = sent(
        form,
        format!("/freezes/{}/end", escaped(&id)),
        "/freezes",
        Place::Freezes,
        "freeze_ended",
    );
    send(
        &state,
        &visitor,
        sent,
        move |cx, body| acts::schedule::loosen_freeze::end_freeze(cx, &id, body).map(drop),
        freeze_page,
    )
    .await
}

/// Lets one change pass a freeze.
pub(crate) async fn except(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let sent = sent(
        form,
        format!("/freezes/{}/exceptions", escaped(&id)),
        "/freezes",
        Place::Freezes,
        "freeze_excepts",
    );
    let run = move |cx: &mut acts::Context<'_, '_>, body: &body::Body| {
        acts::schedule::set_freeze::except_from_freeze(cx, &id, body)
            .map(drop)
            .map_err(beside_the_key)
    };
    send(&state, &visitor, sent, run, freeze_page).await
}

/// The key of a change that is not there is wrong beside its field; the page itself is there.
fn beside_the_key(error: acts::Error) -> acts::Error {
    match error {
        acts::Error::Refused(Refusal::NotFound { what }) if what.starts_with("change ") => {
            Refusal::field("change", "unknown", format!("There is no {what} here.")).into()
        }
        other => other,
    }
}

/// Lets a change no longer pass a freeze.
pub(crate) async fn withdraw_exception(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id, change)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let sent = sent(
        form,
        format!("/freezes/{}/exceptions/{}/end", escaped(&id), escaped(&change)),
        "/freezes",
        Place::Freezes,
        "freeze_excepts_not",
    );
    let run = move |cx: &mut acts::Context<'_, '_>, _: &body::Body| {
        acts::schedule::set_freeze::withdraw_exception(cx, &id, &change).map(drop)
    };
    send(&state, &visitor, sent, run, freeze_page).await
}

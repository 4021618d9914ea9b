//! The status page: disruptive changes under way and ahead, and open incidents; and the same as an Atom feed, for a session, behind a
//! secret address, or for everybody.

use std::collections::BTreeSet;

use acts::notify::find_status::{Status, find_status};
use acts::notify::make_feed::check_status;
use acts::notify::publish_status::{self, PublicNotice, PublicStatus, find_public_status, is_status_public};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use connect::notify::atom;
use jiff::Timestamp;
use model::change::change_file::Actor;
use model::change::record::Change;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{Disruption, LetterLanguage};
use model::directory::records::Incident;
use model::notify::communication::stage_of;
use model::notify::wording::stage_name;
use pages::{ActForm, ActTone, Entry, Field, Frame, Place, Reader, RecordPage, Rich, Section, SectionBody, Tone};
use store::{Lane, Mode};

use crate::http::authenticate::caller_of_status_feed;
use crate::http::clock::tick;
use crate::http::failure::Failure;
use crate::http::outside_mask::mask_text;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::problem::bare_problem;
use crate::web::shared::response::{ASSETS, base, html};
use crate::web::shared::view::{View, Visitor, show};

/// The status page.
pub(crate) async fn show_status(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Calendar, |view| page(view, None)).await
}

/// Opens the page to everybody.
pub(crate) async fn publish(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = sent(
        form,
        "/status/publication".to_owned(),
        "/status".to_owned(),
        Place::Calendar,
    );
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| publish_status::publish_status(cx, body).map(drop);
    send(&state, &visitor, sent, run, page).await
}

/// Closes the page to readers who are not signed in.
pub(crate) async fn close(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/status/publication/end".to_owned();
    let sent = sent(form, path, "/status".to_owned(), Place::Calendar);
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| publish_status::close_status(cx, body).map(drop);
    send(&state, &visitor, sent, run, page).await
}

/// The form by which the page is opened to everybody, or closed again.
fn publication(view: &View<'_, '_, '_>) -> Vec<ActForm> {
    let is_public = view.directory.tenant.as_ref().is_some_and(|it| it.status_is_public);
    let mut forms = Vec::new();
    if is_public {
        let here = ActForm::link("The public page", view.url("/status/public"));
        forms.push(here.tone(ActTone::Quiet));
    }
    if view.may(actions::SET_CONNECTION) {
        let (id, label, path) = match is_public {
            true => ("close", "Close it to the public", "/status/publication/end"),
            false => ("publish", "Open it to the public", "/status/publication"),
        };
        let form = ActForm::new(id, label, view.url(path))
            .field(idempotent_form::field(view))
            .field(Field::textarea("reason", "Reason").required())
            .note("Everybody reads services and times, without titles, keys or people.");
        forms.push(form);
    }
    forms
}

/// The public page of a tenant that opened it; otherwise not found.
pub(crate) async fn show_public(State(state): State<AppState>, Path(tenant): Path<String>) -> Response {
    match public_text(&state, (tenant.as_str(), "page"), public_page).await {
        Ok(page) => html(200, page),
        Err(failure) => bare_problem(&failure),
    }
}

/// The same as an Atom feed.
pub(crate) async fn public_feed(State(state): State<AppState>, Path(tenant): Path<String>) -> Response {
    match public_text(&state, (tenant.as_str(), "feed"), public_atom).await {
        Ok(text) => as_atom(text),
        Err(failure) => failure.into_response(),
    }
}

/// Renders a text from the tenant, its address, the public status, and the time.
type WritesPublic = fn(&str, &str, &PublicStatus, Timestamp) -> String;

/// The public content of a tenant, rendered at most once in a few seconds.
async fn public_text(state: &AppState, (tenant, what): (&str, &str), write: WritesPublic) -> Result<String, Failure> {
    let absent = || Failure::new(404, "not_found", "There is no public status page.");
    if store::check_tenant(tenant).is_err() {
        return Err(absent());
    }
    let key = format!("{tenant}/{what}");
    let known = state.public_pages().get(&key, tick());
    let is_known = known.is_some();
    let find = move |cx: &mut acts::Context<'_, '_>| {
        let address = format!("{}/t/{}", cx.services.tools().public_url, cx.tenant());
        match is_known {
            // A page that was closed is gone at once.
            true => Ok((is_status_public(cx)?, None, address, cx.now)),
            false => find_public_status(cx).map(|found| (found.is_some(), found, address, cx.now)),
        }
    };
    let found = state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Read, find)
        .await;
    match found {
        Ok((true, None, ..)) => known.map(|text| text.to_string()).ok_or_else(absent),
        Ok((true, Some(status), address, now)) => {
            let text = write(tenant, &address, &status, now);
            state.public_pages().keep(&key, &text, tick());
            Ok(text)
        }
        Ok((false, ..)) => Err(absent()),
        Err(failure) if matches!(failure.status(), 401 | 403 | 404) => Err(absent()),
        Err(failure) => Err(failure),
    }
}

/// The public feed. An entry is identified by its public content, since it has no key.
fn public_atom(_tenant: &str, address: &str, status: &PublicStatus, now: Timestamp) -> String {
    let page = format!("{address}/status/public");
    let entry = |what: &str, it: &PublicNotice| {
        let title = format!("{what}: {}", it.services.join(", "));
        let times = match it.ends_at {
            Some(end) => format!("{} to {end}.", it.starts_at),
            None => format!("Since {}.", it.starts_at),
        };
        let text = match it.disruption {
            Some(kind) => format!("{times} {}", disruption_text(Some(kind))),
            None => times,
        };
        let mark = proof::crypto::digest_text(format!("{title} {text}").as_bytes());
        atom::Entry {
            link: format!("{page}#{mark}"),
            title,
            updated: it.updated_at,
            text,
        }
    };
    let mut entries: Vec<atom::Entry> = Vec::new();
    for (what, rows) in [
        ("Incident", &status.incidents),
        ("Under way", &status.current),
        ("Planned", &status.coming),
    ] {
        entries.extend(rows.iter().map(|it| entry(what, it)));
    }
    // Two changes of the same services at the same times read the same.
    let mut seen = BTreeSet::new();
    entries.retain(|entry| seen.insert(entry.link.clone()));
    let updated = entries.iter().map(|entry| entry.updated).max().unwrap_or(now);
    atom::feed(&format!("Status, {}", status.tenant), &page, updated, &entries)
}

fn public_page(tenant: &str, _address: &str, status: &PublicStatus, now: Timestamp) -> String {
    let reader = Reader::named("UTC", now);
    let entry = |it: &PublicNotice| {
        let tone = if it.disruption.is_some() {
            Tone::Wait
        } else {
            Tone::Stop
        };
        let entry = Entry::new(tone, Rich::new().said(it.services.join(", ")));
        let entry = match it.disruption {
            Some(kind) => entry.why(disruption_text(Some(kind))),
            None => entry,
        };
        match it.ends_at {
            Some(end) => entry.aside(reader.span(it.starts_at, end)),
            None => entry.aside(reader.moment(it.starts_at)),
        }
    };
    let section = |id: &str, title: &str, rows: &[PublicNotice], none: &str| {
        Section::new(id, title, SectionBody::Entries(rows.iter().map(entry).collect())).unsaid(none)
    };
    let page = RecordPage {
        frame: Frame {
            tenant: status.tenant.clone(),
            base: base(tenant),
            assets: ASSETS.to_owned(),
            is_public: true,
            ..Frame::default()
        },
        title: "Status".to_owned(),
        byline: Rich::from("Times are in UTC."),
        sections: vec![
            section("incidents", "Open incidents", &status.incidents, "No incident is open."),
            section(
                "current",
                "Under way",
                &status.current,
                "No change that users will notice is under way.",
            ),
            section(
                "coming",
                "Planned",
                &status.coming,
                "No change that users will notice is planned in the next 30 days.",
            ),
        ],
        acts: vec![ActForm::link("Atom feed", format!("{}/status/public.atom", base(tenant))).tone(ActTone::Quiet)],
        ..RecordPage::default()
    };
    page.render()
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    let status = find_status(view.cx)?;
    let incidents: Vec<Entry> = open_incidents(view).map(|it| incident_entry(view, it)).collect();
    let current: Vec<Entry> = status.current.iter().map(|it| change_entry(view, it)).collect();
    let coming: Vec<Entry> = status.coming.iter().map(|it| change_entry(view, it)).collect();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Calendar".to_owned(), view.url("/calendar"))],
        title: "Status".to_owned(),
        byline: Rich::from("Changes that users will notice, under way and in the next 30 days, and open incidents."),
        sections: vec![
            Section::new("incidents", "Open incidents", SectionBody::Entries(incidents)).unsaid("No incident is open."),
            Section::new("current", "Under way", SectionBody::Entries(current))
                .unsaid("No change that users will notice is under way."),
            Section::new("coming", "Planned", SectionBody::Entries(coming))
                .unsaid("No change that users will notice is planned in the next 30 days."),
        ],
        acts: vec![
            ActForm::link("Atom feed", view.url("/status.atom")).tone(ActTone::Quiet),
            ActForm::link("Subscribe", view.url("/calendar/feed")).tone(ActTone::Quiet),
            ActForm::link("Communication plans", view.url("/communication-plans")).tone(ActTone::Quiet),
            ActForm::link("Business units", view.url("/business-units")).tone(ActTone::Quiet),
            ActForm::link("Customer lists", view.url("/customer-lists")).tone(ActTone::Quiet),
        ],
        ..RecordPage::default()
    };
    page.acts.extend(publication(view));
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// The open incidents that the reader sees.
fn open_incidents<'d>(view: &'d View<'_, '_, '_>) -> impl Iterator<Item = &'d Incident> + 'd {
    let all = view.directory.incidents.iter().map(|(_, incident)| incident);
    all.filter(|incident| incident.resolved_at.is_none())
}

fn incident_entry(view: &View<'_, '_, '_>, incident: &Incident) -> Entry {
    let url = view.url(&format!("/incidents/{}", incident.key));
    let services: Vec<&str> = incident.services.iter().map(|key| key.as_str()).collect();
    Entry::new(Tone::Stop, Rich::new().said_link(incident.title.as_str(), url))
        .why(Rich::new().said(services.join(", ")))
        .aside(view.moment(incident.started_at))
}

fn change_entry(view: &View<'_, '_, '_>, change: &Change) -> Entry {
    let link = Rich::new().said_link(change.content.title.as_str(), view.change_url(&change.key));
    let mut entry =
        Entry::new(Tone::Wait, link).why(Rich::new().said(services(change)).text(". ").text(disruption(change)));
    if let (Some(start), Some(end)) = (change.planned_start, change.planned_end) {
        entry = entry.aside(view.reader.span(start, end));
    }
    entry
}

fn services(change: &Change) -> String {
    let targets = change.content.targets.iter();
    let found: BTreeSet<&str> = targets.map(|target| target.service.as_str()).collect();
    found.into_iter().collect::<Vec<_>>().join(", ")
}

fn disruption(change: &Change) -> &'static str {
    disruption_text(change.content.disruption.as_ref().map(|plan| plan.kind))
}

fn disruption_text(kind: Option<Disruption>) -> &'static str {
    match kind {
        None | Some(Disruption::None) => "No effect on users expected.",
        Some(Disruption::Degraded) => "It is slower or partly missing.",
        Some(Disruption::ReadOnly) => "Reading works, writing does not.",
        Some(Disruption::Outage) => "It is unavailable.",
    }
}

/// The status as an Atom feed, for signed-in readers.
pub(crate) async fn feed(State(state): State<AppState>, visitor: Visitor) -> Response {
    let made = state.act(Lane::Pages, &visitor.caller, Mode::Read, feed_text).await;
    match made {
        Ok(text) => as_atom(text),
        Err(failure) => failure.into_response(),
    }
}

/// The same at the address of a feed. For any error in the address the response is the same: not found.
pub(crate) async fn secret_feed(state: &AppState, tenant: &str, secret: &str) -> Response {
    let absent = || Failure::new(404, "not_found", "There is no such feed.").into_response();
    let caller = match caller_of_status_feed(state, secret).await {
        Ok(caller) if caller.tenant == tenant => caller,
        Err(failure) if failure.status() != 401 => return failure.into_response(),
        _ => return absent(),
    };
    let made = state
        .act(Lane::Pages, &caller, Mode::Read, |cx| {
            check_status(cx)?;
            feed_text(cx)
        })
        .await;
    match made {
        Ok(text) => as_atom(text),
        Err(failure) if matches!(failure.status(), 401 | 403) => absent(),
        Err(failure) => failure.into_response(),
    }
}

fn feed_text(cx: &mut acts::Context<'_, '_>) -> acts::Result<String> {
    let mut view = View::open(cx, Place::Calendar)?;
    let status = find_status(view.cx)?;
    let mut text = written(&mut view, &status);
    mask_text(view.cx, &mut text)?;
    Ok(text)
}

fn as_atom(text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/atom+xml; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn written(view: &mut View<'_, '_, '_>, status: &Status) -> String {
    let base = format!("{}/t/{}", view.cx.services.tools().public_url, view.cx.tenant());
    let incidents = open_incidents(view).map(|incident| atom::Entry {
        link: format!("{base}/incidents/{}", incident.key),
        title: format!("Incident: {}", incident.title),
        updated: incident.started_at,
        text: incident
            .services
            .iter()
            .map(|key| key.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    });
    let changes = status.current.iter().chain(&status.coming).map(|change| {
        let stage = stage_of(change).map_or("On hold", |(stage, _)| stage_name(stage, LetterLanguage::En));
        let times =
            [change.planned_start, change.planned_end].map(|at| at.map_or_else(String::new, |at| at.to_string()));
        atom::Entry {
            link: format!("{base}/changes/{}", change.key),
            title: format!("{stage}: {}", change.content.title),
            updated: change.updated_at,
            text: format!(
                "{}, {} to {}. {}",
                services(change),
                times[0],
                times[1],
                disruption(change)
            ),
        }
    });
    let entries: Vec<atom::Entry> = incidents.chain(changes).collect();
    let updated = entries.iter().map(|entry| entry.updated).max().unwrap_or(view.now());
    let tenant = view
        .directory
        .tenant
        .as_ref()
        .map_or("Assent", |tenant| tenant.name.as_str());
    atom::feed(
        &format!("Status, {tenant}"),
        &format!("{base}/status"),
        updated,
        &entries,
    )
}

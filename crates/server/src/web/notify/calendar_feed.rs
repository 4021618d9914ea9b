//! The personal calendar feed: iCalendar (RFC 5545) behind a secret address, and the page that makes and revokes it and the
//! Atom feed of the status.

use std::collections::{BTreeMap, BTreeSet};

use acts::identity::set_token;
use acts::notify::make_feed;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use connect::notify::mail::{CalendarPart, Method};
use connect::schedule::caldav::Object;
use jiff::Timestamp;
use model::change::duties::undo;
use model::change::record::Change;
use model::core::body::Body;
use model::core::enums::{Outcome, State as Stage};
use model::directory::snapshot::{Directory, Freeze};
use model::schedule::repeat::Occurrence;
use pages::language;
use pages::{ActForm, ActTone, Entry, Place, Reader, RecordPage, Rich, Section, SectionBody, Tone};
use store::{Lane, Mode};

use crate::http::authenticate::caller_of_feed;
use crate::http::failure;
use crate::http::outside_mask::mask_text;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::notify::status;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Made, Sent, send, send_made};
use crate::web::shared::view::{View, Visitor, language_of, show};
use crate::web::shared::{idempotent_form, words};

/// The longest line of a calendar, in bytes without its end (RFC 5545, section 3.1).
const LINE: usize = 75;
/// The most times of one freeze that a collection of objects holds.
const MOST_SPANS: usize = 100;
/// The most time zones of an event, and the most names of each.
const MOST_IN_ZONES: usize = 20;

/// The page with the reader's feeds.
pub(crate) async fn show_feeds(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Calendar, |view| page(view, None)).await
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    let found = make_feed::find_feeds(view.cx)?;
    let entries = found.iter().map(|token| {
        let url = view.url(&format!("/calendar/feed/{}/revocation", escaped(token.id.as_str())));
        let revoke = ActForm::new("revoke", "Revoke", url)
            .tone(ActTone::Link)
            .note("Programs that read it find nothing from now on.")
            .submit("Revoke this feed");
        let (begins, icon) = match token.scopes.contains(make_feed::STATUS_SCOPE) {
            true => ("The status, begins with ", "bell"),
            false => ("Begins with ", "calendar"),
        };
        Entry::new(Tone::Ok, Rich::from(begins).code(format!("{}…", token.prefix)))
            .icon(icon)
            .why(format!("made {}", view.reader.moment(token.created_at)))
            .act(token.id.0.clone(), revoke)
    });
    let entries: Vec<Entry> = entries.collect();
    let make = ActForm::new("feed", "Make a feed", view.url("/calendar/feed"))
        .field(idempotent_form::field(view))
        .tone(ActTone::Go)
        .note("Anybody with this address can read the titles and times of your changes. The address is shown only once. With ?service=KEY or ?team=NAME added, the feed contains all changes of that service or team that you may see. CalDAV clients read the same feed at …/caldav/, with the part between /feed/ and .ics as the password.")
        .submit("Make a feed");
    let make_status = ActForm::new("status-feed", "Make a status feed", view.url("/calendar/feed/status"))
        .field(idempotent_form::field(view))
        .note("An Atom feed of the status page for a feed reader. Anybody with this address can read disruptive changes and open incidents. The address is shown only once.")
        .submit("Make a status feed");
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Calendar".to_owned(), view.url("/calendar"))],
        title: "Your calendar elsewhere".to_owned(),
        byline: Rich::from(
            "Changes in which you have a part, and freezes, for the calendar program that you use anyway.",
        ),
        acts: vec![make, make_status],
        sections: vec![
            Section::new("feeds", "Your feeds", SectionBody::Entries(entries))
                .unsaid("None yet. Make one, and subscribe to its address in your calendar program."),
        ],
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn sent(form: Form, path: String) -> Sent {
    Sent {
        form,
        boxes: &[],
        path,
        then: "/calendar/feed".to_owned(),
        place: Place::Calendar,
        done: "",
    }
}

/// Makes a feed and shows its address once.
pub(crate) async fn make(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let run = |cx: &mut acts::Context<'_, '_>, _: &Body| {
        let (_, secret) = make_feed::make_feed(cx)?;
        Ok(made(cx, &format!("{secret}.ics")))
    };
    send_made(&state, &visitor, sent(form, "/calendar/feed".to_owned()), run, page).await
}

/// Makes a feed of the status and shows its address, this once.
pub(crate) async fn make_status(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let run = |cx: &mut acts::Context<'_, '_>, _: &Body| {
        let (_, secret) = make_feed::make_status_feed(cx)?;
        Ok(made(cx, &format!("{secret}.atom")))
    };
    send_made(
        &state,
        &visitor,
        sent(form, "/calendar/feed/status".to_owned()),
        run,
        page,
    )
    .await
}

fn made(cx: &acts::Context<'_, '_>, name: &str) -> Made {
    let address = format!("{}/t/{}/feed/{name}", cx.services.tools().public_url, cx.tenant());
    Made {
        title: "Your feed was created".to_owned(),
        text: "Subscribe to this address. It is not kept and cannot be shown again.".to_owned(),
        shown: vec![("Address".to_owned(), address)],
    }
}

/// Revokes a feed.
pub(crate) async fn revoke(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = format!("/calendar/feed/{}/revocation", escaped(&id));
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| set_token::revoke_token(cx, &id).map(drop);
    send(&state, &visitor, sent(form, path), run, page).await
}

/// The feed itself. For any error in the address the response is the same: not found.
pub(crate) async fn calendar(
    State(state): State<AppState>,
    Path((tenant, name)): Path<(String, String)>,
    Query(about): Query<make_feed::About>,
) -> Response {
    if let Some(secret) = name.strip_suffix(".atom") {
        return status::secret_feed(&state, &tenant, secret).await;
    }
    let absent = || failure::Failure::new(404, "not_found", "There is no such calendar.").into_response();
    let Some(secret) = name.strip_suffix(".ics") else {
        return absent();
    };
    let caller = match caller_of_feed(&state, secret).await {
        Ok(caller) if caller.tenant == tenant => caller,
        Err(failure) if failure.status() != 401 => return failure.into_response(),
        _ => return absent(),
    };
    let made = state
        .act(Lane::Pages, &caller, Mode::Read, move |cx| {
            let changes = make_feed::find_feed_changes(cx, &about)?;
            let ended = make_feed::find_ended_freezes(cx)?;
            let directory = cx.directory()?;
            let base = format!("{}/t/{}", cx.services.tools().public_url, cx.tenant());
            let me = directory.people.get(&cx.actor.person);
            let zone = me.map_or("UTC", |person| person.zone.as_str());
            let spoken = language::find(&language_of(&directory, &cx.actor.person));
            let seen = cx.visible()?;
            let mut text = write((&changes, &about), (&seen, &ended, zone), (&base, spoken), cx.now);
            mask_text(cx, &mut text)?;
            Ok(text)
        })
        .await;
    match made {
        Ok(text) => {
            let mut response = text.into_response();
            let headers = response.headers_mut();
            let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, kind);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            response
        }
        // A deactivated person has no feed any more, and the response does not reveal that there was one.
        Err(failure) if matches!(failure.status(), 401 | 403) => absent(),
        Err(failure) => failure.into_response(),
    }
}

/// The events of a feed, each as an object of its own with an entity tag that stays while the event does.
pub(crate) fn objects(changes: &[Change], directory: &Directory, base: &str, now: Timestamp) -> Vec<Object> {
    let whole = |name: String, (starts_at, ends_at): (Timestamp, Timestamp), event: &str| {
        let text =
            format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Assent//Changes//EN\r\n{event}END:VCALENDAR\r\n");
        Object {
            name: format!("{name}.ics"),
            starts_at,
            ends_at,
            text,
            entity_tag: String::new(),
        }
    };
    let mut found = Vec::new();
    for change in changes {
        let mut event = String::new();
        // The time of the last save is constant while the change is.
        let zones = in_zones(change, directory);
        put_change(&mut event, (change, &zones), (base, None), change.updated_at);
        if let (Some(start), Some(end)) = (change.planned_start, change.planned_end) {
            found.push(whole(change.id.0.clone(), (start, end), &event));
        }
        if let Some(times) = undo::ahead(change) {
            let mut event = String::new();
            put_undo(&mut event, change, (base, None), change.updated_at);
            found.push(whole(format!("{}-undo", change.id.0), times, &event));
        }
    }
    for freeze in directory.freezes.iter() {
        for span in freeze.spans().filter(|span| span.ends_at > now).take(MOST_SPANS) {
            let mut event = String::new();
            put_freeze(&mut event, (freeze, span), (base, None), freeze.starts_at);
            let name = format!("{}{}", freeze.id.0, which(freeze, span));
            found.push(whole(name, (span.starts_at, span.ends_at), &event));
        }
    }
    found
}

/// An invitation to the planned time of a change, or its cancellation, from one mail address to another (RFC 6047); `None` without
/// planned times.
pub(crate) fn invitation(
    change: &Change,
    method: Method,
    (organizer, attendee): (&str, &str),
    (base, now): (&str, Timestamp),
) -> Option<CalendarPart> {
    change.planned_start.and(change.planned_end)?;
    let mail = |address: &str| -> String { address.chars().filter(|it| !it.is_control()).collect() };
    let mut event = String::new();
    put_change(&mut event, (change, ""), (base, None), now);
    let people = [
        format!("ORGANIZER:mailto:{}", mail(organizer)),
        format!("ATTENDEE;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:{}", mail(attendee)),
    ];
    let mut lines = String::new();
    for line in &people {
        put(&mut lines, line);
    }
    let event = event.replace("END:VEVENT\r\n", &format!("{lines}END:VEVENT\r\n"));
    let event = match method {
        Method::Request => event,
        // A person without a part in the change no longer keeps the entry, whatever becomes of the change.
        Method::Cancel => event
            .replace("STATUS:CONFIRMED", "STATUS:CANCELLED")
            .replace("STATUS:TENTATIVE", "STATUS:CANCELLED"),
    };
    let method_word = method.as_str();
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Assent//Changes//EN\r\nMETHOD:{method_word}\r\n{event}END:VCALENDAR\r\n"
    );
    Some(CalendarPart { method, text })
}

/// Writes a calendar.
fn write(
    (changes, about): (&[Change], &make_feed::About),
    (directory, ended, zone): (&Directory, &[Freeze], &str),
    (base, spoken): (&str, Spoken),
    now: Timestamp,
) -> String {
    let name = directory
        .tenant
        .as_ref()
        .map_or("Assent", |tenant| tenant.name.as_str());
    let mut out = String::new();
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Assent//Changes//EN",
        "METHOD:PUBLISH",
    ] {
        put(&mut out, line);
    }
    let of = about.service.as_ref().or(about.team.as_ref());
    let changes_of = translated(spoken, "Changes");
    let name = match of {
        None => format!("{changes_of}, {name}"),
        Some(of) if spoken.is_none() => format!("Changes of {of}, {name}"),
        Some(of) => format!("{changes_of}: {of}, {name}"),
    };
    put(&mut out, &format!("X-WR-CALNAME:{}", text(&name)));
    // Instants are in UTC; programs that show whole days need the reader's zone.
    put(&mut out, &format!("X-WR-TIMEZONE:{}", text(zone)));
    for change in changes {
        put_change(&mut out, (change, &in_zones(change, directory)), (base, spoken), now);
        put_undo(&mut out, change, (base, spoken), now);
    }
    for freeze in directory.freezes.iter().chain(ended) {
        let most = if freeze.ended { MOST_SPANS } else { usize::MAX };
        for span in freeze.spans().filter(|span| span.ends_at > now).take(most) {
            put_freeze(&mut out, (freeze, span), (base, spoken), now);
        }
    }
    put(&mut out, "END:VCALENDAR");
    out
}

/// The language that the owner of a feed chose; none for English.
type Spoken = Option<&'static language::Language>;

/// One of our own texts in that language.
fn translated(spoken: Spoken, words: &str) -> String {
    spoken.map_or_else(|| words.to_owned(), |language| language.text(words))
}

/// The planned times by the clocks of the people with a part in the change, a line for each zone. A published calendar names no
/// attendees (RFC 5546, 3.2.1), and a feed reveals no mail addresses.
fn in_zones(change: &Change, directory: &Directory) -> String {
    let (Some(start), Some(end)) = (change.planned_start, change.planned_end) else {
        return String::new();
    };
    let content = &change.content;
    let asked = [&change.requester, &content.owner];
    let people = asked.into_iter().chain(&content.implementers).chain(&content.tester);
    let mut zones: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for person in people.filter_map(|id| directory.people.get(id)).filter(|it| it.active) {
        let names = zones.entry(person.zone.as_str()).or_default();
        names.insert(person.name.as_str());
    }
    let mut told = String::new();
    for (zone, names) in zones.iter().take(MOST_IN_ZONES) {
        let reader = Reader::named(zone, start);
        let [from, to] = [start, end].map(|at| reader.field(at).replace('T', " "));
        let names: Vec<&str> = names.iter().copied().take(MOST_IN_ZONES).collect();
        told.push_str(&format!("\n{zone}: {from} - {to} ({})", names.join(", ")));
    }
    told
}

fn put_change(out: &mut String, (change, zones): (&Change, &str), (base, spoken): (&str, Spoken), now: Timestamp) {
    let (Some(start), Some(end)) = (change.planned_start, change.planned_end) else {
        return;
    };
    let status = match change.state {
        Stage::Rejected | Stage::Cancelled => "CANCELLED",
        Stage::Draft | Stage::Assessing | Stage::Authorizing => "TENTATIVE",
        _ => "CONFIRMED",
    };
    let places: Vec<String> = change
        .content
        .targets
        .iter()
        .take(10)
        .map(|target| format!("{}, {}", target.service, target.environment))
        .collect();
    let url = format!("{base}/changes/{}", change.key);
    let outcome = change
        .outcome
        .filter(|it| change.state == Stage::Closed && *it != Outcome::Succeeded);
    let standing = outcome.map_or_else(|| change.state.as_str(), |it| it.as_str());
    put(out, "BEGIN:VEVENT");
    put(out, &format!("UID:{}@assent", change.id.0));
    put(out, &format!("DTSTAMP:{}", instant(now)));
    put(out, &sequence(change.revision));
    put(out, &format!("DTSTART:{}", instant(start)));
    put(out, &format!("DTEND:{}", instant(end)));
    put(
        out,
        &format!("SUMMARY:{}", text(&format!("{} {}", change.key, change.content.title))),
    );
    put(out, &format!("LOCATION:{}", text(&places.join("; "))));
    put(
        out,
        &format!(
            "DESCRIPTION:{}",
            text(&format!(
                "{}{zones}\n{url}",
                translated(spoken, &words::capital(standing))
            ))
        ),
    );
    put(out, &format!("URL:{url}"));
    put(out, &format!("STATUS:{status}"));
    put(out, "END:VEVENT");
}

/// The planned undo of a change, while it is still to come: an event of its own.
fn put_undo(out: &mut String, change: &Change, (base, spoken): (&str, Spoken), now: Timestamp) {
    let Some((declared, (start, end))) = change.content.planned_undo.as_ref().zip(undo::ahead(change)) else {
        return;
    };
    let title = translated(spoken, &format!("Planned undo of {}", change.key));
    put(out, "BEGIN:VEVENT");
    put(out, &format!("UID:{}-undo@assent", change.id.0));
    put(out, &format!("DTSTAMP:{}", instant(now)));
    put(out, &sequence(change.revision));
    put(out, &format!("DTSTART:{}", instant(start)));
    put(out, &format!("DTEND:{}", instant(end)));
    put(
        out,
        &format!("SUMMARY:{}", text(&format!("{title}: {}", declared.text))),
    );
    put(out, &format!("URL:{base}/changes/{}", change.key));
    put(out, "END:VEVENT");
}

/// The suffix that distinguishes one occurrence of a repeating freeze from the others.
fn which(freeze: &Freeze, span: Occurrence) -> String {
    match freeze.repeat.is_set() {
        true => format!("-{}", instant(span.starts_at)),
        false => String::new(),
    }
}

/// One occurrence of a freeze. Each is an event of its own, so that calendar programs need no recurrence rule. An ended one is
/// marked as cancelled, as a program may keep an event that only vanishes.
fn put_freeze(out: &mut String, (freeze, span): (&Freeze, Occurrence), (base, spoken): (&str, Spoken), now: Timestamp) {
    let which = which(freeze, span);
    put(out, "BEGIN:VEVENT");
    put(out, &format!("UID:{}{which}@assent", freeze.id.0));
    put(out, &format!("DTSTAMP:{}", instant(now)));
    put(out, &sequence(freeze.version));
    put(out, &format!("DTSTART:{}", instant(span.starts_at)));
    put(out, &format!("DTEND:{}", instant(span.ends_at)));
    let title = translated(spoken, &format!("Freeze: {}", freeze.title));
    put(out, &format!("SUMMARY:{}", text(&title)));
    put(out, &format!("URL:{base}/freezes"));
    // A freeze takes nobody's time.
    put(out, "TRANSP:TRANSPARENT");
    if freeze.ended {
        put(out, "STATUS:CANCELLED");
    }
    put(out, "END:VEVENT");
}

/// The number by which a calendar program recognises a moved entry (RFC 5545, 3.8.7.4).
fn sequence(revision: i64) -> String {
    format!("SEQUENCE:{}", revision.clamp(0, i64::from(i32::MAX)))
}

/// An instant in UTC: `20261121T210000Z`.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text value, escaped according to section 3.3.11. Characters that control a terminal or are not allowed in a line are left
/// out.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' | ';' | ',' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

/// Puts a line, folded where it is longer than 75 bytes, never inside of a letter.
fn put(out: &mut String, line: &str) {
    let mut length = 0;
    for letter in line.chars() {
        if length + letter.len_utf8() > LINE {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(letter);
        length += letter.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_between_letters_and_texts_escaped() {
        let mut out = String::new();
        put(
            &mut out,
            &format!("SUMMARY:{}", text(&format!("a, b; c\\d\n\u{7}{}", "ž".repeat(100)))),
        );
        assert!(out.lines().all(|line| line.len() <= LINE), "{out}");
        let whole = out.replace("\r\n ", "");
        assert_eq!(whole, format!("SUMMARY:a\\, b\\; c\\\\d\\n{}\r\n", "ž".repeat(100)));
    }
}

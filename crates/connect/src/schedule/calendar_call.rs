//! Reads an external calendar by its address: an iCalendar file (RFC 5545) by `GET`, a CalDAV collection (RFC 4791) by
//! `REPORT`. A calendar that is unchanged since its entity tag is not sent again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use model::integration::signal;
use model::schedule::outside_calendar::{MOST_EVENTS, OutsideCalendar, OutsideEvent};
use model::schedule::repeat::AHEAD_DAYS;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::ical;
use crate::socket::call::{ANSWER_MAX_BYTES, Answer, Call, Caller};

/// The most calendar objects of a collection that are read.
const MOST_OBJECTS: usize = MOST_EVENTS;

/// The result of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Nothing has changed since the entity tag that was named.
    Unchanged,
    /// These events, in the order of time.
    Events {
        /// The events that are not over.
        events: Vec<OutsideEvent>,
        /// The entity tag to name next time.
        entity_tag: Option<String>,
    },
}

/// Reads a calendar; `credential` is `login:password` where one is kept.
///
/// # Errors
/// A sentence on why it was not read.
pub fn read(
    caller: &Caller,
    calendar: &OutsideCalendar,
    credential: Option<&[u8]>,
    now: Timestamp,
) -> Result<Read, String> {
    let Some(call) = call(calendar, credential, now) else {
        return Err("The calendar has no address.".to_owned());
    };
    let answer = caller
        .call(&call)
        .map_err(|why| format!("There was no answer: {why}."))?;
    read_response(&answer, calendar.is_caldav, now)
}

/// The call that reads a calendar.
fn call(calendar: &OutsideCalendar, credential: Option<&[u8]>, now: Timestamp) -> Option<Call> {
    let url = calendar.url.clone()?;
    let mut headers = vec![("accept".to_owned(), "text/calendar, application/xml".to_owned())];
    if let Some(bytes) = credential {
        headers.push(("authorization".to_owned(), format!("Basic {}", STANDARD.encode(bytes))));
    }
    if calendar.is_caldav {
        headers.push(("depth".to_owned(), "1".to_owned()));
        headers.push(("content-type".to_owned(), "application/xml; charset=utf-8".to_owned()));
        return Some(Call {
            method: "REPORT",
            url,
            headers,
            body: query(now).into_bytes(),
        });
    }
    if let Some(tag) = &calendar.entity_tag {
        headers.push(("if-none-match".to_owned(), tag.clone()));
    }
    Some(Call {
        method: "GET",
        url,
        headers,
        body: Vec::new(),
    })
}

/// A `calendar-query` for the events of the days that are imported (RFC 4791, 7.8).
fn query(now: Timestamp) -> String {
    let day = |days: i64| {
        let at = now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(now);
        at.strftime("%Y%m%dT%H%M%SZ").to_string()
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop><C:calendar-data/></D:prop>\
         <C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\">\
         <C:time-range start=\"{}\" end=\"{}\"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>",
        day(-1),
        day(AHEAD_DAYS)
    )
}

fn read_response(answer: &Answer, is_caldav: bool, now: Timestamp) -> Result<Read, String> {
    if answer.status == 304 {
        return Ok(Read::Unchanged);
    }
    if !answer.is_taken() {
        return Err(format!("The address answered {}.", answer.status));
    }
    // A caller keeps nothing of a response over its limit.
    if answer.body.is_empty() {
        return Err(format!("The answer is empty, or longer than {ANSWER_MAX_BYTES} bytes."));
    }
    let text = std::str::from_utf8(&answer.body).map_err(|_| "The answer is no text in UTF-8.".to_owned())?;
    let objects = match is_caldav {
        true => objects(text)?,
        false => vec![text.to_owned()],
    };
    let mut events = Vec::new();
    for object in &objects {
        let (found, _) = ical::events(object, now).map_err(|problem| {
            let text = format!("Line {}: {}.", problem.line, problem.text);
            signal::SetAside::because(text).reason
        })?;
        events.extend(found);
        if events.len() > MOST_EVENTS {
            return Err(format!(
                "It has more than {MOST_EVENTS} events; name a smaller calendar."
            ));
        }
    }
    events.sort();
    let is_tag = |tag: &&String| !tag.is_empty() && tag.len() <= 200 && !tag.contains(char::is_control);
    let entity_tag = Some(&answer.entity_tag).filter(is_tag).filter(|_| !is_caldav).cloned();
    Ok(Read::Events { events, entity_tag })
}

/// The texts of the `calendar-data` of a multistatus (RFC 4791, 9.6).
fn objects(text: &str) -> Result<Vec<String>, String> {
    let mut reader = Reader::from_str(text);
    let mut found: Vec<String> = Vec::new();
    let (mut is_inside, mut is_multistatus) = (false, false);
    loop {
        let event = reader
            .read_event()
            .map_err(|error| format!("The answer is no XML: {error}."))?;
        match event {
            Event::Start(element) => {
                is_multistatus |= element.local_name().as_ref() == "multistatus";
                is_inside = element.local_name().as_ref() == "calendar-data";
                if is_inside {
                    found.push(String::new());
                }
            }
            Event::Empty(element) => is_multistatus |= element.local_name().as_ref() == "multistatus",
            Event::End(_) => is_inside = false,
            Event::Text(text) if is_inside => put(&mut found, &text),
            Event::CData(text) if is_inside => put(&mut found, &text),
            Event::GeneralRef(entity) if is_inside => put(&mut found, &letter(&entity)?),
            Event::DocType(_) => return Err("The answer has a document type, which is refused.".to_owned()),
            Event::Eof => break,
            _ => {}
        }
        if found.len() > MOST_OBJECTS {
            return Err(format!("The collection has more than {MOST_OBJECTS} events."));
        }
    }
    match is_multistatus {
        true => Ok(found),
        false => {
            Err("The answer is no multistatus of CalDAV; is the address that of a calendar collection?".to_owned())
        }
    }
}

fn put(found: &mut [String], text: &str) {
    if let Some(last) = found.last_mut() {
        last.push_str(text);
    }
}

/// The character of a character reference; entities of the document's own are refused.
fn letter(entity: &BytesRef<'_>) -> Result<String, String> {
    let named = match &**entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => entity.resolve_char_ref().ok().flatten(),
    };
    let wrong = || "The answer has an entity of its own, which is refused.".to_owned();
    named.map(String::from).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::collections::BTreeSet;

    use model::core::ids::RecordId;

    use super::*;

    fn now() -> Timestamp {
        "2026-12-01T00:00:00Z".parse().unwrap()
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after_seconds: None,
            media_type: "text/calendar".to_owned(),
            entity_tag: "\"v1\"".to_owned(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn calendar(is_caldav: bool) -> OutsideCalendar {
        OutsideCalendar {
            id: RecordId::from("c"),
            version: 1,
            name: "Works".to_owned(),
            url: Some("https://dc.example/works".to_owned()),
            is_caldav,
            every_minutes: None,
            has_credential: false,
            services: BTreeSet::new(),
            environments: BTreeSet::new(),
            vendor: None,
            imported: None,
            imported_at: None,
            entity_tag: Some("\"v1\"".to_owned()),
            read_problem: None,
            active: true,
        }
    }

    fn event(title: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\n\
             DTSTART:20261205T220000Z\r\nDTEND:20261205T230000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    #[test]
    fn a_file_is_asked_with_its_entity_tag_and_a_collection_by_report() {
        let file = call(&calendar(false), Some(b"ada:secret"), now()).unwrap();
        assert_eq!((file.method, file.body.len()), ("GET", 0));
        let has = |call: &Call, name: &str, value: &str| call.headers.contains(&(name.to_owned(), value.to_owned()));
        assert!(has(&file, "if-none-match", "\"v1\""));
        assert!(has(&file, "authorization", "Basic YWRhOnNlY3JldA=="));
        let collection = call(&calendar(true), None, now()).unwrap();
        assert_eq!(collection.method, "REPORT");
        assert!(has(&collection, "depth", "1"));
        let body = String::from_utf8(collection.body).unwrap();
        assert!(body.contains("start=\"20261130T000000Z\""), "{body}");
        assert!(objects(&body).is_err(), "a query is no answer");
    }

    #[test]
    fn an_answer_is_events_or_says_why_it_is_none() {
        assert_eq!(read_response(&answer(304, ""), false, now()), Ok(Read::Unchanged));
        let Ok(Read::Events { events, entity_tag }) = read_response(&answer(200, &event("Power")), false, now()) else {
            panic!("it is a calendar");
        };
        assert_eq!((events.len(), events[0].title.as_str()), (1, "Power"));
        assert_eq!(entity_tag.as_deref(), Some("\"v1\""));
        for (status, body, why) in [
            (403, "", "answered 403"),
            (302, "", "answered 302"),
            (200, "", "empty"),
            (200, "<html></html>", "Line 1"),
        ] {
            let told = read_response(&answer(status, body), false, now()).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn a_multistatus_is_read_with_its_characters_and_nothing_else_is() {
        let data = event("Power &amp; cooling").replace("\r\n", "&#13;\n");
        let body = format!(
            "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:response>\
             <d:href>/a.ics</d:href><d:propstat><d:prop><c:calendar-data>{data}</c:calendar-data></d:prop></d:propstat>\
             </d:response><d:response><d:propstat><d:prop><c:calendar-data><![CDATA[{}]]></c:calendar-data></d:prop>\
             </d:propstat></d:response></d:multistatus>",
            event("Second")
        );
        let Ok(Read::Events { events, .. }) = read_response(&answer(207, &body), true, now()) else {
            panic!("it is a multistatus");
        };
        let titles: Vec<&str> = events.iter().map(|it| it.title.as_str()).collect();
        assert_eq!(titles, ["Power & cooling", "Second"]);
        let empty = read_response(&answer(207, "<multistatus xmlns=\"DAV:\"/>"), true, now());
        let nothing = Read::Events {
            events: Vec::new(),
            entity_tag: None,
        };
        assert_eq!(empty, Ok(nothing));
        for body in [
            "<html><body/></html>",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><multistatus/>",
            "<multistatus><calendar-data>&e;</calendar-data></multistatus>",
            "<multistatus",
        ] {
            assert!(read_response(&answer(207, body), true, now()).is_err(), "{body}");
        }
    }
}

//! The calendar as CalDAV clients read it (RFC 4791 over RFC 4918): a principal that is also the home of its calendars, one collection
//! below it, and one object for each event. Everything is read-only. `PROPFIND` returns the properties that clients request,
//! `REPORT` supports `calendar-query` with a time range and `calendar-multiget`.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The longest body of a request, in bytes.
pub const BODY_MAX_BYTES: usize = 256 * 1024;
/// The most objects that a `calendar-multiget` may name.
const MOST_NAMED: usize = 2_000;
/// The deepest nesting of a request's elements.
const DEPTH_MAX: usize = 32;
/// The namespaces of every response.
const NAMESPACES: &str =
    "xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:S=\"http://calendarserver.org/ns/\"";

/// An event of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The last part of its address, ending in `.ics`.
    pub name: String,
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// The whole iCalendar text.
    pub text: String,
    /// Its entity tag, with quotes.
    pub entity_tag: String,
}

/// The tree that a client sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The path of the principal, ending in a slash.
    pub root: String,
    /// The last part of the collection's path, without a slash.
    pub collection: String,
    /// The name of the calendar.
    pub name: String,
    /// A text without spaces or quotes that differs once an event does.
    pub tag: String,
    /// Its events.
    pub objects: Vec<Object>,
}

/// A client's request.
#[derive(Debug, Clone, Copy)]
pub struct CaldavRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path below the root: empty, `calendar`, or `calendar/object.ics`, without a slash at the end.
    pub below: &'a str,
    /// The header `Depth`.
    pub depth: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// `Content-Type`; empty where there is no body.
    pub media_type: &'static str,
    /// `ETag`, where the response is one object.
    pub entity_tag: Option<String>,
    /// The body.
    pub body: String,
}

const XML: &str = "application/xml; charset=utf-8";
const ICAL: &str = "text/calendar; charset=utf-8";

impl Reply {
    fn xml(status: u16, body: String) -> Self {
        Self {
            status,
            media_type: XML,
            entity_tag: None,
            body,
        }
    }

    /// An error with its precondition (RFC 4918, 16).
    fn error(status: u16, condition: &str) -> Self {
        let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><D:error {NAMESPACES}><{condition}/></D:error>");
        Self::xml(status, body)
    }

    fn plain(status: u16, text: &str) -> Self {
        Self {
            status,
            media_type: "text/plain; charset=utf-8",
            entity_tag: None,
            body: text.to_owned(),
        }
    }
}

/// The password of a header `Authorization: Basic` (RFC 7617); `None` for any other.
#[must_use]
pub fn password(header: &str) -> Option<String> {
    let (scheme, coded) = header.split_once(' ')?;
    let bytes = STANDARD.decode(coded.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (_, password) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}

/// A thing with an address.
#[derive(Clone, Copy)]
enum Thing<'t> {
    Principal,
    Calendar,
    Object(&'t Object),
}

/// Answers a client.
#[must_use]
pub fn respond(tree: &Tree, asked: CaldavRequest<'_>) -> Reply {
    if asked.method == "OPTIONS" {
        return Reply::plain(200, "");
    }
    if !matches!(asked.method, "GET" | "HEAD" | "PROPFIND" | "REPORT") {
        return Reply::error(403, "D:need-privileges");
    }
    let Some(thing) = tree.find(asked.below) else {
        return Reply::plain(404, "There is no such calendar object.\n");
    };
    match asked.method {
        "PROPFIND" => propfind(tree, thing, asked),
        "REPORT" => report(tree, thing, asked.body),
        _ => get(tree, thing),
    }
}

impl Tree {
    fn find(&self, below: &str) -> Option<Thing<'_>> {
        if below.is_empty() {
            return Some(Thing::Principal);
        }
        let rest = below.strip_prefix(self.collection.as_str())?;
        if rest.is_empty() {
            return Some(Thing::Calendar);
        }
        let name = rest.strip_prefix('/')?;
        self.objects.iter().find(|it| it.name == name).map(Thing::Object)
    }

    fn href(&self, thing: Thing<'_>) -> String {
        let collection = || format!("{}{}/", self.root, self.collection);
        match thing {
            Thing::Principal => self.root.clone(),
            Thing::Calendar => collection(),
            Thing::Object(object) => format!("{}{}", collection(), object.name),
        }
    }

    /// The whole calendar as one text.
    fn text(&self) -> String {
        let mut out = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Assent//Changes//EN\r\n");
        for object in &self.objects {
            let from = object.text.find("BEGIN:VEVENT");
            let to = object.text.rfind("END:VCALENDAR");
            if let (Some(from), Some(to)) = (from, to) {
                out.push_str(&object.text[from..to]);
            }
        }
        out.push_str("END:VCALENDAR\r\n");
        out
    }
}

fn get(tree: &Tree, thing: Thing<'_>) -> Reply {
    match thing {
        Thing::Principal => Reply::plain(200, "A CalDAV client reads the calendar here.\n"),
        Thing::Calendar => Reply {
            status: 200,
            media_type: ICAL,
            entity_tag: Some(format!("\"{}\"", tree.tag)),
            body: tree.text(),
        },
        Thing::Object(object) => Reply {
            status: 200,
            media_type: ICAL,
            entity_tag: Some(object.entity_tag.clone()),
            body: object.text.clone(),
        },
    }
}

fn propfind(tree: &Tree, thing: Thing<'_>, asked: CaldavRequest<'_>) -> Reply {
    // An infinite depth may be refused (RFC 4918, 9.1); none means infinite, which clients of calendars do not mean.
    let is_deep = match asked.depth {
        Some("0") | None => false,
        Some("1") => true,
        Some(_) => return Reply::error(403, "D:propfind-finite-depth"),
    };
    let Ok(request) = Request::read(asked.body) else {
        return Reply::plain(400, "The body is no XML that is read here.\n");
    };
    let names: Vec<&str> = match request.props.is_empty() {
        true => USUAL.to_vec(),
        false => request.props.iter().map(String::as_str).collect(),
    };
    let mut things = vec![thing];
    match thing {
        Thing::Principal if is_deep => things.push(Thing::Calendar),
        Thing::Calendar if is_deep => things.extend(tree.objects.iter().map(Thing::Object)),
        _ => {}
    }
    let mut out = begin();
    for thing in things {
        response(&mut out, tree, thing, &names);
    }
    Reply::xml(207, end(out))
}

fn report(tree: &Tree, thing: Thing<'_>, body: &[u8]) -> Reply {
    if !matches!(thing, Thing::Calendar) {
        return Reply::error(403, "D:supported-report");
    }
    let Ok(request) = Request::read(body) else {
        return Reply::plain(400, "The body is no XML that is read here.\n");
    };
    let names: Vec<&str> = request.props.iter().map(String::as_str).collect();
    let mut out = begin();
    match request.root.as_str() {
        "calendar-query" if request.has_other_filter => return Reply::error(403, "C:supported-filter"),
        "calendar-query" => {
            for object in tree.objects.iter().filter(|it| request.wants(it)) {
                response(&mut out, tree, Thing::Object(object), &names);
            }
        }
        "calendar-multiget" => {
            for href in &request.hrefs {
                match named(tree, href) {
                    Some(object) => response(&mut out, tree, Thing::Object(object), &names),
                    None => absent(&mut out, href),
                }
            }
        }
        _ => return Reply::error(403, "D:supported-report"),
    }
    Reply::xml(207, end(out))
}

/// The object of an address, as a path or with its server.
fn named<'t>(tree: &'t Tree, href: &str) -> Option<&'t Object> {
    let path = match href.split_once("://") {
        Some((_, rest)) => rest.find('/').map(|at| &rest[at..])?,
        None => href,
    };
    let begin = tree.href(Thing::Calendar);
    let name = path.strip_prefix(begin.as_str())?;
    tree.objects.iter().find(|it| it.name == name)
}

fn begin() -> String {
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus {NAMESPACES}>")
}

fn end(mut out: String) -> String {
    out.push_str("</D:multistatus>\n");
    out
}

fn absent(out: &mut String, href: &str) {
    let href = escape(href);
    put(
        out,
        format_args!("<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>"),
    );
}

/// The properties that are returned where none is named.
const USUAL: &[&str] = &[
    "resourcetype",
    "displayname",
    "getetag",
    "getcontenttype",
    "current-user-principal",
    "calendar-home-set",
    "supported-calendar-component-set",
];

fn response(out: &mut String, tree: &Tree, thing: Thing<'_>, names: &[&str]) {
    let (mut found, mut lacking) = (String::new(), String::new());
    for name in names {
        match property(tree, thing, name) {
            Some((tag, value)) => put(&mut found, format_args!("<{tag}>{value}</{tag}>")),
            None => put(&mut lacking, format_args!("<D:{name}/>")),
        }
    }
    let href = escape(tree.href(thing)).into_owned();
    put(out, format_args!("<D:response><D:href>{href}</D:href>"));
    for (props, status) in [(found, "200 OK"), (lacking, "404 Not Found")] {
        if !props.is_empty() {
            put(
                out,
                format_args!("<D:propstat><D:prop>{props}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"),
            );
        }
    }
    out.push_str("</D:response>");
}

/// A property of a thing, as the tag and the XML inside; `None` where it has none.
fn property(tree: &Tree, thing: Thing<'_>, name: &str) -> Option<(&'static str, String)> {
    let href = |path: &str| format!("<D:href>{}</D:href>", escape(path));
    let common = match name {
        "current-user-principal" => Some(("D:current-user-principal", href(&tree.root))),
        "owner" => Some(("D:owner", href(&tree.root))),
        "current-user-privilege-set" => Some((
            "D:current-user-privilege-set",
            "<D:privilege><D:read/></D:privilege>".to_owned(),
        )),
        _ => None,
    };
    if common.is_some() {
        return common;
    }
    match thing {
        Thing::Principal => Some(match name {
            "resourcetype" => ("D:resourcetype", "<D:collection/><D:principal/>".to_owned()),
            "displayname" => ("D:displayname", escape(&tree.name).into_owned()),
            "principal-URL" => ("D:principal-URL", href(&tree.root)),
            "calendar-home-set" => ("C:calendar-home-set", href(&tree.root)),
            _ => return None,
        }),
        Thing::Calendar => Some(match name {
            "resourcetype" => ("D:resourcetype", "<D:collection/><C:calendar/>".to_owned()),
            "displayname" => ("D:displayname", escape(&tree.name).into_owned()),
            "getctag" => ("S:getctag", tree.tag.clone()),
            "getetag" => ("D:getetag", format!("\"{}\"", tree.tag)),
            "supported-calendar-component-set" => (
                "C:supported-calendar-component-set",
                "<C:comp name=\"VEVENT\"/>".to_owned(),
            ),
            "supported-report-set" => ("D:supported-report-set", reports()),
            _ => return None,
        }),
        Thing::Object(object) => Some(match name {
            "resourcetype" => ("D:resourcetype", String::new()),
            "getetag" => ("D:getetag", escape(&object.entity_tag).into_owned()),
            "getcontenttype" => ("D:getcontenttype", "text/calendar; component=VEVENT".to_owned()),
            "getcontentlength" => ("D:getcontentlength", object.text.len().to_string()),
            // A carriage return as it is would be lost in reading (XML 1.0, 2.11).
            "calendar-data" => ("C:calendar-data", escape(&object.text).replace('\r', "&#13;")),
            _ => return None,
        }),
    }
}

fn reports() -> String {
    let one = |name: &str| format!("<D:supported-report><D:report><C:{name}/></D:report></D:supported-report>");
    one("calendar-query") + &one("calendar-multiget")
}

/// Writing into a text cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(text);
}

/// The content of a body.
#[derive(Debug, Default)]
struct Request {
    root: String,
    props: Vec<String>,
    hrefs: Vec<String>,
    components: Vec<String>,
    range: Option<(Timestamp, Timestamp)>,
    has_other_filter: bool,
}

impl Request {
    /// Reads a body; an empty one requests the default properties.
    fn read(body: &[u8]) -> Result<Self, ()> {
        let text = std::str::from_utf8(body).map_err(|_| ())?;
        let mut request = Self::default();
        if text.trim().is_empty() {
            return Ok(request);
        }
        let mut reader = Reader::from_str(text);
        let mut open: Vec<String> = Vec::new();
        loop {
            match reader.read_event().map_err(|_| ())? {
                Event::Start(element) => {
                    request.take(&element, &open)?;
                    open.push(element.local_name().as_ref().to_owned());
                    if open.len() > DEPTH_MAX {
                        return Err(());
                    }
                }
                Event::Empty(element) => request.take(&element, &open)?,
                Event::End(_) => {
                    open.pop();
                }
                Event::Text(text) if open.last().is_some_and(|it| it == "href") => {
                    if let Some(last) = request.hrefs.last_mut() {
                        last.push_str(text.trim());
                    }
                }
                Event::DocType(_) => return Err(()),
                Event::Eof => break,
                _ => {}
            }
        }
        match open.is_empty() && !request.root.is_empty() {
            true => Ok(request),
            false => Err(()),
        }
    }

    fn take(&mut self, element: &BytesStart<'_>, open: &[String]) -> Result<(), ()> {
        let name = element.local_name().as_ref().to_owned();
        // A name goes into the response, so only a plain name is valid.
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) || name.len() > 64 {
            return Err(());
        }
        match (open.last().map(String::as_str), name.as_str()) {
            (None, _) => self.root = name,
            (Some("prop"), _) => self.props.push(name),
            (_, "href") if self.hrefs.len() >= MOST_NAMED => return Err(()),
            (_, "href") => self.hrefs.push(String::new()),
            (_, "comp-filter") => self.components.extend(attribute(element, "name")),
            (_, "time-range") => self.range = Some(range(element)?),
            (_, "prop-filter" | "param-filter" | "text-match" | "is-not-defined") => self.has_other_filter = true,
            _ => {}
        }
        match self.props.len() > DEPTH_MAX * 2 {
            true => Err(()),
            false => Ok(()),
        }
    }

    fn wants(&self, object: &Object) -> bool {
        let is_event = |name: &String| matches!(name.as_str(), "VCALENDAR" | "VEVENT");
        let (from, until) = self.range.unwrap_or((Timestamp::MIN, Timestamp::MAX));
        self.components.iter().all(is_event) && object.starts_at < until && object.ends_at > from
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).ok()??;
    let value = found.normalized_value(XmlVersion::default()).ok()?;
    Some(value.into_owned())
}

/// A time range, of which one end may be open (RFC 4791, 9.9).
fn range(element: &BytesStart<'_>) -> Result<(Timestamp, Timestamp), ()> {
    let at = |name: &str, usual: Timestamp| match attribute(element, name) {
        Some(text) => instant(&text).ok_or(()),
        None => Ok(usual),
    };
    Ok((at("start", Timestamp::MIN)?, at("end", Timestamp::MAX)?))
}

fn instant(text: &str) -> Option<Timestamp> {
    let local = DateTime::strptime("%Y%m%dT%H%M%S", text.strip_suffix('Z')?).ok()?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn object(name: &str, day: &str, title: &str) -> Object {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{name}\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n\
             END:VCALENDAR\r\n"
        );
        Object {
            name: format!("{name}.ics"),
            starts_at: format!("{day}T10:00:00Z").parse().unwrap(),
            ends_at: format!("{day}T11:00:00Z").parse().unwrap(),
            entity_tag: format!("\"{name}\""),
            text,
        }
    }

    fn tree() -> Tree {
        Tree {
            root: "/t/halden/caldav/".to_owned(),
            collection: "changes".to_owned(),
            name: "Changes, <Halden>".to_owned(),
            tag: "ab".to_owned(),
            objects: vec![
                object("a", "2026-12-01", "Move & mend"),
                object("b", "2026-12-05", "Second"),
            ],
        }
    }

    fn ask(method: &str, below: &str, depth: Option<&str>, body: &str) -> Reply {
        let body = body.as_bytes();
        respond(
            &tree(),
            CaldavRequest {
                method,
                below,
                depth,
                body,
            },
        )
    }

    #[test]
    fn a_client_finds_the_calendar_from_its_principal() {
        let body = "<propfind xmlns=\"DAV:\"><prop><current-user-principal/><color/></prop></propfind>";
        let found = ask("PROPFIND", "", Some("0"), body);
        assert_eq!(found.status, 207);
        let principal = "<D:current-user-principal><D:href>/t/halden/caldav/</D:href></D:current-user-principal>";
        assert!(found.body.contains(principal), "{}", found.body);
        assert!(
            found.body.contains("<D:color/></D:prop><D:status>HTTP/1.1 404"),
            "{}",
            found.body
        );
        let home = ask("PROPFIND", "", Some("1"), "");
        assert!(
            home.body.contains("<D:href>/t/halden/caldav/changes/</D:href>"),
            "{}",
            home.body
        );
        assert!(home.body.contains("<C:calendar/>") && home.body.contains("Changes, &lt;Halden&gt;"));
        assert_eq!(ask("PROPFIND", "", Some("infinity"), "").status, 403);
    }

    #[test]
    fn a_query_tells_the_events_of_its_time_and_a_multiget_those_that_it_names() {
        let query = |filter: &str| {
            format!(
                "<C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop><D:getetag/>\
                 <C:calendar-data/></D:prop><C:filter><C:comp-filter name=\"VCALENDAR\">{filter}</C:comp-filter></C:filter>\
                 </C:calendar-query>"
            )
        };
        let early = "<C:comp-filter name=\"VEVENT\"><C:time-range start=\"20261130T000000Z\" end=\"20261202T000000Z\"/></C:comp-filter>";
        let told = ask("REPORT", "changes", Some("1"), &query(early)).body;
        assert!(
            told.contains("/changes/a.ics") && !told.contains("/changes/b.ics"),
            "{told}"
        );
        assert!(told.contains("SUMMARY:Move &amp; mend&#13;\n"), "{told}");
        let tasks = ask("REPORT", "changes", None, &query("<C:comp-filter name=\"VTODO\"/>"));
        assert!(!tasks.body.contains("<D:response>"), "{}", tasks.body);
        let other = query("<C:comp-filter name=\"VEVENT\"><C:prop-filter name=\"UID\"/></C:comp-filter>");
        assert_eq!(ask("REPORT", "changes", None, &other).status, 403);
        let multiget = "<C:calendar-multiget xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop><D:getetag/></D:prop>\
                        <D:href>/t/halden/caldav/changes/b.ics</D:href><D:href>/t/other/caldav/changes/a.ics</D:href>\
                        </C:calendar-multiget>";
        let told = ask("REPORT", "changes", None, multiget).body;
        assert!(told.contains("<D:getetag>&quot;b&quot;</D:getetag>"), "{told}");
        assert!(
            told.contains("/t/other/caldav/changes/a.ics</D:href><D:status>HTTP/1.1 404"),
            "{told}"
        );
    }

    #[test]
    fn objects_are_read_and_nothing_is_written() {
        let one = ask("GET", "changes/a.ics", None, "");
        assert_eq!((one.status, one.entity_tag.as_deref()), (200, Some("\"a\"")));
        assert!(one.body.contains("SUMMARY:Move & mend"));
        let all = ask("GET", "changes", None, "");
        assert_eq!(all.body.matches("BEGIN:VEVENT").count(), 2);
        for method in ["PUT", "DELETE", "PROPPATCH", "MKCALENDAR", "POST"] {
            assert_eq!(ask(method, "changes/a.ics", None, "").status, 403, "{method}");
        }
        assert_eq!(ask("GET", "changes/c.ics", None, "").status, 404);
        assert_eq!(ask("PROPFIND", "elsewhere", Some("0"), "").status, 404);
    }

    #[test]
    fn the_password_is_that_of_a_basic_credential() {
        assert_eq!(password("Basic YWRhOm9wZW46eA==").as_deref(), Some("open:x"));
        for header in ["Bearer YWRhOm9wZW4=", "Basic !", "Basic YWRh", "Basic"] {
            assert_eq!(password(header), None, "{header}");
        }
    }

    #[test]
    fn a_body_that_is_no_question_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        for body in ["<propfind", "<!DOCTYPE a><propfind/>", "hello", &deep, "<a><b></a>"] {
            assert_eq!(ask("PROPFIND", "", Some("0"), body).status, 400, "{body}");
        }
        assert_eq!(ask("REPORT", "changes", None, "<free-busy-query/>").status, 403);
        assert_eq!(ask("REPORT", "", None, "<calendar-query/>").status, 403);
    }
}

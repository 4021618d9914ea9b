//! An event log as XES (IEEE 1849-2016) and as CSV (RFC 4180), for process mining tools such as pm4py.

use model::report::event_log::{Case, CaseEvent};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event};

/// The extensions of the standard that are used, with their prefixes.
const EXTENSIONS: [(&str, &str); 4] = [
    ("Concept", "concept"),
    ("Lifecycle", "lifecycle"),
    ("Organizational", "org"),
    ("Time", "time"),
];

/// The heads of the CSV file.
pub const HEADS: [&str; 7] = [
    "case_id",
    "activity",
    "timestamp",
    "resource",
    "kind",
    "risk",
    "services",
];

/// Writes an event log as XES.
#[must_use]
pub fn xes(cases: &[Case]) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    write(&mut writer, cases).expect("writing into memory cannot fail");
    String::from_utf8(writer.into_inner()).expect("the parts are UTF-8")
}

type Out = Writer<Vec<u8>>;

fn write(out: &mut Out, cases: &[Case]) -> std::io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut log = BytesStart::new("log");
    log.push_attribute(("xes.version", "1849-2016"));
    log.push_attribute(("xes.features", ""));
    log.push_attribute(("xmlns", "http://www.xes-standard.org/"));
    out.write_event(Event::Start(log))?;
    for (name, prefix) in EXTENSIONS {
        let uri = format!("http://www.xes-standard.org/{prefix}.xesext");
        empty(out, "extension", &[("name", name), ("prefix", prefix), ("uri", &uri)])?;
    }
    global(out, "trace", &[("string", "concept:name", "unknown")])?;
    let of_event = [
        ("string", "concept:name", "unknown"),
        ("string", "org:resource", "unknown"),
        ("string", "lifecycle:transition", "complete"),
        ("date", "time:timestamp", "1970-01-01T00:00:00+00:00"),
    ];
    global(out, "event", &of_event)?;
    empty(out, "classifier", &[("name", "Activity"), ("keys", "concept:name")])?;
    attribute(out, "string", "concept:name", "Changes")?;
    for case in cases {
        write_case(out, case)?;
    }
    out.write_event(Event::End(BytesEnd::new("log")))
}

fn global(out: &mut Out, scope: &str, attributes: &[(&str, &str, &str)]) -> std::io::Result<()> {
    let mut start = BytesStart::new("global");
    start.push_attribute(("scope", scope));
    out.write_event(Event::Start(start))?;
    for (kind, key, value) in attributes {
        attribute(out, kind, key, value)?;
    }
    out.write_event(Event::End(BytesEnd::new("global")))
}

fn write_case(out: &mut Out, case: &Case) -> std::io::Result<()> {
    out.write_event(Event::Start(BytesStart::new("trace")))?;
    attribute(out, "string", "concept:name", &case.key)?;
    attribute(out, "string", "kind", &case.kind)?;
    attribute(out, "string", "risk", &case.risk)?;
    attribute(out, "string", "services", &case.services.join(" "))?;
    for event in &case.events {
        write_event(out, event)?;
    }
    out.write_event(Event::End(BytesEnd::new("trace")))
}

fn write_event(out: &mut Out, event: &CaseEvent) -> std::io::Result<()> {
    out.write_event(Event::Start(BytesStart::new("event")))?;
    attribute(out, "string", "concept:name", &event.activity)?;
    attribute(out, "string", "org:resource", &event.resource)?;
    attribute(out, "string", "lifecycle:transition", "complete")?;
    attribute(out, "date", "time:timestamp", &moment(event))?;
    out.write_event(Event::End(BytesEnd::new("event")))
}

/// The time as `xs:dateTime` with an offset, in milliseconds: the form that tools share.
fn moment(event: &CaseEvent) -> String {
    event.at.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
}

fn attribute(out: &mut Out, kind: &str, key: &str, value: &str) -> std::io::Result<()> {
    empty(out, kind, &[("key", key), ("value", value)])
}

fn empty(out: &mut Out, name: &str, attributes: &[(&str, &str)]) -> std::io::Result<()> {
    let mut element = BytesStart::new(name);
    for pair in attributes {
        element.push_attribute(*pair);
    }
    out.write_event(Event::Empty(element))
}

/// Writes an event log as CSV, one line per event.
#[must_use]
pub fn csv(cases: &[Case]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    write_csv(&mut writer, cases).expect("writing into memory cannot fail");
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).expect("the parts are UTF-8")
}

fn write_csv(writer: &mut csv::Writer<Vec<u8>>, cases: &[Case]) -> csv::Result<()> {
    writer.write_record(HEADS)?;
    for case in cases {
        let services = case.services.join(" ");
        for event in &case.events {
            let at = moment(event);
            writer.write_record([
                case.key.as_str(),
                &event.activity,
                &at,
                &event.resource,
                &case.kind,
                &case.risk,
                &services,
            ])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use quick_xml::XmlVersion;

    use super::*;

    fn cases() -> Vec<Case> {
        let event = |activity: &str, at: &str| CaseEvent {
            activity: activity.to_owned(),
            resource: "ada \"the\" <first>, & co".to_owned(),
            at: at.parse().expect("a time"),
        };
        vec![Case {
            key: "CHG-1".to_owned(),
            kind: "normal".to_owned(),
            risk: "low".to_owned(),
            services: vec!["web".to_owned(), "pay".to_owned()],
            events: vec![
                event("change.created", "2026-11-01T10:00:00Z"),
                event("change.closed", "2026-11-02T10:00:00.123456Z"),
            ],
        }]
    }

    #[test]
    fn a_log_as_xes_has_one_trace_per_change_and_is_read_back() {
        let text = xes(&cases());
        let mut reader = quick_xml::Reader::from_str(&text);
        let (mut traces, mut events, mut values) = (0, 0, Vec::new());
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Start(it) if it.name().as_ref() == "trace" => traces += 1,
                Event::Start(it) if it.name().as_ref() == "event" => events += 1,
                Event::Empty(it) if events > 0 => {
                    let value = it.try_get_attribute("value").expect("attributes").expect("a value");
                    values.push(
                        value
                            .normalized_value(XmlVersion::default())
                            .expect("escaped")
                            .into_owned(),
                    );
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!((traces, events), (1, 2));
        assert_eq!(values[1], "ada \"the\" <first>, & co");
        assert_eq!(values[7], "2026-11-02T10:00:00.123+00:00");
    }

    #[test]
    fn a_log_as_csv_has_one_line_per_event() {
        let text = csv(&cases());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(&rows[0][3], "ada \"the\" <first>, & co");
        assert_eq!(
            (&rows[1][0], &rows[1][1], &rows[1][6]),
            ("CHG-1", "change.closed", "web pay")
        );
    }
}

//! Sinks of the log: made, changed, moved, ended. Permissions and the suspension with an owner are those of webhooks.

use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::integration::sink::{self, Sink, SinkFormat, Transport};
use model::nouns::why_no_kinds;
use serde_json::json;
use store::integration::sink as states;
use store::record;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::secrets::{self, sink_name};
use crate::core::services::Reach;
use crate::core::write;
use crate::integration::set_webhook::{check_kind_count, check_reach, is_address, next_index};

/// The longest address, in characters.
const URL: usize = 2_000;
/// The longest credential, in characters.
const CREDENTIAL: usize = 4_000;
/// The most active sinks of a tenant.
const MOST: i64 = 20;
/// The largest size of a file before it is rotated, in mebibytes.
const MOST_MIB: i64 = 10_240;
/// The most rotated files that are kept.
const MOST_FILES: i64 = 1_000;

/// Makes a sink (`POST /sinks {name, url, format, kinds, with_texts, credential, rotate_mib, keep_files, owner, from}`). It
/// begins with the next entry of the log, or at the index `from`.
///
/// # Errors
/// 403, 409 when there are too many, 422, or the store's.
pub fn create_sink(cx: &mut Context<'_, '_>, body: &Body) -> Result<Sink> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let mut reading = Reading::new(body, "");
    let mut made = Sink {
        id: RecordId(cx.new_id()?),
        version: 0,
        name: reading.needed("name", LINE),
        url: reading.needed("url", URL),
        format: SinkFormat::Rfc5424,
        kinds: vec!["*".to_owned()],
        with_texts: false,
        has_credential: false,
        rotate_mib: None,
        keep_files: None,
        owner: cx.actor.person.clone(),
        active: true,
    };
    match reading.needed("format", LINE).as_str() {
        "" => {}
        name => read_format(&mut reading, name, &mut made),
    }
    let credential = fill(cx, &mut reading, &mut made)?;
    let size = next_index(cx)?;
    let from = read_index(&mut reading, "from", size).unwrap_or(size);
    reading.finish()?;
    refuse_second_file(cx, &made)?;
    if record::count::<Sink>(cx.tx, &record::Filter::new().equals("active", true))? >= MOST {
        let text = format!("There are {MOST} sinks, and that is the most.");
        return Err(Refusal::not_now("too_many", text, "End one that is not needed.", Vec::new()).into());
    }
    keep(cx, &mut made, credential)?;
    let now = cx.now;
    states::begin(cx.tx, made.id.as_str(), from, now)?;
    cx.put_estate("sink.created", made, json!({"from": from}))
}

/// A sink by its id.
///
/// # Errors
/// 404, or the store's.
pub fn sink(cx: &mut Context<'_, '_>, id: &str) -> Result<Sink> {
    let found = record::load::<Sink>(cx.tx, id)?.map(|stored| stored.record);
    found.ok_or_else(|| Error::Refused(Refusal::not_found("sink")))
}

/// Changes, stops or resumes a sink (`PATCH /sinks/{id}`): `active: true` resumes where it stopped. A credential of null
/// removes the present one.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn edit_sink(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Sink> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let before = sink(cx, id)?;
    let mut reading = Reading::new(body, "");
    let mut next = before.clone();
    next.name = reading.text("name", LINE).unwrap_or(next.name);
    next.url = reading.text("url", URL).unwrap_or(next.url);
    if let Some(name) = reading.text("format", LINE) {
        read_format(&mut reading, &name, &mut next);
    }
    let credential = fill(cx, &mut reading, &mut next)?;
    next.active = reading.boolean("active").unwrap_or(next.active);
    reading.finish()?;
    if next.active {
        refuse_second_file(cx, &next)?;
    }
    // A credential belongs to the receiver that it was given for.
    if next.url != before.url && next.has_credential && credential.is_none() {
        let text = "The address changes, so its `credential` is needed again.";
        return Err(Refusal::field("credential", "missing", text).into());
    }
    let is_new_credential = credential.is_some();
    keep(cx, &mut next, credential)?;
    if next == before && !is_new_credential {
        return Ok(before);
    }
    match (before.active, next.active) {
        (true, false) => states::stop(cx.tx, id)?,
        (_, true) => {
            // Entries that the receiver refused are retried at once with the corrected settings.
            let position = states::state(cx.tx, id)?.map_or(0, |state| state.position);
            let now = cx.now;
            states::begin(cx.tx, id, position, now)?;
        }
        _ => {}
    }
    cx.put_estate("sink.edited", next, json!({}))
}

/// Ends a sink (`DELETE /sinks/{id}`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_sink(cx: &mut Context<'_, '_>, id: &str) -> Result<Sink> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = sink(cx, id)?;
    states::stop(cx.tx, id)?;
    cx.put_estate("sink.ended", Sink { active: false, ..found }, json!({}))
}

/// Continues at another index (`POST /sinks/{id}/position {index}`): earlier sends entries again, later leaves some out.
///
/// # Errors
/// 403, 404, 409 for a sink that has ended, 422, or the store's.
pub fn move_sink(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Sink> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = sink(cx, id)?;
    let size = next_index(cx)?;
    let mut reading = Reading::new(body, "");
    let index = read_index(&mut reading, "index", size);
    if index.is_none() && reading.errors.is_empty() {
        reading.wrong("index", "missing", "`index` is missing.");
    }
    reading.finish()?;
    if !found.active {
        let text = "This sink has ended.";
        return Err(Refusal::not_now("ended", text, "Set `active` to true first.", Vec::new()).into());
    }
    let index = index.unwrap_or(size);
    let before = states::state(cx.tx, id)?.map_or(0, |state| state.position);
    let now = cx.now;
    states::begin(cx.tx, id, index, now)?;
    let data = json!({"from": before, "to": index});
    let event = write::draft("sink.moved", ("sink", id.to_owned()), now, data);
    cx.emit(vec![event], write::Written::default())?;
    Ok(found)
}

fn read_index(reading: &mut Reading<'_>, field: &'static str, size: i64) -> Option<i64> {
    let index = reading.integer(field, 0..=i64::MAX)?;
    if index > size {
        let text = format!("`{field}` is beyond the end of the log, which has {size} entries.");
        reading.wrong(field, "out_of_range", text);
    }
    Some(index)
}

fn read_format(reading: &mut Reading<'_>, name: &str, sink: &mut Sink) {
    match SinkFormat::named(name) {
        Some(format) => sink.format = format,
        None => {
            let names: Vec<&str> = SinkFormat::ALL.iter().map(|(name, _)| *name).collect();
            reading.wrong(
                "format",
                "unknown_word",
                format!("`format` is one of {}.", names.join(", ")),
            );
        }
    }
}

/// Reads the fields that creation and edit share; returns a new credential.
fn fill(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>, sink: &mut Sink) -> Result<Option<String>> {
    let directory = cx.directory()?;
    sink.kinds = reading.texts("kinds", LINE).unwrap_or_else(|| sink.kinds.clone());
    sink.with_texts = reading.boolean("with_texts").unwrap_or(sink.with_texts);
    sink.rotate_mib = reading.integer("rotate_mib", 1..=MOST_MIB).or(sink.rotate_mib);
    sink.keep_files = reading.integer("keep_files", 1..=MOST_FILES).or(sink.keep_files);
    sink.owner = read_content::person(reading, "owner", &directory).unwrap_or_else(|| sink.owner.clone());
    let is_said = reading.says("credential");
    let credential = reading
        .text("credential", CREDENTIAL)
        .or_else(|| is_said.then(String::new));
    check_address(reading, sink, &cx.services.tools().reaches);
    // An edit without `kinds` keeps kinds that this release no longer writes.
    if reading.says("kinds") {
        check_kinds(reading, &sink.kinds);
    }
    let is_http = sink.transport() == Some(Transport::Http);
    if credential.as_ref().is_some_and(|text| !text.is_empty()) && !is_http {
        let text = "Only an `https` address takes a credential.";
        reading.wrong("credential", "not_taken", text);
    }
    let is_clean = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if !credential.as_ref().is_none_or(is_clean) {
        reading.wrong(
            "credential",
            "unreadable",
            "`credential` is printable ASCII, as a header is.",
        );
    }
    Ok(credential)
}

fn check_kinds(reading: &mut Reading<'_>, kinds: &[String]) {
    check_kind_count(reading, kinds);
    for text in kinds.iter().filter_map(|kind| why_no_kinds(kind)) {
        reading.wrong("kinds", "unknown_word", text);
    }
}

/// Checks an address as far as its writing shows; the addresses behind a name are checked at each call.
fn check_address(reading: &mut Reading<'_>, made: &Sink, reaches: &Reach) {
    let url = made.url.as_str();
    let Some(transport) = sink::transport(url) else {
        if !url.is_empty() {
            let text = "`url` begins with `tcp://`, `tls://`, `https://`, `http://` or `file:`.";
            reading.wrong("url", "not_an_address", text);
        }
        return;
    };
    let wrong = match transport {
        Transport::Tcp | Transport::Tls if sink::host_port(url).is_none() => {
            Some("`url` is a host and a port, such as tls://siem.example.org:6514.")
        }
        Transport::Http if !is_address(url) => {
            Some("`url` is an address such as https://siem.example.org/in, without a login and a fragment.")
        }
        Transport::File if sink::file_name(url).is_none() => Some(
            "`url` is `file:` and a plain name of small letters, digits, `.`, `-` and `_`, such as file:siem.jsonl.",
        ),
        _ => None,
    };
    if let Some(text) = wrong {
        return reading.wrong("url", "not_an_address", text);
    }
    if transport != Transport::File {
        check_reach(reading, ("url", url), reaches);
    }
    if !made.format.goes_over(transport) {
        let text = format!(
            "The format `{}` does not go over this address. `rfc5424`, `cef` and `ocsf` go over `tcp`, `tls`, `https` and `file`; \
             `hec` and `otlp` over `https` and `file`; `kafka` over `https`.",
            made.format.as_str()
        );
        reading.wrong("format", "not_here", text);
    }
}

/// Two sinks that write to one file would rotate each other's entries away.
fn refuse_second_file(cx: &mut Context<'_, '_>, made: &Sink) -> Result<()> {
    if made.transport() != Some(Transport::File) {
        return Ok(());
    }
    let active = record::Filter::new().equals("active", true).order_by("id");
    let found = record::bodies::<Sink>(cx.tx, &active)?;
    if found.iter().any(|it| it.id != made.id && it.url == made.url) {
        let text = "Another sink writes to this file.";
        return Err(Refusal::field("url", "taken", text).into());
    }
    Ok(())
}

/// Stores a new credential; an empty one removes the present one.
fn keep(cx: &mut Context<'_, '_>, sink: &mut Sink, credential: Option<String>) -> Result<()> {
    let Some(credential) = credential else { return Ok(()) };
    sink.has_credential = !credential.is_empty();
    secrets::keep(cx, &sink_name(sink.id.as_str()), credential.as_bytes())
}

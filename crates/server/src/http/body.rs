//! Reads request bodies: bounded in size, depth and time, JSON without doubled fields.

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use connect::identity::scim::group::MOST_MEMBERS;
use model::core::body::Body as Fields;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::StreamExt;

use crate::http::clock;
use crate::http::failure::Failure;
use crate::http::files::NewFile;
use crate::http::state::AppState;

/// The largest JSON body, in bytes.
pub(crate) const JSON_LIMIT: u64 = 1024 * 1024;
/// The largest form without a file, in bytes.
pub(crate) const FORM_LIMIT: u64 = 1024 * 1024;
/// The deepest nesting of a JSON body.
const DEPTH: usize = 64;
/// How much a JSON body may hold: a plain value or a list counts one, an object eight, as much as it takes in memory. A
/// thousand targets, the most that a request may name, count half of it.
const MOST_HELD: usize = 32_768;
const OBJECT_COUNTS: usize = 8;
/// The most fields of one object and the most entries of one list: far more than any request knows.
const MOST_FIELDS: usize = 1_000;
const MOST_ENTRIES: usize = 4_000;
/// How long a body may make no progress.
const STANDSTILL: Duration = Duration::from_secs(10);
/// The slowest body that is waited for, in bytes a second, once the first seconds are over.
const SLOWEST: u64 = 1_024;
/// How long even the slowest body may take before its rate is looked at.
const GRACE: Duration = Duration::from_secs(20);
/// A longer body, in bytes, is kept in a file until it is complete. A slow or endless sender then holds neither memory nor a
/// turn.
const SHORT: usize = 16 * 1024;
/// How much memory all long bodies together may take while they are processed, in KiB; a body without a share stays in its
/// file.
const LONG_AT_ONCE: u32 = 4 * 1024;
/// How much more than its text a body takes once it is parsed.
const PARSED: u64 = 4;
/// The largest body that lists a group's members, in bytes: the most members that a group may have, each with a name.
const CROWD_LIMIT: u64 = 32 * 1024 * 1024;
/// How much such a body may hold besides, counted as [`MOST_HELD`] is: a member is kept as its id alone.
const CROWD_HELD: usize = MOST_HELD + MOST_MEMBERS;
/// How long a long body waits for its place.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// The shares of long bodies, in KiB. They are global, because memory belongs to the process.
static LONG: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(LONG_AT_ONCE as usize)));
/// The one share of a body above the usual limit: it is processed alone, and delays no others.
static CROWD: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// How much of a body is taken.
#[derive(Debug, Clone, Copy)]
struct Limits {
    bytes: u64,
    held: usize,
    entries: usize,
    /// Whether a member of a group, `{"value": id, …}` in a list, is kept as its id alone.
    folds_members: bool,
}

/// The limits of any other body.
const USUAL: Limits = Limits {
    bytes: JSON_LIMIT,
    held: MOST_HELD,
    entries: MOST_ENTRIES,
    folds_members: false,
};
/// The limits of a body that lists a group's members.
const MEMBERS: Limits = Limits {
    bytes: CROWD_LIMIT,
    held: CROWD_HELD,
    entries: MOST_MEMBERS,
    folds_members: true,
};

/// A JSON object from a request; an empty body counts as an empty object.
pub(crate) struct JsonBody {
    /// The fields.
    pub fields: Fields,
    /// `sha256:…` of the raw bytes.
    pub digest: String,
    /// A long body's share of memory, held until the response is sent.
    #[expect(dead_code, reason = "it is given back when it is dropped")]
    pub held: Option<OwnedSemaphorePermit>,
}

impl FromRequest<AppState> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Failure> {
        Self::read(state, request, USUAL).await
    }
}

impl JsonBody {
    /// A JSON object that lists a group's members. It may be as long as the largest group requires; memory holds little more
    /// than the ids. Only for authenticated senders.
    ///
    /// # Errors
    /// As any other body.
    pub(crate) async fn of_group(state: &AppState, request: Request) -> Result<Self, Failure> {
        Self::read(state, request, MEMBERS).await
    }

    async fn read(state: &AppState, request: Request, limits: Limits) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        check_length(&parts.headers, limits.bytes)?;
        let has_body = has_length(&parts.headers);
        if has_body {
            check_json(&parts.headers, &parts.method, parts.uri.path())?;
        }
        let whole = read_in_turn(state, body, limits.bytes).await?;
        let parsed = Self::parse_within(&whole.bytes, limits)?;
        Ok(Self {
            held: whole.held,
            ..parsed
        })
    }

    /// Parses the bytes of a JSON object.
    ///
    /// # Errors
    /// 400.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        Self::parse_within(bytes, USUAL)
    }

    fn parse_within(bytes: &[u8], limits: Limits) -> Result<Self, Failure> {
        let digest = proof::crypto::digest_text(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self {
                fields: Fields::new(),
                digest,
                held: None,
            });
        }
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let left = Cell::new(limits.held);
        let strict = Strict {
            depth: 0,
            left: &left,
            limits,
        };
        let value = strict
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value));
        match value {
            Ok(Value::Object(fields)) => Ok(Self {
                fields,
                digest,
                held: None,
            }),
            Ok(_) => Err(Failure::new(400, "malformed", "The body must be a JSON object.")),
            Err(error) => Err(Failure::new(
                400,
                "malformed",
                format!("The body is no JSON that can be taken: {error}."),
            )),
        }
    }
}

/// Whether a body may follow. HTTP/2 need not declare a length, so a media type counts as well.
fn has_length(headers: &HeaderMap) -> bool {
    match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length != "0",
        None => headers.contains_key(header::TRANSFER_ENCODING) || headers.contains_key(header::CONTENT_TYPE),
    }
}

/// Refuses a declared length beyond the limit, unread.
///
/// # Errors
/// 413.
pub(crate) fn check_length(headers: &HeaderMap, limit: u64) -> Result<(), Failure> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    Ok(())
}

fn too_large(limit: u64) -> Failure {
    Failure::new(413, "too_large", format!("The body is larger than {limit} bytes."))
}

/// The media type without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_lowercase()
}

/// Refuses a body of another media type than the API's document names for its method: a JSON Patch (RFC 6902), which is JSON as
/// well, would be read as a merge patch.
fn check_json(headers: &HeaderMap, method: &Method, path: &str) -> Result<(), Failure> {
    // A packed body would be read as broken JSON, which sends its author looking in the wrong place.
    let is_packed = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get(header::CONTENT_ENCODING).is_some_and(is_packed) {
        let text = "Send the body as it is, without `Content-Encoding`.";
        return Err(Failure::new(415, "encoded", text));
    }
    let kind = media_type(headers);
    let is_json = match kind.as_str() {
        "application/json" => true,
        "application/merge-patch+json" => method == Method::PATCH,
        // RFC 7644, section 3.1.
        "application/scim+json" => path.contains("/scim/"),
        _ => false,
    };
    if is_json && is_utf8(headers) {
        return Ok(());
    }
    Err(Failure::new(
        415,
        "not_json",
        "Send JSON in UTF-8, with `Content-Type: application/json`.",
    ))
}

/// JSON between systems is UTF-8 (RFC 8259, section 8.1), and so are the forms of our pages. A body that declares another
/// charset is not read as UTF-8.
pub(crate) fn is_utf8(headers: &HeaderMap) -> bool {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_lowercase();
    let charset = text
        .split(';')
        .skip(1)
        .find_map(|part| part.trim().strip_prefix("charset="));
    charset.is_none_or(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8"))
}

/// A body that was read, with its share of memory.
pub(crate) struct Whole {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The share of memory; `None` for a short body.
    pub held: Option<OwnedSemaphorePermit>,
}

/// Reads a whole body that may not be larger than `limit` bytes.
///
/// # Errors
/// 413, 408 when it is too slow, 400 when it breaks off.
pub(crate) async fn read_all(body: Body, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut chunks = Chunks::new(body, limit);
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A request whose whole body is in memory: for readers that would wait for it without a time limit.
///
/// # Errors
/// As [`read_in_turn`].
pub(crate) async fn buffered(state: &AppState, request: Request, limit: u64) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    check_length(&parts.headers, limit)?;
    let whole = read_in_turn(state, body, limit).await?;
    Ok(Request::from_parts(parts, Body::from(whole.bytes)))
}

/// The same for a body that is processed as a whole, from any sender. A long body is kept in a file until it is complete, and
/// then waits for its share of memory.
///
/// # Errors
/// As [`read_all`], and 503 when there was no place, or the storage is full.
async fn read_in_turn(state: &AppState, body: Body, limit: u64) -> Result<Whole, Failure> {
    let declared = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let mut chunks = Chunks::new(body, limit);
    let mut bytes = Vec::with_capacity(declared.unwrap_or(0).min(SHORT));
    let mut file: Option<NewFile> = None;
    while let Some(chunk) = chunks.next().await? {
        match &mut file {
            Some(file) => {
                file.write(chunk).await?;
            }
            None if bytes.len() + chunk.len() <= SHORT => bytes.extend_from_slice(&chunk),
            None => {
                let mut begun = NewFile::of(state, std::mem::take(&mut bytes)).await?;
                begun.write(chunk).await?;
                file = Some(begun);
            }
        }
    }
    let Some(mut file) = file else {
        return Ok(Whole { bytes, held: None });
    };
    let held = place_for(file.size()).await?;
    let whole = file.bytes(usize::try_from(limit).unwrap_or(usize::MAX)).await?;
    let bytes = whole.ok_or_else(|| Failure::fault(&"a body grew while it was read"))?;
    Ok(Whole {
        bytes,
        held: Some(held),
    })
}

/// Waits for the place of a long body.
///
/// # Errors
/// 503.
async fn place_for(length: u64) -> Result<OwnedSemaphorePermit, Failure> {
    let busy = || Failure::busy("busy", "Too many long bodies are worked on just now.");
    if length > JSON_LIMIT {
        let waited = tokio::time::timeout(LONG_PATIENCE, CROWD.clone().acquire_owned()).await;
        return waited.map_err(|_| busy())?.map_err(|_| busy());
    }
    let wanted = u32::try_from(length.saturating_mul(PARSED) / 1024)
        .unwrap_or(LONG_AT_ONCE)
        .clamp(1, LONG_AT_ONCE);
    let waited = tokio::time::timeout(LONG_PATIENCE, LONG.clone().acquire_many_owned(wanted)).await;
    waited.map_err(|_| busy())?.map_err(|_| busy())
}

/// A body, chunk by chunk, under a limit of size and of patience.
pub(crate) struct Chunks {
    stream: axum::body::BodyDataStream,
    limit: u64,
    pace: Pace,
}

impl Chunks {
    pub(crate) fn new(body: Body, limit: u64) -> Self {
        Self {
            stream: body.into_data_stream(),
            limit,
            pace: Pace::new(),
        }
    }

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    /// 413, 408, 400.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(chunk) = self.pace.patiently(self.stream.next()).await? else {
            return Ok(None);
        };
        let chunk = chunk.map_err(|_| Failure::new(400, "broken_off", "The body broke off."))?;
        if self.pace.took(chunk.len()) > self.limit {
            return Err(too_large(self.limit));
        }
        Ok(Some(chunk))
    }
}

/// Watches how fast a body comes in.
pub(crate) struct Pace {
    began: std::time::Instant,
    taken: u64,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            began: clock::tick(),
            taken: 0,
        }
    }

    /// Waits for the next piece, but not for ever.
    ///
    /// # Errors
    /// 408.
    pub(crate) async fn patiently<T>(&self, piece: impl Future<Output = T>) -> Result<T, Failure> {
        let slow = || Failure::new(408, "too_slow", "The body came in too slowly.");
        let piece = tokio::time::timeout(STANDSTILL, piece).await.map_err(|_| slow())?;
        let spent = clock::tick().saturating_duration_since(self.began);
        if spent > GRACE && self.taken < SLOWEST * (spent - GRACE).as_secs() {
            return Err(slow());
        }
        Ok(piece)
    }

    /// Counts bytes; returns the total so far.
    pub(crate) fn took(&mut self, bytes: usize) -> u64 {
        self.taken = self.taken.saturating_add(bytes as u64);
        self.taken
    }
}

/// Builds a value, refusing deep nesting and doubled fields, of which different readers take different ones.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    /// How much more the body may hold.
    left: &'a Cell<usize>,
    limits: Limits,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(E::custom(format!("it is nested deeper than {DEPTH} levels")));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    /// Counts before anything is kept: a mebibyte of small values would take a hundred times as much in memory.
    fn count<E: serde::de::Error>(self, by: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(by);
        self.left
            .set(left.ok_or_else(|| E::custom("it holds too many values"))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        // No text of a database holds U+0000: its sender is malicious or broken.
        if value.contains('\0') {
            return Err(E::custom("a text in it holds U+0000"));
        }
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let most = self.limits.entries;
        let mut list = Vec::new();
        let mut before = self.left.get();
        while let Some(mut value) = rows.next_element_seed(inner)? {
            if list.len() == most {
                return Err(A::Error::custom(format!("a list in it has more than {most} entries")));
            }
            if self.limits.folds_members
                && let Some(id) = member_id(&mut value)
            {
                value = Value::String(id);
                self.left.set(before.saturating_sub(1));
            }
            before = self.left.get();
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        self.count(OBJECT_COUNTS - 1)?;
        let mut map = Map::new();
        while let Some(field) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(inner)?;
            if map.len() == MOST_FIELDS {
                return Err(A::Error::custom(format!(
                    "an object in it has more than {MOST_FIELDS} fields"
                )));
            }
            if map.contains_key(&field) {
                return Err(A::Error::custom(format!("the field `{field}` stands twice")));
            }
            map.insert(field, value);
        }
        Ok(Value::Object(map))
    }
}

/// Takes the id out of a member of a group, where the other fields add nothing. A group within a group keeps its type, so that
/// it is refused.
fn member_id(value: &mut Value) -> Option<String> {
    const SAYS_NOTHING: [&str; 4] = ["value", "display", "$ref", "type"];
    let map = value.as_object_mut()?;
    let is_person = |kind: &Value| kind.is_null() || kind.as_str().is_some_and(|it| it.eq_ignore_ascii_case("User"));
    let is_plain = map.keys().all(|key| SAYS_NOTHING.contains(&key.as_str())) && map.get("type").is_none_or(is_person);
    match map.get_mut("value") {
        Some(Value::String(id)) if is_plain => Some(std::mem::take(id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn status(text: &str) -> Option<u16> {
        JsonBody::parse(text.as_bytes()).err().map(|failure| failure.status())
    }

    #[test]
    fn objects_are_taken_and_nothing_else() {
        let body = JsonBody::parse(br#"{"a": [1, -2, true, null, "x"], "b": {"c": 1.5}}"#).unwrap();
        assert_eq!(body.fields["a"][1], -2);
        assert_eq!(body.fields["b"]["c"], 1.5);
        assert!(JsonBody::parse(b" ").unwrap().fields.is_empty());
        for bad in [
            "[]",
            "1",
            "{",
            "{\"a\":1}x",
            "{\"a\":1,\"a\":2}",
            "{\"a\":{\"b\":1,\"b\":1}}",
            "{\"a\":[\"x\\u0000y\"]}",
            "nul",
        ] {
            assert_eq!(status(bad), Some(400), "{bad}");
        }
    }

    #[test]
    fn a_thousand_targets_fit_and_a_crowd_of_values_does_not() {
        let target = r#"{"service":"s","environment":"e","artifact":"a","config_items":["1","2","3"]}"#;
        let targets = |count: usize| format!("{{\"targets\":[{}]}}", vec![target; count].join(","));
        assert_eq!(status(&targets(1_000)), None);
        assert_eq!(status(&targets(10_000)), Some(400));
        assert_eq!(status(&format!("{{\"a\":[{}0]}}", "0,".repeat(4_000))), Some(400));
        let fields: Vec<String> = (0..1_001).map(|number| format!("\"f{number}\":1")).collect();
        assert_eq!(status(&format!("{{{}}}", fields.join(","))), Some(400));
        assert_eq!(status(&format!("{{{}}}", fields[1..].join(","))), None);
        assert_eq!(status(&format!("{{\"a\":[{}0]}}", "0,".repeat(40_000))), Some(400));
    }

    #[test]
    fn a_group_tells_of_all_its_members_and_keeps_their_ids() {
        let group = |member: &str, count: usize| format!("{{\"members\":[{}]}}", vec![member; count].join(","));
        let member = r#"{"value":"p1","display":"Ada","$ref":"https://a.example/Users/p1","type":"User"}"#;
        let read = |text: &str| JsonBody::parse_within(text.as_bytes(), MEMBERS);
        let whole = read(&group(member, MOST_MEMBERS)).unwrap();
        let members = whole.fields["members"].as_array().unwrap();
        assert_eq!((members.len(), &members[0]), (MOST_MEMBERS, &Value::from("p1")));
        assert!(read(&group(member, MOST_MEMBERS + 1)).is_err());
        assert!(read(&group("{\"value\":\"p1\"}", 100)).is_ok());
        // A member with more than an id is kept, and counts as in any other body.
        for other in [
            r#"{"value":"g1","type":"Group"}"#,
            r#"{"value":7}"#,
            r#"{"value":"p1","more":1}"#,
            r#"{"display":"Ada"}"#,
        ] {
            let one = read(&group(other, 1)).unwrap();
            assert!(one.fields["members"][0].is_object(), "{other}");
            assert!(read(&group(other, 20_000)).is_err(), "{other}");
        }
        // Any other body keeps its bounds.
        assert_eq!(status(&group(member, 4_000)), Some(400));
        assert!(JsonBody::parse(group(member, 2).as_bytes()).unwrap().fields["members"][0].is_object());
    }

    #[test]
    fn sixty_four_levels_fit_and_one_more_does_not() {
        let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert_eq!(status(&nested(64)), None);
        assert_eq!(status(&nested(65)), Some(400));
        assert_eq!(status(&nested(100_000)), Some(400));
    }
}

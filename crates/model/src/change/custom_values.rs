//! The values of custom fields: how they are read, checked and shown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::change::custom_field::{CustomField, CustomValue, FIELD, Held};
use crate::change::record::{Change, Content};
use crate::core::enums::{FieldKind, Kind};
use crate::core::ids::ServiceKey;
use crate::core::parse::{self, LINE, Reading};
use crate::core::refusal::FieldError;
use crate::directory::records::StandardTemplate;
use crate::directory::snapshot::Directory;
use crate::directory::unknown_name;
use crate::policy::facts::FieldFact;

/// The longest text that a field holds, in characters.
const MOST_TEXT: usize = 1_000;

/// The longest address, in characters.
const MOST_LINK: usize = 2_000;

/// The largest number, either way.
const MOST_NUMBER: i64 = 1_000_000_000_000;

impl CustomValue {
    /// The value as in requests and responses: a person by login.
    pub fn shown(&self, directory: &Directory) -> Value {
        match &self.held {
            Held::Number(number) => Value::from(*number),
            Held::Person(person) => Value::String(directory.login(person)),
            Held::Service(service) => Value::String(service.0.clone()),
            Held::Text(text) | Held::Choice(text) | Held::Date(text) | Held::Url(text) => Value::String(text.clone()),
        }
    }
}

/// The values of a change in fields that are declared as facts, as policies read them. A value whose field has gone out of use
/// or is no fact is left out.
pub fn facts(values: &[CustomValue], directory: &Directory) -> BTreeMap<String, FieldFact> {
    let is_fact = |value: &&CustomValue| {
        let field = directory.custom_fields.get(&value.key);
        field.is_some_and(|field| field.is_fact && !field.is_over)
    };
    let told = values.iter().filter(is_fact);
    told.filter_map(|value| Some((value.key.clone(), fact(&value.held)?)))
        .collect()
}

/// A value as a fact; free text and people are no facts.
fn fact(held: &Held) -> Option<FieldFact> {
    match held {
        Held::Choice(word) => Some(FieldFact::Word(word.clone())),
        Held::Service(key) => Some(FieldFact::Word(key.0.clone())),
        Held::Number(number) => Some(FieldFact::Number(*number)),
        Held::Date(day) => day.replace('-', "").parse().ok().map(FieldFact::Number),
        Held::Text(_) | Held::Person(_) | Held::Url(_) => None,
    }
}

/// A code and the sentence of what is wrong.
type Wrong = (&'static str, String);

/// A change's values as in requests and responses.
pub fn shown(values: &[CustomValue], directory: &Directory) -> Map<String, Value> {
    let pairs = values.iter().map(|value| (value.key.clone(), value.shown(directory)));
    pairs.collect()
}

/// Reads `custom_fields`. An existing value is kept whatever has become of its field since.
pub(crate) fn read(
    reading: &mut Reading<'_>,
    directory: &Directory,
    kind: Kind,
    keep: Option<&Content>,
) -> Vec<CustomValue> {
    let Some(value) = reading.value(FIELD) else {
        return Vec::new();
    };
    let Some(map) = value.as_object() else {
        reading.wrong(
            FIELD,
            "not_an_object",
            format!("`{FIELD}` must be an object of fields and values."),
        );
        return Vec::new();
    };
    let standing = keep.map(|content| content.custom_fields.as_slice()).unwrap_or_default();
    // A field out of use may be cleared; an unknown field is a mistake.
    let is_known = |key: &str| directory.custom_fields.contains_key(key) || standing.iter().any(|old| old.key == key);
    for key in map.keys().filter(|key| map[*key].is_null() && !is_known(key)) {
        if let Err((code, text)) = defined(directory, key, kind) {
            let at = reading.at(&format!("{FIELD}.{key}"));
            reading.errors.push(FieldError::new(at, code, text));
        }
    }
    let mut found = Vec::new();
    for (key, value) in map.iter().filter(|(_, value)| !is_blank(value)) {
        let same = standing
            .iter()
            .find(|old| old.key == *key && old.shown(directory) == *value);
        let read = match same {
            Some(old) => Ok(old.clone()),
            None => defined(directory, key, kind).and_then(|field| written(field, value, directory)),
        };
        match read {
            Ok(value) => found.push(value),
            Err((code, text)) => {
                let at = reading.at(&format!("{FIELD}.{key}"));
                reading.errors.push(FieldError::new(at, code, text));
            }
        }
    }
    found.sort_by(|left, right| left.key.cmp(&right.key));
    found
}

/// Reads the values that a template locks, from this member of its request.
pub fn read_locked(reading: &mut Reading<'_>, name: &str, value: &Value, directory: &Directory) -> Vec<CustomValue> {
    let Some(map) = value.as_object() else {
        reading.wrong(
            name,
            "not_an_object",
            format!("`{name}` must be an object of fields and values."),
        );
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, value) in map.iter().filter(|(_, value)| !is_blank(value)) {
        match defined(directory, key, Kind::Standard).and_then(|field| written(field, value, directory)) {
            Ok(value) => found.push(value),
            Err((code, text)) => reading.wrong(&format!("{name}.{key}"), code, text),
        }
    }
    found.sort_by(|left, right| left.key.cmp(&right.key));
    found
}

/// The locked values of a template in the present fields of standard changes: a field out of use is left out.
pub fn locked<'t>(template: &'t StandardTemplate, directory: &'t Directory) -> impl Iterator<Item = &'t CustomValue> {
    let is_asked = |value: &&CustomValue| {
        let field = directory.custom_fields.get(&value.key);
        field.is_some_and(|field| field.is_of(Kind::Standard))
    };
    template.custom_fields.iter().filter(is_asked)
}

/// Fills a request's missing values with the defaults of its services; services with different defaults give none, and values
/// that a field no longer accepts are left out. Returns whether the request had no custom value of its own.
pub fn fill_defaults(body: &mut Map<String, Value>, directory: &Directory) -> bool {
    let said = body.get("kind").and_then(Value::as_str);
    let kind = said.map_or(Some(Kind::Normal), |word| word.parse().ok());
    let targets = body.get("targets").and_then(Value::as_array).into_iter().flatten();
    let services = targets.filter_map(|target| target["service"].as_str().map(ServiceKey::from));
    let services: BTreeSet<ServiceKey> = services.collect();
    let is_own = body.contains_key(FIELD);
    let Some(kind) = kind.filter(|_| !services.is_empty()) else {
        return false;
    };
    let mut filled = Map::new();
    for field in directory.custom_fields.values().filter(|field| field.is_of(kind)) {
        if let Some(value) = default_for(field, &services, directory) {
            filled.insert(field.key.clone(), value);
        }
    }
    if filled.is_empty() {
        return false;
    }
    // The later reading refuses a value that is no object.
    if let Value::Object(own) = body.entry(FIELD).or_insert_with(|| Value::Object(Map::new())) {
        for (key, value) in filled {
            own.entry(key).or_insert(value);
        }
    }
    !is_own
}

/// The default of these services for a field, in the form of a request.
pub fn default_for(field: &CustomField, services: &BTreeSet<ServiceKey>, directory: &Directory) -> Option<Value> {
    let said: BTreeSet<&str> = services
        .iter()
        .filter_map(|service| field.default_of(service))
        .collect();
    let mut said = said.into_iter();
    let (text, None) = (said.next()?, said.next()) else {
        return None;
    };
    let value = Value::from(text);
    check_default(field, text, directory).is_ok().then_some(value)
}

/// Checks that a field takes a default.
///
/// # Errors
/// A code and the sentence of what is wrong.
pub fn check_default(field: &CustomField, text: &str, directory: &Directory) -> Result<(), (&'static str, String)> {
    held(field, &Value::from(text), directory).map(drop)
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn defined<'d>(directory: &'d Directory, key: &str, kind: Kind) -> Result<&'d CustomField, Wrong> {
    let field = directory.custom_fields.get(key).filter(|field| !field.is_over);
    let Some(field) = field else {
        let known: Vec<&str> = directory
            .custom_fields
            .values()
            .filter(|field| field.is_of(kind))
            .map(|field| field.key.as_str())
            .collect();
        let help = match parse::nearest(key, &known) {
            Some(near) => format!("did you mean `{FIELD}.{near}`?"),
            None => "an administrator adds fields under Fields.".to_owned(),
        };
        return Err(("unknown_field", format!("There is no field `{FIELD}.{key}`; {help}")));
    };
    if !field.is_of(kind) {
        let kinds: Vec<&str> = field.kinds.iter().map(|kind| kind.as_str()).collect();
        let text = format!("`{}` belongs to {} changes alone.", field.path(), kinds.join(" and "));
        return Err(("not_allowed", text));
    }
    Ok(field)
}

/// A value with the present label of its field.
fn written(field: &CustomField, value: &Value, directory: &Directory) -> Result<CustomValue, Wrong> {
    Ok(CustomValue {
        key: field.key.clone(),
        name: Some(field.name.clone()),
        held: held(field, value, directory)?,
    })
}

fn held(field: &CustomField, value: &Value, directory: &Directory) -> Result<Held, Wrong> {
    let path = field.path();
    if field.holds == FieldKind::Number {
        return number(value).map(Held::Number).ok_or_else(|| {
            let text = format!("`{path}` must be a whole number from -{MOST_NUMBER} to {MOST_NUMBER}.");
            ("out_of_range", text)
        });
    }
    let Some(text) = value.as_str() else {
        return Err(("not_text", format!("`{path}` must be a string.")));
    };
    let most = match field.holds {
        FieldKind::Text => MOST_TEXT,
        FieldKind::Link => MOST_LINK,
        _ => LINE,
    };
    let text = clean(&path, text.trim(), most)?;
    match field.holds {
        FieldKind::Text | FieldKind::Number => Ok(Held::Text(text)),
        FieldKind::Choice if field.choices.contains(&text) => Ok(Held::Choice(text)),
        FieldKind::Choice => {
            let text = format!("`{path}` is one of: {}.", field.choices.join(", "));
            Err(("unknown_word", text))
        }
        FieldKind::Date => match text.parse::<jiff::civil::Date>() {
            Ok(date) => Ok(Held::Date(date.to_string())),
            Err(_) => Err(("not_a_date", format!("`{path}` must be a day such as 2026-12-01."))),
        },
        FieldKind::Person => match directory.by_login(&text) {
            Some(person) => Ok(Held::Person(person.id.clone())),
            None => Err(("unknown", unknown_name::person(directory, &text))),
        },
        FieldKind::Service => match ServiceKey::from(text) {
            key if directory.services.contains_key(&key) => Ok(Held::Service(key)),
            key => Err(("unknown", unknown_name::service(directory, key.as_str()))),
        },
        FieldKind::Link if is_link(&text) => Ok(Held::Url(text)),
        FieldKind::Link => {
            let text = format!("`{path}` must be a web address that begins with https:// or http://.");
            Err(("not_a_link", text))
        }
    }
}

/// A whole number, or its digits as a form sends them.
fn number(value: &Value) -> Option<i64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    };
    number.filter(|number| (-MOST_NUMBER..=MOST_NUMBER).contains(number))
}

fn clean(path: &str, text: &str, most: usize) -> Result<String, Wrong> {
    let length = text.chars().count();
    if length > most {
        return Err((
            "too_long",
            format!("`{path}` has {length} characters; at most {most} are allowed."),
        ));
    }
    let is_bad = |c: &char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    match text.chars().find(is_bad) {
        Some(bad) => {
            let text = format!("`{path}` holds the control character U+{:04X}.", bad as u32);
            Err(("control_character", text))
        }
        None => Ok(text.to_owned()),
    }
}

/// Whether a text is a plain web address: nothing that a browser would run.
fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// The required fields that a change lacks for its submission, in the order of keys.
pub fn missing<'d>(change: &'d Change, directory: &'d Directory) -> impl Iterator<Item = &'d CustomField> {
    let content = &change.content;
    let is_said = |field: &CustomField| content.custom_fields.iter().any(|value| value.key == field.key);
    directory
        .custom_fields
        .values()
        .filter(|field| field.is_of(content.kind))
        .filter(|field| field.needed_since.is_some_and(|since| since <= change.created_at))
        .filter(|field| field.is_asked_in(content.category))
        .filter(move |field| !is_said(field))
}

//! Salted commitments: the log proves a free text without containing it.
//!
//! The sealed form of a record is its JSON with each free text replaced by `{"c": commitment}`, where commitment =
//! base64url(SHA-256(0x02 ‖ salt ‖ UTF-8 text)) and the salt has 16 random bytes. Deleting the salt and the text erases the
//! text while every hash over the sealed form stays true. The byte 0x02 keeps a commitment apart from Merkle leaves (0x00) and
//! nodes (0x01). In a record's body an erased text is `{"erased": true}`.

use crate::crypto::{self, Entropy};
use crate::{Error, Result, canonical};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// Random bytes before each committed text.
pub const SALT_BYTES: usize = 16;

/// Characters of a commitment: 32 bytes as base64url.
const COMMITMENT_CHARS: usize = 43;

/// The commitment to `text` under `salt`.
#[must_use]
pub fn commit(salt: &[u8; SALT_BYTES], text: &str) -> String {
    crypto::base64url(&crypto::sha256_parts(&[&[0x02], salt, text.as_bytes()]))
}

/// The sealed form of one free text, `{"c": commitment}`.
#[must_use]
pub fn sealed_text(commitment: &str) -> Value {
    json!({ "c": commitment })
}

/// The value of an erased text in a body, `{"erased": true}`.
#[must_use]
pub fn erased_text() -> Value {
    json!({ "erased": true })
}

/// The commitment in `{"c": commitment}`; `None` for any other value.
#[must_use]
pub fn commitment_of(value: &Value) -> Option<&str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let text = members.get("c")?.as_str()?;
    let is_commitment = text.len() == COMMITMENT_CHARS && crypto::from_base64url(text).is_some();
    is_commitment.then_some(text)
}

/// Whether `value` is `{"erased": true}`.
#[must_use]
pub fn is_erased(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|members| members.len() == 1 && members.get("erased") == Some(&Value::Bool(true)))
}

/// A salt that was drawn while sealing and must be stored beside the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSalt {
    /// The commitment that the salt belongs to, its key in the store.
    pub commitment: String,
    /// The 16 random bytes.
    pub salt: [u8; SALT_BYTES],
    /// The committed text.
    pub text: String,
}

/// A record in its sealed form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The body with each free text replaced by its commitment.
    pub sealed: Value,
    /// The salts drawn for texts that the previous version did not hold.
    pub new_salts: Vec<NewSalt>,
}

/// Seals a record's body.
///
/// A string under a member for which `is_text_field` is true, and each string of an array (of arrays) under it, becomes a
/// commitment. A text that was already in the previous version keeps its commitment (the one at the same place before any
/// other), so that an unchanged text does not look changed; every other text gets a salt of its own. Erasing a salt therefore
/// erases each place of the record that shows the same commitment. Where the new body has `{"erased": true}`, the commitment of
/// the previous version stays. When several erased texts of one array were moved, they can no longer be distinguished and keep
/// their order. An act that erases should therefore not move items of the same array at once.
///
/// # Errors
/// [`Error::Canonical`] when the body lies outside the canonical subset, holds a member that looks
/// like a commitment or an erasure by itself, or erases a text that the previous version has not.
pub fn seal_record(
    body: &Value,
    is_text_field: &dyn Fn(&str) -> bool,
    previous: Option<(&Value, &Value)>,
    entropy: &dyn Entropy,
) -> Result<Sealed> {
    canonical::check_value(body)?;
    let mut known = PreviousCommitments::default();
    if let Some((body, sealed)) = previous {
        known.collect(body, sealed, &mut String::new());
    }
    known.count_erased(body);
    let mut sealer = Sealer {
        is_text_field,
        known,
        entropy,
        new_salts: Vec::new(),
    };
    let sealed = sealer.seal(body, false, &mut String::new())?;
    Ok(Sealed {
        sealed,
        new_salts: sealer.new_salts,
    })
}

/// The commitments of the previous version.
#[derive(Default)]
struct PreviousCommitments {
    by_path: HashMap<String, String>,
    by_text: HashMap<String, String>,
    text_at: HashMap<String, String>,
    /// Commitments of texts already erased, in document order under their path without indexes.
    erased: HashMap<String, Vec<String>>,
    /// The paths under which the new body has more erased texts than the previous one.
    newly_erased: HashSet<String>,
}

impl PreviousCommitments {
    fn collect(&mut self, body: &Value, sealed: &Value, path: &mut String) {
        if let Some(commitment) = commitment_of(sealed) {
            self.note(body, commitment, path);
            return;
        }
        let length = path.len();
        match (body, sealed) {
            (Value::Object(body), Value::Object(sealed)) => {
                for (name, member) in body {
                    let Some(sealed) = sealed.get(name) else {
                        continue;
                    };
                    canonical::push_pointer(path, name);
                    self.collect(member, sealed, path);
                    path.truncate(length);
                }
            }
            (Value::Array(body), Value::Array(sealed)) => {
                for (index, (item, sealed)) in body.iter().zip(sealed).enumerate() {
                    canonical::push_pointer(path, &index.to_string());
                    self.collect(item, sealed, path);
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, body: &Value, commitment: &str, path: &str) {
        self.by_path.insert(path.to_owned(), commitment.to_owned());
        if let Some(text) = body.as_str() {
            self.text_at.insert(path.to_owned(), text.to_owned());
            let first = self.by_text.entry(text.to_owned());
            first.or_insert_with(|| commitment.to_owned());
        } else if is_erased(body) {
            let place = self.erased.entry(without_indexes(path)).or_default();
            place.push(commitment.to_owned());
        }
    }

    fn of_text(&self, text: &str, path: &str) -> Option<&String> {
        if self.text_at.get(path).is_some_and(|before| before == text) {
            return self.by_path.get(path);
        }
        self.by_text.get(text)
    }

    /// Compares the number of erased texts under each path with that of the new body.
    fn count_erased(&mut self, body: &Value) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        walk(body, &mut String::new(), &mut |value, path| {
            if is_erased(value) {
                *counts.entry(without_indexes(path)).or_default() += 1;
            }
        });
        let before = |place: &str| self.erased.get(place).map_or(0, Vec::len);
        let grew = counts.into_iter().filter(|(place, now)| *now > before(place));
        self.newly_erased = grew.map(|(place, _)| place).collect();
    }

    fn of_erased(&mut self, path: &str) -> Option<String> {
        let place = without_indexes(path);
        // A text erased just now is still a text in the previous body, at this path.
        let is_new = self.newly_erased.contains(&place) && self.text_at.contains_key(path);
        let waiting = self
            .erased
            .get_mut(&place)
            .filter(|waiting| !is_new && !waiting.is_empty());
        match waiting {
            Some(waiting) => Some(waiting.remove(0)),
            None => self.by_path.get(path).cloned(),
        }
    }
}

/// Calls `visit` for each value with its path, the containers before what they hold.
fn walk(value: &Value, path: &mut String, visit: &mut dyn FnMut(&Value, &str)) {
    visit(value, path);
    let length = path.len();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                canonical::push_pointer(path, &index.to_string());
                walk(item, path, visit);
                path.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                canonical::push_pointer(path, name);
                walk(member, path, visit);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// The path with array indexes left out, so that a moved item is found again.
fn without_indexes(path: &str) -> String {
    let is_name = |part: &&str| !part.bytes().all(|b| b.is_ascii_digit());
    path.split('/').filter(is_name).collect::<Vec<_>>().join("/")
}

struct Sealer<'a> {
    is_text_field: &'a dyn Fn(&str) -> bool,
    known: PreviousCommitments,
    entropy: &'a dyn Entropy,
    new_salts: Vec<NewSalt>,
}

impl Sealer<'_> {
    fn seal(&mut self, value: &Value, is_text: bool, path: &mut String) -> Result<Value> {
        match value {
            Value::String(text) if is_text => self.seal_text(text, path),
            Value::Array(items) => self.seal_array(items, is_text, path),
            Value::Object(_) if is_text && is_erased(value) => self.keep_erased(path),
            Value::Object(members) => {
                if is_erased(value) || commitment_of(value).is_some() {
                    return Err(refuse(path, "only a free text is sealed or erased"));
                }
                self.seal_object(members, path)
            }
            plain => Ok(plain.clone()),
        }
    }

    fn seal_text(&mut self, text: &str, path: &str) -> Result<Value> {
        if let Some(commitment) = self.known.of_text(text, path) {
            return Ok(sealed_text(commitment));
        }
        let mut salt = [0; SALT_BYTES];
        self.entropy.fill(&mut salt)?;
        let commitment = commit(&salt, text);
        let sealed = sealed_text(&commitment);
        self.new_salts.push(NewSalt {
            commitment,
            salt,
            text: text.to_owned(),
        });
        Ok(sealed)
    }

    fn keep_erased(&mut self, path: &str) -> Result<Value> {
        let commitment = self.known.of_erased(path);
        let commitment = commitment.ok_or_else(|| refuse(path, "the previous version has no text to erase"))?;
        Ok(sealed_text(&commitment))
    }

    fn seal_array(&mut self, items: &[Value], is_text: bool, path: &mut String) -> Result<Value> {
        let length = path.len();
        let mut sealed = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            canonical::push_pointer(path, &index.to_string());
            sealed.push(self.seal(item, is_text, path)?);
            path.truncate(length);
        }
        Ok(Value::Array(sealed))
    }

    fn seal_object(&mut self, members: &Map<String, Value>, path: &mut String) -> Result<Value> {
        let length = path.len();
        let mut sealed = Map::new();
        for (name, member) in members {
            canonical::push_pointer(path, name);
            let is_text = (self.is_text_field)(name);
            sealed.insert(name.clone(), self.seal(member, is_text, path)?);
            path.truncate(length);
        }
        Ok(Value::Object(sealed))
    }
}

fn refuse(path: &str, why: &str) -> Error {
    Error::Canonical {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

/// The place and the reason of a mismatch between a body and its sealed form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {why}")]
pub struct Mismatch {
    /// JSON Pointer of the first difference; empty for the root.
    pub path: String,
    /// One clause in plain text.
    pub why: &'static str,
}

/// Checks that `body` is exactly what `sealed` commits to.
///
/// Plain values must be equal and each text must open its commitment with the salt that `salt_of`
/// finds for it. An erased text matches a commitment whose salt is gone, and only such a one: a
/// salt that is still there means that the text was hidden without being erased.
///
/// # Errors
/// [`Mismatch`] with the path of the first difference.
pub fn open_record(
    sealed: &Value,
    body: &Value,
    salt_of: &dyn Fn(&str) -> Option<[u8; SALT_BYTES]>,
) -> std::result::Result<(), Mismatch> {
    open(sealed, body, salt_of, &mut String::new())
}

fn open(
    sealed: &Value,
    body: &Value,
    salt_of: &dyn Fn(&str) -> Option<[u8; SALT_BYTES]>,
    path: &mut String,
) -> std::result::Result<(), Mismatch> {
    if let Some(commitment) = commitment_of(sealed) {
        return open_text(commitment, body, salt_of).map_err(|why| differ(path, why));
    }
    let length = path.len();
    match (sealed, body) {
        (Value::Object(sealed), Value::Object(body)) => {
            if let Some(extra) = body.keys().find(|name| !sealed.contains_key(*name)) {
                canonical::push_pointer(path, extra);
                return Err(differ(path, "the sealed form has no such member"));
            }
            for (name, sealed) in sealed {
                canonical::push_pointer(path, name);
                let member = body.get(name);
                let member = member.ok_or_else(|| differ(path, "the member is missing"))?;
                open(sealed, member, salt_of, path)?;
                path.truncate(length);
            }
            Ok(())
        }
        (Value::Array(sealed), Value::Array(body)) => {
            if sealed.len() != body.len() {
                return Err(differ(path, "the arrays differ in length"));
            }
            for (index, (sealed, item)) in sealed.iter().zip(body).enumerate() {
                canonical::push_pointer(path, &index.to_string());
                open(sealed, item, salt_of, path)?;
                path.truncate(length);
            }
            Ok(())
        }
        _ if sealed == body => Ok(()),
        _ => Err(differ(path, "the values differ")),
    }
}

fn open_text(
    commitment: &str,
    body: &Value,
    salt_of: &dyn Fn(&str) -> Option<[u8; SALT_BYTES]>,
) -> std::result::Result<(), &'static str> {
    match (body, salt_of(commitment)) {
        (Value::String(text), Some(salt)) if commit(&salt, text) == commitment => Ok(()),
        (Value::String(_), Some(_)) => Err("the text is not the committed one"),
        (Value::String(_), None) => Err("the salt of the text is missing"),
        (body, None) if is_erased(body) => Ok(()),
        (body, Some(_)) if is_erased(body) => Err("the text counts as erased but its salt exists"),
        _ => Err("a text was committed here"),
    }
}

fn differ(path: &str, why: &'static str) -> Mismatch {
    Mismatch {
        path: path.to_owned(),
        why,
    }
}

#[cfg(test)]
#[path = "commitment_tests.rs"]
mod tests;

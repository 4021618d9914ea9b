//! Canonical JSON: RFC 8785 over the subset that needs no rules for numbers.
//!
//! Only strings, integers within ±(2^53 − 1), booleans, arrays and objects are allowed, nested at
//! most [`MAX_DEPTH`] deep. Floats and nulls are refused with the path where they stand, because
//! two readers could disagree about their spelling or their meaning.

use crate::{Error, Result, crypto};
use serde_json::Value;
use std::cmp::Ordering;

/// The deepest permitted nesting of arrays and objects; a value at the root has depth 0.
pub const MAX_DEPTH: usize = 64;

/// The largest permitted magnitude of an integer, 2^53 − 1 (RFC 7493 section 2.2).
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// The canonical bytes of `value` (RFC 8785).
///
/// # Errors
/// [`Error::Canonical`] with the JSON Pointer of the first value outside the subset.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>> {
    check(value, &mut String::new(), 0)?;
    serde_json_canonicalizer::to_vec(value).map_err(|error| refuse("", &format!("it cannot be written: {error}")))
}

/// The canonical bytes as text.
///
/// # Errors
/// As [`to_bytes`].
pub fn to_text(value: &Value) -> Result<String> {
    String::from_utf8(to_bytes(value)?).map_err(|_| refuse("", "it is not UTF-8"))
}

/// The digest of the canonical bytes, as `sha256:<hex>`.
///
/// # Errors
/// As [`to_bytes`].
pub fn digest(value: &Value) -> Result<String> {
    Ok(crypto::digest_text(&to_bytes(value)?))
}

/// Reads bytes that must already be canonical, so that one value has one spelling.
///
/// # Errors
/// [`Error::Malformed`] when the bytes are not JSON or not in canonical form.
pub fn from_bytes(bytes: &[u8]) -> Result<Value> {
    if !is_canonical(bytes) {
        return Err(Error::malformed("JSON", "it is not in canonical form"));
    }
    serde_json::from_slice(bytes).map_err(|error| Error::malformed("JSON", error.to_string()))
}

fn refuse(path: &str, why: &str) -> Error {
    Error::Canonical {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

fn check(value: &Value, path: &mut String, depth: usize) -> Result<()> {
    match value {
        Value::String(_) | Value::Bool(_) => Ok(()),
        Value::Null => Err(refuse(path, "null is not allowed, leave the member out")),
        Value::Number(number) => check_number(number, path),
        Value::Array(items) => {
            check_depth(path, depth)?;
            for (index, item) in items.iter().enumerate() {
                check_member(item, path, &index.to_string(), depth)?;
            }
            Ok(())
        }
        Value::Object(members) => {
            check_depth(path, depth)?;
            for (name, member) in members {
                check_member(member, path, name, depth)?;
            }
            Ok(())
        }
    }
}

fn check_number(number: &serde_json::Number, path: &str) -> Result<()> {
    let magnitude = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
    match magnitude {
        Some(magnitude) if magnitude <= MAX_INTEGER => Ok(()),
        Some(_) => Err(refuse(path, "the integer lies outside ±(2^53 − 1)")),
        None => Err(refuse(path, "a fraction or an exponent is not allowed")),
    }
}

fn check_depth(path: &str, depth: usize) -> Result<()> {
    if depth >= MAX_DEPTH {
        return Err(refuse(path, "it is nested more than 64 deep"));
    }
    Ok(())
}

fn check_member(member: &Value, path: &mut String, name: &str, depth: usize) -> Result<()> {
    let length = path.len();
    push_pointer(path, name);
    check(member, path, depth + 1)?;
    path.truncate(length);
    Ok(())
}

/// Appends one reference token of a JSON Pointer (RFC 6901 section 3).
pub(crate) fn push_pointer(path: &mut String, name: &str) {
    path.push('/');
    path.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// Says whether `bytes` are exactly what [`to_bytes`] would write for some value.
///
/// It reads each byte once and allocates only for escaped member names, so that a whole log can be
/// checked at about the speed of hashing it. A duplicate member name is out of order and refused.
#[must_use]
pub fn is_canonical(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
    };
    scan.value(0).is_some() && scan.at == bytes.len()
}

/// The members of a canonical object at the top level, in order, with the bytes of their names
/// (between the quotes, as written) and of their values; `None` where [`is_canonical`] says no or
/// the value is no object.
pub(crate) fn members(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
    };
    let mut members = Vec::with_capacity(16);
    scan.object(1, &mut |name, value| members.push((name, value)))?;
    (scan.at == bytes.len()).then_some(members)
}

/// A cursor over bytes that are known to be UTF-8; every step answers `None` where the canonical
/// form is left.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.bytes.get(self.at)? {
            b'"' => self.string().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'[' if depth < MAX_DEPTH => self.array(depth + 1),
            b'{' if depth < MAX_DEPTH => self.object(depth + 1, &mut |_, _| ()),
            b'-' | b'0'..=b'9' => self.integer(),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        rest.starts_with(word).then(|| self.at += word.len())
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn integer(&mut self) -> Option<()> {
        let is_negative = self.take(b'-');
        let start = self.at;
        let mut magnitude: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        let digits = self.bytes.get(start..self.at)?;
        let has_leading_zero = digits.first() == Some(&b'0') && (digits.len() > 1 || is_negative);
        (!digits.is_empty() && !has_leading_zero && magnitude <= MAX_INTEGER).then_some(())
    }

    /// Reads one string and gives the bytes between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f))?;
            match self.bytes.get(self.at)? {
                b'"' => {
                    let inner = self.bytes.get(start..self.at)?;
                    self.at += 1;
                    return Some(inner);
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    /// RFC 8785 section 3.2.2.2: the two-character escapes where they exist, else `\u00xx` in lower
    /// case, and only for characters that must be escaped.
    fn escape(&mut self) -> Option<()> {
        let length = match self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' => 6,
            _ => return None,
        };
        if length == 6 {
            let digits = self.bytes.get(self.at + 2..self.at + 6)?;
            let code = match digits {
                [b'0', b'0', b'0', low] => hex_digit(*low)?,
                [b'0', b'0', b'1', low] => 16 + hex_digit(*low)?,
                _ => return None,
            };
            if matches!(code, 0x08 | 0x09 | 0x0a | 0x0c | 0x0d) {
                return None;
            }
        }
        self.at += length;
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        if self.take(b']') {
            return Some(());
        }
        loop {
            self.value(depth)?;
            if self.take(b']') {
                return Some(());
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    /// Reads an object and tells each member's name and value, both as written.
    fn object(&mut self, depth: usize, member: &mut dyn FnMut(&'a [u8], &'a [u8])) -> Option<()> {
        if !self.take(b'{') {
            return None;
        }
        if self.take(b'}') {
            return Some(());
        }
        let mut previous: Option<&[u8]> = None;
        loop {
            let name = self.string()?;
            if previous.is_some_and(|previous| order(previous, name) != Some(Ordering::Less)) {
                return None;
            }
            previous = Some(name);
            if !self.take(b':') {
                return None;
            }
            let start = self.at;
            self.value(depth)?;
            member(name, self.bytes.get(start..self.at)?);
            if self.take(b'}') {
                return Some(());
            }
            if !self.take(b',') {
                return None;
            }
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// Compares two member names, given as written between their quotes, by UTF-16 code units
/// (RFC 8785 section 3.2.3). Plain ASCII without escapes has the same order by bytes.
fn order(left: &[u8], right: &[u8]) -> Option<Ordering> {
    let is_plain = |name: &[u8]| name.iter().all(|&b| b.is_ascii() && b != b'\\');
    if is_plain(left) && is_plain(right) {
        return Some(left.cmp(right));
    }
    Some(code_units(left)?.cmp(&code_units(right)?))
}

fn code_units(name: &[u8]) -> Option<Vec<u16>> {
    let quoted = [b"\"", name, b"\""].concat();
    let text: String = serde_json::from_slice(&quoted).ok()?;
    Some(text.encode_utf16().collect())
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;

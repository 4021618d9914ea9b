//! Canonical JSON: RFC 8785 over the subset that needs no rules for numbers.
//!
//! Only strings, integers within ±(2^53 − 1), booleans, arrays and objects are allowed, nested at most [`MAX_DEPTH`] deep.
//! Floats and nulls are refused with their path, because two readers could disagree about their spelling or their meaning.

use crate::{Error, Result, crypto};
use serde_json::{Map, Value};
use std::borrow::Cow;
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
    let mut bytes = Vec::with_capacity(512);
    write(value, &mut bytes, 0).map_err(Refused::into_error)?;
    Ok(bytes)
}

/// Refuses what has no canonical bytes.
///
/// # Errors
/// As [`to_bytes`].
pub(crate) fn check_value(value: &Value) -> Result<()> {
    check(value, 0).map_err(Refused::into_error)
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

/// Reads bytes that must already be canonical, so that one value has one encoding.
///
/// # Errors
/// [`Error::Malformed`] when the bytes are not JSON or not in canonical form.
pub fn from_bytes(bytes: &[u8]) -> Result<Value> {
    if !is_canonical(bytes) {
        return Err(Error::malformed("JSON", "it is not in canonical form"));
    }
    serde_json::from_slice(bytes).map_err(|error| Error::malformed("JSON", error.to_string()))
}

/// The reason why a value has no canonical bytes, and its place. The path is put together on the way back, because it is seldom
/// needed.
struct Refused {
    why: &'static str,
    /// Reference tokens, the innermost first.
    tokens: Vec<String>,
}

impl Refused {
    fn because<T>(why: &'static str) -> std::result::Result<T, Self> {
        Err(Self {
            why,
            tokens: Vec::new(),
        })
    }

    fn under(mut self, token: impl Into<String>) -> Self {
        self.tokens.push(token.into());
        self
    }

    fn into_error(self) -> Error {
        let mut path = String::new();
        for token in self.tokens.iter().rev() {
            push_pointer(&mut path, token);
        }
        refuse(&path, self.why)
    }
}

fn refuse(path: &str, why: &str) -> Error {
    Error::Canonical {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

fn check(value: &Value, depth: usize) -> std::result::Result<(), Refused> {
    match value {
        Value::String(_) | Value::Bool(_) => Ok(()),
        Value::Null => Refused::because(NO_NULL),
        Value::Number(number) => check_number(number),
        Value::Array(items) => {
            check_depth(depth)?;
            let each = |(index, item): (usize, _)| check(item, depth + 1).map_err(|it| it.under(index.to_string()));
            items.iter().enumerate().try_for_each(each)
        }
        Value::Object(members) => {
            check_depth(depth)?;
            let each = |(name, member): (&String, _)| check(member, depth + 1).map_err(|it| it.under(name));
            members.iter().try_for_each(each)
        }
    }
}

fn check_number(number: &serde_json::Number) -> std::result::Result<(), Refused> {
    let magnitude = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
    match magnitude {
        Some(magnitude) if magnitude <= MAX_INTEGER => Ok(()),
        Some(_) => Refused::because("the integer lies outside ±(2^53 − 1)"),
        None => Refused::because("a fraction or an exponent is not allowed"),
    }
}

const NO_NULL: &str = "null is not allowed, leave the member out";

fn check_depth(depth: usize) -> std::result::Result<(), Refused> {
    if depth >= MAX_DEPTH {
        return Refused::because("it is nested more than 64 deep");
    }
    Ok(())
}

/// Writes a value's canonical bytes. `depth` is that of the enclosing array or object, 0 at the root.
fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> std::result::Result<(), Refused> {
    match value {
        Value::Null => Refused::because(NO_NULL),
        Value::Bool(true) => append(out, b"true"),
        Value::Bool(false) => append(out, b"false"),
        Value::Number(number) => {
            check_number(number)?;
            append(out, number.to_string().as_bytes())
        }
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            check_depth(depth)?;
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out, depth + 1).map_err(|it| it.under(index.to_string()))?;
            }
            append(out, b"]")
        }
        Value::Object(members) => write_map(members, out, depth),
    }
}

fn write_map(members: &Map<String, Value>, out: &mut Vec<u8>, depth: usize) -> std::result::Result<(), Refused> {
    check_depth(depth)?;
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_unstable_by(|(left, _), (right, _)| order_of_names(left, right));
    out.push(b'{');
    for (index, (name, member)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(name, out)?;
        out.push(b':');
        write(member, out, depth + 1).map_err(|it| it.under(name))?;
    }
    append(out, b"}")
}

/// Writes one object whose members are known beforehand, without a value of its whole being built first. The members are
/// given in the order of RFC 8785; their names are plain ASCII.
pub(crate) struct Members<'o> {
    out: &'o mut Vec<u8>,
    /// The depth of the object.
    depth: usize,
    has_member: bool,
}

impl<'o> Members<'o> {
    /// The canonical bytes of an object with these members.
    pub(crate) fn to_bytes(write: impl FnOnce(&mut Members<'_>) -> Result<()>) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(1_024);
        Members::write(&mut bytes, 0, write)?;
        Ok(bytes)
    }

    fn write(out: &mut Vec<u8>, depth: usize, write: impl FnOnce(&mut Members<'_>) -> Result<()>) -> Result<()> {
        out.push(b'{');
        let mut members = Members {
            out,
            depth,
            has_member: false,
        };
        write(&mut members)?;
        members.out.push(b'}');
        Ok(())
    }

    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if self.has_member {
            self.out.push(b',');
        }
        self.has_member = true;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> Result<()> {
        write_text(text, self.name(name)).map_err(|it| it.under(name).into_error())
    }

    /// An integer.
    pub(crate) fn number(&mut self, name: &str, number: u64) -> Result<()> {
        let depth = self.depth + 1;
        write(&number.into(), self.name(name), depth).map_err(|it| it.under(name).into_error())
    }

    /// An object, given as a map.
    pub(crate) fn map(&mut self, name: &str, map: &Map<String, Value>) -> Result<()> {
        let depth = self.depth + 1;
        write_map(map, self.name(name), depth).map_err(|it| it.under(name).into_error())
    }

    /// An array of texts.
    pub(crate) fn texts(&mut self, name: &str, texts: &[String]) -> Result<()> {
        write_items(self.name(name), texts, |text, out| {
            write_text(text, out).map_err(Refused::into_error)
        })
    }

    /// An object with members of its own.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Members<'_>) -> Result<()>) -> Result<()> {
        let depth = self.depth + 1;
        Members::write(self.name(name), depth, write)
    }

    /// An array of such objects.
    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        items: &[T],
        write: impl Fn(&T, &mut Members<'_>) -> Result<()>,
    ) -> Result<()> {
        let depth = self.depth + 1;
        write_objects(self.name(name), depth, items, write)
    }
}

/// The canonical bytes of an array of objects, as [`Members::objects`] writes it.
pub(crate) fn objects_to_bytes<T>(items: &[T], write: impl Fn(&T, &mut Members<'_>) -> Result<()>) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1_024);
    write_objects(&mut bytes, 0, items, write)?;
    Ok(bytes)
}

fn write_objects<T>(
    out: &mut Vec<u8>,
    depth: usize,
    items: &[T],
    write: impl Fn(&T, &mut Members<'_>) -> Result<()>,
) -> Result<()> {
    write_items(out, items, |item, out| {
        Members::write(out, depth + 1, |members| write(item, members))
    })
}

fn write_items<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&T, &mut Vec<u8>) -> Result<()>) -> Result<()> {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(b']');
    Ok(())
}

fn append(out: &mut Vec<u8>, bytes: &[u8]) -> std::result::Result<(), Refused> {
    out.extend_from_slice(bytes);
    Ok(())
}

/// RFC 8785 section 3.2.2.2 escapes only what JSON requires, the same as the library.
fn write_text(text: &str, out: &mut Vec<u8>) -> std::result::Result<(), Refused> {
    serde_json::to_writer(out, text).or_else(|_| Refused::because("it cannot be written"))
}

/// RFC 8785 section 3.2.3: by UTF-16 code units. ASCII has the same order by bytes.
fn order_of_names(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        return left.cmp(right);
    }
    left.encode_utf16().cmp(right.encode_utf16())
}

/// Appends one reference token of a JSON Pointer (RFC 6901 section 3).
pub(crate) fn push_pointer(path: &mut String, name: &str) {
    path.push('/');
    if !name.contains(['~', '/']) {
        path.push_str(name);
        return;
    }
    path.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// Whether `bytes` are exactly what [`to_bytes`] would write for some value.
///
/// It reads each byte once and allocates only for escaped member names, so that a whole log can be
/// checked at about the speed of hashing it. A duplicate member name is out of order and refused.
#[must_use]
pub fn is_canonical(bytes: &[u8]) -> bool {
    Scan::read(bytes, |scan| scan.value(0)).is_some()
}

/// A cursor over bytes that are known to be UTF-8 without control characters; every step returns `None` where the canonical
/// form is left.
pub(crate) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether all bytes are ASCII: then names without escapes have the order of their bytes.
    is_ascii: bool,
}

/// A string as it is written, between its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    /// The bytes, escapes and all.
    pub bytes: &'a [u8],
    /// Whether the bytes contain an escape.
    pub has_escape: bool,
}

impl<'a> Scan<'a> {
    /// Reads bytes from their beginning to their end; `None` where the canonical form is left, or something follows.
    pub(crate) fn read<T>(bytes: &'a [u8], step: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        // Canonical form has no white space, and in strings a control character is escaped, so the bytes contain no control
        // character. All bytes are checked without leaving early, which lets the compiler take many of them at once.
        let (highs, lowest) = bytes
            .iter()
            .fold((0, u8::MAX), |(highs, lowest), byte| (highs | byte, lowest.min(*byte)));
        let (is_ascii, has_control) = (highs < 0x80, lowest < 0x20);
        if has_control || !(is_ascii || std::str::from_utf8(bytes).is_ok()) {
            return None;
        }
        let mut scan = Self { bytes, at: 0, is_ascii };
        let read = step(&mut scan)?;
        (scan.at == bytes.len()).then_some(read)
    }

    /// The byte that comes next.
    #[inline]
    pub(crate) fn next(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Reads any value; `depth` is that of the enclosing array or object, 0 at the root.
    pub(crate) fn value(&mut self, depth: usize) -> Option<()> {
        match self.next()? {
            b'"' => self.string().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'[' => self.array(depth, |scan, depth| scan.value(depth)),
            b'{' => self.object(depth, |scan, depth, _| scan.value(depth)),
            b'-' | b'0'..=b'9' => self.integer().map(|_| ()),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        rest.starts_with(word).then(|| self.at += word.len())
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads an integer.
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let is_negative = self.take(b'-');
        let start = self.at;
        let mut magnitude: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        let digits = self.bytes.get(start..self.at)?;
        let has_leading_zero = digits.first() == Some(&b'0') && (digits.len() > 1 || is_negative);
        if digits.is_empty() || has_leading_zero || magnitude > MAX_INTEGER {
            return None;
        }
        let magnitude = i64::try_from(magnitude).ok()?;
        Some(if is_negative { -magnitude } else { magnitude })
    }

    /// Reads one string. An entry has some fifty of them: a call for each would cost a seventh of verifying a log.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Option<Written<'a>> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        self.at += plain_length(self.bytes.get(start..)?)?;
        let has_escape = self.bytes.get(self.at) == Some(&b'\\');
        if has_escape {
            self.escapes()?;
        }
        let bytes = self.bytes.get(start..self.at)?;
        self.at += 1;
        Some(Written { bytes, has_escape })
    }

    /// Reads from a backslash on to the quote that ends the string.
    #[cold]
    fn escapes(&mut self) -> Option<()> {
        while self.bytes.get(self.at) == Some(&b'\\') {
            self.escape()?;
            self.at += plain_length(self.bytes.get(self.at..)?)?;
        }
        Some(())
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

    /// Reads an array at `depth`; `item` reads each of its values, at the depth that it receives.
    pub(crate) fn array(&mut self, depth: usize, mut item: impl FnMut(&mut Self, usize) -> Option<()>) -> Option<()> {
        if depth >= MAX_DEPTH || !self.take(b'[') {
            return None;
        }
        if self.take(b']') {
            return Some(());
        }
        loop {
            item(self, depth + 1)?;
            if self.take(b']') {
                return Some(());
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    /// Reads an object at `depth`; `member` reads the value of each name, at the depth that it receives.
    pub(crate) fn object(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&mut Self, usize, Written<'a>) -> Option<()>,
    ) -> Option<()> {
        if depth >= MAX_DEPTH || !self.take(b'{') {
            return None;
        }
        if self.take(b'}') {
            return Some(());
        }
        let mut previous: Option<Written<'a>> = None;
        loop {
            let name = self.string()?;
            if previous.is_some_and(|previous| self.order(previous, name) != Some(Ordering::Less)) {
                return None;
            }
            previous = Some(name);
            if !self.take(b':') {
                return None;
            }
            member(self, depth + 1, name)?;
            if self.take(b'}') {
                return Some(());
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    /// Compares two member names by UTF-16 code units (RFC 8785 section 3.2.3). Plain ASCII without escapes has the same
    /// order by bytes.
    fn order(&self, left: Written<'_>, right: Written<'_>) -> Option<Ordering> {
        if self.is_ascii && !left.has_escape && !right.has_escape {
            // Most neighbours differ in their first byte.
            return Some(match (left.bytes.first(), right.bytes.first()) {
                (Some(left), Some(right)) if left != right => left.cmp(right),
                _ => left.bytes.cmp(right.bytes),
            });
        }
        Some(code_units(left)?.cmp(&code_units(right)?))
    }
}

/// The number of bytes before the next quote or backslash; `None` when there is neither.
#[inline]
fn plain_length(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // The lowest byte that is zero gets its high bit set; a bit above it may be set wrongly, which does not matter.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(words.len() * 8 + at)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

fn code_units(name: Written<'_>) -> Option<Vec<u16>> {
    Some(name.text()?.encode_utf16().collect())
}

impl<'a> Written<'a> {
    /// The bytes of the decoded text. They are UTF-8, as all that a [`Scan`] reads.
    pub(crate) fn plain(self) -> Option<Cow<'a, [u8]>> {
        if !self.has_escape {
            return Some(Cow::Borrowed(self.bytes));
        }
        Some(Cow::Owned(self.text()?.into_owned().into_bytes()))
    }

    /// The decoded text.
    fn text(self) -> Option<Cow<'a, str>> {
        if !self.has_escape {
            return std::str::from_utf8(self.bytes).ok().map(Cow::Borrowed);
        }
        let quoted = [b"\"", self.bytes, b"\""].concat();
        serde_json::from_slice(&quoted).ok().map(Cow::Owned)
    }
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;

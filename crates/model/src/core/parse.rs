//! Reads a request's JSON object field by field and gathers every error, so that a person mends a form once.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::core::confusables::{self, is_hidden};
use crate::core::refusal::{FieldError, Refusal};
use crate::core::typed;

/// The longest one-line text, in characters.
pub const LINE: usize = 200;
/// The longest free text, in characters.
pub const TEXT: usize = 20_000;
/// The largest whole number that every program reads from JSON as it was written (RFC 8259, section 6).
pub const WHOLE: i64 = (1 << 53) - 1;
/// The longest list.
pub const LIST: usize = 1_000;
/// How many unknown fields of one object are named in errors; a request may hold thousands.
const UNKNOWN: usize = 100;
/// The longest value, in bytes, for which the nearest known one is searched; no known one is nearly as long.
const GUESSED: usize = 64;

/// A JSON object being read.
pub struct Reading<'a> {
    map: &'a Map<String, Value>,
    path: String,
    known: Vec<&'static str>,
    /// The errors so far.
    pub errors: Vec<FieldError>,
}

/// The error of a body whose `key` differs from that of the address.
pub fn other_key(body: &Map<String, Value>, key: &str) -> Option<FieldError> {
    let said = body.get("key").filter(|said| !said.is_null())?;
    let text = format!("The address has the key `{key}`, and a key cannot be changed.");
    (said != key).then(|| FieldError::new("key", "not_allowed", text))
}

/// Whether a text is invisible: a title or a reason of only zero-width characters has no content, and a link with it cannot be
/// clicked.
fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || (is_hidden(c, None) && !c.is_control()))
}

impl<'a> Reading<'a> {
    /// Begins to read an object; `path` is put before each field's name in errors (empty at the top).
    pub fn new(map: &'a Map<String, Value>, path: &str) -> Self {
        Self {
            map,
            path: path.to_owned(),
            known: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// The full path of a field.
    pub fn at(&self, field: &str) -> String {
        if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.path)
        }
    }

    /// Notes an error.
    pub fn wrong(&mut self, field: &str, code: &str, text: impl Into<String>) {
        let at = self.at(field);
        self.errors.push(FieldError::new(at, code, text));
    }

    /// The raw value of a field; null counts as absent.
    pub fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.known.push(field);
        self.map.get(field).filter(|value| !value.is_null())
    }

    /// Whether a field is present, also as null: a patch clears a null field and leaves an absent one alone.
    pub fn says(&self, field: &str) -> bool {
        self.map.contains_key(field)
    }

    /// Whether a text is present, also a blank one.
    pub fn says_text(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(Value::is_string)
    }

    /// Names a field that is allowed but not read.
    pub fn ignore(&mut self, field: &'static str) {
        self.known.push(field);
    }

    /// The key, which may only repeat the address's key, so that a client can send a record back as read.
    pub fn repeats_key(&mut self, key: &str) {
        self.known.push("key");
        self.errors.extend(other_key(self.map, key));
    }

    /// A text of at most `max` characters without control characters, up to [`LINE`] in one line; blank counts as absent.
    pub fn text(&mut self, field: &'static str, max: usize) -> Option<String> {
        let value = self.value(field)?;
        let Some(text) = value.as_str() else {
            self.wrong(field, "not_text", format!("`{}` must be a string.", self.at(field)));
            return None;
        };
        self.clean(field, text, max)
    }

    /// A person's name, in one line.
    pub fn name(&mut self) -> Option<String> {
        let told = self.value("name")?;
        let Some(text) = told.as_str() else {
            return self.text("name", LINE);
        };
        // Names come out of other directories, with any text around them.
        self.clean("name", &confusables::name_in_one_line(text), LINE)
    }

    /// The same for a text that was put together from a field's parts.
    pub(crate) fn clean(&mut self, field: &str, text: &str, max: usize) -> Option<String> {
        if is_blank(text) {
            return None;
        }
        let length = text.chars().count();
        if length > max {
            let at = self.at(field);
            self.wrong(
                field,
                "too_long",
                format!("`{at}` has {length} characters; at most {max} are allowed."),
            );
            return None;
        }
        let is_line = max <= LINE;
        let is_wrong = |c: &char| match c {
            '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => is_line,
            c => c.is_control(),
        };
        if let Some(bad) = text.chars().find(is_wrong) {
            let at = self.at(field);
            let what = match bad {
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => "must be one line, but contains a line break".to_owned(),
                '\t' => "must be one line, but contains a tab".to_owned(),
                bad => format!("holds the control character U+{:04X}", bad as u32),
            };
            self.wrong(field, "control_character", format!("`{at}` {what}."));
            return None;
        }
        Some(text.to_owned())
    }

    /// A technical name, such as a claim or a job function, of at most `max` characters: see [`typed::is_technical`].
    pub fn technical(&mut self, field: &'static str, max: usize) -> Option<String> {
        let text = self.text(field, max)?;
        self.check_technical(field, &text);
        Some(text)
    }

    /// A technical name that must be there.
    pub fn needed_technical(&mut self, field: &'static str, max: usize) -> String {
        let text = self.needed(field, max);
        self.check_technical(field, &text);
        text
    }

    /// Several technical names.
    pub fn technicals(&mut self, field: &'static str, max: usize) -> Option<Vec<String>> {
        let texts = self.texts(field, max)?;
        texts.iter().for_each(|text| self.check_technical(field, text));
        Some(texts)
    }

    /// Notes a text that is no technical name. The log shows these in clear.
    pub fn check_technical(&mut self, field: &str, text: &str) {
        if !typed::is_technical(text) {
            let at = self.at(field);
            let signs = typed::TECHNICAL_SIGNS;
            let what = format!(
                "`{at}` must be a technical name of at most 200 letters, digits, spaces and the characters \
                    {signs}"
            );
            self.wrong(field, "not_technical", what);
        }
    }

    /// A text that must be there.
    pub fn needed(&mut self, field: &'static str, max: usize) -> String {
        let before = self.errors.len();
        let found = self.text(field, max);
        if found.is_none() && self.errors.len() == before {
            self.wrong(field, "missing", format!("`{}` is missing.", self.at(field)));
        }
        found.unwrap_or_default()
    }

    /// One of a closed set of values.
    pub fn word<T: FromStr<Err = String>>(&mut self, field: &'static str) -> Option<T> {
        let text = self.one_of(field, |text| T::from_str(text).err())?;
        T::from_str(&text).ok()
    }

    /// One of a closed set of values, as a text; `why_not` returns the error of any other text.
    pub fn one_of(&mut self, field: &'static str, why_not: fn(&str) -> Option<String>) -> Option<String> {
        let text = self.text(field, LINE)?;
        let Some(help) = why_not(&text) else { return Some(text) };
        let at = self.at(field);
        self.wrong(field, "unknown_word", format!("`{at}`: {help}."));
        None
    }

    /// Several of them.
    pub fn some_of(&mut self, field: &'static str, why_not: fn(&str) -> Option<String>) -> Option<Vec<String>> {
        let mut texts = self.texts(field, LINE)?;
        for (place, text) in texts.iter().enumerate() {
            if let Some(help) = why_not(text) {
                self.wrong(&format!("{field}[{place}]"), "unknown_word", format!("{help}."));
            }
        }
        texts.retain(|text| why_not(text).is_none());
        Some(texts)
    }

    /// A required value of a closed set.
    pub fn needed_word<T: FromStr<Err = String>>(&mut self, field: &'static str, otherwise: T) -> T {
        let before = self.errors.len();
        let found = self.word(field);
        if found.is_none() && self.errors.len() == before {
            self.wrong(field, "missing", format!("`{}` is missing.", self.at(field)));
        }
        found.unwrap_or(otherwise)
    }

    /// A list of values of a closed set.
    pub fn words<T: FromStr<Err = String>>(&mut self, field: &'static str) -> Option<Vec<T>> {
        let texts = self.some_of(field, |text| T::from_str(text).err())?;
        Some(texts.iter().filter_map(|text| T::from_str(text).ok()).collect())
    }

    /// A list of texts.
    pub fn texts(&mut self, field: &'static str, max: usize) -> Option<Vec<String>> {
        let items = self.list(field)?;
        let mut texts = Vec::new();
        for (place, item) in items.iter().enumerate() {
            let name = format!("{field}[{place}]");
            match item.as_str() {
                // Left out, it would make a list of one name an empty one, and in many places empty means all.
                Some(text) if is_blank(text) => self.wrong(&name, "missing", "The text is empty."),
                Some(text) => texts.extend(self.clean(&name, text, max)),
                None => self.wrong(&name, "not_text", "The value must be a string."),
            }
        }
        Some(texts)
    }

    /// A list of at most [`LIST`] values.
    pub fn list(&mut self, field: &'static str) -> Option<&'a [Value]> {
        let value = self.value(field)?;
        let Some(items) = value.as_array() else {
            self.wrong(field, "not_a_list", format!("`{}` must be a list.", self.at(field)));
            return None;
        };
        if items.len() > LIST {
            self.wrong(field, "too_many", format!("At most {LIST} entries are allowed."));
            return None;
        }
        Some(items)
    }

    /// An object inside this one, read by `read`; its errors join these.
    pub fn object<T>(&mut self, field: &'static str, read: impl FnOnce(&mut Reading<'a>) -> T) -> Option<T> {
        let value = self.value(field)?;
        let at = self.at(field);
        self.read_object(value, &at, read)
    }

    fn read_object<T>(&mut self, value: &'a Value, at: &str, read: impl FnOnce(&mut Reading<'a>) -> T) -> Option<T> {
        let Some(map) = value.as_object() else {
            self.errors.push(FieldError::new(
                at,
                "not_an_object",
                format!("`{at}` must be an object."),
            ));
            return None;
        };
        let mut inner = Reading::new(map, at);
        let found = read(&mut inner);
        inner.refuse_unknown();
        self.errors.append(&mut inner.errors);
        Some(found)
    }

    /// A list of objects.
    pub fn objects<T>(&mut self, field: &'static str, read: impl Fn(&mut Reading<'a>) -> T) -> Option<Vec<T>> {
        let items = self.list(field)?;
        let mut found = Vec::new();
        for (place, item) in items.iter().enumerate() {
            let at = format!("{}[{place}]", self.at(field));
            found.extend(self.read_object(item, &at, &read));
        }
        Some(found)
    }

    /// A whole number inside a range.
    pub fn integer(&mut self, field: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(field)?;
        let number = value.as_i64().filter(|number| range.contains(number));
        if number.is_none() {
            let text = format!(
                "`{}` must be a whole number from {} to {}.",
                self.at(field),
                range.start(),
                range.end()
            );
            self.wrong(field, "out_of_range", text);
        }
        number
    }

    /// A yes or no.
    pub fn boolean(&mut self, field: &'static str) -> Option<bool> {
        let value = self.value(field)?;
        let found = value.as_bool();
        if found.is_none() {
            self.wrong(
                field,
                "not_boolean",
                format!("`{}` must be true or false.", self.at(field)),
            );
        }
        found
    }

    /// A yes or no that must be there.
    pub fn needed_boolean(&mut self, field: &'static str) -> bool {
        let before = self.errors.len();
        let found = self.boolean(field);
        if found.is_none() && self.errors.len() == before {
            self.wrong(field, "missing", format!("`{}` is missing.", self.at(field)));
        }
        found.unwrap_or_default()
    }

    /// An RFC 3339 time, kept to the microsecond.
    pub fn time(&mut self, field: &'static str) -> Option<Timestamp> {
        let text = self.text(field, LINE)?;
        let parsed = text.parse::<Timestamp>();
        let time = parsed.as_ref().ok().copied().and_then(to_micros);
        if time.is_none() {
            let (code, text) = why_no_time(&self.at(field), &text);
            self.wrong(field, code, text);
        }
        time
    }

    /// A time that must be there.
    pub fn needed_time(&mut self, field: &'static str) -> Option<Timestamp> {
        let before = self.errors.len();
        let found = self.time(field);
        if found.is_none() && self.errors.len() == before {
            self.wrong(field, "missing", format!("`{}` is missing.", self.at(field)));
        }
        found
    }

    /// Notes every unknown field, with the nearest known name.
    pub fn refuse_unknown(&mut self) {
        let is_unknown = |key: &&String| !self.known.contains(&key.as_str());
        let count = self.map.keys().filter(is_unknown).count();
        let told: Vec<String> = self.map.keys().filter(is_unknown).take(UNKNOWN).cloned().collect();
        for key in told {
            let help = match nearest(&key, &self.known) {
                Some(near) => format!("`{}` is not a field here; did you mean `{near}`?", self.at(&key)),
                None => format!("`{}` is not a field here.", self.at(&key)),
            };
            self.wrong(&key, "unknown_field", help);
        }
        if count > UNKNOWN {
            let text = format!("And {} more unknown fields.", count - UNKNOWN);
            self.wrong("", "unknown_field", text);
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with everything that was wrong.
    pub fn finish(mut self) -> Result<(), Refusal> {
        self.refuse_unknown();
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Invalid(self.errors))
        }
    }
}

/// An outside text as one line: line breaks become spaces. A machine's title is accepted and cleaned, while a person's is
/// refused with an error.
pub fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    spaced
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a text begins with a year of more than four digits, as RFC 3339 has none.
fn has_long_year(text: &str) -> bool {
    let year = text.trim_start_matches(['+', '-']);
    let digits = year.bytes().take_while(u8::is_ascii_digit).count();
    let is_dash = |place: usize| year.as_bytes().get(place) == Some(&b'-');
    digits > 4 && is_dash(digits) && is_dash(digits + 3)
}

/// Why a text is no time that is kept, with the code of it: beyond the ends of time, or no time at all. `at` names the field.
pub fn why_no_time(at: &str, text: &str) -> (&'static str, String) {
    // The last day of the year 9999 is cut short, so that every zone can show what is kept.
    let is_last_day = || {
        let rest = text.strip_prefix("9999-");
        rest.is_some_and(|rest| format!("9998-{rest}").parse::<Timestamp>().is_ok())
    };
    if text.parse::<Timestamp>().is_ok() || has_long_year(text) || is_last_day() {
        let text = format!("`{at}` must lie between 1970-01-01T00:00:00Z and 9999-12-30T22:00:00Z.");
        return ("out_of_range", text);
    }
    let text = format!("`{at}` must be a time such as 2026-11-21T22:00:00Z.");
    ("not_a_time", text)
}

/// A time cut to the microsecond, which both engines and the log keep; `None` outside the years 1970 to 9999.
pub fn to_micros(time: Timestamp) -> Option<Timestamp> {
    let micros = time.as_microsecond();
    if !(0..=253_402_300_799_000_000).contains(&micros) {
        return None;
    }
    Timestamp::from_microsecond(micros).ok()
}

/// The last time that is kept: 9999-12-30T22:00:00Z less a microsecond.
const LAST_MICROS: i64 = 253_402_207_199_999_999;

/// The instant after a span. Times may go up to the last possible instant; a later result becomes that instant.
pub fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    let last = || Timestamp::from_microsecond(LAST_MICROS).unwrap_or(Timestamp::MAX);
    at.checked_add(span).unwrap_or_else(|_| last())
}

/// The nearest known value, if it is near enough to be a typing error.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > GUESSED {
        return None;
    }
    known
        .iter()
        .map(|candidate| (strsim::levenshtein(word, candidate), *candidate))
        .min()
        .filter(|(far, candidate)| *far <= 2.max(candidate.len() / 4))
        .map(|(_, candidate)| candidate)
}

//! Typed names that need not exist here: another system's record, a repository, a service in a gate request. A text in the form
//! of a key is kept as it is. Any other text is kept as `{"typed": text}`, so that the log commits to it with a salt and an
//! erasure takes it out. Use it as `#[serde(with = "crate::core::typed")]`. Where a single plain name may be anything, such as
//! a person's name, use [`plain`] and [`plain_option`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The member under which a typed text is kept.
pub const MEMBER: &str = "typed";
/// The most letters of a key.
const MOST: usize = 100;
/// Members of an event's data that name a record in a person's spelling.
const IN_EVENTS: &[&str] = &[
    "deployment",
    "environment",
    "foreign_key",
    "incident",
    "incidents",
    "service",
    "to",
];
/// Events whose member `to` is the typed end of a link.
const LINKING: [&str; 2] = ["change.linked", "change.unlinked"];
/// How the keys of changes and incidents begin.
const KEYS: [&str; 2] = ["CHG-", "INC-"];
/// The lengths of a commit's name, short or whole.
const COMMIT: std::ops::RangeInclusive<usize> = 7..=64;

/// Whether a text has the form of a key: at most 100 ASCII letters, digits, `.`, `_` and `-`.
pub fn is_key(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.len() <= MOST && text.bytes().all(is_plain)
}

fn is_record_key(text: &str) -> bool {
    let number = KEYS.iter().find_map(|key| text.strip_prefix(key));
    number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a text can only be a technical name: the key of a change or an incident, or a commit.
fn is_plain(text: &str) -> bool {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_commit = is_hex && COMMIT.contains(&text.len()) && text.contains(|letter: char| letter.is_ascii_digit());
    text.is_empty() || is_commit || is_record_key(text)
}

/// The signs of a technical name beside letters, digits and spaces.
pub const TECHNICAL_SIGNS: &str = "._-/:+@#()[]&,*?=$~!%";

/// Whether a text is a technical name: at most 200 letters, digits, spaces and [`TECHNICAL_SIGNS`].
pub fn is_technical(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || letter == ' ' || TECHNICAL_SIGNS.contains(letter);
    text.chars().count() <= 2 * MOST && text.chars().all(is_plain)
}

#[derive(Serialize)]
struct Typed<'a> {
    typed: &'a str,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Plain(String),
    Typed { typed: String },
}

impl From<Kept> for String {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Plain(text) | Kept::Typed { typed: text } => text,
        }
    }
}

struct Shown<'a>(&'a str);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

/// Writes a text.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    write(text, text.is_empty() || is_key(text), serializer)
}

fn write<S: Serializer>(text: &str, is_clear: bool, serializer: S) -> Result<S::Ok, S::Error> {
    if is_clear {
        return serializer.serialize_str(text);
    }
    Typed { typed: text }.serialize(serializer)
}

/// Reads a text.
///
/// # Errors
/// The deserializer's.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Kept::deserialize(deserializer).map(String::from)
}

/// The same for a text that is kept in clear only as the key of a change or an incident, or as the name of a commit.
pub mod plain {
    use serde::{Deserializer, Serializer};

    use super::{is_plain, write};

    /// Writes a text.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        write(text, is_plain(text), serializer)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        super::deserialize(deserializer)
    }
}

/// [`plain`] for a text that may be absent.
pub mod plain_option {
    use serde::{Deserializer, Serializer};

    use super::plain;

    /// Writes a text.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
        match text {
            Some(text) => plain::serialize(text, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        super::option::deserialize(deserializer)
    }
}

/// The same for a text that may be absent.
pub mod option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Kept, Shown};

    /// Writes a text.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
        text.as_deref().map(Shown).serialize(serializer)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        Ok(Option::<Kept>::deserialize(deserializer)?.map(String::from))
    }
}

/// The same for several texts.
pub mod list {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Kept, Shown};

    /// Writes texts.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(texts: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(texts.iter().map(|text| Shown(text)))
    }

    /// Reads texts.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        let kept = Vec::<Kept>::deserialize(deserializer)?;
        Ok(kept.into_iter().map(String::from).collect())
    }
}

/// [`list`] for texts that may be absent.
pub mod option_list {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Kept, list};

    /// Writes texts.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(texts: &Option<Vec<String>>, serializer: S) -> Result<S::Ok, S::Error> {
        match texts {
            Some(texts) => list::serialize(texts, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads texts.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
        let kept = Option::<Vec<Kept>>::deserialize(deserializer)?;
        Ok(kept.map(|kept| kept.into_iter().map(String::from).collect()))
    }
}

/// The text of a value that is kept as typed.
pub fn text_of(value: &Value) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get(MEMBER)?.as_str()
}

/// Replaces each typed object by its text, which is the form for readers and clients.
pub fn flatten(value: &mut Value) {
    if let Some(text) = text_of(value) {
        *value = Value::String(text.to_owned());
        return;
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(flatten),
        Value::Array(rows) => rows.iter_mut().for_each(flatten),
        _ => {}
    }
}

/// Takes typed texts out of an event's data, which nothing seals: the records beside it commit to them.
pub fn leave_events(kind: &str, data: &mut Map<String, Value>) {
    for name in IN_EVENTS {
        let is_end = *name == "to" && LINKING.contains(&kind);
        let is_text_clear = |text: &str| if is_end { is_record_key(text) } else { is_key(text) };
        let is_clear = |value: &Value| value.as_str().is_none_or(|text| text.is_empty() || is_text_clear(text));
        match data.get_mut(*name) {
            Some(value @ Value::String(_)) if !is_clear(value) => *value = Value::Null,
            Some(Value::Array(rows)) => rows.retain(is_clear),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        #[serde(with = "crate::core::typed")]
        to: String,
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "crate::core::typed::option"
        )]
        maybe: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::core::typed::list")]
        some: Vec<String>,
    }

    #[test]
    fn a_key_is_kept_in_clear_and_any_other_text_as_typed() {
        let row = Row {
            to: "CHG-7".to_owned(),
            maybe: Some("jira:OPS-7".to_owned()),
            some: vec!["INC-1".to_owned(), "https://status.example/jane".to_owned()],
        };
        let kept = json!({"to": "CHG-7", "maybe": {"typed": "jira:OPS-7"}, "some": ["INC-1", {"typed": "https://status.example/jane"}]});
        assert_eq!(serde_json::to_value(&row).unwrap(), kept);
        let mut shown = kept;
        flatten(&mut shown);
        assert_eq!(
            shown,
            json!({"to": "CHG-7", "maybe": "jira:OPS-7", "some": ["INC-1", "https://status.example/jane"]})
        );
        // A value that was kept in clear before is read as well.
        assert_eq!(serde_json::from_value::<Row>(shown).unwrap(), row);
    }

    #[test]
    fn the_data_of_an_event_keep_keys_alone() {
        let left = |kind: &str, data: Value| {
            let Value::Object(mut data) = data else { unreachable!() };
            leave_events(kind, &mut data);
            Value::Object(data)
        };
        assert_eq!(
            left(
                "change.reviewed",
                json!({"to": "jira:OPS-7", "service": "pay", "incidents": ["INC-1", "a b"], "code": "a b"})
            ),
            json!({"to": null, "service": "pay", "incidents": ["INC-1"], "code": "a b"})
        );
        assert_eq!(
            left("deployment.failed", json!({"deployment": "jane/pay#7"})),
            json!({"deployment": null})
        );
        assert_eq!(left("change.linked", json!({"to": "relJane"})), json!({"to": null}));
        assert_eq!(left("change.linked", json!({"to": "CHG-7"})), json!({"to": "CHG-7"}));
        assert_eq!(left("change.risk", json!({"to": "high"})), json!({"to": "high"}));
    }

    #[test]
    fn a_plain_word_is_no_key_and_no_commit() {
        for word in ["relMueller", "colanordmann1990", "CHG-", "INC-7a", "beef"] {
            assert!(!is_plain(word), "{word}");
        }
        for word in ["CHG-7", "INC-12", "0123abc", ""] {
            assert!(is_plain(word), "{word}");
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Plain {
        #[serde(with = "crate::core::typed::plain")]
        to: String,
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "crate::core::typed::plain_option"
        )]
        maybe: Option<String>,
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_stands_in_clear_as_a_key_alone(text in "\\PC{0,40}") {
            let row = Row { to: text.clone(), maybe: Some(text.clone()), some: vec![text.clone()] };
            let kept = serde_json::to_value(&row).unwrap();
            prop_assert_eq!(kept["to"].is_string(), text.is_empty() || is_key(&text));
            prop_assert_eq!(serde_json::from_value::<Row>(kept).unwrap(), row);
        }

        #[test]
        fn a_word_comes_back_and_stands_in_clear_where_it_is_plain_alone(text in "[A-Za-z0-9-]{0,12}|CHG-[0-9]{1,4}") {
            let row = Plain { to: text.clone(), maybe: Some(text.clone()) };
            let kept = serde_json::to_value(&row).unwrap();
            prop_assert_eq!((kept["to"].is_string(), kept["maybe"].is_string()), (is_plain(&text), is_plain(&text)));
            prop_assert_eq!(serde_json::from_value::<Plain>(kept).unwrap(), row);
        }
    }
}

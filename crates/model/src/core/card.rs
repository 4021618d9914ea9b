//! The card of a noun: its fields, its verbs and its events as data. Parsing, OpenAPI, the command line, the pages, the labels
//! of the log and the general tests read the card; checks, derived values and rules are code beside it.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::core::parse::Reading;

/// The values of a closed enum.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// All values, as requests write them.
    pub all: fn() -> Vec<&'static str>,
    /// The error of a text that is no value, with the nearest value.
    pub why_not: fn(&str) -> Option<String>,
}

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text of at most so many characters.
    Text(usize),
    /// A list of such texts.
    Texts(usize),
    /// A moment.
    Time,
    /// Yes or no.
    Boolean,
    /// A whole number within bounds, both included.
    Integer(i64, i64),
    /// One value of an enum.
    Word(Words),
    /// Several of them.
    Words(Words),
    /// An object that is described in its documentation.
    Object,
    /// An object with the named shape, which code reads.
    Part(&'static str),
    /// A list of such objects.
    Parts(&'static str),
}

/// A field of a record or of a request.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in records, requests and columns.
    pub name: &'static str,
    /// Its label in forms.
    pub label: &'static str,
    /// Its purpose, in one line: in the API, in `--help` and in forms.
    pub doc: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it is always there.
    pub is_needed: bool,
    /// Whether it is free text, which the log seals ([`crate::core::free_text`]).
    pub is_free_text: bool,
    /// The derived column of the table that holds it; empty for none.
    pub column: &'static str,
    /// The noun whose keys it holds; empty for none.
    pub refers: &'static str,
    /// A value for the documentation of the API; lists have it as their only entry.
    pub example: &'static str,
    /// Whether the command line takes it without an option.
    pub is_positional: bool,
    /// The name of its option: by default the field's with hyphens.
    pub option: &'static str,
    /// The default of the command line and the form; empty for none.
    pub usual: &'static str,
}

impl Field {
    /// A field of responses that is computed and not kept.
    pub const fn shown(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            label: name,
            doc,
            kind,
            is_needed: false,
            is_free_text: false,
            column: "",
            refers: "",
            example: "",
            is_positional: false,
            option: "",
            usual: "",
        }
    }

    /// The same field, always there.
    pub const fn needed(self) -> Self {
        Self {
            is_needed: true,
            ..self
        }
    }

    /// The example as JSON; `None` for a field without one.
    pub fn example_value(&self) -> Option<Value> {
        let text = self.example;
        if text.is_empty() {
            return None;
        }
        Some(match self.kind {
            Kind::Texts(_) | Kind::Words(_) => json!([text]),
            Kind::Boolean | Kind::Integer(..) | Kind::Object | Kind::Part(_) | Kind::Parts(_) => {
                serde_json::from_str(text).unwrap_or(Value::Null)
            }
            Kind::Text(_) | Kind::Time | Kind::Word(_) => json!(text),
        })
    }
}

/// A struct with the data of its fields; derived.
pub trait Described {
    /// The name of its shape in the API.
    const NAME: &'static str;
    /// Its documentation in one line.
    const DOC: &'static str;
    /// Its fields in their order; without `id` and `version`, which every record has.
    const FIELDS: &'static [Field];
}

/// The input of a verb. A missing or wrong field gets the type's default, so that checks by hand see the rest.
pub trait Input: Described + DeserializeOwned + Default {}

impl<T: Described + DeserializeOwned + Default> Input for T {}

/// The input of a noun that rules alone write: it has none.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
pub struct NoInput {}

impl Described for NoInput {
    const NAME: &'static str = "";
    const DOC: &'static str = "";
    const FIELDS: &'static [Field] = &[];
}

/// A record with a card; derived.
pub trait Noun: Described + Serialize + DeserializeOwned + Clone + PartialEq {
    /// The card.
    const CARD: &'static Card;
}

/// The effect of a verb on its noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Lists the records in use.
    List,
    /// Shows one.
    Show,
    /// Adds one.
    Add,
    /// Adds one, or changes the one with the same key.
    Set,
    /// Changes one in part.
    Edit,
    /// Takes one out of use.
    End,
}

/// The token scope for a verb; a signed-in session has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The scope `read`.
    Read,
    /// The scope `write`.
    Write,
    /// The scope `audit`.
    Audit,
    /// The scope `admin`.
    Admin,
}

/// The row of a route: path, verb, access and description.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    /// The effect.
    pub does: Does,
    /// Its name, which no other route has: `add_witness`.
    pub name: &'static str,
    /// Its path below `/api/v1`.
    pub path: &'static str,
    /// The subcommand: `add` in `assent witness add`.
    pub command: &'static str,
    /// The effect, in one line without a full stop.
    pub doc: &'static str,
    /// The token scope.
    pub token: Token,
    /// The actions of the policies that allow it; ` | ` between alternatives.
    pub may: &'static str,
}

impl Verb {
    /// A verb with the usual subcommand, for tokens that may read or write; `may` names the actions that allow it.
    pub const fn row(does: Does, name: &'static str, path: &'static str, doc: &'static str, may: &'static str) -> Self {
        let (command, token) = match does {
            Does::List => ("list", Token::Read),
            Does::Show => ("show", Token::Read),
            Does::Add => ("add", Token::Write),
            Does::Set => ("set", Token::Write),
            Does::Edit => ("edit", Token::Write),
            Does::End => ("end", Token::Write),
        };
        Self {
            does,
            name,
            path,
            command,
            doc,
            token,
            may,
        }
    }

    /// The same verb for tokens of another scope.
    pub const fn token(self, token: Token) -> Self {
        Self { token, ..self }
    }

    /// The same verb under another subcommand.
    pub const fn called(self, command: &'static str) -> Self {
        Self { command, ..self }
    }

    /// Its method in HTTP.
    pub const fn method(&self) -> &'static str {
        match self.does {
            Does::List | Does::Show => "GET",
            Does::Add | Does::Set => "POST",
            Does::Edit => "PATCH",
            Does::End => "DELETE",
        }
    }
}

/// Rows of verbs, one a line: effect, name, path, the actions that allow it, description; then the scope of tokens and the
/// subcommand, where they are not the usual ones.
#[macro_export]
macro_rules! verbs {
    ($($does:ident $name:literal at $path:literal may $may:expr => $doc:literal $(, token $token:ident)? $(, called $word:literal)?;)+) => {
        &[$(
            $crate::core::card::Verb::row($crate::core::card::Does::$does, $name, $path, $doc, $may)
                $(.token($crate::core::card::Token::$token))? $(.called($word))?
        ),+]
    };
}

/// How the log shows an event.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// `witness.added`.
    pub kind: &'static str,
    /// The name of its icon.
    pub icon: &'static str,
    /// The act, as a phrase behind the actor's name.
    pub phrase: &'static str,
}

impl Event {
    /// An event with its icon and its phrase.
    pub const fn new(kind: &'static str, icon: &'static str, phrase: &'static str) -> Self {
        Self { kind, icon, phrase }
    }
}

/// A page with the list of a noun and its forms.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Its path below the tenant's address.
    pub path: &'static str,
    /// One sentence below its title.
    pub byline: &'static str,
    /// The text of an empty list.
    pub empty: &'static str,
    /// The labels of the forms that add, change and end a record.
    pub labels: [&'static str; 3],
}

/// A derived column that no field holds: its name, and its value from the record's body. The value for an empty body shows its
/// type: yes or no, a text, or `null` for a text that may be absent.
pub type Derived = (&'static str, fn(&Value) -> Value);

/// Everything about a noun that is data.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// Its table, and the first part of its events: `witness`.
    pub table: &'static str,
    /// Its plural in filters and headings.
    pub title: &'static str,
    /// The name of its shape in the API.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// The fields of its records.
    pub fields: &'static [Field],
    /// The shape of its input: name, documentation, fields.
    pub input: (&'static str, &'static str, &'static [Field]),
    /// The name of the shape of its edits; empty where it has none.
    pub patch: &'static str,
    /// Derived columns beside the fields that are columns.
    pub derived: &'static [Derived],
    /// Computed fields of responses.
    pub shown: &'static [Field],
    /// The group of its routes in the API.
    pub tag: &'static str,
    /// The columns of its table on the command line; a point leads into an object.
    pub columns: &'static [&'static str],
    /// Its name on the command line.
    pub command: &'static str,
    /// Its verbs.
    pub verbs: &'static [Verb],
    /// Its events.
    pub events: &'static [Event],
    /// Its page, where it has one of its own.
    pub page: Option<Page>,
}

impl Card {
    /// A card with the fields of its record and of its input, and nothing else yet.
    pub const fn of<N: Described, I: Described>(table: &'static str, title: &'static str) -> Self {
        Self {
            table,
            title,
            name: N::NAME,
            doc: N::DOC,
            fields: N::FIELDS,
            input: (I::NAME, I::DOC, I::FIELDS),
            patch: "",
            derived: &[],
            shown: &[],
            tag: "",
            columns: &["id"],
            command: table,
            verbs: &[],
            events: &[],
            page: None,
        }
    }

    /// Whether a verb takes its input.
    pub fn has_input(&self) -> bool {
        self.verb(Does::Add).or_else(|| self.verb(Does::Set)).is_some()
    }

    /// The verb with this effect.
    pub fn verb(&self, does: Does) -> Option<&'static Verb> {
        self.verbs.iter().find(|verb| verb.does == does)
    }
}

/// Reads the input of a verb, with all errors at once. Call it after the permission check: 403 comes before 422.
pub fn read<I: Input>(reading: &mut Reading<'_>) -> I {
    let mut map = Map::new();
    for field in I::FIELDS {
        if let Some(value) = checked(reading, field) {
            map.insert(field.name.to_owned(), value);
        }
    }
    typed(map)
}

/// Reads an edit (RFC 7396): fields that the request names are judged, `null` clears one, and the others stay as the record has
/// them. Rules by hand use [`Reading::says`], so that they too judge only changed fields.
pub fn read_edit<I: Input, N: Noun>(reading: &mut Reading<'_>, record: &N) -> I {
    let mut map = match serde_json::to_value(record) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    map.retain(|name, _| I::FIELDS.iter().any(|field| field.name == name));
    for field in I::FIELDS {
        if !reading.says(field.name) {
            continue;
        }
        match checked(reading, field) {
            Some(value) => map.insert(field.name.to_owned(), value),
            None => map.remove(field.name),
        };
    }
    // Fields that the request leaves out are known all the same, for the hint at a slip of the finger.
    for field in I::FIELDS {
        reading.ignore(field.name);
    }
    typed(map)
}

fn typed<I: Input>(map: Map<String, Value>) -> I {
    serde_json::from_value(Value::Object(map)).expect("a card is derived from the struct that it fills")
}

/// The value of a field as a record keeps it; `None` where it is absent or wrong, which is noted.
fn checked(reading: &mut Reading<'_>, field: &Field) -> Option<Value> {
    let before = reading.errors.len();
    let found = value(reading, field);
    if found.is_none() && field.is_needed && reading.errors.len() == before {
        let text = format!("`{}` is missing.", reading.at(field.name));
        reading.wrong(field.name, "missing", text);
    }
    found
}

fn value(reading: &mut Reading<'_>, field: &Field) -> Option<Value> {
    match field.kind {
        Kind::Text(most) => reading.text(field.name, most).map(Value::from),
        Kind::Texts(most) => reading.texts(field.name, most).map(Value::from),
        Kind::Time => reading.time(field.name).map(|at: Timestamp| json!(at)),
        Kind::Boolean => reading.boolean(field.name).map(Value::from),
        Kind::Integer(least, most) => reading.integer(field.name, least..=most).map(Value::from),
        Kind::Word(words) => reading.one_of(field.name, words.why_not).map(Value::from),
        Kind::Words(words) => reading.some_of(field.name, words.why_not).map(Value::from),
        Kind::Object => reading.value(field.name).cloned(),
        Kind::Part(_) | Kind::Parts(_) => {
            reading.ignore(field.name);
            None
        }
    }
}

//! Small helpers that spell JSON Schemas (draft 2020-12, as OpenAPI 3.1 uses it). The shapes themselves are tables.

use model::core::card;
use serde_json::{Map, Value, json};

/// The values that a field may have.
#[derive(Clone, Copy)]
pub(crate) enum Words {
    /// Those of a closed enum of the model.
    Of(fn() -> Vec<&'static str>),
    /// Those named here.
    These(&'static [&'static str]),
}

impl Words {
    fn list(self) -> Vec<&'static str> {
        match self {
            Self::Of(words) => words(),
            Self::These(words) => words.to_vec(),
        }
    }
}

/// Every value of a closed enum of the model.
macro_rules! all {
    ($name:ident) => {
        $crate::openapi::shapes::Words::Of(|| $name::ALL.iter().map(|it| it.as_str()).collect())
    };
}
pub(crate) use all;

/// The type of a field.
#[derive(Clone, Copy)]
enum Kind {
    Text(usize),
    Texts(usize),
    Time,
    Boolean,
    Integer(i64, i64),
    Word(Words),
    Words(Words),
    Object(&'static str),
    Objects(&'static str),
    Free,
    Frees,
    Lists,
    TextOrNull,
    TimeOrNull,
    IntegerOrNull,
    FreeOrNull,
    Any,
    TextOrFree(usize),
    Integers(i64, i64),
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Text(limit) => json!({"type": "string", "maxLength": limit}),
            Self::Texts(limit) => json!({"type": "array", "items": {"type": "string", "maxLength": limit}}),
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Integer(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
            Self::Word(words) => json!({"type": "string", "enum": words.list()}),
            Self::Words(words) => {
                json!({"type": "array", "items": {"type": "string", "enum": words.list()}, "uniqueItems": true})
            }
            Self::Object(of) => reference(of),
            Self::Objects(of) => json!({"type": "array", "items": reference(of)}),
            Self::Free => json!({"type": "object"}),
            Self::Frees => json!({"type": "array", "items": {"type": "object"}}),
            Self::Lists => json!({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}),
            Self::TextOrNull => json!({"type": ["string", "null"]}),
            Self::TimeOrNull => json!({"type": ["string", "null"], "format": "date-time"}),
            Self::IntegerOrNull => json!({"type": ["integer", "null"]}),
            Self::FreeOrNull => json!({"type": ["object", "null"]}),
            Self::Any => json!({}),
            Self::Integers(least, most) => {
                json!({"type": "array", "items": {"type": "integer", "minimum": least, "maximum": most}})
            }
            Self::TextOrFree(limit) => json!({"type": ["string", "object"], "maxLength": limit}),
        }
    }
}

/// One field of a shape.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    name: &'static str,
    doc: &'static str,
    kind: Kind,
    is_needed: bool,
    /// The field of a card that it is made of.
    card: Option<&'static card::Field>,
}

impl From<&'static card::Field> for Field {
    fn from(field: &'static card::Field) -> Self {
        let kind = match field.kind {
            card::Kind::Text(most) => Kind::Text(most),
            card::Kind::Texts(most) => Kind::Texts(most),
            card::Kind::Time => Kind::Time,
            card::Kind::Boolean => Kind::Boolean,
            card::Kind::Integer(least, most) => Kind::Integer(least, most),
            card::Kind::Word(words) => Kind::Word(Words::Of(words.all)),
            card::Kind::Words(words) => Kind::Words(Words::Of(words.all)),
            card::Kind::Object => Kind::Free,
            card::Kind::Part(of) => Kind::Object(of),
            card::Kind::Parts(of) => Kind::Objects(of),
        };
        Self {
            is_needed: field.is_needed,
            card: Some(field),
            ..Self::new(field.name, field.doc, kind)
        }
    }
}

impl Field {
    const fn new(name: &'static str, doc: &'static str, kind: Kind) -> Self {
        Self {
            name,
            doc,
            kind,
            is_needed: false,
            card: None,
        }
    }

    /// The same field, which may be left out.
    pub(crate) const fn optional(self) -> Self {
        Self {
            is_needed: false,
            ..self
        }
    }

    /// Marks the field as required.
    pub(crate) const fn needed(self) -> Self {
        Self {
            is_needed: true,
            ..self
        }
    }
}

/// A named object of the document.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Its name.
    pub(crate) name: &'static str,
    doc: &'static str,
    fields: &'static [Field],
    bases: &'static [&'static str],
}

impl Shape {
    /// Adds the fields of other shapes.
    pub(crate) const fn based_on(self, bases: &'static [&'static str]) -> Self {
        Self { bases, ..self }
    }

    /// The shape as a schema.
    pub(crate) fn schema(&self) -> Value {
        schema_of(self.doc, self.fields.iter().copied(), self.bases)
    }
}

/// An object with these fields and those of other shapes.
pub(crate) fn schema_of(doc: &str, fields: impl Iterator<Item = Field>, bases: &[&str]) -> Value {
    let mut properties = Map::new();
    let mut needed = Vec::new();
    for field in fields {
        let mut schema = field.kind.schema();
        // A reference may carry a description beside it since OpenAPI 3.1.
        schema["description"] = json!(field.doc);
        if let Some(example) = field.card.and_then(card::Field::example_value) {
            schema["examples"] = json!([example]);
        }
        properties.insert(field.name.to_owned(), schema);
        needed.extend(field.is_needed.then_some(field.name));
    }
    let mut own = json!({"type": "object", "description": doc, "properties": properties});
    if !needed.is_empty() {
        own["required"] = json!(needed);
    }
    if bases.is_empty() {
        return own;
    }
    let mut parts: Vec<Value> = bases.iter().map(|base| reference(base)).collect();
    parts.push(own);
    json!({"description": doc, "allOf": parts})
}

/// A shape of these fields.
pub(crate) const fn shape(name: &'static str, doc: &'static str, fields: &'static [Field]) -> Shape {
    Shape {
        name,
        doc,
        fields,
        bases: &[],
    }
}

/// Points at a named shape.
pub(crate) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Text of at most `limit` characters.
pub(crate) const fn text(name: &'static str, limit: usize, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Text(limit))
}

/// A list of texts.
pub(crate) const fn texts(name: &'static str, limit: usize, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Texts(limit))
}

/// A moment in RFC 3339, UTC.
pub(crate) const fn time(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Time)
}

/// Yes or no.
pub(crate) const fn boolean(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Boolean)
}

/// A whole number within bounds, both included.
pub(crate) const fn integer(name: &'static str, least: i64, most: i64, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Integer(least, most))
}

/// One of these values.
pub(crate) const fn word(name: &'static str, words: Words, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Word(words))
}

/// Several of these values.
pub(crate) const fn words(name: &'static str, words: Words, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Words(words))
}

/// A named shape.
pub(crate) const fn object(name: &'static str, of: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Object(of))
}

/// A list of a named shape.
pub(crate) const fn objects(name: &'static str, of: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Objects(of))
}

/// An object whose fields are described in prose.
pub(crate) const fn free(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Free)
}

/// A list of whole numbers between these two.
pub(crate) const fn integers(name: &'static str, least: i64, most: i64, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Integers(least, most))
}

/// A text of at most so many characters, or an object whose fields are described in prose.
pub(crate) const fn text_or_free(name: &'static str, limit: usize, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::TextOrFree(limit))
}

/// A value of any kind.
pub(crate) const fn any(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Any)
}

/// A list of objects whose fields are described in prose.
pub(crate) const fn frees(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Frees)
}

/// Rows of words.
pub(crate) const fn lists(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::Lists)
}

/// A moment in RFC 3339, UTC, or null.
pub(crate) const fn time_or_null(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::TimeOrNull)
}

/// A whole number or null.
pub(crate) const fn integer_or_null(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::IntegerOrNull)
}

/// An object whose fields are described in prose, or null.
pub(crate) const fn free_or_null(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::FreeOrNull)
}

/// Text or null.
pub(crate) const fn text_or_null(name: &'static str, doc: &'static str) -> Field {
    Field::new(name, doc, Kind::TextOrNull)
}

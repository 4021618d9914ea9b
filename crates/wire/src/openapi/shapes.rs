//! Small helpers that spell JSON Schemas (draft 2020-12, as OpenAPI 3.1 uses it).

use serde_json::{Map, Value, json};

/// One field of a shape.
pub(super) struct Field {
    name: &'static str,
    schema: Value,
    is_needed: bool,
}

impl Field {
    /// Says that the field must be there.
    pub(super) fn needed(mut self) -> Self {
        self.is_needed = true;
        self
    }
}

/// A named object of the document.
pub(super) struct Shape {
    pub(super) name: &'static str,
    doc: &'static str,
    fields: Vec<Field>,
    base: Option<&'static str>,
}

impl Shape {
    /// The shape as a schema. One with a base has the base's fields too.
    pub(super) fn schema(&self) -> Value {
        let mut properties = Map::new();
        for field in &self.fields {
            properties.insert(field.name.to_owned(), field.schema.clone());
        }
        let mut own = json!({"type": "object", "description": self.doc, "properties": properties});
        let needed: Vec<&str> = self
            .fields
            .iter()
            .filter(|field| field.is_needed)
            .map(|field| field.name)
            .collect();
        if !needed.is_empty() {
            own["required"] = json!(needed);
        }
        match self.base {
            Some(base) => json!({"description": self.doc, "allOf": [reference(base), own]}),
            None => own,
        }
    }

    /// Adds the fields of another shape.
    pub(super) fn based_on(mut self, base: &'static str) -> Self {
        self.base = Some(base);
        self
    }
}

/// A shape of these fields.
pub(super) fn shape(name: &'static str, doc: &'static str, fields: Vec<Field>) -> Shape {
    Shape {
        name,
        doc,
        fields,
        base: None,
    }
}

/// Points at a named shape.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn field(name: &'static str, doc: &str, mut schema: Value) -> Field {
    // A reference may carry a description beside it since OpenAPI 3.1.
    if !doc.is_empty() {
        schema["description"] = json!(doc);
    }
    Field {
        name,
        schema,
        is_needed: false,
    }
}

/// Text of at most `limit` characters.
pub(super) fn text(name: &'static str, limit: usize, doc: &str) -> Field {
    field(name, doc, json!({"type": "string", "maxLength": limit}))
}

/// A list of texts.
pub(super) fn texts(name: &'static str, limit: usize, doc: &str) -> Field {
    let items = json!({"type": "string", "maxLength": limit});
    field(name, doc, json!({"type": "array", "items": items}))
}

/// A moment in RFC 3339, UTC.
pub(super) fn time(name: &'static str, doc: &str) -> Field {
    field(name, doc, json!({"type": "string", "format": "date-time"}))
}

/// Yes or no.
pub(super) fn boolean(name: &'static str, doc: &str) -> Field {
    field(name, doc, json!({"type": "boolean"}))
}

/// A whole number within bounds, both included.
pub(super) fn integer(name: &'static str, least: i64, most: i64, doc: &str) -> Field {
    field(name, doc, json!({"type": "integer", "minimum": least, "maximum": most}))
}

/// One of these words.
pub(super) fn word(name: &'static str, words: &[&str], doc: &str) -> Field {
    field(name, doc, json!({"type": "string", "enum": words}))
}

/// Several of these words.
pub(super) fn words(name: &'static str, words: &[&str], doc: &str) -> Field {
    let items = json!({"type": "string", "enum": words});
    field(name, doc, json!({"type": "array", "items": items, "uniqueItems": true}))
}

/// A named shape.
pub(super) fn object(name: &'static str, of: &str, doc: &str) -> Field {
    field(name, doc, reference(of))
}

/// A list of a named shape.
pub(super) fn objects(name: &'static str, of: &str, doc: &str) -> Field {
    field(name, doc, json!({"type": "array", "items": reference(of)}))
}

/// An object whose fields are told in words.
pub(super) fn free(name: &'static str, doc: &str) -> Field {
    field(name, doc, json!({"type": "object"}))
}

/// Text or null.
pub(super) fn text_or_null(name: &'static str, doc: &str) -> Field {
    field(name, doc, json!({"type": ["string", "null"]}))
}

//! The fields of a shape as columns of a table, read from the document itself, so that a file has what its list has.

use serde_json::Value;

use crate::openapi::components;
pub use crate::openapi::lists;

/// A column of an exported list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name of the field.
    pub name: String,
    /// Whether it holds a moment in RFC 3339.
    pub is_time: bool,
}

/// The columns of a shape, those of the shapes that it rests on first, each once.
#[must_use]
pub fn columns(shape: &str) -> Vec<Column> {
    let components = components();
    let mut found = Vec::new();
    collect(&components["schemas"], &components["schemas"][shape], &mut found);
    found
}

fn collect(schemas: &Value, schema: &Value, found: &mut Vec<Column>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        collect(schemas, &schemas[name], found);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(schemas, part, found);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if !found.iter().any(|column| column.name == *name) {
            found.push(Column {
                name: name.clone(),
                is_time: field["format"] == "date-time",
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{columns, lists};

    #[test]
    fn every_list_has_columns_and_times_are_known() {
        let mut seen = 0;
        for (noun, shape) in lists() {
            assert!(!columns(shape).is_empty(), "{noun} of {shape}");
            seen += 1;
        }
        assert!(seen > 40, "{seen} lists");
        let found = columns("Announcement");
        let time = |name: &str| found.iter().any(|column| column.name == name && column.is_time);
        assert!(time("starts_at") && !time("title"), "{found:?}");
        assert!(found.iter().any(|column| column.name == "id"), "{found:?}");
    }
}

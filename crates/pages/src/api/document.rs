//! Reads an OpenAPI 3.1 document into what the page shows.

use serde_json::Value;

use crate::{Part, Rich};

/// Schemas within schemas are followed to this depth; deeper ones are shown as “object”.
const DEEPEST: usize = 5;

/// Operations under one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) operations: Vec<Operation>,
}

/// One route with one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) is_deprecated: bool,
    pub(super) is_open: bool,
    pub(super) parameters: Vec<Property>,
    pub(super) bodies: Vec<Body>,
    pub(super) responses: Vec<Response>,
}

/// A parameter or a property of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) kind: Type,
    pub(super) is_required: bool,
    pub(super) description: String,
}

/// A type as text, with links to named shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Type(Rich);

impl Part for Type {
    fn html(&self) -> String {
        self.0.html()
    }
}

/// A body with its media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) media_type: String,
    pub(super) kind: Type,
    pub(super) properties: Vec<Property>,
    pub(super) example: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: String,
    pub(super) description: String,
    pub(super) bodies: Vec<Body>,
}

/// A named shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) kind: Type,
    pub(super) properties: Vec<Property>,
}

pub(super) fn read_groups(openapi: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for tag in openapi["tags"].as_array().into_iter().flatten() {
        let name = text(&tag["name"]);
        groups.push(new_group(&name, text(&tag["description"])));
    }
    for (path, item) in openapi["paths"].as_object().into_iter().flatten() {
        for method in ["get", "post", "put", "patch", "delete", "head", "options"] {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let name = operation["tags"][0].as_str().unwrap_or("Other");
            let read = read_operation(openapi, path, method, item, operation);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.operations.push(read),
                None => {
                    let mut group = new_group(name, String::new());
                    group.operations.push(read);
                    groups.push(group);
                }
            }
        }
    }
    groups.retain(|group| !group.operations.is_empty());
    groups
}

pub(super) fn read_shapes(openapi: &Value) -> Vec<Shape> {
    let schemas = openapi["components"]["schemas"].as_object();
    schemas
        .into_iter()
        .flatten()
        .map(|(name, schema)| Shape {
            id: anchor("shape", name),
            name: name.clone(),
            description: text(&schema["description"]),
            kind: Type(describe(schema, 0)),
            properties: properties(schema),
        })
        .collect()
}

fn new_group(name: &str, description: String) -> Group {
    Group {
        id: anchor("group", name),
        name: name.to_owned(),
        description,
        operations: Vec::new(),
    }
}

fn read_operation(openapi: &Value, path: &str, method: &str, item: &Value, operation: &Value) -> Operation {
    let shared = item["parameters"].as_array().into_iter().flatten();
    let own = operation["parameters"].as_array().into_iter().flatten();
    let parameters = shared
        .chain(own)
        .map(|value| read_parameter(resolve(openapi, value)))
        .collect();
    let responses = operation["responses"].as_object().into_iter().flatten();
    Operation {
        id: anchor(method, path),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        is_deprecated: operation["deprecated"].as_bool().unwrap_or(false),
        is_open: operation["security"].as_array().is_some_and(Vec::is_empty),
        parameters,
        bodies: bodies(resolve(openapi, &operation["requestBody"])),
        responses: responses
            .map(|(status, response)| {
                let response = resolve(openapi, response);
                Response {
                    status: status.clone(),
                    description: text(&response["description"]),
                    bodies: bodies(response),
                }
            })
            .collect(),
    }
}

fn read_parameter(parameter: &Value) -> Property {
    Property {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        kind: Type(describe(&parameter["schema"], 0)),
        is_required: parameter["required"].as_bool().unwrap_or(false),
        description: text(&parameter["description"]),
    }
}

fn bodies(holder: &Value) -> Vec<Body> {
    let content = holder["content"].as_object();
    content
        .into_iter()
        .flatten()
        .map(|(media_type, media)| Body {
            media_type: media_type.clone(),
            kind: Type(describe(&media["schema"], 0)),
            properties: properties(&media["schema"]),
            example: example(media),
        })
        .collect()
}

fn example(media: &Value) -> String {
    match &media["example"] {
        Value::Null => String::new(),
        Value::String(words) => words.clone(),
        other => format!("{other:#}"),
    }
}

/// The properties written at the schema itself or in its `allOf` parts; named
/// shapes are linked, not copied.
fn properties(schema: &Value) -> Vec<Property> {
    let required = |name: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|names| names.iter().any(|known| known == name))
    };
    let own = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, property)| Property {
            name: name.clone(),
            place: String::new(),
            kind: Type(describe(property, 0)),
            is_required: required(name),
            description: text(&property["description"]),
        });
    let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(properties);
    own.chain(parts).collect()
}

fn describe(schema: &Value, depth: usize) -> Rich {
    if depth > DEEPEST {
        return Rich::from("object");
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return Rich::new().link(name, format!("#{}", anchor("shape", name)));
    }
    for (word, joint) in [("allOf", " and "), ("oneOf", " or "), ("anyOf", " or ")] {
        if let Some(parts) = schema[word].as_array() {
            return join(parts.iter().map(|part| describe(part, depth + 1)), joint);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return join(values.iter().map(|value| Rich::new().code(plain_value(value))), ", ");
    }
    if !schema["const"].is_null() {
        return Rich::new().code(plain_value(&schema["const"]));
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if kinds.contains(&"array") {
        return Rich::new()
            .text("list of ")
            .append(describe(&schema["items"], depth + 1));
    }
    let words = if kinds.is_empty() {
        "any".to_owned()
    } else {
        kinds.join(" or ")
    };
    match schema["format"].as_str() {
        Some(format) => Rich::new().text(words).text(", ").text(format),
        None => Rich::new().text(words),
    }
}

fn join(parts: impl Iterator<Item = Rich>, joint: &str) -> Rich {
    parts.fold(Rich::new(), |all, part| {
        if all.is_empty() {
            part
        } else {
            all.text(joint).append(part)
        }
    })
}

fn plain_value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Follows one `$ref` within the document; anything else stays as it is.
fn resolve<'a>(openapi: &'a Value, value: &'a Value) -> &'a Value {
    let Some(path) = value["$ref"].as_str().and_then(|path| path.strip_prefix('#')) else {
        return value;
    };
    openapi.pointer(path).unwrap_or(value)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An element id: letters and digits stay, everything else becomes a hyphen.
fn anchor(prefix: &str, name: &str) -> String {
    let letters: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    format!("{prefix}-{letters}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_told_in_words() {
        let words = |schema: Value| describe(&schema, 0).plain();
        assert_eq!(
            words(json!({"type": "array", "items": {"$ref": "#/components/schemas/Target"}})),
            "list of Target"
        );
        assert_eq!(
            words(json!({"type": ["string", "null"], "format": "date-time"})),
            "string or null, date-time"
        );
        assert_eq!(words(json!({"enum": ["go", "stop"]})), "go, stop");
        assert_eq!(
            words(json!({"oneOf": [{"type": "null"}, {"type": "string"}]})),
            "null or string"
        );
        assert_eq!(words(json!({})), "any");
    }

    #[test]
    fn a_misshapen_document_gives_an_empty_list() {
        assert_eq!(read_groups(&json!({"paths": [1, 2], "tags": "x"})), Vec::new());
        assert_eq!(read_shapes(&json!({"components": null})), Vec::new());
    }

    #[test]
    fn operations_stand_under_their_tag_with_resolved_parameters() {
        let groups = read_groups(&json!({
            "paths": {"/x": {"get": {"parameters": [{"$ref": "#/components/parameters/P"}]}}},
            "components": {"parameters": {"P": {"name": "page", "in": "query"}}}
        }));
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].operations[0].parameters[0].name, "page");
    }
}

//! The reference of the API, from the OpenAPI document that the program prints.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{cell, slug};

/// The methods of a path, in the order of the page.
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

/// A page for each tag, one for the shapes of requests and responses, and one that lists them.
pub fn pages(document: &Value) -> Vec<(String, String)> {
    let mut by_tag: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, methods) in rows(&document["paths"]) {
        for method in METHODS {
            let operation = &methods[*method];
            if let Some(tag) = operation["tags"][0].as_str() {
                by_tag
                    .entry(tag)
                    .or_default()
                    .push(operation_text(method, path, operation));
            }
        }
    }
    let about = document["info"]["description"].as_str().unwrap_or_default();
    let mut index = format!(
        "# API\n\nGenerated from the document of `assent openapi`, which a server also serves at `/api/v1/openapi.json`: \
         [openapi.json](../openapi.json).\n\n{about}\n\nRefusals have a code: [codes](../codes.md). Shapes of bodies and answers: \
         [shapes](shapes.md).\n\n| Part | Contents | Operations |\n|---|---|---|\n"
    );
    let mut pages = Vec::new();
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = tag["name"].as_str().unwrap_or_default();
        let about = tag["description"].as_str().unwrap_or_default();
        let Some(operations) = by_tag.get(name) else { continue };
        let file = format!("{}.md", slug(name));
        index.push_str(&format!(
            "| [{name}]({file}) | {} | {} |\n",
            cell(about),
            operations.len()
        ));
        let page = format!("# API: {name}\n\n{about}\n\n{}", operations.join("\n"));
        pages.push((format!("reference/api/{file}"), page));
    }
    pages.push(("reference/api/README.md".to_owned(), index));
    pages.push((
        "reference/api/shapes.md".to_owned(),
        shapes(&document["components"]["schemas"]),
    ));
    pages
}

fn rows(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// One operation: purpose, parameters, body and responses.
fn operation_text(method: &str, path: &str, operation: &Value) -> String {
    let title = format!("{} {path}", method.to_uppercase());
    let anchor = operation["operationId"].as_str().map_or_else(|| slug(&title), slug);
    let mut out = format!("## `{title}` {{#{anchor}}}\n\n");
    for name in ["summary", "description"] {
        if let Some(text) = operation[name].as_str() {
            out.push_str(&format!("{}\n\n", text.replace('<', "&lt;")));
        }
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters: Vec<String> = parameters.filter(|it| it["name"].is_string()).map(parameter).collect();
    if !parameters.is_empty() {
        out.push_str("| Parameter | In | Type | Meaning |\n|---|---|---|---|\n");
        out.push_str(&format!("{}\n\n", parameters.join("\n")));
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        out.push_str(&format!("Body: {}.\n\n", kind(body)));
    }
    let answers: Vec<String> = rows(&operation["responses"])
        .map(|(status, it)| response_text(status, it))
        .collect();
    out.push_str(&format!("| Answer | Contents |\n|---|---|\n{}\n", answers.join("\n")));
    out
}

fn parameter(it: &Value) -> String {
    let text = |name: &str| it[name].as_str().unwrap_or_default();
    let needed = if it["required"] == true { ", required" } else { "" };
    let kind = kind(&it["schema"]);
    format!(
        "| `{}` | {}{needed} | {kind} | {} |",
        text("name"),
        text("in"),
        cell(text("description"))
    )
}

fn response_text(status: &str, it: &Value) -> String {
    if let Some(name) = it["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("| {status} | {} |", cell(name));
    }
    let about = it["description"].as_str().unwrap_or_default();
    let contents: Vec<String> = rows(&it["content"])
        .map(|(_, content)| kind(&content["schema"]))
        .filter(|kind| kind != "any")
        .collect();
    let contents = if contents.is_empty() {
        String::new()
    } else {
        format!(" {}", contents[0])
    };
    format!("| {status} | {}{contents} |", cell(about))
}

/// A type as text, with links to the shapes that it names.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](shapes.md#{})", slug(name));
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| format!("`{word}`"))
            .collect();
        return words.join(", ");
    }
    for (name, between) in [("allOf", " and "), ("anyOf", " or "), ("oneOf", " or ")] {
        if let Some(parts) = schema[name].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(between);
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => schema["format"].as_str().unwrap_or(name).to_owned(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

fn shapes(schemas: &Value) -> String {
    let mut out = "# Shapes of the API\n\nGenerated from the OpenAPI document. A field in **bold** is always there, or has to be sent.\n\n".to_owned();
    for (name, schema) in rows(schemas) {
        out.push_str(&format!("## {name} {{#{}}}\n\n", slug(name)));
        if let Some(about) = schema["description"].as_str() {
            out.push_str(&format!("{}\n\n", about.replace('<', "&lt;")));
        }
        let mut fields = Vec::new();
        let parts = schema["allOf"].as_array().into_iter().flatten();
        for part in std::iter::once(schema).chain(parts) {
            fields.extend(rows(&part["properties"]).map(|(name, it)| field(name, it, &part["required"])));
        }
        if fields.is_empty() {
            out.push_str(&format!("{}.\n\n", kind(schema)));
        } else {
            let bases = schema["allOf"].as_array().into_iter().flatten();
            let bases: Vec<String> = bases.filter(|it| it["$ref"].is_string()).map(kind).collect();
            if !bases.is_empty() {
                out.push_str(&format!("All of {}, and:\n\n", bases.join(", ")));
            }
            out.push_str(&format!(
                "| Field | Type | Meaning |\n|---|---|---|\n{}\n\n",
                fields.join("\n")
            ));
        }
    }
    out
}

fn field(name: &str, it: &Value, required: &Value) -> String {
    let is_needed = required
        .as_array()
        .is_some_and(|names| names.iter().any(|it| it == name));
    let name = if is_needed {
        format!("**`{name}`**")
    } else {
        format!("`{name}`")
    };
    format!(
        "| {name} | {} | {} |",
        kind(it),
        cell(it["description"].as_str().unwrap_or_default())
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_names_its_body_its_answers_and_their_shapes() {
        let reference = json!({"$ref": "#/components/schemas/Freeze"});
        let operation = json!({
            "tags": ["estate"], "operationId": "set_freeze", "summary": "Set a freeze",
            "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}, "description": "At most | so many"}],
            "requestBody": {"content": {"application/json": {"schema": reference}}},
            "responses": {"201": {"description": "Made", "content": {"application/json": {"schema": reference}}}},
        });
        let document = json!({
            "info": {"description": "All"}, "tags": [{"name": "estate", "description": "Services"}],
            "paths": {"/freezes": {"post": operation}},
            "components": {"schemas": {"Freeze": {"properties": {"title": {"type": "string", "description": "Its title"}}, "required": ["title"]}}},
        });
        let pages: BTreeMap<String, String> = pages(&document).into_iter().collect();
        let page = &pages["reference/api/estate.md"];
        assert!(page.contains("## `POST /freezes` {#set_freeze}"), "{page}");
        assert!(
            page.contains("Body: [Freeze](shapes.md#freeze).") && page.contains("| 201 | Made [Freeze]"),
            "{page}"
        );
        assert!(
            page.contains("| `limit` | query | integer | At most \\| so many |"),
            "{page}"
        );
        let shapes = &pages["reference/api/shapes.md"];
        assert!(shapes.contains("| **`title`** | string | Its title |"), "{shapes}");
    }
}

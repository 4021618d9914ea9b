//! Checks responses against the document: whether the status, the media type and the body of a response are described. The test
//! suites check every response that they get.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use crate::openapi::{Route, document, routes};

/// Every path below this prefix that returns a success must be described.
const BASE: &str = "/api/v1/";

/// The parts of a response that the document does not describe; nothing for a path that is none of the API's.
#[must_use]
pub fn misfits(method: &str, path: &str, status: u16, kind: &str, body: &[u8]) -> Vec<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let Some(route) = route_of(method, path) else {
        let is_served = path.starts_with(BASE) && (200..300).contains(&status);
        // `HEAD` is the `GET` of its path without a body, and `OPTIONS` lists the methods.
        if is_served && !matches!(method, "HEAD" | "OPTIONS") {
            return vec![format!(
                "{method} {path} {status}: no route of the description is served there"
            )];
        }
        return Vec::new();
    };
    let place = format!("{} {} {status}", route.method, route.path);
    let judge = judge();
    let told = &judge.0["paths"][route.document_path()][route.method.to_lowercase()]["responses"];
    let told = judge.resolved(&told[status.to_string()]);
    // A fault of the server is no documented response.
    if told.is_null() && status >= 500 {
        return Vec::new();
    }
    if told.is_null() {
        return vec![format!("{place}: no such status is described")];
    }
    let kind = kind.split(';').next().unwrap_or_default().trim().to_lowercase();
    let Some(content) = told["content"].get(&kind) else {
        return vec![format!("{place}: the media type `{kind}` is not described")];
    };
    if !kind.ends_with("json") {
        return Vec::new();
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return vec![format!("{place}: the body is no JSON")];
    };
    let mut found = Vec::new();
    judge.hold(&[&content["schema"]], &value, "", &mut found);
    // The parts of a composed shape may report the same fault of a field.
    let found: BTreeSet<String> = found.into_iter().collect();
    found.into_iter().map(|text| format!("{place} {text}")).collect()
}

/// The route that a path is of; one that names a part beats one that leaves it open.
fn route_of(method: &str, path: &str) -> Option<&'static Route> {
    let fits = |route: &&Route| {
        let mut asked = path.split('/');
        for part in route.path.split('/') {
            if part.starts_with("{+") {
                return true;
            }
            match asked.next() {
                Some(given) if part.starts_with('{') || part == given => {}
                _ => return false,
            }
        }
        asked.next().is_none()
    };
    let found = routes().iter().filter(|route| route.method == method).filter(fits);
    found.min_by_key(|route| route.path.matches('{').count())
}

fn judge() -> &'static Judge {
    static JUDGE: OnceLock<Judge> = OnceLock::new();
    JUDGE.get_or_init(|| Judge(document("")))
}

/// The document, with the part of JSON Schema that it uses.
struct Judge(Value);

impl Judge {
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(target) => self.0.pointer(target.trim_start_matches('#')).unwrap_or(&Value::Null),
            None => schema,
        }
    }

    /// A schema and all that it is made of.
    fn parts<'a>(&'a self, schema: &'a Value, found: &mut Vec<&'a Value>) {
        if schema.get("$ref").is_some() {
            self.parts(self.resolved(schema), found);
        }
        for base in schema["allOf"].as_array().into_iter().flatten() {
            self.parts(base, found);
        }
        found.push(schema);
    }

    /// Checks a value against all schemas that describe it: a composed shape may add rules to one of its fields.
    fn hold(&self, schemas: &[&Value], value: &Value, at: &str, found: &mut Vec<String>) {
        let mut parts = Vec::new();
        for schema in schemas {
            self.parts(schema, &mut parts);
        }
        for part in &parts {
            found.extend(plain_misfit(part, value).map(|why| format!("{at}: {why}")));
        }
        match value {
            Value::Object(fields) => {
                // A value is open where no schema names a field of it; a schema without fields, such as `{}`, names none.
                let properties = || parts.iter().filter_map(|part| part["properties"].as_object());
                let is_open = properties().next().is_none();
                for (name, inner) in fields {
                    let said: Vec<&Value> = properties().filter_map(|named| named.get(name)).collect();
                    let at = format!("{at}/{name}");
                    if said.is_empty() && !is_open {
                        found.push(format!("{at}: the description does not name this field"));
                    }
                    self.hold(&said, inner, &at, found);
                }
            }
            Value::Array(items) => {
                let said: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
                for inner in items {
                    self.hold(&said, inner, &format!("{at}/*"), found);
                }
            }
            _ => {}
        }
    }
}

/// The rules of a schema that a value breaks, its fields and items aside.
fn plain_misfit(schema: &Value, value: &Value) -> Option<String> {
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let shown: String = value.to_string().chars().take(80).collect();
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(kind, value)) {
        return Some(format!("`{shown}` is no {}", kinds.join(" or ")));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Some(format!("`{shown}` is none of {}", schema["enum"]));
    }
    let missing = |name: &&Value| value.is_object() && value.get(name.as_str().unwrap_or_default()).is_none();
    if let Some(name) = schema["required"].as_array().into_iter().flatten().find(missing) {
        return Some(format!("{name} is missing"));
    }
    let is_twice = |items: &Vec<Value>| items.iter().enumerate().any(|(place, it)| items[..place].contains(it));
    if schema["uniqueItems"] == true && value.as_array().is_some_and(is_twice) {
        return Some(format!("`{shown}` names one twice"));
    }
    if let (Some(text), Some(most)) = (value.as_str(), schema["maxLength"].as_u64())
        && u64::try_from(text.chars().count()).is_ok_and(|length| length > most)
    {
        return Some(format!("`{shown}` is longer than {most}"));
    }
    if let Some(number) = value.as_i64() {
        let is_low = schema["minimum"].as_i64().is_some_and(|least| number < least);
        if is_low || schema["maximum"].as_i64().is_some_and(|most| number > most) {
            return Some(format!("{number} is out of range"));
        }
    }
    let is_moment = |text: &str| text.parse::<jiff::Timestamp>().is_ok();
    if schema["format"] == "date-time" && value.as_str().is_some_and(|text| !is_moment(text)) {
        return Some(format!("`{shown}` is no moment"));
    }
    None
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_described_is_found() {
        let look = |method: &str, path: &str, status: u16, kind: &str, body: &str| {
            misfits(method, path, status, kind, body.as_bytes()).len()
        };
        let json = "application/json";
        assert_eq!(
            look("GET", "/t/acme/changes", 200, "text/html", "x"),
            0,
            "no route of the API"
        );
        assert_eq!(
            look("GET", "/api/v1/nowhere", 200, json, "{}"),
            1,
            "served without a description"
        );
        assert_eq!(look("GET", "/api/v1/nowhere", 404, json, "{}"), 0);
        assert_eq!(look("HEAD", "/api/v1/nowhere", 200, json, ""), 0);
        assert_eq!(
            look(
                "GET",
                "/api/v1/services?limit=1",
                200,
                json,
                r#"{"items": [], "next": null}"#
            ),
            0
        );
        assert_eq!(look("GET", "/api/v1/services", 200, json, r#"{"next": null}"#), 1);
        assert_eq!(
            look("GET", "/api/v1/services", 200, json, r#"{"items": [], "more": 1}"#),
            1
        );
        assert_eq!(
            look(
                "GET",
                "/api/v1/services",
                200,
                json,
                r#"{"items": [{"id": "x", "key": 7}]}"#
            ),
            1
        );
        assert_eq!(look("GET", "/api/v1/services", 200, "text/html", "x"), 1);
        assert_eq!(look("GET", "/api/v1/services", 418, json, "{}"), 1);
        assert_eq!(look("GET", "/api/v1/services", 200, json, "{"), 1);
        assert_eq!(
            look("GET", "/api/v1/services", 200, json, ""),
            1,
            "nothing is no answer"
        );
        assert_eq!(look("GET", "/api/v1/services", 200, "", ""), 1);
        assert_eq!(look("DELETE", "/api/v1/session", 200, json, r#"{"ended": true}"#), 0);
        assert_eq!(
            look("DELETE", "/api/v1/session", 200, json, r#"{"ended": true, "more": 1}"#),
            1
        );
    }

    /// The rules of these shapes together that a value breaks, by the places.
    fn places(shapes: Value, value: &Value) -> Vec<String> {
        let judge = Judge(json!({"components": {"schemas": shapes}}));
        let (whole, mut found) = (json!({"$ref": "#/components/schemas/Whole"}), Vec::new());
        judge.hold(&[&whole], value, "", &mut found);
        let found = found.iter().filter_map(|text| text.split_once(": "));
        found.map(|(place, _)| place.to_owned()).collect()
    }

    #[test]
    fn a_field_that_one_shape_leaves_open_and_another_names_is_held_to_its_names() {
        let named = json!({"type": "object", "properties": {"key": {"type": "string"}}});
        let base = json!({"type": "object", "properties": {"inner": {"type": "object"}, "free": {"type": "object"}}});
        let own = json!({"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Inner"}}});
        let parts = json!({"allOf": [{"$ref": "#/components/schemas/Base"}, own]});
        let shapes = json!({"Inner": named, "Base": base, "Whole": parts});
        let look = |value: Value| places(shapes.clone(), &value);
        assert_eq!(look(json!({"inner": {"key": "x"}, "free": {"more": 1}})), [""; 0]);
        assert_eq!(look(json!({"inner": {"key": "x", "more": 1}})), ["/inner/more"]);
        assert_eq!(look(json!({"other": 1})), ["/other"]);
    }

    #[test]
    fn a_shape_that_names_no_field_has_none() {
        let shapes = json!({"Whole": {"type": "object", "properties": {}}});
        assert_eq!(places(shapes.clone(), &json!({})), [""; 0]);
        assert_eq!(places(shapes, &json!({"ended": true})), ["/ended"]);
    }

    #[test]
    fn a_list_of_different_words_names_none_twice() {
        let shapes = json!({"Whole": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}});
        assert_eq!(places(shapes.clone(), &json!(["a", "b"])), [""; 0]);
        assert_eq!(places(shapes, &json!(["a", "b", "a"])), [""]);
    }

    /// No shape of the document leaves all of a response open.
    #[test]
    fn no_answer_is_described_without_its_fields() {
        let judge = judge();
        let mut looked = 0;
        for route in routes() {
            let told = &judge.0["paths"][route.document_path()][route.method.to_lowercase()]["responses"];
            for answer in told.as_object().into_iter().flatten().map(|it| judge.resolved(it.1)) {
                for (kind, content) in answer["content"].as_object().into_iter().flatten() {
                    let mut parts = Vec::new();
                    judge.parts(&content["schema"], &mut parts);
                    let is_named = parts
                        .iter()
                        .any(|part| part["properties"].is_object() || part["items"].is_object());
                    looked += usize::from(kind.ends_with("json"));
                    assert!(
                        is_named || !kind.ends_with("json") || WHOLES.contains(&route.path.as_str()),
                        "{} {} {kind}",
                        route.method,
                        route.path
                    );
                }
            }
        }
        assert!(looked > 1_000, "{looked}");
    }

    /// Responses that are a document of their own, or a single value.
    const WHOLES: &[&str] = &[
        "/api/openapi.json",
        "/healthz",
        "/api/v1/control-reports/{framework}/file",
    ];

    /// A keyword that is not held here would be passed over.
    #[test]
    fn the_document_uses_no_other_keyword() {
        const KNOWN: &[&str] = &[
            "$ref",
            "allOf",
            "type",
            "enum",
            "required",
            "properties",
            "items",
            "maxLength",
            "minimum",
            "maximum",
            "format",
            "description",
            "uniqueItems",
            "contentMediaType",
            "example",
            "examples",
        ];
        let document = document("");
        let mut stack: Vec<&Value> = Vec::new();
        let mut places = vec![&document];
        while let Some(place) = places.pop() {
            match place {
                Value::Object(members) => {
                    stack.extend(members.get("schema"));
                    places.extend(members.values());
                }
                Value::Array(items) => places.extend(items),
                _ => {}
            }
        }
        let named = document["components"]["schemas"].as_object().into_iter().flatten();
        stack.extend(named.map(|it| it.1));
        assert!(stack.len() > 500, "{}", stack.len());
        while let Some(schema) = stack.pop() {
            let Some(fields) = schema.as_object() else { continue };
            for (name, inner) in fields {
                assert!(KNOWN.contains(&name.as_str()), "{name} in {schema}");
                match name.as_str() {
                    "properties" => stack.extend(inner.as_object().into_iter().flatten().map(|it| it.1)),
                    "items" => stack.push(inner),
                    "allOf" => stack.extend(inner.as_array().into_iter().flatten()),
                    _ => {}
                }
            }
        }
    }
}

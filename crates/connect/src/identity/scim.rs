//! SCIM 2.0 (RFC 7643, RFC 7644): converts requests of provisioning clients into our terms, and our people and groups into
//! their format. Pure; attributes are known by a closed table, so a filter or a path can name nothing else.

pub mod filter;
pub mod group;
pub mod patch;
pub mod schema;
pub mod user;
mod value_path;

use serde_json::{Map, Value, json};

/// The media type of all bodies (RFC 7644 section 3.1).
pub const MEDIA_TYPE: &str = "application/scim+json";
/// The longest text in an attribute, in bytes.
pub const LONGEST_TEXT: usize = 1_024;
/// The most values of an attribute other than a group's members.
pub const MOST_VALUES: usize = 100;
/// The most operations of one PATCH.
pub const MOST_OPERATIONS: usize = 1_000;
/// The most resources in one response.
pub const MOST_RESULTS: i64 = 200;

/// A resource as JSON, with attributes in the letters of the schema.
pub type Resource = Map<String, Value>;

/// Why a request cannot be taken (RFC 7644 section 3.12).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    /// The HTTP status.
    pub status: u16,
    /// `invalidFilter`, `invalidPath`, `noTarget` …; empty where the RFC has none.
    pub kind: &'static str,
    /// The sentence.
    pub detail: String,
}

impl ScimError {
    /// 400 with its kind.
    #[must_use]
    pub fn bad(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind,
            detail: detail.into(),
        }
    }

    /// The body of the response.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if !self.kind.is_empty() {
            body["scimType"] = json!(self.kind);
        }
        body
    }
}

/// A page of resources (RFC 7644 section 3.4.2).
#[must_use]
pub fn list(total: i64, start: i64, resources: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

/// Whether two attribute names are the same: their letters' case does not matter (RFC 7643 section 2.1).
pub(crate) fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// The value under a name, in any case of its letters.
pub(crate) fn member<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| same(key, name)).map(|(_, value)| value))
}

/// Keeps in a resource the attributes that a client requested (RFC 7644 section 3.9). `id`, `schemas` and `meta` always stay.
#[must_use]
pub fn shaped(mut resource: Value, attributes: &[String], excluded: &[String]) -> Value {
    const ALWAYS: [&str; 3] = ["id", "schemas", "meta"];
    let Some(map) = resource.as_object_mut() else {
        return resource;
    };
    if !attributes.is_empty() {
        let wanted: Vec<Named> = attributes.iter().map(|name| Named::read(name)).collect();
        map.retain(|key, value| ALWAYS.contains(&key.as_str()) || wanted_of(key, value, &wanted));
    }
    for name in excluded.iter().map(|name| Named::read(name)) {
        map.retain(|key, value| ALWAYS.contains(&key.as_str()) || !is_without(key, value, &name));
    }
    resource
}

/// Whether a client wants nothing of a core attribute (RFC 7644 section 3.9), which saves reading it.
#[must_use]
pub fn is_left_out(name: &str, attributes: &[String], excluded: &[String]) -> bool {
    let is_it = |it: &Named| it.schema.is_none() && same(&it.attribute, name);
    let is_asked = attributes.iter().any(|told| is_it(&Named::read(told)));
    let is_excluded = |it: &Named| is_it(it) && it.part.is_none();
    !attributes.is_empty() && !is_asked || excluded.iter().any(|told| is_excluded(&Named::read(told)))
}

/// An attribute as a client names it (RFC 7644 section 3.10): a schema, if given, an attribute, and a part of it.
struct Named {
    schema: Option<String>,
    attribute: String,
    part: Option<String>,
}

impl Named {
    fn read(text: &str) -> Self {
        // A schema's name has dots and colons of its own (`…:core:2.0:User`), so the last colon ends it.
        let (schema, rest) = match text.rsplit_once(':') {
            Some((schema, rest)) => (Some(schema.to_owned()), rest),
            None => (None, text),
        };
        if schema::extension(text).is_some() || same(text, schema::USER) || same(text, schema::GROUP) {
            return Self {
                schema: Some(text.to_owned()),
                attribute: String::new(),
                part: None,
            };
        }
        let (attribute, part) = match rest.split_once('.') {
            Some((attribute, part)) => (attribute, Some(part.to_owned())),
            None => (rest, None),
        };
        Self {
            schema: schema.filter(|it| schema::extension(it).is_some()),
            attribute: attribute.to_owned(),
            part,
        }
    }

    /// Whether it is a name inside of an extension, which is one object under its schema's name.
    fn is_inside(&self, key: &str) -> bool {
        self.schema.as_deref().is_some_and(|it| same(it, key))
    }
}

/// Leaves of a value only the named parts; `false` when nothing of it is named.
fn wanted_of(key: &str, value: &mut Value, wanted: &[Named]) -> bool {
    let inside: Vec<&Named> = wanted.iter().filter(|it| it.is_inside(key)).collect();
    if !inside.is_empty() {
        if inside.iter().all(|it| !it.attribute.is_empty())
            && let Some(map) = value.as_object_mut()
        {
            map.retain(|name, _| inside.iter().any(|it| same(&it.attribute, name)));
        }
        return true;
    }
    let of_it: Vec<&Named> = wanted
        .iter()
        .filter(|it| it.schema.is_none() && same(&it.attribute, key))
        .collect();
    if of_it.is_empty() {
        return false;
    }
    let parts: Option<Vec<&str>> = of_it.iter().map(|it| it.part.as_deref()).collect();
    if let Some(parts) = parts {
        let keep = |map: &mut Map<String, Value>| map.retain(|name, _| parts.iter().any(|part| same(part, name)));
        each_object(value, keep);
    }
    true
}

/// Removes the named part of a value; `true` when nothing is left.
fn is_without(key: &str, value: &mut Value, name: &Named) -> bool {
    if name.is_inside(key) {
        if name.attribute.is_empty() {
            return true;
        }
        each_object(value, |map| map.retain(|inner, _| !same(inner, &name.attribute)));
        return false;
    }
    if name.schema.is_some() || !same(&name.attribute, key) {
        return false;
    }
    let Some(part) = &name.part else { return true };
    each_object(value, |map| map.retain(|inner, _| !same(inner, part)));
    false
}

fn each_object(value: &mut Value, mut change: impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => change(map),
        Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).for_each(change),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_left_out_where_nothing_of_it_is_asked_for() {
        let core = "urn:ietf:params:scim:schemas:core:2.0:Group";
        let is_out = |attributes: &[&str], excluded: &[&str]| {
            let [attributes, excluded] =
                [attributes, excluded].map(|it| it.iter().map(ToString::to_string).collect::<Vec<_>>());
            is_left_out("members", &attributes, &excluded)
        };
        let whole = format!("{core}:members");
        for asked in ["members", "Members", "members.value", &whole, &format!("{whole}.value")] {
            assert!(
                !is_out(&[asked], &[]) && !is_out(&["displayName", asked], &[]),
                "{asked}"
            );
        }
        for other in ["displayName", "value", &format!("{}:members", schema::ENTERPRISE)] {
            assert!(is_out(&[other], &[]) && !is_out(&[], &[other]), "{other}");
        }
        for part in ["members.display", &format!("{whole}.display")] {
            assert!(!is_out(&[], &[part]), "{part}");
        }
        assert!(!is_out(&[], &[]) && is_out(&[], &["MEMBERS"]) && is_out(&[], &[&whole]));
        assert!(is_out(&["members"], &["members"]));
    }
}

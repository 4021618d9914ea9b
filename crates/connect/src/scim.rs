//! SCIM 2.0 (RFC 7643, RFC 7644): what provisioning clients send, read into our words, and our people and groups as they
//! expect them. Pure; attributes are known by a closed table, so a filter or a path can name nothing else.

pub mod filter;
pub mod group;
pub mod patch;
pub mod schema;
pub mod user;

use serde_json::{Map, Value, json};

/// The media type of all bodies (RFC 7644 section 3.1).
pub const MEDIA_TYPE: &str = "application/scim+json";
/// The longest text in an attribute, in bytes.
pub const LONGEST_TEXT: usize = 1_024;
/// The most values of an attribute other than a group's members.
pub const MOST_VALUES: usize = 100;
/// The most operations of one PATCH.
pub const MOST_OPERATIONS: usize = 1_000;
/// The most resources in one answer.
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

    /// The body of the answer.
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

/// The value under a name, whatever the case of its letters.
pub(crate) fn member<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| same(key, name)).map(|(_, value)| value))
}

/// Leaves in a resource what a client asked for (RFC 7644 section 3.9). `id`, `schemas` and `meta` always stay.
#[must_use]
pub fn shaped(mut resource: Value, attributes: &[String], excluded: &[String]) -> Value {
    const ALWAYS: [&str; 3] = ["id", "schemas", "meta"];
    let Some(map) = resource.as_object_mut() else {
        return resource;
    };
    let head = |name: &str| {
        let name = name.rsplit_once(":User:").map_or(name, |(_, rest)| rest);
        name.split('.').next().unwrap_or_default().to_owned()
    };
    if !attributes.is_empty() {
        let wanted: Vec<String> = attributes.iter().map(|name| head(name)).collect();
        let keeps = |key: &str| {
            ALWAYS.contains(&key)
                || wanted.iter().any(|name| same(name, key))
                || (key.contains(':')
                    && attributes
                        .iter()
                        .any(|name| name.to_lowercase().starts_with(&key.to_lowercase())))
        };
        map.retain(|key, _| keeps(key));
    }
    map.retain(|key, _| ALWAYS.contains(&key.as_str()) || !excluded.iter().any(|name| same(name, key)));
    resource
}

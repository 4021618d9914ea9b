//! The parameters of a list request, in its address or in the body of a search (RFC 7644 section 3.4).

use axum::http::Uri;
use connect::identity::scim::{self, MOST_RESULTS, ScimError};
use model::core::body::Body;
use serde_json::Value;

use super::No;
use crate::http::route::query_of;

/// How many resources there are without `count`.
const USUAL_RESULTS: i64 = 100;

/// The parameters of a list request.
#[derive(Debug, Clone, Default)]
pub(super) struct Question {
    pub(super) filter: Option<String>,
    pub(super) start: i64,
    pub(super) count: i64,
    pub(super) attributes: Vec<String>,
    pub(super) excluded: Vec<String>,
}

fn names(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

impl Question {
    fn number(text: Option<String>, name: &str, usual: i64) -> Result<i64, No> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return Ok(usual);
        };
        let wrong = || ScimError::bad("invalidValue", format!("`{name}` must be a whole number."));
        Ok(text.trim().parse().map_err(|_| wrong())?)
    }

    fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, No> {
        let start = Self::number(value("startIndex"), "startIndex", 1)?.max(1);
        let count = Self::number(value("count"), "count", USUAL_RESULTS)?;
        Ok(Self {
            filter: value("filter").filter(|text| !text.trim().is_empty()),
            start,
            count: count.clamp(0, MOST_RESULTS),
            attributes: names(&value("attributes").unwrap_or_default()),
            excluded: names(&value("excludedAttributes").unwrap_or_default()),
        })
    }

    /// The parameters in an address.
    pub(super) fn of_query(uri: &Uri) -> Result<Self, No> {
        let pairs = query_of(uri)?;
        Self::read(|name| {
            let found = pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        })
    }

    /// The parameters in the body of a search.
    pub(super) fn of_body(body: &Body) -> Result<Self, No> {
        Self::read(|name| match body.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Array(items) => {
                let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                Some(texts.join(","))
            }
            _ => None,
        })
    }

    /// A resource as the client wants it.
    pub(super) fn shaped(&self, value: Value) -> Value {
        scim::shaped(value, &self.attributes, &self.excluded)
    }

    /// Whether the client excludes this attribute, which saves reading it.
    pub(super) fn leaves_out(&self, name: &str) -> bool {
        scim::is_left_out(name, &self.attributes, &self.excluded)
    }
}

//! Filters (RFC 7644 section 3.4.2.2): parsed by the library's grammar, held to the table of attributes, and judged over
//! resources as they are shown. No part of a filter ever becomes SQL: at most one value of it becomes a bound parameter.

use std::borrow::Cow;

use scim_v2::filter::{AttrExp, AttrPath, CompValue, CompareOp, Filter, ValFilter};
use serde_json::{Map, Value};

use super::schema::{Attr, ENTERPRISE, ENTERPRISE_ATTRS, Kind, extension, find, of_schema};
use super::{Resource, ScimError, member, same};

/// The longest filter, in bytes.
const LONGEST: usize = 8_192;

/// A filter that names known attributes only.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    filter: Filter,
    attrs: &'static [Attr],
}

/// One value that every match has, so that an index can find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// `id`, `userName`, `externalId`, `emails`, `displayName` or `members`.
    pub attribute: &'static str,
    /// The value, as the filter writes it.
    pub value: String,
}

fn bad(detail: impl Into<String>) -> ScimError {
    ScimError::bad("invalidFilter", detail)
}

impl Checked {
    /// Reads a filter over resources with these attributes.
    ///
    /// # Errors
    /// `invalidFilter`.
    pub fn parse(text: &str, attrs: &'static [Attr]) -> Result<Self, ScimError> {
        if text.len() > LONGEST {
            return Err(bad(format!("A filter has at most {LONGEST} bytes.")));
        }
        let filter: Filter = super::value_path::plain(&with_quotes(text))
            .parse()
            .map_err(|error| bad(format!("The filter cannot be read: {error}.")))?;
        // Texts in JSON may hold U+0000 by its number; those of a database do not, so nothing matches it.
        if text.contains('\0') || text.contains("\\u0000") {
            return Err(bad("A filter holds no U+0000."));
        }
        check(&filter, attrs)?;
        Ok(Self { filter, attrs })
    }

    /// Whether a resource matches.
    #[must_use]
    pub fn matches(&self, resource: &Resource) -> bool {
        matches(&self.filter, resource, self.attrs)
    }

    /// A value that an index knows, if every match must have it.
    #[must_use]
    pub fn hint(&self) -> Option<Hint> {
        hint(&self.filter, self.attrs)
    }
}

/// A comparison whose value has no quotes (`userName eq ada@acme.example`), with them. RFC 7644 wants a JSON value there;
/// several directories send the bare text when they look a person up.
fn with_quotes(text: &str) -> Cow<'_, str> {
    let mut words = text.split_whitespace();
    let (Some(path), Some(operator), Some(value), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Cow::Borrowed(text);
    };
    let is_bare =
        !value.contains(['"', '(', ')', '[', ']']) && serde_json::from_str::<Value>(&value.to_lowercase()).is_err();
    if !operator.eq_ignore_ascii_case("eq") || !is_bare {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{path} {operator} {}", Value::from(value)))
}

fn hint(filter: &Filter, attrs: &'static [Attr]) -> Option<Hint> {
    const INDEXED: &[(&str, &str)] = &[
        ("id", ""),
        ("userName", ""),
        ("externalId", ""),
        ("emails", "value"),
        ("displayName", ""),
        ("members", "value"),
    ];
    match filter {
        Filter::Attr(AttrExp::Comparison(path, CompareOp::Eq, CompValue::Str(value))) => {
            let attr = resolve(path, attrs).ok()?.attr;
            let sub = path.sub_attr.as_deref().unwrap_or_default();
            let is_plain = path.uri.as_deref().is_none_or(|uri| extension(uri).is_none());
            let (name, _) = INDEXED
                .iter()
                .find(|(name, of)| *name == attr.name && (sub.is_empty() || same(sub, of)))?;
            is_plain.then(|| Hint {
                attribute: name,
                value: value.clone(),
            })
        }
        Filter::ValuePath(path) => {
            let attr = resolve(&path.attr, attrs).ok()?.attr;
            let (name, _) = INDEXED.iter().find(|(name, of)| *name == attr.name && *of == "value")?;
            Some(Hint {
                attribute: name,
                value: value_of(&path.filter)?.to_owned(),
            })
        }
        Filter::And(items) => items.iter().find_map(|item| hint(item, attrs)),
        _ => None,
    }
}

/// The `value` that every item has which a filter in brackets chooses.
fn value_of(filter: &ValFilter) -> Option<&str> {
    match filter {
        ValFilter::Attr(AttrExp::Comparison(path, CompareOp::Eq, CompValue::Str(value))) => {
            let is_it = same(&path.name, "value") && path.sub_attr.is_none() && path.uri.is_none();
            is_it.then_some(value.as_str())
        }
        ValFilter::And(items) => items.iter().find_map(value_of),
        _ => None,
    }
}

/// The target of a path.
struct Resolved {
    urn: Option<&'static str>,
    attr: &'static Attr,
    sub: Option<&'static Attr>,
}

impl Resolved {
    /// The compared value: the sub-attribute, of several values their `value`, else the attribute.
    fn compared(&self) -> Kind {
        match (self.sub, self.attr.kind) {
            (Some(sub), _) => sub.kind,
            (None, Kind::Complex(subs)) => find(subs, "value").map_or(self.attr.kind, |sub| sub.kind),
            (None, kind) => kind,
        }
    }
}

fn resolve(path: &AttrPath, attrs: &'static [Attr]) -> Result<Resolved, ScimError> {
    let unknown = || bad(format!("There is no attribute `{path}`."));
    let (urn, attrs) = of_schema(path.uri.as_deref(), attrs)
        .ok_or_else(|| bad(format!("`{path}` names a schema that is not known here.")))?;
    let (urn, attr) = match find(attrs, &path.name) {
        Some(attr) => (urn, attr),
        // Entra looks for a manager by the bare name.
        None if path.uri.is_none() && find(attrs, "userName").is_some() => {
            let attr = find(ENTERPRISE_ATTRS, &path.name).ok_or_else(unknown)?;
            (Some(ENTERPRISE), attr)
        }
        None => return Err(unknown()),
    };
    let sub = match (&path.sub_attr, attr.kind) {
        (None, _) => None,
        (Some(name), Kind::Complex(subs)) => Some(find(subs, name).ok_or_else(unknown)?),
        (Some(_), _) => return Err(unknown()),
    };
    Ok(Resolved { urn, attr, sub })
}

fn check(filter: &Filter, attrs: &'static [Attr]) -> Result<(), ScimError> {
    match filter {
        Filter::Attr(test) => check_test(test, attrs),
        Filter::ValuePath(path) => {
            let found = resolve(&path.attr, attrs)?;
            let Kind::Complex(subs) = found.attr.kind else {
                return Err(bad(format!("`{}` has no values to choose from.", path.attr)));
            };
            check_values(&path.filter, subs)
        }
        Filter::Not(inner) => check(inner, attrs),
        Filter::And(items) | Filter::Or(items) => items.iter().try_for_each(|item| check(item, attrs)),
    }
}

fn check_values(filter: &ValFilter, subs: &'static [Attr]) -> Result<(), ScimError> {
    match filter {
        ValFilter::Attr(test) => check_test(test, subs),
        ValFilter::Not(inner) => check_values(inner, subs),
        ValFilter::And(items) | ValFilter::Or(items) => items.iter().try_for_each(|item| check_values(item, subs)),
    }
}

fn check_test(test: &AttrExp, attrs: &'static [Attr]) -> Result<(), ScimError> {
    let (path, op, value) = match test {
        AttrExp::Present(path) => return resolve(path, attrs).map(drop),
        AttrExp::Comparison(path, op, value) => (path, op, value),
    };
    let kind = resolve(path, attrs)?.compared();
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    let fits = match (kind, value) {
        (_, CompValue::Null) => equality,
        (Kind::Bool, CompValue::True | CompValue::False) => equality,
        // Entra sends `active eq "True"`.
        (Kind::Bool, CompValue::Str(text)) => equality && (same(text, "true") || same(text, "false")),
        (Kind::Text | Kind::Exact | Kind::Reference(_) | Kind::Time, CompValue::Str(_)) => true,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(bad(format!("`{path}` cannot be compared like this.")))
}

fn matches(filter: &Filter, resource: &Map<String, Value>, attrs: &'static [Attr]) -> bool {
    match filter {
        Filter::Attr(test) => holds(test, resource, attrs),
        Filter::ValuePath(path) => {
            let Ok(found) = resolve(&path.attr, attrs) else {
                return false;
            };
            let Kind::Complex(subs) = found.attr.kind else {
                return false;
            };
            let values = root(resource, found.urn).and_then(|map| member(map, found.attr.name));
            items(values)
                .iter()
                .filter_map(|item| item.as_object())
                .any(|item| value_matches(&path.filter, item, subs))
        }
        Filter::Not(inner) => !matches(inner, resource, attrs),
        Filter::And(all) => all.iter().all(|item| matches(item, resource, attrs)),
        Filter::Or(any) => any.iter().any(|item| matches(item, resource, attrs)),
    }
}

/// Whether one of several values passes the filter in brackets.
#[must_use]
pub fn value_matches(filter: &ValFilter, item: &Map<String, Value>, subs: &'static [Attr]) -> bool {
    match filter {
        ValFilter::Attr(test) => holds(test, item, subs),
        ValFilter::Not(inner) => !value_matches(inner, item, subs),
        ValFilter::And(all) => all.iter().all(|it| value_matches(it, item, subs)),
        ValFilter::Or(any) => any.iter().any(|it| value_matches(it, item, subs)),
    }
}

/// Holds a filter in brackets to the table.
///
/// # Errors
/// `invalidFilter`.
pub fn check_value_filter(filter: &ValFilter, subs: &'static [Attr]) -> Result<(), ScimError> {
    check_values(filter, subs)
}

fn root<'a>(resource: &'a Map<String, Value>, urn: Option<&str>) -> Option<&'a Map<String, Value>> {
    match urn {
        None => Some(resource),
        Some(urn) => member(resource, urn)?.as_object(),
    }
}

fn items(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(single) => vec![single],
    }
}

fn holds(test: &AttrExp, resource: &Map<String, Value>, attrs: &'static [Attr]) -> bool {
    let path = match test {
        AttrExp::Present(path) | AttrExp::Comparison(path, ..) => path,
    };
    let Ok(found) = resolve(path, attrs) else { return false };
    let values = root(resource, found.urn).and_then(|map| member(map, found.attr.name));
    let values: Vec<&Value> = match (found.sub, found.attr.kind) {
        (Some(sub), _) => inner(values, sub.name),
        (None, Kind::Complex(_)) if found.attr.is_many => match test {
            AttrExp::Present(_) => items(values),
            AttrExp::Comparison(..) => inner(values, "value"),
        },
        (None, Kind::Complex(_)) if matches!(test, AttrExp::Comparison(..)) => inner(values, "value"),
        _ => items(values),
    };
    match test {
        AttrExp::Present(_) => !values.is_empty(),
        AttrExp::Comparison(_, op, wanted) => compare(&values, op, wanted, found.compared()),
    }
}

fn inner<'a>(values: Option<&'a Value>, name: &str) -> Vec<&'a Value> {
    let objects = items(values).into_iter().filter_map(Value::as_object);
    objects
        .filter_map(|map| member(map, name))
        .filter(|value| !value.is_null())
        .collect()
}

/// Compares the values of an attribute. `ne` holds when none is equal.
fn compare(values: &[&Value], op: &CompareOp, wanted: &CompValue, kind: Kind) -> bool {
    if *op == CompareOp::Ne {
        return !compare(values, &CompareOp::Eq, wanted, kind);
    }
    match wanted {
        CompValue::Null => values.is_empty(),
        CompValue::True => values.iter().any(|value| **value == Value::Bool(true)),
        CompValue::False => values.iter().any(|value| **value == Value::Bool(false)),
        CompValue::Str(text) if kind == Kind::Bool => {
            let wanted = same(text, "true");
            values.iter().any(|value| **value == Value::Bool(wanted))
        }
        CompValue::Str(text) => values
            .iter()
            .filter_map(|value| value.as_str())
            .any(|value| compare_text(value, op, text, kind)),
        CompValue::Number(_) => false,
    }
}

fn compare_text(value: &str, op: &CompareOp, wanted: &str, kind: Kind) -> bool {
    if kind == Kind::Time
        && let (Ok(left), Ok(right)) = (value.parse::<jiff::Timestamp>(), wanted.parse::<jiff::Timestamp>())
    {
        return ordered(&left, op, &right);
    }
    let (left, right) = if matches!(kind, Kind::Exact | Kind::Reference(_)) {
        (value.to_owned(), wanted.to_owned())
    } else {
        (value.to_lowercase(), wanted.to_lowercase())
    };
    match op {
        CompareOp::Co => left.contains(&right),
        CompareOp::Sw => left.starts_with(&right),
        CompareOp::Ew => left.ends_with(&right),
        other => ordered(&left, other, &right),
    }
}

fn ordered<T: Ord>(left: &T, op: &CompareOp, right: &T) -> bool {
    match op {
        CompareOp::Eq => left == right,
        CompareOp::Gt => left > right,
        CompareOp::Ge => left >= right,
        CompareOp::Lt => left < right,
        CompareOp::Le => left <= right,
        CompareOp::Ne | CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::schema::{ENTERPRISE, USER_ATTRS};
    use super::*;

    fn ada() -> Resource {
        let value = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "id": "p1", "userName": "ada@acme.example", "externalId": "X-1", "active": true, "displayName": "Ada",
            "emails": [
                {"value": "ada@acme.example", "type": "work", "primary": true},
                {"value": "ada@home.example", "type": "home"},
            ],
            "meta": {"lastModified": "2026-05-04T20:00:00Z"},
            ENTERPRISE: {"department": "Platform", "manager": {"value": "p9"}},
        });
        value.as_object().unwrap().clone()
    }

    fn judged(filter: &str) -> Result<bool, ScimError> {
        Checked::parse(filter, USER_ATTRS).map(|checked| checked.matches(&ada()))
    }

    #[test]
    fn filters_judge_as_the_rfc_says() {
        for (filter, wanted) in [
            (r#"userName eq "ADA@acme.example""#, true),
            (r#"username Eq "ada@acme.example""#, true),
            (r#"externalId eq "x-1""#, false),
            (r#"externalId eq "X-1" and active eq true"#, true),
            (r#"active eq "True""#, true),
            (r#"active eq True"#, true),
            (r#"(active eq FALSE) or not(active eq True and title pr)"#, true),
            (
                r#"emails[primary eq True].value ew "acme.example" and title eq NULL"#,
                true,
            ),
            (r#"userName eq "True" or displayName eq "eq True""#, false),
            (r#"active eq false or displayName sw "a""#, true),
            (r#"emails co "home""#, true),
            (r#"emails.type eq "home" and emails.value ew "acme.example""#, true),
            (r#"emails[type eq "home" and value ew "acme.example"]"#, false),
            (r#"emails[type eq "work" and primary eq true]"#, true),
            (r#"emails[type eq "work"].value eq "ADA@acme.example""#, true),
            (r#"emails[type eq "home"].value eq "ada@acme.example""#, false),
            (r#"emails[type eq "home" or type eq "work"].primary eq true"#, true),
            (
                r#"emails[type eq "home"].primary pr or not (emails[type eq "work"].value pr)"#,
                false,
            ),
            (
                r#"urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "home"].value ew "home.example""#,
                true,
            ),
            (r#"not (emails[type eq "other"])"#, true),
            (r#"title pr"#, false),
            (r#"title eq null"#, true),
            (r#"title ne "x""#, true),
            (r#"meta.lastModified gt "2026-05-04T19:00:00+00:00""#, true),
            (r#"meta.lastModified gt "2026-05-04T22:30:00+02:00""#, false),
            (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ada""#, true),
            (
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "platform""#,
                true,
            ),
            (
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "p9""#,
                true,
            ),
            (
                r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
                true,
            ),
            (r#"schemas co "CORE:2.0:user" and schemas pr"#, true),
            (r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group""#, false),
            (r#"schemas ne "urn:ietf:params:scim:schemas:core:2.0:Group""#, true),
        ] {
            assert_eq!(judged(filter), Ok(wanted), "{filter}");
        }
    }

    #[test]
    fn what_is_not_known_or_cannot_be_compared_is_refused() {
        for filter in [
            r#"password eq "x""#,
            r#"userName.first eq "x""#,
            r#"schemas.value eq "x""#,
            r#"schemas[value eq "x"]"#,
            r#"emails[nothing eq "x"]"#,
            r#"emails[type eq "work"].nothing eq "x""#,
            r#"emails[emails[type eq "work"].value eq "x"].value eq "x""#,
            r#"emails[type eq "work"].value gt 7"#,
            r#"emails[type eq "work") or (type eq "home"].value eq "x""#,
            r#"emails[type eq "work"].value eq "x"] or userName pr"#,
            r#"emails[type eq "work"].value eq "x" or"#,
            r#"userName[type eq "work"].value eq "x""#,
            r#"emails[type eq "work"].value.value eq "x""#,
            r#"urn:acme:custom:2.0:User:active eq true"#,
            r#"urn:acme:custom:2.0:User:userName pr"#,
            r#"urn:acme:custom:2.0:User:emails[type eq "work"]"#,
            r#"emails[urn:acme:custom:2.0:User:type eq "work"]"#,
            r#"active gt true"#,
            r#"userName eq 7"#,
            r#"userName eq "a\u0000b""#,
            r#"userName eq"#,
            r#"userName eq "x"; DROP TABLE person"#,
            "",
        ] {
            assert_eq!(judged(filter).unwrap_err().kind, "invalidFilter", "{filter}");
        }
        assert!(judged(&format!("userName eq \"{}\"", "x".repeat(LONGEST))).is_err());
        assert!(judged(&format!("{}title pr{}", "(".repeat(500), ")".repeat(500))).is_err());
    }

    #[test]
    fn a_value_that_every_match_has_leads_to_the_index() {
        let hint = |text: &str| Checked::parse(text, USER_ATTRS).unwrap().hint();
        let found = |attribute, value: &str| {
            Some(Hint {
                attribute,
                value: value.to_owned(),
            })
        };
        assert_eq!(hint(r#"userName eq "A""#), found("userName", "A"));
        assert_eq!(
            hint(r#"active eq true and emails.value eq "a@b""#),
            found("emails", "a@b")
        );
        assert_eq!(hint(r#"userName eq "A" or userName eq "B""#), None);
        assert_eq!(hint(r#"not (userName eq "A")"#), None);
        assert_eq!(hint(r#"emails.type eq "work""#), None);
        for text in [
            r#"emails[type eq "work"].value eq "A@b""#,
            r#"emails[type eq "work" and value eq "A@b"]"#,
            r#"emails[value eq "A@b"]"#,
            r#"active eq true and emails[type eq "work"].value eq "A@b""#,
        ] {
            assert_eq!(hint(text), found("emails", "A@b"), "{text}");
        }
        for text in [
            r#"emails[type eq "work" or value eq "a@b"]"#,
            r#"emails[not (value eq "a@b")]"#,
            r#"emails[type eq "work"].value sw "a@b""#,
            r#"phoneNumbers[value eq "1"]"#,
            r#"emails[type eq "a@b"]"#,
        ] {
            assert_eq!(hint(text), None, "{text}");
        }
        let groups = |text: &str| Checked::parse(text, super::super::schema::GROUP_ATTRS).unwrap().hint();
        assert_eq!(groups(r#"displayName eq "Ops""#), found("displayName", "Ops"));
        assert_eq!(groups(r#"members.value eq "p1""#), found("members", "p1"));
        assert_eq!(groups(r#"members[value eq "p1"]"#), found("members", "p1"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,80}") {
            let _ = judged(&text);
        }

        /// Values of a filter stay values: whatever is in the quotes, only an equal text matches.
        #[test]
        fn quoted_text_stays_a_value(text in "[\\PC&&[^\"\\\\]]{0,40}") {
            let filter = format!("userName eq \"{text}\"");
            if let Ok(answer) = judged(&filter) {
                prop_assert_eq!(answer, text.to_lowercase() == "ada@acme.example");
            }
        }
    }
}

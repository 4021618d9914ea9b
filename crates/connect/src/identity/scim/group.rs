//! Groups as SCIM groups, and back. Members are a set of their own, so that a large group costs no more than it has to.

use std::collections::BTreeSet;

use model::identity::provider::ProvisionedGroup;
use scim_v2::filter::{AttrExp, CompValue, CompareOp, PatchPath, ValFilter};
use serde_json::{Map, Value, json};

use super::patch::{Op, Operation};
use super::schema::{GROUP, GROUP_ATTRS, checked, find, plain};
use super::user::meta;
use super::{Resource, ScimError, member, same};

/// The most members of a group.
pub const MOST_MEMBERS: usize = 100_000;

/// A group as it is shown.
#[derive(Debug, Clone, Default)]
pub struct Shown<'a> {
    /// The group's id.
    pub id: &'a str,
    /// The record's version.
    pub version: i64,
    /// When that version was written, if known.
    pub modified: Option<jiff::Timestamp>,
    /// The name.
    pub name: &'a str,
    /// The client's id.
    pub external_id: Option<&'a str>,
    /// Ids of the members, or `None` where the client wants none shown.
    pub members: Option<Vec<&'a str>>,
    /// The base address of the tenant's SCIM.
    pub base: &'a str,
}

/// Reads a group's body.
///
/// # Errors
/// `invalidValue`.
pub fn read(body: &Map<String, Value>) -> Result<ProvisionedGroup, ScimError> {
    let members = member(body, "members").map_or(Ok(BTreeSet::new()), ids)?;
    // A hundred thousand members are not copied to be left out.
    let rest = body.iter().filter(|(key, _)| !same(key, "members"));
    let rest = rest.map(|(key, value)| (key.clone(), value.clone())).collect();
    let resource = plain(&rest, GROUP_ATTRS)?;
    let text = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(name) = text("displayName") else {
        return Err(ScimError::bad("invalidValue", "`displayName` is missing."));
    };
    Ok(ProvisionedGroup {
        name,
        external_id: text("externalId"),
        members,
    })
}

/// The ids in a value of `members`: a list, one member, or a bare id.
fn ids(value: &Value) -> Result<BTreeSet<String>, ScimError> {
    let items: Vec<&Value> = match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        single => vec![single],
    };
    let bad = |text: &str| ScimError::bad("invalidValue", text);
    if items.len() > MOST_MEMBERS {
        return Err(bad(&format!("A group has at most {MOST_MEMBERS} members.")));
    }
    let mut found = BTreeSet::new();
    for item in items {
        let (id, kind) = match item {
            Value::String(id) => (Some(id.as_str()), None),
            Value::Object(map) => (
                member(map, "value").and_then(Value::as_str),
                member(map, "type").and_then(Value::as_str),
            ),
            _ => (None, None),
        };
        if kind.is_some_and(|kind| same(kind, "Group")) {
            return Err(bad("Groups in groups are not known here; send the people."));
        }
        let id = id.filter(|id| !id.is_empty() && id.len() <= 64);
        found.insert(id.ok_or_else(|| bad("A member is `{\"value\": id}`."))?.to_owned());
    }
    Ok(found)
}

/// Applies operations to a group.
///
/// # Errors
/// `invalidPath`, `invalidValue`, `mutability`, `noTarget`.
pub fn apply(group: &mut ProvisionedGroup, operations: &[Operation]) -> Result<(), ScimError> {
    for operation in operations {
        let value = operation.told()?;
        match &operation.path {
            Some(path) => at_path(group, operation.op, path, value)?,
            None => at_root(group, operation.op, value)?,
        }
    }
    Ok(())
}

fn at_root(group: &mut ProvisionedGroup, op: Op, value: &Value) -> Result<(), ScimError> {
    if op == Op::Remove {
        return Err(ScimError::bad("noTarget", "`remove` needs a path."));
    }
    let Value::Object(map) = value else {
        return Err(ScimError::bad(
            "invalidValue",
            "Without a path the value must be an object.",
        ));
    };
    // Okta sends the id along; unknown attributes are left out.
    let known = |key: &str| match place(key) {
        Ok(PatchPath::Attr(attr)) if attr.sub_attr.is_none() => ["displayName", "externalId", "members"]
            .iter()
            .any(|name| same(name, &attr.name)),
        _ => false,
    };
    for (key, value) in map.iter().filter(|(key, _)| known(key)) {
        at_path(group, op, key, value)?;
    }
    Ok(())
}

/// Where a path leads, by no schema's name or that of groups.
fn place(path: &str) -> Result<PatchPath, ScimError> {
    let parsed: PatchPath = super::value_path::spaced(path)
        .parse()
        .map_err(|error| ScimError::bad("invalidPath", format!("The path `{path}` cannot be read: {error}.")))?;
    let named = match &parsed {
        PatchPath::Attr(attr) => attr,
        PatchPath::Value(chosen) => &chosen.attr,
    };
    if named.uri.as_deref().is_some_and(|uri| !same(uri, GROUP)) {
        let text = format!("The path `{path}` names a schema that is not known here.");
        return Err(ScimError::bad("invalidPath", text));
    }
    Ok(parsed)
}

fn at_path(group: &mut ProvisionedGroup, op: Op, path: &str, value: &Value) -> Result<(), ScimError> {
    let bad_path = || ScimError::bad("invalidPath", format!("There is no attribute `{path}`."));
    match place(path)? {
        PatchPath::Attr(attr) if same(&attr.name, "members") && attr.sub_attr.is_none() => of_members(group, op, value),
        PatchPath::Attr(attr) if attr.sub_attr.is_none() => of_text(group, op, (&attr.name, path), value),
        PatchPath::Value(chosen) if same(&chosen.attr.name, "members") && op == Op::Remove => {
            let mut named = BTreeSet::new();
            named_in(&chosen.filter, &mut named)
                .ok_or_else(|| ScimError::bad("invalidFilter", "Members are chosen by `members[value eq \"id\"]`."))?;
            group.members.retain(|id| !named.contains(id));
            Ok(())
        }
        _ => Err(bad_path()),
    }
}

fn of_members(group: &mut ProvisionedGroup, op: Op, value: &Value) -> Result<(), ScimError> {
    let named = ids(value)?;
    match op {
        Op::Add => group.members.extend(named),
        Op::Replace => group.members = named,
        Op::Remove if value.is_null() => group.members.clear(),
        Op::Remove => group.members.retain(|id| !named.contains(id)),
    }
    if group.members.len() > MOST_MEMBERS {
        let text = format!("A group has at most {MOST_MEMBERS} members.");
        return Err(ScimError::bad("invalidValue", text));
    }
    Ok(())
}

/// Sets the name or the client's id, held to the table as in POST.
fn of_text(group: &mut ProvisionedGroup, op: Op, (name, path): (&str, &str), value: &Value) -> Result<(), ScimError> {
    let attr = find(GROUP_ATTRS, name)
        .ok_or_else(|| ScimError::bad("invalidPath", format!("There is no attribute `{path}`.")))?;
    if attr.is_fixed {
        let text = format!("`{name}` is set by the server alone.");
        return Err(ScimError::bad("mutability", text));
    }
    let told = if op == Op::Remove { None } else { checked(attr, value)? };
    let text = told.as_ref().and_then(Value::as_str).map(str::to_owned);
    match attr.name {
        "displayName" => group.name = text.ok_or_else(|| ScimError::bad("invalidValue", "A group has a name."))?,
        // Members have been looked for before.
        _ => group.external_id = text,
    }
    Ok(())
}

/// The ids that a filter of equalities names; `None` for any other filter.
fn named_in(filter: &ValFilter, found: &mut BTreeSet<String>) -> Option<()> {
    match filter {
        ValFilter::Attr(AttrExp::Comparison(path, CompareOp::Eq, CompValue::Str(id)))
            if same(&path.name, "value") && path.uri.is_none() =>
        {
            found.insert(id.clone());
            Some(())
        }
        ValFilter::Or(items) => items.iter().try_for_each(|item| named_in(item, found)),
        // Members are always people, so that condition adds nothing.
        ValFilter::And(items) => {
            let mut others = items.iter().filter(|item| !names_person(item));
            let only = others.next().filter(|_| others.next().is_none())?;
            named_in(only, found)
        }
        _ => None,
    }
}

fn names_person(filter: &ValFilter) -> bool {
    match filter {
        ValFilter::Attr(AttrExp::Comparison(path, CompareOp::Eq, CompValue::Str(kind))) => {
            same(&path.name, "type") && path.uri.is_none() && same(kind, "User")
        }
        _ => false,
    }
}

/// A group as it is shown.
#[must_use]
pub fn show(it: &Shown<'_>) -> Resource {
    let base = it.base;
    let mut group = Resource::new();
    group.insert("schemas".to_owned(), json!([GROUP]));
    group.insert("id".to_owned(), json!(it.id));
    group.insert("displayName".to_owned(), json!(it.name));
    if let Some(id) = it.external_id {
        group.insert("externalId".to_owned(), json!(id));
    }
    if let Some(members) = it.members.as_ref().filter(|members| !members.is_empty()) {
        let members = members
            .iter()
            .map(|id| json!({"value": id, "$ref": format!("{base}/Users/{id}")}));
        group.insert("members".to_owned(), members.collect());
    }
    group.insert(
        "meta".to_owned(),
        meta("Group", it.id, (it.version, it.modified), &format!("{base}/Groups")),
    );
    group
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::super::patch::operations;
    use super::*;

    fn ops() -> ProvisionedGroup {
        ProvisionedGroup {
            name: "Ops".to_owned(),
            external_id: None,
            members: ["p1".to_owned(), "p2".to_owned()].into(),
        }
    }

    fn patched(list: Value) -> Result<ProvisionedGroup, ScimError> {
        let mut group = ops();
        let body = json!({"Operations": list});
        apply(&mut group, &operations(body.as_object().unwrap())?)?;
        Ok(group)
    }

    fn members(group: &ProvisionedGroup) -> Vec<&str> {
        group.members.iter().map(String::as_str).collect()
    }

    #[test]
    fn members_come_and_go_in_every_documented_shape() {
        for (list, wanted) in [
            (
                json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "p3"}]}]),
                vec!["p1", "p2", "p3"],
            ),
            (
                json!([{"op": "add", "value": {"members": [{"value": "p3", "display": "x"}]}}]),
                vec!["p1", "p2", "p3"],
            ),
            (
                json!([{"op": "Remove", "path": "members", "value": [{"value": "p1"}]}]),
                vec!["p2"],
            ),
            (
                json!([{"op": "remove", "path": "members[value eq \"p1\"]"}]),
                vec!["p2"],
            ),
            (
                json!([{"op": "remove", "path": "members[value eq \"p1\" or value eq \"p2\"]"}]),
                vec![],
            ),
            (json!([{"op": "remove", "path": "members"}]), vec![]),
            (
                json!([{"op": "remove", "path": "members[value eq \"p1\" and type eq \"User\"]"}]),
                vec!["p2"],
            ),
            (
                json!([{"op": "replace", "path": "members", "value": [{"value": "p9"}]}]),
                vec!["p9"],
            ),
            (
                json!([{"op": "replace", "value": {"id": "g1", "displayName": "New"}}]),
                vec!["p1", "p2"],
            ),
        ] {
            assert_eq!(members(&patched(list.clone()).unwrap()), wanted, "{list}");
        }
        assert_eq!(
            patched(json!([{"op": "Replace", "path": "displayName", "value": "New"}]))
                .unwrap()
                .name,
            "New"
        );
    }

    #[test]
    fn texts_are_read_as_in_a_whole_group() {
        for (operation, name, external_id) in [
            (
                json!({"op": "replace", "path": "externalId", "value": 7}),
                "Ops",
                Some("7"),
            ),
            (
                json!({"op": "add", "path": "externalId", "value": ["x1"]}),
                "Ops",
                Some("x1"),
            ),
            (
                json!({"op": "replace", "path": "externalId", "value": null}),
                "Ops",
                None,
            ),
            (
                json!({"op": "remove", "path": "externalId", "value": "x0"}),
                "Ops",
                None,
            ),
            (
                json!({"op": "replace", "path": format!("{GROUP}:displayName"), "value": "New"}),
                "New",
                Some("x0"),
            ),
            (
                json!({"op": "replace", "value": {format!("{GROUP}:displayName"): "New"}}),
                "New",
                Some("x0"),
            ),
            (
                json!({"op": "add", "value": {format!("{GROUP}:externalId"): 7, "displayName": 8}}),
                "8",
                Some("7"),
            ),
            // Unknown attributes are left out.
            (
                json!({"op": "add", "value": {"id": "g", "a b": 1, "urn:acme:Group:displayName": "New", "displayName.x": "y"}}),
                "Ops",
                Some("x0"),
            ),
        ] {
            let mut group = ops();
            group.external_id = Some("x0".to_owned());
            let body = json!({"Operations": [operation]});
            apply(&mut group, &operations(body.as_object().unwrap()).unwrap()).unwrap();
            assert_eq!(
                (group.name.as_str(), group.external_id.as_deref()),
                (name, external_id),
                "{operation}"
            );
            assert_eq!(members(&group), ["p1", "p2"], "{operation}");
        }
        let whole = json!({"op": "add", "value": {format!("{GROUP}:members"): [{"value": "p3"}]}});
        assert_eq!(members(&patched(json!([whole])).unwrap()), ["p1", "p2", "p3"]);
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        for (operation, kind) in [
            (
                json!({"op": "add", "path": "members", "value": [{"value": "g2", "type": "Group"}]}),
                "invalidValue",
            ),
            (json!({"op": "add", "path": "members", "value": [7]}), "invalidValue"),
            (
                json!({"op": "remove", "path": "members[display sw \"a\"]"}),
                "invalidFilter",
            ),
            (
                json!({"op": "remove", "path": "urn:acme:custom:2.0:Group:members"}),
                "invalidPath",
            ),
            (
                json!({"op": "remove", "path": "urn:acme:custom:2.0:Group:members[value eq \"p1\"]"}),
                "invalidPath",
            ),
            (
                json!({"op": "replace", "path": "urn:acme:custom:2.0:Group:displayName", "value": "New"}),
                "invalidPath",
            ),
            (
                json!({"op": "remove", "path": "members[value eq \"p1\" and value eq \"p2\"]"}),
                "invalidFilter",
            ),
            (
                json!({"op": "remove", "path": "members[value eq \"p1\" and type eq \"Group\"]"}),
                "invalidFilter",
            ),
            (json!({"op": "remove", "path": "displayName"}), "invalidValue"),
            (json!({"op": "replace", "path": "members"}), "invalidValue"),
            (json!({"op": "replace", "path": "externalId"}), "invalidValue"),
            (json!({"op": "replace"}), "invalidValue"),
            (json!({"op": "replace", "path": "id", "value": "x"}), "mutability"),
            (
                json!({"op": "replace", "path": "schemas", "value": ["x"]}),
                "mutability",
            ),
            (
                json!({"op": "replace", "path": "externalId", "value": {"x": 7}}),
                "invalidValue",
            ),
            (
                json!({"op": "replace", "path": "displayName", "value": "x".repeat(5_000_000)}),
                "invalidValue",
            ),
            (json!({"op": "replace", "path": "nothing", "value": "x"}), "invalidPath"),
        ] {
            assert_eq!(patched(json!([operation])).unwrap_err().kind, kind, "{operation}");
        }
        assert_eq!(read(&Map::new()).unwrap_err().kind, "invalidValue");
    }
}

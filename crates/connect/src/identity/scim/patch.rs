//! PATCH (RFC 7644 section 3.5.2), in the shapes that are sent: paths with filters, without a path, with the case of
//! `op` as it comes, with `"True"` for true, and with dotted or qualified names as keys.

use scim_v2::filter::{AttrExp, AttrPath, CompValue, CompareOp, PatchPath, ValFilter};
use serde_json::{Map, Value, json};

use super::filter::{check_value_filter, value_matches};
use super::schema::{Attr, Kind, checked, extension, find, of_schema};
use super::{MOST_OPERATIONS, Resource, ScimError, member, same};

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Adds a value or sets an attribute.
    Add,
    /// Sets.
    Replace,
    /// Takes away.
    Remove,
}

/// One operation as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its kind.
    pub op: Op,
    /// Where; absent for the whole resource.
    pub path: Option<String>,
    /// With its value; absent is not null.
    pub value: Option<Value>,
}

impl Operation {
    /// Its value; a removal may have none. An operation without its value would otherwise clear the named attribute, a whole
    /// group's members among them.
    ///
    /// # Errors
    /// `invalidValue`.
    pub(super) fn told(&self) -> Result<&Value, ScimError> {
        match (&self.value, self.op) {
            (Some(value), _) => Ok(value),
            (None, Op::Remove) => Ok(&Value::Null),
            (None, Op::Add) => Err(ScimError::bad("invalidValue", "`add` needs a `value`.")),
            (None, Op::Replace) => {
                let text = "`replace` needs a `value`; null clears, and `remove` takes away.";
                Err(ScimError::bad("invalidValue", text))
            }
        }
    }
}

/// Reads the operations of a body.
///
/// # Errors
/// `invalidSyntax`.
pub fn operations(body: &Map<String, Value>) -> Result<Vec<Operation>, ScimError> {
    let bad = |text: &str| ScimError::bad("invalidSyntax", text);
    let Some(Value::Array(items)) = member(body, "Operations") else {
        return Err(bad("`Operations` must be a list."));
    };
    if items.is_empty() || items.len() > MOST_OPERATIONS {
        return Err(bad(&format!("There are 1 to {MOST_OPERATIONS} operations.")));
    }
    let read = |item: &Value| {
        let map = item.as_object().ok_or_else(|| bad("An operation must be an object."))?;
        let op = match member(map, "op").and_then(Value::as_str).unwrap_or_default() {
            op if same(op, "add") => Op::Add,
            op if same(op, "replace") => Op::Replace,
            op if same(op, "remove") => Op::Remove,
            _ => return Err(bad("`op` is `add`, `replace` or `remove`.")),
        };
        let path = member(map, "path")
            .and_then(Value::as_str)
            .map(|it| it.trim().to_owned());
        Ok(Operation {
            op,
            path: path.filter(|path| !path.is_empty()),
            value: member(map, "value").cloned(),
        })
    };
    items.iter().map(read).collect()
}

/// Where a path leads.
struct Place {
    urn: Option<&'static str>,
    attr: &'static Attr,
    sub: Option<&'static Attr>,
    choice: Option<ValFilter>,
}

fn no_path(path: impl std::fmt::Display) -> ScimError {
    ScimError::bad("invalidPath", format!("There is no attribute `{path}`."))
}

fn place(path: &str, attrs: &'static [Attr]) -> Result<Place, ScimError> {
    let parsed: PatchPath = super::value_path::spaced(path)
        .parse()
        .map_err(|error| ScimError::bad("invalidPath", format!("The path `{path}` cannot be read: {error}.")))?;
    let (attr_path, sub_name, choice) = match parsed {
        PatchPath::Attr(attr_path) => {
            let sub = attr_path.sub_attr.clone();
            (attr_path, sub, None)
        }
        PatchPath::Value(value) => (value.attr, value.sub_attr, Some(value.filter)),
    };
    let (urn, attrs) = of_schema(attr_path.uri.as_deref(), attrs).ok_or_else(|| {
        let text = format!("The path `{path}` names a schema that is not known here.");
        ScimError::bad("invalidPath", text)
    })?;
    let attr = find(attrs, &attr_path.name).ok_or_else(|| no_path(&attr_path))?;
    if attr.is_fixed {
        let text = format!("`{}` is set by the server alone.", attr.name);
        return Err(ScimError::bad("mutability", text));
    }
    let subs: &'static [Attr] = match attr.kind {
        Kind::Complex(subs) => subs,
        _ if sub_name.is_some() || choice.is_some() => return Err(no_path(path)),
        _ => &[],
    };
    if let Some(choice) = &choice {
        check_value_filter(choice, subs)?;
    }
    let sub = match sub_name {
        None => None,
        Some(name) => Some(find(subs, &name).ok_or_else(|| no_path(path))?),
    };
    Ok(Place { urn, attr, sub, choice })
}

/// Applies operations to a resource, one after the other. When one fails none of them counts: the caller discards the resource.
/// A deactivation always succeeds: if one of the operations deactivates, another one that fails is left out instead.
/// Directories send attributes that are unknown here, and a leaver who can still sign in is worse than a stale title.
///
/// # Errors
/// `invalidPath`, `invalidValue`, `noTarget`, `mutability`.
pub fn apply(resource: &mut Resource, operations: &[Operation], attrs: &'static [Attr]) -> Result<(), ScimError> {
    let ends = operations.iter().any(|operation| deactivates(operation, attrs));
    for operation in operations {
        if !ends || deactivates(operation, attrs) {
            one(resource, operation, attrs)?;
            continue;
        }
        // An operation that partly fails has no effect at all.
        let mut tried = resource.clone();
        if one(&mut tried, operation, attrs).is_ok() {
            *resource = tried;
        }
    }
    Ok(())
}

fn one(resource: &mut Resource, operation: &Operation, attrs: &'static [Attr]) -> Result<(), ScimError> {
    let value = operation.told()?;
    match &operation.path {
        Some(path) => at_path(resource, operation.op, path, value, attrs),
        None => at_root(resource, operation.op, value, attrs),
    }
}

/// Whether an operation sets `active` to false, by its path or as one of the values without one.
fn deactivates(operation: &Operation, attrs: &'static [Attr]) -> bool {
    let is_end = |path: &str, value: &Value| {
        let found = place(path, attrs).ok();
        let found = found.filter(|it| it.urn.is_none() && it.attr.name == "active");
        found.is_some_and(|it| checked(it.attr, value) == Ok(Some(json!(false))))
    };
    match (&operation.path, &operation.value) {
        _ if operation.op == Op::Remove => false,
        (Some(path), Some(value)) => is_end(path, value),
        (None, Some(Value::Object(map))) => map.iter().any(|(key, value)| is_end(key, value)),
        _ => false,
    }
}

/// Without a path the value's members are the paths.
fn at_root(resource: &mut Resource, op: Op, value: &Value, attrs: &'static [Attr]) -> Result<(), ScimError> {
    if op == Op::Remove {
        return Err(ScimError::bad("noTarget", "`remove` needs a path."));
    }
    let Value::Object(map) = value else {
        return Err(ScimError::bad(
            "invalidValue",
            "Without a path the value must be an object.",
        ));
    };
    for (key, value) in map {
        let is_common = ["schemas", "id", "meta", "groups"].iter().any(|name| same(name, key));
        // Unknown attributes are left out here as in POST; a client may send a whole resource back as read.
        let is_known = extension(key).is_some() || place(key, attrs).is_ok();
        if !is_common && is_known {
            at_path(resource, op, key, value, attrs)?;
        }
    }
    Ok(())
}

fn at_path(
    resource: &mut Resource,
    op: Op,
    path: &str,
    value: &Value,
    attrs: &'static [Attr],
) -> Result<(), ScimError> {
    if let Some((urn, inner)) = extension(path) {
        return whole_extension(resource, op, (urn, inner), value);
    }
    let place = place(path, attrs)?;
    let root = match place.urn {
        None => &mut *resource,
        Some(urn) => object_in(resource, urn),
    };
    match (&place.choice, place.sub) {
        (Some(choice), sub) => chosen(root, op, (place.attr, sub, choice), value, path)?,
        (None, Some(sub)) => below(root, op, (place.attr, sub), value)?,
        (None, None) => plain(root, op, place.attr, value)?,
    }
    prune(resource);
    Ok(())
}

/// An extension as a whole.
fn whole_extension(
    resource: &mut Resource,
    op: Op,
    (urn, inner): (&'static str, &'static [Attr]),
    value: &Value,
) -> Result<(), ScimError> {
    if op == Op::Remove {
        resource.remove(urn);
        return Ok(());
    }
    let Value::Object(map) = value else {
        return Err(ScimError::bad("invalidValue", format!("`{urn}` must be an object.")));
    };
    let root = object_in(resource, urn);
    for (key, value) in map {
        if let Some(attr) = find(inner, key) {
            plain(root, op, attr, value)?;
        }
    }
    prune(resource);
    Ok(())
}

fn object_in<'a>(map: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let entry = map.entry(name.to_owned()).or_insert_with(|| json!({}));
    if !entry.is_object() {
        *entry = json!({});
    }
    entry.as_object_mut().expect("it was made an object just now")
}

/// Objects and lists that became empty count as not there.
fn prune(resource: &mut Resource) {
    resource.retain(|_, value| match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Null => false,
        _ => true,
    });
}

/// An attribute as a whole: several values are joined by `add`, parts are merged.
fn plain(root: &mut Resource, op: Op, attr: &'static Attr, value: &Value) -> Result<(), ScimError> {
    if op == Op::Remove {
        return remove_whole(root, attr, value);
    }
    let Some(new) = checked(attr, value)? else {
        root.remove(attr.name);
        return Ok(());
    };
    match (op, root.get_mut(attr.name), new) {
        (Op::Add, Some(Value::Array(known)), Value::Array(new)) => {
            for item in new {
                add_item(known, item);
            }
        }
        // Parts that are not named stay, also with `replace`: both big clients mean this.
        (_, Some(Value::Object(known)), Value::Object(new)) => known.extend(new),
        (_, _, new) => {
            root.insert(attr.name.to_owned(), new);
        }
    }
    Ok(())
}

fn add_item(known: &mut Vec<Value>, item: Value) {
    if known.contains(&item) {
        return;
    }
    // An existing value is made the primary one, or gets the other given parts.
    let same = |it: &&mut Value| {
        item.get("value").is_some() && it.get("value") == item.get("value") && it.get("type") == item.get("type")
    };
    if known.iter_mut().find(same).is_some() {
        demote_others(known, &item);
        if let (Some(Value::Object(there)), Value::Object(new)) = (known.iter_mut().find(same), &item) {
            there.extend(new.clone());
        }
        return;
    }
    demote_others(known, &item);
    known.push(item);
}

/// There is one primary value at most (RFC 7644 section 3.5.2).
fn demote_others(known: &mut [Value], item: &Value) {
    if item.get("primary") == Some(&Value::Bool(true)) {
        for other in known.iter_mut().filter_map(Value::as_object_mut) {
            other.remove("primary");
        }
    }
}

/// Removes an attribute, or, where a value names some of several, just these: Entra removes like that. An empty list names none.
fn remove_whole(root: &mut Resource, attr: &'static Attr, value: &Value) -> Result<(), ScimError> {
    if !attr.is_many || value.is_null() {
        root.remove(attr.name);
        return Ok(());
    }
    let Some(Value::Array(named)) = checked(attr, value)? else {
        return Ok(());
    };
    if let Some(Value::Array(known)) = root.get_mut(attr.name) {
        known.retain(|item| !named.iter().any(|named| is_named(item, named)));
    }
    Ok(())
}

/// Whether one of several values is the one that a removal names: by its `value`, or, without one, by all given parts.
fn is_named(item: &Value, named: &Value) -> bool {
    if let Some(value) = named.get("value") {
        return item.get("value") == Some(value);
    }
    // A value that is not the primary one may omit that.
    let says = |name: &str, part: &Value| item.get(name).unwrap_or(&Value::Bool(false)) == part;
    named
        .as_object()
        .is_some_and(|parts| parts.iter().all(|(name, part)| says(name, part)))
}

/// A part of an attribute: `name.givenName`; of several values, of each of them.
fn below(
    root: &mut Resource,
    op: Op,
    (attr, sub): (&'static Attr, &'static Attr),
    value: &Value,
) -> Result<(), ScimError> {
    let new = if op == Op::Remove { None } else { checked(sub, value)? };
    let set = |map: &mut Map<String, Value>| match &new {
        Some(new) => {
            map.insert(sub.name.to_owned(), new.clone());
        }
        None => {
            map.remove(sub.name);
        }
    };
    if !attr.is_many {
        set(object_in(root, attr.name));
        return Ok(());
    }
    match root.get_mut(attr.name) {
        Some(Value::Array(items)) => items.iter_mut().filter_map(Value::as_object_mut).for_each(set),
        _ if op == Op::Remove => {}
        _ => {
            let mut item = Map::new();
            set(&mut item);
            root.insert(attr.name.to_owned(), json!([item]));
        }
    }
    Ok(())
}

/// The values that a filter selects. Without a match, `add` makes the value that the filter describes, as Entra expects;
/// `replace` then has no target (RFC 7644 section 3.5.2.3).
fn chosen(
    root: &mut Resource,
    op: Op,
    (attr, sub, choice): (&'static Attr, Option<&'static Attr>, &ValFilter),
    value: &Value,
    path: &str,
) -> Result<(), ScimError> {
    let Kind::Complex(subs) = attr.kind else {
        return Err(no_path(path));
    };
    let mut items = match root.remove(attr.name) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let fits = |item: &Value| item.as_object().is_some_and(|item| value_matches(choice, item, subs));
    if !items.iter().any(fits) {
        match op {
            Op::Remove => {}
            Op::Add => items.push(described(choice, subs).ok_or_else(|| {
                ScimError::bad(
                    "noTarget",
                    format!("No value fits `{path}`, and none can be made from it."),
                )
            })?),
            Op::Replace => return Err(ScimError::bad("noTarget", format!("No value fits `{path}`."))),
        }
    }
    match (op, sub) {
        (Op::Remove, None) => items.retain(|item| !fits(item)),
        (_, None) => {
            let single = Attr {
                is_many: false,
                ..*attr
            };
            let new = whole_item(&single, subs, value)?;
            // The demoted value may have been selected for being the primary one.
            let places: Vec<usize> = (0..items.len()).filter(|place| fits(&items[*place])).collect();
            demote_others(&mut items, &new);
            for place in places {
                if let (Some(known), Value::Object(new)) = (items[place].as_object_mut(), &new) {
                    known.extend(new.clone());
                }
            }
        }
        (_, Some(sub)) => {
            let new = if op == Op::Remove { None } else { checked(sub, value)? };
            set_part(&mut items, &fits, sub, new.as_ref());
        }
    }
    root.insert(attr.name.to_owned(), Value::Array(items));
    Ok(())
}

fn whole_item(attr: &Attr, subs: &'static [Attr], value: &Value) -> Result<Value, ScimError> {
    match value {
        Value::Object(map) => Ok(Value::Object(super::schema::plain(map, subs)?)),
        // Several values come as a list, also where a filter chose one of them.
        Value::Array(items) if items.len() == 1 => whole_item(attr, subs, &items[0]),
        _ => Err(ScimError::bad(
            "invalidValue",
            format!("`{}` must be an object.", attr.name),
        )),
    }
}

fn set_part(items: &mut [Value], fits: &dyn Fn(&Value) -> bool, sub: &Attr, new: Option<&Value>) {
    let places: Vec<usize> = (0..items.len()).filter(|place| fits(&items[*place])).collect();
    if sub.name == "primary" && new == Some(&Value::Bool(true)) {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.remove("primary");
        }
    }
    for place in places {
        let Some(map) = items[place].as_object_mut() else {
            continue;
        };
        match new {
            Some(new) => {
                map.insert(sub.name.to_owned(), new.clone());
            }
            None => {
                map.remove(sub.name);
            }
        }
    }
}

/// The value that a filter of equalities describes: `type eq "work"` is `{"type": "work"}`.
fn described(choice: &ValFilter, subs: &'static [Attr]) -> Option<Value> {
    let mut map = Map::new();
    let tests: Vec<&ValFilter> = match choice {
        ValFilter::And(items) => items.iter().collect(),
        single => vec![single],
    };
    for test in tests {
        let ValFilter::Attr(AttrExp::Comparison(AttrPath { name, .. }, CompareOp::Eq, value)) = test else {
            return None;
        };
        let sub = find(subs, name)?;
        let value = match value {
            CompValue::Str(text) => json!(text),
            CompValue::True => json!(true),
            CompValue::False => json!(false),
            _ => return None,
        };
        // Entra writes yes and no as texts here as well.
        map.insert(sub.name.to_owned(), checked(sub, &value).ok()??);
    }
    Some(Value::Object(map))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::super::schema::{ENTERPRISE, USER_ATTRS};
    use super::*;

    fn patched(before: Value, operations_body: Value) -> Result<Value, ScimError> {
        let mut resource = before.as_object().unwrap().clone();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations_body});
        let read = operations(body.as_object().unwrap())?;
        apply(&mut resource, &read, USER_ATTRS)?;
        Ok(Value::Object(resource))
    }

    fn ada() -> Value {
        json!({
            "userName": "ada", "active": true, "name": {"givenName": "Ada", "familyName": "L"},
            "emails": [{"type": "work", "value": "ada@acme.example", "primary": true}],
        })
    }

    #[test]
    fn an_operation_that_lost_its_value_clears_nothing() {
        for lost in [
            json!({"op": "add", "path": "emails"}),
            json!({"op": "replace", "path": "emails"}),
            json!({"op": "replace", "path": "name.givenName"}),
            json!({"op": "replace", "path": "emails[type eq \"work\"].value"}),
            json!({"op": "Replace"}),
        ] {
            let refused = patched(ada(), json!([lost])).unwrap_err();
            assert_eq!(refused.kind, "invalidValue", "{lost}");
        }
        // An explicit null clears.
        let after = patched(ada(), json!([{"op": "replace", "path": "emails", "value": null}])).unwrap();
        assert_eq!(after.get("emails"), None);
    }

    #[test]
    fn whoever_leaves_is_out_whatever_else_the_directory_tells() {
        let off = json!({"op": "Replace", "path": "active", "value": "False"});
        for beside in [
            json!({"op": "replace", "path": "roles[primary eq \"True\"].value", "value": "Approver"}),
            json!({"op": "replace", "path": "shoeSize", "value": 43}),
            json!({"op": "add", "path": "urn:acme:custom:2.0:User:badge", "value": "7"}),
            json!({"op": "replace", "path": "displayName"}),
            json!({"op": "replace", "path": "emails[type eq \"home\"].value", "value": "x@y.example"}),
            json!({"op": "replace", "path": "id", "value": "other"}),
        ] {
            for list in [json!([off, beside]), json!([beside, off])] {
                let after = patched(ada(), list.clone()).unwrap();
                assert_eq!(after["active"], false, "{list}");
                assert_eq!(after["emails"], ada()["emails"], "{list}");
            }
            // A request that deactivates nobody is refused as a whole, as before.
            let on = json!({"op": "replace", "path": "active", "value": true});
            patched(ada(), json!([on, beside])).unwrap_err();
        }
        let whole = json!([{"op": "replace", "value": {"active": false, "shoeSize": 43}}, {"op": "replace", "path": "x", "value": 1}]);
        assert_eq!(patched(ada(), whole).unwrap()["active"], false);
        let perhaps = json!([{"op": "replace", "path": "active", "value": "perhaps"}]);
        assert_eq!(patched(ada(), perhaps).unwrap_err().kind, "invalidValue");
    }

    #[test]
    fn what_the_core_schema_knows_is_kept_and_a_value_too_long_to_keep_turns_nobody_away() {
        let after = patched(
            ada(),
            json!([
                {"op": "add", "path": "roles[primary eq \"True\"].value", "value": "Approver"},
                {"op": "add", "path": "entitlements", "value": [{"value": "vpn"}]},
                {"op": "add", "value": {"photos": [{"value": "https://a.example/ada.png", "type": "thumbnail"}]}},
                {"op": "add", "path": "x509Certificates", "value": [{"value": "A".repeat(2_000)}]},
                {"op": "add", "path": "ims", "value": [{"value": "ada", "type": "xmpp"}]},
            ]),
        )
        .unwrap();
        assert_eq!(after["roles"], json!([{"primary": true, "value": "Approver"}]));
        assert_eq!(after["entitlements"], json!([{"value": "vpn"}]));
        assert_eq!(after["photos"][0]["value"], "https://a.example/ada.png");
        assert_eq!(after["ims"][0]["type"], "xmpp");
        assert_eq!(after.get("x509Certificates"), None);
    }

    /// Shapes from Entra's documentation of its provisioning service.
    #[test]
    fn entra_shapes() {
        let after = patched(
            ada(),
            json!([
                {"op": "Replace", "path": "active", "value": "False"},
                {"op": "Add", "path": "emails[type eq \"other\"].value", "value": "ada@home.example"},
                {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "ada@new.example"},
                {"op": "Add", "path": "name.givenName", "value": "Augusta"},
                {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Platform"},
                {"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "p9"},
            ]),
        )
        .unwrap();
        let wanted = json!({
            "userName": "ada", "active": false, "name": {"givenName": "Augusta", "familyName": "L"},
            "emails": [
                {"type": "work", "value": "ada@new.example", "primary": true},
                {"type": "other", "value": "ada@home.example"},
            ],
            ENTERPRISE: {"department": "Platform", "manager": {"value": "p9"}},
        });
        assert_eq!(after, wanted);
    }

    /// Shapes from Okta's documentation of its SCIM client.
    #[test]
    fn okta_shapes() {
        let after = patched(ada(), json!([{"op": "replace", "value": {"active": false}}])).unwrap();
        assert_eq!(after["active"], false);
        let whole = json!([{"op": "replace", "value": {
            "id": "other", "schemas": [], "name.givenName": "Augusta", "unknownThing": 7,
            ENTERPRISE: {"costCenter": "41"}, format!("{ENTERPRISE}:division"): "Ops",
            "emails": [{"primary": true, "value": "a@b.example", "type": "work"}],
        }}]);
        let after = patched(ada(), whole).unwrap();
        assert_eq!(after["name"], json!({"givenName": "Augusta", "familyName": "L"}));
        assert_eq!(after[ENTERPRISE], json!({"costCenter": "41", "division": "Ops"}));
        assert_eq!(
            after["emails"],
            json!([{"primary": true, "value": "a@b.example", "type": "work"}])
        );
        assert!(after.get("id").is_none() && after.get("unknownThing").is_none());
    }

    #[test]
    fn an_attribute_of_an_unknown_schema_is_not_the_core_one_of_its_name() {
        let foreign = "urn:acme:custom:2.0:User";
        for path in [
            format!("{foreign}:active"),
            format!("{foreign}:emails[type eq \"work\"].value"),
        ] {
            let refused = patched(ada(), json!([{"op": "replace", "path": path, "value": "False"}])).unwrap_err();
            assert_eq!(refused.kind, "invalidPath", "{path}");
            assert!(refused.detail.contains("not known here"), "{path}: {refused}");
        }
        let path = format!("{foreign}:active");
        // Without a path it is left out, as in POST.
        let whole = json!([{"op": "replace", "value": {
            path: "False", foreign: {"active": false}, "urn:acme:custom:active": {"since": 7}, "displayName": "Ada",
        }}]);
        let after = patched(ada(), whole).unwrap();
        assert_eq!((&after["active"], &after["displayName"]), (&json!(true), &json!("Ada")));
        assert!(after.get(foreign).is_none());
        let core = "URN:ietf:params:scim:schemas:core:2.0:user:active";
        let after = patched(ada(), json!([{"op": "replace", "path": core, "value": "False"}])).unwrap();
        assert_eq!(after["active"], false);
    }

    #[test]
    fn values_are_taken_away_as_a_whole_by_filter_or_by_name() {
        let after = patched(ada(), json!([{"op": "remove", "path": "emails[type eq \"work\"]"}])).unwrap();
        assert!(after.get("emails").is_none());
        let named = json!([{"op": "Remove", "path": "emails", "value": [{"value": "ada@acme.example"}]}]);
        assert!(patched(ada(), named).unwrap().get("emails").is_none());
        let after = patched(ada(), json!([{"op": "remove", "path": "name.familyName"}])).unwrap();
        assert_eq!(after["name"], json!({"givenName": "Ada"}));
        let after = patched(ada(), json!([{"op": "remove", "path": "name"}])).unwrap();
        assert!(after.get("name").is_none());
    }

    #[test]
    fn a_removal_takes_away_what_it_names_and_nothing_else() {
        let before = || {
            let mut user = ada();
            user["addresses"] = json!([{"type": "work", "locality": "Oslo"}, {"type": "home", "locality": "Bergen"}]);
            user["emails"] = json!([
                {"type": "work", "value": "ada@acme.example", "primary": true},
                {"type": "home", "value": "ada@home.example"},
            ]);
            user
        };
        let [work, home] = [0, 1].map(|place| before()["emails"][place].clone());
        let addresses = before()["addresses"].clone();
        for (path, value, wanted) in [
            ("addresses", json!([{"type": "home"}]), json!([addresses[0]])),
            ("addresses", json!({"TYPE": "work"}), json!([addresses[1]])),
            (
                "addresses",
                json!([{"type": "home", "locality": "Oslo"}]),
                addresses.clone(),
            ),
            (
                "addresses",
                json!([{"type": "home", "primary": false}]),
                json!([addresses[0]]),
            ),
            ("addresses", json!([{}]), addresses.clone()),
            ("emails", json!([]), json!([work, home])),
            ("emails", json!(""), json!([work, home])),
            ("emails", json!("ada@home.example"), json!([work])),
            ("emails", json!(["ada@acme.example"]), json!([home])),
            ("emails", json!("x@y.example"), json!([work, home])),
            (
                "emails",
                json!([{"value": "ada@home.example", "display": "x"}]),
                json!([work]),
            ),
            ("emails", json!([{"type": "home"}]), json!([work])),
            ("emails", Value::Null, Value::Null),
        ] {
            let remove = json!({"op": "remove", "path": path, "value": value});
            let after = patched(before(), json!([remove])).unwrap();
            assert_eq!(after.get(path).unwrap_or(&Value::Null), &wanted, "{remove}");
        }
        let none = json!([{"op": "remove", "path": "addresses", "value": "home"}]);
        assert_eq!(patched(before(), none).unwrap_err().kind, "invalidValue");
    }

    #[test]
    fn a_chosen_value_is_set_by_an_object_or_a_list_of_one() {
        let chosen = |value: Value| {
            let set = json!([{"op": "replace", "path": "emails[type eq \"work\"]", "value": value}]);
            patched(ada(), set)
        };
        let new = json!({"type": "work", "value": "a@b.example"});
        let alone = chosen(new.clone()).unwrap();
        assert_eq!(alone["emails"][0]["value"], "a@b.example");
        assert_eq!(chosen(json!([new])).unwrap(), alone);
        for wrong in [json!([]), json!([new, new]), json!(7)] {
            assert_eq!(chosen(wrong.clone()).unwrap_err().kind, "invalidValue", "{wrong}");
        }
    }

    #[test]
    fn a_second_primary_value_takes_the_place_of_the_first() {
        let add = json!([{"op": "add", "path": "emails", "value": [{"value": "b@c.example", "primary": true}]}]);
        let after = patched(ada(), add).unwrap();
        assert!(after["emails"][0].get("primary").is_none());
        assert_eq!(after["emails"][1]["primary"], true);
        let twice = json!([
            {"op": "add", "path": "emails", "value": [{"value": "b@c.example"}]},
            {"op": "add", "path": "emails", "value": [{"value": "b@c.example"}]},
        ]);
        assert_eq!(patched(ada(), twice).unwrap()["emails"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn one_value_is_primary_however_it_became_so() {
        let two = || {
            let mut user = ada();
            user["emails"] = json!([
                {"type": "work", "value": "ada@acme.example", "primary": true},
                {"type": "home", "value": "b@c.example"},
            ]);
            user
        };
        let home = |value: Value| json!([{"op": "replace", "path": "emails[type eq \"home\"]", "value": value}]);
        for operations in [
            home(json!({"primary": true})),
            home(json!({"value": "b@c.example", "primary": "True"})),
            json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]),
            json!([{"op": "add", "path": "emails", "value": [{"type": "home", "value": "b@c.example", "primary": true}]}]),
            json!([{"op": "add", "value": {"emails": [{"type": "home", "value": "b@c.example", "primary": true}]}}]),
        ] {
            let after = patched(two(), operations.clone()).unwrap();
            let told: Vec<bool> = after["emails"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["primary"] == true)
                .collect();
            assert_eq!(told, [false, true], "{operations}");
            assert_eq!(
                super::super::user::read(after.as_object().unwrap())
                    .unwrap()
                    .email
                    .as_deref(),
                Some("b@c.example")
            );
        }
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        for (operation, kind) in [
            (
                json!({"op": "replace", "path": "emails[type eq \"home\"].value", "value": "x"}),
                "noTarget",
            ),
            (json!({"op": "remove"}), "noTarget"),
            (json!({"op": "replace", "path": "id", "value": "x"}), "mutability"),
            (json!({"op": "replace", "path": "nothing", "value": "x"}), "invalidPath"),
            (json!({"op": "replace", "path": "emails[", "value": "x"}), "invalidPath"),
            (
                json!({"op": "replace", "path": "userName.x", "value": "x"}),
                "invalidPath",
            ),
            (
                json!({"op": "replace", "path": "active", "value": "perhaps"}),
                "invalidValue",
            ),
            (json!({"op": "replace", "value": "x"}), "invalidValue"),
            (json!({"op": "move", "path": "active", "value": true}), "invalidSyntax"),
            (json!("x"), "invalidSyntax"),
        ] {
            assert_eq!(
                patched(ada(), json!([operation])).unwrap_err().kind,
                kind,
                "{operation}"
            );
        }
        assert_eq!(patched(ada(), json!([])).unwrap_err().kind, "invalidSyntax");
    }
}

//! Converts the fields that a client writes into the API's format. An unknown field is refused rather than lost.

use model::change::read_content::new_change::NewChange;
use serde_json::{Map, Value, json};

use super::rows::read_time;
use super::sys_id::{self, Named, of_key};
use super::table::Table;
use crate::dialects::DialectRequest;
use crate::dialects::api::{Refused, text_of};

/// Before the name of a field of ours.
pub(super) const OWN: &str = "u_assent_";
/// Before the key of a config item, where its id is made: a service may have the same key.
pub(super) const CONFIG_ITEM: &str = "ci/";
/// The most people that are looked through for a longer login.
const MOST_PEOPLE: usize = 5_000;

/// The object that a client sent.
pub(super) fn object(asked: &DialectRequest) -> Result<Map<String, Value>, Refused> {
    match &asked.body {
        Value::Object(fields) => Ok(fields.clone()),
        _ => Err(Refused::field("The body is an object of fields.")),
    }
}

/// The text of a field; numbers and booleans are taken as they are written, and of an object its `value`.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(both) => both.get("value").map(plain).unwrap_or_default(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Takes a field out of those that are still to be read; an empty one counts as absent.
pub(super) fn take(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    let text = plain(&fields.remove(name)?);
    (!text.trim().is_empty()).then_some(text)
}

/// A boolean in the clients' spellings; any other text is refused as ambiguous.
pub(super) fn flag(name: &str, text: &str) -> Result<bool, Refused> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Refused::field(format!("`{name}` is `true` or `false`, not `{text}`."))),
    }
}

/// A time of a client.
pub(super) fn time(name: &str, text: &str) -> Result<Value, Refused> {
    let wrong = || Refused::field(format!("`{name}` is a time in UTC such as `2026-12-24 18:00:00`."));
    Ok(json!(read_time(text).ok_or_else(wrong)?))
}

/// The key of a record that a client names by its id, its key or its login.
pub(super) async fn key(asked: &DialectRequest, table: Table, text: &str) -> Result<String, Refused> {
    let path = match (table, sys_id::read(text)) {
        (_, Some(Named::Key(key))) => return Ok(key),
        (Table::SysUser, Some(Named::Long)) => ("/people", "login"),
        (Table::SysUserGroup, Some(Named::Long)) => ("/groups", "key"),
        (Table::CmdbCi, Some(Named::Long)) => ("/services", "key"),
        _ => return Ok(text.to_owned()),
    };
    let found = asked.api.all(path.0, MOST_PEOPLE).await?;
    let mut keys = found.iter().map(|it| text_of(&it[path.1]));
    if let Some(key) = keys.find(|key| of_key(key) == text) {
        return Ok(key.to_owned());
    }
    if table == Table::CmdbCi {
        let items = asked.api.all("/config-items", MOST_PEOPLE).await?;
        let mut keys = items.iter().map(|it| format!("{CONFIG_ITEM}{}", text_of(&it["key"])));
        if let Some(key) = keys.find(|key| of_key(key) == text) {
            return Ok(key);
        }
    }
    let text = format!("No record of {} has the id `{text}`.", table.name());
    Err(Refused::field(text))
}

/// The service that `cmdb_ci` names, and the config item inside the service if one is named.
pub(super) async fn place(asked: &DialectRequest, text: &str) -> Result<(String, Option<String>), Refused> {
    let named = key(asked, Table::CmdbCi, text).await?;
    let Some(item) = named.strip_prefix(CONFIG_ITEM) else {
        return Ok((named, None));
    };
    let items = asked.api.all("/config-items", MOST_PEOPLE).await?;
    let found = items.iter().find(|it| text_of(&it["key"]) == item);
    match found.map(|it| text_of(&it["service"])) {
        Some(service) if !service.is_empty() => Ok((service.to_owned(), Some(item.to_owned()))),
        Some(_) => Err(Refused::field(format!(
            "The config item `{item}` belongs to no service, and a change is made for a service. Name one as `cmdb_ci`."
        ))),
        None => Err(Refused::field(format!("There is no config item `{item}`."))),
    }
}

/// The content of a change from a client's fields; converted fields are removed from `fields`.
///
/// # Errors
/// A field that cannot be taken.
pub(super) async fn content(
    asked: &DialectRequest,
    fields: &mut Map<String, Value>,
) -> Result<Map<String, Value>, Refused> {
    let mut found = Map::new();
    for (theirs, ours) in [
        ("short_description", NewChange::TITLE),
        ("description", NewChange::DESCRIPTION),
        // It has the same name in both systems.
        (NewChange::JUSTIFICATION.name, NewChange::JUSTIFICATION),
        ("category", NewChange::CATEGORY),
        ("test_plan", NewChange::VERIFICATION),
    ] {
        if let Some(value) = fields.remove(theirs) {
            found.insert(ours.name.to_owned(), json!(plain(&value)));
        }
    }
    if let Some(kind) = take(fields, "type") {
        found.insert("kind".to_owned(), json!(kind.to_lowercase()));
    }
    for (theirs, ours) in [("start_date", "planned_start"), ("end_date", "planned_end")] {
        if let Some(text) = take(fields, theirs) {
            found.insert(ours.to_owned(), time(theirs, &text)?);
        }
    }
    for (theirs, ours) in [("implementation_plan", "plan"), ("backout_plan", "rollback_plan")] {
        if let Some(value) = fields.remove(theirs) {
            found.insert(ours.to_owned(), steps(&plain(&value)));
        }
    }
    if let Some(text) = take(fields, "cmdb_ci") {
        let (service, item) = place(asked, &text).await?;
        found.insert("services".to_owned(), json!([service]));
        if let Some(item) = item {
            found.insert("config_items".to_owned(), json!([item]));
        }
    }
    if let Some(text) = take(fields, "assigned_to") {
        found.insert(
            "implementers".to_owned(),
            json!([key(asked, Table::SysUser, &text).await?]),
        );
    }
    if let Some(text) = take(fields, "assignment_group") {
        found.insert("team".to_owned(), json!(key(asked, Table::SysUserGroup, &text).await?));
    }
    let own: Vec<String> = fields.keys().filter(|name| name.starts_with(OWN)).cloned().collect();
    for name in own {
        let ours = name.trim_start_matches(OWN).to_owned();
        if let Some(value) = fields.remove(&name) {
            found.insert(ours, value);
        }
    }
    Ok(found)
}

/// The steps of a plan: one for each line with text.
fn steps(text: &str) -> Value {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|title| json!({"title": title})).collect()
}

/// Refuses the fields that were not converted.
pub(super) fn nothing_left(fields: &Map<String, Value>, table: Table) -> Result<(), Refused> {
    if fields.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = fields.keys().map(|name| format!("`{name}`")).collect();
    let text = format!(
        "{} cannot be written in {} here. Leave out what Assent computes or does not keep; a field of Assent itself is written as \
         `{OWN}` and its name.",
        names.join(", "),
        table.name()
    );
    Err(Refused::new(400, "not_taken", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_a_step_for_each_line() {
        assert_eq!(steps("One\n\n  Two \n"), json!([{"title": "One"}, {"title": "Two"}]));
        assert_eq!(steps(""), json!([]));
    }

    #[test]
    fn what_is_left_is_refused_by_name() {
        let fields = object_of(json!({"chg_model": "x", "risk": "2"}));
        let refused = nothing_left(&fields, Table::Change).expect_err("two are left");
        assert!(refused.text.contains("`chg_model`, `risk`"), "{}", refused.text);
        assert!(nothing_left(&Map::new(), Table::Change).is_ok());
    }

    #[test]
    fn a_value_is_taken_as_text_number_or_object() {
        for value in [
            json!("-4"),
            json!(-4),
            json!({"value": "-4", "display_value": "Assess"}),
        ] {
            assert_eq!(plain(&value), "-4");
        }
        let mut fields = object_of(json!({"state": " "}));
        assert_eq!(take(&mut fields, "state"), None);
        assert!(fields.is_empty());
    }

    fn object_of(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

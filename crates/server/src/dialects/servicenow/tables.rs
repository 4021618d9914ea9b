//! The tables: the records that each stands for here, and their reading through the API.

use std::collections::{BTreeSet, HashMap};

use model::core::enums::{State, TemplateState};
use serde_json::{Value, json};

use super::change_rows;
use super::encoded_query::{Query, leads_to};
use super::fields::CONFIG_ITEM;
use super::rows::{Field, Row, Shape};
use super::states::{self, CHANGES, INCIDENTS, PROBLEMS};
use super::sys_id::{self, Named, Part, of_key};
use super::table::Table;
use crate::dialects::DialectRequest;
use crate::dialects::api::{Refused, items_of, text_of};
use crate::http::percent::escaped;

/// The most records that a query reads.
const MOST_READ: usize = 5_000;
/// The most records that a query may name one by one, and the most changes whose approvals are read for one query.
const MOST_NAMED: usize = 200;

/// The fields of the records of a table.
fn fields(table: Table) -> Vec<&'static str> {
    let nothing = Value::Null;
    let row = match table {
        Table::Change => change_rows::change(&nothing),
        Table::ChangeTask => change_rows::task("", &nothing, 1),
        Table::Incident => incident(&nothing),
        Table::Problem => problem(&nothing),
        Table::CmdbCi => service(&nothing),
        Table::SysUser => person(&nothing),
        Table::SysUserGroup => group(&nothing),
        Table::Approver => {
            let asked = json!({"requests": [{}]});
            change_rows::approvals(&asked, &[]).pop().unwrap_or(Row(Vec::new()))
        }
        Table::TemplateVersion => template(&nothing),
    };
    row.0.iter().map(|field| field.name).collect()
}

/// Refuses a requested field that exists neither in a table's records nor in the records that their references lead to.
pub(super) fn check_shown(names: &[String], table: Table) -> Result<(), Refused> {
    let known = fields(table);
    for name in names {
        let Some((base, rest)) = name.split_once('.') else {
            continue;
        };
        let Some(to) = leads_to(base).filter(|_| known.contains(&base)) else {
            let text = format!("There is no field `{name}` here: `{base}` is no reference.");
            return Err(Refused::field(text));
        };
        check_names(&[rest.to_owned()], &fields(to)).map_err(|_| {
            let text = format!(
                "There is no field `{name}` here: `{base}` leads to {}, which has: {}.",
                to.name(),
                fields(to).join(", ")
            );
            Refused::field(text)
        })?;
    }
    let own: Vec<String> = names.iter().filter(|name| !name.contains('.')).cloned().collect();
    check_names(&own, &known)
}

/// Refuses an unknown field.
pub(super) fn check_names(names: &[String], known: &[&str]) -> Result<(), Refused> {
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let text = format!("There is no field `{name}` here. There are: {}.", known.join(", "));
            Err(Refused::field(text))
        }
    }
}

/// Reads the records that the requested fields reach through references of these rows.
pub(super) async fn read_through(asked: &DialectRequest, rows: &[Row], shape: &mut Shape) -> Result<(), Refused> {
    let read = shape.fields.iter().filter_map(|name| name.split_once('.'));
    let bases: BTreeSet<String> = read.map(|(base, _)| base.to_owned()).collect();
    let mut wanted: HashMap<Table, BTreeSet<&str>> = HashMap::new();
    let references = rows
        .iter()
        .flat_map(|row| bases.iter().filter_map(move |base| row.get(base)));
    for field in references {
        if let Some(table) = field.table {
            wanted.entry(table).or_default().insert(&field.value);
        }
    }
    let mut walked = HashMap::new();
    for (table, ids) in wanted {
        let found = match table {
            Table::Change => named(asked, table, &ids.into_iter().collect::<Vec<_>>()).await?,
            _ => candidates(asked, table, &Query::default()).await?,
        };
        walked.extend(
            found
                .into_iter()
                .map(|row| ((table, row.value("sys_id").to_owned()), row)),
        );
    }
    shape.walked = walked;
    Ok(())
}

/// A segment of a path, with every slash escaped.
pub(super) fn segment(text: &str) -> String {
    escaped(text).replace('/', "%2F")
}

/// The records that a query finds, in its order.
pub(super) async fn find(asked: &DialectRequest, table: Table, query: &Query) -> Result<Vec<Row>, Refused> {
    query.check(&fields(table)).map_err(Refused::field)?;
    let mut rows = match query.wanted("sys_id") {
        Some(ids) => named(asked, table, &ids).await?,
        None => candidates(asked, table, query).await?,
    };
    rows.retain(|row| query.finds(row));
    query.sort(&mut rows);
    Ok(rows)
}

async fn named(asked: &DialectRequest, table: Table, ids: &[&str]) -> Result<Vec<Row>, Refused> {
    check_count(ids.len())?;
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(find_one(asked, table, id).await?);
    }
    Ok(rows)
}

fn check_count(count: usize) -> Result<(), Refused> {
    if count > MOST_NAMED {
        return Err(Refused::field(format!("A query names at most {MOST_NAMED} records.")));
    }
    Ok(())
}

/// All records among which a query may find something.
async fn candidates(asked: &DialectRequest, table: Table, query: &Query) -> Result<Vec<Row>, Refused> {
    match table {
        Table::Change => Ok(changes(asked, query).await?.iter().map(change_rows::change).collect()),
        Table::ChangeTask => {
            let key = parent(asked, query, &["change_request", "parent"]).await?;
            let key = key.ok_or_else(|| Refused::field("Tasks are found by their change: query `change_request`."))?;
            Ok(tasks(asked, &key).await?.into_iter().map(|(row, _)| row).collect())
        }
        Table::Approver => approvers(asked, query).await,
        Table::Incident => list(asked, "/incidents", incident).await,
        Table::Problem => list(asked, "/problems", problem).await,
        Table::CmdbCi => {
            let mut rows = list(asked, "/services", service).await?;
            rows.extend(list(asked, "/config-items", config_item).await?);
            Ok(rows)
        }
        Table::SysUser => list(asked, "/people", person).await,
        Table::SysUserGroup => list(asked, "/groups", group).await,
        Table::TemplateVersion => list(asked, "/templates", template).await,
    }
}

async fn list(asked: &DialectRequest, path: &str, row: fn(&Value) -> Row) -> Result<Vec<Row>, Refused> {
    Ok(asked.api.all(path, MOST_READ).await?.iter().map(row).collect())
}

/// The record with this id.
pub(super) async fn find_one(asked: &DialectRequest, table: Table, id: &str) -> Result<Option<Row>, Refused> {
    match (table, sys_id::read(id)) {
        (_, None) => Ok(None),
        (Table::ChangeTask, Some(Named::Part(Part::Task, key))) => {
            let rows = tasks(asked, &key).await?;
            Ok(rows
                .into_iter()
                .map(|(row, _)| row)
                .find(|row| row.value("sys_id") == id))
        }
        (Table::Approver, Some(Named::Part(Part::Approval, key))) => {
            let rows = of_change(asked, &key).await?;
            Ok(rows.into_iter().find(|row| row.value("sys_id") == id))
        }
        (Table::ChangeTask | Table::Approver, _) | (_, Some(Named::Part(..))) => Ok(None),
        (_, Some(Named::Long)) => {
            let rows = candidates(asked, table, &Query::default()).await?;
            Ok(rows.into_iter().find(|row| row.value("sys_id") == id))
        }
        (_, Some(Named::Key(key))) => by_key(asked, table, &key).await,
    }
}

async fn by_key(asked: &DialectRequest, table: Table, key: &str) -> Result<Option<Row>, Refused> {
    let (path, row): (&str, fn(&Value) -> Row) = match table {
        Table::Change => ("/changes", change_rows::change),
        Table::Incident => ("/incidents", incident),
        Table::Problem => ("/problems", problem),
        Table::CmdbCi if key.starts_with(CONFIG_ITEM) => ("/config-items", config_item),
        Table::CmdbCi => ("/services", service),
        Table::SysUserGroup => ("/groups", group),
        Table::TemplateVersion => ("/templates", template),
        // A person is read from the list, which shows no more than others may read.
        Table::SysUser => {
            let rows = list(asked, "/people", person).await?;
            return Ok(rows.into_iter().find(|row| row.value("user_name") == key));
        }
        Table::ChangeTask | Table::Approver => return Ok(None),
    };
    let key = key.trim_start_matches(CONFIG_ITEM);
    let found = asked.api.find(&format!("{path}/{}", segment(key))).await?;
    Ok(found.as_ref().map(row))
}

/// The changes among which a query may find something: conditions that the API knows become filters of its request.
async fn changes(asked: &DialectRequest, query: &Query) -> Result<Vec<Value>, Refused> {
    if let Some(keys) = query.wanted("number") {
        check_count(keys.len())?;
        let mut found = Vec::new();
        for key in keys {
            found.extend(asked.api.find(&format!("/changes/{}", segment(key))).await?);
        }
        return Ok(found);
    }
    let mut path = "/changes?sort=-number".to_owned();
    if let Some(numbers) = query.wanted("state") {
        let states = states_of(&numbers);
        if states.is_empty() {
            return Ok(Vec::new());
        }
        path.push_str(&format!("&state={}", states.join(",")));
    }
    if let Some([id]) = query.wanted("cmdb_ci").as_deref()
        && let Some(Named::Key(key)) = sys_id::read(id)
    {
        path.push_str(&format!("&service={}", segment(&key)));
    }
    asked.api.all(&path, MOST_READ).await
}

/// Our names for states that are named by their numbers.
fn states_of(numbers: &[&str]) -> Vec<&'static str> {
    let found = numbers.iter().flat_map(|number| states::ours(CHANGES, number));
    found.map(State::as_str).collect()
}

/// The key of the change that a query names through one of these fields.
async fn parent(asked: &DialectRequest, query: &Query, fields: &[&str]) -> Result<Option<String>, Refused> {
    for field in fields {
        let through = format!("{field}.number");
        let wanted = query.wanted(field).or_else(|| query.wanted(&through));
        if let Some([name]) = wanted.as_deref() {
            return Ok(Some(change_key(asked, name).await?));
        }
    }
    Ok(None)
}

/// The key of the change that a client names by its id or its number.
pub(super) async fn change_key(asked: &DialectRequest, name: &str) -> Result<String, Refused> {
    let key = match sys_id::read(name) {
        Some(Named::Key(key)) => key,
        _ => name.to_owned(),
    };
    let found = asked.api.find(&format!("/changes/{}", segment(&key))).await?;
    let absent = || Refused::new(404, "not_found", format!("There is no change `{name}`."));
    Ok(text_of(&found.ok_or_else(absent)?["key"]).to_owned())
}

/// The tasks of a change, as rows and as the API shows them. An absent change has none.
pub(super) async fn tasks(asked: &DialectRequest, key: &str) -> Result<Vec<(Row, Value)>, Refused> {
    let found = asked.api.find(&format!("/changes/{}/tasks", segment(key))).await?;
    let items = items_of(&found.unwrap_or_default()["items"]).to_vec();
    let rows = items
        .into_iter()
        .enumerate()
        .map(|(place, it)| (change_rows::task(key, &it, place + 1), it));
    Ok(rows.collect())
}

/// The approvals of a change.
pub(super) async fn of_change(asked: &DialectRequest, key: &str) -> Result<Vec<Row>, Refused> {
    let path = format!("/changes/{}", segment(key));
    match asked.api.find(&path).await? {
        Some(change) => of_view(asked, &change).await,
        None => Ok(Vec::new()),
    }
}

async fn of_view(asked: &DialectRequest, change: &Value) -> Result<Vec<Row>, Refused> {
    let path = format!("/changes/{}/approvals", segment(text_of(&change["key"])));
    let decisions = asked.api.get(&path).await?;
    Ok(change_rows::approvals(change, items_of(&decisions["items"])))
}

/// The approvals of one change, or all that the query matches.
async fn approvers(asked: &DialectRequest, query: &Query) -> Result<Vec<Row>, Refused> {
    if let Some(key) = parent(asked, query, &["sysapproval", "document_id"]).await? {
        return of_change(asked, &key).await;
    }
    if query.wanted("state").as_deref() != Some(["requested"].as_slice()) {
        let text =
            "Approvals are found by their change (`sysapproval`), or all that are asked for (`state=requested`).";
        return Err(Refused::field(text));
    }
    let path = "/changes?state=authorizing,approved,scheduled";
    let mut rows = Vec::new();
    for change in asked.api.all(path, MOST_NAMED).await? {
        rows.extend(of_view(asked, &change).await?);
    }
    Ok(rows)
}

fn first(list: &Value) -> &str {
    items_of(list).first().map_or("", text_of)
}

fn incident(it: &Value) -> Row {
    let state = text_of(&it["state"]).parse().ok();
    let (number, label) = state.map_or(("", ""), |state| states::shown(INCIDENTS, state));
    let severity = it["severity"]
        .as_i64()
        .map_or_else(String::new, |severity| severity.to_string());
    Row(vec![
        Field::text("sys_id", of_key(text_of(&it["key"]))),
        Field::text("number", text_of(&it["key"])),
        Field::text("sys_class_name", "incident"),
        Field::text("short_description", text_of(&it["title"])),
        Field::choice("state", number, label),
        Field::flag("active", matches!(number, "1" | "2")),
        Field::text("severity", severity),
        Field::refers("cmdb_ci", Table::CmdbCi, first(&it["services"])),
        Field::refers("assigned_to", Table::SysUser, text_of(&it["commander"])),
        Field::refers("opened_by", Table::SysUser, text_of(&it["opened_by"])),
        Field::time("opened_at", &it["started_at"]),
        Field::time("resolved_at", &it["resolved_at"]),
        Field::time("closed_at", &it["closed_at"]),
        Field::refers("closed_by", Table::SysUser, text_of(&it["closed_by"])),
        Field::text("correlation_id", text_of(&it["external_ref"])),
        Field::text("sys_mod_count", it["version"].to_string()),
    ])
}

fn problem(it: &Value) -> Row {
    let state = text_of(&it["state"]).parse().ok();
    let (number, label) = state.map_or(("", ""), |state| states::shown(PROBLEMS, state));
    Row(vec![
        Field::text("sys_id", of_key(text_of(&it["key"]))),
        Field::text("number", text_of(&it["key"])),
        Field::text("sys_class_name", "problem"),
        Field::text("short_description", text_of(&it["title"])),
        Field::text("description", text_of(&it["description"])),
        Field::choice("state", number, label),
        Field::flag("active", number != "107"),
        Field::refers("cmdb_ci", Table::CmdbCi, first(&it["services"])),
        Field::refers("rfc", Table::Change, text_of(&it["fix"])),
        Field::text("u_assent_state", text_of(&it["state"])),
        Field::time("opened_at", &it["at"]),
        Field::time("closed_at", &it["closed_at"]),
    ])
}

fn service(it: &Value) -> Row {
    item(text_of(&it["key"]), it, "cmdb_ci_service", text_of(&it["key"]))
}

fn config_item(it: &Value) -> Row {
    let id = format!("{CONFIG_ITEM}{}", text_of(&it["key"]));
    item(&id, it, "cmdb_ci", text_of(&it["service"]))
}

fn item(id: &str, it: &Value, class: &str, service: &str) -> Row {
    Row(vec![
        Field::text("sys_id", of_key(id)),
        Field::text("name", text_of(&it["name"])),
        Field::text("sys_class_name", class),
        Field::text("correlation_id", text_of(&it["key"])),
        Field::text("category", text_of(&it["kind"])),
        Field::text("u_assent_criticality", text_of(&it["criticality"])),
        Field::refers("u_assent_service", Table::CmdbCi, service),
    ])
}

fn person(it: &Value) -> Row {
    Row(vec![
        Field::text("sys_id", of_key(text_of(&it["login"]))),
        Field::text("user_name", text_of(&it["login"])),
        Field::text("name", text_of(&it["name"])),
        Field::text("email", text_of(&it["email"])),
        Field::flag("active", it["active"] != false),
    ])
}

/// A template for standard changes: there, the version of a producer that a change is made by.
fn template(it: &Value) -> Row {
    let (key, state) = (text_of(&it["key"]), text_of(&it["state"]));
    let version = it["template_version"]
        .as_i64()
        .map_or_else(String::new, |version| version.to_string());
    let title = Some(text_of(&it["title"])).filter(|title| !title.is_empty());
    Row(vec![
        Field::text("sys_id", of_key(key)),
        Field::text("name", title.unwrap_or(key)),
        Field::text("sys_class_name", "std_change_producer_version"),
        Field::choice("std_change_producer", of_key(key), key),
        Field::text("version", version),
        Field::flag("active", state == TemplateState::Approved.as_str()),
        Field::time("published_date", &it["approved_at"]),
        Field::text("correlation_id", key),
        Field::text("sys_mod_count", it["version"].to_string()),
        Field::text("u_assent_state", state),
        Field::text("u_assent_digest", text_of(&it["digest"])),
    ])
}

fn group(it: &Value) -> Row {
    Row(vec![
        Field::text("sys_id", of_key(text_of(&it["key"]))),
        Field::text("name", text_of(&it["key"])),
        Field::text("description", text_of(&it["name"])),
        Field::flag("active", it["removed"] != true),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::servicenow::table::TABLES;

    #[test]
    fn every_table_has_an_id_and_fields_without_doubles() {
        for (table, name) in TABLES {
            let mut fields = fields(*table);
            assert!(fields.contains(&"sys_id"), "{name}");
            let count = fields.len();
            fields.sort_unstable();
            fields.dedup();
            assert_eq!(fields.len(), count, "{name}");
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_refused_by_name_also_through_a_reference() {
        let check = |name: &str| check_shown(&["number".to_owned(), name.to_owned()], Table::Change);
        for name in [
            "state",
            "requested_by.name",
            "cmdb_ci.name",
            "assignment_group.description",
        ] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in [
            "shoe_size",
            "requested_by.shoe_size",
            "state.name",
            "cmdb_ci.u_assent_service.name",
        ] {
            let text = check(name).expect_err("it is not known").text;
            assert!(text.contains(&format!("`{name}`")), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_path_stays_within_it() {
        assert_eq!(segment("CHG-1"), "CHG-1");
        assert_eq!(segment("CHG-1/closure?x"), "CHG-1%2Fclosure%3Fx");
    }

    #[test]
    fn states_are_asked_by_our_words() {
        assert_eq!(states_of(&["-3", "0"]), ["authorizing", "approved", "reviewing"]);
        assert!(states_of(&["17"]).is_empty());
    }

    #[test]
    fn a_service_and_a_config_item_with_one_key_have_two_ids() {
        let it = json!({"key": "web", "service": "web", "name": "Web"});
        assert_ne!(service(&it).value("sys_id"), config_item(&it).value("sys_id"));
    }
}

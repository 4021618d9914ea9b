//! Clients of ServiceNow: the Table API and the Change Management API.
//!
//! Sources: "Table API", "Change Management API" and "Operators available for filters and queries" of ServiceNow's developer reference.

mod attachments;
mod change_acts;
mod change_management;
mod change_rows;
pub(super) mod devops;
mod encoded_query;
mod fields;
mod foreign_names;
mod rows;
mod schedule;
mod states;
mod sys_id;
mod table;
mod tables;
mod write;

use std::collections::HashMap;

use axum::http::Method;
use serde_json::{Value, json};

use super::api::Refused;
use super::{DialectRequest, DialectResponse};
use encoded_query::Query;
use rows::{Row, Shape, Show};
use table::Table;
use tables::{check_shown, find, find_one, read_through};

/// The number of records shown by default, and the most.
const MOST_SHOWN: usize = 10_000;
/// Parameters that are read, beside those of paging.
const PARAMETERS: &[&str] = &[
    "sysparm_query",
    "sysparm_fields",
    "sysparm_limit",
    "sysparm_offset",
    "sysparm_display_value",
    "sysparm_exclude_reference_link",
    "sysparm_suppress_pagination_header",
    // These change nothing here: there are no views, and no query is counted without its records.
    "sysparm_view",
    "sysparm_no_count",
    "sysparm_input_display_value",
    "sysparm_query_no_domain",
    "sysparm_query_category",
];

/// Answers a request.
pub(super) async fn answer(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let path = asked.path.trim_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let answered = match parts.as_slice() {
        ["api", "now", rest @ ..] => match versionless(rest) {
            ["attachment", rest @ ..] => attachments::answer(asked, rest).await,
            rest => table(asked, rest).await,
        },
        ["api", "sn_chg_rest", rest @ ..] => change_management::answer(asked, versionless(rest)).await,
        _ => Err(nothing()),
    };
    answered.map_err(|why| foreign_names::renamed(why, foreign_names::table_of(&asked.path)))
}

/// Whether the body of a request is a file.
pub(super) fn takes_file(method: &Method, path: &str) -> bool {
    let path = path.trim_matches('/');
    let rest = path.strip_prefix("api/now/").unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').collect();
    method == Method::POST && versionless(&parts) == ["attachment", "file"]
}

/// A refusal in the form of ServiceNow, with our reason.
pub(super) fn refusal(why: &Refused) -> Value {
    let message = match why.status {
        401 => "User Not Authenticated",
        403 => "Operation Failed: not allowed",
        404 => "No Record found",
        _ => "Operation Failed",
    };
    let detail = format!("{} ({})", why.text, why.code);
    json!({"error": {"message": message, "detail": detail}, "status": "failure"})
}

/// A path without the version of the API: all versions behave alike.
fn versionless<'p, 'q>(parts: &'p [&'q str]) -> &'p [&'q str] {
    match parts {
        [version, rest @ ..] if matches!(*version, "v1" | "v2") => rest,
        _ => parts,
    }
}

fn nothing() -> Refused {
    let text =
        "This address is not answered here. There are the Table API, the Attachment API and the Change Management API.";
    Refused::new(404, "not_found", text)
}

fn wrong_method() -> Refused {
    Refused::new(
        405,
        "method_not_allowed",
        "This address does not take this method here.",
    )
}

async fn table(asked: &DialectRequest, parts: &[&str]) -> Result<DialectResponse, Refused> {
    let (table, id) = match parts {
        ["table", name] => (Table::named(name)?, None),
        ["table", name, id] => (Table::named(name)?, Some(*id)),
        _ => return Err(nothing()),
    };
    let shape = shape(asked)?;
    check_shown(&shape.fields, table)?;
    match (&asked.method, id) {
        (&Method::GET, None) => list(asked, table, shape).await,
        (&Method::GET, Some(id)) => {
            let found = find_one(asked, table, id).await?;
            whole(asked, 200, &found.ok_or_else(|| write::absent(table))?, shape).await
        }
        (&Method::POST, None) => {
            let row = write::create(asked, table).await?;
            let mut answered = whole(asked, 201, &row, shape).await?;
            let place = format!("{}/api/now/table/{}/{}", asked.base, table.name(), row.value("sys_id"));
            answered.headers.push(("location", place));
            Ok(answered)
        }
        (&Method::PUT | &Method::PATCH, Some(id)) => {
            let row = write::update(asked, table, id).await?;
            whole(asked, 200, &row, shape).await
        }
        (&Method::DELETE, Some(_)) => {
            let text = "Nothing is deleted here: cancel a change or a task by its state.";
            Err(Refused::new(405, "not_deleted", text))
        }
        _ => Err(wrong_method()),
    }
}

/// A record with the requested fields of its references.
async fn whole(asked: &DialectRequest, status: u16, row: &Row, mut shape: Shape) -> Result<DialectResponse, Refused> {
    read_through(asked, std::slice::from_ref(row), &mut shape).await?;
    one(status, row, &shape)
}

fn one(status: u16, row: &Row, shape: &Shape) -> Result<DialectResponse, Refused> {
    Ok(DialectResponse::new(status, json!({"result": row.shown(shape)})))
}

/// How records are to be shown.
///
/// # Errors
/// A parameter that is not supported.
fn shape(asked: &DialectRequest) -> Result<Shape, Refused> {
    let unknown = asked
        .query
        .iter()
        .find(|(name, _)| !PARAMETERS.contains(&name.as_str()));
    if let Some((name, _)) = unknown {
        let text = format!(
            "The parameter `{name}` is not answered here. There are: {}.",
            PARAMETERS.join(", ")
        );
        return Err(Refused::field(text));
    }
    let is_true = |name: &str| asked.query(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let show = match asked.query("sysparm_display_value").map(str::to_lowercase).as_deref() {
        None | Some("false") => Show::Values,
        Some("true") => Show::Displays,
        Some("all") => Show::Both,
        Some(_) => return Err(Refused::field("`sysparm_display_value` is `true`, `false` or `all`.")),
    };
    let fields = asked.query("sysparm_fields").unwrap_or_default();
    let fields = fields.split(',').map(str::trim).filter(|name| !name.is_empty());
    Ok(Shape {
        show,
        fields: fields.map(str::to_owned).collect(),
        links: (!is_true("sysparm_exclude_reference_link")).then(|| asked.base.clone()),
        walked: HashMap::new(),
    })
}

fn count(asked: &DialectRequest, name: &str, usual: usize) -> Result<usize, Refused> {
    let wrong = |_| Refused::field(format!("`{name}` is a number that is not negative."));
    asked.query(name).map_or(Ok(usual), |text| text.parse().map_err(wrong))
}

/// The query of a request.
fn query(asked: &DialectRequest) -> Result<Query, Refused> {
    encoded_query::read(asked.query("sysparm_query").unwrap_or_default()).map_err(Refused::field)
}

async fn list(asked: &DialectRequest, table: Table, mut shape: Shape) -> Result<DialectResponse, Refused> {
    let limit = count(asked, "sysparm_limit", MOST_SHOWN)?.min(MOST_SHOWN);
    let offset = count(asked, "sysparm_offset", 0)?;
    let rows = find(asked, table, &query(asked)?).await?;
    let total = rows.len();
    let page: Vec<Row> = rows.into_iter().skip(offset).take(limit).collect();
    read_through(asked, &page, &mut shape).await?;
    let page: Vec<Value> = page.iter().map(|row| row.shown(&shape)).collect();
    let mut answered = DialectResponse::new(200, json!({"result": page}));
    answered.headers.push(("x-total-count", total.to_string()));
    let is_quiet = asked
        .query("sysparm_suppress_pagination_header")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if !is_quiet && limit > 0 {
        answered.headers.push(("link", links(asked, total, limit, offset)));
    }
    Ok(answered)
}

/// The addresses of the pages around one (RFC 8288).
fn links(asked: &DialectRequest, total: usize, limit: usize, offset: usize) -> String {
    let address = |offset: usize, relation: &str| {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        let others = asked
            .query
            .iter()
            .filter(|(name, _)| name != "sysparm_offset" && name != "sysparm_limit");
        pairs.extend_pairs(others);
        pairs.append_pair("sysparm_limit", &limit.to_string());
        pairs.append_pair("sysparm_offset", &offset.to_string());
        format!("<{}{}?{}>;rel=\"{relation}\"", asked.base, asked.path, pairs.finish())
    };
    let last = total.saturating_sub(1) / limit * limit;
    let mut found = vec![address(0, "first")];
    if offset > 0 {
        found.push(address(offset.saturating_sub(limit), "prev"));
    }
    if offset + limit < total {
        found.push(address(offset + limit, "next"));
    }
    found.push(address(last, "last"));
    found.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_form_there_and_the_reason_here() {
        let why = Refused::new(409, "not_in_state", "CHG-1 is New.");
        assert_eq!(
            refusal(&why),
            json!({"error": {"message": "Operation Failed", "detail": "CHG-1 is New. (not_in_state)"}, "status": "failure"})
        );
    }

    #[test]
    fn only_an_attachment_comes_as_a_file() {
        assert!(takes_file(&Method::POST, "/api/now/attachment/file"));
        assert!(takes_file(&Method::POST, "/api/now/v1/attachment/file"));
        assert!(!takes_file(&Method::GET, "/api/now/attachment/file"));
        assert!(!takes_file(&Method::POST, "/api/now/table/change_request"));
        assert!(!takes_file(&Method::POST, "/api/sn_chg_rest/change"));
    }

    #[test]
    fn a_version_in_the_path_changes_nothing() {
        assert_eq!(versionless(&["v2", "table", "incident"]), ["table", "incident"]);
        assert_eq!(versionless(&["table", "incident"]), ["table", "incident"]);
    }
}

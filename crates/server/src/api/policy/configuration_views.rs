//! Policies and tables in the form of responses.

use acts::Context;
use acts::policy::{configurations, propose_ownership};
use model::core::enums;
use model::directory::snapshot::Directory;
use model::policy::configuration::Configuration;
use model::risk::assessment::RiskTable;
use serde_json::{Value, json};
use wire::views;

use crate::http::route::Reply;

pub(crate) fn created(cx: &mut Context<'_, '_>, made: &Configuration) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    Ok(Reply::created(brief(made, &directory)).tagged(made.version))
}

/// Without the files.
pub(crate) fn brief(row: &Configuration, directory: &Directory) -> Value {
    let mut value = whole(row, directory);
    if let Value::Object(map) = &mut value {
        map.remove("files");
        map.remove("cases");
    }
    value
}

pub(crate) fn whole(row: &Configuration, directory: &Directory) -> Value {
    let mut value = views::shown(row, directory);
    if let Value::Object(map) = &mut value {
        map.remove("text");
    }
    // Views leave digests of secrets out; this digest is shown, because approvers decide about it.
    value["digest"] = json!(row.digest);
    if let Some(text) = &row.text {
        // Stored apart from the policy files, which contain no names of people, and shown as one of the files.
        value["files"] = json!([{"path": propose_ownership::FILE, "content": text}]);
    }
    for (field, person) in [
        ("proposer", Some(&row.proposer)),
        ("activated_by", row.activated_by.as_ref()),
    ] {
        if let Some(person) = person {
            value[field] = json!(directory.login(person));
        }
    }
    if let Some(table) = &row.table {
        value["table"] = table_view(table);
    }
    if let Some(terms) = &row.terms {
        value["terms"] = json!(terms);
    }
    if let Some(table) = &row.slas {
        value["slas"] = configurations::sla_view(table);
    }
    value
}

/// Rows are the highest impact, columns the complexity.
pub(crate) fn table_view(table: &RiskTable) -> Value {
    let row = |cells: &[enums::Level; 3]| json!({"low": cells[0], "medium": cells[1], "high": cells[2]});
    let [none, low, medium, high] = &table.0;
    json!({"none": row(none), "low": row(low), "medium": row(medium), "high": row(high)})
}

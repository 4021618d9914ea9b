//! The Attachment API: files of a change, which are its evidence here. A file that a client attaches states no result, so it satisfies
//! no rule by itself.
//!
//! Source: "Attachment API" of ServiceNow's developer reference.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::{Value, json};

use super::rows::{Field, Row};
use super::sys_id::{self, Named, Part, of_key, of_part};
use super::table::Table;
use super::tables::{change_key, check_names, segment};
use super::{Shape, Show, count, nothing, one, query, shape, wrong_method};
use crate::dialects::api::{Refused, Upload, items_of, text_of};
use crate::dialects::{DialectRequest, DialectResponse};

/// The most records of a page.
const MOST_SHOWN: usize = 1_000;
/// The longest name of a file, in characters.
const NAME: usize = 200;
/// Evidence that is no file.
const TEXTS: &[&str] = &["note", "probe", "waiver"];

/// Serves a request; `parts` is the path behind the name of the API.
pub(super) async fn answer(asked: &DialectRequest, parts: &[&str]) -> Result<DialectResponse, Refused> {
    match (&asked.method, parts) {
        (&Method::GET, []) => list(asked).await,
        (&Method::POST, ["file"]) => attach(asked).await,
        (&Method::POST, ["upload"]) => {
            let text = "Forms are not taken here. Send the file as the body of `/api/now/attachment/file`.";
            Err(Refused::new(405, "method_not_allowed", text))
        }
        (&Method::GET, [id]) => {
            let shape = shape(asked)?;
            check_names(&shape.fields, &names())?;
            let (row, _, _) = find(asked, id).await?;
            one(200, &row, &shape)
        }
        (&Method::GET, [id, "file"]) => file(asked, id).await,
        (&Method::DELETE, [_]) => {
            let text = "Nothing is deleted here: evidence stays with its change.";
            Err(Refused::new(405, "not_deleted", text))
        }
        (_, [] | [_] | [_, "file"]) => Err(wrong_method()),
        _ => Err(nothing()),
    }
}

/// The fields of an attachment.
fn names() -> Vec<&'static str> {
    let fields = row("", &Value::Null, "").0;
    fields.iter().map(|field| field.name).collect()
}

/// A piece of evidence as a row; `base` is the address of this server.
fn row(change: &str, it: &Value, base: &str) -> Row {
    let id = of_part(Part::Attachment, change, text_of(&it["id"]));
    let link = format!("{base}/api/now/attachment/{id}/file");
    let size = it["size"].as_i64().map_or_else(String::new, |size| size.to_string());
    Row(vec![
        Field::text("sys_id", id),
        Field::text("file_name", text_of(&it["name"])),
        Field::text("content_type", text_of(&it["media_type"])),
        Field::text("size_bytes", size),
        Field::text("table_name", Table::Change.name()),
        Field::text("table_sys_id", of_key(change)),
        Field::text("download_link", link),
        Field::text("hash", text_of(&it["file_digest"]).trim_start_matches("sha256:")),
        Field::text("sys_created_by", text_of(&it["by"])),
        Field::time("sys_created_on", &it["at"]),
    ])
}

/// The files of a change, each as a row and with the id of its evidence.
async fn of_change(asked: &DialectRequest, key: &str) -> Result<Vec<(Row, String)>, Refused> {
    let found = asked.api.get(&format!("/changes/{}/evidence", segment(key))).await?;
    let is_file = |it: &&Value| !TEXTS.contains(&text_of(&it["kind"])) && it["file_erased_at"].is_null();
    let rows = items_of(&found["items"]).iter().filter(is_file);
    Ok(rows
        .map(|it| (row(key, it, &asked.base), text_of(&it["id"]).to_owned()))
        .collect())
}

fn absent() -> Refused {
    Refused::new(404, "not_found", "No attachment has this id.")
}

/// The attachment with this id, with its change and the id of its evidence.
async fn find(asked: &DialectRequest, id: &str) -> Result<(Row, String, String), Refused> {
    let Some(Named::Part(Part::Attachment, named)) = sys_id::read(id) else {
        return Err(absent());
    };
    let key = change_key(asked, &named).await?;
    let rows = of_change(asked, &key).await?;
    let found = rows
        .into_iter()
        .find(|(row, _)| row.value("sys_id").eq_ignore_ascii_case(id));
    let (row, evidence) = found.ok_or_else(absent)?;
    Ok((row, key, evidence))
}

async fn list(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let (query, shape) = (query(asked)?, shape(asked)?);
    query.check(&names()).map_err(Refused::field)?;
    check_names(&shape.fields, &names())?;
    let wanted = query.wanted("table_sys_id");
    let Some([id]) = wanted.as_deref() else {
        let text = "Attachments are found by their change: query one `table_sys_id`.";
        return Err(Refused::field(text));
    };
    let mut rows = match change_key(asked, id).await {
        Ok(key) => of_change(asked, &key).await?,
        // A record of another table has none here.
        Err(why) if why.status == 404 => Vec::new(),
        Err(why) => return Err(why),
    };
    rows.retain(|(row, _)| query.finds(row));
    let mut rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
    query.sort(&mut rows);
    let limit = count(asked, "sysparm_limit", MOST_SHOWN)?.min(MOST_SHOWN);
    let offset = count(asked, "sysparm_offset", 0)?;
    let page = rows.iter().skip(offset).take(limit).map(|row| row.shown(&shape));
    let mut answered = DialectResponse::new(200, json!({"result": page.collect::<Vec<Value>>()}));
    answered.headers.push(("x-total-count", rows.len().to_string()));
    Ok(answered)
}

/// Attaches the body to the change that the query names.
async fn attach(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let needed = |name: &str| {
        let absent = || {
            Refused::field(format!(
                "`{name}` is needed: `table_name`, `table_sys_id` and `file_name`."
            ))
        };
        asked.query(name).ok_or_else(absent)
    };
    let (table, id, name) = (needed("table_name")?, needed("table_sys_id")?, needed("file_name")?);
    if table != Table::Change.name() {
        let text = format!("Files are attached to `change_request` here, not to `{table}`.");
        return Err(Refused::field(text));
    }
    if name.chars().count() > NAME || name.chars().any(char::is_control) {
        return Err(Refused::field(format!(
            "`file_name` is one line of at most {NAME} characters."
        )));
    }
    let Some(file) = &asked.file else {
        return Err(Refused::field("The body is the file, and it is empty."));
    };
    let key = change_key(asked, id).await?;
    let upload = Upload {
        fields: &[
            ("kind", "file"),
            ("aspect", "other"),
            ("result", "informational"),
            ("name", name),
        ],
        media_type: &file.media_type,
        bytes: &file.bytes,
    };
    let made = asked
        .api
        .upload(&format!("/changes/{}/evidence", segment(&key)), &upload)
        .await;
    let made = made.map_err(|why| why.renamed("name", "file_name"))?;
    let row = row(&key, &made, &asked.base);
    let place = row.value("download_link").trim_end_matches("/file").to_owned();
    let whole = Shape {
        show: Show::Values,
        fields: Vec::new(),
        links: None,
        walked: HashMap::new(),
    };
    let mut answered = one(201, &row, &whole)?;
    answered.headers.push(("location", place));
    Ok(answered)
}

/// The content of a file, as an attachment that no browser opens by itself.
async fn file(asked: &DialectRequest, id: &str) -> Result<DialectResponse, Refused> {
    let (row, key, evidence) = find(asked, id).await?;
    let path = format!("/changes/{}/evidence/{}/file", segment(&key), segment(&evidence));
    let (bytes, disposition) = asked.api.download(&path).await?;
    let mut answered = DialectResponse::new(200, Value::Null);
    answered.bytes = Some(bytes);
    answered
        .headers
        .push(("content-type", "application/octet-stream".to_owned()));
    answered.headers.push(("content-disposition", disposition));
    answered.headers.push(("x-content-type-options", "nosniff".to_owned()));
    answered.headers.push((
        "x-attachment-metadata",
        json!({"sys_id": row.value("sys_id"), "size_bytes": row.value("size_bytes")}).to_string(),
    ));
    Ok(answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_names_its_change_and_its_file() {
        let it = json!({"id": "e1", "name": "log.txt", "media_type": "text/plain", "size": 4, "file_digest": "sha256:ab", "by": "ada"});
        let row = row("CHG-7", &it, "http://here");
        assert_eq!(row.value("table_sys_id"), of_key("CHG-7"));
        assert_eq!(row.value("hash"), "ab");
        assert_eq!(row.value("size_bytes"), "4");
        let id = row.value("sys_id");
        assert_eq!(
            sys_id::read(id),
            Some(Named::Part(Part::Attachment, "CHG-7".to_owned()))
        );
        assert_eq!(
            row.value("download_link"),
            format!("http://here/api/now/attachment/{id}/file")
        );
    }
}

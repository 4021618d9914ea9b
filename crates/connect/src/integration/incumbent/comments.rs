//! Reads and writes the comments of a copy. Only public ones are read: the additional comments of ServiceNow and not its work
//! notes, and those comments of Jira that everybody sees who sees the issue.

use model::core::enums::ForeignKind;
use model::core::percent::encoded;
use model::integration::foreign_comment::ReceivedComment;
use model::integration::foreign_system::ForeignSystem;
use serde_json::{Value, json};

use super::jira_copy::document;
use super::servicenow::raw;
use super::{SystemReader, Unread, jira, kept, key, servicenow};
use crate::socket::call::Caller;

/// How many comments are read, the newest first. Older ones were read before.
const READ: usize = 100;
/// How many are read where so many were too long.
const READ_OF_LONG: usize = 10;

/// Reads the newest public comments of a copy.
///
/// # Errors
/// Why they were not read.
pub fn read(
    caller: &Caller,
    system: &ForeignSystem,
    credential: Option<&[u8]>,
    copy: &str,
) -> Result<Vec<ReceivedComment>, Unread> {
    let asking = SystemReader {
        caller,
        system,
        credential,
        base: system.url.trim_end_matches('/'),
    };
    let Some(id) = key(copy) else { return Ok(Vec::new()) };
    match newest(&asking, &id, READ) {
        Err(Unread::TooLong) => newest(&asking, &id, READ_OF_LONG),
        read => read,
    }
}

fn newest(asking: &SystemReader<'_>, id: &str, most: usize) -> Result<Vec<ReceivedComment>, Unread> {
    let (path, list) = match asking.system.kind {
        ForeignKind::Servicenow => {
            let query = encoded(&format!(
                "element_id={id}^element=comments^ORDERBYDESCsys_created_on^ORDERBYDESCsys_id"
            ));
            let path = format!(
                "/api/now/table/sys_journal_field?sysparm_query={query}\
                 &sysparm_fields=sys_id,element,value,sys_created_by,sys_created_on&sysparm_limit={most}&sysparm_offset=0"
            );
            (path, "result")
        }
        ForeignKind::Jira => {
            let path = format!("/rest/api/3/issue/{id}/comment?orderBy=-created&startAt=0&maxResults={most}");
            (path, "comments")
        }
    };
    let answer = asking.ask("GET", &path, None)?;
    let Some(rows) = answer[list].as_array() else {
        return Err(Unread::Failed(format!("Its answer has no `{list}`.")));
    };
    let read = rows.iter().take(most).filter_map(|row| match asking.system.kind {
        ForeignKind::Servicenow => of_journal(row),
        ForeignKind::Jira => of_issue(row),
    });
    Ok(read.collect())
}

/// An entry of a journal there; `None` for a work note, or where it cannot be read.
fn of_journal(row: &Value) -> Option<ReceivedComment> {
    if raw(row, "element") != "comments" {
        return None;
    }
    Some(ReceivedComment {
        there: key(&raw(row, "sys_id"))?,
        author: kept(&raw(row, "sys_created_by")).unwrap_or_else(|| "-".to_owned()),
        text: raw(row, "value"),
        edited_at: servicenow::moment(&raw(row, "sys_created_on"))?,
    })
}

/// A comment of an issue; `None` for one that is restricted or internal, or where it cannot be read.
fn of_issue(row: &Value) -> Option<ReceivedComment> {
    if row["jsdPublic"] == false || !row["visibility"].is_null() {
        return None;
    }
    let edited_at = jira::moment(&row["updated"]).or_else(|| jira::moment(&row["created"]))?;
    let is_edited = row["updated"] != row["created"] && row["updateAuthor"].is_object();
    let author = if is_edited {
        &row["updateAuthor"]
    } else {
        &row["author"]
    };
    let name = ["displayName", "emailAddress"]
        .iter()
        .find_map(|name| author[*name].as_str());
    Some(ReceivedComment {
        there: row["id"].as_str().and_then(key)?,
        author: kept(name.unwrap_or_default()).unwrap_or_else(|| "-".to_owned()),
        text: plain(&row["body"]),
        edited_at,
    })
}

/// The text of a document in Jira's format, a line for each of its paragraphs.
fn plain(body: &Value) -> String {
    let mut text = String::new();
    add_plain(body, &mut text);
    text.trim().to_owned()
}

fn add_plain(node: &Value, text: &mut String) {
    if let Some(plain) = node.as_str() {
        return text.push_str(plain);
    }
    let kind = node["type"].as_str().unwrap_or_default();
    let named = ["text", "shortName", "url"]
        .iter()
        .find_map(|name| node["attrs"][*name].as_str());
    match kind {
        "text" => text.push_str(node["text"].as_str().unwrap_or_default()),
        "hardBreak" => text.push('\n'),
        _ => text.push_str(named.unwrap_or_default()),
    }
    for part in node["content"].as_array().into_iter().flatten() {
        add_plain(part, text);
    }
    let is_block = matches!(kind, "paragraph" | "heading" | "codeBlock" | "tableRow" | "rule");
    if is_block && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Writes a comment on a copy.
///
/// # Errors
/// Why it was not written.
pub fn write(
    caller: &Caller,
    system: &ForeignSystem,
    credential: Option<&[u8]>,
    (copy, text): (&str, &str),
) -> Result<(), Unread> {
    let asking = SystemReader {
        caller,
        system,
        credential,
        base: system.url.trim_end_matches('/'),
    };
    let Some(id) = key(copy) else {
        return Err(Unread::Failed("The copy has no id.".to_owned()));
    };
    match system.kind {
        ForeignKind::Servicenow => {
            let path = format!("/api/now/table/change_request/{id}?sysparm_fields=sys_id");
            asking.tell("PATCH", &path, Some(&json!({"comments": text})))
        }
        ForeignKind::Jira => {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let path = format!("/rest/api/3/issue/{id}/comment");
            asking.tell("POST", &path, Some(&json!({"body": document(&lines)})))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn work_notes_and_restricted_comments_are_not_read() {
        let entry = |element: &str| {
            json!({"sys_id": "e1", "element": element, "value": "Fine.", "sys_created_by": "ada",
                "sys_created_on": "2026-11-28 10:00:00"})
        };
        assert_eq!(of_journal(&entry("comments")).unwrap().author, "ada");
        assert_eq!(of_journal(&entry("work_notes")), None);
        let comment = |more: Value| {
            let mut row = json!({"id": "7", "author": {"displayName": "Ada Lovelace"}, "body": "Fine.",
                "created": "2026-11-28T10:00:00.000+0000", "updated": "2026-11-28T10:00:00.000+0000"});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        assert_eq!(
            of_issue(&comment(json!({"jsdPublic": true}))).unwrap().author,
            "Ada Lovelace"
        );
        for hidden in [
            json!({"jsdPublic": false}),
            json!({"visibility": {"type": "role", "value": "Admins"}}),
        ] {
            assert_eq!(of_issue(&comment(hidden.clone())), None, "{hidden}");
        }
        let edited = json!({"updated": "2026-11-28T11:00:00.000+0000", "updateAuthor": {"displayName": "Bob"}});
        assert_eq!(of_issue(&comment(edited)).unwrap().author, "Bob");
    }

    #[test]
    fn a_document_reads_as_its_lines() {
        let lines = [
            "Ada in Assent (comment k1):".to_owned(),
            String::new(),
            "two".to_owned(),
        ];
        assert_eq!(plain(&document(&lines)), "Ada in Assent (comment k1):\ntwo");
        let more = json!({"type": "doc", "content": [
            {"type": "bulletList", "content": [{"type": "listItem", "content": [
                {"type": "paragraph", "content": [{"type": "mention", "attrs": {"id": "x", "text": "@Ada"}},
                    {"type": "text", "text": " is "}, {"type": "hardBreak"}, {"type": "text", "text": "right"}]}]}]},
            {"type": "paragraph", "content": [{"type": "inlineCard", "attrs": {"url": "https://x.example"}}]}]});
        assert_eq!(plain(&more), "@Ada is \nright\nhttps://x.example");
        assert_eq!(plain(&Value::Null), "");
    }
}

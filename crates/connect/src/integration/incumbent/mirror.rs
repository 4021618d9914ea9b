//! Writes the copy of a change into ServiceNow's Table API, or as an issue of Jira (`jira_copy`). A copy is looked up by its
//! mark before it is made, so that a lost response makes no second one.

use model::core::enums::ForeignKind;
use model::core::percent::encoded;
use model::integration::foreign_mirror::ORIGIN;
use model::integration::foreign_system::ForeignSystem;
use serde_json::{Map, Value, json};

use super::servicenow::{moment, raw};
use super::{Copied, SystemReader, Unread, Written, jira_copy, key};
use crate::socket::call::Caller;

/// The fields requested in a response.
const ANSWERED: &str = "sysparm_fields=sys_id,number,sys_updated_on,sys_created_by&sysparm_exclude_reference_link=true";

/// Writes the copy of a change: the record with this id, else the marked record of the credential's account, else a new one.
/// Anybody there can put the mark on a record of their own: such a record is never overwritten.
///
/// # Errors
/// Why it was not written.
pub fn write(
    caller: &Caller,
    system: &ForeignSystem,
    credential: Option<&[u8]>,
    (known, copy): (Option<&str>, &Copied<'_>),
) -> Result<Written, Unread> {
    let asking = SystemReader {
        caller,
        system,
        credential,
        base: system.url.trim_end_matches('/'),
    };
    if system.kind == ForeignKind::Jira {
        return jira_copy::write(&asking, known, copy);
    }
    let id = match known.and_then(key) {
        Some(id) => Some(id),
        None => marked(&asking, copy.change)?,
    };
    let body: Map<String, Value> = copy
        .fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let body = Value::Object(body);
    let answer = match id {
        Some(id) => asking.ask(
            "PATCH",
            &format!("/api/now/table/change_request/{id}?{ANSWERED}"),
            Some(&body),
        )?,
        None => asking.ask(
            "POST",
            &format!("/api/now/table/change_request?{ANSWERED}"),
            Some(&body),
        )?,
    };
    let written = written(&answer["result"]);
    written.ok_or_else(|| Unread::Failed("Its answer names no record that was written.".to_owned()))
}

/// The id of the copy that carries the mark of a change and was made by our own account: the response to its creation was lost.
fn marked(asking: &SystemReader<'_>, change: &str) -> Result<Option<String>, Unread> {
    let account = account(asking.credential);
    let query = encoded(&mark(change, account.as_deref()));
    let path =
        format!("/api/now/table/change_request?sysparm_query={query}&sysparm_limit=2&sysparm_offset=0&{ANSWERED}");
    let answer = asking.ask("GET", &path, None)?;
    let Some(rows) = answer["result"].as_array() else {
        return Err(Unread::Failed("Its answer has no `result`.".to_owned()));
    };
    own(rows, account.as_deref(), change)
}

/// The login in a credential, if there is one.
fn account(credential: Option<&[u8]>) -> Option<String> {
    let text = String::from_utf8(credential?.to_vec()).ok()?;
    let (login, _) = text.split_once(':')?;
    // Another part of the query would begin there.
    (!login.is_empty() && !login.contains('^')).then(|| login.to_owned())
}

fn mark(change: &str, account: Option<&str>) -> String {
    let by = account
        .map(|login| format!("^sys_created_by={login}"))
        .unwrap_or_default();
    format!("correlation_id={change}^correlation_display={ORIGIN}{by}^ORDERBYsys_id")
}

/// The marked record that our account made. Without a known account no record counts as ours.
fn own(rows: &[Value], account: Option<&str>, change: &str) -> Result<Option<String>, Unread> {
    let Some(account) = account else {
        if rows.is_empty() {
            return Ok(None);
        }
        return Err(Unread::Failed(format!(
            "A record there says that it is the copy of {change}, and by a credential without a login it is not known who made it."
        )));
    };
    let is_own = |row: &&Value| raw(row, "sys_created_by").eq_ignore_ascii_case(account);
    let mut found = rows.iter().filter(is_own);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => Ok(key(&raw(one, "sys_id"))),
        _ => Err(Unread::Failed(format!(
            "Several records there say that they are the copy of {change}."
        ))),
    }
}

fn written(row: &Value) -> Option<Written> {
    Some(Written {
        natural_key: key(&raw(row, "sys_id"))?,
        key: key(&raw(row, "number"))?,
        edited_at: moment(&raw(row, "sys_updated_on"))?,
        problem: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_ours_by_its_mark_and_by_who_made_it() {
        let row = |id: &str, by: &str| json!({"sys_id": id, "sys_created_by": by});
        let found = |rows: &[Value], account: Option<&str>| own(rows, account, "CHG-1");
        assert_eq!(found(&[row("a1", "Writer")], Some("writer")), Ok(Some("a1".to_owned())));
        assert_eq!(
            found(&[row("a1", "mallory")], Some("writer")),
            Ok(None),
            "it was planted"
        );
        assert_eq!(
            found(&[row("a1", "mallory"), row("b2", "writer")], Some("writer")),
            Ok(Some("b2".to_owned()))
        );
        assert!(found(&[row("a1", "writer"), row("b2", "writer")], Some("writer")).is_err());
        assert!(found(&[row("a1", "mallory")], None).is_err());
        assert_eq!(found(&[], None), Ok(None));
        assert_eq!(account(Some(&b"writer:hush"[..])).as_deref(), Some("writer"));
        for none in ["a-token", ":hush", "a^NQb:hush"] {
            assert_eq!(account(Some(none.as_bytes())), None);
        }
        assert_eq!(account(None), None);
        let asked = mark("CHG-1", Some("writer"));
        assert_eq!(
            asked,
            "correlation_id=CHG-1^correlation_display=Assent^sys_created_by=writer^ORDERBYsys_id"
        );
    }

    #[test]
    fn an_answer_names_what_was_written_or_is_none() {
        let row = json!({"sys_id": "a1", "number": "CHG0030001", "sys_updated_on": "2026-11-28 10:00:00"});
        let found = written(&row).map(|it| (it.natural_key, it.key, it.edited_at.to_string()));
        let wanted = (
            "a1".to_owned(),
            "CHG0030001".to_owned(),
            "2026-11-28T10:00:00Z".to_owned(),
        );
        assert_eq!(found, Some(wanted));
        for bad in [
            json!({}),
            json!({"sys_id": "a^b", "number": "C", "sys_updated_on": "2026-11-28 10:00:00"}),
        ] {
            assert_eq!(written(&bad), None, "{bad}");
        }
    }
}

//! Renews the codes of a tenant's rows, for data that was restored without them: a backup of a version before codes, or
//! rows that other tools moved. The caller has replayed the whole log without a difference, so the rows match the log.
//! Two people are accountable for the renewal, and the log records it. It gives a holder of the master key nothing new:
//! that key can forge codes anyway.

use model::core::enums::Role;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use serde_json::json;
use store::code_rows::code_all;
use store::identity::{secrets, session};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};
use crate::guard::session_end;

/// The event that records it.
pub const RENEWED: &str = "log.codes_renewed";
/// The roles of the two people; one of them is an administrator.
const ROLES: [Role; 3] = [Role::Admin, Role::Auditor, Role::Security];
/// How many sessions are ended at once.
const SESSIONS: i64 = 500;

/// A person accountable for it, with the hash that their password must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answerer {
    /// The person.
    pub person: PersonId,
    /// The hash of their password (PHC string). A replay has compared it with the log.
    pub hash: String,
}

/// The two people by their logins.
///
/// # Errors
/// 422 if they are not two active people of the named roles, one of them an administrator, or if one set the other's
/// password; or the store's.
pub fn find_answerers(cx: &mut Context<'_, '_>, logins: &[String; 2]) -> Result<[Answerer; 2]> {
    let directory = cx.directory()?;
    let people = check_people(&directory, logins)?;
    let mut found = Vec::with_capacity(people.len());
    for (place, person) in people.iter().enumerate() {
        let other = &people[1 - place];
        let setter = secrets::password_setter(cx.tx, person.as_str())?;
        if setter.is_some_and(|(by, _)| by == other.as_str()) {
            let text = format!(
                "{} set the password of {}, so both accounts may belong to one person. Choose another person.",
                directory.login(other),
                directory.login(person)
            );
            return Err(Refusal::field("and", "one_person", text).into());
        }
        let hash = secrets::password(cx.tx, person.as_str())?.ok_or_else(|| {
            let text = format!(
                "{} has no password here. Choose a person with a password.",
                directory.login(person)
            );
            Refusal::field("by", "no_password", text)
        })?;
        found.push(Answerer {
            person: person.clone(),
            hash,
        });
    }
    let found: [Answerer; 2] = found.try_into().expect("there are two people");
    Ok(found)
}

fn check_people(directory: &Directory, logins: &[String; 2]) -> Result<[PersonId; 2]> {
    let find = |field: &str, login: &String| {
        let person = directory.by_login(&login.to_lowercase()).filter(|it| it.active);
        let person = person.filter(|it| ROLES.iter().any(|role| it.roles.contains(role)));
        person.map(|it| it.id.clone()).ok_or_else(|| {
            let text = format!("`{login}` is not an active administrator, auditor or member of security.");
            Refusal::field(field, "not_allowed", text)
        })
    };
    let people = [find("by", &logins[0])?, find("and", &logins[1])?];
    if people[0] == people[1] {
        return Err(Refusal::field("and", "one_person", "Renewing the codes takes two different people.").into());
    }
    let is_admin = |person: &PersonId| directory.has_role(person, Role::Admin);
    if !people.iter().any(is_admin) {
        return Err(Refusal::field("by", "not_allowed", "One of the two is an administrator.").into());
    }
    Ok(people)
}

/// Renews the codes and ends all sessions: no record shows whether a server began them.
///
/// # Errors
/// The store's.
pub fn renew_codes(cx: &mut Context<'_, '_>, by: &[PersonId], records: u64) -> Result<()> {
    code_all(cx.tx)?;
    end_sessions(cx)?;
    let subject = ("log", cx.tenant());
    let data = json!({"by": by, "records": records});
    let event = draft(RENEWED, subject, cx.now, data);
    cx.emit(vec![event], Written::default())
}

fn end_sessions(cx: &mut Context<'_, '_>) -> Result<()> {
    loop {
        let some = session::page(cx.tx, "", SESSIONS)?;
        if some.is_empty() {
            return Ok(());
        }
        let mut ended = Vec::new();
        for it in some {
            ended.extend(session::delete(cx.tx, &it.token_digest)?);
        }
        session_end::note_ended(cx, &ended)?;
    }
}

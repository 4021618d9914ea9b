//! Creates several people at once, each with a sign-in that works once: a long random password, which the person
//! replaces on the first use of a link with the password.

use std::collections::BTreeSet;

use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::Person;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::directory::set_person::{create_person, set_password};

/// The most people in one request: each password is hashed.
pub const MOST_PEOPLE: usize = 20;

/// A person to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Their login.
    pub login: String,
    /// Their name.
    pub name: String,
    /// Their mail address; empty for none.
    pub email: String,
    /// The roles that their line names, beside those of all.
    pub roles: Vec<Role>,
}

/// Reads people, one a line: `login, name, mail address`, `Name <mail address>`, `name, mail address`, or a mail
/// address alone; roles may follow the mail address. Without a login, the part before the `@` is the login.
///
/// # Errors
/// 422 for nobody, for too many, for a line that cannot be read and for a repeated login; it names the line.
pub fn read_invitations(text: &str) -> Result<Vec<Invitation>> {
    let lines = text.lines().map(str::trim).enumerate();
    let mut found: Vec<Invitation> = Vec::new();
    let mut errors = Vec::new();
    for (place, line) in lines.filter(|(_, line)| !line.is_empty()) {
        match read_line(line) {
            Some(one) if found.iter().any(|other| other.login == one.login) => {
                errors.push(wrong(place, &format!("the login `{}` is listed twice.", one.login)));
            }
            Some(one) => found.push(one),
            None => errors.push(wrong(
                place,
                "write `login, name, mail address`, `Name <mail address>`, or a mail address alone.",
            )),
        }
    }
    if found.len() > MOST_PEOPLE {
        let text = format!("At most {MOST_PEOPLE} people can be added at once. Add the rest afterwards.");
        errors.push(FieldError::new("people", "too_many", text));
    }
    if found.is_empty() && errors.is_empty() {
        errors.push(FieldError::new("people", "missing", "Name at least one person."));
    }
    match errors.is_empty() {
        true => Ok(found),
        false => Err(Refusal::Invalid(errors).into()),
    }
}

fn wrong(place: usize, text: &str) -> FieldError {
    FieldError::new("people", "unreadable", format!("Line {}: {text}", place + 1))
}

fn read_line(line: &str) -> Option<Invitation> {
    let plain = line.replace('<', ",").replace('>', "");
    let mut parts: Vec<&str> = plain
        .split([',', ';', '\t'])
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    let roles = split_roles(&mut parts);
    let before_at = |mail: &str| mail.split('@').next().unwrap_or_default().to_lowercase();
    let (login, name, email) = match parts[..] {
        [mail] if mail.contains('@') => (before_at(mail), before_at(mail), mail),
        [name, mail] if mail.contains('@') => (before_at(mail), name.to_owned(), mail),
        [login, name] if !login.contains('@') => (login.to_lowercase(), name.to_owned(), ""),
        [login, name, mail] if mail.contains('@') => (login.to_lowercase(), name.to_owned(), mail),
        _ => return None,
    };
    let email = email.to_owned();
    (!login.is_empty()).then_some(Invitation {
        login,
        name,
        email,
        roles,
    })
}

/// Takes the roles off the end of a line. They follow a mail address, so that nobody's name is taken for a role.
fn split_roles(parts: &mut Vec<&str>) -> Vec<Role> {
    let Some(mail) = parts.iter().position(|part| part.contains('@')) else {
        return Vec::new();
    };
    let role = |part: &&str| part.to_lowercase().replace(' ', "_").parse::<Role>().ok();
    let roles: Option<Vec<Role>> = parts[mail + 1..].iter().map(role).collect();
    if roles.is_some() {
        parts.truncate(mail + 1);
    }
    roles.unwrap_or_default()
}

/// Creates people with these roles and those of their lines, each with the hash of a password. If one of them is refused, none is created.
///
/// # Errors
/// 403; 409 for a right that two people give; 422, which names the login; the store's.
pub fn invite_people(
    cx: &mut Context<'_, '_>,
    people: &[(Invitation, String)],
    roles: &[String],
) -> Result<Vec<Person>> {
    cx.allow(actions::SET_PERSON)?;
    let mut made = Vec::new();
    for (invitation, phc) in people {
        let body = body_of(invitation, roles);
        let person = create_person(cx, &body).map_err(|error| of_line(&invitation.login, error))?;
        set_password(cx, &person.login, phc)?;
        made.push(person);
    }
    Ok(made)
}

fn body_of(invitation: &Invitation, roles: &[String]) -> Body {
    let own = invitation.roles.iter().map(|role| role.as_str());
    let roles: BTreeSet<&str> = roles.iter().map(String::as_str).chain(own).collect();
    let mut body = json!({"login": invitation.login, "name": invitation.name, "roles": roles});
    if !invitation.email.is_empty() {
        body["email"] = json!(invitation.email);
    }
    body.as_object().cloned().unwrap_or_default()
}

/// The same refusal, for the field of all people and with the login of the person.
fn of_line(login: &str, error: Error) -> Error {
    let Error::Refused(Refusal::Invalid(errors)) = error else {
        return error;
    };
    let told = errors.into_iter().map(|error| {
        let field = if error.field == "roles" { "roles" } else { "people" };
        FieldError::new(field, &error.code, format!("`{login}`: {}", error.text))
    });
    Refusal::Invalid(told.collect()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_line_is_read_as_people_write_it() {
        let read = read_invitations(
            "hanne, Hanne Brandt, hanne@halden.example\nAiko Tanaka <Aiko@halden.example>\n\ntom@x.example",
        )
        .unwrap();
        let told: Vec<(&str, &str, &str)> = read
            .iter()
            .map(|it| (it.login.as_str(), it.name.as_str(), it.email.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("hanne", "Hanne Brandt", "hanne@halden.example"),
                ("aiko", "Aiko Tanaka", "Aiko@halden.example"),
                ("tom", "tom", "tom@x.example"),
            ]
        );
    }

    #[test]
    fn roles_follow_the_mail_address_and_no_name_is_one() {
        let read = read_invitations(
            "Hanne Brandt <hanne@halden.example>, owner\nmira@x.example; Change manager; Security\nops, Security",
        );
        let read = read.unwrap();
        let roles: Vec<&[Role]> = read.iter().map(|it| it.roles.as_slice()).collect();
        assert_eq!(roles, [&[Role::Owner][..], &[Role::ChangeManager, Role::Security], &[]]);
        assert_eq!((read[1].login.as_str(), read[2].name.as_str()), ("mira", "Security"));
        let body = body_of(&read[0], &["requester".to_owned()]);
        assert_eq!(body["roles"], json!(["owner", "requester"]));
        assert!(
            read_invitations("a@x.example, emperor").is_err(),
            "no role is called so"
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line() {
        let why = |text: &str| read_invitations(text).unwrap_err().to_string();
        assert!(
            why("tom@x.example\nHanne").contains("Line 2"),
            "{}",
            why("tom@x.example\nHanne")
        );
        assert!(why("a, b, c, d").contains("Line 1"));
        assert!(why("tom@x.example\nTOM@y.example").contains("twice"));
        assert!(why("  \n").contains("at least one"));
        let many: String = (0..=MOST_PEOPLE).map(|at| format!("p{at}@x.example\n")).collect();
        assert!(why(&many).contains("At most 20"));
    }
}

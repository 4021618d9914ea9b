//! API tokens: shown once, kept as a digest, revocable.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{LINE, Reading, later};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Token};
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::grounds;
use crate::core::read_fields::scoped_to;
use crate::guard::impersonation;

/// The scopes that a token may have.
pub const SCOPES: &[&str] = &["read", "write", "gate", "audit", "admin", "scim"];

/// How every secret begins, so that scanners of leaked secrets know it.
pub const PREFIX: &str = "ast_";

/// How long a token without a given end is valid, in days.
const USUAL_DAYS: i64 = 365;
/// How far ahead the end of a token may be named, in days: five years.
const MOST_DAYS: i64 = 5 * 366;

/// A new random secret: the prefix and 256 bits.
///
/// # Errors
/// A fault when there is no randomness.
pub fn new_secret(cx: &Context<'_, '_>) -> Result<String> {
    let mut bytes = [0_u8; 32];
    cx.services.tools().entropy.fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", proof::crypto::base64url(&bytes)))
}

/// Creates a token (`POST /tokens {name, person, scopes, roles, expires_at}`); returns it with its secret, once. A token is
/// valid for a year by default; tokens that the system makes, such as the demo's, do not end.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_token(cx: &mut Context<'_, '_>, body: &Body) -> Result<(Token, String)> {
    cx.allow(act::actions::SET_TOKEN)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let person = read_content::person(&mut reading, "person", &directory).unwrap_or_else(|| cx.actor.person.clone());
    read_content::refuse_departed(&mut reading, "person", &person, &directory);
    let scopes = read_scopes(&mut reading);
    let roles = read_roles(&mut reading, &directory, &person);
    let services = scoped_to(&mut reading, &directory);
    if services.as_ref().is_some_and(BTreeSet::is_empty) {
        reading.wrong("services", "missing", "Name at least one service, or omit `services`.");
    }
    if person == cx.actor.person {
        check_not_wider(cx, roles.as_ref())?;
    }
    let name = reading.needed("name", LINE);
    let usual = (!cx.actor.is_system).then(|| later(cx.now, SignedDuration::from_hours(24 * USUAL_DAYS)));
    let expires_at = reading.time("expires_at").or(usual);
    if expires_at.is_some_and(|end| end <= cx.now) {
        reading.wrong("expires_at", "in_the_past", "`expires_at` must lie ahead.");
    }
    let last = later(cx.now, SignedDuration::from_hours(24 * MOST_DAYS));
    if !cx.actor.is_system && expires_at.is_some_and(|end| end > last) {
        let text = "`expires_at` may be at most five years ahead.";
        reading.wrong("expires_at", "out_of_range", text);
    }
    reading.finish()?;
    let secret = new_secret(cx)?;
    let token = Token {
        id: RecordId(cx.new_id()?),
        version: 0,
        name,
        // A token made with another token belongs to the maker of that one too: otherwise the impersonation would be lost after
        // one step.
        owner: impersonation::maker(&cx.actor, &person),
        person,
        digest: proof::crypto::digest_text(secret.as_bytes()),
        prefix: secret.chars().take(8).collect(),
        scopes,
        roles,
        services,
        created_at: cx.now,
        expires_at,
        revoked: false,
    };
    let people = [token.person.clone(), token.owner.clone()];
    let grounds = grounds::of_records(cx, (&people, Vec::new()), grounds::Shown::default())?;
    let token = cx.put_estate("token.created", token, json!({"grounds": grounds}))?;
    let subject = ("token", token.id.0.clone());
    let what = "created a token that acts for you";
    impersonation::notify_represented(cx, &token.person, "token.told", subject, what)?;
    Ok((token, secret))
}

/// Refuses a wider token to the owner of a narrowed one: the narrowing would be lost over one step.
fn check_not_wider(cx: &mut Context<'_, '_>, roles: Option<&BTreeSet<Role>>) -> Result<()> {
    let carried = cx.actor.narrowed_to();
    let is_within = carried
        .zip(roles)
        .is_some_and(|(carried, roles)| roles.is_subset(carried));
    if is_within {
        Ok(())
    } else {
        impersonation::check_whole(cx)
    }
}

/// The roles to which a token is narrowed: a part of its person's roles.
pub(crate) fn read_roles(
    reading: &mut Reading<'_>,
    directory: &Directory,
    person: &PersonId,
) -> Option<BTreeSet<Role>> {
    let roles: BTreeSet<Role> = reading.words::<Role>("roles")?.into_iter().collect();
    for role in &roles {
        if !directory.has_role(person, *role) {
            let login = directory.login(person);
            let text = format!(
                "`{login}` has no role `{}`, so a token of theirs cannot carry it.",
                role.as_str()
            );
            reading.wrong("roles", "not_held", text);
        }
    }
    if roles.is_empty() {
        reading.wrong("roles", "missing", "Name at least one role, or omit `roles`.");
    }
    Some(roles)
}

fn read_scopes(reading: &mut Reading<'_>) -> BTreeSet<String> {
    let said = reading.texts("scopes", LINE);
    // An empty list requests a token without scopes, which must not become the three default scopes.
    if said.as_ref().is_some_and(Vec::is_empty) {
        reading.wrong(
            "scopes",
            "missing",
            "Name at least one scope, or omit `scopes` for read, write and gate.",
        );
    }
    let scopes: BTreeSet<String> = said.unwrap_or_default().into_iter().collect();
    for scope in &scopes {
        if !SCOPES.contains(&scope.as_str()) {
            reading.wrong(
                "scopes",
                "unknown_word",
                format!("`{scope}` is none of: {}.", SCOPES.join(", ")),
            );
        }
    }
    if scopes.is_empty() {
        ["read", "write", "gate"].map(str::to_owned).into()
    } else {
        scopes
    }
}

/// Revokes a token (`DELETE /tokens/{id}`): allowed for its owner, its person, and people who may set tokens. A revoked token
/// stays unchanged.
///
/// # Errors
/// 403, 404, or the store's.
pub fn revoke_token(cx: &mut Context<'_, '_>, id: &str) -> Result<Token> {
    let Some(stored) = record::load::<Token>(cx.tx, id)? else {
        return Err(Refusal::not_found("token").into());
    };
    let token = stored.record;
    if token.person != cx.actor.person && token.owner != cx.actor.person {
        cx.allow(act::actions::SET_TOKEN)?;
    }
    if token.revoked {
        return Ok(token);
    }
    cx.put_estate("token.revoked", Token { revoked: true, ..token }, json!({}))
}

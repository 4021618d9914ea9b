//! Sessions and tokens: who is at the door. The secret itself is nowhere; its digest finds the tenant.

use jiff::Timestamp;
use model::directory::Token;

use crate::counter;
use crate::error::{Error, Result};
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `sha256:…` of its secret.
    pub token_digest: String,
    /// Whose it is.
    pub person: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last.
    pub last_seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When a fresh factor was shown last.
    pub stepped_up_at: Option<Timestamp>,
}

/// Begins a session.
pub fn insert(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    tx.execute(
        "INSERT INTO session (tenant, token_digest, person, created_at, last_seen_at, expires_at, stepped_up_at)
         VALUES ($tenant, $digest, $person, $created_at, $last_seen_at, $expires_at, $stepped_up_at)",
        &[
            ("digest", session.token_digest.as_str().into()),
            ("person", session.person.as_str().into()),
            ("created_at", session.created_at.into()),
            ("last_seen_at", session.last_seen_at.into()),
            ("expires_at", session.expires_at.into()),
            ("stepped_up_at", session.stepped_up_at.into()),
        ],
    )?;
    Ok(())
}

/// The session with this digest and its tenant, ended or not.
pub fn find(tx: &mut CrossTx<'_>, digest: &str) -> Result<Option<(String, Session)>> {
    tx.query_one(
        "SELECT * FROM session WHERE token_digest = $digest",
        &[("digest", digest.into())],
    )?
    .map(|row| Ok((row.text("tenant")?, session(&row)?)))
    .transpose()
}

/// Notes that a session was used.
pub fn touch(tx: &mut Tx<'_>, digest: &str, seen_at: Timestamp, expires_at: Timestamp) -> Result<bool> {
    let done = tx.execute(
        "UPDATE session SET last_seen_at = $seen_at, expires_at = $expires_at
         WHERE tenant = $tenant AND token_digest = $digest",
        &[
            ("seen_at", seen_at.into()),
            ("expires_at", expires_at.into()),
            ("digest", digest.into()),
        ],
    )?;
    Ok(done > 0)
}

/// Notes that a fresh factor was shown.
pub fn step_up(tx: &mut Tx<'_>, digest: &str, at: Timestamp) -> Result<bool> {
    let done = tx.execute(
        "UPDATE session SET stepped_up_at = $at WHERE tenant = $tenant AND token_digest = $digest",
        &[("at", at.into()), ("digest", digest.into())],
    )?;
    Ok(done > 0)
}

/// Ends a session.
pub fn delete(tx: &mut Tx<'_>, digest: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM session WHERE tenant = $tenant AND token_digest = $digest",
        &[("digest", digest.into())],
    )?;
    Ok(done > 0)
}

/// Ends all sessions of a person and answers how many there were.
pub fn delete_of_person(tx: &mut Tx<'_>, person: &str) -> Result<u64> {
    tx.execute(
        "DELETE FROM session WHERE tenant = $tenant AND person = $person",
        &[("person", person.into())],
    )
}

/// Removes sessions of all tenants that have ended.
pub fn prune(tx: &mut CrossTx<'_>, now: Timestamp) -> Result<u64> {
    tx.execute("DELETE FROM session WHERE expires_at <= $now", &[("now", now.into())])
}

/// The API token with this digest, ended or not.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundToken {
    /// Whose log it acts in.
    pub tenant: String,
    /// The token.
    pub token: Token,
    /// Where the tenant's estate stood (`counter::DIRECTORY`) when this was read. Tokens are part of the estate, so for
    /// as long as it stands there, the token is as it is here.
    pub generation: i64,
}

/// The API token with this digest and its tenant, ended or not.
pub fn find_token(tx: &mut CrossTx<'_>, digest: &str) -> Result<Option<FoundToken>> {
    let found = tx.query_one(
        "SELECT t.tenant AS tenant, t.body AS body, coalesce(c.value, 0) AS generation FROM token t
         LEFT JOIN counter c ON c.tenant = t.tenant AND c.name = $counter WHERE t.digest = $digest",
        &[("digest", digest.into()), ("counter", counter::DIRECTORY.into())],
    )?;
    let Some(row) = found else { return Ok(None) };
    let token = serde_json::from_str(&row.text("body")?)
        .map_err(|it| Error::Corrupt(format!("a body of `token` cannot be read: {it}")))?;
    Ok(Some(FoundToken {
        tenant: row.text("tenant")?,
        token,
        generation: row.int("generation")?,
    }))
}

fn session(row: &Row) -> Result<Session> {
    Ok(Session {
        token_digest: row.text("token_digest")?,
        person: row.text("person")?,
        created_at: row.time("created_at")?,
        last_seen_at: row.time("last_seen_at")?,
        expires_at: row.time("expires_at")?,
        stepped_up_at: row.opt_time("stepped_up_at")?,
    })
}

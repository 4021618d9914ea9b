//! Sessions and tokens: the callers' credentials. The secret itself is nowhere; its digest finds the tenant.

use jiff::Timestamp;
use model::directory::snapshot::Token;

use crate::counter;
use crate::error::Result;
use crate::tx::{CrossTx, Tx};
use crate::value::{Row, Value};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `sha256:…` of its secret.
    pub token_digest: String,
    /// The owner.
    pub person: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last.
    pub last_seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When a fresh factor was shown last.
    pub stepped_up_at: Option<Timestamp>,
    /// The id by which the session is listed and ended; it gives no access.
    pub id: String,
    /// How it was begun: `password`, `passkey` or `provider:KEY`.
    pub method: String,
    /// The last fresh factor: `password`, `totp`, `passkey`, `recovery_code` or `provider:KEY`.
    pub factor: Option<String>,
    /// Whether that counts as a second factor.
    pub is_second_factor: bool,
    /// The address it was begun from.
    pub source: String,
    /// The browser or program it was begun with, as it names itself.
    pub agent: String,
    /// The issuer of the credential by which it was begun, where that was another person.
    pub handed_by: Option<String>,
    /// The identity that the provider proved, `issuer subject`, where it was begun at one.
    pub subject: Option<String>,
    /// The code under the master key which proves that a server began the session and recorded its factor. Only with it the
    /// session gives access.
    pub mac: Vec<u8>,
}

/// An ended session: its data for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The owner.
    pub person: String,
    /// The id by which it was listed.
    pub id: String,
}

/// Begins a session.
pub fn insert(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    tx.execute(
        "INSERT INTO session (tenant, token_digest, person, created_at, last_seen_at, expires_at, stepped_up_at, id,
            method, factor, is_second_factor, source, agent, handed_by, subject, mac)
         VALUES ($tenant, $digest, $person, $created_at, $last_seen_at, $expires_at, $stepped_up_at, $id,
            $method, $factor, $is_second, $source, $agent, $handed_by, $subject, $mac)",
        &[
            ("digest", session.token_digest.as_str().into()),
            ("person", session.person.as_str().into()),
            ("created_at", session.created_at.into()),
            ("last_seen_at", session.last_seen_at.into()),
            ("expires_at", session.expires_at.into()),
            ("stepped_up_at", session.stepped_up_at.into()),
            ("id", session.id.as_str().into()),
            ("method", session.method.as_str().into()),
            ("factor", session.factor.clone().into()),
            ("is_second", session.is_second_factor.into()),
            ("source", session.source.as_str().into()),
            ("agent", session.agent.as_str().into()),
            ("handed_by", session.handed_by.clone().into()),
            ("subject", session.subject.clone().into()),
            ("mac", session.mac.as_slice().into()),
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

/// The tenant's session with this digest, ended or not.
pub fn load(tx: &mut Tx<'_>, digest: &str) -> Result<Option<Session>> {
    tx.query_one(
        "SELECT * FROM session WHERE tenant = $tenant AND token_digest = $digest",
        &[("digest", digest.into())],
    )?
    .map(|row| session(&row))
    .transpose()
}

/// Writes which fresh factor a session has seen, and when, with the code of the whole.
pub fn save_factor(tx: &mut Tx<'_>, session: &Session) -> Result<bool> {
    let done = tx.execute(
        "UPDATE session SET stepped_up_at = $at, factor = $factor, is_second_factor = $is_second, mac = $mac
         WHERE tenant = $tenant AND token_digest = $digest",
        &[
            ("at", session.stepped_up_at.into()),
            ("factor", session.factor.clone().into()),
            ("is_second", session.is_second_factor.into()),
            ("mac", session.mac.as_slice().into()),
            ("digest", session.token_digest.as_str().into()),
        ],
    )?;
    Ok(done > 0)
}

/// The tenant's sessions whose digests follow `after`, in the order of digests.
pub fn page(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<Session>> {
    tx.query(
        "SELECT * FROM session WHERE tenant = $tenant AND token_digest > $after ORDER BY token_digest LIMIT $limit",
        &[("after", after.into()), ("limit", limit.into())],
    )?
    .iter()
    .map(session)
    .collect()
}

/// The identity that the provider proved when this session was begun there: `issuer subject`.
pub fn proven_subject(tx: &mut Tx<'_>, digest: &str) -> Result<Option<String>> {
    let row = tx.query_one(
        "SELECT subject FROM session WHERE tenant = $tenant AND token_digest = $digest",
        &[("digest", digest.into())],
    )?;
    row.map_or(Ok(None), |row| row.opt_text("subject"))
}

/// The sessions of a person that have not ended, newest first.
pub fn of_person(tx: &mut Tx<'_>, person: &str, now: Timestamp) -> Result<Vec<Session>> {
    tx.query(
        "SELECT * FROM session WHERE tenant = $tenant AND person = $person AND expires_at > $now
         ORDER BY created_at DESC, token_digest LIMIT 200",
        &[("person", person.into()), ("now", now.into())],
    )?
    .iter()
    .map(session)
    .collect()
}

/// Ends the session of a person that is listed under this id; returns it if it was there.
pub fn delete_by_id(tx: &mut Tx<'_>, person: &str, id: &str) -> Result<Vec<Ended>> {
    ended(
        tx,
        "DELETE FROM session WHERE tenant = $tenant AND person = $person AND id = $id RETURNING person, id",
        &[("person", person.into()), ("id", id.into())],
    )
}

/// Ends all sessions of the tenant that were begun in this way; returns them.
pub fn delete_of_method(tx: &mut Tx<'_>, method: &str) -> Result<Vec<Ended>> {
    ended(
        tx,
        "DELETE FROM session WHERE tenant = $tenant AND method = $method RETURNING person, id",
        &[("method", method.into())],
    )
}

/// Ends all sessions of a person but the one with this digest; returns them.
pub fn delete_others(tx: &mut Tx<'_>, person: &str, digest: &str) -> Result<Vec<Ended>> {
    ended(
        tx,
        "DELETE FROM session WHERE tenant = $tenant AND person = $person AND token_digest <> $digest RETURNING person, id",
        &[("person", person.into()), ("digest", digest.into())],
    )
}

/// Ends a session; returns it if it was there.
pub fn delete(tx: &mut Tx<'_>, digest: &str) -> Result<Vec<Ended>> {
    ended(
        tx,
        "DELETE FROM session WHERE tenant = $tenant AND token_digest = $digest RETURNING person, id",
        &[("digest", digest.into())],
    )
}

/// Ends all sessions of a person; returns them.
pub fn delete_of_person(tx: &mut Tx<'_>, person: &str) -> Result<Vec<Ended>> {
    ended(
        tx,
        "DELETE FROM session WHERE tenant = $tenant AND person = $person RETURNING person, id",
        &[("person", person.into())],
    )
}

/// Ends all sessions that were begun with a password that a person set for another; returns them.
pub fn delete_set_by(tx: &mut Tx<'_>, person: &str) -> Result<Vec<Ended>> {
    ended(
        tx,
        "DELETE FROM session WHERE tenant = $tenant AND handed_by = $person RETURNING person, id",
        &[("person", person.into())],
    )
}

/// Whether a person has a session that is listed under this id, ended by time or not.
pub fn is_there(tx: &mut Tx<'_>, person: &str, id: &str) -> Result<bool> {
    let found = tx.query_one(
        "SELECT id FROM session WHERE tenant = $tenant AND person = $person AND id = $id LIMIT 1",
        &[("person", person.into()), ("id", id.into())],
    )?;
    Ok(found.is_some())
}

/// Runs a statement that ends sessions, and returns them.
fn ended(tx: &mut Tx<'_>, sql: &'static str, values: &[(&str, Value)]) -> Result<Vec<Ended>> {
    tx.query(sql, values)?
        .iter()
        .map(|row| {
            Ok(Ended {
                person: row.text("person")?,
                id: row.opt_text("id")?.unwrap_or_default(),
            })
        })
        .collect()
}

/// Removes sessions of all tenants that have ended, at most so many.
pub fn prune(tx: &mut CrossTx<'_>, now: Timestamp, most: i64) -> Result<u64> {
    tx.execute(PRUNE, &[("now", now.into()), ("most", most.into())])
}

/// The condition is repeated outside, as in a lease.
pub(crate) const PRUNE: &str = "DELETE FROM session WHERE expires_at <= $now AND (tenant, token_digest) IN
    (SELECT tenant, token_digest FROM session WHERE expires_at <= $now ORDER BY expires_at LIMIT $most)";

/// Keeps when a token was used last.
pub fn note_token_use(tx: &mut Tx<'_>, token: &str, at: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO token_use (tenant, token, last_used_at) VALUES ($tenant, $token, $at)
         ON CONFLICT (tenant, token) DO UPDATE SET last_used_at = excluded.last_used_at",
        &[("token", token.into()), ("at", at.into())],
    )?;
    Ok(())
}

/// When each token of the tenant was used last, as far as a minute; those that never were are absent.
pub fn token_uses(tx: &mut Tx<'_>) -> Result<std::collections::BTreeMap<String, Timestamp>> {
    tx.query(
        "SELECT token, last_used_at FROM token_use WHERE tenant = $tenant ORDER BY token LIMIT 100000",
        &[],
    )?
    .iter()
    .map(|row| Ok((row.text("token")?, row.time("last_used_at")?)))
    .collect()
}

/// The use of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeUse {
    /// `read`, `gate` …
    pub scope: String,
    /// Since when uses of this scope are kept.
    pub first_at: Timestamp,
    /// Its last use, as far as a minute.
    pub last_at: Timestamp,
}

/// Keeps when a scope of a token was used last.
pub fn note_scope_use(tx: &mut Tx<'_>, token: &str, scope: &str, at: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO token_scope_use (tenant, token, scope, first_used_at, last_used_at)
         VALUES ($tenant, $token, $scope, $at, $at)
         ON CONFLICT (tenant, token, scope) DO UPDATE SET last_used_at = excluded.last_used_at",
        &[("token", token.into()), ("scope", scope.into()), ("at", at.into())],
    )?;
    Ok(())
}

/// The uses of each token of the tenant, by its id; tokens of one scope alone, and those never used, are absent.
pub fn scope_uses(tx: &mut Tx<'_>) -> Result<std::collections::BTreeMap<String, Vec<ScopeUse>>> {
    let rows = tx.query(
        "SELECT token, scope, first_used_at, last_used_at FROM token_scope_use WHERE tenant = $tenant
         ORDER BY token, scope LIMIT 200000",
        &[],
    )?;
    let mut found: std::collections::BTreeMap<String, Vec<ScopeUse>> = std::collections::BTreeMap::new();
    for row in &rows {
        found.entry(row.text("token")?).or_default().push(ScopeUse {
            scope: row.text("scope")?,
            first_at: row.time("first_used_at")?,
            last_at: row.time("last_used_at")?,
        });
    }
    Ok(found)
}

/// Records a person's sign-in.
pub fn note_seen(tx: &mut Tx<'_>, person: &str, at: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO person_seen (tenant, person, first_seen_at, last_seen_at) VALUES ($tenant, $person, $at, $at)
         ON CONFLICT (tenant, person) DO UPDATE SET last_seen_at = excluded.last_seen_at",
        &[("person", person.into()), ("at", at.into())],
    )?;
    Ok(())
}

/// The people who signed in, each with the start of the records and the last time; people without a sign-in since then are
/// absent.
pub fn seen(tx: &mut Tx<'_>) -> Result<std::collections::BTreeMap<String, (Timestamp, Timestamp)>> {
    tx.query(
        "SELECT person, first_seen_at, last_seen_at FROM person_seen WHERE tenant = $tenant
         ORDER BY person LIMIT 200000",
        &[],
    )?
    .iter()
    .map(|row| {
        let times = (row.time("first_seen_at")?, row.time("last_seen_at")?);
        Ok((row.text("person")?, times))
    })
    .collect()
}

/// The API token with this digest, ended or not.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundToken {
    /// The tenant in whose log it acts.
    pub tenant: String,
    /// The token.
    pub token: Token,
    /// The value of the tenant's estate counter (`counter::DIRECTORY`) when this was read. Tokens are part of the estate, so
    /// while the counter has this value, the token is unchanged.
    pub generation: i64,
}

/// The API token with this digest and its tenant, ended or not.
pub fn find_token(tx: &mut CrossTx<'_>, digest: &str) -> Result<Option<FoundToken>> {
    let found = tx.query_one(
        "SELECT t.tenant AS tenant, t.id AS id, t.version AS version, t.body AS body, t.code AS code,
            coalesce(c.value, 0) AS generation FROM token t
         LEFT JOIN counter c ON c.tenant = t.tenant AND c.name = $counter WHERE t.digest = $digest",
        &[("digest", digest.into()), ("counter", counter::DIRECTORY.into())],
    )?;
    let Some(row) = found else { return Ok(None) };
    let token: Token = crate::record::coded_across(tx, &row)?;
    crate::record::Filter::new().equals("digest", digest).check(&token)?;
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
        // Rows of an earlier binary have neither id nor method.
        id: row.opt_text("id")?.unwrap_or_default(),
        method: row.opt_text("method")?.unwrap_or_else(|| "password".to_owned()),
        factor: row.opt_text("factor")?,
        // A note by an earlier binary proves no second factor.
        is_second_factor: row.opt_bool("is_second_factor")?.unwrap_or(false),
        source: row.opt_text("source")?.unwrap_or_default(),
        agent: row.opt_text("agent")?.unwrap_or_default(),
        handed_by: row.opt_text("handed_by")?,
        subject: row.opt_text("subject")?,
        mac: row.opt_bytes("mac")?.unwrap_or_default(),
    })
}

//! Responses by the caller's key, so that a repeated request gets the first one's response. Saved in the act's transaction.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::{CrossTx, Tx};
use crate::value::Value;

/// The fields by which two requests are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKey<'a> {
    /// The caller's credential: a token's or session's id, never its secret.
    pub credential: &'a str,
    /// `POST` …
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The caller's key.
    pub key: &'a str,
}

/// The first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedAnswer {
    /// Digest of the first request's body: another body under the same key is a mistake.
    pub body_digest: String,
    /// The HTTP status.
    pub status: i64,
    /// The response, in the caller's form.
    pub answer: String,
}

/// A kept response with the key of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    credential: String,
    method: String,
    path: String,
    key: String,
    /// The response, in the caller's form.
    pub answer: String,
}

impl KeptAnswer {
    /// The key of its request.
    #[must_use]
    pub fn request(&self) -> RequestKey<'_> {
        RequestKey {
            credential: &self.credential,
            method: &self.method,
            path: &self.path,
            key: &self.key,
        }
    }
}

impl RequestKey<'_> {
    fn params(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("credential", self.credential.into()),
            ("method", self.method.into()),
            ("path", self.path.into()),
            ("key", self.key.into()),
        ]
    }
}

/// The response stored under a key.
pub fn load(tx: &mut Tx<'_>, key: &RequestKey<'_>) -> Result<Option<SavedAnswer>> {
    tx.query_one(
        "SELECT body_digest, status, answer FROM idempotency WHERE tenant = $tenant
         AND credential = $credential AND method = $method AND path = $path AND key = $key",
        &key.params(),
    )?
    .map(|row| {
        Ok(SavedAnswer {
            body_digest: row.text("body_digest")?,
            status: row.int("status")?,
            answer: row.text("answer")?,
        })
    })
    .transpose()
}

/// Stores a response. `Conflict` when the key was used meanwhile: the act then runs again and finds that response.
pub fn save(tx: &mut Tx<'_>, key: &RequestKey<'_>, answer: &SavedAnswer, at: Timestamp) -> Result<()> {
    let mut params = key.params();
    params.extend([
        ("body_digest", answer.body_digest.as_str().into()),
        ("status", answer.status.into()),
        ("answer", answer.answer.as_str().into()),
        ("at", at.into()),
    ]);
    tx.execute(
        "INSERT INTO idempotency (tenant, credential, method, path, key, body_digest, status, answer, created_at)
         VALUES ($tenant, $credential, $method, $path, $key, $body_digest, $status, $answer, $at)",
        &params,
    )?;
    Ok(())
}

/// The responses in which a record's name occurs, or the paths of whose requests contain it. The scan reads all responses of the
/// tenant, which are those of the last days.
pub fn naming(tx: &mut Tx<'_>, name: &str) -> Result<Vec<KeptAnswer>> {
    let rows = tx.query(
        "SELECT credential, method, path, key, answer FROM idempotency WHERE tenant = $tenant
         AND (answer LIKE $in_answer OR lower(path) LIKE $in_path) ORDER BY credential, method, path, key",
        &[
            ("in_answer", format!("%{name}%").into()),
            ("in_path", format!("%{}%", name.to_lowercase()).into()),
        ],
    )?;
    rows.iter()
        .map(|row| {
            Ok(KeptAnswer {
                credential: row.text("credential")?,
                method: row.text("method")?,
                path: row.text("path")?,
                key: row.text("key")?,
                answer: row.text("answer")?,
            })
        })
        .collect()
}

/// Puts another text in the place of a kept response.
pub fn replace(tx: &mut Tx<'_>, key: &RequestKey<'_>, answer: &str) -> Result<()> {
    let mut params = key.params();
    params.push(("answer", answer.into()));
    tx.execute(
        "UPDATE idempotency SET answer = $answer WHERE tenant = $tenant
         AND credential = $credential AND method = $method AND path = $path AND key = $key",
        &params,
    )?;
    Ok(())
}

/// Removes older responses of all tenants: at most so many, and those of the same moment as the last of them. The order is by
/// time alone, since many keys differ only at their ends.
pub fn prune(tx: &mut CrossTx<'_>, before: Timestamp, most: i64) -> Result<u64> {
    let params = [("before", before.into()), ("skipped", (most - 1).into())];
    let last = tx.query_one(LAST_OF_MOST, &params)?;
    let last = last.map_or(Ok(before), |row| row.time("created_at"))?;
    tx.execute(PRUNE, &[("before", before.into()), ("last", last.into())])
}

pub(crate) const LAST_OF_MOST: &str = "SELECT created_at FROM idempotency WHERE created_at < $before
    ORDER BY created_at LIMIT 1 OFFSET $skipped";
pub(crate) const PRUNE: &str = "DELETE FROM idempotency WHERE created_at < $before AND created_at <= $last";

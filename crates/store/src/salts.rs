//! Free texts behind their commitments. Erasing a text deletes its row; the commitment in the log stays.

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// A text with its salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaltedText {
    /// The commitment, as it stands in sealed records.
    pub commitment: String,
    /// The salt.
    pub salt: Vec<u8>,
    /// The words.
    pub text: String,
    /// The event that brought it.
    pub event_id: Option<String>,
}

/// Keeps a text. The same commitment twice is the same text.
pub fn save(tx: &mut Tx<'_>, text: &SaltedText) -> Result<()> {
    tx.execute(
        "INSERT INTO text_salt (tenant, commitment, salt, body, event_id)
         VALUES ($tenant, $commitment, $salt, $body, $event) ON CONFLICT DO NOTHING",
        &[
            ("commitment", text.commitment.as_str().into()),
            ("salt", text.salt.as_slice().into()),
            ("body", text.text.as_str().into()),
            ("event", text.event_id.as_deref().into()),
        ],
    )?;
    Ok(())
}

/// The text behind a commitment; `None` when it was erased.
pub fn load(tx: &mut Tx<'_>, commitment: &str) -> Result<Option<SaltedText>> {
    tx.query_one(
        "SELECT * FROM text_salt WHERE tenant = $tenant AND commitment = $commitment",
        &[("commitment", commitment.into())],
    )?
    .map(|row| salted(&row))
    .transpose()
}

/// The next texts in the order of commitments; `after` is the last one seen, or empty.
pub fn page(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<SaltedText>> {
    tx.query(
        "SELECT * FROM text_salt WHERE tenant = $tenant AND commitment > $after ORDER BY commitment LIMIT $limit",
        &[("after", after.into()), ("limit", limit.into())],
    )?
    .iter()
    .map(salted)
    .collect()
}

/// The texts that an event brought.
pub fn of_event(tx: &mut Tx<'_>, event_id: &str) -> Result<Vec<SaltedText>> {
    tx.query(
        "SELECT * FROM text_salt WHERE tenant = $tenant AND event_id = $event ORDER BY commitment",
        &[("event", event_id.into())],
    )?
    .iter()
    .map(salted)
    .collect()
}

/// Erases a text and its salt. Answers whether it was there.
pub fn erase(tx: &mut Tx<'_>, commitment: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM text_salt WHERE tenant = $tenant AND commitment = $commitment",
        &[("commitment", commitment.into())],
    )?;
    Ok(done > 0)
}

fn salted(row: &Row) -> Result<SaltedText> {
    Ok(SaltedText {
        commitment: row.text("commitment")?,
        salt: row.bytes("salt")?,
        text: row.text("body")?,
        event_id: row.opt_text("event_id")?,
    })
}

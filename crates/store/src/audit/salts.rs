//! Free texts behind their commitments. Erasing a text deletes its row; the commitment in the log stays.
//!
//! A text is found by the event that brought it, or by a record whose versions its events made. Commitments are random, and a
//! key that began with them would touch another page for each text that is written.

use std::collections::HashMap;

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
    /// The event that brought it: the first of the act that wrote it.
    pub event_id: String,
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
            ("event", text.event_id.as_str().into()),
        ],
    )?;
    Ok(())
}

/// The texts that the versions of a record brought, and what their acts brought beside them, by commitment. A commitment
/// that is not among them was erased.
pub fn of_record(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<HashMap<String, SaltedText>> {
    let rows = tx.query(
        "SELECT s.* FROM event_record r JOIN text_salt s ON s.tenant = r.tenant AND s.event_id = r.event_id
         WHERE r.tenant = $tenant AND r.table_name = $table AND r.record_id = $id",
        &[("table", table.into()), ("id", id.into())],
    )?;
    let texts = rows.iter().map(salted);
    texts
        .map(|text| text.map(|text| (text.commitment.clone(), text)))
        .collect()
}

/// The next texts in the order of events and commitments; `after` is the last one seen.
pub fn page(tx: &mut Tx<'_>, after: Option<&SaltedText>, limit: i64) -> Result<Vec<SaltedText>> {
    let (event, commitment) = after.map_or(("", ""), |text| (&text.event_id, &text.commitment));
    tx.query(
        "SELECT * FROM text_salt WHERE tenant = $tenant AND (event_id, commitment) > ($event, $commitment)
         ORDER BY event_id, commitment LIMIT $limit",
        &[
            ("event", event.into()),
            ("commitment", commitment.into()),
            ("limit", limit.into()),
        ],
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
pub fn erase(tx: &mut Tx<'_>, event_id: &str, commitment: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM text_salt WHERE tenant = $tenant AND event_id = $event AND commitment = $commitment",
        &[("event", event_id.into()), ("commitment", commitment.into())],
    )?;
    Ok(done > 0)
}

fn salted(row: &Row) -> Result<SaltedText> {
    Ok(SaltedText {
        commitment: row.text("commitment")?,
        salt: row.bytes("salt")?,
        text: row.text("body")?,
        event_id: row.text("event_id")?,
    })
}

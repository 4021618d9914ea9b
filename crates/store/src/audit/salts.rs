//! Free texts behind their commitments. Erasing a text takes it out of its row; the commitment in the log stays.
//!
//! A text is found by its event, or by a record whose versions its events made. Commitments are random, and a key that began
//! with them would touch another page for each text that is written. The texts of an event share one row, whose commitment is
//! empty; versions before kept a row for each text, which is read in the same way.

use std::collections::HashMap;

use crate::compliance::archive;
use crate::error::{Error, Result};
use crate::tx::Tx;
use crate::value::Row;

/// The commitment of a row that holds all texts of an event.
const ALL: &str = "";

/// A row of texts, as replay reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The event.
    pub event_id: String,
    commitment: String,
    /// Its texts, or why they cannot be read.
    pub texts: Result<Vec<SaltedText>>,
}

/// A text with its salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaltedText {
    /// The commitment, as in sealed records.
    pub commitment: String,
    /// The salt.
    pub salt: Vec<u8>,
    /// The words.
    pub text: String,
    /// The event that added the text: the first of its act.
    pub event_id: String,
}

/// Stores the texts that an event added, in one row.
pub fn save(tx: &mut Tx<'_>, event_id: &str, texts: &[SaltedText]) -> Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    let (salt, body) = packed(texts)?;
    tx.execute(
        "INSERT INTO text_salt (tenant, event_id, commitment, salt, body) VALUES ($tenant, $event, $all, $salt, $body)",
        &[
            ("event", event_id.into()),
            ("all", ALL.into()),
            ("salt", salt.into()),
            ("body", body.into()),
        ],
    )?;
    Ok(())
}

/// The texts that the versions of a record added, and other texts of their acts, by commitment. An absent commitment was
/// erased.
pub fn of_record(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<HashMap<String, SaltedText>> {
    let mut rows = rows_of_record(tx, table, id)?;
    archive::fill_texts(tx, &mut rows)?;
    let mut texts = HashMap::new();
    for row in &rows {
        texts.extend(salted(row)?.into_iter().map(|text| (text.commitment.clone(), text)));
    }
    Ok(texts)
}

/// The rows of the texts that the versions of a record added, as stored.
pub(crate) fn rows_of_record(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Vec<Row>> {
    tx.query(
        "SELECT s.* FROM event_record r JOIN text_salt s ON s.tenant = r.tenant AND s.event_id = r.event_id
         WHERE r.tenant = $tenant AND r.table_name = $table AND r.record_id = $id
         ORDER BY s.event_id, s.commitment",
        &[("table", table.into()), ("id", id.into())],
    )
}

/// The next rows in the order of events, for replay; `after` is the last one seen.
pub fn page(tx: &mut Tx<'_>, after: Option<&Kept>, limit: i64) -> Result<Vec<Kept>> {
    let (event, commitment) = after.map_or(("", ""), |kept| (&kept.event_id, &kept.commitment));
    let mut rows = tx.query(
        "SELECT * FROM text_salt WHERE tenant = $tenant AND (event_id > $event OR (event_id = $event AND commitment > $commitment))
         ORDER BY event_id, commitment LIMIT $limit",
        &[
            ("event", event.into()),
            ("commitment", commitment.into()),
            ("limit", limit.into()),
        ],
    )?;
    let mut found = Vec::new();
    for row in &mut rows {
        let filled = archive::fill_text(tx, row);
        found.push(Kept {
            event_id: row.text("event_id")?,
            commitment: row.text("commitment")?,
            texts: filled.and_then(|()| salted(row)),
        });
    }
    Ok(found)
}

/// The texts of an event, in the order of commitments.
pub fn of_event(tx: &mut Tx<'_>, event_id: &str) -> Result<Vec<SaltedText>> {
    let mut rows = tx.query(
        "SELECT * FROM text_salt WHERE tenant = $tenant AND event_id = $event ORDER BY commitment",
        &[("event", event_id.into())],
    )?;
    archive::fill_texts(tx, &mut rows)?;
    let mut texts = Vec::new();
    for row in &rows {
        texts.extend(salted(row)?);
    }
    texts.sort_by(|one, other| one.commitment.cmp(&other.commitment));
    Ok(texts)
}

/// Erases a text and its salt. Returns whether the text existed.
///
/// # Errors
/// `Retry` when another act erased a text of the event at the same time; `Corrupt` when the row cannot be read; the engine's.
pub fn erase(tx: &mut Tx<'_>, event_id: &str, commitment: &str) -> Result<bool> {
    let mut rows = rows_with(tx, event_id, commitment)?;
    // An erased text must not stay in a segment.
    if archive::thaw_text(tx, &rows)? {
        rows = rows_with(tx, event_id, commitment)?;
    }
    for row in &rows {
        let mut texts = salted(row)?;
        let before = texts.len();
        texts.retain(|text| text.commitment != commitment);
        if texts.len() < before {
            keep_others(tx, row, &texts)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// The rows in which a text of an event may be, as stored.
fn rows_with(tx: &mut Tx<'_>, event_id: &str, commitment: &str) -> Result<Vec<Row>> {
    tx.query(
        "SELECT * FROM text_salt WHERE tenant = $tenant AND event_id = $event AND (commitment = $all OR commitment = $commitment)
         ORDER BY commitment",
        &[("event", event_id.into()), ("all", ALL.into()), ("commitment", commitment.into())],
    )
}

/// Writes a row without the texts that are erased; none of another transaction's erasures is undone.
fn keep_others(tx: &mut Tx<'_>, row: &Row, others: &[SaltedText]) -> Result<()> {
    let (event, commitment, before) = (row.text("event_id")?, row.text("commitment")?, row.text("body")?);
    let mut params = vec![
        ("event", event.into()),
        ("commitment", commitment.into()),
        ("before", before.into()),
    ];
    let is_it = "tenant = $tenant AND event_id = $event AND commitment = $commitment AND body = $before";
    let done = if others.is_empty() {
        tx.execute(&format!("DELETE FROM text_salt WHERE {is_it}"), &params)?
    } else {
        let (salt, body) = packed(others)?;
        params.extend([("salt", salt.into()), ("body", body.into())]);
        tx.execute(
            &format!("UPDATE text_salt SET salt = $salt, body = $body WHERE {is_it}"),
            &params,
        )?
    };
    match done {
        0 => Err(Error::Retry),
        _ => Ok(()),
    }
}

/// Salts and texts as one row keeps them: the salts behind each other, and an array of pairs of commitment and text.
fn packed(texts: &[SaltedText]) -> Result<(Vec<u8>, String)> {
    let pairs: Vec<(&str, &str)> = texts
        .iter()
        .map(|it| (it.commitment.as_str(), it.text.as_str()))
        .collect();
    let body = serde_json::to_string(&pairs).map_err(|it| Error::Other(format!("texts cannot be written: {it}")))?;
    Ok((texts.iter().flat_map(|it| it.salt.iter().copied()).collect(), body))
}

/// The texts in a row.
fn salted(row: &Row) -> Result<Vec<SaltedText>> {
    let (event_id, commitment) = (row.text("event_id")?, row.text("commitment")?);
    let (salt, body) = (row.bytes("salt")?, row.text("body")?);
    if commitment != ALL {
        return Ok(vec![SaltedText {
            commitment,
            salt,
            text: body,
            event_id,
        }]);
    }
    let damaged = || Error::Corrupt(format!("the texts of the event `{event_id}` cannot be read"));
    let pairs: Vec<(String, String)> = serde_json::from_str(&body).map_err(|_| damaged())?;
    if pairs.is_empty() || salt.is_empty() || !salt.len().is_multiple_of(pairs.len()) {
        return Err(damaged());
    }
    let salts = salt.chunks(salt.len() / pairs.len());
    let texts = pairs
        .into_iter()
        .zip(salts)
        .map(|((commitment, text), salt)| SaltedText {
            commitment,
            salt: salt.to_vec(),
            text,
            event_id: event_id.clone(),
        });
    Ok(texts.collect())
}

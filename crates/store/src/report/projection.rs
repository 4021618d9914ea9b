//! How far into the log a projection has come, and which changes the events behind its position are about.

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Value;

/// The index of the first event that a projection has not seen; 0 where it has not begun.
pub fn position(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    let row = tx.query_one(
        "SELECT position FROM projection WHERE tenant = $tenant AND name = $name",
        &[("name", name.into())],
    )?;
    row.map_or(Ok(0), |row| row.int("position"))
}

/// Moves a position on; `false` where it is no longer `from`, because another server moved it.
pub fn save_position(tx: &mut Tx<'_>, name: &str, from: i64, to: i64) -> Result<bool> {
    let params = [("name", name.into()), ("from", from.into()), ("to", to.into())];
    let moved = tx.execute(
        "UPDATE projection SET position = $to WHERE tenant = $tenant AND name = $name AND position = $from",
        &params,
    )?;
    if moved > 0 || from > 0 {
        return Ok(moved > 0);
    }
    let made = tx.execute(
        "INSERT INTO projection (tenant, name, position) VALUES ($tenant, $name, $to) ON CONFLICT DO NOTHING",
        &[("name", name.into()), ("to", to.into())],
    )?;
    Ok(made > 0)
}

/// The changes that placed events from an index up to another one are about, by id: events of a change, and events that wrote
/// it, one of its decisions or one of its links.
pub fn changes_between(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<Vec<String>> {
    let params = [("from", from.into()), ("to", to.into())];
    changes(tx, "e.seq >= $from AND e.seq < $to", &params)
}

/// The changes with deployments written by placed events from an index up to another one, by id.
pub fn changes_deployed_between(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT d.change_id AS id FROM event e
         JOIN event_record r ON r.tenant = e.tenant AND r.event_id = e.id
         JOIN deployment d ON d.tenant = r.tenant AND d.id = r.record_id
         WHERE e.tenant = $tenant AND r.table_name = 'deployment' AND d.change_id IS NOT NULL
            AND e.seq >= $from AND e.seq < $to
         ORDER BY id";
    let params = [("from", from.into()), ("to", to.into())];
    tx.query(sql, &params)?.iter().map(|row| row.text("id")).collect()
}

/// The records that events wrote or are about: events from an index on, and those without a place. Table and id, each once; at
/// most `limit`.
pub fn touched_since(tx: &mut Tx<'_>, from: i64, limit: i64) -> Result<Vec<(String, String)>> {
    let about = |which: &str| {
        format!(
            "SELECT e.subject_table AS of_table, e.subject_id AS id FROM event e WHERE e.tenant = $tenant AND {which}
             UNION SELECT r.table_name AS of_table, r.record_id AS id FROM event e
                JOIN event_record r ON r.tenant = e.tenant AND r.event_id = e.id WHERE e.tenant = $tenant AND {which}"
        )
    };
    let sql = format!(
        "{} UNION {} ORDER BY of_table, id LIMIT $limit",
        about("e.seq >= $from"),
        about("e.seq IS NULL")
    );
    let rows = tx.query(&sql, &[("from", from.into()), ("limit", limit.into())])?;
    rows.iter()
        .map(|row| Ok((row.text("of_table")?, row.text("id")?)))
        .collect()
}

/// The changes that events without a place are about.
pub fn changes_unplaced(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    changes(tx, "e.seq IS NULL", &[])
}

fn changes(tx: &mut Tx<'_>, which: &str, params: &[(&str, Value)]) -> Result<Vec<String>> {
    let made = "FROM event e JOIN event_record r ON r.tenant = e.tenant AND r.event_id = e.id";
    let sql = format!(
        "SELECT e.subject_id AS id FROM event e WHERE e.tenant = $tenant AND e.subject_table = 'change' AND {which}
         UNION SELECT r.record_id AS id {made} WHERE e.tenant = $tenant AND r.table_name = 'change' AND {which}
         UNION SELECT a.change_id AS id {made} JOIN approval a ON a.tenant = r.tenant AND a.id = r.record_id
            WHERE e.tenant = $tenant AND r.table_name = 'approval' AND {which}
         UNION SELECT l.from_change AS id {made} JOIN link l ON l.tenant = r.tenant AND l.id = r.record_id
            WHERE e.tenant = $tenant AND r.table_name = 'link' AND {which}
         ORDER BY id"
    );
    tx.query(&sql, params)?.iter().map(|row| row.text("id")).collect()
}

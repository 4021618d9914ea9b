//! Which open changes have to be judged again after an act on the directory: up to which value of the counter
//! [`crate::counter::DIRECTORY`], how far the settler is, and which changes were judged since. Rows have codes, because the
//! gate depends on them.

use jiff::Timestamp;

use crate::change::changes::open_states;
use crate::error::{Error, Result};
use crate::row_code;
use crate::tx::{CrossTx, Tx};
use crate::value::{Row, Value};

/// How far the judging of a tenant's open changes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsettled {
    /// Every open change has to be judged at this value of the counter or a later one.
    pub generation: i64,
    /// When the first of the acts was done that are not settled yet.
    pub since: Timestamp,
    /// The value for which the urgent changes were judged.
    pub urgent: i64,
    /// The value at which the present pass over all changes began; 0 before its beginning.
    pub pass: i64,
    /// The number of the last change that the pass has looked at.
    pub mark: i64,
    /// How many changes the pass left out because they could not be judged.
    pub left_out: i64,
}

const TABLE: &str = "unsettled";
const MARKS: &str = "settled";

impl Unsettled {
    fn parts(&self) -> [[u8; 8]; 6] {
        let since = self.since.as_microsecond();
        [self.generation, since, self.urgent, self.pass, self.mark, self.left_out].map(i64::to_be_bytes)
    }
}

/// How far the judging is; `None` where every open change is settled.
pub fn state(tx: &mut Tx<'_>) -> Result<Option<Unsettled>> {
    let Some(row) = tx.query_one("SELECT * FROM unsettled WHERE tenant = $tenant", &[])? else {
        return Ok(None);
    };
    let found = Unsettled {
        generation: row.int("generation")?,
        since: row.time("since")?,
        urgent: row.int("urgent")?,
        pass: row.int("pass")?,
        mark: row.int("mark")?,
        left_out: row.int("left_out")?,
    };
    let parts = found.parts();
    let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
    row_code::check(tx.coder(), &row, (tx.tenant(), TABLE, ""), &parts)?;
    Ok(Some(found))
}

/// Records that every open change has to be judged at this value of the counter or a later one. A round under way goes on.
pub fn raise(tx: &mut Tx<'_>, generation: i64, now: Timestamp) -> Result<()> {
    let stands = state(tx)?.unwrap_or(Unsettled {
        generation,
        since: now,
        urgent: 0,
        pass: 0,
        mark: 0,
        left_out: 0,
    });
    let raised = Unsettled {
        generation: generation.max(stands.generation),
        ..stands
    };
    save(tx, &raised)
}

/// Keeps how far the judging is.
pub fn save(tx: &mut Tx<'_>, it: &Unsettled) -> Result<()> {
    let parts = it.parts();
    let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
    let code = row_code::code(tx.coder(), tx.tenant(), TABLE, &parts);
    tx.execute(
        "INSERT INTO unsettled (tenant, generation, since, urgent, pass, mark, left_out, code)
         VALUES ($tenant, $generation, $since, $urgent, $pass, $mark, $left_out, $code)
         ON CONFLICT (tenant) DO UPDATE SET generation = $generation, since = $since, urgent = $urgent, pass = $pass,
            mark = $mark, left_out = $left_out, code = $code",
        &[
            ("generation", it.generation.into()),
            ("since", it.since.into()),
            ("urgent", it.urgent.into()),
            ("pass", it.pass.into()),
            ("mark", it.mark.into()),
            ("left_out", it.left_out.into()),
            ("code", code),
        ],
    )?;
    Ok(())
}

/// Records that every open change is settled.
pub fn end(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute("DELETE FROM settled WHERE tenant = $tenant", &[])?;
    tx.execute("DELETE FROM unsettled WHERE tenant = $tenant", &[])?;
    Ok(())
}

fn mark_code(tx: &Tx<'_>, change_id: &str, generation: i64) -> Value {
    let generation = generation.to_be_bytes();
    let parts: [&[u8]; 2] = [change_id.as_bytes(), &generation];
    row_code::code(tx.coder(), tx.tenant(), MARKS, &parts)
}

/// Notes at which value of the counter a change was judged.
pub fn note_judged(tx: &mut Tx<'_>, change_id: &str, generation: i64) -> Result<()> {
    let code = mark_code(tx, change_id, generation);
    tx.execute(
        "INSERT INTO settled (tenant, change_id, generation, code) VALUES ($tenant, $change_id, $generation, $code)
         ON CONFLICT (tenant, change_id) DO UPDATE SET generation = $generation, code = $code",
        &[
            ("change_id", change_id.into()),
            ("generation", generation.into()),
            ("code", code),
        ],
    )?;
    Ok(())
}

/// At which value of the counter a change was judged last while something was unsettled.
pub fn judged_at(tx: &mut Tx<'_>, change_id: &str) -> Result<Option<i64>> {
    let found = tx.query_one(
        "SELECT generation, code FROM settled WHERE tenant = $tenant AND change_id = $change_id",
        &[("change_id", change_id.into())],
    )?;
    found.map(|row| coded_mark(tx, &row, change_id)).transpose()
}

/// Removes the marks that no server wrote, whose changes were judged by nobody; returns how many there were.
pub fn remove_forged(tx: &mut Tx<'_>) -> Result<usize> {
    let rows = tx.query(
        "SELECT change_id, generation, code FROM settled WHERE tenant = $tenant ORDER BY change_id",
        &[],
    )?;
    let mut forged = 0;
    for row in rows {
        let change = row.text("change_id")?;
        if coded_mark(tx, &row, &change).is_err() {
            tx.execute(
                "DELETE FROM settled WHERE tenant = $tenant AND change_id = $change_id",
                &[("change_id", change.into())],
            )?;
            forged += 1;
        }
    }
    Ok(forged)
}

/// The value of the counter in a mark with a server's code.
fn coded_mark(tx: &Tx<'_>, row: &Row, change_id: &str) -> Result<i64> {
    let generation = row.int("generation")?;
    let bytes = generation.to_be_bytes();
    let parts: [&[u8]; 2] = [change_id.as_bytes(), &bytes];
    row_code::check(tx.coder(), row, (tx.tenant(), MARKS, change_id), &parts)?;
    Ok(generation)
}

/// The tenant, if its row has no server's code, for replay.
pub(crate) fn uncoded(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    match state(tx) {
        Err(Error::Corrupt(_)) if !tx.has_failed() => Ok(vec![tx.tenant().to_owned()]),
        found => found.map(|_| Vec::new()),
    }
}

/// The changes whose marks have no server's code, for replay.
pub(crate) fn uncoded_marks(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT change_id, generation, code FROM settled WHERE tenant = $tenant ORDER BY change_id",
        &[],
    )?;
    let mut found = Vec::new();
    for row in &rows {
        let change_id = row.text("change_id")?;
        if coded_mark(tx, row, &change_id).is_err() {
            found.push(change_id);
        }
    }
    Ok(found)
}

/// Whether a tenant has more open changes than this number.
pub fn has_more_open_than(tx: &mut Tx<'_>, most: i64) -> Result<bool> {
    let sql = format!(
        "SELECT count(*) AS it FROM (SELECT 1 AS one FROM \"change\" WHERE tenant = $tenant AND state IN ({})
            LIMIT $limit) AS few",
        open_states()
    );
    let found = tx.query_one(&sql, &[("limit", most.saturating_add(1).into())])?;
    Ok(found.map(|row| row.int("it")).transpose()?.unwrap_or_default() > most)
}

/// The open changes with a permit that lives.
pub fn with_living_permits(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT DISTINCT p.change_id FROM permit p WHERE p.tenant = $tenant AND p.state = 'issued' AND p.expires_at > $now
            AND EXISTS (SELECT 1 FROM \"change\" c WHERE c.tenant = $tenant AND c.id = p.change_id AND c.state IN ({}))",
        open_states()
    );
    let found = tx.query(&sql, &[("now", now.into())])?;
    let mut ids: Vec<String> = ids(&found, "change_id")?;
    ids.sort();
    Ok(ids)
}

/// The changes that are scheduled or under way and were not judged since this value of the counter, the oldest first.
pub fn begun(tx: &mut Tx<'_>, generation: i64, limit: i64) -> Result<Vec<String>> {
    let found = tx.query(
        "SELECT id FROM \"change\" c WHERE c.tenant = $tenant AND c.state IN ('scheduled', 'implementing')
            AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.tenant = $tenant AND s.change_id = c.id
                AND s.generation >= $generation)
         ORDER BY c.number LIMIT $limit",
        &[("generation", generation.into()), ("limit", limit.into())],
    )?;
    ids(&found, "id")
}

/// The open changes behind a number that were not judged since this value of the counter, by id and number. The codes of the
/// marks are not checked here: [`remove_forged`] does that once, before all counts as settled.
pub fn unjudged_after(tx: &mut Tx<'_>, mark: i64, generation: i64, limit: i64) -> Result<Vec<(String, i64)>> {
    let sql = format!(
        "SELECT id, number FROM \"change\" c WHERE c.tenant = $tenant AND c.number > $mark AND c.state IN ({})
            AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.tenant = $tenant AND s.change_id = c.id
                AND s.generation >= $generation)
         ORDER BY c.number LIMIT $limit",
        open_states()
    );
    let params = [
        ("mark", mark.into()),
        ("generation", generation.into()),
        ("limit", limit.into()),
    ];
    let found = tx.query(&sql, &params)?;
    found
        .iter()
        .map(|row| Ok((row.text("id")?, row.int("number")?)))
        .collect()
}

/// The tenants with open changes that have to be judged again.
pub fn tenants(tx: &mut CrossTx<'_>) -> Result<Vec<String>> {
    ids(
        &tx.query("SELECT tenant FROM unsettled ORDER BY tenant", &[])?,
        "tenant",
    )
}

/// Computes the code of every row, whatever its content.
pub(crate) fn code_rows(tx: &mut Tx<'_>) -> Result<()> {
    // Marks without a code are forgotten: their changes are judged once more.
    tx.execute("DELETE FROM settled WHERE tenant = $tenant", &[])?;
    let Some(row) = tx.query_one("SELECT generation FROM unsettled WHERE tenant = $tenant", &[])? else {
        return Ok(());
    };
    let generation = row.int("generation")?;
    save(
        tx,
        &Unsettled {
            generation,
            since: Timestamp::UNIX_EPOCH,
            urgent: 0,
            pass: 0,
            mark: 0,
            left_out: 0,
        },
    )
}

fn ids(rows: &[Row], column: &str) -> Result<Vec<String>> {
    rows.iter().map(|row| row.text(column)).collect()
}

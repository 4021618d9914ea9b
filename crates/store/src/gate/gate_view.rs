//! The gate's view: one row for each target that could open the gate, found by one lookup.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::row_code::{self, optional};
use crate::tx::Tx;
use crate::value::{Row, Value};

/// A target as the gate sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRow {
    /// The change.
    pub change_id: String,
    /// The target.
    pub target_id: String,
    /// `deploy` or `rollback`.
    pub purpose: String,
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The artifact that may pass.
    pub artifact: Option<String>,
    /// Or the commit.
    pub commit: Option<String>,
    /// All data for the gate's decision, as JSON.
    pub body: String,
}

impl GateRow {
    /// The fields that identify a row.
    pub fn place(&self) -> (&str, &str, &str) {
        (&self.change_id, &self.target_id, &self.purpose)
    }

    /// The fields under its code: all of them.
    fn parts(&self) -> [Vec<u8>; 8] {
        let text = |text: &str| text.as_bytes().to_vec();
        [
            text(&self.change_id),
            text(&self.target_id),
            text(&self.purpose),
            text(&self.service),
            text(&self.environment),
            optional(self.artifact.as_deref()),
            optional(self.commit.as_deref()),
            text(&self.body),
        ]
    }

    fn code(&self, tx: &Tx<'_>) -> Value {
        let parts = self.parts();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        row_code::code(tx.coder(), tx.tenant(), TABLE, &parts)
    }
}

/// The table of the view.
const TABLE: &str = "gate_view";
/// How many rows are read at a time.
const PAGE: i64 = 500;

/// Makes these the rows of a change, and no others. `present` are the existing rows, as [`of_change`] returns them.
pub fn save(tx: &mut Tx<'_>, change_id: &str, present: &[GateRow], rows: &[GateRow]) -> Result<()> {
    let wanted: BTreeMap<_, &GateRow> = rows.iter().map(|row| (key(row), row)).collect();
    let there: BTreeMap<_, &GateRow> = present.iter().map(|row| (key(row), row)).collect();
    // One target of many moves at a time: the rows of the others stay as they are.
    for (key, row) in &there {
        if wanted.get(key) != Some(row) {
            tx.execute(
                "DELETE FROM gate_view WHERE tenant = $tenant AND change_id = $change_id AND target_id = $target_id
                 AND purpose = $purpose",
                &[
                    ("change_id", change_id.into()),
                    ("target_id", key.0.into()),
                    ("purpose", key.1.into()),
                ],
            )?;
        }
    }
    let fresh = wanted.into_iter().filter(|(key, row)| there.get(key) != Some(row));
    for row in fresh.map(|(_, row)| row.clone()) {
        let code = row.code(tx);
        tx.execute(
            "INSERT INTO gate_view (tenant, change_id, target_id, purpose, service, environment, artifact, commit_sha, body,
                code)
             VALUES ($tenant, $change_id, $target_id, $purpose, $service, $environment, $artifact, $commit_sha, $body,
                $code)",
            &[
                ("code", code),
                ("change_id", change_id.into()),
                ("target_id", row.target_id.into()),
                ("purpose", row.purpose.into()),
                ("service", row.service.into()),
                ("environment", row.environment.into()),
                ("artifact", row.artifact.into()),
                ("commit_sha", row.commit.into()),
                ("body", row.body.into()),
            ],
        )?;
    }
    Ok(())
}

/// A row's key among those of its change.
fn key(row: &GateRow) -> (&str, &str) {
    (&row.target_id, &row.purpose)
}

/// The rows of a change that are in only one of the two lists, or differ; those of `present` first.
#[must_use]
pub fn differing(present: &[GateRow], rows: &[GateRow]) -> Vec<GateRow> {
    let wanted: BTreeMap<_, &GateRow> = rows.iter().map(|row| (key(row), row)).collect();
    let there: BTreeMap<_, &GateRow> = present.iter().map(|row| (key(row), row)).collect();
    let gone = present.iter().filter(|row| wanted.get(&key(row)) != Some(row));
    let fresh = rows.iter().filter(|row| there.get(&key(row)) != Some(row));
    gone.chain(fresh).cloned().collect()
}

/// The rows of a change, in the order of targets and purposes.
pub fn of_change(tx: &mut Tx<'_>, change_id: &str) -> Result<Vec<GateRow>> {
    rows_of(tx, change_id)?.iter().map(|row| gate_row(tx, row)).collect()
}

/// The same for replay: a row is returned whatever its code is.
pub fn unchecked_of_change(tx: &mut Tx<'_>, change_id: &str) -> Result<Vec<GateRow>> {
    rows_of(tx, change_id)?.iter().map(unchecked).collect()
}

fn rows_of(tx: &mut Tx<'_>, change_id: &str) -> Result<Vec<Row>> {
    tx.query(
        "SELECT * FROM gate_view WHERE tenant = $tenant AND change_id = $change_id ORDER BY target_id, purpose",
        &[("change_id", change_id.into())],
    )
}

/// The rows for a service and environment with this artifact or this commit. Neither finds nothing.
pub fn find(
    tx: &mut Tx<'_>,
    service: &str,
    environment: &str,
    artifact: Option<&str>,
    commit: Option<&str>,
) -> Result<Vec<GateRow>> {
    // Sorted here: the table's key has this order, and with an ORDER BY the engine would scan all rows by that key rather than
    // look the few up by their indexes.
    let found = tx.query(
        "SELECT * FROM gate_view WHERE tenant = $tenant AND service = $service AND environment = $environment
         AND artifact = $artifact
         UNION ALL
         SELECT * FROM gate_view WHERE tenant = $tenant AND service = $service AND environment = $environment
         AND commit_sha = $commit",
        &[
            ("service", service.into()),
            ("environment", environment.into()),
            ("artifact", artifact.into()),
            ("commit", commit.into()),
        ],
    )?;
    let mut rows: Vec<GateRow> = found.iter().map(|row| gate_row(tx, row)).collect::<Result<_>>()?;
    rows.sort_by(|one, other| one.place().cmp(&other.place()));
    rows.dedup();
    Ok(rows)
}

/// The changes of the rows without a server's code, for replay.
pub(crate) fn uncoded(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let (mut after, mut found) = ((String::new(), String::new(), String::new()), Vec::new());
    loop {
        let rows = tx.query(
            "SELECT * FROM gate_view WHERE tenant = $tenant
             AND (change_id, target_id, purpose) > ($change, $target, $purpose)
             ORDER BY change_id, target_id, purpose LIMIT $limit",
            &[
                ("change", after.0.into()),
                ("target", after.1.into()),
                ("purpose", after.2.into()),
                ("limit", PAGE.into()),
            ],
        )?;
        let Some(last) = rows.last() else { return Ok(found) };
        after = (last.text("change_id")?, last.text("target_id")?, last.text("purpose")?);
        for row in rows.iter().filter(|row| gate_row(tx, row).is_err()) {
            found.push(row.text("change_id")?);
        }
    }
}

/// Computes the code of every row, whatever its content.
pub(crate) fn code_rows(tx: &mut Tx<'_>) -> Result<()> {
    for row in tx.query("SELECT * FROM gate_view WHERE tenant = $tenant ORDER BY change_id", &[])? {
        let it = unchecked(&row)?;
        let code = it.code(tx);
        tx.execute(
            "UPDATE gate_view SET code = $code WHERE tenant = $tenant AND change_id = $change_id
             AND target_id = $target_id AND purpose = $purpose",
            &[
                ("code", code),
                ("change_id", it.change_id.into()),
                ("target_id", it.target_id.into()),
                ("purpose", it.purpose.into()),
            ],
        )?;
    }
    Ok(())
}

fn gate_row(tx: &Tx<'_>, row: &Row) -> Result<GateRow> {
    let found = unchecked(row)?;
    let parts = found.parts();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    row_code::check(tx.coder(), row, (tx.tenant(), TABLE, &found.change_id), &parts)?;
    Ok(found)
}

fn unchecked(row: &Row) -> Result<GateRow> {
    Ok(GateRow {
        change_id: row.text("change_id")?,
        target_id: row.text("target_id")?,
        purpose: row.text("purpose")?,
        service: row.text("service")?,
        environment: row.text("environment")?,
        artifact: row.opt_text("artifact")?,
        commit: row.opt_text("commit_sha")?,
        body: row.text("body")?,
    })
}

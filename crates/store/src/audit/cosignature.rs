//! Cosignatures of witnesses: the newest of each.

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// A witness's newest cosignature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's id.
    pub witness: String,
    /// The log's size at the signed checkpoint.
    pub size: i64,
    /// When it signed, in seconds since 1970.
    pub time: i64,
    /// Its line in a note, with the end of the line.
    pub line: String,
}

/// Keeps a cosignature in the place of an older one. `false` when a newer one is there: of a greater log, or of the same and
/// later.
pub fn save(tx: &mut Tx<'_>, it: &Cosignature) -> Result<bool> {
    let done = tx.execute(
        "INSERT INTO cosignature (tenant, witness, size, time, line) VALUES ($tenant, $witness, $size, $time, $line)
         ON CONFLICT (tenant, witness) DO UPDATE SET size = $size, time = $time, line = $line
         WHERE cosignature.size < $size OR (cosignature.size = $size AND cosignature.time <= $time)",
        &[
            ("witness", it.witness.as_str().into()),
            ("size", it.size.into()),
            ("time", it.time.into()),
            ("line", it.line.as_str().into()),
        ],
    )?;
    Ok(done > 0)
}

/// The newest one of each witness, in the order of their ids.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Cosignature>> {
    tx.query("SELECT * FROM cosignature WHERE tenant = $tenant ORDER BY witness", &[])?
        .iter()
        .map(cosignature)
        .collect()
}

/// Forgets a witness's. Returns whether there was one.
pub fn delete(tx: &mut Tx<'_>, witness: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM cosignature WHERE tenant = $tenant AND witness = $witness",
        &[("witness", witness.into())],
    )?;
    Ok(done > 0)
}

fn cosignature(row: &Row) -> Result<Cosignature> {
    Ok(Cosignature {
        witness: row.text("witness")?,
        size: row.int("size")?,
        time: row.int("time")?,
        line: row.text("line")?,
    })
}

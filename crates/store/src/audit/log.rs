//! The log of a tenant: its size, its tiles, its checkpoints. One holder at a time writes it, fenced by an epoch.

use jiff::Timestamp;

use crate::error::Result;
use crate::queue::lease::{IS_FREE, believed};
use crate::row_code;
use crate::tx::{CrossTx, Tx};
use crate::value::{Row, Value};

/// The table of checkpoints.
const CHECKPOINT: &str = "checkpoint";
/// How many checkpoints are read at a time.
const PAGE: i64 = 500;

/// The size of a log, and the holder of its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// How many events have a place.
    pub size: i64,
    /// The tree's root at that size, as text.
    pub root: String,
    /// The signed note at that size.
    pub checkpoint: String,
    /// Grows with each new holder: writes of a former holder do not match.
    pub epoch: i64,
    /// The holder of the sequencer's lease.
    pub holder: String,
    /// Until when.
    pub lease_until: Timestamp,
}

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's size.
    pub size: i64,
    /// The signed note, with cosignatures.
    pub note: String,
    /// When it was signed.
    pub at: Timestamp,
}

impl Checkpoint {
    /// The fields under its code: its own, and the size of the checkpoint before it, so that none is removed unnoticed.
    fn parts(&self, before: Option<i64>) -> [Vec<u8>; 4] {
        let number = |number: i64| number.to_be_bytes().to_vec();
        [
            number(self.size),
            self.note.as_bytes().to_vec(),
            number(self.at.as_microsecond()),
            before.map_or_else(Vec::new, number),
        ]
    }

    fn code(&self, tx: &Tx<'_>, before: Option<i64>) -> Value {
        let parts = self.parts(before);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        row_code::code(tx.coder(), tx.tenant(), CHECKPOINT, &parts)
    }
}

/// Begins a tenant's log. Nothing happens when it is there.
pub fn create(tx: &mut Tx<'_>, root: &str, checkpoint: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO log_state (tenant, size, root, checkpoint, epoch, holder, lease_until)
         VALUES ($tenant, 0, $root, $checkpoint, 0, '', 0) ON CONFLICT DO NOTHING",
        &[("root", root.into()), ("checkpoint", checkpoint.into())],
    )?;
    Ok(())
}

/// How far the log is.
pub fn state(tx: &mut Tx<'_>) -> Result<Option<LogState>> {
    tx.query_one("SELECT * FROM log_state WHERE tenant = $tenant", &[])?
        .map(|row| log_state(&row))
        .transpose()
}

/// Takes or extends the lease, when nobody else holds it now, or when its end is implausible. `None` when another server holds
/// it, or there is no log.
pub fn take(tx: &mut Tx<'_>, now: Timestamp, until: Timestamp, holder: &str) -> Result<Option<LogState>> {
    let sql = format!(
        "UPDATE log_state SET
            epoch = CASE WHEN holder = $holder AND lease_until > $now THEN epoch ELSE epoch + 1 END,
            holder = $holder, lease_until = $until
         WHERE tenant = $tenant AND (holder = $holder OR {IS_FREE}) RETURNING *"
    );
    tx.query_one(
        &sql,
        &[
            ("holder", holder.into()),
            ("now", now.into()),
            ("believed", believed(now).into()),
            ("until", until.into()),
        ],
    )?
    .map(|row| log_state(&row))
    .transpose()
}

/// Releases the lease, so that the next server need not wait until it ends. A server without the lease changes nothing.
pub fn lay_down(tx: &mut Tx<'_>, holder: &str) -> Result<()> {
    tx.execute(
        "UPDATE log_state SET lease_until = 0 WHERE tenant = $tenant AND holder = $holder AND lease_until > 0",
        &[("holder", holder.into())],
    )?;
    Ok(())
}

/// Moves the log on, or signs the same size again. `false` when the epoch or the size is no longer the writer's: then the
/// writer must roll back.
pub fn advance(tx: &mut Tx<'_>, epoch: i64, from: i64, to: &Advance<'_>) -> Result<bool> {
    let done = tx.execute(
        "UPDATE log_state SET size = $size, root = $root, checkpoint = $checkpoint
         WHERE tenant = $tenant AND epoch = $epoch AND size = $from",
        &[
            ("size", to.size.into()),
            ("root", to.root.into()),
            ("checkpoint", to.checkpoint.into()),
            ("epoch", epoch.into()),
            ("from", from.into()),
        ],
    )?;
    Ok(done > 0)
}

/// Where a log moves to.
#[derive(Debug, Clone, Copy)]
pub struct Advance<'a> {
    /// The new size.
    pub size: i64,
    /// The root at that size.
    pub root: &'a str,
    /// The signed note.
    pub checkpoint: &'a str,
}

/// Every log's tenant and size: a server polls these to notice other servers' entries.
pub fn sizes(tx: &mut CrossTx<'_>) -> Result<Vec<(String, i64)>> {
    tx.query("SELECT tenant, size FROM log_state ORDER BY tenant", &[])?
        .iter()
        .map(|row| Ok((row.text("tenant")?, row.int("size")?)))
        .collect()
}

/// Keeps a tile under its path. A tile never changes, so a repetition is ignored.
pub fn save_tile(tx: &mut Tx<'_>, path: &str, bytes: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO log_tile (tenant, path, bytes) VALUES ($tenant, $path, $bytes) ON CONFLICT DO NOTHING",
        &[("path", path.into()), ("bytes", bytes.into())],
    )?;
    Ok(())
}

/// The tile under a path.
pub fn tile(tx: &mut Tx<'_>, path: &str) -> Result<Option<Vec<u8>>> {
    tx.query_one(
        "SELECT bytes FROM log_tile WHERE tenant = $tenant AND path = $path",
        &[("path", path.into())],
    )?
    .map(|row| row.bytes("bytes"))
    .transpose()
}

/// Removes a partial tile once the full one is there.
pub fn delete_tile(tx: &mut Tx<'_>, path: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM log_tile WHERE tenant = $tenant AND path = $path",
        &[("path", path.into())],
    )?;
    Ok(done > 0)
}

/// Stores a checkpoint; a new signature of the same size replaces it. `before` is the size that the log had until now, also if
/// its row is gone; `None` for the first checkpoint.
pub fn save_checkpoint(tx: &mut Tx<'_>, checkpoint: &Checkpoint, before: Option<i64>) -> Result<()> {
    let code = checkpoint.code(tx, before);
    tx.execute(
        "INSERT INTO checkpoint (tenant, size, note, at, code) VALUES ($tenant, $size, $note, $at, $code)
         ON CONFLICT (tenant, size) DO UPDATE SET note = $note, at = $at, code = $code",
        &[
            ("code", code),
            ("size", checkpoint.size.into()),
            ("note", checkpoint.note.as_str().into()),
            ("at", checkpoint.at.into()),
        ],
    )?;
    Ok(())
}

/// The newest checkpoint.
pub fn last_checkpoint(tx: &mut Tx<'_>) -> Result<Option<Checkpoint>> {
    tx.query_one(
        "SELECT size, note, at FROM checkpoint WHERE tenant = $tenant ORDER BY size DESC LIMIT 1",
        &[],
    )?
    .map(|row| checkpoint(&row))
    .transpose()
}

/// The smallest checkpoint that covers an index, for the proof of one event.
pub fn checkpoint_covering(tx: &mut Tx<'_>, seq: i64) -> Result<Option<Checkpoint>> {
    tx.query_one(
        "SELECT size, note, at FROM checkpoint WHERE tenant = $tenant AND size > $seq ORDER BY size LIMIT 1",
        &[("seq", seq.into())],
    )?
    .map(|row| checkpoint(&row))
    .transpose()
}

/// Checkpoints of a size beyond `after`, the smallest first.
pub fn checkpoints(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<Checkpoint>> {
    tx.query(
        "SELECT size, note, at FROM checkpoint WHERE tenant = $tenant AND size > $after ORDER BY size LIMIT $limit",
        &[("after", after.into()), ("limit", limit.into())],
    )?
    .iter()
    .map(checkpoint)
    .collect()
}

/// All rows behind a size with their codes, the smallest first.
fn coded_page(tx: &mut Tx<'_>, after: Option<i64>) -> Result<Vec<Row>> {
    tx.query(
        "SELECT size, note, at, code FROM checkpoint WHERE tenant = $tenant AND size > $after ORDER BY size LIMIT $limit",
        &[("after", after.unwrap_or(i64::MIN).into()), ("limit", PAGE.into())],
    )
}

/// The sizes of the checkpoints without a server's code, for replay: a row that was edited, and one whose predecessor is gone.
pub(crate) fn uncoded(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let (mut before, mut found) = (None, Vec::new());
    loop {
        let rows = coded_page(tx, before)?;
        if rows.is_empty() {
            return Ok(found);
        }
        for row in &rows {
            let size = row.int("size")?;
            if check_code(tx, row, before).is_err() {
                found.push(size.to_string());
            }
            before = Some(size);
        }
    }
}

fn check_code(tx: &Tx<'_>, row: &Row, before: Option<i64>) -> Result<()> {
    let found = checkpoint(row)?;
    let parts = found.parts(before);
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let id = found.size.to_string();
    row_code::check(tx.coder(), row, (tx.tenant(), CHECKPOINT, &id), &parts)
}

/// Computes the code of every checkpoint, whatever its content.
pub(crate) fn code_checkpoints(tx: &mut Tx<'_>) -> Result<()> {
    let mut before = None;
    loop {
        let rows = coded_page(tx, before)?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            let it = checkpoint(row)?;
            let code = it.code(tx, before);
            tx.execute(
                "UPDATE checkpoint SET code = $code WHERE tenant = $tenant AND size = $size",
                &[("code", code), ("size", it.size.into())],
            )?;
            before = Some(it.size);
        }
    }
}

fn checkpoint(row: &Row) -> Result<Checkpoint> {
    Ok(Checkpoint {
        size: row.int("size")?,
        note: row.text("note")?,
        at: row.time("at")?,
    })
}

fn log_state(row: &Row) -> Result<LogState> {
    Ok(LogState {
        size: row.int("size")?,
        root: row.text("root")?,
        checkpoint: row.text("checkpoint")?,
        epoch: row.int("epoch")?,
        holder: row.text("holder")?,
        lease_until: row.time("lease_until")?,
    })
}

//! Evidence files in the database, in chunks, for servers without a disk of their own.

use crate::error::Result;
use crate::tx::Tx;

/// Keeps one chunk of a file. The same digest twice is the same file.
pub fn save_chunk(tx: &mut Tx<'_>, digest: &str, part: i64, bytes: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO evidence_chunk (tenant, digest, part, bytes) VALUES ($tenant, $digest, $part, $bytes)
         ON CONFLICT DO NOTHING",
        &[
            ("digest", digest.into()),
            ("part", part.into()),
            ("bytes", bytes.into()),
        ],
    )?;
    Ok(())
}

/// Declares a file whole, with its size in bytes. Before that its chunks are not found.
pub fn finish(tx: &mut Tx<'_>, digest: &str, size: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO evidence_blob (tenant, digest, size) VALUES ($tenant, $digest, $size) ON CONFLICT DO NOTHING",
        &[("digest", digest.into()), ("size", size.into())],
    )?;
    Ok(())
}

/// The size of a whole file.
pub fn size(tx: &mut Tx<'_>, digest: &str) -> Result<Option<i64>> {
    tx.query_one(
        "SELECT size FROM evidence_blob WHERE tenant = $tenant AND digest = $digest",
        &[("digest", digest.into())],
    )?
    .map(|row| row.int("size"))
    .transpose()
}

/// One chunk of a file; parts count from 0.
pub fn chunk(tx: &mut Tx<'_>, digest: &str, part: i64) -> Result<Option<Vec<u8>>> {
    tx.query_one(
        "SELECT bytes FROM evidence_chunk WHERE tenant = $tenant AND digest = $digest AND part = $part",
        &[("digest", digest.into()), ("part", part.into())],
    )?
    .map(|row| row.bytes("bytes"))
    .transpose()
}

/// Removes a file that nothing names any more.
pub fn delete(tx: &mut Tx<'_>, digest: &str) -> Result<bool> {
    tx.execute(
        "DELETE FROM evidence_chunk WHERE tenant = $tenant AND digest = $digest",
        &[("digest", digest.into())],
    )?;
    let done = tx.execute(
        "DELETE FROM evidence_blob WHERE tenant = $tenant AND digest = $digest",
        &[("digest", digest.into())],
    )?;
    Ok(done > 0)
}

//! Evidence files in the database, in chunks, for servers without a disk of their own.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

/// Keeps one chunk of a file. The same digest twice is the same file, which is young again, and whole if it was damaged.
pub fn save_chunk(tx: &mut Tx<'_>, digest: &str, part: i64, bytes: &[u8], now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO evidence_chunk (tenant, digest, part, bytes, kept_at)
         VALUES ($tenant, $digest, $part, $bytes, $now)
         ON CONFLICT (tenant, digest, part) DO UPDATE SET bytes = $bytes, kept_at = $now",
        &[
            ("digest", digest.into()),
            ("part", part.into()),
            ("bytes", bytes.into()),
            ("now", now.into()),
        ],
    )?;
    Ok(())
}

/// Declares a file whole, with its size in bytes. Before that its chunks are not found.
pub fn finish(tx: &mut Tx<'_>, digest: &str, size: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO evidence_blob (tenant, digest, size, kept_at) VALUES ($tenant, $digest, $size, $now)
         ON CONFLICT (tenant, digest) DO UPDATE SET size = $size, kept_at = $now",
        &[("digest", digest.into()), ("size", size.into()), ("now", now.into())],
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

/// A chunk without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its place in the file; the first has 0.
    pub number: i64,
    /// Its length in bytes.
    pub length: i64,
}

/// The chunks of a file from a place on, in their order and without their bytes.
pub fn parts(tx: &mut Tx<'_>, digest: &str, from: i64, limit: i64) -> Result<Vec<Part>> {
    let rows = tx.query(
        "SELECT part, CAST(length(bytes) AS BIGINT) AS size FROM evidence_chunk
         WHERE tenant = $tenant AND digest = $digest AND part >= $from ORDER BY part LIMIT $limit",
        &[
            ("digest", digest.into()),
            ("from", from.into()),
            ("limit", limit.into()),
        ],
    )?;
    let part = |row: &Row| {
        Ok(Part {
            number: row.int("part")?,
            length: row.int("size")?,
        })
    };
    rows.iter().map(part).collect()
}

/// Removes files that were kept before `before` and that no evidence names, and parts of files that never became whole.
/// Returns how many rows were removed. An act that is about to name a file has stored it again, so that the file is young.
pub fn sweep(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64> {
    let files = tx.execute(
        "DELETE FROM evidence_blob WHERE tenant = $tenant AND kept_at < $before AND NOT EXISTS (
            SELECT 1 FROM evidence
            WHERE evidence.tenant = $tenant AND evidence.file_digest = 'sha256:' || evidence_blob.digest)",
        &[("before", before.into())],
    )?;
    let parts = tx.execute(
        "DELETE FROM evidence_chunk WHERE tenant = $tenant AND kept_at < $before AND NOT EXISTS (
            SELECT 1 FROM evidence_blob
            WHERE evidence_blob.tenant = $tenant AND evidence_blob.digest = evidence_chunk.digest)",
        &[("before", before.into())],
    )?;
    Ok(files + parts)
}

/// The digests (`sha256:…`) of the given ones that evidence of any of these tenants names: files in the folder are shared.
pub fn named(tx: &mut CrossTx<'_>, tenants: &[String], digests: &[String]) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for digest in digests {
        for tenant in tenants {
            let row = tx.query_one(
                "SELECT file_digest FROM evidence WHERE tenant = $of AND file_digest = $digest ORDER BY id LIMIT 1",
                &[("of", tenant.as_str().into()), ("digest", digest.as_str().into())],
            )?;
            if row.is_some() {
                found.insert(digest.clone());
                break;
            }
        }
    }
    Ok(found)
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

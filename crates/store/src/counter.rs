//! Numbers that only grow: keys of changes and incidents, generations of caches.

use crate::error::{Error, Result};
use crate::tx::Tx;

/// The counter that grows with each write of the estate: people, tokens, services, freezes, templates. A value read at one
/// count is valid until the counter moves.
pub const DIRECTORY: &str = "directory";

/// Raises a counter by one and returns it; the first result is 1.
pub fn next(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    tx.query_one(
        "INSERT INTO counter (tenant, name, value) VALUES ($tenant, $name, 1)
         ON CONFLICT (tenant, name) DO UPDATE SET value = counter.value + 1 RETURNING value",
        &[("name", name.into())],
    )?
    .ok_or_else(|| Error::other("the counter answered nothing"))?
    .int("value")
}

/// The next number for a record of the tenant; the first is 1. On SQLite numbers have no gaps. On PostgreSQL a number is taken
/// outside of the transaction, so that acts at the same time do not lose their races for the counter; one whose act does not
/// commit goes back to the counter, or is left out if another act has taken the next one.
pub fn next_number(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    match tx.number(name) {
        Some(number) => Ok(number),
        None => next(tx, name),
    }
}

/// Whether [`next_number`] may leave numbers out.
#[must_use]
pub fn may_leave_out(tx: &Tx<'_>) -> bool {
    tx.numbers_outside()
}

/// The present value of a counter; 0 before the first `next`.
pub fn get(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    tx.query_one(
        "SELECT value FROM counter WHERE tenant = $tenant AND name = $name",
        &[("name", name.into())],
    )?
    .map_or(Ok(0), |row| row.int("value"))
}

/// Raises a counter to at least this, so that numbers begin at a chosen value or after imported ones.
pub fn raise_to(tx: &mut Tx<'_>, name: &str, value: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO counter (tenant, name, value) VALUES ($tenant, $name, $value)
         ON CONFLICT (tenant, name) DO UPDATE SET value = $value WHERE counter.value < $value",
        &[("name", name.into()), ("value", value.into())],
    )?;
    Ok(())
}

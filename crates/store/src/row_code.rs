//! Codes over rows. A row that opens something carries a message authentication code under a key that is not in the
//! database, so that nobody can plant or alter such a row with access to the database alone.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::value::{Row, Value};

/// Makes the code of a row from its parts: HMAC-SHA256 (RFC 2104) under a key that only servers have.
pub type RowCoder = Arc<dyn Fn(&[&[u8]]) -> [u8; 32] + Send + Sync>;

/// The form of a code. Another key or another order of the parts gets another number.
const FORM: u8 = 1;

/// The code of a row over its tenant, its table and its parts; NULL without a coder.
pub(crate) fn code(coder: Option<&RowCoder>, tenant: &str, table: &str, parts: &[&[u8]]) -> Value {
    coder.map_or(Value::Null, |coder| Value::Bytes(made(coder, tenant, table, parts)))
}

fn made(coder: &RowCoder, tenant: &str, table: &str, parts: &[&[u8]]) -> Vec<u8> {
    let all: Vec<&[u8]> = [tenant.as_bytes(), table.as_bytes()]
        .into_iter()
        .chain(parts.iter().copied())
        .collect();
    [&[FORM][..], &coder(&all)].concat()
}

/// Checks the column `code` of a row that was read. Without a coder every row is taken: only tests of this crate and tools
/// that change nothing open a store in this way.
///
/// # Errors
/// `Corrupt` with the table and the row's id where the code is missing or belongs to another content.
pub(crate) fn check(
    coder: Option<&RowCoder>,
    row: &Row,
    (tenant, table, id): (&str, &str, &str),
    parts: &[&[u8]],
) -> Result<()> {
    let Some(coder) = coder else { return Ok(()) };
    let kept = row.opt_bytes("code")?.unwrap_or_default();
    if is_equal(&kept, &made(coder, tenant, table, parts)) {
        return Ok(());
    }
    Err(Error::Corrupt(format!(
        "the row `{id}` of `{table}` has no valid code of a server: it was written into the database past Assent. \
         `assent audit replay` names every such row"
    )))
}

/// Compares in a time that depends on the lengths alone.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// A part that may be absent; absence and an empty text differ.
pub(crate) fn optional(part: Option<&str>) -> Vec<u8> {
    part.map_or_else(|| vec![0], |text| [&[1], text.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_differ_by_tenant_table_and_part() {
        let coder: RowCoder = Arc::new(|parts| {
            let mut sum = [0; 32];
            for (at, byte) in parts.concat().iter().enumerate() {
                sum[at % 32] ^= byte.rotate_left(u32::try_from(at % 8).expect("below eight"));
            }
            sum
        });
        let one = code(Some(&coder), "acme", "approval", &[b"1", b"{}"]);
        assert_eq!(one, code(Some(&coder), "acme", "approval", &[b"1", b"{}"]));
        assert_ne!(one, code(Some(&coder), "acmf", "approval", &[b"1", b"{}"]));
        assert_ne!(one, code(Some(&coder), "acme", "approvak", &[b"1", b"{}"]));
        assert_ne!(one, code(Some(&coder), "acme", "approval", &[b"1", b"{ }"]));
        assert_eq!(code(None, "acme", "approval", &[]), Value::Null);
    }
}

//! Codes for the rows of a version that had none.

use crate::change::unsettled;
use crate::error::Result;
use crate::gate::gate_view;
use crate::identity::{second_factor, secrets};
use crate::tx::Tx;
use crate::{nouns, record};

/// Computes the code of every row that can give access, whatever its content: for data of a version without codes.
pub fn code_all(tx: &mut Tx<'_>) -> Result<()> {
    for table in nouns::TABLES {
        record::code_rows(tx, table)?;
    }
    gate_view::code_rows(tx)?;
    unsettled::code_rows(tx)?;
    secrets::code_passwords(tx)?;
    second_factor::code_rows(tx)?;
    // Credentials of jobs last at most an hour; the jobs sign in again.
    tx.execute("DELETE FROM workload_token WHERE tenant = $tenant", &[])?;
    Ok(())
}

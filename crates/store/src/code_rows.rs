//! Codes of all rows: which tables have them beside those of records, and how rows of a version that had none get theirs.

use crate::audit::log;
use crate::change::unsettled;
use crate::error::Result;
use crate::gate::gate_view;
use crate::identity::{second_factor, secrets, workload};
use crate::queue::timer;
use crate::tx::Tx;
use crate::{nouns, record};

/// Lists the rows of a table whose code is not a server's, each by its id or by the id of what it belongs to.
pub type Uncoded = fn(&mut Tx<'_>) -> Result<Vec<String>>;

/// The tables with codes other than those of [`nouns::TABLES`], for replay.
pub const APART: &[(&str, Uncoded)] = &[
    ("gate_view", gate_view::uncoded),
    ("unsettled", unsettled::uncoded),
    ("settled", unsettled::uncoded_marks),
    ("password", secrets::uncoded),
    ("second_factor", second_factor::uncoded),
    ("workload_token", workload::uncoded),
    ("timer", timer::uncoded),
    ("checkpoint", log::uncoded),
];

/// Computes the code of every row that has one, whatever its content: for data of a version without codes.
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
    code_timers(tx)
}

/// The same for timers and checkpoints alone: for data of a version without codes of these.
pub fn code_timers(tx: &mut Tx<'_>) -> Result<()> {
    timer::code_rows(tx)?;
    log::code_checkpoints(tx)
}

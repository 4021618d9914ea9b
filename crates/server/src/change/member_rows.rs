//! Members of a change as a table, from the API and from the page.

use acts::change::set_members::MemberRow;
use connect::change::members::{TableRow, read_table};
use model::core::refusal::Refusal;

/// The longest table of members, in characters.
pub(crate) const CSV: usize = 900_000;

/// The rows of a table of members, with their places for errors.
///
/// # Errors
/// 422 with the line.
pub(crate) fn rows_of(csv: &str) -> Result<Vec<MemberRow>, Refusal> {
    let rows = read_table(csv).map_err(|problem| Refusal::field("csv", "not_a_table", problem.to_string()))?;
    let row = |row: TableRow| MemberRow {
        place: format!("csv line {}", row.line),
        service: row.service,
        environment: row.environment,
        member: row.member,
        region: row.region,
        canary: row.canary,
    };
    Ok(rows.into_iter().map(row).collect())
}

//! How often and when gates were used, by door and place; refused requests with their reason. Operational: no decision rests on
//! it.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// The most refused questions that are kept a tenant; the oldest go first.
const MOST_REFUSED: i64 = 1_000;

/// Requests of one kind at one door about one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateUse {
    /// The door: `plain`, `http`, `envoy`, `kubernetes`, or the gateway's own name.
    pub door: String,
    /// The service; empty when none was named that is known.
    pub service: String,
    /// The environment; empty likewise.
    pub environment: String,
    /// Why the request was refused; empty when it got a decision.
    pub code: String,
    /// The subject of a refused request: a digest, a kind.
    pub subject: String,
    /// The reason of the last refusal, in a sentence.
    pub text: String,
    /// How many there were.
    pub asked: i64,
    /// The first.
    pub first_at: Timestamp,
    /// The last.
    pub last_at: Timestamp,
}

/// Adds requests to the counters.
pub fn add(tx: &mut Tx<'_>, rows: &[GateUse]) -> Result<()> {
    for row in rows {
        tx.execute(
            "INSERT INTO gate_use (tenant, door, service, environment, code, subject, text, asked, first_at, last_at)
             VALUES ($tenant, $door, $service, $environment, $code, $subject, $text, $asked, $first_at, $last_at)
             ON CONFLICT (tenant, door, service, environment, code, subject) DO UPDATE
             SET text = $text, asked = gate_use.asked + $asked, last_at = $last_at",
            &[
                ("door", row.door.as_str().into()),
                ("service", row.service.as_str().into()),
                ("environment", row.environment.as_str().into()),
                ("code", row.code.as_str().into()),
                ("subject", row.subject.as_str().into()),
                ("text", row.text.as_str().into()),
                ("asked", row.asked.into()),
                ("first_at", row.first_at.into()),
                ("last_at", row.last_at.into()),
            ],
        )?;
    }
    if rows.iter().any(|row| !row.code.is_empty()) {
        prune(tx)?;
    }
    Ok(())
}

/// Keeps the newest refused questions.
fn prune(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute(
        "DELETE FROM gate_use WHERE tenant = $tenant AND code <> '' AND last_at <
         (SELECT MIN(last_at) FROM (SELECT last_at FROM gate_use WHERE tenant = $tenant AND code <> ''
          ORDER BY last_at DESC LIMIT $most) AS kept)",
        &[("most", MOST_REFUSED.into())],
    )?;
    Ok(())
}

/// Refused questions, the newest first.
pub fn refused(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<GateUse>> {
    tx.query(
        "SELECT * FROM gate_use WHERE tenant = $tenant AND code <> ''
         ORDER BY last_at DESC, door, service, environment, code, subject LIMIT $limit",
        &[("limit", limit.into())],
    )?
    .iter()
    .map(gate_use)
    .collect()
}

/// The doors and places of gate requests, with the last time.
pub fn answered(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<GateUse>> {
    tx.query(
        "SELECT * FROM gate_use WHERE tenant = $tenant AND code = ''
         ORDER BY service, environment, door, subject LIMIT $limit",
        &[("limit", limit.into())],
    )?
    .iter()
    .map(gate_use)
    .collect()
}

fn gate_use(row: &Row) -> Result<GateUse> {
    Ok(GateUse {
        door: row.text("door")?,
        service: row.text("service")?,
        environment: row.text("environment")?,
        code: row.text("code")?,
        subject: row.text("subject")?,
        text: row.text("text")?,
        asked: row.int("asked")?,
        first_at: row.time("first_at")?,
        last_at: row.time("last_at")?,
    })
}

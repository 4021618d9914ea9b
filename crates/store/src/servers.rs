//! Servers that are up, and the tenants they serve: data that concern no single tenant.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::CrossTx;

/// A server that reported itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its id, new with each start.
    pub id: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last reported itself.
    pub beat_at: Timestamp,
    /// Its version.
    pub version: String,
}

/// Records a server, for the first time or again.
pub fn beat(tx: &mut CrossTx<'_>, server: &Server) -> Result<()> {
    tx.execute(
        "INSERT INTO server (id, started_at, beat_at, version) VALUES ($id, $started_at, $beat_at, $version)
         ON CONFLICT (id) DO UPDATE SET beat_at = $beat_at",
        &[
            ("id", server.id.as_str().into()),
            ("started_at", server.started_at.into()),
            ("beat_at", server.beat_at.into()),
            ("version", server.version.as_str().into()),
        ],
    )?;
    Ok(())
}

/// Servers that reported themselves at or after `since`.
pub fn list(tx: &mut CrossTx<'_>, since: Timestamp) -> Result<Vec<Server>> {
    tx.query(
        "SELECT * FROM server WHERE beat_at >= $since ORDER BY id",
        &[("since", since.into())],
    )?
    .iter()
    .map(|row| {
        Ok(Server {
            id: row.text("id")?,
            started_at: row.time("started_at")?,
            beat_at: row.time("beat_at")?,
            version: row.text("version")?,
        })
    })
    .collect()
}

/// Forgets servers that have been silent since before `before`.
pub fn prune(tx: &mut CrossTx<'_>, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM server WHERE beat_at < $before",
        &[("before", before.into())],
    )
}

/// Writes a row and removes it again, so that a transaction of it shows whether anything can be written.
pub fn prove_writes(tx: &mut CrossTx<'_>, now: Timestamp) -> Result<()> {
    let id = format!("probe-{now}");
    tx.execute(
        "INSERT INTO server (id, started_at, beat_at, version) VALUES ($id, $now, $now, '')",
        &[("id", id.as_str().into()), ("now", now.into())],
    )?;
    tx.execute("DELETE FROM server WHERE id = $id", &[("id", id.as_str().into())])?;
    Ok(())
}

/// The tenant of a connection.
pub fn tenant_of_connection(tx: &mut CrossTx<'_>, id: &str) -> Result<Option<String>> {
    tx.query_one("SELECT tenant FROM connection WHERE id = $id", &[("id", id.into())])?
        .map(|row| row.text("tenant"))
        .transpose()
}

/// The ids of all tenants that have settings.
pub fn tenants(tx: &mut CrossTx<'_>) -> Result<Vec<String>> {
    tx.query("SELECT tenant FROM tenant_info ORDER BY tenant", &[])?
        .iter()
        .map(|row| row.text("tenant"))
        .collect()
}

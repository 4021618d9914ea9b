//! Connections whose valid deliveries match nothing, so that their reports are lost without notice.

use jiff::Timestamp;
use model::directory::snapshot::Connection;
use store::integration::inbox;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// How many of the latest deliveries are examined.
const LOOKED_AT: i64 = 100;
/// The text by which `take_delivery` reports that the map has no row for a delivery.
pub(crate) const NOTHING: &str = "is mapped to nothing here";

/// The match counts of a connection's latest deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// The connection's name.
    pub name: String,
    /// How many of its latest deliveries named an unmapped place.
    pub count: usize,
    /// When the last of them came.
    pub last_at: Timestamp,
    /// The result text of the last one.
    pub text: String,
}

/// A connection whose latest deliveries match no row of its map; `None` where one of them did, or none named anything.
///
/// # Errors
/// The store's.
pub fn of_connection(cx: &mut Context<'_, '_>, connection: &Connection) -> Result<Option<Unmatched>> {
    let rows = inbox::list_of(cx.tx, connection.id.as_str(), Some("done"), None, LOOKED_AT)?;
    let parts = |row: &inbox::Delivery| -> Vec<String> {
        let result = row.result.as_deref().unwrap_or_default();
        result.split("; ").map(str::to_owned).collect()
    };
    let is_taken = |text: &String| !text.is_empty() && !text.starts_with("noted: ") && text != "ping";
    if rows.iter().any(|row| parts(row).iter().any(is_taken)) {
        return Ok(None);
    }
    let strangers: Vec<(Timestamp, String)> = rows
        .iter()
        .filter_map(|row| {
            Some((
                row.received_at,
                parts(row).into_iter().find(|it| it.ends_with(NOTHING))?,
            ))
        })
        .collect();
    Ok(strangers.first().map(|(last_at, text)| Unmatched {
        name: connection.name.clone(),
        count: strangers.len(),
        last_at: *last_at,
        text: text.trim_start_matches("noted: ").to_owned(),
    }))
}

/// The active connections whose deliveries match nothing.
///
/// # Errors
/// The store's.
pub fn all(cx: &mut Context<'_, '_>) -> Result<Vec<Unmatched>> {
    let connections = record::bodies::<Connection>(cx.tx, &Filter::new().order_by("id"))?;
    let mut found = Vec::new();
    for connection in connections.iter().filter(|it| it.active) {
        found.extend(of_connection(cx, connection)?);
    }
    Ok(found)
}

//! The table of watch windows: proposed like any configuration that moves decisions.

use model::core::act;
use model::core::body::Body;
use model::core::enums::ConfigurationKind;
use model::core::parse::{Reading, TEXT};
use model::incident::watch_table::{LONGEST_WATCH_MINUTES, ROWS, WatchRow, WatchTable};
use model::policy::configuration::Configuration;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::policy::configurations;
use crate::policy::propose_configuration::{bare, save};

/// Proposes a table (`POST /watch-table {table, reason}`); a cell that is not named stays as it is.
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_watch_table(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let present = in_force(cx)?;
    let mut reading = Reading::new(body, "");
    let table = read_table(&mut reading, present);
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let digest = configurations::of_watch_table(&table)?;
    let proposal = Configuration {
        watches: Some(table),
        ..bare(cx, ConfigurationKind::WatchTable, digest, reason)?
    };
    save(cx, proposal)
}

/// The table in force.
///
/// # Errors
/// The store's.
pub fn in_force(cx: &mut Context<'_, '_>) -> Result<WatchTable> {
    let tenant = cx.directory()?.tenant.clone();
    Ok(tenant.map(|tenant| tenant.watch_table).unwrap_or_default())
}

fn read_table(reading: &mut Reading<'_>, present: WatchTable) -> WatchTable {
    let mut table = present;
    let read = reading.object("table", |rows| {
        for name in ROWS {
            let Some(place) = table.named_mut(name) else { continue };
            let before = *place;
            if let Some(row) = rows.object(name, |cells| read_row(cells, before)) {
                *place = row;
            }
        }
    });
    if read.is_none() {
        reading.wrong("table", "missing", "`table` is missing.");
    }
    table
}

/// A window of no length would watch nothing, so one minute is the least.
fn read_row(reading: &mut Reading<'_>, before: WatchRow) -> WatchRow {
    let mut row = before;
    for (risk, minutes) in row.cells_mut() {
        *minutes = reading.integer(risk, 1..=LONGEST_WATCH_MINUTES).unwrap_or(*minutes);
    }
    row
}

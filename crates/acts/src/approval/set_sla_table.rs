//! The table of times to acknowledge and to decide. It is proposed like any configuration that affects decisions.
//! Running clocks keep their times; new requests use the new table.

use model::approval::sla::{ROWS, Sla, SlaTable, about_minutes, read_span};
use model::core::act;
use model::core::body::Body;
use model::core::enums::ConfigurationKind;
use model::core::parse::{LINE, Reading, TEXT};
use model::policy::configuration::Configuration;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::policy::configurations;
use crate::policy::propose_configuration::{bare, save};

/// Proposes a table (`POST /sla-table {table, reason}`); omitted rows are unchanged.
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_sla_table(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let present = in_force(cx)?;
    let mut reading = Reading::new(body, "");
    let table = read_table(&mut reading, present);
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let digest = configurations::of_sla_table(&table)?;
    let proposal = Configuration {
        slas: Some(table),
        ..bare(cx, ConfigurationKind::SlaTable, digest, reason)?
    };
    save(cx, proposal)
}

/// The table in force.
///
/// # Errors
/// The store's.
pub fn in_force(cx: &mut Context<'_, '_>) -> Result<SlaTable> {
    let tenant = cx.directory()?.tenant.clone();
    Ok(tenant.map(|tenant| tenant.sla_table).unwrap_or_default())
}

fn read_table(reading: &mut Reading<'_>, present: SlaTable) -> SlaTable {
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

fn read_row(reading: &mut Reading<'_>, before: Sla) -> Sla {
    let mut row = before;
    let mut is_read = true;
    for (field, span) in [("acknowledge", &mut row.acknowledge), ("decide", &mut row.decide)] {
        let Some(text) = reading.text(field, LINE) else {
            continue;
        };
        match read_span(&text) {
            Some(found) => *span = found,
            None => {
                is_read = false;
                let text = format!(
                    "`{text}` is not a duration: write 15m, 4h or 2d of elapsed time, or 4bh or 2bd of working time, at most \
                     90 days."
                );
                reading.wrong(field, "not_a_span", text);
            }
        }
    }
    // The two times are compared only if both could be read.
    if is_read && about_minutes(row.acknowledge) > about_minutes(row.decide) {
        let text = "The time to acknowledge must not be longer than the time to decide.";
        reading.wrong("acknowledge", "out_of_order", text);
    }
    row
}

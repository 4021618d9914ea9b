//! The records of the estate written at each value of the counter [`crate::counter::DIRECTORY`]: a server with the estate in
//! memory reads these again. Operational: no decision rests on it.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::tx::Tx;

/// How many values of the counter are kept. A server that is further behind reads the whole estate.
const KEPT: i64 = 4_096;
/// Old ones are removed at every multiple of this value.
const AT_EVERY: i64 = 256;
/// The most records of one value: an import that writes more than this is read as a whole.
const MOST: usize = 1_000;
/// The most records that a reader loads one by one to catch up.
const MOST_READ: usize = 5_000;
/// Represents records too many to be named.
const ALL: &str = "*";

/// A record that was written: its table and its id.
pub type Written = (String, String);

/// Stores the records written at a value of the counter, which moves with it.
pub fn insert(tx: &mut Tx<'_>, generation: i64, written: &BTreeSet<Written>) -> Result<()> {
    if written.is_empty() {
        // The counter also moves for records outside the directory, such as tokens: then the row marks that nothing is missing.
        insert_one(tx, generation, ("", ""))?;
    } else if written.len() > MOST {
        insert_one(tx, generation, (ALL, ""))?;
    } else {
        for (noun, id) in written {
            insert_one(tx, generation, (noun, id))?;
        }
    }
    if generation % AT_EVERY == 0 {
        tx.execute(
            "DELETE FROM estate_write WHERE tenant = $tenant AND generation <= $old",
            &[("old", (generation - KEPT).into())],
        )?;
    }
    Ok(())
}

fn insert_one(tx: &mut Tx<'_>, generation: i64, (noun, id): (&str, &str)) -> Result<()> {
    tx.execute(
        "INSERT INTO estate_write (tenant, generation, noun, id) VALUES ($tenant, $generation, $noun, $id)",
        &[
            ("generation", generation.into()),
            ("noun", noun.into()),
            ("id", id.into()),
        ],
    )?;
    Ok(())
}

/// The writes after one value of the counter and up to another. `None` when not all of it is known: when it is too much, too
/// long ago, or an earlier binary moved the counter.
pub fn between(tx: &mut Tx<'_>, after: i64, up_to: i64) -> Result<Option<BTreeSet<Written>>> {
    if up_to < after || up_to - after > KEPT {
        return Ok(None);
    }
    let rows = tx.query(
        "SELECT generation, noun, id FROM estate_write
         WHERE tenant = $tenant AND generation > $after AND generation <= $up_to
         ORDER BY generation, noun, id LIMIT $limit",
        &[
            ("after", after.into()),
            ("up_to", up_to.into()),
            ("limit", i64::try_from(MOST_READ + 1).unwrap_or(i64::MAX).into()),
        ],
    )?;
    if rows.len() > MOST_READ {
        return Ok(None);
    }
    let mut seen = after;
    let mut written = BTreeSet::new();
    for row in &rows {
        let (generation, noun) = (row.int("generation")?, row.text("noun")?);
        if generation > seen + 1 || noun == ALL {
            return Ok(None);
        }
        seen = generation;
        if !noun.is_empty() {
            written.insert((noun, row.text("id")?));
        }
    }
    Ok((seen == up_to).then_some(written))
}

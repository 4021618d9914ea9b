//! The record and version that an event or an act refers to.

use crate::error::Result;
use crate::value::Row;

/// A version of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    /// The record's table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// The version that the event made.
    pub version: i64,
}

impl RecordRef {
    /// Reads it from the columns that all tables of the log use.
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            table: row.text("table_name")?,
            id: row.text("record_id")?,
            version: row.int("version")?,
        })
    }
}

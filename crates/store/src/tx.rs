//! An act's view of its transaction.

use crate::bucket::Places;
use crate::driver::{Connection, Reach};
use crate::error::{Error, Result};
use crate::moment::Moment;
use crate::row_code::RowCoder;
use crate::value::{Row, Value};

/// The parameters of a statement: name without `$`, and value.
pub type Params<'a> = &'a [(&'a str, Value)];

/// A transaction of one tenant. `$tenant` binds itself.
pub struct Tx<'c> {
    connection: &'c mut Connection,
    tenant: &'c str,
    coder: Option<&'c RowCoder>,
    places: Places<'c>,
    trace: Option<&'c str>,
    failed: Option<Error>,
}

/// A transaction across tenants, for workers and administration. Its statements name the tenant themselves
/// (`tenant = $of`) and may not use `$tenant`. It is another type, so that no verb of a tenant runs in it by mistake.
pub struct CrossTx<'c> {
    connection: &'c mut Connection,
    coder: Option<&'c RowCoder>,
    failed: Option<Error>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(
        connection: &'c mut Connection,
        tenant: &'c str,
        coder: Option<&'c RowCoder>,
        (places, trace): (Places<'c>, Option<&'c str>),
    ) -> Self {
        Self {
            connection,
            tenant,
            coder,
            places,
            trace,
            failed: None,
        }
    }

    /// Where the bytes of archive segments may lie.
    pub(crate) fn places(&self) -> Places<'c> {
        self.places
    }

    /// The `traceparent` that is stored with this act's deferred work.
    pub(crate) fn trace(&self) -> Value {
        self.trace.map(str::to_owned).into()
    }

    /// From now on this act reads segments of the archive from their bucket while it runs, as it opens many of them: a replay.
    /// Other acts run again for each segment, and hold up nobody meanwhile.
    pub fn read_archive_in_place(&mut self) {
        if let Some((_, brought)) = self.places.bucket {
            brought.read_in_place();
        }
    }

    /// The maker of row codes, where the store has it.
    pub(crate) fn coder(&self) -> Option<&RowCoder> {
        self.coder
    }

    /// The tenant's id.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.tenant
    }

    pub(crate) fn failed(self) -> Option<Error> {
        self.failed
    }

    /// Whether a statement failed, so that no further one is run. A row that could not be understood is no such failure.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The moment that this transaction sees, in the gate's and the worker's reading lanes on SQLite; data read at the same
    /// moment by another transaction need not be read again.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        self.connection.moment()
    }

    /// The same by this process's count, in the pages' reading lane too. A commit of another process begins a moment only when
    /// the worker reads next, so this is for what pages show and decides nothing.
    #[must_use]
    pub fn counted_moment(&self) -> Option<Moment> {
        self.connection.counted()
    }

    /// Runs a statement that returns rows.
    pub fn query(&mut self, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
        let reach = Reach::Tenant(self.tenant);
        guard(&mut self.failed, || self.connection.query(sql, params, reach))
    }

    /// A number of a counter that no other transaction gets; `None` where the transaction itself raises the counter.
    pub(crate) fn number(&mut self, name: &str) -> Option<i64> {
        self.connection.number(self.tenant, name)
    }

    /// Whether numbers are taken outside of the transaction.
    pub(crate) fn numbers_outside(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Runs a statement and returns how many rows it touched.
    pub fn execute(&mut self, sql: &str, params: Params<'_>) -> Result<u64> {
        let reach = Reach::Tenant(self.tenant);
        guard(&mut self.failed, || self.connection.execute(sql, params, reach))
    }

    /// Runs a statement that returns at most one row; more are an error.
    pub fn query_one(&mut self, sql: &str, params: Params<'_>) -> Result<Option<Row>> {
        at_most_one(self.query(sql, params)?)
    }
}

impl<'c> CrossTx<'c> {
    pub(crate) fn new(connection: &'c mut Connection, coder: Option<&'c RowCoder>) -> Self {
        Self {
            connection,
            coder,
            failed: None,
        }
    }

    /// The maker of row codes, where the store has it.
    pub(crate) fn coder(&self) -> Option<&RowCoder> {
        self.coder
    }

    pub(crate) fn failed(self) -> Option<Error> {
        self.failed
    }

    /// The names of the tables that are there.
    pub(crate) fn tables(&mut self) -> Result<Vec<String>> {
        guard(&mut self.failed, || self.connection.tables())
    }

    /// Runs a statement that returns rows.
    pub fn query(&mut self, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
        guard(&mut self.failed, || self.connection.query(sql, params, Reach::Across))
    }

    /// Runs a statement and returns how many rows it touched.
    pub fn execute(&mut self, sql: &str, params: Params<'_>) -> Result<u64> {
        guard(&mut self.failed, || self.connection.execute(sql, params, Reach::Across))
    }

    /// Runs a statement that returns at most one row; more are an error.
    pub fn query_one(&mut self, sql: &str, params: Params<'_>) -> Result<Option<Row>> {
        at_most_one(self.query(sql, params)?)
    }
}

/// After a failed statement PostgreSQL takes no further one, and SQLite would: so that an act behaves alike on both,
/// a failed statement dooms its transaction here.
fn guard<T>(failed: &mut Option<Error>, statement: impl FnOnce() -> Result<T>) -> Result<T> {
    if let Some(error) = failed {
        return Err(error.clone());
    }
    let done = statement();
    if let Err(error) = &done {
        *failed = Some(error.clone());
    }
    done
}

fn at_most_one(mut rows: Vec<Row>) -> Result<Option<Row>> {
    if rows.len() > 1 {
        return Err(Error::other("a statement for one row answered several"));
    }
    Ok(rows.pop())
}

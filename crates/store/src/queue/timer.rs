//! Timers: when a record has to be examined again. A record has one timer of each kind; setting it again moves it. The holder
//! of a timer uses only its subject, reloads the record, and lets the model compute what is due now.

use jiff::Timestamp;

use crate::change::changes;
use crate::error::Result;
use crate::queue::lease::{self, Depth, Lease};
use crate::row_code;
use crate::tx::{CrossTx, Tx};
use crate::value::{Row, Value};

const TABLE: &str = "timer";
const NOTED: (&str, &str) = ("timer", "last_error");
/// The state in which a timer is set. A timer is never parked.
const WAITING: &str = "waiting";
/// How many timers are read at a time.
const PAGE: i64 = 500;

/// A timer to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTimer<'a> {
    /// A new id; not used when the record already has a timer of this kind.
    pub id: &'a str,
    /// The table of the record.
    pub subject_table: &'a str,
    /// Its id.
    pub subject_id: &'a str,
    /// The purpose, such as `window_end`.
    pub kind: &'a str,
    /// When.
    pub run_at: Timestamp,
}

impl NewTimer<'_> {
    /// The fields under its code: all that decide what is done, and when. Its id is left out, because a record keeps the id of
    /// its first timer of a kind.
    fn parts(&self, state: &str) -> [Vec<u8>; 5] {
        let text = |text: &str| text.as_bytes().to_vec();
        [
            text(self.subject_table),
            text(self.subject_id),
            text(self.kind),
            self.run_at.as_microsecond().to_be_bytes().to_vec(),
            text(state),
        ]
    }

    fn code(&self, tx: &Tx<'_>, state: &str) -> Value {
        let parts = self.parts(state);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        row_code::code(tx.coder(), tx.tenant(), TABLE, &parts)
    }
}

/// A timer as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// The tenant, for leases across tenants.
    pub tenant: String,
    /// Its id.
    pub id: String,
    /// The table of the record.
    pub subject_table: String,
    /// Its id.
    pub subject_id: String,
    /// The purpose.
    pub kind: String,
    /// When.
    pub run_at: Timestamp,
    /// How often it was leased, this time included.
    pub tries: i64,
    /// Always `waiting`; a timer in another state was written past the server.
    pub state: String,
}

impl Timer {
    fn as_set(&self) -> NewTimer<'_> {
        NewTimer {
            id: &self.id,
            subject_table: &self.subject_table,
            subject_id: &self.subject_id,
            kind: &self.kind,
            run_at: self.run_at,
        }
    }
}

/// Sets or moves the record's timer of this kind. A worker that holds it meanwhile loses its lease.
pub fn set(tx: &mut Tx<'_>, timer: &NewTimer<'_>) -> Result<()> {
    let code = timer.code(tx, WAITING);
    tx.execute(
        "INSERT INTO timer (tenant, id, subject_table, subject_id, kind, run_at, lease_until, holder, tries, state, code)
         VALUES ($tenant, $id, $table, $subject, $kind, $run_at, 0, '', 0, $state, $code)
         ON CONFLICT (tenant, subject_table, subject_id, kind)
         DO UPDATE SET run_at = $run_at, lease_until = 0, holder = '', tries = 0, state = $state, code = $code",
        &[
            ("state", WAITING.into()),
            ("code", code),
            ("id", timer.id.into()),
            ("table", timer.subject_table.into()),
            ("subject", timer.subject_id.into()),
            ("kind", timer.kind.into()),
            ("run_at", timer.run_at.into()),
        ],
    )?;
    Ok(())
}

/// Takes a record's timer of this kind away, if it has one.
pub fn cancel(tx: &mut Tx<'_>, table: &str, subject: &str, kind: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM timer WHERE tenant = $tenant AND subject_table = $table AND subject_id = $subject
         AND kind = $kind",
        &[
            ("table", table.into()),
            ("subject", subject.into()),
            ("kind", kind.into()),
        ],
    )?;
    Ok(done > 0)
}

/// The timers of a record.
pub fn of_subject(tx: &mut Tx<'_>, table: &str, subject: &str) -> Result<Vec<Timer>> {
    tx.query(
        "SELECT * FROM timer WHERE tenant = $tenant AND subject_table = $table AND subject_id = $subject
         ORDER BY run_at, kind",
        &[("table", table.into()), ("subject", subject.into())],
    )?
    .iter()
    .map(timer)
    .collect()
}

/// Leases due timers of the tenant.
pub fn lease(tx: &mut Tx<'_>, by: &Lease<'_>) -> Result<Vec<Timer>> {
    lease::lease(tx, (TABLE, lease::ALL), by)?.iter().map(timer).collect()
}

/// Leases due timers of all tenants, an equal share each.
pub fn lease_across(tx: &mut CrossTx<'_>, by: &Lease<'_>) -> Result<Vec<Timer>> {
    lease::lease_across(tx, (TABLE, lease::ALL), by)?
        .iter()
        .map(timer)
        .collect()
}

/// Whether the lease is still the holder's.
pub fn holds(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool> {
    lease::holds(tx, TABLE, id, holder)
}

/// Removes a timer that has done its work. `false` when the timer was set again meanwhile, perhaps by that very work, or when
/// the lease was lost: call `holds` before the work to distinguish the two.
pub fn finish(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool> {
    lease::finish(tx, TABLE, id, holder)
}

/// Gives a timer back for another try. One that was written past the server gets no code by that: replay still names it.
pub fn fail(tx: &mut Tx<'_>, id: &str, holder: &str, retry_at: Timestamp, error: &str) -> Result<bool> {
    let found = tx.query_one(
        "SELECT * FROM timer WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    if !lease::fail(tx, NOTED, (id, holder), retry_at, error)? {
        return Ok(false);
    }
    if let Some(before) = found.and_then(|row| coded(tx, &row).ok()) {
        let put_off = Timer {
            run_at: retry_at,
            ..before
        };
        save_code(tx, &put_off)?;
    }
    Ok(true)
}

fn save_code(tx: &mut Tx<'_>, timer: &Timer) -> Result<()> {
    let code = timer.as_set().code(tx, &timer.state);
    tx.execute(
        "UPDATE timer SET code = $code WHERE tenant = $tenant AND id = $id",
        &[("code", code), ("id", timer.id.as_str().into())],
    )?;
    Ok(())
}

/// The timer in a row with a server's code.
fn coded(tx: &Tx<'_>, row: &Row) -> Result<Timer> {
    let found = timer(row)?;
    let parts = found.as_set().parts(&found.state);
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    row_code::check(tx.coder(), row, (tx.tenant(), TABLE, &found.id), &parts)?;
    Ok(found)
}

/// The timers behind `after`, in the order of ids.
fn page(tx: &mut Tx<'_>, after: &str) -> Result<Vec<Row>> {
    tx.query(
        "SELECT * FROM timer WHERE tenant = $tenant AND id > $after ORDER BY id LIMIT $limit",
        &[("after", after.into()), ("limit", PAGE.into())],
    )
}

/// The records of the timers without a server's code, as `table/id`, for replay.
pub(crate) fn uncoded(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let (mut after, mut found) = (String::new(), Vec::new());
    loop {
        let rows = page(tx, &after)?;
        let Some(last) = rows.last() else { return Ok(found) };
        after = last.text("id")?;
        for row in rows.iter().filter(|row| coded(tx, row).is_err()) {
            found.push(format!("{}/{}", row.text("subject_table")?, row.text("subject_id")?));
        }
    }
}

/// Computes the code of every timer, whatever its content.
pub(crate) fn code_rows(tx: &mut Tx<'_>) -> Result<()> {
    let mut after = String::new();
    loop {
        let rows = page(tx, &after)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.text("id")?;
        for row in &rows {
            save_code(tx, &timer(row)?)?;
        }
    }
}

/// How many timers of all tenants were taken at least five times and are not done: they are retried, and an operator has to
/// find out why they fail.
pub fn failing(tx: &mut CrossTx<'_>) -> Result<i64> {
    tx.query_one(FAILING, &[])?.map_or(Ok(0), |row| row.int("it"))
}

/// The statement contains the number literally, like the index of these timers.
pub(crate) const FAILING: &str = "SELECT count(*) AS it FROM timer WHERE tries >= 5";

/// Ids of changes behind `after` that have no timer although the clock may move them: those past assessment and those on
/// hold, in the order of ids.
pub fn changes_without(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<String>> {
    tx.query(
        &changes_sql(),
        &[("after", after.into()), ("held", true.into()), ("limit", limit.into())],
    )?
    .iter()
    .map(|row| row.text("id"))
    .collect()
}

/// The open states are named so that closed changes, which are almost all, are not scanned.
pub(crate) fn changes_sql() -> String {
    format!(
        "SELECT c.id FROM \"change\" c WHERE c.tenant = $tenant AND c.state IN ({}) AND c.id > $after
         AND (c.state IN ('authorizing', 'approved', 'scheduled', 'implementing', 'reviewing') OR c.on_hold = $held)
         AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.tenant = c.tenant AND t.subject_table = 'change'
             AND t.subject_id = c.id)
         ORDER BY c.id LIMIT $limit",
        changes::open_states()
    )
}

/// Ids of open changes behind `after` that have a timer, in the order of ids.
pub fn changes_timed(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT c.id FROM \"change\" c WHERE c.tenant = $tenant AND c.state IN ({}) AND c.id > $after
         AND EXISTS (SELECT 1 FROM timer t WHERE t.tenant = c.tenant AND t.subject_table = 'change' AND t.subject_id = c.id)
         ORDER BY c.id LIMIT $limit",
        changes::open_states()
    );
    tx.query(&sql, &[("after", after.into()), ("limit", limit.into())])?
        .iter()
        .map(|row| row.text("id"))
        .collect()
}

/// Ids of waiting gate checks that have no timer.
pub fn checks_without(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    tx.query(CHECKS, &[("limit", limit.into())])?
        .iter()
        .map(|row| row.text("id"))
        .collect()
}

/// Checks that wait have an index of their own.
pub(crate) const CHECKS: &str =
    "SELECT c.id FROM gate_check c WHERE c.tenant = $tenant AND c.state IN ('waiting', 'collectable')
    AND c.wait_until IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.tenant = c.tenant AND t.subject_table = 'gate_check'
        AND t.subject_id = c.id)
    ORDER BY c.id LIMIT $limit";

/// Ids of people with waiting messages and without a timer.
pub fn readers_without(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    tx.query(READERS, &[("limit", limit.into())])?
        .iter()
        .map(|row| row.text("reader"))
        .collect()
}

/// And so have messages that are held.
pub(crate) const READERS: &str =
    "SELECT DISTINCT m.person AS reader FROM message m WHERE m.tenant = $tenant AND m.state = 'held'
    AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.tenant = m.tenant AND t.subject_table = 'person'
        AND t.subject_id = m.person)
    ORDER BY reader LIMIT $limit";

/// Ids of open action items that have no timer.
pub fn items_without(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    tx.query(ITEMS, &[("limit", limit.into())])?
        .iter()
        .map(|row| row.text("id"))
        .collect()
}

/// The same for items with an owner.
pub(crate) const ITEMS: &str =
    "SELECT i.id FROM action_item i WHERE i.tenant = $tenant AND i.state IN ('open', 'acknowledged')
    AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.tenant = i.tenant AND t.subject_table = 'action_item'
        AND t.subject_id = i.id)
    ORDER BY i.id LIMIT $limit";

/// Ids of open parts of reviews of access that have no action item.
pub fn reviews_without(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    tx.query(REVIEWS, &[("open", true.into()), ("limit", limit.into())])?
        .iter()
        .map(|row| row.text("id"))
        .collect()
}

/// And so have parts that are open.
pub(crate) const REVIEWS: &str = "SELECT r.id FROM access_review r WHERE r.tenant = $tenant AND r.is_open = $open
    AND NOT EXISTS (SELECT 1 FROM action_item i WHERE i.tenant = r.tenant AND i.about_kind = 'access_review'
        AND i.about = r.id)
    ORDER BY r.id LIMIT $limit";

/// When the next timer of any tenant is due.
pub fn next_due(tx: &mut CrossTx<'_>) -> Result<Option<Timestamp>> {
    lease::next_due(tx, TABLE)
}

/// How many timers wait and are parked, over all tenants.
pub fn depth(tx: &mut CrossTx<'_>) -> Result<Depth> {
    lease::count_across(tx, TABLE)
}

fn timer(row: &Row) -> Result<Timer> {
    Ok(Timer {
        tenant: row.text("tenant")?,
        id: row.text("id")?,
        subject_table: row.text("subject_table")?,
        subject_id: row.text("subject_id")?,
        kind: row.text("kind")?,
        run_at: row.time("run_at")?,
        tries: row.int("tries")?,
        state: row.text("state")?,
    })
}

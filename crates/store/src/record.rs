//! Nouns as rows: one serde struct, one row with its whole body, and derived columns for look-ups.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::compliance::archive;
use crate::error::{Error, Result};
use crate::packed_body;
use crate::row_code::{self, RowCoder};
use crate::sealed::Sealed;
use crate::tx::{CrossTx, Params, Tx};
use crate::value::{Row, Value};

/// A noun that is kept as a row: `tenant, id, version, body, sealed`, and the columns it is found by.
pub trait Record: Serialize + DeserializeOwned {
    /// The table, named like the noun.
    const TABLE: &'static str;
    /// The row's id within its tenant.
    fn id(&self) -> &str;
    /// Its version, from 1, raised by one with each change.
    fn version(&self) -> i64;
    /// The derived columns, all of them and always the same ones, computed from the body alone.
    fn columns(&self) -> Vec<(&'static str, Value)>;
    /// Reads a body. This and the next three are compiled once, with the noun, not again in each crate that reads records.
    ///
    /// # Errors
    /// A body of another shape.
    fn from_text(body: &str) -> serde_json::Result<Self>;
    /// Reads a body that is parsed already.
    ///
    /// # Errors
    /// A body of another shape.
    fn from_json(body: serde_json::Value) -> serde_json::Result<Self>;
    /// The body.
    ///
    /// # Errors
    /// A field that JSON cannot hold.
    fn to_text(&self) -> serde_json::Result<String>;
    /// The body as a value.
    ///
    /// # Errors
    /// A field that JSON cannot hold.
    fn to_json(&self) -> serde_json::Result<serde_json::Value>;
    /// Rewrites rows of other tables that are derived from this record; called after each insert (`is_new`: there are
    /// none yet) and update.
    fn save_derived(&self, _tx: &mut Tx<'_>, _is_new: bool) -> Result<()> {
        Ok(())
    }
}

/// A record with its sealed form: the same JSON with every free text replaced by its commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<R> {
    /// The record.
    pub record: R,
    /// Its sealed form.
    pub sealed: Sealed,
    /// JSON Pointers of the erased texts; the record has [`model::compliance::erasure::ERASED`] in their place.
    pub erased: Vec<String>,
}

/// A row of a noun's table as stored, for replay.
#[derive(Debug, Clone, PartialEq)]
pub struct RawRecord {
    /// The row's id.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// The plain JSON.
    pub body: String,
    /// The sealed JSON; the raw column where that does not fit the body.
    pub sealed: String,
    /// The derived columns by name, in the table's order.
    pub columns: Vec<(String, Value)>,
    /// Whether the row has the code that a server gave it. Without a coder in the store every row has.
    pub is_coded: bool,
}

/// Writes a new row; `sealed` is the result of [`crate::sealed::shorten`] for the sealed form. `Conflict` when the id is taken.
pub fn insert<R: Record>(tx: &mut Tx<'_>, record: &R, sealed: &str) -> Result<()> {
    let columns = record.columns();
    let texts = texts::<R>(&columns);
    let body = written(record)?;
    let code = code::<R>(tx, record, &body);
    let body = packed_body::kept(R::TABLE, body)?;
    let mut params = with_standard(record, body, sealed, &texts, columns);
    params.push(("code", code));
    tx.execute(&texts.insert, &params)?;
    record.save_derived(tx, true)
}

/// Replaces a row that is still at `expected`. `Stale` when it is not, or is not there.
pub fn update<R: Record>(tx: &mut Tx<'_>, record: &R, sealed: &str, expected: i64) -> Result<()> {
    replace(tx, record, written(record)?, sealed, expected)
}

/// The same for a record with erased texts: `body` is the record as JSON, with `{"erased": true}` in their places.
pub fn update_erased<R: Record>(
    tx: &mut Tx<'_>,
    record: &R,
    body: &serde_json::Value,
    sealed: &str,
    expected: i64,
) -> Result<()> {
    replace(tx, record, body.to_string(), sealed, expected)
}

fn replace<R: Record>(tx: &mut Tx<'_>, record: &R, body: String, sealed: &str, expected: i64) -> Result<()> {
    let columns = record.columns();
    let texts = texts::<R>(&columns);
    let code = code::<R>(tx, record, &body);
    let body = packed_body::kept(R::TABLE, body)?;
    let mut params = with_standard(record, body, sealed, &texts, columns);
    params.push(("code", code));
    params.push(("expected", expected.into()));
    // A write to an archived row brings the whole change back first.
    let is_done = tx.execute(&texts.update, &params)? > 0
        || (archive::holds(R::TABLE)
            && archive::thaw_row(tx, R::TABLE, record.id())?
            && tx.execute(&texts.update, &params)? > 0);
    if !is_done {
        return Err(Error::Stale {
            table: R::TABLE.to_owned(),
        });
    }
    record.save_derived(tx, false)
}

/// The statements that write rows of one table, built once.
struct Texts {
    insert: String,
    update: String,
    /// The parameters of the derived columns, in their order. Columns may be named like the standard parameters of these
    /// statements, so theirs get a prefix.
    places: Vec<String>,
}

type Written = Mutex<HashMap<&'static str, Arc<Texts>>>;

fn texts<R: Record>(columns: &[(&'static str, Value)]) -> Arc<Texts> {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    let mut written = WRITTEN
        .get_or_init(Written::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let write = || Arc::new(write_texts(R::TABLE, columns));
    Arc::clone(written.entry(R::TABLE).or_insert_with(write))
}

fn write_texts(table: &str, columns: &[(&'static str, Value)]) -> Texts {
    let names: String = columns.iter().map(|(it, _)| format!(", \"{it}\"")).collect();
    let places: String = columns.iter().map(|(it, _)| format!(", $c_{it}")).collect();
    let sets: String = columns.iter().map(|(it, _)| format!(", \"{it}\" = $c_{it}")).collect();
    let in_place = match archive::holds(table) {
        true => format!(" AND substr(body, 1, {}) <> '{}'", archive::MARK.len(), archive::MARK),
        false => String::new(),
    };
    Texts {
        insert: format!(
            "INSERT INTO \"{table}\" (tenant, id, version, body, sealed, code{names})
             VALUES ($tenant, $id, $version, $body, $sealed, $code{places})"
        ),
        update: format!(
            "UPDATE \"{table}\" SET version = $version, body = $body, sealed = $sealed, code = $code{sets}
             WHERE tenant = $tenant AND id = $id AND version = $expected{in_place}"
        ),
        places: columns.iter().map(|(it, _)| format!("c_{it}")).collect(),
    }
}

/// The record with this id.
pub fn load<R: Record>(tx: &mut Tx<'_>, id: &str) -> Result<Option<Stored<R>>> {
    let sql = format!(
        "SELECT id, version, body, sealed, code FROM \"{}\" WHERE tenant = $tenant AND id = $id",
        R::TABLE
    );
    let found = read_rows(tx, R::TABLE, &sql, &[("id", id.into())])?;
    found.first().map(|row| stored(tx, row)).transpose()
}

/// Runs a statement that returns rows of a table of records; archived bodies are read from the archive.
fn read_rows(tx: &mut Tx<'_>, table: &str, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
    let mut rows = tx.query(sql, params)?;
    archive::fill(tx, table, &mut rows)?;
    Ok(rows)
}

/// The version of the record with this id.
pub fn version<R: Record>(tx: &mut Tx<'_>, id: &str) -> Result<Option<i64>> {
    let sql = format!(
        "SELECT version FROM \"{}\" WHERE tenant = $tenant AND id = $id",
        R::TABLE
    );
    tx.query_one(&sql, &[("id", id.into())])?
        .map(|row| row.int("version"))
        .transpose()
}

/// The ids and versions of the records that a filter picks, in its order. No body is read.
pub fn versions<R: Record>(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<(String, i64)>> {
    let (tail, params) = filter.written()?;
    let sql = format!("SELECT id, version FROM \"{}\" WHERE tenant = $tenant{tail}", R::TABLE);
    let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let rows = tx.query(&sql, &params)?;
    rows.iter()
        .map(|row| Ok((row.text("id")?, row.int("version")?)))
        .collect()
}

/// The records that a filter picks, in its order.
pub fn find<R: Record>(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<Stored<R>>> {
    let (tail, params) = filter.written()?;
    let sql = format!(
        "SELECT id, version, body, sealed, code FROM \"{}\" WHERE tenant = $tenant{tail}",
        R::TABLE
    );
    let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let rows = read_rows(tx, R::TABLE, &sql, &params)?;
    let found: Vec<Stored<R>> = rows.iter().map(|row| stored(tx, row)).collect::<Result<_>>()?;
    found.iter().try_for_each(|it| filter.check(&it.record))?;
    Ok(found)
}

/// The records that a filter picks, in its order, without their sealed forms.
pub fn bodies<R: Record>(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<R>> {
    let (tail, params) = filter.written()?;
    let sql = format!(
        "SELECT id, version, body, code FROM \"{}\" WHERE tenant = $tenant{tail}",
        R::TABLE
    );
    let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let rows = read_rows(tx, R::TABLE, &sql, &params)?;
    let found: Vec<R> = rows.iter().map(|row| body(tx, row)).collect::<Result<_>>()?;
    found.iter().try_for_each(|it| filter.check(it))?;
    Ok(found)
}

/// The same of those records whose bodies are available now, and the ids of the others: those are in the archive's bucket,
/// which does not respond. A list shows only the columns of these.
pub fn bodies_at_hand<R: Record>(tx: &mut Tx<'_>, filter: &Filter) -> Result<(Vec<R>, Vec<String>)> {
    let (tail, params) = filter.written()?;
    let sql = format!(
        "SELECT id, version, body, code FROM \"{}\" WHERE tenant = $tenant{tail}",
        R::TABLE
    );
    let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let (mut found, mut away) = (Vec::new(), Vec::new());
    for mut row in tx.query(&sql, &params)? {
        match archive::fill_row(tx, R::TABLE, &mut row) {
            Ok(()) => found.push(body(tx, &row)?),
            Err(Error::BucketAway(_)) => away.push(row.text("id")?),
            Err(error) => return Err(error),
        }
    }
    found.iter().try_for_each(|it| filter.check(it))?;
    Ok((found, away))
}

/// The fields of `T` from the records that a filter picks, in its order. Where many bodies are looked through for little, this
/// reads them in a fraction of the time.
pub fn parts<R: Record, T: DeserializeOwned>(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<T>> {
    parts_where::<R, T>(tx, filter, |_| true)
}

fn parts_where<R: Record, T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    filter: &Filter,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<T>> {
    let (tail, params) = filter.written()?;
    let sql = format!(
        "SELECT id, version, body, code FROM \"{}\" WHERE tenant = $tenant{tail}",
        R::TABLE
    );
    let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let mut found = Vec::new();
    for row in &read_rows(tx, R::TABLE, &sql, &params)? {
        let body = coded_body(tx.coder(), row, tx.tenant(), R::TABLE)?;
        if is_wanted(&body) {
            let unread =
                |it: serde_json::Error| Error::Corrupt(format!("a body of `{}` cannot be read: {it}", R::TABLE));
            found.push(serde_json::from_str(&body).map_err(unread)?);
        }
    }
    Ok(found)
}

/// The same of the bodies that contain a text, such as an id: where few of many do, the others need not be read.
pub fn parts_naming<R: Record, T: DeserializeOwned>(tx: &mut Tx<'_>, filter: &Filter, named: &str) -> Result<Vec<T>> {
    parts_where::<R, T>(tx, filter, |body| body.contains(named))
}

/// The first record that a filter picks.
pub fn find_one<R: Record>(tx: &mut Tx<'_>, filter: &Filter) -> Result<Option<Stored<R>>> {
    Ok(find(tx, &filter.clone().limit(1))?.into_iter().next())
}

/// How many records a filter picks; its order and limit do not matter.
pub fn count<R: Record>(tx: &mut Tx<'_>, filter: &Filter) -> Result<i64> {
    let bare = Filter {
        orders: Vec::new(),
        limit: None,
        ..filter.clone()
    };
    let (tail, params) = bare.written()?;
    let sql = format!(
        "SELECT count(*) AS it FROM \"{}\" WHERE tenant = $tenant{tail}",
        R::TABLE
    );
    let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    tx.query_one(&sql, &params)?
        .ok_or_else(|| Error::other("a count answered nothing"))?
        .int("it")
}

/// Removes a row. Returns whether the row existed. Only for nouns that the audit does not hold.
pub fn delete<R: Record>(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    if archive::holds(R::TABLE) {
        archive::thaw_row(tx, R::TABLE, id)?;
    }
    let sql = format!("DELETE FROM \"{}\" WHERE tenant = $tenant AND id = $id", R::TABLE);
    Ok(tx.execute(&sql, &[("id", id.into())])? > 0)
}

/// One row of any noun's table as stored.
pub fn raw(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Option<RawRecord>> {
    let table = checked_name(table)?;
    let sql = format!("SELECT * FROM \"{table}\" WHERE tenant = $tenant AND id = $id");
    let found = read_rows(tx, table, &sql, &[("id", id.into())])?;
    found.first().map(|row| raw_record(tx, table, row)).transpose()
}

/// The bodies of the newest rows of any noun's table, the newest first; ids follow time.
pub fn raw_newest(tx: &mut Tx<'_>, table: &str, limit: i64) -> Result<Vec<String>> {
    let table = checked_name(table)?;
    let sql = format!("SELECT * FROM \"{table}\" WHERE tenant = $tenant ORDER BY id DESC LIMIT $limit");
    let rows = read_rows(tx, table, &sql, &[("limit", limit.into())])?;
    rows.iter()
        .map(|row| raw_record(tx, table, row).map(|it| it.body))
        .collect()
}

/// The next rows of any noun's table in the order of ids; `after` is the last id seen, or empty.
pub fn raw_page(tx: &mut Tx<'_>, table: &str, after: &str, limit: i64) -> Result<Vec<RawRecord>> {
    let table = checked_name(table)?;
    let sql = format!("SELECT * FROM \"{table}\" WHERE tenant = $tenant AND id > $after ORDER BY id LIMIT $limit");
    let rows = read_rows(tx, table, &sql, &[("after", after.into()), ("limit", limit.into())])?;
    rows.iter().map(|row| raw_record(tx, table, row)).collect()
}

/// The same for replay, which continues after an unreadable row: each row's id, unless the id itself is unreadable, and the row
/// or the error.
pub fn raw_rows(
    tx: &mut Tx<'_>,
    table: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<(Option<String>, Result<RawRecord>)>> {
    let table = checked_name(table)?;
    let sql = format!("SELECT * FROM \"{table}\" WHERE tenant = $tenant AND id > $after ORDER BY id LIMIT $limit");
    let mut rows = tx.query(&sql, &[("after", after.into()), ("limit", limit.into())])?;
    let mut found = Vec::new();
    for row in &mut rows {
        let filled = archive::fill_row(tx, table, row);
        found.push((row.text("id").ok(), filled.and_then(|()| raw_record(tx, table, row))));
    }
    Ok(found)
}

/// A record from its body, with its sealed form.
fn parsed<R: Record>(body: &str, sealed: String) -> Result<Stored<R>> {
    let (record, erased) = opened(body)?;
    let sealed = Sealed::new(body, sealed);
    Ok(Stored { record, sealed, erased })
}

/// A record from its body: [`model::compliance::erasure::ERASED`] replaces each erased text.
pub fn read<R: Record>(body: &str) -> Result<R> {
    Ok(opened(body)?.0)
}

fn opened<R: Record>(body: &str) -> Result<(R, Vec<String>)> {
    let unread = |it: serde_json::Error| Error::Corrupt(format!("a body of `{}` cannot be read: {it}", R::TABLE));
    // Few records ever have an erased text, so most are read without changes.
    if !body.contains(ERASED_JSON) {
        return Ok((R::from_text(body).map_err(unread)?, Vec::new()));
    }
    let mut value = serde_json::from_str(body).map_err(unread)?;
    let erased = model::compliance::erasure::name_erased(&mut value);
    Ok((R::from_json(value).map_err(unread)?, erased))
}

/// An erased text in a body, as serde writes it without spaces.
const ERASED_JSON: &str = r#"{"erased":true}"#;

fn raw_record(tx: &Tx<'_>, table: &str, row: &Row) -> Result<RawRecord> {
    const STANDARD: [&str; 6] = ["tenant", "id", "version", "body", "sealed", "code"];
    let columns = row
        .names()
        .iter()
        .filter(|name| !STANDARD.contains(&name.as_str()))
        .map(|name| Ok((name.clone(), row.get(name)?.clone())))
        .collect::<Result<Vec<_>>>()?;
    Ok(RawRecord {
        id: row.text("id")?,
        version: row.int("version")?,
        sealed: whole_sealed(row)?,
        body: packed_body::plain(row.text_ref("body")?)?.into_owned(),
        columns,
        is_coded: coded_body(tx.coder(), row, tx.tenant(), table).is_ok(),
    })
}

/// The sealed form in a row. A form that does not fit the body is returned unchanged, so that replay reports it.
fn whole_sealed(row: &Row) -> Result<String> {
    let sealed = Sealed::new(&packed_body::plain(row.text_ref("body")?)?, row.text("sealed")?);
    match sealed.text() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => row.text("sealed"),
    }
}

/// The record in a row with the columns `id`, `version`, `body`, `sealed` and `code`.
pub(crate) fn stored<R: Record>(tx: &Tx<'_>, row: &Row) -> Result<Stored<R>> {
    parsed(
        &coded_body(tx.coder(), row, tx.tenant(), R::TABLE)?,
        row.text("sealed")?,
    )
}

fn body<R: Record>(tx: &Tx<'_>, row: &Row) -> Result<R> {
    read(&coded_body(tx.coder(), row, tx.tenant(), R::TABLE)?)
}

/// The record in a row that a transaction across tenants read, with the columns `tenant`, `id`, `version`, `body` and `code`.
pub(crate) fn coded_across<R: Record>(tx: &CrossTx<'_>, row: &Row) -> Result<R> {
    read(&coded_body(tx.coder(), row, row.text_ref("tenant")?, R::TABLE)?)
}

/// The body of a row whose code is right.
fn coded_body<'r>(coder: Option<&RowCoder>, row: &'r Row, tenant: &str, table: &str) -> Result<Cow<'r, str>> {
    let body = packed_body::plain(row.text_ref("body")?)?;
    if coder.is_some() {
        let id = row.text_ref("id")?;
        let version = row.int("version")?.to_be_bytes();
        let parts = [id.as_bytes(), &version, body.as_bytes()];
        row_code::check(coder, row, (tenant, table, id), &parts)?;
    }
    Ok(body)
}

fn code<R: Record>(tx: &Tx<'_>, record: &R, body: &str) -> Value {
    let version = record.version().to_be_bytes();
    let parts = [record.id().as_bytes(), &version, body.as_bytes()];
    row_code::code(tx.coder(), tx.tenant(), R::TABLE, &parts)
}

/// Computes the code of every row of a noun's table, whatever its content.
pub(crate) fn code_rows(tx: &mut Tx<'_>, table: &str) -> Result<()> {
    let name = checked_name(table)?;
    let sql = format!("SELECT id, version, body FROM \"{name}\" WHERE tenant = $tenant ORDER BY id");
    let update = format!("UPDATE \"{name}\" SET code = $code WHERE tenant = $tenant AND id = $id");
    for row in read_rows(tx, table, &sql, &[])? {
        let (id, body) = (row.text("id")?, packed_body::plain(row.text_ref("body")?)?);
        let version = row.int("version")?.to_be_bytes();
        let parts = [id.as_bytes(), &version, body.as_bytes()];
        let code = row_code::code(tx.coder(), tx.tenant(), table, &parts);
        tx.execute(&update, &[("id", id.as_str().into()), ("code", code)])?;
    }
    Ok(())
}

fn written<R: Record>(record: &R) -> Result<String> {
    record
        .to_text()
        .map_err(|it| Error::Other(format!("a record of `{}` cannot be written: {it}", R::TABLE)))
}

fn with_standard<'a, R: Record>(
    record: &R,
    body: String,
    sealed: &str,
    texts: &'a Texts,
    columns: Vec<(&'static str, Value)>,
) -> Vec<(&'a str, Value)> {
    let mut params: Vec<(&str, Value)> = vec![
        ("id", record.id().into()),
        ("version", record.version().into()),
        ("body", body.into()),
        ("sealed", sealed.into()),
    ];
    let values = columns.into_iter().map(|(_, value)| value);
    params.extend(texts.places.iter().map(String::as_str).zip(values));
    params
}

/// A name that is valid in SQL text: lower-case letters and `_`.
fn checked_name(name: &str) -> Result<&str> {
    let fits = !name.is_empty() && name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    if !fits {
        return Err(Error::other("a table or column has lower-case letters and `_` only"));
    }
    Ok(name)
}

/// Which records, in which order: column names and values, never SQL.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    tests: Vec<Test>,
    orders: Vec<(String, bool)>,
    limit: Option<i64>,
}

#[derive(Debug, Clone)]
enum Test {
    Compare(String, &'static str, Value),
    OneOf(String, Vec<Value>),
    AlsoOneOf(String, Vec<Value>),
    Null(String, bool),
    Prefix(String, String),
}

impl Test {
    fn column(&self) -> &str {
        match self {
            Self::Compare(column, ..)
            | Self::OneOf(column, _)
            | Self::AlsoOneOf(column, _)
            | Self::Null(column, _)
            | Self::Prefix(column, _) => column,
        }
    }
}

impl Filter {
    /// All records of the tenant.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn compare(mut self, column: &str, sign: &'static str, value: Value) -> Self {
        self.tests.push(Test::Compare(column.to_owned(), sign, value));
        self
    }

    /// The column has this value.
    #[must_use]
    pub fn equals(self, column: &str, value: impl Into<Value>) -> Self {
        self.compare(column, "=", value.into())
    }

    /// The column has another value; NULL does not count as one.
    #[must_use]
    pub fn differs(self, column: &str, value: impl Into<Value>) -> Self {
        self.compare(column, "<>", value.into())
    }

    /// The column lies below.
    #[must_use]
    pub fn less(self, column: &str, value: impl Into<Value>) -> Self {
        self.compare(column, "<", value.into())
    }

    /// The column lies below or equals.
    #[must_use]
    pub fn at_most(self, column: &str, value: impl Into<Value>) -> Self {
        self.compare(column, "<=", value.into())
    }

    /// The column lies above.
    #[must_use]
    pub fn more(self, column: &str, value: impl Into<Value>) -> Self {
        self.compare(column, ">", value.into())
    }

    /// The column lies above or equals.
    #[must_use]
    pub fn at_least(self, column: &str, value: impl Into<Value>) -> Self {
        self.compare(column, ">=", value.into())
    }

    /// The column has one of these values; without values nothing matches.
    #[must_use]
    pub fn one_of<V: Into<Value>>(mut self, column: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.tests.push(Test::OneOf(column.to_owned(), values));
        self
    }

    /// The column, of text, has one of these values, and SQLite chooses no index by that: nearly all of a long history is closed.
    #[must_use]
    pub fn also_one_of<V: Into<Value>>(mut self, column: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.tests.push(Test::AlsoOneOf(column.to_owned(), values));
        self
    }

    /// The column is NULL.
    #[must_use]
    pub fn is_null(mut self, column: &str) -> Self {
        self.tests.push(Test::Null(column.to_owned(), true));
        self
    }

    /// The column is not NULL.
    #[must_use]
    pub fn is_set(mut self, column: &str) -> Self {
        self.tests.push(Test::Null(column.to_owned(), false));
        self
    }

    /// The text column begins like this, letter for letter.
    #[must_use]
    pub fn starts_with(mut self, column: &str, prefix: &str) -> Self {
        self.tests.push(Test::Prefix(column.to_owned(), prefix.to_owned()));
        self
    }

    /// Smallest first; a further call breaks ties.
    #[must_use]
    pub fn order_by(mut self, column: &str) -> Self {
        self.orders.push((column.to_owned(), false));
        self
    }

    /// Largest first; a further call breaks ties.
    #[must_use]
    pub fn descending_by(mut self, column: &str) -> Self {
        self.orders.push((column.to_owned(), true));
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: i64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Checks that the body of a record agrees with the columns by which this filter found its row.
    pub(crate) fn check<R: Record>(&self, record: &R) -> Result<()> {
        // The code of a row covers its id; pages of a whole table test nothing else.
        if self.tests.iter().all(|test| test.column() == "id") {
            return Ok(());
        }
        let columns = record.columns();
        let value = |name: &str| columns.iter().find(|(it, _)| *it == name).map(|(_, value)| value);
        let agrees = |test: &Test| match test {
            Test::Compare(name, sign, wanted) => value(name).is_none_or(|it| compares(it, sign, wanted)),
            Test::OneOf(name, wanted) | Test::AlsoOneOf(name, wanted) => {
                value(name).is_none_or(|it| wanted.contains(it))
            }
            Test::Null(name, is_null) => value(name).is_none_or(|it| (*it == Value::Null) == *is_null),
            Test::Prefix(name, prefix) => value(name).is_none_or(|it| begins(it, prefix)),
        };
        if self.tests.iter().all(agrees) {
            return Ok(());
        }
        Err(Error::Corrupt(format!(
            "a column of the row `{}` of `{}` differs from its body: it was altered past Assent",
            record.id(),
            R::TABLE
        )))
    }

    /// The text after `WHERE tenant = $tenant`, with its parameters.
    pub(crate) fn written(&self) -> Result<(String, Vec<(String, Value)>)> {
        let mut sql = String::new();
        let mut params = Vec::new();
        for test in &self.tests {
            sql.push_str(" AND ");
            sql.push_str(&write_test(test, &mut params)?);
        }
        for (at, (column, descending)) in self.orders.iter().enumerate() {
            let before = if at == 0 { " ORDER BY " } else { ", " };
            let direction = if *descending { " DESC" } else { "" };
            sql.push_str(&format!("{before}\"{}\"{direction}", checked_name(column)?));
        }
        if let Some(limit) = self.limit {
            sql.push_str(" LIMIT $p_limit");
            params.push(("p_limit".to_owned(), limit.into()));
        }
        Ok((sql, params))
    }
}

/// Whether a column with this value meets a comparison. Only a database orders texts, so the order of two texts is not judged.
fn compares(held: &Value, sign: &str, wanted: &Value) -> bool {
    match (held, sign, wanted) {
        (Value::Null, ..) => false,
        (_, "=", _) => held == wanted,
        (_, "<>", _) => held != wanted,
        (Value::Int(held), "<", Value::Int(wanted)) => held < wanted,
        (Value::Int(held), "<=", Value::Int(wanted)) => held <= wanted,
        (Value::Int(held), ">", Value::Int(wanted)) => held > wanted,
        (Value::Int(held), ">=", Value::Int(wanted)) => held >= wanted,
        _ => true,
    }
}

fn begins(held: &Value, prefix: &str) -> bool {
    matches!(held, Value::Text(text) if text.starts_with(prefix))
}

fn write_test(test: &Test, params: &mut Vec<(String, Value)>) -> Result<String> {
    Ok(match test {
        Test::Compare(column, sign, value) => {
            let place = place(params, value.clone());
            format!("\"{}\" {sign} {place}", checked_name(column)?)
        }
        Test::OneOf(_, values) | Test::AlsoOneOf(_, values) if values.is_empty() => "1 = 0".to_owned(),
        Test::OneOf(column, values) => format!("\"{}\" IN ({})", checked_name(column)?, places(params, values)),
        Test::AlsoOneOf(column, values) => {
            // By an expression no index is found.
            format!("\"{}\" || '' IN ({})", checked_name(column)?, places(params, values))
        }
        Test::Null(column, true) => format!("\"{}\" IS NULL", checked_name(column)?),
        Test::Null(column, false) => format!("\"{}\" IS NOT NULL", checked_name(column)?),
        Test::Prefix(column, prefix) => {
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            let (length, prefix) = (place(params, length.into()), place(params, prefix.as_str().into()));
            let column = checked_name(column)?;
            format!("substr(\"{column}\", 1, CAST({length} AS INTEGER)) = {prefix}")
        }
    })
}

fn places(params: &mut Vec<(String, Value)>, values: &[Value]) -> String {
    let places: Vec<String> = values.iter().map(|it| place(params, it.clone())).collect();
    places.join(", ")
}

fn place(params: &mut Vec<(String, Value)>, value: Value) -> String {
    let name = format!("p_{}", params.len());
    let place = format!("${name}");
    params.push((name, value));
    place
}

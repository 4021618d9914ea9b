//! The product's database, looked at past the product, on either engine.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use postgres::NoTls;

use super::product::Product;

/// Rows and bytes of each table.
pub type Weight = BTreeMap<String, (f64, f64)>;

/// A connection of this program's own.
pub enum Base {
    /// To the file.
    Sqlite(rusqlite::Connection),
    /// To the database, as a role past row security.
    Postgres(Box<postgres::Client>),
}

impl Base {
    /// Connects.
    pub fn of(product: &Product) -> Result<Self> {
        if let Some(url) = product.database_url() {
            return Ok(Self::Postgres(Box::new(postgres::Client::connect(url, NoTls)?)));
        }
        let base = rusqlite::Connection::open(product.database())?;
        base.busy_timeout(Duration::from_secs(5))?;
        Ok(Self::Sqlite(base))
    }

    /// The number of rows of the clause after `FROM`.
    pub fn count(&mut self, from: &str) -> Result<i64> {
        let question = format!("SELECT count(*) FROM {from}");
        Ok(match self {
            Self::Sqlite(base) => base.query_row(&question, [], |row| row.get(0))?,
            Self::Postgres(base) => base.query_one(question.as_str(), &[])?.get(0),
        })
    }

    /// The texts of a query's only column.
    pub fn texts(&mut self, question: &str) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(base) => {
                let mut statement = base.prepare(question)?;
                let texts = statement.query_map([], |row| row.get(0))?;
                Ok(texts.collect::<rusqlite::Result<_>>()?)
            }
            Self::Postgres(base) => Ok(base.query(question, &[])?.iter().map(|row| row.get(0)).collect()),
        }
    }

    /// The names of the product's tables.
    pub fn tables(&mut self) -> Result<Vec<String>> {
        let question = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
            Self::Postgres(_) => "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
        };
        self.texts(question)
    }

    /// Rows of a table, and the bytes of their values.
    pub fn values_of(&mut self, table: &str) -> Result<(f64, f64)> {
        let question = match self {
            Self::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
            Self::Postgres(_) => format!(
                "SELECT column_name::text FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = '{table}'"
            ),
        };
        let columns = self.texts(&question)?;
        let length = |column: &String| match self {
            Self::Sqlite(_) => format!("coalesce(length(CAST(\"{column}\" AS BLOB)), 0)"),
            Self::Postgres(_) => format!("coalesce(pg_column_size(\"{column}\"), 0)"),
        };
        let lengths: Vec<String> = columns.iter().map(length).collect();
        let question = format!(
            "SELECT CAST(count(*) AS DOUBLE PRECISION), CAST(coalesce(sum({}), 0) AS DOUBLE PRECISION) FROM \"{table}\"",
            lengths.join(" + ")
        );
        Ok(match self {
            Self::Sqlite(base) => base.query_row(&question, [], |row| Ok((row.get(0)?, row.get(1)?)))?,
            Self::Postgres(base) => {
                let row = base.query_one(question.as_str(), &[])?;
                (row.get(0), row.get(1))
            }
        })
    }

    /// The bytes and rows of each table, its indexes included.
    pub fn sizes(&mut self) -> Result<BTreeMap<String, (f64, f64)>> {
        let bytes: Vec<(String, f64)> = match self {
            Self::Sqlite(base) => {
                let mut statement = base.prepare(
                    "SELECT s.tbl_name, CAST(sum(d.pgsize) AS DOUBLE PRECISION) FROM dbstat d
                     JOIN sqlite_schema s ON s.name = d.name GROUP BY s.tbl_name",
                )?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect::<rusqlite::Result<_>>()?
            }
            Self::Postgres(base) => {
                let question = "SELECT tablename::text,
                        CAST(pg_total_relation_size(quote_ident(tablename)::regclass) AS DOUBLE PRECISION)
                     FROM pg_tables WHERE schemaname = current_schema()";
                let rows = base.query(question, &[])?;
                rows.iter().map(|row| (row.get(0), row.get(1))).collect()
            }
        };
        let mut sizes = BTreeMap::new();
        for (table, bytes) in bytes {
            let rows = self.count(&format!("\"{table}\""))?;
            sizes.insert(table, (bytes, rows as f64));
        }
        Ok(sizes)
    }
}

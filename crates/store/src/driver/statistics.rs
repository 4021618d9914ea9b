//! Table sizes for SQLite's planner.
//!
//! Without statistics it takes a look-up by the first column of any index for one that finds about ten rows. Here that column
//! is the tenant, so SQLite would rather scan all rows of a tenant, in the requested order, than look up the few that match.
//! Statistics that it gathers by itself would follow the data, and plans would change on some day in production. Therefore it
//! gets fixed statistics of a large installation, computed from the columns of each index: a plan is the same everywhere and
//! always, and a test can check it.
//!
//! The table `sqlite_stat1` and its use for this are described in <https://www.sqlite.org/fileformat2.html#stat1tab> and
//! <https://www.sqlite.org/optoverview.html#manual_control_of_query_plans_using_sqlite_stat_tables>.

use rusqlite::{Connection, TransactionBehavior};

/// Rows of any table.
const ROWS: u64 = 1_000_000;
/// Rows in a partial index (`WHERE …`): the waiting ones.
const ROWS_OF_PARTIAL: u64 = 1_000;

/// An index's line: its table, its name, and `rows, rows for one value of the first column, of the first two, …`.
type Line = (String, String, String);

/// Writes the statistics to the file if they differ; this connection plans by them at once, others from their first statement
/// on.
pub(super) fn write_statistics(connection: &mut Connection) -> rusqlite::Result<()> {
    let wanted = wanted(connection)?;
    if describe(connection)? == wanted {
        return Ok(());
    }
    // One that begins by reading and then wants to write is refused at once where another server wrote meanwhile.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // This makes the table where it is absent, and gathers nothing.
    transaction.execute_batch("ANALYZE sqlite_schema; DELETE FROM sqlite_stat1;")?;
    {
        let mut insert = transaction.prepare("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)")?;
        for (table, index, line) in &wanted {
            insert.execute((table, index, line))?;
        }
    }
    transaction.commit()?;
    connection.execute_batch("ANALYZE sqlite_schema")
}

/// What was told before, in the order of indexes.
fn describe(connection: &Connection) -> rusqlite::Result<Vec<Line>> {
    let is_there = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'")?
        .exists([])?;
    if !is_there {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// One column of an index.
struct Column {
    table: String,
    index: String,
    is_unique: bool,
    is_partial: bool,
    name: String,
}

/// The wanted statistics, in the order of indexes.
fn wanted(connection: &Connection) -> rusqlite::Result<Vec<Line>> {
    let mut select = connection.prepare(
        "SELECT t.name, l.name, l.\"unique\", l.partial, c.name
         FROM sqlite_schema t JOIN pragma_index_list(t.name) l JOIN pragma_index_info(l.name) c
         WHERE t.type = 'table' AND substr(t.name, 1, 7) <> 'sqlite_' ORDER BY t.name, l.name, c.seqno",
    )?;
    let columns = select.query_map([], |row| {
        Ok(Column {
            table: row.get(0)?,
            index: row.get(1)?,
            is_unique: row.get(2)?,
            is_partial: row.get(3)?,
            name: row.get(4)?,
        })
    })?;
    let columns = columns.collect::<rusqlite::Result<Vec<Column>>>()?;
    let indexes = columns.chunk_by(|one, other| one.table == other.table && one.index == other.index);
    Ok(indexes.filter_map(line).collect())
}

fn line(columns: &[Column]) -> Option<Line> {
    let first = columns.first()?;
    let mut rows = if first.is_partial { ROWS_OF_PARTIAL } else { ROWS };
    let mut numbers = vec![rows.to_string()];
    for (at, column) in columns.iter().enumerate() {
        let is_whole_key = first.is_unique && at + 1 == columns.len();
        rows = if is_whole_key {
            1
        } else {
            (rows / values(&column.name)).max(1)
        };
        numbers.push(rows.to_string());
    }
    Some((first.table.clone(), first.index.clone(), numbers.join(" ")))
}

/// How many values a column has, all else being equal.
fn values(column: &str) -> u64 {
    match column {
        "active" | "is_over" | "is_open" | "revoked" | "shared" => 2,
        "tenant" => 4,
        "kind" | "risk" | "outcome" | "purpose" | "role" | "severity" | "code" | "door" | "list" | "environment"
        | "table_name" | "record_table" | "subject_table" => 8,
        "service" | "connection" | "webhook" | "team" => 200,
        // Most records are in their final state, and queries by state look for the others.
        "state" => 500,
        "id" | "digest" | "token_digest" => ROWS,
        _ => 2_000,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use super::*;

    #[test]
    fn what_is_told_once_is_not_told_again_and_follows_the_indexes() {
        let mut connection = Connection::open_in_memory().unwrap();
        let make = "CREATE TABLE note (tenant TEXT, id TEXT, state TEXT, author TEXT, PRIMARY KEY (tenant, id));
                    CREATE INDEX note_by_author ON note (tenant, author);
                    CREATE INDEX note_open ON note (tenant, state) WHERE state = 'open';";
        connection.execute_batch(make).unwrap();
        write_statistics(&mut connection).unwrap();
        let lines: Vec<String> = describe(&connection).unwrap().into_iter().map(|line| line.2).collect();
        assert_eq!(lines, ["1000000 250000 125", "1000 250 1", "1000000 250000 1"]);
        let changes = connection.total_changes();
        write_statistics(&mut connection).unwrap();
        assert_eq!(connection.total_changes(), changes, "nothing new was to be told");
        connection.execute_batch("DROP INDEX note_open").unwrap();
        write_statistics(&mut connection).unwrap();
        assert_eq!(describe(&connection).unwrap().len(), 2);
    }

    #[test]
    fn few_rows_are_looked_up_although_they_are_wanted_in_the_order_of_the_key() {
        let mut connection = Connection::open_in_memory().unwrap();
        let make = "CREATE TABLE note (tenant TEXT, id TEXT, author TEXT, PRIMARY KEY (tenant, id));
                    CREATE INDEX note_by_author ON note (tenant, author);";
        connection.execute_batch(make).unwrap();
        let plan = |connection: &Connection| -> String {
            let ask = "EXPLAIN QUERY PLAN SELECT * FROM note WHERE tenant = 'a' AND author = 'b' ORDER BY id";
            connection.query_row(ask, [], |row| row.get("detail")).unwrap()
        };
        assert!(plan(&connection).ends_with("(tenant=?)"), "{}", plan(&connection));
        write_statistics(&mut connection).unwrap();
        assert!(
            plan(&connection).ends_with("(tenant=? AND author=?)"),
            "{}",
            plan(&connection)
        );
    }
}

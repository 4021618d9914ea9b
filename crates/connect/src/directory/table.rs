//! Comma-separated tables (RFC 4180) to and from rows of fields. Lists are parted by `;`. A cell that a spreadsheet would
//! take for a formula is written behind an apostrophe, and read without it.

use serde_json::{Map, Value, json};

/// The most bytes of a table.
pub const MOST_BYTES: usize = 4 << 20;
/// The most rows of a table.
pub const MOST_ROWS: usize = 50_000;

/// Why a text could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The plain sentence.
    pub text: String,
}

impl Problem {
    /// A problem on a line.
    pub fn new(line: usize, text: impl Into<String>) -> Self {
        Self {
            line,
            text: text.into(),
        }
    }
}

/// A row with the line where it begins.
pub type Row = (usize, Map<String, Value>);

/// How the cells of a table are read.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Every allowed column.
    pub known: &'static [&'static str],
    /// Those that hold lists.
    pub lists: &'static [&'static str],
    /// The columns with yes or no.
    pub flags: &'static [&'static str],
}

/// Reads a table whose first line names its columns. An empty cell is null and clears the field, while an absent column leaves
/// the field unchanged.
///
/// # Errors
/// [`Problem`] for a text that is too long, an unknown or repeated column, a row of another length, or bad quoting.
pub fn read(text: &str, columns: Columns) -> Result<Vec<Row>, Problem> {
    if text.len() > MOST_BYTES {
        return Err(Problem::new(1, format!("the text is longer than {MOST_BYTES} bytes")));
    }
    let text = text.trim_start_matches('\u{feff}');
    check_quotes(text)?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut lines = Lines::of(text);
    let heads: Vec<String> = reader
        .headers()
        .map_err(|error| wrong(&error, &mut lines))?
        .iter()
        .map(str::to_lowercase)
        .collect();
    check_heads(&heads, columns)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(&error, &mut lines))?;
        let line = lines.of_row(record.position());
        if rows.len() >= MOST_ROWS {
            return Err(Problem::new(line, format!("a table has at most {MOST_ROWS} rows")));
        }
        let cells = heads.iter().zip(record.iter());
        let fields = cells.map(|(head, cell)| (head.clone(), value(head, bare(cell), columns)));
        rows.push((line, fields.collect()));
    }
    Ok(rows)
}

/// Where the reader is in a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// At its begin.
    Begin,
    /// In a cell without quotes, or after it; a blank before a quote makes it part of the cell.
    Bare,
    /// Between two quotes.
    Quoted,
    /// After the second quote, or between two that mean one.
    Closed,
}

/// Refuses quotes that violate RFC 4180 section 2. The library accepts them: an unclosed quote would take the rest of the table
/// into its cell, and rows would be lost unnoticed.
fn check_quotes(text: &str) -> Result<(), Problem> {
    let (mut line, mut opened, mut cell) = (1, 1, Cell::Begin);
    for c in text.chars() {
        let next = match (cell, c) {
            (Cell::Quoted, '"') => Cell::Closed,
            (Cell::Quoted, _) => Cell::Quoted,
            (_, ',' | '\n') => Cell::Begin,
            (Cell::Begin | Cell::Closed, '"') => Cell::Quoted,
            (Cell::Closed, ' ' | '\t' | '\r') | (Cell::Begin | Cell::Bare, _) if c != '"' => Cell::Bare,
            _ => {
                let text = "a quote stands inside of a cell; write the whole cell in quotes, and one of its own as two: \"X \"\"A\"\"\"";
                return Err(Problem::new(line, text));
            }
        };
        if next == Cell::Quoted && cell == Cell::Begin {
            opened = line;
        }
        line += usize::from(c == '\n');
        cell = next;
    }
    if cell == Cell::Quoted {
        let text = "a quote is opened here and never closed; close it at the end of its cell, such as \"X, A\"";
        return Err(Problem::new(opened, text));
    }
    Ok(())
}

fn check_heads(heads: &[String], columns: Columns) -> Result<(), Problem> {
    for (place, head) in heads.iter().enumerate() {
        if !columns.known.contains(&head.as_str()) {
            let text = format!(
                "`{head}` is no column here; the columns are {}",
                columns.known.join(", ")
            );
            return Err(Problem::new(1, text));
        }
        if heads[..place].contains(head) {
            return Err(Problem::new(1, format!("the column `{head}` stands twice")));
        }
    }
    Ok(())
}

/// Counts lines on the way through a text. The reader's own count is that of the line end before a row: under CRLF, and behind
/// empty lines, it names an earlier one.
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: usize,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
            line: 1,
        }
    }

    /// The line on which the row at this position of the reader begins; rows are looked up in their order.
    fn of_row(&mut self, position: Option<&csv::Position>) -> usize {
        let begins = position.map_or(0, |at| usize::try_from(at.byte()).unwrap_or(usize::MAX));
        while let Some(byte) = self.text.get(self.at) {
            if self.at >= begins && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += usize::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

fn wrong(error: &csv::Error, lines: &mut Lines<'_>) -> Problem {
    let line = lines.of_row(error.position());
    let text = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} cells, and the first line names {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => "it is no row of comma-separated values".to_owned(),
    };
    Problem::new(line, text)
}

fn value(head: &str, cell: &str, columns: Columns) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    if columns.lists.contains(&head) {
        let items = cell.split(';').map(str::trim).filter(|item| !item.is_empty());
        return json!(items.collect::<Vec<_>>());
    }
    // Spreadsheets write TRUE and FALSE.
    match cell.to_lowercase().as_str() {
        "true" | "yes" if columns.flags.contains(&head) => json!(true),
        "false" | "no" if columns.flags.contains(&head) => json!(false),
        _ => json!(cell),
    }
}

/// A text that a spreadsheet takes for a formula; after apostrophes too, so that a text with one of its own is read back
/// unchanged.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r'])
}

fn bare(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

/// Writes a table.
///
/// # Errors
/// Never for text; a fault of the writer otherwise.
pub fn write(columns: Columns, rows: &[Map<String, Value>]) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(columns.known)?;
    for row in rows {
        writer.write_record(columns.known.iter().map(|head| cell(row.get(*head))))?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items = items.iter().map(|item| item.as_str().unwrap_or_default());
            items.collect::<Vec<_>>().join(";")
        }
        Some(other) => other.to_string(),
    };
    if is_formula(&text) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]
    use super::*;

    const COLUMNS: Columns = Columns {
        known: &["key", "name", "members", "active"],
        lists: &["members"],
        flags: &["active"],
    };

    #[test]
    fn what_is_written_is_read_back() {
        let text = "key,name,members,active\na,\"A, B\",x;y,true\nb,'=1+1,,\nc,''=1+1,,\nd,'n,,\n";
        let rows = read(text, COLUMNS).unwrap();
        assert_eq!(rows[0].0, 2);
        assert_eq!(rows[0].1["members"], json!(["x", "y"]));
        assert_eq!(rows[0].1["active"], json!(true));
        assert_eq!(rows[1].1["name"], "=1+1");
        assert_eq!(rows[2].1["name"], "'=1+1", "an apostrophe of its own stays");
        assert_eq!(rows[3].1["name"], "'n");
        let maps: Vec<_> = rows.into_iter().map(|(_, map)| map).collect();
        assert_eq!(write(COLUMNS, &maps).unwrap(), text);
    }

    #[test]
    fn a_quote_that_is_not_closed_takes_no_rows_with_it() {
        let people = |rows: &str| read(&format!("key,name\n{rows}"), COLUMNS);
        for (rows, line, word) in [
            ("a,\"X A\nb,B\nc,C\n", 2, "never closed"),
            ("a,A\nb,\"B\n", 3, "never closed"),
            ("a,X\"y\n", 2, "inside of a cell"),
            ("a, \"X, A\"\n", 2, "inside of a cell"),
            ("a,\"X\"y\n", 2, "inside of a cell"),
            ("a,\"X\r\nY\"\r\nb,\"X\"y\"\r\n", 4, "inside of a cell"),
        ] {
            let problem = people(rows).unwrap_err();
            assert_eq!(problem.line, line, "{rows:?}: {problem}");
            assert!(problem.text.contains(word), "{rows:?}: {problem}");
        }
        let whole = people("a,\"X, \"\"A\"\"\nB\" \nb,\"\"\n").unwrap();
        assert_eq!(whole[0].1["name"], "X, \"A\"\nB");
        assert_eq!(whole[1].1["name"], serde_json::Value::Null);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(read("key,naem\n", COLUMNS).unwrap_err().line, 1);
        let short = read("key,name\na,b\nc\n", COLUMNS).unwrap_err();
        assert_eq!((short.line, short.text.contains("1 cells")), (3, true), "{short}");
        assert!(read("key,key\n", COLUMNS).unwrap_err().text.contains("twice"));
        // As spreadsheets write it, with empty lines and with a cell of two lines.
        let short = read("key,name\r\na,b\r\nc\r\n", COLUMNS).unwrap_err();
        assert_eq!(short.line, 3, "{short}");
        for end in ["\n", "\r\n"] {
            let text = ["key,name", "a,\"two", "lines\"", "", "c,d", "e,f"].join(end);
            let lines: Vec<usize> = read(&text, COLUMNS)
                .unwrap()
                .into_iter()
                .map(|(line, _)| line)
                .collect();
            assert_eq!(lines, [2, 5, 6], "{end:?}");
        }
    }
}

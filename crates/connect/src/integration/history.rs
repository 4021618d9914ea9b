//! Rows of another system's past, from a table (RFC 4180) or a JSON list of objects, each with the line where it begins.

use model::integration::imported_change::{COLUMNS, LISTS, Row};
use serde_json::Value;

use crate::directory::table::{self, Columns, MOST_BYTES, Problem};

/// Reads a text; a list of JSON numbers its rows from 1.
///
/// # Errors
/// The error, and where.
pub fn rows(text: &str, is_json: bool) -> Result<Vec<Row>, Problem> {
    if !is_json {
        let columns = Columns {
            known: COLUMNS,
            lists: LISTS,
            flags: &[],
        };
        return table::read(text, columns);
    }
    if text.len() > MOST_BYTES {
        return Err(Problem::new(1, format!("the text is longer than {MOST_BYTES} bytes")));
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| Problem::new(error.line().max(1), "it is no JSON".to_owned()))?;
    let Value::Array(items) = value else {
        return Err(Problem::new(1, "it is no list of objects"));
    };
    let row = |(place, item): (usize, Value)| match item {
        Value::Object(fields) => Ok((place + 1, fields)),
        _ => Err(Problem::new(place + 1, "it is no object")),
    };
    items.into_iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn tables_and_lists_are_read_alike_and_say_where_they_are_none() {
        let table = rows("key,service,approved_by\nCHG1,shop,ada;bob\n", false).unwrap();
        let list = rows(
            r#"[{"key": "CHG1", "service": "shop", "approved_by": ["ada", "bob"]}]"#,
            true,
        )
        .unwrap();
        assert_eq!(table[0].1, list[0].1);
        assert_eq!((table[0].0, list[0].0), (2, 1));
        assert_eq!(rows("[\n1, x]", true).unwrap_err().line, 2);
        assert_eq!(rows("[{}, 4]", true).unwrap_err().line, 2);
        assert!(rows("colour\nred\n", false).unwrap_err().text.contains("no column"));
    }
}

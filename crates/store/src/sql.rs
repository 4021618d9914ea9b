//! Reads a statement once: finds its `$name` parameters and writes the numbered form for PostgreSQL.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A statement with its parameters' names in the order of first appearance.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The text with `$1`, `$2` … in place of the names.
    pub(crate) numbered: String,
    /// The names without `$`; the n-th is `$n` of the numbered text.
    pub(crate) names: Vec<String>,
    /// The order of the values at the first call: every caller of a text gives them in one order.
    pub(crate) given: OnceLock<Given>,
}

/// Names of values in the order in which they were given, found to be right for a statement.
#[derive(Debug)]
pub(crate) struct Given {
    /// The names.
    pub(crate) names: Vec<String>,
    /// For each name of the statement, the position of its value among the given ones; `None` for the tenant.
    pub(crate) places: Vec<Option<usize>>,
}

/// How many texts the cache keeps; past it the cache starts afresh, as generated lists are few but not fixed.
const CACHE: usize = 2_000;

type Cache = Mutex<HashMap<String, Arc<Statement>>>;

/// The parsed form of a text, from the cache when it was seen before.
pub(crate) fn parse_cached(sql: &str) -> Arc<Statement> {
    static SEEN: OnceLock<Cache> = OnceLock::new();
    let mut seen = SEEN
        .get_or_init(Cache::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(statement) = seen.get(sql) {
        return Arc::clone(statement);
    }
    if seen.len() >= CACHE {
        seen.clear();
    }
    let statement = Arc::new(parse(sql));
    seen.insert(sql.to_owned(), Arc::clone(&statement));
    statement
}

/// Splits a text into pieces that may hold parameters and pieces that may not (literals, comments, quoted names).
pub(crate) fn parse(sql: &str) -> Statement {
    let bytes = sql.as_bytes();
    let mut numbered = String::with_capacity(sql.len());
    let mut names: Vec<String> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            quote @ (b'\'' | b'"') => quoted_end(bytes, at, quote),
            b'-' if bytes.get(at + 1) == Some(&b'-') => line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => comment_end(bytes, at),
            b'$' if bytes.get(at + 1).is_some_and(|it| is_name(*it)) => {
                let end = name_end(bytes, at + 1);
                let number = number_of(&mut names, &sql[at + 1..end]);
                numbered.push('$');
                numbered.push_str(&number.to_string());
                at = end;
                continue;
            }
            _ => plain_end(bytes, at),
        };
        numbered.push_str(&sql[at..end]);
        at = end;
    }
    Statement {
        numbered,
        names,
        given: OnceLock::new(),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn number_of(names: &mut Vec<String>, name: &str) -> usize {
    if let Some(at) = names.iter().position(|it| it == name) {
        return at + 1;
    }
    names.push(name.to_owned());
    names.len()
}

fn name_end(bytes: &[u8], from: usize) -> usize {
    (from..bytes.len())
        .find(|at| !is_name(bytes[*at]))
        .unwrap_or(bytes.len())
}

/// A run of bytes in which nothing special begins; at least one byte, so that the loop always moves on.
fn plain_end(bytes: &[u8], from: usize) -> usize {
    (from + 1..bytes.len())
        .find(|at| matches!(bytes[*at], b'\'' | b'"' | b'-' | b'/' | b'$'))
        .unwrap_or(bytes.len())
}

/// A doubled quote ends and begins the literal again at once, which has the same result.
fn quoted_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    (from + 1..bytes.len())
        .find(|at| bytes[*at] == quote)
        .map_or(bytes.len(), |at| at + 1)
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    (from..bytes.len())
        .find(|at| bytes[*at] == b'\n')
        .unwrap_or(bytes.len())
}

fn comment_end(bytes: &[u8], from: usize) -> usize {
    (from + 2..bytes.len().saturating_sub(1))
        .find(|at| bytes[*at] == b'*' && bytes[*at + 1] == b'/')
        .map_or(bytes.len(), |at| at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, numbered: &str, names: &[&str]) {
        let statement = parse(sql);
        assert_eq!(statement.numbered, numbered, "text of {sql}");
        assert_eq!(statement.names, names, "names of {sql}");
    }

    #[test]
    fn names_become_numbers_by_first_appearance() {
        check(
            "a = $b AND c = $a AND d = $b",
            "a = $1 AND c = $2 AND d = $1",
            &["b", "a"],
        );
        check("$ten, $tenant", "$1, $2", &["ten", "tenant"]);
        check("$a", "$1", &["a"]);
        check("", "", &[]);
    }

    #[test]
    fn literals_comments_and_quoted_names_are_left_alone() {
        check("'$a' || $b", "'$a' || $1", &["b"]);
        check("'it''s $a' = $b", "'it''s $a' = $1", &["b"]);
        check("\"$a\" = $b", "\"$a\" = $1", &["b"]);
        check("-- $a 'x\n$b", "-- $a 'x\n$1", &["b"]);
        check("/* $a ' */ $b", "/* $a ' */ $1", &["b"]);
        check("'é$a' - 1 / $b", "'é$a' - 1 / $1", &["b"]);
        check("'open $a", "'open $a", &[]);
        check("/* open $a", "/* open $a", &[]);
        check("a $ b", "a $ b", &[]);
    }
}

//! Full-text search, alike on both engines: a row for each term of a record.
//!
//! A term is a run of letters and digits after NFKC and lower-casing, cut after 24 characters. The last term of a query also
//! matches as a prefix. Terms are stored as bytes, which both engines order alike: a prefix is then a range.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};
use crate::tx::Tx;
use crate::value::Value;

/// The longest term that is stored in full, in characters.
const LONGEST: usize = 24;
/// How many different terms of one record are stored.
const WORDS: usize = 400;
/// How many terms of a query count.
const ASKED: usize = 8;
/// How many rows one statement writes.
const CHUNK: usize = 16;
/// Fewer records than this are collected before they are sorted; of a more frequent term, the newest are found by scanning.
pub(crate) const RARE: i64 = 2_000;
/// A byte that is in no UTF-8 text and sorts after all that are; with it a prefix becomes a range.
const LAST: u8 = 0xFF;

/// The terms of a text, in order of appearance.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let plain: String = text.nfkc().collect::<String>().to_lowercase();
    plain
        .split(|it: char| !it.is_alphanumeric())
        .filter(|it| !it.is_empty())
        .map(|it| it.chars().take(LONGEST).collect())
        .collect()
}

/// The different terms of some texts. Earlier texts win when there are too many terms.
fn wanted(texts: &[&str]) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    for word in texts.iter().flat_map(|it| words(it)) {
        if wanted.len() >= WORDS {
            break;
        }
        wanted.insert(word);
    }
    wanted
}

/// Whether a record's stored terms are exactly those of these texts.
pub(crate) fn is_right(tx: &mut Tx<'_>, table: &str, id: &str, texts: &[&str]) -> Result<bool> {
    // Bytes, because a row written past the server may have a term that is no text.
    let wanted: BTreeSet<Vec<u8>> = wanted(texts).into_iter().map(String::into_bytes).collect();
    Ok(bytes_of(tx, table, id)?.into_iter().collect::<BTreeSet<_>>() == wanted)
}

/// Makes a record findable by the terms of these texts and by no others.
pub fn save(tx: &mut Tx<'_>, table: &str, id: &str, texts: &[&str]) -> Result<()> {
    let wanted = wanted(texts);
    let present = terms_of(tx, table, id)?;
    for gone in present.difference(&wanted) {
        tx.execute(
            "DELETE FROM search_term WHERE tenant = $tenant AND record_table = $table AND record_id = $id
             AND term = $term",
            &[
                ("table", table.into()),
                ("id", id.into()),
                ("term", gone.as_bytes().into()),
            ],
        )?;
    }
    let missing: Vec<&String> = wanted.difference(&present).collect();
    insert_terms(tx, table, id, &missing)
}

/// Makes a new record, without stored terms yet, findable.
pub(crate) fn insert(tx: &mut Tx<'_>, table: &str, id: &str, texts: &[&str]) -> Result<()> {
    let wanted = wanted(texts);
    let missing: Vec<&String> = wanted.iter().collect();
    insert_terms(tx, table, id, &missing)
}

/// The terms under which a record is found.
pub fn terms_of(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<BTreeSet<String>> {
    let text = |term| String::from_utf8(term).map_err(|_| Error::Corrupt("a search term is no text".to_owned()));
    bytes_of(tx, table, id)?.into_iter().map(text).collect()
}

fn bytes_of(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Vec<Vec<u8>>> {
    tx.query(
        "SELECT term FROM search_term WHERE tenant = $tenant AND record_table = $table AND record_id = $id",
        &[("table", table.into()), ("id", id.into())],
    )?
    .iter()
    .map(|row| row.bytes("term"))
    .collect()
}

/// Makes a record unfindable.
pub fn forget(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<()> {
    save(tx, table, id, &[])
}

/// The names of a chunk's terms, and the statements that write one term, two, and so on.
static INSERTS: LazyLock<(Vec<String>, Vec<String>)> = LazyLock::new(|| {
    let names: Vec<String> = (0..CHUNK).map(|at| format!("t{at}")).collect();
    let rows: Vec<String> = names
        .iter()
        .map(|name| format!("($tenant, ${name}, $table, $id)"))
        .collect();
    let statement = |count: usize| {
        let rows = rows[..count].join(", ");
        format!("INSERT INTO search_term (tenant, term, record_table, record_id) VALUES {rows} ON CONFLICT DO NOTHING")
    };
    let statements = (1..=CHUNK).map(statement).collect();
    (names, statements)
});

fn insert_terms(tx: &mut Tx<'_>, table: &str, id: &str, terms: &[&String]) -> Result<()> {
    let (names, statements) = &*INSERTS;
    for chunk in terms.chunks(CHUNK) {
        let mut params: Vec<(&str, Value)> = vec![("table", table.into()), ("id", id.into())];
        let values = chunk.iter().map(|term| Value::from(term.as_bytes()));
        params.extend(names.iter().map(String::as_str).zip(values));
        tx.execute(&statements[chunk.len() - 1], &params)?;
    }
    Ok(())
}

/// Ids of the records of a table with all terms of a query, the last one perhaps as a prefix. In order of ids, newest first; a
/// query without a term finds nothing.
pub fn find(tx: &mut Tx<'_>, table: &str, question: &str, limit: i64) -> Result<Vec<String>> {
    let (Some((first, mut params)), Some((others, more))) =
        (gathering(question, 0), condition("few.id", question, Some(0)))
    else {
        return Ok(Vec::new());
    };
    let sql = format!("SELECT id FROM ({first}) AS few WHERE {others} ORDER BY id DESC LIMIT $limit");
    params.extend(more);
    params.push(("table".to_owned(), table.into()));
    params.push(("limit".to_owned(), limit.into()));
    let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    tx.query(&sql, &params)?.iter().map(|row| row.text("id")).collect()
}

/// One term of a query.
struct SearchTerm {
    /// The condition on a term.
    test: String,
    params: Vec<(String, Value)>,
}

/// The terms of a query as conditions; the last one matches as a prefix.
fn parse_terms(question: &str) -> Vec<SearchTerm> {
    let mut words = words(question);
    words.truncate(ASKED);
    let Some(last) = words.pop() else {
        return Vec::new();
    };
    let whole = |(at, word): (usize, String)| SearchTerm {
        test: format!("term = $q{at}"),
        params: vec![(format!("q{at}"), Value::from(word.into_bytes()))],
    };
    let mut asked: Vec<SearchTerm> = words.into_iter().enumerate().map(whole).collect();
    let from = last.into_bytes();
    let mut below = from.clone();
    below.push(LAST);
    asked.push(SearchTerm {
        test: "term >= $q_from AND term < $q_below".to_owned(),
        params: vec![("q_from".to_owned(), from.into()), ("q_below".to_owned(), below.into())],
    });
    asked
}

/// The position of the query's first term that fewer than [`RARE`] records of the table have.
pub(crate) fn rare_term(tx: &mut Tx<'_>, table: &str, question: &str) -> Result<Option<usize>> {
    for (at, SearchTerm { test, params }) in parse_terms(question).iter().enumerate() {
        let sql = format!(
            "SELECT count(*) AS it FROM (SELECT 1 AS one FROM search_term
             WHERE tenant = $tenant AND record_table = $table AND {test} LIMIT $most) AS found"
        );
        let mut params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
        params.push(("table", table.into()));
        params.push(("most", RARE.into()));
        let count = tx.query_one(&sql, &params)?.map_or(Ok(0), |row| row.int("it"))?;
        if count < RARE {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// The statement that collects, as `id`, the records with the term at a position of the query, with its parameters; `$table` is
/// the caller's.
pub(crate) fn gathering(question: &str, at: usize) -> Option<(String, Vec<(String, Value)>)> {
    let SearchTerm { test, params } = parse_terms(question).into_iter().nth(at)?;
    let of_table = "tenant = $tenant AND record_table = $table";
    let sql = format!("SELECT DISTINCT record_id AS id FROM search_term WHERE {of_table} AND {test}");
    Some((sql, params))
}

/// The condition that a column's record has all terms of a query except the one at `gathered`, with its parameters; `$table` is
/// the caller's. A query without a term has none.
pub(crate) fn condition(
    column: &str,
    question: &str,
    gathered: Option<usize>,
) -> Option<(String, Vec<(String, Value)>)> {
    let asked = parse_terms(question);
    if asked.is_empty() {
        return None;
    }
    let mut params = Vec::new();
    let mut tests = vec!["1 = 1".to_owned()];
    for (at, word) in asked.into_iter().enumerate() {
        if gathered == Some(at) {
            continue;
        }
        tests.push(format!(
            "EXISTS (SELECT 1 FROM search_term AS had WHERE had.tenant = $tenant AND had.record_table = $table
             AND had.record_id = {column} AND {})",
            word.test
        ));
        params.extend(word.params);
    }
    Some((tests.join(" AND "), params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_normalised_cut_and_in_order() {
        assert_eq!(words("Füße, ﬁrst CHG-1042!"), ["füße", "first", "chg", "1042"]);
        assert_eq!(words(" -- "), Vec::<String>::new());
        assert_eq!(words(&"x".repeat(40)), ["x".repeat(24)]);
    }
}

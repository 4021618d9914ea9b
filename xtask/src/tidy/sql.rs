//! SQL is in `crates/store` and nowhere else.

use super::tree::Tree;
use super::{Finding, scan};

/// Pairs of keywords that, in this order and in capitals, make a text SQL.
const SPOKEN_LOUD: &[(&str, &str)] = &[
    ("SELECT ", " FROM "),
    ("UPDATE ", " SET "),
    ("INSERT INTO ", ""),
    ("DELETE FROM ", ""),
];

/// Beginnings that no English sentence has.
const SPOKEN_LOW: &[&str] = &["insert into ", "delete from ", "create table ", "alter table "];

/// Looks at the string literals of every crate but the store, and for SQL files elsewhere.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        if path.starts_with("crates/store/") || path.starts_with("xtask/") {
            continue;
        }
        if path.ends_with(".sql") {
            findings.push(Finding::new(path, 0, "SQL belongs in crates/store"));
        }
        if path.ends_with(".rs") {
            let strings = scan::scan(text).strings;
            let sql = strings.iter().filter(|(_, string)| is_sql(string));
            findings.extend(
                sql.map(|(line, _)| Finding::new(path, *line, "SQL belongs in crates/store, as a function there")),
            );
        }
    }
    findings
}

fn is_sql(string: &str) -> bool {
    let text = string.split_whitespace().collect::<Vec<_>>().join(" ") + " ";
    let loud = |(first, second): &(&str, &str)| {
        text.find(first)
            .is_some_and(|at| text[at + first.len() - 1..].contains(second))
    };
    SPOKEN_LOUD.iter().any(loud) || SPOKEN_LOW.iter().any(|start| text.to_lowercase().starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_outside_the_store_is_found_even_over_lines() {
        let source = "fn a() {\n  q(\"SELECT id\n FROM change\");\n  q(\"insert into change\");\n}";
        let findings = check(&Tree::of(&[("crates/acts/src/a.rs", source)]));
        let lines: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [2, 4]);
    }

    #[test]
    fn prose_and_the_store_itself_pass() {
        let prose = "const A: &str = \"Select one person from the list, then update it\";";
        let query = "const Q: &str = \"SELECT id FROM change\";";
        let tree = Tree::of(&[("crates/pages/src/a.rs", prose), ("crates/store/src/change.rs", query)]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn an_sql_file_elsewhere_is_found() {
        assert_eq!(check(&Tree::of(&[("docs/reports.sql", "")])).len(), 1);
    }
}

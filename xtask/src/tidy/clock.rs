//! Time, ids and randomness are parameters. Reading them is the outermost layer's work alone.
//!
//! `clippy.toml` denies the same functions; this rule also sees code that clippy does not build, and
//! keeps the list of exceptions in one place.

use super::tree::Tree;
use super::{Finding, scan};

const READERS: &[&str] = &[
    "Timestamp::now",
    "Zoned::now",
    "SystemTime::now",
    "Instant::now",
    "Uuid::now_v7",
    "Uuid::new_v4",
    "SystemRandom::new",
    "thread_rng",
    "getrandom",
];

/// Looks for readers in the code of every Rust file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let code = scan::scan(text).code;
        for reader in READERS {
            for at in scan::find_words(&code, reader) {
                let text = format!("`{reader}`: clock, ids and randomness are handed in");
                findings.push(Finding::new(path, scan::line_of(&code, at), text));
            }
        }
    }
    findings.sort_by_key(|finding| (finding.path.clone(), finding.line));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_the_clock_is_found_under_its_full_name_too() {
        let source = "let a = jiff::Timestamp::now();\nlet b = uuid::Uuid::now_v7();";
        let findings = check(&Tree::of(&[("crates/acts/src/a.rs", source)]));
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn talking_about_it_passes() {
        let source = "// Timestamp::now is not for us.\nlet a = \"Instant::now\"; let b = MyInstant::nowhere();";
        assert_eq!(check(&Tree::of(&[("crates/acts/src/a.rs", source)])), []);
    }
}

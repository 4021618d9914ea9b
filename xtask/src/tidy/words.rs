//! One term per thing: synonyms that the glossary turns away.
//!
//! The table is small on purpose. It lists terms that would name a thing twice, and none of the field's own terms, which
//! readers know; GLOSSARY.md has the term of each thing.

use super::tree::Tree;
use super::{Finding, scan};

/// The term to avoid, in lower case and in the singular, and its replacement.
type Denied = (&'static str, &'static str);

const DENIED: &[Denied] = &[
    ("change ticket", "change"),
    ("approver group", "group, or approval rule"),
    ("sign off", "approval"),
    ("signoff", "approval"),
    ("backout plan", "rollback plan"),
    ("back out plan", "rollback plan"),
    ("deploy token", "permit"),
    ("whitelist", "allow list"),
    ("blacklist", "deny list"),
];

/// Denied in code only; prose needs these terms for other systems.
const DENIED_IN_CODE: &[Denied] = &[("ticket", "change"), ("backout", "rollback"), ("blackout", "freeze")];

/// Files that must name the denied terms to do their work.
const EXEMPT: &[&str] = &["GLOSSARY.md", "xtask/src/tidy/words.rs", "LICENSE"];

/// Looks at identifiers of Rust files and at the prose of Markdown files and comments.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| !EXEMPT.contains(path)) {
        if path.ends_with(".md") {
            findings.extend(in_prose(path, 1, &prose_of_markdown(text)));
        }
        if path.ends_with(".rs") {
            let scanned = scan::scan(text);
            findings.extend(in_code(path, &scanned.code));
            for (line, comment) in &scanned.comments {
                findings.extend(in_prose(path, *line, &without_code_spans(comment)));
            }
        }
    }
    findings
}

fn in_code(path: &str, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for identifier in line.split(|c: char| !c.is_alphanumeric() && c != '_') {
            let words = words_of_identifier(identifier);
            for (denied, instead) in DENIED.iter().chain(DENIED_IN_CODE) {
                if holds(&words, denied) {
                    let text = format!("`{identifier}`: say {instead}");
                    findings.push(Finding::new(path, number + 1, text));
                }
            }
        }
    }
    findings
}

fn in_prose(path: &str, first_line: usize, prose: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in prose.lines().enumerate() {
        let words: Vec<String> = line
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(singular)
            .collect();
        for (denied, instead) in DENIED.iter().filter(|(denied, _)| holds(&words, denied)) {
            let text = format!("“{denied}”: say {instead}");
            findings.push(Finding::new(path, first_line + number, text));
        }
    }
    findings
}

/// Lower case, without the plural's s.
fn singular(word: &str) -> String {
    let lower = word.to_lowercase();
    lower
        .strip_suffix('s')
        .filter(|word| !word.ends_with('s'))
        .unwrap_or(&lower)
        .to_owned()
}

/// Whether the denied terms occur in a row among `words`.
fn holds(words: &[String], denied: &str) -> bool {
    let denied: Vec<&str> = denied.split(' ').collect();
    words.windows(denied.len()).any(|window| window.iter().eq(&denied))
}

/// `ChangeRequest`, `change_request` and `CHANGE_REQUEST` all consist of “change” and “request”.
fn words_of_identifier(identifier: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in identifier.split('_') {
        let mut word = String::new();
        let mut before_was_lower = false;
        for c in part.chars() {
            if c.is_uppercase() && before_was_lower {
                words.push(singular(&std::mem::take(&mut word)));
            }
            before_was_lower = c.is_lowercase() || c.is_numeric();
            word.push(c);
        }
        words.push(singular(&word));
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Markdown without code: fenced blocks become empty lines, code spans blanks.
fn prose_of_markdown(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        if !fenced && !is_fence {
            prose.push_str(&without_code_spans(line));
        }
        prose.push('\n');
    }
    prose
}

/// A line without its code spans in backticks.
fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synonym_is_found_in_identifiers_however_they_are_spelt() {
        let source = "struct SignOff;\nfn load_sign_offs() {}\nlet ticket = 1;";
        let lines: Vec<usize> = check(&Tree::of(&[("a.rs", source)]))
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [1, 2, 3]);
    }

    #[test]
    fn a_synonym_is_found_in_prose_and_comments() {
        let tree = Tree::of(&[
            ("a.md", "One\nChange tickets wait."),
            ("b.rs", "\n// The backout plan."),
        ]);
        let lines: Vec<(String, usize)> = check(&tree)
            .into_iter()
            .map(|finding| (finding.path, finding.line))
            .collect();
        assert_eq!(lines, [("a.md".to_owned(), 2), ("b.rs".to_owned(), 2)]);
    }

    #[test]
    fn quoted_words_texts_and_longer_words_pass() {
        let tree = Tree::of(&[
            ("a.md", "Search understands `sign off` too.\n```\nsign off\n```\n"),
            (
                "b.rs",
                "let terms = [\"sign off\"]; let ticketer = rfc_8785; let off_sign = 2;",
            ),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn the_fields_own_terms_pass() {
        let terms = "A change request, a change freeze, a configuration item, an audit trail, MFA and SSO.";
        assert_eq!(check(&Tree::of(&[("a.md", terms)])), []);
        let glossary = include_str!("../../../GLOSSARY.md");
        let avoided = |line: &str| line.split('|').nth(4).unwrap_or_default().to_owned();
        let avoided: Vec<String> = glossary
            .lines()
            .filter(|line| line.starts_with("| **"))
            .map(avoided)
            .collect();
        for term in [
            "change request",
            "SSO",
            "MFA",
            "postmortem",
            "audit trail",
            "sidecar",
            "PIR",
            "TSA",
        ] {
            assert!(!avoided.iter().any(|cell| cell.contains(term)), "{term}");
        }
    }
}

//! One word per thing: synonyms that the glossary turns away.
//!
//! The table is small on purpose. It holds the words that people of this field bring along and that
//! would name a thing twice; GLOSSARY.md says of each which word stands for it here.

use super::tree::Tree;
use super::{Finding, scan};

/// What to avoid, in lower case and in the singular, and what to say instead.
type Denied = (&'static str, &'static str);

const DENIED: &[Denied] = &[
    ("change request", "change"),
    ("change ticket", "change"),
    ("approver group", "group, or approval rule"),
    ("sign off", "approval"),
    ("signoff", "approval"),
    ("backout plan", "rollback plan"),
    ("back out plan", "rollback plan"),
    ("blackout window", "freeze"),
    ("change freeze", "freeze"),
    ("change board", "CAB"),
    ("configuration item", "config item"),
    ("deploy token", "permit"),
    ("audit trail", "log, or timeline"),
    ("whitelist", "allow list"),
    ("blacklist", "deny list"),
];

/// Denied in code only; prose needs these words to speak about other systems.
const DENIED_IN_CODE: &[Denied] = &[("ticket", "change"), ("backout", "rollback"), ("blackout", "freeze")];

/// Files that must name the denied words to do their work.
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

/// Whether the denied words stand in a row among `words`.
fn holds(words: &[String], denied: &str) -> bool {
    let denied: Vec<&str> = denied.split(' ').collect();
    words.windows(denied.len()).any(|window| window.iter().eq(&denied))
}

/// `ChangeRequest`, `change_request` and `CHANGE_REQUEST` are the words “change” and “request”.
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

/// A line without what stands between backticks.
fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synonym_is_found_in_identifiers_however_they_are_spelt() {
        let source = "struct ChangeRequest;\nfn load_change_requests() {}\nlet ticket = 1;";
        let lines: Vec<usize> = check(&Tree::of(&[("a.rs", source)]))
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [1, 2, 3]);
    }

    #[test]
    fn a_synonym_is_found_in_prose_and_comments() {
        let tree = Tree::of(&[
            ("a.md", "One\nChange requests wait."),
            ("b.rs", "\n// The audit trail."),
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
            (
                "a.md",
                "Search understands `change request` too.\n```\nchange request\n```\n",
            ),
            (
                "b.rs",
                "let terms = [\"change request\"]; let ticketer = rfc_8785; let request_change = 2;",
            ),
        ]);
        assert_eq!(check(&tree), []);
    }
}

//! No test that is ignored, no test that sleeps, no work left for later.

use super::tree::Tree;
use super::{Finding, scan};

/// Never, anywhere.
const NEVER: &[(&str, &str)] = &[
    ("#[ignore", "a test runs or goes; none is ignored"),
    ("todo!(", "land it whole or leave it out"),
    ("unimplemented!(", "land it whole or leave it out"),
];

/// Never in a test: it waits for a fact, or holds the clock.
const NEVER_IN_TESTS: &[&str] = &["thread::sleep", "time::sleep", "sleep_until", "sleep_ms"];

/// Looks at the code of every Rust file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let code = scan::scan(text).code;
        for (wrong, why) in NEVER {
            for (at, _) in code.match_indices(wrong) {
                let text = format!("`{wrong}`: {why}");
                findings.push(Finding::new(path, scan::line_of(&code, at), text));
            }
        }
        for wrong in NEVER_IN_TESTS {
            for at in scan::find_words(&code, wrong).filter(|at| is_test(path, &code, *at)) {
                let text = format!("`{wrong}` in a test: wait for a fact, or hold the clock");
                findings.push(Finding::new(path, scan::line_of(&code, at), text));
            }
        }
    }
    findings
}

/// Whether a place in a file is test code: a tests folder or file, or a module for tests only.
fn is_test(path: &str, code: &str, at: usize) -> bool {
    let file = path.starts_with("tests/") || path.contains("/tests/");
    file || path.ends_with("tests.rs") || test_modules(code).any(|(from, to)| from < at && at < to)
}

/// The extents of `#[cfg(test)]` items with a body.
fn test_modules(code: &str) -> impl Iterator<Item = (usize, usize)> {
    code.match_indices("#[cfg(test)]").filter_map(|(at, _)| {
        let open = at + code[at..].find('{')?;
        let ends_before = code[at..open].contains(';');
        (!ends_before).then_some((at, scan::closing(code, open)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_is_found_in_tests_and_only_there() {
        let source = "fn work() { std::thread::sleep(d); }\n\
                      #[cfg(test)]\nmod tests {\n    fn t() { thread::sleep(d); }\n}\n\
                      fn more() { thread::sleep(d); }";
        let findings = check(&Tree::of(&[("crates/store/src/lane.rs", source)]));
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [4]);
        assert_eq!(check(&Tree::of(&[("tests/e2e/gate.rs", source)])).len(), 3);
    }

    #[test]
    fn ignored_tests_and_work_for_later_are_found() {
        let source = "#[test]\n#[ignore = \"slow\"]\nfn a() { todo!() }\n// todo!() in a comment";
        assert_eq!(check(&Tree::of(&[("a.rs", source)])).len(), 2);
    }

    #[test]
    fn words_in_texts_pass() {
        let source = "const A: &str = \"#[ignore] thread::sleep todo!()\";";
        assert_eq!(check(&Tree::of(&[("tests/a.rs", source)])), []);
    }
}

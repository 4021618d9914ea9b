//! The table of promises names tests that exist.

use std::collections::BTreeSet;
use std::path::Path;

/// Every test function of the repository.
fn tests_of(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                tests_of(&path, found);
            }
            continue;
        }
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        // A test that awaits has its attribute from the runtime, with or without arguments.
        let text = text.replace("#[tokio::test", "#[test]");
        for part in text.split("#[test]").skip(1) {
            let name = part.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            found.extend(name.map(str::to_owned));
        }
    }
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let mut tests = BTreeSet::new();
    for folder in ["crates", "tests", "xtask"] {
        tests_of(&tests::root().join(folder), &mut tests);
    }
    let page = std::fs::read_to_string(tests::root().join("docs/operations/reliability.md")).unwrap();
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let cell = row.split(" | ").nth(1).unwrap();
        let named: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test shows this: {row}");
        for name in named {
            assert!(tests.contains(name), "there is no test `{name}`");
        }
        rows += 1;
    }
    assert!(rows > 2, "the table was not read");
}

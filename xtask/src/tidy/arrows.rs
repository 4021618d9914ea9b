//! Which crate may use which, and where the heavy libraries live.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

/// The most crates in `crates/`; another needs an ADR.
const CEILING: usize = 11;

/// How the name of a package ends that holds the tests of a crate.
const OF_TESTS: &str = "-tests";

/// The crates of the project that each crate may use. A crate that is not listed may use nothing.
const ARROWS: &[(&str, &[&str])] = &[
    ("proof", &[]),
    ("derive", &[]),
    ("model", &["derive", "proof"]),
    ("policy", &["model"]),
    ("store", &["model"]),
    ("pages", &["model"]),
    ("wire", &["model"]),
    ("connect", &["model"]),
    ("acts", &["model", "policy", "proof", "store"]),
    (
        "server",
        &["acts", "wire", "pages", "connect", "model", "policy", "proof", "store"],
    ),
    (
        "assent",
        &["server", "acts", "policy", "wire", "proof", "model", "store", "connect"],
    ),
];

/// The heavy libraries and the only packages that may name them. `tests` is outside of the product: it drives the product as a
/// client and damages its database as an attacker would.
const HEAVY: &[(&str, &[&str])] = &[
    ("cedar-policy", &["policy"]),
    ("rusqlite", &["store", "tests"]),
    ("postgres", &["store", "tests"]),
    ("tokio-postgres-rustls", &["store"]),
    ("axum", &["server", "tests"]),
    ("tokio", &["server", "assent", "tests"]),
    ("tokio-rustls", &["server", "tests"]),
    ("tokio-stream", &["server", "tests"]),
    ("hyper", &["server", "tests"]),
    ("hyper-util", &["server", "tests"]),
    ("tower", &["server", "tests"]),
    ("tower-http", &["server", "tests"]),
    ("askama", &["pages"]),
    ("pulldown-cmark", &["pages"]),
    ("lettre", &["connect", "tests"]),
    ("openidconnect", &["connect"]),
    ("scim_v2", &["connect"]),
    ("ureq", &["connect", "assent", "tests"]),
];

/// Reads every manifest in `crates/` and those of `tests` and `xtask`. The tests of a crate may be a package of their own in its
/// folder `tests`, named after it: it is no further crate of the product, and uses what the crate may use, and the crate.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut crates = 0;
    for (path, text) in tree.texts() {
        let Some(package) = package_of(path) else {
            continue;
        };
        crates += usize::from(path.starts_with("crates/") && !package.ends_with(OF_TESTS));
        match text.parse::<toml::Table>() {
            Ok(manifest) => findings.extend(check_manifest(path, text, &package, &manifest)),
            Err(error) => findings.push(Finding::new(path, 0, format!("unreadable: {error}"))),
        }
    }
    if crates > CEILING {
        let text = format!("{crates} crates stand here; {CEILING} is the ceiling without an ADR");
        findings.push(Finding::new("crates", 0, text));
    }
    findings
}

/// The package whose manifest is at this path.
fn package_of(path: &str) -> Option<String> {
    let folder = path.strip_suffix("/Cargo.toml")?;
    let package = match folder.strip_prefix("crates/") {
        Some(in_crates) => in_crates.replacen("/tests", OF_TESTS, 1),
        None => folder.to_owned(),
    };
    (!package.contains('/')).then_some(package)
}

fn check_manifest(path: &str, text: &str, package: &str, manifest: &toml::Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = manifest.get("package").and_then(|table| table.get("name")?.as_str());
    if name != Some(package) {
        findings.push(Finding::new(path, 1, format!("the package must be named `{package}`")));
    }
    let house = BTreeMap::from_iter(ARROWS.iter().copied());
    for dependency in dependencies(manifest) {
        let line = text
            .lines()
            .position(|line| names(line, &dependency))
            .map_or(0, |at| at + 1);
        if house.contains_key(dependency.as_str()) && !may_use(&house, package, &dependency) {
            let text = format!("`{package}` may not use `{dependency}`");
            findings.push(Finding::new(path, line, text));
        }
        let home = if package.ends_with(OF_TESTS) { "tests" } else { package };
        if let Some((_, homes)) = HEAVY.iter().find(|(heavy, _)| *heavy == dependency)
            && !homes.contains(&home)
        {
            let text = format!("`{dependency}` belongs in {} alone", homes.join(", "));
            findings.push(Finding::new(path, line, text));
        }
    }
    findings
}

/// Whether a line of a manifest declares this dependency.
fn names(line: &str, dependency: &str) -> bool {
    line.strip_prefix(dependency)
        .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
}

fn may_use(house: &BTreeMap<&str, &[&str]>, package: &str, dependency: &str) -> bool {
    let tested = package.strip_suffix(OF_TESTS);
    let within = tested.unwrap_or(package);
    package == "tests"
        || tested == Some(dependency)
        || house.get(within).is_some_and(|allowed| allowed.contains(&dependency))
}

/// Every dependency of every kind, under the name of the package it is.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut names = Vec::new();
    let mut tables = vec![manifest];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    tables.extend(targets.into_iter().flatten().filter_map(|(_, table)| table.as_table()));
    for table in tables {
        for kind in KINDS {
            let entries = table.get(kind).and_then(toml::Value::as_table);
            for (key, value) in entries.into_iter().flatten() {
                let renamed = value.get("package").and_then(toml::Value::as_str);
                names.push(renamed.unwrap_or(key).to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(package: &str, dependencies: &str) -> String {
        format!("[package]\nname = \"{package}\"\n[dependencies]\n{dependencies}\n")
    }

    #[test]
    fn drawn_arrows_pass() {
        let acts = manifest("acts", "model.workspace = true\nstore = { workspace = true }");
        let tree = Tree::of(&[("crates/acts/Cargo.toml", &acts)]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_found_with_its_line() {
        let wire = manifest("wire", "serde = \"1\"\nacts.workspace = true");
        let findings = check(&Tree::of(&[("crates/wire/Cargo.toml", &wire)]));
        let text = "`wire` may not use `acts`";
        assert_eq!(findings, [Finding::new("crates/wire/Cargo.toml", 5, text)]);
    }

    #[test]
    fn a_heavy_library_outside_its_leaf_is_found_even_for_tests_and_under_another_name() {
        let text = "[package]\nname = \"acts\"\n[dev-dependencies]\nrusqlite = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nhttp = { package = \"axum\", version = \"1\" }";
        let findings = check(&Tree::of(&[("crates/acts/Cargo.toml", text)]));
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn the_tests_of_a_crate_use_it_and_what_it_may_use() {
        let check = |text: &str| check(&Tree::of(&[("crates/acts/tests/Cargo.toml", text)])).len();
        let own = "acts.workspace = true\nmodel.workspace = true\nrusqlite = \"1\"";
        assert_eq!(check(&manifest("acts-tests", own)), 0);
        assert_eq!(
            check(&manifest("acts-tests", "wire.workspace = true\naskama = \"1\"")),
            2
        );
        assert_eq!(check(&manifest("log-tests", own)), 1, "the name");
    }

    #[test]
    fn a_twelfth_crate_is_found() {
        let names: Vec<String> = (0..12).map(|n| format!("c{n}")).collect();
        let files: Vec<(String, String)> = names
            .iter()
            .map(|name| (format!("crates/{name}/Cargo.toml"), manifest(name, "")))
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert_eq!(check(&Tree::of(&files)).len(), 1);
        assert_eq!(check(&Tree::of(&files[..11])), []);
        let tests = manifest("c0-tests", "");
        let with_tests: Vec<_> = files[..11]
            .iter()
            .copied()
            .chain([("crates/c0/tests/Cargo.toml", &*tests)])
            .collect();
        assert_eq!(check(&Tree::of(&with_tests)), []);
    }

    #[test]
    fn a_crate_with_another_name_than_its_folder_is_found() {
        let text = manifest("assent-model", "");
        assert_eq!(check(&Tree::of(&[("crates/model/Cargo.toml", &text)])).len(), 1);
    }
}

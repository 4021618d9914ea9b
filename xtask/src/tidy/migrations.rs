//! A migration that has landed never changes: `checksums.txt` beside the files holds their digests.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::Finding;
use super::tree::Tree;

const FOLDER: &str = "crates/store/migrations/";
const LIST: &str = "crates/store/migrations/checksums.txt";

/// Compares every migration with the list, both ways.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let migrations = migrations(tree);
    let list = tree.text(LIST).unwrap_or("");
    let listed = match parse(list) {
        Ok(listed) => listed,
        Err(line) => {
            return vec![Finding::new(LIST, line, "not of the form `<sha256>  <file>`, or twice")];
        }
    };
    let mut findings = Vec::new();
    for (name, text) in &migrations {
        let path = format!("{FOLDER}{name}");
        match listed.get(*name) {
            None => findings.push(Finding::new(
                &path,
                0,
                "not in checksums.txt; a new migration is recorded by `cargo xtask tidy --bless-new`",
            )),
            Some((_, digest)) if *digest != digest_of(text) => findings.push(Finding::new(
                &path,
                0,
                "a migration that has landed may not change; write a new one",
            )),
            Some(_) => {}
        }
    }
    for (name, (line, _)) in &listed {
        if !migrations.contains_key(name) {
            let text = format!("`{name}` has landed and may not disappear");
            findings.push(Finding::new(LIST, *line, text));
        }
    }
    findings
}

/// Adds the digests of migrations that are not listed yet; a line that is there stays as it is.
///
/// # Errors
/// When the folder or the list cannot be read or written, or the list is malformed.
pub fn bless_new(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    let list = tree.text(LIST).unwrap_or("");
    let Ok(blessed) = with_new(&tree, list) else {
        bail!("{LIST} is malformed; mend it by hand");
    };
    std::fs::write(root.join(LIST), blessed).with_context(|| format!("cannot write {LIST}"))
}

/// The list with a line for each migration that it lacks. An error is a malformed line's number.
fn with_new(tree: &Tree, list: &str) -> Result<String, usize> {
    let listed = parse(list)?;
    let mut blessed = list.to_owned();
    for (name, text) in migrations(tree) {
        if !listed.contains_key(name) {
            blessed.push_str(&format!("{}  {name}\n", digest_of(text)));
        }
    }
    Ok(blessed)
}

/// The migrations by file name.
fn migrations(tree: &Tree) -> BTreeMap<&str, &str> {
    let inside = tree
        .texts()
        .filter_map(|(path, text)| Some((path.strip_prefix(FOLDER)?, text)));
    inside.filter(|(name, _)| name.ends_with(".sql")).collect()
}

/// File name to line number and digest; an error is the number of a malformed or repeated line.
fn parse(list: &str) -> Result<BTreeMap<&str, (usize, &str)>, usize> {
    let mut listed = BTreeMap::new();
    for (number, line) in list.lines().enumerate() {
        let (digest, name) = line.split_once("  ").ok_or(number + 1)?;
        let whole = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !whole || listed.insert(name, (number + 1, digest)).is_some() {
            return Err(number + 1);
        }
    }
    Ok(listed)
}

/// The SHA-256 of a text, in lower-case hexadecimal digits.
fn digest_of(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    const ONE: &str = "crates/store/migrations/0001_start.sql";
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_is_sha_256() {
        assert_eq!(digest_of("abc"), ABC);
    }

    #[test]
    fn a_listed_migration_passes_and_a_changed_one_does_not() {
        let list = format!("{ABC}  0001_start.sql\n");
        assert_eq!(check(&Tree::of(&[(ONE, "abc"), (LIST, &list)])), []);
        let findings = check(&Tree::of(&[(ONE, "abd"), (LIST, &list)]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.contains("may not change"));
    }

    #[test]
    fn a_new_and_a_vanished_migration_are_found() {
        assert_eq!(check(&Tree::of(&[(ONE, "abc")])).len(), 1);
        let list = format!("{ABC}  0001_start.sql\n");
        assert_eq!(check(&Tree::of(&[(LIST, &list)])).len(), 1);
    }

    #[test]
    fn blessing_adds_what_is_new_and_changes_nothing_else() {
        let old = format!("{}  0001_start.sql\n", "0".repeat(64));
        let two = "crates/store/migrations/0002_next.sql";
        let tree = Tree::of(&[(ONE, "changed"), (two, "abc"), (LIST, &old)]);
        assert_eq!(with_new(&tree, &old).unwrap(), format!("{old}{ABC}  0002_next.sql\n"));
    }

    #[test]
    fn a_malformed_list_is_found_with_its_line() {
        let list = format!("{ABC}  0001_start.sql\nnonsense\n");
        assert_eq!(check(&Tree::of(&[(ONE, "abc"), (LIST, &list)]))[0].line, 2);
    }
}

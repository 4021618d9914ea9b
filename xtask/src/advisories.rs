//! Known weaknesses of the crates in Cargo.lock: from the RustSec database by cargo-deny where that is installed and reaches
//! it, else from the snapshot in `xtask/advisories.toml`. The output always names the source.
//!
//! Exceptions are in `deny.toml` with their reasons, where cargo-deny reads them too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use semver::{Version, VersionReq};
use toml::{Table, Value};

use crate::report::Count;
use crate::{foreign, shell};

/// The snapshot.
const SNAPSHOT: &str = "xtask/advisories.toml";

/// The check.
///
/// # Errors
/// When the snapshot, `deny.toml` or `Cargo.lock` cannot be read.
pub fn count(root: &Path) -> Result<Count> {
    match fetched(root) {
        Ok(()) => {
            println!("The RustSec database was fetched; cargo-deny holds Cargo.lock to it.");
            let mut command = Command::new(shell::cargo());
            command.args(["deny", "--all-features", "check", "--disable-fetch", "advisories"]);
            let finished = shell::tee(command.current_dir(root))?;
            Ok(Count::of_check(finished.succeeded, &finished.lines))
        }
        Err(why) => {
            let read = |name: &str| foreign::read(&root.join(name));
            let found = held(&read("Cargo.lock")?, &read(SNAPSHOT)?, &read("deny.toml")?)?;
            println!("NOT the RustSec database ({why}), but a snapshot: {}", found.told);
            found.wrong.iter().for_each(|line| println!("{line}"));
            Ok(Count::of_check(found.wrong.is_empty(), &found.wrong))
        }
    }
}

/// Has cargo-deny fetch the database; a sentence where it is not there or reaches nothing.
fn fetched(root: &Path) -> Result<(), String> {
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(shell::cargo());
        shell::quiet(command.args(arguments).current_dir(root))
    };
    if cargo(&["deny", "--version"]).is_err() {
        return Err("cargo-deny is not installed".to_owned());
    }
    match cargo(&["deny", "fetch", "db"]) {
        Ok(_) => Ok(()),
        Err(_) => Err("cargo-deny does not reach it".to_owned()),
    }
}

/// A snapshot's result for a lock file.
struct Held {
    /// The source, in a sentence.
    told: String,
    /// The faults, a line each.
    wrong: Vec<String>,
}

fn held(lock: &str, snapshot: &str, deny: &str) -> Result<Held> {
    let locked = locked(lock)?;
    let snapshot: Table = snapshot.parse().context("the snapshot is no TOML")?;
    let deny: Table = deny.parse().context("deny.toml is no TOML")?;
    let taken = snapshot
        .get("taken")
        .and_then(Value::as_str)
        .context("the snapshot has no day")?;
    let known: BTreeSet<&str> = rows(&snapshot, "crates").iter().filter_map(Value::as_str).collect();
    let ignored = deny.get("advisories").and_then(Value::as_table);
    let ignored = ignored.map(|it| rows(it, "ignore")).unwrap_or_default();
    let mut unused: BTreeSet<&str> = ignored.iter().filter_map(|row| row.get("id")?.as_str()).collect();
    let excused = unused.clone();
    let mut wrong = Vec::new();
    let advisories = rows(&snapshot, "advisory");
    for advisory in advisories {
        let text = |name: &str| {
            let found = advisory.get(name).and_then(Value::as_str);
            found.with_context(|| format!("an advisory has no `{name}`"))
        };
        let (id, package, title) = (text("id")?, text("package")?, text("title")?);
        if !known.contains(package) {
            wrong.push(format!(
                "{id} is about `{package}`, which `crates` of the snapshot does not name"
            ));
        }
        for version in locked.get(package).into_iter().flatten() {
            if is_safe(advisory, version)? {
                continue;
            }
            if excused.contains(id) {
                unused.remove(id);
                println!("{id} ({package} {version}) is excused in deny.toml");
            } else {
                wrong.push(format!("{id}: {package} {version}: {title}"));
            }
        }
    }
    wrong.extend(
        unused
            .iter()
            .map(|id| format!("deny.toml excuses {id}, which nothing here needs any more")),
    );
    let looked_up = locked.keys().filter(|name| known.contains(name.as_str())).count();
    let told = format!(
        "{} advisories of {taken} about {looked_up} of the {} crates in Cargo.lock. It says nothing of the other {}.",
        advisories.len(),
        locked.len(),
        locked.len() - looked_up
    );
    Ok(Held { told, wrong })
}

fn rows<'a>(table: &'a Table, name: &str) -> &'a [Value] {
    match table.get(name).and_then(Value::as_array) {
        Some(rows) => rows,
        None => &[],
    }
}

/// Whether a version is patched, or never had the weakness.
fn is_safe(advisory: &Value, version: &Version) -> Result<bool> {
    for field in ["patched", "unaffected"] {
        let ranges = advisory.get(field).and_then(Value::as_array);
        for range in ranges.into_iter().flatten().filter_map(Value::as_str) {
            let range = VersionReq::parse(range).with_context(|| format!("`{range}` is no range of versions"))?;
            if range.matches(version) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The packages of a lock file that come from a registry, with their versions.
fn locked(lock: &str) -> Result<BTreeMap<String, Vec<Version>>> {
    let lock: Table = lock.parse().context("Cargo.lock is no TOML")?;
    let mut found: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    for package in rows(&lock, "package").iter().filter(|it| it.get("source").is_some()) {
        let text = |name: &str| package.get(name).and_then(Value::as_str).unwrap_or_default();
        let version = Version::parse(text("version")).with_context(|| format!("`{}` has no version", text("name")))?;
        found.entry(text("name").to_owned()).or_default().push(version);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    const SOME: &str = r#"
taken = "2026-11-28"
crates = ["bytes", "rsa"]
[[advisory]]
id = "R-1"
package = "bytes"
title = "Overflow"
patched = [">= 1.11.1"]
unaffected = ["< 1.2.1"]
[[advisory]]
id = "R-2"
package = "rsa"
title = "Timing"
patched = []
"#;

    fn lock(packages: &[(&str, &str)]) -> String {
        let row = |(name, version): &(&str, &str)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry\"\n")
        };
        packages.iter().map(row).collect()
    }

    fn wrong(packages: &[(&str, &str)], deny: &str) -> Vec<String> {
        held(&lock(packages), SOME, deny).unwrap().wrong
    }

    #[test]
    fn a_weak_version_is_found_and_a_patched_or_older_one_is_not() {
        assert_eq!(wrong(&[("bytes", "1.11.1"), ("bytes", "1.2.0")], ""), [""; 0]);
        assert_eq!(wrong(&[("bytes", "1.11.0")], ""), ["R-1: bytes 1.11.0: Overflow"]);
        assert_eq!(wrong(&[("other", "1.0.0")], ""), [""; 0]);
    }

    #[test]
    fn an_excuse_holds_for_its_advisory_and_only_while_it_is_needed() {
        let excuse = "[advisories]\nignore = [{ id = \"R-2\", reason = \"no private keys\" }]";
        assert_eq!(wrong(&[("rsa", "0.9.10")], "").len(), 1);
        assert_eq!(wrong(&[("rsa", "0.9.10")], excuse), [""; 0]);
        assert!(wrong(&[("bytes", "1.11.1")], excuse)[0].contains("nothing here needs"));
    }

    #[test]
    fn what_was_asked_is_said_with_its_day_and_its_gaps() {
        let told = held(&lock(&[("bytes", "1.12.0"), ("other", "1.0.0")]), SOME, "")
            .unwrap()
            .told;
        assert!(
            told.contains("2026-11-28") && told.contains("about 1 of the 2 crates"),
            "{told}"
        );
        assert!(told.contains("nothing of the other 1"), "{told}");
    }
}

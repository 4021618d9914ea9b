//! The reach of changes over a real graph: the dependencies of Debian's packages, as `apt-cache` knows them. The floor is a walk
//! that notes no way to what it finds.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::process::Command;

use anyhow::{Result, ensure};
use model::change::affected::{affected, path};
use model::change::record::Target;
use model::directory::snapshot::{Dependency, Directory};
use serde_json::json;

use super::super::load::{seconds_since, share_of};
use super::super::report::Line;

/// The fewest packages that are a real graph.
const LEAST: usize = 10_000;
/// Walks from the packages that most others need, and as many from packages spread over the list.
const WALKS: usize = 100;
/// The most that a reach with its ways may take, in milliseconds.
const LIMIT: f64 = 200.0;

/// Measures in this process alone; `None` where `apt-cache` is missing or knows too few packages.
///
/// # Errors
/// When both walks disagree.
pub fn measure() -> Result<Option<Line>> {
    let Ok(done) = Command::new("apt-cache").arg("dumpavail").output() else {
        eprintln!("bench: `apt-cache` cannot be run; its graph is left out");
        return Ok(None);
    };
    let arrows = read(&String::from_utf8_lossy(&done.stdout));
    let packages: BTreeSet<&String> = arrows.iter().flat_map(|(from, to)| [from, to]).collect();
    if packages.len() < LEAST {
        eprintln!(
            "bench: `apt-cache` knows {} packages, run `apt-get update`; its graph is left out",
            packages.len()
        );
        return Ok(None);
    }
    let estate = estate(&arrows)?;
    let mut needed_by: HashMap<&str, Vec<&str>> = HashMap::new();
    for (from, to) in &arrows {
        needed_by.entry(to).or_default().push(from);
    }
    // The index of the graph is made by the first walk.
    affected(&estate, &[target("a-package-that-nothing-needs")?]);
    let (mut took, mut floors) = (Vec::new(), Vec::new());
    for start in starts(&needed_by) {
        let targets = [target(start)?];
        let began = assent::clock::now();
        let found = affected(&estate, &targets);
        let ways: usize = (0..found.len()).map(|place| path(&found, place).len()).sum();
        took.push(seconds_since(began) * 1_000.0);
        let began = assent::clock::now();
        let plain = walk(&needed_by, start);
        floors.push(seconds_since(began) * 1_000.0);
        ensure!(
            found.len() == plain && ways >= found.len(),
            "{start} reaches {} packages, and {plain} by another walk",
            found.len()
        );
    }
    let what = format!(
        "The reach of a change with its ways over {} packages and {} dependencies of Debian, p95 of {}",
        packages.len(),
        arrows.len(),
        took.len()
    );
    let floor = format!("{:.1} ms, a walk alone", share_of(&floors, 0.95));
    Ok(Some(Line::under(what, share_of(&took, 0.95), floor, LIMIT)))
}

/// The packages that each package needs, by the first alternative of `Depends` and `Pre-Depends`.
fn read(text: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut package = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("Package: ") {
            package = name.trim();
        }
        let needed = line
            .strip_prefix("Depends: ")
            .or_else(|| line.strip_prefix("Pre-Depends: "));
        for one in needed.into_iter().flat_map(|it| it.split(',')) {
            let first = one.split('|').next().unwrap_or_default();
            let name = first.split([' ', '(', ':']).find(|part| !part.is_empty());
            if let Some(name) = name.filter(|name| *name != package) {
                found.insert((package.to_owned(), name.to_owned()));
            }
        }
    }
    found
}

fn estate(arrows: &BTreeSet<(String, String)>) -> Result<Directory> {
    let mut rows: Vec<Dependency> = Vec::new();
    for (place, (from, to)) in arrows.iter().enumerate() {
        rows.push(serde_json::from_value(json!({
            "id": format!("d{place:07}"), "version": 1, "from": from, "to": to, "kind": "depends_on", "to_kind": "service",
        }))?);
    }
    Ok(Directory {
        dependencies: rows.into(),
        ..Directory::default()
    })
}

fn target(package: &str) -> Result<Target> {
    Ok(serde_json::from_value(json!({
        "id": "1", "service": package, "environment": "production",
    }))?)
}

/// The packages to walk from, each once.
fn starts<'a>(needed_by: &HashMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut hubs: Vec<(usize, &str)> = needed_by.iter().map(|(name, by)| (by.len(), *name)).collect();
    hubs.sort_unstable_by(|one, other| other.cmp(one));
    let apart = (hubs.len() / WALKS).max(1);
    let names = hubs.iter().take(WALKS).chain(hubs.iter().step_by(apart));
    names.map(|(_, name)| *name).collect()
}

/// How many packages need a package, near or far.
fn walk(needed_by: &HashMap<&str, Vec<&str>>, start: &str) -> usize {
    let mut seen = HashSet::from([start]);
    let mut open = vec![start];
    while let Some(here) = open.pop() {
        for next in needed_by.get(here).into_iter().flatten().copied() {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn dependencies_are_read_and_both_walks_agree() {
        let text =
            "Package: shop\nDepends: web (>= 2), cache | other\nPre-Depends: base\n\nPackage: web\nDepends: base:any\n";
        let arrows = read(text);
        let names: Vec<(&str, &str)> = arrows.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        assert_eq!(
            names,
            [("shop", "base"), ("shop", "cache"), ("shop", "web"), ("web", "base")]
        );
        let estate = estate(&arrows).unwrap();
        let mut needed_by: HashMap<&str, Vec<&str>> = HashMap::new();
        for (from, to) in &arrows {
            needed_by.entry(to).or_default().push(from);
        }
        for (start, wanted) in [("base", 3), ("cache", 2), ("shop", 1)] {
            let found = affected(&estate, &[target(start).unwrap()]);
            assert_eq!((found.len(), walk(&needed_by, start)), (wanted, wanted), "{start}");
        }
    }
}

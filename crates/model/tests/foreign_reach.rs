//! The reach of changes over a real graph: the dependencies of Debian's packages, read by `apt-cache`, against a walk in Python.
//!
//! Run with `--features foreign` and `ASSENT_TEST_PYTHON` naming a Python interpreter. The lists of packages come with `apt-get
//! update`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it fails")]
#![allow(
    clippy::disallowed_methods,
    reason = "the measured time is printed beside the result"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use model::change::affected::{affected, path};
use model::change::record::Target;
use model::core::enums::{DependencyKind, NodeKind};
use model::directory::records::Dependency;
use model::directory::snapshot::Directory;

/// The fewest packages that are a real graph.
const LEAST: usize = 10_000;
/// How many packages are walked from: the hubs, and others spread over the list.
const WALKS: usize = 60;

/// Which package needs which, by the first alternative of `Depends` and `Pre-Depends`.
fn arrows() -> BTreeSet<(String, String)> {
    let done = Command::new("apt-cache")
        .arg("dumpavail")
        .output()
        .expect("apt-cache must be installed");
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
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
            let name = first
                .split([' ', '(', ':'])
                .find(|part| !part.is_empty())
                .unwrap_or_default();
            if !name.is_empty() && name != package {
                found.insert((package.to_owned(), name.to_owned()));
            }
        }
    }
    let things: BTreeSet<&String> = found.iter().flat_map(|(from, to)| [from, to]).collect();
    assert!(
        things.len() > LEAST,
        "{} packages are known: run `apt-get update`",
        things.len()
    );
    found
}

/// Walks from each package of the first line, and prints how many things it found and the sum of their distances.
const WALK: &str = "
import sys
from collections import deque
lines = sys.stdin.read().splitlines()
needed_by = {}
for line in lines[1:]:
    a, b = line.split(' ')
    needed_by.setdefault(b, []).append(a)
for start in lines[0].split(' '):
    far, queue = {start: 0}, deque([start])
    while queue:
        here = queue.popleft()
        for one in needed_by.get(here, ()):
            if one not in far:
                far[one] = far[here] + 1
                queue.append(one)
    print(start, len(far), sum(far.values()))
";

fn by_python(starts: &[&str], arrows: &BTreeSet<(String, String)>) -> Vec<String> {
    let python = std::env::var_os("ASSENT_TEST_PYTHON").expect("ASSENT_TEST_PYTHON must name a Python interpreter");
    let mut child = Command::new(python)
        .args(["-c", WALK])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = starts.join(" ");
    for (from, to) in arrows {
        text.push_str(&format!("\n{from} {to}"));
    }
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let done = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(done.status.success());
    String::from_utf8(done.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn target(service: &str) -> Target {
    Target {
        id: "1".into(),
        service: service.into(),
        environment: "production".into(),
        config_items: Vec::new(),
        artifact: None,
        commit: None,
        rollback_to: None,
        members: None,
    }
}

#[test]
fn the_reach_over_the_packages_of_debian_is_that_of_another_walk() {
    let arrows = arrows();
    let row = |(place, (from, to)): (usize, &(String, String))| Dependency {
        id: format!("d{place:07}").as_str().into(),
        version: 1,
        from: from.as_str().into(),
        to: to.as_str().into(),
        kind: DependencyKind::DependsOn,
        from_kind: NodeKind::Service,
        to_kind: NodeKind::Service,
        environments: BTreeSet::new(),
        ended: false,
    };
    let estate = Directory {
        dependencies: arrows.iter().enumerate().map(row).collect::<Vec<_>>().into(),
        ..Directory::default()
    };
    let mut needed: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, to) in &arrows {
        *needed.entry(to).or_default() += 1;
    }
    let mut hubs: Vec<(usize, &str)> = needed.iter().map(|(name, count)| (*count, *name)).collect();
    hubs.sort_unstable_by(|one, other| other.cmp(one));
    let spread = hubs.len() / (WALKS / 2);
    let starts: Vec<&str> = hubs
        .iter()
        .take(WALKS / 2)
        .chain(hubs.iter().step_by(spread.max(1)))
        .map(|(_, name)| *name)
        .collect();
    // The index is made by the first walk.
    affected(&estate, &[target("nothing-of-the-name")]);
    let mut times = Vec::new();
    let mut told = Vec::new();
    for start in &starts {
        let began = Instant::now();
        let found = affected(&estate, &[target(start)]);
        let ways: usize = (0..found.len()).map(|place| path(&found, place).len() - 1).sum();
        times.push(began.elapsed());
        told.push(format!("{start} {} {ways}", found.len()));
    }
    assert_eq!(told, by_python(&starts, &arrows));
    times.sort_unstable();
    let late = times[times.len() * 95 / 100];
    println!(
        "{late:?} at the 95th percentile of {} walks, with the way to each thing",
        times.len()
    );
}

//! The suite: its parts, what each needs, and running them one after another.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Error, Result, bail};

use crate::postgres::Cluster;
use crate::report::{self, Count, PartResult};
use crate::tools::{self, Need};
use crate::{foreign, shell, tidy};

/// One part of the suite.
struct Part {
    name: &'static str,
    needs: &'static [Need],
    run: fn(&World) -> Result<Count>,
}

/// The parts in the order of a whole run: the cheap ones that fail most often come first.
const PARTS: &[Part] = &[
    Part {
        name: "fmt",
        needs: &[],
        run: fmt,
    },
    Part {
        name: "tidy",
        needs: &[],
        run: tidy_rules,
    },
    Part {
        name: "clippy",
        needs: &[],
        run: clippy,
    },
    Part {
        name: "unit",
        needs: &[],
        run: unit,
    },
    Part {
        name: "foreign",
        needs: &[Need::Python, Need::Node, Need::OpenSsl],
        run: foreign_judges,
    },
    Part {
        name: "e2e",
        needs: END_TO_END,
        run: |world| end_to_end(world, "sqlite"),
    },
    Part {
        name: "postgres",
        needs: END_TO_END,
        run: on_postgres,
    },
    Part {
        name: "browser",
        needs: &[Need::Browser, Need::Node],
        run: in_browser,
    },
    Part {
        name: "docs",
        needs: &[],
        run: docs,
    },
];

const END_TO_END: &[Need] = Need::ALL;

/// What the parts run in.
struct World<'a> {
    root: &'a Path,
    cluster: Option<Cluster>,
}

/// Runs the parts named, or all, prints the report and says whether everything passed.
///
/// # Errors
/// When a part is unknown. All that goes wrong inside of a part is counted, not returned.
#[expect(clippy::disallowed_methods, reason = "the report tells how long each part took")]
pub fn run(root: &Path, names: &[String]) -> Result<bool> {
    let parts = choose(names)?;
    let needs = needs_of(&parts);
    let mut results = Vec::new();
    let mut world = World { root, cluster: None };
    let missing = prepare(&mut world, &needs);
    if !missing.is_empty() {
        results.push(setup_failure(&missing));
    }
    for part in parts {
        println!("\n=== {}", part.name);
        let begun = Instant::now();
        let count = (part.run)(&world).unwrap_or_else(|error| Count::of_check(false, &[format!("{error:#}")]));
        results.push(PartResult {
            name: part.name,
            passed: count.passed,
            failed: count.failed,
            took: begun.elapsed(),
            tail: count.tail,
        });
    }
    drop(world);
    print!("{}", report::render(&results));
    Ok(results.iter().all(|part| part.failed == 0))
}

/// Runs one command in the environment of the tests, beside a private PostgreSQL.
///
/// # Errors
/// When no command is given or something it needs cannot be had.
pub fn with_services(root: &Path, words: &[String]) -> Result<bool> {
    let Some((program, arguments)) = words.split_first() else {
        bail!("say which command to run: `cargo xtask with cargo test -p store`");
    };
    let mut world = World { root, cluster: None };
    for error in prepare(&mut world, Need::ALL) {
        eprintln!("xtask: {error:#}");
    }
    let mut command = Command::new(program);
    world.equip(&mut command);
    let status = command.args(arguments).status();
    let status = status.with_context(|| format!("cannot start `{program}`"))?;
    Ok(status.success())
}

fn choose(names: &[String]) -> Result<Vec<&'static Part>> {
    if names.is_empty() {
        return Ok(PARTS.iter().collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        let Some(part) = PARTS.iter().find(|part| part.name == name) else {
            let known = PARTS.iter().map(|part| part.name).collect::<Vec<_>>().join(" ");
            bail!("there is no part `{name}`; the parts are: {known}");
        };
        chosen.push(part);
    }
    Ok(chosen)
}

fn needs_of(parts: &[&Part]) -> Vec<Need> {
    let mut needs: Vec<Need> = parts.iter().flat_map(|part| part.needs).copied().collect();
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// Installs what is missing and starts the database when a part wants one. What is answered is what
/// could not be had.
fn prepare(world: &mut World, needs: &[Need]) -> Vec<Error> {
    let mut missing = tools::install(world.root, needs);
    if needs.contains(&Need::Postgres) {
        match Cluster::start() {
            Ok(cluster) => world.cluster = Some(cluster),
            Err(error) => missing.push(error),
        }
    }
    missing
}

/// Needs that could not be filled are failures of their own; the parts run all the same, so that one
/// missing package does not hide what else is wrong.
fn setup_failure(missing: &[Error]) -> PartResult {
    let mut count = Count::default();
    for error in missing {
        count.fail(&format!("{error:#}"), &[]);
    }
    PartResult {
        name: "setup",
        passed: 0,
        failed: count.failed,
        took: std::time::Duration::ZERO,
        tail: count.tail,
    }
}

impl World<'_> {
    /// A cargo command at the repository's root, with the tests' environment.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(shell::cargo());
        command.args(arguments).current_dir(self.root);
        self.equip(&mut command);
        command
    }

    /// Tells a command where the tests find the database, the foreign judges and the browser.
    fn equip(&self, command: &mut Command) {
        command.env("ASSENT_TEST_PYTHON", foreign::python(self.root));
        command.env("ASSENT_TEST_NODE_MODULES", foreign::node_modules(self.root));
        command.env("ASSENT_TEST_CLIENTS", foreign::clients(self.root));
        if let Some(driver) = tools::chromedriver() {
            command.env("ASSENT_TEST_CHROMEDRIVER", driver);
        }
        if let Some(cluster) = &self.cluster {
            command.env("ASSENT_TEST_POSTGRES", cluster.url());
        }
    }

    fn check(&self, mut command: Command) -> Result<Count> {
        let finished = shell::tee(&mut command)?;
        Ok(Count::of_check(finished.succeeded, &finished.lines))
    }

    fn tests(&self, what: &str, mut command: Command) -> Result<Count> {
        let finished = shell::tee(&mut command)?;
        Ok(Count::of_tests(what, finished.succeeded, &finished.lines))
    }
}

fn fmt(world: &World) -> Result<Count> {
    world.check(world.cargo(&["fmt", "--all", "--", "--check"]))
}

fn tidy_rules(world: &World) -> Result<Count> {
    tidy::count(world.root)
}

/// Every target with every feature, so that code behind a feature is linted as well.
fn clippy(world: &World) -> Result<Count> {
    world.check(world.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))
}

/// All packages but the end-to-end one, without what a feature holds back: that needs more than the
/// compiler and is run by other parts.
fn unit(world: &World) -> Result<Count> {
    let arguments = [
        "test",
        "--workspace",
        "--exclude",
        "tests",
        "--lib",
        "--bins",
        "--tests",
        "--no-fail-fast",
    ];
    world.tests("unit", world.cargo(&arguments))
}

/// The tests that ask other people's programs, in every crate with the feature `foreign`. Each crate
/// is a run of its own, so that one without a test is noticed beside one that has many.
fn foreign_judges(world: &World) -> Result<Count> {
    let mut count = Count::default();
    for package in packages_with_feature(world.root, "foreign")? {
        let mut command = world.cargo(&["test", "--no-fail-fast", "--test", "foreign*"]);
        command.args(["--package", &package, "--features", &format!("{package}/foreign")]);
        count.add(world.tests(&format!("foreign judges of {package}"), command)?);
    }
    Ok(count)
}

/// The whole product, through its real binary, over one engine.
///
/// The binary is built first, with the clock that tests may hold, and its path is handed over:
/// cargo tells a test only where the programs of its own package are.
fn end_to_end(world: &World, engine: &str) -> Result<Count> {
    let others = ["--lib", "--bins", "--test", "e2e"];
    through_the_binary(world, engine, engine, &others, &[])
}

/// The pages in a real browser. Two tests at a time: each has a server and a browser of its own, and waits for one of
/// them most of the time.
fn in_browser(world: &World) -> Result<Count> {
    through_the_binary(
        world,
        "browser",
        "sqlite",
        &["--test", "browser"],
        &["--test-threads=2"],
    )
}

/// Builds the binary, with the clock that tests may hold, and runs tests of the package `tests` over it.
fn through_the_binary(world: &World, what: &str, engine: &str, targets: &[&str], harness: &[&str]) -> Result<Count> {
    let mut build = world.cargo(&["build", "--package", "assent"]);
    if has_feature(&world.root.join("crates/assent/Cargo.toml"), "test-clock")? {
        build.args(["--features", "test-clock"]);
    }
    let built = shell::tee(&mut build)?;
    if !built.succeeded {
        return Ok(Count::of_check(false, &built.lines));
    }
    let mut command = world.cargo(&["test", "--package", "tests", "--no-fail-fast"]);
    command.args(targets).arg("--").args(harness);
    command.env("ASSENT_TEST_ENGINE", engine);
    command.env(
        "ASSENT_TEST_BINARY",
        shell::target_folder(world.root).join("debug/assent"),
    );
    world.tests(what, command)
}

/// What differs on PostgreSQL: every crate with tests of its own for it, and the whole product over it.
fn on_postgres(world: &World) -> Result<Count> {
    if world.cluster.is_none() {
        bail!("there is no PostgreSQL to test against");
    }
    let mut count = Count::default();
    for package in packages_with_feature(world.root, "postgres-tests")? {
        let mut command = world.cargo(&["test", "--package", &package, "--no-fail-fast"]);
        command.args(["--features", &format!("{package}/postgres-tests")]);
        count.add(world.tests(&format!("{package} on PostgreSQL"), command)?);
    }
    count.add(end_to_end(world, "postgres")?);
    Ok(count)
}

/// The documentation builds without a warning, and its examples run.
fn docs(world: &World) -> Result<Count> {
    let mut build = world.cargo(&["doc", "--workspace", "--no-deps"]);
    build.env("RUSTDOCFLAGS", "-D warnings");
    let mut count = world.check(build)?;
    let mut examples = world.cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]);
    let finished = shell::tee(&mut examples)?;
    // A house whose documentation holds no example has nothing to run here, and that is no failure.
    let ran = Count::of_tests("doc examples", finished.succeeded, &finished.lines);
    if !finished.succeeded || ran.passed > 0 {
        count.add(ran);
    }
    Ok(count)
}

/// The crates whose manifest declares a feature, by name. A crate's folder is its name.
fn packages_with_feature(root: &Path, feature: &str) -> Result<Vec<String>> {
    let mut packages = Vec::new();
    for entry in std::fs::read_dir(root.join("crates")).context("cannot list crates/")? {
        let entry = entry.context("cannot list crates/")?;
        let manifest = entry.path().join("Cargo.toml");
        if manifest.is_file() && has_feature(&manifest, feature)? {
            packages.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    packages.sort();
    Ok(packages)
}

/// Whether a package's manifest declares a feature.
fn has_feature(manifest: &Path, feature: &str) -> Result<bool> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("cannot parse {}", manifest.display()))?;
    let features = table.get("features").and_then(toml::Value::as_table);
    Ok(features.is_some_and(|features| features.contains_key(feature)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn no_name_means_every_part() {
        assert_eq!(choose(&[]).unwrap().len(), PARTS.len());
    }

    #[test]
    fn an_unknown_part_is_refused_with_the_known_ones() {
        let error = choose(&["untidy".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("`untidy`") && error.contains("clippy"), "{error}");
    }

    #[test]
    fn parts_that_read_only_the_repository_need_nothing() {
        let parts = choose(&["fmt".to_owned(), "tidy".to_owned()]).unwrap();
        assert!(needs_of(&parts).is_empty());
    }
}

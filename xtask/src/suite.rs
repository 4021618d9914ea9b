//! The suite: its parts, the needs of each, and running them one after another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context, Error, Result, bail};

use crate::postgres::Cluster;
use crate::report::{self, Count, PartResult};
use crate::tools::{self, Need};
use crate::{advisories, foreign, memory, node, packages, postgres, shell, site, tidy};

/// One part of the suite.
struct Part {
    name: &'static str,
    needs: &'static [Need],
    run: fn(&World) -> Result<Count>,
}

/// The parts in the order of a whole run, where those of [`BESIDE`] go beside the others and are reported last.
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
        name: "advisories",
        needs: &[],
        run: |world| advisories::count(world.root),
    },
    Part {
        name: "clippy",
        needs: &[],
        run: clippy,
    },
    Part {
        name: "unit",
        needs: &[Need::Postgres, Need::Packaging],
        run: unit,
    },
    Part {
        name: "foreign",
        needs: &[Need::Python, Need::Node, Need::OpenSsl, Need::Integrity, Need::Identity],
        run: foreign_judges,
    },
    Part {
        name: "e2e",
        needs: END_TO_END,
        run: end_to_end,
    },
    Part {
        name: "postgres",
        needs: END_TO_END,
        run: on_postgres,
    },
    Part {
        name: "browser",
        needs: &[Need::Browser, Need::Node, Need::Python],
        run: in_browser,
    },
    Part {
        name: "docs",
        needs: &[Need::Site],
        run: docs,
    },
];

/// Parts that run only by name, because a whole run has no time for them.
const BY_NAME: &[Part] = &[
    Part {
        name: "postgres-whole",
        needs: END_TO_END,
        run: wholly_on_postgres,
    },
    Part {
        name: "packages",
        needs: &[Need::Shell, Need::Packaging, Need::Bare, Need::Gateways],
        run: |world| packages::count(world.root),
    },
];

/// Compiles the unit tests while their needs are fetched: a part of whole runs alone.
const BUILD: Part = Part {
    name: "build",
    needs: &[],
    run: |world| world.check(unit_tests(world, &["--no-run"])?),
};

const END_TO_END: &[Need] = Need::ALL;

/// The parts that compile and run nothing. In a whole run they go beside the tests, which leave a part of the processor idle.
const BESIDE: &[&str] = &["clippy", "docs"];

/// The environment of the parts.
struct World<'a> {
    root: &'a Path,
    cluster: Option<Cluster>,
    /// Where tests write, if not where every program does. It goes after the cluster that lies in it.
    memory: Option<memory::Folder>,
    /// Whether a part of this run starts the binary.
    starts_binary: bool,
    /// Whether other parts run at the same time, so that the output is kept until the end.
    is_beside: bool,
    /// Gets a signal when tests run, so that others may build.
    builds_are_free: Option<mpsc::Sender<()>>,
}

impl World<'_> {
    fn free_builds(&self) {
        if let Some(free) = &self.builds_are_free {
            // Nobody listens where nothing is built beside the tests.
            let _ = free.send(());
        }
    }
}

/// Runs the parts named, or all, prints the report and returns whether everything passed. The tools of the later parts are
/// fetched while the first ones, which need none, are at work: one waits for the network, the other for the processor.
///
/// # Errors
/// When a part is unknown. All that goes wrong inside of a part is counted, not returned.
pub fn run(root: &Path, names: &[String]) -> Result<bool> {
    let is_whole = names.is_empty();
    let goes_beside = |part: &&Part| is_whole && BESIDE.contains(&part.name);
    let (beside, parts): (Vec<&Part>, Vec<&Part>) = choose(names)?.into_iter().partition(goes_beside);
    let needs = needs_of(&parts);
    let first = parts.iter().take_while(|part| part.needs.is_empty()).count();
    let starts_binary = parts.iter().any(|part| STARTING_THE_BINARY.contains(&part.name));
    let (free, builds_are_free) = mpsc::channel();
    let mut world = World {
        root,
        cluster: None,
        memory: memory_for(&needs),
        starts_binary,
        is_beside: false,
        builds_are_free: Some(free),
    };
    // The other tools are fetched beside the first build.
    let lacks_for_build = tools::install(root, &[Need::Make]);
    let (mut results, prepared) = std::thread::scope(|scope| {
        let (needs, memory) = (&needs, world.memory.as_ref());
        let prepared = scope.spawn(move || prepare(root, needs, memory));
        let ready = parts[..first].iter().copied().chain(is_whole.then_some(&BUILD));
        let results: Vec<PartResult> = ready.map(|part| part.run_in(&world)).collect();
        (results, prepared.join())
    });
    let Ok((cluster, mut missing)) = prepared else {
        bail!("preparing what the tests need ended in a panic");
    };
    missing.extend(lacks_for_build);
    world.cluster = cluster;
    if !missing.is_empty() {
        results.push(setup_failure(&missing));
    }
    let aside = World {
        root,
        cluster: None,
        memory: None,
        starts_binary,
        is_beside: true,
        builds_are_free: None,
    };
    std::thread::scope(|scope| {
        let (world_aside, beside) = (&aside, &beside);
        let aside = scope.spawn(move || {
            let _ = builds_are_free.recv();
            build_ahead(world_aside);
            beside.iter().map(|part| part.run_in(world_aside)).collect::<Vec<_>>()
        });
        results.extend(parts[first..].iter().map(|part| part.run_in(&world)));
        world.free_builds();
        results.extend(aside.join().unwrap_or_default());
    });
    drop(world);
    // A part whose thread ended in a panic is missing, and so is its place among those that passed.
    if let Some(lost) = beside
        .iter()
        .find(|part| !results.iter().any(|it| it.name == part.name))
    {
        bail!("`{}` ended in a panic", lost.name);
    }
    print!("{}", report::render(&results));
    Ok(results.iter().all(|part| part.failed == 0))
}

impl Part {
    /// Runs the part; failures are counted.
    #[expect(clippy::disallowed_methods, reason = "the report tells how long each part took")]
    fn run_in(&self, world: &World) -> PartResult {
        let beside = if world.is_beside { " (beside the others)" } else { "" };
        println!("\n=== {}{beside}", self.name);
        let begun = Instant::now();
        let count = (self.run)(world).unwrap_or_else(|error| Count::of_check(false, &[format!("{error:#}")]));
        PartResult {
            name: self.name,
            passed: count.passed,
            failed: count.failed,
            took: begun.elapsed(),
            tail: count.tail,
        }
    }
}

/// Runs one command in the environment of the tests, beside a private PostgreSQL.
///
/// # Errors
/// When no command is given or something it needs cannot be had.
pub fn with_services(root: &Path, words: &[String]) -> Result<bool> {
    let Some((program, arguments)) = words.split_first() else {
        bail!("say which command to run: `cargo xtask with cargo test -p store-tests`");
    };
    let (cluster, missing) = prepare(root, Need::ALL, None);
    for error in missing {
        eprintln!("xtask: {error:#}");
    }
    let world = World {
        root,
        cluster,
        // Soak and bench runs write to the disk, as a server does.
        memory: None,
        starts_binary: false,
        is_beside: false,
        builds_are_free: None,
    };
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
        let Some(part) = PARTS.iter().chain(BY_NAME).find(|part| part.name == name) else {
            let known = PARTS
                .iter()
                .chain(BY_NAME)
                .map(|part| part.name)
                .collect::<Vec<_>>()
                .join(" ");
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

/// The folder in memory, for parts with any need: the others write almost nothing.
fn memory_for(needs: &[Need]) -> Option<memory::Folder> {
    if needs.is_empty() { None } else { memory::Folder::make() }
}

/// Installs the missing needs and starts the database when a part needs one. The second result lists the missing needs.
fn prepare(root: &Path, needs: &[Need], memory: Option<&memory::Folder>) -> (Option<Cluster>, Vec<Error>) {
    let mut missing = tools::install(root, needs);
    if !needs.contains(&Need::Postgres) {
        return (None, missing);
    }
    let parent = memory.map_or_else(std::env::temp_dir, |memory| memory.path().to_path_buf());
    match Cluster::start(&parent) {
        Ok(cluster) => (Some(cluster), missing),
        Err(error) => {
            missing.push(error);
            (None, missing)
        }
    }
}

/// Needs that could not be filled are failures of their own; the parts run all the same, so that one missing package does not
/// hide other failures.
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
    /// A cargo command at the repository's root, with the tests' environment. What goes beside the tests yields to them: a
    /// server that waits for the processor refuses.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(if self.is_beside { "nice".into() } else { shell::cargo() });
        if self.is_beside {
            command.arg(shell::cargo());
        }
        command.args(arguments).current_dir(self.root);
        self.equip(&mut command);
        command
    }

    /// Sets a command's variables for the database, the foreign judges and the browser.
    fn equip(&self, command: &mut Command) {
        // Build scripts would read the package variables that cargo sets here, and recompile everything whenever builds from
        // here and from a shell take turns.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
                command.env_remove(name);
            }
        }
        command.env("ASSENT_TEST_PYTHON", foreign::python(self.root));
        command.env("ASSENT_TEST_NODE_MODULES", foreign::node_modules(self.root));
        command.env("ASSENT_TEST_CLIENTS", foreign::clients(self.root));
        command.env("ASSENT_TEST_SYSLOG", foreign::syslog(self.root));
        if let Some(memory) = &self.memory {
            command.env("TMPDIR", memory.path());
        }
        if let Some(driver) = tools::chromedriver() {
            command.env("ASSENT_TEST_CHROMEDRIVER", driver);
        }
        let mut path = std::env::var_os("PATH").unwrap_or_default();
        if let Some(cluster) = &self.cluster {
            command.env("ASSENT_TEST_POSTGRES", cluster.url());
            path = postgres::path();
        }
        command.env("PATH", node::path(self.root, path));
    }

    fn check(&self, mut command: Command) -> Result<Count> {
        let run = if self.is_beside { shell::keep } else { shell::tee };
        let finished = run(&mut command)?;
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
    let mut lints = world.cargo(&["clippy", "--workspace", "--all-targets", "--all-features"]);
    lints.arg("--target-dir").arg(checks(world));
    lints.args(["--", "-D", "warnings"]);
    world.check(lints)
}

/// The folder of builds that only check. Cargo lets one build at a time into a folder, and tests begin with a build.
fn checks(world: &World) -> PathBuf {
    shell::target_folder(world.root).join("checks")
}

/// Everything that is compiled for tests is compiled with this selection: with another one, libraries would have other
/// features and be compiled anew for each part.
const WHOLE: &[&str] = &["--workspace", "--all-features"];

/// The cargo command for the tests of every crate, without those judged by foreign programs and those through the binary, which
/// are parts of their own.
fn unit_tests(world: &World, more: &[&str]) -> Result<Command> {
    let mut command = world.cargo(&["test", "--lib", "--bins"]);
    command.args(more).args(WHOLE);
    let is_own_part = |name: &str| name.starts_with("foreign") || THROUGH_THE_BINARY.contains(&name);
    for target in test_targets(world.root)? {
        if !is_own_part(&target) {
            command.args(["--test", &target]);
        }
    }
    Ok(command)
}

/// The tests of every crate, those on PostgreSQL and the examples of the documentation among them.
fn unit(world: &World) -> Result<Count> {
    let mut command = unit_tests(world, &["--no-fail-fast"])?;
    name_binary(world, &mut command);
    let finished = shell::tee_watched(&mut command, &|line| {
        if line.trim_start().starts_with("Running ") {
            world.free_builds();
        }
    })?;
    world.free_builds();
    let mut count = Count::of_tests("unit", finished.succeeded, &finished.lines);
    let mut examples = world.cargo(&["test", "--doc", "--no-fail-fast"]);
    let finished = shell::tee(examples.args(WHOLE))?;
    // A repository whose documentation has no example has nothing to run here, and that is no failure.
    let ran = Count::of_tests("doc examples", finished.succeeded, &finished.lines);
    if !finished.succeeded || ran.passed > 0 {
        count.add(ran);
    }
    Ok(count)
}

/// Builds the programs that later parts start, while the unit tests run: that build is one crate after another, and alone would
/// leave half of the processor idle. A failure here happens again, and is reported, where the build is needed.
fn build_ahead(world: &World) {
    if !world.starts_binary {
        return;
    }
    let _ = shell::quiet(world.cargo(BINARIES).args(WHOLE));
    let mut programs = world.cargo(&["test", "--no-run"]);
    programs.args(WHOLE);
    for program in THROUGH_THE_BINARY {
        programs.args(["--test", program]);
    }
    let _ = shell::quiet(&mut programs);
}

/// The tests that use foreign programs as judges.
fn foreign_judges(world: &World) -> Result<Count> {
    let mut command = world.cargo(&["test", "--no-fail-fast", "--test", "foreign*"]);
    command.args(WHOLE);
    world.tests("foreign judges", command)
}

/// The test programs that start the real binary.
const THROUGH_THE_BINARY: &[&str] = &["e2e", "browser"];

/// The parts that run them.
const STARTING_THE_BINARY: &[&str] = &["e2e", "postgres", "browser", "postgres-whole"];

/// The cargo command for the programs that they start.
const BINARIES: &[&str] = &["build", "--bin", "assent", "--bin", "assent-permit"];

/// Tests whose result an engine can change: rows, locks, transactions, plans and searches, forged rows, two servers, failures
/// and copies. The rest, the cases among them, uses the same acts, whose statements the tests of `store` run on both engines;
/// `postgres-whole` runs it on PostgreSQL as well.
const BY_ENGINE: &[&str] = &[
    "api::pages_of_lists::",
    "approval::decisions::",
    "audit::damaged::",
    "audit::forged_nouns::",
    "audit::forged_rows::",
    "audit::renewed_codes::",
    "audit::tamper::",
    "change::several::",
    "change::swept::",
    "change::waves::",
    "compliance::archive::",
    "compliance::archive_bucket::",
    "directory::tenants::",
    "gate::outage::",
    "integration::deliveries::",
    "integration::poison::",
    "platform::backup::",
    "platform::broken::",
    "platform::burst::",
    "platform::clock_jumps::",
    "platform::crash::",
    "platform::disk::",
    "platform::failover::",
    "platform::filling::",
    "platform::lost_database::",
    "platform::paused_server::",
    "platform::plans::",
    "platform::running_copy::",
    "platform::two_servers::",
    "platform::versions::",
    "report::bounded::",
    "report::search::",
];

/// The whole product, through its real binary, over SQLite.
fn end_to_end(world: &World) -> Result<Count> {
    through_the_binary(world, "sqlite", "sqlite", "e2e", &[FOUR])
}

/// The tests whose result PostgreSQL can change, over PostgreSQL.
fn on_postgres(world: &World) -> Result<Count> {
    let harness: Vec<&str> = [FOUR].into_iter().chain(BY_ENGINE.iter().copied()).collect();
    through_the_binary(world, "postgres", "postgres", "e2e", &harness)
}

/// All of it over PostgreSQL.
fn wholly_on_postgres(world: &World) -> Result<Count> {
    through_the_binary(world, "postgres-whole", "postgres", "e2e", &[FOUR])
}

/// Four tests at a time, for any number of cores: they wait for timers, other programs and the database a part of the time. Six
/// were no faster on two cores.
const FOUR: &str = "--test-threads=4";

/// Names the binary to tests: cargo gives them only the paths of their own package's programs.
fn name_binary(world: &World, command: &mut Command) {
    let binary = shell::target_folder(world.root).join("debug/assent");
    command.env("ASSENT_TEST_BINARY", binary);
}

/// The pages in a real browser. Two tests at a time: each has a server and a browser of its own, and waits for one of
/// them most of the time.
fn in_browser(world: &World) -> Result<Count> {
    through_the_binary(world, "browser", "sqlite", "browser", &["--test-threads=2"])
}

/// Builds the binary, with the clock that tests may hold, and runs a test program over it.
fn through_the_binary(world: &World, what: &str, engine: &str, target: &str, harness: &[&str]) -> Result<Count> {
    let mut build = world.cargo(BINARIES);
    let built = shell::tee(build.args(WHOLE))?;
    if !built.succeeded {
        return Ok(Count::of_check(false, &built.lines));
    }
    let mut command = world.cargo(&["test", "--no-fail-fast", "--test", target]);
    command.args(WHOLE).arg("--").args(harness);
    command.env("ASSENT_TEST_ENGINE", engine);
    name_binary(world, &mut command);
    world.tests(what, command)
}

/// The documentation of the code builds without a warning, and the site without a dead link.
fn docs(world: &World) -> Result<Count> {
    let mut build = world.cargo(&["doc", "--workspace", "--no-deps", "--target-dir"]);
    build.arg(checks(world)).env("RUSTDOCFLAGS", "-D warnings");
    let mut count = world.check(build)?;
    count.add(pages(world)?);
    Ok(count)
}

/// The documentation site, with the reference of the program as it is.
fn pages(world: &World) -> Result<Count> {
    let mut build = world.cargo(BINARIES);
    build.args(WHOLE);
    let built = world.check(build)?;
    if built.failed > 0 {
        return Ok(built);
    }
    let program = shell::target_folder(world.root).join("debug/assent");
    let told = site::build(world.root, &program);
    let lines = match &told {
        Ok(folder) => vec![format!("the documentation is in {}", folder.display())],
        Err(error) => format!("{error:#}").lines().map(str::to_owned).collect(),
    };
    lines.iter().for_each(|line| println!("{line}"));
    Ok(Count::of_check(told.is_ok(), &lines))
}

/// Builds the documentation site alone, with the reference of a program that is there or of one that it builds, and returns
/// whether that succeeded.
///
/// # Errors
/// When the build cannot be run at all, or the site not be built with the program that is there.
pub fn docs_site(root: &Path, program: Option<&str>) -> Result<bool> {
    if let Some(program) = program {
        println!(
            "the documentation is in {}",
            site::build(root, Path::new(program))?.display()
        );
        return Ok(true);
    }
    let world = World {
        root,
        cluster: None,
        memory: None,
        starts_binary: false,
        is_beside: false,
        builds_are_free: None,
    };
    Ok(pages(&world)?.failed == 0)
}

/// The names of all test programs: the files in a crate's folder `tests`, and those that a manifest names.
fn test_targets(root: &Path) -> Result<BTreeSet<String>> {
    let mut targets = BTreeSet::new();
    let crates = entries(&root.join("crates"))?;
    for package in crates.iter().chain([&root.join("tests"), &root.join("xtask")]) {
        let manifest = package.join("Cargo.toml");
        if !manifest.is_file() {
            continue;
        }
        targets.extend(named_targets(&manifest)?);
        let folder = package.join("tests");
        for entry in if folder.is_dir() { entries(&folder)? } else { Vec::new() } {
            let is_target = entry.extension().is_some_and(|it| it == "rs") || entry.join("main.rs").is_file();
            if let Some(name) = entry.file_stem().filter(|_| is_target) {
                targets.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    Ok(targets)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let listed = listed.with_context(|| format!("cannot list {}", folder.display()))?;
    Ok(listed.into_iter().map(|entry| entry.path()).collect())
}

/// The test programs that a manifest names.
fn named_targets(manifest: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("cannot parse {}", manifest.display()))?;
    let named = table.get("test").and_then(toml::Value::as_array);
    let name = |test: &toml::Value| test.get("name").and_then(toml::Value::as_str).map(str::to_owned);
    Ok(named.into_iter().flatten().filter_map(name).collect())
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
    fn every_test_program_is_known() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let targets = test_targets(root).unwrap();
        for name in ["store", "doors", "foreign_scim", "log", "it", "e2e", "browser"] {
            assert!(targets.contains(name), "{name} is not among {targets:?}");
        }
        assert!(!targets.contains("common"), "a folder without main.rs is no program");
    }

    #[test]
    fn what_is_chosen_by_engine_is_there() {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap()
            .join("tests/e2e");
        for name in BY_ENGINE {
            let place = tests.join(name.trim_end_matches("::").replace("::", "/"));
            assert!(
                place.is_dir() || place.with_extension("rs").is_file(),
                "{name} is not in the end-to-end tests"
            );
        }
    }

    #[test]
    fn parts_that_read_only_the_repository_need_nothing() {
        let parts = choose(&["fmt".to_owned(), "tidy".to_owned()]).unwrap();
        assert!(needs_of(&parts).is_empty());
    }
}

//! The project's own tasks, run as `cargo xtask <task>`.
//!
//! `test` is the whole of continuous integration, on a laptop as on a server: there is no second description of it anywhere.
//! `tidy` checks the rules of this repository that no compiler checks. `bench` and `soak` pass their arguments on to the
//! programs of the `tests` package.

mod advisories;
mod dist;
mod foreign;
mod memory;
mod node;
mod packages;
mod postgres;
mod report;
mod shell;
mod site;
mod suite;
mod tidy;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

const HELP: &str = "\
cargo xtask <task>

  test [PART…]           every check and every test; or only the parts named, of:
                         fmt tidy advisories clippy unit foreign e2e postgres browser docs
                         (only where they are named: postgres-whole, all end-to-end tests on PostgreSQL;
                         packages, what `dist` makes installed, upgraded and removed, as root)
  tidy [--bless-new]     the house rules alone; --bless-new records the checksums of new migrations
  bench [ARGUMENT…]      measures a release build (package `tests`, program `bench`)
  soak [--percent N] [NAME…]
                         runs the long tests at full size, or at a share of it (program `soak`)
  dist [PART…]           builds what is released into target/packages; all, or of:
                         client server deb image chart sbom sums; `twice` builds all twice and compares
  docs-site [ASSENT]
                         builds the documentation as pages to browse and search, into target/docs-site/html,
                         with the reference of this program, or of the one that it builds
  with COMMAND…          runs a command beside a private PostgreSQL, with the tests' environment set
  setup                  installs what the tests need and this machine lacks";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one task and returns whether it succeeded. An error is a task that could not be run at all.
fn run(arguments: &[String]) -> Result<bool> {
    let root = repository_root()?;
    let Some((task, rest)) = arguments.split_first() else {
        bail!("name a task\n\n{HELP}");
    };
    match task.as_str() {
        "test" => suite::run(&root, rest),
        "tidy" => tidy::run(&root, rest),
        "dist" => dist::run(&root, rest),
        "bench" | "soak" => dispatch(&root, task, rest),
        "docs-site" => suite::docs_site(&root, rest.first().map(String::as_str)),
        "with" => suite::with_services(&root, rest),
        "setup" => Ok(setup(&root)),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(true)
        }
        other => bail!("there is no task `{other}`\n\n{HELP}"),
    }
}

/// The repository's root folder: the parent of this package's own. `cargo run` sets the root at run time; a program started
/// without cargo uses the folder in which it was built.
fn repository_root() -> Result<PathBuf> {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = package.parent().context("xtask stands in no repository")?;
    Ok(root.to_path_buf())
}

/// Installs everything that a whole run of the suite needs, and reports what is missing.
fn setup(root: &Path) -> bool {
    let missing = tools::install(root, tools::Need::ALL);
    for error in &missing {
        eprintln!("xtask: {error:#}");
    }
    missing.is_empty()
}

/// Runs `bench` and `soak` by the program of that name, built for release.
fn dispatch(root: &Path, program: &str, arguments: &[String]) -> Result<bool> {
    let status = Command::new(shell::cargo())
        .args(["run", "--release", "--package", "tests", "--bin", program])
        .arg("--")
        .args(arguments)
        .current_dir(root)
        .status()
        .with_context(|| format!("cannot start `cargo run` for `{program}`"))?;
    Ok(status.success())
}

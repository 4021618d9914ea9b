//! The long tests at full size: `cargo xtask soak`, or `cargo xtask with cargo xtask soak` for PostgreSQL as well.
//!
//! The server is killed 200 times under load on each engine, and random people do 250 times as much as in the usual
//! tests. Each test is the usual one; only its size differs.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

/// How often the server is killed on each engine.
const KILLS: &str = "200";
/// How many times the usual number of histories is tried.
const SIZE: &str = "250";

/// One run of a usual test.
struct Run {
    what: String,
    package: &'static str,
    target: &'static str,
    /// Which tests of the target.
    filter: &'static str,
    variables: Vec<(&'static str, &'static str)>,
}

fn runs(has_postgres: bool) -> Vec<Run> {
    let crash = |engine: &'static str| Run {
        what: format!("kill -9 under load, N = {KILLS}, {engine}"),
        package: "tests",
        target: "e2e",
        filter: "crash",
        variables: vec![("ASSENT_TEST_KILLS", KILLS), ("ASSENT_TEST_ENGINE", engine)],
    };
    let mut runs = vec![crash("sqlite")];
    if has_postgres {
        runs.push(crash("postgres"));
    }
    runs.push(Run {
        what: format!("random histories of a change, N = {SIZE} times the usual"),
        package: "model",
        target: "it",
        filter: "properties",
        variables: vec![("ASSENT_TEST_SIZE", SIZE)],
    });
    runs
}

/// Runs a test and answers whether it passed. A run in which no test matched has shown nothing and did not pass.
fn passes(run: &Run) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["test", "--package", run.package, "--test", run.target, run.filter])
        .current_dir(tests::root())
        .envs(run.variables.iter().copied());
    match follow(command.stdout(Stdio::piped())) {
        Ok((succeeded, ran)) => succeeded && ran,
        Err(error) => {
            eprintln!("soak: cannot run cargo: {error}");
            false
        }
    }
}

/// Shows what a command says; answers whether it succeeded and whether a test ran in it.
fn follow(command: &mut Command) -> std::io::Result<(bool, bool)> {
    let mut child = command.spawn()?;
    let mut ran = false;
    if let Some(said) = child.stdout.take() {
        for line in BufReader::new(said).lines() {
            let line = line?;
            println!("{line}");
            ran |= line.starts_with("test ") && line.ends_with(" ok");
        }
    }
    Ok((child.wait()?.success(), ran))
}

fn main() -> ExitCode {
    let has_postgres = std::env::var_os("ASSENT_TEST_POSTGRES").is_some();
    if !has_postgres {
        println!("soak: no PostgreSQL here; `cargo xtask with cargo xtask soak` brings one");
    }
    if !tests::binary().is_file() {
        let path = tests::binary();
        eprintln!(
            "soak: {} is not there; build it first: cargo build -p assent",
            path.display()
        );
        return ExitCode::FAILURE;
    }
    let mut outcomes = Vec::new();
    for run in runs(has_postgres) {
        println!("soak: {}", run.what);
        outcomes.push((passes(&run), run.what));
    }
    for (passed, what) in &outcomes {
        println!("soak: {what}: {}", if *passed { "passed" } else { "FAILED" });
    }
    if outcomes.iter().all(|(passed, _)| *passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests_of_soak {
    use super::*;

    #[test]
    fn each_engine_that_is_there_is_killed() {
        let engines = |has_postgres| runs(has_postgres).iter().filter(|run| run.filter == "crash").count();
        assert_eq!((engines(false), engines(true)), (1, 2));
    }
}

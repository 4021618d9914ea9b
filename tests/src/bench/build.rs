//! How long the product takes to build from its last commit: as released and for work from an empty folder, and again after a
//! function was added in a room. Crates are fetched before, so that no figure depends on the network.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::report::Line;

/// The rooms in which something is added, from the innermost to the outermost.
const ROOMS: [&str; 3] = ["model", "acts", "server"];

/// Builds a clone in a folder that is gone afterwards.
///
/// # Errors
/// When the product does not build.
pub fn measure() -> Result<Vec<Line>> {
    let folder = tempfile::tempdir().context("no folder to build in")?;
    let clone = folder.path().join("clone");
    let mut git = Command::new("git");
    run(git.args(["clone", "--quiet"]).arg(tests::root()).arg(&clone))?;
    cargo(&clone, &["fetch", "--locked"])?;
    let released = cargo(&clone, &["build", "--release", "--package", "assent"])?;
    let work = ["build", "--package", "assent"];
    let cold = cargo(&clone, &work)?;
    let unchanged = cargo(&clone, &work)?;
    let mut lines = vec![
        Line::told("Build from nothing, as released", format!("{released:.0} s"), "–"),
        Line::told("Build from nothing, for work", format!("{cold:.0} s"), "–"),
    ];
    for room in ROOMS {
        add_function(&clone.join("crates").join(room).join("src/lib.rs"))?;
        let again = cargo(&clone, &work)?;
        let what = format!("Build after a function was added in `{room}`");
        let floor = format!("{unchanged:.1} s, nothing changed");
        lines.push(Line::told(what, format!("{again:.1} s"), floor));
    }
    Ok(lines)
}

fn add_function(file: &Path) -> Result<()> {
    let mut file = std::fs::File::options().append(true).open(file)?;
    writeln!(file, "\n/// Added by the bench.\npub fn added() -> u64 {{\n    7\n}}")?;
    Ok(())
}

/// Runs cargo over the clone, as a user without own settings would; returns the number of seconds.
#[expect(clippy::disallowed_methods, reason = "this is the measuring")]
fn cargo(clone: &Path, arguments: &[&str]) -> Result<f64> {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(clone);
    let is_setting = |name: &str| name.starts_with("RUST") || (name.starts_with("CARGO") && name != "CARGO_HOME");
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in set.filter(|name| is_setting(name) && !name.starts_with("RUSTUP")) {
        command.env_remove(name);
    }
    let begun = Instant::now();
    run(&mut command)?;
    Ok(begun.elapsed().as_secs_f64())
}

fn run(command: &mut Command) -> Result<()> {
    let done = command.stdin(Stdio::null()).output()?;
    ensure!(
        done.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}

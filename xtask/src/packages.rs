//! The part `packages`: the files of a release are built, installed in an empty system, started, upgraded and removed.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::report::Count;
use crate::{dist, shell};

/// The parts of a release that can be installed.
const INSTALLED: &[&str] = &["client", "deb", "image"];

/// Builds them and has the script walk through their life.
///
/// # Errors
/// When this is not run by root, the only user who may change the root folder of a process, or when something cannot be built.
pub fn count(root: &Path) -> Result<Count> {
    if !shell::is_root() {
        bail!("the part `packages` makes roots of its own; run it as root");
    }
    let parts: Vec<String> = INSTALLED.iter().map(|part| (*part).to_owned()).collect();
    dist::run(root, &parts)?;
    let mut walk = Command::new("bash");
    walk.arg(root.join("tests/packages/walk.sh"))
        .arg(shell::target_folder(root).join("packages"))
        .arg(dist::version(root)?)
        .current_dir(root);
    let finished = shell::tee(&mut walk)?;
    Ok(Count::of_check(finished.succeeded, &finished.lines))
}

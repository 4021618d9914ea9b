//! `cargo xtask dist`: the files of a release, built into `target/packages` so that the same commit makes the same bytes.
//!
//! Each part is runnable alone. Times in archives are those of the commit, owners are numbers, paths of this machine are cut out
//! of the programs. `twice` shows that by building all parts from nothing twice and comparing the digests.

mod build;
mod chart;
mod deb;
mod image;
mod pack;
mod sbom;
mod sums;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// The parts, in the order in which they are built: the sums come last, over all that is there.
const PARTS: &[&str] = &["client", "server", "deb", "image", "chart", "sbom", "sums"];

/// The facts that every part needs.
pub struct Release {
    /// The repository's root folder.
    pub root: PathBuf,
    /// Where the release is written; not `dist`, which is where cargo keeps the profile of that name.
    pub out: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
    /// The version of the workspace.
    pub version: String,
    /// The time that files of the release carry, in seconds of Unix time.
    pub epoch: u64,
}

impl Release {
    /// The name of a file of the release: `assent-0.1.0-` and its end.
    fn named(&self, end: &str) -> PathBuf {
        self.out.join(format!("assent-{}-{end}", self.version))
    }
}

/// Builds the parts named, or all, and returns whether that succeeded.
pub fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    if let Some(wrong) = arguments
        .iter()
        .find(|part| *part != "twice" && !PARTS.contains(&part.as_str()))
    {
        bail!(
            "there is no part `{wrong}` of a release; choose of: {} twice",
            PARTS.join(" ")
        );
    }
    let target = shell::target_folder(root);
    if arguments.iter().any(|part| part == "twice") {
        return twice(root, &target);
    }
    let release = prepare(root, target.join("packages"), target)?;
    let wanted = |part: &&&str| arguments.is_empty() || arguments.iter().any(|named| named == **part);
    for part in PARTS.iter().filter(wanted) {
        println!("dist: {part}");
        make(&release, part).with_context(|| format!("the part `{part}` failed"))?;
    }
    Ok(true)
}

fn prepare(root: &Path, out: PathBuf, target: PathBuf) -> Result<Release> {
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make `{}`", out.display()))?;
    Ok(Release {
        root: root.to_path_buf(),
        version: version(root)?,
        epoch: epoch(root)?,
        out,
        target,
    })
}

fn make(release: &Release, part: &str) -> Result<()> {
    match part {
        "client" => build::client(release),
        "server" => build::server(release),
        "deb" => deb::make(release),
        "image" => image::make(release),
        "chart" => chart::make(release),
        "sbom" => sbom::make(release),
        _ => sums::make(release),
    }
}

/// Builds the release twice, each time from nothing, and compares every digest.
fn twice(root: &Path, target: &Path) -> Result<bool> {
    let mut sums = Vec::new();
    for name in ["packages", "packages-again"] {
        let out = target.join(name);
        // The same folder each time: the path of a build affects its bytes.
        let building = target.join("dist-build");
        for folder in [&out, &building] {
            if folder.exists() {
                std::fs::remove_dir_all(folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
            }
        }
        let release = prepare(root, out, building)?;
        for part in PARTS {
            println!("dist: {part} into {name}");
            make(&release, part).with_context(|| format!("the part `{part}` failed"))?;
        }
        sums.push(std::fs::read_to_string(release.out.join(sums::FILE))?);
    }
    let is_same = sums[0] == sums[1];
    println!("dist: both builds are {}", if is_same { "equal" } else { "different" });
    for line in sums[0]
        .lines()
        .filter(|line| !sums[1].lines().any(|other| other == *line))
    {
        println!("  differs: {line}");
    }
    Ok(is_same)
}

/// The version that the workspace's manifest names.
pub fn version(root: &Path) -> Result<String> {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    let manifest: toml::Table = text.parse().context("Cargo.toml is no TOML")?;
    let version = manifest["workspace"]["package"]["version"].as_str();
    Ok(version.context("Cargo.toml names no version")?.to_owned())
}

/// The time of the release: `SOURCE_DATE_EPOCH` where it is set, otherwise that of the last commit.
fn epoch(root: &Path) -> Result<u64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => shell::quiet(
            Command::new("git")
                .args(["log", "-1", "--format=%ct"])
                .current_dir(root),
        )
        .context("set SOURCE_DATE_EPOCH where there is no git history")?,
    };
    text.trim()
        .parse()
        .with_context(|| format!("`{}` is no number of seconds", text.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_part_that_does_not_exist_is_refused_by_name_before_anything_is_built() {
        let error = run(Path::new("/nowhere"), &["rpm".to_owned()]).unwrap_err().to_string();
        assert!(
            error.contains("`rpm`") && error.contains("client server deb"),
            "{error}"
        );
    }

    #[test]
    fn the_version_is_that_of_the_workspace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(version(root).unwrap(), env!("CARGO_PKG_VERSION"));
    }
}

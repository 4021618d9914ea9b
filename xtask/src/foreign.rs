//! The foreign judges: Python and Node packages, pinned, in folders of their own under `.tools`.
//!
//! The pins are in `xtask/foreign/`. A stamp file beside each installation records the installed pins, so that an unchanged pin
//! file costs nothing and a changed one installs anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{node, shell};

/// The Python of the tests' own environment.
pub fn python(root: &Path) -> PathBuf {
    shell::tools_folder(root).join("venv/bin/python")
}

/// The folder that holds the tests' Node packages.
pub fn node_modules(root: &Path) -> PathBuf {
    shell::tools_folder(root).join("node/node_modules")
}

/// A Python that can make an environment: Debian's own may lack `ensurepip` until `python3-venv` is there, so each candidate is
/// tried.
pub fn base_python() -> Option<PathBuf> {
    let candidates = [shell::find("python3"), Some(PathBuf::from("/usr/bin/python3"))];
    candidates
        .into_iter()
        .flatten()
        .find(|python| shell::quiet(Command::new(python).args(["-c", "import venv, ensurepip"])).is_ok())
}

/// The Python that builds the documentation site.
pub fn site_python(root: &Path) -> PathBuf {
    shell::tools_folder(root).join("site/bin/python")
}

/// Makes `.tools/venv` with the pinned packages, unless its stamp is current.
///
/// # Errors
/// When there is no Python or the packages cannot be installed.
pub fn install_python(root: &Path) -> Result<()> {
    install_pins(root, "requirements.txt", "venv")
}

/// Makes `.tools/site` with the tools of the documentation site, unless its stamp is current.
///
/// # Errors
/// As [`install_python`].
pub fn install_site(root: &Path) -> Result<()> {
    install_pins(root, "site.txt", "site")
}

fn install_pins(root: &Path, pins: &str, folder: &str) -> Result<()> {
    let base = base_python().context("there is no Python that can make an environment")?;
    let pins = root.join("xtask/foreign").join(pins);
    let version = shell::quiet(Command::new(&base).arg("--version"))?;
    let wanted = format!("{version}{}", read(&pins)?);
    let folder = shell::tools_folder(root).join(folder);
    if is_stamped(&folder, &wanted) {
        return Ok(());
    }
    println!("installing the Python packages of {}", pins.display());
    make_empty(&folder)?;
    shell::quiet(Command::new(&base).args(["-m", "venv"]).arg(&folder))?;
    shell::quiet(
        Command::new(folder.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--disable-pip-version-check",
            ])
            .arg("--requirement")
            .arg(&pins),
    )?;
    stamp(&folder, &wanted)
}

/// Makes `.tools/node` with the pinned packages, unless its stamp is current.
///
/// # Errors
/// When there is no Node of the needed age, or the packages cannot be installed.
pub fn install_node(root: &Path) -> Result<()> {
    node::install(root)?;
    let pins = root.join("xtask/foreign");
    let wanted = read(&pins.join("package-lock.json"))?;
    let folder = shell::tools_folder(root).join("node");
    if is_stamped(&folder, &wanted) {
        return Ok(());
    }
    println!(
        "installing the Node packages of {}",
        pins.join("package.json").display()
    );
    make_empty(&folder)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(pins.join(name), folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    shell::quiet(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .env("PATH", node::path(root, std::env::var_os("PATH").unwrap_or_default()))
            .current_dir(&folder),
    )?;
    stamp(&folder, &wanted)
}

/// The program with clients that others publish.
pub fn clients(root: &Path) -> PathBuf {
    shell::tools_folder(root).join("clients/debug/foreign-clients")
}

/// Builds the clients apart from everything else: their crates are large, and nothing of them is shipped.
///
/// # Errors
/// When they do not build.
pub fn build_clients(root: &Path) -> Result<()> {
    let mut command = Command::new(shell::cargo());
    command
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(root.join("xtask/foreign/clients/Cargo.toml"))
        .arg("--target-dir")
        .arg(shell::tools_folder(root).join("clients"));
    shell::quiet(&mut command).map(|_| ())
}

/// rsyslog and syslog-ng, which Debian does not install beside each other, with the libraries that a bare Debian lacks.
const SYSLOG: &[&str] = &[
    "rsyslog",
    "rsyslog-gnutls",
    "syslog-ng-core",
    "libestr0",
    "libfastjson4",
    "libglib2.0-0",
    "libivykis0",
    "libjson-c5",
    "liblognorm5",
    "libnet1",
    "libnsl2",
    "libpcre3",
    "libtirpc3",
    "libwrap0",
];

/// The folder into which the syslog servers are unpacked.
pub fn syslog(root: &Path) -> PathBuf {
    shell::tools_folder(root).join("syslog")
}

/// Unpacks the syslog servers from Debian's packages, which leaves the machine's own logging alone, unless the stamp is
/// current.
///
/// # Errors
/// Where there is no Debian, or a package cannot be had.
pub fn install_syslog(root: &Path) -> Result<()> {
    let (folder, wanted) = (syslog(root), SYSLOG.join("\n"));
    if is_stamped(&folder, &wanted) {
        return Ok(());
    }
    if shell::find("apt-get").is_none() {
        bail!(
            "unpack what these Debian packages hold into {}: {}",
            folder.display(),
            SYSLOG.join(" ")
        );
    }
    println!("unpacking rsyslog and syslog-ng");
    make_empty(&folder)?;
    let download = || {
        shell::quiet(
            Command::new("apt-get")
                .arg("download")
                .args(SYSLOG)
                .current_dir(&folder),
        )
    };
    // The lists of packages may be old, or missing on a fresh machine.
    if download().is_err() {
        shell::quiet(Command::new("apt-get").arg("update"))?;
        download()?;
    }
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries.flatten() {
        let package = entry.path();
        if package.extension().is_some_and(|end| end == "deb") {
            shell::quiet(Command::new("dpkg").arg("-x").arg(&package).arg(&folder))?;
            fs::remove_file(&package).with_context(|| format!("cannot remove {}", package.display()))?;
        }
    }
    stamp(&folder, &wanted)
}

/// Reads a file of the repository.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn stamp_file(folder: &Path) -> PathBuf {
    folder.join(".stamp")
}

/// Whether the folder has the wanted content.
pub fn is_stamped(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp_file(folder)).is_ok_and(|found| found == wanted)
}

/// Written last, so that an installation that was interrupted is done again.
///
/// # Errors
/// When it cannot be written.
pub fn stamp(folder: &Path, text: &str) -> Result<()> {
    fs::write(stamp_file(folder), text).context("cannot write the stamp file")
}

/// Makes an empty folder in place of the old content.
///
/// # Errors
/// When that cannot be removed, or the folder cannot be made.
pub fn make_empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn a_stamp_holds_for_the_same_pins_only() {
        let folder = std::env::temp_dir().join(format!("assent-stamp-{}", std::process::id()));
        make_empty(&folder).unwrap();
        assert!(!is_stamped(&folder, "a==1"), "nothing is installed yet");
        stamp(&folder, "a==1").unwrap();
        assert!(is_stamped(&folder, "a==1"));
        assert!(!is_stamped(&folder, "a==2"), "a changed pin installs anew");
        fs::remove_dir_all(&folder).unwrap();
    }
}

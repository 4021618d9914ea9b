//! The programs: the client alone, and the server with everything. Both are linked statically.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Release;
use super::pack::{Entry, tar_gz};
use crate::shell;

/// The largest size of the client, in bytes (issue: 15 MB).
const CLIENT_LIMIT_BYTES: u64 = 15_000_000;

/// Builds the small client and `assent-permit`, and packs both.
pub fn client(release: &Release) -> Result<()> {
    let target = build(
        release,
        "client",
        &["--no-default-features", "--bin", "assent", "--bin", "assent-permit"],
    )?;
    let folder = release.target.join(&target).join("client");
    let mut entries = Vec::new();
    for name in ["assent", "assent-permit"] {
        let bytes = read(&folder.join(name))?;
        println!("dist: the client's `{name}` has {} bytes", bytes.len());
        if bytes.len() as u64 > CLIENT_LIMIT_BYTES {
            bail!("`{name}` has {} bytes; {CLIENT_LIMIT_BYTES} is the limit", bytes.len());
        }
        entries.push(Entry::file(name, 0o755, bytes));
    }
    // The script that pipelines fetch first; it checks the archive against the sums.
    write(
        &release.out.join("client.sh"),
        &read(&release.root.join("packaging/install/client.sh"))?,
    )?;
    entries.push(Entry::file("LICENSE", 0o644, read(&release.root.join("LICENSE"))?));
    write(
        &release.named("x86_64-linux-client.tar.gz"),
        &tar_gz(entries, release.epoch)?,
    )
}

/// Builds the server and packs it with its unit, settings and man pages.
pub fn server(release: &Release) -> Result<()> {
    let program = server_program(release)?;
    let mut entries = vec![
        Entry::file("assent", 0o755, read(&program)?),
        Entry::file("LICENSE", 0o644, read(&release.root.join("LICENSE"))?),
        Entry::file(
            "assent.service",
            0o644,
            read(&release.root.join("packaging/systemd/assent.service"))?,
        ),
        Entry::file(
            "assent.toml",
            0o644,
            read(&release.root.join("packaging/deb/assent.toml"))?,
        ),
    ];
    for (name, text) in man_pages(release, &program)? {
        entries.push(Entry::file(&format!("man1/{name}"), 0o644, text));
    }
    write(
        &release.named("x86_64-linux-server.tar.gz"),
        &tar_gz(entries, release.epoch)?,
    )
}

/// Builds the server where that is not done yet, and returns the program's path.
pub fn server_program(release: &Release) -> Result<PathBuf> {
    let target = build(release, "dist", &["--features", "jemalloc", "--bin", "assent"])?;
    Ok(release.target.join(target).join("dist").join("assent"))
}

/// The man pages with their names, written by the program itself.
pub fn man_pages(release: &Release, program: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let folder = release.out.join("man.tmp");
    shell::quiet(Command::new(program).arg("man").arg(&folder))?;
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .context("a page has a name")?
            .to_string_lossy()
            .into_owned();
        pages.push((name, read(&path)?));
    }
    std::fs::remove_dir_all(&folder)?;
    pages.sort();
    Ok(pages)
}

/// Reads a file; the error names it.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Writes a file of the release and names it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
    println!("dist: {}", path.display());
    Ok(())
}

/// Runs cargo for the package `assent`; returns the target triple, under which the program lies.
fn build(release: &Release, profile: &str, arguments: &[&str]) -> Result<String> {
    let (target, flags) = target_and_flags(&installed_targets());
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))?;
    let flags = format!(
        "{flags}--remap-path-prefix={}=/assent --remap-path-prefix={home}=/cargo --remap-path-prefix={}=/target",
        release.root.display(),
        release.target.display()
    );
    let status = Command::new(shell::cargo())
        .args(["build", "--locked", "--package", "assent", "--profile", profile])
        .args(["--target", target])
        .args(arguments)
        .current_dir(&release.root)
        .env("CARGO_TARGET_DIR", &release.target)
        .env("RUSTFLAGS", flags)
        .env("SOURCE_DATE_EPOCH", release.epoch.to_string())
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("cargo could not build the profile `{profile}` for {target}");
    }
    Ok(target.to_owned())
}

fn installed_targets() -> String {
    shell::quiet(Command::new("rustup").args(["target", "list", "--installed"])).unwrap_or_default()
}

/// musl where its standard library is installed. Otherwise glibc, linked statically: from 2.34 on it resolves names by files and
/// DNS without loading anything; other name services (LDAP, mDNS) then do not count.
fn target_and_flags(installed: &str) -> (&'static str, &'static str) {
    const MUSL: &str = "x86_64-unknown-linux-musl";
    if installed.lines().any(|line| line.trim() == MUSL) {
        return (MUSL, "");
    }
    println!("dist: `rustup target add {MUSL}` was not run here, so glibc is linked statically");
    ("x86_64-unknown-linux-gnu", "-C target-feature=+crt-static ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_client_is_made_without_server_and_database() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tree = |features: &[&str]| {
            let mut command = Command::new(shell::cargo());
            command.args([
                "tree",
                "--locked",
                "--package",
                "assent",
                "--edges",
                "normal",
                "--prefix",
                "none",
            ]);
            let told = shell::quiet(command.args(features).current_dir(root)).unwrap();
            let names = told
                .lines()
                .filter_map(|line| line.split(' ').next().map(str::to_owned));
            names.collect::<std::collections::BTreeSet<String>>()
        };
        let (client, whole) = (tree(&["--no-default-features"]), tree(&[]));
        for name in ["server", "acts", "store", "axum", "rusqlite", "postgres", "tokio"] {
            assert!(whole.contains(name), "{name} is no part of the server");
            assert!(!client.contains(name), "{name} is a part of the client");
        }
        assert!(client.contains("wire") && client.contains("proof"), "{client:?}");
    }

    #[test]
    fn musl_is_taken_where_it_is_installed_and_glibc_is_static_otherwise() {
        let both = "x86_64-unknown-linux-gnu\nx86_64-unknown-linux-musl\n";
        assert_eq!(target_and_flags(both), ("x86_64-unknown-linux-musl", ""));
        let (target, flags) = target_and_flags("x86_64-unknown-linux-gnu\n");
        assert_eq!(target, "x86_64-unknown-linux-gnu");
        assert!(flags.contains("+crt-static"));
    }
}

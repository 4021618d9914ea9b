//! The Debian package: the server with its unit, settings, man pages and completion, assembled by `dpkg-deb`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Release;
use super::build::{man_pages, read, server_program};
use super::pack::gzip;
use crate::shell;

/// The scripts that dpkg runs.
const SCRIPTS: &[&str] = &["postinst", "prerm", "postrm"];

/// Builds the server and assembles the package.
pub fn make(release: &Release) -> Result<()> {
    let program = server_program(release)?;
    let tree = release.out.join("deb.tmp");
    if tree.exists() {
        std::fs::remove_dir_all(&tree)?;
    }
    let pages = man_pages(release, &program)?;
    let completion = shell::quiet(Command::new(&program).args(["completions", "bash"]))?;
    lay_out(release, &tree, &read(&program)?, &pages, &completion)?;
    let package = release.out.join(format!("assent_{}_amd64.deb", release.version));
    assemble(&tree, &package, release.epoch)?;
    std::fs::remove_dir_all(&tree)?;
    println!("dist: {}", package.display());
    Ok(())
}

/// Puts everything where it is going to lie.
fn lay_out(
    release: &Release,
    tree: &Path,
    program: &[u8],
    pages: &[(String, Vec<u8>)],
    completion: &str,
) -> Result<()> {
    let packaging = release.root.join("packaging");
    put(tree, "usr/bin/assent", 0o755, program)?;
    let unit = read(&packaging.join("systemd/assent.service"))?;
    put(tree, "usr/lib/systemd/system/assent.service", 0o644, &unit)?;
    put(
        tree,
        "etc/assent/assent.toml",
        0o644,
        &read(&packaging.join("deb/assent.toml"))?,
    )?;
    for (name, text) in pages {
        put(tree, &format!("usr/share/man/man1/{name}.gz"), 0o644, &gzip(text)?)?;
    }
    put(
        tree,
        "usr/share/bash-completion/completions/assent",
        0o644,
        completion.as_bytes(),
    )?;
    put(
        tree,
        "usr/share/doc/assent/copyright",
        0o644,
        &read(&packaging.join("deb/copyright"))?,
    )?;
    put(tree, "DEBIAN/conffiles", 0o644, b"/etc/assent/assent.toml\n")?;
    for script in SCRIPTS {
        put(
            tree,
            &format!("DEBIAN/{script}"),
            0o755,
            &read(&packaging.join("deb").join(script))?,
        )?;
    }
    let kib = size(tree)?.div_ceil(1024);
    put(tree, "DEBIAN/control", 0o644, control(&release.version, kib).as_bytes())
}

/// The head of the package. The program is static, so it depends on no library.
fn control(version: &str, kib: u64) -> String {
    format!(
        "Package: assent\n\
         Version: {version}\n\
         Architecture: amd64\n\
         Maintainer: The Assent authors <assent@localhost>\n\
         Installed-Size: {kib}\n\
         Depends: adduser\n\
         Recommends: systemd\n\
         Section: admin\n\
         Priority: optional\n\
         Description: change enablement: changes, approvals and gates, with proof\n \
         Assent decides, records and proves which changes may reach production,\n \
         when, and with whose approval. This package holds the server and the\n \
         command line.\n"
    )
}

/// Writes a file with its folders; modes are set under any umask.
fn put(tree: &Path, path: &str, mode: u32, content: &[u8]) -> Result<()> {
    let file = tree.join(path);
    let mut folder: PathBuf = tree.to_path_buf();
    for part in Path::new(path).parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        std::fs::create_dir_all(&folder)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
    }
    std::fs::write(&file, content).with_context(|| format!("cannot write `{}`", file.display()))?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// How many bytes lie below a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() {
            size(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(sum)
}

/// `dpkg-deb` gives every entry to the superuser and, by `SOURCE_DATE_EPOCH`, no time after that of the release.
fn assemble(tree: &Path, package: &Path, epoch: u64) -> Result<()> {
    std::fs::set_permissions(tree, std::fs::Permissions::from_mode(0o755))?;
    let at = format!("@{epoch}");
    shell::quiet(
        Command::new("find")
            .arg(tree)
            .args(["-exec", "touch", "-d", &at, "{}", "+"]),
    )?;
    shell::quiet(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "-Zxz", "--threads-max=1", "--build"])
            .args([tree, package])
            .env("SOURCE_DATE_EPOCH", epoch.to_string()),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
    }

    #[test]
    fn the_package_holds_what_it_should_and_is_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let release = Release {
            root: root(),
            out: folder.path().to_path_buf(),
            target: folder.path().to_path_buf(),
            version: "1.2.3".to_owned(),
            epoch: 1_795_000_000,
        };
        let made = |name: &str| {
            let tree = folder.path().join(format!("{name}.tree"));
            let pages = [("assent.1".to_owned(), b".TH assent 1".to_vec())];
            lay_out(&release, &tree, b"program", &pages, "complete").unwrap();
            let package = folder.path().join(name);
            assemble(&tree, &package, release.epoch).unwrap();
            package
        };
        let (one, two) = (made("one.deb"), made("two.deb"));
        assert_eq!(read(&one).unwrap(), read(&two).unwrap());
        let listed = shell::quiet(Command::new("dpkg-deb").arg("--contents").arg(&one)).unwrap();
        for line in [
            "-rwxr-xr-x root/root",
            "./usr/bin/assent",
            "./usr/lib/systemd/system/assent.service",
            "./etc/assent/assent.toml",
            "./usr/share/man/man1/assent.1.gz",
        ] {
            assert!(listed.contains(line), "{line} is missing in\n{listed}");
        }
        let head = shell::quiet(Command::new("dpkg-deb").arg("--field").arg(&one)).unwrap();
        assert!(
            head.contains("Package: assent") && head.contains("Version: 1.2.3"),
            "{head}"
        );
        for script in SCRIPTS {
            shell::quiet(
                Command::new("sh")
                    .arg("-n")
                    .arg(root().join("packaging/deb").join(script)),
            )
            .unwrap();
        }
    }

    /// systemd's own judge: 0 is closed, 10 open. The issue sets the bound.
    #[test]
    fn the_unit_is_closed_below_two_by_systemds_own_count() {
        assert!(
            shell::find("systemd-analyze").is_some(),
            "systemd-analyze is missing: install the package systemd"
        );
        let unit = root().join("packaging/systemd/assent.service");
        let told = shell::keep(
            Command::new("systemd-analyze")
                .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
                .arg(&unit),
        )
        .unwrap();
        assert!(told.succeeded, "{}", told.lines.join("\n"));
        let is_judged = told.lines.iter().any(|line| line.contains("Overall exposure level"));
        assert!(is_judged, "{}", told.lines.join("\n"));
    }
}

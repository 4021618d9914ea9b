//! `SHA256SUMS` over the release, and its signature.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Release;
use super::build::{read, write};
use super::pack::sha256;
use crate::shell;

/// The file of the sums.
pub const FILE: &str = "SHA256SUMS";

/// The purpose of a signature, so that one over something else never fits (`ssh-keygen -Y sign -n`).
const NAMESPACE: &str = "assent-release";

/// The variable with the path of the key that signs.
const KEY: &str = "ASSENT_SIGNING_KEY";

/// Writes the sums of all files of the release and signs them where a key is named.
pub fn make(release: &Release) -> Result<()> {
    let path = release.out.join(FILE);
    write(&path, sums(&release.out)?.as_bytes())?;
    match std::env::var(KEY) {
        Ok(key) if !key.is_empty() => sign(&path, &key),
        _ => {
            println!("dist: not signed: {KEY} names no key (a private key of ssh)");
            Ok(())
        }
    }
}

/// One line for each file, by name, as `sha256sum -c` reads it.
fn sums(folder: &Path) -> Result<String> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .context("a file has a name")?
            .to_string_lossy()
            .into_owned();
        if path.is_file() && !name.starts_with(FILE) {
            lines.push((name, sha256(&read(&path)?)));
        }
    }
    lines.sort();
    Ok(lines.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect())
}

fn sign(path: &Path, key: &str) -> Result<()> {
    let signature = path.with_file_name(format!("{FILE}.sig"));
    if signature.exists() {
        std::fs::remove_file(&signature)?;
    }
    shell::quiet(
        Command::new("ssh-keygen")
            .args(["-Y", "sign", "-n", NAMESPACE, "-f", key])
            .arg(path),
    )?;
    println!("dist: {}", signature.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn sums_are_checked_and_their_signature_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("b.tgz"), "two").unwrap();
        std::fs::write(at("a.tgz"), "one").unwrap();
        std::fs::write(at(FILE), sums(folder.path()).unwrap()).unwrap();
        let checked = Command::new("sha256sum")
            .args(["-c", FILE])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
        assert_eq!(
            sums(folder.path()).unwrap().lines().count(),
            2,
            "the sums leave themselves out"
        );

        let key = at("key");
        let made = ["-q", "-t", "ed25519", "-N", "", "-f"];
        shell::quiet(Command::new("ssh-keygen").args(made).arg(&key)).unwrap();
        sign(&at(FILE), key.to_str().unwrap()).unwrap();
        let public = std::fs::read_to_string(at("key.pub")).unwrap();
        std::fs::write(at("signers"), format!("release {public}")).unwrap();
        let verify = |text: &str| {
            std::fs::write(at("said"), text).unwrap();
            let words = ["-Y", "verify", "-n", NAMESPACE, "-I", "release", "-f"];
            let mut command = Command::new("ssh-keygen");
            command
                .args(words)
                .arg(at("signers"))
                .arg("-s")
                .arg(at("SHA256SUMS.sig"));
            let input = std::fs::File::open(at("said")).unwrap();
            command.stdin(input).output().unwrap().status.success()
        };
        let text = std::fs::read_to_string(at(FILE)).unwrap();
        assert!(verify(&text));
        assert!(!verify(&text.replace("a.tgz", "c.tgz")));
    }
}

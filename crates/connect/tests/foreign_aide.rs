//! Debian's AIDE over a folder that is changed: its report names each change, and nothing else.
//!
//! Run with `--features foreign` and `aide` installed (`cargo xtask setup`).

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use connect::incident::drift::read;
use jiff::Timestamp;
use model::incident::drift::{DriftReport, EXISTENCE};
use model::integration::signal::Signal;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/bin/aide";
/// How many files are there.
const FILES: usize = 400;

/// A folder of its own, which goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("assent-aide-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("data")).unwrap();
        let config = format!(
            "database_in=file:{0}/aide.db\ndatabase_out=file:{0}/aide.db\nreport_format=json\nreport_url=stdout\n{0}/data p+n+sha256\n",
            path.display()
        );
        fs::write(path.join("aide.conf"), config).unwrap();
        Self(path)
    }

    fn file(&self, number: usize) -> PathBuf {
        self.0.join("data").join(format!("file-{number:04}"))
    }

    /// Runs it; its exit code has the differences as bits, and is an error from 14 on.
    fn aide(&self, command: &str) -> Vec<u8> {
        let run = Command::new(PROGRAM)
            .arg("--config")
            .arg(self.0.join("aide.conf"))
            .arg(command)
            .output()
            .unwrap_or_else(|error| panic!("`{PROGRAM}` cannot be started ({error}); run cargo xtask setup"));
        let code = run.status.code().unwrap();
        assert!(code < 14, "{command}: {code} {}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    }

    fn report(&self) -> DriftReport {
        let told = self.aide("--check");
        match read("aide", &told, Timestamp::MAX).unwrap().remove(0) {
            Signal::Drift(report) => report,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn key(path: &Path, attribute: &str) -> (String, String) {
    (path.display().to_string(), attribute.to_owned())
}

#[test]
fn every_change_of_a_folder_is_in_the_report_and_nothing_else() {
    let folder = Folder::new();
    for number in 0..FILES {
        fs::write(folder.file(number), format!("{number}\n")).unwrap();
        fs::set_permissions(folder.file(number), fs::Permissions::from_mode(0o644)).unwrap();
    }
    folder.aide("--init");
    let same = folder.report();
    assert!(same.is_complete && same.differences.is_empty(), "{same:?}");
    let mut wanted = BTreeSet::new();
    for number in 0..FILES {
        let path = folder.file(number);
        match number % 4 {
            0 => fs::write(&path, format!("{number} changed\n")).unwrap(),
            1 => fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap(),
            2 => fs::remove_file(&path).unwrap(),
            _ => fs::write(folder.file(FILES + number), "new\n").unwrap(),
        }
        wanted.insert(match number % 4 {
            0 => key(&path, "sha256"),
            1 => key(&path, "perm"),
            2 => key(&path, EXISTENCE),
            _ => key(&folder.file(FILES + number), EXISTENCE),
        });
    }
    let report = folder.report();
    let found: BTreeSet<_> = report
        .differences
        .iter()
        .map(|it| (it.address.clone(), it.attribute.clone()))
        .collect();
    assert_eq!(found.len(), report.differences.len(), "each once");
    let missing: Vec<_> = wanted.difference(&found).collect();
    let others: Vec<_> = found.difference(&wanted).collect();
    assert!(
        missing.is_empty() && others.is_empty(),
        "missing {missing:?}, besides {others:?}"
    );
    let is_right = |it: &&model::incident::drift::Difference| it.attribute != "sha256" || it.digest.is_some();
    assert!(report.differences.iter().all(|it| is_right(&it)));
}

//! A disk that is small enough to be filled.

use std::path::Path;
use std::process::Command;

use super::eventually;

/// The room that it has while it is not to be full. Nothing is taken of it before it is written to.
const ROOMY_KIBIBYTES: u64 = 8 * 1024 * 1024;

/// A file system of its own in memory, of a size that can be changed while it is written to. Dropping it takes it away.
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts one; `None` when this process may not mount.
    pub fn mount() -> Option<Self> {
        let disk = Self {
            folder: tempfile::tempdir().ok()?,
        };
        let options = format!("size={ROOMY_KIBIBYTES}k,mode=755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(disk.path())
            .output()
            .ok()?;
        mounted.status.success().then_some(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves so many free kibibytes.
    ///
    /// # Panics
    /// When it cannot be measured, or be made so small.
    pub fn fill(&self, leaving_kibibytes: u64) {
        // The server goes on writing meanwhile, so the measurement may be out of date when it is used.
        eventually("the disk can be made small", || {
            let (used, _) = self.kibibytes();
            self.resize(used + leaving_kibibytes)
        });
    }

    /// Gives it room again.
    ///
    /// # Panics
    /// When it cannot be made larger.
    pub fn relieve(&self) {
        assert!(self.resize(ROOMY_KIBIBYTES), "the disk cannot be made larger");
    }

    fn resize(&self, kibibytes: u64) -> bool {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,size={kibibytes}k")])
            .arg(self.path())
            .output();
        done.expect("mount is a part of every system").status.success()
    }

    /// The used space, and the free space.
    pub fn kibibytes(&self) -> (u64, u64) {
        let done = Command::new("df")
            .args(["--output=used,avail", "-k"])
            .arg(self.path())
            .output()
            .expect("df is a part of every system");
        let text = String::from_utf8_lossy(&done.stdout);
        let line = text.lines().nth(1).expect("df tells figures below its heading");
        let mut figures = line
            .split_whitespace()
            .map(|it| it.parse().expect("figures are numbers"));
        let mut next = || figures.next().expect("df tells two figures");
        (next(), next())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

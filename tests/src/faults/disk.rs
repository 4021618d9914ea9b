//! A disk that is small enough to be filled.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::eventually;

/// A file system of its own in memory. Dropping it takes it away.
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts one of so many mebibytes; `None` when this process may not mount.
    pub fn mount(mebibytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m,mode=755"), "tmpfs"])
            .arg(folder.path())
            .output()
            .ok()?;
        mounted.status.success().then_some(Self { folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills it up to so many free kibibytes.
    ///
    /// # Panics
    /// When it cannot be measured or filled.
    pub fn fill(&self, leaving_kibibytes: u64) {
        let ballast = self.ballast();
        // The server goes on writing meanwhile, so the first measure may be out of date when it is used.
        eventually("the disk can be filled", || {
            let has = std::fs::metadata(&ballast).map_or(0, |it| it.len()) / 1024;
            let size = (has + self.free_kibibytes()).saturating_sub(leaving_kibibytes);
            let done = Command::new("fallocate")
                .args(["-l", &format!("{size}KiB")])
                .arg(&ballast)
                .output();
            done.expect("fallocate is a part of every system").status.success()
        });
    }

    /// Takes the ballast off.
    ///
    /// # Panics
    /// When there is none.
    pub fn relieve(&self) {
        std::fs::remove_file(self.ballast()).expect("it was filled before");
    }

    fn free_kibibytes(&self) -> u64 {
        let done = Command::new("df")
            .args(["--output=avail", "-k"])
            .arg(self.path())
            .output()
            .expect("df is a part of every system");
        let text = String::from_utf8_lossy(&done.stdout);
        let figure = text.lines().nth(1).expect("df tells a figure below its heading");
        figure.trim().parse().expect("the figure is a number")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

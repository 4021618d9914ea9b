//! A folder in memory for the files of tests, where the machine has room for it.
//!
//! Tests make hundreds of databases, each of a thousand files, and remove them again. A file system on a disk makes work of
//! that: the store's tests took two and a half times as much of the processor there. No test loses anything by it: tests kill
//! processes and not machines, the kernel keeps the writes of a killed process either way, and tests of disks that fill up or
//! fail bring disks of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell;

/// Where Linux keeps a file system in memory.
const MEMORY: &str = "/dev/shm";

/// The prefix of the name of a run's folder; the number of its process follows.
const FOLDER: &str = "assent-suite-";

/// The space that must be free in that file system: almost twice the largest use seen in a whole run.
const ROOM: u64 = 8 << 30;

/// The memory that must be free: the same, and the need of compilers, servers and browsers beside it.
const FREE: u64 = 12 << 30;

/// A folder in memory. Dropping it removes it with all that it holds.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one, unless there is no room: then tests write where every program does.
    pub fn make() -> Option<Self> {
        let memory = Path::new(MEMORY);
        sweep(memory);
        let mounts = fs::read_to_string("/proc/mounts").ok()?;
        let memory_told = fs::read_to_string("/proc/meminfo").ok()?;
        let room_told = shell::quiet(Command::new("df").args(["--block-size=1", "--output=avail", MEMORY])).ok()?;
        if !is_usable(&mounts) || available(&memory_told)? < FREE || free(&room_told)? < ROOM {
            return None;
        }
        let folder = memory.join(format!("{FOLDER}{}", std::process::id()));
        fs::create_dir(&folder).ok()?;
        Some(Self(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes the folders of runs that were interrupted: they would hold memory for as long as the machine runs.
fn sweep(parent: &Path) {
    for folder in shell::orphans(parent, FOLDER) {
        // A folder of another user cannot be removed, as it should be.
        let _ = fs::remove_dir_all(folder);
    }
}

/// Whether the file system in memory may be written and programs be run from it, as tests of scripts do. The last line of a
/// place in `/proc/mounts` is the one that counts.
fn is_usable(mounts: &str) -> bool {
    let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = mounts.lines().map(fields);
    let Some(line) = lines.rfind(|fields| fields.get(1).is_some_and(|it| it == MEMORY)) else {
        return false;
    };
    let has = |word: &str| line.get(3).is_some_and(|it| it.split(',').any(|option| option == word));
    line.get(2).is_some_and(|kind| kind == "tmpfs") && has("rw") && !has("noexec")
}

/// The bytes of available memory; `/proc/meminfo` has them in KiB.
fn available(told: &str) -> Option<u64> {
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// The bytes in the column of `df` under its heading.
fn free(told: &str) -> Option<u64> {
    told.lines().nth(1)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn only_a_file_system_in_memory_that_runs_programs_is_used() {
        assert!(is_usable("tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0\n"));
        for other in [
            "shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k 0 0\n",
            "tmpfs /dev/shm tmpfs ro 0 0\n",
            "/dev/sda1 /dev/shm ext4 rw 0 0\n",
            "tmpfs /run tmpfs rw 0 0\n",
            "tmpfs /dev/shm tmpfs rw 0 0\ntmpfs /dev/shm tmpfs rw,noexec 0 0\n",
        ] {
            assert!(!is_usable(other), "{other}");
        }
    }

    #[test]
    fn what_the_system_tells_is_read() {
        assert_eq!(
            available("MemTotal: 9 kB\nMemAvailable:   12345 kB\n"),
            Some(12345 * 1024)
        );
        assert_eq!(available("MemTotal: 9 kB\n"), None);
        assert_eq!(free("     Avail\n25276502016\n"), Some(25_276_502_016));
        assert_eq!(free("     Avail\n"), None);
    }

    #[test]
    fn sweeping_takes_the_folders_of_runs_that_are_gone_alone() {
        let parent = std::env::temp_dir().join(format!("assent-memory-{}", std::process::id()));
        let names = [
            format!("{FOLDER}{}", std::process::id()),
            format!("{FOLDER}{}", u32::MAX),
            "other".to_owned(),
        ];
        for name in &names {
            fs::create_dir_all(parent.join(name)).unwrap();
        }
        sweep(&parent);
        let left = names.each_ref().map(|name| parent.join(name).exists());
        assert_eq!(left, [true, false, true]);
        fs::remove_dir_all(&parent).unwrap();
    }
}

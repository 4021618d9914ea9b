//! The file in the data folder that remembers the size of each log: the database cannot prove its own completeness.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use acts::core::log_high_water::{SeenInMemory, SeenLog, SeenLogs};
use jiff::Timestamp;
use proof::crypto::{hash_of_text, hash_text};
use serde::{Deserialize, Serialize};

use crate::start::serve_error::ServeError;

/// The file's name in the data folder.
pub(crate) const FILE: &str = "seen-logs.json";
/// Its name while it is written.
const NEW_FILE: &str = "seen-logs.new";
/// All names of the files in the data folder. No backup holds them: restored data is older than the sizes that were seen.
pub const FILES: [&str; 4] = [FILE, NEW_FILE, CLOCK_FILE, NEW_CLOCK_FILE];
/// The file with the latest time that a server saw here.
const CLOCK_FILE: &str = "seen-clock";
/// Its name while it is written.
const NEW_CLOCK_FILE: &str = "seen-clock.new";

/// A log's line in the file, under its tenant.
#[derive(Serialize, Deserialize)]
struct Line {
    size: u64,
    /// `sha256:` and 64 hex digits.
    root: String,
}

/// A memory that is written into a file once in a while. Two servers may share it: each line only grows.
pub(crate) struct SeenLogsFile {
    path: PathBuf,
    logs: SeenInMemory,
    /// The content of the last write.
    kept: Mutex<BTreeMap<String, SeenLog>>,
    /// The latest time, and the time of the last write.
    clock: Mutex<(Option<Timestamp>, Option<Timestamp>)>,
}

impl SeenLogsFile {
    /// Reads the file; a missing file remembers nothing.
    ///
    /// # Errors
    /// [`ServeError::Refused`] where it cannot be read.
    pub(crate) fn open(folder: &Path) -> Result<Self, ServeError> {
        let path = folder.join(FILE);
        let logs = read(&path).map_err(|error| {
            ServeError::Refused(format!(
                "{} cannot be read: {error}. It says how far each log was; put back a copy of it, or move it away if you know \
                 that the database was not set back",
                path.display()
            ))
        })?;
        let clock = read_clock(&folder.join(CLOCK_FILE)).map_err(|error| {
            ServeError::Refused(format!(
                "{} cannot be read: {error}. It says how late it was already; move it away if you know that the clock is right",
                folder.join(CLOCK_FILE).display()
            ))
        })?;
        Ok(Self {
            path,
            clock: Mutex::new((clock, clock)),
            kept: Mutex::new(logs.clone()),
            logs: SeenInMemory::of(logs),
        })
    }
}

impl SeenLogsFile {
    fn keep_clock(&self) -> std::io::Result<()> {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path.with_file_name(CLOCK_FILE);
        let Some(latest) = clock.0.filter(|latest| clock.1 != Some(*latest)) else {
            return Ok(());
        };
        // Another server may share the folder; the larger value of both counts.
        let latest = read_clock(&path)?.map_or(latest, |other| other.max(latest));
        replace(&path, NEW_CLOCK_FILE, latest.to_string().as_bytes())?;
        *clock = (Some(latest), Some(latest));
        Ok(())
    }
}

impl SeenLogs for SeenLogsFile {
    fn seen(&self, tenant: &str) -> Option<SeenLog> {
        self.logs.seen(tenant)
    }

    fn tenants(&self) -> Vec<String> {
        self.logs.tenants()
    }

    fn note(&self, tenant: &str, log: SeenLog) {
        self.logs.note(tenant, log);
    }

    fn seen_time(&self) -> Option<Timestamp> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn note_time(&self, now: Timestamp) {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock.0 = clock.0.max(Some(now));
    }

    fn keep(&self) -> std::io::Result<()> {
        self.keep_clock()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept == self.logs.all() {
            return Ok(());
        }
        for (tenant, log) in read(&self.path)? {
            self.logs.note(&tenant, log);
        }
        let all = self.logs.all();
        write(&self.path, &all)?;
        *kept = all;
        Ok(())
    }
}

fn read(path: &Path) -> std::io::Result<BTreeMap<String, SeenLog>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        bytes => bytes?,
    };
    let lines: BTreeMap<String, Line> = serde_json::from_slice(&bytes)?;
    let log = |(tenant, line): (String, Line)| {
        let wrong = || std::io::Error::new(ErrorKind::InvalidData, format!("the root of `{tenant}` is none"));
        let root = hash_of_text(&line.root).ok_or_else(wrong)?;
        Ok((tenant, SeenLog { size: line.size, root }))
    };
    lines.into_iter().map(log).collect()
}

/// Writes a new file and renames it over the old one, so that a crash leaves one of the two complete.
fn write(path: &Path, logs: &BTreeMap<String, SeenLog>) -> std::io::Result<()> {
    let line = |log: &SeenLog| Line {
        size: log.size,
        root: hash_text(&log.root),
    };
    let lines: BTreeMap<&String, Line> = logs.iter().map(|(tenant, log)| (tenant, line(log))).collect();
    replace(path, NEW_FILE, &serde_json::to_vec_pretty(&lines)?)
}

fn read_clock(path: &Path) -> std::io::Result<Option<Timestamp>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let wrong = |error: jiff::Error| std::io::Error::new(ErrorKind::InvalidData, error.to_string());
    text.trim().parse().map(Some).map_err(wrong)
}

pub(crate) fn replace(path: &Path, beside: &str, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_file_name(beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use super::*;

    /// A temporary folder that is removed when it is dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("assent-seen-{}-{name}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn log(size: u64, byte: u8) -> SeenLog {
        SeenLog { size, root: [byte; 32] }
    }

    #[test]
    fn what_is_kept_is_there_after_a_start_and_only_grows() {
        let folder = Folder::new("grows");
        let one = SeenLogsFile::open(folder.path()).unwrap();
        let two = SeenLogsFile::open(folder.path()).unwrap();
        assert_eq!(one.seen("halden"), None);
        one.note("halden", log(7, 1));
        one.note("halden", log(5, 2));
        one.keep().unwrap();
        // The other server knows less of this log, and more of another one.
        two.note("halden", log(6, 3));
        two.note("system", log(2, 4));
        two.keep().unwrap();
        let again = SeenLogsFile::open(folder.path()).unwrap();
        assert_eq!(again.seen("halden"), Some(log(7, 1)));
        assert_eq!(again.seen("system"), Some(log(2, 4)));
        assert_eq!(two.seen("halden"), Some(log(7, 1)));
    }

    #[test]
    fn the_latest_time_is_there_after_a_start_and_only_rises() {
        let folder = Folder::new("clock");
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let one = SeenLogsFile::open(folder.path()).unwrap();
        assert_eq!(one.seen_time(), None);
        one.note_time(at(500));
        one.note_time(at(400));
        one.keep().unwrap();
        let again = SeenLogsFile::open(folder.path()).unwrap();
        assert_eq!(again.seen_time(), Some(at(500)));
        again.note_time(at(450));
        again.keep().unwrap();
        assert_eq!(SeenLogsFile::open(folder.path()).unwrap().seen_time(), Some(at(500)));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_not_overwritten() {
        for (name, text) in [
            ("torn", "{"),
            ("root", "{\"halden\": {\"size\": 7, \"root\": \"sha256:12\"}}"),
        ] {
            let folder = Folder::new(name);
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let told = SeenLogsFile::open(folder.path()).err().unwrap().to_string();
            assert!(told.contains(FILE) && told.contains("cannot be read"), "{told}");
        }
        let folder = Folder::new("later");
        let logs = SeenLogsFile::open(folder.path()).unwrap();
        logs.note("halden", log(7, 1));
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(logs.keep().is_err());
        assert_eq!(std::fs::read_to_string(folder.path().join(FILE)).unwrap(), "{");
    }
}

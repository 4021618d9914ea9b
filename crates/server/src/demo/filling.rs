//! A mark in the data folder for as long as the demo is being filled: an interrupted filling begins anew.
//!
//! The server accepts no requests until the demo is full, so no data of a half-filled folder was ever acknowledged.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::CREDENTIALS;

/// The mark's name.
pub(super) const MARK: &str = "demo.filling";
/// The files of a half-filled demo, beside the mark.
const MADE: &[&str] = &[
    "assent.db",
    "assent.db-wal",
    "assent.db-shm",
    "evidence",
    "uploads",
    "demo-credentials.json.new",
    "seen-clock",
    "seen-clock.new",
    "seen-logs.json",
    "seen-logs.new",
];

/// Makes sure that names in a folder outlive a power cut.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Leaves the mark; the store must be empty.
pub(super) fn begin(data_dir: &Path) -> io::Result<()> {
    File::create(data_dir.join(MARK))?.sync_all()?;
    sync_folder(data_dir)
}

/// Removes the mark; the credentials are on disk already.
pub(super) fn end(data_dir: &Path) -> io::Result<()> {
    remove(&data_dir.join(MARK))
}

/// Whether a demo in this folder was interrupted before it was full.
pub fn is_half_filled(data_dir: &Path) -> bool {
    data_dir.join(MARK).exists() && !data_dir.join(CREDENTIALS).exists()
}

/// Removes the files of an interrupted filling. The caller must hold the folder's lock.
///
/// # Errors
/// An error of the folder.
pub fn clear(data_dir: &Path) -> io::Result<()> {
    for name in MADE {
        remove(&data_dir.join(name))?;
    }
    // The mark is removed last: an interruption, also by a power cut, is continued at the next start.
    sync_folder(data_dir)?;
    end(data_dir)
}

/// Removes a file or a folder that may be there.
fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

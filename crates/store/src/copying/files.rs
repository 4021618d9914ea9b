//! Evidence and segments of the archive: files beside the database that are written once. The copy follows what comes and what
//! goes, so that what was erased is erased there too.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::copying::folder::{beside, create, make, put_in_place, trouble};
use crate::error::Result;

/// The folders beside the database that are copied.
pub(crate) const FOLDERS: [&str; 2] = ["evidence", "archive"];

/// Every ordinary file below a folder, by its path within it, with its length.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, u64>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        let here = folder.join(&within);
        let entries = match std::fs::read_dir(&here) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(trouble(&here))?,
        };
        for entry in entries {
            let entry = entry.map_err(trouble(&here))?;
            let name = within.join(entry.file_name());
            // A file that is gone by now was erased.
            let Ok(metadata) = std::fs::metadata(folder.join(&name)) else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(name);
            } else if metadata.is_file() {
                found.insert(name, metadata.len());
            }
        }
    }
    Ok(found)
}

/// Makes the copied files equal to those beside the database.
pub(crate) fn follow(data: &Path, copies: &Path) -> Result<()> {
    for name in FOLDERS {
        let (from, to) = (data.join(name), copies.join(name));
        let (wanted, had) = (files(&from)?, files(&to)?);
        for (path, length) in &wanted {
            if had.get(path) != Some(length) {
                copy(&from.join(path), &to.join(path))?;
            }
        }
        for path in had.keys().filter(|path| !wanted.contains_key(*path)) {
            let gone = to.join(path);
            std::fs::remove_file(&gone).map_err(trouble(&gone))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut source = match std::fs::File::open(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        source => source.map_err(trouble(from))?,
    };
    if let Some(folder) = to.parent() {
        make(folder)?;
    }
    let mut file = create(&beside(to))?;
    std::io::copy(&mut source, &mut file).map_err(trouble(to))?;
    put_in_place(&file, to)
}

//! Evidence and segments of the archive: files beside the database that are written once, each named by its digest. The copy
//! follows additions and removals, so that erased data are erased there too.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use crate::bucket::{Put, SharedBucket};
use crate::copying::objects::{FILES, keys};
use crate::error::{Error, Result};

/// The folders beside the database that are copied.
pub(crate) const FOLDERS: [&str; 2] = ["evidence", "archive"];

pub(crate) fn trouble(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |error| Error::Other(format!("`{path}`: {error}"))
}

/// Every ordinary file below the folders, by its path within the data folder.
fn files(data: &Path) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<String> = FOLDERS.map(str::to_owned).to_vec();
    while let Some(within) = folders.pop() {
        let here = data.join(&within);
        let entries = match std::fs::read_dir(&here) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(trouble(&here))?,
        };
        for entry in entries {
            let entry = entry.map_err(trouble(&here))?;
            let name = format!("{within}/{}", entry.file_name().to_string_lossy());
            // A file that is gone by now was erased, and one of the archive that is not whole yet comes with its name.
            match std::fs::metadata(data.join(&name)) {
                Ok(kind) if kind.is_dir() => folders.push(name),
                Ok(kind) if kind.is_file() && !name.ends_with(".part") => {
                    found.insert(name);
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

/// The files in the copy that are known so far: a bucket is listed once.
#[derive(Default)]
pub(crate) struct Copies(Option<BTreeSet<String>>);

impl Copies {
    /// Makes the copied files equal to those beside the database.
    pub(crate) fn follow(&mut self, data: &Path, place: &SharedBucket) -> Result<()> {
        let wanted = files(data)?;
        let had = match &mut self.0 {
            Some(had) => had,
            unknown => {
                let listed = keys(place, FILES)?;
                let names = listed.iter().filter_map(|key| key.strip_prefix(FILES));
                unknown.insert(names.map(str::to_owned).collect())
            }
        };
        let missing: Vec<String> = wanted.difference(had).cloned().collect();
        for name in missing {
            let path = data.join(&name);
            let bytes = match std::fs::read(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                bytes => bytes.map_err(trouble(&path))?,
            };
            place.0.put(&format!("{FILES}{name}"), &bytes, Put::Always)?;
            had.insert(name);
        }
        let gone: Vec<String> = had.difference(&wanted).cloned().collect();
        for name in gone {
            place.0.delete(&format!("{FILES}{name}"))?;
            had.remove(&name);
        }
        Ok(())
    }
}

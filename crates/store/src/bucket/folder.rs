//! A folder as a bucket.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use super::{Bucket, Put};
use crate::error::{Error, Result};

/// The most keys of a page.
const PAGE: usize = 1_000;
/// The suffix of a file that is being written.
const UNFINISHED: &str = ".new";

pub(super) struct Folder {
    folder: PathBuf,
}

fn trouble(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |error| match error.kind() {
        ErrorKind::StorageFull => Error::Other(format!("`{path}`: no space is left")),
        _ => Error::Other(format!("`{path}`: {error}")),
    }
}

/// Makes a folder that only its owner can access, and those above it.
fn make(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(trouble(folder))
}

/// A new file that is its owner's alone, written and on the disk.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(trouble(path))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(trouble(path))
}

impl Folder {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The file of a key, which leads nowhere else.
    fn path(&self, key: &str) -> Result<PathBuf> {
        let inner = Path::new(key);
        let is_plain = !key.is_empty() && inner.components().all(|part| matches!(part, Component::Normal(_)));
        match is_plain {
            true => Ok(self.folder.join(inner)),
            false => Err(Error::other(format!("`{key}` is no key of an object"))),
        }
    }

    /// Adds the keys below a folder, in order, until there is a page.
    fn gather(&self, within: &str, (prefix, after): (&str, &str), keys: &mut Vec<String>) -> Result<()> {
        let here = self.folder.join(within);
        let entries = match fs::read_dir(&here) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(trouble(&here))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(trouble(&here))?;
            let name = format!("{within}{}", entry.file_name().to_string_lossy());
            // A folder sorts with its slash, like its keys.
            match fs::metadata(entry.path()) {
                Ok(kind) if kind.is_dir() => names.push(format!("{name}/")),
                Ok(kind) if kind.is_file() && !name.ends_with(UNFINISHED) => names.push(name),
                // Gone by now, or not ours.
                _ => {}
            }
        }
        names.sort();
        for name in names {
            if keys.len() >= PAGE {
                break;
            }
            if name.ends_with('/') {
                let may_hold = (name.starts_with(prefix) || prefix.starts_with(&name))
                    && (name.as_str() > after || after.starts_with(&name));
                if may_hold {
                    self.gather(&name, (prefix, after), keys)?;
                }
            } else if name.starts_with(prefix) && name.as_str() > after {
                keys.push(name);
            }
        }
        Ok(())
    }
}

/// A name that was given to a file outlives a crash once its folder was synced.
fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(trouble(folder))
}

impl Bucket for Folder {
    fn put(&self, key: &str, bytes: &[u8], when: Put) -> Result<bool> {
        let path = self.path(key)?;
        let folder = path.parent().unwrap_or(&self.folder);
        make(folder)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Of two hosts that write the same key at once, each has a file of its own until it is whole.
        let unfinished = folder.join(format!("{name}.{}{UNFINISHED}", std::process::id()));
        write(&unfinished, bytes)?;
        let is_written = match when {
            Put::Always => fs::rename(&unfinished, &path).map(|()| true).map_err(trouble(&path)),
            Put::IfAbsent => {
                // A link is made only where the name is free.
                let linked = fs::hard_link(&unfinished, &path);
                let _ = fs::remove_file(&unfinished);
                match linked {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                    linked => linked.map(|()| true).map_err(trouble(&path)),
                }
            }
        }?;
        sync_folder(folder)?;
        Ok(is_written)
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(key)?;
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            bytes => bytes.map(Some).map_err(trouble(&path)),
        }
    }

    fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        self.gather("", (prefix, after), &mut keys)?;
        Ok(keys)
    }

    fn delete(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(trouble(&path)(error)),
            _ => {}
        }
        for folder in path.ancestors().skip(1).take_while(|it| *it != self.folder) {
            // Only an empty folder goes.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use super::*;

    #[test]
    fn objects_are_whole_listed_in_the_order_of_their_keys_and_nowhere_else() {
        let folder = std::env::temp_dir().join(format!("assent-folder-bucket-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let bucket = Folder::new(&folder);
        assert_eq!(
            bucket.list("", "").unwrap(),
            Vec::<String>::new(),
            "it is not there yet"
        );
        for key in ["a/x", "a.json", "b/c/d", "b-e", "z"] {
            assert!(bucket.put(key, key.as_bytes(), Put::Always).unwrap());
        }
        fs::write(folder.join("z.7.new"), "half").unwrap();
        assert_eq!(bucket.list("", "").unwrap(), ["a.json", "a/x", "b-e", "b/c/d", "z"]);
        assert_eq!(bucket.list("b", "b-e").unwrap(), ["b/c/d"]);
        assert_eq!(bucket.list("b/", "").unwrap(), ["b/c/d"]);
        assert!(!bucket.put("z", b"other", Put::IfAbsent).unwrap());
        assert_eq!(bucket.get("z").unwrap().unwrap(), b"z");
        assert!(bucket.put("y", b"y", Put::IfAbsent).unwrap());
        bucket.delete("b/c/d").unwrap();
        bucket.delete("b/c/d").unwrap();
        assert!(!folder.join("b").exists(), "empty folders go");
        assert_eq!(bucket.get("b/c/d").unwrap(), None);
        for wrong in ["", "../up", "/etc/passwd", "a/../../b"] {
            assert!(bucket.put(wrong, b"", Put::Always).is_err(), "{wrong}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

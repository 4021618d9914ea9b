//! Where the bytes of segments lie: on SQLite files in the folder `archive` beside the database, or objects in a bucket, each named
//! by its id.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::bucket::{Put, SharedBucket};
use crate::error::{Error, Result};

/// The first two digits of a segment's id, which name a folder, so that no folder holds too many files.
fn begin_of(id: &str) -> Result<&str> {
    let is_id = id.len() == 64 && id.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it));
    id.get(..2)
        .filter(|_| is_id)
        .ok_or_else(|| Error::Corrupt("the id of an archive segment is no hash".to_owned()))
}

/// The file of a segment.
fn path_of(folder: &Path, id: &str) -> Result<PathBuf> {
    Ok(folder.join(begin_of(id)?).join(format!("{id}.zst")))
}

/// The key of a segment in a bucket.
pub(super) fn key_of(id: &str) -> Result<String> {
    Ok(format!("archive/{}/{id}.zst", begin_of(id)?))
}

/// Writes a segment into a bucket and reads it back: rows are emptied for it.
pub(super) fn upload(bucket: &SharedBucket, id: &str, bytes: &[u8]) -> Result<()> {
    let key = key_of(id)?;
    bucket.0.put(&key, bytes, Put::Always)?;
    match bucket.0.get(&key)? {
        Some(found) if found == bytes => Ok(()),
        _ => Err(Error::other(format!(
            "the bucket does not hold the archive segment `{id}` as it was written"
        ))),
    }
}

fn fault(id: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full,
        ErrorKind::NotFound => Error::Corrupt(format!("the file of the archive segment `{id}` is gone")),
        _ => Error::Unavailable(format!("the file of the archive segment `{id}`: {error}")),
    }
}

/// Writes a segment so that it is there after a loss of power, or not at all.
pub(super) fn write(folder: &Path, id: &str, bytes: &[u8]) -> Result<()> {
    let path = path_of(folder, id)?;
    let fault = |error: std::io::Error| fault(id, &error);
    let parent = path.parent().unwrap_or(folder);
    make_folder(parent).map_err(fault)?;
    let unfinished = path.with_extension("part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished).map_err(fault)?;
    file.write_all(bytes).map_err(fault)?;
    file.sync_all().map_err(fault)?;
    fs::rename(&unfinished, &path).map_err(fault)?;
    for kept in [parent, folder] {
        File::open(kept).and_then(|it| it.sync_all()).map_err(fault)?;
    }
    Ok(())
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The bytes of a segment.
pub(super) fn read(folder: &Path, id: &str) -> Result<Vec<u8>> {
    fs::read(path_of(folder, id)?).map_err(|error| fault(id, &error))
}

/// Removes the file of a segment, even an unfinished one. An absent file counts as removed.
pub(super) fn remove(folder: &Path, id: &str) -> Result<()> {
    let path = path_of(folder, id)?;
    for path in [path.with_extension("part"), path] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fault(id, &error)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use super::*;

    #[test]
    fn a_file_is_written_read_and_removed_and_no_other_path_is_reached() {
        let folder = std::env::temp_dir().join(format!("assent-archive-place-{}", std::process::id()));
        let id = "ab".repeat(32);
        assert_eq!(key_of(&id).unwrap(), format!("archive/ab/{id}.zst"));
        assert!(matches!(read(&folder, &id), Err(Error::Corrupt(_))), "it is not there");
        write(&folder, &id, b"bytes").unwrap();
        write(&folder, &id, b"bytes").unwrap();
        assert_eq!(read(&folder, &id).unwrap(), b"bytes");
        remove(&folder, &id).unwrap();
        remove(&folder, &id).unwrap();
        assert!(matches!(read(&folder, &id), Err(Error::Corrupt(_))));
        for wrong in ["", "../../etc/passwd", &"AB".repeat(32), &"a".repeat(63)] {
            assert!(matches!(read(&folder, wrong), Err(Error::Corrupt(_))), "{wrong}");
            assert!(key_of(wrong).is_err(), "{wrong}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

//! Archives whose bytes follow from their content and nothing else.

use std::io::Write;

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// One entry of an archive.
pub struct Entry {
    /// Its path, without a slash in front.
    path: String,
    /// Its permissions.
    mode: u32,
    /// The number of its user and of its group.
    owner: u64,
    /// Its content; none for a folder.
    content: Option<Vec<u8>>,
}

impl Entry {
    /// A file of the superuser.
    pub fn file(path: &str, mode: u32, content: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            owner: 0,
            content: Some(content),
        }
    }

    /// A folder of this user and group.
    pub fn folder(path: &str, mode: u32, owner: u64) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            owner,
            content: None,
        }
    }
}

/// A tar archive: entries in the order of their paths, all of one time.
pub fn tar(mut entries: Vec<Entry>, epoch: u64) -> Result<Vec<u8>> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        header.set_mode(entry.mode);
        header.set_uid(entry.owner);
        header.set_gid(entry.owner);
        header.set_mtime(epoch);
        let content = entry.content.as_deref().unwrap_or_default();
        header.set_size(content.len() as u64);
        header.set_entry_type(if entry.content.is_some() {
            EntryType::Regular
        } else {
            EntryType::Directory
        });
        builder.append_data(&mut header, &entry.path, content)?;
    }
    Ok(builder.into_inner()?)
}

/// The same, compressed, without name and time in the head of gzip.
pub fn tar_gz(entries: Vec<Entry>, epoch: u64) -> Result<Vec<u8>> {
    gzip(&tar(entries, epoch)?)
}

/// Compressed bytes, without name and time in the head of gzip.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

/// The SHA-256 of these bytes in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::io::Read as _;

    #[test]
    fn the_same_entries_in_any_order_make_the_same_bytes() {
        let entries = || {
            vec![
                Entry::file("b", 0o755, b"two".to_vec()),
                Entry::folder("a", 0o700, 65_532),
            ]
        };
        let turned = entries().into_iter().rev().collect();
        let packed = tar_gz(entries(), 1_795_000_000).unwrap();
        assert_eq!(packed, tar_gz(turned, 1_795_000_000).unwrap());
        assert_ne!(packed, tar_gz(entries(), 1_795_000_001).unwrap(), "the time is kept");
        let mut opened = Vec::new();
        flate2::read::GzDecoder::new(&packed[..])
            .read_to_end(&mut opened)
            .unwrap();
        let mut archive = tar::Archive::new(&opened[..]);
        let found: Vec<(String, u32, u64)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                let path = entry.path().unwrap().display().to_string();
                (path, header.mode().unwrap(), header.uid().unwrap())
            })
            .collect();
        let expected =
            [("a", 0o700, 65_532), ("b", 0o755, 0)].map(|(path, mode, owner)| (path.to_owned(), mode, owner));
        assert_eq!(found, expected);
    }
}

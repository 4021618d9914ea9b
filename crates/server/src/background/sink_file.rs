//! Files of sinks: appended, synced, and rotated at a size. `NAME.1` is the newest of the rotated files.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Appends whole lines, on the disk when this returns. The file is rotated first where it has reached its size in bytes; of
/// rotated files so many are kept. A line that an earlier write left half is ended, so that no two entries share a line.
///
/// # Errors
/// The system's.
pub(crate) fn append(folder: &Path, name: &str, bytes: &[u8], (rotate_bytes, keep): (u64, usize)) -> Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    if fs::metadata(&path).is_ok_and(|found| found.len() >= rotate_bytes) {
        rotate(&path, keep)?;
    }
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
    if is_cut(&mut file)? {
        file.write_all(b"\n")?;
    }
    file.write_all(bytes)?;
    file.sync_data()
}

fn is_cut(file: &mut File) -> Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0_u8];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

fn rotate(path: &Path, keep: usize) -> Result<()> {
    for number in (1..keep).rev() {
        let from = numbered(path, number);
        if from.exists() {
            fs::rename(from, numbered(path, number + 1))?;
        }
    }
    fs::rename(path, numbered(path, 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_file_is_rotated_at_its_size_and_only_so_many_are_kept() {
        let folder = std::env::temp_dir().join(format!("assent-sink-file-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for round in 0..5 {
            append(&folder, "log", format!("{round}\n").as_bytes(), (2, 2)).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        assert_eq!(
            [read("log"), read("log.1"), read("log.2"), read("log.3")],
            [
                Some("4\n".to_owned()),
                Some("3\n".to_owned()),
                Some("2\n".to_owned()),
                None
            ]
        );
        fs::write(folder.join("log"), "half").unwrap();
        append(&folder, "log", b"whole\n", (100, 2)).unwrap();
        assert_eq!(read("log").unwrap(), "half\nwhole\n");
        fs::remove_dir_all(&folder).unwrap();
    }
}

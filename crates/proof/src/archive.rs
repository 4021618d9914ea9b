//! The bundle's container: a ZIP archive of stored files in one fixed form.
//!
//! Every byte of it follows from the names and contents of its files: no compression, no extra
//! fields, one fixed time. So the same files give the same bytes on every machine and with every
//! version, and a reader that writes what it read and compares finds any changed byte. Because
//! nothing is compressed, an archive can never be larger inside than outside.
//! Format: APPNOTE.TXT 6.3 sections 4.3.7, 4.3.12 and 4.3.16; any unzip program reads it.

use crate::{Error, Result};

/// The most files in an archive.
pub const MAX_FILES: usize = 20_000;

/// The largest archive, in bytes.
pub const MAX_ARCHIVE_BYTES: usize = 1 << 30;

/// The longest name of a file.
const MAX_NAME_BYTES: usize = 200;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

/// Bytes of a local header before the name.
const LOCAL_BYTES: usize = 30;

/// 1980-01-01 as a DOS date, the earliest there is, with the time 00:00.
const DOS_TIME_DATE: [u8; 4] = [0, 0, 0x21, 0];

/// One file of an archive: its name and its content.
pub type File<'a> = (&'a str, &'a [u8]);

/// The facts about a file that an archive needs before the file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its checksum ([`Checksum`]).
    pub crc32: u32,
}

/// An archive around its files: the bytes before each of them, and the bytes after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The bytes before each file, in their order.
    pub headers: Vec<Vec<u8>>,
    /// The bytes after the last file.
    pub end: Vec<u8>,
    /// The length of the whole archive, its files included, in bytes.
    pub bytes: u64,
}

/// Writes the archive.
///
/// # Errors
/// [`Error::TooLarge`] past a limit, [`Error::Malformed`] for a name that is not plain or occurs twice.
pub fn write(files: &[File<'_>]) -> Result<Vec<u8>> {
    let outline = |(name, content): &File<'_>| Outline {
        name: (*name).to_owned(),
        bytes: content.len() as u64,
        crc32: crc32(content),
    };
    let frame = frame(&files.iter().map(outline).collect::<Vec<_>>())?;
    let mut out = Vec::new();
    for (header, (_, content)) in frame.headers.iter().zip(files) {
        out.extend_from_slice(header);
        out.extend_from_slice(content);
    }
    out.extend_from_slice(&frame.end);
    Ok(out)
}

/// Writes all of an archive but its files, for files that should not be in memory whole.
///
/// # Errors
/// As [`write()`].
pub fn frame(files: &[Outline]) -> Result<Frame> {
    check_files(files)?;
    let (mut headers, mut central) = (Vec::new(), Vec::new());
    let mut offset = 0_u32;
    for file in files {
        let common = common_fields(file);
        let name = file.name.as_bytes();
        let header = [LOCAL, &common, name].concat();
        central.extend_from_slice(CENTRAL);
        // Made on Unix by version 2.0, so that the mode below is understood.
        central.extend_from_slice(&[20, 3]);
        central.extend_from_slice(&common);
        // No comment, first disk, no internal attributes; an ordinary file of mode 0644.
        central.extend_from_slice(&[0; 6]);
        central.extend_from_slice(&(0o100_644_u32 << 16).to_le_bytes());
        central.extend_from_slice(&offset.to_le_bytes());
        central.extend_from_slice(name);
        offset += header.len() as u32 + file.bytes as u32;
        headers.push(header);
    }
    let count = (files.len() as u16).to_le_bytes();
    let mut end = central;
    let length = (end.len() as u32).to_le_bytes();
    end.extend_from_slice(END);
    end.extend_from_slice(&[0; 4]);
    end.extend_from_slice(&count);
    end.extend_from_slice(&count);
    end.extend_from_slice(&length);
    end.extend_from_slice(&offset.to_le_bytes());
    end.extend_from_slice(&[0; 2]);
    let bytes = u64::from(offset) + end.len() as u64;
    Ok(Frame { headers, end, bytes })
}

/// The 26 bytes that local and central headers share: version 2.0, no flags, stored, time, CRC-32,
/// twice the size, name length, no extra field.
fn common_fields(file: &Outline) -> Vec<u8> {
    let size = (file.bytes as u32).to_le_bytes();
    let name_length = (file.name.len() as u16).to_le_bytes();
    let mut out = vec![20, 0, 0, 0, 0, 0];
    out.extend_from_slice(&DOS_TIME_DATE);
    out.extend_from_slice(&file.crc32.to_le_bytes());
    out.extend_from_slice(&size);
    out.extend_from_slice(&size);
    out.extend_from_slice(&name_length);
    out.extend_from_slice(&[0, 0]);
    out
}

fn check_files(files: &[Outline]) -> Result<()> {
    if files.len() > MAX_FILES {
        let (size, limit) = (files.len() as u64, MAX_FILES as u64);
        return Err(Error::TooLarge {
            what: "number of files",
            size,
            limit,
        });
    }
    let mut names = std::collections::HashSet::new();
    let mut bytes = 0_u64;
    for file in files {
        let name = file.name.as_str();
        if !is_plain_name(name) || !names.insert(name) {
            return Err(Error::malformed(
                "archive",
                format!("the name `{name}` is not plain or stands twice"),
            ));
        }
        bytes = bytes.saturating_add(file.bytes + 2 * (LOCAL_BYTES + name.len()) as u64 + 16);
    }
    check_size(bytes)
}

fn check_size(size: u64) -> Result<()> {
    let limit = MAX_ARCHIVE_BYTES as u64;
    if size > limit {
        return Err(Error::TooLarge {
            what: "archive",
            size,
            limit,
        });
    }
    Ok(())
}

/// Relative, without `.` or `..`, of letters, digits and `-_.` only, so that unpacking it is safe.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    name.len() <= MAX_NAME_BYTES && name.split('/').all(is_plain)
}

/// Reads an archive that must have the one fixed form, and gives its files in their order.
///
/// # Errors
/// [`Error::TooLarge`] past a limit, [`Error::Malformed`] when any byte is other than [`write()`]
/// would have written it.
pub fn read(archive: &[u8]) -> Result<Vec<File<'_>>> {
    check_size(archive.len() as u64)?;
    let mut files = Vec::new();
    let mut rest = archive;
    while rest.starts_with(LOCAL) {
        let (file, after) = read_local(rest).ok_or_else(|| wrong("a file in it is cut"))?;
        files.push(file);
        rest = after;
        if files.len() > MAX_FILES {
            let (size, limit) = (files.len() as u64, MAX_FILES as u64);
            return Err(Error::TooLarge {
                what: "number of files",
                size,
                limit,
            });
        }
    }
    if write(&files)? != archive {
        return Err(wrong(
            "it is not in the fixed form of a bundle (stored files, fixed times)",
        ));
    }
    Ok(files)
}

fn read_local(bytes: &[u8]) -> Option<(File<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(LOCAL_BYTES)?;
    let size = u32::from_le_bytes(header.get(18..22)?.try_into().ok()?) as usize;
    let name_length = usize::from(u16::from_le_bytes(header.get(26..28)?.try_into().ok()?));
    let (name, rest) = rest.split_at_checked(name_length)?;
    let (content, rest) = rest.split_at_checked(size)?;
    Some(((std::str::from_utf8(name).ok()?, content), rest))
}

fn wrong(why: &str) -> Error {
    Error::malformed("archive", why)
}

/// CRC-32 as ZIP uses it (reflected polynomial 0xEDB88320), over bytes that come in pieces; a checksum, not a proof.
#[derive(Debug, Clone)]
pub struct Checksum(u32);

impl Checksum {
    /// Starts the checksum of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(!0)
    }

    /// Adds the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        let step = |crc: u32, byte: &u8| CRC_TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8);
        self.0 = bytes.iter().fold(self.0, step);
    }

    /// Ends the checksum and gives its value.
    #[must_use]
    pub fn finish(self) -> u32 {
        !self.0
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut checksum = Checksum::new();
    checksum.update(bytes);
    checksum.finish()
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                0xedb8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::io::{Cursor, Read as _, Write as _};

    const FILES: [File<'static>; 3] = [
        ("README.txt", b"read me"),
        ("events/7.json", b""),
        ("evidence/ab", &[0xff; 300]),
    ];

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let mut pieces = Checksum::new();
        pieces.update(b"1234");
        pieces.update(b"");
        pieces.update(b"56789");
        assert_eq!(pieces.finish(), 0xcbf4_3926);
    }

    #[test]
    fn what_was_written_reads_back() {
        let archive = write(&FILES).unwrap();
        assert_eq!(read(&archive).unwrap(), FILES);
        assert_eq!(read(&write(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn another_program_reads_it() {
        let archive = write(&FILES).unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        assert_eq!(zip.len(), 3);
        for (index, (name, content)) in FILES.iter().enumerate() {
            let mut file = zip.by_index(index).unwrap();
            assert_eq!(file.name().unwrap(), *name);
            assert_eq!(file.unix_mode(), Some(0o100_644));
            let mut read = Vec::new();
            file.read_to_end(&mut read).unwrap();
            assert_eq!(read, *content);
        }
    }

    #[test]
    fn any_changed_cut_or_added_byte_is_found() {
        let archive = write(&FILES).unwrap();
        for index in 0..archive.len() {
            for bit in 0..8 {
                let mut changed = archive.clone();
                changed[index] ^= 1 << bit;
                assert_ne!(read(&changed).ok(), Some(FILES.to_vec()), "byte {index} bit {bit}");
                assert!(read(&changed).is_err(), "byte {index} bit {bit}");
            }
            assert!(read(&archive[..index]).is_err(), "cut at {index}");
        }
        assert!(read(&[archive.as_slice(), b"\0"].concat()).is_err());
    }

    #[test]
    fn a_compressed_archive_is_refused_unopened() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("bomb", zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&vec![0; 10 << 20]).unwrap();
        let bomb = zip.finish().unwrap().into_inner();
        assert!(bomb.len() < 100_000);
        assert!(read(&bomb).is_err());
    }

    #[test]
    fn unsafe_and_double_names_are_refused() {
        let long = "a".repeat(201);
        for name in [
            "",
            "/etc/passwd",
            "../up",
            "a/../b",
            "a//b",
            "a/",
            ".hidden",
            "a\\b",
            "C:x",
            "ä",
            &long,
        ] {
            assert!(write(&[(name, b"")]).is_err(), "accepted {name:?}");
        }
        assert!(write(&[("a", b""), ("a", b"")]).is_err());
        let many: Vec<String> = (0..=MAX_FILES).map(|i| i.to_string()).collect();
        let many: Vec<File<'_>> = many.iter().map(|name| (name.as_str(), [].as_slice())).collect();
        assert!(matches!(write(&many), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn a_frame_is_the_archive_without_its_files() {
        let whole = write(&FILES).unwrap();
        let outline = |(name, content): &File<'_>| Outline {
            name: (*name).to_owned(),
            bytes: content.len() as u64,
            crc32: crc32(content),
        };
        let frame = frame(&FILES.iter().map(outline).collect::<Vec<_>>()).unwrap();
        assert_eq!(frame.bytes, whole.len() as u64);
        let around = frame.headers.iter().chain([&frame.end]).map(Vec::len).sum::<usize>();
        assert_eq!(around + 7 + 300, whole.len());
        for bytes in [1 << 30, u64::from(u32::MAX) + 1, u64::MAX / 2] {
            let large = Outline {
                name: "a".to_owned(),
                bytes,
                crc32: 0,
            };
            assert!(matches!(super::frame(&[large]), Err(Error::TooLarge { .. })), "{bytes}");
        }
    }
}

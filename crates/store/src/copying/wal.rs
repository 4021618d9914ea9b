//! Reads SQLite's write-ahead log as its format describes it (sqlite.org/fileformat2.html, section 4): whole transactions, each
//! frame held to the log's running checksum.

/// The bytes before the first frame.
pub(crate) const HEADER: usize = 32;
/// The bytes before the page of a frame.
pub(crate) const FRAME_HEADER: usize = 24;
/// The magic number of a log whose checksums read 32-bit units with the least significant byte first; one more for the other
/// order.
const MAGIC: u32 = 0x377f_0682;

/// The header of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) page_size: u32,
    /// The first grows by one whenever the log restarts, the second is random.
    pub(crate) salts: [u32; 2],
    pub(crate) is_big_endian: bool,
    /// The checksum so far.
    pub(crate) sum: [u32; 2],
}

/// Whole transactions, as frames.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Whole {
    /// How many bytes of the input they fill.
    pub(crate) bytes: usize,
    /// The checksum after them.
    pub(crate) sum: [u32; 2],
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|it| it.try_into().ok())
        .map_or(0, u32::from_be_bytes)
}

/// Continues the checksum over bytes, whose number is a multiple of eight.
fn add(mut sum: [u32; 2], bytes: &[u8], is_big_endian: bool) -> [u32; 2] {
    let read = |four: &[u8]| {
        let four = [four[0], four[1], four[2], four[3]];
        match is_big_endian {
            true => u32::from_be_bytes(four),
            false => u32::from_le_bytes(four),
        }
    };
    for pair in bytes.chunks_exact(8) {
        sum[0] = sum[0].wrapping_add(read(&pair[..4])).wrapping_add(sum[1]);
        sum[1] = sum[1].wrapping_add(read(&pair[4..])).wrapping_add(sum[0]);
    }
    sum
}

/// Reads the header; `None` for one that is not there, or is being written.
pub(crate) fn start(bytes: &[u8]) -> Option<Start> {
    let header = bytes.get(..HEADER)?;
    let magic = word(header, 0);
    if magic & !1 != MAGIC {
        return None;
    }
    let is_big_endian = magic & 1 == 1;
    let sum = add([0, 0], &header[..24], is_big_endian);
    let page_size = word(header, 8);
    let is_size = page_size.is_power_of_two() && (512..=65_536).contains(&page_size);
    (is_size && sum == [word(header, 24), word(header, 28)]).then_some(Start {
        page_size,
        salts: [word(header, 16), word(header, 20)],
        is_big_endian,
        sum,
    })
}

/// The whole transactions at the beginning of these bytes, which follow the checksum `sum`. Bytes after them by a crash, an
/// earlier round of the log or a transaction under way are no part of it.
pub(crate) fn whole(bytes: &[u8], start: &Start, sum: [u32; 2]) -> Whole {
    let mut found = Whole { bytes: 0, sum };
    let (mut at, mut sum) = (0, sum);
    let length = FRAME_HEADER + start.page_size as usize;
    while let Some(frame) = bytes.get(at..at + length) {
        if [word(frame, 8), word(frame, 12)] != start.salts {
            break;
        }
        sum = add(sum, &frame[..8], start.is_big_endian);
        sum = add(sum, &frame[FRAME_HEADER..], start.is_big_endian);
        if sum != [word(frame, 16), word(frame, 20)] {
            break;
        }
        at += length;
        if word(frame, 4) != 0 {
            found = Whole { bytes: at, sum };
        }
    }
    found
}

/// A frame of a copied segment.
pub(crate) struct Frame<'a> {
    /// The number of the page, from 1.
    pub(crate) page: u32,
    /// How many pages the database has after its transaction; 0 within one.
    pub(crate) pages: u32,
    pub(crate) content: &'a [u8],
}

/// The frames of whole transactions; `None` where the bytes are none.
pub(crate) fn frames(bytes: &[u8], page_size: u32) -> Option<Vec<Frame<'_>>> {
    let length = FRAME_HEADER + page_size as usize;
    if page_size == 0 || !bytes.len().is_multiple_of(length) {
        return None;
    }
    let frame = |bytes: &'_ [u8]| (word(bytes, 0), word(bytes, 4));
    let frames: Vec<Frame<'_>> = bytes
        .chunks_exact(length)
        .map(|bytes| {
            let (page, pages) = frame(bytes);
            Frame {
                page,
                pages,
                content: &bytes[FRAME_HEADER..],
            }
        })
        .collect();
    let is_whole = frames.last().is_none_or(|last| last.pages != 0);
    (is_whole && frames.iter().all(|it| it.page != 0)).then_some(frames)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn whole_transactions_of_a_real_log_are_read_and_a_changed_byte_ends_them() {
        let folder = std::env::temp_dir().join(format!("assent-wal-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.db");
        let base = rusqlite::Connection::open(&path).unwrap();
        base.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE a (b TEXT);
             INSERT INTO a VALUES ('one'); INSERT INTO a VALUES ('two');",
        )
        .unwrap();
        let bytes = std::fs::read(folder.join("a.db-wal")).unwrap();
        let start = start(&bytes).unwrap();
        let all = whole(&bytes[HEADER..], &start, start.sum);
        assert_eq!(all.bytes, bytes.len() - HEADER);
        let read = frames(&bytes[HEADER..], start.page_size).unwrap();
        assert_eq!(read.iter().filter(|it| it.pages != 0).count(), 3, "three transactions");
        let length = FRAME_HEADER + start.page_size as usize;
        for at in [HEADER + 4, bytes.len() - 1, bytes.len() - length + 9] {
            let mut other = bytes.clone();
            other[at] ^= 1;
            let read = whole(&other[HEADER..], &start, start.sum);
            assert!(read.bytes < all.bytes && read.bytes.is_multiple_of(length), "byte {at}");
        }
        let mut other = bytes.clone();
        other[20] ^= 1;
        assert_eq!(super::start(&other), None, "the header has a checksum too");
        assert!(frames(&bytes[HEADER + 1..], start.page_size).is_none());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

//! Zstandard (RFC 8878) for compressed data.

use zstd::bulk::Compressor;
use zstd::zstd_safe::get_frame_content_size;

use crate::error::{Error, Result};

/// Compresses bytes into one frame with its length and a checksum.
pub(crate) fn pack(bytes: &[u8], level: i32) -> Result<Vec<u8>> {
    let fault = |it: std::io::Error| Error::Other(format!("bytes cannot be compressed: {it}"));
    let mut compressor = Compressor::new(level).map_err(fault)?;
    compressor.include_checksum(true).map_err(fault)?;
    compressor.compress(bytes).map_err(fault)
}

/// The bytes of a frame that [`pack`] made, at most so many; `None` for anything else.
pub(crate) fn open(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let length = length(packed, most)?;
    let bytes = zstd::bulk::decompress(packed, length).ok()?;
    (bytes.len() == length).then_some(bytes)
}

/// The length in a frame's header, if at most `most`.
pub(crate) fn length(packed: &[u8], most: usize) -> Option<usize> {
    // A bit of the frame's description without a meaning (section 3.1.1.1.1.3), which decoders skip.
    const UNUSED: u8 = 0x10;
    let is_ours = packed.get(4).is_some_and(|description| description & UNUSED == 0);
    let length = get_frame_content_size(packed).ok().flatten()?;
    let length = usize::try_from(length).ok()?;
    (is_ours && length <= most).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_opened_and_nothing_else() {
        let bytes: Vec<u8> = (0..20_000_u32).flat_map(|it| (it % 97).to_be_bytes()).collect();
        let packed = pack(&bytes, 6).expect("it packs");
        assert!(packed.len() < bytes.len() / 6);
        assert_eq!(open(&packed, bytes.len()).as_deref(), Some(&bytes[..]));
        assert_eq!(open(&packed, bytes.len() - 1), None, "longer than is allowed");
        assert_eq!(open(&packed[..packed.len() - 1], bytes.len()), None);
        assert_eq!(open(&[], 10), None);
        for at in 0..packed.len() {
            for bit in 0..8 {
                let mut other = packed.clone();
                other[at] ^= 1 << bit;
                // A block has bits without a meaning too: a change of one of them opens to the same bytes.
                let opened = open(&other, bytes.len());
                assert!(opened.is_none_or(|it| it == bytes), "bit {bit} of byte {at}");
            }
        }
        let empty = pack(&[], 6).expect("it packs");
        assert_eq!(open(&empty, 0).as_deref(), Some(&[][..]));
    }
}

//! Bodies that are kept compressed: of records that are many, alike and seldom read.
//!
//! The column holds `z1:` and a Zstandard frame in base64url. The frame uses a dictionary of such bodies' usual text, which
//! makes them four times smaller; without it each shrinks by half. The number is the dictionary's; a dictionary never changes:
//! a new one gets another number. Codes of rows and replay see the plain body.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::error::{Error, Result};
use crate::zstandard;

/// The tables with packed bodies.
const TABLES: [&str; 2] = ["act_facts", "decision_facts"];
/// The beginning of such a column. A plain body begins with `{`.
const FORM: &str = "z1:";
/// The longest body: the facts of 10,000 targets with a hundred owners each stay below.
const MAX_BYTES: usize = 64 << 20;
/// The compression level; higher ones gain less than a hundredth.
const LEVEL: i32 = 5;
const DICTIONARY: &[u8] = include_bytes!("facts_dictionary.txt");

static PACKING: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static OPENING: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// The form of a body in the column.
pub(crate) fn kept(table: &str, body: String) -> Result<String> {
    if !TABLES.contains(&table) {
        return Ok(body);
    }
    let packed = packed(body.as_bytes())
        .map_err(|it| Error::Other(format!("a body of `{table}` cannot be compressed: {it}")))?;
    Ok(format!("{FORM}{}", URL_SAFE_NO_PAD.encode(packed)))
}

fn packed(body: &[u8]) -> io::Result<Vec<u8>> {
    thread_local! {
        // The tables of a compressor are dearer to make than a body is to compress.
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(compressor) => compressor.compress(body),
        None => kept
            .insert(Compressor::with_prepared_dictionary(&PACKING)?)
            .compress(body),
    })
}

/// The body in a column.
///
/// # Errors
/// `Corrupt` where it cannot be opened.
pub(crate) fn plain(kept: &str) -> Result<Cow<'_, str>> {
    let Some(packed) = kept.strip_prefix(FORM) else {
        return Ok(Cow::Borrowed(kept));
    };
    let body = opened(packed).ok_or_else(|| Error::Corrupt("a compressed body cannot be opened".to_owned()))?;
    Ok(Cow::Owned(body))
}

fn opened(packed: &str) -> Option<String> {
    let packed = URL_SAFE_NO_PAD.decode(packed).ok()?;
    let length = zstandard::length(&packed, MAX_BYTES)?;
    let mut decompressor = Decompressor::with_prepared_dictionary(&OPENING).ok()?;
    let body = decompressor.decompress(&packed, length).ok()?;
    (body.len() == length).then(|| String::from_utf8(body).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_some_tables_are_kept_compressed_and_read_as_they_were() {
        let body = r#"{"id":"f-1","version":1,"change":"c-1","act":"approve_change","within":"a-1","person":"p-1"}"#;
        let packed = kept("act_facts", body.to_owned()).expect("it packs");
        assert!(packed.starts_with(FORM) && packed.len() < body.len(), "{packed}");
        assert_eq!(plain(&packed).expect("it opens"), body);
        assert_eq!(kept("change", body.to_owned()).expect("it stays"), body);
        assert_eq!(plain(body).expect("it is plain"), body);
        for wrong in ["z1:", "z1:?", "z1:AAAA", &packed[..packed.len() - 2]] {
            assert!(matches!(plain(wrong), Err(Error::Corrupt(_))), "{wrong}");
        }
    }

    /// Rows outlive a version: every later version opens the rows of an earlier one.
    #[test]
    fn the_dictionary_never_changes() {
        let sum = DICTIONARY.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
        assert_eq!((DICTIONARY.len(), sum), (2_512, 0xf473_d9f2_df39_1ffa));
    }
}

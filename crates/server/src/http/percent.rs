//! Percent-encoding (RFC 3986 section 2.1) for addresses, and decoding of addresses and forms.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// What may not stand in a query's value.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'/');

/// Percent-encodes what may not stand in a query's value.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Percent-encodes characters that are not allowed in a path segment.
pub(crate) fn segment(text: &str) -> String {
    escaped(text).replace('/', "%2F")
}

/// Whether percent-encoded bytes are UTF-8. Parsers of queries and forms silently replace other bytes by U+FFFD, and the loss
/// would go unnoticed.
pub(crate) fn is_utf8(encoded: &[u8]) -> bool {
    percent_decode(encoded).decode_utf8().is_ok()
}

/// A decoded segment of a path; `None` where it is no UTF-8.
pub(crate) fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode(segment.as_bytes()).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_decoded() {
        assert_eq!(decoded("team-Web%20shop%C3%A9").as_deref(), Some("team-Web shopé"));
        assert_eq!(decoded("%ff"), None);
    }

    #[test]
    fn what_is_encoded_is_utf8_or_not() {
        for good in ["", "a=b+c", "a=%C3%A9&b=%zz", "100%", "%4", "é"] {
            assert!(is_utf8(good.as_bytes()), "{good}");
        }
        for bad in [&b"a=%ff%fe"[..], b"a=\xff", b"a=%ED%A0%80", b"a=%C3&b=c"] {
            assert!(!is_utf8(bad), "{bad:?}");
        }
    }
}

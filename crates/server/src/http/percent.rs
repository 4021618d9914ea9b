//! Percent-encoding (RFC 3986 section 2.1) for addresses, and decoding of addresses and forms.

/// Percent-encodes characters that are not allowed in a query value.
pub(crate) fn escaped(text: &str) -> String {
    let keeps = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
    text.bytes()
        .map(|byte| {
            if keeps(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Percent-encodes characters that are not allowed in a path segment.
pub(crate) fn segment(text: &str) -> String {
    escaped(text).replace('/', "%2F")
}

/// Whether percent-encoded bytes are UTF-8. Parsers of queries and forms silently replace other bytes by U+FFFD, and the loss
/// would go unnoticed.
pub(crate) fn is_utf8(encoded: &[u8]) -> bool {
    if !encoded.contains(&b'%') {
        return std::str::from_utf8(encoded).is_ok();
    }
    std::str::from_utf8(&bytes_of(encoded)).is_ok()
}

/// A decoded segment of a path; `None` where it is no UTF-8.
pub(crate) fn decoded(segment: &str) -> Option<String> {
    String::from_utf8(bytes_of(segment.as_bytes())).ok()
}

fn bytes_of(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, behind)) = rest.split_first() {
        let pair = behind.first_chunk::<2>().filter(|_| *first == b'%');
        match pair.and_then(|[high, low]| Some((hex(*high)? << 4) | hex(*low)?)) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
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

//! Percent-encoding (RFC 3986 section 2.1) of what is put into addresses.

/// Percent-encodes what may not stand in a query's value.
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

/// Percent-encodes what stands between two slashes of a path.
pub(crate) fn segment(text: &str) -> String {
    escaped(text).replace('/', "%2F")
}

//! How segments of the archive are named.

/// The format of a segment, stored in its first member.
pub const FORMAT: &str = "assent-archive/1";

/// The id of a segment: the SHA-256 (FIPS 180-4) of its compressed bytes, in 64 hexadecimal digits. A segment that was altered has
/// another id than the one it is found by.
pub fn segment_id(bytes: &[u8]) -> String {
    let digest = proof::crypto::digest_text(bytes);
    digest.strip_prefix("sha256:").unwrap_or(&digest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::segment_id;

    #[test]
    fn an_id_is_the_hash_in_hexadecimal_digits() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(segment_id(b""), empty);
        assert_ne!(segment_id(b"a"), empty);
    }
}

//! The files that pages refer to, built into the binary.

/// A file to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Its media type with the charset, for `Content-Type`.
    pub content_type: &'static str,
    /// A strong entity tag in its quotes, from the bytes.
    pub etag: &'static str,
}

/// Finds the file called `name` (`app.css`). Addresses that a page writes end
/// in `?v=…`, which changes with the bytes, so they may be kept for a year.
#[must_use]
pub fn get(name: &str) -> Option<Asset> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, asset)| *asset)
}

/// The names of all files, for a server that lists its routes.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The address of a file below `prefix`, with the version of its bytes.
pub(crate) fn url(prefix: &str, name: &str) -> String {
    let version = get(name).map_or("", |asset| asset.etag.trim_matches('"'));
    format!("{prefix}/{name}?v={version}")
}

macro_rules! asset {
    ($name:literal, $content_type:literal) => {{
        const BYTES: &[u8] = include_bytes!(concat!("../assets/", $name));
        const TAG: [u8; 18] = quoted_hex(fingerprint(BYTES));
        const ETAG: &str = match std::str::from_utf8(&TAG) {
            Ok(tag) => tag,
            Err(_) => panic!("hexadecimal digits are UTF-8"),
        };
        (
            $name,
            Asset {
                bytes: BYTES,
                content_type: $content_type,
                etag: ETAG,
            },
        )
    }};
}

static FILES: [(&str, Asset); 4] = [
    asset!("tokens.css", "text/css; charset=utf-8"),
    asset!("app.css", "text/css; charset=utf-8"),
    asset!("assent.js", "text/javascript; charset=utf-8"),
    asset!("favicon.svg", "image/svg+xml"),
];

/// FNV-1a with 64 bits: the fingerprint only distinguishes the files of two builds and is no security feature.
const fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut place = 0;
    while place < bytes.len() {
        hash ^= bytes[place] as u64;
        hash = hash.wrapping_mul(0x0100_0000_01b3);
        place += 1;
    }
    hash
}

const fn quoted_hex(hash: u64) -> [u8; 18] {
    let mut out = [b'"'; 18];
    let mut place = 0;
    while place < 16 {
        let digit = ((hash >> (60 - place * 4)) & 0xf) as u8;
        out[place + 1] = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        place += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_name_and_told_apart_by_tag() {
        let tags: std::collections::BTreeSet<&str> = names().filter_map(get).map(|asset| asset.etag).collect();
        assert_eq!(tags.len(), FILES.len());
        assert!(tags.iter().all(|tag| tag.len() == 18 && tag.starts_with('"')));
        assert_eq!(get("../Cargo.toml"), None);
        assert!(url("/assets", "app.css").starts_with("/assets/app.css?v="));
    }
}

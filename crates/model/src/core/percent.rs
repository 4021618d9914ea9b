//! Percent-encoding (RFC 3986, section 2.1) of texts that are put into addresses and forms.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same without the slash, which parts the segments of a path.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// A text for one segment of a path or one value of a query: every byte that is not unreserved becomes `%XX`.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A text for a whole path: like [`encoded`], but slashes stay.
pub fn encoded_path(text: &str) -> String {
    utf8_percent_encode(text, RESERVED_IN_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreserved_characters_stay_and_all_others_are_encoded() {
        assert_eq!(encoded("aZ09-._~"), "aZ09-._~");
        assert_eq!(encoded("a b/ü&=+%"), "a%20b%2F%C3%BC%26%3D%2B%25");
        assert_eq!(encoded_path("/t/a b?c"), "/t/a%20b%3Fc");
    }
}

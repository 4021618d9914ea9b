//! The headers in which a request names its deployment. One rule for all dialects: each header occurs once, under its exact
//! name, with an unambiguous value; anything else is refused and never treated as absent. Otherwise the gate could judge one
//! value and the service behind it deploy another.

use std::collections::BTreeMap;

use super::unclear::{Unclear, unclear};

/// The prefix of our headers' names.
const OURS: &str = "assent-";

/// The headers of a request that are ours, by their names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Heads(BTreeMap<String, String>);

impl Heads {
    /// Reads the headers of a request, each with its name and bytes, including repeated ones.
    ///
    /// # Errors
    /// `malformed` for a name of ours that occurs twice or in another spelling, and for a value that is empty or not plain.
    pub(crate) fn read<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Unclear> {
        let mut found = BTreeMap::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            let meant = canonical(&name);
            if !meant.starts_with(OURS) && name != "authorization" {
                continue;
            }
            if meant != name {
                let text =
                    format!("The header `{name}` is another spelling of `{meant}`; a service may read it as that.");
                return Err(unclear("malformed", &name, text, "Send the name with hyphens alone."));
            }
            let value = if meant.starts_with(OURS) {
                plain(&name, value)?
            } else {
                String::new()
            };
            if found.insert(name.clone(), value).is_some() {
                let text =
                    format!("The header `{name}` stands more than once, so it does not say which of them is meant.");
                return Err(unclear("malformed", &name, text, "Send it once."));
            }
        }
        found.remove("authorization");
        Ok(Self(found))
    }

    /// The value of a header of ours.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names that a request sent.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A name as seen by programs that do not distinguish some characters: CGI (RFC 3875, section 4.1.18) and its successors read
/// `_`, `.` and `-` alike.
fn canonical(name: &str) -> String {
    let same = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    name.chars().map(same).collect()
}

/// A value of printable ASCII, without the blanks around it that HTTP allows (RFC 9110, section 5.5).
fn plain(name: &str, value: &[u8]) -> Result<String, Unclear> {
    let text = std::str::from_utf8(value).unwrap_or_default().trim_matches([' ', '\t']);
    if text.is_empty() || text.bytes().any(|b| !(b == b' ' || b.is_ascii_graphic())) {
        let text = format!(
            "The header `{name}` is empty or holds more than printable ASCII, so programs read it differently."
        );
        return Err(unclear(
            "malformed",
            name,
            text,
            "Send a plain value, or leave the header out.",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn code(headers: &[(&str, &[u8])]) -> Result<(), (&'static str, String)> {
        let read = Heads::read(headers.iter().copied());
        read.map(drop).map_err(|unclear| (unclear.code, unclear.subject))
    }

    #[test]
    fn a_header_that_is_read_stands_once_and_under_its_own_name() {
        let other: &[(&str, &[u8])] = &[
            ("assent-artifact", b"x"),
            ("accept", b"1"),
            ("accept", b""),
            ("x_y", b"\xa0"),
        ];
        assert_eq!(code(other), Ok(()));
        for twice in ["assent-artifact", "assent-purpose", "assent-other", "authorization"] {
            let (upper, malformed) = (twice.to_uppercase(), Err(("malformed", twice.to_owned())));
            assert_eq!(code(&[(twice, b"x"), ("host", b"y"), (&upper, b"x")]), malformed);
        }
        for spelt in [
            "assent_artifact",
            "Assent_Change",
            "ASSENT.COMMIT",
            "assent-artifact_x",
            "assent!permit",
        ] {
            assert_eq!(code(&[(spelt, b"x")]), Err(("malformed", spelt.to_lowercase())));
        }
    }

    /// Each byte of a value, alone and behind a plain text, is read or refused, and never taken away.
    #[test]
    fn a_value_that_programs_read_differently_is_refused_and_not_absent() {
        for byte in 0..=u8::MAX {
            let (alone, behind) = ([byte], [b'x', byte]);
            let is_plain = byte.is_ascii_graphic();
            let is_blank = byte == b' ' || byte == b'\t';
            assert_eq!(code(&[("assent-artifact", &alone)]).is_ok(), is_plain, "{byte:#x}");
            let read = Heads::read([("assent-artifact", behind.as_slice())]);
            assert_eq!(read.is_ok(), is_plain || is_blank, "{byte:#x} behind a text");
            if is_plain {
                assert_eq!(read.unwrap().value("assent-artifact").unwrap().as_bytes(), behind);
            }
        }
        assert!(code(&[("assent-commit", b"")]).is_err());
        assert!(code(&[("assent-commit", "\u{a0}".as_bytes())]).is_err());
    }
}

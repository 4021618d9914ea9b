//! Reads evidence of every format that is understood.

use crate::change::evidence::{Kind, Reading, Unreadable};
use crate::change::{cyclonedx, in_toto, junit, sarif};

/// Reads a document of a named format.
///
/// # Errors
/// [`Unreadable`] where it is larger than [`crate::change::evidence::DOCUMENT_MAX_BYTES`], nested too deep, not UTF-8,
/// malformed, or not of that format.
pub fn read(kind: Kind, document: &[u8]) -> Result<Reading, Unreadable> {
    match kind {
        Kind::Junit => junit::read(document).map(|report| report.reading()),
        Kind::Sarif => sarif::read(document),
        Kind::Cyclonedx => cyclonedx::read(document),
        Kind::InToto => in_toto::read(document),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::change::evidence::DOCUMENT_MAX_BYTES;
    use proptest::prelude::*;

    const KINDS: [Kind; 4] = [Kind::Junit, Kind::Sarif, Kind::Cyclonedx, Kind::InToto];

    #[test]
    fn too_large_and_foreign_texts_are_refused_with_a_reason() {
        let large = vec![b' '; DOCUMENT_MAX_BYTES + 1];
        for kind in KINDS {
            assert!(read(kind, &large).unwrap_err().reason.contains("16 MiB"));
            assert!(read(kind, b"\xff\xfe<").unwrap_err().reason.contains("UTF-8"));
            assert!(read(kind, b"").is_err());
        }
    }

    #[test]
    fn deep_json_is_refused_or_passed_over_without_a_crash() {
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        for kind in KINDS {
            assert!(read(kind, deep.as_bytes()).is_err());
        }
        let ignored = format!(r#"{{"x":{deep},"bomFormat":"CycloneDX","specVersion":"1.6"}}"#);
        assert!(read(Kind::Cyclonedx, ignored.as_bytes()).is_ok());
        let kept = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":{}{}}}"#,
            r#"[{"components":"#.repeat(200) + "[",
            "]".to_owned() + &"}]".repeat(200)
        );
        assert!(read(Kind::Cyclonedx, kept.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for kind in KINDS {
                let _ = read(kind, &bytes);
            }
        }

        #[test]
        fn arbitrary_markup_never_panics(text in "(<|>|/|testsuite|testcase|failure| name=\"|\"|&|;|!\\[CDATA\\[|--|\\?|\\{|\\}|:|runs|a){0,60}") {
            for kind in KINDS {
                let _ = read(kind, text.as_bytes());
            }
        }
    }
}

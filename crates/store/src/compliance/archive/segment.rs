//! A segment: the bodies and texts of some changes as JSON in one Zstandard frame, found by its SHA-256.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::compliance::archive::{FORMAT, segment_id};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::zstandard;

/// The compression level: segments are written once and read seldom.
const LEVEL: i32 = 12;
/// The longest segment, opened.
pub(super) const MAX_PLAIN: usize = 64 << 20;

/// The content of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    /// [`FORMAT`].
    pub(super) format: String,
    /// The tenant, so that a segment of another one is refused.
    pub(super) tenant: String,
    /// When it was first written, in microseconds UTC.
    pub(super) at: i64,
    /// How often it was written again without a change that left it. No two writings of a segment have the same bytes.
    pub(super) generation: i64,
    /// Its changes.
    pub(super) changes: Vec<ChangeParts>,
}

/// The stored parts of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChangeParts {
    /// The change's id.
    pub(super) id: String,
    /// The rows of its records.
    pub(super) rows: Vec<RowPart>,
    /// The texts that their versions added, with their salts.
    pub(super) texts: Vec<TextPart>,
}

/// The part that was moved out of the row of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RowPart {
    pub(super) table: String,
    pub(super) id: String,
    pub(super) version: i64,
    /// The body, not compressed.
    pub(super) body: String,
    /// The column `sealed`.
    pub(super) sealed: String,
}

/// The part that was moved out of a row of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TextPart {
    pub(super) event: String,
    pub(super) commitment: String,
    #[serde(with = "salt_text")]
    pub(super) salt: Vec<u8>,
    pub(super) body: String,
}

/// Bytes as base64 (RFC 4648, section 4).
mod salt_text {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Engine, STANDARD};

    pub(super) fn serialize<S: Serializer>(salt: &[u8], to: S) -> std::result::Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(salt))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

/// A segment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) id: String,
    pub(super) bytes: Vec<u8>,
    /// How long it is opened.
    pub(super) plain: usize,
}

impl ChangeParts {
    /// About how many bytes it has, opened.
    pub(super) fn length(&self) -> usize {
        let rows = self.rows.iter().map(|row| row.body.len() + row.sealed.len());
        let texts = self.texts.iter().map(|text| text.body.len() + text.salt.len());
        rows.sum::<usize>() + texts.sum::<usize>()
    }
}

impl Segment {
    pub(super) fn new(tenant: &str, at: i64, changes: Vec<ChangeParts>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            tenant: tenant.to_owned(),
            at,
            generation: 0,
            changes,
        }
    }

    pub(super) fn pack(&self) -> Result<Packed> {
        let fault = |it: serde_json::Error| Error::Other(format!("an archive segment cannot be written: {it}"));
        let plain = serde_json::to_vec(self).map_err(fault)?;
        if plain.len() > MAX_PLAIN {
            return Err(Error::other("an archive segment would be longer than 64 MiB"));
        }
        let bytes = zstandard::pack(&plain, LEVEL)?;
        Ok(Packed {
            id: segment_id(&bytes),
            bytes,
            plain: plain.len(),
        })
    }

    /// Opens the segment of a tenant.
    ///
    /// # Errors
    /// `Corrupt` where the bytes do not match the id, or belong to another tenant.
    pub(super) fn open(tenant: &str, id: &str, bytes: &[u8]) -> Result<Self> {
        let damaged = |what: &str| Error::Corrupt(format!("the archive segment `{id}` {what}"));
        if segment_id(bytes) != id {
            return Err(damaged("has other bytes than its id says"));
        }
        let plain = zstandard::open(bytes, MAX_PLAIN).ok_or_else(|| damaged("cannot be opened"))?;
        let segment: Self = serde_json::from_slice(&plain).map_err(|_| damaged("cannot be read"))?;
        if segment.format != FORMAT || segment.tenant != tenant {
            return Err(damaged("is of another form or another tenant"));
        }
        Ok(segment)
    }
}

/// A segment that was opened to be read.
#[derive(Debug, Default)]
pub(super) struct Opened {
    changes: HashMap<String, OpenedChange>,
    /// About how many bytes it has.
    pub(super) length: usize,
}

#[derive(Debug, Default)]
struct OpenedChange {
    /// By table and id.
    rows: HashMap<String, HashMap<String, RowPart>>,
    /// By event.
    texts: HashMap<String, Vec<TextPart>>,
}

impl Opened {
    pub(super) fn of(segment: Segment) -> Self {
        let mut opened = Self::default();
        for parts in segment.changes {
            opened.length += parts.length();
            let mut change = OpenedChange::default();
            for row in parts.rows {
                let of_table = change.rows.entry(row.table.clone()).or_default();
                of_table.insert(row.id.clone(), row);
            }
            for text in parts.texts {
                change.texts.entry(text.event.clone()).or_default().push(text);
            }
            opened.changes.insert(parts.id, change);
        }
        opened
    }

    pub(super) fn row(&self, change: &str, table: &str, id: &str) -> Option<&RowPart> {
        self.changes.get(change)?.rows.get(table)?.get(id)
    }

    pub(super) fn text(&self, change: &str, event: &str, commitment: &str) -> Option<&TextPart> {
        let mut texts = self.changes.get(change)?.texts.get(event)?.iter();
        texts.find(|text| text.commitment == commitment)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use super::*;

    fn segment() -> Segment {
        let row = RowPart {
            table: "change".to_owned(),
            id: "c1".to_owned(),
            version: 7,
            body: r#"{"id":"c1","title":"Zebra"}"#.to_owned(),
            sealed: r#"[["/title","x"]]"#.to_owned(),
        };
        let text = TextPart {
            event: "e1".to_owned(),
            commitment: String::new(),
            salt: vec![0, 255, 7],
            body: r#"[["x","Zebra"]]"#.to_owned(),
        };
        let parts = ChangeParts {
            id: "c1".to_owned(),
            rows: vec![row],
            texts: vec![text],
        };
        Segment::new("acme", 7, vec![parts])
    }

    #[test]
    fn a_segment_is_opened_as_it_was_written_and_by_nobody_else() {
        let packed = segment().pack().unwrap();
        assert_eq!(Segment::open("acme", &packed.id, &packed.bytes).unwrap(), segment());
        assert!(matches!(
            Segment::open("other", &packed.id, &packed.bytes),
            Err(Error::Corrupt(_))
        ));
        for at in 0..packed.bytes.len() {
            let mut bytes = packed.bytes.clone();
            bytes[at] ^= 1;
            let opened = Segment::open("acme", &packed.id, &bytes);
            assert!(matches!(opened, Err(Error::Corrupt(_))), "byte {at}");
        }
    }

    #[test]
    fn a_segment_that_is_written_anew_has_another_id() {
        let mut anew = segment();
        anew.generation += 1;
        assert_ne!(anew.pack().unwrap().id, segment().pack().unwrap().id);
    }

    #[test]
    fn parts_are_found_by_their_names() {
        let opened = Opened::of(segment());
        assert_eq!(opened.row("c1", "change", "c1").unwrap().version, 7);
        assert!(opened.row("c1", "comment", "c1").is_none());
        assert!(opened.row("c2", "change", "c1").is_none());
        assert_eq!(opened.text("c1", "e1", "").unwrap().salt, [0, 255, 7]);
        assert!(opened.text("c1", "e1", "x").is_none());
    }
}

//! Requests between logs and witnesses (C2SP tlog-witness, <https://c2sp.org/tlog-witness>): `add-checkpoint` in its two directions.

use crate::crypto::{self, Hash};
use crate::note::{Checkpoint, MAX_NOTE_BYTES, Note, NoteSignature};
use crate::{Error, Result};

/// The most hashes of a consistency proof.
pub const MAX_PROOF: usize = 63;
/// The largest request, in bytes: a note, a line for each hash and the line of the old size.
pub const MAX_REQUEST_BYTES: usize = MAX_NOTE_BYTES + (MAX_PROOF + 1) * 64;
/// The media type of the response to a request with another old size than the witness has seen.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// A request of `add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the log at the last checkpoint that the witness cosigned.
    pub old_size: u64,
    /// The consistency proof since then.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: Note,
    /// The note's checkpoint.
    pub checkpoint: Checkpoint,
}

impl AddCheckpoint {
    /// Reads a request strictly.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::TooLarge`].
    pub fn parse(request: &[u8]) -> Result<Self> {
        let wrong = |why: &str| Error::malformed("request", why);
        if request.len() > MAX_REQUEST_BYTES {
            return Err(Error::TooLarge {
                what: "request",
                size: request.len() as u64,
                limit: MAX_REQUEST_BYTES as u64,
            });
        }
        let text = std::str::from_utf8(request).map_err(|_| wrong("it is not UTF-8"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or_else(|| wrong("no blank line stands before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.ok_or_else(|| wrong("the first line is not `old` and a size"))?;
        let old_size: u64 = old.parse().map_err(|_| wrong("the old size is no number"))?;
        if old_size.to_string() != old {
            return Err(wrong("the old size is not in its shortest form"));
        }
        let hash = |line: &str| crypto::from_base64_standard(line).and_then(|hash| Hash::try_from(hash).ok());
        let proof: Option<Vec<Hash>> = lines.take(MAX_PROOF + 1).map(hash).collect();
        let proof = proof.ok_or_else(|| wrong("a line of the proof is not the base64 of 32 bytes"))?;
        if proof.len() > MAX_PROOF {
            return Err(wrong("the proof has more than 63 hashes"));
        }
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(&note.text)?;
        Ok(Self {
            old_size,
            proof,
            note,
            checkpoint,
        })
    }

    /// The request as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            text.push_str(&crypto::base64_standard(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note.to_text());
        text
    }
}

/// The cosignatures in a witness's response: one line each, with the end of the line.
///
/// # Errors
/// [`Error::Malformed`] for anything else.
pub fn read_cosignatures(answer: &[u8]) -> Result<Vec<NoteSignature>> {
    let wrong = || Error::malformed("answer of a witness", "it holds no signature lines");
    let lines = std::str::from_utf8(answer).map_err(|_| wrong())?;
    if answer.len() > MAX_NOTE_BYTES || lines.is_empty() {
        return Err(wrong());
    }
    // A note with this text would be signed by these lines: the same reader holds them to the same form.
    Ok(Note::parse(&format!("answer\n\n{lines}"))?.signatures)
}

/// The size in a witness's conflict response; `None` for anything else.
#[must_use]
pub fn read_size(answer: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(answer).ok()?.strip_suffix('\n')?;
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::crypto::SigningKey;
    use crate::note::NoteSigner;

    fn request() -> AddCheckpoint {
        let checkpoint = Checkpoint {
            origin: "log.example/a".to_owned(),
            size: 7,
            root: [3; 32],
        };
        let signer = NoteSigner::new("log.example/a", SigningKey::from_seed([1; 32]).unwrap()).unwrap();
        AddCheckpoint {
            old_size: 5,
            proof: vec![[1; 32], [2; 32]],
            note: checkpoint.sign(&signer),
            checkpoint,
        }
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let asked = request();
        assert_eq!(AddCheckpoint::parse(asked.to_text().as_bytes()).unwrap(), asked);
        let first = AddCheckpoint {
            old_size: 0,
            proof: Vec::new(),
            ..asked
        };
        assert!(first.to_text().starts_with("old 0\n\nlog.example/a\n7\n"));
        assert_eq!(AddCheckpoint::parse(first.to_text().as_bytes()).unwrap(), first);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let good = request().to_text();
        let many = AddCheckpoint {
            proof: vec![[1; 32]; MAX_PROOF + 1],
            ..request()
        };
        let bad = [
            String::new(),
            good.replacen("old 5", "old 05", 1),
            good.replacen("old 5", "old -5", 1),
            good.replacen("old 5", "5", 1),
            good.replacen("AQEB", "AQE", 1),
            good.replacen("\n\n", "\n", 1),
            good.trim_end().to_owned(),
            many.to_text(),
            good.clone() + &"x".repeat(MAX_REQUEST_BYTES),
        ];
        for text in bad {
            assert!(AddCheckpoint::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn answers_of_witnesses_are_read_strictly() {
        let line = request().note.signatures[0].to_line();
        assert_eq!(read_cosignatures(line.as_bytes()).unwrap(), request().note.signatures);
        for bad in ["", "x\n", "\u{2014} a\n", line.trim_end()] {
            assert!(read_cosignatures(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(read_size(b"7\n"), Some(7));
        for bad in [&b"7"[..], b"07\n", b"-1\n", b"", b"7\n7\n"] {
            assert_eq!(read_size(bad), None);
        }
    }
}

//! Signed notes, verifier keys, checkpoints and cosignatures, as C2SP specifies them
//! (<https://c2sp.org/signed-note>, <https://c2sp.org/tlog-checkpoint>,
//! <https://c2sp.org/tlog-cosignature>), so that witnesses we did not write can work with our log.
//!
//! Two signature types are used: 0x01, Ed25519 over the note's text, for the log itself; and 0x04,
//! the timestamped `cosignature/v1`, for cosigners and witnesses.

pub mod witness;

use crate::crypto::{self, Hash, SigningKey};
use crate::{Error, Result};

/// The longest note that is read; a checkpoint with its signatures has well under 64 KiB.
pub const MAX_NOTE_BYTES: usize = 1 << 20;

/// The most signature lines that are read; the specification requires at least 16.
pub const MAX_SIGNATURES: usize = 100;

/// The kind of signature that a key makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Type 0x01: Ed25519 over the text.
    Ed25519,
    /// Type 0x04: a timestamped Ed25519 cosignature over a checkpoint.
    Cosigner,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosigner => 0x04,
        }
    }
}

/// A public key with its name, as text `name+<8 hex digits>+<base64(type ‖ key)>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    public: [u8; 32],
}

impl VerifierKey {
    /// Joins name, kind and public key.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the name is empty or holds a space, a control character or a plus.
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self> {
        let is_allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if name.is_empty() || !name.chars().all(is_allowed) {
            return Err(Error::malformed("key name", "it is empty or holds a space or a plus"));
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            public,
        })
    }

    /// Reads the text form strictly; the key id in it must be the right one.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::malformed("verifier key", why);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it has not the form name+id+key"));
        };
        let key = crypto::from_base64_standard(key).ok_or_else(|| wrong("the key is not base64"))?;
        let (kind, public) = key.split_first().ok_or_else(|| wrong("the key is empty"))?;
        let kind = match kind {
            0x01 => KeyKind::Ed25519,
            0x04 => KeyKind::Cosigner,
            _ => return Err(wrong("its signature type is not supported")),
        };
        let public = public.try_into().map_err(|_| wrong("the key is not 32 bytes"))?;
        let key = Self::new(name, kind, public)?;
        if key.to_text() != text {
            return Err(wrong("its id does not belong to it"));
        }
        Ok(key)
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let key = [&[self.kind.byte()], self.public.as_slice()].concat();
        let id = hex::encode(self.id());
        format!("{}+{id}+{}", self.name, crypto::base64_standard(&key))
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The kind of signatures that it verifies.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ type ‖ key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = crypto::sha256_parts(&[self.name.as_bytes(), &[b'\n', self.kind.byte()], &self.public]);
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

/// The keys for notes that are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifierKeys(
    /// The keys, in the order of their file.
    pub Vec<VerifierKey>,
);

impl VerifierKeys {
    /// Reads one key per line, as served at `log/key`; empty lines are skipped.
    ///
    /// # Errors
    /// [`Error::Malformed`] when a line is no key or there is none at all.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<VerifierKey> = lines.map(VerifierKey::parse).collect::<Result<_>>()?;
        if keys.is_empty() {
            return Err(Error::malformed("verifier keys", "there is none"));
        }
        Ok(Self(keys))
    }

    /// One key per line.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.iter().map(|key| key.to_text() + "\n").collect()
    }

    fn find(&self, signature: &NoteSignature) -> Option<&VerifierKey> {
        self.0
            .iter()
            .find(|key| key.name == signature.name && key.id() == signature.key_id)
    }
}

/// A private key with its name, able to sign notes.
#[derive(Debug)]
pub struct NoteSigner {
    name: String,
    key: SigningKey,
}

impl NoteSigner {
    /// Joins a name and a key. A log's key is named like its origin.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a name that no key may have.
    pub fn new(name: &str, key: SigningKey) -> Result<Self> {
        VerifierKey::new(name, KeyKind::Ed25519, *key.public())?;
        Ok(Self {
            name: name.to_owned(),
            key,
        })
    }

    /// The public half, for signatures of the given kind.
    #[must_use]
    pub fn verifier(&self, kind: KeyKind) -> VerifierKey {
        VerifierKey {
            name: self.name.clone(),
            kind,
            public: *self.key.public(),
        }
    }

    /// Signs a note's text (type 0x01).
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.name.clone(),
            key_id: self.verifier(KeyKind::Ed25519).id(),
            bytes: self.key.sign(text.as_bytes()).to_vec(),
        }
    }

    /// Cosigns a checkpoint's text as seen at `time`, in seconds since 1970 (type 0x04).
    #[must_use]
    pub fn cosign(&self, text: &str, time: u64) -> NoteSignature {
        let signature = self.key.sign(cosigned(text, time).as_bytes());
        NoteSignature {
            name: self.name.clone(),
            key_id: self.verifier(KeyKind::Cosigner).id(),
            bytes: [time.to_be_bytes().as_slice(), &signature].concat(),
        }
    }
}

fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub key_id: [u8; 4],
    /// The signature after the key id; for type 0x04 eight bytes of time and the signature.
    pub bytes: Vec<u8>,
}

impl NoteSignature {
    /// The line of a note, with its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let signature = crypto::base64_standard(&[self.key_id.as_slice(), &self.bytes].concat());
        format!("\u{2014} {} {signature}\n", self.name)
    }
}

/// A text with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The signed text, ending in a newline.
    pub text: String,
    /// The signature lines in their order.
    pub signatures: Vec<NoteSignature>,
}

/// A signature that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// The key that made it.
    pub key: VerifierKey,
    /// For a cosignature, when it was made, in seconds since 1970.
    pub time: Option<u64>,
}

/// The reason why a well-formed note is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It is not a note, or not a checkpoint.
    #[error(transparent)]
    Malformed(#[from] Error),
    /// A signature under the name of a known key is wrong.
    #[error("the signature of `{0}` is wrong")]
    WrongSignature(String),
    /// No known key signed it.
    #[error("no trusted key signed it")]
    NoKnownKey,
    /// Known keys signed it, but none of them is the log's own.
    #[error("the log `{0}` itself did not sign it")]
    NotByTheLog(String),
    /// It is about another log than the requested one.
    #[error("it is of the log `{0}`")]
    OtherLog(String),
}

impl Note {
    /// Reads a note strictly.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::TooLarge`].
    pub fn parse(note: &str) -> Result<Self> {
        let wrong = |why: &str| Error::malformed("signed note", why);
        if note.len() > MAX_NOTE_BYTES {
            let (size, limit) = (note.len() as u64, MAX_NOTE_BYTES as u64);
            return Err(Error::TooLarge {
                what: "signed note",
                size,
                limit,
            });
        }
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(wrong("it holds a control character"));
        }
        let split = note
            .rfind("\n\n")
            .ok_or_else(|| wrong("no blank line stands before signatures"))?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let lines = lines
            .strip_suffix('\n')
            .ok_or_else(|| wrong("the last line has no end"))?;
        let signatures: Option<Vec<_>> = lines.split('\n').take(MAX_SIGNATURES + 1).map(signature_line).collect();
        let signatures = signatures.ok_or_else(|| wrong("a signature line is malformed"))?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(wrong("it has too many signatures"));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The note as text, exactly as served.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!("{}\n", self.text);
        for signature in &self.signatures {
            out.push_str(&signature.to_line());
        }
        out
    }

    /// Verifies the signatures of known keys; unknown ones are ignored, a wrong one of a known key
    /// spoils the note.
    ///
    /// # Errors
    /// [`Untrusted::WrongSignature`] or [`Untrusted::NoKnownKey`].
    pub fn verify(&self, keys: &VerifierKeys) -> std::result::Result<Vec<VerifiedSignature>, Untrusted> {
        let mut verified = Vec::new();
        for signature in &self.signatures {
            let Some(key) = keys.find(signature) else {
                continue;
            };
            let time = self.check(key, signature);
            let time = time.ok_or_else(|| Untrusted::WrongSignature(key.name.clone()))?;
            verified.push(VerifiedSignature { key: key.clone(), time });
        }
        if verified.is_empty() {
            return Err(Untrusted::NoKnownKey);
        }
        Ok(verified)
    }

    /// `None` when the signature is wrong, else the time of a cosignature.
    fn check(&self, key: &VerifierKey, signature: &NoteSignature) -> Option<Option<u64>> {
        match key.kind {
            KeyKind::Ed25519 => {
                crypto::verify_ed25519(&key.public, self.text.as_bytes(), &signature.bytes).then_some(None)
            }
            KeyKind::Cosigner => {
                let (time, bytes) = signature.bytes.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                let message = cosigned(&self.text, time);
                crypto::verify_ed25519(&key.public, message.as_bytes(), bytes).then_some(Some(time))
            }
        }
    }
}

fn signature_line(line: &str) -> Option<NoteSignature> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let signature = crypto::from_base64_standard(signature)?;
    let (key_id, bytes) = signature.split_first_chunk::<4>()?;
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
    (is_name && !bytes.is_empty()).then(|| NoteSignature {
        name: name.to_owned(),
        key_id: *key_id,
        bytes: bytes.to_vec(),
    })
}

/// A log's statement of its size and root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, such as `assent.example/t/acme/log`.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The note text: origin, size, base64 root, a line each.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            crypto::base64_standard(&self.root)
        )
    }

    /// Reads a note text. Extension lines are permitted by the format and skipped.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::malformed("checkpoint", why);
        let body = text
            .strip_suffix('\n')
            .ok_or_else(|| wrong("the last line has no end"))?;
        let lines: Vec<&str> = body.split('\n').collect();
        let [origin, size, root, extensions @ ..] = lines.as_slice() else {
            return Err(wrong("it has fewer than three lines"));
        };
        if origin.is_empty() || extensions.iter().any(|line| line.is_empty()) {
            return Err(wrong("a line is empty"));
        }
        let number: u64 = size.parse().map_err(|_| wrong("the size is no number"))?;
        if number.to_string() != *size {
            return Err(wrong("the size is not in its shortest form"));
        }
        let root = crypto::from_base64_standard(root).and_then(|root| root.try_into().ok());
        let root = root.ok_or_else(|| wrong("the root is not the base64 of 32 bytes"))?;
        Ok(Self {
            origin: (*origin).to_owned(),
            size: number,
            root,
        })
    }

    /// Signs the checkpoint with the log's key, whose name should be the origin.
    #[must_use]
    pub fn sign(&self, log: &NoteSigner) -> Note {
        let text = self.to_text();
        let signatures = vec![log.sign(&text)];
        Note { text, signatures }
    }
}

/// A checkpoint whose signatures were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedCheckpoint {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Verified cosignatures: the cosigner's name and the time in seconds since 1970.
    pub cosigned: Vec<(String, u64)>,
}

/// Opens a served checkpoint: a note that the log's own key (type 0x01, named like the origin)
/// signed. `origin`, when given, is the log that it must be of.
///
/// # Errors
/// [`Untrusted`] with the reason.
pub fn open_checkpoint(
    note: &str,
    keys: &VerifierKeys,
    origin: Option<&str>,
) -> std::result::Result<TrustedCheckpoint, Untrusted> {
    let note = Note::parse(note)?;
    let verified = note.verify(keys)?;
    let checkpoint = Checkpoint::parse(&note.text)?;
    if origin.is_some_and(|origin| origin != checkpoint.origin) {
        return Err(Untrusted::OtherLog(checkpoint.origin));
    }
    let is_log = |one: &VerifiedSignature| one.key.kind == KeyKind::Ed25519 && one.key.name == checkpoint.origin;
    if !verified.iter().any(is_log) {
        return Err(Untrusted::NotByTheLog(checkpoint.origin));
    }
    let times = verified
        .into_iter()
        .filter_map(|one| one.time.map(|time| (one.key.name, time)));
    let cosigned = times.collect();
    Ok(TrustedCheckpoint { checkpoint, cosigned })
}

#[cfg(test)]
#[path = "note_tests.rs"]
mod tests;

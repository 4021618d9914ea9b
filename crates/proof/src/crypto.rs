//! The seam to the cryptographic library.
//!
//! No other file hashes, signs, authenticates or encrypts by itself, but for `connect`, which checks
//! and makes the signatures of other systems, so that the library (`ring` today; `aws-lc-rs` has the
//! same interface) can be replaced in two places. Secrets are wiped when dropped and never printed.

use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SecureRandom as _;
use ring::signature::KeyPair as _;
use ring::{aead, digest, hmac, signature};
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::{Zeroize as _, Zeroizing};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Hashes `bytes` with SHA-256 (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    sha256_parts(&[bytes])
}

/// Hashes the concatenation of `parts` with SHA-256, without copying them together.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// SHA-256 of `bytes` as digest text, `sha256:<64 lower-case hex digits>`.
#[must_use]
pub fn digest_text(bytes: &[u8]) -> String {
    hash_text(&sha256(bytes))
}

/// A finished hash as digest text, `sha256:<64 lower-case hex digits>`.
#[must_use]
pub fn hash_text(hash: &Hash) -> String {
    format!("sha256:{}", hex::encode(hash))
}

/// Whether `text` is digest text: `sha256:` and 64 lower-case hex digits.
#[must_use]
pub fn is_digest_text(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// The hash in a digest text; `None` for any other text.
#[must_use]
pub fn hash_of_text(text: &str) -> Option<Hash> {
    let hex = text.strip_prefix("sha256:").filter(|_| is_digest_text(text))?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(hex, &mut bytes).ok()?;
    Some(bytes)
}

/// SHA-256 over bytes that come in pieces, for files that should not be in memory whole.
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Starts an empty hash.
    #[must_use]
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Adds the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Ends the hash and gives its value.
    #[must_use]
    pub fn finish(self) -> Hash {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.finish().as_ref());
        out
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256(..)")
    }
}

/// The source of random bytes; injected so that tests are reproducible.
pub trait Entropy: Send + Sync {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// [`Error::Crypto`] when the operating system gives none; nothing may be signed or stored then.
    fn fill(&self, out: &mut [u8]) -> Result<()>;
}

/// The operating system's randomness; the only implementation for production.
#[derive(Debug)]
pub struct SystemEntropy(ring::rand::SystemRandom);

impl SystemEntropy {
    /// Opens the system's source.
    #[must_use]
    pub fn new() -> Self {
        Self(ring::rand::SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<()> {
        self.0
            .fill(out)
            .map_err(|_| Error::Crypto("the system gives no randomness"))
    }
}

/// Repeatable bytes for tests: SHA-256 over the seed and a counter. Never random, never for keys.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    block: AtomicU64,
}

impl SeededEntropy {
    /// Starts the sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            block: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<()> {
        for chunk in out.chunks_mut(32) {
            let block = self.block.fetch_add(1, Ordering::Relaxed);
            let bytes = sha256_parts(&[&self.seed.to_be_bytes(), &block.to_be_bytes()]);
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

/// An Ed25519 signing key (RFC 8032), kept with its 32-byte seed so that it can be wrapped.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    pair: signature::Ed25519KeyPair,
    public: [u8; 32],
}

impl SigningKey {
    /// Derives the key pair from a 32-byte seed (the private key of RFC 8032).
    ///
    /// # Errors
    /// [`Error::Crypto`] when the library refuses the seed, which it does for no seed of 32 bytes.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self> {
        let seed = Zeroizing::new(seed);
        let pair = signature::Ed25519KeyPair::from_seed_unchecked(seed.as_slice())
            .map_err(|_| Error::Crypto("the seed is no Ed25519 private key"))?;
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        Ok(Self { seed, pair, public })
    }

    /// Makes a new key.
    ///
    /// # Errors
    /// [`Error::Crypto`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(seed.as_mut_slice())?;
        Self::from_seed(*seed)
    }

    /// The 32-byte public key.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The seed, for wrapping under the master key; handle it as the secret it is.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Signs `message`; the signature is deterministic (RFC 8032 section 5.1.6).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        out.copy_from_slice(self.pair.sign(message).as_ref());
        out
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(public {})", hex::encode(self.public))
    }
}

/// Verifies an Ed25519 signature; false for any other length of signature as well.
#[must_use]
pub fn verify_ed25519(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ED25519, public)
        .verify(message, signature)
        .is_ok()
}

/// Verifies an ECDSA signature on P-256 with SHA-256, in DER, under an uncompressed point.
#[must_use]
pub fn verify_ecdsa_p256(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point)
        .verify(message, signature)
        .is_ok()
}

/// A signature scheme of outside certificates and time stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignSignature {
    /// RSA with PKCS #1 v1.5, 2048 to 8192 bits; the key is an `RSAPublicKey` in DER.
    Rsa(ForeignDigest),
    /// ECDSA on P-256, the signature in DER; the key is an uncompressed point.
    EcdsaP256(ForeignDigest),
    /// ECDSA on P-384, the signature in DER; the key is an uncompressed point.
    EcdsaP384(ForeignDigest),
    /// Ed25519; the key has 32 bytes.
    Ed25519,
}

/// A digest that others use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignDigest {
    /// SHA-1, which only identifies a certificate that is trusted for another reason.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl ForeignDigest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// Verifies an outside signature; false for an unsupported scheme, such as any with SHA-1.
#[must_use]
pub fn verify_foreign(way: ForeignSignature, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    use ForeignDigest::{Sha256, Sha384, Sha512};
    let algorithm: &dyn signature::VerificationAlgorithm = match way {
        ForeignSignature::Rsa(Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        ForeignSignature::Rsa(Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        ForeignSignature::Rsa(Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        ForeignSignature::EcdsaP256(Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        ForeignSignature::EcdsaP256(Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        ForeignSignature::EcdsaP384(Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        ForeignSignature::EcdsaP384(Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        ForeignSignature::Ed25519 => &signature::ED25519,
        _ => return false,
    };
    signature::UnparsedPublicKey::new(algorithm, key)
        .verify(message, signature)
        .is_ok()
}

/// HMAC-SHA256 of `message` (RFC 2104).
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Hash {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

/// Verifies an HMAC-SHA256 tag in constant time; false for a tag of another length.
#[must_use]
pub fn verify_hmac_sha256(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, tag).is_ok()
}

/// Compares two secrets without revealing by time where they differ; lengths are not secret.
#[must_use]
pub fn is_same_secret(left: &[u8], right: &[u8]) -> bool {
    // Comparing keyed digests needs no deprecated function of the library, and the fixed key does
    // not matter: `hmac::verify` compares the tags in constant time.
    verify_hmac_sha256(b"assent-compare", left, &hmac_sha256(b"assent-compare", right))
}

/// Bytes of the nonce before each sealed secret.
const NONCE_BYTES: usize = 12;

/// The 32-byte key under which signing keys and connection secrets rest encrypted.
pub struct MasterKey {
    bytes: Zeroizing<[u8; 32]>,
}

impl MasterKey {
    /// Takes the key's 32 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self {
            bytes: Zeroizing::new(bytes),
        }
    }

    /// Reads the key from base64 (RFC 4648 section 4, padded), as `ASSENT_MASTER_KEY` carries it.
    ///
    /// # Errors
    /// [`Error::Malformed`] unless it is the base64 of exactly 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self> {
        let wrong = || Error::malformed("master key", "it is not the base64 of 32 bytes");
        let decoded = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| wrong())?);
        let mut bytes: [u8; 32] = decoded.as_slice().try_into().map_err(|_| wrong())?;
        let key = Self::new(bytes);
        bytes.zeroize();
        Ok(key)
    }

    /// The key as base64, for writing its file; the text is as secret as the key.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// A value that is equal for equal keys and reveals nothing about the key, so that a server can refuse to start with
    /// another key than the one its data was sealed under.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hash_text(&hmac_sha256(self.bytes.as_slice(), b"assent master key fingerprint v1"))
    }

    /// Encrypts `secret` with AES-256-GCM under a fresh random nonce.
    ///
    /// Returns nonce (12 bytes), ciphertext, tag (16 bytes). `associated` is not in it but must be given again to open it; name
    /// the tenant, the purpose and the key id there, so that a sealed secret moved to another row does not open.
    ///
    /// # Errors
    /// [`Error::Crypto`] when there is no randomness.
    pub fn seal(&self, secret: &[u8], associated: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce)?;
        let mut text = secret.to_vec();
        let sealed = self.cipher()?.seal_in_place_separate_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(associated),
            &mut text,
        );
        let tag = sealed.map_err(|_| Error::Crypto("the secret cannot be sealed"))?;
        Ok([nonce.as_slice(), &text, tag.as_ref()].concat())
    }

    /// Decrypts what [`MasterKey::seal`] gave.
    ///
    /// # Errors
    /// [`Error::Crypto`] when the key or `associated` is another one or a byte was changed.
    pub fn open(&self, sealed: &[u8], associated: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let wrong = Error::Crypto("the sealed secret does not open under this master key");
        let Some((nonce, text)) = sealed.split_first_chunk::<NONCE_BYTES>() else {
            return Err(wrong);
        };
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = aead::Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .cipher()?
            .open_in_place(nonce, aead::Aad::from(associated), &mut text)
            .map(|plain| plain.len());
        let length = opened.map_err(|_| wrong)?;
        text.truncate(length);
        Ok(text)
    }

    /// A message authentication code (HMAC-SHA256, RFC 2104) over `parts` in their order, each with its length before it, under
    /// a key that is made from this one for `purpose` alone. Without the master key, nobody can make a code or move one to
    /// other parts or another purpose.
    #[must_use]
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> Hash {
        hmac_sha256(self.mac_key(purpose).as_slice(), &framed(parts))
    }

    /// Whether `mac` is what [`MasterKey::mac`] gives, compared in constant time.
    #[must_use]
    pub fn verify_mac(&self, purpose: &str, parts: &[&[u8]], mac: &[u8]) -> bool {
        verify_hmac_sha256(self.mac_key(purpose).as_slice(), &framed(parts), mac)
    }

    fn mac_key(&self, purpose: &str) -> Zeroizing<Hash> {
        let label = format!("assent mac v1\0{purpose}");
        Zeroizing::new(hmac_sha256(self.bytes.as_slice(), label.as_bytes()))
    }

    fn cipher(&self) -> Result<aead::LessSafeKey> {
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, self.bytes.as_slice());
        key.map(aead::LessSafeKey::new)
            .map_err(|_| Error::Crypto("the master key is not 32 bytes"))
    }
}

/// The parts, each with its length in eight bytes before it, so that no two lists of parts read the same.
fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::new();
    for part in parts {
        message.extend((part.len() as u64).to_be_bytes());
        message.extend(*part);
    }
    message
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// Base64url without padding (RFC 4648 section 5), the form that JWS and commitments use.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url strictly: no padding, no other alphabet, no stray bits in the last character,
/// so that one value has one spelling.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Standard base64 with padding (RFC 4648 section 4), the form that notes use.
#[must_use]
pub fn base64_standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads standard base64 strictly, padding and last bits included.
#[must_use]
pub fn from_base64_standard(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
#[path = "crypto_tests.rs"]
mod tests;

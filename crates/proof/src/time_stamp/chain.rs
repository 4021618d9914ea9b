//! Certificates by which time stamps are trusted.

use super::Wrong;
use crate::crypto::{self, ForeignDigest, ForeignSignature};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

/// The most certificates that lie between a signer and an anchor.
const MOST_BETWEEN: usize = 5;
/// The most certificates of a file.
const MOST_CERTIFICATES: usize = 20;
/// The extended usage of a certificate that signs time stamps.
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const EXTENDED_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// Certificates that are trusted.
#[derive(Debug, Clone)]
pub struct Anchors(pub(super) Vec<Certificate>);

impl Anchors {
    /// Reads certificates in PEM; texts around them are skipped.
    ///
    /// # Errors
    /// [`crate::Error::Malformed`] when there is none, when there are too many, or when one cannot be read.
    pub fn parse(pem: &str) -> crate::Result<Self> {
        let wrong = |why: &str| crate::Error::malformed("certificates", why);
        let mut found = Vec::new();
        for part in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
            let (body, _) = part
                .split_once("-----END CERTIFICATE-----")
                .ok_or_else(|| wrong("one has no end"))?;
            let body: String = body.split_ascii_whitespace().collect();
            let bytes = crypto::from_base64_standard(&body).ok_or_else(|| wrong("one is not base64"))?;
            let certificate = Certificate::from_der(&bytes).map_err(|_| wrong("one is no X.509 certificate"))?;
            found.push(certificate);
        }
        if found.is_empty() {
            return Err(wrong("there is none"));
        }
        if found.len() > MOST_CERTIFICATES {
            return Err(wrong("there are more than 20"));
        }
        Ok(Self(found))
    }

    /// The certificates in PEM, without other text.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let of = |certificate: &Certificate| {
            let text = crypto::base64_standard(&certificate.to_der().unwrap_or_default());
            let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                lines.join("\n")
            )
        };
        self.0.iter().map(of).collect()
    }

    /// The subject of the first certificate.
    #[must_use]
    pub fn subject(&self) -> String {
        self.0.first().map(subject).unwrap_or_default()
    }
}

/// The subject of a certificate as a text.
pub(super) fn subject(certificate: &Certificate) -> String {
    certificate.tbs_certificate.subject.to_string()
}

/// Checks that a certificate may sign time stamps, and that it chains to an anchor at a time in seconds since 1970.
pub(super) fn check_signer(
    signer: &Certificate,
    sent: &[Certificate],
    anchors: &Anchors,
    time: i64,
) -> Result<(), Wrong> {
    let usage: Option<ExtendedKeyUsage> = extension(signer, EXTENDED_USAGE);
    if !usage.is_some_and(|usage| usage.0.contains(&TIME_STAMPING)) {
        return Err(Wrong::NotForTimeStamping);
    }
    let mut has_expired = false;
    if is_trusted(signer, sent, anchors, time, MOST_BETWEEN, &mut has_expired) {
        return Ok(());
    }
    match has_expired {
        true => Err(Wrong::NotValidThen),
        false => Err(Wrong::UnknownSigner),
    }
}

fn is_trusted(
    certificate: &Certificate,
    sent: &[Certificate],
    anchors: &Anchors,
    time: i64,
    left: usize,
    has_expired: &mut bool,
) -> bool {
    let is_anchor = anchors.0.contains(certificate);
    let issued = anchors.0.iter().any(|anchor| is_issued_by(certificate, anchor));
    let between = || {
        let may =
            |issuer: &&Certificate| *issuer != certificate && is_authority(issuer) && is_issued_by(certificate, issuer);
        sent.iter().filter(may)
    };
    if !is_anchor && !issued && (left == 0 || between().next().is_none()) {
        return false;
    }
    if !is_valid(certificate, time) {
        *has_expired = true;
        return false;
    }
    is_anchor
        || issued
        || between().any(|issuer| is_trusted(issuer, sent, anchors, time, left.saturating_sub(1), has_expired))
}

/// Whether a time is within the validity of a certificate. An anchor that only issued is exempt: it is trusted without a check.
fn is_valid(certificate: &Certificate, time: i64) -> bool {
    let validity = &certificate.tbs_certificate.validity;
    let Ok(time) = u64::try_from(time) else {
        return false;
    };
    let seconds = |at: x509_cert::time::Time| at.to_unix_duration().as_secs();
    (seconds(validity.not_before)..=seconds(validity.not_after)).contains(&time)
}

fn is_authority(certificate: &Certificate) -> bool {
    extension::<BasicConstraints>(certificate, BASIC_CONSTRAINTS).is_some_and(|it| it.ca)
}

fn is_issued_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let body = &certificate.tbs_certificate;
    if body.issuer != issuer.tbs_certificate.subject {
        return false;
    }
    let Ok(bytes) = body.to_der() else { return false };
    let Some(signature) = certificate.signature.as_bytes() else {
        return false;
    };
    let key = &issuer.tbs_certificate.subject_public_key_info;
    is_signed(key, &certificate.signature_algorithm, None, &bytes, signature)
}

fn extension<'a, T: Decode<'a>>(certificate: &'a Certificate, id: ObjectIdentifier) -> Option<T> {
    let extensions = certificate.tbs_certificate.extensions.as_ref()?;
    let found = extensions.iter().find(|it| it.extn_id == id)?;
    T::from_der(found.extn_value.as_bytes()).ok()
}

/// Whether a key signed a message. `digest` is the message's digest algorithm, for a signature algorithm that names none.
pub(super) fn is_signed(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<ForeignDigest>,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Some(bytes) = key.subject_public_key.as_bytes() else {
        return false;
    };
    let Some(way) = way_of(key, algorithm, digest) else {
        return false;
    };
    crypto::verify_foreign(way, bytes, message, signature)
}

/// The signature scheme of a key with an algorithm; `None` for an unsupported one.
fn way_of(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<ForeignDigest>,
) -> Option<ForeignSignature> {
    use ForeignDigest::{Sha256, Sha384, Sha512};
    let named = match algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => Some(Sha256),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(Sha384),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(Sha512),
        // `rsaEncryption`, which leaves the digest to the message.
        "1.2.840.113549.1.1.1" => digest,
        "1.3.101.112" => None,
        _ => return None,
    };
    let curve = || key.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok();
    match key.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => named.map(ForeignSignature::Rsa),
        "1.2.840.10045.2.1" => match curve()?.to_string().as_str() {
            "1.2.840.10045.3.1.7" => named.map(ForeignSignature::EcdsaP256),
            "1.3.132.0.34" => named.map(ForeignSignature::EcdsaP384),
            _ => None,
        },
        "1.3.101.112" if named.is_none() => Some(ForeignSignature::Ed25519),
        _ => None,
    }
}

/// The digest of an algorithm; `None` for an unsupported one.
pub(super) fn digest_of(algorithm: &AlgorithmIdentifierOwned) -> Option<ForeignDigest> {
    match algorithm.oid.to_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => Some(ForeignDigest::Sha256),
        "2.16.840.1.101.3.4.2.2" => Some(ForeignDigest::Sha384),
        "2.16.840.1.101.3.4.2.3" => Some(ForeignDigest::Sha512),
        _ => None,
    }
}

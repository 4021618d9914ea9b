//! DSSE signatures (Dead Simple Signing Envelope, version 1): the signature covers the type and the payload together, so that a
//! payload cannot be mistaken for another type's.

pub mod attestation;

use crate::crypto::{base64_standard, from_base64_standard, verify_ecdsa_p256, verify_ed25519};

/// The prefix of a SubjectPublicKeyInfo of an Ed25519 key (RFC 8410); 32 bytes follow.
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The prefix of a SubjectPublicKeyInfo of an ECDSA key on P-256 (RFC 5480); 65 bytes follow.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The bytes that are signed: the pre-authentication encoding.
#[must_use]
pub fn signed_bytes(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Whether the holder of a public key signed a payload of this type. `pem` is a SubjectPublicKeyInfo: Ed25519, or ECDSA on
/// P-256 with SHA-256 and a DER signature. False for any other key, and for whatever cannot be read.
#[must_use]
pub fn is_signed(payload_type: &str, payload: &[u8], signature: &[u8], pem: &str) -> bool {
    let Some(key) = der(pem) else { return false };
    let message = signed_bytes(payload_type, payload);
    if let Some(public) = key
        .strip_prefix(ED25519)
        .and_then(|rest| <&[u8; 32]>::try_from(rest).ok())
    {
        return verify_ed25519(public, &message, signature);
    }
    if let Some(point) = key.strip_prefix(P256).filter(|point| point.len() == 65) {
        return verify_ecdsa_p256(point, &message, signature);
    }
    false
}

/// The SubjectPublicKeyInfo of an Ed25519 key in DER (RFC 8410).
#[must_use]
pub fn public_der(public: &[u8; 32]) -> Vec<u8> {
    [ED25519, public].concat()
}

/// The SubjectPublicKeyInfo of an Ed25519 key in PEM, as other tools read it.
#[must_use]
pub fn public_pem(public: &[u8; 32]) -> String {
    let body = base64_standard(&public_der(public));
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

fn der(pem: &str) -> Option<Vec<u8>> {
    let rest = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?;
    let body = rest.strip_suffix("-----END PUBLIC KEY-----")?;
    let plain: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
    from_base64_standard(&plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::crypto::SigningKey;

    #[test]
    fn the_signed_bytes_are_those_of_the_specification() {
        assert_eq!(
            signed_bytes("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn a_signature_holds_for_its_payload_type_and_key_alone() {
        let key = SigningKey::from_seed([7; 32]).unwrap();
        let pem = |key: &SigningKey| public_pem(key.public());
        let signature = key.sign(&signed_bytes("t", b"payload"));
        assert!(is_signed("t", b"payload", &signature, &pem(&key)));
        assert!(!is_signed("u", b"payload", &signature, &pem(&key)));
        assert!(!is_signed("t", b"payloads", &signature, &pem(&key)));
        assert!(!is_signed("t", b"payload", &signature[1..], &pem(&key)));
        let other = SigningKey::from_seed([8; 32]).unwrap();
        assert!(!is_signed("t", b"payload", &signature, &pem(&other)));
        assert!(!is_signed("t", b"payload", &signature, "-----BEGIN PUBLIC KEY-----"));
    }
}

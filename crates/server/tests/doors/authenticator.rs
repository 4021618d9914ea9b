//! An authenticator in memory: it makes P-256 key pairs (ES256), counts, and can be set to do each thing wrong.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use proof::crypto::{base64url, from_base64url, sha256};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// The user is there.
const PRESENT: u8 = 0x01;
/// The user was verified.
const VERIFIED: u8 = 0x04;
/// A credential in the data.
const ATTESTED: u8 = 0x40;

/// The data of an authenticator and its browser; each field can be changed.
#[derive(Clone)]
pub struct AuthenticatorData {
    /// The address of the page.
    pub origin: String,
    /// The relying party.
    pub site: String,
    /// The challenge, base64url.
    pub challenge: String,
    /// Whether the user was verified.
    pub is_verified: bool,
    /// The counter.
    pub count: u32,
    /// The user handle, base64url.
    pub handle: String,
    /// Whether the signature is altered on its way.
    pub is_altered: bool,
    /// Whether another site's frame made the request.
    pub is_framed: bool,
}

impl AuthenticatorData {
    /// The response of an honest pair at an address, to the options of a challenge.
    pub fn honest(origin: &str, options: &Value, handle: &str, count: u32) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let site = [&options["rp"]["id"], &options["rpId"]].map(text).concat();
        Self {
            origin: origin.to_owned(),
            site,
            challenge: text(&options["challenge"]),
            is_verified: true,
            count,
            handle: handle.to_owned(),
            is_altered: false,
            is_framed: false,
        }
    }

    fn client(&self, kind: &str) -> String {
        json!({"type": kind, "challenge": self.challenge, "origin": self.origin, "crossOrigin": self.is_framed})
            .to_string()
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let flags = PRESENT | more | if self.is_verified { VERIFIED } else { 0 };
        let mut data = sha256(self.site.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.count.to_be_bytes());
        data
    }
}

/// One passkey.
pub struct Passkey {
    pair: EcdsaKeyPair,
    /// The credential's id.
    pub id: Vec<u8>,
    random: SystemRandom,
}

impl Passkey {
    /// A fresh key pair.
    pub fn new(seed: u8) -> Self {
        let random = SystemRandom::new();
        let bytes = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, bytes.as_ref(), &random).unwrap();
        Self {
            pair,
            id: vec![seed; 32],
            random,
        }
    }

    /// The public key as COSE writes it (RFC 9053, section 2.1 and 7.1.1).
    fn cose(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        [&head[..], x, &[0x22, 0x58, 0x20], y].concat()
    }

    /// The response that makes it: `RegistrationResponseJSON`, with no attestation.
    pub fn made(&self, said: &AuthenticatorData) -> Value {
        let mut data = said.data(ATTESTED);
        data.extend([0_u8; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        let length = u8::try_from(data.len()).unwrap();
        let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58";
        let object = [&head[..], &[length], &data].concat();
        let response = json!({
            "clientDataJSON": base64url(said.client("webauthn.create").as_bytes()),
            "attestationObject": base64url(&object), "transports": ["internal"],
        });
        self.whole(response)
    }

    /// The response that shows it: `AuthenticationResponseJSON`.
    pub fn shown(&self, said: &AuthenticatorData) -> Value {
        let client = said.client("webauthn.get");
        let data = said.data(0);
        let signed = [&data[..], &sha256(client.as_bytes())].concat();
        let mut signature = self.pair.sign(&self.random, &signed).unwrap().as_ref().to_vec();
        if said.is_altered {
            let last = signature.len() - 1;
            signature[last] ^= 1;
        }
        let response = json!({
            "clientDataJSON": base64url(client.as_bytes()), "authenticatorData": base64url(&data),
            "signature": base64url(&signature), "userHandle": said.handle,
        });
        self.whole(response)
    }

    fn whole(&self, response: Value) -> Value {
        let id = base64url(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {}, "response": response,
        })
    }
}

/// The handle of somebody else: one bit differs.
pub fn other_handle(handle: &str) -> String {
    let mut bytes = from_base64url(handle).unwrap();
    bytes[15] ^= 1;
    base64url(&bytes)
}

//! Standard Webhooks (specification of standardwebhooks.com, version 1.0.0): the signature is over `id.timestamp.body` under
//! HMAC-SHA256, the secret is `whsec_` and base64, and several signatures may be given side by side while one is replaced.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::hmac;

/// A key that signs.
pub type Key = hmac::Key;

/// How a secret begins.
pub const PREFIX: &str = "whsec_";
/// How far a message's time may lie from ours, in seconds.
pub const TOLERANCE_SECONDS: i64 = 300;
/// The shortest and the longest secret, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret's text, from its bytes.
#[must_use]
pub fn secret_text(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// A secret's key; `None` when the text is none.
#[must_use]
pub fn key(secret: &str) -> Option<hmac::Key> {
    let bytes = STANDARD.decode(secret.strip_prefix(PREFIX).unwrap_or(secret)).ok()?;
    SECRET_BYTES
        .contains(&bytes.len())
        .then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn signed(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

/// The three headers of a message: `webhook-id`, `webhook-timestamp`, `webhook-signature` (one signature for each key).
#[must_use]
pub fn headers(keys: &[hmac::Key], id: &str, at: Timestamp, body: &[u8]) -> Vec<(String, String)> {
    let timestamp = at.as_second().to_string();
    let content = signed(id, &timestamp, body);
    let signatures: Vec<String> = keys
        .iter()
        .map(|key| format!("v1,{}", STANDARD.encode(hmac::sign(key, &content))))
        .collect();
    vec![
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), timestamp),
        ("webhook-signature".to_owned(), signatures.join(" ")),
    ]
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// A header is missing or is none.
    Incomplete,
    /// Its time lies too far from ours.
    Old,
    /// No signature fits.
    Forged,
}

/// Holds a message to its signature under one of the keys, in constant time, and its time to ours.
///
/// # Errors
/// [`Doubt`]. A forged message and an old one are distinguished only when the signature fits.
pub fn verify(
    keys: &[hmac::Key],
    (id, timestamp, signatures): (&str, &str, &str),
    body: &[u8],
    now: Timestamp,
) -> Result<(), Doubt> {
    let at: i64 = timestamp.parse().map_err(|_| Doubt::Incomplete)?;
    if id.is_empty() || signatures.is_empty() {
        return Err(Doubt::Incomplete);
    }
    let content = signed(id, timestamp, body);
    let fits = signatures
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .any(|tag| keys.iter().any(|key| hmac::verify(key, &content, &tag).is_ok()));
    if !fits {
        return Err(Doubt::Forged);
    }
    if now.as_second().abs_diff(at) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(Doubt::Old);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_614_265_330).unwrap()
    }

    /// The example of the reference libraries' own tests.
    #[test]
    fn the_reference_example_verifies() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = br#"{"test": 2432232314}"#;
        let keys = [key(secret).unwrap()];
        let sent = headers(&keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", now(), body);
        assert_eq!(sent[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret_text(&STANDARD.decode(&secret[6..]).unwrap()), secret);
        let told = (sent[0].1.as_str(), sent[1].1.as_str(), sent[2].1.as_str());
        assert_eq!(verify(&keys, told, body, now()), Ok(()));
        assert_eq!(verify(&keys, told, b"{}", now()), Err(Doubt::Forged));
        assert_eq!(
            verify(&keys, ("other", told.1, told.2), body, now()),
            Err(Doubt::Forged)
        );
        let later = now() + jiff::SignedDuration::from_secs(301);
        assert_eq!(verify(&keys, told, body, later), Err(Doubt::Old));
        assert_eq!(
            verify(&keys, (told.0, "soon", told.2), body, now()),
            Err(Doubt::Incomplete)
        );
        assert_eq!(verify(&keys, (told.0, told.1, ""), body, now()), Err(Doubt::Incomplete));
        assert_eq!(verify(&[], told, body, now()), Err(Doubt::Forged));
    }

    #[test]
    fn two_keys_sign_while_one_is_replaced() {
        let (old, new) = (
            key(&secret_text(&[1; 32])).unwrap(),
            key(&secret_text(&[2; 32])).unwrap(),
        );
        let sent = headers(&[new, old.clone()], "m", now(), b"x");
        let told = (sent[0].1.as_str(), sent[1].1.as_str(), sent[2].1.as_str());
        assert_eq!(verify(&[old], told, b"x", now()), Ok(()));
        assert_eq!(sent[2].1.split(' ').count(), 2);
        assert!(key("whsec_short").is_none() && key("whsec_AAAA").is_none());
    }
}

//! Compact JWS (RFC 7515) in the one form that we write: EdDSA over Ed25519, three header members.
//!
//! The algorithm is fixed by the key and never taken from the header. A header must have `EdDSA`, the expected `typ` and a
//! known `kid`, and nothing else, so that `none`, `jku`, `x5u`, `jwk`, `crit` and later inventions are refused alike.

use crate::crypto::{self, SigningKey};
use crate::jwks::{Jwk, Jwks};
use crate::report::Outcome;
use crate::{Result, canonical};
use serde::Deserialize;
use serde_json::{Value, json};

/// Why a token or a list is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refused {
    /// Bad, or undecided.
    pub outcome: Outcome,
    /// A stable code for programs.
    pub code: &'static str,
    /// One sentence for people.
    pub text: String,
}

impl Refused {
    pub(crate) fn bad(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Bad,
            code,
            text: text.into(),
        }
    }

    pub(crate) fn cannot_tell(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::CannotTell,
            code,
            text: text.into(),
        }
    }
}

/// Signs `payload` (as canonical JSON) under a header of `typ` and the key's thumbprint.
///
/// # Errors
/// [`crate::Error::Canonical`] for a payload outside the canonical subset.
pub fn sign(typ: &str, payload: &Value, key: &SigningKey) -> Result<String> {
    let kid = Jwk::new(*key.public()).kid();
    let header = canonical::to_bytes(&json!({"alg": "EdDSA", "kid": kid, "typ": typ}))?;
    let payload = canonical::to_bytes(payload)?;
    Ok(sign_bytes(&header, &payload, key))
}

/// Signs exactly these header and payload bytes (RFC 7515 section 5.1).
fn sign_bytes(header: &[u8], payload: &[u8], key: &SigningKey) -> String {
    let input = format!("{}.{}", crypto::base64url(header), crypto::base64url(payload));
    let signature = crypto::base64url(&key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// Verifies a token of type `typ` and gives its payload's bytes.
///
/// # Errors
/// [`Refused`], always with the outcome bad: `too_large`, `malformed`, `wrong_header`,
/// `unknown_key` or `wrong_signature`.
pub fn open(token: &str, typ: &str, keys: &Jwks, max_bytes: usize) -> std::result::Result<Vec<u8>, Refused> {
    if token.len() > max_bytes {
        return Err(Refused::bad(
            "too_large",
            format!("The token has more than {max_bytes} bytes."),
        ));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err(Refused::bad("malformed", "The token has not three parts."));
    };
    let decode = |part: &str| {
        let wrong = || Refused::bad("malformed", "A part of the token is not base64url without padding.");
        crypto::from_base64url(part).ok_or_else(wrong)
    };
    let kid = check_header(&decode(header)?, typ)?;
    let bytes = decode(payload)?;
    let signature = decode(signature)?;
    let unknown = || Refused::bad("unknown_key", "The key set has no key with the token's `kid`.");
    let key = keys.find(&kid).ok_or_else(unknown)?;
    // The signed bytes are the first two parts, unchanged, with the dot between them.
    let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
    if !crypto::verify_ed25519(key.public(), signed, &signature) {
        return Err(Refused::bad("wrong_signature", "The token's signature is wrong."));
    }
    Ok(bytes)
}

fn check_header(bytes: &[u8], typ: &str) -> std::result::Result<String, Refused> {
    let wrong = |why: String| Refused::bad("wrong_header", format!("The token's header is wrong: {why}."));
    let header: Header = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    if header.alg != "EdDSA" {
        return Err(wrong("`alg` must be `EdDSA`".to_owned()));
    }
    if header.typ != typ {
        return Err(wrong(format!("`typ` must be `{typ}`")));
    }
    Ok(header.kid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_8037_appendix_a_4() {
        let seed = crypto::from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::from_seed(seed.try_into().unwrap()).unwrap();
        let token = sign_bytes(br#"{"alg":"EdDSA"}"#, b"Example of Ed25519 signing", &key);
        assert_eq!(
            token,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCj\
             P0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn a_signed_token_opens_for_its_type_only() {
        let key = SigningKey::from_seed([1; 32]).unwrap();
        let keys = Jwks {
            tenant: "acme".into(),
            keys: vec![Jwk::new(*key.public())],
        };
        let token = sign("a+jwt", &json!({"b": 1, "a": 2}), &key).unwrap();
        assert_eq!(open(&token, "a+jwt", &keys, 1_000).unwrap(), br#"{"a":2,"b":1}"#);
        assert_eq!(open(&token, "b+jwt", &keys, 1_000).unwrap_err().code, "wrong_header");
        assert_eq!(open(&token, "a+jwt", &keys, 10).unwrap_err().code, "too_large");
        assert!(sign("a+jwt", &json!({"x": 1.5}), &key).is_err());
    }
}

//! Published signing keys: a JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037) that names its
//! tenant. A key's id is its thumbprint (RFC 7638), so that it cannot be chosen.

use crate::{Error, Result, crypto};
use serde_json::{Map, Value, json};

/// The largest key set that is read.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    public: [u8; 32],
}

impl Jwk {
    /// Takes the 32 bytes of an Ed25519 public key.
    #[must_use]
    pub fn new(public: [u8; 32]) -> Self {
        Self { public }
    }

    /// The key's 32 bytes.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The key's id: base64url of SHA-256 over `{"crv":"Ed25519","kty":"OKP","x":…}` (RFC 8037
    /// appendix A.3).
    #[must_use]
    pub fn kid(&self) -> String {
        let x = crypto::base64url(&self.public);
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        crypto::base64url(&crypto::sha256(members.as_bytes()))
    }

    fn to_json(&self) -> Value {
        let x = crypto::base64url(&self.public);
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid(), "use": "sig", "alg": "EdDSA"})
    }

    fn from_json(members: &Map<String, Value>) -> Result<Self> {
        let wrong = |why: &str| Err(Error::malformed("key", why));
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if members.contains_key("d") {
            return wrong("it holds a private part");
        }
        if text("crv") != Some("Ed25519") {
            return wrong("its curve is not Ed25519");
        }
        if text("alg").is_some_and(|alg| alg != "EdDSA") || text("use").is_some_and(|usage| usage != "sig") {
            return wrong("it is not for EdDSA signatures");
        }
        let public = text("x")
            .and_then(crypto::from_base64url)
            .and_then(|x| x.try_into().ok());
        let Some(public) = public else {
            return wrong("`x` is not the base64url of 32 bytes");
        };
        let key = Self { public };
        if text("kid") != Some(key.kid().as_str()) {
            return wrong("its `kid` is not its thumbprint");
        }
        Ok(key)
    }
}

/// The keys of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwks {
    /// The tenant whose permits these keys sign; a permit of another tenant is refused.
    pub tenant: String,
    /// The current key and those before it.
    pub keys: Vec<Jwk>,
}

impl Jwks {
    /// Reads a key set. Keys of other types are skipped as RFC 7517 section 5 requires; an Ed25519 key that is malformed,
    /// private or listed twice spoils the set.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let wrong = |why: &str| Error::malformed("key set", why);
        if bytes.len() > MAX_JWKS_BYTES {
            let (size, limit) = (bytes.len() as u64, MAX_JWKS_BYTES as u64);
            return Err(Error::TooLarge {
                what: "key set",
                size,
                limit,
            });
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| wrong(&error.to_string()))?;
        let tenant = value
            .get("tenant")
            .and_then(Value::as_str)
            .filter(|tenant| !tenant.is_empty());
        let tenant = tenant.ok_or_else(|| wrong("it names no tenant"))?;
        let listed = value.get("keys").and_then(Value::as_array);
        let listed = listed.ok_or_else(|| wrong("it has no `keys`"))?;
        let mut keys: Vec<Jwk> = Vec::new();
        for key in listed {
            let members = key.as_object().ok_or_else(|| wrong("a key is no object"))?;
            if members.get("kty").and_then(Value::as_str) != Some("OKP") {
                continue;
            }
            let key = Jwk::from_json(members)?;
            if keys.contains(&key) {
                return Err(wrong("a key is listed twice"));
            }
            keys.push(key);
        }
        Ok(Self {
            tenant: tenant.to_owned(),
            keys,
        })
    }

    /// The key set as it is published.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let keys: Vec<Value> = self.keys.iter().map(Jwk::to_json).collect();
        json!({"tenant": self.tenant, "keys": keys})
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid() == kid)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn rfc_8037_key() -> Jwk {
        let x = crypto::from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        Jwk::new(x.try_into().unwrap())
    }

    fn set() -> Jwks {
        Jwks {
            tenant: "acme".into(),
            keys: vec![rfc_8037_key(), Jwk::new([1; 32])],
        }
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        assert_eq!(rfc_8037_key().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_set_reads_back() {
        let bytes = serde_json::to_vec(&set().to_json()).unwrap();
        let again = Jwks::parse(&bytes).unwrap();
        assert_eq!(again, set());
        assert_eq!(again.find(&rfc_8037_key().kid()), Some(&rfc_8037_key()));
        assert_eq!(again.find("other"), None);
    }

    #[test]
    fn unfit_sets_are_refused() {
        let change = |pointer: &str, value: Value| {
            let mut set = set().to_json();
            *set.pointer_mut(pointer).unwrap() = value;
            set.to_string()
        };
        let mut private = set().to_json();
        private["keys"][0]["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        let mut double = set().to_json();
        double["keys"][1] = double["keys"][0].clone();
        let wrong = [
            "{".to_owned(),
            "[]".to_owned(),
            r#"{"keys":[]}"#.to_owned(),
            change("/tenant", json!("")),
            change("/keys", json!({})),
            change("/keys/0", json!("key")),
            change("/keys/0/crv", json!("X25519")),
            change("/keys/0/alg", json!("HS256")),
            change("/keys/0/use", json!("enc")),
            change("/keys/0/kid", json!("mine")),
            change("/keys/0/x", json!("AAAA")),
            private.to_string(),
            double.to_string(),
            " ".repeat(MAX_JWKS_BYTES + 1),
        ];
        for text in wrong {
            assert!(Jwks::parse(text.as_bytes()).is_err(), "accepted {text:.300}");
        }
        let rsa = change("/keys/0/kty", json!("RSA"));
        assert_eq!(Jwks::parse(rsa.as_bytes()).unwrap().keys.len(), 1);
    }
}

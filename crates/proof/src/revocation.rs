//! The signed list of revoked permits, so that an offline verifier can know them up to a stated age. It is a compact JWS of its
//! own type; `epoch` grows with each entry.

use crate::Result;
use crate::crypto::SigningKey;
use crate::jwks::Jwks;
use crate::jws::{self, Refused};
use crate::permit::{Claims, Purpose};
use serde::{Deserialize, Serialize};

/// The `typ` of the list's header.
pub const TYPE: &str = "assent-revocations+jwt";

/// The largest list that is read.
pub const MAX_LIST_BYTES: usize = 8 << 20;

/// Revokes the permits of a service in an environment that were issued before an instant. It is written for a halting freeze
/// and never affects a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotBefore {
    /// The service's key.
    pub service: String,
    /// The environment's key.
    pub environment: String,
    /// Permits with an `iat` below this many seconds since 1970 are revoked.
    pub iat: i64,
}

/// The list of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationList {
    /// The tenant of its permits; lists of Assent always name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Counts the entries ever made; a permit names the epoch it was issued at.
    pub epoch: u64,
    /// When it was signed, in seconds since 1970.
    pub issued_at: i64,
    /// The latest time of the next list, in seconds since 1970.
    pub next_update: i64,
    /// The `jti` of each revoked permit that has not run out.
    pub revoked: Vec<String>,
    /// Revocations by service, environment and time.
    pub not_before: Vec<NotBefore>,
}

impl RevocationList {
    /// Signs the list.
    ///
    /// # Errors
    /// [`crate::Error::Canonical`] when a number lies outside the canonical subset.
    pub fn sign(&self, key: &SigningKey) -> Result<String> {
        let payload = serde_json::to_value(self)
            .map_err(|error| crate::Error::malformed("revocation list", error.to_string()))?;
        jws::sign(TYPE, &payload, key)
    }

    /// Opens a list. One that cannot be trusted counts as none: the outcome is undecided.
    ///
    /// # Errors
    /// [`Refused`] with the code `list_invalid`.
    pub fn open(token: &str, keys: &Jwks) -> std::result::Result<Self, Refused> {
        let invalid =
            |why: String| Refused::cannot_tell("list_invalid", format!("The revocation list is not valid. {why}"));
        let token = token.trim_end_matches(['\r', '\n']);
        let payload = jws::open(token, TYPE, keys, MAX_LIST_BYTES).map_err(|refused| invalid(refused.text))?;
        let list: Self = serde_json::from_slice(&payload).map_err(|error| invalid(error.to_string()))?;
        if list.tenant.as_ref().is_some_and(|tenant| *tenant != keys.tenant) {
            return Err(invalid("It is of another tenant.".to_owned()));
        }
        Ok(list)
    }

    /// Whether the list revokes this permit.
    #[must_use]
    pub fn revokes(&self, permit: &Claims) -> bool {
        if self.revoked.contains(&permit.jti) {
            return true;
        }
        let is_hit = |entry: &NotBefore| {
            entry.service == permit.service && entry.environment == permit.environment && permit.iat < entry.iat
        };
        permit.purpose != Purpose::Rollback && self.not_before.iter().any(is_hit)
    }
}

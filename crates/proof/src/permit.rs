//! Permits: signed permission to deploy one artifact of one service to one environment, verified offline. The header's `typ` is
//! `assent-permit+jwt`.

use crate::Result;
use crate::crypto::SigningKey;
use crate::jwks::Jwks;
use crate::jws::{self, Refused};
use crate::revocation::RevocationList;
use serde::{Deserialize, Serialize};

/// The `typ` of a permit's header.
pub const TYPE: &str = "assent-permit+jwt";

/// The largest permit that is read.
pub const MAX_PERMIT_BYTES: usize = 8 * 1024;

/// The tolerated error of the verifier's clock, in seconds.
pub const SKEW_SECONDS: i64 = 60;

/// The oldest revocation list that a permit may accept, in seconds.
pub const MAX_LIST_AGE_SECONDS: u64 = 86_400;

/// The purpose that a permit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Forward.
    Deploy,
    /// Rollback.
    Rollback,
}

/// The claims of a permit. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer: the server's public address.
    pub iss: String,
    /// The change's key.
    pub sub: String,
    /// `tenant/service/environment`.
    pub aud: String,
    /// The permit's own id.
    pub jti: String,
    /// Issued at.
    pub iat: i64,
    /// Not valid before.
    pub nbf: i64,
    /// Not valid from here on.
    pub exp: i64,
    /// The tenant.
    pub tenant: String,
    /// The service's key.
    pub service: String,
    /// The environment's key.
    pub environment: String,
    /// The artifact's digest, when the target names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The commit, when the target names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The member of the target for which alone it is, where the change goes to many in waves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Forward or rollback.
    pub purpose: Purpose,
    /// The digest over the change's content that was approved.
    pub content_digest: String,
    /// The digest of the policy set that decided.
    pub policy_digest: String,
    /// The revocation list's epoch when it was issued.
    pub epoch: u64,
    /// The greatest age of the revocation list, in seconds.
    pub max_list_age_seconds: u64,
    /// Whether break-glass replaced approvals.
    pub break_glass: bool,
}

impl Claims {
    /// The audience for these three keys.
    #[must_use]
    pub fn audience(tenant: &str, service: &str, environment: &str) -> String {
        format!("{tenant}/{service}/{environment}")
    }
}

/// Signs a permit.
///
/// # Errors
/// [`crate::Error::Canonical`] when a number lies outside the canonical subset.
pub fn sign(claims: &Claims, key: &SigningKey) -> Result<String> {
    let payload = serde_json::to_value(claims).map_err(|error| crate::Error::malformed("permit", error.to_string()))?;
    jws::sign(TYPE, &payload, key)
}

/// The longest id of a permit, in bytes.
const LONGEST_ID: usize = 255;

/// The id in a permit's payload as it is written there, unverified: it names a permit for a lookup and proves nothing. If the
/// id cannot be read, a text that no permit has.
#[must_use]
pub fn id_as_written(token: &str) -> String {
    let payload = token.split('.').nth(1).and_then(crate::crypto::from_base64url);
    let claims: Option<serde_json::Value> = payload.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let id = claims.as_ref().and_then(|claims| claims["jti"].as_str());
    id.filter(|id| id.len() <= LONGEST_ID)
        .unwrap_or("unreadable")
        .to_owned()
}

/// The deployment that the verifier intends. The tenant is that of the key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The service's key.
    pub service: &'a str,
    /// The environment's key.
    pub environment: &'a str,
    /// The artifact about to be deployed; this or `commit` must be given, and what is given must match.
    pub artifact: Option<&'a str>,
    /// The commit about to be deployed.
    pub commit: Option<&'a str>,
    /// Forward or rollback, if the verifier knows it; without it either passes.
    pub purpose: Option<Purpose>,
    /// The content digest that the verifier requires, if any.
    pub content_digest: Option<&'a str>,
    /// The verifier's time, in seconds since 1970.
    pub now: i64,
    /// The oldest revocation list that the verifier accepts, in seconds, whatever the permit allows. A thief of the key could
    /// write any age into a permit.
    pub max_list_age_seconds: Option<u64>,
}

/// Verifies a permit: its signature, that it is for this deployment and this moment, and that a revocation list that is new
/// enough does not name it. Without such a list the result is undecided.
///
/// # Errors
/// [`Refused`] with one of the codes `too_large`, `malformed`, `wrong_header`, `unknown_key`, `wrong_signature`,
/// `wrong_tenant`, `wrong_audience`, `nothing_expected`, `wrong_artifact`, `wrong_commit`, `wrong_purpose`, `wrong_content`,
/// `not_yet_valid`, `expired`, `revoked` (bad), or `no_list`, `list_behind`, `list_stale`, `list_from_future` (undecided).
pub fn verify(
    token: &str,
    keys: &Jwks,
    list: Option<&RevocationList>,
    expected: &Expected<'_>,
) -> std::result::Result<Claims, Refused> {
    let token = token.trim_end_matches(['\r', '\n']);
    let payload = jws::open(token, TYPE, keys, MAX_PERMIT_BYTES)?;
    let claims: Claims = serde_json::from_slice(&payload)
        .map_err(|error| Refused::bad("malformed", format!("The permit's claims are malformed: {error}.")))?;
    check_audience(&claims, &keys.tenant, expected)?;
    check_content(&claims, expected)?;
    check_time(&claims, expected.now)?;
    check_revocation(&claims, list, (expected.now, expected.max_list_age_seconds))?;
    Ok(claims)
}

/// Checks a verified permit against a member of its target: a permit with a member is for this member alone.
///
/// # Errors
/// [`Refused`] with the code `wrong_member` (bad).
pub fn check_member(claims: &Claims, member: Option<&str>) -> std::result::Result<(), Refused> {
    match &claims.member {
        Some(named) if member != Some(named.as_str()) => {
            let text = format!("The permit is for the member `{named}` alone.");
            Err(Refused::bad("wrong_member", text))
        }
        _ => Ok(()),
    }
}

fn check_audience(claims: &Claims, tenant: &str, expected: &Expected<'_>) -> std::result::Result<(), Refused> {
    if claims.tenant != tenant {
        return Err(Refused::bad(
            "wrong_tenant",
            "The permit is of another tenant than the key set.",
        ));
    }
    let audience = Claims::audience(tenant, expected.service, expected.environment);
    let is_meant =
        claims.aud == audience && claims.service == expected.service && claims.environment == expected.environment;
    if !is_meant {
        let text = format!("The permit is for `{}`, not for `{audience}`.", claims.aud);
        return Err(Refused::bad("wrong_audience", text));
    }
    Ok(())
}

fn check_content(claims: &Claims, expected: &Expected<'_>) -> std::result::Result<(), Refused> {
    if expected.artifact.is_none() && expected.commit.is_none() {
        let text = "Neither an artifact nor a commit was given to hold the permit to.";
        return Err(Refused::bad("nothing_expected", text));
    }
    if differs(expected.artifact, claims.artifact.as_deref(), is_hex_digest) {
        return Err(Refused::bad("wrong_artifact", "The permit is for another artifact."));
    }
    if differs(expected.commit, claims.commit.as_deref(), is_hex) {
        return Err(Refused::bad("wrong_commit", "The permit is for another commit."));
    }
    if expected.purpose.is_some_and(|purpose| purpose != claims.purpose) {
        let text = match claims.purpose {
            Purpose::Deploy => "The permit is one to deploy, not one to go back.",
            Purpose::Rollback => "The permit is one to go back, not one to deploy.",
        };
        return Err(Refused::bad("wrong_purpose", text));
    }
    if expected
        .content_digest
        .is_some_and(|digest| digest != claims.content_digest)
    {
        return Err(Refused::bad(
            "wrong_content",
            "The permit is for another content of the change.",
        ));
    }
    Ok(())
}

/// Whether what is expected is not what is claimed. Hexadecimal digits are one number in either case of letters, which build
/// tools write differently; a permit has small ones.
fn differs(expected: Option<&str>, claimed: Option<&str>, is_number: fn(&str) -> bool) -> bool {
    let Some(expected) = expected else { return false };
    let is_same = |claimed: &str| {
        claimed == expected || (is_number(claimed) && is_number(expected) && claimed.eq_ignore_ascii_case(expected))
    };
    !claimed.is_some_and(is_same)
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_hex_digest(text: &str) -> bool {
    let is_usual = |name: &str| {
        ["sha256", "sha384", "sha512"]
            .iter()
            .any(|usual| name.eq_ignore_ascii_case(usual))
    };
    text.split_once(':')
        .is_some_and(|(name, digits)| is_usual(name) && is_hex(digits))
}

fn check_time(claims: &Claims, now: i64) -> std::result::Result<(), Refused> {
    let latest = now.saturating_add(SKEW_SECONDS);
    if claims.nbf > latest || claims.iat > latest {
        return Err(Refused::bad("not_yet_valid", "The permit is not valid yet."));
    }
    if now.saturating_sub(SKEW_SECONDS) >= claims.exp {
        return Err(Refused::bad("expired", "The permit has run out."));
    }
    if claims.exp <= claims.nbf || claims.max_list_age_seconds > MAX_LIST_AGE_SECONDS {
        return Err(Refused::bad("malformed", "The permit's times contradict each other."));
    }
    Ok(())
}

fn check_revocation(
    claims: &Claims,
    list: Option<&RevocationList>,
    (now, own_limit): (i64, Option<u64>),
) -> std::result::Result<(), Refused> {
    let list = list.ok_or_else(|| Refused::cannot_tell("no_list", "There is no revocation list."))?;
    // Nothing un-revokes a permit, so a list that is too old still proves a revocation.
    if list.revokes(claims) {
        return Err(Refused::bad("revoked", "The permit was revoked."));
    }
    if list.epoch < claims.epoch {
        let text = "The revocation list is older than the permit; fetch a newer one.";
        return Err(Refused::cannot_tell("list_behind", text));
    }
    let age = now.saturating_sub(list.issued_at);
    if age < -SKEW_SECONDS {
        return Err(Refused::cannot_tell(
            "list_from_future",
            "The revocation list is dated in the future.",
        ));
    }
    let own = own_limit.unwrap_or(u64::MAX);
    let limit = claims.max_list_age_seconds.min(own);
    if u64::try_from(age).is_ok_and(|age| age > limit) {
        let who = if own == limit { "this verifier" } else { "the permit" };
        let text = format!("The revocation list is {age} seconds old, {who} allows {limit}.");
        return Err(Refused::cannot_tell("list_stale", text));
    }
    // A list that was signed so late proves that the permit has run out, whatever the clock here shows.
    if list.issued_at.saturating_sub(SKEW_SECONDS) >= claims.exp {
        return Err(Refused::bad("expired", "The permit has run out."));
    }
    Ok(())
}

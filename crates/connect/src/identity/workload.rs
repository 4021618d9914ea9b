//! Tokens that a pipeline's platform gives its jobs: OpenID Connect ID tokens without a sign-in. GitHub:
//! <https://docs.github.com/en/actions/concepts/security/openid-connect>, GitLab:
//! <https://docs.gitlab.com/ci/secrets/id_token_authentication/>. Their configuration names no authorization endpoint, so only
//! the needed fields are read (OpenID Connect Discovery 1.0 section 4).

use std::str::FromStr;

use jiff::Timestamp;
use model::integration::workload::LONGEST_LIFE_SECONDS;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet};
use openidconnect::{ClientId, HttpRequest, IssuerUrl, Nonce};
use serde_json::{Map, Value};

use crate::identity::oidc::{OidcError, check_begin, claims_error, narrowed, payload, refused};
use crate::socket::http::Http;

/// The longest token that is read, in bytes.
const LONGEST: usize = 16 * 1_024;

/// A platform's keys.
#[derive(Clone)]
pub struct Keys(CoreJsonWebKeySet);

/// The issuer that a token names, unverified: good for finding out whether anybody here trusts it, and for nothing else.
pub fn issuer_of(token: &str) -> Option<String> {
    let middle = token.split('.').nth(1).filter(|_| token.len() <= LONGEST)?;
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, middle).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

fn read(http: &Http, issuer: &str, url: &str) -> Result<Vec<u8>, OidcError> {
    let away = |why: String| {
        refused(
            "provider_away",
            format!("The platform {issuer} cannot be asked: {why}."),
        )
    };
    let request: HttpRequest = openidconnect::http::Request::get(url)
        .header("Accept", "application/json")
        .body(Vec::new())
        .map_err(|error| away(error.to_string()))?;
    let answer = http.call(request).map_err(|error| away(error.to_string()))?;
    if answer.status().as_u16() != 200 {
        return Err(away(format!("it answers {}", answer.status().as_u16())));
    }
    Ok(answer.into_body())
}

/// Reads a platform's keys over its configuration, which must name the requested issuer.
///
/// # Errors
/// `provider_away` with the error.
pub fn keys(http: &Http, issuer: &str) -> Result<Keys, OidcError> {
    let away = |why: &str| refused("provider_away", format!("The platform {issuer} cannot be used: {why}."));
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let told: Value =
        serde_json::from_slice(&read(http, issuer, &url)?).map_err(|_| away("its configuration is no JSON"))?;
    if told["issuer"] != issuer {
        return Err(away("its configuration names another issuer"));
    }
    let place = told["jwks_uri"].as_str().unwrap_or_default();
    // The keys are as trustworthy as the way that they come.
    if !place.starts_with("https://") && issuer.starts_with("https://") {
        return Err(away("its keys do not come over https"));
    }
    let keys = serde_json::from_slice(&read(http, issuer, place)?).map_err(|_| away("its keys cannot be read"))?;
    Ok(Keys(keys))
}

/// The error text for a job: a job has no sign-in page, so it must request a new token from its platform.
fn job_error(error: OidcError) -> OidcError {
    match error.code {
        "token_expired" => refused(
            "token_expired",
            "The platform's token has expired. Let the job ask for a new one just before it comes here.",
        ),
        _ => error,
    }
}

/// The claims of a verified token, and its unique value.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Its claims.
    pub claims: Map<String, Value>,
    /// Its id at its issuer, else all signed bytes: a signature can often be written in another way.
    pub once: String,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// Verifies a token: signature, issuer, audience, times, and that it lives for a bearable time.
///
/// # Errors
/// [`OidcError`], each with its own code and text.
pub fn verify(
    token: &str,
    keys: &Keys,
    (issuer, audience): (&str, &str),
    now: Timestamp,
) -> Result<Verified, OidcError> {
    let signed = token.rsplit_once('.').map(|(signed, _)| signed.to_owned());
    let bad = || refused("bad_token", "This is no token of a platform.");
    if token.len() > LONGEST {
        return Err(bad());
    }
    let token = CoreIdToken::from_str(token).map_err(|_| bad())?;
    let maker = IssuerUrl::new(issuer.to_owned()).map_err(|_| bad())?;
    let verifier = CoreIdTokenVerifier::new_public_client(ClientId::new(audience.to_owned()), maker, keys.0.clone());
    // A job may name other audiences as well: it is enough that the list contains our own (RFC 7519 section 4.1.3). The job's
    // claims are signed all the same, and the rules over them apply.
    let verifier = narrowed(verifier, now)?.set_other_audience_verifier_fn(|_| true);
    // The token was not requested, so it has no nonce.
    token
        .claims(&verifier, |_: Option<&Nonce>| Ok(()))
        .map_err(|error| job_error(claims_error(&error)))?;
    let claims = payload(&token)?;
    check_begin(&claims, now)?;
    let expires_at = check_life(&claims, now)?;
    let id = claims.get("jti").and_then(Value::as_str).filter(|id| !id.is_empty());
    let once = match id {
        Some(id) => format!("{issuer} {id}"),
        None => signed.ok_or_else(bad)?,
    };
    Ok(Verified {
        claims,
        once,
        expires_at,
    })
}

/// Until when a token counts, if it was made within the hour and lives for an hour at most: an old token from the output of a
/// job is worthless.
fn check_life(told: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, OidcError> {
    // A date in seconds may have a fraction, which shortens a life and never lengthens it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a date beyond 64 bits is none and is refused as one"
    )]
    let seconds = |name: &str| told.get(name).and_then(Value::as_f64).map(|it| it.floor() as i64);
    let long =
        "The platform's token was made too long ago, lives for more than an hour, or does not say when it was made.";
    let (Some(made), Some(ends)) = (seconds("iat"), seconds("exp")) else {
        return Err(refused("token_too_long", long));
    };
    let is_fine = ends.saturating_sub(made) <= LONGEST_LIFE_SECONDS
        && now.as_second().saturating_sub(made) <= LONGEST_LIFE_SECONDS;
    let ends = Timestamp::from_second(ends).ok().filter(|_| is_fine);
    ends.ok_or_else(|| refused("token_too_long", long))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
    use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-05-04T20:00:00Z";

    /// A platform's key and its published keys.
    fn platform() -> (CoreEdDsaPrivateSigningKey, Keys) {
        // PKCS #8 of a key of Ed25519 (RFC 8410 section 7), whose seed is nothing but sevens.
        let mut der = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ];
        der.extend([7; 32]);
        let label = "PRIVATE KEY";
        let pem = format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            STANDARD.encode(der)
        );
        let id = JsonWebKeyId::new("k1".to_owned());
        let key = CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(id)).unwrap();
        let keys = Keys(CoreJsonWebKeySet::new(vec![key.as_verification_key()]));
        (key, keys)
    }

    fn token(key: &CoreEdDsaPrivateSigningKey, audience: &Value) -> String {
        let now: Timestamp = NOW.parse().unwrap();
        let claims = json!({"iss": "https://ci.example", "aud": audience, "sub": "repo:acme/booking",
            "iat": now.as_second(), "exp": now.as_second() + 300});
        signed(key, &claims)
    }

    fn signed(key: &CoreEdDsaPrivateSigningKey, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"});
        let signed = format!("{}.{}", text(&head), text(claims));
        let signature = key.sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_token_is_meant_for_whoever_stands_among_its_audiences() {
        let (key, keys) = platform();
        let look = |audience: &Value| {
            let now = NOW.parse().unwrap();
            verify(&token(&key, audience), &keys, ("https://ci.example", "assent"), now)
        };
        for meant in [
            json!("assent"),
            json!(["assent"]),
            json!(["assent", "y"]),
            json!(["y", "assent"]),
        ] {
            let told = look(&meant).unwrap_or_else(|refused| panic!("{meant}: {refused:?}"));
            assert_eq!(told.claims["sub"], "repo:acme/booking", "{meant}");
            assert_eq!(
                told.expires_at.as_second(),
                NOW.parse::<Timestamp>().unwrap().as_second() + 300
            );
        }
        for meant in [json!("y"), json!(["y", "z"]), json!([]), json!(["assent2", "Assent"])] {
            assert_eq!(look(&meant).unwrap_err().code, "wrong_audience", "{meant}");
        }
    }

    #[test]
    fn a_token_lives_for_an_hour_at_most_and_says_when_it_was_made() {
        let (key, keys) = platform();
        let now: Timestamp = NOW.parse().unwrap();
        let look = |made: Value, ends: Value, id: Value| {
            let mut claims =
                json!({"iss": "https://ci.example", "aud": "assent", "sub": "x", "iat": made, "exp": ends});
            claims["jti"] = id;
            claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let told = verify(&signed(&key, &claims), &keys, ("https://ci.example", "assent"), now);
            told.map(|it| it.once).map_err(|refused| refused.code)
        };
        let at = |seconds: i64| json!(now.as_second() + seconds);
        let fine = |made: i64, ends: i64| look(at(made), at(ends), json!("one")).is_ok();
        assert!(fine(0, 300) && fine(0, 3_600) && fine(-3_599, 1) && fine(120, 300));
        for (made, ends) in [
            (0, 3_601),
            (-60, 3_541),
            (-3_601, 1),
            (-86_400, 300),
            (-86_400, 86_400),
            (121, 300),
        ] {
            assert!(!fine(made, ends), "{made} {ends}");
        }
        assert!(look(Value::Null, at(300), json!("one")).is_err());
        // One id is one token, whatever its other claims; without an id the whole token is.
        let once = |made: i64, id: Value| look(at(made), at(300), id).unwrap();
        assert_eq!(once(0, json!("one")), once(-5, json!("one")));
        assert_ne!(once(0, json!("one")), once(0, json!("two")));
        assert_ne!(once(0, Value::Null), once(-5, Value::Null));
        assert_ne!(once(0, json!("")), once(-5, json!("")), "an empty id is none");
    }

    #[test]
    fn a_job_is_told_of_a_token_that_is_over_in_words_for_a_job() {
        let told = job_error(refused(
            "token_expired",
            "The provider's token has expired. Sign in again.",
        ));
        assert_eq!(told.code, "token_expired");
        assert!(told.text.contains("Let the job ask for a new one"), "{}", told.text);
        let other = job_error(refused("wrong_signature", "It is not its own."));
        assert_eq!(other.text, "It is not its own.");
    }
}

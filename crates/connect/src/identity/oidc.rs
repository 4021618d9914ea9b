//! Signing in at an OpenID Connect provider: the authorization code flow (OpenID Connect Core 1.0 section 3.1) with PKCE
//! S256 (RFC 7636), over discovery. Random values and the time are parameters; calls block.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use model::identity::provider::Claimed;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreGenderClaim, CoreGrantType, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AdditionalProviderMetadata, AuthType, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata,
    RedirectUrl, Scope, SignatureVerificationError, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::socket::http::Http;

/// How far the provider's clock may run ahead of ours, in seconds.
pub(crate) const AHEAD_SECONDS: i64 = 120;
/// The longest value that is read from a claim, in bytes.
const LONGEST_VALUE: usize = 500;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Why signing in at a provider came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct OidcError {
    /// `provider_away`, `code_refused`, `wrong_issuer`, `wrong_audience`, `wrong_nonce`, `token_expired`,
    /// `token_unsigned`, `wrong_signature`, `not_fresh` or `bad_token`.
    pub code: &'static str,
    /// The sentence for people.
    pub text: String,
}

pub(crate) fn refused(code: &'static str, text: impl Into<String>) -> OidcError {
    OidcError {
        code,
        text: text.into(),
    }
}

/// How we are known at a provider.
#[derive(Clone)]
pub struct Registration {
    /// The issuer.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there, if there is one. It is never printed.
    pub client_secret: Option<String>,
    /// The one address for the redirect back.
    pub redirect_uri: String,
    /// The scopes that are requested besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that a login is made from.
    pub login_claim: String,
    /// The claim that lists groups.
    pub groups_claim: Option<String>,
}

/// The state shared by the two steps of a sign-in; the caller stores it where only the same browser brings it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Comes back with the code: ties the response to the request.
    pub state: String,
    /// Comes back inside of the token: ties the token to the question.
    pub nonce: String,
    /// PKCE's secret, 43 to 128 characters.
    pub verifier: String,
}

/// Fields of a provider's configuration beyond those of the library.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct More {
    /// Whether each of its responses names it (RFC 9207 section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorization_response_iss_parameter_supported: Option<Value>,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// A provider's configuration, with its keys.
#[derive(Clone)]
pub struct Discovered(Metadata);

impl Discovered {
    /// Whether each of its responses names it, so that a response without its name is not its own (RFC 9207 section 2.4).
    pub fn names_itself(&self) -> bool {
        let more = self.0.additional_metadata();
        more.authorization_response_iss_parameter_supported == Some(Value::Bool(true))
    }
}

/// Reads a provider's configuration and keys (OpenID Connect Discovery 1.0 section 4). The configuration must name the
/// requested issuer.
///
/// # Errors
/// `provider_away` with the error.
pub fn discover(http: &Http, issuer: &str) -> Result<Discovered, OidcError> {
    let away = |why: String| {
        refused(
            "provider_away",
            format!("The identity provider {issuer} cannot be used: {why}."),
        )
    };
    let url = IssuerUrl::new(issuer.to_owned()).map_err(|error| away(error.to_string()))?;
    let call = |request| http.call(request);
    Metadata::discover(&url, &call)
        .map(Discovered)
        .map_err(|error| away(format!("{}{}", error_chain(&error), mended(&error))))
}

/// The hint for a configuration that names another issuer than requested, such as one with a slash at its end.
fn mended<E: std::error::Error>(error: &DiscoveryError<E>) -> &'static str {
    match error {
        DiscoveryError::Validation(_) => {
            "; an administrator writes the issuer letter for letter as the provider names it, with its last slash or without, and with \
             the organisation's own id in place of a word for all (`common`)"
        }
        _ => "",
    }
}

/// An error and its causes on one line.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text.trim_end_matches('.').to_owned()
}

fn client(registration: &Registration, discovered: &Discovered) -> Result<Client, OidcError> {
    let redirect = RedirectUrl::new(registration.redirect_uri.clone())
        .map_err(|error| refused("provider_away", format!("The way back cannot be told: {error}.")))?;
    let secret = registration.client_secret.clone().map(ClientSecret::new);
    let id = ClientId::new(registration.client_id.clone());
    let client = CoreClient::from_provider_metadata(discovered.0.clone(), id, secret).set_redirect_uri(redirect);
    // RFC 6749 section 2.3.1 prefers the header; some providers take the secret in the body alone.
    let methods = discovered.0.token_endpoint_auth_methods_supported();
    let wants_body = methods.is_some_and(|methods| {
        !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
            && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
    });
    let kind = if wants_body {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    };
    Ok(client.set_auth_type(kind))
}

/// The address to which the browser goes. `fresh` requests a new sign-in, whatever session people have at the provider.
///
/// # Errors
/// `provider_away` when the registration cannot be used.
pub fn begin(
    registration: &Registration,
    discovered: &Discovered,
    pending: &Pending,
    fresh: bool,
) -> Result<String, OidcError> {
    let client = client(registration, discovered)?;
    let verifier = PkceCodeVerifier::new(pending.verifier.clone());
    let (state, nonce) = (pending.state.clone(), pending.nonce.clone());
    let mut request = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || CsrfToken::new(state),
            || Nonce::new(nonce),
        )
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    for scope in &registration.scopes {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    if fresh {
        request = request
            .add_prompt(CoreAuthPrompt::Login)
            .set_max_age(std::time::Duration::ZERO);
    }
    Ok(request.url().0.to_string())
}

/// A sign-in that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The identity.
    pub claimed: Claimed,
    /// When they signed in at the provider, if reported.
    pub signed_in_at: Option<Timestamp>,
    /// The methods, if reported: values of RFC 8176 such as `pwd`, `otp`, `hwk`.
    pub methods: Vec<String>,
    /// The class of that sign-in, if reported (`acr`).
    pub class: Option<String>,
}

/// Values of `amr` (RFC 8176 section 2) that prove more than something known: several factors, a one-time password, a key in
/// hardware or software, a smart card, a feature of the body. A message to a telephone (`sms`, `tel`) does not count.
const SECOND: [&str; 10] = ["mfa", "otp", "hwk", "swk", "pop", "sc", "fpt", "face", "iris", "retina"];
/// Values of `acr` with the same meaning: of OpenID Connect's profiles for authentication that resists phishing
/// (<https://openid.net/specs/openid-connect-eap-acr-values-1_0.html>), of PAPE, and of the federations of universities.
const SECOND_CLASSES: [&str; 4] = [
    "phr",
    "phrh",
    "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
    "https://refeds.org/profile/mfa",
];

impl Verified {
    /// Whether the provider reported a factor beyond something known. Without a report nothing is proven.
    pub fn proves_second_factor(&self) -> bool {
        let is_second = |method: &String| SECOND.contains(&method.as_str());
        let class = self.class.as_deref();
        self.methods.iter().any(is_second) || class.is_some_and(|class| SECOND_CLASSES.contains(&class))
    }
}

/// Exchanges a code and verifies the token: signature, issuer, audience, nonce, times (OpenID Connect Core 1.0 section
/// 3.1.3.7). `fresh_since` requires that people signed in after that time.
///
/// # Errors
/// [`OidcError`], each with its own code and text.
pub fn finish(
    http: &Http,
    registration: &Registration,
    discovered: &Discovered,
    code: &str,
    pending: &Pending,
    (now, fresh_since): (Timestamp, Option<Timestamp>),
) -> Result<Verified, OidcError> {
    let client = client(registration, discovered)?;
    let call = |request| http.call(request);
    let exchange = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .map_err(|error| {
            refused(
                "provider_away",
                format!("The provider names no token endpoint: {error}."),
            )
        })?;
    let tokens: CoreTokenResponse = exchange
        .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
        .request(&call)
        .map_err(|error| {
            refused(
                "code_refused",
                format!("The provider refused the code: {}.", error_chain(&error)),
            )
        })?;
    let token = tokens
        .id_token()
        .ok_or_else(|| refused("bad_token", "The provider sent no ID token."))?;
    let claims = verify(&client, token, (&registration.client_id, &pending.nonce), now)?;
    check_access_token(&client, &tokens, token, claims)?;
    let signed_in_at = claims
        .auth_time()
        .and_then(|at| Timestamp::from_second(at.timestamp()).ok());
    if let Some(since) = fresh_since
        && signed_in_at.is_none_or(|at| at < since)
    {
        let text = "The provider did not say that you signed in anew. Sign in there again.";
        return Err(refused("not_fresh", text));
    }
    // Only the token of a sign-in proves its method.
    let own = payload(token)?;
    check_begin(&own, now)?;
    let (methods, class) = (
        texts(own.get("amr")),
        own.get("acr").and_then(Value::as_str).map(str::to_owned),
    );
    let all = joined(own, more_about(&client, &tokens, claims, http)?);
    Ok(Verified {
        claimed: read(registration, claims.subject().as_str(), &all),
        signed_in_at,
        methods,
        class,
    })
}

fn verify<'a>(
    client: &Client,
    token: &'a CoreIdToken,
    (client_id, nonce): (&str, &str),
    now: Timestamp,
) -> Result<&'a CoreIdTokenClaims, OidcError> {
    // A token may name other audiences as well; then it must state that it was made for us, and may never state that it was
    // made for another party (section 3.1.3.7, 3 to 5). The library leaves that to us.
    let verifier = narrowed(client.id_token_verifier(), now)?.set_other_audience_verifier_fn(|_| true);
    let claims = token
        .claims(&verifier, &Nonce::new(nonce.to_owned()))
        .map_err(|error| claims_error(&error))?;
    let party = claims.authorized_party().map(|party| party.as_str());
    if !party.map_or(claims.audiences().len() == 1, |party| party == client_id) {
        let text = "The provider's token is meant for somebody else, or does not say for whom of several it was made.";
        return Err(refused("wrong_audience", text));
    }
    // With an empty subject, all people of a careless provider would be one person.
    if claims.subject().as_str().trim().is_empty() {
        return Err(refused(
            "bad_token",
            "The provider's token does not identify you: its `sub` is empty.",
        ));
    }
    Ok(claims)
}

/// A verifier that refuses weak algorithms, with the time as a parameter.
pub(crate) fn narrowed(
    verifier: CoreIdTokenVerifier<'_>,
    now: Timestamp,
) -> Result<CoreIdTokenVerifier<'_>, OidcError> {
    let time = DateTime::<Utc>::from_timestamp(now.as_second(), 0)
        .ok_or_else(|| refused("bad_token", "The clock stands outside of all times."))?;
    let latest = time + chrono::Duration::seconds(AHEAD_SECONDS);
    Ok(verifier
        // Only algorithms that need the provider's private key: a MAC under a shared secret proves less, `none` nothing.
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
            CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            CoreJwsSigningAlgorithm::RsaSsaPssSha384,
            CoreJwsSigningAlgorithm::RsaSsaPssSha512,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::EcdsaP384Sha384,
            CoreJwsSigningAlgorithm::EdDsa,
        ])
        .set_time_fn(move || time)
        .set_issue_time_verifier_fn(move |issued| {
            if issued > latest {
                Err("the token was issued in the future".to_owned())
            } else {
                Ok(())
            }
        }))
}

pub(crate) fn claims_error(error: &ClaimsVerificationError) -> OidcError {
    use ClaimsVerificationError as Claims;
    use SignatureVerificationError as Signature;
    let (code, text) = match error {
        // The library reports a token of tomorrow as expired as well; only its text shows the difference.
        Claims::Expired(why) if why.contains("future") => (
            "bad_token",
            "The provider's token cannot be taken: it was issued in the future.".to_owned(),
        ),
        Claims::Expired(_) => (
            "token_expired",
            "The provider's token has expired. Sign in again.".to_owned(),
        ),
        Claims::InvalidAudience(_) => (
            "wrong_audience",
            "The provider's token is meant for somebody else.".to_owned(),
        ),
        Claims::InvalidIssuer(_) => ("wrong_issuer", "The token was issued by another provider.".to_owned()),
        Claims::InvalidNonce(_) => (
            "wrong_nonce",
            "The token answers another sign-in than yours.".to_owned(),
        ),
        Claims::SignatureVerification(Signature::NoSignature) => {
            ("token_unsigned", "The provider's token bears no signature.".to_owned())
        }
        Claims::SignatureVerification(Signature::DisallowedAlg(_) | Signature::UnsupportedAlg(_)) => (
            "token_unsigned",
            "The provider's token is signed in a way that proves nothing here.".to_owned(),
        ),
        Claims::SignatureVerification(_) => (
            "wrong_signature",
            "The signature of the provider's token is not its own.".to_owned(),
        ),
        other => ("bad_token", format!("The provider's token cannot be taken: {other}.")),
    };
    refused(code, text)
}

/// Where the token names the access token's hash, the access token must be that one.
fn check_access_token(
    client: &Client,
    tokens: &CoreTokenResponse,
    token: &CoreIdToken,
    claims: &CoreIdTokenClaims,
) -> Result<(), OidcError> {
    let Some(expected) = claims.access_token_hash() else {
        return Ok(());
    };
    let wrong = |_| refused("bad_token", "The provider's token cannot be taken.");
    let verifier = client.id_token_verifier();
    let alg = token
        .signing_alg()
        .map_err(|_| refused("bad_token", "The token names no algorithm."))?;
    let key = token.signing_key(&verifier).map_err(wrong)?;
    let actual = AccessTokenHash::from_token(tokens.access_token(), alg, key)
        .map_err(|_| refused("bad_token", "The provider's token cannot be taken."))?;
    if &actual == expected {
        return Ok(());
    }
    Err(refused(
        "bad_token",
        "The access token is not the one that was signed for.",
    ))
}

/// The claims of a token that was verified before.
pub(crate) fn payload(token: &CoreIdToken) -> Result<Map<String, Value>, OidcError> {
    let text = token.to_string();
    let middle = text.split('.').nth(1).unwrap_or_default();
    let wrong = || refused("bad_token", "The provider's token cannot be read.");
    let bytes =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, middle).map_err(|_| wrong())?;
    serde_json::from_slice(&bytes).map_err(|_| wrong())
}

/// Refuses a token that does not count yet: `nbf` (RFC 7519 section 4.1.5), which the library does not look at.
pub(crate) fn check_begin(told: &Map<String, Value>, now: Timestamp) -> Result<(), OidcError> {
    let Some(begin) = told.get("nbf") else { return Ok(()) };
    let latest = now.as_second().saturating_add(AHEAD_SECONDS);
    // A date in seconds may have a fraction; a value that is no number never counts.
    #[expect(clippy::cast_precision_loss, reason = "seconds of this age are far below 2^53")]
    let has_begun = begin.as_f64().is_some_and(|begin| begin <= latest as f64);
    if has_begun {
        return Ok(());
    }
    Err(refused("bad_token", "The token does not count yet."))
}

/// Claims beyond those of the library.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rest {
    #[serde(flatten)]
    all: HashMap<String, Value>,
}

impl AdditionalClaims for Rest {}

/// The claims of the user info endpoint, which has names and groups in the code flow (section 5.4). Its subject must be the
/// same.
fn more_about(
    client: &Client,
    tokens: &CoreTokenResponse,
    claims: &CoreIdTokenClaims,
    http: &Http,
) -> Result<Map<String, Value>, OidcError> {
    if client.user_info_url().is_none() {
        return Ok(Map::new());
    }
    let away = |why: String| {
        refused(
            "provider_away",
            format!("The provider does not tell who you are: {why}."),
        )
    };
    let request = client
        .user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
        .map_err(|error| away(error.to_string()))?;
    let call = |request| http.call(request);
    let told_us: UserInfoClaims<Rest, CoreGenderClaim> =
        request.request(&call).map_err(|error| away(error_chain(&error)))?;
    let mut found: Map<String, Value> = told_us.additional_claims().all.clone().into_iter().collect();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            found.insert(name.to_owned(), Value::String(value));
        }
    };
    put("email", told_us.email().map(|it| it.to_string()));
    put(
        "preferred_username",
        told_us.preferred_username().map(|it| it.to_string()),
    );
    put(
        "name",
        told_us.name().and_then(|it| it.get(None)).map(|it| it.to_string()),
    );
    if let Some(verified) = told_us.email_verified() {
        found.insert("email_verified".to_owned(), Value::Bool(verified));
    }
    // Claims that bind a token to its sign-in are taken from the signed token alone.
    for name in ["amr", "auth_time", "nonce", "iss", "aud", "sub"] {
        found.remove(name);
    }
    Ok(found)
}

/// The token's claims, overridden by those of the user info endpoint.
fn joined(mut token: Map<String, Value>, more: Map<String, Value>) -> Map<String, Value> {
    let mail = |map: &Map<String, Value>| Some(map.get("email")?.as_str()?.trim().to_lowercase());
    // The verification of an address is for the address beside it: another one does not inherit it.
    if more.contains_key("email") && mail(&more) != mail(&token) {
        token.remove("email_verified");
    }
    token.extend(more);
    token
}

/// Whether the claim with the groups is left out because there are too many, and is elsewhere: as a distributed claim (OpenID
/// Connect Core 1.0 section 5.6.2), or in Entra's form for a token that passes through an address.
fn is_overage(all: &Map<String, Value>, name: &str) -> bool {
    let elsewhere = all.get("_claim_names").and_then(Value::as_object);
    elsewhere.is_some_and(|names| names.contains_key(name)) || is_yes(all.get("hasgroups"))
}

/// The provider's groups; `None` where none are requested, or where the provider refers to another place. An absent claim is an
/// empty one, for Entra and Okta omit it for people in no group.
fn groups_of(registration: &Registration, all: &Map<String, Value>) -> Option<Vec<String>> {
    let name = registration.groups_claim.as_deref()?;
    match all.get(name) {
        None if is_overage(all, name) => None,
        value => Some(texts(value)),
    }
}

fn read(registration: &Registration, subject: &str, all: &Map<String, Value>) -> Claimed {
    let text = |name: &str| {
        let value = all.get(name)?.as_str()?.trim();
        (!value.is_empty() && value.len() <= LONGEST_VALUE).then(|| value.to_owned())
    };
    Claimed {
        subject: format!("{} {subject}", registration.issuer),
        login: text(&registration.login_claim),
        name: text("name"),
        mail: text("email").map(|mail| mail.to_lowercase()),
        mail_is_verified: is_yes(all.get("email_verified")),
        groups: groups_of(registration, all),
    }
}

/// Yes, as the standard writes it or as a text, which is how Amazon Cognito does.
fn is_yes(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(is_so)) => *is_so,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

/// The texts of a claim that is a list of them, or one. All are read, as many as a response may hold: cutting the list would
/// remove people from the groups at its end.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => {
            let texts = items
                .iter()
                .filter_map(Value::as_str)
                .filter(|text| text.len() <= LONGEST_VALUE);
            texts.map(str::to_owned).collect()
        }
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Map, Value, json};

    use super::{Registration, Verified, joined, read, texts};

    fn registration() -> Registration {
        Registration {
            issuer: "https://id.example".to_owned(),
            client_id: "assent".to_owned(),
            client_secret: None,
            redirect_uri: "https://assent.example/back".to_owned(),
            scopes: Vec::new(),
            login_claim: "preferred_username".to_owned(),
            groups_claim: Some("groups".to_owned()),
        }
    }

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_second_factor_is_what_the_provider_says_and_nothing_else() {
        let proves = |methods: &[&str], class: Option<&str>| {
            let verified = Verified {
                claimed: read(&registration(), "7", &Map::new()),
                signed_in_at: None,
                methods: methods.iter().map(|it| (*it).to_owned()).collect(),
                class: class.map(str::to_owned),
            };
            verified.proves_second_factor()
        };
        for (methods, class) in [
            (&["pwd", "mfa"][..], None),
            (&["pwd", "otp"], None),
            (&["hwk"], Some("urn:any")),
            (&[], Some("phrh")),
            (&["pwd"], Some("https://refeds.org/profile/mfa")),
        ] {
            assert!(proves(methods, class), "{methods:?} {class:?}");
        }
        for (methods, class) in [
            (&[][..], None),
            (&["pwd"], None),
            (&["pwd", "sms"], Some("1")),
            (&["pin", "kba", "rba", "geo", "MFA"], Some("mfa")),
        ] {
            assert!(!proves(methods, class), "{methods:?} {class:?}");
        }
    }

    #[test]
    fn groups_that_are_left_away_are_none_unless_the_token_says_that_they_stand_elsewhere() {
        for (claims, wanted) in [
            (json!({"groups": ["sre"]}), Some(vec!["sre".to_owned()])),
            (json!({"groups": []}), Some(Vec::new())),
            (json!({}), Some(Vec::new())),
            (json!({"hasgroups": false}), Some(Vec::new())),
            (json!({"_claim_names": {"address": "src1"}}), Some(Vec::new())),
            (json!({"_claim_names": {"groups": "src1"}}), None),
            (json!({"hasgroups": true}), None),
            (json!({"hasgroups": "true"}), None),
        ] {
            assert_eq!(read(&registration(), "7", &map(&claims)).groups, wanted, "{claims}");
        }
        let asks_none = Registration {
            groups_claim: None,
            ..registration()
        };
        assert_eq!(read(&asks_none, "7", &map(&json!({"groups": ["sre"]}))).groups, None);
    }

    #[test]
    fn another_address_of_the_user_info_does_not_inherit_that_the_tokens_was_verified() {
        let token = json!({"email": "ada@acme.example", "email_verified": true});
        for (more, mail, is_verified) in [
            (json!({}), "ada@acme.example", true),
            (json!({"email": "Ada@acme.example"}), "ada@acme.example", true),
            (json!({"email": "adam@acme.example"}), "adam@acme.example", false),
            (
                json!({"email": "adam@acme.example", "email_verified": true}),
                "adam@acme.example",
                true,
            ),
            (
                json!({"email": "ada@acme.example", "email_verified": false}),
                "ada@acme.example",
                false,
            ),
        ] {
            let claimed = read(&registration(), "7", &joined(map(&token), map(&more)));
            assert_eq!(
                (claimed.mail.as_deref(), claimed.mail_is_verified),
                (Some(mail), is_verified),
                "{more}"
            );
        }
        let alone = joined(
            map(&json!({"email_verified": true})),
            map(&json!({"email": "a@b.example"})),
        );
        assert!(!read(&registration(), "7", &alone).mail_is_verified);
    }

    #[test]
    fn a_token_counts_from_the_time_that_it_names() {
        let now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(400_000);
        let at = |begin: Value| super::check_begin(&map(&json!({"nbf": begin})), now).is_ok();
        let seconds = now.as_second();
        assert!(super::check_begin(&Map::new(), now).is_ok());
        assert!(at(json!(seconds)) && at(json!(seconds + 120)) && at(json!(0.5)));
        assert!(!at(json!(seconds + 121)) && !at(json!(1e18)) && !at(json!("soon")));
    }

    #[test]
    fn every_group_of_a_long_list_is_read() {
        let many: Vec<String> = (0..20_000).map(|number| format!("group-{number}")).collect();
        assert_eq!(texts(Some(&json!(many))), many);
        assert_eq!(texts(Some(&json!("boards"))), ["boards"]);
        assert!(texts(Some(&json!({"boards": true}))).is_empty());
    }
}

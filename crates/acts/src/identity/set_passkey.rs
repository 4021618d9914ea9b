//! Passkeys (WebAuthn Level 3, <https://www.w3.org/TR/webauthn-3/>): a key pair in an authenticator of its person, which
//! unlocks it by a finger, a face or a PIN. Each ceremony has two steps: a challenge that is stored here, and a response that
//! is checked once, whether it is valid or not. The library checks signature, origin, relying party, presence and verification;
//! this module manages challenges and credentials.

use jiff::{SignedDuration, Timestamp};
use model::core::body::Body;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::identity::factor::Factor;
use proof::crypto::{base64url, from_base64url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::identity::second_factor;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::{
    AuthenticationVerificationOptions, AuthenticatorAttachmentEnforcement, SignatureCounterEnforcement,
};
use webauthn_rp::request::register::{
    CredProtect, Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle16, Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::response::register::error::RegCeremonyErr;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication16, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, RegisteredCredential, Registration,
    RegistrationServerState,
};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::services::Way;
use crate::core::write;
use crate::identity::set_second_factor as factors;
use crate::identity::set_second_factor::PASSKEY;
use crate::identity::{known_ways, note_sign_in};

/// How long the second half of a ceremony is waited for, in seconds.
const PATIENCE_SECONDS: i64 = 300;
/// How many ceremonies of people who are not known yet are open at most in a tenant; past it the oldest end.
const MOST_OPEN: i64 = 10_000;

/// The ceremony that adds a passkey.
const ADD: &str = "passkey_add";
/// The ceremony in which a passkey serves as a fresh factor.
const STEP_UP: &str = "passkey_step_up";
/// The ceremony in which a passkey signs in.
const SIGN_IN: &str = "passkey_sign_in";

/// A public key as it is stored: compressed, of any supported kind.
type Key = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// The first half of a ceremony.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// Identifies the second step; this id gives no access.
    pub id: String,
    /// The options for the browser's authenticator: `PublicKeyCredentialCreationOptionsJSON` or
    /// `PublicKeyCredentialRequestOptionsJSON` of the standard.
    pub options: Value,
}

/// The result of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CeremonyResult<T> {
    /// It was right.
    Right(T),
    /// The response was wrong, with the reason. The person is given when the response names the owner of a passkey here.
    Wrong(Wrong, Option<PersonId>),
}

/// A passkey that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The owner.
    pub person: PersonId,
    /// How strong the factor is.
    pub factor: Factor,
    /// The passkey's id.
    pub id: String,
}

/// Why a response is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The challenge is unknown, used or too old.
    Over,
    /// It cannot be read.
    Unreadable,
    /// It was made for another address than ours.
    Elsewhere,
    /// Nobody was verified: no finger, no face, no PIN.
    Unverified,
    /// This passkey is not known here, or its person has no local account.
    Unknown,
    /// It belongs to another person.
    OfAnother,
    /// The signature does not fit.
    Forged,
    /// The counter did not grow, so there are two copies.
    Copied,
    /// It is kept already.
    There,
}

impl Wrong {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Over => "passkey_over",
            Self::Unreadable => "passkey_unreadable",
            Self::Elsewhere => "passkey_elsewhere",
            Self::Unverified => "passkey_unverified",
            Self::Unknown => "passkey_unknown",
            Self::OfAnother => "passkey_of_another",
            Self::Forged => "passkey_forged",
            Self::Copied => "passkey_copied",
            Self::There => "passkey_there",
        }
    }

    /// The sentence for people, with the remedy.
    pub fn text(self) -> &'static str {
        match self {
            Self::Over => "This challenge was already used, or it is more than 5 minutes old. Begin again.",
            Self::Unreadable => "The response of the authenticator cannot be read. Begin again.",
            Self::Elsewhere => "This response was made for another address. Open this server by its own address.",
            Self::Unverified => "The authenticator did not verify you. Use its fingerprint, face or PIN.",
            Self::Unknown => "This passkey is not known here. Sign in in another way and add it to your account.",
            Self::OfAnother => "This passkey belongs to somebody else. Use your own.",
            Self::Forged => "The signature of this passkey is not valid. Begin again.",
            Self::Copied => {
                "This passkey's counter did not grow, so there may be a copy of it. Use another factor, and remove this one."
            }
            Self::There => "This passkey is in your account already. Use another authenticator.",
        }
    }
}

impl From<AuthCeremonyErr> for Wrong {
    fn from(error: AuthCeremonyErr) -> Self {
        match error {
            AuthCeremonyErr::Timeout | AuthCeremonyErr::ChallengeMismatch => Self::Over,
            AuthCeremonyErr::OriginMismatch
            | AuthCeremonyErr::CrossOrigin
            | AuthCeremonyErr::TopOriginMismatch
            | AuthCeremonyErr::RpIdHashMismatch => Self::Elsewhere,
            AuthCeremonyErr::UserNotVerified => Self::Unverified,
            AuthCeremonyErr::UserHandleMismatch | AuthCeremonyErr::MissingUserHandle => Self::OfAnother,
            AuthCeremonyErr::CredentialIdMismatch | AuthCeremonyErr::NoMatchingAllowedCredential => Self::Unknown,
            AuthCeremonyErr::AssertionSignature => Self::Forged,
            AuthCeremonyErr::SignatureCounter => Self::Copied,
            _ => Self::Unreadable,
        }
    }
}

impl From<RegCeremonyErr> for Wrong {
    fn from(error: RegCeremonyErr) -> Self {
        match error {
            RegCeremonyErr::Timeout | RegCeremonyErr::ChallengeMismatch => Self::Over,
            RegCeremonyErr::OriginMismatch
            | RegCeremonyErr::CrossOrigin
            | RegCeremonyErr::TopOriginMismatch
            | RegCeremonyErr::RpIdHashMismatch => Self::Elsewhere,
            RegCeremonyErr::UserNotVerified | RegCeremonyErr::UserNotPresent => Self::Unverified,
            RegCeremonyErr::AttestationSignature => Self::Forged,
            _ => Self::Unreadable,
        }
    }
}

/// A passkey as stored, encrypted, in its factor.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    /// The credential's id, base64url.
    id: String,
    /// Its public key and other constant parts, as the library writes them, base64url.
    fixed: String,
    /// Counter, backup state, attachment, base64url.
    moving: String,
    /// How it is reached.
    transports: u8,
    /// When the counter did not grow; since then the passkey gives no access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copied_at: Option<Timestamp>,
}

/// The relying party: the name in the public address, and that address.
struct Site {
    id: RpId,
    origin: String,
}

/// Host and origin of a public address where passkeys work: browsers offer them under a name by HTTPS, and under
/// `localhost` for trials.
fn place_of(public_url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = public_url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let origin = &public_url[..scheme.len() + 3 + authority.len()];
    let host = authority.split(':').next()?;
    let is_local = host == "localhost" || host.ends_with(".localhost");
    let is_name = !host.is_empty() && !authority.starts_with('[') && host.parse::<std::net::IpAddr>().is_err();
    (is_name && (scheme == "https" || is_local)).then_some((host, origin))
}

/// Whether passkeys work under the server's public address.
pub fn is_offered(public_url: &str) -> bool {
    place_of(public_url).is_some()
}

impl Site {
    fn of(cx: &Context<'_, '_>) -> Result<Self> {
        let found = place_of(&cx.services.tools().public_url);
        let named = found.and_then(|(host, origin)| {
            let domain = AsciiDomain::try_from(host.to_ascii_lowercase()).ok()?;
            Some(Self {
                id: RpId::Domain(domain),
                origin: origin.to_ascii_lowercase(),
            })
        });
        named.ok_or_else(|| {
            let text = "Passkeys need a public address with a name and HTTPS, and this server's has none.";
            let satisfy =
                "The operator of the server must set `--public-url`; until then, use the codes of an authenticator.";
            Refusal::not_now("no_passkeys_here", text, satisfy, Vec::new()).into()
        })
    }
}

fn broken(what: &str) -> Error {
    Error::Fault(format!("{what} of a passkey cannot be used"))
}

/// The user handle for the authenticator: the 16 bytes of the person's random id, which reveal nothing about the person
/// (section 14.6.1).
fn handle_of(person: &PersonId) -> Result<UserHandle16> {
    let id = uuid::Uuid::parse_str(person.as_str()).map_err(|_| broken("the owner's id"))?;
    UserHandle16::decode(id.into_bytes()).map_err(|_| broken("the owner's id"))
}

fn person_of(handle: &UserHandle16) -> Option<PersonId> {
    let bytes: [u8; 16] = handle.as_ref().try_into().ok()?;
    Some(PersonId(uuid::Uuid::from_bytes(bytes).to_string()))
}

/// The passkeys of a person, each with the id of its factor. An unreadable passkey is skipped as if absent: it gives no access,
/// and its person can still use others.
fn kept_of(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<Vec<(String, Kept)>> {
    let found = second_factor::of_person(cx.tx, person.as_str())?;
    let passkeys = found.iter().filter(|it| it.kind == PASSKEY);
    let mut readable = Vec::new();
    for it in passkeys {
        let kept =
            factors::open(cx, it).and_then(|bytes| serde_json::from_slice(&bytes).map_err(|_| broken("the record")));
        match kept {
            Ok(kept) => readable.push((it.id.clone(), kept)),
            Err(error @ (Error::Proof(_) | Error::Fault(_))) => factors::warn_unreadable(cx, it, &error),
            Err(other) => return Err(other),
        }
    }
    Ok(readable)
}

fn begin(cx: &mut Context<'_, '_>, (kind, person): (&str, &str), state: &Value, options: Value) -> Result<Begun> {
    let id = factors::random_name(cx)?;
    let expires_at = cx.now + SignedDuration::from_secs(PATIENCE_SECONDS);
    if person.is_empty() {
        second_factor::end_oldest(cx.tx, kind, MOST_OPEN - 1)?;
    } else {
        second_factor::end_open(cx.tx, person, kind)?;
    }
    second_factor::begin(cx.tx, &id, person, kind, &state.to_string(), expires_at)?;
    Ok(Begun { id, options })
}

/// Removes the challenge of a ceremony: a challenge is used once, even when the response is wrong.
fn taken(cx: &mut Context<'_, '_>, (kind, person): (&str, &str), id: &str) -> Result<Option<(Value, Vec<u8>)>> {
    let Some(text) = second_factor::take(cx.tx, id, person, kind, cx.now)? else {
        return Ok(None);
    };
    let begun: Value = serde_json::from_str(&text).map_err(|_| broken("the challenge"))?;
    let state = begun["state"].as_str().and_then(from_base64url);
    let state = state.ok_or_else(|| broken("the challenge"))?;
    Ok(Some((begun, state)))
}

/// The first half of adding a passkey to the acting person's factors.
///
/// # Errors
/// 403 `step_up_required`; 409 `no_passkeys_here` or with too many factors; 422 for a name; the store's.
pub fn begin_passkey(cx: &mut Context<'_, '_>, body: &Body) -> Result<Begun> {
    let name = factors::check_new_passkey(cx, body)?;
    let site = Site::of(cx)?;
    let person = cx.actor.person.clone();
    let handle = handle_of(&person)?;
    let login = cx.directory()?.login(&person);
    let known = kept_of(cx, &person)?;
    let excluded = known.iter().filter_map(|(_, kept)| descriptor(kept)).collect();
    let unnamed = || Username::try_from("me").map_err(|_| broken("the owner's name"));
    let user = PublicKeyCredentialUserEntity {
        name: Username::try_from(login.as_str()).or_else(|_| unnamed())?,
        id: &handle,
        display_name: Nickname::try_from(login.as_str()).ok(),
    };
    let mut asked = PublicKeyCredentialCreationOptions::passkey(&site.id, user, excluded);
    // Verification is checked with every response; requesting it as an extension too would reject authenticators that do not
    // support the extension.
    asked.extensions.cred_protect = CredProtect::None;
    let (state, options) = asked.start_ceremony().map_err(|_| broken("the question"))?;
    let options = serde_json::to_value(&options)?;
    let state = state.encode().map_err(|_| broken("the question"))?;
    let state = json!({"name": name, "state": base64url(&state)});
    begin(cx, (ADD, person.as_str()), &state, options)
}

fn descriptor(kept: &Kept) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
    Some(PublicKeyCredentialDescriptor {
        id: CredentialId::<Vec<u8>>::decode(from_base64url(&kept.id)?).ok()?,
        transports: AuthTransports::decode(kept.transports).ok()?,
    })
}

/// The second step: stores the new passkey. Returns the recovery codes, once, when there were none.
///
/// # Errors
/// 403 `step_up_required`; 409; the store's.
pub fn finish_passkey(cx: &mut Context<'_, '_>, id: &str, answer: &[u8]) -> Result<CeremonyResult<Vec<String>>> {
    let person = cx.actor.person.clone();
    let site = Site::of(cx)?;
    factors::check_fresh(cx)?;
    let wrong = |wrong| Ok(CeremonyResult::Wrong(wrong, Some(person.clone())));
    let Some((begun, state)) = taken(cx, (ADD, person.as_str()), id)? else {
        return wrong(Wrong::Over);
    };
    let Ok(answer) = Registration::from_json_relaxed(answer) else {
        return wrong(Wrong::Unreadable);
    };
    let state = RegistrationServerState::<16>::decode(&state).map_err(|_| broken("the challenge"))?;
    let origins = [site.origin.as_str()];
    let checks = RegistrationVerificationOptions::<&str, &str> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        ..RegistrationVerificationOptions::default()
    };
    let made = match state.verify(&site.id, &answer, &checks) {
        Ok(made) => made,
        Err(error) => return wrong(error.into()),
    };
    let kept = rest(&made)?;
    if kept_of(cx, &person)?.iter().any(|(_, other)| other.id == kept.id) {
        return wrong(Wrong::There);
    }
    let name = begun["name"].as_str().unwrap_or("Passkey").to_owned();
    let codes = factors::add_passkey(cx, name, &serde_json::to_string(&kept)?)?;
    Ok(CeremonyResult::Right(codes))
}

fn rest(made: &RegisteredCredential<'_, 16>) -> Result<Kept> {
    let fixed = made.static_state().encode().map_err(|_| broken("the key"))?;
    let moving = made.dynamic_state().encode().map_err(|_| broken("the counter"))?;
    Ok(Kept {
        id: base64url(made.id().as_ref()),
        fixed: base64url(&fixed),
        moving: base64url(&moving),
        transports: made.transports().encode().map_err(|_| broken("the way"))?,
        copied_at: None,
    })
}

fn begin_ceremony(cx: &mut Context<'_, '_>, kind: &str, person: &str) -> Result<Begun> {
    let site = Site::of(cx)?;
    let asked = DiscoverableCredentialRequestOptions::passkey(&site.id);
    let (state, options) = asked.start_ceremony().map_err(|_| broken("the question"))?;
    let options = serde_json::to_value(&options)?;
    let state = state.encode().map_err(|_| broken("the question"))?;
    begin(cx, (kind, person), &json!({"state": base64url(&state)}), options)
}

/// The first half of showing a passkey as the acting person's fresh factor.
///
/// # Errors
/// 409 `no_passkeys_here` or `no_passkey`; the store's.
pub fn begin_step_up(cx: &mut Context<'_, '_>) -> Result<Begun> {
    let person = cx.actor.person.clone();
    if kept_of(cx, &person)?.is_empty() {
        let text = "There is no passkey in your account.";
        let satisfy = "Enter a code of your authenticator, or your password if you have no second factor.";
        return Err(Refusal::not_now("no_passkey", text, satisfy, Vec::new()).into());
    }
    begin_ceremony(cx, STEP_UP, person.as_str())
}

/// The second half: whether the acting person showed their passkey.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn finish_step_up(cx: &mut Context<'_, '_>, id: &str, answer: &[u8]) -> Result<CeremonyResult<Shown>> {
    let person = cx.actor.person.clone();
    let Some((_, state)) = taken(cx, (STEP_UP, person.as_str()), id)? else {
        return Ok(CeremonyResult::Wrong(Wrong::Over, Some(person)));
    };
    let Ok(answer) = DiscoverableAuthentication16::from_json_relaxed(answer) else {
        return Ok(CeremonyResult::Wrong(Wrong::Unreadable, Some(person)));
    };
    let answered = shown(cx, &person, &state, &answer)?;
    if let CeremonyResult::Right(shown) = &answered {
        note_sign_in::note_step_up(cx, &shown.factor, Some(shown.id.clone()))?;
    }
    Ok(answered)
}

/// The first half of signing in with a passkey.
///
/// # Errors
/// 404 for a tenant that is not here; 409 `no_passkeys_here`; the store's.
pub fn begin_sign_in(cx: &mut Context<'_, '_>) -> Result<Begun> {
    if cx.directory()?.tenant.is_none() {
        return Err(Refusal::not_found("organisation").into());
    }
    begin_ceremony(cx, SIGN_IN, "")
}

/// The second step: identifies the owner of the passkey. A person without a password here signs in at their identity provider,
/// which knows when they left; so a passkey signs in only owners of a local account.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn finish_sign_in(cx: &mut Context<'_, '_>, id: &str, answer: &[u8]) -> Result<CeremonyResult<Shown>> {
    let Some((_, state)) = taken(cx, (SIGN_IN, ""), id)? else {
        return Ok(CeremonyResult::Wrong(Wrong::Over, None));
    };
    let Ok(answer) = DiscoverableAuthentication16::from_json_relaxed(answer) else {
        return Ok(CeremonyResult::Wrong(Wrong::Unreadable, None));
    };
    let unknown = Ok(CeremonyResult::Wrong(Wrong::Unknown, None));
    let Some(person) = person_of(answer.response().user_handle()) else {
        return unknown;
    };
    let directory = cx.directory()?;
    let is_active = directory.people.get(&person).is_some_and(|it| it.active);
    if !is_active || known_ways::password(cx, &person)?.is_none() {
        return unknown;
    }
    shown(cx, &person, &state, &answer)
}

/// Checks a response against a person's passkeys, and stores the new state of the passkey.
fn shown(
    cx: &mut Context<'_, '_>,
    person: &PersonId,
    state: &[u8],
    answer: &DiscoverableAuthentication16,
) -> Result<CeremonyResult<Shown>> {
    let wrong = |wrong| Ok(CeremonyResult::Wrong(wrong, Some(person.clone())));
    let site = Site::of(cx)?;
    let handle = handle_of(person)?;
    if answer.response().user_handle() != &handle {
        return wrong(Wrong::OfAnother);
    }
    let shown_id = base64url(answer.raw_id().as_ref());
    let found = kept_of(cx, person)?.into_iter().find(|(_, it)| it.id == shown_id);
    let Some((factor, mut kept)) = found else {
        return wrong(Wrong::Unknown);
    };
    if kept.copied_at.is_some() {
        return wrong(Wrong::Copied);
    }
    if known_ways::is_over(cx, Way::Factor(&factor), person.as_str()) {
        return wrong(Wrong::Unknown);
    }
    let raw = from_base64url(&kept.id).ok_or_else(|| broken("the id"))?;
    let mut credential = credential_of(&raw, &handle, &kept)?;
    let state = DiscoverableAuthenticationServerState::decode(state).map_err(|_| broken("the challenge"))?;
    let origins = [site.origin.as_str()];
    let checks = AuthenticationVerificationOptions::<&str, &str> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        auth_attachment_enforcement: AuthenticatorAttachmentEnforcement::Ignore(false),
        sig_counter_enforcement: SignatureCounterEnforcement::Fail,
        ..AuthenticationVerificationOptions::default()
    };
    match state.verify(&site.id, answer, &mut credential, &checks) {
        Ok(_) => {
            let moving = credential.dynamic_state();
            kept.moving = base64url(&moving.encode().map_err(|_| broken("the counter"))?);
            factors::save_passkey(cx, &factor, &serde_json::to_string(&kept)?)?;
            let all = second_factor::of_person(cx.tx, person.as_str())?;
            let own = all.iter().find(|it| it.id == factor);
            let is_second = own.is_some_and(|it| factors::counts(it, cx.now));
            Ok(CeremonyResult::Right(Shown {
                person: person.clone(),
                factor: Factor::new(factors::PASSKEY, is_second),
                id: factor,
            }))
        }
        Err(AuthCeremonyErr::SignatureCounter) => {
            // Either this authenticator or the one used before is a copy, and the server cannot know which: the passkey is
            // blocked.
            kept.copied_at = Some(cx.now);
            factors::save_passkey(cx, &factor, &serde_json::to_string(&kept)?)?;
            let subject = ("person", person.0.clone());
            let event = write::draft("person.passkey_copied", subject, cx.now, json!({"factor": factor}));
            cx.emit(vec![event], write::Written::default())?;
            wrong(Wrong::Copied)
        }
        Err(error) => wrong(error.into()),
    }
}

fn credential_of<'a>(
    raw: &'a [u8],
    handle: &'a UserHandle16,
    kept: &Kept,
) -> Result<AuthenticatedCredential<'a, 'a, 16, Key>> {
    let fixed = from_base64url(&kept.fixed).ok_or_else(|| broken("the key"))?;
    let fixed = StaticState::<Key>::decode(&fixed).map_err(|_| broken("the key"))?;
    let moving: Option<[u8; 7]> = from_base64url(&kept.moving).and_then(|it| it.try_into().ok());
    let moving = DynamicState::decode(moving.ok_or_else(|| broken("the counter"))?);
    let moving = moving.map_err(|_| broken("the counter"))?;
    let id = CredentialId::<&[u8]>::decode(raw).map_err(|_| broken("the id"))?;
    AuthenticatedCredential::new(id, handle, fixed, moving).map_err(|_| broken("the record"))
}

/// The ids of the acting person's passkeys that are blocked, because their counter did not grow.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn copied(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let person = cx.actor.person.clone();
    let kept = kept_of(cx, &person)?.into_iter();
    Ok(kept
        .filter(|(_, it)| it.copied_at.is_some())
        .map(|(id, _)| id)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::place_of;

    #[test]
    fn passkeys_work_under_a_name_by_https_and_on_ones_own_machine() {
        let at = |url| place_of(url).map(|(host, origin)| format!("{host} {origin}"));
        assert_eq!(
            at("https://changes.halden.example:8443/").as_deref(),
            Some("changes.halden.example https://changes.halden.example:8443")
        );
        assert_eq!(
            at("http://localhost:8080").as_deref(),
            Some("localhost http://localhost:8080")
        );
        for url in [
            "http://changes.halden.example",
            "https://192.0.2.7",
            "https://[2001:db8::7]:8443",
            "http://127.0.0.1:8080",
            "https://",
            "changes.halden.example",
        ] {
            assert_eq!(at(url), None, "{url}");
        }
    }
}

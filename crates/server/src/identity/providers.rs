//! Signing in at an identity provider, and proving one's identity anew. The data that both halves share is in an encrypted
//! cookie of the browser that began: a response in another browser, or for another provider, finds nothing.

use acts::Context;
use acts::core::providers::{provider, provider_secret, providers};
use acts::core::row_mac;
use acts::identity::note_sign_in;
use acts::identity::provision_at_sign_in::meet_person;
use acts::identity::set_second_factor::has_second_factor;
use axum::http::HeaderMap;
use connect::identity::oidc::{self, OidcError, Pending, Registration, Verified};
use connect::identity::workload::{self, Keys};
use connect::socket::http::Http;
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::core::ids::PersonId;
use model::core::refusal;
use model::identity::factor::Factor;
use model::identity::provider::IdentityProvider;
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;
use std::time::Duration;
use store::identity::identities;
use store::{Lane, Mode};

use crate::http::authenticate::caller_of;
use crate::http::caller::{Credential, cookie};
use crate::http::failure::Failure;
use crate::http::provider_calls::{FRESH, MOST};
use crate::http::state::AppState;
use crate::http::{attempts, clock};
use crate::identity::sign_in::{self, NewSession, Origin, Start};

/// The cookie in which a sign-in under way rides.
const COOKIE: &str = "assent_sign_in";
/// How long a sign-in may take, in minutes.
const PATIENCE_MINUTES: i64 = 15;
/// How long one waits for a turn.
const TURN: Duration = Duration::from_secs(5);
/// How far a provider's clock may be behind ours, in seconds, when it reports a new sign-in.
const BEHIND_SECONDS: i64 = 60;

/// How long a platform's keys are left alone after they were read, however many tokens they do not fit.
const KEYS_REST: Duration = Duration::from_secs(30);

/// The keys of a platform that signs workloads' tokens: from the cache while fresh. `anew` reads the keys again, unless that
/// was done just now.
///
/// # Errors
/// 502 when the platform cannot be reached; 503 when too many calls are under way.
pub(crate) async fn workload_keys(state: &AppState, issuer: &str, anew: bool) -> Result<Keys, Failure> {
    let now = clock::tick();
    let longest = if anew { KEYS_REST } else { FRESH };
    let remembered = || {
        let keys = state.outside().keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, keys) = keys.get(issuer)?;
        (now.saturating_duration_since(*at) < longest).then(|| keys.clone())
    };
    if let Some(keys) = remembered() {
        return Ok(keys);
    }
    let asked = issuer.to_owned();
    let found = outside(state, move |http| workload::keys(http, &asked)).await?;
    let mut keys = state.outside().keys.lock().unwrap_or_else(PoisonError::into_inner);
    if keys.len() >= MOST {
        keys.clear();
    }
    keys.insert(issuer.to_owned(), (now, found.clone()));
    Ok(found)
}

/// Runs a blocking outgoing call, away from the threads that serve requests.
async fn outside<T: Send + 'static>(
    state: &AppState,
    work: impl FnOnce(&Http) -> Result<T, OidcError> + Send + 'static,
) -> Result<T, Failure> {
    let busy = || Failure::busy("busy", "Too many people sign in at once. Try again soon.");
    let turn = tokio::time::timeout(TURN, state.outside().turns.acquire()).await;
    let _turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
    let http = state.outside().http.clone();
    let done = tokio::task::spawn_blocking(move || work(&http)).await;
    done.map_err(|error| Failure::fault(&error))?
        .map_err(|error| failed(&error))
}

fn failed(error: &OidcError) -> Failure {
    tracing::info!(code = error.code, "a sign-in at a provider was refused");
    let status = if error.code == "provider_away" { 502 } else { 403 };
    Failure::new(status, error.code, error.text.clone())
}

/// The longest name of a time zone that is kept on the way, in characters.
const ZONE_CHARS: usize = 64;

/// Why somebody is sent to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// To begin a session.
    SignIn,
    /// For a fresh factor in an existing session.
    StepUp,
}

#[derive(Serialize, Deserialize)]
struct Riding {
    pending: Pending,
    purpose: Purpose,
    next: String,
    /// The time zone of the browser; empty where it is unknown.
    #[serde(default)]
    zone: String,
    begun_at: Timestamp,
    /// Whether the provider names itself in each response.
    #[serde(default)]
    is_named: bool,
}

/// Where a browser is sent, and the cookie it takes along.
#[derive(Debug)]
pub(crate) struct Leaving {
    /// The provider's address.
    pub url: String,
    /// The value of the `Set-Cookie` header.
    pub cookie: String,
}

fn associated(tenant: &str, key: &str) -> Vec<u8> {
    format!("assent sign-in under way\0{tenant}\0{key}").into_bytes()
}

fn cookie_line(state: &AppState, tenant: &str, value: &str, seconds: i64) -> String {
    let secure = if state.is_secure() { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/t/{tenant}/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The providers at which people of a tenant may sign in: key and name. None for a tenant that is not there.
pub(crate) async fn ways_in(state: &AppState, tenant: &str) -> Vec<(String, String)> {
    if store::check_tenant(tenant).is_err() {
        return Vec::new();
    }
    let found = state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Read, providers)
        .await;
    let active = found.unwrap_or_default().into_iter().filter(|it| it.active);
    active.map(|it| (it.key, it.name)).collect()
}

/// An active provider with how we are known there.
async fn known(state: &AppState, tenant: &str, key: &str) -> Result<(IdentityProvider, Registration), Failure> {
    let absent = || Failure::new(404, "not_found", "There is no such way to sign in here.");
    store::check_tenant(tenant).map_err(|_| absent())?;
    let (wanted, base) = (key.to_owned(), state.public_url().to_owned());
    let way_back = format!("{base}/t/{tenant}/sign-in/{key}/callback");
    let find = move |cx: &mut Context<'_, '_>| {
        let found = provider(cx, &wanted)?;
        let secret = provider_secret(cx, &found)?;
        Ok((found, secret))
    };
    let (found, client_secret) = state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Read, find)
        .await
        .map_err(|failure| if failure.status() == 404 { absent() } else { failure })?;
    if !found.active {
        return Err(absent());
    }
    let registration = Registration {
        issuer: found.issuer.clone(),
        client_id: found.client_id.clone(),
        client_secret,
        redirect_uri: way_back,
        scopes: found.scopes.clone(),
        login_claim: found.login_claim.clone(),
        groups_claim: found.groups_claim.clone(),
    };
    Ok((found, registration))
}

/// Sends a browser to a provider; on the way it keeps where the reader was going, and the browser's time zone.
///
/// # Errors
/// 404 for an unknown provider; 502 when it cannot be reached; 503 when too many calls are under way.
pub(crate) async fn leave(
    state: &AppState,
    tenant: &str,
    key: &str,
    purpose: Purpose,
    (next, zone): (&str, String),
) -> Result<Leaving, Failure> {
    let (found, registration) = known(state, tenant, key).await?;
    let discovered = match state.outside().remembered(&found.issuer) {
        Some(discovered) => discovered,
        None => {
            let issuer = found.issuer.clone();
            let discovered = outside(state, move |http| oidc::discover(http, &issuer)).await?;
            state.outside().remember(&found.issuer, &discovered);
            discovered
        }
    };
    let pending = Pending {
        state: secret(state)?,
        nonce: secret(state)?,
        verifier: secret(state)?,
    };
    let url = oidc::begin(&registration, &discovered, &pending, purpose == Purpose::StepUp)
        .map_err(|error| failed(&error))?;
    let riding = Riding {
        pending,
        purpose,
        next: next.to_owned(),
        zone: zone.chars().take(ZONE_CHARS).collect(),
        begun_at: state.executor().tools().clock.now(),
        is_named: discovered.names_itself(),
    };
    Ok(Leaving {
        url,
        cookie: cookie_line(
            state,
            tenant,
            &sealed(state, tenant, key, &riding)?,
            PATIENCE_MINUTES * 60,
        ),
    })
}

/// 256 random bits as text, which also meet PKCE's rules for a verifier.
fn secret(state: &AppState) -> Result<String, Failure> {
    let mut bytes = [0_u8; 32];
    let filled = state.executor().tools().entropy.fill(&mut bytes);
    filled.map_err(|error| Failure::fault(&error))?;
    Ok(proof::crypto::base64url(&bytes))
}

fn sealed(state: &AppState, tenant: &str, key: &str, riding: &Riding) -> Result<String, Failure> {
    let tools = state.executor().tools();
    let text = serde_json::to_vec(riding).map_err(|error| Failure::fault(&error))?;
    let bytes = tools
        .master
        .seal(&text, &associated(tenant, key), tools.entropy.as_ref())
        .map_err(|error| Failure::fault(&error))?;
    Ok(proof::crypto::base64url(&bytes))
}

fn opened(state: &AppState, tenant: &str, key: &str, headers: &HeaderMap) -> Result<Riding, Failure> {
    let lost = || {
        let text = "This sign-in was not begun in this browser, or it took too long. Sign in again.";
        Failure::new(403, "sign_in_lost", text)
    };
    let value = cookie(headers, COOKIE).ok_or_else(lost)?;
    let bytes = proof::crypto::from_base64url(value).ok_or_else(lost)?;
    let bound = associated(tenant, key);
    let text = state
        .executor()
        .tools()
        .master
        .open(&bytes, &bound)
        .map_err(|_| lost())?;
    let riding: Riding = serde_json::from_slice(&text).map_err(|_| lost())?;
    let age = state.executor().tools().clock.now().duration_since(riding.begun_at);
    if age > SignedDuration::from_mins(PATIENCE_MINUTES) || age.is_negative() {
        return Err(lost());
    }
    Ok(riding)
}

/// The parameters with which a provider redirects a browser back.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Returned {
    /// To be exchanged for tokens.
    pub code: Option<String>,
    /// Ties it to the sign-in.
    pub state: Option<String>,
    /// The issuer, if the provider names it (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The same as text.
    pub error_description: Option<String>,
}

/// A completed sign-in.
pub(crate) struct Arrived {
    /// Where the reader was going.
    pub next: String,
    /// The session that began; none for a session that was only freshened.
    pub begun: Option<NewSession>,
    /// The time zone of the browser that left for the provider; empty where it is unknown.
    pub zone: String,
    /// Cookies to set: the session's, if one began, and the end of the cookie with the sign-in's data.
    pub cookies: Vec<String>,
}

/// The cookie that forgets a sign-in under way.
pub(crate) fn forgotten(state: &AppState, tenant: &str) -> String {
    cookie_line(state, tenant, "", 0)
}

/// Takes a browser back from a provider: verifies all of it, then begins a session or freshens the one there is.
///
/// # Errors
/// 403 with the reason; 404; 502; 503.
pub(crate) async fn arrive(
    state: &AppState,
    tenant: &str,
    key: &str,
    headers: &HeaderMap,
    (origin, returned): (&Origin, Returned),
) -> Result<Arrived, Failure> {
    let (found, registration) = known(state, tenant, key).await?;
    let riding = opened(state, tenant, key, headers)?;
    let code = checked_code(&found, &riding, returned)?;
    let now = state.executor().tools().clock.now();
    let since =
        (riding.purpose == Purpose::StepUp).then(|| riding.begun_at - SignedDuration::from_secs(BEHIND_SECONDS));
    let pending = riding.pending.clone();
    let verified = outside(state, move |http| {
        let discovered = oidc::discover(http, &registration.issuer)?;
        oidc::finish(http, &registration, &discovered, &code, &pending, (now, since))
    })
    .await?;
    let mut cookies = vec![forgotten(state, tenant)];
    let begun = match riding.purpose {
        Purpose::SignIn => Some(enter(state, tenant, &found, verified, origin).await?),
        Purpose::StepUp => {
            freshen(state, tenant, &found, &verified, headers).await?;
            None
        }
    };
    cookies.extend(begun.iter().map(|session| session.cookie.clone()));
    Ok(Arrived {
        next: riding.next,
        begun,
        zone: riding.zone,
        cookies,
    })
}

fn checked_code(found: &IdentityProvider, riding: &Riding, returned: Returned) -> Result<String, Failure> {
    let given = returned.state.unwrap_or_default();
    if !proof::crypto::is_same_secret(given.as_bytes(), riding.pending.state.as_bytes()) {
        let text = "This response belongs to a different sign-in. Sign in again.";
        return Err(Failure::new(403, "wrong_state", text));
    }
    // A response without a name is not from a provider that names itself in each response.
    let is_another = returned
        .iss
        .as_deref()
        .map_or(riding.is_named, |iss| iss != found.issuer);
    if is_another {
        let text = "A provider other than the one you chose has responded.";
        return Err(Failure::new(403, "wrong_issuer", text));
    }
    if let Some(error) = returned.error {
        let why = returned.error_description.unwrap_or(error);
        let why: String = why.chars().filter(|it| !it.is_control()).take(200).collect();
        let text = format!("{} refused the sign-in: {why}.", found.name);
        return Err(Failure::new(403, "provider_refused", text));
    }
    let absent = || Failure::new(403, "code_refused", "The provider sent no code.");
    returned.code.filter(|code| !code.is_empty()).ok_or_else(absent)
}

async fn enter(
    state: &AppState,
    tenant: &str,
    found: &IdentityProvider,
    verified: Verified,
    origin: &Origin,
) -> Result<NewSession, Failure> {
    if found.groups_claim.is_some() && verified.claimed.groups.is_none() {
        // Unknown groups move nobody; an administrator who wonders why groups do not follow finds the reason here.
        tracing::info!(
            tenant,
            provider = %found.key,
            "a provider says that somebody's groups stand elsewhere: groups and rights stay as they are"
        );
    }
    let subject = verified.claimed.subject.clone();
    let is_second = verified.proves_second_factor();
    let (provider, claimed) = (found.clone(), verified.claimed);
    let meet = move |cx: &mut Context<'_, '_>| {
        let person = meet_person(cx, &provider, &claimed)?;
        let is_enrolled = has_second_factor(cx, &person)?;
        Ok((person, is_enrolled))
    };
    let met = state
        .act_as(Lane::Acts, tenant, Actor::system(), Mode::Write, meet)
        .await;
    if let Err(failure) = &met {
        attempts::note_provider(state, tenant, found, failure).await;
    }
    let (person, enrolled): (PersonId, bool) = met?;
    let method = format!("provider:{}", found.key);
    // A sign-in that the provider reports as just now is as fresh as a password entered now.
    let now = state.executor().tools().clock.now();
    let is_fresh = verified
        .signed_in_at
        .is_some_and(|at| now.duration_since(at) <= SignedDuration::from_secs(BEHIND_SECONDS));
    let start = Start {
        factor: (is_fresh && !enrolled).then(|| Factor::new(method.clone(), is_second)),
        method,
        passkey: None,
        password: None,
        subject: Some(subject),
    };
    sign_in::begin(state, origin, tenant, person, start).await
}

/// Records in the caller's session that the provider authenticated them anew. It must be the same person, and one without a
/// second factor of their own.
async fn freshen(
    state: &AppState,
    tenant: &str,
    found: &IdentityProvider,
    verified: &Verified,
    headers: &HeaderMap,
) -> Result<(), Failure> {
    let caller = caller_of(state, &axum::http::Method::GET, headers).await?;
    let Credential::Session { digest, .. } = &caller.credential else {
        return Err(Failure::new(403, "step_up_required", "A token has no fresh factor."));
    };
    if caller.tenant != tenant {
        return Err(Failure::new(
            403,
            "other_person",
            "Your session is one of another organisation.",
        ));
    }
    let (digest, subject) = (digest.clone(), verified.claimed.subject.clone());
    let factor = Factor::new(format!("provider:{}", found.key), verified.proves_second_factor());
    let note = move |cx: &mut Context<'_, '_>| {
        let whose = cx.actor.person.clone();
        let owners = identities::find(cx.tx, identities::SUBJECT, &subject)?;
        if !owners.iter().any(|owner| owner == whose.as_str()) {
            let text = "The provider identified a person other than the one of this session.";
            return Err(refusal::Refusal::not_allowed("other_person", text).into());
        }
        if has_second_factor(cx, &whose)? {
            let text = "You have a second factor here: enter its code, or use your passkey.";
            return Err(refusal::Refusal::not_allowed("second_factor_required", text).into());
        }
        note_sign_in::note_step_up(cx, &factor, None)?;
        row_mac::note_factor(cx, &digest, &factor)
    };
    state.act(Lane::Pages, &caller, Mode::Write, note).await?;
    Ok(())
}

//! Signing in and out, and the fresh factor. Both the API and the pages come through here.

use std::time::Duration;

use acts::Context;
use acts::core::row_mac;
use acts::guard::{impersonation, session_end};
use acts::identity::set_second_factor::{self, random_name, use_code, use_recovery_code};
use acts::identity::{known_ways, note_sign_in};
use axum::http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::core::ids::PersonId;
use model::core::refusal;
use model::identity::factor::Factor;
use store::identity::session::{self, Session};
use store::{Lane, Mode};
use wire::problem::UNAUTHENTICATED;

use crate::http::caller::{Caller, Credential, SESSION_COOKIE, digest_of};
use crate::http::failure::Failure;
use crate::http::source::Source;
use crate::http::state::AppState;
use crate::http::throttle::account_names;
use crate::http::{attempts, clock};
use crate::identity::password;

/// How long a session lives, in hours: a working day and its evening.
const SESSION_HOURS: i64 = 12;
/// How long one waits for a free hasher.
const HASHER_PATIENCE: Duration = Duration::from_secs(5);

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The tenant.
    pub tenant: String,
    /// The owner of the session.
    pub person: PersonId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The value of the `Set-Cookie` header.
    pub cookie: String,
    /// A further cookie that recognises this device while others guess the password; set after a password alone.
    pub device: Option<String>,
}

/// The cookie by which a device is known on which somebody signed in before. It opens nothing.
const DEVICE_COOKIE: &str = "assent_device";
/// The purpose of the cookie's code.
const DEVICE: &str = "device";
/// How long a device is known, in days.
const DEVICE_DAYS: i64 = 90;

/// The longest name of a browser or program that is kept, in characters.
const AGENT_CHARS: usize = 200;

/// The source of a request: kept with the session, so that its owner can recognise the session.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The address.
    pub source: String,
    /// The browser or program, as it names itself.
    pub agent: String,
    /// The device cookie of an earlier sign-in.
    pub device: Option<String>,
}

impl Origin {
    /// The origin of a request.
    pub(crate) fn of(source: &Source, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            source: source.0.clone(),
            agent: agent.unwrap_or_default().chars().take(AGENT_CHARS).collect(),
            device: cookie_of(headers, DEVICE_COOKIE),
        }
    }
}

/// Begins a session by a password. A wrong login takes as long as a wrong password. For a person with a second factor the
/// password is the first of two: an act that needs a fresh factor requires the second.
///
/// # Errors
/// 401; 429 after repeated failures; 503 while the hashers are busy or the store is away.
pub async fn sign_in(
    state: &AppState,
    origin: &Origin,
    tenant: &str,
    login: &str,
    secret: &str,
) -> Result<NewSession, Failure> {
    let login = login.trim().to_lowercase();
    let account = format!("{tenant}/{login}");
    let device = origin
        .device
        .as_deref()
        .and_then(|shown| known_device(state, &account, shown));
    let names = account_names(&account, &origin.source, device);
    let found = if store::check_tenant(tenant).is_ok() {
        find_person(state, tenant, &login).await?
    } else {
        None
    };
    let checked = check_password(state, &names, found.as_ref().map(|it| it.phc.clone()), secret).await;
    if let (Err(failure), Some(found)) = (&checked, &found) {
        note_refused(state, tenant, &found.person, ("password", failure));
    }
    checked?;
    let Some(found) = found else { return Err(wrong()) };
    let start = Start {
        method: "password".to_owned(),
        factor: (!found.is_enrolled).then(|| Factor::new("password", false)),
        passkey: None,
        password: Some(proof::crypto::digest_text(found.phc.as_bytes())),
        subject: None,
    };
    let session = begin(state, origin, tenant, found.person, start).await?;
    Ok(NewSession {
        device: Some(device_cookie(state, &account)?),
        ..session
    })
}

/// The id of the device in a cookie, if this server issued the cookie for the account.
fn known_device<'a>(state: &AppState, account: &str, shown: &'a str) -> Option<&'a str> {
    let (id, code) = shown.split_once('.')?;
    let code = proof::crypto::from_base64url(code)?;
    let master = &state.executor().tools().master;
    master
        .verify_mac(DEVICE, &[account.as_bytes(), id.as_bytes()], &code)
        .then_some(id)
}

fn device_cookie(state: &AppState, account: &str) -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    let tools = state.executor().tools();
    tools.entropy.fill(&mut bytes).map_err(|error| Failure::fault(&error))?;
    let id = proof::crypto::base64url(&bytes);
    let code = tools.master.mac(DEVICE, &[account.as_bytes(), id.as_bytes()]);
    let value = format!("{id}.{}", proof::crypto::base64url(&code));
    let secure = if state.is_secure() { "; Secure" } else { "" };
    let seconds = DEVICE_DAYS * 86_400;
    Ok(format!(
        "{DEVICE_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    ))
}

/// The value of a cookie in a request.
fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}

/// Lets the log know that somebody was not let in as a person, or did not show that person's factor.
fn note_refused(state: &AppState, tenant: &str, person: &PersonId, (method, failure): (&str, &Failure)) {
    let code = match failure.status() {
        401 => "wrong",
        429 => "too_many_tries",
        _ => return,
    };
    attempts::note_sign_in(state, tenant, person.as_str(), method, code);
}

/// A person who may sign in with a password.
struct PasswordAccount {
    person: PersonId,
    phc: String,
    is_enrolled: bool,
}

fn wrong() -> Failure {
    Failure::new(401, UNAUTHENTICATED, "This login and password do not fit together.")
}

/// The person behind a login, their password's PHC text, and whether they have a second factor.
async fn find_person(state: &AppState, tenant: &str, login: &str) -> Result<Option<PasswordAccount>, Failure> {
    let login = login.to_owned();
    let find = move |cx: &mut Context<'_, '_>| {
        let directory = cx.directory()?;
        let Some(person) = directory.by_login(&login).filter(|person| person.active) else {
            return Ok(None);
        };
        if known_ways::is_person_over(cx, &directory, &person.id) {
            return Ok(None);
        }
        let phc = known_ways::password(cx, &person.id)?;
        let is_enrolled = set_second_factor::has_second_factor(cx, &person.id)?;
        Ok(phc.map(|phc| PasswordAccount {
            person: person.id.clone(),
            phc,
            is_enrolled,
        }))
    };
    state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Read, find)
        .await
}

/// Checks a password against its PHC text, or against a dummy that never matches.
async fn check_password(state: &AppState, names: &[String], phc: Option<String>, secret: &str) -> Result<(), Failure> {
    if let Err(wait) = state.throttle().enter(names, clock::tick()) {
        let text = format!("Too many failed tries. Try again in {wait} seconds.");
        return Err(Failure::new(429, "too_many_tries", text).after(wait));
    }
    let is_right = match verified(state, phc, secret).await {
        Ok(is_right) => is_right,
        Err(failure) => {
            state.throttle().left(names);
            return Err(failure);
        }
    };
    if is_right {
        state.throttle().succeeded(names);
        return Ok(());
    }
    state.throttle().wrong(names, clock::tick());
    Err(wrong())
}

async fn verified(state: &AppState, phc: Option<String>, secret: &str) -> Result<bool, Failure> {
    let secret = secret.to_owned();
    let holder = state.clone();
    hashing(state, move || {
        let known = phc.is_some();
        let phc = phc.unwrap_or_else(|| {
            let made = || password::hash("nobody's password").unwrap_or_default();
            holder.no_password().get_or_init(made).clone()
        });
        password::verify(&secret, &phc) && known
    })
    .await
}

/// Hashes a new password on the bounded pool.
///
/// # Errors
/// 422 for a password that is too short or too long; 503 while the hashers are busy.
pub(crate) async fn hash_password(state: &AppState, secret: &str) -> Result<String, Failure> {
    let secret = secret.to_owned();
    let hashed = hashing(state, move || password::hash(&secret)).await?;
    hashed.map_err(|error| {
        let refusal = refusal::Refusal::field("password", "not_a_password", format!("{error}."));
        Failure::from(acts::Error::from(refusal))
    })
}

async fn hashing<T: Send + 'static>(state: &AppState, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let busy = || Failure::busy("busy", "Too many people sign in at once. Try again soon.");
    let turn = tokio::time::timeout(HASHER_PATIENCE, state.hashing().acquire()).await;
    let _turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::fault(&error))
}

/// How a session begins.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// `password`, `passkey` or `provider:KEY`.
    pub method: String,
    /// The fresh factor at the start of the session, if any.
    pub factor: Option<Factor>,
    /// The id of the passkey that was shown.
    pub passkey: Option<String>,
    /// The digest of the hash of the password that was shown.
    pub password: Option<String>,
    /// The person that an identity provider has just proved, as `issuer subject`; no other text may be set here.
    pub subject: Option<String>,
}

/// Begins a session for an authenticated person.
///
/// # Errors
/// 503 while the store is away.
pub(crate) async fn begin(
    state: &AppState,
    origin: &Origin,
    tenant: &str,
    person: PersonId,
    start: Start,
) -> Result<NewSession, Failure> {
    let mut bytes = [0_u8; 32];
    state
        .executor()
        .tools()
        .entropy
        .fill(&mut bytes)
        .map_err(|error| Failure::fault(&error))?;
    let secret = proof::crypto::base64url(&bytes);
    let (digest, whose, origin) = (digest_of(&secret), person.clone(), origin.clone());
    // Another password or passkey within the minute is a separate sign-in: one of them may have been restored.
    let shown = start
        .passkey
        .as_deref()
        .or(start.password.as_deref())
        .unwrap_or_default();
    let name = format!("{tenant}/{person} signed in {} {shown}", start.method);
    let times = state.noted().count(&name, clock::tick());
    let insert = move |cx: &mut Context<'_, '_>| {
        let expires_at = cx.now + SignedDuration::from_hours(SESSION_HOURS);
        let handed_by = impersonation::credential_setter(cx, &whose, &start.method)?;
        let session = Session {
            token_digest: digest.clone(),
            person: whose.0.clone(),
            created_at: cx.now,
            last_seen_at: cx.now,
            expires_at,
            stepped_up_at: start.factor.as_ref().map(|_| cx.now),
            id: random_name(cx)?,
            method: start.method.clone(),
            factor: start.factor.as_ref().map(|factor| factor.kind.clone()),
            is_second_factor: start.factor.as_ref().is_some_and(|factor| factor.is_second),
            source: origin.source.clone(),
            agent: origin.agent.clone(),
            handed_by: handed_by.map(|by| by.0),
            subject: start.subject.clone(),
            mac: Vec::new(),
        };
        if let Some(times) = times {
            note_sign_in::note_sign_in(cx, &session, start.passkey.clone(), times)?;
        }
        row_mac::begin_session(cx, session)?;
        session::note_seen(cx.tx, whose.as_str(), cx.now)?;
        Ok(expires_at)
    };
    let expires_at = state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Write, insert)
        .await?;
    let cookie = cookie(state, &secret, SESSION_HOURS * 3_600);
    Ok(NewSession {
        tenant: tenant.to_owned(),
        person,
        expires_at,
        cookie,
        device: None,
    })
}

fn cookie(state: &AppState, value: &str, seconds: i64) -> String {
    let secure = if state.is_secure() { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// A fresh factor as it is shown.
#[derive(Debug, Clone)]
pub enum Shown {
    /// The password again: enough for a person without a second factor.
    Password(String),
    /// A code of an authenticator.
    Code(String),
    /// One of the codes kept for the day on which the authenticator is lost.
    Recovery(String),
}

/// Whether the caller has a second factor.
///
/// # Errors
/// The store's.
pub(crate) async fn has_second_factor(state: &AppState, caller: &Caller) -> Result<bool, Failure> {
    let find = |cx: &mut Context<'_, '_>| {
        let person = cx.actor.person.clone();
        set_second_factor::has_second_factor(cx, &person)
    };
    state.act(Lane::Pages, caller, Mode::Read, find).await
}

/// Records a fresh factor in a session, and returns its kind. A person with a second factor has to use that one.
///
/// # Errors
/// 403 for a token, `second_factor_required` for a password that is not enough; 401 for a wrong one; 429 after repeated
/// failures.
pub async fn step_up(state: &AppState, caller: &Caller, shown: Shown) -> Result<Factor, Failure> {
    let Credential::Session { digest, .. } = &caller.credential else {
        return Err(Failure::new(
            403,
            "step_up_required",
            "A token has no fresh factor; sign in, and step up there.",
        ));
    };
    let factor = match shown {
        Shown::Password(secret) => {
            if has_second_factor(state, caller).await? {
                let text = "You have a second factor: enter its code, or use your passkey.";
                return Err(Failure::new(403, "second_factor_required", text));
            }
            confirm_password(state, caller, &secret).await?;
            note_step_up(state, caller, Factor::new("password", false)).await?
        }
        Shown::Code(code) => use_up(state, caller, move |cx| use_code(cx, &code)).await?,
        Shown::Recovery(code) => use_up(state, caller, move |cx| use_recovery_code(cx, &code)).await?,
    };
    note_factor(state, caller, digest, factor.clone()).await?;
    Ok(factor)
}

/// Has the log know of a factor that the acts did not take themselves.
async fn note_step_up(state: &AppState, caller: &Caller, factor: Factor) -> Result<Factor, Failure> {
    let shown = factor.clone();
    let note = move |cx: &mut Context<'_, '_>| note_sign_in::note_step_up(cx, &shown, None);
    state.act(Lane::Pages, caller, Mode::Write, note).await?;
    Ok(factor)
}

/// Notes in a session which factor was shown.
///
/// # Errors
/// The store's.
pub(crate) async fn note_factor(
    state: &AppState,
    caller: &Caller,
    digest: &str,
    factor: Factor,
) -> Result<(), Failure> {
    let digest = digest.to_owned();
    let note = move |cx: &mut Context<'_, '_>| row_mac::note_factor(cx, &digest, &factor);
    state.act(Lane::Pages, caller, Mode::Write, note).await?;
    Ok(())
}

/// Checks the caller's own password, with a limit like that of a sign-in by account, but not by address: the caller is signed
/// in already, and others at the address may be guessing.
///
/// # Errors
/// 401 for a wrong password; 429 after repeated failures.
pub(crate) async fn confirm_password(state: &AppState, caller: &Caller, secret: &str) -> Result<(), Failure> {
    let whose = caller.person.clone();
    let find = move |cx: &mut Context<'_, '_>| {
        let login = cx.directory()?.login(&whose);
        Ok((login, known_ways::password(cx, &whose)?))
    };
    let (login, phc) = state.act(Lane::Pages, caller, Mode::Read, find).await?;
    // Guesses at the sign-in do not keep the person from stepping up inside.
    let names = [format!("step-up {}/{login}", caller.tenant)];
    let checked = check_password(state, &names, phc, secret).await;
    if let Err(failure) = &checked {
        note_refused(state, &caller.tenant, &caller.person, ("password", failure));
    }
    checked
}

/// Tries a one-time code, which is used up by a match. A million codes are soon tried, so wrong codes slow their person down.
async fn use_up(
    state: &AppState,
    caller: &Caller,
    try_it: impl Fn(&mut Context<'_, '_>) -> acts::Result<Option<Factor>> + Send + 'static,
) -> Result<Factor, Failure> {
    let names = [format!("factor {}/{}", caller.tenant, caller.person)];
    if let Err(wait) = state.throttle().enter(&names, clock::tick()) {
        let text = format!("Too many wrong codes. Try again in {wait} seconds.");
        return Err(Failure::new(429, "too_many_tries", text).after(wait));
    }
    let shown = match state.act(Lane::Pages, caller, Mode::Write, try_it).await {
        Ok(shown) => shown,
        Err(failure) => {
            state.throttle().left(&names);
            return Err(failure);
        }
    };
    if let Some(factor) = shown {
        state.throttle().succeeded(&names);
        return Ok(factor);
    }
    let text = "This code is not valid, or it was already used. Wait for the next one.";
    let failure = Failure::new(401, "wrong_code", text);
    note_refused(state, &caller.tenant, &caller.person, ("code", &failure));
    Err(failure)
}

/// Ends a session; returns the `Set-Cookie` header that removes it.
///
/// # Errors
/// The store's. A token has no session and ends nothing.
pub async fn end_session(state: &AppState, caller: &Caller) -> Result<String, Failure> {
    if let Credential::Session { digest, .. } = &caller.credential {
        let digest = digest.clone();
        let end = move |cx: &mut Context<'_, '_>| {
            let ended = session::delete(cx.tx, &digest)?;
            session_end::note_ended(cx, &ended)
        };
        state.act(Lane::Pages, caller, Mode::Write, end).await?;
    }
    Ok(cookie(state, "", 0))
}

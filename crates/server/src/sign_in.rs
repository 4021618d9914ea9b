//! Signing in and out, and the fresh factor. Both the API and the pages come through here.

use std::time::Duration;

use acts::Room;
use jiff::{SignedDuration, Timestamp};
use model::file::Actor;
use model::ids::PersonId;
use store::session::{self, Session};
use store::{Lane, Mode};
use wire::problem::UNAUTHENTICATED;

use crate::caller::{Caller, Credential, digest_of};
use crate::failure::Failure;
use crate::state::AppState;
use crate::{clock, password};

/// The cookie that holds a session's secret.
pub const SESSION_COOKIE: &str = "assent_session";
/// How long a session lives, in hours: a working day and its evening.
const SESSION_HOURS: i64 = 12;
/// How long one waits for a free hasher.
const HASHER_PATIENCE: Duration = Duration::from_secs(5);

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The tenant.
    pub tenant: String,
    /// Whose it is.
    pub person: PersonId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The value of the `Set-Cookie` header.
    pub cookie: String,
}

/// Begins a session for who knows the password. A wrong login takes as long as a wrong password. `source` is the address
/// it came from.
///
/// # Errors
/// 401; 429 after repeated failures; 503 while the hashers are busy or the store is away.
pub async fn sign_in(
    state: &AppState,
    source: &str,
    tenant: &str,
    login: &str,
    secret: &str,
) -> Result<NewSession, Failure> {
    let login = login.trim().to_lowercase();
    let names = [format!("account {tenant}/{login}"), format!("source {source}")];
    let found = if store::check_tenant(tenant).is_ok() {
        find_person(state, tenant, &login).await?
    } else {
        None
    };
    check_password(state, &names, found.as_ref().map(|(_, phc)| phc.clone()), secret).await?;
    let Some((person, _)) = found else { return Err(wrong()) };
    begin(state, tenant, person).await
}

fn wrong() -> Failure {
    Failure::new(401, UNAUTHENTICATED, "This login and password do not fit together.")
}

/// The person behind a login and their password's PHC text.
async fn find_person(state: &AppState, tenant: &str, login: &str) -> Result<Option<(PersonId, String)>, Failure> {
    let login = login.to_owned();
    let find = move |room: &mut Room<'_, '_>| {
        let directory = room.directory()?;
        let Some(person) = directory.by_login(&login).filter(|person| person.active) else {
            return Ok(None);
        };
        let phc = store::secrets::password(room.tx, person.id.as_str())?;
        Ok(phc.map(|phc| (person.id.clone(), phc)))
    };
    state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Read, find)
        .await
}

/// Checks a password against its PHC text, or against one that fits nothing.
async fn check_password(state: &AppState, names: &[String], phc: Option<String>, secret: &str) -> Result<(), Failure> {
    let wait = state.throttle().wait(names, clock::tick());
    if wait > 0 {
        let text = format!("Too many failed tries. Try again in {wait} seconds.");
        return Err(Failure::new(429, "too_many_tries", text).after(wait));
    }
    if verified(state, phc, secret).await? {
        state.throttle().succeeded(&names[0]);
        return Ok(());
    }
    state.throttle().failed(names, clock::tick());
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
        let refusal = model::refusal::Refusal::field("password", "not_a_password", format!("{error}."));
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

async fn begin(state: &AppState, tenant: &str, person: PersonId) -> Result<NewSession, Failure> {
    let mut bytes = [0_u8; 32];
    state
        .desk()
        .tools()
        .entropy
        .fill(&mut bytes)
        .map_err(|error| Failure::fault(&error))?;
    let secret = proof::crypto::base64url(&bytes);
    let (digest, whose) = (digest_of(&secret), person.clone());
    let insert = move |room: &mut Room<'_, '_>| {
        let expires_at = room.now + SignedDuration::from_hours(SESSION_HOURS);
        let session = Session {
            token_digest: digest.clone(),
            person: whose.0.clone(),
            created_at: room.now,
            last_seen_at: room.now,
            expires_at,
            stepped_up_at: Some(room.now),
        };
        session::insert(room.tx, &session)?;
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
    })
}

fn cookie(state: &AppState, value: &str, seconds: i64) -> String {
    let secure = if state.is_secure() { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// Notes a fresh factor in a session.
///
/// # Errors
/// 403 for a token; 401 for a wrong password; 429 after repeated failures.
pub async fn step_up(state: &AppState, caller: &Caller, source: &str, secret: &str) -> Result<(), Failure> {
    let Credential::Session { digest, .. } = &caller.credential else {
        return Err(Failure::new(
            403,
            "step_up_required",
            "A token has no fresh factor; sign in, and step up there.",
        ));
    };
    let whose = caller.person.clone();
    let find = move |room: &mut Room<'_, '_>| {
        let login = room.directory()?.login(&whose);
        Ok((login, store::secrets::password(room.tx, whose.as_str())?))
    };
    let (login, phc) = state.act(Lane::Pages, caller, Mode::Read, find).await?;
    let names = [format!("account {}/{login}", caller.tenant), format!("source {source}")];
    check_password(state, &names, phc, secret).await?;
    let digest = digest.clone();
    let note = move |room: &mut Room<'_, '_>| Ok(session::step_up(room.tx, &digest, room.now)?);
    state.act(Lane::Pages, caller, Mode::Write, note).await?;
    Ok(())
}

/// Ends a session; answers the `Set-Cookie` header that forgets it.
///
/// # Errors
/// The store's. A token has no session and ends nothing.
pub async fn end_session(state: &AppState, caller: &Caller) -> Result<String, Failure> {
    if let Credential::Session { digest, .. } = &caller.credential {
        let digest = digest.clone();
        let end = move |room: &mut Room<'_, '_>| Ok(session::delete(room.tx, &digest)?);
        state.act(Lane::Pages, caller, Mode::Write, end).await?;
    }
    Ok(cookie(state, "", 0))
}

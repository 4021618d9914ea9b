//! Who is at the door: a token in the header, or a session in the cookie.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acts::Room;
use acts::gate_question::{Asker, Question};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use jiff::Timestamp;
use model::factor::Factor;
use model::file::{Actor, Lent};
use model::gate::Answer;
use model::ids::PersonId;
use model::refusal::Refusal;
use store::{Lane, Mode};
use wire::problem::UNAUTHENTICATED;

use crate::failure::Failure;
use crate::sign_in::SESSION_COOKIE;
use crate::state::AppState;

/// The longest credential that is looked up, in bytes.
const LONGEST: usize = 200;
/// How many tokens' bearers are remembered; past it they are looked up anew.
const CALLERS: usize = 10_000;

/// What a credential may do at the doors; the policies judge on top of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Look at things.
    Read,
    /// Change things.
    Write,
    /// Ask the gate.
    Gate,
    /// Read the log and export bundles.
    Audit,
    /// People, tokens, connections, policies.
    Admin,
    /// Provisioning of people and groups, and nothing else.
    Scim,
}

impl Scope {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Gate => "gate",
            Self::Audit => "audit",
            Self::Admin => "admin",
            Self::Scim => "scim",
        }
    }

    /// The scopes of which one opens a door of this one, the one that says the least first: whoever may write or audit may
    /// also read.
    pub(crate) fn opened_by(self) -> &'static [Scope] {
        match self {
            Self::Read => &[Self::Read, Self::Audit, Self::Write, Self::Admin],
            Self::Write => &[Self::Write],
            Self::Gate => &[Self::Gate],
            Self::Audit => &[Self::Audit],
            Self::Admin => &[Self::Admin],
            Self::Scim => &[Self::Scim],
        }
    }
}

/// With what a caller showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A token, by its id, with its scopes.
    Token {
        /// The token's record.
        id: String,
        /// What it may do.
        scopes: BTreeSet<String>,
        /// Who made it, and how far it carries.
        lent: Lent,
    },
    /// A session, by the digest of its secret.
    Session {
        /// `sha256:…`.
        digest: String,
        /// When a fresh factor was shown last.
        stepped_up_at: Option<Timestamp>,
        /// Which factor that was.
        factor: Option<Factor>,
        /// How it was begun, and with which fresh factor it went on: `password+totp`.
        method: String,
        /// Who handed out the way in by which it was begun, where that was another person.
        handed_by: Option<PersonId>,
    },
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that the credential belongs to.
    pub tenant: String,
    /// The person for whom it speaks.
    pub person: PersonId,
    /// The credential.
    pub credential: Credential,
}

impl Caller {
    /// The caller as acts know it.
    pub fn actor(&self) -> Actor {
        let by_token = matches!(self.credential, Credential::Token { .. });
        let (lent, (stepped_up_at, factor), method) = match &self.credential {
            Credential::Token { lent, .. } => (Some(lent.clone()), (None, None), "token".to_owned()),
            Credential::Session {
                stepped_up_at,
                factor,
                method,
                handed_by,
                ..
            } => {
                let handed = handed_by.clone().map(|maker| Lent { maker, roles: None });
                (handed, (*stepped_up_at, factor.clone()), method.clone())
            }
        };
        Actor {
            person: self.person.clone(),
            by_token,
            stepped_up_at,
            factor,
            is_system: false,
            method,
            lent,
        }
    }

    /// The credential's name in the table of idempotency keys: never its secret.
    pub(crate) fn credential_id(&self) -> &str {
        match &self.credential {
            Credential::Token { id, .. } => id,
            Credential::Session { digest, .. } => digest,
        }
    }

    /// Refuses a token without the scope. A session has all of them; whoever may write or audit may also read.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] with the code `scope_missing`.
    pub(crate) fn check_scope(&self, scope: Scope) -> Result<(), Refusal> {
        let Credential::Token { scopes, .. } = &self.credential else {
            return Ok(());
        };
        if scope.opened_by().iter().any(|it| scopes.contains(it.as_str())) {
            return Ok(());
        }
        let text = format!("This token lacks the scope `{}`.", scope.as_str());
        Err(Refusal::not_allowed("scope_missing", text))
    }

    /// Refuses a person who was deactivated after the credential was made, and a token or a workload whose maker was: nobody
    /// answers for it any more.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`], answered with 401; or the store's.
    pub(crate) fn check_active(room: &mut Room<'_, '_>) -> acts::Result<()> {
        let person = room.actor.person.clone();
        let directory = room.directory()?;
        let maker = room.actor.hand().filter(|_| room.actor.by_token);
        let is_answered = maker.is_none_or(|maker| directory.is_active(maker));
        if room.actor.is_system || (is_answered && directory.is_active(&person)) {
            return Ok(());
        }
        Err(Refusal::not_allowed(UNAUTHENTICATED, "The person behind this credential may no longer act.").into())
    }

    /// Refuses a credential that was revoked, ended or ran out since it was shown: for answers that go on for minutes.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`], answered with 401; or the store's.
    pub(crate) fn check_alive(&self, room: &mut Room<'_, '_>) -> acts::Result<()> {
        let now = room.now;
        let is_alive = match &self.credential {
            Credential::Token { id, .. } => match store::record::load::<model::directory::Token>(room.tx, id)? {
                Some(it) => !it.record.revoked && it.record.expires_at.is_none_or(|end| end > now),
                None => is_let_in(room, id)?,
            },
            Credential::Session { digest, .. } => {
                let found = store::session::load(room.tx, digest)?;
                found.is_some_and(|session| session.expires_at > now && session.person == self.person.0)
            }
        };
        if is_alive {
            return Ok(());
        }
        Err(Refusal::not_allowed(UNAUTHENTICATED, "This credential is over.").into())
    }

    /// Finds out who asks, by the request's head.
    ///
    /// # Errors
    /// 401 without a good credential; 403 when another site sent a session's request; 503 while the store is away.
    pub async fn of(state: &AppState, method: &Method, headers: &HeaderMap) -> Result<Self, Failure> {
        Self::of_in(state, Lane::Pages, method, headers).await
    }

    /// Finds out whose calendar feed an address opens: that of a token which opens nothing else.
    ///
    /// # Errors
    /// 401 for any other secret; 503 while the store is away.
    pub(crate) async fn of_feed(state: &AppState, secret: &str) -> Result<Self, Failure> {
        let caller = by_token(state, Lane::Pages, token_digest(secret)?).await?.caller;
        match &caller.credential {
            Credential::Token { scopes, .. } if scopes.contains(acts::make_feed::SCOPE) => Ok(Self::clone(&caller)),
            _ => Err(unknown()),
        }
    }

    /// The same, looked up in a lane of its own.
    async fn of_in(state: &AppState, lane: Lane, method: &Method, headers: &HeaderMap) -> Result<Self, Failure> {
        if let Some(secret) = bearer(headers)? {
            let known = by_token(state, lane, token_digest(secret)?).await?;
            crate::attempts::note_token_use(state, &known.caller);
            return Ok(Arc::unwrap_or_clone(known.caller));
        }
        let Some(secret) = cookie(headers, SESSION_COOKIE) else {
            return Err(unknown());
        };
        let caller = by_session(state, lane, secret).await?;
        if !method.is_safe()
            && let Err(failure) = check_site(state, headers)
        {
            crate::attempts::note(state, &caller, method.to_string(), None, &failure).await;
            return Err(failure);
        }
        Ok(caller)
    }
}

/// Whether a job that was let in with its platform's token still is: it names no token of ours.
fn is_let_in(room: &mut Room<'_, '_>, digest: &str) -> acts::Result<bool> {
    let now = room.now;
    let Some(workload) = store::workload::entered(room.tx, digest, now)? else {
        return Ok(false);
    };
    let found = store::record::load::<model::workload::Workload>(room.tx, &workload)?;
    Ok(found.is_some_and(|it| it.record.active))
}

fn unknown() -> Failure {
    let text = "Send `Authorization: Bearer` with a token, or sign in. This credential is absent, unknown or over.";
    Failure::new(401, UNAUTHENTICATED, text)
}

/// The secret of a token in the header, if there is such a header.
///
/// # Errors
/// 401 for another scheme.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let Some(text) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let text = text.to_str().unwrap_or_default();
    let (scheme, secret) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unknown());
    }
    Ok(Some(secret.trim()))
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The digest under which a secret is kept.
pub(crate) fn digest_of(secret: &str) -> String {
    proof::crypto::digest_text(secret.as_bytes())
}

/// The digest of a token's secret as it stands in the header, if it can be one at all.
fn token_digest(secret: &str) -> Result<String, Failure> {
    if !secret.starts_with(acts::set_token::PREFIX) || secret.len() > LONGEST {
        return Err(unknown());
    }
    Ok(digest_of(secret))
}

async fn by_token(state: &AppState, lane: Lane, digest: String) -> Result<Known, Failure> {
    let wanted = digest.clone();
    let find = move |tx: &mut store::CrossTx<'_>| Ok(store::session::find_token(tx, &wanted)?);
    let found = state.across(lane, "whose token is it", Mode::Read, find).await?;
    let now = state.desk().tools().clock.now();
    let Some(found) = found else {
        return by_workload(state, lane, digest).await;
    };
    let token = found.token;
    if token.revoked || token.expires_at.is_some_and(|end| end <= now) {
        let code = if token.revoked { "revoked" } else { "expired" };
        crate::attempts::note_token(state, &found.tenant, &token.id.0, code).await;
        return Err(unknown());
    }
    let credential = Credential::Token {
        id: token.id.0,
        scopes: token.scopes,
        lent: Lent {
            maker: token.owner,
            roles: token.roles,
        },
    };
    Ok(Known {
        caller: Arc::new(Caller {
            tenant: found.tenant,
            person: token.person,
            credential,
        }),
        expires_at: token.expires_at,
        generation: found.generation,
    })
}

/// Somebody who was let in with a token of their platform: what they may is what the workload says now.
async fn by_workload(state: &AppState, lane: Lane, digest: String) -> Result<Known, Failure> {
    let wanted = digest.clone();
    let find = move |tx: &mut store::CrossTx<'_>| Ok(store::workload::find(tx, &wanted)?);
    let found = state.across(lane, "whose workload is it", Mode::Read, find).await?;
    let now = state.desk().tools().clock.now();
    let found = found
        .filter(|it| it.workload.active && now < it.expires_at)
        .ok_or_else(unknown)?;
    let workload = found.workload;
    Ok(Known {
        caller: Arc::new(Caller {
            tenant: found.tenant,
            person: workload.person,
            credential: Credential::Token {
                id: digest,
                scopes: workload.scopes,
                lent: Lent {
                    maker: workload.owner,
                    roles: workload.roles,
                },
            },
        }),
        expires_at: Some(found.expires_at),
        generation: found.generation,
    })
}

async fn by_session(state: &AppState, lane: Lane, secret: &str) -> Result<Caller, Failure> {
    if secret.is_empty() || secret.len() > LONGEST {
        return Err(unknown());
    }
    let digest = digest_of(secret);
    let find = move |tx: &mut store::CrossTx<'_>| Ok(store::session::find(tx, &digest)?);
    let found = state.across(lane, "whose session is it", Mode::Read, find).await?;
    let now = state.desk().tools().clock.now();
    let Some((tenant, session)) = found else {
        return Err(unknown());
    };
    if !acts::macs::is_own_session(&state.desk().tools().master, &tenant, &session) {
        tracing::warn!(
            tenant,
            person = session.person,
            "a session was shown that no server began; it opens nothing"
        );
        return Err(unknown());
    }
    if session.expires_at <= now {
        return Err(unknown());
    }
    let is_second = session.is_second_factor;
    let factor = session.factor.map(|kind| Factor::new(kind, is_second));
    let method = match &factor {
        Some(factor) if factor.kind != session.method => format!("{}+{}", session.method, factor.kind),
        _ => session.method,
    };
    let credential = Credential::Session {
        digest: session.token_digest,
        stepped_up_at: session.stepped_up_at,
        factor,
        method,
        handed_by: session.handed_by.map(PersonId),
    };
    Ok(Caller {
        tenant,
        person: PersonId(session.person),
        credential,
    })
}

/// Refuses a state-changing request that another site's page may have sent with our cookie.
///
/// # Errors
/// 403 `cross_site`.
pub(crate) fn check_site(state: &AppState, headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_own_origin(state, origin, text("host")),
        (None, None) => false,
    };
    if is_ours {
        return Ok(());
    }
    let text =
        "A session's request that changes something says in `Origin` that it comes from this server's own pages.";
    Err(Failure::new(403, "cross_site", text))
}

fn is_own_origin(state: &AppState, origin: &str, host: Option<&str>) -> bool {
    let bare = |text: &str| {
        text.split_once("://")
            .map(|(_, rest)| rest.trim_end_matches('/').to_lowercase())
    };
    let public = bare(state.public_url()).map(|rest| rest.split('/').next().unwrap_or_default().to_owned());
    let asked = bare(origin);
    asked.is_some() && (asked == public || asked.as_deref() == host.map(str::to_lowercase).as_deref())
}

/// The gate's questions are looked up apart, so that a rush at other doors does not hold up pipelines.
fn lane_of(path: &str) -> Lane {
    if path.starts_with("/api/v1/gate") {
        Lane::Gate
    } else {
        Lane::Pages
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Failure> {
        Self::of_in(state, lane_of(parts.uri.path()), &parts.method, &parts.headers).await
    }
}

/// A token's bearer as they were when the tenant's estate stood at a generation.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    caller: Arc<Caller>,
    expires_at: Option<Timestamp>,
    generation: i64,
}

/// Bearers of tokens by the digest of the secret. What stands here opens nothing by itself: it saves the look-up, and the
/// act's own transaction looks whether the estate, of which tokens are a part, still stands where it stood.
#[derive(Default)]
pub(crate) struct KnownCallers(Mutex<HashMap<String, Known>>);

impl KnownCallers {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        // A map of what was read is whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, digest: &str, now: Timestamp) -> Option<Known> {
        let found = self.map().get(digest).cloned();
        found.filter(|known| known.expires_at.is_none_or(|end| now < end))
    }

    fn keep(&self, digest: &str, known: &Known) {
        let mut map = self.map();
        if map.len() >= CALLERS {
            map.clear();
        }
        map.insert(digest.to_owned(), known.clone());
    }

    fn forget(&self, digest: &str) {
        self.map().remove(digest);
    }
}

/// Who asks, perhaps from memory: only [`AppState::act_for`] takes it, which asks the act's own transaction whether it
/// still holds. What needs a caller outside of an act takes [`Caller`], which is always looked up.
pub(crate) struct Asking {
    caller: Arc<Caller>,
    /// For a token: the digest of its secret, and the generation of the estate at which it was read.
    seen: Option<(String, i64)>,
}

impl Asking {
    /// The caller, who counts only inside of an act.
    pub(crate) fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// The generation of the estate that must still stand.
    pub(crate) fn generation(&self) -> Option<i64> {
        self.seen.as_ref().map(|(_, generation)| *generation)
    }

    /// The gate's answer to a token with the scope for it, when it can be given without a transaction.
    ///
    /// # Errors
    /// A fault of the clock.
    pub(crate) fn ask_at_once(
        &self,
        state: &AppState,
        question: &Question,
    ) -> Result<Option<(Answer, Timestamp)>, Failure> {
        let Some((_, generation)) = self.seen else {
            return Ok(None);
        };
        if self.caller.check_scope(Scope::Gate).is_err() {
            return Ok(None);
        }
        crate::attempts::note_scope_use(state, &self.caller, Scope::Gate);
        let Credential::Token { lent, .. } = &self.caller.credential else {
            return Ok(None);
        };
        let asker = Asker {
            tenant: &self.caller.tenant,
            person: &self.caller.person,
            lent,
            generation,
        };
        Ok(acts::gate::ask_at_once(state.desk().services(), &asker, question)?)
    }

    /// Looks the credential up again, as the estate has been written since.
    ///
    /// # Errors
    /// 401 when it no longer opens anything, or not what it opened before.
    pub(crate) async fn renew(&mut self, state: &AppState, lane: Lane) -> Result<(), Failure> {
        let Some((digest, generation)) = &mut self.seen else {
            return Ok(());
        };
        let known = look_up(state, lane, digest).await?;
        if known.caller != self.caller {
            return Err(unknown());
        }
        *generation = known.generation;
        Ok(())
    }
}

/// Looks a token up and remembers its bearer.
async fn look_up(state: &AppState, lane: Lane, digest: &str) -> Result<Known, Failure> {
    let found = by_token(state, lane, digest.to_owned()).await;
    match &found {
        Ok(known) => {
            state.callers().keep(digest, known);
            state.desk().warm(&known.caller.tenant);
        }
        Err(_) => state.callers().forget(digest),
    }
    found
}

impl FromRequestParts<AppState> for Asking {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Failure> {
        Self::of(state, lane_of(parts.uri.path()), &parts.method, &parts.headers).await
    }
}

impl Asking {
    /// Finds out who asks, by the request's head.
    ///
    /// # Errors
    /// As [`Caller::of`].
    pub(crate) async fn of(
        state: &AppState,
        lane: Lane,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        let Some(secret) = bearer(headers)? else {
            let caller = Arc::new(Caller::of_in(state, lane, method, headers).await?);
            return Ok(Self { caller, seen: None });
        };
        let digest = token_digest(secret)?;
        let now = state.desk().tools().clock.now();
        let known = match state.callers().find(&digest, now) {
            Some(known) => known,
            None => look_up(state, lane, &digest).await?,
        };
        Ok(Self::with(state, digest, known))
    }

    /// Finds out who asks from memory alone; `None` when that takes a look-up, or the credential is no token.
    pub(crate) fn of_known(state: &AppState, headers: &HeaderMap) -> Option<Self> {
        let digest = token_digest(bearer(headers).ok()??).ok()?;
        let known = state.callers().find(&digest, state.desk().tools().clock.now())?;
        Some(Self::with(state, digest, known))
    }

    fn with(state: &AppState, digest: String, known: Known) -> Self {
        crate::attempts::note_token_use(state, &known.caller);
        Self {
            caller: known.caller,
            seen: Some((digest, known.generation)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn token(scopes: &[&str]) -> Caller {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let credential = Credential::Token {
            id: "t".to_owned(),
            scopes,
            lent: Lent {
                maker: PersonId::from("p"),
                roles: None,
            },
        };
        Caller {
            tenant: "acme".to_owned(),
            person: PersonId::from("p"),
            credential,
        }
    }

    #[test]
    fn scopes_open_their_own_doors() {
        assert!(token(&["write"]).check_scope(Scope::Read).is_ok());
        assert!(token(&["read"]).check_scope(Scope::Write).is_err());
        assert!(token(&["gate"]).check_scope(Scope::Read).is_err());
        assert!(token(&["write"]).check_scope(Scope::Gate).is_err());
        assert!(token(&["admin"]).check_scope(Scope::Write).is_err());
        assert!(token(&["gate"]).check_scope(Scope::Gate).is_ok());
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=1; assent_session=xyz ;b=2".parse().unwrap());
        assert_eq!(cookie(&headers, "assent_session"), Some("xyz"));
        assert_eq!(cookie(&headers, "c"), None);
    }
}

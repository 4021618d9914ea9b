//! Finds the caller of a request, by the token in the header or the session in the cookie.

use std::sync::Arc;

use acts::Context;
use acts::core::gate_question::{Asker, Question};
use acts::core::row_mac;
use acts::core::services::Way;
use acts::gate::answer;
use acts::identity::set_token;
use acts::notify::make_feed;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use jiff::Timestamp;
use model::change::change_file::Lent;
use model::core::ids::PersonId;
use model::gate::answer::Answer;
use model::identity::factor::Factor;
use store::identity::{session, workload};
use store::{Lane, Mode};
use wire::problem::UNAUTHENTICATED;

use crate::http::attempts;
use crate::http::caller::{CachedCaller, Caller, Credential, SESSION_COOKIE, Scope, cookie, digest_of};
use crate::http::failure::Failure;
use crate::http::state::AppState;

/// The longest credential that is looked up, in bytes.
const LONGEST: usize = 200;

/// How often an act is tried when the caller's tenant data changes while the request runs.
const TRIES: usize = 5;

/// An act that several tries share.
type Again<T> = Arc<dyn Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + Sync>;

/// Finds the caller of a request from its head.
///
/// # Errors
/// 401 without a good credential; 403 when another site sent a session's request; 503 while the store is away.
pub(crate) async fn caller_of(state: &AppState, method: &Method, headers: &HeaderMap) -> Result<Caller, Failure> {
    caller_in(state, Lane::Pages, method, headers).await
}

/// Finds the owner of a calendar feed from its address: the secret of a token that opens nothing else.
///
/// # Errors
/// 401 for any other secret; 503 while the store is away.
pub(crate) async fn caller_of_feed(state: &AppState, secret: &str) -> Result<Caller, Failure> {
    caller_with(state, secret, make_feed::SCOPE).await
}

/// The same of a feed of the status.
///
/// # Errors
/// 401 for any other secret; 503 while the store is away.
pub(crate) async fn caller_of_status_feed(state: &AppState, secret: &str) -> Result<Caller, Failure> {
    caller_with(state, secret, make_feed::STATUS_SCOPE).await
}

async fn caller_with(state: &AppState, secret: &str, scope: &str) -> Result<Caller, Failure> {
    let caller = by_token(state, Lane::Pages, token_digest(secret)?).await?.caller;
    match &caller.credential {
        Credential::Token { scopes, .. } if scopes.contains(scope) => Ok(Caller::clone(&caller)),
        _ => Err(unknown()),
    }
}

/// The same, looked up in a lane of its own.
async fn caller_in(state: &AppState, lane: Lane, method: &Method, headers: &HeaderMap) -> Result<Caller, Failure> {
    if let Some(secret) = bearer(headers)? {
        let known = by_token(state, lane, token_digest(secret)?).await?;
        attempts::note_token_use(state, &known.caller);
        return Ok(Arc::unwrap_or_clone(known.caller));
    }
    let Some(secret) = cookie(headers, SESSION_COOKIE) else {
        return Err(unknown());
    };
    let caller = by_session(state, lane, secret).await?;
    if !method.is_safe()
        && let Err(failure) = check_site(state, headers)
    {
        attempts::note(state, &caller, method.to_string(), None, &failure).await;
        return Err(failure);
    }
    Ok(caller)
}

/// The time by which credentials end: a clock that is set back revives none.
pub(crate) fn ends_by(state: &AppState) -> Timestamp {
    let services = state.executor().services();
    services.ends_by(services.tools().clock.now())
}

fn unknown() -> Failure {
    let text = "Send `Authorization: Bearer` with a token, or sign in. This credential is absent, unknown or over.";
    Failure::new(401, UNAUTHENTICATED, text)
}

/// The secret of a token in the header, if there is such a header.
///
/// # Errors
/// 401 for another authentication scheme.
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

/// The digest of the token secret in the header, if the text can be a secret at all.
fn token_digest(secret: &str) -> Result<String, Failure> {
    if !secret.starts_with(set_token::PREFIX) || secret.len() > LONGEST {
        return Err(unknown());
    }
    Ok(digest_of(secret))
}

async fn by_token(state: &AppState, lane: Lane, digest: String) -> Result<CachedCaller, Failure> {
    let wanted = digest.clone();
    let find = move |tx: &mut store::CrossTx<'_>| Ok(session::find_token(tx, &wanted)?);
    let found = state.across(lane, "whose token is it", Mode::Read, find).await?;
    let now = ends_by(state);
    let Some(found) = found else {
        return by_workload(state, lane, digest).await;
    };
    let token = found.token;
    let is_revoked = token.revoked
        || state
            .executor()
            .services()
            .ended()
            .is_over(&found.tenant, Way::Token(&token.id.0));
    if is_revoked || token.expires_at.is_some_and(|end| end <= now) {
        let code = if is_revoked { "revoked" } else { "expired" };
        attempts::note_token(state, &found.tenant, &token.id.0, code).await;
        return Err(unknown());
    }
    let credential = Credential::Token {
        id: token.id.0,
        scopes: token.scopes,
        lent: Lent {
            maker: token.owner,
            roles: token.roles,
            services: token.services,
        },
    };
    Ok(CachedCaller {
        caller: Arc::new(Caller {
            tenant: found.tenant,
            person: token.person,
            credential,
        }),
        expires_at: token.expires_at,
        generation: found.generation,
        workload: None,
    })
}

/// A caller signed in with a token of their platform. The current workload record decides their rights.
async fn by_workload(state: &AppState, lane: Lane, digest: String) -> Result<CachedCaller, Failure> {
    let wanted = digest.clone();
    let find = move |tx: &mut store::CrossTx<'_>| Ok(workload::find(tx, &wanted)?);
    let found = state.across(lane, "whose workload is it", Mode::Read, find).await?;
    let now = ends_by(state);
    let ended = state.executor().services().ended();
    let is_over = |it: &workload::Entered| {
        let way = Way::Workload(it.workload.id.as_str(), it.workload.version);
        ended.is_over(&it.tenant, way)
    };
    let found = found
        .filter(|it| it.workload.active && now < it.expires_at && !is_over(it))
        .ok_or_else(unknown)?;
    let workload = found.workload;
    let row = (workload.id.0.clone(), workload.version);
    Ok(CachedCaller {
        caller: Arc::new(Caller {
            tenant: found.tenant,
            person: workload.person,
            credential: Credential::Token {
                id: digest,
                scopes: workload.scopes,
                lent: Lent {
                    maker: workload.owner,
                    roles: workload.roles,
                    services: None,
                },
            },
        }),
        expires_at: Some(found.expires_at),
        generation: found.generation,
        workload: Some(row),
    })
}

async fn by_session(state: &AppState, lane: Lane, secret: &str) -> Result<Caller, Failure> {
    if secret.is_empty() || secret.len() > LONGEST {
        return Err(unknown());
    }
    let digest = digest_of(secret);
    let find = move |tx: &mut store::CrossTx<'_>| Ok(session::find(tx, &digest)?);
    let found = state.across(lane, "whose session is it", Mode::Read, find).await?;
    let now = ends_by(state);
    let Some((tenant, session)) = found else {
        return Err(unknown());
    };
    if !row_mac::is_own_session(&state.executor().tools().master, &tenant, &session) {
        tracing::warn!(
            tenant,
            person = session.person,
            "a session was shown that no server began; it opens nothing"
        );
        return Err(unknown());
    }
    let ended = state.executor().services().ended();
    let is_over = ended.is_over(&tenant, Way::Session(&session.id))
        || ended.is_over(&tenant, Way::SessionSince(&session.person, session.created_at));
    if is_over {
        tracing::warn!(
            tenant,
            person = session.person,
            "a session was put back after the log ended it; it opens nothing"
        );
    }
    if is_over || session.expires_at <= now {
        return Err(unknown());
    }
    let is_second = session.is_second_factor;
    let factor = session.factor.map(|kind| Factor::new(kind, is_second));
    let method = match &factor {
        Some(factor) if factor.kind != session.method => format!("{}+{}", session.method, factor.kind),
        _ => session.method,
    };
    let credential = Credential::Session {
        id: session.id,
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

/// Whether an origin is this server's: the public URL or another name of the same host, in either case with the same scheme. A
/// page that came by plain HTTP may have been altered on the way.
fn is_own_origin(state: &AppState, origin: &str, host: Option<&str>) -> bool {
    let Some((scheme, public)) = split_origin(state.public_url()) else {
        return false;
    };
    let named = host.and_then(|host| split_origin(&format!("{scheme}://{host}")));
    split_origin(origin)
        .is_some_and(|(its, host)| its == scheme && (host == public || named.is_some_and(|(_, named)| named == host)))
}

/// Scheme and host of an address, the port only where it is not the usual one (RFC 6454, section 6.2).
fn split_origin(text: &str) -> Option<(String, String)> {
    let (scheme, rest) = text.split_once("://")?;
    let (scheme, host) = (scheme.to_lowercase(), rest.split('/').next()?.to_lowercase());
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(usual).unwrap_or(&host).to_owned();
    (!host.is_empty()).then_some((scheme, host))
}

/// Gate requests are looked up in a lane of their own, so that a rush at other endpoints does not delay pipelines.
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
        caller_in(state, lane_of(parts.uri.path()), &parts.method, &parts.headers).await
    }
}

/// The caller, perhaps from the cache. Only [`GateCaller::act`] accepts it, because the act's own transaction checks that the
/// cached data is still current. Code that needs a caller outside of an act takes [`Caller`], which is always looked up.
pub(crate) struct GateCaller {
    caller: Arc<Caller>,
    /// For a token: the digest of its secret, and the generation of the tenant data at the look-up.
    seen: Option<(String, i64)>,
}

impl GateCaller {
    /// The caller, to be trusted only inside of an act.
    pub(crate) fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// The generation of the tenant data that must still be current.
    pub(crate) fn generation(&self) -> Option<i64> {
        self.seen.as_ref().map(|(_, generation)| *generation)
    }

    /// The gate's decision for a token with the gate's scope, when no transaction is needed for it.
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
        attempts::note_scope_use(state, &self.caller, Scope::Gate);
        let Credential::Token { lent, .. } = &self.caller.credential else {
            return Ok(None);
        };
        let asker = Asker {
            tenant: &self.caller.tenant,
            person: &self.caller.person,
            lent,
            generation,
        };
        Ok(answer::ask_at_once(state.executor().services(), &asker, question)?)
    }

    /// Looks the credential up again, because the tenant data has changed since.
    ///
    /// # Errors
    /// 401 when the credential is no longer valid, or no longer opens the same.
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

    /// Runs an act for the caller. A cached caller counts only if the tenant data, tokens and people included, is unchanged
    /// since the look-up; the act's own transaction checks this. If the data has changed, nothing is done: the credential is
    /// looked up again, and the act is retried.
    ///
    /// # Errors
    /// 401 when the credential or its person may no longer act; the act's refusal or fault, as a failure response.
    pub(crate) fn act<T, A>(
        self,
        state: &AppState,
        lane: Lane,
        mode: Mode,
        act: A,
    ) -> impl Future<Output = Result<T, Failure>> + Send
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + Sync + 'static,
    {
        self.try_act(state, lane, mode, Arc::new(act))
    }

    async fn try_act<T: Send + 'static>(
        mut self,
        state: &AppState,
        lane: Lane,
        mode: Mode,
        act: Again<T>,
    ) -> Result<T, Failure> {
        for _ in 0..TRIES {
            let (act, generation) = (Arc::clone(&act), self.generation());
            let whole = move |cx: &mut Context<'_, '_>| {
                if let Some(generation) = generation
                    && cx.generation()? != generation
                {
                    return Ok(None);
                }
                Caller::check_active(cx)?;
                act(cx).map(Some)
            };
            let caller = self.caller();
            let answer = state.act_as(lane, &caller.tenant, caller.actor(), mode, whole).await?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
            self.renew(state, lane).await?;
        }
        Err(Failure::busy(
            "overloaded",
            "People or services are being changed all the time. Ask again soon.",
        ))
    }
}

/// A token's bearer from the cache, unless the log ended the token since. A row that was put back may have been looked up before
/// this server read of its end, and such an entry would last until the tenant data changes.
fn remembered(state: &AppState, digest: &str) -> Option<CachedCaller> {
    let known = state.callers().find(digest, ends_by(state))?;
    let ended = state.executor().services().ended();
    let is_over = |way: Way<'_>| ended.is_over(&known.caller.tenant, way);
    let is_token_over = match &known.caller.credential {
        Credential::Token { id, .. } => is_over(Way::Token(id)),
        Credential::Session { .. } => false,
    };
    let row = known.workload.as_ref();
    let is_workload_over = row.is_some_and(|(id, version)| is_over(Way::Workload(id, *version)));
    (!is_token_over && !is_workload_over).then_some(known)
}

/// Looks a token up and remembers its bearer.
async fn look_up(state: &AppState, lane: Lane, digest: &str) -> Result<CachedCaller, Failure> {
    let found = by_token(state, lane, digest.to_owned()).await;
    match &found {
        Ok(known) => {
            state.callers().keep(digest, known);
            state.executor().warm(&known.caller.tenant);
        }
        Err(_) => state.callers().forget(digest),
    }
    found
}

impl FromRequestParts<AppState> for GateCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Failure> {
        Self::of(state, lane_of(parts.uri.path()), &parts.method, &parts.headers).await
    }
}

impl GateCaller {
    /// Finds the caller from the request's head.
    ///
    /// # Errors
    /// As [`caller_of`].
    pub(crate) async fn of(
        state: &AppState,
        lane: Lane,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        let Some(secret) = bearer(headers)? else {
            let caller = Arc::new(caller_in(state, lane, method, headers).await?);
            return Ok(Self { caller, seen: None });
        };
        let digest = token_digest(secret)?;
        let known = match remembered(state, &digest) {
            Some(known) => known,
            None => look_up(state, lane, &digest).await?,
        };
        Ok(Self::with(state, digest, known))
    }

    /// Finds the caller from the cache alone; `None` when a look-up is needed, or when the credential is no token.
    pub(crate) fn of_known(state: &AppState, headers: &HeaderMap) -> Option<Self> {
        let digest = token_digest(bearer(headers).ok()??).ok()?;
        let known = remembered(state, &digest)?;
        Some(Self::with(state, digest, known))
    }

    fn with(state: &AppState, digest: String, known: CachedCaller) -> Self {
        attempts::note_token_use(state, &known.caller);
        Self {
            caller: known.caller,
            seen: Some((digest, known.generation)),
        }
    }
}

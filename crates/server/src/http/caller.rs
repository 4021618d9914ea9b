//! The caller of a request: a token in the header, or a session in the cookie.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acts::Context;
use acts::core::services::Way;
use acts::identity::known_ways;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use model::change::change_file::{Actor, Lent, WayIn};
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot;
use model::identity::factor::Factor;
use store::identity::session;
use wire::problem::UNAUTHENTICATED;

use crate::http::source::current_source;

/// The cookie that holds a session's secret.
pub const SESSION_COOKIE: &str = "assent_session";
/// How many tokens' bearers are remembered; past it they are looked up anew.
const CALLERS: usize = 10_000;

/// The scope of a credential at the endpoints; the policies decide beyond it.
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

    /// The scopes that open an endpoint of this scope, the narrowest first: a credential that may write or audit may also read.
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

/// The credential that authenticated a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A token, by its id, with its scopes.
    Token {
        /// The token's record.
        id: String,
        /// The scopes of the credential.
        scopes: BTreeSet<String>,
        /// The maker of the credential, and its reach.
        lent: Lent,
    },
    /// A session, by the digest of its secret.
    Session {
        /// The name under which the session is listed and ended; the name opens nothing.
        id: String,
        /// `sha256:…`.
        digest: String,
        /// When a fresh factor was shown last.
        stepped_up_at: Option<Timestamp>,
        /// The fresh factor.
        factor: Option<Factor>,
        /// The sign-in method, with a later fresh factor: `password+totp`.
        method: String,
        /// The other person who issued the credential that began the session, if there was one.
        handed_by: Option<PersonId>,
    },
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that the credential belongs to.
    pub tenant: String,
    /// The person that the credential represents.
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
                let handed = handed_by.clone().map(|maker| Lent {
                    maker,
                    roles: None,
                    services: None,
                });
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
            via: Some(self.way_in()),
        }
    }

    /// The session or token, and the address of the request that is worked on. A token of a workload has no record, and its digest
    /// stays out of the log.
    fn way_in(&self) -> WayIn {
        let address = current_source();
        match &self.credential {
            Credential::Token { id, .. } => WayIn {
                token: (!id.starts_with("sha256:")).then(|| id.clone()),
                job: id.starts_with("sha256:").then(|| id.clone()),
                address,
                ..WayIn::default()
            },
            Credential::Session { id, .. } => WayIn {
                session: Some(id.clone()),
                address,
                ..WayIn::default()
            },
        }
    }

    /// The credential's name in the table of idempotency keys: never its secret.
    pub(crate) fn credential_id(&self) -> &str {
        match &self.credential {
            Credential::Token { id, .. } => id,
            Credential::Session { digest, .. } => digest,
        }
    }

    /// Refuses a token without the scope. A session has all scopes; a token that may write or audit may also read.
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

    /// Refuses a person who was deactivated after the credential was made. A token or a workload of a deactivated maker is
    /// refused too: nobody is responsible for it any more.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`], sent as 401; or the store's.
    pub(crate) fn check_active(cx: &mut Context<'_, '_>) -> acts::Result<()> {
        let person = cx.actor.person.clone();
        let directory = cx.directory()?;
        let maker = cx.actor.hand().filter(|_| cx.actor.by_token);
        let is_in_use =
            |person: &PersonId| directory.is_active(person) && !known_ways::is_person_over(cx, &directory, person);
        let is_answered = maker.is_none_or(is_in_use);
        // An agent uses a token and never signs in as a person; the agent ends with its sponsor.
        if let Some(agent) = directory.agent(&person)
            && !(cx.actor.by_token && agent.is_in_force(&directory, cx.now))
        {
            let text = "This agent has ended, or did not use its own token. An administrator adds agents.";
            return Err(Refusal::not_allowed(UNAUTHENTICATED, text).into());
        }
        if cx.actor.is_system || (is_answered && is_in_use(&person)) {
            return Ok(());
        }
        Err(Refusal::not_allowed(UNAUTHENTICATED, "The person behind this credential may no longer act.").into())
    }

    /// Refuses a credential that was revoked, ended or expired since it was presented: for responses that last for minutes.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`], sent as 401; or the store's.
    pub(crate) fn check_alive(&self, cx: &mut Context<'_, '_>) -> acts::Result<()> {
        let (now, tenant) = (cx.now, cx.tenant());
        let is_alive = match &self.credential {
            Credential::Token { id, .. } => match store::record::load::<snapshot::Token>(cx.tx, id)? {
                Some(it) if cx.services.ended().is_over(&tenant, Way::Token(id)) || it.record.revoked => false,
                Some(it) => it.record.expires_at.is_none_or(|end| end > now),
                None => is_let_in(cx, id)?,
            },
            Credential::Session { digest, .. } => {
                let found = session::load(cx.tx, digest)?;
                let ended = cx.services.ended();
                found.is_some_and(|session| {
                    let is_over = ended.is_over(&tenant, Way::Session(&session.id))
                        || ended.is_over(&tenant, Way::SessionSince(&session.person, session.created_at));
                    !is_over && session.expires_at > now && session.person == self.person.0
                })
            }
        };
        if is_alive {
            return Ok(());
        }
        Err(Refusal::not_allowed(UNAUTHENTICATED, "This credential is over.").into())
    }
}

/// Whether a job that was admitted with its platform's token still is: such a job has no token of ours.
fn is_let_in(cx: &mut Context<'_, '_>, digest: &str) -> acts::Result<bool> {
    let now = cx.now;
    let Some(workload) = store::identity::workload::entered(cx.tx, digest, now)? else {
        return Ok(false);
    };
    let found = store::record::load::<model::integration::workload::Workload>(cx.tx, &workload)?;
    Ok(found.is_some_and(|it| it.record.active && !known_ways::is_workload_over(cx, &it.record)))
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

/// A token's bearer as of one generation of the tenant data.
#[derive(Debug, Clone)]
pub(crate) struct CachedCaller {
    pub caller: Arc<Caller>,
    pub expires_at: Option<Timestamp>,
    pub generation: i64,
    /// Of a workload's job: the id and the version of the workload's row.
    pub workload: Option<(String, i64)>,
}

/// A cache of token bearers by the digest of the secret. An entry grants nothing by itself: it saves the look-up, and the act's
/// own transaction checks that the tenant data, tokens included, is unchanged.
#[derive(Default)]
pub(crate) struct KnownCallers(Mutex<HashMap<String, CachedCaller>>);

impl KnownCallers {
    fn map(&self) -> MutexGuard<'_, HashMap<String, CachedCaller>> {
        // The cache stays consistent after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, digest: &str, now: Timestamp) -> Option<CachedCaller> {
        let found = self.map().get(digest).cloned();
        found.filter(|known| known.expires_at.is_none_or(|end| now < end))
    }

    pub(crate) fn keep(&self, digest: &str, known: &CachedCaller) {
        let mut map = self.map();
        if map.len() >= CALLERS {
            map.clear();
        }
        map.insert(digest.to_owned(), known.clone());
    }

    pub(crate) fn forget(&self, digest: &str) {
        self.map().remove(digest);
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
                services: None,
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

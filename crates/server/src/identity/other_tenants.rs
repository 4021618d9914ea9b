//! The tenants that know a person: those that would admit the identity that a provider proved when this session began.
//!
//! Other data would not do. A tenant itself sets its people's mail addresses and logins, and its administrators set passwords
//! and make tokens: any of these could be used to learn of other tenants. A provider's statement at the sign-in is verified by
//! keys that are read from its issuer, and the same issuer and subject are the same person everywhere. So a session that began
//! by a password or a passkey, and every token, knows its own tenant only. The reasons and the drawbacks are in
//! `docs/decisions/0007-two-people-for-rights.md`.

use model::core::refusal::Refusal;
use store::identity::{identities, session};
use store::{CrossTx, Lane, Mode};

use crate::http::attempts;
use crate::http::caller::{Caller, Credential, Scope};
use crate::http::failure::Failure;
use crate::http::state::AppState;

/// A tenant in which somebody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherTenant {
    /// Its key.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Whether the caller acts in it.
    pub is_acting: bool,
}

impl OtherTenant {
    /// Where people of it sign in.
    pub fn door(&self) -> String {
        format!("/t/{}/sign-in", self.tenant)
    }
}

/// The tenants that know the caller, the present tenant first.
///
/// # Errors
/// 403 for a token that reads nothing; the store's, as a failure response.
pub(crate) async fn known_in(state: &AppState, caller: &Caller) -> Result<Vec<OtherTenant>, Failure> {
    let asking = caller.clone();
    let own = move |cx: &mut acts::Context<'_, '_>| {
        asking.check_scope(Scope::Read)?;
        let tenant = cx.directory()?.tenant.clone();
        let tenant = tenant.ok_or_else(|| Refusal::not_found("tenant"))?;
        let subject = match &asking.credential {
            Credential::Session { digest, .. } => session::proven_subject(cx.tx, digest)?,
            Credential::Token { .. } => None,
        };
        Ok((tenant.name, subject))
    };
    let (name, subject) = state.act(Lane::Pages, caller, Mode::Read, own).await?;
    attempts::note_scope_use(state, caller, Scope::Read);
    let mut found = vec![OtherTenant {
        tenant: caller.tenant.clone(),
        name,
        is_acting: true,
    }];
    // Without a proof nobody looks beyond their own tenant at all.
    let Some(subject) = subject else { return Ok(found) };
    let find = move |tx: &mut CrossTx<'_>| Ok(identities::tenants_of(tx, &subject)?);
    let reason = "in which tenants the identity is known that this session proved";
    let all = state.across(Lane::Pages, reason, Mode::Read, find).await?;
    let others = all.into_iter().filter(|(tenant, _)| *tenant != caller.tenant);
    found.extend(others.map(|(tenant, name)| OtherTenant {
        tenant,
        name,
        is_acting: false,
    }));
    Ok(found)
}

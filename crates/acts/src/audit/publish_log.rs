//! Opens the tenant's log to everybody, or closes it again (`POST /log/publication`, `POST /log/publication/end`).

use model::core::act;
use model::core::body::Body;
use model::core::enums::Touch;
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use model::core::statement::Stated;
use model::directory::snapshot::Tenant;
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::{impersonation, required_factor};

/// Opens the log (`{reason}`): checkpoints, tiles and entries are readable without a credential from then on. Copies
/// that were read meanwhile cannot be withdrawn.
///
/// # Errors
/// 403, also `step_up_required`; 409 `already_public`; 422; the store's.
pub fn publish_log(cx: &mut Context<'_, '_>, body: &Body) -> Result<Tenant> {
    let (tenant, said) = check(cx, body)?;
    if tenant.log_is_public {
        let text = "The log is public already.";
        return Err(Refusal::not_now("already_public", text, "Nothing is left to do.", Vec::new()).into());
    }
    keep(cx, "log.published", tenant, (true, said))
}

/// Closes it (`{reason}`): only auditors read it from then on.
///
/// # Errors
/// 403, also `step_up_required`; 409 `not_public`; 422; the store's.
pub fn close_log(cx: &mut Context<'_, '_>, body: &Body) -> Result<Tenant> {
    let (tenant, said) = check(cx, body)?;
    if !tenant.log_is_public {
        let text = "The log is not public.";
        return Err(Refusal::not_now("not_public", text, "Nothing is left to do.", Vec::new()).into());
    }
    keep(cx, "log.closed", tenant, (false, said))
}

/// Checks the right; returns the tenant, and the actor with the reason.
fn check(cx: &mut Context<'_, '_>, body: &Body) -> Result<(Tenant, Stated)> {
    cx.allow(act::actions::SET_CONNECTION)?;
    required_factor::check_wanted(cx, &[Touch::CryptoKeys, Touch::PrivilegedAccess])?;
    impersonation::check_voice(cx)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let key = cx.tenant();
    let found = record::load::<Tenant>(cx.tx, &key)?;
    let tenant = found.ok_or_else(|| Refusal::not_found("tenant"))?.record;
    let said = Stated {
        by: cx.actor.person.clone(),
        at: cx.now,
        reason,
    };
    Ok((tenant, said))
}

fn keep(
    cx: &mut Context<'_, '_>,
    kind: &'static str,
    tenant: Tenant,
    (is_public, said): (bool, Stated),
) -> Result<Tenant> {
    let tenant = Tenant {
        log_is_public: is_public,
        log_said: Some(said),
        ..tenant
    };
    cx.put_estate(kind, tenant, json!({}))
}

//! Identity providers by their keys, and the client secrets for them.

use model::core::refusal::Refusal;
use model::identity::provider::IdentityProvider;
use store::identity::secrets;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most providers of a tenant.
pub(crate) const MOST: i64 = 20;

/// The associated data of a provider's wrapped secret.
pub(crate) fn associated(tenant: &str, id: &str) -> Vec<u8> {
    format!("assent identity provider secret\0{tenant}\0{id}").into_bytes()
}

/// The providers of the tenant in the order of their keys.
///
/// # Errors
/// The store's.
pub fn providers(cx: &mut Context<'_, '_>) -> Result<Vec<IdentityProvider>> {
    let filter = Filter::new().order_by("key").limit(MOST);
    let found = record::find::<IdentityProvider>(cx.tx, &filter)?;
    Ok(found.into_iter().map(|stored| stored.record).collect())
}

/// A provider by its key.
///
/// # Errors
/// 404, or the store's.
pub fn provider(cx: &mut Context<'_, '_>, key: &str) -> Result<IdentityProvider> {
    let found = record::find_one::<IdentityProvider>(cx.tx, &Filter::new().equals("key", key).order_by("id"))?;
    found
        .map(|stored| stored.record)
        .ok_or_else(|| Refusal::not_found(format!("identity provider {key}")).into())
}

/// The secret under which we are known at a provider.
///
/// # Errors
/// A fault of the keys, or the store's.
pub fn provider_secret(cx: &mut Context<'_, '_>, provider: &IdentityProvider) -> Result<Option<String>> {
    let Some(wrapped) = secrets::load(cx.tx, provider.id.as_str())?.filter(|_| provider.has_secret) else {
        return Ok(None);
    };
    let bound = associated(&cx.tenant(), provider.id.as_str());
    let bytes = cx.services.tools().master.open(&wrapped, &bound)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

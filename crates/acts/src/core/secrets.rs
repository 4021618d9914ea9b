//! Secrets at rest: sealed under the master key, bound to their tenant and name.

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::services::Tools;
use store::identity::secrets;

fn bound(tenant: &str, name: &str) -> Vec<u8> {
    format!("assent secret\0{tenant}\0{name}").into_bytes()
}

/// Stores a secret under a name; it replaces an earlier one.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn keep(cx: &mut Context<'_, '_>, name: &str, secret: &[u8]) -> Result<()> {
    let tools = cx.services.tools();
    let wrapped = tools
        .master
        .seal(secret, &bound(&cx.tenant(), name), tools.entropy.as_ref())?;
    secrets::save(cx.tx, name, &wrapped, cx.now)?;
    Ok(())
}

/// The secret under a name.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn open(cx: &mut Context<'_, '_>, name: &str) -> Result<Option<Vec<u8>>> {
    let Some(wrapped) = secrets::load(cx.tx, name)? else {
        return Ok(None);
    };
    let bound = bound(&cx.tenant(), name);
    Ok(Some(cx.services.tools().master.open(&wrapped, &bound)?.to_vec()))
}

/// Seals a credential that came with a delivery, for storage with the delivery.
///
/// # Errors
/// A fault of the keys.
pub fn seal_delivered(tools: &Tools, tenant: &str, connection: &str, secret: &str) -> Result<String> {
    let bound = bound(tenant, &delivered_name(connection));
    let wrapped = tools.master.seal(secret.as_bytes(), &bound, tools.entropy.as_ref())?;
    Ok(proof::crypto::base64url(&wrapped))
}

/// Opens a credential that came with a delivery of a connection; `None` if it was not sealed with this key.
pub(crate) fn open_delivered(cx: &Context<'_, '_>, connection: &str, sealed: &str) -> Option<Vec<u8>> {
    let wrapped = proof::crypto::from_base64url(sealed)?;
    let bound = bound(&cx.tenant(), &delivered_name(connection));
    let opened = cx.services.tools().master.open(&wrapped, &bound).ok()?;
    Some(opened.to_vec())
}

/// Seals a text that holds a secret, for a row of a queue; the name binds it to its row.
///
/// # Errors
/// A fault of the keys.
pub(crate) fn seal_text(cx: &Context<'_, '_>, name: &str, text: &str) -> Result<String> {
    let tools = cx.services.tools();
    let bound = bound(&cx.tenant(), name);
    let wrapped = tools.master.seal(text.as_bytes(), &bound, tools.entropy.as_ref())?;
    Ok(proof::crypto::base64url(&wrapped))
}

/// Opens a text that was sealed under a name.
///
/// # Errors
/// A fault if the text was not sealed with this key and name.
pub(crate) fn open_text(cx: &Context<'_, '_>, name: &str, sealed: &str) -> Result<String> {
    let unreadable = || Error::Fault(format!("the sealed text {name} cannot be read"));
    let wrapped = proof::crypto::from_base64url(sealed).ok_or_else(unreadable)?;
    let opened = cx.services.tools().master.open(&wrapped, &bound(&cx.tenant(), name))?;
    String::from_utf8(opened.to_vec()).map_err(|_| unreadable())
}

/// The associated data of a credential that came with a delivery.
fn delivered_name(connection: &str) -> String {
    format!("connection/{connection}/delivered")
}

/// Fresh bytes for a secret.
///
/// # Errors
/// A fault when there is no randomness.
pub fn fresh(cx: &Context<'_, '_>) -> Result<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    cx.services.tools().entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// The name of the stored credential for a connection's API.
pub fn credential_name(connection: &str) -> String {
    format!("connection/{connection}/api")
}

/// The name under which a webhook's secret rests.
pub fn secret_name(id: &str) -> String {
    format!("webhook/{id}")
}

/// The name of the secret before the present one.
pub fn former_name(id: &str) -> String {
    format!("webhook/{id}/former")
}

/// The name under which a chat's address rests.
pub fn address_name(id: &str) -> String {
    format!("webhook/{id}/address")
}

/// The name under which a sink's credential rests.
pub fn sink_name(id: &str) -> String {
    format!("sink/{id}")
}

//! Connections to outside systems by their ids, their secrets, and the people behind accounts there.

use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot::Connection;
use store::identity::secrets;
use store::record;

use crate::core::context::Context;
use crate::core::error::{Error, Result};

/// The associated data of a connection's wrapped secret.
pub(crate) fn associated(tenant: &str, id: &str) -> Vec<u8> {
    format!("assent connection secret\0{tenant}\0{id}").into_bytes()
}

/// A connection by its id, if there is one.
///
/// # Errors
/// The store's.
pub(crate) fn find(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<Connection>> {
    Ok(record::load::<Connection>(cx.tx, id)?.map(|stored| stored.record))
}

/// A connection by its id.
///
/// # Errors
/// 404, or the store's.
pub fn connection(cx: &mut Context<'_, '_>, id: &str) -> Result<Connection> {
    find(cx, id)?.ok_or_else(|| Error::Refused(Refusal::not_found("connection")))
}

/// The secret that signs a connection's deliveries.
///
/// # Errors
/// 404 if there is none; a fault of the keys.
pub fn connection_secret(cx: &mut Context<'_, '_>, id: &str) -> Result<Vec<u8>> {
    let Some(wrapped) = secrets::load(cx.tx, id)? else {
        return Err(Refusal::not_found("connection").into());
    };
    let bound = associated(&cx.tenant(), id);
    Ok(cx.services.tools().master.open(&wrapped, &bound)?.to_vec())
}

/// The active person behind an account of an engine.
///
/// # Errors
/// The store's.
pub(crate) fn person_of(cx: &mut Context<'_, '_>, kind: &str, login: &str) -> Result<Option<PersonId>> {
    let directory = cx.directory()?;
    let account = format!("{kind}:{login}").to_lowercase();
    let found = directory
        .people
        .values()
        .find(|person| person.active && person.accounts.iter().any(|known| known.to_lowercase() == account));
    Ok(found.map(|person| person.id.clone()))
}

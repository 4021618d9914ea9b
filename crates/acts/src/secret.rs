//! Secrets at rest: sealed under the master key, bound to their tenant and name.

use model::directory::Connection;
use model::identity::IdentityProvider;
use model::webhook::Webhook;
use store::record::{self, Filter};

use crate::answer_outside::credential_name;
use crate::error::{Error, Result};
use crate::room::Room;
use crate::set_webhook::{address_name, secret_name};

fn bound(tenant: &str, name: &str) -> Vec<u8> {
    format!("assent secret\0{tenant}\0{name}").into_bytes()
}

/// Keeps a secret under a name; the one before is gone.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn keep(room: &mut Room<'_, '_>, name: &str, secret: &[u8]) -> Result<()> {
    let tools = room.services.tools();
    let wrapped = tools
        .master
        .seal(secret, &bound(&room.tenant(), name), tools.entropy.as_ref())?;
    store::secrets::save(room.tx, name, &wrapped, room.now)?;
    Ok(())
}

/// The secret under a name.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn open(room: &mut Room<'_, '_>, name: &str) -> Result<Option<Vec<u8>>> {
    let Some(wrapped) = store::secrets::load(room.tx, name)? else {
        return Ok(None);
    };
    let bound = bound(&room.tenant(), name);
    Ok(Some(room.services.tools().master.open(&wrapped, &bound)?.to_vec()))
}

/// Fresh bytes for a secret.
///
/// # Errors
/// A fault when there is no randomness.
pub fn fresh(room: &Room<'_, '_>) -> Result<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    room.services.tools().entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// A secret that is gone or that the master key does not open, with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretTrouble {
    /// The id under which it is kept.
    pub id: String,
    /// In one sentence.
    pub what: String,
}

/// What is wrong with the secrets of connections, webhooks and identity providers that are in use.
///
/// # Errors
/// The store's.
pub fn find_trouble(room: &mut Room<'_, '_>) -> Result<Vec<SecretTrouble>> {
    let mut found = Vec::new();
    let mut look = |id: &str, of: String, opened: Result<bool>| -> Result<()> {
        let why = match opened {
            Ok(true) => return Ok(()),
            Ok(false) | Err(Error::Refused(_)) => "is gone",
            Err(Error::Proof(_) | Error::Fault(_)) => "is not opened by the master key",
            Err(error) => return Err(error),
        };
        let (id, what) = (id.to_owned(), format!("The secret of {of} {why}."));
        found.push(SecretTrouble { id, what });
        Ok(())
    };
    let all = || Filter::new().order_by("id");
    for row in record::find::<Connection>(room.tx, &all())? {
        let it = row.record;
        if !it.active && !it.waits {
            continue;
        }
        let of = format!("the connection {}", it.name);
        let opened = crate::set_connection::connection_secret(room, it.id.as_str()).map(|_| true);
        look(it.id.as_str(), of.clone(), opened)?;
        if it.api.is_some() {
            let name = credential_name(it.id.as_str());
            let opened = open(room, &name).map(|kept| kept.is_some());
            look(&name, format!("{of} for its API"), opened)?;
        }
    }
    for row in record::find::<Webhook>(room.tx, &all())? {
        let it = row.record;
        let mut names = vec![secret_name(it.id.as_str())];
        if !it.format.is_usual() {
            names.push(address_name(it.id.as_str()));
        }
        for name in names.into_iter().filter(|_| it.active) {
            let opened = open(room, &name).map(|kept| kept.is_some());
            look(&name, format!("the webhook {}", it.name), opened)?;
        }
    }
    for row in record::find::<IdentityProvider>(room.tx, &all())? {
        let it = row.record;
        if it.has_secret {
            let opened = crate::set_identity_provider::provider_secret(room, &it).map(|kept| kept.is_some());
            look(it.id.as_str(), format!("the identity provider {}", it.key), opened)?;
        }
    }
    Ok(found)
}

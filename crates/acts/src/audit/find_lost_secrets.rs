//! Finds secrets of connections, webhooks, sinks and identity providers that are gone, or that the master key does not open.

use model::directory::snapshot::Connection;
use model::identity::provider::IdentityProvider;
use model::integration::sink::Sink;
use model::integration::webhook::Webhook;
use store::record::{self, Filter};

use crate::core::connections::connection_secret;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::providers::provider_secret;
use crate::core::secrets::{address_name, credential_name, open, secret_name, sink_name};
use crate::gate::run_tasks;

/// A secret that is gone or that the master key does not open, with its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretTrouble {
    /// The id of the stored secret.
    pub id: String,
    /// In one sentence.
    pub what: String,
}

/// The faults of the secrets of connections, webhooks, sinks and identity providers in use.
///
/// # Errors
/// The store's.
pub fn find_trouble(cx: &mut Context<'_, '_>) -> Result<Vec<SecretTrouble>> {
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
    for row in record::find::<Connection>(cx.tx, &all())? {
        let it = row.record;
        if !it.active && !it.waits {
            continue;
        }
        let of = format!("the connection {}", it.name);
        let opened = connection_secret(cx, it.id.as_str()).map(|_| true);
        look(it.id.as_str(), of.clone(), opened)?;
        // Terraform runs bring the tokens for their results.
        if it.api.is_some() && it.kind != run_tasks::KIND {
            let name = credential_name(it.id.as_str());
            let opened = open(cx, &name).map(|kept| kept.is_some());
            look(&name, format!("{of} for its API"), opened)?;
        }
    }
    for row in record::find::<Webhook>(cx.tx, &all())? {
        let it = row.record;
        let mut names = vec![secret_name(it.id.as_str())];
        if !it.format.is_usual() {
            names.push(address_name(it.id.as_str()));
        }
        for name in names.into_iter().filter(|_| it.active) {
            let opened = open(cx, &name).map(|kept| kept.is_some());
            look(&name, format!("the webhook {}", it.name), opened)?;
        }
    }
    for row in record::find::<Sink>(cx.tx, &all().equals("active", true))? {
        let it = row.record;
        if it.has_credential {
            let name = sink_name(it.id.as_str());
            let opened = open(cx, &name).map(|kept| kept.is_some());
            look(&name, format!("the sink {}", it.name), opened)?;
        }
    }
    for row in record::find::<IdentityProvider>(cx.tx, &all())? {
        let it = row.record;
        if it.has_secret {
            let opened = provider_secret(cx, &it).map(|kept| kept.is_some());
            look(it.id.as_str(), format!("the identity provider {}", it.key), opened)?;
        }
    }
    Ok(found)
}

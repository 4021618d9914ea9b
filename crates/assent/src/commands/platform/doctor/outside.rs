//! Looking at a server from outside, as its users and verifiers see it.

use proof::jwks::Jwks;
use proof::note::{VerifierKeys, open_checkpoint};
use proof::revocation::RevocationList;

use super::{Checks, STALE_SECONDS, UNMATCHED, check_witnesses};
use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::text_of;

/// Looks at the server, and at one tenant's keys, revocations and log.
pub(super) fn look(tenant: Option<&str>, common: &Common, checks: &mut Checks) -> Result<()> {
    let client = Client::new(common)?;
    match client.bytes("/healthz") {
        Ok(Some(_)) => checks.good("server", format!("{} answers", client.server())),
        Ok(None) => {
            checks.bad(
                "server",
                format!("{} answers, but not as Assent does", client.server()),
                "Is the address right?",
            );
            return Ok(());
        }
        Err(failure) => {
            checks.bad(
                "server",
                failure_text(&failure),
                "Is it running, and can it be reached from here?",
            );
            return Ok(());
        }
    }
    match client.bytes("/readyz") {
        Ok(Some(_)) => checks.good("ready", "it takes work"),
        Ok(None) => checks.warn(
            "ready",
            "it does not say whether it is ready",
            "It may be of another version.",
        ),
        Err(failure) => checks.bad(
            "ready",
            failure_text(&failure),
            "Its log tells more; `assent doctor --data …` on the host too.",
        ),
    }
    if client.server().starts_with("http://") {
        checks.warn(
            "transport",
            "it was asked in plain sight",
            "Fine on this machine; elsewhere use https.",
        );
    } else {
        checks.good("transport", "https");
    }
    let own = credential(&client, common, checks)?;
    look_at_connections(&client, checks);
    let Some(tenant) = tenant.map(str::to_owned).or(own) else {
        checks.warn(
            "tenant",
            "its keys and log were not looked at",
            "Say --tenant, or give a credential.",
        );
        return Ok(());
    };
    verify_keys(&client, &tenant, checks);
    verify_log(&client, &tenant, checks);
    Ok(())
}

fn failure_text(failure: &Failure) -> String {
    match failure {
        Failure::CouldNot(text) => text.clone(),
        Failure::Refused { status, problem } => format!("it answered {status}: {}", text_of(problem, "detail")),
    }
}

/// The person or machine of the credential; returns its tenant.
fn credential(client: &Client, common: &Common, checks: &mut Checks) -> Result<Option<String>> {
    if common.credential()?.is_none() {
        checks.warn("credential", "none was given", "Set ASSENT_TOKEN to look deeper.");
        return Ok(None);
    }
    match client.get("/me") {
        Ok(me) => {
            let tenant = text_of(&me.body, "tenant");
            checks.good(
                "credential",
                format!("it speaks for {} in {tenant}", text_of(&me.body, "login")),
            );
            Ok((!tenant.is_empty()).then_some(tenant))
        }
        Err(failure) => {
            checks.bad(
                "credential",
                failure_text(&failure),
                "`assent token create` makes a new one.",
            );
            Ok(None)
        }
    }
}

/// Whether the deliveries of connections are mapped to anything, where the credential may look at them.
fn look_at_connections(client: &Client, checks: &mut Checks) {
    let Ok(list) = client.get("/connections?limit=200") else {
        return;
    };
    let ids = list.body["items"].as_array().into_iter().flatten();
    for it in ids.filter(|it| it["active"] == true) {
        let path = format!("/connections/{}", encode(&text_of(it, "id")));
        let Ok(shown) = client.get(&path) else { continue };
        let unmatched = &shown.body["unmatched"];
        if unmatched.is_object() {
            let text = format!(
                "the last {} deliveries of the connection `{}` match nothing: {}",
                unmatched["count"],
                text_of(it, "name"),
                text_of(unmatched, "text")
            );
            checks.warn("connections", text, UNMATCHED);
        }
    }
}

fn verify_keys(client: &Client, tenant: &str, checks: &mut Checks) {
    let folder = format!("/t/{}/.well-known", encode(tenant));
    let served = |name: &str| client.bytes(&format!("{folder}/{name}")).ok().flatten();
    let Some(keys) = served("jwks.json").and_then(|bytes| Jwks::parse(&bytes).ok()) else {
        return checks.bad(
            "keys",
            format!("{tenant}: no usable key set is served"),
            "Permits cannot be verified.",
        );
    };
    checks.good("keys", format!("{tenant}: {} keys", keys.keys.len()));
    let list = served("assent-revocations").and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(list) = list.and_then(|text| RevocationList::open(&text, &keys).ok()) else {
        return checks.bad(
            "revocations",
            format!("{tenant}: no usable list is served"),
            "Offline verifiers cannot tell.",
        );
    };
    let age = clock::now().as_second().saturating_sub(list.issued_at);
    let text = format!(
        "{tenant}: the list is {age} seconds old, {} permits are revoked",
        list.revoked.len()
    );
    match age {
        ..-60 => checks.bad("clock", text, "The server's clock and this one differ; set them right."),
        -60..=120 => checks.good("revocations", text),
        _ => checks.bad(
            "revocations",
            text,
            "It is signed anew every minute: its signer stands still, or a clock is wrong.",
        ),
    }
}

fn verify_log(client: &Client, tenant: &str, checks: &mut Checks) {
    let folder = format!("/t/{}/log", encode(tenant));
    let served = |name: &str| client.bytes(&format!("{folder}/{name}")).ok().flatten();
    let text = |name: &str| served(name).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(keys) = text("key").and_then(|text| VerifierKeys::parse(&text).ok()) else {
        return checks.bad(
            "log",
            format!("{tenant}: no usable verifier key is served"),
            "The log cannot be verified.",
        );
    };
    let Some(note) = text("checkpoint") else {
        return checks.warn(
            "log",
            format!("{tenant}: its checkpoint cannot be read"),
            "That needs the scope `audit`.",
        );
    };
    match open_checkpoint(&note, &keys, None) {
        Err(error) => checks.bad(
            "log",
            format!("{tenant}: its checkpoint is not to be trusted: {error}"),
            "Tell your auditor.",
        ),
        Ok(trusted) => {
            let newest = trusted
                .cosigned
                .iter()
                .filter_map(|(_, time)| i64::try_from(*time).ok())
                .max();
            let age = newest.map(|time| clock::now().as_second() - time);
            let size = trusted.checkpoint.size;
            match age {
                Some(age) if age <= STALE_SECONDS => {
                    checks.good("log", format!("{tenant}: {size} entries, cosigned {age} seconds ago"));
                }
                Some(age) => {
                    let text = format!("{tenant}: {size} entries, cosigned {age} seconds ago");
                    checks.bad("log", text, "It is cosigned every minute: its cosigner stands still.");
                }
                None => checks.warn(
                    "log",
                    format!("{tenant}: {size} entries, never cosigned"),
                    "How fresh it is cannot be told.",
                ),
            }
            check_witnesses(std::iter::once(note.as_str()), checks);
        }
    }
}

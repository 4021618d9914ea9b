//! Build attestations: a signed statement that ties an artifact to the commit that was approved.

use acts::Context;
use acts::gate::keep_attestation::{Built, builders_of, keep_attestation};
use connect::change::evidence::Unreadable;
use connect::change::slsa;
use model::core::refusal::Refusal;
use model::core::{act, parse};
use serde_json::{Value, json};

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// Taking them.
pub(crate) const ROUTES: &[Route] = &[Route::writes("attest_build", attest).scope(Scope::Gate)];

fn attest(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::ASK_GATE)?;
    let mut reading = parse::Reading::new(&ask.body, "");
    let document = reading.value("attestation").cloned().unwrap_or(Value::Null);
    reading.finish()?;
    let signed = slsa::open(&document).map_err(unreadable)?;
    let told = slsa::read(&signed.payload).map_err(unreadable)?;
    let builder = builders_of(cx, &told.repository)?.into_iter().find(|builder| {
        let is_good = |signature: &Vec<u8>| {
            proof::dsse::is_signed(&signed.payload_type, &signed.payload, signature, &builder.public_key)
        };
        signed.payload_type == "application/vnd.in-toto+json" && signed.signatures.iter().any(is_good)
    });
    let Some(builder) = builder else {
        let text = format!("No builder that a connection names for {} signed it.", told.repository);
        return Err(Refusal::field("attestation", "not_signed", text).into());
    };
    let built = Built {
        repository: told.repository,
        commit: told.commit,
        artifacts: told.artifacts,
    };
    let new = keep_attestation(cx, &builder.builder, &built)?;
    Ok(Reply::created(json!({
        "builder": builder.builder, "repository": built.repository, "commit": built.commit,
        "artifacts": built.artifacts, "new": new,
    })))
}

fn unreadable(error: Unreadable) -> acts::Error {
    let text = format!("The attestation cannot be read: {error}.");
    Refusal::field("attestation", "unreadable", text).into()
}

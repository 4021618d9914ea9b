//! Witnesses of the tenant's log: added, ended, listed. Who may set connections may set them.

use model::audit::witness::Witness;
use model::core::act;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use proof::note::{KeyKind, VerifierKey};
use serde_json::json;
use store::audit::cosignature;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::signing_keys;

/// The most witnesses of a tenant: a served checkpoint has a line of each, and readers take at least sixteen.
const MOST: usize = 12;

/// The witnesses whose cosignatures are taken, in the order in which they were added.
///
/// # Errors
/// The store's.
pub fn witnesses(cx: &mut Context<'_, '_>) -> Result<Vec<Witness>> {
    let filter = Filter::new().equals("active", true).order_by("id");
    Ok(record::bodies::<Witness>(cx.tx, &filter)?)
}

/// Adds a witness (`POST /witnesses {key}`): its verifier key, as C2SP writes it, with its name in it. From then on its
/// cosignatures are taken in and served; whom of them to trust is for every reader to say.
///
/// # Errors
/// 403; 422 for what is no such key or a name that is taken; the store's.
pub fn add_witness(cx: &mut Context<'_, '_>, body: &Body) -> Result<Witness> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let known = witnesses(cx)?;
    let mut taken: Vec<String> = known.iter().filter_map(name).collect();
    taken.extend([signing_keys::log_origin(cx)?, signing_keys::cosigner_origin(cx)?]);
    let mut reading = Reading::new(body, "");
    let key = reading.needed("key", LINE);
    if !key.is_empty() {
        match VerifierKey::parse(&key) {
            Err(why) => reading.wrong("key", "not_a_key", format!("`key` is no C2SP verifier key: {why}.")),
            Ok(key) if key.kind() != KeyKind::Cosigner => {
                let text = "A witness cosigns with a key of type 4 (cosignature/v1).";
                reading.wrong("key", "not_a_cosigner", text);
            }
            Ok(key) if taken.iter().any(|name| name == key.name()) => {
                reading.wrong("key", "not_unique", format!("`{}` signs here already.", key.name()));
            }
            Ok(_) => {}
        }
    }
    if known.len() >= MOST {
        reading.wrong("key", "too_many", format!("A tenant has at most {MOST} witnesses."));
    }
    reading.finish()?;
    let witness = Witness {
        id: RecordId(cx.new_id()?),
        version: 0,
        key,
        active: true,
        by: cx.actor.person.clone(),
        at: cx.now,
    };
    cx.put_estate("witness.added", witness, json!({}))
}

/// Takes no more of a witness's cosignatures, and serves none (`DELETE /witnesses/{id}`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_witness(cx: &mut Context<'_, '_>, id: &str) -> Result<Witness> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = record::load::<Witness>(cx.tx, id)?.map(|stored| stored.record);
    let Some(witness) = found.filter(|witness| witness.active) else {
        return Err(Refusal::not_found("witness").into());
    };
    cosignature::delete(cx.tx, id)?;
    let ended = Witness {
        active: false,
        ..witness
    };
    cx.put_estate("witness.ended", ended, json!({}))
}

/// The name in a witness's key.
pub fn name(witness: &Witness) -> Option<String> {
    let key = VerifierKey::parse(&witness.key).ok()?;
    Some(key.name().to_owned())
}

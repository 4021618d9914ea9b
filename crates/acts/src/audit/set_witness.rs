//! Witnesses of the tenant's log: the rules of their keys. Every reader decides which of them to trust.

use model::audit::witness::{Witness, WitnessInput};
use model::core::ids::RecordId;
use model::core::parse::Reading;
use proof::note::{KeyKind, VerifierKey};
use serde_json::{Value, json};
use store::audit::cosignature;

use crate::audit::take_cosignature::last_cosigned;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use};
use crate::core::signing_keys;
use crate::integration::set_webhook::check_address;

/// The most witnesses of a tenant: a served checkpoint has a line of each, and readers accept at least sixteen.
const MOST: usize = 12;

impl PlainNoun for Witness {
    type Input = WitnessInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: WitnessInput, mut reading: Reading<'_>) -> Result<Self> {
        check_key(cx, &input.key, &mut reading)?;
        if let Some(url) = &input.url {
            check_address(&mut reading, url, &cx.services.tools().reaches);
        }
        reading.finish()?;
        let witness = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            url: input.url.map(|url| url.trim_end_matches('/').to_owned()),
            active: true,
            by: cx.actor.person.clone(),
            at: cx.now,
        };
        cx.put_estate("witness.added", witness, json!({}))
    }

    /// Its cosignature is served no more.
    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        cosignature::delete(cx.tx, self.id.as_str())?;
        let ended = Self { active: false, ..self };
        cx.put_estate("witness.ended", ended, json!({}))
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        let last = last_cosigned(cx)?;
        for (witness, value) in records.iter().zip(values) {
            value["name"] = json!(name(witness));
            if let Some((kept, note)) = last.iter().find(|(kept, _)| kept.witness == witness.id.as_str()) {
                let at = jiff::Timestamp::from_second(kept.time).ok();
                value["cosigned"] = json!({"size": kept.size, "at": at, "checkpoint": note});
            }
        }
        Ok(())
    }
}

/// Notes the fault of a key: no verifier key, not a cosigner's, or with a name that is already a witness of this log.
fn check_key(cx: &mut Context<'_, '_>, key: &str, reading: &mut Reading<'_>) -> Result<()> {
    let known = in_use::<Witness>(cx)?;
    let mut taken: Vec<String> = known.iter().filter_map(name).collect();
    taken.extend([signing_keys::log_origin(cx)?, signing_keys::cosigner_origin(cx)?]);
    if known.len() >= MOST {
        reading.wrong("key", "too_many", format!("A tenant has at most {MOST} witnesses."));
    }
    if key.is_empty() {
        return Ok(());
    }
    match VerifierKey::parse(key) {
        Err(why) => reading.wrong("key", "not_a_key", format!("`key` is not a C2SP verifier key: {why}.")),
        Ok(key) if key.kind() != KeyKind::Cosigner => {
            let text = "A witness cosigns with a key of type 4 (cosignature/v1).";
            reading.wrong("key", "not_a_cosigner", text);
        }
        Ok(key) if taken.iter().any(|name| name == key.name()) => {
            reading.wrong(
                "key",
                "not_unique",
                format!("`{}` is already a witness of this log.", key.name()),
            );
        }
        Ok(_) => {}
    }
    Ok(())
}

/// The name in a witness's key.
fn name(witness: &Witness) -> Option<String> {
    let key = VerifierKey::parse(&witness.key).ok()?;
    Some(key.name().to_owned())
}

//! Logs of others that this tenant witnesses.

use model::audit::watched_log::{WatchedLog, WatchedLogInput};
use model::core::ids::RecordId;
use model::core::parse::Reading;
use proof::note::{KeyKind, VerifierKey};
use serde_json::{Value, json};
use store::audit::watched_checkpoint;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use};
use crate::core::signing_keys;

/// The most logs that a tenant watches.
const MOST: usize = 100;

impl PlainNoun for WatchedLog {
    type Input = WatchedLogInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: WatchedLogInput, mut reading: Reading<'_>) -> Result<Self> {
        check_key(cx, &input.key, &mut reading)?;
        reading.finish()?;
        let watched = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            active: true,
            by: cx.actor.person.clone(),
            at: cx.now,
        };
        cx.put_estate("watched_log.added", watched, json!({}))
    }

    /// The last seen state stays: when the log is watched again, it must be an extension of that state.
    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("watched_log.ended", ended, json!({}))
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        for (record, value) in records.iter().zip(values) {
            let origin = origin(record).unwrap_or_default();
            if let Some(seen) = watched_checkpoint::find(cx.tx, &origin)? {
                let at = jiff::Timestamp::from_second(seen.time).ok();
                value["seen"] = json!({"size": seen.size, "root": seen.root, "at": at});
            }
            value["origin"] = json!(origin);
        }
        Ok(())
    }
}

/// Notes the fault of a key: no verifier key, not a log's, this tenant's own, or watched already.
fn check_key(cx: &mut Context<'_, '_>, key: &str, reading: &mut Reading<'_>) -> Result<()> {
    let known = in_use::<WatchedLog>(cx)?;
    if known.len() >= MOST {
        reading.wrong("key", "too_many", format!("A tenant watches at most {MOST} logs."));
    }
    if key.is_empty() {
        return Ok(());
    }
    let own = signing_keys::log_origin(cx)?;
    match VerifierKey::parse(key) {
        Err(why) => reading.wrong("key", "not_a_key", format!("`key` is not a C2SP verifier key: {why}.")),
        Ok(key) if key.kind() != KeyKind::Ed25519 => {
            let text = "A log signs with a key of type 1 (Ed25519).";
            reading.wrong("key", "not_a_log", text);
        }
        Ok(key) if key.name() == own => {
            let text = "This is the tenant's own log, and a tenant cannot witness its own log.";
            reading.wrong("key", "own_log", text);
        }
        Ok(key) if known.iter().any(|it| origin(it).as_deref() == Some(key.name())) => {
            let text = format!(
                "`{}` is already watched. End that watch first; the recorded checkpoints are kept.",
                key.name()
            );
            reading.wrong("key", "not_unique", text);
        }
        Ok(_) => {}
    }
    Ok(())
}

/// The origin of a watched log: the name in its key.
pub(crate) fn origin(watched: &WatchedLog) -> Option<String> {
    Some(VerifierKey::parse(&watched.key).ok()?.name().to_owned())
}

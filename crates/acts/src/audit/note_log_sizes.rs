//! Records in the system's log the size of each tenant's log and its signing keys, so that a log that was truncated or
//! rewritten is found there.

use model::audit::key_rotation::KeyRotation;
use model::change::change_file::Actor;
use model::core::enums::KeyRotationKind;
use serde_json::{Value, json};
use store::audit::{keys, log};
use store::record::{self, Filter, Stored};
use store::{Lane, Mode, SYSTEM_TENANT, counter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::signing_keys;
use crate::core::transactions::Transactions;
use crate::core::write::{Written, draft};

/// The least seconds between two notes of a log's size.
const SPACING_SECONDS: i64 = 60;

/// The entries of the system's log about a tenant's log.
#[derive(Debug, Clone)]
struct LogSummary {
    tenant: String,
    size: i64,
    root: String,
    /// Purpose, id, public half and state of each key.
    keys: Vec<Value>,
    /// Grows with each key that is made, retired or revoked.
    turns: i64,
    /// The acts on keys, in order: the name of the event, and its data.
    turned: Vec<(&'static str, Value)>,
}

/// Writes `log.sized`, `keys.changed`, `key.rotated` and `key.revoked` events into the system's log for each tenant
/// whose log grew, or whose keys changed, since the last such event; a size at most once a minute. Returns how many
/// events it wrote.
///
/// # Errors
/// The store's.
pub fn note_log_sizes(executor: &impl Transactions) -> Result<u64> {
    let sizes = executor.wait_across(Lane::Worker, "sizes of logs", Mode::Read, |tx| Ok(log::sizes(tx)?))?;
    let mut written = 0;
    for (tenant, _) in sizes.into_iter().filter(|(tenant, _)| tenant != SYSTEM_TENANT) {
        let standing = executor.wait(Lane::Worker, &tenant, Actor::system(), Mode::Read, log_summary)?;
        let Some(standing) = standing else { continue };
        let known = standing.clone();
        let is_due = executor.wait(Lane::Worker, SYSTEM_TENANT, Actor::system(), Mode::Read, move |cx| {
            Ok(due(cx, &known)?.is_any())
        })?;
        if is_due {
            written += executor.wait(Lane::Worker, SYSTEM_TENANT, Actor::system(), Mode::Write, move |cx| {
                note(cx, &standing)
            })?;
        }
    }
    Ok(written)
}

fn log_summary(cx: &mut Context<'_, '_>) -> Result<Option<LogSummary>> {
    let Some(state) = log::state(cx.tx)? else {
        return Ok(None);
    };
    let (mut listed, mut turns) = (Vec::new(), 0);
    let turned = record::find::<KeyRotation>(cx.tx, &Filter::new().order_by("number"))?;
    for purpose in [signing_keys::LOG, signing_keys::COSIGNER, signing_keys::PERMIT] {
        for key in keys::list(cx.tx, purpose)? {
            turns += match key.state.as_str() {
                "active" => 1,
                "retired" => 2,
                _ => 3,
            };
            listed.push(json!({"purpose": purpose, "kid": key.kid, "public": key.public, "state": key.state}));
        }
    }
    Ok(Some(LogSummary {
        tenant: cx.tenant(),
        size: state.size,
        root: state.root,
        keys: listed,
        turns,
        turned: turned.iter().map(describe).collect::<Result<_>>()?,
    }))
}

/// A turn as the system's log tells of it. Auditors of every tenant read that log, so the reason stands in it by its
/// commitment alone; whoever knows the reason can show that it is this one.
fn describe(stored: &Stored<KeyRotation>) -> Result<(&'static str, Value)> {
    let turn = &stored.record;
    let sealed: Value = serde_json::from_str(&stored.sealed.text()?)?;
    let kind = match turn.kind {
        KeyRotationKind::Rotated => "key.rotated",
        KeyRotationKind::Revoked => "key.revoked",
    };
    let data = json!({
        "purpose": turn.purpose,
        "kid": turn.kid,
        "next": turn.next,
        "by": turn.by,
        "at": turn.at,
        "reason": sealed["reason"],
    });
    Ok((kind, data))
}

/// The counters of the last noted size of a tenant's log and of the time, in seconds since 1970.
pub(crate) fn counters_of_size(tenant: &str) -> [String; 2] {
    let [size, at, ..] = counters(tenant);
    [size, at]
}

fn counters(tenant: &str) -> [String; 4] {
    [
        format!("log_size:{tenant}"),
        format!("log_sized_at:{tenant}"),
        format!("log_keys:{tenant}"),
        format!("key_turns:{tenant}"),
    ]
}

/// The notes that are due.
struct Due {
    is_size: bool,
    are_keys: bool,
    /// How many turns are noted already.
    turned: usize,
    are_turns: bool,
}

impl Due {
    fn is_any(&self) -> bool {
        self.is_size || self.are_keys || self.are_turns
    }
}

fn due(cx: &mut Context<'_, '_>, standing: &LogSummary) -> Result<Due> {
    let [size, at, turns, turned] = counters(&standing.tenant);
    let grew = counter::get(cx.tx, &size)? < standing.size;
    let rested = counter::get(cx.tx, &at)? + SPACING_SECONDS <= cx.recorded_at.as_second();
    let turned = usize::try_from(counter::get(cx.tx, &turned)?).unwrap_or_default();
    Ok(Due {
        is_size: grew && rested,
        are_keys: counter::get(cx.tx, &turns)? < standing.turns,
        turned,
        are_turns: turned < standing.turned.len(),
    })
}

fn note(cx: &mut Context<'_, '_>, standing: &LogSummary) -> Result<u64> {
    let due = due(cx, standing)?;
    let [size, at, turns, turned] = counters(&standing.tenant);
    let mut drafts = Vec::new();
    let subject = || ("log", standing.tenant.clone());
    if due.are_turns {
        let count = i64::try_from(standing.turned.len()).unwrap_or(i64::MAX);
        counter::raise_to(cx.tx, &turned, count)?;
        let fresh = standing.turned.iter().skip(due.turned);
        drafts.extend(fresh.map(|(kind, data)| draft(kind, subject(), cx.now, data.clone())));
    }
    if due.are_keys {
        counter::raise_to(cx.tx, &turns, standing.turns)?;
        drafts.push(draft("keys.changed", subject(), cx.now, json!({"keys": standing.keys})));
    }
    if due.is_size {
        counter::raise_to(cx.tx, &size, standing.size)?;
        counter::raise_to(cx.tx, &at, cx.recorded_at.as_second())?;
        let data = json!({"size": standing.size, "root": standing.root});
        drafts.push(draft("log.sized", subject(), cx.now, data));
    }
    let count = drafts.len() as u64;
    cx.emit(drafts, Written::default())?;
    Ok(count)
}

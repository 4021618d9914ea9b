//! Notes in the system's log how far each tenant's log is and under which keys it signs, so that a log that was cut or
//! written anew is found there.

use model::file::Actor;
use serde_json::{Value, json};
use store::{Lane, Mode, SYSTEM_TENANT, counter};

use crate::desk::Desk;
use crate::error::Result;
use crate::keys;
use crate::room::Room;
use crate::save::{Written, draft};

/// A log's size is noted at most once in so many seconds.
const SPACING_SECONDS: i64 = 60;

/// What the system's log says of a tenant's log.
#[derive(Debug, Clone)]
struct Standing {
    tenant: String,
    size: i64,
    root: String,
    /// Purpose, id, public half and state of each key.
    keys: Vec<Value>,
    /// Grows with each key that is made, retired or revoked.
    turns: i64,
}

/// Writes `log.sized` and `keys.changed` events into the system's log for each tenant whose log grew, or whose keys
/// changed, since that was last noted; a size at most once a minute. Answers how many events it wrote.
///
/// # Errors
/// The store's.
pub fn note_log_sizes(desk: &Desk) -> Result<u64> {
    let sizes = desk.wait_across(Lane::Worker, "sizes of logs", Mode::Read, |tx| {
        Ok(store::log::sizes(tx)?)
    })?;
    let mut written = 0;
    for (tenant, _) in sizes.into_iter().filter(|(tenant, _)| tenant != SYSTEM_TENANT) {
        let standing = desk.wait(Lane::Worker, &tenant, Actor::system(), Mode::Read, standing)?;
        let Some(standing) = standing else { continue };
        let known = standing.clone();
        let is_due = desk.wait(Lane::Worker, SYSTEM_TENANT, Actor::system(), Mode::Read, move |room| {
            Ok(due(room, &known)? != (false, false))
        })?;
        if is_due {
            written += desk.wait(Lane::Worker, SYSTEM_TENANT, Actor::system(), Mode::Write, move |room| {
                note(room, &standing)
            })?;
        }
    }
    Ok(written)
}

fn standing(room: &mut Room<'_, '_>) -> Result<Option<Standing>> {
    let Some(state) = store::log::state(room.tx)? else {
        return Ok(None);
    };
    let (mut listed, mut turns) = (Vec::new(), 0);
    for purpose in [keys::LOG, keys::COSIGNER, keys::PERMIT] {
        for key in store::keys::list(room.tx, purpose)? {
            turns += match key.state.as_str() {
                "active" => 1,
                "retired" => 2,
                _ => 3,
            };
            listed.push(json!({"purpose": purpose, "kid": key.kid, "public": key.public, "state": key.state}));
        }
    }
    Ok(Some(Standing {
        tenant: room.tenant(),
        size: state.size,
        root: state.root,
        keys: listed,
        turns,
    }))
}

fn counters(tenant: &str) -> [String; 3] {
    [
        format!("log_size:{tenant}"),
        format!("log_sized_at:{tenant}"),
        format!("log_keys:{tenant}"),
    ]
}

/// Whether the size is due to be noted, and whether the keys are.
fn due(room: &mut Room<'_, '_>, standing: &Standing) -> Result<(bool, bool)> {
    let [size, at, turns] = counters(&standing.tenant);
    let grew = counter::get(room.tx, &size)? < standing.size;
    let rested = counter::get(room.tx, &at)? + SPACING_SECONDS <= room.recorded_at.as_second();
    Ok((grew && rested, counter::get(room.tx, &turns)? < standing.turns))
}

fn note(room: &mut Room<'_, '_>, standing: &Standing) -> Result<u64> {
    let (is_size_due, are_keys_due) = due(room, standing)?;
    let [size, at, turns] = counters(&standing.tenant);
    let mut drafts = Vec::new();
    let subject = || ("log", standing.tenant.clone());
    if are_keys_due {
        counter::raise_to(room.tx, &turns, standing.turns)?;
        drafts.push(draft(
            "keys.changed",
            subject(),
            room.now,
            json!({"keys": standing.keys}),
        ));
    }
    if is_size_due {
        counter::raise_to(room.tx, &size, standing.size)?;
        counter::raise_to(room.tx, &at, room.recorded_at.as_second())?;
        let data = json!({"size": standing.size, "root": standing.root});
        drafts.push(draft("log.sized", subject(), room.now, data));
    }
    let count = drafts.len() as u64;
    room.tell(drafts, Written::default())?;
    Ok(count)
}

//! How long a tenant keeps words, files and raw deliveries: proposed like any configuration that goes live by two people, and
//! carried out by the clock, a few changes and deliveries at a time.

use jiff::{SignedDuration, Timestamp};
use model::configuration::Configuration;
use model::erased::{Erasure, Retention};
use model::reading::{Reading, TEXT};
use model::verbs::Body;
use model::words::{ConfigurationKind, ErasureKind};
use serde_json::{Value, json};
use store::retention;

use crate::error::Result;
use crate::propose_configuration::{bare, save};
use crate::room::Room;
use crate::save::{Written, draft};

/// How many changes one transaction erases.
const CHANGES: i64 = 5;
/// How many raw bodies one transaction forgets.
const DELIVERIES: i64 = 500;

/// Proposes a retention (`POST /retention {changes_days, deliveries_days, reason}`); null keeps for ever, and so does what was
/// never named.
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_retention(room: &mut Room<'_, '_>, body: &Body) -> Result<Configuration> {
    room.allow(model::act::actions::SET_POLICY)?;
    let present = in_force(room)?;
    let mut reading = Reading::new(body, "");
    let retention = Retention {
        changes_days: days(&mut reading, body, ("changes_days", present.changes_days)),
        deliveries_days: days(&mut reading, body, ("deliveries_days", present.deliveries_days)),
    };
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let digest = digest_of(&retention)?;
    let proposal = Configuration {
        retention: Some(retention),
        ..bare(room, ConfigurationKind::Retention, digest, reason)?
    };
    save(room, proposal)
}

fn days(reading: &mut Reading<'_>, body: &Body, (field, present): (&'static str, Option<i64>)) -> Option<i64> {
    match body.get(field) {
        None => present,
        Some(Value::Null) => {
            reading.value(field);
            None
        }
        Some(_) => reading.integer(field, Retention::FEWEST..=Retention::MOST),
    }
}

/// The retention in force.
///
/// # Errors
/// The store's.
pub fn in_force(room: &mut Room<'_, '_>) -> Result<Retention> {
    let directory = room.directory()?;
    Ok(directory
        .tenant
        .as_ref()
        .map(|tenant| tenant.retention)
        .unwrap_or_default())
}

/// The digest of a retention: over its canonical JSON.
///
/// # Errors
/// A fault when there is none.
pub fn digest_of(retention: &Retention) -> Result<String> {
    Ok(proof::canonical::digest(&serde_json::to_value(retention)?)?)
}

/// Erases what the retention no longer keeps, a few changes and deliveries; answers whether more may wait.
///
/// # Errors
/// The store's.
pub fn erase_by_clock(room: &mut Room<'_, '_>) -> Result<bool> {
    let kept = in_force(room)?;
    let mut is_full = false;
    if let Some(before) = since(room.now, kept.changes_days) {
        let ids = retention::changes_to_erase(room.tx, before, CHANGES)?;
        is_full |= ids.len() as i64 == CHANGES;
        for id in ids {
            let change = room.change(&id)?;
            let erasure = Erasure {
                kind: ErasureKind::Texts,
                comment: None,
                reason: None,
                asked_by: None,
                handed_by: None,
                asked_at: room.now,
                done_at: None,
                done_by: None,
            };
            crate::erase_texts::erase(room, change, erasure)?;
        }
    }
    if let Some(before) = since(room.now, kept.deliveries_days) {
        let count = retention::forget_deliveries(room.tx, before, DELIVERIES)?;
        is_full |= i64::try_from(count).is_ok_and(|count| count == DELIVERIES);
        if count > 0 {
            let data = json!({"count": count, "received_before": before});
            let subject = ("tenant_info", room.tenant());
            room.tell(
                vec![draft("deliveries.forgotten", subject, room.now, data)],
                Written::default(),
            )?;
        }
    }
    Ok(is_full)
}

fn since(now: Timestamp, days: Option<i64>) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::from_hours(24 * days?)).ok()
}

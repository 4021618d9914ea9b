//! How long a tenant keeps words, files and raw deliveries: proposed like any configuration that goes live by two people, and
//! carried out by the clock, a few changes and deliveries at a time.

use jiff::{SignedDuration, Timestamp};
use model::compliance::erasure::{Erasure, Retention};
use model::core::act;
use model::core::body::Body;
use model::core::enums::{ConfigurationKind, ErasureKind};
use model::core::parse::{Reading, TEXT};
use model::policy::configuration::Configuration;
use serde_json::{Value, json};
use store::compliance::retention;

use crate::compliance::erase_texts;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};
use crate::policy::configurations;
use crate::policy::propose_configuration::{bare, save};

/// How many changes one look finds.
const CHANGES: i64 = 100;
/// How many raw bodies one transaction forgets.
const DELIVERIES: i64 = 500;

/// Proposes a retention (`POST /retention {changes_days, deliveries_days, archive_days, reason}`); null keeps for ever and
/// archives nothing, and so does what was never named.
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_retention(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let present = in_force(cx)?;
    let mut reading = Reading::new(body, "");
    let retention = Retention {
        changes_days: days(&mut reading, body, ("changes_days", present.changes_days)),
        deliveries_days: days(&mut reading, body, ("deliveries_days", present.deliveries_days)),
        archive_days: days(&mut reading, body, ("archive_days", present.archive_days)),
    };
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let digest = configurations::of_retention(&retention)?;
    let proposal = Configuration {
        retention: Some(retention),
        ..bare(cx, ConfigurationKind::Retention, digest, reason)?
    };
    save(cx, proposal)
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
pub fn in_force(cx: &mut Context<'_, '_>) -> Result<Retention> {
    let directory = cx.directory()?;
    Ok(directory
        .tenant
        .as_ref()
        .map(|tenant| tenant.retention)
        .unwrap_or_default())
}

/// The ids of some changes whose texts the retention no longer keeps, the oldest first.
///
/// # Errors
/// The store's.
pub fn changes_due(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let days = in_force(cx)?.changes_days;
    let Some(before) = since(cx.now, days) else {
        return Ok(Vec::new());
    };
    Ok(retention::changes_to_erase(cx.tx, before, CHANGES)?)
}

/// Erases the texts of one such change, if they are still due.
///
/// # Errors
/// The store's.
pub fn erase_due(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let days = in_force(cx)?.changes_days;
    let change = cx.change(id)?;
    let is_due = since(cx.now, days).is_some_and(|before| change.updated_at < before);
    if !is_due || !change.state.is_final() || change.is_kept() {
        return Ok(());
    }
    let erasure = Erasure {
        kind: ErasureKind::Texts,
        comment: None,
        reason: None,
        asked_by: None,
        handed_by: None,
        asked_at: cx.now,
        done_at: None,
        done_by: None,
    };
    erase_texts::erase(cx, change, erasure).map(drop)
}

/// Forgets raw bodies of deliveries that the retention no longer keeps; answers whether more may wait.
///
/// # Errors
/// The store's.
pub fn forget_due(cx: &mut Context<'_, '_>) -> Result<bool> {
    let days = in_force(cx)?.deliveries_days;
    let Some(before) = since(cx.now, days) else {
        return Ok(false);
    };
    let count = retention::forget_deliveries(cx.tx, before, DELIVERIES)?;
    if count > 0 {
        let data = json!({"count": count, "received_before": before});
        let subject = ("tenant_info", cx.tenant());
        cx.tell(
            vec![draft("deliveries.forgotten", subject, cx.now, data)],
            Written::default(),
        )?;
    }
    Ok(i64::try_from(count).is_ok_and(|count| count == DELIVERIES))
}

pub(crate) fn since(now: Timestamp, days: Option<i64>) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::from_hours(24 * days?)).ok()
}

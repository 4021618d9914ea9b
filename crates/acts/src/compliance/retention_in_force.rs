//! The retention in force, and the retention rules beside it.

use jiff::{SignedDuration, Timestamp};
use model::compliance::erasure::Retention;
use model::compliance::retention_rule::{self, RetentionRule, applied};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

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

/// Every rule, the shipped ones and those of the tenant, in the order of their keys.
///
/// # Errors
/// The store's.
pub fn rules(cx: &mut Context<'_, '_>) -> Result<Vec<RetentionRule>> {
    let own = record::bodies::<RetentionRule>(cx.tx, &Filter::new().order_by("id"))?;
    Ok(retention_rule::all(own))
}

/// The effective retention: nothing is erased before the active retention rules allow it.
///
/// # Errors
/// The store's.
pub fn carried_out(cx: &mut Context<'_, '_>) -> Result<Retention> {
    let rules = rules(cx)?;
    Ok(applied(in_force(cx)?, &rules))
}

pub(crate) fn since(now: Timestamp, days: Option<i64>) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::from_hours(24 * days?)).ok()
}

//! The action item of a quarterly adjustment: it waits, and escalates, until the adjustment is declined or the adopted
//! configuration is in force. Adopting alone moves no rule, so adopting alone settles nothing.

use model::core::enums::{AboutKind, ActionKind, AdjustmentState, ConfigurationState};
use model::notify::action_item::About;
use model::policy::configuration::Configuration;
use model::risk::risk_adjustment::RiskAdjustment;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::notify::action_items::settle_by_rule;

/// The kind of the item.
pub(crate) const KIND: ActionKind = ActionKind::Improve;
/// The most adopted adjustments that are looked through: ten years.
const MOST_ADOPTED: i64 = 40;

/// The record that the item is about.
pub(crate) fn about(adjustment: &RiskAdjustment) -> About {
    About::new(AboutKind::Other, format!("risk-adjustment {}", adjustment.quarter))
}

/// The configurations that an adopted adjustment proposed or named.
fn proposed(cx: &mut Context<'_, '_>, adjustment: &RiskAdjustment) -> Result<Vec<Configuration>> {
    let mut found = Vec::new();
    for id in [&adjustment.configuration, &adjustment.policies].into_iter().flatten() {
        found.extend(record::load::<Configuration>(cx.tx, id)?.map(|stored| stored.record));
    }
    Ok(found)
}

/// Whether an adjustment was adopted and each of its configurations was put in force.
///
/// # Errors
/// The store's.
pub fn is_in_force(cx: &mut Context<'_, '_>, adjustment: &RiskAdjustment) -> Result<bool> {
    if adjustment.state != AdjustmentState::Adopted {
        return Ok(false);
    }
    let found = proposed(cx, adjustment)?;
    Ok(!found.is_empty() && found.iter().all(|it| it.activated_at.is_some()))
}

/// Whether an adjustment was adopted and one of its configurations was withdrawn, so that it is decided again. It is not
/// decided again while another of its configurations waits: that one could still be put in force after the adjustment was
/// declined.
///
/// # Errors
/// The store's.
pub fn is_withdrawn(cx: &mut Context<'_, '_>, adjustment: &RiskAdjustment) -> Result<bool> {
    let is_adopted = adjustment.state == AdjustmentState::Adopted;
    let found = proposed(cx, adjustment)?;
    let has = |state: ConfigurationState| found.iter().any(|it| it.state == state);
    Ok(is_adopted && has(ConfigurationState::Withdrawn) && !has(ConfigurationState::Proposed))
}

/// Settles the item of an adopted adjustment once everything that it proposed is in force; before, the item stays as it is.
///
/// # Errors
/// The store's.
pub(crate) fn settle_adopted(cx: &mut Context<'_, '_>, adjustment: &RiskAdjustment) -> Result<()> {
    if is_in_force(cx, adjustment)? {
        let reason = "What was adopted is in force.";
        settle_by_rule(cx, KIND, &about(adjustment), "", reason)?;
    }
    Ok(())
}

/// Settles the items that waited for a configuration that was just put in force.
///
/// # Errors
/// The store's.
pub(crate) fn settle_activated(cx: &mut Context<'_, '_>, configuration: &Configuration) -> Result<()> {
    let adopted = Filter::new()
        .equals("state", AdjustmentState::Adopted.as_str())
        .descending_by("quarter")
        .limit(MOST_ADOPTED);
    for adjustment in record::bodies::<RiskAdjustment>(cx.tx, &adopted)? {
        let mut named = [&adjustment.configuration, &adjustment.policies].into_iter().flatten();
        if named.any(|id| *id == configuration.id.0) {
            settle_adopted(cx, &adjustment)?;
        }
    }
    Ok(())
}

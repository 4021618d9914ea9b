//! Compares the rules with the outcomes of a quarter's changes, and records the decision about it. Adopting proposes a
//! configuration as its author; another person, or an approved change, puts that in force.

use jiff::{SignedDuration, Timestamp};
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{AdjustmentState, ConfigurationKind, ConfigurationState, Level};
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::notify::action_item::{Due, NewItem, Owner};
use model::policy::configuration::Configuration;
use model::risk::adjustment::{Comparison, RiskRules, compare};
use model::risk::assessment::RiskTable;
use model::risk::risk_adjustment::{DAYS_TO_DECIDE, RiskAdjustment, RiskAdjustmentInput, ended, span};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun};
use crate::incident::keep::keep;
use crate::notify::action_items::{open, settle_by_rule};
use crate::policy::configurations::configuration;
use crate::policy::propose_configuration::propose_risk_table;
use crate::risk::adjust_parameters::{propose_set, propose_values};
use crate::risk::adjustment_items::{KIND, about, is_in_force, is_withdrawn, settle_adopted};
use crate::risk::closed_changes::find_closed;
use crate::risk::remove_rules::propose_removals;

/// The item's request. Declining settles the item, and so does the adopted configuration once it is in force.
const WAITS: &str =
    "Adopt the proposed rules or a configuration of your own and have them put in force, or decline with a reason.";
/// The most quarters that are caught up: older rules prove little about the present ones.
const MOST_LATE: usize = 8;
/// The most adjustments that are listed: ten years.
const MOST_LISTED: i64 = 40;

impl PlainNoun for RiskAdjustment {
    type Input = RiskAdjustmentInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let newest = Filter::new().descending_by("quarter").limit(MOST_LISTED);
        let mut found = record::bodies::<Self>(cx.tx, &newest)?;
        found.reverse();
        Ok(found)
    }

    fn key(&self) -> &str {
        &self.quarter
    }

    fn page(&self) -> Option<String> {
        Some(format!("/risk-adjustments/{}/comparison", self.quarter))
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(cx: &mut Context<'_, '_>, input: RiskAdjustmentInput, mut reading: Reading<'_>) -> Result<Self> {
        let times = span(&input.quarter);
        if reading.says("quarter") && times.is_none() {
            let text = format!("`{}` is not a quarter such as 2026-Q3.", input.quarter);
            reading.wrong("quarter", "not_a_quarter", text);
        }
        if times.is_some_and(|(_, to)| cx.now < to) {
            reading.wrong("quarter", "not_over", "The quarter has not ended yet.");
        }
        reading.finish()?;
        if Self::found(cx, &input.quarter)?.is_some() {
            let text = format!("{} was compared already.", input.quarter);
            return Err(Refusal::not_now("compared", text, "Read that comparison.", Vec::new()).into());
        }
        let drawn = draw(cx, &input.quarter)?;
        write(cx, drawn)
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        for (adjustment, value) in records.iter().zip(values) {
            if let Some(body) = value.as_object_mut() {
                body.remove("report");
            }
            value["comparison"] = serde_json::to_value(adjustment.comparison())?;
            value["is_in_force"] = json!(is_in_force(cx, adjustment)?);
            let [named, policies] = configuration_states(cx, adjustment)?;
            for (name, state) in [("configuration_state", named), ("policies_state", policies)] {
                if let Some(state) = state {
                    value[name] = json!(state);
                }
            }
        }
        Ok(())
    }
}

/// Where the configurations of an adopted adjustment are: its risk table or the named one, and its set of policies.
///
/// # Errors
/// The store's.
pub fn configuration_states(
    cx: &mut Context<'_, '_>,
    adjustment: &RiskAdjustment,
) -> Result<[Option<ConfigurationState>; 2]> {
    let named = state_of(cx, adjustment.configuration.as_ref())?;
    Ok([named, state_of(cx, adjustment.policies.as_ref())?])
}

fn state_of(cx: &mut Context<'_, '_>, id: Option<&String>) -> Result<Option<ConfigurationState>> {
    let Some(id) = id else {
        return Ok(None);
    };
    let found = record::load::<Configuration>(cx.tx, id)?;
    Ok(found.map(|stored| stored.record.state))
}

/// The earliest comparison that is due: nobody has made it, and something became known of changes in its quarter. Quarters that ended
/// while the server was away are due as well, at most eight. The comparison is made in a reading transaction, so that no writer
/// waits.
///
/// # Errors
/// The store's.
pub fn find_due(cx: &mut Context<'_, '_>) -> Result<Option<RiskAdjustment>> {
    let quarters: Vec<String> = ended(cx.now).take(MOST_LATE).collect();
    for quarter in quarters.iter().rev() {
        if RiskAdjustment::found(cx, quarter)?.is_some() {
            continue;
        }
        let drawn = draw(cx, quarter)?;
        if drawn.compared > 0 {
            return Ok(Some(drawn));
        }
    }
    Ok(None)
}

/// Writes a comparison, unless another server or a person made one meanwhile; returns whether it was written.
///
/// # Errors
/// The store's.
pub fn keep_adjustment(cx: &mut Context<'_, '_>, drawn: &RiskAdjustment) -> Result<bool> {
    if RiskAdjustment::found(cx, &drawn.quarter)?.is_some() {
        return Ok(false);
    }
    write(cx, drawn.clone())?;
    Ok(true)
}

fn rules_in_force(cx: &mut Context<'_, '_>) -> Result<RiskRules> {
    let directory = cx.directory()?;
    let tenant = directory.tenant.as_ref();
    Ok(RiskRules {
        table: tenant.map(|tenant| tenant.risk_table.clone()).unwrap_or_default(),
        terms: directory.risk_terms(),
    })
}

fn draw(cx: &mut Context<'_, '_>, quarter: &str) -> Result<RiskAdjustment> {
    let times = span(quarter).unwrap_or((Timestamp::MIN, Timestamp::MIN));
    let rules = rules_in_force(cx)?;
    let (changes, left_out) = find_closed(cx, times)?;
    let mut compared = compare(&changes, rules, left_out);
    compared.parameters = propose_values(cx, &changes)?;
    compared.removals = propose_removals(cx, &changes, &compared.findings)?;
    if compared.changes_policies() {
        cx.policies()?.digest().clone_into(&mut compared.policies);
    }
    let named = |comparison: &Comparison| {
        let findings = comparison
            .findings
            .iter()
            .map(|it| format!("{}: {}", it.kind, it.subject));
        let values = comparison.parameters.iter();
        let values = values.map(|it| format!("parameter: {} from {} to {}", it.name, it.before, it.after));
        findings.chain(values).collect()
    };
    Ok(RiskAdjustment {
        id: RecordId::from(quarter),
        version: 0,
        quarter: quarter.to_owned(),
        state: if compared.findings.is_empty() && compared.parameters.is_empty() {
            AdjustmentState::NothingFound
        } else {
            AdjustmentState::Proposed
        },
        compared: compared.changes,
        findings: named(&compared),
        report: Some(serde_json::to_string(&compared)?),
        at: cx.now,
        decided_by: None,
        decided_at: None,
        reason: None,
        configuration: None,
        policies: None,
    })
}

/// Saves a comparison; where it found something, the change managers have thirty days.
fn write(cx: &mut Context<'_, '_>, drawn: RiskAdjustment) -> Result<RiskAdjustment> {
    let drawn = RiskAdjustment { at: cx.now, ..drawn };
    let data = json!({"state": drawn.state, "compared": drawn.compared, "findings": drawn.findings.len()});
    let saved = keep(cx, "risk_adjustment.proposed", drawn, data)?;
    if saved.state != AdjustmentState::Proposed {
        return Ok(saved);
    }
    let time = SignedDuration::from_hours(24 * DAYS_TO_DECIDE);
    let url = format!(
        "{}/t/{}/risk-adjustments/{}/comparison",
        cx.services.tools().public_url,
        cx.tenant(),
        saved.quarter
    );
    let title = format!("Decide about the adjustment of {}", saved.quarter);
    let item = NewItem {
        text: Some(WAITS.to_owned()),
        owner: Owner::ChangeManagers,
        due: Due::At(cx.now.saturating_add(time).unwrap_or(cx.now)),
        links: vec![url],
        ..NewItem::new(KIND, about(&saved), title)
    };
    open(cx, item)?;
    Ok(saved)
}

/// Decides about an adjustment (`POST /risk-adjustments/{key}/decisions {adopted, reason, configuration?}`). Adopting proposes
/// its risk table and its set of policies, or names a configuration proposed by a person instead; each is put in force by
/// another person or an approved change. Its action item waits until then. Declining changes nothing. If an adopted
/// configuration is withdrawn, the adjustment is decided again.
///
/// # Errors
/// 403, 404, 409, 422, or the store's.
pub fn decide_adjustment(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<RiskAdjustment> {
    cx.allow(actions::SET_POLICY)?;
    let adjustment = noun::show::<RiskAdjustment>(cx, key)?;
    let mut reading = Reading::new(body, "");
    let is_adopted = reading.needed_boolean("adopted");
    let reason = reading.needed("reason", TEXT);
    let named = reading.text("configuration", LINE);
    if named.is_some() && !is_adopted && !reading.errors.iter().any(|it| it.field == "adopted") {
        let text = "A configuration is named where the adjustment is adopted.";
        reading.wrong("configuration", "not_allowed", text);
    }
    reading.finish()?;
    check_open(cx, &adjustment)?;
    let (configuration, policies) = match (is_adopted, named) {
        (false, _) => (None, None),
        (true, Some(id)) => (Some(check_named(cx, &adjustment, &id)?), None),
        (true, None) => propose(cx, &adjustment, &reason)?,
    };
    let (state, kind) = match is_adopted {
        true => (AdjustmentState::Adopted, "risk_adjustment.adopted"),
        false => (AdjustmentState::Declined, "risk_adjustment.declined"),
    };
    let decided = RiskAdjustment {
        state,
        decided_by: Some(cx.actor.person.clone()),
        decided_at: Some(cx.now),
        reason: Some(reason),
        configuration,
        policies,
        ..adjustment
    };
    let data = json!({"configuration": decided.configuration, "policies": decided.policies});
    let saved = keep(cx, kind, decided, data)?;
    match is_adopted {
        true => settle_adopted(cx, &saved)?,
        false => {
            settle_by_rule(cx, KIND, &about(&saved), "", "The adjustment is declined.")?;
        }
    }
    Ok(saved)
}

/// Refuses a second decision, unless the configuration that the first one adopted was withdrawn.
fn check_open(cx: &mut Context<'_, '_>, adjustment: &RiskAdjustment) -> Result<()> {
    if is_withdrawn(cx, adjustment)? {
        return Ok(());
    }
    Ok(adjustment.check_open()?)
}

/// Checks that a configuration can carry out the adjustment: rules that were proposed since the quarter began, and that wait or
/// are in force.
fn check_named(cx: &mut Context<'_, '_>, adjustment: &RiskAdjustment, id: &str) -> Result<String> {
    let found = configuration(cx, id)?;
    let is_of_rules = matches!(found.kind, ConfigurationKind::Policies | ConfigurationKind::RiskTable);
    let is_current = matches!(found.state, ConfigurationState::Proposed | ConfigurationState::Active);
    let is_since = span(&adjustment.quarter).is_some_and(|(from, _)| from <= found.proposed_at);
    if is_of_rules && is_current && is_since {
        return Ok(found.id.0);
    }
    let text = "The configuration must be a set of policies or a risk table that was proposed since the quarter began, and \
         that waits or is in force.";
    Err(Refusal::field("configuration", "not_allowed", text).into())
}

/// Proposes the risk table and the set of policies of an adjustment; returns the configurations' ids.
fn propose(
    cx: &mut Context<'_, '_>,
    adjustment: &RiskAdjustment,
    reason: &str,
) -> Result<(Option<String>, Option<String>)> {
    let Some(comparison) = adjustment.comparison().filter(Comparison::has_proposal) else {
        let text = format!("The adjustment of {} proposes nothing.", adjustment.quarter);
        let satisfy = "Propose a set of policies and name its id in `configuration`, or decline with a reason.";
        return Err(Refusal::not_now("no_proposal", text, satisfy, Vec::new()).into());
    };
    let table = match &comparison.proposal {
        Some(wanted) => Some(propose_table(cx, (&comparison.before, wanted), reason)?),
        None => None,
    };
    let policies = propose_set(cx, &comparison, reason)?;
    Ok((table, policies.map(|it| it.id.0)))
}

/// Proposes the risk table of an adjustment; returns the configuration's id.
fn propose_table(cx: &mut Context<'_, '_>, (before, wanted): (&RiskRules, &RiskRules), reason: &str) -> Result<String> {
    if rules_in_force(cx)? != *before {
        let text =
            "The risk table has changed since the comparison, so its back-test does not apply to the current one.";
        let satisfy = "Propose a risk table and name its id in `configuration`, or decline with a reason.";
        return Err(Refusal::not_now("risk_table_moved", text, satisfy, Vec::new()).into());
    }
    let body = json!({"table": rows(&wanted.table), "terms": wanted.terms, "reason": reason});
    let Value::Object(body) = body else {
        return Err(Refusal::not_found("risk table").into());
    };
    Ok(propose_risk_table(cx, &body)?.id.0)
}

/// The table as a request names it.
fn rows(table: &RiskTable) -> Value {
    let row = |cells: &[Level; 3]| json!({"low": cells[0], "medium": cells[1], "high": cells[2]});
    let [none, low, medium, high] = &table.0;
    json!({"none": row(none), "low": row(low), "medium": row(medium), "high": row(high)})
}

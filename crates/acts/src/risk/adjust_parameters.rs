//! Other values for the parameters of policies: proposed from the outcomes of a quarter, tried on the facts that were stored with its
//! decisions, and proposed as a set of policies where the adjustment is adopted, together with rules that may go.

use model::core::refusal::Refusal;
use model::policy::configuration::Configuration;
use model::report::statistics::median;
use model::risk::adjustment::{Comparison, MOST_ROWS};
use model::risk::closed_change::ClosedChange;
use model::risk::parameter_proposal::{ParameterProposal, ParameterTest, StricterCase, propose};
use policy::PolicySet;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::policy::propose_parameters::{propose_with, set_in_force};
use crate::risk::remove_rules::{required_rules, without};

/// The values that the outcomes suggest, each with its back-test on the stored facts.
///
/// # Errors
/// The store's.
pub(crate) fn propose_values(cx: &mut Context<'_, '_>, changes: &[ClosedChange]) -> Result<Vec<ParameterProposal>> {
    let policies = cx.policies()?;
    let mut found = propose(changes, policies.thresholds());
    for it in &mut found {
        it.back_test = tried(changes, &policies, it);
    }
    Ok(found)
}

fn tried(changes: &[ClosedChange], active: &PolicySet, proposal: &ParameterProposal) -> ParameterTest {
    let proposed = active.asking_from(&proposal.rules, proposal.measure, proposal.from);
    let usual = usual_minutes(changes, &proposal.rules);
    let mut test = ParameterTest::default();
    for change in changes {
        let Some((told, targets)) = &change.told else {
            continue;
        };
        let (before, after) = (
            required_rules(active, told, targets),
            required_rules(&proposed, told, targets),
        );
        test.changes += 1;
        // The requirements in the record must be computed again, or the facts prove nothing about this change.
        if !change.rules.keys().all(|rule| before.contains(rule)) {
            continue;
        }
        test.reproduced += 1;
        let more: Vec<String> = after.difference(&before).cloned().collect();
        if more.is_empty() {
            continue;
        }
        let has_failed = change.has_failed == Some(true);
        test.asked += 1;
        test.failures_met += i64::from(has_failed);
        match usual {
            Some(minutes) => test.minutes_added += minutes,
            None => test.without_minutes += 1,
        }
        if test.rows.len() < MOST_ROWS {
            test.rows.push(StricterCase {
                key: change.key.clone(),
                rules: more,
                has_failed,
            });
        }
    }
    test
}

/// The median time of the rules, where they took any.
fn usual_minutes(changes: &[ClosedChange], rules: &[String]) -> Option<i64> {
    let asked = changes.iter().flat_map(|change| &change.rules);
    let of_rules = asked.filter(|(rule, asked)| rules.contains(rule) && asked.minutes > 0);
    let mut minutes: Vec<i64> = of_rules.map(|(_, asked)| asked.minutes).collect();
    minutes.sort_unstable();
    median(&minutes).map(|it| it.value)
}

/// Proposes the set in force with the values of a comparison and without the rules that it would let go; `None` where the comparison
/// proposes neither.
///
/// # Errors
/// 409 where another set is in force since, 422 as of any set, or the store's.
pub(crate) fn propose_set(
    cx: &mut Context<'_, '_>,
    comparison: &Comparison,
    reason: &str,
) -> Result<Option<Configuration>> {
    if !comparison.changes_policies() {
        return Ok(None);
    }
    let policies = cx.policies()?;
    if policies.digest() != comparison.policies {
        let text =
            "The policies have changed since the comparison, so its back-test does not apply to the current ones.";
        let satisfy = "Propose a set of policies and name its id in `configuration`, or decline with a reason.";
        return Err(Refusal::not_now("policies_moved", text, satisfy, Vec::new()).into());
    }
    let values = comparison.parameters.iter();
    let values: Vec<(String, String)> = values.map(|it| (it.name.clone(), it.after.clone())).collect();
    let mut set = set_in_force(cx, &policies)?;
    if !comparison.removals.is_empty() {
        let rules: Vec<&str> = comparison.removals.iter().map(|it| it.rule.as_str()).collect();
        set = without(set, &policies, &rules)?;
    }
    propose_with(cx, set, &values, reason).map(Some)
}

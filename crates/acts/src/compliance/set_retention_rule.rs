//! Retention rules: how long regimes require records to be kept.

use model::compliance::retention_rule::{self, RetentionRule, RetentionRuleInput, check, key_of, usual};
use model::core::enums::{KeptKind, RetentionRegime};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use serde_json::json;

use crate::compliance::retention_in_force::{in_force, rules};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::guard::other_setters::others_who_set;
use crate::incident::keep::keep;

impl PlainNoun for RetentionRule {
    type Input = RetentionRuleInput;

    /// The shipped ones too, which are off until a person switches them on.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        rules(cx)
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        Ok(rules(cx)?.into_iter().find(|rule| rule.key == key))
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn add(cx: &mut Context<'_, '_>, input: RetentionRuleInput, mut reading: Reading<'_>) -> Result<Self> {
        let (Some(regime), Some(kind)) = (input.regime, input.record_kind) else {
            reading.finish()?;
            return Err(Refusal::field("regime", "missing", "`regime` and `record_kind` are missing.").into());
        };
        let present = present(cx, regime, kind)?;
        let rule = Self {
            keep_days: input.keep_days.unwrap_or(present.keep_days),
            hot_days: input.hot_days.or(present.hot_days),
            active: input.active,
            by: Some(cx.actor.person.clone()),
            ..present.clone()
        };
        check(&mut reading, &rule);
        reading.finish()?;
        check_loosened(cx, &present, &rule)?;
        let data = json!({"rule": rule.key, "is_on": rule.active, "keep_days": rule.keep_days});
        keep(cx, "retention_rule.set", rule, data)
    }
}

fn present(cx: &mut Context<'_, '_>, regime: RetentionRegime, kind: KeptKind) -> Result<RetentionRule> {
    let found = RetentionRule::found(cx, &key_of(regime, kind))?;
    Ok(found.unwrap_or_else(|| usual(regime, kind)))
}

/// One person disables or shortens a rule only while the retention in force, which two people set, keeps as long as the
/// rule did. Otherwise one person alone could erase records without the agreement of two.
fn check_loosened(cx: &mut Context<'_, '_>, present: &RetentionRule, next: &RetentionRule) -> Result<()> {
    let in_force = in_force(cx)?;
    let mut rules = rules(cx)?;
    let before = retention_rule::applied(in_force, &rules);
    rules.retain(|rule| rule.key != next.key);
    rules.push(next.clone());
    let after = retention_rule::applied(in_force, &rules);
    let is_sooner = |one: Option<i64>, other: Option<i64>| one.is_some_and(|days| other.is_none_or(|it| days < it));
    let loosens = [
        (after.changes_days, before.changes_days),
        (after.deliveries_days, before.deliveries_days),
        (after.archive_days, before.archive_days),
    ];
    if !loosens.into_iter().any(|(after, before)| is_sooner(after, before)) {
        return Ok(());
    }
    let text = format!(
        "The retention in force is shorter than the rule `{}`, so records would be erased as soon as the rule no longer \
         protects them.",
        present.key
    );
    let satisfy = "First propose a retention that lasts as long as the rule, and have another person put it in force; then \
                   change the rule.";
    let me = cx.actor.person.clone();
    let others = others_who_set(cx, &me)?;
    Err(Refusal::not_now("retention_is_shorter", text, satisfy, others).into())
}

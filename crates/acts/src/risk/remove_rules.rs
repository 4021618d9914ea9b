//! Rules that found nothing in a quarter: the set in force without each of them, tried on the facts that were stored with its decisions.

use std::collections::BTreeSet;

use model::core::body::Body;
use model::core::enums::FindingKind;
use model::core::parse::Reading;
use model::policy::configuration::PolicyFile;
use model::policy::facts::{ChangeFacts, TargetFacts};
use model::risk::adjustment::Finding;
use model::risk::closed_change::ClosedChange;
use model::risk::rule_removal::{RemovalTest, RuleRemoval};
use policy::PolicySet;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::policy::propose_configuration::{SetOfFiles, checked, read_set};
use crate::policy::propose_parameters::set_in_force;

/// The rules of these findings that may be removed, each with its back-test. A rule that is no longer in force, or without
/// which the set would no longer pass, is left to people.
///
/// # Errors
/// The store's.
pub(crate) fn propose_removals(
    cx: &mut Context<'_, '_>,
    changes: &[ClosedChange],
    findings: &[Finding],
) -> Result<Vec<RuleRemoval>> {
    let policies = cx.policies()?;
    let mut found: Vec<RuleRemoval> = Vec::new();
    for finding in findings.iter().filter(|it| it.kind == FindingKind::UselessRule) {
        let rule = finding.subject.as_str();
        if policies.source(rule).is_none() {
            continue;
        }
        let in_force = set_in_force(cx, &policies)?;
        // Adopting takes all of them out at once, so each is tried together with those before it.
        let mut gone: Vec<&str> = found.iter().map(|it| it.rule.as_str()).collect();
        gone.push(rule);
        let set = files_without(&in_force, &policies, &gone)?;
        match checked(cx, &set.files, &set.cases, &set.parameters) {
            Ok(rest) => found.push(RuleRemoval {
                rule: rule.to_owned(),
                back_test: tried(changes, &policies, &rest, rule),
            }),
            Err(Error::Refused(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

/// The rules of a set with a requirement for a change, by its facts.
pub(crate) fn required_rules(set: &PolicySet, told: &ChangeFacts, targets: &[TargetFacts]) -> BTreeSet<String> {
    let rows = set.require(told, targets).obligations.into_iter();
    rows.map(|row| row.obligation.id).collect()
}

/// Tries the set without a rule on the changes for which the set in force gives the recorded requirements.
fn tried(changes: &[ClosedChange], active: &PolicySet, rest: &PolicySet, rule: &str) -> RemovalTest {
    let mut test = RemovalTest::default();
    for change in changes.iter().filter(|it| !it.is_late) {
        let Some((told, targets)) = &change.told else {
            continue;
        };
        test.changes += 1;
        let before = required_rules(active, told, targets);
        if change.rules.keys().all(|rule| before.contains(rule)) {
            let after = required_rules(rest, told, targets);
            test.count(change, rule, before.contains(rule) && !after.contains(rule));
        }
    }
    test
}

/// A set of policies as a request body, without some of its rules and without the lines of its cases that expect them.
///
/// # Errors
/// 422 where the set cannot be read.
pub(crate) fn without(mut body: Body, policies: &PolicySet, rules: &[&str]) -> Result<Body> {
    let set = files_without(&body, policies, rules)?;
    body.remove("packs");
    body.insert("files".to_owned(), json!(set.files));
    body.insert("cases".to_owned(), json!(set.cases));
    Ok(body)
}

fn files_without(body: &Body, policies: &PolicySet, rules: &[&str]) -> Result<SetOfFiles> {
    let mut reading = Reading::new(body, "");
    let mut set = read_set(&mut reading);
    reading.finish()?;
    for source in rules.iter().filter_map(|rule| policies.source(rule)) {
        for file in set.files.iter_mut().filter(|file| file.path == source.file) {
            file.content = file.content.replacen(source.text.as_str(), "", 1);
        }
    }
    let is_expected = |line: &str| line.split_whitespace().next().is_some_and(|word| rules.contains(&word));
    for PolicyFile { content, .. } in &mut set.cases {
        let kept = content.lines().filter(|line| !is_expected(line));
        *content = kept.map(|line| format!("{line}\n")).collect();
    }
    Ok(set)
}

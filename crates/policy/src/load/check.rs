//! Checks policies by themselves and as a set.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    ActionConstraint, Effect, EntityUid, PrincipalConstraint, ResourceConstraint, Schema, ValidationMode, Validator,
};
use miette::Diagnostic;
use model::approval::obligation::Obligation;

use super::read::{Loaded, diagnostic};
use crate::judge::BASE_OBLIGATION;
use crate::parameters::Parameters;
use crate::question::uid;
use crate::{Finding, vocabulary};

/// Checks one policy by itself; returns its obligation if it is one of `require`.
pub(super) fn check(
    policy: &Loaded<'_>,
    schema: &Schema,
    parameters: &Parameters,
) -> Result<Option<Obligation>, Vec<Finding>> {
    let actions = actions_of(policy).map_err(|finding| vec![finding])?;
    let require = uid("Action", "require");
    let mut findings: Vec<Finding> = actions
        .iter()
        .filter_map(|action| unknown_action(policy, action, schema))
        .collect();
    let mut obligation = None;
    if actions.contains(&require) {
        findings.extend(check_require(policy));
        match vocabulary::obligation(&policy.id, &policy.reason, &policy.annotations, parameters) {
            Ok(found) => obligation = Some(found),
            Err(problems) => findings.extend(problems.into_iter().map(|problem| policy.problem(problem))),
        }
    } else {
        let problems = vocabulary::plain(&policy.annotations);
        findings.extend(problems.into_iter().map(|problem| policy.problem(problem)));
    }
    if findings.is_empty() {
        Ok(obligation)
    } else {
        Err(findings)
    }
}

/// The actions that a policy names. Every policy names them one by one, since a group of actions may contain `require`.
pub(super) fn actions_of(policy: &Loaded<'_>) -> Result<Vec<EntityUid>, Finding> {
    match policy.policy.action_constraint() {
        ActionConstraint::Eq(action) => Ok(vec![action]),
        ActionConstraint::In(mut actions) if !actions.is_empty() => {
            actions.sort();
            actions.dedup();
            Ok(actions)
        }
        ActionConstraint::In(_) | ActionConstraint::Any => {
            let text = format!(
                "`{}` must list its actions: `action == Action::\"…\"` or `action in [ … ]`",
                policy.id
            );
            Err(policy.finding("actions_not_named", text))
        }
    }
}

fn unknown_action(policy: &Loaded<'_>, action: &EntityUid, schema: &Schema) -> Option<Finding> {
    if schema.actions().any(|known| known == action) {
        return None;
    }
    let names: Vec<&str> = schema.actions().map(|known| known.id().unescaped()).collect();
    let name = action.id().unescaped();
    let mut finding = policy.finding(
        "unknown_action",
        format!("`{}`: there is no action `{name}`", policy.id),
    );
    finding.help = crate::nearest(name, names).map(|n| format!("did you mean `{n}`?"));
    Some(finding)
}

/// A policy of `require` is a permit of this action alone, for everyone, and tests attributes only.
fn check_require(policy: &Loaded<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let id = &policy.id;
    if policy.policy.effect() == Effect::Forbid {
        let text = format!("`{id}`: a forbid cannot contain `require`, because it would hide every obligation");
        findings.push(policy.finding("forbid_of_require", text));
    }
    let is_alone = matches!(policy.policy.action_constraint(), ActionConstraint::Eq(_));
    let has_scope = policy.policy.principal_constraint() != PrincipalConstraint::Any
        || policy.policy.resource_constraint() != ResourceConstraint::Any;
    if !is_alone || has_scope {
        let text = format!(
            "`{id}`: the scope of a policy of `require` must be `(principal, action == Action::\"require\", \
             resource)`"
        );
        findings.push(policy.finding("scope_of_require", text));
    }
    if let Some(offset) = policy.statement.membership {
        let text = format!(
            "`{id}`: a policy of `require` tests attributes, not `in`, which is silently false when a link is missing"
        );
        findings.push(policy.finding_at(offset, "membership_in_require", text));
    }
    findings
}

/// The base obligation is there and has no condition.
pub(super) fn check_base(loaded: &[Loaded<'_>], findings: &mut Vec<Finding>) {
    match loaded.iter().find(|policy| policy.id == BASE_OBLIGATION) {
        Some(policy) if policy.policy.has_non_scope_constraint() => {
            let text = format!(
                "`{BASE_OBLIGATION}` cannot have a condition: its presence proves that the policies were \
                    evaluated"
            );
            findings.push(policy.finding("base_obligation", text));
        }
        Some(policy) if actions_of(policy).is_ok_and(|actions| actions == [uid("Action", "require")]) => {}
        // A base policy that could not be read has its own finding.
        None if !findings.is_empty() => {}
        _ => findings.push(Finding {
            file: "base/requirements.cedar".to_owned(),
            line: 1,
            code: "base_obligation",
            text: format!("the set lacks the policy `{BASE_OBLIGATION}` of the action `require`"),
            help: Some("every set must contain the files of the base pack".to_owned()),
        }),
    }
}

/// Strict validation, and at least one kind of request that each policy can match: on a policy that is too long for the
/// stack Cedar's validator gives up and reports no error, and only the missing requests show it.
pub(super) fn validate(loaded: &[Loaded<'_>], schema: &Schema, findings: &mut Vec<Finding>) {
    let validator = Validator::new(schema.clone());
    let mut together = cedar_policy::PolicySet::new();
    for policy in loaded {
        if let Err(error) = together.add(policy.policy.clone()) {
            findings.push(policy.finding("duplicate_id", error.to_string()));
        }
    }
    let result = validator.validate(&together, ValidationMode::Strict);
    let errors = result
        .validation_errors()
        .map(|error| (error.policy_id(), error as &dyn Diagnostic));
    let warnings = result
        .validation_warnings()
        .map(|warning| (warning.policy_id(), warning as &dyn Diagnostic));
    let by_id: HashMap<&str, &Loaded<'_>> = loaded.iter().map(|policy| (policy.id.as_str(), policy)).collect();
    let mut broken = HashSet::new();
    for (id, message) in errors.chain(warnings) {
        let id = id.to_string();
        if let Some(policy) = by_id.get(id.as_str()) {
            findings.push(diagnostic(policy.file, policy.statement.offset, "validation", message));
        }
        broken.insert(id);
    }
    for policy in loaded.iter().filter(|policy| !broken.contains(&policy.id)) {
        if policy.policy.get_valid_request_envs(schema).next().is_none() {
            let text = format!("`{}` can never match, or is too large to be checked", policy.id);
            findings.push(policy.finding("never_matches", text));
        }
    }
    if !result.validation_passed() && broken.is_empty() {
        let text = "the set does not match the schema".to_owned();
        findings.push(Finding {
            file: "schema".to_owned(),
            line: 1,
            code: "validation",
            text,
            help: None,
        });
    }
}

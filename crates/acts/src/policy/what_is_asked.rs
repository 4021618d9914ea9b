//! Computes the requirements of the rules in force for a hypothetical change. Writes nothing.

use model::approval::obligation::Requirements;
use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::core::act::actions;
use model::core::enums::{Kind, Level, Origin, RatedFact};
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use model::risk::effective::effective;
use serde_json::json;

use crate::case::judge;
use crate::core::context::Context;
use crate::core::error::Result;

/// A change that nobody has written.
#[derive(Debug, Clone)]
pub struct Thought {
    /// How it is governed.
    pub kind: Kind,
    /// The service that is changed.
    pub service: ServiceKey,
    /// Where.
    pub environment: EnvironmentKey,
    /// The impact on data, availability and compliance; the service's value when absent.
    pub impact: Option<Level>,
    /// How hard it is to do right.
    pub complexity: Level,
}

/// The requirements of the rules.
#[derive(Debug, Clone)]
pub struct RuleRequirements {
    /// Its risk.
    pub risk: Level,
    /// Their requirements.
    pub requirements: Requirements,
}

/// Computes the requirements of the rules in force for a change. The part of a failure forecast is unknown before the change is
/// written.
///
/// # Errors
/// 403; 422 for a service or an environment that there is not; the store's.
pub fn what_is_asked(cx: &mut Context<'_, '_>, thought: &Thought) -> Result<RuleRequirements> {
    cx.allow(actions::READ)?;
    check_place(&*cx.visible()?, thought)?;
    let (directory, policies, tenant) = (cx.directory()?, cx.policies()?, cx.tenant());
    let file = ChangeFile::new(change(cx, thought)?);
    Ok(RuleRequirements {
        risk: effective(&file, &directory, cx.now).risk.level,
        requirements: judge::judge(&policies, &tenant, (&directory, cx.now), &file),
    })
}

fn check_place(directory: &Directory, thought: &Thought) -> Result<()> {
    let mut wrong = Vec::new();
    if !directory.services.contains_key(&thought.service) {
        let text = unknown_name::service(directory, thought.service.as_str());
        wrong.push(FieldError::new("service", "unknown", text));
    }
    if !directory.environments.contains_key(&thought.environment) {
        let text = unknown_name::environment(directory, thought.environment.as_str());
        wrong.push(FieldError::new("environment", "unknown", text));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Refusal::Invalid(wrong).into()),
    }
}

/// A draft by nobody.
fn change(cx: &Context<'_, '_>, thought: &Thought) -> Result<Change> {
    let impact = thought.impact.unwrap_or(Level::None);
    let mut change: Change = serde_json::from_value(json!({
        "id": "", "version": 0, "key": "", "number": 0, "state": "draft", "requester": "",
        "created_at": cx.now, "updated_at": cx.now, "kind": thought.kind, "title": "", "category": "application",
        "targets": [{"id": "1", "service": thought.service, "environment": thought.environment}],
        "impact": {"data": impact, "availability": impact, "compliance": impact}, "complexity": thought.complexity,
        "owner": "", "risk": {"level": "low", "score": 0, "reasons": []},
        "digests": {"what": "", "when": "", "content": ""}, "target_records": [], "authors": [],
    }))?;
    if thought.impact.is_none() {
        let axes = [RatedFact::Data, RatedFact::Availability, RatedFact::Compliance];
        let derived = axes.map(|fact| (fact.as_str().to_owned(), Origin::Derived));
        change.origins.extend(derived);
    }
    Ok(change)
}

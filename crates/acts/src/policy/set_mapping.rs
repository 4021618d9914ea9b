//! The mapping from deployments to kinds of change: proposed like any configuration, explained, and tried on the past.

use std::collections::BTreeSet;

use model::change::related_records::Deployment;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{ConfigurationKind, Kind};
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::parse::{LINE, Reading, TEXT};
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use model::policy::configuration::Configuration;
use model::policy::mapping::{Mapped, MappingFacts, MappingRule, map};
use serde::Serialize;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::integration::mapping_facts::{facts, in_force};
use crate::policy::configurations;
use crate::policy::propose_configuration::{bare, save};

/// The most rules.
const RULES: usize = 200;
/// The most past deployments in one trial.
const MOST: i64 = 500;

/// Proposes a mapping (`POST /mapping {rules, reason}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_mapping(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let rules = read_rules(&mut reading, &directory);
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let digest = configurations::of_mapping(&rules)?;
    let proposal = Configuration {
        rules,
        ..bare(cx, ConfigurationKind::Mapping, digest, reason)?
    };
    save(cx, proposal)
}

/// Reads `rules` and collects their errors.
pub fn read_rules(reading: &mut Reading<'_>, directory: &Directory) -> Vec<MappingRule> {
    let rules = reading
        .objects("rules", |inner| read_rule(inner, directory))
        .unwrap_or_default();
    if rules.len() > RULES {
        reading.wrong("rules", "out_of_range", format!("There are at most {RULES} rules."));
    }
    let mut names = BTreeSet::new();
    for rule in &rules {
        if !names.insert(rule.rule.clone()) {
            reading.wrong("rules", "not_unique", format!("`{}` is listed twice.", rule.rule));
        }
    }
    rules
}

fn read_rule(reading: &mut Reading<'_>, directory: &Directory) -> MappingRule {
    let kind = reading.needed_word("kind", Kind::Normal);
    let keys = |found: Option<Vec<String>>| found.unwrap_or_default();
    let rule = MappingRule {
        rule: reading.needed("rule", LINE),
        pipeline: reading.text("pipeline", LINE),
        stage: reading.text("stage", LINE),
        environments: keys(reading.texts("environments", LINE))
            .into_iter()
            .map(EnvironmentKey)
            .collect(),
        services: keys(reading.texts("services", LINE))
            .into_iter()
            .map(ServiceKey)
            .collect(),
        criticality: reading.words("criticality").unwrap_or_default(),
        files: keys(reading.texts("files", LINE)),
        kind,
        template: reading.text("template", LINE),
        complexity: reading.word("complexity"),
    };
    for key in rule
        .environments
        .iter()
        .filter(|key| !directory.environments.contains_key(key))
    {
        reading.wrong(
            "environments",
            "unknown",
            unknown_name::environment(directory, key.as_str()),
        );
    }
    for key in rule.services.iter().filter(|key| !directory.services.contains_key(key)) {
        reading.wrong("services", "unknown", unknown_name::service(directory, key.as_str()));
    }
    match (&rule.template, kind) {
        (Some(key), Kind::Standard) if !directory.templates.contains_key(key) => {
            reading.wrong("template", "unknown", unknown_name::template(directory, key));
        }
        (None, Kind::Standard) => reading.wrong("template", "missing", "A standard change names its `template`."),
        (Some(_), Kind::Normal | Kind::Emergency) => {
            reading.wrong("template", "not_allowed", "Only a standard change names a `template`.");
        }
        _ => {}
    }
    rule
}

/// Explains which rule decides (`POST /mapping/explanation {pipeline, stage, environment, service, commit?, files?}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn explain_mapping(cx: &mut Context<'_, '_>, body: &Body) -> Result<(MappingFacts, Mapped)> {
    cx.allow(act::actions::READ)?;
    let mut reading = Reading::new(body, "");
    let (service, environment) = (reading.needed("service", LINE), reading.needed("environment", LINE));
    let pipeline = reading.text("pipeline", LINE).unwrap_or_default();
    let stage = reading.text("stage", LINE).unwrap_or_else(|| environment.clone());
    let commit = reading.text("commit", 64);
    let files = reading.texts("files", 1_000);
    reading.finish()?;
    let mut found = facts(cx, (&pipeline, &stage), (&service, &environment), commit.as_deref())?;
    found.files = files.or(found.files);
    let mapped = map(&in_force(cx)?, &found);
    Ok((found, mapped))
}

/// One past deployment under the mapping in force and under the proposed one.
#[derive(Debug, Clone, Serialize)]
pub struct Tried {
    /// The deployment's key at its sender.
    pub deployment: String,
    /// The facts at that time.
    pub facts: MappingFacts,
    /// The decision at that time, where a mapping decided.
    pub then: Option<Mapped>,
    /// The result of the mapping in force.
    pub now: Mapped,
    /// The result of the proposed mapping.
    pub proposed: Mapped,
    /// Whether the last two differ.
    pub differs: bool,
}

/// Tries a mapping on the last deployments (`POST /mapping/trial {rules, last}`). Writes nothing.
///
/// # Errors
/// 403, 422, or the store's.
pub fn try_mapping(cx: &mut Context<'_, '_>, body: &Body) -> Result<Vec<Tried>> {
    cx.allow(act::actions::SET_POLICY)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let rules = read_rules(&mut reading, &directory);
    let last = reading.integer("last", 1..=MOST).unwrap_or(50);
    reading.finish()?;
    let present = in_force(cx)?;
    let filter = Filter::new().descending_by("id").limit(last);
    let mut tried = Vec::new();
    for stored in record::find::<Deployment>(cx.tx, &filter)? {
        let it = stored.record;
        let facts = match it.mapping_facts {
            Some(facts) => facts,
            None => {
                let pipeline = it.natural_key.split('#').next().unwrap_or_default().to_owned();
                let place = (it.service.as_str(), it.environment.as_str());
                facts(cx, (&pipeline, it.environment.as_str()), place, Some(&it.commit))?
            }
        };
        let (now, proposed) = (map(&present, &facts), map(&rules, &facts));
        tried.push(Tried {
            deployment: it.natural_key,
            then: it.mapped,
            differs: now != proposed,
            facts,
            now,
            proposed,
        });
    }
    Ok(tried)
}

//! The facts about a deployment for its mapping, and the rules in force.

use model::change::related_records::Deployment;
use model::core::ids::ServiceKey;
use model::policy::mapping::{MappingFacts, MappingRule};
use store::record::{self, Filter};

use crate::case::commit_equivalence::files_between;
use crate::core::context::Context;
use crate::core::error::Result;

/// How many deployments to a place are examined for the last good one.
const LOOKED_AT: i64 = 50;

/// The rules in force.
///
/// # Errors
/// The store's.
pub fn in_force(cx: &mut Context<'_, '_>) -> Result<Vec<MappingRule>> {
    let directory = cx.directory()?;
    Ok(directory
        .tenant
        .as_ref()
        .map(|it| it.mapping.clone())
        .unwrap_or_default())
}

/// The facts about a deployment, completed from the directory and from the pushes of its commit.
///
/// # Errors
/// The store's.
pub fn facts(
    cx: &mut Context<'_, '_>,
    (pipeline, stage): (&str, &str),
    (service, environment): (&str, &str),
    commit: Option<&str>,
) -> Result<MappingFacts> {
    let directory = cx.directory()?;
    let criticality = directory
        .services
        .get(&ServiceKey::from(service))
        .map(|it| it.criticality);
    let files = match commit {
        Some(commit) => match last_commit(cx, service, environment)? {
            Some(earlier) => files_between(cx, &earlier, commit)?,
            None => None,
        },
        None => None,
    };
    Ok(MappingFacts {
        pipeline: pipeline.to_owned(),
        stage: stage.to_owned(),
        environment: environment.to_owned(),
        service: service.to_owned(),
        criticality,
        files,
    })
}

/// The commit that was last deployed to a place, lawfully and with success.
fn last_commit(cx: &mut Context<'_, '_>, service: &str, environment: &str) -> Result<Option<String>> {
    let filter = Filter::new()
        .equals("service", service)
        .equals("environment", environment)
        .descending_by("id")
        .limit(LOOKED_AT);
    let rows = record::find::<Deployment>(cx.tx, &filter)?;
    let good = rows
        .into_iter()
        .map(|stored| stored.record)
        .filter(|it| it.status.as_deref() == Some("success") && !it.unauthorized && !it.commit.is_empty());
    Ok(good.max_by_key(|it| (it.status_at, it.id.clone())).map(|it| it.commit))
}

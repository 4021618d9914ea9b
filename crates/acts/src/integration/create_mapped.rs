//! Makes a change for a deployment that no open change names, by the mapping: a standard change is submitted automatically, any
//! other is a draft for people.

use jiff::SignedDuration;
use model::change::related_records::Deployment;
use model::core::act::Act;
use model::core::body::Body;
use model::core::enums::{OwnershipRole, Role};
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::policy::mapping::{self, Mapped};
use model::policy::permission::{allowed, person_facts, present_facts, target_facts};
use serde_json::{Value, json};

use crate::change::create_change::{create_change_for, thought_of};
use crate::change::verbs;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::integration::mapping_facts;
use crate::integration::told_deployment::{Here, sender};

/// How long the window of a standard change from a deployment lasts: as long as an emergency's.
const WINDOW: SignedDuration = SignedDuration::from_hours(4);
/// The most people for whom the rules are evaluated.
const LOOKED_AT: usize = 30;

/// Makes the change and notes the mapping's result on the deployment. Returns the change's key, and the refusal when the rules
/// let no possible requester submit the change.
///
/// # Errors
/// The store's.
pub(crate) fn create_mapped(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    deployment: &mut Deployment,
) -> Result<(String, Option<Refusal>)> {
    let (told, place) = (here.told, (here.mapping.service.as_str(), here.environment.as_str()));
    let pipeline = (told.repository, told.environment);
    let facts = mapping_facts::facts(cx, pipeline, place, told.commit())?;
    let mapped = mapping::map(&mapping_facts::in_force(cx)?, &facts);
    let mut body = content(here);
    let mut origins = vec!["kind", "title", "targets"];
    match &mapped.template {
        Some(template) => {
            body["template"] = json!(template);
            // The window holds the signal's own time and ends ahead. A sender may name any time, also far ahead.
            body["planned_start"] = json!(told.at.min(cx.now));
            body["planned_end"] = json!(cx.now + WINDOW);
            origins.extend(["template", "planned_start", "planned_end"]);
        }
        None => origins.extend(describe(here, &mapped, &mut body)),
    }
    body["kind"] = json!(mapped.kind);
    let body = body.as_object().cloned().unwrap_or_default();
    let walks = mapped.template.is_some();
    let (requester, refused) = requester(cx, here, walks.then_some(&body))?;
    let key = create_change_for(cx, &body, &origins, &requester)?;
    if walks && refused.is_none() {
        match verbs::submit_change(cx, &key) {
            // A template that no longer holds leaves a draft, and the deployment without a lawful start.
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    deployment.mapped = Some(mapped);
    deployment.mapping_facts = Some(facts);
    Ok((key, refused))
}

/// The requester of a change that a deployment makes: the sender, else the connection's owner; once that owner has left, an
/// owner of the service, or a change manager. A person who may no longer act requests nothing. With a `body`, the change is
/// submitted automatically, so the requester is the first person whom the rules let create and submit it. When there is no such
/// person, returns the refusal.
fn requester(cx: &mut Context<'_, '_>, here: &Here<'_>, body: Option<&Body>) -> Result<(PersonId, Option<Refusal>)> {
    let people = people(cx, here)?;
    let nobody = || Error::Fault("nobody is active in whose name the deployment could be recorded".to_owned());
    let first = people.first().cloned().ok_or_else(nobody)?;
    let Some(body) = body else {
        return Ok((first, None));
    };
    let mut refused = None;
    for person in people.into_iter().take(LOOKED_AT) {
        match against(cx, body, &person)? {
            None => return Ok((person, None)),
            Some(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    Ok((first, refused))
}

/// Why the rules do not let a person create and submit a change; `None` when they do.
fn against(cx: &mut Context<'_, '_>, body: &Body, person: &PersonId) -> Result<Option<Refusal>> {
    let file = thought_of(cx, body, person)?;
    let (directory, policies, tenant) = (cx.directory()?, cx.policies()?, cx.tenant());
    let facts = person_facts(&file, &directory, person, cx.now);
    let change = present_facts(&file, &directory, &tenant, cx.now);
    let targets = target_facts(&file, &directory, cx.now);
    let ask = |act: Act| {
        let verdict = policies.may(&facts, act.as_str(), Some((&change, &targets)));
        allowed(verdict, act.as_str()).err()
    };
    Ok(ask(Act::Create).or_else(|| ask(Act::Submit)))
}

/// The people in whose name a deployment may make a change, the nearest first.
fn people(cx: &mut Context<'_, '_>, here: &Here<'_>) -> Result<Vec<PersonId>> {
    let (told, directory) = (sender(cx, here)?, cx.directory()?);
    let near = told.into_iter().chain([here.connection.owner.clone()]);
    let (service, place) = (&here.mapping.service, here.environment);
    let owners = directory
        .holders(service, place, OwnershipRole::Owner, cx.now)
        .into_iter();
    let others = owners
        .map(|holder| holder.person)
        .chain(directory.with_role(Role::ChangeManager));
    Ok(near
        .chain(others)
        .filter(|person| directory.is_active(person))
        .collect())
}

fn content(here: &Here<'_>) -> Value {
    let told = here.told;
    let (service, place) = (here.mapping.service.as_str(), here.environment.as_str());
    let what = told.commit().or(told.artifact).unwrap_or_default();
    let short: String = what.trim_start_matches("sha256:").chars().take(12).collect();
    let mut target = Body::new();
    let fields = [
        ("service", Some(service)),
        ("environment", Some(place)),
        ("commit", told.commit()),
        ("artifact", told.artifact),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            target.insert(field.to_owned(), json!(value));
        }
    }
    json!({"title": format!("Deploy {service} at {short} to {place}"), "targets": [target]})
}

/// Adds the other fields of a draft; returns their names.
fn describe(here: &Here<'_>, mapped: &Mapped, body: &mut Value) -> Vec<&'static str> {
    let told = here.told;
    body["description"] = json!(format!(
        "Deployment {} of {} to {}, told by {}.",
        told.deployment_id, told.repository, told.environment, here.connection.name
    ));
    body["category"] = json!("application");
    let mut origins = vec!["description", "category"];
    if let Some(complexity) = mapped.complexity {
        body["complexity"] = json!(complexity);
        origins.push("complexity");
    }
    origins
}

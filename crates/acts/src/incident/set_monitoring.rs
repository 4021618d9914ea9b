//! Monitors that are raised, and objectives that are measured, while changes are watched: the rules of their keys and places.

use std::collections::BTreeSet;

use model::core::ids::{EnvironmentKey, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::unknown_name;
use model::incident::monitor::{self, Monitor, MonitorInput};
use model::incident::objective::{self, Objective, ObjectiveInput};
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use_by_keys};
use crate::integration::set_webhook::check_reach;

impl PlainNoun for Monitor {
    type Input = MonitorInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        in_use_by_keys(cx)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: MonitorInput, mut reading: Reading<'_>) -> Result<Self> {
        monitor::check(&mut reading, &input);
        check_places(cx, &input.environments, &mut reading)?;
        let known = Self::listed(cx)?;
        if known.iter().any(|it| it.key == input.key) {
            let text = format!("There is a monitor `{}` already.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if known.len() >= monitor::MOST {
            let text = format!("A tenant has at most {} monitors.", monitor::MOST);
            return Err(Refusal::not_now("too_many", text, "Remove one that nobody needs.", Vec::new()).into());
        }
        let added = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            title: input.title,
            services: input.services,
            environments: input.environments,
            scrape_targets: input.scrape_targets,
            expression: input.expression,
            hold_minutes: input.hold_minutes,
            url: input.url,
            active: true,
        };
        cx.put_estate("monitor.added", added, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: MonitorInput, mut reading: Reading<'_>) -> Result<Self> {
        monitor::check(&mut reading, &input);
        check_places(cx, &input.environments, &mut reading)?;
        if input.key != self.key {
            reading.wrong("key", "not_allowed", "The key of a monitor cannot change.");
        }
        reading.finish()?;
        let edited = Self {
            title: input.title,
            services: input.services,
            environments: input.environments,
            scrape_targets: input.scrape_targets,
            expression: input.expression,
            hold_minutes: input.hold_minutes,
            url: input.url,
            ..self
        };
        cx.put_estate("monitor.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("monitor.ended", ended, json!({}))
    }
}

impl PlainNoun for Objective {
    type Input = ObjectiveInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        in_use_by_keys(cx)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: ObjectiveInput, mut reading: Reading<'_>) -> Result<Self> {
        objective::check(&mut reading, &input);
        check_reach(&mut reading, ("url", input.url.as_str()), &cx.services.tools().reaches);
        check_places(cx, &input.environments, &mut reading)?;
        let known = Self::listed(cx)?;
        if known.iter().any(|it| it.key == input.key) {
            let text = format!("There is an objective `{}` already.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if known.len() >= objective::MOST {
            let text = format!("A tenant has at most {} objectives.", objective::MOST);
            return Err(Refusal::not_now("too_many", text, "Remove one that nobody needs.", Vec::new()).into());
        }
        let added = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            title: input.title,
            service: input.service,
            environments: input.environments,
            url: input.url,
            expression: input.expression,
            bound_is: input.bound_is,
            bound: input.bound,
            every_minutes: input.every_minutes,
            active: true,
        };
        cx.put_estate("objective.added", added, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: ObjectiveInput, mut reading: Reading<'_>) -> Result<Self> {
        objective::check(&mut reading, &input);
        check_reach(&mut reading, ("url", input.url.as_str()), &cx.services.tools().reaches);
        check_places(cx, &input.environments, &mut reading)?;
        if input.key != self.key {
            reading.wrong("key", "not_allowed", "The key of an objective cannot change.");
        }
        reading.finish()?;
        let edited = Self {
            title: input.title,
            service: input.service,
            environments: input.environments,
            url: input.url,
            expression: input.expression,
            bound_is: input.bound_is,
            bound: input.bound,
            every_minutes: input.every_minutes,
            ..self
        };
        cx.put_estate("objective.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("objective.ended", ended, json!({}))
    }
}

/// Notes each environment that the tenant does not have.
fn check_places(
    cx: &mut Context<'_, '_>,
    environments: &BTreeSet<EnvironmentKey>,
    reading: &mut Reading<'_>,
) -> Result<()> {
    let directory = cx.directory()?;
    let unknown = |key: &&EnvironmentKey| !directory.environments.contains_key(*key);
    for key in environments.iter().filter(unknown) {
        let text = unknown_name::environment(&directory, key.as_str());
        reading.wrong("environments", "unknown", text);
    }
    Ok(())
}

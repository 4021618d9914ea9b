//! Monitors that are raised while changes are watched: the rules of their keys and places.

use model::core::ids::{EnvironmentKey, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::unknown_name;
use model::incident::monitor::{MOST, Monitor, MonitorInput, check};
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use_by_keys};

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
        check(&mut reading, &input);
        check_places(cx, &input, &mut reading)?;
        let known = Self::listed(cx)?;
        if known.iter().any(|it| it.key == input.key) {
            let text = format!("There is a monitor `{}` already.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if known.len() >= MOST {
            let text = format!("A tenant has at most {MOST} monitors.");
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
        check(&mut reading, &input);
        check_places(cx, &input, &mut reading)?;
        if input.key != self.key {
            reading.wrong("key", "not_allowed", "The key of a monitor stays.");
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

/// Notes each environment that the tenant does not have.
fn check_places(cx: &mut Context<'_, '_>, input: &MonitorInput, reading: &mut Reading<'_>) -> Result<()> {
    let directory = cx.directory()?;
    let unknown = |key: &&EnvironmentKey| !directory.environments.contains_key(*key);
    for key in input.environments.iter().filter(unknown) {
        let text = unknown_name::environment(&directory, key.as_str());
        reading.wrong("environments", "unknown", text);
    }
    Ok(())
}

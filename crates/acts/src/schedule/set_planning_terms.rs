//! The terms of planning: one record of a tenant. They apply to future judgements, and open conflicts then hold both changes
//! too. Conflicts that hold changes go on doing so, so that nobody frees a change by relaxing the terms.

use model::core::enums::ConflictKind;
use model::core::parse::Reading;
use model::schedule::planning_terms::{KEY, PlanningTerms, PlanningTermsInput};
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

/// The most environments with one change at a time.
const MOST_EXCLUSIVE: usize = 50;

impl PlainNoun for PlanningTerms {
    type Input = PlanningTermsInput;

    /// The stored terms; none while the defaults apply.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        Ok(cx.directory()?.planning_terms.clone().into_iter().collect())
    }

    /// Those in force, also where nobody set any.
    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let terms = cx.directory()?.planning();
        Ok(Some(terms).filter(|_| key == KEY))
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(cx: &mut Context<'_, '_>, input: PlanningTermsInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        for (place, key) in input.exclusive_environments.iter().enumerate() {
            if !directory.environments.contains_key(key) {
                let at = format!("exclusive_environments[{place}]");
                reading.wrong(&at, "unknown", format!("There is no environment `{key}`."));
            }
        }
        if input.exclusive_environments.len() > MOST_EXCLUSIVE {
            let text = format!("At most {MOST_EXCLUSIVE} environments take one change at a time.");
            reading.wrong("exclusive_environments", "too_many", text);
        }
        if input.hold_kinds.contains(&ConflictKind::Maintenance) {
            let text = "Maintenance holds no change: nobody here decides on it. Leave it out.";
            reading.wrong("hold_kinds", "not_allowed", text);
        }
        for (field, value) in [
            ("dependency_steps", input.dependency_steps),
            ("decide_hours", input.decide_hours),
        ] {
            if value == Some(0) {
                reading.wrong(field, "out_of_range", format!("`{field}` is 1 or more."));
            }
        }
        let said: Vec<&str> = ["exclusive_environments", "hold_kinds"]
            .into_iter()
            .filter(|field| reading.says(field))
            .collect();
        reading.finish()?;
        let terms = Self {
            by: Some(cx.actor.person.clone()),
            ..directory.planning().with(input, |field| said.contains(&field))
        };
        cx.put_estate("planning_terms.set", terms, json!({}))
    }
}

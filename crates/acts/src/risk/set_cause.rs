//! The taxonomy of root causes: shipped causes, and those that a tenant added or changed.

use model::change::record::Change;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::incident::incident_review::IncidentReview;
use model::incident::problem::ProblemRecord;
use model::risk::cause::{Cause, CauseInput, MOST, check_key, shipped_by_key, taxonomy};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::incident::keep::keep;

impl PlainNoun for Cause {
    type Input = CauseInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let own = record::bodies::<Self>(cx.tx, &Filter::new().order_by("id"))?;
        Ok(taxonomy(own))
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let own = record::load::<Self>(cx.tx, key)?.map(|stored| stored.record);
        Ok(own.or_else(|| shipped_by_key(key)).filter(|cause| cause.active))
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: CauseInput, mut reading: Reading<'_>) -> Result<Self> {
        check_key(&mut reading, &input.key);
        if Self::found(cx, &input.key)?.is_some() {
            let text = format!("The taxonomy has `{}` already; change that one.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if record::count::<Self>(cx.tx, &Filter::new().equals("active", true))? >= MOST as i64 {
            let text = format!("The taxonomy has {MOST} causes of the tenant, which is what a review can choose from.");
            return Err(Refusal::not_now("too_many", text, "Retire or remove one first.", Vec::new()).into());
        }
        // A removed cause is added again under its key, as the next version of its record.
        let before = record::load::<Self>(cx.tx, &input.key)?.map_or(0, |stored| stored.record.version);
        let cause = Self {
            id: RecordId::from(input.key.as_str()),
            version: before,
            key: input.key,
            name: input.name,
            description: input.description,
            features: input.features,
            is_retired: input.is_retired,
            active: true,
        };
        keep(cx, "cause.added", cause, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: CauseInput, mut reading: Reading<'_>) -> Result<Self> {
        if reading.says("key") && input.key != self.key {
            reading.wrong(
                "key",
                "not_allowed",
                "The key of a cause cannot change, because reviews refer to it.",
            );
        }
        reading.finish()?;
        let edited = Self {
            name: input.name,
            description: input.description,
            features: input.features,
            is_retired: input.is_retired,
            ..self
        };
        let key = edited.key.clone();
        keep(cx, "cause.edited", edited, json!({"cause": key}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let uses = count_uses(cx, &self.key)?;
        if uses > 0 {
            let text = format!(
                "{uses} reviews and problems name the cause `{}`, so it cannot be removed.",
                self.key
            );
            let satisfy = "Retire it (PATCH `is_retired`): they keep it, and new ones cannot name it.";
            return Err(Refusal::not_now("in_use", text, satisfy, Vec::new()).into());
        }
        let ended = Self { active: false, ..self };
        let key = ended.key.clone();
        keep(cx, "cause.ended", ended, json!({"cause": key}))
    }
}

fn count_uses(cx: &mut Context<'_, '_>, key: &str) -> Result<i64> {
    let named = Filter::new().equals("cause", key);
    let of_changes = record::count::<Change>(cx.tx, &Filter::new().equals("review_cause", key))?;
    Ok(of_changes + record::count::<IncidentReview>(cx.tx, &named)? + record::count::<ProblemRecord>(cx.tx, &named)?)
}

/// Notes a cause that the taxonomy does not have, or that is retired and was not named before.
///
/// # Errors
/// The store's.
pub(crate) fn check_named(
    cx: &mut Context<'_, '_>,
    reading: &mut Reading<'_>,
    key: Option<&str>,
    before: Option<&str>,
) -> Result<()> {
    let Some(key) = key.filter(|key| Some(*key) != before) else {
        return Ok(());
    };
    let known = Cause::listed(cx)?;
    let text = match known.iter().find(|cause| cause.key == key) {
        Some(cause) if cause.is_retired => format!("The cause `{key}` is retired; name another one."),
        Some(_) => return Ok(()),
        None => {
            let keys: Vec<&str> = known.iter().map(|cause| cause.key.as_str()).collect();
            let near = model::core::parse::nearest(key, &keys);
            let hint = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            format!("The taxonomy has no cause `{key}`.{hint}")
        }
    };
    reading.wrong("cause", "unknown", text);
    Ok(())
}

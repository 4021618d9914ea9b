//! Runs of other systems. Only the connection that reported a run first may report more of it. Its change, its service and its
//! build stay: no other pipeline takes the run over.

use model::change::read_content::{is_digest, tidy_digest};
use model::core::enums::OutsideRunKind;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::gate::build::are_one;
use model::integration::outside_run::{OutsideRun, OutsideRunInput, differs, key_of};
use serde_json::json;
use store::change::changes;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

/// The most runs of a list, the newest first.
const LISTED: i64 = 500;

impl PlainNoun for OutsideRun {
    type Input = OutsideRunInput;
    const IS_HISTORY: bool = true;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().equals("active", true).descending_by("id").limit(LISTED);
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let filter = Filter::new().equals("key", key);
        Ok(record::find_one::<Self>(cx.tx, &filter)?.map(|stored| stored.record))
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: OutsideRunInput, mut reading: Reading<'_>) -> Result<Self> {
        if input.artifact.as_deref().is_some_and(|text| !is_digest(text)) {
            // The log shows it in clear, like a target's artifact.
            let text = "`artifact` must be a digest such as sha256:6b1d… without spaces.";
            reading.wrong("artifact", "not_a_digest", text);
        }
        check_target(cx, &input, &mut reading)?;
        reading.finish()?;
        let kind = input.kind.unwrap_or(OutsideRunKind::Deployment);
        let key = key_of(kind, &input.external_ref);
        let known = Self::found(cx, &key)?;
        let run = Self {
            id: known.as_ref().map_or_else(RecordId::default, |known| known.id.clone()),
            version: known.as_ref().map_or(0, |known| known.version),
            key,
            kind,
            external_ref: input.external_ref,
            change_key: input.change_key.map(|key| key.to_uppercase()),
            service: input.service,
            environment: input.environment,
            artifact: input.artifact.map(tidy_digest),
            commit: input.commit,
            state: input.state,
            sequence: input.sequence.unwrap_or_default(),
            by: cx.actor.person.clone(),
            at: cx.now,
            active: true,
        };
        let run = match known {
            Some(known) => updated_run(&known, run)?,
            None => Self {
                id: RecordId(cx.new_id()?),
                ..run
            },
        };
        cx.put_estate("outside_run.told", run, json!({}))
    }
}

/// The known run, updated with the new report.
fn updated_run(known: &OutsideRun, now: OutsideRun) -> std::result::Result<OutsideRun, Refusal> {
    if known.by != now.by {
        let text = "Another account reported this run. Only the account that reported a run first can update it.";
        return Err(Refusal::not_allowed("told_by_another", text));
    }
    if let Some((field, stands, said)) = differs(known, &now) {
        let text = format!("`{field}` of this run is `{stands}`, not `{said}`, and cannot change.");
        let satisfy = "Report another run under its own name.";
        return Err(Refusal::not_now("taken", text, satisfy, Vec::new()));
    }
    if now.sequence < known.sequence {
        let text = format!(
            "Update {} is newer than this one, which is {}.",
            known.sequence, now.sequence
        );
        let satisfy = "Number updates in ascending order.";
        return Err(Refusal::not_now("late", text, satisfy, Vec::new()));
    }
    let known = known.clone();
    Ok(OutsideRun {
        change_key: now.change_key.or(known.change_key),
        service: now.service.or(known.service),
        environment: now.environment.or(known.environment),
        artifact: now.artifact.or(known.artifact),
        commit: now.commit.or(known.commit),
        state: now.state.or(known.state),
        ..now
    })
}

/// A change that is named is there, and has the service, environment and build that are named as one of its targets.
fn check_target(cx: &mut Context<'_, '_>, input: &OutsideRunInput, reading: &mut Reading<'_>) -> Result<()> {
    let Some(key) = &input.change_key else { return Ok(()) };
    let key = key.to_uppercase();
    let id = changes::id_of_key(cx.tx, &key)?;
    let is_seen = match &id {
        Some(id) => cx.sees(id)?,
        None => false,
    };
    let Some(id) = id.filter(|_| is_seen) else {
        reading.wrong("change_key", "unknown", format!("There is no change `{key}`."));
        return Ok(());
    };
    let is_named = |own: Option<&str>, said: Option<&str>| match (own, said) {
        (Some(own), Some(said)) => are_one(own, said),
        _ => true,
    };
    let targets = changes::targets_of(cx.tx, id.as_str())?;
    let is_target = targets.iter().any(|target| {
        input.service.as_ref().is_none_or(|it| *it == target.service)
            && input.environment.as_ref().is_none_or(|it| *it == target.environment)
            && is_named(target.artifact.as_deref(), input.artifact.as_deref())
            && is_named(target.commit.as_deref(), input.commit.as_deref())
    });
    if !is_target {
        let text = format!("{key} has no target with this service, environment and build.");
        reading.wrong("change_key", "not_a_target", text);
    }
    Ok(())
}

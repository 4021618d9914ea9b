//! Draws samples of changes and takes the conclusions of auditors.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::audit::audit_conclusion::{AuditConclusion, AuditConclusionInput, answered};
use model::audit::audit_sample::{AuditSample, AuditSampleInput, MOST_SAMPLES, size};
use model::audit::draw::{self, Candidate, Drawn};
use model::change::record::Change;
use model::compliance::framework::FRAMEWORKS;
use model::compliance::violation::{Rule, rule};
use model::core::act::actions;
use model::core::enums::AuditAnswer;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use proof::crypto::digest_text;
use serde::Deserialize;
use serde_json::json;
use store::audit::{event, log};
use store::record::{self, Filter};

use crate::audit::find_timeline;
use crate::compliance::change_facts::facts_of;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun};
use crate::emergency::outside_look::part_in;
use crate::guard::self_grant::is_one;
use crate::report::find_changes::{ChangeFilter, ChangeRow, find_changes};

/// The most changes of a population.
const MOST_CHANGES: usize = 100_000;
/// How many are read at once.
const BATCH: i64 = 1_000;

impl PlainNoun for AuditSample {
    type Input = AuditSampleInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/audit-samples/{}/paper", self.id))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: AuditSampleInput, mut reading: Reading<'_>) -> Result<Self> {
        check_input(&mut reading, &input);
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST_SAMPLES {
            let text = format!("{MOST_SAMPLES} samples are in use.");
            return Err(Refusal::not_now("too_many", text, "Withdraw one that is not signed.", Vec::new()).into());
        }
        let population = population(cx, &input)?;
        let mut keys: Vec<&str> = population.iter().map(|it| it.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        let (whole, digest) = (keys.len(), digest_text(keys.join("\n").as_bytes()));
        let size = size(input.size, whole).map_err(|text| Refusal::field("size", "out_of_range", text))?;
        let seed = match &input.seed {
            Some(seed) => seed.clone(),
            None => find_timeline::find_seal(cx)?.root,
        };
        let Drawn { keys: changes, strata } = draw::draw(population, &seed, size);
        // What waits for its place comes next in the log, and the changes that were just closed with it.
        let log_size = log::state(cx.tx)?.map_or(0, |it| it.size) + event::count_unsequenced(cx.tx)?;
        let sample = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            title: input.title,
            control: input.control,
            from: input.from,
            to: input.to,
            kinds: input.kinds,
            risks: input.risks,
            services: input.services,
            seed,
            is_seed_chosen: input.seed.is_some(),
            population: i64::try_from(whole).unwrap_or(i64::MAX),
            population_digest: digest,
            strata: strata
                .iter()
                .map(|it| format!("{}: {} of {}", it.name, it.drawn, it.changes))
                .collect(),
            changes,
            log_size: Some(log_size),
            by: cx.actor.person.clone(),
            at: cx.now,
            active: true,
            signed_by: None,
            signed_at: None,
            paper_digest: None,
        };
        let count = sample.changes.len();
        cx.put_estate("audit_sample.drawn", sample, json!({"changes": count}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        if self.signed_at.is_some() {
            let text = "The working paper of this sample is signed.";
            return Err(Refusal::not_now("signed", text, "Draw another sample.", Vec::new()).into());
        }
        cx.put_estate("audit_sample.withdrawn", Self { active: false, ..self }, json!({}))
    }
}

fn check_input(reading: &mut Reading<'_>, input: &AuditSampleInput) {
    let mut controls = FRAMEWORKS.iter().flat_map(|framework| framework.controls);
    if reading.says("control") && !controls.any(|control| control.id == input.control) {
        let text = format!(
            "No framework has the control `{}`; control reports list them.",
            input.control
        );
        reading.wrong("control", "unknown", text);
    }
    if input.from >= input.to {
        reading.wrong(
            "to",
            "out_of_order",
            "`to` must be later than `from`: the span holds no moment.",
        );
    }
    if input.seed.as_deref().is_some_and(|seed| seed.trim().is_empty()) {
        reading.wrong(
            "seed",
            "empty",
            "A seed has at least one character; leave it out for the root of the log.",
        );
    }
}

/// The changes whose work began in the span, as control reports count them, each with its stratum: what is not closed is in one of
/// its own, so that nothing is kept out of a sample by leaving it open. A change of several services is in one stratum of each.
fn population(cx: &mut Context<'_, '_>, input: &AuditSampleInput) -> Result<Vec<Candidate>> {
    let services: Vec<Option<String>> = match input.services.is_empty() {
        true => vec![None],
        false => input.services.iter().map(|it| Some(it.to_string())).collect(),
    };
    let mut found = Vec::new();
    for service in services {
        let filter = ChangeFilter {
            service: service.clone(),
            ..ChangeFilter::default()
        };
        let mut after = None;
        loop {
            let page = find_changes(cx, &filter, BATCH, after)?;
            let is_wanted = |kind: &str, risk: &str| {
                (input.kinds.is_empty() || input.kinds.iter().any(|it| it.as_str() == kind))
                    && (input.risks.is_empty() || input.risks.iter().any(|it| it.as_str() == risk))
            };
            // What did not change since the begin of the span began before it.
            let rows = page.rows.iter().map(|(row, _)| row);
            let rows: Vec<&ChangeRow> = rows
                .filter(|row| row.updated_at >= input.from && is_wanted(&row.kind, &row.risk))
                .collect();
            let begun = begun(cx, &rows, input)?;
            for row in rows.into_iter().filter(|row| begun.contains(&row.key)) {
                let of_service = service.as_ref().map(|it| format!(", {it}")).unwrap_or_default();
                let of_state = match row.state.as_str() {
                    "closed" => String::new(),
                    state => format!(", {state}"),
                };
                let stratum = format!("{}, {} risk{of_state}{of_service}", row.kind, row.risk);
                found.push(Candidate {
                    key: row.key.clone(),
                    stratum,
                });
            }
            if found.len() > MOST_CHANGES {
                let text = format!("The population has more than {MOST_CHANGES} changes; choose a shorter span.");
                return Err(Refusal::field("from", "too_many", text).into());
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// What says when the work of a change began.
#[derive(Deserialize)]
struct Begun {
    key: String,
    #[serde(default)]
    actual_start: Option<Timestamp>,
}

/// The keys of those changes whose work began in the span.
fn begun(cx: &mut Context<'_, '_>, rows: &[&ChangeRow], input: &AuditSampleInput) -> Result<BTreeSet<String>> {
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let filter = Filter::new().one_of("id", rows.iter().map(|row| row.id.as_str()));
    let is_begun = |it: &Begun| it.actual_start.is_some_and(|at| at >= input.from && at < input.to);
    let changes = record::parts::<Change, Begun>(cx.tx, &filter)?;
    Ok(changes.into_iter().filter(is_begun).map(|it| it.key).collect())
}

impl PlainNoun for AuditConclusion {
    type Input = AuditConclusionInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(cx: &mut Context<'_, '_>, input: AuditConclusionInput, mut reading: Reading<'_>) -> Result<Self> {
        let sample = open_sample(cx, &mut reading, &input)?;
        reading.finish()?;
        let key = input.change.to_uppercase();
        check_independent(cx, &key)?;
        if conclusions(cx, &sample)?.iter().any(|it| it.change == key) {
            let text = format!("{key} has a conclusion in this sample already.");
            return Err(Refusal::not_now("concluded", text, "Its author may change it.", Vec::new()).into());
        }
        let answers = answers(cx, &sample, &key, &input.answers)?;
        let conclusion = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            sample: input.sample,
            change: key,
            verdict: needed(input.verdict)?,
            text: input.text,
            answers,
            by: cx.actor.person.clone(),
            at: cx.now,
            reviewed_by: None,
            reviewed_at: None,
        };
        let data = json!({"change": conclusion.change, "verdict": conclusion.verdict});
        cx.put_estate("audit_conclusion.added", conclusion, data)
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: AuditConclusionInput, mut reading: Reading<'_>) -> Result<Self> {
        for (field, is_other) in [
            ("sample", input.sample != self.sample),
            ("change", input.change != self.change),
        ] {
            if is_other {
                reading.wrong(field, "fixed", "A conclusion stays with its sample and its change.");
            }
        }
        let sample = open_sample(cx, &mut reading, &input)?;
        reading.finish()?;
        if self.by != cx.actor.person {
            return Err(Refusal::not_allowed("not_author", "Only its author changes a conclusion.").into());
        }
        if self.reviewed_at.is_some() {
            let text = "The conclusion was reviewed.";
            return Err(Refusal::not_now("reviewed", text, "Draw another sample to conclude anew.", Vec::new()).into());
        }
        let answers = answers(cx, &sample, &self.change, &input.answers)?;
        let edited = Self {
            verdict: needed(input.verdict)?,
            text: input.text,
            answers,
            at: cx.now,
            ..self
        };
        let data = json!({"change": edited.change, "verdict": edited.verdict});
        cx.put_estate("audit_conclusion.edited", edited, data)
    }
}

fn needed<T>(value: Option<T>) -> Result<T> {
    Ok(value.ok_or_else(|| Refusal::field("verdict", "missing", "`verdict` is missing."))?)
}

/// The answers to the questions of the sample's control about a change: those that were given, else those of the log as it was
/// when the sample was drawn, judged as of the end of the span.
fn answers(cx: &mut Context<'_, '_>, sample: &Option<AuditSample>, key: &str, said: &[String]) -> Result<Vec<String>> {
    let Some(sample) = sample else {
        return Ok(Vec::new());
    };
    let mut controls = FRAMEWORKS.iter().flat_map(|framework| framework.controls);
    let rules = controls
        .find(|it| it.id == sample.control)
        .map_or(&[][..], |it| it.rules);
    let change = cx.change(key)?;
    let facts = facts_of(cx, &change, sample.log_size)?;
    let of_log = |rule: &Rule| match &facts {
        Some(facts) if (rule.find)(facts, sample.to).is_some() => AuditAnswer::Exception,
        Some(facts) if (rule.applies)(facts) => AuditAnswer::Held,
        _ => AuditAnswer::NotApplicable,
    };
    let asked: Vec<(&str, AuditAnswer)> = rules
        .iter()
        .filter_map(|id| rule(id))
        .map(|it| (it.id, of_log(it)))
        .collect();
    Ok(answered(said, &asked).map_err(|why| Refusal::field("answers", "unknown", why))?)
}

/// The sample that a conclusion is about, open and with this change.
fn open_sample(
    cx: &mut Context<'_, '_>,
    reading: &mut Reading<'_>,
    input: &AuditConclusionInput,
) -> Result<Option<AuditSample>> {
    let found = AuditSample::found(cx, &input.sample)?;
    match &found {
        None => reading.wrong("sample", "unknown", format!("There is no sample `{}`.", input.sample)),
        Some(sample) if !sample.is_open() => {
            reading.wrong("sample", "not_open", "The sample is signed or withdrawn.");
        }
        Some(sample) if !sample.changes.contains(&input.change.to_uppercase()) => {
            reading.wrong(
                "change",
                "not_in_sample",
                format!("`{}` is not in the sample.", input.change),
            );
        }
        Some(_) => {}
    }
    Ok(found)
}

/// Refuses an auditor who had a part in the change.
fn check_independent(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    let (change, person) = (cx.change(key)?, cx.actor.person.clone());
    let Some(part) = part_in(cx, &change, &person)? else {
        return Ok(());
    };
    let name = cx.directory()?.name(&person);
    let text = format!("{name} {part} {key}, so they are not independent of it.");
    Err(Refusal::not_allowed("not_independent", text).into())
}

/// The conclusions of a sample, by change.
///
/// # Errors
/// The store's.
pub(crate) fn conclusions(cx: &mut Context<'_, '_>, sample: &Option<AuditSample>) -> Result<Vec<AuditConclusion>> {
    let Some(sample) = sample else {
        return Ok(Vec::new());
    };
    let filter = Filter::new().equals("sample", sample.id.as_str()).order_by("id");
    let mut found = record::bodies::<AuditConclusion>(cx.tx, &filter)?;
    found.sort_by(|one, other| one.change.cmp(&other.change));
    Ok(found)
}

/// Reviews a conclusion of another auditor (`POST /audit-conclusions/{id}/review`).
///
/// # Errors
/// 403 for its author or somebody who had a part in the change; 404; 409 once reviewed or signed; the store's.
pub fn review_conclusion(cx: &mut Context<'_, '_>, id: &str) -> Result<AuditConclusion> {
    cx.allow(actions::AUDIT)?;
    let found = noun::show::<AuditConclusion>(cx, id)?;
    let directory = cx.directory()?;
    if is_one(cx, &directory, &found.by) {
        return Err(Refusal::not_allowed("own_conclusion", "Another auditor reviews a conclusion.").into());
    }
    check_independent(cx, &found.change)?;
    let is_open = AuditSample::found(cx, &found.sample)?.is_some_and(|sample| sample.is_open());
    if found.reviewed_at.is_some() || !is_open {
        let text = "The conclusion was reviewed already, or its sample is signed or withdrawn.";
        return Err(Refusal::not_now("not_open", text, "Nothing is left to do.", Vec::new()).into());
    }
    let reviewed = AuditConclusion {
        reviewed_by: Some(cx.actor.person.clone()),
        reviewed_at: Some(cx.now),
        ..found
    };
    let data = json!({"change": reviewed.change});
    cx.put_estate("audit_conclusion.reviewed", reviewed, data)
}

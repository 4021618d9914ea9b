//! Draws samples of changes and records the conclusions of auditors.

use std::sync::Arc;

use jiff::Timestamp;
use model::audit::audit_conclusion::{AuditConclusion, AuditConclusionInput, merged_results};
use model::audit::audit_sample::{AuditSample, AuditSampleInput, MOST_SAMPLES, size};
use model::audit::draw::{self, Candidate, Drawn};
use model::compliance::control_report::rows::Member;
use model::compliance::framework::FRAMEWORKS;
use model::compliance::violation::{Rule, rule};
use model::core::act::actions;
use model::core::enums::{AuditAnswer, State};
use model::core::ids::{PersonId, RecordId, ServiceKey};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::scope::Scope;
use proof::crypto::digest_text;
use serde_json::json;
use store::record::{self, Filter};

use crate::audit::find_timeline;
use crate::compliance::change_facts::facts_of;
use crate::compliance::sample_population::read_begun;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun};
use crate::core::services::Begun;
use crate::emergency::outside_look::part_in;
use crate::guard::self_grant::is_one;

/// The most changes of a population.
const MOST_CHANGES: usize = 100_000;

impl PlainNoun for AuditSample {
    type Input = AuditSampleInput;
    const READS_FIRST: bool = true;

    fn read_first(cx: &mut Context<'_, '_>) -> Result<()> {
        let begun = read_begun(cx)?;
        cx.services.keep_begun(&cx.tenant(), begun);
        Ok(())
    }

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
        check_input(&mut reading, &input, cx.now);
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST_SAMPLES {
            let text = format!("{MOST_SAMPLES} samples are in use.");
            return Err(Refusal::not_now("too_many", text, "Withdraw one that is not signed.", Vec::new()).into());
        }
        let begun = begun(cx, input.to)?;
        let population = population(&begun, &input, cx.scope()?.as_ref())?;
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
            log_size: i64::try_from(begun.size).ok(),
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

fn check_input(reading: &mut Reading<'_>, input: &AuditSampleInput, now: Timestamp) {
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
            "`to` must be later than `from`: the period is empty.",
        );
    }
    if input.to > now {
        let text = "`to` is in the future: changes whose work has not begun cannot be sampled. Use a time in the past.";
        reading.wrong("to", "in_the_future", text);
    }
    if input.seed.as_deref().is_some_and(|seed| seed.trim().is_empty()) {
        reading.wrong(
            "seed",
            "empty",
            "A seed needs at least one character; omit it to use the root hash of the log.",
        );
    }
}

/// The changes whose work began in the span, as control reports count them, each with its stratum. Changes that are not
/// closed are in a stratum of their own, so that an open change cannot avoid a sample. A change of several services is
/// in one stratum of each.
fn population(begun: &Begun, input: &AuditSampleInput, scope: Option<&Scope>) -> Result<Vec<Candidate>> {
    // An actor with a scope samples only changes that are wholly inside the scope.
    let is_inside = |it: &Member| {
        scope.is_none_or(|scope| !it.services.is_empty() && it.services.iter().all(|service| scope.has(service)))
    };
    let is_wanted = |it: &&Member| {
        (input.from..input.to).contains(&it.started_at)
            && (input.kinds.is_empty() || input.kinds.contains(&it.kind))
            && (input.risks.is_empty() || it.risk.is_some_and(|level| input.risks.contains(&level)))
            && is_inside(it)
    };
    let mut found = Vec::new();
    for it in begun.members.iter().filter(is_wanted) {
        let risk = it.risk.map_or("unknown", |level| level.as_str());
        let of_state = match it.state {
            State::Closed => String::new(),
            state => format!(", {state}"),
        };
        let stratum = format!("{}, {risk} risk{of_state}", it.kind);
        let is_asked = |service: &&String| input.services.contains(&ServiceKey::from(service.as_str()));
        if input.services.is_empty() {
            found.push(Candidate {
                key: it.key.clone(),
                stratum,
            });
        } else {
            found.extend(it.services.iter().filter(is_asked).map(|service| Candidate {
                key: it.key.clone(),
                stratum: format!("{stratum}, {service}"),
            }));
        }
        if found.len() > MOST_CHANGES {
            let text = format!("The population has more than {MOST_CHANGES} changes; choose a shorter span.");
            return Err(Refusal::field("from", "too_many", text).into());
        }
    }
    Ok(found)
}

/// The part of the log that was read a moment ago, otherwise its present content: a span that ends after that reading needs
/// another one.
fn begun(cx: &mut Context<'_, '_>, to: Timestamp) -> Result<Arc<Begun>> {
    match cx.services.begun(&cx.tenant(), cx.now).filter(|it| to <= it.at) {
        Some(found) => Ok(found),
        None => Ok(Arc::new(read_begun(cx)?)),
    }
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
        let answers = question_results(cx, &sample, &key, &input.answers)?;
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
            return Err(Refusal::not_allowed("not_author", "Only its author can change a conclusion.").into());
        }
        if self.reviewed_at.is_some() {
            let text = "The conclusion was reviewed.";
            return Err(Refusal::not_now(
                "reviewed",
                text,
                "Draw another sample to record a new conclusion.",
                Vec::new(),
            )
            .into());
        }
        let answers = question_results(cx, &sample, &self.change, &input.answers)?;
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

/// The results for the questions of the sample's control about a change: the given ones, otherwise those of the log at
/// the time of the sample, evaluated as of the end of the span.
fn question_results(
    cx: &mut Context<'_, '_>,
    sample: &Option<AuditSample>,
    key: &str,
    said: &[String],
) -> Result<Vec<String>> {
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
    Ok(merged_results(said, &asked).map_err(|why| Refusal::field("answers", "unknown", why))?)
}

/// The sample of a conclusion, open and with this change.
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

/// Refuses an auditor with a part in the change.
fn check_independent(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    let (change, directory) = (cx.change(key)?, cx.directory()?);
    // What was done by an account that counts as one with the acting person's was done by themselves.
    let people = directory.people.values().map(|it| &it.id);
    let mine: Vec<PersonId> = people.filter(|it| is_one(cx, &directory, it)).cloned().collect();
    for person in mine {
        if let Some(part) = part_in(cx, &change, &person)? {
            let name = directory.name(&person);
            let text = format!("{name} {part} {key}, so they are not independent of it.");
            return Err(Refusal::not_allowed("not_independent", text).into());
        }
    }
    Ok(())
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
/// 403 for its author or a person with a part in the change; 404; 409 once reviewed or signed; the store's.
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

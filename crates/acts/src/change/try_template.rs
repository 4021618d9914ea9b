//! Trials of templates: the template that a use follows, and the result of a trial. Also feedback from operations on
//! omissions in a template.

use jiff::Timestamp;
use model::change::record::Change;
use model::change::template::feedback::{TemplateFeedback, TemplateFeedbackInput};
use model::change::template::trial::{
    MOST, Side, TemplateTrial, TemplateTrialInput, TrialVerdict, difference, is_in_variant, verdict,
};
use model::core::body::Body;
use model::core::enums::{AboutKind, ActionKind, OwnershipRole, State, TemplatePart, TemplateState};
use model::core::ids::RecordId;
use model::core::parse::{Reading, nearest};
use model::core::refusal::Refusal;
use model::directory::records::StandardTemplate;
use model::directory::snapshot::Directory;
use model::notify::action_item::{About, NewItem, Owner};
use model::report::template_rework::Reworked;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::change::propose_variant;
use crate::change::set_template::propose_template;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::core::write::{Versioned, Written, draft};
use crate::notify::action_items::{find, settle_by_rule};
use crate::report::find_rework::{find_uses, rework_of};

fn keep<R: Versioned>(cx: &mut Context<'_, '_>, kind: &'static str, record: R, data: Value) -> Result<R> {
    let mut written = Written::default();
    let saved = cx.put(&mut written, record)?;
    let subject = (R::TABLE, saved.id().to_owned());
    cx.emit(vec![draft(kind, subject, cx.now, data)], written)?;
    Ok(saved)
}

impl PlainNoun for TemplateTrial {
    type Input = TemplateTrialInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().equals("active", true).order_by("template").order_by("id");
        Ok(record::bodies::<Self>(cx.tx, &filter.limit(MOST as i64))?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: TemplateTrialInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let running = Self::listed(cx)?;
        let both = check(&mut reading, &input, &directory, (&running, cx.now));
        reading.finish()?;
        let Some((template, variant)) = both else {
            return Err(Refusal::not_found("template").into());
        };
        if running.len() >= MOST {
            let text = format!("{MOST} trials are running, which is the limit.");
            return Err(Refusal::not_now("too_many", text, "End one first.", Vec::new()).into());
        }
        let trial = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            template: template.key.clone(),
            variant: variant.key.clone(),
            template_version: template.template_version,
            variant_version: variant.template_version,
            started_at: cx.now,
            ended_at: None,
            by: cx.actor.person.clone(),
            active: true,
        };
        keep(cx, "template_trial.added", trial, json!({}))
    }

    /// A variant with less rework is proposed as the next version of the template, in the name of the person who ends
    /// the trial.
    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self {
            active: false,
            ended_at: Some(cx.now),
            ..self
        };
        let sides = sides_of(cx, &ended)?;
        let found = verdict(sides.template, sides.variant);
        let mut data = json!({});
        if found == TrialVerdict::Keep
            && let Some(next) = propose_next(cx, &ended)?
        {
            data["proposed_version"] = json!(next.template_version);
        }
        for told in DECIDED {
            let part = told.as_str();
            settle_by_rule(cx, ActionKind::Improve, &about(&ended), part, "The trial ended.")?;
        }
        keep(cx, "template_trial.ended", ended, data)
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        for (trial, value) in records.iter().zip(values) {
            value["result"] = result_of(cx, trial)?;
        }
        Ok(())
    }
}

/// The two templates of a trial, if they may be compared.
fn check<'d>(
    reading: &mut Reading<'_>,
    input: &TemplateTrialInput,
    directory: &'d Directory,
    (running, now): (&[TemplateTrial], Timestamp),
) -> Option<(&'d StandardTemplate, &'d StandardTemplate)> {
    let mut found = Vec::new();
    for (field, key) in [("template", &input.template), ("variant", &input.variant)] {
        if key.is_empty() {
            continue;
        }
        let Some(template) = directory.templates.get(key.as_str()) else {
            let known: Vec<&str> = directory.templates.keys().map(String::as_str).collect();
            let hint = nearest(key, &known)
                .map(|it| format!(" Did you mean `{it}`?"))
                .unwrap_or_default();
            reading.wrong(field, "unknown", format!("There is no template `{key}`.{hint}"));
            continue;
        };
        if template.state != TemplateState::Approved || template.review_by <= now {
            let text =
                format!("The template `{key}` is not approved, or past its review date; two people approve it first.");
            reading.wrong(field, "not_approved", text);
        }
        if running.iter().any(|it| it.template == *key || it.variant == *key) {
            reading.wrong(
                field,
                "not_unique",
                format!("A trial of `{key}` runs already; end that one first."),
            );
        }
        found.push(template);
    }
    let [template, variant] = found.as_slice() else {
        return None;
    };
    if template.key == variant.key {
        reading.wrong(
            "variant",
            "not_unique",
            "`variant` must be a different template from `template`.",
        );
    }
    if template.services != variant.services || template.environments != variant.environments {
        let text = "A variant must be for the same services and environments as the template.";
        reading.wrong("variant", "differs", text);
    }
    Some((template, variant))
}

/// The uses of both sides of a trial.
struct Sides {
    template: Side,
    variant: Side,
    /// Whether every use was read.
    is_whole: bool,
}

fn sides_of(cx: &mut Context<'_, '_>, trial: &TemplateTrial) -> Result<Sides> {
    let until = trial.ended_at.unwrap_or(cx.now);
    let keys = [trial.template.as_str(), trial.variant.as_str()];
    let uses = find_uses(cx, &keys, (trial.started_at, until))?;
    let (mut template, mut variant) = (Side::default(), Side::default());
    for change in &uses.changes {
        let rework: Reworked = rework_of(cx, change)?;
        if !rework.is_submitted {
            continue;
        }
        let side = if is_in_variant(change) {
            &mut variant
        } else {
            &mut template
        };
        side.uses += 1;
        side.reworked += u64::from(rework.is_any());
    }
    Ok(Sides {
        template,
        variant,
        is_whole: uses.is_whole,
    })
}

/// The present or final result of a trial.
fn result_of(cx: &mut Context<'_, '_>, trial: &TemplateTrial) -> Result<Value> {
    let sides = sides_of(cx, trial)?;
    let (template, variant) = (sides.template, sides.variant);
    let mut value = json!({
        "template": template, "variant": variant, "verdict": verdict(template, variant).as_str(), "is_whole": sides.is_whole,
    });
    if let Some(it) = difference(template, variant) {
        value["difference_ppm"] = json!(it.value);
        value["low_ppm"] = json!(it.low);
        value["high_ppm"] = json!(it.high);
    }
    Ok(value)
}

/// Proposes the variant's content as the next version of the template; `None` if either is no longer the version that
/// was tried, or if another version waits already.
fn propose_next(cx: &mut Context<'_, '_>, trial: &TemplateTrial) -> Result<Option<StandardTemplate>> {
    let directory = cx.directory()?;
    let Some((template, variant)) = both_as_tried(&directory, trial) else {
        return Ok(None);
    };
    let is_good = |it: &StandardTemplate| it.state == TemplateState::Approved && it.review_by > cx.now;
    if !is_good(template) || !is_good(variant) || template.next.is_some() {
        return Ok(None);
    }
    let named = (template.key.clone(), template.title.clone());
    let request = propose_variant::request(variant, &directory, named, &[])?;
    propose_template(cx, &request).map(Some)
}

/// The final verdicts, which are reported.
const DECIDED: [TrialVerdict; 2] = [TrialVerdict::Keep, TrialVerdict::Drop];

fn about(trial: &TemplateTrial) -> About {
    About::new(AboutKind::Other, format!("template-trial {}", trial.id))
}

/// Whether an item reported the trial's verdict already.
fn is_reported(cx: &mut Context<'_, '_>, trial: &TemplateTrial) -> Result<bool> {
    for told in DECIDED {
        if find(cx, ActionKind::Improve, &about(trial), told.as_str())?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The items about trials whose interval no longer contains zero, for the proposers of their templates; one for each
/// trial.
///
/// # Errors
/// The store's.
pub(crate) fn find_decided(cx: &mut Context<'_, '_>) -> Result<Vec<NewItem>> {
    let directory = cx.directory()?;
    let mut found = Vec::new();
    for trial in TemplateTrial::listed(cx)? {
        if is_reported(cx, &trial)? {
            continue;
        }
        let sides = sides_of(cx, &trial)?;
        let template = directory.templates.get(trial.template.as_str());
        let owner = template.map_or(Owner::ChangeManagers, |it| Owner::Person(it.proposer.clone()));
        found.extend(decided(cx, &trial, &sides).map(|item| NewItem { owner, ..item }));
    }
    Ok(found)
}

fn decided(cx: &Context<'_, '_>, trial: &TemplateTrial, sides: &Sides) -> Option<NewItem> {
    let (template, variant) = (sides.template, sides.variant);
    let found = verdict(template, variant);
    let (key, name) = (&trial.template, &trial.variant);
    let (title, next) = match found {
        TrialVerdict::Keep => (
            format!("The variant {name} of {key} is reworked less often"),
            "End the trial: the variant is then proposed as the next version.",
        ),
        TrialVerdict::Drop => (
            format!("The variant {name} of {key} is reworked more often"),
            "End the trial, and retire the variant.",
        ),
        TrialVerdict::Unclear | TrialVerdict::NotEnough => return None,
    };
    let it = difference(template, variant)?;
    let (low, high) = (points(it.low), points(it.high));
    let text = format!(
        "{} of {} uses of the template were reworked, and {} of {} of the variant. The difference lies between {low} and {high} \
         percentage points. {next}",
        template.reworked, template.uses, variant.reworked, variant.uses
    );
    let page = format!("{}/t/{}/template-trials", cx.services.tools().public_url, cx.tenant());
    Some(NewItem {
        part: found.as_str().to_owned(),
        text: Some(text),
        links: vec![page],
        ..NewItem::new(ActionKind::Improve, about(trial), title)
    })
}

/// Parts per million as percentage points with one decimal place.
fn points(ppm: i64) -> String {
    let sign = if ppm < 0 { "-" } else { "" };
    let tenths = ppm.unsigned_abs() / 1_000;
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

/// Lets a request follow the variant of its template, if a trial runs and the digest of the change's id selects the
/// variant. A request that fills in a field which the variant locks follows the variant if the value equals the locked
/// one; the field is then left out. Otherwise the request stays with the template, and still counts on the side of the
/// variant. A delivery keeps the template of its mapping, because nobody is there to choose another.
///
/// # Errors
/// 422 for a request that names a variant on trial; the store's.
pub(crate) fn assign(cx: &mut Context<'_, '_>, id: &str, body: &mut Body, is_delivered: bool) -> Result<()> {
    let Some(key) = body.get("template").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(());
    };
    let running = |column: &'static str| {
        Filter::new()
            .equals("active", true)
            .equals(column, key.as_str())
            .order_by("id")
            .limit(1)
    };
    let tried = record::bodies::<TemplateTrial>(cx.tx, &running("variant"))?.pop();
    if let Some(trial) = tried.filter(|_| !is_delivered) {
        let text = format!(
            "`{key}` is on trial as a variant of `{0}`. Use `{0}`; half of its uses follow the variant.",
            trial.template
        );
        return Err(Refusal::field("template", "on_trial", text).into());
    }
    let Some(trial) = record::bodies::<TemplateTrial>(cx.tx, &running("template"))?.pop() else {
        return Ok(());
    };
    if is_in_variant(id)
        && let Some(left_out) = follows(&*cx.directory()?, &trial, body, cx.now)
    {
        for field in &left_out {
            body.remove(field);
        }
        body.insert("template".to_owned(), Value::String(trial.variant));
    }
    Ok(())
}

/// The fields that a request leaves out to follow the variant, because their values equal the locked ones; `None` if
/// the request stays with the template.
fn follows(directory: &Directory, trial: &TemplateTrial, body: &Body, now: Timestamp) -> Option<Vec<String>> {
    let (template, variant) = both_as_tried(directory, trial)?;
    if variant.state != TemplateState::Approved || variant.review_by <= now {
        return None;
    }
    let closed = template.free.iter().filter(|field| !variant.free.contains(*field));
    let said = closed.filter_map(|field| Some((field, body.get(field)?)));
    said.map(|(field, value)| equals_locked(value, variant.locked.get(field)).then(|| field.clone()))
        .collect()
}

/// The template and the variant, if both are unchanged since the trial began.
fn both_as_tried<'d>(
    directory: &'d Directory,
    trial: &TemplateTrial,
) -> Option<(&'d StandardTemplate, &'d StandardTemplate)> {
    let template = directory.templates.get(trial.template.as_str())?;
    let variant = directory.templates.get(trial.variant.as_str())?;
    let is_same =
        template.template_version == trial.template_version && variant.template_version == trial.variant_version;
    is_same.then_some((template, variant))
}

/// Whether a value equals the locked one, apart from blanks around a text.
fn equals_locked(value: &Value, locked: Option<&Value>) -> bool {
    match (value, locked) {
        (Value::String(text), Some(Value::String(locked))) => text.trim() == locked.trim(),
        (value, locked) => locked == Some(value),
    }
}

impl PlainNoun for TemplateFeedback {
    type Input = TemplateFeedbackInput;

    /// The newest 200.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().descending_by("id").limit(MOST_LISTED);
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(cx: &mut Context<'_, '_>, input: TemplateFeedbackInput, mut reading: Reading<'_>) -> Result<Self> {
        let part = input.part.unwrap_or(TemplatePart::Nothing);
        if reading.says("part") && part != TemplatePart::Nothing && input.text.as_deref().is_none_or(str::is_empty) {
            reading.wrong("text", "missing", "`text` must state what was missing.");
        }
        reading.finish()?;
        let key = input.change.to_uppercase();
        let change = cx.change(&key)?;
        let Some(template) = change.content.template.clone() else {
            let text = format!("{key} follows no template, so nothing can be missing in one.");
            return Err(Refusal::field("change", "no_template", text).into());
        };
        if change.state != State::Closed {
            let text = format!("{key} has not closed yet.");
            return Err(Refusal::not_now("not_closed", text, "Answer once the change has closed.", Vec::new()).into());
        }
        check_operations(cx, &change)?;
        let known = Filter::new().equals("change_key", change.key.as_str());
        if record::count::<Self>(cx.tx, &known)? > 0 {
            let text = format!("The question was answered for {key} already.");
            return Err(
                Refusal::not_now("answered", text, "Read that answer; a comment adds to it.", Vec::new()).into(),
            );
        }
        let feedback = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            change: change.key.clone(),
            template: template.key,
            template_version: template.template_version,
            part,
            text: input.text.filter(|text| !text.is_empty()),
            by: cx.actor.person.clone(),
            at: cx.now,
        };
        keep(cx, "template_feedback.added", feedback, json!({"change": change.key}))
    }
}

/// The most feedback entries in a list.
const MOST_LISTED: i64 = 200;

/// Refuses feedback from a person who had no part in the work: implementers, the requester, the owner, and the owners
/// of its services may give it.
fn check_operations(cx: &mut Context<'_, '_>, change: &Change) -> Result<()> {
    let directory = cx.directory()?;
    let me = &cx.actor.person;
    let mut people: Vec<_> = change.content.implementers.to_vec();
    people.extend([change.requester.clone(), change.content.owner.clone()]);
    for target in &change.content.targets {
        let holders = directory.holders(&target.service, &target.environment, OwnershipRole::Owner, cx.now);
        people.extend(holders.into_iter().map(|it| it.person));
    }
    if people.contains(me) {
        return Ok(());
    }
    let mut others: Vec<String> = people.iter().map(|person| directory.login(person)).collect();
    others.sort_unstable();
    others.dedup();
    let refusal = Refusal::not_allowed(
        "not_operations",
        "Only the people who did the work can answer what was missing.",
    );
    Err(refusal.with_others(others).into())
}

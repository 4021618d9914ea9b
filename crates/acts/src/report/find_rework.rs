//! Finds the rework of changes from a template: fields edited after submission, edits in response to a return, steps that went
//! otherwise than planned, and parts that operations missed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::change::read_content::present;
use model::change::record::Change;
use model::change::related_records::{Approval, Entry};
use model::change::template::feedback::TemplateFeedback;
use model::change::template::proposal::{DROPPABLE, FieldEdit, LOCKABLE, Observed, propose};
use model::change::work::MOST_ENTRIES;
use model::core::act::actions::READ;
use model::core::enums::Decision;
use model::core::refusal::Refusal;
use model::directory::records::StandardTemplate;
use model::directory::scope;
use model::directory::snapshot::Directory;
use model::report::change_outcome::ChangeOutcome;
use model::report::statistics::{Estimate, share};
use model::report::step_rework::{StepCounts, StepRework};
use model::report::template_rework::{QuestionGroup, ReturnQuestion, Reworked, Step, by_field, grouped, read};
use proof::event::Event;
use serde_json::Value;
use store::audit::event;
use store::record::{self, Filter};
use store::report::change_outcome;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_figures::MOST_CHANGES;

/// The most uses that are examined, the newest.
pub const MOST_USES: usize = 500;
/// How far back the report on a template looks, in days.
pub const DAYS: i64 = 365;
/// The most feedback entries of operations that are counted, the newest.
const MOST_ANSWERS: i64 = 500;

/// Changes from templates.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    /// Their ids, the newest first.
    pub changes: Vec<String>,
    /// Whether these are all of the window.
    pub is_whole: bool,
}

/// The changes that were created in a window and follow one of some templates, from the projection of the log.
///
/// # Errors
/// The store's.
pub fn find_uses(cx: &mut Context<'_, '_>, templates: &[&str], (from, to): (Timestamp, Timestamp)) -> Result<Uses> {
    let most = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX);
    // The list ends before its last time, and both ends of this window count.
    let behind = to.checked_add(SignedDuration::from_millis(1)).unwrap_or(to);
    let stored = change_outcome::list(cx.tx, from, behind, most)?;
    let mut rows = Vec::new();
    for row in stored.iter().filter(|row| row.created_at >= from) {
        let outcome: ChangeOutcome = serde_json::from_str(&row.body)?;
        if outcome.template.as_deref().is_some_and(|key| templates.contains(&key)) {
            rows.push((row.number, outcome.change));
        }
    }
    rows.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let is_whole = rows.len() <= MOST_USES;
    rows.truncate(MOST_USES);
    Ok(Uses {
        changes: rows.into_iter().map(|(_, change)| change).collect(),
        is_whole,
    })
}

/// The rework of one change, by its id.
///
/// # Errors
/// The store's.
pub fn rework_of(cx: &mut Context<'_, '_>, change: &str) -> Result<Reworked> {
    let mut steps = Vec::new();
    for stored in event::of_subject(cx.tx, "change", change)? {
        match stored.kind.as_str() {
            "change.submitted" => steps.push(Step::Submitted),
            "change.returned" => steps.push(Step::Returned),
            "change.edited" => steps.extend(edited(&stored.bytes)),
            _ => {}
        }
    }
    Ok(read(&steps))
}

/// The fields of an edit that some digest covers.
fn edited(bytes: &[u8]) -> Option<Step> {
    let data = Event::from_bytes(bytes).ok()?.data;
    let is_covered = |name: &str| data.get(name) == Some(&Value::Bool(true));
    if !is_covered("what") && !is_covered("when") {
        return None;
    }
    let fields = data.get("fields").and_then(Value::as_array)?.iter();
    Some(Step::Edited(
        fields.filter_map(|it| it.as_str().map(str::to_owned)).collect(),
    ))
}

/// The report on a template.
#[derive(Debug, Clone, Default)]
pub struct TemplateReport {
    /// Submitted uses in the last year, at most [`MOST_USES`].
    pub uses: u64,
    /// Of them, those that were reworked.
    pub reworked: u64,
    /// The share of these with its interval, in parts per million.
    pub share: Option<Estimate>,
    /// How often a change was returned with a question.
    pub returned: u64,
    /// Each field with how many uses reworked it, and how many returns its edit resolved; the most first.
    pub fields: Vec<(String, u64, u64)>,
    /// The steps of the present version that were skipped or noted with an issue or a deviation in some use; the most first.
    pub steps: Vec<StepRework>,
    /// The parts of the template that operations missed; the most first.
    pub missing: Vec<(String, u64)>,
    /// The questions with which changes were returned, by the fields that resolved them; the most frequent first.
    pub questions: Vec<QuestionGroup>,
    /// The diff of the template that its uses suggest.
    pub proposal: Vec<FieldEdit>,
    /// Whether every use of the year was examined.
    pub is_whole: bool,
}

/// Reports on a template.
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_template_report(cx: &mut Context<'_, '_>, key: &str) -> Result<TemplateReport> {
    cx.allow(READ)?;
    if cx.scope()?.is_some() {
        return Err(scope::refusal().into());
    }
    let directory = cx.directory()?;
    let Some(template) = directory.templates.get(key) else {
        return Err(Refusal::not_found(format!("template {key}")).into());
    };
    let from = cx.now - SignedDuration::from_hours(24 * DAYS);
    let uses = find_uses(cx, &[key], (from, cx.now))?;
    let (mut all, mut asked) = (Vec::new(), Vec::new());
    let (mut observed, mut steps) = (Observed::default(), StepCounts::default());
    for change in &uses.changes {
        let rework = rework_of(cx, change)?;
        if rework.is_submitted {
            let seen = (&mut observed, &mut steps);
            observe(cx, (template, &*directory), (change, &rework), seen)?;
            asked.extend(questions_of(cx, change, &rework)?);
            all.push(rework);
        }
    }
    let fields = by_field(&all);
    let missing = missing(cx, key)?;
    observed.missing = missing
        .iter()
        .filter_map(|(part, answers)| Some((part.parse().ok()?, *answers)))
        .collect();
    let (count, reworked) = (all.len() as u64, all.iter().filter(|it| it.is_any()).count() as u64);
    Ok(TemplateReport {
        uses: count,
        reworked,
        share: share(reworked, count),
        returned: all.iter().map(|it| it.returned.len() as u64).sum(),
        fields,
        steps: steps.reworked(),
        missing,
        questions: grouped(&asked),
        proposal: propose(template, &observed),
        is_whole: uses.is_whole,
    })
}

/// The questions with which a change was returned, in their order, each with the fields that resolved it.
fn questions_of(cx: &mut Context<'_, '_>, change: &str, rework: &Reworked) -> Result<Vec<ReturnQuestion>> {
    if rework.returned.is_empty() {
        return Ok(Vec::new());
    }
    let Some(stored) = record::load::<Change>(cx.tx, change)? else {
        return Ok(Vec::new());
    };
    let of_change = Filter::new().equals("change_id", change).order_by("id");
    let decisions = record::bodies::<Approval>(cx.tx, &of_change)?;
    let questions = decisions.into_iter().filter(|it| it.decision == Decision::Return);
    let texts = questions
        .map(|it| it.comment.unwrap_or_default())
        .chain(std::iter::repeat(String::new()));
    let one = |(answered, question): (&BTreeSet<String>, String)| ReturnQuestion {
        change: stored.record.key.clone(),
        question,
        answered: answered.clone(),
    };
    Ok(rework.returned.iter().zip(texts).map(one).collect())
}

/// Counts a use of the present version: its values in the fields that the template leaves free, its rework, and how the steps
/// of its plan went. The values for an earlier version do not count for this one.
fn observe(
    cx: &mut Context<'_, '_>,
    (template, directory): (&StandardTemplate, &Directory),
    (change, rework): (&str, &Reworked),
    (observed, steps): (&mut Observed, &mut StepCounts),
) -> Result<()> {
    let Some(stored) = record::load::<Change>(cx.tx, change)? else {
        return Ok(());
    };
    let change = stored.record;
    let pinned = change.content.template.as_ref();
    let is_present = pinned.is_some_and(|it| it.template_version == template.template_version);
    if !is_present || change.has_lost_texts() {
        return Ok(());
    }
    observed.uses += 1;
    if change.actual_start.is_some() {
        let of_change = Filter::new()
            .equals("change_id", change.id.as_str())
            .order_by("id")
            .limit(MOST_ENTRIES);
        let entries = record::bodies::<Entry>(cx.tx, &of_change)?;
        observed.deviated += u64::from(steps.note(&change.content.plan, &entries));
    }
    for field in &rework.fields {
        *observed.reworked.entry(field.clone()).or_default() += 1;
    }
    let said = present(&change, directory);
    for field in LOCKABLE
        .iter()
        .chain(&DROPPABLE)
        .filter(|field| template.free.contains(**field))
    {
        if let Some(value) = said.get(*field) {
            observed.note(field, value, &change.content.title);
        }
    }
    Ok(())
}

fn missing(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<(String, u64)>> {
    let filter = Filter::new()
        .equals("template", key)
        .descending_by("id")
        .limit(MOST_ANSWERS);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for answer in record::bodies::<TemplateFeedback>(cx.tx, &filter)? {
        *counts.entry(answer.part.as_str().to_owned()).or_default() += 1;
    }
    let mut rows: Vec<(String, u64)> = counts.into_iter().collect();
    rows.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    Ok(rows)
}

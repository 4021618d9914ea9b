//! Problems: proposed from recurring failures or recorded by a person, accepted or dismissed with a reason, fixed by a change, and
//! closed once the fix succeeded and recurrence was judged.

use model::change::read_content::new_change::NewChange;
use model::change::record::Change;
use model::change::success::succeeded;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{
    AboutKind, ActionKind, ProblemState, RecurrenceKind, RelationEnd, RelationKind, RelationOrigin, State,
};
use model::core::ids::{PersonId, RecordId, ServiceKey};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::incident::problem::{Fix, MOST_CASES, ProblemInput, ProblemRecord};
use model::incident::record_link::{CERTAIN, RecordLink, kind_of_key};
use model::incident::recurred::{Compared, Recurrence};
use model::incident::recurrence::{Failure, Proposal, propose, times};
use model::notify::action_item::{About, Due, NewItem, Owner, USUAL_TIME};
use model::schedule::calendar::Span;
use serde_json::{Map, Value, json};
use store::change::changes;
use store::counter;
use store::record::{self, Filter};

use crate::change::create_change::create_change;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_names::{BEFORE_FIRST_PROBLEM, PROBLEMS};
use crate::core::noun::PlainNoun;
use crate::incident::find_failures::find_failures;
use crate::incident::keep::keep;
use crate::incident::link_records::{add_link, find_end};
use crate::notify::action_items::{open, settle_by_rule};
use crate::risk::set_cause::check_named;

/// The most problems of a tenant that are examined.
const MOST: i64 = 5_000;
/// The part of the action item about a proposal: it is accepted or dismissed.
const DECIDE: &str = "decide";
/// The part of the action item about an accepted problem: it is fixed, and the fix is judged.
const FIX: &str = "fix";
/// The time for the fix and its judgement: six weeks of working days.
const TIME_TO_FIX: Span = Span::WorkDays(30);

impl PlainNoun for ProblemRecord {
    type Input = ProblemInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        all(cx)
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let wanted = Filter::new().equals("key", key.to_uppercase());
        Ok(record::find_one::<Self>(cx.tx, &wanted)?.map(|stored| stored.record))
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn add(cx: &mut Context<'_, '_>, input: ProblemInput, mut reading: Reading<'_>) -> Result<Self> {
        check_named(cx, &mut reading, input.cause.as_deref(), None)?;
        let mut cases = Vec::new();
        for (place, text) in input.cases.iter().enumerate() {
            let end = find_end(cx, text)?;
            match end.filter(|end| matches!(end.kind, RelationEnd::Incident | RelationEnd::Change)) {
                Some(end) if !cases.contains(&end.key) => cases.push(end.key),
                Some(_) => {}
                None => {
                    let text = format!("There is no incident or change `{text}`.");
                    reading.wrong(&format!("cases[{place}]"), "unknown", text);
                }
            }
        }
        if cases.len() > MOST_CASES {
            reading.wrong(
                "cases",
                "too_many",
                format!("A problem has at most {MOST_CASES} cases."),
            );
        }
        reading.finish()?;
        let problem = Self {
            title: input.title,
            description: input.description,
            services: input.services,
            cause: input.cause,
            state: ProblemState::Open,
            by: cx.actor.person.clone(),
            decided_by: Some(cx.actor.person.clone()),
            decided_at: Some(cx.now),
            ..blank(cx, RecurrenceKind::Named, cases)?
        };
        put_new(cx, "problem.recorded", problem)
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        if records.iter().all(|problem| problem.fix.is_none()) {
            return Ok(());
        }
        let failures = find_failures(cx)?;
        for (problem, value) in records.iter().zip(values) {
            let Some((change, fix)) = fix_of(cx, problem, &failures)? else {
                continue;
            };
            value["fix_state"] = json!(change.state);
            if let Some(compared) = fix.compared {
                value["recurrence"] =
                    json!({"before": recurrence_data(compared.before), "after": recurrence_data(compared.after)});
            }
        }
        Ok(())
    }
}

fn recurrence_data(recurrence: Recurrence) -> Value {
    let mut told = Map::new();
    told.insert("days".to_owned(), json!(recurrence.days));
    told.insert("of".to_owned(), json!(recurrence.of));
    if let Some(share) = recurrence.share {
        told.insert("ppm".to_owned(), json!(share.value));
        told.insert("low_ppm".to_owned(), json!(share.low));
        told.insert("high_ppm".to_owned(), json!(share.high));
    }
    Value::Object(told)
}

fn all(cx: &mut Context<'_, '_>) -> Result<Vec<ProblemRecord>> {
    Ok(record::bodies::<ProblemRecord>(
        cx.tx,
        &Filter::new().order_by("key").limit(MOST),
    )?)
}

/// A problem with only its pattern and cases, under the next key.
fn blank(cx: &mut Context<'_, '_>, pattern: RecurrenceKind, cases: Vec<String>) -> Result<ProblemRecord> {
    let number = BEFORE_FIRST_PROBLEM + counter::next_number(cx.tx, PROBLEMS)?;
    Ok(ProblemRecord {
        id: RecordId(cx.new_id()?),
        version: 0,
        key: format!("PRB-{number}"),
        title: String::new(),
        description: None,
        pattern,
        services: std::collections::BTreeSet::new(),
        cause: None,
        cases,
        state: ProblemState::Proposed,
        by: PersonId::default(),
        at: cx.now,
        reason: None,
        decided_by: None,
        decided_at: None,
        fix: None,
        former_fixes: Vec::new(),
        closed_at: None,
    })
}

/// Saves a new problem and the links from its cases.
fn put_new(cx: &mut Context<'_, '_>, kind: &'static str, problem: ProblemRecord) -> Result<ProblemRecord> {
    let data = json!({"key": problem.key, "pattern": problem.pattern, "cases": problem.cases.len()});
    let saved = keep(cx, kind, problem, data)?;
    link_cases(cx, &saved.key, &saved.cases.clone())?;
    follow_item(cx, &saved)?;
    Ok(saved)
}

/// Keeps the action item of a problem: of an owner of its services until a proposal is decided, then of the person who accepted
/// or recorded the problem until it is closed. An undecided proposal and a forgotten fix escalate.
fn follow_item(cx: &mut Context<'_, '_>, problem: &ProblemRecord) -> Result<()> {
    let about = About::new(AboutKind::Problem, problem.key.as_str());
    let wanted = match problem.state {
        ProblemState::Proposed => Some((DECIDE, Owner::ServiceOwner, USUAL_TIME)),
        ProblemState::Open => {
            let person = problem.decided_by.clone().filter(|_| !cx.actor.is_system);
            let owner = person.map_or(Owner::ServiceOwner, Owner::Person);
            Some((FIX, owner, TIME_TO_FIX))
        }
        ProblemState::Dismissed | ProblemState::Closed => None,
    };
    for part in [DECIDE, FIX] {
        if wanted.as_ref().is_none_or(|(wanted, ..)| *wanted != part) {
            let reason = match part {
                DECIDE => "The problem is decided.",
                _ if problem.state == ProblemState::Dismissed => "The problem was dismissed.",
                _ => "The fix was assessed, and the problem is closed.",
            };
            settle_by_rule(cx, ActionKind::Other, &about, part, reason)?;
        }
    }
    let Some((part, owner, time)) = wanted else {
        return Ok(());
    };
    let title = match part {
        DECIDE => format!("Accept or dismiss the problem {}", problem.key),
        _ => format!("Fix {}, and assess whether the fix helped", problem.key),
    };
    let url = &cx.services.tools().public_url;
    let link = format!("{url}/t/{}/problems/{}", cx.tenant(), problem.key);
    let item = NewItem {
        part: part.to_owned(),
        services: problem.services.clone(),
        owner,
        due: Due::Within(time),
        links: vec![link],
        // The person who accepts or records a problem has it in view.
        tells: part == DECIDE || cx.actor.is_system,
        ..NewItem::new(ActionKind::Other, about, title)
    };
    open(cx, item).map(drop)
}

/// Links failures to their problem as their cause.
fn link_cases(cx: &mut Context<'_, '_>, problem: &str, cases: &[String]) -> Result<()> {
    for case in cases {
        link(cx, (problem, RelationEnd::Problem), RelationKind::Caused, case)?;
    }
    Ok(())
}

fn link(
    cx: &mut Context<'_, '_>,
    (from, from_kind): (&str, RelationEnd),
    kind: RelationKind,
    to: &str,
) -> Result<RecordLink> {
    let is_rule = cx.actor.is_system;
    let row = RecordLink {
        id: RecordId(cx.new_id()?),
        version: 0,
        from: from.to_owned(),
        from_kind,
        kind,
        to: to.to_owned(),
        to_kind: kind_of_key(to).unwrap_or(RelationEnd::Outside),
        origin: if is_rule {
            RelationOrigin::Rule
        } else {
            RelationOrigin::Person
        },
        confidence_ppm: CERTAIN,
        reason: None,
        reasons_before: Vec::new(),
        is_of_change: false,
        by: cx.actor.person.clone(),
        at: cx.now,
        active: true,
        edited_by: None,
        edited_at: None,
        removed_by: None,
        removed_at: None,
    };
    add_link(cx, row)
}

/// Whether the failures of the last half-year propose a problem; runs in a read transaction, so that no writer waits. `false`
/// where there is nothing to write.
///
/// # Errors
/// The store's.
pub fn is_search_due(cx: &mut Context<'_, '_>) -> Result<bool> {
    let failures = find_failures(cx)?;
    let problems = all(cx)?;
    let (proposals, further) = propose(&failures, &problems);
    if !proposals.is_empty() || !further.is_empty() {
        return Ok(true);
    }
    for problem in problems.iter().filter(|it| it.state == ProblemState::Closed) {
        if has_not_helped(cx, problem, &failures)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_not_helped(cx: &mut Context<'_, '_>, problem: &ProblemRecord, failures: &[Failure]) -> Result<bool> {
    let fix = fix_of(cx, problem, failures)?;
    let compared = fix.and_then(|(_, fix)| fix.compared);
    Ok(compared.is_some_and(|compared| compared.has_not_helped()))
}

/// Looks for recurring failures (`POST /problem-searches`): proposes problems, adds further cases to those that are there, and opens
/// those again whose fix did not help. Returns the problems that were written. A problem that the search finds is written as
/// the rule's.
///
/// # Errors
/// 403, or the store's.
pub fn search_problems(cx: &mut Context<'_, '_>) -> Result<Vec<ProblemRecord>> {
    cx.allow(act::actions::SET_INCIDENT)?;
    cx.as_system(search)
}

fn search(cx: &mut Context<'_, '_>) -> Result<Vec<ProblemRecord>> {
    let failures = find_failures(cx)?;
    let problems = all(cx)?;
    let (proposals, further) = propose(&failures, &problems);
    let mut written = Vec::new();
    for proposal in proposals {
        written.push(put_proposal(cx, proposal)?);
    }
    for row in further {
        let Some(problem) = ProblemRecord::found(cx, &row.problem)? else {
            continue;
        };
        let room = MOST_CASES.saturating_sub(problem.cases.len());
        let fresh: Vec<String> = row.cases.into_iter().take(room).collect();
        if fresh.is_empty() {
            continue;
        }
        let mut next = problem;
        next.cases.extend(fresh.iter().cloned());
        let data = json!({"key": next.key, "cases": fresh});
        let saved = keep(cx, "problem.recurred", next, data)?;
        link_cases(cx, &saved.key, &fresh)?;
        written.push(saved);
    }
    for key in problems
        .iter()
        .filter(|it| it.state == ProblemState::Closed)
        .map(|it| it.key.clone())
    {
        let Some(problem) = ProblemRecord::found(cx, &key)? else {
            continue;
        };
        if has_not_helped(cx, &problem, &failures)? {
            let reason = "The failures recur as often as before the fix.".to_owned();
            written.push(reopen(cx, problem, reason)?);
        }
    }
    Ok(written)
}

fn put_proposal(cx: &mut Context<'_, '_>, proposal: Proposal) -> Result<ProblemRecord> {
    let services: Vec<&str> = proposal.services.iter().map(String::as_str).collect();
    let pattern = &proposal.pattern;
    let what = match pattern.kind {
        RecurrenceKind::Cause => format!("root cause {}", pattern.what),
        RecurrenceKind::Template => format!("template {}", pattern.what),
        RecurrenceKind::Step => format!("step “{}”", pattern.what),
        RecurrenceKind::Alert | RecurrenceKind::Named => "the same alert".to_owned(),
    };
    let place = if services.is_empty() {
        "No service".to_owned()
    } else {
        services.join(", ")
    };
    let title: String = format!("{place}: {} failures, {what}", proposal.cases.len());
    let problem = ProblemRecord {
        title: title.chars().take(LINE).collect(),
        services: proposal
            .services
            .iter()
            .map(|key| ServiceKey::from(key.as_str()))
            .collect(),
        cause: (pattern.kind == RecurrenceKind::Cause).then(|| pattern.what.clone()),
        by: cx.actor.person.clone(),
        ..blank(cx, pattern.kind, proposal.cases.into_iter().take(MOST_CASES).collect())?
    };
    put_new(cx, "problem.proposed", problem)
}

/// Accepts a proposed problem, which drafts its fix, or dismisses a proposed or an open one (`POST /problems/{key}/decisions
/// {accepted, reason}`).
///
/// # Errors
/// 403, 404, 409, 422, or the store's.
pub fn decide_problem(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<ProblemRecord> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let problem = found(cx, key)?;
    let mut reading = Reading::new(body, "");
    let accepted = reading.needed_boolean("accepted");
    let reason = reading.text("reason", TEXT);
    if !accepted && reason.is_none() && !reading.errors.iter().any(|it| it.field == "accepted") {
        reading.wrong(
            "reason",
            "missing",
            "`reason` is missing: a problem is dismissed with a reason.",
        );
    }
    reading.finish()?;
    problem.check_decidable(accepted)?;
    let decided = ProblemRecord {
        state: if accepted {
            ProblemState::Open
        } else {
            ProblemState::Dismissed
        },
        reason,
        decided_by: Some(cx.actor.person.clone()),
        decided_at: Some(cx.now),
        ..problem
    };
    let kind = if accepted {
        "problem.accepted"
    } else {
        "problem.dismissed"
    };
    let data = json!({"key": decided.key});
    let saved = keep(cx, kind, decided, data)?;
    follow_item(cx, &saved)?;
    if accepted { draft_fix(cx, saved) } else { Ok(saved) }
}

/// Drafts the change that is to fix a problem (`POST /problems/{key}/fixes`), for a problem without one: an earlier one did not
/// help, or a person recorded the problem.
///
/// # Errors
/// 403, 404, 409, or the store's.
pub fn fix_problem(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<ProblemRecord> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let problem = found(cx, key)?;
    Reading::new(body, "").finish()?;
    problem.check_fixable()?;
    draft_fix(cx, problem)
}

fn draft_fix(cx: &mut Context<'_, '_>, problem: ProblemRecord) -> Result<ProblemRecord> {
    let directory = cx.directory()?;
    let body = draft_of(&problem, &directory);
    let change = create_change(cx, &body, &[])?;
    let fixed = ProblemRecord {
        fix: Some(change.clone()),
        ..problem
    };
    let data = json!({"key": fixed.key, "change": change});
    let saved = keep(cx, "problem.fix_drafted", fixed, data)?;
    link(cx, (&saved.key, RelationEnd::Problem), RelationKind::FixedBy, &change)?;
    Ok(saved)
}

/// The draft of the fix: the facts about the problem, and its services in production.
fn draft_of(problem: &ProblemRecord, directory: &Directory) -> Body {
    let title = format!("Fix {}: {}", problem.key, problem.title)
        .chars()
        .take(LINE)
        .collect();
    let known = problem
        .description
        .as_deref()
        .unwrap_or("Its cases have the same pattern.");
    let description = format!("{known}\n\nCases: {}.", problem.cases.join(", "));
    let justification = format!(
        "{} recurs: {} cases with {}.",
        problem.key,
        problem.cases.len(),
        problem.pattern.words()
    );
    let production = directory.environments.values().filter(|it| it.is_production);
    let production = production.min_by_key(|it| it.key.clone());
    let targets: Vec<Value> = problem
        .services
        .iter()
        .filter(|key| directory.services.contains_key(*key))
        .filter_map(|key| Some(json!({"service": key, "environment": production?.key})))
        .collect();
    let draft = NewChange {
        title,
        description: Some(description.chars().take(TEXT).collect()),
        justification: Some(justification),
        targets,
        ..NewChange::default()
    };
    draft.into_body()
}

/// Judges whether the fix helped (`POST /problems/{key}/judgements {helped, reason}`): the problem is closed, or open again.
///
/// # Errors
/// 403, 404, 409, 422, or the store's.
pub fn judge_problem(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<ProblemRecord> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let problem = found(cx, key)?;
    let mut reading = Reading::new(body, "");
    let helped = reading.needed_boolean("helped");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let failures = find_failures(cx)?;
    let fix = fix_of(cx, &problem, &failures)?.map(|(_, fix)| fix).unwrap_or(Fix {
        has_succeeded: false,
        worked: None,
        compared: None,
    });
    problem.check_judgement(&fix, helped)?;
    if !helped {
        return reopen(cx, problem, reason);
    }
    let closed = ProblemRecord {
        state: ProblemState::Closed,
        reason: Some(reason),
        decided_by: Some(cx.actor.person.clone()),
        decided_at: Some(cx.now),
        closed_at: Some(cx.now),
        ..problem
    };
    let days = fix
        .compared
        .map(|it| (it.before.days, it.before.of, it.after.days, it.after.of));
    let data = json!({"key": closed.key, "change": closed.fix, "days": days});
    let closed = keep(cx, "problem.closed", closed, data)?;
    follow_item(cx, &closed)?;
    Ok(closed)
}

fn reopen(cx: &mut Context<'_, '_>, problem: ProblemRecord, reason: String) -> Result<ProblemRecord> {
    let change = problem.fix.clone();
    let next = ProblemRecord {
        decided_by: Some(cx.actor.person.clone()),
        decided_at: Some(cx.now),
        ..problem.reopened(reason)
    };
    let data = json!({"key": next.key, "change": change});
    let reopened = keep(cx, "problem.reopened", next, data)?;
    follow_item(cx, &reopened)?;
    Ok(reopened)
}

fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<ProblemRecord> {
    Ok(ProblemRecord::found(cx, key)?.ok_or_else(|| Refusal::not_found(format!("problem {key}")))?)
}

/// The change that is to fix a problem, and its facts; `None` without one.
///
/// # Errors
/// The store's.
pub(crate) fn fix_of(
    cx: &mut Context<'_, '_>,
    problem: &ProblemRecord,
    failures: &[Failure],
) -> Result<Option<(Change, Fix)>> {
    let Some(key) = &problem.fix else { return Ok(None) };
    let Some(id) = changes::id_of_key(cx.tx, key)? else {
        return Ok(None);
    };
    let Some(change) = record::load::<Change>(cx.tx, &id)?.map(|stored| stored.record) else {
        return Ok(None);
    };
    let has_succeeded = change.state == State::Closed && succeeded(&change) == Some(true);
    let worked = change.actual_start.zip(change.actual_end);
    let times = times(problem, failures);
    let fix = Fix {
        has_succeeded,
        worked,
        compared: worked.map(|worked| Compared::around(&times, worked, cx.now)),
    };
    Ok(Some((change, fix)))
}

/// A problem with the facts about its fix, for its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownProblem {
    /// The problem.
    pub problem: ProblemRecord,
    /// The state of the problem's fix, and recurrences before and after it.
    pub fix: Option<(State, Fix)>,
}

/// One problem.
///
/// # Errors
/// 403, 404, or the store's.
pub fn show_problem(cx: &mut Context<'_, '_>, key: &str) -> Result<ShownProblem> {
    cx.allow(act::actions::READ)?;
    let problem = found(cx, key)?;
    let failures = find_failures(cx)?;
    let fix = fix_of(cx, &problem, &failures)?.map(|(change, fix)| (change.state, fix));
    Ok(ShownProblem { problem, fix })
}

/// The problems that have a record among their cases.
///
/// # Errors
/// The store's.
pub fn problems_of(cx: &mut Context<'_, '_>, case: &str) -> Result<Vec<ProblemRecord>> {
    let found = all(cx)?;
    Ok(found
        .into_iter()
        .filter(|it| it.cases.iter().any(|key| key == case))
        .collect())
}

//! Budgets of waiting time: a change manager sets a bound, and a member of the group agrees to it. A bound that is changed waits for
//! the group once more, so that nobody is measured by a bound that they did not see.

use jiff::Timestamp;
use model::approval::one_hand;
use model::core::act::actions::SET_FREEZE;
use model::core::enums::WaitOf;
use model::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::directory::{scope, unknown_name};
use model::report::change_outcome::ChangeOutcome;
use model::report::wait_budget::{MINIMUM, MOST, Measured, WaitBudget, WaitBudgetInput, is_stage, last_ended};
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::report::change_outcome;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::guard::impersonation::{check_voice, check_whole};
use crate::report::find_figures::MOST_CHANGES;
use crate::report::metric_query::is_change_manager;
use crate::report::set_dashboard::keep;

impl PlainNoun for WaitBudget {
    type Input = WaitBudgetInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        check_unscoped(cx)?;
        let filter = Filter::new().equals("active", true).order_by("id");
        Ok(record::bodies::<Self>(cx.tx, &filter.limit(MOST as i64))?)
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        check_unscoped(cx)?;
        Ok(record::load::<Self>(cx.tx, key)?.map(|stored| stored.record))
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: WaitBudgetInput, mut reading: Reading<'_>) -> Result<Self> {
        let known = Self::listed(cx)?;
        check(&mut reading, &input, &*cx.directory()?);
        if input.is_agreed {
            let text = "The group agrees once the bound is set: a member of it sets `is_agreed`.";
            reading.wrong("is_agreed", "not_allowed", text);
        }
        let wait_of = input.wait_of.unwrap_or(WaitOf::Stage);
        if known
            .iter()
            .any(|it| it.wait_of == wait_of && it.waits_at == input.waits_at)
        {
            let text = format!("There is a budget for `{}` already; change that one.", input.waits_at);
            reading.wrong("waits_at", "not_unique", text);
        }
        reading.finish()?;
        if known.len() >= MOST {
            let text = format!("A tenant has at most {MOST} budgets of waiting time.");
            return Err(Refusal::not_now("too_many", text, "End one that nobody needs.", Vec::new()).into());
        }
        let budget = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            wait_of,
            waits_at: input.waits_at,
            minutes: input.minutes,
            period: input.period,
            group: input.group,
            is_agreed: false,
            set_by: cx.actor.person.clone(),
            confirmed_by: None,
            confirmed_at: None,
            active: true,
        };
        keep(cx, "wait_budget.added", budget, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: WaitBudgetInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input, &*cx.directory()?);
        let is_other = input.wait_of != Some(self.wait_of) || input.waits_at != self.waits_at;
        if is_other {
            let text = "The subject of a budget cannot change; end this budget and set another one.";
            reading.wrong("waits_at", "not_allowed", text);
        }
        let is_moved = input.minutes != self.minutes || input.period != self.period || input.group != self.group;
        let agrees = input.is_agreed && !self.is_agreed;
        if is_moved && agrees {
            let text = "A bound cannot be agreed to in the edit that changes it.";
            reading.wrong("is_agreed", "not_allowed", text);
        }
        reading.finish()?;
        if agrees {
            return agree(cx, self);
        }
        cx.allow(SET_FREEZE)?;
        let stays_agreed = self.is_agreed && input.is_agreed && !is_moved;
        let edited = Self {
            minutes: input.minutes,
            period: input.period,
            group: input.group,
            is_agreed: stays_agreed,
            set_by: if is_moved {
                cx.actor.person.clone()
            } else {
                self.set_by.clone()
            },
            confirmed_by: self.confirmed_by.clone().filter(|_| stays_agreed),
            confirmed_at: self.confirmed_at.filter(|_| stays_agreed),
            ..self
        };
        keep(cx, "wait_budget.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        keep(cx, "wait_budget.ended", ended, json!({}))
    }

    fn further(&self, cx: &mut Context<'_, '_>) -> Result<Vec<(&'static str, Vec<String>)>> {
        let rows = rows_of(cx, std::slice::from_ref(self))?;
        let found = shown(cx, self.measure(&rows, cx.now))?;
        let told = match found.median {
            Some(median) if found.is_above(self.minutes) => {
                format!("{}: {median} min, above the bound; {} waits", found.period, found.of)
            }
            Some(median) => format!("{}: {median} min; {} waits", found.period, found.of),
            None if found.of >= MINIMUM => format!("{}: withheld; {} waits", found.period, found.of),
            None => format!("{}: not enough data; {} waits", found.period, found.of),
        };
        Ok(vec![("Last period", vec![told])])
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        let rows = rows_of(cx, records)?;
        for (budget, value) in records.iter().zip(values) {
            let found = budget.measure(&rows, cx.now);
            // The group agreed to show that a bound was passed.
            let is_above = found.is_above(budget.minutes);
            let found = shown(cx, found)?;
            let mut measured = json!({
                "period": found.period, "from": found.window.from.to_string(), "to": found.window.to.to_string(),
                "of": found.of, "is_above": is_above,
            });
            if let (Some(median), Some(p90)) = (found.median, found.p90) {
                measured["median"] = json!(median);
                measured["p90"] = json!(p90);
            }
            value["measured"] = measured;
        }
        Ok(())
    }
}

/// The measured values that the acting person may see: only few deciders themselves and change managers see their speed.
fn shown(cx: &mut Context<'_, '_>, found: Measured) -> Result<Measured> {
    match is_change_manager(cx)? {
        true => Ok(found),
        false => {
            let hands = one_hand::among(&*cx.directory()?, found.window.from);
            Ok(found.shown_to(&cx.actor.person, &hands))
        }
    }
}

/// Agrees for the group. The person who set the bound may not, even as a member.
fn agree(cx: &mut Context<'_, '_>, budget: WaitBudget) -> Result<WaitBudget> {
    let directory = cx.directory()?;
    let members = directory.members(&budget.group);
    let me = cx.actor.person.clone();
    let others = || {
        let others = members.iter().filter(|it| **it != budget.set_by);
        others.map(|it| directory.login(it)).collect::<Vec<String>>()
    };
    if me == budget.set_by {
        let text = "You set this bound; another member of the group must agree to it.";
        return Err(Refusal::not_allowed("own_bound", text).with_others(others()).into());
    }
    if !members.contains(&me) {
        let text = format!("Only a member of {} can agree to its bound.", budget.group);
        return Err(Refusal::not_allowed("not_member", text).with_others(others()).into());
    }
    // The person who set the bound may not agree to it with a credential issued to a member either.
    check_voice(cx)?;
    check_whole(cx)?;
    let agreed = WaitBudget {
        is_agreed: true,
        confirmed_by: Some(me),
        confirmed_at: Some(cx.now),
        ..budget
    };
    keep(cx, "wait_budget.agreed", agreed, json!({}))
}

/// Budgets are of the whole organisation: a reader with a scope does not see what others wait for.
fn check_unscoped(cx: &mut Context<'_, '_>) -> Result<()> {
    match cx.scope()? {
        Some(_) => Err(scope::refusal().into()),
        None => Ok(()),
    }
}

fn check(reading: &mut Reading<'_>, input: &WaitBudgetInput, directory: &Directory) {
    if reading.says("minutes") && input.minutes == 0 {
        reading.wrong("minutes", "out_of_range", "`minutes` is at least 1.");
    }
    match input.wait_of {
        Some(WaitOf::Stage) if !is_stage(&input.waits_at) => {
            let text = format!(
                "`{}` is not a stage; the stages are `assessment` and `authorization`.",
                input.waits_at
            );
            reading.wrong("waits_at", "unknown_word", text);
        }
        Some(WaitOf::Pipeline) => check_pipeline(reading, &input.waits_at, directory),
        _ => {}
    }
}

fn check_pipeline(reading: &mut Reading<'_>, pipeline: &str, directory: &Directory) {
    let Some((service, environment)) = pipeline.split_once('/') else {
        let text = "A pipeline is written as SERVICE/ENVIRONMENT, such as `label-print/production`.";
        return reading.wrong("waits_at", "not_readable", text);
    };
    if !directory.services.contains_key(&ServiceKey::from(service)) {
        reading.wrong("waits_at", "unknown", unknown_name::service(directory, service));
    }
    if !directory.environments.contains_key(&EnvironmentKey::from(environment)) {
        reading.wrong("waits_at", "unknown", unknown_name::environment(directory, environment));
    }
}

/// The rows that the last periods of budgets are measured from.
///
/// # Errors
/// The store's.
pub(super) fn rows_of(cx: &mut Context<'_, '_>, budgets: &[WaitBudget]) -> Result<Vec<ChangeOutcome>> {
    let windows = budgets.iter().map(|it| last_ended(it.period, cx.now).1);
    let Some(from) = windows.map(|it| it.from).min() else {
        return Ok(Vec::new());
    };
    read_rows(cx, (from, Timestamp::MAX))
}

/// The rows between two times, at most [`MOST_CHANGES`].
pub(super) fn read_rows(cx: &mut Context<'_, '_>, (from, to): (Timestamp, Timestamp)) -> Result<Vec<ChangeOutcome>> {
    let most = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX);
    let stored = change_outcome::list(cx.tx, from, to, most)?;
    let read = stored.iter().map(|row| serde_json::from_str(&row.body));
    Ok(read.collect::<std::result::Result<_, _>>()?)
}

//! Communication plans: the rules of their keys, and the preview of a plan for a change.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use model::change::record::Change;
use model::core::act::actions;
use model::core::body::Body;
use model::core::card::NoInput;
use model::core::enums::{Audience, CommunicationStage, LetterLanguage};
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::notify::business_unit::BusinessUnit;
use model::notify::communication::{
    Communication, customer_services, recipients, with_customers, with_duty, without_opted_out,
};
use model::notify::communication_plan::{CommunicationPlan, CommunicationPlanInput, MOST, check};
use model::notify::customer_list::CustomerList;
use model::notify::wording::{rendered, rendered_outside};
use serde::Serialize;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{PlainNoun, in_use_by_keys};
use crate::notify::set_customer_list::find_opted_out;

impl PlainNoun for CommunicationPlan {
    type Input = CommunicationPlanInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        in_use_by_keys(cx)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: CommunicationPlanInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input);
        let known = Self::listed(cx)?;
        if known.iter().any(|plan| plan.key == input.key) {
            let text = format!("There is a communication plan `{}` already.", input.key);
            reading.wrong("key", "not_unique", text);
        }
        reading.finish()?;
        if known.len() >= MOST {
            let text = format!("A tenant has at most {MOST} communication plans.");
            return Err(Refusal::not_now("too_many", text, "Take one out of use.", Vec::new()).into());
        }
        let plan = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: input.key,
            name: input.name,
            kinds: input.kinds,
            risks: input.risks,
            only_disruptive: input.only_disruptive,
            audiences: input.audiences,
            duty_groups: input.duty_groups,
            stages: input.stages,
            reminder_minutes: input.reminder_minutes,
            acknowledge: input.acknowledge,
            subject_en: input.subject_en,
            text_en: input.text_en,
            subject_de: input.subject_de,
            text_de: input.text_de,
            active: true,
        };
        cx.put_estate("communication_plan.added", plan, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: CommunicationPlanInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input);
        if input.key != self.key {
            reading.wrong("key", "not_allowed", "The key of a communication plan cannot change.");
        }
        reading.finish()?;
        let edited = Self {
            name: input.name,
            kinds: input.kinds,
            risks: input.risks,
            only_disruptive: input.only_disruptive,
            audiences: input.audiences,
            duty_groups: input.duty_groups,
            stages: input.stages,
            reminder_minutes: input.reminder_minutes,
            acknowledge: input.acknowledge,
            subject_en: input.subject_en,
            text_en: input.text_en,
            subject_de: input.subject_de,
            text_de: input.text_de,
            ..self
        };
        cx.put_estate("communication_plan.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("communication_plan.ended", ended, json!({}))
    }
}

impl PlainNoun for Communication {
    type Input = NoInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(_cx: &mut Context<'_, '_>, _input: Self::Input, _reading: Reading<'_>) -> Result<Self> {
        // The card has no verb that adds a communication: plans send them.
        Err(Refusal::not_found("way to write a communication by hand").into())
    }
}

/// The messages that a plan would send about a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// Whether the plan is about changes like this one.
    pub is_covered: bool,
    /// How many people and mail addresses it would reach.
    pub recipient_count: usize,
    /// How many of these must acknowledge.
    pub asked_count: usize,
}

/// Shows the messages that a plan would send about a change
/// (`POST /communication-plans/{id}/previews {change, stage?, language?}`); nothing is written or sent.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn preview_communication(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Preview> {
    cx.allow(actions::READ)?;
    let found = CommunicationPlan::found(cx, id)?.filter(|plan| plan.active);
    let plan = found.ok_or_else(|| Refusal::not_found(format!("communication plan {id}")))?;
    let mut reading = Reading::new(body, "");
    let key = reading.needed("change", LINE);
    let stage = optional_value::<CommunicationStage>(&mut reading, "stage")?.unwrap_or(CommunicationStage::Announced);
    let language = optional_value::<LetterLanguage>(&mut reading, "language")?.unwrap_or_default();
    reading.finish()?;
    let change: Change = cx.change(&key)?;
    let units = BusinessUnit::listed(cx)?;
    let directory = cx.directory()?;
    let reached = recipients(&directory, (&plan, &units), &change, cx.now);
    let lists = CustomerList::listed(cx)?;
    let reached = with_customers(reached, &directory, (&plan, &lists), &change);
    let reached = without_opted_out(reached, &find_opted_out(cx)?);
    let reached = with_duty(reached, &directory, (&plan, &change), cx.now);
    let me = directory.people.get(&cx.actor.person);
    let zone = me.and_then(|person| model::schedule::calendar::zone(&person.zone));
    let words = (language, &zone.unwrap_or(TimeZone::UTC));
    let (subject, text) = match plan.audiences.contains(&Audience::Customers) {
        true => {
            let named = lists
                .iter()
                .flat_map(|list| customer_services(&directory, list, &change));
            let named: Vec<String> = named.collect::<BTreeSet<String>>().into_iter().collect();
            rendered_outside((&plan, &named), &change, stage, words)
        }
        false => rendered(&plan, &change, stage, words),
    };
    Ok(Preview {
        subject,
        text,
        is_covered: plan.covers(&change),
        recipient_count: reached.len(),
        asked_count: reached.iter().filter(|it| plan.acknowledge && it.is_asked).count(),
    })
}

/// A value of an enum that a request may leave out.
fn optional_value<W: std::str::FromStr<Err = String>>(
    reading: &mut Reading<'_>,
    field: &'static str,
) -> Result<Option<W>> {
    let Some(text) = reading.text(field, LINE) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(word) => Ok(Some(word)),
        Err(why) => {
            reading.wrong(field, "unknown_word", format!("`{field}`: {why}."));
            Ok(None)
        }
    }
}

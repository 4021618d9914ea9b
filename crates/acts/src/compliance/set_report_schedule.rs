//! Schedules of control reports.

use std::collections::BTreeSet;

use model::compliance::framework::{FRAMEWORKS, framework};
use model::compliance::report_schedule::{MOST, MOST_CONTACTS, ReportSchedule, ReportScheduleInput};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

impl PlainNoun for ReportSchedule {
    type Input = ReportScheduleInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: ReportScheduleInput, mut reading: Reading<'_>) -> Result<Self> {
        let contacts = checked(cx, &input, &mut reading)?;
        if contacts.is_empty() && !reading.says("contacts") {
            reading.wrong("contacts", "missing", "`contacts` names at least one login.");
        }
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST {
            let text = format!("A tenant has at most {MOST} schedules of control reports.");
            return Err(Refusal::not_now("too_many", text, "End one that is no longer read.", Vec::new()).into());
        }
        let schedule = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            framework: input.framework,
            span: input.span,
            format: input.format,
            contacts,
            made_for: None,
            made_size: None,
            made_digest: None,
            made_at: None,
            active: true,
        };
        cx.put_estate("report_schedule.added", schedule, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: ReportScheduleInput, mut reading: Reading<'_>) -> Result<Self> {
        let found = checked(cx, &input, &mut reading)?;
        // An edit without contacts keeps them, even if some have left.
        let contacts = match reading.says("contacts") {
            true => found,
            false => self.contacts.clone(),
        };
        reading.finish()?;
        let edited = Self {
            framework: input.framework,
            span: input.span,
            format: input.format,
            contacts,
            ..self
        };
        cx.put_estate("report_schedule.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("report_schedule.ended", ended, json!({}))
    }
}

/// Checks an input; returns the people behind the logins of its contacts.
fn checked(
    cx: &mut Context<'_, '_>,
    input: &ReportScheduleInput,
    reading: &mut Reading<'_>,
) -> Result<BTreeSet<PersonId>> {
    if reading.says("framework") && framework(&input.framework).is_none() {
        let known: Vec<&str> = FRAMEWORKS.iter().map(|it| it.id).collect();
        let text = format!(
            "There is no framework `{}`; there are {}.",
            input.framework,
            known.join(", ")
        );
        reading.wrong("framework", "unknown", text);
    }
    let mut contacts = BTreeSet::new();
    if !reading.says("contacts") {
        return Ok(contacts);
    }
    if input.contacts.is_empty() {
        reading.wrong("contacts", "missing", "`contacts` names at least one login.");
    }
    if input.contacts.len() > MOST_CONTACTS {
        let text = format!("`contacts` has at most {MOST_CONTACTS} entries.");
        reading.wrong("contacts", "too_many", text);
    }
    let directory = cx.directory()?;
    for login in &input.contacts {
        match directory.by_login(login).filter(|person| person.active) {
            Some(person) => {
                contacts.insert(person.id.clone());
            }
            None => {
                let text = format!("No active person has the login `{login}`.");
                reading.wrong("contacts", "unknown", text);
            }
        }
    }
    Ok(contacts)
}

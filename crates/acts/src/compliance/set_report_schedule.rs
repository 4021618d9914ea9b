//! Schedules of control reports.

use std::collections::BTreeSet;

use model::compliance::framework::{FRAMEWORKS, framework};
use model::compliance::report_schedule::{MOST, MOST_RECIPIENTS, ReportSchedule, ReportScheduleInput};
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
        let recipients = checked(cx, &input, &mut reading)?;
        if recipients.is_empty() && !reading.says("recipients") {
            reading.wrong("recipients", "missing", "`recipients` names at least one login.");
        }
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST {
            let text = format!("A tenant has at most {MOST} schedules of control reports.");
            return Err(Refusal::not_now("too_many", text, "End one that nobody reads.", Vec::new()).into());
        }
        let schedule = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            framework: input.framework,
            span: input.span,
            format: input.format,
            recipients,
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
        // An edit that leaves the recipients alone keeps them, whoever of them has left.
        let recipients = match reading.says("recipients") {
            true => found,
            false => self.recipients.clone(),
        };
        reading.finish()?;
        let edited = Self {
            framework: input.framework,
            span: input.span,
            format: input.format,
            recipients,
            ..self
        };
        cx.put_estate("report_schedule.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("report_schedule.ended", ended, json!({}))
    }
}

/// Checks an input; answers the people behind the logins of its recipients.
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
    let mut recipients = BTreeSet::new();
    if !reading.says("recipients") {
        return Ok(recipients);
    }
    if input.recipients.is_empty() {
        reading.wrong("recipients", "missing", "`recipients` names at least one login.");
    }
    if input.recipients.len() > MOST_RECIPIENTS {
        let text = format!("`recipients` has at most {MOST_RECIPIENTS} entries.");
        reading.wrong("recipients", "too_many", text);
    }
    let directory = cx.directory()?;
    for login in &input.recipients {
        match directory.by_login(login).filter(|person| person.active) {
            Some(person) => {
                recipients.insert(person.id.clone());
            }
            None => {
                let text = format!("Nobody who is active has the login `{login}`.");
                reading.wrong("recipients", "unknown", text);
            }
        }
    }
    Ok(recipients)
}

//! Records which records auditors viewed, and the readers of a report, a reconciliation or a sample: once per person,
//! record and day, before the response is sent.

use model::audit::auditor_look::{AuditorLook, CARD};
use model::core::card::NoInput;
use model::core::enums::Role;
use model::core::parse::Reading;
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::incident::keep::keep;

impl PlainNoun for AuditorLook {
    type Input = NoInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(_: &mut Context<'_, '_>, _: NoInput, _: Reading<'_>) -> Result<Self> {
        Err(model::core::refusal::Refusal::not_found(CARD.command).into())
    }
}

/// The address prefixes of reports whose readers are all noted.
const REPORTS: [&str; 5] = [
    "/control-reports",
    "/reconciliation",
    "/audit-samples",
    "/audit/reports",
    "/audit/reconciliation",
];

/// The look to note when the acting person reads a record; `None` for a person who is no auditor and reads no report,
/// and if the look is noted already.
///
/// # Errors
/// The store's.
pub fn wanted(cx: &mut Context<'_, '_>, about: (&str, &str)) -> Result<Option<AuditorLook>> {
    let person = cx.actor.person.clone();
    if cx.actor.is_system {
        return Ok(None);
    }
    let directory = cx.directory()?;
    let known = directory.people.get(&person);
    let is_auditor = directory.is_mandated(&person) || known.is_some_and(|it| it.roles.contains(&Role::Auditor));
    if !is_auditor && !REPORTS.iter().any(|report| about.1.starts_with(report)) {
        return Ok(None);
    }
    let look = AuditorLook::of(person, about, cx.now);
    let is_noted = record::version::<AuditorLook>(cx.tx, look.id.as_str())?.is_some();
    Ok((!is_noted).then_some(look))
}

/// Notes it, unless somebody was faster.
///
/// # Errors
/// The store's.
pub fn note_look(cx: &mut Context<'_, '_>, look: &AuditorLook) -> Result<()> {
    if record::version::<AuditorLook>(cx.tx, look.id.as_str())?.is_some() {
        return Ok(());
    }
    let data = json!({"about": look.about, "key": look.key});
    keep(cx, "auditor_look.noted", look.clone(), data).map(drop)
}

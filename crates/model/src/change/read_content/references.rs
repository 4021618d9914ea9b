//! The names in a request must exist: incidents, and the people who do a step of a plan. A record of another system is written
//! as an outside reference.

use crate::change::record::{Content, Step};
use crate::core::enums::Kind;
use crate::core::parse::Reading;
use crate::directory::snapshot::Directory;
use crate::directory::unknown_name;
use crate::incident::reference;

/// Checks the references of a change. Names that the change had before may stay while other things are edited.
pub(super) fn check(reading: &mut Reading<'_>, content: &mut Content, directory: &Directory, keep: Option<&Content>) {
    let is_new = keep.is_none_or(|old| old.incident != content.incident);
    // An emergency has a narrower rule of its own for incidents.
    if is_new && content.kind != Kind::Emergency {
        content.incident = content
            .incident
            .take()
            .and_then(|named| incident(reading, directory, &named));
    }
    let plans = [
        ("plan", &content.plan, keep.map(|old| &old.plan)),
        (
            "rollback_plan",
            &content.rollback_plan,
            keep.map(|old| &old.rollback_plan),
        ),
    ];
    for (field, steps, before) in plans {
        for (place, step) in steps.iter().enumerate() {
            let stood = before.is_some_and(|before| before.iter().any(|old| old.doer == step.doer));
            if !stood {
                check_doer(reading, &format!("{field}[{place}].owner"), step, directory);
            }
        }
    }
}

/// An incident as it is kept; a wrong one is noted.
pub fn incident(reading: &mut Reading<'_>, directory: &Directory, named: &str) -> Option<String> {
    match reference::incident(directory, named) {
        Ok(found) => Some(found.into_text()),
        Err(text) => {
            reading.wrong("incident", "unknown", text);
            None
        }
    }
}

/// A step's owner without spaces is a login, a group, a team or an outside reference; text with spaces is free text.
fn check_doer(reading: &mut Reading<'_>, field: &str, step: &Step, directory: &Directory) {
    let Some(doer) = step.doer.as_deref().map(str::trim).filter(|doer| !doer.is_empty()) else {
        return;
    };
    let name = doer.strip_prefix('@').unwrap_or(doer);
    if name.contains(char::is_whitespace) || reference::is_outside(name) {
        return;
    }
    let is_team = |it: &str| it.eq_ignore_ascii_case(name);
    let is_known = directory.groups.keys().any(|key| is_team(key.as_str()))
        || directory
            .services
            .values()
            .any(|service| service.team.as_deref().is_some_and(is_team));
    match directory.by_login(name) {
        Some(person) if person.active => {}
        Some(_) => reading.wrong(
            field,
            "inactive",
            format!("`{name}` is no longer active here; name an active person."),
        ),
        None if is_known => {}
        None => {
            let text = format!(
                "{} A group or a team is named by its key; somebody outside is written as `system:name` or in several words.",
                unknown_name::person(directory, name)
            );
            reading.wrong(field, "unknown", text);
        }
    }
}

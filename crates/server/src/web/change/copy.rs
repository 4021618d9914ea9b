//! A change once more: last month's patching is this month's form, with the times of the same weekday to come.

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::{Timestamp, ToSpan, Zoned};
use model::change::read_content::new_change::NewChange;
use model::change::record::Change;
use model::change::{custom_field, read_content};
use model::core::act::{Act as Verb, actions};
use model::core::body::Body;
use model::core::enums::Kind;
use pages::{Notice, Place, Rich, Tone};
use serde_json::{Value, json};

use crate::http::state::AppState;
use crate::web::change::edit::empty_fields;
use crate::web::change::edit_fields::flat;
use crate::web::change::new_form::new_page_of;
use crate::web::shared::view::{View, Visitor, show};

/// Fields that belong to the original change alone: builds, the incident, the reason for lateness.
const ONCE: &[&str] = &[
    NewChange::INCIDENT.name,
    NewChange::THREAT.name,
    NewChange::EXPEDITED.name,
    NewChange::EXPEDITED_REASON.name,
    NewChange::PLANNED_START.name,
    NewChange::PLANNED_END.name,
    NewChange::LABELS.name,
];
/// The most weeks by which times are moved: a copy of an older change needs new times.
const MOST_WEEKS: i64 = 520;

/// The form of a new change, filled in from another.
pub(crate) async fn clone_form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Changes, move |view| {
        view.cx.allow(Verb::Create.as_str())?;
        view.cx.allow(actions::READ)?;
        let change = view.cx.change(&key)?;
        clone_page(view, &change)
    })
    .await
}

fn clone_page(view: &mut View<'_, '_, '_>, change: &Change) -> acts::Result<String> {
    let mut fields = empty_fields(view);
    let mut body = copied(change, read_content::patch_base(change, &view.directory));
    if let Some(Value::Object(own)) = body.get_mut(custom_field::FIELD) {
        let kind = match change.content.kind {
            Kind::Emergency => Kind::Normal,
            other => other,
        };
        own.retain(|key, _| {
            let field = view.directory.custom_fields.get(key);
            field.is_some_and(|field| field.is_of(kind))
        });
    }
    for (name, value) in flat(&body, &view.reader) {
        if name == "touches" {
            fields.touches.push(value);
        } else {
            fields.set(&name, value);
        }
    }
    let to_come = change.planned_start.zip(change.planned_end).and_then(|(start, end)| {
        let weeks = weeks_ahead(&view.reader.local(start), view.now())?;
        let later = |at: Timestamp| Some(view.reader.local(at).checked_add(weeks.weeks()).ok()?.timestamp());
        later(start).zip(later(end))
    });
    if let Some((start, end)) = to_come {
        fields.set("planned_start", view.reader.field(start));
        fields.set("planned_end", view.reader.field(end));
    }
    fields.asked = ["title", "planned_start", "planned_end"].map(str::to_owned).to_vec();
    let mut page = new_page_of(view, fields, None);
    page.title = format!("Repeat {}", change.key);
    page.lede = change.content.title.clone();
    page.back_url = view.change_url(&change.key);
    let text = Rich::from("Targets, plans and people are copied from ")
        .link(change.key.as_str(), view.change_url(&change.key))
        .text(". The times move ahead to the same weekday; builds, approvals and evidence are required again.");
    page.notices.push(Notice::new(Tone::Plain, text));
    Ok(page.render())
}

/// A change's request without the fields of the original alone.
fn copied(change: &Change, mut body: Body) -> Body {
    for name in ONCE {
        body.remove(*name);
    }
    if body.get("kind").is_some_and(|kind| kind == "emergency") {
        body.remove("kind");
    }
    for target in body
        .get_mut("targets")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        for once in ["id", "artifact", "commit", "rollback_to"] {
            target.as_object_mut().map(|target| target.remove(once));
        }
    }
    body.insert("labels".to_owned(), json!([format!("copy of {}", change.key)]));
    body
}

/// By how many weeks a start is moved so that it lies a day ahead at least.
fn weeks_ahead(start: &Zoned, now: Timestamp) -> Option<i64> {
    let wanted = now.checked_add(24.hours()).ok()?;
    let seconds = wanted.as_second().saturating_sub(start.timestamp().as_second()).max(0);
    let week = 7 * 24 * 3_600;
    let weeks = seconds.saturating_add(week - 1) / week;
    (weeks <= MOST_WEEKS).then_some(weeks)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_copy_falls_on_the_same_weekday_a_day_ahead_at_least() {
        let zoned: Zoned = "2026-10-10T22:00+02:00[Europe/Oslo]".parse().unwrap();
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let weeks = weeks_ahead(&zoned, now).unwrap();
        let next = zoned.checked_add(weeks.weeks()).unwrap();
        assert_eq!(
            next.to_string(),
            "2026-11-21T22:00:00+01:00[Europe/Oslo]",
            "the clock keeps its hour over the switch"
        );
        let ahead: Zoned = "2027-01-10T22:00+01:00[Europe/Oslo]".parse().unwrap();
        assert_eq!(weeks_ahead(&ahead, now), Some(0));
    }
}

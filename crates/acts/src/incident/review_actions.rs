//! The action items around a post-incident review, about the incident: the review itself while it is due, and the actions that it
//! requires, each with an owner and a due time.

use jiff::Timestamp;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{AboutKind, ActionKind, ChangeRelation, Closing};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::Incident;
use model::directory::unknown_name;
use model::incident::incident_review::IncidentReview;
use model::incident::major;
use model::notify::action_item::{About, ActionItem, Due, NewItem, Owner};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::incident::keep::keep;
use crate::notify::action_items;

/// The most actions of a review.
const MOST: usize = 50;
/// The part of the action item about the review itself.
const REVIEW: &str = "review";

/// The review of an incident.
///
/// # Errors
/// The store's.
pub fn find_review(cx: &mut Context<'_, '_>, incident_key: &str) -> Result<Option<IncidentReview>> {
    let wanted = Filter::new().equals("incident_key", incident_key);
    Ok(record::find_one::<IncidentReview>(cx.tx, &wanted)?.map(|stored| stored.record))
}

/// Makes a complete review a draft again, so that a person completes it again; returns whether one was complete.
///
/// # Errors
/// The store's.
pub(crate) fn reopen_review(cx: &mut Context<'_, '_>, incident_key: &str) -> Result<bool> {
    let review = find_review(cx, incident_key)?;
    let Some(review) = review.filter(|review| review.completed_at.is_some()) else {
        return Ok(false);
    };
    let data = json!({"incident": incident_key, "cause": review.cause});
    let review = IncidentReview {
        completed_at: None,
        by: cx.actor.person.clone(),
        at: cx.now,
        ..review
    };
    keep(cx, "incident_review.written", review, data)?;
    request_review(cx, incident_key)?;
    Ok(true)
}

/// Keeps the action item of a review: of the commander, else of an owner of the services. It is opened at the end of an incident
/// that a change caused, and settled once the review is complete. It escalates, as the incident cannot be closed before.
///
/// # Errors
/// The store's.
pub(crate) fn request_review(cx: &mut Context<'_, '_>, incident_key: &str) -> Result<()> {
    let directory = cx.directory()?;
    // An incident that was never related to a change has no item, and most incidents are not.
    let is_related = |it: &&Incident| it.course.change_related.is_some();
    let Some(incident) = directory.incidents.get(incident_key).filter(is_related) else {
        return Ok(());
    };
    let about = About::new(AboutKind::Incident, incident_key);
    let is_caused = incident.course.change_related == Some(ChangeRelation::Confirmed);
    let review = find_review(cx, incident_key)?;
    let is_complete = review.is_some_and(|review| review.completed_at.is_some());
    if is_complete || !is_caused || incident.course.closed_at.is_some() {
        let reason = match is_complete {
            true => "The review is complete.",
            false => "No review is due.",
        };
        return action_items::settle_by_rule(cx, ActionKind::Other, &about, REVIEW, reason).map(drop);
    }
    // An incident that is open again keeps its item, so that a flapping source sends no letter each time.
    if incident.resolved_at.is_none() {
        return Ok(());
    }
    let commander = major::commander(incident, &directory).cloned();
    let url = &cx.services.tools().public_url;
    let link = format!("{url}/t/{}/incidents/{incident_key}/review", cx.tenant());
    let item = NewItem {
        part: REVIEW.to_owned(),
        services: incident.services.clone(),
        owner: commander.map_or(Owner::ServiceOwner, Owner::Person),
        links: vec![link],
        ..NewItem::new(
            ActionKind::Other,
            about,
            format!("Complete the review of {incident_key}"),
        )
    };
    action_items::open(cx, item).map(drop)
}

/// Opens an action of a review (`POST /incident-reviews/{key}/actions {title, owner, due_at}`).
///
/// # Errors
/// 403, 404, 409, 422, or the store's.
pub fn add_review_action(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<ActionItem> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let asked = key;
    let key = key.to_uppercase();
    if find_review(cx, &key)?.is_none() {
        return Err(Refusal::not_found(format!("review of {asked}; write it first")).into());
    }
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let title = reading.needed("title", LINE);
    let login = reading.needed("owner", LINE);
    let due_at = reading.needed_time("due_at");
    let owner = directory
        .by_login(&login)
        .filter(|person| directory.is_active(&person.id));
    if owner.is_none() && !login.is_empty() {
        reading.wrong("owner", "unknown", unknown_name::person(&directory, &login));
    }
    if due_at.is_some_and(|at| at <= cx.now) {
        reading.wrong("due_at", "in_the_past", "`due_at` must be in the future.");
    }
    reading.finish()?;
    let (Some(owner), Some(due_at)) = (owner.map(|person| person.id.clone()), due_at) else {
        return Err(Error::Fault("an action of a review was not read".to_owned()));
    };
    let known = actions_of(cx, &key)?;
    if known.iter().any(|item| item.title == title) {
        return Err(Refusal::field("title", "not_unique", "The review has this action already.").into());
    }
    if known.len() >= MOST {
        let text = format!("A review asks for at most {MOST} actions.");
        return Err(Refusal::not_now("too_many", text, "Combine some of them.", Vec::new()).into());
    }
    open(cx, &key, (title, Owner::Person(owner), due_at))
}

/// Opens the item: the only place at which a review does.
fn open(
    cx: &mut Context<'_, '_>,
    incident_key: &str,
    (title, owner, due_at): (String, Owner, Timestamp),
) -> Result<ActionItem> {
    let about = About::new(AboutKind::Incident, incident_key);
    let services = cx
        .directory()?
        .incidents
        .get(&incident_key.to_owned())
        .map(|it| it.services.clone());
    let new = NewItem {
        part: cx.new_id()?,
        services: services.unwrap_or_default(),
        owner,
        due: Due::At(due_at),
        closing: Closing::Person,
        ..NewItem::new(ActionKind::Improve, about, title)
    };
    action_items::open(cx, new)
}

/// The actions of the review of an incident, in the order of their keys.
///
/// # Errors
/// 404, or the store's.
pub fn actions_of(cx: &mut Context<'_, '_>, incident_key: &str) -> Result<Vec<ActionItem>> {
    if !cx.visible()?.incidents.contains_key(&incident_key.to_owned()) {
        return Err(Refusal::not_found("incident").into());
    }
    let filter = Filter::new()
        .equals("about_kind", AboutKind::Incident.as_str())
        .equals("about", incident_key)
        .equals("kind", ActionKind::Improve.as_str());
    Ok(record::bodies::<ActionItem>(cx.tx, &filter.order_by("id"))?)
}

//! Watches a service, or stops watching: watchers are notified of the milestones of its changes.

use model::core::act;
use model::core::body::Body;
use model::core::ids::{GroupKey, ServiceKey};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::Service;
use model::directory::unknown_name;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;

/// How many people and how many groups may watch one service.
const MOST: usize = 500;

/// Watches a service, or stops (`POST` and `DELETE /services/{key}/watchers {group?}`): for oneself, or for one's own group; an
/// administrator of people may do it for any group.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn watch_service(cx: &mut Context<'_, '_>, key: &str, body: &Body, on: bool) -> Result<Service> {
    cx.allow(act::actions::READ)?;
    let directory = cx.directory()?;
    let found = directory.services.get(&ServiceKey::from(key)).cloned();
    let Some(mut service) = found else {
        return Err(Refusal::not_found(format!("service {key}")).into());
    };
    let mut reading = Reading::new(body, "");
    let group = reading.text("group", LINE).map(GroupKey);
    if let Some(group) = &group {
        match directory.groups.get(group) {
            None => reading.wrong("group", "unknown", unknown_name::group(&directory, group.as_str())),
            Some(known) if !known.members.contains(&cx.actor.person) => {
                cx.allow(act::actions::SET_PERSON)?;
            }
            Some(_) => {}
        }
    }
    let me = cx.actor.person.clone();
    let moved = match (&group, on) {
        (Some(group), true) => service.watching_groups.insert(group.clone()),
        (Some(group), false) => service.watching_groups.remove(group),
        (None, true) => service.watchers.insert(me.clone()),
        (None, false) => service.watchers.remove(&me),
    };
    if service.watchers.len() > MOST || service.watching_groups.len() > MOST {
        let text = format!("{MOST} watch `{key}` already; a group watches for all of its members.");
        reading.wrong("group", "too_many", text);
    }
    reading.finish()?;
    if !moved {
        return Ok(service);
    }
    let kind = if on { "service.watched" } else { "service.unwatched" };
    let data = match group {
        Some(group) => json!({"group": group}),
        None => json!({"by": me}),
    };
    cx.put_estate(kind, service, data)
}

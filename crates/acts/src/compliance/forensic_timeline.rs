//! The forensic timeline: acts from the log, of one person, record, address, session or token, or around an incident.
//!
//! Around an incident it contains entries about the incident and its services (changes with their approvals, permits,
//! gate checks and deployments), each sign-in and refused attempt, changes of rights, policies, keys and credentials,
//! and changes of the log's recipients and retention.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::core::act::actions;
use model::core::ids::ServiceKey;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Incident, Service};
use serde_json::Value;
use store::record::Record;

use crate::audit::find_log::{LogFilter, LogPage, search_log};
use crate::audit::find_timeline::ShownEvent;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::report::name_record::name_record;

/// The most entries that a whole timeline holds.
pub const MOST: i64 = 2_000;
/// How long before an incident its timeline begins by default.
pub const BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// How long after it was over it ends.
const AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How many entries are read at once.
const STEP: i64 = 500;
/// The most steps for one response.
const MOST_STEPS: usize = 40;
/// Kinds of events, by the part before the dot, in the timeline of each incident: sign-ins, changes of rights,
/// policies, keys and credentials, and destinations of the log.
const ALWAYS: [&str; 25] = [
    "agent",
    "attempt",
    "audit_mandate",
    "configuration",
    "connection",
    "delegation",
    "emergency_card",
    "group",
    "hold_order",
    "identity_provider",
    "key",
    "keys",
    "log",
    "ownership",
    "person",
    "person_erasure",
    "policies",
    "retention",
    "retention_rule",
    "sign_in",
    "sink",
    "time_authority",
    "token",
    "witness",
    "workload",
];
/// An event that the log does not explain may have been written outside of the server, so it is in the timeline of each
/// incident too.
const UNGROUNDED: &str = "change.ungrounded";
/// Tables of records that belong to a change which their events may not name.
const OF_CHANGE: [&str; 9] = [
    "approval",
    "condition",
    "deployment",
    "entry",
    "evidence",
    "gate_check",
    "outside_check",
    "permit",
    "task",
];

/// The subject of a timeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The filter on its entries.
    pub filter: LogFilter,
    /// The key of an incident, around which it is.
    pub incident: Option<String>,
}

/// A page of a timeline that ends before the index `before`, newest first. One page scans a bounded number of entries
/// and then names where the next page begins.
///
/// # Errors
/// 403, 422 for an unknown name or for a timeline without a subject, or the store's.
pub fn find_forensic(cx: &mut Context<'_, '_>, wanted: &Wanted, before: Option<i64>, limit: i64) -> Result<LogPage> {
    cx.allow(actions::AUDIT)?;
    check_subject(wanted)?;
    let Some(key) = &wanted.incident else {
        return search_log(cx, &wanted.filter, before, limit);
    };
    let incident = cx.directory()?.incidents.get(&key.to_uppercase()).cloned();
    let Some(incident) = incident else {
        return Err(Refusal::field("incident", "unknown", format!("There is no incident `{key}`.")).into());
    };
    let filter = around(&wanted.filter, &incident);
    let own = own_records(&*cx.directory()?, &incident);
    let mut known = BTreeMap::new();
    let mut page = LogPage::default();
    let mut end = before;
    for _ in 0..MOST_STEPS {
        let found = search_log(cx, &filter, end, STEP)?;
        for told in found.entries {
            if !is_of(&own, &told) && !concerns(cx, &incident.services, &told, &mut known)? {
                continue;
            }
            let index = told.index;
            page.entries.push(told);
            if i64::try_from(page.entries.len()).unwrap_or(i64::MAX) >= limit {
                page.next = index.filter(|index| *index > 0);
                return Ok(page);
            }
        }
        end = found.next;
        if end.is_none() {
            return Ok(page);
        }
        // The search for rare entries has reached the limit of one response.
        if found.is_cut {
            break;
        }
    }
    page.next = end;
    page.is_cut = true;
    Ok(page)
}

/// The whole timeline, oldest first, at most [`MOST`] entries: the newest ones, and whether there are older ones.
///
/// # Errors
/// As [`find_forensic`].
pub fn whole(cx: &mut Context<'_, '_>, wanted: &Wanted) -> Result<(Vec<ShownEvent>, bool)> {
    let mut entries: Vec<ShownEvent> = Vec::new();
    let mut before = None;
    for _ in 0..MOST_STEPS {
        let left = MOST - i64::try_from(entries.len()).unwrap_or(MOST);
        let page = find_forensic(cx, wanted, before, left.min(STEP))?;
        entries.extend(page.entries);
        before = page.next;
        if before.is_none() || i64::try_from(entries.len()).unwrap_or(MOST) >= MOST {
            break;
        }
    }
    entries.reverse();
    Ok((entries, before.is_some()))
}

/// Refuses a timeline of everything: that is the log.
fn check_subject(wanted: &Wanted) -> Result<()> {
    let filter = &wanted.filter;
    let named = [
        &filter.actor,
        &filter.about,
        &filter.address,
        &filter.session,
        &filter.token,
        &wanted.incident,
    ];
    if named.iter().any(|it| it.is_some()) {
        return Ok(());
    }
    let text = "A timeline needs a subject: name a person, a record, an address, a session, a token or an incident.";
    Err(Refusal::field("about", "missing", text).into())
}

/// The filter with the incident's span, if it has no span of its own.
fn around(filter: &LogFilter, incident: &Incident) -> LogFilter {
    let began = incident.started_at.checked_sub(BEFORE).unwrap_or(Timestamp::MIN);
    let over = incident.resolved_at.and_then(|at| at.checked_add(AFTER).ok());
    LogFilter {
        from: filter.from.or(Some(began)),
        to: filter.to.or(over),
        ..filter.clone()
    }
}

/// The tables and ids of an incident and its services.
fn own_records(directory: &Directory, incident: &Incident) -> BTreeSet<(&'static str, String)> {
    let services = incident.services.iter().filter_map(|key| directory.services.get(key));
    let services = services.map(|service| (Service::TABLE, service.id.0.clone()));
    services.chain([(Incident::TABLE, incident.id.0.clone())]).collect()
}

/// Whether an entry is about one of these records.
fn is_of(records: &BTreeSet<(&'static str, String)>, told: &ShownEvent) -> bool {
    records
        .iter()
        .any(|(table, id)| *table == told.table && *id == told.subject)
}

/// Whether an entry concerns services; none means all.
fn concerns(
    cx: &mut Context<'_, '_>,
    services: &BTreeSet<ServiceKey>,
    told: &ShownEvent,
    known: &mut BTreeMap<String, bool>,
) -> Result<bool> {
    let family = told.kind.split('.').next().unwrap_or_default();
    if services.is_empty() || ALWAYS.contains(&family) || told.kind == UNGROUNDED {
        return Ok(true);
    }
    let text = |name: &str| told.data.get(name).and_then(Value::as_str);
    if let Some(service) = text("service") {
        return Ok(services.iter().any(|it| it.as_str() == service));
    }
    // Another incident that affects one of the services, whichever of the two was first.
    let all = told.data.get("services").and_then(Value::as_array);
    let mut all = all.into_iter().flatten().filter_map(Value::as_str);
    if all.any(|one| services.iter().any(|it| it.as_str() == one)) {
        return Ok(true);
    }
    let named = match told.table.as_str() {
        "change" => Some(told.subject.clone()),
        _ => text("change").or(text("change_key")).map(str::to_owned),
    };
    let change = match named {
        Some(change) => Some(change),
        None if OF_CHANGE.contains(&told.table.as_str()) => name_record(cx, &told.table, &told.subject)?.change,
        None => None,
    };
    let Some(change) = change else { return Ok(false) };
    if let Some(is_near) = known.get(&change) {
        return Ok(*is_near);
    }
    let is_near = match cx.change(&change) {
        Ok(found) => found.content.targets.iter().any(|it| services.contains(&it.service)),
        Err(Error::Refused(_)) => false,
        Err(error) => return Err(error),
    };
    known.insert(change, is_near);
    Ok(is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_every_timeline_are_kinds_of_events() {
        let known = model::nouns::event_kinds();
        for family in ALWAYS {
            let beginning = format!("{family}.");
            assert!(known.iter().any(|kind| kind.starts_with(&beginning)), "`{family}`");
        }
        assert!(known.contains(UNGROUNDED));
    }
}

//! Candidates of an incident: changes whose work lay shortly before it on its services or below them, ranked. A person confirms or
//! clears each with a reason, which stays.

use model::change::change_file::Actor;
use model::change::related_records::Link;
use model::core::act;
use model::core::body::Body;
use model::core::enums::LinkKind;
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::snapshot::{CauseVerdict, Incident};
use model::incident::watch::is_in_watch;
use model::incident::what_changed::{CAUSE_HOURS, is_sure};
use serde_json::json;
use store::record::{self, Filter};

use crate::change::link_change::{link_change, unlink_change};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{self, Written};
use crate::incident::find_what_changed::{Changed, Question, find_what_changed};
use crate::incident::link_records::give_reason;

/// The owners of so many candidates are notified.
const NOTIFIED: usize = 3;

/// The candidates of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// How many hours were looked back.
    pub hours: i64,
    /// Whether the first is far enough ahead to be named as the likeliest.
    pub sure: bool,
    /// The candidates, the likeliest first; those that were cleared come last.
    pub items: Vec<Changed>,
}

/// Finds the candidates of an incident, over all of its services. A change that the incident gave rise to is none.
///
/// # Errors
/// 403, or the store's.
pub fn find_candidates(cx: &mut Context<'_, '_>, incident: &Incident, hours: i64) -> Result<Candidates> {
    let mut items: Vec<Changed> = Vec::new();
    let directory = cx.visible()?;
    for service in incident
        .services
        .iter()
        .filter(|key| directory.services.contains_key(*key))
    {
        let question = Question {
            service: Some(service.0.clone()),
            item: None,
            before: incident.started_at,
            hours,
        };
        for found in find_what_changed(cx, &question)?.items {
            let same = |it: &&mut Changed| (&it.change, &it.deployment) == (&found.change, &found.deployment);
            match items.iter_mut().find(same) {
                Some(known) if known.ranked.score >= found.ranked.score => {}
                Some(known) => *known = found,
                None => items.push(found),
            }
        }
    }
    let is_cleared = |it: &Changed| {
        let said = it.change.as_deref().and_then(|key| incident.cause_verdict(key));
        said.is_some_and(|said| !said.confirmed)
    };
    items.sort_by_key(|it| (is_cleared(it), std::cmp::Reverse(it.ranked.score), it.change.clone()));
    let scores: Vec<i64> = items
        .iter()
        .filter(|it| !is_cleared(it))
        .map(|it| it.ranked.score)
        .collect();
    Ok(Candidates {
        hours,
        sure: is_sure(&scores),
        items,
    })
}

/// Notes the candidates of an incident that was opened or has further services, and notifies the owners of the first with what is
/// known. Nobody is accused: the time and the place alone speak for a candidate.
///
/// # Errors
/// The store's.
pub(crate) fn note_candidates(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<()> {
    let found = cx.as_system(|cx| find_candidates(cx, incident, CAUSE_HOURS))?;
    let changes: Vec<&Changed> = found.items.iter().filter(|it| it.change.is_some()).collect();
    if changes.is_empty() {
        return Ok(());
    }
    let directory = cx.directory()?;
    let mut written = Written::default();
    for (place, row) in changes.iter().take(NOTIFIED).enumerate() {
        let key = row.change.as_deref().unwrap_or_default();
        let change = cx.as_system(|cx| cx.change(key))?;
        // Who watches the change now gets the notice of its watch.
        if is_in_watch(&change, &directory, incident) {
            continue;
        }
        let owner = change.content.owner.clone();
        if !directory.is_active(&owner) || !directory.sees_incident(&owner, incident) {
            continue;
        }
        let subject = format!("{} began after {key}", incident.key);
        let text = format!(
            "{} ({}) began at {}. {key} is candidate {} of {} for what led to it: {}.\nThat is no verdict. If you know that it had, or \
             had not, to do with it, say so on the page of the incident.\n",
            incident.key,
            incident.title,
            incident.started_at,
            place + 1,
            changes.len(),
            row.ranked.reasons.join("; ")
        );
        let dedup = format!("incident_candidate/{}/{key}", incident.key);
        let message = ("incident_candidate", subject.as_str(), text.as_str(), dedup.as_str());
        save_message(cx, &mut written, &owner, Some((&change.id, key)), message)?;
    }
    let keys: Vec<&str> = changes
        .iter()
        .take(NOTIFIED)
        .filter_map(|it| it.change.as_deref())
        .collect();
    let data = json!({"incident": incident.key, "changes": keys, "sure": found.sure});
    let event = write::draft(
        "incident.candidates_found",
        ("incident", incident.id.0.clone()),
        cx.now,
        data,
    );
    cx.tell(vec![event], written)
}

/// Confirms or clears a candidate (`POST /incidents/{key}/candidates {change, confirmed, reason}`). A confirmed one is linked as
/// `caused`, in the same transaction, so that it is read from both sides; a link that a person made stays. Clearing takes such links
/// back, and the outcome follows; the reason stands on the link.
///
/// # Errors
/// 403, 404, 422; 409 for a link that is refused; or the store's.
pub fn judge_candidate(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let directory = cx.directory()?;
    let Some(before) = directory.incidents.get(&key.to_uppercase()) else {
        return Err(Refusal::not_found(format!("incident {key}")).into());
    };
    let mut reading = Reading::new(body, "");
    let named = reading.needed("change", LINE);
    let confirmed = reading.boolean("confirmed");
    if confirmed.is_none() && !reading.says("confirmed") {
        reading.wrong(
            "confirmed",
            "missing",
            "`confirmed` is missing: true confirms, false clears.",
        );
    }
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let change = cx.change(&named)?;
    let confirmed = confirmed.unwrap_or_default();
    let links = links_between(cx, change.id.as_str(), &before.key)?;
    match confirmed {
        true => confirm(cx, &change.key, &before.key, (&links, &reason))?,
        false => clear(cx, &change.key, (&links, &reason))?,
    }
    // The link may have moved the incident's record on.
    let directory = cx.directory()?;
    let mut incident = directory.incidents.get(&before.key).unwrap_or(before).clone();
    incident.cause_verdicts.push(CauseVerdict {
        change: change.id.clone(),
        change_key: change.key.clone(),
        confirmed,
        reason,
        by: cx.actor.person.clone(),
        at: cx.now,
    });
    let kind = if confirmed {
        "incident.cause_confirmed"
    } else {
        "incident.cause_cleared"
    };
    cx.put_estate(kind, incident, json!({"change": change.key}))
}

/// Links a change as the cause, unless a person did so already. What a delivery supposed is no confirmation.
fn confirm(cx: &mut Context<'_, '_>, change: &str, incident: &str, (links, reason): (&[Link], &str)) -> Result<()> {
    let system = Actor::system().person;
    if links.iter().any(|link| link.by != system) {
        return Ok(());
    }
    let link = json!({"kind": LinkKind::Caused.as_str(), "to": incident});
    let id = link_change(cx, change, &link.as_object().cloned().unwrap_or_default())?;
    give_reason(cx, &id, reason)
}

/// Takes back what says that a change caused an incident. The reason stands on each link before it ends.
fn clear(cx: &mut Context<'_, '_>, change: &str, (links, reason): (&[Link], &str)) -> Result<()> {
    for link in links {
        give_reason(cx, &link.id, reason)?;
        unlink_change(cx, change, &link.id)?;
    }
    Ok(())
}

/// The standing links by which a change caused an incident.
fn links_between(cx: &mut Context<'_, '_>, change: &str, incident: &str) -> Result<Vec<Link>> {
    let filter = Filter::new()
        .equals("from_change", change)
        .equals("kind", LinkKind::Caused.as_str())
        .order_by("id");
    let mut links = record::bodies::<Link>(cx.tx, &filter)?;
    links.retain(|link| link.to == incident && link.removed_at.is_none());
    Ok(links)
}

//! Candidates of an incident: changes whose work lay shortly before it on its services or below them, ranked. A person confirms or
//! clears each with a reason, which stays.

use std::collections::BTreeSet;

use model::change::around::is_weaker;
use model::change::change_file::{Actor, ChangeFile};
use model::change::record::Change;
use model::change::related_records::Link;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{CauseGap, ChangeRelation, LinkKind};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::snapshot::{CauseVerdict, Incident};
use model::incident::cause_fit::{SURE_PPM, leads};
use model::incident::course::JudgedRank;
use model::incident::watch::is_in_watch;
use model::incident::what_changed::{CAUSE_HOURS, is_sure, order};
use serde_json::json;
use store::record::{self, Filter};

use crate::change::link_change::{link_change, unlink_change};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{self, Written};
use crate::incident::find_what_changed::{Changed, Question, find_watching, find_what_changed};
use crate::incident::fit_causes::{ServiceWindow, in_force, windows_of};
use crate::incident::link_records::{cause_by_links, end_carried, give_reason, with_duplicates};
use crate::incident::review_actions::request_review;

/// The owners of this many candidates are notified.
const NOTIFIED: usize = 3;

/// The candidates of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// How many hours back the search went, at the service with the longest window.
    pub hours: i64,
    /// How far back each service of the incident looks; empty where the hours were given.
    pub windows: Vec<ServiceWindow>,
    /// Whether the first is far enough ahead to be named as the likeliest.
    pub sure: bool,
    /// The candidates, the likeliest first; those that were cleared come last.
    pub items: Vec<Changed>,
    /// The ranking of each candidate, in their order.
    pub ranks: Vec<JudgedRank>,
    /// How likely each led to the incident, in parts per million, in their order; empty where no probability is given.
    pub probabilities: Vec<i64>,
    /// The digest of the fit that was used; absent where there is none yet.
    pub model: Option<String>,
    /// How many judged candidates the fit learned from.
    pub verdicts: i64,
    /// Why no probability is given.
    pub gap: Option<CauseGap>,
}

impl Candidates {
    /// How likely a candidate led to the incident, by its place.
    #[must_use]
    pub fn probability(&self, place: usize) -> Option<i64> {
        self.probabilities.get(place).copied()
    }

    /// Whether a change is a candidate that nobody cleared.
    fn has_open(&self, incident: &Incident) -> bool {
        self.items
            .iter()
            .any(|it| it.change.is_some() && !is_cleared(incident, it))
    }
}

fn is_cleared(incident: &Incident, row: &Changed) -> bool {
    let said = row.change.as_deref().and_then(|key| incident.cause_verdict(key));
    said.is_some_and(|said| !said.confirmed)
}

/// Finds the candidates of an incident, over all of its services. A change that the incident gave rise to is no candidate. The
/// search goes back as far as is set for each service, else as its earlier causes suggest, else four hours; farther for changes
/// in whose watch the incident began. `hours` sets another time.
///
/// # Errors
/// 403, or the store's.
pub fn find_candidates(cx: &mut Context<'_, '_>, incident: &Incident, hours: Option<i64>) -> Result<Candidates> {
    let known = in_force(cx)?;
    let fit = known.as_ref().map(|(_, fit)| fit);
    let mut own = windows_of(cx, incident, fit)?;
    let directory = cx.visible()?;
    // A reader who may not see a service gets neither its name nor its hours.
    own.retain(|it| directory.services.contains_key(&it.service));
    let mut items: Vec<Changed> = Vec::new();
    for window in &own {
        let question = Question {
            service: Some(window.service.0.clone()),
            item: None,
            before: incident.started_at,
            hours: hours.unwrap_or(window.hours),
        };
        for found in find_what_changed(cx, &question)?.items {
            let same = |it: &&mut Changed| {
                let (one, other) = ((&it.change, &it.deployment), (&found.change, &found.deployment));
                one == other && (&it.drift, &it.notice) == (&found.drift, &found.notice)
            };
            match items.iter_mut().find(same) {
                Some(known) if known.ranked.score >= found.ranked.score => {}
                Some(known) => *known = found,
                None => items.push(found),
            }
        }
    }
    if hours.is_none() {
        // A watch may be longer than the hours of the service.
        for found in find_watching(cx, incident)? {
            if items.iter().all(|known| known.change != found.change) {
                items.push(found);
            }
        }
    }
    items.sort_by(|one, other| {
        is_cleared(incident, one)
            .cmp(&is_cleared(incident, other))
            .then_with(|| order((&one.ranked, &one.happening), (&other.ranked, &other.happening)))
            .then_with(|| one.change.cmp(&other.change))
    });
    let ranks = ranks(incident, &items);
    let curve = fit.and_then(|fit| fit.curve.as_ref());
    let probabilities: Vec<i64> = match curve {
        Some(curve) => ranks
            .iter()
            .map(|it| curve.ppm(it.points, it.lead, it.is_near))
            .collect(),
        None => Vec::new(),
    };
    let (model, verdicts) = known
        .as_ref()
        .map_or((None, 0), |(model, _)| (Some(model.digest.clone()), model.verdicts));
    let farthest = own.iter().map(|it| it.hours).max().unwrap_or(CAUSE_HOURS);
    Ok(Candidates {
        hours: hours.unwrap_or(farthest),
        windows: if hours.is_some() { Vec::new() } else { own },
        sure: is_first_sure(incident, &items, &probabilities),
        gap: match (fit, curve) {
            (_, Some(_)) => None,
            (fit, None) => Some(fit.and_then(|fit| fit.gap).unwrap_or(CauseGap::TooFew)),
        },
        items,
        ranks,
        probabilities,
        model,
        verdicts,
    })
}

/// The ranking of each candidate: its points, its lead over the best of the others, and how long before the incident its work
/// ended.
fn ranks(incident: &Incident, items: &[Changed]) -> Vec<JudgedRank> {
    let points: Vec<i64> = items.iter().map(|it| it.ranked.score).collect();
    let delay = |it: &Changed| {
        let ended = it.happening.ended.filter(|end| *end <= incident.started_at);
        ended.map_or(0, |end| incident.started_at.duration_since(end).as_mins().max(0))
    };
    let rows = items.iter().zip(points.iter().copied()).zip(leads(&points));
    rows.map(|((it, points), lead)| JudgedRank {
        points,
        lead,
        is_near: it.happening.distance == 0,
        delay_minutes: delay(it),
    })
    .collect()
}

/// Whether the first candidate that nobody cleared is named as the likeliest: where a probability is given, from one half on and
/// above every other; else by its points and its lead.
fn is_first_sure(incident: &Incident, items: &[Changed], probabilities: &[i64]) -> bool {
    let open = items.iter().enumerate().filter(|(_, it)| !is_cleared(incident, it));
    if probabilities.is_empty() {
        let scores: Vec<i64> = open.map(|(_, it)| it.ranked.score).collect();
        return is_sure(&scores);
    }
    let told: Vec<i64> = open.filter_map(|(at, _)| probabilities.get(at).copied()).collect();
    let second = told.get(1).copied().unwrap_or_default();
    told.first().is_some_and(|first| *first >= SURE_PPM && *first > second)
}

/// The candidates of an incident that is about to be saved, found with the system's rights.
///
/// # Errors
/// The store's.
pub(crate) fn look(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<Candidates> {
    cx.as_system(|cx| find_candidates(cx, incident, None))
}

/// Whether a change is a candidate of an incident that nobody cleared.
///
/// # Errors
/// The store's.
pub(crate) fn is_open_candidate(cx: &mut Context<'_, '_>, incident: &Incident, change: &str) -> Result<bool> {
    let found = look(cx, incident)?;
    let mut items = found.items.iter();
    Ok(items.any(|it| it.change.as_deref() == Some(change) && !is_cleared(incident, it)))
}

/// The incident with its flag: whether it is related to a change, by links, verdicts and candidates.
///
/// # Errors
/// The store's.
pub(crate) fn flagged(cx: &mut Context<'_, '_>, mut incident: Incident, found: &Candidates) -> Result<Incident> {
    let by_links = cause_by_links(cx, &incident)?;
    incident.course.change_related = relation(&incident, by_links, found.has_open(&incident));
    Ok(incident)
}

/// Whether an incident is related to a change: first by a link or a verdict, else by a delivery's guess or open candidates. If
/// all were cleared, it is not related.
fn relation(incident: &Incident, by_links: Option<ChangeRelation>, has_open: bool) -> Option<ChangeRelation> {
    if by_links == Some(ChangeRelation::Confirmed) || incident.confirmed_causes().next().is_some() {
        return Some(ChangeRelation::Confirmed);
    }
    if by_links.is_some() || has_open {
        return Some(ChangeRelation::Suspected);
    }
    let was_asked = incident.course.change_related.is_some() || !incident.cause_verdicts.is_empty();
    was_asked.then_some(ChangeRelation::Cleared)
}

/// Records the candidates of an incident that was opened or has further services, and notifies the owners of the first about
/// them. A candidate rests on time and place alone and accuses nobody.
///
/// # Errors
/// The store's.
pub(crate) fn note_candidates(cx: &mut Context<'_, '_>, incident: &Incident, found: &Candidates) -> Result<()> {
    let changes: Vec<(usize, &Changed)> = found
        .items
        .iter()
        .enumerate()
        .filter(|(_, it)| it.change.is_some())
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let directory = cx.directory()?;
    let mut written = Written::default();
    for (place, (at, row)) in changes.iter().take(NOTIFIED).enumerate() {
        let key = row.change.as_deref().unwrap_or_default();
        let change = cx.as_system(|cx| cx.change(key))?;
        // The watchers of the change get the notice of its watch at this moment.
        if is_in_watch(&change, &directory, incident) {
            continue;
        }
        let owner = change.content.owner.clone();
        if !directory.is_active(&owner) || !directory.sees_incident(&owner, incident) {
            continue;
        }
        let likely = found.probability(*at).map_or_else(String::new, |ppm| {
            format!(
                " Of earlier candidates like it, {} % had led to the incident.",
                (ppm + 5_000) / 10_000
            )
        });
        let subject = format!("{} began after {key}", incident.key);
        let text = format!(
            "{} ({}) began at {}. {key} is candidate {} of {} for what led to it: {}.{likely}\nThat is no verdict. If you know that it \
             had, or had not, to do with it, say so on the page of the incident.\n",
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
        .filter_map(|(_, it)| it.change.as_deref())
        .collect();
    let told: Vec<i64> = changes
        .iter()
        .take(NOTIFIED)
        .filter_map(|(at, _)| found.probability(*at))
        .collect();
    let data = json!({
        "incident": incident.key, "changes": keys, "sure": found.sure, "probabilities_ppm": told, "model": found.model,
    });
    let event = write::draft(
        "incident.candidates_found",
        ("incident", incident.id.0.clone()),
        cx.now,
        data,
    );
    cx.emit(vec![event], written)
}

/// Confirms or clears a candidate (`POST /incidents/{key}/candidates {change, confirmed, reason}`). A confirmed one is linked as
/// `caused`, in the same transaction, so that it is read from both sides; a link that a person made stays. Clearing ends such
/// links, and the change's outcome follows; the reason is kept on the link.
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
    let file = cx.file(&named)?;
    let change = &file.change;
    let confirmed = confirmed.unwrap_or_default();
    // The rank is computed before the verdict: a confirmed cause is a failed change and ranks higher by that alone.
    let rank = rank_of(&look(cx, before)?, change);
    let links = links_between(cx, change.id.as_str(), &before.key)?;
    match confirmed {
        true => confirm(cx, change, &before.key, (&links, &reason))?,
        false => clear(cx, change, before, &reason)?,
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
        rank,
        is_own: is_behind(&cx.actor, &file),
    });
    let has_open = look(cx, &incident)?.has_open(&incident);
    let by_links = cause_by_links(cx, &incident)?;
    incident.course.change_related = relation(&incident, by_links, has_open);
    let kind = if confirmed {
        "incident.cause_confirmed"
    } else {
        "incident.cause_cleared"
    };
    let data = json!({"change": change.key, "change_related": incident.course.change_related});
    let judged = cx.put_estate(kind, incident, data)?;
    request_review(cx, &judged.key)?;
    Ok(judged)
}

/// The rank of a change; `None` where it is no candidate.
fn rank_of(found: &Candidates, change: &Change) -> Option<JudgedRank> {
    let place = found
        .items
        .iter()
        .position(|it| it.change.as_deref() == Some(change.key.as_str()))?;
    found.ranks.get(place).cloned()
}

/// Whether the acting person, or the person who acts through them, has a part in a change, under any of their accounts.
fn is_behind(actor: &Actor, file: &ChangeFile) -> bool {
    let content = &file.change.content;
    let named = [&file.change.requester, &content.owner];
    let mut parts = named.into_iter().chain(&content.implementers);
    parts.any(|part| {
        let mut own = [&actor.person, actor.speaker()].into_iter();
        own.any(|person| file.hands.are_one(person, part) || file.hands.has_agent(person, |agent| agent == part))
    })
}

/// Links a change as the cause, unless a person did so already. A delivery's guess is no confirmation, and neither is a link by
/// a person with a part in the change.
fn confirm(cx: &mut Context<'_, '_>, change: &Change, incident: &str, (links, reason): (&[Link], &str)) -> Result<()> {
    let person = &cx.actor.person;
    if links.iter().any(|link| !is_weaker(change, link, person)) {
        return Ok(());
    }
    let link = json!({"kind": LinkKind::Caused.as_str(), "to": incident});
    let id = link_change(cx, &change.key, &link.as_object().cloned().unwrap_or_default())?;
    give_reason(cx, &id, reason)
}

/// Ends the links by which a change caused an incident or a duplicate merged into the incident. The reason is kept on each link
/// before it ends.
fn clear(cx: &mut Context<'_, '_>, change: &Change, incident: &Incident, reason: &str) -> Result<()> {
    for one in with_duplicates(cx, incident)? {
        for link in links_between(cx, change.id.as_str(), &one.key)? {
            give_reason(cx, &link.id, reason)?;
            unlink_change(cx, &change.key, &link.id)?;
        }
        end_carried(cx, &change.key, &one.key, reason)?;
    }
    Ok(())
}

/// Clears each candidate that is open still, for the reason with which a person closes the incident. Such a verdict trains no
/// model, because nobody looked at each candidate. A delivery's guess stays: the incident review settles it.
///
/// # Errors
/// The store's.
pub(crate) fn clear_open(cx: &mut Context<'_, '_>, mut incident: Incident, reason: &str) -> Result<Incident> {
    let found = look(cx, &incident)?;
    let open = found.items.iter().filter(|it| !is_cleared(&incident, it));
    let keys: BTreeSet<String> = open.filter_map(|it| it.change.clone()).collect();
    for key in keys {
        let file = cx.as_system(|cx| cx.file(&key))?;
        if !links_between(cx, file.change.id.as_str(), &incident.key)?.is_empty() {
            continue;
        }
        incident.cause_verdicts.push(CauseVerdict {
            change: file.change.id.clone(),
            change_key: key,
            confirmed: false,
            reason: reason.to_owned(),
            by: cx.actor.person.clone(),
            at: cx.now,
            rank: None,
            is_own: is_behind(&cx.actor, &file),
        });
    }
    let by_links = cause_by_links(cx, &incident)?;
    incident.course.change_related = relation(&incident, by_links, false);
    Ok(incident)
}

/// The active links by which a change caused an incident.
fn links_between(cx: &mut Context<'_, '_>, change: &str, incident: &str) -> Result<Vec<Link>> {
    let filter = Filter::new()
        .equals("from_change", change)
        .equals("kind", LinkKind::Caused.as_str())
        .order_by("id");
    let mut links = record::bodies::<Link>(cx.tx, &filter)?;
    links.retain(|link| link.to == incident && link.removed_at.is_none());
    Ok(links)
}

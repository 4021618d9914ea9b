//! The failures of the last half-year: incidents, and changes that failed without one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::Timestamp;
use model::change::record::Change;
use model::change::related_records::{Entry, Link};
use model::change::success::succeeded;
use model::core::enums::{EntryKind, LinkKind, RelationKind, State};
use model::directory::snapshot::Incident;
use model::incident::incident_review::IncidentReview;
use model::incident::record_link::RecordLink;
use model::incident::recurred::DAYS;
use model::incident::recurrence::Failure;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most changes that are examined, the newest first.
const MOST: i64 = 5_000;
/// The most duplicates of duplicates.
const MOST_IN_CHAIN: usize = 50;
/// The most reviews.
const MOST_REVIEWS: i64 = 5_000;

/// Finds failures, the earliest first. The incidents are those of the whole tenant; a duplicate is no failure of its own,
/// whether merged or linked.
///
/// # Errors
/// The store's.
pub(crate) fn find_failures(cx: &mut Context<'_, '_>) -> Result<Vec<Failure>> {
    // A fix has as many days before it as it was watched after it, so twice the span is read.
    let since = cx
        .now
        .checked_sub(SignedDuration::from_hours(2 * DAYS * 24))
        .unwrap_or(Timestamp::MIN);
    let causes = causes(cx)?;
    let directory = cx.directory()?;
    let mut duplicates = duplicates(cx)?;
    for incident in directory.incidents.values() {
        let into = incident.course.duplicate_of.clone();
        duplicates.extend(into.map(|into| (incident.key.clone(), into)));
    }
    let mut found: BTreeMap<String, Failure> = directory
        .incidents
        .values()
        .filter(|incident| incident.started_at >= since)
        .filter(|incident| !duplicates.contains_key(&incident.key))
        .map(|incident| (incident.key.clone(), of_incident(incident, causes.get(&incident.key))))
        .collect();
    for change in failed(cx, since)? {
        let steps = failed_steps(cx, &change)?;
        let caused = caused(cx, &change)?;
        let originals = caused.into_iter().map(|key| original(&duplicates, key));
        let known: BTreeSet<String> = originals.filter(|key| found.contains_key(key)).collect();
        if known.is_empty() {
            let failure = of_change(&change, steps);
            found.insert(failure.key.clone(), failure);
            continue;
        }
        for key in known {
            if let Some(failure) = found.get_mut(&key) {
                failure.also.insert(change.key.clone());
                failure.steps.extend(steps.iter().cloned());
                failure
                    .templates
                    .extend(change.content.template.iter().map(|it| it.key.clone()));
                failure.services.extend(services(&change));
            }
        }
    }
    let mut all: Vec<Failure> = found.into_values().collect();
    all.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
    Ok(all)
}

fn causes(cx: &mut Context<'_, '_>) -> Result<BTreeMap<String, String>> {
    let complete = Filter::new().is_set("completed_at").descending_by("completed_at");
    let reviews = record::bodies::<IncidentReview>(cx.tx, &complete.limit(MOST_REVIEWS))?;
    let of = |review: IncidentReview| Some((review.incident_key, review.cause?));
    Ok(reviews.into_iter().filter_map(of).collect())
}

/// The records that are linked as duplicates, each with its original.
fn duplicates(cx: &mut Context<'_, '_>) -> Result<BTreeMap<String, String>> {
    let wanted = Filter::new()
        .equals("kind", RelationKind::DuplicateOf.as_str())
        .equals("active", true)
        .descending_by("id");
    let links = record::bodies::<RecordLink>(cx.tx, &wanted.limit(MOST_REVIEWS))?;
    Ok(links.into_iter().map(|link| (link.from, link.to)).collect())
}

/// The last record in a chain of duplicates; the record itself when it is no duplicate.
fn original(duplicates: &BTreeMap<String, String>, key: String) -> String {
    let mut at = key;
    // Rings are refused; one from before stops here.
    for _ in 0..MOST_IN_CHAIN {
        let Some(next) = duplicates.get(&at) else { break };
        at.clone_from(next);
    }
    at
}

fn of_incident(incident: &Incident, cause: Option<&String>) -> Failure {
    let alert = incident.connection.as_ref().zip(incident.external_ref.as_ref());
    Failure {
        key: incident.key.clone(),
        at: incident.started_at,
        services: incident.services.iter().map(|key| key.0.clone()).collect(),
        cause: cause.cloned(),
        alert: alert.map(|(connection, text)| format!("{connection}/{text}")),
        steps: BTreeSet::new(),
        templates: BTreeSet::new(),
        also: BTreeSet::new(),
    }
}

fn services(change: &Change) -> BTreeSet<String> {
    change
        .content
        .targets
        .iter()
        .map(|target| target.service.0.clone())
        .collect()
}

fn of_change(change: &Change, steps: BTreeSet<String>) -> Failure {
    let at = change.actual_end.or(change.actual_start).unwrap_or(change.created_at);
    Failure {
        key: change.key.clone(),
        at,
        services: services(change),
        cause: None,
        alert: None,
        steps,
        templates: change.content.template.iter().map(|it| it.key.clone()).collect(),
        also: BTreeSet::new(),
    }
}

/// The changes that were saved since then and did not succeed.
fn failed(cx: &mut Context<'_, '_>, since: Timestamp) -> Result<Vec<Change>> {
    let ended = Filter::new()
        .also_one_of("state", [State::Reviewing, State::Closed].map(State::as_str))
        .at_least("updated_at", since)
        .descending_by("updated_at")
        .limit(MOST);
    let found = record::bodies::<Change>(cx.tx, &ended)?;
    Ok(found
        .into_iter()
        .filter(|change| succeeded(change) == Some(false))
        .collect())
}

/// The incidents that a change caused, by confirmation or as a delivery supposed.
fn caused(cx: &mut Context<'_, '_>, change: &Change) -> Result<BTreeSet<String>> {
    let mut found: BTreeSet<String> = change.caused_incidents.iter().map(|row| row.incident.clone()).collect();
    let links = Filter::new()
        .equals("from_change", change.id.as_str())
        .equals("kind", LinkKind::Caused.as_str())
        .order_by("id");
    let links = record::bodies::<Link>(cx.tx, &links)?;
    found.extend(
        links
            .into_iter()
            .filter(|link| link.removed_at.is_none())
            .map(|link| link.to),
    );
    Ok(found)
}

/// The texts of the steps of the plan at which something went wrong, in small letters with single spaces.
fn failed_steps(cx: &mut Context<'_, '_>, change: &Change) -> Result<BTreeSet<String>> {
    let entries = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let entries = record::bodies::<Entry>(cx.tx, &entries)?;
    let went_wrong = entries.into_iter().filter(|entry| entry.kind == EntryKind::Issue);
    let numbers = went_wrong.filter_map(|entry| usize::try_from(entry.step?).ok()?.checked_sub(1));
    let steps = numbers.filter_map(|place| change.content.plan.get(place));
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    Ok(steps
        .map(|step| plain(&step.title))
        .filter(|text| !text.is_empty())
        .collect())
}

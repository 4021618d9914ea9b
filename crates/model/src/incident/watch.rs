//! The watch window after the work: its length, the incidents that began meanwhile, and the conditions for closing that follow.
//! The rules are the same for every kind of change.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::change::change_file::{Case, ChangeFile};
use crate::change::eligible;
use crate::change::record::{Change, WatchedIncident};
use crate::core::enums::{Criticality, Kind, LinkKind, State};
use crate::core::parse::later;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, Incident, logins};

/// The minutes for which a change is watched after its work: for a standard change, the value in its approved template; for any
/// other, by the highest criticality among its services and by its risk.
#[must_use]
pub fn watch_minutes(change: &Change, directory: &Directory) -> i64 {
    let template = change
        .content
        .template
        .as_ref()
        .filter(|_| change.content.kind == Kind::Standard)
        .and_then(|template| directory.templates.get(&template.key));
    if let Some(template) = template {
        // A version from before a watch was required may have none.
        return template.watch_minutes.max(1);
    }
    let table = directory
        .tenant
        .as_ref()
        .map(|tenant| tenant.watch_table)
        .unwrap_or_default();
    let services = change.content.targets.iter();
    let criticality = services
        .filter_map(|target| directory.services.get(&target.service))
        .map(|service| service.criticality)
        .max()
        .unwrap_or(Criticality::Low);
    let row = match criticality {
        Criticality::Low => table.low,
        Criticality::Medium => table.medium,
        Criticality::High => table.high,
        Criticality::Critical => table.critical,
    };
    row.minutes(change.risk.level)
}

/// The longest watch window that a change of the tenant may have.
#[must_use]
pub fn longest(directory: &Directory) -> SignedDuration {
    let table = directory.tenant.as_ref().map(|tenant| tenant.watch_table);
    let templates = directory.templates.values().map(|template| template.watch_minutes);
    let of_templates = templates.max().unwrap_or_default();
    SignedDuration::from_mins(of_templates.max(table.unwrap_or_default().longest()))
}

/// The start and end of a change's watch; the end is absent while its work is under way. Times that people report can make it
/// longer, and never shorter than the work that the server saw.
#[must_use]
pub fn watch_span(change: &Change, directory: &Directory) -> Option<(Timestamp, Option<Timestamp>)> {
    let start = change.seen_work.earliest(change.actual_start)?;
    Some((start, watch_end(change, directory)))
}

/// When the watch window ends; absent before the work has ended.
#[must_use]
pub fn watch_end(change: &Change, directory: &Directory) -> Option<Timestamp> {
    let is_over = change.outcome.is_some() || change.state > State::Implementing;
    let end = change.seen_work.latest(change.actual_end).filter(|_| is_over)?;
    Some(later(end, SignedDuration::from_mins(watch_minutes(change, directory))))
}

/// Whether an incident is on a service of the change, and is not the one that the change was made for.
fn concerns(change: &Change, incident: &Incident) -> bool {
    let named = change.content.incident.as_deref();
    let mut targets = change.content.targets.iter();
    named.is_none_or(|named| !named.eq_ignore_ascii_case(&incident.key))
        && targets.any(|target| incident.services.contains(&target.service))
}

/// Whether an incident concerns a service of the change and began while the change was watched.
#[must_use]
pub fn is_in_watch(change: &Change, directory: &Directory, incident: &Incident) -> bool {
    let Some((from, until)) = watch_span(change, directory) else {
        return false;
    };
    concerns(change, incident)
        // Many senders report whole seconds only.
        && from.as_second() <= incident.started_at.as_second()
        && until.is_none_or(|until| incident.started_at <= until)
}

/// The incidents of a change's watch window, in the order of their beginning: those recorded in the change, and those in the
/// directory now.
pub fn in_watch<'d>(change: &Change, directory: &'d Directory) -> Vec<&'d Incident> {
    noted_or(change, directory, |incident| is_in_watch(change, directory, incident))
}

/// The incidents that are open on services of a change, whenever they began, and those of its watch window that are open; in the
/// order of their beginning.
pub(crate) fn open_around<'d>(change: &Change, directory: &'d Directory) -> Vec<&'d Incident> {
    let mut found = noted_or(change, directory, |incident| concerns(change, incident));
    found.retain(|incident| incident.resolved_at.is_none());
    found
}

/// The incidents recorded in a change, and others, in the order of their beginning.
fn noted_or<'d>(change: &Change, directory: &'d Directory, is_wanted: impl Fn(&Incident) -> bool) -> Vec<&'d Incident> {
    let is_noted = |incident: &Incident| change.watch_incidents.iter().any(|row| row.incident == incident.key);
    let mut found: Vec<&Incident> = directory
        .incidents
        .values()
        .filter(|incident| is_noted(incident) || is_wanted(incident))
        .collect();
    found.sort_by_key(|incident| (incident.started_at, incident.key.clone()));
    found
}

/// Records the incidents that began while the change is or was watched. They stay in the change's record even if the incident
/// is moved to another service afterwards. Owner and change managers are notified of each.
pub fn collect(case: &mut Case<'_>) {
    if case.change().actual_start.is_none() {
        return;
    }
    let directory = case.directory.clone();
    let known = |change: &Change, key: &str| change.watch_incidents.iter().any(|row| row.incident == key);
    let fresh: Vec<Incident> = in_watch(case.change(), &directory)
        .into_iter()
        .filter(|incident| !known(case.change(), &incident.key))
        .cloned()
        .collect();
    for incident in fresh {
        let at = case.now;
        case.file.change.watch_incidents.push(WatchedIncident {
            incident: incident.key.clone(),
            at,
        });
        case.emit("change.incident_in_watch", json!({"incident": incident.key}));
        let news = format!(
            "{} began at {} while {} was watched: {}",
            incident.key,
            incident.started_at,
            case.change().key,
            incident.title
        );
        let next = "Check whether the change caused the incident and, if so, link it as `caused`.";
        let people = case.people_in_charge().into_iter();
        for person in people.filter(|it| directory.sees_incident(it, &incident)) {
            case.write_to(&person, "incident_in_watch", &incident.key, news.clone(), next);
        }
    }
}

/// Whether a review addresses an incident: it names it.
fn is_addressed(change: &Change, incident: &str) -> bool {
    let mut reviews = change.reviews.iter();
    reviews.any(|review| review.incidents.iter().any(|named| named == incident))
}

/// The prefix of references of incidents that were opened for a failed deployment.
const OF_DEPLOYMENT: &str = "deployment:";

/// Whether an incident was opened for the failure of this very change. The review of an unsuccessful change covers that
/// incident, even if the review does not name it.
fn is_own_failure(file: &ChangeFile, incident: &Incident) -> bool {
    let change = &file.change;
    let has_failed = change.outcome.is_some_and(|outcome| !outcome.is_success());
    let is_of_deployment = incident
        .external_ref
        .as_deref()
        .is_some_and(|it| it.starts_with(OF_DEPLOYMENT));
    let mut links = file.links.iter();
    has_failed
        && is_of_deployment
        && incident.connection.is_some()
        && links.any(|link| link.kind == LinkKind::Caused && link.to == incident.key)
        && change.reviews.iter().any(|review| review.at >= incident.started_at)
}

/// A row for each incident that blocks the closing: an open one of the watch window, or one that the change caused, if no
/// review addresses it. With `also_resolved` every incident of the watch window counts.
pub(crate) fn incidents_unmet(
    file: &ChangeFile,
    directory: &Directory,
    now: Timestamp,
    also_resolved: bool,
) -> Vec<Unmet> {
    let change = &file.change;
    let mut rows = Vec::new();
    let caused = |key: &str| change.caused_incidents.iter().any(|row| row.incident == key);
    let people = || logins(directory, &eligible::reviewers(file, directory, now));
    for row in change
        .caused_incidents
        .iter()
        .filter(|row| !is_addressed(change, &row.incident))
    {
        rows.push(unmet(
            "incident_not_addressed",
            format!("The change caused {}, and no review addresses it.", row.incident),
            format!("Write a review that names {} in `incidents`.", row.incident),
            people(),
        ));
    }
    let held = in_watch(change, directory).into_iter().filter(|incident| {
        (also_resolved || incident.resolved_at.is_none())
            && !caused(&incident.key)
            && !is_addressed(change, &incident.key)
            && !is_own_failure(file, incident)
    });
    for incident in held {
        let state = match incident.resolved_at {
            None => "is open",
            Some(_) => "was resolved meanwhile",
        };
        rows.push(unmet(
            "incident_not_addressed",
            format!(
                "{} began in the watch window and {state}, and no review addresses it.",
                incident.key
            ),
            format!("Write a review that names {} in `incidents`.", incident.key),
            people(),
        ));
    }
    rows
}

//! Alerts of outside systems. A key names one incident of its connection while the incident is open. After its end the key may
//! return: a later start is another incident. A late report belongs to the occurrence in which it happened.

mod by_reports;
mod judge;
mod outcome;

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::ready_spans::SKEW;
use model::core::enums::{IncidentKind, TimelineKind};
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse;
use model::directory::snapshot::{self, Connection, Incident};
use model::incident::course::IncidentCourse;
use model::incident::major;
use model::integration::signal::Alert;

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::incident::take_alert::judge::{is_by_times, joined, judged, starts};
use crate::incident::take_alert::outcome::{Judged, Occurrence, title_of};
use crate::incident::{note_entry, set_incident};

/// How many names of services a note names.
const NAMED: usize = 5;

/// Takes an alert.
///
/// # Errors
/// The store's.
pub fn take_alert(cx: &mut Context<'_, '_>, connection: &str, alert: &Alert) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let reference = format!("{}:{}", connection.kind, alert.source_key);
    let directory = cx.directory()?;
    let is_same = |it: &&Incident| {
        // A reference that a person typed is a link to read, and no key.
        let is_its = it.connection.as_ref() == Some(&connection.id);
        is_its && it.external_ref.as_deref() == Some(reference.as_str())
    };
    let mut same: Vec<Incident> = directory.incidents.values().filter(is_same).cloned().collect();
    same.sort_by_key(|it| (it.started_at, it.id.clone()));
    let alert = &no_later_than(alert, cx.now);
    let services = services(&directory, &connection, alert);
    let is_commanded = |it: &Incident| major::commander(it, &directory).is_some();
    let known = match repeated_one(&directory, &same) {
        Some(target) if !alert.is_over => joined(target, alert, &services),
        Some(target) => Judged::Known(target.key.clone()),
        None => judged(&same, alert, &services, is_commanded),
    };
    let (kind, incident) = match known {
        Judged::Known(key) => {
            note_lower(cx, &key, alert)?;
            return Ok(format!("{key} is known already"));
        }
        Judged::Marked(incident) => {
            let before = directory.incidents.get(&incident.key).cloned();
            let saved = set_incident::put(cx, "incident.edited", *incident)?;
            note_source_severity(cx, before.as_ref(), &saved)?;
            note_lower(cx, &saved.key, alert)?;
            return Ok(format!("{} is known already", saved.key));
        }
        Judged::Moved(kind, incident) => (kind, *incident),
        Judged::New(started_at, resolved_at) => {
            let mut starts = match is_by_times(alert) || alert.report().is_some() {
                true => starts(alert),
                false => BTreeSet::new(),
            };
            starts.retain(|start| *start >= started_at);
            let span = (started_at, resolved_at, starts);
            let incident = opened(cx, (&connection, reference), (alert, services), span)?;
            ("incident.opened", incident)
        }
        Judged::Parted(kind, incident, span) => {
            let before = directory.incidents.get(&incident.key).cloned();
            let saved = set_incident::put(cx, kind, *incident)?;
            note_delivery(cx, (before.as_ref(), &saved), (&connection, alert))?;
            let incident = opened(cx, (&connection, reference), (alert, services), span)?;
            ("incident.opened", incident)
        }
    };
    let before = directory.incidents.get(&incident.key).cloned();
    let saved = set_incident::put(cx, kind, incident)?;
    note_delivery(cx, (before.as_ref(), &saved), (&connection, alert))?;
    note_source_severity(cx, before.as_ref(), &saved)?;
    Ok(match kind {
        "incident.opened" => format!("{} is opened", saved.key),
        "incident.reopened" => format!("{} is open again", saved.key),
        _ => format!("{} is told again", saved.key),
    })
}

/// A new incident as an alert describes it.
fn opened(
    cx: &mut Context<'_, '_>,
    (connection, reference): (&Connection, String),
    (alert, services): (&Alert, BTreeSet<ServiceKey>),
    (started_at, resolved_at, source_starts): Occurrence,
) -> Result<Incident> {
    Ok(Incident {
        id: RecordId(cx.new_id()?),
        version: 0,
        key: set_incident::next_key(cx)?,
        title: title_of(alert),
        severity: alert.severity,
        services,
        started_at,
        resolved_at,
        end_recorded_at: resolved_at,
        external_ref: Some(reference),
        connection: Some(connection.id.clone()),
        cause_verdicts: Vec::new(),
        course: IncidentCourse {
            kind: kind_of(connection),
            source_reports: alert.report().into_iter().collect(),
            source_starts,
            ..IncidentCourse::default()
        },
    })
}

/// An alert whose clock runs ahead of ours begins now: no event is in the future.
fn no_later_than(alert: &Alert, now: Timestamp) -> Alert {
    let limit = parse::later(now, SKEW);
    let mut alert = alert.clone();
    if alert.started_at > limit {
        alert.started_at = now;
    }
    alert.later_starts.retain(|at| *at <= limit);
    alert.told_at = alert.told_at.map(|at| if at > limit { now } else { at });
    alert.ended_at = alert
        .ended_at
        .map(|at| if at > limit { now.max(alert.started_at) } else { at });
    alert
}

/// The open incident of which the latest one under this key is a duplicate: the source's reports belong there.
fn repeated_one<'d>(directory: &'d snapshot::Directory, same: &[Incident]) -> Option<&'d Incident> {
    let key = same.last()?.course.duplicate_of.as_ref()?;
    let target = directory.incidents.get(key)?;
    (target.resolved_at.is_none() && target.course.closed_at.is_none()).then_some(target)
}

/// The kind of incident that the connection's alerts open.
fn kind_of(connection: &Connection) -> IncidentKind {
    match connection.kind.as_str() {
        "siem" => IncidentKind::Security,
        _ => IncidentKind::Service,
    }
}

/// Records in the timeline the content of a delivery: the alert, the moved fields, and unknown names of services.
fn note_delivery(
    cx: &mut Context<'_, '_>,
    (before, after): (Option<&Incident>, &Incident),
    (connection, alert): (&Connection, &Alert),
) -> Result<()> {
    let what = match alert.is_over {
        true => "is over",
        false => "fires",
    };
    let text = format!("{}: “{}” {what}", connection.name, title_of(alert));
    note_entry::note(cx, after, TimelineKind::Alert, &text)?;
    if let Some(before) = before {
        set_incident::note_moves(cx, before, after)?;
    }
    if after.services.is_empty() && before.is_none() {
        let named: Vec<&str> = alert.services.iter().take(NAMED).map(String::as_str).collect();
        let text = match named.is_empty() {
            true => "The alert names no service; name the services of the incident.".to_owned(),
            false => format!(
                "The alert names {}, which is not a service here; name the services of the incident, or map the name in the \
                 connection {}.",
                named.join(", "),
                connection.name
            ),
        };
        note_entry::note(cx, after, TimelineKind::Alert, &text)?;
    }
    Ok(())
}

/// Notes a lower severity of the source. The incident keeps its own: else a flapping source would lift a freeze. Where reports
/// are stored, the latest one counts, which may be another than this alert.
fn note_lower(cx: &mut Context<'_, '_>, key: &str, alert: &Alert) -> Result<()> {
    let directory = cx.directory()?;
    let Some(before) = directory.incidents.get(key) else {
        return Ok(());
    };
    let told = Some(alert.severity).filter(|told| *told > before.severity);
    let report = alert.report();
    let is_stored = report.is_some_and(|it| before.course.source_reports.contains(&it));
    if alert.is_over || is_stored || before.resolved_at.is_some() || before.course.source_severity == told {
        return Ok(());
    }
    let mut incident = before.clone();
    incident.course.source_severity = told;
    let saved = set_incident::put(cx, "incident.edited", incident)?;
    note_source_severity(cx, Some(before), &saved)
}

/// Records in the timeline that the source names another severity than before, if the incident keeps its own.
fn note_source_severity(cx: &mut Context<'_, '_>, before: Option<&Incident>, after: &Incident) -> Result<()> {
    let Some(before) = before.filter(|it| it.course.source_severity != after.course.source_severity) else {
        return Ok(());
    };
    let text = match after.course.source_severity {
        Some(told) => format!(
            "Its source now reports severity {told}; it stays {} until a person lowers it.",
            after.severity
        ),
        None if after.severity != before.severity => return Ok(()),
        None => format!("Its source reports severity {} again.", after.severity),
    };
    note_entry::note(cx, after, TimelineKind::Severity, &text)
}

/// Our services: each row that maps the sender's name counts, else that very name.
fn services(directory: &snapshot::Directory, connection: &Connection, alert: &Alert) -> BTreeSet<ServiceKey> {
    let mut found = BTreeSet::new();
    for theirs in &alert.services {
        let rows = connection
            .map
            .iter()
            .filter(|row| row.repository.eq_ignore_ascii_case(theirs));
        let mapped: Vec<ServiceKey> = rows.map(|row| row.service.clone()).collect();
        if mapped.is_empty() {
            found.insert(ServiceKey(theirs.clone()));
        }
        found.extend(mapped);
    }
    found.retain(|key| directory.services.contains_key(key));
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn alert(start: i64, end: Option<i64>) -> Alert {
        Alert {
            source_key: "k".to_owned(),
            is_over: end.is_some(),
            reopens: false,
            tells_state: false,
            title: "Slow".to_owned(),
            services: Vec::new(),
            severity: 2,
            started_at: at(start),
            later_starts: Vec::new(),
            told_at: None,
            told_number: None,
            ended_at: end.map(at),
        }
    }

    #[test]
    fn an_alert_of_the_future_begins_now() {
        let told = no_later_than(&alert(10_000, Some(10_001)), at(20));
        assert_eq!((told.started_at, told.ended_at), (at(20), Some(at(20))));
        let skewed = no_later_than(&alert(10, None), at(10));
        assert_eq!(skewed.started_at, at(10));
    }
}

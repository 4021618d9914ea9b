//! Alerts of outside systems. A key names one matter of its connection while that is open. Once it is over the key may return:
//! what begins after the end is another incident. What is told late belongs to the occurrence in which it happened.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse;
use model::directory::snapshot::{self, Connection, Incident};
use model::integration::signal::Alert;

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::incident::set_incident;

/// The longest title, in characters.
const TITLE: usize = 200;
/// The title of an alert that says nothing of itself.
const UNNAMED: &str = "Alert";

/// Takes an alert.
///
/// # Errors
/// The store's.
pub fn take_alert(cx: &mut Context<'_, '_>, connection: &str, alert: &Alert) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let reference = format!("{}:{}", connection.kind, alert.source_key);
    let directory = cx.directory()?;
    let is_same = |it: &&Incident| {
        let is_its = it.connection.as_ref().is_none_or(|id| *id == connection.id);
        is_its && it.external_ref.as_deref() == Some(reference.as_str())
    };
    let mut same: Vec<Incident> = directory.incidents.values().filter(is_same).cloned().collect();
    same.sort_by_key(|it| (it.started_at, it.id.clone()));
    let services = services(&directory, &connection, alert);
    let (kind, incident) = match judged(&same, alert, &services) {
        Judged::Known(key) => return Ok(format!("{key} is known already")),
        Judged::Moved(kind, incident) => (kind, *incident),
        Judged::New(started_at, resolved_at) => {
            let incident = Incident {
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
            };
            ("incident.opened", incident)
        }
    };
    let saved = set_incident::put(cx, kind, incident)?;
    Ok(match kind {
        "incident.opened" => format!("{} is opened", saved.key),
        "incident.reopened" => format!("{} is open again", saved.key),
        _ => format!("{} is told again", saved.key),
    })
}

/// What an alert means for the incidents under its key.
enum Judged {
    /// Nothing new about this one.
    Known(String),
    /// This one becomes so, by an event of this kind.
    Moved(&'static str, Box<Incident>),
    /// Another occurrence, with its start and end.
    New(Timestamp, Option<Timestamp>),
}

/// Judges an alert by what stands under its key, in the order of beginning.
fn judged(same: &[Incident], alert: &Alert, services: &BTreeSet<ServiceKey>) -> Judged {
    if alert.is_over {
        return over(same, alert);
    }
    let Some(latest) = same.last() else {
        return Judged::New(alert.started_at, None);
    };
    let Some(resolved_at) = latest.resolved_at else {
        return joined(latest, alert, services);
    };
    if alert.reopens {
        return match alert.told_at.is_some_and(|told| told > resolved_at) {
            true => Judged::Moved(
                "incident.reopened",
                Box::new(Incident {
                    resolved_at: None,
                    // The system that knows says that it goes on.
                    end_recorded_at: None,
                    ..latest.clone()
                }),
            ),
            false => Judged::Known(latest.key.clone()),
        };
    }
    // Where the order of messages decides, a message after the end begins a new incident, also within the same instant.
    if alert.told_at.is_some_and(|told| told >= resolved_at) {
        return Judged::New(alert.started_at.max(resolved_at), None);
    }
    let starts = std::iter::once(&alert.started_at).chain(&alert.later_starts);
    let after = starts.copied().filter(|start| *start > resolved_at).min();
    match after.filter(|_| alert.told_at.is_none()) {
        Some(start) => Judged::New(start, None),
        None => joined(latest, alert, services),
    }
}

/// The end of what is open; an end that lies before the beginning belongs to an earlier occurrence.
fn over(same: &[Incident], alert: &Alert) -> Judged {
    let Some(latest) = same.last() else {
        let end = alert.ended_at.unwrap_or(alert.started_at);
        return Judged::New(end.min(alert.started_at), Some(end));
    };
    let ends_it = |end: Timestamp| alert.told_at.is_some() || latest.started_at <= end;
    match alert
        .ended_at
        .filter(|end| latest.resolved_at.is_none() && ends_it(*end))
    {
        Some(end) => Judged::Moved(
            "incident.resolved",
            Box::new(Incident {
                resolved_at: Some(end.max(latest.started_at)),
                end_recorded_at: Some(end.max(latest.started_at)),
                ..latest.clone()
            }),
        ),
        None => Judged::Known(latest.key.clone()),
    }
}

/// The incident with what the alert adds: a name where it has none, further services, a graver severity while it is open.
fn joined(latest: &Incident, alert: &Alert, services: &BTreeSet<ServiceKey>) -> Judged {
    let mut incident = latest.clone();
    if incident.title == UNNAMED && alert.title != UNNAMED {
        incident.title = title_of(alert);
        incident.severity = alert.severity;
        incident.started_at = incident.started_at.min(alert.started_at);
        incident.services.extend(services.iter().cloned());
    }
    if incident.resolved_at.is_none() {
        incident.severity = incident.severity.min(alert.severity);
        incident.services.extend(services.iter().cloned());
    }
    match incident == *latest {
        true => Judged::Known(latest.key.clone()),
        false => Judged::Moved("incident.edited", Box::new(incident)),
    }
}

/// An alert's title as the incident's: one line, whatever the sender put into it.
fn title_of(alert: &Alert) -> String {
    parse::one_line(&alert.title).chars().take(TITLE).collect()
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
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).expect("a time")
    }

    fn alert(start: i64, end: Option<i64>) -> Alert {
        Alert {
            source_key: "k".to_owned(),
            is_over: end.is_some(),
            reopens: false,
            title: "Slow".to_owned(),
            services: Vec::new(),
            severity: 2,
            started_at: at(start),
            later_starts: Vec::new(),
            told_at: None,
            ended_at: end.map(at),
        }
    }

    /// Applies alerts one after another; answers the spans of the incidents, in minutes.
    fn told(alerts: &[Alert]) -> Vec<(i64, Option<i64>)> {
        let mut same: Vec<Incident> = Vec::new();
        for alert in alerts {
            match judged(&same, alert, &BTreeSet::new()) {
                Judged::Known(_) => {}
                Judged::Moved(_, incident) => *same.last_mut().expect("one was known") = *incident,
                Judged::New(started_at, resolved_at) => same.push(Incident {
                    id: RecordId(format!("i{}", same.len())),
                    version: 0,
                    key: format!("INC-{}", same.len()),
                    title: title_of(alert),
                    severity: alert.severity,
                    services: BTreeSet::new(),
                    started_at,
                    resolved_at,
                    end_recorded_at: resolved_at,
                    external_ref: None,
                    connection: None,
                    cause_verdicts: Vec::new(),
                }),
            }
        }
        let minute = |time: Timestamp| (time.as_second() - 1_800_000_000) / 60;
        same.iter()
            .map(|it| (minute(it.started_at), it.resolved_at.map(minute)))
            .collect()
    }

    #[test]
    fn a_key_that_returns_after_the_end_opens_another_incident() {
        let (first, end) = (alert(10, None), alert(10, Some(20)));
        let (second, last) = (alert(30, None), alert(30, Some(40)));
        let all = [first.clone(), first.clone(), end.clone(), first.clone(), second.clone()];
        assert_eq!(told(&all), [(10, Some(20)), (30, None)]);
        // The end of the first, told again, does not end the second.
        let late = [first, end.clone(), second.clone(), end, second, last.clone(), last];
        assert_eq!(told(&late), [(10, Some(20)), (30, Some(40))]);
    }

    #[test]
    fn whichever_message_comes_first_an_occurrence_is_one_incident() {
        let (begin, end) = (alert(10, None), alert(10, Some(20)));
        assert_eq!(told(&[begin.clone(), end.clone()]), [(10, Some(20))]);
        assert_eq!(told(&[end, begin]), [(10, Some(20))]);
    }

    #[test]
    fn where_the_order_of_messages_decides_a_trigger_after_the_end_begins_anew() {
        let by_order = |start: i64, end: Option<i64>, told_at: i64| Alert {
            told_at: Some(at(told_at)),
            ..alert(start, end)
        };
        let all = [by_order(5, None, 10), by_order(20, Some(20), 20), by_order(5, None, 30)];
        assert_eq!(told(&all), [(5, Some(20)), (20, None)]);
        // A trigger that came before the end and is worked off after it is the same outage.
        let late = [by_order(20, Some(20), 20), by_order(5, None, 10)];
        assert_eq!(told(&late).len(), 1);
    }

    #[test]
    fn a_part_of_a_group_that_begins_after_the_end_is_another_occurrence() {
        let mut group = alert(10, None);
        group.later_starts = vec![at(40)];
        assert_eq!(
            told(&[alert(10, None), alert(10, Some(20)), group]),
            [(10, Some(20)), (40, None)]
        );
    }

    #[test]
    fn what_the_sender_opens_again_is_the_same_incident() {
        let reopened = Alert {
            reopens: true,
            told_at: Some(at(30)),
            ..alert(10, None)
        };
        let all = [alert(10, None), alert(10, Some(20)), reopened.clone()];
        assert_eq!(told(&all), [(10, None)]);
        let stale = Alert {
            told_at: Some(at(15)),
            ..reopened
        };
        assert_eq!(told(&[alert(10, None), alert(10, Some(20)), stale]), [(10, Some(20))]);
    }
}

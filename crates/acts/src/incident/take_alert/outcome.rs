//! The possible effects of an alert on an incident, whichever way it is judged.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::core::ids::ServiceKey;
use model::core::parse;
use model::directory::snapshot::Incident;
use model::incident::lifecycle::{self, Happens, Then};
use model::integration::signal::Alert;

/// The longest title, in characters.
const TITLE: usize = 200;
/// The title of an alert without a title.
const UNNAMED: &str = "Alert";
/// The most starts stored for one incident, the latest ones.
const MOST_STARTS: usize = 50;

/// Start and end of an occurrence, with all starts that its source reported.
pub(super) type Occurrence = (Timestamp, Option<Timestamp>, BTreeSet<Timestamp>);

/// The effect of an alert on the incidents under its key.
pub(super) enum Judged {
    /// Nothing new about this one.
    Known(String),
    /// Nothing visible: only the source's position is stored.
    Marked(Box<Incident>),
    /// The incident gets this new state, by an event of this kind.
    Moved(&'static str, Box<Incident>),
    /// Another occurrence, with its start and end.
    New(Timestamp, Option<Timestamp>),
    /// The incident ended earlier than recorded, by an event of this kind, and a start after that end is another occurrence.
    Parted(&'static str, Box<Incident>, Occurrence),
}

/// The same incident, or with what its source reported beside what people see.
pub(super) fn changed(before: &Incident, next: Incident) -> Judged {
    if next == *before {
        return Judged::Known(next.key);
    }
    let visible = |it: &Incident| (it.started_at, it.severity, it.title.clone(), it.services.clone());
    match visible(&next) == visible(before) {
        true => Judged::Marked(Box::new(next)),
        false => Judged::Moved("incident.edited", Box::new(next)),
    }
}

/// An incident with the starts that its source reported. An earlier start moves the incident's start, unless a person set it.
pub(super) fn with_starts(incident: &Incident, told: impl Iterator<Item = Timestamp>) -> Incident {
    let mut incident = incident.clone();
    if incident.course.closed_at.is_some() {
        return incident;
    }
    for start in told {
        let known = &mut incident.course.source_starts;
        let is_old = known.len() >= MOST_STARTS && known.first().is_some_and(|first| start < *first);
        if is_old || start == incident.started_at || known.contains(&start) {
            continue;
        }
        if start < incident.started_at && known.contains(&incident.started_at) {
            incident.started_at = start;
        }
        known.insert(start);
        if known.len() > MOST_STARTS {
            known.pop_first();
        }
    }
    incident
}

/// The end of an open incident, not before its start. Only its commander ends a commanded one: until then it is mitigated.
pub(super) fn ended_at(latest: &Incident, end: Timestamp, is_commanded: impl Fn(&Incident) -> bool) -> Option<Judged> {
    let end = end.max(latest.started_at);
    if is_commanded(latest) {
        let then = lifecycle::then(latest.state(), Happens::EndedUnderCommand);
        return matches!(then, Then::Becomes(_)).then(|| mitigated(latest, end));
    }
    latest.resolved_at.is_none().then(|| {
        let incident = Incident {
            resolved_at: Some(end),
            end_recorded_at: Some(end),
            ..latest.clone()
        };
        Judged::Moved("incident.resolved", Box::new(incident))
    })
}

fn mitigated(latest: &Incident, at: Timestamp) -> Judged {
    let mut incident = latest.clone();
    incident.course.mitigated_at = Some(at);
    Judged::Moved("incident.mitigated", Box::new(incident))
}

/// An incident with an alert's additions. Its severity and services follow only an alert from the time before its end.
pub(super) fn with_alert(
    latest: &Incident,
    alert: &Alert,
    services: &BTreeSet<ServiceKey>,
    is_before_end: bool,
) -> Incident {
    let mut incident = latest.clone();
    if incident.title == UNNAMED && alert.title != UNNAMED {
        incident.title = title_of(alert);
        incident.severity = alert.severity;
        incident.started_at = incident.started_at.min(alert.started_at);
        incident.services.extend(services.iter().cloned());
    }
    if is_before_end {
        incident.severity = incident.severity.min(alert.severity);
        incident.services.extend(services.iter().cloned());
    }
    incident
}

/// An incident with the title of its source's last report, unless a person gave it another or closed it.
pub(super) fn with_title(mut incident: Incident, alert: &Alert) -> Incident {
    let title = title_of(alert);
    let is_kept = incident.course.has_own_title || incident.course.closed_at.is_some();
    if !is_kept && !title.is_empty() && title != UNNAMED {
        incident.title = title;
    }
    incident
}

/// An alert's title as the incident's: brought onto one line and cut to the limit.
pub(super) fn title_of(alert: &Alert) -> String {
    parse::one_line(&alert.title).chars().take(TITLE).collect()
}

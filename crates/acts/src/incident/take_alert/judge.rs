//! The effect of an alert on the incidents under its key.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::core::ids::ServiceKey;
use model::directory::snapshot::Incident;
use model::integration::signal::Alert;

use super::by_reports::by_reports;
use super::outcome::{Judged, changed, ended_at, with_alert, with_starts};

/// Judges an alert against the incidents under its key, in order of their start.
pub(super) fn judged(
    same: &[Incident],
    alert: &Alert,
    services: &BTreeSet<ServiceKey>,
    is_commanded: impl Fn(&Incident) -> bool,
) -> Judged {
    if let Some(report) = alert.report() {
        return by_reports(same, (alert, report), services, is_commanded);
    }
    if is_by_times(alert) {
        return by_times(same, alert, services, is_commanded);
    }
    if alert.is_over {
        return over(same, alert, is_commanded);
    }
    let Some(latest) = same.last() else {
        return Judged::New(alert.started_at, None);
    };
    let Some(resolved_at) = latest.resolved_at else {
        return joined(latest, alert, services);
    };
    // Where the order of messages decides, a message after the end begins a new incident, also within the same instant.
    if alert.told_at.is_some_and(|told| told >= resolved_at) {
        return Judged::New(alert.started_at.max(resolved_at), None);
    }
    joined(latest, alert, services)
}

/// Whether only an alert's times show where it belongs: like Alertmanager, its sender numbers no messages and repeats no state.
pub(super) fn is_by_times(alert: &Alert) -> bool {
    alert.told_at.is_none() && !alert.tells_state && !alert.reopens
}

/// All starts that an alert reports.
pub(super) fn starts(alert: &Alert) -> BTreeSet<Timestamp> {
    std::iter::once(alert.started_at)
        .chain(alert.later_starts.iter().copied())
        .collect()
}

/// The occurrence to which a beginning belongs: the first that goes on or ended no earlier.
fn home_of(same: &[Incident], start: Timestamp) -> Option<&Incident> {
    same.iter().find(|it| it.resolved_at.is_none_or(|end| start <= end))
}

/// Judges an alert by its times alone, so that the same alerts in any order, also repeated, give the same incidents.
fn by_times(
    same: &[Incident],
    alert: &Alert,
    services: &BTreeSet<ServiceKey>,
    is_commanded: impl Fn(&Incident) -> bool,
) -> Judged {
    if alert.is_over {
        return over_by_times(same, alert, is_commanded);
    }
    let told = starts(alert);
    let homeless = told.iter().find(|start| home_of(same, **start).is_none());
    let home = match (homeless, told.last().and_then(|start| home_of(same, *start))) {
        (None, Some(home)) => home,
        (start, _) => return Judged::New(start.copied().unwrap_or(alert.started_at), None),
    };
    let is_its = |start: &Timestamp| home_of(same, *start).is_some_and(|it| it.key == home.key);
    let next = with_starts(home, told.into_iter().filter(is_its));
    match joined(&next, alert, services) {
        Judged::Known(_) => changed(home, next),
        judged => judged,
    }
}

/// The end of an occurrence: of the one that had begun by then. Beginnings after the end are another occurrence.
fn over_by_times(same: &[Incident], alert: &Alert, is_commanded: impl Fn(&Incident) -> bool) -> Judged {
    let Some(end) = alert.ended_at.filter(|end| *end > alert.started_at) else {
        return over(same, alert, is_commanded);
    };
    let Some(home) = home_of(same, alert.started_at) else {
        return Judged::New(alert.started_at, Some(end));
    };
    if home.resolved_at.is_none() && is_commanded(home) {
        return over(std::slice::from_ref(home), alert, is_commanded);
    }
    let mut known = home.course.source_starts.clone();
    if known.is_empty() {
        known.insert(home.started_at);
    }
    let later: BTreeSet<Timestamp> = known.iter().copied().filter(|start| *start > end).collect();
    if later.len() == known.len() {
        return Judged::New(alert.started_at, Some(end));
    }
    let next = with_starts(home, starts(alert).into_iter().filter(|start| *start <= end));
    match (home.resolved_at, later.first()) {
        (None, None) => ended(&next, alert, is_commanded).unwrap_or_else(|| changed(home, next)),
        (None, Some(start)) => {
            let span = (*start, None, later.clone());
            Judged::Parted("incident.resolved", Box::new(until(next, end)), span)
        }
        (Some(over), Some(start)) if end < over && is_ended_by_source(home) => {
            let span = (*start, Some(over), later.clone());
            Judged::Parted("incident.edited", Box::new(until(next, end)), span)
        }
        (Some(_), _) => changed(home, next),
    }
}

/// An incident that ended at a time, with its beginnings until then.
fn until(mut incident: Incident, end: Timestamp) -> Incident {
    let end = end.max(incident.started_at);
    incident.resolved_at = Some(end);
    incident.end_recorded_at = Some(end);
    incident.course.source_starts.retain(|start| *start <= end);
    incident
}

/// Whether an end is its source's, and nobody closed the incident since.
fn is_ended_by_source(incident: &Incident) -> bool {
    incident.end_recorded_at == incident.resolved_at && incident.course.closed_at.is_none()
}

/// The end of an alert: of the latest incident, if that is open.
fn over(same: &[Incident], alert: &Alert, is_commanded: impl Fn(&Incident) -> bool) -> Judged {
    let Some(latest) = same.last() else {
        let end = alert.ended_at.unwrap_or(alert.started_at);
        return Judged::New(end.min(alert.started_at), Some(end));
    };
    ended(latest, alert, is_commanded).unwrap_or_else(|| Judged::Known(latest.key.clone()))
}

/// The end of an open incident that an alert reports.
fn ended(latest: &Incident, alert: &Alert, is_commanded: impl Fn(&Incident) -> bool) -> Option<Judged> {
    let ends_it = |end: &Timestamp| alert.told_at.is_some() || latest.started_at <= *end;
    ended_at(latest, alert.ended_at.filter(ends_it)?, is_commanded)
}

/// The incident with the alert's additions: a name where it has none, further services, a graver severity while it is open.
pub(super) fn joined(latest: &Incident, alert: &Alert, services: &BTreeSet<ServiceKey>) -> Judged {
    let incident = with_alert(latest, alert, services, latest.resolved_at.is_none());
    match incident == *latest {
        true => Judged::Known(latest.key.clone()),
        false => Judged::Moved("incident.edited", Box::new(incident)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use model::core::enums::IncidentState;
    use model::core::ids::RecordId;
    use model::incident::course::IncidentCourse;

    use super::super::outcome::{Occurrence, title_of};
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).expect("a time")
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

    fn replace(same: &mut [Incident], incident: Incident) {
        let place = same.iter_mut().find(|it| it.key == incident.key);
        *place.expect("one was known") = incident;
    }

    fn occurrence(number: usize, alert: &Alert, (started_at, resolved_at, source_starts): Occurrence) -> Incident {
        Incident {
            id: RecordId(format!("i{number}")),
            version: 0,
            key: format!("INC-{number}"),
            title: title_of(alert),
            severity: alert.severity,
            services: BTreeSet::new(),
            started_at,
            resolved_at,
            end_recorded_at: resolved_at,
            external_ref: None,
            connection: None,
            cause_verdicts: Vec::new(),
            course: IncidentCourse {
                source_reports: alert.report().into_iter().collect(),
                source_starts,
                ..IncidentCourse::default()
            },
        }
    }

    /// Applies alerts one after another; returns the spans of the incidents, in minutes.
    fn told(alerts: &[Alert]) -> Vec<(i64, Option<i64>)> {
        let mut same: Vec<Incident> = Vec::new();
        for alert in alerts {
            match judged(&same, alert, &BTreeSet::new(), |it| it.course.commander.is_some()) {
                Judged::Known(_) => {}
                Judged::Moved(_, incident) | Judged::Marked(incident) => replace(&mut same, *incident),
                Judged::New(started_at, resolved_at) => {
                    let mut told = starts(alert);
                    told.retain(|start| *start >= started_at && is_by_times(alert));
                    same.push(occurrence(same.len(), alert, (started_at, resolved_at, told)));
                }
                Judged::Parted(_, incident, span) => {
                    replace(&mut same, *incident);
                    same.push(occurrence(same.len(), alert, span));
                }
            }
            same.sort_by_key(|it| (it.started_at, it.id.clone()));
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
        // The end of the first, reported again, does not end the second.
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
    fn an_end_that_comes_after_the_next_beginning_ends_its_own_occurrence() {
        let (first, end, second) = (alert(10, None), alert(10, Some(15)), alert(20, None));
        let last = alert(20, Some(25));
        let both = [(10, Some(15)), (20, None)];
        assert_eq!(told(&[first.clone(), second.clone(), end.clone()]), both);
        assert_eq!(
            told(&[second.clone(), end.clone()]),
            both,
            "its beginning was never told"
        );
        assert_eq!(told(&[second.clone(), first.clone(), end.clone()]), both);
        let over = [(10, Some(15)), (20, Some(25))];
        assert_eq!(told(&[first.clone(), second, last.clone(), end.clone()]), over);
        assert_eq!(told(&[last, first, end]), over);
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

    fn commanded() -> Incident {
        Incident {
            id: RecordId("i0".to_owned()),
            version: 1,
            key: "INC-1".to_owned(),
            title: "Slow".to_owned(),
            severity: 1,
            services: BTreeSet::new(),
            started_at: at(10),
            resolved_at: None,
            end_recorded_at: None,
            external_ref: None,
            connection: None,
            cause_verdicts: Vec::new(),
            course: IncidentCourse {
                commander: Some("kim".into()),
                ..IncidentCourse::default()
            },
        }
    }

    fn moved(incident: &Incident, alert: &Alert) -> Option<Incident> {
        let is_commanded = |it: &Incident| it.course.commander.is_some();
        match judged(std::slice::from_ref(incident), alert, &BTreeSet::new(), is_commanded) {
            Judged::Moved(_, incident) | Judged::Marked(incident) => Some(*incident),
            Judged::Known(_) | Judged::New(..) | Judged::Parted(..) => None,
        }
    }

    #[test]
    fn the_end_of_what_somebody_commands_mitigates_it_however_often_it_flaps() {
        let mut incident = commanded();
        for end in [20, 30, 40] {
            incident = moved(&incident, &alert(10, Some(end))).unwrap_or(incident);
            assert_eq!(incident.state(), IncidentState::Mitigated);
            assert_eq!(incident.course.mitigated_at, Some(at(20)), "the first end counts");
            assert!(
                moved(&incident, &alert(10, None)).is_none(),
                "a repeated alert moves nothing"
            );
        }
        let reopened = Alert {
            reopens: true,
            told_at: Some(at(50)),
            ..alert(10, None)
        };
        assert_eq!(
            moved(&incident, &reopened).map(|it| it.state()),
            Some(IncidentState::Open)
        );
    }

    /// A record that is open or over at its source, as each of its edits reports.
    fn record(told: i64, end: Option<i64>) -> Alert {
        Alert {
            reopens: end.is_none(),
            tells_state: true,
            told_at: Some(at(told)),
            ..alert(10, end)
        }
    }

    #[test]
    fn an_edit_of_a_record_undoes_nothing_that_people_said() {
        let mut contained = commanded();
        contained.course.mitigated_at = Some(at(20));
        let mut ended = commanded();
        ended.resolved_at = Some(at(20));
        for before in [contained, ended] {
            let mut edited = before.clone();
            for told in [15, 30] {
                edited = moved(&edited, &record(told, None)).unwrap();
                assert_eq!(edited.state(), before.state(), "told at {told}");
            }
            // Once the record was closed and opened again, its source reports that it goes on.
            let over = moved(&edited, &record(40, Some(40))).unwrap();
            assert_eq!(over.state(), before.state());
            let late = moved(&over, &record(35, None)).unwrap();
            assert_eq!(late.state(), before.state(), "an older report comes late");
            let open = moved(&late, &record(50, None)).unwrap();
            assert_eq!(open.state(), IncidentState::Open);
        }
    }

    #[test]
    fn an_edit_of_a_closed_record_ends_nothing_that_people_opened_again() {
        let mut incident = commanded();
        incident.course.commander = None;
        let mut incident = moved(&incident, &record(20, Some(20))).unwrap();
        assert_eq!(incident.state(), IncidentState::Resolved);
        incident.resolved_at = None;
        let edited = moved(&incident, &record(30, Some(20))).unwrap();
        assert_eq!(edited.state(), IncidentState::Open);
        let opened = moved(&edited, &record(40, None)).unwrap();
        let over = moved(&opened, &record(50, Some(50))).unwrap();
        assert_eq!(over.state(), IncidentState::Resolved, "its next end counts");
    }

    #[test]
    fn what_the_sender_opens_again_before_it_was_contained_stays_contained() {
        let mut incident = commanded();
        incident.course.mitigated_at = Some(at(20));
        let stale = Alert {
            reopens: true,
            told_at: Some(at(15)),
            ..alert(10, None)
        };
        let found = moved(&incident, &stale).unwrap();
        assert_eq!(found.state(), IncidentState::Mitigated);
    }

    #[test]
    fn what_is_closed_is_never_opened_again_by_its_source() {
        let mut incident = commanded();
        incident.resolved_at = Some(at(20));
        incident.course.closed_at = Some(at(25));
        let reopened = Alert {
            reopens: true,
            told_at: Some(at(30)),
            ..alert(10, None)
        };
        let found = judged(&[incident], &reopened, &BTreeSet::new(), |_| true);
        assert!(matches!(found, Judged::New(start, None) if start == at(30)));
    }

    #[test]
    fn a_source_raises_a_severity_and_never_lowers_it() {
        let mut incident = commanded();
        incident.severity = 2;
        let told = |severity: i64| Alert {
            severity,
            ..alert(10, None)
        };
        assert_eq!(moved(&incident, &told(1)).map(|it| it.severity), Some(1));
        assert!(moved(&incident, &told(4)).is_none());
    }
}

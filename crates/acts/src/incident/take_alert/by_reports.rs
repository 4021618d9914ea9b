//! The effect of an alert whose sender reports the state of a record, such as an issue of Jira: the reports in the order of the
//! sender's times decide, so that the same reports in any order give the same incident. A repeated state undoes no decision of a
//! person; only a change of state at the sender counts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::core::ids::ServiceKey;
use model::directory::snapshot::Incident;
use model::incident::lifecycle::{self, Happens, Then};
use model::incident::source_report::{SourceReport, present};
use model::integration::signal::Alert;

use super::outcome::{Judged, changed, ended_at, with_alert, with_starts, with_title};

/// What a report changes about the present state of the record at its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing.
    Same,
    /// It is over now.
    Over,
    /// It is over as before, but its end was at another time.
    OtherEnd(Timestamp, Timestamp),
    /// It was over and is open again.
    OpenAgain,
}

/// Judges an alert with a report against the incidents under its key.
pub(super) fn by_reports(
    same: &[Incident],
    (alert, report): (&Alert, SourceReport),
    services: &BTreeSet<ServiceKey>,
    is_commanded: impl Fn(&Incident) -> bool,
) -> Judged {
    let Some(latest) = same.last() else {
        let end = alert.is_over.then(|| report.end());
        return Judged::New(end.map_or(alert.started_at, |end| end.min(alert.started_at)), end);
    };
    let known = latest.course.reports();
    if known.contains(&report) {
        return Judged::Known(latest.key.clone());
    }
    let mut next = with_starts(latest, std::iter::once(alert.started_at));
    next.course.store_report(report.clone());
    if next.course.source_reports.last() == Some(&report) {
        next = with_title(next, alert);
    }
    let turn = turn(&known, &next.course.source_reports, (alert, &report));
    let since = latest.resolved_at.or(latest.course.mitigated_at);
    let opens = turn == Turn::OpenAgain && since.is_none_or(|since| report.at > since);
    let then = lifecycle::then(latest.state(), Happens::ReopenedBySource);
    if opens && then == Then::Another {
        return Judged::New(alert.started_at.max(report.at), None);
    }
    if is_joined(latest, &report, opens || turn == Turn::Over) {
        next = with_alert(&next, alert, services, true);
    }
    if let Some(told) = next.course.reported_severity() {
        next.course.source_severity = Some(told).filter(|told| *told > next.severity);
    }
    if opens && matches!(then, Then::Becomes(_)) {
        return reopened(next);
    }
    let judged = match turn {
        Turn::Over => ended_at(&next, report.end(), is_commanded),
        Turn::OtherEnd(from, to) => other_end(&next, from, to),
        Turn::Same | Turn::OpenAgain => None,
    };
    judged.unwrap_or_else(|| changed(latest, next))
}

/// What a report changes, by the reports before it and with it.
fn turn(
    before: &BTreeSet<SourceReport>,
    after: &BTreeSet<SourceReport>,
    (alert, report): (&Alert, &SourceReport),
) -> Turn {
    let (before, Some(now)) = (present(before), present(after)) else {
        return Turn::Same;
    };
    match (before, now.is_over) {
        (Some(before), true) if before.is_over => match before == now {
            true => Turn::Same,
            false => Turn::OtherEnd(before.end(), now.end()),
        },
        (_, true) => Turn::Over,
        (Some(before), false) if before.is_over => Turn::OpenAgain,
        // A sender that reports a transition says itself that the record was over, whether that was heard or not.
        (_, false) if !alert.tells_state && after.last() == Some(report) => Turn::OpenAgain,
        (_, false) => Turn::Same,
    }
}

/// Whether severity and services follow a report: while the incident was open, or as it ends or opens again.
fn is_joined(latest: &Incident, report: &SourceReport, turns: bool) -> bool {
    let was_open = latest.resolved_at.is_none_or(|end| report.at <= end);
    latest.course.closed_at.is_none()
        && (turns && latest.resolved_at.is_none() || !report.is_over && (was_open || turns))
}

/// The source opened its record again.
fn reopened(mut incident: Incident) -> Judged {
    incident.resolved_at = None;
    incident.end_recorded_at = None;
    incident.course.mitigated_at = None;
    Judged::Moved("incident.reopened", Box::new(incident))
}

/// The incident with another end, if its present one is the source's.
fn other_end(next: &Incident, from: Timestamp, to: Timestamp) -> Option<Judged> {
    let (from, to) = (Some(from.max(next.started_at)), Some(to.max(next.started_at)));
    if next.course.closed_at.is_some() || from == to {
        return None;
    }
    let mut incident = next.clone();
    if next.resolved_at == from && next.end_recorded_at == from {
        incident.resolved_at = to;
        incident.end_recorded_at = to;
    } else if next.resolved_at.is_none() && next.course.mitigated_at == from {
        incident.course.mitigated_at = to;
    } else {
        return None;
    }
    Some(Judged::Moved("incident.edited", Box::new(incident)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use model::core::ids::RecordId;
    use model::incident::course::IncidentCourse;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    /// A report of an issue that began at 0, with its number, its severity and its end.
    fn record(told: i64, number: i64, severity: i64, end: Option<i64>) -> Alert {
        Alert {
            source_key: "issue/OPS-7".to_owned(),
            is_over: end.is_some(),
            reopens: end.is_none(),
            tells_state: true,
            title: "Slow".to_owned(),
            services: Vec::new(),
            severity,
            started_at: at(0),
            later_starts: Vec::new(),
            told_at: Some(at(told)),
            told_number: Some(number),
            ended_at: end.map(at),
        }
    }

    /// The same report with another title.
    fn titled(alert: Alert, title: &str) -> Alert {
        Alert {
            title: title.to_owned(),
            ..alert
        }
    }

    /// The incident after alerts, one after another.
    fn after(alerts: &[&Alert]) -> Incident {
        let mut same: Vec<Incident> = Vec::new();
        for alert in alerts.iter().copied() {
            match by_reports(&same, (alert, alert.report().unwrap()), &BTreeSet::new(), |_| false) {
                Judged::Known(_) => {}
                Judged::Moved(_, incident) | Judged::Marked(incident) => same = vec![*incident],
                Judged::New(started_at, resolved_at) => same.push(Incident {
                    id: RecordId("i".to_owned()),
                    version: 0,
                    key: "INC-1".to_owned(),
                    title: alert.title.clone(),
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
                        ..IncidentCourse::default()
                    },
                }),
                Judged::Parted(..) => unreachable!("a report parts nothing"),
            }
        }
        assert_eq!(same.len(), 1);
        same.remove(0)
    }

    /// All orders of alerts.
    fn orders(alerts: &[Alert]) -> Vec<Vec<&Alert>> {
        let Some((last, rest)) = alerts.split_last() else {
            return vec![Vec::new()];
        };
        let mut found = Vec::new();
        for order in orders(rest) {
            for place in 0..=order.len() {
                let mut order = order.clone();
                order.insert(place, last);
                found.push(order);
            }
        }
        found
    }

    #[test]
    fn reports_of_a_record_come_to_the_same_incident_in_every_order() {
        let open = [
            record(0, 1, 3, None),
            record(5, 2, 2, None),
            record(10, 3, 3, Some(10)),
            record(15, 4, 3, Some(10)),
            record(20, 5, 3, None),
            record(25, 6, 4, None),
        ];
        let mut over = open.to_vec();
        // Closed within the same instant as the last edit, which only the numbers tell apart.
        over[5] = record(20, 6, 3, Some(20));
        for alerts in [open.as_slice(), &open[..3], &open[..5], over.as_slice()] {
            let in_order = after(&alerts.iter().collect::<Vec<_>>());
            assert_eq!(in_order.resolved_at.is_some(), alerts.last().unwrap().is_over);
            assert_eq!(in_order.severity, 2, "the gravest one counts");
            for order in orders(alerts) {
                assert_eq!(after(&order), in_order);
            }
        }
    }

    #[test]
    fn the_title_is_the_one_of_the_last_report_until_a_person_gives_another() {
        let alerts = [
            titled(record(0, 1, 3, None), "Slow"),
            titled(record(5, 2, 3, None), "Payments are slow"),
            titled(record(10, 3, 3, None), "Payments fail"),
            titled(record(15, 4, 3, Some(15)), "Alert"),
        ];
        for order in orders(&alerts[..3]) {
            assert_eq!(after(&order).title, "Payments fail", "{order:?}");
        }
        let all = after(&alerts.iter().collect::<Vec<_>>());
        assert_eq!(all.title, "Payments fail", "a report without a title takes none away");
        let renamed = titled(record(20, 5, 3, None), "Cards are refused");
        let title = |incident: Incident| {
            let report = renamed.report().unwrap();
            match by_reports(&[incident], (&renamed, report), &BTreeSet::new(), |_| false) {
                Judged::Moved(_, incident) | Judged::Marked(incident) => incident.title,
                _ => panic!("a new report is stored"),
            }
        };
        let open = after(&[&alerts[0]]);
        assert_eq!(title(open.clone()), "Cards are refused");
        let (mut own, mut closed) = (open.clone(), open);
        own.title = "Our own words".to_owned();
        own.course.has_own_title = true;
        assert_eq!(title(own), "Our own words");
        closed.course.closed_at = Some(at(10));
        assert_eq!(title(closed), "Slow", "a closed incident stays as it is");
    }

    #[test]
    fn an_end_that_was_reported_late_moves_no_end_that_a_person_recorded() {
        let (open, late, over) = (
            record(0, 1, 3, None),
            record(10, 2, 3, Some(10)),
            record(30, 4, 3, Some(30)),
        );
        let mut incident = after(&[&open, &over]);
        incident.end_recorded_at = Some(at(40));
        let judged = by_reports(&[incident], (&late, late.report().unwrap()), &BTreeSet::new(), |_| {
            false
        });
        let Judged::Marked(found) = judged else {
            panic!("nothing visible moves")
        };
        assert_eq!(found.resolved_at, Some(at(30)));
    }
}

//! Webhooks of Atlassian Statuspage, by which a vendor notifies its subscribers of incidents and scheduled maintenance
//! (`https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/`; the incident's shape is that of the API,
//! `https://developer.statuspage.io/#tag/incidents`). Statuspage signs nothing: the connection's secret is in the address that
//! is subscribed, as the password of `https://assent:SECRET@…`.
//!
//! The natural key is the id of the page with that of the incident. Maintenance becomes a [`Notice`]; an incident without
//! scheduled times is one of the vendor's own and becomes an alert. The connection's map names components as `repository`.

use jiff::Timestamp;
use model::core::enums::{NoticeImpact, NoticeState};
use model::integration::signal::{self, Notice, SetAside, Signal};
use serde_json::Value;

use super::{IncidentReport, moment, severity, text};
use crate::integration::received::parse;

/// The most components of one notice.
const MOST_COMPONENTS: usize = 100;
/// The most updates read of one incident.
const MOST_UPDATES: usize = 500;

/// Reads a delivery.
///
/// # Errors
/// [`SetAside`] for maintenance without times or components, an incident without an id, or a time that cannot be read.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Value = parse(body)?;
    if it.get("incident").is_none() {
        // Changes of a component alone, and anything that is new.
        let event = if it.get("component_update").is_some() {
            "component_update"
        } else {
            "statuspage"
        };
        return Ok(vec![Signal::Unknown {
            event: event.to_owned(),
            action: None,
        }]);
    }
    let id = text(&it, "/incident/id").ok_or_else(|| SetAside::because("the incident has no id"))?;
    let page = text(&it, "/page/id").unwrap_or_default();
    let key = signal::name("id", &format!("{page}/{id}"))?;
    let status = text(&it, "/incident/status").unwrap_or_default();
    let is_planned = text(&it, "/incident/scheduled_for").is_some()
        || text(&it, "/incident/impact").as_deref() == Some("maintenance")
        || matches!(status.as_str(), "scheduled" | "in_progress" | "verifying" | "completed");
    if is_planned {
        return Ok(vec![Signal::Notice(notice(&it, key, &status, received_at)?)]);
    }
    Ok(vec![incident(&it, key, &status)?.into_signal(received_at)?])
}

/// An incident of the vendor.
fn incident(it: &Value, key: String, status: &str) -> Result<IncidentReport, SetAside> {
    let is_over = matches!(status, "resolved" | "postmortem");
    let begun = moment(it, "/incident/started_at")?;
    Ok(IncidentReport {
        key,
        is_over,
        reopens: !is_over,
        tells_state: true,
        title: text(it, "/incident/name"),
        services: components(it)?,
        severity: text(it, "/incident/impact").as_deref().and_then(severity),
        started_at: begun.or(moment(it, "/incident/created_at")?),
        ended_at: moment(it, "/incident/resolved_at")?,
        told_at: moment(it, "/incident/updated_at")?,
        told_number: None,
    })
}

/// Scheduled maintenance.
fn notice(it: &Value, reference: String, status: &str, received_at: Timestamp) -> Result<Notice, SetAside> {
    let title = text(it, "/incident/name")
        .as_deref()
        .and_then(signal::free_text)
        .unwrap_or_else(|| "Maintenance".to_owned());
    let lacks = |what: &str| {
        SetAside::because(format_args!(
            "the maintenance {title} has no {what}; ask the vendor, and record the notice by hand meanwhile"
        ))
    };
    let starts_at = moment(it, "/incident/scheduled_for")?.ok_or_else(|| lacks("start (scheduled_for)"))?;
    let ends_at = moment(it, "/incident/scheduled_until")?.ok_or_else(|| lacks("end (scheduled_until)"))?;
    if ends_at <= starts_at {
        return Err(SetAside::because(format_args!(
            "the maintenance {title} ends before it begins"
        )));
    }
    let components = components(it)?;
    if components.is_empty() {
        return Err(lacks("service (components)"));
    }
    let state = match status {
        "in_progress" | "verifying" => NoticeState::UnderWay,
        "completed" | "resolved" | "postmortem" => NoticeState::Completed,
        "canceled" | "cancelled" => NoticeState::Cancelled,
        _ => NoticeState::Announced,
    };
    let is_over = state == NoticeState::Completed;
    let ended = moment(it, "/incident/resolved_at")?.or(first_of(it, "completed")?);
    Ok(Notice {
        reference,
        text: updates(it)
            .find_map(|it| text(it, "/body"))
            .as_deref()
            .and_then(signal::free_text),
        impact: impact(it),
        starts_at,
        ends_at,
        state,
        actual_start: first_of(it, "in_progress")?,
        actual_end: ended.filter(|_| is_over),
        told_at: moment(it, "/incident/updated_at")?.unwrap_or(received_at),
        components,
        title,
    })
}

/// Updates, the newest first as Statuspage sends them.
fn updates(it: &Value) -> impl Iterator<Item = &Value> {
    let rows = it.pointer("/incident/incident_updates").and_then(Value::as_array);
    rows.into_iter().flatten().take(MOST_UPDATES)
}

/// The time of the first update with this status.
fn first_of(it: &Value, status: &str) -> Result<Option<Timestamp>, SetAside> {
    let mut first: Option<Timestamp> = None;
    for row in updates(it).filter(|row| text(row, "/status").as_deref() == Some(status)) {
        let at = moment(row, "/created_at")?;
        first = match (first, at) {
            (Some(first), Some(at)) => Some(first.min(at)),
            (first, at) => first.or(at),
        };
    }
    Ok(first)
}

/// The names of components: of the incident, and of its updates where the incident itself lists none.
fn components(it: &Value) -> Result<Vec<String>, SetAside> {
    let own = it.pointer("/incident/components").and_then(Value::as_array);
    let mut names: Vec<String> = own.into_iter().flatten().filter_map(|row| text(row, "/name")).collect();
    if names.is_empty() {
        let affected = updates(it).filter_map(|row| row.get("affected_components")?.as_array());
        names = affected.flatten().filter_map(|row| text(row, "/name")).collect();
    }
    names.sort();
    names.dedup();
    names
        .iter()
        .take(MOST_COMPONENTS)
        .map(|name| signal::name("component", name))
        .collect()
}

/// The announced impact. Statuspage calls every maintenance `maintenance`; the states of components are more precise. An absent
/// impact is read as degraded.
fn impact(it: &Value) -> NoticeImpact {
    let affected = updates(it).filter_map(|row| row.get("affected_components")?.as_array());
    let states: Vec<String> = affected.flatten().filter_map(|row| text(row, "/new_status")).collect();
    let is_away = |state: &String| matches!(state.as_str(), "major_outage" | "partial_outage");
    match text(it, "/incident/impact").as_deref() {
        Some("major" | "critical") => NoticeImpact::Outage,
        _ if states.iter().any(is_away) => NoticeImpact::Outage,
        Some("none") => NoticeImpact::None,
        _ => NoticeImpact::Degraded,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    /// A delivery as Statuspage documents it, of scheduled maintenance.
    fn delivery(status: &str) -> Value {
        json!({
            "meta": {"unsubscribe": "https://status.cartwell.example/?unsubscribe=j0vqr9kl3513",
                "documentation": "https://doers.statuspage.io/customer-notifications/webhooks/",
                "generated_at": "2026-11-28T11:59:58.000Z"},
            "page": {"id": "j2mfxwj97wnj", "status_indicator": "maintenance",
                "status_description": "Partially Under Maintenance"},
            "incident": {
                "backfilled": false, "created_at": "2026-11-27T09:00:00.000-06:00", "impact": "maintenance",
                "impact_override": null, "monitoring_at": null, "postmortem_body": null, "resolved_at": null,
                "scheduled_auto_completed": false, "scheduled_auto_in_progress": true,
                "scheduled_for": "2026-12-02T20:00:00.000Z", "scheduled_remind_prior": true,
                "scheduled_until": "2026-12-02T23:00:00.000Z", "shortlink": "http://stspg.io/abc",
                "status": status, "updated_at": "2026-11-28T11:59:57.000Z", "id": "lbkhbwn21v5q", "organization_id": "o",
                "incident_updates": [
                    {"body": "Disks of row 4 are replaced.", "created_at": "2026-11-27T15:00:00.000Z",
                     "display_at": "2026-11-27T15:00:00.000Z", "status": "scheduled", "id": "drfcwbnpxnr6",
                     "incident_id": "lbkhbwn21v5q",
                     "affected_components": [{"code": "c1", "name": "Block storage", "old_status": "operational",
                        "new_status": "under_maintenance"}]},
                ],
                "components": [{"id": "c1", "name": "Block storage", "status": "under_maintenance"}],
                "name": "Storage maintenance",
            },
        })
    }

    fn notice_of(delivery: &Value) -> Notice {
        match read(delivery.to_string().as_bytes(), now()).unwrap().remove(0) {
            Signal::Notice(notice) => notice,
            other => panic!("{other:?}"),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn scheduled_maintenance_is_a_notice_with_its_times_and_components() {
        let notice = notice_of(&delivery("scheduled"));
        assert_eq!(notice.reference, "j2mfxwj97wnj/lbkhbwn21v5q");
        assert_eq!(notice.title, "Storage maintenance");
        assert_eq!(notice.text.as_deref(), Some("Disks of row 4 are replaced."));
        assert_eq!(notice.components, ["Block storage"]);
        assert_eq!(
            (notice.starts_at, notice.ends_at),
            (at("2026-12-02T20:00:00Z"), at("2026-12-02T23:00:00Z"))
        );
        assert_eq!(
            (notice.state, notice.impact),
            (NoticeState::Announced, NoticeImpact::Degraded)
        );
        assert_eq!(notice.told_at, at("2026-11-28T11:59:57Z"));
    }

    #[test]
    fn its_updates_tell_when_it_began_and_ended_and_how_far_it_reaches() {
        let mut body = delivery("completed");
        body["incident"]["resolved_at"] = json!("2026-12-02T23:40:00.000Z");
        let rows = body["incident"]["incident_updates"].as_array_mut().unwrap();
        rows.insert(
            0,
            json!({"body": "We began.", "created_at": "2026-12-02T20:05:00Z", "status": "in_progress",
                "affected_components": [{"name": "Block storage", "new_status": "major_outage"}]}),
        );
        let notice = notice_of(&body);
        assert_eq!(
            (notice.state, notice.impact),
            (NoticeState::Completed, NoticeImpact::Outage)
        );
        assert_eq!(notice.actual_start, Some(at("2026-12-02T20:05:00Z")));
        assert_eq!(notice.actual_end, Some(at("2026-12-02T23:40:00Z")));
        assert_eq!(notice_of(&delivery("in_progress")).state, NoticeState::UnderWay);
        assert_eq!(notice_of(&delivery("canceled")).state, NoticeState::Cancelled);
    }

    #[test]
    fn maintenance_without_a_time_or_a_component_is_set_aside_with_what_it_lacks() {
        for (field, wanted) in [
            ("scheduled_for", "no start"),
            ("scheduled_until", "no end"),
            ("components", "no service"),
        ] {
            let mut body = delivery("scheduled");
            body["incident"].as_object_mut().unwrap().remove(field);
            body["incident"].as_object_mut().unwrap().remove("incident_updates");
            let error = read(body.to_string().as_bytes(), now()).unwrap_err();
            assert!(error.reason.contains(wanted), "{}", error.reason);
            assert!(error.reason.contains("Storage maintenance"), "{}", error.reason);
        }
        let mut reversed = delivery("scheduled");
        reversed["incident"]["scheduled_until"] = json!("2026-12-02T19:00:00Z");
        let error = read(reversed.to_string().as_bytes(), now()).unwrap_err();
        assert!(error.reason.contains("ends before"), "{}", error.reason);
    }

    #[test]
    fn an_incident_of_the_vendor_is_an_alert_and_a_component_alone_is_noted() {
        let mut body = delivery("investigating");
        let incident = body["incident"].as_object_mut().unwrap();
        incident.insert("scheduled_for".to_owned(), Value::Null);
        incident.insert("impact".to_owned(), json!("critical"));
        match read(body.to_string().as_bytes(), now()).unwrap().remove(0) {
            Signal::Alert(alert) => {
                assert_eq!((alert.severity, alert.is_over), (1, false));
                assert_eq!(alert.services, ["Block storage"]);
            }
            other => panic!("{other:?}"),
        }
        let component =
            json!({"page": {"id": "p"}, "component_update": {"new_status": "operational"}, "component": {}});
        let found = read(component.to_string().as_bytes(), now()).unwrap();
        assert!(matches!(&found[..], [Signal::Unknown { event, .. }] if event == "component_update"));
    }
}

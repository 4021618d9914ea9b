//! The demo's teams, calendar and ownership matrix: rows on services, items and classes, with dates and a job function, so that
//! the pages and the reports have something to show. Hanne remains one of the people responsible for every service.

use acts::directory::{set_person, set_service};
use acts::schedule::set_calendar;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Past, Result, body};

/// Team, name, members.
const TEAMS: &[(&str, &str, &[&str])] = &[
    ("finance", "Finance", &["hanne", "aiko"]),
    ("logistics", "Logistics", &["hanne", "luc"]),
    ("platform", "Platform", &["hanne", "tomasz"]),
];

/// Config item, name, service, kind.
const ITEMS: &[(&str, &str, &str, &str)] = &[
    ("ledger-primary", "Ledger, primary node", "ledger-db", "database"),
    ("ledger-replica", "Ledger, replica", "ledger-db", "database"),
    ("edge-zone-file", "Zone file of the edge", "edge-dns", "file"),
];

/// Norwegian days on which nobody works.
const HOLIDAYS: &[(&str, &str)] = &[
    ("2026-12-24", "Christmas Eve"),
    ("2026-12-25", "Christmas Day"),
    ("2026-12-26", "Boxing Day"),
    ("2027-01-01", "New Year"),
    ("2027-03-25", "Maundy Thursday"),
    ("2027-03-26", "Good Friday"),
    ("2027-03-29", "Easter Monday"),
    ("2027-05-17", "Constitution Day"),
];

/// Sets teams, items, arrows, calendar and rows.
///
/// # Errors
/// [`super::DemoError`].
pub fn fill(past: &Past) -> Result<()> {
    past.system(|cx| {
        let hours: Vec<Value> = ["monday", "tuesday", "wednesday", "thursday", "friday"]
            .iter()
            .map(|day| json!({"day": day, "from": "08:00", "to": "16:00"}))
            .collect();
        let holidays: Vec<Value> = HOLIDAYS
            .iter()
            .map(|(date, title)| json!({"date": date, "title": title}))
            .collect();
        let calendar = json!({
            "key": "default", "name": "Head office", "zone": "Europe/Oslo", "hours": hours, "holidays": holidays,
        });
        set_calendar::set_calendar(cx, &body(calendar))?;
        for (key, name, members) in TEAMS {
            let team = json!({"name": name, "kind": "team", "members": members});
            set_person::set_group(cx, key, &body(team))?;
        }
        for (key, name, service, kind) in ITEMS {
            let item = json!({"key": key, "name": name, "service": service, "kind": kind});
            set_service::set_config_item(cx, &body(item))?;
        }
        set_service::set_dependency(
            cx,
            &body(json!({"from": "label-print", "to": "wms", "kind": "part_of"})),
        )?;
        let store = json!({"from": "invoicing", "to": "ledger-primary", "to_kind": "config_item", "kind": "stores_in"});
        set_service::set_dependency(cx, &body(store))?;
        // With a person in operations, the pack `sox` can be tried here.
        for (login, function) in [("aiko", "data-steward"), ("luc", "operations")] {
            set_person::edit_person(cx, login, &body(json!({"functions": [function]})))?;
        }
        for row in rows(cx.now) {
            set_service::set_ownership(cx, &body(row))?;
        }
        Ok(())
    })
}

fn rows(now: Timestamp) -> Vec<Value> {
    let at = |days: i64| (now + SignedDuration::from_hours(24 * days)).to_string();
    vec![
        json!({"class": "team:Finance", "role": "owner", "group": "finance"}),
        json!({"class": "team:Logistics", "role": "owner", "group": "logistics"}),
        json!({"class": "regime:sox", "role": "security", "person": "priya"}),
        json!({"class": "data_class:restricted", "role": "data", "person": "aiko", "function": "data-steward"}),
        json!({"config_item": "edge-zone-file", "role": "technical_lead", "group": "platform"}),
        json!({"service": "shipments", "role": "technical_lead", "person": "luc", "ends_at": at(60)}),
        json!({"service": "shipments", "role": "technical_lead", "person": "tomasz", "since": at(60)}),
    ]
}

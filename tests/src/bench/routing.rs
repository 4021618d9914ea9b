//! Routing: a change over many targets is settled by a matrix of many rows, in this process, without a database.
//!
//! The floor is the work that no routing can do without: for each rule and target one look-up of the service's rows by their
//! key, and one copy of each person's id in them.

pub mod reach;

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use model::approval::obligation::{
    ApprovalRule, Asked, Due, Duty, Obligation, Requirements, TargetObligation, Verdict,
};
use model::change::change_file::{Actor, Case, ChangeFile};
use model::change::record::Change;
use model::change::settle::settle;
use model::core::enums::{Covers, OwnershipRole};
use model::core::ids::{PersonId, ServiceKey};
use model::directory::snapshot::{Directory, Ownership};
use model::policy::facts;
use serde_json::{Value, json};

use super::report::Line;

/// Targets of the change.
const TARGETS: usize = 200;
/// Rows of the matrix.
const ROWS: usize = 10_000;
/// People of the directory.
const PEOPLE: usize = 500;
/// How often it is measured; the middle time counts.
const TIMES: usize = 15;
/// The parts that the rules require.
const ASKED: [(Asked, OwnershipRole); 3] = [
    (Asked::Owner, OwnershipRole::Owner),
    (Asked::TechnicalLead, OwnershipRole::TechnicalLead),
    (Asked::Security, OwnershipRole::Security),
];

/// Measures one routing of a fresh change.
///
/// # Errors
/// When the records of the measure cannot be made, or when routing finds nobody.
#[expect(clippy::disallowed_methods, reason = "this is the measuring")]
pub fn measure() -> Result<Line> {
    let now: Timestamp = "2026-11-20T10:00:00Z".parse()?;
    let directory = std::sync::Arc::new(directory()?);
    let file = file(now)?;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let mut case_file = file.clone();
        let begun = Instant::now();
        let asked = route(&directory, &mut case_file, now);
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(asked >= TARGETS, "routing asked {asked} people");
    }
    let mut floors = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        let found = floor(&directory);
        floors.push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(found >= TARGETS, "the floor found {found} people");
    }
    let what =
        format!("Routing a change over {TARGETS} targets by 3 rules and {ROWS} rows of ownership, middle of {TIMES}");
    let floor = format!("{:.2} ms, the look-ups alone", middle(floors));
    Ok(Line::under(what, middle(took), floor, 50.0))
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn route(directory: &std::sync::Arc<Directory>, file: &mut ChangeFile, now: Timestamp) -> usize {
    let requirements = file.requirements.clone();
    let mut number = 0;
    let mut ids = || {
        number += 1;
        number.to_string()
    };
    let judge = |_: &ChangeFile| requirements.clone();
    let may = |_: &facts::ActorFacts, _: &str, _: Option<&ChangeFile>| Verdict {
        allowed: true,
        reasons: Vec::new(),
    };
    let mut case = Case {
        file: file.clone(),
        directory: directory.clone(),
        actor: Actor::system(),
        now,
        ids: &mut ids,
        judge: &judge,
        may: &may,
        events: Vec::new(),
        letters: Vec::new(),
        revoked: Vec::new(),
    };
    settle(&mut case);
    case.file.change.requests.len()
}

fn floor(directory: &Directory) -> usize {
    let mut index: HashMap<(&str, OwnershipRole), Vec<&PersonId>> = HashMap::new();
    for row in directory.ownerships.iter() {
        if let (Some(service), Some(person)) = (&row.service, &row.person) {
            index.entry((service.as_str(), row.role)).or_default().push(person);
        }
    }
    let mut found: Vec<PersonId> = Vec::new();
    for (_, role) in &ASKED {
        for place in 0..TARGETS {
            let key = service(place);
            found.extend(
                index
                    .get(&(key.as_str(), *role))
                    .into_iter()
                    .flatten()
                    .map(|person| (*person).clone()),
            );
        }
    }
    found.len()
}

fn service(place: usize) -> String {
    format!("service-{place}")
}

/// Services of which each has rows of every required part, so that all rows together are [`ROWS`].
fn directory() -> Result<Directory> {
    let mut directory = Directory::default();
    for place in 0..PEOPLE {
        let login = format!("person-{place}");
        let person = serde_json::from_value(json!({
            "id": login, "version": 1, "login": login, "name": login, "roles": ["owner"], "zone": "UTC", "active": true,
        }))?;
        directory.people.insert(PersonId(login.clone()), person);
        directory.logins.insert(login.clone(), PersonId(login));
    }
    let mut rows: Vec<Ownership> = Vec::new();
    for place in 0..ROWS {
        let key = service(place / 6);
        let (_, role) = &ASKED[place % ASKED.len()];
        if place % 6 == 0 {
            let made = serde_json::from_value(json!({
                "id": key, "version": 1, "key": key, "name": key, "criticality": "high", "regimes": ["sox"],
            }))?;
            directory.services.insert(ServiceKey(key.clone()), made);
        }
        rows.push(serde_json::from_value(json!({
            "id": place.to_string(), "version": 1, "service": key, "role": role,
            "person": format!("person-{}", (place * 7) % PEOPLE), "since": "2026-01-01T00:00:00Z",
        }))?);
    }
    directory.ownerships = rows.into();
    Ok(directory)
}

fn file(now: Timestamp) -> Result<ChangeFile> {
    let targets: Vec<Value> = (0..TARGETS)
        .map(|place| json!({"id": (place + 1).to_string(), "service": service(place), "environment": "production"}))
        .collect();
    let change: Change = serde_json::from_value(json!({
        "id": "c", "version": 1, "key": "CHG-1", "number": 1, "state": "authorizing", "requester": "person-1",
        "created_at": now, "updated_at": now, "kind": "normal", "title": "Everything", "category": "application",
        "targets": targets, "impact": {"data": "low", "availability": "low", "compliance": "low"},
        "owner": "person-1", "risk": {"level": "low", "score": 0, "reasons": []},
        "digests": {"what": "", "when": "", "content": ""}, "target_records": [], "authors": ["person-1"],
        "plan": [{"title": "Do it"}], "no_rollback_reason": "None",
    }))?;
    let ids = change
        .content
        .targets
        .iter()
        .map(|target| target.id.clone())
        .collect::<Vec<_>>();
    let mut file = ChangeFile::new(change);
    file.requirements = Requirements {
        obligations: ASKED
            .iter()
            .enumerate()
            .map(|(place, (asked, _))| TargetObligation {
                obligation: Obligation {
                    id: format!("bench.{place}"),
                    reason: "The house asks for it.".to_owned(),
                    due: Due::Start,
                    duty: Duty::Approval(ApprovalRule::plain(asked.clone(), Covers::What)),
                },
                targets: ids.clone(),
            })
            .collect(),
        ..Requirements::default()
    };
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_measured_routing_asks_somebody_at_every_target() {
        measure().unwrap();
    }
}

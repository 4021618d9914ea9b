//! Which deployments passed the gate, as a tenant's log states it: where a gate stands, each deployment follows a go or a permit.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::core::enums::GateDecision;

/// How far the clocks of a pipeline and of the server may differ.
const CLOCKS: SignedDuration = SignedDuration::from_mins(15);

/// How a deployment went past the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// A go or a permit came first.
    Passed,
    /// The log has no question to the gate about it: nobody asked, or by a way that leaves no check.
    NotAsked,
    /// The gate had answered no.
    Refused,
}

/// A deployment to a place before which a gate stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatedRun {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// When it was deployed, as far as was told.
    pub at: Timestamp,
    /// How it went past the gate.
    pub passage: Passage,
}

/// A question to the gate, while its events are read.
#[derive(Debug, Default)]
struct Asked {
    service: Option<String>,
    environment: Option<String>,
    change: Option<String>,
    asked_at: Option<Timestamp>,
    /// When it first said go.
    go_at: Option<Timestamp>,
}

/// A service in an environment.
type Where = (String, String);

/// The questions to the gate and its permits, while the events of a log are read in the order of their indexes.
#[derive(Debug, Default)]
pub(crate) struct GateTrail {
    checks: BTreeMap<String, Asked>,
    /// When each change first had a permit for a place.
    permits: BTreeMap<(String, Where), Timestamp>,
}

/// What the gate was asked and said, by place.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    /// When the gate was asked first about a place.
    stood: BTreeMap<Where, Timestamp>,
    /// When a change was first let through to a place.
    gone: BTreeMap<(String, Where), Timestamp>,
    /// When a change was first asked about at a place.
    asked: BTreeMap<(String, Where), Timestamp>,
}

fn text(set: &Map<String, Value>, name: &str) -> Option<String> {
    set.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn moment(set: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    set.get(name)?.as_str()?.parse().ok()
}

impl GateTrail {
    /// Takes what an event written down at a moment set of a question. A name that is no technical name is sealed and so absent.
    pub(crate) fn take_check(&mut self, id: &str, set: &Map<String, Value>, at: Timestamp) {
        let check = self.checks.entry(id.to_owned()).or_default();
        check.service = text(set, "service").or(check.service.take());
        check.environment = text(set, "environment").or(check.environment.take());
        check.change = text(set, "change").or(check.change.take());
        check.asked_at = moment(set, "asked_at").or(check.asked_at);
        if text(set, "decision").as_deref() == Some(GateDecision::Go.as_str()) {
            check.go_at = check.go_at.or(Some(at));
        }
    }

    /// Takes what an event set of a permit.
    pub(crate) fn take_permit(&mut self, set: &Map<String, Value>) {
        let place = text(set, "service").zip(text(set, "environment"));
        let (Some(change), Some(place), Some(at)) = (text(set, "change_key"), place, moment(set, "issued_at")) else {
            return;
        };
        earliest(&mut self.permits, (change, place), at);
    }

    /// What was asked and said, by place.
    pub(crate) fn gates(&self) -> Gates {
        let mut gates = Gates {
            gone: self.permits.clone(),
            ..Gates::default()
        };
        for check in self.checks.values() {
            let (Some(service), Some(environment), Some(at)) = (&check.service, &check.environment, check.asked_at)
            else {
                continue;
            };
            let place = (service.clone(), environment.clone());
            earliest(&mut gates.stood, place.clone(), at);
            let Some(change) = &check.change else { continue };
            let of_change = (change.clone(), place);
            if let Some(go_at) = check.go_at {
                earliest(&mut gates.gone, of_change.clone(), go_at);
            }
            earliest(&mut gates.asked, of_change, at);
        }
        gates
    }
}

fn earliest<K: Ord>(map: &mut BTreeMap<K, Timestamp>, key: K, at: Timestamp) {
    let first = map.entry(key).or_insert(at);
    *first = (*first).min(at);
}

impl Gates {
    /// How a deployment of a change went past the gate; `None` where none stood before the place yet.
    pub(crate) fn passage(&self, change: &str, (service, environment): (&str, &str), at: Timestamp) -> Option<Passage> {
        let place = (service.to_owned(), environment.to_owned());
        self.stood.get(&place).filter(|first| **first < at)?;
        let of_change = (change.to_owned(), place);
        let latest = at.saturating_add(CLOCKS).unwrap_or(at);
        let is_before = |first: Option<&Timestamp>| first.is_some_and(|first| *first <= latest);
        Some(match is_before(self.gone.get(&of_change)) {
            true => Passage::Passed,
            false if is_before(self.asked.get(&of_change)) => Passage::Refused,
            false => Passage::NotAsked,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    fn set(members: Value) -> Map<String, Value> {
        match members {
            Value::Object(set) => set,
            _ => Map::new(),
        }
    }

    fn check(change: &str, decision: &str, minute: i64) -> Map<String, Value> {
        set(
            json!({"service": "till", "environment": "production", "change": change, "decision": decision,
            "asked_at": at(minute).to_string()}),
        )
    }

    #[test]
    fn a_deployment_passed_only_after_a_go_or_a_permit_for_its_own_change_and_place() {
        let mut trail = GateTrail::default();
        trail.take_check("g1", &check("CHG-1", "go", 10), at(10));
        trail.take_check("g2", &check("CHG-2", "stop", 20), at(20));
        let permit = json!({"change_key": "CHG-4", "service": "till", "environment": "production",
            "issued_at": at(30).to_string()});
        trail.take_permit(&set(permit));
        let gates = trail.gates();
        let till = ("till", "production");
        assert_eq!(gates.passage("CHG-1", till, at(40)), Some(Passage::Passed));
        assert_eq!(gates.passage("CHG-2", till, at(40)), Some(Passage::Refused));
        assert_eq!(gates.passage("CHG-3", till, at(40)), Some(Passage::NotAsked));
        assert_eq!(gates.passage("CHG-4", till, at(40)), Some(Passage::Passed));
        // Another place has no gate, and neither had this one before it was asked first.
        assert_eq!(gates.passage("CHG-3", ("till", "staging"), at(40)), None);
        assert_eq!(gates.passage("CHG-3", till, at(5)), None);
    }

    #[test]
    fn a_go_that_came_after_the_deployment_lets_nothing_through() {
        let mut trail = GateTrail::default();
        trail.take_check("g1", &check("CHG-9", "go", 0), at(0));
        trail.take_check("g2", &check("CHG-1", "stop", 10), at(10));
        trail.take_check("g2", &set(json!({"decision": "go"})), at(90));
        let gates = trail.gates();
        let till = ("till", "production");
        assert_eq!(gates.passage("CHG-1", till, at(30)), Some(Passage::Refused));
        assert_eq!(
            gates.passage("CHG-1", till, at(80)),
            Some(Passage::Passed),
            "clocks differ"
        );
        assert_eq!(gates.passage("CHG-1", till, at(100)), Some(Passage::Passed));
    }
}

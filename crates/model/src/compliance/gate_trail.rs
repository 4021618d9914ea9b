//! Deployments and the gate, by a tenant's log: where a gate is in use, each deployment follows a go for its purpose that no
//! stop took back, or a permit.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::core::enums::{GateDecision, Purpose};

/// How far the clocks of a pipeline and of the server may differ.
const CLOCKS: SignedDuration = SignedDuration::from_mins(15);

/// How a deployment went past the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// A go that no stop took back, or a permit, came first.
    Passed,
    /// The log has no gate request about it: none was made, or on a path that leaves no check.
    NotAsked,
    /// The gate had stopped it, or its permit was revoked.
    Refused,
    /// It was reported after the gate was in use, with an earlier time, and the log does not show that its work had ended by
    /// then.
    ToldOlder,
}

/// A deployment to a place with a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatedRun {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The reported time of the deployment.
    pub at: Timestamp,
    /// The time of the first report.
    pub told_at: Timestamp,
    /// How it went past the gate.
    pub passage: Passage,
}

/// A deployment as it is held against the gate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'r> {
    /// The key of its change.
    pub(crate) change: &'r str,
    /// The service.
    pub(crate) service: &'r str,
    /// The environment.
    pub(crate) environment: &'r str,
    /// Forward or back.
    pub(crate) purpose: Purpose,
    /// The reported time of the deployment.
    pub(crate) at: Timestamp,
    /// The time of the first report.
    pub(crate) told_at: Timestamp,
    /// When the end of its change's work was recorded, whatever time the record names.
    pub(crate) ended_at: Option<Timestamp>,
}

/// A question to the gate, while its events are read.
#[derive(Debug, Default)]
struct GateQuery {
    service: Option<Arc<str>>,
    environment: Option<Arc<str>>,
    change: Option<Arc<str>>,
    purpose: Option<Purpose>,
    asked_at: Option<Timestamp>,
    /// Its decisions, in the order of the log.
    answers: Vec<Answer>,
}

/// A permit, while its events are read.
#[derive(Debug, Default)]
struct Given {
    service: Option<Arc<str>>,
    environment: Option<Arc<str>>,
    change: Option<Arc<str>>,
    purpose: Option<Purpose>,
    issued_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// A decision of the gate, with the time.
type Answer = (Timestamp, GateDecision);

/// A service in an environment.
type Where = (Arc<str>, Arc<str>);

/// A change at a place, with the purpose.
type Way = (Arc<str>, Where, Purpose);

/// The names of services, environments and changes, each once: most of them recur in thousands of questions.
#[derive(Debug, Default)]
struct Names(HashSet<Arc<str>>);

impl Names {
    /// The name that an event sets; `None` where it sets none.
    fn set(&mut self, set: &Map<String, Value>, member: &str) -> Option<Arc<str>> {
        let name = set.get(member)?.as_str()?;
        if let Some(known) = self.0.get(name) {
            return Some(Arc::clone(known));
        }
        let name: Arc<str> = Arc::from(name);
        self.0.insert(Arc::clone(&name));
        Some(name)
    }
}

/// The questions to the gate and its permits, while the events of a log are read in the order of their indexes.
#[derive(Debug, Default)]
pub(crate) struct GateTrail {
    checks: BTreeMap<Box<str>, GateQuery>,
    permits: BTreeMap<Box<str>, Given>,
    names: Names,
}

/// The gate's requests and decisions, by place.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    /// The time of the first gate request about a place.
    stood: BTreeMap<Where, Timestamp>,
    /// Its decisions, by time; a revoked permit is a stop.
    answers: BTreeMap<Way, Vec<Answer>>,
    /// From when to when there was a permit.
    permits: BTreeMap<Way, Vec<(Timestamp, Option<Timestamp>)>>,
}

fn text<'s>(set: &'s Map<String, Value>, name: &str) -> Option<&'s str> {
    set.get(name)?.as_str()
}

fn moment(set: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    text(set, name)?.parse().ok()
}

/// The purpose that an event sets; a record without one is about the way forward.
fn purpose(set: &Map<String, Value>) -> Option<Purpose> {
    text(set, "purpose")?.parse().ok()
}

impl GateTrail {
    /// Takes what an event written down at a moment set of a question. A name that is no technical name is sealed and so absent.
    pub(crate) fn take_check(&mut self, id: &str, set: &Map<String, Value>, at: Timestamp) {
        let names = &mut self.names;
        let check = self.checks.entry(Box::from(id)).or_default();
        check.service = names.set(set, "service").or(check.service.take());
        check.environment = names.set(set, "environment").or(check.environment.take());
        check.change = names.set(set, "change").or(check.change.take());
        check.purpose = purpose(set).or(check.purpose);
        check.asked_at = moment(set, "asked_at").or(check.asked_at);
        if let Some(decision) = text(set, "decision").and_then(|it| it.parse::<GateDecision>().ok()) {
            check.answers.push((at, decision));
        }
    }

    /// Takes what an event set of a permit.
    pub(crate) fn take_permit(&mut self, id: &str, set: &Map<String, Value>) {
        let names = &mut self.names;
        let permit = self.permits.entry(Box::from(id)).or_default();
        permit.service = names.set(set, "service").or(permit.service.take());
        permit.environment = names.set(set, "environment").or(permit.environment.take());
        permit.change = names.set(set, "change_key").or(permit.change.take());
        permit.purpose = purpose(set).or(permit.purpose);
        permit.issued_at = moment(set, "issued_at").or(permit.issued_at);
        permit.revoked_at = moment(set, "revoked_at").or(permit.revoked_at);
    }

    /// The gate's requests and decisions, by place.
    pub(crate) fn gates(&self) -> Gates {
        let mut gates = Gates::default();
        for check in self.checks.values() {
            let (Some(service), Some(environment), Some(at)) = (&check.service, &check.environment, check.asked_at)
            else {
                continue;
            };
            let place = (Arc::clone(service), Arc::clone(environment));
            let first = gates.stood.entry(place.clone()).or_insert(at);
            *first = (*first).min(at);
            let Some(change) = &check.change else { continue };
            let way = (Arc::clone(change), place, check.purpose.unwrap_or(Purpose::Deploy));
            gates.answers.entry(way).or_default().extend(&check.answers);
        }
        for permit in self.permits.values() {
            let (Some(change), Some(service), Some(environment), Some(from)) =
                (&permit.change, &permit.service, &permit.environment, permit.issued_at)
            else {
                continue;
            };
            let place = (Arc::clone(service), Arc::clone(environment));
            let way = (Arc::clone(change), place, permit.purpose.unwrap_or(Purpose::Deploy));
            if let Some(at) = permit.revoked_at {
                let answers = gates.answers.entry(way.clone()).or_default();
                answers.push((at, GateDecision::Stop));
            }
            gates.permits.entry(way).or_default().push((from, permit.revoked_at));
        }
        for answers in gates.answers.values_mut() {
            answers.sort_by_key(|(at, _)| *at);
        }
        gates
    }
}

impl Gates {
    /// The way in which a deployment of a change passed the gate; `None` where the place had no gate yet. A report after the
    /// gate was in use counts from then, whatever time it names; but a go that came after that time lets nothing through. Late
    /// reports on old deployments bypassed no gate if the log itself shows that the work had ended before the gate was in use.
    pub(crate) fn passage(&self, run: &Run<'_>) -> Option<Passage> {
        let place: Where = (Arc::from(run.service), Arc::from(run.environment));
        let known_at = run.at.max(run.told_at);
        let stood = *self.stood.get(&place).filter(|first| **first < known_at)?;
        let way: Way = (Arc::from(run.change), place, run.purpose);
        let began = run.at.min(run.told_at);
        let latest = began.saturating_add(CLOCKS).unwrap_or(began);
        let mut permits = self.permits.get(&way).into_iter().flatten();
        if permits.any(|(from, to)| *from <= latest && to.is_none_or(|to| began < to)) {
            return Some(Passage::Passed);
        }
        let answers = self.answers.get(&way).map_or(&[][..], Vec::as_slice);
        let (before, later) = answers.split_at(answers.partition_point(|(at, _)| *at <= began));
        let is_go = |(_, decision): &Answer| *decision == GateDecision::Go;
        let mut near = later.iter().take_while(|(at, _)| *at <= latest).peekable();
        let is_asked = !before.is_empty() || near.peek().is_some();
        Some(match before.last().is_some_and(is_go) || near.any(is_go) {
            true => Passage::Passed,
            false if is_asked => Passage::Refused,
            false if run.at > stood => Passage::NotAsked,
            false if run.ended_at.is_some_and(|ended| ended <= stood) => return None,
            false => Passage::ToldOlder,
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

    fn passage_for(gates: &Gates, change: &str, purpose: Purpose, (minute, told): (i64, i64)) -> Option<Passage> {
        gates.passage(&Run {
            change,
            service: "till",
            environment: "production",
            purpose,
            at: at(minute),
            told_at: at(told),
            ended_at: None,
        })
    }

    fn passage(gates: &Gates, change: &str, minute: i64) -> Option<Passage> {
        passage_for(gates, change, Purpose::Deploy, (minute, minute))
    }

    fn permit(change: &str, minute: i64) -> Map<String, Value> {
        set(
            json!({"change_key": change, "service": "till", "environment": "production", "purpose": "deploy",
            "issued_at": at(minute).to_string()}),
        )
    }

    #[test]
    fn a_deployment_passed_only_after_a_go_or_a_permit_for_its_own_change_and_place() {
        let mut trail = GateTrail::default();
        trail.take_check("g1", &check("CHG-1", "go", 10), at(10));
        trail.take_check("g2", &check("CHG-2", "stop", 20), at(20));
        trail.take_permit("p4", &permit("CHG-4", 30));
        let gates = trail.gates();
        assert_eq!(passage(&gates, "CHG-1", 40), Some(Passage::Passed));
        assert_eq!(passage(&gates, "CHG-2", 40), Some(Passage::Refused));
        assert_eq!(passage(&gates, "CHG-3", 40), Some(Passage::NotAsked));
        assert_eq!(passage(&gates, "CHG-4", 40), Some(Passage::Passed));
        // Another place has no gate, and neither had this one before its first request.
        let elsewhere = Run {
            change: "CHG-3",
            service: "till",
            environment: "staging",
            purpose: Purpose::Deploy,
            at: at(40),
            told_at: at(40),
            ended_at: None,
        };
        assert_eq!(gates.passage(&elsewhere), None);
        assert_eq!(passage(&gates, "CHG-3", 5), None);
    }

    #[test]
    fn a_go_that_came_after_the_deployment_lets_nothing_through() {
        let mut trail = GateTrail::default();
        trail.take_check("g1", &check("CHG-9", "go", 0), at(0));
        trail.take_check("g2", &check("CHG-1", "stop", 10), at(10));
        trail.take_check("g2", &set(json!({"decision": "go"})), at(90));
        let gates = trail.gates();
        assert_eq!(passage(&gates, "CHG-1", 30), Some(Passage::Refused));
        assert_eq!(passage(&gates, "CHG-1", 80), Some(Passage::Passed), "clocks differ");
        assert_eq!(passage(&gates, "CHG-1", 100), Some(Passage::Passed));
    }

    #[test]
    fn a_go_for_the_way_back_lets_nothing_forward() {
        let mut back = check("CHG-1", "go", 10);
        back.insert("purpose".to_owned(), json!("rollback"));
        let mut trail = GateTrail::default();
        trail.take_check("g1", &back, at(10));
        let gates = trail.gates();
        assert_eq!(passage(&gates, "CHG-1", 20), Some(Passage::NotAsked));
        let back = passage_for(&gates, "CHG-1", Purpose::Rollback, (20, 20));
        assert_eq!(back, Some(Passage::Passed));
    }

    #[test]
    fn a_stop_takes_a_go_back_and_a_revocation_a_permit() {
        let mut trail = GateTrail::default();
        trail.take_check("g1", &check("CHG-1", "go", 10), at(10));
        trail.take_check("g2", &check("CHG-1", "stop", 30), at(30));
        trail.take_permit("p4", &permit("CHG-4", 10));
        trail.take_permit("p4", &set(json!({"revoked_at": at(30).to_string()})));
        let gates = trail.gates();
        for change in ["CHG-1", "CHG-4"] {
            assert_eq!(passage(&gates, change, 20), Some(Passage::Passed));
            assert_eq!(passage(&gates, change, 40), Some(Passage::Refused));
        }
        // An issued permit stays good, whatever decisions others get.
        trail.take_permit("p1", &permit("CHG-1", 12));
        assert_eq!(passage(&trail.gates(), "CHG-1", 40), Some(Passage::Passed));
    }

    #[test]
    fn a_time_told_before_the_gate_stood_or_ahead_does_not_evade_it() {
        let mut trail = GateTrail::default();
        trail.take_check("g1", &check("CHG-9", "go", 10), at(10));
        trail.take_check("g2", &check("CHG-1", "go", 90), at(90));
        let gates = trail.gates();
        let told = |minute, told| passage_for(&gates, "CHG-1", Purpose::Deploy, (minute, told));
        assert_eq!(told(5, 30), Some(Passage::ToldOlder), "told to be older than the gate");
        assert_eq!(told(100, 30), Some(Passage::NotAsked), "told to come after the go");
        assert_eq!(told(5, 8), None, "known before the gate stood");
    }

    #[test]
    fn history_that_is_told_late_went_past_no_gate_where_the_log_has_its_end_before_the_gate() {
        let mut trail = GateTrail::default();
        trail.take_check("g1", &check("CHG-9", "go", 10), at(10));
        let gates = trail.gates();
        let told = |minute, ended: Option<i64>| {
            gates.passage(&Run {
                change: "CHG-1",
                service: "till",
                environment: "production",
                purpose: Purpose::Deploy,
                at: at(minute),
                told_at: at(30),
                ended_at: ended.map(at),
            })
        };
        assert_eq!(told(5, Some(8)), None, "its work had ended before the gate stood");
        assert_eq!(told(5, Some(20)), Some(Passage::ToldOlder), "its work went on");
        assert_eq!(told(5, None), Some(Passage::ToldOlder), "its work never ended");
        assert_eq!(
            told(15, Some(8)),
            Some(Passage::NotAsked),
            "it says itself that it came later"
        );
    }
}

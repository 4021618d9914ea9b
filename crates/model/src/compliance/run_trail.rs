//! Deployments, approvals and the administration of Assent itself, by a tenant's log. Like [`ChangeTrail`] it is computed from
//! events alone, so that the same log gives the same result.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::compliance::change_trail::{ChangeTrail, Delta, Kept, Leaf, is_administration};
use crate::compliance::run_trail::rights::Rights;
use crate::core::enums::{DriftOutcome, GateDecision, Role};
use crate::integration::occurrence::{StatusReport, began_at};

/// The tables that are followed beside changes and permits, each with the members that are read.
const FOLLOWED: [(&str, &[&str]); 7] = [
    (
        "deployment",
        &[
            "service",
            "environment",
            "commit",
            "artifact",
            "change_key",
            "same_as",
            "at",
            "unauthorized",
            "words",
        ],
    ),
    (
        "gate_check",
        &["service", "environment", "change", "asked_at", "decision"],
    ),
    (
        "running",
        &["service", "environment", "artifact", "change_key", "since", "until"],
    ),
    (
        "drift_finding",
        &[
            "service",
            "environment",
            "address",
            "change",
            "outcome",
            "appeared_at",
            "last_seen",
        ],
    ),
    ("service", &["key"]),
    ("environment", &["key", "is_production"]),
    ("person", &["roles", "active", "services"]),
];

/// A permit as the log issued it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedPermit {
    /// The members of its record, sealed.
    pub members: Map<String, Value>,
    /// When the event that issued it happened.
    pub at: Timestamp,
}

/// An act that changed rights or rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administered {
    /// The event: `person.role_given`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// By whom: the id of a person, or `system`.
    pub actor: String,
}

/// The erasures of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedThen {
    /// When.
    pub at: Timestamp,
    /// Changes whose erasure was done.
    pub changes: u64,
    /// Texts that went.
    pub texts: u64,
    /// Raw bodies of deliveries that went.
    pub deliveries: u64,
    /// People whose data went.
    pub people: u64,
}

/// All of it, while the events of a log are read in the order of their indexes.
#[derive(Debug, Default)]
pub struct RunTrail {
    /// The changes.
    pub changes: ChangeTrail,
    /// The permits by id.
    pub permits: BTreeMap<String, LoggedPermit>,
    /// The administrative changes in Assent itself.
    pub administration: Vec<Administered>,
    /// The erasures.
    pub erased: Vec<ErasedThen>,
    records: BTreeMap<&'static str, BTreeMap<String, Kept>>,
    /// When each deployment was first reported.
    told_at: BTreeMap<String, Timestamp>,
    /// The rights of people, with their times.
    rights: Rights,
}

impl RunTrail {
    /// Takes the next event, which has this index in the log.
    pub fn take(&mut self, index: u64, leaf: Leaf) {
        if is_administration(&leaf.kind) {
            self.administration.push(Administered {
                kind: leaf.kind.clone(),
                at: leaf.occurred_at,
                actor: leaf.actor.clone(),
            });
        }
        self.note_erased(&leaf);
        for delta in &leaf.records {
            self.note(delta, leaf.occurred_at);
            self.rights.take(delta, leaf.written_at());
            if delta.table == "deployment" {
                let written_at = leaf.written_at();
                self.told_at.entry(delta.id.clone()).or_insert(written_at);
            }
        }
        self.changes.take(index, leaf);
    }

    fn note_erased(&mut self, leaf: &Leaf) {
        let list = |value: &Value, name: &str| value[name].as_array().map_or(0, |it| it.len() as u64);
        let mut erased = ErasedThen {
            at: leaf.occurred_at,
            changes: 0,
            texts: 0,
            deliveries: 0,
            people: 0,
        };
        match leaf.kind.as_str() {
            "change.erasure_done" => erased.changes = 1,
            "person_erasure.done" => erased.people = 1,
            "text.erased" => {
                let records = leaf.data.get("records").and_then(Value::as_array);
                erased.texts = records.into_iter().flatten().map(|it| list(it, "texts")).sum();
            }
            "deliveries.forgotten" => {
                let count = leaf.data.get("count").and_then(Value::as_u64);
                erased.deliveries = count.unwrap_or_default();
            }
            _ => return,
        }
        self.erased.push(erased);
    }

    fn note(&mut self, delta: &Delta, at: Timestamp) {
        if delta.table == "permit" {
            let permit = self.permits.entry(delta.id.clone()).or_insert_with(|| LoggedPermit {
                members: Map::new(),
                at,
            });
            for name in &delta.unset {
                permit.members.remove(name);
            }
            permit.members.extend(delta.set.clone());
            return;
        }
        let Some((table, members)) = FOLLOWED.iter().find(|(table, _)| *table == delta.table) else {
            return;
        };
        let record = self
            .records
            .entry(*table)
            .or_default()
            .entry(delta.id.clone())
            .or_default();
        record.merge(delta.set.clone(), &delta.unset, members);
    }

    /// The records of a followed table in the order of their ids; one that cannot be read is left out.
    fn read<T: DeserializeOwned>(&self, table: &str) -> Vec<(String, T)> {
        let rows = self.records.get(table).into_iter().flatten();
        rows.filter_map(|(id, row)| Some((id.clone(), row.read().ok()?)))
            .collect()
    }

    /// The deployments that began, each once.
    #[must_use]
    pub fn deployments(&self) -> Vec<(String, DeploymentFacts)> {
        let mut found = self.read::<DeploymentFacts>("deployment");
        found.retain(|(_, it)| it.same_as.is_none() && began_at(&it.words).is_some());
        for (id, it) in &mut found {
            it.told_at = self.told_at.get(id).copied();
        }
        found
    }

    /// The questions to the gate.
    #[must_use]
    pub fn gate_checks(&self) -> Vec<GateFacts> {
        self.read("gate_check").into_iter().map(|(_, it)| it).collect()
    }

    /// The builds that were brought somewhere.
    #[must_use]
    pub fn running(&self) -> Vec<(String, RunningFacts)> {
        self.read("running")
    }

    /// Differences between the recorded and the actual state, for known services.
    #[must_use]
    pub fn drift(&self) -> Vec<(String, DriftFacts)> {
        self.read("drift_finding")
    }

    /// The keys of the services.
    #[must_use]
    pub fn services(&self) -> Vec<String> {
        self.read::<KeyFacts>("service")
            .into_iter()
            .map(|(_, it)| it.key)
            .collect()
    }

    /// The keys of the environments that are production.
    #[must_use]
    pub fn production(&self) -> Vec<String> {
        let all = self.read::<KeyFacts>("environment").into_iter().map(|(_, it)| it);
        all.filter(|it| it.is_production).map(|it| it.key).collect()
    }

    /// The rights and parts of the ownership of each person, by id, with their times.
    #[must_use]
    pub fn held(&self) -> BTreeMap<String, Vec<Held>> {
        self.rights.held()
    }

    /// The people with their rights at the end of the log, by id.
    #[must_use]
    pub fn people(&self) -> Vec<(String, PersonFacts)> {
        self.read("person")
    }
}

/// A deployment that a system reported.
#[derive(Debug, Clone, Deserialize)]
pub struct DeploymentFacts {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The commit.
    #[serde(default)]
    pub commit: Option<String>,
    /// The artifact.
    #[serde(default)]
    pub artifact: Option<String>,
    /// The key of its change.
    #[serde(default)]
    pub change_key: Option<String>,
    /// The record of the same deployment that was reported first.
    #[serde(default)]
    pub same_as: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether it began or ended without a lawful start.
    #[serde(default)]
    pub unauthorized: bool,
    /// The reports of its statuses.
    #[serde(default)]
    pub words: Vec<StatusReport>,
    /// When it was first reported.
    #[serde(skip)]
    pub told_at: Option<Timestamp>,
}

/// A gate request with its decision. A name that is no technical name is sealed and so absent.
#[derive(Debug, Clone, Deserialize)]
pub struct GateFacts {
    /// The service.
    #[serde(default)]
    pub service: Value,
    /// The environment.
    #[serde(default)]
    pub environment: Value,
    /// The key of the change that was found.
    #[serde(default)]
    pub change: Option<String>,
    /// When.
    pub asked_at: Timestamp,
    /// The decision.
    pub decision: GateDecision,
}

/// A build that runs or ran somewhere.
#[derive(Debug, Clone, Deserialize)]
pub struct RunningFacts {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The artifact.
    pub artifact: String,
    /// The key of the change that brought it.
    pub change_key: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; it runs still where absent.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// A difference between the recorded and the actual state.
#[derive(Debug, Clone, Deserialize)]
pub struct DriftFacts {
    /// The service, where a rule maps the address.
    #[serde(default)]
    pub service: Option<String>,
    /// The environment.
    #[serde(default)]
    pub environment: Option<String>,
    /// The thing.
    pub address: String,
    /// The change that explains it, or that the decision names.
    #[serde(default)]
    pub change: Option<String>,
    /// The outcome.
    #[serde(default)]
    pub outcome: Option<DriftOutcome>,
    /// When it was seen first.
    pub appeared_at: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
}

/// A service or an environment.
#[derive(Debug, Clone, Deserialize)]
struct KeyFacts {
    key: String,
    #[serde(default)]
    is_production: bool,
}

/// Somebody's rights.
#[derive(Debug, Clone, Deserialize)]
pub struct PersonFacts {
    /// The rights.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Whether they may act.
    #[serde(default)]
    pub active: bool,
    /// The services to which they are scoped; none means all.
    #[serde(default)]
    pub services: Vec<String>,
}

mod rights;

pub use rights::Held;

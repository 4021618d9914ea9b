//! The facts of each change as a tenant's log states them, for control reports. They come from events alone, so that the same
//! log gives the same report whatever the database holds by then.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::change::success::{Since, judge};
use crate::compliance::change_trail::accounts::Accounts;
use crate::compliance::change_trail::dismissals::Dismissals;
use crate::compliance::change_trail::policies::PolicySets;
use crate::compliance::gate_trail::{GateTrail, GatedRun, Run};
use crate::core::enums::{EvidenceResult, Kind, Level, Outcome, Purpose, State, ValidationResult};
use crate::gate::build;
use crate::integration::occurrence::{ToldWord, began_at};

/// The members of a change that reports read. The rest of a record is dropped at once, which bounds the memory.
const MEMBERS: [&str; 24] = [
    "key",
    "number",
    "state",
    "kind",
    "requester",
    "authors",
    "implemented_by",
    "targets",
    "target_records",
    "risk",
    "outcome",
    "actual_start",
    "actual_end",
    "closed_at",
    "closed_by",
    "break_glass",
    "retrospective",
    "validations",
    "reviews",
    "unauthorized",
    "finding",
    "in_freeze",
    "way_back_taken",
    "caused_incidents",
];
/// The members of deployments that reports read.
const DEPLOYED: [&str; 10] = [
    "service",
    "environment",
    "change_key",
    "same_as",
    "at",
    "unauthorized",
    "words",
    "artifact",
    "commit",
    "is_early",
];
/// The members of approvals and evidence that reports read.
const DECIDED: [&str; 9] = [
    "change",
    "person",
    "handed_by",
    "decision",
    "counted_for",
    "result",
    "at",
    "artifact",
    "plan_digest",
];

/// An event as reports read it: a leaf of the log, of which unknown members are ignored.
#[derive(Debug, Deserialize)]
pub struct Leaf {
    pub(crate) kind: String,
    pub(crate) occurred_at: Timestamp,
    #[serde(default)]
    recorded_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) actor: String,
    #[serde(default)]
    pub(crate) data: Map<String, Value>,
    subject: Subject,
    #[serde(default)]
    pub(crate) records: Vec<Delta>,
    #[serde(default)]
    records_digest: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Subject {
    table: String,
    id: String,
}

/// The difference that an act made to one record.
#[derive(Debug, Deserialize)]
pub(crate) struct Delta {
    pub(crate) table: String,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) set: Map<String, Value>,
    #[serde(default)]
    pub(crate) unset: Vec<String>,
}

impl Leaf {
    /// Reads a leaf from its bytes.
    ///
    /// # Errors
    /// Bytes that are no event.
    pub fn read(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// When it was recorded. An outside event may have occurred long before.
    #[must_use]
    pub fn written_at(&self) -> Timestamp {
        self.recorded_at.unwrap_or(self.occurred_at)
    }

    /// The digest of the deltas, where they are kept beside the leaf.
    #[must_use]
    pub fn records_digest(&self) -> Option<&str> {
        self.records_digest.as_deref()
    }

    /// Takes the deltas that were kept beside the leaf.
    ///
    /// # Errors
    /// Bytes that are no list of deltas.
    pub fn put_records(&mut self, payload: &[u8]) -> serde_json::Result<()> {
        self.records = serde_json::from_slice(payload)?;
        Ok(())
    }
}

/// When an event about a change happened, and its index in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The kind of event: `change.approved`.
    pub kind: String,
    /// The event's index in the log.
    pub index: u64,
    /// When it happened.
    pub at: Timestamp,
}

#[derive(Debug, Default)]
struct Gathered {
    members: Map<String, Value>,
    approvals: BTreeMap<String, Map<String, Value>>,
    evidence: BTreeMap<String, Map<String, Value>>,
    /// The index of the event that ended an approval, or its part on *what*.
    lost: BTreeMap<String, u64>,
    moments: Vec<Moment>,
    /// When the end of its work was recorded, whatever time the record names.
    ended_at: Option<Timestamp>,
}

impl Gathered {
    /// Whether its work began before a span, and it is closed before it as well.
    fn is_before(&self, from: Timestamp, now: Timestamp) -> bool {
        let began = self.members.get("actual_start").and_then(Value::as_str);
        let began = began.and_then(|text| text.parse::<Timestamp>().ok());
        now < from && began.is_some_and(|began| began < from)
    }

    /// Drops what only the tests of its own span look at.
    fn forget(&mut self) {
        self.approvals = BTreeMap::new();
        self.evidence = BTreeMap::new();
        self.lost = BTreeMap::new();
        self.moments = Vec::new();
    }

    /// Its targets.
    fn targets(&self) -> &[Value] {
        let targets = self.members.get("targets").and_then(Value::as_array);
        targets.map_or(&[][..], Vec::as_slice)
    }
}

/// All changes of a log, while its events are read in the order of their indexes.
#[derive(Debug, Default)]
pub struct ChangeTrail {
    changes: BTreeMap<String, Gathered>,
    /// The accounts that count as one person.
    accounts: Accounts,
    /// The change of each approval and piece of evidence.
    owners: HashMap<String, String>,
    /// The deployments, each with the time of its first report.
    deployments: BTreeMap<String, (Timestamp, Map<String, Value>)>,
    /// Which policies were in force when.
    policies: PolicySets,
    /// When the first event about a change happened: before it there was nothing to enforce.
    first_at: Option<Timestamp>,
    /// The gate's requests and permits.
    gate: GateTrail,
    /// The violations that somebody dismissed.
    dismissals: Dismissals,
    /// The begin of the reported span: for changes that were closed before it only the facts are kept that later deployments
    /// may need.
    from: Option<Timestamp>,
    /// How often each kind of event about Assent itself (people, policies, keys …) happened, with its time.
    administration: Vec<(String, Timestamp)>,
}

/// Kinds of events, by the part before the dot, that change rights or rules: control reports and the reconciliation count the
/// same ones.
pub(crate) const ADMINISTRATION: [&str; 29] = [
    "access_review",
    "agent",
    "audit_mandate",
    "configuration",
    "connection",
    "environment",
    "group",
    "hold_order",
    "identity_provider",
    "key",
    "log",
    "major_severity",
    "ownership",
    "person",
    "person_erasure",
    "policies",
    "retention",
    "retention_rule",
    "risk_table",
    "service",
    "sink",
    "sla_table",
    "template",
    "tenant",
    "token",
    "watch_table",
    "webhook",
    "witness",
    "workload",
];

/// Events of these families that happen by themselves and change nothing.
const ROUTINE: [&str; 3] = ["log.published", "log.replayed", "log.sized"];

/// Whether a kind of event changes rights or rules.
pub(crate) fn is_administration(kind: &str) -> bool {
    let area = kind.split('.').next().unwrap_or_default();
    ADMINISTRATION.contains(&area) && !ROUTINE.contains(&kind)
}

impl ChangeTrail {
    /// A trail for reports on a span that begins at a moment.
    #[must_use]
    pub fn since(from: Timestamp) -> Self {
        Self {
            from: Some(from),
            ..Self::default()
        }
    }

    /// Takes the next event, which has this index in the log.
    pub fn take(&mut self, index: u64, leaf: Leaf) {
        if is_administration(&leaf.kind) {
            let area = leaf.kind.split('.').next().unwrap_or_default();
            self.administration.push((area.to_owned(), leaf.occurred_at));
        }
        self.dismissals.take(&leaf);
        let written_at = leaf.written_at();
        for delta in leaf.records {
            self.apply(delta, index, written_at);
        }
        if leaf.subject.table == "change" {
            self.first_at.get_or_insert(written_at);
            let gathered = self.changes.entry(leaf.subject.id).or_default();
            let is_over =
                leaf.kind == "change.closed" && self.from.is_some_and(|from| gathered.is_before(from, written_at));
            if is_over {
                gathered.forget();
            }
            gathered.moments.push(Moment {
                kind: leaf.kind,
                index,
                at: leaf.occurred_at,
            });
        }
    }

    fn apply(&mut self, delta: Delta, index: u64, at: Timestamp) {
        match delta.table.as_str() {
            "change" => {
                let gathered = self.changes.entry(delta.id).or_default();
                if delta.set.contains_key("actual_end") {
                    gathered.ended_at = Some(at);
                }
                let mut set = delta.set;
                slim::slim(&mut set);
                merge(&mut gathered.members, set, &delta.unset, &MEMBERS);
            }
            "approval" | "evidence" => self.apply_decided(delta, index),
            "agent" | "person" => self.accounts.take(&delta),
            "configuration" | "tenant_info" => self.policies.take(&delta, at),
            "gate_check" => self.gate.take_check(&delta.id, &delta.set, at),
            "permit" => self.gate.take_permit(&delta.id, &delta.set),
            "deployment" => {
                let (_, record) = self.deployments.entry(delta.id).or_insert_with(|| (at, Map::new()));
                merge(record, delta.set, &delta.unset, &DEPLOYED);
            }
            _ => {}
        }
    }

    fn apply_decided(&mut self, mut delta: Delta, index: u64) {
        if let Some(change) = delta.set.get("change").and_then(Value::as_str) {
            self.owners.insert(delta.id.clone(), change.to_owned());
        }
        let Some(change) = self.owners.get(&delta.id) else {
            return;
        };
        let gathered = self.changes.entry(change.clone()).or_default();
        if let Some(counted) = delta.set.get_mut("counted_for") {
            *counted = approvals::rules_of(counted);
        }
        let records = match delta.table.as_str() {
            "approval" => {
                let is_other = |name: &str| delta.set.get(name).is_some_and(|it| it != "standing");
                if is_other("state") || delta.set.get("what").is_some_and(|it| it == "voided") {
                    gathered.lost.entry(delta.id.clone()).or_insert(index);
                }
                &mut gathered.approvals
            }
            _ => &mut gathered.evidence,
        };
        merge(records.entry(delta.id).or_default(), delta.set, &delta.unset, &DECIDED);
    }

    /// The facts of each change in the order of their numbers. A change whose facts cannot be read is left out and counted in
    /// the second value.
    #[must_use]
    pub fn facts(&self) -> (Vec<ChangeFacts>, u64) {
        let mut unreadable = 0;
        let mut facts = Vec::with_capacity(self.changes.len());
        for gathered in self.changes.values() {
            match facts_of(gathered, &self.accounts) {
                Ok(found) => facts.push(found),
                Err(_) => unreadable += 1,
            }
        }
        facts.sort_by_key(|it: &ChangeFacts| it.number);
        let (mut strays, mut gated) = self.ran();
        for it in &mut facts {
            it.strays = strays.remove(&it.key).unwrap_or_default();
            it.gated = gated.remove(&it.key).unwrap_or_default();
            it.dismissed = self.dismissals.of(&it.key);
        }
        (facts, unreadable)
    }

    /// The deployments by the key of their change: those that began or ended without a lawful start, and those to places with a
    /// gate. Repeated reports by another connection and deployments that never began are left out.
    fn ran(&self) -> (BTreeMap<String, Vec<Stray>>, BTreeMap<String, Vec<GatedRun>>) {
        let mut found: BTreeMap<String, Vec<Stray>> = BTreeMap::new();
        let mut gated: BTreeMap<String, Vec<GatedRun>> = BTreeMap::new();
        let gates = self.gate.gates();
        let changes = self.by_key();
        for (told_at, record) in self.deployments.values() {
            let Ok(it) = serde_json::from_value::<DeployedFacts>(Value::Object(record.clone())) else {
                continue;
            };
            if it.same_as.is_some() || began_at(&it.words).is_none() {
                continue;
            }
            if !it.unauthorized {
                let Some(change) = it.change_key else { continue };
                let its = changes.get(change.as_str());
                let run = Run {
                    change: &change,
                    service: &it.service,
                    environment: &it.environment,
                    purpose: purpose(record, its.map_or(&[][..], |it| it.targets())),
                    at: it.at,
                    told_at: *told_at,
                    ended_at: its.and_then(|it| it.ended_at),
                };
                if let Some(passage) = gates.passage(&run) {
                    gated.entry(change).or_default().push(GatedRun {
                        service: it.service,
                        environment: it.environment,
                        at: it.at,
                        told_at: *told_at,
                        passage,
                    });
                }
                continue;
            }
            let stray = Stray {
                service: it.service,
                environment: it.environment,
                at: it.at,
                told_at: *told_at,
            };
            found.entry(it.change_key.unwrap_or_default()).or_default().push(stray);
        }
        for strays in found.values_mut() {
            strays.sort_by(|one, other| {
                (one.at, &one.service, &one.environment).cmp(&(other.at, &other.service, &other.environment))
            });
        }
        for runs in gated.values_mut() {
            runs.sort_by(|one, other| {
                (one.at, &one.service, &one.environment).cmp(&(other.at, &other.service, &other.environment))
            });
        }
        (found, gated)
    }

    /// The changes, by key.
    fn by_key(&self) -> BTreeMap<&str, &Gathered> {
        let changes = self.changes.values();
        changes
            .filter_map(|gathered| Some((gathered.members.get("key")?.as_str()?, gathered)))
            .collect()
    }

    /// The ids of the policies in force at the begin of a span `[from, to)`, or of the first change in it, and of every later
    /// set with the time of its activation; `None` for the policies that come with the program.
    #[must_use]
    pub fn policies(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Option<&BTreeSet<String>>)> {
        let from = self.first_at.map_or(from, |first| from.max(first.min(to)));
        self.policies.over(from, to)
    }

    /// The facts of one change by its id; `None` where the log has none that can be read.
    #[must_use]
    pub fn facts_of(&self, id: &str) -> Option<ChangeFacts> {
        let mut facts = facts_of(self.changes.get(id)?, &self.accounts).ok()?;
        let (mut strays, mut gated) = self.ran();
        facts.strays = strays.remove(&facts.key).unwrap_or_default();
        facts.gated = gated.remove(&facts.key).unwrap_or_default();
        facts.dismissed = self.dismissals.of(&facts.key);
        Some(facts)
    }

    /// How many events about Assent itself happened in a span `[from, to)`, by the part of the kind before the dot.
    #[must_use]
    pub fn administration(&self, from: Timestamp, to: Timestamp) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (area, _) in self.administration.iter().filter(|(_, at)| *at >= from && *at < to) {
            *counts.entry(area.clone()).or_default() += 1;
        }
        counts
    }
}

pub(crate) fn merge(record: &mut Map<String, Value>, set: Map<String, Value>, unset: &[String], wanted: &[&str]) {
    for name in unset {
        record.remove(name);
    }
    record.extend(set.into_iter().filter(|(name, _)| wanted.contains(&name.as_str())));
}

/// Whether a deployment is a rollback: its build is the rollback target of a target there and not the new build, or its permit
/// is for a rollback.
fn purpose(deployed: &Map<String, Value>, targets: &[Value]) -> Purpose {
    let text = |name: &str| deployed.get(name).and_then(Value::as_str);
    let is_here = |target: &&Value| {
        ["service", "environment"]
            .iter()
            .all(|name| target[*name].as_str() == text(name))
    };
    let here: Vec<&Value> = targets.iter().filter(is_here).collect();
    let names = |target: &Value, name: &str| {
        let builds = [text("artifact"), text("commit")].into_iter().flatten();
        let own = target[name].as_str().unwrap_or_default();
        builds.into_iter().any(|told| build::are_one(own, told))
    };
    let is_forward = here
        .iter()
        .any(|&target| names(target, "artifact") || names(target, "commit"));
    let is_early = deployed.get("is_early").and_then(Value::as_bool) == Some(true);
    match !is_forward && (is_early || here.iter().any(|&target| names(target, "rollback_to"))) {
        true => Purpose::Rollback,
        false => Purpose::Deploy,
    }
}

fn facts_of(gathered: &Gathered, accounts: &Accounts) -> serde_json::Result<ChangeFacts> {
    let mut facts: ChangeFacts = serde_json::from_value(Value::Object(gathered.members.clone()))?;
    facts.approvals = approvals::read(&facts, gathered, accounts)?;
    for evidence in gathered.evidence.values() {
        facts
            .evidence
            .push(serde_json::from_value(Value::Object(evidence.clone()))?);
    }
    facts.moments = gathered.moments.clone();
    Ok(facts)
}

/// The facts of one change in the log.
#[derive(Debug, Clone, Deserialize)]
pub struct ChangeFacts {
    /// `CHG-1042`.
    pub key: String,
    /// The number in the key.
    pub number: i64,
    /// The state at the end of the log.
    pub state: State,
    /// Normal, standard or emergency.
    pub kind: Kind,
    /// The requester's id.
    pub requester: String,
    /// The ids of everyone who wrote covered content.
    #[serde(default)]
    pub authors: Vec<String>,
    /// The ids of the implementers.
    #[serde(default)]
    pub implemented_by: Vec<String>,
    /// Where it went.
    #[serde(default)]
    pub targets: Vec<Place>,
    /// How its targets ended.
    #[serde(default)]
    pub target_records: Vec<Ended>,
    /// The level of risk.
    pub risk: RiskLevel,
    /// The outcome of the whole.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// When the work began.
    #[serde(default)]
    pub actual_start: Option<Timestamp>,
    /// When the work ended.
    #[serde(default)]
    pub actual_end: Option<Timestamp>,
    /// When it was closed.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
    /// The person who closed it.
    #[serde(default)]
    pub closed_by: Option<String>,
    /// The break-glass, if one was opened.
    #[serde(default)]
    pub break_glass: Option<GlassFacts>,
    /// Present where the change was recorded after its work.
    #[serde(default)]
    pub retrospective: Option<Value>,
    /// Validations after the work.
    #[serde(default)]
    pub validations: Vec<Validated>,
    /// Post-implementation reviews.
    #[serde(default)]
    pub reviews: Vec<Signed>,
    /// Whether a deployment without an approved change was recorded in it.
    #[serde(default)]
    pub unauthorized: bool,
    /// The finding on unauthorized work, once somebody stated it.
    #[serde(default)]
    pub finding: Option<Value>,
    /// Whether its work ran during a freeze that did not except it.
    #[serde(default)]
    pub in_freeze: bool,
    /// Whether something of it was rolled back.
    #[serde(default)]
    pub way_back_taken: bool,
    /// The incidents that are confirmed as caused by it.
    #[serde(default)]
    pub caused_incidents: Vec<Value>,
    /// Its approvals and rejections.
    #[serde(skip)]
    pub approvals: Vec<ApprovalFacts>,
    /// Its evidence.
    #[serde(skip)]
    pub evidence: Vec<EvidenceFacts>,
    /// Its events, in the order of the log.
    #[serde(skip)]
    pub moments: Vec<Moment>,
    /// Its deployments that began or ended without a lawful start, by their times.
    #[serde(skip)]
    pub strays: Vec<Stray>,
    /// Its other deployments to places with a gate, by their times.
    #[serde(skip)]
    pub gated: Vec<GatedRun>,
    /// Its violations that were dismissed as false positives, by the rule.
    #[serde(skip)]
    pub dismissed: BTreeMap<String, Dismissed>,
}

/// A deployment that began or ended without a lawful start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The reported time.
    pub at: Timestamp,
    /// The time of the first report. The reported time may lie long before.
    pub told_at: Timestamp,
}

impl Stray {
    /// Whether it falls into a span `[from, to)`: by its own time, or by the time of its first report.
    #[must_use]
    pub fn is_in(&self, from: Timestamp, to: Timestamp) -> bool {
        [self.at, self.told_at].iter().any(|at| *at >= from && *at < to)
    }
}

/// The facts that are read of a deployment.
#[derive(Debug, Deserialize)]
struct DeployedFacts {
    service: String,
    environment: String,
    #[serde(default)]
    change_key: Option<String>,
    #[serde(default)]
    same_as: Option<String>,
    at: Timestamp,
    #[serde(default)]
    unauthorized: bool,
    #[serde(default)]
    words: Vec<ToldWord>,
}

/// Where a target is.
#[derive(Debug, Clone, Deserialize)]
pub struct Place {
    /// The service's key.
    pub service: String,
    /// The environment's key.
    pub environment: String,
    /// The build that goes there.
    #[serde(default)]
    pub artifact: Option<String>,
}

/// How a target ended.
#[derive(Debug, Clone, Deserialize)]
pub struct Ended {
    /// Its outcome, once there is one.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Outcomes that were replaced.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
}

/// An outcome that was replaced.
#[derive(Debug, Clone, Deserialize)]
pub struct Earlier {
    /// The outcome.
    pub outcome: Outcome,
}

impl Ended {
    /// Whether the target was rolled back, or a rollback of it failed, now or before.
    fn was_rolled_back(&self) -> bool {
        let earlier = self.earlier.iter().map(|it| it.outcome);
        earlier
            .chain(self.outcome)
            .any(|outcome| matches!(outcome, Outcome::RolledBack | Outcome::RollbackFailed))
    }
}

/// A validation after the work.
#[derive(Debug, Clone, Deserialize)]
pub struct Validated {
    /// The validator.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The result.
    #[serde(default)]
    pub result: Option<ValidationResult>,
}

/// The level of risk.
#[derive(Debug, Clone, Deserialize)]
pub struct RiskLevel {
    /// The level; absent until it was computed.
    #[serde(default)]
    pub level: Option<Level>,
}

/// A break-glass.
#[derive(Debug, Clone, Deserialize)]
pub struct GlassFacts {
    /// The person who opened it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when it held.
    pub until: Timestamp,
    /// Its validation afterwards.
    #[serde(default)]
    pub validated: Option<Value>,
    /// The rules for which its opening counted.
    #[serde(default)]
    pub counted: Option<CountedFacts>,
}

/// The rules for which the opening of a break-glass counted.
#[derive(Debug, Clone, Deserialize)]
pub struct CountedFacts {
    /// Until when it must be validated.
    pub validate_by: Timestamp,
}

/// Something that a person signed.
#[derive(Debug, Clone, Deserialize)]
pub struct Signed {
    /// The person who added it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A piece of evidence.
#[derive(Debug, Clone, Deserialize)]
pub struct EvidenceFacts {
    /// The result.
    pub result: EvidenceResult,
    /// The build that was tested.
    #[serde(default)]
    pub artifact: Option<String>,
    /// Without a build: the plan to which it is bound.
    #[serde(default)]
    pub plan_digest: Option<String>,
    /// When.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

impl ChangeFacts {
    /// The first event of a kind.
    #[must_use]
    pub fn first(&self, kind: &str) -> Option<&Moment> {
        self.moments.iter().find(|it| it.kind == kind)
    }

    /// Whether an event of a kind was recorded.
    #[must_use]
    pub fn has(&self, kind: &str) -> bool {
        self.first(kind).is_some()
    }

    /// When its work began: by the record, else by the event.
    #[must_use]
    pub fn started(&self) -> Option<Timestamp> {
        self.actual_start
            .or_else(|| self.first("change.implementing").map(|it| it.at))
    }

    /// Whether it succeeded, by the one definition that [`crate::change::success::succeeded`] applies to records. `None` before
    /// its work has ended.
    #[must_use]
    pub fn succeeded(&self) -> Option<bool> {
        let ends = self.target_records.iter();
        judge(
            self.outcome?,
            ends.map(|it| (it.outcome, it.was_rolled_back())),
            &Since {
                last_validation: self.validations.last().and_then(|last| last.result),
                way_back_taken: self.way_back_taken,
                has_caused_incident: !self.caused_incidents.is_empty(),
            },
        )
    }
}

mod accounts;
mod approvals;
mod dismissals;
mod policies;
mod slim;

pub use approvals::ApprovalFacts;
pub use dismissals::Dismissed;

#[cfg(test)]
mod tests;

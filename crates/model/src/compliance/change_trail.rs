//! The facts of each change as a tenant's log states them, for control reports. They come from events alone, so that the same
//! log gives the same report whatever the database holds by then.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

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
use crate::integration::occurrence::{StatusReport, began_at};

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
const DECIDED: [&str; 8] = [
    "person",
    "handed_by",
    "decision",
    "counted_for",
    "result",
    "at",
    "artifact",
    "plan_digest",
];

/// The kinds of events about a change that reports read; the others leave no moment.
const MOMENTS: [&str; 11] = [
    "break_glass.validated",
    "change.approved",
    "change.authorizing",
    "change.cancelled",
    "change.drafted",
    "change.implementing",
    "change.overrun",
    "change.rejected",
    "change.scheduled",
    "change.submitted",
    "change.turned_normal",
];

/// When an event about a change happened, and its index in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The kind of event: `change.approved`.
    pub kind: &'static str,
    /// The event's index in the log.
    pub index: u64,
    /// When it happened.
    pub at: Timestamp,
}

/// An approval or a piece of evidence of a change.
#[derive(Debug)]
struct Decided {
    id: Box<str>,
    record: Kept,
    /// The index of the event that ended an approval, or its part on *what*.
    lost: Option<u64>,
}

#[derive(Debug, Default)]
struct Gathered {
    members: Kept,
    /// In the order of their ids.
    approvals: Vec<Decided>,
    /// In the order of their ids.
    evidence: Vec<Decided>,
    moments: Vec<Moment>,
    /// When the end of its work was recorded, whatever time the record names.
    ended_at: Option<Timestamp>,
    /// Whether what only the tests of its own span look at was dropped. What comes later, such as an erasure, is dropped too.
    is_forgotten: bool,
}

impl Gathered {
    /// Whether its work began before a span, and it is closed before it as well.
    fn is_before(&self, from: Timestamp, now: Timestamp) -> bool {
        if now >= from {
            return false;
        }
        let members = self.members.members();
        let began = members.get("actual_start").and_then(Value::as_str);
        let began = began.and_then(|text| text.parse::<Timestamp>().ok());
        began.is_some_and(|began| began < from)
    }

    /// Drops what only the tests of its own span look at.
    fn forget(&mut self) {
        self.is_forgotten = true;
        self.approvals = Vec::new();
        self.evidence = Vec::new();
        self.moments = Vec::new();
    }

    /// Its targets.
    fn targets(&self) -> Vec<Value> {
        match self.members.members().remove("targets") {
            Some(Value::Array(targets)) => targets,
            _ => Vec::new(),
        }
    }
}

/// The number of a change, by which reports are ordered.
#[derive(Deserialize)]
struct Numbered {
    number: i64,
}

/// The key of a change.
#[derive(Deserialize)]
struct Keyed {
    key: String,
}

/// All changes of a log, while its events are read in the order of their indexes.
#[derive(Debug, Default)]
pub struct ChangeTrail {
    /// The changes by id.
    changes: HashMap<Arc<str>, Gathered>,
    /// The accounts that count as one person.
    accounts: Accounts,
    /// The change of each approval and piece of evidence.
    owners: HashMap<Box<str>, Arc<str>>,
    /// The deployments by id, each with the time of its first report.
    deployments: BTreeMap<Box<str>, (Timestamp, Kept)>,
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
    administration: Vec<(&'static str, Timestamp)>,
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

/// The family of a kind of event that changes rights or rules.
fn administered(kind: &str) -> Option<&'static str> {
    let area = kind.split('.').next().unwrap_or_default();
    let found = ADMINISTRATION.into_iter().find(|family| *family == area);
    found.filter(|_| !ROUTINE.contains(&kind))
}

/// Whether a kind of event changes rights or rules.
pub(crate) fn is_administration(kind: &str) -> bool {
    administered(kind).is_some()
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
        if let Some(family) = administered(&leaf.kind) {
            self.administration.push((family, leaf.occurred_at));
        }
        self.dismissals.take(&leaf);
        let written_at = leaf.written_at();
        for delta in leaf.records {
            self.apply(delta, index, written_at);
        }
        if leaf.subject.table == "change" {
            self.first_at.get_or_insert(written_at);
            let gathered = self.changes.entry(Arc::from(leaf.subject.id)).or_default();
            let is_over =
                leaf.kind == "change.closed" && self.from.is_some_and(|from| gathered.is_before(from, written_at));
            if is_over {
                gathered.forget();
            }
            let kind = MOMENTS.into_iter().find(|kind| *kind == leaf.kind);
            let kind = kind.filter(|_| !gathered.is_forgotten);
            let at = leaf.occurred_at;
            gathered.moments.extend(kind.map(|kind| Moment { kind, index, at }));
        }
    }

    fn apply(&mut self, delta: Delta, index: u64, at: Timestamp) {
        match delta.table.as_str() {
            "change" => {
                let gathered = self.changes.entry(Arc::from(delta.id)).or_default();
                if delta.set.contains_key("actual_end") {
                    gathered.ended_at = Some(at);
                }
                let mut set = delta.set;
                slim::slim(&mut set);
                gathered.members.merge(set, &delta.unset, &MEMBERS);
            }
            "approval" | "evidence" => self.apply_decided(delta, index),
            "agent" | "person" => self.accounts.take(&delta),
            "configuration" | "tenant_info" => self.policies.take(&delta, at),
            "gate_check" => self.gate.take_check(&delta.id, &delta.set, at),
            "permit" => self.gate.take_permit(&delta.id, &delta.set),
            "deployment" => {
                let deployment = self.deployments.entry(delta.id.into_boxed_str());
                let (_, record) = deployment.or_insert_with(|| (at, Kept::default()));
                record.merge(delta.set, &delta.unset, &DEPLOYED);
            }
            _ => {}
        }
    }

    fn apply_decided(&mut self, mut delta: Delta, index: u64) {
        if let Some(change) = delta.set.get("change").and_then(Value::as_str) {
            let known = self.changes.get_key_value(change);
            let change = known.map_or_else(|| Arc::from(change), |(id, _)| Arc::clone(id));
            self.owners.insert(Box::from(delta.id.as_str()), change);
        }
        let Some(change) = self.owners.get(delta.id.as_str()) else {
            return;
        };
        let gathered = self.changes.entry(Arc::clone(change)).or_default();
        if gathered.is_forgotten {
            return;
        }
        if let Some(counted) = delta.set.get_mut("counted_for") {
            *counted = approvals::rules_of(counted);
        }
        let decided = match delta.table.as_str() {
            "approval" => {
                let approval = approvals::of_id(&mut gathered.approvals, &delta.id);
                let is_other = |name: &str| delta.set.get(name).is_some_and(|it| it != "standing");
                if is_other("state") || delta.set.get("what").is_some_and(|it| it == "voided") {
                    approval.lost.get_or_insert(index);
                }
                approval
            }
            _ => approvals::of_id(&mut gathered.evidence, &delta.id),
        };
        decided.record.merge(delta.set, &delta.unset, &DECIDED);
    }

    /// Passes on the facts of each change, one at a time in the order of their numbers, and returns how many changes could not be
    /// read and are left out. What a report needs of them all at once must be small: it holds a whole year.
    pub fn each(&self, mut take: impl FnMut(ChangeFacts)) -> u64 {
        let mut unreadable = 0;
        let mut order = Vec::with_capacity(self.changes.len());
        for (id, gathered) in &self.changes {
            match gathered.members.read::<Numbered>() {
                Ok(it) => order.push((it.number, id, gathered)),
                Err(_) => unreadable += 1,
            }
        }
        order.sort_unstable_by_key(|(number, id, _)| (*number, *id));
        let (mut strays, mut gated) = self.ran();
        for (_, _, gathered) in order {
            let Ok(mut it) = facts_of(gathered, &self.accounts) else {
                unreadable += 1;
                continue;
            };
            it.strays = strays.remove(&it.key).unwrap_or_default();
            it.gated = gated.remove(&it.key).unwrap_or_default();
            it.dismissed = self.dismissals.of(&it.key);
            take(it);
        }
        unreadable
    }

    /// The facts of each change in the order of their numbers. A change whose facts cannot be read is left out and counted in
    /// the second value.
    #[must_use]
    pub fn facts(&self) -> (Vec<ChangeFacts>, u64) {
        let mut facts = Vec::with_capacity(self.changes.len());
        let unreadable = self.each(|it| facts.push(it));
        (facts, unreadable)
    }

    /// The deployments by the key of their change: those that began or ended without a lawful start, and those to places with a
    /// gate. Repeated reports by another connection and deployments that never began are left out.
    fn ran(&self) -> (BTreeMap<String, Vec<Stray>>, BTreeMap<String, Vec<GatedRun>>) {
        let mut found: BTreeMap<String, Vec<Stray>> = BTreeMap::new();
        let mut gated: BTreeMap<String, Vec<GatedRun>> = BTreeMap::new();
        if self.deployments.is_empty() {
            return (found, gated);
        }
        let gates = self.gate.gates();
        let changes = self.by_key();
        for (told_at, record) in self.deployments.values() {
            let Ok(it) = record.read::<DeployedFacts>() else {
                continue;
            };
            if it.same_as.is_some() || began_at(&it.words).is_none() {
                continue;
            }
            if !it.unauthorized {
                let Some(change) = it.change_key else { continue };
                let its = changes.get(change.as_str());
                let targets = its.map_or_else(Vec::new, |it| it.targets());
                let run = Run {
                    change: &change,
                    service: &it.service,
                    environment: &it.environment,
                    purpose: purpose(&record.members(), &targets),
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
    fn by_key(&self) -> HashMap<String, &Gathered> {
        let mut changes: Vec<(&Arc<str>, &Gathered)> = self.changes.iter().collect();
        changes.sort_unstable_by_key(|(id, _)| *id);
        let keyed = changes.into_iter();
        keyed
            .filter_map(|(_, gathered)| Some((gathered.members.read::<Keyed>().ok()?.key, gathered)))
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
            *counts.entry((*area).to_owned()).or_default() += 1;
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
    let mut facts: ChangeFacts = gathered.members.read()?;
    facts.approvals = approvals::read(&facts, gathered, accounts)?;
    for evidence in &gathered.evidence {
        facts.evidence.push(evidence.record.read()?);
    }
    facts.moments.clone_from(&gathered.moments);
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
    /// Its events of the kinds that reports read, in the order of the log.
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
    words: Vec<StatusReport>,
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
    /// The first event of a kind, one of those that leave a moment.
    #[must_use]
    pub fn first(&self, kind: &str) -> Option<&Moment> {
        debug_assert!(MOMENTS.contains(&kind), "`{kind}` leaves no moment");
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
mod kept;
mod leaf;
mod policies;
mod slim;

pub use approvals::ApprovalFacts;
pub use dismissals::Dismissed;
pub(crate) use kept::Kept;
pub(crate) use leaf::Delta;
pub use leaf::Leaf;

#[cfg(test)]
mod tests;

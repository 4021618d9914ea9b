//! Compares deployments with approvals in both directions: per service and environment, with the gaps on either side, services
//! that report nothing, and the changes in Assent itself. Computed from the log; permits are compared with the database as
//! well.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::compliance::change_trail::{ChangeFacts, Moment};
use crate::compliance::control_report::LogPosition;
use crate::compliance::permit_check::{PermitFinding, PermitRows, permit_findings};
use crate::compliance::run_trail::{Held, RunTrail};
use crate::core::enums::{GateDecision, Role};
use crate::core::parse::later;

/// The most rows of a list; its count includes all.
pub const MOST_ROWS: usize = 1_000;

/// The latest moment that a reported time can mean. Most systems report whole seconds, and a pipeline that waits at the gate
/// begins within the second of the approval.
fn within_second(at: Timestamp) -> Timestamp {
    match at.subsec_nanosecond() {
        0 => later(at, SignedDuration::from_micros(999_999)),
        _ => at,
    }
}

/// The scope of the reconciliation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciliationScope {
    /// The begin of the span.
    pub from: Timestamp,
    /// The end of the span, not included.
    pub to: Timestamp,
    /// One service; all unless given.
    pub service: Option<String>,
}

impl ReconciliationScope {
    fn has(&self, at: Timestamp) -> bool {
        at >= self.from && at < self.to
    }

    fn is_about(&self, service: &str) -> bool {
        self.service.as_deref().is_none_or(|it| it == service)
    }
}

/// A list that is cut, with the number of all its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// How many there are.
    pub count: u64,
    /// The first of them, at most [`MOST_ROWS`].
    pub rows: Vec<T>,
}

impl<T> Listed<T> {
    fn of(mut rows: Vec<T>) -> Self {
        let count = rows.len() as u64;
        rows.truncate(MOST_ROWS);
        Self { count, rows }
    }
}

/// The reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// The begin of the span.
    pub from: Timestamp,
    /// The end of the span, not included.
    pub to: Timestamp,
    /// The log that it was computed from.
    pub log: LogPosition,
    /// Figures per service and environment.
    pub services: Vec<ServiceFigures>,
    /// Deployments without an earlier approval.
    pub not_approved: Listed<Ran>,
    /// Approved changes without any reported deployment.
    pub not_seen: Listed<NotSeen>,
    /// Permits that differ from the log; none is looked for at an earlier size of the log.
    pub permits: Listed<PermitFinding>,
    /// Deployments to production that were never seen in another environment before.
    pub not_staged: Listed<Ran>,
    /// Services that reported nothing from a place in production in the span.
    pub silent: Listed<Silent>,
    /// Changes of Assent itself, counted by event.
    pub administration: BTreeMap<String, u64>,
    /// The people with rights to change something, and their changes.
    pub people: Listed<Could>,
    /// Erasures in the span.
    pub erased: Erased,
}

/// Figures of one service in one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ServiceFigures {
    /// The service.
    pub service: String,
    /// The environment; empty where none is known.
    pub environment: String,
    /// Deployments that began in the span.
    pub deployments: u64,
    /// The deployments among them with an earlier approval.
    pub approved: u64,
    /// The deployments among them for whose change the log had issued a permit for this place before.
    pub permitted: u64,
    /// Questions to the gate in the span.
    pub gate_asked: u64,
    /// The requests among them that were refused.
    pub gate_refused: u64,
    /// Builds that came to run here in the span by a change.
    pub running: u64,
    /// Differences that appeared in the span.
    pub drift: u64,
    /// Of these, the ones that no change explains and nobody decided.
    pub drift_open: u64,
    /// Approved changes for this place whose work began in the span.
    pub changes: u64,
    /// The changes among them with a deployment that a system reported.
    pub changes_seen: u64,
    /// When something was reported last from here, up to the end of the span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_signal_at: Option<Timestamp>,
}

/// Why something that ran counts as not approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// No change is known.
    NoChange,
    /// Its change was never approved.
    NeverApproved,
    /// Its change was approved after it ran.
    ApprovedLater,
    /// Its approval no longer counted when it ran.
    ApprovalLost,
    /// No change explains the difference, and nobody decided about it.
    Unexplained,
    /// It is listed for another reason than its approval.
    None,
}

impl Lack {
    /// The text in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoChange => "no change",
            Self::NeverApproved => "never approved",
            Self::ApprovedLater => "approved later",
            Self::ApprovalLost => "approval lost",
            Self::Unexplained => "unexplained",
            Self::None => "",
        }
    }
}

/// Something that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// `deployment`, `running` or `drift`.
    pub kind: &'static str,
    /// The id of its record.
    pub id: String,
    /// The service; empty where none is known.
    pub service: String,
    /// The environment; empty where none is known.
    pub environment: String,
    /// When.
    pub at: Timestamp,
    /// The key of its change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Its artifact, else its commit, else what differs.
    pub what: String,
    /// The gap.
    pub lack: Lack,
    /// Whether it was reported in the span with a time before it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backdated: bool,
}

/// An approved change of which nothing was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotSeen {
    /// The change.
    pub change: String,
    /// A service of it.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// Its state at the end of the log.
    pub state: &'static str,
    /// When its work began by the record; absent where it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
}

/// A service of which nothing was reported from a place in production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silent {
    /// The service.
    pub service: String,
    /// The environment; empty where none of production is known for the service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub environment: String,
    /// Since when; absent where it never reported anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Changes for this place whose work began in the span.
    pub changes: u64,
}

/// A person with rights, and what they did in the span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Could {
    /// The person: an id in the log, a login in responses.
    pub person: String,
    /// Their rights at the end of the log.
    pub roles: Vec<&'static str>,
    /// The services to which they are scoped; none means all.
    pub services: Vec<String>,
    /// Whether they may act at the end of the log.
    pub active: bool,
    /// The rights and parts of the ownership that they held at some moment of the span, with their times.
    pub held: Listed<Held>,
    /// Changes of Assent itself that they made.
    pub administered: u64,
    /// Changes that they approved.
    pub approved: u64,
    /// Changes that they implemented.
    pub implemented: u64,
}

/// Erasures in the span; the log counts them for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Erasures of changes.
    pub changes: u64,
    /// Texts that went.
    pub texts: u64,
    /// Raw bodies of deliveries that went.
    pub deliveries: u64,
    /// People whose data went.
    pub people: u64,
}

type Place = (String, String);

/// Everything that a reconciliation is computed with.
struct Work<'t> {
    trail: &'t RunTrail,
    asked: &'t ReconciliationScope,
    services: BTreeSet<String>,
    changes: BTreeMap<String, ChangeFacts>,
    /// When the first permit of a change for a place was issued.
    permitted: BTreeMap<(String, String, String), Timestamp>,
    figures: BTreeMap<Place, ServiceFigures>,
    /// When something was reported last, by place.
    signals: BTreeMap<Place, Timestamp>,
    /// The changes of which something was reported in a place.
    seen: BTreeSet<(String, String, String)>,
    not_approved: Vec<Ran>,
}

/// Reconciles a span. `rows` are the permits of the database; `None` compares none.
#[must_use]
pub fn reconcile(
    trail: &RunTrail,
    rows: Option<&PermitRows>,
    asked: &ReconciliationScope,
    log: LogPosition,
) -> Reconciliation {
    let (facts, _) = trail.changes.facts();
    let mut work = Work {
        trail,
        asked,
        services: trail.services().into_iter().collect(),
        changes: facts.into_iter().map(|it| (it.key.clone(), it)).collect(),
        permitted: first_permits(trail),
        figures: BTreeMap::new(),
        signals: BTreeMap::new(),
        seen: BTreeSet::new(),
        not_approved: Vec::new(),
    };
    work.take_gate_checks();
    work.take_running();
    work.take_drift();
    work.take_deployments();
    work.take_permits();
    work.take_changes();
    work.note_signals();
    let mut not_approved = std::mem::take(&mut work.not_approved);
    not_approved.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    Reconciliation {
        from: asked.from,
        to: asked.to,
        log,
        not_approved: Listed::of(not_approved),
        not_seen: Listed::of(work.not_seen()),
        permits: Listed::of(rows.map_or_else(Vec::new, |rows| work.permits(rows))),
        not_staged: Listed::of(work.not_staged()),
        silent: Listed::of(work.silent()),
        administration: work.administration(),
        people: Listed::of(work.people()),
        erased: work.erased(),
        services: work.figures.into_values().collect(),
    }
}

impl Work<'_> {
    fn figures(&mut self, service: &str, environment: &str) -> &mut ServiceFigures {
        let place = (service.to_owned(), environment.to_owned());
        self.figures.entry(place).or_insert_with(|| ServiceFigures {
            service: service.to_owned(),
            environment: environment.to_owned(),
            ..ServiceFigures::default()
        })
    }

    fn signal(&mut self, service: &str, environment: &str, at: Timestamp) {
        if at < self.asked.to {
            let place = (service.to_owned(), environment.to_owned());
            let last = self.signals.entry(place).or_insert(at);
            *last = at.max(*last);
        }
    }

    fn see(&mut self, change: Option<&str>, service: &str, environment: &str) {
        if let Some(change) = change {
            self.seen
                .insert((change.to_owned(), service.to_owned(), environment.to_owned()));
        }
    }

    fn take_gate_checks(&mut self) {
        for check in self.trail.gate_checks() {
            let (Some(service), Some(environment)) = (check.service.as_str(), check.environment.as_str()) else {
                continue;
            };
            // A request about an unknown name is no signal of a service.
            if !self.asked.is_about(service) || !self.services.contains(service) {
                continue;
            }
            // Anybody may make a request: it shows neither that a build ran nor that a system still reports it.
            if self.asked.has(check.asked_at) {
                let figures = self.figures(service, environment);
                figures.gate_asked += 1;
                figures.gate_refused += u64::from(check.decision == GateDecision::Stop);
            }
        }
    }

    fn take_running(&mut self) {
        for (id, it) in self.trail.running() {
            if !self.asked.is_about(&it.service) {
                continue;
            }
            // Only reports of a connected system change the running build.
            self.signal(&it.service, &it.environment, it.since);
            self.see(Some(&it.change_key), &it.service, &it.environment);
            if !self.asked.has(it.since) {
                continue;
            }
            self.figures(&it.service, &it.environment).running += 1;
            let lack = self.lack(Some(&it.change_key), it.since);
            self.note_ran(
                lack,
                ("running", id),
                (&it.service, &it.environment),
                (it.since, Some(it.change_key.clone()), it.artifact),
            );
        }
    }

    fn take_drift(&mut self) {
        for (id, it) in self.trail.drift() {
            let service = it.service.clone().unwrap_or_default();
            let environment = it.environment.clone().unwrap_or_default();
            if !self.asked.is_about(&service) {
                continue;
            }
            self.signal(&service, &environment, it.last_seen);
            if !self.asked.has(it.appeared_at) {
                continue;
            }
            let is_open = it.change.is_none() && it.outcome.is_none();
            let figures = self.figures(&service, &environment);
            figures.drift += 1;
            figures.drift_open += u64::from(is_open);
            let lack = is_open.then_some(Lack::Unexplained);
            self.note_ran(
                lack,
                ("drift", id),
                (&service, &environment),
                (it.appeared_at, it.change, it.address),
            );
        }
    }

    fn take_deployments(&mut self) {
        for (id, it) in self.trail.deployments() {
            if !self.asked.is_about(&it.service) {
                continue;
            }
            self.signal(&it.service, &it.environment, it.at);
            self.see(it.change_key.as_deref(), &it.service, &it.environment);
            // A report in the span with an earlier time is in no figure, but it is not hidden either.
            let is_backdated = it.at < self.asked.from && it.told_at.is_some_and(|at| self.asked.has(at));
            if !self.asked.has(it.at) && !is_backdated {
                continue;
            }
            let mut lack = self.lack(it.change_key.as_deref(), it.at);
            if it.unauthorized && lack.is_none() {
                lack = Some(Lack::NeverApproved);
            }
            if is_backdated {
                let what = it.artifact.or(it.commit).unwrap_or_default();
                let place = (it.service.as_str(), it.environment.as_str());
                self.note_ran(lack, ("deployment", id), place, (it.at, it.change_key, what));
                continue;
            }
            let is_permitted = self.is_permitted(it.change_key.as_deref(), (&it.service, &it.environment), it.at);
            let figures = self.figures(&it.service, &it.environment);
            figures.deployments += 1;
            figures.approved += u64::from(lack.is_none());
            figures.permitted += u64::from(lack.is_none() && is_permitted);
            let what = it.artifact.or(it.commit).unwrap_or_default();
            self.note_ran(
                lack,
                ("deployment", id),
                (&it.service, &it.environment),
                (it.at, it.change_key, what),
            );
        }
    }

    /// A deploying system collects a permit: this shows that the service is active and that its change is under way.
    fn take_permits(&mut self) {
        let trail = self.trail;
        for permit in trail.permits.values() {
            let word = |name: &str| permit.members.get(name).and_then(|it| it.as_str());
            let (Some(service), Some(environment)) = (word("service"), word("environment")) else {
                continue;
            };
            if self.asked.is_about(service) {
                self.signal(service, environment, permit.at);
                self.see(word("change_key"), service, environment);
            }
        }
    }

    fn note_ran(
        &mut self,
        lack: Option<Lack>,
        (kind, id): (&'static str, String),
        (service, environment): (&str, &str),
        (at, change, what): (Timestamp, Option<String>, String),
    ) {
        let Some(lack) = lack else { return };
        self.not_approved.push(Ran {
            backdated: at < self.asked.from,
            kind,
            id,
            service: service.to_owned(),
            environment: environment.to_owned(),
            at,
            change,
            what,
            lack,
        });
    }

    /// The gap of a change's run; break-glass replaces an approval while it holds.
    fn lack(&self, change: Option<&str>, at: Timestamp) -> Option<Lack> {
        let Some(facts) = change.and_then(|key| self.changes.get(key)) else {
            return Some(Lack::NoChange);
        };
        let is_glass = facts
            .break_glass
            .as_ref()
            .is_some_and(|glass| glass.at <= at && at <= glass.until);
        let is_approved = |until: Timestamp| {
            let last = facts.approval_until(|it| it.at <= until);
            last.is_some_and(|(_, is_one)| is_one)
        };
        let is_later = |it: &Moment| it.kind == "change.approved" && it.at > at;
        match is_approved(at) || is_approved(within_second(at)) {
            true => None,
            _ if is_glass => None,
            _ if facts.moments.iter().any(is_later) => Some(Lack::ApprovedLater),
            _ if facts.has("change.approved") => Some(Lack::ApprovalLost),
            _ => Some(Lack::NeverApproved),
        }
    }

    fn is_permitted(&self, change: Option<&str>, (service, environment): (&str, &str), at: Timestamp) -> bool {
        let Some(change) = change else { return false };
        let place = (change.to_owned(), service.to_owned(), environment.to_owned());
        self.permitted
            .get(&place)
            .is_some_and(|issued| *issued <= within_second(at))
    }

    /// The approved changes whose work began in the span, by place.
    fn take_changes(&mut self) {
        let mut places = Vec::new();
        for facts in self.changes.values().filter(|it| it.has("change.approved")) {
            if !facts.started().is_some_and(|at| self.asked.has(at)) {
                continue;
            }
            for place in targets(facts) {
                let is_seen = self
                    .seen
                    .contains(&(facts.key.clone(), place.0.clone(), place.1.clone()));
                places.push((place, is_seen));
            }
        }
        for ((service, environment), is_seen) in places {
            if self.asked.is_about(&service) {
                let figures = self.figures(&service, &environment);
                figures.changes += 1;
                figures.changes_seen += u64::from(is_seen);
            }
        }
    }

    fn note_signals(&mut self) {
        for (place, figures) in &mut self.figures {
            figures.last_signal_at = self.signals.get(place).copied();
        }
    }

    /// Approved changes with an approval or work in the span and without any report.
    fn not_seen(&self) -> Vec<NotSeen> {
        let mut found = Vec::new();
        for facts in self.changes.values() {
            let Some(approved) = facts.first("change.approved") else {
                continue;
            };
            if !self.asked.has(facts.started().unwrap_or(approved.at)) {
                continue;
            }
            for (service, environment) in targets(facts) {
                let is_seen = self
                    .seen
                    .contains(&(facts.key.clone(), service.clone(), environment.clone()));
                if is_seen || !self.asked.is_about(&service) {
                    continue;
                }
                found.push(NotSeen {
                    change: facts.key.clone(),
                    service,
                    environment,
                    state: facts.state.as_str(),
                    started_at: facts.started(),
                });
            }
        }
        found
    }

    fn permits(&self, rows: &PermitRows) -> Vec<PermitFinding> {
        let mut found = permit_findings(&self.trail.permits, rows);
        let is_about = |finding: &PermitFinding| {
            let facts = self.changes.get(&finding.change);
            facts.is_none_or(|facts| facts.targets.iter().any(|it| self.asked.is_about(&it.service)))
        };
        // A finding without a known time belongs to every span.
        found.retain(|it| it.at.is_none_or(|at| self.asked.has(at)) && is_about(it));
        found
    }

    /// The arrivals in production in the span that were in no other environment of their service before.
    fn not_staged(&self) -> Vec<Ran> {
        let production: BTreeSet<String> = self.trail.production().into_iter().collect();
        let mut first_seen: BTreeMap<(String, String), Timestamp> = BTreeMap::new();
        let mut arrivals = Vec::new();
        let runs = self.trail.deployments().into_iter().map(|(id, it)| {
            let names: Vec<String> = it.artifact.clone().into_iter().chain(it.commit.clone()).collect();
            (
                "deployment",
                id,
                it.service,
                it.environment,
                it.at,
                it.change_key,
                names,
            )
        });
        let builds = self.trail.running().into_iter().map(|(id, it)| {
            (
                "running",
                id,
                it.service,
                it.environment,
                it.since,
                Some(it.change_key),
                vec![it.artifact],
            )
        });
        for (kind, id, service, environment, at, change, names) in runs.chain(builds) {
            if production.contains(&environment) {
                arrivals.push((kind, id, service, environment, at, change, names));
                continue;
            }
            for name in names {
                let first = first_seen.entry((service.clone(), name)).or_insert(at);
                *first = at.min(*first);
            }
        }
        let mut found = Vec::new();
        for (kind, id, service, environment, at, change, names) in arrivals {
            let was_seen = |name: &String| {
                first_seen
                    .get(&(service.clone(), name.clone()))
                    .is_some_and(|it| *it <= at)
            };
            if !self.asked.has(at) || !self.asked.is_about(&service) || names.iter().any(was_seen) {
                continue;
            }
            let what = names.into_iter().next().unwrap_or_default();
            let lack = Lack::None;
            found.push(Ran {
                backdated: false,
                kind,
                id,
                service,
                environment,
                at,
                change,
                what,
                lack,
            });
        }
        found.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        found
    }

    /// The places in production of each service, by the reports and approvals so far; a service without such a place is treated
    /// as a whole.
    fn places(&self) -> BTreeSet<Place> {
        let production: BTreeSet<String> = self.trail.production().into_iter().collect();
        let is_approved = |it: &&ChangeFacts| it.first("change.approved").is_some_and(|it| it.at < self.asked.to);
        let mut places: BTreeSet<Place> = self.signals.keys().cloned().collect();
        places.extend(self.changes.values().filter(is_approved).flat_map(targets));
        places.retain(|(service, environment)| self.services.contains(service) && production.contains(environment));
        let known: BTreeSet<String> = places.iter().map(|(service, _)| service.clone()).collect();
        let others = self.services.difference(&known);
        places.extend(others.map(|service| (service.clone(), String::new())));
        places
    }

    fn silent(&self) -> Vec<Silent> {
        let mut found = Vec::new();
        for place in self
            .places()
            .into_iter()
            .filter(|(service, _)| self.asked.is_about(service))
        {
            let is_here = |it: &Place| it.0 == place.0 && (place.1.is_empty() || it.1 == place.1);
            let reported = self.signals.range(place.clone()..).take_while(|(it, _)| is_here(it));
            let last = reported.map(|(_, at)| *at).max();
            if last.is_some_and(|at| at >= self.asked.from) {
                continue;
            }
            let began = |facts: &&ChangeFacts| {
                facts.started().is_some_and(|at| self.asked.has(at)) && targets(facts).iter().any(is_here)
            };
            let changes = self.changes.values().filter(began).count() as u64;
            let (service, environment) = place;
            found.push(Silent {
                service,
                environment,
                since: last,
                changes,
            });
        }
        found
    }

    fn administration(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for it in self.trail.administration.iter().filter(|it| self.asked.has(it.at)) {
            *counts.entry(it.kind.clone()).or_default() += 1;
        }
        counts
    }

    /// The people who held a right or a part of the ownership at some moment of the span, or acted in it, in the order of their
    /// ids.
    fn people(&self) -> Vec<Could> {
        let mut found: BTreeMap<String, Could> = BTreeMap::new();
        for (id, mut held) in self.trail.held() {
            let service = self.asked.service.as_deref();
            held.retain(|it| {
                it.is_in(self.asked.from, self.asked.to) && service.is_none_or(|service| it.is_about(service))
            });
            if !held.is_empty() {
                let held = Listed::of(held);
                found.insert(id.clone(), Could { held, ..nobody(&id) });
            }
        }
        let mut row = |id: &str, count: fn(&mut Could)| {
            count(found.entry(id.to_owned()).or_insert_with(|| nobody(id)));
        };
        for it in self.trail.administration.iter().filter(|it| self.asked.has(it.at)) {
            row(&it.actor, |could| could.administered += 1);
        }
        for facts in self.changes.values() {
            if !facts.targets.is_empty() && !facts.targets.iter().any(|it| self.asked.is_about(&it.service)) {
                continue;
            }
            let approved = facts.approvals.iter().filter(|it| it.is_yes() && self.asked.has(it.at));
            let approvers: BTreeSet<&str> = approved.map(|it| it.person.as_str()).collect();
            approvers
                .into_iter()
                .for_each(|id| row(id, |could| could.approved += 1));
            if facts.started().is_some_and(|at| self.asked.has(at)) {
                facts
                    .implemented_by
                    .iter()
                    .for_each(|id| row(id, |could| could.implemented += 1));
            }
        }
        for (id, it) in self.trail.people() {
            if let Some(could) = found.get_mut(&id) {
                could.roles = it.roles.iter().copied().map(Role::as_str).collect();
                could.services = it.services;
                could.active = it.active;
            }
        }
        found.into_values().collect()
    }

    fn erased(&self) -> Erased {
        let mut erased = Erased::default();
        for it in self.trail.erased.iter().filter(|it| self.asked.has(it.at)) {
            erased.changes += it.changes;
            erased.texts += it.texts;
            erased.deliveries += it.deliveries;
            erased.people += it.people;
        }
        erased
    }
}

fn first_permits(trail: &RunTrail) -> BTreeMap<(String, String, String), Timestamp> {
    let mut first = BTreeMap::new();
    for permit in trail.permits.values() {
        let word = |name: &str| {
            permit
                .members
                .get(name)
                .and_then(|it| it.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let at = first
            .entry((word("change_key"), word("service"), word("environment")))
            .or_insert(permit.at);
        *at = permit.at.min(*at);
    }
    first
}

fn nobody(id: &str) -> Could {
    Could {
        person: id.to_owned(),
        roles: Vec::new(),
        services: Vec::new(),
        active: false,
        held: Listed::of(Vec::new()),
        administered: 0,
        approved: 0,
        implemented: 0,
    }
}

/// The places of a change, each once.
fn targets(facts: &ChangeFacts) -> BTreeSet<Place> {
    let places = facts.targets.iter();
    places.map(|it| (it.service.clone(), it.environment.clone())).collect()
}

mod rows;

#[cfg(test)]
mod tests;

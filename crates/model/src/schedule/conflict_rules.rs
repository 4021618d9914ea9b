//! The rules of recorded conflicts: how a record follows its two changes, its conditions before work begins, and the people who
//! decide.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::approval::one_hand;
use crate::change::record::Change;
use crate::core::enums::{ConflictDecision, ConflictState, Kind, OwnershipRole};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::later;
use crate::core::unmet::{Information, Unmet, unmet};
use crate::directory::ownership_matrix::Place;
use crate::directory::snapshot::{Directory, last_people, logins};
use crate::schedule::conflict_record::Conflict;
use crate::schedule::conflicts::Found;
use crate::schedule::planning_terms::PlanningTerms;

/// The most conflicts of a tenant that are recorded at a time. Further ones are shown without a record until there is room;
/// conflicts that hold changes are recorded beyond this limit.
pub const MOST_KEPT: usize = 2_000;
/// The most conflicts that a gate lists beside its reasons.
pub const MOST_KNOWN: usize = 10;
/// The most precedents that are shown.
pub const MOST_PRECEDENTS: usize = 3;

impl Conflict {
    /// A new conflict of two changes; the older change comes first.
    #[must_use]
    pub fn new(
        id: RecordId,
        (one, other): (&Change, &Change),
        found: &Found,
        terms: &PlanningTerms,
        now: Timestamp,
    ) -> Self {
        let fresh = Self {
            id,
            version: 0,
            one: one.id.0.clone(),
            other: other.id.0.clone(),
            one_key: one.key.clone(),
            other_key: other.key.clone(),
            kinds: BTreeSet::new(),
            why: Vec::new(),
            services: BTreeSet::new(),
            environment: None,
            overlaps_from: found.from,
            overlaps_to: found.to,
            state: ConflictState::Open,
            holds: terms.hold(&found.kinds()),
            found_at: now,
            due_at: later(now, terms.time_to_decide()),
            escalated: false,
            // The later change was planned into the earlier plans, so its owner takes care of the conflict.
            owner: Some(other.content.owner.clone()),
            decision: None,
            moves: None,
            reason: None,
            decided_by: None,
            decided_at: None,
            decided_kinds: BTreeSet::new(),
            decided_from: None,
            decided_to: None,
            decided_why: Vec::new(),
            decided_services: BTreeSet::new(),
            decided_environment: None,
            one_window: false,
        };
        fresh.found_again((one, other), found)
    }

    /// Whether it is about this change.
    #[must_use]
    pub fn is_of(&self, change: &Change) -> bool {
        self.one == change.id.0 || self.other == change.id.0
    }

    /// The key of the other change.
    #[must_use]
    pub fn other_than(&self, change: &Change) -> &str {
        match self.one == change.id.0 {
            true => &self.other_key,
            false => &self.one_key,
        }
    }

    /// The record after a change of either plan: its identity, owner and clock stay. A decision stays while it covers the
    /// current findings. A decision by which both stay does not cover a new reason, another place or a longer overlap. A
    /// decision also binds two changes that parted and met again in the decided way.
    #[must_use]
    pub fn followed(
        self,
        (one, other): (&Change, &Change),
        found: Option<&Found>,
        terms: &PlanningTerms,
        now: Timestamp,
    ) -> Self {
        let Some(found) = found else {
            return Self {
                state: ConflictState::Gone,
                ..self
            };
        };
        let was = self.state;
        let mut next = self.found_again((one, other), found);
        match was {
            ConflictState::Gone if next.decision.is_some() && next.is_covered() => {
                next.state = ConflictState::Decided;
            }
            ConflictState::Gone => {
                next.state = ConflictState::Open;
                next.found_at = now;
                next.due_at = later(now, terms.time_to_decide());
                next.escalated = false;
                next.holds = next.holds || terms.hold(&next.kinds);
            }
            ConflictState::Open => next.holds = next.holds || terms.hold(&next.kinds),
            ConflictState::Decided if !next.is_covered() => {
                next.state = ConflictState::Open;
                next.due_at = later(now, terms.time_to_decide());
                next.escalated = false;
                next.holds = next.holds || terms.hold(&next.kinds);
            }
            ConflictState::Decided => {}
        }
        next
    }

    /// Whether the decision knew every reason, and, where both stay, the place and the time together.
    fn is_covered(&self) -> bool {
        let is_longer = self.decided_from.is_some_and(|from| self.overlaps_from < from)
            || self.decided_to.is_some_and(|to| self.overlaps_to > to);
        let may_grow = self.decision != Some(ConflictDecision::BothStay);
        self.kinds.is_subset(&self.decided_kinds) && (may_grow || (!is_longer && self.is_where_decided()))
    }

    /// Whether the decision covered each service, the environment and each path between the two.
    fn is_where_decided(&self) -> bool {
        // Decisions from before places were stored have none.
        self.decided_why.is_empty()
            || (self.services.is_subset(&self.decided_services)
                && self.environment == self.decided_environment
                && are_same_ways(&self.why, &self.decided_why))
    }

    fn found_again(self, (one, other): (&Change, &Change), found: &Found) -> Self {
        let ends = found
            .met
            .iter()
            .flat_map(|met| met.path.first().into_iter().chain(met.path.last()));
        let of = |change: &Change| -> BTreeSet<ServiceKey> {
            change
                .content
                .targets
                .iter()
                .map(|target| target.service.clone())
                .collect()
        };
        let (mine, theirs) = (of(one), of(other));
        let ends = ends.map(|name| ServiceKey::from(name.as_str()));
        let ends = ends.filter(|service| mine.contains(service) || theirs.contains(service));
        let services: BTreeSet<ServiceKey> = ends.chain(mine.intersection(&theirs).cloned()).collect();
        let environment = found.met.iter().find_map(|met| met.environment.as_deref());
        Self {
            kinds: found.kinds(),
            why: found.met.iter().map(|met| met.sentence()).collect(),
            services,
            environment: environment.map(EnvironmentKey::from),
            overlaps_from: found.from,
            overlaps_to: found.to,
            one_window: one.planned_start == other.planned_start && one.planned_end == other.planned_end,
            ..self
        }
    }

    /// Its open condition on one of its changes before work begins.
    #[must_use]
    pub fn before_start(&self, change: &Change, directory: &Directory) -> Option<Unmet> {
        let with = self.other_than(change);
        let why = self.why.first().map(String::as_str).unwrap_or_default();
        match (self.state, self.decision) {
            (ConflictState::Open, _) if self.holds => Some(unmet(
                "conflict_open",
                format!("The change conflicts with {with}: {why}."),
                format!(
                    "The conflict must be decided by {}, or one of the two changes must move.",
                    self.due_at
                ),
                self.asked(directory),
            )),
            (ConflictState::Decided, Some(ConflictDecision::OneMoves)) if self.moves.as_ref() == Some(&change.key) => {
                Some(unmet(
                    "conflict_decided",
                    format!("The change must move, because it conflicts with {with}: {why}."),
                    "Plan another time.",
                    vec![directory.login(&change.content.owner)],
                ))
            }
            (ConflictState::Decided, Some(ConflictDecision::OneWindow)) if !self.one_window => Some(unmet(
                "conflict_decided",
                format!("The change must share one window with {with}."),
                format!("Give the change the same planned start and end as {with}."),
                vec![directory.login(&change.content.owner)],
            )),
            _ => None,
        }
    }

    /// The notice of a conflict that stops nothing: that it is known, and its state.
    fn known(&self, with: &str) -> Information {
        let why = self.why.first().map(String::as_str).unwrap_or_default();
        let stands = match (self.state, self.decision, &self.moves) {
            (ConflictState::Decided, Some(ConflictDecision::OneMoves), Some(key)) => {
                format!("Decision: {key} moves.")
            }
            (ConflictState::Decided, Some(ConflictDecision::OneWindow), _) => {
                "Decision: both changes share one window.".to_owned()
            }
            (ConflictState::Decided, ..) => "Decision: both changes stay as planned.".to_owned(),
            _ => format!("The conflict blocks no change; it must be decided by {}.", self.due_at),
        };
        Information {
            code: "conflict_known",
            text: format!("The change conflicts with {with}: {why}. {stands}"),
        }
    }

    /// Logins of the people it waits for: its owner, and change managers.
    fn asked(&self, directory: &Directory) -> Vec<String> {
        let mut people: Vec<PersonId> = self.owner.iter().cloned().collect();
        for person in last_people(directory) {
            if !people.contains(&person) {
                people.push(person);
            }
        }
        logins(directory, &people)
    }

    /// The people who may decide it: owners of the shared things, else change managers; never somebody with a part in either
    /// change, or somebody who counts as the same person. After the escalation, change managers may decide as well.
    #[must_use]
    pub fn arbiters(&self, directory: &Directory, changes: [&Change; 2], now: Timestamp) -> Vec<PersonId> {
        let is_apart = |person: &PersonId| {
            let mut parts = changes.into_iter().flat_map(parts);
            directory.is_active(person) && !parts.any(|part| one_hand::are_one(directory, (part, person), now))
        };
        let mut found: Vec<PersonId> = Vec::new();
        let mut add = |person: PersonId| {
            if is_apart(&person) && !found.contains(&person) {
                found.push(person);
            }
        };
        if let Some(environment) = &self.environment {
            for service in &self.services {
                let place = Place::new(service, environment);
                let holders = directory.holders_at(&place, OwnershipRole::Owner, now);
                holders.into_iter().for_each(|holder| add(holder.person));
            }
        }
        if found.is_empty() || self.escalated {
            for person in last_people(directory) {
                if is_apart(&person) && !found.contains(&person) {
                    found.push(person);
                }
            }
        }
        found
    }
}

/// Whether every reason is among others; a path is the same from either end.
#[must_use]
pub fn are_same_ways(why: &[String], known: &[String]) -> bool {
    let known: Vec<Vec<&str>> = known.iter().map(|sentence| split_terms(sentence)).collect();
    why.iter().all(|sentence| known.contains(&split_terms(sentence)))
}

fn split_terms(sentence: &str) -> Vec<&str> {
    let mut words: Vec<&str> = sentence.split_whitespace().map(|word| word.trim_matches(',')).collect();
    words.sort_unstable();
    words
}

/// The people with a part in a change: requester, owner, authors, planners, testers and implementers.
pub fn parts(change: &Change) -> impl Iterator<Item = &PersonId> {
    let content = &change.content;
    let wrote = change.authors.iter().chain(&change.planned_by);
    let did = content.implementers.iter().chain(&change.implemented_by);
    let named = [&change.requester, &content.owner].into_iter();
    named.chain(wrote).chain(did).chain(&content.tester)
}

/// The conflicts of a change that stop nothing, for the gate's client: conflicts without a reason in `unmet`. At most
/// [`MOST_KNOWN`] are listed. The change is named by its id or its key.
#[must_use]
pub fn known_conflicts(change: &str, unmet: &[Unmet], directory: &Directory) -> Vec<Information> {
    let is_reason = |with: &str| {
        let named = [format!("with {with}:"), format!("with {with}.")];
        let mut rows = unmet.iter().filter(|row| row.code.starts_with("conflict_"));
        rows.any(|row| named.iter().any(|name| row.text.contains(name)))
    };
    let mut found = Vec::new();
    for conflict in directory.conflicts.iter().filter(|it| it.state != ConflictState::Gone) {
        let with = if conflict.one == change || conflict.one_key == change {
            &conflict.other_key
        } else if conflict.other == change || conflict.other_key == change {
            &conflict.one_key
        } else {
            continue;
        };
        if !is_reason(with) && found.len() < MOST_KNOWN {
            found.push(conflict.known(with));
        }
    }
    found
}

/// The conditions of recorded conflicts on a change before work begins. An emergency waits for no arbiter.
#[must_use]
pub fn conflicts_unmet(change: &Change, directory: &Directory) -> Vec<Unmet> {
    if change.content.kind == Kind::Emergency || change.retrospective.is_some() {
        return Vec::new();
    }
    let own = directory.conflicts.iter().filter(|conflict| conflict.is_of(change));
    own.filter_map(|conflict| conflict.before_start(change, directory))
        .collect()
}

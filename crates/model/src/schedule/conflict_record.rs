//! Conflicts that are kept: one record for each pair of changes that met, whatever is edited afterwards. It has an owner, a time
//! until which an arbiter decides, and a decision that binds both changes.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::eligible::has_stake;
use crate::change::record::Change;
use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::enums::{ConflictDecision, ConflictKind, ConflictState, Kind, OwnershipRole};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::{TEXT, later};
use crate::core::unmet::{Unmet, unmet};
use crate::directory::ownership_matrix::Place;
use crate::directory::snapshot::{Directory, last_people, logins};
use crate::schedule::conflicts::Found;
use crate::schedule::planning_terms::PlanningTerms;
use crate::verbs;

/// The most conflicts of a tenant that are kept at a time. Others are shown all the same, and kept once there is room.
pub const MOST_KEPT: usize = 2_000;
/// The most precedents that are shown.
pub const MOST_PRECEDENTS: usize = 3;

/// Two changes that cannot both be as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Conflict {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The id of the change that was written first.
    #[card(column)]
    pub one: String,
    /// The id of the other change.
    #[card(column)]
    pub other: String,
    /// The key of the change that was written first.
    pub one_key: String,
    /// The key of the other change.
    pub other_key: String,
    /// Why they conflict.
    #[card(words)]
    pub kinds: BTreeSet<ConflictKind>,
    /// Each reason in a sentence, with the way from the one to the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub why: Vec<String>,
    /// The services that both share, or of which one needs the other; their owners decide.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// The environment in which they meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentKey>,
    /// From when both are under way.
    pub overlaps_from: Timestamp,
    /// Until when.
    pub overlaps_to: Timestamp,
    /// Where it stands.
    #[card(words)]
    pub state: ConflictState,
    /// Whether both changes are held from starting until it is decided.
    pub holds: bool,
    /// When it was found, or found again.
    pub found_at: Timestamp,
    /// Until when it is to be decided.
    pub due_at: Timestamp,
    /// Whether the time to decide passed and change managers were notified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escalated: bool,
    /// Who sees to it: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// How it was decided last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(words)]
    pub decision: Option<ConflictDecision>,
    /// The key of the change that moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves: Option<String>,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
    /// Who decided: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub decided_at: Option<Timestamp>,
    /// The reasons that the decision knew.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub decided_kinds: BTreeSet<ConflictKind>,
    /// From when both were under way as it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_from: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_to: Option<Timestamp>,
    /// Whether both changes have the same planned times.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_window: bool,
}

/// The decision of a conflict, or another owner. A decision binds both changes.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ConflictInput {
    /// How it is decided.
    #[card(words, example = "one_moves")]
    pub decision: Option<ConflictDecision>,
    /// The key of the change that moves, where one moves.
    #[card(example = "CHG-1042")]
    pub moves: Option<String>,
    /// Why.
    #[card(most = TEXT, text, example = "The migration cannot wait.")]
    pub reason: Option<String>,
    /// Who sees to it from now on: a login.
    #[card(example = "kari")]
    pub owner: Option<PersonId>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    patch: "ConflictPatch",
    derived: &[("active", |it| (it["state"] != "gone").into())],
    columns: &["id", "one_key", "other_key", "kinds", "state", "due_at", "decision"],
    verbs: verbs! {
        List "list_conflicts" at "/conflicts" may READ => "List the conflicts that are kept and not gone";
        Show "show_conflict" at "/conflicts/{id}" may READ => "Show a conflict";
        Edit "decide_conflict" at "/conflicts/{id}" may READ => "Decide a conflict as its arbiter, or name another owner", called "decide";
    },
    events: &[
        Event::new("conflict.found", "incident", "found that two changes conflict"),
        Event::new("conflict.followed", "edit", "noted that a conflict is another"),
        Event::new("conflict.gone", "check", "noted that two changes no longer conflict"),
        Event::new("conflict.assigned", "edit", "named another owner of a conflict"),
        Event::new("conflict.decided", "check", "decided a conflict"),
        Event::new("conflict.escalated", "bell", "escalated a conflict"),
    ],
    ..Card::of::<Conflict, ConflictInput>("conflict", "Conflicts")
};

impl Conflict {
    /// A conflict of two changes that was found now; the one that was written first comes first.
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
            // The later change came upon the plans of the earlier one, so its owner sees to it.
            owner: Some(other.content.owner.clone()),
            decision: None,
            moves: None,
            reason: None,
            decided_by: None,
            decided_at: None,
            decided_kinds: BTreeSet::new(),
            decided_from: None,
            decided_to: None,
            one_window: false,
        };
        fresh.as_found((one, other), found)
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

    /// The same as the two changes are now: its identity, owner and clock stay. A decision stays while it knew what is found; one
    /// by which both stay does not cover a new reason or a longer time together.
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
        let mut next = self.as_found((one, other), found);
        match was {
            ConflictState::Gone => {
                next.state = ConflictState::Open;
                next.found_at = now;
                next.due_at = later(now, terms.time_to_decide());
                next.escalated = false;
                next.holds = terms.hold(&next.kinds);
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

    /// Whether the decision knew every reason, and, where both stay, the time together.
    fn is_covered(&self) -> bool {
        let is_longer = self.decided_from.is_some_and(|from| self.overlaps_from < from)
            || self.decided_to.is_some_and(|to| self.overlaps_to > to);
        let may_grow = self.decision != Some(ConflictDecision::BothStay);
        self.kinds.is_subset(&self.decided_kinds) && (may_grow || !is_longer)
    }

    fn as_found(self, (one, other): (&Change, &Change), found: &Found) -> Self {
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

    /// With a decision of now.
    #[must_use]
    pub fn decided(self, input: &ConflictInput, by: PersonId, now: Timestamp) -> Self {
        Self {
            state: ConflictState::Decided,
            decision: input.decision,
            moves: input
                .moves
                .clone()
                .filter(|_| input.decision == Some(ConflictDecision::OneMoves)),
            reason: input.reason.clone(),
            decided_by: Some(by),
            decided_at: Some(now),
            decided_kinds: self.kinds.clone(),
            decided_from: Some(self.overlaps_from),
            decided_to: Some(self.overlaps_to),
            ..self
        }
    }

    /// What it still asks of one of its changes before work begins.
    #[must_use]
    pub fn before_start(&self, change: &Change, directory: &Directory) -> Option<Unmet> {
        let with = self.other_than(change);
        let why = self.why.first().map(String::as_str).unwrap_or_default();
        match (self.state, self.decision) {
            (ConflictState::Open, _) if self.holds => Some(unmet(
                "conflict_open",
                format!("It conflicts with {with}: {why}."),
                format!("The conflict is decided by {}, or one of both moves.", self.due_at),
                self.asked(directory),
            )),
            (ConflictState::Decided, Some(ConflictDecision::OneMoves)) if self.moves.as_ref() == Some(&change.key) => {
                Some(unmet(
                    "conflict_decided",
                    format!("It was decided that it moves, because it conflicts with {with}: {why}."),
                    "Plan another time.",
                    vec![directory.login(&change.content.owner)],
                ))
            }
            (ConflictState::Decided, Some(ConflictDecision::OneWindow)) if !self.one_window => Some(unmet(
                "conflict_decided",
                format!("It was decided that it is done in one window with {with}."),
                format!("Give it the same planned start and end as {with}."),
                vec![directory.login(&change.content.owner)],
            )),
            _ => None,
        }
    }

    /// Logins of those whom it waits for: its owner, and change managers.
    fn asked(&self, directory: &Directory) -> Vec<String> {
        let mut people: Vec<PersonId> = self.owner.iter().cloned().collect();
        for person in last_people(directory) {
            if !people.contains(&person) {
                people.push(person);
            }
        }
        logins(directory, &people)
    }

    /// The people who may decide it: owners of what both share, else change managers; never somebody with a part in either
    /// change. Once it is escalated, change managers may decide as well.
    #[must_use]
    pub fn arbiters(&self, directory: &Directory, changes: [&Change; 2], now: Timestamp) -> Vec<PersonId> {
        let is_apart =
            |person: &PersonId| directory.is_active(person) && !changes.iter().any(|it| has_part(it, person));
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

    /// Whether another conflict is like it: of one of the same kinds, about one of the same services or, for people and
    /// environments, without any.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let is_near =
            self.services.is_empty() && other.services.is_empty() || !self.services.is_disjoint(&other.services);
        self.id != other.id && is_near && !self.kinds.is_disjoint(&other.kinds)
    }
}

/// Whether a person has a part in a change: they asked for it, own, wrote, planned or do it.
fn has_part(change: &Change, person: &PersonId) -> bool {
    let content = &change.content;
    has_stake(change, person)
        || &content.owner == person
        || change.planned_by.contains(person)
        || content.implementers.contains(person)
        || content.tester.as_ref() == Some(person)
}

/// What conflicts that are kept ask of a change before work begins. An emergency waits for no arbiter.
#[must_use]
pub fn conflicts_unmet(change: &Change, directory: &Directory) -> Vec<Unmet> {
    if change.content.kind == Kind::Emergency || change.retrospective.is_some() {
        return Vec::new();
    }
    let own = directory.conflicts.iter().filter(|conflict| conflict.is_of(change));
    own.filter_map(|conflict| conflict.before_start(change, directory))
        .collect()
}

//! The terms of planning: what counts as a conflict, which conflicts hold changes from starting, how long an arbiter has, and how
//! free times are ranked.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_FREEZE};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::{ConflictKind, SlotTerm};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId};
use crate::verbs;

/// The id and key of the one record of a tenant.
pub const KEY: &str = "default";
/// The most steps along dependencies.
pub const MOST_STEPS: i64 = 6;
/// The longest gap between two changes, in minutes: a week.
pub const MOST_GAP: i64 = 7 * 24 * 60;
/// The longest time to decide, in hours: a month.
pub const MOST_HOURS: i64 = 31 * 24;
/// The heaviest weight.
pub const MOST_WEIGHT: i64 = 100;

/// How changes are planned beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct PlanningTerms {
    /// The record's id: default.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// How many steps dependencies are followed.
    #[card(most = MOST_STEPS)]
    pub dependency_steps: i64,
    /// The minimum number of minutes between two changes with common parts.
    #[card(most = MOST_GAP)]
    pub gap_minutes: i64,
    /// Environments that take one change at a time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exclusive_environments: BTreeSet<EnvironmentKey>,
    /// Conflicts of these kinds hold both changes from starting until they are decided.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub hold_kinds: BTreeSet<ConflictKind>,
    /// Within how many hours an arbiter decides.
    #[card(most = MOST_HOURS)]
    pub decide_hours: i64,
    /// Weight of a maintenance window in the ranking of free times.
    #[card(most = MOST_WEIGHT)]
    pub weight_window: i64,
    /// Weight of the working hours of the change's people.
    #[card(most = MOST_WEIGHT)]
    pub weight_hours: i64,
    /// Weight of their absences.
    #[card(most = MOST_WEIGHT)]
    pub weight_absence: i64,
    /// Weight of on-call cover.
    #[card(most = MOST_WEIGHT)]
    pub weight_on_call: i64,
    /// Weight of the number of changes planned on the same day.
    #[card(most = MOST_WEIGHT)]
    pub weight_load: i64,
    /// Weight of the users of the services at that hour.
    #[card(most = MOST_WEIGHT)]
    pub weight_users: i64,
    /// Weight of the wait until then.
    #[card(most = MOST_WEIGHT)]
    pub weight_wait: i64,
    /// Who set them: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
}

/// How changes are planned beside each other. What is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct PlanningTermsInput {
    /// The number of levels of dependencies that are followed: 1 to 6.
    #[card(most = MOST_STEPS, option = "steps", example = "4")]
    pub dependency_steps: Option<i64>,
    /// The minimum number of minutes between two changes with common parts.
    #[card(most = MOST_GAP, option = "gap", example = "15")]
    pub gap_minutes: Option<i64>,
    /// Environments that take one change at a time.
    #[card(option = "exclusive", example = "staging")]
    pub exclusive_environments: BTreeSet<EnvironmentKey>,
    /// Conflicts of these kinds hold both changes from starting until they are decided.
    #[card(words, option = "hold", example = "same_item")]
    pub hold_kinds: BTreeSet<ConflictKind>,
    /// The number of hours within which an arbiter must decide: 1 to 744.
    #[card(most = MOST_HOURS, option = "decide-hours", example = "48")]
    pub decide_hours: Option<i64>,
    /// Weight of a maintenance window in the ranking of free times: 0 to 100.
    #[card(most = MOST_WEIGHT, option = "weight-window", example = "30")]
    pub weight_window: Option<i64>,
    /// Weight of the working hours of the change's people: 0 to 100.
    #[card(most = MOST_WEIGHT, option = "weight-hours", example = "15")]
    pub weight_hours: Option<i64>,
    /// Weight of their absences: 0 to 100.
    #[card(most = MOST_WEIGHT, option = "weight-absence", example = "40")]
    pub weight_absence: Option<i64>,
    /// Weight of on-call cover: 0 to 100.
    #[card(most = MOST_WEIGHT, option = "weight-on-call", example = "20")]
    pub weight_on_call: Option<i64>,
    /// Weight of the number of changes planned on the same day: 0 to 100.
    #[card(most = MOST_WEIGHT, option = "weight-load", example = "10")]
    pub weight_load: Option<i64>,
    /// Weight of the users of the services at that hour: 0 to 100.
    #[card(most = MOST_WEIGHT, option = "weight-users", example = "50")]
    pub weight_users: Option<i64>,
    /// Weight of the wait until then: 0 to 100.
    #[card(most = MOST_WEIGHT, option = "weight-wait", example = "10")]
    pub weight_wait: Option<i64>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "planning-terms",
    columns: &["id", "dependency_steps", "gap_minutes", "hold_kinds", "decide_hours"],
    verbs: verbs! {
        List "list_planning_terms" at "/planning-terms" may READ => "List the planning rules";
        Set "set_planning_terms" at "/planning-terms" may SET_FREEZE => "Set the planning rules";
        Show "show_planning_terms" at "/planning-terms/{id}" may READ => "Show the planning rules";
    },
    events: &[Event::new("planning_terms.set", "edit", "set the planning rules")],
    page: Some(Page {
        path: "/planning-terms",
        byline: "Defines conflicts of two changes, which conflicts block the start, and the ranking of free times.",
        empty: "The default rules are in force.",
        labels: ["Set the rules", "Set the rules", "Set the rules"],
    }),
    ..Card::of::<PlanningTerms, PlanningTermsInput>("planning_terms", "Planning rules")
};

impl Default for PlanningTerms {
    fn default() -> Self {
        Self {
            id: RecordId::from(KEY),
            version: 0,
            dependency_steps: 4,
            gap_minutes: 0,
            exclusive_environments: BTreeSet::new(),
            hold_kinds: BTreeSet::new(),
            decide_hours: 48,
            weight_window: 30,
            weight_hours: 15,
            weight_absence: 40,
            weight_on_call: 20,
            weight_load: 10,
            weight_users: 50,
            weight_wait: 10,
            by: None,
        }
    }
}

impl PlanningTerms {
    /// The number of steps in which dependencies are followed.
    #[must_use]
    pub fn steps(&self) -> usize {
        usize::try_from(self.dependency_steps.clamp(1, MOST_STEPS)).unwrap_or(1)
    }

    /// The required gap between two conflicting changes.
    #[must_use]
    pub fn gap(&self) -> SignedDuration {
        SignedDuration::from_mins(self.gap_minutes.clamp(0, MOST_GAP))
    }

    /// The arbiter's time for a decision.
    #[must_use]
    pub fn time_to_decide(&self) -> SignedDuration {
        SignedDuration::from_hours(self.decide_hours.clamp(1, MOST_HOURS))
    }

    /// Whether a conflict of these kinds holds both changes.
    #[must_use]
    pub fn hold(&self, kinds: &BTreeSet<ConflictKind>) -> bool {
        !self.hold_kinds.is_disjoint(kinds)
    }

    /// The weight of a term in the ranking of free times.
    #[must_use]
    pub fn weight(&self, term: SlotTerm) -> i64 {
        let weight = match term {
            SlotTerm::Window => self.weight_window,
            SlotTerm::Hours => self.weight_hours,
            SlotTerm::Absence => self.weight_absence,
            SlotTerm::OnCall => self.weight_on_call,
            SlotTerm::Load => self.weight_load,
            SlotTerm::Users => self.weight_users,
            SlotTerm::Wait => self.weight_wait,
        };
        weight.clamp(0, MOST_WEIGHT)
    }

    /// The terms with the values of an input in place of the current ones.
    #[must_use]
    pub fn with(self, input: PlanningTermsInput, says: impl Fn(&str) -> bool) -> Self {
        Self {
            dependency_steps: input.dependency_steps.unwrap_or(self.dependency_steps),
            gap_minutes: input.gap_minutes.unwrap_or(self.gap_minutes),
            exclusive_environments: match says("exclusive_environments") {
                true => input.exclusive_environments,
                false => self.exclusive_environments,
            },
            hold_kinds: match says("hold_kinds") {
                true => input.hold_kinds,
                false => self.hold_kinds,
            },
            decide_hours: input.decide_hours.unwrap_or(self.decide_hours),
            weight_window: input.weight_window.unwrap_or(self.weight_window),
            weight_hours: input.weight_hours.unwrap_or(self.weight_hours),
            weight_absence: input.weight_absence.unwrap_or(self.weight_absence),
            weight_on_call: input.weight_on_call.unwrap_or(self.weight_on_call),
            weight_load: input.weight_load.unwrap_or(self.weight_load),
            weight_users: input.weight_users.unwrap_or(self.weight_users),
            weight_wait: input.weight_wait.unwrap_or(self.weight_wait),
            id: self.id,
            version: self.version,
            by: self.by,
        }
    }
}

//! The effect of each event on an incident in each of its states: one table for user actions and deliveries.

use crate::core::enums::IncidentState::{self, Closed, Mitigated, Open, Resolved};
use crate::core::refusal::Refusal;
use crate::directory::snapshot::{CauseVerdict, Incident};
use crate::incident::course::Signature;

/// An event in an incident's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happens {
    /// Its source repeats a known state of this occurrence, late or in another order.
    Repeated,
    /// Its source fires again after the end of this occurrence.
    FiredAgain,
    /// Its source reports that the same matter is open again.
    ReopenedBySource,
    /// Its source reports the end, and nobody commands it.
    EndedBySource,
    /// Its source reports the end while a commander leads the work.
    EndedUnderCommand,
    /// A person records that its effect is contained.
    Mitigated,
    /// A person records that the effect is not contained after all.
    NotMitigated,
    /// A person records that it is over.
    Resolved,
    /// A person records that it is not over after all.
    Reopened,
    /// A person closes it.
    Closed,
    /// A person records that it repeats another incident.
    Merged,
}

/// The effect of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The state stays.
    Stays,
    /// The incident moves to this state.
    Becomes(IncidentState),
    /// The event belongs to another incident.
    Another,
    /// The event is refused.
    Refused,
}

use Then::{Another, Becomes, Refused, Stays};

/// One row for each event; its cells are for open, mitigated, resolved and closed.
pub const TABLE: [(Happens, [Then; 4]); 11] = [
    (Happens::Repeated, [Stays, Stays, Stays, Stays]),
    (Happens::FiredAgain, [Stays, Stays, Another, Another]),
    (
        Happens::ReopenedBySource,
        [Stays, Becomes(Open), Becomes(Open), Another],
    ),
    (
        Happens::EndedBySource,
        [Becomes(Resolved), Becomes(Resolved), Stays, Stays],
    ),
    // A flapping source must not end what people are still working on, nor its freeze.
    (Happens::EndedUnderCommand, [Becomes(Mitigated), Stays, Stays, Stays]),
    (Happens::Mitigated, [Becomes(Mitigated), Stays, Refused, Refused]),
    (Happens::NotMitigated, [Stays, Becomes(Open), Stays, Refused]),
    (
        Happens::Resolved,
        [Becomes(Resolved), Becomes(Resolved), Stays, Refused],
    ),
    (Happens::Reopened, [Stays, Stays, Becomes(Open), Refused]),
    (Happens::Closed, [Refused, Refused, Becomes(Closed), Stays]),
    (
        Happens::Merged,
        [Becomes(Closed), Becomes(Closed), Becomes(Closed), Refused],
    ),
];

/// The effect of an event in a state.
#[must_use]
pub fn then(state: IncidentState, happens: Happens) -> Then {
    let place = match state {
        Open => 0,
        Mitigated => 1,
        Resolved => 2,
        Closed => 3,
    };
    let row = TABLE.iter().find(|(known, _)| *known == happens);
    row.map_or(Refused, |(_, cells)| cells[place])
}

/// Refuses what the table refuses in the state of an incident.
///
/// # Errors
/// 409 `not_in_state`, with the next step.
pub fn check(incident: &Incident, happens: Happens) -> Result<(), Refusal> {
    let state = incident.state();
    if then(state, happens) != Refused {
        return Ok(());
    }
    let key = &incident.key;
    let satisfy = match (state, happens) {
        (Open | Mitigated, _) => format!("Resolve {key} first: PATCH /incidents/{key} with `resolved_at`."),
        (Resolved, _) => format!("Reopen {key} first: PATCH /incidents/{key} with `resolved_at` null."),
        (Closed, _) => "Open a new incident that names this one.".to_owned(),
    };
    let text = format!("{key} is {state}, so this is not possible.");
    Err(Refusal::not_now("not_in_state", text, satisfy, Vec::new()))
}

impl Incident {
    /// Its state, by its times alone; an older record without a stored state has one too.
    #[must_use]
    pub fn state(&self) -> IncidentState {
        if self.course.closed_at.is_some() {
            return IncidentState::Closed;
        }
        if self.resolved_at.is_some() {
            return IncidentState::Resolved;
        }
        match self.course.mitigated_at {
            Some(_) => IncidentState::Mitigated,
            None => IncidentState::Open,
        }
    }

    /// Whether it is a major incident now.
    #[must_use]
    pub fn is_major(&self) -> bool {
        self.course.major_since.is_some()
    }

    /// The signatures without a review. For a duplicate, the signatures wait at the incident that it was merged into.
    pub fn unreviewed(&self) -> impl Iterator<Item = &Signature> {
        let waits_here = self.course.duplicate_of.is_none();
        let rows = self.course.signatures.iter();
        rows.filter(move |row| waits_here && row.review.is_none())
    }

    /// The keys of the changes that people confirmed as its cause, by the last verdict on each.
    pub fn confirmed_causes(&self) -> impl Iterator<Item = &str> {
        let is_it = move |row: &&CauseVerdict| self.cause_verdict(&row.change_key).is_some_and(|last| last.confirmed);
        let rows = self.cause_verdicts.iter();
        rows.filter(is_it).map(|row| row.change_key.as_str())
    }
}

//! Training: who has learned what, and until when that is valid. Rules may ask for it, and policies may test it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::ids::{PersonId, RecordId};
use crate::obligation::ApprovalRule;

/// A training that a person has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Who.
    pub person: PersonId,
    /// Which: a word such as `pci_dss`, in lower case.
    pub training: String,
    /// From when it is valid.
    pub starts_at: Timestamp,
    /// Until when, exclusive; taking it back sets this to that moment.
    pub ends_at: Timestamp,
}

impl Training {
    /// Whether it is valid at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
    }
}

impl Directory {
    /// The trainings of a person that are valid now, in order.
    pub fn trainings_of(&self, person: &PersonId, now: Timestamp) -> Vec<String> {
        let rows = self.trainings.iter();
        let mut found: Vec<String> = rows
            .filter(|row| &row.person == person && row.is_on(now))
            .map(|row| row.training.clone())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a training of a person is valid now.
    pub fn is_trained(&self, person: &PersonId, subject: &str, now: Timestamp) -> bool {
        self.trainings
            .iter()
            .any(|row| &row.person == person && row.training == subject && row.is_on(now))
    }

    /// The next instant after `now` at which a training begins or ends.
    pub fn next_training_edge(&self, now: Timestamp) -> Option<Timestamp> {
        let edges = self.trainings.iter().flat_map(|row| [row.starts_at, row.ends_at]);
        edges.filter(|at| *at > now).min()
    }
}

/// Whether a person has the job function and the valid training that a rule asks for.
pub fn is_fit(directory: &Directory, rule: &ApprovalRule, person: &PersonId, now: Timestamp) -> bool {
    let found = directory.people.get(person);
    let has_function = |needed: &String| found.is_some_and(|found| found.functions.contains(needed));
    rule.function.as_ref().is_none_or(has_function)
        && rule
            .training
            .as_ref()
            .is_none_or(|subject| directory.is_trained(person, subject, now))
}

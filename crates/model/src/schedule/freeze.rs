//! Freezes: times in which no change begins, and the changes that one lets pass.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::record::Change;
use crate::core::enums::FreezeReach;
use crate::core::ids::{ChangeId, EnvironmentKey, PersonId, RecordId, ServiceKey};

/// A time in which no change begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// What it is called.
    pub title: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// Services; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// Environments; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// Whether it also stops what is under way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halt: bool,
    /// Whether it also stops the services that need those that it names.
    #[serde(default, skip_serializing_if = "FreezeReach::is_usual")]
    pub reach: FreezeReach,
    /// Changes that may go on in spite of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<FreezeException>,
    /// Whether it was taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// When it was recorded, where it was set to begin before that: it counts from then on, and for nothing decided before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
}

/// A change that a freeze lets pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeException {
    /// The change.
    pub change: ChangeId,
    /// Its key.
    pub change_key: String,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The digest *what* of the change that was excepted; another content is not.
    pub what_digest: String,
}

impl FreezeException {
    /// Whether it still lets this change pass, as it stands.
    pub fn counts_for(&self, change: &Change) -> bool {
        self.change == change.id && self.what_digest == change.digests.what
    }
}

impl Freeze {
    /// Whether its own scope is about this service and environment. What needs the service as well is asked of the directory
    /// (`is_frozen_by`).
    pub fn covers(&self, service: &ServiceKey, environment: &EnvironmentKey) -> bool {
        self.is_in(environment) && (self.services.is_empty() || self.services.contains(service))
    }

    /// Whether it is about this environment.
    pub fn is_in(&self, environment: &EnvironmentKey) -> bool {
        !self.ended && (self.environments.is_empty() || self.environments.contains(environment))
    }

    /// Whether it lies over any instant of `[start, end)`.
    pub fn overlaps(&self, start: Timestamp, end: Timestamp) -> bool {
        self.starts_at < end && start < self.ends_at
    }

    /// Whether it holds at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
    }

    /// Whether it lies behind us, by its end or because it was taken back.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ended || self.ends_at <= now
    }

    /// Whether it lets this change pass, as it stands.
    pub fn excepts(&self, change: &Change) -> bool {
        self.exceptions.iter().any(|exception| exception.counts_for(change))
    }

    /// Whether it lets the change with this id pass as it is stored: an exception leaves with the content that it was for.
    pub fn excepts_stored(&self, change: &ChangeId) -> bool {
        self.exceptions.iter().any(|exception| &exception.change == change)
    }
}

//! The events of changes as an event log for process mining: one case per change.

use jiff::Timestamp;

/// A case: a change with its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The change's key.
    pub key: String,
    /// Its kind.
    pub kind: String,
    /// Its risk.
    pub risk: String,
    /// The keys of its services.
    pub services: Vec<String>,
    /// Its events in the order of time.
    pub events: Vec<CaseEvent>,
}

/// An event of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseEvent {
    /// The event, such as `change.approved`.
    pub activity: String,
    /// The actor: a login, a pseudonym such as `person-3`, or `system`.
    pub resource: String,
    /// When.
    pub at: Timestamp,
}

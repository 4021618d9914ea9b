//! Names and numbers that acts use for counters and events, and that a replay looks up.

/// The counter for the keys of changes; a tenant's first change is CHG-1001.
pub(crate) const NUMBERS: &str = "change";

/// The number before the first one.
pub(crate) const BEFORE_FIRST: i64 = 1_000;

/// The counter for the keys of incidents, and the number before the first one.
pub(crate) const INCIDENTS: &str = "incident";

/// See [`INCIDENTS`].
pub(crate) const BEFORE_FIRST_INCIDENT: i64 = 100;

/// The counter for the keys of problems, and the number before the first one.
pub(crate) const PROBLEMS: &str = "problem";

/// See [`PROBLEMS`].
pub(crate) const BEFORE_FIRST_PROBLEM: i64 = 100;

/// The counter for the keys of action items, and the number before the first one.
pub(crate) const ACTION_ITEMS: &str = "action_item";

/// See [`ACTION_ITEMS`].
pub(crate) const BEFORE_FIRST_ACTION_ITEM: i64 = 100;

/// The kind of the event that records the permits that a halt voided.
pub(crate) const HALTED: &str = "freeze.halted";

//! Names and numbers by which acts count and tell, and by which a replay finds them again.

/// The counter behind the keys; the first change of a tenant is CHG-1001.
pub(crate) const NUMBERS: &str = "change";

/// The number before the first one.
pub(crate) const BEFORE_FIRST: i64 = 1_000;

/// The counter behind the keys of incidents, and the number before the first one.
pub(crate) const INCIDENTS: &str = "incident";

/// See [`INCIDENTS`].
pub(crate) const BEFORE_FIRST_INCIDENT: i64 = 100;

/// The counter behind the keys of action items, and the number before the first one.
pub(crate) const ACTION_ITEMS: &str = "action_item";

/// See [`ACTION_ITEMS`].
pub(crate) const BEFORE_FIRST_ACTION_ITEM: i64 = 100;

/// The kind of the event that tells what a halt voided.
pub(crate) const HALTED: &str = "freeze.halted";

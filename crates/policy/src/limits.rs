//! The limits of a policy set.

/// The deepest nesting of brackets and `if` in one policy.
pub(crate) const NESTING: usize = 32;
/// The most tokens of one policy.
pub(crate) const TOKENS: usize = 1_000;
/// The most bytes of one file, the schema or the parameters.
pub(crate) const FILE_BYTES: usize = 256 * 1024;
/// The most files of a set.
pub(crate) const FILES: usize = 100;
/// The most policies of a set.
pub(crate) const POLICIES: usize = 1_000;
/// The most letters of an id.
pub(crate) const ID_LENGTH: usize = 100;
/// The most letters of a reason, an item or a title.
pub(crate) const TEXT_LENGTH: usize = 300;
/// The most items of a checklist.
pub(crate) const ITEMS: usize = 20;
/// The most people that one rule may require.
pub(crate) const COUNT: u32 = 20;
/// The longest duration, in minutes: ten years.
pub(crate) const DURATION_MINUTES: i64 = 10 * 366 * 24 * 60;
/// The longest life of a permit, in minutes: a day.
pub(crate) const PERMIT_MINUTES: i64 = 24 * 60;
/// The oldest revocation list, in minutes: a day.
pub(crate) const LIST_AGE_MINUTES: i64 = 24 * 60;
/// The most stages of approval in a set.
pub(crate) const STAGES: u32 = 9;
/// The longest span of working time, in days.
pub(crate) const WORK_DAYS: i64 = 250;

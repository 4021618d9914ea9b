//! How much of everything a policy set may hold.

/// How deep brackets and `if` may nest in one policy.
pub(crate) const NESTING: usize = 32;
/// How many tokens one policy may have.
pub(crate) const TOKENS: usize = 1_000;
/// How many bytes one file, the schema or the parameters may have.
pub(crate) const FILE_BYTES: usize = 256 * 1024;
/// How many files a set may have.
pub(crate) const FILES: usize = 100;
/// How many policies a set may have.
pub(crate) const POLICIES: usize = 1_000;
/// How many letters an id may have.
pub(crate) const ID_LENGTH: usize = 100;
/// How many letters a reason, an item or a title may have.
pub(crate) const TEXT_LENGTH: usize = 300;
/// How many items a checklist may have.
pub(crate) const ITEMS: usize = 20;
/// The most people that one rule may require.
pub(crate) const COUNT: u32 = 20;
/// How long a duration may be, in minutes: ten years.
pub(crate) const DURATION_MINUTES: i64 = 10 * 366 * 24 * 60;
/// How long a permit may live, in minutes: a day.
pub(crate) const PERMIT_MINUTES: i64 = 24 * 60;
/// How old a revocation list may be, in minutes: a day.
pub(crate) const LIST_AGE_MINUTES: i64 = 24 * 60;
/// How many stages of approval a set may have.
pub(crate) const STAGES: u32 = 9;
/// How long a span of working time may be, in days.
pub(crate) const WORK_DAYS: i64 = 250;

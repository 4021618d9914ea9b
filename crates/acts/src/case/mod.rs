//! The case: loads a change with its facts, has the policies evaluate it, and saves the result of a verb.

pub mod commit_equivalence;
pub(crate) mod committers;
pub(crate) mod judge;
pub(crate) mod load_file;
pub(crate) mod on_change;
pub(crate) mod outlines;
pub(crate) mod policy_floor;
pub(crate) mod present;
pub(crate) mod settle_one;
pub mod settle_open;
pub mod unsettled;

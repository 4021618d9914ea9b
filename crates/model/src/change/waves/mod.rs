//! Waves: one change over many members of its targets, such as the machines of a fleet, one wave after the other.
//!
//! The member list of a target is a record of its own, named in the target by its digest, so that an approval covers it. Each
//! member knows its wave. The change keeps the progress of the waves ([`kept_run::WaveRun`]), and a record of its own keeps
//! each member's outcome ([`member_outcome::MemberOutcome`]), so that a gate request reads one bucket of the list and one
//! outcome, however long the list is.

pub mod gate;
pub mod kept_run;
pub mod member_list;
pub mod member_outcome;
pub mod plan;
pub mod report;
pub mod run;
pub mod watched;

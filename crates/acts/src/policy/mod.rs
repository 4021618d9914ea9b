//! Policies: Cedar sets, configurations and trials.

pub mod activate_configuration;
pub(crate) mod approver_coverage;
pub mod compare_sets;
pub mod configurations;
pub(crate) mod find_locked_out;
pub mod find_unapprovable;
pub(crate) mod find_unmeetable;
pub mod find_unstaffed;
pub mod find_unused;
pub mod propose_configuration;
pub mod propose_ownership;
pub mod propose_parameters;
pub mod search_histories;
pub mod set_mapping;
pub mod try_acts;
pub mod try_policies;
pub mod what_is_asked;

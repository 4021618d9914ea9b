//! The lists: what a row of each kind of record holds and shows.

pub(crate) mod administration;
pub(crate) mod changes;
pub(crate) mod deliveries;
pub(crate) mod estate;
pub(crate) mod incidents;
pub(crate) mod messages;
pub(crate) mod oversight;
pub(crate) mod ownership;
pub(crate) mod templates;
pub(crate) mod times;
pub(crate) mod tokens;

//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub(crate) mod ownership;
pub(crate) mod people;
pub(crate) mod services;

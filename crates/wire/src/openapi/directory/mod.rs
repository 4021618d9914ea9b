//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub(super) mod estate;
pub(super) mod ownership;
pub(super) mod routes;
pub(super) mod vendors;

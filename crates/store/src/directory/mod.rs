//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub mod estate_write;

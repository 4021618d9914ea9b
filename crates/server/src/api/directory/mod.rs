//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub(super) mod access_reviews;
pub(super) mod imports;
pub(super) mod ownership_lines;
pub(super) mod people;
pub(super) mod services;
pub(super) mod vendors;

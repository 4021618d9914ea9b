//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub mod backstage;
pub mod json_rows;
pub mod table;

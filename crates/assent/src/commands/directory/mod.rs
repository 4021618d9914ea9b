//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub mod access_reviews;
pub mod create_person;
pub mod environments;
pub mod groups;
pub mod import;
pub mod ownership;
pub mod people;
pub mod rows;
pub mod services;
pub mod vendors;

//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub(super) mod access_reviews;
pub(crate) mod ownership;
pub(super) mod ownership_proposal;
pub(super) mod people;
pub(super) mod person_page;
pub(super) mod rights;
pub(super) mod service_sections;
pub(super) mod services;
pub(crate) mod setup;
mod setup_steps;
pub(super) mod vendor_notices;
pub(super) mod vendors;

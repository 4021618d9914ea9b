//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub(crate) mod foreign_ids;
pub(crate) mod scoped;
pub(crate) mod scoped_walk;
pub(crate) mod service_page;
pub(crate) mod tenants;
pub(crate) mod vendors;

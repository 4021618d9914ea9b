//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub mod access_review;
pub mod agent_rules;
pub mod apply_write;
pub mod audit_mandate;
pub mod audit_mandate_rules;
pub mod basis;
pub mod graph;
pub mod holders;
pub mod impersonation;
pub mod leaver;
pub mod led_elsewhere;
pub mod manager;
pub mod outside_names;
pub mod ownership_matrix;
pub mod records;
pub mod scope;
pub mod snapshot;
pub mod suspension;
pub mod template_bounds;
pub mod two_people;
pub mod unknown_name;
pub mod vendor;
pub mod vendor_rules;

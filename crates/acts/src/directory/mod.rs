//! The directory: people, groups, services, ownership, tenants, imports and access reviews.

pub mod create_tenant;
pub mod deactivate_person;
pub(crate) mod end_signed;
pub(crate) mod entitlements;
pub mod import_directory;
pub mod invite_people;
pub mod provision;
pub mod review_access;
pub mod review_by_clock;
pub(crate) mod review_items;
pub mod set_audit_mandate;
pub mod set_person;
pub mod set_service;
pub mod set_vendor;
pub mod suspend_given;

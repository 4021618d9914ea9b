//! Checks that many areas share: two people, self-grants, credentials, rights.

pub(crate) mod denied_rights;
pub(crate) mod group_membership;
pub mod impersonation;
pub(crate) mod known_address;
pub mod last_administrator;
pub(crate) mod other_setters;
pub(crate) mod person_fields;
pub(crate) mod read_directory_rows;
pub(crate) mod required_factor;
pub(crate) mod self_grant;
pub mod session_end;
pub mod two_people;

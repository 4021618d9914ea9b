//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub(crate) mod other_tenants;
pub(crate) mod passkeys;
pub mod password;
pub(crate) mod providers;
pub(crate) mod scim;
pub(crate) mod sign_in;
pub(crate) mod workloads;

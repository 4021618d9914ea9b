//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub mod identities;
pub mod second_factor;
pub mod secrets;
pub mod session;
pub mod workload;

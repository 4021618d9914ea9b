//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub mod passwords;
pub mod tokens;
pub mod workloads;

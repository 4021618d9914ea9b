//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub mod factor;
pub mod provider;

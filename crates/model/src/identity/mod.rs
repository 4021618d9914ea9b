//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub mod agent;
pub mod factor;
pub mod provider;

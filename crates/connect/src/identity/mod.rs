//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub mod oidc;
pub mod scim;
pub mod workload;

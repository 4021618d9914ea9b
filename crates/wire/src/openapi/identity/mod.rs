//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub(super) mod bodies;
pub(super) mod routes;

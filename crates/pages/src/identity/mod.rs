//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub(crate) mod sign_in;
pub(crate) mod tokens;

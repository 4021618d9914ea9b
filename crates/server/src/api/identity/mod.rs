//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub(super) mod passkeys;
pub(super) mod session;
pub(super) mod sign_in_methods;
pub(super) mod tokens;

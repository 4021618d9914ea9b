//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub(crate) mod agents;
pub(crate) mod compromised;
pub(crate) mod provisioning;
pub(crate) mod scim_canary;
pub(crate) mod second_factors;
pub(crate) mod vouched_factors;

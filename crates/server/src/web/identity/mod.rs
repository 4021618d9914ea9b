//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub(super) mod account;
pub(super) mod browser_settings;
pub(super) mod factor_sections;
pub(super) mod factors;
pub(crate) mod identity_providers;
pub(super) mod passkeys;
pub(super) mod provider_sign_in;
pub(super) mod sign_in;
pub(super) mod tokens;
pub(crate) mod welcome;
pub(crate) mod workloads;

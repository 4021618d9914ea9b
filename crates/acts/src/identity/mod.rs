//! Identity: sign-in, sessions, second factors, passkeys, providers, SCIM, tokens and workloads.

pub mod audit_workload_trust;
pub mod expire_federated_rights;
pub mod known_ways;
pub mod note_sign_in;
pub mod provision_at_sign_in;
pub mod set_agent;
pub mod set_identity_provider;
pub mod set_passkey;
pub mod set_second_factor;
pub mod set_token;
pub mod set_workload;
pub mod warn_token_expiry;

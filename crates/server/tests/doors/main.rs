//! The routes, from outside: a server on a free port over an embedded database in a folder of its own.

mod access;
mod again;
mod agents;
mod around;
mod authenticator;
mod bodies;
#[cfg(feature = "test-clock")]
mod cleared;
mod clock;
mod directory;
mod elsewhere;
#[path = "../common/empty_database.rs"]
mod empty_database;
mod ended;
mod factors;
mod freezes;
mod gate;
mod hooks;
mod hostile_providers;
mod imports;
mod leavers;
mod log;
mod lookalikes;
mod mail;
mod matrix;
mod matrix_states;
mod night;
mod once;
mod order;
mod passkeys;
mod scim;
mod scim_clients;
mod scim_crowds;
mod session;
mod spans;
mod sweeping;
mod timing;
mod tokens;
mod twins;
mod walk;
mod world;
